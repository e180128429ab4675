"""`undo` and `resume RUN`, as a person uses them."""

from __future__ import annotations

from cli.conftest import Crms, Run, read_json


def test_X2_undo_shows_then_restores_and_resume_lets_go(crms: Crms, connected: Run, connector: Run) -> None:
    """A dry run writes nothing; the undo puts both sides back; what is held is told, and let go by `resume RUN`."""
    connected("sync")
    account = crms.salesforce.query("SELECT Id FROM Account ORDER BY Id LIMIT 1")[0]["Id"]
    company = crms.hubspot.find("companies", "sf_record_id", account) or ""
    before = crms.hubspot.read("companies", company, "phone")["phone"]
    crms.salesforce.update("Account", account, Phone="+1 555 0199")
    run = str(read_json(connected("sync", "--json"))["run"])
    shown = connected("undo", run, "--dry-run")
    assert shown.exit_code == 0
    assert shown.stdout.startswith(f"Undo of run {run} of 20")
    assert "HubSpot companies: update 1" in shown.stdout
    assert crms.hubspot.read("companies", company, "phone")["phone"] == "+1 555 0199"
    undone = connected("undo", run, "--yes")
    assert undone.exit_code == 0, undone.stdout
    assert f"Undid run {run} of 20" in undone.stdout
    assert crms.hubspot.read("companies", company, "phone")["phone"] == before
    planned = read_json(connected("plan", "--json"))
    assert planned["actions"] == []
    assert any(f"`connector resume {run}` lets it go" in note for note in planned["notes"])
    assert f"1 write, since run {run} was undone; `connector resume {run}` lets go" in connector("status").stdout
    explained = read_json(connected("explain", f"company:{company}", "phone", "--json"))
    assert [one["why"] for one in explained["reasons"]] == ["undone"]
    assert [(one["outcome"], one["remedy"]) for one in explained["fields"]] == [
        ("held", f"`connector resume {run}` lets it go")
    ]
    assert connector("resume", run).stdout.startswith(
        f"Let go: the next sync makes 1 write that run {run} had made"
    )
    assert connector("resume", run).stdout == f"Nothing is held since run {run} was undone.\n"
    assert read_json(connected("sync", "--json"))["hubspot"]["updated"] == {"companies": 1}


def test_X2_undo_tells_what_has_moved_on_and_says_it_as_json(crms: Crms, connected: Run) -> None:
    """Who changed it since, when, and to what; the rest is restored."""
    connected("sync")
    account = crms.salesforce.query("SELECT Id FROM Account ORDER BY Id LIMIT 1")[0]["Id"]
    company = crms.hubspot.find("companies", "sf_record_id", account) or ""
    crms.salesforce.update("Account", account, Phone="+1 555 0199")
    run = read_json(connected("sync", "--json"))["run"]
    crms.hubspot.update("companies", company, phone="typed since")
    told = read_json(connected("undo", str(run), "--yes", "--json"))
    assert told["undo_of"] == run
    (left,) = told["left"]
    assert (left["record"], left["field"], left["wrote"], left["now"]) == (
        company, "phone", "+1 555 0199", "typed since",
    )  # fmt: skip
    assert (left["why"], bool(left["who"]), bool(left["when"])) == ("changed since", True, True)
    assert crms.hubspot.read("companies", company, "phone")["phone"] == "typed since"


def test_undo_of_no_run_and_without_leave(connected: Run) -> None:
    """Each is told in words, with what to do, and nothing is written."""
    connected("sync")
    unknown = connected("undo", "99", "--yes")
    assert unknown.exit_code == 2
    assert "RUN: there is no run 99" in unknown.stderr
    assert "the last one was run 1" in unknown.stderr
    asked = connected("undo", "1")
    assert asked.exit_code == 2
    said = " ".join(asked.stderr.replace("│", " ").split())
    assert "nobody can be asked here: look with --dry-run, then say --yes" in said
