"""CSV as the Bulk APIs read and write it.

Results have every value in quotes, a null as an empty one. Uploads are held to the job's delimiter and line ending;
a quotation mark out of place, a row of another length than the header and bytes that are not UTF-8 spoil the whole
upload. Source: Salesforce "Bulk API 2.0 and Bulk API Developer Guide", "Prepare CSV Files" and "Valid CSV Record
Rows".
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from connector.sandbox.wire import Request

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
CSV_TYPE = {"Content-Type": "text/csv; charset=UTF-8"}


class SpoiltError(Exception):
    """Content that nothing can be made of: `InvalidBatch : …` as the error of a job or batch."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The columnDelimiter and lineEnding of a job, by their names."""

    delimiter: str = "COMMA"
    ending: str = "LF"


def write(header: Iterable[str], rows: Iterable[Iterable[Any]], dialect: Dialect) -> bytes:
    """A header and rows of texts (None is null) as CSV."""
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=DELIMITERS[dialect.delimiter],
        lineterminator=ENDINGS[dialect.ending],
        quoting=csv.QUOTE_ALL,
    )
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def read(content: bytes, dialect: Dialect) -> Iterator[list[str]]:
    """The header, then the rows, each as long as the header; empty lines are passed over. Raises `SpoiltError`."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    reader = csv.reader(text, delimiter=DELIMITERS[dialect.delimiter], strict=True)
    width = 0
    try:
        for row in reader:
            if not row:
                continue
            width = width or len(row)
            if len(row) != width:
                message = (
                    f"InvalidBatch : Failed to parse CSV: line {reader.line_num} has {len(row)} values, not {width}"
                )
                raise SpoiltError(message)
            yield row
    except UnicodeDecodeError:
        raise SpoiltError("InvalidBatch : Failed to parse CSV: the content is not UTF-8") from None
    except csv.Error as error:
        raise SpoiltError(f"InvalidBatch : Failed to parse CSV: line {reader.line_num}: {error}") from None


def unpack(request: Request) -> bytes:
    """The body of a request, which may be compressed by gzip. Raises `SpoiltError`."""
    if request.headers.get("content-encoding", "").lower() != "gzip":
        return request.body
    try:
        return gzip.decompress(request.body)
    except (OSError, EOFError, zlib.error) as error:
        raise SpoiltError(f"The content is not compressed by gzip: {error}") from None


def check_ending(content: bytes, ending: str) -> None:
    """Raise `SpoiltError` when the header ends otherwise than the job says."""
    header, newline, _ = content.partition(b"\n")
    if newline and header.endswith(b"\r") != (ending == "CRLF"):
        message = f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {ending}"
        raise SpoiltError(message)
