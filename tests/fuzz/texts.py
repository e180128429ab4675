"""What do people, editors and accidents make of a text file? YAML, and bytes that were to be text.

`yaml_like` writes keys of the true schema with values that YAML reads in surprising ways; `damaged` takes a right
text and cuts, doubles, swaps and puts in; `encoded` makes bytes of a text as other programs would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

VALUES = (
    "", "~", "null", "yes", "on", "0", "1", "-1", "3.5", "0o17", "0x1F", "017", "1_000", "1:30:00", ".inf",
    "-.inf", ".nan",
    "1e400", "9" * 5_000, "2026-03-02", "2026-03-02T09:00:00Z", "2026-99-99", "00:00", "[]", "{}", "[a, b]",
    "{a: b}",
    "[[[[[[]]]]]]", "{? [a] : b}", "&a x", "*a", "*nobody", "!!binary aGk=", "!!binary x",
    "!!python/object:os.system x",
    "!!set {a}", "!!omap [a: b]", "!!timestamp 2026-01-01", "!!int maybe", "!!float x", "!mine x", "'", '"',
    '"\\ud800"',
    '"\\x00"', '"\\x1b[2J"', "|", ">", "|9", "- a", "? a", "\t", "a\tb", "é", "\x85", "\u2028", "\ufeff",
    "\U0001f600", "x" * 9_000,
    "[link=x]y[/link]", "[red]", "[/]", "%", "@x", "`x`", "a: b", "a #b", "# b", "--- x", "...", "true",
    "false", "UTC",
    "Europe", "../../etc", "Europe/Berlin", "v3", "2026-09", "62.0", "15 minutes", "* * * * *", "0 0 30 2 *",
    "61 minutes",
    "sync", "import", "two_way", "hubspot", "salesforce", "http://[::1", "sqlite:///x.db", "nowhere://x", "\\",
    "<<",
)  # fmt: skip
PIECES = (
    "\t", "{", "}", "[", "]", ": ", "- ", "'", '"', "#", "&a ", "*a", "<<: *a", "|", "!!int ", "\n", "\r",
    "\x00", "\x07", "é",
    "\u2028", "\ufeff", "---\n", "...\n", "%YAML 9.9\n", "? ", "? [a]\n: b\n", "key: 1\nkey: 2\n", ",", '""',
    '","', ";", "\n\n",
)  # fmt: skip
CODECS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp437", "utf-7")


def deep(depth: int) -> str:
    """Brackets in brackets, which a parser that calls itself does not survive."""
    return f"a: {'[' * depth}{']' * depth}"


def bomb(width: int) -> str:
    """A few lines that stand for billions of words, if an alias is ever written out."""
    further = [f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]" for number in range(1, width)]
    return "\n".join(["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]", *further]) + "\n"


HOSTILE = (
    deep(20), deep(400), deep(5_000), "- " * 3_000, bomb(4), bomb(12), "a: &a [*a]", "a: &a {<<: *a}",
    "<<: [x]", "a: 1\n" * 40,
    "x" * 200_000, f"a: {'9' * 4_999}", "a:\n" + " " * 3_000 + "b: 1", "\n" * 20_000, "# \n" * 5_000, "\x00",
    "---\n---\n", "*a",
)  # fmt: skip


@st.composite
def yaml_like(draw: Any, schema: Mapping[str, Sequence[str]]) -> str:
    """Sections and keys of a schema (some misspelled), each with a value that is perhaps none."""
    lines: list[str] = []
    for section in draw(st.lists(st.sampled_from(sorted(schema)), max_size=4)):
        keys = schema[section]
        if not keys or draw(st.integers(0, 3)) == 0:
            lines.append(f"{section}: {draw(st.sampled_from(VALUES))}")
            continue
        lines.append(f"{section}:")
        for key in draw(st.lists(st.sampled_from([*keys, f"{keys[0]}x", "<<", "1", "~"]), min_size=1, max_size=4)):
            indent = draw(st.sampled_from(("  ", "  ", "  ", "  ", " ", "\t", "      ")))
            lines.append(f"{indent}{key}: {draw(st.sampled_from(VALUES))}")
    return "\n".join(lines) + "\n"


@st.composite
def damaged(draw: Any, texts: Sequence[str], pieces: Sequence[str] = PIECES) -> str:
    """A text that was right, after some accidents."""
    text: str = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 60)))
        act = draw(st.sampled_from(("insert", "insert", "replace", "cut", "double", "lines")))
        piece = draw(st.sampled_from(pieces))
        if act == "insert":
            text = text[:start] + piece + text[start:]
        elif act == "replace":
            text = text[:start] + piece + text[end:]
        elif act == "cut":
            text = text[:start] + text[end:]
        elif act == "double":
            text = text[:end] + text[start:end] + text[end:]
        else:
            lines = text.split("\n")
            one, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
            lines[one], lines[other] = lines[other], lines[one]
            text = "\n".join(lines)
    return text


def encoded(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """Bytes: of a text in some encoding, perhaps cut off or with other line ends, or of no text at all."""
    made = st.builds(
        lambda text, codec, ends, cut: text.replace("\n", ends).encode(codec, "replace")[: cut or None],
        texts,
        st.sampled_from(CODECS),
        st.sampled_from(("\n", "\n", "\n", "\r\n", "\r")),
        st.one_of(st.none(), st.none(), st.integers(1, 400)),
    )
    return st.one_of(made, made, made, st.binary(max_size=60))
