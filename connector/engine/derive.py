"""Bring what is derived from deals into HubSpot: rollups (U) and lifecycle stages (L), in one update a record.

Companies come before contacts, since a company's stage may concern its contacts (L5). What a contact's
transition hands on to its colleagues (L7 with L5) is noted with the transition itself, so that no crash
loses it, and is done in the next round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from connector.core.derived import LIFECYCLE_STAGE, Derivation, Derived, plan_derived
from connector.core.lifecycle import CompanyEvent, DealEvent, Move, Person, Status
from connector.core.model import Link, Pair, Problem, ProblemClass, Record, Side
from connector.core.rollups import DealFact, Rollup, roll_up
from connector.engine.apply import update
from connector.engine.work import Work
from connector.engine.world import CLOSE_DATE, COMPANIES, CONTACTS, DAYS_TO_CLOSE, DEALS
from connector.store.links import CONTACT_COMPANY, DEAL_COMPANY, ROLE, LinkedDeal

ROUNDS = 3


@dataclass
class _Deals:
    """The counted deals of one contact or company."""

    events: list[DealEvent] = field(default_factory=list)
    facts: list[DealFact] = field(default_factory=list)
    statuses: dict[int, Status] = field(default_factory=dict)


def derive(work: Work) -> None:
    """Compute and write what is due, in windows."""
    for name in (COMPANIES, CONTACTS):
        if name in work.c.pairs and DEALS in work.c.pairs:
            for _ in range(ROUNDS):
                if not _derive_pair(work, work.c.pairs[name]):
                    break


def _derive_pair(work: Work, pair: Pair) -> bool:
    """One round; whether there was anything to do."""
    after, busy = 0, False
    while links := work.c.store.links.to_derive(pair.name, after):
        after, busy = links[-1].id, True
        _derive_window(work, pair, links)
    return busy


def _derive_window(work: Work, pair: Pair, links: Sequence[Link]) -> None:
    store = work.c.store
    records = store.records.load(Side.HUBSPOT, pair.hubspot, [one.hubspot_id for one in links if one.hubspot_id])
    kind = ROLE if pair.name == CONTACTS else DEAL_COMPANY
    deals = _load_deals(work, kind, [one.id for one in links])
    companies = _load_companies(work, links) if pair.name == CONTACTS else {}
    handed = store.links.handed_on([one.id for one in links])
    order = work.world.stage_order(pair.hubspot)
    settings = work.c.settings.lifecycle_settings()
    planned: list[tuple[Derivation, Derived]] = []
    gone: list[int] = []
    for link in links:
        record = records.get(link.hubspot_id or "")
        if record is None or not record.present:
            gone.append(link.id)
            continue
        own = deals.get(link.id, _Deals())
        derivation = Derivation(
            pair=pair,
            link=link,
            record=record,
            person=_person(pair, record, own, companies.get(link.id), handed.get(link.id, [])),
            rollup=roll_up(own.facts),
            targets=work.world.rollup_targets(pair.hubspot),
            close_date=work.world.target(pair.hubspot, CLOSE_DATE),
            days_to_close=work.world.target(pair.hubspot, DAYS_TO_CLOSE),
        )
        planned.append((derivation, plan_derived(derivation, settings, order)))
    work.again = set()
    done = update(work, pair, Side.HUBSPOT, [one.update for _, one in planned if one.update])
    with store.transaction():
        through = [one for one in planned if one[1].update is None or one[0].link.id in done]
        ids = [derivation.link.id for derivation, _ in through]
        store.links.derived([*gone, *ids])
        store.links.apply(kind, {id_: deals[id_].statuses for id_ in ids if id_ in deals})
        for derivation, derived in through:
            _settle(work, kind, derivation, derived)
        _note_currencies(work, planned)


def _person(
    pair: Pair, record: Record, deals: _Deals, company: CompanyEvent | None, handed: Sequence[Move]
) -> Person:
    stage = record.fields.get(LIFECYCLE_STAGE)
    return Person(
        stage=str(stage) if stage else None,
        is_contact=pair.name == CONTACTS,
        deals=deals.events,
        company=company,
        handed_on=handed,
    )


def _settle(work: Work, kind: str, derivation: Derivation, derived: Derived) -> None:
    """Note what L5 has acted upon, and hand on what concerns others."""
    links, link = work.c.store.links, derivation.link
    company = derivation.person.company
    if company is not None:
        links.apply_company(link.id, company.company_id, company.stage)
    if kind == DEAL_COMPANY:
        if derived.update and LIFECYCLE_STAGE in derived.update.values and _hands_down(work):
            links.derive(links.children_of(CONTACT_COMPANY, link.id))
    elif derived.handed_on:
        for company_link in links.parents_of(CONTACT_COMPANY, [link.id]).get(link.id, ()):
            colleagues = set(links.children_of(CONTACT_COMPANY, company_link)) - {link.id}
            links.hand_on(colleagues, derived.handed_on)


def _hands_down(work: Work) -> bool:
    return work.c.settings.lifecycle.company_to_contacts


def _load_deals(work: Work, kind: str, parents: Sequence[int]) -> dict[int, _Deals]:
    found: dict[int, _Deals] = {}
    for parent, deal in work.c.store.links.deals_of(kind, parents):
        if not _counts(work, deal):
            continue
        own = found.setdefault(parent, _Deals())
        status = _status(work, deal)
        close_date = deal.hubspot_fields.get("closedate") or None
        own.statuses[deal.link.id] = status
        own.events.append(
            DealEvent(deal.link.hubspot_id or "", status, deal.applied, deal.with_creation, close_date)
        )
        own.facts.append(
            DealFact(
                hubspot_id=deal.link.hubspot_id or "",
                created=deal.salesforce_created if deal.link.born is Side.SALESFORCE else deal.hubspot_created,
                amount=_amount(deal.hubspot_fields.get("amount")),
                close_date=close_date,
                won=status is Status.WON,
                currency=deal.hubspot_fields.get("deal_currency_code") or None,
            )
        )
    return found


def _counts(work: Work, deal: LinkedDeal) -> bool:
    """Only deals in synced pipelines (U9)."""
    pipeline = deal.hubspot_fields.get("pipeline")
    return work.world.stages.syncs(str(pipeline) if pipeline else None)


def _status(work: Work, deal: LinkedDeal) -> Status:
    stage = str(deal.hubspot_fields.get("dealstage") or "")
    if stage in work.world.stages.won:
        return Status.WON
    return Status.LOST if stage in work.world.stages.closed else Status.OPEN


def _amount(value: object) -> Decimal | None:
    try:
        return Decimal(str(value)) if value not in (None, "") else None
    except InvalidOperation:
        return None


def _load_companies(work: Work, links: Sequence[Link]) -> Mapping[int, CompanyEvent]:
    """The primary company of each contact, with what L5 last applied."""
    if not _hands_down(work) or COMPANIES not in work.c.pairs:
        return {}
    store = work.c.store.links
    parents = store.parents_of(CONTACT_COMPANY, [one.id for one in links])
    companies = store.load({parent for some in parents.values() for parent in some})
    records = work.c.store.records.load(
        Side.HUBSPOT,
        work.c.pairs[COMPANIES].hubspot,
        [one.hubspot_id for one in companies.values() if one.hubspot_id],
    )
    applied = store.company_applied([one.id for one in links])
    events = {}
    for contact, some in parents.items():
        company = companies[next(iter(some))]
        record = records.get(company.hubspot_id or "")
        if record is not None and record.present:
            stage = record.fields.get(LIFECYCLE_STAGE)
            before_id, before_stage = applied.get(contact, (None, None))
            events[contact] = CompanyEvent(record.id, str(stage) if stage else None, before_id, before_stage)
    return events


def _note_currencies(work: Work, planned: Iterable[tuple[Derivation, Derived]]) -> None:
    """Several currencies are added as bare numbers, and that is said (U9)."""
    mixed = [one for one, _ in planned if len(one.rollup.currencies) > 1]
    work.c.store.problems.note([_mixed(one.record, one.rollup) for one in mixed], retry=False)


def _mixed(record: Record, rollup: Rollup) -> Problem:
    return Problem(
        record.side,
        record.object,
        record.id,
        ProblemClass.PROPERTY_VALUES,
        "SEVERAL_CURRENCIES",
        f"its deals are in {', '.join(sorted(rollup.currencies))}; total revenue adds the bare numbers",
        "read the total with care, or keep this company's deals in one currency (U9)",
        "total_revenue",
    )
