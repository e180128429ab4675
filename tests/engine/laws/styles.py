"""In which organisations is the machine played? Each is made once, brought to rest, and copied for every story.

| style     | what is particular about it                                                                         |
|-----------|-----------------------------------------------------------------------------------------------------|
| shipped   | the defaults; HubSpot's own automation is off                                                       |
| portal    | HubSpot's own automation is on, the connector's is set like it; companies hand their stage down     |
| scoped    | filters on all objects and both sides (A8); HubSpot's search lags; accounts without roles fall back |
| typed     | two record types; roles have labels (R4); contacts and companies go both ways                       |
| backwards | the contact's stage comes from Salesforce and may go back (L8); companies hand their stage down     |

In all of them two people work on both sides, one of them under another address, and one each on one side only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from engine.lab import Lab

from connector.core.model import Pair, RoleRules, Rule, Side
from connector.mapping.scope_files import Scopes

DEALS, CONTACTS, COMPANIES = "opportunity-deal", "contact-contact", "account-company"
LABELS = {"Decision Maker": "Decider", "Economic Buyer": "Decider", "Evaluator": "Evaluator"}
PRIMARY_LABEL = "Main contact"
STAGE_FIELD = "Department"
"""Where Salesforce has a contact's lifecycle stage in the style `backwards`."""
OUT = {
    "Opportunity": ("Type", "Partner"),
    "deals": ("dealtype", "existingbusiness"),
    "Contact": ("Department", "Outside"),
    "contacts": ("city", "Nowhere"),
    "Account": ("Industry", "Other"),
    "companies": ("city", "Nowhere"),
}
"""The value that puts a record out of scope in the style `scoped`, by object."""
PEOPLE = ("ada@acme.example", "bob@acme.example", "cy@acme.example")
OWNERS = ("ada@acme.example", "robert@acme.example", "dee@acme.example")
MAPPED = {"bob@acme.example": "robert@acme.example"}


@dataclass(frozen=True)
class Style:
    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    hubspot: Mapping[str, Any] = field(default_factory=dict)
    record_types: tuple[str, ...] = ()
    scoped: bool = False
    labels: bool = False
    both_ways: bool = False
    backwards: bool = False

    def setting(self, name: str, default: str) -> str:
        return self.environment.get(f"CONNECTOR__LIFECYCLE__{name}", default)

    def map(self, pairs: Mapping[str, Pair]) -> dict[str, Pair]:
        """The mapping as this style's administrator has it."""
        found = dict(pairs)
        if self.scoped:
            found = {name: replace(pair, scope=_scope(pair)) for name, pair in found.items()}
        if self.labels:
            rules = RoleRules(Rule.TWO_WAY, LABELS, PRIMARY_LABEL)
            found[DEALS] = replace(found[DEALS], roles=rules)
        if self.both_ways:
            for name in (CONTACTS, COMPANIES):
                found[name] = replace(found[name], creates=frozenset(Side))
        if self.backwards:
            text = next(rule for rule in found[CONTACTS].fields if rule.hubspot == ("jobtitle",))
            stage = replace(
                text,
                salesforce=(STAGE_FIELD,),
                hubspot=("lifecyclestage",),
                rule=Rule.ALWAYS_SALESFORCE,
                may_go_backwards=True,
            )
            found[CONTACTS] = replace(found[CONTACTS], fields=(*found[CONTACTS].fields, stage))
        return found


def _scope(pair: Pair) -> Mapping[Side, Any]:
    sides = {side.value: OUT[pair.object(side)] for side in Side}
    given = {side: [{"field": name, "is_not": value}] for side, (name, value) in sides.items()}
    return Scopes.model_validate(given).build(ZoneInfo("UTC"), lambda part: (pair.name, len(part)))


_HANDS_DOWN = {"CONNECTOR__LIFECYCLE__COMPANY_TO_CONTACTS": "true"}
STYLES = {
    one.name: one
    for one in (
        Style("shipped"),
        Style(
            "portal",
            environment={**_HANDS_DOWN, "CONNECTOR__LIFECYCLE__NEW_RECORD": "lead"},
            hubspot={"automation": "new_portal"},
        ),
        Style(
            "scoped",
            environment={"CONNECTOR__LIFECYCLE__ACCOUNT_FALLBACK": "true"},
            hubspot={"search_delay_seconds": 600},
            scoped=True,
        ),
        Style("typed", record_types=("First", "Second"), labels=True, both_ways=True),
        Style("backwards", environment=_HANDS_DOWN, hubspot={"lifecycle_backward": "error"}, backwards=True),
    )
}


def begin(style: Style) -> Lab:
    """A copy of the style's organisation, at rest: two accounts, three contacts, two opportunities."""
    prepared, crms, store = _prepared(style.name)
    return prepared.copy(crms, store)


@cache
def _prepared(name: str) -> tuple[Lab, bytes, bytes]:
    lab = found(STYLES[name])
    lab.sync()
    lab.advance(hours=2)
    lab.sync_until_rest()
    return lab, lab.durable_crms(), lab.durable_store()


def found(style: Style) -> Lab:
    """The style's organisation as it was before it had a connector: HubSpot is empty."""
    # Deletions in HubSpot are looked for every hour, so that a rest of two hours has seen them all.
    lab = Lab({"CONNECTOR__HUBSPOT__SWEEP_HOURS": "1", **_OWNER_MAP, **style.environment})
    lab.sandbox_post("hubspot", "settings", {k: v for k, v in style.hubspot.items() if k != "automation"}, "PUT")
    if automation := style.hubspot.get("automation"):
        lab.sandbox_post("hubspot", "settings", {"automation": automation}, "PUT")
    lab.sandbox_post("salesforce", "users", [{"Email": one, "Username": one} for one in PEOPLE])
    lab.sandbox_post("hubspot", "owners", [{"email": one, "firstName": "Some"} for one in OWNERS])
    for one in style.record_types:
        lab.sandbox_post("salesforce", "record_types", [{"Name": one}])
    lab.pairs = style.map(lab.pairs)
    acme = lab.sf_create("Account", Name="Acme #1", Website="acme1.example")
    lab.sf_create("Account", Name="Bolt #2")
    fox = lab.sf_create("Contact", LastName="Fox #3", Email="p3@acme.example", AccountId=acme)
    lab.sf_create("Contact", LastName="Elk #4", AccountId=acme)
    lab.sf_create("Contact", LastName="Owl #5", Email="p5@acme.example")
    types = [row["Id"] for row in lab.sf_all("SELECT Id FROM RecordType ORDER BY Name")]
    given = {"RecordTypeId": types[0]} if types else {}
    first = lab.opportunity("Deal #6", AccountId=acme, Amount=10, **given)
    lab.role(first, fox)
    lab.opportunity("Deal #7", Amount=5, **given)
    return lab


FIRST_NUMBER = 8
_OWNER_MAP = {f"CONNECTOR__OWNERS__MAP__{here}": there for here, there in MAPPED.items()}
