"""Keeps Salesforce and HubSpot in step, both ways."""

__version__ = "0.1.0"
