"""Stories without an author: the Hypothesis state machine that lets people, runs and deaths come in any order."""

from __future__ import annotations

from typing import Any

from engine.laws import hubspot_people, salesforce_people
from engine.laws.story import Story
from engine.laws.styles import STYLES
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule


def acts(*rows: salesforce_people.Row) -> st.SearchStrategy[Any]:
    """Any of these acts, with anything that it may be done with."""
    return st.one_of([st.tuples(st.just(do), *map(st.sampled_from, given)) for do, *given in rows])


HERE = {kind: acts(*rows) for kind, rows in salesforce_people.ACTS.items()}
THERE = {kind: acts(*rows) for kind, rows in hubspot_people.ACTS.items()}
EDITS_HERE, EDITS_THERE = acts(*salesforce_people.EDITS), acts(*hubspot_people.EDITS)
ANY = st.one_of(*HERE.values(), *THERE.values())
NEXT = st.integers(min_value=1, max_value=40)
STRIKE = NEXT | st.integers(min_value=-4, max_value=-1)  # at a step, or at the first to fourth write
WAITS = st.sampled_from([1, 59, 61, 1000, 3700, 90000])


class World(RuleBasedStateMachine):
    """One story in any of the `styles`, by the steps of `Story`. It ends at rest, where most laws speak."""

    styles = tuple(STYLES)
    last: Story | None = None
    """The story that was played last, in this process."""

    @initialize(data=st.data())
    def begin(self, data: Any) -> None:
        self.story = World.last = Story(data.draw(st.sampled_from(self.styles)))

    def teardown(self) -> None:
        if hasattr(self, "story"):
            self.story.come_to_rest()

    @rule(act=HERE["make"] | THERE["make"])
    def make(self, act: Any) -> None:
        self.story.step("do", act)

    @rule(act=HERE["edit"])
    def edit_in_salesforce(self, act: Any) -> None:
        self.story.step("do", act)

    @rule(act=THERE["edit"])
    def edit_in_hubspot(self, act: Any) -> None:
        self.story.step("do", act)

    @rule(act=HERE["relate"])
    def relate_in_salesforce(self, act: Any) -> None:
        self.story.step("do", act)

    @rule(act=THERE["relate"])
    def relate_in_hubspot(self, act: Any) -> None:
        self.story.step("do", act)

    @rule(act=HERE["end"] | THERE["end"])
    def end(self, act: Any) -> None:
        self.story.step("do", act)

    @rule(act=HERE["arrange"])
    def arrange_in_salesforce(self, act: Any) -> None:
        self.story.step("do", act)

    @rule(act=THERE["arrange"])
    def arrange_in_hubspot(self, act: Any) -> None:
        self.story.step("do", act)

    @rule(here=EDITS_HERE, there=EDITS_THERE, hubspot_first=st.booleans())
    def edit_both(self, here: Any, there: Any, hubspot_first: bool) -> None:
        first, second = (there, here) if hubspot_first else (here, there)
        self.story.step("do", first)
        self.story.wait(1)
        self.story.step("do", second)

    @rule(seconds=WAITS)
    def wait(self, seconds: int) -> None:
        self.story.step("wait", seconds)

    @rule()
    def sync(self) -> None:
        self.story.step("sync")

    @rule(act=ANY, at=STRIKE, after=st.booleans())
    def die(self, act: Any, at: int, after: bool) -> None:
        self.story.step("die", act, at, after)

    @rule(first=ANY, at=NEXT, act=ANY)
    def meddle(self, first: Any, at: int, act: Any) -> None:
        self.story.step("meddle", first, at, act)

    @rule(how=st.sampled_from(["rest", "forget", "fork", "isolate"]), act=ANY, which=st.integers(0, 5), at=STRIKE)
    def examine(self, how: str, act: Any, which: int, at: int) -> None:
        """The more costly questions."""
        arguments = {"fork": (act, at), "isolate": (act, which)}
        self.story.step(how, *arguments.get(how, ()))
