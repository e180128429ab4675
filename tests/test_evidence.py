"""Every rule has a test that names it, and docs/rules.md says which."""

from __future__ import annotations

import pytest
from evidence import TABLE, Proof, Rule, find_ids, find_tests, gather, read_rules, write


def rules(**given):
    return {id_: Rule(id_, "Section", "A promise.", missing) for id_, missing in given.items()}


def proof(id_="D1"):
    return id_, Proof("tests/test_some.py", f"test_{id_}_holds")


def test_no_rule_is_without_evidence_and_the_table_is_up_to_date():
    """`make rules` writes it anew."""
    found = read_rules()
    assert gather(found, find_tests()) == []
    assert TABLE.read_text(encoding="utf-8") == write(found), "run `make rules`"


def test_the_rules_of_all_sections_are_there():
    """They are numbered without a gap."""
    numbers = {}
    for id_ in read_rules():
        numbers.setdefault(id_[0], []).append(int(id_[1:]))
    assert {letter: max(each) for letter, each in numbers.items()} == {
        "P": 4, "T": 7, "O": 11, "R": 6, "A": 8, "D": 9, "L": 11, "U": 10, "F": 7, "E": 4, "I": 5, "X": 4, "G": 3,
    }  # fmt: skip
    assert all(each == list(range(1, max(each) + 1)) for each in numbers.values())


@pytest.mark.parametrize(
    ("name", "docstring", "ids"),
    [
        ("test_R3_removed", "", {"R3"}),
        ("test_U3_U4_recent", "", {"U3", "U4"}),
        ("test_U1_to_U5_all", "", {"U1", "U2", "U3", "U4", "U5"}),
        ("test_L7_with_L5_too", "", {"L7"}),
        ("test_A1", "", {"A1"}),
        ("test_about_R3", "", set()),
        ("test_it", "What is due (O9), and waits (R5: several count once).", {"O9", "R5"}),
        ("test_it", "Never back (L1-L3, L8; T7).", {"L1", "L2", "L3", "L8", "T7"}),
        ("test_it", "As D1 says, Z4 (Z4, B2B, UTF8, A4s) does not.", set()),
    ],
)
def test_ids_are_found_at_the_beginning_of_names_and_in_parentheses(name, docstring, ids):
    """And nowhere else."""
    assert find_ids(name, docstring) == ids


@pytest.mark.parametrize(
    ("known", "tests", "wrong"),
    [
        (rules(D1=""), [proof()], []),
        (rules(D1=""), [], ["D1 has no test: A promise."]),
        (rules(D1="no room"), [], []),
        (rules(D1="no room"), [proof()], ["D1 is said to lack a test, but test_D1_holds names it"]),
        (rules(D1=""), [proof(), proof("D77")], ["tests/test_some.py: test_D77_holds names D77, which is no rule"]),
    ],
)
def test_what_is_wrong_is_told(known, tests, wrong):
    """A rule without a test, a reason that holds no longer, a test of a rule that there is not."""
    assert gather(known, iter(tests)) == wrong


def test_the_table_shows_tests_reasons_and_what_lacks():
    """A number that leads to the tests; the reason where there is none."""
    known = rules(D1="", D2="no room") | {"D3": Rule("D3", "Section", "Another.", partly="only half")}
    gather(known, iter([proof(), proof("D3")]))
    text = write(known)
    assert "| D1 | A promise. | [1](#d1) |" in text
    assert "| D2 | A promise. | **none**: no room |" in text
    assert "| D3 | Another. | [1](#d3); **partly**: only half |" in text
    assert "* [tests/test_some.py](../tests/test_some.py)\n  * `test_D1_holds`" in text
