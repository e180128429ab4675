"""Requests under the condition that a record has, or has not, changed."""

from datetime import timedelta

import pytest


@pytest.fixture
def account(client):
    return client.create("Account", Name="Acme")


def read(client, path, **headers):
    status, _ = client("GET", path, headers={**client.headers, **headers})
    return status


def write(client, path, method="PATCH", **headers):
    body = {"Name": "Other"} if method == "PATCH" else None
    status, _ = client(method, path, body, {**client.headers, **headers})
    return status


def test_entity_tags_of_accounts(client, account):
    """An account's tag fits until it changes, even within one second; other objects have none."""
    path = f"sobjects/Account/{account}"
    read(client, path)
    tag = client.last.headers["ETag"]
    assert read(client, path, **{"If-None-Match": tag}) == 304
    assert client.last.body == b""
    assert write(client, path, **{"If-None-Match": tag}) == 412
    assert write(client, path, **{"If-Match": f'"other", {tag}'}) == 204
    assert write(client, path, **{"If-Match": tag}) == 412
    assert write(client, path, "DELETE", **{"If-Match": tag}) == 412
    assert read(client, path, **{"If-None-Match": tag}) == 200
    assert write(client, path, "DELETE", **{"If-Match": "*"}) == 204
    contact = client.create("Contact", LastName="Doe")
    assert read(client, f"sobjects/Contact/{contact}", **{"If-None-Match": "*"}) == 200
    assert "ETag" not in client.last.headers


def test_dates(client, sandbox):
    """`Last-Modified` is what later conditions compare with."""
    path = f"sobjects/Contact/{client.create('Contact', LastName='Doe')}"
    read(client, path)
    seen = client.last.headers["Last-Modified"]
    assert read(client, path, **{"If-Modified-Since": seen}) == 304
    assert read(client, path, **{"If-Unmodified-Since": seen}) == 200
    sandbox.clock.advance(timedelta(seconds=5))
    client("PATCH", path, {"Title": "CEO"})
    assert read(client, path, **{"If-Modified-Since": seen}) == 200
    assert read(client, path, **{"If-Unmodified-Since": seen}) == 412
    assert client.row("Contact", path.rpartition("/")[2])["Title"] == "CEO"
    status, body = client("PATCH", path, {"Title": "CFO"}, {**client.headers, "If-Unmodified-Since": seen})
    assert (status, body[0]["errorCode"]) == (412, "PRECONDITION_FAILED")
    assert client.row("Contact", path.rpartition("/")[2])["Title"] == "CEO"


def test_a_date_that_is_none(client, account):
    """400, and for deleting dates are no condition at all."""
    path = f"sobjects/Account/{account}"
    assert read(client, path, **{"If-Modified-Since": "yesterday"}) == 400
    assert write(client, path, "DELETE", **{"If-Unmodified-Since": "Tue, 10 Mar 2020 12:00:30 GMT"}) == 204
