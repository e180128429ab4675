"""What taking a run back is made of: what an entry of the journal is about, and what counts as a write (X2)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, SF, record

from connector.core.inverse import (
    ABOUT_ROLES,
    BASES,
    CONTACT_ROLE,
    RULE,
    Entry,
    Inverse,
    Left,
    Now,
    Remaking,
    Restoring,
    RoleBack,
    TakingBack,
    read_labels,
    read_role,
)
from connector.core.model import Change, ContactRole, Presence

CHANGE = Change("dealname", "new", "old", "X2", "undo of run 1")
RESTORING = Restoring(HS, "deals", "1", 7, (CHANGE,), {"dealname": "new"})
TAKING_BACK = TakingBack(HS, "contacts", "5", 8, {}, {})
REMAKING = Remaking(HS, "deals", "2", 9, {}, {})
ROLE_BACK = RoleBack("part", HS, "1", "5", 7, ())


def test_X2_the_words_of_the_journal_and_of_the_store_are_a_promise():
    """What was written before has to be read as it was meant, and rules are told by their ids."""
    assert RULE == "X2"
    assert CONTACT_ROLE == "OpportunityContactRole"
    assert {"contact", "labels", "Role", "IsPrimary"} == ABOUT_ROLES
    assert {SF: "base_salesforce", HS: "base_hubspot"} == BASES


def entry(*changes, id_="1", object_="deals"):
    return Entry(1, "done", "connect", HS, object_, id_, 7, None, tuple(changes))


def test_X2_an_entry_is_known_by_its_record():
    """By its side, its object and its id; so are all things to do."""
    whose = (HS, "deals", "1")
    assert entry().key == whose
    assert RESTORING.key == whose
    assert replace(TAKING_BACK, object="deals", record_id="1").key == whose
    assert Left(*whose, "dealname", "new", "typed", "changed since").key == whose


LABELLED = Change("labels", None, "Decider", "R4", "")


@pytest.mark.parametrize(
    ("changes", "whose"),
    [
        ([Change("contact", None, "5", "R1", "")], "5"),
        ([Change("contact", "5", None, "R3", "")], "5"),
        ([Change("contact", "5", "5", "R4", ""), LABELLED], "5"),
        ([LABELLED, Change("contact", "5", "5", "R4", "")], "5"),
        ([LABELLED], ""),
        ([], ""),
    ],
)
def test_X2_an_entry_tells_whose_role_it_is_about(changes, whose):
    """The contact that came, that went, or that was named; wherever it is told."""
    assert entry(*changes).contact == whose


@pytest.mark.parametrize("presence", [*Presence, None])
def test_X2_a_record_is_there_if_it_was_found_and_is_present(presence):
    """One that was not found, or is gone for whatever reason, is not."""
    found = record(HS, "1", presence=presence or Presence.PRESENT)
    now = Now({} if presence is None else {(HS, "deals", "1"): found})
    assert now.is_there(HS, "deals", "1") is (presence is Presence.PRESENT)
    assert not now.is_there(SF, "deals", "1")


@pytest.mark.parametrize(
    ("inverse", "writes"),
    [
        (Inverse(), 0),
        (Inverse(restorings=[RESTORING] * 2), 2),
        (Inverse(restorings=[RESTORING, replace(RESTORING, changes=())]), 1),
        (Inverse(taking_back=[TAKING_BACK] * 2), 2),
        (Inverse(taking_back=[TAKING_BACK, replace(TAKING_BACK, gone=True)]), 1),
        (Inverse(remakings=[REMAKING] * 2), 2),
        (Inverse(remakings=[REMAKING, replace(REMAKING, new_id="3")]), 1),
        (Inverse(roles=[ROLE_BACK] * 2), 2),
        (Inverse(roles=[ROLE_BACK, replace(ROLE_BACK, needed=False)]), 1),
        (Inverse([RESTORING], [TAKING_BACK], [REMAKING], [ROLE_BACK]), 4),
    ],
)
def test_X2_what_an_undo_writes_is_counted(inverse, writes):
    """Of every kind; what is as it was already, is gone, or was made anew by an earlier try, is no write."""
    assert inverse.writes == writes


def test_X2_what_the_run_created_goes_or_stays_as_a_whole():
    """What is left of a record that was there before is a field of it."""
    whole = Left(HS, "contacts", "6", "", None, None, "somebody else has edited it since")
    field = Left(HS, "deals", "1", "dealname", "new", "typed", "changed since")
    inverse = Inverse(restorings=[RESTORING], taking_back=[TAKING_BACK], left=[field, whole])
    assert inverse.created == {(HS, "contacts", "5"), (HS, "contacts", "6")}


@pytest.mark.parametrize(
    ("told", "role"),
    [
        ({"contact": "003A"}, ContactRole("006A", "003A", None, primary=False)),
        ({"contact": "003A", "Role": None, "IsPrimary": None}, ContactRole("006A", "003A", None, primary=False)),
        ({"contact": "003A", "Role": "User"}, ContactRole("006A", "003A", "User", primary=False)),
        ({"contact": "003A", "IsPrimary": True}, ContactRole("006A", "003A", None, primary=True)),
    ],
)
def test_X2_a_contact_role_is_read_as_the_journal_keeps_it(told, role):
    """What it does not tell of was blank."""
    assert read_role("006A", told) == role


@pytest.mark.parametrize(
    ("text", "labels"), [("3; 4", {3, 4}), ("3", {3}), ("", set()), (None, set()), ("3; ", {3})]
)
def test_X2_labels_are_read_as_the_journal_keeps_them(text, labels):
    """By the ids of their types; none at all is none."""
    assert read_labels(text) == labels
