"""Is an answer of a CRM what its documents say, so that the connector may go by it?

Every answer is read here, once, where it comes in: bytes -> JSON -> a typed shape. One of another shape ends the
run before anything is made of it, as a broken connection does; the message says which call and which place, and
never a value, which is a customer's. What a shape does not name is dropped: vendors add keys at any time.

| what                             | how it is read                                            |
|----------------------------------|-----------------------------------------------------------|
| what the run goes by             | `expect`: it has the shape, or the run ends               |
| pages                            | `Pages`: the run ends with one that comes again           |
| an error, to be told in any case | `hubspot_error`, `salesforce_errors`: as far as it is one |
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, NotRequired, Required, TypeAlias, TypeVar

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError, WrapValidator
from typing_extensions import TypedDict  # that of `typing` is too old for pydantic before Python 3.12

from connector.core.model import ProblemClass, Side
from connector.errors import Unreachable

T = TypeVar("T")


class Misshapen(Unreachable):
    """A CRM answered a call with something that its documents do not have. Nothing was made of it."""

    def __init__(self, side: Side, call: str, what: str) -> None:
        super().__init__(
            side,
            ProblemClass.CONNECTION,
            f"{_NAMES[side]} answered {call} with something that is not what its API promises: {what}",
            "run again; if it lasts, look for a proxy in between, and at the vendor's status page",
        )


_NAMES = {Side.SALESFORCE: "Salesforce", Side.HUBSPOT: "HubSpot"}


def read_json(content: bytes, side: Side, call: str) -> Any:
    """The object or list that an answer is.

    Raises:
        Misshapen: it is neither, or no JSON: cut off, nested without end, with numbers beyond all bounds.
    """
    try:
        value = orjson.loads(content)
    except ValueError:
        raise Misshapen(side, call, "the answer is not JSON") from None
    if not isinstance(value, dict | list):
        raise Misshapen(side, call, "it is neither an object nor a list")
    return value


def expect(shape: type[T], value: Any, side: Side, call: str) -> T:
    """What an answer says, as the shape has it.

    Raises:
        Misshapen: naming the first place that is otherwise.
    """
    key: Any = shape
    try:
        found: T = _adapter(key).validate_python(value)
        return found
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(one) for one in first["loc"])[:_LONGEST_PLACE]
        what = first["msg"].removeprefix("Value error, ")[:_LONGEST_PLACE]
        raise Misshapen(side, call, f"{place or 'the whole'}: {what}") from None


_LONGEST_PLACE = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a part of a Salesforce composite; `call` names it, for messages.

    The body is read by whoever knows its shape, and that depends on the status.
    """

    status: int
    body: Any
    call: str

    def read(self, shape: type[T]) -> T:
        """Raises `Misshapen` if it is not that."""
        return expect(shape, self.body, Side.SALESFORCE, self.call)


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


class Pages:
    """The pages of one question. A page that comes again, by its mark or by its first record, comes for ever."""

    def __init__(self, side: Side, call: str) -> None:
        self._side, self._call = side, call
        self._seen: set[tuple[str, str]] = set()

    def check(self, mark: str, first: str) -> None:
        """Note that `mark` is where the next page is, and `first` the record that this page begins with.

        Raises:
            Misshapen: either was told before.
        """
        for one in (("mark", mark), ("first", first)):
            if one in self._seen:
                raise Misshapen(self._side, self._call, "its pages come again and never end")
            self._seen.add(one)


# --- what both have -----------------------------------------------------------------------------------------


def _check_stamp(text: str) -> str:
    """A moment that can be told: `datetime` has years from 1 to 9999, in UTC too."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_NO_MOMENT) from None
    if moment.tzinfo is None or not _FIRST <= moment.year <= _LAST:
        raise ValueError(_NO_MOMENT)
    return text


_FIRST, _LAST = 2, 9998
_NO_MOMENT = "should be a moment such as 2026-03-02T09:00:00Z"

Text = Annotated[str, Field(strict=True)]
Id = Annotated[str, Field(min_length=1, max_length=100, coerce_numbers_to_str=True)]
"""HubSpot's are text in most answers, and numbers in those about associations."""
Stamp = Annotated[Text, AfterValidator(_check_stamp)]
Truth = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
"""What JSON carries without loss."""
Real = Annotated[float, Field(allow_inf_nan=False)]
Cell: TypeAlias = (
    Text
    | Truth
    | Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
    | Annotated[Real, Field(strict=True)]
    | None
)
"""A value of a record: what the store and the core know."""


def _leniently(blank: Any) -> WrapValidator:
    """Of what is not as it should be, `blank`."""

    def validate(value: Any, handler: Callable[[Any], Any]) -> Any:
        try:
            return handler(value)
        except ValidationError:
            return blank() if callable(blank) else blank

    return WrapValidator(validate)


Words = Annotated[Text, _leniently("")]
"""Text, or blank where there is something else."""
WordList = Annotated[list[Annotated[Id, _leniently("")]], _leniently(list)]


# --- HubSpot ------------------------------------------------------------------------------------------------


def _check_dates(properties: dict[str, str | None]) -> dict[str, str | None]:
    for name in _DATES & properties.keys():
        if text := properties[name]:
            _check_stamp(text)
    return properties


_DATES = {"createdate", "lastmodifieddate", "hs_lastmodifieddate"}
Properties: TypeAlias = Annotated[
    dict[str, Annotated[str, Field(coerce_numbers_to_str=True)] | None], AfterValidator(_check_dates)
]


class HubSpotRow(TypedDict, total=False):
    """A record that was read."""

    id: Required[Id]
    properties: Properties | None
    createdAt: Stamp | None
    updatedAt: Required[Stamp]
    archived: Truth | None


class WrittenRow(TypedDict, total=False):
    """A record that was written."""

    id: Required[Id]
    properties: Properties | None
    updatedAt: Stamp | None
    objectWriteTraceId: Text | None


class Following(TypedDict):
    after: Id


class Paging(TypedDict, total=False):
    next: Following | None


class HubSpotRows(TypedDict):
    """A page of records."""

    results: list[HubSpotRow]
    paging: NotRequired[Paging | None]


class Version(TypedDict, total=False):
    """A value that a property once had: when it got it, and from whom."""

    timestamp: Required[Stamp]
    sourceType: Text | None
    sourceId: Annotated[Text, Field(coerce_numbers_to_str=True)] | None
    sourceLabel: Text | None
    updatedByUserId: Whole | Text | None


class PastRow(TypedDict, total=False):
    id: Required[Id]
    propertiesWithHistory: dict[str, list[Version]] | None


class PastRows(TypedDict):
    """Records with what their properties were."""

    results: list[PastRow]


ErrorContext: TypeAlias = Annotated[dict[str, WordList], _leniently(dict)]
"""What an error is about: ids and names, by kind."""


class InnerError(TypedDict, total=False):
    code: Words
    message: Words
    context: ErrorContext


class HubSpotError(TypedDict, total=False):
    """Why HubSpot did not do something, as far as it can be read."""

    category: Words
    subCategory: Words
    message: Words
    policyName: Words
    errors: Annotated[list[Annotated[InnerError, _leniently(dict)]], _leniently(list)]
    context: ErrorContext


def hubspot_error(body: Any) -> HubSpotError:
    """What can be read of an error; nothing, if it is none."""
    read: HubSpotError = _adapter(HubSpotError).validate_python(body if isinstance(body, dict) else {})
    return read


class Batch(TypedDict, total=False):
    """What became of the inputs of a batch."""

    results: Required[list[WrittenRow]]
    errors: list[dict[str, Any]] | None


class Owner(TypedDict, total=False):
    id: Required[Id]
    email: Text | None


class Owners(TypedDict):
    results: list[Owner]
    paging: NotRequired[Paging | None]


class StageMetadata(TypedDict, total=False):
    probability: Annotated[Real | None, BeforeValidator(lambda value: value or None)]
    isClosed: Text | Truth | None


class StageRow(TypedDict, total=False):
    id: Required[Id]
    label: Required[Text]
    displayOrder: Whole | None
    metadata: StageMetadata | None
    archived: Truth | None


class PipelineRow(TypedDict, total=False):
    id: Required[Id]
    label: Required[Text]
    displayOrder: Whole | None
    stages: Required[list[StageRow]]
    archived: Truth | None


class Pipelines(TypedDict):
    results: list[PipelineRow]


class OptionRow(TypedDict, total=False):
    value: Required[Annotated[str, Field(coerce_numbers_to_str=True)]]
    label: Text | None
    displayOrder: Whole | None


class ModificationMetadata(TypedDict, total=False):
    readOnlyValue: Truth | None


class PropertyRow(TypedDict, total=False):
    name: Required[Text]
    type: Text | None
    label: Text | None
    fieldType: Text | None
    groupName: Text | None
    referencedObjectType: Text | None
    calculated: Truth | None
    hasUniqueValue: Truth | None
    modificationMetadata: ModificationMetadata | None
    options: list[OptionRow] | None


class PropertyRows(TypedDict):
    results: list[PropertyRow]


class LabelRow(TypedDict):
    category: Text
    typeId: Whole
    label: Text | None


class Labels(TypedDict):
    results: list[LabelRow]


class Account(TypedDict, total=False):
    """The portal: its id, its currency and its time zone."""

    portalId: Id | None
    companyCurrency: Text | None
    timeZone: Text | None


class Scopes(TypedDict, total=False):
    scopes: list[Text] | None


class Named(TypedDict):
    id: Id


class AssociationType(TypedDict):
    typeId: Whole
    category: Text


class Target(TypedDict):
    toObjectId: Id
    associationTypes: list[AssociationType]


Source = TypedDict("Source", {"from": Named, "to": list[Target], "paging": NotRequired[Paging | None]})


class Associations(TypedDict, total=False):
    results: Required[list[Source]]
    errors: list[dict[str, Any]] | None


class Pair(TypedDict):
    fromObjectId: Id
    toObjectId: Id


class Associated(TypedDict, total=False):
    """What became of associations that were to be made."""

    results: list[Pair] | None
    errors: list[dict[str, Any]] | None


class Merged(TypedDict):
    """A record that was asked for alone."""

    id: Id
    updatedAt: Stamp


# --- Salesforce ---------------------------------------------------------------------------------------------


class Subanswer(TypedDict):
    referenceId: Text
    httpStatusCode: Whole
    body: Any


class Composite(TypedDict):
    compositeResponse: list[Subanswer]


class QueryPage(TypedDict):
    """A page of a query. The next one is on the same host: nothing else may follow the slash of a path."""

    records: list[Any]
    done: Truth
    nextRecordsUrl: NotRequired[Annotated[Text, Field(pattern=r"^/services/data/[\w./-]+$")] | None]


class Count(TypedDict):
    totalSize: Whole


def _drop_attributes(value: Any) -> Any:
    """A row without what tells of its kind. Records that hang on it are read by shapes of their own."""
    return {name: one for name, one in value.items() if name != "attributes"} if isinstance(value, dict) else value


def _check_record(row: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(row.get("Id"), str) or not row["Id"].isalnum():
        raise ValueError("should have an `Id`")
    for name in _TIMES & row.keys():
        _check_stamp(row[name] if isinstance(row[name], str) else "")
    return row


_TIMES = {"CreatedDate", "LastModifiedDate", "SystemModstamp"}
RecordRow: TypeAlias = Annotated[dict[str, Cell], BeforeValidator(_drop_attributes), AfterValidator(_check_record)]


def check_columns(call: str, rows: Sequence[Mapping[str, Any]], columns: Collection[str]) -> None:
    """Whether rows of Salesforce have each column that was asked for: blank ones are told too.

    Raises:
        Misshapen: one lacks.
    """
    asked = set(columns)
    for number, row in enumerate(rows):
        if not asked <= row.keys():
            lacking = ", ".join(sorted(asked - row.keys()))
            raise Misshapen(Side.SALESFORCE, call, f"row {number} has no {lacking}")


class UserRow(TypedDict):
    Id: Text
    Email: Text | None
    IsActive: Truth


class RecordTypeRow(TypedDict):
    Id: Text
    Name: Text


class StageDefinitionRow(TypedDict):
    ApiName: Text | None
    MasterLabel: Text
    IsActive: Truth
    IsClosed: Truth
    IsWon: Truth
    DefaultProbability: Real | None


class RoleRow(TypedDict, total=False):
    Id: Required[Text]
    OpportunityId: Required[Text]
    ContactId: Required[Text]
    Role: Text | None
    IsPrimary: Truth | None
    SystemModstamp: Stamp


class MergedRow(TypedDict, total=False):
    """A record that is deleted, and what it was merged into."""

    Id: Required[Text]
    MasterRecordId: Text | None


class LastModifiedBy(TypedDict, total=False):
    Name: Text | None


class TouchedRow(TypedDict):
    Id: Text
    CreatedById: Text
    LastModifiedById: Text
    LastModifiedDate: Stamp
    LastModifiedBy: LastModifiedBy | None


def _check_edited(row: dict[str, str]) -> dict[str, str]:
    _check_stamp(row.get("edited", ""))
    return row


EditedRow: TypeAlias = Annotated[dict[str, Text], BeforeValidator(_drop_attributes), AfterValidator(_check_edited)]
"""When a field of a record last got another value; the record's id is in a column named by its object."""


class PicklistValue(TypedDict, total=False):
    value: Required[Text]
    label: Text | None
    active: Truth


class FieldRow(TypedDict, total=False):
    """A field, as describe has it."""

    name: Required[Text]
    type: Required[Text]
    label: Text | None
    length: Whole | None
    precision: Whole | None
    scale: Whole | None
    createable: Truth
    updateable: Truth
    nillable: Truth
    unique: Truth
    externalId: Truth
    calculated: Truth
    autoNumber: Truth
    defaultedOnCreate: Truth
    restrictedPicklist: Truth
    htmlFormatted: Truth | None
    referenceTo: list[Text] | None
    picklistValues: list[PicklistValue] | None


class Description(TypedDict, total=False):
    """An object, as describe has it."""

    fields: Required[list[FieldRow]]
    createable: Truth
    updateable: Truth
    deletable: Truth


class DeletedRow(TypedDict):
    id: Text


class Deleted(TypedDict):
    deletedRecords: list[DeletedRow]
    latestDateCovered: Stamp


class SalesforceError(TypedDict, total=False):
    """Why Salesforce did not do something, as far as it can be read."""

    errorCode: Words
    statusCode: Words
    message: Words
    fields: WordList


def salesforce_errors(body: Any) -> list[SalesforceError]:
    """What can be read of errors; nothing, if they are none."""
    rows = [one for one in body if isinstance(one, dict)] if isinstance(body, list) else []
    return [_adapter(SalesforceError).validate_python(one) for one in rows]


class Saved(TypedDict, total=False):
    """What became of one row of a collection."""

    success: Required[Truth]
    id: Text | None
    errors: Any


class StageValues(TypedDict):
    values: list[PicklistValue]


class UserInfo(TypedDict, total=False):
    user_id: Text | None


class SpokenVersion(TypedDict):
    version: Text


class Job(TypedDict):
    """A bulk job that was made."""

    id: Annotated[Text, Field(pattern=r"^\w+$")]


class JobState(TypedDict, total=False):
    """How far a bulk job is."""

    state: Required[Text]
    errorMessage: Words


class Made(TypedDict):
    id: Text


class FieldGrant(TypedDict):
    Field: Text
    PermissionsEdit: Truth


class FieldGrantRows(TypedDict, total=False):
    records: list[FieldGrant] | None


class Assignment(TypedDict):
    AssigneeId: Text


class AssignmentRows(TypedDict, total=False):
    records: list[Assignment] | None


class GrantRow(TypedDict, total=False):
    """A permission set, with what it grants and to whom."""

    Id: Required[Text]
    FieldPerms: FieldGrantRows | None
    Assignments: AssignmentRows | None
