"""What the mapping files may choose of deletions (D5), and what they may not (D2, law 10)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.lab import Lab

from connector.core.model import Side
from connector.engine.run import Wish
from connector.errors import Refused

SF, HS = Side.SALESFORCE, Side.HUBSPOT
COMPANIES, CONTACTS, DEALS = "account-company", "contact-contact", "opportunity-deal"
BOTH = frozenset(Side)
KINDS = [("Account", "companies", COMPANIES), ("Contact", "contacts", CONTACTS)]


def make_lab(**deletes: frozenset[Side]) -> Lab:
    """A lab in which deletions travel from these sides, by object: accounts, contacts, opportunities."""
    lab = Lab()
    names = {"accounts": COMPANIES, "contacts": CONTACTS, "opportunities": DEALS}
    chosen = {names[name]: sides for name, sides in deletes.items()}
    lab.pairs = {name: replace(one, deletes=chosen.get(name, one.deletes)) for name, one in lab.pairs.items()}
    lab.sync()
    return lab


def make(lab: Lab, sobject: str, number: int = 1) -> list[str]:
    given = {"Account": {"Name": "Solo {}"}, "Contact": {"LastName": "Solo {}", "Email": "solo{}@x.example"}}
    fields = given[sobject]
    return [
        lab.sf_create(sobject, **{name: text.format(each) for name, text in fields.items()})
        for each in range(number)
    ]


def ids(lab: Lab, sobject: str) -> set[str]:
    return {row["Id"] for row in lab.sf_all(f"SELECT Id FROM {sobject}")}


@pytest.mark.parametrize(("sobject", "object_", "_"), KINDS)
def test_D5_a_deletion_in_salesforce_may_take_the_partner_along(sobject, object_, _):
    """The HubSpot record is archived, and the journal has all that it held."""
    lab = make_lab(accounts=frozenset({SF}), contacts=frozenset({SF}))
    (record,) = make(lab, sobject)
    lab.sync_once()
    partner = lab.partner(object_, record)
    lab.sf_delete(sobject, record)
    report = lab.sync_once()
    assert report.deleted == {SF: {}, HS: {object_: 1}}
    assert lab.hs_all(object_) == {}
    assert partner in lab.hs_all(object_, archived=True)
    (entry,) = [one for one in lab.store.journal.of_run(report.run) if one["verb"] == "delete"]
    assert (entry["state"], entry["side"], entry["record_id"]) == ("done", "hubspot", partner)
    kept = {change["field"]: change["old"] for change in entry["changes"]}
    name = {"companies": "name", "contacts": "lastname"}[object_]
    assert kept[name] == "Solo 0"
    assert {(change["rule"], record in change["cause"]) for change in entry["changes"]} == {("D5", True)}


@pytest.mark.parametrize(("sobject", "object_", "_"), KINDS)
def test_D5_a_deletion_in_hubspot_may_take_the_partner_along(sobject, object_, _):
    """The Salesforce record goes to the recycle bin; what comes back from there gets a new partner."""
    lab = make_lab(accounts=frozenset({HS}), contacts=frozenset({HS}))
    (record,) = make(lab, sobject)
    lab.sync_once()
    lab.hs_delete(object_, lab.partner(object_, record))
    lab.advance(days=1)
    report = lab.sync_once()
    assert report.deleted == {SF: {sobject: 1}, HS: {}}
    assert ids(lab, sobject) == set()
    (entry,) = [one for one in lab.store.journal.of_run(report.run) if one["verb"] == "delete"]
    kept = {change["field"]: change["old"] for change in entry["changes"]}
    assert kept[{"Account": "Name", "Contact": "LastName"}[sobject]] == "Solo 0"
    lab.sandbox_post("salesforce", "undelete", {"ids": [record]})
    lab.sync_once()
    assert lab.partner(object_, record) is not None


@pytest.mark.parametrize(("sobject", "object_", "_"), KINDS)
def test_D5_each_direction_is_a_choice_of_its_own(sobject, object_, _):
    """What travels from one side does not travel from the other."""
    lab = make_lab(accounts=frozenset({SF}), contacts=frozenset({SF}))
    (record,) = make(lab, sobject)
    lab.sync_once()
    lab.hs_delete(object_, lab.partner(object_, record))
    lab.advance(days=1)
    assert lab.sync_once().deleted == {SF: {}, HS: {}}
    assert ids(lab, sobject) == {record}


def test_D5_an_opportunity_may_leave_its_deal():
    """With `unlink`, the deal stays, and later edits of it make no new opportunity."""
    lab = make_lab(opportunities=frozenset())
    *_, opportunity = lab.business()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    lab.sf_delete("Opportunity", opportunity)
    lab.sync_once()
    lab.hs_edit("deals", deal, dealname="Still ours")
    lab.sync_once()
    assert set(lab.hs_all("deals")) == {deal}
    assert ids(lab, "Opportunity") == set()
    lab.sandbox_post("salesforce", "undelete", {"ids": [opportunity]})
    lab.sync_once()
    assert lab.deal_of(opportunity) == deal


def test_D2_no_account_is_deleted_that_would_take_opportunities_or_contacts_along():
    """Salesforce would delete them with it: the account stays, unlinked, and is listed; nothing is tried again."""
    lab = make_lab(accounts=BOTH, contacts=BOTH)
    account, contact, opportunity = lab.business()
    (bare,) = make(lab, "Account")
    lab.sync_once()
    for each in (account, bare):
        lab.hs_delete("companies", lab.partner("companies", each))
    lab.advance(days=1)
    planned = lab.plan()
    report = lab.sync()
    assert report.deleted == planned.deleted == {SF: {"Account": 1}, HS: {}}
    assert (ids(lab, "Account"), ids(lab, "Contact"), ids(lab, "Opportunity")) == (
        {account}, {contact}, {opportunity},
    )  # fmt: skip
    (problem,) = lab.problems()
    assert (problem["code"], problem["cause"]) == ("HAS_CHILDREN", "associations")
    assert "1 opportunities and 1 contacts" in problem["detail"]
    lab.advance(days=2)
    assert lab.sync().writes == 0
    assert account in ids(lab, "Account")


def test_D2_no_account_is_deleted_by_a_user_who_may_not_see_all_opportunities():
    """What is out of sight would go along too: the right that lacks is named, and with it the account goes."""
    lab = make_lab(accounts=BOTH)
    (account,) = make(lab, "Account")
    lab.sync_once()
    lab.hs_delete("companies", lab.partner("companies", account))
    rights = {"PermissionsViewAllData": False, "PermissionsModifyAllData": False}
    lab.sandbox_post("salesforce", "permissions", rights, method="PUT")
    lab.advance(days=1)
    assert lab.sync().deleted == {SF: {}, HS: {}}
    (problem,) = lab.problems()
    assert (problem["code"], problem["cause"]) == ("SEES_TOO_LITTLE", "permissions")
    assert "View All Data" in problem["remedy"]
    lab.sandbox_post("salesforce", "permissions", dict.fromkeys(rights, True), method="PUT")
    lab.advance(hours=1)
    assert lab.sync().deleted == {SF: {"Account": 1}, HS: {}}
    assert lab.problems() == []


def test_D5_an_account_goes_after_its_contacts():
    """Both partners were deleted in HubSpot: the contact goes first, so that the account has none left."""
    lab = make_lab(accounts=BOTH, contacts=BOTH)
    (account,) = make(lab, "Account")
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example", AccountId=account)
    lab.sync_once()
    lab.hs_delete("companies", lab.partner("companies", account))
    lab.hs_delete("contacts", lab.partner("contacts", contact))
    lab.advance(days=1)
    lab.sync_once()
    assert (ids(lab, "Account"), ids(lab, "Contact")) == (set(), set())


@pytest.mark.parametrize(("object_", "sobject"), [("contacts", "Contact"), ("companies", "Account")])
def test_D6_merged_records_take_nothing_along(object_, sobject):
    """A merge is no deletion, on either side, whatever the mapping says."""
    lab = make_lab(accounts=BOTH, contacts=BOTH)
    first, second = make(lab, sobject, 2)
    lab.sync_once()
    merge = {"primaryObjectId": lab.partner(object_, first), "objectIdToMerge": lab.partner(object_, second)}
    lab.hs("POST", f"/crm/v3/objects/{object_}/merge", merge)
    lab.advance(days=1)
    lab.sync_until_rest()
    assert ids(lab, sobject) == {first, second}
    lab.sandbox_post("salesforce", "merge", {"sobject": sobject, "master": first, "losers": [second]})
    lab.sync_until_rest()
    assert len(lab.hs_all(object_)) == 1


def test_D6_what_is_out_of_sight_takes_nothing_along():
    """A right that is taken away is no deletion."""
    lab = make_lab(accounts=BOTH, contacts=BOTH)
    make(lab, "Contact", 2)
    lab.sync_once()
    lab.sandbox_post("salesforce", "permissions", {"objects": {"Contact": {"read": False}}}, method="PUT")
    for _ in range(2):
        lab.advance(days=1)
        try:
            lab.sync(Wish(deletes=True))
        except Exception as stopped:  # noqa: BLE001  # either is right, if nothing is deleted
            assert "Contact" in str(stopped)  # noqa: PT017
    assert len(lab.hs_all("contacts")) == 2


def test_D9_out_of_scope_records_take_nothing_along(tmp_path):
    """A pair that is frozen is unlinked, from whichever side it is deleted."""
    lab = make_lab(accounts=BOTH)
    first, second = make(lab, "Account", 2)
    lab.sync_once()
    partners = [lab.partner("companies", one) for one in (first, second)]

    class Nobody:
        fields = ("Name",)

        def admits(self, fields):
            return False if fields.get("Name") else None

    lab.pairs = lab.pairs | {COMPANIES: replace(lab.pairs[COMPANIES], scope={SF: Nobody()})}
    lab.sync()
    lab.sf_delete("Account", first)
    lab.hs_delete("companies", partners[1])
    lab.advance(days=1)
    assert lab.sync(Wish(deletes=True)).deleted == {SF: {}, HS: {}}
    assert set(lab.hs_all("companies")) == {partners[0]}
    assert ids(lab, "Account") == {second}


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("sobject", "object_", "_"), KINDS)
def test_D7_the_guard_counts_every_object_on_both_sides(side, sobject, object_, _):
    """Eleven of twelve are too many, whoever they are; with leave they go."""
    lab = make_lab(accounts=BOTH, contacts=BOTH)
    made = make(lab, sobject, 12)
    lab.sync_once()
    partners = {one["sf_record_id"]: id_ for id_, one in lab.hs_all(object_, "sf_record_id").items()}
    for each in made[:11]:
        if side is SF:
            lab.sf_delete(sobject, each)
        else:
            lab.hs_delete(object_, partners[each])
    lab.advance(days=1)
    with pytest.raises(Refused) as refused:
        lab.sync(Wish())
    lost = object_ if side is SF else sobject
    assert f"11 of 12 {lost} of {side.other}" in refused.value.message
    assert len(lab.hs_all(object_)) == (12 if side is SF else 1)
    assert len(ids(lab, sobject)) == (1 if side is SF else 12)
    lab.sync(Wish(deletes=True))
    assert (len(lab.hs_all(object_)), len(ids(lab, sobject))) == (1, 1)


def test_D7_deletions_that_come_to_light_during_a_run_are_counted_too():
    """The companies' deletion shows when the run writes to them: none of their accounts goes in it."""
    lab = make_lab(accounts=BOTH)
    made = make(lab, "Account", 12)
    lab.sync_once()
    for id_ in list(lab.hs_all("companies")):
        lab.hs_delete("companies", id_)
    for each in made:
        lab.sf_edit("Account", each, Phone="1")
    report = lab.sync(Wish())
    assert report.deleted == {SF: {}, HS: {}}
    assert any("came to light" in note for note in report.notes)
    assert len(ids(lab, "Account")) == 12
    with pytest.raises(Refused):
        lab.sync(Wish())
