"""What is wrong with the mapping files, given what both CRMs have? Everything at once (F3).

Offline, both schemas are those that a run, or a check with `--live`, has last read; what was never read is not
checked against, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from connector.core.model import Pair, Side
from connector.engine.mappings.seen import look_at_fields
from connector.engine.schemas import KnownSchemas, read_schemas, recall_schemas, remember_schemas
from connector.engine.scope import find_scope_faults
from connector.engine.world import Connection
from connector.errors import Finding, Severity
from connector.mapping.checks import check_pair, check_roles
from connector.mapping.files import MappingRead, PairFile, read_mapping
from connector.mapping.roles import ROLE_PAIR
from connector.mapping.schema import Schemas
from connector.settings import Settings, mapping_files
from connector.store.store import Store


@dataclass(frozen=True, slots=True)
class Validation:
    """All findings, and what they are founded on: `read_at` is when the schemas were read, None: never.

    `unchecked` are objects whose fields are not known, so that nothing could be said of them.
    """

    files: tuple[str, ...]
    findings: tuple[Finding, ...]
    read_at: datetime | None
    live: bool
    unchecked: tuple[str, ...] = ()

    def of(self, severity: Severity) -> list[Finding]:
        return [one for one in self.findings if one.severity is severity]


def validate_offline(settings: Settings, folder: Path, store: Store | None) -> Validation:
    """Check against the schemas and records that the store knows. Asks neither CRM."""
    known = recall_schemas(store) if store else KnownSchemas({side: {} for side in Side})
    files = mapping_files(folder)
    return _validate(settings, files, known, store, live=False)


def validate_live(c: Connection, folder: Path) -> Validation:
    """The same against schemas that are read now, and remembered."""
    files = mapping_files(folder)
    read = read_mapping(files, c.settings.mapping())
    schemas = read_schemas(c, read.pairs.values())
    with c.store.transaction():
        remember_schemas(c.store, schemas, c.now())
    return _validate(c.settings, files, KnownSchemas(schemas, c.now()), c.store, live=True)


def _validate(
    settings: Settings, files: Sequence[Path], known: KnownSchemas, store: Store | None, *, live: bool
) -> Validation:
    read = read_mapping(files, settings.mapping())
    findings = [*read.findings, *check_mapping(read, settings, known.schemas, store)]
    order = [str(path) for path in files]
    findings.sort(key=lambda one: (order.index(one.where) if one.where in order else -1, one.line, one.column))
    unchecked = [
        pair.object(side)
        for pair in read.pairs.values()
        for side in Side
        if pair.object(side) not in known.schemas.get(side, {})
    ]
    return Validation(tuple(order), tuple(findings), known.at, live, tuple(unchecked))


def check_mapping(read: MappingRead, settings: Settings, schemas: Schemas, store: Store | None) -> list[Finding]:
    """What both schemas, and the records seen, say about the files that could be read."""
    zone = settings.mapping().time_zone
    pairs = [pair for pair in read.pairs.values() if isinstance(read.files[pair.name].parsed, PairFile)]
    seen = look_at_fields(store, pairs) if store else {}
    findings: list[Finding] = []
    if (roles := read.files.get(ROLE_PAIR)) is not None:
        findings += check_roles(roles, schemas)
    for pair in pairs:
        findings += check_pair(pair, read.files[pair.name], schemas, zone, seen.get(pair.name, {}))
        findings += _check_scope(pair, schemas)
    return findings


def _check_scope(pair: Pair, schemas: Schemas) -> list[Finding]:
    """Conditions that ask for what is not there (A8)."""
    found = []
    for side in Side:
        known = schemas.get(side, {}).get(pair.object(side))
        if known is not None:
            types = {name: one.type for name, one in known.items()}
            found += find_scope_faults(pair, side, partial(types.get), types)
    return found
