"""What did a person select to be imported, and is it something that Salesforce can be asked?

A condition is the user's own SOQL, put in parentheses beside the dates. It may say whatever a WHERE clause may, but
nothing may follow it and nothing may end it: no statement, no ORDER BY, no LIMIT, no bracket or quote left open.

Dates are those of creation unless the user asks for changes. A day is one of the settings' time zone, and both days
belong to the selection; a moment is a moment, and the one of `until` does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connector.engine.world import COMPANIES, CONTACTS, DEALS
from connector.errors import BadConfiguration, Finding

PAIRS = {"accounts": COMPANIES, "contacts": CONTACTS, "opportunities": DEALS}
COLUMNS = {"created": "CreatedDate", "modified": "SystemModstamp"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORDS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_ENDINGS = ("ORDER BY", "GROUP BY", "HAVING", "LIMIT", "OFFSET", "WITH", "ALL ROWS", "FOR", "USING", "UPDATE")
_STATEMENTS = ("SELECT", "FROM", "WHERE")


@dataclass(frozen=True, slots=True)
class Selection:
    """Records of one Salesforce object. `since` and `until` are moments in UTC, the latter not included."""

    what: str
    since: str = ""
    until: str = ""
    by: str = "created"
    where: str = ""
    limit: int | None = None

    @property
    def pair(self) -> str:
        return PAIRS[self.what]

    @property
    def condition(self) -> str:
        """In SOQL; blank if all records are meant."""
        column = COLUMNS[self.by]
        parts = [f"({self.where})"] if self.where else []
        parts += [f"{column} >= {self.since}"] if self.since else []
        parts += [f"{column} < {self.until}"] if self.until else []
        return " AND ".join(parts)

    @property
    def is_all(self) -> bool:
        return not self.condition and self.limit is None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Selection:
        return cls(**told)


def select_records(
    what: str,
    *,
    zone: ZoneInfo,
    since: str | None = None,
    until: str | None = None,
    by: str = "created",
    where: str | None = None,
    limit: int | None = None,
) -> Selection:
    """A selection of what a person typed.

    Raises:
        BadConfiguration: with everything that is wrong with it.
    """
    findings: list[Finding] = []
    begin, end = _moment("--since", since, zone, findings), _moment("--until", until, zone, findings, ending=True)
    if begin and end and begin >= end:
        findings.append(Finding("--until", 0, f"{until} is not after {since}", "give the later date to --until"))
    if limit is not None and limit < 1:
        findings.append(Finding("--limit", 0, f"{limit} is not a number of records", "give 1 or more"))
    condition = (where or "").strip()
    findings += [Finding("--where", 0, *one) for one in _find_faults(condition)] if where is not None else []
    if findings:
        raise BadConfiguration(findings)
    return Selection(what, begin, end, by, condition, limit)


def _moment(option: str, text: str | None, zone: ZoneInfo, findings: list[Finding], *, ending: bool = False) -> str:
    if text is None:
        return ""
    given = text.strip()
    try:
        if _DAY.fullmatch(given):
            day = date.fromisoformat(given) + timedelta(days=1 if ending else 0)
            moment = datetime.combine(day, time(), zone)
        else:
            moment = datetime.fromisoformat(given)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        remedy = "write a day such as 2026-01-31, or a moment such as 2026-01-31T18:00:00+01:00"
        findings.append(Finding(option, 0, f"{text!r} is not a date", remedy))
        return ""
    if not 1700 <= moment.year <= 4000:  # SOQL and SOSL Reference, "Date Formats and Date Literals"
        findings.append(Finding(option, 0, f"{text!r}: Salesforce knows the years 1700 to 4000 only", "correct it"))
        return ""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _find_faults(condition: str) -> Iterator[tuple[str, str]]:
    """What keeps a text from being one condition: what is wrong, and what to do."""
    if not condition:
        yield "is blank", "give a condition such as \"Type = 'Customer'\", or leave --where out"
        return
    bare, open_quote = _without_quotes(condition)
    if open_quote:
        yield "a quote is not closed", "end it with ', and write \\' for an apostrophe inside it"
        return
    if not _is_balanced(bare):
        yield "the brackets do not match", "close every ( and nothing else"
    if re.search(r";|--|/\*|\{|\}|[\x00-\x08\x0b\x0c\x0e-\x1f]", bare):
        yield "has signs that no condition has", "leave out ; -- /* and the like; put text in single quotes"
    if '"' in bare:
        yield "has double quotes", "SOQL has text in single quotes: Name = 'Acme'"
    outside = _outside_brackets(bare)
    words = re.sub(r"\s+", " ", " ".join(_WORDS.findall(outside))).upper()
    if words.startswith(("WHERE ", "AND ", "OR ")):
        yield f"begins with {words.split()[0]}", "give the condition alone"
    elif found := [one for one in _STATEMENTS if re.search(rf"\b{one}\b", words)]:
        yield f"has {' and '.join(found)} in it", "give the condition alone, without SELECT, FROM or WHERE"
    # In brackets it would end what precedes it as well.
    for one in _ENDINGS:
        if re.search(rf"\b{one}\b", words) and not re.search(
            rf"\b{one}\b\s*(=|!=|<|>|\bIN\b|\bLIKE\b)", outside, re.IGNORECASE
        ):
            yield f"has {one} in it", "give the condition alone; --limit takes a number of records"


def _without_quotes(text: str) -> tuple[str, bool]:
    """The text with all quoted ones left out, and whether the last quote is open."""
    bare, quoted, escaped = [], False, False
    for sign in text:
        if quoted:
            if escaped:
                escaped = False
            elif sign == "\\":
                escaped = True
            elif sign == "'":
                quoted = False
            continue
        quoted = sign == "'"
        bare.append(" ' " if quoted else sign)
    return "".join(bare), quoted


def _is_balanced(bare: str) -> bool:
    depth = 0
    for sign in bare:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            return False
    return depth == 0


def _outside_brackets(bare: str) -> str:
    """What is not inside of a semi-join such as `Id IN (SELECT …)`; other brackets only group."""
    text = re.sub(r"\bIN\s*\(\s*SELECT\b", "\x00", bare, flags=re.IGNORECASE)
    kept, depth = [], 0
    for sign in text:
        if sign == "\x00":
            depth += 1
            kept.append(" IN ")
        elif depth:
            depth += {"(": 1, ")": -1}.get(sign, 0)
        else:
            kept.append(sign)
    return "".join(kept)
