"""Both sandboxes with the made-up organisation, behind the proxy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from connector.cli.sandbox import describe_proxy
from connector.sandbox.clock import Clock
from connector.sandbox.demo import Organisation, invent, load_demo
from connector.sandbox.hosts import HUBSPOT, SALESFORCE
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.proxy import proxying
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.server import listen, serving
from connector.sandbox.tls import Authority

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SEED = 5
ACCOUNTS = 300  # with more than 2,000 contact roles, which is a page of Salesforce's


@dataclass(frozen=True)
class Loaded:
    """The sandboxes, what `load_demo` put into them, and the environment in which a client finds them."""

    salesforce: SalesforceSandbox
    hubspot: HubSpotSandbox
    organisation: Organisation
    environment: dict[str, str]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    clock = Clock(frozen_at=START)
    salesforce, hubspot = SalesforceSandbox(clock, SEED), HubSpotSandbox(clock, SEED)
    load_demo(salesforce, hubspot, salesforce.session_id, hubspot.access_token, SEED, ACCOUNTS)
    organisation = invent(SEED, ACCOUNTS, START.date())
    authority = Authority()
    bundle = authority.write_bundle(tmp_path_factory.mktemp("authority"))
    with serving(salesforce, hubspot, tls=authority.server_context()) as urls, listen() as door:
        ports = {vendor: urlsplit(url).port for vendor, url in zip((SALESFORCE, HUBSPOT), urls, strict=True)}
        with proxying(door, ports) as proxy:
            yield Loaded(salesforce, hubspot, organisation, describe_proxy(proxy, bundle))
