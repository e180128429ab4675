"""What mapping files say, as plain data: for those who show it, and for those who compare two of them."""

from __future__ import annotations

import json

import pytest
from core.examples import SF
from mapping.facts import HEAD, SCHEMAS, UTC_ZONE

from connector.errors import BadConfiguration
from connector.mapping.description import choose, describe_mapping
from connector.mapping.documents import Source
from connector.mapping.files import MappingSettings, read_mapping
from connector.mapping.schema import Kind, dump_schemas, load_schemas

SETTINGS = MappingSettings(UTC_ZONE, {}, "sf_record_id", "HubSpot_Id__c")


def describe(*texts):
    read = read_mapping([Source(f"{number}.yaml", text.encode()) for number, text in enumerate(texts)], SETTINGS)
    assert read.findings == ()
    return describe_mapping(read)


def test_what_is_as_it_is_by_default_is_not_repeated():
    """But rule and transform are always said, and where the entry stands."""
    (deals,) = describe(HEAD)
    close = deals.fields[1]
    assert (close.names, close.rule, close.transform) == (
        ("CloseDate", "closedate"), "prefer_salesforce_unless_blank", "date",
    )  # fmt: skip
    assert (close.more, close.default, close.line) == ({}, {}, 5)
    assert deals.fields[2].salesforce == "RecordTypeId+StageName"
    assert deals.match_on == ("id",)


def test_A8_a_scope_is_told_in_words():
    """Groups in brackets."""
    scope = (
        "scope:\n  salesforce:\n    - {field: Type, is_not: Partner}\n"
        "    - any: [{field: Amount, at_least: 10000}, {field: NextStep, filled: true}]\n"
    )
    (deals,) = describe(HEAD.replace("fields:", f"{scope}fields:"))
    assert deals.scope == {SF.value: "Type is_not Partner and (Amount at_least 10000 or NextStep filled)"}
    assert deals.settings()["scope of salesforce"] == deals.scope[SF.value]


def test_R4_the_names_of_roles_are_told_beside_the_pairs():
    """They have settings, and no fields."""
    deals, roles = describe("pair: contact-role\nlabels: {Evaluator: Tester}\n", HEAD)
    assert (deals.pair, roles.pair) == ("opportunity-deal", "contact-role")
    assert roles.settings()["labels"] == {"Evaluator": "Tester"}
    assert choose([deals, roles], "contact-role") == [roles]
    assert choose([deals, roles], "Opportunities") == [deals]
    assert choose([deals, roles], None) == [deals, roles]
    with pytest.raises(BadConfiguration):
        choose([deals], "leads")


def test_schemas_survive_being_remembered():
    """Through JSON and back; what another version noted besides is left out, what it did not is blank."""
    dumped = json.loads(json.dumps(dump_schemas(SCHEMAS)))
    assert load_schemas(dumped) == SCHEMAS
    field = dumped["salesforce"]["Opportunity"][0]
    field["colour"] = "red"
    del field["length"]
    (name,) = [one for one in load_schemas(dumped)[SF]["Opportunity"].values() if one.name == "Name"]
    assert (name.length, name.kind, name.described) == (None, Kind.TEXT, "string")
