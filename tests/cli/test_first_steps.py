"""From an empty folder to a sync: `init`, `check`, `setup`, `sync`; and what `setup` says on the way."""

from __future__ import annotations

import pytest
from cli.conftest import Crms, Run, read_json

FIELD = "Opportunity.HubSpot_Id__c"


@pytest.fixture
def fresh(crms: Crms) -> Crms:
    """An org that has never heard of HubSpot."""
    soql = "SELECT Id FROM CustomField WHERE TableEnumOrId = 'Opportunity' AND DeveloperName = 'HubSpot_Id'"
    [row] = crms.salesforce.ask("GET", "/services/data/v62.0/tooling/query", q=soql)["records"]
    crms.salesforce.ask("DELETE", f"/services/data/v62.0/tooling/sobjects/CustomField/{row['Id']}")
    return crms


def problems(result) -> dict[str, str]:
    return {one["name"]: one["class"] for one in read_json(result)["checks"] if one["state"] == "problem"}


def test_P3_from_an_empty_folder_to_a_sync(connected: Run, fresh: Crms) -> None:
    """The check tells what lacks, setup makes it, the check is fine, setup finds nothing more, the sync runs."""
    assert connected("init").exit_code == 0

    failed = connected("check", "--json")
    assert failed.exit_code == 1
    assert problems(failed) == {f"Salesforce {FIELD}": "field mapping"}

    made = connected("setup", "--yes")
    assert made.exit_code == 0
    assert f"made field {FIELD}" in made.stdout
    assert "made pipeline" in made.stdout

    assert connected("check").exit_code == 0

    again = connected("setup", "--yes")
    assert again.exit_code == 0
    assert "Nothing is missing on either side" in again.stdout
    assert read_json(connected("setup", "--yes", "--json")) == {"status": "nothing to do", "steps": []}

    told = read_json(connected("sync", "--json"))
    assert (told["status"], told["made"]) == ("ok", [])
    assert told["hubspot"]["created"]["deals"] > 0


def test_dry_run(connected: Run, fresh: Crms) -> None:
    """What is missing is shown, and nothing is made."""
    before = fresh.hubspot.latest_write()
    told = read_json(connected("setup", "--dry-run", "--json"))
    assert told["status"] == "planned"
    assert told["steps"][0] == {
        "side": "salesforce",
        "kind": "field",
        "object": "Opportunity",
        "name": "HubSpot_Id__c",
        "what": f"field {FIELD}: text, external id, unique",
        "state": "planned",
        "detail": "",
        "remedy": "",
    }
    assert "would make property sf_record_id on deals" in connected("setup", "--dry-run").stdout
    assert fresh.hubspot.latest_write() == before
    assert problems(connected("check", "--json"))


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_nobody_is_there_to_ask(connected: Run, flags: tuple[str, ...]) -> None:
    """Without a terminal it has to be said that things are to be made."""
    result = connected("setup", *flags)
    assert result.exit_code == 2
    assert "--yes" in result.output


@pytest.mark.parametrize(("answer", "exit_code", "made"), [("n\n", 0, False), ("y\n", 0, True)])
def test_somebody_is_asked(
    connected: Run, crms: Crms, monkeypatch, answer: str, exit_code: int, made: bool
) -> None:
    """On a terminal the plan is shown first, and made once that is wanted."""
    monkeypatch.setattr("connector.cli.setup.is_terminal", lambda: True)
    result = connected("setup", input=answer)
    assert result.exit_code == 0
    assert "would make property sf_record_id on deals" in result.stdout
    assert ("made property sf_record_id on deals" in result.stdout) is made


def test_what_an_administrator_has_to_do(connected: Run, fresh: Crms) -> None:
    """A user without the right gets the clicks; everything else is made, and the exit code is 1."""
    fresh.salesforce.ask("PUT", "/_sandbox/permissions", {"PermissionsCustomizeApplication": False})
    result = connected("setup", "--yes")
    told = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert f"cannot make field {FIELD}" in told
    assert "it lacks Customize Application" in told
    assert "Setup, Object Manager, Opportunity, Fields & Relationships, New: Text, Field Label `HubSpot Id`" in told
    assert "1 left for a person" in told
    assert "made property sf_record_id on deals" in told


def test_no_connection(connected: Run) -> None:
    """A CRM that cannot be used ends it with exit code 4, in JSON too, and without the secret."""
    result = connected("setup", "--yes", "--json", HUBSPOT_ACCESS_TOKEN="wrong-secret")
    assert result.exit_code == 4
    told = read_json(result)
    assert (told["status"], told["steps"]) == ("stopped", [])
    assert "check HUBSPOT_ACCESS_TOKEN" in told["error"]["remedy"]
    assert "wrong-secret" not in result.output
