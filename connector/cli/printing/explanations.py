"""How is a record explained? A headline that answers, then what it rests on; of a field no more than a screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from connector.cli.printing.terminal import NAMES, count, indent, moment, out, show
from connector.core.hiding import Hidden
from connector.core.model import LinkState, Rule, Side, Value

if TYPE_CHECKING:
    from connector.engine.answers.explain import Explanation, RecordAnswer
    from connector.engine.answers.fields import FieldAnswer
    from connector.engine.answers.history import WriteAnswer
    from connector.engine.answers.reason import Reason

KINDS = {
    "Opportunity": "opportunity", "Account": "account", "Contact": "contact",
    "deals": "deal", "companies": "company", "contacts": "contact",
}  # fmt: skip
RULES = {
    Rule.PREFER_SALESFORCE_UNLESS_BLANK: "Salesforce wins; HubSpot fills in what is blank there",
    Rule.ALWAYS_SALESFORCE: "Salesforce wins, blanks too",
    Rule.ALWAYS_HUBSPOT: "HubSpot wins, blanks too",
    Rule.TWO_WAY: "what moved travels; if both did, the value edited last",
    Rule.HOLD: "what moved travels; if both did, neither, until a person decides",
    Rule.DONT_SYNC: "is not carried",
}
SHORT_RULES = {
    Rule.PREFER_SALESFORCE_UNLESS_BLANK: "prefer Salesforce",
    Rule.ALWAYS_SALESFORCE: "always Salesforce",
    Rule.ALWAYS_HUBSPOT: "always HubSpot",
    Rule.TWO_WAY: "two-way",
    Rule.HOLD: "hold",
    Rule.DONT_SYNC: "not synced",
}
MATCHES = {
    "id": "one stores the other's id (A2)",
    "email": "they have one e-mail address (A3)",
    "domain": "their websites have one registered domain (A2)",
    "name": "they have one name (A2)",
    "collision": "the new record met one that was there already (A2)",
    "hand": "a person linked them",
}
VERBS = {
    "create": "created",
    "update": "wrote",
    "delete": "deleted",
    "connect": "added a contact to",
    "disconnect": "removed a contact from",
    "name": "named a contact of",
}
HISTORY_SHOWN = 8
DEALS_SHOWN = 10


def print_explanation(one: Explanation, console: Console | None = None) -> None:
    """The whole answer, or that about one field."""
    console = console or out()
    console.print(_headline(one), soft_wrap=False)
    console.print(indent(_records(one), 2))
    _print_reasons(one, console)
    if one.field is None:
        _print_fields(one, console)
        _print_contacts(one, console)
    elif one.fields:
        _print_field(one.fields[0], console)
    _print_rollups(one, console)
    if one.field is None:
        _print_moves(one, console)
    _print_history(one, console)


# --- the headline, and the two records --------------------------------------------------------------------


def _headline(one: Explanation) -> str:
    name = escape(_title(one.record(one.side), one))
    subject = f"{escape(one.field)} of {name}" if one.field else name
    first = escape(one.reasons[0].text) if one.reasons else ""
    match one.verdict.value:
        case "in step":
            return f"[bold green]In step[/]: {subject}"
        case "due":
            return f"[bold cyan]Due[/]: {subject}; {_next(one)}"
        case "partly":
            return f"[bold yellow]In part[/]: {subject}; {first or _stuck(one)}"
        case _:
            return f"[bold red]Does not sync[/]: {subject}; {first}"


def _title(record: RecordAnswer | None, one: Explanation) -> str:
    kind = KINDS.get(one.object, one.object)
    named = f" “{record.name}”" if record and record.name != one.id else ""
    return f"{NAMES[one.side]} {kind} {one.id}{named}"


def _next(one: Explanation) -> str:
    writes = [field for field in one.fields if field.needs_writing]
    if one.link is None:
        there = NAMES[one.side.other]
        return f"the next run finds its partner in {there}, or makes it"
    if writes:
        return f"the next run writes {count(len(writes), 'field')}"
    return "the next run brings what is derived from its deals up to date"


def _stuck(one: Explanation) -> str:
    stuck = [field for field in one.fields if field.outcome.value in {"held", "waits", "blocked"}]
    return f"{', '.join(field.label for field in stuck)} {'does' if len(stuck) == 1 else 'do'} not travel"


def _records(one: Explanation) -> RenderableType:
    table = _grid()
    asked = next((record.name for record in one.records if record.side is one.side), "")
    for side in Side:
        record = one.record(side)
        if record is None:
            table.add_row(NAMES[side], Text("no partner" if one.link is None else "never seen", "dim"))
            continue
        kind = KINDS.get(record.object, record.object)
        gone = "" if record.presence == "present" else f" [red]{record.presence}[/]"
        changed = f", changed {moment(record.modified)}" if record.modified else ""
        due = ", [cyan]to be looked at by the next run[/]" if record.due else ""
        named = f" “{escape(record.name)}”" if record.name not in (record.id, asked) else ""
        table.add_row(NAMES[side], f"{kind} {record.id}{gone}{named}{changed}{due}")
    if one.link is not None:
        table.add_row("link", _describe_link(one))
    if not one.asked_both:
        why = f": {escape(one.why_not)}" if one.why_not else ""
        table.add_row("values", f"[yellow]as they were seen last[/]{why}")
    return table


def _describe_link(one: Explanation) -> str:
    link = one.link
    if link is None:
        return ""
    state = {LinkState.LINKED: "linked", LinkState.PENDING: "being made"}.get(link.state, link.state.value)
    joined = " since" if link.state is LinkState.LINKED else "; it was linked in"
    since = f"{joined} run {link.run} ({moment(link.since)})" if link.run and link.since else ""
    if link.matched_on is not None:
        how = f"; {MATCHES.get(link.matched_on, f'by {link.matched_on}')}"
    elif link.made:
        how = f"; its {NAMES[link.born.other]} record was made for the one in {NAMES[link.born]}"
    else:
        how = ""
    return f"{state}{since}{how}"


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    return table


# --- why it does not sync ---------------------------------------------------------------------------------


def _print_reasons(one: Explanation, console: Console) -> None:
    if not one.reasons:
        return
    whole = any(reason.stops for reason in one.reasons)
    console.print(f"\n[bold]{'Why it does not sync' if whole else 'What keeps a part of it'}[/]")
    for reason in one.reasons:
        console.print(indent(_describe_reason(reason), 2))


def _describe_reason(reason: Reason) -> RenderableType:
    field = f"{escape(reason.field)}: " if reason.field else ""
    rule = f" [cyan]\\[{reason.rule}][/]" if reason.rule else ""
    lines: list[RenderableType] = [f"• {field}{escape(reason.text)}{rule}"]
    if reason.alike:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
        for alike in reason.alike:
            partner = f"partner {alike.partner}" if alike.partner else "no partner"
            kind = f"{NAMES[alike.side]} {KINDS.get(alike.object, alike.object)}"
            table.add_row(f"{kind} {alike.id}", escape(alike.name), f"same {alike.key}", Text(partner, "dim"))
        lines.append(Padding(table, (0, 0, 0, 4)))
    if reason.remedy:
        lines.append(Padding(f"→ {escape(reason.remedy)}", (0, 0, 0, 2)))
    return Group(*lines)


# --- fields -----------------------------------------------------------------------------------------------


def _print_fields(one: Explanation, console: Console) -> None:
    if not one.fields or not _are_both_there(one):
        return
    console.print("\n[bold]Fields[/]")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", "Salesforce", "HubSpot", "now"):
        table.add_column(name, overflow="fold")
    for field in one.fields:
        if field.salesforce.values is None and field.hubspot.values is None:
            continue  # neither side has it
        same = field.outcome.value == "in step" and field.salesforce.words == field.hubspot.words
        there = Text("the same", "dim") if same else Text(show(field.hubspot.words))
        name = "\n+ ".join(field.salesforce.fields)
        table.add_row(name, Text(show(field.salesforce.words)), there, _outcome(field))
    console.print(indent(table, 2))


def _are_both_there(one: Explanation) -> bool:
    return len(one.records) == len(Side) and all(record.presence == "present" for record in one.records)


def _outcome(field: FieldAnswer) -> Text:
    text, style = {
        "in step": ("in step", "green"),
        "travels": (f"goes to {NAMES[field.to] if field.to else ''}", "cyan"),
        "put back": (f"is put back in {NAMES[field.to] if field.to else ''}", "cyan"),
        "held": ("held: both were edited", "yellow"),
        "waits": ("waits", "yellow"),
        "blocked": ("has no counterpart", "yellow"),
        "apart": ("apart, nobody moved", "dim"),
        "still": ("left alone", "dim"),
        "off": ("", "dim"),
        "unread": ("not read yet", "dim"),
    }[field.outcome.value]
    if "(no such field)" in (field.salesforce.words, field.hubspot.words):
        text = "not on both sides"
    line = Text(text, style)
    line.append(f"{', ' if text else ''}{SHORT_RULES[Rule(field.rule)]}", "dim")
    return line


def _print_field(field: FieldAnswer, console: Console) -> None:
    console.print("\n[bold]Now[/]")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", "field", "holds", "when they last agreed", ""):
        table.add_column(name, overflow="fold")
    for side in Side:
        half = field.side(side)
        agreed = "nothing agreed yet" if half.base is None else show(_join(half.base))
        moved = {True: "moved", False: "", None: ""}[half.moved]
        named = field.transform in {"owner", "stage", "reference"} and half.values is not None
        held = f"{_join(half.values or ())} ({half.words})" if named else half.words
        table.add_row(NAMES[side], "+".join(half.fields), Text(held), Text(agreed), Text(moved, "cyan"))
    console.print(indent(table, 2))
    grid = _grid()
    grid.add_row("rule", f"{SHORT_RULES[Rule(field.rule)]}: {RULES[Rule(field.rule)]}")
    grid.add_row("transform", field.transform)
    if field.personal:
        grid.add_row("journal", "keeps hashes only: the mapping says `personal: true` (G3)")
    grid.add_row("next run", escape(describe_now(field)))
    if field.evidence:
        grid.add_row("known by", escape(field.evidence))
    console.print(indent(grid, 2))


def _join(values: Sequence[Value]) -> str:
    return " / ".join(show(value or None) if isinstance(value, str) else show(value) for value in values)


def describe_now(field: FieldAnswer) -> str:
    """What the next run does with a field, and why."""
    to = NAMES[field.to] if field.to else ""
    source = NAMES[field.to.other] if field.to else ""
    new = show(_join(field.new)) if field.new is not None else ""
    match field.outcome.value:
        case "in step":
            return "writes nothing: both sides mean the same"
        case "travels" if field.chosen:
            return f"writes {new} to {to}: {field.chosen} [F2]"
        case "travels" if field.conflict:
            return f"writes {new} to {to}: both sides were edited, and {source} wins by the rule [{field.why}]"
        case "travels" if field.first_meeting:
            return f"writes {new} to {to}: the two meet for the first time, and {source} wins by the rule"
        case "travels":
            return f"writes {new} to {to}: only {source} moved since they agreed [{field.why}]"
        case "put back":
            return f"writes {new} to {to}, whose edit the rule does not let through [F6]"
        case "held":
            return "writes nothing: both sides were edited, and the rule waits for a person [F2]"
        case "waits" | "blocked":
            return f"writes nothing to {to}: {field.reason}" + (f"; {field.remedy}" if field.remedy else "")
        case "apart":
            return "writes nothing: they differ, but nobody has moved since they last agreed"
        case "unread":
            return f"writes nothing: {field.reason or 'it was never read on both sides'}"
        case "off":
            return "writes nothing, ever: the mapping says so"
        case _:
            return "writes nothing as long as the pair is left alone"


# --- who belongs to it, and what follows ------------------------------------------------------------------


def _print_contacts(one: Explanation, console: Console) -> None:
    if not one.contacts or not _are_both_there(one):
        return
    console.print("\n[bold]Contacts[/]")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", "Salesforce role", "HubSpot", "now"):
        table.add_column(name, overflow="fold")
    for who in one.contacts:
        here = ", ".join(who.roles) or ("a role" if who.in_salesforce else "-")
        there = ", ".join(who.labels) or ("associated" if who.in_hubspot else "-")
        state = "in step" if who.in_salesforce and who.in_hubspot else "one side only"
        if who.waits:
            state = f"waits: no partner in {'Salesforce' if who.salesforce_id is None else 'HubSpot'} yet (R5)"
        table.add_row(f"{escape(who.name)} {who.salesforce_id or who.hubspot_id}", here, there, state)
    console.print(indent(table, 2))


def _print_rollups(one: Explanation, console: Console) -> None:
    if not one.rollups and not one.deals and not one.derived:
        return
    console.print("\n[bold]From its deals[/]")
    grid = _grid()
    for name, value in one.derived.items():
        grid.add_row(
            name, f"{escape(show(value))} [dim]{'moved forward by events' if name == 'lifecyclestage' else 'L3'}[/]"
        )
    for rollup in one.rollups:
        value, computed = show(rollup.value), show(rollup.computed)
        off = (
            ""
            if value[:19] == computed[:19] or (rollup.value is None and rollup.computed == "0")
            else f" [cyan]→ {escape(computed)}[/]"
        )
        grid.add_row(rollup.property, f"{escape(value)}{off} [dim]{rollup.rule}[/]")
    console.print(indent(grid, 2))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, justify in (("deal", "left"), ("", "left"), ("amount", "right"), ("created", "left"), ("", "left")):
        table.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    for deal in one.deals[:DEALS_SHOWN]:
        counted = deal.status if deal.counted else f"not counted: {deal.why_not}"
        table.add_row(str(deal.hubspot_id), escape(deal.name), show(deal.amount), deal.created[:10], counted)
    if one.deals:
        console.print(indent(table, 2))
    if len(one.deals) > DEALS_SHOWN:
        console.print(f"  … and {len(one.deals) - DEALS_SHOWN:,} more; `--json` has them")


def _print_moves(one: Explanation, console: Console) -> None:
    if one.lifecycle:
        console.print("\n[bold]Lifecycle[/]")
        console.print(indent(history_table(one.lifecycle), 2))


def _print_history(one: Explanation, console: Console) -> None:
    if one.acts:
        console.print("\n[bold]Done by hand[/]")
    for act in one.acts:
        told = {key: value for key, value in (act.report or {}).items() if key in ("field", "take") and value}
        words = ", ".join(f"{key} {value}" for key, value in told.items())
        console.print(
            f"  [dim]run {act.run}  {moment(act.started)}[/]  {act.kind}{f': {escape(words)}' if words else ''}"
        )
    console.print(
        "\n[bold]Written by the connector[/]" if one.history else "\nThe connector has written nothing to it."
    )
    if one.history:
        console.print(indent(history_table(one.history[:HISTORY_SHOWN]), 2))
    if any(
        isinstance(value, Hidden)
        for write in one.history
        for each in write.changes
        for value in (each.old, each.new)
    ):
        console.print("  `hidden:…` is a hash in place of a personal value; equal values have equal ones (G3).")
    if len(one.history) > HISTORY_SHOWN:
        console.print(f"  … and {len(one.history) - HISTORY_SHOWN:,} earlier; `--json` has them")


def history_table(history: Iterable[WriteAnswer], *, runs: bool = True) -> Table:
    """Writes, one a row: run and time, what was done where, and each field from old to new with its reason."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for write in history:
        when = f"run {write.run}\n{moment(write.at)}" if runs else f"#{write.number}"
        table.add_row(when, Group(*_describe_write(write)))
    return table


def _describe_write(write: WriteAnswer) -> Iterable[Text]:
    head = Text(f"{VERBS.get(write.verb, write.verb)} {NAMES[write.side]} {KINDS.get(write.object, write.object)}")
    if write.record_id:
        head.append(f" {write.record_id}", "dim")
    if write.state != "done":
        states = {"failed": " refused", "forgotten": " forgotten"}
        head.append(states.get(write.state, " not concluded"), "yellow")
    yield head
    reasons: dict[tuple[str, str, str], list[Text]] = {}
    for one in write.changes:
        line = Text(f"{one.field}: ")
        line.append(f"{show(one.old)} → {show(one.new)}" if one.old is not None else show(one.new))
        if one.conflict:
            line.append(" (conflict)", "yellow")
        reasons.setdefault((one.rule, one.cause, one.evidence), []).append(line)
    for (rule, cause, evidence), lines in reasons.items():
        said = Text("  ") + Text(", ").join(lines)
        said.append(f"  [{rule}: {cause}]", "cyan")
        if evidence:
            said.append(f" {evidence}", "dim")
        yield said
