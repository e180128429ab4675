"""How many API calls have been made, and for what: the counters that tests look at."""

from __future__ import annotations

from collections import Counter
from typing import Any


class Usage:
    """Every call counts one, a batch or a search too."""

    def __init__(self) -> None:
        self._by_resource: Counter[str] = Counter()

    def count(self, resource: str) -> None:
        self._by_resource[resource] += 1

    def reset(self) -> None:
        """Begin counting anew; the vendor's own count of the day, in `limits.py`, goes on."""
        self._by_resource.clear()

    def view(self) -> dict[str, Any]:
        counted = dict(sorted(self._by_resource.items()))
        return {"total": sum(counted.values()), "by_resource": counted}
