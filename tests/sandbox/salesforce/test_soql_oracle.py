"""SOQL against SQLite: the same rows, the same question in both languages, the same answer.

Each strategy below makes a piece of a query twice, in SOQL and in SQL, out of the rules that Salesforce documents
and not out of what the sandbox does; nothing of the sandbox's `soql` is imported. Where the two languages differ
the SQL says so:

| SOQL | so in SQL | source, in the "SOQL and SOSL Reference" |
|---|---|---|
| a condition holds or not; null is a value, which `!=` fits | `IS`, `COALESCE(…, 0)` | "Comparison Operators" |
| text is compared without case | both sides through `fold` | "Comparison Operators" |
| `NOT IN` and EXCLUDES fit nulls | `NOT COALESCE(… IN …, 0)` | "Comparison Operators" |
| nulls first, whichever the direction | `NULLS FIRST` | "ORDER BY" |
| a picklist sorts by the order of its values | `CASE` | "ORDER BY" |
| the field of a parent that is not there is null | a scalar sub-query | "Using Relationship Queries" |
| aggregates leave nulls out | as in SQL | "Aggregate Functions" |
| texts group without case | `GROUP BY fold(…)` | not established; as they compare |
| date literals are periods | SQLite's date modifiers | "Date Formats and Date Literals in WHERE" |

Every query sorts by Id in the end, so that the answer is one list and not one of several. `fold` is `lower`: the
letters used here have one lower and one upper case each. `ORACLE_EXAMPLES=1000` searches harder.
"""

from __future__ import annotations

import os
import random
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.sandbox.clock import Clock
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.wire import Request

START = datetime(2026, 3, 10, 9, 0, 0, tzinfo=UTC)
TODAY = "2026-03-10"
STAGES = ["Prospecting", "Qualification", "Value Proposition", "Closed Won", "Closed Lost"]
NOBODY = "001000000000000AAA"


@dataclass(frozen=True)
class Pair:
    """The same thing in SOQL and in SQL. `@Account:2@` stands for the id of the third account."""

    soql: str
    sql: str


@dataclass(frozen=True)
class Column:
    """A field: its kind, and what it is in a query about its object, whose table is called `t`."""

    soql: str
    sql: str
    kind: str


def parent(reference, target, field, kind):
    """A field of a parent, which is null where there is none."""
    return Column(f"{target}.{field}", f"(SELECT p.{field} FROM Account p WHERE p.Id = t.{reference})", kind)


def grandparent(field, kind):
    inner = f"(SELECT g.{field} FROM Account g WHERE g.Id = p.ParentId)"
    return Column(f"Account.Parent.{field}", f"(SELECT {inner} FROM Account p WHERE p.Id = t.AccountId)", kind)


def own(field, kind):
    return Column(field, f"t.{field}", kind)


COLUMNS = {
    "Account": [
        own("Id", "Account"), own("Name", "text"), own("Site", "text"), own("HubSpot_Id__c", "text"),
        own("NumberOfEmployees", "number"), own("AnnualRevenue", "number"), own("ParentId", "Account"),
        own("Tags__c", "several"), parent("ParentId", "Parent", "Name", "text"),
        parent("ParentId", "Parent", "NumberOfEmployees", "number"),
    ],
    "Contact": [
        own("Id", "Contact"), own("LastName", "text"), own("FirstName", "text"), own("AccountId", "Account"),
        own("HasOptedOutOfEmail", "boolean"), own("Birthdate", "date"), own("SystemModstamp", "moment"),
        parent("AccountId", "Account", "Name", "text"), parent("AccountId", "Account", "AnnualRevenue", "number"),
        grandparent("Name", "text"),
    ],
    "Opportunity": [
        own("Id", "Opportunity"), own("Name", "text"), own("Amount", "number"), own("CloseDate", "date"),
        own("StageName", "stage"), own("AccountId", "Account"), own("NextStep", "text"),
        own("SystemModstamp", "moment"), parent("AccountId", "Account", "Site", "text"),
        parent("AccountId", "Account", "NumberOfEmployees", "number"), grandparent("Site", "text"),
    ],
}  # fmt: skip
STORED = {name: [column.soql for column in columns if "." not in column.soql] for name, columns in COLUMNS.items()}
GROUPED = {
    "Account": ["Name", "Site", "NumberOfEmployees", "ParentId", "Parent.Name"],
    "Contact": ["FirstName", "AccountId", "HasOptedOutOfEmail", "Birthdate", "Account.Name"],
    "Opportunity": ["StageName", "CloseDate", "NextStep", "AccountId", "Account.Site"],
}
PARTS = {
    "CALENDAR_YEAR": "CAST(strftime('%Y', {0}) AS INTEGER)",
    "CALENDAR_QUARTER": "(CAST(strftime('%m', {0}) AS INTEGER) + 2) / 3",
    "CALENDAR_MONTH": "CAST(strftime('%m', {0}) AS INTEGER)",
    "DAY_IN_MONTH": "CAST(strftime('%d', {0}) AS INTEGER)",
    "DAY_IN_WEEK": "CAST(strftime('%w', {0}) AS INTEGER) + 1",
    "DAY_IN_YEAR": "CAST(strftime('%j', {0}) AS INTEGER)",
    "WEEK_IN_MONTH": "(CAST(strftime('%d', {0}) AS INTEGER) - 1) / 7 + 1",
    "WEEK_IN_YEAR": "(CAST(strftime('%j', {0}) AS INTEGER) - 1) / 7 + 1",
}


# -- rows

LETTERS = "abABäÄжЖ%_'\"\\12 "
TEXTS = ["Acme", "acme", "ACME Corp", "O'Neil", "100%", "100", "a_b", "acb", "Äther", "äther", "жук", "back\\slash"]
texts = st.one_of(
    st.sampled_from(TEXTS),
    st.text(LETTERS, min_size=1, max_size=5).map(str.strip).filter(bool),
)
whole = st.integers(0, 4)
amounts = st.integers(-6, 12).map(lambda quarters: quarters / 4)
# First and last days of weeks, months, quarters and years around today, a Tuesday.
EDGES = [
    "2026-03-09", "2026-03-10", "2026-03-11", "2026-03-12", "2026-03-07", "2026-03-08", "2026-03-14", "2026-03-15",
    "2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01", "2026-06-30", "2026-07-01", "2025-12-31", "2026-01-01",
    "2026-12-31", "2027-01-01", "2025-09-30", "2025-10-01", "2024-12-31", "2025-01-01", "2024-02-29", "2025-12-09",
]  # fmt: skip
days = st.one_of(
    st.integers(-40, 40).map(lambda n: (START + timedelta(days=n)).date().isoformat()),
    st.sampled_from(EDGES),
)
TAGS = ["red", "green", "blue"]
several = st.lists(st.sampled_from(TAGS), min_size=1, max_size=3, unique=True).map(";".join)


def some(strategy):
    return st.one_of(st.none(), strategy)


def row(**fields):
    return st.fixed_dictionaries(fields)


accounts = st.lists(
    row(
        Name=texts, Site=some(texts), NumberOfEmployees=some(whole), AnnualRevenue=some(whole), parent=some(whole),
        Tags__c=some(several),
    ),
    max_size=6,
)  # fmt: skip
contacts = st.lists(
    row(
        LastName=texts, FirstName=some(texts), account=some(whole), HasOptedOutOfEmail=st.booleans(),
        Birthdate=some(days), gone=st.sampled_from([False, False, True]),
    ),
    max_size=6,
)  # fmt: skip
opportunities = st.lists(
    row(
        Name=texts, Amount=some(amounts), CloseDate=days, StageName=st.sampled_from(STAGES), account=some(whole),
        NextStep=some(texts), touched=st.booleans(),
    ),
    max_size=8,
)  # fmt: skip


# -- values, in both languages


def sql_text(text):
    return "'" + text.replace("'", "''") + "'"


def soql_text(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def text_value(text):
    return Pair(soql_text(text), f"fold({sql_text(text)})")


def number_value(value):
    return Pair(str(value), str(value))


def day_value(day):
    return Pair(day, sql_text(day))


def moment_value(minutes):
    moment = START + timedelta(minutes=minutes)
    shifted = moment + timedelta(hours=2)
    told = [f"{moment:%Y-%m-%dT%H:%M:%S}Z", f"{shifted:%Y-%m-%dT%H:%M:%S}+02:00"][minutes % 2]
    return Pair(told, sql_text(f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"))


def id_value(name):
    return st.integers(0, 7).map(lambda n: Pair(f"'@{name}:{n}@'", f"'@{name}:{n}@'"))


VALUES = {
    "text": texts.map(text_value),
    "stage": st.sampled_from(STAGES).flatmap(lambda s: st.sampled_from([s, s.upper()])).map(text_value),
    "several": several.map(text_value),
    "number": st.one_of(whole, amounts).map(number_value),
    "date": days.map(day_value),
    "moment": st.integers(-1, 5).map(moment_value),
    "boolean": st.booleans().map(lambda value: Pair(str(value).lower(), str(int(value)))),
} | {name: id_value(name) for name in COLUMNS}
NULL = Pair("null", "NULL")
EQUAL = ["=", "!=", "<>"]
ORDER = ["<", "<=", ">", ">="]


def compared(column):
    """A column as values of its kind are compared with it."""
    return f"fold({column.sql})" if column.kind in {"text", "stage", "several"} else column.sql


def ordered(sql, operator, bound):
    return f"COALESCE({sql} {operator} {bound}, 0)"


# -- conditions


def comparison(column, operator, value):
    sql = {"=": "IS", "!=": "IS NOT", "<>": "IS NOT"}.get(operator)
    if sql is None:
        return Pair(f"{column.soql} {operator} {value.soql}", ordered(compared(column), operator, value.sql))
    return Pair(f"{column.soql} {operator} {value.soql}", f"{compared(column)} {sql} {value.sql}")


@cache
def comparisons(column):
    equal = st.builds(
        comparison, st.just(column), st.sampled_from(EQUAL), st.one_of(VALUES[column.kind], st.just(NULL))
    )
    order = st.builds(comparison, st.just(column), st.sampled_from(ORDER), VALUES[column.kind])
    return equal if column.kind in {"boolean", "several"} else st.one_of(equal, order)


@cache
def lists(column):
    values = st.lists(st.one_of(VALUES[column.kind], st.just(NULL)), min_size=1, max_size=3)
    return st.tuples(values, st.booleans()).map(
        lambda made: Pair(
            f"{column.soql} {'NOT IN' if made[1] else 'IN'} ({', '.join(each.soql for each in made[0])})",
            f"{'NOT ' if made[1] else ''}({' OR '.join(f'{compared(column)} IS {each.sql}' for each in made[0])})",
        )
    )


@cache
def includes(column):
    """INCLUDES fits where all parts of one of the values are chosen."""

    def make(values, negated):
        held = f"';' || COALESCE({compared(column)}, '') || ';'"
        fits = " OR ".join(
            "(" + " AND ".join(f"instr({held}, ';{part};') > 0" for part in value.split(";")) + ")"
            for value in values
        )
        listed = ", ".join(f"'{value}'" for value in values)
        word, no = ("EXCLUDES", "NOT ") if negated else ("INCLUDES", "")
        return Pair(f"{column.soql} {word} ({listed})", f"{no}({fits})")

    return st.builds(make, st.lists(several, min_size=1, max_size=2), st.booleans())


@cache
def likes(column):
    """LIKE with anything, or with a text that is there, in other case and with wildcards in it."""
    wild = st.sampled_from([("%", "%"), ("_", "_")])
    anything = st.lists(st.one_of(wild, texts.map(escaped)), min_size=1, max_size=4)

    def blur(text, start, length, wildcard):
        return [escaped(text[:start]), wildcard, escaped(text[start + length :])]

    there = st.builds(
        blur, st.sampled_from([*TEXTS, *STAGES]).map(str.swapcase), st.integers(0, 5), st.integers(0, 2), wild
    )
    return st.one_of(anything, there).map(
        lambda parts: Pair(
            f"{column.soql} LIKE '{''.join(soql for soql, _ in parts)}'",
            f"COALESCE({compared(column)} LIKE fold({sql_text(''.join(sql for _, sql in parts))}) ESCAPE '\\', 0)",
        )
    )


def escaped(text):
    sql = "".join("\\" + char if char in "%_\\" else char for char in text)
    return sql.replace("'", "\\'"), sql


PERIODS = [
    "TODAY", "YESTERDAY", "TOMORROW", "THIS_WEEK", "LAST_WEEK", "NEXT_WEEK", "LAST_MONTH", "THIS_MONTH",
    "NEXT_MONTH", "THIS_QUARTER", "LAST_QUARTER", "NEXT_FISCAL_QUARTER", "THIS_YEAR", "LAST_FISCAL_YEAR",
    "NEXT_YEAR", "LAST_90_DAYS", "NEXT_90_DAYS", "LAST_N_DAYS", "NEXT_N_DAYS", "N_DAYS_AGO", "LAST_N_WEEKS",
    "N_WEEKS_AGO", "NEXT_N_MONTHS", "N_MONTHS_AGO", "LAST_N_FISCAL_QUARTERS", "N_YEARS_AGO",
]  # fmt: skip


def period(column, operator, name, n):
    """A date literal: from which day on, before which day."""

    def day(*modifiers):
        return f"date('{TODAY}'{''.join(f', {sql_text(each)}' for each in modifiers)})"

    def months(count, start="start of month"):
        return day(start, f"{count:+d} months")

    week = ["-6 days", "weekday 0"]
    since, before = {
        "TODAY": (day(), day("+1 day")),
        "YESTERDAY": (day("-1 day"), day()),
        "TOMORROW": (day("+1 day"), day("+2 days")),
        "THIS_WEEK": (day(*week), day(*week, "+7 days")),
        "LAST_WEEK": (day(*week, "-7 days"), day(*week)),
        "NEXT_WEEK": (day(*week, "+7 days"), day(*week, "+14 days")),
        "LAST_MONTH": (months(-1), months(0)),
        "THIS_MONTH": (months(0), months(1)),
        "NEXT_MONTH": (months(1), months(2)),
        "THIS_QUARTER": (months(0, "start of year"), months(3, "start of year")),
        "LAST_QUARTER": (months(-3, "start of year"), months(0, "start of year")),
        "NEXT_FISCAL_QUARTER": (months(3, "start of year"), months(6, "start of year")),
        "THIS_YEAR": (months(0, "start of year"), months(12, "start of year")),
        "LAST_FISCAL_YEAR": (months(-12, "start of year"), months(0, "start of year")),
        "NEXT_YEAR": (months(12, "start of year"), months(24, "start of year")),
        "LAST_90_DAYS": (day("-90 days"), day("+1 day")),
        "NEXT_90_DAYS": (day("+1 day"), day("+91 days")),
        "LAST_N_DAYS": (day(f"-{n} days"), day("+1 day")),
        "NEXT_N_DAYS": (day("+1 day"), day(f"+{n + 1} days")),
        "N_DAYS_AGO": (day(f"-{n} days"), day(f"-{n} days", "+1 day")),
        "LAST_N_WEEKS": (day(*week, f"-{7 * n} days"), day(*week)),
        "N_WEEKS_AGO": (day(*week, f"-{7 * n} days"), day(*week, f"-{7 * n - 7} days")),
        "NEXT_N_MONTHS": (months(1), months(n + 1)),
        "N_MONTHS_AGO": (months(-n), months(1 - n)),
        "LAST_N_FISCAL_QUARTERS": (months(-3 * n, "start of year"), months(0, "start of year")),
        "N_YEARS_AGO": (months(-12 * n, "start of year"), months(12 - 12 * n, "start of year")),
    }[name]
    literal = f"{name}:{n}" if "N_" in name.replace("IN_", "") else name
    tail = " || 'T00:00:00.000+0000'" if column.kind == "moment" else ""
    since, before = f"({since}{tail})", f"({before}{tail})"
    inside = f"({ordered(column.sql, '>=', since)} AND {ordered(column.sql, '<', before)})"
    sql = {
        "=": inside,
        "!=": f"NOT {inside}",
        "<>": f"NOT {inside}",
        "<": ordered(column.sql, "<", since),
        "<=": ordered(column.sql, "<", before),
        ">": ordered(column.sql, ">=", before),
        ">=": ordered(column.sql, ">=", since),
    }[operator]
    return Pair(f"{column.soql} {operator} {literal}", sql)


@cache
def periods(column):
    operators = st.sampled_from([*EQUAL, *ORDER])
    return st.builds(period, st.just(column), operators, st.sampled_from(PERIODS), st.integers(1, 5))


@cache
def date_parts(column):
    number = Column(column.soql, column.sql, "number")
    return st.sampled_from(sorted(PARTS)).flatmap(
        lambda name: comparisons(
            Column(f"{name}({number.soql})", f"({PARTS[name].format(day_of(number))})", "number")
        )
    )


def day_of(column):
    """The day of a date or date-time; SQLite cannot read the `+0000` at the end of the latter."""
    return f"substr({column.sql}, 1, 10)"


@cache
def leaves(column):
    every = [comparisons(column), lists(column)]
    if column.kind in {"text", "stage"}:
        every.append(likes(column))
    if column.kind == "several":
        every = [includes(column)]
    if column.kind in {"date", "moment"}:
        every += [periods(column), date_parts(column)]
    return st.one_of(every)


@cache
def conditions(name):
    def joined(parts):
        return st.tuples(st.sampled_from(["AND", "OR"]), st.lists(parts, min_size=2, max_size=3)).map(
            lambda made: Pair(
                f" {made[0]} ".join(f"({each.soql})" for each in made[1]),
                "(" + f" {made[0]} ".join(each.sql for each in made[1]) + ")",
            )
        )

    def negated(parts):
        return parts.map(lambda each: Pair(f"NOT ({each.soql})", f"(NOT ({each.sql}))"))

    leaf = st.sampled_from(COLUMNS[name]).flatmap(leaves)
    return st.recursive(leaf, lambda parts: st.one_of(joined(parts), negated(parts)), max_leaves=4)


JOINS = {
    "Account": [("Id", "AccountId", "Contact"), ("Id", "AccountId", "Opportunity")],
    "Contact": [("AccountId", "Id", "Account"), ("AccountId", "AccountId", "Opportunity")],
    "Opportunity": [("AccountId", "Id", "Account"), ("AccountId", "AccountId", "Contact")],
}


@cache
def semi_joins(name):
    def make(join, negated, inner):
        left, selected, other = join
        where_soql = f" WHERE {inner.soql}" if inner else ""
        where_sql = f" AND {inner.sql}" if inner else ""
        return Pair(
            f"{left} {'NOT ' if negated else ''}IN (SELECT {selected} FROM {other}{where_soql})",
            f"{'NOT ' if negated else ''}COALESCE(t.{left} IN "
            f"(SELECT t.{selected} FROM {other} t WHERE t.{selected} IS NOT NULL{where_sql}), 0)",
        )

    return st.sampled_from(JOINS[name]).flatmap(
        lambda join: st.builds(make, st.just(join), st.booleans(), some(conditions(join[2])))
    )


@cache
def wheres(name):
    """A whole WHERE, semi-joins at its top; empty at times."""
    both = st.tuples(st.lists(semi_joins(name), max_size=2), some(conditions(name)))

    def make(made):
        joins, rest = made
        soql = [each.soql for each in joins] + ([f"({rest.soql})"] if rest else [])
        sql = [each.sql for each in joins] + ([rest.sql] if rest else [])
        return Pair(" WHERE " + " AND ".join(soql), " WHERE " + " AND ".join(sql)) if soql else Pair("", "")

    return both.map(make)


# -- whole queries


@cache
def orders(name):
    def make(parts):
        soql, sql = [], []
        for column, direction, nulls in parts:
            if column.kind == "stage":
                ranks = " ".join(f"WHEN '{stage}' THEN {rank}" for rank, stage in enumerate(STAGES))
                by = f"CASE {column.sql} {ranks} END"
            else:
                by = compared(column)
            soql.append(" ".join(filter(None, [column.soql, direction, nulls])))
            sql.append(f"{by} {direction} {nulls or 'NULLS FIRST'}")
        return Pair(" ORDER BY " + ", ".join([*soql, "Id"]), " ORDER BY " + ", ".join([*sql, "t.Id"]))

    column = st.sampled_from([each for each in COLUMNS[name] if each.kind != "several" and each.soql != "Id"])
    part = st.tuples(
        column, st.sampled_from(["", "ASC", "DESC"]), st.sampled_from(["", "NULLS FIRST", "NULLS LAST"])
    )
    return st.lists(part, max_size=2).map(make)


windows = st.tuples(some(st.integers(0, 6)), some(st.integers(0, 3))).map(
    lambda made: Pair(
        (f" LIMIT {made[0]}" if made[0] is not None else "")
        + (f" OFFSET {made[1]}" if made[1] is not None else ""),
        f" LIMIT {-1 if made[0] is None else made[0]} OFFSET {made[1] or 0}",
    )
)


def ask_for(name, condition):
    """The rows that fit one condition."""
    columns = ", ".join(column.soql for column in COLUMNS[name])
    selected = ", ".join(column.sql for column in COLUMNS[name])
    return Pair(
        f"SELECT {columns} FROM {name} WHERE {condition.soql} ORDER BY Id",
        f"SELECT {selected} FROM {name} t WHERE {condition.sql} ORDER BY t.Id",
    )


@cache
def row_queries(name):
    columns = ", ".join(column.soql for column in COLUMNS[name])
    selected = ", ".join(column.sql for column in COLUMNS[name])
    return st.builds(
        lambda where, order, window: Pair(
            f"SELECT {columns} FROM {name}{where.soql}{order.soql}{window.soql}",
            f"SELECT {selected} FROM {name} t{where.sql}{order.sql}{window.sql}",
        ),
        wheres(name), orders(name), windows,
    )  # fmt: skip


AGGREGATES = {
    "COUNT": ["text", "number", "date", "Account"],
    "COUNT_DISTINCT": ["text", "number", "date", "Account"],
    "SUM": ["number"],
    "AVG": ["number"],
    "MIN": ["number", "date", "text", "moment"],
    "MAX": ["number", "date", "text", "moment"],
}


@cache
def aggregates(name):
    def of(function):
        fitting = [column for column in COLUMNS[name] if column.kind in AGGREGATES[function]]
        return st.sampled_from(fitting).map(
            lambda column: (
                Column(
                    f"{function}({column.soql})",
                    f"COUNT(DISTINCT {compared(column)})" if function == "COUNT_DISTINCT"
                    else f"{function}({compared(column)})",
                    "number" if function not in {"MIN", "MAX"} else column.kind,
                )
            )
        )  # fmt: skip

    return st.sampled_from(sorted(AGGREGATES)).flatmap(of)


@cache
def keys(name):
    plain = st.sampled_from([column for column in COLUMNS[name] if column.soql in GROUPED[name]])
    dated = [column for column in COLUMNS[name] if column.kind in {"date", "moment"}]
    if not dated:
        return plain
    part = st.tuples(st.sampled_from(sorted(PARTS)), st.sampled_from(dated)).map(
        lambda made: Column(f"{made[0]}({made[1].soql})", PARTS[made[0]].format(day_of(made[1])), "number")
    )
    return st.one_of(plain, part)


@dataclass(frozen=True)
class Grouping:
    """A query for groups: in SQL one for each level of subtotals."""

    soql: str
    sql: tuple[str, ...]
    ordered: bool


@cache
def group_queries(name):
    def make(grouped, wanted, where, having, rollup):
        aliases = [f"k{n}" for n in range(len(grouped))] + [f"v{n}" for n in range(len(wanted))]
        soql = ", ".join(
            f"{column.soql} {alias}" for column, alias in zip([*grouped, *wanted], aliases, strict=True)
        )
        by = ", ".join(column.soql for column in grouped)
        by = f" GROUP BY ROLLUP({by})" if rollup and by else f" GROUP BY {by}" if by else ""
        levels = []
        for kept in range(len(grouped), -1 if rollup and grouped else len(grouped) - 1, -1):
            shown = [compared(column) if n < kept else "NULL" for n, column in enumerate(grouped)]
            columns = ", ".join([*shown, *(column.sql for column in wanted)])
            sql = f"SELECT {columns} FROM {name} t{where.sql}"
            if kept:
                sql += " GROUP BY " + ", ".join(shown[:kept])
            # Over no rows at all there is no group, but where none is asked for there is one.
            empty = "" if kept or not grouped else "COUNT(*) > 0 AND "
            if having:
                sql += f" HAVING {empty}{having.sql}"
            elif empty:
                sql += " HAVING COUNT(*) > 0"
            levels.append(sql)
        tail = f" HAVING {having.soql}" if having else ""
        return Grouping(f"SELECT {soql} FROM {name}{where.soql}{by}{tail}", tuple(levels), ordered=False)

    distinct = st.lists(keys(name), max_size=2, unique_by=lambda column: column.soql)
    having = aggregates(name).flatmap(comparisons)
    return distinct.flatmap(
        lambda grouped: st.builds(
            make, st.just(grouped), st.lists(aggregates(name), min_size=1, max_size=3), wheres(name),
            some(having) if grouped else st.none(), st.booleans(),
        )
    )  # fmt: skip


@cache
def child_queries():
    """Accounts with their contacts; in SQL the contacts of one account, whose id is `@parent@`."""

    def make(where, order, window):
        inner = f"SELECT LastName FROM Contacts{where.soql}{order.soql}{window.soql}"
        mine = " WHERE t.AccountId = '@parent@'" + where.sql.replace(" WHERE ", " AND ", 1)
        return Pair(
            f"SELECT Id, ({inner}) FROM Account", f"SELECT t.LastName FROM Contact t{mine}{order.sql}{window.sql}"
        )

    plain = conditions("Contact").map(lambda each: Pair(f" WHERE {each.soql}", f" WHERE {each.sql}"))
    return st.builds(make, st.one_of(st.just(Pair("", "")), plain), orders("Contact"), windows)


names = st.sampled_from(sorted(COLUMNS))


# -- both sides


class Both:
    """A sandbox and a database with the same rows."""

    def __init__(self, rows, *, deleted):
        self.clock = Clock(START)
        self.sandbox = SalesforceSandbox(self.clock)
        self.sandbox.admin.add("fields", [
            {"sobject": "Account", "name": "Tags__c", "type": "multipicklist", "picklistValues": TAGS},
        ])  # fmt: skip
        self.resource = "queryAll" if deleted else "query"
        self.database = sqlite3.connect(":memory:")
        self.database.create_function("fold", 1, lambda value: value and value.lower(), deterministic=True)
        self.ids = {name: [] for name in COLUMNS}
        for name, columns in STORED.items():
            self.database.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        for name, given_rows in rows.items():
            self._load(name, given_rows, deleted=deleted)

    def close(self):
        self.database.close()

    def call(self, method, path, body=None):
        url = f"https://example.my.salesforce.com/services/data/v62.0/{path}"
        headers = {"Authorization": f"Bearer {self.sandbox.session_id}"}
        response = self.sandbox(Request.make(method, url, headers, b"" if body is None else orjson.dumps(body)))
        found = orjson.loads(response.body) if response.body else None
        assert response.status < 300, found
        return found

    def ask(self, soql):
        return self.call("GET", f"{self.resource}?{urlencode({'q': self.filled(soql)})}")["records"]

    def select(self, sql):
        return self.database.execute(self.filled(sql)).fetchall()

    def filled(self, text):
        for name, ids in self.ids.items():
            for n in range(8):
                text = text.replace(f"@{name}:{n}@", ids[n] if n < len(ids) else NOBODY)
        return text

    def _load(self, name, given_rows, *, deleted):
        self.clock.advance(timedelta(minutes=1))
        stamps = [f"{self.clock.now():%Y-%m-%dT%H:%M:%S}.000+0000"] * len(given_rows)
        records = [self._record(name, n, row) for n, row in enumerate(given_rows)]
        if records:
            bodies = [{"attributes": {"type": name}, **each} for each in records]
            results = self.call("POST", "composite/sobjects", {"records": bodies, "allOrNone": True})
            self.ids[name] = [each["id"] for each in results]
        self.clock.advance(timedelta(minutes=1))
        for n, row in reversed(list(enumerate(given_rows))):
            record = self.ids[name][n]
            if name == "Account" and row["parent"] is not None and row["parent"] < len(self.ids[name]):
                records[n]["ParentId"] = self.ids[name][row["parent"]]
                if row["parent"] != n:
                    self.call("PATCH", f"sobjects/Account/{record}", {"ParentId": records[n]["ParentId"]})
                else:
                    del records[n]["ParentId"]
            if row.get("touched"):
                self.call("PATCH", f"sobjects/{name}/{record}", {"Description": "touched"})
                stamps[n] = f"{self.clock.now():%Y-%m-%dT%H:%M:%S}.000+0000"
            if row.get("gone"):
                self.call("DELETE", f"sobjects/{name}/{record}")
                stamps[n] = f"{self.clock.now():%Y-%m-%dT%H:%M:%S}.000+0000"
        for n, record in enumerate(records):
            if not given_rows[n].get("gone") or deleted:
                values = {**record, "Id": self.ids[name][n], "SystemModstamp": stamps[n]}
                marks = ", ".join("?" * len(STORED[name]))
                self.database.execute(
                    f"INSERT INTO {name} VALUES ({marks})", [values.get(each) for each in STORED[name]]
                )

    def _record(self, name, n, row):
        record = {each: row[each] for each in STORED[name] if each in row}
        if row.get("account") is not None and row["account"] < len(self.ids["Account"]):
            record["AccountId"] = self.ids["Account"][row["account"]]
        if name == "Account" and n % 2:
            record["HubSpot_Id__c"] = f"aB{n}"
        return record


def values_of(record, column):
    for part in column.soql.split("."):
        record = record[part] if record is not None else None
    return record


rows = st.fixed_dictionaries({"Account": accounts, "Contact": contacts, "Opportunity": opportunities})
row_questions = names.flatmap(lambda name: st.tuples(st.just(name), row_queries(name)))
leaf_questions = names.flatmap(
    lambda name: st.tuples(
        st.just(name), st.sampled_from(COLUMNS[name]).flatmap(leaves).map(partial(ask_for, name))
    )
)
EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "30"))
search = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def compare_rows(both, name, query):
    expected = [list(found) for found in both.select(query.sql)]
    answered = [[values_of(record, each) for each in COLUMNS[name]] for record in both.ask(query.soql)]
    assert answered == expected, both.filled(query.soql)


def compare_groups(both, query):
    expected = sorted(map(repr, (tidied(found) for sql in query.sql for found in both.select(sql))))
    answered = both.ask(query.soql)
    found = [tidied([value for name, value in each.items() if name != "attributes"]) for each in answered]
    assert sorted(map(repr, found)) == expected, both.filled(query.soql)


def check(rows_given, deleted, ask):
    both = Both(rows_given, deleted=deleted)
    try:
        ask(both)
    finally:
        both.close()


@search
@given(
    rows,
    st.booleans(),
    st.lists(names.flatmap(lambda n: st.tuples(st.just(n), row_queries(n))), min_size=4, max_size=8),
)
def test_rows(rows_given, deleted, queries):
    """Which rows, in which order, with which values: as SQLite has them."""

    def ask(both):
        for name, query in queries:
            compare_rows(both, name, query)

    check(rows_given, deleted, ask)


@search
@given(rows, st.lists(names.flatmap(group_queries), min_size=3, max_size=6))
def test_groups(rows_given, queries):
    """Groups, their subtotals and aggregates, and which of them HAVING leaves, as SQLite has them."""

    def ask(both):
        for query in queries:
            compare_groups(both, query)

    check(rows_given, False, ask)


def tidied(values):
    """Values without case and without the noise of floating point."""
    return [
        value.lower() if isinstance(value, str) else value if value is None else round(float(value), 6)
        for value in values
    ]


@search
@given(rows, st.lists(child_queries(), min_size=2, max_size=5))
def test_children(rows_given, queries):
    """The children of each row, with conditions, an order and bounds of their own, as SQLite has them."""

    def ask(both):
        for query in queries:
            for record in both.ask(query.soql):
                expected = [name for (name,) in both.select(query.sql.replace("@parent@", record["Id"]))]
                held = record["Contacts"]
                found = [each["LastName"] for each in held["records"]] if held else []
                assert found == expected, both.filled(query.soql)

    check(rows_given, False, ask)


# -- many rows, loaded once


@pytest.fixture(scope="module")
def crowd():
    """Sixty rows of each object, in which every text, day and stage comes several times."""
    rng = random.Random(4)

    def maybe(value):
        return value if rng.random() > 0.2 else None

    def text():
        return rng.choice(TEXTS)

    count = range(60)
    both = Both({
        "Account": [
            {"Name": text(), "Site": maybe(text()), "NumberOfEmployees": maybe(rng.randint(0, 4)),
             "AnnualRevenue": maybe(rng.randint(0, 4)), "parent": maybe(rng.randint(0, n)),
             "Tags__c": maybe(";".join(sorted(rng.sample(TAGS, rng.randint(1, 3)))))}
            for n in count
        ],
        "Contact": [
            {"LastName": text(), "FirstName": maybe(text()), "account": maybe(rng.choice(count)),
             "HasOptedOutOfEmail": rng.random() > 0.5, "Birthdate": maybe(rng.choice(EDGES)),
             "gone": rng.random() > 0.8}
            for _ in count
        ],
        "Opportunity": [
            {"Name": text(), "Amount": maybe(rng.randint(-6, 12) / 4), "CloseDate": rng.choice(EDGES),
             "StageName": rng.choice(STAGES), "account": maybe(rng.choice(count)), "NextStep": maybe(text()),
             "touched": rng.random() > 0.5}
            for _ in count
        ],
    }, deleted=False)  # fmt: skip
    yield both
    both.close()


EVERY_COLUMN = [(name, column) for name, columns in COLUMNS.items() for column in columns]
POOLS = {
    "text": [text_value(text) for text in TEXTS],
    "stage": [text_value(stage.upper()) for stage in STAGES],
    "several": [text_value(value) for value in ("red", "blue;red", "BLUE;GREEN;RED")],
    "number": [number_value(value) for value in (-1.5, 0, 1, 2.25, 4)],
    "date": [day_value(day) for day in EDGES],
    "moment": [moment_value(minutes) for minutes in range(-1, 8)],
    "boolean": [Pair("true", "1"), Pair("FALSE", "0")],
} | {name: [Pair(f"'@{name}:{n}@'", f"'@{name}:{n}@'") for n in range(8)] for name in COLUMNS}


@pytest.mark.parametrize(
    ("name", "column"), EVERY_COLUMN, ids=[f"{name}.{column.soql}" for name, column in EVERY_COLUMN]
)
def test_each_operator(crowd, name, column):
    """Each comparison of a field with each of the values that are there, and with null."""
    for operator in EQUAL if column.kind in {"boolean", "several"} else [*EQUAL, *ORDER]:
        for value in [*POOLS[column.kind], *([NULL] if operator in EQUAL else [])]:
            compare_rows(crowd, name, ask_for(name, comparison(column, operator, value)))


@pytest.mark.parametrize("literal", PERIODS)
def test_each_period(crowd, literal):
    """Each date literal with each operator, for dates and for date-times, with rows on both sides of its ends."""
    for name, column in EVERY_COLUMN:
        if column.kind in {"date", "moment"}:
            for operator in [*EQUAL, *ORDER]:
                for n in (1, 2, 5) if literal.endswith("S_AGO") or "_N_" in literal else (1,):
                    compare_rows(crowd, name, ask_for(name, period(column, operator, literal, n)))


@settings(search, max_examples=4 * EXAMPLES)
@given(questions=st.lists(leaf_questions, min_size=2, max_size=8))
def test_conditions(crowd, questions):
    """Each operator with each kind of value, among many rows: those fit that SQLite finds."""
    for name, query in questions:
        compare_rows(crowd, name, query)


@search
@given(questions=st.lists(row_questions, min_size=1, max_size=4))
def test_many_rows(crowd, questions):
    """Whole queries over many rows answer what SQLite does."""
    for name, query in questions:
        compare_rows(crowd, name, query)


@search
@given(queries=st.lists(names.flatmap(group_queries), min_size=1, max_size=4))
def test_many_groups(crowd, queries):
    """Groups of many rows are what SQLite makes of them."""
    for query in queries:
        compare_groups(crowd, query)
