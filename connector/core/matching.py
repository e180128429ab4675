"""An unlinked record: is its partner already there?

Looked for in this order; the first that answers decides:

1. a stored id: either record names the other (A2, O8, O10). It is believed before anything else.
2. the pair's match keys, one after the other, best first: e-mail for contacts (A3), the domain and then the
   name for accounts and companies (A2).
3. nothing: create it on the other side, if the pair is created there.

| several records with one value | e-mail                                  | domain, name                          |
|--------------------------------|-----------------------------------------|---------------------------------------|
| on this side                   | the oldest links, the others are held   | all are held                          |
| on the other side              | the oldest free one is the partner      | all are held                          |
| the other side's are all taken | held: the vendor would not have another | it says nothing; the next key is asked|

Held is also what is alike by one key and different by a better one, and what somebody else has a better, but not
a clear claim to. Whom a stored id gives to another record is no partner by what is alike, nor by what was merged
into it (A7); and no partner is made for a record that is named by one with a partner, which may be about to lose
that. A link, once made, is never questioned here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connector.core.model import (
    KeyValue,
    Link,
    LinkState,
    MatchKey,
    Pair,
    Presence,
    Problem,
    ProblemClass,
    Record,
    Side,
)

Keys = Mapping[tuple[Side, str], tuple[KeyValue, ...]]
LISTED = 10
"""As many candidates are named in a problem."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An unlinked record and all that was observed of possible partners.

    `named` is the record of the other side that this one names; `naming` are those that name this one.
    `claimed` are possible partners that are another record's of this side, as stored ids tell.
    `keys` holds the values of the match keys of this record and of the records alike to it, by side and id;
    `alike` the present records of both sides by each of those values, so also the rivals for a partner.
    `links` holds the live links of any record mentioned here, by side and id.
    """

    record: Record
    named: Record | None = None
    naming: tuple[Record, ...] = ()
    claimed: frozenset[str] = frozenset()
    keys: Keys = field(default_factory=dict)
    alike: Mapping[KeyValue, tuple[Record, ...]] = field(default_factory=dict)
    links: Mapping[tuple[Side, str], Link] = field(default_factory=dict)
    in_scope: bool = True
    """Whether it may get a partner made: a deal may only in a synced pipeline (O6)."""
    outside: bool = False
    """It is out of scope (A8): it is known by a stored id or not at all, and gets no partner."""
    restored: bool = False
    """Its pair ended with its own deletion, and it is back: that its partner is gone is no reason now (D4)."""
    forced: bool = False
    """A person asked for a partner: what is not clearly the same is not the same (A1), and what was deleted is
    made anew (D3)."""

    def link_of(self, record: Record) -> Link | None:
        return self.links.get((record.side, record.id))

    def is_taken(self, record: Record) -> bool:
        """Whether a record has a partner other than this candidate. A pending link has none yet."""
        link = self.link_of(record)
        if link is None:
            return False
        return link.id_of(self.record.side) not in (None, self.record.id)

    def is_free(self, record: Record) -> bool:
        """Whether a record that is alike may be the partner: no stored id tells that it is another one's (A2)."""
        return not self.is_taken(record) and record.id not in self.claimed

    def is_told_by_salesforce(self, partner: Record) -> bool:
        """Whether it is the Salesforce record that names the other one, or one that was merged into that."""
        here, there = (partner, self.record) if partner.side is Side.SALESFORCE else (self.record, partner)
        told = self.naming if partner.side is Side.SALESFORCE else (self.named,)
        found = here.partner_id == there.id or any(one is not None and one.id == partner.id for one in told)
        return here.partner_id is not None and found

    def values(self, record: Record, key: MatchKey) -> tuple[KeyValue, ...]:
        known = self.keys.get((record.side, record.id), ())
        return tuple(value for value in known if value[0] == key.name)

    def sharing(self, values: Iterable[KeyValue], side: Side) -> list[Record]:
        """The present records of a side with any of these values, oldest first."""
        found = {one.id: one for value in values for one in self.alike.get(value, ()) if one.side is side}
        return sorted(found.values(), key=_age)


@dataclass(frozen=True, slots=True)
class Adopt:
    """`partner` is the same thing: link the two. `key` is what told so: a match key's name, or the stored `id`."""

    partner: Record
    rule: str
    key: str = "id"
    """By what it was found: the name of a match key, or a stored id."""


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
    if candidate.outside:
        return by_id if isinstance(by_id, Adopt | SeverFrom) else Ignore()
    if by_id is not None:
        return by_id
    by_key = _match_by_keys(pair, candidate)
    if by_key is not None:
        return by_key
    may_create = candidate.forced or (candidate.in_scope and record.side.other in pair.creates)
    return CreateThere() if may_create else Ignore()


def _match_by_stored_id(candidate: Candidate) -> Match | None:
    record = candidate.record
    own = candidate.link_of(record)
    naming = sorted(candidate.naming, key=_age)
    mine = [one for one in naming if one.present and one.partner_id == record.id]
    # Who names the record itself comes before who names one that was merged into it (A7).
    for partner in mine or [one for one in naming if one.present]:
        if not candidate.is_taken(partner):
            return Adopt(partner, "A2")
    if mine:
        return _duplicate(record, mine, "is named by a record that already has another partner")
    if candidate.named is not None and candidate.named.present:
        if candidate.is_taken(candidate.named):
            return _duplicate(record, [candidate.named], "names a record that already has another partner")
        if candidate.named.id != record.partner_id and candidate.named.id in candidate.claimed:
            return _duplicate(
                record, [candidate.named], "names what was merged into a record that is another one's"
            )
        return Adopt(candidate.named, "A2")
    if candidate.named is not None and _was_begun(candidate, candidate.named):
        return Adopt(candidate.named, "D1")
    # That the partner of one that was merged into it was deleted says nothing of the record itself (D6).
    gone = [one for one in naming if one.presence is Presence.DELETED and one.partner_id == record.id]
    begun = own is not None and own.state is LinkState.PENDING
    if gone and not candidate.restored and not begun and not candidate.forced:
        return SeverFrom(gone[0].id)
    if record.partner_id is None or candidate.restored:
        return None
    if record.side is Side.SALESFORCE:
        if begun or candidate.forced:
            return None  # it was restored and a try to make its partner did not get through (D4); or a person asks
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


def _was_begun(candidate: Candidate, named: Record) -> bool:
    """Whether this record was made for one that is deleted by now, by a try that never learnt of its success.

    Then the two are a pair like any other, and the deletion is one of a pair.
    """
    link = candidate.link_of(named)
    return named.presence is Presence.DELETED and link is not None and link.state is LinkState.PENDING


# --- by match keys ----------------------------------------------------------------------------------------


def _match_by_keys(pair: Pair, candidate: Candidate) -> Match | None:
    for place, key in enumerate(pair.match_on):
        values = candidate.values(candidate.record, key)
        if key.oldest_links:
            match = _match_oldest(candidate, key, values)
        else:
            match = _match_unique(candidate, key, values, pair.match_on[:place])
        if isinstance(match, Problem) and not key.oldest_links and candidate.record.side.other not in pair.creates:
            return None  # nothing was to be done for it; the records it may be the same as are listed
        if match is not None:
            return match
    return None


def _match_oldest(candidate: Candidate, key: MatchKey, values: tuple[KeyValue, ...]) -> Match | None:
    record = candidate.record
    siblings = [one for one in candidate.sharing(values, record.side) if one.id != record.id]
    alike = candidate.sharing(values, record.side.other)
    blocker = next((one for one in siblings if candidate.link_of(one)), None)
    if blocker is None:
        # Further addresses of a possible partner may be those of an older record.
        rivals = [*siblings, *_rivals(candidate, alike, key)]
        blocker = min((one for one in rivals if _age(one) < _age(record)), key=_age, default=None)
    if blocker is not None:
        return _duplicate(record, [blocker], "has the same match key as an older or linked record")
    free = [partner for partner in alike if candidate.is_free(partner)]
    if alike and not free:
        return _duplicate(record, alike, "matches a record that is already another one's")
    return Adopt(free[0], key.rule, key.name) if free else None


def _rivals(candidate: Candidate, partners: Iterable[Record], key: MatchKey) -> list[Record]:
    """Records of this side without a link, this one among them, that share a value with one of `partners`."""
    values = [value for one in partners if candidate.is_free(one) for value in candidate.values(one, key)]
    return [one for one in candidate.sharing(values, candidate.record.side) if candidate.link_of(one) is None]


def _match_unique(
    candidate: Candidate, key: MatchKey, values: tuple[KeyValue, ...], better: tuple[MatchKey, ...]
) -> Match | None:
    record = candidate.record
    there = candidate.sharing(values, record.side.other)
    # A possible partner may have several values, and each may be another record's.
    shared = [*values, *(value for one in there for value in candidate.values(one, key))]
    here = candidate.sharing(shared, record.side)
    free = [one for one in there if candidate.is_free(one) and not _has_a_better_claim(candidate, one, better)]
    if not free:
        return None
    clear = len(here) == len(there) == 1 and not _is_contested(candidate, free[0], better)
    if clear:
        return Adopt(free[0], key.rule, key.name)
    if candidate.forced:
        return None
    others = [one for one in here if one.id != record.id]
    return _duplicate(
        record,
        [*there, *others],
        f"by its {key.name} it may be the same as more than one record, or as one that a better key tells apart",
    )


def _has_a_better_claim(candidate: Candidate, partner: Record, better: tuple[MatchKey, ...]) -> bool:
    """Whether a better key gives the partner to exactly one other record, which will link it."""
    for key in better:
        values = candidate.values(partner, key)
        here = candidate.sharing(values, candidate.record.side)
        there = candidate.sharing(values, partner.side)
        if any(candidate.link_of(one) is None for one in here):
            return len(here) == len(there) == 1
    return False


def _is_contested(candidate: Candidate, partner: Record, better: tuple[MatchKey, ...]) -> bool:
    """Whether a better key tells the two apart, or has others without a partner claim the same one."""
    for key in better:
        values = candidate.values(partner, key)
        if values and candidate.values(candidate.record, key):
            return True
        if any(candidate.link_of(one) is None for one in candidate.sharing(values, candidate.record.side)):
            return True
    return False


def _age(record: Record) -> tuple[str, str]:
    return record.created, record.id


def _duplicate(record: Record, others: list[Record], what: str) -> Problem:
    listed = ", ".join(f"{one.object} {one.id} in {one.side}" for one in others[:LISTED])
    more = f" and {len(others) - LISTED} more" if len(others) > LISTED else ""
    return Problem(
        record.side,
        record.object,
        record.id,
        ProblemClass.DUPLICATES,
        "DUPLICATE",
        f"{what}: {listed}{more}",
        "merge the duplicates, change the value that makes them alike, or give the right HubSpot record the"
        " Salesforce id (A2, A3)",
    )
