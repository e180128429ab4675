"""What an administrator may do to the org behind the API's back, and the addresses for it.

| under `/_sandbox/` | methods |
|---|---|
| `usage`, `usage/reset`, `reset` | GET; POST |
| `clock`, `faults`, `snapshots`, `restore` | see `admin.py`, `faults.py`, `snapshots.py` |
| `people`, `sessions`, `certificate` | POST: act as somebody, end sessions, what JWTs are checked against |
| `stages`, `record_types`, `users`, `fields` | GET lists, POST adds, PUT replaces |
| `validation_rules`, `duplicate_rules`, `currencies` | the same |
| `field_history` | GET, PUT `{"Opportunity": ["Amount"]}` |
| `locks` | GET, POST `{"ids", "seconds" or "requests"}`, DELETE frees all |
| `permissions` | GET, PUT; of another user than the administrator with `?user=NAME` |
| `settings` | GET, PUT: the switches of `settings.py` |
| `bulk` | GET, PUT: how jobs of the Bulk APIs go |
| `merge`, `undelete`, `convert_lead` | POST |

The lists hold objects of Salesforce's own shapes (OpportunityStage, RecordType, User, and fields as in a
describe). Input that is not understood is refused and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from connector.sandbox.admin import COMMON, Methods, read_body, refuse
from connector.sandbox.salesforce.definitions.custom_fields import CustomFields
from connector.sandbox.salesforce.errors import ApiError, InputError
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.records import leads, values
from connector.sandbox.salesforce.records.currencies import Currencies
from connector.sandbox.salesforce.records.formulas import FORECAST_CODES
from connector.sandbox.salesforce.records.store import Deletion, Row
from connector.sandbox.wire import Request, Response

Items = Iterable[Mapping[str, Any]]


class Listing(Protocol):
    """A list that an administrator keeps outside the rows of the org."""

    def tell(self) -> list[dict[str, Any]]: ...

    def add(self, items: Items) -> list[str]: ...

    def replace(self, items: Items) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the lists: its object, the fields that identify an entry, and what completes an entry."""

    sobject: str
    identity: tuple[str, ...]
    complete: Callable[[Row, int], Row]
    extra: frozenset[str] = frozenset()


def _complete_stage(given: Row, position: int) -> Row:
    label = given.get("MasterLabel") or given.get("ApiName")
    if not label:
        raise InputError("a stage needs a MasterLabel or an ApiName")
    won = given.get("IsWon", False)
    closed = given.get("IsClosed", won)
    if won and not closed:
        raise InputError(f"{label}: a stage that is won is closed")
    category = given.get("ForecastCategoryName") or _NAMES.get(given.get("ForecastCategory", ""))
    category = category or ("Closed" if won else "Omitted" if closed else "Pipeline")
    probability = 100.0 if won else 0.0 if closed else 10.0
    return {
        "IsActive": True, "SortOrder": position, "DefaultProbability": probability, "ApiName": label,
        "MasterLabel": label, **given, "IsWon": won, "IsClosed": closed, "ForecastCategoryName": category,
        "ForecastCategory": FORECAST_CODES.get(category, category),
    }  # fmt: skip


def _complete_record_type(given: Row, _: int) -> Row:
    name = given.get("Name") or given.get("DeveloperName")
    if not name:
        raise InputError("a record type needs a Name or a DeveloperName")
    developer_name = "_".join("".join(c if c.isalnum() else " " for c in name).split())
    return {"SobjectType": "Opportunity", "IsActive": True, "Name": name, "DeveloperName": developer_name, **given}


def _complete_user(given: Row, _: int) -> Row:
    email = given.get("Email") or given.get("Username")
    if not email:
        raise InputError("a user needs an Email or a Username")
    return {
        "IsActive": True, "Username": email, "Email": email, "LastName": email.split("@")[0],
        "UserType": "Standard", "TimeZoneSidKey": "GMT", "LocaleSidKey": "en_US", "LanguageLocaleKey": "en_US",
        **given,
    }  # fmt: skip


_NAMES = {code: name for name, code in FORECAST_CODES.items()} | {
    name: name for name in ("Omitted", "Pipeline", "Closed")
}
_KINDS = {
    "stages": _Kind("OpportunityStage", ("ApiName",), _complete_stage),
    "record_types": _Kind(
        "RecordType", ("SobjectType", "DeveloperName"), _complete_record_type, frozenset({"picklistValues"})
    ),
    "users": _Kind("User", ("Username",), _complete_user),
}
_LISTINGS: dict[str, Callable[[Org], Listing]] = {
    "currencies": Currencies,
    "duplicate_rules": lambda org: org.writer.duplicates,
    "fields": CustomFields,
    "validation_rules": lambda org: org.writer.validation,
}


class Administration:
    """The acts, as methods. Bad input raises `InputError` and changes nothing."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def usage(self) -> dict[str, Any]:
        """`{"total": calls, "by_resource": {"query": calls, …}}` since the org began or the last reset."""
        return self._org.usage.view()

    def reset_usage(self) -> None:
        self._org.usage.reset()

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """The entries of one of the lists."""
        if kind in _LISTINGS:
            return _LISTINGS[kind](self._org).tell()
        table = self._org.store.table(_KINDS[kind].sobject)
        rows = sorted(table.rows(), key=lambda row: row.get("SortOrder", 0))
        narrowed = self._org.store.record_type_values
        return [
            {**row, "picklistValues": narrowed[row["Id"]]} if row["Id"] in narrowed else dict(row) for row in rows
        ]

    def add(self, kind: str, items: Items) -> list[str]:
        """Add entries and give back their ids; one that is there already is replaced and keeps its id."""
        if kind in _LISTINGS:
            return _LISTINGS[kind](self._org).add(items)
        return self._store(kind, items, len(self._org.store.table(_KINDS[kind].sobject).live))

    def replace(self, kind: str, items: Items) -> list[str]:
        """Make these the only entries; the administrator stays among the users."""
        if kind in _LISTINGS:
            return _LISTINGS[kind](self._org).replace(items)
        with self._org.store.transaction():
            kept = {*self._store(kind, items, 0), self._org.administrator}
            store, table = self._org.store, self._org.store.table(_KINDS[kind].sobject)
            for record in [each for each in table.live if each not in kept]:
                store.take(table, record, Deletion(store.now(), record), None)
        ordered = [record for record in table.live if record in kept]
        return ordered if kind != "users" else [each for each in ordered if each != self._org.administrator]

    def permissions(self, wanted: Mapping[str, Any] | None = None, user: str | None = None) -> dict[str, Any]:
        """What a user (by name; the administrator unless named) may do, after changing what is `wanted` (the
        shape of the answer, or a part of it).
        """
        record = self._org.administrator if user is None else self._user(user)
        if wanted is not None:
            self._org.access.change(record, wanted, self._org.schema)
            self._org.tell_permissions()
        return self._org.access.tell(record)

    def settings(self, wanted: Any = None) -> dict[str, Any]:
        """The switches of `settings.py`, after setting some."""
        if wanted is not None:
            self._org.settings.change(wanted)
        return self._org.settings.view()

    def field_history(self, wanted: Mapping[str, Any] | None = None) -> dict[str, list[str]]:
        """Which fields are tracked, by object, after making it those that are `wanted`."""
        if wanted is not None:
            self._org.writer.history.change(wanted)
        return self._org.writer.history.tell()

    def locks(self, wanted: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The locks that others hold, after adding what is `wanted` (`locks.py`)."""
        if wanted is not None:
            self._org.writer.locks.hold(wanted)
        return self._org.writer.locks.tell()

    def free_locks(self) -> None:
        self._org.writer.locks.free()

    def _user(self, name: str) -> str:
        users = self._org.store.table("User").rows()
        found = next((row["Id"] for row in users if row["Username"].casefold() == name.casefold()), None)
        if found is None:
            raise InputError(f"no user is called {name}")
        return str(found)

    def merge(self, sobject: str, master: str, losers: list[str]) -> None:
        """Merge one or two records of Account, Contact or Lead into a third."""
        found = self._org.schema.find(sobject)
        if (
            found is None
            or not found.mergeable
            or not 1 <= len(losers) <= 2
            or len({master, *losers}) <= len(losers)
        ):
            raise InputError("merge takes an Account, Contact or Lead, a master, and one or two other losers")
        with self._org.store.transaction():
            self._org.writer.merge(found, master, losers)

    def convert_lead(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Convert a lead; the shape of the input and of the answer are told in `leads.py`."""
        with self._org.store.transaction():
            return leads.convert(self._org.writer, self._org.store, wanted)

    def undelete(self, records: Iterable[str]) -> None:
        """Bring records back from the recycle bin."""
        with self._org.store.transaction():
            for record in records:
                self._org.writer.undelete(record)

    def _store(self, kind: str, items: Items, offset: int) -> list[str]:
        shape = _KINDS[kind]
        sobject = self._org.schema[shape.sobject]
        table = self._org.store.table(shape.sobject)
        known = {tuple(row.get(name) for name in shape.identity): row["Id"] for row in table.rows()}
        ready = []
        for position, item in enumerate(items, offset + 1):
            given: Row = {}
            for name, value in item.items():
                field = sobject.find(name)
                if name in shape.extra or name in {"Id", "attributes"}:
                    continue
                if field is None or field.derived:
                    raise InputError(f"{shape.sobject} has no field {name}")
                given[field.name] = values.check(field, values.read(field, value))
            narrowed = item.get("picklistValues") if shape.extra else None
            ready.append((shape.complete(given, position), None if narrowed is None else _narrowed(narrowed)))
        ids = []
        for row, narrowed in ready:
            identity = tuple(row.get(name) for name in shape.identity)
            record = self._org.insert(shape.sobject, row, known.get(identity))
            known[identity] = record
            ids.append(record)
            if narrowed is not None:
                self._org.store.record_type_values[record] = narrowed
        Currencies(self._org).complete()
        return ids


def _narrowed(given: Any) -> dict[str, list[str]]:
    if not isinstance(given, dict) or not all(
        isinstance(listed, list) and all(isinstance(each, str) for each in listed) for listed in given.values()
    ):
        raise InputError('picklistValues is an object such as {"StageName": ["Prospecting"]}')
    return {name: list(listed) for name, listed in given.items()}


def answer(administration: Administration, act: str, request: Request) -> Response:
    """Answer one of the acts that are the org's own, by a method that `METHODS` has for it."""
    try:
        return _answer(administration, act, request)
    except ApiError as error:
        return refuse(f"{error.code}: {error.message}")
    except ValueError as error:
        return refuse(str(error))


def _answer(administration: Administration, act: str, request: Request) -> Response:
    if act in {*_KINDS, *_LISTINGS}:
        return _answer_list(administration, act, request)
    found = _ACTS[act][request.method](administration, request)
    if found is None:
        return Response(204)
    return Response.json(found, 201 if (act, request.method) == ("locks", "POST") else 200)


def _merge(administration: Administration, request: Request) -> None:
    body = _object(request)
    administration.merge(str(body.get("sobject")), str(body.get("master")), _texts(body, "losers"))


# What each address does, by method; None is answered 204.
_ACTS: dict[str, dict[str, Callable[[Administration, Request], Any]]] = {
    "usage": {"GET": lambda admin, _: admin.usage()},
    "usage/reset": {"POST": lambda admin, _: admin.reset_usage()},
    "permissions": {
        "GET": lambda admin, request: admin.permissions(user=request.first("user")),
        "PUT": lambda admin, request: admin.permissions(_object(request), request.first("user")),
    },
    "settings": {
        "GET": lambda admin, _: admin.settings(),
        "PUT": lambda admin, request: admin.settings(_object(request)),
    },
    "field_history": {
        "GET": lambda admin, _: admin.field_history(),
        "PUT": lambda admin, request: admin.field_history(_object(request)),
    },
    "locks": {
        "GET": lambda admin, _: admin.locks(),
        "POST": lambda admin, request: admin.locks(_object(request)),
        "DELETE": lambda admin, _: admin.free_locks(),
    },
    "merge": {"POST": _merge},
    "undelete": {"POST": lambda admin, request: admin.undelete(_texts(_object(request), "ids"))},
    "convert_lead": {"POST": lambda admin, request: admin.convert_lead(_object(request))},
}
METHODS: Methods = {
    **COMMON,
    **dict.fromkeys((*_KINDS, *_LISTINGS), ("GET", "POST", "PUT")),
    **{act: tuple(methods) for act, methods in _ACTS.items()},
    "bulk": ("GET", "PUT"),
    "certificate": ("POST",),
    "sessions": ("POST",),
}


def _answer_list(administration: Administration, kind: str, request: Request) -> Response:
    if request.method == "GET":
        return Response.json(administration.entries(kind))
    body = read_body(request)
    if not isinstance(body, list) or not all(isinstance(each, dict) for each in body):
        raise InputError(f"{kind} are given as a list of objects")
    act = administration.add if request.method == "POST" else administration.replace
    ids = act(kind, body)
    return Response.json([{"id": each} for each in ids], 201 if request.method == "POST" else 200)


def _object(request: Request) -> Mapping[str, Any]:
    body = read_body(request)
    if not isinstance(body, dict):
        raise InputError("the body is not a JSON object")
    return body


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InputError(f"{name} is not a list of ids")
    return value
