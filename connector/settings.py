"""What did the owner of this sync decide? `config/connector.yaml` and the environment -> `Settings`.

Secrets are never in the file: they come from the environment, or from where it says (`secret_sources.py`). Every
setting can come from there too, as `CONNECTOR__SECTION__KEY` (for example `CONNECTOR__SYNC__DEALS=false`); the
environment wins over the file.

What a file in the working folder names, and whatever a link in it leads to, lies in that folder: a settings file or
mapping that somebody sent opens nothing elsewhere. Whoever means another place says so in the environment.
"""

from __future__ import annotations

import copy
import os.path
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from connector.addresses import has_user, is_proxy, is_safe_url
from connector.core.guard import DeletionLimit
from connector.core.lifecycle import LifecycleSettings
from connector.core.model import Pair, Side
from connector.core.pipelines import PipelineSettings
from connector.errors import BadConfiguration, Finding
from connector.mapping.documents import explain, find_place, read_yaml
from connector.mapping.files import MappingSettings, load_pairs
from connector.mapping.schemas import DIALECT
from connector.secret_sources import SUFFIXES, read_secret
from connector.timetable import Times, read_times

PREFIX = "CONNECTOR__"
CONFIG = "config/connector.yaml"
STORE_URL = "CONNECTOR_STORE_URL"
_MAY_BE_SECRET = {"CONNECTOR__NETWORK__PROXY": ("network", "proxy"), STORE_URL: ("store",)}
"""Variables of settings in which a password may stand, so that they may come from a file too."""
WEEK, YEAR = 7 * 24 * 60, 366 * 24
"""In minutes, and in hours: more is a slip."""
MOST = 1_000_000_000
"""Of whatever is counted: more than any org has."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SalesforceSettings(_Section):
    """Reading and writing Salesforce."""

    environment: str = Field("SALESFORCE", description="prefix of the environment variables with credentials")
    api_version: str = Field("62.0", pattern=r"^\d+\.0$", description="version of the REST API to speak")
    overlap_minutes: float = Field(
        10, ge=0, le=WEEK, description="how far the cursor stays behind the server's clock"
    )
    id_field: str = Field("HubSpot_Id__c", description="external id field that stores the HubSpot id")
    daily_calls: int | None = Field(
        None, ge=1, le=MOST, description="API calls in any 24 hours (E3); empty: as many as the org allows"
    )


class HubSpotSettings(_Section):
    """Reading and writing HubSpot."""

    environment: str = Field("HUBSPOT", description="prefix of the environment variables with credentials")
    api_version: str = Field(
        "v3", pattern=r"^(v3|\d{4}-\d{2})$", description="version of the API to speak: v3, or a dated one"
    )
    overlap_minutes: float = Field(30, ge=0, le=WEEK, description="search may lag behind writes that long")
    id_property: str = Field(
        "sf_record_id",
        pattern=r"^[a-z][a-z0-9_]*$",
        description="unique property on companies, contacts and deals that stores the Salesforce id",
    )
    searches_per_second: int = Field(5, ge=0, le=1000, description="searches to make in a second; 0: no limit")
    workers: int = Field(4, ge=1, le=16, description="batches under way at a time")
    sweep_hours: float = Field(24, gt=0, le=YEAR, description="how often to look for records deleted in HubSpot")
    daily_calls: int | None = Field(
        None, ge=1, le=MOST, description="API calls in any 24 hours (E3); empty: as many as the portal allows"
    )
    associations_per_run: int = Field(1000, ge=0, le=MOST, description="deals whose contacts each run reads again")


class SyncSettings(_Section):
    """What is synced at all (P1, P2, P4)."""

    companies: bool = Field(True, description="whether accounts and companies sync (P2)")
    contacts: bool = Field(True, description="whether contacts sync")
    deals: bool = Field(True, description="whether opportunities and deals sync (P1)")
    first_sync: Literal["import", "triggers_only"] = Field(
        "import",
        description="what a first sync does with what exists: take it in, or wait until somebody changes it (P4)",
    )


class OwnerSettings(_Section):
    """Owners beyond the match by e-mail (A5): Salesforce user's e-mail or id -> HubSpot owner's e-mail or id."""

    map: dict[str, str] = Field(
        default_factory=dict, description="Salesforce e-mail or user id: HubSpot e-mail or owner id"
    )
    default_salesforce: str | None = Field(None, description="user id for records whose owner has no user")
    default_hubspot: str | None = Field(None, description="owner id for records whose owner has no owner")


class PipelineOptions(_Section):
    """How record types become pipelines (O2, O3)."""

    label: str = Field(
        "Salesforce - {record_type.id}",
        description="what a made pipeline is called; {record_type.name} gives readable names (O2)",
    )
    limit: int = Field(15, ge=1, le=MOST, description="how many pipelines the HubSpot subscription allows (O3)")
    assigned: dict[str, str] = Field(default_factory=dict, description="record type id or name: pipeline id")
    probability_decimals: int = Field(
        2, ge=1, le=4, description="decimals with which a stage's probability is written"
    )


class LifecycleOptions(_Section):
    """Automatic lifecycle stages; an empty value switches that automation off (L2, L3, L5, L6, L7)."""

    deal_created: str | None = Field(
        "opportunity", description="stage of contacts and companies whose first deal is created (L2)"
    )
    deal_won: str | None = Field("customer", description="stage of contacts and companies with a won deal (L3)")
    company_to_contacts: bool = Field(
        False, description="whether contacts follow the stage of their primary company (L5)"
    )
    role_open: str | None = Field(
        "opportunity", description="stage of a contact with a role on an open opportunity (L7)"
    )
    role_won: str | None = Field("customer", description="stage of a contact with a role on a won opportunity (L7)")
    new_record: str | None = Field(None, description="stage of new contacts and companies without one (L6)")
    account_fallback: bool = Field(
        False, description="whether an opportunity without roles moves all contacts of its account (L7)"
    )


class GuardOptions(_Section):
    """A run that deletes more than this is refused (D7): the larger of the two counts."""

    records: int = Field(10, ge=0, le=MOST, description="as many records of an object may be deleted in any case")
    percent: float = Field(5.0, ge=0, le=100, description="as many percent of the linked ones may be deleted")


class JournalSettings(_Section):
    """How long it is known what runs wrote, and what stood there before.

    For ever is a store that only grows, and a copy of customers' data that outlives that of both CRMs; 400 days
    still answer what was done a year ago.
    """

    keep_days: int | None = Field(
        400, ge=1, description="days after which a run's writes are forgotten and cannot be undone; empty: never"
    )


class ScheduleSettings(_Section):
    """When `connector schedule` syncs (T5): an interval such as `15 minutes`, or a cron expression."""

    every: str = Field("15 minutes", description="of everything that has no times of its own")
    accounts: str | None = Field(None, description="of accounts and companies, if they have times of their own")
    contacts: str | None = Field(None, description="of contacts")
    opportunities: str | None = Field(None, description="of opportunities, deals and contact roles")

    @field_validator("every", "accounts", "contacts", "opportunities")
    @classmethod
    def _is_a_time(cls, text: str | None) -> str | None:
        if text is not None:
            read_times(text, ZoneInfo("UTC"))
        return text


class NetworkSettings(_Section):
    """How to get out. Proxies and certificates of the environment are ignored unless named here."""

    proxy: SecretStr | None = Field(
        None,
        description="address of a proxy for both CRMs, such as http://proxy:3128; one with a password belongs into"
        " CONNECTOR__NETWORK__PROXY",
    )
    ca_bundle: str | None = Field(
        None,
        description="file of the certificate authorities to trust; one outside of this folder belongs into"
        " CONNECTOR__NETWORK__CA_BUNDLE",
    )

    @field_validator("proxy")
    @classmethod
    def _is_an_address(cls, proxy: SecretStr | None) -> SecretStr | None:
        if proxy and not is_proxy(proxy.get_secret_value()):
            raise ValueError("is not the address of a proxy → write http://HOST:PORT, or https://HOST:PORT")
        return proxy

    @field_validator("ca_bundle")
    @classmethod
    def _is_there(cls, path: str | None) -> str | None:
        if path and not Path(path).exists():
            raise ValueError(f"there is no file {path}; name one with the certificates to trust, or leave it out")
        return path


class Settings(_Section):
    """All of `config/connector.yaml`."""

    connection: str = Field(
        "default", min_length=1, max_length=100, description="one store can serve several; this names ours"
    )
    mode: Literal["sync", "read_only"] = Field("sync", description="read_only: plan, and write to neither CRM (P3)")
    store: str = Field(
        "sqlite:///connector.db",
        repr=False,
        description="URL of the database; one with a password belongs into CONNECTOR_STORE_URL",
    )
    time_zone: str = Field("UTC", description="the zone in which a Salesforce date is a day (F7)")
    salesforce: SalesforceSettings = Field(SalesforceSettings(), description="reading and writing Salesforce")
    hubspot: HubSpotSettings = Field(HubSpotSettings(), description="reading and writing HubSpot")
    sync: SyncSettings = Field(SyncSettings(), description="what is synced at all")
    owners: OwnerSettings = Field(OwnerSettings(), description="owners beyond the match by e-mail (A5)")
    pipelines: PipelineOptions = Field(PipelineOptions(), description="how record types become pipelines (O2, O3)")
    lifecycle: LifecycleOptions = Field(
        LifecycleOptions(), description="automatic lifecycle stages; an empty value switches that automation off"
    )
    guard: GuardOptions = Field(
        GuardOptions(), description="a run that would delete more is refused: the larger of the two counts (D7)"
    )
    journal: JournalSettings = Field(JournalSettings(), description="how long it is known what runs wrote")
    schedule: ScheduleSettings = Field(ScheduleSettings(), description="when `connector schedule` syncs (T5)")
    network: NetworkSettings = Field(NetworkSettings(), description="how to get out to both CRMs")

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a directory such as Europe
            raise ValueError(f"{name!r} is not a time zone; e.g. Europe/Berlin") from None
        return name

    @property
    def writes(self) -> bool:
        """Whether anything may be written to a CRM (P3)."""
        return self.mode == "sync"

    def mapping(self) -> MappingSettings:
        defaults = {
            Side.SALESFORCE: self.owners.default_salesforce,
            Side.HUBSPOT: self.owners.default_hubspot,
        }
        return MappingSettings(
            time_zone=ZoneInfo(self.time_zone),
            default_owner={side: owner for side, owner in defaults.items() if owner},
            salesforce_id_property=self.hubspot.id_property,
            hubspot_id_field=self.salesforce.id_field,
        )

    def lifecycle_settings(self) -> LifecycleSettings:
        return LifecycleSettings(**self.lifecycle.model_dump())

    def pipeline_settings(self) -> PipelineSettings:
        return PipelineSettings(**self.pipelines.model_dump())

    def daily_calls(self) -> dict[Side, int | None]:
        return {Side.SALESFORCE: self.salesforce.daily_calls, Side.HUBSPOT: self.hubspot.daily_calls}

    def timetable(self) -> dict[str, Times]:
        """The times of each pair."""
        own, zone = self.schedule, ZoneInfo(self.time_zone)
        given = {
            "account-company": own.accounts,
            "contact-contact": own.contacts,
            "opportunity-deal": own.opportunities,
        }
        return {pair: read_times(text or own.every, zone) for pair, text in given.items()}

    def deletion_limit(self) -> DeletionLimit:
        return DeletionLimit(self.guard.records, self.guard.percent)


def settings_schema() -> dict[str, Any]:
    """The JSON Schema of `config/connector.yaml`, with a description of every key. A section may be left blank."""
    schema = Settings.model_json_schema()
    for section in schema["properties"].values():
        if "$ref" in section:
            section["anyOf"] = [{"$ref": section.pop("$ref")}, {"type": "null"}]
    return {"$schema": DIALECT, **schema}


class Credentials(_Section):
    """Where both CRMs are and how to get in. Secrets do not show when this is printed."""

    salesforce_url: str = ""
    session_id: SecretStr = SecretStr("")
    consumer_key: SecretStr = SecretStr("")
    consumer_secret: SecretStr = SecretStr("")
    username: str = ""
    password: SecretStr = SecretStr("")
    security_token: SecretStr = SecretStr("")
    hubspot_url: str = "https://api.hubapi.com"
    access_token: SecretStr = SecretStr("")


def load_settings(environment: Mapping[str, str], folder: Path) -> Settings:
    """Settings of a working folder.

    Raises:
        BadConfiguration: with everything that is wrong in the file and in the environment.
    """
    path = folder / environment.get("CONNECTOR_CONFIG", CONFIG)
    findings: list[Finding] = []
    document: Any = {}
    if "CONNECTOR_CONFIG" not in environment and _leads_out(folder, path):
        remedy = "put the file itself there, or name the other one in CONNECTOR_CONFIG"
        findings.append(Finding(str(path), 0, "is a link that leads out of this folder", remedy))
    elif path.exists() or "CONNECTOR_CONFIG" in environment:
        document = read_yaml(path, findings) or {}
    if not isinstance(document, dict):
        findings.append(Finding(str(path), 1, "is not a list of settings", "start from `connector init`"))
    if findings:
        raise BadConfiguration(findings)
    given = _overlay(document, environment)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise BadConfiguration(
            _locate(explain(error, document, str(path), Settings), environment, document)
        ) from None
    if findings := list(_find_outside(folder, str(path), document, settings)):
        raise BadConfiguration(findings)
    return settings


def _find_outside(folder: Path, where: str, document: Any, settings: Settings) -> Iterator[Finding]:
    """The files that the settings file itself names, and that do not lie in the working folder."""
    network = document.get("network")
    bundle = network.get("ca_bundle") if isinstance(network, dict) else None
    named = (
        (("network", "ca_bundle"), bundle, settings.network.ca_bundle, bundle, f"{PREFIX}NETWORK__CA_BUNDLE"),
        (("store",), document.get("store"), settings.store, _file_of(settings.store), STORE_URL),
    )
    for part, written, used, file, variable in named:
        if file and written == used and _leads_out(folder, Path(file)):
            line, column = find_place(document, part)
            remedy = f"name one in it; or say it in {variable}, if that is meant"
            message = f"{'.'.join(part)}: {file} is outside of this folder"
            yield Finding(where, line, message, remedy, column=column)


def _file_of(store: str) -> str | None:
    """The file of an SQLite URL."""
    found = re.match(r"sqlite(?:\+\w+)?:///(?:file:)?([^?]*)", store)
    return found[1] if found and found[1] != ":memory:" else None


def _leads_out(folder: Path, path: Path) -> bool:
    """Whether a path that begins in a folder ends outside, once `..` and links are followed."""
    end, root = (Path(os.path.realpath(one)) for one in (folder / path, folder))  # resolve() raises at a circle
    return not end.is_relative_to(root)


def _overlay(document: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    # A section whose every line is commented out is blank: the defaults hold.
    given = {key: copy.deepcopy(value) for key, value in document.items() if value is not None}
    indirect = {f"{name}{suffix}" for name in _MAY_BE_SECRET for suffix in SUFFIXES}
    given_here = {name: value for name, value in environment.items() if name not in indirect}
    for name in reversed(_MAY_BE_SECRET):  # CONNECTOR_STORE_URL wins over CONNECTOR__STORE
        if secret := read_secret(environment, name):
            given_here |= {f"{PREFIX}{'__'.join(_MAY_BE_SECRET[name])}".upper(): secret}
    for name, value in given_here.items():
        if name.startswith(PREFIX):
            *sections, key = name.removeprefix(PREFIX).lower().split("__")
            place: Any = given
            for section in sections:
                place = place.setdefault(section, {})
                if not isinstance(place, dict):
                    break  # a section given as one value: the validation says so
            else:
                place[key] = value or None
    return given


def _locate(findings: list[Finding], environment: Mapping[str, str], document: Mapping[str, Any]) -> list[Finding]:
    """A setting that came from the environment is reported under its variable's name."""
    located = []
    for finding in findings:
        place = finding.message.split(":", 1)[0]
        variable = PREFIX + place.replace(".", "__").upper()
        inside = [
            name for name in sorted(environment) if name.startswith(f"{variable}__") and place not in document
        ]
        for name in [variable] if variable in environment else inside[:1]:  # a section that only variables have
            finding = Finding(name, 0, finding.message, finding.remedy)  # noqa: PLW2901  # the same finding
        located.append(finding)
    return located


def load_credentials(environment: Mapping[str, str], settings: Settings) -> Credentials:
    """Credentials from the environment, or from where it says that they lie.

    Raises:
        BadConfiguration: naming every variable that lacks or is unusable.
    """
    here, there = settings.salesforce.environment, settings.hubspot.environment
    findings: list[Finding] = []

    def get(prefix: str, name: str) -> str:
        try:
            return read_secret(environment, f"{prefix}_{name}")
        except BadConfiguration as error:
            findings.extend(error.findings)
            return "?"  # it is there, if of no use: nothing lacks besides

    credentials = Credentials(
        salesforce_url=get(here, "INSTANCE_URL"),
        session_id=SecretStr(get(here, "SESSION_ID")),
        consumer_key=SecretStr(get(here, "CONSUMER_KEY")),
        consumer_secret=SecretStr(get(here, "CONSUMER_SECRET")),
        username=get(here, "USERNAME"),
        password=SecretStr(get(here, "PASSWORD")),
        security_token=SecretStr(get(here, "SECURITY_TOKEN")),
        hubspot_url=get(there, "BASE_URL") or "https://api.hubapi.com",
        access_token=SecretStr(get(there, "ACCESS_TOKEN")),
    )
    if findings:
        raise BadConfiguration(findings)
    findings = _find_missing(credentials, here, there)
    for variable, url in (
        (f"{here}_INSTANCE_URL", credentials.salesforce_url),
        (f"{there}_BASE_URL", credentials.hubspot_url),
    ):
        if has_user(url):
            remedy = "leave out what stands before the @: how to sign in is told by the other variables"
            findings.append(Finding(variable, 0, "has a name or a password in it", remedy))
        elif url and not is_safe_url(url):
            remedy = "use https; plain http is accepted for this machine only (127.0.0.1, localhost)"
            findings.append(Finding(variable, 0, f"{url!r} is not a safe address", remedy))
    if findings:
        raise BadConfiguration(findings)
    return credentials


def _find_missing(credentials: Credentials, here: str, there: str) -> list[Finding]:
    findings = []
    ways = (
        (credentials.session_id,),
        (credentials.consumer_key, credentials.consumer_secret),
        (credentials.username, credentials.password),
    )
    if not credentials.salesforce_url:
        remedy = "e.g. https://yourcompany.my.salesforce.com"
        findings.append(Finding(f"{here}_INSTANCE_URL", 0, "is not set", remedy))
    if not any(all(bool(_plain(part)) for part in way) for way in ways):
        remedy = (
            f"set it, or {here}_CONSUMER_KEY and {here}_CONSUMER_SECRET,"
            f" or {here}_USERNAME, {here}_PASSWORD and {here}_SECURITY_TOKEN"
        )
        findings.append(Finding(f"{here}_SESSION_ID", 0, "is not set", remedy))
    if not credentials.access_token.get_secret_value():
        remedy = "the token of a private app or service key with CRM scopes"
        findings.append(Finding(f"{there}_ACCESS_TOKEN", 0, "is not set", remedy))
    return findings


def _plain(value: SecretStr | str) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def defaults_folder() -> Path:
    """Where the shipped `mappings/` and `config/` are: inside the installed package, or in the checkout."""
    inside = Path(__file__).parent / "defaults"
    return inside if inside.exists() else Path(__file__).parent.parent


def mapping_files(folder: Path) -> list[Path]:
    """The mapping files of a working folder, or the shipped ones if it has none.

    Raises:
        BadConfiguration: one of them is a link to a file elsewhere.
    """
    own = sorted((folder / "mappings").glob("*.yaml"))
    remedy = "put the file itself there"
    if outside := [one for one in own if _leads_out(folder, one)]:
        message = "is a link that leads out of this folder"
        raise BadConfiguration([Finding(str(one), 0, message, remedy) for one in outside])
    return own or sorted((defaults_folder() / "mappings").glob("*.yaml"))


def read_texts(files: Iterable[Path]) -> dict[str, str]:
    """The texts of mapping files by name; of one that is no text, what can be read of it."""
    return {path.name: path.read_bytes().decode(errors="replace") for path in files if path.is_file()}


def load_mapping(settings: Settings, folder: Path) -> dict[str, Pair]:
    """The pairs that are switched on, in order of dependency (P1, P2)."""
    pairs = load_pairs(mapping_files(folder), settings.mapping())
    switched_on = {
        "account-company": settings.sync.companies,
        "contact-contact": settings.sync.contacts,
        "opportunity-deal": settings.sync.deals,
    }
    return {name: pair for name, pair in pairs.items() if switched_on[name]}
