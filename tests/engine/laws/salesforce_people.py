"""What do people in Salesforce do, and its administrator? One function per act; `ACTS` says with what.

A row of `ACTS` is the function and, for each argument, what it may be. Whoever tells a story chooses: Hypothesis in
`machine.py`, a seed in `tests/simulation/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from engine.laws.play import Play
from engine.laws.sight import ORDER
from engine.laws.styles import LABELS, OUT, STAGE_FIELD

Row = tuple[Any, ...]
"""An act: a function, and for each of its arguments all that it may be."""
WHICH = range(6)
PERHAPS = (None, *WHICH)
STAGES = range(10)
BOTH = (False, True)
TEXTS = ("Alpha", "Gamma ö", 'D\'Angelo "D"', "E, F & G", "  Beta  ", "Delta 🚀")
AMOUNTS = (0, 1, 1054, 1054.5, 99999.99)
DATES = ("2026-01-31", "2026-02-28", "2026-06-30", "2027-12-31")
DESCRIPTIONS = (None, "first line\nsecond line", "short", "trailing   ")
OBJECTS = ("Opportunity", "Contact", "Account")
MAILS = ("own", "own", "none", "shared", "theirs")
SHARED = "team@acme.example"
"""An address that several people give."""
CROWD = {"Opportunity": 5, "Contact": 6, "Account": 4}
"""More than so many nobody makes: stories are to be quick."""
STAGE_CHANGES = ("add", "rename", "switch off", "switch on", "move")
DEAL_CHANGES: Mapping[str, Sequence[Any]] = {
    "Name": TEXTS,
    "Amount": (None, *AMOUNTS),
    "CloseDate": DATES,
    "StageName": (*STAGES, *(8, 9) * 5),  # won and lost more often than others
    "Description": DESCRIPTIONS,
}
PERSON_CHANGES: Mapping[str, Sequence[Any]] = {
    "LastName": TEXTS,
    "Title": (None, "one", "two"),
    "Phone": (None, "one", "two"),
    "FirstName": (None, "one", "two"),
    "Email": MAILS,
}
FIRM_CHANGES: Mapping[str, Sequence[Any]] = {
    "Name": TEXTS,
    "Phone": (None, "one", "two"),
    "Description": (None, "one", "two"),
    "Website": (None, "own"),
}


def changes_of(fields: Mapping[str, Sequence[Any]]) -> list[list[tuple[str, Any]]]:
    """For each field, every change that there may be of it."""
    return [[(name, value) for value in values] for name, values in fields.items()]


def _mail(play: Play, kind: str) -> str | None:
    if kind == "theirs":
        theirs = {row.get("email") for row in play.sight.there("contacts").values()}
        return min((one for one in theirs if one), default=None)
    return {"own": f"P{play.token()}@Acme.example", "none": None, "shared": SHARED}[kind]


def _stage(play: Play, which: int) -> str:
    stages = list(play.sight.stages())
    return stages[which % len(stages)]


def _value(play: Play, object_: str, id_: str, field: str, value: Any) -> Any:
    match field:
        case "Name" | "LastName":
            return play.rename(object_, id_, value)
        case "StageName":
            return _stage(play, value)
        case "Email":
            return _mail(play, value)
        case "Website":
            return value and f"firm{play.token()}.example"
        case "Title" | "Phone" | "FirstName":
            return value and f"{value} {play.token()}"
        case _:
            return value


def new_account(play: Play, text: str, site: bool) -> None:
    if len(play.sight.here("Account")) < CROWD["Account"]:
        token = play.token()
        fields = {"Name": f"{text.strip()} #{token}", "Website": f"firm{token}.example" if site else None}
        play.note("Account", play.lab.sf_create("Account", **fields), **fields)


def new_contact(play: Play, text: str, mail: str, account: int | None) -> None:
    if len(play.sight.here("Contact")) < CROWD["Contact"]:
        fields = {"LastName": f"{text.strip()} #{play.token()}", "Email": _mail(play, mail)}
        id_ = play.lab.sf_create("Contact", AccountId=play.here("Account", account), **fields)
        play.note("Contact", id_, **fields)


def new_opportunity(
    play: Play, text: str, amount: Any, date: str, stage: int, account: int | None, who: int | None
) -> None:
    if len(play.sight.here("Opportunity")) >= CROWD["Opportunity"]:
        return
    fields = {
        "Name": f"{text.strip()} #{play.token()}",
        "Amount": amount,
        "CloseDate": date,
        "StageName": _stage(play, stage),
    }
    given = {"AccountId": play.here("Account", account)}
    if types := sorted(play.sight.here("RecordType")):
        given["RecordTypeId"] = types[stage % len(types)]
    id_ = play.lab.sf_create("Opportunity", **fields, **given)
    if (person := play.here("Contact", who)) is not None:
        play.lab.role(id_, person)
    play.note("Opportunity", id_, **fields)


def edit(play: Play, object_: str, which: int, change: tuple[str, Any]) -> None:
    if (id_ := play.here(object_, which)) is not None:
        field, value = change
        play.edit_here(object_, id_, **{field: _value(play, object_, id_, field, value)})


def save_again(play: Play, object_: str, which: int) -> None:
    """Somebody presses Save and has changed nothing that is mapped."""
    if (id_ := play.here(object_, which)) is not None:
        row = play.sight.here(object_)[id_]
        name = "LastName" if object_ == "Contact" else "Name"
        field = {"Opportunity": "NextStep", "Contact": "AssistantName", "Account": "Site"}[object_]
        play.lab.sf_edit(object_, id_, **{name: row[name], field: f"{play.token()}"})


def give_account(play: Play, object_: str, which: int, account: int | None) -> None:
    if (id_ := play.here(object_, which)) is not None:
        play.lab.sf_edit(object_, id_, AccountId=play.here("Account", account))


def give_owner(play: Play, object_: str, which: int, user: int) -> None:
    active = [one for one, row in play.sight.here("User").items() if row.get("IsActive")]
    if (id_ := play.here(object_, which)) is not None and (owner := play.pick(active, user)) is not None:
        play.lab.sf_edit(object_, id_, OwnerId=owner)
        play.note(object_, id_, OwnerId=owner)


def give_record_type(play: Play, which: int, record_type: int, stage: int) -> None:
    id_, wanted = play.here("Opportunity", which), play.here("RecordType", record_type)
    if id_ is not None and wanted is not None:
        play.loosen("Opportunity", id_)
        play.edit_here("Opportunity", id_, RecordTypeId=wanted, StageName=_stage(play, stage))


def add_role(play: Play, which: int, who: int, role: str | None, primary: bool, again: bool) -> None:
    opportunity, contact = play.here("Opportunity", which), play.here("Contact", who)
    if opportunity is None or contact is None:
        return
    taken = any(
        (one["OpportunityId"], one["ContactId"]) == (opportunity, contact) for one in play.sight.roles().values()
    )
    if again or not taken:
        play.lab.role(opportunity, contact, Role=role, IsPrimary=primary)


def name_role(play: Play, which: int, role: str | None, primary: bool) -> None:
    if (id_ := play.pick(play.sight.roles(), which)) is not None:
        play.lab.sf_edit("OpportunityContactRole", id_, Role=role, IsPrimary=primary)


def remove_role(play: Play, which: int) -> None:
    if (id_ := play.pick(play.sight.roles(), which)) is not None:
        play.lab.sf_delete("OpportunityContactRole", id_)


def delete(play: Play, object_: str, which: int) -> None:
    if (id_ := play.here(object_, which)) is not None:
        play.loosen(object_, id_)
        play.lab.sf_delete(object_, id_)


def restore(play: Play, object_: str, which: int) -> None:
    """Out of the recycle bin, with all that went along; if it is empty, something is put there."""
    if (id_ := play.pick(play.sight.bin(object_), which)) is None:
        delete(play, object_, which)
        return
    before = play.sight.alive().keys()
    with suppress(AssertionError):  # its parent may be gone for good
        play.lab.sandbox_post("salesforce", "undelete", {"ids": [id_]})
    for name, back in play.sight.alive().keys() - before:
        play.loosen(name, back)


def merge(play: Play, object_: str, master: int, loser: int) -> None:
    keep, lose = play.here(object_, master), play.here(object_, loser)
    if object_ != "Opportunity" and keep != lose and keep is not None and lose is not None:
        play.loosen(object_, keep)
        play.loosen(object_, lose)
        play.memory.forget({keep})
        if lose in play.memory.bereft & play.memory.loose:  # which was first, nobody can know who sees both at once
            play.memory.bereft.add(keep)
        play.lab.sandbox_post("salesforce", "merge", {"sobject": object_, "master": keep, "losers": [lose]})


def cross_border(play: Play, object_: str, which: int, out: bool, phone: str | None) -> None:
    """Somebody leaves scope, or comes back, and edits something else in the same moment."""
    if not play.style.scoped or (id_ := play.here(object_, which)) is None:
        return
    play.loosen(object_, id_)
    name, value = OUT[object_]
    inside = {"Opportunity": "New Customer", "Contact": "Sales", "Account": "Energy"}[object_]
    field = "Description" if object_ == "Opportunity" else "Phone"
    given = {field: phone and f"{phone} {play.token()}"}
    play.edit_here(object_, id_, **{name: value if out else inside}, **given)


def set_stage_field(play: Play, which: int, stage: str | None) -> None:
    """In the style `backwards`, Salesforce says how far a contact is."""
    if play.style.backwards and (id_ := play.here("Contact", which)) is not None:
        play.lab.sf_edit("Contact", id_, **{STAGE_FIELD: stage})
        play.memory.stages_said.setdefault(id_, []).append(stage)


def switch_user(play: Play, which: int) -> None:
    users = {id_: row for id_, row in play.sight.here("User").items() if not row["Email"].startswith("admin")}
    if (id_ := play.pick(users, which)) is not None:
        row = users[id_]
        given = {"Email": row["Email"], "Username": row["Username"], "IsActive": not row.get("IsActive")}
        play.lab.sandbox_post("salesforce", "users", [given])
        play.memory.loose.add("owners")


def change_stages(play: Play, what: str, which: int) -> None:
    known = play.sight.stages(active=what != "switch on")
    middle = {name: row for name, row in known.items() if not row.get("IsClosed")}
    if what == "switch on":
        middle = {name: row for name, row in middle.items() if not row.get("IsActive")}
    if what == "switch off" and len(middle) < 3:
        return
    given: dict[str, Any] = {}
    if what == "add":
        token = play.token()
        given = {"ApiName": f"Pilot {token}", "MasterLabel": f"Pilot {token}", "SortOrder": 3}
        given["DefaultProbability"] = 55
    elif (name := play.pick(middle, which)) is not None:
        kept = ("ApiName", "MasterLabel", "SortOrder", "DefaultProbability", "IsActive")
        given = {key: middle[name][key] for key in kept if key in middle[name]}
        given |= {
            "rename": {"MasterLabel": f"Renamed {play.token()}"},
            "switch off": {"IsActive": False},
            "switch on": {"IsActive": True},
            "move": {"SortOrder": 40 + which},
        }[what]
        if what == "rename":
            play.memory.old_labels[middle[name]["MasterLabel"]] = name
    if given and len(known) < 14:
        play.memory.loose.add("stages")
        play.lab.sandbox_post("salesforce", "stages", [given])


def add_record_type(play: Play, text: str) -> None:
    if play.style.record_types and len(play.sight.here("RecordType")) < 3:
        play.memory.loose.add("stages")
        play.lab.sandbox_post("salesforce", "record_types", [{"Name": f"Kind {play.token()}"}])


_ROLES = (None, *LABELS, "Other")
_CHANGES = {"Opportunity": DEAL_CHANGES, "Contact": PERSON_CHANGES, "Account": FIRM_CHANGES}
EDITS: tuple[Row, ...] = tuple(
    (edit, (name,), WHICH, change) for name in OBJECTS for change in changes_of(_CHANGES[name])
)
ACTS: Mapping[str, tuple[Row, ...]] = {
    "make": (
        (new_account, TEXTS, BOTH),
        (new_contact, TEXTS, MAILS, PERHAPS),
        (new_opportunity, TEXTS, (None, *AMOUNTS), DATES, STAGES, PERHAPS, PERHAPS),
    ),
    "edit": (*EDITS, (save_again, OBJECTS, WHICH)),
    "relate": (
        (add_role, WHICH, WHICH, _ROLES, BOTH, (False, False, False, True)),
        (name_role, WHICH, _ROLES, BOTH),
        (remove_role, WHICH),
        (give_account, ("Opportunity", "Contact"), WHICH, PERHAPS),
        (give_owner, OBJECTS, WHICH, WHICH),
        (give_record_type, WHICH, WHICH, STAGES),
    ),
    "end": (
        (delete, OBJECTS, WHICH),
        (restore, OBJECTS, WHICH),
        (merge, ("Contact", "Account"), WHICH, WHICH),
    ),
    "arrange": (
        (cross_border, OBJECTS, WHICH, BOTH, (None, "one")),
        (set_stage_field, WHICH, (None, *ORDER)),
        (switch_user, WHICH),
        (change_stages, STAGE_CHANGES, WHICH),
        (add_record_type, TEXTS),
    ),
}
