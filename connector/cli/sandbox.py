"""`connector sandbox serve`: both CRMs imitated on this machine."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import printing
from connector.errors import BadConfiguration, Finding

if TYPE_CHECKING:
    from connector.sandbox.hubspot import HubSpotSandbox
    from connector.sandbox.salesforce import SalesforceSandbox

Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Both CRMs, imitated on this machine.", no_args_is_help=True)
    group.command(
        epilog=printing.make_examples(
            "connector sandbox serve --demo", "connector sandbox serve --salesforce-port 8001 --hubspot-port 8002"
        )
    )(serve)
    app.add_typer(group, name="sandbox", rich_help_panel="Try it out")


def serve(
    salesforce_port: Port = 0,
    hubspot_port: Port = 0,
    demo: Annotated[bool, typer.Option("--demo", help="Fill both with a made-up organisation.")] = False,
    seed: Annotated[int, typer.Option(help="Ids, credentials and the made-up organisation follow from it.")] = 0,
) -> None:
    """Serve both sandboxes until Ctrl-C or SIGTERM.

    Prints one line of JSON with addresses and credentials once both answer.
    """
    from connector.sandbox.demo import load_demo  # noqa: PLC0415  # slow to import
    from connector.sandbox.hubspot import HubSpotSandbox  # noqa: PLC0415  # slow to import
    from connector.sandbox.salesforce import SalesforceSandbox  # noqa: PLC0415  # slow to import
    from connector.sandbox.server import serve as serve_handlers  # noqa: PLC0415  # slow to import

    with _listen("--salesforce-port", salesforce_port) as here, _listen("--hubspot-port", hubspot_port) as there:
        salesforce, hubspot = SalesforceSandbox(seed=seed), HubSpotSandbox(seed=seed)
        if demo:
            load_demo(salesforce, hubspot, salesforce.session_id, hubspot.access_token, seed)
        told = describe(salesforce, hubspot, _url(here), _url(there))
        serve_handlers({here: salesforce, there: hubspot}, ready=lambda: printing.print_json(told))


def describe(
    salesforce: SalesforceSandbox, hubspot: HubSpotSandbox, salesforce_url: str, hubspot_url: str
) -> dict[str, dict[str, str]]:
    """Where both sandboxes are and how to get in: what `serve` prints."""
    return {
        "salesforce": {
            "instance_url": salesforce_url,
            "session_id": salesforce.session_id,
            "username": salesforce.username,
            "password": salesforce.password,
            "security_token": salesforce.security_token,
            "consumer_key": salesforce.consumer_key,
            "consumer_secret": salesforce.consumer_secret,
        },
        "hubspot": {"base_url": hubspot_url, "access_token": hubspot.access_token},
    }


def _listen(option: str, port: int) -> socket.socket:
    from connector.sandbox.server import listen  # noqa: PLC0415  # slow to import

    try:
        return listen(port)
    except OSError as error:
        remedy = "choose another port, or 0 for a free one"
        raise BadConfiguration([Finding(option, 0, f"port {port}: {error.strerror}", remedy)]) from None


def _url(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"
