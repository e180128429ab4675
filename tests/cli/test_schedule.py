"""`schedule` as a process: a line for each run, and an end that settles what was begun (T5)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import Crms, Run


@pytest.mark.parametrize("ends_it", [signal.SIGTERM, signal.SIGINT])
def test_T5_a_schedule_syncs_at_once_and_ends_when_asked(crms: Crms, folder: Path, ends_it) -> None:
    """The first line comes after the first run; the signal ends the process with exit code 0, soon."""
    process = subprocess.Popen(
        [sys.executable, "-m", "connector", "schedule", "--json"],
        cwd=folder,
        env={**os.environ, **crms.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        told = json.loads(process.stdout.readline())
        process.send_signal(ends_it)
        rest, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, rest, errors) == (0, "", "")
    assert told["report"]["status"] == "ok"
    assert told["report"]["hubspot"]["created"]["deals"] == crms.hubspot.count("deals")
    assert (told["version"], told["error"]) == (1, None)
    assert told["next"] > told["at"]


def test_T5_a_schedule_that_cannot_begin_says_why(connected: Run, folder: Path) -> None:
    """Exit code 2, with the file, the line and what a time looks like."""
    connected("init")
    settings = folder / "config/connector.yaml"
    settings.write_text(settings.read_text().replace("every: 15 minutes", "every: soon"))
    result = connected("schedule")
    assert result.exit_code == 2
    line = next(n for n, text in enumerate(settings.read_text().splitlines(), 1) if "every: soon" in text)
    assert f"config/connector.yaml:{line}" in result.stderr
    assert "15 minutes, 2 hours" in result.stderr
