"""No request, however odd, is more than a refusal."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.sandbox.clock import Clock
from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.hubspot.routes import ROUTES

from .conftest import START, Hub

_WORDS = st.sampled_from(
    [
        "deals",
        "contacts",
        "0-2",
        "default",
        "closedwon",
        "amount",
        "email",
        "1",
        "-1",
        "99999999999999999999",
        "é",
        "1.5",
    ]
)
_NAMES = """
inputs id idProperty properties associations objectWriteTraceId to from types associationTypeId after limit
associationCategory filterGroups filters propertyName operator value values highValue sorts query name label
type fieldType groupName options displayOrder stages metadata probability pipelineId stageId archived
primaryObjectId objectIdToMerge dealname dealstage amount lastname hubspot_owner_id closedate
"""
_KEYS = st.sampled_from(_NAMES.split())
_LEAVES = st.none() | st.booleans() | st.integers(-3, 300) | st.floats(allow_nan=False) | _WORDS | st.sampled_from(
    ["EQ", "IN", "BETWEEN", "HAS_PROPERTY", "HUBSPOT_DEFINED", "USER_DEFINED", "string", "text", "2026-01-01", ""]
)  # fmt: skip
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=25
)
_BODIES = _JSON | st.fixed_dictionaries(
    {
        "inputs": st.lists(st.dictionaries(_KEYS, _JSON, max_size=5), min_size=1, max_size=3),
        "filterGroups": st.lists(
            st.fixed_dictionaries({"filters": st.lists(st.dictionaries(_KEYS, _JSON, max_size=4), max_size=2)}),
            max_size=2,
        ),
    }
)


@settings(max_examples=600)
@given(st.sampled_from(ROUTES), st.data(), _BODIES)
def test_nothing_breaks_the_sandbox(route, data, body):
    """Every route answers arbitrary path parts, parameters and bodies with a status of HubSpot's."""
    hub = Hub(HubSpotSandbox(Clock(frozen_at=START)))
    hub.create("deals", {"dealname": "D", "dealstage": "closedwon", "amount": "5"})
    parts = [data.draw(_WORDS) if part.startswith("{") else part for part in route.path.split("/")]
    area, rest = parts[0], "/".join(parts[1:])
    prefix = "" if area == "account-info" else "/crm"
    query = "&".join(
        f"{name}={data.draw(_WORDS)}"
        for name in data.draw(st.lists(st.sampled_from(["limit", "after", "idProperty", "archived"]), max_size=2))
    )
    answer = hub.send(route.method, f"{prefix}/{area}/2026-09/{rest}?{query}", body)
    assert answer.status in {200, 201, 204, 207, 400, 404, 409}
    assert (answer.json is None) is (answer.status == 204)
