"""What writes: for real, or as if.

`Hands` is all that applying a plan may do to the CRMs. `PretendedHands` says yes to everything and sends
nothing, so that a plan is made by the very code that will carry it out, down to the number of API calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from connector.adapters.base import Draft, Edit, Labelling, Outcome, Wanted
from connector.adapters.hubspot import PRIMARY_COMPANY, HubSpot
from connector.adapters.salesforce import Salesforce
from connector.adapters.salesforce_deletion import ACCOUNT
from connector.core.hiding import Hidden
from connector.core.model import ContactRole, Fields, Proof, Record, Side


class Hands(Protocol):
    """Everything that can be done to records, and what it costs."""

    price: dict[Side, int]
    """API calls by side, as the adapters reckon them."""

    def reread(self, side: Side, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Record] | None:
        """Records as they are now; None: take what was seen for granted."""

    def reread_whole(
        self, side: Side, object_: str, ids: Sequence[str], wanted: Wanted
    ) -> dict[str, Record] | None:
        """The same with everything that can be written to them, also what is not mapped: they are about to go."""

    def create(self, side: Side, object_: str, drafts: Sequence[Draft], wanted: Wanted) -> Iterator[list[Outcome]]:
        """One outcome per draft."""

    def update(self, side: Side, object_: str, edits: Sequence[Edit]) -> Iterator[list[Outcome]]:
        """One outcome per edit."""

    def delete(self, side: Side, object_: str, ids: Sequence[str]) -> Iterator[list[Outcome]]:
        """One outcome per id. Never opportunities (D2): the adapter refuses them."""

    def connect(self, side: Side, pairs: Sequence[tuple[str, str]]) -> Iterator[list[Outcome]]:
        """Contacts of deals: (opportunity or deal, contact)."""

    def reread_roles(self, deals: Sequence[str]) -> dict[str, ContactRole] | None:
        """The contact roles of opportunities as they are now, by id; None: take what was seen for granted."""

    def reread_contacts(self, deals: Sequence[str]) -> dict[str, dict[str, frozenset[int]]] | None:
        """The contacts of deals with their labels as they are now; None: take what was seen for granted."""

    def remove_roles(self, ids: Sequence[str]) -> Iterator[list[Outcome]]:
        """Contact roles, by their own ids."""

    def remove_contacts(self, pairs: Sequence[tuple[str, str]]) -> Iterator[list[Outcome]]:
        """Contacts of deals: (deal, contact)."""

    def name_roles(self, edits: Sequence[Edit]) -> Iterator[list[Outcome]]:
        """Contact roles in Salesforce, by their own ids (R4)."""

    def label_contacts(self, labellings: Sequence[Labelling]) -> Iterator[list[Outcome]]:
        """Contacts of deals in HubSpot (R4)."""

    def remake_roles(self, roles: Sequence[ContactRole]) -> Iterator[list[Outcome]]:
        """Contact roles in Salesforce, as they were; keys are positions (X2)."""

    def take_back(self, proofs: Sequence[Proof]) -> Iterator[list[Outcome]]:
        """Records in Salesforce that an undone run created, all of one object (X2). No other goes there (D2)."""


class RealHands:
    """Writes through the adapters."""

    def __init__(self, salesforce: Salesforce, hubspot: HubSpot) -> None:
        self.price = dict.fromkeys(Side, 0)
        self._salesforce = salesforce
        self._hubspot = hubspot
        self._crm: Mapping[Side, Salesforce | HubSpot] = {Side.SALESFORCE: salesforce, Side.HUBSPOT: hubspot}

    def reread(self, side: Side, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Record] | None:
        return self._crm[side].read(object_, ids, wanted)

    def reread_whole(
        self, side: Side, object_: str, ids: Sequence[str], wanted: Wanted
    ) -> dict[str, Record] | None:
        return self._crm[side].read_whole(object_, ids, wanted)

    def create(self, side: Side, object_: str, drafts: Sequence[Draft], wanted: Wanted) -> Iterator[list[Outcome]]:
        _check_plain(one.values for one in drafts)
        return self._crm[side].create(object_, drafts, wanted)

    def update(self, side: Side, object_: str, edits: Sequence[Edit]) -> Iterator[list[Outcome]]:
        _check_plain(one.values for one in edits)
        return self._crm[side].update(object_, edits)

    def delete(self, side: Side, object_: str, ids: Sequence[str]) -> Iterator[list[Outcome]]:
        return self._crm[side].delete(object_, ids)

    def connect(self, side: Side, pairs: Sequence[tuple[str, str]]) -> Iterator[list[Outcome]]:
        if side is Side.SALESFORCE:
            return self._salesforce.add_roles(pairs)
        return self._hubspot.add_contacts(pairs)

    def reread_roles(self, deals: Sequence[str]) -> dict[str, ContactRole] | None:
        return self._salesforce.roles_of(deals)

    def reread_contacts(self, deals: Sequence[str]) -> dict[str, dict[str, frozenset[int]]] | None:
        return self._hubspot.deal_contacts(deals)

    def remove_roles(self, ids: Sequence[str]) -> Iterator[list[Outcome]]:
        return self._salesforce.remove_roles(ids)

    def remove_contacts(self, pairs: Sequence[tuple[str, str]]) -> Iterator[list[Outcome]]:
        return self._hubspot.remove_contacts(pairs)

    def name_roles(self, edits: Sequence[Edit]) -> Iterator[list[Outcome]]:
        return self._salesforce.name_roles(edits)

    def label_contacts(self, labellings: Sequence[Labelling]) -> Iterator[list[Outcome]]:
        return self._hubspot.label_contacts(labellings)

    def remake_roles(self, roles: Sequence[ContactRole]) -> Iterator[list[Outcome]]:
        return self._salesforce.remake_roles(roles)

    def take_back(self, proofs: Sequence[Proof]) -> Iterator[list[Outcome]]:
        return self._salesforce.take_back(proofs)


class PretendedHands:
    """Reckons what writing would cost, and pretends that it went well."""

    def __init__(self, salesforce: Salesforce, hubspot: HubSpot) -> None:
        self.price = dict.fromkeys(Side, 0)
        self._salesforce = salesforce
        self._crm: Mapping[Side, Salesforce | HubSpot] = {Side.SALESFORCE: salesforce, Side.HUBSPOT: hubspot}

    def reread(self, side: Side, object_: str, ids: Sequence[str], wanted: Wanted) -> dict[str, Record] | None:
        self._pay(side, "read", len(ids))
        if side is Side.HUBSPOT and object_ == "deals" and PRIMARY_COMPANY in wanted.fields:
            self._pay(side, "read companies", len(ids))  # a deal's company is an association, read by itself
        return None

    def reread_whole(
        self, side: Side, object_: str, ids: Sequence[str], wanted: Wanted
    ) -> dict[str, Record] | None:
        if ids:
            self.price[side] += 1  # what there is to read
            self.reread(side, object_, ids, wanted)
        return None

    def create(self, side: Side, object_: str, drafts: Sequence[Draft], wanted: Wanted) -> Iterator[list[Outcome]]:  # noqa: ARG002  # one signature
        self._pay(side, "create", len(drafts))
        yield [Outcome(draft.key, f"new-{draft.key}") for draft in drafts]

    def update(self, side: Side, object_: str, edits: Sequence[Edit]) -> Iterator[list[Outcome]]:  # noqa: ARG002  # one signature
        self._pay(side, "update", len(edits))
        self._pay(side, "update", sum(1 for edit in edits if edit.clears_first))
        yield [Outcome(edit.id, edit.id) for edit in edits]

    def delete(self, side: Side, object_: str, ids: Sequence[str]) -> Iterator[list[Outcome]]:
        refused: dict[str, Outcome] = {}
        if side is Side.SALESFORCE and object_ == ACCOUNT:
            refused = self._salesforce.find_undeletable(object_, ids)
            self._pay(side, "cascades", len(ids))
        self._pay(side, "delete", len(ids) - len(refused))
        yield [refused.get(id_) or Outcome(id_, id_) for id_ in ids]

    def connect(self, side: Side, pairs: Sequence[tuple[str, str]]) -> Iterator[list[Outcome]]:
        self._pay(side, "connect", len(pairs))
        keys = [f"{deal}/{contact}" for deal, contact in pairs]
        yield [Outcome(key, f"new-{key}") for key in keys]  # each role has an id of its own, as in Salesforce

    def reread_roles(self, deals: Sequence[str]) -> dict[str, ContactRole] | None:
        self._pay(Side.SALESFORCE, "roles", len(deals))
        return None

    def reread_contacts(self, deals: Sequence[str]) -> dict[str, dict[str, frozenset[int]]] | None:
        self._pay(Side.HUBSPOT, "roles", len(deals))
        return None

    def remove_roles(self, ids: Sequence[str]) -> Iterator[list[Outcome]]:
        self._pay(Side.SALESFORCE, "disconnect", len(ids))
        yield [Outcome(id_, id_) for id_ in ids]

    def remove_contacts(self, pairs: Sequence[tuple[str, str]]) -> Iterator[list[Outcome]]:
        self._pay(Side.HUBSPOT, "disconnect", len(pairs))
        yield [Outcome(f"{deal}/{contact}", contact) for deal, contact in pairs]

    def name_roles(self, edits: Sequence[Edit]) -> Iterator[list[Outcome]]:
        self._pay(Side.SALESFORCE, "update", len(edits))
        yield [Outcome(edit.id, edit.id) for edit in edits]

    def label_contacts(self, labellings: Sequence[Labelling]) -> Iterator[list[Outcome]]:
        self._pay(Side.HUBSPOT, "connect", sum(1 for one in labellings if one.types))
        self._pay(Side.HUBSPOT, "disconnect", sum(1 for one in labellings if not one.types))
        yield [Outcome(one.key, one.contact) for one in labellings]

    def remake_roles(self, roles: Sequence[ContactRole]) -> Iterator[list[Outcome]]:
        self._pay(Side.SALESFORCE, "create", len(roles))
        yield [Outcome(str(number), f"new-role-{number}") for number, _ in enumerate(roles)]

    def take_back(self, proofs: Sequence[Proof]) -> Iterator[list[Outcome]]:
        self._pay(Side.SALESFORCE, "take back", len(proofs))
        if any(one.object == ACCOUNT for one in proofs):
            self._pay(Side.SALESFORCE, "cascades", len(proofs))
        yield [Outcome(one.id, one.id) for one in proofs]

    def _pay(self, side: Side, verb: str, number: int) -> None:
        self.price[side] += self._crm[side].price(verb, number)


def _check_plain(writes: Iterable[Fields]) -> None:
    """A hash that stands for a value is nobody's value (G3).

    Raises:
        ValueError: one was about to be written.
    """
    for fields in writes:
        hidden = [name for name, value in fields.items() if isinstance(value, Hidden)]
        if hidden:
            raise ValueError(f"the values of {', '.join(hidden)} are hidden and cannot be written")
