"""Given what was seen, what would a run write? Pure: the same inputs, the same plan.

    unlinked records   -> match (matching.py)  -> adopt, create, sever, or a problem
    linked records     -> fate (deletion.py)   -> merge fields (merge.py), delete, sever, close

Contact roles have `roles.py`, rollups and lifecycle `derived.py`; what a plan is made of, `actions.py`.
Every record is planned from its own situation alone, so that no record's trouble can change another's
plan (law 8). An id of a partner that does not exist yet is not guessed: the field waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.core.actions import (
    Action,
    Adoption,
    Creation,
    Deletion,
    Freezing,
    Outside,
    Settlement,
    Severance,
    Update,
    Wait,
)
from connector.core.choices import Choice, Count, Put, weigh_choice
from connector.core.deletion import Fate, decide_fate
from connector.core.matching import Adopt, Candidate, CreateThere, Ignore, SeverFrom, match_record
from connector.core.merge import (
    Agree,
    Blocked,
    Edited,
    Edits,
    Evidence,
    Hold,
    Verdict,
    Write,
    describe_edits,
    find_newer,
    is_blank,
    is_contested,
    merge_field,
)
from connector.core.model import (
    OPPORTUNITY,
    Base,
    Cannot,
    Change,
    FieldRule,
    Fields,
    Known,
    Link,
    LinkState,
    Pair,
    Problem,
    ProblemClass,
    Record,
    Rule,
    Side,
    Value,
    Values,
)

STAGE, CLOSE_DATE = "dealstage", "closedate"
OWNER = "OwnerId"


# --- unlinked records -------------------------------------------------------------------------------------


def plan_candidate(pair: Pair, candidate: Candidate, known: Known, contacts: tuple[str, ...] = ()) -> list[Action]:
    """Decide an unlinked record. `contacts` are the linked HubSpot contacts of a new deal (R1)."""
    record = candidate.record
    own = candidate.link_of(record)
    match match_record(pair, candidate):
        case Problem() as problem:
            return [problem]
        case Adopt(partner, rule, key):
            ids = {record.side: record.id, partner.side: partner.id}
            link = own or candidate.link_of(partner)
            # Salesforce stores the deal's id of those pairs only that were born in HubSpot (O10).
            born = Side.HUBSPOT if candidate.is_told_by_salesforce(partner) else Side.SALESFORCE
            return [Adoption(pair.name, ids[Side.SALESFORCE], ids[Side.HUBSPOT], born, rule, link, key)]
        case SeverFrom(partner_id):
            ids = {record.side: record.id, record.side.other: partner_id}
            told = record.side is Side.HUBSPOT or record.partner_id == partner_id
            born = Side.HUBSPOT if told else Side.SALESFORCE
            return [Severance(pair.name, ids[Side.SALESFORCE], ids[Side.HUBSPOT], "D8", False, own, born)]
        case CreateThere():
            return _plan_creation(pair, record, known, contacts)
        case Ignore() if candidate.outside and record.present:
            return [Outside(record)]
        case _:
            return []


def _plan_creation(pair: Pair, record: Record, known: Known, contacts: tuple[str, ...]) -> list[Action]:
    to = record.side.other
    actions: list[Action] = []
    changes: list[Change] = []
    base_here: dict[str, Value] = {}
    base_there: dict[str, Value] = {}
    explained: set[str] = set()
    for rule in pair.fields:
        here = rule.values(record.side, record.fields)
        if here is None or not rule.rule.writes(to):
            continue
        there, trouble = _carry(pair, rule, to, here, record, known)
        actions += trouble
        if there is None:
            explained |= set(rule.names(to))
            continue
        if is_blank(there) and rule.defaults.get(to):
            there = rule.defaults[to]
        base_here |= zip(rule.names(record.side), here, strict=True)
        base_there |= zip(rule.names(to), there, strict=True)
        cause = f"{record.object} {record.id} appeared"
        changes += [
            Change(name, None, value, "T1" if to is Side.HUBSPOT else "T2", cause)
            for name, value in zip(rule.names(to), there, strict=True)
            if value is not None
        ]
    filled = {change.field for change in changes}
    missing = [name for name in pair.required.get(to, ()) if name not in filled]
    if missing:
        untold = [name for name in missing if name not in explained]
        return [*actions, _required_missing(pair, record, untold)] if untold else actions
    if not pair.admits(to, {change.field: change.new for change in changes}):
        return [Outside(record)]
    if partner_field := pair.partner_field.get(to):
        changes.append(Change(partner_field, None, record.id, "O10", "the partner's id"))
    base = Base.make(record.side, base_here, base_there)
    return [*actions, Creation(pair.name, to, pair.object(to), record, tuple(changes), base, contacts)]


def _required_missing(pair: Pair, record: Record, missing: list[str]) -> Problem:
    to = record.side.other
    rules = [rule for rule in pair.fields if any(name in rule.names(to) for name in missing)]
    sources = " and ".join("+".join(rule.names(record.side)) for rule in rules)
    return Problem(
        record.side,
        record.object,
        record.id,
        ProblemClass.PROPERTY_VALUES,
        "REQUIRED_FIELD_MISSING",
        f"{to} requires {', '.join(missing)}, which {sources or 'no mapped field'} leaves empty",
        f"fill {sources or 'it'}, or set a default in the mapping (O9)",
        ",".join(missing),
    )


def _carry(
    pair: Pair, rule: FieldRule, to: Side, values: Values, record: Record, known: Known
) -> tuple[Values | None, list[Action]]:
    carried = rule.transform.carry(to, values, known)
    if isinstance(carried, Cannot):
        return _stand_in(pair, rule, to, carried, record)
    return carried, []


def _stand_in(
    pair: Pair, rule: FieldRule, to: Side, cannot: Cannot, record: Record
) -> tuple[Values | None, list[Action]]:
    """What to write instead of a value that has no counterpart: a default, nothing yet, or nothing."""
    if cannot.needs is not None:
        return None, [Wait(record, cannot.needs)]
    problem = Problem(
        *(cannot.about or (record.side, record.object, record.id)),
        ProblemClass.PROPERTY_VALUES,
        "NO_COUNTERPART",
        cannot.reason,
        cannot.remedy,
        "+".join(rule.names(record.side)),
    )
    if default := rule.defaults.get(to):
        return default, [problem]
    blocking = any(name in pair.required.get(to, ()) for name in rule.names(to))
    silent = rule.skip_untranslatable and not blocking and cannot.about is None
    return None, [] if silent else [problem]


# --- linked records ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Situation:
    """A link and the latest observation of both its records (None: never seen since the store began)."""

    link: Link
    salesforce: Record | None
    hubspot: Record | None
    stopped: bool = False
    """The deal is in a pipeline that does not sync (O5)."""
    frozen: bool = False
    """One of the records is out of scope (A8)."""
    claimed: bool = False
    """One was deleted, and the other one is another record's by now (D6); or both are there, and each is (A2)."""
    edits: Mapping[str, Edits] = field(default_factory=dict)
    """When both sides of contested fields were edited, by the rule's label; others go by the records (F2)."""
    choices: Mapping[str, Choice] = field(default_factory=dict)
    """What a person chose for fields that both sides had edited, by the rule's label (F2)."""

    def record(self, side: Side) -> Record | None:
        return self.salesforce if side is Side.SALESFORCE else self.hubspot

    @property
    def still(self) -> bool:
        """Neither side may change the other; what was frozen is so until a plan says that this is over."""
        return self.stopped or self.frozen or self.link.state is LinkState.FROZEN


def plan_link(pair: Pair, situation: Situation, known: Known, closed_stages: frozenset[str]) -> list[Action]:
    """Decide a linked pair. `closed_stages` are the deal stages that are won or lost (F7)."""
    link, here, there = situation.link, situation.salesforce, situation.hubspot
    if here is None or there is None:
        return []
    match decide_fate(pair, link.state, here.presence, there.presence, claimed=situation.claimed):
        case Fate.RESUME:
            return [Freezing(pair.name, link, over=True)]
        case Fate.MERGE if situation.frozen is not (link.state is LinkState.FROZEN):
            return [Freezing(pair.name, link, over=not situation.frozen)]
        case Fate.MERGE if situation.still:
            return []
        case Fate.DELETE_IN_HUBSPOT | Fate.DELETE_IN_SALESFORCE if situation.still:
            closed = there.present  # what was deleted in Salesforce may come back, and its pair with it (D4)
            return [Severance(pair.name, link.salesforce_id, link.hubspot_id, "D9", closed=closed, link=link)]
        case Fate.MERGE:
            return _plan_merge(pair, situation, here, there, known, closed_stages)
        case Fate.DELETE_IN_HUBSPOT:
            return [_plan_deletion(pair, link, lost=there, cause=here)]
        case Fate.DELETE_IN_SALESFORCE:
            return [_plan_deletion(pair, link, lost=here, cause=there)]
        case Fate.SEVER:
            return [Severance(pair.name, link.salesforce_id, link.hubspot_id, "D3", closed=False, link=link)]
        case Fate.CLOSE:
            rule = "A2" if here.present else "D5" if there.present else "D1"
            return [Severance(pair.name, link.salesforce_id, link.hubspot_id, rule, closed=True, link=link)]
        case _:
            return []


def _plan_deletion(pair: Pair, link: Link, *, lost: Record, cause: Record) -> Deletion:
    rule = "D1" if pair.salesforce == OPPORTUNITY else "D5"
    why = f"{cause.object} {cause.id} was deleted"
    return Deletion(pair.name, lost.side, lost.object, link, lost, rule, why)


def find_contested(pair: Pair, situation: Situation, known: Known) -> list[FieldRule]:
    """The fields of a live pair for which it matters which side was edited last (F2)."""
    link, here, there = situation.link, situation.salesforce, situation.hubspot
    if here is None or there is None or not (here.present and there.present) or situation.still:
        return []
    return [
        rule
        for rule in pair.fields
        if not rule.at_creation_only and is_contested(rule, here.fields, there.fields, link.base, known)
    ]


def last_changes(salesforce: Record, hubspot: Record) -> Edits:
    """When both sides were edited, going by the records as wholes."""
    return {one.side: Edited(one.modified, Evidence.RECORD) for one in (salesforce, hubspot)}


@dataclass(slots=True)
class _Draft:
    """The changes to one side of a pair, while they are gathered."""

    changes: list[Change] = field(default_factory=list)
    settles: Base = field(default_factory=Base)


def _plan_merge(
    pair: Pair, situation: Situation, here: Record, there: Record, known: Known, closed_stages: frozenset[str]
) -> list[Action]:
    link = situation.link
    records = {Side.SALESFORCE: here, Side.HUBSPOT: there}
    by_record = last_changes(here, there)
    drafts = {Side.SALESFORCE: _Draft(), Side.HUBSPOT: _Draft()}
    agreed = Base()
    actions: list[Action] = []
    for rule in pair.fields:
        if rule.at_creation_only:
            actions += _report_difference(rule, here, there, known)
            continue
        when = situation.edits.get(rule.label, by_record)
        verdict = _decide(situation, rule, here, there, when, known)
        match verdict:
            case Put(to, values, settled):
                _draft_choice(drafts[to], rule, situation.choices[rule.label], records[to], values, settled)
            case Agree():
                agreed = agreed.merged(_base_of(rule, here.fields, there.fields))
            case Write(to, values):
                why = f", {describe_edits(when)}" if verdict.conflict and rule.rule is Rule.TWO_WAY else ""
                _draft_write(drafts[to], rule, verdict, records, values, why)
            case Blocked(to, cannot):
                stand_in, trouble = _stand_in(pair, rule, to, cannot, records[to.other])
                actions += trouble
                if stand_in is not None and stand_in != rule.values(to, records[to].fields):
                    _draft_write(drafts[to], rule, Write(to, stand_in, "A5"), records, stand_in)
            case Hold():
                actions.append(_held(rule, here))
    _carry_close_date(pair, drafts[Side.HUBSPOT], here, there, known, closed_stages)
    _repair_partner_id(pair, drafts[Side.HUBSPOT], link, there)
    if agreed:
        actions.append(Settlement(link, agreed))
    for side, draft in drafts.items():
        if draft.changes:
            actions.append(
                Update(
                    pair.name,
                    side,
                    pair.object(side),
                    link,
                    records[side].id,
                    tuple(draft.changes),
                    draft.settles,
                )
            )
    return actions


def _decide(
    situation: Situation, rule: FieldRule, here: Record, there: Record, when: Edits, known: Known
) -> Verdict | Put:
    """What the merge says of a field, or what a person chose for it (F2)."""
    choice, base = situation.choices.get(rule.label), situation.link.base
    if choice:
        left = weigh_choice(rule, choice, here.fields, there.fields, known)
        if isinstance(left, Put):
            return left
        if isinstance(left, Count):
            base = base.merged(left.base)
    return _keep_owner(rule, merge_field(rule, here.fields, there.fields, base, find_newer(when), known))


def _keep_owner(rule: FieldRule, verdict: Verdict) -> Verdict:
    """HubSpot has records without an owner, Salesforce none: it would refuse to clear it (A5)."""
    match verdict:
        case Write(Side.SALESFORCE, values) if OWNER in rule.salesforce and is_blank(values):
            reason = f"every Salesforce record has an owner, and {'+'.join(rule.hubspot)} is blank"
            remedy = "give it an owner in HubSpot, or name a default owner in `owners.default_salesforce` (A5)"
            return Blocked(Side.SALESFORCE, Cannot(reason, remedy))
        case _:
            return verdict


def _base_of(rule: FieldRule, salesforce: Fields, hubspot: Fields) -> Base:
    return Base(
        {name: salesforce[name] for name in rule.salesforce}, {name: hubspot[name] for name in rule.hubspot}
    )


def _draft_write(
    draft: _Draft, rule: FieldRule, verdict: Write, records: Mapping[Side, Record], values: Values, why: str = ""
) -> None:
    to = verdict.to
    source, target = records[to.other], records[to]
    cause = f"{'+'.join(rule.names(to.other))} of {source.object} {source.id}{why}"
    written = dict(zip(rule.names(to), values, strict=True))
    draft.changes += [
        Change(name, target.fields.get(name), value, verdict.why, cause, verdict.conflict)
        for name, value in written.items()
    ]
    origin = {name: source.fields[name] for name in rule.names(to.other)}
    draft.settles = draft.settles.merged(Base.make(to.other, origin, written))


def _draft_choice(
    draft: _Draft, rule: FieldRule, choice: Choice, target: Record, values: Values, settled: Base
) -> None:
    """Write what a person chose; the merge carries it over once it is there."""
    draft.changes += [
        Change(name, target.fields.get(name), value, "F2", choice.cause)
        for name, value in zip(rule.names(target.side), values, strict=True)
    ]
    draft.settles = draft.settles.merged(settled)


def _carry_close_date(
    pair: Pair, draft: _Draft, here: Record, there: Record, known: Known, closed_stages: frozenset[str]
) -> None:
    """A write of a closed stage always carries the close date, or HubSpot would make one up (F7).

    HubSpot's own date is repeated as it is: an edit of it may be on its way to Salesforce in this very plan.
    """
    written = {change.field: change.new for change in draft.changes}
    if written.get(STAGE) not in closed_stages or CLOSE_DATE in written:
        return
    if own := there.fields.get(CLOSE_DATE):
        draft.changes.append(repeat_close_date(there.object, there.id, own))
        return
    rule = next((rule for rule in pair.fields if rule.hubspot == (CLOSE_DATE,)), None)
    if rule is None or not rule.rule.writes(Side.HUBSPOT):
        return
    values = rule.values(Side.SALESFORCE, here.fields)
    carried = None if values is None else rule.transform.carry(Side.HUBSPOT, values, known)
    if carried is not None and not isinstance(carried, Cannot):
        records = {Side.SALESFORCE: here, Side.HUBSPOT: there}
        _draft_write(draft, rule, Write(Side.HUBSPOT, carried, "F7"), records, carried)


def repeat_close_date(object_: str, id_: str, own: Value) -> Change:
    """What a deal has already, written beside a closed stage (F7)."""
    return Change(CLOSE_DATE, own, own, "F7", f"the close date of {object_} {id_} goes with its closed stage")


def _repair_partner_id(pair: Pair, draft: _Draft, link: Link, there: Record) -> None:
    """Every linked HubSpot record stores its partner's id, so that an empty store loses nothing (O10)."""
    name = pair.partner_field.get(Side.HUBSPOT)
    if name and there.partner_id != link.salesforce_id:
        draft.changes.append(Change(name, there.partner_id, link.salesforce_id, "O10", "the partner's id"))


def _report_difference(rule: FieldRule, here: Record, there: Record, known: Known) -> list[Action]:
    """What is carried once and then only watched: currencies are reported, never corrected (O7)."""
    mine, theirs = rule.values(Side.SALESFORCE, here.fields), rule.values(Side.HUBSPOT, there.fields)
    if mine is None or theirs is None or is_blank(theirs):
        return []
    carried = rule.transform.carry(Side.HUBSPOT, mine, known)
    if isinstance(carried, Cannot) or is_blank(carried):
        return []
    if rule.transform.meaning(Side.HUBSPOT, carried) == rule.transform.meaning(Side.HUBSPOT, theirs):
        return []
    return [
        Problem(
            there.side,
            there.object,
            there.id,
            ProblemClass.PROPERTY_VALUES,
            "DIFFERENT_CURRENCY",
            f"{rule.label}: {mine[0]} in Salesforce, {theirs[0]} in HubSpot; amounts are carried as they are",
            "make both the same by hand; amounts are never converted (O7)",
            rule.hubspot[0],
        )
    ]


def _held(rule: FieldRule, here: Record) -> Problem:
    return Problem(
        here.side,
        here.object,
        here.id,
        ProblemClass.FIELD_MAPPING,
        "CONFLICT",
        f"{rule.label} was edited on both sides, and its rule is to hold",
        "give both sides the same value",
        "+".join(rule.salesforce),
    )
