"""How are runs, problems, conflicts and links listed, and what a person did about them?

Ids are whole: the 18 characters of Salesforce, which no spreadsheet mistakes for one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from connector.cli.printing.explanations import KINDS, MATCHES, describe_now, history_table
from connector.cli.printing.terminal import NAMES, count, describe_age, indent, make_table, moment, out, show

if TYPE_CHECKING:
    from connector.engine.answers.conflicts import ConflictAnswer, Resolution
    from connector.engine.answers.explain import Explanation
    from connector.engine.answers.links import Relinked, Unlinked
    from connector.engine.answers.problems import ProblemAnswer
    from connector.engine.answers.runs import KindOfWrites, RunAnswer

STATUS_STYLES = {"ok": "green", "problems": "yellow", "running": "cyan", "by hand": "dim"}


# --- runs -------------------------------------------------------------------------------------------------


def print_runs(runs: Sequence[RunAnswer], limit: int) -> None:
    """One row a run, the latest first."""
    console = out()
    if not runs:
        console.print("No run yet. Begin with `connector check`, then `connector plan`.")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("run", justify="right")
    for name in ("ended", "begun (UTC)"):
        table.add_column(name, no_wrap=True)
    for name in ("took", "made", "changed", "deleted", "contacts", "calls"):
        table.add_column(name, justify="right")
    for one in runs:
        numbers = (one.created, one.updated, one.deleted, one.associations, sum(one.calls.values()))
        table.add_row(
            str(one.run),
            Text(one.status if one.kind == "sync" else one.kind, STATUS_STYLES.get(one.status, "red")),
            moment(one.started).removesuffix(" UTC"),
            "" if one.seconds is None else describe_age(one.seconds),
            *(f"{number:,}" if number else "-" for number in numbers),
        )
    console.print(table)
    if len(runs) == limit and runs[-1].run > 1:
        console.print(f"Earlier ones: `connector runs --before {runs[-1].run}`.")


def print_run(run: RunAnswer, kinds: Sequence[KindOfWrites]) -> None:
    """A run with its counts, and its writes by side and object."""
    console = out()
    took = "" if run.seconds is None else f", took {describe_age(run.seconds)}"
    console.print(f"[bold]Run {run.run}[/] ({run.kind}): {run.status}, begun {moment(run.started)}{took}")
    if run.status == "running":
        console.print("  It is under way; or its process is gone, and the next run goes on from there.")
    calls = "; ".join(f"{NAMES[side]} {run.calls[side.value]:,}" for side in NAMES)
    console.print(
        f"  API calls: {calls}. Conflicts: {run.conflicts:,}. Problems open at its end: {run.problems:,}."
    )
    for note in (run.report or {}).get("notes", ()):
        console.print(indent(f"note: {escape(note)}", 2))
    if run.forgotten is not None:
        console.print(f"  What it wrote is forgotten since {moment(run.forgotten)}: it cannot be undone any more.")
    elif not kinds:
        console.print("  Nothing was written.")
    for kind in kinds:
        title = f"{NAMES[kind.side]} {KINDS.get(kind.object, kind.object)}: {kind.verb} {kind.number:,}"
        console.print(f"\n[bold]{escape(title)}[/]")
        console.print(indent(history_table(kind.writes, runs=False), 2))
        if len(kind.writes) < kind.number:
            rest = kind.number - len(kind.writes)
            console.print(f"  … and {rest:,} more; `--limit` shows them, `--record` looks for one")


# --- problems ---------------------------------------------------------------------------------------------


def print_problems(problems: Sequence[ProblemAnswer], hidden: int, limit: int) -> None:
    """Each with what to do about it."""
    console = out()
    also = f"; {hidden:,} more {'is' if hidden == 1 else 'are'} ignored" if hidden else ""
    if not problems:
        console.print(f"[bold green]No problems[/]{also}")
        return
    console.print(f"[bold yellow]{count(len(problems), 'problem')}[/]{also}")
    for one in problems[:limit]:
        print_problem(one, console)
    if len(problems) > limit:
        console.print(f"  … and {len(problems) - limit:,} more; `--limit`, `--class` and `--object` choose")


def print_problem(one: ProblemAnswer, console: Console) -> None:
    field = f", {one.field}" if one.field else ""
    hidden = f" [dim]ignored since {moment(one.ignored_since)}[/]" if one.ignored_since else ""
    where = f"{NAMES[one.side]} {one.object} {one.record_id}{field}"
    console.print(f"  [bold]{escape(one.cause)}[/]: {escape(where)}{hidden}")
    console.print(indent(escape(one.detail)))
    if one.refused is not None:
        console.print(indent(f"refused value: {escape(show(one.refused))}"))
    if one.remedy:
        console.print(indent(f"→ {escape(one.remedy)}"))
    tried = f"since {moment(one.since)}, tried {count(one.attempts, 'time')}"
    again = f"; next try {moment(one.next_try)}" if one.next_try else "; next try when the record changes"
    console.print(indent(f"[dim]{tried}{again}[/]"))


def print_problem_act(what: str, found: Sequence[ProblemAnswer]) -> None:
    """What was done with problems: retried, ignored, or shown again."""
    console = out()
    said = {
        "retried": "the next run tries again: `connector sync`",
        "ignored": "hidden until it is another detail or value; `connector problems list --ignored` shows what is",
        "shown": "open again",
    }[what]
    console.print(f"[bold green]{count(len(found), 'problem')}[/]: {said}")
    for one in found:
        field = f", {one.field}" if one.field else ""
        console.print(f"  {escape(one.cause)}: {NAMES[one.side]} {one.object} {one.record_id}{escape(field)}")


# --- conflicts --------------------------------------------------------------------------------------------


def print_conflicts(found: Sequence[ConflictAnswer], limit: int) -> None:
    """The held ones with how to settle them, then the settled ones with what lost."""
    console = out()
    held = [one for one in found if one.state == "held"]
    settled = [one for one in found if one.state != "held"]
    if not found:
        console.print("[bold green]No conflicts[/]")
        return
    if held:
        console.print(f"[bold yellow]{count(len(held), 'conflict')} held for a person[/]")
    for one in held:
        console.print(f"  [bold]{escape(one.field)}[/] of {one.salesforce_id} “{escape(one.name)}”")
        console.print(indent(f"Salesforce: {escape(show(one.salesforce))}; HubSpot: {escape(show(one.hubspot))}"))
        if one.chosen is not None:
            console.print(indent(f"[green]chosen: {escape(show(one.chosen))}; the next run writes it[/]"))
        else:
            name = one.field.partition(" ")[0].partition("+")[0]
            console.print(
                indent(f"→ connector conflicts resolve {one.salesforce_id} {name} --take salesforce|hubspot|VALUE")
            )
        console.print(indent(f"[dim]since {moment(one.at)}[/]"))
    if settled:
        console.print(f"[bold]{count(len(settled), 'conflict')} settled by rule[/], the latest first")
    for one in settled:
        winner = NAMES[one.winner] if one.winner else ""
        console.print(f"  [bold]{escape(one.field)}[/] of {one.salesforce_id} “{escape(one.name)}”: {winner} won")
        console.print(indent(f"{escape(show(one.won))} replaced {escape(show(one.lost))}"))
        if one.evidence:
            console.print(indent(escape(one.evidence)))
        if one.chosen is not None:
            console.print(indent(f"[green]chosen since: {escape(show(one.chosen))}; the next run writes it[/]"))
        if one.overruled_in is not None:
            console.print(indent(f"a person has chosen otherwise since: run {one.overruled_in}"))
        console.print(indent(f"[dim]run {one.run}, {moment(one.at)}[/]"))
    if len(settled) == limit:
        console.print("  there may be earlier ones; `--limit` and `--since` choose")


def print_resolution(found: Resolution) -> None:
    """What was chosen, and what the next run will do."""
    console = out()
    value = " / ".join(show(one) for one in found.takes)
    there = " and ".join(NAMES[side] for side in found.writes_to)
    console.print(f"[bold green]Chosen[/]: {escape(value)} for {escape(found.field)} (run {found.run})")
    for side, values in found.instead_of.items():
        console.print(
            f"  {NAMES[next(one for one in NAMES if one == side)]} holds {escape(' / '.join(map(show, values)))}"
        )
    console.print(f"  → `connector sync` writes it to {there}; if either side is edited before, the choice is void")


# --- links ------------------------------------------------------------------------------------------------


def print_link(found: Explanation) -> None:
    """A link, its records, and what both sides agreed on."""
    console, link = out(), found.link
    if link is None:
        return
    since = f", since run {link.run} ({moment(link.since)})" if link.run and link.since else ""
    console.print(f"[bold]{link.state.value.capitalize()}[/]: {link.salesforce_id} and {link.hubspot_id}{since}")
    how = MATCHES.get(link.matched_on or "", "")
    made = f"its {NAMES[link.born.other]} record was made for the one in {NAMES[link.born]}"
    if how or link.made:
        console.print(f"  {how or made}")
    for one in found.records:
        console.print(
            f"  {NAMES[one.side]} {KINDS.get(one.object, one.object)} {one.id} “{escape(one.name)}”: {one.presence}"
        )
    table = make_table("when they last agreed", "Salesforce", "HubSpot")
    for field in found.fields:
        if field.salesforce.base is not None or field.hubspot.base is not None:
            table.add_row(field.label, *(_base(half.base) for half in (field.salesforce, field.hubspot)))
    console.print(table if table.row_count else "  They have agreed on nothing yet.")


def _base(values: Sequence[object] | None) -> Text:
    return Text("-" if values is None else " / ".join("(empty)" if one is None else str(one) for one in values))


def print_unlinked(found: Unlinked) -> None:
    """What was ended, and how it is taken up again."""
    console = out()
    console.print(
        f"[bold green]Ended[/] (run {found.run}): {found.salesforce_id} and {found.hubspot_id} are linked no more."
    )
    console.print("  Both stay as they are; edits travel no more, and neither gets a new partner.")
    again = f"connector links relink {found.salesforce_id} {found.hubspot_id}"
    console.print(f"  → `{again}` takes it up again", soft_wrap=True)


def print_relinked(found: Relinked) -> None:
    """What was linked, and what the next run does about it."""
    console = out()
    if found.hubspot_id is None:
        console.print(
            f"[bold green]Let go[/] (run {found.run}): the ended pair of {found.salesforce_id} is put aside."
        )
        console.print("  → `connector sync` finds it a partner, or makes one")
        return
    how = "their pair goes on where it was" if found.taken_up else "they are one from now on"
    console.print(f"[bold green]Linked[/] (run {found.run}): {found.salesforce_id} and {found.hubspot_id}; {how}.")
    if not found.writes:
        console.print("  Both sides mean the same in every mapped field: the next run writes none of them.")
    for field in found.writes:
        console.print(indent(f"{escape(field.label)}: the next run {escape(describe_now(field))}", 2))
    console.print("  → `connector sync`; `connector plan` shows it first")
