"""Who is behind a call: an app through the API, a person in HubSpot's own pages, an import, or HubSpot itself.

| source | of | `sourceId` |
|---|---|---|
| `INTEGRATION` | an app | the app's id |
| `CRM_UI` | a person in HubSpot's pages | `userId:` and the person's user id |
| `IMPORT` | an import | the import's id |
| `CRM_SETTING` | HubSpot, because a setting of the portal says so | |
| `CALCULATED` | HubSpot, from other values | |
| `MERGE_OBJECTS` | HubSpot, when it merges two records | |

An actor becomes the source of every value it writes (HubSpot docs, "Using object APIs", property history; HubSpot
Knowledge Base, "HubSpot's change sources in property history" and "View and use record source properties"). Those
articles give the names that people see; how the API spells the last three of them is simplified.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

APP_ID = "2417309"


@dataclass(frozen=True, slots=True)
class Actor:
    """`source` and `source_id` are what a property's history shows; `user` is the person's user id."""

    source: str
    source_id: str = ""
    label: str = ""
    user: int | None = None

    @property
    def in_ui(self) -> bool:
        """A person in HubSpot's own pages: makes no API calls, and may do what the API may not."""
        return self.source == "CRM_UI"


APP = Actor("INTEGRATION", APP_ID, "Sandbox app")
ADMINISTRATOR = Actor("CRM_UI")
CALCULATION = Actor("CALCULATED")
MERGE = Actor("MERGE_OBJECTS")


@cache
def setting(source: str) -> Actor:
    """HubSpot itself, for a setting of the portal."""
    return Actor(source)


def person(user_id: int, label: str) -> Actor:
    """Somebody in HubSpot's own pages."""
    return Actor("CRM_UI", f"userId:{user_id}", label, user_id)
