"""Days on which all goes wrong: stores and CRMs from backups, limits, outages, rights taken away in the middle.

In each of them nothing is doubled, nothing is deleted that nobody deleted, nothing that people typed is lost, and
in the end both sides agree; or it is said what a person has to decide, and until then nothing is written.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from engine.lab import Lab
from engine.laws import hubspot_people, salesforce_people
from engine.laws.story import Story
from test_schedule import Night, keep_open

from connector.adapters.base import Wanted
from connector.adapters.hubspot import HubSpot
from connector.core.model import Presence, Record
from connector.engine.run import sync
from connector.engine.suspension import find_suspension, resume
from connector.errors import Busy, Condition, Halted, Stop, Suspended, Unreachable
from connector.schedule import Event, Schedule
from connector.store.store import Store

HOURS = 3  # longer than a search may lag
OBJECTS = ("companies", "contacts", "deals")


class Day:
    """A lab in which a small business has been in step for some hours, and people who know what they did."""

    def __init__(self) -> None:
        self.lab = Lab()
        self.lab.sync()
        self.account, self.fox, self.first = self.lab.business(Amount=1)
        self.second = self.lab.opportunity("Second", Amount=5)
        self.owl = self.lab.sf_create("Contact", LastName="Owl", Email="owl@acme.example", AccountId=self.account)
        self.come_to_rest()
        self.lab.advance(hours=HOURS)

    def copy(self) -> Day:
        """The same day once more: to come to rest takes longer."""
        twin = copy.copy(self)
        twin.lab = self.lab.copy()
        return twin

    def come_to_rest(self) -> None:
        self.lab.sync_until_rest()

    def photograph(self, *sides: str) -> None:
        """A backup of a CRM."""
        for side in sides:
            self.lab.sandbox_post(side, "snapshots", {"name": "backup"})

    def put_back(self, *sides: str) -> None:
        for side in sides:
            self.lab.sandbox_post(side, "restore", {"name": "backup"})

    def live(self) -> dict[str, set[str]]:
        """The ids of all records there are."""
        here = {
            name: {row["Id"] for row in self.lab.sf_all(f"SELECT Id FROM {name}")}
            for name in ("Account", "Contact", "Opportunity", "OpportunityContactRole")
        }
        return here | {name: set(self.lab.hs_all(name)) for name in OBJECTS}

    def work_on(self) -> str:
        """What people do on an ordinary morning, and the runs after it; returns a new opportunity."""
        self.lab.sf_edit("Opportunity", self.first, Amount=2)
        self.lab.role(self.first, self.owl)
        self.lab.hs_edit("deals", self.lab.deal_of(self.second), amount="6")
        made = self.lab.opportunity("Made since", Amount=9)
        self.come_to_rest()
        self.lab.advance(hours=HOURS)
        return made

    def hold_agreement(self, **amounts: float) -> None:
        """Every opportunity has one deal with its name, its amount and its contacts, and the other way round."""
        rows = self.lab.sf_all("SELECT Id, Name, Amount FROM Opportunity")
        assert {row["Name"]: row["Amount"] for row in rows} == {
            name.replace("_", " "): amount for name, amount in amounts.items()
        }
        deals = self.lab.hs_all("deals", "dealname", "amount", "sf_record_id")
        assert len(deals) == len(rows)
        people = {row["sf_record_id"]: id_ for id_, row in self.lab.hs_all("contacts", "sf_record_id").items()}
        assert len(people) == len(self.live()["Contact"])
        roles = self.lab.sf_all("SELECT OpportunityId, ContactId FROM OpportunityContactRole")
        for row in rows:
            deal = self.lab.deal_of(row["Id"])
            assert (deals[deal]["dealname"], float(deals[deal]["amount"])) == (row["Name"], row["Amount"])
            wanted = {people[role["ContactId"]] for role in roles if role["OpportunityId"] == row["Id"]}
            assert self.lab.hs_associated("deals", deal, "contacts").keys() == wanted


@cache
def begin() -> Day:
    return Day()


@pytest.fixture
def day() -> Day:
    return begin().copy()


def break_down(day: Day, **fault: Any) -> None:
    day.lab.sandbox_post("hubspot", "faults", fault)


def recover(day: Day) -> None:
    day.lab.sandbox_post("hubspot", "faults", None, "DELETE")


# --- backups ------------------------------------------------------------------------------------------------------


def test_the_store_is_lost_while_edits_wait_on_both_sides(day: Day):
    """What was deleted in HubSpot does not come back, and each edit arrives."""
    gone = day.work_on()
    day.lab.hs_delete("deals", day.lab.deal_of(gone))
    day.come_to_rest()
    day.lab.advance(hours=HOURS)
    day.lab.sf_edit("Opportunity", day.first, Amount=3)
    day.lab.hs_edit("deals", day.lab.deal_of(day.second), amount="7")
    before = day.live()
    day.lab.forget()
    day.come_to_rest()
    assert day.live() == before
    assert day.lab.partner("deals", gone) is None
    day.lab.sf_delete("Opportunity", gone)
    day.hold_agreement(Big_deal=3, Second=7)


def test_the_store_is_put_back_to_before_several_runs():
    """People edited, made, deleted and merged since, and took roles away; the judge of all laws is content.

    What both sides have agreed on since is not undone, and what was deleted stays deleted.
    """
    story = Story("shipped")
    play = story.play
    for number in range(3):
        story.do((salesforce_people.new_contact, f"Person {number}", "own", 0))
        story.do((salesforce_people.new_opportunity, f"Deal {number}", 100 + number, "2026-07-01", 0, 0, None))
        story.do((salesforce_people.add_role, number, number, None, False, False))
    story.rest()
    photograph = play.lab.durable_store()
    for acts in (
        ((salesforce_people.edit, "Opportunity", 0, ("Amount", 77.0)), (salesforce_people.remove_role, 0)),
        (
            (hubspot_people.edit, "deals", 1, ("Description", "typed in HubSpot")),
            (salesforce_people.new_opportunity, "Made since", 5.0, "2026-08-01", 1, 0, None),
        ),
        ((salesforce_people.delete, "Opportunity", 2), (hubspot_people.delete, "deals", 1)),
        ((salesforce_people.merge, "Contact", 0, 1),),
    ):
        for act in acts:
            story.do(act)
        story.wait(60)
        story.sync()
    story.rest()
    story.do((hubspot_people.edit, "deals", 0, ("Name", "Waits in HubSpot")))
    alive = set(play.sight.alive())
    play.put_store_back(photograph)
    story.rest()
    assert set(play.sight.alive()) == alive


RESTORED = {"HubSpot": ("hubspot",), "Salesforce": ("salesforce",), "both": ("salesforce", "hubspot")}


@cache
def put_back(*sides: str) -> Day:
    day = begin().copy()
    day.photograph(*sides)
    day.work_on()
    day.put_back(*sides)
    return day


@pytest.fixture(params=RESTORED.values(), ids=RESTORED)
def restored(request) -> tuple[Day, tuple[str, ...]]:
    """A day whose CRMs, one or both, are put back to the morning; the store knows better."""
    return put_back(*request.param).copy(), request.param


def test_D6_a_crm_that_was_put_back_to_an_earlier_state_is_noticed_before_anything_is_written(restored):
    """What went back is nobody's edit, and what is nowhere was not deleted: the connection waits for a person."""
    day, sides = restored
    before = day.live()
    amounts = [row["Amount"] for row in day.lab.sf_all("SELECT Amount FROM Opportunity ORDER BY Id")]
    for expected in (Unreachable, Suspended):
        with pytest.raises(expected) as caught:
            day.lab.sync()
        assert caught.value.condition is Condition.PUT_BACK
        assert f"{'Salesforce' if 'salesforce' in sides else 'HubSpot'} was put back" in caught.value.message
        assert "connector resume" in caught.value.remedy
        day.lab.advance(minutes=15)
    with pytest.raises(Suspended):
        day.lab.plan()
    assert day.live() == before
    assert [row["Amount"] for row in day.lab.sf_all("SELECT Amount FROM Opportunity ORDER BY Id")] == amounts


def test_D6_after_a_crm_was_put_back_an_empty_store_brings_the_other_sides_day_there(restored):
    """What one side has lost comes from the other; nothing is taken away or made twice."""
    day, sides = restored
    before = day.live()
    day.lab.forget()
    day.come_to_rest()
    assert all(day.live()[name] >= some for name, some in before.items())
    if sides == ("salesforce",):  # the opportunity of this deal is nowhere, which is said and left to a person
        (problem,) = day.lab.problems()
        assert (problem["object"], problem["code"]) == ("deals", "PARTNER_NOT_READABLE")
        day.lab.hs_delete("deals", problem["record_id"])
        day.hold_agreement(Big_deal=2, Second=6)
    elif sides == ("hubspot",):
        day.hold_agreement(Big_deal=2, Second=6, Made_since=9)
    else:
        day.hold_agreement(Big_deal=1, Second=5)


def test_D6_who_resumes_after_a_crm_was_put_back_means_what_is_there_now(restored):
    """The store goes on; what a record holds now counts as edited once it is looked at, and nothing is stuck."""
    day, sides = restored
    for _ in sides:
        with pytest.raises(Unreachable):
            day.lab.sync()
        assert resume(day.lab.store).condition == Condition.PUT_BACK
    for opportunity in (day.first, day.second):
        day.lab.sf_edit("Opportunity", opportunity, Description="looked at")
    day.come_to_rest()
    assert day.lab.store.records.count_dirty() == 0
    day.lab.sf_edit("Opportunity", day.first, Amount=4)
    day.come_to_rest()
    assert day.lab.hs_get("deals", day.lab.deal_of(day.first), "amount")["amount"] == "4"


@pytest.mark.parametrize(
    ("side", "take_away"),
    [
        ("salesforce", lambda day, id_: day.lab.sf_delete("Opportunity", id_)),
        ("hubspot", lambda day, id_: day.lab.hs_delete("deals", day.lab.deal_of(id_))),
    ],
)
def test_D6_that_the_latest_records_are_deleted_is_no_backup(
    day: Day, side: str, take_away: Callable[[Day, str], None]
):
    """Deleted, even all of them, they are witnesses no more; once the bin is empty nobody asks for them."""
    for id_ in (day.first, day.second):
        take_away(day, id_)
        day.come_to_rest()
        day.lab.advance(days=8)
    day.lab.advance(days=100)
    day.come_to_rest()
    assert find_suspension(day.lab.store) is None


def test_D6_a_search_that_lags_for_hours_is_no_backup(day: Day):
    """What seems older than it was is read by its id before anything is said."""
    day.lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 6 * 3600}, "PUT")
    day.work_on()
    day.lab.advance(hours=7)
    day.come_to_rest()
    day.hold_agreement(Big_deal=2, Second=6, Made_since=9)


def test_D6_a_clock_that_is_set_back_is_no_backup(day: Day):
    """An opportunity edited before and after that seems older by five minutes: the second edit travels too."""
    for amount, ahead in ((6, 240), (7, -70)):
        day.lab.salesforce.clock.ahead = timedelta(seconds=ahead)
        day.lab.sf_edit("Opportunity", day.second, Amount=amount)
        day.lab.sync_once()
        assert day.lab.hs_get("deals", day.lab.deal_of(day.second), "amount")["amount"] == str(amount)


@pytest.mark.parametrize("lies", [1, 99])
def test_D6_one_false_answer_is_no_backup(day: Day, monkeypatch: pytest.MonkeyPatch, lies: int):
    """A deal is deleted, and asked for by its id it seems to be there and older: it has to seem so twice."""
    day.lab.hs_delete("deals", day.lab.deal_of(day.second))
    right, told = HubSpot.read, 0

    def lie(crm: HubSpot, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Record]:
        nonlocal told
        found = right(crm, object_, ids, wanted)
        if wanted != Wanted(()) or told == lies:
            return found
        told += 1
        return {
            id_: replace(one, presence=Presence.PRESENT, version="2020-01-01T00:00:00Z")
            for id_, one in found.items()
        }

    monkeypatch.setattr(HubSpot, "read", lie)
    if lies == 1:
        day.lab.sync()
        assert (told, find_suspension(day.lab.store)) == (1, None)
    else:
        with pytest.raises(Unreachable, match="was put back"):
            day.lab.sync()


# --- two at once, and changes in the middle of a run --------------------------------------------------------------


def test_two_schedulers_at_once_take_turns(day: Day):
    """The second one meets the first at work, says so, and syncs half a minute later; nothing is made twice."""
    day.lab.opportunity("For both", Amount=8)
    told: list[list[Event]] = [[], []]

    def start(number: int, progress: Callable[[str, int], None]) -> None:
        night = Night(day.lab, 2)
        Schedule(lambda: keep_open(day.lab), night, day.lab.clock.now, told[number].append, progress).run()

    def meanwhile(*_: object) -> None:
        if not told[1]:
            night = Night(day.lab, 0.1)
            Schedule(lambda: keep_open(day.lab), night, day.lab.clock.now, told[1].append).run()

    start(0, meanwhile)
    assert [type(one.error) for one in told[1]] == [Busy]
    assert [one.report.status for one in told[0] if one.report] == ["ok"]
    start(1, lambda *_: None)
    day.hold_agreement(Big_deal=1, Second=5, For_both=8)


def test_a_run_that_was_taken_over_while_it_waited_tries_no_write_again(day: Day):
    """HubSpot turned a write away; when its time comes again, another run holds the lease, and it is not sent."""
    made = day.lab.opportunity("Made since", Amount=9)
    break_down(day, kind="status", status=429, path="/objects/deals/batch/create", times=1)
    rival = Store(day.lab.engine, "default", day.lab.clock.now).runs.lease()

    def take_over() -> None:
        day.lab.advance(minutes=6)
        rival.__enter__()

    with pytest.raises(Busy, match="taken over"):
        day.lab.sync_before("/objects/deals/batch/create", take_over)
    assert day.lab.partner("deals", made) is None
    rival.__exit__(None, None, None)
    day.come_to_rest()
    day.hold_agreement(Big_deal=1, Second=5, Made_since=9)


def test_a_user_loses_a_field_in_the_middle_of_a_run(day: Day):
    """That field is listed and everything else goes on; given back, its value arrives."""
    deal = day.lab.deal_of(day.first)
    day.lab.hs_edit("deals", deal, description="a long story", amount="3")

    def take(*, edit: bool) -> None:
        rights = {"fields": {"Opportunity": {"Description": {"read": True, "edit": edit}}}}
        day.lab.sandbox_post("salesforce", "permissions", rights, "PUT")

    day.lab.sync_before("/crm/v3/objects/deals/search", lambda: take(edit=False))
    (problem,) = day.lab.problems()
    assert (problem["cause"], problem["field"]) == ("permissions", "Description")
    assert day.lab.hs_get("deals", deal, "description")["description"] == "a long story"
    day.hold_agreement(Big_deal=3, Second=5)
    take(edit=True)
    day.lab.advance(days=1)
    day.come_to_rest()
    assert day.lab.sf_get("Opportunity", day.first)["Description"] == "a long story"
    assert day.lab.problems() == []


def test_a_token_is_revoked_in_the_middle_of_a_run(day: Day):
    """The run stops between two writes, later ones refuse without a call, and `resume` goes on with the rest."""
    day.lab.sf_edit("Opportunity", day.first, Amount=2)
    day.lab.opportunity("Made since", Amount=9)
    revoke = {"kind": "status", "status": 401}
    with pytest.raises(Unreachable) as caught:
        day.lab.sync_before("/objects/deals/batch/create", lambda: break_down(day, **revoke))
    assert caught.value.condition is Condition.NOT_LET_IN
    recover(day)
    with pytest.raises(Suspended):
        day.lab.sync()
    resume(day.lab.store)
    day.come_to_rest()
    day.hold_agreement(Big_deal=2, Second=5, Made_since=9)


def test_asked_to_end_in_the_middle_of_a_run_the_next_one_does_the_rest(day: Day):
    """Wherever progress is told: no write is in doubt, and nothing is made twice."""
    day.lab.sf_edit("Opportunity", day.first, Amount=2)
    day.lab.hs_edit("deals", day.lab.deal_of(day.second), amount="6")
    day.lab.opportunity("Made since", Amount=9)
    for place in range(1, 12):
        left = place

        def end(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Halted("asked to end")

        report = sync(day.lab.connection(), None, end)
        assert all(one["state"] != "intended" for one in day.lab.store.journal.of_run(report.run))
        day.lab.advance(seconds=1)
        if report.status == "ok":
            break
    day.come_to_rest()
    day.hold_agreement(Big_deal=2, Second=6, Made_since=9)


# --- limits and outages -------------------------------------------------------------------------------------------


def go_on(day: Day, runs: int, *faults: tuple[str, dict[str, Any]]) -> list[str]:
    """A run an hour, during which these faults strike, and before which somebody edits; how each ended."""
    ended = []
    for number in range(runs):
        day.lab.sf_edit("Opportunity", day.first, Amount=100 + number)
        day.lab.hs_edit("deals", day.lab.deal_of(day.second), amount=str(200 + number))
        for side, fault in faults:
            day.lab.sandbox_post(side, "faults", fault)
        ended.append(end_of_run(day))
        for side, _ in faults:
            day.lab.sandbox_post(side, "faults", None, "DELETE")
        day.lab.advance(hours=1)
    return ended


def test_a_day_of_429s(day: Day):
    """Most of HubSpot's calls and many of Salesforce's are turned away: runs are slow or stop; none does harm."""
    made = day.lab.opportunity("Made since", Amount=9)
    day.lab.role(made, day.owl)
    ended = go_on(
        day,
        6,
        ("hubspot", {"kind": "status", "status": 429, "rate": 0.7}),
        ("salesforce", {"kind": "status", "status": 503, "rate": 0.3}),
    )
    assert {"ok", "Unreachable"} == set(ended)
    assert find_suspension(day.lab.store) is None
    day.come_to_rest()
    day.hold_agreement(Big_deal=105, Second=205, Made_since=9)


@pytest.mark.parametrize(
    ("side", "settings"),
    [("salesforce", {"daily_requests": 3}), ("hubspot", {"enforce_limits": "always", "daily_limit": 8})],
    ids=["Salesforce", "HubSpot"],
)
def test_an_org_over_its_daily_limit(day: Day, side: str, settings: dict[str, Any]):
    """Met in the middle of a run; later ones refuse. The next day goes on by itself, and nobody resumes it."""
    day.lab.sf_edit("Opportunity", day.first, Amount=2)
    day.lab.hs_edit("deals", day.lab.deal_of(day.second), amount="6")
    day.lab.opportunity("Made since", Amount=9)
    used = day.lab.sandbox_post(side, "usage", None, "GET")["total"]
    day.lab.sandbox_post(
        side,
        "settings",
        {name: value if isinstance(value, str) else used + value for name, value in settings.items()},
        "PUT",
    )
    assert [end_of_run(day) for _ in range(3)] == ["Unreachable", "Suspended", "Suspended"]
    day.lab.advance(days=1, hours=12)
    day.come_to_rest()
    assert find_suspension(day.lab.store) is None
    day.hold_agreement(Big_deal=2, Second=6, Made_since=9)


def end_of_run(day: Day) -> str:
    """How a run ended, or by what it was stopped."""
    try:
        return day.lab.sync().status
    except Stop as stop:
        return type(stop).__name__


def test_hubspot_is_in_maintenance_for_hours(day: Day):
    """Runs stop and suspend nothing; what people did meanwhile arrives with the first one that gets through."""
    deal = day.lab.deal_of(day.first)
    break_down(day, kind="status", status=503)
    for number in range(5):
        day.lab.sf_edit("Opportunity", day.second, Amount=100 + number)
        with pytest.raises(Unreachable) as caught:
            day.lab.sync()
        assert caught.value.condition is None
        day.lab.advance(hours=1)
    recover(day)
    day.lab.hs_edit("deals", deal, amount="2")
    day.come_to_rest()
    day.hold_agreement(Big_deal=2, Second=104)
