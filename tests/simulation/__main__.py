"""Play many seeds, on all processors: `make simulate SEEDS=200 SEED=1`. Ends with 1 if an invariant did not hold.

A seed that fails is played again to find the steps that it needs to; they are printed so that they can be told
again, and belong into `found.py`.
"""

from __future__ import annotations

import argparse
import functools
import gc
import multiprocessing
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from engine.lab import Died
from engine.laws.shortening import describe, shorten
from engine.laws.styles import STYLES, begin
from simulation.seeds import plan_of
from simulation.simulated import Simulation, simulate

tell = functools.partial(print, flush=True)


@dataclass(frozen=True)
class Outcome:
    """How a seed went. `faults` counts what struck, by its kind; `failure` is empty if every invariant held."""

    seed: int
    style: str
    steps: int
    runs: int
    faults: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    failure: str = ""


def play(seed: int, undo: bool) -> Outcome:
    """Play a seed to its end."""
    style, steps = plan_of(seed, undo=undo)
    simulation, failure = Simulation(style), ""
    try:
        for name, *arguments in steps:
            simulation.step(name, *arguments)
        simulation.come_to_rest()
    except (Exception, Died) as error:  # noqa: BLE001  # a crash of the connector is a failure like any other
        failure = f"{type(error).__name__}: {str(error)[:2000]}"
    kinds = Counter(step[0] for step in simulation.steps)
    faults = simulation.weather_now.by_kind()
    return Outcome(seed, style, len(simulation.steps), simulation.runs, faults, kinds, failure)


def show_shortened(seed: int, undo: bool) -> str:
    """The steps that a seed needs to fail."""
    style, steps = plan_of(seed, undo=undo)
    simulation = Simulation(style)
    try:
        for name, *arguments in steps:
            simulation.step(name, *arguments)
    except Exception:  # noqa: BLE001  # that it fails is known
        steps = simulation.steps
    return describe(style, shorten(style, steps, simulate), simulate)


def main() -> int:
    parser = argparse.ArgumentParser(prog="simulation")
    parser.add_argument("--seeds", type=int, default=50, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--undo", action="store_true", help="take runs back too")
    parser.add_argument("--whole", action="store_true", help="do not shorten what fails")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.seeds)
    began, played, failed = time.monotonic(), 0, list[Outcome]()
    totals: dict[str, Counter[str]] = {
        "faults": Counter(),
        "steps": Counter(),
        "styles": Counter(),
        "sums": Counter(),
    }
    for style in STYLES.values():
        begin(style)  # before the processes part, so that none of them has to prepare it
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)  # who makes and throws away so much looks more seldom for what is garbage
    with multiprocessing.get_context("fork").Pool(given.processes, maxtasksperchild=50) as pool:
        for one in pool.imap_unordered(functools.partial(play, undo=given.undo), seeds):
            played += 1
            totals["faults"] += one.faults
            totals["steps"] += one.kinds
            totals["styles"][one.style] += 1
            totals["sums"] += Counter(steps=one.steps, runs=one.runs)
            if one.failure:
                failed.append(one)
                tell(f"seed {one.seed} ({one.style}), step {one.steps}: {one.failure}")
            if played % 50 == 0:
                tell(f"{played} seeds, {len(failed)} failed, {_rate(played, began)} a minute")
    sums = totals.pop("sums")
    tell(f"{played} seeds, {sums['steps']} steps, {sums['runs']} runs besides those to rest, {len(failed)} failed,")
    tell(f"{_rate(played, began)} seeds a minute on {given.processes} processors")
    for name, counted in totals.items():
        tell(f"{name}: {', '.join(f'{what} {number}' for what, number in sorted(counted.items()))}")
    for one in failed[: 0 if given.whole else 3]:
        tell(f"\nseed {one.seed}, shortened:\n{show_shortened(one.seed, given.undo)}")
    return 1 if failed else 0


def _rate(played: int, began: float) -> str:
    return f"{played * 60 / max(time.monotonic() - began, 0.001):.0f}"


if __name__ == "__main__":
    sys.exit(main())
