"""Do the database's files still hold bytes of what was deleted?

That is remembered until they do not, so that a process may die in between.
"""

from __future__ import annotations

from connector.store.store import Store

TO_WIPE = "to wipe"


def note_deleted(store: Store) -> None:
    """Something is deleted, in this very transaction, of which no byte may stay."""
    store.runs.remember(TO_WIPE, True)


def wipe(store: Store) -> bool:
    """Write the database anew, if that is due. Returns whether nothing of the kind is left in it."""
    if not store.runs.read(TO_WIPE):
        return True
    wiped = store.wipe()
    if wiped:
        store.runs.remember(TO_WIPE, False)
    return wiped
