"""What may become of bad input? Of whatever is given, wherever: one of three things, and never anything else.

| it ends with                   | which is                                                                      |
|--------------------------------|-------------------------------------------------------------------------------|
| a result                       | exit 0, or 1 with problems                                                    |
| a `Stop`                       | exit 2, 3 or 4, with a sentence that says what is wrong, and what to do       |
| a wrong usage                  | exit 2, told by typer                                                         |

`EXAMPLES` says how many are tried instead of the few of every day: `make fuzz EXAMPLES=5000 SEED=3`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from typer.testing import CliRunner, Result

from connector.cli.app import app
from connector.errors import BadConfiguration, Finding, Stop

DONE, STOPPED = {0, 1}, {2, 3, 4}
_TRACES = ("Traceback (most recent call last)", "Error: '", "NoneType", "object has no attribute")
"""What only an exception that nobody expected leaves behind."""


def tried(few: int) -> settings:
    """How many examples: `few` of every day, or as many as were asked for."""
    number = int(os.environ.get("FUZZ_EXAMPLES", few))
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(max_examples=number, suppress_health_check=slow)


def end(act: Callable[[], Any]) -> Stop | None:
    """Act; returns the stop that it ended with. Any other exception is a failure of the test."""
    try:
        act()
    except Stop as stop:
        check_stop(stop)
        return stop
    return None


def check_stop(stop: Stop) -> None:
    """Whether a stop tells a person what is wrong and what to do."""
    findings = stop.findings if isinstance(stop, BadConfiguration) else []
    assert stop.exit_code in STOPPED, stop
    if isinstance(stop, BadConfiguration):
        assert findings, "nothing is said to be wrong"
    else:
        assert stop.message.strip(), repr(stop)
        assert stop.remedy.strip(), stop.message
    for one in findings:
        check_finding(one)


def check_finding(finding: Finding) -> None:
    assert finding.where, finding
    assert finding.message.strip(), finding
    assert finding.remedy.strip(), finding
    assert finding.line >= 0, finding


def run(*args: str, typed: str = "", **environment: str) -> Result:
    """Run a command as it is typed; whatever it is, it is answered by an exit code and by words."""
    result = CliRunner().invoke(app, args, typed, prog_name="connector", env=environment, catch_exceptions=False)
    said = result.stdout + result.stderr
    assert result.exit_code in DONE | STOPPED, (args, result.exit_code, said)
    assert not any(trace in said for trace in _TRACES), (args, said)
    if result.exit_code in STOPPED:
        assert said.strip(), args
    return result
