"""The house rules that no linter knows: a pure core, modules that say what they are for, telling names."""

from __future__ import annotations

import ast
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "connector"
MODULES = sorted(path for path in ROOT.rglob("*.py"))
CORE = sorted((ROOT / "core").glob("*.py"))
SANDBOX = sorted((ROOT / "sandbox").rglob("*.py"))
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "X" * 3 + ":")


def name_of(path):
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)


def imports_of(path):
    """The full names of all that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} imports relatively"
            yield node.module


def calls_of(path):
    """The names of all functions that a module calls, as they are written."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_there_is_something_to_check():
    """The checks below would all pass on an empty folder."""
    assert len(MODULES) > 50
    assert len(CORE) > 8
    assert len(SANDBOX) > 20


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_imports_the_standard_library_and_itself_only(path):
    """Whatever else the project depends on, no rule does."""
    foreign = {
        name
        for name in imports_of(path)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not name.startswith("connector.core.")
        and name != "connector.errors"
    }
    assert foreign == set()


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_never_reads_clock_or_files(path):
    """The same inputs, the same plan: no `now`, `today`, `open`, `print` in a rule."""
    impure = {"open", "print", "input", "datetime.now", "datetime.utcnow", "date.today", "datetime.today"}
    assert impure.isdisjoint(calls_of(path))


@pytest.mark.parametrize("path", SANDBOX, ids=name_of)
def test_the_sandbox_imports_nothing_of_the_connector(path):
    """What judges the connector shares no code with it."""
    own = {name for name in imports_of(path) if name.split(".")[0] == "connector"}
    assert all(name.startswith("connector.sandbox") for name in own)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is_for(path):
    """Its first lines are a docstring of some words; only an empty module needs none."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or len((ast.get_docstring(tree) or "").split()) >= 3


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_has_a_name_that_says_nothing(path):
    """A module is called by the noun it holds."""
    assert EMPTY_WORDS.isdisjoint(path.stem.split("_"))
    assert path.parent == ROOT or EMPTY_WORDS.isdisjoint(path.parent.name.split("_"))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_left_for_later(path):
    """No note of unfinished work, and no function that only raises `NotImplementedError`."""
    text = path.read_text(encoding="utf-8")
    assert [word for word in UNFINISHED if word in text] == []
    assert "NotImplementedError" not in text


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_exception_to_a_check_has_its_reason_beside_it(path):
    """`# noqa: X  # because` and `# type: ignore[x]  # because`."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for marker in ("# noqa", "# type: ignore"):
            if marker in line:
                reason = line.split(marker, 1)[1].split("# ", 1)
                assert len(reason) == 2, f"{name_of(path)}:{number} gives no reason"
                assert reason[1].strip()


def test_D2_only_an_undo_takes_records_back_in_salesforce():
    """Law 10: one method can delete an opportunity; an undo alone calls it, with proofs of the journal's making."""
    about = [
        path for path in MODULES if {"take_back", "Proof", "writing"} & set(re.findall(r"\w+", path.read_text()))
    ]
    callers = {name_of(path) for path in about for call in calls_of(path) if call.endswith(".take_back")}
    assert callers == {"connector.engine.hands", "connector.engine.undoing.writing"}
    makers = {name_of(path) for path in about for call in calls_of(path) if call.rpartition(".")[2] == "Proof"}
    assert makers == {"connector.store.journal"}
    undoers = {name_of(path) for path in about if "connector.engine.undoing.writing" in set(imports_of(path))}
    assert undoers == {"connector.engine.undo"}


SALESFORCE = sorted((ROOT / "adapters").glob("salesforce*.py"))


@pytest.mark.parametrize("path", SALESFORCE, ids=name_of)
def test_no_value_is_put_between_quotes_by_hand(path):
    """In queries of Salesforce that is `salesforce_soql.py`'s alone, which escapes what could end them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr) and path.stem != "salesforce_soql":
            parts = [one.value if isinstance(one, ast.Constant) else None for one in node.values]
            before = [one for one, after in pairwise(parts) if one is not None and after is None]
            by_hand = [one for one in before if re.search(r"(^|[=<>(,]|LIKE)\s*'$", one)]
            assert by_hand == [], f"{name_of(path)}:{node.lineno}"
