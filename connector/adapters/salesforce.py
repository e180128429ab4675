"""Salesforce: reads and writes through `/composite`, at the least number of API calls.

| what                     | how                                                             | calls            |
|--------------------------|-----------------------------------------------------------------|------------------|
| set-up                   | one composite: users, record types, stages, merged and deleted  | 1                |
| changes                  | one composite: four queries, deletions                          | 1 + further pages|
| merges                   | of what getDeleted alone told, which has a master               | 1 per 1,000      |
| re-read                  | collections of 2,000 ids, five in a composite                   | 1 per 10,000     |
| create, update           | collections of 200, five in a composite                         | 1 per 1,000      |
| when values were edited  | queries of field history, 200 records each, five a call| 1 per 1,000     |
| roles                    | which exist already, then collections                           | 2 per 1,000      |
| to delete, roles to name | collections                                                     | 1 per 1,000      |
| what accounts take along | asked before they are deleted                                   | 1 per 400        |
| selections               | `salesforce_selections.py`: by id, or as a bulk job             | 1 per 2,000      |
| what hangs on a record   | queries of 200 ids, five a call                                 | 1 per 500 and up |
| take back                | who touched it, then collections                                | 2 per 1,000      |

Changes are found by `SystemModstamp >= cursor ORDER BY SystemModstamp, Id`: SystemModstamp moves on every
change by a user or a process (Salesforce, "System Fields"). A row becomes visible when its transaction
commits, later than its stamp, so the cursor stays `overlap` behind the server's clock. Deleted and merged records
are found by queryAll (`IsDeleted`, `MasterRecordId`, at once) and by getDeleted, which also knows records whose
recycle bin was emptied, and contact roles deleted directly, which queryAll never shows (OpportunityContactRole,
object reference). getDeleted truncates both ends of its range to the minute, so ranges overlap.

What may be deleted, and how, is in `salesforce_deletion.py`: contact roles (R3), contacts, accounts that nothing
hangs on (D5), and never an opportunity (D2, law 10), unless it is proven that the connector itself made it:
`take_back` alone can do that, for `undo` (X2).
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from xml.parsers.expat import ExpatError

import orjson
import requests
from pydantic import SecretStr
from pydantic.dataclasses import dataclass as checked
from simple_salesforce.api import Salesforce as AnyClient
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError

from connector.adapters import answers as shapes
from connector.adapters.answers import (
    Answer,
    Misshapen,
    Pages,
    RecordRow,
    RoleRow,
    check_columns,
    expect,
    read_json,
    salesforce_errors,
)
from connector.adapters.base import (
    Draft,
    Edit,
    Outcome,
    Page,
    Touch,
    Trouble,
    Usage,
    Wanted,
    hear_late,
    read_stored_id,
)
from connector.adapters.http import Door, retry_after
from connector.adapters.salesforce_deletion import (
    ACCOUNT,
    CASCADES_ASKED,
    EDITED_SINCE,
    ROLE,
    cascade_queries,
    check_deletable,
    check_proofs,
    read_cascades,
)
from connector.adapters.salesforce_ids import is_id, may_be_asked_for
from connector.adapters.salesforce_refusals import MEANINGS, read_refusal, unknown_columns
from connector.adapters.salesforce_selections import Api, Selections
from connector.adapters.salesforce_soql import list_texts
from connector.core.model import ContactRole, Presence, ProblemClass, Proof, Record, Side, Value
from connector.core.pipelines import RecordType, StageDefinition
from connector.errors import Condition, Later, Unreachable

COLLECTION, READ_COLLECTION, COLLECTIONS = 200, 2000, 5
MASTER_ID = "MasterRecordId"
RIGHTS = (
    "PermissionsApiEnabled",
    "PermissionsModifyAllData",
    "PermissionsViewAllData",
    "PermissionsModifyMetadata",
    "PermissionsViewSetup",
    "PermissionsCustomizeApplication",
    "PermissionsManageProfilesPermissionsets",
    "PermissionsAssignPermissionSets",
)
"""The system permissions that bear on a sync, or on setting it up (Object Reference, "UserPermissionAccess")."""
MOST_SAID = 200
"""Characters of the reason for which a sign-in is refused: it may be a page of somebody else's."""
DELETED_WINDOW = timedelta(days=15)
WITHOUT_RECORD_TYPES = "RecordTypeId"
"""An object without record types has no such field; its records read as if it were blank."""

T = TypeVar("T")

_NONE = SecretStr("")

_ROLES = "SELECT OpportunityId, ContactId FROM OpportunityContactRole WHERE {field} IN ({{ids}}) ORDER BY Id"
_OF_ACCOUNT = "SELECT Id, AccountId FROM {object} WHERE AccountId IN ({{ids}}) ORDER BY Id"
_TIES = {
    "Account": (
        (_OF_ACCOUNT.format(object="Contact"), ("Contact", "AccountId", "Id")),
        (_OF_ACCOUNT.format(object="Opportunity"), ("Opportunity", "AccountId", "Id")),
    ),
    "Contact": ((_ROLES.format(field="ContactId"), ("Opportunity", "ContactId", "OpportunityId")),),
    "Opportunity": ((_ROLES.format(field="OpportunityId"), ("Contact", "OpportunityId", "ContactId")),),
}
"""What hangs on a record: a query, and of its rows (object, the record's id, the other's id)."""


@dataclass(frozen=True, slots=True)
class User:
    id: str
    email: str
    active: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """The fields of each object, as the connector's user sees them: name -> describe's field."""

    objects: Mapping[str, Mapping[str, Mapping[str, Any]]]
    rights: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    """What the user may do with records of each object: createable, updateable, deletable. Not remembered."""

    def has(self, object_: str, name: str) -> bool:
        return name in self.objects.get(object_, {})


@dataclass(frozen=True, slots=True)
class Setup:
    """Users, record types of opportunities (active, by id) and stages in order."""

    users: tuple[User, ...]
    record_types: tuple[tuple[str, str], ...]
    stages: tuple[StageDefinition, ...]


@checked(frozen=True, slots=True)
class SalesforceCredentials:
    """Where and as whom to log in: a session, a connected app, or a user."""

    instance_url: str
    session_id: SecretStr = _NONE
    consumer_key: SecretStr = _NONE
    consumer_secret: SecretStr = _NONE
    username: str = ""
    password: SecretStr = _NONE
    security_token: SecretStr = _NONE

    @property
    def secrets(self) -> tuple[str, ...]:
        own = (self.session_id, self.consumer_key, self.consumer_secret, self.password, self.security_token)
        return tuple(one.get_secret_value() for one in own)


def judge(response: requests.Response) -> None:
    """What an answer of Salesforce means for the call and the connection (REST API Guide, status codes)."""
    status = response.status_code
    if status in {429, 500, 502, 503, 504} and not _is_login(response):
        raise Later(f"HTTP {status}", retry_after(response))
    if status == requests.codes.unauthorized and not _errors(response) and not _is_login(response):
        # simple-salesforce looks into the first error, to see whether to sign in again.
        raise not_let_in("the session has expired or is not valid")
    if status != requests.codes.forbidden:
        return
    codes = {error.get("errorCode") for error in _errors(response)}
    if "REQUEST_LIMIT_EXCEEDED" in codes:
        raise Unreachable(
            Side.SALESFORCE,
            ProblemClass.API_LIMIT,
            "Salesforce: the org's API calls of these 24 hours are used up",
            "wait until calls are free again, or ask your administrator for a higher limit",
            Condition.LIMIT_REACHED,
        )
    if "API_DISABLED_FOR_ORG" in codes:
        raise Unreachable(
            Side.SALESFORCE,
            ProblemClass.PERMISSIONS,
            "Salesforce: the API is disabled for this org or user",
            "give the connector's user the permission `API Enabled`",
            Condition.API_DISABLED,
        )


def _is_login(response: requests.Response) -> bool:
    """SOAP login answers a wrong password with 500."""
    return "/services/Soap/" in (response.url or "")


def _errors(response: requests.Response) -> list[shapes.SalesforceError]:
    try:
        return salesforce_errors(orjson.loads(response.content))
    except ValueError:
        return []


def not_let_in(why: str) -> Unreachable:
    return Unreachable(
        Side.SALESFORCE,
        ProblemClass.PERMISSIONS,
        f"Salesforce refuses the login: {why}",
        "check SALESFORCE_SESSION_ID, or SALESFORCE_CONSUMER_KEY and SALESFORCE_CONSUMER_SECRET,"
        " or the user's name, password and security token",
        Condition.NOT_LET_IN,
    )


def is_counted(path: str) -> bool:
    """Logins are not API calls."""
    return path.startswith("/services/data/v")


class Client(AnyClient):
    """simple-salesforce, with our way to read JSON: the same bounds and the same error as for HubSpot's."""

    def parse_result_to_json(self, result: requests.Response) -> Any:
        call = f"{result.request.method} {urlsplit(result.url or '').path}"
        return read_json(result.content, Side.SALESFORCE, call)


class Salesforce:
    """One Salesforce org."""

    side = Side.SALESFORCE

    def __init__(
        self,
        door: Door,
        credentials: SalesforceCredentials,
        *,
        version: str = "62.0",
        overlap: timedelta = timedelta(minutes=10),
    ) -> None:
        self._door = door
        self._credentials = credentials
        self._version = version
        self._overlap = overlap
        self._client: Client | None = None
        self._schema = Schema({})
        self._left: int | None = None
        self._limit: int | None = None

    # --- set-up ---

    def use_schema(self, schema: Schema) -> None:
        """Read and write only fields that exist."""
        self._schema = schema

    def describe(self, objects: Sequence[str]) -> Schema:
        """The fields of objects; an object that the user may not see has none. One call."""
        answers = self._composite({name: ("GET", f"sobjects/{name}/describe", None) for name in objects})
        unseen: shapes.Description = {"fields": []}
        known = {
            name: answer.read(shapes.Description) if answer.status == 200 else unseen
            for name, answer in answers.items()
        }
        return Schema(
            {name: {one["name"]: _facts(one) for one in body["fields"]} for name, body in known.items()},
            {
                name: {right: bool(body.get(right)) for right in ("createable", "updateable", "deletable")}
                for name, body in known.items()
            },
        )

    def set_up(self) -> Setup:
        """Users, record types and stages. One call, whose answer also tells the server's time."""
        users = "SELECT Id, Email, IsActive FROM User"
        types = "SELECT Id, Name FROM RecordType WHERE SobjectType = 'Opportunity' AND IsActive = true ORDER BY Id"
        stages = (
            "SELECT ApiName, MasterLabel, IsActive, IsClosed, IsWon, DefaultProbability, SortOrder"
            " FROM OpportunityStage WHERE IsActive = true ORDER BY SortOrder"
        )
        answers = self._composite(
            {"users": self._query(users), "types": self._query(types), "stages": self._query(stages)}
        )
        return Setup(
            users=tuple(
                User(row["Id"], (row["Email"] or "").lower(), row["IsActive"])
                for row in self._rows(answers["users"], shapes.UserRow)
            ),
            record_types=tuple(
                (row["Id"], row["Name"]) for row in self._rows(answers["types"], shapes.RecordTypeRow)
            ),
            stages=tuple(
                StageDefinition(
                    name=row["ApiName"] or row["MasterLabel"],
                    label=row["MasterLabel"],
                    probability=row["DefaultProbability"] or 0.0,
                    closed=row["IsClosed"],
                    won=row["IsWon"],
                )
                for row in self._rows(answers["stages"], shapes.StageDefinitionRow)
            ),
        )

    def record_types(self, setup: Setup) -> tuple[RecordType, ...]:
        """Record types with the stages of their sales process. One call per record type (UI API Guide).

        Where the UI API is closed to the user, a record type has all stages.
        """
        if not setup.record_types:
            return (RecordType(None, "Master", setup.stages),)
        by_name = {stage.name: stage for stage in setup.stages}
        found = []
        for id_, name in setup.record_types:
            path = f"ui-api/object-info/Opportunity/picklist-values/{id_}/StageName"
            try:
                answer = self._guarded(self._connect().restful, path)
                told = expect(shapes.StageValues, answer, Side.SALESFORCE, f"GET {path}")
                values = [value["value"] for value in told["values"]]
                stages = tuple(by_name[value] for value in values if value in by_name)
            except SalesforceError:
                stages = setup.stages
            found.append(RecordType(id_, name, stages or setup.stages))
        return tuple(found)

    def permissions(self) -> Mapping[str, bool]:
        """The system permissions of the connector's user (UserPermissionAccess). One call."""
        names = ", ".join(RIGHTS)
        query = self._query(f"SELECT {names} FROM UserPermissionAccess")
        answer = self._composite({"rights": query})["rights"]
        rows = answer.read(shapes.QueryPage)["records"] if answer.status == 200 else []
        told = expect(dict[str, Any], rows[0] if rows else {}, Side.SALESFORCE, answer.call)
        return {name: bool(value) for name, value in told.items() if name != "attributes"}

    # --- reading ---

    def changes(self, wanted: Mapping[str, Wanted], cursors: Mapping[str, Any]) -> Iterator[Page]:
        """Pages of changed and deleted records, then of those that getDeleted alone knows are gone.

        Cursors are named `salesforce/<object>`.
        """
        started = self._now()
        horizon = started - self._overlap
        requests_: dict[str, tuple[str, str, Any]] = {}
        for name, want in wanted.items():
            requests_[name] = self._changes_query(name, want, cursors.get(_stream(name)))
        requests_ |= self._deletion_requests(wanted, cursors, started)
        answers = self._composite(requests_)
        gone = {name: self._gone(name, answers) for name in wanted}
        for name, want in wanted.items():
            shape: Any = RoleRow if name == ROLE else RecordRow
            columns = [*self._role_columns(), "SystemModstamp"] if name == ROLE else self._columns(name, want)
            for rows in self._pages(answers[name], shape, columns):
                for row in rows:  # deleted, and restored since; or told here, with the reason
                    gone[name].pop(row["Id"], None)
                last = _moment(rows[-1]["SystemModstamp"]) if rows else horizon
                yield self._page(name, want, rows, {_stream(name): _iso(min(last, horizon))})
        self._tell_merged(gone)
        for name in wanted:
            cursor = {_stream(name): _iso(horizon)} | _deletions_cursor(name, answers, started)
            if name == ROLE:
                yield Page(name, roles_gone=tuple(gone[name]), cursors=cursor)
            else:
                yield Page(name, records=tuple(gone[name].values()), cursors=cursor)

    def _changes_query(self, name: str, want: Wanted, since: str | None) -> tuple[str, str, Any]:
        """What changed since a time, and what was deleted or merged; without a time all that is there."""
        columns = [*self._role_columns(), "SystemModstamp"] if name == ROLE else self._columns(name, want)
        if since and name != ROLE:
            columns += ["IsDeleted", *([MASTER_ID] if self._schema.has(name, MASTER_ID) else [])]
        where = f" WHERE SystemModstamp >= {_soql_time(since)}" if since else ""
        if where and want.also:
            where += f" OR Id IN ({list_texts(want.also)})"
        soql = f"SELECT {', '.join(columns)} FROM {name}{where} ORDER BY SystemModstamp, Id"
        return self._query(soql, gone_too=bool(since and name != ROLE))

    def _role_columns(self) -> list[str]:
        names = [name for name in ("Role", "IsPrimary") if self._schema.has(ROLE, name)]
        return ["Id", "OpportunityId", "ContactId", *names]

    def _columns(self, name: str, want: Wanted) -> list[str]:
        system = ["Id", "CreatedDate", "LastModifiedDate", "SystemModstamp"]
        fields = [*want.fields, *([want.partner_field] if want.partner_field else [])]
        return list(dict.fromkeys([*system, *(one for one in fields if self._schema.has(name, one))]))

    def _page(self, name: str, want: Wanted, rows: Sequence[Any], cursors: dict[str, Any]) -> Page:
        if name == ROLE:
            return Page(name, roles={row["Id"]: _role(row) for row in rows}, cursors=cursors)
        records = (
            _gone(name, row["Id"], survivor=row.get("MasterRecordId"))
            if row.get("IsDeleted")
            else self._record(name, want, row)
            for row in rows
        )
        return Page(name, tuple(records), cursors=cursors)

    def _record(self, name: str, want: Wanted, row: Mapping[str, Any]) -> Record:
        fields: dict[str, Value] = {one: _value(row[one]) for one in want.fields if one in row}
        if WITHOUT_RECORD_TYPES in want.fields:
            fields.setdefault(WITHOUT_RECORD_TYPES, None)
        return Record(
            side=Side.SALESFORCE,
            object=name,
            id=row["Id"],
            version=row["SystemModstamp"],
            fields=fields,
            created=_iso(_moment(row["CreatedDate"])),
            modified=_iso(_moment(row["LastModifiedDate"])),
            partner_id=read_stored_id(row.get(want.partner_field)) if want.partner_field else None,
        )

    def _deletion_requests(
        self, wanted: Mapping[str, Wanted], cursors: Mapping[str, Any], now: datetime
    ) -> dict[str, tuple[str, str, Any]]:
        """Deletions since the last look by getDeleted, which also knows what is in no recycle bin any more."""
        requests_: dict[str, tuple[str, str, Any]] = {}
        for name in wanted:
            # A first look that was cut short knows some, and not yet from where on to ask for deletions.
            since = cursors.get(_stream(f"{name}/deleted")) or cursors.get(_stream(name))
            if since is None:
                continue  # nothing was known before, so nothing known can be missing
            start = max(_moment(since) - timedelta(minutes=2), now - DELETED_WINDOW + timedelta(minutes=2))
            if start.replace(second=0, microsecond=0) < now.replace(second=0, microsecond=0):
                span = urlencode({"start": _iso(start), "end": _iso(now)})
                requests_[f"{name}_deleted"] = ("GET", f"sobjects/{name}/deleted/?{span}", None)
        return requests_

    def _gone(self, name: str, answers: Mapping[str, Answer]) -> dict[str, Record]:
        answer = answers.get(f"{name}_deleted")
        if answer is None or answer.status != 200:
            return {}
        return {row["id"]: _gone(name, row["id"]) for row in answer.read(shapes.Deleted)["deletedRecords"]}

    def _tell_merged(self, gone: Mapping[str, dict[str, Record]]) -> None:
        """Of records that getDeleted alone tells find those that were merged, which it does not say (A7).

        The losers of a merge are deleted, with the master's id in `MasterRecordId` (SOAP API Guide, "merge()").
        As a rule the query of changes has shown them; else it is one call per 1,000. A master may be a loser too.
        """
        todo = [
            (name, some)
            for name, records in gone.items()
            if self._schema.has(name, MASTER_ID)
            for some in _groups([id_ for id_, one in records.items() if one.survivor is None], COLLECTION)
        ]
        for groups in _groups(todo, COLLECTIONS):
            answers = self._composite(
                {f"m{number}": self._master_query(name, some) for number, (name, some) in enumerate(groups)}
            )
            for number, (name, _) in enumerate(groups):
                for row in self._rows(answers[f"m{number}"], shapes.MergedRow):
                    gone[name][row["Id"]] = _gone(name, row["Id"], survivor=row.get("MasterRecordId"))

    def _master_query(self, name: str, ids: Sequence[str]) -> tuple[str, str, Any]:
        """Which of these records are deleted, and into which others they were merged."""
        master = f", {MASTER_ID}" if self._schema.has(name, MASTER_ID) else ""
        listed = list_texts(ids)
        soql = f"SELECT Id{master} FROM {name} WHERE IsDeleted = true AND Id IN ({listed})"
        return self._query(soql, gone_too=True)

    def read(self, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Record]:
        """Records as they are now. What is not there was deleted, or is out of sight.

        People may have typed what is no id: Salesforce would refuse all that it is asked for together with.
        """
        found: dict[str, Record] = {}
        columns = self._columns(object_, wanted)
        asked = [id_ for id_ in ids if may_be_asked_for(id_)]
        for group in _groups(asked, READ_COLLECTION * COLLECTIONS):
            answers = self._composite(
                {
                    f"r{number}": ("POST", f"composite/sobjects/{object_}", {"ids": some, "fields": columns})
                    for number, some in enumerate(_groups(group, READ_COLLECTION))
                }
            )
            for answer in answers.values():
                self._raise_unless(answer)
                rows = [row for row in answer.read(list[RecordRow | None]) if row is not None]
                check_columns(answer.call, rows, columns)
                found |= {str(row["Id"]): self._record(object_, wanted, row) for row in rows}
        found = {id_: found[id_] for id_ in ids if id_ in found}  # what nobody asked for is no answer
        missing = [id_ for id_ in asked if id_ not in found]
        found |= {id_: _gone(object_, id_, Presence.INVISIBLE) for id_ in ids if id_ not in found}
        for some in _groups(missing, COLLECTION):
            answer = self._composite({"bin": self._master_query(object_, some)})["bin"]
            for row in self._rows(answer, shapes.MergedRow):
                if row["Id"] in found:
                    found[row["Id"]] = _gone(object_, row["Id"], survivor=row.get("MasterRecordId"))
        return found

    def know_all_of(self, object_: str) -> list[str]:
        """Learn every field of an object; returns those that can be given at its creation. One call.

        But for `ContactId` of an opportunity, which makes a contact role (Object Reference, "Opportunity").
        """
        found = self.describe([object_]).objects
        self._schema = Schema({**self._schema.objects, **found})
        return [name for name, one in found[object_].items() if one["createable"] and name != "ContactId"]

    def read_whole(self, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Record]:
        """Records with all that can be given at their creation, mapped or not. One call more than `read`."""
        names = (*wanted.fields, *self.know_all_of(object_))
        return self.read(object_, ids, Wanted(tuple(dict.fromkeys(names)), wanted.partner_field))

    def find_absorbed(self, object_: str, ids: Sequence[str]) -> dict[str, Record]:  # noqa: ARG002  # HubSpot's needs them
        """None: a query of all rows shows what was merged, whatever became of the survivor. No call."""
        return {}

    def find_ties(self, object_: str, ids: Sequence[str]) -> dict[str, set[tuple[str, str]]]:
        """What hangs on records, by id: contacts and opportunities of accounts, and who has a role on what."""
        found: dict[str, set[tuple[str, str]]] = {id_: set() for id_ in ids}
        queries = [
            (query, tied, some) for query, tied in _TIES.get(object_, ()) for some in _groups(ids, COLLECTION)
        ]
        for group in _groups(queries, COLLECTIONS):
            answers = self._composite(
                {
                    f"t{number}": self._query(query.format(ids=list_texts(some)))
                    for number, (query, _, some) in enumerate(group)
                }
            )
            for number, (_, (tied, field_, to), _) in enumerate(group):
                for row in self._rows(answers[f"t{number}"], dict[str, Any], (field_, to)):
                    if row[field_] in found:
                        found[row[field_]].add((tied, str(row[to])))
        return found

    def find_strangers(self, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Touch]:  # noqa: ARG002  # HubSpot's needs it
        """Of records that this connector created those whose last edit was another user's. One call per 1,000."""
        rows = self._touched(object_, ids)
        return {id_: _touch(row) for id_, row in rows.items() if row["LastModifiedById"] != row["CreatedById"]}

    def last_touches(self, object_: str, fields: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], Touch]:
        """Who last edited the records that have these fields. One call per 1,000 records."""
        rows = self._touched(object_, sorted(fields))
        return {(id_, name): _touch(row) for id_, row in rows.items() for name in fields[id_]}

    def _touched(self, object_: str, ids: Sequence[str]) -> dict[str, shapes.TouchedRow]:
        columns = "Id, CreatedById, LastModifiedById, LastModifiedBy.Name, LastModifiedDate"
        found: dict[str, shapes.TouchedRow] = {}
        for group in _groups(ids, COLLECTION * COLLECTIONS):
            queries = {
                f"q{number}": self._query(f"SELECT {columns} FROM {object_} WHERE Id IN ({list_texts(some)})")
                for number, some in enumerate(_groups(group, COLLECTION))
            }
            found |= {
                row["Id"]: row
                for answer in self._composite(queries).values()
                for row in self._rows(answer, shapes.TouchedRow)
            }
        return {id_: found[id_] for id_ in ids if id_ in found}

    def find(self, object_: str, partner_ids: Sequence[str], wanted: Wanted) -> dict[str, Record]:
        """Records by the partner id that they store."""
        found: dict[str, Record] = {}
        if not wanted.partner_field or not self._schema.has(object_, wanted.partner_field):
            return found
        for some in _groups(partner_ids, COLLECTION):
            listed = list_texts(some)
            columns = self._columns(object_, wanted)
            soql = f"SELECT {', '.join(columns)} FROM {object_} WHERE {wanted.partner_field} IN ({listed})"
            for row in self._rows(self._composite({"q": self._query(soql)})["q"], RecordRow, columns):
                found[str(row[wanted.partner_field])] = self._record(object_, wanted, row)
        return found

    def last_edits(self, object_: str, fields: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], str]:
        """When tracked fields (by record id) last got another value, by (id, field). One call per 1,000 records.

        Nothing of an object or field whose history is not kept: it is up to an administrator (Salesforce Help,
        "Field History Tracking"; Object Reference, "OpportunityFieldHistory", "StandardObjectNameHistory").
        """
        table = "OpportunityFieldHistory" if object_ == "Opportunity" else f"{object_}History"
        found: dict[tuple[str, str], str] = {}
        for group in _groups(sorted(fields), COLLECTION * COLLECTIONS):
            queries = {}
            for number, some in enumerate(_groups(group, COLLECTION)):
                names = sorted({label for id_ in some for name in fields[id_] for label in _labels(name)})
                soql = (
                    f"SELECT {object_}Id, Field, MAX(CreatedDate) edited FROM {table}"
                    f" WHERE {object_}Id IN ({list_texts(some)})"
                    f" AND Field IN ({list_texts(names)}) GROUP BY {object_}Id, Field"
                )
                queries[f"q{number}"] = self._query(soql)
            key = f"{object_}Id"
            for answer in self._composite(queries).values():
                if answer.status != 200:  # an org may keep no such history
                    continue
                for row in self._rows(answer, shapes.EditedRow, (key, "Field", "edited")):
                    id_ = row[key]
                    for name in fields.get(id_, ()):
                        if row["Field"] in _labels(name):
                            found[id_, name] = max(found.get((id_, name), ""), _iso(_moment(row["edited"])))
        return found

    def mark(self) -> str:
        """The server's time, from which a look at everything can be followed up by `changes`."""
        return _iso(self._now())

    def cursors_from(self, name: str, began: datetime) -> dict[str, str]:
        """The cursors of an object of which everything was read since `began`, as `changes` leaves them."""
        return {_stream(name): _iso(began - self._overlap), _stream(f"{name}/deleted"): _iso(began)}

    def deletions_from(self, names: Collection[str], began: str) -> dict[str, str]:
        """The cursors of objects of which some records are known since `began`, and what else there is is not."""
        return {_stream(f"{name}/deleted"): began for name in names}

    def selections(self) -> Selections:
        """Reads what meets a condition (`connector import`)."""
        return Selections(
            Api(
                columns=self._columns,
                type_of=lambda object_, name: self._schema.objects.get(object_, {}).get(name, {}).get("type") or "",
                record=self._record,
                queries=lambda soql: self._composite({name: self._query(text) for name, text in soql.items()}),
                fetch=self._fetch,
                wait=self._door.rest,
            )
        )

    # --- writing ---

    def create(self, object_: str, drafts: Sequence[Draft], wanted: Wanted) -> Iterator[list[Outcome]]:
        """Create records. An external id that is unique in Salesforce keeps a repeated call from doubling them.

        Drafts that carry none are sent once: whoever sends them finds out what became of an answer that was lost.
        """
        for some in _groups(drafts, COLLECTION * COLLECTIONS):
            rows = [self._row(object_, draft.values) for draft in some]
            told_apart = all(wanted.partner_field in draft.values for draft in some)
            unknown, since = self._door.count_unknown(), self._door.server_time
            with contextlib.nullcontext() if told_apart else self._door.once():
                outcomes = self._write("POST", rows, [draft.key for draft in some])
            if self._door.count_unknown() > unknown:
                find = partial(self.find, object_, wanted=wanted)
                outcomes = hear_late(outcomes, some, wanted.partner_field, since, find)
            yield outcomes

    def update(self, object_: str, edits: Sequence[Edit]) -> Iterator[list[Outcome]]:
        for some in _groups(edits, COLLECTION * COLLECTIONS):
            rows = [{**self._row(object_, edit.values), "id": edit.id} for edit in some]
            yield self._write("PATCH", rows, [edit.id for edit in some])

    def add_roles(self, roles: Sequence[tuple[str, str]]) -> Iterator[list[Outcome]]:
        """Create contact roles (opportunity, contact); keys are `opportunity/contact`.

        A role has no external id. So those that exist are looked up first, and a creation whose answer was
        lost is not sent again: the next run sees what became of it.
        """
        for some in _groups(roles, COLLECTION * COLLECTIONS):
            existing = {
                (one.opportunity, one.contact): id_ for id_, one in self.roles_of({o for o, _ in some}).items()
            }
            done = [
                Outcome(f"{one}/{who}", existing[one, who], found=True)
                for one, who in some
                if (one, who) in existing
            ]
            missing = [role for role in some if role not in existing]
            rows = [{"attributes": {"type": ROLE}, "OpportunityId": one, "ContactId": who} for one, who in missing]
            if rows:
                with self._door.once():
                    done += self._write("POST", rows, [f"{one}/{who}" for one, who in missing])
            yield done

    def roles_of(self, opportunities: Collection[str]) -> dict[str, ContactRole]:
        """All contact roles of opportunities as they are now, by id. One call per 1,000 opportunities."""
        found: dict[str, ContactRole] = {}
        for group in _groups(sorted(set(opportunities)), COLLECTION * COLLECTIONS):
            queries = {}
            for number, some in enumerate(_groups(group, COLLECTION)):
                listed = list_texts(some)
                columns = ", ".join(self._role_columns())
                queries[f"q{number}"] = self._query(
                    f"SELECT {columns} FROM {ROLE} WHERE OpportunityId IN ({listed}) ORDER BY Id"
                )
            answers = self._composite(queries).values()
            found |= {row["Id"]: _role(row) for answer in answers for row in self._rows(answer, RoleRow)}
        return found

    def name_roles(self, edits: Sequence[Edit]) -> Iterator[list[Outcome]]:
        """Write `Role` and `IsPrimary` of contact roles, by role id (R4)."""
        yield from self.update(ROLE, edits)

    def remove_roles(self, ids: Sequence[str]) -> Iterator[list[Outcome]]:
        """Delete contact roles (R3); one that is gone already is as good as deleted. Keys are their ids.

        Raises:
            ValueError: an id is not that of a contact role.
        """
        yield from self._remove(ROLE, ids)

    def delete(self, object_: str, ids: Sequence[str]) -> Iterator[list[Outcome]]:
        """Delete contacts or accounts (D5); one that is gone already is as good as deleted. Keys are their ids.

        An account that Salesforce would delete contacts or opportunities with is refused: asked just before.

        Raises:
            ValueError: another object, or an id of one. No opportunity can be deleted here (D2, law 10).
        """
        check_deletable(object_, ids)
        refused = self.find_undeletable(object_, ids)
        if refused:
            yield list(refused.values())
        yield from self._remove(object_, [id_ for id_ in ids if id_ not in refused])

    def find_undeletable(self, object_: str, ids: Sequence[str]) -> dict[str, Outcome]:
        """Of these records those that must not be deleted, each with the refusal. Reads only."""
        found: dict[str, Outcome] = {}
        for some in _groups(ids, CASCADES_ASKED) if object_ == ACCOUNT else ():
            answers = self._composite({name: self._query(soql) for name, soql in cascade_queries(some).items()})
            rows = {
                name: list(self._rows(answer, dict[str, Any], () if name == "rights" else ("AccountId", "number")))
                for name, answer in answers.items()
            }
            found |= {id_: one for id_, one in read_cascades(some, rows).items() if id_ in some}
        return found

    def remake_roles(self, roles: Sequence[ContactRole]) -> Iterator[list[Outcome]]:
        """Create contact roles as they were before they were removed; keys are positions in `roles`.

        As in `add_roles`, what got no answer is not sent again.
        """
        for some in _groups(list(enumerate(roles)), COLLECTION * COLLECTIONS):
            rows = [
                self._row(ROLE, {"Role": one.name, "IsPrimary": bool(one.primary)})
                | {"OpportunityId": one.opportunity, "ContactId": one.contact}
                for _, one in some
            ]
            with self._door.once():
                outcomes = self._write("POST", rows, [str(number) for number, _ in some])
            yield outcomes

    def take_back(self, proofs: Sequence[Proof]) -> Iterator[list[Outcome]]:
        """Delete records that this connector created, all of one object; one that is gone is as good as deleted.

        The only way by which it ever deletes one, and only for `undo` (X2). Salesforce has to agree that the user
        who created the record was the last to edit it, and nothing may hang on an account.

        Raises:
            ValueError: a proof is not of what it says, or they are of several objects.
        """
        check_proofs(proofs)
        for group in _groups(proofs, COLLECTION * COLLECTIONS):
            object_, ids = group[0].object, [one.id for one in group]
            kept = self.find_undeletable(object_, ids)
            strangers = self.find_strangers(object_, [id_ for id_ in ids if id_ not in kept], Wanted(()))
            kept |= {id_: Outcome(id_, refusal=EDITED_SINCE) for id_ in strangers}
            free = [id_ for id_ in ids if id_ not in kept]
            yield [*kept.values(), *(one for some in self._delete(free) for one in some)]

    def _remove(self, object_: str, ids: Sequence[str]) -> Iterator[list[Outcome]]:
        check_deletable(object_, ids)
        yield from self._delete(ids)

    def _delete(self, ids: Sequence[str]) -> Iterator[list[Outcome]]:
        for group in _groups(ids, COLLECTION * COLLECTIONS):
            groups = list(_groups(group, COLLECTION))
            answers = self._composite(
                {
                    f"w{number}": ("DELETE", f"composite/sobjects?ids={','.join(some)}&allOrNone=false", None)
                    for number, some in enumerate(groups)
                }
            )
            yield [one for number, some in enumerate(groups) for one in _removed(some, answers[f"w{number}"])]

    def _row(self, object_: str, values: Mapping[str, Value]) -> dict[str, Any]:
        row: dict[str, Any] = {"attributes": {"type": object_}}
        known = {name: value for name, value in values.items() if self._schema.has(object_, name)}
        return row | known

    def _write(self, method: str, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[Outcome]:
        """Send rows in collections, and find out what became of each.

        A value of the wrong type has its whole collection refused with 400, nothing of it written; it is then
        halved until the culprits stand alone. So has a field that is none (any more), but the answer names it:
        the rows that have it are refused at once, and the others go on.
        """
        outcomes: dict[int, Outcome] = {}
        todo = list(_groups(range(len(rows)), COLLECTION))
        while todo:
            groups, todo = todo[:COLLECTIONS], todo[COLLECTIONS:]
            parts = {
                f"w{name}": _collection(method, [rows[one] for one in some]) for name, some in enumerate(groups)
            }
            answers = self._composite(parts)
            for name, some in enumerate(groups):
                answer = answers[f"w{name}"]
                status, body = answer.status, answer.body
                if status == 200:
                    results = _results(answer, [rows[one].get("id") for one in some])
                    outcomes |= {one: _outcome(keys[one], told) for one, told in zip(some, results, strict=True)}
                elif columns := unknown_columns(body) if status == 400 else frozenset():
                    bad = [one for one in some if columns & rows[one].keys()] or some
                    outcomes |= {one: Outcome(keys[one], refusal=read_refusal(body)) for one in bad}
                    todo += [good] if (good := [one for one in some if one not in outcomes]) else []
                elif status == 400 and len(some) > 1:
                    todo += _groups(some, -(-len(some) // 2))
                else:
                    outcomes |= {one: Outcome(keys[one], refusal=read_refusal(body)) for one in some}
        return [outcomes[one] for one in range(len(rows))]

    def price(self, verb: str, number: int) -> int:
        calls, number_each = {
            "create": (1, COLLECTION * COLLECTIONS),
            "update": (1, COLLECTION * COLLECTIONS),
            "read": (1, READ_COLLECTION * COLLECTIONS),
            "connect": (2, COLLECTION * COLLECTIONS),  # which exist already, then the others
            "roles": (1, COLLECTION * COLLECTIONS),
            "disconnect": (1, COLLECTION * COLLECTIONS),
            "take back": (2, COLLECTION * COLLECTIONS),  # who touched them, then those that nobody did
            "delete": (1, COLLECTION * COLLECTIONS),
            "cascades": (1, CASCADES_ASKED),
        }[verb]
        return calls * -(-number // number_each)

    @property
    def address(self) -> str:
        """Where this org is."""
        return self._credentials.instance_url

    def usage(self) -> Usage:
        return Usage(self._door.calls, self._left, self._limit)

    def probe(self) -> None:
        """Ask for the limits, which every user may. One call."""
        self._call("GET", "limits")

    def versions(self) -> tuple[str, ...]:
        """The API versions that the org speaks, oldest first. Not counted, and needs no login ("Versions")."""
        answer = self._door.get(f"{_address(self._credentials)}/services/data/")
        call = "GET /services/data/"
        try:
            told = expect(
                list[shapes.SpokenVersion], read_json(answer.content, Side.SALESFORCE, call), self.side, call
            )
        except Misshapen:  # some orgs tell nobody
            return ()
        return tuple(one["version"] for one in told)

    @property
    def server_time(self) -> datetime | None:
        """The server's time as of the last answer."""
        return self._door.server_time

    def user_id(self) -> str | None:
        """The id of our user, by the UserInfo endpoint; None if the session may not ask it. No API call."""
        try:
            told = self._guarded(self._connect().oauth2, "userinfo")
        except SalesforceError:
            return None
        return expect(shapes.UserInfo, told or {}, Side.SALESFORCE, "GET userinfo").get("user_id")

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One call that may be refused: the status and the body of its answer. For setting up, not for records."""
        kwargs = {"json": body} if body is not None else {}
        try:
            return 200, self._guarded(self._connect().restful, path, method=method, **kwargs)
        except SalesforceError as error:
            return error.status, error.content

    # --- calling ---

    def _now(self) -> datetime:
        """The server's time, as of the last call; asked for if there was none."""
        if self._door.server_time is None:
            self._call("GET", "limits")
        return self._door.server_time or datetime.now(UTC)

    def _composite(self, parts: Mapping[str, tuple[str, str, Any]]) -> dict[str, Answer]:
        """Send sub-requests (method, path, body) by name; returns status and body of each. One call."""
        if not parts:
            return {}
        subrequests = []
        for name, (method, path, body) in parts.items():
            one: dict[str, Any] = {"method": method, "referenceId": name, "url": self._path(path)}
            if body is not None:
                one["body"] = body
            subrequests.append(one)
        answer = self._call("POST", "composite", {"allOrNone": False, "compositeRequest": subrequests})
        told = expect(shapes.Composite, answer, Side.SALESFORCE, "POST composite")["compositeResponse"]
        if sorted(one["referenceId"] for one in told) != sorted(parts):
            raise Misshapen(Side.SALESFORCE, "POST composite", "it does not answer each of its parts once")
        found = {}
        for part in told:
            method, path, _ = parts[part["referenceId"]]
            call = f"{method} {_short(path)} ({part['referenceId']})"
            found[part["referenceId"]] = Answer(part["httpStatusCode"], self._clean(part), call)
        return found

    def _clean(self, part: shapes.Subanswer) -> Any:
        """The body of a sub-request; what it says of errors is cleaned like the errors of a whole call."""
        body = part["body"]
        if part["httpStatusCode"] >= 400:
            return self._door.redact_all(body)
        if isinstance(body, list) and any(isinstance(row, dict) and row.get("errors") for row in body):
            return [
                self._door.redact_all(row) if isinstance(row, dict) and row.get("errors") else row for row in body
            ]
        return body

    def _path(self, path: str) -> str:
        return f"/services/data/v{self._version}/{path}"

    @staticmethod
    def _query(soql: str, *, gone_too: bool = False) -> tuple[str, str, Any]:
        return "GET", f"{'queryAll' if gone_too else 'query'}?q={quote(soql)}", None

    def _pages(self, answer: Answer, shape: type[T], columns: Collection[str] = ()) -> Iterator[list[T]]:
        """The pages of a query, of rows that have all columns, as Salesforce gives those of a query in any case."""
        self._raise_unless(answer)
        pages = Pages(Side.SALESFORCE, answer.call)
        page = answer.read(shapes.QueryPage)
        while True:
            rows = expect(list[shape], page["records"], Side.SALESFORCE, answer.call)  # type: ignore[valid-type]  # chosen by the caller
            check_columns(answer.call, page["records"], columns)
            following = page.get("nextRecordsUrl") or ""
            if not page["done"]:
                if not following:
                    raise Misshapen(
                        Side.SALESFORCE, answer.call, "there is to be a next page, and it does not say where"
                    )
                first = page["records"][0].get("Id") if page["records"] else ""
                pages.check(following, str(first or following))
            yield rows
            if page["done"]:
                return
            try:
                more = self._guarded(self._connect().query_more, following, identifier_is_url=True)
            except SalesforceError as error:  # such as a cursor that is not there any more
                self._raise_unless(Answer(error.status, error.content, f"GET {following}"))
                raise
            page = expect(shapes.QueryPage, more, Side.SALESFORCE, f"GET {following}")

    def _rows(self, answer: Answer, shape: type[T], columns: Collection[str] = ()) -> Iterator[T]:
        for rows in self._pages(answer, shape, columns):
            yield from rows

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {
            "Sforce-Auto-Assign": "FALSE",
            "Sforce-Call-Options": "client=salesforce-hubspot-connector",
        }
        kwargs = {"json": body} if body is not None else {}
        try:
            return self._guarded(self._connect().restful, path, method=method, headers=headers, **kwargs)
        except SalesforceError as error:
            self._raise_unless(Answer(error.status, error.content, f"{method} {_short(path)}"))
            raise

    def _guarded(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            with _quietly():
                answer = call(*args, **kwargs)
        except SalesforceError as error:
            if error.status == requests.codes.unauthorized:
                raise not_let_in("the session has expired or is not valid") from None
            raise
        usage = self._connect().api_usage.get("api-usage")
        if usage is not None:
            self._left, self._limit = max(usage.total - usage.used, 0), usage.total
        return answer

    def _fetch(self, method: str, path: str, body: Any = None) -> requests.Response:
        """One call that simple-salesforce does not know, whatever its answer. An ended session is begun anew."""
        for renewed in (False, True):
            client = self._connect()
            headers = {**client.headers, "Sforce-Call-Options": "client=salesforce-hubspot-connector"}
            answer = self._door.request(method, f"{client.base_url}{path}", headers=headers, json=body)
            if answer.status_code != requests.codes.unauthorized:
                break
            if renewed:
                raise not_let_in("the session has expired or is not valid")
            self.probe()  # through the client, which signs in again where it can
        return answer

    def _connect(self) -> Client:
        if self._client is None:
            found = self._sign_in()
            if isinstance(found, Unreachable):
                raise found  # here, and so without the client's error behind it, which quotes the whole answer
            self._client = found
        return self._client

    def _sign_in(self) -> Client | Unreachable:
        try:
            with _quietly():
                return Client(session=self._door, version=self._version, **_login(self._credentials))
        except SalesforceAuthenticationFailed as error:
            said = " ".join(self._door.redact(str(error.auth_message)).split())
            return not_let_in(said[:MOST_SAID])
        except (AttributeError, ExpatError, LookupError, TypeError, ValueError):
            # simple-salesforce takes an answer to a login for what it should be.
            return Misshapen(Side.SALESFORCE, "the login", "neither a session nor an error")

    def _raise_unless(self, answer: Answer) -> None:
        if answer.status == 200:
            return
        error = next(iter(salesforce_errors(answer.body)), shapes.SalesforceError())
        code, message = error.get("errorCode") or f"HTTP {answer.status}", error.get("message", "")
        missing = code in {"INVALID_TYPE", "INVALID_FIELD", "INSUFFICIENT_ACCESS_OR_READONLY"}
        raise Unreachable(
            Side.SALESFORCE,
            MEANINGS[code].cause if missing else ProblemClass.CONNECTION,
            self._door.redact(f"Salesforce: {code}: {message.strip().splitlines()[-1] if message.strip() else ''}"),
            "give the connector's user access to the object and its fields; `connector check` lists them"
            if missing
            else "run `connector check`",
        )


def _short(path: str) -> str:
    """A path without its query, which holds values."""
    return path.partition("?")[0]


def _touch(row: shapes.TouchedRow) -> Touch:
    return Touch((row.get("LastModifiedBy") or {}).get("Name") or "", _iso(_moment(row["LastModifiedDate"])))


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """simple-salesforce warns of an app that nobody approved, with its key, whenever it signs in."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"simple_salesforce\.login")
        yield


def _login(given: SalesforceCredentials) -> dict[str, Any]:
    """simple-salesforce chooses the flow by which arguments it gets."""
    host = _host(given)
    session_id, key, secret, password, security_token = given.secrets
    if session_id:
        return {"session_id": session_id, "instance_url": given.instance_url}
    login = {"domain": host.removesuffix(".salesforce.com")}
    if key and secret and not given.username:
        return login | {"consumer_key": key, "consumer_secret": secret}
    login |= {"username": given.username, "password": password}
    if key:
        return login | {"consumer_key": key, "consumer_secret": secret}
    return login | {"security_token": security_token}


def login_aliases(given: SalesforceCredentials) -> dict[str, str]:
    """simple-salesforce signs in below salesforce.com whatever it is told; orgs elsewhere have their own host."""
    host = _host(given)
    return {} if host.endswith(".salesforce.com") else {f"https://{host}.salesforce.com": f"https://{host}"}


def _address(given: SalesforceCredentials) -> str:
    """Where simple-salesforce reaches the org: by https, which the door turns back for a loopback address."""
    return f"https://{_host(given)}"


def _host(given: SalesforceCredentials) -> str:
    return given.instance_url.split("://", 1)[-1].strip("/")


_FACTS = (
    "type", "label", "length", "precision", "scale", "createable", "updateable", "nillable", "unique", "externalId",
    "calculated", "autoNumber", "defaultedOnCreate", "restrictedPicklist", "htmlFormatted", "referenceTo",
)  # fmt: skip


def _facts(field_: shapes.FieldRow) -> dict[str, Any]:
    """What is worth remembering of a described field; `options` are active picklist values, each with its label."""
    facts: dict[str, Any] = {name: field_.get(name) for name in _FACTS}
    values = field_.get("picklistValues") or ()
    return facts | {
        "options": [[one["value"], one.get("label") or one["value"]] for one in values if one.get("active", True)]
    }


def _collection(method: str, rows: Sequence[Mapping[str, Any]]) -> tuple[str, str, Any]:
    return method, "composite/sobjects", {"allOrNone": False, "records": list(rows)}


def _results(answer: Answer, ids: Sequence[str | None]) -> list[shapes.Saved]:
    """What became of each row of a collection, in its order; `ids` are those that rows had when they were sent.

    A new id is written to the other side, and everything hangs on it: no other text is taken for one.
    """
    results = answer.read(list[shapes.Saved])
    if len(results) != len(ids):
        raise Misshapen(Side.SALESFORCE, answer.call, f"{len(results)} result(s) for {len(ids)} row(s)")
    for number, (one, id_) in enumerate(zip(results, ids, strict=True)):
        told = one.get("id")
        is_right = told == id_ if id_ is not None else is_id(told or "")
        if one["success"] and not is_right:
            raise Misshapen(Side.SALESFORCE, answer.call, f"result {number} is not of the record that was sent")
    return results


def _outcome(key: str, result: shapes.Saved) -> Outcome:
    if result["success"]:
        return Outcome(key, result.get("id"))
    return Outcome(key, refusal=read_refusal(result.get("errors")))


def _removed(ids: Sequence[str], answer: Answer) -> list[Outcome]:
    if answer.status != requests.codes.ok:
        return [Outcome(id_, refusal=read_refusal(answer.body)) for id_ in ids]
    made = [_outcome(id_, one) for id_, one in zip(ids, _results(answer, ids), strict=True)]
    return [
        Outcome(one.key, one.key) if one.refusal and one.refusal.trouble is Trouble.GONE else one for one in made
    ]


def _role(row: RoleRow) -> ContactRole:
    return ContactRole(row["OpportunityId"], row["ContactId"], row.get("Role") or None, row.get("IsPrimary"))


def _labels(name: str) -> tuple[str, ...]:
    """What a field may be called in a history: a standard lookup goes by its relationship there."""
    return (name, name.removesuffix("Id")) if name.endswith("Id") else (name,)


def _deletions_cursor(name: str, answers: Mapping[str, Answer], started: datetime) -> dict[str, str]:
    """From where to ask for deletions next time: where it was if Salesforce did not answer this time.

    An answer may be complete only up to a time before the one asked for (REST API Guide, "Get Deleted").
    """
    stream = _stream(f"{name}/deleted")
    answer = answers.get(f"{name}_deleted")
    if answer is None:
        return {stream: _iso(started)}
    if answer.status != 200:
        return {}
    return {stream: _iso(min(started, _moment(answer.read(shapes.Deleted)["latestDateCovered"])))}


def _gone(object_: str, id_: str, presence: Presence = Presence.DELETED, *, survivor: str | None = None) -> Record:
    known = Presence.MERGED if survivor else presence
    return Record(Side.SALESFORCE, object_, id_, "", {}, presence=known, survivor=survivor)


def _stream(name: str) -> str:
    return f"salesforce/{name}"


def _value(value: Any) -> Value:
    return None if value == "" else value


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _soql_time(iso: str) -> str:
    """SOQL wants date-times unquoted; whole seconds, rounded down."""
    return f"{iso[:19]}Z"


def _groups(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
