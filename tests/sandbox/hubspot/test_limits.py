"""Calls beyond the limits: the windows, the day, who they belong to, and what is told of them."""

from __future__ import annotations

import pytest

from connector.sandbox.clock import Clock
from connector.sandbox.hubspot import HubSpotSandbox
from tests.sandbox.hubspot.conftest import START, Hub

LIST = ("GET", "/crm/v3/objects/deals")
SEARCH = ("POST", "/crm/v3/objects/deals/search", {})
LINKS = ("POST", "/crm/v4/associations/deals/contacts/batch/read", {"inputs": [{"id": "1"}]})
REMAINING = "X-HubSpot-RateLimit-Remaining"


@pytest.fixture
def limited(hub):
    """A portal with small limits."""
    hub.set(enforce_limits="always", burst_limit=3, search_limit=2, association_limit=2, oauth_burst_limit=1)
    return hub


def sign_in(hub):
    """A client of the same portal whose token is an OAuth app's."""
    app = hub.call("GET", "/_sandbox/app")
    client = {name: app[name] for name in ("client_id", "client_secret", "refresh_token")}
    other = Hub(hub.sandbox)
    other.token = hub.form("/oauth/v1/token", grant_type="refresh_token", **client)["access_token"]
    return other


def test_the_documented_numbers_are_the_default(hub):
    """Those of a Professional subscription; a new sandbox does not enforce them."""
    settings = hub.call("GET", "/_sandbox/settings")
    assert settings["enforce_limits"] == "never"
    names = ("daily_limit", "burst_limit", "oauth_burst_limit", "search_limit", "association_limit")
    assert [settings[name] for name in names] == [625_000, 190, 110, 5, 150]
    assert settings["association_daily_limit"] == 500_000


def test_a_burst_is_refused(limited):
    """The fourth call within ten seconds is a 429 in HubSpot's shape; nothing is done, and it takes no room."""
    assert [limited.send(*LIST).headers[REMAINING] for _ in range(3)] == ["2", "1", "0"]
    body = {"properties": {"dealname": "D", "dealstage": "closedwon"}}
    answer = limited.send("POST", LIST[1], body)
    assert answer.status == 429
    assert answer.json["message"] == "You have reached your ten_secondly_rolling limit."
    assert (answer.json["errorType"], answer.json["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    assert answer.json["requestId"]
    assert answer.json["requestId"] != answer.json["correlationId"]
    assert answer.headers[REMAINING] == "0"
    assert "Retry-After" not in answer.headers
    limited.advance(10)
    page = limited.send(*LIST)
    assert (page.json["results"], page.headers[REMAINING]) == ([], "2")


def test_the_window_rolls(limited):
    """Room comes back call by call, ten seconds after each."""
    for _ in range(3):
        limited.call(*LIST)
        limited.advance(4)
    limited.call(*LIST)
    limited.call(*LIST, expect=429)
    limited.advance(2)
    limited.call(*LIST)


def test_a_clock_set_back_locks_nobody_out(limited):
    """Calls from a future that is no more do not count."""
    for _ in range(3):
        limited.call(*LIST)
    limited.advance(-60)
    limited.call(*LIST)


def test_searches_have_a_limit_of_their_own(limited):
    """By the second; they neither fill the burst window nor wait for it, and tell nothing."""
    assert limited.send(*SEARCH).status == limited.send(*SEARCH).status == 200
    refused = limited.send(*SEARCH)
    assert (refused.status, refused.json["policyName"]) == (429, "SECONDLY")
    assert refused.json["message"] == "You have reached your secondly limit."
    assert not [name for name in refused.headers if "RateLimit" in name]
    assert limited.send(*LIST).headers[REMAINING] == "2"
    limited.advance(1)
    limited.call(*SEARCH)


def test_batches_of_associations_have_a_limit_of_their_own(limited):
    """They are exempt from the burst window; single associations are not."""
    limited.call(*LINKS, expect=207)
    limited.call(*LINKS, expect=207)
    assert limited.call(*LINKS, expect=429)["policyName"] == "TEN_SECONDLY_ROLLING"
    assert limited.send(*LIST).headers[REMAINING] == "2"
    labels = limited.send("GET", "/crm/v4/associations/deals/contacts/labels")
    assert (labels.status, labels.headers[REMAINING]) == (200, "1")


def test_a_day_has_its_limit(limited):
    """The daily limit counts every kind of call, and ends at midnight."""
    limited.set(daily_limit=4, burst_limit=100)
    for call, status in ((LIST, 200), (SEARCH, 200), (LINKS, 207), (LIST, 200)):
        limited.call(*call, expect=status)
    refused = limited.send(*LIST)
    assert (refused.status, refused.json["policyName"]) == (429, "DAILY")
    assert refused.json["message"] == "You have reached your daily limit."
    assert refused.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
    assert limited.call(*SEARCH, expect=429)["policyName"] == "DAILY"
    limited.advance(15 * 3_600)
    assert limited.send(*LIST).headers["X-HubSpot-RateLimit-Daily-Remaining"] == "3"


def test_associations_have_a_day_of_their_own(limited):
    """Their daily limit leaves other calls alone."""
    limited.set(association_daily_limit=1)
    limited.call(*LINKS, expect=207)
    assert limited.call(*LINKS, expect=429)["policyName"] == "DAILY"
    limited.call(*LIST)


def test_midnight_is_that_of_the_account(limited):
    """The day ends, and account information says so, by the time zone of the account."""
    limited.set(time_zone="America/New_York", daily_limit=2)
    usage = limited.call("GET", "/account-info/v3/api-usage/daily/private-apps")["results"][0]
    assert usage["resetsAt"] == "2026-11-03T05:00:00.000Z"
    assert (usage["usageLimit"], usage["currentUsage"]) == (2, 1)
    limited.call(*LIST)
    limited.advance(15 * 3_600)
    limited.call(*LIST, expect=429)
    limited.advance(5 * 3_600)
    limited.call(*LIST)


def test_an_oauth_app_is_counted_apart(limited):
    """Its burst is its own, and it is neither told of the day nor counted in it; search is the account's."""
    limited.set(daily_limit=1)
    other = sign_in(limited)
    answer = other.send(*LIST)
    assert (answer.status, answer.headers["X-HubSpot-RateLimit-Max"], answer.headers[REMAINING]) == (200, "1", "0")
    assert not [name for name in answer.headers if "Daily" in name]
    other.call(*LIST, expect=429)
    limited.call(*LIST)
    other.call(*SEARCH)
    other.call(*SEARCH)
    other.call(*SEARCH, expect=429)


def test_people_in_hubspots_pages_have_no_limit(limited):
    """They make no API calls."""
    person = Hub(limited.sandbox)
    person.token = limited.call("POST", "/_sandbox/people", {"email": "p@example.com"}, 201)["token"]
    for _ in range(9):
        answer = person.send(*LIST)
    assert (answer.status, [name for name in answer.headers if "RateLimit" in name]) == (200, [])
    assert limited.send(*LIST).headers[REMAINING] == "2"


@pytest.mark.parametrize(("enforce", "frozen", "status"), [
    ("never", True, 200), ("never", False, 200), ("running", True, 200), ("running", False, 429),
    ("always", True, 429), ("always", False, 429),
])  # fmt: skip
def test_who_is_held_to_the_limits(enforce, frozen, status):
    """A clock that stands locks nobody out unless that is asked for; unenforced limits are never near."""
    hub = Hub(HubSpotSandbox(Clock(frozen_at=START)))
    if not frozen:
        hub.sandbox.clock.run()
    hub.set(enforce_limits=enforce, burst_limit=1)
    hub.call(*LIST)
    answer = hub.send(*LIST)
    assert answer.status == status
    assert answer.headers[REMAINING] == ("1" if status == 200 else "0")


def test_how_long_to_wait_may_be_told(limited):
    """With the switch on, `Retry-After` has the whole seconds until there is room again."""
    limited.set(send_retry_after=True)
    for _ in range(3):
        limited.call(*LIST)
    limited.advance(3.5)
    assert limited.send(*LIST).headers["Retry-After"] == "7"
    limited.set(daily_limit=3)
    assert limited.send(*LIST).headers["Retry-After"] == str(15 * 3_600 - 3)


def test_a_reset_empties_the_windows(limited):
    """All counters begin anew."""
    for _ in range(3):
        limited.call(*LIST)
    limited.call("POST", "/_sandbox/reset", expect=204)
    limited.set(enforce_limits="always", burst_limit=3)
    assert limited.send(*LIST).headers[REMAINING] == "2"


@pytest.mark.parametrize(("zone", "offset", "milliseconds"), [
    ("UTC", "+00:00", 0), ("America/New_York", "-05:00", -18_000_000), ("Asia/Kolkata", "+05:30", 19_800_000),
])  # fmt: skip
def test_the_account_tells_its_offset(hub, zone, offset, milliseconds):
    """Of its time zone, on the day of the clock; and its currencies."""
    hub.set(time_zone=zone, home_currency="EUR")
    told = hub.call("GET", "/account-info/v3/details")
    assert (told["timeZone"], told["utcOffset"], told["utcOffsetMilliseconds"]) == (zone, offset, milliseconds)
    assert told["companyCurrency"] == "EUR"
