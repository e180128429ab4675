"""All that a portal holds: records, associations, properties, pipelines, owners, and what they share.

The modules beside this one act on a `Portal`; it decides nothing itself but ids and times.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from connector.sandbox.clock import Clock
from connector.sandbox.hubspot.actors import APP, Actor
from connector.sandbox.hubspot.definitions.associations import Associations, Pair, Types
from connector.sandbox.hubspot.definitions.owners import Owners
from connector.sandbox.hubspot.definitions.pipelines import Pipelines
from connector.sandbox.hubspot.definitions.properties import Properties
from connector.sandbox.hubspot.definitions.schema import BY_ALIAS, OBJECT_TYPES, SCOPES_ELSEWHERE, ObjectType
from connector.sandbox.hubspot.errors import missing_scopes, refuse
from connector.sandbox.hubspot.moments import to_ms
from connector.sandbox.hubspot.records.events import Events
from connector.sandbox.hubspot.records.happenings import Linked, Written
from connector.sandbox.hubspot.records.indexing import LinkIndex
from connector.sandbox.hubspot.records.milestones import stage_fields
from connector.sandbox.hubspot.records.news import News
from connector.sandbox.hubspot.records.records import Record, Table
from connector.sandbox.hubspot.settings import Settings

PORTAL_ID = 48160219


class Portal:
    """One HubSpot account, empty at first. The same seed gives the same ids and the same shuffling.

    `actor` is who acts now, and thus the source of what is written; the door sets it for every call.
    """

    def __init__(self, clock: Clock, seed: int, settings: Settings) -> None:
        self.clock = clock
        self.settings = settings
        self.actor: Actor = APP
        self.events = Events()
        self.news = News(self)
        self.random = Random(seed)
        self._last_id = 10_000_000_000 + self.random.randrange(1_000_000_000)
        self.tables = {kind.name: Table() for kind in OBJECT_TYPES}
        self.properties = {kind.name: Properties(kind, self.now) for kind in OBJECT_TYPES}
        self.associations = Associations(self._note_linked)
        self.link_index = LinkIndex()
        self.blocked_emails: set[str] = set()
        self.noted: list[Written | Linked] = []
        self.owners = Owners(self.now, self.next_id)
        self.pipelines = Pipelines(self.now, self.next_id, self._stages_in_use, self._follow_stages)

    def now(self) -> int:
        """Milliseconds since 1970."""
        return to_ms(self.clock.now())

    def next_id(self) -> int:
        """A new id; ids grow, with gaps."""
        self._last_id += 1 + self.random.getrandbits(5)
        return self._last_id

    def kind(self, alias: str) -> ObjectType:
        """The object type by name, singular or type id.

        Raises 400 for none that HubSpot has, and 403 for one of HubSpot's that the sandbox has not.
        """
        kind = BY_ALIAS.get(alias)
        if kind is None and alias in SCOPES_ELSEWHERE:
            raise missing_scopes([SCOPES_ELSEWHERE[alias]])
        if kind is None:
            raise refuse(f"Unable to infer object type from: {alias}")
        return kind

    def next_moment(self, record: Record) -> int:
        """When a record is written now: later than its last write even if the clock stands."""
        return max(self.now(), record.modified + 1)

    def note_written(self, kind: ObjectType, record: Record, names: Iterable[str] = ()) -> None:
        """Take note of a new version of a record, in which the properties `names` may be others than before.

        It is kept out of search for as long as the settings say.
        """
        if names and self.settings.reacts:
            self.noted.append(Written(kind.name, record.id, frozenset(names)))
        if self.settings.search_delay_seconds > 0:
            self.tables[kind.name].hide(record, self._seen_from())

    def note_leaving(self, kind: ObjectType, record: Record) -> None:
        """Take note that a record is about to go. Search goes on showing it for as long as the settings say."""
        if self.settings.search_delay_seconds > 0:
            self.tables[kind.name].linger(record, self._seen_from())

    def _seen_from(self) -> int:
        """When search sees what happens now."""
        return self.now() + int(self.settings.search_delay_seconds * 1_000)

    def _note_linked(self, pair: Pair, start: int, end: int, before: Types, now: Types) -> None:
        if self.settings.search_delay_seconds > 0 and bool(before) is not bool(now):
            self.link_index.note(pair, start, end, linked=bool(before), until=self._seen_from())
        self.news.linked(pair, start, end, before, now)
        if self.settings.reacts:
            self.noted.append(Linked(pair, start, end, before, now))

    def _follow_stages(self, pipelines: Pipelines) -> None:
        """Give deals the calculated properties of the stages there are."""
        stages = (
            (stage.id, stage.label, pipeline.label)
            for pipeline in pipelines.all()
            for stage in pipeline.stages.values()
        )
        self.properties["deals"].follow_stages(stage_fields(stages))

    def _stages_in_use(self) -> set[str]:
        return {record.values.get("dealstage", "") for record in self.tables["deals"].live.values()}
