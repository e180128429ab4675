"""How many calls are made at most, what suspends the whole connection, and how it goes on again (E2, E3, E4)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from engine.lab import Lab

from connector.core.model import Side
from connector.engine.allocation import AHEAD, Allocation
from connector.engine.run import sync
from connector.engine.suspension import find_suspension, resume
from connector.errors import Condition, Spent, Suspended, Unreachable
from connector.store.store import Store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
IDLE = 2
"""Salesforce calls of a run that finds nothing to do."""


def administer(lab: Lab, side: str, what: str, body: object) -> None:
    """An administrator's act."""
    lab.sandbox_post(side, what, body, "PUT")


def salesforce_calls(lab: Lab) -> int:
    """API calls that Salesforce has counted, people's too."""
    return lab.salesforce.admin.usage()["total"]


def hubspot_calls(lab: Lab) -> int:
    return lab.hubspot.usage.view()["total"]


@pytest.fixture
def lab():
    """Two empty CRMs in step."""
    lab = Lab()
    lab.sync()
    return lab


def allow(lab: Lab, side: Side, more: int) -> int:
    """Let the connector make so many calls more within these 24 hours; returns how many that is in all."""
    name = f"{side.value.upper()}__DAILY_CALLS"
    lab.configure(**{name: "1000"})
    most = 1000 - lab.connection().allocation.left(side) + more
    lab.configure(**{name: str(most)})
    return most


def stage(lab: Lab) -> dict[str, str]:
    return {"pipeline": lab.pipeline(), "dealstage": lab.stages()["Prospecting"]}


# --- E3 ---------------------------------------------------------------------------------------------------


def test_E3_where_no_call_was_made_none_is_noted(lab):
    """Noting is one transaction, and none at all while the count stands still."""
    c = lab.connection()
    lab.fate.revive()
    c.allocation.keep()
    assert lab.fate.steps == 0
    c.allocation.spend(Side.HUBSPOT)
    c.allocation.keep()
    c.allocation.keep()
    assert lab.fate.steps == 1


def test_E3_who_dies_has_made_its_calls_too(lab):
    """Whatever the process could not note any more counts as made, and a run that ends takes nothing with it."""
    most = allow(lab, Side.HUBSPOT, 500)
    made = 0
    for at in (12, 20, 31):
        calls = hubspot_calls(lab)
        lab.sync_and_die(at, after_delivery=True)
        made += hubspot_calls(lab) - calls
        left = lab.connection().allocation.left(Side.HUBSPOT)
        assert most - left >= made
    calls = hubspot_calls(lab)
    before = lab.connection().allocation.left(Side.HUBSPOT)
    lab.sync()
    assert before - lab.connection().allocation.left(Side.HUBSPOT) == hubspot_calls(lab) - calls


def test_E3_two_processes_add_up(lab):
    """What one notes does not undo what another has noted since the first one looked."""
    allow(lab, Side.HUBSPOT, 500)
    one, other = lab.connection().allocation, lab.connection().allocation
    before = one.left(Side.HUBSPOT)
    for allocation in (one, other):
        allocation.spend(Side.HUBSPOT)
        allocation.keep(ends=True)
    assert lab.connection().allocation.left(Side.HUBSPOT) == before - 2


def test_E3_no_more_calls_are_made_than_the_settings_allow(lab):
    """Whatever there is to do: the run stops before the call that would be one too many, and says so."""
    most = allow(lab, Side.SALESFORCE, 7)
    before = salesforce_calls(lab)
    for _ in range(3):
        lab.sync()
    assert salesforce_calls(lab) - before == 3 * IDLE
    lab.hs_create("deals", dealname="New", closedate="2026-06-30T00:00:00Z", **stage(lab))
    with pytest.raises(Spent) as caught:
        lab.sync()
    assert caught.value.exit_code == 4
    assert f"{most} Salesforce calls" in caught.value.message
    assert "salesforce.daily_calls" in caught.value.remedy
    assert salesforce_calls(lab) - before == 7
    assert lab.store.runs.last()["status"] == "stopped"
    with pytest.raises(Spent):
        lab.sync()
    assert salesforce_calls(lab) - before == 7
    assert find_suspension(lab.store) is None


def test_E3_calls_become_free_hour_by_hour_and_the_work_is_done_then(lab):
    """Nothing is lost and nothing is done twice by a run that stopped for want of calls."""
    allow(lab, Side.SALESFORCE, 7)
    for _ in range(3):
        lab.sync()
    lab.hs_create("deals", dealname="New", closedate="2026-06-30T00:00:00Z", **stage(lab))
    with pytest.raises(Spent):
        lab.sync()
    lab.advance(hours=23)
    with pytest.raises(Spent):
        lab.sync()
    lab.advance(hours=2)
    lab.sync()
    assert [row["Name"] for row in lab.sf_all("SELECT Name FROM Opportunity")] == ["New"]


def test_E3_calls_of_a_run_that_died_count_too(lab):
    """What was sent was sent; what it might have sent after its last note counts too."""
    allow(lab, Side.SALESFORCE, 100)
    lab.opportunity()
    before = salesforce_calls(lab)
    assert lab.sync_and_die(30, after_delivery=False)
    spent = salesforce_calls(lab) - before
    assert spent >= IDLE
    assert 100 - spent - AHEAD <= lab.connection().allocation.left(Side.SALESFORCE) <= 100 - spent


def test_E3_calls_of_a_run_that_died_count_however_many_it_made_between_two_notes(lab):
    """The store is told anew before the calls that it was told of ahead are used up, from any thread."""
    allow(lab, Side.HUBSPOT, 500)
    dying = lab.connection().allocation
    before = dying.left(Side.HUBSPOT)
    dying.keep()
    for made in range(1, 3 * AHEAD):
        dying.spend(Side.HUBSPOT)
        left = lab.connection().allocation.left(Side.HUBSPOT)
        assert before - made - AHEAD <= left <= before - made
    dying.keep(ends=True)
    assert lab.connection().allocation.left(Side.HUBSPOT) == before - made


def test_E3_a_call_in_another_thread_is_noted_in_a_store_in_a_file(tmp_path):
    """As batches under way at a time do."""
    store = Store.open(f"sqlite:///{tmp_path}/store.db", "main", lambda: NOON)
    dying = Allocation(dict.fromkeys(Side, 500), store, lambda: NOON)
    dying.keep()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(dying.spend, [Side.HUBSPOT] * 3 * AHEAD))
    noted = Allocation(dict.fromkeys(Side, 500), store, lambda: NOON)
    assert 500 - 4 * AHEAD <= noted.left(Side.HUBSPOT) <= 500 - 3 * AHEAD


def test_E3_what_two_processes_note_at_a_time_is_added_up(tmp_path):
    """A check beside a run: neither overwrites what the other one noted in between."""
    stores = [Store.open(f"sqlite:///{tmp_path}/store.db", "main", lambda: NOON) for _ in range(2)]

    def make_calls(store):
        allocation = Allocation(dict.fromkeys(Side, 5000), store, lambda: NOON)
        allocation.keep()
        for _ in range(40 * AHEAD):
            allocation.spend(Side.HUBSPOT)
        allocation.keep(ends=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(make_calls, stores))
    noted = Allocation(dict.fromkeys(Side, 5000), stores[0], lambda: NOON)
    assert noted.left(Side.HUBSPOT) == 5000 - 2 * 40 * AHEAD


def test_E3_a_pretended_run_tells_of_its_calls_when_it_ends(lab):
    """A plan holds the store for as long as it pretends."""
    allow(lab, Side.HUBSPOT, 500)
    c = lab.connection()
    planning = c.allocation
    before = planning.left(Side.HUBSPOT)
    planning.keep()
    with c.store.pretending():
        for _ in range(2 * AHEAD):
            planning.spend(Side.HUBSPOT)
    planning.keep(ends=True)
    assert lab.connection().allocation.left(Side.HUBSPOT) == before - 2 * AHEAD


def test_E3_hubspots_calls_may_be_limited_too(lab):
    """The same, for the other side."""
    most = allow(lab, Side.HUBSPOT, 3)
    with pytest.raises(Spent) as caught:
        lab.sync()
    assert caught.value.side is Side.HUBSPOT
    assert f"{most} HubSpot calls" in caught.value.message


def test_E3_the_plan_says_when_the_calls_will_not_do(lab):
    """It tells how many are left by the settings, and that a sync would not come to its end."""
    lab.opportunity()
    allow(lab, Side.HUBSPOT, 20)
    report = lab.plan()
    assert report.left[Side.HUBSPOT] == 20 - report.calls[Side.HUBSPOT]
    assert "(E3)" not in " ".join(report.notes)
    allow(lab, Side.HUBSPOT, report.calls[Side.HUBSPOT])
    report = lab.plan()
    assert report.left[Side.HUBSPOT] == 0
    assert "only 0 hubspot calls are left" in " ".join(report.notes)


# --- E2 ---------------------------------------------------------------------------------------------------


def test_E2_when_calls_are_scarce_only_new_edits_are_synced(lab):
    """Above three quarters of the allocation what failed is left alone; later it is tried again."""
    opportunity = lab.opportunity()
    lab.sync()
    deal = lab.deal_of(opportunity)
    lab.hs_edit("deals", deal, dealname="x" * 200)
    lab.sync()
    lab.configure(SALESFORCE__DAILY_CALLS="40")
    while lab.connection().allocation.left(Side.SALESFORCE) >= 10:
        lab.sync()
    lab.advance(minutes=20)
    other = lab.opportunity("New")
    report = lab.sync()
    assert [one["attempts"] for one in lab.problems()] == [1]
    assert "not tried again" in " ".join(report.notes)
    assert lab.partner("deals", other)
    lab.configure(SALESFORCE__DAILY_CALLS="1000")
    lab.sync()
    assert [one["attempts"] for one in lab.problems()] == [2]


# --- E4 ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    """Something that concerns the whole connection, and how it comes about and is mended."""

    side: Side
    condition: Condition
    begin: Callable[[Lab], None]
    end: Callable[[Lab], None]
    by_itself: bool


def permit(allowed: bool) -> Callable[[Lab], None]:
    return lambda lab: administer(lab, "salesforce", "permissions", {"PermissionsApiEnabled": allowed})


def limit(side: str, **settings: object) -> Callable[[Lab], None]:
    return lambda lab: administer(lab, side, "settings", settings)


def present(name: str, right: Callable[[Lab], str]) -> tuple[Callable[[Lab], None], Callable[[Lab], None]]:
    """Somebody takes the credentials away, and gives them back."""
    return (
        lambda lab: lab.environment.update({name: "revoked"}),
        lambda lab: lab.environment.update({name: right(lab)}),
    )


def miss_scope(lab: Lab) -> None:
    lab.sandbox_post("hubspot", "faults", {"kind": "status", "status": 403, "path": "/crm/v3/owners"})


def grant_scope(lab: Lab) -> None:
    lab.sandbox_post("hubspot", "faults", None, "DELETE")


TROUBLES = {
    "API disabled": Trouble(Side.SALESFORCE, Condition.API_DISABLED, permit(False), permit(True), True),
    "Salesforce's limit": Trouble(
        Side.SALESFORCE,
        Condition.LIMIT_REACHED,
        limit("salesforce", daily_requests=1),
        limit("salesforce", daily_requests=15_000),
        True,
    ),
    "HubSpot's limit": Trouble(
        Side.HUBSPOT,
        Condition.LIMIT_REACHED,
        limit("hubspot", enforce_limits="always", daily_limit=1),
        limit("hubspot", enforce_limits="never"),
        True,
    ),
    "session": Trouble(
        Side.SALESFORCE,
        Condition.NOT_LET_IN,
        *present("SALESFORCE_SESSION_ID", lambda lab: lab.salesforce.session_id),
        False,
    ),
    "token": Trouble(
        Side.HUBSPOT,
        Condition.NOT_LET_IN,
        *present("HUBSPOT_ACCESS_TOKEN", lambda lab: lab.hubspot.access_token),
        False,
    ),
    "scope": Trouble(Side.HUBSPOT, Condition.SCOPE_MISSING, miss_scope, grant_scope, False),
}


@pytest.fixture(params=TROUBLES)
def trouble(request):
    return TROUBLES[request.param]


def begin(lab: Lab, trouble: Trouble) -> None:
    """Let it come about, and let a run meet it."""
    lab.opportunity()
    trouble.begin(lab)
    with pytest.raises(Unreachable) as caught:
        lab.sync()
    assert (caught.value.side, caught.value.condition) == (trouble.side, trouble.condition)
    assert not isinstance(caught.value, Suspended)


def used(lab: Lab) -> list[int]:
    """API calls by side, as this connector counts them: those of the last connection it made."""
    connection = lab.connection()
    with pytest.raises(Suspended):
        sync(connection)
    return [connection.crm(side).usage().calls for side in Side]


def test_E4_a_condition_of_the_whole_connection_suspends_it_visibly(lab, trouble):
    """Why, since when, and what to do stand in the store, where `connector status` finds them."""
    moment = lab.clock.now().isoformat()
    begin(lab, trouble)
    found = find_suspension(lab.store)
    assert (found.side, found.condition, found.since) == (trouble.side, trouble.condition, moment)
    assert found.message
    assert found.remedy
    assert found.as_json()["ends_by_itself"] is trouble.by_itself
    assert lab.store.runs.last()["status"] == "stopped"
    assert lab.problems() == []


def test_E4_later_runs_refuse_quickly_and_say_how_to_go_on(lab, trouble):
    """At most one cheap call, no run begun, and the reason with its beginning."""
    begin(lab, trouble)
    since, run = find_suspension(lab.store).since, lab.store.runs.last()["run"]
    lab.advance(minutes=15)
    assert sum(used(lab)) == (1 if trouble.by_itself else 0)
    with pytest.raises(Suspended) as caught:
        lab.sync()
    assert caught.value.exit_code == 4
    assert since in caught.value.message
    assert ("connector resume" in caught.value.remedy) is not trouble.by_itself
    assert lab.store.runs.last()["run"] == run
    found = find_suspension(lab.store)
    assert (found.since, found.refused) == (since, 2)
    with pytest.raises(Suspended):
        lab.plan()


def test_E4_once_it_is_over_everything_is_synced(lab, trouble):
    """By itself, or once a person has said so."""
    begin(lab, trouble)
    trouble.end(lab)
    if not trouble.by_itself:
        with pytest.raises(Suspended):
            lab.sync()
        assert resume(lab.store).condition == trouble.condition
    lab.sync_once()
    assert find_suspension(lab.store) is None
    assert len(lab.hs_all("deals")) == 1


def test_E4_resumed_too_early_it_is_suspended_anew(lab, trouble):
    """`connector resume` only lets the next run try."""
    begin(lab, trouble)
    resume(lab.store)
    lab.advance(minutes=1)
    with pytest.raises(Unreachable) as caught:
        lab.sync()
    assert caught.value.condition == trouble.condition
    assert find_suspension(lab.store).since == find_suspension(lab.store).last


def test_E4_one_trouble_may_follow_another(lab):
    """What the probing call meets is what it is now."""
    begin(lab, TROUBLES["API disabled"])
    TROUBLES["API disabled"].end(lab)
    TROUBLES["session"].begin(lab)
    with pytest.raises(Suspended) as caught:
        lab.sync()
    assert caught.value.condition is Condition.NOT_LET_IN
    assert find_suspension(lab.store).refused == 1


def test_E4_a_vendor_that_is_down_suspends_nothing(lab):
    """The next run just tries."""
    lab.sandbox_post("hubspot", "faults", {"kind": "status", "status": 503})
    with pytest.raises(Unreachable) as caught:
        lab.sync()
    assert caught.value.condition is None
    lab.sandbox_post("hubspot", "faults", None, "DELETE")
    lab.sync_once()


def test_E4_nothing_to_resume(lab):
    """A connection that is not suspended stays as it is."""
    assert resume(lab.store) is None
