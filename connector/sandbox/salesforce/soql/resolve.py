"""What the names in a query mean: fields, over relationships or not, and how to read them from a row.

A `Scope` knows the object a (sub-)query is about. Names that mean nothing are INVALID_FIELD or INVALID_TYPE,
in Salesforce's words and with the place in the text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce.access import Access
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.formulas import Getter, getter
from connector.sandbox.salesforce.schema import Field, SObject
from connector.sandbox.salesforce.soql.parser import place
from connector.sandbox.salesforce.soql.syntax import Path, Query
from connector.sandbox.salesforce.store import Row, Store, Table

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

    def refuse_call(self, pos: int) -> ApiError:
        """The error for an aggregate where only fields may stand."""
        return self.error("MALFORMED_QUERY", pos, "aggregate functions are not allowed here")

    def object(self, name: str) -> SObject | None:
        """An object the user may read."""
        found = self.store.schema.find(name)
        return found if found is not None and self.access.may_read(found.name) else None


@dataclass(frozen=True, slots=True)
class Column:
    """A field as seen from the object of the query. `direct` when no relationship lies between."""

    field: Field
    read: Getter
    direct: bool = True


@dataclass(frozen=True, slots=True)
class Scope:
    """One object, and the ways from it."""

    context: Context
    sobject: SObject
    alias: str | None = None

    @property
    def table(self) -> Table:
        return self.context.store.table(self.sobject.name)

    def column(self, path: Path, *, filtering: bool = False) -> Column:
        """What a path leads to. Raises INVALID_FIELD; with `filtering` also for fields no filter may use."""
        parts = self.without_prefix(path)
        column = self._follow(self.sobject, parts, path)
        if filtering and not column.field.filterable:
            message = f"field '{column.field.name}' can not be filtered in a query call"
            raise self.context.error("INVALID_FIELD", path.pos, message)
        return column

    def without_prefix(self, path: Path) -> tuple[str, ...]:
        """The parts of a path after the alias, or the name, of the queried object itself."""
        first = path.parts[0].lower()
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
        """The object and the reference behind a child relationship's name. Raises INVALID_TYPE."""
        for child, reference in self.context.store.schema.children(self.sobject.name):
            if (reference.children or "").lower() == query.source.lower() and self.context.access.may_read(
                child.name
            ):
                return child, reference
        message = (
            f"Didn't understand relationship '{query.source}' in FROM part of query call. If you are attempting to "
            f"use a custom relationship, be sure to append the '__r' after the custom relationship name.{_ADVICE}"
        )
        raise self.context.error("INVALID_TYPE", query.source_pos, message)

    def _follow(self, sobject: SObject, parts: tuple[str, ...], path: Path) -> Column:
        if len(parts) == 1:
            field = sobject.find(parts[0])
            if field is None:
                raise self.context.error("INVALID_FIELD", path.pos, unknown_column(parts[0], sobject))
            return Column(field, getter(self.context.store, sobject, field))
        reference, target = self.step(sobject, parts[0], path)
        parent = self.parent_reader(sobject, reference, target)
        column = self._follow(target, parts[1:], path)
        inner = column.read

        def read(row: Row) -> Any:
            found = parent(row)
            return None if found is None else inner(found)

        return Column(column.field, read, direct=False)


def open_scope(context: Context, query: Query) -> Scope:
    """The scope of a query's FROM. Raises INVALID_TYPE."""
    sobject = context.object(query.source)
    if sobject is None:
        message = (
            f"sObject type '{query.source}' is not supported. If you are attempting to use a custom object, be "
            f"sure to append the '__c' after the entity name.{_ADVICE}"
        )
        raise context.error("INVALID_TYPE", query.source_pos, message)
    return Scope(context, sobject, query.alias)


def unknown_column(name: str, sobject: SObject) -> str:
    """Salesforce's words for a field an object does not have."""
    return (
        f"No such column '{name}' on entity '{sobject.name}'. If you are attempting to use a custom field, be sure "
        f"to append the '__c' after the custom field name.{_ADVICE}"
    )
