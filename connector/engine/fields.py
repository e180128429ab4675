"""Does the mapping fit both schemas, field by field? (F3)

| a field of the mapping that | when it is mapped for the first time | when earlier runs used it            |
|-----------------------------|--------------------------------------|--------------------------------------|
| is not there, or not seen   | the run stops, with file and line    | it is left out, and the others go on |
| its transform cannot take   | the run stops, with file and line    | the same                             |

All findings are told at once, and before anything is looked at. `connector check` and `mappings validate` tell of
all of them at any time. What a finding is, `mapping/checks.py` decides for all three.
"""

from __future__ import annotations

from connector.engine.growth import read_mapped
from connector.engine.schemas import to_facts
from connector.engine.world import Connection, World
from connector.errors import BadConfiguration
from connector.mapping.checks import find_misfits, find_missing


def check_fields(c: Connection, world: World) -> None:
    """Whether what the mapping names for the first time is there, and all of it of types that fit.

    Raises:
        BadConfiguration: with the file and line of each field that is not.
    """
    schemas, zone = to_facts(world.schema, world.properties), c.settings.mapping().time_zone
    findings = []
    for pair in c.pairs.values():
        known = read_mapped(c, pair)
        new = [rule for rule in pair.fields if known is None or not known(rule)]
        findings += [*find_missing(pair, new, schemas), *find_misfits(pair, schemas, zone)]
    if findings:
        c.store.runs.remember("set-up", None)  # somebody may mend it in the CRM
        raise BadConfiguration(findings)
