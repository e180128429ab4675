"""Put a backup in the place of the store, and have the next run know what that means.

The store is older than both CRMs then, which is half-way to an empty one, and as safe: its cursors are older, so
all that changed since is read again; a record that was made since names its partner; what both sides agreed on
since looks like the same edit on both, and is adopted without a write (F2). What has to be seen to besides:

    in the backup                     what is done
    --------------------------------  -------------------------------------------------------------------------
    numbers of runs                   go on after those of the store that is replaced: `undo 12` never means another
    a lease                           ended: its run is no more
    an undo that was cut short        given up: it came to its end since, or a person says it again
    what is known of the CRMs' set-up forgotten: asked anew
    the API calls of the last 24 h    taken over from the store that is replaced (E3)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL

from connector.store.backup import Contents, copied_beside, find_file, put_in_place, read_backup, shut_out
from connector.store.database import load
from connector.store.store import Store

RESTORE = "restore"
UNKNOWN_RUNS = 10_000
"""How many numbers are left out where it cannot be read how many runs there were: a run each quarter of an hour for
more than three months."""
_OF_THE_CRMS = ("set-up", "labels", "labels tried")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back. `run` is its number among the runs, `replaced` where the former store is kept."""

    file: str
    contents: Contents
    run: int
    replaced: str | None


def restore(url: str, backup: Path, now: Callable[[], datetime]) -> Restored:
    """Put a backup in the place of the store at a URL, brought up to this program's schema.

    Raises:
        BadConfiguration: the store is no file, or the backup is damaged, no store or newer than this program.
        Busy: a run is under way.
        StoreUnusable: there is no room, or another program has the store open.
    """
    store = find_file(url)
    contents = read_backup(backup)
    with copied_beside(backup, store) as copy, shut_out(store, now()) as former:
        # Without a store, or with one that cannot be read, nobody knows how many runs there were.
        last = max(contents.last_run, former.last_run) if former else contents.last_run + UNKNOWN_RUNS
        run = _make_ready(copy, last, former.remembered if former else {}, backup, now)
        kept = put_in_place(copy, store, now())
    return Restored(str(backup), contents, run, None if kept is None else str(kept))


def _make_ready(
    copy: Path, last: int, remembered: dict[tuple[str, str], str], backup: Path, now: Callable[[], datetime]
) -> int:
    """Bring a copy of a backup up to date; returns the number under which it is noted."""
    stores = Store.open_all(URL.create("sqlite", database=str(copy)), now)
    try:
        for store in stores:
            last += 1
            with store.transaction():
                turn_back(store, remembered)
                store.runs.note_act(RESTORE, number=last, file=backup.name)
    finally:
        for store in stores:
            store.close()
    return last


def turn_back(store: Store, remembered: dict[tuple[str, str], str]) -> None:
    """See to what must not be as it was."""
    store.runs.end_lease()
    if (run := store.runs.find_cut_short()) is not None:
        store.runs.give_up(run.id)
    for stream in _OF_THE_CRMS:
        store.runs.remember(stream, None)
    for (name, stream), value in remembered.items():
        if name == store.name:
            store.runs.remember(stream, load(value))
