"""The sandboxes under the vendors' own hosts: over real ports, with TLS, through the sandbox's proxy.

So a client is told nothing but where the proxy is and whom to trust, as it would be in any company's network.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from connector.cli.sandbox import describe_proxy
from connector.sandbox.proxy import proxying
from connector.sandbox.server import listen, serving
from connector.sandbox.tls import Authority
from connector.sandbox.wire import Handler


@contextlib.contextmanager
def under_vendors_hosts(folder: Path, **handlers: Handler) -> Iterator[dict[str, str]]:
    """Serve handlers by vendor while the block runs; yields the environment that `sandbox serve` prints for it."""
    authority = Authority()
    with serving(*handlers.values(), tls=authority.server_context()) as urls:
        ports = {vendor: urlsplit(url).port or 0 for vendor, url in zip(handlers, urls, strict=True)}
        with listen() as listening, proxying(listening, ports) as proxy:
            yield describe_proxy(proxy, authority.write_bundle(folder))
