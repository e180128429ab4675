"""Salesforce, offline: its REST API over an org in memory. `SalesforceSandbox` is all one needs from here."""

from connector.sandbox.salesforce.sandbox import SalesforceSandbox

__all__ = ["SalesforceSandbox"]
