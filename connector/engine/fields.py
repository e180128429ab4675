"""Does the mapping fit both schemas, field by field? (F3)

| a field of the mapping that | when it is mapped for the first time | when earlier runs used it            |
|-----------------------------|--------------------------------------|--------------------------------------|
| is not there, or not seen   | the run stops, with file and line    | it is left out, and the others go on |
| its transform cannot take   | the run stops, with file and line    | the same                             |

While it is left out nothing is planned of it, and nothing agreed. Once it is there again, as one is whose
permission was taken for a while, it is read of all records, and all are due: an edit of it moved no record that a
look would find, and one on the other side was passed over. Both travel as any other.

All findings are told at once, and before anything is looked at. `connector check` and `mappings validate` tell of
all of them at any time. What a finding is, `mapping/checks.py` decides for all three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from connector.adapters.base import Wanted
from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.model import Pair, Side
from connector.engine.growth import read_mapped
from connector.engine.schemas import to_facts
from connector.engine.world import Connection, World
from connector.errors import BadConfiguration
from connector.mapping.checks import find_misfits, find_missing
from connector.mapping.schema import OPTIONAL


def check_fields(c: Connection, world: World) -> None:
    """Whether what the mapping names for the first time is there, and all of it of types that fit.

    Raises:
        BadConfiguration: with the file and line of each field that is not.
    """
    schemas, zone = to_facts(world.schema, world.properties), c.settings.mapping().time_zone
    findings = []
    for pair in c.pairs.values():
        known = read_mapped(c, pair)
        new = [rule for rule in pair.fields if known is None or not known(rule)]
        findings += [*find_missing(pair, new, schemas), *find_misfits(pair, schemas, zone)]
    if findings:
        c.store.runs.remember("set-up", None)  # somebody may mend it in the CRM
        raise BadConfiguration(findings)


def learn_returned(c: Connection, world: World, progress: Callable[[int], None] = lambda _: None) -> None:
    """Read what was left out at the last run and is there again. One listing of the object, and only then."""
    for pair in c.pairs.values():
        stream = f"fields left out/{pair.name}"
        before = c.store.runs.read(stream) or {}
        now = {side.value: _find_left_out(world, pair, side) for side in Side}
        for side in Side:
            back = [name for name in before.get(side.value, ()) if name not in now[side.value]]
            if back:
                _read_again(c, pair, side, back, progress)
        if now != before and (before or any(now.values())):
            c.store.runs.remember(stream, now)


def leave_out(world: World, pair: Pair) -> Pair:
    """A pair without the fields that either side does not show: what is planned of them could not be written.

    Those that many orgs do not have read as if they were blank, and what they belong to goes on without them.
    """
    gone = {(side, name) for side in Side for name in _find_left_out(world, pair, side) if name not in OPTIONAL}
    if not gone:
        return pair
    shown = [
        one for one in pair.fields if gone.isdisjoint((side, name) for side in Side for name in one.names(side))
    ]
    return replace(pair, fields=tuple(shown))


def _find_left_out(world: World, pair: Pair, side: Side) -> list[str]:
    known = {*world.names(pair, side), PRIMARY_COMPANY}
    return sorted({name for rule in pair.fields for name in rule.names(side)} - known)


def _read_again(
    c: Connection, pair: Pair, side: Side, names: Sequence[str], progress: Callable[[int], None]
) -> None:
    object_ = pair.object(side)
    for page in c.crm(side).changes({object_: Wanted(tuple(names))}, {}):
        found = {one.id: {name: one.fields.get(name) for name in names} for one in page.records if one.present}
        with c.store.transaction():
            c.store.records.overwrite(side, object_, found)
            c.store.records.mark(side, object_, found)
        progress(len(page.records))
