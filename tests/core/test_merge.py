"""The three-way merge of one field, cell by cell and by its laws (F)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, NOTHING, SF, Known, OnTargetEdit, Rule, rule
from hypothesis import given
from hypothesis import strategies as st

from connector.core.merge import (
    Agree,
    Blocked,
    Edited,
    Evidence,
    Hold,
    Keep,
    Write,
    describe_edits,
    find_newer,
    is_blank,
    is_contested,
    is_same,
    merge_field,
    was_left,
)
from connector.core.model import Base, Cannot, Link, LinkState, Pair, Presence, Record
from connector.core.plan import Situation, find_contested, last_changes
from connector.mapping.transforms import Email, Number, Owner, Picklist

OLD, HERE, THERE = "old", "here", "there"
BASE = Base({"Name": OLD}, {"name": OLD})
UNMET = Base()


def decide(field_rule, here, there, base=BASE, newer=SF, known=NOTHING):
    return merge_field(field_rule, {"Name": here}, {"name": there}, base, newer, known)


def to_hs(value, why="F1", *, conflict=False):
    return Write(HS, (value,), why, conflict)


def to_sf(value, why="F1", *, conflict=False):
    return Write(SF, (value,), why, conflict)


PREFER, ALWAYS_SF, ALWAYS_HS = Rule.PREFER_SALESFORCE_UNLESS_BLANK, Rule.ALWAYS_SALESFORCE, Rule.ALWAYS_HUBSPOT
TWO_WAY, HOLD, DONT = Rule.TWO_WAY, Rule.HOLD, Rule.DONT_SYNC

# What each rule decides where the two sides held OLD when they last agreed; Salesforce was edited last.
TABLE = {
    # rule: Salesforce moved, HubSpot moved, both moved, Salesforce cleared, HubSpot cleared, cleared + moved,
    #       moved + cleared
    PREFER: (
        to_hs(HERE),
        to_hs(OLD, "F6"),
        to_hs(HERE, "F2", conflict=True),
        to_hs(None),
        to_hs(OLD, "F6"),
        to_sf(THERE, "F2", conflict=True),
        to_hs(HERE, "F2", conflict=True),
    ),
    ALWAYS_SF: (
        to_hs(HERE),
        to_hs(OLD, "F6"),
        to_hs(HERE, "F2", conflict=True),
        to_hs(None),
        to_hs(OLD, "F6"),
        to_hs(None, "F2", conflict=True),
        to_hs(HERE, "F2", conflict=True),
    ),
    ALWAYS_HS: (
        to_sf(OLD, "F6"),
        to_sf(THERE),
        to_sf(THERE, "F2", conflict=True),
        to_sf(OLD, "F6"),
        to_sf(None),
        to_sf(THERE, "F2", conflict=True),
        to_sf(None, "F2", conflict=True),
    ),
    TWO_WAY: (
        to_hs(HERE),
        to_sf(THERE),
        to_hs(HERE, "F2", conflict=True),
        to_hs(None),
        to_sf(None),
        to_hs(None, "F2", conflict=True),
        to_hs(HERE, "F2", conflict=True),
    ),
    HOLD: (to_hs(HERE), to_sf(THERE), Hold(), to_hs(None), to_sf(None), Hold(), Hold()),
    DONT: (Keep(),) * 7,
}
MOVES = {
    "salesforce moved": (HERE, OLD),
    "hubspot moved": (OLD, THERE),
    "both moved": (HERE, THERE),
    "salesforce cleared": (None, OLD),
    "hubspot cleared": (OLD, None),
    "salesforce cleared, hubspot moved": (None, THERE),
    "salesforce moved, hubspot cleared": (HERE, None),
}
CELLS = [
    pytest.param(who, here, there, verdict, id=f"{who}: {name}")
    for who, verdicts in TABLE.items()
    for (name, (here, there)), verdict in zip(MOVES.items(), verdicts, strict=True)
]


@pytest.mark.parametrize(("who", "here", "there", "verdict"), CELLS)
def test_F1_F2_F6_the_rule_decides_by_who_moved(who, here, there, verdict):
    """Every cell of the table: who moved since the base, and whose value travels."""
    assert decide(rule(who=who), here, there) == verdict


@pytest.mark.parametrize("who", [one for one in Rule if one is not DONT])
def test_F1_unequal_but_unmoved_is_left_alone(who):
    """A difference that was there at the last agreement is nobody's edit."""
    assert decide(rule(who=who), HERE, THERE, Base({"Name": HERE}, {"name": THERE})) == Keep()


@pytest.mark.parametrize("who", [one for one in Rule if one is not DONT])
def test_F2_both_moved_to_one_meaning_is_adopted_without_a_write(who):
    """Two people who enter the same thing agree, also if one of them left a blank at the end."""
    assert decide(rule(who=who), "new", "new ") == Agree()


@pytest.mark.parametrize("who", [one for one in Rule if one is not DONT])
def test_equal_to_the_base_on_both_sides_is_rest(who):
    """Nothing moved: nothing to do, not even to the base."""
    assert decide(rule(who=who), OLD, OLD) == Keep()


FIRST = {
    # rule: both filled (Salesforce newer), only Salesforce filled, only HubSpot filled
    PREFER: (to_hs(HERE), to_hs(HERE), to_sf(THERE)),
    ALWAYS_SF: (to_hs(HERE), to_hs(HERE), to_hs(None)),
    ALWAYS_HS: (to_sf(THERE), to_sf(None), to_sf(THERE)),
    TWO_WAY: (to_hs(HERE), to_hs(HERE), to_sf(THERE)),
    HOLD: (Hold(), to_hs(HERE), to_sf(THERE)),
    DONT: (Keep(), Keep(), Keep()),
}


@pytest.mark.parametrize("newer", [SF, HS])
@pytest.mark.parametrize("who", list(Rule))
def test_first_meeting_goes_by_the_rule_and_blank_never_beats_filled_two_ways(who, newer):
    """Without a base nobody edited anything; so there is a winner, but no conflict."""
    both, only_here, only_there = FIRST[who]
    if who is TWO_WAY and newer is HS:
        both = to_sf(THERE)
    assert decide(rule(who=who), HERE, THERE, UNMET, newer) == both
    assert decide(rule(who=who), HERE, None, UNMET, newer) == only_here
    assert decide(rule(who=who), "", THERE, UNMET, newer) == only_there


@pytest.mark.parametrize("base", [Base({"Name": OLD}), Base({}, {"name": OLD})], ids=["salesforce", "hubspot"])
def test_a_base_of_one_side_only_is_a_first_meeting(base):
    """A field that came into the mapping on one side later has no agreement to compare with."""
    assert decide(rule(), OLD, None, base, newer=HS) == to_hs(OLD)
    assert decide(rule(), None, OLD, base, newer=SF) == to_sf(OLD)


def test_first_meeting_of_equals_agrees():
    """What is equal already is adopted, so that a lost store costs no write (law 6)."""
    assert decide(rule(), "Acme", "Acme", UNMET) == Agree()
    assert decide(rule(), None, "", UNMET) == Agree()


@pytest.mark.parametrize(("who", "source"), [(ALWAYS_SF, SF), (PREFER, SF), (ALWAYS_HS, HS)])
def test_F6_leave_lets_an_edit_of_the_target_stand(who, source):
    """With `on_target_edit: leave` the target's edit stays until the source moves again."""
    lenient = rule(who=who, on_target_edit=OnTargetEdit.LEAVE)
    edit = (OLD, "edited") if source is SF else ("edited", OLD)
    both = ("new", "edited") if source is SF else ("edited", "new")
    assert decide(lenient, *edit) == Keep()
    assert decide(lenient, *both) == Write(source.other, ("new",), "F2", conflict=True)


@pytest.mark.parametrize("on_target_edit", list(OnTargetEdit))
def test_F6_an_empty_salesforce_field_takes_the_edit_of_hubspot(on_target_edit):
    """`prefer_salesforce_unless_blank` is one-way only while the Salesforce field is filled."""
    base = Base({"Name": None}, {"name": None})
    filling = rule(who=PREFER, on_target_edit=on_target_edit)
    assert decide(filling, " ", THERE, base) == to_sf(THERE)


def test_F2_the_newer_side_wins_a_two_way_conflict_and_the_loser_is_flagged():
    """The write that overwrites somebody's edit says so, for the journal."""
    assert decide(rule(), HERE, THERE, newer=SF) == to_hs(HERE, "F2", conflict=True)
    assert decide(rule(), HERE, THERE, newer=HS) == to_sf(THERE, "F2", conflict=True)


@pytest.mark.parametrize(
    ("here", "there", "newer"),
    [("09:00", "09:01", HS), ("09:01", "09:00", SF), ("09:00", "09:00", SF)],
)
def test_F2_the_side_edited_last_is_the_newer_one(here, there, newer):
    """Salesforce, if both were at once; the journal tells both times, and how they are known."""
    edits = {SF: Edited(here, Evidence.FIELD_HISTORY), HS: Edited(there, Evidence.PROPERTY_HISTORY)}
    assert find_newer(edits) is newer
    told = {
        SF: f"salesforce at {here} by the field's history",
        HS: f"hubspot at {there} by the property's history",
    }
    assert describe_edits(edits) == f"edited later: {told[newer]}, {told[newer.other]}"


@pytest.mark.parametrize(
    ("undone", "told"),
    [
        (SF, "edited later: hubspot at 09:01 by the property's history, salesforce before, which an undo put back"),
        (HS, "edited later: hubspot before, which an undo put back, salesforce at 09:00 by the field's history"),
    ],
)
def test_X2_of_a_value_that_an_undo_put_back_nobody_is_told_to_have_typed_it(undone, told):
    """Its time is that of the undo, which would explain nothing."""
    edits = {SF: Edited("09:00", Evidence.FIELD_HISTORY), HS: Edited("09:01", Evidence.PROPERTY_HISTORY)}
    edits[undone] = Edited(edits[undone].at, Evidence.UNDO)
    assert describe_edits(edits) == told


@pytest.mark.parametrize(
    ("who", "here", "there", "base", "contested"),
    [
        pytest.param(TWO_WAY, HERE, THERE, BASE, True, id="both moved apart"),
        pytest.param(TWO_WAY, None, THERE, BASE, True, id="cleared and moved"),
        pytest.param(TWO_WAY, "new", "new ", BASE, False, id="both moved to one meaning"),
        pytest.param(TWO_WAY, HERE, OLD, BASE, False, id="one moved"),
        pytest.param(TWO_WAY, HERE, THERE, UNMET, False, id="first meeting"),
        pytest.param(HOLD, HERE, THERE, BASE, False, id="held"),
        pytest.param(ALWAYS_SF, HERE, THERE, BASE, False, id="one way"),
    ],
)
def test_F2_when_it_matters_which_side_was_edited_last(who, here, there, base, contested):
    """Only in a true conflict of a two-way field; so only then the histories are asked for."""
    assert is_contested(rule(who=who), {"Name": here}, {"name": there}, base, NOTHING) is contested


@pytest.mark.parametrize("missing", ["Name", "name"])
def test_F2_a_field_that_was_not_observed_is_not_contested(missing):
    """Nothing is known of it."""
    here, there = {"Name": HERE}, {"name": THERE}
    here.pop(missing, None)
    there.pop(missing, None)
    assert not is_contested(rule(), here, there, BASE, NOTHING)


@pytest.mark.parametrize("missing", ["Name", "name"])
def test_a_field_that_was_not_observed_is_not_decided(missing):
    """Silence about a field is not a blank (law 5)."""
    here, there = {"Name": HERE}, {"name": THERE}
    here.pop(missing, None)
    there.pop(missing, None)
    assert merge_field(rule(), here, there, BASE, SF, NOTHING) == Keep()


def test_F4_a_winner_without_counterpart_is_blocked_not_guessed():
    """The verdict carries the transform's reason, and the side that could not take it."""
    mapped = rule(transform=Picklist.from_map({"A": "a", "B": "b"}))
    base = Base({"Name": "A"}, {"name": "a"})
    verdict = decide(mapped, "C", "a", base)
    assert isinstance(verdict, Blocked)
    assert verdict.to is HS
    assert "'C'" in verdict.cannot.reason


def test_F4_values_that_share_a_counterpart_are_one_meaning_there():
    """An edit that the other side cannot tell apart settles without a write."""
    mapped = rule(transform=Picklist.from_map({"A": "a", "A2": "a"}))
    assert decide(mapped, "A2", "a", Base({"Name": "A"}, {"name": "a"})) == Agree()


LEFT = Base({"Name": HERE}, {"name": THERE})


@pytest.mark.parametrize(("here", "there", "base", "left"), [
    (HERE, THERE, UNMET, True),  # never carried
    (HERE, THERE, LEFT, True),  # left when it came to be mapped
    (HERE, HERE, LEFT, False),  # equal
    (HERE, HERE, UNMET, False),  # equal, though they never met
    (OLD, THERE, LEFT, False),  # Salesforce was edited since
    (HERE, OLD, LEFT, False),  # HubSpot was
])  # fmt: skip
def test_T4_what_was_left_is_what_differs_though_nobody_edited_it(here, there, base, left):
    """What moved is an edit, and no matter of a backfill."""
    assert was_left(rule(), {"Name": here}, {"name": there}, base, NOTHING) is left


@pytest.mark.parametrize("missing", [SF, HS])
def test_T4_a_field_that_was_not_observed_was_not_left(missing):
    """Nothing is known of it."""
    fields = {SF: {"Name": HERE}, HS: {"name": THERE}} | {missing: {}}
    assert not was_left(rule(), fields[SF], fields[HS], UNMET, NOTHING)


@pytest.mark.parametrize(("here", "there", "left"), [
    ("005X", "900", False),  # has no counterpart, and HubSpot has the default
    (None, "900", False),
    ("005X", "901", True),
    ("005A", "900", True),  # has one, which is another
    ("005D", "777", False),  # the same the other way round
    ("005D", None, False),
])  # fmt: skip
def test_A5_a_default_that_stands_for_what_has_no_counterpart_was_not_left(here, there, left):
    """It differs, and is as it should be."""
    defaults = {HS: ("900",), SF: ("005D",)}
    known = Known(owners={(HS, "005A"): "950", (SF, "901"): "005B"})
    owner = rule("OwnerId", "hubspot_owner_id", transform=Owner(), defaults=defaults)
    fields = {"OwnerId": here}, {"hubspot_owner_id": there}
    assert was_left(owner, *fields, UNMET, known) is left


class TwoWaysToSayIt:
    """A transform that writes a value in the way that suits what stands there."""

    def meaning(self, side, values):
        return values

    def carry(self, to, values, known):
        return values

    def fit(self, to, values, onto, known):
        return (f"{values[0]} to {to} over {onto[0]}",)


def test_F5_what_is_written_suits_what_stands_there():
    """On either side."""
    fitting = rule(transform=TwoWaysToSayIt())
    assert decide(fitting, HERE, OLD) == to_hs("here to hubspot over old")
    assert decide(fitting, OLD, THERE) == to_sf("there to salesforce over old")


class NothingFromNothing(TwoWaysToSayIt):
    """A transform that has no counterpart for a blank."""

    def carry(self, to, values, known):
        return Cannot("blank")


def test_F2_two_blanks_are_equal_whatever_a_transform_makes_of_them():
    """There is nothing to carry."""
    assert decide(rule(transform=NothingFromNothing()), None, "", UNMET) == Agree()


def test_one_direction_that_meets_is_enough():
    """A value that only travels back (its way forth is blocked) still counts as equal."""
    known = Known(owners={(SF, "7"): "005A"})
    assert decide(rule(transform=Owner()), "005A", "7", UNMET, known=known) == Agree()


def test_F7_the_spelling_of_a_number_is_no_edit():
    """1054, 1054.0 and "1054.00" are one value; 1055 is another."""
    number = rule(transform=Number())
    base = Base({"Name": 1054}, {"name": "1054"})
    assert decide(number, 1054.0, "1054", base) == Keep()
    assert decide(number, 1054, "1054.00", base) == Agree()
    assert decide(number, 1055, "1054.0", base) == to_hs("1055")


@pytest.mark.parametrize(
    ("values", "blank"),
    [((None,), True), (("",), True), (("  ",), True), ((None, ""), True), ((0,), False), ((False,), False)],
)
def test_blank_means_nothing_was_entered(values, blank):
    """Zero and false are values."""
    assert is_blank(values) is blank


def test_blank_needs_all_parts():
    """A pair of fields is blank only if both are."""
    assert not is_blank((None, "x"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a", "a", True), ("a", "b", False), (None, "", True), (None, None, True), (None, "a", False),
        (5, "5", True), (5.0, 5, True), (True, "True", True), (None, "None", False),
        (0, None, False), (0, "", False), (0, "0", True), (False, None, False), (False, "", False),
    ],
)  # fmt: skip
def test_a_side_that_shows_the_same_twice(one, other, same):
    """A number that was written as text comes back as text; blank is blank, and zero and false are not."""
    assert is_same(one, other) is same
    assert is_same(other, one) is same


LIVE = Situation(
    Link(1, "p", "006A", "1", LinkState.LINKED, SF, BASE),
    Record(SF, "Opportunity", "006A", "", {"Name": HERE}, modified="09:00"),
    Record(HS, "deals", "1", "", {"name": THERE}, modified="09:01"),
)


@pytest.mark.parametrize(
    ("changed", "contested"),
    [
        ({}, True),
        ({"stopped": True}, False),
        ({"salesforce": None}, False),
        ({"hubspot": None}, False),
        ({"salesforce": replace(LIVE.salesforce, presence=Presence.DELETED)}, False),
        ({"hubspot": replace(LIVE.hubspot, presence=Presence.DELETED)}, False),
        ({"hubspot": replace(LIVE.hubspot, fields={"name": OLD})}, False),
    ],
    ids=["live", "stopped", "Salesforce not seen", "HubSpot not seen", "deleted", "archived", "one moved"],
)
def test_F2_only_pairs_that_are_merged_have_contested_fields(changed, contested):
    """What is not written anyway needs no history; nor does what is only watched, such as a currency (O7)."""
    watched = rule("Name", "name", at_creation_only=True)
    pair = Pair("p", "Opportunity", "deals", (rule(), watched), frozenset())
    found = find_contested(pair, replace(LIVE, **changed), NOTHING)
    assert found == ([pair.fields[0]] if contested else [])


def test_F2_without_a_history_the_records_last_change_counts():
    """The weaker evidence, and it is told as such."""
    assert last_changes(LIVE.salesforce, LIVE.hubspot) == {
        SF: Edited("09:00", Evidence.RECORD),
        HS: Edited("09:01", Evidence.RECORD),
    }


# --- laws -------------------------------------------------------------------------------------------------

texts = st.one_of(st.none(), st.sampled_from(["", " ", "a", "A", "a ", "b"]))
bases = st.one_of(
    st.just(UNMET),
    st.builds(lambda here, there: Base({"Name": here}, {"name": there}), texts, texts),
)
rules = st.builds(
    lambda who, leave, transform: rule(who=who, on_target_edit=leave, transform=transform),
    st.sampled_from(list(Rule)),
    st.sampled_from(list(OnTargetEdit)),
    st.sampled_from([None, Email()]),
)
sides = st.sampled_from([SF, HS])


def same(one, other):
    """Whether two texts mean the same, said without the code under test."""
    return (one or "").strip() == (other or "").strip()


def apply(verdict, here, there, base):
    """The world after a verdict was carried out, and the base that settles it."""
    if isinstance(verdict, Write):
        (value,) = verdict.values
        here, there = (value, there) if verdict.to is SF else (here, value)
    if isinstance(verdict, Write | Agree):
        base = Base({"Name": here}, {"name": there})
    return here, there, base


@given(rules, texts, texts, bases, sides, sides)
def test_merging_settles(one, here, there, base, newer, then_newer):
    """After a verdict is carried out the next merge has nothing to do; a held conflict stays held (law 1)."""
    verdict = decide(one, here, there, base, newer)
    again = decide(one, *apply(verdict, here, there, base), newer=then_newer)
    assert again == (Hold() if verdict == Hold() else Keep())


@given(rules, texts, texts, bases, sides)
def test_no_write_of_a_value_that_is_already_there(one, here, there, base, newer):
    """A write always changes the meaning of its target (law 3)."""
    verdict = decide(one, here, there, base, newer)
    if isinstance(verdict, Write):
        assert not same(verdict.values[0], here if verdict.to is SF else there)


@given(rules, texts, texts, bases, sides)
def test_no_write_without_an_edit(one, here, there, base, newer):
    """If both sides hold what they held at the last agreement, nothing is written (law 3)."""
    settled = Base({"Name": here}, {"name": there})
    assert decide(one, here, there, settled, newer) == Keep()
    verdict = decide(one, here, there, base, newer)
    if base and isinstance(verdict, Write):
        assert not (same(here, base.salesforce["Name"]) and same(there, base.hubspot["name"]))


@given(texts, texts, bases, sides)
def test_one_way_targets_end_equal_to_their_source(here, there, base, newer):
    """Whatever was edited, the target follows, unless nothing moved since they agreed to differ (law 2)."""
    for who, source in ((ALWAYS_SF, here), (ALWAYS_HS, there)):
        verdict = decide(rule(who=who), here, there, base, newer)
        end_here, end_there, _ = apply(verdict, here, there, base)
        unmoved = base and same(here, base.salesforce["Name"]) and same(there, base.hubspot["name"])
        if unmoved and not same(here, there):
            assert verdict == Keep()
        else:
            assert same(end_here, end_there)
            assert same(end_here, source)


@given(texts, texts, texts, sides)
def test_two_way_conflicts_go_to_the_newer_side_and_flag_the_loser(old, here, there, newer):
    """F2: only where both moved apart is there a conflict, and then always."""
    base = Base({"Name": old}, {"name": old})
    verdict = decide(rule(), here, there, base, newer)
    apart = not same(here, there) and not same(here, old) and not same(there, old)
    if apart:
        winner = here if newer is SF else there
        assert isinstance(verdict, Write)
        assert verdict.to is newer.other
        assert verdict.conflict
        assert same(verdict.values[0], winner)
    elif isinstance(verdict, Write):
        assert not verdict.conflict


@given(texts, texts, bases, sides)
def test_dont_sync_never_does_anything(here, there, base, newer):
    """Never, in neither direction."""
    assert decide(rule(who=DONT), here, there, base, newer) == Keep()


@given(rules, texts, texts, bases)
def test_contested_is_what_goes_either_way(one, here, there, base):
    """A field is contested if and only if its conflict ends otherwise when the other side is the newer one."""
    verdicts = [decide(one, here, there, base, side) for side in (SF, HS)]
    conflict = isinstance(verdicts[0], Write) and verdicts[0].conflict
    contested = is_contested(one, {"Name": here}, {"name": there}, base, NOTHING)
    assert contested == (conflict and verdicts[0] != verdicts[1])


@given(texts, texts, texts, st.sampled_from([TWO_WAY, HOLD]))
def test_two_way_rules_treat_both_sides_alike(old, here, there, who):
    """Swapping the sides (and which is newer) swaps the verdict."""
    one = decide(rule(who=who), here, there, Base({"Name": old}, {"name": old}), SF)
    mirrored = decide(rule(who=who), there, here, Base({"Name": old}, {"name": old}), HS)
    if isinstance(one, Write):
        one = Write(one.to.other, one.values, one.why, one.conflict)
    assert one == mirrored
