"""One org: its objects, rows, permissions and counters, from the moment it is founded.

`seeds` of a new org: the organization, one administrator, Salesforce's ten default stages, no record types.
"""

from __future__ import annotations

from typing import Any

from connector.sandbox.clock import Clock
from connector.sandbox.salesforce.access import Access
from connector.sandbox.salesforce.api.cursors import Cursors
from connector.sandbox.salesforce.bulk.jobs import Jobs
from connector.sandbox.salesforce.definitions.objects import OBJECTS
from connector.sandbox.salesforce.definitions.schema import Schema, SObject
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.records.store import Row, Store, trimmed
from connector.sandbox.salesforce.records.writes import Writer
from connector.sandbox.salesforce.settings import Settings
from connector.sandbox.salesforce.usage import Usage

_DEFAULT_STAGES = (
    ("Prospecting", 10, "Pipeline"),
    ("Qualification", 10, "Pipeline"),
    ("Needs Analysis", 20, "Pipeline"),
    ("Value Proposition", 50, "Pipeline"),
    ("Id. Decision Makers", 60, "Pipeline"),
    ("Perception Analysis", 70, "Pipeline"),
    ("Proposal/Price Quote", 75, "Pipeline"),
    ("Negotiation/Review", 90, "Pipeline"),
    ("Closed Won", 100, "Closed"),
    ("Closed Lost", 0, "Omitted"),
)


def default_stages() -> list[dict[str, Any]]:
    """The stages of a new org, in the shape of OpportunityStage."""
    return [
        {
            "MasterLabel": label, "DefaultProbability": probability, "ForecastCategoryName": forecast,
            "IsClosed": label.startswith("Closed"), "IsWon": label == "Closed Won",
        }
        for label, probability, forecast in _DEFAULT_STAGES
    ]  # fmt: skip


class Org:
    """Everything that a reset throws away."""

    def __init__(self, clock: Clock, instance: str, username: str) -> None:
        self.schema = Schema(OBJECTS)
        self.store = Store(self.schema, clock, instance)
        self.settings = Settings()
        self.access = Access(self.store)
        self.writer = Writer(self.store, self.access, self.settings)
        self.cursors = Cursors(clock, instance)
        self.bulk = Jobs(clock, instance)
        self.usage = Usage(clock)
        self._counted = True
        user = self.insert("User", {
            "Username": username, "Email": "admin@example.com", "FirstName": "Org", "LastName": "Administrator",
            "Alias": "admin", "IsActive": True, "TimeZoneSidKey": "GMT", "LocaleSidKey": "en_US",
            "LanguageLocaleKey": "en_US", "UserType": "Standard", "Title": "System Administrator",
        })  # fmt: skip
        self.administrator = self.store.user = user
        self.organization = self.insert("Organization", {
            "Name": "Example Organization", "Country": "US", "DefaultLocaleSidKey": "en_US",
            "LanguageLocaleKey": "en_US", "TimeZoneSidKey": "GMT", "OrganizationType": "Developer Edition",
            "IsSandbox": False, "InstanceName": "GMT1", "FiscalYearStartMonth": 1,
        })  # fmt: skip
        self.tell_permissions()

    def insert(self, name: str, values: Row, record: str | None = None) -> str:
        """Store a row that no client may write; `record` replaces the row with that id."""
        table, now = self.store.table(name), self.store.now()
        record = record or self.store.new_id(table)
        user = self.store.user or record
        self.store.put(table, trimmed({
            "Id": record, **values, "CreatedDate": now, "CreatedById": user,
            "LastModifiedDate": now, "LastModifiedById": user, "SystemModstamp": now,
        }.items()))  # fmt: skip
        return record

    def tell_permissions(self) -> None:
        """Show the permissions of the signed-in user as the one row of UserPermissionAccess."""
        table = self.store.table("UserPermissionAccess")
        permissions = trimmed(self.access.permissions.items())
        self.store.put(table, {"Id": "000000000000000AAA", **permissions})

    def readable(self, name: str) -> SObject:
        """The object with this name. Raises NOT_FOUND when there is none, or the user may not read it."""
        found = self.schema.find(name)
        if found is None or not self.access.may_read(found.name):
            raise ApiError("NOT_FOUND", "The requested resource does not exist")
        return found

    def sign_in(self, user: str, *, counted: bool) -> None:
        """Let this user be the one who acts from now on; whether the calls count as API calls."""
        self._counted = counted
        if user != self.store.user:
            self.store.user = user
            self.tell_permissions()

    def count(self, resource: str) -> None:
        """Count an API call. Raises REQUEST_LIMIT_EXCEEDED when the day's calls are used up."""
        if not self._counted:
            return
        if self.settings.enforce_limits and self.usage.daily >= self.settings.daily_requests:
            raise ApiError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self.usage.count(resource)
