"""`/composite/graph`: several graphs of writes in one call, each written whole or not at all.

A graph is a composite request of sObject rows only. Source: Salesforce REST API Developer Guide, "Composite Graph",
"Composite Graph Limits": at most 75 graphs, 500 nodes, a depth of 15, 15 kinds of nodes; after more than 14 failed
graphs the rest is halted. The whole counts as one call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from connector.sandbox.salesforce.api.calls import Call, entries
from connector.sandbox.salesforce.api.composite import answer_part, check_parts, halt, references
from connector.sandbox.salesforce.errors import ApiError
from connector.sandbox.wire import Response

MAX_GRAPHS = 75
MAX_NODES = 500
MAX_DEPTH = 15
MAX_KINDS = 15
MAX_FAILURES = 14

_GRAPH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,39}")
_NODE = re.compile(r"/services/data/v(\d+\.\d)/sobjects/(\w+)(/[^/?]+){0,2}/?(\?.*)?")
_METHODS = {"GET", "POST", "PATCH", "DELETE"}

Part = Mapping[str, Any]


def answer_graphs(call: Call) -> Response:
    graphs = entries(call.object_body(), "graphs")
    if len(graphs) > MAX_GRAPHS:
        raise ApiError("LIMIT_EXCEEDED", f"The request has {len(graphs)} graphs; the limit is {MAX_GRAPHS}")
    parts = [_parts(graph) for graph in graphs]
    _check_ids(graphs)
    _check_size(parts)
    results = []
    failed = 0
    for graph, nodes in zip(graphs, parts, strict=True):
        answers = _run(call, nodes) if failed <= MAX_FAILURES else [_halted(part) for part in nodes]
        successful = all(answer["httpStatusCode"] < 300 for answer in answers)
        failed += not successful
        results.append({
            "graphId": graph["graphId"], "graphResponse": {"compositeResponse": answers},
            "isSuccessful": successful,
        })  # fmt: skip
    return Response.json({"graphs": results})


def _run(call: Call, parts: list[Part]) -> list[dict[str, Any]]:
    """Up to the first failure, which undoes what came before and halts what would follow."""
    answers: dict[str, Any] = {}
    results: list[dict[str, Any]] = []
    with call.org.store.transaction() as transaction:
        for position, part in enumerate(parts):
            result = answer_part(call, part, answers)
            answers[part["referenceId"]] = result["body"]
            if result["httpStatusCode"] >= 300:
                transaction.roll_back()
                return [*map(halt, results), result, *map(_halted, parts[position + 1 :])]
            results.append(result)
    return results


def _halted(part: Part) -> dict[str, Any]:
    return halt({"referenceId": part["referenceId"]})


def _parts(graph: Part) -> list[Part]:
    parts = entries(graph, "compositeRequest")
    check_parts(parts)
    for part in parts:
        if not _NODE.fullmatch(part["url"]) or part["method"] not in _METHODS:
            raise ApiError("INVALID_INPUT", f"The url or method is not supported in a graph: {part['url']}")
    return parts


def _check_ids(graphs: list[Part]) -> None:
    ids = [graph.get("graphId") for graph in graphs]
    if not all(isinstance(each, str) and _GRAPH_ID.fullmatch(each) for each in ids) or len(set(ids)) < len(ids):
        raise ApiError("INVALID_INPUT", "each graph needs a graphId of its own, of letters, digits and _")


def _check_size(graphs: Iterable[list[Part]]) -> None:
    every = [part for parts in graphs for part in parts]
    kinds = {(part["method"], *_kind(part["url"])) for part in every}
    for found, most, what in (
        (len(every), MAX_NODES, "nodes"),
        (len(kinds), MAX_KINDS, "different nodes"),
        (max(map(_depth, graphs), default=0), MAX_DEPTH, "levels of a graph"),
    ):
        if found > most:
            raise ApiError("LIMIT_EXCEEDED", f"The request has {found} {what}; the limit is {most}")


def _kind(url: str) -> tuple[str, str]:
    found = _NODE.fullmatch(url)
    return (found[1], found[2].lower()) if found else ("", "")


def _depth(parts: list[Part]) -> int:
    """The length of the longest chain of nodes that refer to one another."""
    depths: dict[str, int] = {}
    for part in parts:
        depths[part["referenceId"]] = 1 + max((depths.get(each, 0) for each in references(part)), default=0)
    return max(depths.values())
