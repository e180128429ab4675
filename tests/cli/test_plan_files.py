"""`plan --out` and `apply`: a plan that is kept, read, and carried out later (X1)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.conftest import Crms, Run, read_json

HOSTILE = '<script>alert("x")</script> | *bold* `code`'


def opportunities(crms: Crms) -> list[str]:
    return [str(one["Id"]) for one in crms.salesforce.query("SELECT Id FROM Opportunity ORDER BY Id")]


@pytest.fixture
def synced(connected: Run) -> Run:
    connected("sync")
    return connected


def test_X1_a_saved_plan_with_drift_is_applied_in_part(synced: Run, crms: Crms, folder: Path) -> None:
    """The other rows are made, exit code 1, and the report names the row, what was planned and what it is now."""
    first, second, *_ = opportunities(crms)
    crms.salesforce.update("Opportunity", first, Name="Planned")
    crms.salesforce.update("Opportunity", second, Name="Planned too")
    kept = synced("plan", "--out", "plan.json")
    assert kept.exit_code == 0
    assert "Carry it out with `connector apply plan.json`." in kept.stdout
    crms.salesforce.update("Opportunity", first, Name="Moved on")
    result = synced("apply", "plan.json")
    assert result.exit_code == 1
    assert "rows of the plan: 1 of 2 made" in result.stdout
    assert "1 drifted since the plan was made" in result.stdout
    assert "Planned  [F1" in result.stdout
    assert "Moved on  [F1" in result.stdout
    assert crms.hubspot.find("deals", "dealname", "Planned too") is not None
    assert not any(crms.hubspot.find("deals", "dealname", name) for name in ("Planned", "Moved on"))


def test_X1_the_json_of_a_plan_is_a_plan_file(synced: Run, crms: Crms, folder: Path) -> None:
    """`plan --json > FILE` and `plan --out FILE.json` are the same; `apply --json` tells of each row."""
    crms.salesforce.update("Opportunity", opportunities(crms)[0], Name="Planned")
    told = synced("plan", "--json").stdout
    folder.joinpath("plan.json").write_text(told)
    assert {"format", "planned_at", "planned_for", "wish", "actions", "price"} <= json.loads(told).keys()
    answer = read_json(synced("apply", "plan.json", "--json"))
    assert answer["plan"] == {"rows": 1, "applied": 1, "unmade": [], "unplanned": 0}
    again = synced("apply", "plan.json", "--json")
    assert again.exit_code == 1
    assert [one["why"] for one in read_json(again)["plan"]["unmade"]] == ["not due"]


def test_X1_the_page_escapes_what_the_crms_hold(synced: Run, crms: Crms, folder: Path) -> None:
    """One file without addresses to load from; a name that is a script is shown, not run."""
    crms.salesforce.update("Opportunity", opportunities(crms)[0], Name=HOSTILE)
    assert synced("plan", "--out", "plan.html").exit_code == 0
    page = folder.joinpath("plan.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert page.count("<script>") == 1
    assert "src=" not in page
    assert "href=" not in page


def test_X1_markdown_keeps_its_table_whatever_the_crms_hold(synced: Run, crms: Crms, folder: Path) -> None:
    """Each change is one row of five cells."""
    crms.salesforce.update("Opportunity", opportunities(crms)[0], Name=HOSTILE + "\nsecond line")
    assert synced("plan", "--out", "plan.md").exit_code == 0
    rows = [line for line in folder.joinpath("plan.md").read_text().splitlines() if "alert" in line]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == 6
    assert "second line" in rows[0]


def test_X1_a_plan_can_be_of_some_objects(connected: Run, crms: Crms) -> None:
    """Only their rows are in it; a name that is none is told with those there are."""
    told = read_json(connected("plan", "--object", "companies", "--json"))
    assert {one["object"] for one in told["actions"]} == {"companies"}
    assert told["wish"]["objects"] == ["account-company"]
    wrong = connected("plan", "--object", "leads")
    assert wrong.exit_code == 2
    assert "accounts, companies, contacts, opportunities, deals" in " ".join(wrong.stderr.replace("│", "").split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "plan"], "end it in .json"),
        (["--out", "nowhere/plan.json"], "no folder"),
        (["--format", "pdf"], "none of table, json, markdown, html"),
        (["--json", "--format", "html"], "give one of both"),
    ],
)
def test_X1_a_plan_that_could_not_be_kept_asks_neither_crm(connected: Run, crms: Crms, arguments, says) -> None:
    """Exit code 2 before the first call."""
    crms.hubspot.ask("POST", "/_sandbox/usage/reset")
    result = connected("plan", *arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", "").split())
    assert crms.hubspot.ask("GET", "/_sandbox/usage")["total"] == 0


def test_X1_a_file_that_is_no_plan_is_told_with_its_line(connected: Run, folder: Path) -> None:
    """Exit code 2, the place, and what to do; nothing is asked of a CRM."""
    folder.joinpath("plan.json").write_text('{"format":\n oops}')
    result = connected("apply", "plan.json")
    assert result.exit_code == 2
    assert "plan.json:2: is not JSON" in result.stderr
    assert "connector plan --out FILE" in result.stderr
