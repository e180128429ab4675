"""Bring what is derived from deals into HubSpot: rollups (U) and lifecycle stages (L), in one update a record.

Companies come before contacts, since a company's stage may concern its contacts (L5). What a transition hands on
to others (L7 with L5, the account fallback of L7) is noted with the transition itself, so that no crash loses it,
and is done in the next round.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.actions import Update
from connector.core.derived import (
    LIFECYCLE_STAGE,
    Derivation,
    Derived,
    follows_salesforce,
    plan_derived,
)
from connector.core.lifecycle import CompanyEvent, DealEvent, Person, Status
from connector.core.model import Fields, Link, Pair, Problem, ProblemClass, Record, Side
from connector.core.rollups import NUMBER, DealFact, Rollup, roll_up
from connector.engine.apply import update
from connector.engine.needed import CLOSE_DATE, DAYS_TO_CLOSE
from connector.engine.stages import stage_order
from connector.engine.work import Work
from connector.engine.world import COMPANIES, CONTACTS, DEALS
from connector.store.links import CONTACT_COMPANY, DEAL_COMPANY, ROLE, LinkedDeal

ROUNDS = 3


@dataclass
class Deals:
    """The counted deals of one contact or company."""

    events: list[DealEvent] = field(default_factory=list)
    facts: list[DealFact] = field(default_factory=list)
    statuses: dict[int, Status] = field(default_factory=dict)


def derive(work: Work, pairs: Collection[str]) -> list[Pair]:
    """Compute and write what is due of these pairs, in windows.

    Returns those whose mapping carries some of it onward.
    """
    mapped = []
    for name in (COMPANIES, CONTACTS):
        if name in pairs and DEALS in work.c.pairs:
            pair = work.c.pairs[name]
            for _ in range(ROUNDS):
                if not _derive_pair(work, pair):
                    break
            if _mapped(work, pair):
                mapped.append(pair)
    return mapped


def _mapped(work: Work, pair: Pair) -> set[str]:
    """The derived properties that are mapped as well."""
    derived = {LIFECYCLE_STAGE, *work.world.rollup_targets(pair.hubspot).values()}
    derived |= {work.world.target(pair.hubspot, name) for name in (CLOSE_DATE, DAYS_TO_CLOSE)}
    return derived & {name for rule in pair.fields for name in rule.hubspot}


def _derive_pair(work: Work, pair: Pair) -> bool:
    """One round; whether there was anything to do."""
    after, busy = 0, False
    while links := work.c.store.links.to_derive(pair.name, after):
        after, busy = links[-1].id, True
        _derive_window(work, pair, links)
        work.progress(len(links))
    return busy


def _derive_window(work: Work, pair: Pair, links: Sequence[Link]) -> None:
    store = work.c.store
    kind = ROLE if pair.name == CONTACTS else DEAL_COMPANY
    deals = load_deals(work, kind, [one.id for one in links])
    settings = work.c.settings.lifecycle_settings()
    derivations = _gather(work, pair, links, deals)
    order = stage_order(work, pair, [stage for one in derivations if (stage := one.person.stage)])
    planned = [(one, plan_derived(one, settings, order)) for one in derivations]
    work.again, work.troubled = set(), set()
    updates = [one.update for _, one in planned if one.update]
    done = update(work, pair, Side.HUBSPOT, updates)
    done |= _find_refused(work, pair, updates)
    through = [one for one in planned if one[1].update is None or one[0].link.id in done]
    with store.transaction():
        ids = [derivation.link.id for derivation, _ in through]
        gone = {one.id for one in links} - {one.link.id for one in derivations}
        store.links.derived([*gone, *ids])
        store.links.apply(kind, {id_: deals[id_].statuses for id_ in ids if id_ in deals})
        for derivation, derived in [*through, *_find_overtaken(work, pair, planned, done)]:
            _hand_on(work, kind, derivation.link, derived)
        for derivation, _ in through:
            _settle_company(work, derivation)
        _carry_on(work, pair, [one for one, _ in through])
        _note_currencies(work, planned)


def _gather(work: Work, pair: Pair, links: Sequence[Link], deals: Mapping[int, Deals]) -> list[Derivation]:
    """All that bears on each of these links whose HubSpot record is there."""
    store, world = work.c.store, work.world
    records = store.records.load(Side.HUBSPOT, pair.hubspot, [one.hubspot_id for one in links if one.hubspot_id])
    companies = _load_companies(work, links) if pair.name == CONTACTS else {}
    handed = store.links.handed_on([one.id for one in links])
    targets = world.rollup_targets(pair.hubspot)
    return [
        Derivation(
            pair=pair,
            link=link,
            record=record,
            person=Person(
                stage=_text(record.fields.get(LIFECYCLE_STAGE)),
                is_contact=pair.name == CONTACTS,
                deals=own.events,
                company=companies.get(link.id),
                handed_on=handed.get(link.id, []),
                # Only who has had a deal has a number of deals (U1), so it outlives deals, roles and the store.
                had_deal=_text(record.fields.get(targets[NUMBER])) is not None,
                follows_salesforce=follows_salesforce(pair, link),
            ),
            rollup=roll_up(own.facts),
            targets=targets,
            close_date=world.target(pair.hubspot, CLOSE_DATE),
            days_to_close=world.target(pair.hubspot, DAYS_TO_CLOSE),
        )
        for link in links
        if (record := records.get(link.hubspot_id or "")) and record.present
        for own in [deals.get(link.id, Deals())]
    ]


def _text(value: object) -> str | None:
    return None if value in (None, "") else str(value)


def _find_refused(work: Work, pair: Pair, updates: Sequence[Update]) -> set[int]:
    """The links whose stage HubSpot refused. All else was written, and that problem is told once, not every run."""
    return {
        one.link.id
        for one in updates
        if (Side.HUBSPOT, pair.hubspot, one.record_id, LIFECYCLE_STAGE) in work.troubled
    }


def _carry_on(work: Work, pair: Pair, derivations: Sequence[Derivation]) -> None:
    """What was derived may be mapped too, and then travels on to Salesforce like any edit."""
    names = _mapped(work, pair)
    if not names:
        return
    now = work.c.store.records.load(Side.HUBSPOT, pair.hubspot, [one.record.id for one in derivations])
    moved = [
        one.record.id
        for one in derivations
        if any(
            _text(now[one.record.id].fields.get(name)) != _text(one.link.base.hubspot.get(name)) for name in names
        )
    ]
    work.c.store.records.mark(Side.HUBSPOT, pair.hubspot, moved)


def _find_overtaken(
    work: Work, pair: Pair, planned: Sequence[tuple[Derivation, Derived]], done: set[int]
) -> list[tuple[Derivation, Derived]]:
    """Transitions that HubSpot made itself while this run was about to: they concern the colleagues as much."""
    waiting = [one for one in planned if one[1].update and one[1].handed_on and one[0].link.id not in done]
    now = work.c.store.records.load(Side.HUBSPOT, pair.hubspot, [one.record.id for one, _ in waiting])
    return [
        (derivation, derived)
        for derivation, derived in waiting
        if derived.update
        and derived.update.values.get(LIFECYCLE_STAGE) == now[derivation.record.id].fields.get(LIFECYCLE_STAGE)
    ]


def _settle_company(work: Work, derivation: Derivation) -> None:
    """Note what L5 has acted upon."""
    company = derivation.person.company
    if company is not None:
        work.c.store.links.apply_company(derivation.link.id, company.company_id, company.stage)


def _hand_on(work: Work, kind: str, link: Link, derived: Derived) -> None:
    """What concerns others: the contacts of a company, the colleagues of a contact."""
    links = work.c.store.links
    if kind == DEAL_COMPANY:
        if derived.update and LIFECYCLE_STAGE in derived.update.values and _hands_down(work):
            links.derive(links.children_of(CONTACT_COMPANY, link.id))
        if derived.handed_on:
            links.hand_on(links.children_of(CONTACT_COMPANY, link.id), derived.handed_on)
    elif derived.handed_on:
        for company_link in links.parents_of(CONTACT_COMPANY, [link.id]).get(link.id, ()):
            colleagues = set(links.children_of(CONTACT_COMPANY, company_link)) - {link.id}
            links.hand_on(colleagues, derived.handed_on)


def _hands_down(work: Work) -> bool:
    return work.c.settings.lifecycle.company_to_contacts


def load_deals(work: Work, kind: str, parents: Sequence[int]) -> dict[int, Deals]:
    """What counts of the deals of contacts or companies (`kind` of edge), by their links (U9)."""
    found: dict[int, Deals] = {}
    counted = [one for one in work.c.store.links.deals_of(kind, parents) if _counts(work, one[1])]
    if kind == DEAL_COMPANY:
        companies = work.c.store.links.load(parents)
        counted = [one for one in counted if is_of(companies[one[0]], one[1].link, one[1].hubspot_fields)]
    alone = _find_without_roles(work, [deal.link for _, deal in counted]) if kind == DEAL_COMPANY else set()
    for parent, deal in counted:
        own = found.setdefault(parent, Deals())
        status = _status(work, deal)
        close_date = deal.hubspot_fields.get("closedate") or None
        own.statuses[deal.link.id] = status
        own.events.append(
            DealEvent(
                deal_id=deal.link.hubspot_id or "",
                status=status,
                applied=deal.applied,
                with_creation=deal.with_creation,
                close_date=close_date,
                has_roles=deal.link.id not in alone,
            )
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


def _find_without_roles(work: Work, deals: Sequence[Link]) -> set[int]:
    """The links of opportunities on which nobody has a role (L7); nobody asks as long as the fallback is off."""
    if not work.c.settings.lifecycle.account_fallback:
        return set()
    agreed = work.c.store.links.parents_of(ROLE, [one.id for one in deals])
    seen = work.c.store.records.roles_of([one.salesforce_id for one in deals if one.salesforce_id])
    return {one.id for one in deals if one.id not in agreed and not seen.get(one.salesforce_id or "")}


def _counts(work: Work, deal: LinkedDeal) -> bool:
    """Only deals in synced pipelines (U9)."""
    pipeline = deal.hubspot_fields.get("pipeline")
    return work.world.stages.syncs(str(pipeline) if pipeline else None)


def is_of(company: Link, deal: Link, fields: Fields) -> bool:
    """Whether a deal is still with the company that both sides agreed on, going by HubSpot (U9).

    A deal may have been given one that has no account yet: then nothing new is agreed on until there is one. A
    merged company has another id than the one that was agreed on, which the deal may not have been read with yet.
    """
    agreed = deal.base.hubspot.get(PRIMARY_COMPANY)
    now = fields.get(PRIMARY_COMPANY, agreed)
    return now is not None and now in {agreed, company.hubspot_id}


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
