"""G1, G2: a person is forgotten by the store, and only a CRM that still has them brings them back."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest
from engine.lab import Lab
from engine.undoing import differences, show_undo, undo_run, view

from connector.core.model import Problem, ProblemClass, Side
from connector.engine.forget import forget, show_forgetting
from connector.errors import BadConfiguration

ADDRESS, FIRST, LAST = "ada.l@acme.example", "Adalberta", "Lovelacius"
NAMES = (ADDRESS, FIRST, LAST, "555-0142")


@cache
def _befriended() -> tuple[Lab, tuple[str, str, str]]:
    """A lab with one person in it, made once: a copy is made faster than three syncs."""
    lab = Lab()
    lab.sync()
    account = lab.sf_create("Account", Name="Acme", Website="acme.example")
    contact = lab.sf_create(
        "Contact", FirstName=FIRST, LastName=LAST, Email=ADDRESS, Phone="555-0142", AccountId=account
    )
    opportunity = lab.opportunity(AccountId=account, Amount=100)
    lab.role(opportunity, contact)
    lab.sync_until_rest()
    lab.sf_edit("Contact", contact, Title="Analyst")
    lab.sync()
    (there,) = [id_ for id_, one in lab.hs_all("contacts", "email").items() if one["email"] == ADDRESS]
    return lab, (contact, opportunity, there)


@pytest.fixture
def lab():
    return _befriended()[0].copy()


def befriend() -> tuple[str, str, str]:
    """Who is in the lab, on an opportunity, in both CRMs: contact, opportunity and HubSpot contact."""
    return _befriended()[1]


def remembered(lab: Lab) -> list[str]:
    """Which of the person's values stand in the bytes of the store."""
    store = lab.durable_store()
    return [one for one in NAMES if one.encode() in store]


def test_G1_no_byte_of_a_forgotten_person_is_left_in_the_store(lab):
    """Address, name and number are in the store's bytes before, and in none of them afterwards."""
    contact, _, there = befriend()
    assert remembered(lab) == list(NAMES)
    told = forget(lab.store, ADDRESS.upper())
    assert [(one.side, one.id) for one in told.records] == [(Side.SALESFORCE, contact), (Side.HUBSPOT, there)]
    assert remembered(lab) == []
    assert contact.encode() not in lab.durable_store()
    assert told.removed["record"] == 2
    assert (told.removed["link"], told.removed["role"], told.removed["association"]) == (1, 1, 1)
    assert told.wiped


@pytest.mark.parametrize("by", ["salesforce", "hubspot"])
def test_G1_a_person_is_forgotten_by_either_id(lab, by):
    """An id of one side finds both records; an opportunity is nobody."""
    contact, opportunity, there = befriend()
    forget(lab.store, contact if by == "salesforce" else f"contact:{there}")
    assert remembered(lab) == []
    with pytest.raises(BadConfiguration) as caught:
        forget(lab.store, opportunity)
    assert caught.value.findings[0].message == "that is no person: only contacts are forgotten"


def test_G1_a_look_removes_nothing_and_counts_what_goes(lab):
    """What is shown first is what is removed then."""
    shown = show_forgetting(lab.store, ADDRESS)
    assert remembered(lab) == list(NAMES)
    assert (shown.run, shown.wiped) == (0, False)
    assert {one.name for one in shown.records} == {f"{FIRST} {LAST}"}
    done = forget(lab.store, ADDRESS)
    assert (done.records, done.removed, done.mentions) == (shown.records, shown.removed, shown.mentions)


def test_G1_nobody_found_is_said(lab):
    """An address that the store does not know is an error with what to do, also the second time."""
    with pytest.raises(BadConfiguration) as caught:
        forget(lab.store, "nobody@acme.example")
    assert caught.value.findings[0].message == "nobody like that is in the store"
    forget(lab.store, ADDRESS)
    with pytest.raises(BadConfiguration):
        forget(lab.store, ADDRESS)


def test_G1_every_contact_with_the_address_goes_and_no_other(lab):
    """Duplicates with the address, held and unlinked, go too; who only has a longer address stays."""
    lab.sf_create("Contact", LastName="Secundula", Email=ADDRESS)
    lab.sf_create("Contact", LastName="Longissima", Email=f"x{ADDRESS}")
    other = lab.hs_create("contacts", lastname="Tertiola", email=f"{ADDRESS}.org")
    lab.sync_until_rest()
    assert any(one["code"] == "DUPLICATE" or "duplicate" in one["cause"] for one in lab.problems())
    told = forget(lab.store, ADDRESS)
    assert sorted({one.name for one in told.records}) == [f"{FIRST} {LAST}", "Secundula"]
    store = lab.durable_store()
    assert b"Secundula" not in store
    assert b"Longissima" in store
    assert b"Tertiola" in store
    assert other in lab.store.records.load(Side.HUBSPOT, "contacts", [other])


def test_G1_the_journal_keeps_that_something_was_written_and_when(lab):
    """The person's entries stay with verb and time, without id and value; those of others lose the person alone."""
    before = {run["run"]: lab.store.journal.of_run(run["run"]) for run in lab.store.runs.page(50)}
    told = forget(lab.store, ADDRESS)
    after = {number: lab.store.journal.of_run(number) for number in before}
    kept = [[(one["number"], one["verb"], one["at"], one["object"]) for one in some] for some in after.values()]
    assert kept == [
        [(one["number"], one["verb"], one["at"], one["object"]) for one in some] for some in before.values()
    ]
    blanked = [one for some in after.values() for one in some if one["state"] == "forgotten"]
    assert {one["object"] for one in blanked} == {"contacts"}
    assert all(one["record_id"] is one["link"] is None and one["changes"] == [] for one in blanked)
    deal = next(
        one for some in after.values() for one in some if (one["verb"], one["object"]) == ("create", "deals")
    )
    assert deal["state"] == "done"
    assert {one["field"] for one in deal["changes"]} >= {"dealname", "amount"}
    assert "contact" not in {one["field"] for one in deal["changes"]}
    (act,) = lab.store.runs.acts()
    assert (act["run"], act["report"]["kind"], act["report"]["records"]) == (told.run, "forget", 2)
    assert set(act["report"]) == {"run", "kind", "records", "removed"}


def test_G2_deleted_in_both_crms_and_forgotten_a_person_stays_away(lab):
    """Nothing of them comes back, and the deal and its opportunity stay as they are."""
    contact, opportunity, there = befriend()
    lab.sf_delete("Contact", contact)
    lab.hs_delete("contacts", there)
    lab.clock.advance(timedelta(hours=25))
    lab.sync_until_rest()
    before = view(lab)
    told = forget(lab.store, ADDRESS)
    assert told.still_there == ()
    for hours in (0, 25, 25):
        lab.clock.advance(timedelta(hours=hours))
        assert lab.sync_until_rest().writes == 0
        assert remembered(lab) == []
    assert differences(before, view(lab)) == []
    assert lab.deal_of(opportunity)


def test_G2_forgotten_before_a_sync_saw_the_deletion_a_person_stays_away_too(lab):
    """What a CRM tells of a deleted record that is not known brings no value of it back."""
    contact, opportunity, there = befriend()
    forget(lab.store, ADDRESS)
    lab.sf_delete("Contact", contact)
    lab.hs_delete("contacts", there)
    before = view(lab)
    for hours in (0, 25, 25):
        lab.clock.advance(timedelta(hours=hours))
        lab.sync_until_rest()
        assert remembered(lab) == []
    assert differences(before, view(lab)) == []
    assert lab.deal_of(opportunity)


def test_G2_who_is_still_in_the_crms_is_taken_in_again_and_nothing_is_doubled(lab):
    """An edit brings them back as the same pair, with the role that they had; nothing else is written."""
    contact, opportunity, there = befriend()
    before = view(lab)
    assert len(forget(lab.store, ADDRESS).still_there) == 2
    lab.sync_until_rest()
    assert differences(before, view(lab)) == []
    lab.sf_edit("Contact", contact, Title="Countess")
    lab.sync_until_rest()
    assert lab.hs_get("contacts", there, "jobtitle")["jobtitle"] == "Countess"
    assert differences(before, view(lab)) == []
    link = lab.store.links.by_ids("contact-contact", Side.SALESFORCE, [contact])[contact]
    assert link.hubspot_id == there
    assert len(lab.sf_all(f"SELECT Id FROM OpportunityContactRole WHERE OpportunityId = '{opportunity}'")) == 1


def test_G2_an_undo_leaves_what_was_forgotten_and_says_so():
    """Of the run that brought them over nothing about them is undone, and their deal stays with them."""
    lab = Lab()
    account, contact, opportunity = lab.business()
    other = lab.opportunity("Of nobody", AccountId=account)
    run = lab.sync().run
    deal = lab.deal_of(opportunity)
    forget(lab.store, contact)
    shown = show_undo(lab, run)
    assert any("about a person who was forgotten since" in note for note in shown.report.notes)
    undone = undo_run(lab, run)
    assert len(lab.hs_all("contacts")) == 1
    assert list(lab.hs_all("deals")) == [deal], f"the other one, of {other}, was taken back"
    (left,) = [one for one in undone.left if one.object == "deals"]
    assert (left.record_id, left.why.endswith("belongs to it")) == (deal, True)


def test_G1_texts_of_others_lose_the_name(lab):
    """A problem of another record and the report of a run that name the person are covered, and stay."""
    _, opportunity, _ = befriend()
    text = f"refused: {FIRST.upper()} {LAST} <{ADDRESS}> is no owner; x{ADDRESS} is"
    lab.store.problems.note(
        [Problem(Side.SALESFORCE, "Opportunity", opportunity, ProblemClass.PROPERTY_VALUES, "X", text)], retry=False
    )
    run = lab.store.runs.begin()
    lab.store.runs.finish(run, "ok", {"run": run, "notes": [f"{ADDRESS} waits"], "kind": "sync"})
    assert forget(lab.store, ADDRESS).removed["text"] == 2
    (problem,) = lab.problems()
    assert problem["detail"] == f"refused: [forgotten] <[forgotten]> is no owner; x{ADDRESS} is"
    assert lab.store.runs.get(run)["report"]["notes"] == ["[forgotten] waits"]


def test_G1_records_of_others_that_name_the_person_are_counted_and_stay(lab):
    """The name of a deal is the deal's; it is told that it stands there."""
    named = lab.opportunity(f"{FIRST} {LAST}: renewal")
    lab.sync_until_rest()
    told = forget(lab.store, ADDRESS)
    assert told.mentions == 2
    assert lab.store.records.load(Side.SALESFORCE, "Opportunity", [named])[named].fields["Name"].startswith(FIRST)


def test_G1_a_wiping_that_could_not_be_done_is_made_good(lab, monkeypatch):
    """As long as the files hold deleted bytes it is said, and the next `forget` wipes them first."""
    monkeypatch.setattr(type(lab.store), "wipe", lambda _: False)
    assert not forget(lab.store, ADDRESS).wiped
    monkeypatch.undo()
    with pytest.raises(BadConfiguration):
        forget(lab.store, ADDRESS)
    assert remembered(lab) == []
