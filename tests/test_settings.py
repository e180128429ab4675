"""Settings and credentials: file, environment, and everything that can be wrong with them."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from connector.addresses import is_plain_loopback, is_safe_url
from connector.core.guard import DeletionLimit
from connector.core.lifecycle import LifecycleSettings
from connector.core.model import Side
from connector.core.pipelines import PipelineSettings
from connector.errors import BadConfiguration, Finding
from connector.settings import (
    Credentials,
    Settings,
    defaults_folder,
    load_credentials,
    load_mapping,
    load_settings,
    mapping_files,
)

CONFIG = Path("config/connector.yaml").resolve()


@pytest.fixture
def folder(tmp_path):
    """A working folder with an empty `config/`."""
    (tmp_path / "config").mkdir()
    return tmp_path


def write(folder, text):
    path = folder / "config" / "connector.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def findings_of(folder, environment=None):
    with pytest.raises(BadConfiguration) as caught:
        load_settings(environment or {}, folder)
    return caught.value.findings


# --- the file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "sync:\nhubspot:\n  # workers: 4\n"])
def test_everything_may_be_left_out(folder, text):
    """No file, an empty one, or sections whose every line is commented out: the defaults hold."""
    if text is not None:
        write(folder, text)
    assert load_settings({}, folder) == Settings()


def test_the_shipped_file_shows_the_defaults_and_all_of_them():
    """Reading it changes nothing, and no setting is missing from it."""
    shown = YAML(typ="safe").load(CONFIG.read_text(encoding="utf-8"))
    assert load_settings({"CONNECTOR_CONFIG": str(CONFIG)}, Path("/")) == Settings()
    everything = Settings().model_dump()
    assert set(shown) == set(everything)
    for name, section in everything.items():
        if isinstance(section, dict):
            assert set(shown[name]) == set(section), name


def test_a_file_is_read(folder):
    """Sections and plain settings."""
    write(folder, "time_zone: Europe/Berlin\nsync:\n  deals: false\nowners:\n  map: {a@x.com: b@x.com}\n")
    settings = load_settings({}, folder)
    assert (settings.time_zone, settings.sync.deals, settings.sync.contacts) == ("Europe/Berlin", False, True)
    assert settings.owners.map == {"a@x.com": "b@x.com"}


def test_another_file_can_be_named(folder):
    """By `CONNECTOR_CONFIG`, relative to the folder; then it has to be there."""
    (folder / "other.yaml").write_text("connection: other\n", encoding="utf-8")
    assert load_settings({"CONNECTOR_CONFIG": "other.yaml"}, folder).connection == "other"
    (finding,) = findings_of(folder, {"CONNECTOR_CONFIG": "none.yaml"})
    assert finding == Finding(str(folder / "none.yaml"), 0, "there is no such file", "run `connector init`")


@pytest.mark.parametrize(
    ("text", "line", "message", "remedy"),
    [
        ("sync:\n  deals: perhaps\n", 2, "sync.deals: should be true or false", ""),
        ("sync:\n  deal: true\n", 2, "sync.deal: is not a known key", "did you mean `deals`?"),
        ("hubspto: {}\n", 1, "hubspto: is not a known key", "did you mean `hubspot`?"),
        (
            "\nguard:\n\n  percent: 101\n",
            4,
            "guard.percent: should be less than or equal to 100",
            "give one that fits",
        ),
        (
            "hubspot: {overlap_minutes: .inf}\n",
            1,
            "hubspot.overlap_minutes: should be less than",
            "give one that fits",
        ),
        ("hubspot: {sweep_hours: 1e300}\n", 1, "hubspot.sweep_hours: should be less than", "give one that fits"),
        (f"guard: {{records: {10**30}}}\n", 1, "guard.records: should be less than", "give one that fits"),
        ('sync:\n  deals: "\\ud800"\n', 2, "has half a character", "write the character itself"),
        ("hubspot: {workers: 0}\n", 1, "hubspot.workers: should be greater than or equal to 1", ""),
        ("salesforce:\n  api_version: 62\n", 2, "salesforce.api_version: should be text", "put it in quotes: '62'"),
        ("salesforce: yes please\n", 1, "salesforce: should be a group of `key: value`", ""),
        ("connection: ''\n", 1, "connection: String should have at least 1 character", ""),
        ("sync: [deals]\n", 1, "sync: should be a group of `key: value`", ""),
        ("- sync\n", 1, "is not a list of settings", "start from `connector init`"),
        ("just text\n", 1, "is not a list of settings", "start from `connector init`"),
        ("sync:\n  deals: true\n  deals: false\n", 3, "has the key `deals` twice", "keep one of the two lines"),
        ("sync: {deals: true\n\n", 1, "has a bracket that is never closed", "put `}` at its end"),
    ],
)
def test_a_wrong_file_is_explained_with_its_line(folder, text, line, message, remedy):
    """Unknown keys with a suggestion, wrong values, wrong types, broken YAML."""
    path = write(folder, text)
    (finding,) = findings_of(folder)
    assert (finding.where, finding.line) == (str(path), line)
    assert message in finding.message
    assert remedy in finding.remedy


@pytest.mark.parametrize("name", ["Mars/Olympus", "Europe", "", "../etc/passwd", "x" * 300, "Europe/Berlin\n"])
def test_a_time_zone_has_to_exist(folder, name):
    """Also if the name is that of a directory, a path, or too long for one."""
    (finding,) = findings_of(folder, {"CONNECTOR__TIME_ZONE": name} if name else {"CONNECTOR__TIME_ZONE": " "})
    assert finding.where == "CONNECTOR__TIME_ZONE"
    assert "is not a time zone" in finding.message


def test_everything_wrong_is_found_at_once(folder):
    """In the file and in the environment, each under its own name."""
    path = write(folder, "sync:\n  deals: 7\nguard:\n  records: -1\n")
    found = findings_of(folder, {"CONNECTOR__HUBSPOT__WORKERS": "many"})
    assert {(one.where, one.line) for one in found} == {
        (str(path), 2),
        (str(path), 4),
        ("CONNECTOR__HUBSPOT__WORKERS", 0),
    }


# --- the environment --------------------------------------------------------------------------------------


def test_the_environment_wins_over_the_file(folder):
    """Setting by setting: the rest of the section stays."""
    write(folder, "sync:\n  deals: false\n  contacts: false\nconnection: file\n")
    environment = {"CONNECTOR__SYNC__DEALS": "true", "CONNECTOR__CONNECTION": "environment", "OTHER": "x"}
    settings = load_settings(environment, folder)
    assert (settings.sync.deals, settings.sync.contacts) == (True, False)
    assert settings.connection == "environment"


def test_an_empty_variable_switches_an_automation_off(folder):
    """As an empty value in the file does."""
    settings = load_settings({"CONNECTOR__LIFECYCLE__DEAL_CREATED": ""}, folder)
    assert settings.lifecycle.deal_created is None


def test_certificates_to_trust_have_to_be_there(folder):
    """Before anything is sent; a file that exists, or none at all, is fine."""
    with pytest.raises(BadConfiguration) as caught:
        load_settings({"CONNECTOR__NETWORK__CA_BUNDLE": "/nowhere.pem"}, folder)
    (finding,) = caught.value.findings
    assert "there is no file /nowhere.pem" in finding.message
    there = folder / "trusted.pem"
    there.touch()
    assert load_settings({"CONNECTOR__NETWORK__CA_BUNDLE": str(there)}, folder).network.ca_bundle == str(there)
    assert load_settings({"CONNECTOR__NETWORK__CA_BUNDLE": ""}, folder).network.ca_bundle in {None, ""}


def test_a_map_can_be_extended_from_the_environment(folder):
    """Key by key, and without changing the file's own."""
    write(folder, "owners:\n  map: {a: b}\n")
    assert load_settings({"CONNECTOR__OWNERS__MAP__C": "d"}, folder).owners.map == {"a": "b", "c": "d"}
    assert load_settings({}, folder).owners.map == {"a": "b"}


def test_the_store_has_a_variable_of_its_own(folder):
    """`CONNECTOR_STORE_URL` wins over everything."""
    environment = {"CONNECTOR_STORE_URL": "sqlite:///b.db", "CONNECTOR__STORE": "sqlite:///a.db"}
    assert load_settings(environment, folder).store == "sqlite:///b.db"


@pytest.mark.parametrize(
    ("environment", "where", "message"),
    [
        ({"CONNECTOR__SALESFORCE": "x"}, "CONNECTOR__SALESFORCE", "should be a group"),
        (
            {"CONNECTOR__SALESFORCE": "x", "CONNECTOR__SALESFORCE__API_VERSION": "62.0"},
            "CONNECTOR__SALESFORCE",
            "should be a group",
        ),
        (
            {"CONNECTOR__SALESFORCE__API_VERSION": "62.0", "CONNECTOR__SALESFORCE": "x"},
            "CONNECTOR__SALESFORCE",
            "should be a group",
        ),
        ({"CONNECTOR__SYNC__DEALS": "maybe"}, "CONNECTOR__SYNC__DEALS", "should be true or false"),
        ({"CONNECTOR__SYNC__DEAL": "true"}, "CONNECTOR__SYNC__DEAL", "is not a known key"),
        ({"CONNECTOR__SNYC__DEALS": "true"}, "CONNECTOR__SNYC__DEALS", "snyc: is not a known key"),
        ({"CONNECTOR__CONNECTION__NAME": "x"}, "CONNECTOR__CONNECTION__NAME", "connection: should be text"),
        ({"CONNECTOR__": "x"}, "CONNECTOR__", "is not a known key"),
        ({"CONNECTOR__SYNC": ""}, "CONNECTOR__SYNC", "should be a group"),
    ],
)
def test_a_bad_variable_is_reported_under_its_name(folder, environment, where, message):
    """Never a traceback, and no line of a file that is not to blame."""
    (finding,) = findings_of(folder, environment)
    assert finding.where == where
    assert message in finding.message


def test_a_section_given_as_text_in_the_file_is_not_patched_from_the_environment(folder):
    """The finding points to the file."""
    path = write(folder, "connection: x\nsync: all\n")
    (finding,) = findings_of(folder, {"CONNECTOR__SYNC__DEALS": "true"})
    assert (finding.where, finding.line) == (str(path), 2)


@given(
    st.dictionaries(
        st.lists(
            st.sampled_from(["SYNC", "DEALS", "OWNERS", "MAP", "A", "", "CONNECTION"]), min_size=1, max_size=4
        ).map("__".join),
        st.sampled_from(["", "true", "7", "x"]),
        max_size=4,
    )
)
def test_any_variables_load_or_are_explained(variables):
    """Whatever an administrator puts into the environment."""
    environment = {f"CONNECTOR__{name}": value for name, value in variables.items()}
    try:
        outcome = load_settings(environment, Path("nowhere"))
    except BadConfiguration as error:
        outcome = error.findings
    assert isinstance(outcome, Settings) or (outcome and all(one.message for one in outcome))


# --- what the rest of the program is told -----------------------------------------------------------------


def test_the_core_is_told_the_same_defaults():
    """The settings of the file and those of the core do not drift apart."""
    settings = Settings()
    assert settings.lifecycle_settings() == LifecycleSettings()
    assert settings.pipeline_settings() == PipelineSettings()
    assert settings.deletion_limit() == DeletionLimit()


def test_the_mapping_is_told_zone_owners_and_id_fields():
    """A default owner only for the side that has one (A5)."""
    settings = Settings.model_validate({"time_zone": "Europe/Berlin", "owners": {"default_hubspot": "9"}})
    mapping = settings.mapping()
    assert mapping.time_zone == ZoneInfo("Europe/Berlin")
    assert mapping.default_owner == {Side.HUBSPOT: "9"}
    assert (mapping.salesforce_id_property, mapping.hubspot_id_field) == ("sf_record_id", "HubSpot_Id__c")


# --- credentials ------------------------------------------------------------------------------------------

FULL = {
    "SALESFORCE_INSTANCE_URL": "https://acme.my.salesforce.com",
    "SALESFORCE_SESSION_ID": "top-secret-session",
    "HUBSPOT_ACCESS_TOKEN": "top-secret-token",
}
KEYS = {"SALESFORCE_CONSUMER_KEY": "top-secret-key", "SALESFORCE_CONSUMER_SECRET": "top-secret-consumer"}
PASSWORD = {"SALESFORCE_USERNAME": "ann@acme.com", "SALESFORCE_PASSWORD": "top-secret-password"}


def without(environment, *names):
    return {name: value for name, value in environment.items() if name not in names}


@pytest.mark.parametrize(
    "way", [{"SALESFORCE_SESSION_ID": "s"}, KEYS, PASSWORD], ids=["session", "keys", "password"]
)
def test_each_way_into_salesforce_is_enough(way):
    """A session, a connected app, or a user with a password."""
    credentials = load_credentials(without(FULL, "SALESFORCE_SESSION_ID") | way, Settings())
    assert credentials.salesforce_url == "https://acme.my.salesforce.com"
    assert credentials.hubspot_url == "https://api.hubapi.com"


def test_every_missing_variable_is_named_at_once():
    """With what to set instead."""
    with pytest.raises(BadConfiguration) as caught:
        load_credentials({}, Settings())
    found = caught.value.findings
    assert [one.where for one in found] == [
        "SALESFORCE_INSTANCE_URL",
        "SALESFORCE_SESSION_ID",
        "HUBSPOT_ACCESS_TOKEN",
    ]
    assert all(one.message == "is not set" and one.remedy for one in found)
    assert "SALESFORCE_CONSUMER_KEY" in found[1].remedy
    assert "SALESFORCE_PASSWORD" in found[1].remedy


@pytest.mark.parametrize("half", ["SALESFORCE_CONSUMER_KEY", "SALESFORCE_CONSUMER_SECRET", "SALESFORCE_USERNAME"])
def test_half_a_way_in_is_none(half):
    """A key without its secret, a user without a password; and blanks are nothing."""
    environment = without(FULL, "SALESFORCE_SESSION_ID") | {half: "x", "SALESFORCE_SESSION_ID": "  "}
    with pytest.raises(BadConfiguration) as caught:
        load_credentials(environment, Settings())
    assert [one.where for one in caught.value.findings] == ["SALESFORCE_SESSION_ID"]


def test_the_variables_have_the_prefixes_of_the_settings():
    """So that two connections can live in one environment, and findings name the right one."""
    settings = Settings.model_validate(
        {"salesforce": {"environment": "SFDEV"}, "hubspot": {"environment": "HSDEV"}}
    )
    environment = {
        name.replace("SALESFORCE", "SFDEV").replace("HUBSPOT", "HSDEV"): one for name, one in FULL.items()
    }
    assert load_credentials(environment, settings).salesforce_url == FULL["SALESFORCE_INSTANCE_URL"]
    with pytest.raises(BadConfiguration) as caught:
        load_credentials(FULL, settings)
    assert {one.where.split("_")[0] for one in caught.value.findings} == {"SFDEV", "HSDEV"}


@pytest.mark.parametrize("name", ["SALESFORCE_INSTANCE_URL", "HUBSPOT_BASE_URL"])
@pytest.mark.parametrize("url", ["http://acme.com", "ftp://acme.com", "acme.com", "https://", "https://[::1"])
def test_credentials_are_not_sent_to_unsafe_addresses(name, url):
    """Plain http is accepted for this machine only."""
    with pytest.raises(BadConfiguration) as caught:
        load_credentials(FULL | {name: url}, Settings())
    ((where, message),) = [(one.where, one.message) for one in caught.value.findings]
    assert (where, message) == (name, f"{url!r} is not a safe address")


def test_secrets_never_show():
    """Neither printed, nor in a representation, nor in an error about something else."""
    credentials = load_credentials(
        FULL | KEYS | PASSWORD | {"SALESFORCE_SECURITY_TOKEN": "top-secret-two"}, Settings()
    )
    assert credentials.access_token.get_secret_value() == "top-secret-token"
    for shown in (str(credentials), repr(credentials), str(credentials.model_dump()), f"{credentials}"):
        assert "top-secret" not in shown
    settings = Settings.model_validate({"store": "postgresql://u:top-secret@db/x"})
    assert "top-secret" not in f"{settings} {settings!r}"


def test_secrets_never_show_in_findings():
    """What is missing is named; what is there is not shown."""
    with pytest.raises(BadConfiguration) as caught:
        load_credentials(without(FULL | KEYS | PASSWORD, "SALESFORCE_INSTANCE_URL"), Settings())
    assert "top-secret" not in f"{caught.value.findings} {caught.value!r}"


secrets = st.text(st.characters(categories=["L", "N"]), min_size=12, max_size=20)


@given(secrets)
def test_no_secret_shows_whatever_it_is(secret):
    """Every secret field, by the same test."""
    hidden = [name for name, one in Credentials.model_fields.items() if "SecretStr" in str(one.annotation)]
    assert len(hidden) == 6
    credentials = Credentials.model_validate(dict.fromkeys(hidden, secret))
    assert secret not in f"{credentials} {credentials!r}"


# --- addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "safe", "plain_loopback"),
    [
        ("https://acme.my.salesforce.com", True, False),
        ("HTTPS://ACME.COM:8443/x?y#z", True, False),
        ("https://localhost", True, False),
        ("http://localhost:8080", True, True),
        ("http://127.0.0.1", True, True),
        ("http://127.9.9.9:1", True, True),
        ("http://[::1]:8080", True, True),
        ("http://localhost.acme.com", False, False),
        ("http://127.0.0.1.acme.com", False, False),
        ("http://127.0.0.1@acme.com", False, False),
        ("http://acme.com\\@127.0.0.1", False, False),
        ("http://acme.com#@127.0.0.1", False, False),
        ("http://0.0.0.0", False, False),
        ("http://10.0.0.1", False, False),
        ("http://2130706433", False, False),
        ("https://acme.com:port", False, False),
        ("https://acme.com:99999", False, False),
        ("https://acme.com:0", False, False),
        ("https://acme .com", False, False),
        ("https://acme.com\n", False, False),
        ("file:///etc/passwd", False, False),
        ("//acme.com", False, False),
        ("http://[::1", False, False),
        ("", False, False),
    ],
)
def test_only_https_and_plain_loopback_are_safe(url, safe, plain_loopback):
    """With the tricks that make an address look like another."""
    assert (is_safe_url(url), is_plain_loopback(url)) == (safe, plain_loopback)


hosts = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map("[{}]".format),
    st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){0,2}", fullmatch=True),
    st.just("localhost"),
)


@given(st.sampled_from(["https", "http", "ftp", "ws", "HTTP"]), hosts, st.integers(1, 65535))
def test_an_address_is_safe_by_scheme_and_host_alone(scheme, host, port):
    """Https to anywhere, http to this machine, nothing else to anywhere."""
    here = host == "localhost"
    if host[0] in "[0123456789":
        here = ipaddress.ip_address(host.strip("[]")).is_loopback
    expected = scheme == "https" or (scheme.lower() == "http" and here)
    assert is_safe_url(f"{scheme}://{host}:{port}/path") is expected


@given(st.one_of(st.text(), st.text(alphabet="htps:/[]@\\#?.127 \n", max_size=30)))
def test_no_text_is_taken_for_a_safe_address_by_accident(text):
    """Whatever it is, it is judged and never raises; safe ones begin with one of two schemes."""
    if is_safe_url(text):
        assert text.lstrip().lower().startswith(("https:", "http:"))
        assert not any(letter.isspace() or letter == "\\" for letter in text)
    else:
        assert not is_plain_loopback(text)


# --- the mapping of a working folder ----------------------------------------------------------------------


def test_a_folder_without_mappings_uses_the_shipped_ones(folder):
    """And one with its own uses only those."""
    assert [path.name for path in mapping_files(folder)] == [
        "account-company.yaml",
        "contact-contact.yaml",
        "contact-role.yaml",
        "opportunity-deal.yaml",
    ]
    (folder / "mappings").mkdir()
    own = folder / "mappings" / "mine.yaml"
    own.write_text(
        "pair: contact-contact\ncreate_in: []\nfields:\n  - {salesforce: A, hubspot: a}\n", encoding="utf-8"
    )
    assert mapping_files(folder) == [own]
    assert list(load_mapping(Settings(), folder)) == ["contact-contact"]


def test_the_shipped_folder_holds_mappings_and_settings():
    """In a checkout as in an installed package."""
    assert (defaults_folder() / "mappings").is_dir()
    assert (defaults_folder() / "config" / "connector.yaml").is_file()


@pytest.mark.parametrize(
    ("switch", "pair"),
    [("companies", "account-company"), ("contacts", "contact-contact"), ("deals", "opportunity-deal")],
)
def test_what_is_switched_off_has_no_pair(folder, switch, pair):
    """P1, P2: while deal sync is off there is nothing to sync deals by; the others stay."""
    names = ["account-company", "contact-contact", "opportunity-deal"]
    assert list(load_mapping(Settings(), folder)) == names
    settings = Settings.model_validate({"sync": {switch: False}})
    assert list(load_mapping(settings, folder)) == [name for name in names if name != pair]


# --- what a file may name ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("store: sqlite:////srv/other/connector.db\n", "CONNECTOR_STORE_URL"),
        ("store: sqlite:///../connector.db\n", "CONNECTOR_STORE_URL"),
        ("store: sqlite+pysqlite:///link/connector.db\n", "CONNECTOR_STORE_URL"),
        ("store: sqlite:///file:../x.db?uri=true\n", "CONNECTOR_STORE_URL"),
        ("network:\n  ca_bundle: {elsewhere}\n", "CONNECTOR__NETWORK__CA_BUNDLE"),
        ("network:\n  ca_bundle: link/ca.pem\n", "CONNECTOR__NETWORK__CA_BUNDLE"),
    ],
)
def test_a_settings_file_names_nothing_outside_of_its_folder(folder, monkeypatch, text, variable):
    """Absolute, by `..`, by a link: the file, the line, and which variable may say it."""
    elsewhere = folder / "elsewhere"
    inside = folder / "inside"
    for one in (elsewhere, inside / "config"):
        one.mkdir(parents=True)
    (elsewhere / "ca.pem").write_text("")
    (inside / "link").symlink_to(elsewhere)
    monkeypatch.chdir(inside)
    path = write(inside, text.format(elsewhere=elsewhere / "ca.pem"))
    (found,) = findings_of(inside)
    assert (found.where, found.line) == (str(path), text.count("\n"))
    assert "is outside of this folder" in found.message
    assert variable in found.remedy


def test_the_environment_may_name_any_file(folder, tmp_path):
    """Whoever sets it is whoever runs the connector."""
    write(folder, "network:\n  ca_bundle: /etc/nowhere.pem\n")
    there = tmp_path / "ca.pem"
    there.write_text("")
    environment = {"CONNECTOR_STORE_URL": "sqlite:////srv/x.db", "CONNECTOR__NETWORK__CA_BUNDLE": str(there)}
    settings = load_settings(environment, folder / "config")
    assert (settings.store, settings.network.ca_bundle) == ("sqlite:////srv/x.db", str(there))


def test_a_linked_file_of_the_folder_does_not_lead_out_of_it(folder, tmp_path_factory):
    """Settings and mapping files are looked at where they are; a link inside of the folder is one of its files."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "file.yaml"
    elsewhere.write_text("connection: theirs\n")
    (folder / "config" / "connector.yaml").symlink_to(elsewhere)
    assert [one.message for one in findings_of(folder)] == ["is a link that leads out of this folder"]
    (folder / "mappings").mkdir()
    (folder / "mappings" / "contact.yaml").symlink_to(elsewhere)
    with pytest.raises(BadConfiguration) as caught:
        mapping_files(folder)
    assert [one.where for one in caught.value.findings] == [str(folder / "mappings" / "contact.yaml")]
    (folder / "mappings" / "contact.yaml").unlink()
    (folder / "kept.yaml").write_text("")
    (folder / "mappings" / "contact.yaml").symlink_to("../kept.yaml")
    assert mapping_files(folder) == [folder / "mappings" / "contact.yaml"]


# --- passwords in addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SALESFORCE_INSTANCE_URL", "HUBSPOT_BASE_URL"])
def test_an_address_with_a_password_is_refused_and_not_shown(name):
    """It would go into plan files, which tell for which org they were made."""
    with pytest.raises(BadConfiguration) as caught:
        load_credentials(FULL | {name: "https://me:top-secret@acme.my.salesforce.com"}, Settings())
    (found,) = caught.value.findings
    assert (found.where, found.message) == (name, "has a name or a password in it")
    assert "top-secret" not in f"{found!r} {caught.value!r}"


@pytest.mark.parametrize(
    "proxy", ["top-secret", "ftp://me:top-secret@proxy", "http://", "http://me:top-secret@p:x"]
)
def test_a_proxy_that_is_none_is_said_without_showing_it(folder, proxy):
    """A password may stand in it."""
    (found,) = findings_of(folder, {"CONNECTOR__NETWORK__PROXY": proxy})
    assert (found.where, "top-secret" in repr(found)) == ("CONNECTOR__NETWORK__PROXY", False)
    assert "HOST:PORT" in found.remedy
