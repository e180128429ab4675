"""Whatever a CRM answers, a run ends with a report or with a stop that says which side and what; then all is
well.

The answers are those of both sandboxes in a run that has much to do, each bent in one way. The run makes no more
calls than a run has to make. If it has stopped at the first bent answer, nothing was made of the bent answer:
once the answers are right again, the next runs come to the same rest as a twin whose answers were never bent. If
it has not, the answer was one that a CRM can give, be it not true; then too, no opportunity is deleted and no
record gets two partners.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from engine.test_crashes import view
from fuzz.oracle import STOPPED, end, run, tried
from fuzz.place import working
from fuzz.wire import (
    ERRORS,
    Bend,
    Bending,
    BentLab,
    Body,
    Forever,
    Put,
    bends,
)
from hypothesis import example, given
from hypothesis import strategies as st

from connector.core.model import Side
from connector.engine.live import read_live
from connector.engine.run import Wish
from connector.engine.suspension import resume
from connector.errors import Unreachable

ALL = Wish(deletes=True)


@cache
def busy() -> tuple[BentLab, bytes, bytes]:
    """Something new, something changed, something deleted and something removed on either side, not synced yet."""
    lab = BentLab()
    account, contact, opportunity = lab.business(Amount=100)
    gone = lab.opportunity("Gone", AccountId=account)
    parted = lab.opportunity("Parted", AccountId=account)
    lost = lab.opportunity("Lost")
    role = lab.role(parted, contact)
    lab.sync_until_rest()
    deal = lab.deal_of(opportunity)
    lab.sf_edit("Opportunity", opportunity, Amount=250, StageName="Closed Won")
    lab.hs_edit("deals", deal, description="from HubSpot")
    lab.hs_edit("contacts", str(lab.partner("contacts", contact)), phone="+49 30 1234567")
    lab.sf_edit("Account", account, Phone="+49 30 7654321")
    lab.sf_delete("Opportunity", gone)
    lab.sf_delete("OpportunityContactRole", role)
    lab.hs_delete("deals", lab.deal_of(lost))
    lab.sf_create("Contact", LastName="Owl", Email="owl@acme.example", AccountId=account)
    lab.opportunity("New one", AccountId=account, Amount=5)
    person = lab.hs_create("contacts", lastname="Elk", email="elk@other.example")
    pipeline = lab.pipeline()
    new = lab.hs_create(
        "deals", dealname="Of HubSpot", pipeline=pipeline, dealstage=lab.stages(pipeline)["Prospecting"],
        closedate="2026-07-01",
    )  # fmt: skip
    lab.hs_associate("deals", new, "contacts", person, 3)
    return lab, lab.durable_crms(), lab.durable_store()


def twin() -> BentLab:
    lab, crms, store = busy()
    made = lab.copy(crms, store)
    assert isinstance(made, BentLab)
    return made


@cache
def right() -> tuple[dict[str, Any], int]:
    """What a run with right answers comes to, and how many answers it takes."""
    lab = twin()
    lab.bending = Bending(None)
    lab.sync(ALL)
    calls = lab.bending.calls
    go_on(lab)
    return view(lab), calls


def go_on(lab: BentLab, days: int = 0) -> None:
    """The answers are right again; days go by, in which whatever waited is tried again, until nothing is to do."""
    lab.bending = Bending(None)
    resume(lab.store)
    for _ in range(days):
        lab.advance(hours=30)
        lab.sync(ALL)
    lab.advance(minutes=6)
    lab.sync_until_rest(6)


def opportunities(lab: BentLab) -> set[str]:
    return {row["Id"] for row in lab.sf_all("SELECT Id FROM Opportunity")}


def check_partners(lab: BentLab) -> None:
    """No record has two partners."""
    for object_ in ("deals", "contacts", "companies"):
        ids = [
            row["sf_record_id"] for row in lab.hs_all(object_, "sf_record_id").values() if row.get("sf_record_id")
        ]
        assert len(ids) == len(set(ids)), f"{object_} double: {ids}"


ANSWERS = st.integers(0, 60)
LASTING = st.sampled_from((0, 0, 0, 2, 1000))


@tried(3)
@given(bend=bends(), first=ANSWERS, lasting=LASTING)
@example(bend=Body(ERRORS), first=1, lasting=0)
@example(bend=Forever(fresh=True), first=0, lasting=1000)
@example(bend=Forever(fresh=False), first=0, lasting=1000)
@example(bend=Put(0), first=0, lasting=0)
def test_a_run_survives_any_answer(bend: Bend, first: int, lasting: int) -> None:
    """It stops and says what was answered, or goes on; it never ends without a word, nor without an end."""
    _, calls = right()
    lab = twin()
    before = opportunities(lab)
    lab.bending = Bending(bend, first % calls, lasting)
    stop = end(lambda: lab.sync(ALL))
    if stop is not None:
        assert isinstance(stop, Unreachable), stop
        assert stop.side.lower() in stop.message.lower() + stop.remedy.lower(), stop.message
        bent = lab.bending.bent
        go_on(lab)
        if (
            len(bent) == 1 and view(lab) != right()[0]
        ):  # of several, those before the last may have been false tales
            go_on(lab, days=3)
            assert view(lab) == right()[0], f"after: {stop.message}\n{bent}"
    else:
        lab.bending = Bending(None)
        end(lambda: lab.sync(ALL))
    assert before <= opportunities(lab), "an opportunity was deleted"
    check_partners(lab)


COMMANDS = (
    ("plan",), ("plan", "--json"), ("check",), ("check", "--json"), ("setup", "--yes"), ("audit",),
    ("undo", "2", "--yes"), ("import", "opportunities"),
    ("import", "contacts", "--where", "LastName != null", "--json"),
    ("mappings", "validate", "--live"), ("mappings", "suggest"), ("backfill", "--deals"),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("place")


@tried(3)
@given(command=st.sampled_from(COMMANDS), bend=bends(), first=st.integers(0, 12), lasting=LASTING)
@example(command=("check",), bend=Body(b"[]"), first=0, lasting=1000)
@example(command=("setup", "--yes"), bend=Body(b"{}"), first=0, lasting=1000)
def test_a_command_survives_any_answer(
    folder: Any, command: tuple[str, ...], bend: Bend, first: int, lasting: int
) -> None:
    """Those that look, set up, import and undo; with right answers each of them goes through the time after."""
    with working(folder) as place:
        place.lab.bending = Bending(bend, first, lasting)
        result = run(*command, typed="y\n" * 5, **place.environment)
        place.lab.bending = Bending(None)
        if result.exit_code in STOPPED and command[0] != "check":
            resume(place.lab.store)
        run("sync", "--allow-deletes", **place.environment)


@tried(4)
@given(bend=bends(), first=st.integers(0, 14), lasting=LASTING)
@example(bend=Body(b"[]"), first=0, lasting=1000)
def test_a_new_folder_survives_any_answer(bend: Bend, first: int, lasting: int) -> None:
    """What `init` reads of a side that answers oddly is left as it is shipped, and it says why."""
    lab = twin()
    lab.bending = Bending(bend, first, lasting)
    live = read_live(lab.environment, attempts=2, transports={side: lab.transport(side) for side in Side})
    assert len(live.notes) == len(Side) - len(live.read)
    lab.bending = Bending(None)
