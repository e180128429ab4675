"""Values that look like markup, formulas or commands of a terminal: they are shown, and do nothing."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
from functools import cache
from html.parser import HTMLParser
from io import StringIO

from cli.conftest import Crms, Run
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.cli.printing import plan_page
from connector.cli.printing.imports import guard, write_rows
from connector.cli.printing.terminal import Screen, make_json, show_controls
from connector.core.model import Change, Side
from connector.engine.report import Report, Written
from connector.store.imports import Row

MARKUP = (
    "<script>alert(1)</script>", "</td></tr></table>", "<img src=x onerror=alert(1)>", "&lt;b&gt;", "{{ 7*7 }}",
    '" onmouseover="x', "{% raw %}", "]]>", "<!--", "</script>", "javascript:alert(1)", "'>", "<style>*{}</style>",
)  # fmt: skip
texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(MARKUP)
TOLD = {
    "planned_at": "2026-03-02T09:00:00+00:00",
    "planned_for": {"connection": "default", "salesforce": "https://acme.my.salesforce.com"},
}


class Page(HTMLParser):
    """What a browser would see of a page: its tags with their attributes, its texts, its scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def handle_comment(self, data):
        self.tags.append(("comment", data))


def make_page(value, make=plan_page.make_html):
    report = Report()
    change = Change(field=value, old=value, new=value, rule=value, cause=value)
    report.actions = [
        Written("update", Side.HUBSPOT, value, value, value, [change]),
        Written("create", Side.SALESFORCE, value, None, value, [change]),
    ]
    report.notes, report.made = [value], [value]
    return make(report, {**TOLD, "planned_for": {"connection": value, "salesforce": value}})


@cache
def plain_page(make=plan_page.make_html):
    return make_page("x", make)


@settings(max_examples=25)
@given(texts)
def test_a_value_is_text_of_a_page_and_never_markup(value):
    """The page has the same tags and attributes whatever the values, and shows them as they are."""
    page, plain = Page(make_page(f"x{value}")), Page(plain_page())
    assert page.tags == plain.tags
    shown = show_controls(f"x{value}").replace("\r\n", "\n").replace("\r", "\n")
    assert sum(shown in text for text in page.texts) >= 10


def test_a_browser_runs_no_script_in_a_page_but_its_own():
    """The page's policy names the hash of its one script, and nothing can be loaded or sent anywhere."""
    text = make_page("x")
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hash_ = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    ((_, policy),) = [tag[1] for tag in Page(text).tags if ("http-equiv", "Content-Security-Policy") in tag[1]]
    rules = dict(one.strip().split(" ", 1) for one in policy[1].split(";"))
    assert rules == {
        "default-src": "'none'", "style-src": "'unsafe-inline'", "script-src": f"'sha256-{hash_}'",
        "form-action": "'none'", "base-uri": "'none'",
    }  # fmt: skip
    assert "on" not in {name[:2] for _, attributes in Page(text).tags for name, _ in attributes}


@settings(max_examples=25)
@given(texts)
def test_a_value_makes_no_markup_of_markdown(value):
    """Nothing that means something to Markdown or HTML stands bare in a cell, and no line is added."""
    text, plain = make_page(f"x{value}", plan_page.make_markdown), plain_page(plan_page.make_markdown)
    assert text.count("\n") == plain.count("\n")
    for sign in "|<>[&`":
        assert len(re.findall(rf"(?<!\\)(?:\\\\)*\{sign}", text)) == len(re.findall(rf"(?<!\\)\{sign}", plain))
    assert show_controls(text) == text


# --- tables -----------------------------------------------------------------------------------------------

FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "'=1", "''=1", "\xa0=1", "＝1", "=HYPERLINK(1)",
)  # fmt: skip


@settings(max_examples=50)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20) | st.sampled_from(FORMULAS))
def test_no_cell_of_a_report_is_a_formula_and_all_are_read_back(tmp_path_factory, value):
    """A spreadsheet calculates nothing; whoever takes one apostrophe off has the value as it was."""
    path = tmp_path_factory.getbasetemp() / "hostile.csv"
    write_rows(path, [Row("1", value, value, value, value, value)])
    cells = list(csv.reader(StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))[1]
    assert len(cells) == 6
    for cell in cells:
        assert not cell.lstrip(" \xa0").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    told = cells[5]
    assert (told[1:] if told.startswith("'") and guard(told[1:]) == told else told) == value


# --- terminals --------------------------------------------------------------------------------------------

ACTING = "[red]x[/] \x1b[2J\x1b]0;title\x07 \x9b31m \u202ereversed [/nonsense] \\[bold]"


@settings(max_examples=50)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30) | st.just(ACTING))
def test_no_text_acts_on_a_terminal(value):
    """Whether it is printed as a text, in a table, or as a text of rich's own."""
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    screen = Screen(file=StringIO(), width=200, force_terminal=True, color_system=None)
    table = Table("one", "two", box=None)
    table.add_row(escape(value), Text(value))
    screen.print(escape(value), Text(value), table)
    told = screen.file.getvalue()
    assert show_controls(told) == told


def test_json_keeps_every_character():
    """Programs get the value itself; what would act is escaped by JSON's own rules."""
    text = make_json({"name": ACTING})
    assert show_controls(text) == text
    assert "\\u001b[2J" in text


def test_a_record_with_a_hostile_name_is_only_named(connected: Run, crms: Crms) -> None:
    """From a CRM through the store to the terminal: markup is shown as it is, an escape as a sign."""
    id_ = str(crms.salesforce.query("SELECT Id FROM Account ORDER BY Id LIMIT 1")[0]["Id"])
    connected("sync")
    crms.salesforce.update("Account", id_, Name=ACTING)
    for command in (
        ("plan", "--all"),
        ("plan", "--format", "markdown"),
        ("sync",),
        ("explain", id_),
        ("runs", "2"),
    ):
        result = connected(*command)
        assert result.exit_code == 0, result.output
        assert show_controls(result.output) == result.output
        if command[0] in {"plan", "explain"}:
            assert "red" in result.output
            assert "␛" in result.output
