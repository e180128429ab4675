"""The sessions of an org: opened by a sign-in, kept alive by use, ended by time, by revoking or by hand.

Salesforce Help, "Modify Session Security Settings": a session ends after a time without use, two hours unless set
otherwise.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.clock import Clock
from connector.sandbox.salesforce.sign_in.credentials import LETTERS, Credentials


@dataclass(slots=True)
class Session:
    """`in_ui` marks that of a person in Salesforce's own pages, who makes no API calls. Without `last_used` it
    never ends by itself.
    """

    token: str
    user: str
    in_ui: bool = False
    last_used: datetime | None = None


class Sessions:
    """Opens sessions and recognises them."""

    def __init__(self, credentials: Credentials, user: str, rng: random.Random, clock: Clock) -> None:
        self._organization = credentials.organization
        self._rng = rng
        self._clock = clock
        self._open = {credentials.session_id: Session(credentials.session_id, user)}

    def open(self, user: str, *, in_ui: bool = False) -> Session:
        token = f"{self._organization[:15]}!AR{''.join(self._rng.choices(LETTERS, k=94))}"
        session = self._open[token] = Session(token, user, in_ui, None if in_ui else self._clock.now())
        return session

    def find(self, token: str, idle: timedelta) -> Session | None:
        """The session with this token, unless it has not been used for `idle`; now it is being used."""
        session = self._open.get(token)
        if session is None or session.last_used is None:
            return session
        now = self._clock.now()
        if now - session.last_used > idle:
            del self._open[token]
            return None
        session.last_used = max(now, session.last_used)
        return session

    def end(self, token: str) -> bool:
        """End a session by hand. Whether there was one."""
        return self._open.pop(token, None) is not None

    def end_all(self) -> None:
        """End every session but those that never end by themselves."""
        self._open = {token: session for token, session in self._open.items() if session.last_used is None}
