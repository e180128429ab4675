"""What all tests share: how hard Hypothesis searches, and how it reports.

On a developer's machine every run tries new examples; what failed once is kept and tried first. Where `CI` is
set the examples follow from the test alone, so that no change is refused for a failure that it did not cause.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

LIVE = Path(__file__).parent / "live"

# No deadline: the processors are shared with the other test processes, so a slow example proves nothing.
settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_addoption(parser):
    parser.addoption(
        "--live",
        action="store_true",
        help="run tests/live on the org and portal that the environment names, over the network",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Only the live tests may leave this machine."""
    if config.getoption("--live"):
        config.option.force_enable_socket = True


def pytest_ignore_collect(collection_path, config):
    """With `--live` nothing but the live tests, without it none of them."""
    inside = collection_path == LIVE or LIVE in collection_path.parents
    above = collection_path in LIVE.parents
    return None if above or inside == config.getoption("--live") else True
