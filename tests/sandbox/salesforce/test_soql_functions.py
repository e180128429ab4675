"""SOQL: functions of values, groups with subtotals, and amounts in several currencies."""

import pytest


@pytest.fixture
def deals(client):
    """Five opportunities over two years."""
    acme = client.create("Account", Name="Acme", AnnualRevenue=1234567, NumberOfEmployees=1200)
    for name, amount, closes, stage in (
        ("One", 1000.5, "2025-01-01", "Prospecting"),
        ("Two", 50, "2025-12-31", "Closed Won"),
        ("Three", None, "2026-02-28", "Prospecting"),
        ("Four", 4, "2026-03-07", "Prospecting"),
        ("Five", 5, "2026-03-08", "Closed Won"),
    ):
        client.opportunity(Name=name, Amount=amount, CloseDate=closes, StageName=stage, AccountId=acme)
    return client


def refused(client, soql):
    return client.refusal("GET", "query", q=soql)[1:]


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("CALENDAR_YEAR(CloseDate) = 2025", "One Two"),
        ("CALENDAR_QUARTER(CloseDate) = 4", "Two"),
        ("CALENDAR_MONTH(CloseDate) IN (2, 12)", "Two Three"),
        ("FISCAL_YEAR(CloseDate) > 2025", "Three Four Five"),
        ("FISCAL_QUARTER(CloseDate) = 1 AND FISCAL_MONTH(CloseDate) < 3", "One Three"),
        ("DAY_IN_MONTH(CloseDate) = 28", "Three"),
        ("DAY_IN_WEEK(CloseDate) = 1", "Five"),  # a Sunday
        ("DAY_IN_WEEK(CloseDate) = 7", "Three Four"),  # Saturdays
        ("DAY_IN_YEAR(CloseDate) = 365", "Two"),
        ("WEEK_IN_MONTH(CloseDate) = 2", "Five"),
        ("WEEK_IN_YEAR(CloseDate) = 53", "Two"),
        ("DAY_ONLY(CreatedDate) = 2026-03-10 AND Amount < 5", "Four"),
        ("HOUR_IN_DAY(CreatedDate) = 12 AND Amount = 4", "Four"),
        ("HOUR_IN_DAY(convertTimezone(CreatedDate)) != 12", ""),
        ("toLabel(StageName) = 'closed won'", "Two Five"),
        ("calendar_year(Account.CreatedDate) = 2026 AND Amount > 50", "One"),
    ],
)
def test_functions_filter(deals, call, found):
    """Parts of dates, and labels, are compared like values."""
    rows = deals.query(f"SELECT Name FROM Opportunity WHERE {call} ORDER BY CloseDate")
    assert [row["Name"] for row in rows] == found.split()


def test_functions_group(deals):
    """A date function that is grouped by is selected as an expression, sorted by and filtered by."""
    assert deals.query(
        "SELECT CALENDAR_YEAR(CloseDate), COUNT(Id), SUM(Amount) total FROM Opportunity "
        "GROUP BY CALENDAR_YEAR(CloseDate) HAVING CALENDAR_YEAR(CloseDate) > 2000 "
        "ORDER BY CALENDAR_YEAR(CloseDate) DESC"
    ) == [{"expr0": 2026, "expr1": 3, "total": 9.0}, {"expr0": 2025, "expr1": 2, "total": 1050.5}]
    (row,) = deals.query("SELECT DAY_ONLY(CreatedDate) day FROM Opportunity GROUP BY DAY_ONLY(CreatedDate)")
    assert row == {"day": "2026-03-10"}


def test_function_of_a_grouped_date(deals):
    """A function of a date needs no group of its own where the date is grouped; one of a date-time does."""
    rows = deals.query("SELECT CALENDAR_YEAR(CloseDate) y FROM Opportunity GROUP BY CloseDate ORDER BY CloseDate")
    assert [row["y"] for row in rows] == [2025, 2025, 2026, 2026, 2026]
    soql = "SELECT CALENDAR_YEAR(CreatedDate) FROM Opportunity GROUP BY CloseDate"
    assert refused(deals, soql)[0] == "MALFORMED_QUERY"


def test_functions_sort(deals):
    """Rows sort by a part of a date too."""
    rows = deals.query(
        "SELECT Name FROM Opportunity ORDER BY CALENDAR_MONTH(CloseDate) DESC, DAY_IN_MONTH(CloseDate)"
    )
    assert [row["Name"] for row in rows] == ["Two", "Four", "Five", "Three", "One"]


def test_labels(client, sandbox):
    """`toLabel` answers the label in the place of the value, under the field's name or an alias."""
    choices = [{"value": "A", "label": "First class"}, {"value": "B", "label": "Second"}]
    sandbox.admin.add("fields", [
        {"sobject": "Account", "name": "Class__c", "type": "picklist", "picklistValues": choices},
        {"sobject": "Account", "name": "Classes__c", "type": "multipicklist", "picklistValues": choices},
    ])  # fmt: skip
    account = client.create("Account", Name="Acme", Class__c="A", Classes__c="A;B")
    client.create("Contact", LastName="Ada", AccountId=account)
    assert client.query("SELECT toLabel(Class__c), toLabel(Classes__c) many FROM Account") == [
        {"Class__c": "First class", "many": "First class;Second"}
    ]
    (row,) = client.query(
        "SELECT toLabel(Account.Class__c) FROM Contact WHERE toLabel(Account.Class__c) = 'first class'"
    )
    assert row["Account"]["Class__c"] == "First class"
    assert client.query("SELECT Class__c, toLabel(Class__c) told FROM Account") == [
        {"Class__c": "A", "told": "First class"}
    ]
    assert refused(client, "SELECT Class__c, toLabel(Class__c) FROM Account")[0] == "INVALID_FIELD"


def test_formats(deals):
    """`FORMAT` writes as the en_US user interface does, also the value of an aggregate."""
    (row,) = deals.query(
        "SELECT FORMAT(Amount), FORMAT(CloseDate) day, FORMAT(CreatedDate) at, FORMAT(Probability) odds, "
        "FORMAT(Account.AnnualRevenue), FORMAT(Account.NumberOfEmployees) staff FROM Opportunity WHERE Name = 'One'"
    )
    assert row.pop("Account")["AnnualRevenue"] == "$1,234,567.00"
    assert row == {
        "Amount": "$1,000.50", "day": "1/1/2025", "at": "3/10/2026, 12:00 PM", "odds": "10%", "staff": "1,200",
    }  # fmt: skip
    assert deals.query("SELECT FORMAT(Amount) FROM Opportunity WHERE Name = 'Three'") == [{"Amount": None}]
    assert deals.query("SELECT FORMAT(MIN(CloseDate)) first, FORMAT(SUM(Amount)) FROM Opportunity") == [
        {"first": "1/1/2025", "expr0": "$1,059.50"}
    ]


def test_rollup(deals):
    """ROLLUP adds subtotals from right to left; GROUPING tells them from groups of nulls."""
    assert deals.query(
        "SELECT StageName s, CALENDAR_YEAR(CloseDate) y, GROUPING(StageName) gs, "
        "GROUPING(CALENDAR_YEAR(CloseDate)) gy, COUNT(Id) n FROM Opportunity "
        "GROUP BY ROLLUP(StageName, CALENDAR_YEAR(CloseDate))"
    ) == [
        {"s": "Closed Won", "y": 2025, "gs": 0, "gy": 0, "n": 1},
        {"s": "Closed Won", "y": 2026, "gs": 0, "gy": 0, "n": 1},
        {"s": "Closed Won", "y": None, "gs": 0, "gy": 1, "n": 2},
        {"s": "Prospecting", "y": 2025, "gs": 0, "gy": 0, "n": 1},
        {"s": "Prospecting", "y": 2026, "gs": 0, "gy": 0, "n": 2},
        {"s": "Prospecting", "y": None, "gs": 0, "gy": 1, "n": 3},
        {"s": None, "y": None, "gs": 1, "gy": 1, "n": 5},
    ]


def test_cube(deals):
    """CUBE adds subtotals for every combination of the grouped fields."""
    rows = deals.query(
        "SELECT StageName s, CALENDAR_YEAR(CloseDate) y, COUNT(Id) n FROM Opportunity "
        "GROUP BY CUBE(StageName, CALENDAR_YEAR(CloseDate)) HAVING GROUPING(StageName) = 1 ORDER BY COUNT(Id)"
    )
    assert rows == [{"s": None, "y": 2025, "n": 2}, {"s": None, "y": 2026, "n": 3}, {"s": None, "y": None, "n": 5}]


@pytest.fixture
def currencies(client, sandbox):
    """An org whose own currency is the euro, which buys two dollars; the user's is the dollar."""
    sandbox.admin.replace("currencies", [
        {"IsoCode": "EUR", "ConversionRate": 1, "IsCorporate": True, "IsActive": True, "DecimalPlaces": 2},
        {"IsoCode": "USD", "ConversionRate": 2, "IsCorporate": False, "IsActive": True, "DecimalPlaces": 2},
        {"IsoCode": "GBP", "ConversionRate": 1, "IsCorporate": False, "IsActive": False, "DecimalPlaces": 2},
    ])  # fmt: skip
    sandbox.admin.replace("users", [{"Username": "admin@example.com", "DefaultCurrencyIsoCode": "USD"}])
    account = client.create("Account", Name="Acme", AnnualRevenue=10, CurrencyIsoCode="EUR")
    client.opportunity(Name="Dollars", Amount=100, CurrencyIsoCode="USD", AccountId=account)
    client.opportunity(Name="Euros", Amount=60, CurrencyIsoCode="EUR")
    client.opportunity(Name="Nothing", CurrencyIsoCode="EUR")
    return client


def test_convert_currency(currencies):
    """`convertCurrency` answers amounts in the user's currency; FORMAT says in which one they are."""
    rows = currencies.query(
        "SELECT convertCurrency(Amount), FORMAT(Amount) own, FORMAT(convertCurrency(Amount)) mine, "
        "convertCurrency(Account.AnnualRevenue) FROM Opportunity ORDER BY Name"
    )
    assert [(row["Amount"], row["own"], row["mine"]) for row in rows] == [
        (100.0, "USD 100.00", "USD 100.00"), (120.0, "EUR 60.00", "USD 120.00"), (None, None, None),
    ]  # fmt: skip
    assert [row["Account"] and row["Account"]["AnnualRevenue"] for row in rows] == [20.0, None, None]


def test_amounts_are_compared_by_worth(currencies):
    """An amount with an ISO code is compared by its worth, one without by its number; ORDER BY is by worth."""

    def names(tail):
        return [row["Name"] for row in currencies.query(f"SELECT Name FROM Opportunity {tail}")]

    assert names("WHERE Amount > EUR55.5") == ["Euros"]
    assert names("WHERE Amount = eur50") == ["Dollars"]
    assert names("WHERE Amount IN (USD100, USD120)") == ["Dollars", "Euros"]
    assert names("WHERE Amount > 60") == ["Dollars"]
    assert names("ORDER BY Amount DESC NULLS LAST") == ["Euros", "Dollars", "Nothing"]
    assert refused(currencies, "SELECT Id FROM Opportunity WHERE Amount IN (USD1, 2)")[0] == "MALFORMED_QUERY"
    assert refused(currencies, "SELECT Id FROM Opportunity WHERE Amount > GBP1")[0] == "MALFORMED_QUERY"
    assert refused(currencies, "SELECT Id FROM Opportunity WHERE Probability > USD1")[0] == "INVALID_FIELD"


def test_aggregates_are_in_the_corporate_currency(currencies):
    """Sums and the like of amounts are in the org's own currency."""
    assert currencies.query("SELECT SUM(Amount) sum, MIN(Amount) least FROM Opportunity") == [
        {"sum": 110.0, "least": 50.0}
    ]


def test_single_currency(client):
    """`convertCurrency` and amounts with an ISO code are for orgs with several currencies."""
    assert refused(client, "SELECT convertCurrency(Amount) FROM Opportunity")[0] == "INVALID_FIELD"
    assert refused(client, "SELECT Id FROM Opportunity WHERE Amount > USD5")[0] == "INVALID_FIELD"


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT CALENDAR_YEAR(CloseDate) FROM Opportunity", "MALFORMED_QUERY", "must be grouped or aggregated"),
        ("SELECT Id FROM Opportunity WHERE CALENDAR_YEAR(CloseDate) = THIS_YEAR", "INVALID_FIELD", "of type int"),
        ("SELECT Id FROM Opportunity WHERE DAY_ONLY(CreatedDate) = TODAY", "MALFORMED_QUERY", "literal cannot"),
        ("SELECT Id FROM Opportunity WHERE DAY_ONLY(CloseDate) = 2026-01-01", "INVALID_FIELD", "does not support"),
        ("SELECT Id FROM Opportunity WHERE HOUR_IN_DAY(CloseDate) = 1", "INVALID_FIELD", "does not support"),
        ("SELECT Id FROM Opportunity WHERE CALENDAR_YEAR(Name) = 1", "INVALID_FIELD", "does not support"),
        ("SELECT Id FROM Opportunity WHERE CALENDAR_YEAR(convertTimezone(CloseDate)) = 1", "INVALID_FIELD", None),
        ("SELECT Id FROM Opportunity WHERE CALENDAR_YEAR(FORMAT(CloseDate)) = 1", "MALFORMED_QUERY", "not allowed"),
        ("SELECT convertTimezone(CreatedDate) FROM Opportunity", "MALFORMED_QUERY", "not allowed in SELECT"),
        ("SELECT Id FROM Opportunity WHERE FORMAT(Amount) = '1'", "MALFORMED_QUERY", "not allowed in WHERE"),
        ("SELECT Id FROM Opportunity WHERE convertCurrency(Amount) > 1", "MALFORMED_QUERY", "not allowed in WHERE"),
        ("SELECT Id FROM Opportunity ORDER BY toLabel(StageName)", "MALFORMED_QUERY", "not allowed in ORDER BY"),
        ("SELECT FORMAT(Name) FROM Opportunity", "INVALID_FIELD", "does not support function FORMAT"),
        ("SELECT toLabel(Amount) FROM Opportunity", "INVALID_FIELD", "does not support function TOLABEL"),
        ("SELECT GROUPING(StageName) FROM Opportunity GROUP BY StageName", "MALFORMED_QUERY", "GROUPING is only"),
        ("SELECT COUNT(Id) FROM Opportunity GROUP BY ROLLUP(StageName), Name", "MALFORMED_QUERY", "token: ','"),
        ("SELECT COUNT(Id) FROM Contact GROUP BY CUBE(FirstName, LastName, Title, Department)", "MALFORMED_QUERY",
         "at most 3 fields"),
        ("SELECT COUNT(Id) FROM Opportunity GROUP BY Amount", "MALFORMED_QUERY",
         "field 'Amount' can not be grouped in a query call"),
        ("SELECT COUNT(Id) FROM Account GROUP BY Description", "MALFORMED_QUERY", "can not be grouped"),
        ("SELECT MAX(CreatedDate) FROM Account LIMIT 1", "MALFORMED_QUERY",
         "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"),
        ("SELECT MAX(CreatedDate) FROM Account ORDER BY Name", "MALFORMED_QUERY",
         "Ordered field must be grouped or aggregated: Name"),
        ("SELECT Name, COUNT(Id) FROM Account GROUP BY Name ORDER BY Site", "MALFORMED_QUERY", "must be grouped"),
        ("SELECT COUNT(IsDeleted) FROM Account", "MALFORMED_QUERY", "does not support aggregate operator COUNT"),
        ("SELECT SUM(MAX(NumberOfEmployees)) FROM Account", "MALFORMED_QUERY", "not allowed"),
        ("SELECT COUNT() FROM Account ORDER BY Name", "MALFORMED_QUERY", "COUNT() cannot be used with ORDER BY"),
        ("SELECT COUNT(Id) FROM Account GROUP BY Name HAVING Id IN (SELECT AccountId FROM Contact)",
         "MALFORMED_QUERY", "Semi join sub-selects are only allowed"),
    ],
)  # fmt: skip
def test_functions_are_refused(client, soql, code, message):
    """A function where it has no place, or of a field it is not for, is refused."""
    found, text = refused(client, soql)
    assert found == code
    assert message is None or message in text
