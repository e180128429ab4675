"""A working folder in which everything works: both sandboxes behind the commands, and a store with a past.

`connect` is given the sandboxes as its transports, so that a command runs as it is typed, in process, without a
socket.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fuzz.wire import Bending, BentLab

from connector.core.model import Side
from connector.engine import connect as connecting

REAL = connecting.connect
STORE = "connector.db"


@cache
def past() -> tuple[BentLab, bytes, bytes, dict[str, str]]:
    """A lab after some runs, with a conflict of its own making, a deletion and an edit that waits; and its ids."""
    lab = BentLab()
    account, contact, opportunity = lab.business(Amount=100)
    gone = lab.opportunity("Gone", AccountId=account)
    lab.sync_until_rest()
    lab.sf_delete("Opportunity", gone)
    lab.sync()
    deal = lab.deal_of(opportunity)
    lab.sf_edit("Opportunity", opportunity, Amount=250)
    lab.hs_edit("deals", deal, description="from HubSpot")
    ids = {"account": account, "contact": contact, "opportunity": opportunity, "deal": deal, "gone": gone}
    return lab, lab.durable_crms(), lab.durable_store(), ids


@dataclass
class Place:
    """A working folder, and the lab that its commands reach."""

    folder: Path
    lab: BentLab
    environment: dict[str, str]


@contextmanager
def working(folder: Path) -> Iterator[Place]:
    """The folder as it was when the past ended, and as the current one."""
    lab, crms, store, _ = past()
    lab = lab.copy(crms, store)
    lab.bending = Bending(None)
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
    (folder / STORE).write_bytes(store)
    transports = {side: lab.transport(side) for side in Side}

    def connect(environment: Any, where: Path, **more: Any) -> Any:
        return REAL(environment, where, **{**more, "transports": transports, "now": lab.clock.now, "sleep": _pass})

    def _pass(seconds: float) -> None:
        lab.advance(seconds=seconds)

    before = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "connect", connect)
        for name in list(os.environ):
            if name.startswith(("SALESFORCE_", "HUBSPOT_", "CONNECTOR_")):
                patch.delenv(name)
        os.chdir(folder)
        try:
            yield Place(folder, lab, dict(lab.environment))
        finally:
            os.chdir(before)
