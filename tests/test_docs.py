"""The documentation is true: every command it shows exists, every link leads somewhere, and nothing is left out."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from markdown.extensions.toc import slugify
from typer.main import get_command

from connector.cli.app import app
from connector.mapping.schemas import contact_role_schema, mapping_schema
from connector.settings import settings_schema

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
WRITTEN = sorted(DOCS.rglob("*.md"))
PAGES = [*WRITTEN, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
BLOCK = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^]]*\]\(([^)\s]+)\)")


def load_hooks():
    """`docs/hooks.py`, which mkdocs loads by its path, and so is no module of a package."""
    spec = importlib.util.spec_from_file_location("hooks", DOCS / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = load_hooks().make_pages()
PROGRAM = get_command(app)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def commands_below(command, name=""):
    """(full name, command) of all that can be run."""
    for own, below in getattr(command, "commands", {}).items():
        full = f"{name} {own}".strip()
        if hasattr(below, "commands"):
            yield from commands_below(below, full)
        else:
            yield full, below


def code_of(text):
    """The lines of code of a page: those in fences, those indented by four, and those within a line."""
    for _, inside in BLOCK.findall(text):
        yield from inside.splitlines()
    rest = BLOCK.sub("", text)
    yield from (line.strip() for line in rest.splitlines() if line.startswith("    "))
    yield from (code.replace("\\|", "|") for code in re.findall(r"`([^`]+)`", rest))


def lines_of(path):
    """The commands that a page shows, as they would be typed."""
    for line in code_of(path.read_text(encoding="utf-8")):
        line = line.removeprefix("$ ")  # noqa: PLW2901  # the same line
        if re.match(r"connector [a-z-]", line):
            yield re.split(r" (?:[|]{1,2}|>>?|&)(?: |$)", line)[0]


def find_mistake(line):
    """What the program would not understand, or None. Brackets mark what may be left out."""
    words = shlex.split(re.sub(r"[][]", "", line), comments=True)[1:]
    command = PROGRAM
    while words and hasattr(command, "commands"):
        word = words.pop(0)
        if word.startswith("-"):
            return None if word in {"--version", "--help", "--install-completion", "--show-completion"} else word
        if word not in command.commands:
            return f"no command {word}"
        command = command.commands[word]
    context = command.context_class(command)
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in options]
    if unknown:
        return f"no option {unknown[0]}"
    _, left, _ = command.make_parser(context).parse_args([word for word in words if word != "--help"])
    return f"no room for {left}" if left else None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_shown_exists(page):
    """So do its options, and it takes as many words as are shown."""
    assert {line: find_mistake(line) for line in lines_of(page) if find_mistake(line)} == {}


def test_there_are_commands_to_check():
    """The check above would pass on pages without any."""
    shown = {line for page in PAGES for line in lines_of(page)}
    assert len(shown) > 80
    assert "connector sync --without-deletes    # do everything else" in shown


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("connector sink", "no command sink"),
        ("connector sync --every", "no option --every"),
        ("connector plan twice", "no room for ['twice']"),
    ],
)
def test_a_mistake_in_a_command_would_be_found(line, mistake):
    """The check above can fail: each kind of mistake is one."""
    assert find_mistake(line) == mistake


@pytest.mark.parametrize("name", [name for name, _ in commands_below(PROGRAM)])
def test_every_command_has_its_section_with_examples(name):
    """In the reference, as in `--help`: what it does, each option, and at least one example of it."""
    command = dict(commands_below(PROGRAM))[name]
    section = MADE["reference/commands.md"].partition(f"### connector {name}\n")[2].partition("\n### ")[0]
    assert len(section.split()) > 10
    assert f"connector {name}" in section.partition("```sh")[2]
    options = {one.opts[0] for one in command.params if one.param_type_name == "option"}
    assert [option for option in options - {"--help"} if option not in section] == []


def test_every_example_of_the_help_is_understood():
    """What a command gives as an example of itself, it takes."""
    examples = re.findall(r"^(connector .*)$", MADE["reference/commands.md"].replace("```text", ""), re.MULTILINE)
    shown = [line.partition(" >> ")[0] for line in examples if "[OPTIONS]" not in line]
    assert len(shown) > 50
    assert {line: find_mistake(line) for line in shown if find_mistake(line)} == {}


def keys_of(schema):
    """The names of all keys anywhere in a schema."""
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})


@pytest.mark.parametrize(
    ("page", "schema"),
    [("settings", settings_schema()), ("mappings", mapping_schema()), ("mappings", contact_role_schema())],
)
def test_every_key_of_a_file_is_in_its_reference(page, schema):
    """Whatever settings and mapping files may say stands in a table."""
    named = set(
        re.findall(r"[\w]+", " ".join(re.findall(r"^\| `([^`]+)` \|", MADE[f"reference/{page}.md"], re.MULTILINE)))
    )
    assert set(keys_of(schema)) - named == set()


def anchors_of(text):
    """The anchors of a page's headings, as the site and code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)
    return {slugify(re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", one), "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    """To a file of the project or a page that is made, and to a heading that is there."""
    broken = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if re.match(r"\w+:", link):
            continue
        target = (page.parent / path).resolve() if path else page
        made = MADE.get(target.relative_to(DOCS).as_posix()) if target.is_relative_to(DOCS) else None
        text = made or (target.read_text(encoding="utf-8") if target.is_file() else "" if target.exists() else None)
        if text is None or (anchor and anchor not in anchors_of(text)):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_the_navigation():
    """A page that nobody finds is not there."""
    listed = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == {page.relative_to(DOCS).as_posix() for page in WRITTEN} | set(MADE)
