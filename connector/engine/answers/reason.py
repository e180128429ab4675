"""Why does a record not sync? Every reason there is, with what to do about it.

| reason        | rule   | the record …                                                                           |
|---------------|--------|----------------------------------------------------------------------------------------|
| suspended     | E4     | waits, as all do: a CRM cannot be used                                                 |
| switched off  | P1, P2 | is of a pair that the settings leave out                                               |
| no run        |        | was never looked at: nothing was ever synced                                           |
| never seen    |        | is in the CRM, and no run has met it                                                   |
| deleted       | D1-D6  | is gone                                                                                |
| merged        | A7     | went into another one                                                                  |
| out of sight  | D6     | cannot be seen by the connector's user                                                 |
| severed       | D3     | is in a pair that ended, because its HubSpot record was deleted or a person ended it   |
| closed        | D1, D5 | is in a pair of which one record is gone                                               |
| pending       | O10    | is having its partner made: a run died over it                                         |
| frozen        | A8     | is in a pair of which one record is out of scope                                       |
| undone        | X2     | had a write that was taken back, and is held until its source moves                    |
| out of scope  | A8     | is left out by a condition of the scope                                                |
| stopped       | O5     | is in a pair whose deal is in a pipeline that does not sync                            |
| other pipeline| O6     | is a deal in a pipeline that does not sync                                             |
| waits         | R5     | needs another one to be linked first                                                   |
| ambiguous     | A2, A3 | may be the same as several others                                                      |
| problem       | E1     | was refused                                                                            |
| conflict      | F2     | has a field that both sides edited, which waits for a person                           |
| not created   | A1     | gets no partner by `create_in`                                                         |
| no contact    | A1     | is a company without a contact that syncs                                              |
| untouched     | P4     | was there before, and nobody has changed it since                                      |

A reason that `stops` the record keeps all of it; another one keeps a part.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connector.core.model import Side
from connector.engine.answers.view import View

NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}


class Why(StrEnum):
    """The table above."""

    SUSPENDED = "suspended"
    SWITCHED_OFF = "switched off"
    NO_RUN = "no run"
    NEVER_SEEN = "never seen"
    DELETED = "deleted"
    MERGED = "merged"
    OUT_OF_SIGHT = "out of sight"
    SEVERED = "severed"
    CLOSED = "closed"
    PENDING = "pending"
    FROZEN = "frozen"
    UNDONE = "undone"
    OUT_OF_SCOPE = "out of scope"
    STOPPED = "stopped"
    OTHER_PIPELINE = "other pipeline"
    WAITS = "waits"
    AMBIGUOUS = "ambiguous"
    PROBLEM = "problem"
    CONFLICT = "conflict"
    NOT_CREATED = "not created"
    NO_CONTACT = "no contact"
    UNTOUCHED = "untouched"


@dataclass(frozen=True, slots=True)
class Alike:
    """A record that may be the same as the one asked about: by which key, and whom it is linked to."""

    side: Side
    object: str
    id: str
    name: str
    created: str
    key: str
    partner: str | None


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: the rule it follows from, in words, and what to do. `field` is blank for the whole record."""

    why: Why
    rule: str
    text: str
    remedy: str
    stops: bool = True
    field: str = ""
    alike: tuple[Alike, ...] = ()


def singular(object_: str) -> str:
    return {"deals": "deal", "contacts": "contact", "companies": "company"}.get(object_, object_.lower())


def named(view: View) -> str:
    """The record as `--record` takes it."""
    return view.id if view.side is Side.SALESFORCE else f"{singular(view.object)}:{view.id}"
