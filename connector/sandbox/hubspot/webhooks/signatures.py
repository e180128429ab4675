"""How HubSpot signs what it sends to an app, so that the app can tell it from what others send.

| version | header | value |
|---|---|---|
| v1 | `X-HubSpot-Signature` | SHA-256 of secret, body; in hexadecimal digits |
| v2 | `X-HubSpot-Signature` | SHA-256 of secret, method, URI, body; in hexadecimal digits |
| v3 | `X-HubSpot-Signature-v3` | HMAC-SHA-256, keyed with the secret, of method, URI, body, timestamp; in base64 |

The secret is the app's client secret; the timestamp, milliseconds since 1970, is a header of its own. v3 stands
beside one of the others, which a header names (HubSpot docs, "Validating requests").
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from urllib.parse import unquote

# The characters that stand unencoded in the URI which v3 signs: : / ? @ ! $ ' ( ) * , ;
_DECODED = re.compile("%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def sign_v1(secret: str, body: bytes) -> str:
    return hashlib.sha256(secret.encode() + body).hexdigest()


def sign_v2(secret: str, method: str, uri: str, body: bytes) -> str:
    return hashlib.sha256(f"{secret}{method}{uri}".encode() + body).hexdigest()


def sign_v3(secret: str, method: str, uri: str, body: bytes, timestamp: int) -> str:
    """`timestamp` in milliseconds. The URI may be given encoded, as it goes over the wire."""
    source = f"{method}{decode_uri(uri)}".encode() + body + str(timestamp).encode()
    return b64encode(hmac.digest(secret.encode(), source, "sha256")).decode()


def decode_uri(uri: str) -> str:
    """A URI as v3 signs it: twelve characters are decoded, once; all others stay as they are."""
    return _DECODED.sub(lambda found: unquote(found[0]), uri)


def signature_headers(
    older: str, secret: str, method: str, uri: str, body: bytes, timestamp: int
) -> dict[str, str]:
    """The headers of a signed request. `older` is the version beside v3: `v1` for events, `v2` elsewhere."""
    signature = sign_v1(secret, body) if older == "v1" else sign_v2(secret, method, uri, body)
    return {
        "X-HubSpot-Signature": signature,
        "X-HubSpot-Signature-Version": older,
        "X-HubSpot-Signature-v3": sign_v3(secret, method, uri, body, timestamp),
        "X-HubSpot-Request-Timestamp": str(timestamp),
    }
