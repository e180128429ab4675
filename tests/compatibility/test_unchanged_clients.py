"""Clients that have the vendors' hosts built in read the demo organisation, changed by nothing but the environment.

Each runs in a process of its own, whose environment is what `connector sandbox serve --proxy-port` prints and
nothing else. HubSpot's SDK looks for no proxy there; it is given one by its own documented option.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from compatibility.hosts import under_vendors_hosts
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connector.sandbox.demo import invent, load_demo
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.transport import sandbox_session

ACCOUNTS = 410  # five opportunities each: more than the 2,000 rows of one page
DEALS = 250  # more than two pages of 100
STAGE = "appointmentscheduled"  # the first of the pipeline that every portal has

SIMPLE_SALESFORCE = """
import json, sys
from simple_salesforce import Salesforce

client = Salesforce(**json.load(sys.stdin))
names = ("Account", "Contact", "Opportunity", "OpportunityContactRole")
rows = {name: list(client.query_all_iter(f"SELECT FIELDS(STANDARD) FROM {name}")) for name in names}
print(json.dumps({
    "host": client.sf_instance,
    "counts": {name: len({row["Id"] for row in rows[name]}) for name in names},
    "won": sum(row["Amount"] or 0 for row in rows["Opportunity"] if row["IsWon"]),
}))
"""

HUBSPOT_SDK = """
import json, os, sys
from hubspot import HubSpot

crm = HubSpot(proxy=os.environ["HTTPS_PROXY"], **json.load(sys.stdin)).crm
print(json.dumps({
    "names": [deal.properties["dealname"] for deal in crm.deals.get_all(properties=["dealname"])],
    "contacts": len({contact.id for contact in crm.contacts.get_all()}),
    "owners": len(crm.owners.owners_api.get_page(limit=100).results),
}))
"""

REQUESTS = """
import json, sys
import requests

headers = {"Authorization": "Bearer " + json.load(sys.stdin)["access_token"]}
names, url = [], "https://api.hubapi.com/crm/v3/objects/deals?limit=100"
while url:
    page = requests.get(url, headers=headers).json()
    names += [deal["properties"]["dealname"] for deal in page["results"]]
    url = page.get("paging", {}).get("next", {}).get("link")
print(json.dumps(names))
"""


def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


LOGINS = {
    "at login.salesforce.com, with a security token": (
        lambda s: {"username": s.username, "password": s.password, "security_token": s.security_token},
        "example.my.salesforce.com",
    ),
    "at login.salesforce.com, with a JWT": (
        lambda s: {"username": s.username, "consumer_key": s.consumer_key, "privatekey": private_key()},
        "example.my.salesforce.com",
    ),
    "at a My Domain, with client credentials": (
        lambda s: {"consumer_key": s.consumer_key, "consumer_secret": s.consumer_secret, "domain": "acme.my"},
        "acme.my.salesforce.com",
    ),
}


@pytest.fixture(scope="module")
def crms():
    """Both sandboxes with the demo organisation, some deals, and how many records there are."""
    salesforce, hubspot = SalesforceSandbox(), HubSpotSandbox()
    loaded = load_demo(salesforce, hubspot, salesforce.session_id, hubspot.access_token, accounts=ACCOUNTS)
    with sandbox_session(hubspot=hubspot) as session:
        session.headers["Authorization"] = f"Bearer {hubspot.access_token}"
        for start in range(0, DEALS, 50):
            names = [f"Deal {start + position}" for position in range(50)]
            deals = [{"properties": {"dealname": name, "dealstage": STAGE}, "associations": []} for name in names]
            url = "https://api.hubapi.com/crm/v3/objects/deals/batch/create"
            assert session.post(url, json={"inputs": deals}, timeout=10).status_code == 201
    return salesforce, hubspot, loaded


@pytest.fixture(scope="module")
def run(crms, tmp_path_factory):
    """Run a script in its own process: JSON in, JSON out, and the environment that `serve` prints."""
    salesforce, hubspot, _ = crms
    with under_vendors_hosts(tmp_path_factory.mktemp("ca"), salesforce=salesforce, hubspot=hubspot) as environment:

        def start(script, settings):
            done = subprocess.run(
                [sys.executable, "-c", script], input=json.dumps(settings), env=environment, capture_output=True,
                text=True, check=False, timeout=60,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (0, "")
            return json.loads(done.stdout)

        yield start


@pytest.mark.parametrize("way", LOGINS)
def test_simple_salesforce(way, crms, run):
    """It signs in at Salesforce's own host, is led to the org's, and reads every page of every object."""
    salesforce, _, loaded = crms
    settings, host = LOGINS[way]
    told = run(SIMPLE_SALESFORCE, settings(salesforce))
    assert told["host"] == host
    assert told["counts"] == {
        "Account": loaded.accounts, "Contact": loaded.contacts, "Opportunity": loaded.opportunities,
        "OpportunityContactRole": loaded.contact_roles,
    }  # fmt: skip
    invented = invent(0, ACCOUNTS, salesforce.clock.now().date()).opportunities
    won = sum(row.get("Amount") or 0 for row in invented if row["StageName"] == "Closed Won")
    assert told["won"] == pytest.approx(won)
    assert won > 0


def test_the_sdk_of_hubspot(crms, run):
    """It finds `api.hubapi.com`, trusts it, and reads all pages."""
    _, hubspot, loaded = crms
    told = run(HUBSPOT_SDK, {"access_token": hubspot.access_token})
    assert sorted(told["names"]) == sorted(f"Deal {i}" for i in range(DEALS))
    assert (told["contacts"], told["owners"]) == (loaded.hubspot_contacts, loaded.owners + 1)  # the administrator


def test_requests(crms, run):
    """A few lines over `requests` need no option at all; the links from page to page lead through the proxy."""
    assert sorted(run(REQUESTS, {"access_token": crms[1].access_token})) == sorted(
        f"Deal {i}" for i in range(DEALS)
    )
