"""What may be written into a field of each type, and what is stored of it."""

import pytest

from connector.sandbox.salesforce.definitions.schema import Field
from connector.sandbox.salesforce.errors import ApiError, DeserializationError
from connector.sandbox.salesforce.records import values


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("string", " a ", "a"),
        ("string", "  ", None),
        ("boolean", "TRUE", True),
        ("boolean", "false", False),
        ("boolean", None, None),
        ("int", "7", 7),
        ("int", 7.0, 7),
        ("double", " ", None),
        ("double", "1e2", 100.0),
        ("double", 1e20, 1e20),
        ("currency", 2.675, 2.68),
        ("currency", -2.675, -2.68),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", "", None),
        ("datetime", "2026-01-02T03:04:05.999+0100", "2026-01-02T02:04:05.000+0000"),
        ("datetime", "2026-01-02T03:04:05", "2026-01-02T03:04:05.000+0000"),
        ("datetime", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000+0000"),
    ],
)
def test_read(kind, given, stored):
    """Values of the right type, in each of their spellings."""
    assert values.read(Field("X__c", kind, "X", scale=2), given) == stored


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("string", 5, "string from VALUE_NUMBER_INT value 5"),
        ("string", 5.5, "string from VALUE_NUMBER_FLOAT value 5.5"),
        ("string", True, "string from VALUE_TRUE value true"),
        ("string", {}, "string from START_OBJECT value {"),
        ("string", [], "string from START_ARRAY value ["),
        ("boolean", 1, "boolean from VALUE_NUMBER_INT value 1"),
        ("int", "x", "int from VALUE_STRING value x"),
        ("int", 1.5, "int from VALUE_NUMBER_FLOAT value 1.5"),
        ("double", False, "double from VALUE_FALSE value false"),
        ("double", "NaN", "double from VALUE_STRING value NaN"),
        ("date", "2026-02-30", "date from VALUE_STRING value 2026-02-30"),
        ("date", "20260228", "date from VALUE_STRING value 20260228"),
        ("date", 20260228, "date from VALUE_NUMBER_INT value 20260228"),
        ("datetime", "2026-01-02", "datetime from VALUE_STRING value 2026-01-02"),
    ],
)
def test_wrong_type(kind, given, words):
    """A value of another type cannot be read, and the message names both."""
    with pytest.raises(DeserializationError) as caught:
        values.read(Field("X__c", kind, "X"), given)
    assert caught.value.code == "JSON_PARSER_ERROR"
    assert caught.value.message.startswith(f"Cannot deserialize instance of {words} or request")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (Field("X__c", "string", "X", length=3), "abcd", "STRING_TOO_LONG"),
        (Field("X__c", "email", "X", length=80), "a@b", "INVALID_EMAIL_ADDRESS"),
        (Field("X__c", "email", "X", length=80), "a b@c.example", "INVALID_EMAIL_ADDRESS"),
        (Field("X__c", "double", "X", digits=4, scale=1), 1000.0, "NUMBER_OUTSIDE_VALID_RANGE"),
        (Field("X__c", "double", "X", digits=4, scale=1), -1000.0, "NUMBER_OUTSIDE_VALID_RANGE"),
        (Field("X__c", "percent", "X", digits=3), -1.0, "NUMBER_OUTSIDE_VALID_RANGE"),
        (Field("X__c", "reference", "X"), "nonsense", "MALFORMED_ID"),
    ],
)
def test_check(field, value, code):
    """A value of the right type may still break the rules of its field."""
    with pytest.raises(ApiError) as caught:
        values.check(field, value)
    assert (caught.value.code, caught.value.fields) == (code, ["X__c"])
