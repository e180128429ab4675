"""What the headers of a request ask of the changes it makes.

| header | here |
|---|---|
| `Sforce-Duplicate-Rule-Header` | `allowSave` and `includeRecordDetails`; `runAsCurrentUser` is without effect |
| `Sforce-Auto-Assign` | accepted; there are no assignment rules that it could switch off |

Source: Salesforce REST API Developer Guide, "Duplicate Rule Header" (API version 52.0 and later) and "Assignment
Rule Header".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FIRST_VERSION_WITH_DUPLICATE_HEADER = 52.0


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """`allow_save`: save in spite of an alert about duplicates; `record_details`: tell the duplicates' fields.
    `base` is the path up to the version.
    """

    allow_save: bool = False
    record_details: bool = False
    base: str = "/services/data"

    @classmethod
    def of(cls, headers: Mapping[str, str], version: str) -> WriteOptions:
        """Of a request. Header names are lower case."""
        base = f"/services/data/v{version}"
        if float(version) < FIRST_VERSION_WITH_DUPLICATE_HEADER:
            return cls(base=base)
        given = _pairs(headers.get("sforce-duplicate-rule-header", ""))
        return cls(given.get("allowsave") == "true", given.get("includerecorddetails") == "true", base)


def _pairs(header: str) -> dict[str, str]:
    """Of `allowSave=true; includeRecordDetails=false`, in lower case."""
    split = (part.partition("=") for part in header.lower().replace(",", ";").split(";"))
    return {name.strip(): value.strip() for name, _, value in split}
