"""What HubSpot tells an app of its own accord: webhooks.

`signatures.py` is how an app knows that it is HubSpot, `subscriptions.py` what it has asked for, `payloads.py` what
an event looks like, `delivery.py` in what portions and how often it is sent, `app.py` all this together, `calls.py`
how it is set up.
"""

from connector.sandbox.hubspot.webhooks.app import Delivery, Webhooks, post

__all__ = ["Delivery", "Webhooks", "post"]
