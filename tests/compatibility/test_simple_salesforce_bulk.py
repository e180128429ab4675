"""simple-salesforce's two bulk clients, unmodified, against the Salesforce sandbox over a real port.

`sf.bulk2` is Bulk API 2.0, `sf.bulk` the older Bulk API. What they read is compared with what was loaded.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceOperationError,
)

from connector.sandbox.clock import Clock
from connector.sandbox.salesforce import SalesforceSandbox

NOW = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)
NAMES = [f'Grüße "{n}", Ltd.\n№ {n}' for n in range(25)]


@pytest.fixture(scope="module")
def sandbox():
    return SalesforceSandbox(Clock(NOW))


@pytest.fixture(autouse=True)
def empty(sandbox):
    sandbox.clock.set(NOW)
    sandbox.reset()
    sandbox.admin.add("fields", [{"sobject": "Account", "name": "Key__c", "type": "string", "externalId": True}])


@pytest.fixture
def sf(salesforce_url, salesforce_session, sandbox):
    return Salesforce(session_id=sandbox.session_id, instance_url=salesforce_url, session=salesforce_session)


@pytest.fixture
def loaded(sandbox):
    """Accounts by id, as they were loaded behind the API's back."""
    accounts = {}
    for number, name in enumerate(NAMES):
        row = {"Name": name, "Key__c": f"k{number}", "AnnualRevenue": float(number)}
        row["OwnerId"] = sandbox.org.administrator
        row |= {} if number % 2 else {"Phone": f"+49 {number}"}
        accounts[sandbox.org.insert("Account", row)] = row
    return accounts


def rows(text, **how):
    return list(csv.DictReader(io.StringIO(text), **how))


def accounts(sf):
    """The accounts by key, read by the REST API."""
    found = sf.query_all("SELECT Id, Key__c, Name, Phone FROM Account ORDER BY Key__c")["records"]
    return {each["Key__c"]: (each["Name"], each["Phone"]) for each in found}


SOQL = "SELECT Id, Name, Key__c, Phone, AnnualRevenue, IsDeleted, CreatedDate, Owner.Email FROM Account"


def test_bulk2_query_reads_all_that_was_loaded(sf, loaded):
    """Page by page, every record with every value."""
    pages = list(sf.bulk2.Account.query(SOQL, max_records=10, wait=0))
    assert [len(rows(page)) for page in pages] == [10, 10, 5]
    found = {row.pop("Id"): row for page in pages for row in rows(page)}
    assert found == {
        record: {
            "Name": row["Name"], "Key__c": row["Key__c"], "Phone": row.get("Phone", ""),
            "AnnualRevenue": str(row["AnnualRevenue"]), "IsDeleted": "false",
            "CreatedDate": "2026-03-10T12:00:30.000Z", "Owner.Email": "admin@example.com",
        }
        for record, row in loaded.items()
    }  # fmt: skip


def test_bulk2_query_all(sf, loaded):
    """Sees the recycle bin, which query does not."""
    gone = next(iter(loaded))
    sf.Account.delete(gone)
    soql = "SELECT Id, IsDeleted FROM Account"
    every = [row for page in sf.bulk2.Account.query_all(soql, wait=0) for row in rows(page)]
    assert [row["Id"] for row in every if row["IsDeleted"] == "true"] == [gone]
    assert len(every) == len(loaded)
    assert sum(len(rows(page)) for page in sf.bulk2.Account.query(soql, wait=0)) == len(loaded) - 1


def test_bulk2_query_with_a_delimiter(sf, loaded):
    """The client's words for delimiters and line endings are the API's."""
    (page,) = sf.bulk2.Account.query(
        "SELECT Id, Name FROM Account", column_delimiter="PIPE", line_ending="CRLF", wait=0
    )
    assert {row["Id"]: row["Name"] for row in rows(page, delimiter="|")} == {
        record: row["Name"] for record, row in loaded.items()
    }


def test_bulk2_download(sf, loaded, tmp_path):
    """Into one file a page."""
    parts = sf.bulk2.Account.download(SOQL, path=str(tmp_path), max_records=10, wait=0)
    assert [part["number_of_records"] for part in parts] == [10, 10, 5]
    found = [row["Id"] for part in parts for row in rows(text_of(part["file"]))]
    assert sorted(found) == sorted(loaded)


def text_of(path):
    return Path(path).read_bytes().decode()


def test_bulk2_query_that_is_refused(sf):
    """The client raises what the API says."""
    with pytest.raises(SalesforceMalformedRequest) as caught:
        list(sf.bulk2.Account.query("SELECT COUNT() FROM Account", wait=0))
    assert caught.value.content[0]["errorCode"] == "API_ERROR"


def test_bulk2_insert(sf, loaded):
    """Counts, and each record in one of the lists of results."""
    new = [{"Name": name, "Key__c": f"new{n}", "Phone": "1"} for n, name in enumerate(NAMES)]
    (job,) = sf.bulk2.Account.insert(records=[*new, {"Name": "", "Key__c": "bad", "Phone": "2"}], wait=0)
    assert (job["numberRecordsTotal"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (26, 26, 1)
    saved = rows(sf.bulk2.Account.get_successful_records(job["job_id"]))
    assert {row["Key__c"]: (row["Name"], row["sf__Created"]) for row in saved} == {
        each["Key__c"]: (each["Name"], "true") for each in new
    }
    (failed,) = rows(sf.bulk2.Account.get_failed_records(job["job_id"]))
    assert (failed["Key__c"], failed["sf__Id"]) == ("bad", "")
    assert failed["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
    assert rows(sf.bulk2.Account.get_unprocessed_records(job["job_id"])) == []
    every = sf.bulk2.Account.get_all_ingest_records(job["job_id"])
    assert (len(every["failedRecords"]), len(every["unprocessedRecords"])) == (1, 0)
    assert {key: name for key, (name, _) in accounts(sf).items() if key.startswith("new")} == {
        each["Key__c"]: each["Name"] for each in new
    }


def test_bulk2_insert_from_a_file(sf, tmp_path):
    """Several jobs where the client cuts the file, over several threads; results into a file."""
    path = tmp_path / "accounts.csv"
    path.write_text("Name,Key__c\n" + "".join(f"n{n},k{n}\n" for n in range(25)), encoding="utf-8")
    jobs = sf.bulk2.Account.insert(csv_file=str(path), batch_size=10, concurrency=2, wait=0)
    assert [job["numberRecordsProcessed"] for job in jobs] == [10, 10, 5]
    assert accounts(sf) == {f"k{n}": (f"n{n}", None) for n in range(25)}
    results = tmp_path / "results.csv"
    sf.bulk2.Account.get_successful_records(jobs[2]["job_id"], file=str(results))
    assert len(rows(text_of(results))) == 5


def test_bulk2_upsert_update_delete(sf, loaded):
    """The other operations, one after the other."""
    (job,) = sf.bulk2.Account.upsert(
        records=[{"Key__c": "k1", "Name": "new"}, {"Key__c": "k99", "Name": "more"}],
        external_id_field="Key__c",
        wait=0,
    )
    created = [row["sf__Created"] for row in rows(sf.bulk2.Account.get_successful_records(job["job_id"]))]
    assert (created, accounts(sf)["k1"], accounts(sf)["k99"]) == (["false", "true"], ("new", None), ("more", None))
    first, second, third = list(loaded)[:3]
    sf.bulk2.Account.update(records=[{"Id": first, "Phone": "#N/A"}, {"Id": second, "Phone": "7"}], wait=0)
    assert (accounts(sf)["k0"][1], accounts(sf)["k1"][1]) == (None, "7")
    assert sf.bulk2.Account.delete(records=[{"Id": first}, {"Id": second}], wait=0)[0]["numberRecordsFailed"] == 0
    assert {"k0", "k1"}.isdisjoint(accounts(sf))
    sf.bulk2.Account.hard_delete(records=[{"Id": third}], wait=0)
    binned = sf.query_all("SELECT Id FROM Account WHERE IsDeleted = true", include_deleted=True)["records"]
    assert {each["Id"] for each in binned} == {first, second}


def test_bulk2_job_that_fails(sf):
    """The client tells the error of the job."""
    with pytest.raises(SalesforceOperationError, match="InvalidBatch : Field name not found : Nope"):
        sf.bulk2.Account.insert(records=[{"Nope": "a"}], wait=0)


def test_bulk2_delete_of_a_job(sf, sandbox):
    """The client stumbles over the empty answer, but the job is gone."""
    handler = sf.bulk2.Account
    list(handler.query("SELECT Id FROM Account", wait=0))
    (job,) = sandbox.org.bulk.listed()
    with pytest.raises(requests.exceptions.JSONDecodeError):
        handler._client.delete_job(job.id, is_query=True)
    assert sandbox.org.bulk.listed() == []


def test_bulk_query_reads_all_that_was_loaded(sf, loaded):
    """Date-times as milliseconds; at once and lazily."""
    expected = {
        record: {
            "Name": row["Name"], "Key__c": row["Key__c"], "Phone": row.get("Phone"),
            "AnnualRevenue": row["AnnualRevenue"], "IsDeleted": False,
            "CreatedDate": int(NOW.timestamp()) * 1000, "Owner": "admin@example.com",
        }
        for record, row in loaded.items()
    }  # fmt: skip
    at_once = sf.bulk.Account.query(SOQL, wait=0)
    lazily = [row for page in sf.bulk.Account.query(SOQL, lazy_operation=True, wait=0) for row in page]
    for found in (at_once, lazily):
        assert {row["attributes"]["type"] for row in found} == {"Account"}
        told = {row["Id"]: {**row, "Owner": row["Owner"]["Email"]} for row in found}
        assert {each: {name: row[name] for name in expected[each]} for each, row in told.items()} == expected


def test_bulk_query_all(sf, loaded):
    """Sees the recycle bin."""
    gone = next(iter(loaded))
    sf.Account.delete(gone)
    found = sf.bulk.Account.query_all("SELECT Id, IsDeleted FROM Account", wait=0)
    assert [row["Id"] for row in found if row["IsDeleted"]] == [gone]
    assert len(found) == len(loaded)


def test_bulk_query_that_fails(sf):
    """The client raises the message of the batch."""
    with pytest.raises(SalesforceGeneralError) as caught:
        sf.bulk.Account.query("SELECT Nope FROM Account", wait=0)
    assert "InvalidBatch : Failed to process query: INVALID_FIELD" in caught.value.content


def test_bulk_insert_in_batches(sf):
    """The results of all batches, in the order of the records."""
    new = [{"Name": f"n{n}" if n != 7 else None, "Key__c": f"k{n}"} for n in range(25)]
    results = sf.bulk.Account.insert(new, batch_size=10)
    assert [result["success"] for result in results] == [n != 7 for n in range(25)]
    assert results[7]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert accounts(sf) == {f"k{n}": (f"n{n}", None) for n in range(25) if n != 7}
    assert [sf.Account.get(result["id"])["Key__c"] for result in results[:2]] == ["k0", "k1"]


def test_bulk_other_operations(sf, loaded):
    """Upsert, update, delete, hardDelete; with the records that were sent beside their results."""
    results = sf.bulk.Account.upsert([{"Key__c": "k1", "Name": "new"}, {"Key__c": "k99", "Name": "more"}], "Key__c")
    assert [(result["success"], result["created"]) for result in results] == [(True, False), (True, True)]
    first, second = list(loaded)[:2]
    (detailed,) = sf.bulk.Account.update([{"Id": first, "Phone": None}], include_detailed_results=True)
    assert (detailed["success"], detailed["Id"], detailed["Phone"]) == (True, first, None)
    assert accounts(sf)["k0"][1] is None
    assert sf.bulk.Account.delete([{"Id": first}])[0]["success"]
    assert sf.bulk.Account.hard_delete([{"Id": second}])[0]["success"]
    binned = sf.query_all("SELECT Id FROM Account WHERE IsDeleted = true", include_deleted=True)["records"]
    assert [each["Id"] for each in binned] == [first]
    done = sf.bulk.submit_dml("Account", "insert", [{"Name": "x", "Key__c": "x"}], batch_size="auto")
    assert done == []  # the client sends no batch for a single record when it cuts them itself
    assert "x" not in accounts(sf)


def test_bulk_batch_that_is_spoilt(sf):
    """The client asks for results and is told that there are none."""
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sf.bulk.Account.insert([{"Nope": "a"}])
    assert caught.value.content == {"exceptionCode": "InvalidBatch", "exceptionMessage": "Records not processed"}


def test_sessions_that_ended(sf, sandbox, salesforce_url, salesforce_session):
    """Each API in its own words."""
    stranger = Salesforce(session_id="no", instance_url=salesforce_url, session=salesforce_session)
    with pytest.raises(SalesforceExpiredSession):
        list(stranger.bulk2.Account.query("SELECT Id FROM Account", wait=0))
    with pytest.raises(SalesforceMalformedRequest) as caught:
        stranger.bulk.Account.query("SELECT Id FROM Account", wait=0)
    assert caught.value.content["exceptionCode"] == "InvalidSessionId"


def test_an_org_without_bulk(sf, sandbox):
    """Readers look for the code and the sentence, and go on with REST."""
    sandbox.org.bulk.settings.change({"enabled": False})
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sf.bulk.Account.query_all("SELECT Id FROM Account", lazy_operation=True, wait=0)
    assert "FeatureNotEnabled" in str(caught.value)
    assert "Async API not enabled" in str(caught.value)
