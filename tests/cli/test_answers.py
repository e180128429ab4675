"""`explain`, `status`, `runs`, `problems`, `conflicts`, `links`: what they print and how they end."""

from __future__ import annotations

import pytest
from cli.conftest import Crms, Run, last_contact, read_json
from cli.test_sync import an_opportunity, make_problem

COMMANDS = [
    ("explain",), ("status",), ("runs",), ("problems", "list"), ("problems", "show"), ("problems", "retry"),
    ("problems", "ignore"), ("conflicts", "list"), ("conflicts", "resolve"), ("links", "show"), ("links", "relink"),
    ("links", "unlink"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids="-".join)
def test_help_has_examples(connector: Run, command: tuple[str, ...]) -> None:
    """Each command's help ends with examples of itself, and says how it ends or that it asks neither CRM."""
    text = " ".join(connector(*command, "--help").stdout.split())
    assert f"connector {' '.join(command)}" in text.partition("Examples:")[2]
    assert "Exit code 0" in text or "Asks neither CRM" in text


def test_status_before_the_first_run(connector: Run) -> None:
    """Without a run and without credentials, status says how to begin."""
    result = connector("status")
    assert result.exit_code == 0
    assert result.stdout.startswith("No run yet.")


def test_status_and_problems(connected: Run, connector: Run, crms: Crms) -> None:
    """What needs a person is an exit code, has its remedy, and can be ignored; no CRM is asked."""
    make_problem(crms)
    connected("sync")
    contact = last_contact(crms.salesforce)
    result = connector("status")
    assert result.exit_code == 1
    assert result.stdout.startswith("Something needs you\n  • 1 problem is open\n")
    assert "1 duplicates, the oldest for" in result.stdout
    assert ["opportunity-deal", "10"] in [line.split() for line in result.stdout.splitlines()]
    listed = connector("problems", "list").stdout
    assert f"duplicates: Salesforce Contact {contact}" in listed
    assert "→ merge the duplicates" in listed
    assert "tried 1 time" in listed
    assert "the next run tries again" in connector("problems", "retry", "--class", "duplicates").stdout
    assert "hidden until" in connector("problems", "ignore", contact).stdout
    assert connector("problems", "list").stdout == "No problems; 1 more is ignored\n"
    assert read_json(connector("problems", "list", "--ignored", "--json"))["problems"][0]["record_id"] == contact
    assert "ignored since" in connector("problems", "show", contact).stdout
    result = connector("status", "--json")
    told = read_json(result)
    assert (result.exit_code, told["healthy"], told["ignored"], told["problems"]) == (0, True, 1, [])
    assert told["last_run"]["report"]["hubspot"]["created"]["deals"] == 10
    assert told["links"]["opportunity-deal"] == {"linked": 10}
    assert connector("status").stdout.startswith("All is well\n")
    assert connector("status", "--max-age", "0").exit_code == 1
    assert "open again" in connector("problems", "ignore", contact, "--undo").stdout


def test_explain(connected: Run, connector: Run, crms: Crms) -> None:
    """A headline that answers, then the pair, its fields and its history; one field takes less than a screen."""
    connected("sync")
    id_ = an_opportunity(crms)
    text = connected("explain", id_).stdout
    assert text.startswith(f"In step: Salesforce opportunity {id_} “")
    assert "linked since run 1 (20" in text
    assert "its HubSpot record was made for the one in" in text
    crms.salesforce.update("Opportunity", id_, Amount=4711)
    text = connected("explain", id_[:15], "amount").stdout
    assert text.startswith(f"Due: Amount ↔ amount of Salesforce opportunity {id_}")
    assert "writes 4711 to HubSpot: only Salesforce moved since they agreed [F1]" in text.replace("\n", " ")
    assert "two-way: what moved travels; if both did, the value edited last" in text
    assert text.count("\n") < 24
    told = read_json(connector("explain", id_, "amount", "--offline", "--json"))
    assert (told["verdict"], told["asked_both"], told["field"]) == ("in step", False, "Amount ↔ amount")


def test_explain_what_does_not_sync(connected: Run, crms: Crms) -> None:
    """The first line says why, and the candidates of a doubt are listed."""
    make_problem(crms)
    connected("sync")
    result = connected("explain", last_contact(crms.salesforce))
    assert result.exit_code == 0
    assert result.stdout.startswith("Does not sync: Salesforce contact")
    assert "Why it does not sync" in result.stdout
    assert "same email" in result.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("explain", "deal:99", "--offline"),
        ("explain", "nonsense"),
        ("problems", "show", "deal:99"),
        ("problems", "retry", "006000000000001"),
        ("conflicts", "resolve", "deal:99", "amount", "--take", "hubspot"),
        ("links", "show", "deal:99"),
        ("links", "unlink", "deal:99", "--yes"),
        ("links", "relink", "006000000000001", "deal:99"),
        ("runs", "99"),
    ],
)
def test_what_is_not_there(connector: Run, crms: Crms, command: tuple[str, ...]) -> None:
    """An unknown record or run is a mistake of usage: what is missing, and what to give instead."""
    result = connector(*command, **crms.environment)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Please mend this first\n")
    assert "→" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("runs", "--record", "deal:1"),
        ("runs", "1", "--record", "ada@example.com"),
        ("problems", "retry"),
        ("problems", "list", "--class", "nonsense"),
        ("links", "unlink", "deal:1"),
        ("conflicts", "resolve", "deal:1", "amount"),
    ],
)
def test_bad_usage(connector: Run, command: tuple[str, ...]) -> None:
    """What cannot be meant ends with exit code 2, and says so on stderr."""
    result = connector(*command)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_conflicts_links_and_runs(connected: Run, connector: Run, crms: Crms) -> None:
    """A conflict is listed with what lost, resolved, written; a link is ended and taken up; all have numbers."""
    assert connector("conflicts", "list").stdout == "No conflicts\n"
    assert connector("runs").stdout.startswith("No run yet.")
    connected("sync")
    id_ = an_opportunity(crms)
    deal = crms.hubspot.find("deals", "sf_record_id", id_) or ""
    crms.salesforce.update("Opportunity", id_, Amount=111)
    crms.hubspot.update("deals", deal, amount="222")
    connected("sync")
    [settled] = read_json(connector("conflicts", "list", "--json"))["conflicts"]
    loser = "salesforce" if settled["winner"] == "hubspot" else "hubspot"
    assert {str(settled["won"]).removesuffix(".0"), str(settled["lost"]).removesuffix(".0")} == {"111", "222"}
    assert "1 conflict settled by rule" in connector("conflicts", "list").stdout
    assert connector("conflicts", "resolve", id_, "amount", "--take", loser).stdout.startswith("Chosen: ")
    assert "chosen since" in connector("conflicts", "list").stdout
    connected("sync")
    assert crms.hubspot.read("deals", deal, "amount")["amount"] == ("111" if loser == "salesforce" else "222")
    assert "a person has chosen otherwise since: run 4" in connector("conflicts", "list").stdout
    assert connector("links", "unlink", id_, "--yes").stdout.startswith("Ended (run 5)")
    assert connector("links", "show", deal).stdout.startswith(f"Unlinked: {id_} and {deal}")
    assert connector("links", "relink", id_, deal).stdout.startswith(f"Linked (run 6): {id_} and {deal}")
    agreed = read_json(connector("links", "show", id_, "--json"))
    assert (agreed["link"]["matched_on"], agreed["agreed"][0]["field"]) == ("hand", "Name ↔ dealname")
    listed = read_json(connector("runs", "--json"))["runs"]
    assert [one["kind"] for one in listed] == ["relink", "unlink", "sync", "resolve", "sync", "sync"]
    assert connector("runs", "--limit", "2").stdout.splitlines()[-1] == "Earlier ones: `connector runs --before 5`."
    writes = read_json(connector("runs", "2", "--record", id_, "--json"))["writes"]
    assert {one["run"] for one in writes} == {2}
    assert "wrote" in connector("runs", "2").stdout
