"""Do the tests of the core notice a mutant? Each is tried in a process of its own, forked when all is loaded.

1. The tests run once as they are, under coverage: which test enters which function, reaches which line, and how
   long does it take?
2. A mutant in the body of a function takes the place of that function's code, in a fork of a process that has
   collected the tests. The tests that enter the function run until one fails, those that reach the line first.
3. A mutant that importing carries out (a constant, a default, a decorator) is imported in a fork of a process that
   has not imported the core yet. Tests run until one fails: first those of the same module, and those that hold
   all types of the core to something (`test_model.py`), then all of them.

A trial may use `PATIENCE` times the processor time that its tests usually take; whatever goes on for longer counts
as timed out. Hypothesis tries the same examples in every trial and spends no time on making a failure smaller.
"""

from __future__ import annotations

import gc
import json
import math
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import coverage
import hypothesis
import pytest
from mutation.mutants import CORE, Mutant

TESTS = Path(__file__).resolve().parents[1] / "core"
# Nobody reads why a test failed: assertions need not explain themselves.
OPTIONS = ["-o", "addopts=--import-mode=importlib", "--assert=plain"]
OPTIONS += [
    word for plugin in ("randomly", "xdist", "cacheprovider", "terminal") for word in ("-p", f"no:{plugin}")
]
PATIENCE, AT_LEAST = 10, 5
"""A trial may use so many times the processor time of its tests, and so many seconds on top."""
MEMORY = 2 << 30


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


@dataclass(frozen=True)
class Trial:
    """A mutant, what became of it, and the test that noticed it."""

    mutant: Mutant
    outcome: Outcome
    test: str = ""


@dataclass
class Survey:
    """What the tests do as they are: seconds of each, and the lines that each reaches, by module."""

    seconds: dict[str, float]
    reached: dict[str, dict[int, set[str]]]

    def order(self, mutant: Mutant, lines: range) -> list[str]:
        """The tests that enter the lines of a function, those that reach the very line first, quick ones first."""
        reached = self.reached[mutant.module]
        entering = set().union(*(reached.get(line, ()) for line in lines))
        near = reached.get(mutant.line, set())
        return sorted(entering, key=lambda test: (test not in near, self.seconds[test]))


def try_all(mutants: Sequence[Mutant], report: Callable[[Trial], None]) -> None:
    """Try every mutant, and report each as soon as it is known."""
    os.environ["CI"] = "true"
    trials = _Trials(mutants, _survey(), report)
    pytest.main([*OPTIONS, "-s", str(TESTS)], plugins=[trials])
    if not trials.done:
        raise SystemExit("the trials were broken off")


# --- one trial in a process of its own --------------------------------------------------------------------


def _fork(work: Callable[[], object], seconds: float | None = None) -> tuple[int, Any]:
    """The status of a forked process, and what its work came to, as JSON. `seconds` limit its processor time."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        _be_quiet()
        if seconds is not None:
            limit = math.ceil(seconds)
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            answer = json.dumps(work()).encode()
        except BaseException as error:  # noqa: BLE001  # a fork must not go on as its parent
            answer = json.dumps({"broken": repr(error)}).encode()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(process, 0)
    return status, json.loads(answer) if answer else None


def _be_quiet() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def try_one(mutant: Mutant, usual: float, work: Callable[[], str | None]) -> Trial:
    """`work` gives the test that failed, or None."""
    status, answer = _fork(work, AT_LEAST + PATIENCE * usual)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL}:
        return Trial(mutant, Outcome.TIMED_OUT)
    if status != 0 or isinstance(answer, dict):
        raise RuntimeError(f"the trial of {mutant} broke down: status {status}, {answer}")
    return Trial(mutant, Outcome.SURVIVED) if answer is None else Trial(mutant, Outcome.KILLED, answer)


class _Steady:
    """Hypothesis tries the same in every process, and stops at the first failure; notes what failed."""

    def __init__(self) -> None:
        self.failed: str | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session):
        hypothesis.settings.register_profile(
            "mutation",
            deadline=None,
            derandomize=True,
            database=None,
            report_multiple_bugs=False,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        hypothesis.settings.load_profile("mutation")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        """That a test failed is enough: to tell where and why would take longer than most trials."""
        if call.excinfo is None:
            return None
        return pytest.TestReport(item.nodeid, item.location, {}, "failed", None, call.when, duration=call.duration)

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed = self.failed or report.nodeid


# --- the tests as they are --------------------------------------------------------------------------------


class _Surveyor(_Steady):
    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = {}
        self.coverage = coverage.Coverage(data_file=None, include=[f"{CORE}/*"], config_file=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item, nextitem):
        self.coverage.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report):
        super().pytest_runtest_logreport(report)
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration


def _survey() -> Survey:
    _, told = _fork(_run_survey)
    if told is None or "broken" in told or not told["passed"]:
        raise SystemExit(f"the tests of the core have to pass before mutants are tried: {told['failed']} does not")
    reached = {
        module: {int(line): set(tests) - {""} for line, tests in lines.items()}
        for module, lines in told["reached"].items()
    }
    return Survey(told["seconds"], reached)


def _run_survey() -> dict[str, Any]:
    surveyor = _Surveyor()
    surveyor.coverage.start()
    passed = pytest.main([*OPTIONS, str(TESTS)], plugins=[surveyor]) == pytest.ExitCode.OK
    surveyor.coverage.stop()
    data = surveyor.coverage.get_data()
    reached = {Path(path).stem: data.contexts_by_lineno(path) for path in data.measured_files()}
    return {"passed": passed, "failed": surveyor.failed, "seconds": surveyor.seconds, "reached": reached}


# --- the trials -------------------------------------------------------------------------------------------


class _Trials(_Steady):
    """A session of pytest that forks for every mutant, before it collects the tests or afterwards."""

    def __init__(self, mutants: Sequence[Mutant], survey: Survey, report: Callable[[Trial], None]) -> None:
        super().__init__()
        self.mutants, self.survey, self.report = mutants, survey, report
        self.done = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session):
        super().pytest_collection(session)
        assert "connector.core" not in sys.modules
        usual = sum(self.survey.seconds.values())
        for mutant in self.mutants:
            if mutant.function is None:
                self.report(try_one(mutant, usual, lambda mutant=mutant: self.import_and_test(mutant, session)))

    def import_and_test(self, mutant: Mutant, session: pytest.Session) -> str | None:
        sys.meta_path.insert(0, _Mutated(mutant))
        near = [TESTS / f"test_{name}.py" for name in (mutant.module, "model")]
        for some in ([str(path) for path in near if path.exists()], None):
            items = session.perform_collect(some)
            items.sort(key=lambda item: self.survey.seconds.get(item.nodeid, 0.0))
            if self.failed or self.run_until_one_fails(items):
                break
        return self.failed

    def pytest_runtestloop(self, session):
        items = {item.nodeid: item for item in session.items}
        functions = _find_functions()
        gc.collect()
        gc.freeze()
        for mutant in self.mutants:
            if mutant.function is not None:
                function = functions[mutant.module, mutant.function]
                tests = self.survey.order(mutant, _lines_of(function.__code__))
                usual = sum(self.survey.seconds[test] for test in tests)

                def work(mutant=mutant, function=function, tests=tests):
                    function.__code__ = _find_code(mutant)
                    return self.run_until_one_fails(items[test] for test in tests)

                self.report(try_one(mutant, usual, work))
        self.done = True
        return True

    def run_until_one_fails(self, items: Iterable[pytest.Item]) -> str | None:
        for item in items:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            if self.failed is not None:
                return self.failed
        return None


class _Mutated(MetaPathFinder):
    """Finds one module of the core, and gives its mutated code."""

    def __init__(self, mutant: Mutant) -> None:
        self.name, self.path = f"connector.core.{mutant.module}", mutant.path
        self.code = mutant.compile()

    def find_spec(self, fullname, path, target=None):
        if fullname != self.name:
            return None
        loader = SourceFileLoader(fullname, str(self.path))
        loader.get_code = lambda _: self.code
        return spec_from_file_location(fullname, self.path, loader=loader)


def _find_functions() -> dict[tuple[str, str], FunctionType]:
    """Every function of the core that is at hand, be it a method, a property or in a decorator, by its name."""
    return {
        (Path(one.__code__.co_filename).stem, one.__code__.co_qualname): one
        for one in gc.get_objects()
        if isinstance(one, FunctionType) and Path(one.__code__.co_filename).parent == CORE
    }


def _find_code(mutant: Mutant) -> CodeType:
    """The mutated code of the function that the mutant is in."""
    return next(one for one in _walk_code(mutant.compile()) if one.co_qualname == mutant.function)


def _walk_code(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from _walk_code(one)


def _lines_of(code: CodeType) -> range:
    """The lines of a function's body: what its `def` is made of is carried out by importing."""
    inner = [line for one in (code, *_walk_code(code)) for _, _, line in one.co_lines() if line is not None]
    return range(code.co_firstlineno + 1, max(inner) + 1)
