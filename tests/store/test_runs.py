"""One run at a time, whatever clocks and processes do; and what runs remember."""

from __future__ import annotations

import pytest
from store.conftest import deal

from connector.core.model import Side
from connector.errors import Busy
from connector.store.runs import LEASE_SECONDS

HUB = Side.HUBSPOT, "deals"


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


def test_a_lease_ends_by_itself(store, second, now):
    """The lease of a run that was killed ends after five minutes, not before."""
    killed = store.runs.lease()
    killed.__enter__()
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


def test_a_clock_set_back_locks_nobody_out(store, second, now):
    """A lease that seems to end in hours is of another clock, and counts no more."""
    killed = store.runs.lease()
    killed.__enter__()
    now.advance(hours=-3)
    with second.runs.lease():
        observe(second, "1")


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
