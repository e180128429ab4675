"""Which addresses may be called, with credentials and with customers' data?

| address | |
|---|---|
| https, the host of the settings | yes |
| https, a host of Salesforce, if that of the settings is one | yes: a sign-in may lead to another host of the org |
| http, a loopback address of the settings | yes: the sandbox |
| anything else | no, wherever it came from: the settings, an answer of a sign-in, the address of a next page |

Redirects are not followed at all (`adapters/http.py`).
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

SALESFORCE_DOMAINS = (".salesforce.com", ".salesforce.mil", ".sfcrmproducts.cn")
"""Below these lie the hosts of orgs, sign-in included (Salesforce Help, "My Domain URL Formats")."""
_PORTS = {"https": 443, "http": 80}


def is_safe_url(url: str) -> bool:
    """https, or http to a loopback address; without a user or password in it."""
    parts = _split(url)
    return parts is not None and (parts.scheme == "https" or is_plain_loopback(url))


def is_plain_loopback(url: str) -> bool:
    """Whether it is http to an address of this machine."""
    parts = _split(url)
    if parts is None or parts.scheme != "http" or not parts.hostname:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def belongs_to(url: str, home: str) -> bool:
    """Whether a safe address is that of the settings (`home`), or both are Salesforce's."""
    there, here = _split(url), _split(home)
    if there is None or here is None or not is_safe_url(url):
        return False
    if _place(there) == _place(here):
        return True
    salesforces = all((one.hostname or "").endswith(SALESFORCE_DOMAINS) for one in (there, here))
    return salesforces and there.scheme == "https" and (there.port or 443) == 443


def is_proxy(url: str) -> bool:
    """Whether it is the address of a proxy, which may have a name and a password in it."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def host_of(url: str) -> str:
    """The host of an address, for a message: nothing else of it, which may be secret."""
    parts = _split(url)
    return parts.hostname or "" if parts else "an address that cannot be read"


def has_user(url: str) -> bool:
    """Whether a name or a password stands in an address."""
    return "@" in url.partition("://")[2].partition("/")[0]


def _place(parts: SplitResult) -> tuple[str, int]:
    """Host and port. A client that insists on https says so of a plain loopback address too."""
    return (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)


def _split(url: str) -> SplitResult | None:
    """The parts of an address that names a host; None for one that no client could call, or that names a user."""
    try:
        parts = urlsplit(url)
        usable = parts.hostname and parts.port != 0  # asking for the port raises if it is not a number
    except ValueError:
        return None
    if not usable or parts.username is not None or re.search(r"[\s\\]", url):
        return None
    return parts
