"""An event as it stands in the body of a webhook (HubSpot docs, "Webhooks API" and "Create generic webhook
subscriptions").

| event | further keys |
|---|---|
| creation, deletion | `changeFlag` |
| propertyChange | `propertyName`, `propertyValue`; generic also `isSensitive` |
| merge | `primaryObjectId`, `mergedObjectIds`, `newObjectId`, `numberOfPropertiesMoved` |
| associationChange | `associationType`, `fromObjectId`, `toObjectId`, `associationRemoved`, |
| | `isPrimaryAssociation`; generic also `associationTypeId`, `associationCategory`, |
| | `fromObjectTypeId`, `toObjectTypeId` |

The generic types have `objectTypeId` too. The documentation's example of `changeFlag` for a creation is `NEW`, what
is seen on the wire is `CREATED`: a setting says which.
"""

from __future__ import annotations

from typing import Any

from connector.sandbox.hubspot.definitions.schema import BY_ALIAS
from connector.sandbox.hubspot.records.events import Event
from connector.sandbox.hubspot.webhooks.subscriptions import Subscription

ONLY_GENERIC = ("associationTypeId", "associationCategory", "fromObjectTypeId", "toObjectTypeId")


def render(event: Event, subscription: Subscription, event_id: int, created_flag: str) -> dict[str, Any]:
    """All but what belongs to the account and to the attempt."""
    body = {
        "eventId": event_id,
        "subscriptionId": subscription.id,
        "occurredAt": event.at,
        "subscriptionType": subscription.event_type,
        "objectId": event.record_id,
        "changeSource": event.source,
        **({"sourceId": event.source_id} if event.source_id else {}),
        **_details(event, created_flag),
    }
    if subscription.generic:
        return body | _generic(event)
    return {name: value for name, value in body.items() if name not in ONLY_GENERIC}


def _details(event: Event, created_flag: str) -> dict[str, Any]:
    match event.what:
        case "creation":
            return {"changeFlag": created_flag}
        case "deletion":
            return {"changeFlag": "DELETED"}
    return event.details


def _generic(event: Event) -> dict[str, Any]:
    if event.what == "associationChange":
        return {}
    more = {"isSensitive": False} if event.what == "propertyChange" else {}
    return {"objectTypeId": BY_ALIAS[event.kind].type_id, **more}
