"""Which tests prove which rule? `docs/rules.yaml` and the names of the tests -> `docs/rules.md`.

A test proves a rule if its name begins with the id (`test_R3_…`, `test_U1_to_U5_…`, `test_U3_U4_…`) or its
docstring names it in parentheses (`(O9)`, `(R5: …)`, `(L2-L7)`). A story of `tests/scenarios` proves those listed.

    .venv/bin/python tests/evidence.py         writes docs/rules.md (`make rules`)
    .venv/bin/python tests/evidence.py --check fails if that would change it, or if a rule has no test
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
STATEMENTS = ROOT / "docs" / "rules.yaml"
TABLE = ROOT / "docs" / "rules.md"
# What judges the sandboxes proves nothing of the connector.
NO_EVIDENCE = {"sandbox", "compatibility", "live"}

SECTIONS = "PTORADLUFEIXG"
ID = rf"[{SECTIONS}]\d+"
_IN_NAME = re.compile(rf"^test((?:_(?:to_)?{ID})+)(?:_|$)")
_IN_PARENTHESES = re.compile(r"\(([^()]*)\)")
_RANGE = re.compile(rf"({ID})(?:_to_|-|–)({ID})")

HEAD = """\
# The rules and their tests

Written by `make rules` from [rules.yaml](rules.yaml) and from what the tests and the
[stories](../tests/scenarios/README.md) name. Each number leads to the list below.
"""


@dataclass(frozen=True, order=True)
class Proof:
    """A test function, or a story, in a file of this project."""

    path: str
    name: str


@dataclass
class Rule:
    """A rule, its tests, why it has none, and which part of it does not hold yet."""

    id: str
    section: str
    statement: str
    missing: str = ""
    partly: str = ""
    tests: list[Proof] = field(default_factory=list)


def read_rules(path: Path = STATEMENTS) -> dict[str, Rule]:
    """The rules by id, in the order of the file, still without their tests."""
    document = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return {id_: _rule(id_, section, given) for section, rules in document.items() for id_, given in rules.items()}


def _rule(id_: str, section: str, given: Any) -> Rule:
    told = given if isinstance(given, dict) else {"rule": given}
    return Rule(id_, section, told["rule"], told.get("missing", ""), told.get("partly", ""))


def find_ids(name: str, docstring: str = "") -> set[str]:
    """The ids that a test's name and docstring claim."""
    named = _IN_NAME.match(name)
    texts = [named.group(1) if named else "", *_IN_PARENTHESES.findall(docstring)]
    return {id_ for text in texts for id_ in _ids_in(text)}


def _ids_in(text: str) -> Iterator[str]:
    for first, last in _RANGE.findall(text):
        if first[0] == last[0]:
            yield from (f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:]) + 1))
    yield from re.findall(rf"(?<![A-Za-z0-9]){ID}(?![0-9A-Za-z])", text.replace("_", " "))


def find_tests(root: Path = ROOT) -> Iterator[tuple[str, Proof]]:
    """(rule id, test) of all tests and stories below `tests`."""
    for path in sorted((root / "tests").rglob("test_*.py")):
        if NO_EVIDENCE.isdisjoint(path.relative_to(root).parts):
            yield from _tests_of(path, root)
    for path in sorted((root / "tests" / "scenarios").glob("*.yaml")):
        told = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        for story in told["stories"]:
            test = Proof(path.relative_to(root).as_posix(), story["story"])
            yield from ((id_, test) for id_ in story["rules"])


def _tests_of(path: Path, root: Path) -> Iterator[tuple[str, Proof]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            test = Proof(path.relative_to(root).as_posix(), node.name)
            yield from ((id_, test) for id_ in find_ids(node.name, ast.get_docstring(node) or ""))


def gather(rules: dict[str, Rule], tests: Iterator[tuple[str, Proof]]) -> list[str]:
    """Give each rule its tests; returns what is wrong, a sentence each."""
    wrong = []
    for id_, test in tests:
        if id_ in rules:
            rules[id_].tests.append(test)
        else:
            wrong.append(f"{test.path}: {test.name} names {id_}, which is no rule")
    for rule in rules.values():
        rule.tests.sort()
        if rule.tests and rule.missing:
            wrong.append(f"{rule.id} is said to lack a test, but {rule.tests[0].name} names it")
        if not rule.tests and not rule.missing:
            wrong.append(f"{rule.id} has no test: {rule.statement}")
    return wrong


def write(rules: dict[str, Rule]) -> str:
    """The text of docs/rules.md."""
    sections = dict.fromkeys(rule.section for rule in rules.values())
    parts = [HEAD]
    for section in sections:
        rows = [rule for rule in rules.values() if rule.section == section]
        parts.append(f"## {section}\n\n| id | rule | tests |\n|---|---|---|")
        parts += [f"| {rule.id} | {rule.statement} | {_number(rule)} |" for rule in rows]
        parts.append("")
    parts.append("# Every test by rule\n")
    for rule in rules.values():
        if rule.tests:
            parts += [f"## {rule.id}\n", *_list(rule.tests), ""]
    return "\n".join(parts)


def _number(rule: Rule) -> str:
    if not rule.tests:
        return f"**none**: {rule.missing or rule.partly or 'not tested'}"
    number = f"[{len(rule.tests)}](#{rule.id.lower()})"
    return f"{number}; **partly**: {rule.partly}" if rule.partly else number


def _list(tests: Sequence[Proof]) -> Iterator[str]:
    for path in dict.fromkeys(test.path for test in tests):
        yield f"* [{path}](../{path})"
        yield from (f"  * {_shown(test)}" for test in tests if test.path == path)


def _shown(test: Proof) -> str:
    return f"`{test.name}`" if test.path.endswith(".py") else test.name


def main(check: bool) -> int:
    """Write the table, or compare it; 1 if anything is wrong."""
    rules = read_rules()
    wrong = gather(rules, find_tests())
    text = write(rules)
    if not check:
        TABLE.write_text(text, encoding="utf-8")
    elif not TABLE.exists() or TABLE.read_text(encoding="utf-8") != text:
        wrong.append("docs/rules.md is not up to date: run `make rules`")
    sys.stderr.writelines(f"{sentence}\n" for sentence in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
