"""The demo's organisation: reproducible, lifelike, accepted by both sandboxes."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import date

import pytest
import requests

from connector.sandbox.demo import Organisation, invent, load_demo
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.transport import SandboxAdapter

TODAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def org() -> Organisation:
    return invent(seed=0, accounts=40, today=TODAY)


def texts(rows, name):
    return [row[name] for row in rows if name in row]


class TestInvent:
    """What is made up before anything is entered."""

    def test_same_seed_same_records(self, org):
        """Seed, size and day decide every record."""
        assert invent(seed=0, accounts=40, today=TODAY) == org

    def test_other_seed_other_records(self, org):
        """Another seed makes other people."""
        assert texts(invent(seed=1, accounts=40, today=TODAY).contacts, "LastName") != texts(
            org.contacts, "LastName"
        )

    def test_sizes(self, org):
        """Three contacts and five opportunities to an account, over three record types."""
        assert (len(org.accounts), len(org.contacts), len(org.opportunities)) == (40, 120, 200)
        kinds = Counter(row["RecordTypeId"] for row in org.opportunities)
        assert set(kinds) == {0, 1, 2}
        assert min(kinds.values()) > 60

    @pytest.mark.parametrize("size", [0, 1, 2])
    def test_tiny(self, size):
        """Few accounts, or none, are no special case."""
        org = invent(seed=0, accounts=size, today=TODAY)
        assert len(org.opportunities) == 5 * size
        assert all(row.get("AccountId", 0) < size for row in org.contacts + org.opportunities)

    @pytest.mark.parametrize("mark", ["  ", '"', ", ", "🚀", "'", "<", "株式会社", "é"])
    def test_odd_names(self, org, mark):
        """Blanks, quotes, commas, symbols and letters beyond ASCII all occur in names."""
        named = texts(org.accounts, "Name") + texts(org.contacts, "LastName") + texts(org.opportunities, "Name")
        assert any(mark in name for name in named)

    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            ("contacts", "Email"),
            ("contacts", "AccountId"),
            ("contacts", "FirstName"),
            ("opportunities", "Amount"),
            ("opportunities", "AccountId"),
            ("opportunities", "OwnerId"),
            ("accounts", "Website"),
            ("contact_roles", "Role"),
        ],
    )
    def test_some_values_are_empty(self, org, kind, name):
        """Values that people leave empty are missing in some records, and only in a minority."""
        rows = getattr(org, kind)
        assert len(rows) / 2 < len(texts(rows, name)) < len(rows)

    def test_one_email_is_shared(self, org):
        """Two contacts have one e-mail, some write it in capitals, no other e-mail occurs twice."""
        emails = texts(org.contacts, "Email")
        assert sorted(Counter(email.lower() for email in emails).values())[-2:] == [1, 2]
        assert any(email.isupper() for email in emails)

    def test_outcomes(self, org):
        """Won, lost and open deals are all there; decided ones lie in the past, open ones mostly in the future."""
        stages = Counter(texts(org.opportunities, "StageName"))
        closed = {"Closed Won", "Closed Lost"}
        assert min(stages[stage] for stage in closed) > 20
        days = {True: [], False: []}
        for row in org.opportunities:
            days[row["StageName"] in closed].append(date.fromisoformat(row["CloseDate"]))
        assert max(days[True]) <= TODAY
        assert len(days[False]) > sum(day > TODAY for day in days[False]) > len(days[False]) * 0.8

    def test_stages_belong_to_their_record_type(self, org):
        """No opportunity stands in a stage its record type does not offer."""
        offered = [row["picklistValues"]["StageName"] for row in org.record_types]
        assert len({tuple(stages) for stages in offered}) == 3
        assert all(row["StageName"] in offered[row["RecordTypeId"]] for row in org.opportunities)

    def test_contact_roles(self, org):
        """Up to four roles to an opportunity, none for some; where there are any, one is primary; no one twice."""
        by_opportunity = {}
        for row in org.contact_roles:
            by_opportunity.setdefault(row["OpportunityId"], []).append(row)
        sizes = {len(rows) for rows in by_opportunity.values()}
        assert sizes == {1, 2, 3, 4}
        assert len(by_opportunity) < len(org.opportunities)
        for rows in by_opportunity.values():
            assert sum(row["IsPrimary"] for row in rows) == 1
            assert len({row["ContactId"] for row in rows}) == len(rows)

    def test_people_of_both_sides(self, org):
        """Six users are HubSpot owners too; one active user is not, and one user is inactive and owns nothing."""
        emails = texts(org.owners, "email")
        assert [row["Email"] for row in org.users][:6] == emails
        assert [row["IsActive"] for row in org.users] == [True] * 7 + [False]
        owning = {row.get("OwnerId") for row in org.accounts + org.contacts + org.opportunities}
        assert owning == {0, 1, 2, 3, 4, 5, 6, None}

    def test_hubspot_knows_some_contacts(self, org):
        """They have a Salesforce contact's e-mail in lower case, and a few values of their own."""
        shared = Counter(email.lower() for email in texts(org.contacts, "Email"))
        assert len(org.hubspot_contacts) == 6
        assert all(shared[row["email"]] == 1 for row in org.hubspot_contacts)
        assert texts(org.hubspot_contacts, "phone")
        assert texts(org.hubspot_contacts, "lifecyclestage")


@pytest.fixture(scope="module")
def loaded():
    salesforce, hubspot = SalesforceSandbox(seed=3), HubSpotSandbox(seed=3)
    summary = load_demo(salesforce, hubspot, salesforce.session_id, hubspot.access_token, seed=7)
    return salesforce, hubspot, summary


def get(sandbox, token, path, **query):
    session = requests.Session()
    session.mount("http://", SandboxAdapter(sandbox))
    answer = session.get(f"http://sandbox{path}", params=query, headers={"Authorization": f"Bearer {token}"})
    assert answer.ok, answer.text
    return answer.json()


class TestLoadDemo:
    """What the sandboxes hold afterwards, asked through their own interfaces."""

    @pytest.mark.parametrize(
        ("sobject", "what"),
        [
            ("Account", "accounts"),
            ("Contact", "contacts"),
            ("Opportunity", "opportunities"),
            ("OpportunityContactRole", "contact_roles"),
        ],
    )
    def test_salesforce_holds_what_the_summary_says(self, loaded, sobject, what):
        """Every record counted is there."""
        salesforce, _, summary = loaded
        query = {"q": f"SELECT COUNT() FROM {sobject}"}
        found = get(salesforce, salesforce.session_id, "/services/data/v68.0/query", **query)["totalSize"]
        assert found == asdict(summary)[what] > 0

    def test_references_lead_to_the_records_meant(self, loaded):
        """An opportunity has the account, owner and record type invented for it."""
        salesforce, _, _ = loaded
        fields = "Name, Account.Name, Owner.Email, RecordType.Name"
        query = {"q": f"SELECT {fields} FROM Opportunity ORDER BY Id LIMIT 20"}
        rows = get(salesforce, salesforce.session_id, "/services/data/v68.0/query", **query)["records"]
        org = invent(seed=7, accounts=40, today=salesforce.clock.now().date())
        assert len(rows) == 20
        for row, invented in zip(rows, org.opportunities, strict=False):
            assert row["Name"] == invented["Name"].strip()
            assert row["RecordType"]["Name"] == org.record_types[invented["RecordTypeId"]]["Name"]
            if "AccountId" in invented:
                assert row["Account"]["Name"] == org.accounts[invented["AccountId"]]["Name"].strip()
            if "OwnerId" in invented:
                assert row["Owner"]["Email"] == org.users[invented["OwnerId"]]["Email"]

    def test_hubspot_holds_what_the_summary_says(self, loaded):
        """The owners beside the administrator, and the contacts that were there first."""
        _, hubspot, summary = loaded
        owners = get(hubspot, hubspot.access_token, "/crm/v3/owners", limit=100)["results"]
        contacts = get(hubspot, hubspot.access_token, "/crm/v3/objects/contacts", limit=100)["results"]
        assert (len(owners) - 1, len(contacts)) == (summary.owners, summary.hubspot_contacts) == (6, 6)

    def test_refusals_are_told(self, loaded):
        """A sandbox that already holds the same people refuses, and its answer is in the error."""
        salesforce, _, _ = loaded
        with pytest.raises(RuntimeError, match="401"):
            load_demo(salesforce, HubSpotSandbox(), "wrong", "wrong", seed=8, accounts=1)
