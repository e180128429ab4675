"""The `scope:` of a mapping file: what it says, and what is wrong with it (A8)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from core.examples import HS, SF

from connector.core.scope import Condition, Question, Scope
from connector.errors import BadConfiguration
from connector.mapping.files import MappingSettings, load_pairs

SETTINGS = MappingSettings(ZoneInfo("Europe/Berlin"), {}, "sf_record_id", "HubSpot_Id__c")
HEAD = "pair: opportunity-deal\ncreate_in: [hubspot]\nfields: [{salesforce: Name, hubspot: dealname}]\nscope:\n"


@pytest.fixture
def load(tmp_path):
    """The pair of a mapping file with this scope."""

    def load(scope):
        path = tmp_path / "deals.yaml"
        path.write_text(HEAD + scope)
        return load_pairs([path], SETTINGS)["opportunity-deal"]

    return load


def test_A8_a_list_is_all_of_it_and_groups_nest(load):
    """Both sides have filters of their own."""
    scope = load(
        "  salesforce:\n"
        "    - {field: Type, is_not: Partner}\n"
        "    - any:\n"
        "        - {field: Amount, at_least: 10000}\n"
        "        - {field: StageName, in: [Closed Won, 7]}\n"
        "  hubspot:\n"
        "    any:\n"
        "      - {field: region, filled: true}\n"
    ).scope
    assert scope[SF] == Scope(
        (
            Condition("Type", Question.IS_NOT, ("Partner",), SETTINGS.time_zone),
            Scope(
                (
                    Condition("Amount", Question.AT_LEAST, (Decimal(10000),), SETTINGS.time_zone),
                    Condition("StageName", Question.IN, ("Closed Won", Decimal(7)), SETTINGS.time_zone),
                ),
                every=False,
            ),
        )
    )
    assert scope[HS] == Scope((Condition("region", Question.FILLED, (), SETTINGS.time_zone),), every=False)
    assert [Path(one.place[0]).name for one in scope[SF].conditions()] == ["deals.yaml"] * 3
    assert [one.place[1] for one in scope[SF].conditions()] == [6, 8, 9]
    assert [one.place[1] for one in scope[HS].conditions()] == [12]


def test_A8_a_single_condition_needs_no_list(load):
    """And without a scope everything is in it."""
    assert load("  hubspot: {field: region, is: EMEA}\n").scope[HS].fields == ("region",)
    assert load("  {}\n").scope == {}


@pytest.mark.parametrize(
    ("asked", "question", "bounds"),
    [
        ("is: Partner", Question.IS, ("Partner",)),
        ("is: true", Question.IS, (True,)),
        ("is: '7'", Question.IS, ("7",)),
        ("is: 1.10", Question.IS, (Decimal("1.1"),)),
        ("is: ''", Question.IS, ("",)),
        ("is_not: 2026-06-30", Question.IS_NOT, (date(2026, 6, 30),)),
        ("not_in: [a, b]", Question.NOT_IN, ("a", "b")),
        ("contains: acme", Question.CONTAINS, ("acme",)),
        ("at_least: 0", Question.AT_LEAST, (Decimal(0),)),
        ("at_most: 2026-06-30T12:00:00Z", Question.AT_MOST, (datetime(2026, 6, 30, 12, tzinfo=UTC),)),
        ("at_most: 2026-06-30T12:00:00", Question.AT_MOST, (datetime(2026, 6, 30, 12, tzinfo=UTC),)),
        ("filled: true", Question.FILLED, ()),
        ("filled: false", Question.BLANK, ()),
        ("blank: true", Question.BLANK, ()),
        ("blank: false", Question.FILLED, ()),
    ],
)
def test_A8_each_question_is_read_as_it_is_written(load, asked, question, bounds):
    """Quotes make text; numbers, dates and true or false are what they look like."""
    (condition,) = load(f"  salesforce: {{field: F, {asked}}}\n").scope[SF].conditions()
    assert (condition.question, condition.bounds) == (question, bounds)
    assert [type(one) for one in condition.bounds] in (
        [type(one) for one in bounds],
        [*map(type, condition.bounds)],
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{field: Type}", "a condition is a `field` and one of is, is_not"),
        ("{is: Partner}", "a condition is a `field` and one of"),
        ("{field: Type, is: A, is_not: B}", "a condition is a `field` and one of"),
        ("{field: Type, all: [{field: A, filled: true}]}", "a condition is a `field` and one of"),
        ("{all: [{field: A, filled: true}], any: [{field: A, filled: true}]}", "or it is a list under `all`"),
        ("{field: '', is: A}", "should have at least 1 character"),
        ("{field: A, in: B}", "should be a list"),
        ("{field: A, in: []}", "should not be empty"),
        ("{field: A, in: [[x]]}", "should be text, a number, a date, or true or false"),
        ("{field: A, is: [x]}", "should be text, a number, a date, or true or false"),
        ("{field: A, is: .inf}", "a number that is finite"),
        ("{field: A, contains: 3}", "should be text"),
        ("{field: A, at_least: '10'}", "a number or a date (2026-01-31), without quotes"),
        ("{field: A, at_most: true}", "a number or a date"),
        ("{field: A, filled: perhaps}", "should be true or false"),
        ("{field: A, equals: 3}", "is not a known key"),
        ("Type = 'Partner'", "should be a group of `key: value`"),
        ("{any: []}", "should not be empty"),
    ],
)
def test_A8_F3_a_wrong_condition_is_found_on_its_line(load, entry, message):
    """No expressions, no guesses."""
    with pytest.raises(BadConfiguration) as caught:
        load(f"  salesforce:\n    - {{field: Name, filled: true}}\n    - {entry}\n")
    assert any(one.line == 7 and message in one.message for one in caught.value.findings), caught.value.findings


def test_A8_F3_a_side_that_does_not_exist_is_found(load):
    """With a suggestion."""
    with pytest.raises(BadConfiguration) as caught:
        load("  hubspott: {field: A, filled: true}\n")
    (finding,) = caught.value.findings
    assert (finding.line, finding.remedy) == (5, "did you mean `hubspot`?")
