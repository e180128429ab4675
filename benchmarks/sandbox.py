"""How quick are the sandboxes, and how do they grow?

`requests`: the same client (`requests.Session`) asks for the same records in process, over a port of another
process, and over that with TLS, in turns, so that whatever else the machine does hits all three alike. In process
has to serve at least twice the requests per second of the port.

`loading`: 20,000 and 200,000 contacts go into each sandbox through its batch API, every load in a new process, and
the smaller one over a port too. All 200,000 may take at most eleven times as long as their first 20,000, in the
processor time of one and the same process, which what else the machine does hardly lengthens; of several turns the
middle one counts. Peak memory is the process's resident set, the client's share included in process; memory per
record is what the larger load takes more than the smaller one.

    python benchmarks/sandbox.py [requests|loading] [--rounds N] [--records N] [--turns N]

Exits with 1 when either demand is not met.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import requests

from connector.sandbox.clock import Clock
from connector.sandbox.demo import load_demo
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.transport import sandbox_session

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)  # all clocks stand there: limits of calls per second do not apply
HOSTS = {"salesforce": "https://example.my.salesforce.com", "hubspot": "https://api.hubapi.com"}
VERSION = "v68.0"
COLLECTION = 200  # Salesforce REST API Developer Guide, "sObject Collections": up to 200 records
BATCH = 100  # HubSpot docs, "Using object APIs": batch endpoints take at most 100 inputs
AT_ONCE = 100  # requests of one way before it is another's turn
IN_PROCESS_FACTOR = 2.0
GROWTH = 11.0
MEMORY_UNIT = 1 if sys.platform == "darwin" else 1_024  # getrusage(2): bytes there, kilobytes elsewhere


@dataclass
class Door:
    """A client of one vendor's sandbox, signed in."""

    session: requests.Session
    base: str

    def get(self, path: str) -> bytes:
        answer = self.session.get(self.base + path, timeout=60)
        answer.raise_for_status()
        return answer.content

    def post(self, path: str, body: object) -> bytes:
        headers = {"Content-Type": "application/json"}
        answer = self.session.post(self.base + path, data=orjson.dumps(body), headers=headers, timeout=600)
        answer.raise_for_status()
        return answer.content


def open_door(session: requests.Session, base: str, token: str) -> Door:
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    return Door(session, base)


@contextlib.contextmanager
def in_process(*, demo: bool) -> Iterator[dict[str, Door]]:
    salesforce, hubspot = SalesforceSandbox(Clock(NOON)), HubSpotSandbox(Clock(NOON))
    tokens = {"salesforce": salesforce.session_id, "hubspot": hubspot.access_token}
    if demo:
        load_demo(salesforce, hubspot, *tokens.values())
    with contextlib.ExitStack() as stack:
        yield {
            vendor: open_door(stack.enter_context(sandbox_session(salesforce, hubspot)), HOSTS[vendor], token)
            for vendor, token in tokens.items()
        }


@dataclass
class Served:
    """The sandboxes in a process of their own; `peak` is set when it has ended."""

    doors: dict[str, Door]
    peak: float = 0.0


@contextlib.contextmanager
def over_a_port(*options: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "connector", "sandbox", "serve", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, contextlib.ExitStack() as stack:
        told = json.loads(process.stdout.readline() if process.stdout else "")
        addresses = {
            "salesforce": (told["salesforce"]["instance_url"], told["salesforce"]["session_id"]),
            "hubspot": (told["hubspot"]["base_url"], told["hubspot"]["access_token"]),
        }
        served = Served(
            {
                vendor: open_door(stack.enter_context(requests.Session()), base, token)
                for vendor, (base, token) in addresses.items()
            }
        )
        for door in served.doors.values():
            door.session.verify = told.get("ca_bundle", True)
            door.post("/_sandbox/clock", {"frozen": True})
        try:
            yield served
        finally:
            process.terminate()
            _, status, used = os.wait4(process.pid, 0)  # the memory of this child alone
            process.returncode = os.waitstatus_to_exitcode(status)
            served.peak = used.ru_maxrss * MEMORY_UNIT


def one_salesforce_record(door: Door) -> str:
    query = f"/services/data/{VERSION}/query?q=SELECT+Id+FROM+Account+ORDER+BY+Id+LIMIT+1"
    return f"/services/data/{VERSION}/sobjects/Account/{json.loads(door.get(query))['records'][0]['Id']}"


def one_hubspot_record(door: Door) -> str:
    return (
        f"/crm/v3/objects/contacts/{json.loads(door.get('/crm/v3/objects/contacts?limit=1'))['results'][0]['id']}"
    )


QUESTIONS: dict[str, tuple[str, Callable[[Door], str]]] = {
    "Salesforce, one record": ("salesforce", one_salesforce_record),
    "Salesforce, 200 rows of SOQL": (
        "salesforce",
        lambda _: f"/services/data/{VERSION}/query?q=SELECT+Id,Name,Amount,StageName+FROM+Opportunity+LIMIT+200",
    ),
    "HubSpot, one record": ("hubspot", one_hubspot_record),
}


def measure_requests(rounds: int) -> bool:
    """Print requests per second of each way; whether in process is as much quicker as it has to be."""
    with in_process(demo=True) as near, over_a_port("--demo") as port, over_a_port("--demo", "--tls") as tls:
        ways = {"in process": near, "port": port.doors, "TLS": tls.doors}
        print(f"{'requests per second':30}" + "".join(f"{way:>12}" for way in ways) + f"{'ratio':>8}")
        good = True
        for question, (vendor, find) in QUESTIONS.items():
            path = find(near[vendor])
            speeds: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(rounds + 1):
                for way, doors in ways.items():
                    speeds[way].append(ask(doors[vendor], path))
            medians = {way: statistics.median(given[1:]) for way, given in speeds.items()}  # the first warms up
            ratio = medians["in process"] / medians["port"]
            good &= ratio >= IN_PROCESS_FACTOR
            print(f"{question:30}" + "".join(f"{medians[way]:>12,.0f}" for way in ways) + f"{ratio:>8.1f}")
    return good


def ask(door: Door, path: str) -> float:
    began = time.perf_counter()
    for _ in range(AT_ONCE):
        door.get(path)
    return AT_ONCE / (time.perf_counter() - began)


def load_salesforce(door: Door, count: int) -> Iterator[int]:
    """Load contacts; tells after each request how many are there."""
    for start in range(0, count, COLLECTION):
        records = [
            {
                "attributes": {"type": "Contact"}, "LastName": f"Name {n}", "FirstName": "First",
                "Email": f"person{n}@example.com", "Phone": f"+1 555 {n:07}", "Title": "Buyer",
            }
            for n in range(start, min(start + COLLECTION, count))
        ]  # fmt: skip
        told = orjson.loads(door.post(f"/services/data/{VERSION}/composite/sobjects", {"records": records}))
        if not all(result["success"] for result in told):
            raise RuntimeError(f"refused: {told[:1]}")
        yield start + len(records)


def load_hubspot(door: Door, count: int) -> Iterator[int]:
    """Load contacts; tells after each request how many are there."""
    for start in range(0, count, BATCH):
        inputs = [
            {
                "properties": {
                    "lastname": f"Name {n}", "firstname": "First", "email": f"person{n}@example.com",
                    "phone": f"+1 555 {n:07}", "jobtitle": "Buyer",
                },
                "associations": [],
            }
            for n in range(start, min(start + BATCH, count))
        ]  # fmt: skip
        told = orjson.loads(door.post("/crm/v3/objects/contacts/batch/create", {"inputs": inputs}))
        if told["status"] != "COMPLETE":
            raise RuntimeError(f"refused: {told}")
        yield start + len(inputs)


LOADERS = {"salesforce": load_salesforce, "hubspot": load_hubspot}


@dataclass
class Load:
    """What one load cost: seconds, seconds of the loading process's processor, those of its first tenth, and bytes
    of memory at the most.
    """

    seconds: float
    busy: float
    first_tenth: float
    peak: float


def measure(loading: Iterator[int], count: int) -> tuple[float, float, float]:
    """Seconds that passed, seconds for which this process was at work, and those until a tenth was loaded."""
    began, busy, first_tenth = time.perf_counter(), time.process_time(), 0.0
    for loaded in loading:
        if not first_tenth and loaded * 10 >= count:
            first_tenth = time.process_time() - busy
    return time.perf_counter() - began, time.process_time() - busy, first_tenth


def load_here(vendor: str, count: int) -> Load:
    with in_process(demo=False) as doors:
        cost = measure(LOADERS[vendor](doors[vendor], count), count)
    return Load(*cost, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MEMORY_UNIT)


def load_in_a_child(vendor: str, count: int) -> Load:
    command = [sys.executable, __file__, "load", "--vendor", vendor, "--records", str(count)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Load(**json.loads(done.stdout))


def load_over_a_port(vendor: str, count: int) -> Load:
    with over_a_port() as served:
        cost = measure(LOADERS[vendor](served.doors[vendor], count), count)
    return Load(*cost, served.peak)


def measure_loading(few: int, turns: int) -> bool:
    """Print what loading costs; whether it grows no faster than it may."""
    many = 10 * few
    print(f"{'loading':22}{'records':>10}{'seconds':>10}{'processor':>11}{'records/s':>12}{'peak MB':>10}")
    good = True
    for vendor in LOADERS:
        ways = [(load_in_a_child, few), (load_in_a_child, many), (load_over_a_port, few)]
        costs = [[load(vendor, count) for load, count in ways] for _ in range(turns)]
        small, large, over = (
            sorted(turn, key=lambda cost: cost.busy)[turns // 2] for turn in zip(*costs, strict=True)
        )
        for name, count, cost in (
            (f"{vendor}, in process", few, small),
            (f"{vendor}, in process", many, large),
            (f"{vendor}, port", few, over),
        ):
            figures = (
                f"{cost.seconds:>10.2f}{cost.busy:>11.2f}{count / cost.seconds:>12,.0f}{cost.peak / 1e6:>10,.0f}"
            )
            print(f"{name:22}{count:>10,}{figures}")
        ratio = statistics.median(turn[1].busy / turn[1].first_tenth for turn in costs)
        each = (large.peak - small.peak) / (many - few)
        print(f"{vendor}: ten times the records in {ratio:.1f} times the time; {each:,.0f} bytes a record")
        good &= ratio <= GROWTH
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", nargs="?", choices=["requests", "loading", "load"])
    parser.add_argument("--rounds", type=int, default=15, help="turns of each way")
    parser.add_argument("--records", type=int, default=20_000, help="records of the smaller load")
    parser.add_argument("--turns", type=int, default=3, help="loads of each kind")
    parser.add_argument(
        "--vendor", choices=list(LOADERS), default="salesforce", help="for one load in this process"
    )
    args = parser.parse_args()
    if args.part == "load":
        print(json.dumps(vars(load_here(args.vendor, args.records))))
        return 0
    met = []
    if args.part in {None, "requests"}:
        met.append(measure_requests(args.rounds))
    if args.part in {None, "loading"}:
        met.append(measure_loading(args.records, args.turns))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
