"""HubSpot: reads by list and search, writes in batches, at the least number of API calls.

| what                     | how                                                    | calls                      |
|--------------------------|--------------------------------------------------------|----------------------------|
| first reading            | list, by id                                            | 1 per 100                  |
| changes                  | search by modified date, in the order of ids           | 1 per 200, at least 1      |
| contacts, company of deal| associations batch/read                                | 2 per 1,000 deals          |
| deletions                | list of archived records                               | 1 per 100                  |
| newcomers                | the same search, of those without a partner's id       | 1 per 200, at least 1      |
| merges                   | a property of the survivor, archived or not            | 0                          |
| what no batch knows      | asked for alone: it may have been merged               | 1 each, at most 100        |
| create, update, delete   | batches of 100                                         | 1 per 100                  |
| lower a lifecycle stage  | the update clears it, a second one sets it             | 1 more per 100             |
| associate, label         | associations batch/create                              | 1 per 2,000                |
| disassociate, unlabel    | associations batch/archive, batch/labels/archive       | 1 per 2,000                |
| when values were edited  | batch/read with the history of properties              | 1 per 50 records           |

Search shows a record some time after its write (moments as a rule, but 22 minutes have been reported), so
the cursor stays `overlap` behind the server's clock, and what was seen already is dropped by the store.
Only the first page of a search is ever used: the next one is a search behind its last id. Pages by offset stop
at 10,000 hits (Search the CRM guide, limits), and a record edited between two of them, which moves to the end of
what is sorted by date, pulls another one out of sight.

Every input of a batch carries an `objectWriteTraceId`, without which one bad input has the whole batch
refused (Error handling guide, multi-status). Results come shuffled and a merged id simply lacks, so they are
matched by trace id, unique property or id, never by position.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
import requests
from pydantic import SecretStr
from pydantic.dataclasses import dataclass as checked
from pyrate_limiter import Duration, Limiter, Rate

from connector.adapters import answers
from connector.adapters.answers import (
    HubSpotError,
    HubSpotRow,
    Misshapen,
    Pages,
    WrittenRow,
    expect,
    hubspot_error,
    read_json,
)
from connector.adapters.base import (
    Blame,
    Draft,
    Edit,
    Labelling,
    Outcome,
    Page,
    Refusal,
    Touch,
    Trouble,
    Usage,
    Wanted,
    hear_late,
    read_stored_id,
)
from connector.adapters.http import Door, retry_after
from connector.adapters.hubspot_refusals import MEANINGS, read_refusal
from connector.adapters.salesforce_ids import lengthen
from connector.core.model import Fields, Presence, ProblemClass, Record, Side
from connector.core.pipelines import CreatePipeline, CreateStage, Pipeline, PipelineAction, Stage, UpdateStage
from connector.errors import Condition, Later, Unreachable

BATCH, LIST_PAGE, SEARCH_PAGE = 100, 100, 200
ASSOCIATE, READ_ASSOCIATIONS, WITH_HISTORY = 2000, 1000, 50
MERGED_IDS = "hs_merged_object_ids"
MOST_LOOKED_FOR = 100
"""As many ids are asked for alone; further ones are learnt of when their survivors change."""
PRIMARY_COMPANY = "primary_company"
"""Not a property: the id of the primary company, read from and written to the association."""

MODIFIED = {
    "contacts": "lastmodifieddate",
    "companies": "hs_lastmodifieddate",
    "deals": "hs_lastmodifieddate",
}
SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal"}
PRIMARY_TYPE = {"contacts": 1, "deals": 5}
DEAL_TO_CONTACT = 3
"""Association type ids (Associations guide, "HubSpot defined association types")."""
_TIES = {"companies": ("contacts", "deals"), "contacts": ("deals",), "deals": ("contacts",)}
_BY_ITSELF = {"CALCULATED", "CRM_SETTING", "MERGE_OBJECTS"}
"""Sources of values that HubSpot writes by itself."""
LABEL, NO_ASSOCIATIONS = "USER_DEFINED", "NO_ASSOCIATIONS_FOUND"

PATHS = {
    "v3": {
        "objects": "/crm/v3/objects/{object}",
        "associations": "/crm/v4/associations/{object}/{to}",
        "properties": "/crm/v3/properties/{object}",
        "pipelines": "/crm/v3/pipelines/deals",
        "owners": "/crm/v3/owners",
    }
}
GROUP, GROUP_LABEL = "salesforce_sync", "Salesforce sync"

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P", answers.Owners, answers.HubSpotRows)


def paths(version: str) -> Mapping[str, str]:
    """Path templates of an API version: `v3` (with associations v4), or a date such as `2026-09`."""
    dated = {
        "objects": f"/crm/objects/{version}/{{object}}",
        "associations": f"/crm/associations/{version}/{{object}}/{{to}}",
        "properties": f"/crm/properties/{version}/{{object}}",
        "pipelines": f"/crm/pipelines/{version}/deals",
        "owners": f"/crm/owners/{version}",
    }
    return PATHS.get(version, dated)


@dataclass(frozen=True, slots=True)
class Owner:
    id: str
    email: str


@dataclass(frozen=True, slots=True)
class Property:
    """A property's definition, as far as the connector cares. `options` are values in display order.

    `field_type` is the form in which people enter it, `calculated` whether HubSpot computes it, `refers_to` the
    kind of object, such as OWNER, of which it holds an id.
    """

    name: str
    type: str
    read_only: bool
    unique: bool = False
    options: tuple[str, ...] = ()
    group: str = ""
    label: str = ""
    option_labels: tuple[str, ...] = ()
    field_type: str = ""
    calculated: bool = False
    refers_to: str = ""


@checked(frozen=True, slots=True)
class HubSpotCredentials:
    """Where HubSpot is, and the token of a private app or service key."""

    base_url: str
    access_token: SecretStr = SecretStr("")


def judge(response: requests.Response) -> None:
    """What an answer of HubSpot means for the call and the connection (Error handling guide)."""
    status = response.status_code
    body = _error(response)
    if status == requests.codes.unauthorized:
        raise Unreachable(
            Side.HUBSPOT,
            ProblemClass.PERMISSIONS,
            "HubSpot refuses the access token",
            "check HUBSPOT_ACCESS_TOKEN: it may have been rotated, revoked or cut off",
            Condition.NOT_LET_IN,
        )
    if status == requests.codes.forbidden:
        raise Unreachable(
            Side.HUBSPOT,
            ProblemClass.PERMISSIONS,
            "HubSpot: a scope is missing",
            _scopes_remedy(body),
            Condition.SCOPE_MISSING,
        )
    if status == requests.codes.too_many_requests:
        if body.get("policyName") == "DAILY":
            raise Unreachable(
                Side.HUBSPOT,
                ProblemClass.API_LIMIT,
                "HubSpot: the API calls of today are used up",
                "run again after midnight in the portal's time zone",
                Condition.LIMIT_REACHED,
            )
        wait = 1.0 if body.get("policyName") == "SECONDLY" else 10.0
        raise Later("HTTP 429", retry_after(response) or wait)
    if status in {423, 477, 500, 502, 503, 504} or 521 <= status <= 526:
        raise Later(f"HTTP {status}", retry_after(response) or (2.0 if status == 423 else None))


def may_write(method: str, path: str) -> bool:
    """Whether a request may change something; searches and batch reads are POSTs too."""
    return method != "GET" and not path.endswith(("/search", "/batch/read"))


def _error(response: requests.Response) -> HubSpotError:
    if response.status_code < 400:
        return {}
    try:
        return hubspot_error(orjson.loads(response.content))
    except ValueError:
        return {}


def _scopes_remedy(error: HubSpotError) -> str:
    scopes = {
        scope
        for one in error.get("errors", ())
        for scope in one.get("context", {}).get("requiredGranularScopes", ())
        if scope
    }
    if not scopes:
        return "give the access token the scopes that `connector check` lists"
    return f"give the access token the scope {' or '.join(sorted(scopes))}"


class HubSpot:
    """One HubSpot portal."""

    side = Side.HUBSPOT

    def __init__(
        self,
        door: Door,
        credentials: HubSpotCredentials,
        *,
        version: str = "v3",
        overlap: timedelta = timedelta(minutes=30),
        searches_per_second: int = 5,
        workers: int = 4,
    ) -> None:
        self._door = door
        self._base = credentials.base_url.rstrip("/")
        self._token = credentials.access_token
        self._paths = paths(version)
        self._overlap = overlap
        self._workers = workers
        self._left: int | None = None
        self._limit: int | None = None
        self._searches = Limiter(Rate(searches_per_second, Duration.SECOND)) if searches_per_second else None

    # --- set-up ---

    def owners(self) -> tuple[Owner, ...]:
        """Active owners. One call per 100."""
        pages = self._pages(self._paths["owners"], answers.Owners, {"limit": "100"})
        return tuple(
            Owner(one["id"], (one.get("email") or "").lower()) for page in pages for one in page["results"]
        )

    def pipelines(self) -> tuple[Pipeline, ...]:
        """Deal pipelines with their stages. One call."""
        return tuple(
            _pipeline(one)
            for one in self._get(self._paths["pipelines"], answers.Pipelines)["results"]
            if not one.get("archived")
        )

    def make_pipeline(self, action: PipelineAction) -> Refusal | None:
        """Carry out one pipeline action. One call, two for a pipeline that somebody archived.

        Its id stays taken, and its deals stay in it: it is brought back (Pipelines guide, "Archive a pipeline").
        """
        root = self._paths["pipelines"]
        match action:
            case CreatePipeline(pipeline):
                stages = [_stage_body(stage) for stage in pipeline.stages]
                body = {"pipelineId": pipeline.id, "label": pipeline.label, "displayOrder": pipeline.order}
                status, answer = self._call("POST", root, body | {"stages": stages})
                if status >= 300:
                    again, _ = self._call("PATCH", f"{root}/{_segment(pipeline.id)}", {"archived": False})
                    status = again if again < 300 else status
            case CreateStage(pipeline_id, stage):
                path = f"{root}/{_segment(pipeline_id)}/stages"
                status, answer = self._call("POST", path, _stage_body(stage))
            case UpdateStage(pipeline_id, stage):
                body = {key: value for key, value in _stage_body(stage).items() if key != "stageId"}
                path = f"{root}/{_segment(pipeline_id)}/stages/{_segment(stage.id)}"
                status, answer = self._call("PATCH", path, body)
        if status < 300:
            return None
        return replace(read_refusal(answer, ProblemClass.FIELD_MAPPING), remedy=_NO_PIPELINE)

    def properties(self, object_: str) -> dict[str, Property]:
        """All property definitions of an object, by name. One call."""
        found = self._get(self._path("properties", object_), answers.PropertyRows)
        return {one["name"]: _property(one) for one in found["results"]}

    def make_properties(self, object_: str, wanted: Sequence[Mapping[str, Any]]) -> None:
        """Create the group of this connector and properties in it. Existing ones are left as they are."""
        root = self._path("properties", object_)
        group = {"name": GROUP, "label": GROUP_LABEL, "displayOrder": -1}
        self._send("POST", f"{root}/groups", group, accept={409})
        inputs = [{**one, "groupName": GROUP} for one in wanted]
        body = self._send("POST", f"{root}/batch/create", {"inputs": inputs}, accept={409})
        errors = [error for error in _errors_of(body) if hubspot_error(error).get("category") != "CONFLICT"]
        if errors:
            raise self._refused(400, errors[0])

    def labels(self) -> dict[str, int]:
        """The labels that people defined for contacts of deals: type ids by text. One call."""
        body = self._get(f"{self._path('associations', 'deals', 'contacts')}/labels", answers.Labels)
        return {str(one["label"]): one["typeId"] for one in body["results"] if one["category"] == LABEL}

    def make_label(self, label: str) -> Refusal | None:
        """Define a label for contacts of deals. One call; refused beyond ten, or by the subscription.

        Its inner name is made of its text, so that making it twice cannot make two (Association schema guide).
        """
        name = "sf_role_" + "".join(one if one.isascii() and one.isalnum() else "_" for one in label.lower())
        path = f"{self._path('associations', 'deals', 'contacts')}/labels"
        status, body = self._call("POST", path, {"label": label, "name": name})
        return None if status < 300 else read_refusal(body, ProblemClass.FIELD_MAPPING)

    def account(self) -> answers.Account:
        """Time zone, currency and id of the portal. One call."""
        return self._get("/account-info/v3/details", answers.Account)

    def speaks_version(self) -> bool:
        """Whether there is anything under the version of the settings. One call."""
        status, _ = self._call("GET", self._paths["owners"], query={"limit": "1"})
        return bool(status != requests.codes.not_found)

    def scopes(self) -> frozenset[str] | None:
        """The scopes of a private app's token; None if HubSpot does not tell (service keys, OAuth)."""
        path = "/oauth/v2/private-apps/get/access-token-info"
        status, body = self._call("POST", path, {"tokenKey": self._token.get_secret_value()})
        if status != 200:
            return None
        return frozenset(expect(answers.Scopes, body, Side.HUBSPOT, f"POST {path}").get("scopes") or ())

    # --- reading ---

    def changes(self, wanted: Mapping[str, Wanted], cursors: Mapping[str, Any]) -> Iterator[Page]:
        """Pages of changed records. Cursors are named `hubspot/<object>`.

        Without a cursor everything is listed, which unlike search shows every record at once; an interrupted
        listing goes on where it stopped.
        """
        for name, want in wanted.items():
            cursor = cursors.get(_stream(name)) or {}
            if "since" in cursor:
                yield from self._search_changes(name, want, cursor["since"])
            else:
                yield from self._list_all(name, want, cursor)

    def _list_all(self, name: str, want: Wanted, cursor: Mapping[str, Any]) -> Iterator[Page]:
        after, started = cursor.get("after"), cursor.get("started")
        query = {"limit": str(LIST_PAGE), "properties": ",".join(self._columns(name, want))}
        for body in self._pages(self._path("objects", name), answers.HubSpotRows, query, after):
            started = started or _iso(self._now())
            after = _next(body)
            onward = {"after": after, "started": started}
            done = {"since": _iso(_moment(started) - self._overlap)}
            yield Page(
                name,
                self._records(name, want, body["results"]),
                cursors={_stream(name): onward if after else done},
            )

    def _search_changes(self, name: str, want: Wanted, since: str) -> Iterator[Page]:
        started: datetime | None = None
        last_id: str | None = "0"
        while last_id is not None:
            onward = _filter("hs_object_id", "GT", last_id)
            groups: list[list[dict[str, Any]]] = [[_filter(MODIFIED[name], "GTE", str(_millis(since))), onward]]
            if want.also:
                groups.append([{"propertyName": "hs_object_id", "operator": "IN", "values": [*want.also]}, onward])
            rows, last_id = self._search(name, want, groups)
            started = started or self._now()
            yield Page(name, self._records(name, want, rows))
        reached = _iso((started or self._now()) - self._overlap)
        yield Page(name, cursors={_stream(name): {"since": max(reached, since)}})

    def newcomers(self, name: str, want: Wanted, since: str) -> Iterator[tuple[Record, ...]]:
        """Records changed since a moment that store no partner's id: our own creations are not among them.

        One call per 200, at least one. Merges are not told.
        """
        last_id: str | None = "0"
        while last_id is not None:
            filters = [
                _filter(MODIFIED[name], "GTE", str(_millis(since))),
                _filter("hs_object_id", "GT", last_id),
                {"propertyName": want.partner_field or "", "operator": "NOT_HAS_PROPERTY"},
            ]
            rows, last_id = self._search(name, want, [filters])
            yield tuple(self._record(name, want, row) for row in rows)

    def _search(
        self, name: str, want: Wanted, groups: Sequence[Sequence[Mapping[str, Any]]]
    ) -> tuple[list[HubSpotRow], str | None]:
        """The first page of what meets all filters of a group, and the last id on it if there are more."""
        if self._searches is not None:
            self._searches.try_acquire("search")
        path = f"{self._path('objects', name)}/search"
        body = self._expect(
            "POST",
            path,
            {
                "filterGroups": [{"filters": filters} for filters in groups],
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": self._columns(name, want),
                "limit": SEARCH_PAGE,
            },
            answers.HubSpotRows,
        )
        rows = body["results"]
        if _next(body) is None:
            return rows, None
        after = next(one["value"] for one in groups[0] if one["propertyName"] == "hs_object_id")
        if not rows or not _is_behind(rows[-1]["id"], after):
            raise Misshapen(Side.HUBSPOT, f"POST {path}", "there is to be a next page, and no id that it is behind")
        return rows, rows[-1]["id"]

    def _columns(self, name: str, want: Wanted) -> list[str]:
        own = [MODIFIED[name], "createdate", MERGED_IDS]
        if name == "contacts" and PRIMARY_COMPANY in want.fields:
            own.append("associatedcompanyid")
        if want.partner_field:
            own.append(want.partner_field)
        return list(dict.fromkeys([*own, *(one for one in want.fields if one != PRIMARY_COMPANY)]))

    def _records(self, name: str, want: Wanted, rows: Sequence[HubSpotRow]) -> tuple[Record, ...]:
        """Records, and with each survivor of a merge those that it absorbed, which HubSpot shows no more (A7).

        The property lists them all, whatever their order ("Merge records"; CRM API, "Using object APIs").
        """
        found = [self._record(name, want, row) for row in rows]
        absorbed = [
            _merged(name, id_, one.id, one.version)
            for one, row in zip(found, rows, strict=True)
            for id_ in ((row.get("properties") or {}).get(MERGED_IDS) or "").split(";")
            if id_ and id_ != one.id
        ]
        return (*found, *absorbed)

    def _record(self, name: str, want: Wanted, row: HubSpotRow) -> Record:
        properties = row.get("properties") or {}
        fields = {one: properties[one] or None for one in want.fields if one in properties}
        if name == "contacts" and PRIMARY_COMPANY in want.fields:
            fields[PRIMARY_COMPANY] = properties.get("associatedcompanyid") or None
        modified = properties.get(MODIFIED[name]) or row["updatedAt"]
        return Record(
            side=Side.HUBSPOT,
            object=name,
            id=row["id"],
            version=modified,
            fields=fields,
            created=properties.get("createdate") or row.get("createdAt") or "",
            modified=modified,
            partner_id=_partner_id(properties.get(want.partner_field)) if want.partner_field else None,
            presence=Presence.DELETED if row.get("archived") else Presence.PRESENT,
        )

    def archived(self, name: str, wanted: Wanted) -> Iterator[list[Record]]:
        """Records in the recycle bin, by pages, and those that they absorbed: asked for alone, these are nowhere.

        Their fields are not read, only the partner's id.
        """
        slim = Wanted((), wanted.partner_field)
        columns = ",".join(one for one in (wanted.partner_field, MERGED_IDS) if one)
        query = {"limit": str(LIST_PAGE), "archived": "true", "properties": columns}
        for body in self._pages(self._path("objects", name), answers.HubSpotRows, query):
            yield list(self._records(name, slim, [{**one, "archived": True} for one in body["results"]]))

    def find_absorbed(self, object_: str, ids: Sequence[str]) -> dict[str, Record]:
        """Those that archived records have absorbed. Goes through the recycle bin until all are found."""
        found: dict[str, Record] = {}
        for records in self.archived(object_, Wanted(())) if ids else ():
            found |= {one.id: one for one in records if one.id in ids}
            if len(found) == len(ids):
                break
        return found

    def read(self, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Record]:
        """Records as they are now. Those that are not there are archived, merged, or out of sight.

        An id that is given twice is asked for once: HubSpot refuses a batch that has one twice.
        """
        ids = list(dict.fromkeys(ids))
        found = self._read(object_, ids, wanted)
        missing = [id_ for id_ in ids if id_ not in found]
        for id_, one in self._read(object_, missing, wanted, archived=True).items():
            found[id_] = one
        nowhere = [id_ for id_ in missing if id_ not in found]
        found |= self._read_alone(object_, nowhere[:MOST_LOOKED_FOR], wanted)
        for id_ in nowhere:
            invisible = Record(Side.HUBSPOT, object_, id_, "", {}, presence=Presence.INVISIBLE)
            found.setdefault(id_, invisible)
        if object_ == "deals" and PRIMARY_COMPANY in wanted.fields:
            present = [id_ for id_, one in found.items() if one.present]
            companies = self.primary_companies(present)
            found |= {id_: _with_field(found[id_], PRIMARY_COMPANY, companies.get(id_)) for id_ in present}
        return found

    def _read(
        self, object_: str, ids: Sequence[str], wanted: Wanted, *, archived: bool = False
    ) -> dict[str, Record]:
        def read_some(some: Sequence[str]) -> list[HubSpotRow]:
            body = {"inputs": [{"id": id_} for id_ in some], "properties": self._columns(object_, wanted)}
            path = f"{self._path('objects', object_)}/batch/read" + ("?archived=true" if archived else "")
            answer = self._expect("POST", path, body, answers.HubSpotRows)
            return [row for row in answer["results"] if row["id"] in some]  # what nobody asked for is no answer

        rows = [row for some in self._in_parallel(read_some, _groups(ids, BATCH)) for row in some]
        if archived:
            rows = [{**row, "archived": True} for row in rows]
        return {row["id"]: self._record(object_, wanted, row) for row in rows}

    def _read_alone(self, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Record]:
        """Of ids that no batch knows those that a merge absorbed: asked for alone, they answer the survivor.

        One call each; a batch leaves them out in silence (CRM API, "Using object APIs"). One that answers for
        itself is there: it is read once more.

        Raises:
            Misshapen: the batch leaves out again what is there.
        """
        found: dict[str, Record] = {}
        there: list[str] = []
        for id_ in ids:
            if not (id_.isascii() and id_.isdigit()):
                continue  # no id of HubSpot: it was typed, or stored by somebody
            path = f"{self._path('objects', object_)}/{id_}"
            status, body = self._call("GET", path)
            if status == 200:
                row = expect(answers.Merged, body, Side.HUBSPOT, f"GET {path}")
                if row["id"] == id_:
                    there.append(id_)
                else:
                    found[id_] = _merged(object_, id_, row["id"], row["updatedAt"])
        found |= self._read(object_, there, wanted)
        if left_out := [id_ for id_ in there if id_ not in found]:
            call = f"POST {self._path('objects', object_)}/batch/read"
            raise Misshapen(Side.HUBSPOT, call, f"{left_out[0]} is left out, and is there when asked for alone")
        return found

    def read_whole(self, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Record]:
        """Records with all properties that can be written, mapped or not. One call more than `read`."""
        names = (*wanted.fields, *self._writable(object_))
        return self.read(object_, ids, Wanted(tuple(dict.fromkeys(names)), wanted.partner_field))

    def _writable(self, object_: str) -> list[str]:
        """But for the primary company's id, which is read as an association."""
        known = self.properties(object_).items()
        return [name for name, one in known if not one.read_only and name != "associatedcompanyid"]

    def find_ties(self, object_: str, ids: Sequence[str]) -> dict[str, set[tuple[str, str]]]:
        """The contacts, deals and companies that records are associated with. A call per 1,000 and object."""
        found: dict[str, set[tuple[str, str]]] = {id_: set() for id_ in ids}
        for other in _TIES[object_]:
            for id_, tied, _ in self._associations(object_, other, ids):
                found[id_].add((other, tied))
        return found

    def find_strangers(self, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Touch]:
        """Of records that this connector created those that another app or a person has edited.

        Whoever wrote the partner's id is the connector; what HubSpot writes by itself is nobody's edit (HubSpot
        docs, "Using object APIs", property history). One call for the properties, and one per 50 records.
        """
        names = [*self._writable(object_), *([wanted.partner_field] if wanted.partner_field else [])]
        found: dict[str, Touch] = {}
        for id_, past in self._histories(object_, ids, names if ids else []):
            own = {_source(one) for one in past.get(wanted.partner_field or "", ())}
            edits = [
                _touch(one, name)
                for name, versions in past.items()
                for one in versions
                if _source(one) not in own and one.get("sourceType") not in _BY_ITSELF
            ]
            if edits:
                found[id_] = max(edits, key=lambda one: one.at)
        return found

    def last_touches(self, object_: str, fields: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], Touch]:
        """Who or what last gave properties (by record id) a value, by (id, property). One call per 50 records."""
        names = sorted({name for some in fields.values() for name in some if name != PRIMARY_COMPANY})
        return {
            (id_, name): _touch(max(past[name], key=lambda one: str(one["timestamp"])), name)
            for id_, past in self._histories(object_, sorted(fields) if names else [], names)
            for name in fields[id_]
            if past.get(name)
        }

    def _histories(
        self, object_: str, ids: Sequence[str], names: Sequence[str]
    ) -> Iterator[tuple[str, dict[str, list[answers.Version]]]]:
        path = f"{self._path('objects', object_)}/batch/read"
        for some in _groups(ids, WITH_HISTORY):
            body = {"inputs": [{"id": id_} for id_ in some], "properties": [], "propertiesWithHistory": names}
            for row in self._expect("POST", path, body, answers.PastRows)["results"]:
                if row["id"] in some:
                    yield row["id"], row.get("propertiesWithHistory") or {}

    def find(self, object_: str, values: Sequence[str], wanted: Wanted, by: str | None = None) -> dict[str, Record]:
        """Records by a unique property: the partner's id, or `by` (contacts also by `email`)."""
        name = by or wanted.partner_field or ""
        found: dict[str, Record] = {}
        for some in _groups(sorted(set(values)), BATCH):
            columns = [*self._columns(object_, wanted), name]
            inputs = [{"id": value} for value in some]
            body = {"inputs": inputs, "idProperty": name, "properties": columns}
            answer = self._expect("POST", f"{self._path('objects', object_)}/batch/read", body, answers.HubSpotRows)
            for row in answer["results"]:
                value = (row.get("properties") or {}).get(name)
                if value:
                    found[value] = self._record(object_, wanted, row)
        return found

    def last_edits(self, object_: str, fields: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], str]:
        """When properties (by record id) last got another value, by (id, property). One call per 50 records.

        HubSpot keeps the history of every property (HubSpot docs, "Using object APIs": `propertiesWithHistory`,
        the latest first), but none of associations: the primary company has no entry.
        """
        found: dict[tuple[str, str], str] = {}
        asked = {id_: [name for name in some if name != PRIMARY_COMPANY] for id_, some in fields.items()}
        for some in _groups(sorted(id_ for id_, names in asked.items() if names), WITH_HISTORY):
            names = sorted({name for id_ in some for name in asked[id_]})
            for id_, past in self._histories(object_, some, names):
                stamps = {name: [one["timestamp"] for one in past.get(name) or ()] for name in asked.get(id_, ())}
                found |= {(id_, name): _iso(_moment(max(at))) for name, at in stamps.items() if at}
        return found

    def deal_contacts(self, deal_ids: Sequence[str]) -> dict[str, dict[str, frozenset[int]]]:
        """The contacts of deals, each with the type ids of its labels, by deal id. One call per 1,000.

        A deal without contacts has an empty entry. One that HubSpot could not answer for has none: that no
        contact was told is then no news of anybody's removal (D6).
        """
        unknown: set[str] = set()
        found: dict[str, dict[str, frozenset[int]]] = {id_: {} for id_ in deal_ids}
        for deal, contact, types in self._associations("deals", "contacts", deal_ids, unknown):
            found[deal][contact] = frozenset(one for one, category in types.items() if category == LABEL)
        return {deal: some for deal, some in found.items() if deal not in unknown}

    def primary_companies(self, deal_ids: Sequence[str]) -> dict[str, str]:
        """The primary company of deals, where they have one. One call per 1,000."""
        primary = PRIMARY_TYPE["deals"]
        rows = self._associations("deals", "companies", deal_ids)
        return {deal: company for deal, company, types in rows if primary in types}

    def _associations(
        self, object_: str, to: str, ids: Sequence[str], unknown: set[str] | None = None
    ) -> Iterator[tuple[str, str, dict[int, str]]]:
        """Associations as (from, to, category by type id); `unknown` takes whoever HubSpot did not answer for."""
        todo: list[dict[str, str]] = [{"id": id_} for id_ in ids]
        path = f"{self._path('associations', object_, to)}/batch/read"
        pages: dict[str, Pages] = defaultdict(lambda: Pages(Side.HUBSPOT, f"POST {path}"))
        while todo:
            some, todo = todo[:READ_ASSOCIATIONS], todo[READ_ASSOCIATIONS:]
            asked = {one["id"] for one in some}
            body = self._expect("POST", path, {"inputs": some}, answers.Associations)
            if unknown is not None:
                unknown |= _unanswered(body, asked)
            for row in body["results"]:
                source = row["from"]["id"]
                if source not in asked:
                    continue
                for target in row["to"]:
                    types = {one["typeId"]: one["category"] for one in target["associationTypes"]}
                    yield source, target["toObjectId"], types
                following = _next(row)
                if following:
                    pages[source].check(following, row["to"][0]["toObjectId"] if row["to"] else "")
                    todo.append({"id": source, "after": following})

    # --- writing ---

    def create(self, object_: str, drafts: Sequence[Draft], wanted: Wanted) -> Iterator[list[Outcome]]:
        """Create records with their associations in the same call.

        The unique partner id in the values keeps a repeated call from doubling a record: it collides.
        """
        partner = wanted.partner_field or ""

        def create_some(some: Sequence[Draft]) -> list[Outcome]:
            by_key = {draft.key: self._creation(object_, draft) for draft in some}
            path = f"{self._path('objects', object_)}/batch/create"
            unknown, since = self._door.count_unknown(), self._door.server_time
            outcomes = self._batch(path, by_key, lambda row: (row.get("properties") or {}).get(partner))
            if self._door.count_unknown() > unknown:
                outcomes = hear_late(outcomes, some, partner, since, partial(self.find, object_, wanted=wanted))
            return outcomes

        yield from self._in_parallel(create_some, _groups(drafts, BATCH))

    def _creation(self, object_: str, draft: Draft) -> dict[str, Any]:
        company = draft.values.get(PRIMARY_COMPANY)
        associations = [_association(contact, DEAL_TO_CONTACT) for contact in draft.contacts]
        if company:
            associations.append(_association(str(company), PRIMARY_TYPE[object_]))
        values = {name: _text(value) for name, value in draft.values.items() if name != PRIMARY_COMPANY}
        return {"properties": values, "associations": associations, "objectWriteTraceId": draft.key}

    def update(self, object_: str, edits: Sequence[Edit]) -> Iterator[list[Outcome]]:
        """Write properties, and the primary company where it is among the values.

        A lifecycle stage goes back only by being cleared first and set by a request of its own (HubSpot docs,
        "Contacts" and "Companies"). Such edits come first, so that they share as few of those as possible.
        """

        def update_some(some: Sequence[Edit]) -> list[Outcome]:
            cleared = {edit.id: dict.fromkeys(edit.clears_first) for edit in some if edit.clears_first}
            outcomes = self._write(object_, {edit.id: {**edit.values, **cleared.get(edit.id, {})} for edit in some})
            set_anew = {
                edit.id: {name: edit.values[name] for name in cleared[edit.id]}
                for edit in some
                if edit.id in cleared and outcomes[edit.id].id
            }
            outcomes |= self._write(object_, set_anew)
            moved = [
                edit
                for edit in some
                if PRIMARY_COMPANY in edit.values and (edit.id not in outcomes or outcomes[edit.id].id)
            ]
            outcomes |= {one.key: one for one in self._move_companies(object_, moved)}
            return [outcomes[edit.id] for edit in some]

        ordered = sorted(edits, key=lambda edit: not edit.clears_first)
        yield from self._in_parallel(update_some, _groups(ordered, BATCH))

    def _write(self, object_: str, edits: Mapping[str, Fields]) -> dict[str, Outcome]:
        """Write properties by record id, in one batch; a record of which there are none has no outcome."""
        inputs = {
            id_: {"id": id_, "properties": properties, "objectWriteTraceId": id_}
            for id_, values in edits.items()
            if (properties := {name: _text(one) for name, one in values.items() if name != PRIMARY_COMPANY})
        }
        path = f"{self._path('objects', object_)}/batch/update"
        return {one.key: one for one in self._batch(path, inputs, lambda row: row["id"])}

    def _move_companies(self, object_: str, edits: Sequence[Edit]) -> list[Outcome]:
        """Take away the primary company that the connector had set, then set the new one."""
        root = self._path("associations", object_, "companies")
        old = [(edit.id, str(edit.old[PRIMARY_COMPANY])) for edit in edits if edit.old.get(PRIMARY_COMPANY)]
        new = [(edit.id, str(edit.values[PRIMARY_COMPANY])) for edit in edits if edit.values[PRIMARY_COMPANY]]
        for some in _groups(old, ASSOCIATE):
            inputs = [{"from": {"id": one}, "to": [{"id": company}]} for one, company in some]
            self._send("POST", f"{root}/batch/archive", {"inputs": inputs})
        failed: dict[str, Refusal] = {}
        for some in _groups(new, ASSOCIATE):
            refusals = self._associate(root, some, PRIMARY_TYPE[object_])
            failed |= {one: _blame_company(refusal) for (one, _), refusal in refusals.items()}
        return [Outcome(edit.id, None if edit.id in failed else edit.id, failed.get(edit.id)) for edit in edits]

    def delete(self, object_: str, ids: Sequence[str]) -> Iterator[list[Outcome]]:
        """Archive records. HubSpot keeps them for 90 days; archiving an archived one changes nothing."""
        for some in _groups(ids, BATCH):
            path = f"{self._path('objects', object_)}/batch/archive"
            self._send("POST", path, {"inputs": [{"id": id_} for id_ in some]})
            yield [Outcome(id_, id_) for id_ in some]

    def add_contacts(self, pairs: Sequence[tuple[str, str]]) -> Iterator[list[Outcome]]:
        """Associate contacts with deals; keys are `deal/contact`. Doing it twice changes nothing."""
        root = self._path("associations", "deals", "contacts")
        for some in _groups(pairs, ASSOCIATE):
            failed = self._associate(root, some, DEAL_TO_CONTACT)
            yield [
                Outcome(
                    f"{deal}/{contact}", None if (deal, contact) in failed else contact, failed.get((deal, contact))
                )
                for deal, contact in some
            ]

    def remove_contacts(self, pairs: Sequence[tuple[str, str]]) -> Iterator[list[Outcome]]:
        """Disassociate contacts from deals, with every label; keys are `deal/contact`. Twice changes nothing."""
        root = self._path("associations", "deals", "contacts")
        for some in _groups(pairs, ASSOCIATE):
            inputs = [{"from": {"id": deal}, "to": [{"id": contact}]} for deal, contact in some]
            self._send("POST", f"{root}/batch/archive", {"inputs": inputs})
            yield [Outcome(f"{deal}/{contact}", contact) for deal, contact in some]

    def label_contacts(self, labellings: Sequence[Labelling]) -> Iterator[list[Outcome]]:
        """Give associations their labels; keys are `deal/contact`. Twice changes nothing.

        A set of labels replaces the one before (Associate records guide), but an empty one does not: the last
        ones are taken away by a call of their own.
        """
        root = self._path("associations", "deals", "contacts")
        for some in _groups([one for one in labellings if one.types], ASSOCIATE):
            failed = self._associate_as(root, {(one.deal, one.contact): _labels(one.types) for one in some})
            yield [_labelled(one, failed.get((one.deal, one.contact))) for one in some]
        for some in _groups([one for one in labellings if not one.types], ASSOCIATE):
            inputs = [
                {"from": {"id": one.deal}, "to": {"id": one.contact}, "types": _labels(one.gone)} for one in some
            ]
            self._send("POST", f"{root}/batch/labels/archive", {"inputs": inputs})
            yield [_labelled(one, None) for one in some]

    def _associate(
        self, root: str, pairs: Sequence[tuple[str, str]], type_id: int
    ) -> dict[tuple[str, str], Refusal]:
        """Create associations; returns refusals by pair."""
        spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
        return self._associate_as(root, dict.fromkeys(pairs, spec))

    def _associate_as(
        self, root: str, types: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
    ) -> dict[tuple[str, str], Refusal]:
        """Create associations under these types; returns refusals by pair."""
        pairs = list(types)
        inputs = [{"from": {"id": one}, "to": {"id": other}, "types": spec} for (one, other), spec in types.items()]
        body = self._expect("POST", f"{root}/batch/create", {"inputs": inputs}, answers.Associated)
        made = {(row["fromObjectId"], row["toObjectId"]) for row in body.get("results") or ()}
        made |= {(other, one) for one, other in made}
        error = (body.get("errors") or [{}])[0]
        return {
            pair: read_refusal(error, ProblemClass.ASSOCIATIONS)
            for pair in pairs
            if body.get("errors") and pair not in made
        }

    def price(self, verb: str, number: int) -> int:
        """As `Crm.price`; `read companies` is what reading deals with their primary company takes besides."""
        per_call = {
            "connect": ASSOCIATE,
            "disconnect": ASSOCIATE,
            "roles": READ_ASSOCIATIONS,
            "read companies": READ_ASSOCIATIONS,
        }.get(verb, BATCH)
        return -(-number // per_call)

    @property
    def address(self) -> str:
        """Where HubSpot is. It does not tell one portal from another."""
        return self._base

    def usage(self) -> Usage:
        return Usage(self._door.calls, self._left, self._limit)

    def probe(self) -> None:
        """Ask for the account's details, which every token may. One call."""
        self.account()

    @property
    def server_time(self) -> datetime | None:
        """The server's time as of the last answer."""
        return self._door.server_time

    # --- batches ---

    def _batch(
        self, path: str, by_key: Mapping[str, dict[str, Any]], key_of: Callable[[WrittenRow], str | None]
    ) -> list[Outcome]:
        """Send inputs, each with a trace id, and find out what became of each.

        Should the vendor refuse the whole batch, it is halved until the culprits stand alone.
        """
        if not by_key:
            return []
        status, told = self._call("POST", path, {"inputs": list(by_key.values())})
        if status not in {200, 201, 207}:
            if len(by_key) == 1:
                return [Outcome(key, refusal=read_refusal(told)) for key in by_key]
            keys = list(by_key)
            halves = (keys[: len(keys) // 2], keys[len(keys) // 2 :])
            return [one for half in halves for one in self._batch(path, {key: by_key[key] for key in half}, key_of)]
        body = expect(answers.Batch, told, Side.HUBSPOT, f"POST {path}")
        done: dict[str, Outcome] = {}
        for row in body["results"]:
            key = row.get("objectWriteTraceId") or key_of(row)
            if key is not None and key in by_key:
                done[key] = Outcome(key, row["id"], version=_version(row))
        refused = _refusals(body, by_key)
        return [done.get(key) or Outcome(key, refusal=refused.get(key, _MISSING)) for key in by_key]

    def _in_parallel(self, work: Callable[[T], R], items: Iterator[T]) -> Iterator[R]:
        """Results as they come, with several calls on their way at a time."""
        if self._workers <= 1:
            yield from map(work, items)
            return
        with ThreadPoolExecutor(self._workers) as pool:
            yield from pool.map(work, list(items))

    # --- calling ---

    def _now(self) -> datetime:
        return self._door.server_time or datetime.now(UTC)

    def _path(self, kind: str, object_: str, to: str = "") -> str:
        return self._paths[kind].format(object=object_, to=to)

    def _get(self, path: str, shape: type[T], query: Mapping[str, str] | None = None) -> T:
        status, body = self._call("GET", path, query=query)
        if status != 200:
            raise self._refused(status, body)
        return expect(shape, body, Side.HUBSPOT, f"GET {path}")

    def _pages(self, path: str, shape: type[P], query: Mapping[str, str], after: str | None = None) -> Iterator[P]:
        """The pages of a list, from a mark on. One call each."""
        pages = Pages(Side.HUBSPOT, f"GET {path}")
        while True:
            body = self._get(path, shape, {**query, **({"after": after} if after else {})})
            after = _next(body)
            if after is not None:
                rows = body["results"]
                pages.check(after, rows[0]["id"] if rows else "")
            yield body
            if after is None:
                return

    def _expect(self, method: str, path: str, body: Any, shape: type[T]) -> T:
        return expect(shape, self._send(method, path, body), Side.HUBSPOT, f"{method} {path}")

    def _send(self, method: str, path: str, body: Any, accept: Collection[int] = ()) -> Any:
        """The answer to a call that is to succeed, or to fail in a way that is as good."""
        status, answer = self._call(method, path, body)
        if not 200 <= status < 300 and status not in accept:
            raise self._refused(status, answer)
        return answer

    def _call(
        self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        data = None if body is None else orjson.dumps(body)
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        headers |= {"Content-Type": "application/json"} if data else {}
        response = self._door.request(
            method, self._base + path, params=query, data=data, headers=headers, allow_redirects=False
        )
        self._left = _number(response, "X-HubSpot-RateLimit-Daily-Remaining", self._left)
        self._limit = _number(response, "X-HubSpot-RateLimit-Daily", self._limit)
        if not response.content:
            return response.status_code, {}
        answer = read_json(response.content, Side.HUBSPOT, f"{method} {path} (HTTP {response.status_code})")
        if isinstance(answer, dict) and answer.get("errors"):  # of single records, in an answer that is none itself
            answer["errors"] = self._door.redact_all(answer["errors"])
        return response.status_code, answer

    def _refused(self, status: int, body: Any) -> Unreachable:
        message = hubspot_error(body).get("message", "")
        return Unreachable(
            Side.HUBSPOT,
            ProblemClass.CONNECTION,
            self._door.redact(f"HubSpot: HTTP {status}: {message}"),
            "run `connector check`",
        )


_NO_PIPELINE = (
    "see what HubSpot says: make room there, or set `pipelines.limit` to the number that your subscription has (O3)"
)
_MISSING = Refusal(
    Trouble.GONE,
    ProblemClass.ASSOCIATIONS,
    "NOT_IN_RESULTS",
    "HubSpot answered without this record",
    remedy=MEANINGS["NOT_IN_RESULTS"].remedy,
)


def _version(row: WrittenRow) -> str:
    """When a record was last modified, as its properties or the record itself tell."""
    properties = row.get("properties") or {}
    stamps = (properties.get(name) for name in sorted(set(MODIFIED.values())))
    return str(next((stamp for stamp in stamps if stamp), None) or row.get("updatedAt") or "")


def _number(response: requests.Response, header: str, before: int | None) -> int | None:
    told = response.headers.get(header, "")
    return int(told) if re.fullmatch(r"[0-9]{1,15}", told) else before


def _blame_company(refusal: Refusal) -> Refusal:
    """A company that cannot be associated is one field's fault: the rest of the record is written."""
    blame = Blame(PRIMARY_COMPANY, refusal.cause, refusal.code, refusal.message, refusal.remedy)
    return replace(refusal, trouble=Trouble.REFUSED, field=PRIMARY_COMPANY, blames=(blame,))


def _filter(name: str, operator: str, value: str) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": value}


def _refusals(body: answers.Batch, by_key: Mapping[str, Any]) -> dict[str, Refusal]:
    """Refusals by input key, from the errors of a 207: named by trace id, or by record id."""
    found: dict[str, Refusal] = {}
    for error in body.get("errors") or ():
        context = hubspot_error(error).get("context", {})
        for key in [*context.get("objectWriteTraceId", ()), *context.get("ids", ())]:
            if key in by_key:
                found[key] = read_refusal(error)
    return found


def _errors_of(body: Any) -> Sequence[Any]:
    """The errors beside what went well."""
    found = body.get("errors") if isinstance(body, dict) else None
    return found if isinstance(found, list) else ()


def _unanswered(body: answers.Associations, asked: set[str]) -> set[str]:
    """The records of a batch/read whose associations could not be told.

    That a record has none is told as an error too (Associate records guide, "Retrieve associated records").
    An error that names nobody may be about any record that has no result.
    """
    missing = asked - {row["from"]["id"] for row in body["results"]}
    found: set[str] = set()
    for error in map(hubspot_error, body.get("errors") or ()):
        if error.get("subCategory", "").endswith(NO_ASSOCIATIONS):
            continue
        named = {id_ for some in error.get("context", {}).values() for id_ in some} & asked
        found |= named or missing
    return found


def _is_behind(id_: str, after: str) -> bool:
    """Whether a search in the order of ids came further: they are numbers."""
    return id_.isdecimal() and int(id_) > int(after)


def _partner_id(text: str | None) -> str | None:
    """A Salesforce id as all its answers have it; people type 15 characters too, or lose the capitals."""
    typed = read_stored_id(text)
    try:
        return typed and lengthen(typed)
    except ValueError:
        return typed


def _pipeline(body: answers.PipelineRow) -> Pipeline:
    stages = tuple(
        Stage(
            id=one["id"],
            label=one["label"],
            probability=(one.get("metadata") or {}).get("probability") or 0.0,
            closed=str((one.get("metadata") or {}).get("isClosed")).lower() == "true",
            order=one.get("displayOrder") or 0,
        )
        for one in body["stages"]
        if not one.get("archived")
    )
    return Pipeline(body["id"], body["label"], stages, body.get("displayOrder") or 0)


def _stage_body(stage: Stage) -> dict[str, Any]:
    return {
        "stageId": stage.id,
        "label": stage.label,
        "displayOrder": stage.order,
        "metadata": {"probability": str(stage.probability), "isClosed": str(stage.closed).lower()},
    }


def _property(body: answers.PropertyRow) -> Property:
    limits = body.get("modificationMetadata") or {}
    options = sorted(body.get("options") or (), key=lambda option: option.get("displayOrder") or 0)
    return Property(
        name=body["name"],
        type=body.get("type") or "string",
        read_only=bool(body.get("calculated") or limits.get("readOnlyValue")),
        unique=bool(body.get("hasUniqueValue")),
        options=tuple(option["value"] for option in options),
        group=body.get("groupName") or "",
        label=body.get("label") or "",
        option_labels=tuple(option.get("label") or option["value"] for option in options),
        field_type=body.get("fieldType") or "",
        calculated=bool(body.get("calculated")),
        refers_to=body.get("referencedObjectType") or "",
    )


def _association(to: str, type_id: int) -> dict[str, Any]:
    return {
        "to": {"id": to},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}],
    }


def _merged(object_: str, id_: str, survivor: str, version: str) -> Record:
    return Record(Side.HUBSPOT, object_, id_, version, {}, presence=Presence.MERGED, survivor=survivor)


def _source(version: answers.Version) -> tuple[str, str]:
    return str(version.get("sourceType") or ""), str(version.get("sourceId") or "")


def _touch(version: answers.Version, name: str) -> Touch:
    user = version.get("updatedByUserId")
    who = f"user {user}" if user else str(version.get("sourceLabel") or version.get("sourceType") or "")
    return Touch(who, _iso(_moment(version["timestamp"])), name)


def _labels(types: Iterable[int]) -> list[dict[str, Any]]:
    return [{"associationCategory": LABEL, "associationTypeId": one} for one in sorted(types)]


def _labelled(one: Labelling, refusal: Refusal | None) -> Outcome:
    return Outcome(one.key, None if refusal else one.contact, refusal)


def _with_field(record: Record, name: str, value: str | None) -> Record:
    return Record(
        record.side,
        record.object,
        record.id,
        record.version,
        {**record.fields, name: value},
        record.created,
        record.modified,
        record.partner_id,
        record.presence,
    )


def _next(body: Mapping[str, Any]) -> str | None:
    following = (body.get("paging") or {}).get("next") or {}
    return str(following["after"]) if following.get("after") is not None else None


def _segment(text: str) -> str:
    """One part of a path: a slash or a question mark in it leads nowhere else."""
    return quote(text, safe="")


def _text(value: Any) -> str:
    """HubSpot's values are text, and the empty text clears."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _stream(name: str) -> str:
    return f"hubspot/{name}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _millis(iso: str) -> int:
    return round(_moment(iso).timestamp() * 1000)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _groups(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
