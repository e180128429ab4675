"""`connector sandbox serve`: both CRMs imitated on this machine."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.printing import terminal
from connector.errors import BadConfiguration, Finding

if TYPE_CHECKING:
    from connector.sandbox.hubspot import HubSpotSandbox
    from connector.sandbox.salesforce import SalesforceSandbox

_PORT_HELP = "Port on 127.0.0.1; 0 takes a free one."
_PROXY_HELP = (
    "Also run a proxy there, for clients that know the vendors' hosts only; with TLS. 0 takes a free port."
)
_CA_DIR_HELP = "Where to leave the authority's certificate, with TLS; if not given, it goes with the process."

Port = Annotated[int, typer.Option(min=0, max=65_535, metavar="PORT", help=_PORT_HELP)]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Both CRMs, imitated on this machine.", no_args_is_help=True)
    group.command(
        epilog=terminal.make_examples(
            "connector sandbox serve --demo",
            "connector sandbox serve --salesforce-port 8001 --hubspot-port 8002",
            "connector sandbox serve --proxy-port 8003 --ca-dir certificates",
        )
    )(serve)
    app.add_typer(group, name="sandbox", rich_help_panel="Try it out")


def serve(
    salesforce_port: Port = 0,
    hubspot_port: Port = 0,
    demo: Annotated[bool, typer.Option("--demo", help="Fill both with a made-up organisation.")] = False,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Ids, credentials and the made-up organisation follow from it.")
    ] = 0,
    tls: Annotated[bool, typer.Option("--tls", help="HTTPS, with certificates of an authority made now.")] = False,
    ca_dir: Annotated[Path | None, typer.Option(metavar="FOLDER", help=_CA_DIR_HELP)] = None,
    proxy_port: Annotated[int | None, typer.Option(min=0, max=65_535, metavar="PORT", help=_PROXY_HELP)] = None,
) -> None:
    """Serve both sandboxes until Ctrl-C or SIGTERM.

    Prints one line of JSON with addresses and credentials once both answer.
    """
    from connector.sandbox.demo import load_demo  # noqa: PLC0415  # slow to import
    from connector.sandbox.hubspot import HubSpotSandbox  # noqa: PLC0415  # slow to import
    from connector.sandbox.hubspot.settings import Settings  # noqa: PLC0415  # slow to import
    from connector.sandbox.salesforce import SalesforceSandbox  # noqa: PLC0415  # slow to import
    from connector.sandbox.server import serve as serve_handlers  # noqa: PLC0415  # slow to import
    from connector.sandbox.server import url_of  # noqa: PLC0415  # slow to import

    with contextlib.ExitStack() as stack:
        here = stack.enter_context(_listen("--salesforce-port", salesforce_port))
        there = stack.enter_context(_listen("--hubspot-port", hubspot_port))
        context: ssl.SSLContext | None = None
        ways: dict[str, Any] = {}
        if tls or ca_dir is not None or proxy_port is not None:
            context, ways = stack.enter_context(_secured(ca_dir, proxy_port, here, there))
        limited = Settings(enforce_limits="running")  # as in a real portal; only a clock that stands is spared
        salesforce, hubspot = SalesforceSandbox(seed=seed), HubSpotSandbox(seed=seed, settings=limited)
        if demo:
            load_demo(salesforce, hubspot, salesforce.session_id, hubspot.access_token, seed)
        told = describe(salesforce, hubspot, url_of(here, context), url_of(there, context)) | ways
        serve_handlers({here: salesforce, there: hubspot}, lambda: terminal.print_json(told), context)


def describe(
    salesforce: SalesforceSandbox, hubspot: HubSpotSandbox, salesforce_url: str, hubspot_url: str
) -> dict[str, Any]:
    """Where both sandboxes are and how to get in: what `serve` prints, `{vendor: {name: value}}`."""
    return {
        "salesforce": {
            "instance_url": salesforce_url,
            "session_id": salesforce.session_id,
            "username": salesforce.username,
            "password": salesforce.password,
            "security_token": salesforce.security_token,
            "consumer_key": salesforce.consumer_key,
            "consumer_secret": salesforce.consumer_secret,
            "refresh_token": salesforce.refresh_token,
        },
        "hubspot": {
            "base_url": hubspot_url,
            "access_token": hubspot.access_token,
            "client_id": hubspot.client_id,
            "client_secret": hubspot.client_secret,
            "refresh_token": hubspot.refresh_token,
        },
    }


def describe_proxy(url: str, bundle: Path) -> dict[str, str]:
    """The environment in which a client finds the sandboxes under the vendors' own hosts."""
    return {
        "HTTPS_PROXY": url,
        "NO_PROXY": "127.0.0.1,localhost",
        "CURL_CA_BUNDLE": str(bundle),
        "REQUESTS_CA_BUNDLE": str(bundle),
        "SSL_CERT_FILE": str(bundle),
    }


@contextlib.contextmanager
def _secured(
    folder: Path | None, proxy_port: int | None, salesforce: socket.socket, hubspot: socket.socket
) -> Iterator[tuple[ssl.SSLContext, dict[str, Any]]]:
    """What HTTPS needs while it is served, and what `serve` prints of it: `ca_bundle`, and `proxy` if there is one.

    The authority's certificate is in the folder given, or in one that goes with the process.
    """
    from connector.sandbox.tls import Authority  # noqa: PLC0415  # slow to import

    authority = Authority()
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crm-sandbox-")))
        try:
            bundle = authority.write_bundle(folder)
        except OSError as error:
            remedy = "choose a folder that can be written to"
            raise BadConfiguration([Finding("--ca-dir", 0, f"{folder}: {error.strerror}", remedy)]) from None
        ways: dict[str, Any] = {"ca_bundle": str(bundle)}
        if proxy_port is not None:
            ways["proxy"] = describe_proxy(stack.enter_context(_proxy(proxy_port, salesforce, hubspot)), bundle)
        yield authority.server_context(), ways


@contextlib.contextmanager
def _proxy(port: int, salesforce: socket.socket, hubspot: socket.socket) -> Iterator[str]:
    from connector.sandbox.hosts import HUBSPOT, SALESFORCE  # noqa: PLC0415  # as the rest of the sandbox
    from connector.sandbox.proxy import proxying  # noqa: PLC0415  # slow to import

    ports = {SALESFORCE: salesforce.getsockname()[1], HUBSPOT: hubspot.getsockname()[1]}
    with _listen("--proxy-port", port) as listening, proxying(listening, ports) as url:
        yield url


def _listen(option: str, port: int) -> socket.socket:
    from connector.sandbox.server import listen  # noqa: PLC0415  # slow to import

    try:
        return listen(port)
    except OSError as error:
        remedy = "choose another port, or 0 for a free one"
        raise BadConfiguration([Finding(option, 0, f"port {port}: {error.strerror}", remedy)]) from None
