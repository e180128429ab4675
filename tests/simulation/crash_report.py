"""How often does it end otherwise if a run dies? `make crashes` tries every death in a spread of situations.

`WHOLE=1` tries them in all situations, which takes an hour or more. `ONLY=…` are those of all situations whose
names contain that; `AT=17` is one death of one of them, `AT=17,4` one and another in the run that recovers from it.
It fails if any death ends otherwise than the run that did not die.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

from simulation.crash_loop import Outcome, try_death, try_deaths
from simulation.crash_situations import choose_spread, find_situations

NESTED_EVERY = 4
"""In every so many situations the run that recovers from a death dies too."""


def main(words: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="make crashes", description=__doc__)
    parser.add_argument("--whole", action="store_true", help="all situations, not a spread of them")
    parser.add_argument("--only", default="", help="of all situations those whose names contain this")
    parser.add_argument("--at", default="", help="one death: after how many boundaries, such as 17 or 17,4")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no more situations after that")
    asked = parser.parse_args(words)
    known = find_situations()
    names = _choose(list(known), asked.only, whole=asked.whole)
    if not names:
        say(f"no situation is called {asked.only!r}; they are listed in tests/simulation/crash_situations.py")
        return 2
    if asked.at:
        return _replay(names[0], [int(one) for one in asked.at.split(",")])
    random.Random(0).shuffle(names)  # so that what is told on the way is true of all of them
    return _report(names, asked.processes, asked.minutes)


def _choose(known: list[str], only: str, *, whole: bool) -> list[str]:
    """The situation of this name, or those whose names contain it; without one a spread, or the whole."""
    if only in known:
        return [only]
    if only or whole:
        return [name for name in known if only in name]
    return choose_spread(known)


def _replay(name: str, at: list[int]) -> int:
    death = try_death(find_situations()[name], at)
    say(death.wrong or f"{name}: dying after {at} boundaries ends as if it had not; {death.extra[0]} more calls")
    return 1 if death.wrong else 0


def _report(names: list[str], processes: int, minutes: float) -> int:
    began, total = time.monotonic(), Tally()
    for number, (name, found) in enumerate(_try_all(names, processes), 1):
        total.add(found)
        _tell(name, found)
        if number % 20 == 0:
            say(f"so far {total.tell(time.monotonic() - began)}")
        if time.monotonic() - began > minutes * 60:
            break
    say(f"of {len(names)}: {total.tell(time.monotonic() - began)}")
    return 1 if total.wrong or total.broken else 0


def _tell(name: str, found: Outcome | str) -> None:
    if isinstance(found, str):
        say(f"{name}: cannot be played: {found}")
        return
    for death in found.wrong:
        at = ",".join(str(one) for one in death.at)
        say(f"make crashes ONLY={name!r} AT={at}\n    {death.wrong[:1500]}")


def _try_all(names: list[str], processes: int) -> Iterator[tuple[str, Outcome | str]]:
    some = [(name, number % NESTED_EVERY == 0) for number, name in enumerate(names)]
    with multiprocessing.get_context("fork").Pool(processes, initializer=_begin) as pool:
        yield from pool.imap_unordered(_try, some)


def _begin() -> None:
    """Whoever makes and throws away so many records looks more seldom for what is garbage."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _try(one: tuple[str, bool]) -> tuple[str, Outcome | str]:
    name, again = one
    try:
        return name, try_deaths(find_situations()[name], nested=int(again))
    except Exception as error:  # noqa: BLE001  # told with its name, and the others go on
        return name, f"{type(error).__name__}: {error}"


class Tally:
    """What was counted so far."""

    def __init__(self) -> None:
        self.situations = self.boundaries = self.deaths = self.tried = self.nested = self.wrong = self.broken = 0
        self.extra: Counter[int] = Counter()
        self.left: Counter[str] = Counter()

    def add(self, found: Outcome | str) -> None:
        self.situations += 1
        if isinstance(found, str):
            self.broken += 1
            return
        self.boundaries += found.boundaries
        self.deaths += found.deaths
        self.tried += len(found.tried)
        self.nested += len(found.nested)
        self.wrong += len(found.wrong)
        self.left += found.left
        for death in found.tried:
            self.extra.update(death.extra)

    def tell(self, seconds: float) -> str:
        mean = sum(calls * number for calls, number in self.extra.items()) / max(1, self.extra.total())
        recovered = self.tried + self.nested
        left = ", ".join(f"{number} {verb}" for verb, number in self.left.most_common()) or "none"
        return (
            f"{self.situations} situations ({self.broken} could not be played), {self.boundaries} boundaries,"
            f" {self.deaths} deaths, which left {self.tried} different things; {self.nested} deaths of recoveries;"
            f" {self.wrong} ended otherwise.\nA death costs {mean:.1f} calls, at most {max(self.extra, default=0)}."
            f" Writes of which it was not told whether they were made: {left}."
            f"\n{seconds / 60:.1f} minutes, {recovered / seconds:.1f} recoveries in a second."
        )


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # it is a command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
