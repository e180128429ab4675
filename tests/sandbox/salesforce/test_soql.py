"""SOQL: what it answers, and how it refuses."""

from datetime import date, timedelta

import pytest

from connector.sandbox.salesforce.soql.periods import period


@pytest.fixture
def crm(client):
    """Three accounts, two contacts, four opportunities."""
    acme = client.create("Account", Name="Acme", Industry="Energy", NumberOfEmployees=10, HubSpot_Id__c="h1")
    beta = client.create("Account", Name="beta 100%", Industry="Banking", NumberOfEmployees=200)
    client.create("Account", Name="O'Neil_x")
    ada = client.create("Contact", LastName="Ada", Email="Ada@Acme.example", AccountId=acme)
    client.create("Contact", LastName="Bob", HasOptedOutOfEmail=True)
    client.opportunity(Name="One", Amount=100, CloseDate="2026-01-15", AccountId=acme, ContactId=ada)
    client.opportunity(Name="Two", Amount=50.5, CloseDate="2026-03-10", StageName="Closed Won", AccountId=acme)
    client.opportunity(Name="three", CloseDate="2026-03-31", StageName="Closed Lost", AccountId=beta)
    client.opportunity(Name="Four", Amount=400, CloseDate="2027-01-01")
    return client


def names(client, where, sobject="Opportunity"):
    return {row["Name"] for row in client.query(f"SELECT Name FROM {sobject} WHERE {where}")}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name = 'ONE'", "One"),
        ("name != 'one'", "Two three Four"),
        ("Amount = 50.5", "Two"),
        ("Amount < 100", "Two"),
        ("Amount <= 1e2", "One Two"),
        ("Amount > 50.5", "One Four"),
        ("Amount >= +400", "Four"),
        ("Amount = null", "three"),
        ("Amount != NULL", "One Two Four"),
        ("NOT Amount > 50.5", "Two three"),
        ("Name < 'o'", "Four"),
        ("IsWon = true", "Two"),
        ("IsClosed = FALSE", "One Four"),
        ("IsDeleted != false", ""),
        ("StageName IN ('closed won', 'Closed Lost')", "Two three"),
        ("StageName NOT IN ('Closed Won', 'Closed Lost')", "One Four"),
        ("Amount IN (100, 400, null)", "One three Four"),
        ("Amount NOT IN (100)", "Two three Four"),
        ("Name LIKE 'T%'", "Two three"),
        ("Name LIKE '_o%'", "Four"),
        ("Name = 'One' OR Name = 'Two'", "One Two"),
        ("(Name = 'One' OR Name = 'Two') AND Amount > 60", "One"),
        ("Amount > 60 AND (Name = 'One' OR (NOT IsClosed = true))", "One Four"),
        ("(NOT Name LIKE 'T%') AND Amount != null AND CloseDate < 2027-01-01", "One"),
        ("CloseDate = 2026-03-10", "Two"),
        ("CloseDate > 2026-03-10", "three Four"),
        ("CloseDate = TODAY", "Two"),
        ("CloseDate < TODAY", "One"),
        ("CloseDate <= TODAY", "One Two"),
        ("CloseDate > TODAY", "three Four"),
        ("CloseDate >= TODAY", "Two three Four"),
        ("CloseDate != TODAY", "One three Four"),
        ("CloseDate = THIS_MONTH", "Two three"),
        ("CloseDate = THIS_QUARTER", "One Two three"),
        ("CloseDate = THIS_FISCAL_YEAR", "One Two three"),
        ("CloseDate = NEXT_YEAR", "Four"),
        ("CloseDate = LAST_N_DAYS:60", "One Two"),
        ("CloseDate = NEXT_N_DAYS:21", "three"),
        ("CloseDate = LAST_N_MONTHS:2", "One"),
        ("CloseDate = N_DAYS_AGO:0", "Two"),
        ("SystemModstamp = TODAY", "One Two three Four"),
        ("SystemModstamp < TODAY", ""),
        ("SystemModstamp >= 2026-03-10T12:00:30Z", "One Two three Four"),
        ("SystemModstamp >= 2026-03-10T12:00:30.500Z", ""),
        ("SystemModstamp <= 2026-03-10T13:00:30.000+0100", "One Two three Four"),
        ("SystemModstamp < 2026-03-10T07:00:30-05:00", ""),
        ("Account.Name = 'acme'", "One Two"),
        ("Account.Industry != 'Energy'", "three Four"),
        ("Opportunity.Account.Owner.Email = 'admin@example.com'", "One Two three"),
        ("AccountId = null", "Four"),
        ("AccountId IN (SELECT Id FROM Account WHERE Industry = 'Banking')", "three"),
        ("AccountId NOT IN (SELECT Id FROM Account WHERE Industry = 'Banking')", "One Two Four"),
        ("Id IN (SELECT OpportunityId FROM OpportunityContactRole WHERE IsPrimary = true)", "One"),
        ("Id IN (SELECT OpportunityId FROM OpportunityContactRole) AND Amount > 1000", ""),
        ("ContactId != null", "One"),
        ("ForecastCategory = 'Omitted'", "three"),
    ],
)
def test_where(crm, where, found):
    """Every operator and kind of value, as Salesforce compares them."""
    assert names(crm, where) == set(found.split())


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (r"Name = 'O\'Neil_x'", {"O'Neil_x"}),
        (r"Name LIKE '%\_x'", {"O'Neil_x"}),
        (r"Name LIKE '%100\%'", {"beta 100%"}),
        (r"Name LIKE '%\%%'", {"beta 100%"}),
        (r"Name = 'beta 100\u0025'", {"beta 100%"}),
        ("HubSpot_Id__c = 'H1'", {"Acme"}),
        ("HubSpot_Id__c IN ('h1', 'h2') AND Name = 'nope'", set()),
        ("HubSpot_Id__c = ''", {"beta 100%", "O'Neil_x"}),
        ("NumberOfEmployees > 10 OR Industry = 'energy'", {"Acme", "beta 100%"}),
    ],
)
def test_where_text(crm, where, found):
    """Escapes, wildcards and keys."""
    assert names(crm, where, "Account") == found


def test_multipicklist(client, sandbox):
    """INCLUDES wants all of one value's parts; EXCLUDES is its opposite."""
    sandbox.admin.add("fields", [{"sobject": "Account", "name": "Tags__c", "type": "multipicklist"}])
    for name, tags in (("a", "x;y"), ("b", "y"), ("c", None)):
        client.create("Account", Name=name, Tags__c=tags)
    assert names(client, "Tags__c INCLUDES ('x', 'q')", "Account") == {"a"}
    assert names(client, "Tags__c INCLUDES ('x;y')", "Account") == {"a"}
    assert names(client, "Tags__c EXCLUDES ('x')", "Account") == {"b", "c"}


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("Name", "Four One three Two"),
        ("Name DESC", "Two three One Four"),
        ("Amount", "three Two One Four"),
        ("Amount NULLS LAST", "Two One Four three"),
        ("Amount DESC NULLS LAST", "Four One Two three"),
        ("Amount DESC", "three Four One Two"),
        ("StageName DESC, CloseDate", "three Two One Four"),
        ("Account.Name NULLS LAST, Name ASC", "One Two three Four"),
        ("CloseDate LIMIT 2", "One Two"),
        ("CloseDate LIMIT 2 OFFSET 1", "Two three"),
        ("CloseDate LIMIT 0", ""),
        ("CloseDate OFFSET 3", "Four"),
    ],
)
def test_order(crm, order, found):
    """Nulls first unless said otherwise; text without case; a picklist in the order of its values."""
    rows = crm.query(f"SELECT Name FROM Opportunity ORDER BY {order}")
    assert [row["Name"] for row in rows] == found.split()


def test_parents(crm):
    """Fields of parents are nested under the relationship, null where there is no parent."""
    _, body = crm(
        "GET", "query", q="select account.name, Account.Owner.Email, o.Name FROM Opportunity o ORDER BY Name"
    )
    first, second = body["records"][:2]
    assert first["Account"] is None
    assert list(second) == ["attributes", "Account", "Name"]
    assert second["Account"]["attributes"]["type"] == "Account"
    assert (second["Account"]["Name"], second["Account"]["Owner"]["Email"]) == ("Acme", "admin@example.com")


def test_children(crm):
    """A sub-query lists the children, with conditions and order of its own; none is null."""
    rows = crm.query(
        "SELECT Name, (SELECT Id FROM Contacts), "
        "(SELECT Name, Account.Name FROM Opportunities WHERE Amount != null ORDER BY Amount LIMIT 1) "
        "FROM Account ORDER BY Name LIMIT 2"
    )
    acme, beta = rows
    assert (acme["Contacts"]["totalSize"], acme["Contacts"]["done"]) == (1, True)
    assert [row["Name"] for row in acme["Opportunities"]["records"]] == ["Two"]
    assert (beta["Contacts"], beta["Opportunities"]) == (None, None)
    (deal,) = crm.query(
        "SELECT (SELECT ContactId, Contact.Email, Opportunity.Account.Name FROM OpportunityContactRoles) "
        "FROM Opportunity WHERE Name = 'One'"
    )
    (role,) = deal["OpportunityContactRoles"]["records"]
    assert (role["Contact"]["Email"], role["Opportunity"]["Account"]["Name"]) == ("Ada@Acme.example", "Acme")


def test_query_all_children(crm):
    """QueryAll sees deleted rows at the top and in sub-queries."""
    (account,) = crm.query("SELECT Id FROM Account WHERE Name = 'Acme'")
    crm("DELETE", f"sobjects/Account/{account['Id']}")
    soql = "SELECT Name, (SELECT Name FROM Opportunities) FROM Account WHERE IsDeleted = true"
    assert crm.query(soql) == []
    (row,) = crm.query(soql, "queryAll")
    assert [each["Name"] for each in row["Opportunities"]["records"]] == ["One", "Two"]
    assert crm.query("SELECT Id FROM Account WHERE SystemModstamp >= 2026-01-01T00:00:00Z AND IsDeleted = true "
                     "ALL ROWS", "queryAll") == [account]  # fmt: skip


def test_count(crm):
    """COUNT() answers its number as the size, with no rows."""
    assert crm("GET", "query", q="SELECT COUNT() FROM Opportunity WHERE IsClosed = true")[1] == {
        "totalSize": 2, "done": True, "records": [],
    }  # fmt: skip


def test_aggregates(crm):
    """Aggregates leave nulls out; without GROUP BY there is one result."""
    assert crm.query(
        "SELECT COUNT(Id), COUNT(Amount) a, COUNT_DISTINCT(AccountId), SUM(Amount), AVG(Amount) mean, "
        "MIN(CloseDate), MAX(Name) FROM Opportunity"
    ) == [{"expr0": 4, "a": 3, "expr1": 2, "expr2": 550.5, "mean": 183.5, "expr3": "2026-01-15", "expr4": "Two"}]
    assert crm.query("SELECT SUM(Amount), COUNT(Id) FROM Opportunity WHERE Name = 'x'") == [
        {"expr0": None, "expr1": 0}
    ]


def test_group_by(crm):
    """Groups come in the order of their keys; HAVING and ORDER BY may aggregate."""
    assert crm.query("SELECT Account.Name, COUNT(Id) n FROM Opportunity GROUP BY Account.Name") == [
        {"Name": None, "n": 1}, {"Name": "Acme", "n": 2}, {"Name": "beta 100%", "n": 1},
    ]  # fmt: skip
    assert crm.query(
        "SELECT IsClosed, SUM(Amount) total FROM Opportunity WHERE Amount > 0 GROUP BY IsClosed "
        "HAVING COUNT(Id) > 0 AND IsClosed = false ORDER BY SUM(Amount) DESC"
    ) == [{"IsClosed": False, "total": 500.0}]
    _, body = crm("GET", "query", q="SELECT StageName FROM Opportunity GROUP BY StageName ORDER BY COUNT(Id) DESC")
    assert body["records"][0] == {"attributes": {"type": "AggregateResult"}, "StageName": "Prospecting"}


def test_fields_function(crm):
    """FIELDS() stands for the fields; unless they are all standard it needs a small LIMIT."""
    (row,) = crm.query("SELECT FIELDS(ALL) FROM Account LIMIT 1")
    assert {"Id", "HubSpot_Id__c", "BillingAddress", "SystemModstamp"} <= row.keys()
    assert list(crm.query("SELECT FIELDS(CUSTOM) FROM Account LIMIT 200")[0]) == ["HubSpot_Id__c"]
    assert "HubSpot_Id__c" not in crm.query("SELECT FIELDS(STANDARD) FROM Account")[0]
    for soql in ("SELECT FIELDS(ALL) FROM Account", "SELECT FIELDS(CUSTOM) FROM Account LIMIT 201"):
        assert crm.refusal("GET", "query", q=soql)[1] == "MALFORMED_QUERY"


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        (f"SELECT Id FROM Account WHERE {'(' * 5000}Name = 'x'", "QUERY_TOO_COMPLICATED", "nested too deeply"),
        (f"SELECT Id FROM Account WHERE {'NOT ' * 5000}Name = 'x'", "QUERY_TOO_COMPLICATED", "nested too deeply"),
        ("SELECT Id", "MALFORMED_QUERY", "expecting 'FROM', found '<EOF>'"),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT FROM Account", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT * FROM Account", "MALFORMED_QUERY", "no viable alternative at character '*'"),
        ("SELECT Id FROM Account WHER Id = null", "MALFORMED_QUERY", "unexpected token: 'Id'"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name = x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM Account WHERE Name IN", "MALFORMED_QUERY", "expecting '(', found '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name NOT IN 'x'", "MALFORMED_QUERY", "unexpected token: ''x''"),
        ("SELECT Id FROM Account WHERE Name IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY", "no viable alternative"),
        (r"SELECT Id FROM Account WHERE Name = '\q'", "MALFORMED_QUERY", "Illegal escape sequence"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY", "token: 'OR'"),
        ("SELECT Id FROM Account WHERE (Name = 'a'", "MALFORMED_QUERY", "expecting ')'"),
        ("SELECT Id FROM Account LIMIT -1", "MALFORMED_QUERY", "unexpected token: '-1'"),
        ("SELECT Id FROM Account LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM Account LIMIT 1 WHERE Name = 'x'", "MALFORMED_QUERY", "unexpected token: 'WHERE'"),
        ("SELECT Id FROM Account; DROP", "MALFORMED_QUERY", "at character ';'"),
        ("SELECT toLabels(Rating) FROM Account", "MALFORMED_QUERY", "Invalid function: toLabels"),
        ("SELECT Id FROM Account a, a.Contacts c", "INVALID_FIELD", "Didn't understand relationship 'Contacts'"),
        ("SELECT Id FROM Account WITH DATA CATEGORY x AT y", "MALFORMED_QUERY", "unexpected token: 'DATA'"),
        ("SELECT Id FROM Account UPDATE TRACKING", "MALFORMED_QUERY", "unexpected token: 'UPDATE'"),
        ("SELECT Id FROM Account UPDATE VIEWSTAT", "MALFORMED_QUERY", "unexpected token: 'UPDATE'"),
        ("SELECT Id FROM Account -- all of them", "MALFORMED_QUERY", "no viable alternative at character '-'"),
        ("SELECT Id /* the key */ FROM Account", "MALFORMED_QUERY", "no viable alternative at character '/'"),
        ("SELECT Id FROM Account // all", "MALFORMED_QUERY", "no viable alternative at character '/'"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00", "MALFORMED_QUERY", "no viable"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-13-01T00:00:00Z", "MALFORMED_QUERY", "Invalid date/time"),
        ("SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS", "MALFORMED_QUERY", "expecting ':'"),
        ("SELECT Id FROM Account WHERE CreatedDate = LAST_N_YEARS:9999", "MALFORMED_QUERY", "outside of the"),
        ("SELECT Id FROM Account WHERE CreatedDate IN (TODAY)", "MALFORMED_QUERY", "date literals are not"),
        ("SELECT Id FROM Account WHERE COUNT(Id) > 1", "MALFORMED_QUERY", "aggregate functions are not allowed"),
        ("SELECT Id FROM Account ORDER BY COUNT(Id)", "MALFORMED_QUERY", "aggregate functions are not allowed"),
        ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY", "can not be sorted"),
        ("SELECT Name n FROM Account", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
        ("SELECT COUNT(), Name FROM Account", "MALFORMED_QUERY", "COUNT() must be the only thing selected"),
        ("SELECT COUNT(Id) a, SUM(AnnualRevenue) A FROM Account", "MALFORMED_QUERY", "duplicate alias: A"),
        ("SELECT SUM(Name) FROM Account", "MALFORMED_QUERY", "does not support aggregate operator SUM"),
        ("SELECT FIELDS(SOME) FROM Account LIMIT 1", "MALFORMED_QUERY", "unexpected function: FIELDS"),
        ("SELECT Name, FIELDS(ALL), COUNT(Id) FROM Account LIMIT 1", "MALFORMED_QUERY", None),
        ("SELECT COUNT(Id), (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", "sub-queries are not"),
        ("SELECT (SELECT Id FROM Contacts GROUP BY Id) FROM Account", "MALFORMED_QUERY", "GROUP BY is not allowed"),
        ("SELECT Id FROM Account WHERE Id IN (SELECT Name FROM Contact)", "MALFORMED_QUERY", "semi join"),
        ("SELECT Id FROM Account WHERE Name IN (SELECT Id FROM Contact)", "MALFORMED_QUERY", "semi join"),
        ("SELECT Id, id FROM Account", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Nope FROM Account", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'."),
        ("SELECT Id FROM Account WHERE Nope = 1", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Id FROM Account ORDER BY Nope", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Nope.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Nope' in field path."),
        ("SELECT Owner.Nope FROM Account", "INVALID_FIELD", "No such column 'Nope' on entity 'User'."),
        ("SELECT Id FROM Account WHERE Description LIKE 'x%'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account WHERE BillingAddress = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD",
         "value of filter criterion for field 'Name' must be of type string and should be enclosed in quotes"),
        ("SELECT Id FROM Opportunity WHERE Amount = '5'", "INVALID_FIELD", "must be of type double and should not"),
        ("SELECT Id FROM Opportunity WHERE IsWon = 'true'", "INVALID_FIELD", "must be of type boolean and"),
        ("SELECT Id FROM Opportunity WHERE CloseDate = 2026-01-01T00:00:00Z", "INVALID_FIELD", "of type date and"),
        ("SELECT Id FROM Opportunity WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD",
         "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed"),
        ("SELECT Id FROM Opportunity WHERE IsWon > true", "INVALID_FIELD", "invalid operator on boolean field"),
        ("SELECT Id FROM Opportunity WHERE Amount LIKE '1%'", "INVALID_FIELD", "invalid operator on double field"),
        ("SELECT Id FROM Account WHERE Name INCLUDES ('x')", "INVALID_FIELD", "multi-select"),
        ("SELECT Id FROM Account WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported."),
        ("SELECT (SELECT Id FROM Nopes) FROM Account", "INVALID_TYPE", "understand relationship 'Nopes' in FROM"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        ("SELECT Id FROM Account WHERE Name = '" + "x" * 100_000 + "'", "QUERY_TOO_COMPLICATED", None),
    ],
)  # fmt: skip
def test_errors(client, soql, code, message):
    """What is not SOQL, or not about what the org has, is refused by code and text."""
    status, found, text = client.refusal("GET", "query", q=soql)
    assert (status, found) == (400, code)
    assert message is None or message in text


def test_error_shows_the_place(client):
    """The message repeats the line and points at the column."""
    text = client.refusal("GET", "query", q="SELECT Id\nFROM Account\nWHERE Nope = 'x'")[2]
    assert text.startswith("\nWHERE Nope = 'x'\n      ^\nERROR at Row:3:Column:7\nNo such column 'Nope'")


@pytest.mark.parametrize("fields", ["Id, Id", "Id, FIELDS(STANDARD)", "FIELDS(ALL)"])
def test_some_errors_have_no_place(client, fields):
    """That a field is selected twice, or that FIELDS() is not bounded, is said without the line."""
    message = client.refusal("GET", "query", q=f"SELECT {fields} FROM Account")[2]
    assert message in {
        "duplicate field selected: Id", "The SOQL FIELDS function must have a LIMIT of at most 200",
    }  # fmt: skip


def test_query_is_required(client):
    """A query without its text is malformed."""
    assert client.refusal("GET", "query")[:2] == (400, "MALFORMED_QUERY")


@pytest.mark.parametrize(
    "tail", ["FOR VIEW", "FOR REFERENCE", "FOR UPDATE", "USING SCOPE everything", "LIMIT 1 ALL ROWS"]
)
def test_purposes(crm, tail):
    """Clauses that change nothing over REST are read and passed over."""
    assert len(crm.query(f"SELECT Id FROM Account {tail}")) >= 1


def test_recent_changes(crm, clock):
    """A range over SystemModstamp finds what changed, in the order of creation, also after the clock went back."""
    since = "SELECT Name FROM Opportunity WHERE SystemModstamp >= 2026-03-10T12:10:00Z"
    ids = [row["Id"] for row in crm.query("SELECT Id FROM Opportunity")]
    clock.advance(timedelta(minutes=20))
    for record in reversed(ids[1:3]):
        crm("PATCH", f"sobjects/Opportunity/{record}", {"Type": "x"})
    assert [row["Name"] for row in crm.query(since)] == ["Two", "three"]
    clock.advance(timedelta(minutes=-30))
    crm("PATCH", f"sobjects/Opportunity/{ids[1]}", {"Type": "y"})
    assert [row["Name"] for row in crm.query(since)] == ["three"]
    crm("DELETE", f"sobjects/Opportunity/{ids[2]}")
    assert crm.query(since) == []


# -- pages


def load(client, count):
    for start in range(0, count, 200):
        records = [
            {"attributes": {"type": "Account"}, "Name": f"{n:05}"} for n in range(start, min(start + 200, count))
        ]
        client("POST", "composite/sobjects", {"records": records})


def test_pages(client):
    """More than 2,000 rows come in pages, whose rows are as they were when the query began."""
    load(client, 4100)
    status, page = client("GET", "query", q="SELECT Name FROM Account")
    found = [row["Name"] for row in page["records"]]
    assert (status, page["totalSize"], page["done"], len(found)) == (200, 4100, False, 2000)
    assert page["nextRecordsUrl"].startswith("/services/data/v62.0/query/01g")
    assert page["nextRecordsUrl"].endswith("-2000")
    (last,) = client.query("SELECT Id FROM Account WHERE Name = '04099'")
    client("PATCH", f"sobjects/Account/{last['Id']}", {"Name": "changed"})
    while not page["done"]:
        _, page = client("GET", page["nextRecordsUrl"])
        found += [row["Name"] for row in page["records"]]
    assert "nextRecordsUrl" not in page
    assert found == [f"{n:05}" for n in range(4100)]


@pytest.mark.parametrize(("asked", "given"), [(200, 200), (50, 200), (500, 500), (9999, 2000)])
def test_batch_size(client, asked, given):
    """The header asks for smaller pages, of 200 rows at least."""
    load(client, 2100)
    headers = {**client.headers, "Sforce-Query-Options": f"batchSize={asked}"}
    _, page = client("GET", "queryAll", headers=headers, q="SELECT Id FROM Account")
    assert len(page["records"]) == given
    _, page = client("GET", page["nextRecordsUrl"])
    assert len(page["records"]) == min(given, 2100 - given)


def test_locators_end(client, clock):
    """A locator is refused when it is unknown, past the end, or older than two days."""
    load(client, 2100)
    _, page = client("GET", "query", q="SELECT Id FROM Account")
    url = page["nextRecordsUrl"]
    for bad in ("query/nonsense", "query/01g000000000000AAA-2000", url.replace("-2000", "-9000")):
        assert client.refusal("GET", bad)[:2] == (400, "INVALID_QUERY_LOCATOR")
    assert client("GET", url)[0] == 200
    clock.advance(timedelta(days=2, seconds=1))
    assert client.refusal("GET", url)[1] == "INVALID_QUERY_LOCATOR"


def test_ten_cursors(client):
    """The eleventh open cursor closes the first."""
    load(client, 2100)
    urls = [client("GET", "query", q="SELECT Id FROM Account")[1]["nextRecordsUrl"] for _ in range(11)]
    assert client.refusal("GET", urls[0])[1] == "INVALID_QUERY_LOCATOR"
    assert client("GET", urls[1])[0] == 200


def test_too_many_groups(client):
    """An aggregate has one page only."""
    load(client, 2100)
    assert client.refusal("GET", "query", q="SELECT Name FROM Account GROUP BY Name")[1] == "EXCEEDED_ID_LIMIT"


@pytest.mark.parametrize(
    ("literal", "n", "first", "after"),
    [
        ("YESTERDAY", None, "2026-03-09", "2026-03-10"),
        ("TOMORROW", None, "2026-03-11", "2026-03-12"),
        ("THIS_WEEK", None, "2026-03-08", "2026-03-15"),
        ("LAST_WEEK", None, "2026-03-01", "2026-03-08"),
        ("NEXT_MONTH", None, "2026-04-01", "2026-05-01"),
        ("LAST_QUARTER", None, "2025-10-01", "2026-01-01"),
        ("LAST_FISCAL_YEAR", None, "2025-01-01", "2026-01-01"),
        ("LAST_90_DAYS", None, "2025-12-10", "2026-03-11"),
        ("NEXT_90_DAYS", None, "2026-03-11", "2026-06-09"),
        ("LAST_N_DAYS", 1, "2026-03-09", "2026-03-11"),
        ("LAST_N_WEEKS", 2, "2026-02-22", "2026-03-08"),
        ("NEXT_N_QUARTERS", 4, "2026-04-01", "2027-04-01"),
        ("N_MONTHS_AGO", 3, "2025-12-01", "2026-01-01"),
        ("N_FISCAL_YEARS_AGO", 1, "2025-01-01", "2026-01-01"),
    ],
)
def test_periods(literal, n, first, after):
    """From which day to which a date literal lasts, seen from a Tuesday in March."""
    found = period(literal, n, date(2026, 3, 10))
    assert tuple(day.isoformat() for day in found) == (first, after)
