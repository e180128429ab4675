"""Both adapters keep the promises of all adapters, shown on a real org and a real portal (`--live`)."""

from __future__ import annotations

import pytest
from adapters.conformance import Conformance


class Live(Conformance):
    """All but what can only be seen after hours."""

    test_an_old_record_is_not_seen_forever = None


class TestLiveSalesforce(Live):
    """On opportunities."""

    @pytest.fixture
    def bench(self, salesforce):
        return salesforce


class TestLiveHubSpot(Live):
    """On deals."""

    @pytest.fixture
    def bench(self, hubspot):
        return hubspot
