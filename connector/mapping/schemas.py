"""What may a mapping file say, as JSON Schemas, for editors and for the documentation?

They are made from the models that read the files, so that they cannot say anything else. `settings.py` has the one
of the settings.
"""

from __future__ import annotations

from typing import Any

from connector.mapping.files import PairFile
from connector.mapping.roles import RoleFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def mapping_schema() -> dict[str, Any]:
    """The JSON Schema of the file of a pair, such as `mappings/opportunity-deal.yaml`."""
    return {"$schema": DIALECT, **PairFile.model_json_schema()}


def contact_role_schema() -> dict[str, Any]:
    """The JSON Schema of `mappings/contact-role.yaml`."""
    return {"$schema": DIALECT, **RoleFile.model_json_schema()}
