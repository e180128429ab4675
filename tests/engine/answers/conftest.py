"""A lab, and questions to ask in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from engine.lab import Lab

from connector.engine.answers.explain import Explanation, explain

Ask = Callable[..., Explanation]


@cache
def _synced() -> Lab:
    """A lab whose first run has made what HubSpot lacked; copied, since that is quicker than to do it again."""
    lab = Lab()
    lab.sync()
    return lab


@pytest.fixture
def lab() -> Lab:
    """Both CRMs empty, and one run behind them."""
    return _synced().copy()


@pytest.fixture
def ask(lab: Lab) -> Ask:
    """Explain a record of the lab: `ask(id, field, offline=True)`."""

    def explain_it(
        text: str, field: str | None = None, *, offline: bool = False, of: Lab | None = None
    ) -> Explanation:
        return explain((of or lab).connection(), text, field, ask=not offline)

    return explain_it
