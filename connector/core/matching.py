"""An unlinked record: is its partner already there?

Looked for in this order; the first that answers decides:

1. a stored id: either record names the other (A2, O8, O10). It is believed before anything else.
2. the pair's match key (e-mail for contacts, case-folded), only among records without a partner (A3).
3. nothing: create it on the other side, if the pair is created there.

Several records of one side with one key: the oldest links, the others are held as duplicates (A3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.core.model import Link, LinkState, Pair, Presence, Problem, ProblemClass, Record, Side


@dataclass(frozen=True, slots=True)
class Candidate:
    """An unlinked record and all that was observed of possible partners.

    `named` is the record of the other side that this one names; `naming` are those that name this one;
    `same_key` are present records of the other side with its match key, `siblings` those of its own side.
    `links` holds the live links of any record mentioned here, by side and id.
    """

    record: Record
    named: Record | None = None
    naming: tuple[Record, ...] = ()
    same_key: tuple[Record, ...] = ()
    siblings: tuple[Record, ...] = ()
    links: Mapping[tuple[Side, str], Link] = field(default_factory=dict)
    in_scope: bool = True
    """Whether it may get a partner made: a deal may only in a synced pipeline (O6)."""
    restored: bool = False
    """Its pair ended with its own deletion, and it is back: that its partner is gone is no reason now (D4)."""

    def link_of(self, record: Record) -> Link | None:
        return self.links.get((record.side, record.id))

    def is_taken(self, record: Record) -> bool:
        """Whether a record has a partner other than this candidate. A pending link has none yet."""
        link = self.link_of(record)
        if link is None:
            return False
        return link.id_of(self.record.side) not in (None, self.record.id)


@dataclass(frozen=True, slots=True)
class Adopt:
    """`partner` is the same thing: link the two."""

    partner: Record
    rule: str


@dataclass(frozen=True, slots=True)
class CreateThere:
    """It has no partner and gets one."""


@dataclass(frozen=True, slots=True)
class SeverFrom:
    """Its partner was deleted, so it stays without one (D3, D8). `partner_id` is the deleted record's."""

    partner_id: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """It does not concern the other side."""


Match = Adopt | CreateThere | SeverFrom | Ignore | Problem


def match_record(pair: Pair, candidate: Candidate) -> Match:
    """Decide what an unlinked record is to the other side."""
    record = candidate.record
    if not record.present:
        return Ignore()
    by_id = _match_by_stored_id(candidate)
    if by_id is not None:
        return by_id
    by_key = _match_by_key(candidate)
    if by_key is not None:
        return by_key
    may_create = candidate.in_scope and record.side.other in pair.creates
    return CreateThere() if may_create else Ignore()


def _match_by_stored_id(candidate: Candidate) -> Match | None:
    record = candidate.record
    own = candidate.link_of(record)
    naming = sorted(candidate.naming, key=_age)
    for partner in naming:
        if partner.present and not candidate.is_taken(partner):
            return Adopt(partner, "A2")
    if candidate.named is not None and candidate.named.present:
        if candidate.is_taken(candidate.named):
            return _duplicate(record, candidate.named, "names a record that already has another partner")
        return Adopt(candidate.named, "A2")
    gone = [partner for partner in naming if partner.presence is Presence.DELETED]
    if gone and not candidate.restored and (own is None or own.state is not LinkState.PENDING):
        return SeverFrom(gone[0].id)
    if record.partner_id is None or candidate.restored:
        return None
    if record.side is Side.SALESFORCE:
        # It was born in HubSpot and its partner is gone there: that never makes it anew (D2, D8).
        return SeverFrom(record.partner_id)
    return Problem(
        record.side,
        record.object,
        record.id,
        ProblemClass.ASSOCIATIONS,
        "PARTNER_NOT_READABLE",
        f"carries the Salesforce id {record.partner_id}, which cannot be read",
        "restore the Salesforce record, give the connector's user access to it, or clear the id (O10)",
    )


def _match_by_key(candidate: Candidate) -> Match | None:
    record = candidate.record
    siblings = sorted(candidate.siblings, key=_age)
    elder = siblings[0] if siblings else None
    taken_sibling = next((other for other in siblings if candidate.link_of(other)), None)
    blocker = taken_sibling or (elder if elder is not None and _age(elder) < _age(record) else None)
    if blocker is not None:
        return _duplicate(record, blocker, "has the same match key as an older or linked record")
    alike = sorted(candidate.same_key, key=_age)
    free = [partner for partner in alike if not candidate.is_taken(partner)]
    if alike and not free:
        return _duplicate(record, alike[0], "matches a record that already has another partner")
    return Adopt(free[0], "A3") if free else None


def _age(record: Record) -> tuple[str, str]:
    return record.created, record.id


def _duplicate(record: Record, other: Record, what: str) -> Problem:
    return Problem(
        record.side,
        record.object,
        record.id,
        ProblemClass.DUPLICATES,
        "DUPLICATE",
        f"{what}: {other.object} {other.id} in {other.side}",
        "merge the duplicates, or change the value that makes them alike (A3)",
    )
