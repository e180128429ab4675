"""What is too old is forgotten in portions; what anything refers to is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from connector.core.choices import Choice
from connector.core.model import Base, Change, Side
from connector.store import retention, schema
from connector.store.holds import Place
from connector.store.imports import Row
from connector.store.links import Completion
from connector.store.runs import UNDO

DEALS = Side.HUBSPOT, "deals"
KEPT = timedelta(days=400)


@pytest.fixture
def run(store):
    """Makes a run that wrote to some records, changing one link; answers its number."""
    made = store.links.begin("opportunity-deal", Side.SALESFORCE, {"006": Base()})["006"]

    def run(kind="sync", of_run=None, writes=1, files=None, status="ok"):
        number = store.runs.begin(kind, of_run, files)
        store.images.keep_links([made])
        changes = [Change("amount", 1, 2, "O1", "edited", conflict=False)]
        store.journal.intend(number, "update", *DEALS, [(str(one), made, changes) for one in range(writes)])
        store.runs.finish(number, status, {"run": number})
        return number

    return run


def forget(store, now):
    return store.retention.forget(now() - KEPT)


def numbers(store):
    return sorted(one["run"] for one in store.runs.page(1000))


def count(store, table):
    return store._database.fetch(select(func.count()).select_from(table))[0][0]


def whole(store, *runs):
    """Of these runs those whose journal and images are there."""
    return [one for one in runs if store.journal.of_run(one) and store.images.links_of(one)]


def test_what_is_old_is_forgotten_and_what_is_not_stays(store, stranger, run, now):
    """Runs, journal and images go together; another connection's are its own affair."""
    theirs = stranger.runs.begin()
    stranger.runs.finish(theirs, "ok", {})
    old = [run() for _ in range(3)]
    now.advance(days=401)
    new = run()
    assert forget(store, now) > 0
    assert numbers(store) == [new]
    assert whole(store, *old, new) == [new]
    assert count(store, schema.image) == 1
    assert store.retention.last_forgotten() == old[-1]
    assert numbers(stranger) == [theirs]


def test_nothing_is_done_where_nothing_is_old(store, run, now):
    """A young store is not written to."""
    run()
    now.advance(days=399)
    assert forget(store, now) == 0
    assert store.runs.read("retention") is None


def test_once_a_day(store, run, now):
    """What becomes old in the meantime waits for the next day."""
    run()
    now.advance(hours=12)
    second = run()
    now.advance(days=400)
    last = run()
    assert forget(store, now) > 0
    now.advance(hours=13)
    assert forget(store, now) == 0
    assert numbers(store) == [second, last]
    now.advance(hours=12)
    assert forget(store, now) > 0
    assert numbers(store) == [last]


def test_forgetting_goes_in_portions(store, run, now, monkeypatch):
    """A run with many writes goes over several runs, marked from the first portion on; then it is gone."""
    monkeypatch.setattr(retention, "PORTION", 10)
    monkeypatch.setattr(retention, "AT_MOST", 20)
    old = run(writes=35)
    now.advance(days=401)
    last = run()
    left = []
    while old in numbers(store):
        forget(store, now)
        left.append(len(store.journal.of_run(old)))
        if left[-1]:
            assert store.runs.find(old).forgotten == now().isoformat()
    assert left == [15, 0]
    assert numbers(store) == [last]


def test_a_death_between_two_portions(store, run, now, monkeypatch):
    """What was left of a journal goes the next time; nothing of it stays for ever."""
    monkeypatch.setattr(retention, "PORTION", 10)
    old = run(writes=35)
    now.advance(days=401)
    run()
    transactions = []

    def die(_):
        transactions.append(1)
        if len(transactions) == 3:
            raise KeyboardInterrupt

    store._database.fence = die
    with pytest.raises(KeyboardInterrupt):
        forget(store, now)
    store._database.fence = None
    assert 0 < len(store.journal.of_run(old)) < 35
    assert store.runs.find(old).forgotten
    forget(store, now)
    assert store.journal.of_run(old) == []
    assert old not in numbers(store)


def test_X2_what_is_held_since_an_undo_is_kept_whole(store, run, now):
    """`resume` can still let it go; and an undo that is kept keeps what it takes back, over any number of undos."""
    held, undone, other = run(), run(), run()
    store.runs.finish(run(UNDO, held), "ok", {})
    store.holds.hold(held, {Place("update", *DEALS, "1"): {"amount": 2}})
    now.advance(days=401)
    undo = run(UNDO, undone)
    again = run(UNDO, undo)
    forget(store, now)
    assert whole(store, held, undone, other, undo, again) == [held, undone, undo, again]
    assert other not in numbers(store)
    assert [one.id for one in store.runs.undoing(undone)] == [undo]


def test_X2_an_undo_that_was_cut_short_can_be_completed_however_old_it_is(store, run, now):
    """It and the run that it takes back stay as they are."""
    undone = run()
    undo = run(UNDO, undone, status="died")
    now.advance(days=500)
    run()
    forget(store, now)
    assert store.runs.find_cut_short().id == undone
    assert whole(store, undone, undo) == [undone, undo]


def test_X3_when_a_pair_was_linked_is_told_as_long_as_it_is_one(store, run, now):
    """The run in which a link was made stays in the list, marked; what it wrote is forgotten."""
    number = run()
    (link_id,) = store.links.begin("contact-contact", Side.SALESFORCE, {"003": Base()}).values()
    store.links.complete("contact-contact", Side.HUBSPOT, [Completion(link_id, "5", None)], number)
    started = store.runs.get(number)["started"]
    now.advance(days=401)
    run()
    forget(store, now)
    linking = store.standing.linking(link_id)
    assert (linking.run, linking.at) == (number, started)
    assert store.runs.find(number).forgotten == now().isoformat()
    assert whole(store, number) == []


def test_T4_the_last_mapping_is_kept(store, run, now):
    """Texts that no run went by any more are forgotten; the last ones stay, however old."""
    run(files={"a.yaml": "1"})
    last = run(files={"a.yaml": "2"})
    now.advance(days=401)
    run()
    forget(store, now)
    assert store.runs.last_mapping() == (last, {"a.yaml": "2"})
    assert count(store, schema.mapping) == 1


def test_F2_what_people_did_by_hand_is_kept(store, run, now):
    """So are their choices, which name it."""
    made = store.links.begin("opportunity-deal", Side.SALESFORCE, {"007": Base()})["007"]
    act = store.runs.note_act("resolve", field="amount")
    store.choices.choose(Choice(made, "amount", Side.HUBSPOT, (5,), {Side.HUBSPOT: (5,)}, act), act)
    now.advance(days=401)
    run()
    forget(store, now)
    assert [one["run"] for one in store.runs.acts()] == [act]
    assert store.choices.of_link(made)[0].run == act


def test_imports_that_are_over_are_forgotten(store, run, now, monkeypatch):
    """With what became of each record; one that is open stays, however old."""
    monkeypatch.setattr(retention, "PORTION", 10)
    over = store.imports.begin({}, {}).id
    store.imports.note(over, [Row("Account", str(one), "made") for one in range(25)])
    store.imports.finish(over)
    open_ = store.imports.begin({}, {}).id
    store.imports.note(open_, [Row("Account", "1", "made")])
    now.advance(days=401)
    assert forget(store, now) == 26
    assert list(store.imports.rows(over)) == []
    assert store.imports.unfinished().id == open_
    assert len(list(store.imports.rows(open_))) == 1


def test_a_store_in_which_all_is_old_keeps_the_last_of_each_kind(store, run, now):
    """So that numbers go on, and a sync knows what the last one went by."""
    run(files={"a.yaml": "1"})
    ended = run()
    last = run(status="died")
    now.advance(days=800)
    forget(store, now)
    assert set(numbers(store)) == {ended - 1, ended, last}
    assert store.runs.begin() == last + 1
