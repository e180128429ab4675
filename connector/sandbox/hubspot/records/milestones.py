"""When did a record come to a stage and leave it, and how long was it there? Told from the stage's own history.

| property | of | value |
|---|---|---|
| `hs_v2_date_entered_{stage}` | contacts, companies, deals | when the record last came to the stage |
| `hs_v2_date_exited_{stage}` | | when it last left it |
| `hs_v2_latest_time_in_{stage}` | | milliseconds of its last stay there that has ended |
| `hs_v2_cumulative_time_in_{stage}` | | milliseconds of all its stays there that have ended |
| `hs_lifecyclestage_{stage}_date` | contacts, companies | when it became that, unless it was lowered since |

The last row are the older properties of the eight stages that HubSpot ships; the others exist for every stage, also
for those that people add, and go when their stage goes. Whether a stage that is skipped counts as become is not
established. Sources: HubSpot Knowledge Base, "Use stage calculated properties" and "Use lifecycle stages".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from connector.sandbox.hubspot.definitions.schema import BECAME, Field
from connector.sandbox.hubspot.moments import to_iso
from connector.sandbox.hubspot.records.records import Record, Version

LIFECYCLE_STAGE, DEAL_STAGE = "lifecyclestage", "dealstage"
LIFECYCLE_PIPELINE = "Lifecycle Stage Pipeline"
STAGE_PROPERTY = {"contacts": LIFECYCLE_STAGE, "companies": LIFECYCLE_STAGE, "deals": DEAL_STAGE}

Stay = tuple[int, int | None]  # from, until; None as long as it lasts
_Tell = Callable[[Sequence[Stay]], str | None]


# -- the stays in one stage


def _entered(stays: Sequence[Stay]) -> str | None:
    return to_iso(stays[-1][0])


def _exited(stays: Sequence[Stay]) -> str | None:
    ended = [until for _, until in stays if until is not None]
    return to_iso(ended[-1]) if ended else None


def _latest(stays: Sequence[Stay]) -> str | None:
    ended = [until - since for since, until in stays if until is not None]
    return str(ended[-1]) if ended else None


def _cumulative(stays: Sequence[Stay]) -> str | None:
    ended = [until - since for since, until in stays if until is not None]
    return str(sum(ended)) if ended else None


# How a property's name begins -> how its label begins, its form, what it tells.
_TOLD: dict[str, tuple[str, str, _Tell]] = {
    "hs_v2_date_entered_": ("Date entered", "datetime", _entered),
    "hs_v2_date_exited_": ("Date exited", "datetime", _exited),
    "hs_v2_latest_time_in_": ("Latest time in", "number", _latest),
    "hs_v2_cumulative_time_in_": ("Cumulative time in", "number", _cumulative),
}


def stage_fields(stages: Iterable[tuple[str, str, str]]) -> Iterator[Field]:
    """The properties of `(stage id, label, label of its pipeline)`."""
    for stage_id, label, pipeline in stages:
        for start, (words, form, _) in _TOLD.items():
            yield Field(f"{start}{stage_id}", f'{words} "{label} ({pipeline})"', form, writer="calculation")


def stays_in(history: Sequence[Version], stage: str) -> list[Stay]:
    """When a record was in a stage, oldest stay first. `history` is the newest first, as records tell it."""
    stays: list[Stay] = []
    until: int | None = None
    for version in history:
        if version.value == stage:
            stays.append((version.at, until))
        until = version.at
    return stays[::-1]


# -- what a record became


def became(history: Sequence[Version], ranks: Mapping[str, int], *, fill_skipped: bool) -> dict[str, int]:
    """When a record became each stage it has been raised to.

    A move back takes the dates of all stages above; clearing the stage takes none. With `fill_skipped` a move
    forward dates the stages that it skips too.
    """
    dates: dict[str, int] = {}
    before = ""
    for version in reversed(history):
        rank = ranks.get(version.value)
        if rank is not None:
            dates = {stage: at for stage, at in dates.items() if not before or ranks.get(stage, rank) <= rank}
            if fill_skipped:
                low = ranks.get(before, -1)
                dates |= {stage: version.at for stage, other in ranks.items() if low < other < rank}
            dates[version.value] = version.at
        before = version.value
    return dates


# -- reading


def teller(
    kind: str, name: str, ranks: Mapping[str, int], *, fill_skipped: bool
) -> Callable[[Record], str | None] | None:
    """How to read one of these properties; None for a name that is none. `ranks` are of lifecycle stages."""
    for start, (_, _, tell) in _TOLD.items():
        if name.startswith(start):
            return _stay_teller(STAGE_PROPERTY[kind], name.removeprefix(start), tell)
    stage = BECAME.get(name) if STAGE_PROPERTY[kind] == LIFECYCLE_STAGE else None
    return None if stage is None else _became_teller(stage, ranks, fill_skipped=fill_skipped)


def _stay_teller(stage_property: str, stage: str, tell: _Tell) -> Callable[[Record], str | None]:
    def read(record: Record) -> str | None:
        stays = stays_in(record.history(stage_property), stage)
        return tell(stays) if stays else None

    return read


def _became_teller(stage: str, ranks: Mapping[str, int], *, fill_skipped: bool) -> Callable[[Record], str | None]:
    def read(record: Record) -> str | None:
        at = became(record.history(LIFECYCLE_STAGE), ranks, fill_skipped=fill_skipped).get(stage)
        return None if at is None else to_iso(at)

    return read
