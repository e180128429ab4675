"""How is a file written that holds customers' data? Whole or not at all, and readable by this user alone.

The text goes to a new file beside the old one, of mode 0600, which then takes its place: a process that dies in
between leaves what was there. What is no regular file, such as `/dev/stdout` or a pipe, is written to as it is.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

PRIVATE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@contextlib.contextmanager
def writing_privately(path: Path, *, encoding: str = "utf-8", newline: str | None = None) -> Iterator[TextIO]:
    """A file to write text to, which is in its place once the block is left without an error.

    Raises:
        OSError: it cannot be written.
    """
    if path.exists() and not path.is_file():
        with path.open("w", encoding=encoding, newline=newline) as file:
            yield file
        return
    target = Path(os.path.realpath(path))  # a link stays one: what it leads to is replaced
    descriptor, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".unfinished")
    try:
        with os.fdopen(descriptor, "w", encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(target)
    finally:
        Path(unfinished).unlink(missing_ok=True)


def write_privately(path: Path, text: str) -> None:
    """Write a whole text.

    Raises:
        OSError: it cannot be written.
    """
    with writing_privately(path) as file:
        file.write(text)


def make_privately(path: Path) -> None:
    """Make an empty file unless there is one, before something that knows no modes opens it.

    Raises:
        OSError: it cannot be made.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))


def is_private(path: Path) -> bool:
    """Whether nobody else may do anything with a file; so is one that is not there, or a system without modes."""
    try:
        return os.name != "posix" or not path.stat().st_mode & _OTHERS
    except OSError:
        return True
