"""How single records stand, what a person chose, and a store of 0.1.0 that knew none of it."""

from __future__ import annotations

from store.conftest import deal

from connector.core.choices import Choice
from connector.core.model import Change, Side
from connector.store.standing import Linking
from connector.store.store import Store

SF, HS = Side.SALESFORCE, Side.HUBSPOT
CHANGE = Change("amount", 1, 2, "F2", "Amount of 006A", conflict=True)


def test_where_an_id_was_seen(store, stranger):
    """On which sides and as what; another connection's records are not there."""
    store.records.observe([deal("7")], {})
    assert store.standing.find("7") == [(HS, "deals")]
    assert store.standing.find("8") == stranger.standing.find("7") == []


def test_how_a_record_stands(store):
    """Due, out of scope, and whom it waits for; of an unknown one, nothing."""
    record = deal("7")
    store.records.observe([record], {})
    store.records.mark_scope(HS, "deals", ["7"], outside=True)
    store.records.wait([(record, ("account-company", HS, "9")), (record, ("account-company", HS, "8"))])
    found = store.standing.of(HS, "deals", "7")
    assert (found.due, found.out_of_scope) == (True, True)
    assert found.waits_for == (("account-company", HS, "8"), ("account-company", HS, "9"))
    assert store.standing.count_due() == {(HS, "deals"): 1}
    assert store.standing.of(HS, "deals", "1") == type(found)(due=False, out_of_scope=False, waits_for=())


def test_since_when_and_by_what_a_pair_is_linked(store, now):
    """The run with its beginning, and the match key; of a link that is not there, nothing."""
    run = store.runs.begin()
    link = store.links.adopt("opportunity-deal", "006A", "7", SF, run, "hand")
    assert store.standing.linking(link) == Linking(run, now().isoformat(), "hand")
    assert store.standing.linking(99) == Linking(None, None, None)


def test_a_choice_is_kept_until_it_is_forgotten(store, stranger):
    """At most one for each field of a link."""
    run = store.runs.begin()
    link = store.links.adopt("opportunity-deal", "006A", "7", SF, run)
    first = Choice(link, "A ↔ a", SF, (1,), {SF: (2,), HS: ("3",)}, run)
    second = Choice(link, "A ↔ a", HS, (None,), {SF: (2,), HS: ("3",)}, run)
    store.choices.choose(first, run)
    assert store.choices.of_pair("opportunity-deal") == store.choices.of_link(link) == [first]
    store.choices.choose(second, run)
    assert store.choices.of_link(link) == [second]
    assert stranger.choices.of_link(link) == store.choices.of_pair("contact-contact") == []
    store.choices.forget([second])
    assert store.choices.of_link(link) == []


def test_conflicts_are_found_without_reading_the_journal_through(store, now):
    """The latest first, those that were written, from a moment on, and no more than asked for."""
    run = store.runs.begin()
    some = [store.journal.intend(run, "update", HS, "deals", [(str(one), None, [CHANGE])])[0] for one in range(3)]
    store.journal.intend(run, "update", HS, "deals", [("9", None, [Change("amount", 1, 2, "F1", "x")])])
    store.journal.conclude({some[0]: (True, "0"), some[1]: (True, "1"), some[2]: (False, "2")})
    assert [one["record_id"] for one in store.journal.conflicts()] == ["1", "0"]
    assert [one["record_id"] for one in store.journal.conflicts(limit=1)] == ["1"]
    now.advance(hours=1)
    assert store.journal.conflicts(since=now().isoformat()) == []


def test_what_is_done_by_hand_has_a_number_and_is_no_run(store):
    """It is listed, and `last` is still the last run."""
    run = store.runs.begin()
    store.runs.finish(run, "ok", {})
    act = store.runs.note_act("unlink", salesforce_id="006A")
    assert store.runs.last()["run"] == run
    assert [one["run"] for one in store.runs.page(10)] == [act, run]
    assert [one["run"] for one in store.runs.page(10, before=act)] == [run]
    assert store.runs.get(act)["report"] == {"run": act, "kind": "unlink", "salesforce_id": "006A"}
    assert [one["run"] for one in store.runs.acts()] == [act]
    assert store.runs.get(99) is None


def test_a_run_under_way_is_known_by_its_lease(store, second, now):
    """Until it expires."""
    with store.runs.lease():
        assert second.runs.is_under_way()
        now.advance(minutes=6)
        assert not second.runs.is_under_way()
        now.advance(minutes=-6)
    assert not second.runs.is_under_way()


OLD = """
INSERT INTO connection (id, name) VALUES (1, 'default');
INSERT INTO run (id, connection_id, started, status) VALUES (1, 1, '2026-03-01T12:00:00+00:00', 'ok');
INSERT INTO link (id, connection_id, pair, salesforce_id, hubspot_id, state, born, base_salesforce, base_hubspot,
    linked_run, derive) VALUES (3, 1, 'opportunity-deal', '006A', '7', 'linked', 'salesforce', '{}', '{}', 1, 0);
INSERT INTO journal (id, connection_id, run_id, at, state, verb, side, object, record_id, link_id, changes)
    VALUES (1, 1, 1, '2026-03-01T12:00:00+00:00', 'done', 'update', 'hubspot', 'deals', '7', 3,
    '[["amount",1,2,"F2","Amount of 006A",true]]'),
    (2, 1, 1, '2026-03-01T12:00:00+00:00', 'done', 'update', 'hubspot', 'deals', '7', 3,
    '[["open",false,true,"F1","Open of 006A",false]]')
"""


def test_F2_a_store_of_an_older_version_knows_its_conflicts(old_store, now):
    """They are found in its journal; by what its pairs were found is not known."""
    store = Store.open(old_store(OLD), "default", now)
    assert [one["number"] for one in store.journal.conflicts()] == [1]
    assert [one["number"] for one in store.journal.of_link(3)] == [1, 2]
    assert store.standing.linking(3) == Linking(1, "2026-03-01T12:00:00+00:00", None)
    assert store.problems.ignored() == {}
    store.close()
