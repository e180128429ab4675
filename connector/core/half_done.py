"""Was a write to HubSpot that takes two requests left half done?

| what is written                     | first request              | second request           |
|-------------------------------------|----------------------------|--------------------------|
| an earlier lifecycle stage (L8)     | the stage is cleared       | the earlier one is set   |
| another primary company (R6, A4)    | the old one is taken away  | the new one is set       |

A process that dies between them leaves the field blank. The journal knows that this blank is ours: then no edit is
made of it, and no conflict. Such a field has one name in HubSpot.
"""

from __future__ import annotations

from connector.core.model import Base, Change, FieldRule, Link, Record, Side


def may_be_half_done(hubspot: Record, rule: FieldRule) -> bool:
    """Whether a field of a live record is blank in HubSpot."""
    return hubspot.present and not hubspot.fields.get(rule.hubspot[0])


def was_agreed_on(link: Link, rule: FieldRule) -> bool:
    """Whether both sides agreed that HubSpot has a value there."""
    return bool(link.base.hubspot.get(rule.hubspot[0]))


def was_replacing(last: Change) -> bool:
    """Whether a write that did not come to its end was to put another value in the place of one."""
    return bool(last.old and last.new)


def blank_base(rule: FieldRule) -> Base:
    """Nothing is agreed on: whatever Salesforce holds by now is still to be written."""
    return Base(*(dict.fromkeys(rule.names(side)) for side in (Side.SALESFORCE, Side.HUBSPOT)))
