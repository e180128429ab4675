"""Credentials, scopes, headers, spellings of addresses, counters, and the administrator's acts."""

from __future__ import annotations

import pytest

from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.hubspot.settings import Settings
from connector.sandbox.wire import Request

DEAL = {"dealname": "D", "dealstage": "appointmentscheduled"}


@pytest.mark.parametrize("token", ["", "pat-na1-of-someone-else"])
def test_a_call_without_the_token_is_refused(hub, token):
    """No credentials, or wrong ones: 401 in HubSpot's shape."""
    hub.token = token
    answer = hub.send("GET", "/crm/v3/objects/deals")
    assert answer.status == 401
    assert answer.json["category"] == "INVALID_AUTHENTICATION"
    assert answer.json["message"].startswith("Authentication credentials not found")
    assert answer.json["correlationId"] == answer.headers["X-HubSpot-Correlation-Id"]


def test_a_missing_scope_is_named(hub):
    """403 tells which scope the token lacks."""
    hub.call("PUT", "/_sandbox/scopes", ["crm.objects.deals.read"])
    hub.call("GET", "/crm/v3/objects/deals")
    error = hub.call("POST", "/crm/v3/objects/deals", {"properties": DEAL}, 403)
    assert error["category"] == "MISSING_SCOPES"
    assert error["errors"][0]["context"] == {"requiredGranularScopes": ["crm.objects.deals.write"]}
    assert "scopes" in error["links"]


def test_associations_need_the_scopes_of_both_ends(hub):
    """Reading associations of deals with companies needs both read scopes."""
    hub.call("PUT", "/_sandbox/scopes", ["crm.objects.deals.read"])
    error = hub.call("GET", "/crm/v4/associations/deals/companies/labels", expect=403)
    assert error["errors"][0]["context"] == {"requiredGranularScopes": ["crm.objects.companies.read"]}


def test_the_token_can_be_asked_for_its_scopes(hub):
    """The private-app token endpoint lists scopes, without a bearer header."""
    info = hub.call("POST", "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": hub.token})
    assert set(info) == {"userId", "hubId", "appId", "scopes"}
    assert "crm.objects.deals.write" in info["scopes"]
    hub.call("POST", "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": "other"}, 404)
    hub.call("POST", "/oauth/v2/private-apps/get/access-token-info", {}, 400)


def test_every_answer_carries_the_sandbox_time(hub):
    """`Date` is the sandbox's clock in RFC 7231 form, on errors too."""
    assert hub.send("GET", "/crm/v3/objects/deals").headers["Date"] == "Mon, 02 Nov 2026 09:00:00 GMT"
    assert hub.send("GET", "/nowhere").headers["Date"] == "Mon, 02 Nov 2026 09:00:00 GMT"


def test_limits_are_told_except_on_searches(hub):
    """The daily headers count down, are truthful after a search too, and a new day begins anew."""
    first = hub.send("GET", "/crm/v3/objects/deals").headers
    search = hub.send("POST", "/crm/v3/objects/deals/search", {}).headers
    third = hub.send("GET", "/crm/v3/owners").headers
    left = [int(headers["X-HubSpot-RateLimit-Daily-Remaining"]) for headers in (first, third)]
    assert left == [int(first["X-HubSpot-RateLimit-Daily"]) - 1, left[0] - 2]
    assert first["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert first["X-HubSpot-RateLimit-Max"] == first["X-HubSpot-RateLimit-Remaining"]
    assert not [name for name in search if "RateLimit" in name]
    hub.advance(86_400)
    next_day = hub.send("GET", "/crm/v3/owners").headers
    assert int(next_day["X-HubSpot-RateLimit-Daily-Remaining"]) == left[0]


@pytest.mark.parametrize("kind", ["deals", "deal", "0-3"])
@pytest.mark.parametrize("base", ["/crm/v3/objects/{}", "/crm/objects/2026-09/{}", "/crm/objects/2025-09/{}/"])
def test_every_spelling_reaches_the_same_records(hub, base, kind):
    """Names, singulars and type ids, old and dated paths, with or without a slash at the end."""
    record_id = hub.create("deals", DEAL)
    assert hub.call("GET", base.format(kind))["results"][0]["id"] == record_id


@pytest.mark.parametrize(
    "path",
    [
        "/crm/v4/objects/deals",
        "/crm/v3/associations/deals/contacts/labels",
        "/crm/2026-09/objects/deals",
        "/crm/objects/2024-01/deals",
        "/crm/v3/objects",
        "/crm",
        "/contacts/v1/lists",
    ],
)
def test_an_address_that_does_not_exist_is_not_found(hub, path):
    """What no version of HubSpot serves is a 404 in HubSpot's shape."""
    assert hub.call("GET", path, expect=404)["category"] == "OBJECT_NOT_FOUND"


def test_an_unknown_object_type_is_refused(hub):
    """A type that the portal has not cannot be inferred."""
    assert "unicorns" in hub.call("GET", "/crm/v3/objects/unicorns", expect=400)["message"]


@pytest.mark.parametrize("body", ["text", ["list"], 7])
def test_a_body_of_the_wrong_shape_is_refused(hub, body):
    """JSON that is no object is a 400."""
    assert hub.call("POST", "/crm/v3/objects/deals", body, 400)["category"] == "VALIDATION_ERROR"


def test_a_body_that_is_no_json_is_refused(hub):
    """Broken JSON is a 400."""
    headers = {"Authorization": f"Bearer {hub.token}"}
    request = Request.make("POST", "https://api.hubapi.com/crm/v3/objects/deals", headers, b"{")
    assert hub.sandbox(request).status == 400


def test_calls_are_counted_by_what_they_are(hub):
    """Every API call counts once, refused ones too; `/_sandbox/` never does."""
    hub.create("deals", DEAL)
    hub.search("0-3")
    hub.call("GET", "/crm/pipelines/2026-09/deal")
    hub.call("POST", "/crm/v4/associations/0-3/contacts/batch/read", {"inputs": [{"id": "1"}]}, 207)
    hub.call("GET", "/crm/v3/objects/deals/1", expect=404)
    hub.call("GET", "/_sandbox/owners")
    assert hub.call("GET", "/_sandbox/usage") == {
        "total": 5,
        "by_resource": {
            "associations/batch/read": 1,
            "deals/create": 1,
            "deals/read": 1,
            "deals/search": 1,
            "pipelines": 1,
        },
    }
    hub.call("POST", "/_sandbox/usage/reset", expect=204)
    assert hub.call("GET", "/_sandbox/usage")["total"] == 0
    assert hub.call("GET", "/account-info/v3/api-usage/daily/private-apps")["results"][0]["currentUsage"] == 6


def test_the_account_describes_itself(hub):
    """Account details are served under both spellings."""
    details = hub.call("GET", "/account-info/v3/details")
    assert details == hub.call("GET", "/account-info/2026-09/details")
    assert {"portalId", "timeZone", "companyCurrency", "accountType"} <= details.keys()


def test_reset_empties_the_portal(hub):
    """Records, settings and counters go; the token stays, and the same ids come again."""
    first = hub.create("deals", DEAL)
    hub.set(max_pipelines=1)
    hub.call("POST", "/_sandbox/reset", expect=204)
    assert hub.call("GET", "/crm/v3/objects/deals")["results"] == []
    assert hub.call("GET", "/_sandbox/settings")["max_pipelines"] == 15
    assert hub.create("deals", DEAL) == first


def test_a_reset_goes_back_to_the_settings_given_at_first():
    """What a portal was made with holds after a reset too, whatever was set in between."""
    at_first = Settings(enforce_limits="running")
    sandbox = HubSpotSandbox(settings=at_first)
    sandbox.settings.change({"enforce_limits": "never", "max_pipelines": 1})
    assert at_first == Settings(enforce_limits="running")
    sandbox.reset()
    assert sandbox.settings == at_first


def test_everything_follows_from_the_seed():
    """The same seed gives the same token; another one another."""
    assert HubSpotSandbox(seed=3).access_token == HubSpotSandbox(seed=3).access_token
    assert HubSpotSandbox(seed=3).access_token != HubSpotSandbox(seed=4).access_token
    assert HubSpotSandbox().access_token.startswith("pat-na1-")


@pytest.mark.parametrize(
    "settings",
    [
        {"no_such": 1},
        {"max_pipelines": "many"},
        {"max_pipelines": True},
        {"shuffle_batches": 1},
        {"lifecycle_backward": "sometimes"},
        {"enforce_limits": "sometimes"},
        {"enforce_limits": False},
        {"stage_on_deal_won": "custommer"},
        {"exchange_rates": {"EUR": "dear"}},
        {"time_zone": "Middle/Earth"},
        [],
    ],
)
def test_a_wrong_setting_is_refused_whole(hub, settings):
    """Nothing is changed by a body with an unknown name or a wrong value."""
    before = hub.call("GET", "/_sandbox/settings")
    assert "error" in hub.call("PUT", "/_sandbox/settings", settings, 400)
    assert hub.call("GET", "/_sandbox/settings") == before


def test_the_side_entrance_refuses_what_it_does_not_know(hub):
    """Unknown acts are 404, wrong bodies 400."""
    hub.call("GET", "/_sandbox/nothing", expect=404)
    hub.call("PUT", "/_sandbox/scopes", "all", 400)
    hub.call("POST", "/_sandbox/owners", {"email": "a@example.com"}, 400)


def test_a_stage_of_the_portals_own_can_be_set(hub):
    """Automation may name a lifecycle stage that was added; an unknown one is refused, told those there are."""
    told = hub.call("PUT", "/_sandbox/settings", {"stage_on_deal_won": "vip"}, 400)["error"]
    assert told.startswith("there is no lifecycle stage vip; there are ")
    assert "customer" in told
    options = hub.call("GET", "/crm/v3/properties/contacts/lifecyclestage")["options"]
    vip = {"label": "VIP", "value": "vip", "displayOrder": 20, "hidden": False}
    hub.call("PATCH", "/crm/v3/properties/contacts/lifecyclestage", {"options": [*options, vip]})
    assert hub.call("PUT", "/_sandbox/settings", {"stage_on_deal_won": "vip"})["stage_on_deal_won"] == "vip"


def test_the_clock_can_be_moved(hub):
    """The clock endpoint is the sandbox's own clock."""
    hub.call("POST", "/_sandbox/clock", {"advance": 60})
    assert hub.send("GET", "/crm/v3/owners").headers["Date"] == "Mon, 02 Nov 2026 09:01:00 GMT"


@pytest.mark.parametrize(("status", "category"), [
    (401, "INVALID_AUTHENTICATION"), (403, "MISSING_SCOPES"), (423, "LOCKED"), (429, "RATE_LIMITS"),
    (477, "MIGRATION_IN_PROGRESS"), (418, "VALIDATION_ERROR"),
])  # fmt: skip
def test_a_refusal_on_order_has_the_vendors_shape(hub, status, category):
    """What comes from the edge has a category, a 429 its policy too, and the headers that were ordered."""
    hub.call("POST", "/_sandbox/faults", {"kind": "status", "status": status, "times": 1, "headers": {"X-Y": "z"}})
    answer = hub.send("GET", "/crm/v3/objects/deals")
    assert (answer.status, answer.json["category"], answer.headers["X-Y"]) == (status, category, "z")
    assert answer.json.get("policyName") == ("TEN_SECONDLY_ROLLING" if status == 429 else None)
    hub.call("GET", "/crm/v3/objects/deals")


def test_a_broken_edge_answers_no_json(hub):
    """5xx are pages, not errors of the API."""
    hub.call("POST", "/_sandbox/faults", {"kind": "status", "status": 503, "times": 1})
    request = Request.make(
        "GET", "https://api.hubapi.com/crm/v3/owners", {"Authorization": f"Bearer {hub.token}"}, b""
    )
    answer = hub.sandbox(request)
    assert (answer.status, answer.headers["Content-Type"]) == (503, "text/html")


@pytest.mark.parametrize("header", ["", "Basic {}", "{}", "Bearer"])
def test_only_a_bearer_is_let_in(hub, header):
    """Other schemes, or none, are nobody."""
    headers = {"Authorization": header.format(hub.token)} if header else {}
    assert hub.sandbox(Request.make("GET", "https://api.hubapi.com/crm/v3/owners", headers, b"")).status == 401


def test_somebody_has_an_address(hub):
    """A person is named by an e-mail address and nothing else."""
    for body in ({}, {"email": 7}, {"email": "a@example.com", "name": "A"}, []):
        hub.call("POST", "/_sandbox/people", body, 400)
