"""HubSpot, as far as a connector of contacts, companies and deals meets it: a handler over a portal in memory.

    request → routes.find → scopes → objects | batches | search | association_calls | schema_calls → response

Those act through `writes`, `merges` and `views` on a `Portal`, which holds `records`, `associations`, `properties`,
`pipelines` and `owners`. Facts about the vendor are cited where they are imitated; `settings` lists what is not
established.
"""

from connector.sandbox.hubspot.sandbox import HubSpotSandbox

__all__ = ["HubSpotSandbox"]
