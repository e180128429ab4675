"""`connector check` where the mapping deletes in Salesforce, and where nothing may be written (P3, D5)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.lab import Lab

from connector.core.model import Side
from connector.engine.check import State, check
from connector.engine.checks.hubspot import needed_scopes
from connector.engine.run import Wish
from connector.errors import Refused

ROLE = "OpportunityContactRole"
CLOSED = {"PermissionsModifyAllData": False, "PermissionsModifyMetadata": False, "PermissionsViewAllData": False}


@pytest.fixture
def lab():
    return Lab()


def findings(lab, state=State.PROBLEM):
    """What is not fine, as (name, what, what to do)."""
    return [(one.name, one.detail, one.remedy) for one in check(lab.connection()) if one.state is state]


def permit(lab, **rights):
    lab.sandbox_post("salesforce", "permissions", rights, method="PUT")


def test_D5_what_deleting_needs_is_looked_for_where_the_mapping_wants_it(lab):
    """The right to delete, and for accounts to see all records."""
    permit(lab, **CLOSED, objects={"Account": {"edit": False}})
    assert not any("on_delete" in detail for _, detail, _ in findings(lab))
    name = "account-company"
    lab.pairs = lab.pairs | {name: replace(lab.pairs[name], deletes=frozenset({Side.HUBSPOT}))}
    found = {name: remedy for name, detail, remedy in findings(lab) if "on_delete" in detail}
    assert "View All Data" in found["Salesforce rights"]
    assert "Delete" in found["Salesforce Account"]


# --- read-only mode -------------------------------------------------------------------------------------------


@pytest.fixture
def reader(lab):
    """Records on both sides, and a connector that may read everything and write nothing, on either side."""
    lab.business(Amount=5)
    lab.hs_create("companies", name="Theirs")
    objects = ("Account", "Contact", "Opportunity", ROLE)
    permit(lab, objects={name: {"edit": False} for name in objects})
    lab.sandbox_post("hubspot", "scopes", needed_scopes(lab.pairs.values(), writes=False), method="PUT")
    lab.configure(MODE="read_only")
    return lab


def test_P3_read_only_mode_needs_no_right_to_write(reader):
    """`check` is fine and says which mode it is; `plan` shows all that a sync would do."""
    assert findings(reader) == []
    (mode,) = [one for one in check(reader.connection()) if one.name == "mode"]
    assert "`sync` refuses" in mode.detail
    report = reader.plan()
    assert report.created[Side.HUBSPOT] == {"companies": 1, "contacts": 1, "deals": 1}
    assert any("read_only" in note for note in report.notes)


@pytest.mark.parametrize("wish", [None, Wish(deletes=True)])
def test_P3_read_only_mode_writes_nothing(reader, wish):
    """`sync` refuses before it looks at anything, and says what to do; not even properties are made."""
    with pytest.raises(Refused) as refused:
        reader.sync(wish)
    assert "mode: read_only" in refused.value.message
    assert "mode: sync" in refused.value.remedy
    assert reader.store.runs.last() is None
    assert reader.hs_all("deals") == reader.hs_all("contacts") == {}
    assert "sf_record_id" not in [one["name"] for one in reader.hs("GET", "/crm/v3/properties/deals")["results"]]
