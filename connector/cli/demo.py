"""`connector demo`: a story in eight scenes, played between two sandboxes on this machine.

Scenes do something as a person would, through the CRMs' own APIs, sync, and show what is then there on both
sides. One of them proves that a sync with nothing to do writes nothing; if it did write, the demo fails.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.printing import lists, reports, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from connector.cli.windows import HubSpotWindow, SalesforceWindow
    from connector.engine.answers.problems import ProblemAnswer
    from connector.engine.report import Report

WROTE_WITHOUT_CAUSE = 1
GONE = "gone"
LOOKED_AT = 30


def register(app: typer.Typer) -> None:
    app.command(
        rich_help_panel="Try it out",
        epilog=terminal.make_examples("connector demo", "connector demo --seed 7 --keep"),
    )(demo)


def demo(
    seed: Annotated[int, typer.Option(help="The made-up organisation follows from it.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the working folder with the store.")] = False,
) -> None:
    """See it work: two sandboxes with made-up data, edits on both sides, and what syncing makes of them.

    Takes about half a minute, needs no account, and talks to this machine only.
    """
    with _stage(seed, keep=keep) as play:
        _show_both(play)
        _show_plan(play)
        _show_first_sync(play)
        _show_edits(play)
        _show_deletions(play)
        quiet = _show_rest(play)
        _show_contact(play)
        _show_what_next(play, keep=keep)
    if not quiet:
        raise typer.Exit(WROTE_WITHOUT_CAUSE)


@dataclass
class Play:
    """What the scenes share. `person` is a HubSpot contact of a deal that is won, and how it looked before."""

    salesforce: SalesforceWindow
    hubspot: HubSpotWindow
    environment: dict[str, str]
    folder: Path
    console: Console = field(default_factory=terminal.out)
    scene: int = 0
    person: tuple[str, dict[str, str | None]] = ("", {})

    def begin(self, title: str, *sentences: str) -> None:
        self.scene += 1
        self.console.print(f"\n[bold cyan]{self.scene}  {title}[/]")
        for sentence in sentences:
            self.console.print(sentence)

    def run(self, act: Callable[..., Report]) -> Report:
        """One run of the connector, as the command line makes it."""
        from connector.engine.connect import connect  # noqa: PLC0415  # slow to import

        connection = connect(self.environment, self.folder)
        try:
            return act(connection)
        finally:
            connection.store.close()

    def sync(self) -> Report:
        from connector.engine import run  # noqa: PLC0415  # slow to import

        return self.run(run.sync)


@contextmanager
def _stage(seed: int, *, keep: bool) -> Iterator[Play]:
    """Both sandboxes on ports, filled, while the block runs."""
    from connector.cli.windows import HubSpotWindow, SalesforceWindow  # noqa: PLC0415  # slow to import
    from connector.sandbox.demo import load_demo  # noqa: PLC0415  # slow to import
    from connector.sandbox.hubspot import HubSpotSandbox  # noqa: PLC0415  # slow to import
    from connector.sandbox.salesforce import SalesforceSandbox  # noqa: PLC0415  # slow to import
    from connector.sandbox.server import serving  # noqa: PLC0415  # slow to import

    salesforce, hubspot = SalesforceSandbox(seed=seed), HubSpotSandbox(seed=seed)
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
            {
                "SALESFORCE_INSTANCE_URL": here,
                "SALESFORCE_SESSION_ID": salesforce.session_id,
                "HUBSPOT_BASE_URL": there,
                "HUBSPOT_ACCESS_TOKEN": hubspot.access_token,
                "CONNECTOR_STORE_URL": f"sqlite:///{folder / 'connector.db'}",
                # Deletions in HubSpot are looked for once a day; the play does not last that long.
                "CONNECTOR__HUBSPOT__SWEEP_HOURS": "0.0001",
            },
            folder,
        )


# --- the scenes -------------------------------------------------------------------------------------------


def _show_both(play: Play) -> None:
    play.begin(
        "Two CRMs, as they are",
        "A made-up organisation has sold with Salesforce for years and has just begun with HubSpot.",
    )
    here = [(name, play.salesforce.count(name)) for name in ("Account", "Contact", "Opportunity")]
    there = [(name, play.hubspot.count(name)) for name in ("companies", "contacts", "deals")]
    table = terminal.make_table("Salesforce", ">", "HubSpot", ">")
    for (name, number), (other, others) in zip(here, there, strict=True):
        table.add_row(name, f"{number:,}", other, f"{others:,}")
    play.console.print(table)


def _show_plan(play: Play) -> None:
    from connector.engine import run  # noqa: PLC0415  # slow to import

    report = play.run(run.plan)
    play.begin("connector plan", "What a sync would write, why, and its price. Nothing is written yet.")
    reports.print_counts(report, play.console)
    play.console.print("One deal of these, for example:")
    deals = [one for one in report.actions if one.verb == "create" and one.object == "deals"]
    reports.print_actions(deals[:1], play.console, limit=1)
    reports.print_price(report, play.console)


def _show_first_sync(play: Play) -> None:
    report = play.sync()
    play.begin("connector sync")
    reports.print_report(report, play.console)
    play.console.print(
        "The problems are part of the made-up data. `connector problems list` tells of each what to do:"
    )
    for problem in _problems(play):
        lists.print_problem(problem, play.console)


def _problems(play: Play) -> list[ProblemAnswer]:
    from connector.engine.answers.problems import list_problems  # noqa: PLC0415  # slow to import
    from connector.engine.connect import connect  # noqa: PLC0415  # slow to import

    store = connect(play.environment, play.folder).store
    try:
        return list_problems(store)
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class Edit:
    """Something a person does on one side, and how to see it on both."""

    what: str
    where: str
    act: Callable[[], object]
    salesforce: Callable[[], str]
    hubspot: Callable[[], str]


def _show_edits(play: Play) -> None:
    play.begin("People go on working, on both sides", "Five edits, then one sync. Each value before and after:")
    _play_edits(play, _make_edits(play))


def _show_deletions(play: Play) -> None:
    play.begin(
        "Deletions are not symmetric",
        "An opportunity takes its deal with it. A deal never takes its opportunity: no setting changes that.",
    )
    _play_edits(play, _make_deletions(play))


def _play_edits(play: Play, edits: list[Edit]) -> None:
    before = [(edit.salesforce(), edit.hubspot()) for edit in edits]
    for edit in edits:
        edit.act()
    report = play.sync()
    table = terminal.make_table("edit", "in", "Salesforce", "HubSpot")
    for edit, (here, there) in zip(edits, before, strict=True):
        row = (_change(here, edit.salesforce()), _change(there, edit.hubspot()))
        table.add_row(edit.what, edit.where, *row)
    play.console.print(table)
    reports.print_counts(report, play.console)


def _change(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _make_edits(play: Play) -> list[Edit]:
    salesforce, hubspot = play.salesforce, play.hubspot
    won, person_of_won = _deal_about_to_be_won(play)
    play.person = person_of_won, hubspot.read("contacts", person_of_won, *_OF_A_CONTACT)
    raised, joined, known, *_ = (one for one in _open_opportunities(play) if one != won)
    raised_deal, won_deal, joined_deal = (_deal_of(play, one) for one in (raised, won, joined))
    stages = hubspot.stages()
    pipeline = hubspot.read("deals", won_deal, "pipeline")["pipeline"]
    won_stage = next(one for one in stages if one.pipeline == pipeline and one.won)
    labels = {one.stage: one.label for one in stages}
    person = salesforce.query(
        "SELECT Id, Email FROM Contact WHERE Phone != null AND Email != null ORDER BY Id LIMIT 1"
    )[0]
    person_there = hubspot.find("contacts", "sf_record_id", person["Id"]) or ""
    members = {row["ContactId"] for row in _roles(play, joined["Id"])}
    newcomer = next(
        row for row in salesforce.query("SELECT Id FROM Contact ORDER BY Id") if row["Id"] not in members
    )
    company = hubspot.find("companies", "sf_record_id", known["AccountId"]) or ""
    new_deal = {"dealname": "Second site (from HubSpot)", "amount": "12500", "closedate": "2030-06-30"}
    new_deal |= {
        "pipeline": won_stage.pipeline,
        "dealstage": next(o.stage for o in stages if o.pipeline == pipeline),
    }
    return [
        Edit(
            "amount of an opportunity",
            "Salesforce",
            lambda: salesforce.update("Opportunity", raised["Id"], Amount=77_000),
            lambda: f"{salesforce.read('Opportunity', raised['Id'], 'Amount')['Amount']:.2f}".removesuffix(".00"),
            lambda: hubspot.read("deals", raised_deal, "amount")["amount"] or "-",
        ),
        Edit(
            "a deal is won",
            "HubSpot",
            lambda: hubspot.update("deals", won_deal, dealstage=won_stage.stage),
            lambda: str(salesforce.read("Opportunity", won["Id"], "StageName")["StageName"]),
            lambda: labels[hubspot.read("deals", won_deal, "dealstage")["dealstage"] or ""],
        ),
        Edit(
            "phone of a contact",
            "Salesforce",
            lambda: salesforce.update("Contact", person["Id"], Phone="+1 555 0100"),
            lambda: str(salesforce.read("Contact", person["Id"], "Phone")["Phone"]),
            lambda: hubspot.read("contacts", person_there, "phone")["phone"] or "-",
        ),
        Edit(
            "a new contact role",
            "Salesforce",
            lambda: salesforce.create(
                "OpportunityContactRole", OpportunityId=joined["Id"], ContactId=newcomer["Id"], Role="Evaluator"
            ),
            lambda: terminal.count(len(_roles(play, joined["Id"])), "role"),
            lambda: terminal.count(len(hubspot.contacts_of(joined_deal)), "contact"),
        ),
        Edit(
            "a new deal with contact and company",
            "HubSpot",
            lambda: hubspot.create_deal(person_there, company, **new_deal),
            lambda: _tell_opportunity(play, new_deal["dealname"]),
            lambda: "a deal" if hubspot.find("deals", "dealname", new_deal["dealname"]) else "none",
        ),
    ]


def _make_deletions(play: Play) -> list[Edit]:
    *_, first, second = _open_opportunities(play)
    deals = {one["Id"]: _deal_of(play, one) for one in (first, second)}

    def here(one: dict[str, Any]) -> Callable[[], str]:
        return lambda: "an opportunity" if play.salesforce.read("Opportunity", one["Id"], "Id") else GONE

    def there(one: dict[str, Any]) -> Callable[[], str]:
        return lambda: "a deal" if play.hubspot.read("deals", deals[one["Id"]], "dealname") else GONE

    return [
        Edit(
            "an opportunity is deleted",
            "Salesforce",
            lambda: play.salesforce.delete("Opportunity", first["Id"]),
            here(first),
            there(first),
        ),
        Edit(
            "a deal is deleted",
            "HubSpot",
            lambda: play.hubspot.delete("deals", deals[second["Id"]]),
            here(second),
            there(second),
        ),
    ]


def _show_rest(play: Play) -> bool:
    """Sync without a cause. Returns whether really nothing was written, by what the CRMs themselves say."""
    before = play.salesforce.latest_write() + play.hubspot.latest_write()
    report = play.sync()
    quiet = report.writes == 0 and before == play.salesforce.latest_write() + play.hubspot.latest_write()
    play.begin("Nothing to do, so nothing is written")
    reports.print_report(report, play.console)
    if quiet:
        play.console.print("No record on either side has a newer date of change than before.")
    else:
        play.console.print(
            "[bold red]That sync wrote something without a cause: this is a bug, please report it.[/]"
        )
    return quiet


_OF_A_CONTACT = {
    "lifecyclestage": "lifecycle stage",
    "sf_num_associated_deals": "number of deals",
    "sf_first_deal_created_date": "first deal created",
    "sf_recent_deal_amount": "amount of the latest deal",
    "sf_recent_deal_close_date": "close date of the latest deal",
    "sf_total_revenue": "revenue of won deals",
    "closedate": "became a customer",
    "sf_days_to_close": "days to close",
}


def _show_contact(play: Play) -> None:
    contact, before = play.person
    found = play.hubspot.read("contacts", contact, "firstname", "lastname", *_OF_A_CONTACT)
    name = " ".join(part for part in (found.get("firstname"), found.get("lastname")) if part)
    play.begin("What marketing gets out of it", f"{name}, a contact of the deal just won, in HubSpot:")
    table = terminal.make_table("property", "before it was won", "now")
    for key, label in _OF_A_CONTACT.items():
        table.add_row(label, before.get(key) or "-", found.get(key) or "-")
    play.console.print(table)


def _show_what_next(play: Play, *, keep: bool) -> None:
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


# --- looking things up ------------------------------------------------------------------------------------


def _open_opportunities(play: Play) -> list[dict[str, Any]]:
    """Open opportunities with an account, an amount and a contact, always in the same order."""
    with_contact = {row["OpportunityId"] for row in _roles(play)}
    rows = play.salesforce.query(
        "SELECT Id, Name, Amount, AccountId FROM Opportunity"
        " WHERE IsClosed = false AND Amount != null AND AccountId != null ORDER BY Id"
    )
    return [row for row in rows if row["Id"] in with_contact]


def _deal_about_to_be_won(play: Play) -> tuple[dict[str, Any], str]:
    """An open opportunity and a HubSpot contact of it, if possible one who is no customer yet."""
    found = []
    for one in _open_opportunities(play)[:LOOKED_AT]:
        for contact in play.hubspot.contacts_of(_deal_of(play, one)):
            found.append((one, contact))
            if play.hubspot.read("contacts", contact, "lifecyclestage")["lifecyclestage"] == "opportunity":
                return one, contact
    return found[0]


def _roles(play: Play, opportunity: str = "") -> list[dict[str, Any]]:
    where = f" WHERE OpportunityId = '{opportunity}'" if opportunity else ""
    return play.salesforce.query(f"SELECT OpportunityId, ContactId FROM OpportunityContactRole{where}")  # noqa: S608  # ids are ours


def _deal_of(play: Play, opportunity: dict[str, Any]) -> str:
    return play.hubspot.find("deals", "sf_record_id", opportunity["Id"]) or ""


def _tell_opportunity(play: Play, name: str) -> str:
    rows = play.salesforce.query(
        f"SELECT Id, StageName, Account.Name FROM Opportunity WHERE Name = '{name}'"  # noqa: S608  # the name is ours
    )
    if not rows:
        return "none"
    account = (rows[0]["Account"] or {}).get("Name")
    return f"{rows[0]['StageName']}, {account}, {terminal.count(len(_roles(play, rows[0]['Id'])), 'role')}"
