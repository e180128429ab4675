"""Broken mapping files, one mistake each: the words that a person reads, with file, line and column (F3).

The files are in `broken/`. Beside them is what no file can be kept for: folders, links that lead nowhere, files
without end or without permission. All are told by the library and by the command, and none by a traceback.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fuzz.texts import damaged
from hypothesis import given, settings
from typer.testing import CliRunner

from connector.cli.app import app
from connector.mapping.files import MappingSettings, read_mapping

BROKEN = Path(__file__).parent / "broken"
SHIPPED = [path.read_text(encoding="utf-8") for path in sorted(Path("mappings").resolve().glob("*.yaml"))]
GOOD = ["\n".join(line for line in one.splitlines() if "#" not in line)[:600] for one in SHIPPED]
"""The shipped mappings without comments, and not to their end."""
SETTINGS = MappingSettings(ZoneInfo("UTC"), {}, "sf_record_id", "HubSpot_Id__c")

FOUND = {
    "a_list": [
        (1, 1, "should be a group of `key: value`", "write one `key: value` a line"),
    ],
    "a_word": [
        (1, 1, "should be a group of `key: value`", "write one `key: value` a line"),
    ],
    "backwards_off_the_stage": [
        (5, 5, "fields entry 2: `may_go_backwards` belongs to the property lifecyclestage", "take it out"),
    ],
    "bell": [
        (2, 0, "has a character that YAML does not allow, number 7 of Unicode", "take it out"),
    ],
    "bomb": [
        (1, 1, "pair: is missing", "add `pair:`"),
    ],
    "country_without_state": [
        (
            5,
            5,
            "fields entry 2: `country` belongs to `transform: state`",
            "it is one of US, CA, AU, DE, BR, MX, IN",
        ),
    ],
    "default_that_is_none": [
        (5, 5, "fields entry 2: `otherwise: default` needs a `default`", "add `default: {hubspot: …}`"),
    ],
    "empty": [
        (0, 0, "is empty", "write a mapping, or delete the file; `connector init` has some"),
    ],
    "field_mapped_twice": [
        (5, 6, "salesforce field Name is mapped twice (first in line 4)", "map each field once"),
    ],
    "fields_is_text": [
        (3, 1, "fields: should be a list", "write `[one, two]`, or one `- …` a line"),
    ],
    "half_a_character": [
        (
            4,
            24,
            "has half a character: `\\ud800` to `\\udfff` stand for none by themselves",
            "write the character itself",
        ),
    ],
    "impossible_date": [
        (1, 0, "is not YAML: day is out of range for month", "put values that are meant as text in quotes"),
    ],
    "key_stands_twice": [
        (8, 5, "has the key `rule` twice", "keep one of the two lines"),
    ],
    "latin_1": [
        (2, 4, "is not UTF-8 text: the byte 0xFC stands for no character", "save it as UTF-8"),
    ],
    "match_key_first": [
        (3, 0, "match_on: `id` comes first: a stored id is believed before anything else", "begin with `id`"),
    ],
    "match_key_unknown": [
        (3, 16, "match_on: account-company is not matched on 'domian'", "did you mean `domain`?"),
    ],
    "merge_bomb": [
        (
            7,
            1,
            "pair: should be one of account-company, contact-contact, opportunity-deal, not {'k1': 1, 'k2': 2}",
            "use one of these",
        ),
    ],
    "merge_into_itself": [
        (4, 0, "is not YAML: a tag (`!!…`) or a merge (`<<`) in it makes no sense", "write the values out"),
    ],
    "missing_comma": [
        (5, 32, "lacks a comma or a `}`", "put it before this place"),
    ],
    "nested": [
        (2, 0, "is nested too deeply", "a mapping is three or four levels deep"),
    ],
    "nul": [
        (
            2,
            0,
            "has a NUL byte (number 39 of the file): it is damaged, or not UTF-8 text",
            "restore it, or save it as UTF-8",
        ),
    ],
    "number_for_text": [
        (9, 7, "fields entry 2, values, New: should be text", "put it in quotes: '7'"),
    ],
    "only_comments": [
        (0, 0, "is empty", "write a mapping, or delete the file; `connector init` has some"),
    ],
    "open_brace": [
        (5, 5, "has a bracket that is never closed with `}`", "put `}` at its end"),
    ],
    "open_bracket": [
        (2, 12, "has a bracket that is never closed with `]`", "put `]` at its end"),
    ],
    "open_quote": [
        (5, 18, "has a quote that is never closed", "close it"),
    ],
    "property_mapped_twice": [
        (5, 31, "hubspot field dealname is mapped twice (first in line 4)", "map each field once"),
    ],
    "role_file_typo": [
        (2, 1, "lables: is not a known key", "did you mean `labels`?"),
    ],
    "scope_with_typo": [
        (5, 8, "scope.salesforce.all entry 1, feild: is not a known key", "did you mean `field`?"),
    ],
    "scope_without_question": [
        (
            5,
            7,
            (
                "scope.salesforce.all entry 1: a condition is a `field` and one of is, is_not, in, not_in, "
                "contains, at_least, at_most, filled, blank; or it is a list under `all` or `any`"
            ),
            "e.g. {field: Type, is: Customer}",
        ),
    ],
    "sign_of_yaml": [
        (5, 18, "has a value that begins with a sign of YAML's own", "put it in quotes"),
    ],
    "stage_alone": [
        (
            5,
            5,
            "fields entry 2: a stage is two fields a side, everything else is one",
            "name one field, or use `transform: stage`",
        ),
    ],
    "stage_with_one_property": [
        (
            5,
            5,
            "fields entry 2: name as many Salesforce fields as HubSpot properties",
            "a stage has two of each, all else one",
        ),
    ],
    "tab": [
        (6, 1, "has a tab where YAML wants spaces", "replace the tab by spaces"),
    ],
    "two_colons": [
        (
            2,
            19,
            "has a second `: ` on one line, or is indented too far",
            "indent it like its neighbours, and put text that holds `: ` in quotes",
        ),
    ],
    "two_documents": [
        (5, 1, "has a second document", "take the line `---` out"),
    ],
    "typo_at_the_top": [
        (3, 1, "feilds: is not a known key", "did you mean `fields`?"),
    ],
    "typo_in_key": [
        (5, 43, "fields entry 2, tranform: is not a known key", "did you mean `transform`?"),
    ],
    "typo_in_required_key": [
        (5, 26, "fields entry 2, hubspt: is not a known key", "did you mean `hubspot`?"),
    ],
    "typo_in_rule": [
        (
            5,
            62,
            (
                "fields entry 2, rule: should be one of prefer_salesforce_unless_blank, always_salesforce, "
                "two_way, dont_sync, always_hubspot, hold, not always_salesfroce"
            ),
            "did you mean `always_salesforce`?",
        ),
    ],
    "typo_in_transform": [
        (
            5,
            43,
            (
                "fields entry 2, transform: should be one of text, number, date, day, datetime, boolean, "
                "picklist, multi_picklist, email, phone, url, domain, country, state, owner, reference, "
                "stage, not nubmer"
            ),
            "did you mean `number`?",
        ),
    ],
    "unknown_alias": [
        (5, 5, "uses an alias (`*name`) that no `&name` defines", "write the value out"),
    ],
    "unknown_tag": [
        (1, 0, "is not YAML: a tag (`!!…`) or a merge (`<<`) in it makes no sense", "write the values out"),
    ],
    "utf_16": [
        (1, 0, "is UTF-16 text, not UTF-8", "save it as UTF-8"),
    ],
    "utf_16_without_mark": [
        (
            1,
            0,
            "has a NUL byte (number 2 of the file): it is damaged, or not UTF-8 text",
            "restore it, or save it as UTF-8",
        ),
    ],
    "values_without_picklist": [
        (
            5,
            5,
            "fields entry 2: `values` belongs to `transform: picklist`, `multi_picklist`, `country`, `state`",
            "add that, or take it out",
        ),
    ],
    "word_for_boolean": [
        (5, 43, "fields entry 2, at_creation_only: should be true or false", "write true or false"),
    ],
    "wrong_indent": [
        (5, 4, "is not indented like the lines before it", "indent it like its neighbours"),
    ],
    "wrong_pair": [
        (
            1,
            1,
            "pair: should be one of account-company, contact-contact, opportunity-deal, not opportunity-deals",
            "did you mean `opportunity-deal`?",
        ),
    ],
    "wrong_side": [
        (
            2,
            22,
            "create_in entry 2: should be one of salesforce, hubspot, not sales_force",
            "did you mean `salesforce`?",
        ),
    ],
}

BOMBS = {"bomb", "merge_bomb"}
"""Of these the first finding is told here: there is one for each alias."""


def find(path):
    """What is wrong with one file, as (line, column, message, remedy)."""
    return [(one.line, one.column, one.message, one.remedy) for one in read_mapping([path], SETTINGS).findings]


def test_F3_there_are_many_broken_files_and_each_is_told_here():
    """None is kept that no line below is about."""
    assert {path.stem for path in BROKEN.glob("*.yaml")} == FOUND.keys()
    assert len(FOUND) > 40


@pytest.mark.parametrize("name", FOUND)
def test_F3_a_broken_file_is_told_in_words_with_its_line(name):
    """What happened, where, and what to do."""
    found = find(BROKEN / f"{name}.yaml")
    assert (found[:1] if name in BOMBS else found) == FOUND[name]
    assert len(found) < 50
    assert all(remedy for *_, remedy in found)


def test_F3_the_command_tells_all_broken_files_at_once(tmp_path, monkeypatch):
    """The same words, as JSON and as text, exit code 2, and no traceback; no store is made beside them."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BROKEN, tmp_path / "mappings")
    result = CliRunner().invoke(app, ["mappings", "validate", "--json"], catch_exceptions=False)
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    by_file = {}
    for one in told["findings"]:
        row = (one["line"], one["column"], one["message"], one["remedy"])
        by_file.setdefault(Path(one["where"]).stem, []).append(row)
    for name, expected in FOUND.items():
        assert set(expected) <= set(by_file[name])
    assert not (tmp_path / "connector.db").exists()


def test_F3_the_command_tells_a_broken_file_as_text(tmp_path, monkeypatch):
    """With a place that can be clicked, and what to do on the line below."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "deals.yaml").write_bytes((BROKEN / "typo_in_key.yaml").read_bytes())
    text = CliRunner().invoke(app, ["mappings", "validate"], catch_exceptions=False)
    assert text.exit_code == 2
    assert text.stdout.splitlines()[:2] == [
        "mappings/deals.yaml:5:43: error: fields entry 2, tranform: is not a known key",
        "    → did you mean `transform`?",
    ]


# --- what no file can be kept for -------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mapping.yaml"


def test_F3_a_folder_is_no_file(path):
    """Though it be called `….yaml`."""
    path.mkdir()
    assert find(path) == [(0, 0, "is a folder", "give it another name, or move it elsewhere")]


def test_F3_a_link_in_a_circle_is_told(path):
    """It cannot be followed."""
    path.symlink_to(path)
    ((_, _, message, remedy),) = find(path)
    assert message.startswith("cannot be read: ")
    assert remedy == "let this user read it, or put a file in its place"


def test_F3_a_link_to_nowhere_is_told(path):
    """The file that it names is not there."""
    path.symlink_to(path.with_name("gone.yaml"))
    assert find(path) == [(0, 0, "there is no such file", "run `connector init`")]


def test_F3_a_pipe_is_not_waited_for(path):
    """It would never end."""
    os.mkfifo(path)
    assert find(path) == [(0, 0, "is not a file", "put a YAML file in its place")]


def test_F3_an_endless_file_ends(path):
    """What is far larger than any mapping is not read to its end."""
    with path.open("wb") as opened:
        opened.truncate(2_000_000)
    remedy = "a mapping file has a few kilobytes: see what this one is"
    assert find(path) == [(0, 0, "is larger than 1 MB", remedy)]


def test_F3_a_file_that_may_not_be_read_is_told(path, monkeypatch):
    """By the words of the operating system."""
    path.write_text("pair: opportunity-deal", encoding="utf-8")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    ((_, _, message, _),) = find(path)
    assert message == "cannot be read: Permission denied"


# --- accidents --------------------------------------------------------------------------------------------

PIECES = [
    "\t", "{", "}", "[", "]", ": ", "- ", "'", '"', "#", "&a", "*a", "<<: *a", "|", "!!int ", "\n", "\x00", "é",
    "pair: contact-role\n", "two_way", "date", "salesforce: ", "fields:\n", "9999999999", "2026-99-99",
]  # fmt: skip


@settings(max_examples=50)
@given(text=damaged(GOOD, PIECES))
def test_F3_a_damaged_file_makes_a_mapping_or_is_explained(tmp_path_factory, text):
    """Never a traceback; a finding lies on a line of the file, and says what to do."""
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_text(text, encoding="utf-8")
    read = read_mapping([path], SETTINGS)
    assert bool(read.files) or bool(read.findings)
    for one in read.findings:
        assert 0 <= one.line <= text.count("\n") + 1
        assert one.message
        assert one.remedy, one
