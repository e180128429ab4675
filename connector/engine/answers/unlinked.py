"""Why does a record that is there, and in scope, have no partner? And who may be the same as it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from connector.core.matching import CreateThere, SeverFrom, match_record
from connector.core.model import LinkState, Pair, Problem, Record, Side
from connector.engine.answers.fields import name_record
from connector.engine.answers.reason import NAMES, Alike, Reason, Why, named
from connector.engine.answers.view import View
from connector.engine.candidates import gather_candidates
from connector.engine.observe import syncs
from connector.engine.world import CONTACTS, DEALS


def explain_unlinked(view: View, record: Record, found: list[Reason]) -> Iterator[Reason]:
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
            f"`connector sync --record {named(view)} --create` makes one; or add {record.side.other} to `create_in`"
        )
        yield Reason(Why.NOT_CREATED, "A1", text, remedy)
        return
    if record.object == "deals":
        yield from explain_pipeline(view)
    elif not in_scope:
        text = "it is the primary company of no contact that syncs, so no account is made of it"
        remedy = f"make it the primary company of a contact; or `connector sync --record {named(view)} --create`"
        yield Reason(Why.NO_CONTACT, "A1", text, remedy)


def _of_untouched(view: View, pair: Pair, record: Record, *, in_scope: bool) -> Iterator[Reason]:
    makes = record.side.other in pair.creates and in_scope
    known = view.work.c.store.records.load_versions(record.side, record.object, [record.id])
    if not makes or not known:
        return
    if record.object == "deals" and not syncs(view.work.world, record):
        return
    text = "it was there before, and nobody has changed it since"
    yield Reason(Why.UNTOUCHED, "P4", text, f"change it, or `connector sync --record {named(view)}`")


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


def explain_pipeline(view: View) -> Iterator[Reason]:
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
