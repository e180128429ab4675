"""Of which kind the result of each part of a formula is; whatever does not fit together is refused.

The same is refused when a formula is saved in Salesforce, so that evaluating one never meets a wrong type.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from connector.sandbox.salesforce.formula.functions import FUNCTIONS, SHOWN, Form, Function
from connector.sandbox.salesforce.formula.syntax import Call, FormulaError, Literal, Node, Path, Reference

_SIGNS = {"negate": "-"}
_OWN_FIELD = {"ISCHANGED", "PRIORVALUE"}
_PICKLISTS = {"picklist", "multipicklist"}


class Checker:
    """Tells kinds. `find` gives the kind of the field at a path, None when there is none; `rule` is on for
    validation rules, which alone may ask what changes.
    """

    def __init__(self, find: Callable[[Path], str | None], *, rule: bool) -> None:
        self._find = find
        self._rule = rule

    def kind(self, node: Node) -> str:
        """The kind of a part's result. Raises `FormulaError`."""
        if isinstance(node, Literal):
            return _of(node)
        if isinstance(node, Reference):
            return self._field(node)
        return self._call(node)

    def _field(self, reference: Reference) -> str:
        found = self._find(reference.path)
        if found is None:
            name = ".".join(reference.path)
            raise FormulaError(f"Field {name} does not exist. Check spelling.", reference.position)
        return found

    def _call(self, call: Call) -> str:
        function = FUNCTIONS.get(call.name)
        if function is None:
            raise FormulaError(f"Unknown function {call.name}. Check spelling.", call.position)
        if function.rules_only and not self._rule:
            raise FormulaError(f"Function {call.name} may not be used in this type of formula", call.position)
        given = [self.kind(each) for each in call.arguments]
        if call.name in _OWN_FIELD and not _is_own_field(call):
            raise FormulaError(f"{_shown(call)} takes a field of the record itself", call.position)
        if call.name == "REGEX" and len(given) == 2:
            _check_pattern(call.arguments[1])
        return _case(call, given) if call.name == "CASE" else _fit(call, function, given)


def _of(literal: Literal) -> str:
    value = literal.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, Decimal) else "text"


def _fit(call: Call, function: Function, given: list[str]) -> str:
    forms = [form for form in function.forms if _takes_as_many(form, len(given))]
    if not forms:
        wanted = len(function.forms[0].takes)
        message = f"Incorrect number of parameters for {_shown(call)}. Expected {wanted}, received {len(given)}"
        raise FormulaError(message, call.position)
    for form in forms:
        result = _result(form, given)
        if result is not None:
            return result
    _refuse_picklists(call, given)
    at, wanted_kinds = _first_misfit(forms, given)
    message = (
        f"Incorrect parameter type for {_shown(call)}. Expected {', '.join(wanted_kinds)}, received "
        f"{SHOWN[given[at]]}"
    )
    raise FormulaError(message, call.arguments[at].position)


def _takes_as_many(form: Form, number: int) -> bool:
    return number == len(form.takes) or (form.more is not None and number > len(form.takes))


def _parameters(form: Form, number: int) -> list[str]:
    return [*form.takes, *[form.more or ""] * (number - len(form.takes))]


def _result(form: Form, given: list[str]) -> str | None:
    """The kind a form gives for these arguments, None when they do not fit it."""
    bound = "null"
    for wanted, kind in zip(_parameters(form, len(given)), given, strict=True):
        if wanted == "T":
            # A picklist is compared, or chosen between, by TEXT or ISPICKVAL only; its prior value is one again.
            if kind in _PICKLISTS and len(given) > 1:
                return None
            if "null" not in {bound, kind} and bound != kind:
                return None
            bound = bound if kind == "null" else kind
        elif wanted not in {"any", kind} and kind != "null":
            return None
    return bound if form.gives == "T" else form.gives


def _first_misfit(forms: list[Form], given: list[str]) -> tuple[int, list[str]]:
    """The first argument that is to blame, and the kinds it might have had."""
    for at, kind in enumerate(given):
        wanted = {_parameters(form, len(given))[at] for form in forms}
        if kind != "null" and not wanted & {kind, "any", "T"}:
            return at, [SHOWN[each] for each in SHOWN if each in wanted]
    others = {_parameters(form, len(given))[-1] for form in forms if form.takes[0] == given[0]}
    same = {given[-2]} if others <= {"T"} else others
    return len(given) - 1, [SHOWN[each] for each in SHOWN if each in same]


def _refuse_picklists(call: Call, given: list[str]) -> None:
    for argument, kind in zip(call.arguments, given, strict=True):
        if kind in _PICKLISTS and isinstance(argument, Reference):
            message = (
                f"Field {'.'.join(argument.path)} is a {SHOWN[kind].lower()} field. Picklist fields are only "
                "supported in certain functions."
            )
            raise FormulaError(message, argument.position)


def _case(call: Call, given: list[str]) -> str:
    """`CASE(expression, value, result, …, otherwise)`; a picklist is compared with text."""
    if len(given) < 4 or len(given) % 2:
        message = f"Incorrect number of parameters for {_shown(call)}. Expected an even number from 4, received "
        raise FormulaError(message + str(len(given)), call.position)
    compared = "text" if given[0] == "picklist" else given[0]
    result = "null"
    for at, kind in enumerate(given[1:], 1):
        is_result = at % 2 == 0 or at == len(given) - 1
        wanted = result if is_result else compared
        if kind in _PICKLISTS or (kind != wanted and "null" not in {kind, wanted}):
            _refuse_picklists(call, ["null", *given[1:]])
            message = (
                f"Incorrect parameter type for {_shown(call)}. Expected {SHOWN[wanted]}, received {SHOWN[kind]}"
            )
            raise FormulaError(message, call.arguments[at].position)
        if is_result and result == "null":
            result = kind
    return result


def _is_own_field(call: Call) -> bool:
    return all(isinstance(each, Reference) and len(each.path) == 1 for each in call.arguments)


def _check_pattern(pattern: Node) -> None:
    if isinstance(pattern, Literal) and isinstance(pattern.value, str):
        try:
            re.compile(pattern.value)
        except re.error as error:
            raise FormulaError(f"Invalid regular expression: {error}", pattern.position) from None


def _shown(call: Call) -> str:
    if call.name[0].isupper():
        return f"function '{call.name}()'"
    return f"operator '{_SIGNS.get(call.name, call.name)}'"
