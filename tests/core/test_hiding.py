"""G3: what a hash stands for is told by equality alone, in every form in which a CRM prints a value."""

from __future__ import annotations

import copy
import hashlib
import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.hiding import Hidden, Veil, reveal, without_hidden
from connector.core.inverse import Entry, Now
from connector.core.model import Change, FieldRule, Pair, Record, Rule, Side
from connector.core.naming import CONTACT, IS_PRIMARY, LABELS, ROLE_NAMES
from connector.core.sameness import same_value
from connector.core.undo import HIDDEN, invert
from connector.mapping.transforms import Text

TEXT = Text()
PAIR = Pair(
    "contact-contact",
    "Contact",
    "contacts",
    (
        FieldRule(("LastName",), ("lastname",), Rule.TWO_WAY, TEXT, personal=True),
        FieldRule(("Title",), ("jobtitle",), Rule.TWO_WAY, TEXT),
    ),
    creates=frozenset(),
    required={Side.HUBSPOT: ("lastname",)},
    partner_field={Side.HUBSPOT: "sf_record_id"},
)
VEIL = Veil.over([PAIR], "key")
HS = Side.HUBSPOT


def hide(value, veil=VEIL):
    return veil.hide(HS, "contacts", "lastname", value)


@given(
    st.one_of(st.text(min_size=1), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
)
def test_G3_a_hidden_value_equals_its_own_value(value):
    """In both directions, also as a CRM prints it and after a copy; and it says nothing of it."""
    hidden = hide(value)
    assert isinstance(hidden, Hidden)
    assert hidden == value
    assert value == hidden
    assert same_value(hidden, value)
    assert same_value(value, hidden)
    assert copy.deepcopy(hidden) == value
    assert hidden == hide(value)
    assert hidden != hide(f"{value}x")
    assert not same_value(f"{value}x", hidden)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1054.0", 1054), (1054.50, "1054.5"), (" Ada ", "Ada"), ("ADA@x.example", "ada@x.example"), (True, "true"),
        ("2026-03-02T09:00:00.000+0000", "2026-03-02T09:00:00Z"),
    ],
)  # fmt: skip
def test_G3_forms_of_one_value_have_one_hash(one, other):
    """Numbers, trimmed text, addresses in capitals and moments."""
    assert str(hide(one)) == str(hide(other))


@pytest.mark.parametrize(("one", "other"), [("Ada", "ADA"), ("0123", "123"), ("1", "1.5"), ("a b", "ab")])
def test_G3_different_values_have_different_hashes(one, other):
    """Capitals and leading zeros are a difference: what is restored by its hash has to be the value itself."""
    assert str(hide(one)) != str(hide(other))


@pytest.mark.parametrize("blank", [None, ""])
def test_G3_that_a_value_is_blank_is_not_hidden(blank):
    """So that an undo can blank it again; and no hash equals a blank one."""
    assert hide(blank) is blank
    assert hide("Fox") != blank
    assert not same_value(hide("Fox"), blank)


def test_G3_without_the_key_or_with_another_one_nothing_is_equal():
    """Neither to the value nor to a hash by that other key."""
    assert Hidden(str(hide("Fox"))) != "Fox"
    assert hide("Fox") != hide("Fox", Veil.over([PAIR], "other"))
    assert hide("Fox") != 3.5
    assert hide("Fox") != ("Fox",)


def test_G3_what_is_personal_is_asked_by_side_object_and_field():
    """Fields told together are personal if one of them is; hidden values are not hidden twice."""
    assert VEIL.is_personal(HS, "contacts", "jobtitle+lastname")
    assert not VEIL.is_personal(HS, "contacts", "jobtitle")
    assert not VEIL.is_personal(Side.SALESFORCE, "contacts", "lastname")
    assert str(hide(hide("Fox"))) == str(hide("Fox"))
    assert VEIL.hide_base("contact-contact", HS, {"lastname": "Fox", "jobtitle": "Boss"}) == {
        "lastname": "Fox", "jobtitle": "Boss",
    }  # fmt: skip
    assert without_hidden(VEIL.hide_base("contact-contact", HS, {"lastname": "Fox", "x": 1})) == {"x": 1}
    assert VEIL.hide_base("opportunity-deal", HS, {"lastname": "Fox"}) == {"lastname": "Fox"}
    assert not Veil()


@pytest.mark.parametrize(
    ("verb", "name", "is_hidden"),
    [
        ("update", "lastname", True), ("update", "jobtitle", False), ("update", "fax", False),
        ("delete", "fax", True), ("delete", "jobtitle", False), ("delete", "sf_record_id", False),
        ("delete", CONTACT, False),
    ],
)  # fmt: skip
def test_G3_what_the_journal_hides(verb, name, is_hidden):
    """Marked fields always; of a deletion also what is not mapped, but neither the partner's id nor contacts."""
    change = Change(name, "old", "new", "F1", "")
    covered = VEIL.cover(verb, HS, "contacts", change)
    assert [isinstance(one, Hidden) for one in (covered.old, covered.new)] == [is_hidden] * 2
    told = Change(name, str(covered.old), str(covered.new), "F1", "")
    again = VEIL.recognise(verb, HS, "contacts", told)
    assert isinstance(again.new, Hidden) is is_hidden
    assert again.new == "new"
    assert VEIL.cover(verb, HS, "deals", change) is change


def test_G3_text_of_a_person_that_looks_hidden_stays_text():
    """What somebody typed in a field that is not personal is never taken for a hash."""
    change = Change("jobtitle", None, "hidden:1234", "F1", "")
    assert VEIL.recognise("update", HS, "contacts", change) is change


def test_G3_a_value_is_revealed_by_the_first_known_one_that_it_is():
    """Else it stays what it is; a plain value is what it was."""
    hidden = hide("Fox")
    assert reveal(hidden, ["Wolf", "Fox"]) == "Fox"
    assert not isinstance(reveal(hidden, ["Wolf", "Fox"]), Hidden)
    assert reveal(hidden, ["Wolf", hidden]) is hidden
    assert reveal("plain", ["Fox"]) == "plain"


def test_G3_a_record_is_not_made_anew_without_what_it_needs():
    """A deleted contact whose last name nobody knows any more stays deleted, and that is told."""
    changes = [Change("lastname", hide("Fox"), None, "D5", ""), Change("jobtitle", "Boss", None, "D5", "")]
    entry = Entry(1, "done", "delete", HS, "contacts", "7", 3, None, tuple(changes))
    pairs = {"Contact": PAIR, "contacts": PAIR}
    inverse = invert([entry], Now({}), pairs, "undo")
    assert (inverse.remakings, [one.why for one in inverse.left]) == ([], [HIDDEN])
    inverse = invert([entry], Now({}, known={3: {"lastname": ["Fox"]}}), pairs, "undo")
    assert [dict(one.values) for one in inverse.remakings] == [{"lastname": "Fox", "jobtitle": "Boss"}]
    assert inverse.left == []


def test_G3_two_veils_hide_what_either_does():
    """A pair without a mark hides nothing; and what was hidden once stays so."""
    plain = Pair("x", "Account", "companies", PAIR.fields[1:], creates=frozenset())
    both = Veil().with_more(Veil.over([plain, PAIR], "key"))
    assert (both.key, set(both.personal)) == ("key", {(Side.SALESFORCE, "Contact"), (HS, "contacts")})
    assert both.with_more(Veil.over([plain])).is_personal(HS, "contacts", "lastname")


def test_G3_what_is_hidden_and_not_known_stays_and_the_rest_goes_back():
    """A field is told that would need a hash to go back; one that was edited since is told as that."""
    changes = [
        Change("lastname", hide("Fox"), hide("Wolf"), "F1", ""),
        Change("jobtitle", "Boss", "Chief", "F1", ""),
    ]
    entry = Entry(1, "done", "update", HS, "contacts", "7", 3, None, tuple(changes))
    pairs = {"Contact": PAIR, "contacts": PAIR}

    def turn(name, known=()):
        record = Record(HS, "contacts", "7", "1", {"lastname": name, "jobtitle": "Chief"})
        now = Now({(HS, "contacts", "7"): record}, known={3: {"lastname": list(known)}})
        inverse = invert([entry], now, pairs, "undo")
        back = {one.field: one.new for each in inverse.restorings for one in each.changes}
        return back, [(one.field, one.why) for one in inverse.left]

    assert turn("Wolf") == ({"jobtitle": "Boss"}, [("lastname", HIDDEN)])
    assert turn("Wolf", ["Lamb", "Fox"]) == ({"jobtitle": "Boss", "lastname": "Fox"}, [])
    assert turn("Lamb") == ({"jobtitle": "Boss"}, [("lastname", "changed since")])
    assert turn("Fox") == ({"jobtitle": "Boss"}, [])


def test_G3_a_record_is_made_anew_with_what_is_known_and_the_rest_is_told():
    """What it can do without is left out."""
    changes = [Change("lastname", "Fox", None, "D5", ""), Change("fax", hide("555"), None, "D5", "")]
    entry = Entry(1, "done", "delete", HS, "contacts", "7", 3, None, tuple(changes))
    inverse = invert([entry], Now({}), {"Contact": PAIR, "contacts": PAIR}, "undo")
    assert [dict(one.values) for one in inverse.remakings] == [{"lastname": "Fox"}]
    assert [(one.field, one.why) for one in inverse.left] == [("fax", HIDDEN)]


def test_G3_the_form_of_a_hash():
    """It is what is kept: another form would be equal to nothing that was hidden before."""
    told = hmac.new(b"key", b"Ada", hashlib.sha256).hexdigest()[:16]
    assert str(hide("Ada")) == f"hidden:{told}"


def test_G3_what_is_made_without_a_key_has_none():
    """And then it says whether it is equal to a plain value by a plain no."""
    assert (Hidden("hidden:0").key, Veil.over([]).key) == ("", "")
    assert (Hidden(str(hide("Ada", Veil.over([PAIR])))) == "Ada") is False


@pytest.mark.parametrize("other", [None, "", ["Ada"], "XX"])
def test_G3_only_a_value_can_be_equal_to_a_hash(other):
    """Blank is never hidden, and what is no value of a CRM is equal to none, whatever its hash would be."""
    text = hmac.new(b"key", str(other).encode(), hashlib.sha256).hexdigest()[:16]
    assert (Hidden(f"hidden:{text}", "key") == other) is (other == "XX")


def test_G3_of_a_deleted_record_what_is_mapped_and_its_roles_are_kept():
    """The id of the partner too; by pair, side and object."""
    veil = Veil.over([PAIR], "key")
    assert veil.objects == {"contact-contact": {Side.SALESFORCE: "Contact", HS: "contacts"}}
    assert veil.mapped[HS, "contacts"] == {"lastname", "jobtitle", "sf_record_id"}
    for name in ("jobtitle", "sf_record_id", CONTACT, LABELS, ROLE_NAMES, IS_PRIMARY):
        change = Change(name, "a", "b", "", "")
        assert veil.cover("delete", HS, "contacts", change) is change


def test_G3_two_veils_know_the_objects_and_fields_of_both():
    """The first one's key counts, since what is kept was hidden by it."""
    other = replace(PAIR, name="other", salesforce="Account", hubspot="companies")
    both = VEIL.with_more(Veil.over([other], "another"))
    assert both.key == "key"
    assert both.mapped.keys() == both.personal.keys()
    assert both.mapped.keys() == {(side, one.object(side)) for side in Side for one in (PAIR, other)}
    assert both.objects.keys() == {"contact-contact", "other"}


def test_G3_a_field_is_personal_by_its_whole_name_and_by_each_part():
    """What is named together with `+` is looked for both ways."""
    veil = Veil("key", {(HS, "contacts"): frozenset({"a+b", "c"})})
    told = [veil.is_personal(HS, "contacts", name) for name in ("a+b", "c", "x+c", "a", "x")]
    assert told == [True, True, True, False, False]


def test_G3_a_base_of_another_pair_is_given_as_it_is():
    """In a copy, which may be changed."""
    base = {"lastname": "Ada"}
    given_back = VEIL.hide_base("deals", HS, base)
    assert given_back == base
    assert given_back is not base


@pytest.mark.parametrize("value", ["Ada", 5, None, 1.5])
def test_G3_only_what_looks_hidden_in_a_file_is_taken_for_it(value):
    """Both values of a change."""
    hidden = str(hide("Ada"))
    read = VEIL.recognise("update", HS, "contacts", Change("lastname", hidden, value, "", ""))
    assert (type(read.old), read.old.key, type(read.new)) == (Hidden, "key", type(value))
    turned = VEIL.recognise("update", HS, "contacts", Change("lastname", value, hidden, "", ""))
    assert (type(turned.old), type(turned.new)) == (type(value), Hidden)


def test_G3_what_is_not_hidden_needs_no_revealing():
    """It is given back itself; and one hash reveals no other."""
    assert type(reveal(1.0, [1])) is float
    unknown = Hidden(str(hide("Ada")), "key")
    assert reveal(unknown, [hide("Ada")]) is unknown


def test_G3_numbers_are_hidden_by_their_value():
    """However large they are, and however they are written."""
    assert str(hide(1e20)) == str(hide("100000000000000000000"))
    assert str(hide(1.5)) != str(hide(2.5))
