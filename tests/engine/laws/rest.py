"""What is to be seen once nobody acts any more: which pairs there are, and what the connector says is amiss."""

from __future__ import annotations

from collections.abc import Iterator

from engine.laws.play import Play
from engine.laws.sight import HUBSPOT_OF, Row


class Rest:
    """What is to be seen at one rest: the pairs, and what was said to be amiss."""

    def __init__(self, play: Play) -> None:
        self.play, self.sight = play, play.sight
        self.here = {name: self.sight.here(name) for name in HUBSPOT_OF}
        self.there = {name: self.sight.there(name) for name in HUBSPOT_OF.values()}
        self.problems = play.lab.problems()
        self.told: dict[tuple[str, str], list[str]] = {}
        """The fields that are told to be amiss, by object and id; "" is the whole record."""
        for one in self.problems:
            self.told.setdefault((one["object"], one["record_id"]), []).append(one["field"])
        self.taken = {
            (one["object"], one["record_id"])
            for one in self.problems
            if one["code"] in {"DUPLICATE", "LEFT_OVER_BY_MERGE"} and not one["field"]
        }
        """Records, by object and id, that are said to be held, since their partner has another one."""
        with play.lab.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT object, record_id FROM waiting").fetchall()
        self.waiting = {(row[0], row[1]) for row in rows}
        self.pairs = {name: self.sight.pairs(name) for name in HUBSPOT_OF}
        self.partners = {name: {b: a for a, b in some.items()} for name, some in self.pairs.items()}

    def linked(self, object_: str) -> Iterator[tuple[str, Row, str, Row]]:
        """The live pairs in which both sides may change the other."""
        for id_, partner in self.pairs[object_].items():
            row, record = self.here[object_][id_], self.there[HUBSPOT_OF[object_]][partner]
            if not self.is_still(object_, id_) and not self.is_anothers(object_, id_):
                yield id_, row, partner, record

    def is_anothers(self, object_: str, id_: str) -> bool:
        """Whether it is said of a record that its partner has got another one meanwhile.

        A merge in HubSpot may leave a record that names one that is deleted, to a store that never knew of that
        one. It goes on as the partner of the other merged record then, and nobody can know that the one it names
        will be restored. And who was restored in HubSpot names a record that met another one meanwhile.
        """
        memory = self.play.memory
        both = {(object_, id_), (HUBSPOT_OF[object_], self.pairs[object_][id_])}
        return id_ in memory.loose | memory.ever_loose and not both.isdisjoint(self.taken)

    def is_still(self, object_: str, id_: str) -> bool:
        row = self.here[object_].get(id_)
        record = self.there[HUBSPOT_OF[object_]].get(self.pairs[object_].get(id_, ""))
        if row is None or record is None:
            return row is not None and self.play.is_out(object_, row)
        out = self.play.is_out(object_, row) or self.play.is_out(HUBSPOT_OF[object_], record)
        return out or (object_ == "Opportunity" and not self.play.syncs(record))

    def is_told(self, object_: str, id_: str, partner: str, *fields: str) -> bool:
        """Whether a problem says that a field of this pair, or the pair, could not be synced."""
        for where in ((object_, id_), (HUBSPOT_OF[object_], partner)):
            for names in self.told.get(where, ()):
                if not names or any(one in names for one in fields):
                    return True
        # A person brought back a record that names one whose partner is another by now: that one is told.
        return partner in self.play.memory.restored and any(
            one["code"] == "CONFLICTING_UNIQUE_VALUE" and id_ in one["detail"] for one in self.problems
        )


def find_spoken(play: Play) -> set[str]:
    """The records, with their partners, of which it is said that they wait, or that something is amiss."""
    rest = Rest(play)
    named = {id_ for _, id_ in rest.told.keys() | rest.waiting}
    unowned = {id_ for some in rest.there.values() for id_, row in some.items() if "hubspot_owner_id" not in row}
    owners = {row["OwnerId"] for some in rest.here.values() for row in some.values()} & named
    belonging = {id_ for some in rest.here.values() for id_, row in some.items() if row["OwnerId"] in owners}
    belonging |= {
        id_ for some in rest.there.values() for id_, row in some.items() if row.get("hubspot_owner_id") in named
    }
    found = named | unowned | belonging
    both = {a: b for some in (*rest.pairs.values(), *rest.partners.values()) for a, b in some.items()}
    return found | {both[one] for one in found if one in both}
