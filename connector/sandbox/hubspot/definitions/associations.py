"""Which records belong together, and under which labels (HubSpot docs, "Associate records").

A pair of records is associated or not; if it is, it has the unlabelled type of its object types and any number
of others beside it. Both directions are kept, each with the type ids of its own direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from connector.sandbox.hubspot.api.shapes import as_id, as_object, need, objects, take
from connector.sandbox.hubspot.definitions.schema import OBJECT_TYPES
from connector.sandbox.hubspot.errors import not_found, refuse

MOST_LABELS = 10  # per pair of object types (HubSpot docs, "Association schema")
HUBSPOT, USER = "HUBSPOT_DEFINED", "USER_DEFINED"
Pair = tuple[str, str]
Types = tuple[int, ...]


@dataclass(slots=True)
class LinkType:
    """One type of association in one direction. `inverse` is its type id seen from the other record."""

    type_id: int
    category: str
    label: str | None
    name: str
    inverse: int

    def view(self) -> dict[str, Any]:
        return {"category": self.category, "typeId": self.type_id, "label": self.label}


# from, to, type id, its inverse, label seen from each end. HubSpot docs, "Associate records", type id tables.
_UNLABELLED = (
    ("contacts", "companies", 279, 280),
    ("deals", "contacts", 3, 4),
    ("deals", "companies", 341, 342),
    ("contacts", "contacts", 449, 449),
    ("companies", "companies", 450, 450),
    ("deals", "deals", 451, 451),
)
_SPECIAL = (
    ("contacts", "companies", 1, 2, "Primary", "Contact with Primary Company"),
    ("deals", "companies", 5, 6, "Primary", "Deal with Primary Company"),
    ("companies", "companies", 13, 14, "Child Company", "Parent Company"),
)
PRIMARY: dict[Pair, int] = {("contacts", "companies"): 1, ("deals", "companies"): 5}
_SECOND_ENDS: dict[Pair, Pair] = {(to, start): (start, to) for start, to, *_ in _UNLABELLED if start != to}
_SINGULAR = {kind.name: kind.singular for kind in OBJECT_TYPES}
_FIRST_USER_TYPE = 101


class Associations:
    """All associations of a portal, and the types there are. Records are named by object type and id.

    `changed` is told of every pair whose types have changed, in the one order that each pair of object types has:
    the pair, both ids, the types before and now.
    """

    def __init__(self, changed: Callable[[Pair, int, int, Types, Types], None]) -> None:
        self._changed = changed
        self._types: dict[Pair, dict[int, LinkType]] = {}
        self._default: dict[Pair, int] = {}
        self._links: dict[Pair, dict[int, dict[int, tuple[int, ...]]]] = {}
        self._next_type = _FIRST_USER_TYPE
        for start, end, type_id, inverse in _UNLABELLED:
            self._default[start, end], self._default[end, start] = type_id, inverse
            self._links[start, end], self._links[end, start] = {}, {}
            self._define((start, end), HUBSPOT, (type_id, inverse), (None, None))
        for start, end, type_id, inverse, label, inverse_label in _SPECIAL:
            self._define((start, end), HUBSPOT, (type_id, inverse), (label, inverse_label))

    def _define(
        self, pair: Pair, category: str, ids: tuple[int, int], labels: tuple[str | None, str | None], name: str = ""
    ) -> None:
        start, end = pair
        for here, there, one, other, label in (
            (start, end, ids[0], ids[1], labels[0]),
            (end, start, ids[1], ids[0], labels[1]),
        ):
            own_name = name or f"{_SINGULAR[here]}_to_{_SINGULAR[there]}"
            link_type = LinkType(one, category, label, own_name, other)
            self._types.setdefault((here, there), {})[one] = link_type

    # -- types and labels

    def types(self, pair: Pair) -> list[LinkType]:
        return list(self._types[pair].values())

    def names(self, pair: Pair) -> dict[int, str]:
        """What v3 calls the types, by id: where HubSpot has a label of its own, that has the plain name, and the
        unlabelled type's ends in `_unlabeled`.
        """
        types = self._types[pair].values()
        labelled = {one.name for one in types if one.category == HUBSPOT and one.label is not None}
        return {
            one.type_id: f"{one.name}_unlabeled" if one.label is None and one.name in labelled else one.name
            for one in types
        }

    def default(self, pair: Pair) -> int:
        return self._default[pair]

    def pair_of(self, start: str, type_id: Any) -> Pair | None:
        """The pair of object types that a type id belongs to, seen from the first of them."""
        wanted = _as_int(type_id)
        return next((pair for pair in self._types if pair[0] == start and wanted in self._types[pair]), None)

    def read_types(self, pair: Pair, specs: Any) -> tuple[int, ...]:
        """Type ids of `[{associationCategory, associationTypeId}]`; raises 400 for one of another direction."""
        ids = []
        for spec in objects(specs):
            known = self._types[pair].get(_as_int(spec.get("associationTypeId")))
            if known is None or known.category != spec.get("associationCategory"):
                raise refuse(
                    f"{spec.get('associationCategory')} association type id {spec.get('associationTypeId')}"
                    f" doesn't exist between {pair[0]} and {pair[1]}"
                )
            ids.append(known.type_id)
        return tuple(ids)

    def create_label(self, pair: Pair, body: Any) -> list[LinkType]:
        """`{label, name, inverseLabel?}`. Raises 400 for a name that is taken and beyond ten labels."""
        body = as_object(body)
        label, name = need(body, "label"), need(body, "name")
        inverse_label = take(body, "inverseLabel", "")
        own = [known for known in self._types[pair].values() if known.category == USER]
        if name in {known.name for known in own}:
            raise refuse(f"An association label named '{name}' already exists")
        paired = pair[0] != pair[1] or bool(inverse_label)
        if len({min(known.type_id, known.inverse) for known in own}) >= MOST_LABELS:
            raise refuse(f"There can be at most {MOST_LABELS} labels between two object types")
        ids = (self._next_type, self._next_type + 1) if paired else (self._next_type, self._next_type)
        self._next_type = ids[1] + 1
        self._define(pair, USER, ids, (label, inverse_label or label), name=name)
        made = [self._types[pair][ids[0]]]
        return [*made, self._types[pair[1], pair[0]][ids[1]]] if paired else made

    def update_label(self, pair: Pair, body: Any) -> None:
        """`{associationTypeId, label, inverseLabel?}`; raises 404 for what is not a label."""
        body = as_object(body)
        label, inverse_label = need(body, "label"), take(body, "inverseLabel", "")
        known = self._label(pair, _as_int(body.get("associationTypeId")))
        inverse = self._types[pair[1], pair[0]][known.inverse]
        if inverse.label == known.label or inverse_label:
            inverse.label = inverse_label or label
        known.label = label

    def delete_label(self, pair: Pair, type_id: int) -> None:
        """Remove a label and every use of it; the pairs stay associated."""
        inverse = self._label(pair, type_id).inverse
        back = (pair[1], pair[0])
        for direction, gone in ((pair, type_id), (back, inverse)):
            self._types[direction].pop(gone, None)
            for neighbours in self._links[direction].values():
                for record_id, types in neighbours.items():
                    if gone in types:
                        neighbours[record_id] = tuple(one for one in types if one != gone)

    def _label(self, pair: Pair, type_id: int) -> LinkType:
        known = self._types[pair].get(type_id)
        if known is None or known.category != USER:
            raise not_found(f"Association type {type_id} does not exist between {pair[0]} and {pair[1]}")
        return known

    # -- reading

    def neighbours(self, pair: Pair, record_id: int) -> dict[int, tuple[int, ...]]:
        """The associated records of the second object type and the type ids of each. Not to be changed."""
        return self._links[pair].get(record_id, {})

    def inverse(self, pair: Pair, types: Types) -> Types:
        """The same types seen from the other record."""
        known = self._types[pair]
        return tuple(known[one].inverse for one in types if one in known)

    def describe(self, pair: Pair, types: Iterable[int]) -> list[LinkType]:
        known = self._types[pair]
        return [known[type_id] for type_id in types]

    def primary(self, pair: Pair, record_id: int) -> int | None:
        """The primary company of a contact or a deal."""
        wanted = PRIMARY[pair]
        return self.holding(pair, record_id, wanted)

    def holding(self, pair: Pair, record_id: int, type_id: int) -> int | None:
        """The first associated record under one type."""
        found = self.neighbours(pair, record_id).items()
        return next((other for other, types in found if type_id in types), None)

    # -- writing

    def link(self, pair: Pair, start: int, end: int, types: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Associate two records; answers all types that the pair has then.

        Labels of people (USER_DEFINED) replace those which the pair had, if there are any among `types`. A new
        primary company takes the place of the old one, which stays associated; the first company that a
        contact or a deal is associated with becomes its primary.
        """
        if pair in _SECOND_ENDS:
            known = self._types[pair]
            turned = self._link(_SECOND_ENDS[pair], end, start, tuple(known[one].inverse for one in types))
            back = self._types[_SECOND_ENDS[pair]]
            return tuple(back[one].inverse for one in turned)
        return self._link(pair, start, end, types)

    def _link(self, pair: Pair, start: int, end: int, types: tuple[int, ...]) -> tuple[int, ...]:
        known = self._types[pair]
        around = self.neighbours(pair, start)
        kept = around.get(end, ())
        if any(known[one].category == USER for one in types):
            kept = tuple(one for one in kept if known[one].category != USER)
        wanted = {self._default[pair], *kept, *types}
        primary = PRIMARY.get(pair)
        if primary is not None:
            if not around:
                wanted.add(primary)
            if primary in wanted:
                self._demote(pair, start, end, primary)
        result = tuple(sorted(wanted))
        self._store(pair, start, end, result)
        return result

    def _demote(self, pair: Pair, start: int, end: int, primary: int) -> None:
        old = self.primary(pair, start)
        if old is not None and old != end:
            types = self.neighbours(pair, start)[old]
            self._store(pair, start, old, tuple(one for one in types if one != primary))

    def _store(self, pair: Pair, start: int, end: int, types: tuple[int, ...]) -> None:
        known = self._types[pair]
        before = self.neighbours(pair, start).get(end, ())
        self._links[pair].setdefault(start, {})[end] = types
        inverse = (
            types
            if len(types) == 1 and known[types[0]].inverse == types[0]
            else tuple(sorted(known[one].inverse for one in types))
        )
        self._links[pair[1], pair[0]].setdefault(end, {})[start] = inverse
        if types != before:
            self._tell(pair, start, end, before, types)

    def _tell(self, pair: Pair, start: int, end: int, before: Types, now: Types) -> None:
        if pair in _SECOND_ENDS:
            before, now = self.inverse(pair, before), self.inverse(pair, now)
            pair, start, end = _SECOND_ENDS[pair], end, start
        self._changed(pair, start, end, before, now)

    def unlink(self, pair: Pair, start: int, end: int) -> None:
        """Remove every type between two records."""
        before = self.neighbours(pair, start).get(end, ())
        for direction, one, other in ((pair, start, end), ((pair[1], pair[0]), end, start)):
            around = self._links[direction].get(one)
            if around is not None and around.pop(other, None) is not None and not around:
                del self._links[direction][one]
        if before:
            self._tell(pair, start, end, before, ())

    def unlabel(self, pair: Pair, start: int, end: int, types: tuple[int, ...]) -> None:
        """Remove some types between two records; the unlabelled one stays."""
        current = self.neighbours(pair, start).get(end)
        if current is not None:
            default = self._default[pair]
            left = tuple(one for one in current if one == default or one not in types)
            self._store(pair, start, end, left)

    def forget(self, kind: str, record_id: int) -> list[tuple[Pair, int, Types]]:
        """Remove all associations of a record that is gone; answers them: the pair, the other record, the types."""
        around = [
            (pair, end, self.neighbours(pair, start)[end]) for pair, start, end in self._around(kind, record_id)
        ]
        for pair, end, _ in around:
            self.unlink(pair, record_id, end)
        return around

    def hand_over(self, kind: str, absorbed: int, survivor: int) -> None:
        """Give the associations of one record to another one, which keeps its own primaries."""
        for pair, start, end in list(self._around(kind, absorbed)):
            types = self.neighbours(pair, start)[end]
            self.unlink(pair, start, end)
            if end != survivor:
                self.join(pair, survivor, end, types)

    def join(self, pair: Pair, start: int, end: int, types: Types) -> None:
        """Associate a record as another one was, or as it was before; a primary that it has now is kept."""
        if pair in _SECOND_ENDS:
            types = self.inverse(pair, types)
            pair, start, end = _SECOND_ENDS[pair], end, start
        primary = PRIMARY.get(pair)
        has_primary = primary is not None and self.primary(pair, start) is not None
        known = [one for one in types if one in self._types[pair]]
        self.link(pair, start, end, tuple(one for one in known if not (has_primary and one == primary)))

    def _around(self, kind: str, record_id: int) -> Iterator[tuple[Pair, int, int]]:
        for pair, links in self._links.items():
            if pair[0] == kind:
                for other in links.get(record_id, ()):
                    yield pair, record_id, other


def _as_int(value: Any) -> int:
    return value if isinstance(value, int) else as_id(value) if isinstance(value, str) else -1
