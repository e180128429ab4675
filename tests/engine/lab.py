"""Both sandboxes in process, a connector between them, and people who work on either side.

The lab can let the connector's process die at any request or commit, before or after it took effect, and can
let a person act in the middle of a run. What people see and do goes through the CRMs' own APIs, never through
the connector's code.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter
from sqlalchemy import Engine, event

from connector.core.model import Pair, Side
from connector.engine.connect import connect
from connector.engine.report import Report
from connector.engine.run import Wish, plan, sync
from connector.engine.world import Connection
from connector.errors import Unreachable
from connector.sandbox.clock import Clock
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.transport import SandboxAdapter
from connector.sandbox.wire import Handler
from connector.settings import load_mapping, load_settings
from connector.store.database import _make_engine, open_engine
from connector.store.store import Store

FOLDER = Path("nowhere")
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SALESFORCE, HUBSPOT = "https://salesforce.test", "https://hubspot.test"
API = "/services/data/v62.0"


@cache
def _shipped() -> Mapping[str, Pair]:
    """The shipped mapping, read once: reading YAML takes longer than a small sync."""
    return load_mapping(load_settings({}, FOLDER), FOLDER)


@cache
def _empty_store() -> bytes:
    """A store that remembers nothing, made once: to migrate one takes longer than a small sync."""
    engine = open_engine("sqlite://")
    with closing(engine.raw_connection()) as connection:
        empty: bytes = connection.driver_connection.serialize()
    engine.dispose()
    return empty


class Died(BaseException):
    """The connector's process is gone."""


class Fate:
    """Counts the steps of a run (requests and commits), and strikes at one of them."""

    def __init__(self) -> None:
        self.steps = 0
        self.dead = False
        self.strike_at: int | None = None
        self.strike_at_write: int | None = None
        self.after_delivery = False
        self.full_at: int | None = None
        self.interrupt_at: int | None = None
        self.interruption: Callable[[], None] | None = None
        self.interrupt_before: str | None = None
        self.watcher: Callable[[], None] | None = None
        self.sent = ""

    def revive(self) -> None:
        self.steps, self.dead, self.strike_at = 0, False, None
        self.strike_at_write, self.full_at = None, None
        self.interrupt_at, self.interruption = None, None
        self.interrupt_before = None

    def step(self) -> bool:
        """One step is about to be taken; whether the process dies at it."""
        if self.dead:
            raise Died
        self.steps += 1
        return self.strike_at is not None and self.steps >= self.strike_at

    def strikes_at(self, request: requests.PreparedRequest) -> bool:
        """Whether the process dies at this request, being the write it was to die at."""
        if self.strike_at_write is None or not _is_write(request):
            return False
        self.strike_at_write -= 1
        return self.strike_at_write == 0

    def watch(self) -> None:
        """Nothing is under way: what is durable now is what the next step finds."""
        if self.watcher is not None:
            self.watcher()

    def die(self) -> None:
        self.dead = True
        raise Died


class FatefulAdapter(BaseAdapter):
    """A transport on which the process may die, and people may come between."""

    def __init__(self, inner: BaseAdapter, fate: Fate) -> None:
        super().__init__()
        self._inner = inner
        self._fate = fate

    def send(self, request, **kwargs):  # type: ignore[override]
        fate = self._fate
        fate.watch()
        dies = fate.step() or fate.strikes_at(request)
        if dies and not fate.after_delivery:
            fate.die()
        if fate.interrupt_before is not None and (request.url or "").endswith(fate.interrupt_before):
            fate.interrupt_before = None
            fate.interruption()
        meddled = fate.interrupt_at is not None and fate.steps >= fate.interrupt_at
        if meddled:
            fate.interrupt_at = None
        # An edit between our re-read and our write is the one that neither vendor lets us see (law 5).
        overwrites = _is_overwrite(request)
        if meddled and not overwrites:
            fate.interruption()
        fate.sent = f"{request.method} {request.path_url}"
        response = self._inner.send(request, **kwargs)
        if meddled and overwrites:
            fate.interruption()
        if dies:
            fate.die()
        return response

    def close(self):
        self._inner.close()


def _is_write(request: requests.PreparedRequest) -> bool:
    body = request.body or b""
    text = body if isinstance(body, str) else body.decode()
    creates = (
        "/batch/create" in (request.url or "") or '"composite/sobjects"' in text or '/composite/sobjects"' in text
    )
    return creates or _is_overwrite(request)


def _is_overwrite(request: requests.PreparedRequest) -> bool:
    body = request.body or b""
    text = body if isinstance(body, str) else body.decode()
    return any(part in (request.url or "") for part in ("/batch/update", "/batch/archive")) or (
        '"method": "PATCH"' in text or '"method":"PATCH"' in text
    )


class OwnClock(Clock):
    """The clock of one CRM: as much ahead of the lab's as `ahead` says."""

    def __init__(self, of: Clock) -> None:
        super().__init__(START)
        self._of = of
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return self._of.now() + self.ahead

    def set(self, moment: datetime) -> None:
        """Whoever sets the clock of one CRM sets the time for all."""
        self._of.set(moment - self.ahead)


class Lab:
    """Two empty CRMs and a connector. Times stand still unless moved.

    `between` may stand in the way of the connector's calls, and of nobody else's: it is given the side and who
    answers for it, and gives who answers instead. `drift` is how much the connector's machine is ahead of the time.
    """

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        self.clock = Clock(START)
        self.salesforce = SalesforceSandbox(OwnClock(self.clock))
        self.hubspot = HubSpotSandbox(OwnClock(self.clock))
        self.fate = Fate()
        self.drift = timedelta(0)
        self.between: Callable[[Side, Handler], Handler] = lambda _, handler: handler
        self.session_of_people = self.salesforce.session_id
        self.token_of_people = self.hubspot.access_token
        self.environment = {
            "SALESFORCE_INSTANCE_URL": SALESFORCE,
            "SALESFORCE_SESSION_ID": self.salesforce.session_id,
            "HUBSPOT_BASE_URL": HUBSPOT,
            "HUBSPOT_ACCESS_TOKEN": self.hubspot.access_token,
            "CONNECTOR__HUBSPOT__SEARCHES_PER_SECOND": "0",
            "CONNECTOR__HUBSPOT__WORKERS": "1",
            **(environment or {}),
        }
        self.pairs = load_mapping(load_settings(self.environment, FOLDER), FOLDER) if environment else _shipped()
        self._let_people_in()
        self.forget()

    def _let_people_in(self) -> None:
        self._people = requests.Session()
        self._people.trust_env = False
        self._people.mount(SALESFORCE, SandboxAdapter(self.salesforce))
        self._people.mount(HUBSPOT, SandboxAdapter(self.hubspot))

    def copy(self, crms: bytes | None = None, store: bytes | None = None) -> Lab:
        """A twin with everything durable: both CRMs, the clock, and what the store has committed, as they are now.

        Who makes many keeps `durable_crms()` and `durable_store()` as they were, and gives them.
        """
        twin = copy.copy(self)
        twin.clock, twin.salesforce, twin.hubspot = pickle.loads(crms or self.durable_crms())
        twin.environment, twin.fate = dict(self.environment), Fate()
        twin._let_people_in()
        twin._keep(_make_engine("sqlite://"), store or self.durable_store())  # the tables come with the copy
        return twin

    def become(self, crms: bytes, store: bytes) -> None:
        """Go back to what was durable once. Quicker than a twin: the statements that were compiled are kept."""
        self.clock, self.salesforce, self.hubspot = pickle.loads(crms)
        self.fate.revive()
        self._let_people_in()
        self._database.deserialize(store)
        self.store = Store(self.engine, "default", self.clock.now)

    def durable_crms(self) -> bytes:
        """Both CRMs and their clock."""
        return pickle.dumps((self.clock, self.salesforce, self.hubspot))

    def durable_store(self) -> bytes:
        """What the store has committed; not to be asked for in the middle of a transaction."""
        return self._database.serialize()

    # --- the connector ---

    def now(self) -> datetime:
        """The time on the connector's machine."""
        return self.clock.now() + self.drift

    def forget(self) -> None:
        """Start with an empty store."""
        self.put_back(_empty_store())

    def put_back(self, committed: bytes) -> None:
        """Start with a store as `durable_store` gave it."""
        self._keep(_make_engine("sqlite://"), committed)

    def put_store_back(self, photograph: bytes) -> None:
        """The store as it was when it was photographed (`durable_store`), as from a backup."""
        self._keep(_make_engine("sqlite://"), photograph)

    def _keep(self, engine: Engine, committed: bytes | None = None) -> None:
        event.listen(engine, "begin", lambda _: self._begin())
        event.listen(engine, "commit", lambda _: self._commit())
        self.engine = engine
        with closing(engine.raw_connection()) as connection:
            self._database = connection.driver_connection  # a store in memory has this one connection
        if committed is not None:
            self._database.deserialize(committed)
        self.store = Store(engine, "default", self.now)

    def _begin(self) -> None:
        if self.fate.dead:
            raise Died
        self.fate.watch()

    def _commit(self) -> None:
        if self.fate.step():
            self.fate.die()
        if self.fate.full_at is not None and self.fate.steps >= self.fate.full_at:
            self.fate.full_at = None
            self._leave_room(0)

    def _leave_room(self, pages: int) -> None:
        """So much may the store still grow, from the next statement on."""
        (now,) = self._database.execute("PRAGMA page_count").fetchone()
        self._database.execute(f"PRAGMA max_page_count = {now + pages}")

    @contextmanager
    def on_full_disk(self, at: int) -> Iterator[None]:
        """While inside, the store cannot grow any more from some step on."""
        self.fate.revive()
        self.fate.full_at = at
        try:
            yield
        finally:
            self.fate.revive()
            self._leave_room(1_000_000)

    def connection(self) -> Connection:
        return connect(
            self.environment,
            FOLDER,
            transports={side: self.transport(side) for side in Side},
            pairs=self.pairs,
            store=Store(self.engine, "default", self.now),
            now=self.now,
            sleep=lambda seconds: self.clock.advance(timedelta(seconds=seconds)),
        )

    def transport(self, side: Side) -> BaseAdapter:
        """What carries the connector's requests to a side."""
        sandbox = self.salesforce if side is Side.SALESFORCE else self.hubspot
        return FatefulAdapter(SandboxAdapter(self.between(side, sandbox)), self.fate)

    def sync(self, wish: Wish | None = None) -> Report:
        self.fate.revive()
        report = sync(self.connection(), wish)
        self.clock.advance(timedelta(seconds=1))
        return report

    def plan(self, wish: Wish | None = None) -> Report:
        self.fate.revive()
        return plan(self.connection(), wish)

    def sync_until_rest(self, most: int = 4) -> Report:
        """Sync until a run writes nothing; fails if that takes more runs than `most`."""
        for _ in range(most):
            report = self.sync(Wish(deletes=True))
            if report.writes == 0:
                return report
        raise AssertionError(f"no rest after {most} runs; the last one wrote {report.as_json()}")

    def sync_and_die(self, at: int, *, after_delivery: bool) -> bool:
        """Sync, and die at the given step, or at the given write if it is negative; returns whether it did.

        The lease is left to expire.
        """
        self.fate.revive()
        self.fate.strike_at, self.fate.after_delivery = (at if at > 0 else None), after_delivery
        self.fate.strike_at_write = -at if at < 0 else None
        died = False
        try:
            sync(self.connection(), Wish(deletes=True))
        except Died:
            died = True
        self.fate.revive()
        self.clock.advance(timedelta(minutes=6) if died else timedelta(seconds=1))
        return died

    def sync_while(self, at: int, interruption: Callable[[], None]) -> None:
        """Sync, while somebody does something at the given step."""
        self.fate.revive()
        self.fate.interrupt_at, self.fate.interruption = at, interruption
        with suppress(Unreachable):
            sync(self.connection(), Wish(deletes=True))
        self.fate.revive()
        self.clock.advance(timedelta(seconds=1))

    def sync_once(self, wish: Wish | None = None) -> Report:
        """One run that leaves nothing to do: the next one writes nothing (T7). Returns the first one's report."""
        report = self.sync(wish)
        again = self.sync()
        assert again.writes == 0, f"T7: the run after it wrote {again.as_json()}"
        return report

    def configure(self, **settings: str) -> None:
        """Change settings, such as `SYNC__DEALS="false"`, as somebody does between two runs."""
        self.environment |= {f"CONNECTOR__{name}": value for name, value in settings.items()}
        self.pairs = load_mapping(load_settings(self.environment, FOLDER), FOLDER)

    def problems(self) -> list[dict[str, Any]]:
        """Open problems, as `connector problems` lists them."""
        return self.store.problems.all()

    def sync_before(self, path: str, interruption: Callable[[], None]) -> Report:
        """Sync, while somebody does something just before the first request whose URL ends with `path`."""
        self.fate.revive()
        self.fate.interrupt_before, self.fate.interruption = path, interruption
        report = sync(self.connection(), Wish(deletes=True))
        assert self.fate.interrupt_before is None, f"the run never asked for {path}"
        self.fate.revive()
        self.clock.advance(timedelta(seconds=1))
        return report

    @contextmanager
    def watching(self, watcher: Callable[[], None]) -> Iterator[None]:
        """Call `watcher` before each request and each transaction of the runs inside."""
        self.fate.watcher = watcher
        try:
            yield
        finally:
            self.fate.watcher = None

    # --- people in Salesforce ---

    def sf(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.session_of_people}"}
        response = self._people.request(method, f"{SALESFORCE}{path}", json=body, headers=headers)
        assert response.status_code < 300, (method, path, body, response.text)
        return response.json() if response.content else None

    def sf_create(self, sobject: str, **fields: Any) -> str:
        return self.sf("POST", f"{API}/sobjects/{sobject}", fields)["id"]

    def sf_edit(self, sobject: str, id_: str, **fields: Any) -> None:
        self.sf("PATCH", f"{API}/sobjects/{sobject}/{id_}", fields)

    def sf_delete(self, sobject: str, id_: str) -> None:
        self.sf("DELETE", f"{API}/sobjects/{sobject}/{id_}")

    def sf_get(self, sobject: str, id_: str) -> dict[str, Any]:
        return self.sf("GET", f"{API}/sobjects/{sobject}/{id_}")

    def sf_all(self, soql: str) -> list[dict[str, Any]]:
        answer = self.sf("GET", f"{API}/query?q={requests.utils.quote(soql)}")
        rows = answer["records"]
        while not answer["done"]:
            answer = self.sf("GET", answer["nextRecordsUrl"])
            rows += answer["records"]
        return rows

    def opportunity(self, name: str = "Big deal", **fields: Any) -> str:
        given = {"Name": name, "StageName": "Prospecting", "CloseDate": "2026-06-30", **fields}
        return self.sf_create("Opportunity", **given)

    def business(self, **fields: Any) -> tuple[str, str, str]:
        """An account, its contact, and an opportunity of the account on which the contact has a role."""
        account = self.sf_create("Account", Name="Acme", Website="acme.example")
        contact = self.sf_create("Contact", LastName="Fox", Email="fox@acme.example", AccountId=account)
        opportunity = self.opportunity(AccountId=account, **fields)
        self.role(opportunity, contact)
        return account, contact, opportunity

    def role(self, opportunity: str, contact: str, **fields: Any) -> str:
        return self.sf_create("OpportunityContactRole", OpportunityId=opportunity, ContactId=contact, **fields)

    def sandbox_post(self, side: str, what: str, body: Any, method: str = "POST") -> Any:
        """An administrator's act."""
        root = SALESFORCE if side == "salesforce" else HUBSPOT
        response = self._people.request(method, f"{root}/_sandbox/{what}", json=body)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    # --- people in HubSpot ---

    def hs(self, method: str, path: str, body: Any = None, *, ok: bool = True) -> Any:
        headers = {"Authorization": f"Bearer {self.token_of_people}"}
        response = self._people.request(method, f"{HUBSPOT}{path}", json=body, headers=headers)
        assert not ok or response.status_code < 300, (method, path, body, response.text)
        return response.json() if response.content else None

    def hs_create(self, object_: str, associations: Any = (), **properties: Any) -> str:
        body = {"properties": properties, "associations": list(associations)}
        return self.hs("POST", f"/crm/v3/objects/{object_}", body)["id"]

    def hs_edit(self, object_: str, id_: str, **properties: Any) -> None:
        self.hs("PATCH", f"/crm/v3/objects/{object_}/{id_}", {"properties": properties})

    def hs_delete(self, object_: str, id_: str) -> None:
        self.hs("DELETE", f"/crm/v3/objects/{object_}/{id_}")

    def hs_get(self, object_: str, id_: str, *properties: str) -> dict[str, Any]:
        names = ",".join(properties)
        return self.hs("GET", f"/crm/v3/objects/{object_}/{id_}?properties={names}")["properties"]

    def hs_all(self, object_: str, *properties: str, archived: bool = False) -> dict[str, dict[str, Any]]:
        """All records by id, with the properties asked for."""
        found, after = {}, ""
        while True:
            query = f"limit=100&properties={','.join(properties)}&archived={str(archived).lower()}{after}"
            answer = self.hs("GET", f"/crm/v3/objects/{object_}?{query}")
            found |= {row["id"]: row["properties"] for row in answer["results"]}
            following = answer.get("paging", {}).get("next")
            if not following:
                return found
            after = f"&after={following['after']}"

    def hs_associated(self, object_: str, id_: str, to: str) -> dict[str, set[int]]:
        """Ids of associated records, with the association type ids."""
        answer = self.hs("GET", f"/crm/v4/objects/{object_}/{id_}/associations/{to}?limit=500")
        return {
            str(row["toObjectId"]): {one["typeId"] for one in row["associationTypes"]} for row in answer["results"]
        }

    def hs_associate(self, object_: str, id_: str, to: str, to_id: str, type_id: int) -> None:
        body = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
        self.hs("PUT", f"/crm/v4/objects/{object_}/{id_}/associations/{to}/{to_id}", body)

    def stages(self, pipeline: str | None = None) -> dict[str, str]:
        """Stage ids by label, of one pipeline or of all."""
        pipelines = self.hs("GET", "/crm/v3/pipelines/deals")["results"]
        return {
            stage["label"]: stage["id"]
            for one in pipelines
            if pipeline in (None, one["id"], one["label"])
            for stage in one["stages"]
        }

    def pipeline(self, label: str = "Salesforce - Default pipeline") -> str:
        pipelines = self.hs("GET", "/crm/v3/pipelines/deals")["results"]
        return next(one["id"] for one in pipelines if one["label"] == label)

    # --- pairs ---

    def partner(self, object_: str, salesforce_id: str) -> str | None:
        """The one live HubSpot record that carries a Salesforce id."""
        rows = self.hs_all(object_, "sf_record_id")
        found = [id_ for id_, row in rows.items() if row.get("sf_record_id") == salesforce_id]
        assert len(found) <= 1, f"{salesforce_id} has several partners: {found}"
        return found[0] if found else None

    def deal_of(self, opportunity: str) -> str:
        deal = self.partner("deals", opportunity)
        assert deal is not None, f"{opportunity} has no deal"
        return deal

    def advance(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))
