"""A mapping is held against both schemas before anything is looked at: names and types, all at once (F3)."""

from __future__ import annotations

import pytest
from engine.lab import Lab

from connector.engine.check import State, check
from connector.errors import BadConfiguration
from connector.settings import defaults_folder, load_mapping, load_settings


@pytest.fixture
def lab(tmp_path):
    """A lab whose mapping files can be edited."""
    lab, own = Lab(), tmp_path / "mappings"
    own.mkdir()
    for path in (defaults_folder() / "mappings").glob("*.yaml"):
        (own / path.name).write_bytes(path.read_bytes())
    lab.folder = tmp_path
    return lab


def add(lab, *entries, file="opportunity-deal"):
    """Somebody adds lines to a mapping file; returns the line numbers."""
    path = lab.folder / "mappings" / f"{file}.yaml"
    before = path.read_text().rstrip().splitlines()
    path.write_text("\n".join([*before, *(f"  - {{{entry}}}" for entry in entries)]) + "\n")
    lab.pairs = load_mapping(load_settings(lab.environment, lab.folder), lab.folder)
    return [len(before) + 1 + number for number in range(len(entries))]


def test_F3_all_that_does_not_fit_is_told_at_once_with_file_and_line(lab):
    """Names and types of both sides and several files, before anything is written or even read."""
    deals = add(
        lab,
        "salesforce: NextSteps, hubspot: hs_next_step",
        "salesforce: Probability, hubspot: hs_next_step2, transform: date",
    )
    contacts = add(lab, "salesforce: Department, hubspot: closedate", file="contact-contact")
    with pytest.raises(BadConfiguration) as refused:
        lab.sync()
    found = {(one.where.rpartition("/")[2], one.line, one.message, one.remedy) for one in refused.value.findings}
    told = {(file, line): f"{message} → {remedy}" for file, line, message, remedy in found}
    assert "has no field NextSteps" in told["opportunity-deal.yaml", deals[0]]
    assert "did you mean `NextStep`?" in told["opportunity-deal.yaml", deals[0]]
    assert "has no property hs_next_step2" in told["opportunity-deal.yaml", deals[1]]
    assert "Department is of type string in Salesforce" in told["contact-contact.yaml", contacts[0]]
    assert "`transform: text` does not carry between them" in told["contact-contact.yaml", contacts[0]]
    assert lab.store.runs.last()["status"] == "died"
    assert lab.hs_all("deals") == {}


def test_F3_a_plan_and_a_check_tell_the_same(lab):
    """`check` names each with its line as well."""
    (line,) = add(lab, "salesforce: IsClosed, hubspot: hs_next_step, rule: always_salesforce, transform: number")
    with pytest.raises(BadConfiguration):
        lab.plan()
    (found,) = [one for one in check(lab.connection()) if one.state is State.PROBLEM]
    assert f"opportunity-deal.yaml:{line}" in found.detail
    assert found.remedy == "use `transform: boolean`"


def test_F3_a_field_that_goes_out_of_sight_later_holds_up_nothing(lab):
    """It was there when it was mapped: a right that is taken away is no mistake in a file."""
    opportunity = lab.opportunity(Amount=5, Description="seen")
    add(lab, "salesforce: NextStep, hubspot: hs_next_step")
    lab.sync_once()
    rights = {"fields": {"Opportunity": {"NextStep": {"read": False}}}}
    lab.sandbox_post("salesforce", "permissions", rights, method="PUT")
    lab.advance(days=2)
    lab.sf_edit("Opportunity", opportunity, Amount=6)
    lab.sync_once()
    assert lab.hs_get("deals", lab.deal_of(opportunity), "amount")["amount"] == "6"


def test_F3_what_is_not_synced_need_not_be_there(lab):
    """`dont_sync` asks nothing of anybody; nor do record types and currencies that an org has not."""
    add(lab, "salesforce: Nowhere__c, hubspot: nowhere, rule: dont_sync")
    lab.opportunity()
    assert lab.sync_once().writes > 0


def test_F3_what_an_older_version_remembered_of_the_fields_is_read_anew(lab):
    """It knew fewer facts; judged by these alone, a property of several values would be one of a single value."""
    add(lab, "salesforce: NextStep, hubspot: hs_next_step")
    lab.sync()
    kept = lab.store.runs.read("set-up")
    kept["of"] = kept["of"][:-1]
    for one in kept["properties"]["deals"].values():
        del one["field_type"]
    lab.store.runs.remember("set-up", kept)
    lab.sync()
    assert all("field_type" in one for one in lab.store.runs.read("set-up")["properties"]["deals"].values())
