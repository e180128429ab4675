"""What becomes of an import of 20,000 opportunities whose process is killed ten times at random?

Two equal organisations are loaded into sandboxes, which run in processes of their own. Into one HubSpot the
opportunities are imported undisturbed, by `connector import opportunities`; into the other the same, but the
process gets SIGKILL at random moments, and is started again. In the end both portals must hold the same, with no
duplicate, and each death may cost no more than the reads of an idle run, the requests that were in flight, and one
page of Salesforce. Exits with 1 when anything is not as it must be.

The lease of a killed process ends after five minutes by itself; here it is ended in the store, to save the time.

    python benchmarks/import_kills.py [--records 20000] [--kills 10] [--seed 1]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

COLLECTION = 200  # Salesforce REST API Developer Guide, "sObject Collections": up to 200 records
ACCOUNTS = 50
WORKERS = 4  # requests that are under way at a time, as shipped
IDLE = {"salesforce": 2, "hubspot": 7}  # calls of a run that finds nothing to do
VERSION = "v62.0"
SHOWN = {
    "companies": (
        "sf_record_id",
        "name",
        "domain",
        "lifecyclestage",
        "sf_num_associated_deals",
        "sf_total_revenue",
    ),
    "contacts": ("sf_record_id", "email", "lastname", "lifecyclestage", "sf_num_associated_deals"),
    "deals": ("sf_record_id", "dealname", "amount", "dealstage", "closedate"),
}
STAGES = ("Prospecting", "Negotiation/Review", "Closed Won", "Closed Lost")


@dataclass
class Client:
    """One sandbox over its port."""

    base: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        while True:
            answer = self.session.request(method, self.base + path, json=body, headers=headers, timeout=120)
            if answer.status_code != requests.codes.too_many_requests:
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def usage(self) -> dict[str, Any]:
        return self.ask("GET", "/_sandbox/usage")


@dataclass
class World:
    """Two sandboxes, and a folder in which the connector is started."""

    salesforce: Client
    hubspot: Client
    folder: Path
    environment: dict[str, str]

    def calls(self) -> dict[str, int]:
        return {"salesforce": self.salesforce.usage()["total"], "hubspot": self.hubspot.usage()["total"]}

    def creations(self) -> int:
        told = self.hubspot.usage()["by_resource"]
        return sum(number for name, number in told.items() if name.startswith("deals") and "create" in name)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[World]:
    """Both sandboxes in a process of their own while the block runs."""
    command = [sys.executable, "-m", "connector", "sandbox", "serve"]
    folder.mkdir()
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder, text=True) as process:
        try:
            told = json.loads(process.stdout.readline() if process.stdout else "")
            here, there = told["salesforce"], told["hubspot"]
            secrets = {
                "SALESFORCE_INSTANCE_URL": here["instance_url"],
                "SALESFORCE_SESSION_ID": here["session_id"],
                "HUBSPOT_BASE_URL": there["base_url"],
                "HUBSPOT_ACCESS_TOKEN": there["access_token"],
                "CONNECTOR__HUBSPOT__WORKERS": str(WORKERS),
            }
            yield World(
                Client(here["instance_url"], here["session_id"]),
                Client(there["base_url"], there["access_token"]),
                folder,
                {**os.environ, **secrets},
            )
        finally:
            process.terminate()


def load(world: World, records: int) -> None:
    """Accounts with a contact each, opportunities of theirs, and a contact role on every third."""
    firms = [{"Name": f"Firm {n}", "Website": f"firm{n}.example"} for n in range(ACCOUNTS)]
    parents = create(world, "Account", firms)
    foxes = [
        {"LastName": f"Fox {n}", "Email": f"fox@firm{n}.example", "AccountId": parents[n]} for n in range(ACCOUNTS)
    ]
    people = create(world, "Contact", foxes)
    deals = [
        {
            "Name": f"Deal {n}",
            "StageName": STAGES[n % len(STAGES)],
            "CloseDate": f"2026-{n % 12 + 1:02}-15",
            "Amount": n * 10,
            "AccountId": parents[n % ACCOUNTS],
        }
        for n in range(records)
    ]
    made = create(world, "Opportunity", deals)
    roles = [{"OpportunityId": id_, "ContactId": people[n % ACCOUNTS]} for n, id_ in enumerate(made) if n % 3 == 0]
    create(world, "OpportunityContactRole", roles)


def create(world: World, sobject: str, rows: list[dict[str, Any]]) -> list[str]:
    ids: list[str] = []
    for start in range(0, len(rows), COLLECTION):
        records = [{"attributes": {"type": sobject}, **row} for row in rows[start : start + COLLECTION]]
        body = {"allOrNone": True, "records": records}
        answer = world.salesforce.ask("POST", f"/services/data/{VERSION}/composite/sobjects", body)
        ids += [one["id"] for one in answer]
    return ids


@dataclass
class Attempt:
    """One process: how long it lived, its peak memory, and what it told unless it was killed."""

    seconds: float
    peak_mb: float
    told: dict[str, Any] | None


def attempt(world: World, after: float | None = None) -> Attempt:
    """`connector import opportunities`, killed after so many seconds if it is not done by then."""
    command = [sys.executable, "-m", "connector", "import", "opportunities", "--json"]
    output = world.folder / "told.json"
    began = time.perf_counter()
    with output.open("wb") as told:
        process = subprocess.Popen(command, cwd=world.folder, env=world.environment, stdout=told)
        if after is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                # Not reaped here: `wait4` below tells the memory.
                deadline = began + after
                while time.perf_counter() < deadline and _lives(process.pid):
                    time.sleep(0.01)
            process.kill()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    with contextlib.suppress(sqlite3.OperationalError):  # there is no table yet if it was killed that early
        _end_lease(world)
    unit = 1 if sys.platform == "darwin" else 1_024  # getrusage(2): bytes there, kilobytes elsewhere
    done = json.loads(output.read_bytes()) if process.returncode == 0 else None
    if process.returncode > 0:
        raise RuntimeError(f"the import ended with {process.returncode}: {output.read_text()}")
    return Attempt(seconds, used.ru_maxrss * unit / 1e6, done)


def _lives(pid: int) -> bool:
    """Whether a child still runs; a zombie does not."""
    return not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)


def _end_lease(world: World) -> None:
    with closing(sqlite3.connect(world.folder / "connector.db", timeout=30)) as store, store:
        store.execute("UPDATE lease SET expires = 0")


def picture(world: World) -> dict[str, list[Any]]:
    """All that HubSpot holds, without ids of its own: records, and who belongs to each deal."""
    rows = {object_: list(_all(world, object_, names)) for object_, names in SHOWN.items()}
    names = {row["id"]: row["properties"]["sf_record_id"] for some in rows.values() for row in some}
    shown: dict[str, list[Any]] = {
        object_: sorted(tuple(str(row["properties"][name]) for name in SHOWN[object_]) for row in some)
        for object_, some in rows.items()
    }
    deals = [row["id"] for row in rows["deals"]]
    for to in ("contacts", "companies"):
        shown[f"deals to {to}"] = []
        for start in range(0, len(deals), 1000):
            body = {"inputs": [{"id": id_} for id_ in deals[start : start + 1000]]}
            for row in world.hubspot.ask("POST", f"/crm/v4/associations/deals/{to}/batch/read", body)["results"]:
                source = names[str(row["from"]["id"])]
                shown[f"deals to {to}"] += [(source, names[str(one["toObjectId"])]) for one in row["to"]]
        shown[f"deals to {to}"].sort()
    return shown


def _all(world: World, object_: str, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        path = f"/crm/v3/objects/{object_}?limit=100&properties={','.join(names)}{after}"
        page = world.hubspot.ask("GET", path)
        yield from page["results"]
        following = page.get("paging", {}).get("next")
        if not following:
            return
        after = f"&after={following['after']}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as place:
        with served(Path(place) / "twin") as twin:
            load(twin, given.records)
            before = twin.calls()
            alone = attempt(twin)
            spent = {side: number - before[side] for side, number in twin.calls().items()}
            creations, expected = twin.creations(), picture(twin)
        took = f"{alone.seconds:.1f} s, {spent}, {creations} creations, {alone.peak_mb:.0f} MB"
        print(f"{given.records:,} opportunities undisturbed: {took}", flush=True)
        with served(Path(place) / "killed") as world:
            load(world, given.records)
            before = world.calls()
            attempts = [
                attempt(world, chance.uniform(0.3, 2 * alone.seconds / given.kills)) for _ in range(given.kills)
            ]
            deaths = sum(one.told is None for one in attempts)
            if deaths == given.kills:
                attempts.append(attempt(world))
            extra = {side: number - before[side] - spent[side] for side, number in world.calls().items()}
            again, found = world.creations() - creations, picture(world)
    told = attempts[-1].told
    seconds, peak = sum(one.seconds for one in attempts), max(one.peak_mb for one in attempts)
    print(f"killed {deaths} times: {seconds:.1f} s, extra calls {extra}, {again} creations more, {peak:.0f} MB")
    most = deaths * (sum(IDLE.values()) + WORKERS + 1)
    checks = {
        f"killed {given.kills} times": deaths == given.kills,
        "both portals hold the same": found == expected,
        f"{given.records:,} deals, each once": len({row[0] for row in found["deals"]})
        == len(found["deals"])
        == given.records,
        f"at most {most} extra calls": sum(extra.values()) <= most,
        f"at most {deaths * WORKERS} creations sent again": again <= deaths * WORKERS,
        "the last process told all records": told is not None
        and sum(one["number"] for one in told["records"] if one["object"] == "Opportunity") == given.records,
    }
    for what, holds in checks.items():
        print(f"{'ok ' if holds else 'NOT'} {what}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
