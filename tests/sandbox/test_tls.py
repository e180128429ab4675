"""The authority: whom it vouches for, and what of it is written down."""

from __future__ import annotations

import socket
import ssl
import stat
import tempfile
from urllib.parse import urlsplit

import pytest

from connector.sandbox.server import serving
from connector.sandbox.tls import Authority
from connector.sandbox.wire import Response


def names(address, bundle, host):
    """The names in the certificate that is shown to a client which asks for `host` and checks it."""
    context = ssl.create_default_context(cafile=str(bundle))
    with (
        socket.create_connection(address, timeout=5) as raw,
        context.wrap_socket(raw, server_hostname=host) as line,
    ):
        return {value for _, value in line.getpeercert()["subjectAltName"]}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """`(address, bundle)` of something behind TLS."""
    authority = Authority()
    bundle = authority.write_bundle(tmp_path_factory.mktemp("ca"))
    with serving(lambda _: Response(204), tls=authority.server_context()) as (url,):
        yield (urlsplit(url).hostname, urlsplit(url).port), bundle


@pytest.mark.parametrize(
    "host", ["login.salesforce.com", "acme--uat.sandbox.my.salesforce.com", "api.hubapi.com", "api.hubspot.com"]
)
def test_each_host_of_a_vendor_has_its_certificate(served, host):
    """However deep a My Domain is, the certificate names it and nothing else; the second time as well."""
    assert names(*served, host) == {host}
    assert names(*served, host) == {host}


def test_this_machine_has_its_own(served):
    """By number or by name, without a vendor's host in it."""
    own = names(*served, "127.0.0.1")
    assert own == names(*served, "localhost")
    assert {"127.0.0.1", "localhost"} < own
    assert not any(name.endswith(".com") for name in own)


def test_no_certificate_for_anybody_else(served):
    """A client that means another host is shown this machine's certificate, and turns away."""
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        names(*served, "example.com")


def test_each_start_has_its_own_authority(served, tmp_path):
    """Who trusts one sandbox does not trust the next."""
    other = Authority().write_bundle(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        names(served[0], other, "api.hubapi.com")


def test_what_is_written(tmp_path, monkeypatch):
    """One certificate in a folder made for it; no private key, there or among the temporary files."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    authority = Authority()
    bundle = authority.write_bundle(tmp_path / "new" / "folder")
    authority.server_context()
    text = bundle.read_text()
    assert (text.count("BEGIN CERTIFICATE"), "PRIVATE" in text) == (1, False)
    assert list(bundle.parent.iterdir()) == [bundle]
    assert list(temporary.iterdir()) == []
    assert stat.S_ISREG(bundle.stat().st_mode)
    assert bundle.is_absolute()
