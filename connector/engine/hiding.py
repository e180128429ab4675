"""What do words tell of a value that the journal hides? Nothing: it is covered in what a CRM said of it (G3).

The messages of both vendors quote what they did not accept. So of a problem with a personal field only the code
and what to do are kept, and from the words about its record every personal value goes that either side is known to
hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from connector.core.hiding import Hidden, Veil
from connector.core.model import Change, Pair, Problem, Record, Side, Value
from connector.engine.wiping import note_deleted, wipe
from connector.store.store import Store

_DONE = "hiding/fields"
COVERED = "(hidden)"
NOT_TOLD = "its value was not accepted; what it is, and what was said of it, is hidden as personal (G3)"
SHORTEST = 3
"""Characters of the shortest value that is covered: what is shorter stands in any word."""


def hide_former(store: Store, progress: Callable[[int], None] = lambda _: None) -> str:
    """Hide what was kept of personal fields before the mapping said that they are. Only where it says so newly.

    Returns what is to be told of it, in words; empty: nothing. What is done is not undone by taking the mark away.
    """
    asked = sorted([side.value, object_, *sorted(names)] for (side, object_), names in store.veil.personal.items())
    if store.runs.read(_DONE) == asked or not asked:
        return ""
    number = 0
    for room in (store.journal, store.images, store.holds):
        for some in room.hide_former():
            number += some
            progress(some)
    with store.transaction():
        store.runs.remember(_DONE, asked)
        if number:
            note_deleted(store)
    if not number:
        return ""
    told = f"former values of fields that are personal now were hidden in {number:,} entries (G3)"
    return told if wipe(store) else f"{told}; their bytes stay in the files until `connector forget` can wipe them"


def cover_problems(store: Store, pairs: Mapping[str, Pair], problems: Iterable[Problem]) -> list[Problem]:
    """Problems as they may be kept."""
    if not store.veil:
        return list(problems)
    by_object = {(side, pair.object(side)): pair for pair in pairs.values() for side in Side}
    return [_cover(store, by_object.get((one.side, one.object)), one) for one in problems]


def _cover(store: Store, pair: Pair | None, problem: Problem) -> Problem:
    if pair is None:
        return problem
    if any(_is_about(problem, rule.label, rule.names(problem.side)) for rule in pair.fields if rule.personal):
        return replace(problem, detail=NOT_TOLD)
    values = list(_known_values(store, pair, problem))
    return replace(problem, detail=cover_words(problem.detail, values), remedy=cover_words(problem.remedy, values))


def _is_about(problem: Problem, label: str, names: Iterable[str]) -> bool:
    return problem.field in {label, *names}


def _known_values(store: Store, pair: Pair, problem: Problem) -> Iterable[Value]:
    """The personal values of a record and of its partner, as they were seen last."""
    link = store.links.by_ids(pair.name, problem.side, [problem.record_id]).get(problem.record_id)
    ids = {problem.side: problem.record_id, problem.side.other: link.id_of(problem.side.other) if link else None}
    for side, id_ in ids.items():
        for record in store.records.load(side, pair.object(side), [id_] if id_ else []).values():
            yield from personal_values_of(store.veil, record)


def personal_values_of(veil: Veil, record: Record) -> list[Value]:
    return [value for name, value in record.fields.items() if veil.is_personal(record.side, record.object, name)]


def values_to_cover(veil: Veil, side: Side, object_: str, changes: Iterable[Change]) -> list[Value]:
    """The personal values of a write, such as one that was refused."""
    return [value for one in changes if veil.is_personal(side, object_, one.field) for value in (one.old, one.new)]


def cover_words(text: str, values: Iterable[Value]) -> str:
    """A text without these values, in whatever case they stand there."""
    said = {str(one).strip() for one in values if one not in (None, "") and not isinstance(one, Hidden)}
    words = sorted((one for one in said if len(one) >= SHORTEST), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, words)), COVERED, text, flags=re.IGNORECASE) if words else text
