"""`import`: how it is asked for, what it prints and writes, and how it ends."""

from __future__ import annotations

import csv
from errno import ENOSPC
from pathlib import Path
from unittest.mock import patch

import pytest
from cli.conftest import Crms, Run, read_json

from connector.cli.printing.imports import guard, progress, write_rows
from connector.store.imports import Row

KEYS = {
    "import", "run", "status", "dry_run", "resumed", "selection", "selected", "way", "ways", "records",
    "associations", "api_calls", "calls_to_write", "made", "notes", "seconds",
}  # fmt: skip


def read_report(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_an_import_from_salesforce(connected: Run, crms: Crms, folder: Path) -> None:
    """A rehearsal with a report, the import, and the same again: counts, price, one row a record, exit code 0."""
    told = connected("import", "opportunities", "--dry-run", "--report", "before.csv")
    assert (told.exit_code, told.stderr) == (0, "")
    assert "nothing was written" in told.stdout
    assert "unmatched, would be created" in told.stdout
    rows = read_report(folder / "before.csv")
    assert {row["outcome"] for row in rows if row["object"] == "Opportunity"} == {"unmatched"}
    assert crms.hubspot.count("deals") == 0
    told = connected("import", "opportunities", "--report", "after.csv")
    assert told.exit_code == 0
    assert "read by REST: 1 call; in bulk it would be 5" in told.stdout
    assert "account(s) came first" in told.stdout
    rows = read_report(folder / "after.csv")
    assert sum(row["object"] == "Opportunity" for row in rows) == crms.hubspot.count("deals") == 10
    assert all(row["partner"] for row in rows)
    again = connected("import", "opportunities", "--json")
    told = read_json(again)
    assert (again.stderr, told.keys()) == ("", KEYS)
    assert [one["outcome"] for one in told["records"]] == ["unchanged"]


def test_a_report_that_cannot_be_written_leaves_only_itself_to_do(connected: Run, folder: Path) -> None:
    """The import is done but for the report; the same command again writes it."""
    with patch("connector.private_files.tempfile.mkstemp", side_effect=OSError(ENOSPC, "No space left on device")):
        told = connected("import", "accounts", "--report", "r.csv")
    assert (told.exit_code, "only writes the report" in told.stderr) == (2, True)
    told = connected("import", "accounts", "--report", "r.csv")
    assert told.exit_code == 0
    assert "from where it was cut short" in told.stdout
    assert {row["outcome"] for row in read_report(folder / "r.csv")} == {"created"}


def test_an_import_of_a_file(connected: Run, crms: Crms, folder: Path) -> None:
    """Either way into either side; the report names the line."""
    (folder / "firms.csv").write_text("Name,Website\nFirst,first.example\nSecond,second.example\n")
    order = ("import", "--from-csv", "firms.csv", "--object", "accounts", "--to")
    told = connected(*order, "hubspot", "--report", "report.csv")
    assert told.exit_code == 0, told.stderr
    assert crms.hubspot.count("companies") == 2
    rows = read_report(folder / "report.csv")
    assert [(row["record"], row["outcome"]) for row in rows] == [("line 2", "created"), ("line 3", "created")]
    told = read_json(connected(*order, "hubspot", "--json"))
    assert [(one["outcome"], one["number"]) for one in told["records"]] == [("unchanged", 2)]


def test_what_is_wrong_with_a_file_is_told_with_its_place(connected: Run, folder: Path) -> None:
    """File, line and column, exit code 2, and nothing is asked of a CRM for a file that cannot be read."""
    (folder / "x.csv").write_text("Name,Amount\nA,many\n")
    told = connected("import", "--from-csv", "x.csv", "--object", "deals", "--to", "hubspot")
    assert told.exit_code == 2
    assert "x.csv:2: column 'Amount': 'many' is not a number" in told.stderr
    assert "x.csv:1: has no column for dealstage" in told.stderr
    (folder / "x.csv").write_bytes("Näme\n".encode("latin-1"))
    told = connected(
        "import", "--from-csv", "x.csv", "--object", "deals", "--to", "hubspot", HUBSPOT_ACCESS_TOKEN="no"
    )
    assert (told.exit_code, "is not UTF-8" in told.stderr) == (2, True)


def test_a_condition_that_salesforce_does_not_understand(connected: Run) -> None:
    """Its words, behind plain ones; as JSON too, on stdout."""
    told = connected("import", "opportunities", "--where", "Foo = 1", "--json")
    assert told.exit_code == 2
    assert read_json(told)["error"]["findings"][0]["where"] == "--where"
    assert "lacks" in told.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "say what to import"),
        (("leads",), "none of"),
        (("accounts", "--resume"), "one of them"),
        (("--resume", "--limit", "3"), "goes alone"),
        (("--abandon", "--dry-run"), "goes alone"),
        (("accounts", "--to", "hubspot"), "--from-csv only"),
        (("accounts", "--by", "closed"), "none of"),
        (("--from-csv", "x.csv", "--object", "deals"), "is needed"),
        (("--from-csv", "x.csv", "--object", "deals", "--to", "hubspot", "--since", "2026-01-01"), "all are meant"),
        (("accounts", "--report", "nowhere/x.csv"), "no folder"),
        (("--resume",), "no import is unfinished"),
    ],
)
def test_wrong_usage(connected: Run, args: tuple[str, ...], said: str) -> None:
    """Exit code 2 and what to do; nothing is sent."""
    told = connected("import", *args)
    assert told.exit_code == 2
    assert said in " ".join(told.stderr.replace("│", " ").split())


def test_nothing_to_abandon(connected: Run) -> None:
    """It says so, as text and as JSON."""
    assert connected("import", "--abandon").stdout == "No import is unfinished.\n"
    assert read_json(connected("import", "--abandon", "--json")) == {"abandoned": False, "selection": None}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_report_holds_no_formula(tmp_path: Path, text: str) -> None:
    """What a spreadsheet would run gets an apostrophe; other text stays as it is."""
    assert guard(text) == f"'{text}"
    assert guard("Acme = 1") == "Acme = 1"
    write_rows(tmp_path / "r.csv", [Row("Account", "1", "held", detail=text)])
    assert read_report(tmp_path / "r.csv")[0]["detail"] == f"'{text}"
    assert [path.name for path in tmp_path.iterdir()] == ["r.csv"]


def test_progress_is_shown_on_terminals_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bar with numbers, rate and time left; nothing where stderr is no terminal."""
    with progress() as tell:
        tell("importing", 5, 10)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress() as tell:
        tell("importing", 0, 2000)
        tell("importing", 1000, 2000)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "1,000 of 2,000" in shown.err
    assert "50%" in shown.err
