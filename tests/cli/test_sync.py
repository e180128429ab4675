"""`plan`, `sync` and `resume`: what they print and how they end."""

from __future__ import annotations

import pytest
from cli.conftest import Crms, Run, last_contact, read_json

KEYS = {
    "run", "status", "salesforce", "hubspot", "associations", "conflicts", "problems", "waiting", "made", "notes",
    "seconds",
}  # fmt: skip
NO_DELETION_IS_SMALL = {"CONNECTOR__GUARD__RECORDS": "0", "CONNECTOR__GUARD__PERCENT": "0"}


def make_problem(crms: Crms) -> None:
    """Two contacts with one e-mail address: only one of them can be in HubSpot."""
    address = crms.salesforce.query("SELECT Email FROM Contact WHERE Email != null ORDER BY Id LIMIT 1")[0]["Email"]
    crms.salesforce.update("Contact", last_contact(crms.salesforce), Email=address)


def an_opportunity(crms: Crms) -> str:
    return str(crms.salesforce.query("SELECT Id FROM Opportunity ORDER BY Id LIMIT 1")[0]["Id"])


def test_sync_json(connected: Run, crms: Crms) -> None:
    """One object with every documented key, whose counts are what is there afterwards."""
    result = connected("sync", "--json")
    told = read_json(result)
    assert (result.exit_code, result.stderr) == (0, "")
    assert told.keys() == KEYS
    assert told["status"] == "ok"
    assert told["hubspot"]["created"]["deals"] == crms.hubspot.count("deals") == 10


def test_sync_json_counts_api_calls(connected: Run, crms: Crms) -> None:
    """The API calls reported are those that both CRMs counted."""
    sides = {"salesforce": crms.salesforce, "hubspot": crms.hubspot}
    for side in sides.values():
        side.ask("POST", "/_sandbox/usage/reset")
    told = read_json(connected("sync", "--json"))
    counted = {name: side.ask("GET", "/_sandbox/usage")["total"] for name, side in sides.items()}
    assert {name: told[name]["api_calls"] for name in sides} == counted


def test_second_sync_writes_nothing(connected: Run) -> None:
    """A sync right after a sync says that both sides agree."""
    connected("sync")
    result = connected("sync")
    assert result.exit_code == 0
    assert "nothing to write: both sides agree" in result.stdout


def test_sync_text(connected: Run) -> None:
    """Counts by object, API calls and what was made; nothing on stderr where no terminal is."""
    result = connected("sync")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["deals", "10", "-", "-"] in lines
    assert "made in HubSpot: property sf_record_id on deals" in result.stdout
    assert "API calls: Salesforce" in result.stdout


def test_output_fits_100_columns(connected: Run) -> None:
    """Every line of a plan can be read in a terminal of 100 columns."""
    assert max(len(line) for line in connected("plan").stdout.splitlines()) <= 100


@pytest.mark.parametrize("command", ["plan", "sync"])
def test_problems_are_an_exit_code(connected: Run, crms: Crms, command: str) -> None:
    """What could not be synced ends in exit code 1 and points to `connector problems list`."""
    make_problem(crms)
    result = connected(command)
    assert result.exit_code == 1
    assert "problems: 1 open; `connector problems list` says what to do" in result.stdout


def test_wrong_token_stops_a_sync(connected: Run) -> None:
    """Three parts on stderr (what, why, what to do), exit code 4, no traceback."""
    result = connected("sync", HUBSPOT_ACCESS_TOKEN="wrong")
    assert (result.exit_code, result.stdout) == (4, "")
    lines = result.stderr.splitlines()
    assert lines[:2] == ["Stopped: no connection", "  HubSpot refuses the access token"]
    remedy = "→ check HUBSPOT_ACCESS_TOKEN: it may have been rotated, revoked or cut off; then `connector resume`"
    assert " ".join(" ".join(lines[2:]).split()) == remedy


@pytest.mark.parametrize(("command", "extra"), [("sync", set()), ("plan", {"price", "actions"})])
def test_stopped_json(connected: Run, command: str, extra: set[str]) -> None:
    """A run that stops still prints one object with every key, and the error."""
    result = connected(command, "--json", HUBSPOT_ACCESS_TOKEN="wrong")
    told = read_json(result)
    assert result.exit_code == 4
    assert told.keys() == KEYS | {"error"} | extra
    assert told["status"] == "stopped"
    assert told["error"] == {
        "message": "HubSpot refuses the access token",
        "remedy": "check HUBSPOT_ACCESS_TOKEN: it may have been rotated, revoked or cut off;"
        " then `connector resume`",
    }


def test_a_suspended_sync_says_so_until_it_is_resumed(connected: Run, connector: Run) -> None:
    """Runs refuse with exit code 4, `status` shows why and since when, and `resume` lets the next one try."""
    connected("sync", HUBSPOT_ACCESS_TOKEN="wrong")
    result = connected("sync")
    assert result.exit_code == 4
    assert result.stderr.startswith("Suspended: nothing was begun\n  suspended since 20")
    refused = connected("plan", "--json")
    assert refused.exit_code == 4
    told = read_json(refused)
    assert (told["run"], told["hubspot"]["api_calls"]) == (0, 0)
    suspension = read_json(connector("status", "--json"))["suspension"]
    assert suspension["message"] == "HubSpot refuses the access token"
    assert (suspension["refused"], suspension["ends_by_itself"]) == (2, False)
    shown = connector("status").stdout
    assert shown.startswith("Suspended since 20")
    assert "after `connector resume`. Runs refused so far: 2." in shown
    resumed = connector("resume")
    assert resumed.exit_code == 0
    assert resumed.stdout.startswith("Resumed: the next run tries again.")
    assert connected("sync").exit_code == 0
    assert read_json(connector("status", "--json"))["suspension"] is None


def test_nothing_to_resume(connected: Run, connector: Run) -> None:
    """`resume` without a suspension is no error."""
    connected("sync")
    assert connector("resume").stdout == "Nothing is suspended.\n"
    assert read_json(connector("resume", "--json")) == {"resumed": False, "suspension": None}


def test_calls_that_the_settings_allow(connected: Run, connector: Run) -> None:
    """They are counted across runs, `status` shows them, and none beyond them is made."""
    told = read_json(connected("sync", "--json"))
    used = told["salesforce"]["api_calls"]
    limited = {"CONNECTOR__SALESFORCE__DAILY_CALLS": str(used + 1)}
    result = connected("sync", **limited)
    assert result.exit_code == 4
    assert result.stderr.startswith("Stopped: no API calls left")
    calls = read_json(connector("status", "--json", **limited))["calls"]
    assert calls["salesforce"] == {"used": used + 1, "allowed": used + 1, "left": 0}
    assert calls["hubspot"]["allowed"] is None
    assert f"Salesforce {used + 1} of {used + 1} allowed" in connector("status", **limited).stdout


def test_stopped_json_tells_how_far_it_came(connected: Run) -> None:
    """The report of a run that stopped is its own: its number, and the calls it made."""
    connected("sync")
    told = read_json(connected("sync", "--json", HUBSPOT_ACCESS_TOKEN="wrong"))
    assert told["run"] == 2
    assert told["salesforce"]["api_calls"] > 0


def test_plan_that_stops_is_not_the_last_run(connected: Run) -> None:
    """A plan keeps no record of itself, so one that stops must not tell the last sync's counts as its own."""
    connected("sync")
    told = read_json(connected("plan", "--json", HUBSPOT_ACCESS_TOKEN="wrong"))
    assert told["run"] == 0
    assert told["hubspot"]["created"] == {}


def test_missing_credentials_are_all_named(connector: Run) -> None:
    """Without any variable set, exit code 2 and every one that lacks, with what to put there."""
    result = connector("sync")
    assert result.exit_code == 2
    for name in ("SALESFORCE_INSTANCE_URL", "SALESFORCE_SESSION_ID", "HUBSPOT_ACCESS_TOKEN"):
        assert f"{name}: is not set" in result.stderr


def test_bad_mapping_names_file_and_line(connected: Run, folder) -> None:
    """A mistake in a mapping file is told with its place, in text and in JSON."""
    connected("init")
    path = folder / "mappings" / "contact-contact.yaml"
    path.write_text(path.read_text().replace("create_in:", "crate_in:"))
    text, told = connected("sync"), read_json(connected("sync", "--json"))
    assert text.exit_code == 2
    assert "contact-contact.yaml:4" in text.stderr.replace("\n", "")
    assert "did you mean `create_in`?" in text.stderr
    assert told["status"] == "stopped"
    assert {(one["line"], one["remedy"]) for one in told["error"]["findings"]} >= {(4, "did you mean `create_in`?")}


def test_guard_refuses(connected: Run, crms: Crms) -> None:
    """Too many deletions: exit code 3, nothing deleted, and the two ways on are named."""
    connected("sync")
    crms.salesforce.delete("Opportunity", an_opportunity(crms))
    result = connected("sync", **NO_DELETION_IS_SMALL)
    assert result.exit_code == 3
    assert result.stderr.startswith("Refused: nothing was written\n")
    assert "--allow-deletes" in result.stderr
    assert "--without-deletes" in result.stderr
    assert crms.hubspot.count("deals") == 10


def test_guard_refuses_in_json(connected: Run, crms: Crms) -> None:
    """Refusal has a status of its own, in a plan too, which shows what it is about."""
    connected("sync")
    crms.salesforce.delete("Opportunity", an_opportunity(crms))
    planned, synced = (connected(command, "--json", **NO_DELETION_IS_SMALL) for command in ("plan", "sync"))
    assert (planned.exit_code, synced.exit_code) == (3, 3)
    assert (read_json(planned)["status"], read_json(synced)["status"]) == ("refused", "refused")
    assert read_json(planned)["hubspot"]["deleted"] == {"deals": 1}


@pytest.mark.parametrize(("option", "left"), [("--allow-deletes", 9), ("--without-deletes", 10)])
def test_a_person_decides_about_deletions(connected: Run, crms: Crms, option: str, left: int) -> None:
    """What the guard refuses goes through either with the deletions or without them."""
    connected("sync")
    crms.salesforce.delete("Opportunity", an_opportunity(crms))
    assert connected("sync", option, **NO_DELETION_IS_SMALL).exit_code == 0
    assert crms.hubspot.count("deals") == left


def test_sync_of_one_record(connected: Run, crms: Crms) -> None:
    """`--record` syncs that record and no other."""
    connected("sync")
    one, other = (row["Id"] for row in crms.salesforce.query("SELECT Id FROM Opportunity ORDER BY Id LIMIT 2"))
    for id_ in (one, other):
        crms.salesforce.update("Opportunity", id_, Amount=4711)
    told = read_json(connected("sync", "--json", "--record", one))
    assert told["hubspot"]["updated"]["deals"] == 1
    amounts = [
        crms.hubspot.read("deals", crms.hubspot.find("deals", "sf_record_id", id_) or "", "amount")["amount"]
        for id_ in (one, other)
    ]
    assert amounts[0] == "4711"
    assert amounts[1] != "4711"


def test_unknown_record(connected: Run) -> None:
    """An id that is nowhere is a mistake of usage, with the spellings that are understood."""
    result = connected("sync", "--record", "deal:99")
    assert result.exit_code == 2
    assert "no synced record has the id deal:99" in result.stderr


def test_plan_writes_nothing(connected: Run, crms: Crms) -> None:
    """After a plan both CRMs are as they were."""
    before = (crms.salesforce.latest_write(), crms.hubspot.latest_write(), crms.hubspot.stages())
    assert connected("plan").exit_code == 0
    assert (crms.salesforce.latest_write(), crms.hubspot.latest_write(), crms.hubspot.stages()) == before


def test_plan_tells_old_and_new_with_reason(connected: Run, crms: Crms) -> None:
    """A planned change comes with old and new value, its rule and what moved."""
    connected("sync")
    id_ = an_opportunity(crms)
    before = crms.hubspot.read("deals", crms.hubspot.find("deals", "sf_record_id", id_) or "", "amount")["amount"]
    crms.salesforce.update("Opportunity", id_, Amount=4711)
    actions = read_json(connected("plan", "--json"))["actions"]
    [changes] = [one["changes"] for one in actions if one["object"] == "deals"]
    assert [(one["field"], one["old"], one["new"]) for one in changes] == [("amount", before, "4711")]
    text = connected("plan").stdout
    cause = changes[0]["cause"]
    assert f"amount: {before} → 4711  [{changes[0]['rule']}: {cause}]" in text
    assert id_ in cause


def test_plan_price(connected: Run, crms: Crms) -> None:
    """The price of a plan is what its sync then costs, within the calls that only look."""
    told = read_json(connected("plan", "--json"))["price"]
    assert told["hubspot"].keys() == {"spent", "to_write", "left"}
    assert told["hubspot"]["to_write"] > 0
    assert told["salesforce"]["left"] == 15_000 - crms.salesforce.ask("GET", "/_sandbox/usage")["total"]


def test_plan_shows_some_or_all(connected: Run, monkeypatch) -> None:
    """A plan shows the first actions of a kind and counts the rest; `--all` leaves nothing out."""
    monkeypatch.setattr("connector.cli.printing.reports.SHOWN", 3)
    some, everything = connected("plan").stdout, connected("plan", "--all").stdout
    assert "… and 7 more; `--all` shows them" in some
    assert "--all" not in everything
    assert everything.count("\n  for 006") == 10
    assert some.count("\n  for 006") == 3


def test_busy(connected: Run, folder) -> None:
    """While another run holds the lease, exit code 4 and how long to wait; the other's report is not told."""
    from datetime import UTC, datetime

    from connector.store.store import Store

    connected("sync")
    store = Store.open(f"sqlite:///{folder / 'connector.db'}", "default", lambda: datetime.now(UTC))
    with store.runs.lease():
        result = connected("sync", "--json")
    store.close()
    assert result.exit_code == 4
    assert read_json(result)["run"] == 0
    assert "another run of this connection is under way" in result.stderr
