"""How is a value read as text, whichever CRM it comes from?"""

from __future__ import annotations

from connector.core.model import Value


def text_of(value: Value) -> str | None:
    """Trimmed text with line feeds as line ends; None for blank."""
    if value is None:
        return None
    text = str(value).replace("\r\n", "\n").replace("\r", "\n").strip()
    return text or None
