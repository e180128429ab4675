"""How a sandbox portal is set where HubSpot's behaviour is configurable, or not established.

Each default is what HubSpot most likely does; tests turn a switch to see a client stand the other answer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

LIFECYCLE_BACKWARD = ("ignore", "allow", "error")


@dataclass(slots=True)
class Settings:
    """The switches.

    search_delay_seconds: how long after a write search still answers the version before it.
    lifecycle_backward: what a write of an earlier lifecycle stage does: it is ignored, allowed, or refused.
    merge_mints_new_id: a merge makes a new record, and both old ids lead to it.
    max_pipelines: how many deal pipelines the subscription allows.
    archived_keeps_unique_value: an archived record goes on holding its unique values.
    conflict_names_existing: a conflict in a batch has `context.existingId`.
    shuffle_batches: the results of a batch come in another order than its inputs.
    """

    search_delay_seconds: float = 0.0
    lifecycle_backward: str = "ignore"
    merge_mints_new_id: bool = False
    max_pipelines: int = 15
    archived_keeps_unique_value: bool = False
    conflict_names_existing: bool = False
    shuffle_batches: bool = True

    def change(self, given: Any) -> None:
        """Set some of the switches, or none. Raises `ValueError` for an unknown name or a wrong value."""
        if not isinstance(given, dict):
            raise ValueError("expected an object of settings")  # noqa: TRY004  # it is data that is wrong
        types = {item.name: type(item.default) for item in fields(self)}
        for name, value in given.items():
            if name not in types:
                raise ValueError(f"there is no setting {name}")
            if not _fits(value, types[name]):
                raise ValueError(f"{name} takes a {types[name].__name__}")
        if given.get("lifecycle_backward", "ignore") not in LIFECYCLE_BACKWARD:
            raise ValueError(f"lifecycle_backward is one of {', '.join(LIFECYCLE_BACKWARD)}")
        for name, value in given.items():
            setattr(self, name, value)

    def view(self) -> dict[str, Any]:
        return asdict(self)


def _fits(value: Any, wanted: type) -> bool:
    if isinstance(value, bool) or wanted is bool:
        return isinstance(value, bool) and wanted is bool
    return isinstance(value, (int, float) if wanted is float else wanted)
