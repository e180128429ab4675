"""How does a value of one side look on the other? Named transforms, each a pair: forth and back.

Laws, tested for every one: `forth(back(forth(x))) == forth(x)`, and two values of one meaning are one value,
so that neither a lossy conversion nor a change of spelling ever looks like an edit (F7).

| name           | Salesforce               | HubSpot                          |
|----------------|--------------------------|----------------------------------|
| text           | text                     | text, trimmed                    |
| number         | number                   | text of a number                 |
| date           | `YYYY-MM-DD`             | midnight of that day             |
| day            | `YYYY-MM-DD`             | `YYYY-MM-DD`                     |
| datetime       | a moment                 | a moment                         |
| boolean        | true / false             | `true` / `false`                 |
| picklist       | a value                  | its counterpart in the value map |
| multi_picklist | values, `;` between them | their counterparts, each once    |
| email          | text                     | text in lower case               |
| phone          | text, compared by digits | the same                         |
| url            | text, compared as a link | the same                         |
| domain         | a web address            | its domain                       |
| country, state | a name or a code         | a name or a code (`regions.py`)  |
| owner          | OwnerId                  | hubspot_owner_id                 |
| reference      | the id of a record       | the id of its linked record      |
| stage          | RecordTypeId, StageName  | pipeline, dealstage              |
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from connector.core.model import Cannot, Known, Side, Transform, Value, Values
from connector.core.rollups import plain
from connector.mapping.contact_details import Phone, Url
from connector.mapping.regions import Region
from connector.mapping.values import text_of as _text


@dataclass(frozen=True, slots=True)
class Text:
    """Text as it is. White space around it and the kind of line end carry no meaning."""

    def meaning(self, side: Side, values: Values) -> Hashable:
        return _text(values[0])

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        return (_text(values[0]),)


@dataclass(frozen=True, slots=True)
class Email:
    """E-mail addresses are compared and written in lower case to HubSpot, which stores them so (A3)."""

    def meaning(self, side: Side, values: Values) -> Hashable:
        text = _text(values[0])
        return text.lower() if text else None

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        text = _text(values[0])
        return (text.lower() if text and to is Side.HUBSPOT else text,)


@dataclass(frozen=True, slots=True)
class Number:
    """1054 = 1054.0 = "1054" (F7). HubSpot has numbers as text, Salesforce as JSON numbers."""

    def meaning(self, side: Side, values: Values) -> Hashable:
        text = _text(values[0])
        number = _decimal(text)
        return text if number is None else number.normalize()

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        text = _text(values[0])
        if text is None:
            return (None,)
        number = _decimal(text)
        if number is None:
            return Cannot(f"{text!r} is not a number", "correct the value")
        if to is Side.HUBSPOT:
            return (plain(number),)
        if number != number.to_integral_value():
            number = Decimal(repr(float(number)))  # what JSON will keep of it
        whole = number == number.to_integral_value() and abs(number) <= _WHOLE
        return (int(number) if whole else float(number),)


_WHOLE = 2**63 - 1
"""Longer ones the usual writers and readers of JSON do not take for whole numbers."""
_PLACES = 308
"""So many places, before the point or behind it, has a double at most."""


def _decimal(text: str | None) -> Decimal | None:
    """The number that a text is; none if no double can hold it: neither vendor has such numbers."""
    try:
        number = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    fits = number is not None and number.is_finite() and abs(number.adjusted()) < _PLACES
    return number if fits else None


@dataclass(frozen=True, slots=True)
class Date:
    """A Salesforce day is its midnight in `zone`; back, it is the day the moment falls on (F7).

    Not so for HubSpot properties of type date, which hold days themselves: `midnight` is False for them.
    """

    zone: ZoneInfo
    midnight: bool = True

    def meaning(self, side: Side, values: Values) -> Hashable:
        day = self._day(_text(values[0]))
        return day.isoformat() if isinstance(day, date) else day

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        text = _text(values[0])
        day = self._day(text)
        if day is None:
            return (None,)
        if isinstance(day, str):
            return Cannot(f"{day!r} is not a date", "correct the value")
        if not self.midnight:
            return (day.isoformat(),)
        try:
            midnight = _moment_text(datetime.combine(day, time(), self.zone))
        except OverflowError:  # in UTC it lies before the year 1, or after 9999
            return Cannot(f"{text!r} is not a date", "correct the value")
        return (day.isoformat() if to is Side.SALESFORCE else midnight,)

    def _day(self, text: str | None) -> date | str | None:
        if text is None:
            return None
        try:
            if len(text) == len("YYYY-MM-DD") and not _is_milliseconds(text):
                return date.fromisoformat(text)
            return _moment(text).astimezone(self.zone).date()
        except (ValueError, OverflowError):
            return text


@dataclass(frozen=True, slots=True)
class DateTime:
    """A moment, to the second: Salesforce keeps no fractions."""

    def meaning(self, side: Side, values: Values) -> Hashable:
        text = _text(values[0])
        try:
            return text and _moment(text).replace(microsecond=0)
        except (ValueError, OverflowError):
            return text

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        text = _text(values[0])
        if text is None:
            return (None,)
        try:
            return (_moment_text(_moment(text).replace(microsecond=0)),)
        except (ValueError, OverflowError):
            return Cannot(f"{text!r} is not a date and time", "correct the value")


def _is_milliseconds(text: str) -> bool:
    """Since 1970: HubSpot takes them for a date or a moment, and sometimes prints them."""
    return text.lstrip("-").isdigit()


def _moment(text: str) -> datetime:
    if _is_milliseconds(text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Boolean:
    """A blank HubSpot checkbox is not ticked; Salesforce has no blank ones."""

    def meaning(self, side: Side, values: Values) -> Hashable:
        return _truth(values[0])

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        truth = _truth(values[0])
        return (truth,) if to is Side.SALESFORCE else ("true" if truth else "false",)


def _truth(value: Value) -> bool:
    return value if isinstance(value, bool) else str(value or "").strip().lower() in {"true", "yes", "1"}


@dataclass(frozen=True, slots=True)
class Picklist:
    """A value map, Salesforce value -> HubSpot value (F4). Several may map to one; back, the first of them.

    Without a map every value stands for itself.
    """

    to_hubspot: Mapping[str, str] = field(default_factory=dict)
    to_salesforce: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_map(cls, value_map: Mapping[str, str]) -> Picklist:
        forth = {here.strip(): there.strip() for here, there in value_map.items()}
        back: dict[str, str] = {}
        for here, there in forth.items():
            back.setdefault(there, here)
        return cls(forth, back)

    def meaning(self, side: Side, values: Values) -> Hashable:
        return _text(values[0])

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        text = _text(values[0])
        there = text and self.translate(to, text)
        return there if isinstance(there, Cannot) else (there,)

    def translate(self, to: Side, text: str) -> str | Cannot:
        """The counterpart of one value."""
        table = self.to_hubspot if to is Side.HUBSPOT else self.to_salesforce
        if table and text not in table:
            return Cannot(f"{text!r} is not in the value map", "add it to the mapping's `values` (F4)")
        return table.get(text, text)


BETWEEN = ";"


@dataclass(frozen=True, slots=True)
class MultiPicklist:
    """Several values of a list, in any order, each as `Picklist` has it (F4). Both vendors put `;` between them."""

    one: Picklist = field(default_factory=Picklist)

    def meaning(self, side: Side, values: Values) -> Hashable:
        return tuple(sorted(set(_split(values[0]))))

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        carried: list[str] = []
        for value in _split(values[0]):
            there = self.one.translate(to, value)
            if isinstance(there, Cannot):
                return there
            carried.append(there)
        return (BETWEEN.join(dict.fromkeys(carried)) or None,)


def _split(value: Value) -> list[str]:
    return [one.strip() for one in (_text(value) or "").split(BETWEEN) if one.strip()]


@dataclass(frozen=True, slots=True)
class Domain:
    """`https://www.Acme.com/about` is `acme.com`."""

    def meaning(self, side: Side, values: Values) -> Hashable:
        return host_of(values[0])

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        return (host_of(values[0]),)


def host_of(value: Value) -> str | None:
    """The host of an address or domain as people type it, in lower case and without `www.`."""
    text = (_text(value) or "").lower()
    host = text.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
    host = host.rsplit("@", 1)[-1].split(":", 1)[0]
    return _AROUND_DOMAIN.sub("", host) or None


_AROUND_DOMAIN = re.compile(r"^(?:www\.|[\s.])+|[\s.]+$")


@dataclass(frozen=True, slots=True)
class Owner:
    """Owners match by the e-mail of an active user, after the owner map of the settings (A5)."""

    def meaning(self, side: Side, values: Values) -> Hashable:
        return _text(values[0])

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        text = _text(values[0])
        if text is None:
            return (None,)
        owner = known.owner(to, text)
        return owner if isinstance(owner, Cannot) else (owner,)


@dataclass(frozen=True, slots=True)
class Reference:
    """The record linked to the one referred to, in the pair `pair`; waits while there is no such link."""

    pair: str

    def meaning(self, side: Side, values: Values) -> Hashable:
        return _text(values[0])

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        text = _text(values[0])
        if text is None:
            return (None,)
        partner = known.partner(self.pair, to, text)
        if partner is None:
            return Cannot(f"{text} has no partner in {to} yet", needs=(self.pair, to.other, text))
        return (partner,)


@dataclass(frozen=True, slots=True)
class StagePair:
    """Record type and stage <-> pipeline and stage, together: neither means anything alone (O2-O4)."""

    def meaning(self, side: Side, values: Values) -> Hashable:
        return tuple(_text(value) for value in values)

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        group, stage = (_text(value) for value in values)
        if stage is None:
            return (None, None)
        return known.stage(to, group, stage)

    def fit(self, to: Side, values: Values, onto: Values, known: Known) -> Values:
        """An opportunity keeps its record type where several share the deal's pipeline (O2)."""
        stage, own = _text(values[1]), _text(onto[0])
        if to is Side.HUBSPOT or stage is None or own == values[0]:
            return values
        there = known.stage(Side.HUBSPOT, _text(values[0]), stage)
        same = not isinstance(there, Cannot) and known.stage(Side.HUBSPOT, own, stage) == there
        return (own, stage) if same else values


def make_transform(
    name: str,
    *,
    zone: ZoneInfo,
    values: Mapping[str, str],
    pair: str | None,
    codes: frozenset[Side] = frozenset(),
    country: str | None = None,
) -> Transform:
    """The transform of a mapping entry. `codes` and `country` are for regions. `KeyError`: an unknown name."""
    if name == "reference":
        return Reference(pair or "account-company")
    if name == "country":
        return Region("country", None, codes, tuple(values.items()))
    if name == "state":
        return Region("state", country, codes, tuple(values.items()))
    made: dict[str, Transform] = {
        "text": Text(),
        "number": Number(),
        "date": Date(zone),
        "day": Date(ZoneInfo("UTC"), midnight=False),
        "datetime": DateTime(),
        "boolean": Boolean(),
        "picklist": Picklist.from_map(values),
        "multi_picklist": MultiPicklist(Picklist.from_map(values)),
        "email": Email(),
        "phone": Phone(),
        "url": Url(),
        "domain": Domain(),
        "owner": Owner(),
        "stage": StagePair(),
    }
    return made[name]


def name_of(transform: Transform) -> str:
    """The name by which a mapping file calls a transform."""
    match transform:
        case Date(midnight=False):
            return "day"
        case Region():
            return transform.kind
        case _:
            return _NAMES[type(transform)]


_NAMES: Mapping[type, str] = {
    Text: "text",
    Number: "number",
    Date: "date",
    DateTime: "datetime",
    Boolean: "boolean",
    Picklist: "picklist",
    MultiPicklist: "multi_picklist",
    Email: "email",
    Phone: "phone",
    Url: "url",
    Domain: "domain",
    Owner: "owner",
    Reference: "reference",
    StagePair: "stage",
}
NAMES = (
    "text",
    "number",
    "date",
    "day",
    "datetime",
    "boolean",
    "picklist",
    "multi_picklist",
    "email",
    "phone",
    "url",
    "domain",
    "country",
    "state",
    "owner",
    "reference",
    "stage",
)
WITH_VALUES = ("picklist", "multi_picklist", "country", "state")
"""The transforms that take a value map."""
