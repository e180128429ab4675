"""A mapping that changes is a new start, never a mass edit; what it maps is filled in when asked (T4, P4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.lab import Died, Lab

from connector.core.model import FieldRule, Rule, Side
from connector.engine import backfill as module
from connector.engine.backfill import Backfill
from connector.engine.run import Wish, sync
from connector.errors import BadConfiguration
from connector.mapping.transforms import Picklist, Text

SF, HS = Side.SALESFORCE, Side.HUBSPOT
COMPANIES, CONTACTS, DEALS = "account-company", "contact-contact", "opportunity-deal"
NEXT_STEP = FieldRule(("NextStep",), ("hs_next_step",), Rule.TWO_WAY, Text())
EVERYTHING = Wish(backfill=Backfill())


def grow(lab: Lab, *rules: FieldRule, pair: str = DEALS) -> None:
    """Somebody saves a mapping file with more fields, or with other rules for the same ones."""
    named = {one.salesforce for one in rules}
    kept = [one for one in lab.pairs[pair].fields if one.salesforce not in named]
    lab.pairs = lab.pairs | {pair: replace(lab.pairs[pair], fields=(*kept, *rules))}


def rule_of(lab: Lab, name: str, pair: str = DEALS) -> FieldRule:
    return next(one for one in lab.pairs[pair].fields if one.salesforce == (name,))


@pytest.fixture
def lab():
    """Four pairs: only Salesforce has a next step, only HubSpot, both have one, neither."""
    lab = Lab()
    lab.here = [lab.opportunity(f"No. {number}") for number in range(4)]
    lab.sync()
    lab.there = [lab.deal_of(one) for one in lab.here]
    lab.sf_edit("Opportunity", lab.here[0], NextStep="Call")
    lab.hs_edit("deals", lab.there[1], hs_next_step="Write")
    lab.hs_edit("deals", lab.there[2], hs_next_step="Older")
    lab.advance(seconds=5)
    lab.sf_edit("Opportunity", lab.here[2], NextStep="Newer")
    lab.sync_once()
    return lab


def steps(lab: Lab) -> list[tuple[str | None, str | None]]:
    return [
        (lab.sf_get("Opportunity", here)["NextStep"], lab.hs_get("deals", there, "hs_next_step")["hs_next_step"])
        for here, there in zip(lab.here, lab.there, strict=True)
    ]


def held(lab: Lab, object_: str, id_: str, *names: str) -> list[str | None]:
    found = lab.hs_get(object_, id_, *names)
    return [found[name] for name in names]


AS_IT_WAS = [("Call", None), (None, "Write"), ("Newer", "Older"), (None, None)]
FILLED = [("Call", "Call"), ("Write", "Write"), ("Newer", "Newer"), (None, None)]


@pytest.mark.parametrize("minutes", [0, 9, 24 * 60])
def test_T4_a_mapping_that_grew_writes_nothing(lab, minutes):
    """Not even to what the next look reads again, because it was touched within the overlap."""
    lab.advance(minutes=minutes)
    grow(lab, NEXT_STEP)
    for _ in range(2):
        assert lab.sync().writes == 0
    assert steps(lab) == AS_IT_WAS


def test_T4_an_edit_of_another_field_fills_in_nothing(lab):
    """The record syncs, and the new field is left as it is."""
    grow(lab, NEXT_STEP)
    lab.sync()
    for here, there in zip(lab.here, lab.there, strict=True):
        lab.sf_edit("Opportunity", here, Amount=5)
        lab.hs_edit("deals", there, description="from there")
    lab.sync_once()
    assert steps(lab) == AS_IT_WAS
    assert lab.sf_get("Opportunity", lab.here[0])["Description"] == "from there"


def test_T4_an_edit_of_the_new_field_travels(lab):
    """From either side; also one that comes before the next run, once the mapping has had its first."""
    grow(lab, NEXT_STEP)
    lab.sync()
    lab.sf_edit("Opportunity", lab.here[2], NextStep="Visit")
    lab.hs_edit("deals", lab.there[0], hs_next_step="Mail")
    lab.sf_edit("Opportunity", lab.here[3], NextStep="New")
    lab.sync_once()
    assert steps(lab) == [("Mail", "Mail"), (None, "Write"), ("Visit", "Visit"), ("New", "New")]


def test_T4_a_new_record_has_all_that_is_mapped(lab):
    """What is not linked yet is no matter of a mass edit; also if it was seen before the mapping grew."""
    lab.sf_edit("Opportunity", lab.here[0], Amount=1)
    new = lab.opportunity("New", NextStep="Begin")
    lab.plan()
    grow(lab, NEXT_STEP)
    lab.sync_once()
    assert lab.hs_get("deals", lab.deal_of(new), "hs_next_step")["hs_next_step"] == "Begin"
    assert steps(lab) == AS_IT_WAS


def test_T4_a_field_that_is_mapped_again_begins_anew(lab):
    """What became of it meanwhile is nobody's edit."""
    grow(lab, NEXT_STEP)
    lab.sync_once(EVERYTHING)
    grow(lab, replace(NEXT_STEP, rule=Rule.DONT_SYNC))
    lab.sync()
    lab.sf_edit("Opportunity", lab.here[0], NextStep="While it was off")
    lab.sync()
    grow(lab, NEXT_STEP)
    assert lab.sync().writes == 0
    lab.sf_edit("Opportunity", lab.here[0], Amount=2)
    lab.sync_once()
    assert steps(lab)[0] == ("While it was off", "Call")


@pytest.mark.parametrize("who", [Rule.ALWAYS_HUBSPOT, Rule.ALWAYS_SALESFORCE])
def test_T4_another_rule_edits_nothing(lab, who):
    """Whoever wins from now on, what has not moved stays."""
    grow(lab, NEXT_STEP)
    lab.sync()
    grow(lab, replace(NEXT_STEP, rule=who))
    for each in lab.here:
        lab.sf_edit("Opportunity", each, Amount=3)
    lab.sync_once()
    assert steps(lab) == AS_IT_WAS


def test_T4_another_value_map_edits_nothing_until_asked():
    """The values of both sides stand until one moves; `backfill` carries them by the new map."""
    lab = Lab()
    here = lab.opportunity(Type="New Customer")
    lab.sync_once()
    there = lab.deal_of(here)
    values = {"New Customer": "existingbusiness"}
    grow(lab, replace(rule_of(lab, "Type"), transform=Picklist(values)))
    lab.sf_edit("Opportunity", here, Name="Touched")
    lab.sync_once()
    assert held(lab, "deals", there, "dealtype") == ["newbusiness"]
    lab.sync_once(EVERYTHING)
    assert lab.hs_get("deals", there, "dealtype")["dealtype"] == "existingbusiness"


def test_T4_backfill_fills_in_by_the_rule(lab):
    """Blank never beats filled two ways, the later edit wins; the next run writes nothing (T7)."""
    grow(lab, NEXT_STEP)
    lab.sync()
    report = lab.sync_once(EVERYTHING)
    assert steps(lab) == FILLED
    assert (report.updated[SF]["Opportunity"], report.updated[HS]["deals"]) == (1, 2)
    assert lab.sync(EVERYTHING).writes == 0


def test_T4_backfill_right_after_saving_does_the_same(lab):
    """No run has to come between."""
    grow(lab, NEXT_STEP)
    lab.sync_once(EVERYTHING)
    assert steps(lab) == FILLED


def test_T4_a_dry_run_is_the_plan(lab):
    """The same writes at the same price, and nothing is written or forgotten."""
    grow(lab, NEXT_STEP)
    lab.sync()
    planned = lab.plan(EVERYTHING)
    assert steps(lab) == AS_IT_WAS
    assert lab.sync().writes == 0
    report = lab.sync(EVERYTHING)
    assert (planned.updated, planned.writes) == (report.updated, report.writes)
    assert [one.object for one in planned.actions] == ["deals", "deals", "Opportunity"]


def test_T4_backfill_of_some_objects_and_fields(lab):
    """What is not named waits on."""
    contact = lab.sf_create("Contact", LastName="Fox", Email="fox@x.example", Department="Sales", Title="CEO")
    lab.sync()
    there = lab.partner("contacts", contact)
    department = FieldRule(("Department",), ("industry",), Rule.TWO_WAY, Text())
    grow(lab, NEXT_STEP)
    grow(lab, department, replace(rule_of(lab, "Title", CONTACTS), hubspot=("salutation",)), pair=CONTACTS)
    lab.sync()
    lab.sync_once(Wish(backfill=Backfill((CONTACTS,), ("industry",))))
    assert steps(lab) == AS_IT_WAS
    assert held(lab, "contacts", there, "industry", "salutation") == ["Sales", None]
    lab.sync_once(Wish(backfill=Backfill((CONTACTS,))))
    assert lab.hs_get("contacts", there, "salutation")["salutation"] == "CEO"
    assert steps(lab) == AS_IT_WAS


def test_T4_what_is_not_mapped_cannot_be_filled_in(lab):
    """A typing error is told with what was meant, before anything is looked at."""
    with pytest.raises(BadConfiguration) as refused:
        lab.sync(Wish(backfill=Backfill((DEALS,), ("dealnam", "NextStep"))))
    first, second = refused.value.findings
    assert (first.where, "dealname" in first.remedy) == ("--field", True)
    assert "map it first" in second.remedy
    lab.configure(SYNC__DEALS="false")
    with pytest.raises(BadConfiguration) as refused:
        lab.plan(Wish(backfill=Backfill((), (), deals=True)))
    assert "P1" in refused.value.findings[0].message


def test_A5_a_default_owner_is_not_filled_in_as_if_it_were_meant():
    """Salesforce's owner has no counterpart: that HubSpot has the default one is as it should be."""
    lab = Lab()
    [user] = lab.sandbox_post("salesforce", "users", [{"Email": "alone@x.example"}])
    [stand_in] = lab.sandbox_post("hubspot", "owners", [{"email": "stand-in@x.example"}])
    strange, owner = user["id"], str(stand_in["id"])
    lab.configure(OWNERS__DEFAULT_HUBSPOT=owner)
    here = lab.opportunity(OwnerId=strange)
    lab.sync()
    there = lab.deal_of(here)
    assert lab.hs_get("deals", there, "hubspot_owner_id")["hubspot_owner_id"] == owner
    lab.hs_edit("deals", there, description="later than Salesforce")
    lab.sync()
    lab.sync(EVERYTHING)
    assert lab.sf_get("Opportunity", here)["OwnerId"] == strange
    assert lab.hs_get("deals", there, "hubspot_owner_id")["hubspot_owner_id"] == owner


def test_T4_frozen_and_severed_pairs_are_left_alone(lab):
    """What is out of scope or deleted is not filled in; a frozen pair comes back with what both sides hold."""

    class NotTheFirst:
        fields = ("Name",)

        def admits(self, fields):
            return fields.get("Name") != "No. 0"

    scoped = replace(lab.pairs[DEALS], scope={SF: NotTheFirst()})
    lab.pairs = lab.pairs | {DEALS: scoped}
    lab.hs_delete("deals", lab.there[1])
    lab.advance(days=1)
    lab.sync()
    grow(lab, NEXT_STEP)
    lab.sync(EVERYTHING)
    lab.pairs = lab.pairs | {DEALS: replace(lab.pairs[DEALS], scope={})}
    lab.sf_edit("Opportunity", lab.here[0], Amount=1)
    lab.sync_once()
    assert lab.hs_get("deals", lab.there[0], "amount", "hs_next_step")["hs_next_step"] is None
    assert lab.sf_get("Opportunity", lab.here[1])["NextStep"] is None


def test_T4_backfill_works_in_portions(lab, monkeypatch):
    """However many links there are, no more than a page of them is looked at together."""
    monkeypatch.setattr(module, "PAGE", 1)
    grow(lab, NEXT_STEP)
    lab.sync_once(EVERYTHING)
    assert steps(lab) == FILLED


def test_T4_whenever_the_process_dies_nothing_is_filled_in_unasked(lab):
    """At every fourth step of the run that learns of the new field."""
    grow(lab, NEXT_STEP)
    step = 0
    while True:
        step += 4
        twin = lab.copy()
        twin.pairs, twin.here, twin.there = lab.pairs, lab.here, lab.there
        if not twin.sync_and_die(step, after_delivery=True):
            break
        assert twin.sync().writes == 0, step
        assert steps(twin) == AS_IT_WAS
    assert step > 10


@pytest.mark.parametrize("write", [1, 2])
def test_T4_a_backfill_that_dies_is_finished_by_the_next_run(lab, write):
    """What was to be filled in is due, whoever runs next."""
    grow(lab, NEXT_STEP)
    lab.sync()
    lab.fate.revive()
    lab.fate.strike_at_write = write
    connection = lab.connection()
    with pytest.raises(Died):
        sync(connection, EVERYTHING)
    lab.fate.revive()
    lab.advance(minutes=6)
    lab.sync_until_rest()
    assert steps(lab) == FILLED


def test_P4_existing_deals_become_opportunities_when_asked():
    """Those of an assigned pipeline that never had a partner; a deal elsewhere stays a deal."""
    lab, wish = Lab(), Wish(backfill=Backfill((), (), deals=True))
    lab.sandbox_post("salesforce", "record_types", [{"Name": "renewal"}])
    lab.configure(PIPELINES__ASSIGNED__RENEWAL="default")
    lab.hs("POST", "/crm/v3/pipelines/deals", {"label": "Other", "displayOrder": 9, "stages": [
        {"label": "Closed Won", "displayOrder": 0, "metadata": {"probability": "1.0"}}]})  # fmt: skip
    for label, name in (("Sales Pipeline", "Before"), ("Sales Pipeline", "Too"), ("Other", "Elsewhere")):
        lab.hs_create("deals", dealname=name, pipeline=lab.pipeline(label), closedate="2026-09-30T00:00:00Z",
                      dealstage=lab.stages(label)["Closed Won"])  # fmt: skip
    assert lab.sync_once().created[SF] == {}
    planned = lab.plan(wish)
    report = lab.sync_once(wish)
    assert planned.created[SF] == report.created[SF] == {"Opportunity": 2}
    assert {row["Name"] for row in lab.sf_all("SELECT Name FROM Opportunity")} == {"Before", "Too"}
    assert len(lab.hs_all("deals")) == 3
    assert lab.sync(wish).writes == 0
