"""Whose host is it? The names under which the vendors' clients look for them.

| vendor | hosts |
|---|---|
| Salesforce | `login.`, `test.`, every My Domain and instance: all under `salesforce.com` and `force.com` |
| HubSpot | `api.hubapi.com` and its regional sisters; `api.hubspot.com`, the older name |

Sources: Salesforce Help, "My Domain URL Formats"; HubSpot docs, "HubSpot API reference overview".
"""

from __future__ import annotations

SALESFORCE = "salesforce"
HUBSPOT = "hubspot"

_ENDINGS = {".salesforce.com": SALESFORCE, ".force.com": SALESFORCE, ".hubapi.com": HUBSPOT}
_NAMES = {"api.hubspot.com": HUBSPOT}


def vendor_of(host: str) -> str | None:
    """`"salesforce"`, `"hubspot"`, or None for a host that is neither's."""
    host = host.lower().removesuffix(".")
    return _NAMES.get(host) or next((whose for end, whose in _ENDINGS.items() if host.endswith(end)), None)
