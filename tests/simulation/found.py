"""What did seeds find? The shortest stories of it, each with the words of what went wrong.

They are told again in CI, by `test_simulation.py`. A new one is what `make simulate` prints of a seed that fails.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.laws import hubspot_people as there
from engine.laws import salesforce_people as here
from engine.laws.story import Step
from simulation import trouble


@dataclass(frozen=True)
class Found:
    """A story that once ended badly. `rules` are the ids of what it broke."""

    what: str
    rules: str
    style: str
    steps: tuple[Step, ...]


_FIRST_GOES = (("do", (here.delete, "Opportunity", 0)), ("rest",))
_BRING_BACK = (here.restore, "Opportunity", 0)
_A_DAY_PASSES = (("wait", 90000), ("wait", 90000))
"""What was called before a simulation begins counts no more."""
_NEW_CONTACT = ("do", (here.new_contact, "Alpha", "own", None))

FOUND = (
    Found(
        "a contact that comes back after its partner was merged: nobody said whose it is",
        "A7",
        "shipped",
        (
            ("do", (there.delete, "contacts", 2)),
            ("rest",),
            ("do", (here.merge, "Contact", 1, 2)),
            ("rest",),
            ("do", (there.restore, "contacts", 0)),
        ),
    ),
    Found(
        "a company out of scope when its account was merged: its pair did not follow",
        "A7, A8",
        "scoped",
        (
            ("do", (there.cross_border, "companies", 0, True, None)),
            ("rest",),
            ("do", (here.merge, "Account", 1, 0)),
            ("rest",),
            ("do", (there.cross_border, "companies", 0, False, None)),
        ),
    ),
    Found(
        "a contact out of scope when its partner was merged: its pair did not follow",
        "A7, A8",
        "scoped",
        (
            ("do", (there.cross_border, "contacts", 0, True, None)),
            ("rest",),
            ("do", (here.merge, "Contact", 1, 0)),
            ("rest",),
            ("do", (there.cross_border, "contacts", 0, False, None)),
        ),
    ),
    Found(
        "one merged into a contact that the backup knows nothing of: that one's own partner was made a second time",
        "A7, law 7",
        "shipped",
        (
            ("back_up",),
            _NEW_CONTACT,
            ("run",),
            ("put_back",),
            ("do", (here.merge, "Contact", 3, 0)),
        ),
    ),
    Found(
        "one merged into a contact that was deleted with its account and restored: its own partner was made again",
        "A7, law 7",
        "shipped",
        (
            ("do", (here.delete, "Account", 0)),
            ("rest",),
            ("do", (here.restore, "Account", 0)),
            ("do", (here.merge, "Contact", 0, 2)),
        ),
    ),
    Found(
        "one whose partner was deleted, merged into a new contact: that one never got a partner",
        "A7, D6",
        "shipped",
        (
            ("do", (there.delete, "contacts", 2)),
            ("rest",),
            _NEW_CONTACT,
            ("do", (here.merge, "Contact", 3, 2)),
        ),
    ),
    Found(
        "a company restored after its account had another one by a merge, which was deleted: it stayed alone",
        "A7, D3",
        "shipped",
        (
            ("do", (there.delete, "companies", 0)),
            ("rest",),
            ("do", (here.merge, "Account", 0, 1)),
            ("rest",),
            ("do", (there.delete, "companies", 0)),
            ("rest",),
            ("do", (there.restore, "companies", 0)),
            ("do", (here.edit, "Account", 0, ("Phone", "one"))),
        ),
    ),
    Found(
        "a contact whose partner was deleted, and that has another one by a merge: that one was not on its deal",
        "A7, R1",
        "shipped",
        (
            ("do", (there.delete, "contacts", 0)),
            ("rest",),
            ("do", (here.merge, "Contact", 0, 1)),
        ),
    ),
    Found(
        "a restored opportunity whose deal was refused, as a contact of it was gone: it never got one",
        "D4",
        "shipped",
        (*_FIRST_GOES, ("meddle", _BRING_BACK, 4, (there.delete, "contacts", 0))),
    ),
    Found(
        "a restored opportunity born in HubSpot whose deal was not made because the run died: it never got one",
        "D4",
        "shipped",
        (
            ("do", (there.new_deal, "Alpha", 5, "2026-06-30", 1, 0, 0, 0)),
            ("rest",),
            ("do", (here.delete, "Opportunity", 2)),
            ("rest",),
            ("die", _BRING_BACK, -1, False),
        ),
    ),
    Found(
        "a restored opportunity whose deal was refused, and whose role ended meanwhile: it was counted as before",
        "D4, U9",
        "shipped",
        (
            *_FIRST_GOES,
            ("trouble", (trouble.take_scope, 0)),
            ("do", _BRING_BACK),
            ("run",),
            ("do", (here.remove_role, 0)),
            ("do", (here.give_account, "Opportunity", 0, None)),
        ),
    ),
    Found(
        "a field that was edited while nobody let the connector read it: the edit was missed for good",
        "F1, D6",
        "shipped",
        (
            ("trouble", (trouble.forbid_field, 0, False)),
            ("run",),
            ("wait", 3700),
            ("do", (here.edit, "Opportunity", 0, ("Description", "short"))),
            ("wait", 3700),
            ("run",),
        ),
    ),
    Found(
        "runs that died under a budget: nobody knew of their calls, and more were made than allowed",
        "E3",
        "shipped",
        (
            *_A_DAY_PASSES,
            ("budget", 15),
            *(("die", (here.edit, "Opportunity", 0, ("Amount", one)), 8, True) for one in range(6)),
        ),
    ),
    Found(
        "a run that stood still under a budget while another one used it up",
        "E3",
        "shipped",
        (
            *_A_DAY_PASSES,
            ("budget", 25),
            ("do", (here.edit, "Opportunity", 0, ("Amount", 1))),
            ("pause", 6),
            ("do", (here.edit, "Opportunity", 1, ("Amount", 1))),
            ("run",),
            ("run",),
        ),
    ),
)
