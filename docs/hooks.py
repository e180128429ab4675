"""Pages of the documentation that are made, not written: the commands from the program, files from their schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.main import get_command

from connector.cli.app import app
from connector.mapping.schemas import contact_role_schema, mapping_schema
from connector.settings import settings_schema


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    pages = {
        "reference/commands.md": make_commands(),
        "reference/settings.md": make_settings(),
        "reference/mappings.md": make_mappings(),
    }
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


# --- commands ---------------------------------------------------------------------------------------------


def make_commands() -> str:
    """Every command with its options, as its help has them, in the groups of the help."""
    groups: dict[str, list[tuple[str, click.Command]]] = {}
    for name, command in _walk(get_command(app), ""):
        groups.setdefault(getattr(command, "rich_help_panel", None) or "Others", []).append((name, command))
    lines = ["# Commands", "", "As `connector COMMAND --help` has them.", ""]
    for group, commands in groups.items():
        lines += [f"## {group}", ""]
        for name, command in commands:
            lines += [*_describe(name, command), ""]
    return "\n".join(lines)


def _walk(command: click.Command, name: str, panel: Any = None) -> Iterator[tuple[str, click.Command]]:
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


def _describe(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"connector {name}")
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
        names = one.make_metavar(context) if isinstance(one, click.Argument) else ", ".join([*one.opts, *one.secondary_opts])
        takes = f" {one.make_metavar(context)}" if isinstance(one, click.Option) and not one.is_flag else ""
        yield f"| `{names}{takes}` | {_cell(getattr(one, 'help', None) or '')} |"
    if rows:
        yield ""
    examples = re.findall(r"^  (connector .*)$", command.epilog or "", re.MULTILINE)
    if examples:
        yield "```sh"
        yield from examples
        yield "```"


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


def _rows(schema: Mapping[str, Any], root: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, raw in schema.get("properties", {}).items():
        one = _resolve(raw, root)
        key = f"{prefix}{name}"
        required = name in schema.get("required", ())
        default = "must be there" if required else _value(raw.get("default", one.get("default")))
        section = one.get("properties") and prefix == "" and "items" not in one
        yield f"| `{key}` | {_cell(one.get('description', ''))} | {_takes(one, root)} | {'' if section else default} |"
        if one.get("properties"):
            yield from _rows(one, root, f"{key}.")
        items = _resolve(one.get("items", {}), root)
        if items.get("properties") and f"{key}[]" not in prefix:
            yield from _rows(items, root, f"{key}[].")


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
