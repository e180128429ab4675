"""What HubSpot does of its own accord: lifecycle stages that follow deals and companies, and modified dates."""

from __future__ import annotations

import pytest

from .conftest import COMPANY_OF_CONTACT, COMPANY_OF_DEAL, CONTACT_OF_DEAL

OPEN = {"dealname": "D", "dealstage": "appointmentscheduled"}
WON = {"dealname": "D", "dealstage": "closedwon", "closedate": "2026-10-20"}
LOST = {"dealname": "D", "dealstage": "closedlost"}
NEW = {"contacts": {"lastname": "L"}, "companies": {"name": "C"}}


@pytest.fixture
def auto(hub):
    """A portal as HubSpot delivers it, but that new records get no stage."""
    hub.set(automation="new_portal", stage_on_create="")
    return hub


def stage(hub, kind, record):
    return hub.read(kind, record, "lifecyclestage")["lifecyclestage"]


def associate(hub, kind, record, other_kind, other):
    hub.call("PUT", f"/crm/v4/objects/{kind}/{record}/associations/default/{other_kind}/{other}")


def modified(hub, kind, record):
    path = f"/crm/v3/objects/{kind}/{record}"
    return hub.call("GET", path)["updatedAt"][11:16]


# -- the switches


def test_nothing_happens_unless_it_is_switched_on(hub):
    """A portal of the sandbox leaves lifecycle stages to whoever writes them."""
    company = hub.create("companies", {"name": "C", "lifecyclestage": "lead"})
    contact = hub.create("contacts", {"lastname": "L"}, (company, COMPANY_OF_CONTACT))
    hub.create("deals", WON, (company, COMPANY_OF_DEAL), (contact, CONTACT_OF_DEAL))
    assert stage(hub, "companies", company) == "lead"
    shown = hub.read("contacts", contact, "lifecyclestage", "closedate")
    assert (shown["lifecyclestage"], shown["closedate"]) == (None, None)


def test_all_of_it_is_switched_by_one_word(hub):
    """On as in a new portal, and off; anything else is refused."""
    names = ("stage_on_create", "stage_on_deal_created", "stage_on_deal_won", "sync_company_stage")
    for word, expected in (("new_portal", ["lead", "opportunity", "customer", True]), ("off", ["", "", "", False])):
        shown = hub.call("PUT", "/_sandbox/settings", {"automation": word})
        assert [shown[name] for name in names] == expected
    hub.call("PUT", "/_sandbox/settings", {"automation": "sometimes"}, 400)
    hub.call("PUT", "/_sandbox/settings", {"automation": {}}, 400)


# -- new records


@pytest.mark.parametrize("kind", ["contacts", "companies"])
def test_a_new_record_gets_the_chosen_stage(hub, kind):
    """In the answer to its creation, from HubSpot's setting, unless it was given one."""
    hub.set(stage_on_create="salesqualifiedlead")
    body = {"properties": NEW[kind]}
    record = hub.call("POST", f"/crm/v3/objects/{kind}", body, 201)["id"]
    (version,) = hub.history(kind, record, "lifecyclestage")
    assert (version["value"], version["sourceType"]) == ("salesqualifiedlead", "CRM_SETTING")
    assert version["timestamp"] == "2026-11-02T09:00:00.000Z"
    given = hub.create(kind, {**NEW[kind], "lifecyclestage": "subscriber"})
    assert stage(hub, kind, given) == "subscriber"
    assert (
        "lifecyclestage" not in hub.call("GET", f"/crm/v3/objects/deals/{hub.create('deals', OPEN)}")["properties"]
    )


@pytest.mark.parametrize(("chosen", "given"), [("", "subscriber"), ("lead", "lead")])
def test_people_give_new_records_a_stage_in_any_case(hub, chosen, given):
    """The first one in display order, where no stage is chosen."""
    hub.set(stage_on_create=chosen)
    with hub.person("ada@example.com"):
        contact = hub.create("contacts", {"lastname": "L"})
    assert stage(hub, "contacts", contact) == given


def test_a_stage_that_is_not_there_is_given_to_nobody(hub):
    """A setting does nothing for records that do not have its stage; it cannot name one that no record has."""
    address = "/crm/v3/properties/companies/lifecyclestage"
    options = hub.call("GET", address)["options"]
    hub.call("PATCH", address, {"options": [*options, {"label": "Trial", "value": "trial", "displayOrder": 9}]})
    hub.set(stage_on_create="trial", stage_on_deal_created="trial")
    hub.call("PUT", "/_sandbox/settings", {"stage_on_create": "nowhere"}, 400)
    contact = hub.create("contacts", {"lastname": "L"})
    hub.create("deals", OPEN, (contact, CONTACT_OF_DEAL))
    assert stage(hub, "contacts", contact) is None


# -- deals


@pytest.mark.parametrize(
    ("deal", "before", "after"),
    [
        (OPEN, None, "opportunity"),
        (OPEN, "lead", "opportunity"),
        (OPEN, "customer", "customer"),
        (WON, "lead", "customer"),
        (WON, "evangelist", "evangelist"),
        (LOST, "lead", "lead"),
    ],
)
def test_whoever_has_a_deal_follows_it(auto, deal, before, after):
    """Contacts and the primary company go where the deal is, forward only; a lost one moves nobody."""
    company = auto.create("companies", {"name": "C", "lifecyclestage": before})
    contact = auto.create("contacts", {"lastname": "L", "lifecyclestage": before})
    auto.create("deals", deal, (company, COMPANY_OF_DEAL), (contact, CONTACT_OF_DEAL))
    assert stage(auto, "companies", company) == after
    assert stage(auto, "contacts", contact) == after


def test_the_move_names_hubspot_as_its_source(auto):
    """Not the app that created the deal; the name is a setting."""
    contact = auto.create("contacts", {"lastname": "L", "lifecyclestage": "lead"})
    auto.create("deals", OPEN, (contact, CONTACT_OF_DEAL))
    auto.set(automation_source="AUTOMATION_PLATFORM")
    auto.create("deals", WON, (contact, CONTACT_OF_DEAL))
    shown = [(one["value"], one["sourceType"]) for one in auto.history("contacts", contact, "lifecyclestage")]
    assert shown == [("customer", "AUTOMATION_PLATFORM"), ("opportunity", "CRM_SETTING"), ("lead", "INTEGRATION")]


def test_only_the_primary_company_follows_a_deal(auto):
    """Another company that is associated stays; one that becomes the primary later follows then."""
    first, second = (auto.create("companies", {"name": name}) for name in "AB")
    deal = auto.create("deals", OPEN, (first, COMPANY_OF_DEAL), (second, COMPANY_OF_DEAL))
    assert [stage(auto, "companies", one) for one in (first, second)] == ["opportunity", None]
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]
    auto.call("PUT", f"/crm/v4/objects/deals/{deal}/associations/companies/{second}", spec, 201)
    assert stage(auto, "companies", second) == "opportunity"


def test_a_deal_that_is_associated_later_counts_too(auto):
    """From either end, by its state at that time."""
    deals = [auto.create("deals", deal) for deal in (OPEN, WON)]
    contact = auto.create("contacts", {"lastname": "L"})
    associate(auto, "deals", deals[0], "contacts", contact)
    assert stage(auto, "contacts", contact) == "opportunity"
    associate(auto, "contacts", contact, "deals", deals[1])
    assert stage(auto, "contacts", contact) == "customer"


def test_winning_a_deal_makes_customers(auto):
    """All its contacts, and fills their close date; losing or reopening it takes nothing back."""
    contacts = [auto.create("contacts", {"lastname": "L", **more}) for more in ({}, {"closedate": "2020-01-01"})]
    deal = auto.create("deals", OPEN, *((contact, CONTACT_OF_DEAL) for contact in contacts))
    auto.update("deals", deal, dealstage="closedwon", closedate="2026-11-01")
    shown = [auto.read("contacts", contact, "lifecyclestage", "closedate") for contact in contacts]
    assert [one["lifecyclestage"] for one in shown] == ["customer", "customer"]
    assert [one["closedate"][:10] for one in shown] == ["2026-11-01", "2020-01-01"]
    auto.update("deals", deal, dealstage="closedlost")
    auto.update("deals", deal, dealstage="appointmentscheduled")
    assert stage(auto, "contacts", contacts[0]) == "customer"


def test_each_deal_setting_is_its_own_switch(hub):
    """Won deals make customers without new deals making opportunities, and the stages are free to choose."""
    hub.set(stage_on_deal_won="evangelist")
    contact = hub.create("contacts", {"lastname": "L"})
    deal = hub.create("deals", OPEN, (contact, CONTACT_OF_DEAL))
    assert stage(hub, "contacts", contact) is None
    hub.update("deals", deal, dealstage="closedwon")
    assert stage(hub, "contacts", contact) == "evangelist"


def test_what_is_refused_moves_nobody(auto):
    """A deal that was not created has no contacts."""
    contact = auto.create("contacts", {"lastname": "L"})
    body = {
        "properties": {**OPEN, "amount": "much"},
        "associations": [
            {"to": {"id": contact}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]}
        ],
    }
    auto.call("POST", "/crm/v3/objects/deals", body, 400)
    assert stage(auto, "contacts", contact) is None


# -- companies


def test_contacts_follow_their_primary_company(auto):
    """HubSpot's example: of a subscriber and an opportunity, a company that becomes a lead moves only the first."""
    company = auto.create("companies", {"name": "C"})
    contacts = [
        auto.create("contacts", {"lastname": "L", "lifecyclestage": one}, (company, COMPANY_OF_CONTACT))
        for one in ("subscriber", "opportunity")
    ]
    auto.update("companies", company, lifecyclestage="lead")
    assert [stage(auto, "contacts", one) for one in contacts] == ["lead", "opportunity"]
    auto.update("companies", company, lifecyclestage="customer")
    assert [stage(auto, "contacts", one) for one in contacts] == ["customer", "customer"]


def test_a_company_does_not_follow_its_contacts(auto):
    """The sync goes one way."""
    company = auto.create("companies", {"name": "C", "lifecyclestage": "lead"})
    contact = auto.create("contacts", {"lastname": "L"}, (company, COMPANY_OF_CONTACT))
    auto.update("contacts", contact, lifecyclestage="customer")
    assert stage(auto, "companies", company) == "lead"


def test_a_contact_follows_a_company_that_becomes_its_primary(auto):
    """On association; a company that is not the primary one moves nobody, neither then nor later."""
    first, second = (auto.create("companies", {"name": name, "lifecyclestage": "lead"}) for name in "AB")
    contact = auto.create("contacts", {"lastname": "L"})
    associate(auto, "contacts", contact, "companies", first)
    assert stage(auto, "contacts", contact) == "lead"
    associate(auto, "contacts", contact, "companies", second)
    auto.update("companies", second, lifecyclestage="customer")
    assert stage(auto, "contacts", contact) == "lead"
    auto.update("contacts", contact, associatedcompanyid=second)
    assert stage(auto, "contacts", contact) == "customer"


def test_one_move_leads_to_the_next(auto):
    """A won deal makes its primary company a customer, and that the contacts of the company who have no deal."""
    company = auto.create("companies", {"name": "C"})
    colleague = auto.create("contacts", {"lastname": "L"}, (company, COMPANY_OF_CONTACT))
    auto.create("deals", WON, (company, COMPANY_OF_DEAL))
    assert stage(auto, "contacts", colleague) == "customer"


def test_clearing_a_companys_stage_moves_nobody(auto):
    """No stage is no step forward."""
    company = auto.create("companies", {"name": "C", "lifecyclestage": "lead"})
    contact = auto.create("contacts", {"lastname": "L"}, (company, COMPANY_OF_CONTACT))
    auto.update("companies", company, lifecyclestage="")
    assert stage(auto, "contacts", contact) == "lead"


# -- modified dates


@pytest.fixture
def echoing(hub):
    """A portal whose computed values move the modified dates of those that have them."""
    hub.set(computed_moves_modified=True)
    return hub


def test_an_association_moves_whoever_shows_it(echoing):
    """Both records of a new association count as written then, and both of one that ends."""
    company = echoing.create("companies", {"name": "C"})
    contact = echoing.create("contacts", {"lastname": "L"})
    echoing.advance(60)
    associate(echoing, "contacts", contact, "companies", company)
    assert [modified(echoing, "contacts", contact), modified(echoing, "companies", company)] == ["09:01", "09:01"]
    echoing.advance(60)
    associate(echoing, "contacts", contact, "companies", company)
    assert modified(echoing, "companies", company) == "09:01"
    echoing.call("DELETE", f"/crm/v4/objects/contacts/{contact}/associations/companies/{company}", expect=204)
    assert [modified(echoing, "contacts", contact), modified(echoing, "companies", company)] == ["09:02", "09:02"]


@pytest.mark.parametrize(("change", "moved"), [({"amount": "7"}, "09:01"), ({"description": "x"}, "09:00")])
def test_what_is_rolled_up_moves_those_who_have_the_deal(echoing, change, moved):
    """Amount, stage and close date of a deal are in its contacts' and companies' totals; its description is not."""
    company = echoing.create("companies", {"name": "C"})
    contact = echoing.create("contacts", {"lastname": "L"})
    deal = echoing.create("deals", OPEN, (company, COMPANY_OF_DEAL), (contact, CONTACT_OF_DEAL))
    echoing.advance(60)
    echoing.update("deals", deal, **change)
    assert [modified(echoing, "contacts", contact), modified(echoing, "companies", company)] == [moved, moved]


def test_an_echo_is_found_by_time_and_makes_no_history(echoing):
    """A search by modified date finds the company whose deal has changed; its values have no new version."""
    company = echoing.create("companies", {"name": "C"})
    deal = echoing.create("deals", OPEN, (company, COMPANY_OF_DEAL))
    echoing.advance(60)
    since = {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "2026-11-02T09:01:00Z"}
    assert echoing.found("companies", since) == []
    echoing.update("deals", deal, amount="7")
    assert echoing.found("companies", since) == [company]
    assert len(echoing.history("companies", company, "name")) == 1


def test_whoever_was_written_just_now_is_not_moved_again(echoing):
    """On a standing clock a thousand deals of a company do not push its modified date into the future."""
    company = echoing.create("companies", {"name": "C"})
    before = echoing.call("GET", f"/crm/v3/objects/companies/{company}")["updatedAt"]
    for _ in range(5):
        echoing.create("deals", OPEN, (company, COMPANY_OF_DEAL))
    assert echoing.call("GET", f"/crm/v3/objects/companies/{company}")["updatedAt"] == before


# -- snapshots


def test_a_portal_that_is_put_back_still_reacts(auto):
    """Deals move the contacts of the portal that was put back, and its new stages have their properties."""
    contact = auto.create("contacts", {"lastname": "L"})
    auto.call("POST", "/_sandbox/snapshots", {"name": "s"}, 204)
    auto.create("deals", WON, (contact, CONTACT_OF_DEAL))
    auto.call("POST", "/_sandbox/restore", {"name": "s"}, 204)
    assert stage(auto, "contacts", contact) is None
    auto.create("deals", OPEN, (contact, CONTACT_OF_DEAL))
    assert stage(auto, "contacts", contact) == "opportunity"
    new = {"label": "New", "displayOrder": 9, "metadata": {"probability": "0.5"}, "stageId": "new"}
    auto.call("POST", "/crm/v3/pipelines/deals/default/stages", new, 201)
    auto.call("GET", "/crm/v3/properties/deals/hs_v2_date_entered_new")
