"""Records that others are changing."""

from datetime import timedelta

import pytest


def lock(client, ids, **until):
    assert client("POST", "/_sandbox/locks", {"ids": ids, **until}, headers={})[0] == 201


def test_a_lock_refuses_writes_of_the_record_and_its_children(client):
    """Of contacts and opportunities as well, for their account; reading and other records are free."""
    account, other = (client.create("Account", Name=name) for name in "ab")
    contact = client.create("Contact", LastName="Doe", AccountId=account)
    lock(client, [account[:15]], seconds=60)
    message = f"unable to obtain exclusive access to this record or 1 records: {account}"
    refused = (400, "UNABLE_TO_LOCK_ROW", message)
    assert client.refusal("PATCH", f"sobjects/Account/{account}", {"Name": "x"}) == refused
    assert client.refusal("PATCH", f"sobjects/Contact/{contact}", {"Title": "x"}) == refused
    assert client.refusal("PATCH", f"sobjects/Contact/{contact}", {"AccountId": other}) == refused
    assert client.refusal("DELETE", f"sobjects/Contact/{contact}") == refused
    assert client.refusal("POST", "sobjects/Contact", {"LastName": "Roe", "AccountId": account}) == refused
    assert client("PATCH", f"sobjects/Account/{other}", {"Name": "x"})[0] == 204
    assert client.row("Account", account)["Name"] == "a"
    assert client.row("Contact", contact)["AccountId"] == account


def test_a_lock_ends_with_its_time(client, clock):
    """By the sandbox's clock."""
    account = client.create("Account", Name="a")
    lock(client, [account], seconds=60)
    clock.advance(timedelta(seconds=59))
    assert client.refusal("DELETE", f"sobjects/Account/{account}")[1] == "UNABLE_TO_LOCK_ROW"
    clock.advance(timedelta(seconds=1))
    assert client("GET", "/_sandbox/locks", headers={})[1] == []
    assert client("DELETE", f"sobjects/Account/{account}")[0] == 204


def test_a_lock_ends_after_so_many_refusals(client):
    """In a collection the error is that of one record, and counts as one."""
    account, other = (client.create("Account", Name=name) for name in "ab")
    lock(client, [account], requests=2)
    records = [{"attributes": {"type": "Account"}, "Id": each, "Name": "x"} for each in (account, other)]
    _, (first, second) = client("PATCH", "composite/sobjects", {"records": records})
    assert (first["errors"][0]["statusCode"], second["success"]) == ("UNABLE_TO_LOCK_ROW", True)
    assert client("GET", "/_sandbox/locks", headers={})[1] == [{"id": account, "until": None, "requests": 1}]
    assert client.refusal("PATCH", f"sobjects/Account/{account}", {"Name": "x"})[0] == 400
    assert client("PATCH", f"sobjects/Account/{account}", {"Name": "x"})[0] == 204


def test_locks_are_freed(client):
    """All at once."""
    account = client.create("Account", Name="a")
    lock(client, [account], seconds=60)
    assert client("DELETE", "/_sandbox/locks", headers={})[0] == 204
    assert client("PATCH", f"sobjects/Account/{account}", {"Name": "x"})[0] == 204


@pytest.mark.parametrize(
    "wrong",
    [{}, {"ids": []}, {"ids": ["001000000000001"]}, {"ids": ["x"], "seconds": 1}, {"ids": "x", "seconds": 1},
     {"ids": ["001000000000001"], "seconds": 1, "requests": 1}, {"ids": ["001000000000001"], "seconds": 0},
     {"ids": ["001000000000001"], "requests": True}, {"ids": ["001000000000001"], "seconds": 10**15},
     {"ids": ["001000000000001"], "seconds": 1, "x": 1}],
)  # fmt: skip
def test_a_wrong_lock_is_refused(client, wrong):
    """A lock has ids, and one way to end."""
    assert client("POST", "/_sandbox/locks", wrong, headers={})[0] == 400
    assert client("GET", "/_sandbox/locks", headers={})[1] == []
