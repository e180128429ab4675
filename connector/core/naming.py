"""Under which names: the roles of a contact on an opportunity, and the labels of its association with the deal.

Salesforce names each role (`Role`, `IsPrimary`), HubSpot labels an association. A contact may have several roles,
and an association several labels. Both are merged as one field a side, by the rule of the mapping (R4).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from connector.core.actions import Action, RoleNaming
from connector.core.merge import Agree, Hold, Keep, Verdict, Write, merge_field
from connector.core.model import (
    Base,
    Change,
    ContactRole,
    FieldRule,
    Fields,
    Known,
    Link,
    Problem,
    ProblemClass,
    RoleRules,
    Side,
    Value,
    Values,
)
from connector.core.roles import Agreement, Roles

SF, HS = Side.SALESFORCE, Side.HUBSPOT
ROLE_NAMES, IS_PRIMARY, LABELS, PRIMARY_LABEL = "Role", "IsPrimary", "labels", "primary label"
CONTACT = "contact"
"""What the journal calls whose role it is."""
BETWEEN = "; "
"""What stands between several names in one text."""


@dataclass(frozen=True, slots=True)
class RoleNames:
    """Several names, as one text a side: those of a contact's roles, and the labels of its association.

    Several roles may have one label; back, it is the first of them. What is not in the table says nothing.
    """

    labels: Mapping[str, str]

    def meaning(self, side: Side, values: Values) -> Hashable:
        known: Iterable[str] = self.labels if side is SF else self.labels.values()
        return frozenset(_split(values[0])) & frozenset(known)

    def carry(self, to: Side, values: Values, known: Known) -> Values:  # noqa: ARG002  # a transform's signature
        given = _split(values[0])
        if to is HS:
            return (_join(self.labels[name] for name in given if name in self.labels),)
        first: dict[str, str] = {}
        for name, label in self.labels.items():
            first.setdefault(label, name)
        return (_join(first[label] for label in given if label in first),)


@dataclass(frozen=True, slots=True)
class Flag:
    """A primary role, and the label that stands for it. Not primary is blank."""

    def meaning(self, side: Side, values: Values) -> Hashable:  # noqa: ARG002  # a transform's signature
        return bool(values[0])

    def carry(self, to: Side, values: Values, known: Known) -> Values:  # noqa: ARG002  # a transform's signature
        return (True if values[0] else None,)


def _split(value: Value) -> tuple[str, ...]:
    return tuple(str(value).split(BETWEEN)) if value else ()


def _join(names: Iterable[str]) -> str | None:
    return BETWEEN.join(sorted(set(names))) or None


@dataclass(frozen=True, slots=True)
class Naming:
    """How names are carried in a portal: the mapping's rules, as far as it has their labels (type ids by text)."""

    rules: RoleRules
    types: Mapping[str, int]

    @property
    def labels(self) -> dict[str, str]:
        return {name: label for name, label in self.rules.labels.items() if label in self.types}

    @property
    def primary_type(self) -> int | None:
        return self.types.get(self.rules.primary or "")

    @property
    def fields(self) -> tuple[FieldRule, ...]:
        """What is merged, as of any other pair of fields (section F)."""
        named = FieldRule((ROLE_NAMES,), (LABELS,), self.rules.rule, RoleNames(self.labels))
        primary = FieldRule((IS_PRIMARY,), (PRIMARY_LABEL,), self.rules.rule, Flag())
        return (named,) if self.primary_type is None else (named, primary)

    def describe_roles(self, roles: Iterable[ContactRole]) -> Fields:
        """A contact's roles on one opportunity: which of their names have a label, and whether one is primary."""
        some = list(roles)
        names = _join(one.name for one in some if one.name in self.labels)
        return {ROLE_NAMES: names, IS_PRIMARY: True if any(one.primary for one in some) else None}

    def describe_labels(self, types: Collection[int]) -> Fields:
        """An association by the type ids of its labels: those of roles, and whether it has the primary one."""
        names = _join(label for label in self.labels.values() if self.types[label] in types)
        return {LABELS: names, PRIMARY_LABEL: True if self.primary_type in types else None}

    def own_types(self) -> frozenset[int]:
        """The labels that are ours to give and to take."""
        return frozenset(self.types[label] for label in self.rules.every_label if label in self.types)

    def types_for(self, values: Fields) -> frozenset[int]:
        """The labels that an association is to have, of ours."""
        names = {self.types[label] for label in _split(values[LABELS])}
        primary = self.primary_type if values[PRIMARY_LABEL] else None
        return frozenset(names | ({primary} if primary is not None else set()))

    def without_left_over(self, base: Base) -> Base:
        """A base without the labels for which there was no role: they are agreed to be in HubSpot, not to stay."""
        carried = {label for name, label in self.labels.items() if name in _split(base.salesforce.get(ROLE_NAMES))}
        kept = _join(one for one in _split(base.hubspot.get(LABELS)) if one in carried)
        return Base(base.salesforce, {**base.hubspot, LABELS: kept})

    def suppose(self, seen: Mapping[Side, Fields]) -> Base:
        """What may have been agreed on when nothing is known of it: Salesforce's, if HubSpot has that and more.

        So labels for which there is no role stay, or name one that has no name (law 6).
        """
        carried = _join(self.labels[name] for name in _split(seen[SF][ROLE_NAMES]))
        return Base({ROLE_NAMES: seen[SF][ROLE_NAMES]}, {LABELS: carried})

    def assign(self, roles: Mapping[str, ContactRole], values: Fields) -> dict[str, ContactRole]:
        """The roles of one contact (by id) that change so that they have these names, as they are then.

        A name goes to a role whose own is no longer wanted, then to one without. No role is made or deleted for
        a name, and one whose name has no label stays: a name for which there is no role is not carried until there
        is one.
        """
        wanted = {self.labels[name] for name in _split(values[ROLE_NAMES])}
        kept = {self.labels[one.name] for one in roles.values() if one.name in self.labels}
        missing = [name for name in _split(values[ROLE_NAMES]) if self.labels[name] not in kept]
        free = {
            id_: one
            for id_, one in roles.items()
            if one.name in self.labels and self.labels[one.name] not in wanted
        }
        blank = {id_: one for id_, one in roles.items() if not one.name}
        after = dict(roles)
        for id_, one in (free | blank).items():
            after[id_] = one._replace(name=missing.pop(0) if missing else None)
        made = _make_primary(after, values[IS_PRIMARY])
        return {id_: one for id_, one in made.items() if one != roles[id_]}


def _make_primary(roles: Mapping[str, ContactRole], primary: Value) -> Mapping[str, ContactRole]:
    if not primary:
        return {id_: one._replace(primary=False) for id_, one in roles.items()}
    if any(one.primary for one in roles.values()):
        return roles
    first = min(roles)
    return {id_: one._replace(primary=True) if id_ == first else one for id_, one in roles.items()}


def plan_names(roles: Roles, naming: Naming, known: Known) -> list[Action]:
    """Merge the names of the contacts that both sides show, as a field is merged (R4).

    HubSpot tells no time of a label, so Salesforce counts as the side edited last.
    """
    actions: list[Action] = []
    for one in sorted(roles.agreed, key=lambda one: one.contact.id):
        here = roles.salesforce.get(one.contact.salesforce_id or "")
        there = (roles.hubspot or {}).get(one.contact.hubspot_id or "")
        if here is None or there is None or not one.is_between(roles.deal) or not roles.may_end(one.contact):
            continue
        if all(role.primary is not None for role in here.values()):
            actions += _plan_name(roles.deal, one, here, there, naming, known)
    return actions


def _plan_name(
    deal: Link,
    agreed: Agreement,
    roles: Mapping[str, ContactRole],
    types: Collection[int],
    naming: Naming,
    known: Known,
) -> Iterator[Action]:
    seen = {SF: naming.describe_roles(roles.values()), HS: naming.describe_labels(types)}
    drafts: dict[Side, list[tuple[FieldRule, Write]]] = {SF: [], HS: []}
    settled: list[FieldRule] = []
    for rule in naming.fields:
        match _merge(naming, rule, seen, agreed.base, roles.values(), known):
            case Write() as verdict:
                drafts[verdict.to].append((rule, verdict))
            case Agree():
                settled.append(rule)
            case Hold():
                yield _held(deal, agreed.contact, rule, seen)
    wanted = {
        side: {**seen[side], **{rule.names(side)[0]: write.values[0] for rule, write in drafts[side]}}
        for side in Side
    }
    edits = naming.assign(roles, wanted[SF])
    after = Base(naming.describe_roles({**roles, **edits}.values()), wanted[HS])
    if not edits:  # there is no role to take these names: they are agreed to be in HubSpot alone
        settled += [rule for rule, _ in drafts.pop(SF)]
    if settled:
        yield RoleNaming(None, deal, agreed.contact, (), {}, _part(after, settled))
    for side, draft in drafts.items():
        if draft:
            changes = tuple(_change(rule, write, seen, wanted, deal, agreed.contact) for rule, write in draft)
            part = _part(after, [rule for rule, _ in draft])
            own = edits if side is SF else {}
            yield RoleNaming(side, deal, agreed.contact, changes, seen[side], part, own)


def _merge(
    naming: Naming,
    rule: FieldRule,
    seen: Mapping[Side, Fields],
    base: Base,
    roles: Iterable[ContactRole],
    known: Known,
) -> Verdict:
    """As of any field; and labels for which there was no role are carried once there is one without a name."""
    if rule.hubspot == (LABELS,) and LABELS not in base.hubspot:
        supposed = naming.suppose(seen)
        if {*_split(supposed.hubspot[LABELS])} < {*_split(seen[HS][LABELS])}:
            base = supposed
    verdict = merge_field(rule, seen[SF], seen[HS], base, SF, known)
    if not isinstance(verdict, Keep) or all(one.name for one in roles):
        return verdict
    late = merge_field(rule, seen[SF], seen[HS], naming.without_left_over(base), SF, known)
    return late if isinstance(late, Write) and late.to is SF else verdict


def _part(base: Base, rules: Iterable[FieldRule]) -> Base:
    """What a base says of some fields: no write settles more than it wrote."""
    names = {name for rule in rules for side in Side for name in rule.names(side)}
    here, there = (
        {name: value for name, value in one.items() if name in names} for one in (base.salesforce, base.hubspot)
    )
    return Base(here, there)


def _change(
    rule: FieldRule,
    write: Write,
    seen: Mapping[Side, Fields],
    wanted: Mapping[Side, Fields],
    deal: Link,
    contact: Link,
) -> Change:
    name, source = rule.names(write.to)[0], write.to.other
    cause = f"{rule.names(source)[0]} of contact {contact.id_of(source)} on {deal.id_of(source)}"
    return Change(name, seen[write.to][name], wanted[write.to][name], "R4", f"{write.why}: {cause}", write.conflict)


def _held(deal: Link, contact: Link, rule: FieldRule, seen: Mapping[Side, Fields]) -> Problem:
    here, there = (seen[side][rule.names(side)[0]] for side in (SF, HS))
    return Problem(
        SF,
        "Opportunity",
        deal.salesforce_id or "",
        ProblemClass.PROPERTY_VALUES,
        "HELD",
        f"contact {contact.salesforce_id}: {rule.label} was changed on both sides, to {here!r} and {there!r}",
        "make both sides equal, or give `mappings/contact-role.yaml` another rule",
        "contacts",
    )
