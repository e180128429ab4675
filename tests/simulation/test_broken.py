"""Is the simulation awake? Every connector that is broken on purpose is told on, in the words of what it broke."""

from __future__ import annotations

import pytest
from simulation.broken import CASES, LAWS
from simulation.found import FOUND
from simulation.simulated import simulate

TOLD = [(one.style, one.steps) for one in FOUND]
"""That these end well is told by `test_simulation.py`."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sabotage.__name__)
def test_the_simulation_catches_a_broken_connector(case):
    """Of the real connector the story ends well, and of the broken one with the words of what was broken."""
    if (case.style, case.steps) not in TOLD:
        simulate(case.style, case.steps)
    with case.sabotage(), pytest.raises(AssertionError) as caught:
        simulate(case.style, case.steps)
    assert case.says in str(caught.value)


@pytest.mark.parametrize("case", LAWS, ids=lambda case: case.sabotage.__name__)
def test_the_simulation_holds_the_laws_too(case):
    """What breaks a law in a story breaks it here; that the real one does not is told by `test_laws.py`."""
    with case.sabotage(), pytest.raises(AssertionError) as caught:
        simulate(case.style, case.steps)
    assert case.says in str(caught.value)
