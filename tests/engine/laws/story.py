"""The steps of a story, and the laws that each of them is held to.

| step    | what happens                                                                              | laws       |
|---------|-------------------------------------------------------------------------------------------|------------|
| do      | somebody does something (`salesforce_people.py`, `hubspot_people.py`)                     |            |
| wait    | time passes                                                                               |            |
| sync    | a run                                                                                     |            |
| die     | somebody acts; a run dies at any request, write or commit, before or after it took effect | 4          |
| meddle  | somebody acts, and somebody else in the middle of the run that carries it over            | 5          |
| rest    | runs until nothing is left to do; then all is judged (`oracle.py`)                        | 1-3, 5, 7 |
| forget  | at rest the store is lost; a run on an empty one changes nothing                          | 6          |
| fork    | a run that dies, and one that does not, come to the same rest                             | 4          |
| isolate | what is planned for all others is the same with and without one record                    | 8          |

Laws 10 and 11 are held before and after everything that people do, so also in the middle of a run. A story can be
played again from its steps alone: whom an act is about is told by a number among those that there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from engine.lab import Lab
from engine.laws.oracle import hold_at_rest
from engine.laws.play import Play
from engine.laws.rest import find_spoken
from engine.laws.sight import FIELDS, HUBSPOT_OF, ORDER, SALESFORCE_OF, Sight
from engine.laws.styles import STAGE_FIELD, STYLES

from connector.core.model import Side
from connector.engine.agreed import NEW
from connector.engine.run import Wish
from connector.engine.world import DEALS

ALL = Wish(deletes=True)
RUNS_TO_REST = 8
Act = tuple[Any, ...]
"""What somebody does: a function of `salesforce_people.py` or `hubspot_people.py`, and what with."""
Step = tuple[Any, ...]
"""The name of a method of `Story`, and what with."""


def tell(style: str, steps: Sequence[Step]) -> None:
    """Play a story from its beginning to its rest. Raises `AssertionError` for the first law that does not hold."""
    story = Story(style)
    for name, *arguments in steps:
        story.step(name, *arguments)
    story.come_to_rest()


class Story:
    """One story, played in the organisation of one style."""

    taken = 0
    """Steps of all stories of this process."""

    def __init__(self, style: str) -> None:
        self.style, self.steps = style, list[Step]()
        self.play = Play(STYLES[style])
        self.heights = self.look_at_stages()
        self.opportunities = set(self.play.sight.here("Opportunity"))

    def step(self, name: str, *arguments: Any) -> None:
        Story.taken += 1
        self.steps.append((name, *arguments))
        getattr(self, name)(*arguments)

    # --- what happens ---

    def do(self, act: Act) -> None:
        """Somebody acts. What the connector did until now is judged first, so that nobody is blamed for it."""
        self.hold_always()
        self.play.act(*act)
        self.look_again()

    def look_again(self) -> None:
        """What is there now is what people left."""
        self.heights = self.look_at_stages()
        self.opportunities = set(self.play.sight.here("Opportunity"))

    def wait(self, seconds: int) -> None:
        self.play.lab.clock.advance(timedelta(seconds=seconds))

    def sync(self) -> None:
        self.play.lab.sync(ALL)
        self.hold_always()

    def die(self, act: Act, at: int, after: bool) -> None:
        self.do(act)
        self.play.lab.sync_and_die(at, after_delivery=after)
        self.hold_always()

    def meddle(self, first: Act, at: int, act: Act) -> None:
        self.do(first)
        self.wait(1)
        self.play.lab.sync_while(at, lambda: self.do(act))
        self.hold_always()

    def rest(self) -> None:
        self.come_to_rest()

    def come_to_rest(self) -> None:
        """Law 1, and what the oracle holds at rest."""
        # Past the next sweep, so that deletions in HubSpot that nothing else revealed are known.
        self.play.lab.clock.advance(timedelta(hours=2))
        self.settle(self.play.lab)
        self.hold_always()
        planned = self.play.lab.plan(ALL)
        assert planned.writes == 0, ("law 1: the next plan is empty", list(planned.actions))
        assert planned.made == [], ("law 1: nothing is left to make", planned.made)
        hold_at_rest(self.play)
        self.play.memory.rest({one["record_id"] for one in self.play.lab.problems()})

    def settle(self, lab: Lab) -> None:
        for _ in range(RUNS_TO_REST):
            report = lab.sync(ALL)
            if report.writes == 0:
                return
        raise AssertionError(("law 1: no rest", lab.plan(ALL).actions))

    def forget(self) -> None:
        """Law 6: at rest, an empty store deletes nothing, doubles nothing and changes nothing.

        What is not equal goes by the rules, and so does what was said to be amiss. And nobody can know of an empty
        store which opportunity a deal belonged to that was merged away, nor that a stage was lowered by hand.
        """
        self.come_to_rest()
        before, spoken, memory = look(self.play.sight), find_spoken(self.play), self.play.memory
        self.play.forget()
        report = self.play.lab.sync(ALL)
        if memory.left_over:
            return
        self.hold_unchanged(before, spoken)
        assert sum(sum(one.values()) for one in (*report.created.values(), *report.deleted.values())) == 0
        self.settle(self.play.lab)
        self.hold_unchanged(before, spoken)

    def hold_unchanged(self, before: dict[Any, Any], spoken: set[str]) -> None:
        after = look(self.play.sight)
        assert before.keys() == after.keys(), ("law 6: made or deleted", difference(before, after))
        for key, (one, other) in difference(before, after).items():
            if key == "roles" or not spoken.isdisjoint(key):
                assert spoken, ("law 6", key, one, other)
                continue
            names = {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
            if self.play.memory.lowered or self.play.style.scoped:  # to it, every opportunity without roles is new
                names -= {"lifecyclestage", "sf_days_to_close", "closedate"}
            if spoken:  # what is added up of others may follow them
                names &= {*FIELDS.get(key[0], ()), *FIELDS.get(SALESFORCE_OF.get(key[0], ""), {}).values()}
            assert not names, ("law 6", key, names, one, other)

    def fork(self, act: Act, at: int) -> None:
        """Law 4: any prefix of a run will do; the rest is the same as without the death.

        Not so if search lags, or in the minute in which a role was removed, which getDeleted does not tell yet:
        what was done a moment ago only the later one of both sees in time.
        """
        self.do(act)
        lab, after = self.play.lab, at % 2 == 0
        self.wait(max(int(lab.hubspot.portal.settings.search_delay_seconds), 60))
        spared, struck = lab.copy(), lab.copy()
        if not struck.sync_and_die(at, after_delivery=after):
            return
        spared.sync(ALL)
        spared.clock.advance(struck.clock.now() - spared.clock.now())
        for one in (spared, struck):
            self.settle(one)
            one.clock.advance(timedelta(hours=2))
            self.settle(one)
        first, second = named(Sight(spared)), named(Sight(struck))
        assert first == second, ("law 4", difference(first, second))

    def isolate(self, act: Act, which: int) -> None:
        """Law 8: without one opportunity, the others' plans are the same; those of its contacts and company not."""
        self.do(act)
        lab, sight = self.play.lab, self.play.sight
        gone = self.play.pick(sight.here("Opportunity"), which)
        if gone is None:
            return
        without, deal = lab.copy(), sight.partner("deals", gone)
        without.sf_delete("Opportunity", gone)
        if deal:
            without.hs_delete("deals", deal)
        with_it, rest, touched = plans(lab), plans(without), self.find_touched(gone, deal)
        for key in with_it.keys() | rest.keys():
            if touched.isdisjoint(key) and key[1] == "deals":
                assert with_it.get(key) == rest.get(key), ("law 8", gone, key, with_it.get(key), rest.get(key))

    def find_touched(self, opportunity: str, deal: str | None) -> set[str]:
        """Whose plans may differ without an opportunity: its contacts, and whom a merge of its deal left over.

        Others may have been merged into its deal, or that one into another; it may be gone by now.
        """
        store, sight = self.play.lab.store, self.play.sight
        its = {deal, sight.here("Opportunity")[opportunity].get("HubSpot_Id__c")}
        its |= {one.hubspot_id for one in store.links.by_ids(DEALS, Side.SALESFORCE, [opportunity]).values()}
        deals = {id_ for id_ in its if id_}
        deals |= {id_ for one in sight.there("deals") if its & (ids := sight.ids_of("deals", one)) for id_ in ids}
        while not deals >= (merged := store.records.absorbed(Side.HUBSPOT, "deals", deals).keys()):
            deals |= merged
        left = {one.salesforce_id or "" for one in store.links.by_ids(DEALS, Side.HUBSPOT, deals).values()}
        left |= {id_ for id_, row in sight.here("Opportunity").items() if row.get("HubSpot_Id__c") in deals}
        left |= {one.partner_id or "" for one in store.records.load(Side.HUBSPOT, "deals", deals).values()}
        contacts = {row["ContactId"] for row in sight.roles().values() if row["OpportunityId"] == opportunity}
        touched = {opportunity} | deals | left | contacts
        return touched | {f"{NEW}{id_}" for id_ in touched}  # what is made of one of them is planned about, too

    # --- always ---

    def look_at_stages(self) -> dict[tuple[str, str], str | None]:
        return {
            (object_, id_): row.get("lifecyclestage")
            for object_ in ("contacts", "companies")
            for id_, row in self.play.sight.there(object_).items()
        }

    def hold_always(self) -> None:
        """Laws 10 and 11: since somebody last acted, no opportunity went away, and no stage fell."""
        now = set(self.play.sight.here("Opportunity"))
        assert self.opportunities <= now, "law 10: only people in Salesforce delete opportunities"
        self.opportunities = now
        stages = self.look_at_stages()
        for place, before in self.heights.items():
            assert place in stages, ("D5: only people delete contacts and companies", place)
            if not (self.play.style.backwards and place[0] == "contacts"):
                assert _height(stages[place]) >= _height(before), ("law 11", place, before, stages[place])
            elif _height(stages[place]) < _height(before):
                self.hold_lowering(place[1], stages[place])
        self.heights = stages
        self.play.follow_people()

    def hold_lowering(self, contact: str, stage: str | None) -> None:
        """Law 11 where the mapping lets a stage go backwards: to what Salesforce says, by way of none."""
        named_by = self.play.sight.there("contacts")[contact].get("sf_record_id", "")
        rows = self.play.lab.salesforce.org.store.table("Contact")
        row = rows.get(named_by, deleted=True) or {}
        said = {row.get(STAGE_FIELD), None, *self.play.memory.stages_said.get(named_by, ())}
        assert stage in said, ("law 11: lowered to what nobody said", contact, stage, row)


def _height(stage: str | None) -> int:
    return ORDER.index(stage) if stage else -1


# --- what is compared ---------------------------------------------------------------------------------------------

OWN = (
    "sf_record_id", "lifecyclestage", "hubspot_owner_id", "pipeline", "sf_num_associated_deals", "sf_total_revenue",
    "sf_recent_deal_amount", "sf_recent_deal_close_date", "sf_first_deal_created_date", "sf_days_to_close",
    "closedate",
)  # fmt: skip


def look(sight: Sight) -> dict[Any, Any]:
    """All that matters of both CRMs: fields, owners, accounts, roles, labels, stages, rollups."""
    found: dict[Any, Any] = {}
    for object_, there in HUBSPOT_OF.items():
        here_names = (*FIELDS[object_], "OwnerId", "AccountId", "RecordTypeId", "HubSpot_Id__c")
        there_names = (*FIELDS[object_].values(), *OWN)
        for id_, row in sight.here(object_).items():
            found[object_, id_] = {name: row[name] for name in here_names if name in row}
        for id_, row in sight.there(there).items():
            found[there, id_] = {name: row[name] for name in there_names if name in row}
            if there != "companies":
                found[there, id_] |= {"company": sight.company(there, id_)}
            if there == "deals":
                found[there, id_] |= {"contacts": sight.associated(there, id_, "contacts")}
    roles = [
        (row["OpportunityId"], row["ContactId"], row.get("Role"), row.get("IsPrimary"))
        for row in sight.roles().values()
    ]
    return found | {"roles": sorted(roles, key=str)}


def named(sight: Sight) -> dict[Any, Any]:
    """The same, in which ids are replaced by what tells a thing from all others: the token in its name."""
    whole = look(sight)
    return _replaced(whole, find_tokens(whole))


def find_tokens(whole: dict[Any, Any]) -> dict[str, str]:
    """What tells each record from all others, by its id, of what `look` saw."""
    tokens: dict[str, str] = {}
    for key, row in whole.items():
        if key != "roles":
            text = (
                row.get("Name")
                or row.get("LastName")
                or row.get("dealname")
                or row.get("lastname")
                or row.get("name")
            )
            tokens[key[1]] = f"{key[0]} {(text or key[1]).rpartition('#')[2]}"
    return tokens


def _replaced(value: Any, tokens: dict[str, str]) -> Any:
    match value:
        case dict():
            return {_replaced(key, tokens): _replaced(one, tokens) for key, one in value.items()}
        case tuple():
            return tuple(_replaced(one, tokens) for one in value)
        case list():
            return sorted((_replaced(one, tokens) for one in value), key=str)
        case str():
            return tokens.get(value, value)
        case _:
            return value


def difference(one: dict[Any, Any], other: dict[Any, Any]) -> dict[Any, Any]:
    keys = [key for key in one.keys() | other.keys() if one.get(key) != other.get(key)]
    return {key: (one.get(key), other.get(key)) for key in keys}


def plans(lab: Lab) -> dict[tuple[str, str, str | None, str], Any]:
    """What a run would write, by verb, object, record and source."""
    found: dict[tuple[str, str, str | None, str], Any] = {}
    for one in lab.plan(ALL).actions:
        found.setdefault((one.verb, one.object, one.record, one.of), []).append(
            sorted((change.field, str(change.new)) for change in one.changes)
        )
    return found
