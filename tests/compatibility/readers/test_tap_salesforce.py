"""singer-io's tap-salesforce, unmodified, reads the demo org to the last record: by REST and by the Bulk API."""

from __future__ import annotations

import orjson
import pytest
from compatibility.readers.rows import FIELDS, assert_all_read
from compatibility.readers.singer import Tap

from connector.sandbox.wire import Request


@pytest.fixture(scope="module")
def deleted(loaded):
    """The id of an account that lies in the recycle bin."""
    headers = {"Authorization": f"Bearer {loaded.salesforce.session_id}", "Content-Type": "application/json"}
    url = "https://example.my.salesforce.com/services/data/v61.0/sobjects/Account"
    made = loaded.salesforce(Request.make("POST", url, headers, b'{"Name": "Gone"}'))
    account = orjson.loads(made.body)["id"]
    assert loaded.salesforce(Request.make("DELETE", f"{url}/{account}", headers, b"")).status == 204
    return account


@pytest.mark.parametrize("way", ["REST", "BULK"])
def test_tap_salesforce_reads_every_record(loaded, deleted, tmp_path, way):
    """Counts and values are those which were loaded; a deleted account is read as deleted."""
    sandbox = loaded.salesforce
    config = {
        "client_id": sandbox.consumer_key, "client_secret": sandbox.consumer_secret,
        "refresh_token": sandbox.refresh_token, "start_date": "2000-01-01T00:00:00Z", "api_type": way,
    }  # fmt: skip
    tap = Tap("tap-salesforce", config, tmp_path, loaded.environment)
    read = tap.read(tap.discover(), {*FIELDS, "OpportunityStage"})

    assert {row["MasterLabel"] for row in read["OpportunityStage"]} > {"Prospecting", "Closed Won"}
    assert [row["Id"] for row in read["Account"] if row["IsDeleted"]] == [deleted]
    read["Account"] = [row for row in read["Account"] if not row["IsDeleted"]]
    assert_all_read(read, loaded.organisation)
