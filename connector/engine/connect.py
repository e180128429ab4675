"""Put a connection together: settings, credentials, both adapters behind their doors, and the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr
from requests.adapters import BaseAdapter

from connector.adapters import hubspot, salesforce
from connector.adapters.http import ATTEMPTS, Door, PlainLoopback
from connector.adapters.hubspot import HubSpot, HubSpotCredentials
from connector.adapters.salesforce import Salesforce, SalesforceCredentials
from connector.addresses import is_plain_loopback
from connector.core.model import Pair, Side
from connector.engine.allocation import Allocation
from connector.engine.world import Connection
from connector.settings import (
    Credentials,
    Settings,
    load_credentials,
    load_mapping,
    load_settings,
    mapping_files,
    read_texts,
)
from connector.store.store import Store

Transports = Mapping[Side, BaseAdapter]


def connect(
    environment: Mapping[str, str],
    folder: Path,
    *,
    transports: Transports | None = None,
    pairs: Mapping[str, Pair] | None = None,
    store: Store | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    attempts: int = ATTEMPTS,
) -> Connection:
    """The connection that a working folder and an environment describe. Nothing is sent yet.

    Args:
        environment: variables as in `os.environ`.
        folder: where `config/` and `mappings/` are looked for.
        transports: what carries requests instead of the network, by side.
        pairs: used instead of what the mapping files say.
        store: used instead of the one that the settings name.
        now: the time, aware.
        sleep: how to wait, in seconds.
        attempts: how often a call is tried in all.

    Raises:
        BadConfiguration: naming everything that is wrong.
    """
    settings = load_settings(environment, folder)
    mapping: Mapping[str, str] = {}
    if pairs is None:
        pairs = load_mapping(settings, folder)
        mapping = read_texts(mapping_files(folder))
    credentials = load_credentials(environment, settings)
    carried = transports or {}
    store = store or Store.open(settings.store, settings.connection, now)
    allocation, confirm = Allocation(settings.daily_calls(), store, now), store.runs.confirm
    return Connection(
        settings=settings,
        pairs=pairs,
        salesforce=_salesforce(
            settings, credentials, carried.get(Side.SALESFORCE), allocation, confirm, sleep, attempts
        ),
        hubspot=_hubspot(settings, credentials, carried.get(Side.HUBSPOT), allocation, confirm, sleep, attempts),
        store=store,
        now=now,
        allocation=allocation,
        mapping=mapping,
    )


def _salesforce(
    settings: Settings,
    given: Credentials,
    transport: BaseAdapter | None,
    allocation: Allocation,
    confirm: Callable[[], None],
    sleep: Callable[[float], None],
    attempts: int,
) -> Salesforce:
    login = SalesforceCredentials(
        instance_url=given.salesforce_url,
        session_id=given.session_id,
        consumer_key=given.consumer_key,
        consumer_secret=given.consumer_secret,
        username=given.username,
        password=given.password,
        security_token=given.security_token,
    )
    mounts: dict[str, BaseAdapter] = {}
    if transport is not None:
        mounts["https://"] = transport
    elif is_plain_loopback(given.salesforce_url):
        mounts[f"{given.salesforce_url.replace('http://', 'https://', 1).rstrip('/')}/"] = PlainLoopback()
    door = Door(
        Side.SALESFORCE,
        salesforce.judge,
        counts=salesforce.is_counted,
        spend=lambda: allocation.spend(Side.SALESFORCE),
        confirm=confirm,
        home=given.salesforce_url,
        secrets=login.secrets,
        mounts=mounts,
        aliases=salesforce.login_aliases(login),
        sleep=sleep,
        attempts=attempts,
        proxy=_reveal(settings.network.proxy),
        ca_bundle=settings.network.ca_bundle,
    )
    return Salesforce(
        door,
        login,
        version=settings.salesforce.api_version,
        overlap=timedelta(minutes=settings.salesforce.overlap_minutes),
    )


def _reveal(given: SecretStr | None) -> str | None:
    return given.get_secret_value() if given else None


def _hubspot(
    settings: Settings,
    given: Credentials,
    transport: BaseAdapter | None,
    allocation: Allocation,
    confirm: Callable[[], None],
    sleep: Callable[[float], None],
    attempts: int,
) -> HubSpot:
    login = HubSpotCredentials(given.hubspot_url, given.access_token)
    door = Door(
        Side.HUBSPOT,
        hubspot.judge,
        spend=lambda: allocation.spend(Side.HUBSPOT),
        writes=hubspot.may_write,
        confirm=confirm,
        home=given.hubspot_url,
        secrets=[login.access_token.get_secret_value()],
        mounts={"https://": transport, "http://": transport} if transport is not None else None,
        sleep=sleep,
        attempts=attempts,
        proxy=_reveal(settings.network.proxy),
        ca_bundle=settings.network.ca_bundle,
    )
    return HubSpot(
        door,
        login,
        version=settings.hubspot.api_version,
        overlap=timedelta(minutes=settings.hubspot.overlap_minutes),
        searches_per_second=settings.hubspot.searches_per_second,
        workers=settings.hubspot.workers,
    )
