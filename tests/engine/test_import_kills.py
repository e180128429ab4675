"""An import that is killed ten times ends as if it never had been, and pays for each death what one is worth.

`IMPORT_KILLS_RECORDS=20000` tries it with as many opportunities; `benchmarks/import_kills.py` with real processes.
"""

from __future__ import annotations

import os

import pytest
from engine.import_kills import IDLE, creations, fill, picture, run, run_with_kills, usage
from engine.lab import Lab

from connector.adapters import salesforce_selections
from connector.engine.imports import reading

RECORDS = int(os.environ.get("IMPORT_KILLS_RECORDS", "300"))
KILLS = 10


@pytest.fixture
def small_pages(monkeypatch):
    """With few records as many pages and portions as many records have."""
    if RECORDS < 10_000:
        monkeypatch.setattr(salesforce_selections, "PAGE", 50)
        monkeypatch.setattr(reading, "PORTION", 100)


def test_I2_an_import_killed_ten_times_ends_as_its_twin(small_pages):
    """No duplicate and nothing lost; per death an idle run's reads, what was in flight, and one page of Salesforce.

    No acknowledged batch is sent again: each death costs one request that creates deals, at the most.
    """
    lab = Lab()
    fill(lab, RECORDS, accounts=8)
    twin, before = lab.copy(), usage(lab)
    told = run(twin)
    deaths, report = run_with_kills(lab, KILLS, twin.fate.steps, seed=RECORDS)
    assert deaths == KILLS
    assert report.resumed
    extra = {side: usage(lab)[side] - usage(twin)[side] for side in before}
    assert creations(lab) <= creations(twin) + deaths
    assert picture(lab) == picture(twin)
    assert [one for one in report.counts if one[0] == "Opportunity"] == [("Opportunity", "created", "", RECORDS)]
    assert report.counts == told.counts
    assert sum(extra.values()) <= deaths * (sum(IDLE.values()) + 1 + 1), extra
    assert run(lab).report.writes == 0
