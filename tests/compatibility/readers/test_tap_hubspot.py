"""singer-io's tap-hubspot, unmodified, reads a portal to the last record.

It reads contacts and owners by v3, companies, deals and pipelines by the older calls to which it has kept. The demo
leaves but a few contacts in HubSpot, so companies, contacts and deals of the same organisation are entered here.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson
import pytest
from compatibility.readers.singer import Tap

from connector.sandbox.wire import Request

STREAMS = {"contacts", "companies", "deals", "owners", "deal_pipelines", "contacts_by_company"}
COMPANIES, CONTACTS, DEALS = 260, 230, 215  # more than a page of each, and no whole number of pages
COMPANY_OF_CONTACT, COMPANY_OF_DEAL, CONTACT_OF_DEAL = 279, 341, 3
STAGES = {"Closed Won": "closedwon", "Closed Lost": "closedlost"}
FIRST_STAGE = "appointmentscheduled"
START_DATE = "2000-01-01T00:00:00Z"


@dataclass(frozen=True)
class Entered:
    """What was entered: properties by id, and the ids of what belongs together."""

    companies: dict[str, dict[str, str]]
    contacts: dict[str, dict[str, str]]
    deals: dict[str, dict[str, str]]
    employers: set[tuple[str, str]]
    companies_of_deals: dict[str, str]
    contacts_of_deals: dict[str, str]


def enter(sandbox, kind, rows, *links):
    """Create records; each of `links` is a type id and, record by record, the id to associate with or None."""
    headers = {"Authorization": f"Bearer {sandbox.access_token}", "Content-Type": "application/json"}
    url = f"https://api.hubapi.com/crm/v3/objects/{kind}/batch/create"
    inputs = [
        {
            "objectWriteTraceId": str(position),
            "properties": row,
            "associations": [
                {
                    "to": {"id": ids[position]},
                    "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}],
                }
                for type_id, ids in links
                if ids[position] is not None
            ],
        }
        for position, row in enumerate(rows)
    ]
    made = {}
    for start in range(0, len(inputs), 100):
        body = orjson.dumps({"inputs": inputs[start : start + 100]})
        answer = sandbox(Request.make("POST", url, headers, body))
        assert answer.status == 201, answer.body
        made |= {int(row["objectWriteTraceId"]): row["id"] for row in orjson.loads(answer.body)["results"]}
    return [made[position] for position in range(len(rows))]


def named(row, **names):
    """Some values of an invented row under HubSpot's names; what is empty is left out."""
    values = {name: str(row[field]).strip() for name, field in names.items() if row.get(field) is not None}
    return {name: value for name, value in values.items() if value}


def staff_of(organisation):
    """People of the organisation who are not in HubSpot yet and work for nobody or for a company that will be."""
    there = {row["email"] for row in organisation.hubspot_contacts}
    people = {
        row["Email"].lower(): row
        for row in organisation.contacts
        if row.get("Email") and row.get("AccountId", 0) < COMPANIES
    }
    return [row for email, row in people.items() if email not in there][:CONTACTS]


@pytest.fixture(scope="module")
def entered(loaded):
    """Companies, people who work there, and deals with both."""
    organisation = loaded.organisation
    companies = [
        named(row, name="Name", phone="Phone", city="BillingCity", description="Description")
        for row in organisation.accounts[:COMPANIES]
    ]
    company_ids = enter(loaded.hubspot, "companies", companies)

    staff = staff_of(organisation)
    contacts = [
        named(row, email="Email", firstname="FirstName", lastname="LastName", jobtitle="Title") for row in staff
    ]
    employers = [company_ids[row["AccountId"]] if "AccountId" in row else None for row in staff]
    contact_ids = enter(loaded.hubspot, "contacts", contacts, (COMPANY_OF_CONTACT, employers))

    deals = [
        {
            **named(row, dealname="Name", amount="Amount", description="Description"),
            "dealstage": STAGES.get(row["StageName"], FIRST_STAGE),
            "closedate": f"{row['CloseDate']}T00:00:00.000Z",
        }
        for row in organisation.opportunities[:DEALS]
    ]
    customers = [company_ids[position] for position in range(DEALS)]
    buyers = [contact_ids[-1 - position] for position in range(DEALS)]
    links = (COMPANY_OF_DEAL, customers), (CONTACT_OF_DEAL, buyers)
    deal_ids = enter(loaded.hubspot, "deals", deals, *links)
    return Entered(
        companies=dict(zip(company_ids, companies, strict=True)),
        contacts=dict(zip(contact_ids, contacts, strict=True)),
        deals=dict(zip(deal_ids, deals, strict=True)),
        employers={(one, to) for one, to in zip(contact_ids, employers, strict=True) if to},
        companies_of_deals=dict(zip(deal_ids, customers, strict=True)),
        contacts_of_deals=dict(zip(deal_ids, buyers, strict=True)),
    )


@pytest.fixture
def environment(loaded, tmp_path):
    """As for any client, and a list of authorities in which the sandbox's stands.

    The tap sends requests which it has prepared itself; for those, requests does not look at REQUESTS_CA_BUNDLE but
    asks certifi for the authorities to trust.
    """
    certifi = tmp_path / "certifi"
    certifi.mkdir()
    bundle = loaded.environment["REQUESTS_CA_BUNDLE"]
    (certifi / "__init__.py").write_text(f"def where():\n    return {bundle!r}\n", encoding="utf-8")
    return {**loaded.environment, "PYTHONPATH": str(tmp_path)}


def values(row, properties):
    """What a row of the tap says of some properties: v3 values are plain, older ones say when they were set."""
    said = {name: row.get(f"property_{name}") for name in properties}
    return {name: value["value"] if isinstance(value, dict) else value for name, value in said.items()}


def spell(properties):
    """Entered values as the tap gives them: HubSpot's addresses in lower case, numbers as such, moments longer."""
    changes = {"email": str.lower, "amount": float, "closedate": lambda moment: moment.replace(".000Z", ".000000Z")}
    return {name: changes.get(name, str)(value) for name, value in properties.items()}


def by_id(rows, name):
    """Rows by id; the same record must not come twice."""
    found = {str(row[name]): row for row in rows}
    assert len(found) == len(rows)
    return found


def assert_said(rows, entered):
    """The rows are those which were entered, with their values."""
    assert rows.keys() == entered.keys()
    wrong = {
        one: values(rows[one], wanted)
        for one, wanted in entered.items()
        if values(rows[one], wanted) != spell(wanted)
    }
    assert wrong == {}


def test_tap_hubspot_reads_every_record(loaded, entered, environment, tmp_path):
    """Counts, values and associations are those which were entered; owners and pipelines are all there."""
    organisation = loaded.organisation
    config = {"api_key": loaded.hubspot.access_token, "start_date": START_DATE}
    tap = Tap("tap-hubspot", config, tmp_path, environment)
    read = tap.read(tap.discover(), STREAMS)

    assert_said(by_id(read["companies"], "companyId"), entered.companies)
    contacts = by_id(read["contacts"], "id")
    from_demo = [contacts.pop(one) for one in contacts.keys() - entered.contacts.keys()]
    assert_said(contacts, entered.contacts)
    assert_said(by_id(from_demo, "property_email"), {row["email"]: row for row in organisation.hubspot_contacts})
    deals = by_id(read["deals"], "dealId")
    assert_said(deals, entered.deals)

    linked = {one: row["associations"] for one, row in deals.items()}
    assert {one: row["associatedCompanyIds"] for one, row in linked.items()} == {
        one: [int(to)] for one, to in entered.companies_of_deals.items()
    }
    assert {one: row["associatedVids"] for one, row in linked.items()} == {
        one: [int(to)] for one, to in entered.contacts_of_deals.items()
    }
    together = {(str(row["contact-id"]), str(row["company-id"])) for row in read["contacts_by_company"]}
    assert together == entered.employers

    owners = {row["email"]: (row["firstName"], row["lastName"]) for row in read["owners"]}
    assert owners.pop("admin@example.com") == ("Portal", "Admin")
    assert owners == {row["email"]: (row["firstName"], row["lastName"]) for row in organisation.owners}
    (pipeline,) = read["deal_pipelines"]
    assert [stage["stageId"] for stage in pipeline["stages"] if stage["closedWon"]] == ["closedwon"]


def test_tap_hubspot_signs_in_by_oauth(loaded, entered, environment, tmp_path):
    """A refresh token instead of a private app's: the same contacts."""
    sandbox = loaded.hubspot
    config = {
        "client_id": sandbox.client_id, "client_secret": sandbox.client_secret, "start_date": START_DATE,
        "redirect_uri": "https://example.com/back", "refresh_token": sandbox.refresh_token,
    }  # fmt: skip
    tap = Tap("tap-hubspot", config, tmp_path, environment)
    read = tap.read(tap.discover(), {"contacts"})
    assert entered.contacts.keys() < by_id(read["contacts"], "id").keys()
