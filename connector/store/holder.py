"""Which process holds a lease, and is it certainly gone?

A process is told from every other one by the boot of its machine, its PID namespace, its number there, and the
tick since boot at which it began: a number that is used again has another tick, two containers have two namespaces,
and no clock that people set is asked. Only Linux tells all four (`proc(5)`, `pid_namespaces(7)`). Elsewhere, of
another machine, and of one that has booted since, nothing is known: its lease has to end by itself.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_DEAD = {"Z", "X", "x"}
_STATE, _BEGAN = 0, 19
"""Of /proc/PID/stat, counted from after the name: the state, and the tick at which the process began."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process. `host` is for people; `place` is the boot and the namespace, `tick` its beginning, if known."""

    host: str
    pid: int
    place: str | None = None
    tick: str | None = None

    @classmethod
    def here(cls) -> Holder:
        """This process."""
        pid = os.getpid()
        return cls(socket.gethostname(), pid, _place(), _read_stat(_PROC / str(pid) / "stat")[1])

    @property
    def is_gone(self) -> bool:
        """Whether it has ended for certain: nothing of it can write any more."""
        if None in (self.place, self.tick) or self.place != _place():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # it is there, and another user's
        _, tick = _read_stat(_PROC / str(self.pid) / "stat")
        return (tick is not None and tick != self.tick) or self._is_dead()

    def _is_dead(self) -> bool:
        """Whether it was killed, every thread of it, and its parent has only not asked for its end yet."""
        states = {_read_stat(one / "stat")[0] for one in (_PROC / str(self.pid) / "task").glob("*")}
        return bool(states) and states <= _DEAD


def _place() -> str | None:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return None


def _read_stat(path: Path) -> tuple[str | None, str | None]:
    """State and beginning of a process or thread; nothing of one that is gone or may not be looked at."""
    try:
        fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None, None
    return fields[_STATE], fields[_BEGAN]
