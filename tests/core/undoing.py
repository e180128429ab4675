"""What the tests of undoing are made of: short ways to say what a run wrote, and what both CRMs hold now."""

from __future__ import annotations

from core.examples import HS, SF, pair, record, rule

from connector.core.inverse import Entry, Now
from connector.core.model import Change, Presence
from connector.core.undo import invert
from connector.mapping.transforms import Text

CAUSE = "undo of run 1"


class Together(Text):
    """Two values that only mean something together."""

    def meaning(self, side, values):
        return values


PARTNER = {HS: "sf_record_id", SF: "HubSpot_Id__c"}
DEALS = pair(
    rule("Name", "dealname"), rule("RecordTypeId+StageName", "pipeline+dealstage", transform=Together()),
    rule("AccountId", "primary_company"),
    partner_field=PARTNER,
)  # fmt: skip
CONTACTS = pair(
    rule("LastName", "lastname"), name="contact-contact", partner_field=PARTNER, required={HS: ("lastname",)}
)  # fmt: skip
COMPANIES = pair(rule("Name", "name"), name="account-company", partner_field=PARTNER)
PAIRS = {one.object(side): one for one in (COMPANIES, CONTACTS, DEALS) for side in (SF, HS)}
DEAL = (HS, "deals", "1")
KINDS = {"Opportunity": SF, "Contact": SF, "Account": SF, "deals": HS, "contacts": HS, "companies": HS}
NOT_THERE = "the record is not there any more"


def entry(verb, object_="deals", id_="1", *, state="done", link=7, made="", **fields):
    """One write; each field as (old, new). `primary_label` has a blank in it."""
    names = {"primary_label": "primary label"}
    changes = tuple(Change(names.get(name, name), old, new, "F1", "") for name, (old, new) in fields.items())
    side = SF if object_ == "OpportunityContactRole" else KINDS[object_]
    return Entry(1, state, verb, side, object_, id_, link, made, changes)


def seen(object_="deals", id_="1", *, partner=None, presence=Presence.PRESENT, **fields):
    return record(KINDS[object_], id_, fields, object=object_, partner_id=partner, presence=presence)


def now(*records, **more):
    return Now({(one.side, one.object, one.id): one for one in records}, **more)


def undo(*entries, now):
    return invert(entries, now, PAIRS, CAUSE)
