"""What an adapter promises, whichever CRM is behind it.

* Reads give records as `core.model` has them: times in ISO 8601 UTC, blank values as None.
* `changes` reads from where a cursor left off, and says after each page where to go on; a cursor is made of
  the server's time, never of ours, and reaches back far enough for records that show up late.
* Writes give exactly one outcome per input, whatever the vendor left out, shuffled or refused.
* A call that cannot succeed now raises `errors.Later`; one that will not, `errors.Unreachable`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from connector.core.model import ContactRole, Fields, ProblemClass, Record, Side, Value


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read of one object: its field names, and the field that stores the partner's id.

    `also` are ids that a look for changes shows whether they changed or not, at no price.
    """

    fields: tuple[str, ...]
    partner_field: str | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of changes of one object. `cursors` are to be stored together with it."""

    object: str
    records: tuple[Record, ...] = ()
    roles: Mapping[str, ContactRole] = field(default_factory=dict)
    """Live contact roles by id."""
    roles_gone: tuple[str, ...] = ()
    cursors: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A record to create. `key` names it in the outcome; `contacts` are associated with a new deal at once."""

    key: str
    values: Fields
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """Values to write to a record. `old` holds what goes when they come: an association is else only added.

    `clears_first` names fields that are cleared in one request and set in the next.
    """

    id: str
    values: Fields
    old: Fields = field(default_factory=dict)
    clears_first: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Labelling:
    """All labels (type ids) that the association of a contact with a deal is to have; none: it is to have none."""

    deal: str
    contact: str
    types: frozenset[int]
    gone: frozenset[int] = frozenset()
    """Those that it had and is not to have any more."""

    @property
    def key(self) -> str:
        return f"{self.deal}/{self.contact}"


LONGEST_ID = 40
"""Neither vendor has ids so long. What somebody typed in place of one may be as long as a property."""


def read_stored_id(value: Value) -> str | None:
    """The id of a partner that a record stores, without blanks around it.

    What is no id stays there to be told (O10), as far as a store can keep it and a person can read it.
    """
    typed = "".join(one if one.isprintable() else "?" for one in str(value or "").strip())
    return typed[:LONGEST_ID] or None


class Trouble(StrEnum):
    """What a refusal means for the record."""

    REFUSED = "refused"  # as it is, it will be refused again
    PASSING = "passing"  # it may go through later
    GONE = "gone"  # the record is not there any more
    COLLIDED = "collided"  # a record with that unique value exists already


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a vendor's error code comes to: its problem class, what a person can do, and what to do next."""

    cause: ProblemClass
    remedy: str
    trouble: Trouble = Trouble.REFUSED


@dataclass(frozen=True, slots=True)
class Blame:
    """One field that is to blame for a refusal: the record may go through without it (F4)."""

    field: str
    cause: ProblemClass
    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a write did not go through: the problem class, the vendor's code and text, and what to do about it.

    `blames` names the fields that are at fault, if the vendor named one for everything that it found wrong.
    """

    trouble: Trouble
    cause: ProblemClass
    code: str
    message: str
    field: str = ""
    existing_id: str | None = None
    remedy: str = ""
    blames: tuple[Blame, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one input: the record's id and the version it has now (if told), or a refusal."""

    key: str
    id: str | None = None
    refusal: Refusal | None = None
    version: str = ""
    found: bool = False
    """It was there already: this write did not make it."""


def hear_late(
    outcomes: Sequence[Outcome],
    drafts: Sequence[Draft],
    partner_field: str | None,
    since: datetime | None,
    find: Callable[[list[str]], Mapping[str, Record]],
) -> list[Outcome]:
    """The same, where a creation that was sent again collided with what its first try had made, unheard.

    That is what names the same partner and was made since. `since` is the CRM's time before the first try; `find`
    reads records by the partner's id.
    """
    collided = {one.key for one in outcomes if one.refusal and one.refusal.trouble is Trouble.COLLIDED}
    named = {one.key: str(one.values.get(partner_field or "") or "") for one in drafts if one.key in collided}
    asked = sorted({one for one in named.values() if one})
    found = find(asked) if since is not None and asked else {}
    made = {
        key: one
        for key, partner in named.items()
        if (one := found.get(partner)) and one.present and one.created
        if since is not None and datetime.fromisoformat(one.created) >= since
    }
    return [
        Outcome(one.key, made[one.key].id, version=made[one.key].version) if one.key in made else one
        for one in outcomes
    ]


@dataclass(frozen=True, slots=True)
class Touch:
    """An edit as the CRM tells of it: who or what made it, and when (ISO 8601 UTC). Empty: it does not tell."""

    who: str = ""
    at: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """API calls made by this process, as the vendor counts them, those left today, and how many a day has.

    None: not known.
    """

    calls: int
    left: int | None
    limit: int | None = None


class Crm(Protocol):
    """What both adapters offer."""

    side: Side

    def changes(self, wanted: Mapping[str, Wanted], cursors: Mapping[str, Any]) -> Iterator[Page]:
        """Everything that changed since the cursors; without one, everything."""

    def read(self, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Record]:
        """These records as they are now, by id; those that are not there say why (`Record.presence`)."""

    def find_absorbed(self, object_: str, ids: Sequence[str]) -> dict[str, Record]:
        """Those of records that `read` finds nowhere that were merged into one that was deleted since."""

    def create(self, object_: str, drafts: Sequence[Draft], wanted: Wanted) -> Iterator[list[Outcome]]:
        """Create records; one list of outcomes per batch, as it is done."""

    def update(self, object_: str, edits: Sequence[Edit]) -> Iterator[list[Outcome]]:
        """Write to records; one list of outcomes per batch, as it is done."""

    def read_whole(self, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Record]:
        """The same with all that may be written when a record is made, mapped or not. One call more."""

    def find_ties(self, object_: str, ids: Sequence[str]) -> dict[str, set[tuple[str, str]]]:
        """What hangs on records, by id: contacts, deals, opportunities, each as (object, id)."""

    def find_strangers(self, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Touch]:
        """Of records that this connector created those that somebody else has edited, with the latest such edit."""

    def last_touches(self, object_: str, fields: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], Touch]:
        """Who last edited fields (by record id), by (id, field), as far as the CRM tells."""

    def price(self, verb: str, number: int) -> int:
        """How many API calls it takes to create, update, delete, read or connect `number` records."""

    def usage(self) -> Usage:
        """What was used so far."""

    def probe(self) -> None:
        """One cheap call. Raises `Unreachable` if the CRM still cannot be used (E4)."""

    def last_edits(self, object_: str, fields: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], str]:
        """When fields (by record id) last got another value, as far as the CRM keeps that: by (id, field)."""
