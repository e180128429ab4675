"""What must not be told, in whatever form it is met, and how is it taken out of a text?

A secret is met as it is, in a URL, in JSON or XML, as Python shows it, or in base64, as in the header of a sign-in
(where it does not begin at a multiple of three bytes). Each is looked for.

Only what is told is cleaned: messages, errors, tracebacks. Values of records are not, or a password that happens to
be an everyday word would change customers' data.
"""

from __future__ import annotations

import base64
import html
import json
import weakref
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "…"
SHORTEST = 4
"""Shorter texts are not looked for: they are no secret, and stand in every other word."""
_LEAST_BASE64 = 8


class Secrets:
    """Texts that are not to be told. May grow while it is used: a sign-in returns new ones."""

    def __init__(self, *texts: str) -> None:
        self._forms: tuple[str, ...] = ()
        self._known: set[str] = set()
        self.add(*texts)
        _LIVING.add(self)

    def __repr__(self) -> str:
        return f"Secrets({len(self._known)})"

    def add(self, *texts: str) -> None:
        new = {text for text in texts if len(text) >= SHORTEST} - self._known
        if new:
            self._known |= new
            forms = {form for text in self._known for form in _forms(text)}
            self._forms = tuple(sorted(forms, key=len, reverse=True))

    def redact(self, text: str) -> str:
        """The text without any of them."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, HIDDEN)
        return text

    def redact_all(self, value: Any) -> Any:
        """The same for every text in a JSON value, keys included."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, dict):
            return {self.redact(str(key)): self.redact_all(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.redact_all(one) for one in value]
        return value


_LIVING: weakref.WeakSet[Secrets] = weakref.WeakSet()


def redact_everything(text: str) -> str:
    """A text without any secret that this process still holds, for what nobody foresaw."""
    for secrets in list(_LIVING):
        text = secrets.redact(text)
    return text


def _forms(text: str) -> Iterator[str]:
    yield text
    yield quote(text, safe="")
    yield quote_plus(text)
    yield html.escape(text)
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield from _base64(text.encode(errors="surrogatepass"))


def _base64(data: bytes) -> Iterator[str]:
    """The letters that stand for these bytes wherever they begin, less those that depend on their neighbours."""
    for before in range(3):
        bits = (before + len(data)) * 8
        first = -(-before * 8 // 6)
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            letters = encode(b"\0" * before + data).decode()[first : bits // 6]
            if len(letters) >= _LEAST_BASE64:
                yield letters
