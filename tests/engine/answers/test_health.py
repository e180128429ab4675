"""Is all well, and what did the runs do? From the store alone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from engine.lab import FOLDER, Lab

from connector.core.model import Side
from connector.engine.answers.health import find_interval, look_after
from connector.engine.answers.links import unlink
from connector.engine.answers.problems import ignore_problems, list_problems
from connector.engine.answers.runs import list_runs, show_run
from connector.engine.run import Wish
from connector.errors import BadConfiguration, Refused, Unreachable
from connector.settings import load_settings


def health(lab, max_age=None):
    settings = load_settings(lab.environment, FOLDER)
    return look_after(settings, lab.store, lab.clock.now(), max_age)


def worries(lab, max_age=None):
    return [one.worry.value for one in health(lab, max_age).concerns]


def test_E4_all_is_well_after_a_good_run(lab):
    """How far both sides were read, what is linked, and what is left to do."""
    lab.business()
    lab.sync_until_rest()
    found = health(lab)
    assert (found.healthy, found.concerns, found.suspension) == (True, (), None)
    assert (found.freshness.last_good_run, found.last_run.status) == (found.last_run.run, "ok")
    assert found.freshness.age == 1
    began = datetime.fromisoformat(found.last_run.started)
    for side in Side:
        read = datetime.fromisoformat(found.freshness.read_up_to[side.value])
        assert abs(read - began) <= timedelta(seconds=1)
    assert found.links["opportunity-deal"] == {"linked": 1}
    assert (found.due, found.waiting, found.ignored) == ({}, 0, 0)
    assert (found.calls["salesforce"].used > 0, found.calls["salesforce"].left > 14_000) == (True, True)


def test_T2_what_the_next_run_will_look_at(lab):
    """By side and object."""
    lab.business()
    lab.sync_until_rest()
    [opportunity] = [row["Id"] for row in lab.sf_all("SELECT Id FROM Opportunity")]
    lab.store.records.mark(Side.SALESFORCE, "Opportunity", [opportunity])
    assert health(lab).due == {"salesforce Opportunity": 1}


def test_E1_open_problems_need_a_person_until_they_are_ignored(lab):
    """By class, with the oldest; ignored ones are counted apart."""
    for name in ("Fox", "Foxx"):
        lab.sf_create("Contact", LastName=name, Email="fox@acme.example")
        lab.advance(seconds=1)
    lab.sync()
    found = health(lab)
    assert worries(lab) == ["problems"]
    assert [(one.cause, one.number) for one in found.problems] == [("duplicates", 1)]
    ignore_problems(lab.store, list_problems(lab.store))
    assert (health(lab).healthy, health(lab).ignored) == (True, 1)


def test_E4_a_suspended_sync_needs_a_person(lab):
    """And so does a run that was stopped."""
    lab.environment["HUBSPOT_ACCESS_TOKEN"] = "wrong"
    with pytest.raises(Unreachable):
        lab.sync()
    assert worries(lab) == ["suspended", "failed"]
    assert health(lab).suspension["message"] == "HubSpot refuses the access token"


def test_D7_a_refused_run_needs_a_person(lab):
    """The guard has stopped it."""
    lab.configure(GUARD__RECORDS="0", GUARD__PERCENT="0")
    opportunity = lab.opportunity()
    lab.sync()
    lab.sf_delete("Opportunity", opportunity)
    lab.advance(minutes=2)
    with pytest.raises(Refused):
        lab.sync()
    assert worries(lab) == ["failed"]
    assert "refused by the guard" in health(lab).concerns[0].text


def test_E3_a_sync_without_calls_needs_a_person(lab):
    """The calls that the settings allow are used."""
    used = health(lab).calls["salesforce"].used
    lab.configure(SALESFORCE__DAILY_CALLS=str(used))
    assert worries(lab) == ["no calls"]
    assert (health(lab).calls["salesforce"].allowed, health(lab).calls["salesforce"].left) == (used, 0)


def test_a_run_is_overdue_when_three_of_a_schedule_are_missing(lab):
    """A heartbeat is seen after some regular runs; a bound of one's own needs none."""
    for _ in range(7):
        lab.sync()
        lab.advance(minutes=15)
    assert health(lab).freshness.interval == pytest.approx(901)
    assert worries(lab) == []
    lab.advance(minutes=29)
    assert worries(lab) == []
    lab.advance(minutes=5)
    assert worries(lab) == ["overdue"]
    assert worries(lab, timedelta(hours=1)) == []
    assert worries(lab, timedelta(minutes=30)) == ["overdue"]


@pytest.mark.parametrize(
    ("gaps", "usual"),
    [
        ([900] * 6, 900),
        ([900, 910, 890, 1200, 900, 905], 902.5),
        ([60, 9000, 3, 700, 86400, 12], None),
        ([900] * 4, None),
        ([], None),
    ],
)
def test_a_schedule_is_seen_only_where_there_is_one(gaps, usual):
    """Runs by hand come as they come, and are never overdue."""
    moment = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    started = [moment.isoformat()]
    for gap in gaps:
        moment -= timedelta(seconds=gap)
        started.append(moment.isoformat())
    assert find_interval(started) == usual


def test_E4_before_the_first_run_nothing_is_amiss():
    """There is only nothing yet."""
    lab = Lab()
    found = health(lab)
    assert (found.healthy, found.last_run, found.freshness.last_good_at) == (True, None, None)


# --- runs -------------------------------------------------------------------------------------------------


def test_X3_runs_are_listed_with_what_they_did(lab):
    """The latest first, in pages; what a person did by hand is among them, and is no run."""
    _, _, opportunity = lab.business()
    run = lab.sync().run
    act = unlink(lab.connection(), opportunity).run
    first, second, *_ = list_runs(lab.store, limit=10)
    assert (first.run, first.kind, first.status) == (act, "unlink", "by hand")
    assert (second.run, second.kind, second.status, second.created, second.updated) == (run, "sync", "ok", 3, 2)
    assert (second.associations, second.calls["salesforce"] > 0, second.seconds) == (1, True, 0)
    assert [one.run for one in list_runs(lab.store, limit=1, before=act)] == [run]
    assert lab.store.runs.last()["run"] == run


def test_X3_one_run_with_its_writes(lab):
    """All of them, or those to one record."""
    _, contact, opportunity = lab.business()
    run = lab.sync().run
    shown, kinds = show_run(lab.store, run)
    assert shown.run == run
    assert {(one.verb, one.object, one.number) for one in kinds} >= {
        ("create", "deals", 1),
        ("create", "contacts", 1),
    }
    _, [one] = show_run(lab.store, run, record=lab.deal_of(opportunity))
    assert [write.record_id for write in one.writes] == [lab.deal_of(opportunity)]
    _, some = show_run(lab.store, run, record=contact)
    assert {one.object for one in some} == {"contacts"}
    _, some = show_run(lab.store, run, limit=1)
    assert [len(one.writes) for one in some] == [1] * len(some)


def test_X3_a_run_that_is_not_there_says_which_are(lab):
    """Their numbers."""
    with pytest.raises(BadConfiguration) as raised:
        show_run(lab.store, 99)
    assert raised.value.findings[0].message == "there is no run 99"
    assert "go up to 1" in raised.value.findings[0].remedy


def test_L2_what_is_done_by_hand_hides_no_run_that_died(lab):
    """The deal of a run that died is still new in the next one, though a person has done something in between."""
    other = lab.opportunity("Other")
    lab.sync()
    _, contact, _ = lab.business()
    assert lab.sync_and_die(-3, after_delivery=True)
    unlink(lab.connection(), other)
    lab.sync(Wish())
    lab.sync_until_rest()
    properties = lab.hs_get("contacts", lab.partner("contacts", contact), "lifecyclestage")
    assert properties["lifecyclestage"] == "opportunity"
