"""One run at a time, whatever clocks and processes do; and what runs remember."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update
from store.conftest import deal

from connector.core.model import Side
from connector.errors import Busy
from connector.store.holder import Holder, _read_stat
from connector.store.runs import LEASE_SECONDS, RENEWED_WITHIN
from connector.store.schema import lease

HUB = Side.HUBSPOT, "deals"


@pytest.fixture
def killed(store, second):  # whose end comes first
    """The lease of a run whose process was killed: only the end of the test gives it back."""
    with store.runs.lease():
        yield


def count(store):
    return store.records.count(*HUB)


def observe(store, id_):
    store.records.observe([deal(id_)], {})


def test_only_one_run_at_a_time(store, second):
    """While a run holds the lease, another one is told to wait, and for how long at most."""
    with store.runs.lease():
        with pytest.raises(Busy, match="under way") as caught, second.runs.lease():
            raise AssertionError("both run")
        assert "300 s" in caught.value.remedy
    with second.runs.lease():
        observe(second, "1")


def test_two_runs_that_begin_in_the_same_moment(store, second, monkeypatch):
    """If neither sees the other's lease yet, still only one gets it."""
    monkeypatch.setattr(second._database, "fetch", lambda _: [])
    with store.runs.lease():
        with pytest.raises(Busy, match="just begun"), second.runs.lease():
            raise AssertionError("both run")
        observe(store, "1")


def test_connections_have_leases_of_their_own(store, stranger):
    """Two connections in one store do not wait for each other."""
    with store.runs.lease(), stranger.runs.lease():
        observe(store, "1")
        observe(stranger, "1")


def test_a_lease_is_given_back_after_an_error(store, second):
    """A run that fails leaves no lease behind."""
    with pytest.raises(RuntimeError, match="broken"), store.runs.lease():
        raise RuntimeError("broken")
    with second.runs.lease():
        assert count(second) == 0


def test_a_lease_ends_by_itself(killed, second, now):
    """The lease of a run that was killed ends after five minutes, not before."""
    now.advance(seconds=LEASE_SECONDS - 1)
    with pytest.raises(Busy), second.runs.lease():
        raise AssertionError("both run")
    now.advance(seconds=2)
    with second.runs.lease():
        observe(second, "1")


def test_work_renews_the_lease(store, second, now):
    """A run that works holds its lease for as long as it takes."""
    with store.runs.lease():
        for number in range(5):
            now.advance(seconds=LEASE_SECONDS - 10)
            observe(store, str(number))
        now.advance(seconds=LEASE_SECONDS - 10)
        with pytest.raises(Busy), second.runs.lease():
            raise AssertionError("both run")


def test_a_clock_set_back_locks_nobody_out_for_longer_than_a_lease(killed, second, now):
    """A lease that seems to end in hours is of another clock: it ends in five minutes by this one."""
    now.advance(hours=-3)
    with pytest.raises(Busy) as caught, second.runs.lease():
        raise AssertionError("both run")
    assert "300 s" in caught.value.remedy
    now.advance(seconds=LEASE_SECONDS)
    with second.runs.lease():
        observe(second, "1")


def test_a_clock_that_is_behind_takes_nothing_from_a_run_at_work(store, second, now):
    """The lease of another machine whose clock is ahead seems too long; its run keeps it."""
    with store.runs.lease():
        now.advance(seconds=-7)
        for _ in range(3):
            with pytest.raises(Busy), second.runs.lease():
                raise AssertionError("both run")
        observe(store, "1")


def test_a_clock_set_forward_during_a_run_ends_it_or_not(store, second, now):
    """Alone it goes on; where another run took over meanwhile, that one does, and the first writes nothing."""
    with store.runs.lease():
        now.advance(days=1)
        store.runs.confirm()
        with pytest.raises(Busy), second.runs.lease():
            raise AssertionError("both run")
        now.advance(days=1)
        with second.runs.lease():
            with pytest.raises(Busy, match="taken over"):
                store.runs.confirm()
            second.runs.confirm()


def test_a_long_wait_for_a_crm_renews_the_lease(store, second, now):
    """A request that may write renews a lease that has not been for a minute, in no transaction of the run."""
    with store.runs.lease():
        for _ in range(8):
            now.advance(seconds=RENEWED_WITHIN + 1)
            store.runs.confirm()
        with pytest.raises(Busy), second.runs.lease():
            raise AssertionError("both run")


def test_any_thread_is_told_that_the_lease_is_lost(store, second, now, url):
    """Batches are sent by several threads, while the run settles others."""
    with store.runs.lease(), ThreadPoolExecutor(1) as pool:
        with store.transaction():
            pool.submit(store.runs.confirm).result()
        now.advance(seconds=LEASE_SECONDS + 1)
        if url != "sqlite://":  # which no other thread sees, nor another process
            with second.runs.lease(), pytest.raises(Busy, match="taken over"):
                pool.submit(store.runs.confirm).result()


def test_a_plan_confirms_nothing_in_the_store(store, now):
    """While a plan pretends, no request waits for the transaction that it pretends in."""
    with store.runs.lease(), store.pretending():
        now.advance(seconds=RENEWED_WITHIN + 1)
        store.runs.confirm()


def test_without_a_lease_any_request_may_be_made(store):
    """Commands that look, or set up, hold none."""
    store.runs.confirm()


def test_the_lease_of_a_process_that_is_gone_holds_nobody_up(killed, store, second):
    """On the same machine it is taken over at once, and the run that was cut short is said to have died."""
    cut_short = store.runs.begin()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    store._database.execute(update(lease).values(pid=gone.pid))
    assert not second.runs.is_under_way()
    with second.runs.lease():
        assert second.runs.get(cut_short)["status"] == "died"


@pytest.mark.parametrize(
    ("other", "certain"),
    [
        ({"tick": "1"}, True),
        ({"place": "another boot", "tick": "1"}, False),
        ({"place": None}, False),
        ({"tick": None}, False),
        ({}, False),
    ],
)
def test_who_is_gone_and_who_may_be_there(other, certain):
    """The same number with another beginning is another process; of another machine nothing is known."""
    assert replace(Holder.here(), **other).is_gone is certain


def test_a_killed_process_is_gone_before_its_parent_asks():
    """It does nothing more, though its number is still taken."""
    with subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1) as child:
        assert child.stdout is not None
        child.stdout.readline()
        holder = replace(Holder.here(), pid=child.pid, tick=_read_stat(Path(f"/proc/{child.pid}/stat"))[1])
        assert not holder.is_gone
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert holder.is_gone


def test_a_run_that_lost_its_lease_writes_nothing(store, second, now):
    """If another run took over meanwhile, the first one's next transaction fails as a whole."""
    with store.runs.lease():
        observe(store, "before")
        now.advance(seconds=LEASE_SECONDS + 1)
        with second.runs.lease():
            for id_ in ("after", "again"):
                with pytest.raises(Busy, match="taken over"):
                    observe(store, id_)
            observe(second, "theirs")
    assert set(store.records.load(*HUB, ["before", "after", "theirs", "again"])) == {"before", "theirs"}


def test_the_lease_of_another_is_not_given_back(store, second, now):
    """A run that was taken over does not end the lease of the one that did."""
    first = store.runs.lease()
    first.__enter__()
    now.advance(seconds=LEASE_SECONDS + 1)
    with second.runs.lease():
        first.__exit__(None, None, None)
        observe(second, "1")


def test_without_a_lease_nothing_is_fenced(store):
    """After a run, and for those who only look, there is no fence."""
    with store.runs.lease():
        observe(store, "1")
    observe(store, "2")
    assert count(store) == 2


def test_runs_are_numbered_and_reported(store, stranger, second, now):
    """The last finished run is known with its report; one under way is not finished."""
    assert store.runs.last() is None
    first = store.runs.begin()
    started = now().isoformat()
    now.advance(minutes=1)
    store.runs.finish(first, "ok", {"written": 3})
    other = store.runs.begin()
    assert other > first
    assert second.runs.last() == {
        "run": first,
        "started": started,
        "finished": now().isoformat(),
        "status": "ok",
        "kind": "sync",
        "report": {"written": 3},
        "forgotten": None,
    }
    store.runs.finish(other, "failed", {})
    assert store.runs.last()["run"] == other
    assert stranger.runs.last() is None


@pytest.mark.parametrize("value", ["2026-01-01T00:00:00Z", {"since": "x", "after": None}, [1, 2.5, True], None])
def test_cursors_are_remembered(store, stranger, second, value):
    """Whatever JSON can say comes back; the last one counts; streams and connections are apart."""
    store.runs.remember("hubspot/deals", "old")
    store.runs.remember("hubspot/deals", value)
    assert second.runs.read("hubspot/deals") == value
    assert store.runs.read("hubspot/contacts") is None
    assert stranger.runs.read("hubspot/deals") is None


def test_T4_runs_note_the_mapping_that_they_go_by_once_for_all(store, second):
    """Equal files are kept once; a run that noted none leaves the last one as it is."""
    assert store.runs.last_mapping() is None
    first = store.runs.begin(files={"b.yaml": "2", "a.yaml": "1"})
    assert store.runs.last_mapping() == (first, {"a.yaml": "1", "b.yaml": "2"})
    again = store.runs.begin(files={"a.yaml": "1", "b.yaml": "2"})
    assert store.runs.last_mapping() == (again, {"a.yaml": "1", "b.yaml": "2"})
    store.runs.begin()
    assert store.runs.last_mapping() == (again, {"a.yaml": "1", "b.yaml": "2"})
    changed = store.runs.begin(files={"a.yaml": "1"})
    assert second.runs.last_mapping() == (changed, {"a.yaml": "1"})
