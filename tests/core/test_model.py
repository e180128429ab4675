"""The words of the program as types: what they are called in files and tables, and that nobody can change them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import MISSING, FrozenInstanceError, fields, is_dataclass, replace
from datetime import UTC
from enum import Enum

import pytest
from core.examples import HS, SF, link, pair, record, rule

import connector.core
from connector.core.lifecycle import Status
from connector.core.merge import Evidence
from connector.core.model import (
    Base,
    ContactRole,
    Fitting,
    LinkState,
    MatchKey,
    OnTargetEdit,
    Presence,
    ProblemClass,
    RoleRules,
    Rule,
    Side,
)
from connector.core.scope import Question

MODULES = [
    importlib.import_module(f"connector.core.{one.name}") for one in pkgutil.iter_modules(connector.core.__path__)
]
TYPES = sorted(
    {
        one
        for module in MODULES
        for _, one in inspect.getmembers(module, is_dataclass)
        if one.__module__ == module.__name__
    },
    key=lambda one: (one.__module__, one.__name__),
)


@pytest.mark.parametrize("one", TYPES, ids=lambda one: one.__name__)
def test_what_the_core_hands_out_is_its_fields_and_nothing_else(one):
    """A misspelt attribute is an error, and there are many of them at a time: none carries a dictionary."""
    assert "__slots__" in vars(one)
    assert not hasattr(one.__new__(one), "__dict__")


@pytest.mark.parametrize(
    "one", [one for one in TYPES if not one.__name__.startswith("_")], ids=lambda one: one.__name__
)
def test_what_the_core_hands_out_stays_as_it_is(one):
    """A plan that was shown, guarded and agreed to is the plan that is carried out."""
    made = one.__new__(one)
    for name in [field.name for field in fields(one)] or ["anything"]:
        with pytest.raises((FrozenInstanceError, TypeError)):
            setattr(made, name, None)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (Side, ["salesforce", "hubspot"]),
        (Presence, ["present", "deleted", "merged", "invisible"]),
        (LinkState, ["pending", "linked", "frozen", "severed", "unlinked", "closed"]),
        (
            Rule,
            [
                "prefer_salesforce_unless_blank",
                "always_salesforce",
                "two_way",
                "dont_sync",
                "always_hubspot",
                "hold",
            ],
        ),
        (OnTargetEdit, ["restore", "leave"]),
        (
            ProblemClass,
            [
                "associations",
                "custom code",
                "duplicates",
                "permissions",
                "property values",
                "field mapping",
                "API limit",
                "connection",
            ],
        ),
        (Evidence, ["the property's history", "the field's history", "the record's last change", "an undo"]),
        (Status, ["open", "won", "lost"]),
        (Question, ["is", "is_not", "in", "not_in", "contains", "at_least", "at_most", "filled", "blank"]),
    ],
)
def test_E1_F_the_words_of_files_and_tables_are_a_promise(words: type[Enum], values):
    """A store that was written before, and a mapping file, have to be read as they were meant."""
    assert [one.value for one in words] == values


SAID_ANYWAY = {
    "Record.presence": Presence.PRESENT,
    "FieldRule.on_target_edit": OnTargetEdit.RESTORE,
    "FieldRule.place": ("", 0),
    "RoleBack.needed": True,
    "Adopt.key": "id",
    "Adoption.key": "id",
    "RoleRules.creates_labels": True,
    "Severance.born": Side.SALESFORCE,
    "Candidate.in_scope": True,
    "Scope.every": True,
    "Condition.zone": UTC,
    "Condition.place": ("", 0),
    "DealEvent.has_roles": True,
    "LifecycleSettings.deal_created": "opportunity",
    "LifecycleSettings.deal_won": "customer",
    "LifecycleSettings.role_open": "opportunity",
    "LifecycleSettings.role_won": "customer",
    "DeletionLimit.records": 10,
    "DeletionLimit.percent": 5.0,
    "PipelineSettings.label": "Salesforce - {record_type.id}",
    "PipelineSettings.limit": 15,
    "PipelineSettings.probability_decimals": 2,
}


@pytest.mark.parametrize("one", TYPES, ids=lambda one: one.__name__)
def test_what_nobody_says_is_blank_empty_or_off(one):
    """But for the defaults that the rules name (D7, O2, O3, L2, L3, L7, F6)."""
    for each in fields(one):
        name = f"{one.__name__}.{each.name}"
        default = each.default if each.default_factory is MISSING else each.default_factory()
        if name in SAID_ANYWAY:
            assert default == SAID_ANYWAY[name]
        elif default is not MISSING:
            assert not default, name


def test_R4_a_contact_role_has_no_name_and_is_not_primary_unless_somebody_says_so():
    """As Salesforce makes them."""
    assert ContactRole("006A", "003A") == ContactRole("006A", "003A", None, primary=False)


def test_each_side_has_the_other():
    """And that one has the first."""
    assert (SF.other, HS.other) == (HS, SF)


def test_D6_only_what_is_present_is_present():
    """Deleted, merged and out of sight are three reasons not to be."""
    assert [one for one in Presence if record(SF, presence=one).present] == [Presence.PRESENT]


def test_a_base_knows_each_side_and_takes_over_what_another_one_knows():
    """Whichever side it is made from; what the other does not know stays."""
    assert Base.make(SF, {"a": 1}, {"b": 2}) == Base({"a": 1}, {"b": 2})
    assert Base.make(HS, {"b": 2}, {"a": 1}) == Base({"a": 1}, {"b": 2})
    merged = Base({"a": 1, "x": 0}, {"b": 2, "y": 0}).merged(Base({"a": 3}, {"b": 4}))
    assert merged == Base({"a": 3, "x": 0}, {"b": 4, "y": 0})


@pytest.mark.parametrize(("base", "says"), [(Base(), False), (Base({"a": 1}), True), (Base({}, {"b": None}), True)])
def test_a_base_that_knows_of_either_side_says_something(base, says):
    """That something was blank is worth knowing, too."""
    assert bool(base) is says


def test_links_rules_and_pairs_answer_by_side():
    """The id, the fields and the object of each."""
    assert [link("006A", "1").id_of(side) for side in (SF, HS)] == ["006A", "1"]
    assert [rule("A+B", "c").names(side) for side in (SF, HS)] == [("A", "B"), ("c",)]
    assert [pair().object(side) for side in (SF, HS)] == ["Opportunity", "deals"]


def test_a_rules_values_are_those_of_all_its_fields_or_unknown():
    """A stage without its pipeline says nothing; a blank one does."""
    stage = rule("RecordTypeId+StageName", "pipeline+dealstage")
    assert stage.values(HS, {"pipeline": "p", "dealstage": None}) == ("p", None)
    assert stage.values(HS, {"pipeline": "p"}) is None
    assert stage.values(SF, {"pipeline": "p", "dealstage": "s"}) is None


def test_a_rule_is_called_by_its_fields():
    """As a person knows them, on either side."""
    assert (
        rule("RecordTypeId+StageName", "pipeline+dealstage").label == "RecordTypeId+StageName ↔ pipeline+dealstage"
    )


class Shouting:
    """A transform that can say everything in two ways."""

    def meaning(self, side, values):
        return values

    def carry(self, to, values, known):
        return values

    def fit(self, to, values, onto, known):
        return (f"{values[0]} for {to} over {onto[0]}",)


def test_F5_only_a_transform_with_several_ways_to_say_a_thing_is_asked_for_one():
    """The others write what they carried."""
    assert isinstance(Shouting(), Fitting)
    assert rule(transform=Shouting()).fit(HS, ("a",), ("b",), None) == ("a for hubspot over b",)
    assert rule().fit(HS, ("a",), ("b",), None) == ("a",)


@pytest.mark.parametrize(
    ("primary", "labels"), [("Main", ("Main", "Decider", "User")), (None, ("Decider", "User"))]
)
def test_R4_every_label_is_there_once_the_primary_one_first(primary, labels):
    """In the order of the mapping file."""
    table = {"Decision Maker": "Decider", "User": "User", "Economic Buyer": "Decider"}
    assert RoleRules(Rule.TWO_WAY, table, primary).every_label == labels
    assert RoleRules(Rule.TWO_WAY, table).creates_labels


KEY = MatchKey("email", "A3", {SF: ("Email",), HS: ("email", "more")}, lambda value: (*str(value or "").split(),))
NAME = MatchKey("name", "A2", {SF: ("Name",), HS: ("name",)}, lambda value: (value,) if value else ())


def test_A3_a_match_key_reads_all_its_fields_and_each_value_once():
    """Further addresses are values as good as the first one; what is blank or was not observed is none."""
    seen = record(HS, "5", {"email": "b", "more": "a b"})
    assert KEY.values(seen) == (("email", "b"), ("email", "a"))
    assert KEY.values(record(HS, "5", {"email": None})) == ()
    mapped = pair(match_on=(KEY, NAME))
    assert mapped.match_values(named(seen)) == (("email", "b"), ("email", "a"), ("name", "Ann"))
    assert [mapped.match_fields(side) for side in (SF, HS)] == [("Email", "Name"), ("email", "more", "name")]


def named(seen):
    return record(HS, "5", {**seen.fields, "name": "Ann"})


def test_where_a_rule_was_read_is_no_part_of_it():
    """A line added above it in its file makes no other rule."""
    moved = replace(rule(), place=("mappings/deals.yaml", 12))
    assert moved == rule()
    assert repr(moved) == repr(rule())
