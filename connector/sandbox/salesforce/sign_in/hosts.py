"""Where a client is led after it has signed in."""

from __future__ import annotations

from urllib.parse import urlsplit

MY_DOMAIN = "example"

_COMMON_SIGN_IN = {"login.salesforce.com", "test.salesforce.com"}


def instance_url(origin: str) -> str:
    """Where the API of an org is for a client that signed in at `origin` (scheme and host, no path).

    From Salesforce's common sign-in hosts it is led to the org's own host, `<domain>.my.salesforce.com`;
    a client that already names a host of its own (a My Domain, a port of this machine) stays there. Source:
    Salesforce Help, "My Domain URL Formats".
    """
    if urlsplit(origin).hostname in _COMMON_SIGN_IN:
        return f"https://{MY_DOMAIN}.my.salesforce.com"
    return origin
