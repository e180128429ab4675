"""Every write is noted before it is made; what could not be synced is tried again, ever more rarely."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from connector.core.model import Change, Problem, ProblemClass, Side
from connector.store.journal import retry_delay

CHANGE = Change("amount", 1, 2.5, "F3", "Amount of 006A", conflict=True)
PLACE = Side.HUBSPOT, "deals"


def problem(record_id="1", **more):
    known = {"cause": ProblemClass.PROPERTY_VALUES, "code": "INVALID_OPTION", "detail": "no such stage"}
    return Problem(*PLACE, record_id, **known | more)


# --- the journal ---


def test_writes_are_noted_before_they_are_made(store, second, now):
    """A write that was begun is known with its old and new values, even if the process ends in the middle of it."""
    run = store.runs.begin()
    (number,) = store.journal.intend(run, "update", *PLACE, [("1", None, [CHANGE])])
    (entry,) = second.journal.of_run(run)
    assert entry == {
        "number": number,
        "run": run,
        "at": now().isoformat(),
        "state": "intended",
        "verb": "update",
        "side": "hubspot",
        "object": "deals",
        "record_id": "1",
        "link": None,
        "made": None,
        "changes": [
            {
                "field": "amount",
                "old": 1,
                "new": 2.5,
                "rule": "F3",
                "cause": "Amount of 006A",
                "conflict": True,
            }
        ],
    }


def test_outcomes_are_noted_afterwards(store):
    """How each write went, and the id that a creation brought; an id that is known stays."""
    run = store.runs.begin()
    numbers = store.journal.intend(run, "create", *PLACE, [(None, 7, []), (None, 8, []), ("3", None, [])])
    store.journal.conclude({numbers[0]: (True, "17"), numbers[1]: (False, None), numbers[2]: (True, "99")})
    store.journal.conclude({})
    assert [(one["state"], one["record_id"]) for one in store.journal.of_run(run)] == [
        ("done", "17"),
        ("failed", None),
        ("done", "3"),
    ]


def test_F2_an_update_whose_answer_was_lost_is_confirmed_by_what_is_there(store):
    """Only if its side holds what it was to write, and if nothing was written to that side after it."""
    run = store.runs.begin()
    links = {"holds it": 7, "holds another": 8, "does not say": 9, "was written after": 10}
    numbers = store.journal.intend(run, "update", *PLACE, [("1", link, [CHANGE]) for link in links.values()])
    (after,) = store.journal.intend(run, "update", *PLACE, [("1", 10, [])])
    store.journal.conclude({after: (True, None)})
    held = {7: {"amount": 2.5}, 8: {"amount": 1}, 9: {}, 10: {"amount": 2.5}}
    store.journal.confirm({link: {Side.SALESFORCE: {}, Side.HUBSPOT: fields} for link, fields in held.items()})
    states = {one["number"]: one["state"] for one in store.journal.of_run(run)}
    assert [states[number] for number in numbers] == ["done", "intended", "intended", "intended"]


def test_an_update_that_was_never_concluded_is_found_by_its_link(store, stranger):
    """Of this connection, and of these links."""
    run = store.runs.begin()
    writes = [("1", 7, [CHANGE]), ("2", 8, [CHANGE]), ("3", 9, [CHANGE])]
    numbers = store.journal.intend(run, "update", *PLACE, writes)
    store.journal.intend(run, "name", *PLACE, [("4", 10, [])])
    store.journal.conclude({numbers[1]: (True, None)})
    assert store.journal.find_unheard([7, 8, 10]) == {7}
    assert stranger.journal.find_unheard([7]) == set()


def test_F2_what_is_written_later_does_not_tell_whether_an_update_was_made(store):
    """Unless it was all of it, or settles a conflict, which is not settled before it is there."""
    run, company = store.runs.begin(), Change("company", "1", "2", "F1", "AccountId")
    fought_over = replace(company, conflict=True)
    writes = [("1", 7, [CHANGE, company]), ("2", 8, [company]), ("3", 9, [CHANGE, fought_over])]
    numbers = store.journal.intend(run, "update", *PLACE, writes)
    held = {Side.HUBSPOT: {"amount": 2.5}}
    store.journal.confirm({7: held, 8: {Side.HUBSPOT: {}}, 9: held}, later="company")
    states = {one["number"]: one["state"] for one in store.journal.of_run(run)}
    assert [states[number] for number in numbers] == ["done", "intended", "intended"]


def test_R4_a_name_whose_answer_was_lost_is_confirmed_by_what_is_there(store):
    """Only the last one that was given to a role, or to a contact on a deal."""
    run = store.runs.begin()
    role = Side.SALESFORCE, "OpportunityContactRole"
    name, label = (Change(field, None, "Evaluator", "R4", "F2") for field in ("Role", "labels"))
    whose = {who: [Change("contact", who, who, "R4", "F2"), label] for who in ("21", "22")}
    lost = store.journal.intend(run, "name", *role, [("00K1", 7, [name]), ("00K2", 7, [name]), ("00K3", 8, [name])])
    lost += store.journal.intend(run, "name", *PLACE, [("1", 7, some) for some in (*whose.values(), whose["22"])])
    there = {
        (Side.SALESFORCE, "00K1"): {"Role": "Evaluator"},
        (Side.SALESFORCE, "00K2"): {"Role": None},
        (Side.HUBSPOT, "21"): {"labels": "Decider"},
        (Side.HUBSPOT, "22"): {"labels": "Evaluator"},
    }
    store.journal.confirm_names({7: there, 8: {}})
    states = {one["number"]: one["state"] for one in store.journal.of_run(run)}
    assert [number for number in lost if states[number] == "done"] == [lost[0], lost[-1]]


def test_numbers_follow_the_writes(store):
    """However many are noted at once, each number is that of its write."""
    run = store.runs.begin()
    numbers = store.journal.intend(run, "update", *PLACE, [(str(n), None, []) for n in range(1500)])
    entries = {one["number"]: one["record_id"] for one in store.journal.of_run(run)}
    assert [entries[number] for number in numbers] == [str(n) for n in range(1500)]
    assert store.journal.intend(run, "update", *PLACE, []) == []


def test_a_records_history(store, stranger):
    """All writes to one record over all runs, in order, of this connection alone."""
    for _ in range(3):
        run = store.runs.begin()
        store.journal.intend(run, "update", *PLACE, [("1", None, []), ("2", None, [])])
    store.journal.intend(run, "update", Side.SALESFORCE, "Opportunity", [("1", None, [])])
    history = store.journal.of_record(*PLACE, "1")
    assert [one["run"] for one in history] == sorted({one["run"] for one in history})
    assert len(history) == 3
    assert stranger.journal.of_record(*PLACE, "1") == []
    assert stranger.journal.of_run(run) == []


# --- problems ---


def test_a_problem_is_told_whole(store, now):
    """Which record, what class, the vendor's words, what to do, since when."""
    store.problems.note([problem(field="dealstage", remedy="add it")], retry=True)
    assert store.problems.all() == [
        {
            "side": "hubspot",
            "object": "deals",
            "record_id": "1",
            "field": "dealstage",
            "cause": "property values",
            "code": "INVALID_OPTION",
            "detail": "no such stage",
            "remedy": "add it",
            "attempts": 1,
            "since": now().isoformat(),
            "last": now().isoformat(),
            "next_try": (now() + timedelta(minutes=15)).isoformat(),
        }
    ]
    assert store.problems.count() == 1


def test_E1_a_problem_that_quotes_a_nul_is_told(store):
    """PostgreSQL keeps none: one such value must not end every run."""
    store.problems.note([problem(detail="too long: a\0b")], retry=True)
    assert [one["detail"] for one in store.problems.all()] == ["too long: a?b"]


def test_the_same_problem_again(store, now):
    """It is one problem with its age and its number of tries, in the latest words; another field is another one."""
    began = now()
    store.problems.note([problem()], retry=True)
    now.advance(minutes=20)
    store.problems.note([problem(code="OTHER"), problem(field="amount")], retry=True)
    first, second = store.problems.all()
    assert (first["attempts"], first["code"], first["since"]) == (2, "OTHER", began.isoformat())
    assert first["next_try"] == (now() + timedelta(minutes=30)).isoformat()
    assert (second["field"], second["attempts"]) == ("amount", 1)


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(1, 15), (2, 30), (3, 60), (4, 120), (5, 240), (9, 1440), (10, 1440), (200, 1440)]
)
def test_delays_grow_to_a_day(attempts, minutes):
    """A quarter of an hour, doubled each time, nightly after ten tries (E2)."""
    assert retry_delay(attempts) == timedelta(minutes=minutes)


def test_delays_never_shrink(store, now):
    """Trying again becomes rarer, never more frequent."""
    delays = []
    for _ in range(14):
        store.problems.note([problem()], retry=True)
        delays.append(datetime.fromisoformat(store.problems.all()[0]["next_try"]) - now())
        now.advance(days=2)
    assert delays == sorted(delays)
    assert delays[-4:] == [timedelta(days=1)] * 4


def test_a_problem_that_waits_for_a_change(store):
    """What only a person can mend is not tried again by itself, even if it was before."""
    store.problems.note([problem()], retry=True)
    store.problems.note([problem()], retry=False)
    assert store.problems.all()[0]["next_try"] is None


def test_solved_problems_go(store, stranger):
    """All problems of a record go at once; of other records and connections none."""
    store.problems.note([problem(), problem(field="amount"), problem("2")], retry=True)
    stranger.problems.note([problem()], retry=True)
    store.problems.solve([(*PLACE, "1"), (Side.SALESFORCE, "Opportunity", "2")])
    store.problems.solve([])
    assert [one["record_id"] for one in store.problems.all()] == ["2"]
    assert (store.problems.count(), stranger.problems.count()) == (1, 1)


def test_the_oldest_come_first(store, now):
    """A list of problems begins with the oldest."""
    for record_id in ("9", "1", "5"):
        store.problems.note([problem(record_id)], retry=True)
        now.advance(hours=1)
    assert [one["record_id"] for one in store.problems.all()] == ["9", "1", "5"]


def test_E2_one_run_is_one_try(store):
    """Met again in the same run it is not counted again, whatever its words are by then."""
    place = (*PLACE, "1", "")
    store.problems.note([problem()], retry=True)
    store.problems.note([problem(code="OTHER")], retry=True, again={place})
    assert [(one["attempts"], one["code"]) for one in store.problems.all()] == [(1, "OTHER")]
    store.problems.note([problem()], retry=True, again={(*PLACE, "2", "")})
    assert store.problems.all()[0]["attempts"] == 2


def test_E2_what_a_clock_noted_that_was_ahead_is_due_once_that_is_set_right(store, now):
    """Else it would not be tried again before that clock's time has come; what waits for a change still does."""
    now.advance(days=365)
    store.problems.note([problem(field="amount"), problem(field="type")], retry=True)
    store.problems.note([problem("2", field="amount")], retry=False)
    now.advance(days=-365)
    assert (store.problems.not_due(*PLACE), store.standing.count_retries(now().isoformat())) == ({}, 2)
    store.problems.note([problem(field="amount")], retry=True)
    assert (store.problems.not_due(*PLACE), store.standing.count_retries(now().isoformat())) == (
        {"1": {"amount"}},
        1,
    )


def test_E2_fields_that_wait_for_their_next_try(store, stranger, now):
    """By record, until it is due; records as wholes, other objects and connections are not among them."""
    store.problems.note([problem(field="amount"), problem(field="type"), problem("2", field="type")], retry=True)
    store.problems.note([problem("3")], retry=True)
    store.problems.note([problem("4", field="amount")], retry=False)
    assert store.problems.not_due(*PLACE) == {"1": {"amount", "type"}, "2": {"type"}}
    assert store.problems.not_due(Side.SALESFORCE, "Opportunity") == {}
    assert stranger.problems.not_due(*PLACE) == {}
    now.advance(minutes=15)
    assert store.problems.not_due(*PLACE) == {}


def test_F4_what_was_refused_at_last(store):
    """Of each field of a record, unless it was written since."""
    run = store.runs.begin()
    writes = [
        (("amount", 1), ("type", "a"), False),
        (("type", "b"), ("name", "n"), False),
        (("amount", 2), ("name", "n"), True),
    ]
    for first, second, done in writes:
        changes = [Change(name, None, value, "F1", "why") for name, value in (first, second)]
        (number,) = store.journal.intend(run, "update", *PLACE, [("1", None, changes)])
        store.journal.conclude({number: (done, "1")})
    assert store.journal.refused_values(*PLACE, "1") == {"type": "b"}
    assert store.journal.refused_values(*PLACE, "2") == {}
