"""Conditions that a person types after `--where`: refused with what is wrong, or one condition and nothing more.

Whatever is accepted is put in brackets, before what the connector adds of its own: a next page begins behind an
id, and has so many records. So whatever it is, Salesforce refuses it, or keeps to both.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from engine.lab import API, SALESFORCE, Lab
from fuzz.oracle import end, tried
from hypothesis import example, given
from hypothesis import strategies as st

from connector.engine.imports.selection import Selection, select_records

TOKENS = (
    "(", ")", "'", "\\", "\\'", "''", '"', "=", "!=", "<>", ">", "LIKE", "IN", "NOT", "AND", "OR", "NULL",
    "TRUE", "Id", "LastName",
    "Email", "CreatedDate", "'x'", "'%'", "('a','b')", "1", "2026-03-02", "LAST_N_DAYS:3", "SELECT", "FROM",
    "Contact",
    "(SELECT ContactId FROM OpportunityContactRole)", "ORDER BY", "GROUP BY", "LIMIT", "LIMIT 9", "OFFSET 1",
    "ALL ROWS", "FOR UPDATE",
    "WHERE", "WITH SECURITY_ENFORCED", "USING SCOPE mine", ";", "--", "/*", "*/", "{", "\n", "\t", "\x00", "é",
    "\u2028", ",", ".",
    "LastName != null", "Id != null", "TYPEOF", "HAVING", ":x", "-", "%", "[", "]",
)  # fmt: skip
CONDITIONS = st.one_of(st.lists(st.sampled_from(TOKENS), max_size=9).map(" ".join), st.text(max_size=30))


@cache
def contacts() -> tuple[Lab, list[str]]:
    lab = Lab()
    return lab, sorted(lab.sf_create("Contact", LastName=name) for name in ("Ape", "Bat", "Cat", "Dog"))


@tried(60)
@given(text=CONDITIONS)
@example(text="LastName != null")
@example(text="LastName != null) OR (Id != null")
@example(text="LastName = 'x\\' LIMIT 9")
@example(text="(" * 5_000 + "Id != null" + ")" * 5_000)
def test_a_condition_stays_one_condition(text: str) -> None:
    """Nothing in it reaches what stands behind it."""
    made: list[Selection] = []
    end(lambda: made.append(select_records("contacts", zone=ZoneInfo("UTC"), where=text)))
    if not made:
        return
    lab, ids = contacts()
    soql = f"SELECT Id FROM Contact WHERE {made[0].condition} AND Id > '{ids[0]}' ORDER BY Id LIMIT 2"
    headers = {"Authorization": f"Bearer {lab.salesforce.session_id}"}
    answer = lab._people.get(f"{SALESFORCE}{API}/query?q={quote(soql)}", headers=headers)
    if answer.status_code == 200:
        found: list[dict[str, Any]] = answer.json()["records"]
        assert len(found) <= 2, soql
        assert all(one["Id"] > ids[0] for one in found), soql
    else:
        assert answer.status_code == 400, answer.text


@tried(30)
@given(
    since=st.one_of(st.none(), st.text(max_size=12), st.datetimes().map(str), st.dates().map(str)),
    until=st.one_of(st.none(), st.sampled_from(("today", "1700-01-01", "9999-12-31T23:59:59-14:00", "²026-03-02"))),
    limit=st.one_of(st.none(), st.integers()),
)
def test_dates_and_numbers_select_or_are_refused(since: str | None, until: str | None, limit: int | None) -> None:
    """Of any year, and in any form."""
    end(lambda: select_records("contacts", zone=ZoneInfo("Asia/Kolkata"), since=since, until=until, limit=limit))
