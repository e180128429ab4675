"""What the names in a query mean: fields, over relationships or not, and how to read them from a row.

A `Scope` knows the object a (sub-)query is about. Names that mean nothing are INVALID_FIELD or INVALID_TYPE,
in Salesforce's words and with the place in the text; so are those of fields the user may not see.

Source: Salesforce "SOQL and SOSL Reference", "Using Relationship Queries" and "Understanding Relationship Query
Limitations".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce.access import Access
from connector.sandbox.salesforce.definitions.schema import Field, SObject
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.records.formulas import Getter, getter
from connector.sandbox.salesforce.records.store import Row, Store, Table
from connector.sandbox.salesforce.soql.parser import place
from connector.sandbox.salesforce.soql.syntax import Path, Query

MAX_LEVELS = 5

_UNFIT = {
    "WHERE": ("INVALID_FIELD", "filtered"),
    "GROUP BY": ("MALFORMED_QUERY", "grouped"),
    "ORDER BY": ("MALFORMED_QUERY", "sorted"),
}
_ADVICE = " Please reference your WSDL or the describe call for the appropriate names."


@dataclass(frozen=True, slots=True)
class Context:
    """What all parts of one query share: its text, the rows, and whether deleted ones are among them."""

    text: str
    store: Store
    access: Access
    deleted: bool
    version: str

    def error(self, code: str, pos: int, message: str) -> ApiError:
        return ApiError(code, place(self.text, pos, message))

    def object(self, name: str) -> SObject | None:
        """An object the user may read."""
        found = self.store.schema.find(name)
        return found if found is not None and self.access.may_read(found.name) else None

    def field(self, sobject: SObject, name: str) -> Field | None:
        """A field the user may read."""
        found = sobject.find(name)
        return found if found is not None and self.access.may_read_field(sobject.name, found.name) else None


@dataclass(frozen=True, slots=True)
class Column:
    """A field, or what a function makes of it (`computed`), as seen from the object of the query.

    `direct` when no relationship lies between. `iso` reads the currency an amount is in, where the org has several.
    """

    field: Field
    read: Getter
    direct: bool = True
    computed: bool = False
    iso: Getter | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """One object, and the ways from it."""

    context: Context
    sobject: SObject
    alias: str | None = None
    aliases: tuple[tuple[str, Path], ...] = ()

    @property
    def table(self) -> Table:
        return self.context.store.table(self.sobject.name)

    def column(self, path: Path, use: str = "SELECT") -> Column:
        """What a path leads to. Raises INVALID_FIELD, or MALFORMED_QUERY for a field that has no place in the
        clause `use` (SELECT, WHERE, GROUP BY or ORDER BY).
        """
        parts = self.without_prefix(path)
        if len(parts) - 1 > MAX_LEVELS:
            message = f"no more than {MAX_LEVELS} levels can be specified in a child-to-parent relationship"
            raise self.context.error("MALFORMED_QUERY", path.pos, message)
        column = self._follow(self.sobject, parts, path)
        if use != "SELECT" and not column.field.filterable:
            code, done = _UNFIT[use]
            message = f"field '{column.field.name}' can not be {done} in a query call"
            raise self.context.error(code, path.pos, message)
        return column

    def without_prefix(self, path: Path) -> tuple[str, ...]:
        """The parts of a path after the alias, or the name, of the queried object itself."""
        first = path.parts[0].lower()
        for name, meant in self.aliases:
            if name.lower() == first and len(path.parts) > 1:
                return (*self.without_prefix(meant), *path.parts[1:])
        own = first in {(self.alias or "").lower(), self.sobject.name.lower()}
        if own and len(path.parts) > 1 and self.sobject.related(first) is None:
            return path.parts[1:]
        return path.parts

    def step(self, sobject: SObject, name: str, path: Path) -> tuple[Field, SObject]:
        """The reference behind a relationship's name, and the object it leads to."""
        reference = sobject.related(name)
        target = self.context.object(reference.references[0]) if reference is not None else None
        if reference is None or target is None:
            message = (
                f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
                f"relationship, be sure to append the '__r' after the custom relationship name.{_ADVICE}"
            )
            raise self.context.error("INVALID_FIELD", path.pos, message)
        return reference, target

    def parent_reader(self, sobject: SObject, reference: Field, target: SObject) -> Callable[[Row], Row | None]:
        """A function from a row to the row it refers to, None when it refers to nothing."""
        read, table = getter(self.context.store, sobject, reference), self.context.store.table(target.name)

        def parent(row: Row) -> Row | None:
            record = read(row)
            return None if record is None else table.get(record, deleted=True)

        return parent

    def child(self, query: Query) -> tuple[SObject, Field]:
        """The object and the reference behind a child relationship's name, `Contacts` or `Account.Contacts`.
        Raises INVALID_TYPE.
        """
        *prefix, name = query.source.lower().split(".")
        own = prefix in ([], [self.sobject.name.lower()], [(self.alias or "").lower()])
        for child, reference in self.context.store.schema.children(self.sobject.name) if own else ():
            if (reference.children or "").lower() == name and self.context.access.may_read(child.name):
                return child, reference
        message = (
            f"Didn't understand relationship '{query.source}' in FROM part of query call. If you are attempting to "
            f"use a custom relationship, be sure to append the '__r' after the custom relationship name.{_ADVICE}"
        )
        raise self.context.error("INVALID_TYPE", query.source_pos, message)

    def _follow(self, sobject: SObject, parts: tuple[str, ...], path: Path) -> Column:
        if len(parts) == 1:
            field = self.context.field(sobject, parts[0])
            if field is None:
                raise self.context.error("INVALID_FIELD", path.pos, unknown_column(parts[0], sobject))
            code = sobject.find("CurrencyIsoCode") if field.type == "currency" else None
            iso = None if code is None else getter(self.context.store, sobject, code)
            return Column(field, getter(self.context.store, sobject, field), iso=iso)
        reference, target = self.step(sobject, parts[0], path)
        parent = self.parent_reader(sobject, reference, target)
        column = self._follow(target, parts[1:], path)
        iso = None if column.iso is None else _through(parent, column.iso)
        return Column(column.field, _through(parent, column.read), direct=False, iso=iso)


def open_scope(context: Context, query: Query) -> Scope:
    """The scope of a query's FROM. Raises INVALID_TYPE."""
    sobject = context.object(query.source)
    if sobject is None:
        message = (
            f"sObject type '{query.source}' is not supported. If you are attempting to use a custom object, be "
            f"sure to append the '__c' after the entity name.{_ADVICE}"
        )
        raise context.error("INVALID_TYPE", query.source_pos, message)
    scope = Scope(context, sobject, query.alias, query.aliases)
    for _, path in query.aliases:
        at = sobject
        for name in scope.without_prefix(path):
            _, at = scope.step(at, name, path)
    return scope


def _through(parent: Callable[[Row], Row | None], inner: Getter) -> Getter:
    def read(row: Row) -> Any:
        found = parent(row)
        return None if found is None else inner(found)

    return read


def unknown_column(name: str, sobject: SObject) -> str:
    """Salesforce's words for a field an object does not have."""
    return (
        f"No such column '{name}' on entity '{sobject.name}'. If you are attempting to use a custom field, be sure "
        f"to append the '__c' after the custom field name.{_ADVICE}"
    )
