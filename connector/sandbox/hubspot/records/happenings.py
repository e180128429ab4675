"""What has happened in a portal that HubSpot may react to: a record was written, or two were associated anew.

Noted where it happens, by `Portal`, and read by `automation.py` at the end of the call.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.sandbox.hubspot.definitions.associations import Pair, Types


@dataclass(frozen=True, slots=True)
class Written:
    """A record of one object type has other values than before in the properties `names`."""

    kind: str
    record_id: int
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Linked:
    """Two records are associated under other types than before; under none before or now if they were not."""

    pair: Pair
    start: int
    end: int
    before: Types
    now: Types

    @property
    def met(self) -> bool:
        """Whether they were not associated before."""
        return not self.before

    @property
    def parted(self) -> bool:
        return not self.now

    def gains(self, type_id: int) -> bool:
        return type_id in self.now and type_id not in self.before
