"""Salesforce's rows, compared by what they say and not by their ids: a reference is the row that it leads to."""

from __future__ import annotations

from collections import Counter

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
A_PAGE = 2_000  # rows; SOQL and SOSL Reference, "Change the Batch Size in Queries"


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
    """All rows that a reader read, by object and id."""
    known = {}
    for sobject in FIELDS:
        known[sobject] = {row["Id"]: tell(sobject, row, known) for row in read[sobject]}
    return known


def assert_all_read(read, organisation):
    """Counts and values of the rows read are those which were loaded, and the administrator's."""
    assert len(read["OpportunityContactRole"]) > A_PAGE
    known = tell_read(read)
    (administrator,) = [told for told in known["User"].values() if told[0] == ADMINISTRATOR]
    expected = tell_invented(organisation, administrator)
    expected["User"].append(administrator)
    for sobject in FIELDS:
        assert len(known[sobject]) == len(read[sobject]), "no record twice"
        there, wanted = Counter(known[sobject].values()), Counter(expected[sobject])
        assert (there - wanted, wanted - there) == (Counter(), Counter()), sobject
