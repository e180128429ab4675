"""A session for which Salesforce's hosts are the module's `sandbox`; nothing else of the client is touched."""

from __future__ import annotations

import pytest
import requests
from compatibility.hosts import under_vendors_hosts


@pytest.fixture(scope="module")
def surroundings(sandbox, tmp_path_factory):
    """The environment in which Salesforce's hosts are the module's `sandbox`."""
    with under_vendors_hosts(tmp_path_factory.mktemp("ca"), salesforce=sandbox) as environment:
        yield environment


@pytest.fixture(scope="module")
def salesforce_url(surroundings):
    """The org's own host, where a client is that did not sign in."""
    return "https://example.my.salesforce.com"


@pytest.fixture
def salesforce_session(surroundings):
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": surroundings["HTTPS_PROXY"]}
        session.verify = surroundings["REQUESTS_CA_BUNDLE"]
        yield session
