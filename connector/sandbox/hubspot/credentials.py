"""Which bearer token stands for whom.

The one token of the portal's app never expires, as that of a private app or service key. People get tokens of
their own: what is done with one counts as done in HubSpot's pages.
"""

from __future__ import annotations

from random import Random
from uuid import UUID

from connector.sandbox.hubspot.actors import APP, Actor


class Credentials:
    """The tokens of a portal. The same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        token = UUID(int=Random(f"token {seed}").getrandbits(128), version=4)
        self._random = Random(f"people {seed}")
        self.access_token = f"pat-na1-{token}"
        self._people: dict[str, Actor] = {}

    def admit(self, actor: Actor) -> str:
        """A token for a person."""
        token = f"person-{UUID(int=self._random.getrandbits(128), version=4)}"
        self._people[token] = actor
        return token

    def actor_of(self, authorization: str) -> Actor | None:
        """Whom the header `Authorization: Bearer …` stands for; None for nobody."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer":
            return None
        return APP if token == self.access_token else self._people.get(token)
