"""Pages of the documentation that are made, not written: commands from the program, files from their schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from typer.main import get_command

from connector.cli.app import app
from connector.mapping.schemas import contact_role_schema, mapping_schema
from connector.settings import settings_schema

# Links of rules.md to what is in the repository and not on the site.
_ELSEWHERE = re.compile(r"\[([^]]+)\]\((?:\.\./[^)]+|rules\.yaml)\)")


def make_pages() -> dict[str, str]:
    """The text of every page that is made, by its path."""
    return {
        "reference/commands.md": make_commands(),
        "reference/settings.md": make_settings(),
        "reference/mappings.md": make_mappings(),
    }


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for path, text in make_pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001  # the hook's
    """Name tests where rules.md links to them: they are in the repository, and not on the site."""
    return _ELSEWHERE.sub(r"\1", markdown) if page.file.src_uri == "rules.md" else markdown


# --- commands ---------------------------------------------------------------------------------------------


def make_commands() -> str:
    """Every command with its options, as its help has them, in the groups of the help."""
    groups: dict[str, list[tuple[str, Any]]] = {}
    for name, command in _walk(get_command(app), ""):
        groups.setdefault(getattr(command, "rich_help_panel", None) or "Others", []).append((name, command))
    lines = ["# Commands", "", "As `connector COMMAND --help` has them.", ""]
    for group, commands in groups.items():
        lines += [f"## {group}", ""]
        for name, command in commands:
            lines += [*_describe(name, command), ""]
    return "\n".join(lines)


def _walk(command: Any, name: str, panel: Any = None) -> Iterator[tuple[str, Any]]:
    """The commands below one, by their full names. Those of a group stand where the group does."""
    for own, below in sorted(getattr(command, "commands", {}).items()):
        if below.hidden:
            continue
        if panel is not None:
            below.rich_help_panel = panel
        full = f"{name} {own}".strip()
        if getattr(below, "commands", None):
            yield from _walk(below, full, getattr(below, "rich_help_panel", None) or panel)
        else:
            yield full, below


def _describe(name: str, command: Any) -> Iterator[str]:
    context = command.context_class(command, info_name=f"connector {name}")
    yield f"### connector {name}"
    yield ""
    yield "```text"
    yield " ".join(["connector", name, *command.collect_usage_pieces(context)])
    yield "```"
    yield ""
    yield _plain(command.help or "")
    yield ""
    rows = [one for one in command.params if not getattr(one, "hidden", False) and "--help" not in one.opts]
    if rows:
        yield "| | |"
        yield "|---|---|"
    for one in rows:
        yield f"| `{_cell(_usage(one, context))}` | {_cell(one.help or '')} |"
    if rows:
        yield ""
    examples = re.findall(r"^ *(\S.*connector .*|connector .*)$", command.epilog or "", re.MULTILINE)
    if examples:
        yield "```sh"
        yield from examples
        yield "```"


def _usage(one: Any, context: Any) -> str:
    """How an option or argument is typed: `--limit N`, `RECORD`."""
    if one.param_type_name == "argument":
        return str(one.metavar or one.name.upper()).strip("[]")
    return str(one.get_help_record(context)[0]).replace(" <bool>", "")


def _plain(text: str) -> str:
    """The text of a help, paragraph by paragraph."""
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\f", "").split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# --- settings and mappings --------------------------------------------------------------------------------


def make_settings() -> str:
    schema = settings_schema()
    lines = [
        "# Settings",
        "",
        "`config/connector.yaml`. Everything may be left out. Each can come from the environment too, which wins:",
        "`CONNECTOR__SYNC__DEALS=false`. Secrets are never written there: they come from the environment alone.",
        "",
    ]
    return "\n".join([*lines, *_table(schema, schema, "")])


def make_mappings() -> str:
    lines = ["# Mapping files", ""]
    for title, schema in (
        ("Pairs: `account-company.yaml`, `contact-contact.yaml`, `opportunity-deal.yaml`", mapping_schema()),
        ("Contact roles: `contact-role.yaml`", contact_role_schema()),
    ):
        lines += [f"## {title}", "", *_table(schema, schema, ""), ""]
    return "\n".join(lines)


def _table(schema: Mapping[str, Any], root: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """The keys of a schema, those of its sections below theirs."""
    yield "| key | what it is | takes | if left out |"
    yield "|---|---|---|---|"
    yield from _rows(schema, root, prefix)


def _rows(
    schema: Mapping[str, Any], root: Mapping[str, Any], prefix: str, within: tuple[int, ...] = ()
) -> Iterator[str]:
    """A row for each key; what a key may hold follows it. A schema within itself is not told again."""
    for name, raw in schema.get("properties", {}).items():
        one = _resolve(raw, root)
        key = f"{prefix}{name}"
        below = [(end, each) for end, each in _below(one, root) if id(each["properties"]) not in within]
        required = name in schema.get("required", ())
        default = "must be there" if required else _value(raw.get("default", one.get("default")))
        told = default if required or not below else ""
        yield f"| `{key}` | {_cell(one.get('description', ''))} | {_takes(one, root)} | {told} |"
        for end, each in below:
            yield from _rows(each, root, f"{key}{end}.", (*within, id(each["properties"])))


def _below(one: Mapping[str, Any], root: Mapping[str, Any], end: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The schemas with keys that a value may be, or be a list of; `[]` marks a list. Each once."""
    seen = set()
    for option in (one, *one.get("anyOf", ())):
        found = _resolve(option, root)
        if found.get("properties") and id(found["properties"]) not in seen:
            seen.add(id(found["properties"]))
            yield end, found
        if "items" in found:
            for inner, each in _below(_resolve(found["items"], root), root, f"{end}[]"):
                if id(each["properties"]) not in seen:
                    seen.add(id(each["properties"]))
                    yield inner, each


def _resolve(one: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with what it refers to put in its place; the description that is nearest wins."""
    found = dict(one)
    while "$ref" in found or len(found.get("allOf", ())) == 1:
        inner = found.pop("$ref", None)
        target = root["$defs"][inner.rpartition("/")[2]] if inner else found.pop("allOf")[0]
        found = {**target, **found}
    return found


def _takes(one: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    if "const" in one:
        return f"`{one['const']}`"
    if "anyOf" in one:
        options = [_takes(_resolve(each, root), root) for each in one["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(option for option in options if option))
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true`, `false`"}
    kind = str(one.get("type", ""))
    if kind == "array":
        return f"list of {_takes(_resolve(one.get('items', {}), root), root) or 'values'}"
    if kind == "object":
        return "keys" if one.get("properties") else "keys and values"
    return words.get(kind, "")


def _value(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{_cell(str(value))}`"
