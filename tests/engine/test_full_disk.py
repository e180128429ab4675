"""A disk that fills up in the middle of a run stops it, and takes nothing back (law 4)."""

from __future__ import annotations

import pytest
from engine.lab import Lab

from connector.errors import Fault, StoreUnusable

DEALS = 8
ENOUGH = 1_000_000


def give_room(lab, pages):
    """Let the store grow by so many pages of 4 KB, and no more."""
    lab._database.execute("VACUUM")
    (used,) = lab._database.execute("PRAGMA page_count").fetchone()
    lab._database.execute(f"PRAGMA max_page_count={used + pages}")


def test_a_disk_that_fills_up_in_the_middle_of_a_run():
    """Wherever there is no room left, the run stops; once there is, the next one ends where it would have."""
    lab = Lab()
    lab.business()
    lab.sync_until_rest()
    for number in range(DEALS):
        lab.opportunity(f"Deal {number}", Description=f"{number:04}" * 500, Amount=number)
    came_to_write = False
    for pages in (10, 32):
        full = lab.copy()
        give_room(full, pages)
        with pytest.raises(StoreUnusable) as caught:
            full.sync()
        assert (caught.value.fault, caught.value.exit_code) == (Fault.FULL, 4)
        came_to_write = came_to_write or len(full.hs_all("deals")) > 1
        give_room(full, ENOUGH)
        full.sync_until_rest()
        amounts = [one["amount"] for one in full.hs_all("deals", "amount").values()]
        assert sorted(float(one) for one in amounts if one) == list(range(DEALS))
        assert len(amounts) == DEALS + 1
    assert came_to_write, "some of it has to be met after the first write"
