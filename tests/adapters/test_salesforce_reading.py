"""What could get lost between two looks at Salesforce, and does not."""

from __future__ import annotations

import itertools
from datetime import timedelta

import orjson
import pytest
from adapters.conformance import Looks, flat, make
from adapters.conftest import OBJECTS, START
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.adapters.base import Draft, Page, Wanted
from connector.adapters.salesforce_deletion import ROLE
from connector.core.model import Presence
from connector.errors import Unreachable
from connector.sandbox.wire import Request, Response

WANTED = {
    "Account": Wanted(("Name",)),
    "Contact": Wanted(("LastName", "AccountId"), "HubSpot_Id__c"),
    "Opportunity": Wanted(("Name", "StageName", "RecordTypeId"), "HubSpot_Id__c"),
    ROLE: Wanted(()),
}


@pytest.fixture
def still(clock):
    """Time stands: everything written gets one SystemModstamp."""
    clock.freeze()
    return clock


def create(bench, object_, **values):
    """A record of any object: its id."""
    draft = Draft("one", values)
    (outcome,) = flat(bench.crm.create(object_, [draft], Wanted(())))
    assert outcome.refusal is None
    return outcome.id


def look(bench, cursors):
    """All pages of one look; `cursors` are moved on."""
    pages = list(bench.sign_on().changes(WANTED, cursors))
    for page in pages:
        cursors |= page.cursors
    return pages


def gone(pages):
    """What is told of deletions: presence by id."""
    return {one.id: one.presence for page in pages for one in page.records if not one.present}


def test_equal_stamps_over_page_borders(salesforce, still):
    """5,000 rows of one SystemModstamp are all read, also when the look ends after any page."""
    made = set(make(salesforce, 5000).values())
    for number in range(1, 4):
        cursors, seen = {}, set()
        pages = salesforce.sign_on().changes({"Opportunity": WANTED["Opportunity"]}, cursors)
        for page in itertools.islice(pages, number):
            cursors |= page.cursors
            seen |= {one.id for one in page.records}
        pages.close()
        assert len(seen) == min(2000 * number, 5000)
        for page in salesforce.sign_on().changes({"Opportunity": WANTED["Opportunity"]}, cursors):
            seen |= {one.id for one in page.records}
        assert seen == made


def test_late_commits_are_seen(salesforce, still):
    """A row whose transaction commits nine minutes after its stamp is seen by the look after that."""
    looks = Looks(salesforce)
    still.advance(timedelta(hours=1))
    ((_, id_),) = make(salesforce, 1).items()
    table = salesforce.sandbox.org.store.table("Opportunity")
    row = table.live[id_]
    table.swap(id_, None)  # not committed yet
    still.advance(timedelta(minutes=9))
    assert id_ not in looks.look()
    table.swap(id_, row)
    still.advance(timedelta(minutes=20))
    assert id_ in looks.look()


def test_one_call_for_everything(salesforce):
    """A look at all objects with their deletions is one call."""
    cursors = {}
    look(salesforce, cursors)
    salesforce.pass_time(timedelta(hours=1))
    crm = salesforce.sign_on()
    before = crm.usage().calls
    list(crm.changes(WANTED, cursors))
    assert crm.usage().calls - before == 1


def test_cursors_are_of_the_servers_time(salesforce, clock):
    """Whatever our own clock says, cursors follow the server's."""
    clock.set(START + timedelta(days=4000))
    cursors = {}
    look(salesforce, cursors)
    assert cursors["salesforce/Opportunity"].startswith("2037-10-15T08:50")


@pytest.mark.parametrize("seconds", [0, 1, 30, 59, 61, 150])
def test_deletions_are_seen_next_time(salesforce, seconds):
    """A deletion is told by the next look, or by the one a minute later, whatever object it was."""
    account = create(salesforce, "Account", Name="Acme")
    contact = create(salesforce, "Contact", LastName="Roe")
    deal = make(salesforce, 1).popitem()[1]
    cursors = {}
    look(salesforce, cursors)
    salesforce.pass_time(timedelta(seconds=seconds))
    salesforce.remove([account, contact, deal])
    told = gone(look(salesforce, cursors))
    assert told.get(deal) is Presence.DELETED  # the bin shows it at once
    salesforce.pass_time(timedelta(seconds=60))
    told |= gone(look(salesforce, cursors))
    assert told == dict.fromkeys((account, contact, deal), Presence.DELETED)


def test_merged_records_are_not_deleted(salesforce):
    """An account that was merged into another one is told as such, where accounts alone are read."""
    winner, loser = create(salesforce, "Account", Name="A"), create(salesforce, "Account", Name="B")
    cursors = {}
    only = {"Account": WANTED["Account"]}
    for page in salesforce.sign_on().changes(only, cursors):
        cursors |= page.cursors
    salesforce.sandbox.admin.merge("Account", winner, [loser])
    pages = list(salesforce.sign_on().changes(only, cursors))
    assert gone(pages) == {loser: Presence.MERGED}


def test_nothing_is_gone_at_first_sight(salesforce):
    """A first look does not ask for what was deleted before it."""
    deal = make(salesforce, 1).popitem()[1]
    salesforce.remove([deal])
    assert gone(look(salesforce, {})) == {}


def test_after_a_long_pause_deletions_are_asked_as_far_back_as_possible(salesforce):
    """Salesforce tells 15 days of deletions: a connector that slept for longer asks for those."""
    cursors = {}
    look(salesforce, cursors)
    deal = make(salesforce, 1).popitem()[1]
    salesforce.pass_time(timedelta(days=40))
    salesforce.remove([deal])
    assert gone(look(salesforce, cursors)) == {deal: Presence.DELETED}


def test_roles_come_and_go(salesforce):
    """Roles are told with both ends; a deleted one by its id."""
    contact = create(salesforce, "Contact", LastName="Roe")
    deal = make(salesforce, 1).popitem()[1]
    cursors = {}
    look(salesforce, cursors)
    (outcome,) = flat(salesforce.crm.add_roles([(deal, contact)]))
    roles = {id_: ends for page in look(salesforce, cursors) for id_, ends in page.roles.items()}
    assert {id_: (one.opportunity, one.contact) for id_, one in roles.items()} == {outcome.id: (deal, contact)}
    salesforce.remove([outcome.id])
    salesforce.pass_time(timedelta(minutes=1))
    assert outcome.id in [id_ for page in look(salesforce, cursors) for id_ in page.roles_gone]


def empty_bin(body):
    """An answer to the composite without what is in the recycle bin, as if somebody had emptied it."""
    for part in body["compositeResponse"]:
        if isinstance(part["body"], dict) and "records" in part["body"]:
            part["body"]["records"] = [row for row in part["body"]["records"] if not row.get("IsDeleted")]
    return body


def refuse_deletions(request, salesforce):
    """Answer the composite with an empty bin, and with an error in place of every getDeleted."""
    if not request.path.endswith("/composite") or b"/deleted/" not in request.body:
        return None
    answer = salesforce.sandbox(request)
    body = empty_bin(orjson.loads(answer.body))
    for part in body["compositeResponse"]:
        if part["referenceId"].endswith("_deleted"):
            error = {"errorCode": "UNKNOWN_EXCEPTION", "message": "An unexpected error occurred"}
            part |= {"httpStatusCode": 500, "body": [error]}
    return Response.json(body)


def test_deletions_that_were_not_told_are_asked_again(salesforce):
    """A look that could not learn of deletions leaves their cursor where it was."""
    contact = create(salesforce, "Contact", LastName="Roe")
    cursors = {}
    look(salesforce, cursors)
    salesforce.pass_time(timedelta(minutes=5))
    salesforce.remove([contact])
    salesforce.pass_time(timedelta(minutes=5))
    salesforce.line.instead = lambda request: refuse_deletions(request, salesforce)
    assert gone(look(salesforce, cursors)) == {}
    salesforce.line.instead = lambda _: None
    salesforce.pass_time(timedelta(hours=3))
    assert gone(look(salesforce, cursors)) == {contact: Presence.DELETED}


def test_deletions_are_asked_from_where_they_are_covered(salesforce):
    """Salesforce says up to when its answer is complete; the next look begins there."""

    def uncovered(request):
        if not request.path.endswith("/composite") or b"/deleted/" not in request.body:
            return None
        body = empty_bin(orjson.loads(salesforce.sandbox(request).body))
        for part in body["compositeResponse"]:
            if part["referenceId"].endswith("_deleted"):
                part["body"] |= {"deletedRecords": [], "latestDateCovered": "2026-11-02T09:01:00.000+0000"}
        return Response.json(body)

    contact = create(salesforce, "Contact", LastName="Roe")
    cursors = {}
    look(salesforce, cursors)
    salesforce.pass_time(timedelta(minutes=3))
    salesforce.remove([contact])
    salesforce.pass_time(timedelta(minutes=30))
    salesforce.line.instead = uncovered
    assert gone(look(salesforce, cursors)) == {}
    salesforce.line.instead = lambda _: None
    assert gone(look(salesforce, cursors)) == {contact: Presence.DELETED}


def test_an_object_out_of_sight_stops_the_look(salesforce):
    """Without access to an object nothing is taken for gone: the run ends and says what to grant."""
    cursors = {}
    look(salesforce, cursors)
    salesforce.sandbox.admin.permissions({"objects": {"Contact": {"read": False, "edit": False}}})
    with pytest.raises(Unreachable, match="INVALID_TYPE") as caught:
        look(salesforce, cursors)
    assert "access" in caught.value.remedy


def test_fields_that_do_not_exist_are_left_out(salesforce):
    """A wanted field that the org lacks is neither asked for nor written; record types read as blank."""
    wanted = Wanted(("Name", "Nowhere__c", "RecordTypeId"), "Elsewhere__c")
    deal = make(salesforce, 1).popitem()[1]
    record = salesforce.crm.read("Opportunity", [deal], wanted)[deal]
    assert set(record.fields) == {"Name", "RecordTypeId"}
    assert (record.fields["RecordTypeId"], record.partner_id) == (None, None)
    assert salesforce.crm.find("Opportunity", ["x"], wanted) == {}


def test_more_ids_than_one_call_takes(salesforce):
    """12,000 ids are read in two calls, and what is missing among them is told."""
    made = list(make(salesforce, 3).values())
    ids = [f"006{number:012d}AAA" for number in range(3)] + made
    before = salesforce.crm.usage().calls
    found = salesforce.crm.read("Opportunity", ids, WANTED["Opportunity"])
    assert [one.presence for one in found.values()].count(Presence.PRESENT) == 3
    assert salesforce.crm.usage().calls - before == 2  # the records, and what became of the missing ones


# Salesforce trims values, stores no blank ones, and takes values that differ in case for the same.
hostile = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40),
    st.text(st.sampled_from("'\"\\%_)(\n\r\t\b\fnuaOR =-/;é漢🐟"), min_size=1, max_size=40),
    st.sampled_from(["' OR Name != '", "\\' OR Id != '", "\\", "'", "\\\\'", "x') OR (Id != '", "a\nb", "\\u0041"]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(hostile.map(str.strip).filter(bool), min_size=2, max_size=4, unique_by=str.casefold))
def test_soql_is_safe_from_values(salesforce, values):
    """Looking for any value finds exactly the records that hold it."""
    drafts = [
        Draft(value, {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-12-31", "HubSpot_Id__c": value})
        for value in values
    ]
    made = {one.key: one.id for one in flat(salesforce.crm.create("Opportunity", drafts, WANTED["Opportunity"]))}
    try:
        for value in values:
            found = salesforce.crm.find("Opportunity", [value], WANTED["Opportunity"])
            assert {key: one.id for key, one in found.items()} == {value: made[value]}
        found = salesforce.crm.find("Opportunity", values, WANTED["Opportunity"])
        assert {key: one.id for key, one in found.items()} == made
    finally:
        salesforce.remove(list(made.values()))


def test_pages_of_nothing(salesforce):
    """An empty org answers a look with a page per object at least, each with its cursor."""
    cursors = {}
    pages = look(salesforce, cursors)
    assert all(isinstance(page, Page) and not page.records and not page.roles for page in pages)
    assert {f"salesforce/{name}" for name in OBJECTS} <= set(cursors)


# --- merges -------------------------------------------------------------------------------------------------


def merge(salesforce, master, loser):
    """Merge one contact into another, as a person does."""
    body = orjson.dumps({"sobject": "Contact", "master": master, "losers": [loser]})
    assert salesforce.sandbox(Request("POST", "/_sandbox/merge", body=body)).status < 300


def told_of_merges(pages):
    """What is told of merged records: survivor by id."""
    return {one.id: one.survivor for page in pages for one in page.records if one.presence is Presence.MERGED}


def test_A7_a_merged_record_is_told_at_once_with_its_survivor(salesforce):
    """In the very minute of the merge, in which getDeleted tells nothing yet; and never as deleted."""
    master, loser = (create(salesforce, "Contact", LastName=name) for name in ("Master", "Loser"))
    cursors = {}
    look(salesforce, cursors)
    merge(salesforce, master, loser)
    pages = look(salesforce, cursors)
    assert told_of_merges(pages) == {loser: master}
    assert set(gone(pages).values()) == {Presence.MERGED}
    read = salesforce.crm.read("Contact", [loser], WANTED["Contact"])[loser]
    assert (read.presence, read.survivor) == (Presence.MERGED, master)


def test_A7_a_merge_that_getdeleted_alone_tells_takes_one_call_more(salesforce):
    """The changes are past, their cursor far ahead; the deletions were not told so far."""
    master, loser = (create(salesforce, "Contact", LastName=name) for name in ("Master", "Loser"))
    cursors = {}
    look(salesforce, cursors)
    behind = cursors["salesforce/Contact/deleted"]
    salesforce.pass_time(timedelta(minutes=5))
    merge(salesforce, master, loser)
    salesforce.pass_time(timedelta(hours=2))
    look(salesforce, cursors)
    cursors["salesforce/Contact/deleted"] = behind
    pages = look(salesforce, cursors)
    assert told_of_merges(pages) == {loser: master}
    calls = salesforce.crm.usage().calls
    look(salesforce, cursors)
    assert calls == salesforce.crm.usage().calls + 1
