"""What goes wrong on order, the same for both sandboxes."""

import orjson
import pytest

from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.wire import Disconnected, Request, TimedOut


class Side:
    """One sandbox with a call that reads and a call that creates."""

    def __init__(self, sandbox, token, read, create):
        self.sandbox = sandbox
        self.headers = {"authorization": f"Bearer {token}"}
        self._read = read
        self._create = create

    def read(self):
        return self.sandbox(Request("GET", self._read, headers=self.headers))

    def create(self):
        path, body = self._create
        return self.sandbox(Request("POST", path, headers=self.headers, body=orjson.dumps(body)))

    def order(self, *faults, method="POST"):
        request = Request(method, "/_sandbox/faults", body=orjson.dumps(faults[0] if len(faults) == 1 else faults))
        response = self.sandbox(request)
        return response.status, orjson.loads(response.body)

    def made(self):
        body = orjson.loads(self.read().body)
        return len(body.get("records", body.get("results")))


@pytest.fixture(params=["salesforce", "hubspot"])
def side(request):
    if request.param == "salesforce":
        sandbox = SalesforceSandbox()
        return Side(
            sandbox, sandbox.session_id, "/services/data/v62.0/query",
            ("/services/data/v62.0/sobjects/Account", {"Name": "Acme"}),
        )  # fmt: skip
    sandbox = HubSpotSandbox()
    return Side(
        sandbox, sandbox.access_token, "/crm/v3/objects/companies",
        ("/crm/v3/objects/companies", {"properties": {"name": "Acme"}}),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _query(monkeypatch):
    """Salesforce's reading call needs a query."""
    original = Request.first

    def first(self, name, default=None):
        if name == "q" and self.path.endswith("/query"):
            return "SELECT Id FROM Account"
        return original(self, name, default)

    monkeypatch.setattr(Request, "first", first)


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_lost_connection_before_and_after_delivery(side, when, made):
    """The client sees the same; what differs is whether the request was carried out."""
    side.order({"kind": "disconnect", "when": when, "method": "POST"})
    with pytest.raises(Disconnected):
        side.create()
    assert side.made() == made


def test_silence(side):
    """No answer ever comes."""
    side.order({"kind": "timeout"})
    with pytest.raises(TimedOut):
        side.read()


@pytest.mark.parametrize("status", [401, 429, 500, 502, 503])
def test_a_status_has_the_vendors_body(side, status):
    """An error of the vendor's shape, or a gateway's page; `headers` are added."""
    side.order({"kind": "status", "status": status, "headers": {"Retry-After": "7"}})
    response = side.read()
    assert (response.status, response.headers["Retry-After"]) == (status, "7")
    if response.headers["Content-Type"].startswith("application/json"):
        body = orjson.loads(response.body)
        assert body[0]["errorCode"] if isinstance(body, list) else body["message"]
    else:
        assert response.body.startswith(b"<html>")


def test_a_cut_body(side):
    """The answer breaks off in the middle."""
    side.order({"kind": "cut", "times": 1})
    response = side.read()
    assert 0 < response.cut < len(response.body)
    assert side.read().cut is None


def test_garbage(side):
    """200, and not JSON."""
    side.order({"kind": "garbage"})
    response = side.read()
    assert response.status == 200
    with pytest.raises(ValueError, match="JSON"):
        orjson.loads(response.body)


def test_a_request_that_arrives_twice(side):
    """It is carried out twice, and answered once."""
    side.order({"kind": "duplicate", "method": "POST"})
    side.create()
    assert side.made() == 2


def test_the_nth_request(side):
    """Only that one, counted among the requests of the method and path."""
    side.order({"kind": "status", "status": 503, "nth": 2, "method": "POST"})
    side.read()
    assert [side.create().status // 100 for _ in range(3)] == [2, 5, 2]


def test_a_rate_follows_from_the_seed(side):
    """About one in four, and the same ones for the same seed."""
    fault = {"kind": "status", "status": 503, "rate": 0.25}
    side.order(fault)
    struck = [side.read().status == 503 for _ in range(200)]
    assert 25 < sum(struck) < 75
    again = type(side.sandbox)()
    twin = Side(again, side.headers["authorization"].removeprefix("Bearer "), side._read, side._create)
    twin.order(fault)
    assert [twin.read().status == 503 for _ in range(200)] == struck


def test_orders_are_told_and_ended(side):
    """GET says how often each has met and struck; DELETE ends all, and so does a reset."""
    side.order({"kind": "status", "status": 503, "nth": 1, "path": "nowhere"}, {"kind": "status", "status": 500})
    side.read()
    told = orjson.loads(side.sandbox(Request("GET", "/_sandbox/faults")).body)
    assert [(each["met"], each["struck"]) for each in told] == [(0, 0), (1, 1)]
    assert side.order({}, method="DELETE") == (200, [])
    assert side.read().status == 200
    side.order({"kind": "timeout"})
    side.sandbox.reset()
    assert side.read().status == 200


@pytest.mark.parametrize(
    "fault",
    [
        {}, [], 7, {"kind": "earthquake"}, {"kind": "status"}, {"kind": "cut", "status": 500},
        {"kind": "timeout", "when": "never"}, {"kind": "timeout", "rate": 2}, {"kind": "timeout", "nth": 0},
        {"kind": "timeout", "times": True}, {"kind": "timeout", "path": "("}, {"kind": "timeout", "colour": "red"},
        {"kind": "timeout", "headers": {"x": 1}},
    ],
)  # fmt: skip
def test_orders_that_make_no_sense(side, fault):
    """They are refused with a sentence, and none of a list is taken."""
    given = fault if fault != [] else [[]]
    status, body = side.order({"kind": "timeout"}, given)
    assert (status, list(body)) == (400, ["error"])
    assert side.sandbox.faults.orders == []
