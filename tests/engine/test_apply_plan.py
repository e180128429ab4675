"""`apply` carries out a saved plan: its rows as they stand, and nothing else (X1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from engine.lab import Lab

from connector.core.model import Side
from connector.engine.plan_file import PlannedFor, PlannedWish, check_plan, describe_plan, read_plan
from connector.engine.report import Agreement, Report
from connector.engine.run import Wish
from connector.errors import BadConfiguration, Refused

HERE = PlannedFor(
    connection="default", salesforce="https://here.my.salesforce.com", hubspot="https://api.hubapi.com"
)


def save(lab: Lab, path: Path, wish: Wish | None = None) -> dict[str, Any]:
    """Plan, and keep the plan in a file."""
    wish = wish or Wish()
    asked = PlannedWish(records=wish.records, objects=wish.pairs, deletes=wish.deletes)
    told = describe_plan(lab.plan(wish), HERE, asked, datetime.now(UTC))
    path.write_bytes(orjson.dumps(told))
    return told


def carry_out(lab: Lab, path: Path) -> tuple[Report, Agreement]:
    saved = read_plan(path)
    report = lab.sync(Wish(saved.wish.deletes, saved.wish.records, pairs=saved.wish.objects, agreed=saved))
    assert report.agreement is not None
    return report, report.agreement


@pytest.fixture
def file(tmp_path):
    return tmp_path / "plan.json"


@pytest.fixture
def lab():
    """A synced opportunity with a contact, at rest."""
    lab = Lab()
    lab.sync()
    lab.business(Amount=100)
    lab.sync_until_rest()
    return lab


def first_import(lab: Lab) -> None:
    account = lab.sf_create("Account", Name="Bolt", Website="bolt.example")
    contact = lab.sf_create("Contact", LastName="Nut", Email="nut@bolt.example", AccountId=account)
    for amount in (
        None,
        100,
        50,
        None,
        70,
    ):  # made in one second: which one is the most recent is HubSpot's ids' say
        lab.role(lab.opportunity(f"Bolt {amount}", AccountId=account, Amount=amount), contact)


def edits_on_both_sides(lab: Lab) -> None:
    opportunity = lab.sf_all("SELECT Id FROM Opportunity")[0]["Id"]
    lab.sf_edit("Opportunity", opportunity, Name="Renamed", Amount=7)
    lab.hs_edit("deals", lab.deal_of(opportunity), description="Described")


def a_deal_born_in_hubspot(lab: Lab) -> None:
    stage = lab.stages()["Prospecting"]
    lab.hs_create("deals", dealname="Born there", pipeline=lab.pipeline(), dealstage=stage, closedate="2026-12-01")


def a_deletion(lab: Lab) -> None:
    lab.sf_delete("Opportunity", lab.sf_all("SELECT Id FROM Opportunity")[0]["Id"])


def a_role_removed(lab: Lab) -> None:
    lab.advance(minutes=2)
    lab.sf_delete("OpportunityContactRole", lab.sf_all("SELECT Id FROM OpportunityContactRole")[0]["Id"])
    lab.advance(minutes=2)


def a_new_role(lab: Lab) -> None:
    contact = lab.sf_create("Contact", LastName="Owl", Email="owl@acme.example")
    lab.role(lab.sf_all("SELECT Id FROM Opportunity")[0]["Id"], contact)


SITUATIONS: list[Callable[[Lab], None]] = [
    first_import,
    edits_on_both_sides,
    a_deal_born_in_hubspot,
    a_deletion,
    a_role_removed,
    a_new_role,
]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.__name__)
def test_X1_a_plan_that_nothing_overtook_is_applied_as_a_whole(lab, file, situation):
    """Every row is made and nothing is left over but what Salesforce filled in by itself in a new record."""
    situation(lab)
    rows = save(lab, file)["actions"]
    report, agreement = carry_out(lab, file)
    assert rows
    assert (agreement.applied, agreement.unmade) == (len(rows), ())
    assert report.status == "ok"
    assert lab.plan().writes == (1 if situation is a_deal_born_in_hubspot else 0)


def test_X1_rows_that_drifted_on_either_side_are_refused_and_the_rest_is_applied(lab, file):
    """An edit of the source, and one of the target, each stop their own row."""
    drifting, overtaken, steady = (lab.opportunity(name) for name in ("Drifting", "Overtaken", "Steady"))
    lab.sync_until_rest()
    for one in (drifting, overtaken, steady):
        lab.sf_edit("Opportunity", one, Name="Planned", Description="Too")
    save(lab, file)
    lab.sf_edit("Opportunity", drifting, Name="Moved on")
    lab.advance(minutes=1)
    lab.hs_edit("deals", lab.deal_of(overtaken), dealname="Moved on there")
    report, agreement = carry_out(lab, file)
    assert report.status == "drifted"
    assert (agreement.rows, agreement.applied) == (3, 1)
    assert {one.write.record for one in agreement.unmade} == {lab.deal_of(drifting), lab.deal_of(overtaken)}
    assert {one.why for one in agreement.unmade} == {"drifted"}
    assert lab.hs_get("deals", lab.deal_of(steady), "dealname")["dealname"] == "Planned"
    assert lab.hs_get("deals", lab.deal_of(drifting), "dealname")["dealname"] == "Drifting"
    assert lab.hs_get("deals", lab.deal_of(overtaken), "dealname")["dealname"] == "Moved on there"
    assert lab.sf_get("Opportunity", overtaken)["Name"] == "Planned"


def test_X1_what_was_refused_or_became_due_since_is_left_for_the_next_sync(lab, file):
    """No write that the plan does not have is made, and none is forgotten."""
    opportunity = lab.opportunity("First")
    lab.sync_until_rest()
    lab.sf_edit("Opportunity", opportunity, Name="Planned")
    save(lab, file)
    lab.sf_edit("Opportunity", opportunity, Name="Moved on", Description="Added since")
    later = lab.opportunity("Born since")
    _, agreement = carry_out(lab, file)
    assert agreement.applied == 0
    assert agreement.unplanned == 1
    assert lab.partner("deals", later) is None
    lab.sync_once()
    deal = lab.hs_get("deals", lab.deal_of(opportunity), "dealname", "description")
    assert (deal["dealname"], deal["description"]) == ("Moved on", "Added since")
    assert lab.hs_get("deals", lab.deal_of(later), "dealname")["dealname"] == "Born since"


def test_X1_what_hubspot_did_to_a_deals_contacts_since_is_left_for_the_next_sync(lab, file):
    """R2, R3: a contact that came on a deal there, or went, is no row of the plan, and is not forgotten."""
    (opportunity,) = [row["Id"] for row in lab.sf_all("SELECT Id FROM Opportunity")]
    other = lab.opportunity("Other")
    lab.sync_until_rest()
    save(lab, file)
    deal, empty = lab.deal_of(opportunity), lab.deal_of(other)
    (person,) = lab.hs_associated("deals", deal, "contacts")
    lab.hs("DELETE", f"/crm/v4/objects/deals/{deal}/associations/contacts/{person}")
    lab.hs_associate("deals", empty, "contacts", person, 3)
    _, agreement = carry_out(lab, file)
    assert (agreement.applied, agreement.unplanned) == (0, 2)
    lab.sync()
    roles = lab.sf_all("SELECT OpportunityId FROM OpportunityContactRole")
    assert [row["OpportunityId"] for row in roles] == [other]


def test_X1_a_row_taken_out_of_the_file_is_not_made(lab, file):
    """A reviewer may take rows out; the rest is applied and counts as the whole plan."""
    kept, out = lab.opportunity("Kept"), lab.opportunity("Taken out")
    plan = save(lab, file)
    plan["actions"] = [one for one in plan["actions"] if one["of"] != out]
    file.write_bytes(orjson.dumps(plan))
    report, agreement = carry_out(lab, file)
    assert report.status == "ok"
    assert agreement.unplanned == 1
    assert lab.partner("deals", out) is None
    assert lab.partner("deals", kept) is not None


def test_X1_a_row_changed_in_the_file_is_not_made(lab, file):
    """The file can only hold a run back: what it says must be what the run comes to."""
    opportunity = lab.opportunity("First")
    lab.sync_until_rest()
    lab.sf_edit("Opportunity", opportunity, Name="Meant")
    plan = save(lab, file)
    plan["actions"][0]["changes"][0]["new"] = "Forged"
    file.write_bytes(orjson.dumps(plan))
    report, _ = carry_out(lab, file)
    assert report.status == "drifted"
    assert lab.hs_get("deals", lab.deal_of(opportunity), "dealname")["dealname"] == "First"


def test_X1_a_plan_applied_twice_says_that_nothing_is_due(lab, file):
    """The second time no row is made, and each says why."""
    edits_on_both_sides(lab)
    rows = save(lab, file)["actions"]
    carry_out(lab, file)
    report, agreement = carry_out(lab, file)
    assert report.writes == 0
    assert [one.why for one in agreement.unmade] == ["not due"] * len(rows)


def test_X1_a_write_that_the_crm_refuses_is_told_as_refused(lab, file):
    """The row passed, and the problem says why it was not taken."""
    opportunity = lab.sf_all("SELECT Id FROM Opportunity")[0]["Id"]
    lab.hs_edit("deals", lab.deal_of(opportunity), dealname="x" * 300)
    save(lab, file)
    _, agreement = carry_out(lab, file)
    assert [one.why for one in agreement.unmade] == ["refused"]
    assert lab.problems()


def test_X1_a_plan_of_some_objects_writes_only_to_these(lab, file):
    """With the parents that they wait for."""
    lab.sf_create("Account", Name="Alone", Website="alone.example")
    opportunity = lab.opportunity("Of no account")
    plan = save(lab, file, Wish(pairs=("opportunity-deal",)))
    assert {(one["verb"], one["object"]) for one in plan["actions"]} == {("create", "deals")}
    carry_out(lab, file)
    assert lab.partner("deals", opportunity) is not None
    assert lab.sync_once().created[Side.HUBSPOT] == {"companies": 1}


def test_X1_set_up_that_the_plan_does_not_name_is_not_made(lab, file):
    """A pipeline that is needed since is a reason to plan again, before anything is written."""
    lab.opportunity("Planned")
    save(lab, file)
    lab.sandbox_post("salesforce", "record_types", [{"name": "New business"}])
    lab.sandbox_post("salesforce", "record_types", [{"name": "Renewals"}])
    lab.advance(hours=25)
    with pytest.raises(Refused, match="pipeline"):
        carry_out(lab, file)
    assert len(lab.hs_all("deals")) == 1


def test_D7_a_saved_plan_does_not_get_around_the_guard(lab, file):
    """Deletions beyond the limit are refused, unless the plan was made with --allow-deletes."""
    made = [lab.opportunity(f"Deal {each}") for each in range(11)]
    lab.sync_until_rest()
    for each in made:
        lab.sf_delete("Opportunity", each)
    save(lab, file)
    with pytest.raises(Refused):
        carry_out(lab, file)
    save(lab, file, Wish(deletes=True))
    _, agreement = carry_out(lab, file)
    assert agreement.applied == 11


# --- files that are none ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "is not JSON"),
        (b'{"format": "connector plan",\n "version": 1,\n oops}', 3, "is not JSON"),
        (b"[]", 0, "is no plan"),
        (b'{"actions": []}', 0, "is no plan"),
        (b'{"format": "connector plan", "version": 99}', 0, "version 99"),
        (b'{"format": "connector plan", "version": 1}', 0, "planned_at: Field required"),
        (b"\xff\xfe{}", 1, "is not JSON"),
    ],
)
def test_X1_a_file_that_is_no_plan_is_told_in_words(file, content, line, message):
    """With its name, its line where it has one, and what to do."""
    file.write_bytes(content)
    with pytest.raises(BadConfiguration) as caught:
        read_plan(file)
    first = caught.value.findings[0]
    assert (first.where, first.line) == (str(file), line)
    assert message in first.message
    assert first.remedy


def test_X1_a_missing_file_is_told_in_words(file):
    """And so is a folder."""
    for path in (file, file.parent):
        with pytest.raises(BadConfiguration) as caught:
            read_plan(path)
        assert "cannot be read" in caught.value.findings[0].message


def test_X1_a_plan_of_another_connection_is_refused(lab, file):
    """Of another org, or another connection of this store: each is named."""
    save(lab, file)
    check_plan(file, read_plan(file), HERE)
    elsewhere = HERE.model_copy(update={"salesforce": "https://there.my.salesforce.com", "connection": "other"})
    with pytest.raises(BadConfiguration) as caught:
        check_plan(file, read_plan(file), elsewhere)
    assert len(caught.value.findings) == 2
    assert "there.my.salesforce.com" in caught.value.findings[1].message
