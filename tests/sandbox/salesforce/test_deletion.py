"""What goes along when a record is deleted, comes back, or is merged away."""

import pytest


def ids(client, sobject, *, deleted=False):
    where = " WHERE IsDeleted = true" if deleted else ""
    resource = "queryAll" if deleted else "query"
    return {row["Id"] for row in client.query(f"SELECT Id FROM {sobject}{where}", resource)}


@pytest.fixture
def family(client):
    """An account with a contact, an opportunity and a role."""
    account = client.create("Account", Name="Acme")
    contact = client.create("Contact", LastName="Doe", AccountId=account)
    deal = client.opportunity(AccountId=account, StageName="Closed Won")
    role = client.create("OpportunityContactRole", OpportunityId=deal, ContactId=contact, IsPrimary=True)
    return account, contact, deal, role


def test_an_account_takes_its_contacts_opportunities_and_roles_along(client, family):
    """All of them, and all come back with it."""
    account, contact, deal, role = family
    client("DELETE", f"sobjects/Account/{account}")
    gone = {"Account": account, "Contact": contact, "Opportunity": deal, "OpportunityContactRole": role}
    for sobject, record in gone.items():
        assert (ids(client, sobject), ids(client, sobject, deleted=True)) == (set(), {record})
    client("POST", "/_sandbox/undelete", {"ids": [account]}, headers={})
    assert client.row("Opportunity", deal)["ContactId"] == contact
    assert ids(client, "OpportunityContactRole") == {role}


def test_won_opportunities_can_keep_their_account(client, family):
    """Where the org is set so, the deletion is refused and nothing is gone."""
    client("PUT", "/_sandbox/settings", {"delete_won_opportunities": False}, headers={})
    account, contact, deal, _ = family
    status, code, message = client.refusal("DELETE", f"sobjects/Account/{account}")
    assert (status, code, message.endswith("were closed won: Deal")) == (400, "DELETE_FAILED", True)
    assert ids(client, "Contact") == {contact}
    client("PATCH", f"sobjects/Opportunity/{deal}", {"StageName": "Closed Lost"})
    assert client("DELETE", f"sobjects/Opportunity/{deal}")[0] == 204
    assert client("DELETE", f"sobjects/Account/{account}")[0] == 204


def test_a_contact_takes_its_roles_along(client, family):
    """The opportunity stays, without a contact; those who reported to the contact report to nobody."""
    _, contact, deal, _ = family
    other = client.create("Contact", LastName="Roe", ReportsToId=contact)
    client("DELETE", f"sobjects/Contact/{contact}")
    assert client.row("Opportunity", deal)["ContactId"] is None
    assert client.row("Contact", other)["ReportsToId"] is None


def test_a_contact_may_have_several_roles_on_an_opportunity(client, family):
    """The same contact twice, in any role; the one set last is the primary."""
    _, contact, deal, first = family
    second = client.create(
        "OpportunityContactRole", OpportunityId=deal, ContactId=contact, Role="My own", IsPrimary=True
    )
    roles = client.query("SELECT Id, IsPrimary, Role FROM OpportunityContactRole ORDER BY Id")
    assert roles == [
        {"Id": first, "IsPrimary": False, "Role": None}, {"Id": second, "IsPrimary": True, "Role": "My own"},
    ]  # fmt: skip


def test_a_merge_hands_over_contacts_opportunities_and_roles(client, family):
    """And a chain of merges is followed from loser to master."""
    account, contact, deal, role = family
    second, third = (client.create("Account", Name=name) for name in "bc")
    for master, loser in ((second, account), (third, second)):
        body = {"sobject": "Account", "master": master, "losers": [loser]}
        assert client("POST", "/_sandbox/merge", body, headers={})[0] == 204
    chain = {
        row["Id"]: row["MasterRecordId"]
        for row in client.query("SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true", "queryAll")
    }
    assert chain == {account: second, second: third}
    assert client.row("Opportunity", deal)["AccountId"] == client.row("Contact", contact)["AccountId"] == third
    kept = client.create("Contact", LastName="Roe")
    client("POST", "/_sandbox/merge", {"sobject": "Contact", "master": kept, "losers": [contact]}, headers={})
    assert client.row("OpportunityContactRole", role)["ContactId"] == kept


@pytest.mark.parametrize("losers", [[], ["a", "b", "c"], ["a", "a"]])
def test_a_merge_takes_two_or_three_different_records(client, losers):
    """No more, no fewer, and none twice."""
    records = {name: client.create("Account", Name=name) for name in "abcm"}
    body = {"sobject": "Account", "master": records["m"], "losers": [records[name] for name in losers]}
    assert client("POST", "/_sandbox/merge", body, headers={})[0] == 400
    assert len(ids(client, "Account")) == 4
