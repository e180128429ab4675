"""Pipelines over time: record types and stages that come, go, move and are shared (O2-O5, O11, P4)."""

from __future__ import annotations

import pytest
from engine.lab import Lab
from engine.test_opportunities import add_record_types, create_deal, opportunity_of, sf_pipelines

DEFAULT = "Salesforce - Default pipeline"
STAGES = ["Prospecting", "Qualification", "Negotiation/Review", "Closed Won", "Closed Lost"]


@pytest.fixture
def lab():
    return Lab()


def change_record_type(lab, name, **fields):
    lab.sandbox_post("salesforce", "record_types", [{"Name": name, **fields}])


def change_stage(lab, name, **fields):
    lab.sandbox_post("salesforce", "stages", [{"ApiName": name, "MasterLabel": name, **fields}])


def in_order(lab, pipeline="sf_default"):
    """The labels of a pipeline's stages as people see them."""
    stages = lab.hs("GET", f"/crm/v3/pipelines/deals/{pipeline}")["stages"]
    orders = [one["displayOrder"] for one in stages]
    assert len(set(orders)) == len(orders), "two stages of one order are shown in any order"
    return [one["label"] for one in sorted(stages, key=lambda one: one["displayOrder"])]


def place(lab, opportunity):
    """The pipeline and the label of the stage in which an opportunity's deal is."""
    deal = lab.hs_get("deals", lab.deal_of(opportunity), "pipeline", "dealstage")
    stages = {id_: label for label, id_ in lab.stages(deal["pipeline"]).items()}
    return deal["pipeline"], stages[deal["dealstage"]]


def problems_about(lab, object_):
    return [one for one in lab.problems() if one["object"] == object_]


# --- O2: which pipeline is whose --------------------------------------------------------------------------


def test_O2_a_second_record_type_moves_no_deal(lab):
    """The first one keeps the default pipeline; opportunities without a record type stay there, too."""
    bare = lab.opportunity("Bare")
    [first] = add_record_types(lab, "First")
    typed = lab.opportunity("Typed", RecordTypeId=first)
    lab.sync_once()
    before = {one: place(lab, one) for one in (bare, typed)}
    [second] = add_record_types(lab, "Second")
    new = lab.opportunity("New", RecordTypeId=second)
    report = lab.sync_once()
    assert dict(report.updated) == {side: {} for side in report.updated}
    assert {one: place(lab, one) for one in (bare, typed)} == before
    assert sorted(sf_pipelines(lab)) == [f"Salesforce - {second}", DEFAULT]
    assert place(lab, new)[0] == lab.pipeline(f"Salesforce - {second}")
    lab.sf_edit("Opportunity", bare, StageName="Qualification")
    lab.hs_edit("deals", lab.deal_of(typed), dealstage=lab.stages("sf_default")["Qualification"])
    lab.sync_once()
    assert place(lab, bare) == ("sf_default", "Qualification")
    assert lab.sf_get("Opportunity", typed)["StageName"] == "Qualification"


def test_O2_an_opportunity_without_a_record_type_keeps_having_none(lab):
    """A move of its deal within the shared pipeline writes the stage and leaves the record type."""
    bare = lab.opportunity("Bare")
    lab.sync_once()
    add_record_types(lab, "First", "Second")
    lab.sync_once()
    lab.hs_edit("deals", lab.deal_of(bare), dealstage=lab.stages("sf_default")["Qualification"])
    lab.sync_once()
    row = lab.sf_get("Opportunity", bare)
    assert (row["StageName"], row["RecordTypeId"]) == ("Qualification", None)


def test_O2_two_record_types_in_one_pipeline_keep_their_own_opportunities(lab):
    """A deal's move changes the stage only; a new deal becomes the first one's; nothing is written twice."""
    first, second = add_record_types(lab, "first", "second")
    lab.configure(PIPELINES__ASSIGNED__FIRST="default", PIPELINES__ASSIGNED__SECOND="default")
    one, other = (lab.opportunity(name, RecordTypeId=id_) for name, id_ in (("One", first), ("Other", second)))
    lab.sync_once()
    assert place(lab, one) == place(lab, other) == ("default", "Prospecting")
    for opportunity in (one, other):
        lab.hs_edit("deals", lab.deal_of(opportunity), dealstage=lab.stages("default")["Qualification"])
    born = create_deal(lab, "default")
    lab.sync_once()
    for opportunity, record_type in ((one, first), (other, second)):
        row = lab.sf_get("Opportunity", opportunity)
        assert (row["StageName"], row["RecordTypeId"]) == ("Qualification", record_type)
    assert opportunity_of(lab, born)["RecordTypeId"] == first
    lab.sf_edit("Opportunity", one, RecordTypeId=second)  # to HubSpot that is no move at all
    assert lab.sync_once().writes == 0


def test_O2_an_assigned_pipeline_that_does_not_exist_is_reported_once(lab):
    """However many opportunities wait for it; correcting the setting lets them all go on."""
    [record_type] = add_record_types(lab, "renewal")
    lab.configure(PIPELINES__ASSIGNED__RENEWAL="defautl")
    waiting = [lab.opportunity(f"Waits {number}", RecordTypeId=record_type) for number in range(3)]
    report = lab.sync_once()
    [problem] = lab.problems()
    assert (problem["object"], problem["record_id"]) == ("RecordType", record_type)
    assert "'defautl'" in problem["detail"]
    assert "pipelines.assigned" in problem["remedy"]
    assert report.waiting == 3
    assert sf_pipelines(lab) == {}
    lab.configure(PIPELINES__ASSIGNED__RENEWAL="default")
    lab.sync_once()
    assert {place(lab, one)[0] for one in waiting} == {"default"}
    assert lab.problems() == []


def test_O2_an_assigned_record_type_that_does_not_exist_is_reported(lab):
    """It would otherwise get a pipeline of its own without a word."""
    lab.configure(PIPELINES__ASSIGNED__RENEWL="default")
    add_record_types(lab, "renewal")
    lab.sync_once()
    [problem] = lab.problems()
    assert "'renewl'" in problem["detail"]
    lab.environment.pop("CONNECTOR__PIPELINES__ASSIGNED__RENEWL")
    lab.sync_once()
    assert lab.problems() == []


# --- O3 ------------------------------------------------------------------------------------------


def test_O3_a_record_type_beyond_the_cap_is_one_problem_however_many_wait(lab):
    """They wait for it, and a pair that moves into it stays where it was, while its other fields go on."""
    lab.configure(PIPELINES__LIMIT="2")
    first, second = add_record_types(lab, "First", "Second")
    for number in range(3):
        lab.opportunity(f"Waits {number}", RecordTypeId=second)
    moved = lab.opportunity("Moves", RecordTypeId=first)
    report = lab.sync_once()
    assert (report.problems, report.waiting) == (1, 3)
    before = place(lab, moved)
    lab.sf_edit("Opportunity", moved, RecordTypeId=second, StageName="Qualification", Amount=9)
    assert (lab.sync_once().waiting, len(lab.problems())) == (4, 1)
    assert place(lab, moved) == before
    assert lab.hs_get("deals", lab.deal_of(moved), "amount")["amount"] == "9"
    lab.configure(PIPELINES__LIMIT="3")
    assert lab.sync_once().waiting == 0
    assert len(lab.hs_all("deals")) == 4
    assert place(lab, moved) == (lab.pipeline(f"Salesforce - {second}"), "Qualification")


# --- O4 ------------------------------------------------------------------------------------------


def test_O4_a_stage_added_in_the_middle_stands_in_the_middle(lab):
    """The others move up; no two have one place."""
    lab.sync_once()
    before = in_order(lab)
    change_stage(lab, "Pilot", DefaultProbability=55, SortOrder=3)
    lab.sync_once()
    after = in_order(lab)
    assert sorted(after) == sorted([*before, "Pilot"])
    rows = lab.sf_all("SELECT MasterLabel FROM OpportunityStage ORDER BY SortOrder")
    assert after == [row["MasterLabel"] for row in rows]
    assert 0 < after.index("Pilot") < len(after) - 1


def test_O4_reordered_stages_follow_and_their_deals_stay(lab):
    """The plan says what will move."""
    opportunity = lab.opportunity(StageName="Qualification")
    lab.sync_once()
    before = place(lab, opportunity)
    change_stage(lab, "Qualification", DefaultProbability=10, SortOrder=99)
    assert any("'Qualification'" in line for line in lab.plan().made)
    lab.sync_once()
    assert in_order(lab)[-1] == "Qualification"
    assert place(lab, opportunity) == before
    assert lab.plan().made == []


def test_O4_a_changed_probability_is_followed(lab):
    """Open stays open."""
    lab.sync_once()
    change_stage(lab, "Qualification", DefaultProbability=100, SortOrder=2)
    lab.sync_once()
    stages = lab.hs("GET", "/crm/v3/pipelines/deals/sf_default")["stages"]
    metadata = next(one["metadata"] for one in stages if one["label"] == "Qualification")
    assert (metadata["probability"], metadata["isClosed"]) == ("0.99", "false")


def test_O4_stages_that_change_their_labels_with_one_another_stop_no_run(lab):
    """In Salesforce, or in HubSpot, where it is put right."""
    opportunity = lab.opportunity()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    stage = lab.hs_get("deals", deal, "dealstage")["dealstage"]
    for name, label in (("Prospecting", "Qualification"), ("Qualification", "Prospecting")):
        change_stage(lab, name, MasterLabel=label, DefaultProbability=10, SortOrder=1 if name[0] == "P" else 2)
    lab.sync_once()
    assert in_order(lab)[:2] == ["Qualification", "Prospecting"]
    ids = lab.stages("sf_default")
    one, other = ids["Qualification"], ids["Prospecting"]
    for id_, label in ((one, "Aside"), (other, "Qualification"), (one, "Prospecting")):
        lab.hs("PATCH", f"/crm/v3/pipelines/deals/sf_default/stages/{id_}", {"label": label})
    assert in_order(lab)[:2] == ["Prospecting", "Qualification"]
    lab.sync_once()
    assert in_order(lab)[:2] == ["Qualification", "Prospecting"]
    assert lab.hs_get("deals", deal, "dealstage")["dealstage"] == stage
    assert lab.problems() == []


def test_O4_U5_deals_won_in_a_stage_that_is_deactivated_stay_won(lab):
    """Neither their revenue nor their contact's stage falls."""
    _, contact, opportunity = lab.business(Amount=5, StageName="Closed Won")
    lab.sync_once()
    person = lab.partner("contacts", contact)
    change_stage(lab, "Signed", DefaultProbability=100, SortOrder=50, IsClosed=True, IsWon=True)
    change_stage(lab, "Closed Won", DefaultProbability=100, SortOrder=9, IsClosed=True, IsWon=True, IsActive=False)
    lab.sf_edit("Opportunity", opportunity, Amount=6)
    lab.sync_once()
    assert place(lab, opportunity) == ("sf_default", "Closed Won")
    assert lab.hs_get("contacts", person, "sf_total_revenue")["sf_total_revenue"] == "6"


def test_O4_a_deal_moved_to_a_deactivated_stage_is_a_problem_and_the_opportunity_stays(lab):
    """The stage is kept in HubSpot, but no opportunity can be in it; activating it heals the pair (O11)."""
    opportunity = lab.opportunity()
    lab.sync_once()
    change_stage(lab, "Qualification", DefaultProbability=10, SortOrder=2, IsActive=False)
    lab.hs_edit("deals", lab.deal_of(opportunity), dealstage=lab.stages("sf_default")["Qualification"], amount="3")
    lab.sync_once()
    [problem] = lab.problems()
    assert problem["cause"] == "property values"
    row = lab.sf_get("Opportunity", opportunity)
    assert (row["StageName"], row["Amount"]) == ("Prospecting", 3)
    change_stage(lab, "Qualification", DefaultProbability=10, SortOrder=2)
    lab.advance(days=2)
    lab.sync_once()
    assert lab.sf_get("Opportunity", opportunity)["StageName"] == "Qualification"
    assert lab.problems() == []


def test_O4_stages_of_one_label_in_two_pipelines_are_never_confused(lab):
    """Each pair moves within its own pipeline, both ways."""
    first, second = add_record_types(lab, "First", "Second")
    made = {id_: lab.opportunity(id_, RecordTypeId=id_) for id_ in (first, second)}
    lab.sync_once()
    for id_, opportunity in made.items():
        pipeline = lab.pipeline(f"Salesforce - {id_}")
        lab.hs_edit("deals", lab.deal_of(opportunity), dealstage=lab.stages(pipeline)["Negotiation/Review"])
    lab.sync_once()
    for id_, opportunity in made.items():
        row = lab.sf_get("Opportunity", opportunity)
        assert (row["RecordTypeId"], row["StageName"]) == (id_, "Negotiation/Review")


# --- record types that go and come back ------------------------------------------------------------------------


def test_O5_a_deactivated_record_type_stops_its_pairs_and_activating_it_resumes_them(lab):
    """Its pipeline stays; what both sides edited meanwhile is merged without anybody touching it."""
    first, second = add_record_types(lab, "First", "Second")
    lab.opportunity("Other", RecordTypeId=first)
    opportunity = lab.opportunity("Ours", RecordTypeId=second, Amount=1)
    lab.sync_once()
    before, deal = place(lab, opportunity), lab.deal_of(opportunity)
    change_record_type(lab, "Second", IsActive=False)
    lab.sf_edit("Opportunity", opportunity, Amount=2)
    lab.hs_edit("deals", deal, dealname="Changed")
    assert lab.sync_once().writes == 0
    assert place(lab, opportunity) == before
    change_record_type(lab, "Second")
    assert lab.plan().updated == lab.sync_once().updated
    assert lab.hs_get("deals", deal, "amount")["amount"] == "2"
    assert lab.sf_get("Opportunity", opportunity)["Name"] == "Changed"


def test_O2_a_deactivated_record_type_does_not_lose_the_default_pipeline_to_another(lab):
    """A third one that comes meanwhile gets a pipeline of its own."""
    [first] = add_record_types(lab, "First")
    opportunity = lab.opportunity(RecordTypeId=first)
    lab.sync_once()
    add_record_types(lab, "Second")
    lab.sync_once()
    change_record_type(lab, "First", IsActive=False)
    add_record_types(lab, "Third")
    lab.sync_once()
    change_record_type(lab, "First")
    lab.sync_once()
    assert place(lab, opportunity) == ("sf_default", "Prospecting")
    assert len(sf_pipelines(lab)) == 3
    lab.sf_edit("Opportunity", opportunity, StageName="Qualification")
    lab.sync_once()
    assert place(lab, opportunity) == ("sf_default", "Qualification")


# --- O5, O11: deals that move -----------------------------------------------------------------------------------


def test_O5_a_pair_that_was_stopped_resumes_when_its_pipeline_is_assigned(lab):
    """Moving the pipeline into the sync is as good as moving the deal."""
    first, second = add_record_types(lab, "first", "second")
    opportunity = lab.opportunity(RecordTypeId=first)
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    outside = lab.hs(
        "POST",
        "/crm/v3/pipelines/deals",
        {
            "label": "By hand",
            "displayOrder": 9,
            "stages": [{"label": name, "displayOrder": n, "metadata": {"probability": "0.5"}} for n, name in
                       enumerate(STAGES[:3])],
        },
    )["id"]  # fmt: skip
    lab.hs_edit("deals", deal, pipeline=outside, dealstage=lab.stages(outside)["Qualification"])
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, Amount=8)
    assert lab.sync_once().writes == 0
    lab.configure(PIPELINES__ASSIGNED__SECOND=outside)
    lab.sync_once()
    row = lab.sf_get("Opportunity", opportunity)
    assert (row["RecordTypeId"], row["StageName"]) == (second, "Qualification")
    assert lab.hs_get("deals", deal, "amount")["amount"] == "8"


@pytest.mark.parametrize("mover", ["salesforce", "hubspot"])
def test_O11_record_type_and_stage_are_written_together_in_one_write(lab, mover):
    """The journal shows a single update with both fields."""
    first, second = add_record_types(lab, "First", "Second")
    opportunity = lab.opportunity(RecordTypeId=first)
    lab.sync_once()
    target = lab.pipeline(f"Salesforce - {second}")
    if mover == "salesforce":
        lab.sf_edit("Opportunity", opportunity, RecordTypeId=second, StageName="Qualification")
    else:
        stage = lab.stages(target)["Qualification"]
        lab.hs_edit("deals", lab.deal_of(opportunity), pipeline=target, dealstage=stage)
    [action] = lab.plan().actions
    lab.sync_once()
    both = {"pipeline", "dealstage"} if mover == "salesforce" else {"RecordTypeId", "StageName"}
    assert {change.field for change in action.changes} == both
    assert place(lab, opportunity) == (target, "Qualification")
    row = lab.sf_get("Opportunity", opportunity)
    assert (row["RecordTypeId"], row["StageName"]) == (second, "Qualification")


def test_O11_a_stage_that_the_other_record_type_lacks_is_a_problem_and_the_pair_stays(lab):
    """The deal's pipeline, the record type and the stage stay as they were; other fields go on; a fix heals it."""
    [short] = add_record_types(lab, "Short", StageName=["Prospecting", "Closed Won"])
    [full] = add_record_types(lab, "Full")
    opportunity = lab.opportunity(RecordTypeId=short)
    lab.sync_once()
    before = place(lab, opportunity)
    deal, target = lab.deal_of(opportunity), lab.pipeline(f"Salesforce - {full}")
    stages = [{"label": "By hand", "displayOrder": 50, "metadata": {"probability": "0.5"}}]
    [stage] = [lab.hs("POST", f"/crm/v3/pipelines/deals/{target}/stages", one)["id"] for one in stages]
    lab.hs_edit("deals", deal, pipeline=target, dealstage=stage, amount="4")
    lab.sync_once()
    row = lab.sf_get("Opportunity", opportunity)
    assert (row["RecordTypeId"], row["StageName"], row["Amount"]) == (short, "Prospecting", 4)
    [problem] = lab.problems()
    assert problem["cause"] == "property values"
    assert "StageName" in problem["field"] or "dealstage" in problem["field"]
    assert before[0] != target
    lab.hs_edit("deals", deal, dealstage=lab.stages(target)["Qualification"])
    lab.sync_once()
    row = lab.sf_get("Opportunity", opportunity)
    assert (row["RecordTypeId"], row["StageName"]) == (full, "Qualification")
    assert lab.problems() == []


# --- E1: what HubSpot does not let be made ----------------------------------------------------------------


def test_E1_O4_a_pipeline_that_somebody_deleted_in_hubspot_comes_back_with_its_deals(lab):
    """Its id stays taken there; nothing is lost or made twice, and both sides are in step."""
    opportunity = lab.opportunity(Amount=1)
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    lab.hs("DELETE", "/crm/v3/pipelines/deals/sf_default")
    lab.sf_edit("Opportunity", opportunity, Amount=2)
    report = lab.sync_once()
    assert report.made == ["pipeline 'Salesforce - Default pipeline' with 10 stages"]
    assert place(lab, opportunity) == ("sf_default", "Prospecting")
    assert lab.hs_all("deals", "amount")[deal]["amount"] == "2"
    assert lab.problems() == []


def test_E1_O3_a_pipeline_for_which_hubspot_has_no_room_is_a_problem_and_the_others_sync(lab):
    """The subscription has fewer than the settings say: that record type waits, until there is room."""
    first, second = add_record_types(lab, "First", "Second")
    lab.sandbox_post("hubspot", "settings", {"max_pipelines": 2}, "PUT")
    fits, waits = (lab.opportunity(name, RecordTypeId=one) for name, one in (("Fits", first), ("Waits", second)))
    report = lab.sync_once()
    assert report.status == "problems"
    made = [one for one in report.made if one.startswith("pipeline")]
    assert made == [f"pipeline 'Salesforce - {first}' with 10 stages"]
    assert place(lab, fits) == (f"sf_{first.lower()}", "Prospecting")
    assert lab.partner("deals", waits) is None
    [problem] = lab.problems()
    assert (problem["object"], problem["record_id"], problem["code"]) == ("RecordType", second, "PIPELINE_REFUSED")
    assert "limit of 2" in problem["detail"]
    assert "pipelines.limit" in problem["remedy"]
    lab.sandbox_post("hubspot", "settings", {"max_pipelines": 3}, "PUT")
    lab.sync_once()
    assert place(lab, waits) == (f"sf_{second.lower()}", "Prospecting")
    assert lab.problems() == []


def test_E1_O4_a_stage_that_hubspot_does_not_take_is_a_problem_and_all_else_goes_on(lab):
    """Somebody filled the pipeline with a hundred stages; with room there the stage is made."""
    opportunity = lab.opportunity(Amount=1)
    lab.sync_once()
    path = "/crm/v3/pipelines/deals/sf_default/stages"
    made = [
        lab.hs("POST", path, {"label": f"{n}", "displayOrder": 50 + n, "metadata": {"probability": "0.5"}})["id"]
        for n in range(90)
    ]
    change_stage(lab, "Signed", DefaultProbability=95, SortOrder=50)
    lab.sf_edit("Opportunity", opportunity, Amount=2)
    lab.sync_once()
    assert lab.hs_get("deals", lab.deal_of(opportunity), "amount")["amount"] == "2"
    [problem] = lab.problems()
    assert (problem["object"], problem["record_id"], problem["code"]) == (
        "pipelines",
        "sf_default",
        "PIPELINE_REFUSED",
    )
    assert "'Signed'" in problem["detail"]
    lab.hs("DELETE", f"{path}/{made[0]}")
    lab.sync_once()
    assert "Signed" in in_order(lab)
    assert lab.problems() == []


# --- P4 ------------------------------------------------------------------------------------------


def test_P4_deals_of_a_pipeline_that_is_assigned_later_are_listed_and_wait(lab):
    """The plan and the run count them; only one that is touched becomes an opportunity."""
    add_record_types(lab, "first", "second")
    lab.sync_once()
    stage = next(iter(lab.stages("default").values()))
    waits, touched = (
        lab.hs_create("deals", dealname=name, pipeline="default", dealstage=stage, closedate="2026-09-30T00:00:00Z")
        for name in ("Waits", "Is touched")
    )
    lab.sync_once()
    lab.configure(PIPELINES__ASSIGNED__SECOND="default")
    for report in (lab.plan(), lab.sync()):
        assert any(note.startswith("2 existing deal") for note in report.notes)
        assert report.writes == 0
    assert not any("existing deal" in note for note in lab.sync().notes)
    lab.hs_edit("deals", touched, amount="71", dealstage=lab.stages("default")["Prospecting"])
    lab.sync_once()
    assert [row["HubSpot_Id__c"] for row in lab.sf_all("SELECT HubSpot_Id__c FROM Opportunity")] == [touched]
    assert not lab.hs_get("deals", waits, "sf_record_id").get("sf_record_id")
