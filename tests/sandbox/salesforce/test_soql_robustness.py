"""Whatever is asked in SOQL or SOSL is answered, or refused in Salesforce's way; the sandbox never fails."""

from __future__ import annotations

from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.wire import Request

CODES = {
    "MALFORMED_QUERY", "MALFORMED_SEARCH", "INVALID_FIELD", "INVALID_TYPE", "INVALID_QUERY_FILTER_OPERATOR",
    "NUMBER_OUTSIDE_VALID_RANGE", "EXCEEDED_ID_LIMIT", "EXCEEDED_MAX_SEMIJOIN_SUBSELECTS",
}  # fmt: skip
WORDS = """
    SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET AND OR NOT IN LIKE INCLUDES EXCLUDES ASC DESC NULLS FIRST
    LAST USING SCOPE mine WITH USER_MODE FOR VIEW ALL ROWS ROLLUP CUBE AS null true FALSE TODAY LAST_N_DAYS : 3
    N_MONTHS_AGO 0 1e3 -1.5 999999 2026-01-01 2026-02-30 2026-01-01T00:00:00Z 9999-12-31T23:59:59-14:00 USD5 USD5.5
    'x' '' '%' '\\_' '001000000000000AAA' * . ( ) , = != <> < >= ? Id Name Account Contacts Opportunities
    Account.Name Owner.Id a.Id a Amount CloseDate CreatedDate StageName IsWon BillingAddress Description Contact
    Opportunity FIELDS(ALL) FIELDS(CUSTOM) COUNT() COUNT(Id) SUM(Amount) MAX(CloseDate) FORMAT(Amount)
    CALENDAR_YEAR(CloseDate) DAY_ONLY(CreatedDate) toLabel(StageName) convertCurrency(Amount) GROUPING(Name) COUNT(
    FORMAT(MIN(CloseDate)) convertTimezone(CreatedDate) {acme} FIND RETURNING EMAIL FIELDS
"""
FRAMES = [
    "{0}",
    "SELECT {0}",
    "SELECT Id FROM {0}",
    "SELECT {0} FROM Opportunity",
    "SELECT Id, {0} FROM Account",
    "SELECT Id FROM Opportunity WHERE {0}",
    "SELECT Name FROM Contact ORDER BY {0}",
    "SELECT {0} FROM Account GROUP BY Name",
    "SELECT COUNT(Id) FROM Opportunity GROUP BY {0}",
    "SELECT COUNT(Id) FROM Account GROUP BY Name HAVING {0}",
    "SELECT (SELECT {0} FROM Contacts) FROM Account",
    "SELECT Id FROM Account WHERE Id IN (SELECT {0} FROM Contact)",
    "FIND {{{0}}}",
    "FIND {{acme}} {0}",
    "FIND {{acme}} RETURNING Account({0})",
]


@pytest.fixture(scope="module")
def ask():
    """A function that asks an org with a few rows, and gives back the status and the body."""
    sandbox = SalesforceSandbox()

    def call(method, path, body=None):
        url = f"https://example.my.salesforce.com/services/data/v62.0/{path}"
        headers = {"Authorization": f"Bearer {sandbox.session_id}"}
        content = b"" if body is None else orjson.dumps(body)
        response = sandbox(Request.make(method, url, headers, content))
        return response.status, orjson.loads(response.body)

    _, account = call("POST", "sobjects/Account", {"Name": "Acme"})
    call("POST", "sobjects/Contact", {"LastName": "Ada", "AccountId": account["id"]})
    deal = {"StageName": "Prospecting", "CloseDate": "2026-03-10", "AccountId": account["id"]}
    for amount in (None, 5):
        call("POST", "sobjects/Opportunity", {**deal, "Name": "Deal", "Amount": amount})
    return call


words = st.lists(st.one_of(st.sampled_from(WORDS.split()), st.text(max_size=3)), max_size=7).map(" ".join)


@settings(max_examples=300)
@given(frame=st.sampled_from(FRAMES), text=words)
def test_any_text_is_answered_or_refused(ask, frame, text):
    """Words of the language in any order: 200 with rows, or 400 with a code."""
    query = frame.format(text)
    resource = "search" if query.startswith("FIND") else "query"
    status, body = ask("GET", f"{resource}?{urlencode({'q': query})}")
    if status == 200:
        assert isinstance(body.get("records", body.get("searchRecords")), list)
    else:
        assert (status, body[0]["errorCode"] in CODES) == (400, True), body
        assert body[0]["message"]
