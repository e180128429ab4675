"""`docs/reference/rights.md` against what is asked for: by `check`, and by the calls that are really made."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path

import pytest
from engine.lab import Lab

from connector.adapters.salesforce import RIGHTS
from connector.core.model import Side
from connector.engine.audit import AuditWish, audit
from connector.engine.check import State, check
from connector.engine.checks.hubspot import needed_scopes
from connector.engine.setup import plan_setup, set_up
from connector.sandbox.hubspot import HubSpotSandbox
from connector.settings import load_mapping, load_settings

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "reference" / "rights.md").read_text(encoding="utf-8")
SCOPES = dict(re.findall(r"^\| `(crm\.[a-z.]+)` \| ([a-z, ]+) \|", PAGE, re.MULTILINE))
PAIRS = load_mapping(load_settings({}, Path("nowhere")), Path("nowhere")).values()


def scopes_to(act):
    return {scope for scope, acts in SCOPES.items() if act in acts.split(", ")}


@contextmanager
def asked_for(lab, monkeypatch):
    """The scopes that HubSpot asks of the connector's calls, which has those of the page alone."""
    asked = set()
    before = HubSpotSandbox._admit

    def admit(self, who, bucket, scopes):
        asked.update(scopes)
        return before(self, who, bucket, scopes)

    with monkeypatch.context() as patched:
        patched.setattr(HubSpotSandbox, "_admit", admit)
        yield asked


def test_check_asks_for_the_scopes_of_the_page():
    """All of them, and no others, to look and to write."""
    assert scopes_to("look") == set(needed_scopes(PAIRS, writes=False))
    assert scopes_to("write") == set(needed_scopes(PAIRS)) == set(SCOPES)


def test_the_first_steps_name_the_same_scopes():
    """Who only reads how to connect gives neither more nor fewer."""
    text = (DOCS / "start" / "connect.md").read_text(encoding="utf-8")
    assert set(re.findall(r"crm\.(?:objects|schemas)\.\w+\.\w+", text)) == set(SCOPES)


def test_to_look_takes_every_scope_of_looking_and_no_other(monkeypatch):
    """By the calls that a check, a plan and an audit make."""
    lab = Lab()
    lab.business(Amount=5)
    lab.hs_create("companies", name="Theirs")
    lab.sync_until_rest()
    lab.sandbox_post("hubspot", "scopes", sorted(scopes_to("look")), "PUT")
    lab.configure(MODE="read_only")
    with asked_for(lab, monkeypatch) as asked:
        assert [one for one in check(lab.connection()) if one.state is not State.OK] == []
        lab.plan()
        audit(lab.connection(), AuditWish(everything=True), lambda *_: None)
    assert asked == scopes_to("look")


def test_to_write_takes_every_scope_and_no_other(monkeypatch):
    """By the calls of a set-up, of first and later syncs either way, and of what is removed."""
    lab = Lab()
    account, contact, opportunity = lab.business(Amount=5)
    lab.sandbox_post("hubspot", "scopes", sorted(scopes_to("write")), "PUT")
    with asked_for(lab, monkeypatch) as asked:
        c = lab.connection()
        steps = set_up(c, plan_setup(c), lambda _: None)
        assert {one.state for one in steps} == {"made"}
        assert lab.sync().problems == 0
        lab.sf_edit("Account", account, Name="Acme & Sons")
        lab.sf_edit("Contact", contact, LastName="Foxy")
        lab.sf_delete("Opportunity", opportunity)
        report = lab.sync()
        assert (report.deleted[Side.HUBSPOT]["deals"], report.problems) == (1, 0)
    assert asked == set(SCOPES)


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_check_names_each_scope_that_is_missing(scope, monkeypatch):
    """One after the other."""
    from connector.engine.checks import hubspot

    held = frozenset(SCOPES) - {scope}
    connection = type("C", (), {})()
    connection.pairs = {pair.name: pair for pair in PAIRS}
    connection.settings = load_settings({}, Path("nowhere"))
    connection.hubspot = type("H", (), {"scopes": lambda _: held})()
    (found,) = hubspot._check_scopes(connection)
    assert (found.state, found.detail) == (State.PROBLEM, f"the token lacks {scope}")


def test_the_permissions_of_salesforce_are_those_that_are_asked_about():
    """The page names each permission that the connector looks at, by its name in the API, and no other."""
    assert set(re.findall(r"Permissions[A-Z]\w+", PAGE)) == set(RIGHTS)
