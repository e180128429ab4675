"""Every reason why a record, or a part of it, does not sync, the most general first (`reason.py` is the table)."""

from __future__ import annotations

from collections.abc import Iterator

from connector.core.model import LinkState, Pair, Presence, Record, Side
from connector.core.pipelines import RECORD_TYPE
from connector.core.scope import Condition, Scope
from connector.engine.answers.fields import name_record
from connector.engine.answers.problems import problems_of
from connector.engine.answers.reason import NAMES, Reason, Why, named, singular
from connector.engine.answers.unlinked import explain_pipeline, explain_unlinked, find_alike
from connector.engine.answers.view import View, make_view
from connector.engine.observe import has_begun
from connector.engine.suspension import THEN_RESUME, find_suspension
from connector.engine.world import COMPANIES, CONTACTS, DEALS
from connector.mapping.files import PAIRS

_SWITCHES = {DEALS: ("sync.deals", "P1"), CONTACTS: ("sync.contacts", "P2"), COMPANIES: ("sync.companies", "P2")}


def find_reasons(view: View, *, further: bool = True) -> list[Reason]:
    """Every reason why a record, or a part of it, does not sync; the most general first. None: nothing keeps it.

    With `further`, a record that waits says what keeps the one it waits for.
    """
    found = [*_of_the_connection(view)]
    if any(one.why is Why.SWITCHED_OFF for one in found):
        return found
    found += _of_absence(view)
    found += _of_holds(view)
    found += _of_the_link(view)
    found += _of_problems(view)
    found += _of_waits(view, further=further)
    if view.link is None and view.record is not None and view.record.present:
        found += explain_unlinked(view, view.record, found)
    return found


def _of_holds(view: View) -> Iterator[Reason]:
    """Writes that are held since the run that made them was undone (X2): to either record, or its creation."""
    if view.pair is None:
        return
    ids = {side: one.id for side, one in view.records.items() if one is not None} | {view.side: view.id}
    for side in Side:
        named_so = sorted(set(ids.values()))
        for one in view.work.c.store.holds.of_record(side, view.pair.object(side), named_so):
            run, told = one["run"], ", ".join(str(value) for value in one["values"] if value is not None)
            what = (
                f"{one['verb']} of {view.pair.object(side)} {one['field']}{f' = {told}' if told else ''}".rstrip()
            )
            yield Reason(
                Why.UNDONE,
                "X2",
                f"run {run} was undone, so what it wrote is not written again: {what}",
                f"it goes once its source moves, or `connector resume {run}` lets it go",
                stops=False,
                field=one["field"] if one["verb"] == "update" else "",
            )


# --- the whole connection ---------------------------------------------------------------------------------


def _of_the_connection(view: View) -> Iterator[Reason]:
    store = view.work.c.store
    if suspension := find_suspension(store):
        then = suspension.remedy if suspension.ends_by_itself else f"{suspension.remedy}; {THEN_RESUME}"
        yield Reason(Why.SUSPENDED, "E4", f"the sync is suspended: {suspension.message}", then)
    if view.pair is None:
        setting, rule = _SWITCHES[view.pair_name]
        switched_off = not getattr(view.work.c.settings.sync, setting.rpartition(".")[2])
        if switched_off:
            text, remedy = f"this pair is switched off (`{setting}: false`)", f"set `{setting}: true`"
        else:
            text, remedy = (
                f"no mapping file is about {view.pair_name}",
                f"`connector init` writes mappings/{view.pair_name}.yaml",
            )
        yield Reason(Why.SWITCHED_OFF, rule, text, remedy)
    elif not has_begun(view.work.c):
        yield Reason(Why.NO_RUN, "", "nothing was ever synced", "`connector plan`, then `connector sync`")


# --- is it there? -----------------------------------------------------------------------------------------


def _of_absence(view: View) -> Iterator[Reason]:
    seen = view.work.c.store.records.load_versions(view.side, view.object, [view.id])
    if not seen and view.record is not None and view.record.present and has_begun(view.work.c):
        yield Reason(
            Why.NEVER_SEEN,
            "T1" if view.side is Side.SALESFORCE else "T2",
            "no run has met it yet",
            f"the next run does, if it was changed since the last one; `connector sync --record {named(view)}` now",
        )
    if view.link is not None and view.link.state in {LinkState.SEVERED, LinkState.UNLINKED, LinkState.CLOSED}:
        return  # the end of the link says it
    for side in (view.side, view.side.other):
        if (record := view.records[side]) is not None and not record.present:
            yield _explain_absence(view, record)


def _explain_absence(view: View, record: Record) -> Reason:
    what = f"{singular(record.object)} {record.id} in {NAMES[record.side]}"
    linked = view.link is not None
    match record.presence:
        case Presence.MERGED:
            to = record.survivor or "another record"
            text = f"{what} was merged into {to}"
            remedy = f"ask about {to}; the link follows it in the next run" if linked else f"ask about {to}"
            return Reason(Why.MERGED, "A7", text, remedy)
        case Presence.DELETED:
            if linked and record.side is Side.SALESFORCE and view.pair and Side.SALESFORCE in view.pair.deletes:
                remedy = "the next run deletes its deal too, unless it is restored from the recycle bin before"
                return Reason(Why.DELETED, "D1", f"{what} was deleted", remedy)
            remedy = "nothing is deleted on the other side; the next run ends the link" if linked else "restore it"
            rule = "D2" if record.side is Side.HUBSPOT else "D5"
            return Reason(Why.DELETED, rule, f"{what} was deleted", remedy)
        case _:
            text = f"{what} cannot be seen by the connector's user"
            remedy = "give that user access to it; until then nothing is written to either side"
            return Reason(Why.OUT_OF_SIGHT, "D6", text, remedy)


# --- the link ---------------------------------------------------------------------------------------------


def _of_the_link(view: View) -> Iterator[Reason]:
    if view.link is None:
        yield from _of_scope(view, Why.OUT_OF_SCOPE)
        return
    match view.link.state:
        case LinkState.SEVERED | LinkState.UNLINKED:
            yield _explain_severance(view)
        case LinkState.CLOSED:
            gone = [one for one in view.records.values() if one is not None and not one.present]
            what = " and ".join(f"{one.object} {one.id} is {one.presence.value}" for one in gone) or "it was ended"
            remedy = "nothing is left to do, unless it is restored (D4)"
            if view.record is not None and view.record.present:
                remedy = f"`connector links relink {_relink(view)}` makes it a new pair"
            yield Reason(
                Why.CLOSED, "D1" if view.pair_name == DEALS else "D5", f"its pair has ended: {what}", remedy
            )
        case LinkState.PENDING:
            text = "its partner was being made when a run died, and whether that got through is not known yet"
            yield Reason(Why.PENDING, "O10", text, "the next run finds out, and makes no second one")
        case LinkState.FROZEN:
            outside = [*_of_scope(view, Why.FROZEN)]
            text = "both records are in scope again, as they are now"
            yield from outside or [Reason(Why.FROZEN, "A8", text, "the next run goes on where the pair was")]
        case LinkState.LINKED:
            yield from _of_scope(view, Why.FROZEN)
            yield from explain_pipeline(view)


def _explain_severance(view: View) -> Reason:
    gone = view.records[Side.HUBSPOT]
    if gone is None or gone.present:
        text = "its link was ended, and both records stay as they are"
        remedy = f"`connector links relink {_relink(view)}` takes it up again"
        return Reason(Why.SEVERED, "D3", text, remedy)
    what = f"{singular(gone.object)} {gone.id} was deleted in HubSpot, so the link was severed"
    remedy = (
        f"restore it in HubSpot, then `connector links relink {_relink(view)}`; or, for a new one,"
        f" `connector links relink {view.link.salesforce_id if view.link else ''}`"
    )
    return Reason(Why.SEVERED, "D3", f"{what}: later edits do not bring it back", remedy)


def _relink(view: View) -> str:
    """What `relink` takes for this pair."""
    if view.link is None:
        return view.id
    there = view.records[Side.HUBSPOT]
    hubspot = f" {singular(there.object)}:{there.id}" if there is not None else ""
    return f"{view.link.salesforce_id or 'SALESFORCE_ID'}{hubspot}"


# --- the scope --------------------------------------------------------------------------------------------


def _of_scope(view: View, why: Why) -> Iterator[Reason]:
    if view.pair is None:
        return
    for side in (view.side, view.side.other):
        record = view.records[side]
        if record is None or not record.present or view.pair.admits(side, record.fields):
            continue
        failed = find_failed_conditions(view.pair, record)
        text = f"{record.object} {record.id} is out of scope: {'; '.join(failed) or 'its filter leaves it out'}"
        remedy = "change the record or the filter"
        if why is Why.FROZEN:
            remedy += "; the pair is left alone on both sides until then, and then goes on where it was"
        yield Reason(why, "A8", text, remedy)


def find_failed_conditions(pair: Pair, record: Record) -> list[str]:
    """The conditions that leave a record out, each with its place and what the record holds."""
    scope = pair.scope.get(record.side)
    if not isinstance(scope, Scope):
        return []
    found: list[str] = []
    for condition in _failed(scope, record):
        value = record.fields.get(condition.name)
        bounds = ", ".join(str(bound) for bound in condition.bounds)
        where = f" ({condition.place[0]}:{condition.place[1]})" if condition.place[0] else ""
        asked = f"{condition.name} {condition.question.value} {bounds}".strip()
        found.append(f"`{asked}` is not met by {'(empty)' if value is None else value!r}{where}")
    return found


def _failed(scope: Scope, record: Record) -> Iterator[Condition]:
    for part in scope.parts:
        if part.admits(record.fields) is not False:
            continue
        if isinstance(part, Condition):
            yield part
        else:
            yield from _failed(part, record)


# --- problems and waits -----------------------------------------------------------------------------------


def _of_problems(view: View) -> Iterator[Reason]:
    for side in (view.side, view.side.other):
        record = view.records[side]
        if record is None:
            continue
        for one in problems_of(view.work.c.store, side, record.object, record.id):
            why = {"CONFLICT": Why.CONFLICT, "DUPLICATE": Why.AMBIGUOUS}.get(one.code, Why.PROBLEM)
            rule = {"CONFLICT": "F2", "DUPLICATE": "A3" if view.pair_name == CONTACTS else "A2"}.get(one.code, "E1")
            remedy = one.remedy
            if why is Why.CONFLICT:
                remedy += f"; or `connector conflicts resolve {named(view)} {one.field} --take salesforce|hubspot`"
            alike = find_alike(view, record) if why is Why.AMBIGUOUS else ()
            yield Reason(
                why,
                rule,
                one.detail,
                remedy,
                stops=not one.field and not view.is_linked,
                field=one.field,
                alike=alike,
            )


def _of_waits(view: View, *, further: bool) -> Iterator[Reason]:
    for side in (view.side, view.side.other):
        record = view.records[side]
        if record is None or not record.present:
            continue
        for pair, needs_side, id_ in view.work.c.store.standing.of(side, record.object, record.id).waits_for:
            yield _explain_wait(view, pair, needs_side, id_, further=further)


def _explain_wait(view: View, pair: str, side: Side, id_: str, *, further: bool) -> Reason:
    stops = view.link is None
    if pair == RECORD_TYPE:
        why = view.work.world.stages.unsynced.get(id_, f"record type {id_} has no pipeline")
        remedy = "raise `pipelines.limit`, or assign it an existing pipeline in `pipelines.assigned`"
        return Reason(Why.WAITS, "O3", why, remedy, stops=stops)
    object_ = PAIRS[pair][side is Side.HUBSPOT]
    known = view.work.c.pairs.get(pair)
    if known is not None and id_ == known.partner_field.get(side):
        remedy = f"add a text field {id_} (length 40, external id, unique) to {object_}"
        return Reason(Why.WAITS, "O10", f"it waits for the field {id_} on {object_}", remedy, stops=stops)
    awaited = make_view(view.work, side, object_, id_, ask=False)
    name = f"{object_} {id_}" + (f" {name_record(awaited.record)!r}" if awaited.record else "")
    text, remedy = (
        f"it waits for {name} to be linked",
        f"`connector explain {id_ if side is Side.SALESFORCE else named(awaited)}`",
    )
    if further and (reasons := find_reasons(awaited, further=False)):
        text, remedy = f"{text}, which does not sync: {reasons[0].text}", reasons[0].remedy
    elif awaited.record is None:
        text = f"{text}, which was never seen"
    return Reason(Why.WAITS, "R5", text, remedy, stops=stops)
