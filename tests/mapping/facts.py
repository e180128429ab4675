"""Short ways to say what a CRM's fields are, and to write a mapping file and what is wrong with it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from core.examples import HS, SF

from connector.mapping.checks import check_pair, check_roles
from connector.mapping.documents import Source
from connector.mapping.files import MappingSettings, read_mapping
from connector.mapping.roles import ROLE_PAIR
from connector.mapping.schema import FieldFacts

UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")


def facts(name, type_, **more):
    """A field; `options` may be given as texts, which are their own labels."""
    options = tuple((one, one) if isinstance(one, str) else one for one in more.pop("options", ()))
    return FieldFacts(name, type_, **{"label": name, **more}, options=options)


def formula(name, type_, **more):
    return facts(name, type_, createable=False, updateable=False, computed="a formula", **more)


DEALS = {
    one.name: one
    for one in (
        facts("dealname", "string", entered_as="text"),
        facts("amount", "number", entered_as="number"),
        facts("closedate", "datetime", entered_as="date"),
        facts("day", "date", entered_as="date"),
        facts("dealtype", "enumeration", entered_as="radio", options=(("new", "New one"), "old"), closed=True),
        facts("tags", "enumeration", entered_as="checkbox", options=("a", "b"), closed=True),
        facts("ticked", "enumeration", entered_as="booleancheckbox", options=("true", "false")),
        facts("flag", "bool", entered_as="booleancheckbox"),
        facts("description", "string", entered_as="textarea"),
        facts("notes", "string", entered_as="html", rich=True),
        facts("days", "number", createable=False, updateable=False, computed="calculated by HubSpot"),
        facts("hubspot_owner_id", "enumeration", owner=True),
        facts("primary_company", "association"),
        facts("pipeline", "enumeration", options=("p",), closed=True),
        facts("dealstage", "enumeration", options=("s",), closed=True),
    )
}
OPPORTUNITY = {
    one.name: one
    for one in (
        facts("Name", "string", length=120, required=True),
        facts("Amount", "currency", digits=18, scale=2),
        facts("Count__c", "int"),
        facts("CloseDate", "date", required=True),
        facts("StageName", "picklist", required=True, options=("Open",), closed=True),
        facts("Moment__c", "datetime"),
        facts("Type", "picklist", options=("New", "Old", "Other")),
        facts("Strict__c", "picklist", options=("new", "old"), closed=True),
        facts("Tags__c", "multipicklist", options=("a", "b", "c")),
        facts("Flag__c", "boolean"),
        facts("Description", "textarea", length=32000),
        facts("Rich__c", "textarea", length=32000, rich=True),
        formula("Margin__c", "percent"),
        facts("Locked__c", "string", length=10, createable=False, updateable=False),
        facts("AccountId", "reference"),
        facts("OwnerId", "reference", owner=True),
        facts("RecordTypeId", "reference"),
        facts("Place__c", "location"),
    )
}
SCHEMAS = {SF: {"Opportunity": OPPORTUNITY}, HS: {"deals": DEALS}}
REQUIRED = """\
  - {salesforce: Name, hubspot: dealname, rule: two_way}
  - {salesforce: CloseDate, hubspot: closedate, transform: date}
  - {salesforce: [RecordTypeId, StageName], hubspot: [pipeline, dealstage], transform: stage}
"""
HEAD = f"pair: opportunity-deal\ncreate_in: [hubspot, salesforce]\nfields:\n{REQUIRED}"
FIRST = 7
"""The line of what follows `HEAD`."""


def check(text, schemas=SCHEMAS, zone=UTC_ZONE, seen=()):
    """What is wrong with a mapping file, as (severity, line, message, remedy), notes left out."""
    settings = MappingSettings(zone, {}, "sf_record_id", "HubSpot_Id__c")
    read = read_mapping([Source("deals.yaml", text.encode())], settings)
    assert read.findings == ()
    found = [
        one
        for pair in read.pairs.values()
        for one in check_pair(pair, read.files[pair.name], schemas, zone, dict(seen))
    ]
    if ROLE_PAIR in read.files:
        found += check_roles(read.files[ROLE_PAIR], schemas)
    return [(one.severity.value, one.line, one.message, one.remedy) for one in found if one.severity != "note"]


def check_entry(entry, **given):
    """What is wrong with one entry beside those that a deal needs; its line is `FIRST`."""
    return check(f"{HEAD}  - {entry}\n", **given)
