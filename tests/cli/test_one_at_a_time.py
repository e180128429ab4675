"""Signals, kills and rivals: processes as a machine treats them, on a store in a file and CRMs on ports.

What is in the air when a process is stopped or killed is chosen by the CRMs: they tell when a write reaches them,
and may take their time to answer it.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli.conftest import Crms, Run, read_json, serve_crms

from connector.sandbox.wire import Handler, Request, Response

COUNTS = {"companies": 2, "contacts": 6, "deals": 10}


class Doors:
    """Both CRMs' doors: how many writes came, what happens when one does, and how slow the answers are."""

    def __init__(self) -> None:
        self.writes = 0
        self.reached = threading.Event()
        self.on_write: Callable[[], None] = lambda: None
        self.seconds = 0.0

    def wrap(self, sandbox: Handler) -> Handler:
        def answer(request: Request) -> Response:
            if not _is_write(request):
                return sandbox(request)
            self.writes += 1
            self.reached.set()
            self.on_write()
            time.sleep(self.seconds)
            return sandbox(request)

        return answer


def _is_write(request: Request) -> bool:
    """Of HubSpot's records, once it has the properties that they need."""
    return "/objects/" in request.path and request.path.endswith(
        ("/batch/create", "/batch/update", "/batch/archive")
    )


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture
def crms(doors: Doors) -> Iterator[Crms]:
    with serve_crms(doors.wrap) as served:
        yield served


@pytest.fixture
def start(crms: Crms, folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `connector` in a process of its own; whatever is left of it is killed in the end."""
    started: list[subprocess.Popen[str]] = []

    def run(*args: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "connector", *args],
            cwd=folder,
            env={**os.environ, **crms.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    """The store, as an administrator's own tool opens it."""
    connection = sqlite3.connect(folder / "connector.db", timeout=10)
    with connection:
        yield connection
    connection.close()


def count_in_doubt(folder: Path) -> int:
    """Writes of which the journal does not say what became of them."""
    with opened(folder) as store:
        return int(store.execute("SELECT count(*) FROM journal WHERE state = 'intended'").fetchone()[0])


def hold_rest(connected: Run, crms: Crms) -> None:
    """What an undisturbed sync leaves: every record once, and nothing to write."""
    connected("sync")
    last = read_json(connected("sync", "--json"))
    assert (last["status"], last["hubspot"]["created"], last["hubspot"]["updated"]) == ("ok", {}, {})
    assert {name: crms.hubspot.count(name) for name in COUNTS} == COUNTS


def test_of_two_processes_started_at_the_same_moment_one_runs(start, doors: Doors, crms: Crms, folder: Path):
    """On a store that neither has made yet. The other one ends with exit code 4 and says which process runs."""
    doors.seconds = 0.1
    processes = [start("sync"), start("sync")]
    told = [process.communicate(timeout=60) for process in processes]
    codes = [process.returncode for process in processes]
    assert sorted(codes) == [0, 4], told
    loser = codes.index(4)
    errors = " ".join(told[loser][1].split())
    assert errors.startswith("Stopped: one run at a time another run of this connection is under way since 20")
    assert f"in process {processes[1 - loser].pid} on" in errors
    assert {name: crms.hubspot.count(name) for name in COUNTS} == COUNTS


def test_a_process_that_was_paused_writes_nothing_after_another_one_took_over(
    start, doors: Doors, connected: Run, connector: Run, crms: Crms, folder: Path
):
    """Paused with a request in the air, for longer than its lease; it ends by itself and says why."""
    doors.seconds = 0.3
    paused = start("sync")
    assert doors.reached.wait(30)
    paused.send_signal(signal.SIGSTOP)
    told = read_json(connector("status", "--json"))
    assert (told["under_way"], told["holder"]["pid"], told["holder"]["gone"]) == (True, paused.pid, False)
    with opened(folder) as store:
        store.execute("UPDATE lease SET expires = 0")
    doors.seconds = 0
    hold_rest(connected, crms)
    writes = doors.writes
    paused.send_signal(signal.SIGCONT)
    _, errors = paused.communicate(timeout=30)
    assert paused.returncode == 4
    assert "another run has taken over" in errors
    assert doors.writes == writes
    assert count_in_doubt(folder) == 0


@pytest.mark.parametrize("nth", [2])
def test_after_a_kill_the_next_run_goes_on_at_once(
    start, doors: Doors, connected: Run, connector: Run, crms: Crms, folder: Path, nth: int
):
    """`status` tells that the process is gone; the next run takes over its lease, and makes nothing twice."""
    doors.seconds = 0.2
    killed = start("sync")

    def kill() -> None:
        if doors.writes == nth:
            killed.kill()

    doors.on_write = kill
    killed.wait(30)
    doors.on_write, doors.seconds = (lambda: None), 0
    assert killed.returncode == -signal.SIGKILL
    told = read_json(connector("status", "--json"))
    assert told["under_way"] is False
    assert (told["holder"]["pid"], told["holder"]["gone"]) == (killed.pid, True)
    assert f"process {killed.pid} on" in connector("status").stdout
    hold_rest(connected, crms)
    assert [one["status"] for one in read_json(connector("runs", "--json"))["runs"]] == ["ok", "ok", "died"]


@pytest.fixture
def ends_at(doors: Doors) -> Iterator[Callable[[int, int], None]]:
    """Sends a signal to this very process at the nth write; one that nobody heeds ends no test."""
    before = {one: signal.signal(one, signal.SIG_IGN) for one in (signal.SIGTERM, signal.SIGINT)}

    def order(nth: int, number: int) -> None:
        doors.writes = 0
        doors.on_write = lambda: os.kill(os.getpid(), number) if doors.writes == nth else None

    yield order
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize(
    ("number", "command"),
    [
        (signal.SIGTERM, ("sync",)),
        (signal.SIGINT, ("apply", "plan.json")),
        (signal.SIGTERM, ("backfill",)),
        (signal.SIGINT, ("import", "accounts")),
        (signal.SIGTERM, ("undo", "1", "--yes")),
    ],
    ids=["sync", "apply", "backfill", "import", "undo"],
)
def test_asked_to_end_a_command_settles_the_batch_in_hand(
    connected: Run, doors: Doors, crms: Crms, folder: Path, ends_at, command: tuple[str, ...], number: int
):
    """Exit code 0, a report that says so, no write of which it is not known what became of it; the rest follows."""
    before = {name: crms.hubspot.count(name) for name in COUNTS}
    if command[0] == "undo":
        assert connected("sync").exit_code == 0
    if command[0] == "apply":
        assert connected("plan", "--out", "plan.json").exit_code == 0
    ends_at(1, number)
    result = connected(*command, "--json")
    told = read_json(result)
    assert (result.exit_code, told["status"]) == (0, "interrupted"), told
    assert 0 < doors.writes <= 2
    assert count_in_doubt(folder) == 0
    doors.on_write = lambda: None
    if command[0] == "undo":
        connected("sync")
        assert {name: crms.hubspot.count(name) for name in COUNTS} == before
    elif command[0] == "import":
        assert read_json(connected(*command, "--json"))["status"] == "ok"
        assert crms.hubspot.count("companies") == COUNTS["companies"]
    else:
        assert connected("sync").exit_code == 0
        assert {name: crms.hubspot.count(name) for name in COUNTS} == COUNTS


def test_a_second_signal_ends_a_process_at_once(start, doors: Doors, connected: Run, crms: Crms, folder: Path):
    """Though the CRM does not answer; the next run goes on as after a kill."""
    doors.seconds = 2.0
    process = start("sync")
    assert doors.reached.wait(30)
    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(1.5) == -signal.SIGTERM
    doors.seconds = 0
    hold_rest(connected, crms)


def test_asked_to_end_no_limit_is_waited_for(connected: Run, doors: Doors, crms: Crms, ends_at):
    """HubSpot asks to come back in a minute; the command ends now, and the report says that it was asked to."""
    refusal = {
        "kind": "status",
        "status": 429,
        "path": "/objects/.*/batch/create",
        "headers": {"Retry-After": "60"},
    }
    crms.hubspot.ask("POST", "/_sandbox/faults", refusal)
    doors.on_write = lambda: threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    result = connected("sync")
    assert (result.exit_code, result.stdout.startswith("Ended early")) == (0, True)
    assert time.monotonic() - began < 30


def test_mapping_files_that_are_edited_during_a_run_are_those_of_the_next_one(
    connected: Run, connector: Run, doors: Doors, crms: Crms, folder: Path
):
    """The run goes by what it began with, to its end and in what it notes; the next one by what is there now."""
    connected("init")
    mapping = folder / "mappings/opportunity-deal.yaml"
    before = mapping.read_text()
    without = before.replace("  - {salesforce: Description, hubspot: description, rule: two_way}\n", "")
    assert without != before
    opportunity = str(crms.salesforce.query("SELECT Id FROM Opportunity ORDER BY Id LIMIT 1")[0]["Id"])
    crms.salesforce.update("Opportunity", opportunity, Description="as it began")
    doors.on_write = lambda: mapping.write_text(without) and None
    assert connected("sync").exit_code == 0
    deal = crms.hubspot.find("deals", "sf_record_id", opportunity)
    assert deal is not None
    assert crms.hubspot.read("deals", deal, "description")["description"] == "as it began"
    crms.salesforce.update("Opportunity", opportunity, Description="by then mapped no more")
    assert connected("sync").exit_code == 0
    assert crms.hubspot.read("deals", deal, "description")["description"] == "as it began"
