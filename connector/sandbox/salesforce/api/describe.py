"""What Salesforce tells about its objects and fields: describe, and the picklist values of a record type.

Source: Salesforce REST API Developer Guide, "sObject Describe" and "Describe Global"; User Interface API
Developer Guide, "Get Values for a Picklist Field".
"""

from __future__ import annotations

import hashlib
from typing import Any

from connector.sandbox.salesforce.access import Access
from connector.sandbox.salesforce.definitions.schema import NUMBER_TYPES, TEXT_TYPES, Field, SObject
from connector.sandbox.salesforce.records import rules
from connector.sandbox.salesforce.records.store import Row, Store

_SOAP = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "date": "xsd:date",
    "datetime": "xsd:dateTime", "currency": "xsd:double", "percent": "xsd:double", "double": "xsd:double",
    "address": "urn:address", "anyType": "xsd:anyType",
}  # fmt: skip


def describe_global(store: Store, access: Access, base: str) -> dict[str, Any]:
    """Every object the user may read. `base` is the path up to the version."""
    readable = [each for each in store.schema if access.may_read(each.name)]
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [summary(each, access, base) for each in readable],
    }


def summary(sobject: SObject, access: Access, base: str) -> dict[str, Any]:
    """One object, without its fields."""
    writable = sobject.writable and access.may_edit(sobject.name)
    url = f"{base}/sobjects/{sobject.name}"
    return {
        "activateable": False, "associateEntityType": None, "associateParentEntity": None,
        "createable": writable, "custom": False, "customSetting": False, "deepCloneable": False,
        "deletable": writable, "deprecatedAndHidden": False, "feedEnabled": sobject.mergeable,
        "hasSubtypes": False, "isInterface": False, "isSubtype": False, "keyPrefix": sobject.prefix,
        "label": sobject.label, "labelPlural": sobject.plural, "layoutable": sobject.writable,
        "mergeable": sobject.mergeable and writable, "mruEnabled": sobject.writable, "name": sobject.name,
        "queryable": True, "replicateable": sobject.deletable, "retrieveable": True,
        "searchable": sobject.mergeable, "triggerable": sobject.writable,
        "undeletable": sobject.recycled and writable, "updateable": writable,
        "urls": {"rowTemplate": url + "/{ID}", "describe": url + "/describe", "sobject": url},
    }  # fmt: skip


def basic(store: Store, sobject: SObject, access: Access, base: str) -> dict[str, Any]:
    """`GET /sobjects/X`: the object and its ten most recently created rows."""
    table = store.table(sobject.name)
    url = f"{base}/sobjects/{sobject.name}/"
    recent = [
        {"attributes": {"type": sobject.name, "url": url + record}, "Id": record}
        for record in list(table.live)[-10:]
    ]
    return {"objectDescribe": summary(sobject, access, base), "recentItems": recent}


def describe(store: Store, sobject: SObject, access: Access, base: str) -> dict[str, Any]:
    """One object with its fields, record types and child relationships."""
    editable = sobject.writable and access.may_edit(sobject.name)
    told = summary(sobject, access, base)
    urls = {**told.pop("urls"), "uiDetailTemplate": f"/{sobject.name}/{{ID}}"}
    return {
        **told, "actionOverrides": [], "compactLayoutable": sobject.writable, "defaultImplementation": None,
        "childRelationships": [
            _child(child, reference) for child, reference in store.schema.children(sobject.name)
            if access.may_read(child.name) and access.may_read_field(child.name, reference.name)
        ],
        "extendedBy": None, "extendsInterfaces": None, "fields": [
            _field(store, field, editable=editable and access.may_edit_field(sobject.name, field.name))
            for field in sobject.fields.values() if access.may_read_field(sobject.name, field.name)
        ],
        "implementedBy": None, "implementsInterfaces": None, "listviewable": None, "lookupLayoutable": None,
        "namedLayoutInfos": [], "networkScopeFieldName": None,
        "recordTypeInfos": _record_types(store, sobject, base),
        "searchLayoutable": sobject.mergeable, "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {sobject.plural.lower()}", "name": "everything"}],
        "urls": urls,
    }  # fmt: skip


def picklist_values(store: Store, field: Field, record_type: str, url: str) -> dict[str, Any]:
    """The values one record type offers, in order; those of a stage say what the stage means."""
    values: list[dict[str, Any]] = [
        {"attributes": _meaning(store, choice.value) if field.name == "StageName" else None,
         "label": choice.label, "validFor": [], "value": choice.value}
        for choice in rules.active_choices(store, field, record_type)
    ]  # fmt: skip
    told = repr((record_type, values)).encode()
    return {
        "controllerValues": {}, "defaultValue": None, "eTag": hashlib.blake2b(told, digest_size=16).hexdigest(),
        "url": url, "values": values,
    }  # fmt: skip


def _meaning(store: Store, stage_name: str) -> dict[str, Any]:
    stages: list[Row] = [each for each in store.table("OpportunityStage").rows() if each["ApiName"] == stage_name]
    stage = stages[0]
    return {
        "closed": stage.get("IsClosed", False),
        "defaultProbability": stage["DefaultProbability"],
        "forecastCategoryName": stage["ForecastCategoryName"],
        "picklistAtrributesValueType": "OpportunityStage",
        "won": stage.get("IsWon", False),
    }


def _child(child: SObject, reference: Field) -> dict[str, Any]:
    return {
        "cascadeDelete": reference.cascade, "childSObject": child.name, "deprecatedAndHidden": False,
        "field": reference.name, "junctionIdListNames": [], "junctionReferenceTo": [],
        "relationshipName": reference.children, "restrictedDelete": False,
    }  # fmt: skip


def _record_types(store: Store, sobject: SObject, base: str) -> list[dict[str, Any]]:
    if sobject.find("RecordTypeId") is None:
        return []
    own = [row for row in store.table("RecordType").rows() if row["SobjectType"] == sobject.name]
    infos = [_record_type(row["Id"], row["Name"], row["DeveloperName"], row.get("IsActive", False)) for row in own]
    infos.append(_record_type(rules.MASTER_RECORD_TYPE, "Master", "Master", active=True))
    for info in infos:
        info["urls"] = {"layout": f"{base}/sobjects/{sobject.name}/describe/layouts/{info['recordTypeId']}"}
    return infos


def _record_type(record: str, name: str, developer_name: str, active: bool) -> dict[str, Any]:
    master = record == rules.MASTER_RECORD_TYPE
    return {
        "active": active, "available": active, "defaultRecordTypeMapping": master,
        "developerName": developer_name, "master": master, "name": name, "recordTypeId": record,
    }  # fmt: skip


def _field(store: Store, field: Field, *, editable: bool) -> dict[str, Any]:
    textual = field.type in TEXT_TYPES
    preset = field.preset.text if field.preset else None
    picklist = [
        {"active": each.active, "defaultValue": each.default, "label": each.label, "validFor": None,
         "value": each.value}
        for each in rules.choices(store, field)
    ]  # fmt: skip
    return {
        "aggregatable": field.filterable and field.type != "boolean", "aiPredictionField": False,
        "autoNumber": field.numbering is not None,
        "byteLength": field.length * 3 if textual and field.type not in {"id", "reference"} else field.length,
        "calculated": field.formula is not None, "calculatedFormula": field.formula.text if field.formula else None,
        "cascadeDelete": field.cascade, "caseSensitive": field.case_sensitive,
        "compoundFieldName": field.compound, "controllerName": None,
        "createable": field.createable and editable, "custom": field.custom,
        "defaultValue": preset == "TRUE" if field.type == "boolean" else None,
        "defaultValueFormula": None if field.type == "boolean" and preset == "TRUE" else preset,
        "defaultedOnCreate": field.defaulted, "dependentPicklist": False, "deprecatedAndHidden": False,
        "digits": field.digits if field.type == "int" else 0, "displayLocationInDecimal": False,
        "encrypted": False, "externalId": field.external_id, "extraTypeInfo": None,
        "filterable": field.filterable, "filteredLookupInfo": None, "formulaTreatNullNumberAsZero": field.zeroes,
        "groupable": field.filterable and field.type not in {"currency", "double", "percent", "datetime"},
        "highScaleNumber": False, "htmlFormatted": False, "idLookup": field.type == "id" or field.keyed,
        "inlineHelpText": None, "label": field.label, "length": field.length, "mask": None, "maskType": None,
        "name": field.name, "nameField": field.name_field, "namePointing": False, "nillable": field.nillable,
        "permissionable": field.nillable and field.createable, "picklistValues": picklist,
        "polymorphicForeignKey": False,
        "precision": field.digits if field.type in NUMBER_TYPES - {"int"} else 0, "queryByDistance": False,
        "referenceTargetField": None, "referenceTo": list(field.references),
        "relationshipName": field.relationship, "relationshipOrder": None, "restrictedDelete": False,
        "restrictedPicklist": field.restricted, "scale": field.scale, "searchPrefilterable": bool(field.references),
        "soapType": _SOAP.get(field.type, "xsd:string"), "sortable": field.filterable, "type": field.type,
        "unique": field.unique, "updateable": field.updateable and editable, "writeRequiresMasterRead": False,
    }  # fmt: skip
