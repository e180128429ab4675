"""Can HubSpot be used as the settings and mappings ask for it?

token, version   let in, and spoken to in a version that is there      scopes   all that are needed
properties       mapped ones there and writable                        labels   there, or room for them
own properties   there and unique, or room for them
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from connector.adapters.hubspot import Property
from connector.core.model import Pair, ProblemClass, Side
from connector.engine.checks.found import (
    MAPPING,
    RIGHTS,
    Check,
    Definitions,
    State,
    attempt,
    attempt_login,
    check_filters,
    mapped,
)
from connector.engine.labels import find_label_problems, find_missing_labels
from connector.engine.needed import find_unfit_properties, missing_properties
from connector.engine.world import DEALS, Connection
from connector.mapping.schema import OPTIONAL
from connector.mapping.suggestions import suggest


def check_hubspot(c: Connection, definitions: Definitions) -> Iterator[Check]:
    """About seven calls. Adds to `definitions`."""
    address = f"{c.settings.hubspot.environment}_BASE_URL"
    login = attempt_login("HubSpot token", address, lambda: _check_account(c))
    yield from login
    if any(one.state in {State.NO_CONNECTION, State.PROBLEM} for one in login):
        return
    yield from attempt("HubSpot scopes", lambda: _check_scopes(c))
    properties = definitions.hubspot
    for pair in c.pairs.values():
        yield from attempt(f"HubSpot {pair.hubspot}", partial(_check_properties, c, pair, properties))
    if len(properties) == len(c.pairs):
        yield from _check_own_properties(c, properties)
    if DEALS in c.pairs and c.pairs[DEALS].roles is not None:
        yield from attempt("HubSpot labels", lambda: _check_labels(c))


def _check_account(c: Connection) -> Iterator[Check]:
    account = c.hubspot.account()
    currency, zone = account.get("companyCurrency"), account.get("timeZone")
    yield Check("HubSpot token", State.OK, f"portal {account.get('portalId')}, {currency}, {zone}")
    version = c.settings.hubspot.api_version
    if c.hubspot.speaks_version():
        yield Check("HubSpot API version", State.OK, version)
    else:
        remedy = "set `hubspot.api_version: v3`, or a dated version that HubSpot's documentation lists as supported"
        detail = f"HubSpot has nothing under version {version}"
        yield Check("HubSpot API version", State.PROBLEM, detail, remedy, ProblemClass.CONNECTION)


def needed_scopes(pairs: Iterable[Pair], *, writes: bool = True) -> list[str]:
    """The scopes that an access token must have to sync these pairs, or only to look at them."""
    acts = ("read", "write") if writes else ("read",)
    scopes = ["crm.objects.owners.read"]
    for pair in pairs:
        for area in ("objects", "schemas"):
            scopes += [f"crm.{area}.{pair.hubspot}.{act}" for act in acts]
    return scopes


def _check_scopes(c: Connection) -> Iterator[Check]:
    needed, held = needed_scopes(c.pairs.values(), writes=c.settings.writes), c.hubspot.scopes()
    if held is None:
        detail = "HubSpot does not tell the scopes of this kind of token"
        remedy = f"make sure that it has {', '.join(needed)}"
        yield Check("HubSpot scopes", State.WARNING, detail, remedy, RIGHTS)
        return
    missing = [scope for scope in needed if scope not in held]
    if missing:
        remedy = "add them in HubSpot: Settings, Integrations, Private Apps, your app, Scopes"
        yield Check("HubSpot scopes", State.PROBLEM, f"the token lacks {', '.join(missing)}", remedy, RIGHTS)
    else:
        yield Check("HubSpot scopes", State.OK, f"all {len(needed)} that are needed")


def _check_properties(c: Connection, pair: Pair, properties: dict[str, Mapping[str, Property]]) -> Iterator[Check]:
    """Mapped properties that lack, and those that a rule writes but nobody may. Adds to `properties`."""
    known = properties[pair.hubspot] = c.hubspot.properties(pair.hubspot)
    fine = True
    for rule, name in mapped(pair, Side.HUBSPOT):
        title = f"HubSpot {pair.hubspot}.{name}"
        if name not in known:
            if name in OPTIONAL:
                continue
            fine = False
            remedy = "correct the name in `mappings/`, or make the property in HubSpot"
            detail = "is mapped, but there is no such property"
            yield Check(title, State.PROBLEM, detail, f"{suggest(name, known)} {remedy}".lstrip(), MAPPING)
        elif known[name].read_only and rule.rule.writes(Side.HUBSPOT):
            fine = False
            detail = f"is read-only, but its rule {rule.rule} writes it"
            remedy = "map it with `rule: always_hubspot`, or map another property"
            yield Check(title, State.PROBLEM, detail, remedy, MAPPING)
    faults = list(check_filters(pair, Side.HUBSPOT, {name: one.type for name, one in known.items()}))
    yield from faults
    if fine and not faults:
        number = sum(len(rule.hubspot) for rule in pair.fields)
        yield Check(f"HubSpot {pair.hubspot}", State.OK, f"all of {number} mapped properties can be used")


def _check_own_properties(c: Connection, properties: Mapping[str, Mapping[str, Property]]) -> Iterator[Check]:
    for one in find_unfit_properties(c, properties):
        yield Check(f"HubSpot {one.object}.{one.name}", State.PROBLEM, one.detail, one.remedy, MAPPING)
    missing = list(missing_properties(c, properties))
    if missing:
        first = f"{missing[0].object}.{missing[0].name}"
        detail = f"{len(missing)} will be made by `connector setup` or the first sync, such as {first}"
        yield Check("HubSpot own properties", State.OK, detail)
    else:
        yield Check("HubSpot own properties", State.OK, "are there")


def _check_labels(c: Connection) -> Iterator[Check]:
    """Whether the labels of contact roles are there, or find room (R4)."""
    labels = c.hubspot.labels()
    problems = list(find_label_problems(c, labels))
    yield from (Check("HubSpot labels", State.PROBLEM, one.detail, one.remedy, MAPPING) for one in problems)
    if not problems:
        coming = find_missing_labels(c, labels)
        later = f"; {len(coming)} will be made by `connector setup` or the first sync" if coming else ""
        yield Check("HubSpot labels", State.OK, f"those of contact roles{later or ' are there'}")
