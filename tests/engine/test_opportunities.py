"""Opportunities and deals: fields, pipelines, stages, who becomes what, what blocks one (O1-O10, E1)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.lab import Died, Lab

from connector.core.model import Side

SEVEN = [
    # Salesforce field, value, HubSpot property, value
    ("Name", "Renamed", "dealname", "Renamed"),
    ("CloseDate", "2026-11-05", "closedate", "2026-11-05T00:00:00.000Z"),
    ("Type", "Existing Customer - Upgrade", "dealtype", "existingbusiness"),
    ("Description", "Two lines,\nof text", "description", "Two lines,\nof text"),
    ("Amount", 1054.5, "amount", "1054.5"),
    ("StageName", "Value Proposition", "dealstage", "Value Proposition"),
    ("OwnerId", "olga@example.com", "hubspot_owner_id", "olga@example.com"),
]
TRICKY = [
    "Ωmega – Ünïcode 東京 🚀",
    "D'Angelo \"the Deal\" \\ O''Brien",
    "100% off_season; DROP TABLE--",
    "<b>&amp; {record_type.id}</b>",
]


@pytest.fixture
def lab():
    return Lab()


def add_owner(lab, email="olga@example.com", **user):
    """Somebody who works in both CRMs: their Salesforce and HubSpot ids."""
    [made] = lab.sandbox_post("salesforce", "users", [{"Username": email, **user}])
    [owner] = lab.sandbox_post("hubspot", "owners", [{"email": email, "firstName": "Olga"}])
    return made["id"], owner["id"]


def add_record_types(lab, *names, **picklists):
    given = [{"Name": name, **({"picklistValues": picklists} if picklists else {})} for name in names]
    return [one["id"] for one in lab.sandbox_post("salesforce", "record_types", given)]


def create_deal(lab, pipeline="sf_default", *, associations=(), stage="Prospecting", **properties):
    given = {"dealname": "Born in HubSpot", "closedate": "2026-09-30T00:00:00Z", "amount": "70"}
    where = {"pipeline": pipeline, "dealstage": lab.stages(pipeline)[stage]} if stage else {}
    chosen = {name: value for name, value in {**given, **where, **properties}.items() if value is not None}
    return lab.hs_create("deals", associations, **chosen)


def associated(type_id, to):
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
    return {"to": {"id": to}, "types": [spec]}


def opportunity_of(lab, deal):
    [row] = lab.sf_all(f"SELECT Id FROM Opportunity WHERE HubSpot_Id__c = '{deal}'")
    return lab.sf_get("Opportunity", row["Id"])


def sf_pipelines(lab):
    """The pipelines that stand for record types, by label."""
    found = lab.hs("GET", "/crm/v3/pipelines/deals")["results"]
    return {one["label"]: one for one in found if one["id"] != "default"}


# --- O1: seven fields, both ways ----------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "here", "property_", "there"), SEVEN)
@pytest.mark.parametrize("source", list(Side))
def test_O1_each_default_field_goes_both_ways(lab, source, field, here, property_, there):
    """An edit of one side arrives on the other, alone."""
    user, owner = add_owner(lab)
    opportunity = lab.opportunity()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    if field == "OwnerId":
        here, there = user, owner
    if field == "StageName":
        there = lab.stages("sf_default")[here]
    if source is Side.SALESFORCE:
        lab.sf_edit("Opportunity", opportunity, **{field: here})
    else:
        lab.hs_edit("deals", deal, **{property_: there})
    report = lab.sync_once()
    assert lab.hs_get("deals", deal, property_)[property_] == there
    assert lab.sf_get("Opportunity", opportunity)[field] == here
    assert report.writes == 1
    assert report.conflicts == 0


@pytest.mark.parametrize("field", ["Amount", "Description", "Type"])
def test_O1_clearing_goes_both_ways(lab, field):
    """An emptied field empties its partner."""
    filled = {"Amount": 5, "Description": "text", "Type": "New Customer"}
    property_ = {"Amount": "amount", "Description": "description", "Type": "dealtype"}[field]
    one, other = lab.opportunity("One", **filled), lab.opportunity("Other", **filled)
    lab.sync_once()
    lab.sf_edit("Opportunity", one, **{field: None})
    lab.hs_edit("deals", lab.deal_of(other), **{property_: ""})
    lab.sync_once()
    assert not lab.hs_get("deals", lab.deal_of(one), property_)[property_]
    assert lab.sf_get("Opportunity", other)[field] is None


@pytest.mark.parametrize("text", TRICKY)
def test_O1_text_survives_whatever_it_holds(lab, text):
    """Unicode, quotes and what looks like code, both ways, letter by letter."""
    opportunity = lab.opportunity(text, Description=text)
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    assert lab.hs_get("deals", deal, "dealname")["dealname"] == text
    born = create_deal(lab, dealname=text[::-1], description=text)
    lab.sync_once()
    assert opportunity_of(lab, born)["Name"] == text[::-1]
    assert opportunity_of(lab, born)["Description"] == text


def test_O1_long_texts_arrive_whole(lab):
    """As long as Salesforce takes them: 120 letters of name, 32,000 of description."""
    name, description = "ñ" * 120, "lorem 東京 " * 3200
    opportunity = lab.opportunity(name, Description=description.strip())
    lab.sync_once()
    seen = lab.hs_get("deals", lab.deal_of(opportunity), "dealname", "description")
    assert (seen["dealname"], seen["description"]) == (name, description.strip())


def test_O1_250_opportunities_cross_over_in_one_run(lab):
    """More than two batches of either vendor: each gets one deal of its own, and its edits too."""
    made = [
        {"attributes": {"type": "Opportunity"}, "Name": f"Deal {number}", "StageName": "Prospecting",
         "CloseDate": "2026-06-30", "Amount": number}
        for number in range(250)
    ]  # fmt: skip
    for start in (0, 200):
        lab.sf("POST", "/services/data/v62.0/composite/sobjects", {"records": made[start : start + 200]})
    report = lab.sync()
    assert report.created[Side.HUBSPOT] == {"deals": 250}
    deals = lab.hs_all("deals", "dealname", "amount", "sf_record_id")
    assert {row["dealname"]: float(row["amount"]) for row in deals.values()} == {
        f"Deal {number}": number for number in range(250)
    }
    assert len({row["sf_record_id"] for row in deals.values()}) == 250
    assert lab.sync().writes == 0


# --- O2, O3: pipelines --------------------------------------------------------------------------------------


def test_O2_without_record_types_there_is_one_default_pipeline(lab):
    """It is called so, and deals of opportunities are in it."""
    opportunity = lab.opportunity()
    lab.sync_once()
    [(label, pipeline)] = sf_pipelines(lab).items()
    assert label == "Salesforce - Default pipeline"
    assert lab.hs_get("deals", lab.deal_of(opportunity), "pipeline")["pipeline"] == pipeline["id"]


def test_O2_a_single_record_type_has_the_default_pipeline_too(lab):
    """An opportunity of it, and one from before it was there, are both in the one pipeline."""
    old = lab.opportunity("Old")
    [record_type] = add_record_types(lab, "Renewal")
    new = lab.opportunity("New", RecordTypeId=record_type)
    lab.sync_once()
    assert list(sf_pipelines(lab)) == ["Salesforce - Default pipeline"]
    assert {lab.hs_get("deals", lab.deal_of(one), "pipeline")["pipeline"] for one in (old, new)} == {lab.pipeline()}


@pytest.mark.parametrize("readable", [False, True])
def test_O2_several_record_types_have_a_pipeline_each(lab, readable):
    """Named after the record type's id, or by its name where the setting says so."""
    if readable:
        lab.configure(PIPELINES__LABEL="Salesforce - {record_type.name}")
    names = ("New Business", "Renewal")
    ids = add_record_types(lab, *names)
    made = [lab.opportunity(name, RecordTypeId=id_) for name, id_ in zip(names, ids, strict=True)]
    lab.sync_once()
    labels = [f"Salesforce - {one}" for one in (names if readable else ids)]
    assert sorted(sf_pipelines(lab)) == sorted(labels)
    for label, opportunity in zip(labels, made, strict=True):
        deal = lab.hs_get("deals", lab.deal_of(opportunity), "pipeline")
        assert deal["pipeline"] == lab.pipeline(label)


def test_O2_moving_between_record_type_and_pipeline_goes_both_ways(lab):
    """The record type follows the deal's pipeline, and the pipeline the record type, with the stage."""
    first, second = add_record_types(lab, "First", "Second")
    one, other = lab.opportunity("One", RecordTypeId=first), lab.opportunity("Other", RecordTypeId=first)
    lab.sync_once()
    target = lab.pipeline(f"Salesforce - {second}")
    lab.sf_edit("Opportunity", one, RecordTypeId=second)
    lab.hs_edit("deals", lab.deal_of(other), pipeline=target, dealstage=lab.stages(target)["Qualification"])
    lab.sync_once()
    assert lab.hs_get("deals", lab.deal_of(one), "pipeline")["pipeline"] == target
    moved = lab.sf_get("Opportunity", other)
    assert (moved["RecordTypeId"], moved["StageName"]) == (second, "Qualification")


def test_O2_an_assigned_pipeline_is_used_instead_of_a_new_one(lab):
    """Its own stages stay, those of the record type are added, and no pipeline is made."""
    add_record_types(lab, "renewal")
    lab.configure(PIPELINES__ASSIGNED__RENEWAL="default")
    before = lab.stages("default")
    opportunity = lab.opportunity()
    lab.sync_once()
    after = lab.stages("default")
    assert sf_pipelines(lab) == {}
    assert before.items() <= after.items()
    deal = lab.hs_get("deals", lab.deal_of(opportunity), "pipeline", "dealstage")
    assert (deal["pipeline"], deal["dealstage"]) == ("default", after["Prospecting"])


def test_O3_record_types_beyond_the_limit_are_listed_and_the_others_sync(lab):
    """One problem with the remedy; raising the limit heals it without a further act."""
    lab.configure(PIPELINES__LIMIT="2")  # the portal's own pipeline counts
    first, second = add_record_types(lab, "First", "Second")
    inside, beyond = lab.opportunity("In", RecordTypeId=first), lab.opportunity("Beyond", RecordTypeId=second)
    lab.sync_once()
    assert lab.deal_of(inside)
    assert lab.partner("deals", beyond) is None
    limit = next(one for one in lab.problems() if one["record_id"] == second)
    assert "'Second'" in limit["detail"]
    assert "pipelines.limit" in limit["remedy"]
    lab.sf_edit("Opportunity", inside, Amount=7)
    lab.sync_once()
    assert lab.hs_get("deals", lab.deal_of(inside), "amount")["amount"] == "7"
    lab.configure(PIPELINES__LIMIT="3")
    lab.sf_edit("Opportunity", beyond, Amount=8)
    lab.sync_once()
    assert lab.hs_get("deals", lab.deal_of(beyond), "amount")["amount"] == "8"
    assert lab.problems() == []


def test_O3_raising_the_limit_syncs_what_waited_for_it(lab):
    """Nobody has to touch the opportunities again."""
    lab.configure(PIPELINES__LIMIT="2")
    _, second = add_record_types(lab, "First", "Second")
    beyond = lab.opportunity("Beyond", RecordTypeId=second)
    lab.sync_once()
    assert lab.partner("deals", beyond) is None
    lab.configure(PIPELINES__LIMIT="3")
    lab.sync_once()
    assert lab.deal_of(beyond)
    assert lab.problems() == []


# --- O4: stages ---------------------------------------------------------------------------------------------


def test_O4_stages_mirror_order_probability_won_and_lost(lab):
    """In Salesforce's order; won is closed at 1, lost at 0, open in between."""
    lab.sync_once()
    rows = lab.sf_all(
        "SELECT MasterLabel, DefaultProbability, IsClosed, IsWon FROM OpportunityStage ORDER BY SortOrder"
    )
    stages = sorted(
        sf_pipelines(lab)["Salesforce - Default pipeline"]["stages"], key=lambda one: one["displayOrder"]
    )
    assert [one["label"] for one in stages] == [one["MasterLabel"] for one in rows]
    for stage, row in zip(stages, rows, strict=True):
        assert float(stage["metadata"]["probability"]) == row["DefaultProbability"] / 100
        assert stage["metadata"]["isClosed"] == str(row["IsClosed"]).lower()


def test_O4_a_record_type_with_fewer_stages_has_fewer(lab):
    """The stages of a pipeline are those of its record type's sales process."""
    [short] = add_record_types(lab, "Short", StageName=["Prospecting", "Closed Won"])
    [full] = add_record_types(lab, "Full")
    lab.sync_once()
    assert list(lab.stages(f"Salesforce - {short}")) == ["Prospecting", "Closed Won"]
    assert len(lab.stages(f"Salesforce - {full}")) == 10


def test_O4_an_added_stage_is_followed(lab):
    """The next run makes it, and an opportunity in it syncs."""
    opportunity = lab.opportunity()
    lab.sync_once()
    lab.sandbox_post("salesforce", "stages", [{"MasterLabel": "Pilot", "DefaultProbability": 55}])
    lab.sf_edit("Opportunity", opportunity, StageName="Pilot")
    lab.sync_once()
    assert (
        lab.hs_get("deals", lab.deal_of(opportunity), "dealstage")["dealstage"] == lab.stages("sf_default")["Pilot"]
    )
    stages = sf_pipelines(lab)["Salesforce - Default pipeline"]["stages"]
    assert next(one for one in stages if one["label"] == "Pilot")["metadata"]["probability"] == "0.55"


def test_O4_a_renamed_stage_is_renamed_and_its_deals_stay_in_it(lab):
    """The label and the odds follow; the stage's id, and so each deal's place, stays."""
    opportunity = lab.opportunity(StageName="Qualification")
    lab.sync_once()
    deal, before = lab.deal_of(opportunity), lab.stages("sf_default")["Qualification"]
    renamed = {"ApiName": "Qualification", "MasterLabel": "Qualified", "DefaultProbability": 35, "SortOrder": 2}
    lab.sandbox_post("salesforce", "stages", [renamed])
    lab.sync_once()
    stages = lab.stages("sf_default")
    assert stages["Qualified"] == before
    assert "Qualification" not in stages
    assert lab.hs_get("deals", deal, "dealstage")["dealstage"] == before
    lab.hs_edit("deals", deal, dealstage=stages["Prospecting"])
    lab.sync_once()
    lab.hs_edit("deals", deal, dealstage=before)
    lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["StageName"] == "Qualification"


def test_O4_a_deactivated_stage_is_not_deleted(lab):
    """A deal that is still in it stays there."""
    opportunity = lab.opportunity(StageName="Qualification")
    lab.sync_once()
    deal, before = lab.deal_of(opportunity), lab.stages("sf_default")
    gone = {"ApiName": "Qualification", "MasterLabel": "Qualification", "IsActive": False, "SortOrder": 2}
    lab.sandbox_post("salesforce", "stages", [gone])
    lab.sf_edit("Opportunity", opportunity, Amount=4)
    lab.sync_until_rest()
    assert lab.stages("sf_default") == before
    assert lab.hs_get("deals", deal, "dealstage")["dealstage"] == before["Qualification"]
    assert lab.hs_get("deals", deal, "amount")["amount"] == "4"


# --- O5: a deal in a pipeline that is not synced -------------------------------------------------------------


def test_O5_moving_a_deal_out_of_sync_stops_the_pair_and_back_resumes_it(lab):
    """Neither side changes the other meanwhile; afterwards each side's edits arrive."""
    opportunity = lab.opportunity(Amount=1)
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    outside = next(iter(lab.stages("default").values()))
    lab.hs_edit("deals", deal, pipeline="default", dealstage=outside)
    lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["StageName"] == "Prospecting"
    lab.sf_edit("Opportunity", opportunity, Amount=2)
    lab.hs_edit("deals", deal, dealname="Changed outside")
    lab.sync_once()
    assert lab.hs_get("deals", deal, "amount", "pipeline") == {
        **lab.hs_get("deals", deal, "pipeline"), "amount": "1", "pipeline": "default",
    }  # fmt: skip
    assert lab.sf_get("Opportunity", opportunity)["Name"] == "Big deal"
    lab.hs_edit("deals", deal, pipeline="sf_default", dealstage=lab.stages("sf_default")["Qualification"])
    lab.sync_once()
    assert lab.hs_get("deals", deal, "amount")["amount"] == "2"
    row = lab.sf_get("Opportunity", opportunity)
    assert (row["Name"], row["StageName"]) == ("Changed outside", "Qualification")


# --- O6, O7, O8, O10: who becomes what ------------------------------------------------------------------------


def test_O6_a_new_deal_becomes_an_opportunity_with_its_contacts(lab):
    """With the pipeline's record type, roles for its linked contacts, and its primary company's account."""
    _, second = add_record_types(lab, "First", "Second")
    account = lab.sf_create("Account", Name="Acme")
    contact = lab.sf_create("Contact", LastName="Ada", Email="ada@acme.example")
    lab.sync_once()
    person, company = lab.partner("contacts", contact), lab.partner("companies", account)
    stranger = lab.hs_create("contacts", email="stranger@example.com")
    links = [associated(3, person), associated(3, stranger), associated(5, company)]
    deal = create_deal(lab, lab.pipeline(f"Salesforce - {second}"), associations=links, stage="Needs Analysis")
    lab.sync_once()
    row = opportunity_of(lab, deal)
    assert (row["RecordTypeId"], row["StageName"], row["AccountId"]) == (second, "Needs Analysis", account)
    assert (row["Name"], row["Amount"], row["CloseDate"]) == ("Born in HubSpot", 70, "2026-09-30")
    roles = lab.sf_all(f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{row['Id']}'")
    assert [one["ContactId"] for one in roles] == [contact]


def test_O6_a_new_deal_keeps_contacts_and_company_though_a_run_died_that_had_seen_it(lab):
    """It died before it read who belongs to the deal, which has not changed since; the next run reads that (L3)."""
    account, contact, _ = lab.business()
    lab.sync_once()
    person, company = lab.partner("contacts", contact), lab.partner("companies", account)
    links = [associated(3, person), associated(5, company)]
    deal = create_deal(lab, "sf_default", associations=links, stage="Closed Won")
    with pytest.raises(Died):
        lab.sync_before("/associations/deals/contacts/batch/read", lab.fate.die)
    lab.fate.revive()
    lab.advance(minutes=6)
    lab.sync_once()
    row = opportunity_of(lab, deal)
    roles = lab.sf_all(f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{row['Id']}'")
    assert (row["AccountId"], [one["ContactId"] for one in roles]) == (account, [contact])
    assert lab.hs_get("contacts", person, "closedate")["closedate"] is not None


def test_O6_an_existing_deal_moved_into_a_synced_pipeline_becomes_an_opportunity(lab):
    """The move is the trigger."""
    deal = create_deal(lab, "default", stage="Closed Won")
    lab.sync_once()
    assert lab.sf_all("SELECT Id FROM Opportunity") == []
    lab.hs_edit("deals", deal, pipeline="sf_default", dealstage=lab.stages("sf_default")["Prospecting"])
    lab.sync_once()
    assert opportunity_of(lab, deal)["StageName"] == "Prospecting"


def test_O7_amounts_are_carried_as_bare_numbers(lab):
    """Whatever the deal's currency, the number is the same on both sides and never converted."""
    opportunity = lab.opportunity(Amount=1000)
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    lab.hs_edit("deals", deal, deal_currency_code="EUR", amount="2000")
    lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["Amount"] == 2000
    assert lab.hs_get("deals", deal, "amount")["amount"] == "2000"


def test_O8_nothing_is_matched_by_name(lab):
    """A deal and an opportunity alike in everything are two pairs, not one."""
    lab.sync_once()
    opportunity = lab.opportunity("Twin", Amount=70, CloseDate="2026-09-30")
    deal = create_deal(lab, dealname="Twin")
    lab.sync_once()
    assert lab.deal_of(opportunity) != deal
    assert opportunity_of(lab, deal)["Id"] != opportunity
    assert len(lab.hs_all("deals")) == len(lab.sf_all("SELECT Id FROM Opportunity")) == 2


@pytest.mark.parametrize("writer", list(Side))
def test_O8_a_stored_id_makes_a_pair(lab, writer):
    """Whichever side stores the other's id, before the connector ever ran: linked, not doubled."""
    lab.sync_once()
    if writer is Side.SALESFORCE:
        deal = create_deal(lab, amount="71")
        opportunity = lab.opportunity("Born in HubSpot", HubSpot_Id__c=deal, CloseDate="2026-09-30", Amount=71)
    else:
        opportunity = lab.opportunity("Born in HubSpot", CloseDate="2026-09-30", Amount=71)
        deal = create_deal(lab, amount="71", sf_record_id=opportunity)
    lab.sync_once()
    assert lab.deal_of(opportunity) == deal
    assert len(lab.hs_all("deals")) == len(lab.sf_all("SELECT Id FROM Opportunity")) == 1


@pytest.mark.parametrize("named", ["006000000000999AAA", "006000000000999AAB", "the one of Acme's"])
def test_O10_E1_a_deal_with_an_unreadable_salesforce_id_makes_a_problem_and_no_opportunity(lab, named):
    """Of class associations, until somebody clears the id; others go on, though what was typed may be no id."""
    lab.sync_once()
    deal = create_deal(lab, sf_record_id=named)
    other = create_deal(lab, dealname="Other")
    lab.sync_once()
    [problem] = lab.problems()
    assert (problem["cause"], problem["record_id"], problem["object"]) == ("associations", deal, "deals")
    assert named in problem["detail"]
    assert "clear the id" in problem["remedy"]
    assert [one["HubSpot_Id__c"] for one in lab.sf_all("SELECT HubSpot_Id__c FROM Opportunity")] == [other]
    lab.hs_edit("deals", deal, sf_record_id="")
    lab.sync_once()
    assert opportunity_of(lab, deal)
    assert lab.problems() == []


def test_O10_ids_are_stored_on_the_side_that_did_not_bear_the_pair(lab):
    """Born in Salesforce: the deal stores the id, alone. Born in HubSpot: both do, in the same run."""
    here = lab.opportunity()
    lab.sync_once()
    there = create_deal(lab)
    lab.sync()
    assert lab.sf_get("Opportunity", here)["HubSpot_Id__c"] is None
    assert lab.hs_get("deals", lab.deal_of(here), "sf_record_id")["sf_record_id"] == here
    assert lab.hs_get("deals", there, "sf_record_id")["sf_record_id"] == opportunity_of(lab, there)["Id"]


def test_O10_without_the_id_field_new_deals_wait_and_a_problem_says_how_to_add_it(lab):
    """Nothing is created that a crash could double; opportunities go on; adding the field heals it."""
    lab.configure(SALESFORCE__ID_FIELD="Portal_Id__c")
    opportunity = lab.opportunity()
    lab.sync_once()
    deal = create_deal(lab)
    lab.sync_once()
    [problem] = lab.problems()
    assert problem["cause"] == "field mapping"
    assert lab.sync().waiting == 1
    for word in ("Portal_Id__c", "Opportunity", "external id", "unique"):
        assert word in problem["remedy"]
    assert lab.deal_of(opportunity)
    assert len(lab.sf_all("SELECT Id FROM Opportunity")) == 1
    field = {"sobject": "Opportunity", "name": "Portal_Id__c", "type": "string", "externalId": True, "unique": True}
    lab.sandbox_post("salesforce", "fields", [field])
    lab.sync_once()
    rows = lab.sf_all(f"SELECT Name FROM Opportunity WHERE Portal_Id__c = '{deal}'")
    assert [one["Name"] for one in rows] == ["Born in HubSpot"]
    assert lab.problems() == []


# --- O9: what Salesforce requires ---------------------------------------------------------------------------


@pytest.mark.parametrize(("property_", "field"), [("dealname", "Name"), ("closedate", "CloseDate")])
def test_O9_a_missing_required_field_blocks_that_deal_alone_and_is_named(lab, property_, field):
    """A problem of class property values names the field; filled in, the deal crosses over."""
    lab.sync_once()
    deal = create_deal(lab)
    lab.hs_edit("deals", deal, **{property_: ""})
    fine = create_deal(lab, dealname="Fine")
    lab.sync_once()
    assert opportunity_of(lab, fine)["Name"] == "Fine"
    assert len(lab.sf_all("SELECT Id FROM Opportunity")) == 1
    [problem] = lab.problems()
    assert (problem["cause"], problem["record_id"]) == ("property values", deal)
    assert field in problem["detail"] + problem["field"]
    assert property_ in problem["remedy"]
    values = {"dealname": "Named", "closedate": "2026-10-01T00:00:00Z"}
    lab.hs_edit("deals", deal, **{property_: values[property_]})
    lab.sync_once()
    assert opportunity_of(lab, deal)
    assert lab.problems() == []


def test_O9_a_stage_that_salesforce_lacks_blocks_that_deal_alone_and_is_named(lab):
    """A deal in a stage that somebody added in HubSpot waits until it is moved to one that both sides have."""
    lab.sync_once()
    own = {"label": "Only here", "displayOrder": 99, "metadata": {"probability": "0.5"}}
    stage = lab.hs("POST", "/crm/v3/pipelines/deals/sf_default/stages", own)["id"]
    deal, fine = create_deal(lab, dealstage=stage), create_deal(lab, dealname="Fine")
    lab.sync_once()
    assert opportunity_of(lab, fine)["Name"] == "Fine"
    assert len(lab.sf_all("SELECT Id FROM Opportunity")) == 1
    [problem] = lab.problems()
    assert (problem["cause"], problem["record_id"]) == ("property values", deal)
    assert stage in problem["detail"]
    assert "dealstage" in problem["field"]
    assert "move the deal" in problem["remedy"]
    lab.hs_edit("deals", deal, dealstage=lab.stages("sf_default")["Qualification"])
    lab.sync_once()
    assert opportunity_of(lab, deal)["StageName"] == "Qualification"
    assert lab.problems() == []


def test_O9_a_default_of_the_mapping_stands_in(lab):
    """A deal without a close date gets the one that the mapping says."""
    pair = lab.pairs["opportunity-deal"]
    rules = [
        replace(rule, defaults={Side.SALESFORCE: ("2026-12-31",)}) if "CloseDate" in rule.salesforce else rule
        for rule in pair.fields
    ]
    lab.pairs = {**lab.pairs, pair.name: replace(pair, fields=tuple(rules))}
    lab.sync_once()
    deal = create_deal(lab, closedate=None)
    lab.sync_until_rest()
    assert opportunity_of(lab, deal)["CloseDate"] == "2026-12-31"
    assert lab.problems() == []


# --- E1: one refused record of a batch ----------------------------------------------------------------------


def test_E1_a_refused_value_of_a_batch_is_listed_and_every_record_syncs(lab):
    """Class, plain cause, remedy, attempts, since when; it goes once the value is mended (F4)."""
    contacts = [
        lab.sf_create("Contact", LastName=f"P{number}", Email=f"p{number}@example.com") for number in range(5)
    ]
    lab.sf_edit("Contact", contacts[2], Email="p:2@example.com")  # which HubSpot does not take
    began = lab.clock.now()
    lab.sync_once()
    assert all(lab.partner("contacts", one) for one in contacts)
    [problem] = lab.problems()
    made = lab.partner("contacts", contacts[2])
    assert (problem["side"], problem["object"], problem["record_id"]) == ("hubspot", "contacts", made)
    assert problem["cause"] == "property values"
    assert "email" in problem["detail"].lower()
    assert problem["remedy"]
    assert problem["since"] == began.isoformat()
    lab.advance(hours=1)
    lab.sync()
    [again] = lab.problems()
    assert again["attempts"] == problem["attempts"] + 1
    assert again["since"] == problem["since"]
    lab.sf_edit("Contact", contacts[2], Email="p2@example.com")
    lab.sync_once()
    assert lab.hs_get("contacts", lab.partner("contacts", contacts[2]), "email")["email"] == "p2@example.com"
    assert lab.problems() == []
