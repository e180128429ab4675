"""The contacts of a deal and the contact roles of its opportunity."""

from __future__ import annotations

import pytest
from core.examples import HS, SF, link, record

from connector.core.actions import RoleAddition, Wait
from connector.core.roles import Roles, plan_roles

PAIR = link("006A", "11")
ANN = link("003A", "5", pair="contact-contact", id_=2)
BOB = link("003B", "6", pair="contact-contact", id_=3)
PEOPLE = {(side, one.id_of(side)): one for one in (ANN, BOB) for side in (SF, HS)}


def only(actions, kind):
    (one,) = [action for action in actions if isinstance(action, kind)]
    return one


def opportunity():
    return record(SF, "006A", {})


def roles(here=(), there=(), agreed=()):
    shown = None if there is None else frozenset(there)
    return plan_roles(Roles(PAIR, frozenset(here), shown, frozenset(agreed)), opportunity(), PEOPLE)


def test_R1_a_new_role_associates_the_deal():
    """With the linked HubSpot contact, in HubSpot."""
    (addition,) = roles(here={"003A"})
    assert addition == RoleAddition(HS, PAIR, ANN, "R1", "contact role of contact 003A")


def test_R1_a_deal_whose_associations_were_never_read_gets_the_role_too():
    """An association that is there already is not harmed by being made again."""
    assert roles(here={"003A"}, there=None) == roles(here={"003A"})


def test_R2_a_deals_contact_becomes_a_role():
    """In Salesforce."""
    (addition,) = roles(there={"6"})
    assert addition == RoleAddition(SF, PAIR, BOB, "R2", "contact 6 is associated with the deal")


def test_R1_R2_a_role_on_both_sides_is_agreed_without_a_write():
    """Once, not from either side."""
    (addition,) = roles(here={"003A"}, there={"5"})
    assert (addition.to, addition.contact) == (None, ANN)


@pytest.mark.parametrize(("here", "there"), [({"003A"}, {"5"}), ({"003A"}, set()), (set(), {"5"}), (set(), set())])
def test_R3_an_agreed_role_is_not_added_again(here, there):
    """What was agreed and is missing on one side was removed there: nothing brings it back."""
    assert roles(here, there, agreed={"003A"}) == []


@pytest.mark.parametrize(
    ("here", "there", "needs"),
    [({"003Z"}, set(), ("contact-contact", SF, "003Z")), (set(), {"9"}, ("contact-contact", HS, "9"))],
)
def test_R5_a_role_of_an_unlinked_contact_waits_and_nothing_else_does(here, there, needs):
    """It is visible as waiting; the other contact's role is added."""
    actions = roles(here | {"003A"}, there)
    assert only(actions, Wait).needs == needs
    assert only(actions, RoleAddition).contact is ANN


def test_roles_are_planned_in_one_order():
    """The same inputs, the same plan, whatever order a set has."""
    assert [one.contact for one in roles(here={"003B", "003A"})] == [ANN, BOB]
