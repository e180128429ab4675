"""Both CRMs, offline: what Salesforce and HubSpot answer to their clients, over data in memory.

Each side is a plain function from `wire.Request` to `wire.Response`. It is used in three ways: in process
(`transport.SandboxAdapter`, mounted on a `requests.Session`), over a port (`server.serve`), and by the demo.
This package imports nothing else of the connector, so that it cannot agree with the connector's mistakes;
facts about the vendors are cited where they are imitated.
"""
