"""What could stand in the place of a node, so that the program still runs and is wrong?

| what stands there                    | what is tried instead                                                     |
|--------------------------------------|---------------------------------------------------------------------------|
| a comparison                         | its opposite, and the bound on the other side                             |
| `and`, `or`                          | the other one; one condition less                                         |
| `not`, a sign                        | nothing                                                                   |
| a calculation, joined texts or sets  | the opposite operation; one operand alone                                 |
| a number, a text, true, false, None  | another one; also within a text that has values in it                     |
| a value in a text                    | nothing                                                                   |
| a side, a member of an enumeration   | the other side, the next member; `.other` is dropped                      |
| a tuple, list, set or mapping        | one element less                                                          |
| a call                               | one keyword less; nothing but its argument, or what its method belongs to;|
|                                      | `min` for `max`, `any` for `all`                                          |
| `a if b else c`, `if`                | always the one, always the other                                          |
| a comprehension, a loop              | without its condition; no turn at all; `break` for `continue`             |
| `match`                              | one case, one guard, one alternative less                                 |
| `return x`                           | `return None`                                                             |
| a statement that acts, or that       | nothing                                                                   |
| assigns to a name anew               |                                                                           |
| `@property` and its like             | nothing; of `@dataclass(…)`, one keyword less                             |
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

OPPOSITE: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
}
ARITHMETIC: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
}
EXCHANGED = {"any": "all", "all": "any", "min": "max", "max": "min", "SF": "HS", "HS": "SF"}
OF_ONE_TYPE = {"sorted", "reversed", "set", "str", "bool", "int", "dict"}
"""Calls that give back much the same as they are given."""

Enumerations = Mapping[str, Sequence[str]]
"""The members of each, by its name."""


def vary(node: ast.AST, enumerations: Enumerations, bound: Mapping[str, int]) -> Iterator[ast.AST]:
    """All variations of a node. `bound` is how often the function around binds each name."""
    if isinstance(node, ast.stmt):
        yield from _vary_statement(node, bound)
        yield from _vary_decorators(node)
    else:
        yield from _vary_condition(node)
        yield from _vary_value(node)
        yield from _vary_name(node, enumerations)
        yield from _vary_elements(node)
        yield from _vary_call(node)
        yield from _vary_part(node)


def _vary_condition(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left, ops, comparators):
            for place, op in enumerate(ops):
                for other in OPPOSITE[type(op)]:
                    yield ast.Compare(left, [*ops[:place], other(), *ops[place + 1 :]], comparators)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            yield from (ast.BoolOp(op, fewer) if len(fewer) > 1 else fewer[0] for fewer in _fewer(values))
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.IfExp(_, body, orelse):
            yield from (body, orelse)


def _vary_value(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(str() as value):
            # A text of one character may be a set of characters to strip: more of them would be no difference.
            yield ast.Constant(f"XX{value}" if len(value) > 1 else "XX")
        case ast.Constant(None):
            yield ast.Constant("XX")
        case ast.FormattedValue():
            yield ast.Constant("")
        case ast.BinOp(left, op, right):
            if type(op) in ARITHMETIC:
                yield ast.BinOp(left, ARITHMETIC[type(op)](), right)
            yield from (left, right)


def _vary_name(node: ast.AST, enumerations: Enumerations) -> Iterator[ast.AST]:
    match node:
        case ast.Name(name, ast.Load()) if name in EXCHANGED:
            yield ast.Name(EXCHANGED[name], ast.Load())
        case ast.Attribute(ast.Name(name), member) if member in enumerations.get(name, ()):
            members = enumerations[name]
            following = members[(members.index(member) + 1) % len(members)]
            yield ast.Attribute(ast.Name(name, ast.Load()), following, ast.Load())
        case ast.Attribute(value, "other"):
            yield value


def _vary_elements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Tuple(elements, ast.Load()) | ast.List(elements, ast.Load()):
            yield from (type(node)(fewer, ast.Load()) for fewer in _fewer(elements))
        case ast.Set(elements) if len(elements) > 1:
            yield from (ast.Set(fewer) for fewer in _fewer(elements))
        case ast.Dict(keys, values):
            for fewer in _fewer(list(zip(keys, values, strict=True))):
                yield ast.Dict([key for key, _ in fewer], [value for _, value in fewer])


def _vary_call(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Call(function, arguments, keywords):
            yield from (ast.Call(function, arguments, fewer) for fewer in _fewer(keywords, without="strict"))
    match node:
        case ast.Call(ast.Name(name), [first, *_]) if name in OF_ONE_TYPE:
            yield first
        case ast.Call(ast.Attribute(value), [], []):
            yield value


def _vary_part(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of expressions and statements that are neither themselves."""
    match node:
        case ast.Lambda(arguments, body) if not isinstance(body, ast.Constant):
            yield ast.Lambda(arguments, ast.Constant(None))
        case ast.comprehension(target, iterated, conditions, is_async):
            yield from (ast.comprehension(target, iterated, fewer, is_async) for fewer in _fewer(conditions))
        case ast.match_case(pattern, ast.expr(), body):
            yield ast.match_case(pattern, ast.Constant(True), body)
        case ast.MatchOr(patterns):
            yield from (ast.MatchOr(fewer) if len(fewer) > 1 else fewer[0] for fewer in _fewer(patterns))


def _vary_statement(node: ast.stmt, bound: Mapping[str, int]) -> Iterator[ast.AST]:
    match node:
        case ast.If(test, body, orelse):
            yield from (ast.If(_constant(always, test), body, orelse) for always in (True, False))
        case ast.While(test, body, orelse):
            yield ast.While(_constant(False, test), body, orelse)
        case ast.For(target, iterated, body, orelse):
            yield ast.For(target, _constant((), iterated), body, orelse)
        case ast.Break() | ast.Continue():
            yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()
            yield ast.Pass()
        case ast.Match(subject, cases):
            yield from (ast.Match(subject, fewer) if fewer else ast.Pass() for fewer in _fewer(cases))
        case ast.Return(ast.expr() as value) if not _is_varied_anyway(value):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.AugAssign() | ast.Delete() | ast.Expr():
            yield ast.Pass()
        case ast.Assign([ast.Subscript() | ast.Attribute()]):
            yield ast.Pass()
        case ast.Assign([ast.Name(name)]) if bound.get(name, 0) > 1:
            yield ast.Pass()


def _vary_decorators(node: ast.stmt) -> Iterator[ast.AST]:
    """Of a decorator that is called, the call is varied."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        for place, mark in enumerate(node.decorator_list):
            if not isinstance(mark, ast.Call):
                bare = type(node)(**dict(ast.iter_fields(node)))
                bare.decorator_list = [*node.decorator_list[:place], *node.decorator_list[place + 1 :]]
                yield bare


def _fewer(some: Sequence, without: str = "") -> Iterator[list]:
    """Each time one less; never without the keyword that has the name `without`."""
    for place, one in enumerate(some):
        if not without or one.arg != without:
            yield [*some[:place], *some[place + 1 :]]


def _constant(value: object, where: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Constant(value), where)


def _is_varied_anyway(value: ast.expr) -> bool:
    """Whether returning None instead would only repeat what is tried within the value."""
    return isinstance(value, ast.Constant | ast.Compare | ast.BoolOp) or (
        isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
    )
