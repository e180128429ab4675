"""Both CRMs, offline: what Salesforce and HubSpot answer to their clients, over data in memory.

Each side is a plain function from `wire.Request` to `wire.Response`. It is reached in three ways: in process
(`transport.sandbox_session`), over a port, plain or with TLS (`server.serve`, `tls.Authority`), and under the
vendors' own hosts (`proxy.proxying`).
This package imports nothing else of the connector, so that it cannot agree with the connector's mistakes;
facts about the vendors are cited where they are imitated.
"""
