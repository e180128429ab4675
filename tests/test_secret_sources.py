"""Secrets from the environment, a file, a descriptor or the keyring: read alike, and told in no finding."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager

import keyring
import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from connector.errors import BadConfiguration
from connector.secret_sources import MOST, read_secret, sources_of
from connector.settings import Settings, load_credentials, load_settings

NAME = "HUBSPOT_ACCESS_TOKEN"
SECRET = "canary-0b5e-ünd"
FULL = {
    "SALESFORCE_INSTANCE_URL": "https://acme.my.salesforce.com",
    "SALESFORCE_SESSION_ID": "canary-session",
    "HUBSPOT_ACCESS_TOKEN": "canary-token",
}


class Drawer(KeyringBackend):
    """A keyring of this test; nothing reaches the system's own."""

    priority = 1

    def __init__(self, kept, *, locked=False):
        super().__init__()
        self.kept, self.locked = kept, locked

    def get_password(self, service, username):
        if self.locked:
            raise keyring.errors.KeyringLocked(f"{SECRET} is locked away")
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password


@pytest.fixture
def use_keyring():
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


@contextmanager
def descriptor_of(path, text):
    path.write_text(text, encoding="utf-8")
    number = os.open(path, os.O_RDONLY)
    try:
        yield number
    finally:
        os.close(number)


def finding_of(environment, name=NAME):
    with pytest.raises(BadConfiguration) as caught:
        read_secret(environment, name)
    (finding,) = caught.value.findings
    told = f"{finding.where} {finding.message} {finding.remedy} {caught.value!r}"
    assert SECRET not in told
    assert finding.remedy
    return finding


@pytest.mark.parametrize("written", [SECRET, f"{SECRET}\n", f"\ufeff{SECRET}\r\n", f"  {SECRET}  "])
def test_a_secret_is_read_from_a_file(tmp_path, written):
    """As container secrets and systemd hand it over; the line end that an editor adds is no part of it."""
    path = tmp_path / "token"
    path.write_text(written, encoding="utf-8")
    assert read_secret({f"{NAME}_FILE": str(path)}, NAME) == SECRET


def test_a_secret_is_read_from_a_descriptor_more_than_once(tmp_path):
    """A file that was opened for us is read from its beginning each time."""
    with descriptor_of(tmp_path / "token", f"{SECRET}\n") as number:
        assert [read_secret({f"{NAME}_FD": str(number)}, NAME) for _ in range(2)] == [SECRET] * 2


def test_a_secret_that_comes_through_a_pipe_is_kept():
    """A pipe gives its content once, and `schedule` connects anew for each run."""
    out, into = os.pipe()
    try:
        os.write(into, f"{SECRET}\n".encode())
        os.close(into)
        assert [read_secret({f"{NAME}_FD": str(out)}, NAME) for _ in range(2)] == [SECRET] * 2
    finally:
        os.close(out)


def test_a_secret_is_asked_of_the_keyring(use_keyring):
    """Under the service that the variable names, and the name of the secret."""
    use_keyring(Drawer({("crm", NAME): f"{SECRET}\n"}))
    assert read_secret({f"{NAME}_KEYRING": "crm"}, NAME) == SECRET


def test_the_keyring_is_not_imported_unless_asked_for(tmp_path):
    """Who has no use for it needs no library and waits for none."""
    code = (
        "import sys; from connector.secret_sources import read_secret;"
        f"read_secret({{{NAME!r}: 'x'}}, {NAME!r}); print('keyring' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_missing_library_is_said(monkeypatch):
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    finding = finding_of({f"{NAME}_KEYRING": "crm"})
    assert (finding.where, "[keyring]" in finding.remedy) == (f"{NAME}_KEYRING", True)


def test_a_locked_or_empty_keyring_is_said(use_keyring):
    """Not with the library's own words, which nobody has checked for secrets."""
    use_keyring(Drawer({}, locked=True))
    assert "KeyringLocked" in finding_of({f"{NAME}_KEYRING": "crm"}).message
    use_keyring(Drawer({("crm", NAME): "  "}))
    assert finding_of({f"{NAME}_KEYRING": "crm"}).remedy == f"store it: keyring set crm {NAME}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds nothing"),
        (b" \n", "holds nothing"),
        (b"\xff\xfe", "UTF-8"),
        (SECRET.encode() + b"\0", "NUL"),
        (SECRET.encode() * MOST, "more than 64 KB"),
    ],
)
def test_a_file_that_holds_no_secret_is_said(tmp_path, content, message):
    """Which variable, and what is wrong with the file; nothing of its content."""
    path = tmp_path / "token"
    path.write_bytes(content)
    finding = finding_of({f"{NAME}_FILE": str(path)})
    assert (finding.where, message in finding.message) == (f"{NAME}_FILE", True)


@pytest.mark.parametrize("path", ["/nowhere/token", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_said(path):
    """Not there, a folder, no possible name."""
    assert "cannot be read" in finding_of({f"{NAME}_FILE": path}).message


@pytest.mark.parametrize("number", ["stdin", "-1", "٣", "999999", "9" * 30])
def test_a_descriptor_that_is_none_is_said(number):
    """No number, none that is open, none that there can be."""
    assert finding_of({f"{NAME}_FD": number}).where == f"{NAME}_FD"


def test_two_sources_are_one_too_many(tmp_path):
    """Nobody has to guess which one counts."""
    environment = {NAME: SECRET, f"{NAME}_FILE": str(tmp_path / "token")}
    assert sources_of(environment, NAME) == [NAME, f"{NAME}_FILE"]
    assert finding_of(environment).message == f"is given again by {NAME}_FILE"


def test_all_credentials_may_come_from_files(tmp_path):
    """Each name of an ordinary variable, and none of them blank for it."""
    environment = {}
    for name, value in FULL.items():
        (tmp_path / name).write_text(value)
        environment[f"{name}_FILE"] = str(tmp_path / name)
    assert load_credentials(environment, Settings()) == load_credentials(FULL, Settings())


def test_every_source_that_cannot_be_read_is_told_at_once(tmp_path):
    """All of them, and not besides that a variable is not set."""
    environment = {f"{name}_FILE": str(tmp_path / name) for name in FULL}
    with pytest.raises(BadConfiguration) as caught:
        load_credentials(environment, Settings())
    assert {one.where for one in caught.value.findings} == set(environment)


def test_the_url_of_the_store_and_the_proxy_may_come_from_files(tmp_path):
    """Both may hold a password, and neither is a key of the settings file for it."""
    (tmp_path / "store").write_text(f"postgresql://me:{SECRET}@db/crm\n", encoding="utf-8")
    (tmp_path / "proxy").write_text(f"http://me:{SECRET}@proxy:3128\n", encoding="utf-8")
    environment = {
        "CONNECTOR_STORE_URL_FILE": str(tmp_path / "store"),
        "CONNECTOR__NETWORK__PROXY_FILE": str(tmp_path / "proxy"),
    }
    settings = load_settings(environment, tmp_path)
    assert settings.store == f"postgresql://me:{SECRET}@db/crm"
    assert settings.network.proxy.get_secret_value() == f"http://me:{SECRET}@proxy:3128"
    assert SECRET not in f"{settings} {settings!r} {settings.network!r}"
