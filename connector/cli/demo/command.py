"""`connector demo`: which scenes are there, and in which order?

Scenes do something as a person would, through the CRMs' own APIs, sync, and show what is then there on both sides,
before and after. One of them proves that a sync with nothing to do writes nothing; if it did write, the demo fails.
The same seed tells the same story: the sandboxes' clock stands, and is moved on by the scenes.
"""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.printing import terminal

WROTE_WITHOUT_CAUSE = 1


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel="Try it out",
        epilog=terminal.make_examples("connector demo", "connector demo --seed 7 --keep"),
    )(demo)


def demo(
    seed: Annotated[int, typer.Option(metavar="N", help="The made-up organisation follows from it.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the working folder with the store.")] = False,
) -> None:
    """See it work: two sandboxes with made-up data, edits on both sides, and what syncing makes of them.

    Takes some ten seconds, needs no account, and talks to this machine only.
    """
    from connector.cli.demo import beginning, deletions, edits, ending, marketing, roles  # noqa: PLC0415  # slow to import
    from connector.cli.demo.stage import set_stage  # noqa: PLC0415  # slow to import

    with set_stage(seed, keep=keep) as play:
        beginning.show_both(play)
        beginning.show_plan(play)
        beginning.show_first_sync(play)
        edits.show_edits(play)
        roles.show_roles(play)
        marketing.show_lifecycle(play)
        marketing.show_rollups(play)
        deletions.show_deletions(play)
        quiet = ending.show_rest(play)
        ending.show_what_next(play, keep=keep)
    if not quiet:
        raise typer.Exit(WROTE_WITHOUT_CAUSE)
