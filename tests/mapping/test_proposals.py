"""What could be mapped, and what speaks for it: proposals that can be pasted as they are (F5)."""

from __future__ import annotations

import pytest
from core.examples import HS, SF
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping.facts import DEALS, HEAD, OPPORTUNITY, UTC_ZONE, facts, formula
from ruamel.yaml import YAML

from connector.core.model import Rule
from connector.mapping.checks import Seen
from connector.mapping.documents import Source
from connector.mapping.files import MappingSettings, read_mapping
from connector.mapping.proposals import _scalar, choose_best, propose

SETTINGS = MappingSettings(UTC_ZONE, {}, "sf_record_id", "HubSpot_Id__c")


def pair_of(text=HEAD):
    read = read_mapping([Source("deals.yaml", text.encode())], SETTINGS)
    assert read.findings == ()
    return read.pairs["opportunity-deal"]


def proposals(here, there, taken=()):
    """The best proposals for fields given as facts, beside those that are mapped already."""
    known = {one.name: one for one in here}, {one.name: one for one in there}
    return choose_best(propose(pair_of(), *known, UTC_ZONE, taken))


@pytest.mark.parametrize(
    ("here", "there", "transform"),
    [
        (facts("Next_Step__c", "string"), facts("hs_next_step", "string"), "text"),
        (facts("X1__c", "currency", label="Net value"), facts("y1", "number", label="Net Value"), "number"),
        (facts("NumberOfSeats__c", "int"), facts("numberofseats", "number"), "number"),
        (facts("Signed__c", "date"), facts("signed", "date"), "day"),
        (facts("Signed__c", "date"), facts("signed", "datetime"), "date"),
        (facts("Signed__c", "datetime"), facts("signed", "datetime"), "datetime"),
        (facts("Fax", "phone"), facts("fax", "string"), "phone"),
        (facts("Link__c", "url"), facts("link", "string"), "url"),
        (facts("Mail__c", "email"), facts("mail", "string"), "email"),
        (facts("Vip__c", "boolean"), facts("vip", "bool"), "boolean"),
        (facts("Tags__c", "multipicklist"), facts("tags", "enumeration", entered_as="checkbox"), "multi_picklist"),
    ],
)
def test_fields_that_are_alike_are_proposed_with_what_carries_them(here, there, transform):
    """By name or by label, in whatever spelling; the types choose the transform."""
    (one,) = proposals([here], [there])
    assert (one.salesforce.name, one.hubspot.name, one.transform) == (here.name, there.name, transform)
    assert one.score > 0.8


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (facts("Site", "string"), facts("website", "string")),  # letters alike, words not
        (facts("Vip__c", "boolean"), facts("vip", "number")),  # nothing carries between them
        (facts("ParentId", "reference"), facts("parent", "string")),  # nobody knows what it refers to
        (facts("Locked__c", "string", updateable=False), facts("locked", "string")),  # a system field
        (facts("Score__c", "double"), facts("score", "number", updateable=False)),
        (facts("Name", "string"), facts("name", "string")),  # mapped already
        (facts("Deal_Name__c", "string"), facts("dealname", "string")),
        (facts("Total__c", "double"), facts("total", "number", label="theirs")),  # written by the connector
        (facts("!", "string"), facts("?", "string")),
    ],
)
def test_what_nobody_could_use_is_not_proposed(here, there):
    """What is mapped, unwritable, of no use, or only looks alike."""
    assert proposals([here], [there], taken={"total"}) == []


def test_a_formula_is_proposed_one_way():
    """It can be read, and never written."""
    (one,) = proposals([formula("Margin__c", "percent")], [facts("margin", "number")])
    assert one.rule is Rule.ALWAYS_SALESFORCE
    assert (
        one.as_yaml() == "  - {salesforce: Margin__c, hubspot: margin, transform: number, rule: always_salesforce}"
    )


def test_each_field_is_proposed_once_with_its_best_partner():
    """The same name before one like it."""
    found = proposals(
        [facts("Region__c", "string"), facts("Regions__c", "string")],
        [facts("region", "string"), facts("regions", "string")],
    )
    assert [(one.salesforce.name, one.hubspot.name) for one in found] == [
        ("Region__c", "region"),
        ("Regions__c", "regions"),
    ]


def test_options_are_matched_by_value_and_by_label():
    """What has no counterpart is left out, and said to be."""
    here = facts("Kind__c", "picklist", options=("New Business", "Renewal: old", "yes", "Odd"))
    options = (("new_business", "New business"), ("ren", "renewal - OLD"), ("yes", "Yes"))
    (one,) = proposals([here], [facts("kind", "enumeration", entered_as="select", options=options, closed=True)])
    assert one.values == {"New Business": "new_business", "Renewal: old": "ren", "yes": "yes"}
    assert (one.matched, one.options) == (3, 4)
    assert one.as_yaml() == (
        "  - salesforce: Kind__c\n    hubspot: kind\n    transform: picklist\n    otherwise: skip_field\n"
        "    values:\n      New Business: new_business\n      'Renewal: old': ren\n      'yes': 'yes'"
    )
    read = read_mapping([Source("deals.yaml", f"{HEAD}{one.as_yaml()}\n".encode())], SETTINGS)
    assert read.findings == ()
    assert read.pairs["opportunity-deal"].fields[-1].transform.to_hubspot == one.values


def test_equal_options_need_no_map():
    """Every value stands for itself."""
    (one,) = proposals(
        [facts("Kind__c", "picklist", options=("a", "b"))], [facts("kind", "enumeration", options=("a", "b"))]
    )
    assert one.as_yaml() == "  - {salesforce: Kind__c, hubspot: kind, transform: picklist}"


def test_evidence_moves_the_score():
    """Records that agree speak for it, those that do not against it; what nobody fills is not proposed."""
    (one,) = proposals([facts("Region__c", "string")], [facts("region", "string")])
    filled, blank = Seen(10, 9), Seen(10, 0)
    for_it = one.with_evidence({SF: filled, HS: filled}, 9, 9)
    against = one.with_evidence({SF: filled, HS: filled}, 0, 9)
    half = one.with_evidence({SF: filled, HS: blank}, 0, 0)
    assert for_it.score > half.score > against.score
    assert choose_best([against, for_it])[0] is for_it
    assert choose_best([one.with_evidence({SF: blank, HS: blank}, 0, 0)]) == []


def test_the_examples_propose_nothing_that_is_mapped():
    """Whatever is mapped stays out of every proposal."""
    mapped = {name for rule in pair_of().fields for name in (*rule.salesforce, *rule.hubspot)}
    found = propose(pair_of(), OPPORTUNITY, DEALS, UTC_ZONE)
    assert found
    assert all({one.salesforce.name, one.hubspot.name}.isdisjoint(mapped) for one in found)


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12))
def test_any_value_can_be_pasted(text):
    """YAML reads it as the text it is."""
    assert YAML(typ="safe").load(f"{_scalar(text)}: {_scalar(text)}") == {text: text}
