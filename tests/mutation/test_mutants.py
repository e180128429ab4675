"""The mutants of the core: that there are such, and that every survivor that is explained is one of them."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest
from mutation.mutants import find_modules, find_mutants
from mutation.survivors import read_survivors, write_entry
from mutation.variations import ARITHMETIC, OPPOSITE


def mutants_of(tmp_path, text):
    path = tmp_path / "module.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return find_mutants([path])


def variants(tmp_path, line):
    """What is tried in the place of one line in a function."""
    return [one.now for one in mutants_of(tmp_path, f"def f(a, b, c):\n    {line}\n") if one.scope == "f"]


@pytest.mark.parametrize(
    ("line", "now"),
    [
        ("return a < b", ["return a <= b", "return a >= b"]),
        ("return a is None", ["return a is not None"]),
        ("return a and b", ["return a or b", "return b", "return a"]),
        ("return not a", ["return a"]),
        ("return a - 1", ["return None", "return a + 1", "return a", "return 1", "return a - 2"]),
        ("return 'one'", ["return 'XXone'"]),
        ("return 'x'", ["return 'XX'"]),
        ("return f'{a} of b'", ["return None", "return f' of b'", "return f'{a}XX of b'"]),
        ("return a if b else c", ["return None", "return a", "return c"]),
        ("return (a, b)", ["return None", "return (b,)", "return (a,)"]),
        ("return {a: 1}", ["return None", "return {}", "return {a: 2}"]),
        ("return min(a, key=b)", ["return None", "return min(a)", "return max(a, key=b)"]),
        ("return a.strip()", ["return None", "return a"]),
        ("return SF", ["return None", "return HS"]),
        ("return a.other", ["return None", "return a"]),
        ("return [x for x in a if x]", ["return None", "return [x for x in a]"]),
        ("return zip(a, b, strict=True)", ["return None"]),
        ("a.append(b)", ["pass"]),
        ("a[b] = c", ["pass"]),
        ("a = b", ["pass"]),
        ("d = b", []),
        ("d: int = None", ["d: int = 'XX'"]),
        ("'What it is for.'", []),
    ],
)
def test_what_is_tried_instead_of_one_line(tmp_path, line, now):
    """Each the smallest step from what is there; nothing where no program could tell."""
    assert variants(tmp_path, line) == now


def test_what_is_tried_instead_of_statements(tmp_path):
    """Branches, loops, cases."""
    text = """
        def f(a, b):
            for x in a:
                if b:
                    continue
                match x:
                    case 1 | 2 if b:
                        break
                    case _:
                        b()
    """
    found = Counter(one.now for one in mutants_of(tmp_path, text))
    assert {"for x in ()", "if True:", "if False:", "break", "continue", "pass"} <= found.keys()
    assert {"match x: case _:", "match x: case 1 | 2 if b:"} <= found.keys()
    assert found["pass"] == 3


def test_what_importing_carries_out_is_told_from_what_a_function_does(tmp_path):
    """Constants, defaults and decorators need a new import; the names of types are no program."""
    text = """
        Name = dict[str, int]
        LIMIT = 1
        class Kind(StrEnum):
            ONE = "one"
            TWO = "two"
        @dataclass(frozen=True)
        class Thing:
            size: int = 2
            @property
            def large(self) -> bool:
                return self.size > LIMIT
        def choose(kind=Kind.ONE):
            return kind
    """
    found = mutants_of(tmp_path, text)
    imported = [(one.scope, one.now) for one in found if one.function is None]
    assert imported == [
        ("", "LIMIT = 2"),
        ("Kind", "ONE = 'XXone'"),
        ("Kind", "TWO = 'XXtwo'"),
        ("Thing", "size: int = 3"),
        ("Thing", "large(self)"),
        ("Thing", "@dataclass() Thing"),
        ("", "choose(kind=Kind.TWO)"),
    ]
    assert {one.function for one in found if one.function} == {"Thing.large", "choose"}


def test_a_mutant_compiles_and_leaves_the_module_as_it_was(tmp_path):
    """One change at a time."""
    first, second = mutants_of(tmp_path, "A = 1\nB = 2\n")
    for mutant, values in ((first, (2, 2)), (second, (1, 3)), (first, (2, 2))):
        names = {}
        exec(mutant.compile(), names)  # two constants, written above
        assert (names["A"], names["B"]) == values


def test_all_comparisons_have_an_opposite():
    """A new operator of the language would be found here."""
    assert set(OPPOSITE) == set(ast.cmpop.__subclasses__())
    assert set(ARITHMETIC) <= set(ast.operator.__subclasses__())


TRIALS = """
from mutation import trial

def go_on():
    while True:
        pass

trial.AT_LEAST = 1
for work in (lambda: None, lambda: "test_this", go_on):
    print(trial.try_one(None, 0, work))
try:
    trial.try_one(None, 0, lambda: 1 / 0)
except RuntimeError as error:
    print(error)
"""


def test_a_trial_ends_in_one_of_three_ways_or_is_no_trial():
    """Nothing fails, a test fails, or it goes on for too long; a trial that breaks down is not counted at all."""
    path = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", TRIALS],
        cwd=path,
        env=os.environ | {"PYTHONPATH": str(path)},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().splitlines() == [
        "Trial(mutant=None, outcome=<Outcome.SURVIVED: 'survived'>, test='')",
        "Trial(mutant=None, outcome=<Outcome.KILLED: 'killed'>, test='test_this')",
        "Trial(mutant=None, outcome=<Outcome.TIMED_OUT: 'timed out'>, test='')",
        """the trial of None broke down: status 0, {'broken': "ZeroDivisionError('division by zero')"}""",
    ]


def test_every_survivor_is_a_mutant_that_there_is_and_has_a_reason():
    """Where the code changed so that one is gone, its entry goes too; `make mutants` says whether it survives."""
    mutants = find_mutants(find_modules())
    assert [one for one in mutants if one.was == one.now] == []
    keys = {one.key for one in mutants}
    explained = read_survivors()
    assert [key for key in explained if key not in keys] == []
    assert [key for key, reason in explained.items() if len(reason.split()) < 3] == []
    assert len(explained) < len(keys) / 20


def test_an_entry_is_written_as_it_is_read(tmp_path):
    """With quotes of either kind in it."""
    mutants = mutants_of(tmp_path, """A = ["it's", '"so"']\nB = "it's"\nB = "it's"\n""")
    path = tmp_path / "survivors.toml"
    path.write_text(
        "\n".join(write_entry(one).replace('= ""', '= "a good reason"') for one in mutants), encoding="utf-8"
    )
    assert list(read_survivors(path)) == [one.key for one in mutants]
    assert set(read_survivors(path).values()) == {"a good reason"}


def test_what_is_listed_twice_is_refused(tmp_path):
    """One of the two reasons would be lost."""
    (mutant,) = mutants_of(tmp_path, "A = 1\n")
    path = tmp_path / "survivors.toml"
    path.write_text(write_entry(mutant) * 2, encoding="utf-8")
    with pytest.raises(AssertionError, match="listed twice"):
        read_survivors(path)
