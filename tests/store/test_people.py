"""A person in the store: found by every form of the address, and gone from every table and from the files."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from connector.core.choices import Choice
from connector.core.model import Base, Change, ContactRole, Problem, ProblemClass, Record, Side
from connector.core.naming import CONTACT, LABELS
from connector.store.holds import Place
from connector.store.imports import Row
from connector.store.links import ROLE
from connector.store.schema import metadata
from connector.store.store import Store

SF, HS = Side.SALESFORCE, Side.HUBSPOT
PAIR, OBJECTS = "contact-contact", {SF: "Contact", HS: "contacts"}
ADDRESS = "ada@acme.example"


def contact(side, id_, partner=None, **fields):
    return Record(side, OBJECTS[side], id_, "1", fields, partner_id=partner)


def find(store, email=ADDRESS, ids=()):
    return store.people.find(PAIR, OBJECTS, email=email, ids=ids)


def fill(store):
    """Something about one person, and about another, in every table that can have it."""
    run = store.runs.begin()
    people = {"003A": ("501", "Ada", "Lovelace", ADDRESS), "003B": ("502", "Grace", "Hopper", "g@acme.example")}
    links = {}
    for number, (here, (there, first, last, email)) in enumerate(people.items()):
        values = {"FirstName": first, "LastName": last, "Email": email}
        theirs = {"firstname": first, "lastname": last, "email": email}
        for one in (contact(SF, here, **values), contact(HS, there, here, **theirs)):
            store.records.observe([one], {one.id: [("email", email)]})
        links[here] = store.links.adopt(PAIR, here, there, SF, run)
        deal = store.links.adopt("opportunity-deal", f"006{number}", f"9{number}", SF, run)
        store.runs.begin()  # so that what follows keeps images
        store.links.settle({links[here]: Base(values, theirs)})
        store.links.join(ROLE, [(deal, links[here])], with_creation=True)
        store.records.observe_roles({f"00K{number}": ContactRole(f"006{number}", here, "Buyer")}, ())
        store.records.add_associations({f"9{number}": {there: frozenset({7})}})
        store.records.wait([(contact(SF, here), ("account-company", SF, "001"))])
        store.records.wait([(Record(SF, "Opportunity", "0069", "1", {}), (PAIR, SF, here))])
        store.problems.note(
            [Problem(HS, "contacts", there, ProblemClass.PROPERTY_VALUES, "X", f"{email} is odd")], retry=True
        )
        store.choices.choose(
            Choice(links[here], "Email ↔ email", SF, (email,), {SF: (email,), HS: ("",)}, run), run
        )
        store.holds.hold(
            run,
            {
                Place("update", HS, "contacts", there): {"email": email},
                Place("create", HS, "contacts", here): {"email": email},
                Place("connect", HS, "deals", f"9{number}/{there}"): {CONTACT: there},
            },
        )
        store.journal.intend(
            run, "update", HS, "contacts", [(there, links[here], [Change("email", None, email, "U", "Email")])]
        )
        store.journal.intend(
            run, "connect", HS, "deals", [(f"9{number}", deal, [Change(CONTACT, None, there, "R1", "a role")])]
        )
        task = store.imports.begin({"what": "contacts", "where": f"Email = '{email}'"}, {})
        store.imports.note(
            task.id, [Row("Contact", here, "made", "email", there), Row("contacts", "7", "made", "", there)]
        )
        store.imports.note(
            task.id, [Row("Contact", f"line {number}", "failed", "", None, f"{email} is odd", "f" * 8)]
        )
        store.imports.finish(task.id)
        store.runs.finish(store.runs.begin(), "ok", {"notes": [f"{first} {last} waits"]})
    return run, links


def dump_all(store):
    """Every row of every table as text."""
    return {
        table.name: [repr(tuple(row)) for row in store._database.fetch(select(table))]
        for table in metadata.sorted_tables
    }


def test_G1_every_table_loses_the_person_and_nobody_else(store):
    """What a store without the person would look like is what is left; the other's rows are as they were."""
    fill(store)
    before = dump_all(store)
    removed = store.people.forget(find(store))
    after = dump_all(store)
    said = "\n".join(line for some in after.values() for line in some)
    for trace in (ADDRESS, "Lovelace", "003A", "'501'", '"501"', "/501"):
        assert trace not in said, trace
    for name, rows in before.items():
        others = [row for row in rows if "Hopper" in row or "g@acme" in row or "003B" in row]
        assert [row for row in others if row not in after[name]] == [], name
    assert removed == {
        "journal": 2, "image": 3, "held": 3, "choice": 1, "edge": 1, "link": 1, "role": 1, "association": 1,
        "waiting": 2, "problem": 1, "record_key": 2, "record": 2, "import_row": 2, "text": 3,
    }  # fmt: skip


def test_G1_another_connection_in_the_same_store_keeps_its_person(store, stranger):
    """Only the connection that was asked forgets."""
    fill(stranger)
    before = {side: stranger.records.load(side, OBJECTS[side], ["003A", "501"]) for side in Side}
    assert not find(store).every_id
    store.people.forget(find(store))
    assert {side: stranger.records.load(side, OBJECTS[side], ["003A", "501"]) for side in Side} == before


@pytest.mark.parametrize(
    ("values", "is_found"),
    [
        ({"email": "ADA@Acme.Example"}, True),
        ({"email": "other@acme.example", "hs_additional_emails": f"x@y.example;{ADDRESS}"}, True),
        ({"email": None, "work_mail__c": f" {ADDRESS} "}, True),
        ({"email": f"x{ADDRESS}"}, False),
        ({"email": f"{ADDRESS}.au"}, False),
        ({"email": "other@acme.example", "notes": f"ask {ADDRESS} first"}, False),
    ],
)
def test_G1_an_address_is_found_in_every_form(store, values, is_found):
    """Capitals, further addresses and fields of one's own; not a longer address, nor a text that mentions it."""
    store.records.observe([contact(HS, "7", **values)], {})
    assert find(store).ids[HS] == (frozenset({"7"}) if is_found else frozenset())


def test_G1_partners_and_merged_records_are_the_same_person(store):
    """By links, by stored ids, and by who was merged into whom."""
    store.records.observe([contact(SF, "003A", Email=ADDRESS)], {})
    store.records.observe([contact(HS, "1", "003A"), contact(HS, "2", "003C")], {})
    run = store.runs.begin()
    store.links.adopt(PAIR, "003A", "3", SF, run)
    store.records.observe([contact(HS, "3", email="old@acme.example")], {})
    merged = Record(HS, "contacts", "4", "1", {}, survivor="3")
    store.records.observe([merged], {})
    person = find(store)
    assert person.ids == {SF: frozenset({"003A"}), HS: frozenset({"1", "3", "4"})}
    assert "old@acme.example" in person.words


def test_G1_names_beyond_ascii_are_covered_whatever_their_case(store):
    """SQLite knows no capitals beyond ASCII; the name goes all the same, and a longer one stays."""
    store.records.observe([contact(HS, "7", firstname="Ülkü", lastname="Çelik", email=ADDRESS)], {})
    run = store.runs.begin()
    store.runs.finish(run, "ok", {"notes": ["ÜLKÜ ÇELIK waits", "Ülkü Çelikkan waits", "Çelik, Ülkü waits"]})
    store.people.forget(find(store))
    found = store.runs.get(run)
    assert found["report"]["notes"] == ["[forgotten] waits", "Ülkü Çelikkan waits", "[forgotten] waits"]


def test_G1_a_deals_entry_keeps_all_but_the_contact(store):
    """A deal's creation loses the person with the labels that they had, and keeps values and other contacts."""
    fill(store)
    run = store.runs.begin()
    changes = [
        Change("dealname", None, "Big", "O1", "Name"),
        Change(CONTACT, None, "501", "R1", "a role"),
        Change(LABELS, None, "7", "R4", "a role"),
        Change(CONTACT, None, "502", "R1", "a role"),
        Change(LABELS, None, "8", "R4", "a role"),
        Change("amount", None, 501, "O1", "Amount"),
    ]
    store.journal.intend(run, "create", HS, "deals", [("9", 2, changes)])
    store.people.forget(find(store))
    (entry,) = store.journal.of_run(run)
    assert [(one["field"], one["new"]) for one in entry["changes"]] == [
        ("dealname", "Big"), (CONTACT, "502"), (LABELS, "8"), ("amount", 501),
    ]  # fmt: skip
    assert (entry["record_id"], entry["state"]) == ("9", "intended")


def test_G1_the_files_are_wiped(store, url):
    """Of a store in a file no file has the name or the address afterwards, the log included."""
    fill(store)
    store.people.forget(find(store))
    assert store.wipe()
    if make_url(url).get_backend_name() == "sqlite" and make_url(url).database:
        files = sorted(Path(make_url(url).database).parent.glob("store.db*"))
        held = b"".join(one.read_bytes() for one in files)
        assert b"Hopper" in held
        assert ADDRESS.encode() not in held
        assert b"Lovelace" not in held


@pytest.fixture
def filed(tmp_path, empty_store, now):
    """A store in a file that waits for nobody."""
    shutil.copy(empty_store, tmp_path / "read.db")
    opened = Store.open(f"sqlite:///{tmp_path / 'read.db'}", "default", now)
    with opened._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    yield opened
    opened.close()


def test_G1_a_reader_delays_the_wiping_and_it_is_said(filed, tmp_path):
    """As long as somebody reads the file, the old bytes stay in its log: the answer is no; afterwards it is yes."""
    fill(filed)
    with closing(sqlite3.connect(tmp_path / "read.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM record").fetchone()
        filed.people.forget(find(filed))
        assert not filed.wipe()
    assert filed.wipe()
    held = b"".join(one.read_bytes() for one in sorted(tmp_path.glob("read.db*")))
    assert b"Hopper" in held
    assert ADDRESS.encode() not in held
