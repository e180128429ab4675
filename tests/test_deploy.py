"""The files for cron and systemd say what the program understands."""

from __future__ import annotations

import re
import shlex
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cronsim import CronSim
from typer.main import get_command

from connector.cli.app import app

FOLDER = Path(__file__).parent.parent / "deploy"
UNITS = sorted(FOLDER.glob("*.service"))


def read_unit(path: Path) -> ConfigParser:
    unit = ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read_string(path.read_text())
    return unit


def parse(line: str) -> None:
    """Hold a command line against the program: command and options are there."""
    words = shlex.split(line)
    name = next(index for index, word in enumerate(words) if word.endswith("/connector"))
    command, *arguments = words[name + 1 :]
    get_command(app).commands[command].make_context(command, arguments)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", UNITS, ids=lambda one: one.name)
def test_T5_each_unit_starts_a_command_that_there_is(path):
    """With options that it takes, as a user of its own, and time to finish the batch in hand."""
    unit = read_unit(path)
    parse(unit["Service"]["ExecStart"])
    assert unit["Service"]["User"] != "root"
    assert int(unit["Service"]["TimeoutStopSec"]) >= 60
    assert unit["Service"]["WorkingDirectory"] in unit["Service"]["ReadWritePaths"]


def test_T5_the_timer_starts_its_service_every_15_minutes():
    """And makes up for what was missed."""
    unit = read_unit(FOLDER / "connector.timer")
    assert FOLDER.joinpath("connector.service").exists()
    assert (unit["Timer"]["OnCalendar"], unit["Timer"]["Persistent"]) == ("*:0/15", "yes")


def test_T5_the_line_for_cron_is_one():
    """Five fields that come every 15 minutes, and a command that there is."""
    lines = [line for line in FOLDER.joinpath("crontab").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == 1
    fields, command = re.fullmatch(r"((?:\S+ ){4}\S+)\s+(.*)", lines[0]).groups()
    times = CronSim(fields, datetime(2026, 1, 1, tzinfo=UTC))
    assert [next(times).minute for _ in range(4)] == [15, 30, 45, 0]
    parse(command.split("&&")[-1].split(">>")[0])
