"""`forget`, as a data protection officer uses it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from cli.conftest import Crms, Run, read_json


def test_G1_forget_shows_then_removes_and_says_what_is_left_to_do(
    crms: Crms, connected: Run, connector: Run
) -> None:
    """A dry run removes nothing; nobody is asked in a script; then the person is gone, and unknown."""
    connected("sync")
    person = crms.salesforce.query("SELECT Id, Email, FirstName, LastName FROM Contact ORDER BY Id LIMIT 1")[0]
    name = f"{person['FirstName']} {person['LastName']}"
    shown = connector("forget", person["Email"], "--dry-run")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Would be forgotten; nothing was removed yet\n")
    assert f"Salesforce contact {person['Id']}  {name}\n" in shown.stdout
    assert "      2  observations of records\n" in shown.stdout
    assert "the person was still in Salesforce and HubSpot" in shown.stdout
    assert connector("links", "show", person["Id"]).exit_code == 0
    unasked = connector("forget", person["Email"])
    assert (unasked.exit_code, "nobody can be asked here" in unasked.stderr) == (2, True)
    told = read_json(connector("forget", person["Id"], "--yes", "--json"))
    assert [(one["side"], one["name"]) for one in told["records"]] == [("salesforce", name), ("hubspot", name)]
    assert (told["removed"]["record"], told["removed"]["link"], told["wiped"]) == (2, 1, True)
    again = connector("forget", person["Email"], "--yes")
    assert again.exit_code == 2
    assert "nobody like that is in the store" in again.stderr
    (act,) = [one for one in read_json(connector("runs", "--json"))["runs"] if one["kind"] == "forget"]
    assert (act["run"], act["status"], set(act["report"])) == (
        told["run"], "by hand", {"run", "kind", "records", "removed"},
    )  # fmt: skip
    assert name not in str(read_json(connector("runs", "1", "--json")))
    assert "forgotten" in connector("runs", "1", "--limit", "50").stdout


def test_G1_forget_says_in_words_what_it_did(crms: Crms, connected: Run, connector: Run) -> None:
    """Backups are named, since nobody can reach into them."""
    connected("sync")
    person = crms.salesforce.query("SELECT Id FROM Contact ORDER BY Id LIMIT 1")[0]["Id"]
    done = connector("forget", person, "--yes")
    assert done.exit_code == 0
    assert "noted as run 2 by numbers alone" in done.stdout
    assert "Backups and exports of the store" in done.stdout


def test_G1_forget_asks_first_and_takes_no_for_an_answer(
    crms: Crms, connected: Run, connector: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal what would go is shown, and only a yes removes it."""
    connected("sync")
    person = crms.salesforce.query("SELECT Id FROM Contact ORDER BY Id LIMIT 1")[0]["Id"]
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("connector.cli.forget.sys", terminal)
    refused = connector("forget", person, input="n\n")
    assert (refused.exit_code, refused.stdout.startswith("Would be forgotten")) == (1, True)
    assert connector("links", "show", person).exit_code == 0
    agreed = connector("forget", person, input="y\n")
    assert (agreed.exit_code, "Forgotten, noted as run 2" in agreed.stdout) == (0, True)
