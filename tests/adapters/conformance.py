"""What every adapter promises (`connector/adapters/base.py`), as tests that know no vendor.

Subclass `Conformance` and give it a fixture `bench`: an object of one CRM with the means to make and remove its
records. Nothing here looks behind the adapter, so the same tests run against a sandbox and against a live system.
Records carry keys of their own, and what else there is in the CRM is passed over.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from connector.adapters.base import Crm, Draft, Edit, Outcome, Trouble, Wanted
from connector.core.model import Presence, Record


class Bench(Protocol):
    """What the suite needs of a CRM.

    `unknown` is a possible id that no record has, `blank` a wanted field that no draft fills, `per_batch` how many
    records one write request takes, `per_page` how many one page of a reading has.
    """

    crm: Crm
    object: str
    wanted: Wanted
    blank: str
    per_batch: int
    per_page: int
    unknown: str

    def sign_on(self) -> Crm:
        """A new adapter, as the next run has it."""

    def draft(self, key: str) -> Draft:
        """A record whose partner id is `key`."""

    def bad_draft(self, key: str) -> Draft:
        """One that the vendor refuses for what it lacks."""

    def worse_draft(self, key: str) -> Draft:
        """One with a value of the wrong type."""

    def edit(self, id_: str, text: str) -> Edit:
        """A new name for a record."""

    def bad_edit(self, id_: str) -> Edit:
        """An edit that the vendor refuses."""

    def name_of(self, fields: Any) -> Any:
        """The name among the fields of a record."""

    def remove(self, ids: Sequence[str]) -> None:
        """Delete records behind the adapter's back."""

    def pass_time(self, by: timedelta) -> None:
        """Let time pass; a live system only a little."""

    def settle(self) -> None:
        """Let what was written be found: a live search may lag behind."""


class Looks:
    """A sequence of looks at a CRM, as runs make them: cursors are kept from one to the next."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.cursors: dict[str, Any] = {}

    def look(self) -> dict[str, Record]:
        """The records of one look, by id; of several observations the last."""
        found: dict[str, Record] = {}
        self.bench.settle()
        for page in self.bench.sign_on().changes({self.bench.object: self.bench.wanted}, self.cursors):
            found |= {one.id: one for one in page.records}
            self.cursors |= page.cursors
        return found


_run = uuid.uuid4().hex[:8]
_numbers = itertools.count()


def keys(number: int) -> list[str]:
    """Partner ids that no other record has."""
    return [f"{_run}-{next(_numbers)}" for _ in range(number)]


def flat(batches: Iterable[list[Outcome]]) -> list[Outcome]:
    return [one for batch in batches for one in batch]


def make(bench: Bench, number: int) -> dict[str, str]:
    """New records: id by key."""
    outcomes = flat(bench.crm.create(bench.object, [bench.draft(key) for key in keys(number)], bench.wanted))
    assert [one.refusal for one in outcomes] == [None] * number
    return {one.key: one.id or "" for one in outcomes}


class Conformance:
    """The promises."""

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError("a fixture of this name gives the suite its CRM")

    # --- looking ---

    def test_first_look_sees_everything(self, bench):
        """Without a cursor every record is seen, over page borders."""
        made = make(bench, bench.per_batch + 5)
        seen = Looks(bench).look()
        assert set(made.values()) <= set(seen)
        assert {seen[id_].partner_id for id_ in made.values()} == set(made)

    def test_new_records_are_seen_next_time(self, bench):
        """What was created since the last look is seen by the next."""
        looks = Looks(bench)
        looks.look()
        bench.pass_time(timedelta(hours=2))
        make_first = make(bench, 3)
        assert set(make_first.values()) <= set(looks.look())

    def test_edits_are_seen_next_time(self, bench):
        """An edit is seen with its new value, long after the record was made, however many there are."""
        made = make(bench, bench.per_page + 3)
        looks = Looks(bench)
        looks.look()
        bench.pass_time(timedelta(days=1))
        flat(bench.crm.update(bench.object, [bench.edit(id_, f"New {id_}") for id_ in made.values()]))
        seen = looks.look()
        assert {bench.name_of(seen[id_].fields) for id_ in made.values()} == {f"New {id_}" for id_ in made.values()}

    def test_nothing_is_lost_within_a_minute(self, bench):
        """Looks that follow one another within a minute miss nothing written between them."""
        looks, lost = Looks(bench), set()
        for _ in range(6):
            made = set(make(bench, 1).values())
            lost |= made - set(looks.look())
            made = set(make(bench, 1).values())
            bench.pass_time(timedelta(seconds=11))
            lost |= made - set(looks.look())
        assert not lost

    def test_an_old_record_is_not_seen_forever(self, bench):
        """What has not changed for long is not read again."""
        made = make(bench, 2)
        looks = Looks(bench)
        looks.look()
        bench.pass_time(timedelta(hours=3))
        looks.look()
        assert not set(made.values()) & set(looks.look())

    def test_a_look_also_shows_what_it_is_asked_for(self, bench):
        """In the same number of calls, and once only, though it has not changed for long."""
        made = sorted(make(bench, 3).values())
        looks = Looks(bench)
        looks.look()
        bench.pass_time(timedelta(hours=3))
        looks.look()
        calls, shown = [], []
        for also in ((), (made[0], made[2])):
            crm, wanted = bench.sign_on(), replace(bench.wanted, also=also)
            before = crm.usage().calls
            pages = list(crm.changes({bench.object: wanted}, looks.cursors))
            shown = [one.id for page in pages for one in page.records]
            calls.append(crm.usage().calls - before)
        assert [shown.count(id_) for id_ in (made[0], made[2])] == [1, 1]
        assert calls[0] == calls[1]

    def test_quiet_look_keeps_its_place(self, bench):
        """After looks that saw nothing, the next change is seen all the same."""
        looks = Looks(bench)
        for _ in range(3):
            looks.look()
            bench.pass_time(timedelta(hours=5))
        assert set(make(bench, 1).values()) <= set(looks.look())

    def test_an_interrupted_look_goes_on(self, bench):
        """A run that ends after its first page leaves a cursor from which the next one sees the rest."""
        made = make(bench, bench.per_page + 7)
        looks = Looks(bench)
        bench.settle()
        pages = bench.sign_on().changes({bench.object: bench.wanted}, {})
        first = next(pages)
        pages.close()
        looks.cursors |= first.cursors
        assert set(made.values()) <= {one.id for one in first.records} | set(looks.look())

    def test_equal_observations_have_equal_versions(self, bench):
        """A version changes with the record and only then: what the store drops by."""
        (id_,) = make(bench, 1).values()
        before = Looks(bench).look()[id_]
        assert Looks(bench).look()[id_] == before
        bench.pass_time(timedelta(seconds=2))
        flat(bench.crm.update(bench.object, [bench.edit(id_, "Other")]))
        assert Looks(bench).look()[id_].version != before.version

    def test_looking_and_reading_agree(self, bench):
        """A record is the same however it was read, so that reading again looks like no change."""
        (id_,) = make(bench, 1).values()
        looked, read = Looks(bench).look()[id_], bench.crm.read(bench.object, [id_], bench.wanted)[id_]
        assert read == looked

    def test_records_speak_one_language(self, bench):
        """Times are ISO 8601 in UTC and recent, blank values None, unwanted fields absent."""
        ((key, id_),) = make(bench, 1).items()
        record = Looks(bench).look()[id_]
        for text in (record.created, record.modified):
            assert text.endswith("Z")
            assert datetime.fromisoformat(text).tzinfo == UTC
        assert abs(datetime.fromisoformat(record.created) - datetime.fromisoformat(record.modified)) < timedelta(
            hours=1
        )
        assert record.fields[bench.blank] is None
        assert set(record.fields) == set(bench.wanted.fields)
        assert (record.side, record.object, record.partner_id) == (bench.crm.side, bench.object, key)

    # --- reading ---

    def test_reading_tells_why_something_is_absent(self, bench):
        """Every id asked for gets an answer: present, deleted, or not to be seen."""
        here, gone = make(bench, 2).values()
        bench.remove([gone])
        unknown = bench.unknown
        found = bench.crm.read(bench.object, [here, gone, unknown], bench.wanted)
        assert {id_: one.presence for id_, one in found.items()} == {
            here: Presence.PRESENT,
            gone: Presence.DELETED,
            unknown: Presence.INVISIBLE,
        }

    def test_reading_many(self, bench):
        """More ids than a request takes are read all the same, some of them given twice; none, without a call."""
        made = make(bench, 2 * bench.per_batch + 1)
        found = bench.crm.read(bench.object, [*made.values(), *list(made.values())[-3:]], bench.wanted)
        assert {one.partner_id for one in found.values()} == set(made)
        before = bench.crm.usage().calls
        assert bench.crm.read(bench.object, [], bench.wanted) == {}
        assert bench.crm.usage().calls == before

    def test_finding_by_partner(self, bench):
        """A record is found by the partner id it stores; unknown ids find nothing."""
        made = make(bench, 3)
        found = bench.crm.find(bench.object, [*made, *keys(2)], bench.wanted)
        assert {key: one.id for key, one in found.items()} == made

    # --- writing ---

    def test_one_outcome_per_creation(self, bench):
        """Among many creations each bad one is refused by itself, with a reason, and all others are made."""
        names = keys(bench.per_batch + 10)
        makers = {3: bench.bad_draft, 50: bench.worse_draft, bench.per_batch + 2: bench.worse_draft}
        drafts = [makers.get(number, bench.draft)(key) for number, key in enumerate(names)]
        outcomes = flat(bench.crm.create(bench.object, drafts, bench.wanted))
        assert sorted(one.key for one in outcomes) == sorted(names)
        assert all((one.id is None) != (one.refusal is None) for one in outcomes)
        refused = {one.key: one.refusal for one in outcomes if one.refusal}
        assert set(refused) == {names[number] for number in makers}
        assert all(one.trouble is Trouble.REFUSED and one.message and one.code for one in refused.values())
        made = {one.key: one.id for one in outcomes if one.id}
        found = bench.crm.find(bench.object, list(made), bench.wanted)
        assert {key: one.id for key, one in found.items()} == made

    def test_one_outcome_per_edit(self, bench):
        """Among many edits the bad one and the one that comes too late are refused, and all others are made."""
        ids = list(make(bench, bench.per_batch + 10).values())
        bad, late = ids[4], ids[-2]
        bench.remove([late])
        edits = [bench.bad_edit(id_) if id_ == bad else bench.edit(id_, "New") for id_ in ids]
        outcomes = {one.key: one for one in flat(bench.crm.update(bench.object, edits))}
        assert list(outcomes) == ids
        troubles = {key: one.refusal.trouble for key, one in outcomes.items() if one.refusal}
        assert troubles == {bad: Trouble.REFUSED, late: Trouble.GONE}
        found = bench.crm.read(bench.object, [id_ for id_ in ids if id_ not in troubles], bench.wanted)
        assert {bench.name_of(one.fields) for one in found.values()} == {"New"}

    def test_creating_twice_doubles_nothing(self, bench):
        """A creation that was made before collides, and the record can be found by its partner id."""
        ((key, id_),) = make(bench, 1).items()
        (outcome,) = flat(bench.crm.create(bench.object, [bench.draft(key)], bench.wanted))
        assert outcome.refusal.trouble is Trouble.COLLIDED
        assert outcome.refusal.existing_id in {None, id_}
        assert bench.crm.find(bench.object, [key], bench.wanted)[key].id == id_

    def test_writing_nothing_costs_nothing(self, bench):
        """No inputs, no call."""
        before = bench.crm.usage().calls
        assert flat(bench.crm.create(bench.object, [], bench.wanted)) == []
        assert flat(bench.crm.update(bench.object, [])) == []
        assert bench.crm.usage().calls == before

    # --- what it costs ---

    @pytest.mark.parametrize("factor", [0.5, 1, 1.01, 2.5])
    def test_prices_are_what_is_paid(self, bench, factor):
        """The price of a number of records is the number of calls it takes."""
        number = int(bench.per_batch * factor)
        before = bench.crm.usage().calls

        def paid():
            nonlocal before
            calls, before = bench.crm.usage().calls - before, bench.crm.usage().calls
            return calls

        made = make(bench, number)
        assert paid() == bench.crm.price("create", number)
        flat(bench.crm.update(bench.object, [bench.edit(id_, "New") for id_ in made.values()]))
        assert paid() == bench.crm.price("update", number)
        bench.crm.read(bench.object, list(made.values()), bench.wanted)
        assert paid() == bench.crm.price("read", number)

    def test_calls_left_are_known(self, bench):
        """The vendor tells how many calls are left today, one less with each."""
        (id_,) = make(bench, 1).values()
        before = bench.crm.usage()
        bench.crm.read(bench.object, [id_], bench.wanted)
        after = bench.crm.usage()
        assert (after.calls - before.calls, before.left - after.left) == (1, 1)
