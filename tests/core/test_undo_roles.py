"""How the contacts of deals, and contact roles, go back, by what the run did and what both CRMs show now (X2)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, SF
from core.undoing import CAUSE, entry, now, seen, undo

from connector.core.inverse import Left, RoleBack
from connector.core.model import Change, ContactRole, Presence

ROLE = "OpportunityContactRole"
ADDED = entry("connect", contact=(None, "5"))
ADDED_ROLE = entry("connect", ROLE, "006A", made="00K1", contact=(None, "003A"))
NAMED = entry("name", contact=("5", "5"), labels=(None, "Decider"))
NAMED_ROLE = entry("name", ROLE, "00K1", contact=("003A", "003A"), Role=(None, "Evaluator"))
RENAMED = "was given another name since"


def backs(**values):
    """Changes that undo something, each as (now, before)."""
    return tuple(Change(name.replace("_", " "), old, new, "X2", CAUSE) for name, (old, new) in values.items())


def part(**values):
    return RoleBack("part", HS, "1", "5", 7, backs(contact=("5", None), **values))


def part_role(id_="00K1", **values):
    return RoleBack("part", SF, "006A", "003A", 7, backs(contact=("003A", None), **values), id_)


def left(side, record, name, wrote, shown, why):
    return Left(side, "deals" if side is HS else ROLE, record, name, wrote, shown, why, link_id=7)


def check(inverse, *, roles=(), lefts=()):
    """Nothing else is planned, and nothing else is told."""
    assert inverse.roles == list(roles)
    assert inverse.left == list(lefts)


# --- contacts that were added -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "types", "labels", "goes"),
    [
        ([ADDED], set(), {}, part()),
        ([ADDED], {3}, {"labels": "Decider"}, None),
        # with labels by their types: so an undo adds a contact that is taken off by its own undo
        ([replace(ADDED, changes=(*ADDED.changes, Change("labels", None, "3; 4; 10", "X2", "")))],
         {10, 4, 3}, {"labels": "Decider"}, part(labels=("3; 4; 10", None))),
        ([replace(ADDED, changes=(*ADDED.changes, Change("labels", None, "3", "X2", "")))], set(), {}, None),
        # named afterwards, once or more
        ([ADDED, NAMED], {3}, {"labels": "Decider"}, part(labels=("3", None))),
        ([ADDED, NAMED], {4}, {"labels": "Other"}, None),
        ([ADDED, NAMED], set(), {}, None),
        ([ADDED, NAMED, entry("name", contact=("5", "5"), labels=("Decider", "Buyer"))],
         {4}, {"labels": "Buyer"}, part(labels=("4", None))),
        ([ADDED, entry("name", contact=("5", "5"), labels=(None, "Decider"), primary_label=(None, True))],
         {3}, {"labels": "Decider", "primary label": None}, None),
        # what others were named is another matter
        ([ADDED, entry("name", contact=("6", "6"), labels=(None, "Decider"))], {3}, {"labels": "Decider"}, None),
        ([ADDED, entry("name", id_="2", contact=("5", "5"), labels=(None, "User"))], set(), {}, part()),
    ],
)  # fmt: skip
def test_X2_a_contact_that_was_added_goes_as_it_was_added(entries, types, labels, goes):
    """With the labels that the run gave it, or none; whoever has others by now stays."""
    known = now(seen(), contacts={"1": {"5": frozenset(types)}}, labelled={("1", "5"): labels})
    inverse = undo(*entries, now=known)
    assert [one for one in inverse.roles if one.verb == "part"] == ([goes] if goes else [])
    stays = [] if goes else [left(HS, "1", "contact", "5", "5", RENAMED)]
    assert [one for one in inverse.left if one.field == "contact"] == stays


@pytest.mark.parametrize("contacts", [{}, {"1": {}}, {"1": {"6": frozenset()}}, {"2": {"5": frozenset()}}])
def test_X2_a_contact_that_was_added_and_is_gone_needs_nothing(contacts):
    """Somebody was faster."""
    gone = RoleBack("part", HS, "1", "5", 7, (), needed=False)
    check(undo(ADDED, now=now(seen(), contacts=contacts)), roles=[gone])


ANN = ContactRole("006A", "003A")
LOST = "whether this run made the role is not known: its answer was lost"


@pytest.mark.parametrize(
    ("named", "role", "goes"),
    [
        ([], ANN, part_role()),
        ([], ANN._replace(primary=None), part_role()),
        ([], ANN._replace(name="Evaluator"), None),
        ([], ANN._replace(primary=True), None),
        ([NAMED_ROLE], ANN._replace(name="Evaluator"), part_role(Role=("Evaluator", None))),
        ([NAMED_ROLE], ANN, None),
        ([NAMED_ROLE], ANN._replace(name="Evaluator", primary=True), None),
        ([entry("name", ROLE, "00K1", IsPrimary=(False, True))], ANN._replace(primary=True),
         part_role(IsPrimary=(True, None))),
        ([replace(NAMED_ROLE, record_id="00K2")], ANN._replace(name="Evaluator"), None),
    ],
)  # fmt: skip
def test_X2_a_role_goes_as_it_was_made(named, role, goes):
    """By its own id, with the names that the run gave it; one that has others by now stays."""
    inverse = undo(ADDED_ROLE, *named, now=now(seen("Opportunity", "006A"), roles={"00K1": role}))
    assert [one for one in inverse.roles if one.verb == "part"] == ([goes] if goes else [])
    stays = [] if goes else [left(SF, "00K1", "contact", "003A", "003A", RENAMED)]
    assert [one for one in inverse.left if one.field == "contact"] == stays


def test_X2_a_role_that_was_made_with_its_names_goes_with_them():
    """So an undo makes one that it had removed."""
    made = entry("connect", ROLE, "006A", made="00K1", contact=(None, "003A"), Role=(None, "User"),
                 IsPrimary=(None, True))  # fmt: skip
    known = now(roles={"00K1": ContactRole("006A", "003A", "User", primary=True)})
    check(undo(made, now=known), roles=[part_role(Role=("User", None), IsPrimary=(True, None))])
    renamed = now(roles={"00K1": ANN})
    check(undo(made, now=renamed), lefts=[left(SF, "00K1", "contact", "003A", "003A", RENAMED)])


@pytest.mark.parametrize(
    ("made", "roles", "gone", "told"),
    [
        ("00K1", {}, True, []),
        ("", {}, True, []),
        ("00K1", {"00K2": ContactRole("006A", "003B"), "00K3": ContactRole("006B", "003A")}, True, []),
        # somebody else has given the contact a role
        ("00K1", {"00K2": ANN}, False, []),
        ("", {"00K2": ANN}, False, [left(SF, "00K2", "contact", "003A", "003A", LOST)]),
        ("", {"00K9": ContactRole("006A", "003B"), "00K2": ANN}, False,
         [left(SF, "00K2", "contact", "003A", "003A", LOST)]),
    ],
)  # fmt: skip
def test_X2_only_a_role_that_the_run_made_goes(made, roles, gone, told):
    """One that is gone needs nothing; one of which nobody knows whether it is the run's stays, and is told."""
    inverse = undo(replace(ADDED_ROLE, made=made), now=now(seen("Opportunity", "006A"), roles=roles))
    nothing = RoleBack("part", SF, "006A", "003A", 7, (), needed=False)
    check(inverse, roles=[nothing] if gone else [], lefts=told)


BORN = entry("create", dealname=(None, "new"))
BORN_THERE = entry("create", "Opportunity", "006A", Name=(None, "new"))
DEALS = [seen(dealname="new"), seen("Opportunity", "006A", Name="new")]
PEOPLE = {
    "contacts": {"1": {"5": frozenset()}},
    "labelled": {("1", "5"): {"labels": "Decider"}},
    "roles": {"00K1": ANN._replace(name="Evaluator")},
}
EDITED = {(HS, "deals", "1"): ("Ada", ""), (SF, "Opportunity", "006A"): ("Ada", "")}


@pytest.mark.parametrize("strangers", [{}, EDITED], ids=["goes", "stays"])
def test_X2_a_deal_that_the_run_created_goes_or_stays_with_its_contacts(strangers):
    """They are neither taken off nor named otherwise, on either side."""
    written = [BORN, BORN_THERE, ADDED, ADDED_ROLE, NAMED, NAMED_ROLE]
    inverse = undo(*written, now=now(*DEALS, **PEOPLE, strangers=strangers))
    assert inverse.roles == []
    assert [one.record_id for one in inverse.left] == (["1", "006A"] if strangers else [])


def test_X2_the_contacts_of_other_deals_go_whatever_becomes_of_a_created_one():
    """A record of another id, of another object, or of the other side has nothing to do with them."""
    others = [
        entry("create", id_="2", dealname=(None, "new")),
        entry("create", "contacts", "1", link=8, lastname=(None, "Fox")),
        entry("create", "Opportunity", "1", link=9, Name=(None, "new")),
    ]
    inverse = undo(*others, ADDED, now=now(seen(), **PEOPLE | {"labelled": {}}))
    assert inverse.roles == [part()]
    named = undo(*others, NAMED, now=now(seen(), **PEOPLE))
    assert [one.verb for one in named.roles] == ["name"]


# --- contacts that were removed ---------------------------------------------------------------------------


REMOVED = entry("disconnect", contact=("5", None), labels=("3; 4", None))
REMOVED_ROLE = entry("disconnect", ROLE, "006A", contact=("003A", None), Role=("Evaluator", None))
BOTH = [seen(), seen("contacts", "5")]
BOTH_THERE = [seen("Opportunity", "006A"), seen("Contact", "003A")]
NOBODY = "the deal or the contact is not there any more"


@pytest.mark.parametrize(
    ("contacts", "needed"),
    [({}, True), ({"1": {}}, True), ({"1": {"6": frozenset()}}, True), ({"1": {"5": frozenset()}}, False)],
)
def test_X2_a_contact_that_was_removed_comes_back_with_its_labels(contacts, needed):
    """Unless it is there again."""
    back = RoleBack(
        "join", HS, "1", "5", 7, backs(contact=(None, "5"), labels=(None, "3; 4")),
        labels=frozenset({3, 4}), needed=needed,
    )  # fmt: skip
    check(undo(REMOVED, now=now(*BOTH, contacts=contacts)), roles=[back])


@pytest.mark.parametrize(
    ("roles", "needed"),
    [
        ({}, True),
        ({"00K2": ContactRole("006A", "003A", "Evaluator", primary=True)}, False),
        ({"00K2": ANN}, True),
        ({"00K2": ContactRole("006A", "003B", "Evaluator")}, True),
        ({"00K2": ContactRole("006B", "003A", "Evaluator")}, True),
    ],
)
def test_X2_a_role_that_was_removed_is_made_anew(roles, needed):
    """As it was, with a new id; unless the contact has one of that name there again."""
    back = RoleBack(
        "join", SF, "006A", "003A", 7, backs(contact=(None, "003A"), Role=(None, "Evaluator")),
        remake=ContactRole("006A", "003A", "Evaluator", primary=False), needed=needed,
    )  # fmt: skip
    check(undo(REMOVED_ROLE, now=now(*BOTH_THERE, roles=roles)), roles=[back])


def test_X2_a_role_without_a_name_is_made_anew_without_one():
    """Primary, if it was."""
    nameless = entry("disconnect", ROLE, "006A", contact=("003A", None), IsPrimary=(True, None))
    (back,) = undo(nameless, now=now(*BOTH_THERE)).roles
    assert back.remake == ContactRole("006A", "003A", None, primary=True)


@pytest.mark.parametrize("presence", [*sorted(set(Presence) - {Presence.PRESENT}), None])
@pytest.mark.parametrize("missing", [0, 1])
@pytest.mark.parametrize(
    ("removed", "there", "whose"),
    [(REMOVED, BOTH, (HS, "1", "5")), (REMOVED_ROLE, BOTH_THERE, (SF, "006A", "003A"))],
)
def test_X2_who_was_removed_does_not_come_back_to_what_is_gone(removed, there, whose, missing, presence):
    """Be it the deal or the contact that is missing, for whatever reason; it is told."""
    records = list(there)
    records[missing : missing + 1] = [replace(there[missing], presence=presence)] if presence else []
    side, deal, contact = whose
    check(undo(removed, now=now(*records)), lefts=[left(side, deal, "contact", contact, contact, NOBODY)])


# --- names ------------------------------------------------------------------------------------------------


def named(inverse):
    """The names that go back: whose, what is written, and what the run had written."""
    return [
        (one.verb, one.side, one.deal, one.contact, one.role, one.changes, one.wrote, one.needed)
        for one in inverse.roles
    ]


AGAIN = entry("name", contact=("5", "5"), labels=("Decider", "Buyer"))


@pytest.mark.parametrize(
    ("entries", "shown", "back", "wrote"),
    [
        ([NAMED], "Decider", backs(labels=("Decider", None)), "Decider"),
        ([NAMED], None, (), "Decider"),
        ([NAMED], "", (), "Decider"),
        ([NAMED, AGAIN], "Buyer", backs(labels=("Buyer", None)), "Buyer"),
        ([NAMED, AGAIN], "Decider", backs(labels=("Decider", None)), "Buyer"),
        ([AGAIN], "Buyer", backs(labels=("Buyer", "Decider")), "Buyer"),
        (
            [entry("name", contact=("5", "5"), labels=("Decider", None))],
            None,
            backs(labels=(None, "Decider")),
            None,
        ),
        ([entry("name", contact=("5", "5"), labels=("Decider", ""))], None, backs(labels=(None, "Decider")), ""),
        ([entry("name", contact=("5", "5"), labels=("", "Decider"))], None, (), "Decider"),
    ],
)
def test_X2_labels_go_back_like_a_field(entries, shown, back, wrote):
    """From any that the run gave, to those before the first; what is as it was is only noted."""
    known = now(seen(), labelled={("1", "5"): {"labels": shown}})
    inverse = undo(*entries, now=known)
    assert named(inverse) == [("name", HS, "1", "5", "", back, {"labels": wrote}, bool(back))]
    assert (inverse.left, inverse.roles[0].link_id) == ([], 7)


def test_X2_a_name_that_somebody_gave_since_stays():
    """It is told, with what the run had written; the names beside it go back all the same."""
    known = now(seen(), labelled={("1", "5"): {"labels": "Other"}})
    check(undo(NAMED, now=known), lefts=[left(HS, "1", "labels", "Decider", "Other", "changed since")])
    role = now(roles={"00K1": ANN._replace(name="Other")})
    check(undo(NAMED_ROLE, now=role), lefts=[left(SF, "00K1", "Role", "Evaluator", "Other", "changed since")])
    both = entry("name", ROLE, "00K1", Role=(None, "Evaluator"), IsPrimary=(False, True))
    inverse = undo(both, now=now(roles={"00K1": ANN._replace(name="Other", primary=True)}))
    assert named(inverse) == [
        ("name", SF, "006A", "003A", "00K1", backs(IsPrimary=(True, False)), {"IsPrimary": True}, True)
    ]
    assert [one.field for one in inverse.left] == ["Role"]


@pytest.mark.parametrize(
    ("written", "shown", "back"),
    [
        ((False, True), True, backs(IsPrimary=(True, False))),
        ((None, True), True, backs(IsPrimary=(True, None))),
        ((True, False), False, backs(IsPrimary=(False, True))),
        ((True, None), False, backs(IsPrimary=(False, True))),
        ((True, False), None, backs(IsPrimary=(None, True))),
        ((None, True), False, ()),
        ((False, True), None, ()),
        ((True, False), True, ()),
    ],
)
def test_X2_being_primary_goes_back_whether_not_being_it_is_false_or_blank(written, shown, back):
    """Salesforce has a checkbox there, and the mapping a blank."""
    inverse = undo(
        entry("name", ROLE, "00K1", IsPrimary=written), now=now(roles={"00K1": ANN._replace(primary=shown)})
    )
    assert named(inverse) == [("name", SF, "006A", "003A", "00K1", back, {"IsPrimary": written[1]}, bool(back))]
    assert inverse.left == []


def test_X2_a_role_that_lost_its_being_primary_gets_it_back():
    """Salesforce lets one role be primary: the journal has both. A role that is gone has no name to give back."""
    entries = [
        entry("name", ROLE, "00K9", Role=(None, "x")),
        entry("name", ROLE, "00K1", IsPrimary=(False, True)),
        entry("name", ROLE, "00K2", IsPrimary=(True, False)),
    ]
    roles = {"00K1": ContactRole("006A", "003A", primary=True), "00K2": ContactRole("006A", "003B")}
    inverse = undo(*entries, now=now(roles=roles))
    assert {one.role: {change.field: change.new for change in one.changes} for one in inverse.roles} == {
        "00K1": {"IsPrimary": False}, "00K2": {"IsPrimary": True},
    }  # fmt: skip


def test_X2_who_goes_is_not_named_otherwise():
    """But all others are: on the same deal, on another one, on the other side, and whoever comes back."""
    entries = [
        ADDED, NAMED,
        entry("name", contact=("6", "6"), labels=(None, "Decider")),
        entry("name", id_="2", contact=("5", "5"), labels=(None, "Decider")),
        entry("name", ROLE, "00K1", Role=(None, "Evaluator")),
        entry("disconnect", contact=("8", None)),
        entry("name", contact=("8", "8"), labels=(None, "Decider")),
    ]  # fmt: skip
    label = {"labels": "Decider"}
    known = now(
        seen(), seen("contacts", "8"),
        contacts={"1": {"5": frozenset({3}), "8": frozenset({3})}},
        labelled={("1", "5"): label, ("1", "6"): label, ("2", "5"): label, ("1", "8"): label},
        roles={"00K1": ContactRole("1", "5", "Evaluator")},
    )  # fmt: skip
    inverse = undo(*entries, now=known)
    assert [(one.verb, one.side, one.deal, one.contact) for one in inverse.roles] == [
        ("part", HS, "1", "5"),
        ("join", HS, "1", "8"),
        ("name", HS, "1", "6"),
        ("name", HS, "2", "5"),
        ("name", SF, "1", "5"),
        ("name", HS, "1", "8"),
    ]
    assert inverse.left == []


def test_X2_the_name_of_who_is_not_there_any_more_needs_nothing():
    """Nor is it told: what is gone has no name."""
    clearing = entry("name", contact=("5", "5"), labels=(None, "Decider"), primary_label=(True, None))
    check(undo(clearing, now=now(seen())))
    check(undo(NAMED_ROLE, now=now(seen("Opportunity", "006A"))))
