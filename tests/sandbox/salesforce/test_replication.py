"""getUpdated and getDeleted."""

from datetime import timedelta

import pytest


def window(client, kind, sobject, start, end):
    status, body = client("GET", f"sobjects/{sobject}/{kind}/", start=start, end=end)
    assert status == 200, body
    return body


def test_updated(client, clock):
    """What was created or changed in the window, by whole minutes; deleted records are not in it."""
    first, second, third = (client.create("Account", Name=name) for name in "abc")
    clock.advance(timedelta(minutes=10))
    client("PATCH", f"sobjects/Account/{second}", {"Name": "b"})
    client("DELETE", f"sobjects/Account/{third}")
    clock.advance(timedelta(minutes=1))
    body = window(client, "updated", "Account", "2026-03-10T12:00:59Z", "2026-03-10T12:01:01Z")
    assert body == {"ids": [first], "latestDateCovered": "2026-03-10T12:01:00.000+0000"}
    body = window(client, "updated", "Account", "2026-03-10T13:10:00+01:00", "2026-03-10T12:30:00+00:00")
    assert body == {"ids": [second], "latestDateCovered": "2026-03-10T12:11:00.000+0000"}


def test_deleted(client, clock):
    """Deletions are logged, of roles too, whether they were deleted for themselves or with a parent."""
    ada, bob = (client.create("Contact", LastName=name) for name in ("Ada", "Bob"))
    deal = client.opportunity(ContactId=ada)
    client.create("OpportunityContactRole", OpportunityId=deal, ContactId=bob)
    roles = [row["Id"] for row in client.query("SELECT Id FROM OpportunityContactRole ORDER BY Id")]
    client("DELETE", f"sobjects/OpportunityContactRole/{roles[0]}")
    client("DELETE", f"sobjects/Contact/{bob}")
    clock.advance(timedelta(minutes=1))
    body = window(client, "deleted", "OpportunityContactRole", "2026-03-10T12:00:00Z", "2026-03-10T12:01:00Z")
    assert body == {
        "deletedRecords": [{"deletedDate": "2026-03-10T12:00:30.000+0000", "id": role} for role in roles],
        "earliestDateAvailable": "2026-02-23T12:01:30.000+0000",
        "latestDateCovered": "2026-03-10T12:01:00.000+0000",
    }
    assert client.query("SELECT Id FROM OpportunityContactRole", "queryAll") == [{"Id": roles[1]}]


@pytest.mark.parametrize("kind", ["updated", "deleted"])
def test_windows_meet_without_overlap(client, clock, kind):
    """What happens on the minute where two windows meet is in the second one only."""
    clock.set(clock.now().replace(minute=5, second=0, microsecond=0))
    account = client.create("Account", Name="a")
    if kind == "deleted":
        client("DELETE", f"sobjects/Account/{account}")
    clock.advance(timedelta(minutes=5))
    listed = {"updated": "ids", "deleted": "deletedRecords"}[kind]
    before, after = (
        window(client, kind, "Account", f"2026-03-10T12:{start:02}:00Z", f"2026-03-10T12:{start + 5:02}:00Z")[
            listed
        ]
        for start in (0, 5)
    )
    assert (len(before), len(after)) == (0, 1)


@pytest.mark.parametrize(
    ("kind", "sobject", "start", "end", "code"),
    [
        ("updated", "Account", "2026-03-10T12:00:01Z", "2026-03-10T12:00:59Z", "INVALID_REPLICATION_DATE"),
        ("updated", "Account", "2026-03-10T12:00:00Z", "2026-03-10T11:00:00Z", "INVALID_REPLICATION_DATE"),
        ("updated", "Account", "2026-02-08T12:00:00Z", "2026-03-10T11:00:00Z", "INVALID_REPLICATION_DATE"),
        ("deleted", "Account", "2026-02-23T12:00:00Z", "2026-03-10T11:00:00Z", "INVALID_REPLICATION_DATE"),
        ("deleted", "Account", "yesterday", "2026-03-10T11:00:00Z", "INVALID_REPLICATION_DATE"),
        ("deleted", "Account", "", "2026-03-10T11:00:00Z", "MISSING_ARGUMENT"),
        ("deleted", "User", "2026-03-10T11:00:00Z", "2026-03-10T12:00:00Z", "INVALID_TYPE"),
    ],
)
def test_refused_windows(client, kind, sobject, start, end, code):
    """Empty, reversed and too old windows are refused."""
    assert client.refusal("GET", f"sobjects/{sobject}/{kind}", start=start, end=end)[:2] == (400, code)


def test_oldest_windows(client):
    """Thirty days back for changes, fifteen for deletions."""
    window(client, "updated", "Account", "2026-02-09T00:00:00Z", "2026-03-10T12:00:00Z")
    window(client, "deleted", "Account", "2026-02-24T00:00:00Z", "2026-03-10T12:00:00Z")
