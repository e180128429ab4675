"""The functions and operators of formulas: what each takes, what it gives, and how it is worked out.

A `Form` is one way to call a function; `T` stands for any kind, the same wherever it stands, and `any` for any.
Those without `apply` need more than the values of their arguments (`compiled.py`). Where an argument is no
number or no date there is no result, unless the function is `lenient`.
Source: Salesforce Help, "Formula Operators and Functions".
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any, Literal

Kind = Literal["number", "text", "boolean", "date", "datetime", "picklist", "multipicklist", "null"]
SHOWN: dict[str, str] = {
    "number": "Number", "text": "Text", "boolean": "Boolean", "date": "Date", "datetime": "DateTime",
    "picklist": "Picklist", "multipicklist": "Multi-Select Picklist", "null": "Null",
}  # fmt: skip

_DAY = Decimal(86_400)
_LONGEST = 3_900
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)")


@dataclass(frozen=True, slots=True)
class Form:
    """The kinds of the parameters, of any that may follow, and of the result."""

    takes: tuple[str, ...]
    gives: str
    more: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function or operator. `rules_only`: it asks what changes, which a formula field cannot know."""

    forms: tuple[Form, ...]
    apply: Callable[..., Any] | None = None
    lenient: bool = False
    rules_only: bool = False


def _forms(*written: str) -> tuple[Form, ...]:
    """`"text number > text"`; a `*` after the last parameter lets more of its kind follow."""
    forms = []
    for each in written:
        left, _, gives = each.partition(" > ")
        takes = tuple(left.replace("*", "").split())
        forms.append(Form(takes, gives, takes[-1] if "*" in left else None))
    return tuple(forms)


def is_blank(value: Any) -> bool:
    return value is None or value == ""


def equal(left: Any, right: Any) -> bool:
    """Blank text equals NULL; text is compared with its case."""
    return left == right or (is_blank(left) and is_blank(right))


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, Decimal) and isinstance(right, date):
        left, right = right, left
    return left + _days(left, right) if isinstance(left, date) else left + right


def _subtract(left: Any, right: Any) -> Any:
    if isinstance(left, datetime) and isinstance(right, datetime):
        return Decimal(str((left - right).total_seconds())) / _DAY
    if isinstance(left, date):
        return Decimal((left - right).days) if isinstance(right, date) else left - _days(left, right)
    return left - right


def _days(moment: date, number: Decimal) -> timedelta:
    """A date moves by whole days, a date and time by fractions as well."""
    whole = number if isinstance(moment, datetime) else number.to_integral_value(ROUND_DOWN)
    return timedelta(seconds=round(whole * _DAY))


def _date_value(value: Any) -> date:
    return value.astimezone(UTC).date() if isinstance(value, datetime) else date.fromisoformat(str(value)[:10])


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, Decimal):
        shown = format(value, "f")
        return shown.rstrip("0").rstrip(".") if "." in shown else shown
    return str(value)


def _round(number: Decimal, digits: Decimal) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-int(digits)), ROUND_HALF_UP)


def _mid(text: str, start: Decimal, length: Decimal) -> str:
    begin = max(int(start), 1) - 1
    return text[begin : begin + max(int(length), 0)]


def _right(text: str, length: Decimal) -> str:
    return text[len(text) - min(max(int(length), 0), len(text)) :]


def _find(searched: str, text: str, start: Decimal = Decimal(1)) -> Decimal:
    """From 1; 0 when it is not there."""
    return Decimal(text.find(searched, max(int(start), 1) - 1) + 1)


def _pad(text: str, length: Decimal, pad: str, *, left: bool) -> str:
    """Cut or filled to the length, which is that of a text field at most."""
    width = min(max(int(length), 0), _LONGEST)
    filling = (pad or " ") * width
    missing = max(width - len(text), 0)
    return ((filling[:missing] + text) if left else (text + filling[:missing]))[:width]


def _add_months(day: date, number: Decimal) -> date:
    """The last day of a month stays the last; a day that a month has not becomes its last."""
    years, month = divmod(day.year * 12 + day.month - 1 + int(number), 12)
    last = monthrange(years, month + 1)[1]
    was_last = day.day == monthrange(day.year, day.month)[1]
    return day.replace(year=years, month=month + 1, day=last if was_last else min(day.day, last))


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text.strip()) is not None


def _matches(text: str, pattern: str) -> bool:
    return re.fullmatch(pattern, text) is not None


_COMPARED = ("number number > boolean", "date date > boolean", "datetime datetime > boolean")

FUNCTIONS: dict[str, Function] = {
    "+": Function(_forms("number number > number", "date number > date", "number date > date",
                         "datetime number > datetime", "number datetime > datetime", "text text > text"), _add),
    "-": Function(_forms("number number > number", "date number > date", "date date > number",
                         "datetime number > datetime", "datetime datetime > number"), _subtract),
    "*": Function(_forms("number number > number"), lambda a, b: a * b),
    "/": Function(_forms("number number > number"), lambda a, b: a / b),
    "^": Function(_forms("number number > number"), lambda a, b: a**b),
    "&": Function(_forms("text text > text"), lambda a, b: (a or "") + (b or ""), lenient=True),
    "negate": Function(_forms("number > number"), lambda a: -a),
    "=": Function(_forms("T T > boolean"), equal, lenient=True),
    "<>": Function(_forms("T T > boolean"), lambda a, b: not equal(a, b), lenient=True),
    "<": Function(_forms(*_COMPARED), lambda a, b: a < b),
    "<=": Function(_forms(*_COMPARED), lambda a, b: a <= b),
    ">": Function(_forms(*_COMPARED), lambda a, b: a > b),
    ">=": Function(_forms(*_COMPARED), lambda a, b: a >= b),
    "&&": Function(_forms("boolean boolean > boolean")),
    "||": Function(_forms("boolean boolean > boolean")),
    "AND": Function(_forms("boolean* > boolean")),
    "OR": Function(_forms("boolean* > boolean")),
    "NOT": Function(_forms("boolean > boolean"), lambda a: not a, lenient=True),
    "IF": Function(_forms("boolean T T > T")),
    "CASE": Function(()),
    "ISBLANK": Function(_forms("any > boolean"), is_blank, lenient=True),
    "ISNULL": Function(_forms("any > boolean"), lambda a: a is None, lenient=True),
    "BLANKVALUE": Function(_forms("T T > T"), lambda a, b: b if is_blank(a) else a, lenient=True),
    "NULLVALUE": Function(_forms("T T > T"), lambda a, b: b if a is None else a, lenient=True),
    "ISPICKVAL": Function(_forms("picklist text > boolean"), equal, lenient=True),
    "INCLUDES": Function(_forms("multipicklist text > boolean"), lambda a, b: b in a.split(";")),
    "TEXT": Function(_forms("number > text", "date > text", "datetime > text", "picklist > text"), _text),
    "VALUE": Function(_forms("text > number"), lambda a: Decimal(a.strip()) if a.strip() else None),
    "LEN": Function(_forms("text > number"), lambda a: Decimal(len(a))),
    "LEFT": Function(_forms("text number > text"), lambda a, n: a[: max(int(n), 0)]),
    "RIGHT": Function(_forms("text number > text"), _right),
    "MID": Function(_forms("text number number > text"), _mid),
    "TRIM": Function(_forms("text > text"), lambda a: a.strip()),
    "UPPER": Function(_forms("text > text"), lambda a: a.upper()),
    "LOWER": Function(_forms("text > text"), lambda a: a.lower()),
    "CONTAINS": Function(_forms("text text > boolean"), lambda a, b: b in a),
    "BEGINS": Function(_forms("text text > boolean"), lambda a, b: a.startswith(b)),
    "SUBSTITUTE": Function(_forms("text text text > text"), lambda a, old, new: a.replace(old, new) if old else a),
    "FIND": Function(_forms("text text > number", "text text number > number"), _find),
    "LPAD": Function(_forms("text number text > text"), lambda a, n, pad: _pad(a, n, pad, left=True)),
    "RPAD": Function(_forms("text number text > text"), lambda a, n, pad: _pad(a, n, pad, left=False)),
    "ISNUMBER": Function(_forms("text > boolean"), _is_number),
    "REGEX": Function(_forms("text text > boolean"), _matches),
    "ROUND": Function(_forms("number number > number"), _round),
    "ABS": Function(_forms("number > number"), abs),
    "MIN": Function(_forms("number* > number"), min),
    "MAX": Function(_forms("number* > number"), max),
    # Of a negative number the floor is nearer to zero and the ceiling farther from it, as Salesforce has it.
    "FLOOR": Function(_forms("number > number"), lambda a: a.to_integral_value(ROUND_DOWN)),
    "CEILING": Function(_forms("number > number"), lambda a: a.to_integral_value(ROUND_UP)),
    "MFLOOR": Function(_forms("number > number"), lambda a: a.to_integral_value(ROUND_FLOOR)),
    "MCEILING": Function(_forms("number > number"), lambda a: a.to_integral_value(ROUND_CEILING)),
    "SQRT": Function(_forms("number > number"), lambda a: a.sqrt()),
    "MOD": Function(_forms("number number > number"), lambda a, b: a % b),
    "TODAY": Function(_forms(" > date")),
    "NOW": Function(_forms(" > datetime")),
    "DATE": Function(_forms("number number number > date"), lambda y, m, d: date(int(y), int(m), int(d))),
    "YEAR": Function(_forms("date > number"), lambda a: Decimal(a.year)),
    "MONTH": Function(_forms("date > number"), lambda a: Decimal(a.month)),
    "DAY": Function(_forms("date > number"), lambda a: Decimal(a.day)),
    # Sunday is 1.
    "WEEKDAY": Function(_forms("date > number"), lambda a: Decimal(a.isoweekday() % 7 + 1)),
    "ADDMONTHS": Function(_forms("date number > date", "datetime number > datetime"), _add_months),
    "DATEVALUE": Function(_forms("datetime > date", "text > date"), _date_value),
    "ISCHANGED": Function(_forms("any > boolean"), rules_only=True),
    "PRIORVALUE": Function(_forms("T > T"), rules_only=True),
    "ISNEW": Function(_forms(" > boolean"), rules_only=True),
}  # fmt: skip
