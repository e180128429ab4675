"""When are two phone numbers, or two links, the same one? However they are typed, they are carried as they are.

| transform | means the same                                                                              |
|-----------|---------------------------------------------------------------------------------------------|
| phone     | the same digits: blanks, brackets, dots, hyphens and `(0)` do not count, `00` is `+`         |
| url       | the same link: `http://` and `https://`, the case of the host and a last `/` do not count    |

So a CRM that lays out numbers anew, or adds `https://` to an address, has not edited anything (F7).
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass

from connector.core.model import Cannot, Known, Side, Values
from connector.mapping.values import text_of

_EXTENSION = re.compile(r"[\s,;]*(?:extension|ext|x|#)[\s.:=]*(\d+)$")
_BETWEEN = re.compile(r"[\s().\-/\u2010-\u2015\u00a0]")
_LINK = re.compile(r"(?:https?://)?([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number by its digits. What has letters in it is text."""

    def meaning(self, side: Side, values: Values) -> Hashable:
        text = text_of(values[0])
        return text and _digits_of(text)

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        return (text_of(values[0]),)


def _digits_of(text: str) -> str:
    folded = " ".join(text.casefold().split()).removeprefix("tel:")
    extension = _EXTENSION.search(folded)
    main = folded[: extension.start()] if extension else folded
    main = main.replace("(0)", "") if main.lstrip().startswith(("+", "00")) else main
    digits = _BETWEEN.sub("", main)
    digits = f"+{digits[2:]}" if digits.startswith("00") else digits
    if not re.fullmatch(r"\+?[0-9]+", digits):
        return folded
    return f"{digits}x{extension[1]}" if extension else digits


@dataclass(frozen=True, slots=True)
class Url:
    """A link by where it leads."""

    def meaning(self, side: Side, values: Values) -> Hashable:
        text = text_of(values[0])
        return text and _link_of(text)

    def carry(self, to: Side, values: Values, known: Known) -> Values | Cannot:
        return (text_of(values[0]),)


def _link_of(text: str) -> str:
    found = _LINK.fullmatch(text)
    host, rest = found.groups() if found else (text, "")
    return host.lower().rstrip(".") + ("" if rest == "/" else rest)
