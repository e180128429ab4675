"""`audit`: what it prints, how it ends, and the repair that it keeps (X4)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli.conftest import Crms, Run, read_json

from connector.core.model import Side
from connector.store.store import Store


def test_X4_no_drift_after_a_sync(connected: Run) -> None:
    """Exit code 0, with how much was looked at."""
    connected("sync")
    connected("sync")
    result = connected("audit")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "No drift" in result.stdout
    assert ["opportunity-deal", "10", "10", "0", "0.00%", "-"] in [
        line.split() for line in result.stdout.splitlines()
    ]


def test_X4_drift_is_an_exit_code_and_its_repair_a_plan(connected: Run, crms: Crms, folder: Path) -> None:
    """The kind in words, an example, the price; the file is applied, and then there is none."""
    connected("sync")
    connected("sync")
    account = crms.salesforce.query("SELECT Id FROM Account ORDER BY Id LIMIT 1")[0]["Id"]
    company = crms.hubspot.find("companies", "sf_record_id", account)
    assert company is not None
    crms.hubspot.update("companies", company, sf_total_revenue="12345")
    # A run that takes it in puts it right; one of an earlier version left it.
    store = Store.open(f"sqlite:///{folder / 'connector.db'}", "default", lambda: datetime.now(UTC))
    store.records.overwrite(Side.HUBSPOT, "companies", {company: {"sf_total_revenue": "12345"}})
    store.close()
    connected("sync")
    result = connected("audit", "--repair", "repair.json")
    assert result.exit_code == 1
    assert "1 seen as they are, and the rules would still write" in result.stdout
    assert f"HubSpot companies {company}  sf_total_revenue: 12345 →" in result.stdout
    assert "a plan of 1 row" in result.stdout
    assert "Carry it out with `connector apply repair.json`." in result.stdout
    assert connected("apply", "repair.json").exit_code == 0
    assert connected("audit").exit_code == 0


def test_X4_audit_json(connected: Run) -> None:
    """One object with every documented key."""
    connected("sync")
    connected("sync")
    told = read_json(connected("audit", "--json", "--all", "--object", "contacts"))
    assert told.keys() == {
        "drift", "kinds", "found", "hubspot_rollups", "due", "records", "repair", "api_calls", "price",
    }  # fmt: skip
    assert told["drift"].keys() == {"contact-contact"}
    assert told["drift"]["contact-contact"]["rate"] == 0


def test_X4_before_the_first_sync_nothing_can_drift(connected: Run) -> None:
    """It says with what to begin."""
    result = connected("audit")
    assert result.exit_code == 0
    assert "Begin with `connector sync`" in result.stdout


@pytest.mark.parametrize("arguments", ["--all --calls 5", "--repair nowhere/x.json", "--sample 0"])
def test_X4_options_that_do_not_go_together(connected: Run, arguments) -> None:
    """Exit code 2."""
    assert connected("audit", *arguments.split()).exit_code == 2
