"""Several calls in one: `/composite`, whose parts may refer to earlier ones, and `/composite/batch`.

| | parts | counted as | a part that fails |
|---|---|---|---|
| `/composite` | 25, 5 of them queries or collections | one call | halts the parts that refer to it |
| `/composite/batch` | 25 | one call each | halts the rest with `haltOnError` |

A composite of more parts is answered as clients have seen it: by one result of no part.

Source: Salesforce REST API Developer Guide, "Composite" and "Batch".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from connector.sandbox.salesforce.api.calls import Call, entries, flag, refused, too_many_operations
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.wire import Request, Response

MAX_PARTS = 25
MAX_HEAVY_PARTS = 5
FIRST_VERSION_WITH_CHECKED_IDS = 52.0

_REFERENCE_ID = re.compile(r"[A-Za-z0-9_]+")
_REFERENCE = re.compile(r"@\{\s*([A-Za-z0-9_]+)((?:\.\w+|\[\d+\])*)\s*\}")
_STEP = re.compile(r"\.(\w+)|\[(\d{1,9})\]")
_SUPPORTED = re.compile(r"/services/data/v\d+\.\d/(sobjects(/.*)?|query(All)?(/.*)?|composite/sobjects(/.*)?)/?")
_HEAVY = re.compile(r"/services/data/v\d+\.\d/(query|queryAll|composite/sobjects)(/.*)?")
_HALTED = "The transaction was rolled back since another operation in the same transaction failed."


class _BadReferenceError(Exception):
    """A reference to something that is not in the answer it points to."""

    def __init__(self, reference: str, path: str) -> None:
        super().__init__(f"{reference}{path}")
        self._reference = reference

    def tell(self, version: float) -> str:
        """In the words of a version: later ones also take the whole for a reference id, and say what it lacks."""
        found = f"Invalid reference specified. No value for {self} found in {self._reference}."
        if version < FIRST_VERSION_WITH_CHECKED_IDS:
            return found
        return (
            f"{found} Provided referenceId ('{self}') must start with a letter or a number, and it can contain only"
            " letters, numbers and underscores ('_')."
        )


def composite(call: Call) -> Response:
    body = call.object_body()
    parts = entries(body, "compositeRequest")
    if len(parts) > MAX_PARTS:
        return Response.json({"compositeResponse": [_result(None, refused(too_many_operations(MAX_PARTS)))]})
    check_parts(parts)
    answers: dict[str, Any] = {}
    results = []
    with call.org.store.transaction() as transaction:
        for part in parts:
            result = answer_part(call, part, answers)
            answers[part["referenceId"]] = result["body"]
            results.append(result)
        if flag(body, "allOrNone") and any(result["httpStatusCode"] >= 300 for result in results):
            transaction.roll_back()
            results = [halt(result) if result["httpStatusCode"] < 300 else result for result in results]
    return Response.json({"compositeResponse": results})


def batch(call: Call) -> Response:
    body = call.object_body()
    halt = flag(body, "haltOnError")
    results: list[dict[str, Any]] = []
    failed = False
    parts = entries(body, "batchRequests")
    if len(parts) > MAX_PARTS:
        raise too_many_operations(MAX_PARTS)
    for part in parts:
        if failed and halt:
            error = ApiError("BATCH_PROCESSING_HALTED", "Batch processing halted per request")
            results.append({"statusCode": 412, "result": error.body()})
            continue
        url, method = part.get("url"), part.get("method")
        if not isinstance(url, str) or not isinstance(method, str):
            raise ApiError("INVALID_INPUT", "each batch request needs a method and a url")
        request = _request(call, method, "/services/data/" + url.removeprefix("/services/data/").lstrip("/"),
                           part.get("richInput"))  # fmt: skip
        call.org.count("composite/batch")
        response = call.respond(call.org, request)
        failed = failed or response.status >= 300
        results.append({"statusCode": response.status, "result": _body(response)})
    return Response.json({"hasErrors": failed, "results": results})


def check_parts(parts: list[Mapping[str, Any]]) -> None:
    """Raises INVALID_INPUT for parts that are none, lack what each needs, or are named alike."""
    if not parts:
        raise ApiError("INVALID_INPUT", "compositeRequest needs at least one subrequest")
    seen: set[str] = set()
    for part in parts:
        reference = part.get("referenceId")
        if not isinstance(reference, str) or not _REFERENCE_ID.fullmatch(reference):
            message = f"The referenceId is missing or has other characters than letters, digits and _: {reference}"
            raise ApiError("INVALID_INPUT", message)
        if reference in seen:
            raise ApiError("INVALID_INPUT", f"The referenceId is used more than once: {reference}")
        seen.add(reference)
        if not isinstance(part.get("url"), str) or not isinstance(part.get("method"), str):
            raise ApiError("INVALID_INPUT", f"The subrequest needs a method and a url: {reference}")
    if sum(bool(_HEAVY.fullmatch(part["url"].partition("?")[0])) for part in parts) > MAX_HEAVY_PARTS:
        message = f"Cannot have more than {MAX_HEAVY_PARTS} query or sObject Collections subrequests"
        raise ApiError("INVALID_INPUT", message)


def answer_part(call: Call, part: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The result of one part; `answers` are the bodies of the parts before it, by reference id."""
    reference = part["referenceId"]
    try:
        url, body = _filled(part["url"], answers), _filled(part.get("body"), answers)
    except _BadReferenceError as error:
        return _result(reference, refused(ApiError("PROCESSING_HALTED", error.tell(float(call.version)))))
    if not _SUPPORTED.fullmatch(url.partition("?")[0]):
        return _result(reference, refused(ApiError("INVALID_INPUT", f"The url is not supported here: {url}")))
    request = _request(call, part["method"], url, body, part.get("httpHeaders"))
    return _result(reference, call.respond(call.org, request))


def _result(reference: str | None, response: Response) -> dict[str, Any]:
    headers = {name: value for name, value in response.headers.items() if name == "Location"}
    return {
        "body": _body(response), "httpHeaders": headers, "httpStatusCode": response.status,
        "referenceId": reference,
    }  # fmt: skip


def halt(result: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the place of a result that another part's failure has undone."""
    body = ApiError("PROCESSING_HALTED", _HALTED).body()
    return {**result, "body": body, "httpHeaders": {}, "httpStatusCode": 400}


def _request(call: Call, method: str, url: str, body: Any, headers: Any = None) -> Request:
    own = {name: str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
    content = b"" if body is None else orjson.dumps(body)
    return Request.make(method, call.request.origin + url, own, content)


def _body(response: Response) -> Any:
    return orjson.loads(response.body) if response.body else None


def references(part: Mapping[str, Any]) -> set[str]:
    """The reference ids that a part's url and body name."""
    return set(re.findall(r"@\{\s*([A-Za-z0-9_]+)", orjson.dumps([part.get("url"), part.get("body")]).decode()))


def _filled(value: Any, answers: Mapping[str, Any]) -> Any:
    """A url or body with every `@{reference.path[0].name}` replaced by what it points to."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _look_up(match, answers), value)
    if isinstance(value, list):
        return [_filled(each, answers) for each in value]
    if isinstance(value, dict):
        return {name: _filled(each, answers) for name, each in value.items()}
    return value


def _look_up(match: re.Match[str], answers: Mapping[str, Any]) -> str:
    reference, path = match[1], match[2]
    value = answers.get(reference)
    for name, index in _STEP.findall(path):
        if name and isinstance(value, dict):
            value = value.get(name)
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            value = None
    if value is None or isinstance(value, dict | list):
        raise _BadReferenceError(reference, path)
    return str(value).lower() if isinstance(value, bool) else str(value)
