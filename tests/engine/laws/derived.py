"""What follows from deals, added up anew: rollups (U), and who has to be how far (L)."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.laws.rest import Rest
from engine.laws.sight import HUBSPOT_OF, ORDER, Row
from engine.laws.styles import STAGE_FIELD

ROLLUPS = (
    "num_associated_deals", "first_deal_created_date", "recent_deal_amount", "recent_deal_close_date",
    "total_revenue",
)  # fmt: skip


def hold_rollups(rest: Rest) -> None:
    """The rollups of every linked contact and company, anew, from what both CRMs show."""
    counted = {deal: (row, record) for _, row, deal, record in rest.linked("Opportunity")}
    for object_ in ("Contact", "Account"):
        there = HUBSPOT_OF[object_]
        for id_, _, partner, record in rest.linked(object_):
            if there == "companies" and _is_in_doubt(rest, partner):
                continue
            mine = {deal: both for deal, both in counted.items() if _is_of(rest, deal, there, partner)}
            shown = {name: _plain(record.get(f"sf_{name}")) for name in ROLLUPS}
            expected = [_add_up(rest, mine, merged_too=either) for either in (True, False)]
            never = not mine and all(value is None for value in shown.values())
            assert never or shown in expected, ("rollups", object_, id_, partner, shown, expected)


def _is_in_doubt(rest: Rest, company: str) -> bool:
    """Whether a deal that HubSpot has with this company waits for an account or company without a partner.

    Then it counts if both sides agreed on this company before, and nobody can know that who sees only both CRMs.
    """
    pairs = rest.pairs["Opportunity"]
    waiting = [deal for id_, deal in pairs.items() if {("Opportunity", id_), ("deals", deal)} & rest.waiting]
    return any(rest.sight.company("deals", deal) == company for deal in waiting)


def _is_of(rest: Rest, deal: str, object_: str, id_: str) -> bool:
    if object_ == "companies":  # both sides have to agree whose deal it is
        account = rest.here["Opportunity"][rest.partners["Opportunity"][deal]].get("AccountId")
        return rest.sight.company("deals", deal) == id_ and rest.pairs["Account"].get(account) == id_
    return id_ in rest.sight.associated("deals", deal, "contacts")


def _add_up(rest: Rest, deals: dict[str, tuple[Row, Row]], *, merged_too: bool) -> dict[str, str | None]:
    """The rollups. An empty store may not see that a deal was born in HubSpot, if one was merged into it."""
    if not deals:
        return dict.fromkeys(ROLLUPS) | {ROLLUPS[0]: "0"}
    born = {
        deal: _moment(rest, deal)
        if row.get("HubSpot_Id__c") in (rest.sight.ids_of("deals", deal) if merged_too else {deal})
        else row["CreatedDate"][:23]
        for deal, (row, _) in deals.items()
    }
    recent = deals[max(deals, key=lambda deal: (born[deal], int(deal)))][1]
    won = [record for _, record in deals.values() if rest.sight.odds_of(record) == 1.0]
    values = (
        str(len(deals)), min(born.values()), recent.get("amount"), recent.get("closedate"),
        str(sum(float(one.get("amount") or 0) for one in won)),
    )  # fmt: skip
    return {name: _plain(value) for name, value in zip(ROLLUPS, values, strict=True)}


def _moment(rest: Rest, deal: str) -> str:
    created = rest.play.lab.hubspot.portal.tables["deals"].live[int(deal)].created
    return datetime.fromtimestamp(created / 1000, UTC).isoformat(timespec="milliseconds")[:23]


def _plain(value: str | None) -> str | None:
    if value in (None, ""):
        return None
    assert value is not None
    return value[:19] if "T" in value else f"{float(value):.12g}"


def hold_lifecycle(rest: Rest) -> None:
    """Who has a won deal is a customer at least, who has an open one an opportunity; nobody else moves."""
    style, memory = rest.play.style, rest.play.memory
    exempt = memory.lowered | memory.ever_loose
    counted = [(deal, record) for _, _, deal, record in rest.linked("Opportunity")]
    for object_ in ("Contact", "Account"):
        for id_, row, partner, record in rest.linked(object_):
            stage = record.get("lifecyclestage")
            if style.backwards and object_ == "Contact":
                wanted = row.get(STAGE_FIELD)
                assert stage == wanted, ("L8: Salesforce says how far a contact is", id_, row, record)
                continue
            odds = [
                rest.sight.odds_of(one) for deal, one in counted if _is_of(rest, deal, HUBSPOT_OF[object_], partner)
            ]
            least = "customer" if 1.0 in odds else None
            if least is None and object_ == "Contact" and any(one not in {0.0, 1.0} for one in odds):
                least = "opportunity"
            if least and partner not in exempt and id_ not in exempt:
                height = ORDER.index(stage) if stage else -1
                assert height >= ORDER.index(least), ("L3, L7", id_, partner, stage, odds)
            if style.name in {"shipped", "typed"} and partner not in memory.moved_people | exempt:
                assert stage is None, ("nothing happened that moves a stage", id_, partner, stage)
