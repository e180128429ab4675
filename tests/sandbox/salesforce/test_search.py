"""SOSL and parameterized search: which words fit, in which fields, and how the records are answered."""

import pytest


@pytest.fixture
def crm(client):
    """Three accounts, two contacts, one opportunity, with words in common."""
    acme = client.create("Account", Name="Acme Metal-Works", Industry="Energy", Phone="+1 (415) 555-0199")
    client.create("Account", Name="Acmeton Trading", Description="Sells what ACME makes", NumberOfEmployees=5)
    client.create("Account", Name="Zürich Re")
    client.create("Contact", FirstName="Ada", LastName="Smith", Email="ada@acme.example", AccountId=acme)
    client.create("Contact", LastName="Smythe", Title="Buyer of acme")
    client.opportunity(Name="Metal for Smith", AccountId=acme)
    return client


def find(client, text):
    """The names of what is found, or what else is answered of it."""
    status, body = client("GET", "search", q=text)
    assert status == 200, body
    return [record.get("Name") or record["Id"] for record in body["searchRecords"]]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("acme", ["Acme Metal-Works", "Acmeton Trading"]),
        ("ACME METAL", ["Acme Metal-Works"]),
        ("metal acme", ["Acme Metal-Works"]),
        ('"metal works"', ["Acme Metal-Works"]),
        ('"acme works"', []),
        ("metal-works", ["Acme Metal-Works"]),
        ("metal OR trading", ["Acme Metal-Works", "Acmeton Trading"]),
        ("acme AND NOT metal", ["Acmeton Trading"]),
        ("acmet*", ["Acmeton Trading"]),
        ("ac?e*", ["Acme Metal-Works", "Acmeton Trading"]),
        ("ac?e", ["Acme Metal-Works", "Acmeton Trading"]),
        ("acmeto", []),
        ("ZÜRICH", ["Zürich Re"]),
        ("energy", ["Acme Metal-Works"]),
        ("5550199", []),
        ("0199", ["Acme Metal-Works"]),
        ('"and" OR trading', ["Acmeton Trading"]),
        ("nothing\\-here", []),
    ],
)
def test_words(crm, words, names):
    """Words fit as wholes and without case, side by side in quotes, with wildcards and operators."""
    assert find(crm, f"FIND {{{words}}} RETURNING Account(Name)") == names


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("", ["Ada Smith", "Smythe"]),
        ("IN ALL FIELDS", ["Ada Smith", "Smythe"]),
        ("in email fields", ["Ada Smith"]),
        ("IN NAME FIELDS", []),
        ("IN PHONE FIELDS", []),
        ("IN SIDEBAR FIELDS", ["Ada Smith", "Smythe"]),
    ],
)
def test_groups_of_fields(crm, group, names):
    """IN … FIELDS narrows the search to fields of a kind."""
    assert find(crm, f"FIND {{acme}} {group} RETURNING Contact(Name)") == names


def test_returning(crm):
    """Each object has fields, conditions, an order and bounds of its own, and the whole has a bound."""
    status, body = crm(
        "GET", "search",
        q="FIND {smith OR acme} IN ALL FIELDS RETURNING Contact(Id, Account.Name WHERE Email != null), "
          "Account(Name, NumberOfEmployees ORDER BY Name DESC LIMIT 1), Opportunity",
    )  # fmt: skip
    contact, account, opportunity = body["searchRecords"]
    assert (status, contact["Account"]["Name"]) == (200, "Acme Metal-Works")
    assert account == {
        "attributes": {"type": "Account", "url": account["attributes"]["url"]},
        "Name": "Acmeton Trading", "NumberOfEmployees": 5,
    }  # fmt: skip
    assert account["attributes"]["url"].startswith("/services/data/v62.0/sobjects/Account/001")
    assert list(opportunity) == ["attributes", "Id"]
    assert find(crm, "FIND {acme} RETURNING Account(Name ORDER BY Name), Contact(Name) LIMIT 3") == [
        "Acme Metal-Works", "Acmeton Trading", "Ada Smith",
    ]  # fmt: skip


def test_every_object(crm):
    """Without RETURNING the ids of all that fits are answered."""
    _, body = crm("GET", "search/", q="FIND {smith}")
    assert [(each["attributes"]["type"], list(each)) for each in body["searchRecords"]] == [
        ("Contact", ["attributes", "Id"]), ("Opportunity", ["attributes", "Id"]),
    ]  # fmt: skip


def test_search_sees_what_the_user_sees(crm, sandbox):
    """Neither deleted records, nor hidden fields and objects, are searched."""
    sandbox.admin.permissions({
        "fields": {"Account": {"Description": {"read": False, "edit": False}}},
        "objects": {"Opportunity": {"read": False, "edit": False}},
    })  # fmt: skip
    assert find(crm, "FIND {acme} RETURNING Account(Name)") == ["Acme Metal-Works"]
    assert len(find(crm, "FIND {metal}")) == 1
    (account,) = crm.query("SELECT Id FROM Account WHERE Name LIKE 'Acme %'")
    crm("DELETE", f"sobjects/Account/{account['Id']}")
    assert find(crm, "FIND {acme} RETURNING Account(Name)") == []


@pytest.mark.parametrize(
    ("sosl", "code", "message"),
    [
        ("", "MALFORMED_SEARCH", "has to be specified"),
        ("acme", "MALFORMED_SEARCH", "expecting FIND"),
        ("FIND acme", "MALFORMED_SEARCH", "expecting FIND"),
        ("FIND {a}", "MALFORMED_SEARCH", "search term must be longer than one character: a"),
        ("FIND {a*}", "MALFORMED_SEARCH", "search term must be longer than one character"),
        ("FIND {}", "MALFORMED_SEARCH", "No search term found"),
        ("FIND {*cme}", "MALFORMED_SEARCH", "wildcard cannot be the first"),
        ("FIND {acme OR}", "MALFORMED_SEARCH", "No search term found"),
        ("FIND {AND acme}", "MALFORMED_SEARCH", "unexpected operator: AND"),
        ("FIND {acme AND OR x}", "MALFORMED_SEARCH", "unexpected operator: OR"),
        ("FIND {acme OR NOT metal}", "MALFORMED_SEARCH", "unexpected operator: NOT"),
        ("FIND {NOT acme}", "MALFORMED_SEARCH", "unexpected operator: NOT"),
        ("FIND {acme} IN SOME FIELDS", "MALFORMED_SEARCH", "unexpected token: 'FIELDS'"),
        ("FIND {acme} RETURNING Account(Name", "MALFORMED_SEARCH", "expecting ')', found '<EOF>'"),
        ("FIND {acme} RETURNING Account(Name) WITH SNIPPET", "MALFORMED_SEARCH", "unexpected token: 'WITH'"),
        ("FIND {acme} RETURNING Account(Nope)", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'"),
        ("FIND {acme} RETURNING Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported."),
    ],
)
def test_searches_are_refused(crm, sosl, code, message):
    """What is no search is refused by code and text."""
    status, found, text = crm.refusal("GET", "search", q=sosl)
    assert (status, found) == (400, code)
    assert message in text


def test_parameters_in_the_address(crm):
    """`parameterizedSearch` takes words, objects, their fields, conditions and bounds as parameters."""
    _, body = crm("GET", "parameterizedSearch", q="acme", sobject="Account", **{
        "Account.fields": "Id, Name", "Account.where": "NumberOfEmployees = 5", "Account.orderBy": "Name DESC",
        "Account.limit": 10, "in": "ALL",
    })  # fmt: skip
    assert [each["Name"] for each in body["searchRecords"]] == ["Acmeton Trading"]
    _, body = crm("GET", "parameterizedSearch", q="acme", sobject="Account,Contact", fields="Name", defaultLimit=1)
    assert [each["Name"] for each in body["searchRecords"]] == ["Acme Metal-Works", "Ada Smith"]
    _, body = crm("GET", "parameterizedSearch/", q="acme", overallLimit=3)
    assert len(body["searchRecords"]) == 3


def test_parameters_in_the_body(crm):
    """The same by POST, with objects of their own settings."""
    _, body = crm("POST", "parameterizedSearch", {
        "q": "smith", "fields": ["Id"], "in": "NAME", "overallLimit": 5, "defaultLimit": 1,
        "sobjects": [
            {"name": "Contact", "fields": ["FirstName", "LastName"], "limit": 2},
            {"name": "Opportunity", "where": "IsWon = true"}, {"name": "Opportunity", "orderBy": "Name"},
        ],
    })  # fmt: skip
    contact, opportunity = body["searchRecords"]
    assert (contact["FirstName"], contact["LastName"]) == ("Ada", "Smith")
    assert list(opportunity) == ["attributes", "Id"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MALFORMED_SEARCH"),
        ({"q": 5}, "MALFORMED_SEARCH"),
        ({"q": "acme", "in": "SOME"}, "MALFORMED_SEARCH"),
        ({"q": "acme", "overallLimit": "many"}, "MALFORMED_SEARCH"),
        ({"q": "acme", "sobjects": {}}, "JSON_PARSER_ERROR"),
        ({"q": "acme", "sobjects": [{"fields": ["Id"]}]}, "JSON_PARSER_ERROR"),
        ({"q": "acme", "sobjects": [{"name": "Account", "fields": [1]}]}, "JSON_PARSER_ERROR"),
        ({"q": "acme", "sobjects": [{"name": "Account", "where": 1}]}, "JSON_PARSER_ERROR"),
        ({"q": "acme", "sobjects": [{"name": "Nope"}]}, "INVALID_TYPE"),
        ({"q": "acme", "sobjects": [{"name": "Account", "fields": ["Nope"]}]}, "INVALID_FIELD"),
    ],
)
def test_parameters_are_refused(crm, body, code):
    """Parameters that are missing, or of another type, are refused."""
    assert crm.refusal("POST", "parameterizedSearch", body)[:2] == (400, code)
