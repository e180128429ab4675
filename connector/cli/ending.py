"""How is a command ended, by a person or by a machine that shuts down? Where all that was begun is settled.

    the first signal    the batch in hand is finished and settled; the run reports, exit code 0
    a second one        the process ends at once, as if nobody had asked: the next run takes over where it was

Whatever a call waits for in between, such as a limit of the CRM, is waited for no longer. Only what writes is ended
in this way; a command that looks has nothing to settle and ends at the first signal.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from connector.errors import Halted

SIGNALS = (signal.SIGTERM, signal.SIGINT)
_TOLD = b"Finishing what was begun; the same signal once more ends it at once.\n"


class Ending:
    """Whether a command was asked to end, and waits that end with it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def asked(self) -> bool:
        return self._event.is_set()

    def ask(self) -> None:
        self._event.set()

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)

    def sleep(self, seconds: float) -> None:
        """Wait that long for a CRM. Raises `Halted` as soon as the command is asked to end."""
        if self._event.wait(seconds):
            raise Halted("asked to end")

    def watch(self, tell: Callable[..., None]) -> Callable[..., None]:
        """The same progress, which ends the run once that was asked."""

        def told(*what: Any) -> None:
            tell(*what)
            if self.asked:
                raise Halted("asked to end")

        return told

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """While the block runs, a signal asks the command to end; a second one ends the process."""
        before = {one: signal.signal(one, self._take) for one in SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, signal.SIG_DFL if handler is None else handler)

    def _take(self, number: int, _: Any) -> None:
        if self.asked:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.ask()
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), _TOLD)  # a handler must not go through a buffer that may be in use
