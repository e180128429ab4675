"""Where does a secret come from? A variable of the environment holds it, or says where it lies.

| variable | the secret |
|---|---|
| `NAME` | its value |
| `NAME_FILE` | the text of that file, as containers and systemd (`LoadCredential=`) hand over secrets |
| `NAME_FD` | what is read from that descriptor, which whoever started this process has opened |
| `NAME_KEYRING` | what the operating system's keyring has under that service and `NAME` |

One of them; more than one is a mistake, which is told. The keyring's library is imported only when it is asked for.
Blanks and line ends around a secret are no part of it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from connector.errors import BadConfiguration, Finding

SUFFIXES = ("", "_FILE", "_FD", "_KEYRING")
MOST = 65_536
"""Bytes that a secret may have: a file that is larger is another one."""

_read: dict[tuple[int, int, int], bytes] = {}
"""What came out of pipes, which can be read only once, by descriptor and by what it stands for."""


def sources_of(environment: Mapping[str, str], name: str) -> list[str]:
    """The variables that give this secret."""
    return [f"{name}{suffix}" for suffix in SUFFIXES if environment.get(f"{name}{suffix}", "").strip()]


def read_secret(environment: Mapping[str, str], name: str) -> str:
    """The secret of that name; blank if no variable gives it.

    Raises:
        BadConfiguration: it is given twice, or cannot be read where it is said to lie.
    """
    sources = sources_of(environment, name)
    if not sources:
        return ""
    if len(sources) > 1:
        raise _wrong(sources[0], f"is given again by {' and '.join(sources[1:])}", "keep one of them")
    variable = sources[0]
    given = environment[variable].strip()
    match variable.removeprefix(name):
        case "_FILE":
            return _decode(variable, _read_file(variable, given))
        case "_FD":
            return _decode(variable, _read_descriptor(variable, given))
        case "_KEYRING":
            return _ask_keyring(variable, given, name)
        case _:
            return given


def _read_file(variable: str, path: str) -> bytes:
    try:
        with Path(path).open("rb") as opened:
            return opened.read(MOST + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte
        reason = getattr(error, "strerror", None) or "no such name is possible"
        remedy = "name a file that holds the secret and that this user may read"
        raise _wrong(variable, f"{path} cannot be read: {reason}", remedy) from None


def _read_descriptor(variable: str, number: str) -> bytes:
    remedy = "give the number of a descriptor that is open for reading, such as 3 for `3< FILE`"
    if not (number.isascii() and number.isdigit()):
        raise _wrong(variable, "is not the number of a descriptor", remedy)
    try:
        descriptor = int(number)
        about = os.fstat(descriptor)
        if stat.S_ISREG(about.st_mode):
            return os.pread(descriptor, MOST + 1, 0)
        key = (descriptor, about.st_dev, about.st_ino)
        if key not in _read:
            _read[key] = _drain(descriptor)
        return _read[key]
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "there is no such number"
        raise _wrong(variable, f"descriptor {number} cannot be read: {reason}", remedy) from None


def _drain(descriptor: int) -> bytes:
    """All there is, until the other side closes, or it is too much."""
    data = b""
    while len(data) <= MOST and (some := os.read(descriptor, MOST + 1 - len(data))):
        data += some
    return data


def _decode(variable: str, data: bytes) -> str:
    remedy = "put the secret alone there, as text"
    if len(data) > MOST:
        raise _wrong(variable, f"holds more than {MOST // 1024} KB", remedy)
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise _wrong(variable, "does not hold text in UTF-8", remedy) from None
    if not text or "\0" in text:
        raise _wrong(variable, "holds nothing" if not text else "holds a NUL byte", remedy)
    return text


def _ask_keyring(variable: str, service: str, name: str) -> str:
    try:
        import keyring  # noqa: PLC0415  # an extra, which is not there unless asked for
        import keyring.errors  # noqa: PLC0415  # with it
    except ImportError:
        remedy = "install the extra: pip install 'salesforce-hubspot-connector[keyring]'"
        raise _wrong(variable, "needs the library keyring, which is not installed", remedy) from None
    try:
        found = keyring.get_password(service, name)
    except keyring.errors.KeyringError as error:
        remedy = "unlock the keyring of this user, or hand the secret over as a file"
        raise _wrong(variable, f"the keyring cannot be asked ({type(error).__name__})", remedy) from None
    if not found or not found.strip():
        message = f"the keyring has nothing for {name} under {service}"
        raise _wrong(variable, message, f"store it: keyring set {service} {name}")
    return found.strip()


def _wrong(variable: str, message: str, remedy: str) -> BadConfiguration:
    return BadConfiguration([Finding(variable, 0, message, remedy)])
