"""`make audit`: what its answer means, above all when there is none."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parent.parent / ".ci" / "audit.py"


@pytest.fixture(scope="module")
def judge():
    spec = importlib.util.spec_from_file_location("audit", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.judge


def fine(name):
    return {"name": name, "version": "1.0", "vulns": []}


def weak(name, *fixed):
    return {"name": name, "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": list(fixed)}]}


def unknown(name):
    return {"name": name, "skip_reason": "not found"}


def answer(*dependencies):
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_a_known_weakness_fails(judge):
    """With the package, the weakness, and the version in which it is mended."""
    text, code = judge(answer(fine("a"), weak("b", "1.1"), weak("c")), "")
    assert code == 1
    assert "b 1.0: PYSEC-1, mended in 1.1" in text
    assert "c 1.0: PYSEC-1, not mended yet" in text


def test_a_known_weakness_fails_even_where_others_are_unknown(judge):
    """What was asked counts."""
    text, code = judge(answer(unknown("a"), weak("b")), "")
    assert (code, "not audited: 1 of 2" in text) == (1, True)


def test_no_known_weakness_passes(judge):
    """How many were asked about is said."""
    assert judge(answer(fine("a"), fine("b")), "") == ("audited: 2 packages, no known weakness", 0)


def test_what_the_service_does_not_know_is_not_called_audited(judge):
    """As on a machine whose service is a mirror without advisories: pip-audit itself would find no fault."""
    text, code = judge(answer(*(unknown(f"p{number}") for number in range(7))), "No known vulnerabilities found")
    assert (code, "audited: 7 packages" in text) == (0, False)
    assert text.startswith("not audited: 7 of 7 packages, which the service does not know: p0, p1, p2, p3, p4 …")


@pytest.mark.parametrize("told", ["", "<html>", "[]", "{}", "null"])
def test_a_service_out_of_reach_is_said_and_passes(judge, told):
    """It says nothing about a change."""
    text, code = judge(told, "…\nConnectionError: no route to host\n")
    assert (text, code) == (
        "not audited: the advisory service cannot be asked (ConnectionError: no route to host)",
        0,
    )


def test_an_empty_lock_is_not_audited(judge):
    """Nothing asked, nothing known."""
    assert judge(answer(), "") == ("not audited: the lock names no package", 0)
