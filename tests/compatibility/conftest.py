"""The Salesforce sandbox over a port, and a session that finds it there.

simple-salesforce always speaks https, and to salesforce.com for signing in; the adapter sends all of that to
the port. Nothing else of the client is touched.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from connector.sandbox.server import serving


class _ToPort(HTTPAdapter):
    """Sends every request to one address, whatever host it names."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request, *args, **kwargs):
        parts = urlsplit(request.url)
        request.url = self._base + parts.path + (f"?{parts.query}" if parts.query else "")
        return super().send(request, *args, **kwargs)


@pytest.fixture(scope="module")
def salesforce_url(sandbox):
    """The address of the module's `sandbox`, served while the module's tests run."""
    with serving(sandbox) as (url,):
        yield url


@pytest.fixture
def salesforce_session(salesforce_url):
    with requests.Session() as session:
        session.mount("https://", _ToPort(salesforce_url))
        yield session
