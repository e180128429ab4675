"""A store of 0.1.0 with roles in it, brought to the schema that knows who agreed on them."""

from __future__ import annotations

from connector.core.model import Side
from connector.store.store import Store

OLD = """
INSERT INTO connection (id, name) VALUES (1, 'default');
INSERT INTO link (id, connection_id, pair, salesforce_id, hubspot_id, state, born,
    base_salesforce, base_hubspot, derive)
    VALUES (1, 1, 'opportunity-deal', '006A', '11', 'linked', 'salesforce', '{}', '{}', 0),
    (2, 1, 'contact-contact', '003A', '5', 'linked', 'salesforce', '{}', '{}', 0);
INSERT INTO edge (connection_id, kind, child, parent, with_creation, applied)
    VALUES (1, 'role', 1, 2, 1, 'open');
INSERT INTO role (connection_id, id, opportunity_id, contact_id) VALUES (1, '00KA', '006A', '003A');
INSERT INTO association (connection_id, deal_id, contact_id) VALUES (1, '11', '5');
INSERT INTO cursor (connection_id, stream, value)
    VALUES (1, 'salesforce/OpportunityContactRole', '"2026"'), (1, 'salesforce/Contact', '"2026"')
"""
"""An opportunity with its deal, a contact with its contact, and their role."""


def test_R3_roles_of_an_older_store_were_agreed_on_by_what_is_linked(old_store, now):
    """So a removal after the upgrade is known as one; names are read anew, as they were never read."""
    store = Store.open(old_store(OLD), "default", now)
    (agreed,) = store.links.agreed_roles([1])[1]
    assert agreed.is_between(store.links.load([1])[1])
    assert agreed.ids == {Side.SALESFORCE: ("006A", "003A"), Side.HUBSPOT: ("11", "5")}
    assert store.records.roles_of(["006A"])["006A"]["00KA"].primary is None
    assert store.records.associated_contacts(["11"]) == {"11": {"5": None}}
    assert store.runs.read("salesforce/OpportunityContactRole") is None
    assert store.runs.read("salesforce/Contact") == "2026"
    store.close()
