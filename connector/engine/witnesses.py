"""Was a CRM put back to an earlier state since the last look, as from a backup?

Then what it shows is not what people did. That a deal has lost a contact, or holds an old amount, would be taken
for an edit and carried over; and what was made since is nowhere, which no recycle bin explains. So nothing is
written, and the connection is suspended until a person has decided (D6, E4).

A few records of each object are witnesses: those changed last, of which it is known how new they were. Each look
asks for the newest of them again, in the call that it makes anyway. What then seems odd, as a search may lag, is
read by its id before anything is said, and once more before the connection is suspended.

| a witness                                          | means                                                    |
|----------------------------------------------------|----------------------------------------------------------|
| is as new as it was, or newer                      | nothing                                                  |
| is older by some minutes                           | nothing: a clock was set back, and it was changed since  |
| was deleted or merged                              | nothing, and it is a witness no more                     |
| is older by more than that                         | the CRM was put back: no record's last change goes back  |
| is nowhere, and so are all others of its object    | the same, or they are out of sight; a person has to look |

What it cannot tell is a state in which all witnesses were as they are now, or changed last some minutes before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connector.adapters.base import Crm, Wanted
from connector.core.model import Presence, ProblemClass, Record, Side
from connector.errors import Condition, Unreachable
from connector.store.store import Store

NEWEST, ASKED = 20, 5
"""How many of the newest are kept, and how many are asked for."""
FEWEST_NOWHERE = 2
SET_BACK = timedelta(minutes=10)
"""Times of one CRM that are no further apart say nothing of which came first: its many machines have clocks of
their own, which are set right now and then. A look begins about as far back (`overlap_minutes`), so that what
changed then is seen."""
_NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}
_REMEDY = (
    "if the other CRM is right, begin with an empty store"
    " (see *When something was restored* in the documentation); else see that what is there now is meant"
)


class Witnesses:
    """The witnesses of one object of a side during one look. `since`: where it begins; None: all is shown."""

    def __init__(self, store: Store, side: Side, object_: str, since: str | None) -> None:
        self._store = store
        self._object = object_
        self._stream = f"witnesses/{side}/{object_}"
        self._known: dict[str, str] = dict(store.runs.read(self._stream) or ())
        self._since = _moment(since) if since else None
        self._unheard = dict(_newest(self._known, ASKED)) if since else {}
        self.asked = tuple(self._unheard)
        """The ids to ask for."""

    def hear(self, records: Sequence[Record]) -> None:
        """Take note of what was seen, in the transaction that takes it in."""
        known = dict(self._known)
        for one in records:
            if not one.present:
                known.pop(one.id, None)
            elif one.id not in known or _moment(one.version) > _moment(known[one.id]):
                known[one.id] = one.version
            if not one.present or not _is_older(one, self._unheard.get(one.id)):
                self._unheard.pop(one.id, None)
        self._keep(known)

    def without_asked(self, records: Sequence[Record]) -> tuple[Record, ...]:
        """What the look would show if nobody had asked: what did not change is not taken in."""
        since = self._since
        if since is None:
            return tuple(records)
        alone = {one.id for one in records if one.id in self.asked and one.present and _moment(one.version) < since}
        return tuple(one for one in records if one.id not in alone)

    def find_trace(self, crm: Crm) -> str | None:
        """What says that the CRM was put back; of those that were not shown, or seemed older, it is asked now.

        One false answer suspends nothing: what would is asked for once more, and has to be said again.
        """
        if not self._unheard:
            return None
        found = self._ask(crm)
        if self._judge(found) is not None:
            found = self._ask(crm)
            if self._judge({id_: one for id_, one in found.items() if one.present}) is None:
                nowhere = [id_ for id_, one in found.items() if one.presence is Presence.INVISIBLE]
                found |= crm.find_absorbed(self._object, nowhere)
        if trace := self._judge(found):
            return trace
        self._keep({id_: at for id_, at in self._known.items() if id_ not in found or found[id_].present})
        return None

    def _ask(self, crm: Crm) -> dict[str, Record]:
        return crm.read(self._object, list(self._unheard), Wanted(()))

    def _judge(self, found: Mapping[str, Record]) -> str | None:
        for one in found.values():
            if one.present and _is_older(one, before := self._unheard[one.id]):
                return f"{one.object} {one.id} was changed at {before}, and is of {one.version} now"
        nowhere = [one for one in found.values() if one.presence is Presence.INVISIBLE]
        if len(nowhere) >= max(FEWEST_NOWHERE, len(self.asked)):
            return (
                f"{len(nowhere)} {self._object} that were there are nowhere, not even in the recycle bin"
                " (or they are out of its user's sight)"
            )
        return None

    def dismiss(self) -> None:
        """Begin anew with what the next look shows."""
        self._unheard = {}
        self._keep({})

    def _keep(self, known: Mapping[str, str]) -> None:
        newest = dict(_newest(known, NEWEST))
        if newest != self._known:
            self._known = newest
            self._store.runs.remember(self._stream, list(newest.items()))


def hear_all(witnesses: Collection[Witnesses], crm: Crm) -> None:
    """Conclude from what all witnesses of a side say.

    Raises:
        Unreachable: the CRM was put back. Whoever resumes after this has decided, and it is not said again.
    """
    for one in witnesses:
        if what := one.find_trace(crm):
            for each in witnesses:
                each.dismiss()
            raise Unreachable(
                crm.side,
                ProblemClass.CONNECTION,
                f"{_NAMES[crm.side]} was put back to an earlier state: {what}",
                _REMEDY,
                Condition.PUT_BACK,
            )


def _newest(known: Mapping[str, str], most: int) -> list[tuple[str, str]]:
    return sorted(known.items(), key=lambda one: (_moment(one[1]), one[0]), reverse=True)[:most]


def _is_older(one: Record, before: str | None) -> bool:
    """Whether it is older than before, and by more than clocks may explain."""
    return before is not None and _moment(one.version) < _moment(before) - SET_BACK


def since_of(cursor: Any) -> str | None:
    """From which moment on a cursor reads changes; None: it has none yet."""
    found = cursor.get("since") if isinstance(cursor, dict) else cursor
    return found if isinstance(found, str) else None


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
