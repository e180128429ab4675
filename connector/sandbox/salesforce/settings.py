"""How a sandbox org is set where Salesforce leaves it to the administrator or the edition."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from connector.sandbox.salesforce.errors import InputError

_MOST = 1_000_000_000


@dataclass(slots=True)
class Settings:
    """The switches.

    daily_requests: API calls in 24 hours (15,000 in a Developer Edition; Salesforce Developer Limits).
    enforce_limits: whether further calls are refused then, as in a Developer Edition; they are counted anyway.
    session_minutes: how long a session lives that is not used (Salesforce Help, "Session Settings": two hours).
    jwt_needs_certificate: whether a JWT is refused while the app has no certificate to check it against.
    delete_won_opportunities: whether an account's deletion takes opportunities that are won along (a page asks
        first, Salesforce Help, "Delete Accounts"; what the API does is not told), or is refused (DELETE_FAILED).
    """

    daily_requests: int = 15_000
    enforce_limits: bool = True
    session_minutes: int = 120
    jwt_needs_certificate: bool = False
    delete_won_opportunities: bool = True

    def change(self, given: Any) -> None:
        """Set some of the switches, or none. Raises `InputError` for an unknown name or a wrong value."""
        if not isinstance(given, dict):
            raise InputError("expected an object of settings")
        types: dict[str, type] = {item.name: type(item.default) for item in fields(self)}
        for name, value in given.items():
            if name not in types:
                raise InputError(f"there is no setting {name}")
            if type(value) is not types[name] or (type(value) is int and not 1 <= value <= _MOST):
                number = f"a whole number from 1 to {_MOST}"
                raise InputError(f"{name} takes {'true or false' if types[name] is bool else number}")
        for name, value in given.items():
            setattr(self, name, value)

    def view(self) -> dict[str, Any]:
        return asdict(self)
