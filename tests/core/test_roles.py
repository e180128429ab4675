"""The contacts of a deal and the contact roles of its opportunity: who is to be added or removed where."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from core.examples import HS, SF, link, record

from connector.core.actions import RoleAddition, RoleRemoval, Wait
from connector.core.model import ContactRole, LinkState
from connector.core.roles import Agreement, Roles, plan_roles

PAIR = link("006A", "11")
ANN = link("003A", "5", pair="contact-contact", id_=2)
BOB = link("003B", "6", pair="contact-contact", id_=3)
PEOPLE = {(side, one.id_of(side)): one for one in (ANN, BOB) for side in (SF, HS)}


def only(actions, kind):
    (one,) = [action for action in actions if isinstance(action, kind)]
    return one


def opportunity():
    return record(SF, "006A", {})


def agreement(contact, deal=PAIR):
    return Agreement(contact, {side: (deal.id_of(side), contact.id_of(side)) for side in (SF, HS)})


def roles(here=(), there=(), agreed=(), absent=(), people=PEOPLE):
    own = {one: {f"00K{one}": ContactRole("006A", one)} for one in here}
    shown = None if there is None else dict.fromkeys(there, frozenset())
    standing = [one if isinstance(one, Agreement) else agreement(one) for one in agreed]
    return plan_roles(Roles(PAIR, own, shown, standing, frozenset(absent)), opportunity(), people)


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


@pytest.mark.parametrize(
    ("here", "there", "to"),
    [({"003A"}, set(), SF), (set(), {"5"}, HS), (set(), None, HS), (set(), set(), None)],
)
def test_R3_what_was_agreed_and_is_gone_on_one_side_goes_on_the_other(here, there, to):
    """On neither side any more it is forgotten; associations that were never read are as agreed."""
    removal = only(roles(here, there, [ANN]), RoleRemoval)
    assert (removal.to, removal.contact, removal.rule) == (to, ANN, "R3")


def test_R3_what_both_sides_still_show_stays():
    """There is nothing to do."""
    assert roles({"003A"}, {"5"}, [ANN]) == []
    assert roles({"003A"}, None, [ANN]) == []


def test_R3_the_reason_names_the_contact_by_the_id_of_the_side_it_is_gone_from():
    """So that a person can look it up where it happened."""
    assert "003A" in only(roles(set(), {"5"}, [ANN]), RoleRemoval).cause
    assert "contact 5 " in only(roles({"003A"}, set(), [ANN]), RoleRemoval).cause


@pytest.mark.parametrize(("side", "here", "there"), list(product([SF, HS], [set(), {"003A"}], [set(), {"5"}])))
def test_R3_D6_the_roles_of_a_contact_that_is_not_there_stay(side, here, there):
    """Deleted, merged or out of sight on either side: that is no removal of a role, and nobody waits for it."""
    assert roles(here, there, [ANN], absent={(side, ANN.id_of(side))}) == []


@pytest.mark.parametrize("state", [LinkState.SEVERED, LinkState.CLOSED])
def test_R3_the_roles_of_a_contact_whose_link_has_ended_stay(state):
    """On whatever side they are; they wait for nobody."""
    ended = replace(ANN, state=state)
    assert roles({"003A"}, set(), [ended], people={}) == []
    assert roles(set(), {"5"}, [ended], people={}) == []


def test_R3_a_link_that_leads_elsewhere_since_the_agreement_removes_nobody():
    """Agreed with contact 4, linked to 5 since then: what 5 lacks is added."""
    before = Agreement(ANN, {SF: ("006A", "003A"), HS: ("11", "4")})
    addition = only(roles({"003A"}, {"9"}, [before]), RoleAddition)
    assert (addition.to, addition.contact) == (HS, ANN)
    assert only(roles(set(), {"5"}, [before]), RoleAddition).to is SF
    assert only(roles({"003A"}, {"5"}, [before]), RoleAddition).to is None
    assert only(roles(set(), set(), [before]), RoleRemoval).to is None
    assert [type(one) for one in roles({"003A"}, {"9"}, [before])] == [RoleAddition, Wait]
    assert [type(one) for one in roles(set(), {"5"}, [before])] == [RoleAddition]


def test_R3_a_new_deal_was_agreed_on_by_nobody():
    """The same opportunity had another deal before."""
    before = Agreement(ANN, {SF: ("006A", "003A"), HS: ("10", "5")})
    assert only(roles({"003A"}, set(), [before]), RoleAddition).to is HS


@pytest.mark.parametrize(
    ("here", "there", "needs"),
    [({"003Z"}, set(), ("contact-contact", SF, "003Z")), (set(), {"9"}, ("contact-contact", HS, "9"))],
)
def test_R5_a_role_of_an_unlinked_contact_waits_and_nothing_else_does(here, there, needs):
    """It is visible as waiting; the other contact's role is added."""
    actions = roles(here | {"003A"}, there)
    assert only(actions, Wait).needs == needs
    assert only(actions, RoleAddition).contact is ANN


@pytest.mark.parametrize(
    ("here", "there", "absent", "needs"),
    [
        ({"003A"}, (), (HS, "5"), ("contact-contact", SF, "003A")),
        ((), {"6"}, (SF, "003B"), ("contact-contact", HS, "6")),
    ],
)
def test_R5_D6_a_role_waits_for_a_contact_that_is_not_there_on_the_other_side(here, there, absent, needs):
    """It is linked and cannot be written to; on both sides it is agreed all the same."""
    assert roles(here=here, there=there, absent=[absent]) == [Wait(opportunity(), needs)]
    (agreed,) = roles(here={"003A"}, there={"5"}, absent=[(HS, "5"), (SF, "003A")])
    assert agreed.to is None


def test_roles_are_planned_in_one_order():
    """The same inputs, the same plan, whatever order a set has."""
    assert [one.contact for one in roles(here={"003B", "003A"})] == [ANN, BOB]
    assert [one.contact for one in roles({"003B", "003A"}, set(), [BOB, ANN])] == [ANN, BOB]
    many = [str(number) for number in range(10, 30)]
    assert [one.needs[2] for one in roles(there=reversed(many))] == many
    assert [one.needs[2] for one in roles(here=reversed(many))] == many


@pytest.mark.parametrize("before", [set(), {"A"}, {"B"}, {"A", "B"}])
@pytest.mark.parametrize("here", [set(), {"A"}, {"B"}, {"A", "B"}])
@pytest.mark.parametrize("there", [set(), {"A"}, {"B"}, {"A", "B"}])
def test_R1_R2_R3_carrying_the_plan_out_makes_both_sides_equal(before, here, there):
    """And what one side removed is on neither, what one side added on both; then there is nothing left to do."""
    links, numbers = {"A": ANN, "B": BOB}, {"A": "5", "B": "6"}
    names = {one.id: name for name, one in links.items()}
    sides, agreed = {SF: set(here), HS: set(there)}, set(before)

    def actions():
        return roles(
            {f"003{one}" for one in sides[SF]}, {numbers[one] for one in sides[HS]}, [links[one] for one in agreed]
        )

    for action in actions():
        name, adds = names[action.contact.id], isinstance(action, RoleAddition)
        for some in (agreed, *([sides[action.to]] if action.to else [])):
            some.add(name) if adds else some.discard(name)
    assert sides[SF] == sides[HS] == agreed
    assert agreed == (here & there) | ((here | there) - before)
    assert actions() == []
