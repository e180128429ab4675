"""Everything about one record or one of its fields: how it stands, why, and what was done to it (X3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connector.core.model import LinkState, Record, Side, Value
from connector.engine.answers.fields import (
    FieldAnswer,
    Outcome,
    answer_fields,
    find_rule,
    name_record,
    unknown_field,
)
from connector.engine.answers.history import WriteAnswer, answer_history, find_moves
from connector.engine.answers.problems import ProblemAnswer, problems_of
from connector.engine.answers.reason import Reason
from connector.engine.answers.reasons import find_reasons
from connector.engine.answers.relations import (
    ContactAnswer,
    DealAnswer,
    RollupAnswer,
    answer_contacts,
    answer_rollups,
    derived_properties,
)
from connector.engine.answers.runs import RunAnswer, make_run
from connector.engine.answers.view import View, look
from connector.engine.world import Connection


class Verdict(StrEnum):
    """How a record stands, in one word."""

    IN_STEP = "in step"
    DUE = "due"
    """The next run does something about it, and nothing keeps it from that."""
    PARTLY = "partly"
    """It syncs, but a part of it does not."""
    NOT_SYNCING = "not syncing"


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """One of the two records. `presence` says present, or why it is not there (D6)."""

    side: Side
    object: str
    id: str
    name: str
    presence: str
    created: str
    modified: str
    partner_id: str | None
    """The id of the other record that it stores."""
    due: bool
    """Whether the next run looks at it."""


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """The pair. `run` and `since` tell when it was linked; `matched_on` a match key, or `hand`.

    `made` is true where the partner was created for it; then `born` is the side that was there first.
    """

    id: int
    pair: str
    state: LinkState
    salesforce_id: str | None
    hubspot_id: str | None
    born: Side
    run: int | None
    since: str | None
    matched_on: str | None
    made: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer. `asked_both` is false where both are told as they were seen last; then `why_not` may say why.

    `field` is the label of the one field that was asked for; then the rest is about that field alone.
    """

    pair: str
    side: Side
    object: str
    id: str
    verdict: Verdict
    records: tuple[RecordAnswer, ...]
    link: LinkAnswer | None
    reasons: tuple[Reason, ...]
    fields: tuple[FieldAnswer, ...]
    contacts: tuple[ContactAnswer, ...]
    rollups: tuple[RollupAnswer, ...]
    deals: tuple[DealAnswer, ...]
    derived: Mapping[str, Value]
    """The lifecycle stage and what goes with it (L), as HubSpot holds them now."""
    lifecycle: tuple[WriteAnswer, ...]
    problems: tuple[ProblemAnswer, ...]
    history: tuple[WriteAnswer, ...]
    acts: tuple[RunAnswer, ...]
    """What people did to this pair by hand: its link ended or made, a value chosen."""
    asked_both: bool
    why_not: str = ""
    field: str | None = None

    def record(self, side: Side) -> RecordAnswer | None:
        return next((one for one in self.records if one.side is side), None)


def explain(c: Connection, text: str, field: str | None = None, *, ask: bool = True) -> Explanation:
    """Explain the record that `text` names (`references.py`), or one field of it.

    With `ask` both CRMs are read, in about three calls of Salesforce and five of HubSpot; else, or if that fails,
    what was seen last is told. Nothing is written to either.

    Raises:
        BadConfiguration: there is no such record, or no such field is mapped or derived.
    """
    return explain_view(look(c, text, ask=ask), field)


def explain_view(view: View, field: str | None = None) -> Explanation:
    """The explanation of what is in view already."""
    names, label = _choose_names(view, field)
    # Fields first: a reason may look at another record, after which only the partners that one names are known.
    fields = tuple(one for one in answer_fields(view) if names is None or one.label == label)
    reasons = find_reasons(view)
    rollups, deals = answer_rollups(view)
    history = answer_history(view, names)
    if names is not None:
        reasons = [
            one for one in reasons if not one.field or one.field in names or set(one.field.split("+")) & names
        ]
        rollups = tuple(one for one in rollups if one.property in names)
        deals = deals if rollups or _is_derived(view, names) else ()
    problems = tuple(
        one
        for record in view.records.values()
        if record is not None
        for one in problems_of(view.work.c.store, record.side, record.object, record.id)
        if names is None or not one.field or set(one.field.split("+")) & names
    )
    return Explanation(
        pair=view.pair_name,
        side=view.side,
        object=view.object,
        id=view.id,
        verdict=_judge(view, reasons, fields, rollups),
        records=tuple(_answer_record(view, one) for one in view.records.values() if one is not None),
        link=_answer_link(view),
        reasons=tuple(reasons),
        fields=fields,
        contacts=answer_contacts(view) if names is None else (),
        rollups=rollups,
        deals=deals,
        derived=_find_derived(view, names),
        lifecycle=find_moves(history),
        problems=problems,
        history=history,
        acts=_find_acts(view),
        asked_both=view.asked,
        why_not=view.why_not,
        field=label,
    )


def _find_acts(view: View) -> tuple[RunAnswer, ...]:
    ids = {view.id, *((view.link.salesforce_id, view.link.hubspot_id) if view.link else ())}
    acts = (make_run(row) for row in view.work.c.store.runs.acts())
    return tuple(one for one in acts if ids & set(map(str, (one.report or {}).values())))


def _choose_names(view: View, field: str | None) -> tuple[set[str] | None, str | None]:
    """The names of the field that was asked for on both sides, and its label; None for the whole record."""
    if field is None:
        return None, None
    if rule := find_rule(view, field):
        return {name for side in Side for name in rule.names(side)}, rule.label
    derived = {name.casefold(): name for name in derived_properties(view)}
    if field.casefold() not in derived:
        raise unknown_field(view, field, derived.values())
    name = derived[field.casefold()]
    return {name}, name


def _find_derived(view: View, names: set[str] | None) -> dict[str, Value]:
    record, mapped = (
        view.records[Side.HUBSPOT],
        {name for one in (view.pair.fields if view.pair else ()) for name in one.hubspot},
    )
    wanted = [
        name for name, rule in derived_properties(view).items() if rule.startswith("L") and name not in mapped
    ]
    if record is None:
        return {}
    return {name: record.fields.get(name) for name in wanted if names is None or name in names}


def _is_derived(view: View, names: set[str]) -> bool:
    return not names.isdisjoint(derived_properties(view))


def _judge(
    view: View, reasons: Sequence[Reason], fields: Sequence[FieldAnswer], rollups: Sequence[RollupAnswer]
) -> Verdict:
    if any(one.stops for one in reasons):
        return Verdict.NOT_SYNCING
    stuck = {Outcome.HELD, Outcome.BLOCKED, Outcome.WAITS}
    if reasons or any(one.outcome in stuck for one in fields):
        return Verdict.PARTLY
    due = any(one.needs_writing for one in fields) or not view.is_linked
    due |= any(_plain(one.value) != _plain(one.computed) for one in rollups)
    return Verdict.DUE if due else Verdict.IN_STEP


def _plain(value: Value) -> str:
    """A derived value as both write it; none and no deal are one (U6), times count to the second."""
    text = "" if value in (None, "0", 0) else str(value)
    return text[:19] if "T" in text else text


def _answer_record(view: View, record: Record) -> RecordAnswer:
    return RecordAnswer(
        side=record.side,
        object=record.object,
        id=record.id,
        name=name_record(record),
        presence=record.presence.value,
        created=record.created,
        modified=record.modified,
        partner_id=record.partner_id,
        due=view.work.c.store.standing.of(record.side, record.object, record.id).due,
    )


def _answer_link(view: View) -> LinkAnswer | None:
    if view.link is None:
        return None
    linking = view.work.c.store.standing.linking(view.link.id)
    created = any(
        row["verb"] == "create" and row["state"] != "failed"
        for row in view.work.c.store.journal.of_link(view.link.id)
    )
    return LinkAnswer(
        id=view.link.id,
        pair=view.link.pair,
        state=view.link.state,
        salesforce_id=view.link.salesforce_id,
        hubspot_id=view.link.hubspot_id,
        born=view.link.born,
        run=linking.run,
        since=linking.at,
        matched_on=linking.matched_on,
        made=created and linking.matched_on is None,
    )
