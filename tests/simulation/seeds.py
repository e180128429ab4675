"""Which simulation does a seed stand for? A style, and at least 300 steps, of which 14 or more are runs; with those
that it takes to come to rest three times, 20 and more.

The steps are chosen before anything is played, so that a seed is the same simulation on every machine, and what is
left of one by `shorten` can be played as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from engine.laws import hubspot_people, salesforce_people
from engine.laws.story import Act, Step
from engine.laws.styles import STYLES
from simulation.commands import COMMANDS
from simulation.trouble import TROUBLES
from simulation.weather import HOW_OFTEN, KINDS, Order

from connector.core.model import Side

STEPS = 300
RUN_EVERY = 14
REST_EVERY = 100
ACTS_BEFORE_TWINS = 3
ACTS_OF_PEOPLE = {"make": 3, "edit": 9, "relate": 4, "end": 2, "arrange": 2}
TROUBLE_WEIGHTS = {"of a record": 3, "of rights": 1, "of time": 2, "of many": 2}
RUNS = {"run": 9, "die": 4, "meddle": 3, "ask": 3, "twice": 1, "pause": 1, "fill": 1, "lock": 1}
UNDOES = {"undo": 4}
BETWEEN = {"do": 68, "edit both": 8, "wait": 12, "weather": 4, "trouble": 3, "store": 1}
MOMENTS_OF_DEATH = (*[0] * 40, *range(1, 60))
"""After how many requests and commits a command dies; 0: not at all."""
WAITS = (1, 59, 61, 1000, 3700, 90000)
MOMENTS = (0, 2 * 3600, 26 * 86400 + 50000, 238 * 86400, 299 * 86400, 304 * 86400 + 53000, 728 * 86400 + 53000)
"""Seconds after which a simulation begins: among them a change of the clocks in Europe, the turn of a year and a
leap day, each a little before it."""


def plan_of(seed: int, *, undo: bool = False) -> tuple[str, list[Step]]:
    """The style and the steps of a seed. With `undo`, another simulation, in which runs are taken back too."""
    runs = RUNS | UNDOES if undo else RUNS
    random = Random(f"simulation {seed}")
    style = random.choice(sorted(STYLES))
    steps: list[Step] = [("wait", random.choice(MOMENTS))]
    if random.random() < 0.3:
        steps.append(("budget", random.choice((60, 150, 400))))
    calm = random.random() < 0.2
    while len(steps) < STEPS:
        if len(steps) % REST_EVERY == 0:
            steps.append(("rest",))
        elif len(steps) % RUN_EVERY == 0:
            steps.append(_run(random, runs))
        else:
            steps += _between(random, calm=calm)
    twins = Random(f"twins of {seed}")
    return style, [one for step in steps for one in (step, *(_ask_twins(twins) if step == ("rest",) else ()))]


def _ask_twins(random: Random) -> list[Step]:
    """After a rest, in a calm: people act, and then twins are asked."""
    acts: list[Step] = [("do", _act(random)) for _ in range(ACTS_BEFORE_TWINS)]
    if random.random() < 0.5:
        return [*acts, ("isolate", _act(random), random.randint(0, 5))]
    return [*acts, ("fork", _act(random), random.choice((*range(1, 41), -1, -2, -3, -4)))]


def _run(random: Random, runs: Mapping[str, int]) -> Step:
    match _weighted(random, runs):
        case "die":
            at = random.choice((*range(1, 60), -1, -2, -3, -4))
            return ("die", _act(random), at, random.random() < 0.5)
        case "meddle":
            return ("meddle", _act(random), random.randint(1, 50), _act(random))
        case "ask":
            return ("ask", random.choice(tuple(COMMANDS)), _act(random), random.choice(MOMENTS_OF_DEATH))
        case "undo":
            return ("undo", random.randint(1, 4), random.choice(MOMENTS_OF_DEATH))
        case "run":
            return ("run",)
        case other:
            return (other, random.randint(2, 40))


def _between(random: Random, *, calm: bool) -> list[Step]:
    match _weighted(random, BETWEEN):
        case "do":
            return [("do", _act(random))]
        case "edit both":
            edits = [_choose(random, salesforce_people.EDITS), _choose(random, hubspot_people.EDITS)]
            random.shuffle(edits)
            return [("do", edits[0]), ("wait", 1), ("do", edits[1])]
        case "wait":
            return [("wait", random.choice(WAITS))]
        case "trouble":
            return [("trouble", _choose(random, TROUBLES[_weighted(random, TROUBLE_WEIGHTS)]))]
        case "store":
            return [(_weighted(random, {"back_up": 3, "put_back": 2, "lose": 1}),)]
        case _:
            fair = calm or random.random() < 0.3
            return [("weather", *(() if fair else [_order(random) for _ in range(random.choice((1, 1, 2, 4)))]))]


def _order(random: Random) -> Order:
    side = random.choice(tuple(Side))
    order = random.choice(KINDS[side])
    if "slow" in order:
        return {**order, "side": side.value, "rate": random.choice((0.05, 0.3))}
    return {**random.choice(HOW_OFTEN), **order, "side": side.value}


def _act(random: Random) -> Act:
    people = random.choice((salesforce_people.ACTS, hubspot_people.ACTS))
    return _choose(random, people[_weighted(random, ACTS_OF_PEOPLE)])


def _choose(random: Random, rows: Sequence[tuple[Any, ...]]) -> Act:
    do, *given = random.choice(rows)
    return (do, *(random.choice(options) for options in given))


def _weighted(random: Random, weights: Mapping[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]
