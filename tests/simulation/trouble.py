"""What do administrators and machines do to a connector? One function per trouble; `TROUBLES` says with what.

Each is undone by `relieve` before a simulation comes to rest: faults end, and then all has to be well again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from engine.laws.play import Play
from engine.laws.salesforce_people import BOTH, DESCRIPTIONS, WHICH, Row, new_contact
from engine.laws.sight import HUBSPOT_OF

CONNECTOR = "admin@example.com"
"""The user by whom the connector works in Salesforce; people have sessions of their own."""
ALL_SCOPES_BUT = ("crm.objects.deals.write", "crm.objects.contacts.read", "crm.objects.companies.write")
FIELDS = (("Opportunity", "Description"), ("Opportunity", "Amount"), ("Contact", "Phone"), ("Account", "Phone"))


def poison(play: Play, object_: str, which: int) -> None:
    """A validation rule refuses whatever the connector writes to one record, and to no other."""
    if (id_ := play.here(object_, which)) is not None:
        row = play.sight.here(object_)[id_]
        name = "LastName" if object_ == "Contact" else "Name"
        token = row[name].rpartition("#")[2]
        formula = f'AND($User.Username = "{CONNECTOR}", RIGHT({name}, {len(token) + 1}) = "#{token}")'
        rule = {"object": object_, "fullName": f"Poison_{object_}", "errorMessage": "not by a program"}
        play.lab.sandbox_post("salesforce", "validation_rules", [{**rule, "errorConditionFormula": formula}], "PUT")


def give_odd_mail(play: Play, which: int) -> None:
    """An address that Salesforce takes and HubSpot does not: HubSpot refuses that one record."""
    if (id_ := play.here("Contact", which)) is not None:
        play.edit_here("Contact", id_, Email=f"p:{play.token()}@acme.example")


def forbid_field(play: Play, which: int, read: bool) -> None:
    """The connector's user loses a field, for writing or altogether."""
    object_, field = FIELDS[which % len(FIELDS)]
    rights = {"fields": {object_: {field: {"read": read, "edit": False}}}}
    play.lab.sandbox_post("salesforce", "permissions", rights, "PUT")


def forbid_object(play: Play, object_: str, read: bool) -> None:
    rights = {"objects": {object_: {"read": read, "edit": False}}}
    play.lab.sandbox_post("salesforce", "permissions", rights, "PUT")


def take_scope(play: Play, which: int) -> None:
    scopes = play.lab.hs("GET", "/_sandbox/scopes")
    left = [one for one in scopes if one != ALL_SCOPES_BUT[which % len(ALL_SCOPES_BUT)]]
    play.lab.sandbox_post("hubspot", "scopes", left, "PUT")


def let_search_lag(play: Play, seconds: int) -> None:
    play.lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": seconds}, "PUT")


def add_field(play: Play, which: int) -> None:
    """A schema grows by a field that nobody mapped."""
    given = {"sobject": ("Opportunity", "Contact", "Account")[which % 3], "name": f"New{play.token()}__c"}
    play.lab.sandbox_post("salesforce", "fields", [{**given, "type": "double"}])


def edit_all(play: Play, which: int, text: str | None) -> None:
    """A mass update: every opportunity in one moment, with one time of modification."""
    for id_ in sorted(play.sight.here("Opportunity")):
        play.edit_here("Opportunity", id_, Description=text)


def convert_lead(play: Play, which: int, with_account: bool) -> None:
    """A lead becomes a contact and an opportunity, of an account that is there or of a new one."""
    if len(play.sight.here("Contact")) >= 6 or len(play.sight.here("Opportunity")) >= 5:
        new_contact(play, "Alpha", "own", None)
        return
    person, firm, deal = (f"{text} #{play.token()}" for text in ("Lead", "Firm", "Chance"))
    lead = play.lab.sf_create("Lead", LastName=person, Company=firm, Email=f"p{play.token()}@acme.example")
    wanted: dict[str, Any] = {"leadId": lead, "opportunityName": deal}
    account = play.here("Account", which)
    if with_account and account is not None:
        wanted["accountId"] = account
    with suppress(AssertionError):  # a stage that a conversion needs may be switched off
        play.lab.sandbox_post("salesforce", "convert_lead", wanted)


def set_clock_of(play: Play, salesforce: bool, seconds: int) -> None:
    """One CRM's clock is wrong by so much."""
    crm = play.lab.salesforce if salesforce else play.lab.hubspot
    crm.clock.ahead = timedelta(seconds=seconds)


def set_clock_here(play: Play, seconds: int) -> None:
    """The clock of the connector's own machine is wrong by so much."""
    play.lab.drift = timedelta(seconds=seconds)


def relieve(play: Play) -> None:
    """Whatever was forbidden is allowed again, and the rules are gone."""
    lab, all_ = play.lab, {"read": True, "edit": True}
    rights = {
        "objects": dict.fromkeys(HUBSPOT_OF, all_),
        "fields": {object_: {field: all_} for object_, field in FIELDS},
    }
    rights["fields"]["Opportunity"] = {field: all_ for object_, field in FIELDS if object_ == "Opportunity"}
    lab.sandbox_post("salesforce", "permissions", rights, "PUT")
    lab.sandbox_post("salesforce", "validation_rules", [], "PUT")
    lab.sandbox_post("hubspot", "scopes", play.scopes, "PUT")


SKEWS = (0, -70, 5, 70, 240)
TROUBLES: Mapping[str, tuple[Row, ...]] = {
    "of a record": (
        (poison, ("Opportunity", "Opportunity", "Contact", "Account"), WHICH),
        (give_odd_mail, WHICH),
    ),
    "of rights": (
        (forbid_field, WHICH, BOTH),
        (forbid_object, ("Opportunity", "Contact", "Account"), BOTH),
        (take_scope, WHICH),
        (add_field, WHICH),
    ),
    "of time": (
        (let_search_lag, (0, 20, 600)),
        (set_clock_of, BOTH, SKEWS),
        (set_clock_here, (0, *SKEWS, 3600, -3600, 90000)),
    ),
    "of many": (
        (edit_all, WHICH, DESCRIPTIONS),
        (convert_lead, WHICH, BOTH),
    ),
}
