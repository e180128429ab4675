"""The names of contact roles and the labels of associations (R4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, SF, link
from hypothesis import given
from hypothesis import strategies as st

from connector.core.actions import RoleNaming
from connector.core.model import Base, ContactRole, Problem, RoleRules, Rule
from connector.core.naming import Flag, Naming, RoleNames, plan_names
from connector.core.roles import Agreement, Roles

PAIR, ANN = link("006A", "11"), link("003A", "5", pair="contact-contact", id_=2)
RULES = RoleRules(Rule.TWO_WAY, {"Decision Maker": "Decider", "Economic Buyer": "Decider", "User": "User"}, "Main")
TYPES = {"Main": 100, "Decider": 101, "User": 103, "Somebody's own": 109}
NAMING = Naming(RULES, TYPES)
BLANK = Base({"Role": None, "IsPrimary": None}, {"labels": None, "primary label": None})


def role(name=None, primary=False):
    return ContactRole("006A", "003A", name, primary)


def agreement(base=BLANK, contact=ANN):
    return Agreement(contact, {side: (PAIR.id_of(side), contact.id_of(side)) for side in (SF, HS)}, base)


def plan(here, there, agreed=None, naming=NAMING):
    own = {f"00K{number}": one for number, one in enumerate(here, 1)}
    hubspot = None if there is None else {"5": frozenset(there)}
    return plan_names(Roles(PAIR, {"003A": own}, hubspot, [agreed or agreement()]), naming, None)


def base_of(here, there):
    return Base(NAMING.describe_roles(here), NAMING.describe_labels(there))


def after(action, base=BLANK):
    return agreement(base.merged(action.settles))


def changes(action):
    return {change.field: (change.old, change.new) for change in action.changes}


def test_R4_a_roles_name_becomes_a_label_and_the_primary_one_another():
    """In HubSpot; afterwards both sides are agreed."""
    (action,) = plan([role("Decision Maker", primary=True)], set())
    assert (action.to, action.contact) == (HS, ANN)
    assert changes(action) == {"labels": (None, "Decider"), "primary label": (None, True)}
    assert {change.rule for change in action.changes} == {"R4"}
    assert action.settles == base_of([role("Decision Maker", primary=True)], {100, 101})
    assert plan([role("Decision Maker", primary=True)], {100, 101}, after(action)) == []


def test_R4_labels_name_a_role():
    """One without a name gets it; the primary label makes it primary."""
    (action,) = plan([role()], {100, 103})
    assert action.to is SF
    assert action.edits == {"00K1": role("User", primary=True)}
    assert action.settles == base_of([role("User", primary=True)], {100, 103})


def test_R4_a_write_settles_only_what_it_wrote():
    """A label to HubSpot and a primary role to Salesforce: should one of them fail, it is still to be done."""
    there, here = plan([role("User")], {100})
    assert (there.to, here.to) == (HS, SF) or (there.to, here.to) == (SF, HS)
    assert {one.to: one.edits for one in (there, here)} == {HS: {}, SF: {"00K1": role("User", primary=True)}}
    settled = {one.to: one.settles for one in (there, here)}
    assert settled[HS] == Base({"Role": "User"}, {"labels": "User"})
    assert settled[SF] == Base({"IsPrimary": True}, {"primary label": True})


def test_R4_several_roles_of_one_contact_are_several_labels():
    """And several roles may share one."""
    (action,) = plan([role("Decision Maker"), role("User"), role("Economic Buyer")], set())
    assert changes(action)["labels"] == (None, "Decider; User")


def test_R4_equal_in_meaning_is_agreed_without_a_write():
    """Whatever was agreed before, if anything."""
    (action,) = plan([role("Economic Buyer")], {101}, agreement(Base()))
    assert (action.to, action.changes) == (None, ())
    assert action.settles == base_of([role("Economic Buyer")], {101})


def test_R4_a_role_renamed_within_one_label_changes_nothing_in_hubspot():
    """Only what is agreed moves."""
    before = agreement(base_of([role("Decision Maker")], {101}))
    (action,) = plan([role("Economic Buyer")], {101}, before)
    assert action.to is None


def test_R4_what_has_no_label_says_nothing():
    """Neither a role that the table lacks nor a label that is somebody's own."""
    assert plan([role("Influencer")], {109}) == []


def test_R4_a_role_whose_name_has_no_label_keeps_it():
    """The label finds no role to name; it is agreed to be in HubSpot alone, and asked about no more."""
    (action,) = plan([role("Influencer")], {103})
    assert (action.to, action.edits) == (None, {})
    assert plan([role("Influencer")], {103}, after(action)) == []


def test_R4_a_label_that_is_replaced_renames_its_role():
    """A role that kept its label stays as it is, by whichever name."""
    here, before = [role("Economic Buyer"), role("User")], {101, 103}
    (action,) = plan(here, {101}, agreement(base_of(here, before)))
    assert action.edits == {"00K2": role(None)}
    (action,) = plan([role("User")], {101}, agreement(base_of([role("User")], {103})))
    assert action.edits == {"00K1": role("Decision Maker")}


def test_R4_more_labels_than_roles_are_carried_as_far_as_there_are_roles():
    """No role is made for a label."""
    (action,) = plan([role()], {101, 103})
    assert len(action.edits) == 1
    assert plan([*action.edits.values()], {101, 103}, after(action)) == []


def test_R4_a_label_that_stayed_in_hubspot_names_the_next_role_without_a_name():
    """Nothing else moved since; the roles that have names keep them, and one under another name takes none."""
    agreed = agreement(base_of([role("Decision Maker")], {101, 103}))
    assert plan([role("Decision Maker"), role("Friend")], {101, 103}, agreed) == []
    (action,) = plan([role("Decision Maker"), role()], {101, 103}, agreed)
    assert (action.to, action.edits) == (SF, {"00K2": role("User")})
    assert action.settles == Base({"Role": "Decision Maker; User"}, {"labels": "Decider; User"})
    assert not any(change.conflict for change in action.changes)
    assert plan([role("Decision Maker"), role("User")], {101, 103}, after(action, agreed.base)) == []


def test_R4_F2_a_label_that_stayed_in_hubspot_makes_no_conflict_of_an_edit_in_salesforce():
    """Only Salesforce moved: the label was agreed on, and HubSpot, which always wins, takes back what was typed."""
    agreed = agreement(base_of([role("Decision Maker")], {101, 103}))
    naming = replace(NAMING, rules=replace(RULES, rule=Rule.ALWAYS_HUBSPOT))
    (action,) = plan([role("Evaluator"), role()], {101, 103}, agreed, naming)
    assert action.to is SF
    assert [change.conflict for change in action.changes] == [False]


def test_R4_labels_that_hubspot_has_beyond_the_roles_stay_where_nothing_was_agreed_on():
    """As with an empty store (law 6): they name what has no name, or are agreed to stay; other ones are no more."""
    unknown = agreement(Base())
    (action,) = plan([role("Decision Maker")], {101, 103}, unknown)
    assert (action.to, action.changes) == (None, ())
    assert (action.settles.salesforce["Role"], action.settles.hubspot["labels"]) == (
        "Decision Maker",
        "Decider; User",
    )
    assert plan([role("Decision Maker")], {101, 103}, after(action)) == []
    (named, _) = sorted(plan([role("Decision Maker"), role()], {101, 103}, unknown), key=lambda one: one.to is None)
    assert (named.to, named.edits) == (SF, {"00K2": role("User")})
    (other, _) = sorted(plan([role("User")], {101}, unknown), key=lambda one: one.to is None)
    assert (other.to, other.changes[0].new) == (HS, "User")
    assert [one.to for one in plan([role("Decision Maker")], {101}, unknown)] == [None]
    of_primary = agreement(Base({"IsPrimary": True}, {"primary label": True}))
    ends = [
        one.changes[0].field for one in plan([role("Decision Maker")], {100, 101, 103}, of_primary) if one.to is HS
    ]
    assert ends == ["primary label"], "what was agreed on of the primary role is known all the same"


def test_R4_what_is_left_over_of_labels_is_what_no_role_carries():
    """By what the mapping says of the names now; the primary label and what Salesforce had are as they were."""
    base = Base(
        {"Role": "Decision Maker; Friend", "IsPrimary": True}, {"labels": "Decider; User", "primary label": True}
    )
    left = NAMING.without_left_over(base)
    assert left == Base(base.salesforce, {"labels": "Decider", "primary label": True})
    assert NAMING.without_left_over(left) == left
    blank = Base({"Role": "User"}, {"labels": None})
    assert NAMING.without_left_over(blank) == blank


@pytest.mark.parametrize("rule", [Rule.ALWAYS_SALESFORCE, Rule.PREFER_SALESFORCE_UNLESS_BLANK])
def test_R4_a_label_that_stayed_in_hubspot_stays_where_the_rule_lets_no_label_name_a_role(rule):
    """It was agreed under another rule; a further role without a name takes nothing away either (T4)."""
    agreed = agreement(base_of([role("Decision Maker")], {101, 103}))
    one_way = Naming(replace(RULES, rule=rule), TYPES)
    assert plan([role("Decision Maker"), role()], {101, 103}, agreed, one_way) == []


def test_R4_a_primary_label_that_is_taken_away_makes_the_role_an_ordinary_one():
    """Of several roles, whichever is primary; one that is primary already stays the one."""
    here = [role(), role(primary=True)]
    (action,) = plan(here, set(), agreement(base_of(here, {100})))
    assert action.edits == {"00K2": role()}
    assert NAMING.assign({"a": role(), "b": role(primary=True)}, {"Role": None, "IsPrimary": True}) == {}


@pytest.mark.parametrize(
    ("rule", "to", "conflict"),
    [
        (Rule.TWO_WAY, HS, True),
        (Rule.ALWAYS_SALESFORCE, HS, True),
        (Rule.ALWAYS_HUBSPOT, SF, True),
        (Rule.PREFER_SALESFORCE_UNLESS_BLANK, HS, True),
    ],
)
def test_R4_F2_the_mappings_rule_names_the_winner(rule, to, conflict):
    """Changed apart on both sides; HubSpot tells no time of a label, so two ways Salesforce wins."""
    naming = replace(NAMING, rules=replace(RULES, rule=rule))
    (action,) = plan([role("User")], {101}, None, naming)
    assert (action.to, action.changes[0].conflict) == (to, conflict)
    assert "F2" in action.changes[0].cause


def test_R4_hold_and_dont_sync_write_nothing():
    """A held conflict is a problem of the opportunity."""
    held = replace(NAMING, rules=replace(RULES, rule=Rule.HOLD))
    (problem,) = plan([role("User")], {101}, None, held)
    assert isinstance(problem, Problem)
    assert (problem.record_id, problem.field) == ("006A", "contacts")
    assert plan([role("User")], {101}, None, replace(NAMING, rules=replace(RULES, rule=Rule.DONT_SYNC))) == []


def test_R4_labels_that_the_portal_lacks_are_left_out():
    """Their roles have no label then."""
    few = Naming(RULES, {"User": 103})
    (action,) = plan([role("Decision Maker", primary=True), role("User")], set(), None, few)
    assert changes(action) == {"labels": (None, "User")}
    assert few.own_types() == {103}


def test_R4_a_contact_that_one_side_does_not_show_is_not_named():
    """Nor one whose labels or roles were not read, or whose link leads elsewhere."""
    unread = Roles(PAIR, {"003A": {"00K1": role("User")}}, {"5": None}, [agreement()])
    assert plan_names(unread, NAMING, None) == []
    assert plan([role("User")], None) == []
    assert plan([role("User", primary=None)], set()) == []
    elsewhere = Agreement(ANN, {SF: ("006A", "003A"), HS: ("11", "4")})
    assert plan([role("User")], set(), elsewhere) == []


def test_R4_labels_are_written_as_a_set():
    """The type ids of all that an association is to have, of those that are ours."""
    assert NAMING.types_for({"labels": "Decider; User", "primary label": True}) == {100, 101, 103}
    assert NAMING.types_for({"labels": None, "primary label": None}) == frozenset()
    assert NAMING.own_types() == {100, 101, 103}


def test_R4_what_is_not_in_the_table_says_nothing_either_way():
    """Neither makes a difference, nor is it carried; a blank is a blank."""
    names = RoleNames(RULES.labels)
    assert (
        names.meaning(SF, ("Influencer; User",))
        == names.meaning(SF, ("User",))
        != names.meaning(SF, ("Influencer",))
    )
    assert names.meaning(HS, ("Somebody's own; User",)) == names.meaning(HS, ("User",))
    assert names.carry(SF, ("Somebody's own; User",), None) == ("User",)
    assert names.carry(HS, ("Influencer; User",), None) == ("User",)
    assert names.carry(HS, (None,), None) == names.carry(SF, (None,), None) == (None,)


def test_R4_not_primary_is_blank():
    """However it is said."""
    assert Flag().meaning(SF, (False,)) == Flag().meaning(HS, (None,)) != Flag().meaning(SF, (True,))
    assert Flag().carry(HS, (False,), None) == (None,)


def test_R4_of_several_roles_the_first_is_made_primary():
    """One of them, and always the same one."""
    values = {"Role": None, "IsPrimary": True}
    assert NAMING.assign({"b": role(), "a": role(), "c": role()}, values) == {"a": role(primary=True)}


def test_R4_each_contact_is_named_for_itself():
    """In one order, whatever became of the others: gone from a side, on the way out, or not read."""
    people = [link(f"003{number}", number, pair="contact-contact", id_=int(number)) for number in "123456"]
    agreed = [
        Agreement(one, {SF: ("006A", one.salesforce_id), HS: ("11", one.hubspot_id)}, BLANK)
        for one in reversed(people)
    ]
    here = {one.salesforce_id: {"00K" + one.hubspot_id: role("User")} for one in people}
    here.pop("0032")
    here["0033"]["00K0"] = role(primary=None)
    there = {one.hubspot_id: frozenset() for one in people}
    there.pop("4")
    found = plan_names(Roles(PAIR, here, there, agreed, frozenset({(HS, "5")})), NAMING, None)
    assert [one.contact.id for one in found] == [1, 6]


NAMES = st.sets(st.sampled_from([*RULES.labels, "Influencer"])).map(lambda some: "; ".join(sorted(some)) or None)


@given(NAMES)
def test_R4_the_conversion_obeys_the_laws_of_transforms(names):
    """There, back and there again is as there once."""
    transform = RoleNames(RULES.labels)
    there = transform.carry(HS, (names,), None)
    assert transform.carry(HS, transform.carry(SF, there, None), None) == there


ROLES = st.lists(st.builds(role, st.sampled_from([None, "Influencer", *RULES.labels]), st.booleans()), min_size=1)
LABELS = st.sets(st.sampled_from([100, 101, 103, 109]))


@given(ROLES, LABELS, ROLES, LABELS, st.sampled_from(list(Rule)))
def test_R4_once_carried_out_a_plan_has_nothing_left_to_do(here, there, before_here, before_there, rule):
    """Law 1, whatever was agreed and whatever rule holds."""
    naming = replace(NAMING, rules=replace(RULES, rule=rule))
    base, types = base_of(before_here, before_there), frozenset(there)
    for action in plan(here, types, agreement(base), naming):
        if not isinstance(action, RoleNaming):
            continue
        if action.to is SF:
            here = [action.edits.get(f"00K{number}", one) for number, one in enumerate(here, 1)]
        if action.to is HS:
            values = {**action.seen, **{change.field: change.new for change in action.changes}}
            types = (types - naming.own_types()) | naming.types_for(values)
        base = base.merged(action.settles)
    left = [one for one in plan(here, types, agreement(base), naming) if isinstance(one, RoleNaming)]
    assert left == []
