"""The command line as a whole: help, usage, colours, interruption, real processes."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from cli.conftest import Crms, Run, read_json

import connector as connector_package
from connector import __version__

COMMANDS = ("plan", "sync", "explain", "status", "runs", "init", "check", "setup", "demo", "sandbox")
PATH = {"PYTHONPATH": str(Path(connector_package.__file__).parents[1])}  # whether it is installed or not
SLOW = {"sqlalchemy", "simple_salesforce", "uvicorn", "pydantic", "requests", "mimesis", "ruamel.yaml", "alembic"}


@contextmanager
def process(*args: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`python -m connector` in a process of its own."""
    command = [sys.executable, "-m", "connector", *args]
    environment = {**os.environ, **PATH}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def test_version(connector: Run) -> None:
    """`--version` prints the version and nothing else."""
    result = connector("--version")
    assert (result.exit_code, result.stdout) == (0, f"connector {__version__}\n")


def test_help_names_every_command(connector: Run) -> None:
    """The overview has all commands in their groups."""
    text = connector("--help").stdout
    assert [name for name in COMMANDS if f"│ {name} " not in text] == []
    assert [group for group in ("Sync", "Answers", "Set up", "Try it out") if f"─ {group} ─" not in text] == []


@pytest.mark.parametrize("command", [(one,) for one in COMMANDS if one != "sandbox"] + [("sandbox", "serve")])
def test_help_has_examples(connector: Run, command: tuple[str, ...]) -> None:
    """Each command's help ends with examples of itself."""
    text = connector(*command, "--help").stdout
    assert f"connector {' '.join(command)}" in text.partition("Examples:")[2]


@pytest.mark.parametrize(
    "args",
    [("nonsense",), ("sync", "--nonsense"), ("plan", "--record"), ("sandbox", "serve", "--salesforce-port", "x")],
)
def test_bad_usage(connector: Run, args: tuple[str, ...]) -> None:
    """What cannot be understood ends with exit code 2 and says so on stderr."""
    result = connector(*args)
    assert result.exit_code == 2
    assert (result.stdout, "Error" in result.stderr) == ("", True)


def test_help_imports_nothing_slow() -> None:
    """`--help` is quick because what is slow to import is imported by the commands that need it."""
    code = (
        "import sys\nfrom connector.__main__ import main\n"
        "sys.argv = ['connector', '--help']\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert SLOW & set(done.stderr.split()) == set()


def test_interrupted(connected: Run, monkeypatch) -> None:
    """Ctrl-C ends with one line and exit code 130."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("connector.engine.run.sync", interrupt)
    result = connected("sync")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.startswith("interrupted")


def test_no_color(connector: Run, monkeypatch) -> None:
    """NO_COLOR is honoured even where colours are asked for; without it there are some."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "31m" in connector("sync").stderr
    assert "31m" not in connector("sync", NO_COLOR="1").stderr


def test_processes_work_together(folder: Path) -> None:
    """The sandboxes in one process, a sync in another, and an end without complaint when asked to stop."""
    with process("sandbox", "serve", "--demo", "--seed", "3", folder=folder) as serving:
        assert serving.stdout is not None
        told = json.loads(serving.stdout.readline())
        assert told["salesforce"].keys() == {
            "instance_url", "session_id", "username", "password", "security_token", "consumer_key",
            "consumer_secret", "refresh_token",
        }  # fmt: skip
        assert told["hubspot"].keys() == {
            "base_url", "access_token", "client_id", "client_secret", "refresh_token",
        }  # fmt: skip
        environment = {
            **os.environ,
            **PATH,
            "SALESFORCE_INSTANCE_URL": told["salesforce"]["instance_url"],
            "SALESFORCE_USERNAME": told["salesforce"]["username"],
            "SALESFORCE_PASSWORD": told["salesforce"]["password"],
            "SALESFORCE_SECURITY_TOKEN": told["salesforce"]["security_token"],
            "HUBSPOT_BASE_URL": told["hubspot"]["base_url"],
            "HUBSPOT_ACCESS_TOKEN": told["hubspot"]["access_token"],
        }
        command = [sys.executable, "-m", "connector", "sync", "--json"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr  # the made-up organisation has problems on purpose
        assert json.loads(done.stdout)["hubspot"]["created"]["deals"] == 200
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(20) == 0
        assert serving.stderr is not None
        assert serving.stderr.read() == ""


def test_sandbox_stops_at_ctrl_c(folder: Path) -> None:
    """SIGINT is how a person stops it: exit code 0."""
    with process("sandbox", "serve", folder=folder) as serving:
        assert serving.stdout is not None
        told = json.loads(serving.stdout.readline())
        assert requests.get(f"{told['hubspot']['base_url']}/_sandbox/clock", timeout=10).ok
        serving.send_signal(signal.SIGINT)
        assert serving.wait(20) == 0


def test_sandbox_has_the_limits_of_a_real_portal(folder: Path) -> None:
    """Whoever calls a served portal too often is refused, after a reset too."""
    with process("sandbox", "serve", folder=folder) as serving:
        assert serving.stdout is not None
        entrance = json.loads(serving.stdout.readline())["hubspot"]["base_url"] + "/_sandbox"
        assert requests.get(f"{entrance}/settings", timeout=10).json()["enforce_limits"] == "running"
        assert requests.post(f"{entrance}/reset", timeout=10).status_code == 204
        assert requests.get(f"{entrance}/settings", timeout=10).json()["enforce_limits"] == "running"
        serving.send_signal(signal.SIGTERM)


def test_sandbox_under_the_vendors_names(folder: Path) -> None:
    """With a proxy, what it prints is the environment of a client that knows the vendors' hosts only."""
    certificates = folder / "certificates"
    with process("sandbox", "serve", "--proxy-port", "0", "--ca-dir", "certificates", folder=folder) as serving:
        assert serving.stdout is not None
        told = json.loads(serving.stdout.readline())
        bundle = told["ca_bundle"]
        assert Path(bundle) == certificates / "sandbox-ca.pem"
        assert told["proxy"] == {
            "HTTPS_PROXY": told["proxy"]["HTTPS_PROXY"], "NO_PROXY": "127.0.0.1,localhost",
            "CURL_CA_BUNDLE": bundle, "REQUESTS_CA_BUNDLE": bundle, "SSL_CERT_FILE": bundle,
        }  # fmt: skip
        environment = {**os.environ, **PATH, **told["proxy"]}
        script = "import requests; print(requests.get('https://api.hubapi.com/_sandbox/clock').status_code)"
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False)
        assert done.stdout == b"200\n", done.stderr
        assert requests.get(f"{told['hubspot']['base_url']}/_sandbox/clock", verify=bundle, timeout=10).ok
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(20) == 0
        assert serving.stderr is not None
        assert serving.stderr.read() == ""
    assert [path.name for path in certificates.iterdir()] == ["sandbox-ca.pem"]
    assert b"PRIVATE" not in (certificates / "sandbox-ca.pem").read_bytes()


def test_sandbox_leaves_no_certificate_behind(connector: Run, monkeypatch) -> None:
    """Without a folder for it, the authority's certificate is there while the sandbox is, and gone afterwards."""
    seen = []

    def serve(served, ready, context) -> None:
        ready()
        seen.extend([context is not None, list(Path(tempfile.gettempdir()).glob("crm-sandbox-*/sandbox-ca.pem"))])

    monkeypatch.setattr("connector.sandbox.server.serve", serve)
    told = read_json(connector("sandbox", "serve", "--tls"))
    assert told["salesforce"]["instance_url"].startswith("https://127.0.0.1:")
    bundle = Path(told["ca_bundle"])
    assert seen[0]
    assert bundle in seen[1]
    assert "proxy" not in told
    assert not bundle.parent.exists()


def test_unusable_folder_for_the_certificate(connector: Run, folder: Path) -> None:
    """A folder that cannot be written to is named, with exit code 2."""
    (folder / "file").write_text("")
    result = connector("sandbox", "serve", "--ca-dir", "file")
    assert result.exit_code == 2
    assert "--ca-dir: file: File exists" in result.stderr


@pytest.mark.parametrize("option", ["--salesforce-port", "--hubspot-port", "--proxy-port"])
def test_port_taken(connector: Run, option: str) -> None:
    """A port that is in use is named, with exit code 2."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = connector("sandbox", "serve", option, port)
    assert result.exit_code == 2
    assert f"{option}: port {port}: Address already in use" in result.stderr


def test_sandbox_on_chosen_ports(connector: Run, monkeypatch) -> None:
    """Ports that are asked for are the ones in the addresses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(
        "connector.sandbox.server.serve", lambda served, ready, _: (ready(), [s.close() for s in served])
    )
    told = read_json(connector("sandbox", "serve", "--hubspot-port", str(port)))
    assert told["hubspot"]["base_url"] == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(("args", "shown"), [((), True), (("--json",), False)])
def test_progress(crms: Crms, folder: Path, args: tuple[str, ...], shown: bool) -> None:
    """Where stderr is a terminal, records are counted while a sync runs; never with `--json`."""
    terminal, end = pty.openpty()
    environment = {**os.environ, **PATH, **crms.environment, "TERM": "xterm"}
    command = [sys.executable, "-m", "connector", "sync", *args]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=end) as running:
        os.close(end)
        seen = b"".join(iter(lambda: read_terminal(terminal), b""))
        assert running.stdout is not None
        result = running.stdout.read()
    os.close(terminal)
    assert running.returncode == 0
    assert (b" records" in seen) is shown
    assert b"looking" not in result


def read_terminal(terminal: int) -> bytes:
    """What was written to the other end; empty once that is closed, which Linux tells by an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
