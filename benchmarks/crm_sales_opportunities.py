"""Does a real year of sales arrive in HubSpot whole, and what does it cost?

The data set "CRM Sales Opportunities" (8,800 opportunities, 85 accounts, 30 sales agents) is entered into the
Salesforce sandbox through Salesforce's own REST API, synced by `connector sync` in a process of its own, and read
back through HubSpot's API. What must come out is computed here from the CSV files alone.

Three more syncs must write nothing. The second follows at once. Each sync looks back a little behind the one before
it, for records that became visible late; so the one an hour later meets the load once more, and only the last one,
after another hour, is idle. Exits with 1 when anything is not as it must be.

    python benchmarks/crm_sales_opportunities.py DATA_FOLDER [--keep] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import requests

STAGES = [
    {"MasterLabel": "Prospecting", "IsClosed": False, "IsWon": False, "DefaultProbability": 10},
    {"MasterLabel": "Engaging", "IsClosed": False, "IsWon": False, "DefaultProbability": 40},
    {"MasterLabel": "Won", "IsClosed": True, "IsWon": True, "DefaultProbability": 100},
    {"MasterLabel": "Lost", "IsClosed": True, "IsWon": False, "DefaultProbability": 0},
]
WON = "Won"
LAST_DAY = date(2017, 12, 31)  # of the period: open opportunities have no close date, Salesforce demands one
COLLECTION = 200  # Salesforce REST API Developer Guide, "sObject Collections": up to 200 records
BATCH = 100  # HubSpot docs, "Using object APIs": batch endpoints take, and pages hold, at most 100 records
VERSION = "v68.0"
ABOVE_FLOOR = 1.05  # room for values derived from deals that could not ride along
IDLE_CALLS = {"salesforce": 2, "hubspot": 8}
OBJECT_WRITES = (
    "/create",
    "/update",
    "/upsert",
    "/archive",
    "/merge",
)  # as the sandbox names them, batch or single


class Deal(NamedTuple):
    """One opportunity, as it must look in HubSpot."""

    stage: str
    close_date: date | None
    amount: Decimal | None
    company: str | None
    owner: str | None


@dataclass(frozen=True)
class Facts:
    """What can be counted. `top_companies` are those with most won revenue."""

    companies: int
    deals: int
    by_stage: dict[str, int]
    with_company: int
    without_company: int
    won_amount: Decimal
    top_companies: list[tuple[str, Decimal]]


# The data set as published has these figures; they guard the computation from the CSV files itself.
PUBLISHED_SHA256 = "4362896c67b62eb2b783f7b91fdf03492b1d5a92b48fd1b5d536a5bfa5640276"
PUBLISHED = Facts(
    companies=85,
    deals=8_800,
    by_stage={"Prospecting": 500, "Engaging": 1_589, "Won": 4_238, "Lost": 2_473},
    with_company=7_375,
    without_company=1_425,
    won_amount=Decimal(10_005_534),
    top_companies=[("Kan-code", Decimal(341_455)), ("Konex", Decimal(269_245)), ("Condax", Decimal(206_410))],
)


@dataclass(frozen=True)
class Source:
    """The CSV files: accounts as rows, deals by their names."""

    accounts: list[dict[str, str]]
    deals: dict[str, Deal]
    agents: list[str]
    as_published: bool

    def facts(self) -> Facts:
        return count(list(self.deals.values()), len(self.accounts))


@dataclass(frozen=True)
class Run:
    """What one `connector sync` took, measured from outside, and what it said of itself."""

    name: str
    seconds: float
    peak_mb: float
    calls: dict[str, dict[str, int]]
    report: dict[str, Any]

    def total(self, side: str) -> int:
        return sum(self.calls[side].values())

    def object_writes(self) -> int:
        """Calls that write HubSpot records; those for associations and settings are not among them."""
        counted = ("companies/", "contacts/", "deals/")
        return sum(
            number
            for resource, number in self.calls["hubspot"].items()
            if resource.startswith(counted) and resource.endswith(OBJECT_WRITES)
        )


@dataclass
class Checks:
    """Everything that was looked at: what, what it must be, what it is."""

    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def equal(self, what: str, expected: object, found: object) -> None:
        self.rows.append((what, show(expected), show(found), expected == found))

    def at_most(self, what: str, limit: int, found: int) -> None:
        self.rows.append((what, f"<= {limit:,}", show(found), found <= limit))

    @property
    def passed(self) -> bool:
        return all(ok for *_, ok in self.rows)


class Client:
    """One sandbox over its port."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base = base_url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """The JSON of a successful answer. Raises `RuntimeError` with any other."""
        answer = self._session.request(method, self._base + path, json=body, params=query, timeout=120)
        while answer.status_code == requests.codes.too_many:  # the served sandbox keeps limits
            time.sleep(1)
            answer = self._session.request(method, self._base + path, json=body, params=query, timeout=120)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def usage(self) -> dict[str, int]:
        """API calls by resource since the counters were reset."""
        return dict(self.ask("GET", "/_sandbox/usage")["by_resource"])


@dataclass(frozen=True)
class Sandbox:
    """Both sides, and the environment in which the connector finds them."""

    salesforce: Client
    hubspot: Client
    environment: dict[str, str]


def read_source(folder: Path) -> Source:
    """The data set. Product and account names are taken as they are spelt."""
    with (folder / "accounts.csv").open(encoding="utf-8", newline="") as file:
        accounts = list(csv.DictReader(file))
    raw = (folder / "sales_pipeline.csv").read_bytes()
    rows = list(csv.DictReader(raw.decode().splitlines()))
    deals = {
        f"{row['account'] or 'No account'} – {row['product']} – {row['opportunity_id']}": Deal(
            stage=row["deal_stage"],
            close_date=read_date(row["close_date"]) or LAST_DAY,
            amount=Decimal(row["close_value"]) if row["close_value"] else None,
            company=row["account"] or None,
            owner=email_of(row["sales_agent"]),
        )
        for row in rows
    }
    agents = sorted({row["sales_agent"] for row in rows})
    return Source(accounts, deals, agents, hashlib.sha256(raw).hexdigest() == PUBLISHED_SHA256)


def read_date(text: str) -> date | None:
    return datetime.strptime(text, "%m/%d/%Y").date() if text else None  # noqa: DTZ007  # a day has no zone


def email_of(agent: str) -> str:
    return f"{agent.lower().replace(' ', '.')}@example.com"


def count(deals: Collection[Deal], companies: int) -> Facts:
    revenue: defaultdict[str, Decimal] = defaultdict(Decimal)
    for deal in deals:
        if deal.stage == WON and deal.company:
            revenue[deal.company] += deal.amount or 0
    return Facts(
        companies=companies,
        deals=len(deals),
        by_stage=dict(Counter(deal.stage for deal in deals)),
        with_company=sum(deal.company is not None for deal in deals),
        without_company=sum(deal.company is None for deal in deals),
        won_amount=sum((deal.amount or Decimal(0) for deal in deals if deal.stage == WON), Decimal(0)),
        top_companies=sorted(revenue.items(), key=lambda item: -item[1])[:3],
    )


@contextlib.contextmanager
def serve_sandbox(folder: Path) -> Iterator[Sandbox]:
    """Both sandboxes in a process of their own while the block runs."""
    command = [sys.executable, "-m", "connector", "sandbox", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RuntimeError("the sandbox ended before it served anything")
            told = json.loads(line)
            salesforce, hubspot = told["salesforce"], told["hubspot"]
            yield Sandbox(
                Client(salesforce["instance_url"], salesforce["session_id"]),
                Client(hubspot["base_url"], hubspot["access_token"]),
                {
                    "SALESFORCE_INSTANCE_URL": salesforce["instance_url"],
                    "SALESFORCE_SESSION_ID": salesforce["session_id"],
                    "HUBSPOT_BASE_URL": hubspot["base_url"],
                    "HUBSPOT_ACCESS_TOKEN": hubspot["access_token"],
                },
            )
        finally:
            process.terminate()


def load(source: Source, sandbox: Sandbox) -> None:
    """Enter people, stages, accounts and opportunities; forget what API calls that took."""
    org, portal = sandbox.salesforce, sandbox.hubspot
    people = [(agent, *agent.split(" ", 1), email_of(agent)) for agent in source.agents]
    org.ask("PUT", "/_sandbox/stages", STAGES)
    users = org.ask(
        "POST",
        "/_sandbox/users",
        [
            {"Username": email, "Email": email, "FirstName": first, "LastName": last, "IsActive": True}
            for _, first, last, email in people
        ],
    )
    portal.ask(
        "POST",
        "/_sandbox/owners",
        [{"email": email, "firstName": first, "lastName": last} for _, first, last, email in people],
    )
    user_ids = {email: user["id"] for (*_, email), user in zip(people, users, strict=True)}
    accounts = [
        {
            "Name": row["account"],
            "Industry": row["sector"],
            "NumberOfEmployees": int(row["employees"]),
            "AnnualRevenue": float(Decimal(row["revenue"]) * 1_000_000),  # the file has millions
            "BillingCountry": row["office_location"],
        }
        for row in source.accounts
    ]
    names = [row["Name"] for row in accounts]
    account_ids = dict(zip(names, create(org, "Account", accounts), strict=True))
    create(
        org,
        "Opportunity",
        [
            {
                "Name": name,
                "StageName": deal.stage,
                "CloseDate": str(deal.close_date),
                "Amount": None if deal.amount is None else float(deal.amount),
                "AccountId": account_ids[deal.company] if deal.company else None,
                "OwnerId": user_ids[str(deal.owner)],
            }
            for name, deal in source.deals.items()
        ],
    )
    for side in (org, portal):
        side.ask("POST", "/_sandbox/usage/reset")


def create(org: Client, sobject: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Ids in the order of the rows. Raises `RuntimeError` when any is refused."""
    ids: list[str] = []
    for start in range(0, len(rows), COLLECTION):
        records = [{"attributes": {"type": sobject}, **row} for row in rows[start : start + COLLECTION]]
        body = {"allOrNone": True, "records": records}
        for result in org.ask("POST", f"/services/data/{VERSION}/composite/sobjects", body):
            if not result["success"]:
                raise RuntimeError(f"{sobject}: {result['errors']}")
            ids.append(result["id"])
    return ids


def sync(name: str, sandbox: Sandbox, folder: Path) -> Run:
    """One `connector sync --json` as a process, with what it used of everything."""
    sides = {"salesforce": sandbox.salesforce, "hubspot": sandbox.hubspot}
    for side in sides.values():
        side.ask("POST", "/_sandbox/usage/reset")
    environment = {
        **os.environ,
        **sandbox.environment,
        "CONNECTOR_STORE_URL": f"sqlite:///{folder / 'store.db'}",
    }
    command = [sys.executable, "-m", "connector", "sync", "--json"]
    output, errors = folder / f"{name}.json", folder / f"{name}.log"
    began = time.perf_counter()
    with output.open("wb") as told, errors.open("wb") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=told, stderr=said)
        _, status, used = os.wait4(process.pid, 0)  # the memory of this child alone, unlike RUSAGE_CHILDREN
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode not in {0, 1} or not output.stat().st_size:  # 1: done, with problems, which are checked
        raise RuntimeError(f"connector sync ended with {process.returncode}:\n{errors.read_text()[-4_000:]}")
    unit = 1 if sys.platform == "darwin" else 1_024  # getrusage(2): bytes there, kilobytes elsewhere
    return Run(
        name=name,
        seconds=seconds,
        peak_mb=used.ru_maxrss * unit / 1e6,
        calls={key: side.usage() for key, side in sides.items()},
        report=json.loads(output.read_bytes()),
    )


def pages(portal: Client, objects: str, properties: str, **query: str) -> Iterator[dict[str, Any]]:
    """Every record of one kind in HubSpot."""
    after: dict[str, str] = {}
    while True:
        page = portal.ask(
            "GET", f"/crm/v3/objects/{objects}", limit=str(BATCH), properties=properties, **after, **query
        )
        yield from page["results"]
        if "paging" not in page:
            return
        after = {"after": page["paging"]["next"]["after"]}


def read_back(portal: Client) -> tuple[list[tuple[str, Deal]], int]:
    """The deals in HubSpot with their names, a name as often as it is there, and the number of companies."""
    stages = {
        stage["id"]: stage["label"]
        for pipeline in portal.ask("GET", "/crm/v3/pipelines/deals")["results"]
        for stage in pipeline["stages"]
    }
    owners: dict[str, str] = {
        owner["id"]: owner["email"] for owner in portal.ask("GET", "/crm/v3/owners", limit="100")["results"]
    }
    companies = {company["id"]: company["properties"]["name"] for company in pages(portal, "companies", "name")}
    wanted = "dealname,dealstage,closedate,amount,hubspot_owner_id"
    deals: list[tuple[str, Deal]] = []
    for record in pages(portal, "deals", wanted, associations="companies"):
        values = record["properties"]
        linked = record.get("associations", {}).get("companies", {}).get("results", [])
        closed, amount = values["closedate"], values["amount"]
        deal = Deal(
            stage=stages[values["dealstage"]],
            close_date=datetime.fromisoformat(closed).date() if closed else None,
            amount=Decimal(amount) if amount else None,
            company=companies[linked[0]["id"]] if linked else None,
            owner=owners.get(values["hubspot_owner_id"]),
        )
        deals.append((values["dealname"], deal))
    return deals, len(companies)


def pass_an_hour(sandbox: Sandbox) -> None:
    for side in (sandbox.salesforce, sandbox.hubspot):
        side.ask("POST", "/_sandbox/clock", {"advance": 3_600})


def fingerprint(sandbox: Sandbox) -> dict[str, str]:
    """When each record of either side was last written."""
    moments = {
        f"{objects} {record['id']}": record["updatedAt"]
        for objects in ("companies", "deals")
        for record in pages(sandbox.hubspot, objects, "hs_object_id")
    }
    for sobject in ("Account", "Opportunity"):
        path, query = f"/services/data/{VERSION}/query", {"q": f"SELECT Id, SystemModstamp FROM {sobject}"}
        while path:
            page = sandbox.salesforce.ask("GET", path, **query)
            moments |= {f"{sobject} {row['Id']}": row["SystemModstamp"] for row in page["records"]}
            path, query = page.get("nextRecordsUrl"), {}
    return moments


def check_deals(checks: Checks, source: Source, deals: list[tuple[str, Deal]], companies: int) -> None:
    expected, found = source.facts(), count([deal for _, deal in deals], companies)
    if source.as_published:
        checks.equal("the CSV files give the published figures", True, expected == PUBLISHED)
    for what in Facts.__dataclass_fields__:
        checks.equal(what.replace("_", " "), getattr(expected, what), getattr(found, what))
    different = [name for name, deal in deals if source.deals.get(name) != deal]
    checks.equal("deals that differ from their row", [], different[:5])
    missing = source.deals.keys() - {name for name, _ in deals}
    checks.equal("rows without a deal", [], sorted(missing)[:5])


def check_cost(checks: Checks, source: Source, runs: Sequence[Run]) -> None:
    first, *quiet = runs
    floor = math.ceil(len(source.accounts) / BATCH) + math.ceil(len(source.deals) / BATCH)
    what = f"HubSpot object writes of the first sync, for which the floor is {floor}"
    checks.at_most(what, math.floor(floor * ABOVE_FLOOR), first.object_writes())
    for run in quiet:
        checks.equal(f"HubSpot object writes of the {run.name} sync", 0, run.object_writes())
    for side, limit in IDLE_CALLS.items():
        checks.at_most(f"{side} calls of the idle sync", limit, quiet[-1].total(side))
    for run in runs:
        checks.equal(f"problems of the {run.name} sync", 0, run.report["problems"])
        for side in run.calls:
            checks.equal(f"{side} calls of the {run.name} sync, as reported", run.total(side), reported(run, side))


def reported(run: Run, side: str) -> object:
    return run.report[side]["api_calls"]


def measure(source: Source, folder: Path) -> tuple[Checks, list[Run]]:
    checks = Checks()
    with serve_sandbox(folder) as sandbox:
        began = time.perf_counter()
        load(source, sandbox)
        print(f"loaded in {time.perf_counter() - began:.1f} s", file=sys.stderr)
        first = sync("first", sandbox, folder)
        check_deals(checks, source, *read_back(sandbox.hubspot))
        before = fingerprint(sandbox)
        second = sync("second", sandbox, folder)
        pass_an_hour(sandbox)
        hour = sync("hour", sandbox, folder)
        pass_an_hour(sandbox)
        idle = sync("idle", sandbox, folder)
        after = fingerprint(sandbox)
        written = [record for record, moment in after.items() if before.get(record) != moment]
        checks.equal("records written by any sync but the first", [], written[:5])
    runs = [first, second, hour, idle]
    check_cost(checks, source, runs)
    return checks, runs


def show(value: object) -> str:
    if isinstance(value, dict | list):
        pairs = sorted(value.items()) if isinstance(value, dict) else value
        return (
            ", ".join(" ".join(map(show, pair)) if isinstance(pair, tuple) else show(pair) for pair in pairs)
            or "none"
        )
    return f"{value:,}" if isinstance(value, int | Decimal) and not isinstance(value, bool) else str(value)


def print_tables(checks: Checks, runs: Sequence[Run]) -> None:
    print(
        f"{'sync':8}{'seconds':>9}{'peak MB':>9}{'Salesforce calls':>18}{'HubSpot calls':>15}{'object writes':>15}"
    )
    for run in runs:
        calls = f"{run.total('salesforce'):>18,}{run.total('hubspot'):>15,}{run.object_writes():>15,}"
        print(f"{run.name:8}{run.seconds:>9.2f}{run.peak_mb:>9.0f}{calls}")
    for run in runs:
        for side, resources in run.calls.items():
            listed = ", ".join(f"{name} {number:,}" for name, number in sorted(resources.items()))
            print(f"  {run.name}, {side}: {listed or 'none'}")
    print()
    for what, expected, found, ok in checks.rows:
        verdict = "ok    " if ok else "WRONG "
        print(f"{verdict}{what}: {found}" + ("" if ok else f", must be {expected}"))


def as_json(checks: Checks, runs: Sequence[Run]) -> str:
    listed = [dict(zip(("check", "expected", "found", "ok"), row, strict=True)) for row in checks.rows]
    told = {"passed": checks.passed, "checks": listed, "runs": [asdict(run) for run in runs]}
    return json.dumps(told, indent=2, ensure_ascii=False)


def main() -> int:
    parser = argparse.ArgumentParser(description="A real data set through both sandboxes and the connector.")
    parser.add_argument("folder", metavar="DATA_FOLDER", type=Path, nargs="?", help="the folder of the CSV files")
    parser.add_argument("--data", metavar="FOLDER", type=Path, help="the same, as an option")
    parser.add_argument("--keep", action="store_true", help="keep the store and the reports, and say where")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    data = options.data or options.folder
    if data is None or not (data / "sales_pipeline.csv").is_file():
        parser.error("DATA_FOLDER is to hold accounts.csv and sales_pipeline.csv")
    source = read_source(data)
    with contextlib.ExitStack() as stack:
        if options.keep:
            folder = Path(tempfile.mkdtemp(prefix="crm-sales-"))
            print(f"kept in {folder}", file=sys.stderr)
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crm-sales-")))
        checks, runs = measure(source, folder)
    if options.json:
        print(as_json(checks, runs))
    else:
        print_tables(checks, runs)
    return 0 if checks.passed else 1


if __name__ == "__main__":
    sys.exit(main())
