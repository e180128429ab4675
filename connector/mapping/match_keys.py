"""By what do records without a stored id find one another? The keys that a mapping file's `match_on` may name.

| key      | pair            | value                                                  | of several with one value |
|----------|-----------------|--------------------------------------------------------|---------------------------|
| `id`     | all             | the id that one side stores of the other: always first | the oldest free one       |
| `domain` | account-company | the registered domain of the website                   | all are held (A2)         |
| `name`   | account-company | the name, trimmed, spaces as one, case-folded          | all are held (A2)         |
| `email`  | contact-contact | each e-mail address, case-folded                       | the oldest links (A3)     |

A registered domain is what somebody can own: `shop.acme.co.uk` is `acme.co.uk`. Domains that many parties share say
nothing: free mail, social networks (`shared_hosts.txt`). What may be registered is told by the Public Suffix List
(`public_suffixes.txt`, its suffixes of several labels). Opportunities and deals have no key but the id (O8).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from connector.core.model import MatchKey, Side, Value
from connector.mapping.transforms import host_of

ID = "id"
LONGEST = 320
"""Of longer values no key is made: neither vendor has longer names or addresses in use."""


def read_emails(value: Value) -> tuple[str, ...]:
    """Addresses, case-folded; HubSpot lists a contact's further ones with semicolons between them."""
    return tuple(one for text in str(value or "").split(";") if _is_usable(one := text.strip().casefold()))


def read_name(value: Value) -> tuple[str, ...]:
    """A name without spaces around it, with single ones inside, case-folded."""
    text = " ".join(str(value or "").split()).casefold()
    return (text,) if _is_usable(text) else ()


def read_domain(value: Value) -> tuple[str, ...]:
    """The registered domain of a website, in its ASCII form; nothing if it is nobody's own."""
    host = _ascii(host_of(value) or "")
    domain = registered_domain(host)
    if domain is None or not _is_usable(domain) or not {host, domain}.isdisjoint(_shared_hosts()):
        return ()
    return (domain,)


def registered_domain(host: str) -> str | None:
    """The part of a host that was registered; None for addresses, suffixes, and hosts without a dot.

    The longest suffix that fits counts, an exception (`!`) before all (Public Suffix List, "Algorithm").
    """
    labels = host.split(".")
    if len(labels) < 2 or not all(labels) or _is_address(host):
        return None
    suffixes = _public_suffixes()
    for start in range(len(labels) - 1):
        here, wild = ".".join(labels[start:]), ".".join(["*", *labels[start + 1 :]])
        if f"!{here}" in suffixes:
            return here
        if here in suffixes or wild in suffixes:
            return ".".join(labels[start - 1 :]) if start else None
    return ".".join(labels[-2:])


def _is_usable(text: str) -> bool:
    """Whether a key can be made of it: a NUL is in nobody's name, and not every database keeps one."""
    return 0 < len(text) <= LONGEST and "\0" not in text


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode()
    except UnicodeError:  # not a name that could be registered; it can still be the same text on both sides
        return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@cache
def _public_suffixes() -> frozenset[str]:
    return _lines("public_suffixes.txt", "//")


@cache
def _shared_hosts() -> frozenset[str]:
    return _lines("shared_hosts.txt", "#")


def _lines(name: str, comment: str) -> frozenset[str]:
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith(comment))


_DOMAIN = MatchKey("domain", "A2", {Side.SALESFORCE: ("Website",), Side.HUBSPOT: ("domain",)}, read_domain)
_NAME = MatchKey("name", "A2", {Side.SALESFORCE: ("Name",), Side.HUBSPOT: ("name",)}, read_name)
_EMAIL = MatchKey(
    "email",
    "A3",
    {Side.SALESFORCE: ("Email",), Side.HUBSPOT: ("email", "hs_additional_emails")},
    read_emails,
    oldest_links=True,
)
KEYS: Mapping[str, Mapping[str, MatchKey]] = {
    "account-company": {key.name: key for key in (_DOMAIN, _NAME)},
    "contact-contact": {key.name: key for key in (_EMAIL,)},
    "opportunity-deal": {},
}
"""The keys of each pair, beside the id, in the order in which they are tried unless the mapping says otherwise."""
