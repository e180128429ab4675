"""The stage as a property: given at creation (L6), handed on without roles (L7), lowered (L8, L9), custom (L1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine.lab import Lab
from ruamel.yaml import YAML

from connector.core.model import Side
from connector.settings import defaults_folder, load_mapping, load_settings

BACKWARD = pytest.mark.parametrize("backward", ["ignore", "allow", "error"])


def begin(environment: dict[str, str] | None = None, **hubspot: Any) -> Lab:
    lab = Lab(environment)
    lab.sandbox_post("hubspot", "settings", hubspot, "PUT")
    lab.sync()
    return lab


def person(lab: Lab, **fields: Any) -> tuple[str, str]:
    """A synced contact: its ids in Salesforce and in HubSpot."""
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@acme.example", **fields)
    lab.sync_once()
    return contact, lab.partner("contacts", contact)


def stage(lab: Lab, id_: str, object_: str = "contacts") -> str | None:
    return lab.hs_get(object_, id_, "lifecyclestage")["lifecyclestage"]


def stage_writes(lab: Lab, id_: str, object_: str = "contacts") -> list[tuple[str, str | None, str | None, str]]:
    """What the journal says of the stage: (state, old, new, rule) of each write."""
    return [
        (entry["state"], change["old"], change["new"], change["rule"])
        for entry in lab.store.journal.of_record(Side.HUBSPOT, object_, id_)
        for change in entry["changes"]
        if change["field"] == "lifecyclestage"
    ]


# --- L6 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("automation", ["off", "new_portal"])
def test_L6_new_contacts_and_companies_begin_with_the_chosen_stage(automation):
    """The connector's setting says which, also where HubSpot would have given another one."""
    lab = begin({"CONNECTOR__LIFECYCLE__NEW_RECORD": "subscriber"}, automation=automation)
    account = lab.sf_create("Account", Name="Acme")
    _, contact = person(lab)
    company = lab.partner("companies", account)
    assert (stage(lab, contact), stage(lab, company, "companies")) == ("subscriber", "subscriber")
    assert stage_writes(lab, contact) == [("done", None, "subscriber", "L6")]


def test_L6_is_off_by_default():
    """The stage stays empty."""
    lab = begin()
    _, contact = person(lab)
    assert stage(lab, contact) is None


def test_L6_a_stage_that_the_mapping_gives_is_not_replaced(tmp_path):
    """One contact has a stage in Salesforce, the other begins with the default, which travels back."""
    lab = staged(tmp_path, environment={"CONNECTOR__LIFECYCLE__NEW_RECORD": "lead"})
    given, blank = (
        lab.sf_create("Contact", LastName=name, Email=f"{name}@x.example", Department=department)
        for name, department in (("given", "customer"), ("blank", None))
    )
    lab.sync_once()
    assert [stage(lab, lab.partner("contacts", one)) for one in (given, blank)] == ["customer", "lead"]
    assert lab.sf_get("Contact", blank)["Department"] == "lead"


def test_L6_who_was_there_already_is_not_new():
    """A contact that is found by its e-mail keeps the stage that it has, or has not."""
    lab = begin({"CONNECTOR__LIFECYCLE__NEW_RECORD": "lead"})
    there = lab.hs_create("contacts", lastname="Fox", email="fox@acme.example")
    _, contact = person(lab)
    assert (contact, stage(lab, contact)) == (there, None)


def test_L6_a_stage_that_the_portal_lacks_is_not_given():
    """A slip of the pen in the settings keeps nobody from being created."""
    lab = begin({"CONNECTOR__LIFECYCLE__NEW_RECORD": "leed"})
    _, contact = person(lab)
    assert stage(lab, contact) is None
    assert lab.problems() == []


# --- L7, the account fallback -----------------------------------------------------------------------------


def two_of(lab: Lab, account: str) -> list[str]:
    return [
        lab.sf_create("Contact", LastName=name, Email=f"{name}@acme.example", AccountId=account)
        for name in ("ann", "bob")
    ]


def stages_of(lab: Lab, contacts: list[str]) -> list[str | None]:
    return [stage(lab, lab.partner("contacts", one)) for one in contacts]


@pytest.mark.parametrize(("sales_stage", "expected"), [("Prospecting", "opportunity"), ("Closed Won", "customer"),
                                                       ("Closed Lost", None)])  # fmt: skip
def test_L7_by_the_account_fallback_an_opportunity_without_roles_moves_all_contacts_of_its_account(
    sales_stage, expected
):
    """Switched on, it does what a role would; whoever is of another account stays."""
    lab = begin({"CONNECTOR__LIFECYCLE__ACCOUNT_FALLBACK": "true"})
    account = lab.sf_create("Account", Name="Acme")
    contacts = two_of(lab, account)
    stranger = lab.sf_create("Contact", LastName="Owl", Email="owl@else.example")
    lab.sync_once()
    lab.opportunity(AccountId=account, StageName=sales_stage)
    lab.sync_once()
    assert stages_of(lab, contacts) == [expected, expected]
    assert stages_of(lab, [stranger]) == [None]


def test_L7_the_account_fallback_is_for_opportunities_on_which_nobody_has_a_role():
    """With one role, only that contact moves; and when it is won, again only that one."""
    lab = begin({"CONNECTOR__LIFECYCLE__ACCOUNT_FALLBACK": "true"})
    account = lab.sf_create("Account", Name="Acme")
    contacts = two_of(lab, account)
    lab.sync_once()
    made = lab.opportunity(AccountId=account)
    lab.role(made, contacts[0])
    lab.sync_once()
    assert stages_of(lab, contacts) == ["opportunity", None]
    lab.sf_edit("Opportunity", made, StageName="Closed Won")
    lab.sync_once()
    assert stages_of(lab, contacts) == ["customer", None]


def test_L7_the_account_fallback_moves_forward_only():
    """Who is further already stays there, and who was lowered by hand stays low until the next event."""
    lab = begin({"CONNECTOR__LIFECYCLE__ACCOUNT_FALLBACK": "true"})
    account = lab.sf_create("Account", Name="Acme")
    contacts = two_of(lab, account)
    lab.sync_once()
    lab.hs_edit("contacts", lab.partner("contacts", contacts[0]), lifecyclestage="evangelist")
    made = lab.opportunity(AccountId=account)
    lab.sync_once()
    assert stages_of(lab, contacts) == ["evangelist", "opportunity"]
    lower(lab, lab.partner("contacts", contacts[1]), "lead")
    lab.sf_edit("Opportunity", made, Amount=5)
    lab.sync_once()
    assert stages_of(lab, contacts) == ["evangelist", "lead"]


def lower(lab: Lab, id_: str, to: str, object_: str = "contacts") -> None:
    """As an app or a person does it: clearing first."""
    lab.hs_edit(object_, id_, lifecyclestage="")
    lab.hs_edit(object_, id_, lifecyclestage=to)


# --- L2, first deals --------------------------------------------------------------------------------------

NO_ROLES = {"CONNECTOR__LIFECYCLE__ROLE_OPEN": "", "CONNECTOR__LIFECYCLE__ROLE_WON": ""}


@pytest.mark.parametrize("forgetful", [False, True], ids=["remembering", "after the store was lost"])
def test_L2_a_deal_after_the_first_one_was_deleted_is_no_first_deal(forgetful):
    """Lowered by hand in between, everybody stays."""
    lab = begin(NO_ROLES)
    account, contact, opportunity = lab.business()
    lab.sync_once()
    lab.sf_delete("Opportunity", opportunity)
    lab.sync_once()
    ids = {"companies": lab.partner("companies", account), "contacts": lab.partner("contacts", contact)}
    for object_, id_ in ids.items():
        lower(lab, id_, "lead", object_)
    if forgetful:
        lab.forget()
    lab.sync_until_rest()
    lab.role(lab.opportunity("Second", AccountId=account), contact)
    lab.sync_once()
    assert [stage(lab, id_, object_) for object_, id_ in ids.items()] == ["lead", "lead"]


def test_L2_a_company_that_gets_an_existing_deal_as_its_first_one_moves():
    """What is said of contacts that come later is said of contacts only."""
    lab = begin()
    opportunity = lab.opportunity()
    account = lab.sf_create("Account", Name="Acme")
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, AccountId=account)
    lab.sync_once()
    assert stage(lab, lab.partner("companies", account), "companies") == "opportunity"


def test_L2_L3_a_contact_that_comes_to_a_won_deal_later_is_left_to_L7():
    """With L7 off it neither moves nor gets a close date."""
    lab = begin(NO_ROLES)
    account, _, opportunity = lab.business(StageName="Closed Won")
    lab.sync_once()
    late = lab.sf_create("Contact", LastName="Late", Email="late@acme.example", AccountId=account)
    lab.sync_once()
    lab.role(opportunity, late)
    lab.sync_once()
    shown = lab.hs_get("contacts", lab.partner("contacts", late), "lifecyclestage", "closedate", "sf_days_to_close")
    assert not any(shown.get(name) for name in ("lifecyclestage", "closedate", "sf_days_to_close"))


# --- L1, custom stages ------------------------------------------------------------------------------------

STAGES = "/crm/v3/properties/contacts/lifecyclestage"


def add_stage(lab: Lab, value: str, label: str, after: str) -> None:
    """A stage of one's own, behind another one."""
    options = []
    for one in sorted(lab.hs("GET", STAGES)["options"], key=lambda one: one["displayOrder"]):
        options.append(one)
        if one["value"] == after:
            options.append({"value": value, "label": label, "hidden": False})
    numbered = [{**one, "displayOrder": number} for number, one in enumerate(options)]
    lab.hs("PATCH", STAGES, {"options": numbered})


@pytest.mark.parametrize(("after", "expected"), [("lead", "opportunity"), ("customer", "161000001")])
def test_L1_custom_stages_count_by_their_place_in_the_portal(after, expected):
    """One before `opportunity` is passed, one behind it is kept, however new the stage is."""
    lab = begin()
    account, contact, opportunity = lab.business()
    lab.sf_delete("Opportunity", opportunity)
    lab.sync_once()  # from now on the portal's properties are remembered for a day
    add_stage(lab, "161000001", "Pilot", after)
    id_ = lab.partner("contacts", contact)
    lab.hs_edit("contacts", id_, lifecyclestage="161000001")
    lab.role(lab.opportunity("Second", AccountId=account), contact)
    lab.sync_once()
    assert stage(lab, id_) == expected


def test_L1_a_custom_stage_may_be_what_a_setting_names():
    """By its internal value, a number."""
    lab = Lab({"CONNECTOR__LIFECYCLE__ROLE_OPEN": "161000001"})
    add_stage(lab, "161000001", "Pilot", "opportunity")
    lab.sync()
    _, contact, _ = lab.business()
    lab.sync_once()
    assert stage(lab, lab.partner("contacts", contact)) == "161000001"


# --- L8, L9: going back -----------------------------------------------------------------------------------


def staged(
    folder: Path, *, environment: dict[str, str] | None = None, backward: str = "ignore", **rule: Any
) -> Lab:
    """A lab whose mapping takes the contact's stage from `Department`, by the given rule."""
    (folder / "mappings").mkdir()
    for path in (defaults_folder() / "mappings").glob("*.yaml"):
        document = YAML(typ="safe").load(path)
        if document["pair"] == "contact-contact":
            document["fields"].append({"salesforce": "Department", "hubspot": "lifecyclestage", **rule})
        with (folder / "mappings" / path.name).open("w") as file:
            YAML().dump(document, file)
    lab = Lab(environment)
    lab.pairs = load_mapping(load_settings(lab.environment, folder), folder)
    lab.sandbox_post("hubspot", "settings", {"lifecycle_backward": backward}, "PUT")
    lab.sync()
    return lab


@pytest.fixture(params=["two_way", "always_salesforce", "prefer_salesforce_unless_blank"])
def rule(request) -> str:
    return str(request.param)


@BACKWARD
def test_L8_where_the_mapping_allows_it_a_stage_goes_back_by_clearing_and_setting(tmp_path, rule, backward):
    """Two requests, one move in the journal, whatever the portal makes of a direct step back."""
    lab = staged(tmp_path, rule=rule, may_go_backwards=True, backward=backward)
    contact, id_ = person(lab, Department="customer")
    lab.sf_edit("Contact", contact, Department="lead", Title="Dr")
    planned = lab.plan()
    calls = lab.sync_once().calls[Side.HUBSPOT]
    assert stage(lab, id_) == "lead"
    assert lab.hs_get("contacts", id_, "jobtitle")["jobtitle"] == "Dr"
    assert stage_writes(lab, id_)[1:] == [("done", "customer", "lead", "F1")]
    lab.sf_edit("Contact", contact, Title="Prof")
    assert planned.price[Side.HUBSPOT] == 1 + lab.plan().price[Side.HUBSPOT]
    assert lab.sync_once().calls[Side.HUBSPOT] == calls - 1


@BACKWARD
def test_L8_otherwise_a_step_back_is_never_written_and_told_once(tmp_path, rule, backward):
    """HubSpot keeps its stage, the other fields travel, and later runs write nothing."""
    lab = staged(tmp_path, rule=rule, backward=backward)
    contact, id_ = person(lab, Department="customer")
    lab.sf_edit("Contact", contact, Department="lead", Title="Dr")
    lab.sync_once()
    assert lab.hs_get("contacts", id_, "lifecyclestage", "jobtitle")["lifecyclestage"] == "customer"
    assert lab.hs_get("contacts", id_, "jobtitle")["jobtitle"] == "Dr"
    for _ in range(3):
        lab.advance(hours=1)
        assert lab.sync().writes == 0
    (problem,) = lab.problems()
    assert (problem["code"], problem["record_id"], problem["field"]) == (
        "LIFECYCLE_BACKWARD",
        id_,
        "lifecyclestage",
    )
    assert len(stage_writes(lab, id_)) == 1
    lab.sf_edit("Contact", contact, Department="customer")
    lab.sync_once()
    assert lab.problems() == []


def test_L8_a_step_forward_needs_no_leave(tmp_path):
    """It is an ordinary field then."""
    lab = staged(tmp_path, rule="two_way")
    contact, id_ = person(lab, Department="lead")
    lab.sf_edit("Contact", contact, Department="customer")
    lab.sync_once()
    assert stage(lab, id_) == "customer"


@pytest.mark.parametrize(("allowed", "expected"), [(True, None), (False, "customer")])
def test_L8_a_cleared_field_clears_the_stage_only_where_going_back_is_allowed(tmp_path, allowed, expected):
    """One request is enough for that."""
    lab = staged(tmp_path, rule="two_way", may_go_backwards=allowed)
    contact, id_ = person(lab, Department="customer")
    lab.sf_edit("Contact", contact, Department=None)
    lab.sync_once()
    assert stage(lab, id_) == expected


def deaths(lab: Lab) -> Iterator[Lab]:
    """Twins whose next run died at each of its writes in turn, before it was delivered and after."""
    for after in (False, True):
        for write in range(1, 10):
            twin = lab.copy()
            if not twin.sync_and_die(-write, after_delivery=after):
                break
            yield twin


@pytest.mark.parametrize("who", ["two_way", "always_salesforce"])
def test_law_11_a_lowering_that_was_cut_short_is_completed_by_the_next_run(tmp_path, who):
    """Wherever the process dies, HubSpot ends at the lower stage, and Salesforce keeps its value."""
    lab = staged(tmp_path, rule=who, may_go_backwards=True)
    contact, id_ = person(lab, Department="customer")
    lab.sf_edit("Contact", contact, Department="lead")
    halves = 0
    for twin in deaths(lab):
        halves += stage(twin, id_) is None
        twin.sync_until_rest()
        assert (stage(twin, id_), twin.sf_get("Contact", contact)["Department"]) == ("lead", "lead")
    assert halves > 0


def test_law_11_a_stage_that_a_person_clears_is_an_edit_like_any_other(tmp_path):
    """It travels to Salesforce."""
    lab = staged(tmp_path, rule="two_way", may_go_backwards=True)
    contact, id_ = person(lab, Department="customer")
    lab.hs_edit("contacts", id_, lifecyclestage="")
    lab.sync_once()
    assert lab.sf_get("Contact", contact)["Department"] is None


def test_L9_a_lowering_keeps_the_dates_that_hubspot_keeps_of_stages(tmp_path):
    """Entered, left, became: as if a person had cleared the stage and set the earlier one."""
    names = [
        f"hs_v2_{what}_{which}"
        for what in ("date_entered", "date_exited", "latest_time_in", "cumulative_time_in")
        for which in ("lead", "customer")
    ]
    names += ["hs_lifecyclestage_lead_date", "hs_lifecyclestage_customer_date"]
    shown = []
    before = staged(tmp_path, rule="two_way", may_go_backwards=True)
    contact, id_ = person(before, Department="lead")
    before.advance(days=1)
    before.sf_edit("Contact", contact, Department="customer")
    before.sync_once()
    before.advance(days=1)
    for by_hand in (True, False):
        lab = before.copy()
        if by_hand:
            lower(lab, id_, "lead")
        else:
            lab.sf_edit("Contact", contact, Department="lead")
            lab.sync_once()
        found = lab.hs_get("contacts", id_, *names)
        shown.append({name: bool(found[name]) for name in names})
    assert shown[0] == shown[1]
    assert shown[0]["hs_v2_date_exited_customer"]
    assert shown[0]["hs_lifecyclestage_lead_date"]


# --- L11 --------------------------------------------------------------------------------------------------

LEAD_STATUSES = {
    "New": "NEW",
    "Open": "OPEN",
    "In Progress": "IN_PROGRESS",
    "Open Deal": "OPEN_DEAL",
    "Unqualified": "UNQUALIFIED",
    "Attempted to Contact": "ATTEMPTED_TO_CONTACT",
    "Connected": "CONNECTED",
    "Bad Timing": "BAD_TIMING",
}


def with_shipped_lines(folder: Path, *names: str) -> Lab:
    """A lab on the shipped mapping, in which the suggested lines about these properties hold."""
    (folder / "mappings").mkdir()
    for path in (defaults_folder() / "mappings").glob("*.yaml"):
        text = path.read_text()
        if path.name == "contact-contact.yaml":
            comments = [line[4:] for line in text.splitlines() if line.startswith("  # ")]
            entries = YAML(typ="safe").load("\n".join(line for line in comments if line[:2] in {"- ", "  "}))
            chosen = [entry for entry in entries if entry["hubspot"] in names]
            assert len(chosen) == len(names)
            document = YAML(typ="safe").load(text)
            document["fields"] += chosen
            with (folder / "mappings" / path.name).open("w") as file:
                YAML().dump(document, file)
        else:
            (folder / "mappings" / path.name).write_text(text)
    lab = Lab()
    lab.pairs = load_mapping(load_settings(lab.environment, folder), folder)
    return lab


def test_L11_lead_status_is_an_ordinary_property_with_its_eight_options(tmp_path):
    """All of them travel, both ways, by the lines that the shipped mapping suggests."""
    lab = with_shipped_lines(tmp_path, "hs_lead_status")
    field = {"name": "Lead_Status__c", "type": "picklist", "picklistValues": list(LEAD_STATUSES)}
    lab.sandbox_post("salesforce", "fields", [{"sobject": "Contact", **field}])
    contacts = {
        status: lab.sf_create("Contact", LastName=status, Email=f"p{n}@x.example", Lead_Status__c=status)
        for n, status in enumerate(LEAD_STATUSES)
    }
    lab.sync_once()
    ids = {status: lab.partner("contacts", one) for status, one in contacts.items()}
    shown = lab.hs_all("contacts", "hs_lead_status")
    assert {status: shown[id_]["hs_lead_status"] for status, id_ in ids.items()} == LEAD_STATUSES
    turned = dict(zip(LEAD_STATUSES, reversed(LEAD_STATUSES), strict=True))
    for status, other in turned.items():
        lab.hs_edit("contacts", ids[status], hs_lead_status=LEAD_STATUSES[other])
    lab.sync_once()
    assert {one: lab.sf_get("Contact", id_)["Lead_Status__c"] for one, id_ in contacts.items()} == turned


def test_L8_the_suggested_line_about_the_stage_lets_it_go_back(tmp_path):
    """As it stands in the shipped mapping."""
    lab = with_shipped_lines(tmp_path, "lifecyclestage")
    lab.sandbox_post("salesforce", "fields", [{"sobject": "Contact", "name": "Stage__c", "type": "string"}])
    lab.sync()
    contact, id_ = person(lab, Stage__c="customer")
    lab.sf_edit("Contact", contact, Stage__c="lead")
    lab.sync_once()
    assert stage(lab, id_) == "lead"


# --- automation and mapping together ----------------------------------------------------------------------


def test_L_a_stage_that_salesforce_decides_is_moved_by_no_deal(tmp_path):
    """Otherwise the mapping would put it back, and both would fight at each event."""
    lab = staged(tmp_path, rule="always_salesforce", may_go_backwards=True)
    _, contact, opportunity = lab.business()
    lab.sf_edit("Contact", contact, Department="lead")
    lab.sync_once()
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    lab.sync_once()
    assert stage(lab, lab.partner("contacts", contact)) == "lead"


def test_L_a_stage_that_a_deal_moves_travels_to_salesforce_in_the_same_run(tmp_path):
    """Where the mapping goes both ways."""
    lab = staged(tmp_path, rule="two_way")
    _, contact, opportunity = lab.business()
    lab.sync_once()
    assert lab.sf_get("Contact", contact)["Department"] == "opportunity"
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    lab.sync_once()
    assert lab.sf_get("Contact", contact)["Department"] == "customer"


def test_L_a_move_that_hubspot_refuses_is_told_and_not_tried_every_run():
    """Somebody makes the contact an evangelist between the re-read and the write; its rollups are written."""
    lab = begin(lifecycle_backward="error")
    _, contact, opportunity = lab.business(Amount=7)
    lab.sync_once()
    id_ = lab.partner("contacts", contact)
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    lab.sync_before("contacts/batch/update", lambda: lab.hs_edit("contacts", id_, lifecyclestage="evangelist"))
    assert [one["field"] for one in lab.problems()] == ["lifecyclestage"]
    lab.sync_until_rest()
    lab.sync_once()
    shown = lab.hs_get("contacts", id_, "lifecyclestage", "sf_total_revenue")
    assert (shown["lifecyclestage"], shown["sf_total_revenue"]) == ("evangelist", "7")
    assert [one for one in stage_writes(lab, id_) if one[2] == "customer"] == [
        ("failed", "opportunity", "customer", "L3")
    ]


@pytest.mark.parametrize("backward", ["ignore", "allow"])
def test_L_a_move_that_hubspot_ignores_is_not_repeated(backward):
    """The same between re-read and write; the next runs write nothing."""
    lab = begin(lifecycle_backward=backward)
    _, contact, opportunity = lab.business()
    lab.sync_once()
    id_ = lab.partner("contacts", contact)
    lab.sf_edit("Opportunity", opportunity, StageName="Closed Won")
    lab.sync_before("contacts/batch/update", lambda: lab.hs_edit("contacts", id_, lifecyclestage="evangelist"))
    lab.sync_once()
    assert len([one for one in stage_writes(lab, id_) if one[2] == "customer"]) == 1


@pytest.mark.parametrize("before", ["customer", None])
def test_L8_a_conflict_settled_by_a_lowering_that_was_cut_short_is_listed_once(tmp_path, before):
    """F2: the run that completes it makes no other conflict of it, and that of the one that died counts."""
    lab = staged(tmp_path, rule="two_way", may_go_backwards=True)
    contact, id_ = person(lab, Department=before)
    lab.hs_edit("contacts", id_, lifecyclestage="evangelist")
    lab.advance(minutes=1)
    lab.sf_edit("Contact", contact, Department="lead")
    assert lab.sync_and_die(-1, after_delivery=True)
    assert stage(lab, id_) is None
    lab.sync_once()
    assert stage(lab, id_) == "lead"
    (conflict,) = lab.store.journal.conflicts()
    assert (conflict["changes"][0]["old"], conflict["changes"][0]["new"]) == ("evangelist", "lead")
