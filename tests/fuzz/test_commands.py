"""Whatever is typed: a result, a stop with its sentence, or a usage error; where all works and where nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from fuzz.oracle import run, tried
from fuzz.place import past, working
from hypothesis import example, given
from hypothesis import strategies as st

from connector.cli.app import app

ENDLESS = {("demo",), ("sandbox", "serve"), ("schedule",)}
"""They go on until somebody ends them."""
ODD = (
    "", " ", "-", "--", "-1", "0", "1", "2", "3", "99999", "9" * 40, "9" * 5_000, "1.5", "nan", "1e9", "é",
    "\u202e", "\U0001f600", "x" * 9_000,
    "a/b", "../..", "/", "/etc/passwd", "/dev/null", ".", "~", "*", "?", "%s", "{0}", "[red]", "[/]", "'", '"',
    ";", "' OR 1=1 --",
    "null", "deal:", "deal:1", "deal:x", ":1", "opportunity:", "x:y:z", "deal:999999999999", "deals", "deal",
    "opportunities",
    "contact", "accounts", "salesforce", "hubspot", "opportunity-deal", "006000000000001AAA", "006",
    "0060000000000019", "1/2",
    "2026-03-02", "2026-99-99", "0001-01-01", "9999-12-31T23:59:59-14:00", "yesterday", "60d", "1000000000d",
    "-5d", "7d",
    "Amount > 1", "Amount >", "Name = 'x", "Name LIKE '%'", "Id IN (SELECT Id FROM User)", "a = 1; DROP",
    "((((", "NOT " * 200,
    "json", "html", "csv", "plan.json", "plan.html", "x.csv", "connector.db", "nowhere/x.json", "conflict",
    "duplicates", "all",
    "description", "amount", "Amount", "StageName", "run", "latest", "open", "\x00", "\x1b[2J", "\n", "\ud800",
)  # fmt: skip


def find_commands() -> Iterator[tuple[tuple[str, ...], tuple[Any, ...]]]:
    """Every command by its words, with its parameters."""
    todo: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(app))]
    while todo:
        words, command = todo.pop()
        inner = getattr(command, "commands", None)
        if inner:
            todo += [((*words, name), one) for name, one in inner.items()]
        elif words not in ENDLESS:
            yield words, tuple(command.params)


COMMANDS = sorted(find_commands(), key=lambda one: one[0])


@st.composite
def lines(draw: Any) -> list[str]:
    """A command with some of its options and arguments, and values that are perhaps of their kind."""
    words, params = draw(st.sampled_from(COMMANDS))
    value = st.one_of(st.sampled_from(ODD), st.sampled_from(sorted(past()[3].values())), st.text(max_size=5))
    typed: list[str] = []
    for one in draw(st.lists(st.sampled_from(params), max_size=4)) if params else []:
        if one.param_type_name == "argument":
            typed.append(draw(value))
        else:
            name = draw(st.sampled_from([*one.opts, *one.secondary_opts]))
            typed += [name] if one.is_flag else [name, draw(value)]
    if draw(st.integers(0, 6)) == 0:
        typed.insert(draw(st.integers(0, len(typed))), draw(value))
    return [*words, *typed]


def unprintable(line: list[str]) -> bool:
    """No shell can hand these over."""
    return any("\x00" in one for one in line)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("place")


LINES = lines().filter(lambda line: not unprintable(line))


@tried(20)
@given(line=LINES, typed=st.sampled_from(("", "\n", "n\n", "y\n", "x\n" * 5)))
@example(line=["problems", "list", "--object", "\ud800"], typed="")
@example(line=["explain", "deal:x/y"], typed="")
@example(line=["runs", "show", "9" * 40], typed="")
@example(line=["undo", "9" * 40], typed="")
@example(line=["apply", "/dev/null"], typed="")
def test_any_line_is_answered_where_all_works(folder: Any, line: list[str], typed: str) -> None:
    """With both CRMs, a store, and a past."""
    with working(folder) as place:
        run(*line, typed=typed, **place.environment)


@tried(10)
@given(line=LINES)
def test_any_line_is_answered_where_there_is_nothing(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, line: list[str]
) -> None:
    """In a folder without files, and an environment that names no CRM."""
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    run(*line)
