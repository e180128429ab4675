"""How does a client trust the sandbox? By an authority of its own, made anew at every start.

The authority lives in memory: only its certificate is written, for `REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE` and the
like; its private key never is. Which host a client means it says when it connects (SNI), and for each of the
vendors' hosts a certificate is issued the moment it is asked for, so that no My Domain is too deep for a wildcard.
The key of such a certificate is in a temporary file for the instant in which OpenSSL reads it.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

from connector.sandbox.hosts import vendor_of

_OWN_NAMES = ("127.0.0.1", "localhost", "::1")
_BUNDLE = "sandbox-ca.pem"


class Authority:
    """Issues certificates for this machine and for the vendors' hosts, to be trusted by whom it is shown."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="CRM sandbox", organization_unit_name="local authority")
        self._contexts: dict[str, ssl.SSLContext] = {}

    def write_bundle(self, folder: Path) -> Path:
        """Write the authority's certificate (PEM) into the folder, made if need be. Raises `OSError`."""
        folder.mkdir(parents=True, exist_ok=True)
        bundle = folder.absolute() / _BUNDLE
        self._ca.cert_pem.write_to_path(bundle)
        return bundle

    def server_context(self) -> ssl.SSLContext:
        """For a listener: this machine's own certificate, until a client names a host of a vendor."""
        context = self._new_context(*_OWN_NAMES)
        context.sni_callback = self._choose
        return context

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name is None or vendor_of(name) is None:
            return
        if name not in self._contexts:
            self._contexts[name] = self._new_context(name)
        connection.context = self._contexts[name]

    def _new_context(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        self._ca.issue_cert(*names, organization_name="CRM sandbox").configure_cert(context)
        return context
