"""The time in a sandbox: the real one, shifted or frozen at will."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Runs with real time unless frozen. All times are aware and in UTC."""

    def __init__(self, frozen_at: datetime | None = None) -> None:
        self._frozen = frozen_at
        self._shift = timedelta(0)

    @property
    def frozen(self) -> bool:
        return self._frozen is not None

    def now(self) -> datetime:
        return self._frozen if self._frozen is not None else datetime.now(UTC) + self._shift

    def set(self, moment: datetime) -> None:
        """Make it `moment` now. A frozen clock stays frozen there, a running one runs on from there."""
        if self._frozen is not None:
            self._frozen = moment
        else:
            self._shift = moment - datetime.now(UTC)

    def freeze(self) -> None:
        self._frozen = self.now()

    def run(self) -> None:
        """Let a frozen clock run on from where it stands."""
        if self._frozen is not None:
            moment, self._frozen = self._frozen, None
            self.set(moment)

    def advance(self, by: timedelta) -> None:
        self.set(self.now() + by)
