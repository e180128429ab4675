"""CSV files, however a program or a person has left them: told with the line, or imported as the report says.

A file that is refused has written nothing. One that is imported has a row in the report for each record, and the
CRM has exactly as many contacts more as the report says were created.
"""

from __future__ import annotations

import csv
import io
from functools import cache
from typing import Any

import pytest
from engine.lab import Lab
from fuzz.oracle import end, tried
from fuzz.texts import damaged, encoded
from hypothesis import example, given
from hypothesis import strategies as st

from connector.engine.imports.sheet_run import import_sheet
from connector.engine.imports.sheets import make_order, read_sheet

HEADER = (
    "FirstName",
    "LastName",
    "Email",
    "Phone",
    "AccountId",
    "OwnerId",
    "Id",
    "Nobody",
    "",
    "LASTNAME",
    "=1+1",
    "É",
    "x" * 300,
)
CELLS = (
    "", " ", "Ada", "Lovelace", "ada@acme.example", "ADA@acme.example", "not a mail", "fox@acme.example",
    "Acme", "acme.example",
    '=HYPERLINK("http://x")', "+49 30 1", "-1", "@x", "a,b", "a;b", "a\tb", "a\nb", "a\r\nb", 'a"b', '"', '""',
    "'", "\\", "é\u202e",
    "\ufeff", "\u2028", "x" * 70_000, "9" * 5_000, "1e999", "0030000000000000AA", "003", "null", "TRUE",
    "2026-99-99", "\x1b[2J",
    "[red]", "{{7*7}}", "\x07", "\x7f",
)  # fmt: skip
GOOD = (
    "FirstName,LastName,Email\nAda,Lovelace,ada@acme.example\nGrace,Hopper,grace@acme.example\n",
    'LastName;Email;Phone\n"Love;lace";ada@acme.example;"+49\n30"\n',
    "Email\tLastName\nfox@acme.example\tFox\n",
)
PIECES = (
    '"', '""', ",", ";", "\t", "\n", "\r", "\r\n", "\n\n", '"\n', ',"', "\x00", "\x1a", "\ufeff", "é", "'",
    "=", ",,,,", "x,y,z\n",
)  # fmt: skip
FORMS = st.sampled_from((csv.excel, csv.excel, csv.excel_tab, csv.unix_dialect))


@st.composite
def sheets(draw: Any) -> str:
    header = draw(
        st.lists(st.sampled_from(HEADER[:5] * 3 + HEADER), min_size=1, max_size=5, unique=draw(st.booleans()))
    )
    width = len(header)
    ragged = draw(st.integers(0, 9)) == 0
    rows = draw(
        st.lists(
            st.lists(st.sampled_from(CELLS), min_size=0 if ragged else width, max_size=width + ragged), max_size=4
        )
    )
    out = io.StringIO()
    writer = csv.writer(out, draw(FORMS), delimiter=draw(st.sampled_from((",", ",", ";", "\t"))))
    writer.writerows([header, *rows])
    return out.getvalue()


@cache
def before() -> tuple[Lab, bytes, bytes]:
    lab = Lab()
    lab.business()
    lab.sync_until_rest()
    return lab, lab.durable_crms(), lab.durable_store()


@tried(15)
@given(
    data=encoded(st.one_of(sheets(), sheets(), damaged(GOOD, PIECES), st.text(max_size=40))),
    to=st.sampled_from(("hubspot", "hubspot", "salesforce")),
    overwrite=st.booleans(),
)
@example(data=b"LastName,Email\n", to="hubspot", overwrite=False)
@example(data=b"", to="hubspot", overwrite=False)
@example(data=b"LastName,Email\r\x00", to="hubspot", overwrite=False)
@example(data=b"LastName\n" + b'"' + b"x" * 200_000 + b'"\n', to="hubspot", overwrite=False)
@example(data=b"LastName,Email\rFox,a@b.example\rOwl,c@d.example\r", to="hubspot", overwrite=False)
def test_a_sheet_is_imported_as_told_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, to: str, overwrite: bool
) -> None:
    """Nothing is written that the report does not tell."""
    lab, crms, store = before()
    lab = lab.copy(crms, store)
    path = tmp_path_factory.getbasetemp() / "sheet.csv"
    path.write_bytes(data)
    rows: list[Any] = []
    reports: list[Any] = []

    def bring() -> None:
        sheet = read_sheet(path)
        order = make_order(str(path), sheet.digest, "contacts", to, overwrite=overwrite)
        reports.append((sheet, import_sheet(lab.connection(), order, sheet, rows=rows.extend)))

    there = count(lab, to)
    stop = end(bring)
    created = sum(one.outcome == "created" for one in rows)
    assert count(lab, to) - there == created, (stop, rows)
    if stop is None:
        sheet, _ = reports[0]
        assert len(rows) == sheet.total, rows


def count(lab: Lab, side: str) -> int:
    return len(lab.hs_all("contacts")) if side == "hubspot" else len(lab.sf_all("SELECT Id FROM Contact"))
