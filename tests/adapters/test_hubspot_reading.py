"""What could get lost between two looks at HubSpot, and does not."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from adapters.conformance import Looks, flat, make
from adapters.conftest import PARTNER

from connector.adapters.answers import Misshapen
from connector.adapters.base import Draft, Edit, Trouble, Wanted
from connector.adapters.hubspot import PRIMARY_COMPANY
from connector.core.model import Presence
from connector.sandbox.wire import Response


@pytest.fixture
def still(clock):
    """Time stands; what is written gets the same modified date, but for writes to one record."""
    clock.freeze()
    return clock


def create(bench, object_, contacts=(), **values):
    """A record of any object: its id."""
    (outcome,) = flat(bench.crm.create(object_, [Draft("one", values, contacts)], Wanted((), PARTNER)))
    assert outcome.refusal is None
    return outcome.id


def deal(bench, key, contacts=(), **more):
    """A deal: its id."""
    return create(bench, "deals", contacts, **{**bench.draft(key).values, **more})


def searches(bench):
    return [one for one in bench.line.requests if one.path.endswith("/search")]


def test_late_indexing(hubspot):
    """A record that search shows 20 minutes after it was written is seen, though others came before."""
    looks = Looks(hubspot)
    looks.look()
    hubspot.pass_time(timedelta(minutes=10))
    late, soon = list(make(hubspot, 2).values())
    hubspot.sandbox.delay_index("deals", late, hubspot.sandbox.clock.now() + timedelta(minutes=20))
    seen = set()
    for _ in range(4):
        hubspot.pass_time(timedelta(minutes=4))
        seen |= set(looks.look())
    assert (late in seen, soon in seen) == (False, True)
    hubspot.pass_time(timedelta(minutes=5))
    assert late in looks.look()


def test_late_indexing_of_an_edit(hubspot):
    """An edit that search shows 20 minutes later is seen then; until then its old version changes nothing."""
    ((_, id_),) = make(hubspot, 1).items()
    looks = Looks(hubspot)
    looks.look()
    flat(hubspot.crm.update("deals", [Edit(id_, {"dealname": "New"})]))
    hubspot.sandbox.delay_index("deals", id_, hubspot.sandbox.clock.now() + timedelta(minutes=20))
    hubspot.pass_time(timedelta(minutes=1))
    assert looks.look()[id_].fields["dealname"] != "New"
    hubspot.pass_time(timedelta(minutes=20))
    assert looks.look()[id_].fields["dealname"] == "New"


@pytest.mark.parametrize("apart", [0, 1])
def test_more_hits_than_search_shows(hubspot, still, apart):
    """10,400 changes are seen although search ends at 10,000 hits, be their dates all one or not."""
    looks = Looks(hubspot)
    looks.look()
    still.advance(timedelta(hours=1))
    made = set()
    for _ in range(104):
        made |= set(make(hubspot, 100).values())
        if apart:
            still.advance(timedelta(milliseconds=1))
    hubspot.line.requests.clear()
    assert made <= set(looks.look())
    assert len(searches(hubspot)) <= 110


@pytest.mark.parametrize("shared", [1, 30, 199, 200, 201, 400, 401])
def test_page_borders_within_one_date(hubspot, still, shared):
    """However many records share a date, those beyond them are seen too."""
    looks = Looks(hubspot)
    looks.look()
    still.advance(timedelta(hours=1))
    made = set()
    for number in (150, shared, 1, shared):
        made |= set(make(hubspot, number).values())
        still.advance(timedelta(seconds=1))
    assert made <= set(looks.look())


def test_records_changed_while_searching(hubspot):
    """An edit made while pages are fetched moves its record to the end, and pushes no other one out of sight."""
    looks = Looks(hubspot)
    looks.look()
    hubspot.pass_time(timedelta(hours=1))
    made = list(make(hubspot, 700).values())
    hubspot.pass_time(timedelta(hours=2))  # so the next look will not see them again
    touched = iter(made)

    def touch(request):
        """Somebody edits three of the oldest records before each page."""
        if request.path.endswith("/search"):
            for id_ in itertools.islice(touched, 3):
                hubspot.call("PATCH", f"/crm/v3/objects/deals/{id_}", {"properties": {"dealname": "Touched"}})

    hubspot.line.before = touch
    assert set(made) <= set(looks.look())


def test_records_changed_while_listing(hubspot):
    """What is written while everything is listed is seen by the look after that."""
    made = list(make(hubspot, 250).values())
    looks = Looks(hubspot)

    def touch(request):
        if request.first("after"):
            hubspot.call("PATCH", f"/crm/v3/objects/deals/{made[0]}", {"properties": {"dealname": "Touched"}})

    hubspot.line.before = touch
    assert looks.look()[made[0]].fields["dealname"] != "Touched"
    hubspot.line.before = lambda _: None
    hubspot.pass_time(timedelta(hours=3))
    assert looks.look()[made[0]].fields["dealname"] == "Touched"


def test_quiet_look_is_one_call(hubspot):
    """Where nothing changed, a look is one search."""
    make(hubspot, 3)
    looks = Looks(hubspot)
    looks.look()
    hubspot.pass_time(timedelta(hours=2))
    hubspot.line.requests.clear()
    looks.look()
    assert len(searches(hubspot)) == 1


def test_a_cursor_does_not_go_back(hubspot, clock):
    """A server's clock that was set back does not make everything be read again."""
    looks = Looks(hubspot)
    looks.look()
    before = looks.cursors["hubspot/deals"]["since"]
    clock.advance(timedelta(hours=-5))
    looks.look()
    assert looks.cursors["hubspot/deals"]["since"] == before


def test_contacts_have_a_modified_date_of_their_own_name(hubspot):
    """Contacts are searched by the property that they have."""
    looks = Looks(hubspot)
    looks.look()
    hubspot.pass_time(timedelta(hours=1))
    contact = create(hubspot, "contacts", email="Jane@Example.com")
    pages = hubspot.crm.changes(
        {"contacts": Wanted(("email",))}, {"hubspot/contacts": looks.cursors["hubspot/deals"]}
    )
    (record,) = [one for page in pages for one in page.records]
    assert (record.id, record.fields) == (contact, {"email": "jane@example.com"})


def test_archived_records_are_told(hubspot):
    """The recycle bin is read by pages, with the partner's id that tells a pair which was over before."""
    made = make(hubspot, 130)
    for some in (list(made.values())[:100], list(made.values())[100:]):
        hubspot.remove(some)
    pages = list(hubspot.crm.archived("deals", hubspot.wanted))
    assert [len(page) for page in pages] == [100, 30]
    told = {one.partner_id: one.id for page in pages for one in page if one.presence is Presence.DELETED}
    assert told == made


def test_merged_records(hubspot):
    """A merged record is told as that when read, and gone when written to; the survivor is not touched."""
    lost, kept = create(hubspot, "contacts", email="a@x.com"), create(hubspot, "contacts", email="b@x.com")
    body = {"primaryObjectId": kept, "objectIdToMerge": lost}
    status, survivor = hubspot.call("POST", "/crm/v3/objects/contacts/merge", body)
    assert status == 200
    wanted = Wanted(("email", "firstname"), PARTNER)
    told = hubspot.crm.read("contacts", [lost], wanted)[lost]
    assert (told.presence, told.survivor) == (Presence.MERGED, survivor["id"])
    edits = [Edit(lost, {"firstname": "Lost"}), Edit("1", {"firstname": "None"})]
    outcomes = {one.key: one for one in flat(hubspot.crm.update("contacts", edits))}
    assert {one.refusal.trouble for one in outcomes.values()} == {Trouble.GONE}
    assert hubspot.crm.read("contacts", [survivor["id"]], wanted)[survivor["id"]].fields["firstname"] is None


def test_A7_what_an_archived_survivor_absorbed_is_told_with_it(hubspot):
    """Its survivor went before anybody looked: asked for alone it is nowhere, and the recycle bin tells of it."""
    lost, kept = deal(hubspot, "a"), deal(hubspot, "b")
    body = {"primaryObjectId": kept, "objectIdToMerge": lost}
    survivor = hubspot.call("POST", "/crm/v3/objects/deals/merge", body)[1]["id"]
    hubspot.remove([survivor])
    assert hubspot.crm.read("deals", [lost], hubspot.wanted)[lost].presence is Presence.INVISIBLE
    told = {one.id: one for page in hubspot.crm.archived("deals", hubspot.wanted) for one in page}
    assert told[survivor].presence is Presence.DELETED
    assert (told[lost].presence, told[lost].survivor) == (Presence.MERGED, survivor)


@pytest.mark.parametrize("times", [1, 9])
def test_D6_a_record_that_a_batch_leaves_out_by_mistake_is_not_out_of_sight(hubspot, times):
    """Asked for alone it is there: it is read once more, and if the batch lacks it again, nothing is made of it."""
    left_out, other = deal(hubspot, "a"), deal(hubspot, "b")
    lacking = iter(range(times))

    def leave_out(request):
        read = request.path.endswith("/deals/batch/read")
        archived = request.first("archived") == "true"
        if not read or archived or next(lacking, None) is None:
            return None
        answer = hubspot.sandbox(request)
        told = orjson.loads(answer.body)
        told["results"] = [row for row in told["results"] if row["id"] != left_out]
        return Response.json(told, answer.status)

    hubspot.line.instead = leave_out
    if times == 1:
        read = hubspot.crm.read("deals", [left_out, other], hubspot.wanted)
        assert {id_: (one.presence, one.fields["dealname"]) for id_, one in read.items()} == {
            left_out: (Presence.PRESENT, "Deal a"),
            other: (Presence.PRESENT, "Deal b"),
        }
    else:
        with pytest.raises(Misshapen, match=f"{left_out} is left out"):
            hubspot.crm.read("deals", [left_out, other], hubspot.wanted)


def test_deals_are_made_with_their_contacts(hubspot):
    """Contacts and the primary company are associated in the call that makes the deal."""
    contacts = [create(hubspot, "contacts", email=f"{name}@x.com") for name in "ab"]
    company = create(hubspot, "companies", name="Acme")
    before = hubspot.crm.usage().calls
    made = deal(hubspot, "k", tuple(contacts), **{PRIMARY_COMPANY: company})
    assert hubspot.crm.usage().calls - before == 1
    bare = deal(hubspot, "other")
    assert hubspot.crm.deal_contacts([made, bare]) == {made: dict.fromkeys(contacts, frozenset()), bare: {}}
    assert hubspot.crm.primary_companies([made, bare]) == {made: company}
    wanted = Wanted(("dealname", PRIMARY_COMPANY), PARTNER)
    read = hubspot.crm.read("deals", [made, bare], wanted)
    assert {id_: one.fields[PRIMARY_COMPANY] for id_, one in read.items()} == {made: company, bare: None}


def test_moving_to_another_company(hubspot):
    """The company that the connector had set gives way to the new one; others stay."""
    old, new = create(hubspot, "companies", name="Old"), create(hubspot, "companies", name="New")
    made = deal(hubspot, "k", **{PRIMARY_COMPANY: old})
    edit = Edit(made, {PRIMARY_COMPANY: new, "dealname": "Moved"}, {PRIMARY_COMPANY: old, "dealname": "Deal k"})
    assert flat(hubspot.crm.update("deals", [edit]))[0].id == made
    assert hubspot.crm.primary_companies([made]) == {made: new}
    flat(hubspot.crm.update("deals", [Edit(made, {PRIMARY_COMPANY: None}, {PRIMARY_COMPANY: new})]))
    assert hubspot.crm.primary_companies([made]) == {}


def test_company_of_a_contact(hubspot):
    """A contact's primary company is written as an association and read as a field."""
    company = create(hubspot, "companies", name="Acme")
    contact = create(hubspot, "contacts", email="a@x.com", **{PRIMARY_COMPANY: company})
    wanted = Wanted(("email", PRIMARY_COMPANY), PARTNER)
    assert hubspot.crm.read("contacts", [contact], wanted)[contact].fields[PRIMARY_COMPANY] == company
    flat(hubspot.crm.update("contacts", [Edit(contact, {PRIMARY_COMPANY: None}, {PRIMARY_COMPANY: company})]))
    assert hubspot.crm.read("contacts", [contact], wanted)[contact].fields[PRIMARY_COMPANY] is None


def test_only_the_company_that_is_gone_is_refused(hubspot):
    """A deal whose company does not exist any more is refused, the others of the batch are moved."""
    company = create(hubspot, "companies", name="Acme")
    good, bad = deal(hubspot, "a"), deal(hubspot, "b")
    edits = [Edit(good, {PRIMARY_COMPANY: company}), Edit(bad, {PRIMARY_COMPANY: "1", "dealname": "New"})]
    outcomes = {one.key: one for one in flat(hubspot.crm.update("deals", edits))}
    assert outcomes[good].id == good
    assert outcomes[bad].refusal is not None


def test_only_the_contact_that_is_gone_is_refused(hubspot):
    """Of two contacts of one deal the one that exists is associated, and told so."""
    contact, made = create(hubspot, "contacts", email="a@x.com"), deal(hubspot, "k")
    outcomes = {one.key: one for one in flat(hubspot.crm.add_contacts([(made, contact), (made, "1")]))}
    assert outcomes[f"{made}/{contact}"].id == contact
    assert outcomes[f"{made}/1"].refusal.trouble is Trouble.GONE
    assert hubspot.crm.deal_contacts([made]) == {made: {contact: frozenset()}}


def test_associating_twice_changes_nothing(hubspot):
    """An association that exists is made again without harm, and many take few calls."""
    contact = create(hubspot, "contacts", email="a@x.com")
    pairs = [(id_, contact) for id_ in make(hubspot, 20).values()]
    before = hubspot.crm.usage().calls
    for _ in range(2):
        assert all(one.refusal is None for one in flat(hubspot.crm.add_contacts(pairs)))
    assert hubspot.crm.usage().calls - before == 2 * hubspot.crm.price("connect", len(pairs))
    assert hubspot.crm.deal_contacts([pairs[0][0]]) == {pairs[0][0]: {contact: frozenset()}}


def test_more_contacts_than_one_answer_tells(hubspot):
    """A deal with more than 500 contacts is read to the end."""
    emails = [Draft(str(n), {"email": f"a{n}@x.com"}) for n in range(620)]
    contacts = [one.id for one in flat(hubspot.crm.create("contacts", emails, Wanted(())))]
    made = deal(hubspot, "k")
    flat(hubspot.crm.add_contacts([(made, contact) for contact in contacts]))
    assert hubspot.crm.deal_contacts([made]) == {made: dict.fromkeys(contacts, frozenset())}


def test_deleting(hubspot):
    """Records are archived a hundred at a time; archiving an archived one changes nothing."""
    ids = list(make(hubspot, 130).values())
    before = hubspot.crm.usage().calls
    batches = list(hubspot.crm.delete("deals", ids))
    assert [[one.id for one in batch] for batch in batches] == [ids[:100], ids[100:]]
    assert hubspot.crm.usage().calls - before == hubspot.crm.price("delete", 130) == 2
    assert flat(hubspot.crm.delete("deals", ids[:1]))[0].refusal is None
    assert hubspot.crm.read("deals", ids[:1], hubspot.wanted)[ids[0]].presence is Presence.DELETED


def test_several_calls_at_a_time(hubspot):
    """With workers the outcomes are the same, and come in the order of the inputs."""
    hubspot.sign_on(workers=4)
    made = make(hubspot, 530)
    edits = [Edit(id_, {"dealname": key}) for key, id_ in made.items()]
    assert [one.key for one in flat(hubspot.crm.update("deals", edits))] == list(made.values())
    read = hubspot.crm.read("deals", list(made.values()), hubspot.wanted)
    assert {one.fields["dealname"]: id_ for id_, one in read.items()} == made


def test_values_are_written_as_hubspot_takes_them(hubspot):
    """Blank clears, numbers and booleans become text."""
    ((_, id_),) = make(hubspot, 1).items()
    flat(hubspot.crm.update("deals", [Edit(id_, {"amount": None, "hs_next_step": True})]))
    read = hubspot.crm.read("deals", [id_], hubspot.wanted)[id_].fields
    assert (read["amount"], read["hs_next_step"]) == (None, "true")


@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_older_and_dated_paths_do_the_same(hubspot, version):
    """The version of the API is a setting; both spellings work throughout."""
    crm = hubspot.sign_on(version=version)
    ((key, id_),) = make(hubspot, 1).items()
    contact = create(hubspot, "contacts", email="a@x.com")
    flat(crm.add_contacts([(id_, contact)]))
    assert crm.deal_contacts([id_]) == {id_: {contact: frozenset()}}
    assert crm.find("deals", [key], hubspot.wanted)[key].id == id_
    assert crm.pipelines()[0].id == "default"
    assert crm.owners()[0].email == "admin@example.com"
    assert PARTNER in crm.properties("deals")
    assert any(version in one.path for one in hubspot.line.requests)


def test_times_are_utc(hubspot):
    """A record's version is its modified date, to the millisecond."""
    ((_, id_),) = make(hubspot, 1).items()
    record = hubspot.crm.read("deals", [id_], hubspot.wanted)[id_]
    assert record.version == record.modified
    assert datetime.fromisoformat(record.modified).tzinfo == UTC


def test_newcomers_are_those_without_a_partner(hubspot):
    """Since a moment, page by page, whatever the connector made since; one call if there is nobody."""
    begun = hubspot.sandbox.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    hubspot.line.requests.clear()
    wanted = Wanted(("dealname",), PARTNER)
    assert [one for some in hubspot.crm.newcomers("deals", wanted, begun) for one in some] == []
    assert len(searches(hubspot)) == 1
    hubspot.pass_time(timedelta(minutes=1))
    ours = deal(hubspot, "ours")
    theirs = []
    for number in range(201):
        values = {name: value for name, value in hubspot.draft(str(number)).values.items() if name != PARTNER}
        body = {"properties": values}
        theirs.append(hubspot.call("POST", "/crm/v3/objects/deals", body)[1]["id"])
    hubspot.pass_time(timedelta(minutes=1))
    found = [one.id for some in hubspot.crm.newcomers("deals", wanted, begun) for one in some]
    assert sorted(found) == sorted(theirs)
    assert ours not in found
    assert len(searches(hubspot)) == 1 + 2
