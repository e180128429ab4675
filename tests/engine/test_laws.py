"""The eleven laws, under people who do what they like, deaths at any step, and meddling in the middle of a run.

|  1 | rest: after a quiet run the next plan is empty                                                           |
|  2 | agreement: at rest, two-way fields are equal in meaning; one-way fields equal their source               |
|  3 | minimality: nothing is written that nobody moved, or that is there already                               |
|  4 | any prefix will do: a run that dies anywhere and is begun anew comes to the same rest                    |
|  5 | nothing vanishes: what a person typed is in a CRM or in the journal                                      |
|  6 | amnesia is safe: with an empty store nothing is deleted, doubled or changed                              |
|  7 | one in, one out: one record never becomes two                                                            |
|  8 | isolation: a record changes no other record's plan                                                       |
|  9 | lens laws: a value that went there and back is what it was, and writes nothing                           |
| 10 | asymmetry: nothing done in HubSpot deletes an opportunity                                                |
| 11 | monotone: no stage falls, but where the mapping says so                                                  |

`laws/` has the organisations, the people, the steps and the judge; `laws/broken.py` the connectors that show that
the judge is awake. CONTRIBUTING.md says how to search longer.
"""

from __future__ import annotations

import os
import sys

import pytest
from engine.laws.broken import CASES
from engine.laws.machine import World
from engine.laws.shortening import describe, find_end, shorten
from engine.laws.story import Story, tell
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "20"))
STEPS = int(os.environ.get("MACHINE_STEPS", "20"))
SEARCH = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def test_laws_1_to_11_hold_whatever_happens(capsys):
    """People act on both sides, the process dies anywhere, the store is lost: the laws hold."""
    before = Story.taken
    try:
        run_state_machine_as_test(World, settings=SEARCH)
    except Exception:
        story = World.last
        if story is None or find_end(story.style, story.steps) is None:
            raise
        pytest.fail(describe(story.style, shorten(story.style, story.steps)))
    if "MACHINE_EXAMPLES" in os.environ:
        with capsys.disabled():
            sys.stdout.write(f" {Story.taken - before} steps, no law broken ")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sabotage.__name__)
def test_the_machine_catches_a_broken_connector(case):
    """One short story tells on it, and of the real connector the same story ends well."""
    tell(case.style, case.steps)
    with case.sabotage(), pytest.raises(AssertionError) as caught:
        tell(case.style, case.steps)
    assert case.says in str(caught.value)


def test_every_law_has_a_broken_connector():
    """A law that nothing can break would prove nothing."""
    assert {law for case in CASES for law in case.laws.split(", ")} >= {str(law) for law in range(1, 12)}
