"""Contact roles and associations: named, labelled, removed, at what price, and nothing else removed with them."""

from __future__ import annotations

import pytest
from adapters.conformance import flat, make
from adapters.test_hubspot_reading import create, deal
from adapters.test_salesforce_answers import people

from connector.adapters.base import Edit, Labelling, Trouble
from connector.adapters.salesforce_deletion import ROLE
from connector.core.model import ContactRole
from connector.sandbox.wire import Response

CONTACTS = "/crm/v4/associations/deals/contacts"


# --- Salesforce ---


@pytest.fixture
def role(salesforce):
    """An opportunity, a contact, and the role between them."""
    opportunity, (contact,) = make(salesforce, 1).popitem()[1], people(salesforce, 1)
    (outcome,) = flat(salesforce.crm.add_roles([(opportunity, contact)]))
    return opportunity, contact, outcome.id


def test_R4_roles_are_told_with_their_names(salesforce, role):
    """As they are now, by id."""
    opportunity, contact, id_ = role
    assert salesforce.crm.roles_of([opportunity]) == {id_: ContactRole(opportunity, contact)}
    (outcome,) = flat(salesforce.crm.name_roles([Edit(id_, {"Role": "Evaluator", "IsPrimary": True})]))
    assert (outcome.id, outcome.refusal) == (id_, None)
    named = ContactRole(opportunity, contact, "Evaluator", primary=True)
    assert salesforce.crm.roles_of([opportunity]) == {id_: named}
    assert salesforce.crm.roles_of([]) == {}


def test_R3_roles_are_removed_and_one_that_is_gone_already_is_no_trouble(salesforce, role):
    """A run that died may have removed it before."""
    opportunity, _, id_ = role
    for _ in range(2):
        (outcome,) = flat(salesforce.crm.remove_roles([id_]))
        assert (outcome.key, outcome.id) == (id_, id_)
    assert salesforce.crm.roles_of([opportunity]) == {}


@pytest.mark.parametrize("number", [1, 200, 201])
def test_R3_the_price_of_removing_roles_is_what_is_paid(salesforce, number):
    """And so is that of looking at them before."""
    opportunities, (contact,) = list(make(salesforce, number).values()), people(salesforce, 1)
    flat(salesforce.crm.add_roles([(one, contact) for one in opportunities]))
    crm, before = salesforce.crm, salesforce.crm.usage().calls
    ids = list(crm.roles_of(opportunities))
    assert all(one.refusal is None for one in flat(crm.remove_roles(ids)))
    assert crm.usage().calls - before == crm.price("roles", number) + crm.price("disconnect", number)
    assert salesforce.sandbox.org.store.table(ROLE).live == {}


@pytest.mark.parametrize("stranger", ["006000000000001AAA", "00K", "00K000000000001&x=", "", None])
def test_R3_D2_nothing_but_a_role_can_be_deleted_in_salesforce(salesforce, role, stranger):
    """Should anybody ask for it, nothing is sent, not even for the roles beside it."""
    opportunity, _, id_ = role
    sent = len(salesforce.line.requests)
    with pytest.raises(ValueError, match="not records of OpportunityContactRole"):
        flat(salesforce.crm.remove_roles([id_, opportunity if stranger is None else stranger]))
    assert len(salesforce.line.requests) == sent


def test_R3_a_role_that_salesforce_will_not_delete_is_refused_alone(salesforce, role):
    """One outcome per role, and a whole collection that fails is told for each of its roles."""
    _, _, id_ = role
    other = "00K000000000009AAA"
    locked = {"success": False, "id": id_, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked"}]}

    def answer(status, body):
        part = {"referenceId": "w0", "httpStatusCode": status, "httpHeaders": {}, "body": body}
        salesforce.line.instead = lambda _: Response.json({"compositeResponse": [part]})
        return flat(salesforce.crm.remove_roles([id_, other]))

    outcomes = answer(200, [locked, {"success": True, "id": other, "errors": []}])
    assert [one.refusal and one.refusal.trouble for one in outcomes] == [Trouble.PASSING, None]
    outcomes = answer(400, [{"errorCode": "INVALID_ID_FIELD", "message": "no"}])
    assert [one.key for one in outcomes if one.refusal] == [id_, other]


# --- HubSpot ---


@pytest.fixture
def ends(hubspot):
    """A deal and a contact of it."""
    contact = create(hubspot, "contacts", email="a@x.com")
    return deal(hubspot, "k", (contact,)), contact


def test_R4_labels_are_made_and_given_as_a_set(hubspot, ends):
    """A set replaces the one before; none at all takes the last one away, and the contact stays."""
    made, contact = ends
    assert hubspot.crm.labels() == {}
    assert hubspot.crm.make_label("Decision maker") is None
    assert hubspot.crm.make_label("User") is None
    types = hubspot.crm.labels()
    decider, user = types["Decision maker"], types["User"]

    def give(*labels, gone=()):
        (outcome,) = flat(
            hubspot.crm.label_contacts([Labelling(made, contact, frozenset(labels), frozenset(gone))])
        )
        assert (outcome.key, outcome.refusal) == (f"{made}/{contact}", None)
        return hubspot.crm.deal_contacts([made])

    assert give(decider) == {made: {contact: {decider}}}
    assert give(decider, user) == {made: {contact: {decider, user}}}
    assert give(user, gone=[decider]) == {made: {contact: {user}}}
    assert give(gone=[user]) == {made: {contact: frozenset()}}


def test_R4_a_label_is_not_made_twice_nor_beyond_what_hubspot_takes(hubspot):
    """A refusal is told, and stops nothing."""
    assert hubspot.crm.make_label("User") is None
    assert hubspot.crm.make_label("User") is not None
    answers = [hubspot.crm.make_label(f"Label {number}") for number in range(10)]
    assert [one is None for one in answers] == [True] * 9 + [False]


def test_R4_labels_of_a_contact_that_is_gone_are_refused_alone(hubspot, ends):
    """The other association gets its own."""
    made, contact = ends
    hubspot.crm.make_label("User")
    types = frozenset(hubspot.crm.labels().values())
    outcomes = {
        one.key: one
        for one in flat(hubspot.crm.label_contacts([Labelling(made, contact, types), Labelling(made, "1", types)]))
    }
    assert outcomes[f"{made}/{contact}"].refusal is None
    assert outcomes[f"{made}/1"].refusal.trouble is Trouble.GONE


def test_R3_contacts_are_removed_with_all_their_labels(hubspot, ends):
    """Twice changes nothing, and nobody else goes."""
    made, contact = ends
    other = create(hubspot, "contacts", email="b@x.com")
    flat(hubspot.crm.add_contacts([(made, other)]))
    before = hubspot.crm.usage().calls
    for _ in range(2):
        (outcome,) = flat(hubspot.crm.remove_contacts([(made, contact)]))
        assert (outcome.key, outcome.refusal) == (f"{made}/{contact}", None)
    assert hubspot.crm.usage().calls - before == 2 * hubspot.crm.price("disconnect", 1)
    assert hubspot.crm.deal_contacts([made]) == {made: {other: frozenset()}}


@pytest.mark.parametrize(
    ("errors", "known"),
    [
        ([{"subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND", "context": {"fromObjectId": ["$bare"]}}], True),
        ([{"category": "INTERNAL", "context": {"fromObjectId": ["$bare"]}}], False),
        ([{"category": "INTERNAL"}], False),
        ([], True),
    ],
)
def test_R3_D6_a_deal_that_hubspot_did_not_answer_for_is_not_one_without_contacts(hubspot, ends, errors, known):
    """Only that no association was found, or no error at all, means that there is none."""
    made, contact = ends
    bare = deal(hubspot, "other")
    told = [{**one, "context": {"fromObjectId": [bare]}} if "context" in one else one for one in errors]
    row = {
        "from": {"id": made},
        "to": [{"toObjectId": int(contact), "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 3}]}],
    }
    hubspot.line.instead = lambda request: (
        Response.json({"status": "COMPLETE", "results": [row], "errors": told}, 207)
        if request.path == f"{CONTACTS}/batch/read"
        else None
    )
    found = hubspot.crm.deal_contacts([made, bare])
    assert found == {made: {contact: frozenset()}} | ({bare: {}} if known else {})
