"""What becomes of a run that dies, wherever it dies?

A run has boundaries: each request, and each commit of the store. It can die before and after each of them. A
process that is killed leaves what is durable then, and nothing else: both CRMs, and what the store has committed.
So an undisturbed run is played once, and between any two boundaries what is durable is kept; moments that left the
same are tried once. From each, a new process goes on after the lease has expired, and must come to the rest that
the undisturbed run, the twin, comes to.

| at rest the same as of the twin | both CRMs, by `laws/story.py`; how many records there are, archived ones too;  |
|                                 | pipelines, stages, properties; links with their states; problems; who waits    |
| nothing twice                   | as many records; as many creations, and writes that settled a conflict, in the |
|                                 | journal: those whose answer was lost are found out and noted as done           |
| what a death costs              | API calls of the run that died and of those after it, less those of the twin   |

`test_crashes.py` shows that a process that really dies leaves what was kept. Deaths of the run that recovers from
a death are kept and tried in the same way.
"""

from __future__ import annotations

import hashlib
import pickle
import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from engine.lab import Lab
from engine.laws.sight import HUBSPOT_OF, Sight
from engine.laws.story import difference, find_tokens, look, named

from connector.engine.run import Wish

ALL = Wish(deletes=True)
LEASE, SWEEP = timedelta(minutes=6), timedelta(hours=2)
RUNS_TO_REST = 8

Durable = tuple[bytes, bytes]
"""Both CRMs with their clock, and what the store has committed."""
Do = Callable[[Lab], None]


@dataclass(frozen=True)
class Situation:
    """What happened before a run, and what a person does to have the run, and to go on when it died."""

    name: str
    make: Callable[[], Lab]
    run: Do
    go_on: Do


@dataclass(frozen=True)
class Moment:
    """Between two boundaries. `boundary`: so many were passed; `durable`: the number of what is left then."""

    boundary: int
    durable: int
    calls: int
    """API calls that both CRMs had counted."""


@dataclass
class Album:
    """A run, watched: all its moments, and what was durable at them, each but once."""

    moments: list[Moment] = field(default_factory=list)
    durable: list[Durable] = field(default_factory=list)

    @property
    def boundaries(self) -> int:
        return self.moments[-1].boundary

    def at(self, boundary: int) -> int:
        """What was durable once so many boundaries were passed."""
        return next(one.durable for one in reversed(self.moments) if one.boundary <= boundary)

    def left_by(self, durable: int) -> list[Moment]:
        """The moments at which this was durable."""
        return [one for one in self.moments if one.durable == durable]


Picture = dict[str, Any]


class Rests:
    """The rests that are come to from what is durable once a run was over.

    Most deaths are made good by the next run to the byte: what follows then was seen already, and is not run again.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[Picture, int]] = {}

    def find(self, lab: Lab) -> tuple[Picture, int]:
        """Past the next look for deletions in HubSpot, and on until a run writes nothing; with all calls made."""
        before = count_calls(lab)
        made = repr([sorted(_ask(lab, REMEMBERED[name], {}).items()) for name in ("created", "conflicts")])
        key = (digest_crms(lab), digest_store(lab.durable_store(), past=False), made)
        if key not in self._known:
            lab.clock.advance(SWEEP)
            for _ in range(RUNS_TO_REST):
                if lab.sync(ALL).writes == 0:
                    break
            else:
                raise AssertionError(f"no rest after {RUNS_TO_REST} runs: {lab.plan(ALL).actions}")
            self._known[key] = (picture(lab), count_calls(lab) - before)
        rest, calls = self._known[key]
        return rest, before + calls


@dataclass(frozen=True)
class Death:
    """Where the run died, and where the one that recovered from that; how it ended, and what it cost."""

    situation: str
    at: tuple[int, ...]
    """How many boundaries were passed, by each run that died."""
    wrong: str
    """What differs from the twin, or how it ended instead; empty: nothing."""
    extra: tuple[int, ...] = ()
    """Calls more than the twin's, for each moment that left the same."""


@dataclass
class Outcome:
    """What became of all deaths of one situation."""

    situation: str
    boundaries: int
    tried: list[Death] = field(default_factory=list)
    nested: list[Death] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    """Writes of which the journal still says `intended` at rest, by verb: a run died over them."""

    @property
    def deaths(self) -> int:
        """Before and after each boundary."""
        return 2 * self.boundaries

    @property
    def wrong(self) -> list[Death]:
        return [one for one in (*self.tried, *self.nested) if one.wrong]


def try_deaths(situation: Situation, *, every: int = 1, nested: int = 0) -> Outcome:
    """Let the run die at each moment that leaves something else, or at every so many of them.

    For as many as `nested` of these the run that recovers dies too, at every third moment of its own.
    """
    trial = Trial(situation)
    outcome = Outcome(situation.name, trial.album.boundaries)
    number = len(trial.album.durable)
    for which in range(0, number, every):
        outcome.tried.append(trial.recover(trial.album, which))
        outcome.left += trial.left
    for which in range(1, nested + 1):
        again, before = trial.die_again(which * number // (nested + 1))
        outcome.nested += [trial.recover(again, one, before) for one in range(0, len(again.durable), 3)]
    return outcome


def try_death(situation: Situation, at: Sequence[int]) -> Death:
    """One death, or one and another in the run that recovers from it."""
    trial = Trial(situation)
    first = trial.album.at(at[0])
    if len(at) == 1:
        return trial.recover(trial.album, first)
    again, before = trial.die_again(first)
    return trial.recover(again, again.at(at[1]), before)


class Trial:
    """A situation whose run was watched, and whose twin has come to rest."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._lab = situation.make()
        self.album = watch(self._lab, situation.run)
        self._lab.clock.advance(LEASE)
        self._rests = Rests()
        self._rest, self._calls = self._rests.find(self._lab)
        self.left: Counter[str] = Counter()

    def die_again(self, which: int) -> tuple[Album, int]:
        """The run that recovers, watched; and after how many boundaries the first one had died."""
        self._lab.become(*self.album.durable[which])
        self._lab.clock.advance(LEASE)
        return watch(self._lab, self._situation.go_on), self.album.left_by(which)[0].boundary

    def recover(self, album: Album, which: int, *before: int) -> Death:
        """Go on from what was left, and compare with the twin. `before`: where an earlier run died."""
        lab, name = self._lab, self._situation.name
        lab.become(*album.durable[which])
        moments = album.left_by(which)
        at, began = (*before, moments[0].boundary), count_calls(lab)
        lab.clock.advance(LEASE)
        try:
            self._situation.go_on(lab)
            self.left = _ask(lab, LEFT, {})
            rest, calls = self._rests.find(lab)
        except Exception as error:  # noqa: BLE001  # a crash of the connector is an end like any other
            where = traceback.extract_tb(error.__traceback__)[-1]
            return Death(name, at, f"{type(error).__name__} in {where.name}: {error}")
        more = calls - began - self._calls
        return Death(
            name, at, "; ".join(_tell_differences(self._rest, rest)), tuple(one.calls + more for one in moments)
        )


# --- what is durable at which moment ------------------------------------------------------------------------------


def watch(lab: Lab, run: Do) -> Album:
    """A run that nothing happens to, with what is durable at each of its moments."""
    album = Album()
    lab.fate.revive()
    known: dict[str, int] = {}
    last: dict[str, Any] = {"crms": lab.durable_crms(), "digest": digest_crms(lab)}

    def keep() -> None:
        if album.moments and album.moments[-1].boundary == lab.fate.steps:
            return  # nothing was passed since
        sent, lab.fate.sent = lab.fate.sent, ""
        if sent and not sent.startswith("GET") and (found := digest_crms(lab)) != last["digest"]:
            last.update(crms=lab.durable_crms(), digest=found)
        store = lab.durable_store()
        key = last["digest"] + digest_store(store)
        if key not in known:
            known[key] = len(album.durable)
            album.durable.append((last["crms"], store))
        album.moments.append(Moment(lab.fate.steps, known[key], count_calls(lab)))

    keep()
    with lab.watching(keep):
        run(lab)
    keep()
    return album


def count_calls(lab: Lab) -> int:
    """The API calls that both CRMs have counted so far."""
    return int(lab.salesforce.org.usage.view()["total"] + lab.hubspot.usage.view()["total"])


def digest_crms(lab: Lab) -> str:
    """What both CRMs hold, without their counts of calls."""
    held = lab.salesforce.org.store, lab.salesforce.org.bulk, lab.hubspot.portal
    return hashlib.sha256(pickle.dumps(held)).hexdigest()


def digest_store(committed: bytes, *, past: bool = True) -> str:
    """What a store has committed, but for the lease, which has expired by then, and the count of calls (E3).

    Without its `past`: without runs and what each of them wrote.
    """
    left_out = {"lease"} if past else {"lease", "run", "journal", "image"}
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(committed)
        if not past:
            database.execute("UPDATE link SET linked_run = NULL")
            database.execute("UPDATE record SET associations_read = associations_read IS NULL")
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = hashlib.sha256()
        for name in sorted({*tables} - left_out):
            rows = database.execute(f'SELECT * FROM "{name}"').fetchall()
            found.update(repr([row for row in rows if "calls/" not in str(row)]).encode())
    return found.hexdigest()


# --- rest ---------------------------------------------------------------------------------------------------------


def picture(lab: Lab) -> dict[str, Any]:
    """All that is to be the same whether or not a run died, in which ids are replaced by the tokens of names."""
    sight = Sight(lab)
    whole = look(sight)
    tokens = find_tokens(whole)
    numbers = Counter(key[0] for key in whole if key != "roles")
    archived = {name: len(sight.archived(name)) for name in HUBSPOT_OF.values()}
    binned = {name: len(lab.salesforce.org.store.table(name).bin) for name in (*HUBSPOT_OF, ROLE)}
    portal = lab.hubspot.portal
    pipelines = [
        (one.label, [(stage.label, stage.probability) for stage in one.stages.values() if not stage.archived])
        for one in sight.pipelines().values()
    ]
    labels = sorted(str(name) for name in portal.associations.names(("deals", "contacts")).values())
    properties = {name: sorted(one.name for one in portal.properties[name].all()) for name in archived}
    return {
        "records": named(sight),
        "numbers": numbers | {"roles": len(sight.roles())},
        "archived": archived | binned,
        "set-up": {"pipelines": pipelines, "labels": labels, "properties": properties},
        **{name: _ask(lab, question, tokens) for name, question in REMEMBERED.items()},
    }


ROLE = "OpportunityContactRole"
LEFT = "SELECT verb FROM journal WHERE state = 'intended'"
REMEMBERED = {
    "links": "SELECT pair, state, salesforce_id, hubspot_id FROM link",
    "edges": "SELECT kind, one.salesforce_id, one.hubspot_id, other.salesforce_id, other.hubspot_id FROM edge"
    " JOIN link one ON one.id = child JOIN link other ON other.id = parent",
    "problems": "SELECT side, object, record_id, field, code FROM problem",
    "waiting": "SELECT side, object, record_id, pair, needs_side, needs_id FROM waiting",
    "conflicts": "SELECT side, object, count(*) FROM journal WHERE conflict AND state = 'done' GROUP BY 1, 2",
    "created": "SELECT side, object, count(*) FROM journal WHERE verb = 'create' AND state = 'done' GROUP BY 1, 2",
}


def _ask(lab: Lab, question: str, tokens: dict[str, str]) -> Counter[tuple[Any, ...]]:
    with lab.engine.connect() as connection:
        rows = connection.exec_driver_sql(question).fetchall()
    return Counter(tuple(tokens.get(str(one), one) for one in row) for row in rows)


def _tell_differences(twin: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for name, one in twin.items():
        if one == found[name]:
            continue
        if name == "records":
            for key, (mine, other) in difference(one, found[name]).items():
                differs = (
                    difference(mine, other) if isinstance(mine, dict) and isinstance(other, dict) else (mine, other)
                )
                yield f"{key}: {differs}"
        elif isinstance(one, Counter):
            yield f"{name}: the twin has {dict(one - found[name])}, this one {dict(found[name] - one)}"
        else:
            yield f"{name}: {difference(one, found[name])}"
