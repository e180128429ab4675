"""What a person selects in Salesforce: days, moments, and a condition that is one condition."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from connector.engine.imports.selection import Selection, select_records
from connector.errors import BadConfiguration

UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")


def findings(**given):
    with pytest.raises(BadConfiguration) as refused:
        select_records("opportunities", zone=UTC, **given)
    return [(one.where, one.message) for one in refused.value.findings]


def test_days_are_whole_days_of_the_time_zone():
    """Both days belong to the selection, from midnight to midnight where the owner of the sync lives."""
    selection = select_records("accounts", zone=BERLIN, since="2026-01-01", until="2026-03-31")
    assert selection.condition == "CreatedDate >= 2025-12-31T23:00:00Z AND CreatedDate < 2026-03-31T22:00:00Z"


def test_moments_are_moments_and_changes_can_be_asked_for():
    """A moment is taken as it is; by `modified` it is that of the last change."""
    selection = select_records("accounts", zone=BERLIN, since="2026-01-01T10:00:00+01:00", by="modified")
    assert selection.condition == "SystemModstamp >= 2026-01-01T09:00:00Z"


def test_a_condition_is_put_in_brackets():
    """An OR in it does not undo the dates."""
    selection = select_records("accounts", zone=UTC, where=" Type = 'A' OR Type = 'B' ", since="2026-01-01")
    assert selection.condition == "(Type = 'A' OR Type = 'B') AND CreatedDate >= 2026-01-01T00:00:00Z"


def test_what_is_stored_of_a_selection_gives_it_back():
    """The same command again is the same selection."""
    selection = select_records("contacts", zone=UTC, where="Email != null", limit=3)
    assert Selection.from_json(selection.as_json()) == selection
    assert not selection.is_all
    assert select_records("contacts", zone=UTC).is_all


def test_everything_wrong_is_told_at_once():
    """Each option by its name."""
    told = findings(since="31.01.2026", until="2026-13-01", limit=0, where="")
    assert [where for where, _ in told] == ["--since", "--until", "--limit", "--where"]


def test_the_end_is_after_the_beginning():
    """Else nothing could be meant."""
    assert findings(since="2026-02-01", until="2026-01-01") == [("--until", "2026-01-01 is not after 2026-02-01")]


@pytest.mark.parametrize("day", ["1026-01-01", "9999-12-31", "2026-02-30", "soon", ""])
def test_days_that_salesforce_does_not_know(day):
    """They are told before anything is asked."""
    assert [where for where, _ in findings(since=day)] == ["--since"]


@pytest.mark.parametrize(
    "condition",
    [
        "Name = 'O\\'Hara (x'",
        "Type IN ('A', 'B') AND (Amount > 5 OR Amount = null)",
        "Id IN (SELECT OpportunityId FROM OpportunityContactRole WHERE Role = 'x') AND Amount > 1",
        "Name LIKE 'LIMIT 5; ORDER BY%'",
        "CloseDate = LAST_N_DAYS:30",
        "Limit__c > 5 AND Order__c = 2",
        "Account.Name = 'Acme -- Ltd'",
    ],
)
def test_conditions_that_are_one(condition):
    """Whatever stands in quotes or in a semi-join is Salesforce's affair."""
    assert select_records("opportunities", zone=UTC, where=condition).where == condition


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("Name = 'x", "quote"),
        ("(Amount > 5", "brackets"),
        ("Amount > 5) OR (Amount < 3", "brackets"),
        ("Amount > 5 ORDER BY Id", "ORDER BY"),
        ("Amount > 5 LIMIT 3", "LIMIT"),
        ("(Amount > 5) limit\n3", "LIMIT"),
        ("Amount > 5 GROUP BY Name", "GROUP BY"),
        ("Amount > 5 ALL ROWS", "ALL ROWS"),
        ("Amount > 5 FOR UPDATE", "FOR"),
        ("WHERE Amount > 5", "WHERE"),
        ("SELECT Id FROM Opportunity", "SELECT"),
        ("Amount > 5; DELETE", "signs"),
        ('Name = "x"', "double quotes"),
    ],
)
def test_conditions_that_are_more_or_less_than_one(condition, said):
    """They are told in words, and nothing is asked of Salesforce."""
    assert any(where == "--where" and said in message for where, message in findings(where=condition))
