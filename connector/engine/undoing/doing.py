"""What is shared by all that carries out an undo: what is to be done, the new ids of records, what was refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.adapters.base import Refusal
from connector.core.inverse import Inverse, Left, Remaking, Restoring, RoleBack, TakingBack
from connector.core.model import Side
from connector.engine.hiding import NOT_TOLD, cover_words, values_to_cover
from connector.engine.roles import object_of
from connector.engine.undoing.past import Story
from connector.engine.work import Work


@dataclass
class Doing:
    """An undo under way. `ids` are the new ids of records that were made anew, by (side, object, old id)."""

    work: Work
    story: Story
    inverse: Inverse
    root: int
    holds: bool
    cause: str
    ids: dict[tuple[Side, str, str], str] = field(default_factory=dict)

    def refuse(self, one: Restoring | TakingBack | Remaking | RoleBack, refusal: Refusal, name: str = "") -> None:
        object_ = object_of(one.side) if isinstance(one, RoleBack) else one.object
        why = f"refused: {refusal.code}: {self._say(one, object_, refusal, name)}"
        record = one.deal if isinstance(one, RoleBack) else one.record_id
        self.inverse.left.append(Left(one.side, object_, record, name, None, None, why, link_id=one.link_id))

    def _say(
        self, one: Restoring | TakingBack | Remaking | RoleBack, object_: str, refusal: Refusal, name: str
    ) -> str:
        """What a CRM said, without the personal values that it quotes (G3)."""
        veil = self.work.c.store.veil
        if veil.is_personal(one.side, object_, name):
            return NOT_TOLD
        if isinstance(one, Restoring | RoleBack):
            return cover_words(refusal.message, values_to_cover(veil, one.side, object_, one.changes))
        personal = [value for field, value in one.values.items() if veil.is_personal(one.side, object_, field)]
        return cover_words(refusal.message, personal)
