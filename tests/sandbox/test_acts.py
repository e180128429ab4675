"""The administrator's side entrance of both sandboxes: what there is to do, and how it is refused."""

import re
from dataclasses import fields
from pathlib import Path

import orjson
import pytest

import connector.sandbox
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.hubspot.settings import Settings as HubSpotSettings
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.salesforce.bulk.jobs import BulkSettings
from connector.sandbox.salesforce.settings import Settings as SalesforceSettings
from connector.sandbox.wire import Request

README = Path(connector.sandbox.__file__).with_name("README.md").read_text()


def ask(sandbox, method, act, body=b""):
    """Status and JSON of an act."""
    answer = sandbox(Request(method, f"/_sandbox/{act}", body=body))
    return answer.status, orjson.loads(answer.body) if answer.body else None


def read_table(heading):
    """The rows of the README's table whose header begins so, as cells."""
    rows = README.partition(heading)[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.fixture(params=[SalesforceSandbox, HubSpotSandbox])
def sandbox(request):
    return request.param()


@pytest.mark.parametrize("path", ["/_sandbox", "/_sandbox/"])
def test_the_acts_are_listed(sandbox, path):
    """With or without a slash, the entrance tells every act and its methods."""
    listed = orjson.loads(sandbox(Request("GET", path)).body)
    assert listed["clock"] == ["GET", "POST"]
    assert listed["settings"] == ["GET", "PUT"]
    assert listed["faults"] == ["GET", "POST", "DELETE"]


def test_every_listed_act_is_there(sandbox):
    """No method that is listed is refused as unknown, and each that is not listed is."""
    for act, methods in ask(sandbox, "GET", "")[1].items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            status, body = ask(sandbox, method, act, b"5")
            assert (status == 405) == (method not in methods), f"{method} {act}"
            assert status != 404, f"{method} {act}"
            assert status != 405 or body == {"error": f"{act} takes {' or '.join(methods)}, not {method}"}


def test_an_unknown_act_says_where_the_list_is(sandbox):
    """Somebody who errs finds the way on."""
    assert ask(sandbox, "POST", "clocks") == (
        404, {"error": "there is no POST /_sandbox/clocks; GET /_sandbox/ lists what there is"},
    )  # fmt: skip


def test_what_is_not_json_is_called_so(sandbox):
    """Whatever act takes a body, the refusal of a broken one begins in the same words."""
    for act, methods in ask(sandbox, "GET", "")[1].items():
        for method in {"POST", "PUT"} & set(methods):
            status, body = ask(sandbox, method, act, b'{"a"')
            assert status in {204, 400}, f"{method} {act}"
            assert status == 204 or body["error"].startswith("the body is not JSON: "), f"{method} {act}"


def test_the_readme_tells_every_act():
    """The README's table has the acts of both sandboxes, with their methods, and no others."""
    told: dict[str, dict[str, set[str]]] = {"Salesforce": {}, "HubSpot": {}}
    for act, side, takes in read_table("| act | side |"):
        for one in told if side == "both" else [side]:
            told[one][act.strip("`")] = set(re.findall(r"\b(GET|POST|PUT|DELETE)\b", takes))
    for side, sandbox in (("Salesforce", SalesforceSandbox()), ("HubSpot", HubSpotSandbox())):
        assert told[side] == {act: set(methods) for act, methods in ask(sandbox, "GET", "")[1].items()}


@pytest.mark.parametrize(("side", "make"), [("Salesforce", SalesforceSandbox), ("HubSpot", HubSpotSandbox)])
def test_what_the_readme_sends_is_taken(side, make):
    """Every body in the table of acts is understood, but for those that name records of one's own."""
    sandbox = make()
    sent = 0
    for act, whose, takes in read_table("| act | side |"):
        method = "POST" if "POST" in takes else "PUT"
        bodies = [
            text for text in re.findall(r"`([\[{].*?)`", takes) if "…" not in text and whose in {side, "both"}
        ]
        for body in bodies:
            assert ask(sandbox, method, act.strip("`"), body.encode())[0] < 300, f"{method} {act} {body}"
        sent += len(bodies)
    assert sent > 7


def test_the_readme_tells_every_switch():
    """The README's table has the settings of both sides and of the Bulk APIs, with their defaults."""
    told = {(side, name.strip("`")): default for name, side, default, _ in read_table("| switch | side |")}
    kinds = {"Salesforce": SalesforceSettings, "Salesforce `bulk`": BulkSettings, "HubSpot": HubSpotSettings}
    assert told == {
        (side, item.name): f"`{orjson.dumps(getattr(kind(), item.name)).decode()}`"
        for side, kind in kinds.items()
        for item in fields(kind)
    }
