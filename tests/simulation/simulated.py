"""The steps of a simulation: those of a story (`engine/laws/story.py`), and whatever can go wrong.

| step     | what happens                                                                                     |
|----------|--------------------------------------------------------------------------------------------------|
| do, wait | as in a story; acts are those of people, and the troubles of `trouble.py`                        |
| weather  | what happens on the way from now on: nothing, or some faults (`weather.py`)                      |
| run      | a run in that weather                                                                            |
| die      | a run in that weather, whose process dies at some request or commit                              |
| meddle   | a run in the middle of which somebody acts                                                       |
| twice    | a run in the middle of which another process tries to begin one                                  |
| ask      | another command than `sync`, which may die too (`commands.py`)                                   |
| undo     | one of the last runs is taken back; that may die, and is completed by the next run               |
| pause    | a process that stands still in the middle of its run, while another one takes over               |
| lock     | a run while somebody else's job holds rows of Salesforce                                         |
| fill     | a run on whose disk there is no room any more, from some commit on                               |
| back up  | the store is copied aside                                                                        |
| put back | the store is as it was when it was last copied                                                   |
| lose     | the store is gone                                                                                |
| rest     | the weather is calm, troubles end, and after a day all is judged as in a story                   |
| fork     | in a calm: a twin's run dies, and it comes to the same rest (law 4)                              |
| isolate  | in a calm: without one opportunity, the others' plans are the same (law 8)                       |

A run may end in an error only if something struck it. What must never happen at all is held after every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from engine.lab import Died
from engine.laws.oracle import hold_one_in_one_out
from engine.laws.play import Play
from engine.laws.rest import Rest
from engine.laws.sight import HUBSPOT_OF
from engine.laws.story import ALL, Act, Step, Story
from engine.laws.styles import DEALS
from simulation import trouble
from simulation.commands import COMMANDS, finish_import, let_all_go
from simulation.weather import Order, Weather

from connector.core.model import Side
from connector.engine.run import sync
from connector.engine.suspension import find_suspension, resume
from connector.engine.undo import undo
from connector.errors import Busy, Spent, Stop

Steps = Sequence[Step]
CLERK = "administration@acme.example"
"""Whoever acts in the CRMs' own pages; in Salesforce the connector is somebody else, whom rules can tell apart."""


def simulate(style: str, steps: Steps) -> None:
    """Play a simulation to its rest. Raises `AssertionError` for the first thing that must not be."""
    simulation = Simulation(style)
    for name, *arguments in steps:
        simulation.step(name, *arguments)
    simulation.come_to_rest()


class Simulation(Story):
    """One simulation, in the organisation of one style."""

    def __init__(self, style: str) -> None:
        super().__init__(style)
        lab = self.play.lab
        lab.token_of_people = lab.hubspot.sign_in(CLERK)
        self.play.expected |= {"INVALID_EMAIL", "CONFLICTING_UNIQUE_VALUE"}
        self.play.scopes = lab.hs("GET", "/_sandbox/scopes")
        self.weather_now = Weather(lab)
        self.backup: bytes | None = None
        self.most: int | None = None
        self.troubled = False
        self.was_ahead = False
        """Whether the connector's own clock was ahead since the last rest."""
        self.undoes = False
        """Whether a run that is under way takes back another one, or completes that first."""
        self.runs = 0

    # --- what happens on the way, and to whom ---

    def weather(self, *orders: Order) -> None:
        self.weather_now.change(orders)

    def do(self, act: Act) -> None:
        lab, memory = self.play.lab, self.play.memory
        lab.session_of_people = lab.salesforce.sign_in(CLERK)  # the last one may have ended
        named = {row.get("sf_record_id"): deal for deal, row in self.play.sight.there("deals").items()}
        super().do(act)
        gone = named.keys() - self.play.sight.here("Opportunity").keys()
        if gone:
            known = lab.store.links.by_ids(DEALS, Side.SALESFORCE, [one for one in gone if one])
            deals = {named[one]: known[one].hubspot_id if one in known else None for one in gone}
            memory.unknown |= {
                deal
                for deal in deals.keys() & self.play.sight.there("deals").keys()
                if deals[deal] not in self.play.sight.ids_of("deals", deal)
            }
        memory.moved_people |= memory.made  # who is made in HubSpot's own pages has the first stage

    def trouble(self, act: Act) -> None:
        """As `do`, of what may make a run fail."""
        self.troubled = True
        self.do(act)
        self.was_ahead |= self.play.lab.drift > timedelta(0)

    def budget(self, calls: int) -> None:
        """So many calls may be made to each CRM in 24 hours, until all comes to rest."""
        self.allow(calls)

    def allow(self, calls: int | None) -> None:
        self.most, environment = calls, self.play.lab.environment
        for name in ("CONNECTOR__SALESFORCE__DAILY_CALLS", "CONNECTOR__HUBSPOT__DAILY_CALLS"):
            environment.pop(name, None)
            if calls is not None:
                environment[name] = str(calls)

    def back_up(self) -> None:
        self.backup = self.play.lab.durable_store()

    def put_back(self) -> None:
        if self.backup is not None:
            self._excuse_all()
            self.play.put_back(self.backup)

    def lose(self) -> None:
        self._excuse_all()
        self.play.forget()

    def _excuse_all(self) -> None:
        """A store that knows less than it did: what people did since is told only by what both CRMs show.

        Much may be written then that nobody moved of late. Of a record that a person deleted meanwhile, nobody can
        know whether its partner was to go along, or outlived it; that is said to be amiss, and nothing is deleted.
        """
        memory, sight = self.play.memory, self.play.sight
        self.weather_now.forget_calls()
        self._loosen_all()
        for here, there in HUBSPOT_OF.items():
            known = sight.here(here)
            for id_, row in sight.there(there).items():
                if row.get("sf_record_id") and row["sf_record_id"] not in known:
                    memory.unknown.add(id_)
            memory.bereft |= set(self.play.lab.salesforce.org.store.table(here).bin)
            memory.bereft |= {
                row["sf_record_id"] for row in sight.archived(there).values() if row.get("sf_record_id")
            }

    # --- runs ---

    def run(self) -> None:
        lab = self.play.lab
        lab.fate.revive()
        self.try_to(lambda: sync(lab.connection(), ALL))
        lab.clock.advance(timedelta(seconds=1))

    def sync(self) -> None:
        self.run()

    def die(self, act: Act, at: int, after: bool) -> None:
        self.do(act)
        self.try_to(lambda: self.play.lab.sync_and_die(at, after_delivery=after))
        self.play.lab.fate.revive()

    def meddle(self, first: Act, at: int, act: Act) -> None:
        self.do(first)
        self.wait(1)
        self._run_while(at, lambda: self.do(act))

    def twice(self, at: int) -> None:
        refused = []

        def begin_another() -> None:
            try:
                sync(self.play.lab.connection(), ALL)
            except Busy as busy:
                refused.append(busy)
            else:
                raise AssertionError("one run at a time: two were under way")

        self._run_while(at, begin_another)

    def pause(self, at: int) -> None:
        def stand_still() -> None:
            self.play.lab.clock.advance(timedelta(minutes=12))
            self.try_to(lambda: sync(self.play.lab.connection(), ALL), excused=True)
            noted.append(deepcopy(self.weather_now.calls))

        noted: list[Any] = []
        most, self.most = self.most, None
        self._run_while(at, stand_still, excused=True)
        self.most = most
        if noted:  # what it called after it woke up, and before it saw that another one was at work
            self.weather_now.calls = noted[0]

    def ask(self, command: str, act: Act, at: int) -> None:
        """Somebody acts, after the plan if there is one, and a command writes; it may die at some step of that.

        A plan or an audit does not die: of its calls no more than a few are known then (E3).
        """
        lab = self.play.lab

        def act_and_expose() -> None:
            self.do(act)
            self.wait(1)
            self._let_die(at)

        lab.fate.revive()
        self._try_to_die(lambda: COMMANDS[command](lab, act_and_expose))

    def undo(self, back: int, at: int) -> None:
        """One of the last runs is taken back, and what it did is done again once all comes to rest.

        That is as if people did it: no other thing deletes an opportunity, or lowers a stage.
        """
        lab = self.play.lab
        runs = [one["run"] for one in lab.store.runs.page(back)]
        if not runs or (run := lab.store.runs.find(runs[-1])) is None or run.forgotten is not None:
            return
        self.hold_always()
        self.undoes = True
        lab.fate.revive()
        self._let_die(at)
        self._try_to_die(lambda: undo(lab.connection(), run.id))

    def _let_die(self, at: int) -> None:
        """At so many requests and commits from now on, every other one after it took effect; 0: not at all."""
        fate = self.play.lab.fate
        fate.strike_at, fate.after_delivery = (fate.steps + at if at else None), at % 2 == 1

    def _try_to_die(self, run: Callable[[], Any]) -> None:
        def until_death() -> None:
            try:
                with suppress(Died):
                    run()
            finally:
                self.play.lab.fate.revive()

        self.try_to(until_death)
        self.play.lab.clock.advance(timedelta(minutes=6))

    def _run_while(self, at: int, interruption: Callable[[], None], *, excused: bool = False) -> None:
        lab = self.play.lab
        lab.fate.revive()
        lab.fate.interrupt_at, lab.fate.interruption = at, interruption
        self.try_to(lambda: sync(lab.connection(), ALL), excused=excused)
        lab.fate.revive()
        lab.clock.advance(timedelta(seconds=1))

    def lock(self, which: int) -> None:
        """A run during which somebody else's job holds rows of Salesforce, for some writes each."""
        lab, sight = self.play.lab, self.play.sight
        ids = [id_ for object_ in HUBSPOT_OF for id_ in sorted(sight.here(object_))][which % 3 :: 2]
        if ids:
            lab.sandbox_post("salesforce", "locks", {"ids": ids, "requests": 1 + which % 4})
        self.run()
        lab.sf("DELETE", "/_sandbox/locks")

    def fill(self, at: int) -> None:
        lab, made = self.play.lab, deepcopy(self.weather_now.calls)
        with lab.on_full_disk(at):
            self.try_to(lambda: sync(lab.connection(), ALL), excused=True)
        self.weather_now.calls = made  # nowhere to be noted: nobody can know of them
        lab.clock.advance(timedelta(minutes=6))

    def try_to(self, run: Callable[[], Any], *, excused: bool = False) -> None:
        """Let a run be made. It may end in an error only if there was a reason."""
        self.runs += 1
        struck = self.weather_now.struck
        ended: list[Stop] = []

        def run_to_an_end(_: Play) -> None:
            try:
                run()
            except Stop as error:
                ended.append(error)

        self.undoes |= self.play.lab.store.runs.find_cut_short() is not None
        if self.undoes:
            self._loosen_all()
            self.play.act(run_to_an_end)
            self._loosen_all()
        else:
            run_to_an_end(self.play)
        hindered = excused or self.troubled or self.weather_now.struck > struck or self._is_hindered()
        spent = self.most is not None and any(isinstance(one, Spent) for one in ended)
        assert not ended or hindered or spent, ("a run ended without need", *ended, [one.remedy for one in ended])
        self.hold_always()
        self.undoes = False

    def _loosen_all(self) -> None:
        """Much may be written now that nobody moved of late."""
        self.play.memory.loose |= {id_ for _, id_ in self.play.sight.alive()} | {"stages", "owners"}

    def _is_hindered(self) -> bool:
        """Whether an earlier run met what keeps this one from beginning, or died and left its lease."""
        store = self.play.lab.store
        return store.runs.read("suspension") is not None or store.runs.is_under_way()

    # --- what is asked of twins, as in a story ---

    def fork(self, act: Act, at: int) -> None:
        self._ask_twins(lambda: super(Simulation, self).fork(act, at))

    def isolate(self, act: Act, which: int) -> None:
        self._ask_twins(lambda: super(Simulation, self).isolate(act, which))

    def _ask_twins(self, ask: Callable[[], None]) -> None:
        """In a calm, and of their calls nothing is counted."""
        most, made = self.most, deepcopy(self.weather_now.calls)
        self.weather_now.change(())
        self.allow(None)
        ask()
        self.allow(most)
        self.weather_now.calls = made

    # --- what must never happen, and what must be in the end ---

    def hold_always(self) -> None:
        if self.undoes:
            self.look_again()
        super().hold_always()
        hold_one_in_one_out(Rest(self.play))
        self.hold_budget()

    def hold_budget(self) -> None:
        """E3: no more calls than are allowed in any 24 hours of the connector's clock."""
        if self.most is None:
            return
        for side, calls in self.weather_now.calls.items():
            for hour in calls:
                until = (datetime.fromisoformat(f"{hour}:00") + timedelta(hours=23)).isoformat()[:13]
                made = sum(number for when, number in calls.items() if hour <= when <= until)
                assert made <= self.most, ("E3: more calls than allowed", side, hour, made)

    def come_to_rest(self) -> None:
        """Faults end, and a day passes: what failed is tried again by then (E2).

        What was noted by a clock that was ahead is tried once that is right again. After a day nobody could know
        that it was wrong; so a run is made at once, and another one, as a lease may be in the way of the first.
        """
        lab, most = self.play.lab, self.most
        self.weather_now.change(())
        trouble.relieve(self.play)
        self.allow(None)
        lab.drift = timedelta(0)
        suspended = find_suspension(lab.store)
        if suspended is not None and not suspended.ends_by_itself:  # the others have to go on by themselves (E4)
            resume(lab.store)
        self.troubled = False
        if self.was_ahead:
            self.run()
            lab.clock.advance(timedelta(minutes=6))
            self.run()
            self.was_ahead = False
        lab.clock.advance(timedelta(hours=26))
        lab.fate.revive()
        if lab.store.runs.find_cut_short() is not None:
            self.run()
        finish_import(lab)
        if lab.store.holds.count():
            self.settle(lab)  # nothing is left to do while it is held either
            let_all_go(lab)
        super().come_to_rest()
        self.weather_now.forget_calls()
        self.allow(most)
