"""`connector demo`: the story is told to its end, and what it tells is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli.conftest import Run
from typer.testing import CliRunner

from connector.cli.app import app


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the one demo leaves its store."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def told(stage: Path) -> list[str]:
    """The lines of a demo whose store is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(stage))
        result = CliRunner().invoke(app, ["demo", "--seed", "2", "--keep"])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def scene(told: list[str], title: str) -> dict[str, list[str]]:
    """The rows of a scene's tables by their first cell."""
    begin = next(number for number, line in enumerate(told) if title in line)
    end = next((number for number in range(begin, len(told)) if not told[number]), len(told))
    cells = [re.split(r"\s{2,}", line.strip()) for line in told[begin + 1 : end]]
    return {first: others for first, *others in cells}


def test_every_scene_shows_what_it_is_about(told: list[str], connector: Run, stage: Path) -> None:
    """Before and after, as both CRMs' own APIs have it, in lines of at most 100 columns."""
    assert scene(told, "as they are")["Opportunity"] == ["200", "deals", "0"]
    edits = scene(told, "People go on working")
    assert all(cell.endswith("→ 77000") for cell in edits["Salesforce: an amount"])
    assert edits["HubSpot: a new deal"] == ["none → it, 1 role", "none → it, 1 contact"]
    roles = scene(told, "Contact roles are kept in step")
    assert len(roles) == 7  # a sentence, the head, and five rows
    seen = list(roles.values())[2:]
    assert all(here == there for here, there in seen)
    assert len({here for here, _ in seen}) == 5
    stages = scene(told, "Lifecycle stages go forward")
    assert stages["Salesforce: a first opportunity"][::2] == ["opportunity", "first deal (L2)"]
    assert stages["HubSpot: wins it 12 days later"] == ["customer", "customer", "deal won (L3)"]
    assert stages["Salesforce: loses that one"] == ["customer", "customer", "-"]
    assert stages["HubSpot: sets lead by hand"] == ["lead", "customer", "-"]
    rollups = scene(told, "Rollups follow the deals")
    assert rollups["number of deals"][0] == "2"
    assert rollups["revenue of won deals"][0] == "30000 → 45000"
    assert rollups["days to close"][0] == "12"
    deletions = scene(told, "Deletions are not symmetric")
    assert deletions["Salesforce: deletes an opportunity"] == ["opportunity → gone", "deal → gone"]
    assert deletions["HubSpot: deletes a deal"] == ["opportunity", "deal → gone"]
    assert deletions["Salesforce: deletes a contact"] == ["contact → gone", "contact"]
    assert deletions["HubSpot: deletes a contact"] == ["contact", "contact → gone"]
    assert "nothing to write: both sides agree" in scene(told, "Nothing to do")
    before_commands = told[: next(number for number, line in enumerate(told) if "What to try next" in line)]
    assert max(map(len, before_commands)) <= 100
    [folder] = stage.glob("connector-demo-*")
    assert told[-1] == f"The store of this demo is kept in {folder}"
    status = connector("status", CONNECTOR_STORE_URL=f"sqlite:///{folder / 'connector.db'}")
    assert "opportunity-deal" in status.stdout


def test_the_same_seed_tells_the_same_story(told: list[str], connector: Run) -> None:
    """To the letter, but for where the store is kept."""
    again = connector("demo", "--seed", "2").stdout.splitlines()
    assert again == told[:-1]


def test_demo_fails_when_it_writes_without_a_cause(connector: Run, monkeypatch) -> None:
    """The claim of that scene is tested, not only made."""
    from connector.cli.windows import HubSpotWindow

    moments = iter(range(1_000))
    monkeypatch.setattr(HubSpotWindow, "latest_write", lambda _: [str(next(moments))])
    result = connector("demo")
    assert result.exit_code == 1
    assert "wrote something without a cause" in result.stdout
