"""A few seeds of the simulation, what seeds found, and whether the seeds have all that can happen.

`make simulate` plays many more. CONTRIBUTING.md says where what it finds goes; docs/reliability.md what is held.
"""

from __future__ import annotations

from collections import Counter

import pytest
from engine.laws.sight import Sight
from engine.laws.story import named
from simulation.commands import COMMANDS
from simulation.found import FOUND
from simulation.seeds import BETWEEN, RUNS, UNDOES, plan_of
from simulation.simulated import Simulation, simulate
from simulation.trouble import TROUBLES
from simulation.weather import KINDS

from connector.core.model import Side

KIND_OF_STEP = {"store": ("back_up", "put_back", "lose"), "edit both": ()}
"""The steps that a choice of `seeds.py` comes to, where it is not called like its step."""


@pytest.mark.parametrize(("seed", "undo"), [(1, False), (2, True)])
def test_a_seed_comes_to_rest_whatever_strikes_it(seed, undo):
    """Laws 1 to 11, the budget (E3) and the rest after faults (E2, E4) hold in 300 steps that nobody chose."""
    simulate(*plan_of(seed, undo=undo))


def test_a_seed_is_the_same_every_time():
    """Its steps are equal, and so is what both CRMs hold after some of them, to the last role."""
    assert plan_of(7) == plan_of(7)
    style, steps = plan_of(7)
    ends = []
    for _ in range(2):
        simulation = Simulation(style)
        for name, *arguments in steps[:30]:
            simulation.step(name, *arguments)
        ends.append((simulation.runs, simulation.weather_now.by_kind(), named(Sight(simulation.play.lab))))
    assert ends[0] == ends[1]
    assert ends[0][0] >= 2, "some of these steps are to be runs"


def test_every_seed_is_long_and_runs_often():
    """No seed of the first 200 is over before 300 steps, and 14 of them or more are runs."""
    for seed in range(1, 201):
        steps = [name for name, *_ in plan_of(seed)[1]]
        runs = sum(name in {*RUNS, "rest"} for name in steps)
        assert len(steps) >= 300, seed
        assert runs >= 14, (seed, runs)


def test_everything_that_can_happen_happens():
    """Every kind of step, every command, every trouble and every fault of each side is in the first 300 seeds."""
    kinds, troubles, faults, commands = Counter(), Counter(), [], set()
    for seed in range(1, 301):
        for name, *arguments in plan_of(seed, undo=True)[1]:
            kinds[name] += 1
            if name == "ask":
                commands.add(arguments[0])
            if name == "trouble":
                troubles[arguments[0][0]] += 1
            if name == "weather":
                faults += arguments
    choices = [one for name in (*RUNS, *UNDOES, *BETWEEN) for one in KIND_OF_STEP.get(name, (name,))]
    assert kinds.keys() >= {*choices, "rest", "budget"}
    assert commands == COMMANDS.keys()
    assert troubles.keys() == {do for rows in TROUBLES.values() for do, *_ in rows}
    for side in Side:
        for kind in KINDS[side]:
            assert any({**kind, "side": side.value}.items() <= one.items() for one in faults), (side, kind)


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.what)
def test_what_a_seed_found_stays_mended(found):
    """Each story names what it once broke, and ends well (A7, A8, D3, D4, D6, E3, F1, R1, U9)."""
    simulate(found.style, found.steps)
