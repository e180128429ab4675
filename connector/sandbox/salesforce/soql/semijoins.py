"""What a semi-join (`IN (SELECT …)`) and an anti-join (`NOT IN (SELECT …)`) may be, and where they may stand.

At most two in a WHERE, joined by AND only and at its top; not one inside another; the inner query selects one id
or reference of another object, over no relationship, and neither groups, sorts nor limits. Source: Salesforce "SOQL
and SOSL Reference", "Comparison Operators", limits of semi-joins and anti-joins.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.sandbox.salesforce.soql.resolve import Column, Context, Scope
from connector.sandbox.salesforce.soql.syntax import AmongRows, Chain, Condition, Not, Path, Query

MAX_JOINS = 2

_NESTED = (
    "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions."
)
_ID_TYPES = frozenset({"id", "reference"})


def check_places(context: Context, where: Condition | None) -> None:
    """Hold the semi-joins of a WHERE against the rules for their number and places. Raises MALFORMED_QUERY, or
    EXCEEDED_MAX_SEMIJOIN_SUBSELECTS.
    """
    if where is None:
        return
    top = where.parts if isinstance(where, Chain) else (where,)
    for part in top:
        if isinstance(part, AmongRows):
            if isinstance(where, Chain) and where.operator == "OR":
                message = "Semi join sub-selects are not allowed with the 'OR' operator"
                raise context.error("MALFORMED_QUERY", part.query.pos, message)
        elif (inner := next(_joins(part), None)) is not None:
            raise context.error("MALFORMED_QUERY", inner.query.pos, _NESTED)
    found = list(_joins(where))
    for join in found:
        if next(_joins(join.query.where), None) is not None:
            message = "Nesting of semi join sub-selects is not supported"
            raise context.error("MALFORMED_QUERY", join.query.pos, message)
    if len(found) > MAX_JOINS:
        message = f"Maximum {MAX_JOINS} semi join sub-selects are allowed"
        raise context.error("EXCEEDED_MAX_SEMIJOIN_SUBSELECTS", found[MAX_JOINS].query.pos, message)


def refuse_any(context: Context, condition: Condition) -> None:
    """Raise MALFORMED_QUERY where a condition that is no WHERE has a semi-join."""
    for join in _joins(condition):
        raise context.error("MALFORMED_QUERY", join.query.pos, _NESTED)


def inner_column(outer: Scope, left: Column, inner: Scope, query: Query) -> Column:
    """The column that the inner query selects. Raises MALFORMED_QUERY where it breaks a rule."""

    def refuse(message: str) -> Exception:
        return outer.context.error("MALFORMED_QUERY", query.pos, message)

    what = query.selected[0].what
    if len(query.selected) != 1 or not isinstance(what, Path) or len(inner.without_prefix(what)) > 1:
        raise refuse("a semi join sub-select must select exactly one id or reference field, over no relationship")
    column = inner.column(what)
    if column.field.type not in _ID_TYPES:
        raise refuse("a semi join sub-select must select exactly one id or reference field")
    if query.group_by or query.order_by or query.limit is not None or query.offset:
        raise refuse("GROUP BY, ORDER BY, LIMIT and OFFSET are not supported in semi join sub-selects")
    if inner.sobject is outer.sobject:
        raise refuse("The inner and outer selects should not be on the same object type")
    if left.direct and not _targets(outer, left) & _targets(inner, column):
        raise refuse(
            f"The selected field '{column.field.name}' in the subquery and the left operand field in the where "
            f"expression in the outer query '{left.field.name}' should point to the same object type"
        )
    return column


def _targets(scope: Scope, column: Column) -> set[str]:
    return {scope.sobject.name} if column.field.type == "id" else set(column.field.references)


def _joins(condition: Condition | None) -> Iterator[AmongRows]:
    if isinstance(condition, AmongRows):
        yield condition
    elif isinstance(condition, Not):
        yield from _joins(condition.inner)
    elif isinstance(condition, Chain):
        for part in condition.parts:
            yield from _joins(part)
