"""Which call an address means: one table for the `v3`/`v4` spellings and the dated ones.

HubSpot's dated paths put the version after the area (`/crm/objects/2026-09/deals`), the older ones before it
(`/crm/v3/objects/deals`); `find` reads both into the same route. What is older still has addresses of many
shapes, and a table of its own. A row says the method, the path, the name that the call is counted under, the scopes
it needs, and who answers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from connector.sandbox.hubspot.access import limits, oauth
from connector.sandbox.hubspot.api import account, batches, legacy, objects, search
from connector.sandbox.hubspot.api import associations as links
from connector.sandbox.hubspot.api import definitions as schema
from connector.sandbox.hubspot.api import old_associations as old_links
from connector.sandbox.hubspot.api.calls import Call
from connector.sandbox.hubspot.records import privacy
from connector.sandbox.hubspot.transfers import exports, imports
from connector.sandbox.hubspot.webhooks import calls as hooks
from connector.sandbox.hubspot.webhooks import journal_calls as journal
from connector.sandbox.wire import Response

Answer = Callable[[Call], Response]
DATED = frozenset({"2025-09", "2026-03", "2026-09"})
_VERSIONS = DATED | {"v1", "v2", "v3", "v4"}
_V3_ONLY = "v3 only"
_FAMILIES = {"v3": ("v3", _V3_ONLY), **dict.fromkeys(DATED, ("v3", "v4"))}  # of a version, if not only its own
_AREAS_OUTSIDE_CRM = frozenset({"account-info", "oauth", "webhooks"})


@dataclass(frozen=True, slots=True)
class Route:
    """`resource` and `scopes` may name variable parts of the path in braces.

    `version` is given where it does not follow from the path: `v3 only` has no dated spelling, and `v1` and `v2`
    are themselves alone. Without `bearer` the call needs no token.
    """

    method: str
    path: str
    resource: str
    scopes: tuple[str, ...]
    answer: Answer
    version: str = ""
    bearer: bool = True

    @property
    def family(self) -> str:
        """The version that serves the path beside the dated ones: associations are v4, all else is v3."""
        return self.version or ("v4" if "associations" in self.path.split("/") else "v3")

    @property
    def bucket(self) -> str:
        """Which limit the call counts for (see `limits.py`)."""
        if self.answer is search.search:
            return limits.SEARCH
        return limits.ASSOCIATIONS if self.path.startswith(_LINKS + "/batch/") else limits.BURST


_READ, _WRITE = ("crm.objects.{type}.read",), ("crm.objects.{type}.write",)
_LINKED = ("crm.objects.{from}.read", "crm.objects.{to}.read")
_LINK = ("crm.objects.{from}.write", "crm.objects.{to}.write")
_SEE, _SHAPE = ("crm.schemas.{type}.read",), ("crm.schemas.{type}.write",)
_READ_OWNERS = ("crm.objects.owners.read",)
_IMPORT, _EXPORT = ("crm.import",), ("crm.export",)
_PAIR = "objects/{from}/{id}/associations"
_LINKS = "associations/{from}/{to}"
_STAGE = "pipelines/{type}/{id}/stages/{stage}"
_SUBSCRIPTIONS = "webhooks/{app}/subscriptions"
_PRIVATE_APP = "oauth/private-apps/get/access-token-info"

ROUTES = (
    Route("GET", "objects/{type}", "{type}/list", _READ, objects.list_page),
    Route("POST", "objects/{type}", "{type}/create", _WRITE, objects.create),
    Route("POST", "objects/{type}/search", "{type}/search", _READ, search.search),
    Route("POST", "objects/{type}/merge", "{type}/merge", _WRITE, objects.merge),
    Route("POST", "objects/{type}/gdpr-delete", "{type}/gdpr-delete", _WRITE, privacy.delete),
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
    Route("GET", _PAIR + "/{to}", "associations/list", _LINKED, old_links.list_page, _V3_ONLY),
    Route("PUT", _PAIR + "/{to}/{other}/{label}", "associations/create", _LINK, old_links.create, _V3_ONLY),
    Route("DELETE", _PAIR + "/{to}/{other}/{label}", "associations/delete", _LINK, old_links.delete, _V3_ONLY),
    Route("POST", _LINKS + "/batch/create", "associations/batch/create", _LINK, old_links.link_batch, _V3_ONLY),
    Route("POST", _LINKS + "/batch/archive", "associations/batch/archive", _LINK, old_links.unlink_batch, _V3_ONLY),
    Route("POST", _LINKS + "/batch/read", "associations/batch/read", _LINKED, old_links.read_batch, _V3_ONLY),
    Route("GET", _LINKS + "/types", "associations/types", _LINKED, old_links.list_types, _V3_ONLY),
    # properties
    Route("GET", "properties/{type}", "properties", _SEE, schema.list_properties),
    Route("POST", "properties/{type}", "properties", _SHAPE, schema.create_property),
    Route("GET", "properties/{type}/groups", "properties/groups", _SEE, schema.list_groups),
    Route("POST", "properties/{type}/groups", "properties/groups", _SHAPE, schema.create_group),
    Route("GET", "properties/{type}/groups/{id}", "properties/groups", _SEE, schema.read_group),
    Route("PATCH", "properties/{type}/groups/{id}", "properties/groups", _SHAPE, schema.update_group),
    Route("DELETE", "properties/{type}/groups/{id}", "properties/groups", _SHAPE, schema.archive_group),
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
    Route("GET", "pipelines/{type}/{id}/audit", "pipelines", _SEE, schema.audit_pipeline),
    Route("GET", _STAGE + "/audit", "pipelines/stages", _SEE, schema.audit_stage),
    # files of many records
    Route("POST", "imports", "imports", _IMPORT, imports.create),
    Route("GET", "imports", "imports", _IMPORT, imports.list_page),
    Route("GET", "imports/{id}", "imports", _IMPORT, imports.read),
    Route("GET", "imports/{id}/errors", "imports", _IMPORT, imports.list_errors),
    Route("POST", "imports/{id}/cancel", "imports", _IMPORT, imports.cancel),
    Route("POST", "exports/export/async", "exports", _EXPORT, exports.create),
    Route("GET", "exports/export/async/tasks/{id}/status", "exports", _EXPORT, exports.read_status),
    Route("GET", "exports/export/{id}", "exports", _EXPORT, exports.read_details),
    Route("GET", "exports/files/{token}/{name}", "exports/files", (), exports.download, _V3_ONLY, bearer=False),
    # owners, account
    Route("GET", "owners", "owners", _READ_OWNERS, schema.list_owners),
    Route("GET", "owners/{id}", "owners", _READ_OWNERS, schema.read_owner),
    Route("GET", "account-info/details", "account-info", (), account.read_details),
    Route("GET", "account-info/api-usage/daily/private-apps", "account-info", (), account.read_daily_usage),
    Route("GET", "schemas", "schemas", ("crm.schemas.custom.read",), schema.list_custom_types),
    # OAuth
    Route("POST", "oauth/token", "oauth", (), oauth.create_token, "v1", bearer=False),
    Route("GET", "oauth/access-tokens/{id}", "oauth", (), oauth.read_access_token, "v1", bearer=False),
    Route("GET", "oauth/refresh-tokens/{id}", "oauth", (), oauth.read_refresh_token, "v1", bearer=False),
    Route("DELETE", "oauth/refresh-tokens/{id}", "oauth", (), oauth.delete_refresh_token, "v1", bearer=False),
    Route("POST", _PRIVATE_APP, "oauth", (), oauth.read_private_app_token, "v2", bearer=False),
    Route("POST", "oauth/token", "oauth", (), oauth.create_token, bearer=False),
    Route("POST", "oauth/token/introspect", "oauth", (), oauth.introspect, bearer=False),
    Route("POST", "oauth/token/revoke", "oauth", (), oauth.revoke, bearer=False),
    # webhooks
    Route("GET", "webhooks/{app}/settings", "webhooks", (), hooks.read_settings, bearer=False),
    Route("PUT", "webhooks/{app}/settings", "webhooks", (), hooks.write_settings, bearer=False),
    Route("DELETE", "webhooks/{app}/settings", "webhooks", (), hooks.delete_settings, bearer=False),
    Route("GET", _SUBSCRIPTIONS, "webhooks", (), hooks.list_subscriptions, bearer=False),
    Route("POST", _SUBSCRIPTIONS, "webhooks", (), hooks.subscribe, bearer=False),
    Route("GET", _SUBSCRIPTIONS + "/{id}", "webhooks", (), hooks.read_subscription, bearer=False),
    Route("PATCH", _SUBSCRIPTIONS + "/{id}", "webhooks", (), hooks.update_subscription, bearer=False),
    Route("DELETE", _SUBSCRIPTIONS + "/{id}", "webhooks", (), hooks.unsubscribe, bearer=False),
    Route("POST", _SUBSCRIPTIONS + "/batch/update", "webhooks", (), hooks.update_subscriptions, bearer=False),
)  # fmt: skip

# Whole paths.
_COMPANY, _DEAL = ("crm.objects.companies.read",), ("crm.objects.deals.read",)
_JOURNAL, _INTERESTS = "webhooks-journal/{journal}/{version}/", "webhooks-journal/subscriptions/{version}"
LEGACY_ROUTES = (
    Route("GET", "companies/v2/companies/paged", "companies/list", _COMPANY, legacy.list_companies),
    Route("GET", "companies/v2/companies/{id}", "companies/read", _COMPANY, legacy.read_company),
    Route("GET", "companies/v2/properties", "properties", _COMPANY, legacy.list_company_properties),
    Route("GET", "deals/v1/deal/paged", "deals/list", _DEAL, legacy.list_deals),
    Route("GET", "deals/v1/deal/{id}", "deals/read", _DEAL, legacy.read_deal),
    Route("GET", "deals/v1/pipelines", "pipelines", _DEAL, legacy.list_pipelines),
    Route("GET", "properties/v1/{type}/properties", "properties", _READ, legacy.list_properties),
    # the webhooks journal: its version comes third
    Route("GET", _JOURNAL + "earliest", "journal", (), journal.read_earliest, bearer=False),
    Route("GET", _JOURNAL + "latest", "journal", (), journal.read_latest, bearer=False),
    Route("GET", _JOURNAL + "offset/{offset}/next", "journal", (), journal.read_next, bearer=False),
    Route("GET", _JOURNAL + "batch/earliest/{count}", "journal", (), journal.read_earliest_batch, bearer=False),
    Route("GET", _JOURNAL + "batch/latest/{count}", "journal", (), journal.read_latest_batch, bearer=False),
    Route("GET", _JOURNAL + "batch/{offset}/next/{count}", "journal", (), journal.read_next_batch, bearer=False),
    Route("POST", _JOURNAL + "batch/read", "journal", (), journal.read_batch, bearer=False),
    Route("GET", _INTERESTS, "journal", (), journal.list_subscriptions, bearer=False),
    Route("POST", _INTERESTS, "journal", (), journal.subscribe, bearer=False),
    Route("GET", _INTERESTS + "/{id}", "journal", (), journal.read_subscription, bearer=False),
    Route("DELETE", _INTERESTS + "/{id}", "journal", (), journal.unsubscribe, bearer=False),
    Route("DELETE", _INTERESTS + "/portals/{portal}", "journal", (), journal.unsubscribe_portal, bearer=False),
)  # fmt: skip

_VARIABLE = "/"  # which no segment of a path is
_LEGACY, _LEGACY_VERSION = "legacy", "v1"


def _build() -> dict[str, Any]:
    """The routes as a tree: method, family, then one level for each segment of the path; leaves under `""`."""
    tree: dict[str, Any] = {}
    for route in ROUTES:
        _plant(tree, route, route.family)
    for route in LEGACY_ROUTES:
        _plant(tree, route, _LEGACY)
    return tree


def _plant(tree: dict[str, Any], route: Route, family: str) -> None:
    node = tree.setdefault(route.method, {}).setdefault(family, {})
    names = []
    for segment in route.path.split("/"):
        variable = segment.startswith("{")
        if variable:
            names.append(segment.strip("{}"))
        node = node.setdefault(_VARIABLE if variable else segment, {})
    node[""] = (route, tuple(names))


_TREE = _build()


def find(method: str, path: str) -> tuple[Route, str, dict[str, str]] | None:
    """The route of an address, the version it was spelled in, and the variable parts of its path."""
    segments = [segment for segment in path.split("/") if segment]
    spelled = _read_version(segments)
    if spelled is not None:
        version, rest = spelled
        for family in _FAMILIES.get(version, (version,)):
            for route, names, values in _walk(_TREE.get(method, {}).get(family, {}), rest, ()):
                return route, version, dict(zip(names, values, strict=True))
    for route, names, values in _walk(_TREE.get(method, {}).get(_LEGACY, {}), segments, ()):
        return route, _LEGACY_VERSION, dict(zip(names, values, strict=True))
    return None


def _read_version(segments: list[str]) -> tuple[str, list[str]] | None:
    """The version of an address, and the address without it; None for one that is not spelled in either way."""
    if segments[:1] == ["crm"]:
        segments = segments[1:]
        if not _AREAS_OUTSIDE_CRM.isdisjoint(segments[:2]):
            return None
    elif not _AREAS_OUTSIDE_CRM.intersection(segments[:1]):
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
    return version, segments


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
