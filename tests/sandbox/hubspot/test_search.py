"""What searches find, in which order and page, what they refuse, and when they see a write."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from .conftest import CONTACT_OF_DEAL, START

STAGE = {"dealstage": "appointmentscheduled"}
DEAL = {"dealname": "D", **STAGE}


def where(name, operator, value=None, **more):
    return {"propertyName": name, "operator": operator, **({} if value is None else {"value": value}), **more}


def since(moment, operator="GTE"):
    return where("hs_lastmodifieddate", operator, moment)


OLDEST_FIRST = [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}]


@pytest.fixture
def deals(hub):
    """Four deals by name."""
    given = {
        "Alpha": {"amount": "5", "dealtype": "newbusiness", "closedate": "2026-01-05"},
        "Beta Gamma": {"amount": "10.0", "dealtype": "existingbusiness", "closedate": "2026-02-05"},
        "Gamma": {"amount": "100", "description": "the red house"},
        "delta": {},
    }
    return {name: hub.create("deals", {"dealname": name, **STAGE, **more}) for name, more in given.items()}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (where("amount", "EQ", "10"), "Beta Gamma"),
        (where("amount", "NEQ", "10"), "Alpha, Gamma"),
        (where("amount", "LT", "10"), "Alpha"),
        (where("amount", "LTE", "10"), "Alpha, Beta Gamma"),
        (where("amount", "GT", 10), "Gamma"),
        (where("amount", "GTE", "10.00"), "Beta Gamma, Gamma"),
        (where("amount", "BETWEEN", "5", highValue="10"), "Alpha, Beta Gamma"),
        (where("amount", "IN", values=["5", "100"]), "Alpha, Gamma"),
        (where("amount", "NOT_IN", values=["5", "100"]), "Beta Gamma"),
        (where("amount", "HAS_PROPERTY"), "Alpha, Beta Gamma, Gamma"),
        (where("amount", "NOT_HAS_PROPERTY"), "delta"),
        (where("dealname", "EQ", "ALPHA"), "Alpha"),
        (where("dealname", "IN", values=["alpha", "DELTA"]), "Alpha"),
        (where("dealname", "CONTAINS_TOKEN", "gamma"), "Beta Gamma, Gamma"),
        (where("dealname", "CONTAINS_TOKEN", "Beta gam*"), "Beta Gamma"),
        (where("dealname", "CONTAINS_TOKEN", "gam"), ""),
        (where("dealname", "NOT_CONTAINS_TOKEN", "gamma"), "Alpha, delta"),
        (where("dealtype", "EQ", "newbusiness"), "Alpha"),
        (where("dealtype", "EQ", "NewBusiness"), ""),
        (where("dealtype", "IN", values=["newbusiness", "EXISTINGBUSINESS"]), "Alpha"),
        (where("closedate", "GT", "2026-01-05"), "Beta Gamma"),
        (where("closedate", "GTE", "1767571200000"), "Alpha, Beta Gamma"),
        (where("hs_is_closed", "EQ", "false"), "Alpha, Beta Gamma, Gamma, delta"),
        (where("hs_lastmodifieddate", "HAS_PROPERTY"), "Alpha, Beta Gamma, Gamma, delta"),
    ],
)
def test_operators(hub, deals, condition, expected):
    """Numbers and dates by size, strings without regard to case, enumerations with it; no value matches nothing."""
    names = {record_id: name for name, record_id in deals.items()}
    answer = hub.search("deals", condition)
    assert ", ".join(names[row["id"]] for row in answer["results"]) == expected
    assert answer["total"] == len(answer["results"])


@pytest.mark.parametrize("operator", ["EQ", "IN"])
def test_records_are_found_by_id(hub, deals, operator):
    """`hs_object_id` works as filter, missing ids find nothing."""
    condition = where("hs_object_id", operator, deals["delta"], values=[deals["delta"], "12"])
    assert hub.found("deals", condition) == [deals["delta"]]


def test_contacts_are_found_by_address(hub):
    """Without regard to the case of the address, among several too."""
    ada, bob = (hub.create("contacts", {"email": f"{name}@example.com"}) for name in ("ada", "bob"))
    assert hub.found("contacts", where("email", "EQ", "ADA@example.com")) == [ada]
    condition = where("email", "IN", values=["ada@example.com", "bob@example.com", "no@example.com"])
    assert hub.found("contacts", condition) == [ada, bob]
    assert hub.found("contacts", where("email", "IN", values=["ADA@example.com"])) == []


def test_named_records_must_pass_the_other_filters_too(hub, deals):
    """An id in one group, another condition beside it, and a second group that names no record."""
    named = where("hs_object_id", "IN", values=[deals["Alpha"], deals["Gamma"]])
    assert hub.found("deals", named, where("amount", "GT", "50")) == [deals["Gamma"]]
    groups = [{"filters": [named]}, {"filters": [where("dealname", "EQ", "delta")]}]
    answer = hub.call("POST", "/crm/v3/objects/deals/search", {"filterGroups": groups})
    assert [row["id"] for row in answer["results"]] == [deals["Alpha"], deals["Gamma"], deals["delta"]]


def test_an_address_is_found_as_search_last_saw_it(hub):
    """While a change of address is not visible yet, the old address finds the contact and the new one does not."""
    ada = hub.create("contacts", {"email": "ada@example.com"})
    hub.set(search_delay_seconds=10)
    hub.update("contacts", ada, email="new@example.com")
    assert hub.found("contacts", where("email", "EQ", "ada@example.com")) == [ada]
    assert hub.found("contacts", where("email", "EQ", "new@example.com")) == []
    hub.advance(10)
    assert hub.found("contacts", where("email", "EQ", "new@example.com")) == [ada]


def test_filters_are_anded_and_groups_ored(hub, deals):
    """(amount > 7 and < 50) or the name is delta."""
    groups = [
        {"filters": [where("amount", "GT", "7"), where("amount", "LT", "50")]},
        {"filters": [where("dealname", "EQ", "delta")]},
    ]
    answer = hub.call("POST", "/crm/v3/objects/deals/search", {"filterGroups": groups})
    assert [row["id"] for row in answer["results"]] == [deals["Beta Gamma"], deals["delta"]]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ([], "Alpha, Beta Gamma, Gamma, delta"),
        ([{"propertyName": "amount", "direction": "DESCENDING"}], "Gamma, Beta Gamma, Alpha, delta"),
        (["amount"], "Alpha, Beta Gamma, Gamma, delta"),
        (["-dealname"], "Gamma, delta, Beta Gamma, Alpha"),
        ([{"propertyName": "hs_object_id", "direction": "DESCENDING"}], "delta, Gamma, Beta Gamma, Alpha"),
    ],
)
def test_one_sort(hub, deals, sort, expected):
    """By any property, as object or string; nothing has no place; creation order without one."""
    names = {record_id: name for name, record_id in deals.items()}
    assert ", ".join(names[found] for found in hub.found("deals", sorts=sort)) == expected


def test_free_text_looks_at_the_searched_properties(hub, deals):
    """Beginnings of words in names and descriptions."""
    assert hub.found("deals", query="gam") == [deals["Beta Gamma"], deals["Gamma"]]
    assert hub.found("deals", query="house RED") == [deals["Gamma"]]
    assert hub.found("deals", query="nothing") == []


def test_records_are_found_by_association(hub, deals):
    """The pseudo-property `associations.contact`."""
    contact = hub.create("contacts", {"lastname": "L"})
    linked = hub.create("deals", {"dealname": "X", **STAGE}, (contact, CONTACT_OF_DEAL))
    assert hub.found("deals", where("associations.contact", "EQ", contact)) == [linked]
    assert hub.found("deals", where("associations.contact", "IN", values=[contact, "12"])) == [linked]
    assert hub.found("deals", where("associations.contact", "HAS_PROPERTY")) == [linked]
    assert linked not in hub.found("deals", where("associations.contact", "NOT_HAS_PROPERTY"))
    hub.search("deals", where("associations.contact", "GT", contact), expect=400)
    hub.search("deals", where("associations.unicorn", "EQ", contact), expect=400)


def test_filters_need_no_group(hub, deals):
    """`filters` beside `filterGroups` are one group, unless there are groups."""
    body = {"filters": [where("dealname", "EQ", "alpha")]}
    assert hub.found("deals", **body) == [deals["Alpha"]]
    assert hub.found("deals", where("dealname", "EQ", "delta"), **body) == [deals["delta"]]


def test_neither_archived_records_nor_associations_are_shown(hub, deals):
    """Archived records never appear, and `archived` or `associations` in the body change nothing."""
    hub.call("DELETE", f"/crm/v3/objects/deals/{deals['Alpha']}", expect=204)
    answer = hub.search("deals", properties=["amount"], archived=True, associations=["contacts"])
    assert [row["id"] for row in answer["results"]] == [deals["Beta Gamma"], deals["Gamma"], deals["delta"]]
    assert not any("associations" in row for row in answer["results"])
    assert answer["results"][0]["properties"]["amount"] == "10.0"


F = where("amount", "GT", "1")


@pytest.mark.parametrize(
    "body",
    [
        {"filterGroups": [{"filters": [F]}] * 6},
        {"filterGroups": [{"filters": [F] * 7}]},
        {"filterGroups": [{"filters": [F] * 5}] * 4},
        {"limit": 201},
        {"limit": "many"},
        {"after": "10000"},
        {"sorts": ["amount", "dealname"]},
        {"sorts": ["nonsense"]},
        {"query": "x" * 3_000},
        {"filterGroups": [{"filters": [where("nonsense", "EQ", "1")]}]},
        {"filterGroups": [{"filters": [where("amount", "LIKE", "1")]}]},
        {"filterGroups": [{"filters": [where("amount", "EQ", "many")]}]},
        {"filterGroups": [{"filters": [where("hs_object_id", "EQ", "inf")]}]},
        {"filterGroups": [{"filters": [where("amount", "EQ")]}]},
        {"filterGroups": [{"filters": [where("amount", "IN", "5")]}]},
        {"filterGroups": [{"filters": [where("closedate", "EQ", "soon")]}]},
        {"filterGroups": [{"filters": ["amount"]}]},
    ],
)
def test_what_is_beyond_the_limits_is_refused(hub, body):
    """5 groups, 6 filters each, 18 in all, 200 a page, 10,000 results, one sort, 3,000 characters."""
    assert hub.call("POST", "/crm/v3/objects/deals/search", body, 400)["category"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("after", ["-1", -5, "10000"])
def test_pages_begin_within_the_results(hub, deals, after):
    """Neither before the first nor behind the last that a search reaches."""
    hub.search("deals", after=after, expect=400)


def test_a_page_of_none_leads_nowhere(hub, deals):
    """A limit of nought tells the total, and no next page that would be this one again."""
    assert hub.search("deals", limit=0) == {"total": len(deals), "results": []}


def test_the_largest_allowed_search(hub, deals):
    """Five groups with eighteen filters and a page of 200 are fine."""
    groups = [{"filters": [F] * count} for count in (6, 5, 5, 1, 1)]
    body = {"filterGroups": groups, "limit": 200}
    assert hub.call("POST", "/crm/v3/objects/deals/search", body)["total"] == 3


def create_many(hub, count):
    for start in range(0, count, 100):
        inputs = [{"properties": {"dealname": f"D{start + i}", **STAGE}} for i in range(100)]
        hub.call("POST", "/crm/v3/objects/deals/batch/create", {"inputs": inputs}, 201)
        hub.advance(1)


@pytest.mark.parametrize("sort", [OLDEST_FIRST, []])
def test_pages_end_at_ten_thousand(hub, sort):
    """The total is true, the last page reaches the 10,000th, and beyond is a 400; keyset goes on."""
    create_many(hub, 10_100)
    body = {"sorts": sort, "limit": 200}
    answer = hub.search("deals", since("0"), **body, after="9900")
    assert answer["total"] == 10_100
    assert len(answer["results"]) == 100
    assert answer["paging"]["next"]["after"] == "10000"
    hub.search("deals", since("0"), **body, after="10000", expect=400)
    last = answer["results"][-1]["updatedAt"]
    assert hub.search("deals", since(last), **body)["total"] == 200


def test_pages_by_modified_date_visit_every_record_once(hub):
    """200 a page, from the start to the end."""
    create_many(hub, 500)
    seen, after = [], "0"
    while after is not None:
        answer = hub.search("deals", since("0"), sorts=OLDEST_FIRST, limit=200, after=after)
        seen += [row["updatedAt"] + row["id"] for row in answer["results"]]
        after = answer.get("paging", {}).get("next", {}).get("after")
    assert len(seen) == 500
    assert seen == sorted(set(seen))


def test_both_ways_of_answering_agree(hub):
    """The order kept for incremental polls finds what looking at every record finds, after any writes."""
    chance = random.Random(5)
    deals = [hub.create("deals", {"dealname": f"D{i}", **STAGE}) for i in range(30)]
    for _ in range(60):
        deal = chance.choice(deals)
        hub.advance(chance.choice([0, 0.001, 5]))
        if chance.random() < 0.1 and len(deals) > 10:
            deals.remove(deal)
            hub.call("DELETE", f"/crm/v3/objects/deals/{deal}", expect=204)
        else:
            hub.update("deals", deal, amount=str(chance.randrange(9)))
    rows = hub.search("deals", limit=200)["results"]
    moments = sorted(row["updatedAt"] for row in rows)
    for moment in (moments[0], moments[7], moments[-1], "2027-01-01T00:00:00Z"):
        for operator, keep in (
            ("GTE", str.__ge__),
            ("GT", str.__gt__),
            ("LTE", str.__le__),
            ("LT", str.__lt__),
            ("EQ", str.__eq__),
        ):
            expected = sorted((row["updatedAt"], row["id"]) for row in rows if keep(row["updatedAt"], moment))
            plain = hub.found("deals", since(moment, operator), sorts=OLDEST_FIRST, limit=200)
            assert plain == [record_id for _, record_id in expected]
            narrowed = hub.found("deals", since(moment, operator), where("dealname", "HAS_PROPERTY"), limit=200)
            assert sorted(narrowed) == sorted(plain)


def test_contacts_are_polled_by_their_own_property(hub):
    """Contacts have `lastmodifieddate`; the other name is unknown to them."""
    old = hub.create("contacts", {"lastname": "A"})
    hub.advance(60)
    new = hub.create("contacts", {"lastname": "B"})
    moment = (START + timedelta(seconds=30)).isoformat()
    assert hub.found("contacts", where("lastmodifieddate", "GT", moment), sorts=["lastmodifieddate"]) == [new]
    assert hub.found("contacts", where("lastmodifieddate", "LT", moment)) == [old]
    hub.search("contacts", where("hs_lastmodifieddate", "GT", "0"), expect=400)


# -- the delay of the index


@pytest.mark.parametrize("sort", [OLDEST_FIRST, []])
def test_a_write_becomes_visible_after_the_delay(hub, sort):
    """A new record is not there, a changed one is as it was; then both are."""
    old = hub.create("deals", {"dealname": "old", "amount": "1", **STAGE})
    hub.advance(60)
    hub.set(search_delay_seconds=10)
    new = hub.create("deals", {"dealname": "new", **STAGE})
    hub.update("deals", old, amount="2", description="more")
    (row,) = hub.search("deals", since("0"), sorts=sort, properties=["amount", "description"])["results"]
    assert (row["id"], row["properties"]["amount"], row["properties"]["description"]) == (old, "1", None)
    assert row["updatedAt"] == "2026-11-02T09:00:00.000Z"
    assert hub.found("deals", since("2026-11-02T09:00:30Z"), sorts=sort) == []
    assert hub.found("deals", where("amount", "EQ", "1")) == [old]
    assert hub.read("deals", old, "amount")["amount"] == "2"
    hub.advance(9.999)
    assert hub.search("deals")["total"] == 1
    hub.advance(0.001)
    assert hub.found("deals", since("2026-11-02T09:00:30Z"), sorts=sort) == [old, new]
    assert hub.found("deals", where("amount", "EQ", "2")) == [old]


def test_versions_become_visible_one_by_one(hub):
    """With several writes under way, search shows the newest that is old enough."""
    hub.set(search_delay_seconds=10)
    deal = hub.create("deals", {"dealname": "D", "amount": "0", **STAGE})
    for amount in "123":
        hub.advance(4)
        hub.update("deals", deal, amount=amount)
    seen = []
    for _ in range(5):
        rows = hub.search("deals", properties=["amount"])["results"]
        seen.append([row["properties"]["amount"] for row in rows])
        hub.advance(3)
    assert seen == [["0"], ["1"], ["2"], ["2"], ["3"]]


def test_one_record_can_be_kept_back(hub):
    """`delay_index` holds back the latest version of one record only."""
    first, second = (hub.create("deals", {"dealname": name, "amount": "1", **STAGE}) for name in "AB")
    hub.update("deals", first, amount="2")
    hub.sandbox.delay_index("deals", first, START + timedelta(minutes=22))
    hub.sandbox.delay_index("0-3", second, START + timedelta(minutes=1))
    assert hub.found("deals", where("amount", "EQ", "1")) == [first]
    hub.advance(60)
    assert hub.found("deals", where("amount", "EQ", "1")) == [first, second]
    hub.advance(21 * 60)
    assert hub.found("deals", where("amount", "EQ", "2")) == [first]


@pytest.mark.parametrize("sort", [[], ["hs_lastmodifieddate"], ["hs_object_id"]])
def test_an_archived_record_stays_in_sight_for_the_delay(hub, sort):
    """As it was before; restoring it does not show it twice."""
    record = hub.create("deals", DEAL)
    hub.set(search_delay_seconds=30.0)
    hub.call("DELETE", f"/crm/v3/objects/deals/{record}", expect=204)
    shown = hub.search("deals", sorts=sort)["results"]
    assert [(row["id"], row["archived"]) for row in shown] == [(record, False)]
    hub.sandbox.restore_records("deals", [record])
    assert hub.found("deals", sorts=sort) == [record]
    hub.advance(30)
    assert hub.found("deals", sorts=sort) == [record]
    hub.call("DELETE", f"/crm/v3/objects/deals/{record}", expect=204)
    hub.advance(30)
    assert hub.found("deals", sorts=sort) == []


def test_a_merged_record_stays_in_sight_for_the_delay(hub):
    """Both are found, then only the survivor."""
    hub.set(merge_mints_new_id=False)
    primary, absorbed = (hub.create("companies", {"name": name}) for name in "AB")
    hub.set(search_delay_seconds=30.0)
    body = {"primaryObjectId": primary, "objectIdToMerge": absorbed}
    hub.call("POST", "/crm/v3/objects/companies/merge", body)
    assert hub.found("companies") == [primary, absorbed]
    hub.advance(30)
    assert hub.found("companies") == [primary]


def test_what_was_never_in_sight_does_not_stay(hub):
    """A record that is archived before search has seen it never appears."""
    hub.set(search_delay_seconds=30.0)
    record = hub.create("deals", DEAL)
    hub.call("DELETE", f"/crm/v3/objects/deals/{record}", expect=204)
    for _ in range(4):
        assert hub.found("deals") == []
        hub.advance(10)


def test_an_association_is_seen_after_the_delay(hub):
    """A new one is not there yet, a removed one still is; then both are as they are."""
    deal, contact = hub.create("deals", DEAL), hub.create("contacts", {"email": "a@example.com"})
    here = {"propertyName": "associations.contact", "operator": "EQ", "value": contact}
    some = {"propertyName": "associations.contact", "operator": "HAS_PROPERTY"}
    there = {"propertyName": "associations.deal", "operator": "IN", "values": [deal]}
    path = f"/crm/v4/objects/deals/{deal}/associations/default/contacts/{contact}"

    def seen() -> list[bool]:
        return [bool(hub.found("deals", one)) for one in (here, some)] + [bool(hub.found("contacts", there))]

    hub.set(search_delay_seconds=30.0)
    hub.call("PUT", path)
    assert seen() == [False] * 3
    hub.advance(20)
    hub.call("DELETE", path.replace("/default", ""), expect=204)
    assert seen() == [False] * 3
    hub.advance(10)
    assert seen() == [True] * 3
    hub.advance(20)
    assert seen() == [False] * 3


def test_a_span_of_modified_dates(hub):
    """BETWEEN takes both ends in, whichever way it is answered."""
    ids = []
    for _ in range(4):
        ids.append(hub.create("deals", DEAL))
        hub.advance(60)
    between = {
        "propertyName": "hs_lastmodifieddate", "operator": "BETWEEN",
        "value": "2026-11-02T09:01:00Z", "highValue": "2026-11-02T09:02:00Z",
    }  # fmt: skip
    assert hub.found("deals", between, sorts=["hs_lastmodifieddate"]) == ids[1:3]
    assert hub.found("deals", between, sorts=["-hs_object_id"]) == ids[2:0:-1]
