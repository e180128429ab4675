"""Before and after the first sync: two CRMs, the plan, and what it comes to."""

from __future__ import annotations

from connector.cli.demo.stage import Play
from connector.cli.printing import lists, reports, terminal
from connector.engine import run
from connector.engine.answers.problems import list_problems
from connector.engine.report import Written


def show_both(play: Play) -> None:
    play.begin(
        "Two CRMs, as they are",
        "A made-up organisation has sold with Salesforce for years, and begins with HubSpot.",
    )
    here = [(name, play.salesforce.count(name)) for name in ("Account", "Contact", "Opportunity")]
    there = [(name, play.hubspot.count(name)) for name in ("companies", "contacts", "deals")]
    table = terminal.make_table("Salesforce", ">", "HubSpot", ">")
    for (name, number), (other, others) in zip(here, there, strict=True):
        table.add_row(name, f"{number:,}", other, f"{others:,}")
    play.console.print(table)


def show_plan(play: Play) -> None:
    report = play.run(run.plan)
    play.begin("connector plan", "What a sync would write, why, and its price. Nothing is written yet.")
    reports.print_counts(report, play.console)
    play.console.print("Every field has its reason. Of one contact, for example:")
    _show_reasons(play, next(one for one in report.actions if (one.verb, one.object) == ("create", "contacts")))
    reports.print_price(report, play.console)


def _show_reasons(play: Play, written: Written) -> None:
    for line in reports.describe_changes(written.changes):
        play.console.print(terminal.indent(line, 2))


def show_first_sync(play: Play) -> None:
    report = play.sync()
    play.begin("connector sync")
    own = sum(line.startswith("property") for line in report.made)
    others = len(report.made) - own
    play.console.print(f"  made in HubSpot: {own} properties of its own, {others} pipelines with their stages")
    reports.print_counts(report, play.console)
    play.console.print("What could not be synced is listed with what to do; the others went on:")
    with play.store() as store:
        for problem in list_problems(store):
            lists.print_problem(problem, play.console)
