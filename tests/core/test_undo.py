"""What takes a run back, by what the run wrote and what both CRMs hold now (X2)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
from core.examples import HS, SF
from core.undoing import CAUSE, DEAL, NOT_THERE, entry, now, seen, undo

from connector.core.hiding import Hidden, Veil
from connector.core.inverse import Left, Past, Remaking, Restoring, TakingBack
from connector.core.model import Change, ContactRole, Presence
from connector.core.undo import turn_link


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


TWICE = [
    entry("update", dealname=("a", "b"), amount=(1, 2), pipeline=("p1", "p2"), dealstage=("s1", "s2")),
    entry("update", amount=(2, 3), pipeline=("p2", "p2"), dealstage=("s2", "s3")),
]


@pytest.mark.parametrize(
    ("shown", "back", "left"),
    [
        ({"dealname": "b", "amount": 3, "pipeline": "p2", "dealstage": "s3"},
         {"dealname": "a", "amount": 1, "pipeline": "p1", "dealstage": "s1"}, {}),
        ({"dealname": "a", "amount": 1, "pipeline": "p1", "dealstage": "s1"}, {}, {}),
        ({"dealname": "b", "amount": 2, "pipeline": "p2", "dealstage": "s2"},
         {"dealname": "a", "amount": 1, "pipeline": "p1", "dealstage": "s1"}, {}),
        ({"dealname": "typed", "amount": 3, "pipeline": "p1", "dealstage": "s3"}, {"amount": 1},
         {"dealname": ("b", "typed"), "pipeline+dealstage": ("s3", "s3")}),
        ({"dealname": "b", "amount": 9, "pipeline": "p2", "dealstage": "s9"}, {"dealname": "a"},
         {"amount": (3, 9), "pipeline+dealstage": ("s3", "s9")}),
    ],
)  # fmt: skip
def test_X2_each_field_goes_back_from_any_state_in_which_the_run_left_it(shown, back, left):
    """What each write left, whichever fields it was about; what was typed since is told beside the last value."""
    inverse = undo(*TWICE, now=now(seen(**shown)))
    assert written(inverse) == {DEAL: back}
    assert {one.field: (one.wrote, one.now) for one in inverse.left} == left
    assert {one.why for one in inverse.left} <= {"changed since"}
    last = {"dealname": "b", "amount": 3, "pipeline": "p2", "dealstage": "s3"}
    stays = {name for one in left for name in one.split("+")}
    assert inverse.restorings[0].wrote == {name: value for name, value in last.items() if name not in stays}


@pytest.mark.parametrize(("links", "link"), [((3, 7), 7), ((7, None), 7), ((None, None), None)])
def test_X2_what_goes_back_tells_what_it_is_and_why(links, link):
    """With the link that the last write was about, if any was."""
    entries = [
        entry("update", link=links[0], dealname=("a", "b"), amount=(None, 5)),
        entry("update", link=links[1], dealname=("b", "c")),
    ]
    inverse = undo(*entries, now=now(seen(dealname="c", amount=6)))
    changes = (Change("dealname", "c", "a", "X2", CAUSE),)
    assert inverse.restorings == [Restoring(*DEAL, link, changes, {"dealname": "c"})]
    assert inverse.left == [Left(*DEAL, "amount", 5, 6, "changed since", link_id=link)]


def test_X2_the_id_of_a_record_that_was_made_anew_goes_back_as_the_new_one():
    """Of that very field; of others the same value means something else."""
    aliases = {(*DEAL[:2], "primary_company", "50"): "60"}
    moved = entry("update", primary_company=("50", "51"), dealname=("50", "new"))
    inverse = undo(moved, now=now(seen(primary_company="51", dealname="new"), aliases=aliases))
    assert written(inverse) == {DEAL: {"primary_company": "60", "dealname": "50"}}


@pytest.mark.parametrize("presence", [Presence.DELETED, Presence.MERGED, Presence.INVISIBLE, None])
def test_X2_nothing_is_written_to_a_record_that_is_gone(presence):
    """Whatever became of it, it is told, field by field."""
    known = now(seen(presence=presence)) if presence else now()
    inverse = undo(entry("update", dealname=("old", "new"), amount=(1, 2)), now=known)
    assert inverse.left == [
        Left(*DEAL, "dealname", "new", None, NOT_THERE, link_id=7),
        Left(*DEAL, "amount", 2, None, NOT_THERE, link_id=7),
    ]
    assert (inverse.restorings, inverse.writes) == ([], 0)


def test_X2_what_an_earlier_try_cleared_and_did_not_set_is_still_the_runs():
    """Clearing and setting are two requests (law 11)."""
    blanked = frozenset({(*DEAL, "lifecyclestage")})
    entries = [entry("update", lifecyclestage=("lead", "customer"))]
    half = now(seen(lifecyclestage=None), blanked=blanked)
    assert written(undo(*entries, now=half)) == {DEAL: {"lifecyclestage": "lead"}}
    assert written(undo(*entries, now=replace(half, blanked=frozenset()))) == {}
    typed = now(seen(lifecyclestage="lead again"), blanked=blanked)
    assert written(undo(*entries, now=typed)) == {}
    moved = [entry("update", pipeline=("p1", "p2"), dealstage=("s1", "s2"))]
    beside = now(seen(pipeline=None, dealstage="s3"), blanked=frozenset({(*DEAL, "pipeline")}))
    assert written(undo(*moved, now=beside)) == {}


MET = entry("update", sf_record_id=(None, "006A"))
STAY = "the two records stay linked"


@pytest.mark.parametrize(
    ("new_links", "unsettled", "goes"),
    [
        (frozenset(), frozenset(), True),  # a pair that was linked before: like any other field
        (frozenset({7}), frozenset(), False),  # something has happened to the new pair since
        (frozenset({7}), frozenset({7}), True),
        (frozenset({7, 8}), frozenset({7, 8}), True),  # another new pair, which this undo is not about
    ],
)
def test_X2_the_partners_id_stays_as_long_as_the_link_does(new_links, unsettled, goes):
    """A pair that the run found together is parted only if nothing has built on it since."""
    known = now(seen(partner="006A"), new_links=new_links, unsettled=unsettled)
    inverse = undo(MET, now=known)
    assert written(inverse) == ({DEAL: {"sf_record_id": None}} if goes else {})
    assert inverse.left == ([] if goes else [Left(*DEAL, "sf_record_id", "006A", "006A", STAY, link_id=7)])
    assert inverse.unlinked == ({7} if unsettled else set())


@pytest.mark.parametrize(("name", "parted"), [("new", True), ("typed", False)])
def test_X2_a_pair_that_the_run_found_stays_if_anything_of_it_stays(name, parted):
    """A field that somebody has edited since: the partner's id stays too, whatever else goes back."""
    known = now(seen(partner="006A", dealname=name, amount="2"), new_links=frozenset({7}), unsettled=frozenset({7}))
    inverse = undo(MET, entry("update", dealname=("old", "new"), amount=("1", "2")), now=known)
    fields = {"dealname": "old", "amount": "1", "sf_record_id": None}
    assert written(inverse) == {DEAL: fields if parted else {"amount": "1"}}
    assert inverse.unlinked == ({7} if parted else set())
    assert [one.why for one in inverse.left] == ([] if parted else ["changed since", STAY])


THERE_TOO = entry("update", "Opportunity", "006A", HubSpot_Id__c=(None, "1"), Name=("old", "new"))


@pytest.mark.parametrize(
    ("more", "presence", "why"),
    [
        ({}, Presence.PRESENT, []),
        ({"strangers": {DEAL: ("Ada", "")}}, Presence.PRESENT, ["somebody else has edited it since", STAY]),
        ({}, Presence.DELETED, [STAY]),
    ],
    ids=["goes", "stays", "gone"],
)
def test_X2_the_id_of_a_created_partner_goes_with_it(more, presence, why):
    """If it stays, or somebody has deleted it, the two are linked as before; what else was written goes back."""
    known = now(
        seen(dealname="new", presence=presence), seen("Opportunity", "006A", partner="1", Name="new"),
        new_links=frozenset({7}), unsettled=frozenset({7}), **more,
    )  # fmt: skip
    inverse = undo(entry("create", dealname=(None, "new")), THERE_TOO, now=known)
    fields = {"Name": "old"} if why else {"Name": "old", "HubSpot_Id__c": None}
    assert written(inverse) == {(SF, "Opportunity", "006A"): fields}
    assert [one.why for one in inverse.left] == why
    assert inverse.unlinked == set()


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
    who, when = more.get("strangers", {}).get(DEAL, ("", ""))
    assert inverse.left == ([Left(*DEAL, "", None, None, why, who, when, link_id=7)] if why else [])


@pytest.mark.parametrize("stays", [True, False])
def test_X2_the_fields_of_a_created_record_do_not_go_back_by_themselves(stays):
    """What the run wrote to it later is part of what it left it with; those of all others go back."""
    later = entry("update", dealname=("new", "newer"), amount=(None, 5))
    other = entry("update", id_="2", link=8, dealname=("old", "new"))
    known = now(
        seen(dealname="typed" if stays else "newer", amount=5, partner="006A"), seen(id_="2", dealname="new")
    )
    inverse = undo(CREATED, later, other, now=known)
    assert written(inverse) == {(HS, "deals", "2"): {"dealname": "old"}}
    values = {"dealname": "new", "sf_record_id": "006A"}
    taken = TakingBack(*DEAL, 7, values, {"dealname": "newer", "sf_record_id": "006A", "amount": 5})
    assert inverse.taking_back == ([] if stays else [taken])
    assert [one.why for one in inverse.left] == (["dealname was changed since"] if stays else [])


def test_X2_of_fields_that_belong_together_both_are_told():
    """Whichever was changed."""
    made = entry("create", pipeline=(None, "p"), dealstage=(None, "s"))
    inverse = undo(made, now=now(seen(pipeline="p", dealstage="t")))
    assert [one.why for one in inverse.left] == ["pipeline+dealstage was changed since"]


def test_X2_of_several_things_that_hang_on_a_created_record_the_first_is_told():
    """By its object and id, in whichever order they were read."""
    ties = {DEAL: [("tasks", "9"), ("contacts", "5")]}
    inverse = undo(CREATED, now=now(seen(dealname="new", partner="006A"), ties=ties))
    assert [one.why for one in inverse.left] == ["contacts 5 belongs to it"]


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


FOX = entry("create", "contacts", "5", link=8, lastname=(None, "Fox"))
FOX_TIES = {(HS, "contacts", "5"): {("deals", "1")}}


@pytest.mark.parametrize(
    ("entries", "ties", "goes"),
    [
        # a contact that was made, and added to a deal that was there before
        ([FOX, entry("connect", contact=(None, "5"))], FOX_TIES, ["5"]),
        ([FOX, entry("connect", contact=(None, "6"))], FOX_TIES, []),
        ([FOX, entry("connect", id_="2", contact=(None, "5"))], FOX_TIES, []),
        ([FOX, entry("disconnect", contact=("5", None))], FOX_TIES, []),
        # a contact that was there before, and added to a deal that was made
        ([CREATED, entry("connect", contact=(None, "5"))], {DEAL: {("contacts", "5")}}, ["1"]),
        ([CREATED, entry("connect", contact=(None, "6"))], {DEAL: {("contacts", "5")}}, []),
        # one that somebody else added, and the run named; or whose id is only a value of the deal
        ([CREATED, entry("name", contact=("5", "5"), labels=(None, "User"))], {DEAL: {("contacts", "5")}}, []),
        ([replace(CREATED, changes=(*CREATED.changes, Change("room", None, "5", "T1", "")))],
         {DEAL: {("contacts", "5")}}, []),
    ],
)  # fmt: skip
def test_X2_only_what_the_run_hung_on_a_created_record_does_not_keep_it(entries, ties, goes):
    """From either end; what others hung on it does."""
    known = now(seen("contacts", "5", lastname="Fox"), seen(dealname="new", partner="006A", room="5"), ties=ties)
    assert [one.record_id for one in undo(*entries, now=known).taking_back] == goes


@pytest.mark.parametrize("there", [[], [seen(presence=Presence.DELETED)]])
def test_X2_a_created_record_that_is_gone_already_needs_nothing(there):
    """The others that the run created go all the same."""
    second = entry("create", id_="2", link=8, dealname=(None, "new"))
    inverse = undo(CREATED, second, now=now(*there, seen(id_="2", dealname="new")))
    assert [(one.record_id, one.gone) for one in inverse.taking_back] == [("1", True), ("2", False)]
    assert (inverse.left, inverse.writes) == ([], 1)


@pytest.mark.parametrize("state", ["intended", "failed"])
def test_X2_a_record_whose_creation_is_not_proven_does_not_go(state):
    """Though it looks as if it were the run's."""
    inverse = undo(replace(CREATED, state=state), now=now(seen(dealname="new", partner="006A")))
    assert (inverse.taking_back, inverse.left, inverse.restorings) == ([], [], [])


def test_X2_what_was_refused_at_first_is_held_too():
    """The plan proposes the whole creation again, not what was left of it."""
    whole = entry("create", id_=None, state="failed", dealname=(None, "new"), description=(None, "x"))
    (taken,) = undo(whole, CREATED, now=now(seen(dealname="new", partner="006A"))).taking_back
    assert taken.values == {"dealname": "new", "description": "x", "sf_record_id": "006A"}


def deleted(object_, id_, *lost, link=7):
    """A deletion, with all that went with the record."""
    changes = tuple(Change(name, old, None, "D1", "") for name, old in lost)
    return replace(entry("delete", object_, id_, link=link), changes=changes)


GONE = now(seen(presence=Presence.DELETED))
LOST = deleted(
    "deals", "1", ("dealname", "c"), ("labels", "no contact's"), ("sf_record_id", "006A"), ("contact", "5"),
    ("labels", "3; 4"), ("contact", "6"),
)  # fmt: skip


@pytest.mark.parametrize("known", [GONE, now()], ids=["archived", "not found"])
def test_X2_a_deleted_deal_is_made_anew_with_all_it_had(known):
    """Its values before the first write of the run, the partner's id, and its contacts with their labels."""
    updates = [entry("update", dealname=("a", "b")), entry("update", dealname=("b", "c"), amount=(1, 2))]
    values = {"dealname": "a", "sf_record_id": "006A", "amount": 1}
    contacts = {"5": frozenset({3, 4}), "6": frozenset()}
    assert undo(*updates, LOST, now=known).remakings == [Remaking(*DEAL, 7, values, contacts)]


def test_X2_a_deleted_record_that_is_there_again_is_not_made_anew():
    """Somebody has restored it, or its partner has another one; the others are made anew all the same."""
    other = deleted("deals", "2", ("dealname", "x"), link=8)
    assert [one.record_id for one in undo(LOST, other, now=now(seen())).remakings] == ["2"]
    replaced = undo(LOST, other, now=replace(GONE, replaced={7: "9"}))
    assert [one.record_id for one in replaced.remakings] == ["2"]


def test_X2_a_deleted_record_that_an_earlier_try_made_anew_is_known_by_its_new_id():
    """What it had may still be missing, but it is not made a second time."""
    known = replace(GONE, replaced={7: "9"}, remade={7: "9"})
    inverse = undo(LOST, now=known)
    assert [(one.record_id, one.new_id, inverse.writes) for one in inverse.remakings] == [("1", "9", 0)]
    unlinked = undo(replace(LOST, link_id=None), now=replace(GONE, remade={1: "9"}))
    assert [one.new_id for one in unlinked.remakings] == [""]


def test_X2_a_deleted_opportunity_is_made_anew_with_its_roles():
    """Only an undo deletes one, so this is an undo's undo. A contact may have had several roles."""
    lost = [
        ("Name", "a"), ("contact", "003A"), ("Role", "Evaluator"), ("IsPrimary", True), ("contact", "003B"),
        ("contact", "003A"), ("Role", "User"),
    ]  # fmt: skip
    roles = (
        ContactRole("006A", "003A", "Evaluator", primary=True), ContactRole("006A", "003B"),
        ContactRole("006A", "003A", "User"),
    )  # fmt: skip
    known = now(seen("Opportunity", "006A", presence=Presence.DELETED))
    remaking = Remaking(SF, "Opportunity", "006A", 7, {"Name": "a"}, {}, roles)
    assert undo(deleted("Opportunity", "006A", *lost), now=known).remakings == [remaking]


# --- what the journal hides -------------------------------------------------------------------------------


VEIL = Veil("key", {(HS, "contacts"): frozenset({"lastname"})})
UNKNOWN = "the value before is hidden as personal, and nothing else has it (G3)"


def hide(value):
    return VEIL.hide(HS, "contacts", "lastname", value)


def kept(values):
    """Which of these values are plain: a hash equals its own value, so that comparing would not tell."""
    return {name: value for name, value in values.items() if not isinstance(value, Hidden)}


PERSON = (HS, "contacts", "5")
PERSON_GONE = now(seen("contacts", "5", presence=Presence.DELETED))


@pytest.mark.parametrize(
    ("known", "stage", "back", "why"),
    [
        ({}, "s2", {}, UNKNOWN),
        ({7: {"pipeline": ["p1"]}}, "s2", {"pipeline": "p1", "dealstage": "s1"}, ""),
        ({8: {"pipeline": ["p1"]}}, "s2", {}, UNKNOWN),
        ({7: {"pipeline": ["p1"]}}, "s3", {}, "changed since"),
    ],
)
def test_G3_fields_that_belong_together_go_back_only_if_all_of_them_are_known(known, stage, back, why):
    """One hash among them keeps them all; another link's values say nothing of it."""
    moved = entry("update", pipeline=(hide("p1"), "p2"), dealstage=("s1", "s2"))
    inverse = undo(moved, now=now(seen(pipeline="p2", dealstage=stage), known=known))
    assert written(inverse) == ({DEAL: back} if back else {})
    assert kept(written(inverse).get(DEAL, {})) == back
    assert [(one.field, one.why) for one in inverse.left] == ([("pipeline+dealstage", why)] if why else [])


def test_G3_a_record_without_a_link_has_nobody_else_to_tell_what_is_hidden():
    """Whatever is known of links."""
    renamed = entry("update", "contacts", "5", link=None, lastname=(hide("Fox"), "Wolf"))
    known = {1: {"lastname": ["Fox"]}}
    inverse = undo(renamed, now=now(seen("contacts", "5", lastname="Wolf"), known=known))
    assert (written(inverse), [one.why for one in inverse.left]) == ({}, [UNKNOWN])


@pytest.mark.parametrize(
    ("lost", "more", "made", "left"),
    [
        # what nothing needs is left out, and told
        ([("lastname", "Fox"), ("phone", hide("555")), ("fax", hide("556"))], {}, ({"lastname": "Fox"}, ""),
         "phone+fax"),
        # without what has to be there no record can be made
        ([("lastname", hide("Fox")), ("phone", hide("555"))], {}, None, ""),
        ([("lastname", hide("Fox")), ("phone", hide("555"))], {"known": {7: {"lastname": ["Wolf", "Fox"]}}},
         ({"lastname": "Fox"}, ""), "phone"),
        # unless an earlier try made it
        ([("lastname", hide("Fox")), ("phone", "555")], {"replaced": {7: "9"}, "remade": {7: "9"}},
         ({"phone": "555"}, "9"), "lastname"),
    ],
)  # fmt: skip
def test_G3_of_a_deleted_record_that_is_made_anew_what_is_still_hidden_is_told(lost, more, made, left):
    """Told as what it was, with its link; the other records are made anew all the same."""
    other = deleted("contacts", "6", ("lastname", "Bear"), link=8)
    inverse = undo(deleted("contacts", "5", *lost), other, now=replace(PERSON_GONE, **more))
    made_anew = [Remaking(*PERSON, 7, made[0], {}, (), made[1])] if made else []
    assert inverse.remakings == [*made_anew, Remaking(HS, "contacts", "6", 8, {"lastname": "Bear"}, {})]
    assert all(kept(one.values) == one.values for one in inverse.remakings)
    assert inverse.left == [Left(*PERSON, left, None, None, UNKNOWN, link_id=7)]


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
    was = deepcopy(past)
    turned = turn_link(past, {SF: {"A", "B", "C"}, HS: {"a", "b"}}, keeps_stage=False)
    assert turned == row({"A": 1, "B": 6}, {"a": 1})
    assert past == was, "what is known of the past stays as it is"
    assert turn_link(past, {}, keeps_stage=False) == past.now
    assert turn_link(past, {HS: {"a"}}, keeps_stage=False) == row({"A": 2, "B": 6, "C": 7}, {"a": 1, "b": 5})


@pytest.mark.parametrize(("former", "base"), [("Fox", {"a": "Fox"}), ("Wolf", {}), (None, {"a": None})])
def test_G3_of_a_hidden_base_only_what_is_the_same_still_is_known(former, base):
    """All else agrees no more."""
    past = Past(row(there={"a": hide(former)}), row(there={"a": hide("Fox")}), row(there={"a": "Fox"}))
    turned = turn_link(past, {HS: {"a"}}, keeps_stage=False)
    assert turned == row(there=base)
    assert kept(turned["base_hubspot"]) == base


def test_X2_a_link_that_was_not_there_before_or_afterwards_had_agreed_on_nothing():
    """And one that is gone by now has nothing to turn."""
    here = row({"A": 1}, {"a": 1})
    fields = {SF: {"A"}, HS: {"a"}}
    assert turn_link(Past(None, here, here), fields, keeps_stage=False) == row()
    assert turn_link(Past(here, None, row({"B": 1})), fields, keeps_stage=False) == row({"A": 1, "B": 1}, {"a": 1})
    assert turn_link(Past(here, here, None), fields, keeps_stage=False) is None


@pytest.mark.parametrize("column", ["company_applied", "handed_on"])
@pytest.mark.parametrize(
    ("keeps", "shown", "applied"),
    [(False, "after", "before"), (True, "after", "after"), (False, "later", "later")],
)
def test_X2_what_the_lifecycle_had_acted_upon_goes_back_unless_the_stage_has_moved_on(
    column, keeps, shown, applied
):
    """Else the same event would move it once more; what came later stays as well."""
    past = Past(row(**{column: "before"}), row(**{column: "after"}), row(**{column: shown}))
    assert turn_link(past, {}, keeps_stage=keeps) == row(**{column: applied})
