"""The calls older than v3: HubSpot's older shape of a record, and the pages it comes in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.sandbox.hubspot.api.routes import LEGACY_ROUTES

AT = 1_793_610_000_000  # 2 November 2026, 9:00 UTC, where the clock stands
OPEN = {"dealname": "D", "dealstage": "appointmentscheduled"}
PAGED = {"companies": ("/companies/v2/companies/paged", "has-more"), "deals": ("/deals/v1/deal/paged", "hasMore")}
READ = {"companies": "/companies/v2/companies/{}", "deals": "/deals/v1/deal/{}"}
NEW = {"companies": {"name": "C"}, "deals": OPEN}
ID = {"companies": "companyId", "deals": "dealId"}


def of_one(value, at=AT, name="dealname"):
    """A property that was set once, in the old shape."""
    version = {"value": value, "timestamp": at, "source": "INTEGRATION", "sourceId": "2417309"}
    return {**version, "versions": [{"name": name, "sourceVid": [], **version}]}


def test_a_deal_in_the_old_shape(hub):
    """Ids and moments are numbers, each property tells when it was set, and what is empty is left out."""
    company = hub.create("companies", {"name": "C"})
    deal = hub.create("deals", {**OPEN, "closedate": "2026-12-24T18:00:00Z"}, (company, 341))
    shown = hub.call("GET", f"/deals/v1/deal/{deal}")
    christmas = int(datetime(2026, 12, 24, 18, tzinfo=UTC).timestamp() * 1000)
    assert shown["properties"]["dealname"] == of_one("D")
    assert shown["properties"]["closedate"] == of_one(str(christmas), name="closedate")
    assert shown["properties"]["createdate"]["value"] == str(AT)
    assert "amount" not in shown["properties"]
    assert shown["associations"] == {
        "associatedVids": [],
        "associatedCompanyIds": [int(company)],
        "associatedDealIds": [],
    }
    assert (shown["dealId"], shown["portalId"], shown["isDeleted"]) == (int(deal), 48160219, False)


def test_a_company_in_the_old_shape(hub):
    """The same for a company; all versions of a value are shown to who asks for them."""
    company = hub.create("companies", {"name": "Before"})
    hub.advance(60)
    hub.update("companies", company, name="After")
    shown = hub.call("GET", f"/companies/v2/companies/{company}")
    assert shown["companyId"] == int(company)
    assert shown["additionalDomains"] == []
    assert shown["properties"]["name"] == of_one("After", AT + 60_000, "name")
    shown = hub.call("GET", f"/companies/v2/companies/{company}?includePropertyVersions=true")
    assert [one["value"] for one in shown["properties"]["name"]["versions"]] == ["After", "Before"]


@pytest.mark.parametrize("kind", PAGED)
def test_pages_by_offset(hub, kind):
    """Each page names the offset of the next one; the last says that there is no more."""
    made = [int(hub.create(kind, NEW[kind])) for _ in range(5)]
    path, more = PAGED[kind]
    seen, offset = [], 0
    for there_is_more in (True, True, False):
        page = hub.call("GET", f"{path}?limit=2&offset={offset}")
        seen += [row[ID[kind]] for row in page[kind]]
        offset = page["offset"]
        assert page[more] is there_is_more
    assert seen == made


@pytest.mark.parametrize("kind", PAGED)
def test_pages_hold_the_properties_asked_for(hub, kind):
    """None of them unless named; `includeAllProperties` means every one, `propertiesWithHistory` its past too."""
    name = next(iter(NEW[kind]))
    record = hub.create(kind, NEW[kind])
    hub.advance(60)
    hub.update(kind, record, **{name: "New"})
    path = PAGED[kind][0]

    def properties(query):
        return hub.call("GET", f"{path}?{query}")[kind][0]["properties"]

    assert properties("") == {}
    assert properties(f"properties={name}&properties=nonsense")[name]["value"] == "New"
    assert {name, "createdate", "hs_object_id"} < properties("includeAllProperties=True").keys()
    assert len(properties(f"properties={name}")[name]["versions"]) == 1
    assert len(properties(f"propertiesWithHistory={name}")[name]["versions"]) == 2


def test_associations_of_a_page_are_shown_if_asked_for(hub):
    """With `includeAssociations` the ids, without it nothing."""
    contact = hub.create("contacts", {"lastname": "L"})
    hub.create("deals", OPEN, (contact, 3))
    page = hub.call("GET", "/deals/v1/deal/paged?includeAssociations=true")
    assert page["deals"][0]["associations"]["associatedVids"] == [int(contact)]
    assert hub.call("GET", "/deals/v1/deal/paged")["deals"][0]["associations"] is None


@pytest.mark.parametrize("kind", PAGED)
def test_what_cannot_be_read_is_refused(hub, kind):
    """A record that is not there: 404; a page beyond 250: 400; no scope: 403."""
    record = hub.create(kind, NEW[kind])
    hub.call("DELETE", f"/crm/v3/objects/{kind}/{record}", expect=204)
    hub.call("GET", READ[kind].format(record), expect=404)
    hub.call("GET", READ[kind].format("x"), expect=404)
    hub.call("GET", f"{PAGED[kind][0]}?limit=251", expect=400)
    assert hub.call("GET", PAGED[kind][0])[kind] == []
    hub.call("PUT", "/_sandbox/scopes", [])
    hub.call("GET", PAGED[kind][0], expect=403)


@pytest.mark.parametrize(
    ("kind", "path"), [("deals", "/properties/v1/deals/properties"), ("companies", "/companies/v2/properties")]
)
def test_definitions_agree_with_v3(hub, kind, path):
    """The same properties, types and options; moments are numbers."""
    new = {row["name"]: row for row in hub.call("GET", f"/crm/v3/properties/{kind}")["results"]}
    old = {row["name"]: row for row in hub.call("GET", path)}
    assert old.keys() == new.keys()
    for name, row in old.items():
        for same in ("label", "type", "fieldType", "groupName", "options", "hubspotDefined", "calculated"):
            assert row[same] == new[name][same]
        assert row["readOnlyValue"] == new[name]["modificationMetadata"]["readOnlyValue"]
        assert row["createdAt"] == AT


def test_pipelines_agree_with_v3(hub):
    """The same pipelines and stages; a probability is a number, and won stages are marked."""
    (new,) = hub.call("GET", "/crm/v3/pipelines/deals")["results"]
    (old,) = hub.call("GET", "/deals/v1/pipelines")
    assert (old["pipelineId"], old["label"], old["active"]) == (new["id"], new["label"], True)
    assert [(one["stageId"], str(one["probability"])) for one in old["stages"]] == [
        (one["id"], one["metadata"]["probability"]) for one in new["stages"]
    ]
    assert [one["stageId"] for one in old["stages"] if one["closedWon"]] == ["closedwon"]


def test_v3_associations_by_batch(hub):
    """Rows of id and type for those that have some; the others are errors of a 207."""
    contact = hub.create("contacts", {"lastname": "L"})
    company, alone = hub.create("companies", {"name": "C"}), hub.create("companies", {"name": "D"})
    hub.call("PUT", f"/crm/v4/objects/contacts/{contact}/associations/default/companies/{company}")
    path = "/crm/v3/associations/company/contact/batch/read"
    answer = hub.call("POST", path, {"inputs": [{"id": int(company)}, {"id": alone}]}, 207)
    (row,) = answer["results"]
    assert row["from"] == {"id": company}
    assert {one["id"] for one in row["to"]} == {contact}
    assert "company_to_contact" in {one["type"] for one in row["to"]}
    assert answer["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert answer["errors"][0]["context"]["fromObjectId"] == [alone]


def test_a_portal_has_no_custom_object_types(hub):
    """An empty list, to who may ask."""
    assert hub.call("GET", "/crm/v3/schemas") == {"results": []}


def test_tickets_need_a_scope_that_the_app_has_not(hub):
    """Not 400 as for a type that HubSpot does not know; who has no token is told neither."""
    error = hub.call("GET", "/crm/v3/properties/tickets", expect=403)
    assert error["errors"][0]["context"] == {"requiredGranularScopes": ["tickets"]}
    hub.call("GET", "/crm/v3/properties/nonsense", expect=400)
    hub.token = "pat-na1-of-someone-else"
    hub.call("GET", "/crm/v3/properties/tickets", expect=401)
    hub.call("GET", "/crm/v3/properties/nonsense", expect=401)


def test_associations_that_do_not_exist_are_passed_over(hub):
    """A list may be asked for associations with types that are not there."""
    company = hub.create("companies", {"name": "C"})
    deal = hub.create("deals", OPEN, (company, 341))
    shown = hub.call("GET", f"/crm/v3/objects/deals/{deal}?associations=tickets,companies,nonsense")
    assert list(shown["associations"]) == ["companies"]


@pytest.mark.parametrize("route", LEGACY_ROUTES, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize("value", ["99999999999999999999", "é", "-1", "0-2", "x y"])
def test_odd_paths_and_parameters_are_answered(hub, route, value):
    """Arbitrary path parts, page sizes and offsets."""
    path = "/".join(value if part.startswith("{") else part for part in route.path.split("/"))
    body = {"inputs": [{"id": value}]} if route.method == "POST" else None
    for query in ("", f"limit={value}", f"offset={value}", f"properties={value}"):
        assert hub.send(route.method, f"/{path}?{query}", body).status in {200, 207, 400, 404}
