"""Records created together with the records below them."""

import pytest


def record(kind, reference, **fields):
    return {"attributes": {"type": kind, "referenceId": reference}, **fields}


def plant(client, *records, root="Account"):
    return client("POST", f"composite/tree/{root}", {"records": list(records)})


def test_a_tree(client):
    """Children get their parent's id; the answer names every record by its reference."""
    status, body = plant(
        client,
        record("Account", "a1", Name="Acme", Contacts={"records": [
            record("Contact", "c1", LastName="Doe"), record("Contact", "c2", LastName="Roe"),
        ]}),
        record("Account", "a2", Name="Globex"),
    )  # fmt: skip
    assert (status, body["hasErrors"]) == (201, False)
    ids = {each["referenceId"]: each["id"] for each in body["results"]}
    assert set(ids) == {"a1", "a2", "c1", "c2"}
    assert client.row("Contact", ids["c2"])["AccountId"] == ids["a1"]


def test_one_failure_undoes_all(client):
    """Only the record at fault is answered."""
    status, body = plant(
        client, record("Account", "a1", Name="Acme", Contacts={"records": [record("Contact", "c1")]})
    )
    assert (status, body["hasErrors"]) == (400, True)
    assert [each["referenceId"] for each in body["results"]] == ["c1"]
    assert body["results"][0]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert client.query("SELECT Id FROM Account") == []


def nested(levels):
    inner = record("Account", f"a{levels}", Name="x")
    for level in range(levels - 1, 0, -1):
        inner = record("Account", f"a{level}", Name="x", ChildAccounts={"records": [inner]})
    return inner


@pytest.mark.parametrize(
    "records",
    [
        [record("Contact", "c", LastName="wrong root")],
        [{"Name": "no attributes"}],
        [record("Account", "a", Name="x"), record("Account", "a", Name="y")],
        [record("Account", "a", Name="x", Nothing={"records": [record("Contact", "c", LastName="x")]})],
        [record("Account", f"a{n}", Name="x") for n in range(201)],
        [nested(6)],
        [],
    ],
)
def test_refused(client, records):
    """Wrong types, no or repeated references, unknown relationships, too many records or levels make nothing."""
    assert plant(client, *records)[0] == 400
    assert client.query("SELECT Id FROM Account") == []


def test_five_levels_and_200_records_are_allowed(client):
    """The most that the limits allow is created."""
    assert plant(client, nested(5))[0] == 201
    assert plant(client, *[record("Account", f"a{n}", Name="x") for n in range(200)])[0] == 201
