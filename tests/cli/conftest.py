"""The command line as a person uses it: a folder, an environment, and both CRMs on ports of this machine."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from connector.cli.app import app
from connector.cli.windows import HubSpotWindow, SalesforceWindow
from connector.sandbox.demo import load_demo
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.server import serving
from connector.sandbox.wire import Handler

Run = Callable[..., Result]


@dataclass
class Crms:
    """Both sandboxes as a person and an administrator reach them, and what the connector needs to know."""

    salesforce: SalesforceWindow
    hubspot: HubSpotWindow
    environment: dict[str, str]


@pytest.fixture
def crms() -> Iterator[Crms]:
    """A small made-up organisation in which nothing is amiss, served on free ports."""
    with serve_crms() as served:
        yield served


@contextlib.contextmanager
def serve_crms(wrap: Callable[[Handler], Handler] = lambda sandbox: sandbox) -> Iterator[Crms]:
    """The same, with something between either sandbox and its port."""
    salesforce, hubspot = SalesforceSandbox(), HubSpotSandbox()
    load_demo(salesforce, hubspot, salesforce.session_id, hubspot.access_token, accounts=2)
    with serving(wrap(salesforce), wrap(hubspot)) as (here, there):
        org = SalesforceWindow(here, salesforce.session_id)
        portal = HubSpotWindow(there, hubspot.access_token)
        org.update("Contact", last_contact(org), Email="nobody.else@example.com")
        known = {owner["email"] for owner in portal.ask("GET", "/_sandbox/owners")}
        users = {row["Email"] for row in org.query("SELECT Email FROM User")}
        portal.ask("POST", "/_sandbox/owners", [{"email": one} for one in sorted(users - known)])
        yield Crms(
            org,
            portal,
            {
                "SALESFORCE_INSTANCE_URL": here,
                "SALESFORCE_SESSION_ID": salesforce.session_id,
                "HUBSPOT_BASE_URL": there,
                "HUBSPOT_ACCESS_TOKEN": hubspot.access_token,
                "CONNECTOR__HUBSPOT__SEARCHES_PER_SECOND": "0",
            },
        )


def last_contact(org: SalesforceWindow) -> str:
    """The contact that shares its e-mail address with another one, as the organisation is invented."""
    return str(org.query("SELECT Id FROM Contact ORDER BY Id DESC LIMIT 1")[0]["Id"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and an environment that names no CRM."""
    monkeypatch.chdir(tmp_path)
    for side, names in {
        "SALESFORCE": (
            "INSTANCE_URL", "SESSION_ID", "USERNAME", "PASSWORD", "SECURITY_TOKEN", "CONSUMER_KEY",
            "CONSUMER_SECRET",
        ),
        "HUBSPOT": ("BASE_URL", "ACCESS_TOKEN"),
        "CONNECTOR": ("STORE_URL", "CONFIG"),
    }.items():  # fmt: skip
        for name in names:
            monkeypatch.delenv(f"{side}_{name}", raising=False)
    return tmp_path


@pytest.fixture
def connector(folder: Path) -> Run:
    """Run a command in the folder: `connector("sync", "--json", HUBSPOT_ACCESS_TOKEN="…")`; `input` is typed."""

    def run(*args: str, input: str = "", **environment: str) -> Result:  # noqa: A002  # as click calls it
        return CliRunner().invoke(app, args, input, prog_name="connector", env=environment, catch_exceptions=False)

    return run


@pytest.fixture
def connected(connector: Run, crms: Crms) -> Run:
    """The same with both CRMs in the environment."""

    def run(*args: str, input: str = "", **environment: str) -> Result:  # noqa: A002  # as click calls it
        return connector(*args, input=input, **{**crms.environment, **environment})

    return run


def read_json(result: Result) -> Any:
    """The one JSON object that a command printed, and nothing else; without the version that heads every shape."""
    lines = result.stdout.splitlines()
    assert len(lines) == 1, result.stdout
    told = json.loads(lines[0])
    assert told.pop("version") == 1
    return told
