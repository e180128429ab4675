"""What an answer of a vendor looks like, written down by hand from its documents, and how to hold one against it.

A shape is one of

| shape | fits |
|---|---|
| a type, or a tuple of types | a value of exactly that type; `None` in a tuple is null |
| a compiled pattern | a string that it matches whole |
| a list of one shape | a list of any length whose items fit; `[]` an empty list only |
| `Filled(shape)` | such a list that is not empty |
| a dict | an object with these keys and no others; `"key?"` may be absent |
| `Each(shape)` | an object with any keys, whose values fit |
| `anything` | everything |
| any other value | itself |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Each:
    """An object with any keys."""

    shape: Any


@dataclass(frozen=True)
class Filled:
    """A list with at least one item."""

    shape: Any


def anything(_: Any) -> bool:
    """Fits every value."""
    return True


def find_misfits(value: Any, shape: Any, where: str = "$") -> list[str]:
    """What does not fit, each with the place where; empty if all does."""
    if shape is anything:
        return []
    if isinstance(shape, dict):
        return _find_in_object(value, shape, where)
    if isinstance(shape, Each):
        if not isinstance(value, dict):
            return [f"{where}: not an object"]
        return [
            misfit for key, each in value.items() for misfit in find_misfits(each, shape.shape, f"{where}.{key}")
        ]
    if shape == []:
        return [] if value == [] else [f"{where}: {value!r} is not empty"]
    if isinstance(shape, list | Filled):
        inner = shape.shape if isinstance(shape, Filled) else shape[0]
        if not isinstance(value, list) or (isinstance(shape, Filled) and not value):
            return [f"{where}: not a list, or an empty one"]
        return [misfit for i, each in enumerate(value) for misfit in find_misfits(each, inner, f"{where}[{i}]")]
    if isinstance(shape, re.Pattern):
        fits = isinstance(value, str) and shape.fullmatch(value) is not None
        return [] if fits else [f"{where}: {value!r} does not match {shape.pattern}"]
    if isinstance(shape, type):
        return [] if type(value) is shape else [f"{where}: {value!r} is no {shape.__name__}"]
    if isinstance(shape, tuple):
        fits = any(not find_misfits(value, each, where) for each in shape)
        return [] if fits else [f"{where}: {value!r} is none of {shape}"]
    return [] if value == shape and type(value) is type(shape) else [f"{where}: {value!r} is not {shape!r}"]


def _find_in_object(value: Any, shape: dict[str, Any], where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: not an object"]
    known = {key.rstrip("?"): (inner, key.endswith("?")) for key, inner in shape.items()}
    misfits = [f"{where}.{key}: unexpected" for key in value.keys() - known.keys()]
    for key, (inner, optional) in known.items():
        if key in value:
            misfits += find_misfits(value[key], inner, f"{where}.{key}")
        elif not optional:
            misfits.append(f"{where}.{key}: missing")
    return misfits
