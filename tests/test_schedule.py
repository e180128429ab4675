"""`connector schedule`: run after run at their times, one at a time, until it is asked to end (T5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from engine.lab import Lab

from connector.engine.world import Connection
from connector.errors import BadConfiguration
from connector.schedule import Event, Schedule, describe_event

DEALS, CONTACTS, COMPANIES = "opportunity-deal", "contact-contact", "account-company"


@dataclass
class Night:
    """A wait that lets the clock run instead of waiting, and ends the schedule after so many minutes."""

    lab: Lab
    minutes: float
    asked: bool = False
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ends = self.lab.clock.now() + timedelta(minutes=self.minutes)

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.lab.advance(seconds=seconds)
        self.asked = self.lab.clock.now() >= self.ends
        return self.asked


def keep_open(lab: Lab) -> Connection:
    """A connection whose store outlives it: that of a lab is in memory."""
    connection = lab.connection()
    connection.store.close = lambda: None  # type: ignore[method-assign]
    return connection


def watch(lab: Lab, minutes: float, **others: Any) -> list[Event]:
    """What a schedule tells in so many minutes."""
    events: list[Event] = []
    Schedule(lambda: keep_open(lab), Night(lab, minutes), lab.clock.now, events.append, **others).run()
    return events


def minutes_of(lab: Lab, events: list[Event]) -> list[int]:
    began = events[0].at
    return [round((one.at - began).total_seconds() / 60) for one in events]


def test_T5_a_sweep_every_15_minutes_by_default():
    """The first at once; each says when the next one is due."""
    lab = Lab()
    events = watch(lab, 50)
    assert minutes_of(lab, events) == [0, 15, 30, 45]
    assert [one.report.status for one in events if one.report] == ["ok"] * 4
    assert all(one.next and one.next - one.at == timedelta(minutes=15) for one in events[:-1])


def test_T5_objects_have_times_of_their_own():
    """What is due at one moment is one run; what is not due is not written."""
    lab = Lab({"CONNECTOR__SCHEDULE__EVERY": "10 minutes", "CONNECTOR__SCHEDULE__ACCOUNTS": "30 minutes"})
    watch(lab, 1)
    lab.advance(minutes=10)
    lab.sf_create("Account", Name="Acme", Website="acme.example")
    opportunity = lab.opportunity("Of no account")
    first, *others = watch(lab, 25)
    assert first.pairs == (CONTACTS, DEALS)
    assert lab.partner("deals", opportunity) is not None
    assert first.report is not None
    assert first.report.as_json()["hubspot"]["created"] == {"deals": 1}
    later = next(one for one in others if COMPANIES in one.pairs)
    assert later.report is not None
    assert later.report.as_json()["hubspot"]["created"] == {"companies": 1}


def test_T5_a_cron_expression_is_kept():
    """At the full hours, in the zone of the settings."""
    lab = Lab({"CONNECTOR__SCHEDULE__EVERY": "0 * * * *"})
    events = watch(lab, 150)
    assert {(one.at.minute, one.at.second) for one in events} == {(0, 0)}
    assert len(events) == 2


def test_T5_a_clock_that_was_set_back_holds_nothing_up():
    """The next run comes after an interval by the clock as it is now."""
    lab = Lab()
    lab.advance(days=2)
    watch(lab, 1)
    lab.clock.set(lab.clock.now() - timedelta(days=1))
    assert minutes_of(lab, watch(lab, 40))[:2] == [0, 15]


def test_T5_what_was_missed_is_made_up_for_once():
    """After three days there is one run at once, and the next at its time."""
    lab = Lab()
    watch(lab, 1)
    lab.advance(days=3)
    assert minutes_of(lab, watch(lab, 20)) == [0, 15]


def test_T5_a_schedule_that_starts_again_keeps_to_its_times():
    """Starting it anew is no reason for a run."""
    lab = Lab()
    watch(lab, 5)
    before = lab.clock.now()
    events = watch(lab, 20)
    assert round((events[0].at - before).total_seconds() / 60) == 10


def test_T5_runs_never_overlap():
    """While another run holds the lease nothing is synced; it is tried again soon, and goes on."""
    lab = Lab()
    told: list[Event] = []
    night = Night(lab, 20)
    held = lab.store.runs.lease()
    held.__enter__()
    released = False

    def tell(event: Event) -> None:
        nonlocal released
        told.append(event)
        if len(told) == 2 and not released:
            held.__exit__(None, None, None)
            released = True

    Schedule(lambda: keep_open(lab), night, lab.clock.now, tell).run()
    assert [type(one.error).__name__ for one in told[:2]] == ["Busy", "Busy"]
    assert told[2].report is not None
    assert (told[2].at - told[0].at).total_seconds() == 60


def test_T5_a_run_that_fails_ends_nothing():
    """It is told with its remedy; the next one comes at its time and does the work."""
    lab = Lab()
    lab.sandbox_post("hubspot", "faults", {"kind": "status", "status": 500, "times": 50})
    events = watch(lab, 20)
    assert events[0].error is not None
    assert describe_event(events[0])["report"] is None
    lab.sandbox_post("hubspot", "faults", None, method="DELETE")
    assert watch(lab, 20)[0].report is not None


def test_T5_settings_and_mappings_are_read_anew_for_every_run():
    """A mapping that is broken meanwhile is told, and the schedule goes on when it is mended."""
    lab = Lab()
    opened = 0

    def open_connection() -> Connection:
        nonlocal opened
        opened += 1
        if opened == 3:
            raise BadConfiguration([])
        return keep_open(lab)

    events: list[Event] = []
    Schedule(open_connection, Night(lab, 40), lab.clock.now, events.append).run()
    assert [type(one.error) for one in events] == [type(None), BadConfiguration, type(None)]


def test_T5_a_configuration_that_is_wrong_from_the_start_ends_it():
    """So does one in which everything is switched off."""
    lab = Lab()
    lab.configure(SYNC__DEALS="false", SYNC__CONTACTS="false", SYNC__COMPANIES="false")
    with pytest.raises(BadConfiguration):
        watch(lab, 1)


def test_T5_asked_to_end_it_settles_the_batch_in_hand():
    """The run says that it was interrupted; a later one does the rest, nothing twice, and at once."""
    lab = Lab()
    lab.sync()
    lab.business()
    night = Night(lab, 60)

    def ask(what: str, number: int) -> None:
        night.asked = night.asked or (what == "syncing" and number > 0)

    events: list[Event] = []
    Schedule(lambda: keep_open(lab), night, lab.clock.now, events.append, ask).run()
    assert [one.report.status for one in events if one.report] == ["interrupted"]
    assert events[-1].next is None
    assert len(lab.hs_all("companies")) == 1
    assert lab.hs_all("deals") == {}
    lab.advance(minutes=6)
    assert watch(lab, 1)[0].report is not None
    assert {name: len(lab.hs_all(name)) for name in ("companies", "contacts", "deals")} == {
        "companies": 1,
        "contacts": 1,
        "deals": 1,
    }


def test_T5_a_line_for_a_collector_has_one_shape():
    """Version 1: when, which pairs, the report, what is next."""
    lab = Lab()
    told = describe_event(watch(lab, 1)[0])
    assert told.keys() == {"version", "at", "pairs", "report", "next"}
    assert told["version"] == 1
    assert told["report"]["status"] == "ok"
