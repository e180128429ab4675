"""Does the mapping fit both schemas, field by field? (F3)

| a field of the mapping that | when it is mapped for the first time | when earlier runs used it            |
|-----------------------------|--------------------------------------|--------------------------------------|
| is not there, or not seen   | the run stops, with file and line    | it is left out, and the others go on |
| its transform cannot take   | the run stops, with file and line    | the same                             |

All findings are told at once, and before anything is looked at. `connector check` tells of all of them at any time.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.model import FieldRule, Pair, Rule, Side
from connector.engine.growth import read_mapped
from connector.engine.world import Connection, World
from connector.errors import BadConfiguration, Finding
from connector.mapping.fits import find_better

OPTIONAL = frozenset({"RecordTypeId", "CurrencyIsoCode", "deal_currency_code", PRIMARY_COMPANY})
"""Fields that many orgs do not have, and the association that is no property."""

TypeOf = Callable[[str], str | None]
"""The vendor's name of a field's type; None if there is no such field, or it cannot be seen."""


def check_fields(c: Connection, world: World) -> None:
    """Whether what the mapping names for the first time is there, and of a type that fits.

    Raises:
        BadConfiguration: with the file and line of each field that is not.
    """
    findings = []
    for pair in c.pairs.values():
        known = read_mapped(c, pair)
        for side in Side:
            type_of = partial(world.type_of, pair, side)
            for rule in pair.fields:
                faults = [*find_misfits(pair, side, rule, type_of)]
                if not known or not known(rule):
                    faults += find_missing(pair, side, rule, type_of, world.names(pair, side))
                findings += faults
    if findings:
        c.store.runs.remember("set-up", None)  # somebody may mend it in the CRM
        raise BadConfiguration(findings)


def find_missing(
    pair: Pair, side: Side, rule: FieldRule, type_of: TypeOf, names: Iterable[str]
) -> Iterator[Finding]:
    """The fields of a rule that are not there. `names` are those that are."""
    for name in _asked(rule, side):
        if type_of(name) is None:
            text = f"{rule.label}: {pair.object(side)} of {side.value} has no field {name} that the user may see"
            yield Finding(*rule.place, text, describe_remedy(name, names))


def find_misfits(pair: Pair, side: Side, rule: FieldRule, type_of: TypeOf) -> Iterator[Finding]:
    """The fields of a rule whose type its transform cannot take."""
    for name in _asked(rule, side):
        type_ = type_of(name)
        better = find_better(rule, side, type_) if type_ else None
        if better is not None:
            transform = type(rule.transform).__name__.lower()
            text = f"{rule.label}: {name} of {pair.object(side)} is of type {type_}, no matter of {transform}"
            yield Finding(*rule.place, text, f"say `transform: {better}`" if better else "map another field")


def describe_remedy(name: str, names: Iterable[str]) -> str:
    """What to do about a field that is not there."""
    close = difflib.get_close_matches(name, list(names), n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}correct the name in `mappings/`, or make the field and give the connector access to it"


def _asked(rule: FieldRule, side: Side) -> tuple[str, ...]:
    if rule.rule is Rule.DONT_SYNC:
        return ()
    return tuple(name for name in rule.names(side) if name not in OPTIONAL)
