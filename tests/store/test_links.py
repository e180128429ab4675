"""Which records are the same thing, how they looked when they agreed, and what belongs together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from store.conftest import deal

from connector.core.lifecycle import Move, Status
from connector.core.model import Base, LinkState, Presence, Side
from connector.store.links import CONTACT_COMPANY, DEAL_COMPANY, ROLE, Completion

ORG, HUB = Side.SALESFORCE, Side.HUBSPOT
FIRST, SECOND = Base({"Name": "a"}, {"dealname": "a"}), Base({"Name": "b"}, {"dealname": "b"})


def only(store, link_id):
    return store.links.load([link_id])[link_id]


def pending(store, source="006A", base=FIRST, side=ORG):
    return store.links.begin("deals", side, {source: base})[source]


def linked(store, number, pair="deals", run=1):
    """A live link: its id."""
    return store.links.adopt(pair, f"org{number}", f"hub{number}", ORG, run)


def to_derive(store, pair="deals"):
    return [one.id for one in store.links.to_derive(pair, 0)]


def settled(store):
    """Nothing is to be derived."""
    for pair in ("deals", "contacts", "companies"):
        store.links.derived(to_derive(store, pair))


# --- a pair's life ---


def test_a_creation_is_noted_before_it_is_tried(store):
    """A pending link has one id, its birthplace and the base of what is about to be written."""
    for side, source in ((ORG, "006A"), (HUB, "17")):
        link = only(store, pending(store, source, FIRST, side))
        assert (link.state, link.born, link.base, link.pair) == (LinkState.PENDING, side, FIRST, "deals")
        assert (link.id_of(side), link.id_of(side.other)) == (source, None)


def test_a_second_try_keeps_the_first_base(store):
    """If the first try did get through, its values are what both sides looked like."""
    first = pending(store)
    ids = store.links.begin("deals", ORG, {"006A": SECOND, "006B": SECOND})
    assert ids["006A"] == first
    assert (only(store, first).base, only(store, ids["006B"]).base) == (FIRST, SECOND)


def test_X2_a_second_try_belongs_to_nobody_yet(store):
    """What an undo could not make anew is pending with all it belonged to; what is made in its place is not."""
    company, made = linked(store, 9, "companies"), pending(store)
    store.links.join(DEAL_COMPANY, [(made, company)], with_creation=True)
    settled(store)
    assert pending(store, base=SECOND) == made
    assert store.links.children_of(DEAL_COMPANY, company) == []
    assert to_derive(store, "companies") == [company]


@pytest.mark.parametrize("state", [LinkState.SEVERED, LinkState.CLOSED])
def test_a_pair_that_ended_can_begin_anew(store, state):
    """A restored record gets a new partner: the old one, and the old base, are forgotten."""
    link_id = linked(store, 1)
    store.links.end(link_id, state)
    assert store.links.begin("deals", ORG, {"org1": SECOND}) == {"org1": link_id}
    link = only(store, link_id)
    assert (link.state, link.base, link.hubspot_id) == (LinkState.PENDING, SECOND, None)
    again = store.links.begin("deals", HUB, {"hub1": FIRST})["hub1"]  # the old partner may begin anew as well
    assert again != link_id


@pytest.mark.parametrize(("base", "kept"), [(SECOND, SECOND), (None, FIRST)])
def test_a_creation_is_completed(store, base, kept):
    """The new record's id makes the link live; the base is replaced, or stays as noted."""
    link_id = pending(store)
    run = store.runs.begin()
    store.links.complete("deals", HUB, [Completion(link_id, "17", base)], run)
    link = only(store, link_id)
    assert (link.state, link.salesforce_id, link.hubspot_id, link.base) == (LinkState.LINKED, "006A", "17", kept)
    assert to_derive(store) == [link_id]


def test_a_link_is_new_until_the_end_of_its_run(store):
    """Also for the next run, if its own did not come to its end."""
    link_id, run = pending(store), store.runs.begin()
    assert not store.links.is_new(link_id, run)
    store.links.complete("deals", HUB, [Completion(link_id, "17", None)], run)
    assert (store.links.is_new(link_id, run), store.links.is_new(link_id, run + 1)) == (True, True)
    store.runs.finish(run, "ok", {})
    assert (store.links.is_new(link_id, run), store.links.is_new(link_id, run + 1)) == (True, False)


def test_many_creations_are_completed_together(store):
    """Those with a base and those without, in one go; none is no work."""
    ids = store.links.begin("deals", ORG, {f"006{n}": FIRST for n in range(10)})
    made = [
        Completion(id_, f"hub-{source}", SECOND if n % 2 else None) for n, (source, id_) in enumerate(ids.items())
    ]
    store.links.complete("deals", HUB, made, 1)
    store.links.complete("deals", HUB, [], 1)
    found = store.links.by_ids("deals", HUB, [one.new_id for one in made])
    assert {one.salesforce_id: one.hubspot_id for one in found.values()} == {id_: f"hub-{id_}" for id_ in ids}
    assert [one.base for one in found.values()].count(SECOND) == 5


def test_an_id_belongs_to_one_link(store):
    """A record that gets a new partner leaves the old link, which is over."""
    old = linked(store, 1)
    new = pending(store)
    store.links.complete("deals", HUB, [Completion(new, "hub1", None)], 1)
    assert (only(store, old).state, only(store, old).hubspot_id) == (LinkState.CLOSED, None)
    assert store.links.by_ids("deals", HUB, ["hub1"])["hub1"].id == new


def test_the_same_ids_in_another_pair_are_another_thing(store):
    """Ids are unique within a pair only."""
    deals, contacts = store.links.adopt("deals", "x", "y", ORG, 1), store.links.adopt("contacts", "x", "y", ORG, 1)
    assert deals != contacts
    assert store.links.by_ids("deals", ORG, ["x"])["x"].id == deals
    assert store.links.by_ids("contacts", HUB, ["y"])["y"].id == contacts


def test_a_creation_that_did_not_happen_is_forgotten(store):
    """Only what is pending can be forgotten."""
    gone, kept = pending(store), linked(store, 1)
    store.links.forget(gone)
    store.links.forget(kept)
    assert set(store.links.load([gone, kept])) == {kept}


def test_existing_records_are_adopted(store):
    """Two records are linked without a base, so that rules decide about every difference."""
    link = only(store, store.links.adopt("deals", "006A", "17", HUB, 3))
    assert (link.state, link.salesforce_id, link.hubspot_id, link.born) == (LinkState.LINKED, "006A", "17", HUB)
    assert not link.base
    assert store.links.is_new(link.id, 3)
    assert to_derive(store) == [link.id]


@pytest.mark.parametrize(("side", "source"), [(ORG, "006A"), (HUB, "17")])
def test_adopting_completes_a_pending_creation(store, side, source):
    """If the creation did get through, its base is what both sides looked like."""
    link_id = pending(store, source, FIRST, side)
    assert store.links.adopt("deals", "006A", "17", ORG, 1) == link_id
    link = only(store, link_id)
    assert (link.state, link.salesforce_id, link.hubspot_id) == (LinkState.LINKED, "006A", "17")
    assert link.base == FIRST


def test_adopting_takes_over_from_another_link(store):
    """A record that was linked elsewhere has one partner afterwards, and no base from before."""
    first = linked(store, 1)
    store.links.settle({first: FIRST})
    second = linked(store, 2)
    mine = store.links.adopt("deals", "org1", "hub2", ORG, 9)
    link = only(store, mine)
    assert (mine, link.salesforce_id, link.hubspot_id, link.state) == (first, "org1", "hub2", LinkState.LINKED)
    assert not link.base
    assert (only(store, second).state, only(store, second).hubspot_id) == (LinkState.CLOSED, None)


def test_what_a_person_unlinked_stays_so_though_its_record_goes_to_another_link(store):
    """Only a person takes it up again."""
    first, second = linked(store, 1), linked(store, 2)
    store.links.end(second, LinkState.UNLINKED)
    store.links.repoint("deals", ORG, first, "org2")
    assert (only(store, second).state, only(store, second).salesforce_id) == (LinkState.UNLINKED, None)


def test_bases_move(store):
    """What is settled is put over what was agreed before; fields that were not touched keep theirs."""
    link_id, other = linked(store, 1), linked(store, 2)
    store.links.settle({link_id: Base({"Name": "a", "Amount": 1}, {"dealname": "a"}), other: FIRST})
    store.links.settle({link_id: Base({"Amount": None}, {"amount": "2"})})
    store.links.settle({})
    assert only(store, link_id).base == Base({"Name": "a", "Amount": None}, {"dealname": "a", "amount": "2"})
    assert only(store, other).base == FIRST


def test_a_pair_that_was_over_before_it_began(store):
    """A deleted record that names a partner is noted as severed, once, whichever side is known."""
    store.links.end_unlinked("deals", "006A", "17", HUB)
    link = store.links.by_ids("deals", ORG, ["006A"])["006A"]
    assert (link.state, link.hubspot_id, link.born) == (LinkState.SEVERED, "17", HUB)
    store.links.end_unlinked("deals", "006B", None, ORG)
    assert store.links.by_ids("deals", ORG, ["006B"])["006B"].state is LinkState.SEVERED
    known = linked(store, 1)
    store.links.end_unlinked("deals", None, "hub1", HUB)
    assert only(store, known).state is LinkState.SEVERED
    assert store.links.count_by_state() == {"deals": {"severed": 3}}


def test_links_are_counted(store):
    """By pair and state."""
    for number in range(3):
        linked(store, number)
    store.links.end(linked(store, 9), LinkState.CLOSED)
    pending(store)
    linked(store, 1, "contacts")
    assert store.links.count("deals") == 3
    assert store.links.count_by_state() == {
        "deals": {"linked": 3, "closed": 1, "pending": 1},
        "contacts": {"linked": 1},
    }


def test_many_links_are_found(store):
    """More ids than one statement takes; those that are unknown are left out."""
    ids = store.links.begin("deals", ORG, {str(number): FIRST for number in range(1100)})
    assert len(store.links.by_ids("deals", ORG, [*ids, "none"])) == 1100
    assert len(store.links.load([*ids.values(), 10**9])) == 1100


def test_pending_deletions(store):
    """Live links whose Salesforce record was deleted and not dealt with, for the guard."""
    for number in range(4):
        linked(store, number)
        store.records.observe([deal(f"org{number}", side=ORG)], {})
    store.links.end(store.links.by_ids("deals", ORG, ["org2"])["org2"].id, LinkState.SEVERED)
    for number, presence in enumerate([Presence.DELETED, Presence.INVISIBLE, Presence.DELETED]):
        store.records.observe([deal(f"org{number}", "", ORG, presence=presence)], {})
    assert store.links.pending_deletions("deals", ORG, "Opportunity") == ["org0"]
    store.records.mark(ORG, "Opportunity", ["org0"], dirty=False)
    assert store.links.pending_deletions("deals", ORG, "Opportunity") == []


# --- edges, and what is derived along them ---


@pytest.fixture
def family(store):
    """A contact and a company with two deals, all edges drawn and nothing to derive."""
    ids = {"deal": linked(store, 1), "other": linked(store, 2)}
    ids |= {"contact": linked(store, 3, "contacts"), "company": linked(store, 4, "companies")}
    for name in ("deal", "other"):
        store.links.join(ROLE, [(ids[name], ids["contact"])], with_creation=name == "deal")
        store.links.join(DEAL_COMPANY, [(ids[name], ids["company"])], with_creation=False)
    store.links.join(CONTACT_COMPANY, [(ids["contact"], ids["company"])], with_creation=False)
    settled(store)
    return ids


def test_edges_are_known_both_ways(store, family):
    """Along an edge one finds the parents of children and the children of a parent, kind by kind."""
    deals = {family["deal"], family["other"]}
    assert store.links.parents_of(ROLE, deals) == {one: {family["contact"]} for one in deals}
    assert set(store.links.children_of(DEAL_COMPANY, family["company"])) == deals
    assert store.links.children_of(CONTACT_COMPANY, family["company"]) == [family["contact"]]
    assert store.links.parents_of(ROLE, [family["contact"]]) == {}


def test_a_new_edge_has_its_parent_derived(store, family):
    """A deal that comes to a contact changes the contact's rollups; for L5 a contact's own company counts too."""
    new = linked(store, 8)
    settled(store)
    store.links.join(ROLE, [(new, family["contact"])], with_creation=False)
    assert (to_derive(store, "contacts"), to_derive(store, "companies")) == ([family["contact"]], [])
    settled(store)
    store.links.join(CONTACT_COMPANY, [(family["contact"], family["company"])], with_creation=False)
    assert to_derive(store, "contacts") == [family["contact"]]
    assert to_derive(store, "companies") == [family["company"]]
    assert to_derive(store) == []


def test_joining_twice_keeps_the_first(store, family):
    """An edge that is drawn again keeps how it came, and what was applied along it."""
    store.records.observe([deal("org1", side=ORG), deal("org2", side=ORG)], {})
    store.records.observe([deal("hub1"), deal("hub2")], {})
    store.links.apply(ROLE, {family["contact"]: {family["deal"]: Status.WON}})
    store.links.join(ROLE, [(family["deal"], family["contact"])], with_creation=False)
    found = {one.link.id: one for _, one in store.links.deals_of(ROLE, [family["contact"]])}
    assert (found[family["deal"]].with_creation, found[family["deal"]].applied) == (True, Status.WON)
    assert (found[family["other"]].with_creation, found[family["other"]].applied) == (False, None)


def test_R3_roles_are_agreed_on_by_the_records_that_were_linked_then(store, family):
    """A link that leads elsewhere since then was never agreed on; drawing the edge anew agrees on it."""
    (agreed,) = store.links.agreed_roles([family["deal"]])[family["deal"]]
    deal_link = store.links.load([family["deal"]])[family["deal"]]
    assert agreed.contact.id == family["contact"]
    assert agreed.is_between(deal_link)
    moved = replace(deal_link, hubspot_id="another")
    assert not agreed.is_between(moved)
    assert store.links.agreed_roles([family["company"]]) == {}


def test_R4_names_are_settled_on_top_of_what_was_agreed(store, family):
    """What is not among them stays; a role that is drawn anew has no names agreed on."""
    links = store.links.load([family["deal"], family["contact"]])
    ends = links[family["deal"]], links[family["contact"]]

    def base():
        return store.links.agreed_roles([family["deal"]])[family["deal"]][0].base

    assert base() == Base()
    store.links.settle_role(*ends, Base({"Role": "User"}, {"labels": "User"}))
    store.links.settle_role(*ends, Base({"IsPrimary": True}, {"primary label": True}))
    assert base() == Base({"Role": "User", "IsPrimary": True}, {"labels": "User", "primary label": True})
    store.links.join(ROLE, [(family["deal"], family["contact"])], with_creation=False)
    assert base() == Base()


def test_R3_U6_a_role_that_ends_has_its_contact_derived(store, family):
    """And no other edge goes with it."""
    store.links.part(ROLE, [(family["deal"], family["contact"])])
    assert to_derive(store, "contacts") == [family["contact"]]
    assert store.links.parents_of(ROLE, [family["deal"], family["other"]]) == {family["other"]: {family["contact"]}}
    assert store.links.children_of(DEAL_COMPANY, family["company"]) == [family["deal"], family["other"]]


def test_a_child_changes_its_parent(store, family):
    """A deal that moves to another company has both companies derived; staying is no change."""
    other = linked(store, 9, "companies")
    settled(store)
    store.links.replace_parent(DEAL_COMPANY, family["deal"], family["company"], with_creation=False)
    assert to_derive(store, "companies") == []
    store.links.replace_parent(DEAL_COMPANY, family["deal"], other, with_creation=False)
    assert store.links.parents_of(DEAL_COMPANY, [family["deal"]]) == {family["deal"]: {other}}
    assert to_derive(store, "companies") == [family["company"], other]
    settled(store)
    store.links.replace_parent(DEAL_COMPANY, family["deal"], None, with_creation=False)
    assert store.links.parents_of(DEAL_COMPANY, [family["deal"]]) == {}
    assert to_derive(store, "companies") == [other]
    settled(store)
    store.links.replace_parent(DEAL_COMPANY, family["deal"], None, with_creation=False)
    assert to_derive(store, "companies") == []


def test_deals_along_edges(store, family):
    """Live deals whose HubSpot record is there, those acted upon before first, by parent."""
    store.records.observe([deal("org1", side=ORG, created="o1"), deal("org2", side=ORG, created="o2")], {})
    store.records.observe([deal("hub1", created="h1", amount="5"), deal("hub2", created="h2")], {})
    store.links.apply(DEAL_COMPANY, {family["company"]: {family["other"]: Status.LOST}})
    rows = list(store.links.deals_of(DEAL_COMPANY, [family["company"], family["contact"]]))
    assert [(parent, one.link.id) for parent, one in rows] == [
        (family["company"], family["other"]),
        (family["company"], family["deal"]),
    ]
    last = rows[1][1]
    assert (last.salesforce_created, last.hubspot_created, last.hubspot_fields) == ("o1", "h1", {"amount": "5"})
    store.records.observe([deal("hub1", "", presence=Presence.DELETED)], {})
    store.links.end(family["other"], LinkState.SEVERED)
    assert list(store.links.deals_of(DEAL_COMPANY, [family["company"]])) == []


def test_an_end_has_its_parents_derived(store, family):
    """What ends no longer counts for those it belonged to, and is itself derived no more."""
    store.links.derive([family["deal"]])
    store.links.end(family["deal"], LinkState.CLOSED)
    assert to_derive(store) == []
    assert (to_derive(store, "contacts"), to_derive(store, "companies")) == (
        [family["contact"]],
        [family["company"]],
    )


def test_only_live_links_are_derived(store, family):
    """Nothing is computed for what is over."""
    store.links.end(family["contact"], LinkState.SEVERED)
    settled(store)
    store.links.derive([family["contact"], family["company"]])
    store.links.derive_parents([family["deal"]])
    assert (to_derive(store, "contacts"), to_derive(store, "companies")) == ([], [family["company"]])


def test_deriving_goes_by_windows(store):
    """A run walks through what is to be derived by id."""
    ids = sorted(linked(store, number) for number in range(7))
    first = store.links.to_derive("deals", 0, limit=3)
    assert [one.id for one in first] == ids[:3]
    assert [one.id for one in store.links.to_derive("deals", first[-1].id)] == ids[3:]


def test_the_company_that_was_acted_upon(store, family):
    """What L5 last applied is remembered, blanks too."""
    contact = family["contact"]
    assert store.links.company_applied([contact]) == {contact: (None, None)}
    store.links.apply_company(contact, "c1", "customer")
    assert store.links.company_applied([contact]) == {contact: ("c1", "customer")}
    store.links.apply_company(contact, None, None)
    assert store.links.company_applied([contact]) == {contact: (None, None)}


def test_moves_are_handed_on(store, family):
    """Moves of a colleague gather until their contact has been derived."""
    contact = family["contact"]
    first, second = Move("customer", "L7", "deal 1"), Move("opportunity", "L7", "deal 2")
    assert store.links.handed_on([contact]) == {contact: []}
    store.links.hand_on([contact], [first])
    store.links.hand_on([contact], [second])
    assert store.links.handed_on([contact]) == {contact: [first, second]}
    assert to_derive(store, "contacts") == [contact]
    store.links.derived([contact])
    assert store.links.handed_on([contact]) == {contact: []}


def test_connections_do_not_mix(store, stranger, family):
    """Another connection in the same store has links of its own, for the same ids."""
    assert stranger.links.by_ids("deals", ORG, ["org1"]) == {}
    assert stranger.links.count_by_state() == {}
    mine = linked(stranger, 1)
    assert mine not in family.values()
    stranger.links.end(mine, LinkState.CLOSED)
    assert store.links.by_ids("deals", ORG, ["org1"])["org1"].state is LinkState.LINKED
    assert stranger.links.children_of(ROLE, family["contact"]) == []
    assert stranger.links.to_derive("contacts", 0) == []


def test_links_outlive_the_process(store, second):
    """What was committed is there for the next run."""
    link_id = pending(store)
    assert second.links.load([link_id])[link_id].base == FIRST
