"""Why does a record not sync? Every reason there is, with what to do about it.

| reason        | rule   | the record …                                                                           |
|---------------|--------|----------------------------------------------------------------------------------------|
| suspended     | E4     | waits, as all do: a CRM cannot be used                                                 |
| switched off  | P1, P2 | is of a pair that the settings leave out                                               |
| no run        |        | was never looked at: nothing was ever synced                                           |
| never seen    |        | is in the CRM, and no run has met it                                                   |
| deleted       | D1-D6  | is gone                                                                                |
| merged        | A7     | went into another one                                                                  |
| out of sight  | D6     | cannot be seen by the connector's user                                                 |
| severed       | D3     | is in a pair that ended, because its HubSpot record was deleted or a person ended it   |
| closed        | D1, D5 | is in a pair of which one record is gone                                               |
| pending       | O10    | is having its partner made: a run died over it                                         |
| frozen        | A8     | is in a pair of which one record is out of scope                                       |
| out of scope  | A8     | is left out by a condition of the scope                                                |
| stopped       | O5     | is in a pair whose deal is in a pipeline that does not sync                            |
| other pipeline| O6     | is a deal in a pipeline that does not sync                                             |
| waits         | R5     | needs another one to be linked first                                                   |
| ambiguous     | A2, A3 | may be the same as several others                                                      |
| problem       | E1     | was refused                                                                            |
| conflict      | F2     | has a field that both sides edited, which waits for a person                           |
| not created   | A1     | gets no partner by `create_in`                                                         |
| no contact    | A1     | is a company without a contact that syncs                                              |
| untouched     | P4     | was there before, and nobody has changed it since                                      |

A reason that `stops` the record keeps all of it; another one keeps a part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from connector.core.matching import CreateThere, SeverFrom, match_record
from connector.core.model import LinkState, Pair, Presence, Problem, Record, Side
from connector.core.pipelines import RECORD_TYPE
from connector.core.scope import Condition, Scope
from connector.engine.answers.fields import name_record
from connector.engine.answers.problems import problems_of
from connector.engine.answers.view import View, make_view
from connector.engine.candidates import gather_candidates
from connector.engine.observe import has_begun, syncs
from connector.engine.suspension import THEN_RESUME, find_suspension
from connector.engine.world import COMPANIES, CONTACTS, DEALS
from connector.mapping.files import PAIRS

_SWITCHES = {DEALS: ("sync.deals", "P1"), CONTACTS: ("sync.contacts", "P2"), COMPANIES: ("sync.companies", "P2")}
NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}


class Why(StrEnum):
    """The table above."""

    SUSPENDED = "suspended"
    SWITCHED_OFF = "switched off"
    NO_RUN = "no run"
    NEVER_SEEN = "never seen"
    DELETED = "deleted"
    MERGED = "merged"
    OUT_OF_SIGHT = "out of sight"
    SEVERED = "severed"
    CLOSED = "closed"
    PENDING = "pending"
    FROZEN = "frozen"
    OUT_OF_SCOPE = "out of scope"
    STOPPED = "stopped"
    OTHER_PIPELINE = "other pipeline"
    WAITS = "waits"
    AMBIGUOUS = "ambiguous"
    PROBLEM = "problem"
    CONFLICT = "conflict"
    NOT_CREATED = "not created"
    NO_CONTACT = "no contact"
    UNTOUCHED = "untouched"


@dataclass(frozen=True, slots=True)
class Alike:
    """A record that may be the same as the one asked about: by which key, and whom it is linked to."""

    side: Side
    object: str
    id: str
    name: str
    created: str
    key: str
    partner: str | None


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: the rule it follows from, in words, and what to do. `field` is blank for the whole record."""

    why: Why
    rule: str
    text: str
    remedy: str
    stops: bool = True
    field: str = ""
    alike: tuple[Alike, ...] = ()


def find_reasons(view: View, *, further: bool = True) -> list[Reason]:
    """Every reason why a record, or a part of it, does not sync; the most general first. None: nothing keeps it.

    With `further`, a record that waits says what keeps the one it waits for.
    """
    found = [*_of_the_connection(view)]
    if any(one.why is Why.SWITCHED_OFF for one in found):
        return found
    found += _of_absence(view)
    # What holds a pair beside the state of its link, such as a run that was undone, is told between these two.
    found += _of_the_link(view)
    found += _of_problems(view)
    found += _of_waits(view, further=further)
    if view.link is None and view.record is not None and view.record.present:
        found += _of_an_unlinked(view, view.record, found)
    return found


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
            f"the next run does, if it was changed since the last one; `connector sync --record {_name(view)}` now",
        )
    if view.link is not None and view.link.state in {LinkState.SEVERED, LinkState.CLOSED}:
        return  # the end of the link says it
    for side in (view.side, view.side.other):
        if (record := view.records[side]) is not None and not record.present:
            yield _explain_absence(view, record)


def _explain_absence(view: View, record: Record) -> Reason:
    what = f"{_singular(record.object)} {record.id} in {NAMES[record.side]}"
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
        case LinkState.SEVERED:
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
            yield from _of_pipeline(view)


def _explain_severance(view: View) -> Reason:
    gone = view.records[Side.HUBSPOT]
    if gone is None or gone.present:
        text = "its link was ended, and both records stay as they are"
        remedy = f"`connector links relink {_relink(view)}` takes it up again"
        return Reason(Why.SEVERED, "D3", text, remedy)
    what = f"{_singular(gone.object)} {gone.id} was deleted in HubSpot, so the link was severed"
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
    hubspot = f" {_singular(there.object)}:{there.id}" if there is not None else ""
    return f"{view.link.salesforce_id or 'SALESFORCE_ID'}{hubspot}"


def _of_pipeline(view: View) -> Iterator[Reason]:
    deal = view.records[Side.HUBSPOT]
    if view.pair_name != DEALS or deal is None or not deal.present or syncs(view.work.world, deal):
        return
    id_ = str(deal.fields.get("pipeline"))
    pipeline = view.work.world.known.find_pipeline(id_)
    name = f"{pipeline.label!r} ({id_})" if pipeline else id_
    why, rule = (Why.STOPPED, "O5") if view.link is not None else (Why.OTHER_PIPELINE, "O6")
    text = f"deal {deal.id} is in pipeline {name}, which does not sync"
    goes_on = (
        "move it to a pipeline that syncs, and it goes on" if view.link else "move it to a pipeline that syncs"
    )
    yield Reason(why, rule, text, f"{goes_on}; or give a record type this one in `pipelines.assigned`")


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
                remedy += f"; or `connector conflicts resolve {_name(view)} {one.field} --take salesforce|hubspot`"
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
        f"`connector explain {id_ if side is Side.SALESFORCE else _name(awaited)}`",
    )
    if further and (reasons := find_reasons(awaited, further=False)):
        text, remedy = f"{text}, which does not sync: {reasons[0].text}", reasons[0].remedy
    elif awaited.record is None:
        text = f"{text}, which was never seen"
    return Reason(Why.WAITS, "R5", text, remedy, stops=stops)


# --- what has no partner ----------------------------------------------------------------------------------


def _of_an_unlinked(view: View, record: Record, found: list[Reason]) -> Iterator[Reason]:
    """Why a record that is there and in scope gets no partner."""
    pair = view.pair
    if pair is None or any(one.why in {Why.OUT_OF_SCOPE, Why.AMBIGUOUS} for one in found):
        return
    everywhere = replace(pair, creates=frozenset(Side))
    candidate = next(iter(gather_candidates(view.work, pair, [record], ())))
    in_scope = next(iter(gather_candidates(view.work, everywhere, [record], ()))).in_scope
    match match_record(everywhere, replace(candidate, in_scope=True)):
        case Problem() as problem if problem.code == "DUPLICATE":
            rule = "A3" if view.pair_name == CONTACTS else "A2"
            yield Reason(Why.AMBIGUOUS, rule, problem.detail, problem.remedy, alike=find_alike(view, record))
        case Problem() as problem if not any(one.text == problem.detail for one in found):
            yield Reason(Why.PROBLEM, "O10", problem.detail, problem.remedy)
        case SeverFrom(partner):
            text = f"its partner {partner} was deleted, so it stays without one"
            yield Reason(Why.SEVERED, "D8", text, f"`connector links relink {record.id}` makes it a new one")
        case CreateThere():
            yield from _of_creation(view, pair, record, in_scope=in_scope)
    if not found and not view.work.c.store.standing.of(record.side, record.object, record.id).due:
        yield from _of_untouched(view, pair, record, in_scope=in_scope)


def _of_creation(view: View, pair: Pair, record: Record, *, in_scope: bool) -> Iterator[Reason]:
    there = NAMES[record.side.other]
    if record.side.other not in pair.creates:
        text = f"it has no partner, and none is made in {there}: `create_in` of {pair.name} does not name it"
        remedy = (
            f"`connector sync --record {_name(view)} --create` makes one; or add {record.side.other} to `create_in`"
        )
        yield Reason(Why.NOT_CREATED, "A1", text, remedy)
        return
    if record.object == "deals":
        yield from _of_pipeline(view)
    elif not in_scope:
        text = "it is the primary company of no contact that syncs, so no account is made of it"
        remedy = f"make it the primary company of a contact; or `connector sync --record {_name(view)} --create`"
        yield Reason(Why.NO_CONTACT, "A1", text, remedy)


def _of_untouched(view: View, pair: Pair, record: Record, *, in_scope: bool) -> Iterator[Reason]:
    makes = record.side.other in pair.creates and in_scope
    known = view.work.c.store.records.load_versions(record.side, record.object, [record.id])
    if not makes or not known:
        return
    if record.object == "deals" and not syncs(view.work.world, record):
        return
    text = "it was there before, and nobody has changed it since"
    yield Reason(Why.UNTOUCHED, "P4", text, f"change it, or `connector sync --record {_name(view)}`")


def find_alike(view: View, record: Record) -> tuple[Alike, ...]:
    """The records of both sides that share a match key with this one, the oldest first."""
    if view.pair is None:
        return ()
    store = view.work.c.store
    found: dict[tuple[Side, str], Alike] = {}
    for side in Side:
        alike = store.records.with_keys(side, view.pair.object(side), view.pair.match_values(record))
        ids = [one.id for some in alike.values() for one in some]
        links = store.links.by_ids(view.pair.name, side, ids)
        for (key, _), some in alike.items():
            for one in some:
                link = links.get(one.id)
                partner = link.id_of(side.other) if link and link.state is LinkState.LINKED else None
                if (side, one.id) != (record.side, record.id):
                    told = Alike(side, one.object, one.id, name_record(one), one.created, key, partner)
                    found.setdefault((side, one.id), told)
    return tuple(sorted(found.values(), key=lambda one: (one.side.value, one.created, one.id)))


def _singular(object_: str) -> str:
    return {"deals": "deal", "contacts": "contact", "companies": "company"}.get(object_, object_.lower())


def _name(view: View) -> str:
    """The record as `--record` takes it."""
    return view.id if view.side is Side.SALESFORCE else f"{_singular(view.object)}:{view.id}"
