"""Everything that a client may be configured with to get into the org."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Credentials:
    """Those of the administrator and of the one connected app. `session_id` is a session that never ends."""

    organization: str
    username: str
    password: str
    security_token: str
    consumer_key: str
    consumer_secret: str
    refresh_token: str
    session_id: str

    @classmethod
    def make(cls, rng: random.Random, organization: str) -> Credentials:
        """Of the shapes Salesforce gives them, the same for the same generator."""

        def some(length: int, letters: str = LETTERS) -> str:
            return "".join(rng.choices(letters, k=length))

        return cls(
            organization=organization,
            username="admin@example.com",
            password=some(12) + "7!",
            security_token=some(24),
            consumer_key="3MVG9" + some(80),
            consumer_secret=some(64, "0123456789ABCDEF"),
            refresh_token="5Aep861" + some(80),
            session_id=f"{organization[:15]}!AQ{some(94)}",
        )

    def is_password(self, given: str) -> bool:
        """With or without the security token: from a trusted address it may be left out."""
        return given in {self.password, self.password + self.security_token}
