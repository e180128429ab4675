"""A newcomer's path, by the installed commands as processes against `connector sandbox serve`.

From an empty folder to a sync, an edit, an answer, and a run taken back: what the documentation begins with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

CONNECTOR = str(Path(sys.executable).with_name("connector"))


class Newcomer:
    """Somebody at a shell, in a folder of their own, with both sandboxes in the environment."""

    def __init__(self, folder: Path, told: dict[str, Any]) -> None:
        here, there = told["salesforce"], told["hubspot"]
        self.folder, self.org, self.portal = folder, here["instance_url"], there["base_url"]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SALESFORCE", "HUBSPOT"))},
            "SALESFORCE_INSTANCE_URL": here["instance_url"],
            "SALESFORCE_CONSUMER_KEY": here["consumer_key"],
            "SALESFORCE_CONSUMER_SECRET": here["consumer_secret"],
            "HUBSPOT_BASE_URL": there["base_url"],
            "HUBSPOT_ACCESS_TOKEN": there["access_token"],
            "CONNECTOR__HUBSPOT__SEARCHES_PER_SECOND": "0",
        }
        self._in_salesforce = {"Authorization": f"Bearer {here['session_id']}"}
        self._in_hubspot = {"Authorization": f"Bearer {there['access_token']}"}

    def run(self, command: str, *, ends: int = 0) -> str:
        """Type a command; returns what it prints."""
        done = subprocess.run(
            [CONNECTOR, *command.split()], cwd=self.folder, env=self.environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == ends, (
            f"connector {command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
        assert "Traceback" not in done.stderr
        return done.stdout

    def ask(self, command: str, *, ends: int = 0) -> Any:
        return json.loads(self.run(f"{command} --json", ends=ends))

    def query(self, soql: str) -> list[dict[str, Any]]:
        answer = requests.get(
            f"{self.org}/services/data/v62.0/query", params={"q": soql}, headers=self._in_salesforce, timeout=10
        )
        return answer.json()["records"]

    def edit(self, opportunity: str, **values: Any) -> None:
        url = f"{self.org}/services/data/v62.0/sobjects/Opportunity/{opportunity}"
        requests.patch(url, json=values, headers=self._in_salesforce, timeout=10).raise_for_status()

    def deals(self) -> dict[str, dict[str, Any]]:
        """The deals that are there, by the id of their opportunity."""
        found: dict[str, dict[str, Any]] = {}
        query = {"limit": "100", "properties": "sf_record_id,dealname,amount", "after": ""}
        while True:
            told = requests.get(
                f"{self.portal}/crm/v3/objects/deals", params=query, headers=self._in_hubspot, timeout=10
            ).json()
            found |= {one["properties"]["sf_record_id"]: one["properties"] for one in told["results"]}
            if "paging" not in told:
                return found
            query["after"] = told["paging"]["next"]["after"]


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    """Both sandboxes with the demo's organisation, served by a process of its own."""
    with subprocess.Popen(
        [CONNECTOR, "sandbox", "serve", "--demo"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as served:
        try:
            yield Newcomer(tmp_path, json.loads(served.stdout.readline()))
        finally:
            served.terminate()


def test_the_path_of_a_newcomer(newcomer: Newcomer) -> None:
    """init, setup, validate, import with a preview, plan, sync, edit, explain, undo: each does what it says."""
    connector = newcomer.run
    connector("init --yes")
    assert {one.name for one in newcomer.folder.joinpath("mappings").iterdir()} >= {"opportunity-deal.yaml"}
    connector("setup --yes")
    connector("mappings validate --live")

    preview = newcomer.ask("import accounts --dry-run")
    assert newcomer.deals() == {}
    assert sum(one["number"] for one in preview["records"]) == preview["selected"]
    connector("import accounts")
    connector("import contacts", ends=1)  # two of the demo's people share an e-mail address: one of them is held
    connector("import opportunities", ends=1)
    opportunities = {one["Id"]: one for one in newcomer.query("SELECT Id, Name, Amount FROM Opportunity")}
    assert newcomer.deals().keys() == opportunities.keys()

    connector("sync", ends=1)  # and it says so until somebody sees to it
    assert newcomer.ask("plan", ends=1)["actions"] == []

    chosen = min(opportunities)
    newcomer.edit(chosen, Name="Renamed by a newcomer", Amount=4242)
    planned = newcomer.ask("plan", ends=1)
    assert {one["of"] for one in planned["actions"] if one["object"] == "deals"} == {chosen}
    run = newcomer.ask("sync", ends=1)["run"]
    assert newcomer.deals()[chosen]["dealname"] == "Renamed by a newcomer"

    answer = connector(f"explain {chosen} Name")
    assert "Renamed by a newcomer" in answer
    assert f"run {run}" in answer

    connector(f"undo {run} --yes", ends=0)
    assert newcomer.deals()[chosen]["dealname"] == opportunities[chosen]["Name"]
    assert newcomer.ask("plan", ends=1)["actions"] == []
    connector(f"resume {run}")
    again = newcomer.ask("plan", ends=1)
    assert {one["of"] for one in again["actions"] if one["object"] == "deals"} == {chosen}
