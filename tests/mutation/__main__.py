"""Is the core tested well enough? `make mutants` tries every mutant; `… -m mutation merge` those of one module.

It fails if less than `ENOUGH` of them are noticed, if one goes unnoticed that `survivors.toml` gives no reason for,
or if one that is listed there is noticed after all. What is to be listed is printed as it would stand there.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from mutation.mutants import find_modules, find_mutants
from mutation.survivors import read_survivors, write_entry
from mutation.trial import Outcome, Trial, try_all

ENOUGH = 0.95


def main(names: list[str]) -> int:
    """The exit code. `names` are modules of the core; none: all of them."""
    began = time.monotonic()
    mutants = find_mutants([path for path in find_modules() if not names or path.stem in names])
    explained = read_survivors()
    tally: dict[str, Counter[Outcome]] = {one.module: Counter() for one in mutants}
    wrong = 0

    def report(trial: Trial) -> None:
        nonlocal wrong
        mutant = trial.mutant
        tally[mutant.module][trial.outcome] += 1
        survived = trial.outcome is Outcome.SURVIVED
        if survived is not (mutant.key in explained):
            wrong += 1
            told = "unnoticed" if survived else f"noticed by {trial.test or trial.outcome}, though listed"
            say(f"# {mutant.path.name}:{mutant.line}: {told}\n{write_entry(mutant)}")

    try_all(mutants, report)
    for name, counts in sorted(tally.items()):
        say(_line(name, counts))
    total = sum(tally.values(), Counter())
    share = 1 - total[Outcome.SURVIVED] / total.total()
    say(_line("all", total))
    say(f"{share:.2%} noticed in {(time.monotonic() - began) / 60:.1f} minutes; {wrong} not as survivors.toml says")
    return 1 if wrong or share < ENOUGH else 0


def _line(name: str, counts: Counter[Outcome]) -> str:
    return f"{name:10} {counts.total():4} mutants: " + ", ".join(f"{counts[one]:4} {one}" for one in Outcome)


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # it is a command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
