"""No secret gets out: each is looked for in all that a noisy, failing connector prints, writes, keeps and raises.

Both CRMs answer with what they were sent, the header that signs in among it, in every form and in every place in
which an answer may hold a word; the log is at its most talkative; and in the end the connector itself breaks.
"""

from __future__ import annotations

import base64
import json
import logging
import sys
from unittest.mock import patch
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
import requests
from cli.conftest import read_json
from typer.testing import CliRunner

from connector.__main__ import FAULT, main
from connector.cli.app import app
from connector.cli.printing import terminal
from connector.core.model import Side
from connector.engine import connect as connecting
from connector.engine import live
from connector.sandbox.demo import load_demo
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.transport import SandboxAdapter
from connector.sandbox.wire import Disconnected, Response
from connector.secrecy import HIDDEN

PROXY_PASSWORD = "canary/proxy:pass@word"
WAYS = {
    "token": ("consumer_key", "consumer_secret"),
    "password": ("consumer_key", "consumer_secret", "username", "password"),
    "soap": ("username", "password", "security_token"),
}
SECRET = {"consumer_key", "consumer_secret", "password", "security_token"}
SIGN_IN = ("/services/oauth2/token", "/services/Soap/")


def forms_of(secret):
    """How a secret may look, by means other than the connector's own."""
    raw = secret.encode()
    yield from (raw, quote(secret, safe="").encode(), quote_plus(secret).encode(), escape(secret).encode())
    yield json.dumps(secret)[1:-1].encode()
    for before in (b"", b"x", b"xy"):
        yield base64.b64encode(before + raw)[4:-4]


def echo_of(request):
    """All that a request holds, in every form, as one text."""
    header, body = request.headers.get("authorization", ""), request.body.decode()
    texts = [f"{header} {header.partition(' ')[2]} {body}"]
    texts += [quote(text) for text in texts] + [quote_plus(text) for text in texts]
    texts += [base64.b64encode(before + header.encode()).decode() for before in (b"", b"x", b"xy")]
    return " ".join(texts)


class Echoing:
    """A sandbox that answers as it should, or with what it was sent; whatever session it opens is remembered."""

    def __init__(self, sandbox, side):
        self.sandbox, self.side, self.mode, self.opened = sandbox, side, "", set()

    def __call__(self, request):
        signs_in = request.path.startswith(SIGN_IN)
        if not self.mode or (signs_in and not self.mode.endswith("sign-in")):
            answer = self.sandbox(request)
            if signs_in and answer.status == 200:
                self.opened |= set(_tokens_in(answer.body.decode()))
            return answer
        return self._echo(request, echo_of(request))

    def _echo(self, request, text):
        match self.mode.split():
            case ["status", status, *_]:
                return Response.json(self._error(text), int(status))
            case ["text", status, *_]:
                return Response(int(status), text.encode(), {"Content-Type": "text/plain"})
            case ["page", *_]:
                return Response(200, f"<p>{text}</p>".encode(), {"Content-Type": "text/html"})
            case ["redirect"]:
                return Response(307, b"", {"Location": f"https://evil.example/{quote(text)}"})
            case ["rows"]:
                return self._refuse_rows(request, text)
            case _:
                raise Disconnected

    def _error(self, text):
        if self.side is Side.SALESFORCE:
            return [{"errorCode": "SOMETHING", "message": text, "fields": [text]}]
        return {"status": "error", "message": text, "category": "VALIDATION_ERROR", "errors": [{"message": text}]}

    def _refuse_rows(self, request, text):
        """Writes are refused row by row, in answers that are none themselves."""
        answer = self.sandbox(request) if request.method == "GET" or "read" in request.path else None
        if answer is not None or "/search" in request.path:
            return answer or self.sandbox(request)
        if self.side is Side.HUBSPOT:
            inputs = (request.json() or {}).get("inputs") or [{}]
            told = [
                {"message": text, "category": "X", "context": {"objectWriteTraceId": [one["objectWriteTraceId"]]}}
                for one in inputs
                if "objectWriteTraceId" in one
            ]
            return Response.json({"status": "COMPLETE", "results": [], "errors": told}, 207)
        parts = (request.json() or {}).get("compositeRequest") or []
        if all(part["method"] == "GET" for part in parts):
            return self.sandbox(request)
        errors = [{"statusCode": "X", "message": text, "fields": []}]
        told = [
            {
                "referenceId": part["referenceId"],
                "httpStatusCode": 200,
                "body": [{"success": False, "errors": errors} for _ in (part.get("body") or {}).get("records", ())],
            }
            for part in parts
        ]
        return Response.json({"compositeResponse": told})


def _tokens_in(body):
    if body.startswith("{"):
        yield json.loads(body)["access_token"]
    elif "<sessionId>" in body:
        yield body.partition("<sessionId>")[2].partition("<")[0]


class Crowd:
    """A folder, both CRMs, and all that was ever told."""

    def __init__(self, folder, way):
        self.folder = folder
        self.salesforce, self.hubspot = SalesforceSandbox(), HubSpotSandbox()
        load_demo(self.salesforce, self.hubspot, self.salesforce.session_id, self.hubspot.access_token, accounts=1)
        self.echoing = {
            Side.SALESFORCE: Echoing(self.salesforce, Side.SALESFORCE),
            Side.HUBSPOT: Echoing(self.hubspot, Side.HUBSPOT),
        }
        given = {name: getattr(self.salesforce, name) for name in WAYS[way]}
        self.secrets = {value for name, value in given.items() if name in SECRET}
        self.secrets |= {self.hubspot.access_token, PROXY_PASSWORD}
        self.environment = {
            "SALESFORCE_INSTANCE_URL": "https://acme.my.salesforce.com",
            **{f"SALESFORCE_{name.upper()}": value for name, value in given.items()},
            "HUBSPOT_ACCESS_TOKEN": self.hubspot.access_token,
            "CONNECTOR__NETWORK__PROXY": f"http://me:{quote(PROXY_PASSWORD, safe='')}@127.0.0.1:9",
            "CONNECTOR__HUBSPOT__SEARCHES_PER_SECOND": "0",
            "CONNECTOR__HUBSPOT__WORKERS": "1",
        }
        self.told = []
        self.codes = []

    @property
    def transports(self):
        return {side: SandboxAdapter(one) for side, one in self.echoing.items()}

    def run(self, *args):
        result = CliRunner().invoke(app, args, prog_name="connector", env=self.environment, catch_exceptions=False)
        self.codes.append(result.exit_code)
        self.told.append(result.output.encode())
        return result

    def set_mode(self, mode):
        for one in self.echoing.values():
            one.mode = mode

    def search(self, *more):
        """Each secret, in each form, in all that was told and lies in the folder, with its surroundings."""
        secrets = self.secrets | set().union(*(one.opened for one in self.echoing.values()))
        forms = {form for secret in secrets for form in forms_of(secret)}
        texts = [*self.told, *(one.encode() for one in more)]
        texts += [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]
        return {
            text[max(place - 60, 0) : place + 60]
            for text in texts
            for form in forms
            if (place := text.find(form)) >= 0
        }


@pytest.fixture
def crowd(folder, monkeypatch, caplog, request):
    """Nobody waits, and everything is logged."""
    caplog.set_level(logging.DEBUG)
    crowd = Crowd(folder, request.param)
    connect = connecting.connect

    def swift(*args, **given):
        return connect(*args, **{**given, "transports": crowd.transports, "sleep": lambda _: None})

    monkeypatch.setattr(connecting, "connect", swift)
    monkeypatch.setattr(live, "connect", swift)
    errors = []
    before = terminal.print_stop
    monkeypatch.setattr(terminal, "print_stop", lambda error: (errors.append(error), before(error))[1])
    crowd.errors = errors
    return crowd


def chains_of(errors):
    """All that an error and those behind it say of themselves, whether they are shown or not."""
    for error in errors:
        while error is not None:
            yield f"{error} {error!r} {error.args!r}"
            error = error.__cause__ or error.__context__  # noqa: PLW2901  # the next of the chain


NOISE = {
    "status 400": ("check",),
    "status 401": ("sync",),
    "status 403": ("plan", "--json"),
    "status 404": ("setup", "--dry-run"),
    "status 500": ("audit", "--json"),
    "text 200": ("check", "--json"),
    "text 502": ("backfill", "--json"),
    "page": ("plan",),
    "redirect": ("import", "accounts", "--json"),
    "disconnect": ("mappings", "validate", "--live"),
    "status 400 sign-in": ("sync", "--json"),
    "text 200 sign-in": ("check",),
    "page sign-in": ("setup", "--yes", "--json"),
}
"""What both CRMs answer, and what is run meanwhile: none of it comes to an end."""


@pytest.mark.parametrize("crowd", ["token"], indirect=True)
def test_no_secret_gets_out(crowd, caplog):
    """Not of a CRM's, a session's or a proxy's, by whichever way one signs in and whatever goes wrong."""
    crowd.run("init", "--yes")
    crowd.run("check", "--json")
    crowd.run("setup", "--yes")
    crowd.run("plan", "--out", "plan.html")
    crowd.set_mode("rows")
    crowd.run("sync")
    assert crowd.codes[-1] == 1, "rows were refused"
    crowd.run("problems", "list")
    problems = read_json(crowd.run("problems", "list", "--json"))["problems"]
    assert any(HIDDEN in str(one) for one in problems), "what CRMs say of a row is kept, but for that"
    crowd.run("import", "accounts", "--report", "report.csv")
    crowd.set_mode("")
    crowd.run("sync", "--json")
    for mode, command in NOISE.items():
        crowd.set_mode(mode)
        crowd.run(*command)
        crowd.set_mode("")
        crowd.run("resume")
    assert crowd.codes[-2 * len(NOISE) :: 2] == [4] * len(NOISE)
    for command in (("init", "--yes", "--json"), ("status",), ("runs", "--json"), ("explain", "deal:1"), ("sync",)):
        crowd.run(*command)
    assert crowd.errors
    assert crowd.search(caplog.text, *chains_of(crowd.errors)) == set()


@pytest.mark.parametrize("crowd", ["password", "soap"], indirect=True)
def test_no_secret_gets_out_of_a_sign_in(crowd, caplog):
    """By the ways in that are left: refused, answered with a page, let in and refused later."""
    for mode in ("status 400 sign-in", "text 200 sign-in", "", "status 401", "status 400"):
        crowd.set_mode(mode)
        crowd.run("check")
        crowd.run("plan", "--json")
    assert crowd.codes.count(4) > 5
    assert crowd.search(caplog.text, *chains_of(crowd.errors)) == set()


@pytest.mark.parametrize("crowd", ["token", "soap"], indirect=True)
def test_no_secret_gets_out_of_a_fault(crowd, caplog, capsys, monkeypatch):
    """An error that nobody foresaw, with a request in its hands: told with its traceback, and without secrets."""
    held = []

    def break_down(self, *_, **__):
        client = self._connect()
        secrets = [*crowd.secrets, client.session_id, *self._credentials.secrets, *client.headers.values()]
        held.append(client.session_id)
        raise KeyError(f"{secrets} {[quote(one) for one in secrets]} {client.headers}") from requests.HTTPError(
            f"{[base64.b64encode(one.encode()).decode() for one in secrets]}"
        )

    monkeypatch.setattr("connector.adapters.salesforce.Salesforce.changes", break_down)
    monkeypatch.setattr(sys, "argv", ["connector", "sync"])
    with patch.dict("os.environ", crowd.environment), pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == FAULT
    told = capsys.readouterr()
    assert "This is a fault of the connector (KeyError)" in told.err
    assert "break_down" in told.err
    crowd.secrets |= set(held)
    assert held
    assert crowd.search(told.out, told.err, caplog.text) == set()
