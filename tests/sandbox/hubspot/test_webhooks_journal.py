"""The webhooks journal: tokens of the app, subscriptions, and entries that are read by offset."""

from __future__ import annotations

import pytest
from sandbox.hubspot.receiver import Receiver

from connector.sandbox.wire import Request

PORTAL_ID = 48160219
SCOPES = " ".join(
    f"developer.webhooks_journal.{right}" for right in ("read", "subscriptions.read", "subscriptions.write")
)
JOURNAL, SUBSCRIPTIONS = "/webhooks-journal/journal/2026-03", "/webhooks-journal/subscriptions/2026-03"


class Reader:
    """An app that reads the journal with a token of its own."""

    def __init__(self, hub, scope=SCOPES, version="2026-03"):
        self.hub = hub
        form = {"client_id": hub.sandbox.client_id, "client_secret": hub.sandbox.client_secret}
        granted = hub.form(f"/oauth/{version}/token", grant_type="client_credentials", scope=scope, **form)
        assert granted == {
            "access_token": granted["access_token"],
            "expires_in": 1800,
            "token_type": "bearer",
            "token_use": "client_credentials",
        }
        self.token = granted["access_token"]

    def call(self, method, path, body=None, expect=200):
        own, self.hub.token = self.hub.token, self.token
        try:
            return self.hub.call(method, path, body, expect)
        finally:
            self.hub.token = own

    def subscribe(self, *actions, kind="OBJECT", objects="0-3", properties=(), ids=(), expect=200):
        body = {
            "subscriptionType": kind,
            "objectTypeId": objects,
            "portalId": PORTAL_ID,
            "actions": list(actions),
            "properties": list(properties),
            "objectIds": list(ids),
        }
        return self.call("POST", SUBSCRIPTIONS, body, expect)

    def file(self, entry):
        """The file of an entry, fetched without a token."""
        own, self.hub.token = self.hub.token, ""
        try:
            return self.hub.call("GET", entry["url"].removeprefix("https://api.hubapi.com"))
        finally:
            self.hub.token = own

    def events(self):
        """The events of all entries."""
        batch = self.call("GET", f"{JOURNAL}/batch/earliest/100")
        return [event for entry in batch["results"] for event in self.file(entry)["journalEvents"]]


@pytest.fixture
def reader(hub):
    return Reader(hub)


def deal(hub, **more):
    return hub.create("deals", {"dealname": "D", "dealstage": "appointmentscheduled", **more})


def told(events):
    return [(event["action"], event["objectId"], event.get("propertyChanges")) for event in events]


def test_an_entry_leads_to_a_file(hub, reader):
    """The earliest entry names its offset and the address of a file, which holds the events."""
    reader.subscribe("CREATE")
    made = deal(hub)
    entry = reader.call("GET", f"{JOURNAL}/earliest")
    assert entry.keys() == {"url", "currentOffset", "expiresAt"}
    assert entry["expiresAt"] == "2026-11-02T10:00:00.000Z"
    assert reader.file(entry) == {
        "offset": entry["currentOffset"],
        "publishedAt": "2026-11-02T09:00:00.000Z",
        "journalEvents": [
            {
                "type": "crmObject",
                "portalId": PORTAL_ID,
                "occurredAt": "2026-11-02T09:00:00.000Z",
                "action": "CREATE",
                "objectTypeId": "0-3",
                "objectId": int(made),
            }
        ],
    }


def test_the_address_of_a_file_ends(hub, reader):
    """After an hour the file is refused, and a new reading of the entry names a new address."""
    reader.subscribe("CREATE")
    deal(hub)
    entry = reader.call("GET", f"{JOURNAL}/earliest")
    hub.advance(3601)
    answer = hub.sandbox(Request.make("GET", entry["url"], {}, b""))
    assert (answer.status, b"AccessDenied" in answer.body) == (403, True)
    reader = Reader(hub)
    assert reader.file(reader.call("GET", f"{JOURNAL}/earliest"))["offset"] == entry["currentOffset"]


def test_all_values_of_a_write_are_one_event(hub, reader):
    """A creation and an update each tell their subscribed properties together; an unchanged one is not told."""
    reader.subscribe("CREATE", "UPDATE", properties=("amount", "description"))
    made = deal(hub, amount="1", description="x")
    hub.update("deals", made, amount="2", description="y")
    hub.update("deals", made, amount="2", dealname="E")
    hub.update("deals", made, amount="", description="y")
    assert told(reader.events()) == [
        ("CREATE", int(made), {"amount": "1", "description": "x"}),
        ("UPDATE", int(made), {"amount": "2", "description": "y"}),
        ("UPDATE", int(made), {"amount": ""}),
    ]


def test_creations_alone_tell_no_updates(hub, reader):
    """A subscription for `CREATE` hears of the new record's values, not of later ones."""
    reader.subscribe("CREATE", properties=("amount",))
    made = deal(hub, amount="1")
    hub.update("deals", made, amount="2")
    assert told(reader.events()) == [("CREATE", int(made), {"amount": "1"})]


def test_deletions_merges_and_restores_are_told(hub, reader):
    """Each with its action; a merge names those that were merged."""
    hub.set(merge_mints_new_id=False)
    reader.subscribe("DELETE", "MERGE", "RESTORE", objects="0-2")
    one, other, third = (hub.create("companies", {"name": name}) for name in "abc")
    hub.call("POST", "/crm/v3/objects/companies/merge", {"primaryObjectId": one, "objectIdToMerge": other})
    hub.call("DELETE", f"/crm/v3/objects/companies/{third}", expect=204)
    hub.call("POST", "/_sandbox/restore_records", {"objectType": "companies", "ids": [third]}, 204)
    events = reader.events()
    assert told(events) == [("MERGE", int(one), None), ("DELETE", int(third), None), ("RESTORE", int(third), None)]
    assert events[0]["mergedObjectIds"] == [int(other)]


def test_a_contact_deleted_for_good_is_told(hub, reader):
    """By a subscription of its own type."""
    reader.subscribe("GDPR_DELETE", kind="GDPR_PRIVACY_DELETION", objects="0-1")
    made = hub.create("contacts", {"email": "a@example.com"})
    hub.call("POST", "/crm/v3/objects/contacts/gdpr-delete", {"objectId": made}, 204)
    assert told(reader.events()) == [("GDPR_DELETE", int(made), None)]


def test_associations_are_told(hub, reader):
    """Added and removed, with both ends and the type."""
    reader.subscribe("ASSOCIATION_ADDED", "ASSOCIATION_REMOVED", kind="ASSOCIATION")
    one = deal(hub)
    contact = hub.create("contacts", {"email": "a@example.com"}, (one, 4))
    hub.call("DELETE", f"/crm/v4/objects/contacts/{contact}/associations/deals/{one}", expect=204)
    events = reader.events()
    assert [event["action"] for event in events] == ["ASSOCIATION_ADDED", "ASSOCIATION_REMOVED"]
    assert events[0] == {
        "type": "association",
        "portalId": PORTAL_ID,
        "occurredAt": "2026-11-02T09:00:00.000Z",
        "action": "ASSOCIATION_ADDED",
        "fromObjectId": int(one),
        "toObjectId": int(contact),
        "fromObjectTypeId": "0-3",
        "toObjectTypeId": "0-1",
        "associationTypeId": 3,
        "associationCategory": "HUBSPOT_DEFINED",
    }


def test_single_records_may_be_subscribed_to(hub, reader):
    """With `objectIds` others stay silent."""
    one, other = deal(hub), deal(hub)
    reader.subscribe("UPDATE", properties=("amount",), ids=(int(one),))
    hub.update("deals", other, amount="1")
    hub.update("deals", one, amount="2")
    assert told(reader.events()) == [("UPDATE", int(one), {"amount": "2"})]


def test_the_journal_is_read_on_from_an_offset(hub, reader):
    """Entry after entry; at the end there is no content, and what happens then is the next entry."""
    reader.subscribe("CREATE")
    made, offsets = [], []
    for _ in range(3):
        made.append(int(deal(hub)))
        offsets.append(reader.call("GET", f"{JOURNAL}/latest")["currentOffset"])
    assert reader.call("GET", f"{JOURNAL}/earliest")["currentOffset"] == offsets[0]
    following = reader.call("GET", f"{JOURNAL}/offset/{offsets[0]}/next")
    assert (following["currentOffset"], told(reader.file(following)["journalEvents"])) == (
        offsets[1],
        [("CREATE", made[1], None)],
    )
    assert reader.call("GET", f"{JOURNAL}/offset/{offsets[2]}/next", expect=204) is None
    made.append(int(deal(hub)))
    last = reader.call("GET", f"{JOURNAL}/offset/{offsets[2]}/next")
    assert [event["objectId"] for event in reader.file(last)["journalEvents"]] == made[3:]


def test_an_empty_journal_has_no_content(reader):
    """204 for single entries, an empty batch for several, 404 after an unknown offset."""
    for path in ("earliest", "latest"):
        assert reader.call("GET", f"{JOURNAL}/{path}", expect=204) is None
    assert reader.call("GET", f"{JOURNAL}/batch/latest/5")["results"] == []
    reader.call("GET", f"{JOURNAL}/offset/550e8400-e29b-41d4-a716-446655440000/next", expect=404)


def test_entries_are_read_in_batches(hub, reader):
    """The first, the last, those after an offset, and named ones; at most a hundred."""
    reader.subscribe("CREATE")
    offsets = []
    for _ in range(4):
        deal(hub)
        offsets.append(reader.call("GET", f"{JOURNAL}/latest")["currentOffset"])

    def read(path, expect=200):
        return [
            entry["currentOffset"]
            for entry in reader.call("GET", f"{JOURNAL}/batch/{path}", None, expect)["results"]
        ]

    assert read("earliest/2") == offsets[:2]
    assert read("latest/2") == offsets[2:]
    assert read(f"{offsets[0]}/next/2") == offsets[1:3]
    named = reader.call("POST", f"{JOURNAL}/batch/read", {"inputs": [offsets[3], offsets[0]]})
    assert [entry["currentOffset"] for entry in named["results"]] == [offsets[3], offsets[0]]
    mixed = reader.call("POST", f"{JOURNAL}/batch/read", {"inputs": [offsets[3], "x"]}, 207)
    assert (len(mixed["results"]), mixed["errors"][0]["context"]) == (1, {"ids": ["x"]})
    for count in ("0", "101", "many"):
        reader.call("GET", f"{JOURNAL}/batch/earliest/{count}", expect=400)
    reader.call("POST", f"{JOURNAL}/batch/read", {"inputs": []}, 400)


def test_entries_are_kept_for_three_days(hub, reader):
    """By the sandbox's clock; an offset that has gone is not found."""
    reader.subscribe("CREATE")
    deal(hub)
    first = reader.call("GET", f"{JOURNAL}/earliest")["currentOffset"]
    hub.advance(2 * 86400)
    made = deal(hub)
    hub.advance(86400 + 1)
    reader = Reader(hub)
    assert told(reader.events()) == [("CREATE", int(made), None)]
    reader.call("GET", f"{JOURNAL}/offset/{first}/next", expect=404)


def test_a_file_holds_ten_thousand_events_of_one_minute(hub, reader):
    """What is more, or later, is another entry."""
    reader.subscribe("CREATE")
    inputs = [{"properties": {"dealname": "D", "dealstage": "appointmentscheduled"}} for _ in range(100)]
    for _ in range(101):
        hub.call("POST", "/crm/v3/objects/deals/batch/create", {"inputs": inputs}, 201)
    hub.advance(61)
    deal(hub)
    batch = reader.call("GET", f"{JOURNAL}/batch/earliest/100")
    assert [len(reader.file(entry)["journalEvents"]) for entry in batch["results"]] == [10_000, 100, 1]


def test_subscriptions_are_listed_replaced_and_deleted(hub, reader):
    """One of the same type for the same object type takes the place of the old one."""
    first = reader.subscribe("CREATE")
    assert first == {
        "id": first["id"],
        "appId": hub.sandbox.webhooks.app_id,
        "portalId": PORTAL_ID,
        "subscriptionType": "OBJECT",
        "objectTypeId": "0-3",
        "actions": ["CREATE"],
        "properties": [],
        "objectIds": [],
        "createdAt": "2026-11-02T09:00:00.000Z",
        "updatedAt": "2026-11-02T09:00:00.000Z",
    }
    changed = reader.subscribe("DELETE")
    other = reader.subscribe("DELETE", objects="0-1")
    assert changed["id"] == first["id"] != other["id"]
    assert reader.call("GET", SUBSCRIPTIONS)["results"] == [changed, other]
    assert reader.call("GET", f"{SUBSCRIPTIONS}/{other['id']}") == other
    reader.call("DELETE", f"{SUBSCRIPTIONS}/{other['id']}", expect=204)
    reader.call("GET", f"{SUBSCRIPTIONS}/{other['id']}", expect=404)
    reader.call("DELETE", f"{SUBSCRIPTIONS}/portals/1", expect=204)
    assert reader.call("GET", SUBSCRIPTIONS)["results"] == [changed]
    reader.call("DELETE", f"{SUBSCRIPTIONS}/portals/{PORTAL_ID}", expect=204)
    assert reader.call("GET", SUBSCRIPTIONS)["results"] == []
    assert hub.sandbox.portal.events.wanted == frozenset()


@pytest.mark.parametrize(
    "wrong",
    [
        {"subscriptionType": "EVENT"},
        {"actions": []},
        {"actions": ["ASSOCIATION_ADDED"]},
        {"actions": "CREATE"},
        {"portalId": 1},
        {"objectTypeId": "deals"},
        {"properties": [1]},
        {"objectIds": ["1"]},
        {"objectIds": [True]},
    ],
)
def test_what_the_journal_has_not_is_refused(reader, wrong):
    """400, and no subscription."""
    right = {"subscriptionType": "OBJECT", "objectTypeId": "0-3", "portalId": PORTAL_ID, "actions": ["CREATE"]}
    reader.call("POST", SUBSCRIPTIONS, right | wrong, 400)
    assert reader.call("GET", SUBSCRIPTIONS)["results"] == []


def test_the_journal_needs_a_token_of_the_app(hub, reader):
    """The private app's token will not do, nor one that has expired; a scope that is missing is named."""
    hub.call("GET", f"{JOURNAL}/earliest", expect=401)
    reader.call("GET", f"{JOURNAL}/earliest", expect=204)
    reading = Reader(hub, "developer.webhooks_journal.read")
    reading.call("GET", f"{JOURNAL}/earliest", expect=204)
    error = reading.call("GET", SUBSCRIPTIONS, expect=403)
    assert error["errors"][0]["context"] == {
        "requiredGranularScopes": ["developer.webhooks_journal.subscriptions.read"]
    }
    hub.advance(1801)
    assert reader.call("GET", f"{JOURNAL}/earliest", expect=401)["category"] == "EXPIRED_AUTHENTICATION"


def test_the_journal_is_not_an_api_call_of_the_objects(hub, reader):
    """The token is good for the journal alone; addresses that are none are not found."""
    reader.call("GET", "/crm/v3/objects/deals", expect=401)
    for path in ("/webhooks-journal/diary/2026-03/earliest", "/webhooks-journal/journal/v3/earliest"):
        reader.call("GET", path, expect=404)
    reader.call("GET", "/webhooks-journal/journal-local/2026-09/earliest?installPortalId=48160219", expect=204)


def test_calls_of_the_journal_count_for_no_limit(hub, reader):
    """More calls than the ten-second limit allows are answered, without headers of limits."""
    hub.set(enforce_limits="always", burst_limit=5)
    for _ in range(20):
        reader.call("GET", f"{JOURNAL}/earliest", expect=204)
    hub.token = reader.token
    answer = hub.send("GET", f"{JOURNAL}/earliest")
    assert not any(name.startswith("X-HubSpot-RateLimit") for name in answer.headers)


def test_journal_and_webhooks_listen_apart(hub, reader):
    """Ending the one leaves the other as it is."""
    app = Receiver(hub)
    app.ask("deal.creation")
    made = reader.subscribe("CREATE")
    one = int(deal(hub))
    reader.call("DELETE", f"{SUBSCRIPTIONS}/{made['id']}", expect=204)
    other = int(deal(hub))
    assert [event["objectId"] for event in app.take()] == [one, other]
    assert told(reader.events()) == [("CREATE", one, None)]


def test_the_journal_is_part_of_a_snapshot(hub, reader):
    """Entries, subscriptions and tokens come back."""
    reader.subscribe("CREATE")
    one = int(deal(hub))
    hub.call("POST", "/_sandbox/snapshots", {"name": "before"}, 204)
    hub.call("POST", "/_sandbox/reset", expect=204)
    reader.call("GET", f"{JOURNAL}/earliest", expect=401)
    hub.call("POST", "/_sandbox/restore", {"name": "before"}, 204)
    other = int(deal(hub))
    assert told(reader.events()) == [("CREATE", one, None), ("CREATE", other, None)]
