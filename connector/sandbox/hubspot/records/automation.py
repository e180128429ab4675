"""What does HubSpot do of its own accord when records have changed? Each of it is a switch of `settings.py`.

| when | who moves | to |
|---|---|---|
| an open deal is associated | its contacts, its primary company | `stage_on_deal_created` |
| a deal is won, or a won one associated | the same; an empty close date is filled | `stage_on_deal_won` |
| a company's stage changes | the contacts whose primary it is | its stage |
| a company becomes a contact's primary one | the contact | its stage |
| a value changes that others are computed from | who has them | now, as time of the last write |

Lifecycle stages move forward only, and no contact ever moves a company. The stage that a new record gets is given
in `writes.py`, with the record itself. HubSpot does all this some seconds later; here it is done at the end of the
call that led to it, and is no part of that call's answer (simplified). Sources: HubSpot Knowledge Base,
"Automatically sync lifecycle stages between certain records" and "Use lifecycle stages"; of the close date, the
description of the property that HubSpot ships.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.sandbox.hubspot.actors import setting
from connector.sandbox.hubspot.definitions.associations import PRIMARY
from connector.sandbox.hubspot.definitions.schema import BY_ALIAS, COMPANIES, CONTACTS, DEALS, ObjectType
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.records import writes
from connector.sandbox.hubspot.records.fields import stage_of
from connector.sandbox.hubspot.records.happenings import Linked, Written
from connector.sandbox.hubspot.records.lifecycle import STAGE, is_forward
from connector.sandbox.hubspot.records.records import Record

_CONTACT_OF_DEAL, _COMPANY_OF_DEAL = (DEALS.name, CONTACTS.name), (DEALS.name, COMPANIES.name)
_COMPANY_OF_CONTACT = (CONTACTS.name, COMPANIES.name)
# What the computed properties of a deal's contacts and companies look at.
_ROLLED_UP = frozenset({"amount", "closedate", "dealstage", "deal_currency_code"})
_Found = tuple[ObjectType, Record]


def react(portal: Portal) -> None:
    """Do what follows from all that has happened, and from what that leads to in turn."""
    while portal.noted:
        noted, portal.noted = portal.noted, []
        for happening in noted:
            if isinstance(happening, Linked):
                _on_linked(portal, happening)
            else:
                _on_written(portal, happening)


def _on_linked(portal: Portal, linked: Linked) -> None:
    if portal.settings.computed_moves_modified and _shows(linked):
        for name, record_id in zip(linked.pair, (linked.start, linked.end), strict=True):
            _move(portal, BY_ALIAS[name], record_id)
    if linked.pair == _COMPANY_OF_CONTACT and linked.gains(PRIMARY[_COMPANY_OF_CONTACT]):
        company, contact = _live(portal, COMPANIES, linked.end), _live(portal, CONTACTS, linked.start)
        if company is not None and contact is not None:
            _hand_down(portal, company, contact)
    elif (linked.pair == _CONTACT_OF_DEAL and linked.met) or (
        linked.pair == _COMPANY_OF_DEAL and linked.gains(PRIMARY[_COMPANY_OF_DEAL])
    ):
        kind = BY_ALIAS[linked.pair[1]]
        deal, other = _live(portal, DEALS, linked.start), _live(portal, kind, linked.end)
        if deal is not None and other is not None:
            _follow_deal(portal, deal, kind, other)


def _on_written(portal: Portal, written: Written) -> None:
    record = _live(portal, BY_ALIAS[written.kind], written.record_id)
    if record is None:
        return
    if written.kind == DEALS.name:
        if portal.settings.computed_moves_modified and not _ROLLED_UP.isdisjoint(written.names):
            for name in (CONTACTS.name, COMPANIES.name):
                for other_id in list(portal.associations.neighbours((DEALS.name, name), record.id)):
                    _move(portal, BY_ALIAS[name], other_id)
        if "dealstage" in written.names and _is_won(portal, record):
            for kind, other in list(_served(portal, record)):
                _follow_deal(portal, record, kind, other)
    elif written.kind == COMPANIES.name and STAGE in written.names:
        for contact in list(_staff(portal, record)):
            _hand_down(portal, record, contact)


# -- lifecycle stages


def _follow_deal(portal: Portal, deal: Record, kind: ObjectType, other: Record) -> None:
    """Raise a contact or a company to the stage of one that has this deal. A lost deal raises nobody."""
    settings, deal_stage = portal.settings, stage_of(portal, deal)
    if deal_stage is None:
        return
    if deal_stage.won:
        _raise(portal, kind, other, settings.stage_on_deal_won)
        closed = deal.values.get("closedate")
        if settings.stage_on_deal_won and closed is not None and "closedate" not in other.values:
            _write(portal, kind, other, {"closedate": closed})
    elif not deal_stage.closed:
        _raise(portal, kind, other, settings.stage_on_deal_created)


def _is_won(portal: Portal, deal: Record) -> bool:
    deal_stage = stage_of(portal, deal)
    return deal_stage is not None and deal_stage.won


def _hand_down(portal: Portal, company: Record, contact: Record) -> None:
    if portal.settings.sync_company_stage:
        _raise(portal, CONTACTS, contact, company.values.get(STAGE, ""))


def _raise(portal: Portal, kind: ObjectType, record: Record, stage: str) -> None:
    ranks = portal.properties[kind.name].defined[STAGE].allowed
    if is_forward(ranks, record.values.get(STAGE), stage):
        _write(portal, kind, record, {STAGE: stage})


def _write(portal: Portal, kind: ObjectType, record: Record, changes: writes.Changes) -> None:
    writes.overwrite(portal, kind, record, changes, setting(portal.settings.automation_source))


def _served(portal: Portal, deal: Record) -> Iterator[_Found]:
    """The contacts of a deal and its primary company."""
    for contact_id in portal.associations.neighbours(_CONTACT_OF_DEAL, deal.id):
        yield CONTACTS, portal.tables[CONTACTS.name].live[contact_id]
    company_id = portal.associations.primary(_COMPANY_OF_DEAL, deal.id)
    if company_id is not None:
        yield COMPANIES, portal.tables[COMPANIES.name].live[company_id]


def _staff(portal: Portal, company: Record) -> Iterator[Record]:
    """The contacts whose primary company it is."""
    contacts = portal.tables[CONTACTS.name].live
    for contact_id in portal.associations.neighbours((COMPANIES.name, CONTACTS.name), company.id):
        if portal.associations.primary(_COMPANY_OF_CONTACT, contact_id) == company.id:
            yield contacts[contact_id]


# -- computed properties


def _shows(linked: Linked) -> bool:
    """Whether a computed property tells of it: numbers of associated records, primary companies."""
    primary = PRIMARY.get(linked.pair)
    return linked.met or linked.parted or (primary in linked.before) is not (primary in linked.now)


def _move(portal: Portal, kind: ObjectType, record_id: int) -> None:
    """Move the time of the last write, unless the record has been written at this very moment."""
    record, now = _live(portal, kind, record_id), portal.now()
    if record is not None and record.modified < now:
        portal.tables[kind.name].touch(record, now)
        portal.note_written(kind, record)


def _live(portal: Portal, kind: ObjectType, record_id: int) -> Record | None:
    return portal.tables[kind.name].live.get(record_id)
