"""The adapters' suite on a real org and a real portal: what stands between the two.

Where a sandbox is told to let a day pass, a real system cannot be; it is given time to catch up instead.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from adapters.drafts import Deals, Opportunities

from connector.adapters.base import Draft
from connector.adapters.hubspot import HubSpot
from connector.adapters.salesforce import Salesforce
from connector.engine.connect import connect
from connector.engine.world import Connection
from connector.store.store import Store

pytest.register_assert_rewrite("adapters.conformance")

ROOT = Path(__file__).parents[2]
PATIENCE = timedelta(seconds=float(os.environ.get("LIVE_PATIENCE", "15")))


def open_connection() -> Connection:
    """As a run would open it, with the same settings and variables; its store is in memory."""
    folder = Path(os.environ.get("LIVE_FOLDER", ROOT))
    return connect(os.environ, folder, store=Store.open("sqlite://", "live", lambda: datetime.now(UTC)))


class _LiveBench:
    """What both have in common: drafts are remembered, to be removed at the end."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def pass_time(self, by: timedelta) -> None:
        time.sleep(min(by, PATIENCE).total_seconds())

    def settle(self) -> None:
        """Let what was written be found: a search may lag behind."""

    def draft(self, key: str) -> Draft:
        self.made.append(key)
        return super().draft(key)

    def clean_up(self) -> None:
        """Remove every record that was made and is still there."""
        self.settle()
        crm = self.sign_on()
        found = crm.find(self.object, self.made, self.wanted)
        if found:
            self.remove([record.id for record in found.values()])


class SalesforceBench(_LiveBench, Opportunities):
    """Opportunities of a real org."""

    def __init__(self) -> None:
        super().__init__()
        self.partner = open_connection().settings.salesforce.id_field

    def sign_on(self) -> Salesforce:
        self.crm = open_connection().salesforce
        self.crm.use_schema(self.crm.describe((self.object,)))
        return self.crm

    def remove(self, ids: Sequence[str]) -> None:
        """By simple-salesforce itself: the adapter has no way to delete anything in Salesforce."""
        for start in range(0, len(ids), self.per_batch):
            some = ",".join(ids[start : start + self.per_batch])
            self.crm._client.restful(f"composite/sobjects?ids={some}", method="DELETE")


class HubSpotBench(_LiveBench, Deals):
    """Deals of a real portal, in its built-in pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.partner = open_connection().settings.hubspot.id_property

    def sign_on(self) -> HubSpot:
        self.crm = open_connection().hubspot
        self.crm.account()
        return self.crm

    def settle(self) -> None:
        time.sleep(PATIENCE.total_seconds())

    def remove(self, ids: Sequence[str]) -> None:
        for _ in self.crm.delete(self.object, ids):
            pass


def _lend(bench: _LiveBench):
    bench.sign_on()
    yield bench
    bench.clean_up()


@pytest.fixture
def salesforce():
    yield from _lend(SalesforceBench())


@pytest.fixture
def hubspot():
    yield from _lend(HubSpotBench())
