"""G3: what the store keeps of former values of personal fields, in a file, in memory and on PostgreSQL alike."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from connector.core.hiding import Hidden
from connector.core.model import Base, Change, FieldRule, Pair, Rule, Side
from connector.mapping.transforms import Text
from connector.store.holds import Place
from connector.store.schema import metadata
from connector.store.store import Store

HS, SF = Side.HUBSPOT, Side.SALESFORCE
NAME, PHONE = FieldRule(("Name",), ("name",), Rule.TWO_WAY, Text()), ("Phone",)
FIRST, SECOND = "555-0100", "555-0200"
PLACE = Place("update", HS, "contacts", "7")


def pair(*, personal):
    phone = FieldRule(PHONE, ("phone",), Rule.TWO_WAY, Text(), personal=personal)
    return Pair("contact-contact", "Contact", "contacts", (NAME, phone), creates=frozenset())


def keep(store):
    """A former value wherever one is kept: in the journal, in the image of a link, and in what an undo holds."""
    run = store.runs.begin()
    link = store.links.adopt("contact-contact", "003A", "7", SF, run)
    store.links.settle({link: Base({"Phone": FIRST}, {"phone": FIRST, "name": "Fox"})})
    store.journal.intend(run, "update", HS, "contacts", [("7", link, [Change("phone", FIRST, None, "U", "Phone")])])
    store.holds.hold(run, {PLACE: {"phone": FIRST, "name": "Fox"}})
    later = store.runs.begin()
    store.links.settle({link: Base({"Phone": SECOND}, {"phone": SECOND})})
    return run, link, later


def kept(store):
    """All rows as text."""
    return repr([[tuple(row) for row in store._database.fetch(select(table))] for table in metadata.sorted_tables])


def check(store, run, link, later):
    (entry,) = store.journal.of_run(run)
    assert isinstance(entry["changes"][0]["old"], Hidden)
    assert entry["changes"][0]["old"] == FIRST
    assert entry["changes"][0]["new"] is None
    assert store.holds.at(PLACE) == {"phone": [FIRST], "name": ["Fox"]}
    past = store.images.links_of(later)[link]
    assert past.before["base_hubspot"] == {"phone": FIRST, "name": "Fox"}
    assert isinstance(past.before["base_salesforce"]["Phone"], Hidden)
    assert past.now["base_hubspot"]["phone"] == SECOND
    assert FIRST not in kept(store)


@pytest.mark.parametrize(("there", "state"), [(SECOND, "done"), (FIRST, "intended")])
def test_G3_F2_a_write_of_a_personal_value_is_confirmed_by_what_is_there(store, there, state):
    """Its answer was lost; that it is there is told by the hash."""
    store.hide([pair(personal=True)])
    run, change = store.runs.begin(), Change("phone", FIRST, SECOND, "F2", "Phone", conflict=True)
    store.journal.intend(run, "update", HS, "contacts", [("7", 1, [change])])
    store.journal.confirm({1: {SF: {}, HS: {"phone": there}}})
    (entry,) = store.journal.of_run(run)
    assert entry["state"] == state


def test_G3_former_values_are_kept_as_hashes(store, second):
    """Everywhere; another process, and one that does not know the mapping, can tell them to be equal."""
    store.hide([pair(personal=True)])
    found = keep(store)
    check(store, *found)
    check(second, *found)


def test_G3_what_was_kept_in_clear_text_is_hidden_once(store):
    """Three rows are changed, and none the second time."""
    store.hide([pair(personal=False)])
    found = keep(store)
    assert FIRST in kept(store)
    store.hide([pair(personal=True)])
    rooms = (store.journal, store.images, store.holds)
    assert sum(sum(room.hide_former()) for room in rooms) == 3
    check(store, *found)
    assert sum(sum(room.hide_former()) for room in rooms) == 0


def test_G3_a_base_goes_back_as_far_as_it_is_known(store):
    """A hidden value that the link still has is kept, one that nothing has is as if it was never agreed."""
    store.hide([pair(personal=True)])
    _, link, later = keep(store)
    past = store.images.links_of(later)[link]
    store.images.put_link(link, past.before)
    assert store.links.load([link])[link].base == Base({}, {"name": "Fox"})
    store.links.settle({link: Base({"Phone": FIRST}, {"phone": FIRST})})
    store.images.put_link(link, past.before)
    assert store.links.load([link])[link].base == Base({"Phone": FIRST}, {"phone": FIRST, "name": "Fox"})


def test_G3_each_connection_has_a_key_of_its_own(store, stranger, now):
    """Which is made once, and not at all while nothing is hidden."""
    assert store._database.key is None
    store.hide([pair(personal=False)])
    assert store._database.key is None
    store.hide([pair(personal=True)])
    stranger.hide([pair(personal=True)])
    key = store._database.key
    assert key
    assert stranger._database.key != key
    again = Store(store._engine, "default", now)
    again.hide([pair(personal=True)])
    assert again._database.key == key


@pytest.mark.parametrize("text", ["hidden:0123456789abcdef", '{"hidden":"x"}'])
def test_G3_a_text_that_looks_hidden_is_a_text(store, text):
    """Whatever somebody types is kept as it is."""
    store.hide([pair(personal=True)])
    run = store.runs.begin()
    store.journal.intend(run, "update", HS, "contacts", [("7", None, [Change("name", None, text, "U", "Name")])])
    (entry,) = store.journal.of_run(run)
    assert entry["changes"][0]["new"] == text
    assert not isinstance(entry["changes"][0]["new"], Hidden)
