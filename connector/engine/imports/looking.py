"""What has to be seen before anybody can say what is the same, and nothing more?

| this store                  | Salesforce                                     | HubSpot                           |
|-----------------------------|------------------------------------------------|-----------------------------------|
| has synced before           | what changed, as in every run                  | what changed, as in every run     |
| has not                     | all accounts and contacts: they can be alike   | all records of the pairs involved |
| goes on with an import      | what changed, if it has synced before          | who came without a Salesforce id  |

The last row is why going on costs little: a search for all that changed would find all that the import wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from connector.adapters.base import Refusal
from connector.adapters.salesforce_deletion import ROLE
from connector.adapters.salesforce_selections import Extract, stopped
from connector.core.model import Pair, Side
from connector.engine.imports.reading import Reading, choose_way, read_portions
from connector.engine.observe import Seen, has_begun, observe, observe_side, renew_keys, sweep, take_in
from connector.engine.world import CONTACTS, DEALS, Connection, World

SF, HS = Side.SALESFORCE, Side.HUBSPOT

Tell = Callable[[str, int, int | None], None]


def look_at_all(c: Connection, world: World, pairs: Sequence[Pair], run_id: int, tell: Tell) -> None:
    """The look that an import begins with. It can be cut short anywhere, and goes on from there."""
    if has_begun(c):
        observe(c, world, run_id, lambda number: tell("looking", number, None))
        return
    renew_keys(c)
    _note_beginning(c, pairs)
    alike = [pair for pair in pairs if pair.match_on]
    seen_before = [pair for pair in alike if c.store.runs.read(_stream(pair)) is not None]
    if seen_before:
        observe_side(c, world, SF, Seen(), lambda number: tell("looking", number, None), seen_before)
    _read_all(c, world, alike, tell)
    observe_side(c, world, HS, Seen(), lambda number: tell("looking at HubSpot", number, None), pairs)
    sweep(c, world, pairs)


def look_for_newcomers(c: Connection, world: World, pairs: Sequence[Pair], tell: Tell) -> None:
    """Who came to HubSpot meanwhile and may be the same as a record that is still to be imported."""
    if has_begun(c):
        observe_side(c, world, SF, Seen(), lambda number: tell("looking", number, None))
    for pair in pairs:
        cursor = c.store.runs.read(f"{HS.value}/{pair.hubspot}") or {}
        if "since" in cursor:
            for records in c.hubspot.newcomers(pair.hubspot, world.wanted(pair, HS), cursor["since"]):
                take_in(c, pair, records, late=True)


def _note_beginning(c: Connection, pairs: Sequence[Pair]) -> None:
    """From when on the first sync asks for deletions: some of what is imported may be gone by then (D1, R3)."""
    names = [pair.salesforce for pair in pairs]
    names += [ROLE] if DEALS in {pair.name for pair in pairs} and CONTACTS in c.pairs else []
    with c.store.transaction():
        for stream, value in c.salesforce.deletions_from(names, c.salesforce.mark()).items():
            if c.store.runs.read(stream) is None:
                c.store.runs.remember(stream, value)


def _read_all(c: Connection, world: World, pairs: Sequence[Pair], tell: Tell) -> None:
    """All of Salesforce's accounts and contacts, by the way that costs fewer calls; then its cursors are set.

    Raises:
        Unreachable: it does not say how many there are. Taken for none, they would never be looked at.
    """
    todo = [pair for pair in pairs if c.store.runs.read(_stream(pair)) is None]
    unread = [pair for pair in todo if c.store.runs.read(_look(pair)) is None]
    if unread:
        began = c.salesforce.mark()
        extracts = {pair.name: Extract(pair.salesforce, world.wanted(pair, SF)) for pair in unread}
        for name, total in c.salesforce.selections().count(extracts).items():
            if isinstance(total, Refusal):
                raise stopped(total)
            reading = Reading(choose_way(total), total, over=not total)
            c.store.runs.remember(_look(c.pairs[name]), {"began": began, "reading": reading.as_json()})
    for pair in todo:
        _read_pair(c, world, pair, tell)


def _read_pair(c: Connection, world: World, pair: Pair, tell: Tell) -> None:
    remembered: dict[str, Any] = c.store.runs.read(_look(pair)) or {}
    reading = Reading.from_json(remembered["reading"])
    extract = Extract(pair.salesforce, world.wanted(pair, SF))
    for records, following in read_portions(c, extract, reading, c.allocation.keep):
        with c.store.transaction():
            take_in(c, pair, list(records), late=True)
            c.store.runs.remember(_look(pair), remembered | {"reading": following.as_json()})
        tell(f"looking at {pair.salesforce}", len(records), reading.total)
    cursors = c.salesforce.cursors_from(pair.salesforce, datetime.fromisoformat(remembered["began"]))
    with c.store.transaction():
        for stream, value in cursors.items():
            c.store.runs.remember(stream, value)
        c.store.runs.remember(_look(pair), None)


def _stream(pair: Pair) -> str:
    return f"{SF.value}/{pair.salesforce}"


def _look(pair: Pair) -> str:
    return f"import look/{pair.salesforce}"
