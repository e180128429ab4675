"""Graphs of writes, each whole or not at all."""

import pytest

BASE = "/services/data/v62.0"


def node(reference, method, path, body=None):
    made = {"referenceId": reference, "method": method, "url": f"{BASE}/{path}"}
    return made if body is None else {**made, "body": body}


def family(number, **contact):
    return {
        "graphId": f"g{number}",
        "compositeRequest": [
            node(f"acc{number}", "POST", "sobjects/Account", {"Name": f"Acme {number}"}),
            node(f"con{number}", "POST", "sobjects/Contact/", {"AccountId": f"@{{acc{number}.id}}", **contact}),
        ],
    }


def test_graphs_are_written_whole(client):
    """Nodes refer to earlier ones; the answer has every node's result; it all counts as one call."""
    before = client.sandbox.admin.usage()["total"]
    status, body = client(
        "POST", "composite/graph", {"graphs": [family(1, LastName="Doe"), family(2, LastName="Roe")]}
    )
    assert status == 200
    assert [(graph["graphId"], graph["isSuccessful"]) for graph in body["graphs"]] == [("g1", True), ("g2", True)]
    results = body["graphs"][0]["graphResponse"]["compositeResponse"]
    assert [(each["referenceId"], each["httpStatusCode"]) for each in results] == [("acc1", 201), ("con1", 201)]
    assert client.row("Contact", results[1]["body"]["id"])["AccountId"] == results[0]["body"]["id"]
    assert client.sandbox.admin.usage()["total"] - before == 2  # the graphs and the row just read


def test_a_failed_graph_leaves_nothing_and_harms_no_other(client):
    """Its other nodes say that they were halted."""
    status, body = client("POST", "composite/graph", {"graphs": [family(1), family(2, LastName="Roe")]})
    assert status == 200
    assert [graph["isSuccessful"] for graph in body["graphs"]] == [False, True]
    first, second = body["graphs"][0]["graphResponse"]["compositeResponse"]
    assert (first["httpStatusCode"], first["body"][0]["errorCode"]) == (400, "PROCESSING_HALTED")
    assert second["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert [row["Name"] for row in client.query("SELECT Name FROM Account")] == ["Acme 2"]


def test_after_too_many_failures_the_rest_is_halted(client):
    """Fifteen graphs fail; the sixteenth is not tried any more."""
    graphs = [family(number) for number in range(15)] + [family(15, LastName="Roe")]
    _, body = client("POST", "composite/graph", {"graphs": graphs})
    assert not any(graph["isSuccessful"] for graph in body["graphs"])
    last = body["graphs"][-1]["graphResponse"]["compositeResponse"]
    assert [each["body"][0]["errorCode"] for each in last] == ["PROCESSING_HALTED"] * 2
    assert client.query("SELECT Id FROM Account") == []


def chain(length):
    first = node("n0", "POST", "sobjects/Account", {"Name": "0"})
    rest = [
        node(f"n{i}", "POST", "sobjects/Account", {"Name": str(i), "ParentId": f"@{{n{i - 1}.id}}"})
        for i in range(1, length)
    ]
    return {"graphId": "g", "compositeRequest": [first, *rest]}


@pytest.mark.parametrize(
    ("graphs", "code"),
    [
        ([family(n, LastName="x") for n in range(76)], "LIMIT_EXCEEDED"),
        ([chain(16)], "LIMIT_EXCEEDED"),
        ([{"graphId": "g", "compositeRequest": [node("a", "GET", "query?q=SELECT+Id")]}], "INVALID_INPUT"),
        ([family(1), family(1)], "INVALID_INPUT"),
        ([{**family(1), "graphId": "-"}], "INVALID_INPUT"),
        ([{"graphId": "g", "compositeRequest": []}], "INVALID_INPUT"),
        (
            [{"graphId": f"g{n}", "compositeRequest": [
                node(f"a{n}_{i}", "POST", "sobjects/Account", {"Name": "x"}) for i in range(251)
            ]} for n in range(2)],
            "LIMIT_EXCEEDED",
        ),
    ],
)  # fmt: skip
def test_limits_and_nonsense(client, graphs, code):
    """75 graphs, 500 nodes, a depth of 15, rows only, ids of their own; nothing is written otherwise."""
    status, found, _ = client.refusal("POST", "composite/graph", {"graphs": graphs})
    assert (status, found) == (400, code)
    assert client.query("SELECT Id FROM Account") == []


def test_a_depth_of_fifteen_is_allowed(client):
    """The longest chain that the limits allow is written."""
    _, body = client("POST", "composite/graph", {"graphs": [chain(15)]})
    assert body["graphs"][0]["isSuccessful"]
