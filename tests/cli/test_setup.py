"""`check`: every mistake of a first evening gets a clear line, and no traceback."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from cli.conftest import Crms, Run, read_json

from connector.sandbox.server import serving
from connector.sandbox.wire import Response


def closed_port() -> str:
    """The address of a port of this machine at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


def find(told, name: str) -> dict[str, str]:
    """The one check of that name."""
    [found] = [one for one in told["checks"] if one["name"] == name]
    return found


def test_check_is_fine(connected: Run, crms: Crms) -> None:
    """All lines are ok, and neither CRM was written to."""
    before = crms.hubspot.latest_write() + crms.salesforce.latest_write()
    result = connected("check")
    assert result.exit_code == 0
    assert {line.split()[0] for line in result.stdout.splitlines() if line[0] != " "} == {"ok", "Ready"}
    assert "15 will be made by `connector setup` or the first sync" in " ".join(result.stdout.split())
    assert crms.hubspot.latest_write() + crms.salesforce.latest_write() == before


def test_check_after_a_sync(connected: Run) -> None:
    """What the first sync makes is then there."""
    connected("sync")
    assert find(read_json(connected("check", "--json")), "HubSpot own properties")["detail"] == "are there"


@pytest.mark.parametrize(
    ("variable", "name", "remedy"),
    [
        ("SALESFORCE_SESSION_ID", "Salesforce login", "check SALESFORCE_SESSION_ID"),
        ("HUBSPOT_ACCESS_TOKEN", "HubSpot token", "check HUBSPOT_ACCESS_TOKEN"),
    ],
)
def test_wrong_token(connected: Run, variable: str, name: str, remedy: str) -> None:
    """A token that is refused: exit code 4, the variable by name, and the other side is looked at all the same."""
    result = connected("check", "--json", **{variable: "wrong-secret"})
    told = read_json(result)
    assert result.exit_code == 4
    assert told["status"] == "no connection"
    assert find(told, name)["state"] == "no connection"
    assert find(told, name)["remedy"].startswith(remedy)
    assert [one["state"] for one in told["checks"]].count("ok") > 4
    assert "wrong-secret" not in result.output


def test_wrong_password(connected: Run) -> None:
    """A user name and password that Salesforce refuses are told as a login, not as a crash."""
    result = connected(
        "check",
        SALESFORCE_SESSION_ID="",
        SALESFORCE_USERNAME="admin@example.com",
        SALESFORCE_PASSWORD="wrong-secret",
    )
    assert result.exit_code == 4
    assert "Salesforce refuses the login" in result.stdout
    assert "wrong-secret" not in result.output


@pytest.mark.parametrize(
    ("variable", "name"), [("SALESFORCE_INSTANCE_URL", "Salesforce login"), ("HUBSPOT_BASE_URL", "HubSpot token")]
)
def test_unreachable_host(connected: Run, variable: str, name: str) -> None:
    """A host that does not answer: exit code 4 within seconds, and the variable to look at."""
    began = time.monotonic()
    result = connected("check", "--json", **{variable: closed_port()})
    assert time.monotonic() - began < 10
    found = find(read_json(result), name)
    assert result.exit_code == 4
    assert "did not answer" in found["detail"]
    assert variable in found["remedy"]


@pytest.mark.parametrize("variable", ["SALESFORCE_INSTANCE_URL", "HUBSPOT_BASE_URL"])
def test_address_of_something_else(connected: Run, variable: str) -> None:
    """A web page where the API should be is told as such."""
    page = Response(200, b"<html>Welcome</html>", {"Content-Type": "text/html"})
    with serving(lambda _: page) as [address]:
        result = connected("check", **{variable: address})
    assert result.exit_code == 4
    assert f"check {variable}" in result.stdout


def test_unsafe_address(connected: Run) -> None:
    """Plain http to another machine is refused before anything is sent: exit code 2."""
    result = connected("check", "--json", HUBSPOT_BASE_URL="http://crm.example")
    assert result.exit_code == 2
    told = read_json(result)
    assert told["status"] == "bad configuration"
    assert "HUBSPOT_BASE_URL" in told["error"]["message"]


def test_missing_scope(connected: Run, crms: Crms) -> None:
    """Each scope that lacks is named: exit code 1."""
    held = crms.hubspot.ask("GET", "/_sandbox/scopes")
    crms.hubspot.ask("PUT", "/_sandbox/scopes", [one for one in held if one != "crm.schemas.deals.write"])
    result = connected("check", "--json")
    found = find(read_json(result), "HubSpot scopes")
    assert result.exit_code == 1
    assert (found["state"], found["detail"]) == ("problem", "the token lacks crm.schemas.deals.write")


def test_missing_rights_are_a_warning(connected: Run, crms: Crms) -> None:
    """What HubSpot's own integration demands is named, but nothing here needs it."""
    crms.salesforce.ask(
        "PUT",
        "/_sandbox/permissions",
        {"PermissionsModifyAllData": False, "PermissionsModifyMetadata": False},
    )
    result = connected("check", "--json")
    found = find(read_json(result), "Salesforce rights")
    assert result.exit_code == 0
    assert found["state"] == "warning"
    assert "Modify All Data nor Modify Metadata" in found["detail"]


def test_api_disabled(connected: Run, crms: Crms) -> None:
    """A user who may not use the API cannot connect at all."""
    crms.salesforce.ask("PUT", "/_sandbox/permissions", {"PermissionsApiEnabled": False})
    result = connected("check")
    assert result.exit_code == 4
    assert "API Enabled" in result.stdout


def test_object_out_of_sight(connected: Run, crms: Crms) -> None:
    """An object that the user cannot see is a problem, and the others are looked at."""
    crms.salesforce.ask("PUT", "/_sandbox/permissions", {"objects": {"Contact": {"read": False, "edit": False}}})
    result = connected("check", "--json")
    told = read_json(result)
    assert result.exit_code == 1
    assert find(told, "Salesforce Contact")["detail"] == "the user cannot see this object"
    assert find(told, "Salesforce Opportunity")["state"] == "ok"


def test_object_that_may_not_be_edited(connected: Run, crms: Crms) -> None:
    """It is told as a right of the object, once, and not as a fault of each field."""
    crms.salesforce.ask("PUT", "/_sandbox/permissions", {"objects": {"Account": {"read": True, "edit": False}}})
    found = find(read_json(connected("check", "--json")), "Salesforce Account")
    assert (found["state"], found["class"]) == ("problem", "permissions")
    assert found["detail"] == "the user may not edit accounts at all"
    assert "Object Settings, Accounts, Edit: tick Edit" in found["remedy"]


@pytest.mark.parametrize(
    ("old", "new", "name", "remedy"),
    [
        ("salesforce: Phone", "salesforce: Phoen", "Salesforce Account.Phoen", "did you mean `Phone`?"),
        ("hubspot: phone", "hubspot: phoen", "HubSpot companies.phoen", "did you mean `phone`?"),
    ],
)
def test_unknown_field(connected: Run, folder: Path, old: str, new: str, name: str, remedy: str) -> None:
    """A mapping that names what does not exist is told with the name that was probably meant."""
    connected("init")
    path = folder / "mappings" / "account-company.yaml"
    path.write_text(path.read_text().replace(old, new))
    result = connected("check", "--json")
    found = find(read_json(result), name)
    assert result.exit_code == 1
    assert found["state"] == "problem"
    assert found["remedy"].startswith(remedy)


def test_read_only_property(connected: Run, folder: Path) -> None:
    """A property that HubSpot computes cannot be the target of a rule."""
    connected("init")
    path = folder / "mappings" / "account-company.yaml"
    path.write_text(path.read_text().replace("hubspot: description", "hubspot: total_revenue"))
    result = connected("check", "--json")
    found = find(read_json(result), "HubSpot companies.total_revenue")
    assert result.exit_code == 1
    assert found["detail"] == "is read-only, but its rule prefer_salesforce_unless_blank writes it"


def test_missing_id_field(connected: Run) -> None:
    """Without the external id field the check names it and says how to add it."""
    result = connected("check", "--json", CONNECTOR__SALESFORCE__ID_FIELD="Nowhere__c")
    found = find(read_json(result), "Salesforce Opportunity.Nowhere__c")
    assert result.exit_code == 1
    assert found["detail"] == "is not there, so new HubSpot records wait"
    assert found["remedy"] == "`connector setup` makes it"


def test_id_field_that_is_not_unique(connected: Run) -> None:
    """A field that is there but is no external id would let records be created twice."""
    result = connected("check", "--json", CONNECTOR__SALESFORCE__ID_FIELD="NextStep")
    found = find(read_json(result), "Salesforce Opportunity.NextStep")
    assert result.exit_code == 1
    assert found["detail"] == "is not unique and not an external id"


def test_id_property_that_is_not_unique(connected: Run) -> None:
    """The same on the other side."""
    told = read_json(connected("check", "--json", CONNECTOR__HUBSPOT__ID_PROPERTY="description"))
    assert find(told, "HubSpot deals.description")["detail"] == "exists, but its values are not unique"


def test_pipeline_limit(connected: Run) -> None:
    """A record type for which there is no room is named."""
    result = connected("check", CONNECTOR__PIPELINES__LIMIT="3")
    assert result.exit_code == 1
    assert "has no pipeline: the limit of 3 is reached" in " ".join(result.stdout.split())


def test_few_calls_left(connected: Run, monkeypatch) -> None:
    """When API calls run short there is a warning, and still exit code 0."""
    monkeypatch.setattr("connector.engine.checks.both.FEW_CALLS", 20_000)
    result = connected("check", "--json")
    assert result.exit_code == 0
    assert find(read_json(result), "Salesforce API calls")["state"] == "warning"


def test_unusable_store(connected: Run) -> None:
    """A store that cannot be opened is a matter of configuration."""
    result = connected("check", CONNECTOR_STORE_URL="nonsense")
    assert result.exit_code == 2
    assert "CONNECTOR_STORE_URL" in result.stderr
