"""Functions of one value: parts of dates, labels, formats, currencies.

| function | of | SELECT | WHERE | GROUP BY | ORDER BY |
|---|---|---|---|---|---|
| `CALENDAR_YEAR` … | dates; `DAY_ONLY` and `HOUR_IN_DAY` of date-times only | if grouped | yes | yes | yes |
| `convertTimezone` | date-times, inside of those | | | | |
| `toLabel` | picklists, `RecordType.Name` | yes | picklists | no | no |
| `FORMAT` | numbers, amounts, dates | yes | no | no | no |
| `convertCurrency` | amounts, in orgs with several currencies | yes | no | no | no |

Source: Salesforce "SOQL and SOSL Reference", "Date Functions", "toLabel()", "FORMAT ()", "convertCurrency()". The
user's time zone is GMT, so `convertTimezone` changes nothing; the fiscal year is the calendar year; the locale is
en_US.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from connector.sandbox.salesforce.definitions.schema import NUMBER_TYPES, Field
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.records import rules
from connector.sandbox.salesforce.records.formulas import Getter
from connector.sandbox.salesforce.soql.currencies import Rates
from connector.sandbox.salesforce.soql.resolve import Column, Scope
from connector.sandbox.salesforce.soql.syntax import DATE_FUNCTIONS, SHOWING, Call, Operand, Path

_DATES = frozenset({"date", "datetime"})
_MOMENTS_ONLY = frozenset({"DAY_ONLY", "HOUR_IN_DAY"})
_LABELLED = frozenset({"picklist", "multipicklist"})


def resolve(scope: Scope, operand: Operand, use: str) -> Column:
    """How a field, or a function of one, is read from a row. `use` is SELECT, WHERE, GROUP BY or ORDER BY.
    Raises INVALID_FIELD, or MALFORMED_QUERY for a function that has no place there.
    """
    if isinstance(operand, Path):
        return scope.column(operand, use)
    if operand.aggregates:
        raise scope.context.error("MALFORMED_QUERY", operand.pos, "aggregate functions are not allowed here")
    if operand.name in DATE_FUNCTIONS and use == "SELECT":
        path = operand.innermost.text if operand.innermost else ""
        message = f"Field must be grouped or aggregated: {operand.name}({path})"
        raise scope.context.error("MALFORMED_QUERY", operand.pos, message)
    if operand.argument is None or not _has_its_place(operand, use):
        raise misplaced(scope, operand, use)
    return apply(scope, operand, resolve_argument(scope, operand, operand.argument, use))


def resolve_argument(scope: Scope, call: Call, argument: Operand, use: str) -> Column:
    """What a function is of. Raises like `resolve`."""
    if isinstance(argument, Path):
        return scope.column(argument, use)
    if call.name in DATE_FUNCTIONS and argument.name == "CONVERTTIMEZONE" and isinstance(argument.argument, Path):
        column = scope.column(argument.argument, use)
        if column.field.type != "datetime":
            raise _unfit(scope, argument, column)
        return column
    if call.name == "FORMAT" and argument.name == "CONVERTCURRENCY":
        return resolve(scope, argument, use)
    raise misplaced(scope, argument, use)


def apply(scope: Scope, call: Call, column: Column) -> Column:
    """A function of a column. Raises INVALID_FIELD where it is none of that type."""
    field, read = column.field, column.read
    if call.name in DATE_FUNCTIONS:
        return _part(scope, call, column)
    if call.name == "TOLABEL" and (field.type in _LABELLED or field.name_field):
        return replace(column, read=_labelled(scope, column), direct=False, computed=True)
    if call.name == "FORMAT" and field.type in NUMBER_TYPES | _DATES:
        iso = column.iso
        write = _FORMATS.get(field.type, _format_number)

        def formatted(row: Any) -> str | None:
            value = read(row)
            return None if value is None else write(field, value, iso(row) if iso else None)

        return Column(Field(field.name, "string", field.label), formatted, direct=False, computed=True)
    if call.name == "CONVERTCURRENCY" and field.type == "currency":
        return _converted(scope, call, column)
    raise _unfit(scope, call, column)


def misplaced(scope: Scope, call: Call, use: str) -> ApiError:
    """The error for a function that has no place in a clause."""
    message = f"function {call.name} is not allowed in {use}"
    return scope.context.error("MALFORMED_QUERY", call.pos, message)


def _has_its_place(call: Call, use: str) -> bool:
    if call.name in DATE_FUNCTIONS:
        return use != "SELECT"
    return call.name in SHOWING and (use == "SELECT" or (use == "WHERE" and call.name == "TOLABEL"))


def _unfit(scope: Scope, call: Call, column: Column) -> ApiError:
    message = f"field {column.field.name} does not support function {call.name}"
    return scope.context.error("INVALID_FIELD", call.pos, message)


# -- parts of dates


def _part(scope: Scope, call: Call, column: Column) -> Column:
    wanted = {"datetime"} if call.name in _MOMENTS_ONLY else _DATES
    if column.field.type not in wanted:
        raise _unfit(scope, call, column)
    compute, read = _PARTS[call.name], column.read
    kind = "date" if call.name == "DAY_ONLY" else "int"

    def part(row: Any) -> Any:
        value = read(row)
        return None if value is None else compute(value)

    return Column(Field(f"{call.name}({column.field.name})", kind, call.name), part, direct=False, computed=True)


def _day(value: str) -> date:
    return date.fromisoformat(value[:10])


def _month(value: str) -> int:
    return int(value[5:7])


def _quarter(value: str) -> int:
    return (_month(value) + 2) // 3


def _year(value: str) -> int:
    return int(value[:4])


def _day_in_year(value: str) -> int:
    return _day(value).timetuple().tm_yday


_PARTS: dict[str, Callable[[str], Any]] = {
    "CALENDAR_MONTH": _month,
    "CALENDAR_QUARTER": _quarter,
    "CALENDAR_YEAR": _year,
    "DAY_IN_MONTH": lambda value: int(value[8:10]),
    "DAY_IN_WEEK": lambda value: _day(value).isoweekday() % 7 + 1,  # Sunday is 1
    "DAY_IN_YEAR": _day_in_year,
    "DAY_ONLY": lambda value: value[:10],
    "FISCAL_MONTH": _month,
    "FISCAL_QUARTER": _quarter,
    "FISCAL_YEAR": _year,
    "HOUR_IN_DAY": lambda value: int(value[11:13]),
    # The first week is that of the first seven days, whatever day it begins on.
    "WEEK_IN_MONTH": lambda value: (int(value[8:10]) + 6) // 7,
    "WEEK_IN_YEAR": lambda value: (_day_in_year(value) + 6) // 7,
}


# -- what is shown


def _labelled(scope: Scope, column: Column) -> Getter:
    read = column.read
    labels = {each.value: each.label for each in rules.choices(scope.context.store, column.field)}

    def label(row: Any) -> Any:
        value = read(row)
        return None if value is None else ";".join(labels.get(part, part) for part in value.split(";"))

    return read if column.field.type not in _LABELLED else label


def _converted(scope: Scope, call: Call, column: Column) -> Column:
    rates, read, iso = Rates(scope.context.store), column.read, column.iso
    if not rates or iso is None:
        message = "convertCurrency is only supported in organizations with multiple currencies"
        raise scope.context.error("INVALID_FIELD", call.pos, message)
    user = scope.context.store.table("User").live[scope.context.store.user]
    own = user.get("DefaultCurrencyIsoCode") or rates.corporate

    def convert(row: Any) -> Any:
        return rates.convert(read(row), iso(row), own)

    return replace(column, read=convert, direct=False, computed=True, iso=lambda _: own)


def _format_number(field: Field, value: float, _: str | None) -> str:
    return f"{value:,.{field.scale}f}"


def _format_amount(field: Field, value: float, iso: str | None) -> str:
    sign, amount = "-" if value < 0 else "", f"{abs(value):,.{field.scale or 2}f}"
    return f"{sign}${amount}" if iso is None else f"{iso} {sign}{amount}"


def _format_day(_: Field, value: str, __: str | None) -> str:
    day = _day(value)
    return f"{day.month}/{day.day}/{day.year}"


def _format_moment(field: Field, value: str, iso: str | None) -> str:
    moment = datetime.fromisoformat(value)
    half = "AM" if moment.hour < 12 else "PM"
    return f"{_format_day(field, value, iso)}, {(moment.hour + 11) % 12 + 1}:{moment.minute:02d} {half}"


_FORMATS: dict[str, Callable[[Field, Any, str | None], str]] = {
    "currency": _format_amount,
    "percent": lambda field, value, iso: _format_number(field, value, iso) + "%",
    "date": _format_day,
    "datetime": _format_moment,
}
