"""The suite for real systems works: it is run on both sandboxes, served, as it would be on those."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.server import serving
from connector.sandbox.wire import Request

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment():
    """Both sandboxes over ports, with what an administrator prepares, and the variables that lead there."""
    salesforce, hubspot = SalesforceSandbox(), HubSpotSandbox()
    salesforce.admin.add(
        "fields",
        [{"sobject": "Opportunity", "name": "HubSpot_Id__c", "type": "string", "length": 32, "externalId": True,
          "unique": True}],
    )  # fmt: skip
    unique = {
        "groupName": "dealinformation", "name": "sf_record_id", "label": "Salesforce id", "type": "string",
        "fieldType": "text", "hasUniqueValue": True,
    }  # fmt: skip
    headers = {"authorization": f"Bearer {hubspot.access_token}"}
    made = hubspot(Request("POST", "/crm/v3/properties/deals", headers=headers, body=orjson.dumps(unique)))
    assert made.status == 201
    with serving(salesforce, hubspot) as (here, there):
        yield {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            "SALESFORCE_INSTANCE_URL": here,
            "SALESFORCE_SESSION_ID": salesforce.session_id,
            "HUBSPOT_BASE_URL": there,
            "HUBSPOT_ACCESS_TOKEN": hubspot.access_token,
            "CONNECTOR__HUBSPOT__SEARCHES_PER_SECOND": "0",
            "LIVE_PATIENCE": "0.05",
        }


def test_the_live_suite_runs_and_cleans_up(environment):
    """It reads and writes what the environment names, and leaves no record of its own there."""
    chosen = "finding_by_partner or reading_tells_why or creating_twice or first_look"
    command = [sys.executable, "-m", "pytest", "tests/live", "--live", "-q", "-p", "no:cacheprovider", "-k", chosen]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\b8 passed", run.stdout)
    headers = {"Authorization": f"Bearer {environment['HUBSPOT_ACCESS_TOKEN']}"}
    import requests

    left = requests.get(f"{environment['HUBSPOT_BASE_URL']}/crm/v3/objects/deals", headers=headers, timeout=5)
    assert left.json()["results"] == []


def test_without_the_option_nothing_is_live():
    """The live tests are not even collected, so that they are never skipped."""
    command = [sys.executable, "-m", "pytest", "tests/live", "--collect-only", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "no tests collected" in run.stdout, run.stdout + run.stderr
