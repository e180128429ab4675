"""A shipped mapping file, fitted to what the sides have: still a mapping, and everything else is as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from connector.core.model import Side
from connector.mapping.drafts import KnownField, KnownObject, fit_mapping, fit_roles, write_scalar
from connector.settings import defaults_folder

HEAD = "pair: opportunity-deal\ncreate_in: [hubspot]\n\nfields:\n"
TYPE = """\
  # What kind of business it is.
  - salesforce: Type
    hubspot: dealtype
    transform: picklist
    rule: two_way
    values:
      New Customer: newbusiness
      Gone: newbusiness

    otherwise: skip_field
  # About the name.
  - {salesforce: Name, hubspot: dealname, rule: two_way}
"""
OPTIONS = (("newbusiness", "New Business"), ("existingbusiness", "Existing Business"))


def sides(here=None, there=None, hidden=()):
    """What is known: fields by name, of each side that is given."""
    known = {}
    if here is not None:
        known[Side.SALESFORCE] = KnownObject(here, frozenset(hidden))
    if there is not None:
        known[Side.HUBSPOT] = KnownObject(there)
    return known


def names(*fields, **values):
    return {name: KnownField() for name in fields} | {
        name: KnownField(values=tuple(some)) for name, some in values.items()
    }


def shipped(name):
    return (defaults_folder() / "mappings" / f"{name}.yaml").read_text()


@pytest.mark.parametrize("name", ["account-company", "contact-contact", "opportunity-deal"])
def test_of_unknown_sides_nothing_changes(name):
    """A file of which no side is known stays as it is, to the letter."""
    assert fit_mapping(shipped(name), {}) == shipped(name)


def test_a_missing_field_becomes_a_comment():
    """With the reason, and all lines of it; what stands around it stays."""
    fitted = fit_mapping(HEAD + TYPE, sides(names("Name"), names("dealname", "dealtype")))
    lines = fitted.splitlines()
    place = lines.index("  # Left out: Salesforce has no field Type.")
    assert lines[place - 1] == "  # What kind of business it is."
    assert lines[place + 1 : place + 3] == ["  # - salesforce: Type", "  #   hubspot: dealtype"]
    assert fitted.endswith("  # About the name.\n  - {salesforce: Name, hubspot: dealname, rule: two_way}\n")
    assert [one["salesforce"] for one in YAML(typ="safe").load(fitted)["fields"]] == ["Name"]


def test_all_reasons_are_told():
    """A field that both sides lack, and one that is hidden, are told as such."""
    fitted = fit_mapping(HEAD + TYPE, sides({}, {}, hidden=["Name"]))
    assert "  # Left out: HubSpot has no property dealtype.\n" in fitted
    assert "  # Left out: Name is hidden from the connector's user by field-level security.\n" in fitted


@pytest.mark.parametrize("name", ["CurrencyIsoCode", "RecordTypeId"])
def test_a_field_that_may_lack_stays(name):
    """An org with one currency, or without record types, gets the line all the same."""
    text = HEAD + f"  - {{salesforce: {name}, hubspot: primary_company}}\n"
    assert fit_mapping(text, sides({}, {})) == text


def test_what_may_not_be_written():
    """A computed property is left out; a field closed to the user stays, under a word about it."""
    here = {"Name": KnownField(writable=False), "Type": KnownField()}
    there = {"dealname": KnownField(), "dealtype": KnownField(writable=False)}
    fitted = fit_mapping(HEAD + TYPE, sides(here, there))
    assert "# Left out: HubSpot computes dealtype itself and takes no value for it." in fitted
    assert "  # The connector's user may not edit Name: grant that, or use `always_salesforce`.\n" in fitted
    one_way = HEAD + "  - {salesforce: Name, hubspot: dealname, rule: always_salesforce}\n"
    assert fit_mapping(one_way, sides(here)) == one_way


def test_values_are_those_that_both_have():
    """As shipped where both have it, else by how it reads; the rest as comments with the options there are."""
    live = [(one, one) for one in ("New Customer", "EXISTING-business", "Renewal: yearly")]
    fitted = fit_mapping(HEAD + TYPE, sides(names("Name", Type=live), names("dealname", dealtype=OPTIONS)))
    entry = YAML(typ="safe").load(fitted)["fields"][0]
    assert entry["values"] == {"New Customer": "newbusiness", "EXISTING-business": "existingbusiness"}
    assert entry["otherwise"] == "skip_field"
    assert "Without counterpart; dealtype has newbusiness (New Business), existingbusiness" in fitted
    assert '      # "Renewal: yearly":\n' in fitted


def test_values_of_which_none_is_alike():
    """An empty map is still a map."""
    fitted = fit_mapping(HEAD + TYPE, sides(names("Name", Type=[("a", "a")]), names("dealname", dealtype=OPTIONS)))
    assert YAML(typ="safe").load(fitted)["fields"][0]["values"] == {}


def test_a_picklist_that_has_no_values_yet():
    """Where a side tells no values, the shipped map stays."""
    fitted = fit_mapping(HEAD + TYPE, sides(names("Name", "Type"), names("dealname", dealtype=OPTIONS)))
    assert fitted == HEAD + TYPE


def test_roles_and_labels_are_told():
    """In a comment before `labels`, in lines that are not too long; without any, nothing changes."""
    text = shipped("contact-role")
    fitted = fit_roles(text, [f"Role number {number}" for number in range(20)], ["Champion"])
    assert "# Labels that HubSpot has: Champion\nlabels: {}" in fitted
    assert max(len(line) for line in fitted.splitlines()) <= 116
    assert YAML(typ="safe").load(fitted) == YAML(typ="safe").load(text)
    assert fit_roles(text, [], []) == text


@given(st.text(min_size=1, max_size=30))
def test_any_value_can_be_written(text):
    """What is written is read again as the same text, as a key and as a value."""
    written = write_scalar(text)
    assert YAML(typ="safe").load(f"{written}: {written}") == {text: text}
