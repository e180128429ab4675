"""What do both CRMs have, before there is anything to sync: for files that fit them?

Each side is read for itself; one that cannot be reached, or for which there are no credentials, is told with the
reason and left as it is shipped. Nothing is written, and no store is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connector.adapters.salesforce import Schema
from connector.adapters.salesforce_deletion import ROLE
from connector.adapters.salesforce_setup import find_field_names
from connector.core.model import Side
from connector.engine.connect import Transports, connect
from connector.engine.world import DEALS, Connection
from connector.errors import BadConfiguration, Finding, Unreachable
from connector.mapping.drafts import KnownField, KnownObject
from connector.mapping.schema import OPTIONAL
from connector.settings import defaults_folder
from connector.store.store import Store


@dataclass
class Live:
    """What was found. `known` is by pair and side; `notes` say why a side was not read."""

    known: dict[str, dict[Side, KnownObject]] = field(default_factory=dict)
    record_types: tuple[tuple[str, str], ...] = ()
    """Id and name."""
    pipelines: tuple[tuple[str, str], ...] = ()
    """Id and label."""
    roles: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    time_zone: str | None = None
    """That of the portal."""
    read: tuple[Side, ...] = ()
    notes: tuple[str, ...] = ()
    missing: tuple[Finding, ...] = ()
    """The variables that lack."""


def read_live(environment: Mapping[str, str], *, attempts: int, transports: Transports | None = None) -> Live:
    """Read both sides, as far as they let us. About six calls to each.

    Raises:
        BadConfiguration: an address or a setting in the environment cannot be used.
    """
    store = Store.open("sqlite://", "init", lambda: datetime.now(UTC))
    try:
        c = connect(environment, defaults_folder(), store=store, attempts=attempts, transports=transports)
    except BadConfiguration as error:
        if any(one.message != "is not set" for one in error.findings):
            raise
        store.close()
        return Live(missing=tuple(error.findings), notes=("not read: there are no credentials yet",))
    try:
        return _read(c)
    finally:
        store.close()


def _read(c: Connection) -> Live:
    live = Live()
    looks: tuple[tuple[Side, Callable[[Connection, Live], None]], ...] = (
        (Side.SALESFORCE, _read_salesforce),
        (Side.HUBSPOT, _read_hubspot),
    )
    for side, look in looks:
        try:
            look(c, live)
        except Unreachable as error:
            live.notes += (f"{side} was not read: {error.message}; {error.remedy}",)
            for sides in live.known.values():
                sides.pop(side, None)
        else:
            live.read += (side,)
    return live


def _read_salesforce(c: Connection, live: Live) -> None:
    schema = c.salesforce.describe([*(pair.salesforce for pair in c.pairs.values()), ROLE])
    for pair in c.pairs.values():
        seen = schema.objects.get(pair.salesforce, {})
        if not seen:
            continue
        fields = {
            name: KnownField(bool(one["updateable"] or one["createable"]), _values(one.get("options")))
            for name, one in seen.items()
        }
        mapped = {name for rule in pair.fields for name in rule.salesforce} - OPTIONAL
        every = find_field_names(c.salesforce, pair.salesforce) if mapped - fields.keys() else frozenset()
        live.known.setdefault(pair.name, {})[Side.SALESFORCE] = KnownObject(fields, every - fields.keys())
    live.roles = _roles(schema)
    live.record_types = c.salesforce.set_up().record_types


def _roles(schema: Schema) -> tuple[str, ...]:
    known = schema.objects.get(ROLE, {}).get("Role") or {}
    return tuple(value for value, _ in known.get("options") or ())


def _values(given: Iterable[Iterable[str]] | None) -> tuple[tuple[str, str], ...]:
    return tuple((value, label) for value, label in given or ())


def _read_hubspot(c: Connection, live: Live) -> None:
    live.time_zone = str(c.hubspot.account().get("timeZone") or "") or None
    for pair in c.pairs.values():
        properties = c.hubspot.properties(pair.hubspot)
        fields = {
            name: KnownField(not one.read_only, tuple(zip(one.options, one.option_labels, strict=False)))
            for name, one in properties.items()
        }
        live.known.setdefault(pair.name, {})[Side.HUBSPOT] = KnownObject(fields)
    if DEALS in c.pairs:
        live.pipelines = tuple((one.id, one.label) for one in c.hubspot.pipelines())
        live.labels = tuple(c.hubspot.labels())
