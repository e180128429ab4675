"""Who are the people, record types and pipelines of both sides, as the last look found them?

Every run reads them. They are kept, so that what asks neither CRM can name an owner or a stage, and judge a field
as a run would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from connector.adapters.hubspot import Owner
from connector.adapters.salesforce import User
from connector.core.pipelines import Pipeline, RecordType, Stage, StageDefinition
from connector.store.store import Store

STREAM = "people and pipelines"


@dataclass(frozen=True, slots=True)
class KnownSetUp:
    """What both sides have beside records."""

    users: tuple[User, ...] = ()
    owners: tuple[Owner, ...] = ()
    record_types: tuple[RecordType, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()

    def find_pipeline(self, id_: str) -> Pipeline | None:
        return next((one for one in self.pipelines if one.id == id_), None)

    def find_stage(self, pipeline_id: str, stage_id: str) -> Stage | None:
        pipeline = self.find_pipeline(pipeline_id)
        return next((one for one in pipeline.stages if one.id == stage_id), None) if pipeline else None


def remember_set_up(store: Store, known: KnownSetUp) -> None:
    """Keep it, if it is not what is kept already."""
    if recall_set_up(store) != known:
        store.runs.remember(STREAM, asdict(known))


def recall_set_up(store: Store) -> KnownSetUp:
    """What was kept; nothing before the first look."""
    found: Mapping[str, Any] | None = store.runs.read(STREAM)
    if not found:
        return KnownSetUp()
    return KnownSetUp(
        users=tuple(User(**one) for one in found["users"]),
        owners=tuple(Owner(**one) for one in found["owners"]),
        record_types=tuple(
            RecordType(one["id"], one["name"], tuple(StageDefinition(**stage) for stage in one["stages"]))
            for one in found["record_types"]
        ),
        pipelines=tuple(
            Pipeline(one["id"], one["label"], tuple(Stage(**stage) for stage in one["stages"]), one["order"])
            for one in found["pipelines"]
        ),
    )
