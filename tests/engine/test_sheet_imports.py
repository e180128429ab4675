"""Importing a file into either side: matched, filled in, made once; checked whole before anything is written."""

from __future__ import annotations

import pytest
from engine.lab import Died, Lab

from connector.engine.imports import sheet_writes
from connector.engine.imports.sheet_run import import_sheet
from connector.engine.imports.sheets import make_order, read_sheet
from connector.engine.undo import undo
from connector.errors import BadConfiguration, Unreachable

PEOPLE = (
    "FirstName,LastName,Email,AccountId\n"
    "Ada,Lovelace,ADA@acme.example,Acme\n"
    "Grace,Hopper,grace@acme.example,acme.example\n"
)
DEALS = (
    "Name,StageName,CloseDate,Amount\n"
    "Small,Prospecting,2026-05-01,12.5\n"
    "Big,Closed Won,2026-06-01,1000\n"
    "Big,Closed Won,2026-06-01,1000\n"
)


@pytest.fixture
def lab():
    return Lab()


@pytest.fixture
def bring(lab, tmp_path):
    """Import text as a file; returns {line: (outcome, key)} and the report."""

    def act(text, object_, to, *, overwrite=False, dry_run=False, name="file.csv"):
        path = tmp_path / name
        path.write_text(text)
        sheet = read_sheet(path)
        order = make_order(str(path), sheet.digest, object_, to, overwrite=overwrite)
        rows = []
        report = import_sheet(lab.connection(), order, sheet, dry_run=dry_run, rows=rows.extend)
        lab.advance(minutes=6)
        return {int(one.record_id): (one.outcome, one.key) for one in rows}, report

    return act


def findings(act, *args, **kwargs):
    with pytest.raises(BadConfiguration) as refused:
        act(*args, **kwargs)
    return [(one.line, one.message) for one in refused.value.findings]


def people(lab):
    rows = lab.hs_all("contacts", "email", "firstname", "lastname", "associatedcompanyid", "phone")
    return {row["email"]: row for row in rows.values()}


# --- what becomes of lines --------------------------------------------------------------------------------


def test_I4_a_file_that_looks_like_salesforce_goes_to_hubspot(lab, bring):
    """New lines become records, by the mapping's transforms; whom it knows by e-mail is filled in where blank."""
    acme = lab.hs_create("companies", name="ACME", domain="acme.example")
    ada = lab.hs_create("contacts", email="ada@acme.example", firstname="Augusta")
    became, report = bring(PEOPLE, "contacts", "hubspot")
    assert (became, report.status) == ({2: ("updated", "email"), 3: ("created", "")}, "ok")
    found = people(lab)
    assert found["ada@acme.example"]["hs_object_id"] == ada
    assert found["ada@acme.example"]["firstname"] == "Augusta"
    assert found["ada@acme.example"]["lastname"] == "Lovelace"
    assert {one["associatedcompanyid"] for one in found.values()} == {acme}


def test_I4_values_are_replaced_only_if_asked(lab, bring):
    """With `--overwrite` the file wins where it has a value; its blanks clear nothing."""
    lab.hs_create("contacts", email="ada@acme.example", firstname="Augusta", lastname="King", phone="1")
    text = "firstname,lastname,email,phone\nAda,,ada@acme.example,2\n"
    assert bring(text, "contacts", "hubspot")[0] == {2: ("unchanged", "email")}
    assert bring(text, "contacts", "hubspot", overwrite=True)[0][2][0] == "updated"
    row = people(lab)["ada@acme.example"]
    assert (row["firstname"], row["lastname"], row["phone"]) == ("Ada", "King", "2")


def test_I4_a_file_goes_to_salesforce_as_well(lab, bring):
    """By field names of HubSpot, by labels, and by those of Salesforce: numbers, days, stages, owners by e-mail."""
    account = lab.sf_create("Account", Name="Acme", Website="acme.example")
    user = lab.sf_all("SELECT Id, Email FROM User WHERE IsActive = true")[0]
    text = (
        "dealname;Deal Stage;closedate;amount;primary_company;OwnerId\n"
        f"One;closed won;2026-05-01T10:00:00Z;12.50;Acme;{user['Email']}\n"
    )
    became, _ = bring(text, "deals", "salesforce")
    assert became == {2: ("created", "")}
    (row,) = lab.sf_all("SELECT Name, StageName, CloseDate, Amount, AccountId, OwnerId FROM Opportunity")
    del row["attributes"]
    assert row == {
        "Name": "One", "StageName": "Closed Won", "CloseDate": "2026-05-01", "Amount": 12.5, "AccountId": account,
        "OwnerId": user["Id"],
    }  # fmt: skip


def test_I4_lines_are_matched_by_ids_of_either_side(lab, bring):
    """An id of this side names the record; one of the other side its partner."""
    account = lab.sf_create("Account", Name="Acme")
    lab.sync()
    company = lab.partner("companies", account)
    text = f"Id,Name,Phone\n{account},Acme,1\n,Byte,2\n"
    assert bring(text, "companies", "hubspot")[0] == {2: ("updated", "id"), 3: ("created", "")}
    text = f"hs_object_id,description\n{company},Anvils\n"
    assert bring(text, "companies", "hubspot")[0] == {2: ("updated", "id")}
    row = lab.hs_get("companies", company, "phone", "description")
    assert (row["phone"], row["description"]) == ("1", "Anvils")


def test_I4_what_may_be_several_is_held(lab, bring):
    """By a name that two companies have, and by an e-mail that two lines have; nothing is guessed (A2)."""
    for _ in range(2):
        lab.hs_create("companies", name="Twin")
    assert bring("Name,Phone\nTwin,1\n", "accounts", "hubspot")[0] == {2: ("held", "name")}
    text = "LastName,Email\nA,a@x.example\nB,A@x.example\n"
    became, report = bring(text, "contacts", "hubspot")
    assert became == {2: ("created", ""), 3: ("held", "email")}
    assert report.status == "problems"


def test_I4_what_is_written_is_an_edit_that_syncs_on(lab, bring):
    """A deal of a file becomes an opportunity with the next sync, as one that a person made (O6)."""
    lab.sync()
    bring(DEALS, "opportunities", "hubspot")
    lab.sync_until_rest()
    assert sorted(row["Amount"] for row in lab.sf_all("SELECT Amount FROM Opportunity")) == [12.5, 1000, 1000]


def test_I4_every_write_is_journalled_with_its_line(lab, bring):
    """As part of a run: old value, new value, and the line that it came from."""
    ada = lab.hs_create("contacts", email="ada@acme.example", firstname="Augusta")
    _, report = bring("FirstName,Email\nAda,ada@acme.example\n", "contacts", "hubspot", overwrite=True)
    (entry,) = lab.store.journal.of_run(report.report.run)
    (change,) = entry["changes"]
    assert (entry["record_id"], entry["verb"], entry["state"]) == (ada, "update", "done")
    assert (change["old"], change["new"], change["cause"]) == ("Augusta", "Ada", "line 2 of file.csv")


def test_I3_a_dry_run_of_a_file_writes_nothing(lab, bring):
    """It tells what would become of each line, and the price."""
    lab.hs_create("contacts", email="grace@acme.example")
    lab.hs_create("companies", name="Acme", domain="acme.example")
    before = people(lab)
    became, report = bring(PEOPLE, "contacts", "hubspot", dry_run=True)
    assert became == {2: ("created", ""), 3: ("updated", "email")}
    assert (people(lab), lab.store.runs.last(), report.report.price["hubspot"] > 0) == (before, None, True)


def test_a_refused_line_is_told_and_the_others_go_on(lab, bring):
    """With what the CRM had against it (E1)."""
    became, report = bring("LastName,Email\nA,no address\nB,b@x.example\n", "contacts", "hubspot")
    assert (became, report.status) == ({2: ("refused", ""), 3: ("created", "")}, "problems")


# --- what is wrong with a file ----------------------------------------------------------------------------


def test_I4_unknown_columns_are_told_with_a_suggestion(lab, bring):
    """All of them, and fields that are there twice; nothing is written."""
    told = findings(bring, "Nam,Phone,Colour\nA,B,C\n", "accounts", "hubspot")
    assert told == [
        (1, "column 'Nam' is no mapped field of account-company"),
        (1, "column 'Colour' is no mapped field of account-company"),
    ]
    assert findings(bring, "Website,domain,Name\na,b,c\n", "accounts", "hubspot") == [
        (1, "the columns 'Website' and 'domain' are the same field (Website ↔ domain)")
    ]


def test_I4_required_columns_and_cells_are_told(lab, bring):
    """What a new record cannot do without, by the name of the field."""
    told = findings(bring, "Amount\n5\n", "opportunities", "salesforce")
    assert [message.split(",")[0] for _, message in told] == [
        f"has no column for {name}" for name in ("Name", "StageName", "CloseDate")
    ]
    told = findings(bring, "Name,StageName,CloseDate\n,Prospecting,2026-01-01\n", "opportunities", "salesforce")
    assert told == [(2, "Name is blank, which salesforce requires of a new record")]


def test_I4_bad_values_are_told_with_line_and_column(lab, bring):
    """Numbers, days, stages, companies, owners, ids: all at once, before anything is written."""
    text = (
        "Id,Name,StageName,CloseDate,Amount,AccountId,OwnerId\n"
        ",A,Prospecting,2026-01-01,1,,\n"
        ",B,Nowhere,01.02.2026,many,Nobody,x@y.example\n"
        "006000000000000AAA,C,Prospecting,2026-01-01,1,,\n"
    )
    told = findings(bring, text, "opportunities", "salesforce")
    assert [line for line, _ in told] == [3, 3, 3, 3, 3, 4]
    columns = ("StageName", "CloseDate", "Amount", "AccountId", "OwnerId")
    for column, (_, message) in zip(columns, told, strict=False):
        assert message.startswith(f"column {column!r}:")
    assert "no Opportunity with the id 006000000000000AAA" in told[-1][1]
    assert lab.sf_all("SELECT Id FROM Opportunity") == []
    assert lab.store.runs.last() is None


def test_I4_what_is_switched_off_is_not_imported(lab, bring):
    """The message names the setting (P1)."""
    lab.configure(SYNC__DEALS="false")
    assert "switched off" in findings(bring, DEALS, "deals", "hubspot")[0][1]


# --- twice, and cut short ---------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["hubspot", "salesforce"])
def test_I5_the_same_file_twice_writes_nothing(lab, bring, to):
    """Also deals, which no key finds again, and of which two lines may be alike."""
    first, report = bring(DEALS, "opportunities", to)
    assert (first, report.report.writes) == (dict.fromkeys((2, 3, 4), ("created", "")), 3)
    second, report = bring(DEALS, "opportunities", to)
    assert second == dict.fromkeys((2, 3, 4), ("unchanged", "earlier import"))
    assert report.report.writes == 0


def test_I5_what_was_imported_and_deleted_since_does_not_come_back(lab, bring):
    """A line whose record somebody deleted is left alone."""
    bring(DEALS, "opportunities", "hubspot")
    for id_, row in lab.hs_all("deals", "dealname").items():
        if row["dealname"] == "Small":
            lab.hs_delete("deals", id_)
    became, _ = bring(DEALS, "opportunities", "hubspot")
    assert became[2] == ("left_alone", "earlier import")
    assert len(lab.hs_all("deals")) == 2


@pytest.mark.parametrize("to", ["hubspot", "salesforce"])
@pytest.mark.parametrize("after_delivery", [False, True])
def test_I5_no_line_is_made_twice_whenever_the_process_dies(lab, bring, monkeypatch, to, after_delivery):
    """Killed at any request or commit of the writing, before or after it took effect, the file ends as if never."""
    monkeypatch.setattr(sheet_writes, "PORTION", 2)
    lab.sync()
    twin = lab.copy()
    died, at = True, 14  # the look before it writes nothing
    while died:
        lab.__dict__ |= twin.copy().__dict__
        lab.fate.strike_at, lab.fate.after_delivery = at, after_delivery
        try:
            bring(DEALS, "opportunities", to)
            died = False
        except Died:
            lab.fate.revive()
            lab.advance(minutes=6)
            bring(DEALS, "opportunities", to)
        names = (
            [row["Name"] for row in lab.sf_all("SELECT Name FROM Opportunity")]
            if to == "salesforce"
            else [row["dealname"] for row in lab.hs_all("deals", "dealname").values()]
        )
        assert sorted(names) == ["Big", "Big", "Small"], at
        at += 8
    assert at > 16


def test_I5_an_answer_of_salesforce_that_never_came_is_looked_for(lab, bring):
    """The batch got through, its answer did not: the run ends, and the next one finds the records."""
    lab.sync()
    set_up, look, creation = 1, 2, 3
    lab.sandbox_post("salesforce", "faults", {"kind": "cut", "path": "/composite", "nth": creation, "times": 1})
    with pytest.raises(Unreachable):
        bring(DEALS, "opportunities", "salesforce")
    lab.sandbox_post("salesforce", "faults", None, "DELETE")
    assert len(lab.sf_all("SELECT Id FROM Opportunity")) == creation, (set_up, look)
    became, report = bring(DEALS, "opportunities", "salesforce")
    assert (became, report.resumed) == (dict.fromkeys((2, 3, 4), ("created", "")), True)
    assert report.report.writes == 0
    assert len(lab.sf_all("SELECT Id FROM Opportunity")) == 3


def test_X2_what_an_import_made_without_hearing_of_it_is_undone_with_its_run(lab, bring):
    """Once it goes on, the journal says which record each creation made, and that one never was; so undo knows."""
    lab.sync()
    lab.fate.strike_at_write, lab.fate.after_delivery = 1, True
    with pytest.raises(Died):
        bring(DEALS, "opportunities", "salesforce")
    lab.fate.revive()
    lab.advance(minutes=6)
    gone = lab.sf_all("SELECT Id FROM Opportunity WHERE Name = 'Small'")[0]["Id"]
    lab.sf_delete("Opportunity", gone)
    bring(DEALS, "opportunities", "salesforce")
    cut_short = lab.store.runs.page(2)[1]["run"]
    made = {row["Id"] for row in lab.sf_all("SELECT Id FROM Opportunity WHERE Name = 'Big'")}
    told = [(one["state"], one["record_id"]) for one in lab.store.journal.of_run(cut_short)]
    assert told[0] == ("failed", None)
    assert {id_ for state, id_ in told[1:] if state == "done"} == made
    undo(lab.connection(), cut_short)
    assert [row["Name"] for row in lab.sf_all("SELECT Name FROM Opportunity")] == ["Small"]


def test_I2_a_changed_file_does_not_go_on_as_the_old_one(lab, bring):
    """It says what to do; another import is refused as well."""
    lab.sync()
    lab.fate.strike_at_write, lab.fate.after_delivery = 2, False
    with pytest.raises(Died):
        bring(DEALS, "opportunities", "hubspot")
    lab.fate.revive()
    lab.advance(minutes=6)
    assert findings(bring, f"{DEALS}X,Prospecting,2026-01-01,1\n", "opportunities", "hubspot") == [
        (0, "has changed since its import was cut short")
    ]
    assert "another import is unfinished" in findings(bring, PEOPLE, "contacts", "hubspot", name="o.csv")[0][1]
