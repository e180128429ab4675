"""G3: of fields that the mapping marks as personal nothing but hashes is kept of what they were before."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from functools import cache
from types import SimpleNamespace

import pytest
from engine.lab import Lab
from engine.undoing import show_undo, undo_run
from rich.console import Console

from connector.adapters.base import Edit, Refusal, Trouble
from connector.cli.printing.explanations import print_explanation
from connector.core.hiding import START, Hidden
from connector.core.inverse import Inverse, Restoring, TakingBack
from connector.core.model import Change, Problem, ProblemClass, Side
from connector.core.undo import HIDDEN
from connector.engine.answers.conflicts import list_conflicts, resolve
from connector.engine.answers.explain import explain
from connector.engine.hands import RealHands
from connector.engine.hiding import NOT_TOLD, cover_problems
from connector.engine.plan_file import PlanFile, PlannedFor, PlannedWish, describe_plan
from connector.engine.run import Wish
from connector.engine.undoing.doing import Doing
from connector.errors import BadConfiguration

FIRST, SECOND, THIRD = "555-0100", "555-0200", "555-0300"


def mark(pairs, *names):
    """The same mapping with these Salesforce fields marked as personal."""
    return {
        name: replace(
            pair,
            fields=tuple(
                replace(rule, personal=True) if not set(rule.salesforce).isdisjoint(names) else rule
                for rule in pair.fields
            ),
        )
        for name, pair in pairs.items()
    }


@cache
def _befriended() -> tuple[Lab, tuple[str, str]]:
    """Two CRMs in which phones, addresses, cities and last names are personal, and a contact in both; made once."""
    lab = Lab()
    lab.pairs = mark(lab.pairs, "Phone", "Email", "LastName", "MailingCity")
    lab.sync()
    known = {"LastName": "Lovelacius", "Email": "Ada@Acme.Example", "Phone": FIRST, "Title": "Countess"}
    contact = lab.sf_create("Contact", **known)
    lab.sync_until_rest()
    (there,) = lab.hs_all("contacts")
    return lab, (contact, there)


@pytest.fixture
def lab():
    return _befriended()[0].copy()


def befriend() -> tuple[str, str]:
    """The one who is in both: contact, and HubSpot contact."""
    return _befriended()[1]


def changes_of(lab: Lab, run: int):
    return {one["field"]: one for row in lab.store.journal.of_run(run) for one in row["changes"]}


def former(lab: Lab) -> bool:
    """Whether the first number, which no CRM has any more, stands anywhere in the bytes of the store."""
    lab.store.wipe()
    return FIRST.encode() in lab.durable_store()


def test_G3_the_journal_keeps_hashes_that_tell_what_is_equal(lab):
    """Old and new are hidden and equal to themselves alone; other fields are kept as they are."""
    contact, _ = befriend()
    lab.sf_edit("Contact", contact, Phone=SECOND, Title="Analyst")
    changes = changes_of(lab, lab.sync().run)
    phone, title = changes["phone"], changes["jobtitle"]
    assert str(phone["old"]).startswith(START)
    assert str(phone["new"]).startswith(START)
    assert str(phone["old"]) != str(phone["new"])
    assert (phone["old"], phone["new"]) == (FIRST, SECOND)
    assert phone["old"] != THIRD
    assert (title["old"], title["new"]) == ("Countess", "Analyst")
    assert not isinstance(title["new"], Hidden)
    assert not former(lab)


def test_G3_without_the_key_nothing_can_be_tried_out(lab):
    """The hash differs from one store to the next; out of the store it equals no value."""
    contact, _ = befriend()
    lab.sf_edit("Contact", contact, Phone=SECOND)
    hidden = changes_of(lab, lab.sync().run)["phone"]["new"]
    assert Hidden(str(hidden)) != SECOND
    other = Lab()
    other.pairs = lab.pairs
    other.sf_create("Contact", LastName="Fox", Email="f@acme.example", Phone=SECOND)
    changes = changes_of(other, other.sync().run)
    assert str(changes["phone"]["new"]) != str(hidden)
    assert changes["phone"]["new"] == SECOND


def test_G3_undo_blanks_what_was_blank_and_says_beforehand_what_it_cannot_know(lab):
    """A field that the run had filled is blank again; one that it had replaced stays, and is told by hashes."""
    contact, there = befriend()
    lab.sf_edit("Contact", contact, Phone=SECOND, MailingCity="London", Title="Analyst")
    run = lab.sync().run
    (left,) = show_undo(lab, run).left
    assert (left.field, left.why) == (
        "phone",
        "the value before is hidden as personal, and nothing else has it (G3)",
    )
    assert str(left.now).startswith(START)
    undone = undo_run(lab, run)
    assert [one.field for one in undone.left] == ["phone"]
    shown = lab.hs_get("contacts", there, "phone", "city", "jobtitle")
    assert (shown["phone"], shown["city"] or None, shown["jobtitle"]) == (SECOND, None, "Countess")
    assert lab.sync_until_rest().writes == 0, "what was undone is held, by its hash too"
    assert not lab.hs_get("contacts", there, "city")["city"]
    lab.sf_edit("Contact", contact, MailingCity="Paris")
    lab.sync_until_rest()
    assert lab.hs_get("contacts", there, "city")["city"] == "Paris"


def test_G3_undo_restores_a_value_that_the_other_side_still_has(lab):
    """The number before is found in the other CRM, by its hash."""
    contact, there = befriend()
    lab.sf_edit("Contact", contact, Phone=SECOND)
    run = lab.sync().run
    lab.sf_edit("Contact", contact, Phone=FIRST)
    undone = undo_run(lab, run)
    assert undone.left == []
    assert lab.hs_get("contacts", there, "phone")["phone"] == FIRST


def test_G3_what_was_edited_since_stays_although_it_is_hidden(lab):
    """That a field holds another value than the run wrote is told by the hash."""
    contact, there = befriend()
    lab.sf_edit("Contact", contact, MailingCity="London")
    run = lab.sync().run
    lab.hs_edit("contacts", there, city="Oxford")
    (left,) = undo_run(lab, run).left
    assert (left.field, left.why) == ("city", "changed since")
    assert "Oxford" not in json.dumps(asdict(left))


def test_G3_a_plan_hides_values_and_is_applied_all_the_same(lab):
    """The saved plan holds no value; it is carried out as long as it is right, and refused once it is not."""
    contact, there = befriend()
    lab.sf_edit("Contact", contact, Phone=SECOND)
    told = describe_plan(
        lab.plan(), PlannedFor(connection="default", salesforce="s", hubspot="h"), PlannedWish(), lab.clock.now()
    )
    text = json.dumps(told)
    assert SECOND not in text
    assert FIRST not in text
    assert START in text
    plan = PlanFile.model_validate_json(text)
    lab.sf_edit("Contact", contact, Phone=THIRD)
    drifted = lab.sync(Wish(agreed=plan))
    assert (drifted.agreement.applied, drifted.agreement.unmade[0].why) == (0, "drifted")
    assert THIRD not in json.dumps(drifted.as_json())
    lab.sf_edit("Contact", contact, Phone=SECOND)
    report = lab.sync(Wish(agreed=plan))
    assert (report.agreement.rows, report.agreement.applied) == (1, 1)
    assert lab.hs_get("contacts", there, "phone")["phone"] == SECOND


def test_G3_a_problem_does_not_quote_what_was_refused(lab):
    """Of a personal field no word of the CRM is kept, of others no personal value of the record or its partner."""
    _, there = befriend()
    c = lab.connection()
    told = Problem(
        Side.HUBSPOT, "contacts", there, ProblemClass.PROPERTY_VALUES, "X", f"no {FIRST}, ADA@acme.example!"
    )
    kept = cover_problems(c.store, c.pairs, [told, replace(told, field="phone"), replace(told, object="deals")])
    assert [one.detail for one in kept] == ["no (hidden), (hidden)!", NOT_TOLD, told.detail]


def test_G3_a_refused_value_is_told_by_its_hash_alone(lab):
    """HubSpot quotes the address that it refuses; the problem does not."""
    lab.sf_create("Contact", LastName="Byronius", Email="byr:on@acme.example")
    lab.sync()
    assert lab.problems() != []
    assert all("byr:on" not in json.dumps(one) for one in lab.problems())


def test_G3_a_conflict_is_told_without_its_values_and_the_lost_one_has_to_be_typed(lab):
    """Who won is told; the value that lost is gone from the journal, so that choosing it needs the value itself."""
    contact, there = befriend()
    lab.sf_edit("Contact", contact, Phone=SECOND)
    lab.hs_edit("contacts", there, phone=THIRD)
    lab.sync_until_rest()
    (conflict,) = [one for one in list_conflicts(lab.connection()) if one.state == "settled"]
    assert str(conflict.lost).startswith(START)
    assert SECOND not in json.dumps(asdict(conflict))
    with pytest.raises(BadConfiguration) as caught:
        resolve(lab.connection(), contact, "Phone", "hubspot")
    assert "hidden as personal (G3)" in caught.value.findings[0].message
    resolve(lab.connection(), contact, "Phone", THIRD)
    assert all(THIRD not in json.dumps(act) for act in lab.store.runs.acts())
    lab.sync_until_rest()
    assert lab.sf_get("Contact", contact)["Phone"] == THIRD


def test_G3_explain_shows_hashes_in_the_history(lab):
    """What was written is told by its hash; what both sides hold now is an observation and is shown."""
    contact, _ = befriend()
    lab.sf_edit("Contact", contact, Phone=SECOND)
    lab.sync()
    told = explain(lab.connection(), contact, "Phone")
    assert {str(one.new)[:7] for write in told.history for one in write.changes} == {START}
    assert told.fields[0].personal
    assert told.fields[0].hubspot.values == (SECOND,)
    console = Console(record=True, width=120, file=io.StringIO())
    print_explanation(told, console)
    text = console.export_text()
    assert "journal    keeps hashes only: the mapping says `personal: true` (G3)" in text
    assert "`hidden:…` is a hash in place of a personal value" in text
    assert FIRST not in text


def test_G3_a_deleted_record_leaves_hashes_of_all_that_is_not_mapped(lab):
    """Also of fields that nobody thought to mark; made anew it has what is known elsewhere; the rest is told."""
    contact, there = befriend()
    lab.hs_edit("contacts", there, fax="555-0999")
    lab.pairs = {
        name: replace(pair, deletes=frozenset({Side.SALESFORCE})) if name == "contact-contact" else pair
        for name, pair in lab.pairs.items()
    }
    lab.sync_until_rest()
    lab.sf_delete("Contact", contact)
    run = lab.sync(Wish(deletes=True)).run
    changes = changes_of(lab, run)
    assert all(str(changes[name]["old"]).startswith(START) for name in ("fax", "email", "lastname"))
    assert changes["jobtitle"]["old"] == "Countess"
    (left,) = show_undo(lab, run).left
    assert ("fax" in left.field.split("+"), left.why) == (True, HIDDEN)
    assert not {"email", "lastname"} & set(left.field.split("+"))
    undo_run(lab, run)
    ((_, again),) = lab.hs_all("contacts", "email", "lastname", "phone", "fax").items()
    assert (again["email"], again["lastname"], again["phone"], again["fax"]) == (
        "ada@acme.example", "Lovelacius", FIRST, None,
    )  # fmt: skip


def test_G3_a_hash_is_never_written_to_a_crm(lab):
    """Whatever goes wrong elsewhere, the hands refuse it."""
    c = lab.connection()
    with pytest.raises(ValueError, match="phone are hidden"):
        RealHands(c.salesforce, c.hubspot).update(Side.HUBSPOT, "contacts", [Edit("1", {"phone": Hidden("x")})])


def test_G3_what_was_kept_before_a_field_was_marked_is_hidden_by_the_next_run():
    """In the journal, in what was agreed before each run, and in what an undo holds; once, and no byte is left."""
    lab = Lab()
    contact = lab.sf_create("Contact", LastName="Lovelacius", Email="a@acme.example", Phone=FIRST)
    lab.sync_until_rest()
    lab.sf_edit("Contact", contact, Phone=SECOND)
    run = lab.sync().run
    undo_run(lab, run)
    lab.sf_edit("Contact", contact, Phone=THIRD)
    lab.sync_until_rest()
    assert former(lab)
    lab.pairs = mark(lab.pairs, "Phone")
    (note,) = [one for one in lab.sync().notes if "were hidden in" in one]
    assert note.endswith("entries (G3)")
    store = lab.durable_store()
    assert FIRST.encode() not in store
    assert SECOND.encode() not in store
    assert changes_of(lab, run)["phone"]["new"] == SECOND
    assert not any("were hidden in" in one for one in lab.sync().notes)


def test_G3_an_undo_that_is_refused_does_not_quote_the_value(lab):
    """Neither of a personal field nor in the words about a whole record."""
    inverse = Inverse()
    work = SimpleNamespace(c=lab.connection())
    doing = Doing(work, None, inverse, 1, True, "undo")
    refusal = Refusal(Trouble.REFUSED, ProblemClass.PROPERTY_VALUES, "X", f"{SECOND} is no number")
    change = Change("phone", FIRST, SECOND, "X2", "undo")
    back = Restoring(Side.HUBSPOT, "contacts", "7", 1, (change,), {})
    taken = TakingBack(Side.HUBSPOT, "contacts", "7", 1, {"phone": SECOND, "jobtitle": "no"}, {})
    doing.refuse(back, refusal, "phone")
    doing.refuse(back, refusal)
    doing.refuse(taken, refusal)
    assert [one.why for one in inverse.left] == [
        f"refused: X: {NOT_TOLD}", "refused: X: (hidden) is no number", "refused: X: (hidden) is no number",
    ]  # fmt: skip
