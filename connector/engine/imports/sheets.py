"""What is in a CSV file, and is it one that can be read without guessing?

UTF-8, with or without a byte order mark; commas, semicolons or tabs between the cells, as the header has them;
double quotes around cells that hold any of these. Whatever else is found is told with its line, all at once.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from connector.core.model import Side
from connector.engine.world import COMPANIES, CONTACTS, DEALS
from connector.errors import BadConfiguration, Finding

OBJECTS = {
    "accounts": COMPANIES,
    "companies": COMPANIES,
    "contacts": CONTACTS,
    "opportunities": DEALS,
    "deals": DEALS,
}
MOST_FINDINGS = 50
"""So many are told; whoever has more has one mistake many times."""
DELIMITERS = (",", ";", "\t")
_AS_UTF8 = "save it as “CSV UTF-8” and try again"
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for: a file, by its content, and where its lines go."""

    file: str
    digest: str
    object: str
    to: str
    overwrite: bool = False

    @property
    def pair(self) -> str:
        return OBJECTS[self.object]

    @property
    def side(self) -> Side:
        return Side(self.to)

    @property
    def name(self) -> str:
        return Path(self.file).name

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Order:
        return cls(**told)


def make_order(file: str, digest: str, object_: str, to: str, *, overwrite: bool) -> Order:
    """An order of what a person typed.

    Raises:
        BadConfiguration: there is no such object or side.
    """
    findings = []
    if object_ not in OBJECTS:
        findings.append(Finding("--object", 0, f"{object_!r} is not known", f"give one of {', '.join(OBJECTS)}"))
    if to not in set(Side):
        findings.append(Finding("--to", 0, f"{to!r} is not a side", "give hubspot or salesforce"))
    if findings:
        raise BadConfiguration(findings)
    return Order(file, digest, object_, to, overwrite)


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a file: where it begins, and its cells in the order of the header."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was read: `digest` tells its content, `total` how many records it has."""

    path: Path
    digest: str
    header: tuple[str, ...]
    total: int
    delimiter: str = ","
    text: str = field(repr=False, default="")

    def lines(self) -> Iterator[Line]:
        """The records, one after the other; empty lines are none."""
        lines = _lines(self.text, self.delimiter)
        next(lines, None)
        for one in lines:
            yield Line(one.number, tuple(cell.strip() for cell in one.cells))


def read_sheet(path: Path) -> Sheet:
    """Read a file.

    Raises:
        BadConfiguration: with everything that is wrong with it as a file, by line.
    """
    content = _read_bytes(path)
    text = _decode(path, content)
    findings: list[Finding] = []
    delimiter = _find_delimiter(text)
    header: tuple[str, ...] = ()
    total = 0
    try:
        for number, line in enumerate(_lines(text, delimiter)):
            if number == 0:
                header = tuple(cell.strip() for cell in line.cells)
                findings += _check_header(path, line.number, header)
            elif len(line.cells) != len(header):
                message = f"has {len(line.cells)} cells, the header has {len(header)}"
                remedy = "put quotes around cells that hold a delimiter, or add what is missing"
                findings.append(Finding(str(path), line.number, message, remedy))
            else:
                total += 1
    except _BrokenLine as error:
        message = f"its quotes cannot be read: {error.reason}"
        remedy = 'quotes go around a whole cell, and one inside is doubled: "He said ""yes"""'
        findings.append(Finding(str(path), error.line, message, remedy))
    if not header:
        findings.append(Finding(str(path), 0, "is empty", "give a file with a header and a line for each record"))
    elif not total and not findings:
        findings.append(Finding(str(path), 0, "has a header and no record", "add a line for each record"))
    refuse(findings)
    return Sheet(path, hashlib.sha256(content).hexdigest(), header, total, delimiter, text)


def refuse(findings: Sequence[Finding]) -> None:
    """Raise `BadConfiguration` with the first findings, if there are any."""
    if len(findings) > MOST_FINDINGS:
        more = len(findings) - MOST_FINDINGS
        rest = Finding(findings[0].where, 0, f"and {more:,} more", "mend these first")
        raise BadConfiguration([*findings[:MOST_FINDINGS], rest])
    if findings:
        raise BadConfiguration(list(findings))


class _BrokenLine(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


def _lines(text: str, delimiter: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _BrokenLine(number, str(error)) from None
        if any(cell.strip() for cell in cells):
            yield Line(number, tuple(cells))


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        remedy = "give the name of a CSV file that you may read"
        raise BadConfiguration([Finding(str(path), 0, f"cannot be read: {error.strerror}", remedy)]) from None


def _decode(path: Path, content: bytes) -> str:
    """The text of a file in UTF-8. Raises `BadConfiguration` for other encodings, with the line where it shows."""
    kind = next((kind for mark, kind in _MARKS.items() if content.startswith(mark)), None)
    if kind is not None or b"\x00" in content:
        message = f"is {kind or 'not text: it has NUL bytes'}, not UTF-8"
        raise BadConfiguration([Finding(str(path), 1, message, _AS_UTF8)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        shown = content[error.start : error.start + 1].hex()
        message = f"is not UTF-8: byte {shown} is no character (perhaps the file is in Windows-1252)"
        raise BadConfiguration([Finding(str(path), line, message, _AS_UTF8)]) from None


def _find_delimiter(text: str) -> str:
    """The sign that divides the header, outside of quotes, most often; the comma if none does."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _check_header(path: Path, line: int, header: Sequence[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for position, name in enumerate(header, 1):
        if not name:
            yield Finding(str(path), line, f"column {position} has no name", "name it, or take the column out")
        elif name.casefold() in seen:
            yield Finding(str(path), line, f"has the column {name!r} twice", "take one of them out, or rename it")
        seen.add(name.casefold())
