"""Associations as v3 knows them: by a type's name, one type at a time."""

from __future__ import annotations

import pytest

LINKS = "/crm/v3/associations/deals/companies"


@pytest.fixture
def ends(hub):
    """A deal and two companies."""
    deal = hub.create("deals", {"dealname": "D", "dealstage": "appointmentscheduled"})
    return deal, *(hub.create("companies", {"name": name}) for name in "AB")


def listed(hub, deal, query=""):
    page = hub.call("GET", f"/crm/v3/objects/deals/{deal}/associations/companies{query}")
    return [(row["id"], row["type"]) for row in page["results"]]


def test_types_have_names(hub):
    """A label of HubSpot's keeps the plain name, what shares it ends in `_unlabeled`."""
    types = hub.call("GET", LINKS + "/types")["results"]
    assert {(one["id"], one["name"]) for one in types} == {
        ("5", "deal_to_company"), ("341", "deal_to_company_unlabeled")
    }  # fmt: skip
    types = hub.call("GET", "/crm/v3/associations/0-3/contact/types")["results"]
    assert types == [{"id": "3", "name": "deal_to_contact"}]


@pytest.mark.parametrize("name", ["5", "deal_to_company"])
def test_one_pair_is_associated(hub, ends, name):
    """By id or name of the type; the answer is the record with its associations."""
    deal, first, second = ends
    path = f"/crm/v3/objects/deals/{deal}/associations/companies"
    hub.call("PUT", f"{path}/{first}/341")
    shown = hub.call("PUT", f"{path}/{second}/{name}")
    assert shown["id"] == deal
    assert {row["id"] for row in shown["associations"]["companies"]["results"]} == {first, second}
    assert set(listed(hub, deal)) == {
        (first, "deal_to_company_unlabeled"),
        (second, "deal_to_company"),
        (second, "deal_to_company_unlabeled"),
    }


def test_one_type_is_removed(hub, ends):
    """A label leaves the association; the unlabelled type takes everything with it; then there is nothing to do."""
    deal, first, _ = ends
    path = f"/crm/v3/objects/deals/{deal}/associations/companies/{first}"
    hub.call("PUT", f"{path}/deal_to_company")
    hub.call("DELETE", f"{path}/deal_to_company", expect=204)
    assert listed(hub, deal) == [(first, "deal_to_company_unlabeled")]
    for _ in range(2):
        hub.call("DELETE", f"{path}/deal_to_company_unlabeled", expect=204)
        assert listed(hub, deal) == []


def test_the_list_is_paged(hub, ends):
    """`after` is the id of the next record."""
    deal, first, second = ends
    for company in (first, second):
        hub.call("PUT", f"/crm/v3/objects/deals/{deal}/associations/companies/{company}/341")
    page = hub.call("GET", f"/crm/v3/objects/deals/{deal}/associations/companies?limit=1")
    assert page["paging"]["next"]["after"] == second
    assert page["paging"]["next"]["link"].endswith(f"after={second}")
    assert listed(hub, deal, f"?after={second}") == [(second, "deal_to_company_unlabeled")]
    hub.call("GET", f"/crm/v3/objects/deals/{deal}/associations/companies?limit=501", expect=400)


def test_many_pairs_in_one_call(hub, ends):
    """Created with 201, missing ones listed in a 207; archived with 204."""
    deal, first, second = ends
    pairs = [
        {"from": {"id": deal}, "to": {"id": to}, "type": "deal_to_company_unlabeled"} for to in (first, second)
    ]
    answer = hub.call("POST", LINKS + "/batch/create", {"inputs": pairs[:1]}, 201)
    assert answer["results"] == pairs[:1]
    answer = hub.call("POST", LINKS + "/batch/create", {"inputs": [pairs[1], {**pairs[0], "to": {"id": "1"}}]}, 207)
    assert (answer["results"], answer["numErrors"]) == (pairs[1:], 1)
    assert answer["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    hub.call("POST", LINKS + "/batch/archive", {"inputs": [pairs[0], {**pairs[0], "to": {"id": "1"}}]}, 204)
    assert {row for row, _ in listed(hub, deal)} == {second}


@pytest.mark.parametrize(("method", "path", "status"), [
    ("PUT", "deals/{deal}/associations/companies/{company}/3", 400),
    ("PUT", "deals/{deal}/associations/companies/{company}/friend", 400),
    ("PUT", "deals/{deal}/associations/companies/1/5", 404),
    ("PUT", "deals/x/associations/companies/{company}/5", 404),
    ("GET", "deals/1/associations/companies", 404),
])  # fmt: skip
def test_what_cannot_be_associated_is_refused(hub, ends, method, path, status):
    """A type of another direction, a type that is none, a record that is not there."""
    deal, company, _ = ends
    hub.call(method, "/crm/v3/objects/" + path.format(deal=deal, company=company), expect=status)
    assert listed(hub, deal) == []


def test_a_wrong_type_in_a_batch_removes_nothing(hub, ends):
    """400, and the association before it stays."""
    deal, first, _ = ends
    pair = {"from": {"id": deal}, "to": {"id": first}, "type": "341"}
    hub.call("POST", LINKS + "/batch/create", {"inputs": [pair]}, 201)
    hub.call("POST", LINKS + "/batch/archive", {"inputs": [pair, {**pair, "type": "x"}]}, 400)
    assert [to for to, _ in listed(hub, deal)][:1] == [first]
