"""A backup is put back: the store is older than both CRMs, and the next run spoils nothing (laws 1, 6, 7)."""

from __future__ import annotations

import os
import resource
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from engine.lab import Lab
from engine.test_crashes import view
from engine.undoing import undo_run

from connector.engine.restore import UNKNOWN_RUNS, restore, turn_back
from connector.errors import BadConfiguration, Busy, Fault, StoreUnusable
from connector.store.backup import back_up
from connector.store.holder import Holder
from connector.store.store import Store

DEAL_TO_CONTACT = 3


@pytest.fixture(scope="module")
def original():
    """A business in both CRMs, at rest; made once, to be copied."""
    lab = Lab()
    lab.business(Amount=100)
    lab.opportunity("Second deal", Amount=5)
    lab.opportunity("Third deal", Amount=7)
    lab.sync_until_rest()
    return lab


@pytest.fixture
def lab(original):
    return original.copy()


def put_back(lab, backup):
    """The same CRMs, with the store as it was once."""
    restored = lab.copy(store=backup)
    turn_back(restored.store, {})
    return restored


def edits(lab):
    """Both sides of what is linked, some fields twice, and one back to what it was."""
    for amount in ("300", "100"):
        lab.hs_edit("deals", deal(lab, "Second deal"), amount=amount)
        lab.sync_until_rest()
        lab.sf_edit("Opportunity", opportunity(lab, "Big deal"), Amount=float(amount) + 1, StageName="Closed Won")
        lab.sf_edit("Account", lab.sf_all("SELECT Id FROM Account")[0]["Id"], Phone=f"+1 555 0{amount}")
        lab.sync_until_rest()


def creations(lab):
    """New records on both sides, whose partners the connector makes."""
    account = lab.sf_create("Account", Name="Umbrella", Website="umbrella.example")
    lab.opportunity("New in Salesforce", AccountId=account)
    stage = lab.stages(lab.pipeline())["Prospecting"]
    lab.hs_create(
        "deals",
        dealname="New in HubSpot",
        pipeline=lab.pipeline(),
        dealstage=stage,
        closedate="2026-09-01T00:00:00Z",
    )


def deletions(lab):
    """A deal goes with its opportunity (D1); an opportunity stays when its deal goes (D2)."""
    lab.sf_delete("Opportunity", opportunity(lab, "Second deal"))
    lab.hs_delete("deals", deal(lab, "Third deal"))


def roles(lab):
    """A role comes in Salesforce, and another one goes in HubSpot."""
    contact = lab.sf_all("SELECT Id FROM Contact")[0]["Id"]
    lab.role(opportunity(lab, "Second deal"), contact)
    lab.sync_until_rest()
    big = deal(lab, "Big deal")
    (person,) = lab.hs_associated("deals", big, "contacts")
    lab.hs("DELETE", f"/crm/v4/objects/deals/{big}/associations/contacts/{person}")


def opportunity(lab, name):
    return lab.sf_all(f"SELECT Id FROM Opportunity WHERE Name = '{name}'")[0]["Id"]


def deal(lab, name):
    return next(id_ for id_, one in lab.hs_all("deals", "dealname").items() if one["dealname"] == name)


@pytest.mark.parametrize("happened", [edits, creations, deletions, roles])
def test_D6_a_run_on_an_older_store_changes_nothing_that_is_in_step(lab, happened):
    """Whatever was synced since the backup is recognised: nothing is written, deleted or made twice."""
    backup = lab.durable_store()
    happened(lab)
    lab.sync_until_rest()
    lab.advance(days=3)
    before = view(lab)
    restored = put_back(lab, backup)
    restored.sync_until_rest()
    assert view(restored) == before
    restored.sf_edit("Opportunity", opportunity(restored, "Big deal"), Amount=77)
    restored.sync_until_rest()
    assert float(restored.hs_get("deals", deal(restored, "Big deal"), "amount")["amount"]) == 77


def test_F2_edits_since_the_last_sync_travel_from_an_older_store_too(lab):
    """What people did after the last run is not taken for what was agreed on."""
    backup = lab.durable_store()
    lab.hs_edit("deals", deal(lab, "Second deal"), amount="300")
    lab.sync()
    lab.sf_edit("Opportunity", opportunity(lab, "Third deal"), Amount=700)
    lab.hs_edit("deals", deal(lab, "Second deal"), amount="500")
    restored = put_back(lab, backup)
    restored.sync_until_rest()
    amounts = {
        one["dealname"]: float(one["amount"]) for one in restored.hs_all("deals", "dealname", "amount").values()
    }
    assert (amounts["Third deal"], amounts["Second deal"]) == (700, 500)
    found = restored.sf_all("SELECT Amount FROM Opportunity WHERE Name = 'Second deal'")
    assert found[0]["Amount"] == 500


def test_X2_an_undo_that_was_under_way_in_a_backup_is_not_begun_anew(lab):
    """It came to its end since; what people typed after it stays, although it is what the undone run wrote."""
    big = opportunity(lab, "Big deal")
    lab.sf_edit("Opportunity", big, Amount=200)
    run = lab.sync().run
    under_way = []

    def photograph():
        running = "SELECT count(*) FROM run WHERE kind = 'undo' AND finished IS NULL"
        if not under_way and lab._database.execute(running).fetchone() == (1,):
            under_way.append(lab.durable_store())

    with lab.watching(photograph):
        undo_run(lab, run)
    assert float(lab.hs_get("deals", deal(lab, "Big deal"), "amount")["amount"]) == 100
    lab.sf_edit("Opportunity", big, Amount=200.5)
    lab.sync_until_rest()
    lab.sf_edit("Opportunity", big, Amount=200)
    lab.sync_until_rest()
    restored = put_back(lab, under_way[0])
    restored.sync_until_rest()
    assert float(restored.hs_get("deals", deal(restored, "Big deal"), "amount")["amount"]) == 200


# --- files ------------------------------------------------------------------------------------------------


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def now(lab):
    return lab.clock.now


@pytest.fixture
def path(lab, url, tmp_path, now):
    """The lab's store as a file, in which there are two connections."""
    path = tmp_path / "store.db"
    path.write_bytes(lab.durable_store())
    Store.open(url, "other", now).close()
    return path


def last_runs(url, now):
    stores = Store.open_all(url, now)
    found = [one.runs.page(1)[0] for one in stores]
    for one in stores:
        one.close()
    return found


def count_links(url, now):
    store = Store.open(url, "default", now)
    found = store.links.count("opportunity-deal")
    store.close()
    return found


def test_a_backup_put_back(path, url, tmp_path, now):
    """What was lost is there again; what was there is kept; and it is noted in each connection's runs."""
    backup = tmp_path / "backup.db"
    contents = back_up(path, backup)
    assert (contents.links, contents.revision) == (5, contents.revision)
    with closing(sqlite3.connect(path)) as harm:
        harm.execute("DELETE FROM link")
        harm.commit()
    assert count_links(url, now) == 0
    done = restore(url, backup, now)
    assert count_links(url, now) == 3
    notes = last_runs(url, now)
    assert [(one["status"], one["report"]["kind"], one["report"]["file"]) for one in notes] == [
        ("by hand", "restore", "backup.db")
    ] * 2
    assert done.run == notes[-1]["run"]
    assert count_links(f"sqlite:///{done.replaced}", now) == 0
    assert backup.exists()
    left = {one.name for one in tmp_path.iterdir()}
    assert left == {"store.db", "backup.db", Path(done.replaced).name}


def test_numbers_of_runs_are_not_given_twice(path, url, tmp_path, now):
    """The runs since the backup keep their numbers for themselves, so that no undo takes back another one."""
    backup = tmp_path / "backup.db"
    back_up(path, backup)
    store = Store.open(url, "default", now)
    for _ in range(7):
        store.runs.finish(last := store.runs.begin(), "ok", {})
    store.close()
    assert restore(url, backup, now).run > last
    store = Store.open(url, "default", now)
    assert store.runs.begin() > last + 1
    store.close()


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"garbage" * 3000)])
def test_a_backup_in_the_place_of_what_cannot_be_read(path, url, tmp_path, now, harm):
    """It is kept, whatever it is; and since nobody knows its runs, many numbers are left out."""
    backup = tmp_path / "backup.db"
    before = back_up(path, backup).last_run
    harm(path)
    garbage = path.read_bytes() if path.exists() else None
    done = restore(url, backup, now)
    assert done.run > before + UNKNOWN_RUNS
    assert count_links(url, now) == 3
    assert (Path(done.replaced).read_bytes() if done.replaced else None) == garbage


def test_no_store_is_replaced_under_a_run(path, url, tmp_path, now):
    """While one is under way nothing is put back; after it, the calls that were made still count (E3)."""
    backup = tmp_path / "backup.db"
    back_up(path, backup)
    store = Store.open(url, "other", now)
    with store.runs.lease():
        with pytest.raises(Busy, match="under way"):
            restore(url, backup, now)
        store.runs.remember("calls/hubspot", {"2026-03-02T09": 12})
    store.close()
    restore(url, backup, now)
    store = Store.open(url, "other", now)
    assert store.runs.read("calls/hubspot") == {"2026-03-02T09": 12}
    store.close()


@pytest.mark.parametrize("says_who", [True, False])
def test_a_run_that_was_killed_holds_up_no_restore_if_its_process_is_known(path, url, tmp_path, now, says_who):
    """The lease of a process that is gone is not waited for; that of an older version, which names none, is."""
    backup = tmp_path / "backup.db"
    back_up(path, backup)
    ends = now().timestamp() + 60
    killed = replace(Holder.here(), tick="1")
    with closing(sqlite3.connect(path)) as store:
        if says_who:
            store.execute(
                "INSERT INTO lease (connection_id, token, expires, host, pid, place, tick)"
                " SELECT min(id), 'killed', ?, ?, ?, ?, ? FROM connection",
                (ends, killed.host, killed.pid, killed.place, killed.tick),
            )
        else:
            for name in ("taken", "host", "pid", "place", "tick"):
                store.execute(f"ALTER TABLE lease DROP COLUMN {name}")
            store.execute("INSERT INTO lease SELECT min(id), 'killed', ? FROM connection", (ends,))
        store.commit()
    if says_who:
        assert restore(url, backup, now).run
        assert count_links(url, now) == 3
    else:
        with pytest.raises(Busy, match="under way") as caught:
            restore(url, backup, now)
        assert "its lease ends in 60 s" in caught.value.remedy


def test_no_store_is_replaced_while_another_program_has_it_open(path, url, tmp_path, now, monkeypatch):
    """It would go on in a file that is no store any more. Nothing is changed, and no lease is left behind."""
    monkeypatch.setattr("connector.store.backup.BUSY_MILLISECONDS", 50)
    backup = tmp_path / "backup.db"
    back_up(path, backup)
    looker = Store.open(url, "default", now)
    assert looker.links.count("opportunity-deal") == 3
    with pytest.raises(StoreUnusable) as caught:
        restore(url, backup, now)
    assert caught.value.fault is Fault.LOCKED
    with looker.runs.lease():
        pass
    looker.close()
    assert {one.name for one in tmp_path.iterdir()} == {"store.db", "backup.db"}


def test_a_restore_that_fails_lets_runs_begin_again(path, url, tmp_path, now, monkeypatch):
    """A disk that fills up while the copy is made ready leaves everything as it was."""
    backup = tmp_path / "backup.db"
    back_up(path, backup)

    def fail(*_, **__):
        raise StoreUnusable(Fault.FULL, "full", "make room", "full")

    monkeypatch.setattr("connector.engine.restore.turn_back", fail)
    with pytest.raises(StoreUnusable, match="full"):
        restore(url, backup, now)
    store = Store.open(url, "default", now)
    with store.runs.lease():
        assert store.links.count("opportunity-deal") == 3
    store.close()
    assert {one.name for one in tmp_path.iterdir()} == {"store.db", "backup.db"}


def break_in_the_middle(path):
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 8 * 4096)
        file.write(b"\xa5" * 4 * 4096)


def make_newer(path):
    with closing(sqlite3.connect(path)) as future:
        future.execute("UPDATE alembic_version SET version_num = '9999'")
        future.commit()


def empty(path):
    path.unlink()
    sqlite3.connect(path).close()
    path.touch()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (Path.unlink, "there is no such file"),
        (lambda path: path.write_text("my notes" * 1000), "is no store: "),
        (empty, "is no store of this program"),
        (break_in_the_middle, "is damaged: "),
        (make_newer, "was written by a newer connector"),
    ],
)
def test_what_is_no_backup_is_refused(path, url, tmp_path, now, harm, said):
    """The store stays as it is."""
    backup = tmp_path / "backup.db"
    back_up(path, backup)
    harm(backup)
    with pytest.raises(BadConfiguration) as caught:
        restore(url, backup, now)
    (finding,) = caught.value.findings
    assert (finding.where, finding.message[: len(said)]) == (str(backup), said)
    assert finding.remedy
    assert count_links(url, now) == 3


@pytest.mark.parametrize("harm", [break_in_the_middle, lambda path: os.truncate(path, 6000)])
def test_a_damaged_store_gives_no_backup(path, tmp_path, harm):
    """It is named, and not its copy; the earlier backup of that name stays."""
    backup = tmp_path / "backup.db"
    back_up(path, backup)
    good = backup.read_bytes()
    harm(path)
    with pytest.raises(StoreUnusable) as caught:
        back_up(path, backup)
    assert caught.value.fault is Fault.DAMAGED
    assert str(path) in caught.value.message
    assert backup.read_bytes() == good
    assert {one.name for one in tmp_path.iterdir()} == {"store.db", "backup.db"}


def test_a_backup_for_which_there_is_no_room(path, tmp_path):
    """The place that has none is named; the earlier backup of that name stays, and nothing half-made does."""
    backup = tmp_path / "backup.db"
    back_up(path, backup)
    good = backup.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(good) // 2, before[1]))
    try:
        with pytest.raises(StoreUnusable) as caught:
            back_up(path, backup)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (caught.value.fault, caught.value.exit_code) == (Fault.OUT_OF_REACH, 4)
    assert str(backup) in caught.value.message
    assert backup.read_bytes() == good
    assert {one.name for one in tmp_path.iterdir()} == {"store.db", "backup.db"}


def test_a_backup_while_a_run_writes(path, url, tmp_path, now):
    """It is the store as it was before the transaction that is open, in one file, and its owner's alone."""
    path.chmod(0o640)
    backup = tmp_path / "backup.db"
    store = Store.open(url, "default", now)
    with store.transaction():
        store.runs.remember("half", 1)
        back_up(path, backup)
    store.close()
    assert backup.stat().st_mode & 0o777 == 0o600
    copy = Store.open(f"sqlite:///{backup}", "default", now)
    assert copy.runs.read("half") is None
    copy.close()


def test_X2_an_undo_that_an_older_store_never_heard_of_doubles_nothing(lab):
    """X2: what was made anew is found by whose it is, when the same run is undone again (law 7)."""
    lab.sf_delete("Opportunity", opportunity(lab, "Second deal"))
    lab.advance(minutes=2)
    run = lab.sync().run
    backup = lab.durable_store()
    undo_run(lab, run)
    restored = put_back(lab, backup)
    undo_run(restored, run)
    assert len(restored.hs_all("deals")) == 3
