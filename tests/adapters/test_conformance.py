"""Both adapters keep the promises of all adapters, shown on sandboxes."""

from __future__ import annotations

import pytest
from adapters.conformance import Conformance


class TestSalesforce(Conformance):
    """On opportunities."""

    @pytest.fixture
    def bench(self, salesforce):
        return salesforce


class TestHubSpot(Conformance):
    """On deals."""

    @pytest.fixture
    def bench(self, hubspot):
        return hubspot
