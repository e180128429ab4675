"""What Salesforce adds to, or refuses in, a change because of the object it is made to.

| object | rule |
|---|---|
| all with an owner | the signed-in user by default; an active user always |
| all with a record type | one that is active and made for the object |
| all with a currency | that of the user by default |
| all with restricted picklists | one of the active values, of the record type if there is one |
| Lead | once converted it is not changed any more |
| Opportunity | the stage sets probability and forecast category, unless they are given |
| Opportunity | created with a ContactId, it gets that contact as its primary role |
| OpportunityContactRole | at most one primary role per opportunity: the last one set |
| PermissionSet, its assignments and field permissions | those of `permission_sets.py` |

`complete` runs before the row is stored and may add to the change; `follow` runs after it and touches other rows.
"""

from __future__ import annotations

from connector.sandbox.salesforce.definitions.schema import Choice, Field, SObject
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.salesforce.records import permission_sets
from connector.sandbox.salesforce.records.formulas import stage_of
from connector.sandbox.salesforce.records.store import Row, Store, Table, trimmed

MASTER_RECORD_TYPE = "012000000000000AAA"


def complete(store: Store, sobject: SObject, old: Row | None, changes: Row) -> None:
    """Check a change and add what follows from it. `old` is the row before, None for a new one."""
    if sobject.name == "Lead" and old is not None and old.get("IsConverted"):
        raise ApiError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])
    _own(store, sobject, old, changes)
    _choose_record_type(store, sobject, changes)
    _choose_currency(store, sobject, old, changes)
    _restrict(store, sobject, old, changes)
    if sobject.name == "Opportunity":
        _enter_stage(store, old, changes)
    permission_sets.complete(store, sobject, old, changes)


def follow(store: Store, sobject: SObject, row: Row, changes: Row) -> None:
    """Change the other rows that a stored change concerns."""
    if sobject.name == "OpportunityContactRole" and changes.get("IsPrimary"):
        _be_the_only_primary(store, row)
    elif sobject.name == "Opportunity" and changes.get("ContactId"):
        _add_primary_role(store, row, changes["ContactId"])


def keep_won(store: Store, sobject: SObject, row: Row) -> None:
    """Raises DELETE_FAILED for an account that has opportunities that are won."""
    if sobject.name != "Account":
        return
    deals = store.table("Opportunity")
    below = (deals.live[each] for each in deals.below("AccountId", row["Id"]))
    won = [deal["Name"] for deal in below if stage_of(store, deal.get("StageName")).get("IsWon")]
    if won:
        message = (
            f"Your attempt to delete {row['Name']} could not be completed because some opportunities in that "
            f"account were closed won: {', '.join(won)}"
        )
        raise ApiError("DELETE_FAILED", message, [])


def active_choices(store: Store, field: Field, record_type: str | None = None) -> list[Choice]:
    """The values a picklist offers, in order: those of the record type, or all active ones."""
    every = [choice for choice in choices(store, field) if choice.active]
    listed = store.record_type_values.get(record_type or "", {}).get(field.name)
    return every if listed is None else [choice for choice in every if choice.value in listed]


def choices(store: Store, field: Field) -> list[Choice]:
    """All values of a picklist. Those of StageName are the rows of OpportunityStage, in their order."""
    if field.name != "StageName":
        return list(field.choices)
    stages: list[Choice] = store.memo("OpportunityStage", _stage_choices)
    return stages


def _stage_choices(table: Table) -> list[Choice]:
    stages = sorted(table.rows(), key=lambda stage: stage["SortOrder"])
    return [Choice(each["ApiName"], each["MasterLabel"], each.get("IsActive", False)) for each in stages]


def _own(store: Store, sobject: SObject, old: Row | None, changes: Row) -> None:
    if sobject.find("OwnerId") is None:
        return
    if old is None:
        changes.setdefault("OwnerId", store.user)
    if "OwnerId" not in changes:
        return
    owner = changes["OwnerId"]
    if owner is None:
        raise ApiError("INVALID_CROSS_REFERENCE_KEY", "Owner ID: owner cannot be blank", ["OwnerId"])
    if not store.table("User").live[owner].get("IsActive"):
        message = f"operation performed with inactive user [{owner[:15]}] as owner of {sobject.label.lower()}"
        raise ApiError("INACTIVE_OWNER_OR_USER", message, ["OwnerId"])


def _choose_record_type(store: Store, sobject: SObject, changes: Row) -> None:
    chosen = changes.get("RecordTypeId")
    if chosen is None:
        return
    if chosen == MASTER_RECORD_TYPE:
        changes["RecordTypeId"] = None
        return
    record_type = store.table("RecordType").get(chosen) or {}
    if record_type.get("SobjectType") != sobject.name or not record_type.get("IsActive"):
        message = f"Record Type ID: this ID value isn't valid for the user: {chosen}"
        raise ApiError("INVALID_CROSS_REFERENCE_KEY", message, ["RecordTypeId"])


def _choose_currency(store: Store, sobject: SObject, old: Row | None, changes: Row) -> None:
    if sobject.find("CurrencyIsoCode") is None:
        return
    if changes.get("CurrencyIsoCode") is None and (old is None or "CurrencyIsoCode" in changes):
        own = store.table("User").live[store.user].get("DefaultCurrencyIsoCode")
        every = store.table("CurrencyType").rows()
        changes["CurrencyIsoCode"] = own or next(each["IsoCode"] for each in every if each.get("IsCorporate"))


def _restrict(store: Store, sobject: SObject, old: Row | None, changes: Row) -> None:
    for name, value in list(changes.items()):
        field = sobject.fields[name.lower()]
        if not field.restricted or value is None or (old is not None and old.get(name) == value):
            continue
        record_type = changes["RecordTypeId"] if "RecordTypeId" in changes else (old or {}).get("RecordTypeId")
        offered = {each.value.casefold(): each.value for each in active_choices(store, field, record_type)}
        parts = value.split(";") if field.type == "multipicklist" else [value]
        wrong = next((part for part in parts if part.casefold() not in offered), None)
        if wrong is not None:
            message = f"{field.label}: bad value for restricted picklist field: {wrong}"
            raise ApiError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [name])
        changes[name] = ";".join(offered[part.casefold()] for part in parts)


def _enter_stage(store: Store, old: Row | None, changes: Row) -> None:
    stage_name = changes.get("StageName") or (old or {}).get("StageName")
    stage = stage_of(store, stage_name)
    moved = old is None or old.get("StageName") != stage_name
    follows = {
        "Probability": stage.get("DefaultProbability"),
        "ForecastCategoryName": stage.get("ForecastCategoryName"),
    }
    for name, value in follows.items():
        if changes.get(name) is None and (moved or name in changes):
            changes[name] = value


def _be_the_only_primary(store: Store, row: Row) -> None:
    roles = store.table("OpportunityContactRole")
    now = store.now()
    stamps = {"LastModifiedDate": now, "LastModifiedById": store.user, "SystemModstamp": now}
    for other in roles.below("OpportunityId", row["OpportunityId"]):
        if other != row["Id"] and roles.live[other].get("IsPrimary"):
            store.put(roles, trimmed({**roles.live[other], **stamps, "IsPrimary": False}.items()))


def _add_primary_role(store: Store, opportunity: Row, contact: str) -> None:
    roles = store.table("OpportunityContactRole")
    now, user = store.now(), store.user
    store.put(roles, {
        "Id": store.new_id(roles), "OpportunityId": opportunity["Id"], "ContactId": contact, "IsPrimary": True,
        "CreatedDate": now, "CreatedById": user,
        "LastModifiedDate": now, "LastModifiedById": user, "SystemModstamp": now,
    })  # fmt: skip
