"""How does a value get into a query of Salesforce? Between quotes, whatever could end them escaped; here alone.

Names of objects and fields are not values: they come from the mapping, and only those are asked for that Salesforce
describes. A condition that a person types for an import is SOQL already (`engine/imports/selection.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

_ESCAPES = str.maketrans({
    "\\": r"\\", "'": r"\'", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f",
})  # fmt: skip


def quote_text(text: str) -> str:
    """A text as SOQL has it (SOQL and SOSL Reference, "Quoted String Escape Sequences")."""
    return f"'{text.translate(_ESCAPES)}'"


def list_texts(texts: Iterable[str]) -> str:
    """What stands between the brackets of `IN (…)`."""
    return ",".join(map(quote_text, texts))
