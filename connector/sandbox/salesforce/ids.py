"""What is a Salesforce id: 15 case-sensitive characters, or 18 with a checksum that survives lower-casing.

The first three characters tell the object, the next three the instance, the last nine count. The checksum has
one character for each group of five: bit i is set when character i of the group is an upper-case letter.
"""

from __future__ import annotations

import re
from functools import lru_cache

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # in the order of their codes
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_COUNTER_WIDTH = 9
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Za-z0-5]{3})?")


def lengthen(id15: str) -> str:
    """The 18-character form of a 15-character id."""
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << i for i, char in enumerate(id15[start : start + 5]) if "A" <= char <= "Z")
        suffix += _CHECK[bits]
    return id15 + suffix


@lru_cache(maxsize=1 << 16)
def normalise(text: str) -> str | None:
    """The 18-character id that `text` (15 or 18 characters) means, or None when it has not the shape of one."""
    if not _SHAPE.fullmatch(text):
        return None
    full = lengthen(text[:15])
    return full if len(text) == 15 or text[15:].upper() == full[15:] else None


def make(prefix: str, instance: str, number: int) -> str:
    """The `number`-th id of an object: for one prefix and instance the ids grow with the number."""
    digits = ""
    for _ in range(_COUNTER_WIDTH):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return lengthen(prefix + instance + digits)
