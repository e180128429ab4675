"""Salesforce's record ids: 15 characters in which case matters, or 18 in which it does not.

The last three tell which of the first fifteen are capitals, five each, the first the lowest bit, as a letter of
A-Z and 0-5 (Salesforce Help, "Converting 15 Digit IDs to 18 Digit IDs"; Object Reference, "ID Field Type").
"""

from __future__ import annotations

import re

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-5]{3})?")
SHORT, BLOCK = 15, 5


def is_id(text: str) -> bool:
    """Whether it has the shape of an id."""
    return _SHAPE.fullmatch(text) is not None


def may_be_asked_for(text: str) -> bool:
    """Whether a query for it is no error: it has the shape of an id, and the last three of 18 fit the others."""
    return is_id(text) and text[SHORT:].upper() in ("", _suffix(text[:SHORT]))


def lengthen(id_: str) -> str:
    """The id with 18 characters. Capitals that were lost on the way, as in a spreadsheet, are put back.

    Raises:
        ValueError: it is no id, or its last three characters do not fit the others.
    """
    if not is_id(id_):
        raise ValueError(f"{id_!r} is not a Salesforce id")
    short, suffix = id_[:SHORT], id_[SHORT:].upper()
    if suffix:
        short = "".join(map(_put_back, short, _bits(suffix)))
    made = _suffix(short)
    if suffix not in ("", made):
        raise ValueError(f"{id_!r} is not a Salesforce id: its last three characters do not fit the others")
    return short + made


def full_id(id_: str) -> str:
    """An id in its form of 18 characters, which every answer has; some messages have the one of 15, and people."""
    return lengthen(id_) if len(id_) == SHORT and is_id(id_) else id_


def _put_back(letter: str, capital: bool) -> str:
    return letter.upper() if capital else letter.lower()


def _bits(suffix: str) -> list[bool]:
    return [bool(_LETTERS.index(letter) >> place & 1) for letter in suffix for place in range(BLOCK)]


def _suffix(short: str) -> str:
    blocks = (short[start : start + BLOCK] for start in range(0, SHORT, BLOCK))
    return "".join(_LETTERS[sum(one.isupper() << place for place, one in enumerate(block))] for block in blocks)
