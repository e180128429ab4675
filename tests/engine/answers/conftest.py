"""A lab, and questions to ask in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from engine.lab import Lab

from connector.engine.answers.explain import Explanation, explain

Ask = Callable[..., Explanation]


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def ask(lab: Lab) -> Ask:
    """Explain a record of the lab: `ask(id, field, offline=True)`."""

    def explain_it(
        text: str, field: str | None = None, *, offline: bool = False, of: Lab | None = None
    ) -> Explanation:
        return explain((of or lab).connection(), text, field, ask=not offline)

    return explain_it
