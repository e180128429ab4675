"""Lifecycle stages and the stages of deals: who may lower them, and the dates and times that are kept of them."""

from __future__ import annotations

import pytest

from connector.sandbox.hubspot.actors import APP
from connector.sandbox.hubspot.records.milestones import became, stays_in
from connector.sandbox.hubspot.records.records import Version

DAY = 86_400
MS_PER_DAY = "86400000"
OPEN = {"dealname": "D", "dealstage": "appointmentscheduled"}
NAMES = {"contacts": {"lastname": "L"}, "companies": {"name": "C"}}
RANKS = {"lead": 0, "opportunity": 1, "customer": 2}
STAGES = "/crm/v3/properties/contacts/lifecyclestage"


def stage_dates(hub, kind, record, stage):
    """Entered, exited, latest and cumulative time."""
    names = [
        f"hs_v2_{what}_{stage}" for what in ("date_entered", "date_exited", "latest_time_in", "cumulative_time_in")
    ]
    shown = hub.read(kind, record, *names)
    return [shown[name] and shown[name].removeprefix("2026-11-").removesuffix("T09:00:00.000Z") for name in names]


def became_date(hub, contact, stage, kind="contacts"):
    name = f"hs_lifecyclestage_{stage}_date"
    shown = hub.read(kind, contact, name)[name]
    return shown and shown[8:10]


def move(hub, kind, record, *stages):
    """Write stages, each a day after the one before."""
    for stage in stages:
        hub.advance(DAY)
        name = "dealstage" if kind == "deals" else "lifecyclestage"
        hub.update(kind, record, **{name: stage})


# -- backward


@pytest.mark.parametrize("kind", ["contacts", "companies"])
def test_people_may_lower_a_lifecycle_stage_at_once(hub, kind):
    """In HubSpot's own pages a stage goes back in one step, which an app needs two for."""
    record = hub.create(kind, {**NAMES[kind], "lifecyclestage": "customer"})
    with hub.person("ada@example.com"):
        hub.update(kind, record, lifecyclestage="lead")
    assert hub.read(kind, record, "lifecyclestage")["lifecyclestage"] == "lead"
    hub.update(kind, record, lifecyclestage="subscriber")
    assert hub.read(kind, record, "lifecyclestage")["lifecyclestage"] == "lead"


def test_clearing_and_setting_are_not_for_one_batch(hub):
    """The same record twice in a batch is refused, so a stage is not lowered in one call."""
    contact = hub.create("contacts", {"lastname": "L", "lifecyclestage": "customer"})
    inputs = [{"id": contact, "properties": {"lifecyclestage": stage}} for stage in ("", "lead")]
    hub.call("POST", "/crm/v3/objects/contacts/batch/update", {"inputs": inputs}, 400)
    assert hub.read("contacts", contact, "lifecyclestage")["lifecyclestage"] == "customer"


def test_reordered_stages_change_what_is_forward(hub):
    """The order is that of the options as they are now."""
    contact = hub.create("contacts", {"lastname": "L", "lifecyclestage": "customer"})
    options = hub.call("GET", STAGES)["options"]
    turned = [{**one, "displayOrder": len(options) - one["displayOrder"]} for one in options]
    hub.call("PATCH", STAGES, {"options": turned})
    hub.update("contacts", contact, lifecyclestage="lead")
    assert hub.read("contacts", contact, "lifecyclestage")["lifecyclestage"] == "lead"


# -- stays


@pytest.mark.parametrize("kind", ["contacts", "companies"])
def test_a_stage_tells_when_it_was_entered_and_left(hub, kind):
    """The last entry, the last exit, the last ended stay, and the sum of all of them, in milliseconds."""
    record = hub.create(kind, {**NAMES[kind], "lifecyclestage": "lead"})
    assert stage_dates(hub, kind, record, "lead") == ["02", None, None, None]
    assert stage_dates(hub, kind, record, "customer") == [None] * 4
    move(hub, kind, record, "customer")
    assert stage_dates(hub, kind, record, "lead") == ["02", "03", MS_PER_DAY, MS_PER_DAY]
    assert stage_dates(hub, kind, record, "customer") == ["03", None, None, None]


def test_a_stay_that_lasts_counts_when_it_has_ended(hub):
    """While a record is in a stage again, its times are those of the earlier stays."""
    contact = hub.create("contacts", {"lastname": "L", "lifecyclestage": "lead"})
    move(hub, "contacts", contact, "customer", "", "lead")
    assert stage_dates(hub, "contacts", contact, "lead") == ["05", "03", MS_PER_DAY, MS_PER_DAY]
    hub.advance(DAY)
    move(hub, "contacts", contact, "customer")
    assert stage_dates(hub, "contacts", contact, "lead") == [
        "05",
        "07",
        str(2 * int(MS_PER_DAY)),
        str(3 * int(MS_PER_DAY)),
    ]
    assert stage_dates(hub, "contacts", contact, "customer") == ["07", "04", MS_PER_DAY, MS_PER_DAY]


def test_deals_tell_the_same_of_their_stages(hub):
    """For each stage of each pipeline."""
    deal = hub.create("deals", OPEN)
    move(hub, "deals", deal, "closedwon")
    assert stage_dates(hub, "deals", deal, "appointmentscheduled") == ["02", "03", MS_PER_DAY, MS_PER_DAY]
    assert stage_dates(hub, "deals", deal, "closedwon") == ["03", None, None, None]


def test_every_stage_has_its_properties(hub):
    """Calculated, read only, labelled with stage and pipeline; they come and go with their stages."""
    path = "/crm/v3/properties/contacts/hs_v2_date_entered_lead"
    shown = hub.call("GET", path)
    assert shown["label"] == 'Date entered "Lead (Lifecycle Stage Pipeline)"'
    assert (shown["type"], shown["fieldType"], shown["calculated"]) == ("datetime", "date", True)
    assert shown["modificationMetadata"]["readOnlyValue"] is True
    options = hub.call("GET", STAGES)["options"]
    renamed = [{**one, "label": "Suspect"} if one["value"] == "lead" else one for one in options[1:]]
    hub.call("PATCH", STAGES, {"options": [*renamed, {"label": "Nurtured", "value": "4455667"}]})
    assert hub.call("GET", path)["label"] == 'Date entered "Suspect (Lifecycle Stage Pipeline)"'
    assert hub.call("GET", "/crm/v3/properties/contacts/hs_v2_latest_time_in_4455667")["type"] == "number"
    hub.call("GET", "/crm/v3/properties/contacts/hs_v2_date_entered_subscriber", expect=404)
    contact = hub.create("contacts", {"lastname": "L", "lifecyclestage": "4455667"})
    assert stage_dates(hub, "contacts", contact, "4455667") == ["02", None, None, None]


def test_the_stages_of_pipelines_have_their_properties(hub):
    """They come with a pipeline or a stage, follow its label, and go with it."""
    new = {"label": "New", "displayOrder": 0, "metadata": {"probability": "0.5"}, "stageId": "new"}
    body = {"label": "Renewals", "displayOrder": 1, "pipelineId": "r", "stages": [new]}
    hub.call("POST", "/crm/v3/pipelines/deals", body, 201)
    path = "/crm/v3/properties/deals/hs_v2_cumulative_time_in_new"
    assert hub.call("GET", path)["label"] == 'Cumulative time in "New (Renewals)"'
    hub.call(
        "PATCH", "/crm/v3/pipelines/deals/r/stages/new", {"label": "Fresh", "metadata": {"probability": "0.5"}}
    )
    assert hub.call("GET", path)["label"] == 'Cumulative time in "Fresh (Renewals)"'
    hub.call("DELETE", "/crm/v3/pipelines/deals/r", expect=204)
    hub.call("GET", path, expect=404)


def test_stage_dates_are_not_written(hub):
    """A write is refused as for any computed property."""
    contact = hub.create("contacts", {"lastname": "L", "lifecyclestage": "lead"})
    for name in ("hs_v2_date_entered_lead", "hs_lifecyclestage_lead_date"):
        error = hub.update("contacts", contact, 400, **{name: "2026-01-01"})
        assert error["errors"][0]["code"] == "READ_ONLY_VALUE"


def test_stage_dates_can_be_searched(hub):
    """As any other date."""
    contact = hub.create("contacts", {"lastname": "L", "lifecyclestage": "lead"})
    hub.create("contacts", {"lastname": "M"})
    entered = {"propertyName": "hs_v2_date_entered_lead", "operator": "GTE", "value": "2026-11-02"}
    assert hub.found("contacts", entered) == [contact]


# -- what a record became


def test_a_record_became_what_it_was_raised_to(hub):
    """The older dates of the eight stages that HubSpot ships; a stage that is skipped has none by default."""
    company = hub.create("companies", {"name": "C", "lifecyclestage": "lead"})
    move(hub, "companies", company, "customer")
    shown = [
        became_date(hub, company, stage, "companies") for stage in ("subscriber", "lead", "opportunity", "customer")
    ]
    assert shown == [None, "02", None, "03"]
    label = hub.call("GET", "/crm/v3/properties/companies/hs_lifecyclestage_opportunity_date")["label"]
    assert label == "Became an Opportunity Date"


def test_whether_a_skipped_stage_was_become_is_a_switch(hub):
    """Then it has the date of the stage that was reached."""
    hub.set(became_dates_fill_skipped=True)
    contact = hub.create("contacts", {"lastname": "L", "lifecyclestage": "lead"})
    move(hub, "contacts", contact, "opportunity")
    shown = [
        became_date(hub, contact, stage) for stage in ("lead", "salesqualifiedlead", "opportunity", "customer")
    ]
    assert shown == ["02", "03", "03", None]


def test_lowering_a_stage_takes_the_dates_above_it(hub):
    """By hand: the higher dates are gone, the lower one is now, and the other stage properties stay."""
    contact = hub.create("contacts", {"lastname": "L", "lifecyclestage": "opportunity"})
    move(hub, "contacts", contact, "customer")
    hub.advance(DAY)
    with hub.person("ada@example.com"):
        hub.update("contacts", contact, lifecyclestage="lead")
    assert [became_date(hub, contact, stage) for stage in RANKS] == ["04", None, None]
    assert stage_dates(hub, "contacts", contact, "customer") == ["03", "04", MS_PER_DAY, MS_PER_DAY]


def test_clearing_a_stage_keeps_its_date(hub):
    """The date of the last stage is there as long as nothing lowers it."""
    contact = hub.create("contacts", {"lastname": "L", "lifecyclestage": "customer"})
    move(hub, "contacts", contact, "")
    assert became_date(hub, contact, "customer") == "02"
    move(hub, "contacts", contact, "lead")
    assert [became_date(hub, contact, stage) for stage in ("lead", "customer")] == ["04", "02"]


def versions(*values):
    """A history, newest first, of values set at 1, 2, 3, …"""
    return [Version(value, at, APP) for at, value in enumerate(values, 1)][::-1]


@pytest.mark.parametrize(
    ("values", "dates"),
    [
        ((), {}),
        (("lead",), {"lead": 1}),
        (("lead", "customer"), {"lead": 1, "customer": 2}),
        (("lead", "customer", "lead"), {"lead": 3}),
        (("customer", "", "lead"), {"customer": 1, "lead": 3}),
        (("customer", "opportunity", "customer"), {"opportunity": 2, "customer": 3}),
        (("gone", "lead"), {"lead": 2}),
    ],
)
def test_the_dates_follow_from_the_history(values, dates):
    """Every move counts, whatever was before."""
    assert became(versions(*values), RANKS, fill_skipped=False) == dates


def test_stays_follow_from_the_history():
    """A stay ends with the next version, and the last one lasts."""
    assert stays_in(versions("a", "b", "a", "", "a"), "a") == [(1, 2), (3, 4), (5, None)]
    assert stays_in([], "a") == []
