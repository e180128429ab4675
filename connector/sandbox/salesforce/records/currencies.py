"""An org with several currencies, switched on by giving it some.

`{"IsoCode": "USD", "ConversionRate": 1, "IsCorporate": true, "IsActive": true, "DecimalPlaces": 2}`, the fields of
CurrencyType. With them the object CurrencyType is there, and `CurrencyIsoCode` on the objects of `CARRIERS`, on
User beside `DefaultCurrencyIsoCode`; what exists already gets the corporate currency. New records get that of the
user (`DefaultCurrencyIsoCode`), and only active codes are taken. With an empty list the org has a single currency
again (a real org cannot go back), and neither object nor fields are known. Amounts are not converted when a record
changes its currency, as in Salesforce. Source: Salesforce Object Reference, "CurrencyType", "Account", "Contact",
"Lead", "Opportunity", "User"; Salesforce Help, "Manage Multiple Currencies".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from connector.sandbox.salesforce.definitions.custom_fields import check_against
from connector.sandbox.salesforce.definitions.objects import CURRENCY_TYPE, currency_code
from connector.sandbox.salesforce.definitions.schema import Choice, Schema
from connector.sandbox.salesforce.errors import InputError
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.records import values
from connector.sandbox.salesforce.records.store import Deletion, Row

CARRIERS = ("Account", "Contact", "Lead", "Opportunity")
_CODE, _DEFAULT_CODE = "CurrencyIsoCode", "DefaultCurrencyIsoCode"
_FIELDS = {**dict.fromkeys(CARRIERS, (_CODE,)), "User": (_CODE, _DEFAULT_CODE)}
_GIVEN = ("IsoCode", "ConversionRate", "IsCorporate", "IsActive", "DecimalPlaces")
_ISO = re.compile(r"[A-Z]{3}")

Items = Iterable[Mapping[str, Any]]


class Currencies:
    """The currencies of an org; none when it has a single one."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def tell(self) -> list[dict[str, Any]]:
        """The currencies, in the shape they are given in, each with its Id."""
        if self._org.schema.find(CURRENCY_TYPE.name) is None:
            return []
        rows = self._org.store.table(CURRENCY_TYPE.name).rows()
        return [{"Id": row["Id"], **{name: row.get(name, False) for name in _GIVEN}} for row in rows]

    def add(self, items: Items) -> list[str]:
        """Add currencies, or replace those of the same code, and give back their ids. Raises `InputError`."""
        given = [_checked(item) for item in items]
        merged = {row["IsoCode"]: {name: row[name] for name in _GIVEN} for row in self.tell()}
        merged |= {row["IsoCode"]: row for row in given}
        found = dict(zip(merged, self._keep(list(merged.values())), strict=True))
        return [found[row["IsoCode"]] for row in given]

    def replace(self, items: Items) -> list[str]:
        """Make these the only currencies. Raises `InputError`, also for taking away one that records have."""
        return self._keep([_checked(item) for item in items])

    def complete(self) -> None:
        """Give the corporate currency to what has none yet."""
        corporate = [row["IsoCode"] for row in self.tell() if row["IsCorporate"]]
        if corporate:
            self._mark(corporate[0])

    def _keep(self, rows: list[Row]) -> list[str]:
        if not rows:
            self._switch_off()
            return []
        self._check(rows)
        corporate = next(row["IsoCode"] for row in rows if row["IsCorporate"])
        self._switch_on()
        store, table = self._org.store, self._org.store.table(CURRENCY_TYPE.name)
        known = {row["IsoCode"]: row["Id"] for row in table.rows()}
        kept = [self._org.insert(CURRENCY_TYPE.name, row, known.get(row["IsoCode"])) for row in rows]
        for record in [each for each in table.live if each not in kept]:
            store.take(table, record, Deletion(store.now(), record), None)
        self._offer(rows)
        self._mark(corporate)
        return kept

    def _check(self, rows: list[Row]) -> None:
        codes = {row["IsoCode"] for row in rows}
        corporate = [row for row in rows if row["IsCorporate"]]
        if len(codes) != len(rows):
            raise InputError("each currency is given once")
        if len(corporate) != 1 or not corporate[0]["IsActive"] or corporate[0]["ConversionRate"] != 1:
            raise InputError("one currency is the corporate one: active, with a ConversionRate of 1")
        if self._org.schema.find(CURRENCY_TYPE.name) is None:
            return
        for name, fields in _FIELDS.items():
            for row in self._org.store.table(name).rows():
                if not {row[field] for field in fields if field in row} <= codes:
                    raise InputError(f"{row['Id']} has a currency that would be gone")

    def _switch_on(self) -> None:
        if self._org.schema.find(CURRENCY_TYPE.name) is None:
            self._org.store.add_table(self._org.schema.add(CURRENCY_TYPE))

    def _switch_off(self) -> None:
        if self._org.schema.find(CURRENCY_TYPE.name) is None:
            return
        trial = Schema(self._org.schema)
        for name, fields in _FIELDS.items():
            for field in fields:
                trial[name].remove(trial[name].fields[field.lower()])
        check_against(self._org, trial)
        for name, fields in _FIELDS.items():
            table = self._org.store.table(name)
            for row in list(table.rows()):
                table.swap(row["Id"], {each: value for each, value in row.items() if each not in fields})
            for field in fields:
                self._org.writer.history.forget(name, field)
                self._org.schema[name].remove(self._org.schema[name].fields[field.lower()])
        self._org.schema.remove(CURRENCY_TYPE.name)
        self._org.store.drop_table(CURRENCY_TYPE.name)

    def _offer(self, rows: list[Row]) -> None:
        choices = tuple(Choice(row["IsoCode"], row["IsoCode"], row["IsActive"]) for row in rows)
        for name, fields in _FIELDS.items():
            for field in fields:
                self._org.schema[name].add(currency_code(field, choices, writable=self._org.schema[name].writable))

    def _mark(self, corporate: str) -> None:
        for name, fields in _FIELDS.items():
            table = self._org.store.table(name)
            for row in list(table.rows()):
                missing = {field: corporate for field in fields if field not in row}
                if missing:
                    table.swap(row["Id"], {**row, **missing})


def _checked(item: Mapping[str, Any]) -> Row:
    unknown = item.keys() - {"Id", *_GIVEN}
    code = item.get("IsoCode")
    if unknown or not isinstance(code, str) or not _ISO.fullmatch(code):
        raise InputError(f"a currency has {', '.join(_GIVEN)}, the IsoCode of three letters")
    given: Row = {"ConversionRate": 1.0, "IsCorporate": False, "IsActive": True, "DecimalPlaces": 2}
    for name in _GIVEN:
        if name in item:
            field = CURRENCY_TYPE.fields[name.lower()]
            given[name] = values.check(field, values.read(field, item[name]))
    if not given["ConversionRate"] or given["ConversionRate"] < 0 or given["DecimalPlaces"] is None:
        raise InputError(f"{code}: ConversionRate is more than 0, DecimalPlaces a whole number")
    return given
