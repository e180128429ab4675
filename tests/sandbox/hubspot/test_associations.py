"""Associations: types and directions, primaries, labels, limits, and what the two spellings differ in."""

from __future__ import annotations

import pytest

from .conftest import COMPANY_OF_CONTACT, COMPANY_OF_DEAL, CONTACT_OF_DEAL

OPEN = {"dealname": "D", "dealstage": "appointmentscheduled"}


def spec(*type_ids, category="HUBSPOT_DEFINED"):
    return [{"associationCategory": category, "associationTypeId": type_id} for type_id in type_ids]


def pair(start, end, types=None):
    return {"from": {"id": start}, "to": {"id": end}, **({} if types is None else {"types": types})}


def types_of(hub, start, record_id, end):
    """Other record → type ids, as the list endpoint tells."""
    rows = hub.call("GET", f"/crm/v4/objects/{start}/{record_id}/associations/{end}")["results"]
    return {str(row["toObjectId"]): [one["typeId"] for one in row["associationTypes"]] for row in rows}


@pytest.fixture
def world(hub):
    """Two companies, two contacts and a deal, not associated."""
    records = {name: hub.create("companies", {"name": name}) for name in ("acme", "bolt")}
    records |= {name: hub.create("contacts", {"lastname": name}) for name in ("ada", "bob")}
    records["deal"] = hub.create("deals", OPEN)
    return records


@pytest.mark.parametrize(
    ("start", "end", "type_id", "inverse"),
    [
        ("contacts", "companies", 279, 280),
        ("companies", "contacts", 280, 279),
        ("deals", "contacts", 3, 4),
        ("contacts", "deals", 4, 3),
        ("deals", "companies", 341, 342),
        ("companies", "deals", 342, 341),
        ("contacts", "contacts", 449, 449),
        ("companies", "companies", 450, 450),
    ],
)
def test_unlabelled_types_by_direction(hub, world, start, end, type_id, inverse):
    """The documented type ids; an association is seen from both ends."""
    ids = {"contacts": ["ada", "bob"], "companies": ["acme", "bolt"], "deals": ["deal"]}
    one, other = world[ids[start][0]], world[ids[end][-1]]
    answer = hub.call("PUT", f"/crm/v4/objects/{start}/{one}/associations/default/{end}/{other}", expect=200)
    assert answer["status"] == "COMPLETE"
    assert [(row["from"]["id"], row["to"]["id"]) for row in answer["results"]] == [(one, other), (other, one)]
    specs = [row["associationSpec"]["associationTypeId"] for row in answer["results"]]
    assert specs == [type_id, inverse]
    assert type_id in types_of(hub, start, one, end)[other]
    assert inverse in types_of(hub, end, other, start)[one]


@pytest.mark.parametrize(("kind", "name", "type_ids"), [("contacts", "ada", (1, 279)), ("deals", "deal", (5, 341))])
def test_the_first_company_is_the_primary_one(hub, world, kind, name, type_ids):
    """Of a contact and of a deal; later companies are not, until one is made primary and demotes the first."""
    record = world[name]
    primary, unlabelled = type_ids
    for company in ("acme", "bolt"):
        hub.call("PUT", f"/crm/v4/objects/{kind}/{record}/associations/default/companies/{world[company]}")
    assert types_of(hub, kind, record, "companies") == {
        world["acme"]: [primary, unlabelled], world["bolt"]: [unlabelled],
    }  # fmt: skip
    path = f"/crm/v4/objects/{kind}/{record}/associations/companies/{world['bolt']}"
    assert hub.call("PUT", path, spec(primary), 201)["labels"] == ["Primary"]
    assert types_of(hub, kind, record, "companies") == {
        world["acme"]: [unlabelled], world["bolt"]: [primary, unlabelled],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "primary", "inverse"), [("contacts", "ada", 1, 2), ("deals", "deal", 5, 6)]
)
def test_a_primary_can_be_set_from_the_company(hub, world, kind, name, primary, inverse):
    """Types 2 and 6 are 1 and 5 seen from the company, and demote likewise."""
    record = world[name]
    for company in ("acme", "bolt"):
        hub.call(
            "PUT", f"/crm/v4/objects/companies/{world[company]}/associations/{kind}/{record}", spec(inverse), 201
        )
    shown = types_of(hub, kind, record, "companies")
    assert primary not in shown[world["acme"]]
    assert primary in shown[world["bolt"]]
    assert inverse in types_of(hub, "companies", world["bolt"], kind)[record]


def test_inline_associations_can_name_the_primary(hub, world):
    """The second company, given as primary, demotes the first."""
    deal = hub.create("deals", OPEN, (world["acme"], COMPANY_OF_DEAL), (world["bolt"], 5))
    assert types_of(hub, "deals", deal, "companies") == {world["acme"]: [341], world["bolt"]: [5, 341]}


def test_batch_create_answers_labels_and_numbers(hub, world):
    """201 with the types of both objects; ids are numbers in v4 and strings in dated versions."""
    body = {"inputs": [pair(world["ada"], world["acme"], spec(COMPANY_OF_CONTACT))]}
    answer = hub.call("POST", "/crm/v4/associations/contacts/companies/batch/create", body, 201)
    assert answer["results"] == [
        {
            "fromObjectTypeId": "0-1",
            "fromObjectId": int(world["ada"]),
            "toObjectTypeId": "0-2",
            "toObjectId": int(world["acme"]),
            "labels": ["Primary"],
        }
    ]
    dated = hub.call("POST", "/crm/associations/2026-09/0-1/company/batch/create", body, 201)
    assert dated["results"][0]["toObjectId"] == world["acme"]


def test_batch_read_lists_types(hub, world):
    """One row for each record that has any; ids as numbers in v4, as strings in dated versions."""
    deal = hub.create("deals", OPEN, (world["acme"], COMPANY_OF_DEAL), (world["bolt"], COMPANY_OF_DEAL))
    body = {"inputs": [{"id": deal}]}
    (row,) = hub.call("POST", "/crm/v4/associations/deals/companies/batch/read", body)["results"]
    assert row["from"] == {"id": deal}
    assert row["to"] == [
        {
            "toObjectId": int(world["acme"]),
            "associationTypes": [
                {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"},
                {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None},
            ],
        },
        {
            "toObjectId": int(world["bolt"]),
            "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None}],
        },
    ]
    (dated,) = hub.call("POST", "/crm/associations/2026-03/deals/companies/batch/read", body)["results"]
    assert dated["to"][0]["toObjectId"] == world["acme"]


def test_a_record_without_associations_is_an_error_of_the_read(hub, world):
    """207 NO_ASSOCIATIONS_FOUND for records without any, and for missing ones."""
    hub.create("deals", OPEN, (world["ada"], CONTACT_OF_DEAL))
    body = {"inputs": [{"id": world["ada"]}, {"id": world["bob"]}, {"id": "12"}]}
    answer = hub.call("POST", "/crm/v4/associations/contacts/deals/batch/read", body, 207)
    assert [row["from"]["id"] for row in answer["results"]] == [world["ada"]]
    assert answer["numErrors"] == 2
    assert answer["errors"][0] == {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No deal is associated with contact {world['bob']}.",
        "context": {"fromObjectId": [world["bob"]], "fromObjectType": ["contact"], "toObjectType": ["deal"]},
    }


def test_batch_writes_report_missing_records(hub, world):
    """207 with an error for each pair that has a missing end; the others are associated."""
    for act, status_types in (("create", spec(CONTACT_OF_DEAL)), ("associate/default", None)):
        inputs = [pair(world["deal"], "12", status_types), pair(world["deal"], world["ada"], status_types)]
        answer = hub.call("POST", f"/crm/v4/associations/deals/contacts/batch/{act}", {"inputs": inputs}, 207)
        assert answer["errors"][0]["context"] == {"fromObjectId": [world["deal"]], "toObjectId": ["12"]}
        assert types_of(hub, "deals", world["deal"], "contacts") == {world["ada"]: [3]}


def test_single_calls_need_both_records(hub, world):
    """404 for a missing end, 400 for a type of the other direction."""
    deal, ada = world["deal"], world["ada"]
    hub.call("PUT", f"/crm/v4/objects/deals/{deal}/associations/contacts/12", spec(3), 404)
    hub.call("PUT", f"/crm/v4/objects/deals/{deal}/associations/default/contacts/12", expect=404)
    hub.call("GET", "/crm/v4/objects/deals/12/associations/contacts", expect=404)
    hub.call("PUT", f"/crm/v4/objects/deals/{deal}/associations/contacts/{ada}", spec(4), 400)
    hub.call(
        "PUT", f"/crm/v4/objects/deals/{deal}/associations/contacts/{ada}", spec(3, category="USER_DEFINED"), 400
    )


@pytest.mark.parametrize(
    ("act", "most"),
    [
        ("create", 2_000),
        ("associate/default", 2_000),
        ("read", 1_000),
        ("archive", 2_000),
        ("labels/archive", 2_000),
    ],
)
def test_batches_have_limits(hub, act, most):
    """One input more than allowed is a 400."""
    one = {"id": "1", "from": {"id": "1"}, "to": {"id": "2"}, "types": []}
    error = hub.call(
        "POST", f"/crm/v4/associations/deals/contacts/batch/{act}", {"inputs": [one] * (most + 1)}, 400
    )
    assert str(most) in error["message"]


def test_associations_end(hub, world):
    """Singly, in batches, and when a record is archived; ending what is not there is fine."""
    deal = world["deal"]
    for contact in ("ada", "bob"):
        hub.call("PUT", f"/crm/v4/objects/deals/{deal}/associations/default/contacts/{world[contact]}")
    hub.call("DELETE", f"/crm/v4/objects/contacts/{world['ada']}/associations/deals/{deal}", expect=204)
    assert set(types_of(hub, "deals", deal, "contacts")) == {world["bob"]}
    body = {"inputs": [{"from": {"id": deal}, "to": [{"id": world["ada"]}, {"id": world["bob"]}]}]}
    hub.call("POST", "/crm/v4/associations/deals/contacts/batch/archive", body, 204)
    assert types_of(hub, "contacts", world["bob"], "deals") == {}
    hub.call("PUT", f"/crm/v4/objects/deals/{deal}/associations/default/contacts/{world['bob']}")
    hub.call("DELETE", f"/crm/v3/objects/contacts/{world['bob']}", expect=204)
    assert types_of(hub, "deals", deal, "contacts") == {}


def test_long_lists_are_paged(hub, world):
    """500 a page, `after` leads on, in lists and in batch reads."""
    for start in range(0, 600, 100):
        one = {
            "properties": {"lastname": f"L{start}"},
            "associations": [{"to": {"id": world["acme"]}, "types": spec(COMPANY_OF_CONTACT)}],
        }
        hub.call("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": [one] * 100}, 201)
    path = f"/crm/v4/objects/companies/{world['acme']}/associations/contacts"
    first = hub.call("GET", path)
    rest = hub.call("GET", f"{path}?after={first['paging']['next']['after']}")
    ids = [row["toObjectId"] for page in (first, rest) for row in page["results"]]
    assert (len(first["results"]), len(set(ids))) == (500, 600)
    assert "paging" not in rest
    read = {"inputs": [{"id": world["acme"], "after": first["paging"]["next"]["after"]}]}
    (row,) = hub.call("POST", "/crm/v4/associations/companies/contacts/batch/read", read)["results"]
    assert [one["toObjectId"] for one in row["to"]] == ids[500:]
    hub.call("GET", f"{path}?limit=501", expect=400)
    shown = hub.call("GET", f"/crm/v3/objects/companies/{world['acme']}?associations=contacts")
    assert shown["associations"]["contacts"]["paging"]["next"]["after"] == first["paging"]["next"]["after"]


# -- labels

LABELS = "/crm/v4/associations/deals/contacts/labels"


def new_label(hub, name, inverse=None, path=LABELS):
    body = {"label": name.title(), "name": name, **({"inverseLabel": inverse} if inverse else {})}
    return hub.call("POST", path, body)["results"]


def test_labels_are_made_in_pairs(hub, world):
    """A label has a type id in each direction; both directions list it, beside the unlabelled type."""
    made = new_label(hub, "decider", "Decides")
    assert [one["label"] for one in made] == ["Decider", "Decides"]
    assert {one["category"] for one in made} == {"USER_DEFINED"}
    ahead = hub.call("GET", "/crm/associations/2026-09/deals/contacts/labels")["results"]
    back = hub.call("GET", "/crm/associations/v4/contacts/deals/labels", expect=200)["results"]
    assert ahead == [{"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None}, made[0]]
    assert back[1] == made[1]


def test_a_set_of_labels_replaces_the_old_one(hub, world):
    """The unlabelled type stays beside them; associating without a label keeps them."""
    one, two, three = (new_label(hub, name)[0]["typeId"] for name in ("one", "two", "three"))
    deal, ada = world["deal"], world["ada"]
    path = f"/crm/v4/objects/deals/{deal}/associations/contacts/{ada}"
    assert hub.call("PUT", path, spec(one, two, category="USER_DEFINED"), 201)["labels"] == ["One", "Two"]
    body = {"inputs": [pair(deal, ada, spec(two, three, category="USER_DEFINED"))]}
    hub.call("POST", "/crm/v4/associations/deals/contacts/batch/create", body, 201)
    assert types_of(hub, "deals", deal, "contacts") == {ada: [3, two, three]}
    hub.call("PUT", f"/crm/v4/objects/deals/{deal}/associations/default/contacts/{ada}")
    assert types_of(hub, "deals", deal, "contacts") == {ada: [3, two, three]}
    shown = hub.call("GET", f"/crm/v3/objects/deals/{deal}?associations=contacts")["associations"]
    assert [row["type"] for row in shown["contacts"]["results"]] == ["deal_to_contact", "two", "three"]
    body = {"inputs": [pair(deal, ada, spec(two, category="USER_DEFINED"))]}
    hub.call("POST", "/crm/v4/associations/deals/contacts/batch/labels/archive", body, 204)
    assert types_of(hub, "deals", deal, "contacts") == {ada: [3, three]}


def test_labels_change_and_go(hub, world):
    """PUT renames, DELETE takes the label from every pair but leaves the pair associated."""
    (made, _) = new_label(hub, "decider")
    deal, ada = world["deal"], world["ada"]
    path = f"/crm/v4/objects/deals/{deal}/associations/contacts/{ada}"
    hub.call("PUT", path, spec(made["typeId"], category="USER_DEFINED"), 201)
    hub.call("PUT", LABELS, {"associationTypeId": made["typeId"], "label": "Sponsor"}, 204)
    assert [one["label"] for one in hub.call("GET", LABELS)["results"]] == [None, "Sponsor"]
    back = hub.call("GET", "/crm/v4/associations/contacts/deals/labels")["results"]
    assert [one["label"] for one in back] == [None, "Sponsor"]
    hub.call("DELETE", f"{LABELS}/{made['typeId']}", expect=204)
    assert types_of(hub, "deals", deal, "contacts") == {ada: [3]}
    assert types_of(hub, "contacts", ada, "deals") == {deal: [4]}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", LABELS, {"label": "Without a name"}, 400),
        ("POST", LABELS, {"label": "Again", "name": "first"}, 400),
        ("PUT", LABELS, {"associationTypeId": 3, "label": "Not a label"}, 404),
        ("DELETE", LABELS + "/3", None, 404),
        ("DELETE", LABELS + "/x", None, 404),
    ],
)
def test_what_is_no_label_is_refused(hub, method, path, body, status):
    """A label needs a free name; HubSpot's own types cannot be changed."""
    new_label(hub, "first")
    hub.call(method, path, body, status)


def test_ten_labels_between_two_object_types(hub):
    """The eleventh is refused, from either end."""
    for number in range(10):
        new_label(hub, f"label{number}")
    hub.call("POST", LABELS, {"label": "More", "name": "more"}, 400)
    hub.call("POST", "/crm/v4/associations/contacts/deals/labels", {"label": "More", "name": "more"}, 400)


def test_companies_have_parents(hub, world):
    """Type 13 leads from the parent to the child, and the child names its parent."""
    path = f"/crm/v4/objects/companies/{world['acme']}/associations/companies/{world['bolt']}"
    assert hub.call("PUT", path, spec(13), 201)["labels"] == ["Child Company"]
    assert types_of(hub, "companies", world["bolt"], "companies") == {world["acme"]: [14, 450]}
    assert hub.read("companies", world["bolt"], "hs_parent_company_id")["hs_parent_company_id"] == world["acme"]


def test_a_merge_moves_associations(hub, world):
    """The survivor takes them over with their labels and keeps its own primary."""
    hub.set(merge_mints_new_id=False)
    label = new_label(hub, "decider")[0]["typeId"]
    survivor = hub.create("contacts", {"lastname": "S"}, (world["acme"], COMPANY_OF_CONTACT))
    absorbed = hub.create("contacts", {"lastname": "T"}, (world["bolt"], COMPANY_OF_CONTACT))
    path = f"/crm/v4/objects/deals/{world['deal']}/associations/contacts/{absorbed}"
    hub.call("PUT", path, spec(label, category="USER_DEFINED"), 201)
    body = {"primaryObjectId": survivor, "objectIdToMerge": absorbed}
    hub.call("POST", "/crm/v3/objects/contacts/merge", body)
    assert types_of(hub, "contacts", survivor, "companies") == {world["acme"]: [1, 279], world["bolt"]: [279]}
    assert types_of(hub, "deals", world["deal"], "contacts") == {survivor: [3, label]}
