"""Does a planned write repeat what an undo took back? (X2)

| planned                 | is held as long as                                                              |
|-------------------------|---------------------------------------------------------------------------------|
| a field of a record     | the same value is to be written; of those that belong together, all the same    |
| a creation              | all its values are the same, but for ids of records that are made anew themselves |
| a deletion, a role      | the same one is to be made                                                      |
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from connector.core.model import Change, Pair, Side, Value
from connector.core.naming import CONTACT
from connector.core.sameness import group_fields, same_value


def find_held_fields(
    changes: Sequence[Change], held: Mapping[str, Sequence[Value]], pair: Pair, side: Side
) -> frozenset[str]:
    """The fields of a planned update that are held: those of one rule together, as a stage and its pipeline."""
    repeated = _find_repeated(changes, held)
    groups = group_fields(pair, side, [one.field for one in changes])
    return frozenset(name for _, names in groups if repeated.issuperset(names) for name in names)


def _find_repeated(changes: Sequence[Change], held: Mapping[str, Sequence[Value]]) -> frozenset[str]:
    return frozenset(
        one.field for one in changes if any(same_value(one.new, value) for value in held.get(one.field, ()))
    )


def is_creation_held(
    changes: Sequence[Change], held: Mapping[str, Sequence[Value]], made_anew: Collection[str]
) -> bool:
    """Whether a planned creation is the one that was taken back. `made_anew` hold ids of other records."""
    if not held:
        return False
    planned = {one.field: one.new for one in changes if one.field not in made_anew and one.new not in (None, "")}
    before = {
        name: values
        for name, values in held.items()
        if name not in made_anew and any(one not in (None, "") for one in values)
    }
    return planned.keys() == before.keys() and all(
        any(same_value(planned[name], value) for value in values) for name, values in before.items()
    )


def is_role_held(changes: Sequence[Change], held: Mapping[str, Sequence[Value]]) -> bool:
    """Whether a planned contact, removal or name of a role is one that was taken back."""
    names = {one.field for one in changes if one.field != CONTACT or one.old != one.new}
    return bool(names) and names <= _find_repeated(changes, held)
