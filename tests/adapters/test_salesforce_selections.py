"""Selections of Salesforce records: counted, and read by REST or in bulk, which give the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adapters.conformance import make

from connector.adapters import salesforce_selections
from connector.adapters.base import Refusal, Wanted
from connector.adapters.salesforce_selections import Cursor, Extract, JobLost, price
from connector.core.model import Record
from connector.errors import Unreachable
from connector.sandbox.wire import Response

WANTED = Wanted(
    ("Name", "Amount", "CloseDate", "IsWon", "Description", "CreatedDate", "RecordTypeId"), "HubSpot_Id__c"
)
ALL = Extract("Opportunity", WANTED)


@pytest.fixture
def waits():
    return []


@pytest.fixture
def selections(salesforce, waits):
    """Of an org with seven opportunities; waiting is noted and takes no time."""
    names = make(salesforce, 7)
    values = {"Description": 'He said "yes",\nand left', "Amount": 12.5}
    salesforce.call("PATCH", f"sobjects/Opportunity/{next(iter(names.values()))}", values)
    found = salesforce.crm.selections()
    found.api = replace(found.api, wait=waits.append)
    return found


def by_rest(selections, extract=ALL):
    found, cursor = [], Cursor()
    while cursor:
        portion = selections.read(extract, cursor, len(found))
        found += portion.records
        cursor = portion.following
    return found


def in_bulk(selections, extract=ALL):
    found, cursor = [], selections.begin(extract)
    assert isinstance(cursor, Cursor)
    while cursor:
        page, cursor = list(selections.read_bulk(extract, cursor)), None
        found += [one for one in page if isinstance(one, Record)]
        cursor = next((one for one in page if isinstance(one, Cursor)), None)
    return sorted(found, key=lambda one: one.id)


def test_both_ways_give_the_same_records(selections, monkeypatch):
    """Numbers, truths, days, times, blanks, and texts with quotes, commas and line ends; whatever the pages."""
    monkeypatch.setattr(salesforce_selections, "PAGE", 3)
    selections.bulk_page = 2
    found = by_rest(selections)
    assert len(found) == 7
    assert in_bulk(selections) == found
    assert {type(one.fields["IsWon"]) for one in found} == {bool}
    assert 12.5 in {one.fields["Amount"] for one in found}


def test_no_more_than_asked_for(selections, monkeypatch):
    """The first ones by their ids, by either way."""
    monkeypatch.setattr(salesforce_selections, "PAGE", 2)
    some = replace(ALL, most=3)
    assert by_rest(selections, some) == in_bulk(selections, some) == by_rest(selections)[:3]


def test_counting_is_one_call_for_several_objects(selections, salesforce):
    """A condition that Salesforce does not understand is refused in its own words, and the others are counted."""
    salesforce.line.requests.clear()
    told = selections.count(
        {
            "all": ALL,
            "some": replace(ALL, condition="Amount = 12.5"),
            "few": replace(ALL, most=2),
            "bad": replace(ALL, condition="Foo = 1"),
        }
    )
    assert (told["all"], told["some"], told["few"]) == (7, 1, 2)
    assert told["bad"].code == "INVALID_FIELD"
    assert "Foo" in told["bad"].message
    assert len(salesforce.line.requests) == 1


def test_a_job_is_waited_for_ever_more_seldom(selections, salesforce, waits):
    """One second, then two, four, and at most thirty; after the patience it is left for a later process."""
    salesforce.sandbox.org.bulk.settings.polls = 6
    ticks = []
    selections.tick = lambda: ticks.append(1)
    assert len(in_bulk(selections)) == 7
    assert waits == [1, 2, 4, 8, 16]
    assert ticks == [1, 1, 1, 1, 1]
    selections.patience = 40
    with pytest.raises(Unreachable) as stopped:
        in_bulk(selections)
    assert "the same job" in stopped.value.remedy


def test_a_job_that_is_gone_or_failed_is_lost(selections, salesforce):
    """It has to be made anew; nobody waits for it."""
    with pytest.raises(JobLost):
        list(selections.read_bulk(ALL, Cursor(job="750000000000000AAA")))
    with pytest.raises(JobLost):
        list(selections.read_bulk(ALL, Cursor("nowhere", "750000000000000AAA")))
    failed = {"id": "750", "state": "Failed", "errorMessage": "out of memory"}
    salesforce.line.instead = lambda request: Response.json(failed) if "jobs/query" in request.path else None
    with pytest.raises(JobLost, match="out of memory"):
        list(selections.read_bulk(ALL, Cursor(job="750")))


def test_an_org_without_the_bulk_api_says_so(selections, salesforce):
    """A refusal, not an error: REST is the other way."""
    salesforce.sandbox.org.bulk.settings.enabled = False
    assert isinstance(selections.begin(ALL), Refusal)


def test_a_query_that_fails_in_the_middle_stops_the_run(selections):
    """With Salesforce's own words."""
    with pytest.raises(Unreachable, match="INVALID_FIELD"):
        selections.read(replace(ALL, condition="Foo = 1"), Cursor())


def test_an_expired_session_stops_the_run(selections, salesforce):
    """Where it cannot be begun anew, as with a session id, it is told as every refused login is."""
    salesforce.line.instead = lambda _: Response.json(
        [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}], 401
    )
    with pytest.raises(Unreachable, match="refuses the login"):
        selections.begin(ALL)


def test_what_each_way_costs():
    """One call per 2,000 by REST; in bulk four, and one per 20,000. Nothing costs a look all the same."""
    assert price(0) == {"rest": 1, "bulk": 5}
    assert price(20_001) == {"rest": 11, "bulk": 6}
