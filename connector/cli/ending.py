"""How is a command ended, by a person or by a machine that shuts down? Where all that was begun is settled."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from connector.errors import Halted


class Ending:
    """Whether a command was asked to end, and a wait that ends with it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def asked(self) -> bool:
        return self._event.is_set()

    def ask(self) -> None:
        self._event.set()

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)

    def watch(self, tell: Callable[[str, int], None]) -> Callable[[str, int], None]:
        """The same progress, which ends the run once that was asked."""

        def told(what: str, number: int) -> None:
            tell(what, number)
            if self.asked:
                raise Halted("asked to end")

        return told


@contextlib.contextmanager
def ending_on(*signals: signal.Signals) -> Iterator[Ending]:
    """While the block runs, these signals ask it to end instead of ending the process."""
    ending = Ending()
    before = {one: signal.signal(one, lambda *_: ending.ask()) for one in signals}
    try:
        yield ending
    finally:
        for one, handler in before.items():
            signal.signal(one, _or_default(handler))


def _or_default(handler: Any) -> Any:
    return signal.SIG_DFL if handler is None else handler
