"""`init`: files that fit, no secret, and nothing of yours overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from cli.conftest import Crms, Run, read_json
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from connector.cli.init import FirstSync, SignIn
from connector.engine import drafts
from connector.settings import SyncSettings

CONFIG = "config/connector.yaml"
MAPPINGS = tuple(
    f"mappings/{name}.yaml" for name in ("account-company", "contact-contact", "contact-role", "opportunity-deal")
)
SCHEMAS = tuple(f".schemas/{name}.schema.json" for name in ("connector", "mapping", "contact-role"))
FILES = (CONFIG, *MAPPINGS, *SCHEMAS, "environment.example")


def states(told) -> dict[str, str]:
    return {one["path"]: one["state"] for one in told["files"]}


def test_init_writes_files_that_are_valid(connected: Run, folder: Path) -> None:
    """The files are there, and a check finds nothing wrong with them."""
    result = connected("init")
    assert result.exit_code == 0
    assert all((folder / name).is_file() for name in FILES)
    assert "Fitted to what Salesforce and HubSpot have now" in result.stdout
    assert connected("check").exit_code == 0


def test_an_editor_can_check_the_files(connected: Run, folder: Path) -> None:
    """The first line of each names a schema that is there, and the file fits it."""
    connected("init")
    for name in (CONFIG, *MAPPINGS):
        text = (folder / name).read_text()
        head = text.partition("\n")[0]
        assert head.startswith("# yaml-language-server: $schema=")
        schema = json.loads(((folder / name).parent / head.partition("=")[2]).read_text())
        assert list(Draft202012Validator(schema).iter_errors(YAML(typ="safe").load(text))) == []


def test_offline(connector: Run, folder: Path) -> None:
    """Without credentials the files are as shipped, and the variables to set are named; nobody is asked."""
    told = read_json(connector("init", "--json"))
    assert told["status"] == "done"
    assert told["read"] == []
    assert told["variables"][0] == {"name": "SALESFORCE_INSTANCE_URL", "set": False}
    assert {one["name"] for one in told["variables"]} >= {"SALESFORCE_CONSUMER_SECRET", "HUBSPOT_ACCESS_TOKEN"}
    assert states(told) == dict.fromkeys(FILES, "written")
    assert "Once the variables below are set" in connector("init", "--offline", "--force").stdout


def test_no_secret_is_written(connected: Run, crms: Crms, folder: Path) -> None:
    """Neither the token nor the session of the environment stands in any file."""
    connected("init", "--sign-in", "session")
    written = "".join(path.read_text() for path in folder.rglob("*") if path.is_file() and path.suffix != ".db")
    assert "export SALESFORCE_SESSION_ID=\n" in written
    assert crms.environment["SALESFORCE_SESSION_ID"] not in written
    assert crms.environment["HUBSPOT_ACCESS_TOKEN"] not in written


def test_what_was_changed_is_kept(connector: Run, folder: Path) -> None:
    """A file of one's own stays, is told, and goes by `--force` only."""
    connector("init")
    own = folder / CONFIG
    own.write_text("connection: mine\n")
    result = connector("init")
    assert result.exit_code == 0
    assert "kept config/connector.yaml" in result.stdout
    assert "kept: 1 file with changes of yours" in result.stdout
    assert own.read_text() == "connection: mine\n"
    assert states(read_json(connector("init", "--force", "--json")))[CONFIG] == "overwritten"
    assert own.read_text() != "connection: mine\n"


def test_a_file_that_was_there_before_is_kept(connector: Run, folder: Path) -> None:
    """Also one that no `init` has written."""
    own = folder / CONFIG
    own.parent.mkdir()
    own.write_text("connection: mine\n")
    assert states(read_json(connector("init", "--json")))[CONFIG] == "kept"
    assert own.read_text() == "connection: mine\n"


def test_it_is_run_again_once_there_are_credentials(connector: Run, connected: Run, folder: Path) -> None:
    """What nobody has changed is fitted to both CRMs; what was decided before still holds."""
    connector("init", "--time-zone", "Europe/Berlin", "--no-contacts", "--pipeline-names")
    told = states(read_json(connected("init", "--json")))
    assert told["mappings/opportunity-deal.yaml"] == told[CONFIG] == "updated"
    assert told["mappings/account-company.yaml"] == "unchanged"
    settings = YAML(typ="safe").load((folder / CONFIG).read_text())
    assert settings["time_zone"] == "Europe/Berlin"
    assert settings["sync"]["contacts"] is False
    assert settings["pipelines"]["label"] == "Salesforce - {record_type.name}"
    assert read_json(connected("init", "--json"))["files"][0]["state"] == "unchanged"


def test_it_fits_what_the_org_has(connected: Run, crms: Crms, folder: Path) -> None:
    """A hidden field is left out with the reason; values, record types, pipelines, time zone are the live ones."""
    crms.salesforce.ask("PUT", "/_sandbox/permissions", {"fields": {"Account": {"Phone": {"read": False}}}})
    crms.hubspot.ask("PUT", "/_sandbox/settings", {"time_zone": "Europe/Berlin"})
    connected("init")
    account = (folder / "mappings/account-company.yaml").read_text()
    assert "Left out: Phone is hidden from the connector's user by field-level security." in account
    assert "  # - {salesforce: Phone, hubspot: phone}" in account
    deal = YAML(typ="safe").load((folder / "mappings/opportunity-deal.yaml").read_text())
    values = next(one["values"] for one in deal["fields"] if one["salesforce"] == "Type")
    assert values == {
        "Existing Customer - Upgrade": "existingbusiness",
        "Existing Customer - Replacement": "existingbusiness",
        "Existing Customer - Downgrade": "existingbusiness",
        "New Customer": "newbusiness",
    }
    config = (folder / CONFIG).read_text()
    record_type = crms.salesforce.query("SELECT Id, Name FROM RecordType")[0]
    assert f"  #   {record_type['Id']}  {record_type['Name']}" in config
    assert "  #   default  Sales Pipeline" in config
    assert "time_zone: Europe/Berlin" in config
    assert "# Roles: Business User, Decision Maker" in (folder / "mappings/contact-role.yaml").read_text()
    assert connected("check").exit_code == 0


def test_a_side_that_cannot_be_read(connected: Run, folder: Path) -> None:
    """The files are written all the same, fitted to the other side; the reason is told, and the exit code is 1."""
    result = connected("init", "--json", HUBSPOT_ACCESS_TOKEN="wrong-secret")
    told = read_json(result)
    assert (result.exit_code, told["status"], told["read"]) == (1, "problems", ["salesforce"])
    assert "HubSpot refuses the access token" in told["notes"][0]
    assert "wrong-secret" not in result.output
    assert (folder / CONFIG).is_file()


@pytest.mark.parametrize(
    ("flags", "where"),
    [
        (("--time-zone", "Mars/Olympus"), "--time-zone"),
        (("--salesforce-prefix", "no prefix"), "--salesforce-prefix"),
    ],
)
def test_an_answer_that_cannot_be_meant(connector: Run, folder: Path, flags, where) -> None:
    """It is told by the name of its flag, and nothing is written."""
    result = connector("init", "--json", *flags)
    assert result.exit_code == 2
    assert where in read_json(result)["error"]["message"]
    assert list(folder.iterdir()) == []


def test_prefixes_of_ones_own(connector: Run, folder: Path) -> None:
    """Two connections on one machine have variables of their own; settings, comments and the example agree."""
    connector("init", "--salesforce-prefix", "acme_sf", "--hubspot-prefix", "ACME_HS")
    settings = YAML(typ="safe").load((folder / CONFIG).read_text())
    assert settings["salesforce"]["environment"] == "ACME_SF"
    assert settings["hubspot"]["environment"] == "ACME_HS"
    assert "# ACME_SF_INSTANCE_URL, ACME_SF_SESSION_ID" in (folder / CONFIG).read_text()
    assert "export ACME_HS_ACCESS_TOKEN=\n" in (folder / "environment.example").read_text()


def test_questions_on_a_terminal(connector: Run, folder: Path, monkeypatch) -> None:
    """Each that no flag answers is asked, with what was decided before as the default."""
    monkeypatch.setattr("connector.cli.init.is_terminal", lambda: True)
    answers = "https://acme.my.salesforce.com\nmagic\npassword\nEurope/Paris\n\n\nn\n\n"
    result = connector("init", "--first-sync", "triggers_only", input=answers)
    assert result.exit_code == 0, result.output
    assert "say one of client-credentials, password, session" in result.output
    assert "What a first sync does" not in result.stdout
    settings = YAML(typ="safe").load((folder / CONFIG).read_text())
    assert settings["time_zone"] == "Europe/Paris"
    assert settings["sync"] == {"companies": True, "contacts": True, "deals": False, "first_sync": "triggers_only"}
    assert "https://acme.my.salesforce.com" in (folder / "environment.example").read_text()
    again = connector("init", input="\n" * 9)
    assert "[Europe/Paris]" in again.stdout
    assert YAML(typ="safe").load((folder / CONFIG).read_text()) == settings


def test_a_note_that_was_spoilt(connector: Run, folder: Path) -> None:
    """What `init` had noted is no longer readable: it begins anew, and keeps the files."""
    connector("init")
    for spoilt in ("nonsense", "[]", '{"answers": {"deals": "maybe", "sign_in": "magic"}, "files": {}}'):
        (folder / ".schemas/init.json").write_text(spoilt)
        assert connector("init").exit_code == 0
    assert (folder / CONFIG).is_file()


def test_init_where_nobody_may_write(connector: Run, folder: Path) -> None:
    """A folder that cannot be made is told, with its name, and no file is written beside it."""
    (folder / "mappings").write_text("in the way")
    result = connector("init")
    assert result.exit_code == 2
    assert "mappings" in result.stderr
    assert "choose a folder that you may write to" in result.stderr
    assert not (folder / CONFIG).exists()


def test_the_choices_are_those_of_the_engine() -> None:
    """What the command line offers, and what the files can say, is the same."""
    assert {one.value for one in SignIn} == {one.value for one in drafts.SignIn}
    assert {one.value for one in FirstSync} == set(get_args(SyncSettings.model_fields["first_sync"].annotation))
