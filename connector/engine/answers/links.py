"""Which records are one? Links shown, ended and made by hand.

| `relink`                          | then                                                                        |
|-----------------------------------|-----------------------------------------------------------------------------|
| two that were one and are severed | the pair goes on where it was: what was edited since is merged (D3)         |
| two that never were one           | they are linked; equal values are agreed, unequal ones go by their rule     |
| one that is linked to another     | refused: no record has two partners                                         |
| a Salesforce record alone         | its ended pair is put aside; the next run finds or makes it a new partner   |
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.core.model import LinkState, Side
from connector.engine.answers.explain import Explanation, explain_view
from connector.engine.answers.fields import FieldAnswer
from connector.engine.answers.references import no_such_record
from connector.engine.answers.view import View, look_offline, make_view
from connector.engine.world import Connection

_LIVE = {LinkState.LINKED, LinkState.FROZEN, LinkState.PENDING}


@dataclass(frozen=True, slots=True)
class Relinked:
    """What `relink` did. `taken_up`: a severed pair goes on; `writes` are the fields that the next run writes."""

    run: int
    salesforce_id: str
    hubspot_id: str | None
    taken_up: bool
    writes: tuple[FieldAnswer, ...]


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What `unlink` ended."""

    run: int
    salesforce_id: str | None
    hubspot_id: str | None


def show_link(c: Connection, record: str) -> Explanation:
    """The link of a record, as an explanation from the store alone.

    Raises:
        BadConfiguration: there is no such record, or it was never linked.
    """
    found = explain_view(look_offline(c, record))
    if found.link is None:
        raise no_such_record(record, "it has no link", f"`connector explain {record}` says why")
    return found


def unlink(c: Connection, record: str) -> Unlinked:
    """Sever the link of a record; both records stay as they are (D3).

    Raises:
        BadConfiguration: it has no link that holds.
        Busy: a run is under way.
    """
    view = look_offline(c, record)
    link = view.link
    if link is None or link.state not in {LinkState.LINKED, LinkState.FROZEN}:
        state = f"its link is {link.state.value}" if link else "it has no link"
        raise no_such_record(record, f"there is nothing to end: {state}", f"`connector explain {record}` says why")
    with c.store.runs.lease(), c.store.transaction():
        run = c.store.runs.note_act("unlink", salesforce_id=link.salesforce_id, hubspot_id=link.hubspot_id)
        c.store.links.end(link.id, LinkState.UNLINKED)
    return Unlinked(run, link.salesforce_id, link.hubspot_id)


def relink(c: Connection, salesforce: str, hubspot: str | None = None) -> Relinked:
    """Link two records, or take up their severed link again; without `hubspot`, let one get a new partner.

    Nothing is written to either CRM: the next run merges the two.

    Raises:
        BadConfiguration: a record is not there, is of another pair, or has another partner.
        Busy: a run is under way.
    """
    here = look_offline(c, salesforce)
    if here.side is not Side.SALESFORCE:
        raise no_such_record(salesforce, "name the Salesforce record first, then the HubSpot one")
    _check_present(here, salesforce)
    if hubspot is None:
        return _let_go(c, here)
    there = look_offline(c, hubspot)
    if there.side is not Side.HUBSPOT or there.pair_name != here.pair_name:
        raise no_such_record(hubspot, f"{here.object} {here.id} can only be linked to a record of {here.pair_name}")
    _check_present(there, hubspot)
    if here.link is not None and there.link is not None and here.link.id == there.link.id:
        if here.link.state in _LIVE:
            raise no_such_record(salesforce, f"the two are linked already ({here.link.state.value})", "")
        return _take_up(c, here, there)
    for view in (here, there):
        if view.link is not None and view.link.state in _LIVE:
            raise _has_partner(view)
    return _link_anew(c, here, there)


def _check_present(view: View, given: str) -> None:
    if view.pair is None:
        raise no_such_record(
            given, f"{view.pair_name} is switched off (P1, P2)", "switch it on in the settings first"
        )
    if view.record is None or not view.record.present:
        presence = view.record.presence.value if view.record else "never seen"
        remedy = "restore it, then `connector sync`, so that it is seen again"
        raise no_such_record(given, f"{view.object} {view.id} is {presence}", remedy)


def _has_partner(view: View) -> Exception:
    partner = view.link.id_of(view.side.other) if view.link else None
    return no_such_record(
        view.id,
        f"{view.object} {view.id} has a partner already: {partner or 'one is being made'}",
        f"no record has two; `connector links unlink {view.id}` ends that first",
    )


def _let_go(c: Connection, view: View) -> Relinked:
    """An ended pair is put aside: the record is looked at as if it were restored (D4)."""
    link = view.link
    if link is None or link.state in _LIVE:
        raise (
            _has_partner(view)
            if link
            else no_such_record(
                view.id,
                "it was never linked",
                "`connector explain` says why; `sync --record … --create` makes a partner",
            )
        )
    with c.store.runs.lease(), c.store.transaction():
        run = c.store.runs.note_act("relink", salesforce_id=view.id, hubspot_id=None)
        c.store.links.end(link.id, LinkState.CLOSED)
        c.store.records.mark(view.side, view.object, [view.id])
    return Relinked(run, view.id, None, taken_up=False, writes=())


def _take_up(c: Connection, here: View, there: View) -> Relinked:
    with c.store.runs.lease(), c.store.transaction():
        run = c.store.runs.note_act("relink", salesforce_id=here.id, hubspot_id=there.id)
        if here.link is not None:
            c.store.links.take_up(here.link.id, run)
        _look_again(c, here, there)
    return _tell(run, here, there, taken_up=True)


def _link_anew(c: Connection, here: View, there: View) -> Relinked:
    with c.store.runs.lease(), c.store.transaction():
        run = c.store.runs.note_act("relink", salesforce_id=here.id, hubspot_id=there.id)
        c.store.links.adopt(here.pair_name, here.id, there.id, Side.SALESFORCE, run, "hand")
        _look_again(c, here, there)
    return _tell(run, here, there, taken_up=False)


def _look_again(c: Connection, *views: View) -> None:
    """Both are merged by the next run, and what waited for them goes on."""
    for view in views:
        c.store.records.mark(view.side, view.object, [view.id])
        c.store.problems.solve([(view.side, view.object, view.id)])
    c.store.records.wake(views[0].pair_name, [(view.side, view.id) for view in views])


def _tell(run: int, here: View, there: View, *, taken_up: bool) -> Relinked:
    found = explain_view(make_view(here.work, here.side, here.object, here.id, ask=False))
    writes = tuple(one for one in found.fields if one.needs_writing)
    return Relinked(run, here.id, there.id, taken_up=taken_up, writes=writes)
