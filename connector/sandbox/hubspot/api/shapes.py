"""Parts of a JSON body, each of the type that a call expects. What is of another type is refused with 400."""

from __future__ import annotations

from typing import Any, TypeVar

from connector.sandbox.hubspot.errors import refuse, refuse_json

Part = TypeVar("Part")
_LONGEST_ID = 18  # digits; HubSpot's ids have fewer


def as_object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise refuse_json()
    return body


def objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise refuse_json()
    return value


def take(body: dict[str, Any], name: str, default: Part) -> Part:
    """The part of that name, of the type of `default`, which stands for a missing one and for `null`."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, type(default)) or isinstance(value, bool) is not isinstance(default, bool):
        raise refuse(f"{name} is not a {type(default).__name__}")
    return value


def need(body: dict[str, Any], name: str) -> str:
    """A text that must be there."""
    text = take(body, name, "")
    if not text:
        raise refuse(f"{name} is required")
    return text


def as_id(given: str) -> int:
    """An id in an address or a body; -1, which nothing has, for what is no number."""
    number = as_number(given)
    return -1 if number is None else number


def as_number(given: str) -> int | None:
    """A whole number in digits, no longer than an id; None for what is none."""
    return int(given) if given.isdecimal() and len(given) <= _LONGEST_ID else None
