"""`backfill`: what it prints, how it ends, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.conftest import Crms, Run, read_json

NEXT_STEP = "\n  - {salesforce: NextStep, hubspot: hs_next_step, rule: two_way}\n"


@pytest.fixture
def grown(connected: Run, connector: Run, crms: Crms, folder: Path) -> int:
    """Opportunities with a next step, which the mapping has learnt of after the first sync; how many there are."""
    id_ = str(crms.salesforce.query("SELECT Id FROM Opportunity ORDER BY Id LIMIT 1")[0]["Id"])
    crms.salesforce.update("Opportunity", id_, NextStep="Call them")
    connector("init")
    connected("sync")
    path = folder / "mappings/opportunity-deal.yaml"
    path.write_text(path.read_text() + NEXT_STEP)
    return len(crms.salesforce.query("SELECT Id FROM Opportunity WHERE NextStep != null"))


def test_T4_a_dry_run_shows_the_plan_and_backfill_carries_it_out(connected: Run, grown: int) -> None:
    """The saved mapping alone writes nothing; the dry run names the field and the price."""
    assert read_json(connected("sync", "--json"))["hubspot"]["updated"] == {}
    shown = connected("backfill", "--dry-run")
    assert shown.exit_code == 0
    assert "hs_next_step" in shown.stdout
    assert "Call them" in shown.stdout
    told = read_json(connected("backfill", "--object", "opportunities", "--field", "NextStep", "--json"))
    assert told["hubspot"]["updated"] == {"deals": grown}
    assert f"backfill: {grown} linked deals differ in a field that was left (T4)" in told["notes"]
    assert read_json(connected("backfill", "--json"))["hubspot"]["updated"] == {}


def test_T4_a_field_that_is_not_mapped_is_refused(connected: Run, connector: Run) -> None:
    """With what was meant, exit code 2, and no traceback."""
    result = connected("backfill", "--object", "accounts", "--field", "Webside")
    assert result.exit_code == 2
    assert "Webside is no mapped field of these objects" in " ".join(result.stderr.split())
    assert "did you mean `Website`?" in result.stderr


def test_P4_deals_alone_fill_in_nothing_else(connected: Run, grown: int) -> None:
    """`--deals` is about deals without a partner, of which there are none here."""
    told = read_json(connected("backfill", "--deals", "--json"))
    assert told["hubspot"]["updated"] == {}
    assert told["notes"] == ["backfill: 0 deals may become opportunities (P4)"]
