"""Merges in either CRM: links follow to the survivor, and nobody is made, lost or deleted for it (A7, D6)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.lab import Lab

from connector.core.model import LinkState, Side
from connector.engine.answers.links import unlink
from connector.engine.run import Wish

CONTACT_OF_DEAL, COMPANY_OF_DEAL = 3, 5
PAIRS = {
    "contact": ("contact-contact", "Contact", "contacts"),
    "account": ("account-company", "Account", "companies"),
}

NAMED = {"contact": {"lastname": "Stranger"}, "account": {"name": "Stranger"}}


@pytest.fixture
def lab():
    return Lab()


@pytest.fixture(params=PAIRS)
def kind(request):
    """What is merged."""
    return request.param


def person(lab, name, **fields):
    return lab.sf_create("Contact", **{"LastName": name, "Email": f"{name}@acme.example", **fields})


def company(lab, name, **fields):
    return lab.sf_create("Account", **{"Name": name, "Website": f"{name}.example", **fields})


def make(lab, kind, name, **fields):
    return (person if kind == "contact" else company)(lab, name, **fields)


def sf_merge(lab, kind, master, *losers):
    lab.sandbox_post("salesforce", "merge", {"sobject": PAIRS[kind][1], "master": master, "losers": list(losers)})


def hs_merge(lab, object_, primary, absorbed):
    """Merge in HubSpot; returns the survivor's id."""
    body = {"primaryObjectId": primary, "objectIdToMerge": absorbed}
    return lab.hs("POST", f"/crm/v3/objects/{object_}/merge", body)["id"]


def hs_of(lab, kind, salesforce_id):
    return lab.partner(PAIRS[kind][2], salesforce_id)


def link(lab, kind, side, id_):
    return lab.store.links.by_ids(PAIRS[kind][0], side, [id_]).get(id_)


def told(lab):
    """Which records are listed, and for what."""
    return [(one["record_id"], one["code"]) for one in lab.problems()]


def count(lab, kind):
    """How many records there are on each side."""
    _, here, there = PAIRS[kind]
    return len(lab.sf_all(f"SELECT Id FROM {here}")), len(lab.hs_all(there))


# --- in Salesforce ------------------------------------------------------------------------------------------


def test_A7_the_partner_of_a_merged_record_follows_to_the_master(lab, kind):
    """The master had none: the link is its now, the stored id is corrected, and no record is made or deleted."""
    loser = make(lab, kind, "loser")
    lab.sync_once()
    partner = hs_of(lab, kind, loser)
    lab.configure(SYNC__FIRST_SYNC="triggers_only")
    master = make(lab, kind, "master")
    sf_merge(lab, kind, master, loser)
    lab.sync_once()
    assert hs_of(lab, kind, master) == partner
    assert link(lab, kind, Side.SALESFORCE, master).hubspot_id == partner
    assert count(lab, kind) == (1, 1)
    assert lab.problems() == []


def test_A7_after_the_merge_the_survivors_values_sync(lab):
    """Its base is the loser's, so the master's values are edits; and later edits go on travelling."""
    loser = person(lab, "loser", Title="Countess")
    lab.sync_once()
    partner = hs_of(lab, "contact", loser)
    master = person(lab, "master", Title="Queen")
    sf_merge(lab, "contact", master, loser)
    lab.sync_once()
    shown = lab.hs_get("contacts", partner, "jobtitle", "lastname", "email")
    assert (shown["jobtitle"], shown["lastname"], shown["email"]) == ("Queen", "master", "master@acme.example")
    lab.sf_edit("Contact", master, Title="Empress")
    lab.sync_once()
    assert lab.hs_get("contacts", partner, "jobtitle")["jobtitle"] == "Empress"


def test_A7_if_both_are_linked_the_master_keeps_its_own_and_the_other_one_is_listed(lab, kind):
    """The record left over in HubSpot is neither deleted nor linked; people are asked to merge it there too."""
    master, loser = make(lab, kind, "master"), make(lab, kind, "loser")
    lab.sync_once()
    kept, left = hs_of(lab, kind, master), hs_of(lab, kind, loser)
    sf_merge(lab, kind, master, loser)
    lab.sync_once()
    assert link(lab, kind, Side.SALESFORCE, master).hubspot_id == kept
    assert count(lab, kind) == (1, 2)
    [problem] = lab.problems()
    assert (problem["cause"], problem["side"], problem["record_id"]) == ("duplicates", "hubspot", left)
    assert kept in problem["detail"]
    assert "merge" in problem["remedy"]


def test_A7_what_a_merge_leaves_over_is_listed_though_its_pair_had_ended(lab, kind):
    """Its record was deleted, and restored and merged between two runs: its partner still names it."""
    master, loser = make(lab, kind, "master"), make(lab, kind, "loser")
    lab.sync_once()
    left = hs_of(lab, kind, loser)
    lab.sf_delete(PAIRS[kind][1], loser)
    lab.sync_until_rest()
    assert lab.problems() == []
    lab.sandbox_post("salesforce", "undelete", {"ids": [loser]})
    sf_merge(lab, kind, master, loser)
    lab.sync_until_rest()
    assert [one["record_id"] for one in lab.problems()] == [left]
    assert count(lab, kind) == (1, 2)


def test_A7_what_is_left_over_stays_listed_until_it_is_merged_too(lab, kind):
    """Touching it changes nothing; merging it in HubSpot ends the problem, whichever of the two is the primary."""
    for order in (0, 1):
        lab = Lab()
        master, loser = make(lab, kind, "master"), make(lab, kind, "loser")
        lab.sync_once()
        both = [hs_of(lab, kind, master), hs_of(lab, kind, loser)]
        sf_merge(lab, kind, master, loser)
        lab.sync_once()
        lab.hs_edit(PAIRS[kind][2], both[1], phone="123")
        lab.advance(minutes=16)
        lab.sync_once()
        assert [one["record_id"] for one in lab.problems()] == [both[1]]
        survivor = hs_merge(lab, PAIRS[kind][2], both[order], both[1 - order])
        lab.sync_until_rest()
        assert lab.problems() == []
        assert hs_of(lab, kind, master) == survivor
        assert count(lab, kind) == (1, 1)


def test_A7_what_is_left_over_takes_the_place_of_the_other_one_if_that_is_deleted(lab, kind):
    """The master of the merge in Salesforce is free then, and the record left over names it by the merged one."""
    master, loser = make(lab, kind, "master"), make(lab, kind, "loser")
    lab.sync_once()
    twin, left = hs_of(lab, kind, master), hs_of(lab, kind, loser)
    sf_merge(lab, kind, master, loser)
    lab.sync_once()
    lab.hs_delete(PAIRS[kind][2], twin)
    lab.advance(days=1)
    lab.sync_once()
    assert lab.problems() == []
    assert hs_of(lab, kind, master) == left
    assert count(lab, kind) == (1, 1)


def test_A7_an_empty_store_finds_the_master_by_the_record_that_names_it(lab, kind):
    """Not by the one left over, which names the loser, though that one is older."""
    loser = make(lab, kind, "loser")
    lab.advance(minutes=1)
    master = make(lab, kind, "master")
    lab.sync_once()
    kept, left = hs_of(lab, kind, master), hs_of(lab, kind, loser)
    sf_merge(lab, kind, master, loser)
    lab.sync_once()
    lab.forget()
    assert lab.sync_once().writes == 0
    assert hs_of(lab, kind, master) == kept
    assert [problem["record_id"] for problem in lab.problems()] == [left]


def test_A7_what_waited_for_a_survivor_goes_on_when_it_takes_over_a_partner(lab):
    """Its company was deleted; merged with another account it has that one's, and so have its contacts."""
    account, other = company(lab, "acme"), company(lab, "bolt")
    contact = person(lab, "fox", AccountId=account)
    lab.sync_once()
    taken_over = hs_of(lab, "account", other)
    lab.hs_delete("companies", hs_of(lab, "account", account))
    lab.advance(days=2)
    lab.sync_until_rest()
    sf_merge(lab, "account", account, other)
    lab.sync_until_rest()
    assert hs_of(lab, "account", account) == taken_over
    assert set(lab.hs_associated("contacts", hs_of(lab, "contact", contact), "companies")) == {taken_over}


def test_A7_R6_a_merged_account_is_no_accountid_until_its_survivor_is_in_sight(lab):
    """That one was made, merged into and deleted between two runs: the company waits, and refers to it restored."""
    loser, opportunity = company(lab, "loser"), lab.opportunity()
    lab.sync_once()
    left = hs_of(lab, "account", loser)
    master = company(lab, "master")
    sf_merge(lab, "account", master, loser)
    lab.sf_delete("Account", master)
    lab.sync_until_rest()
    lab.hs_associate("deals", lab.deal_of(opportunity), "companies", left, COMPANY_OF_DEAL)
    lab.advance(minutes=16)
    assert (lab.sync_once().waiting, lab.problems()) == (1, [])
    lab.sandbox_post("salesforce", "undelete", {"ids": [master]})
    lab.sync_once()
    assert hs_of(lab, "account", master) == left
    assert lab.sf_get("Opportunity", opportunity)["AccountId"] == master


def test_A7_R1_a_survivors_own_roles_go_to_the_partner_that_it_takes_over(lab):
    """Its own was deleted: merged with another contact it has that one's, on the deals that it was on itself."""
    _, master, opportunity = lab.business()
    loser = person(lab, "loser")
    lab.sync_once()
    taken_over = hs_of(lab, "contact", loser)
    lab.hs_delete("contacts", hs_of(lab, "contact", master))
    lab.advance(days=1)
    lab.sync_until_rest()
    sf_merge(lab, "contact", master, loser)
    lab.sync_until_rest()
    assert set(lab.hs_associated("deals", lab.deal_of(opportunity), "contacts")) == {taken_over}


def test_A7_D3_the_partner_that_a_survivor_had_before_goes_on_with_it_when_restored(lab, kind):
    """It was deleted before the merge, and the one that came by the merge afterwards: the two name one another."""
    master, loser = make(lab, kind, "master"), make(lab, kind, "loser")
    lab.sync_once()
    before, by_merge = hs_of(lab, kind, master), hs_of(lab, kind, loser)
    lab.hs_delete(PAIRS[kind][2], before)
    lab.advance(days=1)
    lab.sync_until_rest()
    sf_merge(lab, kind, master, loser)
    lab.sync_until_rest()
    assert hs_of(lab, kind, master) == by_merge
    lab.hs_delete(PAIRS[kind][2], by_merge)
    lab.advance(days=1)
    lab.sync_until_rest()
    lab.sf_edit(PAIRS[kind][1], master, Phone="777")
    lab.sandbox_post("hubspot", "restore_records", {"objectType": PAIRS[kind][2], "ids": [before]})
    lab.sync_until_rest()
    assert link(lab, kind, Side.SALESFORCE, master).hubspot_id == before
    assert lab.hs_get(PAIRS[kind][2], before, "phone")["phone"] == "777"
    assert lab.problems() == []


def test_A7_chained_losers_end_up_at_the_last_master(lab, kind):
    """First into second, second into third, all between two runs."""
    first = make(lab, kind, "first")
    lab.sync_once()
    partner = hs_of(lab, kind, first)
    second, third = make(lab, kind, "second"), make(lab, kind, "third")
    sf_merge(lab, kind, second, first)
    sf_merge(lab, kind, third, second)
    lab.sync_once()
    assert hs_of(lab, kind, third) == partner
    assert count(lab, kind) == (1, 1)
    assert lab.problems() == []


def test_A7_a_chain_over_several_runs(lab, kind):
    """The loser of today was the master of yesterday."""
    first = make(lab, kind, "first")
    lab.sync_once()
    partner = hs_of(lab, kind, first)
    for name in ("second", "third"):
        master = make(lab, kind, name)
        sf_merge(lab, kind, master, first)
        lab.advance(minutes=20)
        lab.sync_once()
        first = master
    assert hs_of(lab, kind, first) == partner
    assert count(lab, kind) == (1, 1)


def test_A7_of_two_linked_losers_the_older_pair_follows(lab, kind):
    """The master had no partner; the other loser's is left over."""
    losers = [make(lab, kind, "one"), make(lab, kind, "two")]
    lab.sync_once()
    partners = [hs_of(lab, kind, one) for one in losers]
    master = make(lab, kind, "master")
    sf_merge(lab, kind, master, *losers)
    lab.sync_once()
    followed = link(lab, kind, Side.SALESFORCE, master).hubspot_id
    assert followed in partners
    [problem] = lab.problems()
    assert [problem["record_id"]] == [one for one in partners if one != followed]


def test_A7_roles_and_deals_follow_the_merged_contact_and_account(lab):
    """Its opportunity's contact and company in HubSpot are the same two records as before."""
    account, contact, opportunity = lab.business()
    lab.sync_once()
    deal = lab.deal_of(opportunity)
    people, firms = (lab.hs_associated("deals", deal, to) for to in ("contacts", "companies"))
    master = person(lab, "master", AccountId=account)
    sf_merge(lab, "contact", master, contact)
    owner = company(lab, "holding")
    sf_merge(lab, "account", owner, account)
    lab.sync_once()
    assert lab.hs_associated("deals", deal, "contacts") == people
    assert lab.hs_associated("deals", deal, "companies") == firms
    assert (hs_of(lab, "contact", master), hs_of(lab, "account", owner)) == (next(iter(people)), next(iter(firms)))
    assert lab.problems() == []


def test_A7_a_merge_is_no_deletion_for_the_guard_nor_for_the_setting(lab, kind):
    """Told by getDeleted like any deletion, it takes one call more to know better; nothing is archived."""
    master, loser = make(lab, kind, "master"), make(lab, kind, "loser")
    lab.sync_once()
    sf_merge(lab, kind, master, loser)
    lab.advance(minutes=30)
    report = lab.sync()
    assert report.status in {"ok", "problems"}
    assert lab.hs_all(PAIRS[kind][2], archived=True) == {}


def test_A7_D6_all_that_there_was_may_be_merged_and_the_survivor_deleted(lab, kind):
    """Only the recycle bin tells of those, which is no HubSpot that was put back to an earlier state."""
    first, second = make(lab, kind, "first"), make(lab, kind, "second")
    lab.sync_once()
    object_, ids = PAIRS[kind][2], [hs_of(lab, kind, one) for one in (first, second)]
    body = {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]}
    lab.hs_delete(object_, lab.hs("POST", f"/crm/v3/objects/{object_}/merge", body)["id"])
    lab.advance(hours=2)
    assert lab.sync().status == "ok"
    lab.advance(hours=25)  # the next sweep
    lab.sync_until_rest()
    assert [link(lab, kind, Side.SALESFORCE, one).state for one in (first, second)] == [
        LinkState.SEVERED,
        LinkState.CLOSED,
    ]


def test_A7_E2_a_survivor_in_salesforce_that_was_deleted_before_anybody_looked_is_no_riddle(lab, kind):
    """The pair ends with it as with any deletion, and costs no call in the next run; restored, it goes on."""
    loser = make(lab, kind, "loser")
    lab.sync_once()
    idle = lab.sync().calls
    partner, master = hs_of(lab, kind, loser), make(lab, kind, "master")
    sf_merge(lab, kind, master, loser)
    lab.sf_delete(PAIRS[kind][1], master)
    lab.advance(minutes=2)
    lab.sync_once()
    assert (lab.problems(), list(lab.hs_all(PAIRS[kind][2]))) == ([], [partner])
    assert lab.sync().calls == idle
    lab.sandbox_post("salesforce", "undelete", {"ids": [master]})
    lab.sync_until_rest()
    assert link(lab, kind, Side.SALESFORCE, master).hubspot_id == partner == hs_of(lab, kind, master)
    assert lab.problems() == []


@pytest.mark.parametrize("at_once", [False, True])
def test_A7_D6_a_survivor_gets_a_partner_though_the_merged_ones_was_deleted(lab, kind, at_once):
    """That somebody deleted the loser's partner says nothing of the record it was merged into, whenever seen."""
    loser = make(lab, kind, "loser")
    lab.sync_once()
    lab.hs_delete(PAIRS[kind][2], hs_of(lab, kind, loser))
    lab.advance(days=1)
    if not at_once:
        lab.sync_until_rest()
    master = make(lab, kind, "master")
    sf_merge(lab, kind, master, loser)
    lab.sync_until_rest()
    assert hs_of(lab, kind, master)
    assert count(lab, kind) == (1, 1)


def test_A7_an_older_store_leaves_a_survivor_the_partner_that_names_it(lab, kind):
    """The master was made after the backup: its own partner is found again, and the loser's is left over."""
    loser = make(lab, kind, "loser")
    lab.sync_until_rest()
    backup = lab.durable_store()
    master = make(lab, kind, "master")
    lab.sync_until_rest()
    own, left_over = hs_of(lab, kind, master), hs_of(lab, kind, loser)
    lab.put_back(backup)
    sf_merge(lab, kind, master, loser)
    lab.sync_until_rest()
    assert link(lab, kind, Side.SALESFORCE, master).hubspot_id == own
    assert [one["record_id"] for one in lab.problems()] == [left_over]
    assert count(lab, kind) == (1, 2)


def test_A7_an_older_store_leaves_a_survivor_a_partner_that_an_earlier_merge_left_over(lab, kind):
    """It knows that one was left over, and not that it got the survivor since, which it names."""
    first, second = make(lab, kind, "first"), make(lab, kind, "second")
    lab.sync_once()
    left, other = hs_of(lab, kind, first), hs_of(lab, kind, second)
    sf_merge(lab, kind, second, first)
    lab.sync_until_rest()
    master = make(lab, kind, "master")
    lab.hs_edit(PAIRS[kind][2], left, sf_record_id=master)
    sf_merge(lab, kind, master, second)
    lab.sync_until_rest()
    assert link(lab, kind, Side.SALESFORCE, master).hubspot_id == left
    assert told(lab) == [(other, "LEFT_OVER_BY_MERGE")]
    assert count(lab, kind) == (1, 2)


def test_A7_an_older_store_leaves_a_survivor_a_partner_that_it_takes_for_that_of_a_deleted_one(lab, kind):
    """The master lost its partner, and got this one, which it was named by since then."""
    object_, there = PAIRS[kind][1:]
    master, former, loser = (make(lab, kind, name) for name in ("master", "former", "loser"))
    lab.sync_once()
    lost, its, other = (hs_of(lab, kind, one) for one in (master, former, loser))
    lab.sf_delete(object_, master)
    lab.sync_until_rest()
    lab.hs_delete(there, lost)
    lab.advance(days=1)
    lab.sync_until_rest()
    lab.sandbox_post("salesforce", "undelete", {"ids": [master]})
    lab.sf_delete(object_, former)
    lab.hs_edit(there, its, sf_record_id=master)
    sf_merge(lab, kind, master, loser)
    lab.sync_until_rest()
    lab.advance(hours=2)
    lab.sync_until_rest()
    assert link(lab, kind, Side.SALESFORCE, master).hubspot_id == its
    assert told(lab) == [(other, "LEFT_OVER_BY_MERGE")]


def test_A7_A2_an_older_store_lets_each_survivor_have_whom_hubspot_says(lab, kind):
    """Both former records were merged, each into another one; one partner names the other one's survivor by now."""
    first, second = make(lab, kind, "first"), make(lab, kind, "second")
    lab.sync_once()
    its, other = hs_of(lab, kind, first), hs_of(lab, kind, second)
    master, third = make(lab, kind, "master"), make(lab, kind, "third")
    lab.hs_edit(PAIRS[kind][2], its, sf_record_id=master)
    sf_merge(lab, kind, master, second)
    sf_merge(lab, kind, third, first)
    lab.sync_until_rest()
    lab.advance(hours=2)
    lab.sync_until_rest()
    assert link(lab, kind, Side.SALESFORCE, master).hubspot_id == its
    assert link(lab, kind, Side.SALESFORCE, third).hubspot_id not in {its, other}
    assert told(lab) == [(other, "LEFT_OVER_BY_MERGE")]
    assert count(lab, kind) == (2, 3)


def test_A7_who_names_a_merged_record_goes_to_the_survivor_whatever_an_older_store_knows(lab, kind):
    """It knows of a former partner, which is deleted; the survivor's own is, too."""
    master, loser, former = (make(lab, kind, name) for name in ("master", "loser", "former"))
    lab.sync_once()
    object_ = PAIRS[kind][2]
    own, other, left = (hs_of(lab, kind, one) for one in (master, loser, former))
    lab.sf_delete(PAIRS[kind][1], former)
    lab.hs_delete(object_, other)
    lab.hs_edit(object_, left, sf_record_id=loser)
    sf_merge(lab, kind, master, loser)
    lab.hs_delete(object_, own)
    lab.advance(days=1)
    lab.sync_until_rest()
    assert lab.problems() == []
    assert hs_of(lab, kind, master) == left
    assert count(lab, kind) == (1, 1)


def test_A7_of_several_left_over_the_oldest_takes_the_free_partner(lab, kind):
    """When the survivor's own partner is deleted; the others stay listed."""
    master, first, second = (make(lab, kind, name) for name in ("master", "first", "second"))
    lab.sync_once()
    object_, its = PAIRS[kind][2], hs_of(lab, kind, master)
    elder, younger = hs_of(lab, kind, first), hs_of(lab, kind, second)
    sf_merge(lab, kind, master, first, second)
    lab.sync_until_rest()
    lab.hs_delete(object_, its)
    lab.advance(days=1)
    lab.sync_once()
    assert link(lab, kind, Side.SALESFORCE, master).hubspot_id == elder
    assert told(lab) == [(younger, "LEFT_OVER_BY_MERGE")]


def test_A7_who_names_the_survivor_itself_comes_before_who_names_what_was_merged_into_it(lab, kind):
    """It lost its partner, another one came by the merge, and a person restores the former one at the same time."""
    mine, loser = make(lab, kind, "mine"), make(lab, kind, "loser")
    lab.sync_once()
    object_, former, its = PAIRS[kind][2], hs_of(lab, kind, mine), hs_of(lab, kind, loser)
    lab.hs_delete(object_, former)
    lab.advance(days=1)
    lab.sync_once()
    sf_merge(lab, kind, mine, loser)
    lab.sandbox_post("hubspot", "restore_records", {"objectType": object_, "ids": [former]})
    lab.sync_once()
    assert link(lab, kind, Side.SALESFORCE, mine).hubspot_id == former
    assert told(lab) == [(its, "LEFT_OVER_BY_MERGE")]
    lab.sf_edit(PAIRS[kind][1], mine, Phone="77")
    lab.sync_once()
    assert lab.hs_get(object_, former, "phone")["phone"] == "77"


def test_A7_of_two_pairs_whose_records_were_merged_that_one_follows_which_tells_so(lab, kind):
    """An older store knows of neither merge: HubSpot says which of both had followed."""
    first, second = make(lab, kind, "first"), make(lab, kind, "second")
    lab.sync_once()
    left, followed, backup = hs_of(lab, kind, first), hs_of(lab, kind, second), lab.durable_store()
    survivor = make(lab, kind, "survivor")
    sf_merge(lab, kind, survivor, second)
    lab.sync_until_rest()
    sf_merge(lab, kind, survivor, first)
    lab.sync_until_rest()
    assert hs_of(lab, kind, survivor) == followed
    lab.put_back(backup)
    lab.sync_until_rest()
    assert link(lab, kind, Side.SALESFORCE, survivor).hubspot_id == followed
    assert told(lab) == [(left, "LEFT_OVER_BY_MERGE")]


def merge_with_one_left_over(lab):
    """A HubSpot contact made of one that was left over and one whose pair ended, and the former one's survivor."""
    first, second, third = (make(lab, "contact", name) for name in ("first", "second", "third"))
    lab.sync_once()
    sf_merge(lab, "contact", second, third)
    lab.sync_until_rest()
    made = hs_merge(lab, "contacts", hs_of(lab, "contact", third), hs_of(lab, "contact", first))
    lab.sf_delete("Contact", first)
    lab.advance(minutes=2)
    lab.sync_until_rest()
    return made, second


def test_A7_who_came_of_a_merge_with_one_that_was_left_over_is_left_over_too(lab):
    """The pair that it went on with has ended, and whom it names was merged into one with a partner of its own."""
    made, _ = merge_with_one_left_over(lab)
    assert told(lab) == [(made, "LEFT_OVER_BY_MERGE")]


def test_A7_who_came_of_a_merge_is_left_over_by_nobody_once_the_record_it_names_is_gone_for_good(lab):
    """Its own pair names another one: it is found by the merged record that it names, in the run that sees it."""
    made, survivor = merge_with_one_left_over(lab)
    lab.sf_delete("Contact", survivor)
    lab.advance(minutes=2)
    lab.sync_once()
    assert told(lab) == [(made, "PARTNER_NOT_READABLE")]


def test_A7_with_an_empty_store_nothing_is_doubled_after_a_merge(lab, kind):
    """What names the loser is found to belong to the master (law 6)."""
    loser = make(lab, kind, "loser")
    lab.sync_once()
    partner = hs_of(lab, kind, loser)
    master = make(lab, kind, "master")
    sf_merge(lab, kind, master, loser)
    lab.forget()
    lab.sync_until_rest()
    assert hs_of(lab, kind, master) == partner
    assert count(lab, kind) == (1, 1)


# --- in HubSpot ---------------------------------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["primary id kept", "new id"])
def minting(request, lab):
    """Whether the survivor of a merge in HubSpot gets an id of its own."""
    lab.sandbox_post("hubspot", "settings", {"merge_mints_new_id": request.param}, method="PUT")
    return request.param


def test_A7_a_link_follows_to_the_survivor_in_hubspot(lab, kind, minting):
    """A record that was only in HubSpot absorbs the linked one: the pair goes on."""
    mine = make(lab, kind, "mine")
    lab.sync_once()
    partner = hs_of(lab, kind, mine)
    stranger = lab.hs_create(PAIRS[kind][2], phone="555", **NAMED[kind])
    survivor = hs_merge(lab, PAIRS[kind][2], stranger, partner)
    lab.sync_until_rest()
    assert hs_of(lab, kind, mine) == survivor
    assert link(lab, kind, Side.SALESFORCE, mine).hubspot_id == survivor
    assert count(lab, kind) == (1, 1)
    lab.sf_edit(PAIRS[kind][1], mine, Phone="777")
    lab.sync_once()
    assert lab.hs_get(PAIRS[kind][2], survivor, "phone")["phone"] == "777"
    assert lab.problems() == []


def test_A7_two_linked_records_merged_in_hubspot(lab, kind, minting):
    """One pair goes on; the Salesforce record left over is listed, gets no second partner, and stays."""
    one, other = make(lab, kind, "one"), make(lab, kind, "other")
    lab.sync_once()
    survivor = hs_merge(lab, PAIRS[kind][2], hs_of(lab, kind, one), hs_of(lab, kind, other))
    lab.sync_until_rest()
    assert count(lab, kind) == (2, 1)
    linked = [
        id_
        for id_ in (one, other)
        if (found := link(lab, kind, Side.SALESFORCE, id_)) and found.hubspot_id == survivor
    ]
    assert len(linked) == 1
    [problem] = lab.problems()
    assert (problem["cause"], problem["side"]) == ("duplicates", "salesforce")
    assert problem["record_id"] in {one, other} - set(linked)
    lab.sf_edit(PAIRS[kind][1], problem["record_id"], Phone="1")
    lab.sync_once()
    assert count(lab, kind) == (2, 1)
    sf_merge(lab, kind, linked[0], problem["record_id"])
    lab.sync_until_rest()
    assert lab.problems() == []
    assert hs_of(lab, kind, linked[0]) == survivor


def test_A7_two_linked_deals_merged_in_hubspot(lab, minting):
    """Neither opportunity is touched; deleting the superfluous one leaves the merged deal alone."""
    one, other = lab.opportunity("One", Amount=1), lab.opportunity("Other", Amount=2)
    lab.sync_once()
    survivor = hs_merge(lab, "deals", lab.deal_of(one), lab.deal_of(other))
    lab.sync_until_rest()
    assert len(lab.sf_all("SELECT Id FROM Opportunity")) == 2
    assert list(lab.hs_all("deals")) == [survivor]
    [problem] = lab.problems()
    assert (problem["cause"], problem["object"]) == ("duplicates", "Opportunity")
    assert "delete the superfluous one" in problem["remedy"]
    lab.sf_delete("Opportunity", problem["record_id"])
    lab.sync_until_rest()
    assert list(lab.hs_all("deals")) == [survivor]
    assert lab.problems() == []


@pytest.mark.parametrize("both", [False, True], ids=["by the connector", "by a person too"])
def test_A7_D1_the_opportunity_that_is_left_gets_a_deal_of_its_own_at_once(lab, minting, both):
    """Both were born in Salesforce: the merged deal goes with the one that had it, and leaves nobody over."""
    one, other = lab.opportunity("One", Amount=1), lab.opportunity("Other", Amount=2)
    lab.sync_once()
    survivor = hs_merge(lab, "deals", lab.deal_of(one), lab.deal_of(other))
    lab.sync_until_rest()
    [problem] = lab.problems()
    left = problem["record_id"]
    lab.sf_delete("Opportunity", ({one, other} - {left}).pop())
    if both:
        lab.hs_delete("deals", survivor)
    lab.advance(minutes=2)
    lab.sync_once()
    assert lab.problems() == []
    [own] = lab.hs_all("deals")
    assert own == lab.deal_of(left) != survivor


@pytest.mark.parametrize("parted", ["severed", "unlinked"])
def test_A7_D2_who_is_left_over_gets_its_own_deal_in_the_run_that_sees_the_other_one_deleted(lab, minting, parted):
    """Though the other one's pair has ended before, by the merged deal's deletion or by hand."""
    one, other = lab.opportunity("One", Amount=1), lab.opportunity("Other", Amount=2)
    lab.sync_once()
    survivor = hs_merge(lab, "deals", lab.deal_of(one), lab.deal_of(other))
    lab.sync_until_rest()
    [problem] = lab.problems()
    left = problem["record_id"]
    superfluous = ({one, other} - {left}).pop()
    if parted == "severed":
        lab.hs_delete("deals", survivor)
    else:
        unlink(lab.connection(), superfluous)
    lab.advance(days=1)
    lab.sync_until_rest()
    assert [each["record_id"] for each in lab.problems()] == [left]
    lab.sf_delete("Opportunity", superfluous)
    lab.advance(minutes=2)
    lab.sync_once()
    assert lab.problems() == []
    assert lab.hs_all("deals").keys() - {survivor} == {lab.deal_of(left)}


def test_A7_D5_T7_an_opportunity_does_not_wait_a_run_for_whom_a_merge_left_over(lab, kind, minting):
    """The deletion that takes the other one's partner along gives that one its own, and the opportunity follows."""
    pair = lab.pairs[PAIRS[kind][0]]
    lab.pairs = {**lab.pairs, pair.name: replace(pair, deletes=frozenset({Side.SALESFORCE}))}
    one, other = make(lab, kind, "one"), make(lab, kind, "other")
    lab.sync_once()
    hs_merge(lab, PAIRS[kind][2], hs_of(lab, kind, one), hs_of(lab, kind, other))
    lab.sync_until_rest()
    [problem] = lab.problems()
    left = problem["record_id"]
    opportunity = lab.opportunity(AccountId=left if kind == "account" else None)
    if kind == "contact":
        lab.role(opportunity, left)
    lab.sync_until_rest()
    lab.sf_delete(PAIRS[kind][1], ({one, other} - {left}).pop())
    lab.advance(minutes=2)
    planned = lab.plan().writes
    assert lab.sync_once().writes == planned
    assert list(lab.hs_associated("deals", lab.deal_of(opportunity), PAIRS[kind][2])) == [hs_of(lab, kind, left)]


def test_A7_T6_a_run_for_one_opportunity_gives_no_deal_to_whom_it_left_over(lab):
    """It deletes the merged deal of the one that is named; the other one is the next run's."""
    one, other = lab.opportunity("One", Amount=1), lab.opportunity("Other", Amount=2)
    lab.sync_once()
    hs_merge(lab, "deals", lab.deal_of(one), lab.deal_of(other))
    lab.sync_until_rest()
    lab.sf_delete("Opportunity", one)
    lab.advance(minutes=2)
    lab.sync(Wish(records=(one,)))
    assert lab.hs_all("deals") == {}
    lab.sync_once()
    assert list(lab.hs_all("deals")) == [lab.deal_of(other)]


def test_A7_R3_who_was_removed_before_a_merge_that_only_a_write_reveals_loses_the_role(lab):
    """Search lags: the contacts of the deal that came of it are read before anything is planned about them."""
    _, contact, opportunity = lab.business()
    other = lab.opportunity("Other")
    lab.sandbox_post("hubspot", "settings", {"merge_mints_new_id": True}, "PUT")
    lab.sync_until_rest()
    deal, person = lab.deal_of(opportunity), hs_of(lab, "contact", contact)
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 600}, "PUT")
    lab.hs("DELETE", f"/crm/v4/objects/deals/{deal}/associations/contacts/{person}")
    hs_merge(lab, "deals", deal, lab.deal_of(other))
    lab.sf_edit("Opportunity", opportunity, Amount=9)
    lab.sync()
    lab.advance(hours=2)
    lab.sync_until_rest()
    assert lab.sf_all("SELECT Id FROM OpportunityContactRole") == []


def test_A7_U10_an_older_store_knows_no_more_of_a_birth_than_an_empty_one(lab):
    """The deal that the pair was born as is gone; the one that was made for it since was merged into another."""
    lab.sandbox_post("hubspot", "settings", {"merge_mints_new_id": True}, "PUT")
    other = lab.opportunity("Other")
    lab.sync_until_rest()
    where = {"pipeline": "sf_default", "dealstage": lab.stages("sf_default")["Prospecting"]}
    born = lab.hs_create("deals", dealname="One", amount="7", closedate="2026-09-30T00:00:00Z", **where)
    lab.sync_until_rest()
    opportunity = lab.hs_get("deals", born, "sf_record_id")["sf_record_id"]
    backup = lab.durable_store()
    lab.sf_delete("Opportunity", opportunity)
    lab.advance(minutes=2)
    lab.sync_until_rest()
    lab.sandbox_post("salesforce", "undelete", {"ids": [opportunity]})
    lab.sync_until_rest()
    survivor = hs_merge(lab, "deals", lab.deal_of(opportunity), lab.deal_of(other))
    lab.put_back(backup)
    for _ in range(2):
        lab.sync_until_rest()
        found = lab.store.links.by_ids("opportunity-deal", Side.SALESFORCE, [opportunity])[opportunity]
        assert (found.hubspot_id, found.born) == (survivor, Side.SALESFORCE)
        lab.forget()


def test_A7_D6_a_merged_deal_goes_to_the_opportunity_that_is_left(lab, minting):
    """Both were born in HubSpot. The one that the deal names is deleted, and the other one names a deal in it."""
    lab.sync_once()
    where = {"pipeline": "sf_default", "dealstage": lab.stages("sf_default")["Prospecting"]}
    deals = [
        lab.hs_create("deals", dealname=name, amount="7", closedate="2026-09-30T00:00:00Z", **where)
        for name in ("One", "Other")
    ]
    lab.sync_until_rest()
    one, other = (lab.hs_get("deals", id_, "sf_record_id")["sf_record_id"] for id_ in deals)
    survivor = hs_merge(lab, "deals", *deals)
    lab.sync_until_rest()
    lab.sf_delete("Opportunity", one)
    lab.advance(minutes=2)
    lab.sync_until_rest()
    assert list(lab.hs_all("deals")) == [survivor] == [lab.deal_of(other)]
    assert lab.problems() == []


def test_A7_of_two_that_a_merge_left_over_one_gets_the_deal_and_the_other_one_is_left_over_by_that(lab, minting):
    """Only that which names a deal in it can be told from the deal; had that come first, it would be the same."""
    lab.sync_once()
    where = {"pipeline": "sf_default", "dealstage": lab.stages("sf_default")["Prospecting"]}
    deal = lab.hs_create("deals", dealname="Three", amount="7", closedate="2026-09-30T00:00:00Z", **where)
    one, two = lab.opportunity("One"), lab.opportunity("Two")
    lab.sync_until_rest()
    three = lab.hs_get("deals", deal, "sf_record_id")["sf_record_id"]
    survivor = hs_merge(lab, "deals", hs_merge(lab, "deals", lab.deal_of(one), lab.deal_of(two)), deal)
    lab.sync_until_rest()
    lab.sf_delete("Opportunity", one)
    lab.advance(minutes=2)
    lab.sync_once()
    assert list(lab.hs_all("deals")) == [survivor] == [lab.deal_of(three)]
    [problem] = lab.problems()
    assert (problem["record_id"], problem["code"]) == (two, "LEFT_OVER_BY_MERGE")
    assert three in problem["remedy"]


@pytest.mark.parametrize("further", [False, True], ids=["one merge", "two merges"])
def test_A7_D2_an_opportunity_whose_merged_deal_was_deleted_is_left_over_by_nobody(lab, minting, further):
    """It still names the deal that was merged away. The one it went on with was its own: it stays without one."""
    lab.sync_once()
    where = {"pipeline": "sf_default", "dealstage": lab.stages("sf_default")["Prospecting"]}
    elsewhere = {"pipeline": "default", "dealstage": "qualifiedtobuy"}
    given = {"amount": "7", "closedate": "2026-09-30T00:00:00Z"}
    survivor = lab.hs_create("deals", dealname="One", **given, **where)
    lab.sync_until_rest()
    for _ in range(1 + further):
        stranger = lab.hs_create("deals", dealname="Stranger", **given, **elsewhere)
        lab.sync_until_rest()
        survivor = hs_merge(lab, "deals", stranger, survivor)
        lab.sync_until_rest()
    lab.hs_edit("deals", survivor, **where)
    lab.sync_until_rest()
    [opportunity] = [one["Id"] for one in lab.sf_all("SELECT Id FROM Opportunity")]
    assert lab.deal_of(opportunity) == survivor
    lab.hs_delete("deals", survivor)
    lab.advance(days=1)
    lab.sync_until_rest()
    lab.sf_edit("Opportunity", opportunity, Amount=9)
    lab.sync_until_rest()
    assert lab.problems() == []
    assert lab.hs_all("deals") == {}


def test_A7_a_survivor_that_was_deleted_before_anybody_looked_is_no_riddle(lab, minting):
    """The opportunity of the other merged deal is listed as left over, not kept with a deal that is nowhere."""
    one, other, third = (lab.opportunity(name) for name in ("One", "Other", "Third"))
    lab.sync_once()
    lab.hs_delete("deals", hs_merge(lab, "deals", lab.deal_of(one), lab.deal_of(other)))
    lab.advance(hours=25)  # the next sweep
    lab.sync_until_rest()
    assert [(each["record_id"], each["code"]) for each in lab.problems()] == [(other, "LEFT_OVER_BY_MERGE")]
    lab.sf_delete("Opportunity", other)
    lab.sync_until_rest()
    assert lab.problems() == []
    assert list(lab.hs_all("deals")) == [lab.deal_of(third)]


@pytest.mark.parametrize("lag", [0, 600])
def test_A7_of_two_linked_records_merged_in_hubspot_the_primarys_pair_goes_on(lab, minting, lag):
    """Whichever is older: the merged deal has the primary's values, which are no edits of another opportunity."""
    one, other = lab.opportunity("One", Amount=1), lab.opportunity("Other", Amount=2)
    lab.sync_once()
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": lag}, "PUT")
    survivor = hs_merge(lab, "deals", lab.deal_of(other), lab.deal_of(one))
    lab.sync()
    lab.advance(hours=1)
    lab.sync_until_rest()
    assert lab.deal_of(other) == survivor
    assert [problem["record_id"] for problem in lab.problems()] == [one]
    rows = lab.sf_all("SELECT Name, Amount FROM Opportunity ORDER BY Amount")
    assert [(row["Name"], row["Amount"]) for row in rows] == [("One", 1), ("Other", 2)]


def test_A7_a_merge_that_search_does_not_show_yet_is_found_by_the_write(lab, kind):
    """A batch leaves a merged id out in silence; asked for alone, it answers the survivor."""
    mine = make(lab, kind, "mine")
    lab.sync_once()
    partner = hs_of(lab, kind, mine)
    stranger = lab.hs_create(PAIRS[kind][2], city="Paris", **NAMED[kind])
    lab.sync_once()
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 3600}, method="PUT")
    survivor = hs_merge(lab, PAIRS[kind][2], stranger, partner)
    lab.sf_edit(PAIRS[kind][1], mine, Phone="777")
    lab.sync_once()
    assert hs_of(lab, kind, mine) == survivor
    lab.advance(hours=2)
    lab.sync_until_rest()
    assert lab.hs_get(PAIRS[kind][2], survivor, "phone")["phone"] == "777"
    assert lab.problems() == []


def test_A7_E2_what_was_refused_is_listed_though_a_merge_is_met_in_the_same_run(lab):
    """A write that goes to a merged deal shows the merge; the problem of its opportunity outlives that."""
    one, other = lab.opportunity("One"), lab.opportunity("Other")
    lab.sync_once()
    refused = {"errorMessage": "No", "errorConditionFormula": 'Description = "Told"'}
    lab.sandbox_post(
        "salesforce", "validation_rules", [{"object": "Opportunity", "fullName": "Rule"} | refused], "PUT"
    )
    deals = lab.deal_of(one), lab.deal_of(other)
    lab.hs_edit("deals", deals[0], description="Told")
    lab.advance(minutes=2)
    lab.sync()
    lab.sandbox_post("hubspot", "settings", {"search_delay_seconds": 600}, "PUT")
    lab.advance(hours=1)
    lab.sf_edit("Opportunity", one, CloseDate="2026-01-31")
    hs_merge(lab, "deals", *deals)
    lab.sync()
    assert [each["record_id"] for each in lab.problems()] == [one]
    lab.sandbox_post("salesforce", "validation_rules", [], "PUT")
    lab.advance(days=1)
    lab.sync_until_rest()
    assert lab.sf_get("Opportunity", one)["Description"] == "Told"


@pytest.mark.parametrize("after_delivery", [False, True])
def test_A7_a_death_at_any_step_of_a_merge_leads_to_the_same_end(lab, after_delivery):
    """Whatever was settled is not done again, and nobody is made twice."""
    loser = person(lab, "loser")
    lab.sync_once()
    partner = hs_of(lab, "contact", loser)
    master = person(lab, "master", Title="Queen")
    sf_merge(lab, "contact", master, loser)
    step, died = 0, True
    while died:
        step += 3
        twin = lab.copy()
        died = twin.sync_and_die(step, after_delivery=after_delivery)
        twin.sync_until_rest()
        assert hs_of(twin, "contact", master) == partner, step
        assert count(twin, "contact") == (1, 1), step
    assert step > 10
