"""A sync with nothing to do, and what to try next."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from connector.cli.demo.stage import Play
from connector.cli.printing import reports


def show_rest(play: Play) -> bool:
    """Sync without a cause. Returns whether really nothing was written, by what the CRMs themselves say."""
    before = play.salesforce.latest_write() + play.hubspot.latest_write()
    report = play.sync()
    quiet = report.writes == 0 and before == play.salesforce.latest_write() + play.hubspot.latest_write()
    play.begin("Nothing to do, so nothing is written")
    reports.print_counts(report, play.console)
    if quiet:
        play.console.print("No record on either side has a newer date of change than before.")
    else:
        play.console.print(
            "[bold red]That sync wrote something without a cause: this is a bug, please report it.[/]"
        )
    return quiet


def show_what_next(play: Play, *, keep: bool) -> None:
    command = _command()
    play.begin("What to try next")
    for line in (
        "Both sandboxes, to click around in with your own scripts:",
        f"  {command} sandbox serve --demo",
        "It prints addresses and credentials. Put them into the environment of another terminal:",
        "  export SALESFORCE_INSTANCE_URL=… SALESFORCE_SESSION_ID=…",
        "  export HUBSPOT_BASE_URL=… HUBSPOT_ACCESS_TOKEN=…",
        "There, in a new folder, which will hold the settings and the store:",
        "  mkdir ~/crm && cd ~/crm",
        f"  {command} init     # settings and mappings, to be read and changed",
        f"  {command} check    # is everything there?",
        f"  {command} plan     # what would be written, and why",
        f"  {command} sync",
        "With your own CRMs it is the same, without HUBSPOT_BASE_URL.",
    ):
        play.console.print(line, markup=False, soft_wrap=True)
    if keep:
        play.console.print(f"The store of this demo is kept in {play.folder}", markup=False, soft_wrap=True)


def _command() -> str:
    """How this program can be started from a shell in any folder: by its name, or as it was just now."""
    if shutil.which("connector"):
        return "connector"
    started = Path(sys.argv[0])
    return str(started.absolute()) if started.name == "connector" else f"{sys.executable} -m connector"
