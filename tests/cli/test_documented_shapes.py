"""What docs/reference/json.md says of the JSON shapes is what the answers are made of."""

from __future__ import annotations

import dataclasses
import re
from enum import StrEnum
from pathlib import Path

import pytest

from connector.engine.answers import (
    conflicts,
    explain,
    fields,
    health,
    history,
    links,
    problems,
    reason,
    relations,
    runs,
)
from connector.store.schema import metadata

ROOT = Path(__file__).resolve().parents[2]
MODULES = (conflicts, explain, fields, health, history, links, problems, reason, relations, runs)
TEXT = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8").replace("```", "")
WORDS = set(re.findall(r"`([^`]+)`", TEXT))
SHAPES = sorted(
    {
        one
        for module in MODULES
        for one in vars(module).values()
        if isinstance(one, type) and one.__module__ == module.__name__ and dataclasses.is_dataclass(one)
    },
    key=lambda one: one.__name__,
)
CHOICES = (explain.Verdict, fields.Outcome, reason.Why, health.Worry)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda one: one.__name__)
def test_every_key_is_documented(shape):
    """Whatever an answer holds, its key stands in the document."""
    assert [one.name for one in dataclasses.fields(shape) if one.name not in WORDS] == []


@pytest.mark.parametrize("words", CHOICES, ids=lambda one: one.__name__)
def test_every_word_is_documented(words: type[StrEnum]):
    """So are the words that stand for how something is."""
    assert [one.value for one in words if one.value not in WORDS] == []


def test_every_table_of_an_export_is_documented():
    """`connector export` names no table that the document does not."""
    assert [name for name in metadata.tables if name not in WORDS] == []


def test_there_is_something_to_check():
    """The checks above would pass on nothing."""
    assert len(SHAPES) > 15
