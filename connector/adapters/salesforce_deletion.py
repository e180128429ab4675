"""What may be deleted in Salesforce, and what would go along with it?

| object                   | deleted                                                   | rule |
|--------------------------|-----------------------------------------------------------|------|
| contact role             | yes                                                       | R3   |
| contact                  | yes                                                       | D5   |
| account                  | if it has neither contacts nor opportunities              | D5   |
| opportunity, all others  | never                                                     | D2   |
| created by an undone run | if the journal proves it, and nobody else edited it since | X2   |

Collections are deleted by ids alone (REST API Guide, "Delete Records Using sObject Collections"), so each id is
held against the prefix of its object: an opportunity's id in the wrong place raises, and nothing is sent.

Deleting an account deletes its contacts and opportunities too, whatever rights the user has on those (Salesforce
Help, "Delete Accounts"). So before each deletion it is asked who has any, by a user that sees all records: what a
user may not see would go along all the same. An opportunity that somebody adds between that call and the next one
would go along too; it is then in Salesforce's recycle bin, with its account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connector.adapters.base import Outcome, Refusal, Trouble
from connector.adapters.salesforce_soql import list_texts
from connector.core.model import OPPORTUNITY, ProblemClass, Proof

ROLE, ACCOUNT, CONTACT = "OpportunityContactRole", "Account", "Contact"
DELETABLE: Mapping[str, str] = {ROLE: "00K", ACCOUNT: "001", CONTACT: "003"}
"""What the ids of an object begin with, and no others (Salesforce Help, "Record ID Prefix Decoder")."""
CREATED: Mapping[str, str] = {ACCOUNT: "001", CONTACT: "003", OPPORTUNITY: "006"}
"""The same of what the connector creates, and an undo may take back (X2)."""
EDITED_SINCE = Refusal(
    Trouble.REFUSED,
    ProblemClass.ASSOCIATIONS,
    "EDITED_SINCE",
    "somebody else has edited it since it was created",
    remedy="look at it, and delete it by hand if that is meant",
)
CASCADES_ASKED = 400
"""So many accounts are asked about in one call: two queries of 200 each, twice, and one for the user's rights."""
HAS_CHILDREN, SEES_TOO_LITTLE = "HAS_CHILDREN", "SEES_TOO_LITTLE"
_SEES_ALL = ("PermissionsViewAllData", "PermissionsModifyAllData")
_EACH = 200


def check_deletable(object_: str, ids: Sequence[str]) -> None:
    """Whether these are records that may be deleted at all.

    Raises:
        ValueError: they are not (D2, law 10).
    """
    prefix = DELETABLE.get(object_)
    if prefix is None:
        raise ValueError(f"records of {object_} are never deleted")
    strangers = [id_ for id_ in ids if not re.fullmatch(rf"{prefix}\w{{12}}(\w{{3}})?", id_)]
    if strangers:
        raise ValueError(f"not records of {object_}: {', '.join(strangers)}")


def check_proofs(proofs: Sequence[Proof]) -> None:
    """Whether these prove of records of one object that the connector created them (X2).

    Raises:
        ValueError: they do not.
    """
    objects = {one.object for one in proofs}
    strangers = [
        one.id for one in proofs if not re.fullmatch(rf"{CREATED.get(one.object)}\w{{12}}(\w{{3}})?", one.id)
    ]
    if len(objects) > 1 or strangers:
        raise ValueError(f"no proofs for records of one object: {', '.join([*sorted(objects), *strangers])}")


def cascade_queries(accounts: Sequence[str]) -> dict[str, str]:
    """SOQL by name: which of up to 400 accounts have contacts or opportunities, and whether the user sees all."""
    check_deletable(ACCOUNT, accounts)
    queries = {"rights": f"SELECT {', '.join(_SEES_ALL)} FROM UserPermissionAccess"}
    for start in range(0, len(accounts), _EACH):
        listed = list_texts(accounts[start : start + _EACH])
        for child in (OPPORTUNITY, CONTACT):
            queries[f"{child}{start}"] = (
                f"SELECT AccountId, COUNT(Id) number FROM {child} WHERE AccountId IN ({listed}) GROUP BY AccountId"
            )
    return queries


def read_cascades(accounts: Sequence[str], rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Outcome]:
    """What the answers to `cascade_queries` forbid to delete, with the refusal."""
    if not any(row.get(name) for row in rows["rights"] for name in _SEES_ALL):
        message = "Salesforce would delete its opportunities with it, and the user may not see them all"
        remedy = "give the connector's user the permission View All Data, or let `on_delete` say `unlink` (D5)"
        refusal = Refusal(Trouble.REFUSED, ProblemClass.PERMISSIONS, SEES_TOO_LITTLE, message, remedy=remedy)
        return {id_: Outcome(id_, refusal=refusal) for id_ in accounts}
    children: dict[str, list[str]] = {}
    for name, some in rows.items():
        for row in some if name != "rights" else ():
            noun = "opportunities" if name.startswith(OPPORTUNITY) else "contacts"
            children.setdefault(row["AccountId"], []).append(f"{row['number']} {noun}")
    return {id_: Outcome(id_, refusal=_refuse(has)) for id_, has in children.items()}


def _refuse(has: Sequence[str]) -> Refusal:
    message = f"Salesforce would delete {' and '.join(has)} with it; so it stays, and the pair is unlinked"
    remedy = "delete the account by hand if that is meant (D2, D5)"
    return Refusal(Trouble.REFUSED, ProblemClass.ASSOCIATIONS, HAS_CHILDREN, message, remedy=remedy)
