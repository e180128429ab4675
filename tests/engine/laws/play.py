"""A story under way: the lab it is played in, and what its people did.

That is remembered for the laws: what they typed must not vanish (5), what nobody touched must not be written (3),
what they deleted explains an absence (7, 10), what they lowered may be low (11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from engine.lab import _empty_store
from engine.laws.sight import FIELDS, HUBSPOT_OF, OWN_PIPELINE, SALESFORCE_OF, Sight
from engine.laws.styles import FIRST_NUMBER, OUT, Style, begin

NOT_EDITED, UNKNOWN = object(), object()
EXPECTED = {
    "DUPLICATE", "LEFT_OVER_BY_MERGE", "NO_COUNTERPART", "PARTNER_NOT_READABLE", "REQUIRED_FIELD_MISSING",
    "SEVERAL_CURRENCIES", "LIFECYCLE_BACKWARD", "CONFLICT",
}  # fmt: skip
"""The problems that may be left to people in these stories. Any other one is of the connector's making."""


class Memory:
    """What people did. Fields have Salesforce's names on both sides; `object` is that of the side."""

    def __init__(self) -> None:
        self.typed: dict[tuple[str, str, str], Any] = {}
        """The last value that a person typed, by (object, id, field)."""
        self.edited: dict[tuple[str, str], Any] = {}
        """The same since the last rest, by (id, field)."""
        self.touched: set[tuple[str, str]] = set()
        """(id, field) that moved since the last rest by people, or because of what they did."""
        self.loose: set[str] = set()
        """Records that were merged, restored, moved, or crossed the border of scope since the last rest."""
        self.owed: set[str] = set()
        """Records of which something was told to be amiss at the last rest: it may be made good at any time."""
        self.bereft: set[str] = set()
        """Salesforce records whose partner a person deleted or merged away, by either id that names them."""
        self.mixed: set[str] = set()
        """Tokens of records that were merged: their names may be another's by now."""
        self.left_over: set[str] = set()
        """Salesforce records whose HubSpot record was merged into that of another one."""
        self.excused: set[str] = set()
        """Deals that outlive their opportunity, because the pair was stopped or frozen when it went (D9)."""
        self.unknown: set[str] = set()
        """Deals whose opportunity went before a new or older store knew of the pair: they are told instead (D6)."""
        self.made: set[str] = set()
        """HubSpot records that people made."""
        self.moved_people: set[str] = set()
        """Contacts and companies of HubSpot that a deal, a company or a person may have moved."""
        self.ever_loose: set[str] = set()
        """All that were ever loose."""
        self.restored: set[str] = set()
        """HubSpot records that a person brought back."""
        self.old_labels: dict[str, str] = {}
        """What a stage was called before somebody renamed it, and the name by which Salesforce knows it."""
        self.stages_said: dict[str, list[str | None]] = {}
        """Every stage that Salesforce was told of a contact, in the style `backwards`."""
        self.lowered: set[str] = set()
        """Contacts and companies whose stage a person lowered or cleared."""

    def rest(self, told: set[str]) -> None:
        self.owed = told
        self.edited.clear()
        self.touched.clear()
        self.ever_loose |= self.loose
        self.loose.clear()

    def forget(self, ids: set[str]) -> None:
        """What is typed into a record that a person deletes or merges, a person gives up."""
        self.typed = {key: value for key, value in self.typed.items() if key[1] not in ids}


class Play:
    """One story: a style's lab, and its people."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.expected = set(EXPECTED)
        self.lab = begin(style)
        self.sight = Sight(self.lab)
        self.memory = Memory()
        self.number = FIRST_NUMBER
        self.still_before: set[str] = set()
        """Both records of each pair that was stopped or frozen at the last rest."""
        self.paired_before = self.paired()
        """(object of Salesforce, id, id in HubSpot) of each pair at the last rest."""
        self.journal: list[dict[str, Any]] = []
        """All that the connector wrote, whatever store remembers it; `fresh` is what came since the last rest."""
        self.fresh: list[dict[str, Any]] = []
        self._read_until = self.lab.store.runs.last()["run"]
        self.follow_people()

    def token(self) -> int:
        self.number += 1
        return self.number

    # --- who is meant ---

    def pick(self, ids: Sequence[str] | dict[str, Any], which: int | None) -> str | None:
        """One of the records there are, whatever their number."""
        some = sorted(ids)
        return None if which is None or not some else some[which % len(some)]

    def here(self, object_: str, which: int | None) -> str | None:
        return self.pick(self.sight.here(object_), which)

    def there(self, object_: str, which: int | None) -> str | None:
        return self.pick(self.sight.there(object_), which)

    def rename(self, object_: str, id_: str, text: str) -> str:
        """A new name that nobody had, with the token that tells the thing from all others."""
        side = self.sight.here(object_) if object_ in HUBSPOT_OF else self.sight.there(object_)
        names = [row for field, row in side[id_].items() if field in _NAMES]
        token = names[0].rpartition("#")[2] if names else self.token()
        return f"{text.strip()} {self.token()} #{token}"

    def paired(self) -> set[tuple[str, str, str]]:
        """The pairs there are."""
        return {(name, *both) for name in HUBSPOT_OF for both in self.sight.pairs(name).items()}

    @property
    def stage_names(self) -> dict[str, str]:
        """The name by which Salesforce has known a stage from the beginning, by id in HubSpot and by label.

        HubSpot shows, and people choose there, what a stage was called until a run saw that it was renamed.
        """
        names = {row["MasterLabel"]: name for name, row in self.sight.stages(active=False).items()}
        names = self.memory.old_labels | names
        found = dict(names)
        for pipeline in self.sight.pipelines():
            found |= {id_: names.get(label, label) for id_, label in self.sight.stages_of(pipeline).items()}
        return found

    # --- the connector ---

    def read_journal(self) -> None:
        """Take in what was written since this was last asked."""
        last = self.lab.store.runs.page(1)  # one that died too
        until = last[0]["run"] if last else 0
        runs = range(self._read_until + 1, until + 1)
        self.fresh = [entry for run in runs for entry in self.lab.store.journal.of_run(run)]
        self.journal += self.fresh
        self._read_until = until

    def forget(self) -> None:
        """The store is lost; what it said of the past is kept for the judge.

        Of an opportunity in the recycle bin nobody knows now whether it took its deal along or outlived it. If it
        is restored, the safe reading is taken: it stays without one (D3).
        """
        self.memory.bereft |= self.lab.salesforce.org.store.table("Opportunity").bin.keys()
        self.put_back(_empty_store())

    def put_back(self, committed: bytes) -> None:
        """The store is another one, or an older one; what it said is kept for the judge."""
        self.read_journal()
        self.lab.put_back(committed)
        last = self.lab.store.runs.page(1)
        self._read_until = last[0]["run"] if last else 0

    def put_store_back(self, photograph: bytes) -> None:
        """The store goes back to an older state; what it said since is kept for the judge."""
        self.read_journal()
        self.lab.put_store_back(photograph)
        self._read_until = self.lab.store.runs.last()["run"]

    # --- what they do ---

    def edit_here(self, object_: str, id_: str, **values: Any) -> None:
        self.lab.sf_edit(object_, id_, **values)
        self.note(object_, id_, **values)

    def edit_there(self, object_: str, id_: str, **values: Any) -> None:
        """An edit of a HubSpot record, in Salesforce's words; a stage is one of the record's own pipeline."""
        names = FIELDS[SALESFORCE_OF[object_]]
        properties = {names[field]: "" if value is None else str(value) for field, value in values.items()}
        if values.get("CloseDate"):
            properties["closedate"] = f"{values['CloseDate']}T00:00:00Z"
        if "StageName" in values:
            stages = self.sight.stages_of(self.sight.there(object_)[id_]["pipeline"])
            properties["dealstage"] = next(one for one, label in stages.items() if label == values["StageName"])
        self.lab.hs_edit(object_, id_, **properties)
        self.note(object_, id_, **values)
        if "StageName" in values and self.sight.odds_of(self.sight.there(object_)[id_]) in {0.0, 1.0}:
            self.close_date_is_hubspots(id_)

    def close_date_is_hubspots(self, deal: str) -> None:
        """HubSpot sets the close date by itself when a deal is closed."""
        self.memory.typed.pop(("deals", deal, "CloseDate"), None)
        self.memory.touched.add((deal, "CloseDate"))
        self.memory.edited[deal, "CloseDate"] = UNKNOWN

    def note(self, object_: str, id_: str, **values: Any) -> None:
        """Remember what was typed; what a person types over is no loss."""
        for field, value in values.items():
            if field in FIELDS.get(SALESFORCE_OF.get(object_, object_), ()):
                self.memory.typed[object_, id_, field] = value
            self.memory.touched.add((id_, field))
            self.memory.edited[id_, field] = value

    def loosen(self, object_: str, id_: str) -> None:
        """Its pair is another one from now on, or takes part in another way: then much may be written."""
        row = (self.sight.here(object_) if object_ in HUBSPOT_OF else self.sight.there(object_)).get(id_, {})
        partner = self.sight.partner(HUBSPOT_OF[object_], id_) if object_ in HUBSPOT_OF else row.get("sf_record_id")
        self.memory.loose |= {id_, *([partner] if partner else ())}

    def act(self, do: Callable[..., None], *arguments: Any) -> None:
        """Let somebody do something, and remember who is gone afterwards."""
        before = self.sight.alive()
        still = {id_ for id_ in self.sight.here("Opportunity") if self.is_still(id_)}
        do(self, *arguments)
        gone = before.keys() - self.sight.alive().keys()
        self.memory.forget({id_ for _, id_ in gone})
        named = {id_: row.get("sf_record_id") for (_, id_), row in before.items()}
        lost = {id_ for _, id_ in gone}
        partners = {one for one, name in named.items() if name in lost} | {named[one] or one for one in lost}
        self.memory.loose |= lost | partners
        for object_, id_ in gone:
            row = before[object_, id_]
            if object_ in SALESFORCE_OF:
                self.memory.bereft |= {id_, *self.survivors(row.get("sf_record_id") or id_)}
                self.memory.made.discard(id_)
            elif object_ == "Opportunity" and id_ in still:
                self.memory.excused |= {
                    deal for deal, one in self.sight.there("deals").items() if one.get("sf_record_id") == id_
                }
        self.memory.excused |= {
            deal
            for deal, row in self.sight.there("deals").items()
            if row.get("sf_record_id", "") not in self.sight.here("Opportunity")
            and (self.is_out("deals", row) or not self.syncs(row))
        }  # before a run saw that its opportunity was deleted, the deal was stopped, or frozen
        self.follow_people()

    def survivors(self, id_: str) -> Iterator[str]:
        """A Salesforce record, and those that it was merged into, one after the other."""
        bins = [self.lab.salesforce.org.store.table(name).bin for name in HUBSPOT_OF]
        while id_:
            yield id_
            id_ = next((some[id_].get("MasterRecordId") for some in bins if id_ in some), None) or ""

    def follow_people(self) -> None:
        """Who is, or was, on a deal, or is the company of one."""
        for deal in self.sight.there("deals"):
            for to in ("contacts", "companies"):
                self.memory.moved_people |= self.sight.associated("deals", deal, to).keys()

    # --- who takes part ---

    def is_out(self, object_: str, row: Any) -> bool:
        """Whether the filters of the style keep a record out (A8)."""
        name, value = OUT[object_]
        return self.style.scoped and str(row.get(name, "")).casefold() == value.casefold()

    def syncs(self, deal: Any) -> bool:
        """Whether a deal is in a pipeline that stands for a record type (O5)."""
        pipeline = self.sight.pipelines().get(deal.get("pipeline", ""))
        return pipeline is not None and pipeline.id != OWN_PIPELINE and pipeline.label.startswith("Salesforce - ")

    def is_still(self, opportunity: str) -> bool:
        """Whether neither side of this opportunity's pair may change the other (O5, A8)."""
        row = self.sight.here("Opportunity").get(opportunity)
        deal = self.sight.there("deals").get(self.sight.partner("deals", opportunity) or "")
        if row is None or deal is None:
            return row is not None and self.is_out("Opportunity", row)
        return self.is_out("Opportunity", row) or self.is_out("deals", deal) or not self.syncs(deal)


_NAMES = {"Name", "LastName", "dealname", "lastname", "name"}
