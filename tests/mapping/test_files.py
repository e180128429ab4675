"""What mapping files say, and what is wrong with them: all of it at once, each with its line (F3)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from core.examples import HS, SF, OnTargetEdit, Rule
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from connector.errors import BadConfiguration, Finding
from connector.mapping.files import PAIRS, FieldEntry, MappingSettings, load_pairs
from connector.mapping.regions import Region
from connector.mapping.transforms import NAMES, Date, MultiPicklist, Number, Picklist, Reference, StagePair, Text

BERLIN = ZoneInfo("Europe/Berlin")
SETTINGS = MappingSettings(BERLIN, {HS: "900"}, "sf_record_id", "HubSpot_Id__c")
SHIPPED = sorted(Path("mappings").resolve().glob("*.yaml"))
HEAD = "pair: opportunity-deal\ncreate_in: [hubspot]\nfields:\n"


@pytest.fixture
def load(tmp_path):
    """Loads texts (or bytes) as mapping files."""

    def load(*texts):
        paths = []
        for number, text in enumerate(texts):
            path = tmp_path / f"{number}.yaml"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        return load_pairs(paths, SETTINGS)

    return load


@pytest.fixture
def findings(load):
    """What is wrong with texts, as (file, line, message, remedy)."""

    def find(*texts):
        with pytest.raises(BadConfiguration) as caught:
            load(*texts)
        return [(Path(one.where).stem, one.line, one.message, one.remedy) for one in caught.value.findings]

    return find


def field_of(load, entry):
    """The rule that one entry makes."""
    return load(f"{HEAD}  - {entry}\n")["opportunity-deal"].fields[0]


# --- what files say ---------------------------------------------------------------------------------------


def test_the_shipped_mappings_load_in_order_of_dependency():
    """Companies, contacts, deals: in whatever order the files are given."""
    for files in (SHIPPED, list(reversed(SHIPPED))):
        pairs = load_pairs(files, SETTINGS)
        assert list(pairs) == ["account-company", "contact-contact", "opportunity-deal"]
        assert [(one.salesforce, one.hubspot) for one in pairs.values()] == list(PAIRS.values())


def test_O1_the_seven_default_fields_of_deals_are_two_way():
    """Owner, close date, name, type, description, amount and stage."""
    deals = load_pairs(SHIPPED, SETTINGS)["opportunity-deal"]
    two_way = {name for rule in deals.fields if rule.rule is Rule.TWO_WAY for name in rule.hubspot}
    assert two_way == {
        "hubspot_owner_id", "closedate", "dealname", "dealtype", "description", "amount", "pipeline", "dealstage",
    }  # fmt: skip


def test_D1_D2_D5_only_opportunities_pass_on_their_deletion():
    """No mapping file can say otherwise (law 10)."""
    pairs = load_pairs(SHIPPED, SETTINGS)
    assert {name: pair.deletes for name, pair in pairs.items()} == {
        "account-company": frozenset(),
        "contact-contact": frozenset(),
        "opportunity-deal": frozenset({SF}),
    }


@pytest.mark.parametrize("name", ["account-company", "contact-contact", "opportunity-deal"])
@pytest.mark.parametrize("choice", ["{salesforce: delete_partner}", "{salesforce: unlink, hubspot: unlink}", "{}"])
def test_D5_deletions_are_a_choice_of_the_mapping_file(tmp_path, name, choice):
    """For each side; what is left out is as it is by default."""
    path = _with_choice(tmp_path, name, choice)
    default = {SF} if name == "opportunity-deal" else set()
    expected = {"{}": default, "{salesforce: delete_partner}": {SF}}.get(choice, set())
    assert load_pairs([path], SETTINGS)[name].deletes == expected


@pytest.mark.parametrize("name", ["account-company", "contact-contact"])
def test_D5_hubspot_may_take_accounts_and_contacts_along(tmp_path, name):
    """If the file says so."""
    path = _with_choice(tmp_path, name, "{hubspot: delete_partner}")
    assert load_pairs([path], SETTINGS)[name].deletes == {HS}


def test_D2_no_mapping_file_lets_a_deal_delete_its_opportunity(tmp_path):
    """It is an error with file and line, which names the rule and says what can be done."""
    path = _with_choice(tmp_path, "opportunity-deal", "{hubspot: delete_partner}")
    with pytest.raises(BadConfiguration) as refused:
        load_pairs([path], SETTINGS)
    (finding,) = refused.value.findings
    assert (finding.where, finding.line) == (str(path), 2)
    assert "(D2)" in finding.message
    assert "hubspot: unlink" in finding.remedy


def _with_choice(folder, name, choice):
    (shipped,) = [one for one in SHIPPED if one.stem == name]
    lines = [line for line in shipped.read_text().splitlines() if not line.lstrip().startswith("#")]
    at = lines.index("on_delete:")
    rest = next(number for number in range(at + 1, len(lines)) if not lines[number].startswith(" "))
    path = folder / shipped.name
    path.write_text("\n".join([lines[0], f"on_delete: {choice}", *lines[1:at], *lines[rest:]]))
    return path


def test_O10_ids_are_stored_where_partners_are_made():
    """On both sides, since a person may ask for a partner that the mapping would not make (A1)."""
    pairs = load_pairs(SHIPPED, SETTINGS)
    for pair in pairs.values():
        assert pair.partner_field == {HS: "sf_record_id", SF: "HubSpot_Id__c"}
    assert pairs["contact-contact"].creates == {HS}
    assert pairs["opportunity-deal"].creates == {SF, HS}


def test_O9_what_vendors_require():
    """Known to the program, not a matter of configuration."""
    pairs = load_pairs(SHIPPED, SETTINGS)
    assert pairs["opportunity-deal"].required[SF] == ("Name", "StageName", "CloseDate")


def test_A2_A3_what_pairs_match_on():
    """Accounts by domain and then by name, contacts by any of their addresses, deals by nothing but the id (O8)."""
    pairs = load_pairs(SHIPPED, SETTINGS)
    assert [key.name for key in pairs["account-company"].match_on] == ["domain", "name"]
    assert pairs["contact-contact"].match_fields(SF) == ("Email",)
    assert pairs["contact-contact"].match_fields(HS) == ("email", "hs_additional_emails")
    assert pairs["opportunity-deal"].match_on == ()


def test_A2_a_mapping_may_choose_its_keys(tmp_path):
    """In the order in which they are tried."""
    path = tmp_path / "accounts.yaml"
    text = "pair: account-company\ncreate_in: [hubspot]\nmatch_on: [id, name, domain]\nfields:\n"
    path.write_text(text + "  - {salesforce: Name, hubspot: name}\n", encoding="utf-8")
    [pair] = load_pairs([path], SETTINGS).values()
    assert [key.name for key in pair.match_on] == ["name", "domain"]


@pytest.mark.parametrize(
    ("pair", "keys", "line", "words"),
    [
        ("account-company", "[domain, name]", 3, "`id` comes first"),
        ("account-company", "[]", 3, "`id` comes first"),
        ("account-company", "[id, email]", 3, "not matched on 'email'"),
        ("opportunity-deal", "[id, name]", 3, "not matched on 'name'"),
        ("account-company", "[id, name, name]", 3, "stands there twice"),
    ],
)
def test_A2_O8_keys_that_are_none_are_refused(tmp_path, pair, keys, line, words):
    """With file, line and remedy; deals in particular are never matched by name."""
    path = tmp_path / "wrong.yaml"
    text = f"pair: {pair}\ncreate_in: [hubspot]\nmatch_on: {keys}\nfields:\n"
    path.write_text(text + "  - {salesforce: Name, hubspot: name}\n", encoding="utf-8")
    with pytest.raises(BadConfiguration) as caught:
        load_pairs([path], SETTINGS)
    [finding] = caught.value.findings
    assert (finding.where, finding.line) == (str(path), line)
    assert words in finding.message
    assert finding.remedy


def test_an_entry_says_as_little_as_it_wants(load):
    """Two names are enough: the rest has defaults."""
    rule = field_of(load, "{salesforce: Name, hubspot: dealname}")
    assert (rule.salesforce, rule.hubspot, rule.transform) == (("Name",), ("dealname",), Text())
    assert rule.rule is Rule.PREFER_SALESFORCE_UNLESS_BLANK
    assert rule.on_target_edit is OnTargetEdit.RESTORE
    assert (rule.at_creation_only, rule.skip_untranslatable, rule.defaults) == (False, False, {})
    assert rule.label == "Name ↔ dealname"


def test_an_entry_says_all_it_can(load):
    """Every key reaches its rule."""
    rule = field_of(
        load,
        "{salesforce: Type, hubspot: dealtype, rule: always_salesforce, transform: picklist, values: {New: new},"
        " otherwise: skip_field, default: {salesforce: New, hubspot: new}, on_target_edit: leave,"
        " at_creation_only: true}",
    )
    assert rule.transform == Picklist.from_map({"New": "new"})
    assert (rule.rule, rule.on_target_edit) == (Rule.ALWAYS_SALESFORCE, OnTargetEdit.LEAVE)
    assert (rule.at_creation_only, rule.skip_untranslatable) == (True, True)
    assert rule.defaults == {SF: ("New",), HS: ("new",)}


@pytest.mark.parametrize(
    ("entry", "transform"),
    [
        ("{salesforce: A, hubspot: a, transform: number}", Number()),
        ("{salesforce: A, hubspot: a, transform: date}", Date(BERLIN)),
        ("{salesforce: A, hubspot: a, transform: reference}", Reference("account-company")),
        (
            "{salesforce: A, hubspot: a, transform: state, country: US, write_as: {salesforce: code}}",
            Region("state", "US", frozenset({SF})),
        ),
        (
            "{salesforce: A, hubspot: a, transform: country, values: {BRD: Germany}}",
            Region("country", None, frozenset(), (("BRD", "Germany"),)),
        ),
        (
            "{salesforce: A, hubspot: a, transform: multi_picklist, values: {X: x}}",
            MultiPicklist(Picklist.from_map({"X": "x"})),
        ),
        ("{salesforce: A, hubspot: a, transform: day}", Date(ZoneInfo("UTC"), midnight=False)),
        (
            "{salesforce: A, hubspot: a, transform: reference, refers_to: contact-contact}",
            Reference("contact-contact"),
        ),
        ("{salesforce: [A, B], hubspot: [a, b], transform: stage}", StagePair()),
    ],
)
def test_F5_transforms_are_made_with_the_settings(load, entry, transform):
    """Time zone and pair included."""
    assert field_of(load, entry).transform == transform


def test_A5_owners_fall_back_to_the_default_of_the_settings(load):
    """Unless the mapping names another for a side."""
    owner = "{salesforce: OwnerId, hubspot: hubspot_owner_id, transform: owner"
    assert field_of(load, f"{owner}}}").defaults == {HS: ("900",)}
    own = field_of(load, f"{owner}, default: {{hubspot: '7', salesforce: 005A}}}}")
    assert own.defaults == {HS: ("7",), SF: ("005A",)}


@pytest.mark.parametrize("value", ["0", "false", "''"])
def test_O9_a_default_may_be_any_value_but_nothing(load, value):
    """Zero, false and empty text are defaults."""
    entry = f"{{salesforce: A, hubspot: a, otherwise: default, default: {{hubspot: {value}}}}}"
    assert HS in field_of(load, entry).defaults


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf" + (HEAD + "  - {salesforce: A, hubspot: a}\n").encode()])
def test_a_byte_order_mark_is_read_over(load, text):
    """Some editors of Windows write one."""
    assert load(text)["opportunity-deal"].fields[0].salesforce == ("A",)


def test_yaml_lets_an_anchor_be_used_again(load):
    """Anchors, aliases and merged keys are YAML's own way of not repeating oneself."""
    entries = (
        "  - &x {salesforce: A, hubspot: a, rule: two_way}\n"
        "  - {<<: *x, salesforce: B, hubspot: b}\n"
        "  - &x {salesforce: C, hubspot: c, rule: hold}\n"
        "  - {<<: *x, salesforce: D, hubspot: d}\n"
    )
    rules = load(HEAD + entries)["opportunity-deal"].fields
    assert [rule.rule for rule in rules] == [Rule.TWO_WAY, Rule.TWO_WAY, Rule.HOLD, Rule.HOLD]


@pytest.mark.parametrize(("given", "expected"), [("", False), (", may_go_backwards: true", True)])
def test_L8_only_a_mapping_that_says_so_lets_the_stage_go_back(load, given, expected):
    """It is no by default."""
    assert field_of(load, f"{{salesforce: A, hubspot: lifecyclestage{given}}}").may_go_backwards is expected


@pytest.mark.parametrize(("given", "expected"), [("", False), (", personal: true", True)])
def test_G3_only_a_mapping_that_says_so_makes_a_field_personal(load, given, expected):
    """It is no by default."""
    assert field_of(load, f"{{salesforce: Phone, hubspot: phone{given}}}").personal is expected


@pytest.mark.parametrize(
    "entry",
    [
        "{salesforce: OwnerId, hubspot: hubspot_owner_id, transform: owner, personal: true}",
        "{salesforce: A, hubspot: lifecyclestage, personal: true}",
        "{salesforce: AccountId, hubspot: a, transform: reference, refers_to: account-company, personal: true}",
    ],
)
def test_G3_ids_and_stages_are_not_personal(load, entry):
    """The journal has to tell them; whoever marks one is told so."""
    with pytest.raises(BadConfiguration) as caught:
        load(HEAD + "  - " + entry + "\n")
    assert "`personal` belongs to values" in caught.value.findings[0].message
    assert caught.value.findings[0].remedy == "take it out"


# --- what is wrong with them ------------------------------------------------------------------------------

GOOD = "  - {salesforce: Name, hubspot: dealname}\n"
KEYS = f"the keys here are {', '.join(FieldEntry.model_fields)}"


@pytest.mark.parametrize(
    ("entry", "line", "message", "remedy"),
    [
        (
            "{salesfroce: A, hubspot: a}",
            5,
            "fields entry 2, salesfroce: is not a known key",
            "did you mean `salesforce`?",
        ),
        (
            "{salesforce: A, hubspot: a, ruel: two_way}",
            5,
            "fields entry 2, ruel: is not a known key",
            "did you mean `rule`?",
        ),
        ("{salesforce: A, hubspot: a, zzz: 1}", 5, "fields entry 2, zzz: is not a known key", KEYS),
        ("{salesforce: A, hubspot: [a, b]}", 5, "name as many Salesforce fields as HubSpot properties", ""),
        ("{salesforce: [A, B], hubspot: [a, b]}", 5, "a stage is two fields a side, everything else is one", ""),
        ("{salesforce: A, hubspot: a, transform: stage}", 5, "a stage is two fields a side", ""),
        ("{salesforce: [], hubspot: []}", 5, "a stage is two fields a side, everything else is one", ""),
        ("{salesforce: '', hubspot: a}", 5, "a field without a name", ""),
        ("{salesforce: A, hubspot: [' ']}", 5, "a field without a name", ""),
        ("{salesforce: A, hubspot: a, values: {X: x}}", 5, "`values` belongs to `transform: picklist`,", ""),
        ("{salesforce: A, hubspot: a, otherwise: default}", 5, "`otherwise: default` needs a `default`", ""),
        ("{salesforce: A, hubspot: a, refers_to: contact-contact}", 5, "`refers_to` belongs to", ""),
        (
            "{salesforce: A, hubspot: a, transform: reference, refers_to: me}",
            5,
            "`refers_to` belongs to",
            "",
        ),
        (
            "{salesforce: [A, B], hubspot: [a, b], transform: stage, default: {hubspot: x}}",
            5,
            "a stage takes no `default`",
            "",
        ),
        ("{salesforce: A, hubspot: a, write_as: {hubspot: code}}", 5, "`write_as` belongs to", ""),
        ("{salesforce: A, hubspot: a, transform: country, country: US}", 5, "`country` belongs to", ""),
        (
            "{salesforce: A, hubspot: a, transform: state, country: XX}",
            5,
            "`country` belongs to",
            "is one of US, CA, AU, DE",
        ),
        (
            "{salesforce: A, hubspot: a, transform: country, write_as: {hubspto: code}}",
            5,
            "entry 2, write_as, hubspto: is not a known key",
            "did you mean `hubspot`?",
        ),
        ("{salesforce: A, hubspot: a, rule: newest}", 5, "fields entry 2, rule: should be one of prefer_", ""),
        ("{salesforce: A, hubspot: a, transform: rot13}", 5, "entry 2, transform: should be one of text,", ""),
        ("{salesforce: A, hubspot: a, at_creation_only: perhaps}", 5, "should be true or false", ""),
        ("{salesforce: A, hubspot: a, may_go_backwards: true}", 5, "belongs to the property lifecyc", ""),
        (
            "salesforce: A\n    hubspot: a\n    values:\n      New: 3",
            8,
            "values, New: should be text",
            "put it in quotes: '3'",
        ),
        ("salesforce: A\n    hubspot: 3", 6, "entry 2, hubspot: should be text", "put it in quotes: '3'"),
        (
            "{salesforce: [A, 3], hubspot: [a, b], transform: stage}",
            5,
            "salesforce entry 2: should be text",
            "quotes: '3'",
        ),
        ("{salesforce: A, hubspot: a, rule: }", 5, "entry 2, rule: should be one of prefer_", "use one of these"),
        ("just text", 5, "fields entry 2: should be a group of `key: value`", ""),
    ],
)
def test_F3_a_wrong_entry_is_found_on_its_line(findings, entry, line, message, remedy):
    """Unknown keys with a suggestion, wrong values, and combinations that make no sense."""
    found = findings(f"{HEAD}{GOOD}  - {entry}\n")
    assert any(
        (where, at) == ("0", line) and message in said and remedy in advice for where, at, said, advice in found
    ), found
    assert all(advice for *_, advice in found), "whatever is wrong, there is something to do"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "is empty"),
        ("# only a comment\n", 0, "is empty"),
        ("- a\n- b\n", 1, "should be a group of `key: value`"),
        ("hello\n", 1, "should be a group of `key: value`"),
        ("!!set {a, b}\n", 1, "should be a group of `key: value`"),
        ("create_in: [hubspot]\nfields: []\n", 1, "pair: is missing"),
        ("create_in: [hubspot]\nfields: []\n", 2, "fields: should not be empty"),
        ("\n# why\npair: deal\n", 3, "pair: should be one of account-company"),
        (f"{HEAD}{GOOD}feilds: 1\n", 5, "feilds: is not a known key"),
        ("pair: opportunity-deal\ncreate_in:\n  - hubspot\n  - here\n", 4, "create_in entry 2: should be one of"),
        ("1: 2\n", 1, "the key `1` should be text"),
        ("pair: x\npair: y\n", 2, "has the key `pair` twice"),
        ("pair: x\n\tfields: 3\n", 2, "has a tab where YAML wants spaces"),
        ("pair: x\nfields: [a\n", 2, "has a bracket that is never closed"),
        ("a: *nobody\n", 1, "uses an alias"),
        ("a: 1\n---\nb: 2\n", 2, "has a second document"),
        ("pair: a\n\nfields: \x07\n", 3, "has a character that YAML does not allow"),
        ("\r\npair: x\r\n", 2, "pair: should be one of"),
        ("pair: 2020-99-99\n", 1, "is not YAML: month must be in 1..12"),
        ("# a\n" * 130 + "pair: 2020-99-99\n", 0, "is not YAML: month must be in 1..12"),
        ("a: {\n b: 2020-99-99}\nc: 2020-99-99\n", 2, "is not YAML: month must be in 1..12"),
        ("a: !!bool maybe\nb: !!int x\n", 1, "a tag (`!!…`) or a merge"),
        ("a: 2020-13-01\nb: 2020-01-99\n", 1, "is not YAML: month must be in 1..12"),
        ("pair: !!int abc\n", 1, "is not YAML: invalid literal"),
        ("pair: !!bool maybe\n", 1, "is not YAML"),
        ("a: &a {<<: *a}\n", 1, "is not YAML"),
        ("%YAML 3.1\n---\na: 1\n", 1, "found incompatible YAML document"),
        ("[" * 500, 1, "is nested too deeply"),
        (b"pair: caf\xe9\n", 1, "is not UTF-8 text"),
    ],
)
def test_F3_a_wrong_file_is_found_with_its_line(findings, text, line, message):
    """Broken YAML, other YAML than ours, and hostile YAML: a finding, never a traceback."""
    found = findings(text)
    assert any((where, at) == ("0", line) and message in said for where, at, said, _ in found), found
    assert not any(said.startswith(":") or "PairFile" in said for _, _, said, _ in found)


def test_F3_aliases_of_aliases_stay_small(findings):
    """A file that would unfold to thousands of millions of entries is refused at its size on disk."""
    names = pairwise("abcdefghi")
    bomb = "".join(f"{this}: &{this} [{','.join([f'*{last}'] * 9)}]\n" for last, this in names)
    found = findings(f"a: &a [x, x]\n{bomb}fields: *i\n")
    assert any(said == "fields entry 1: should be a group of `key: value`" for _, _, said, _ in found)
    assert len(found) < 50


def test_F3_everything_is_found_at_once(findings):
    """In all files, in one go."""
    found = findings(f"{HEAD}  - {{hubspot: a}}\n  - {{salesforce: A}}\n", "- a\n", f"{HEAD}{GOOD}")
    assert [(where, line) for where, line, _, _ in found] == [("0", 4), ("0", 5), ("1", 1)]


@pytest.mark.parametrize(
    ("entry", "side", "name"),
    [
        ("{salesforce: Name, hubspot: other}", "salesforce", "Name"),
        ("{salesforce: Other, hubspot: dealname}", "hubspot", "dealname"),
        ("{salesforce: [A, A], hubspot: [a, b], transform: stage}", "salesforce", "A"),
    ],
)
def test_F3_a_field_mapped_twice_is_found(findings, entry, side, name):
    """On the line of the second, pointing to the first."""
    ((_, line, message, remedy),) = findings(f"{HEAD}{GOOD}  - {entry}\n")
    first = 5 if name == "A" else 4
    assert (line, remedy) == (5, "map each field once")
    assert message == f"{side} field {name} is mapped twice (first in line {first})"


def test_F3_a_pair_mapped_by_two_files_is_found(findings):
    """In the second file, where it names the pair."""
    ((where, line, message, _),) = findings(f"{HEAD}{GOOD}", f"# mine\n\n{HEAD}{GOOD}")
    assert (where, line) == ("1", 3)
    assert message.startswith("pair opportunity-deal is mapped by another file too: ")
    assert message.endswith("0.yaml")


def test_F3_a_file_that_cannot_be_read_is_found(tmp_path):
    """Missing, or a folder."""
    with pytest.raises(BadConfiguration) as caught:
        load_pairs([tmp_path / "none.yaml", tmp_path], SETTINGS)
    missing, folder = caught.value.findings
    assert missing == Finding(str(tmp_path / "none.yaml"), 0, "there is no such file", "run `connector init`")
    assert folder.message == "is a folder"
    assert str(caught.value) == "2 thing(s) to mend in the configuration"


# --- laws -------------------------------------------------------------------------------------------------

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from([*NAMES, *PAIRS]),
)
keys = st.sampled_from(
    ["pair", "create_in", "fields", "salesforce", "hubspot", "rule", "transform", "values", "default"]
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=20,
)


def attempt(path, data):
    """Load bytes as a mapping file; return how many lines they have, and the lines that were found wrong."""
    path.write_bytes(data)
    try:
        load_pairs([path], SETTINGS)
    except BadConfiguration as error:
        return len(data.decode(errors="replace").splitlines()) + 1, [one.line for one in error.findings]
    return 1, [1]


def lie_within(outcome):
    """Whether something was found, and on lines that the file has."""
    lines, found = outcome
    return bool(found) and all(0 <= line <= lines for line in found)


@given(document=documents)
def test_F3_any_document_loads_or_is_explained(tmp_path_factory, document):
    """Whatever YAML holds."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    with path.open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump(document, stream)
    assert lie_within(attempt(path, path.read_bytes()))


@given(data=st.binary(max_size=40), at=st.integers(0, 120))
def test_F3_any_damage_to_a_good_file_loads_or_is_explained(tmp_path_factory, data, at):
    """Bytes put into the middle of a mapping file, as an accident would."""
    good = (HEAD + GOOD + "  - {salesforce: Amount, hubspot: amount, transform: number}\n").encode()
    assert lie_within(attempt(tmp_path_factory.getbasetemp() / "damaged.yaml", good[:at] + data + good[at:]))


@given(text=st.text(alphabet="-:[]{}&*!|>'\"%@`#,? \t\nabc0<", max_size=40))
def test_F3_any_signs_of_yaml_load_or_are_explained(tmp_path_factory, text):
    """All that YAML gives a meaning to, in any order."""
    assert lie_within(attempt(tmp_path_factory.getbasetemp() / "signs.yaml", text.encode()))
