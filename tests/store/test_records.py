"""What is remembered of records, and which of them a run still has to look at."""

from __future__ import annotations

from datetime import timedelta

import pytest
from store.conftest import deal

from connector.core.model import ContactRole, Presence, Problem, ProblemClass, Record, Side

HUB = Side.HUBSPOT, "deals"
ORG = Side.SALESFORCE, "Opportunity"
NONE = frozenset()
"""The labels of an association that has none."""


def observe(store, *seen, **keys):
    return store.records.observe(seen, keys)


def dirty(store, place=HUB):
    return store.records.dirty(*place, "", 1000)


def clean(store, place=HUB):
    store.records.mark(*place, dirty(store, place), dirty=False)


def test_a_new_record_is_dirty(store):
    """What was never seen has to be looked at, and is kept whole."""
    one = deal("1", amount="10", created="c", modified="m", partner_id="006")
    assert observe(store, one) == ["1"]
    assert dirty(store) == ["1"]
    assert store.records.load(*HUB, ["1", "2"]) == {"1": one}


def test_what_was_read_by_its_id_counts_though_it_is_older(store):
    """A search may lag; but a record that went back in time must not stay for ever as it was known."""
    observe(store, deal("1", version="2026-03-02", amount="20"))
    clean(store)
    older = deal("1", version="2026-03-01", amount="10")
    assert observe(store, older) == []
    assert store.records.observe([older], {}, late=False) == ["1"]
    assert (dirty(store), store.records.load(*HUB, ["1"])) == (["1"], {"1": older})


def test_the_same_again_is_nothing_new(store):
    """An observation that was made before, as overlapping looks make it, wakes nobody."""
    observe(store, deal("1", amount="10"))
    clean(store)
    assert observe(store, deal("1", amount="10")) == []
    assert dirty(store) == []


def test_a_new_version_without_a_difference_is_nothing_new(store):
    """A record that was saved without a change is remembered by its new version, and wakes nobody."""
    observe(store, deal("1", "1", amount="10"))
    clean(store)
    assert observe(store, deal("1", "2", amount="10")) == []
    assert (dirty(store), store.records.load_versions(*HUB, ["1"])) == ([], {"1": "2"})


@pytest.mark.parametrize("change", [{"amount": "11"}, {"partner_id": "007"}, {"amount": None}, {"stage": "new"}])
def test_a_difference_makes_dirty(store, change):
    """Another value, a value cleared, a field never seen before, another partner: all are to be looked at."""
    observe(store, deal("1", "1", amount="10", partner_id="006"))
    clean(store)
    assert observe(store, deal("1", "2", **{"amount": "10", "partner_id": "006"} | change)) == ["1"]
    assert dirty(store) == ["1"]


def test_dirty_stays_until_dealt_with(store):
    """A later observation without a difference forgets no trigger."""
    observe(store, deal("1", "1", amount="10"))
    observe(store, deal("1", "2", amount="10"))
    assert dirty(store) == ["1"]


def test_fields_that_lack_keep_their_value(store):
    """An observation that knows less does not forget what was known."""
    observe(store, deal("1", "1", amount="10", company="c1"))
    observe(store, deal("1", "2", amount="11"))
    assert store.records.load(*HUB, ["1"])["1"].fields == {"amount": "11", "company": "c1"}


def test_values_keep_their_kind(store):
    """Text, numbers, booleans and blanks come back as they were."""
    values = {
        "text": 'quote " and 漢',
        "whole": 7,
        "part": 0.1,
        "yes": True,
        "no": False,
        "blank": None,
        "empty": "",
    }
    observe(store, deal("1", **values))
    found = store.records.load(*HUB, ["1"])["1"].fields
    assert {name: (value, type(value)) for name, value in found.items()} == {
        name: (value, type(value)) for name, value in values.items()
    }


def test_the_last_of_several_observations_counts(store):
    """One look may show a record twice."""
    observe(store, deal("1", "1", amount="10"), deal("1", "2", amount="20"))
    assert store.records.load(*HUB, ["1"])["1"].fields == {"amount": "20"}


def test_a_deletion_is_dirty_and_keeps_what_was_known(store):
    """A record that is gone is told by its presence alone."""
    observe(store, deal("1", "5", amount="10", partner_id="006"), **{"1": [("email", "key")]})
    clean(store)
    assert observe(store, deal("1", "", presence=Presence.DELETED)) == ["1"]
    found = store.records.load(*HUB, ["1"])["1"]
    assert (found.presence, found.version, found.partner_id) == (Presence.DELETED, "5", "006")
    assert found.fields == {"amount": "10"}
    clean(store)
    assert observe(store, deal("1", "", presence=Presence.DELETED)) == []
    assert (dirty(store), store.records.count(*HUB)) == ([], 0)


def test_another_reason_for_absence_is_news(store):
    """What was out of sight and is deleted now, or merged, has to be looked at."""
    observe(store, deal("1"))
    for presence in (Presence.INVISIBLE, Presence.DELETED, Presence.MERGED):
        clean(store)
        assert observe(store, deal("1", "", presence=presence)) == ["1"]
        assert dirty(store) == ["1"]


def test_who_is_absent_is_told_with_the_reason(store):
    """Of those asked for that are known; who is there, or was never seen, is not among them."""
    observe(store, deal("1"), deal("2"), deal("3"))
    observe(store, deal("2", "", presence=Presence.MERGED), deal("3", "", presence=Presence.DELETED))
    assert store.records.absent(*HUB, ["1", "2", "4"]) == {"2": Presence.MERGED}


def test_a_restored_record_is_dirty(store):
    """What was gone and is back has to be looked at."""
    observe(store, deal("1", "1", amount="10"))
    observe(store, deal("1", "", presence=Presence.DELETED))
    clean(store)
    assert observe(store, deal("1", "2", amount="10")) == ["1"]
    assert store.records.load(*HUB, ["1"])["1"].present


def test_strangers_that_are_gone_are_forgotten(store):
    """Of an unknown record that is gone nothing is kept, unless it names a partner."""
    gone = deal("1", "", presence=Presence.DELETED)
    named = deal("2", "", presence=Presence.DELETED, partner_id="006")
    assert observe(store, gone, named) == []
    assert set(store.records.load(*HUB, ["1", "2"])) == {"2"}
    assert dirty(store) == []
    assert store.records.naming(*HUB, ["006"])["006"][0].presence is Presence.DELETED


def test_nothing_seen(store):
    """A page without records is no work."""
    assert observe(store) == []


def test_dirty_records_come_in_windows(store):
    """A run walks through dirty records by id, and can go on anywhere."""
    observe(store, *(deal(f"{number:03}") for number in range(25)))
    seen, after = [], ""
    while some := store.records.dirty(*HUB, after, 10):
        assert len(some) <= 10
        seen += some
        after = some[-1]
    assert seen == [f"{number:03}" for number in range(25)]


def test_dirty_is_counted_over_all_objects(store):
    """The number of records to do is over both sides."""
    observe(store, deal("1"), deal("2"))
    observe(store, deal("006", side=Side.SALESFORCE))
    assert store.records.count_dirty() == 3
    store.records.clear_all(*HUB)
    assert store.records.count_dirty() == 1


def test_more_ids_than_one_statement_takes(store):
    """Thousands of ids go in pieces."""
    ids = [str(number) for number in range(1234)]
    observe(store, *(deal(id_) for id_ in ids))
    assert set(store.records.load(*HUB, ids)) == set(ids)
    store.records.mark(*HUB, ids, dirty=False)
    assert (dirty(store), store.records.count(*HUB)) == ([], 1234)
    store.records.mark(*HUB, ids)
    assert store.records.count_dirty() == 1234


def test_own_writes_are_not_news(store):
    """What we have written is put over what was seen, and the same values seen again wake nobody."""
    observe(store, deal("1", "1", amount="10", name="x"))
    clean(store)
    store.records.overwrite(*HUB, {"1": {"amount": "20"}, "unknown": {"amount": "1"}})
    assert store.records.load(*HUB, ["1", "unknown"])["1"].fields == {"amount": "20", "name": "x"}
    assert observe(store, deal("1", "2", amount="20", name="x")) == []
    assert dirty(store) == []


def test_own_deletions_are_not_news(store):
    """What we have deleted ourselves is gone and needs no look."""
    observe(store, deal("1"))
    store.records.mark_gone(*HUB, ["1"])
    assert observe(store, deal("1", "", presence=Presence.DELETED)) == []
    assert (dirty(store), store.records.count(*HUB)) == ([], 0)


def test_partners_are_noted(store):
    """A record is found by the partner that it names, also by the one we have just written."""
    observe(store, deal("1", partner_id="006A"), deal("2", partner_id="006A"), deal("3"))
    store.records.set_partner(*HUB, {"3": "006B"})
    found = store.records.naming(*HUB, ["006A", "006B", "006C"])
    assert {name: sorted(one.id for one in some) for name, some in found.items()} == {
        "006A": ["1", "2"],
        "006B": ["3"],
    }
    assert all(isinstance(one, Record) for some in found.values() for one in some)


def test_match_keys(store):
    """Present records are found by match key; a record that is gone is no match any more."""
    mine, further, other = ("email", "a@x"), ("email", "b@x"), ("name", "a@x")
    observe(store, deal("1"), deal("2"), deal("3"), **{"1": [mine, further], "2": [mine], "3": [other]})
    observe(store, deal("2", "", presence=Presence.DELETED))
    found = store.records.with_keys(*HUB, [mine, further, ("email", "c@x")])
    assert {key: [one.id for one in some] for key, some in found.items()} == {mine: ["1"], further: ["1"]}
    assert store.records.keys_of(*HUB, ["1", "3"]) == {"1": (mine, further), "3": (other,)}
    observe(store, deal("1", "2", name="new"), **{"1": [further, ("email", "c@x")]})
    assert store.records.keys_of(*HUB, ["1"]) == {"1": (further, ("email", "c@x"))}
    store.records.set_keys(*HUB, {"1": [mine], "3": []})
    assert store.records.keys_of(*HUB, ["1", "3"]) == {"1": (mine,)}


def test_merged_records_name_their_survivors(store):
    """Also those that were never seen: what names them is found by it. Those still to be followed are dirty."""
    observe(store, deal("1"), deal("2"))
    gone = [deal(id_, "5", presence=Presence.MERGED, survivor="2") for id_ in ("1", "9")]
    observe(store, *gone)
    assert [(one.id, one.survivor) for one in store.records.merged(*HUB)] == [("1", "2")]
    assert store.records.absorbed(*HUB, ["2"]) == {"1": "2", "9": "2"}
    clean(store)
    observe(store, *gone)
    assert store.records.merged(*HUB) == []
    observe(store, deal("1", "6", presence=Presence.MERGED, survivor="3"))
    assert [one.survivor for one in store.records.merged(*HUB)] == ["3"]


def test_records_are_paged_by_id(store):
    """Present ones only."""
    observe(store, deal("1"), deal("2"), deal("3"))
    observe(store, deal("2", "", presence=Presence.DELETED))
    assert [one.id for one in store.records.page(*HUB, "", 1)] == ["1"]
    assert [one.id for one in store.records.page(*HUB, "1", 5)] == ["3"]


def test_due_problems_make_dirty(store, now):
    """A record whose next try is due is looked at again; one that waits for a change is not."""
    observe(store, deal("1"), deal("2"))
    clean(store)
    for id_, retry in (("1", True), ("2", False)):
        store.problems.note([Problem(*HUB, id_, ProblemClass.CONNECTION, "X", "y")], retry=retry)
    store.records.mark_due((now() + timedelta(minutes=14, seconds=59)).isoformat())
    assert dirty(store) == []
    store.records.mark_due((now() + timedelta(minutes=15)).isoformat())
    assert dirty(store) == ["1"]


def test_E2_what_a_clock_noted_that_was_ahead_is_looked_at_once_that_is_set_right(store, now):
    """Its next try is as wrong as that clock was; one that waits for a change still does."""
    observe(store, deal("1"), deal("2"))
    clean(store)
    for id_, retry in (("1", True), ("2", False)):
        store.problems.note([Problem(*HUB, id_, ProblemClass.CONNECTION, "X", "y")], retry=retry)
    store.records.mark_due((now() - timedelta(days=365)).isoformat())
    assert dirty(store) == ["1"]


# --- roles and associations ---


def test_roles_come_move_and_go(store):
    """The opportunities whose roles differ are told, and only those."""
    observe_roles = store.records.observe_roles
    first, second, third = ContactRole("o1", "c1"), ContactRole("o1", "c2", "User"), ContactRole("o2", "c1")
    assert observe_roles({"r1": first, "r2": second, "r3": third}, []) == {"o1", "o2"}
    assert observe_roles({"r1": first}, ["unknown"]) == set()
    assert observe_roles({"r2": second._replace(name="Evaluator", primary=True)}, []) == {"o1"}
    named = ContactRole("o1", "c2", "Evaluator", primary=True)
    assert store.records.roles_of(["o1", "o2", "o3"]) == {"o1": {"r1": first, "r2": named}, "o2": {"r3": third}}
    assert observe_roles({}, ["r3"]) == {"o2"}
    assert observe_roles({}, ["r3"]) == set()
    assert store.records.roles_of(["o2"]) == {}


def test_associations_differ_or_not(store):
    """The deals whose contacts differ are told; what is added by hand is known afterwards."""
    look = store.records.observe_associations
    assert look("deals", {"d1": {"c1": NONE, "c2": NONE}, "d2": {}}, 1) == {"d1"}
    assert look("deals", {"d1": {"c2": NONE, "c1": NONE}, "d2": {}}, 2) == set()
    store.records.add_associations({"d2": {"c9": NONE}, "d1": {"c1": NONE}})
    known = store.records.associated_contacts(["d1", "d2", "d3"])
    assert known == {"d1": {"c1": NONE, "c2": NONE}, "d2": {"c9": NONE}}
    assert [store.records.deals_of(some) for some in (["c2"], ["c1", "c9"], ["c5"])] == [
        {"d1"},
        {"d1", "d2"},
        set(),
    ]
    assert look("deals", {"d1": {"c1": NONE}, "d2": {"c9": NONE}}, 3) == {"d1"}
    assert look("deals", {"d1": {}}, 4) == {"d1"}
    assert store.records.associated_contacts(["d1"]) == {}


def test_labels_of_associations_differ_or_not(store):
    """Other labels are news of the deal; labels that were never read are none that are known."""
    look = store.records.observe_associations
    store.records.add_associations({"d1": {"c1": None, "c2": NONE}})
    assert store.records.associated_contacts(["d1"]) == {"d1": {"c1": None, "c2": NONE}}
    assert look("deals", {"d1": {"c1": frozenset({7, 5}), "c2": NONE}}, 1) == {"d1"}
    assert look("deals", {"d1": {"c1": frozenset({5, 7}), "c2": NONE}}, 2) == set()
    store.records.add_associations({"d1": {"c1": frozenset({9})}})
    assert store.records.associated_contacts(["d1"])["d1"]["c1"] == {9}


def test_associations_that_we_removed_are_known_to_be_gone(store):
    """Those of these deals and contacts, and no others."""
    store.records.add_associations({"d1": {"c1": NONE, "c2": NONE}, "d2": {"c1": NONE}})
    store.records.remove_associations([("d1", "c1"), ("d2", "c2")])
    assert store.records.associated_contacts(["d1", "d2"]) == {"d1": {"c2": NONE}, "d2": {"c1": NONE}}


def test_deals_are_read_in_turn(store):
    """Linked deals that were never read come first, then those read longest ago; others not at all."""
    observe(store, *(deal(id_) for id_ in ("1", "2", "3", "unlinked", "gone")))
    for number, id_ in enumerate(("1", "2", "3", "gone")):
        store.links.adopt("deals", f"006{number}", id_, Side.SALESFORCE, 1)
    observe(store, deal("gone", "", presence=Presence.DELETED))
    store.records.observe_associations("deals", {"1": {}}, 8)
    store.records.observe_associations("deals", {"2": {"c": NONE}}, 7)
    assert store.records.longest_unread("deals", 10) == ["3", "2", "1"]
    assert store.records.longest_unread("deals", 2) == ["3", "2"]
    assert store.records.associations_known(["1", "2", "3"]) == {"1", "2"}


# --- waiting ---


def test_waiting_and_waking(store):
    """A record that waits is dirty again when what it needs has come, whichever of several it is."""
    first, second = deal("1"), deal("2")
    observe(store, first, second)
    clean(store)
    needs = ("contacts", Side.SALESFORCE, "003")
    store.records.wait([(first, needs), (first, ("contacts", Side.SALESFORCE, "004")), (second, needs)])
    store.records.wait([(first, needs)])  # again, as every run says it
    assert store.records.count_waiting() == 3
    store.records.wake("contacts", [(Side.HUBSPOT, "003"), (Side.SALESFORCE, "999")])
    store.records.wake("companies", [(Side.SALESFORCE, "003")])
    assert dirty(store) == []
    store.records.wake("contacts", [(Side.SALESFORCE, "003")])
    assert (dirty(store), store.records.count_waiting()) == (["1", "2"], 1)


def test_waiting_can_be_given_up(store):
    """What is planned anew says anew what it waits for."""
    one = deal("1")
    observe(store, one)
    clean(store)
    store.records.wait([(one, ("contacts", Side.SALESFORCE, "003"))])
    store.records.stop_waiting([one, deal("2")])
    store.records.wake("contacts", [(Side.SALESFORCE, "003")])
    assert (dirty(store), store.records.count_waiting()) == ([], 0)


def test_connections_do_not_mix(store, stranger):
    """Everything is of one connection: another one in the same store sees and touches nothing."""
    observe(store, deal("1", amount="10", partner_id="006"), **{"1": [("email", "key")]})
    store.records.observe_roles({"r1": ContactRole("o1", "c1")}, [])
    store.records.observe_associations("deals", {"1": {"c1": NONE}}, 1)
    store.records.wait([(deal("1"), ("contacts", Side.SALESFORCE, "003"))])
    other = stranger.records
    assert other.load(*HUB, ["1"]) == {}
    assert other.naming(*HUB, ["006"]) == {}
    assert other.with_keys(*HUB, [("email", "key")]) == {}
    assert (other.roles_of(["o1"]), other.associated_contacts(["1"])) == ({}, {})
    assert (other.count_dirty(), other.count_waiting(), other.count(*HUB)) == (0, 0, 0)
    assert other.observe([deal("1", amount="99")], {}) == ["1"]
    other.observe_roles({}, ["r1"])
    other.clear_all(*HUB)
    other.wake("contacts", [(Side.SALESFORCE, "003")])
    other.stop_waiting([deal("1")])
    assert store.records.load(*HUB, ["1"])["1"].fields == {"amount": "10"}
    assert store.records.roles_of(["o1"]) == {"o1": {"r1": ContactRole("o1", "c1")}}
    assert (store.records.count_dirty(), store.records.count_waiting()) == (1, 1)


def test_everything_outlives_the_process(store, second):
    """What was committed is there for the next run."""
    observe(store, deal("1", amount="10"), **{"1": [("email", "key")]})
    store.records.observe_roles({"r1": ContactRole("o1", "c1")}, [])
    assert second.records.load(*HUB, ["1"])["1"].fields == {"amount": "10"}
    assert second.records.dirty(*HUB, "", 5) == ["1"]
    assert second.records.roles_of(["o1"]) == {"o1": {"r1": ContactRole("o1", "c1")}}
