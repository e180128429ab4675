"""Settings and mapping files, in any state: what is wrong is told with its line, all at once; else they hold."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fuzz.oracle import check_finding, end, run, tried
from fuzz.texts import HOSTILE, VALUES, damaged, encoded, yaml_like
from hypothesis import example, given
from hypothesis import strategies as st
from mapping.facts import HEAD, SCHEMAS, UTC_ZONE

from connector.core.model import Rule
from connector.engine.connect import connect
from connector.mapping.checks import check_pair, check_roles
from connector.mapping.documents import Source
from connector.mapping.files import MappingSettings, PairFile, read_mapping
from connector.mapping.roles import ROLE_PAIR
from connector.mapping.transforms import NAMES
from connector.settings import load_settings, settings_schema
from connector.store.store import Store

ROOT = Path(__file__).resolve().parents[2]
CONFIG = (ROOT / "config" / "connector.yaml").read_text(encoding="utf-8")
MAPPINGS = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "mappings").glob("*.yaml"))]
UNCOMMENTED = [CONFIG, "\n".join(line.removeprefix("# ").removeprefix("#") for line in CONFIG.splitlines())]
LOGIN = {
    "SALESFORCE_INSTANCE_URL": "https://salesforce.test",
    "SALESFORCE_SESSION_ID": "x",
    "HUBSPOT_ACCESS_TOKEN": "x",
}
MAPPING = MappingSettings(ZoneInfo("UTC"), {}, "sf_record_id", "HubSpot_Id__c")


def keys_of_settings() -> dict[str, list[str]]:
    schema = settings_schema()
    found: dict[str, list[str]] = {}
    for name, one in schema["properties"].items():
        refs = [way["$ref"] for way in one.get("anyOf", ()) if "$ref" in way]
        inner = schema["$defs"][refs[0].rpartition("/")[2]]["properties"] if refs else {}
        found[name] = sorted(inner)
    return found


SETTINGS_KEYS = keys_of_settings()
VARIABLES = st.dictionaries(
    st.one_of(
        st.sampled_from(
            [f"CONNECTOR__{section}__{key}".upper() for section, keys in SETTINGS_KEYS.items() for key in keys]
            + [f"CONNECTOR__{section}".upper() for section in SETTINGS_KEYS]
        ),
        st.sampled_from(("CONNECTOR__", "CONNECTOR__X", "CONNECTOR____", "CONNECTOR__SYNC__DEALS__X",
                         "CONNECTOR__É", "SALESFORCE_INSTANCE_URL", "HUBSPOT_BASE_URL", "HUBSPOT_ACCESS_TOKEN")),
    ),
    st.sampled_from([one for one in VALUES if "\x00" not in one]),
    max_size=3,
)  # fmt: skip


@cache
def store() -> Store:
    return Store.open("sqlite://", "fuzz", lambda: datetime.now(UTC))


def use(environment: dict[str, str], folder: Path) -> None:
    """Everything that settings are needed for before the first call."""
    settings = load_settings(environment, folder)
    settings.timetable()
    settings.deletion_limit()
    connect(environment, folder, store=store())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("working")
    (made / "config").mkdir()
    (made / "mappings").mkdir()
    return made


@tried(40)
@given(
    data=encoded(st.one_of(yaml_like(SETTINGS_KEYS), damaged(UNCOMMENTED), st.sampled_from(HOSTILE), st.text())),
    variables=VARIABLES,
)
@example(data=b'time_zone: "\\ud800"', variables={})
@example(data=b"salesforce: {overlap_minutes: .inf}", variables={})
@example(data=b"hubspot: {sweep_hours: 1e300}", variables={})
def test_settings_hold_or_are_explained(folder: Path, data: bytes, variables: dict[str, str]) -> None:
    """Whatever `config/connector.yaml` and the environment say."""
    (folder / "config" / "connector.yaml").write_bytes(data)
    end(lambda: use(LOGIN | variables, folder))


KEYS = sorted(PairFile.model_json_schema()["$defs"]["FieldEntry"]["properties"])
FIELDS = (
    "Amount",
    "Type",
    "Flag__c",
    "Moment__c",
    "amount",
    "dealtype",
    "flag",
    "closedate",
    "nobody",
    "OwnerId",
    "",
)
GIVEN = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from(
        (*NAMES, *Rule, *FIELDS, "[a, b]", "{salesforce: 1, hubspot: x}", "{New: new, Old: old}", "skip_field")
    ),
)


@st.composite
def mappings(draw: Any) -> str:
    """A mapping with one entry more, whose keys are those that there are, and a part of the head that is odd."""
    entry = {"salesforce": draw(st.sampled_from(FIELDS)), "hubspot": draw(st.sampled_from(FIELDS))}
    entry |= draw(st.dictionaries(st.sampled_from(KEYS), GIVEN, max_size=3))
    lines = [f"{'- ' if number == 0 else '  '}{key}: {value}" for number, (key, value) in enumerate(entry.items())]
    more = draw(st.sampled_from(("scope", "on_delete", "match_on", "create_in", "pair", "roles", "x")))
    part = f"{more}: {draw(GIVEN)}\n" if draw(st.booleans()) else ""
    scope = f"scope:\n  {draw(st.sampled_from(('salesforce', 'hubspot', 'x')))}:\n    {draw(GIVEN)}\n"
    return part + HEAD + "\n".join(f"  {line}" for line in lines) + "\n" + (scope if draw(st.booleans()) else "")


FILES = encoded(st.one_of(mappings(), mappings(), damaged([*MAPPINGS, HEAD]), st.sampled_from(HOSTILE), st.text()))


@tried(50)
@given(data=FILES)
def test_F3_a_mapping_holds_or_is_explained(data: bytes) -> None:
    """By itself, and against the fields that there are on both sides."""
    read = read_mapping([Source("deals.yaml", data)], MAPPING)
    findings = list(read.findings)
    for pair in read.pairs.values():
        findings += check_pair(pair, read.files[pair.name], SCHEMAS, UTC_ZONE, {})
    if ROLE_PAIR in read.files:
        findings += check_roles(read.files[ROLE_PAIR], SCHEMAS)
    for one in findings:
        check_finding(one)
    assert read.files or read.findings


@tried(10)
@given(config=encoded(st.one_of(yaml_like(SETTINGS_KEYS), damaged(UNCOMMENTED))), data=FILES, as_json=st.booleans())
@example(config=b'time_zone: "\\ud800"', data=HEAD.encode(), as_json=False)
@example(config=b"", data=f'{HEAD}  - {{salesforce: "[/]", hubspot: "\\ud800"}}'.encode(), as_json=False)
def test_F3_what_is_wrong_with_files_can_be_printed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, config: bytes, data: bytes, as_json: bool
) -> None:
    """By `mappings validate`, with signs of the terminal's own in it, and characters that are none."""
    (folder / "config" / "connector.yaml").write_bytes(config)
    (folder / "mappings" / "deals.yaml").write_bytes(data)
    monkeypatch.chdir(folder)
    run("mappings", "validate", *(["--json"] if as_json else []))
    run("mappings", "show", *(["--json"] if as_json else []))
