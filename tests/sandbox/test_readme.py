"""The sandbox's own README is true: what it calls faithful is shown by a test that exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "connector" / "sandbox" / "README.md"
_TEST = re.compile(r"`(\w+\.py)::(test_\w+)`")


def read_rows() -> list[tuple[str, list[str]]]:
    """Every row of the tables of behaviours: its heading and its cells."""
    rows = []
    heading = ""
    for line in README.read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("| ") and not line.startswith(("| what |", "| client |", "| side |")):
            rows.append((heading, [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]))
    return rows


ROWS = [(heading, cells) for heading, cells in read_rows() if len(cells) == 4 and heading != "Not established"]


@pytest.fixture(scope="module")
def tests_there():
    """The names of all tests, by file name."""
    found: dict[str, set[str]] = {}
    for path in [*ROOT.glob("tests/sandbox/**/test_*.py"), *ROOT.glob("tests/compatibility/**/test_*.py")]:
        found.setdefault(path.name, set()).update(re.findall(r"^\s*def (test_\w+)", path.read_text(), re.MULTILINE))
    return found


def test_there_are_rows_under_every_heading():
    """No area is left without a word."""
    headings = set(re.findall(r"^## (.+)$", README.read_text(), re.MULTILINE))
    assert headings == {heading for heading, _ in read_rows()}


@pytest.mark.parametrize(
    ("heading", "cells"), ROWS, ids=lambda each: each[0][:40] if isinstance(each, list) else ""
)
def test_a_row_is_backed(heading, cells, tests_there):
    """Faithful rows name a test and a document of the vendor, simplified ones what is missing; the tests exist."""
    what, how, test, source = cells
    named = _TEST.findall(test)
    assert all(name in tests_there.get(file, set()) for file, name in named), f"{what}: {test} does not exist"
    if heading.startswith(("Salesforce", "HubSpot")):
        assert how.startswith(("faithful", "simplified", "not there")), f"{what}: {how}"
        if how.startswith("faithful"):
            assert named, f"{what}: no test shows it"
            assert source, f"{what}: no document says it"
        elif how.startswith("simplified"):
            assert how.partition(":")[2], f"{what}: what is simplified?"
