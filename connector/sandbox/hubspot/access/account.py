"""An account beside the records of its portal: who may come in, what they may do, and how often they have come."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.sandbox.hubspot.access.credentials import Credentials
from connector.sandbox.hubspot.access.limits import Limits
from connector.sandbox.hubspot.access.usage import Usage
from connector.sandbox.hubspot.definitions.schema import OBJECT_TYPES
from connector.sandbox.hubspot.transfers.exports import Exports
from connector.sandbox.hubspot.transfers.imports import Imports
from connector.sandbox.hubspot.webhooks import Webhooks

ALL_SCOPES = (
    *(
        f"crm.{area}.{kind.name}.{act}"
        for area in ("objects", "schemas")
        for kind in OBJECT_TYPES
        for act in ("read", "write")
    ),
    "crm.objects.owners.read",
    "crm.schemas.custom.read",
    "crm.export",
    "crm.import",
    "oauth",
)


@dataclass(slots=True)
class Account:
    """`scopes` are those of the app's tokens, whichever kind they are."""

    credentials: Credentials
    webhooks: Webhooks
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))
    usage: Usage = field(default_factory=Usage)
    limits: Limits = field(default_factory=Limits)
    imports: Imports = field(default_factory=Imports)
    exports: Exports = field(default_factory=Exports)
