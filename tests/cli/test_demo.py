"""`connector demo`: the story is told to its end, and what it tells is so."""

from __future__ import annotations

import re
from pathlib import Path

from cli.conftest import Run


def test_demo(connector: Run, monkeypatch, tmp_path: Path) -> None:
    """Every scene shows what it is about; the store stays where the demo says, and `status` can read it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = connector("demo", "--seed", "2", "--keep")
    assert result.exit_code == 0, result.output
    told = result.stdout.splitlines()
    text = "\n".join(told)
    row = {re.split(r"\s{2,}", line)[0]: " ".join(line.split()) for line in told}
    assert row["Opportunity"] == "Opportunity 200 deals 0"
    assert row["amount of an opportunity"].count("→ 77000") == 2
    assert "1 role → 2 roles 1 contact → 2 contacts" in row["a new contact role"]
    assert row["an opportunity is deleted"].endswith("Salesforce an opportunity → gone a deal → gone")
    assert row["a deal is deleted"].endswith("HubSpot an opportunity a deal → gone")
    assert "nothing to write: both sides agree" in text
    assert "No record on either side has a newer date of change" in text
    assert "opportunity customer" in row["lifecycle stage"]
    before_commands = told[: next(number for number, line in enumerate(told) if "What to try next" in line)]
    assert max(map(len, before_commands)) <= 100
    [folder] = tmp_path.glob("connector-demo-*")
    assert told[-1] == f"The store of this demo is kept in {folder}"
    status = connector("status", CONNECTOR_STORE_URL=f"sqlite:///{folder / 'connector.db'}")
    assert "opportunity-deal" in status.stdout


def test_demo_fails_when_it_writes_without_a_cause(connector: Run, monkeypatch) -> None:
    """The claim of the sixth scene is tested, not only made."""
    from connector.cli.windows import HubSpotWindow

    moments = iter(range(1_000))
    monkeypatch.setattr(HubSpotWindow, "latest_write", lambda _: [str(next(moments))])
    result = connector("demo")
    assert result.exit_code == 1
    assert "wrote something without a cause" in result.stdout
