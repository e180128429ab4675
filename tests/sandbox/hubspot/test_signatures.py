"""The signatures of what HubSpot sends, against the examples of its documentation and its own client."""

from __future__ import annotations

import pytest
from hubspot.utils.signature import Signature

from connector.sandbox.hubspot.webhooks.signatures import (
    decode_uri,
    sign_v1,
    sign_v2,
    sign_v3,
    signature_headers,
)

# HubSpot docs, "Validating requests".
SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
URI = "https://www.example.com/webhook_uri"
EVENT = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
    b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM",'
    b'"changeFlag":"NEW","appId":54321}]'
)
AT = 1767225600000


def test_v1_is_the_documented_one():
    """The documentation's example of an event."""
    expected = "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"
    assert sign_v1(SECRET, EVENT) == expected


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("GET", b"", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"),
        (
            "POST",
            b'{"example_field":"example_value"}',
            "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900",
        ),
    ],
)
def test_v2_is_the_documented_one(method, body, expected):
    """The documentation's examples of a request without a body and of one with it."""
    assert sign_v2(SECRET, method, URI, body) == expected


def test_v3_is_the_documented_formula():
    """The documentation has no example with its result; this one was computed by hand from the formula."""
    assert sign_v3(SECRET, "POST", URI, EVENT, AT) == "3Nm4ySsdCHqjh+VOfIMLFr4xOKNviwy+7LZrnVvVBIg="


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
@pytest.mark.parametrize("body", ["", "[]", '[{"propertyValue":"Größe, ¥ 5 & 🙂"}]'])
def test_hubspots_own_client_computes_the_same(version, body):
    """All versions agree with HubSpot's Python client, also beyond ASCII."""
    mine = {
        "v1": sign_v1(SECRET, body.encode()),
        "v2": sign_v2(SECRET, "POST", URI, body.encode()),
        "v3": sign_v3(SECRET, "POST", URI, body.encode(), AT),
    }
    assert mine[version] == Signature.get_signature(SECRET, body, version, URI, "POST", str(AT))


@pytest.mark.parametrize(
    ("sent", "signed"),
    [
        ("https://e.com/a%3Ab%2Fc%3fd%40e", "https://e.com/a:b/c?d@e"),
        ("https://e.com/%21%24%27%28%29%2A%2C%3B", "https://e.com/!$'()*,;"),
        ("https://e.com/a%20b?q=%26%3D%23%25", "https://e.com/a%20b?q=%26%3D%23%25"),
        ("https://e.com/%252F", "https://e.com/%252F"),
        ("https://e.com/p?a=b", "https://e.com/p?a=b"),
    ],
)
def test_v3_signs_a_uri_with_twelve_characters_decoded(sent, signed):
    """Only the characters of the documented table are decoded, once, in either case of their digits."""
    assert decode_uri(sent) == signed
    assert sign_v3(SECRET, "POST", sent, b"", AT) == sign_v3(SECRET, "POST", signed, b"", AT)


@pytest.mark.parametrize("older", ["v1", "v2"])
def test_v3_stands_beside_an_older_version(older):
    """The headers name the older version, and the moment that v3 has signed."""
    headers = signature_headers(older, SECRET, "POST", URI, EVENT, AT)
    assert headers == {
        "X-HubSpot-Signature": sign_v1(SECRET, EVENT) if older == "v1" else sign_v2(SECRET, "POST", URI, EVENT),
        "X-HubSpot-Signature-Version": older,
        "X-HubSpot-Signature-v3": sign_v3(SECRET, "POST", URI, EVENT, AT),
        "X-HubSpot-Request-Timestamp": "1767225600000",
    }
