"""What do all scenes play on? Both sandboxes on ports, a connector between them, and tables of before and after."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from connector.cli.printing import terminal
from connector.cli.windows import HubSpotWindow, SalesforceWindow
from connector.engine import run
from connector.engine.connect import connect
from connector.sandbox.clock import Clock
from connector.sandbox.demo import load_demo
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.salesforce import SalesforceSandbox
from connector.sandbox.server import serving
from connector.settings import load_mapping, load_settings
from connector.store.store import Store

if TYPE_CHECKING:
    from rich.console import Console

    from connector.core.model import Pair
    from connector.engine.report import Report

MORNING = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
"""When the play begins; the sandboxes' clock stands there until a scene moves it on."""
GONE = "gone"


@dataclass
class Play:
    """What the scenes share. `taken` are opportunities and contacts that a scene has used."""

    salesforce: SalesforceWindow
    hubspot: HubSpotWindow
    clock: Clock
    environment: dict[str, str]
    folder: Path
    pairs: Mapping[str, Pair]
    console: Console = field(default_factory=terminal.out)
    scene: int = 0
    taken: set[str] = field(default_factory=set)
    person: str = ""
    """The Salesforce contact whose lifecycle was shown; its deals are added up afterwards."""

    def begin(self, title: str, *sentences: str) -> None:
        self.scene += 1
        self.console.print(f"\n[bold cyan]{self.scene}  {title}[/]")
        for sentence in sentences:
            self.console.print(sentence)

    def run(self, act: Callable[..., Report]) -> Report:
        """One run of the connector, as the command line makes it."""
        connection = connect(self.environment, self.folder, now=self.clock.now, pairs=self.pairs)
        try:
            return act(connection)
        finally:
            connection.store.close()

    def sync(self, **later: float) -> Report:
        """A run; `later`, as `timedelta` takes it, since what was done before (two minutes)."""
        self.clock.advance(timedelta(**(later or {"minutes": 2})))
        return self.run(run.sync)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """What the connector remembers, as `connector status` reads it."""
        store = Store.open(self.environment["CONNECTOR_STORE_URL"], "default", self.clock.now)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def set_stage(seed: int, *, keep: bool) -> Iterator[Play]:
    """Both sandboxes on ports, filled, while the block runs."""
    clock = Clock(MORNING)
    salesforce, hubspot = SalesforceSandbox(clock, seed), HubSpotSandbox(clock, seed)
    load_demo(salesforce, hubspot, salesforce.session_id, hubspot.access_token, seed)
    with ExitStack() as stack:
        if keep:
            folder = Path(tempfile.mkdtemp(prefix="connector-demo-"))
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="connector-demo-")))
        here, there = stack.enter_context(serving(salesforce, hubspot))
        yield Play(
            SalesforceWindow(here, salesforce.session_id),
            HubSpotWindow(there, hubspot.access_token),
            clock,
            {
                "SALESFORCE_INSTANCE_URL": here,
                "SALESFORCE_SESSION_ID": salesforce.session_id,
                "HUBSPOT_BASE_URL": there,
                "HUBSPOT_ACCESS_TOKEN": hubspot.access_token,
                "CONNECTOR_STORE_URL": f"sqlite:///{folder / 'connector.db'}",
                # HubSpot's five searches a second would be most of the play.
                "CONNECTOR__HUBSPOT__SEARCHES_PER_SECOND": "0",
            },
            folder,
            load_mapping(load_settings({}, folder), folder),
        )


@dataclass(frozen=True, slots=True)
class Edit:
    """Something a person does on one side, and how to see it: a look for each column."""

    what: str
    act: Callable[[], object]
    looks: Sequence[Callable[[], str]]


def play_edits(play: Play, columns: Sequence[str], edits: Sequence[Edit], **later: float) -> None:
    """Do all of it, sync once, and show what changed in each column."""
    before = [[look() for look in edit.looks] for edit in edits]
    for edit in edits:
        edit.act()
    play.sync(**later)
    table = terminal.make_table("what somebody does", *columns)
    for edit, old in zip(edits, before, strict=True):
        table.add_row(edit.what, *(change(one, look()) for one, look in zip(old, edit.looks, strict=True)))
    play.console.print(table)


def play_steps(
    play: Play, columns: Sequence[str], looks: Sequence[Callable[[], str]], steps: Sequence[Edit]
) -> None:
    """One thing after the other, with a sync after each, seen in the same columns every time."""
    table = terminal.make_table("what somebody does", *columns)
    seen = [look() for look in looks]
    table.add_row("at first", *seen)
    for step in steps:
        step.act()
        play.sync()
        now = [look() for look in looks]
        table.add_row(
            step.what, *(f"[bold]{one}[/]" if one != old else one for one, old in zip(now, seen, strict=True))
        )
        seen = now
    play.console.print(table)


def change(before: str, after: str) -> str:
    """`5 → 6`, or just what stayed."""
    return before if before == after else f"{before} → [bold]{after}[/]"
