"""singer-io's tap-salesforce, unmodified, reads the demo org to the last record: by REST and by the Bulk API.

Rows are compared by what they say, not by their ids: a reference is replaced by the row that it leads to.
"""

from __future__ import annotations

from collections import Counter

import orjson
import pytest
from compatibility.readers.singer import Tap

from connector.sandbox.wire import Request

# What is compared of each object. A field named in REFERENCES stands for the row that it leads to.
FIELDS = {
    "User": ("Email", "FirstName", "LastName", "IsActive"),
    "RecordType": ("Name", "DeveloperName", "SobjectType", "IsActive"),
    "Account": ("Name", "Website", "Industry", "Phone", "NumberOfEmployees", "AnnualRevenue", "Description",
                "BillingStreet", "BillingCity", "BillingPostalCode", "OwnerId"),
    "Contact": ("FirstName", "LastName", "Email", "Phone", "MobilePhone", "Title", "LeadSource", "AccountId",
                "OwnerId"),
    "Opportunity": ("Name", "RecordTypeId", "StageName", "CloseDate", "Amount", "Description", "NextStep",
                    "LeadSource", "AccountId", "OwnerId"),
    "OpportunityContactRole": ("OpportunityId", "ContactId", "Role", "IsPrimary"),
}  # fmt: skip
REFERENCES = {
    "OwnerId": "User", "RecordTypeId": "RecordType", "AccountId": "Account", "ContactId": "Contact",
    "OpportunityId": "Opportunity",
}  # fmt: skip
ADMINISTRATOR = "admin@example.com"


def plain(name, value):
    """A value without what either side may add: blanks around it, the time of a date, the kind of number."""
    if isinstance(value, str):
        value = value.strip().replace("\r\n", "\n")
        return (value[:10] if name == "CloseDate" else value) or None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def tell(sobject, row, known, nobody=None):
    """A row as a tuple. `known` holds the tuples of the rows told before, by object and by what refers to them."""
    told = []
    for name in FIELDS[sobject]:
        if name not in REFERENCES:
            told.append(plain(name, row.get(name)))
        elif row.get(name) is None:
            told.append(nobody if name == "OwnerId" else None)
        else:
            told.append(known[REFERENCES[name]][row[name]])
    return tuple(told)


def tell_invented(organisation, administrator):
    """All rows that were loaded, by object; a reference is the position of the row meant."""
    rows = {
        "User": organisation.users, "RecordType": organisation.record_types, "Account": organisation.accounts,
        "Contact": organisation.contacts, "Opportunity": organisation.opportunities,
        "OpportunityContactRole": organisation.contact_roles,
    }  # fmt: skip
    known = {}
    for sobject in FIELDS:
        known[sobject] = [tell(sobject, row, known, administrator) for row in rows[sobject]]
    return known


def tell_read(read):
    """All rows that the tap wrote, by object and id."""
    known = {}
    for sobject in FIELDS:
        known[sobject] = {row["Id"]: tell(sobject, row, known) for row in read[sobject]}
    return known


@pytest.fixture(scope="module")
def deleted(loaded):
    """The id of an account that lies in the recycle bin."""
    headers = {"Authorization": f"Bearer {loaded.salesforce.session_id}", "Content-Type": "application/json"}
    url = "https://example.my.salesforce.com/services/data/v61.0/sobjects/Account"
    made = loaded.salesforce(Request.make("POST", url, headers, b'{"Name": "Gone"}'))
    account = orjson.loads(made.body)["id"]
    assert loaded.salesforce(Request.make("DELETE", f"{url}/{account}", headers, b"")).status == 204
    return account


@pytest.mark.parametrize("way", ["REST", "BULK"])
def test_tap_salesforce_reads_every_record(loaded, deleted, tmp_path, way):
    """Counts and values are those which were loaded; a deleted account is read as deleted."""
    sandbox = loaded.salesforce
    config = {
        "client_id": sandbox.consumer_key, "client_secret": sandbox.consumer_secret,
        "refresh_token": sandbox.refresh_token, "start_date": "2000-01-01T00:00:00Z", "api_type": way,
    }  # fmt: skip
    tap = Tap("tap-salesforce", config, tmp_path, loaded.environment)
    read = tap.read(tap.discover(), {*FIELDS, "OpportunityStage"})

    assert {row["MasterLabel"] for row in read["OpportunityStage"]} > {"Prospecting", "Closed Won"}
    assert [row["Id"] for row in read["Account"] if row["IsDeleted"]] == [deleted]
    read["Account"] = [row for row in read["Account"] if not row["IsDeleted"]]
    known = tell_read(read)
    (administrator,) = [told for told in known["User"].values() if told[0] == ADMINISTRATOR]
    expected = tell_invented(loaded.organisation, administrator)
    expected["User"].append(administrator)
    for sobject in FIELDS:
        assert len(known[sobject]) == len(read[sobject]), "no record twice"
        there, wanted = Counter(known[sobject].values()), Counter(expected[sobject])
        assert (there - wanted, wanted - there) == (Counter(), Counter()), sobject
