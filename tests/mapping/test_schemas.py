"""The JSON Schemas say what the models take, and describe every key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from connector.mapping.schemas import contact_role_schema, mapping_schema
from connector.settings import defaults_folder, settings_schema

SCHEMAS = {"settings": settings_schema, "mapping": mapping_schema, "contact role": contact_role_schema}
SHIPPED = sorted([*defaults_folder().glob("config/*.yaml"), *defaults_folder().glob("mappings/*.yaml")])


def schema_of(path: Path) -> dict[str, Any]:
    if path.parent.name == "config":
        return settings_schema()
    return contact_role_schema() if path.stem == "contact-role" else mapping_schema()


def undescribed(schema: dict[str, Any]) -> list[str]:
    parts = {"": schema, **schema.get("$defs", {})}
    return [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, one in part.get("properties", {}).items()
        if not one.get("description")
    ]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_described(name):
    """An editor shows a sentence for each, and the reference has one."""
    schema = SCHEMAS[name]()
    Draft202012Validator.check_schema(schema)
    assert undescribed(schema) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_files_fit(path):
    """What is shipped shows no error in an editor."""
    document = YAML(typ="safe").load(path.read_text())
    assert list(Draft202012Validator(schema_of(path)).iter_errors(document)) == []


@pytest.mark.parametrize(
    ("schema", "document", "fits"),
    [
        (settings_schema, {"guard": None, "sync": {"deals": False}}, True),
        (settings_schema, {"sync": {"dealz": False}}, False),
        (settings_schema, {"pipelines": {"limit": 0}}, False),
        (mapping_schema, {"pair": "account-company", "create_in": [], "fields": []}, False),
        (contact_role_schema, {"pair": "contact-role", "primary_label": None, "labels": {"A": "B"}}, True),
        (contact_role_schema, {"pair": "account-company"}, False),
    ],
)
def test_what_fits(schema, document, fits):
    """A blank section is fine; a typo, a number out of range and a missing field are not."""
    assert Draft202012Validator(schema()).is_valid(document) is fits


@pytest.mark.parametrize(
    ("scope", "fits"),
    [
        ({"salesforce": [{"field": "Type", "is_not": "Partner"}]}, True),
        ({"salesforce": {"any": [{"field": "Amount", "at_least": 10000}]}}, True),
        ({"hubspot": {"field": "region", "in": ["EU"]}}, True),
        ({"hubspot": {"field": "region", "within": ["EU"]}}, False),
    ],
)
def test_A8_a_scope_is_a_condition_or_a_list_of_them(scope, fits):
    """Both ways of writing it are completed and checked."""
    fields = [{"salesforce": "Name", "hubspot": "name"}]
    document = {"pair": "account-company", "create_in": ["hubspot"], "scope": scope, "fields": fields}
    assert Draft202012Validator(mapping_schema()).is_valid(document) is fits
