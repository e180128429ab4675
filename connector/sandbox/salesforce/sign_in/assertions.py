"""What a JWT bearer assertion says, and whether it is to be believed.

Salesforce Help, "OAuth 2.0 JWT Bearer Flow": RS256 against the certificate of the app, `iss` the consumer key,
`sub` the user name, `aud` a sign-in host, `exp` at most three minutes ahead (some clients write it as text).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.types import Options


class BadAssertionError(Exception):
    """An assertion that proves nothing."""


def read_key(pem: str) -> RSAPublicKey:
    """The public key of a certificate, or a public key itself. Raises `ValueError`."""
    data = pem.encode()
    key = x509.load_pem_x509_certificate(data).public_key() if "CERTIFICATE" in pem else load_pem_public_key(data)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("the certificate is for another kind of key than RSA")  # noqa: TRY004  # data, not type
    return key


def read_claims(assertion: str, certificate: str | None, now: datetime) -> dict[str, Any]:
    """The claims of an assertion. Its signature and expiry are checked if there is a `certificate` (PEM).

    Raises `BadAssertionError`.
    """
    unchecked: Options = {"verify_signature": False, "verify_exp": False, "verify_aud": False}
    try:
        if jwt.get_unverified_header(assertion).get("alg") != "RS256":
            raise BadAssertionError("algorithm not supported")
        claims: dict[str, Any] = jwt.decode(assertion, options=unchecked)
        if certificate is not None:
            checked: Options = {**unchecked, "verify_signature": True}
            claims = jwt.decode(assertion, key=read_key(certificate), algorithms=["RS256"], options=checked)
    except jwt.InvalidTokenError as error:
        raise BadAssertionError("invalid assertion") from error
    expires = str(claims.get("exp", ""))
    if not isinstance(claims.get("aud"), str) or not expires.isdecimal():
        raise BadAssertionError("invalid assertion")
    if certificate is not None and int(expires) <= now.timestamp():
        raise BadAssertionError("expired authorization code")
    return claims
