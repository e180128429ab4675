"""Which call an address means: one table for the `v3`/`v4` spellings and the dated ones.

HubSpot's dated paths put the version after the area (`/crm/objects/2026-09/deals`), the older ones before it
(`/crm/v3/objects/deals`); `find` reads both into the same route. A row says the method, the path, the name that
the call is counted under, the scopes it needs, and who answers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from connector.sandbox.hubspot import association_calls as links
from connector.sandbox.hubspot import batches, objects, search
from connector.sandbox.hubspot import schema_calls as schema
from connector.sandbox.hubspot.calls import Call
from connector.sandbox.wire import Response

Answer = Callable[[Call], Response]
DATED = frozenset({"2025-09", "2026-03", "2026-09"})
_VERSIONS = DATED | {"v3", "v4"}


@dataclass(frozen=True, slots=True)
class Route:
    """`resource` and `scopes` may name variable parts of the path in braces."""

    method: str
    path: str
    resource: str
    scopes: tuple[str, ...]
    answer: Answer

    @property
    def family(self) -> str:
        """The version that serves the path beside the dated ones: associations are v4, all else is v3."""
        return "v4" if "associations" in self.path.split("/") else "v3"

    @property
    def limit_headers(self) -> bool:
        """Searches do not tell the limits (HubSpot docs, "Search the CRM")."""
        return self.answer is not search.search


_READ, _WRITE = ("crm.objects.{type}.read",), ("crm.objects.{type}.write",)
_LINKED = ("crm.objects.{from}.read", "crm.objects.{to}.read")
_LINK = ("crm.objects.{from}.write", "crm.objects.{to}.write")
_SEE, _SHAPE = ("crm.schemas.{type}.read",), ("crm.schemas.{type}.write",)
_READ_OWNERS = ("crm.objects.owners.read",)
_PAIR = "objects/{from}/{id}/associations"
_LINKS = "associations/{from}/{to}"
_STAGE = "pipelines/{type}/{id}/stages/{stage}"

ROUTES = (
    Route("GET", "objects/{type}", "{type}/list", _READ, objects.list_page),
    Route("POST", "objects/{type}", "{type}/create", _WRITE, objects.create),
    Route("POST", "objects/{type}/search", "{type}/search", _READ, search.search),
    Route("POST", "objects/{type}/merge", "{type}/merge", _WRITE, objects.merge),
    Route("GET", "objects/{type}/{id}", "{type}/read", _READ, objects.read),
    Route("PATCH", "objects/{type}/{id}", "{type}/update", _WRITE, objects.update),
    Route("DELETE", "objects/{type}/{id}", "{type}/archive", _WRITE, objects.archive),
    Route("POST", "objects/{type}/batch/create", "{type}/batch/create", _WRITE, batches.create),
    Route("POST", "objects/{type}/batch/read", "{type}/batch/read", _READ, batches.read),
    Route("POST", "objects/{type}/batch/update", "{type}/batch/update", _WRITE, batches.update),
    Route("POST", "objects/{type}/batch/upsert", "{type}/batch/upsert", _WRITE, batches.upsert),
    Route("POST", "objects/{type}/batch/archive", "{type}/batch/archive", _WRITE, batches.archive),
    # associations
    Route("GET", _PAIR + "/{to}", "associations/list", _LINKED, links.list_page),
    Route("PUT", _PAIR + "/{to}/{other}", "associations/create", _LINK, links.create),
    Route("DELETE", _PAIR + "/{to}/{other}", "associations/delete", _LINK, links.delete),
    Route("PUT", _PAIR + "/default/{to}/{other}", "associations/create", _LINK, links.create_default),
    Route("POST", _LINKS + "/batch/create", "associations/batch/create", _LINK, links.batch_create),
    Route("POST", _LINKS + "/batch/associate/default", "associations/batch/create", _LINK, links.batch_default),
    Route("POST", _LINKS + "/batch/read", "associations/batch/read", _LINKED, links.batch_read),
    Route("POST", _LINKS + "/batch/archive", "associations/batch/archive", _LINK, links.batch_archive),
    Route("POST", _LINKS + "/batch/labels/archive", "associations/labels/archive", _LINK, links.batch_unlabel),
    Route("GET", _LINKS + "/labels", "associations/labels", _LINKED, links.list_labels),
    Route("POST", _LINKS + "/labels", "associations/labels", _LINK, links.create_label),
    Route("PUT", _LINKS + "/labels", "associations/labels", _LINK, links.update_label),
    Route("DELETE", _LINKS + "/labels/{id}", "associations/labels", _LINK, links.delete_label),
    # properties
    Route("GET", "properties/{type}", "properties", _SEE, schema.list_properties),
    Route("POST", "properties/{type}", "properties", _SHAPE, schema.create_property),
    Route("GET", "properties/{type}/groups", "properties/groups", _SEE, schema.list_groups),
    Route("POST", "properties/{type}/groups", "properties/groups", _SHAPE, schema.create_group),
    Route("GET", "properties/{type}/groups/{id}", "properties/groups", _SEE, schema.read_group),
    Route("GET", "properties/{type}/{id}", "properties", _SEE, schema.read_property),
    Route("PATCH", "properties/{type}/{id}", "properties", _SHAPE, schema.update_property),
    Route("DELETE", "properties/{type}/{id}", "properties", _SHAPE, schema.archive_property),
    Route("POST", "properties/{type}/batch/create", "properties/batch/create", _SHAPE, schema.create_properties),
    Route("POST", "properties/{type}/batch/read", "properties/batch/read", _SEE, schema.read_properties),
    Route("POST", "properties/{type}/batch/archive", "properties/batch/archive", _SHAPE, schema.archive_properties),
    # pipelines
    Route("GET", "pipelines/{type}", "pipelines", _SEE, schema.list_pipelines),
    Route("POST", "pipelines/{type}", "pipelines", _SHAPE, schema.create_pipeline),
    Route("GET", "pipelines/{type}/{id}", "pipelines", _SEE, schema.read_pipeline),
    Route("PUT", "pipelines/{type}/{id}", "pipelines", _SHAPE, schema.replace_pipeline),
    Route("PATCH", "pipelines/{type}/{id}", "pipelines", _SHAPE, schema.update_pipeline),
    Route("DELETE", "pipelines/{type}/{id}", "pipelines", _SHAPE, schema.archive_pipeline),
    Route("GET", "pipelines/{type}/{id}/stages", "pipelines/stages", _SEE, schema.list_stages),
    Route("POST", "pipelines/{type}/{id}/stages", "pipelines/stages", _SHAPE, schema.create_stage),
    Route("GET", _STAGE, "pipelines/stages", _SEE, schema.read_stage),
    Route("PUT", _STAGE, "pipelines/stages", _SHAPE, schema.write_stage),
    Route("PATCH", _STAGE, "pipelines/stages", _SHAPE, schema.write_stage),
    Route("DELETE", _STAGE, "pipelines/stages", _SHAPE, schema.delete_stage),
    # owners, account
    Route("GET", "owners", "owners", _READ_OWNERS, schema.list_owners),
    Route("GET", "owners/{id}", "owners", _READ_OWNERS, schema.read_owner),
    Route("GET", "account-info/details", "account-info", (), schema.account_details),
)  # fmt: skip

_VARIABLE = "{}"


def _build() -> dict[str, Any]:
    """The routes as a tree: method, family, then one level for each segment of the path; leaves under `""`."""
    tree: dict[str, Any] = {}
    for route in ROUTES:
        node = tree.setdefault(route.method, {}).setdefault(route.family, {})
        names = []
        for segment in route.path.split("/"):
            variable = segment.startswith("{")
            if variable:
                names.append(segment.strip("{}"))
            node = node.setdefault(_VARIABLE if variable else segment, {})
        node[""] = (route, tuple(names))
    return tree


_TREE = _build()


def find(method: str, path: str) -> tuple[Route, str, dict[str, str]] | None:
    """The route of an address, the version it was spelled in, and the variable parts of its path."""
    segments = [segment for segment in path.split("/") if segment]
    if segments[:1] == ["crm"]:
        segments = segments[1:]
    elif segments[:1] != ["account-info"]:
        return None
    if len(segments) < 2:
        return None
    if segments[0] in _VERSIONS:
        version, segments = segments[0], segments[1:]
        if version in DATED:
            return None
    elif segments[1] in _VERSIONS:
        version, segments = segments[1], [segments[0], *segments[2:]]
    else:
        return None
    families = ("v3", "v4") if version in DATED else (version,)
    for family in families:
        node = _TREE.get(method, {}).get(family, {})
        for route, names, values in _walk(node, segments, ()):
            return route, version, dict(zip(names, values, strict=True))
    return None


def _walk(
    node: dict[str, Any], segments: list[str], values: tuple[str, ...]
) -> Iterator[tuple[Route, tuple[str, ...], tuple[str, ...]]]:
    """Matches of a path, literal segments before variable ones."""
    if not segments:
        if "" in node:
            yield (*node[""], values)
        return
    first, rest = segments[0], segments[1:]
    if first in node:
        yield from _walk(node[first], rest, values)
    if _VARIABLE in node:
        yield from _walk(node[_VARIABLE], rest, (*values, first))
