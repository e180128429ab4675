"""In which situations is it tried what becomes of a run that dies?

| group   | what happened before the run                                                                       |
|---------|----------------------------------------------------------------------------------------------------|
| act     | one person did one thing: everything that anybody can do on either side, in every style            |
| pair    | two did something that bears on one record, or one did two things                                  |
| late    | something was brought to rest before, such as a deletion, and is turned back now                   |
| first   | nothing is remembered: HubSpot is empty, knows some of it already, or the store was lost           |
| import  | a person imports a selection: by REST, in bulk, in portions; of what is in step already            |
| file    | a person imports a file, to either side                                                            |
| undo    | a person takes back a run that made, changed, merged or deleted                                    |
| fill    | a person fills in a field that the mapping took up                                                 |

The people and their acts are those of the state machine (`engine/laws/`), and so are the styles. An act that
changes nothing in a style, such as one at the border of a scope that there is not, is left out there.

All of them are too many to be tried often. So there is a spread of them: whatever happens is in it, in two styles
that take turns.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine.lab import Lab
from engine.laws import hubspot_people as there
from engine.laws import salesforce_people as here
from engine.laws.broken import replaced
from engine.laws.play import Play
from engine.laws.styles import STYLES, begin, found
from simulation.crash_loop import ALL, SWEEP, Situation

from connector.adapters import salesforce_selections
from connector.core.model import FieldRule, Rule
from connector.engine.backfill import Backfill
from connector.engine.imports import reading, run, sheet_writes
from connector.engine.imports.run import import_records
from connector.engine.imports.selection import Selection
from connector.engine.imports.sheet_run import import_sheet
from connector.engine.imports.sheets import make_order, read_sheet
from connector.engine.run import Wish
from connector.engine.undo import undo
from connector.mapping.transforms import Text

Act = tuple[Any, ...]
OPP, DEAL, CONTACT, PERSON, ACCOUNT, COMPANY = "Opportunity", "deals", "Contact", "contacts", "Account", "companies"
WON, LOST = 8, 9
NEW = -1
"""The record made last."""
DAY, LATER = "2026-06-30", "2027-12-31"
PAUSE = timedelta(seconds=1)
ONLY = {
    here.cross_border: {"scoped"},
    there.cross_border: {"scoped"},
    here.set_stage_field: {"backwards"},
    here.add_record_type: {"typed"},
    here.give_record_type: {"typed"},
    there.switch_automation: {"portal"},
}
"""The styles in which an act does something."""

SALESFORCE: Mapping[str, Act] = {
    "an account is made": (here.new_account, "Alpha", True),
    "an account without a website is made": (here.new_account, "Alpha", False),
    "a contact is made": (here.new_contact, "Alpha", "own", 0),
    "a contact without an address is made": (here.new_contact, "Alpha", "none", 1),
    "a contact with another's address is made": (here.new_contact, "Alpha", "theirs", None),
    "an opportunity is made": (here.new_opportunity, "Alpha", 1054.5, DAY, 0, 0, 0),
    "an opportunity of nobody is made": (here.new_opportunity, "Alpha", None, DAY, 3, None, None),
    "a won opportunity is made": (here.new_opportunity, "Gamma ö", 1, "2026-01-31", WON, 0, 1),
    "an opportunity is renamed": (here.edit, OPP, 0, ("Name", "Beta")),
    "an amount is changed": (here.edit, OPP, 0, ("Amount", 99999.99)),
    "an amount is cleared": (here.edit, OPP, 0, ("Amount", None)),
    "a close date is moved": (here.edit, OPP, 0, ("CloseDate", LATER)),
    "a stage is changed": (here.edit, OPP, 0, ("StageName", 4)),
    "an opportunity is won": (here.edit, OPP, 0, ("StageName", WON)),
    "an opportunity without roles is won": (here.edit, OPP, 1, ("StageName", WON)),
    "an opportunity is lost": (here.edit, OPP, 0, ("StageName", LOST)),
    "a description is written": (here.edit, OPP, 1, ("Description", "first line\nsecond line")),
    "a contact is renamed": (here.edit, CONTACT, 0, ("LastName", "Beta")),
    "a contact gets a title": (here.edit, CONTACT, 0, ("Title", "one")),
    "a contact gets another address": (here.edit, CONTACT, 0, ("Email", "own")),
    "a contact loses the address": (here.edit, CONTACT, 0, ("Email", "none")),
    "a contact gets another's address": (here.edit, CONTACT, 1, ("Email", "theirs")),
    "an account is renamed": (here.edit, ACCOUNT, 0, ("Name", "Beta")),
    "an account gets a telephone": (here.edit, ACCOUNT, 0, ("Phone", "one")),
    "an account gets a website": (here.edit, ACCOUNT, 1, ("Website", "own")),
    "an opportunity is saved as it is": (here.save_again, OPP, 0),
    "a contact is saved as it is": (here.save_again, CONTACT, 0),
    "an account is saved as it is": (here.save_again, ACCOUNT, 0),
    "a role is added": (here.add_role, 1, 2, None, False, False),
    "a named primary role is added": (here.add_role, 0, 1, "Evaluator", True, False),
    "a second role of one contact is added": (here.add_role, 0, 0, "Decision Maker", False, True),
    "a role is named": (here.name_role, 0, "Economic Buyer", True),
    "a role is removed": (here.remove_role, 0),
    "an opportunity goes to another account": (here.give_account, OPP, 0, 1),
    "an opportunity loses its account": (here.give_account, OPP, 0, None),
    "a contact goes to another account": (here.give_account, CONTACT, 0, 1),
    "a contact loses its account": (here.give_account, CONTACT, 0, None),
    "an opportunity gets another owner": (here.give_owner, OPP, 0, 2),
    "a contact gets another owner": (here.give_owner, CONTACT, 0, 1),
    "an account gets an owner without a seat": (here.give_owner, ACCOUNT, 0, 3),
    "an opportunity gets another record type": (here.give_record_type, 0, 1, 2),
    "an opportunity is deleted": (here.delete, OPP, 0),
    "a contact with a role is deleted": (here.delete, CONTACT, 0),
    "an account is deleted": (here.delete, ACCOUNT, 1),
    "contacts are merged": (here.merge, CONTACT, 0, 1),
    "a contact with a role is merged away": (here.merge, CONTACT, 2, 0),
    "accounts are merged": (here.merge, ACCOUNT, 0, 1),
    "an account with contacts is merged away": (here.merge, ACCOUNT, 1, 0),
    "an opportunity leaves scope": (here.cross_border, OPP, 0, True, "one"),
    "a contact leaves scope": (here.cross_border, CONTACT, 0, True, "one"),
    "an account leaves scope": (here.cross_border, ACCOUNT, 0, True, "one"),
    "a stage is said": (here.set_stage_field, 0, "customer"),
    "a lower stage is said": (here.set_stage_field, 0, "subscriber"),
    "a user goes": (here.switch_user, 0),
    "a stage is added": (here.change_stages, "add", 0),
    "a stage gets another name": (here.change_stages, "rename", 1),
    "a stage is switched off": (here.change_stages, "switch off", 2),
    "a stage gets another place": (here.change_stages, "move", 1),
    "a record type is added": (here.add_record_type, "Alpha"),
}
HUBSPOT: Mapping[str, Act] = {
    "a company is made": (there.new_company, "Alpha", True, None),
    "a company with a contact is made": (there.new_company, "Alpha", True, 1),
    "a contact is made": (there.new_contact, "Alpha", "own", 0),
    "a contact without an address is made": (there.new_contact, "Alpha", "none", None),
    "a deal is made": (there.new_deal, "Alpha", 1054.5, DAY, 0, 0, None, None),
    "a deal of a contact and a company is made": (there.new_deal, "Alpha", 1, DAY, 2, 0, 1, 0),
    "a won deal is made": (there.new_deal, "Alpha", 1, "2026-02-28", WON, 0, 0, 0),
    "a deal in a pipeline that does not sync is made": (there.new_deal, "Alpha", 1, DAY, 0, 5, 0, 0),
    "a deal is renamed": (there.edit, DEAL, 0, ("Name", "Beta")),
    "an amount is changed": (there.edit, DEAL, 0, ("Amount", 1054)),
    "an amount is cleared": (there.edit, DEAL, 0, ("Amount", None)),
    "a close date is moved": (there.edit, DEAL, 0, ("CloseDate", LATER)),
    "a stage is changed": (there.edit, DEAL, 0, ("StageName", 4)),
    "a deal is won": (there.edit, DEAL, 0, ("StageName", WON)),
    "a deal is lost": (there.edit, DEAL, 0, ("StageName", LOST)),
    "a contact is renamed": (there.edit, PERSON, 0, ("LastName", "Beta")),
    "a contact gets a telephone": (there.edit, PERSON, 0, ("Phone", "one")),
    "a contact gets another address": (there.edit, PERSON, 0, ("Email", "own")),
    "a contact loses the address": (there.edit, PERSON, 0, ("Email", "none")),
    "a company is renamed": (there.edit, COMPANY, 0, ("Name", "Beta")),
    "a company gets a website": (there.edit, COMPANY, 1, ("Website", "own")),
    "a deal is saved as it is": (there.save_again, DEAL, 0),
    "a contact is saved as it is": (there.save_again, PERSON, 0),
    "a company is saved as it is": (there.save_again, COMPANY, 0),
    "a contact is associated": (there.associate, 1, 2, []),
    "a contact is associated under labels": (there.associate, 0, 1, ["Evaluator", "Main contact"]),
    "a contact gets a label": (there.associate, 0, 0, ["Decider"]),
    "a contact is taken off a deal": (there.dissociate, 0, 0),
    "a deal goes to another company": (there.give_company, DEAL, 0, 1),
    "a deal loses its company": (there.give_company, DEAL, 0, None),
    "a contact goes to another company": (there.give_company, PERSON, 0, 1),
    "a deal gets another owner": (there.give_owner, DEAL, 0, 1),
    "a deal loses its owner": (there.give_owner, DEAL, 0, None),
    "a contact gets an owner without a user": (there.give_owner, PERSON, 0, 2),
    "a deal goes to a pipeline that does not sync": (there.move_deal, 0, 5, 0),
    "a deal goes to another pipeline": (there.move_deal, 0, 1, 3),
    "a deal is deleted": (there.delete, DEAL, 0),
    "a contact is deleted": (there.delete, PERSON, 0),
    "a company is deleted": (there.delete, COMPANY, 0),
    "deals are merged": (there.merge, DEAL, 0, 1),
    "contacts are merged": (there.merge, PERSON, 0, 1),
    "companies are merged": (there.merge, COMPANY, 0, 1),
    "a deal leaves scope": (there.cross_border, DEAL, 0, True, "one"),
    "a contact leaves scope": (there.cross_border, PERSON, 0, True, "one"),
    "a company leaves scope": (there.cross_border, COMPANY, 0, True, "one"),
    "a contact's stage is raised": (there.set_stage, PERSON, 0, "evangelist"),
    "a contact's stage is lowered": (there.set_stage, PERSON, 0, "lead"),
    "a company's stage is raised": (there.set_stage, COMPANY, 0, "customer"),
    "a company's stage is lowered": (there.set_stage, COMPANY, 0, "subscriber"),
    "an owner gets a seat": (there.change_owners, 0),
    "the automation is switched off": (there.switch_automation, False),
}
PAIRS: Mapping[str, tuple[Act, ...]] = {
    "both sides change one amount": ((here.edit, OPP, 0, ("Amount", 1)), (there.edit, DEAL, 0, ("Amount", 1054))),
    "both sides change other fields": (
        (here.edit, OPP, 0, ("Description", "short")),
        (there.edit, DEAL, 0, ("Name", "Beta")),
    ),
    "both sides make one change": ((here.edit, OPP, 0, ("Amount", 1)), (there.edit, DEAL, 0, ("Amount", 1))),
    "won here, lost there": ((here.edit, OPP, 0, ("StageName", WON)), (there.edit, DEAL, 0, ("StageName", LOST))),
    "won there, amount here": ((there.edit, DEAL, 0, ("StageName", WON)), (here.edit, OPP, 0, ("Amount", 7))),
    "both sides change one address": (
        (here.edit, CONTACT, 0, ("Email", "own")),
        (there.edit, PERSON, 0, ("Email", "own")),
    ),
    "both sides rename an account": (
        (here.edit, ACCOUNT, 0, ("Name", "Beta")),
        (there.edit, COMPANY, 0, ("Name", "Alpha")),
    ),
    "both sides change a telephone, and one the account": (
        (here.edit, CONTACT, 0, ("Phone", "one")),
        (there.edit, PERSON, 0, ("Phone", "two")),
        (here.give_account, CONTACT, 0, 1),
    ),
    "both sides say a stage": ((here.set_stage_field, 0, "lead"), (there.set_stage, PERSON, 0, "evangelist")),
    "a contact and a role": (
        (here.new_contact, "Alpha", "own", 0),
        (here.add_role, 1, NEW, "Evaluator", True, False),
    ),
    "account, contact and opportunity": (
        (here.new_account, "Alpha", True),
        (here.new_contact, "Alpha", "own", NEW),
        (here.new_opportunity, "Alpha", 5, DAY, 2, NEW, NEW),
    ),
    "company, contact and deal": (
        (there.new_company, "Alpha", True, None),
        (there.new_contact, "Alpha", "own", NEW),
        (there.new_deal, "Alpha", 5, DAY, 2, 0, NEW, NEW),
    ),
    "one person is made on both sides": (
        (there.new_contact, "Alpha", "own", None),
        (here.new_contact, "Beta", "theirs", 0),
        (here.add_role, 0, NEW, None, False, False),
    ),
    "two contacts with one address": (
        (here.new_contact, "Alpha", "shared", None),
        (here.new_contact, "Beta", "shared", None),
        (here.add_role, 0, NEW, None, False, False),
    ),
    "a role and an edit of its opportunity": (
        (here.add_role, 0, 2, None, False, False),
        (here.edit, OPP, 0, ("Amount", 1)),
    ),
    "a role here and an association there": (
        (here.add_role, 1, 2, None, False, False),
        (there.associate, 1, 2, []),
    ),
    "a role here, another association there": (
        (here.add_role, 0, 1, None, False, False),
        (there.associate, 0, 2, []),
    ),
    "a role is removed on both sides": ((here.remove_role, 0), (there.dissociate, 0, 0)),
    "a role is removed here, labelled there": ((here.remove_role, 0), (there.associate, 0, 0, ["Decider"])),
    "a role is named on both sides": ((here.name_role, 0, "Evaluator", True), (there.associate, 0, 0, ["Decider"])),
    "contacts are merged and one is edited": (
        (here.merge, CONTACT, 0, 1),
        (there.edit, PERSON, 0, ("Phone", "one")),
    ),
    "contacts are merged and the loser's partner is edited": (
        (here.merge, CONTACT, 0, 2),
        (there.edit, PERSON, 2, ("Phone", "one")),
    ),
    "contacts are merged and get a role": ((here.merge, CONTACT, 0, 2), (here.add_role, 1, 0, None, False, False)),
    "contacts are merged on both sides": ((here.merge, CONTACT, 0, 1), (there.merge, PERSON, 0, 1)),
    "contacts are merged on both sides, crosswise": ((here.merge, CONTACT, 0, 1), (there.merge, PERSON, 1, 0)),
    "accounts are merged and a company is edited": (
        (here.merge, ACCOUNT, 0, 1),
        (there.edit, COMPANY, 1, ("Phone", "one")),
    ),
    "deals are merged and an opportunity is edited": (
        (there.merge, DEAL, 0, 1),
        (here.edit, OPP, 1, ("Amount", 1)),
    ),
    "companies are merged and an account is edited": (
        (there.merge, COMPANY, 0, 1),
        (here.edit, ACCOUNT, 1, ("Phone", "one")),
    ),
    "an opportunity is deleted, its deal edited": ((here.delete, OPP, 0), (there.edit, DEAL, 0, ("Amount", 1))),
    "a deal is deleted, its opportunity edited": ((there.delete, DEAL, 0), (here.edit, OPP, 0, ("Amount", 1))),
    "a deal is deleted, its opportunity won": ((there.delete, DEAL, 0), (here.edit, OPP, 0, ("StageName", WON))),
    "both of a pair are deleted": ((here.delete, OPP, 0), (there.delete, DEAL, 0)),
    "an opportunity is deleted and restored": ((here.delete, OPP, 0), (here.restore, OPP, 0)),
    "a deal is deleted and restored": ((there.delete, DEAL, 0), (there.restore, DEAL, 0)),
    "a contact is deleted, its partner edited": (
        (here.delete, CONTACT, 0),
        (there.edit, PERSON, 0, ("Phone", "one")),
    ),
    "a contact is deleted there, edited here": (
        (there.delete, PERSON, 0),
        (here.edit, CONTACT, 0, ("Title", "one")),
    ),
    "an account is deleted, its company edited": (
        (here.delete, ACCOUNT, 1),
        (there.edit, COMPANY, 1, ("Phone", "one")),
    ),
    "a deal is moved away, its opportunity edited": (
        (there.move_deal, 0, 5, 0),
        (here.edit, OPP, 0, ("Amount", 1)),
    ),
    "a deal is moved away, its opportunity deleted": ((there.move_deal, 0, 5, 0), (here.delete, OPP, 0)),
    "a deal is moved, its record type too": ((there.move_deal, 0, 1, 3), (here.give_record_type, 0, 1, 2)),
    "a deal is won with two roles": (
        (here.add_role, 0, 1, None, False, False),
        (here.add_role, 0, 2, None, False, False),
        (here.edit, OPP, 0, ("StageName", WON)),
    ),
    "a deal is won there with a new contact": (
        (there.new_contact, "Alpha", "own", 0),
        (there.associate, 0, NEW, []),
        (there.edit, DEAL, 0, ("StageName", WON)),
    ),
    "one is won, one is lost": ((here.edit, OPP, 0, ("StageName", LOST)), (here.edit, OPP, 1, ("StageName", WON))),
    "a stage is lowered and a deal won": (
        (there.set_stage, PERSON, 0, "lead"),
        (here.edit, OPP, 0, ("StageName", WON)),
    ),
    "both sides give another owner": ((here.give_owner, OPP, 0, 1), (there.give_owner, DEAL, 0, 1)),
    "a user goes who owns something": ((here.give_owner, OPP, 0, 1), (here.switch_user, 0)),
    "a stage is renamed and used": ((here.change_stages, "rename", 1), (here.edit, OPP, 0, ("StageName", 1))),
    "a stage is added and used": ((here.change_stages, "add", 0), (here.edit, OPP, 0, ("StageName", 3))),
    "both of a pair leave scope": (
        (here.cross_border, OPP, 0, True, "one"),
        (there.cross_border, DEAL, 0, True, "one"),
    ),
    "an opportunity leaves scope, its deal is edited": (
        (here.cross_border, OPP, 0, True, "one"),
        (there.edit, DEAL, 0, ("Amount", 1)),
    ),
    "a contact leaves scope and gets a role": (
        (here.cross_border, CONTACT, 2, True, None),
        (here.add_role, 1, 2, None, False, False),
    ),
    "an account and all of it": (
        (here.edit, ACCOUNT, 0, ("Name", "Beta")),
        (here.edit, CONTACT, 0, ("LastName", "Beta")),
        (here.edit, OPP, 0, ("Name", "Beta")),
        (here.give_account, OPP, 1, 0),
    ),
}
LATE: Mapping[str, tuple[Act, Act]] = {
    "an opportunity is restored": ((here.delete, OPP, 0), (here.restore, OPP, 0)),
    "a contact is restored": ((here.delete, CONTACT, 0), (here.restore, CONTACT, 0)),
    "an account is restored": ((here.delete, ACCOUNT, 1), (here.restore, ACCOUNT, 0)),
    "a deal is restored": ((there.delete, DEAL, 0), (there.restore, DEAL, 0)),
    "a contact is restored there": ((there.delete, PERSON, 0), (there.restore, PERSON, 0)),
    "a company is restored there": ((there.delete, COMPANY, 0), (there.restore, COMPANY, 0)),
    "an opportunity without a deal is edited": ((there.delete, DEAL, 0), (here.edit, OPP, 0, ("Amount", 1))),
    "a deal comes back from its own pipeline": ((there.move_deal, 0, 5, 0), (there.move_deal, 0, 0, 3)),
    "a won deal is opened again": ((here.edit, OPP, 0, ("StageName", WON)), (here.edit, OPP, 0, ("StageName", 1))),
    "a role is given back": ((here.remove_role, 0), (here.add_role, 0, 0, None, False, False)),
    "an opportunity comes back into scope": (
        (here.cross_border, OPP, 0, True, None),
        (here.cross_border, OPP, 0, False, "one"),
    ),
    "a contact comes back into scope": (
        (there.cross_border, PERSON, 0, True, None),
        (there.cross_border, PERSON, 0, False, "one"),
    ),
    "a user comes back": ((here.switch_user, 0), (here.switch_user, 0)),
    "a stage is switched on again": ((here.change_stages, "switch off", 2), (here.change_stages, "switch on", 0)),
}
UNDONE: Mapping[str, tuple[Act, ...]] = {
    "that changed an amount": ((here.edit, OPP, 0, ("Amount", 1)),),
    "that changed a deal's opportunity": ((there.edit, DEAL, 0, ("Amount", 1)),),
    "that won a deal": ((here.edit, OPP, 0, ("StageName", WON)),),
    "that made a deal of a contact": PAIRS["account, contact and opportunity"],
    "that made an opportunity": ((there.new_deal, "Alpha", 1, DAY, 2, 0, 1, 0),),
    "that deleted a deal": ((here.delete, OPP, 0),),
    "that added a role": ((there.associate, 1, 2, []),),
    "that removed an association": ((here.remove_role, 0),),
    "that followed a merge": ((here.merge, CONTACT, 0, 1),),
    "that settled a conflict": PAIRS["both sides change one amount"],
}
PEOPLE = (
    "FirstName,LastName,Email,Phone\n"
    "Ada,One #91,ada91@acme.example,1\nGrace,Two #92,grace92@acme.example,2\nFox,Fox #3,p3@acme.example,3\n"
)
DEALS = (
    "Name,StageName,CloseDate,Amount\n"
    "Small #91,Prospecting,2026-05-01,12.5\n"
    "Big #92,Closed Won,2026-06-01,1000\nOther #93,Prospecting,2026-07-01,1\n"
)
FIRMS = "Name,Website\nSome #91,some91.example\nMore #92,more92.example\n"
FILES = {
    ("contacts", "hubspot"): PEOPLE,
    ("contacts", "salesforce"): PEOPLE,
    ("deals", "salesforce"): DEALS,
    ("companies", "hubspot"): FIRMS,
    ("companies", "salesforce"): FIRMS,
}
NEXT_STEP = FieldRule(("NextStep",), ("hs_next_step",), Rule.TWO_WAY, Text())


def find_situations() -> dict[str, Situation]:
    """All situations by name."""
    return {
        one.name: one
        for group in (_acts, _pairs, _late, _first, _imports, _files, _undone, _filled)
        for one in group()
    }


def tell_apart(name: str) -> tuple[str, str]:
    """What happens in a situation, and in which style."""
    group, rest = name.split(", ", 1)
    style, what = rest.split(": ", 1)
    return f"{group}: {what}", style


def choose_spread(names: Iterable[str]) -> list[str]:
    """Of each thing that happens in these situations those of two styles, or the only one there is."""
    same: dict[str, list[str]] = {}
    for name in names:
        same.setdefault(tell_apart(name)[0], []).append(name)
    return [
        chosen
        for turn, some in enumerate(same.values())
        for chosen in dict.fromkeys((some[turn % len(some)], some[(turn + 2) % len(some)]))
    ]


# --- what people do to have a run ---------------------------------------------------------------------------------


def _sync(lab: Lab) -> None:
    lab.sync(ALL)


def _acts() -> Iterator[Situation]:
    for side, acts in (("Salesforce", SALESFORCE), ("HubSpot", HUBSPOT)):
        for name, act in acts.items():
            for style in _styles_of(act):
                yield Situation(f"act, {style}: {name} in {side}", _after(style, act), _sync, _sync)


def _pairs() -> Iterator[Situation]:
    for name, acts in PAIRS.items():
        for style in _styles_of(*acts):
            yield Situation(f"pair, {style}: {name}", _after(style, *acts), _sync, _sync)


def _late() -> Iterator[Situation]:
    for name, (before, act) in LATE.items():
        for style in _styles_of(before, act):
            yield Situation(f"late, {style}: {name}", _after(style, act, before=(before,)), _sync, _sync)


def _styles_of(*acts: Act) -> list[str]:
    return [style for style in STYLES if all(style in ONLY.get(act[0], STYLES) for act in acts)]


def _after(style: str, *acts: Act, before: tuple[Act, ...] = ()) -> Callable[[], Lab]:
    """The style's organisation after these acts; what happened `before` was brought to rest."""

    def make() -> Lab:
        play = Play(STYLES[style])
        for act in before:
            play.act(*act)
        if before:
            _rest(play.lab)
        for act in acts:
            play.act(*act)
            play.lab.clock.advance(PAUSE)
        # A run that begins before HubSpot's search tells of an edit, and one that is begun anew after it, differ.
        play.lab.clock.advance(timedelta(seconds=play.style.hubspot.get("search_delay_seconds", 0)))
        return play.lab

    return make


def _rest(lab: Lab) -> None:
    lab.sync_until_rest(8)
    lab.clock.advance(SWEEP)
    lab.sync_until_rest(8)


def _first() -> Iterator[Situation]:
    for name, style in STYLES.items():
        yield Situation(f"first, {name}: HubSpot is empty", lambda style=style: found(style), _sync, _sync)
        yield Situation(
            f"first, {name}: HubSpot knows some", lambda style=style: _known_there(found(style)), _sync, _sync
        )
        yield Situation(
            f"first, {name}: the store was lost", lambda style=style: _forgotten(begin(style)), _sync, _sync
        )


def _known_there(lab: Lab) -> Lab:
    lab.hs_create(PERSON, email="p3@acme.example", lastname="Fuchs #3", phone="1")
    lab.hs_create(COMPANY, domain="acme1.example", name="Acme #1")
    return lab


def _forgotten(lab: Lab) -> Lab:
    lab.forget()
    return lab


def _imports() -> Iterator[Situation]:
    for name, style in STYLES.items():
        for what in ("opportunities", "contacts", "accounts"):
            do = _importing(what)
            yield Situation(f"import, {name}: {what} by REST", lambda style=style: found(style), do, do)
        do = _importing("opportunities", way="bulk")
        yield Situation(f"import, {name}: opportunities in bulk", lambda style=style: found(style), do, do)
        do = _importing("opportunities", portion=1)
        yield Situation(f"import, {name}: opportunities one by one", lambda style=style: found(style), do, do)
        do = _importing("opportunities")
        yield Situation(f"import, {name}: what is in step", lambda style=style: begin(style), do, do)


def _importing(what: str, way: str = "rest", portion: int = 2000) -> Callable[[Lab], None]:
    """Import, and by the same command again go on with it."""

    def act(lab: Lab) -> None:
        lab.fate.revive()
        with replaced(
            (reading, "PORTION", portion),
            (salesforce_selections, "PAGE", portion),
            (run, "choose_way", lambda _: way),
        ):
            import_records(lab.connection(), Selection(what))

    return act


def _files() -> Iterator[Situation]:
    for (object_, side), text in FILES.items():
        for overwrite in (False, True):
            do = _importing_file(object_, side, text, overwrite=overwrite)
            how = "overwriting" if overwrite else "filling in"
            for style in STYLES.values():
                yield Situation(
                    f"file, {style.name}: {object_} to {side}, {how}", lambda style=style: begin(style), do, do
                )


def _importing_file(object_: str, side: str, text: str, *, overwrite: bool) -> Callable[[Lab], None]:
    def act(lab: Lab) -> None:
        lab.fate.revive()
        with tempfile.TemporaryDirectory() as folder, replaced((sheet_writes, "PORTION", 2)):
            path = Path(folder) / "file.csv"
            path.write_text(text)
            sheet = read_sheet(path)
            order = make_order("file.csv", sheet.digest, object_, side, overwrite=overwrite)
            import_sheet(lab.connection(), order, sheet)

    return act


def _undone() -> Iterator[Situation]:
    for name, acts in UNDONE.items():
        for style in _styles_of(*acts):
            make = _after(style, *acts)
            yield Situation(
                f"undo, {style}: a run {name}", lambda make=make: _synced(make()), _undo, _go_on_undoing
            )


def _synced(lab: Lab) -> Lab:
    lab.sync(ALL)
    return lab


def _undo(lab: Lab) -> None:
    lab.fate.revive()
    undo(lab.connection(), _taken_back(lab))


def _go_on_undoing(lab: Lab) -> None:
    """A run completes an undo that was cut short; of one that had not begun yet it knows nothing."""
    if lab.store.runs.undoing(_taken_back(lab)):
        lab.sync(ALL)
    else:
        _undo(lab)


def _taken_back(lab: Lab) -> int:
    """The run that an undo began to take back; before any, the last one."""
    runs = lab.store.runs.page(50)
    undos = [found.of_run for one in runs if (found := lab.store.runs.find(one["run"])) and found.is_undo]
    return next((one for one in undos if one is not None), runs[0]["run"])


def _filled() -> Iterator[Situation]:
    for style in STYLES.values():
        yield Situation(
            f"fill, {style.name}: a field that was mapped", lambda style=style: _grown(begin(style)), _fill, _fill
        )


def _grown(lab: Lab) -> Lab:
    first, second = sorted(row["Id"] for row in lab.sf_all("SELECT Id FROM Opportunity"))
    lab.sf_edit(OPP, first, NextStep="Call")
    lab.hs_edit(DEAL, lab.deal_of(second), hs_next_step="Write")
    lab.sync_until_rest()
    deals = lab.pairs["opportunity-deal"]
    lab.pairs = {**lab.pairs, "opportunity-deal": replace(deals, fields=(*deals.fields, NEXT_STEP))}
    lab.sync_until_rest()
    return lab


def _fill(lab: Lab) -> None:
    lab.sync(Wish(deletes=True, backfill=Backfill()))
