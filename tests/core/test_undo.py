"""What takes a run back, by what the run wrote and what both CRMs hold now (X2)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, SF, pair, record, rule

from connector.core.inverse import Entry, Now, Past, RoleBack
from connector.core.model import Change, ContactRole, Presence
from connector.core.undo import invert, turn_link
from connector.mapping.transforms import Text


class Together(Text):
    """Two values that only mean something together."""

    def meaning(self, side, values):
        return values


PARTNER = {HS: "sf_record_id", SF: "HubSpot_Id__c"}
DEALS = pair(
    rule("Name", "dealname"), rule("RecordTypeId+StageName", "pipeline+dealstage", transform=Together()),
    rule("AccountId", "primary_company"),
    partner_field=PARTNER,
)  # fmt: skip
CONTACTS = pair(rule("LastName", "lastname"), name="contact-contact", partner_field=PARTNER)
COMPANIES = pair(rule("Name", "name"), name="account-company", partner_field=PARTNER)
PAIRS = {one.object(side): one for one in (COMPANIES, CONTACTS, DEALS) for side in (SF, HS)}
DEAL = (HS, "deals", "1")
KINDS = {"Opportunity": SF, "Contact": SF, "Account": SF, "deals": HS, "contacts": HS, "companies": HS}
NOT_THERE = "the record is not there any more"


def entry(verb, object_="deals", id_="1", *, state="done", link=7, made=None, **fields):
    """One write; each field as (old, new). `labels_` is `labels`, so that names with blanks can be said."""
    changes = tuple(Change(name.replace("__", " "), old, new, "F1", "") for name, (old, new) in fields.items())
    side = SF if object_ == "OpportunityContactRole" else KINDS[object_]
    return Entry(1, state, verb, side, object_, id_, link, made, changes)


def seen(object_="deals", id_="1", *, partner=None, presence=Presence.PRESENT, **fields):
    return record(KINDS[object_], id_, fields, object=object_, partner_id=partner, presence=presence)


def now(*records, **more):
    return Now({(one.side, one.object, one.id): one for one in records}, **more)


def undo(*entries, now):
    return invert(entries, now, PAIRS, "undo of run 1")


def written(inverse):
    return {one.key: {change.field: change.new for change in one.changes} for one in inverse.restorings}


# --- fields -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "value", "back", "left"),
    [
        ("done", "new", {"dealname": "old"}, []),
        ("done", "  new ", {"dealname": "old"}, []),
        ("intended", "new", {"dealname": "old"}, []),
        ("done", "old", {}, []),
        ("intended", "old", {}, []),
        ("done", "typed", None, ["changed since"]),
        ("failed", "new", None, []),
    ],
)
def test_X2_a_field_goes_back_as_long_as_it_holds_what_was_written(state, value, back, left):
    """A write that may not have been made is known by its value; one that was refused is none."""
    inverse = undo(entry("update", state=state, dealname=("old", "new")), now=now(seen(dealname=value)))
    assert written(inverse).get(DEAL) == back
    assert [one.why for one in inverse.left] == left


def test_X2_several_writes_of_a_run_go_back_as_one():
    """To what there was before the first of them, from any of them."""
    entries = [entry("update", dealname=("a", "b")), entry("update", dealname=("b", "c"))]
    for value in ("b", "c"):
        assert written(undo(*entries, now=now(seen(dealname=value)))) == {DEAL: {"dealname": "a"}}


def test_X2_fields_that_belong_together_go_back_together_or_not_at_all():
    """A stage means nothing in another pipeline."""
    entries = [entry("update", pipeline=("p1", "p2"), dealstage=("s1", "s2"))]
    moved = undo(*entries, now=now(seen(pipeline="p2", dealstage="s3")))
    assert written(moved) == {}
    assert [(one.field, one.wrote, one.now) for one in moved.left] == [("pipeline+dealstage", "s2", "s3")]
    both = undo(*entries, now=now(seen(pipeline="p2", dealstage="s2")))
    assert written(both) == {DEAL: {"pipeline": "p1", "dealstage": "s1"}}


@pytest.mark.parametrize("presence", [Presence.DELETED, Presence.MERGED, Presence.INVISIBLE, None])
def test_X2_nothing_is_written_to_a_record_that_is_gone(presence):
    """Whatever became of it, it is told."""
    known = now(seen(presence=presence)) if presence else now()
    inverse = undo(entry("update", dealname=("old", "new")), now=known)
    assert ([one.why for one in inverse.left], inverse.writes) == ([NOT_THERE], 0)


def test_X2_what_an_earlier_try_cleared_and_did_not_set_is_still_the_runs():
    """Clearing and setting are two requests (law 11)."""
    blanked = frozenset({(*DEAL, "lifecyclestage")})
    entries = [entry("update", lifecyclestage=("lead", "customer"))]
    half = now(seen(lifecyclestage=None), blanked=blanked)
    assert written(undo(*entries, now=half)) == {DEAL: {"lifecyclestage": "lead"}}
    assert written(undo(*entries, now=replace(half, blanked=frozenset()))) == {}


@pytest.mark.parametrize(
    ("new_links", "unsettled", "goes"),
    [
        (frozenset(), frozenset(), True),  # a pair that was linked before: like any other field
        (frozenset({7}), frozenset(), False),  # something has happened to the new pair since
        (frozenset({7}), frozenset({7}), True),
    ],
)
def test_X2_the_partners_id_stays_as_long_as_the_link_does(new_links, unsettled, goes):
    """A pair that the run found together is parted only if nothing has built on it since."""
    known = now(seen(partner="006A"), new_links=new_links, unsettled=unsettled)
    inverse = undo(entry("update", sf_record_id=(None, "006A")), now=known)
    assert (written(inverse) == {DEAL: {"sf_record_id": None}}) is goes
    assert [one.why for one in inverse.left] == ([] if goes else ["the two records stay linked"])
    assert inverse.unlinked == ({7} if unsettled else set())


# --- created and deleted records --------------------------------------------------------------------------


CREATED = entry("create", dealname=(None, "new"), sf_record_id=(None, "006A"))


@pytest.mark.parametrize(
    ("record_", "more", "why"),
    [
        (seen(dealname="new", partner="006A"), {}, ""),
        (seen(dealname="typed", partner="006A"), {}, "dealname was changed since"),
        (seen(dealname="new", partner="006B"), {}, "sf_record_id was changed since"),
        (seen(dealname="new", partner="006A"), {"strangers": {DEAL: ("Ada", "2026")}},
         "somebody else has edited it since"),
        (seen(dealname="new", partner="006A"), {"ties": {DEAL: {("contacts", "5")}}}, "contacts 5 belongs to it"),
    ],
)  # fmt: skip
def test_X2_a_created_record_goes_only_if_nobody_touched_it(record_, more, why):
    """Neither its values, nor by what is not mapped, nor by hanging something on it."""
    inverse = undo(CREATED, now=now(record_, **more))
    assert [one.record_id for one in inverse.taking_back] == ([] if why else ["1"])
    assert [one.why for one in inverse.left] == ([why] if why else [])


def test_X2_children_go_first_and_keep_their_parents_if_they_stay():
    """A contact goes with the deal that it came with, and stays with the deal that stays."""
    person = entry("create", "contacts", "5", link=8, lastname=(None, "Fox"))
    deal = replace(CREATED, changes=(*CREATED.changes, Change("contact", None, "5", "R1", "")))
    ties = {DEAL: {("contacts", "5")}, (HS, "contacts", "5"): {("deals", "1")}}
    both = [seen("contacts", "5", lastname="Fox"), seen(dealname="new", partner="006A")]
    going = undo(person, deal, now=now(*both, ties=ties))
    assert [one.record_id for one in going.taking_back] == ["1", "5"]
    staying = undo(person, deal, now=now(*both, ties=ties, strangers={DEAL: ("Ada", "")}))
    assert staying.taking_back == []
    assert [one.why for one in staying.left] == ["somebody else has edited it since", "deals 1 belongs to it"]


def test_X2_what_the_run_hung_on_a_created_record_does_not_keep_it():
    """A contact whose company it became, and a deal that it was added to, are put back themselves."""
    company = entry("create", "companies", "9", link=9, name=(None, "Acme"))
    moved = entry("update", "contacts", "5", link=8, primary_company=("3", "9"))
    ties = {(HS, "companies", "9"): {("contacts", "5")}}
    known = now(seen("companies", "9", name="Acme"), seen("contacts", "5", primary_company="9"), ties=ties)
    assert [one.record_id for one in undo(company, moved, now=known).taking_back] == ["9"]


def test_X2_a_created_record_that_is_gone_already_needs_nothing():
    """Nor does one whose creation is not proven."""
    inverse = undo(CREATED, now=now(seen(presence=Presence.DELETED)))
    assert ([one.gone for one in inverse.taking_back], inverse.writes) == ([True], 0)
    assert undo(replace(CREATED, state="intended"), now=now(seen(dealname="new"))).taking_back == []


def test_X2_what_was_refused_at_first_is_held_too():
    """The plan proposes the whole creation again, not what was left of it."""
    whole = entry("create", id_=None, state="failed", dealname=(None, "new"), description=(None, "x"))
    (taken,) = undo(whole, CREATED, now=now(seen(dealname="new", partner="006A"))).taking_back
    assert taken.values == {"dealname": "new", "description": "x", "sf_record_id": "006A"}


def test_X2_a_deleted_deal_is_made_anew_with_all_it_had():
    """Its values before the run, the partner's id, and its contacts with their labels."""
    lost = [("dealname", "b"), ("sf_record_id", "006A"), ("contact", "5"), ("labels", "3; 4"), ("contact", "6")]
    deleted = replace(entry("delete"), changes=tuple(Change(name, old, None, "D1", "") for name, old in lost))
    inverse = undo(entry("update", dealname=("a", "b")), deleted, now=now(seen(presence=Presence.DELETED)))
    (anew,) = inverse.remakings
    assert anew.values == {"dealname": "a", "sf_record_id": "006A"}
    assert anew.contacts == {"5": {3, 4}, "6": frozenset()}
    assert undo(deleted, now=now(seen())).remakings == [], "somebody has restored it"
    assert undo(deleted, now=now(seen(presence=Presence.DELETED), replaced={7: "2"})).remakings == []
    tried = undo(deleted, now=now(seen(presence=Presence.DELETED), replaced={7: "2"}, remade={7: "2"}))
    assert [(one.new_id, tried.writes) for one in tried.remakings] == [("2", 0)]


def test_X2_a_deleted_opportunity_is_made_anew_with_its_roles():
    """Only an undo deletes one, so this is an undo's undo."""
    lost = [("Name", "a"), ("contact", "003A"), ("Role", "Evaluator"), ("IsPrimary", True), ("contact", "003B")]
    deleted = replace(
        entry("delete", "Opportunity", "006A"),
        changes=tuple(Change(name, old, None, "X2", "") for name, old in lost),
    )
    (anew,) = undo(deleted, now=now(seen("Opportunity", "006A", presence=Presence.DELETED))).remakings
    assert anew.roles == (
        ContactRole("006A", "003A", "Evaluator", primary=True), ContactRole("006A", "003B"),
    )  # fmt: skip


# --- contacts of deals, and contact roles -----------------------------------------------------------------


ADDED = entry("connect", contact=(None, "5"))
ADDED_ROLE = entry("connect", "OpportunityContactRole", "006A", made="00K1", contact=(None, "003A"))
NAMED = entry("name", contact=("5", "5"), labels=(None, "Decider"))


def only(inverse) -> RoleBack:
    (role,) = inverse.roles
    return role


@pytest.mark.parametrize(
    ("entries", "labels", "named", "goes"),
    [
        ([ADDED], frozenset(), {}, True),
        ([ADDED], frozenset({3}), {"labels": "Decider"}, False),
        ([ADDED, NAMED], frozenset({3}), {"labels": "Decider"}, True),
        ([ADDED, NAMED], frozenset({4}), {"labels": "Other"}, False),
    ],
)
def test_X2_a_contact_that_was_added_goes_as_it_was_added(entries, labels, named, goes):
    """With the labels that the run gave it, or none."""
    known = now(seen(), contacts={"1": {"5": labels}}, labelled={("1", "5"): named})
    inverse = undo(*entries, now=known)
    parts = [one for one in inverse.roles if one.verb == "part"]
    assert (len(parts) == 1 and parts[0].needed) is goes
    assert bool([one for one in inverse.left if one.field == "contact"]) is not goes


def test_X2_a_contact_that_was_added_and_is_gone_needs_nothing():
    """Somebody was faster."""
    assert not only(undo(ADDED, now=now(seen(), contacts={"1": {}}))).needed
    assert not only(undo(ADDED_ROLE, now=now(seen("Opportunity", "006A")))).needed


@pytest.mark.parametrize(
    ("made", "role", "told"),
    [
        ("00K1", ContactRole("006A", "003A"), None),
        ("00K1", ContactRole("006A", "003A", "Evaluator"), "was given another name since"),
        (None, ContactRole("006A", "003A"), "whether this run made the role is not known: its answer was lost"),
    ],
)
def test_X2_only_a_role_that_the_run_made_goes(made, role, told):
    """By its own id, and only as it was made."""
    inverse = undo(replace(ADDED_ROLE, made=made), now=now(seen("Opportunity", "006A"), roles={"00K1": role}))
    assert [one.role for one in inverse.roles] == ([] if told else ["00K1"])
    assert [one.why for one in inverse.left] == ([told] if told else [])


def test_X2_a_contact_that_was_removed_comes_back_with_its_labels():
    """Unless it is there again, or one of the two is not."""
    removed = entry("disconnect", contact=("5", None), labels=("3; 4", None))
    there = [seen(), seen("contacts", "5")]
    back = only(undo(removed, now=now(*there, contacts={"1": {}})))
    assert (back.verb, back.labels, back.needed) == ("join", {3, 4}, True)
    assert not only(undo(removed, now=now(*there, contacts={"1": {"5": frozenset()}}))).needed
    assert undo(removed, now=now(seen())).roles == []


def test_X2_a_role_that_was_removed_is_made_anew():
    """As it was, with a new id."""
    removed = entry(
        "disconnect", "OpportunityContactRole", "006A", contact=("003A", None), Role=("Evaluator", None)
    )
    there = now(seen("Opportunity", "006A"), seen("Contact", "003A"))
    assert only(undo(removed, now=there)).remake == ContactRole("006A", "003A", "Evaluator", primary=False)
    again = replace(there, roles={"00K2": ContactRole("006A", "003A", "Evaluator")})
    assert not only(undo(removed, now=again)).needed


@pytest.mark.parametrize(
    ("label", "changes", "left"),
    [("Decider", {"labels": None}, []), (None, {}, []), ("Other", {}, ["changed since"])],
)
def test_X2_a_name_goes_back_like_a_field(label, changes, left):
    """Of an association its labels."""
    known = now(seen(), contacts={"1": {"5": frozenset()}}, labelled={("1", "5"): {"labels": label}})
    inverse = undo(NAMED, now=known)
    assert {change.field: change.new for one in inverse.roles for change in one.changes} == changes
    assert [one.why for one in inverse.left] == left


def test_X2_a_role_that_lost_its_being_primary_gets_it_back():
    """Salesforce lets one role be primary: the journal has both."""
    raised = entry("name", "OpportunityContactRole", "00K1", IsPrimary=(False, True))
    lowered = entry("name", "OpportunityContactRole", "00K2", IsPrimary=(True, False))
    roles = {"00K1": ContactRole("006A", "003A", primary=True), "00K2": ContactRole("006A", "003B")}
    inverse = undo(raised, lowered, entry("name", "OpportunityContactRole", "00K9", Role=(None, "x")),
                   now=now(roles=roles))  # fmt: skip
    assert {one.role: {change.field: change.new for change in one.changes} for one in inverse.roles} == {
        "00K1": {"IsPrimary": False}, "00K2": {"IsPrimary": True},
    }  # fmt: skip


# --- links ------------------------------------------------------------------------------------------------


def row(here=None, there=None, **more):
    base = {"base_salesforce": here or {}, "base_hubspot": there or {}, "company_applied": None, "handed_on": None}
    return base | more


def test_X2_a_base_goes_back_field_by_field_where_nothing_came_later():
    """What a later run agreed on stays; what never agreed before agrees no more."""
    past = Past(
        row({"A": 1}, {"a": 1}),
        row({"A": 2, "B": 5, "C": 7}, {"a": 2, "b": 5}),
        row({"A": 2, "B": 6, "C": 7}, {"a": 2, "b": 5}),
    )
    turned = turn_link(past, {SF: {"A", "B", "C"}, HS: {"a", "b"}}, keeps_stage=False)
    assert turned == row({"A": 1, "B": 6}, {"a": 1})
    assert turn_link(Past(None, None, None), {}, keeps_stage=False) is None


@pytest.mark.parametrize(("keeps", "applied"), [(False, "before"), (True, "after")])
def test_X2_what_the_lifecycle_had_acted_upon_goes_back_unless_the_stage_has_moved_on(keeps, applied):
    """Else the same event would move it once more."""
    past = Past(row(company_applied="before"), row(company_applied="after"), row(company_applied="after"))
    turned = turn_link(past, {}, keeps_stage=keeps)
    assert turned is not None
    assert turned["company_applied"] == applied
    later = replace(past, now=row(company_applied="later"))
    assert (turn_link(later, {}, keeps_stage=False) or {})["company_applied"] == "later"
