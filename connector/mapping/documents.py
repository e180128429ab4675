"""What does a YAML file say, and on which line? Bytes -> a document that knows its lines, or findings (F3).

Mapping files and settings are read here. Whatever is wrong with a file is a finding that a person who edits it
understands: where, what, and what to do. A damaged, hostile or endless file is one too.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning
from ruamel.yaml.reader import ReaderError

from connector.errors import Finding
from connector.mapping.suggestions import suggest

MOST = 1_000_000
"""Bytes that a file may have: no mapping comes near it, and what is endless ends."""

MOST_TRIED = 120
"""Lines of a file in which the place of a failure is looked for."""

Part = tuple[int | str, ...]
"""A part of a document: the keys and positions that lead to it."""


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of a file that lies elsewhere than in the working folder, and how it is called in findings."""

    where: str
    data: bytes


Origin = Path | Source


# --- reading ----------------------------------------------------------------------------------------------


def read_yaml(origin: Origin, findings: list[Finding]) -> Any | None:
    """A YAML document with line numbers, or None with a finding."""
    where = str(origin) if isinstance(origin, Path) else origin.where
    data = _read_bytes(origin, where, findings) if isinstance(origin, Path) else origin.data
    text = None if data is None else _decode(data, where, findings)
    return None if text is None else _parse(text, where, findings)


def _read_bytes(path: Path, where: str, findings: list[Finding]) -> bytes | None:
    try:
        if path.is_dir():
            findings.append(Finding(where, 0, "is a folder", "give it another name, or move it elsewhere"))
        elif path.exists() and not path.is_file():
            findings.append(Finding(where, 0, "is not a file", "put a YAML file in its place"))
        else:
            with path.open("rb") as opened:
                data = opened.read(MOST + 1)
            if len(data) <= MOST:
                return data
            remedy = "a mapping file has a few kilobytes: see what this one is"
            findings.append(Finding(where, 0, f"is larger than {MOST // 1_000_000} MB", remedy))
    except FileNotFoundError:
        findings.append(Finding(where, 0, "there is no such file", "run `connector init`"))
    except OSError as error:
        remedy = "let this user read it, or put a file in its place"
        findings.append(Finding(where, 0, f"cannot be read: {error.strerror}", remedy))
    return None


def _decode(data: bytes, where: str, findings: list[Finding]) -> str | None:
    save = "save it as UTF-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        findings.append(Finding(where, 1, "is UTF-16 text, not UTF-8", save))
        return None
    if (at := data.find(0)) >= 0:
        message = f"has a NUL byte (number {at + 1} of the file): it is damaged, or not UTF-8 text"
        findings.append(Finding(where, data.count(b"\n", 0, at) + 1, message, f"restore it, or {save}"))
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 text: the byte 0x{data[error.start]:02X} stands for no character"
        findings.append(Finding(where, line, message, save, column=_column(data, error.start)))
        return None


def _column(data: bytes, at: int) -> int:
    return at - data.rfind(b"\n", 0, at)


def _parse(text: str, where: str, findings: list[Finding]) -> Any | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML lets a later anchor take over
            document = YAML(typ="rt").load(text)
        if (part := _find_half_character(document)) is None:
            return document
        line, column = find_place(document, part)
        message = "has half a character: `\\ud800` to `\\udfff` stand for none by themselves"
        findings.append(Finding(where, line, message, "write the character itself", column=column))
    except MarkedYAMLError as error:
        findings.append(_explain_yaml(error, where))
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"has a character that YAML does not allow, number {ord(text[error.position])} of Unicode"
        findings.append(Finding(where, line, message, "take it out"))
    except Exception as error:  # noqa: BLE001  # on odd text the parser itself fails, in a dozen ways
        findings.append(_explain_failure(error, text, where))
    return None


def _find_half_character(document: Any) -> Part | None:
    """Where a text has a half of a surrogate pair, which an escape can make, and nothing can store or print."""
    todo: list[tuple[Part, Any]] = [((), document)]
    seen: set[int] = set()
    while todo:
        part, one = todo.pop()
        if isinstance(one, str) and _HALF.search(one):
            return part
        if isinstance(one, dict | list) and id(one) not in seen:
            seen.add(id(one))  # what an alias repeats is looked at once
            inner = one.items() if isinstance(one, dict) else enumerate(one)
            todo += [((*part, key), held) for key, value in inner for held in (key, value)]
    return None


_HALF = re.compile("[\ud800-\udfff]")


def _explain_failure(error: Exception, text: str, where: str) -> Finding:
    """What the parser stumbles over without saying where: 2020-99-99, `!!bool maybe`, a merge into itself."""
    match error:
        case RecursionError():
            brackets = [one.count("[") + one.count("{") for one in text.split("\n")]
            line = brackets.index(max(brackets)) + 1
            return Finding(where, line, "is nested too deeply", "a mapping is three or four levels deep")
        case ValueError():
            line = _find_failure(error, text)
            return Finding(where, line, f"is not YAML: {error}", "put values that are meant as text in quotes")
        case _:
            message = "is not YAML: a tag (`!!…`) or a merge (`<<`) in it makes no sense"
            return Finding(where, _find_failure(error, text), message, "write the values out")


def _find_failure(error: Exception, text: str) -> int:
    """The first line up to which the text fails in this very way; 0 where it is too long to try."""
    lines = text.split("\n")
    if len(lines) > MOST_TRIED or len(text) > MOST_TRIED * 100:
        return 0
    this = (type(error), str(error))
    return next(number for number in range(1, len(lines) + 1) if _failure_of("\n".join(lines[:number])) == this)


def _failure_of(text: str) -> tuple[type, str]:
    """How a text fails, half a document in ways of its own."""
    try:
        YAML(typ="rt").load(text)
    except Exception as error:  # noqa: BLE001  # whichever it is, is the question
        return type(error), str(error)
    return type(None), ""


_SLIPS = (
    (r"found character '\\t'", "has a tab where YAML wants spaces", "replace the tab by spaces"),
    (r"found undefined alias", "uses an alias (`*name`) that no `&name` defines", "write the value out"),
    (
        r"mapping values are not allowed",
        "has a second `: ` on one line, or is indented too far",
        "indent it like its neighbours, and put text that holds `: ` in quotes",
    ),
    (r"could not find expected ':'", "has a line that is not `key: value`", "write `key: value`"),
    (r"expected <block end>", "is not indented like the lines before it", "indent it like its neighbours"),
    (r"found another document", "has a second document", "take the line `---` out"),
    (r"cannot start any token", "has a value that begins with a sign of YAML's own", "put it in quotes"),
    (r"unknown escape character", "has a backslash in double quotes", "use single quotes"),
    (r"for merging", "merges (`<<`) what is no group of `key: value`", "write the keys out"),
    (r"found unexpected end of stream", "has a quote that is never closed", "close it"),
)
"""What people get wrong, by what the parser says of it (ruamel.yaml's messages)."""

_UNCLOSED = {"flow sequence": "]", "flow mapping": "}"}


def _explain_yaml(error: MarkedYAMLError, where: str) -> Finding:
    problem, context = error.problem or "", error.context or ""
    mark = error.problem_mark or error.context_mark
    message, remedy = f"is not YAML: {problem}", "compare this place with the lines around it"
    if isinstance(error, DuplicateKeyError):
        key = re.search(r'duplicate key "(.*?)"', problem)
        message, remedy = f"has the key `{key[1] if key else problem}` twice", "keep one of the two lines"
    for pattern, said, advice in _SLIPS:
        if re.search(pattern, problem):
            message, remedy = said, advice
            if "closed" in said:
                mark = error.context_mark or mark
            break
    for kind, bracket in _UNCLOSED.items():
        if kind in context and ("stream end" in problem or _spans_lines(error)):
            mark = error.context_mark or mark
            message, remedy = f"has a bracket that is never closed with `{bracket}`", f"put `{bracket}` at its end"
        elif kind in context and "expected ',' or" in problem:
            message, remedy = f"lacks a comma or a `{bracket}`", "put it before this place"
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Finding(where, line, message, remedy, column=column)


def _spans_lines(error: MarkedYAMLError) -> bool:
    begun, met = error.context_mark, error.problem_mark
    return bool(begun and met and begun.line != met.line and "expected ',' or" in (error.problem or ""))


def find_place(document: Any, part: Part) -> tuple[int, int]:
    """Line and column, counted from 1, of the innermost part of `part` that exists in the document."""
    line, column = 1, 1
    for one in part:
        if isinstance(document, list) and isinstance(one, str):
            continue  # a list of conditions may stand for the group `all` of it (A8)
        try:
            at = document.lc.key(one) if isinstance(one, str) else document.lc.item(one)
            line, column = at[0] + 1, at[1] + 1
            document = document[one]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line, column


# --- explaining -------------------------------------------------------------------------------------------


def explain(error: ValidationError, document: Any, where: str, model: type[BaseModel]) -> list[Finding]:
    """What a model found wrong with a document, as findings with lines and with suggestions for typos."""
    found: dict[tuple[Part, str], Finding] = {}
    for one in error.errors(include_url=False):
        part, tag = _strip(one["loc"], document)
        if tag == "str" and isinstance(one["input"], list):
            continue  # text or a list may stand here: a list it is, and what is wrong with that is told beside
        message, remedy = _say(one, part, model)
        line, column = find_place(document, part)
        place = name_part(part)
        told = Finding(where, line, f"{place}: {message}" if part else message, remedy, column=column)
        found.setdefault((part, "" if tag else message), told)
    return [told for (part, _), told in found.items() if not _is_typo_of(part, told, found)]


def _is_typo_of(part: Part, told: Finding, found: Mapping[tuple[Part, str], Finding]) -> bool:
    """Whether a key is missing only because it is misspelled: one slip, one finding."""
    return told.message.endswith(": is missing") and any(
        other[:-1] == part[:-1] and one.remedy == f"did you mean `{part[-1]}`?" for (other, _), one in found.items()
    )


def name_part(part: Part) -> str:
    """`fields entry 2, rule`: positions are counted as people count."""
    text = ""
    for one in part:
        if isinstance(one, int):
            text += f" entry {one + 1}"
        elif text:
            text += (", " if " entry " in text else ".") + one
        else:
            text = one
    return text.strip()


_TAG = re.compile(r"^(str|float|int|bool|list\[.*\]|function-.*)$")


def _strip(part: Part, document: Any) -> tuple[Part, str]:
    """A place without the names of alternatives that pydantic adds to it, and the first such name."""
    kept: list[int | str] = []
    tag = ""
    for one in part:
        inside = isinstance(document, Mapping) and one in document
        if isinstance(one, str) and not inside and _TAG.match(one):
            tag = tag or one
            continue
        kept.append(one)
        try:
            document = document[one]
        except (KeyError, IndexError, TypeError):
            document = None
    return tuple(kept), tag


_GROUP = ("should be a group of `key: value`", "write one `key: value` a line")
_LIST = ("should be a list", "write `[one, two]`, or one `- …` a line")
_TRUTH = ("should be true or false", "write true or false")
_WHOLE, _NUMBER = (
    ("should be a whole number", "write digits alone"),
    ("should be a number", "write digits and a point"),
)
_TYPES = {
    "string_type": ("should be text", "write one text"),
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "list_type": _LIST,
    "dict_type": _GROUP,
    "model_type": _GROUP,
}
_OTHERWISE = "give one that fits: the documentation of settings and mapping files says what may stand here"


def _say(one: ErrorDetails, part: Part, model: type[BaseModel]) -> tuple[str, str]:
    """What is wrong and what to do, in words."""
    kind, given = one["type"], one["input"]
    if kind == "extra_forbidden":
        known = list(keys_at(model, part[:-1]))
        return "is not a known key", suggest(str(part[-1]), known) or f"the keys here are {', '.join(known)}"
    if kind in {"literal_error", "enum"}:
        known = re.findall(r"'([^']*)'", str(one.get("ctx", {}).get("expected", "")))
        return f"should be one of {', '.join(known)}, not {_show(given)}", suggest(
            str(given), known
        ) or "use one of these"
    if kind == "invalid_key":
        return f"the key `{_show(part[-1])}` should be text", f"put it in quotes: '{_show(part[-1])}'"
    if kind == "too_short":
        return "should not be empty", "put something in, or take the key out"
    if kind == "missing":
        return "is missing", f"add `{part[-1]}:`"
    if kind == "string_type" and isinstance(given, int | float):
        return "should be text", f"put it in quotes: '{_show(given)}'"
    message, remedy = _TYPES.get(kind) or (one["msg"].removeprefix("Value error, "), "")
    message, _, own = message.partition(" → ")  # a model's own check may say what to do
    return message.replace("Input should be", "should be"), own or remedy or _OTHERWISE


def _show(given: Any) -> str:
    if given is None:
        return "nothing"
    text = str(given).lower() if isinstance(given, bool) else str(given)
    return f"{text[:40]}…" if len(text) > 40 else text


def keys_at(model: type[BaseModel], part: Part) -> Iterator[str]:
    """The keys that may stand at a place of a document."""
    schema = model.model_json_schema()
    nodes = list(_alternatives(schema, schema))
    for one in part:
        inner = [node.get("items") if isinstance(one, int) else _member(node, one) for node in nodes]
        nodes = [way for node in inner if node for way in _alternatives(node, schema)]
    seen = dict.fromkeys(key for node in nodes for key in node.get("properties", {}))
    yield from seen


def _member(node: Mapping[str, Any], key: str) -> Any:
    more = node.get("additionalProperties")
    return node.get("properties", {}).get(key) or (more if isinstance(more, dict) else None)


def _alternatives(node: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in node:
        node = root["$defs"][str(node["$ref"]).rpartition("/")[2]]
    yield node
    for key in ("anyOf", "allOf", "oneOf"):
        for one in node.get(key, ()):
            yield from _alternatives(one, root)
