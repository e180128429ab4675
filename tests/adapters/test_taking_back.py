"""What an undo asks the adapters for: who touched a record, what hangs on it, all of it; to take it back (X2)."""

from __future__ import annotations

import pytest
from adapters.conformance import flat, make
from adapters.conftest import PARTNER
from adapters.test_hubspot_reading import create, deal
from adapters.test_salesforce_answers import people

from connector.adapters.base import Draft, Edit, Wanted
from connector.core.model import ContactRole, Proof
from connector.sandbox.wire import Request

# --- Salesforce ---


def proofs(object_, *ids):
    return [Proof(object_, id_, number) for number, id_ in enumerate(ids)]


def act_as(bench, method, path, body):
    """Another user does something."""
    root = "https://acme.my.salesforce.com"
    bench.sandbox(Request.make("POST", f"{root}/_sandbox/users", {}, b'[{"Email": "ada@example.com"}]'))
    session = bench.sandbox.sign_in("ada@example.com", in_ui=True)
    headers = {"Authorization": f"Bearer {session}"}
    answer = bench.sandbox(Request.make(method, f"{root}/services/data/v62.0/{path}", headers, body))
    assert answer.status < 300, answer.body


def test_X2_opportunities_go_with_proofs_and_one_that_is_gone_is_no_trouble(salesforce):
    """A run that died may have taken it back before."""
    ids = list(make(salesforce, 2).values())
    for _ in range(2):
        outcomes = flat(salesforce.crm.take_back(proofs("Opportunity", *ids)))
        assert {one.key: one.id for one in outcomes} == {id_: id_ for id_ in ids}
    assert salesforce.sandbox.org.store.table("Opportunity").live == {}


def test_X2_what_another_user_edited_is_not_taken_back(salesforce):
    """Salesforce is asked just before, whatever field it was; the others go."""
    one, other = make(salesforce, 2).values()
    act_as(salesforce, "PATCH", f"sobjects/Opportunity/{one}", b'{"NextStep": "call"}')
    assert salesforce.crm.find_strangers("Opportunity", [one, other], Wanted(())).keys() == {one}
    outcomes = {each.key: each for each in flat(salesforce.crm.take_back(proofs("Opportunity", one, other)))}
    assert outcomes[one].refusal is not None
    assert outcomes[one].refusal.code == "EDITED_SINCE"
    assert salesforce.sandbox.org.store.table("Opportunity").live.keys() == {one}
    touches = salesforce.crm.last_touches("Opportunity", {one: ["Amount"]})
    assert touches[one, "Amount"].at.startswith("2026-11-02T09:00")


def test_X2_an_account_that_anything_hangs_on_is_not_taken_back(salesforce):
    """Salesforce would delete it along."""
    (account,) = flat(salesforce.crm.create("Account", [Draft("a", {"Name": "Acme"})], Wanted(())))
    (contact,) = flat(
        salesforce.crm.create("Contact", [Draft("c", {"LastName": "Fox", "AccountId": account.id})], Wanted(()))
    )
    assert salesforce.crm.find_ties("Account", [account.id]) == {account.id: {("Contact", contact.id)}}
    (outcome,) = flat(salesforce.crm.take_back(proofs("Account", account.id)))
    assert outcome.refusal is not None
    flat(salesforce.crm.take_back(proofs("Contact", contact.id)))
    (outcome,) = flat(salesforce.crm.take_back(proofs("Account", account.id)))
    assert outcome.id == account.id


@pytest.mark.parametrize(
    "given",
    [
        proofs("Opportunity", "001000000000001AAA"),
        proofs("OpportunityContactRole", "00K000000000001AAA"),
        proofs("User", "005000000000001AAA"),
        [*proofs("Account", "001000000000001AAA"), *proofs("Contact", "003000000000001AAA")],
    ],
)
def test_X2_D2_a_proof_of_something_else_is_none(salesforce, given):
    """Nothing is sent."""
    sent = len(salesforce.line.requests)
    with pytest.raises(ValueError, match="no proofs"):
        flat(salesforce.crm.take_back(given))
    assert len(salesforce.line.requests) == sent


def test_X2_roles_are_made_anew_as_they_were(salesforce):
    """With their names, several of one contact too; and what hangs on both ends is told."""
    opportunity, (contact,) = make(salesforce, 1).popitem()[1], people(salesforce, 1)
    wanted = [ContactRole(opportunity, contact, "Evaluator", primary=True), ContactRole(opportunity, contact)]
    outcomes = flat(salesforce.crm.remake_roles(wanted))
    known = salesforce.crm.roles_of([opportunity])
    assert [known[one.id] for one in outcomes] == wanted
    assert salesforce.crm.find_ties("Opportunity", [opportunity]) == {opportunity: {("Contact", contact)}}
    assert salesforce.crm.find_ties("Contact", [contact]) == {contact: {("Opportunity", opportunity)}}


def test_X2_a_record_is_read_with_all_that_it_could_be_created_with(salesforce):
    """Also what is not mapped, and without what would make a role."""
    (id_,) = make(salesforce, 1).values()
    flat(salesforce.crm.update("Opportunity", [Edit(id_, {"NextStep": "call"})]))
    found = salesforce.crm.read_whole("Opportunity", [id_], salesforce.wanted)[id_]
    assert found.fields["NextStep"] == "call"
    assert not {"ContactId", "Id", "IsWon"} & found.fields.keys()


# --- HubSpot ---


def test_X2_what_a_person_wrote_is_told_apart_from_what_the_app_wrote(hubspot):
    """Whoever wrote the partner's id is the connector; HubSpot's own values are nobody's."""
    one, other = deal(hubspot, "one"), deal(hubspot, "two")
    assert hubspot.crm.find_strangers("deals", [one, other], Wanted((), PARTNER)) == {}
    status, told = hubspot.call("POST", "/_sandbox/people", {"email": "ada@example.com"})
    assert status < 300
    headers = {"Authorization": f"Bearer {told['token']}"}
    url = f"https://api.hubapi.com/crm/v3/objects/deals/{one}"
    hubspot.sandbox(Request.make("PATCH", url, headers, b'{"properties": {"hs_priority": "high"}}'))
    (touch,) = hubspot.crm.find_strangers("deals", [one, other], Wanted((), PARTNER)).values()
    assert (touch.field, touch.who.startswith("user ")) == ("hs_priority", True)
    assert hubspot.crm.last_touches("deals", {one: ["hs_priority", "primary_company"]}) == {
        (one, "hs_priority"): touch
    }
    assert hubspot.crm.last_touches("deals", {one: ["primary_company"]}) == {}


def test_X2_what_hangs_on_a_record_in_hubspot(hubspot):
    """Contacts and deals, from either end."""
    person = create(hubspot, "contacts", email="fox@example.com")
    company = create(hubspot, "companies", name="Acme")
    one = deal(hubspot, "one", [person], primary_company=company)
    assert hubspot.crm.find_ties("deals", [one]) == {one: {("contacts", person)}}
    assert hubspot.crm.find_ties("contacts", [person]) == {person: {("deals", one)}}
    assert hubspot.crm.find_ties("companies", [company]) == {company: {("deals", one)}}


def test_X2_a_record_is_read_with_all_that_can_be_written(hubspot):
    """Also what is not mapped; nothing that is computed, and the primary company as an association alone."""
    one = deal(hubspot, "one", hs_priority="high")
    found = hubspot.crm.read_whole("deals", [one], Wanted(("dealname",), PARTNER))[one]
    assert found.fields["hs_priority"] == "high"
    assert "hs_lastmodifieddate" not in found.fields
    person = create(hubspot, "contacts", email="fox@example.com")
    assert "associatedcompanyid" not in hubspot.crm.read_whole("contacts", [person], Wanted(()))[person].fields
