"""A process that dies at any step leaves nothing behind that the next run does not put right (law 4).

In each situation a run is watched, and between any two of its steps a photograph is taken of everything
durable: both CRMs, and what the store has committed. A process that died there would have left exactly this.
Each photograph is then brought to rest by a new process, and must end as the run that was never disturbed.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from engine.lab import Lab
from engine.test_role_names import configure, label

from connector.engine.run import Wish

ALL = Wish(deletes=True)
LEASE = timedelta(minutes=6)
READS = ("/search", "/batch/read")
ROLLUPS = (
    "sf_num_associated_deals", "sf_first_deal_created_date", "sf_recent_deal_amount", "sf_recent_deal_close_date",
    "sf_total_revenue", "sf_days_to_close",
)  # fmt: skip
SALESFORCE = {
    "Account": ("Name", "Website", "Phone", "OwnerId"),
    "Contact": ("LastName", "Email", "Phone", "AccountId", "OwnerId"),
    "Opportunity": (
        "Name", "StageName", "Amount", "CloseDate", "Description", "AccountId", "OwnerId", "HubSpot_Id__c",
    ),
    "OpportunityContactRole": ("OpportunityId", "ContactId", "Role", "IsPrimary"),
}  # fmt: skip
HUBSPOT = {
    "companies": ("name", "domain", "phone", "hubspot_owner_id", "lifecyclestage", "sf_record_id", *ROLLUPS),
    "contacts": ("lastname", "email", "phone", "hubspot_owner_id", "lifecyclestage", "closedate", "sf_record_id",
                 *ROLLUPS),
    "deals": ("dealname", "pipeline", "dealstage", "amount", "closedate", "description", "hubspot_owner_id",
              "sf_record_id"),
}  # fmt: skip
ASSOCIATIONS = (("deals", "contacts"), ("deals", "companies"), ("contacts", "companies"))


# --- what both CRMs show, without ids of our making -------------------------------------------------------


def view(lab: Lab) -> dict[str, Any]:
    """All records, values and associations; ids of records are replaced by what people call the record."""
    names: dict[str, str] = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    for sobject, fields in SALESFORCE.items():
        rows[sobject] = lab.sf_all(f"SELECT Id, {', '.join(fields)} FROM {sobject}")
        label = fields[0]
        names |= {row["Id"]: f"{sobject} {row[label]}" for row in rows[sobject]}
    live = {object_: lab.hs_all(object_, *fields) for object_, fields in HUBSPOT.items()}
    for object_, fields in HUBSPOT.items():
        names |= {id_: f"{object_} {row[fields[0]]}" for id_, row in live[object_].items()}
    shown: dict[str, Any] = {
        sobject: _bag({field: names.get(row[field], row[field]) for field in SALESFORCE[sobject]} for row in some)
        for sobject, some in rows.items()
    }
    for object_, some in live.items():
        fields = HUBSPOT[object_]
        shown[object_] = _bag(
            {field: names.get(str(row.get(field)), row.get(field)) for field in fields} for row in some.values()
        )
        shown[f"archived {object_}"] = len(lab.hs_all(object_, archived=True))
    for object_, to in ASSOCIATIONS:
        shown[f"{object_} to {to}"] = _bag(
            (names[id_], names[other], tuple(sorted(types)))
            for id_ in live[object_]
            for other, types in lab.hs_associated(object_, id_, to).items()
        )
    return shown | _set_up(lab)


def _bag(some: Any) -> Counter[str]:
    """Equal things count, so that a duplicate shows."""
    return Counter(repr(one) for one in some)


def _set_up(lab: Lab) -> dict[str, Any]:
    pipelines = lab.hs("GET", "/crm/v3/pipelines/deals")["results"]
    return {
        "pipelines": _bag((one["label"], [stage["label"] for stage in one["stages"]]) for one in pipelines),
        "properties": {
            object_: sorted(one["name"] for one in lab.hs("GET", f"/crm/v3/properties/{object_}")["results"])
            for object_ in HUBSPOT
        },
    }


# --- situations: what there was, and what people did before the run that dies -----------------------------


def nothing(_: Lab) -> None:
    """Two CRMs that the connector has never seen."""


def installed(lab: Lab) -> None:
    lab.sync()


def a_business(lab: Lab) -> None:
    lab.sync()
    lab.business(Amount=100)
    lab.sync_until_rest()


def a_business_with_labels(lab: Lab) -> None:
    configure(lab)
    a_business(lab)


def two_accounts(lab: Lab) -> None:
    a_business(lab)
    lab.sf_create("Account", Name="Umbrella", Website="umbrella.example")
    lab.sf_create("Contact", LastName="Owl", Email="owl@acme.example")
    lab.sync_until_rest()


def two_owners(lab: Lab) -> None:
    lab.sandbox_post("salesforce", "users", [{"Email": "second@example.com"}])
    lab.sandbox_post("hubspot", "owners", [{"email": "second@example.com"}])
    a_business(lab)


def a_field_out_of_reach(lab: Lab) -> None:
    """The connector's user may read the description of opportunities, and not edit it."""
    a_business(lab)
    rights = {"fields": {"Opportunity": {"Description": {"read": True, "edit": False}}}}
    lab.sandbox_post("salesforce", "permissions", rights, "PUT")


def the(lab: Lab, sobject: str) -> str:
    """The oldest record of an object."""
    return lab.sf_all(f"SELECT Id FROM {sobject} ORDER BY Id LIMIT 1")[0]["Id"]


def import_everything(lab: Lab) -> None:
    lab.business(Amount=100)


def make_a_deal(lab: Lab) -> None:
    """A new deal of a synced contact and company becomes an opportunity with a role."""
    contact, company = next(iter(lab.hs_all("contacts"))), next(iter(lab.hs_all("companies")))
    deal = lab.hs_create("deals", dealname="Ours", pipeline=lab.pipeline(), dealstage=lab.stages()["Prospecting"],
                         closedate="2026-09-30T00:00:00Z", amount="5")  # fmt: skip
    lab.hs_associate("deals", deal, "contacts", contact, 3)
    lab.hs_associate("deals", deal, "companies", company, 5)


def edit_both_sides(lab: Lab) -> None:
    lab.sf_edit("Opportunity", the(lab, "Opportunity"), Description="from Salesforce")
    lab.advance(seconds=1)
    lab.hs_edit("deals", lab.deal_of(the(lab, "Opportunity")), amount="250")


def close_the_deal(lab: Lab) -> None:
    lab.sf_edit("Opportunity", the(lab, "Opportunity"), StageName="Closed Won", CloseDate="2026-03-01")


def delete_the_opportunity(lab: Lab) -> None:
    lab.sf_delete("Opportunity", the(lab, "Opportunity"))


def change_owners(lab: Lab) -> None:
    (second,) = lab.sf_all("SELECT Id FROM User WHERE Email = 'second@example.com'")
    lab.sf_edit("Opportunity", the(lab, "Opportunity"), OwnerId=second["Id"])
    owners = lab.hs("GET", "/crm/v3/owners")["results"]
    owner = next(one["id"] for one in owners if one["email"] == "second@example.com")
    lab.hs_edit("contacts", lab.partner("contacts", the(lab, "Contact")), hubspot_owner_id=owner)


def meet_by_email(lab: Lab) -> None:
    """Both CRMs know somebody already, and a role on an opportunity waits for the two to be linked."""
    lab.hs_create("contacts", email="fox@acme.example", lastname="Fuchs", phone="1")
    lab.business()


def move_the_company(lab: Lab) -> None:
    (umbrella,) = lab.sf_all("SELECT Id FROM Account WHERE Name = 'Umbrella'")
    for sobject in ("Contact", "Opportunity"):
        lab.sf_edit(sobject, the(lab, sobject), AccountId=umbrella["Id"])


def add_a_role_in_salesforce(lab: Lab) -> None:
    (owl,) = lab.sf_all("SELECT Id FROM Contact WHERE LastName = 'Owl'")
    lab.role(the(lab, "Opportunity"), owl["Id"])


def add_a_contact_in_hubspot(lab: Lab) -> None:
    (owl,) = lab.sf_all("SELECT Id FROM Contact WHERE LastName = 'Owl'")
    deal = lab.deal_of(the(lab, "Opportunity"))
    lab.hs_associate("deals", deal, "contacts", lab.partner("contacts", owl["Id"]), 3)


def remove_a_role_in_salesforce(lab: Lab) -> None:
    lab.sf_delete("OpportunityContactRole", the(lab, "OpportunityContactRole"))
    lab.advance(minutes=2)


def remove_a_contact_in_hubspot(lab: Lab) -> None:
    deal, contact = lab.deal_of(the(lab, "Opportunity")), lab.partner("contacts", the(lab, "Contact"))
    lab.hs("DELETE", f"/crm/v4/objects/deals/{deal}/associations/contacts/{contact}")


def name_a_role_in_salesforce(lab: Lab) -> None:
    lab.sf_edit("OpportunityContactRole", the(lab, "OpportunityContactRole"), Role="Evaluator", IsPrimary=True)


def label_a_contact_in_hubspot(lab: Lab) -> None:
    label(lab, the(lab, "Opportunity"), the(lab, "Contact"), "Decider", "Main contact")


def edit_what_is_refused(lab: Lab) -> None:
    """One value too long, beside one that is fine (F4)."""
    lab.hs_edit("deals", lab.deal_of(the(lab, "Opportunity")), dealname="x" * 200, amount="250")


def make_a_deal_with_a_field_that_is_refused(lab: Lab) -> None:
    lab.hs_create("deals", dealname="Ours", pipeline=lab.pipeline(), dealstage=lab.stages()["Prospecting"],
                  closedate="2026-09-30T00:00:00Z", description="typed", amount="5")  # fmt: skip


SITUATIONS: dict[str, tuple[Callable[[Lab], None], Callable[[Lab], None]]] = {
    "set-up of pipelines and properties": (nothing, nothing),
    "first import": (installed, import_everything),
    "new deal with contact and company": (a_business, make_a_deal),
    "edits on both sides": (a_business, edit_both_sides),
    "stage closed": (a_business, close_the_deal),
    "deletion": (a_business, delete_the_opportunity),
    "change of owners": (two_owners, change_owners),
    "adoption by e-mail": (installed, meet_by_email),
    "company moved": (two_accounts, move_the_company),
    "role added in Salesforce": (two_accounts, add_a_role_in_salesforce),
    "contact added in HubSpot": (two_accounts, add_a_contact_in_hubspot),
    "role removed in Salesforce": (a_business, remove_a_role_in_salesforce),
    "contact removed in HubSpot": (a_business, remove_a_contact_in_hubspot),
    "field refused in an update": (a_business, edit_what_is_refused),
    "field refused in a creation": (a_field_out_of_reach, make_a_deal_with_a_field_that_is_refused),
    "role named in Salesforce": (a_business_with_labels, name_a_role_in_salesforce),
    "contact labelled in HubSpot": (a_business_with_labels, label_a_contact_in_hubspot),
}


def remembered(lab: Lab) -> list[str]:
    """What the store has committed, but for the lease, which every transaction renews, and the count of calls."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(lab.durable_store())
        lines = (line for line in database.iterdump() if not line.startswith('INSERT INTO "lease"'))
        return [line for line in lines if "'calls/" not in line]


def photograph(lab: Lab) -> list[Lab]:
    """Sync, and take a photograph wherever something durable may have changed since the last one."""
    photographs: list[Lab] = []
    before = [remembered(lab)]

    def watch() -> None:
        sent, lab.fate.sent = lab.fate.sent, ""
        writes = sent and not sent.startswith("GET") and not sent.endswith(READS)
        store = remembered(lab)
        if writes or store != before[0]:
            before[0] = store
            photographs.append(lab.copy())

    with lab.watching(watch):
        lab.sync(ALL)
    return photographs


@pytest.mark.parametrize("situation", SITUATIONS)
def test_law4_a_run_that_dies_anywhere_is_made_good_by_the_next(situation):
    """Wherever the process dies, both CRMs end as if it never had, with nothing twice."""
    prepare, act = SITUATIONS[situation]
    lab = Lab()
    prepare(lab)
    act(lab)
    undisturbed = lab.copy()
    undisturbed.sync_until_rest()
    expected = view(undisturbed)
    photographs = photograph(lab)
    assert len(photographs) > 5
    for number, one in enumerate(photographs):
        one.clock.advance(LEASE)
        one.sync(ALL)
        if view(one) != expected:  # some take a second run
            one.sync_until_rest()
        assert view(one) == expected, f"died at photograph {number} of {len(photographs)}"
