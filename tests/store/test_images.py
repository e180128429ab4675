"""How links and edges were before a run, and what is held since it was undone (X2)."""

from __future__ import annotations

from connector.core.lifecycle import Status
from connector.core.model import Base, LinkState, Side
from connector.store.holds import Place
from connector.store.links import ROLE, Completion

ORG, HUB = Side.SALESFORCE, Side.HUBSPOT
FIRST, SECOND = Base({"Name": "a"}, {"dealname": "a"}), Base({"Name": "b"}, {"dealname": "b"})
PLACE = Place("update", HUB, "deals", "1")


def linked(store, run, source="006A", partner="1", pair="deals"):
    link = store.links.begin(pair, ORG, {source: FIRST})[source]
    store.links.complete(pair, HUB, [Completion(link, partner, FIRST)], run)
    return link


def test_X2_a_link_that_a_run_made_was_nothing_before(store):
    """Its image is empty, however often the run changes it; put back, it is nothing, and nobody gets its number."""
    run = store.runs.begin()
    link = linked(store, run)
    store.links.settle({link: SECOND})
    store.runs.finish(run, "ok", {})
    (past,) = store.images.links_of(run).values()
    assert past.before is None
    assert past.now == past.after
    assert past.now["base_hubspot"] == {"dealname": "b"}
    store.images.put_link(link, None)
    assert store.links.count_by_state() == {}
    assert store.links.by_ids("deals", ORG, ["006A"]) == {}
    assert store.links.begin("deals", ORG, {"006B": FIRST})["006B"] != link


def test_X2_images_are_as_the_next_run_found_things(store):
    """Of three states a run's image is the first, and the next run's what it left."""
    made = store.runs.begin()
    link = linked(store, made)
    first = store.runs.begin()
    store.links.settle({link: SECOND})
    second = store.runs.begin()
    store.links.end(link, LinkState.SEVERED)
    store.runs.finish(second, "ok", {})
    past = store.images.links_of(first)[link]
    assert [row["base_salesforce"] for row in (past.before, past.after, past.now)] == [
        {"Name": "a"}, {"Name": "b"}, {"Name": "b"},
    ]  # fmt: skip
    assert [row["state"] for row in (past.before, past.after, past.now)] == ["linked", "linked", "severed"]
    store.images.put_link(link, past.before)
    assert store.links.load([link])[link].base == FIRST


def test_X2_edges_have_images_too(store):
    """Made, changed and removed ones; put back as they were."""
    made = store.runs.begin()
    deal, person = linked(store, made), linked(store, made, "003A", "5", "contacts")
    store.links.join(ROLE, [(deal, person)], with_creation=True)
    run = store.runs.begin()
    store.links.apply(ROLE, {person: {deal: Status.WON}})
    store.links.part(ROLE, [(deal, person)])
    store.runs.finish(run, "ok", {})
    ((key, past),) = store.images.edges_of(run).items()
    assert (key, past.before["applied"], past.now) == ((ROLE, deal, person), None, None)
    assert store.images.edges_of(made)[key].before is None
    store.images.put_edge(key, past.before)
    assert [one.contact.id for one in store.links.agreed_roles([deal])[deal]] == [person]
    store.images.put_edge(key, None)
    assert store.images.edges_at(deal) == []


def test_X2_what_happens_outside_a_run_has_no_image(store):
    """Nor does what a plan only pretends."""
    link = store.links.begin("deals", ORG, {"006A": FIRST})["006A"]
    with store.pretending():
        run = store.runs.begin()
        store.links.settle({link: SECOND})
    assert store.images.links_of(run) == {}


def test_X2_roles_stand_between_the_new_records_of_a_link(store):
    """A deal that was made anew is still the one whose contacts were agreed on."""
    run = store.runs.begin()
    deal, person = linked(store, run), linked(store, run, "003A", "5", "contacts")
    store.links.join(ROLE, [(deal, person)], with_creation=False)
    store.links.complete("deals", HUB, [Completion(deal, "2", FIRST)], run)
    (before,) = store.links.agreed_roles([deal])[deal]
    assert not before.is_between(store.links.load([deal])[deal])
    store.links.rename_ends([deal])
    (after,) = store.links.agreed_roles([deal])[deal]
    assert after.is_between(store.links.load([deal])[deal])


def test_A7_roles_stand_between_the_survivors_of_a_merge(store):
    """What was agreed with a merged contact is agreed with whom it was merged into, and with nobody else."""
    run = store.runs.begin()
    deal, person, other = (
        linked(store, run),
        linked(store, run, "003A", "5", "contacts"),
        linked(store, run, "003B", "6", "contacts"),
    )
    store.links.join(ROLE, [(deal, person), (deal, other)], with_creation=False)
    store.links.complete("contacts", HUB, [Completion(other, "7", FIRST)], run)  # not a merge: another partner
    for one, survivor in ((person, "8"), (other, "9")):
        store.links.repoint("contacts", HUB, one, survivor)
    roles = {one.contact.id: one for one in store.links.agreed_roles([deal])[deal]}
    now = store.links.load([deal])[deal]
    assert (roles[person].is_between(now), roles[other].is_between(now)) == (True, False)


def test_X2_holds_are_by_run_and_place(store):
    """Several values may be held at one place; each run's are let go by themselves."""
    first, second = store.runs.begin(), store.runs.begin()
    store.holds.hold(first, {PLACE: {"amount": "1", "dealname": None}})
    store.holds.hold(first, {PLACE: {"amount": "2"}})
    store.holds.hold(second, {PLACE: {"amount": "3"}, Place("delete", HUB, "deals", "9"): {"": None}})
    assert {name: sorted(map(str, some)) for name, some in store.holds.at(PLACE).items()} == {
        "amount": ["1", "2", "3"], "dealname": ["None"],
    }  # fmt: skip
    assert store.holds.count() == {first: 1, second: 2}
    assert [(one["run"], one["verb"], one["values"]) for one in store.holds.of_record(HUB, "deals", ["9"])] == [
        (second, "delete", [None])
    ]
    store.holds.lift(second)
    assert store.holds.count() == {first: 1}
    store.holds.end(PLACE, ["amount"])
    assert store.holds.at(PLACE) == {"dealname": [None]}
    store.holds.end(PLACE)
    assert store.holds.count() == {}


def test_X2_an_undo_that_was_cut_short_is_known_until_it_is_completed_or_given_up(store):
    """By the run that it takes back."""
    run = store.runs.begin()
    store.runs.finish(run, "ok", {"made": ["a"]})
    assert store.runs.find_cut_short() is None
    store.runs.begin("undo", run)
    assert store.runs.find_cut_short() == store.runs.find(run)
    again = store.runs.begin("undo", run)
    store.runs.finish(again, "ok", {})
    assert store.runs.find_cut_short() is None
    assert [one.is_undo for one in store.runs.undoing(run)] == [True, True]
    store.runs.begin("undo", again)
    store.runs.give_up(again)
    assert store.runs.find_cut_short() is None
    assert store.runs.find(99) is None


def test_X2_a_lost_answer_is_claimed_for_its_entry(store):
    """Of several tries the last one that was never concluded."""
    run = store.runs.begin()
    first, second = store.journal.intend(run, "create", HUB, "deals", [(None, 7, []), (None, 7, [])])
    store.journal.conclude({first: (False, None)})
    assert store.journal.prove_created(run, HUB, "deals", ["1"]) == []
    store.journal.claim(7, HUB, "1")
    (proof,) = store.journal.prove_created(run, HUB, "deals", ["1", "2"])
    assert (proof.id, proof.entry) == ("1", second)
    assert store.journal.prove_created(run + 1, HUB, "deals", ["1"]) == []
