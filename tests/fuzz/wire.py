"""What can happen to an answer on its way? A transport that bends some answers of a sandbox, and counts the calls.

A bend is plain data, so that Hypothesis can make it smaller, and a test can keep one that once did harm:

| bend      | the answer is                                                                                    |
|-----------|--------------------------------------------------------------------------------------------------|
| `Put`     | the same JSON with something else at one place, or without it                                    |
| `Lists`   | the same with a list turned round, doubled, cut, or emptied                                      |
| `Body`    | other bytes altogether, perhaps under another status and content type: pages, lists of errors    |
| `Header`  | the same with an odd header                                                                      |
| `Forever` | the same, and there is always one page more                                                      |
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests
from engine.lab import FatefulAdapter, Lab
from hypothesis import strategies as st
from requests.adapters import BaseAdapter

from connector.core.model import Side
from connector.sandbox.transport import SandboxAdapter
from connector.sandbox.wire import Response

MOST_CALLS = 400
"""A run between two labs takes a few dozen."""
GONE = object()
"""Not null, not blank: not there."""

JSON = {"Content-Type": "application/json"}
PAGE = {"Content-Type": "text/html"}
ERRORS = b'[{"errorCode":"UNKNOWN_EXCEPTION","message":"An unexpected error occurred","fields":[]}]'
TROUBLE = b'{"status":"error","category":"VALIDATION_ERROR","message":"no","errors":[{"message":1}]}'


class Endless(BaseException):
    """A run has made more calls than any run has to make."""


@dataclass(frozen=True)
class Put:
    """At the place of this number, whichever that is, counted through the JSON."""

    place: int
    value: Any = GONE

    def bend(self, status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        told = _load(body)
        places = list(_places(told))
        if not places:
            return status, headers, body
        inside, key = places[self.place % len(places)]
        if self.value is not GONE:
            inside[key] = copy.deepcopy(self.value)
        else:
            del inside[key]
        return status, headers, orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS)


@dataclass(frozen=True)
class Lists:
    place: int
    how: str

    def bend(self, status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        told = _load(body)
        lists = [inside[key] for inside, key in _places(told) if isinstance(inside[key], list)]
        if isinstance(told, list):
            lists.append(told)
        if lists:
            one = lists[self.place % len(lists)]
            one[:] = {"reversed": one[::-1], "doubled": one + one, "cut": one[:-1], "emptied": []}[self.how]
        return status, headers, orjson.dumps(told) if told is not None else body


@dataclass(frozen=True)
class Body:
    body: bytes
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = tuple(JSON.items())
    cut: int | None = None
    """If given, the first so many thousandths of the true answer, and not `body`."""

    def bend(self, status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        sent = self.body if self.cut is None else body[: len(body) * self.cut // 1000]
        return self.status or status, {**headers, **dict(self.headers)}, sent


@dataclass(frozen=True)
class Header:
    name: str
    value: str
    status: int | None = None

    def bend(self, status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        return self.status or status, {**headers, self.name: self.value}, body


@dataclass
class Forever:
    """`fresh`: the mark of the next page is another one each time."""

    fresh: bool
    count: int = field(default=0, compare=False, repr=False)
    rows: list[Any] = field(default_factory=list, compare=False, repr=False)

    def bend(self, status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        told = _load(body)
        self.count += 1
        mark = str(self.count) if self.fresh else "100"
        if status >= 400 and self.rows:  # the sandbox has no such page
            status, told = 200, {"records": self.rows, "done": False}
        for inside in [told, *(inside[key] for inside, key in _places(told))]:
            if not isinstance(inside, dict):
                continue
            if "records" in inside and "done" in inside:
                self.rows = inside["records"]
                inside |= {"done": False, "nextRecordsUrl": f"/services/data/v62.0/query/01g{mark}-2000"}
            if isinstance(inside.get("results"), list) or "to" in inside:
                inside["paging"] = {"next": {"after": mark}}
        return status, headers, orjson.dumps(told) if told is not None else body


Bend = Put | Lists | Body | Header | Forever


def _load(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return None


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in JSON, as what it is in and under which key."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in list(inner):
        yield value, key
        yield from _places(one)


class BentAdapter(BaseAdapter):
    """Bends the answer of this number, and those after it while `lasts`; counts all calls of both sides."""

    def __init__(self, inner: BaseAdapter, bending: Bending) -> None:
        super().__init__()
        self._inner, self._bending = inner, bending

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        response = self._inner.send(request, **kwargs)
        bending = self._bending
        bending.calls += 1
        if bending.calls > MOST_CALLS:
            raise Endless(f"{request.method} {request.url}")
        bend = bending.now()
        if bend is None:
            return response
        status, headers, body = bend.bend(response.status_code, dict(response.headers), response.content)
        answer = SandboxAdapter(lambda _: Response(status, body, headers))
        bending.bent.append(f"{request.method} {request.url} -> {body[:2000]!r}")
        return answer.send(request)

    def close(self) -> None:
        self._inner.close()


@dataclass
class Bending:
    """What is to be bent: the answer of number `first`, and `lasting` more."""

    bend: Bend | None
    first: int = 0
    lasting: int = 0
    calls: int = 0
    bent: list[str] = field(default_factory=list)

    def now(self) -> Bend | None:
        number = self.calls - 1
        return self.bend if self.first <= number <= self.first + self.lasting else None


class BentLab(Lab):
    """A lab whose line to both CRMs bends answers, while `bending` says so."""

    bending = Bending(None)

    def transport(self, side: Side) -> BaseAdapter:
        sandbox = self.salesforce if side is Side.SALESFORCE else self.hubspot
        return BentAdapter(FatefulAdapter(SandboxAdapter(sandbox), self.fate), self.bending)


ODD: tuple[Any, ...] = (
    None, True, False, -1, 0, 1.5, 10**18, 1e300, -1e300, 2**63 - 1, "", " ", "x", "0", "-1", "1e999", "²", "null",
    "2026-13-45T99:99:99Z", "2026-03-02", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 5_000,
    "a;b", "\x00", "é\u202e", "<b>", "0069999999999999AA", "123456789012", [], {}, [None], [[]], {"a": None},
    [1, "x"],
)  # fmt: skip
BODIES = (
    b"", b"null", b"[]", b"{}", b"0", b'"x"', b"true", b"NaN", b"{", b"[" * 5_000, b"\xff\xfe{}", b"\xef\xbb\xbf{}",
    b"1e999", b'{"a":"\\ud800"}', b"<html>", ERRORS, TROUBLE, b'[{"a":1}]', b'["x"]', b"[null]", b'{"errors":[1]}',
    b'{"results":[]}', b'{"records":[],"done":true}', b'{"compositeResponse":[]}', b"9" * 5_000,
    b'{"message":[],"errors":{"a":1},"context":3,"category":[]}', b'[{"errorCode":[],"message":{}}]',
)  # fmt: skip
STATUSES = (None, None, None, None, 200, 201, 204, 206, 207, 302, 400, 401, 403, 404, 409, 418, 429, 500, 503)
HEADERS = (
    ("Date", "Mon, 01 Jan 0001 00:00:00 +1400"), ("Date", "never"), ("Date", ""),
    ("Retry-After", "nan"), ("Retry-After", "-1"), ("Retry-After", "9" * 400), ("Retry-After", "Mon, 99 Foo"),
    ("Content-Type", ""), ("Content-Type", "application/json; charset=nothing"), ("Content-Type", "image/png"),
    ("Sforce-Limit-Info", "api-usage=x/y"), ("Sforce-Limit-Info", "api-usage=9/5"), ("Sforce-Limit-Info", ""),
    ("X-HubSpot-RateLimit-Daily", "²"), ("X-HubSpot-RateLimit-Daily-Remaining", "9" * 5_000),
    ("Location", "//elsewhere.test/"), ("Content-Encoding", "gzip"), ("Content-Length", "x"),
)  # fmt: skip


def bends() -> st.SearchStrategy[Bend]:
    place = st.integers(0, 2_000)
    types = st.sampled_from(
        (tuple(JSON.items()), tuple(JSON.items()), tuple(PAGE.items()), (("Content-Type", "text/plain"),))
    )
    return st.one_of(
        st.builds(Put, place, st.sampled_from((GONE, GONE, *ODD))),
        st.builds(Put, place, st.sampled_from(ODD)),
        st.builds(Lists, place, st.sampled_from(("reversed", "doubled", "cut", "emptied"))),
        st.builds(Body, st.sampled_from(BODIES), st.sampled_from(STATUSES), types),
        st.builds(Body, st.just(b""), st.none(), types, st.integers(0, 999)),
        st.builds(
            lambda pair, status: Header(*pair, status), st.sampled_from(HEADERS), st.sampled_from((None, 429, 503))
        ),
        st.builds(Forever, st.booleans()),
    )
