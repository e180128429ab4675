"""Mappings against the fields that are there: everything that is wrong, with its line and what to do (F3)."""

from __future__ import annotations

import pytest
from core.examples import HS, SF
from mapping.facts import BERLIN, DEALS, FIRST, HEAD, OPPORTUNITY, SCHEMAS, check, check_entry, facts, formula

from connector.errors import Severity
from connector.mapping.checks import Seen, check_pair, find_misfits, find_missing
from connector.mapping.documents import Source
from connector.mapping.files import MappingSettings, read_mapping

EMPTY = "pair: opportunity-deal\ncreate_in: []\nfields:\n"


def the_one(found):
    (only,) = found
    return only


def test_F3_a_mapping_that_is_right_is_told_nothing():
    """Not even a warning."""
    assert check(HEAD) == []


# --- names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "said", "advice"),
    [
        (
            "{salesforce: Amuont, hubspot: amount}",
            "Salesforce Opportunity has no field Amuont,",
            "did you mean `Amount`?",
        ),
        (
            "{salesforce: Amount, hubspot: ammount}",
            "HubSpot deals has no property ammount,",
            "did you mean `amount`?",
        ),
        (
            "{salesforce: Zzz__c, hubspot: amount}",
            "has no field Zzz__c",
            "make the field, or give the connector access",
        ),
        ("{salesforce: Amount, hubspot: zzz}", "has no property zzz", "make the property, or give"),
    ],
)
def test_F3_a_name_that_is_not_there_is_told_with_the_nearest(entry, said, advice):
    """On its line, on either side."""
    severity, line, message, remedy = the_one(check_entry(entry))
    assert (severity, line) == ("error", FIRST)
    assert said in message
    assert advice in remedy


def test_F3_a_label_written_for_a_name_is_understood():
    """What people read in the CRM is the label."""
    known = {**DEALS, "amount": facts("amount", "number", label="Deal value in full")}
    schemas = {**SCHEMAS, HS: {"deals": known}}
    assert (
        "its name is `amount`."
        in the_one(check_entry("{salesforce: Amount, hubspot: Deal value in full}", schemas=schemas))[3]
    )


def test_F3_fields_that_many_orgs_lack_are_no_fault():
    """Currencies and record types."""
    assert check_entry("{salesforce: CurrencyIsoCode, hubspot: dealtype, at_creation_only: true}") == []


def test_F3_an_object_that_is_not_known_is_not_checked_and_one_that_is_not_seen_is_told():
    """The one was never read; of the other nothing is shown to the user."""
    assert check(HEAD, schemas={}) == []
    found = check(HEAD, schemas={SF: {"Opportunity": {}}, HS: {"deals": DEALS}})
    assert all(message == "Salesforce shows no field of Opportunity" for _, _, message, _ in found)
    assert "access to Opportunity" in found[0][3]


def test_F3_what_does_not_sync_is_not_checked():
    """`dont_sync` is a note to oneself."""
    assert check_entry("{salesforce: Nothing, hubspot: nowhere, rule: dont_sync}") == []


# --- types ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "remedy"),
    [
        ("{salesforce: Amount, hubspot: amount}", "use `transform: number`"),
        ("{salesforce: Flag__c, hubspot: flag}", "use `transform: boolean`"),
        ("{salesforce: Flag__c, hubspot: ticked}", "use `transform: boolean`"),
        ("{salesforce: Tags__c, hubspot: tags}", "use `transform: multi_picklist`"),
        ("{salesforce: Moment__c, hubspot: closedate, transform: date}", "use `transform: datetime`"),
        ("{salesforce: AccountId, hubspot: primary_company}", "use `transform: reference`"),
        ("{salesforce: OwnerId, hubspot: hubspot_owner_id}", "use `transform: owner`"),
        ("{salesforce: Place__c, hubspot: description}", "map fields of like types"),
        (
            "{salesforce: Flag__c, hubspot: description}",
            "send it one way, by `rule: always_salesforce` and `transform: boolean`, or map another field",
        ),
        (
            "{salesforce: Description, hubspot: amount, transform: number}",
            "send it one way, by `rule: always_hubspot` and `transform: text`, or map another field",
        ),
    ],
)
def test_F3_F5_types_that_do_not_fit_are_told_with_what_would(entry, remedy):
    """A better transform, or one way, or nothing."""
    text = HEAD.replace("  - {salesforce: CloseDate, hubspot: closedate, transform: date}\n", "")
    text = text.replace("create_in: [hubspot, salesforce]", "create_in: []")
    ((severity, line, message, advice),) = check(f"{text}  - {entry}\n")
    assert (severity, line, advice) == ("error", FIRST - 1, remedy)
    assert "does not carry between them" in message


@pytest.mark.parametrize(
    "entry",
    [
        "{salesforce: Amount, hubspot: description, rule: always_salesforce}",
        "{salesforce: Amount, hubspot: description, rule: always_salesforce, transform: number}",
        "{salesforce: Margin__c, hubspot: amount, rule: always_salesforce, transform: number}",
        "{salesforce: Tags__c, hubspot: description, rule: always_salesforce, transform: multi_picklist}",
        "{salesforce: CloseDate, hubspot: day, transform: day}",
        "{salesforce: Flag__c, hubspot: flag, transform: boolean}",
    ],
)
def test_F5_what_fits_is_told_nothing(entry):
    """Among it what fits one way only."""
    text = f"{EMPTY}  - {entry}\n"
    assert check(text) == []


def test_F7_a_property_of_days_takes_no_midnight_of_another_zone():
    """In UTC a date is its own midnight; elsewhere the transform for days is needed."""
    text = f"{EMPTY}  - {{salesforce: CloseDate, hubspot: day, transform: date}}\n"
    assert check(text) == []
    assert the_one(check(text, zone=BERLIN))[3] == "use `transform: day`"


def read_deals(*entries):
    """The pair of a file with these entries beside what is always there."""
    settings = MappingSettings(BERLIN, {}, "sf_record_id", "HubSpot_Id__c")
    lines = "".join(f"  - {entry}\n" for entry in entries)
    return read_mapping([Source("deals.yaml", f"{HEAD}{lines}".encode())], settings).pairs["opportunity-deal"]


def test_F3_a_run_is_told_types_and_names_by_the_pairs_alone():
    """With file and line; of names only those of the entries that it asks about, and of all their fields."""
    pair = read_deals(
        "{salesforce: Amount, hubspot: amount}",
        "{salesforce: Amuont, hubspot: amount2}",
        "{salesforce: Nothing, hubspot: nothing, rule: dont_sync}",
        "{salesforce: CurrencyIsoCode, hubspot: deal_currency_code}",
    )
    misfits = [(one.where, one.line, one.remedy) for one in find_misfits(pair, SCHEMAS, BERLIN)]
    assert misfits == [("deals.yaml", FIRST, "use `transform: number`")]
    missing = list(find_missing(pair, pair.fields, SCHEMAS))
    assert [(one.where, one.line) for one in missing] == [("deals.yaml", FIRST + 1)] * 2
    assert missing[0].remedy.startswith("did you mean `Amount`?")
    assert list(find_missing(pair, pair.fields[:-3], SCHEMAS)) == []


@pytest.mark.parametrize(
    ("transform", "here", "there", "better"),
    [
        ("text", "string", "enumeration", None),
        ("text", "combobox", "string", None),
        ("number", "picklist", "enumeration", "picklist"),
        ("number", "percent", "date", ""),
        ("datetime", "datetime", "datetime", None),
        ("date", "percent", "number", "number"),
        ("email", "reference", "string", "reference"),
        ("phone", "phone", "phone_number", None),
        ("domain", "url", "string", None),
        ("owner", "reference", "bool", ""),
        ("url", "location", "string", ""),
        ("text", "time", "string", ""),
        ("number", "a type of tomorrow", "string", None),
        ("number", "double", "a type of tomorrow", None),
    ],
)
def test_F5_what_a_field_of_a_type_needs(transform, here, there, better):
    """None: the transform suits both; else the one to use instead, empty if there is none both ways."""
    entry = f"{{salesforce: Own__c, hubspot: own, transform: {transform}}}"
    schemas = {SF: {"Opportunity": {"Own__c": facts("Own__c", here)}}, HS: {"deals": {"own": facts("own", there)}}}
    found = list(find_misfits(read_deals(entry), schemas, BERLIN))
    if better is None:
        assert found == []
    else:
        assert (f"`transform: {better}`" if better else "map") in the_one(found).remedy


def test_F5_the_id_of_a_record_can_be_shown_on_the_other_side():
    """One way, as text."""
    known = {**SCHEMAS, SF: {"Opportunity": {**OPPORTUNITY, "Id": formula("Id", "id")}}}
    assert check_entry("{salesforce: Id, hubspot: description, rule: always_salesforce}", schemas=known) == []


# --- rights and rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["two_way", "always_hubspot", "prefer_salesforce_unless_blank", "hold"])
def test_F3_a_rule_that_writes_a_formula_is_impossible(rule):
    """Also one that would only fill blanks."""
    found = check_entry(f"{{salesforce: Margin__c, hubspot: amount, transform: number, rule: {rule}}}")
    severity, line, message, remedy = found[0]
    assert (severity, line) == ("error", FIRST)
    assert message == f"Salesforce Opportunity.Margin__c is a formula, but `rule: {rule}` writes it"
    assert "`rule: always_salesforce`" in remedy


@pytest.mark.parametrize("rule", ["two_way", "always_salesforce", "prefer_salesforce_unless_blank"])
def test_F3_a_rule_that_writes_what_hubspot_calculates_is_impossible(rule):
    """HubSpot refuses such writes."""
    found = check_entry(f"{{salesforce: Amount, hubspot: days, transform: number, rule: {rule}}}")
    assert found[0][2] == f"HubSpot deals.days is calculated by HubSpot, but `rule: {rule}` writes it"
    assert "`rule: always_hubspot`" in found[0][3]


def test_F3_what_this_user_may_not_edit_stays_blank_or_is_wrong():
    """A right that could be given; where only blanks would be filled, a warning."""
    entry = "{{salesforce: Locked__c, hubspot: amount, transform: text{}}}"
    known = {**SCHEMAS, HS: {"deals": {**DEALS, "amount": facts("amount", "string")}}}
    assert the_one(check_entry(entry.format(""), schemas=known))[0] == "warning"
    severity, _, message, remedy = the_one(check_entry(entry.format(", rule: two_way"), schemas=known))
    assert severity == "error"
    assert "may not be edited by the connector's user" in message
    assert "give the user edit access" in remedy
    assert check_entry(entry.format(", rule: always_salesforce"), schemas=known) == []


def test_F3_a_field_that_is_only_set_at_creation_needs_no_more():
    """It is never updated."""
    known = {**OPPORTUNITY, "Once__c": facts("Once__c", "string", updateable=False)}
    entry = "{salesforce: Once__c, hubspot: description, at_creation_only: true}"
    assert [
        one for one in check_entry(entry, schemas={**SCHEMAS, SF: {"Opportunity": known}}) if one[0] == "error"
    ] == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "{salesforce: Description, hubspot: description, rule: two_way, on_target_edit: leave}",
            "`on_target_edit` has no",
        ),
        (
            "{salesforce: Description, hubspot: description, rule: always_salesforce, default: {salesforce: x}}",
            "`default` of",
        ),
    ],
)
def test_F3_keys_without_effect_are_told(entry, said):
    """They are not wrong, but not what somebody meant either."""
    severity, line, message, remedy = the_one(check_entry(entry))
    assert (severity, line) == ("warning", FIRST)
    assert message.startswith(said)
    assert remedy.startswith("take it out")


def test_F3_a_match_key_that_is_not_mapped_is_told():
    """Partners that are made here could not be found by it."""
    head = "pair: account-company\ncreate_in: [hubspot]\nmatch_on: [id, domain]\nfields:\n"
    text = head + "  - {salesforce: Name, hubspot: name}\n"
    severity, line, message, _ = the_one(check(text, schemas={}))
    assert (severity, line) == ("warning", 3)
    assert message == "match_on: 'domain' compares salesforce Website and hubspot domain, which no entry maps"


@pytest.mark.parametrize("side", ["hubspot", "salesforce"])
def test_O9_what_a_new_record_needs_has_to_come_from_somewhere(side):
    """What the vendor always demands, and what this org demands."""
    head = f"pair: opportunity-deal\ncreate_in: [{side}]\nfields:\n"
    text = head + "  - {salesforce: Amount, hubspot: amount, transform: number}\n"
    known = {**OPPORTUNITY, "Why__c": facts("Why__c", "string", required=True)}
    severity, line, message, remedy = the_one(check(text, schemas={**SCHEMAS, SF: {"Opportunity": known}}))
    assert (severity, line) == ("error", 2)
    needs = "Name, StageName, CloseDate, Why__c" if side == "salesforce" else "dealname, dealstage"
    assert needs in message
    assert f"take `{side}` out of `create_in`" in remedy


# --- options ------------------------------------------------------------------------------------------------

PICKLIST = "{{salesforce: Type, hubspot: dealtype, transform: picklist{}}}"


def test_F4_each_value_without_a_counterpart_is_named():
    """In both directions, where the other side takes no other."""
    found = check_entry(PICKLIST.format(", values: {New: new, Old: old}"))
    assert found == [
        (
            "warning",
            FIRST,
            "1 value of Type in Salesforce without a counterpart in dealtype: 'Other'",
            "add them to `values`, or say `otherwise: skip_field`, or give a default",
        )
    ]
    found = check_entry("{salesforce: Strict__c, hubspot: dealtype, transform: picklist}")
    assert found == []
    both = check_entry(PICKLIST.format(", values: {New: new}"))
    assert [message for _, _, message, _ in both] == [
        "1 value of dealtype in HubSpot without a counterpart in Type: 'old'",
        "2 values of Type in Salesforce without a counterpart in dealtype: 'Old', 'Other'",
    ]


@pytest.mark.parametrize("more", [", otherwise: skip_field", ", default: {hubspot: old, salesforce: Old}"])
def test_F4_what_the_mapping_decides_is_not_told(more):
    """Somebody has thought of it."""
    assert check_entry(PICKLIST.format(f", values: {{New: new}}{more}")) == []


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("neu", "did you mean `new`?"),
        ("New one", "its option with that label is `new`"),
        ("xyz", "use one of 'new', 'old'"),
    ],
)
def test_F4_a_map_to_what_is_no_option_is_wrong(value, remedy):
    """On the line of the value, with the option that was meant."""
    more = f"transform: picklist\n    otherwise: skip_field\n    values:\n      New: {value}"
    entry = f"salesforce: Type\n    hubspot: dealtype\n    {more}"
    ((severity, line, message, advice),) = check_entry(entry)
    assert (severity, line, advice) == ("error", FIRST + 5, remedy)
    assert message == f"`values` maps 'New' to '{value}', which is no option of dealtype in HubSpot"


def test_F4_a_map_from_what_is_no_value_is_doubtful():
    """It may be one that is no longer active; near another one, it is a slip."""
    severity, _, message, remedy = the_one(
        check_entry(PICKLIST.format(", otherwise: skip_field, values: {Nww: new}"))
    )
    assert (severity, remedy) == ("warning", "did you mean `New`?")
    assert "'Nww', which is no active value of Type in Salesforce" in message
    assert check_entry(PICKLIST.format(", otherwise: skip_field, values: {Renewal of contract: new}")) == []


def test_F4_a_default_has_to_be_an_option():
    """Else it would be refused in the value's stead."""
    severity, _, message, remedy = the_one(
        check_entry(PICKLIST.format(", otherwise: skip_field, values: {New: new}, default: {hubspot: nwe}"))
    )
    assert (severity, remedy) == ("error", "did you mean `new`?")
    assert message == "the default 'nwe' is no option of dealtype in HubSpot"


def test_F4_free_text_into_a_list_is_doubtful():
    """Only what happens to be an option arrives."""
    found = check_entry("{salesforce: Description, hubspot: dealtype, rule: always_salesforce}")
    assert (
        the_one(found)[2] == "Description takes any text in Salesforce, but dealtype in HubSpot only its 2 options"
    )


def test_F4_several_choices_are_checked_one_by_one():
    """`c` is no tag in HubSpot."""
    found = check_entry("{salesforce: Tags__c, hubspot: tags, transform: multi_picklist}")
    assert the_one(found)[2] == "1 value of Tags__c in Salesforce without a counterpart in tags: 'c'"


def test_F4_very_many_values_are_not_all_printed():
    """Fifty, and how many more there are."""
    many = facts("Type", "picklist", options=[f"v{number}" for number in range(60)])
    schemas = {**SCHEMAS, SF: {"Opportunity": {**OPPORTUNITY, "Type": many}}}
    found = check_entry("{salesforce: Type, hubspot: dealtype, transform: picklist}", schemas=schemas)
    assert found[-1][2].endswith("'v49' and 10 more")


# --- what is lost -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "{salesforce: Moment__c, hubspot: day, rule: always_salesforce, transform: day}",
            "the time of day of Moment__c",
        ),
        (
            "{salesforce: Moment__c, hubspot: day, rule: always_salesforce, transform: date}",
            "the time of day of Moment__c",
        ),
        ("{salesforce: Rich__c, hubspot: description}", "Rich__c is formatted text: its HTML tags show as text in"),
        (
            "{salesforce: Description, hubspot: notes}",
            "notes is formatted text: its HTML tags show as text in Descr",
        ),
    ],
)
def test_F5_what_is_lost_on_the_way_is_told(entry, said):
    """A warning: it may be meant."""
    severity, line, message, _ = the_one(check_entry(entry))
    assert (severity, line) == ("warning", FIRST)
    assert message.startswith(said)


def test_F5_line_breaks_are_lost_in_one_line():
    """HubSpot's text area into Salesforce's text."""
    text = HEAD.replace("hubspot: dealname, rule: two_way", "hubspot: description").replace(
        "[hubspot, salesforce]", "[]"
    )
    assert the_one(check(text))[2] == "line breaks of description are lost: Name holds one line"


def test_F3_values_that_are_there_and_will_not_fit_are_told():
    """With the longest, and the record that has it."""
    seen = {
        (HS, "dealname"): Seen(10, 10, 130, 0, "77"),
        (SF, "Name"): Seen(10, 10, 120, 0, "006A"),
        (HS, "amount"): Seen(10, 10, 8, 3, "77"),
        (SF, "Description"): Seen(1, 1, 70_000, 0, "006B"),
    }
    numbers = "{salesforce: Amount, hubspot: amount, transform: number}"
    entries = f"{numbers}\n  - {{salesforce: Description, hubspot: description}}"
    found = check_entry(entries, seen=seen)
    assert [(severity, line) for severity, line, _, _ in found] == [
        ("warning", 4),
        ("warning", FIRST),
        ("warning", FIRST + 1),
    ]
    assert found[0][2] == "dealname has 130 characters in the HubSpot record 77, but Name in Salesforce takes 120"
    assert found[1][2] == "amount has 3 decimals in HubSpot, but Amount in Salesforce keeps 2"
    assert found[2][2].startswith("Description has 70,000 characters in the Salesforce record 006B")


def test_F3_what_might_be_too_long_is_one_note_for_each_file():
    """It is so of nearly all fields, and nobody can do much about it."""
    settings = MappingSettings(BERLIN, {}, "sf_record_id", "HubSpot_Id__c")
    entries = "  - {salesforce: Count__c, hubspot: amount, transform: number}\n"
    read = read_mapping([Source("deals.yaml", f"{HEAD}{entries}".encode())], settings)
    pair = read.pairs["opportunity-deal"]
    notes = [
        one for one in check_pair(pair, read.files[pair.name], SCHEMAS, BERLIN, {}) if one.severity is Severity.NOTE
    ]
    assert [(one.line, one.message.rpartition(": ")[2]) for one in notes] == [(3, "Name 120"), (3, "Count__c 0")]


def test_R4_a_role_that_salesforce_does_not_have_is_told():
    """On its line."""
    text = "pair: contact-role\nlabels:\n  Decision Maker: Decider\n  Evaluater: Tester\n"
    role = facts("Role", "picklist", options=("Decision Maker", "Evaluator"))
    schemas = {SF: {"OpportunityContactRole": {"Role": role}}}
    assert check(text, schemas=schemas) == [
        ("warning", 4, "labels: Salesforce has no active role 'Evaluater'", "did you mean `Evaluator`?")
    ]
    assert check(text, schemas={}) == []
