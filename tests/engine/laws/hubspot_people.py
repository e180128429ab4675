"""What do people in HubSpot do, and its administrator? One function per act; `ACTS` says with what."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import permutations
from typing import Any

from engine.laws.play import Play
from engine.laws.salesforce_people import (
    AMOUNTS,
    BOTH,
    DATES,
    DEAL_CHANGES,
    FIRM_CHANGES,
    MAILS,
    PERHAPS,
    PERSON_CHANGES,
    SHARED,
    STAGES,
    TEXTS,
    WHICH,
    Row,
    changes_of,
)
from engine.laws.sight import ORDER, OWN_PIPELINE, PRIMARY
from engine.laws.styles import LABELS, OUT, PRIMARY_LABEL

CONTACT_OF_DEAL = 3
CROWD = {"deals": 6, "contacts": 7, "companies": 5}
OBJECTS = ("deals", "contacts", "companies")


def _mail(play: Play, kind: str) -> str | None:
    """An address; the portal has every address but once."""
    wanted = {"own": f"p{play.token()}@acme.example", "none": None, "shared": SHARED}.get(kind)
    if kind == "theirs":
        theirs = [row["Email"] for row in play.sight.here("Contact").values() if ":" not in row.get("Email", ":")]
        wanted = min(theirs, default=None)
    everyone = play.sight.there("contacts").values()
    taken = {row.get("email", "").lower() for row in everyone}
    taken |= {mail for row in everyone for mail in row.get("hs_additional_emails", "").split(";")}
    return None if wanted is None or wanted.lower() in taken else wanted


def _specs(*types: int) -> list[dict[str, Any]]:
    return [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": one} for one in types]


def _with(id_: str | None, type_id: int) -> list[dict[str, Any]]:
    return [{"to": {"id": id_}, "types": _specs(type_id)}] if id_ else []


def _pipeline(play: Play, which: int) -> str:
    """Mostly one that stands for a record type."""
    synced = [one for one in play.sight.pipelines() if one != OWN_PIPELINE]
    return OWN_PIPELINE if which == 5 else sorted(synced)[which % len(synced)]


def _stage(play: Play, pipeline: str, which: int) -> str:
    """The label of one of a pipeline's stages."""
    labels = list(play.sight.stages_of(pipeline).values())
    return labels[which % len(labels)]


def new_company(play: Play, text: str, site: bool, who: int | None) -> None:
    if len(play.sight.there("companies")) < CROWD["companies"]:
        token = play.token()
        given = {"name": f"{text.strip()} #{token}"} | ({"domain": f"firm{token}.example"} if site else {})
        id_ = play.lab.hs_create("companies", **given)
        play.memory.made.add(id_)
        if (person := play.there("contacts", who)) is not None:
            play.lab.hs_associate("contacts", person, "companies", id_, PRIMARY["contacts"])


def new_contact(play: Play, text: str, mail: str, company: int | None) -> None:
    if len(play.sight.there("contacts")) < CROWD["contacts"]:
        given = {"lastname": f"{text.strip()} #{play.token()}"}
        if address := _mail(play, mail):
            given["email"] = address
        firm = _with(play.there("companies", company), PRIMARY["contacts"])
        play.memory.made.add(play.lab.hs_create("contacts", firm, **given))


def new_deal(
    play: Play, text: str, amount: Any, date: str, stage: int, pipeline: int, who: int | None, company: int | None
) -> None:
    if len(play.sight.there("deals")) >= CROWD["deals"]:
        return
    where = _pipeline(play, pipeline)
    label = _stage(play, where, stage)
    stages = play.sight.stages_of(where)
    fields = {"Name": f"{text.strip()} #{play.token()}", "Amount": amount, "CloseDate": date, "StageName": label}
    associated = _with(play.there("contacts", who), CONTACT_OF_DEAL)
    associated += _with(play.there("companies", company), PRIMARY["deals"])
    id_ = play.lab.hs_create(
        "deals",
        associated,
        dealname=fields["Name"],
        amount="" if amount is None else str(amount),
        closedate=f"{date}T00:00:00Z",
        pipeline=where,
        dealstage=next(one for one, text in stages.items() if text == label),
    )
    play.memory.made.add(id_)
    play.note("deals", id_, **fields)


def edit(play: Play, object_: str, which: int, change: tuple[str, Any]) -> None:
    if (id_ := play.there(object_, which)) is None:
        return
    field, value = change
    match field:
        case "Name" | "LastName":
            value = play.rename(object_, id_, value)
        case "StageName":
            value = _stage(play, play.sight.there(object_)[id_]["pipeline"], value)
        case "Email":
            value = _mail(play, value)
        case "Website":
            value = value and f"firm{play.token()}.example"
        case "Title" | "Phone" | "FirstName":
            value = value and f"{value} {play.token()}"
    play.edit_there(object_, id_, **{field: value})


def save_again(play: Play, object_: str, which: int) -> None:
    """Somebody saves a record as it is: what came over from Salesforce is written back as it stands here."""
    if (id_ := play.there(object_, which)) is not None:
        row = play.sight.there(object_)[id_]
        names = [name for name in ("dealname", "amount", "closedate", "lastname", "name") if name in row]
        own = {"deals": "hs_next_step", "contacts": "message", "companies": "about_us"}[object_]
        play.lab.hs_edit(object_, id_, **{name: row[name] for name in names}, **{own: f"{play.token()}"})


def associate(play: Play, which: int, who: int, labels: list[str]) -> None:
    deal, contact = play.there("deals", which), play.there("contacts", who)
    if deal is None or contact is None:
        return
    known = play.lab.hs("GET", "/crm/v4/associations/deals/contacts/labels")["results"]
    ids = [one["typeId"] for one in known if one["label"] in labels]
    body = [{"associationCategory": "USER_DEFINED", "associationTypeId": one} for one in ids]
    play.lab.hs(
        "PUT", f"/crm/v4/objects/deals/{deal}/associations/contacts/{contact}", body or _specs(CONTACT_OF_DEAL)
    )


def dissociate(play: Play, which: int, who: int) -> None:
    if (deal := play.there("deals", which)) is not None:
        contact = play.pick(play.sight.associated("deals", deal, "contacts"), who)
        if contact is not None:
            play.lab.hs("DELETE", f"/crm/v4/objects/deals/{deal}/associations/contacts/{contact}")


def give_company(play: Play, object_: str, which: int, company: int | None) -> None:
    if (id_ := play.there(object_, which)) is None:
        return
    if (firm := play.there("companies", company)) is not None:
        play.lab.hs_associate(object_, id_, "companies", firm, PRIMARY[object_])
    elif (present := play.sight.company(object_, id_)) is not None:
        play.lab.hs("DELETE", f"/crm/v4/objects/{object_}/{id_}/associations/companies/{present}")


def give_owner(play: Play, object_: str, which: int, owner: int | None) -> None:
    if (id_ := play.there(object_, which)) is not None:
        chosen = play.pick(play.sight.owners(), owner)
        play.lab.hs_edit(object_, id_, hubspot_owner_id=chosen or "")
        play.note(object_, id_, OwnerId=chosen)


def move_deal(play: Play, which: int, pipeline: int, stage: int) -> None:
    """To another pipeline, which may be one that does not sync; or back."""
    if (id_ := play.there("deals", which)) is None:
        return
    where = _pipeline(play, pipeline)
    label = _stage(play, where, stage)
    play.loosen("deals", id_)
    stages = play.sight.stages_of(where)
    wanted = next(one for one, text in stages.items() if text == label)
    play.lab.hs_edit("deals", id_, pipeline=where, dealstage=wanted)
    play.note("deals", id_, StageName=label)
    play.close_date_is_hubspots(id_)


def delete(play: Play, object_: str, which: int) -> None:
    if (id_ := play.there(object_, which)) is not None:
        play.loosen(object_, id_)
        play.lab.hs_delete(object_, id_)


def restore(play: Play, object_: str, which: int) -> None:
    """Out of the recycle bin; if it is empty, something is put there."""
    if (id_ := play.pick(play.sight.archived(object_), which)) is None:
        delete(play, object_, which)
        return
    with suppress(AssertionError):  # what must be unique in it may be taken by now
        play.lab.sandbox_post("hubspot", "restore_records", {"objectType": object_, "ids": [id_]})
        play.loosen(object_, id_)
        play.memory.restored.add(id_)


def merge(play: Play, object_: str, primary: int, other: int) -> None:
    keep, lose = play.there(object_, primary), play.there(object_, other)
    if keep is None or lose is None or keep == lose:
        return
    play.loosen(object_, keep)
    play.loosen(object_, lose)
    play.memory.forget({keep})
    rows = play.sight.there(object_)
    names = [rows[one].get(field, "") for one in (keep, lose) for field in ("dealname", "lastname", "name")]
    play.memory.mixed |= {name.rpartition("#")[2] for name in names if name}
    named = [rows[one].get("sf_record_id") for one in (keep, lose)]
    if all(named):
        play.memory.left_over |= {str(one) for one in named}
    body = {"primaryObjectId": keep, "objectIdToMerge": lose}
    made = play.lab.hs("POST", f"/crm/v3/objects/{object_}/merge", body)["id"]
    play.memory.loose.add(made)
    memory = play.memory
    known = (memory.made, memory.moved_people, memory.lowered, memory.restored, memory.excused, memory.unknown)
    for some in known:
        if {keep, lose} & some:
            some.add(made)


def cross_border(play: Play, object_: str, which: int, out: bool, phone: str | None) -> None:
    if not play.style.scoped or (id_ := play.there(object_, which)) is None:
        return
    play.loosen(object_, id_)
    name, value = OUT[object_]
    inside = {"deals": "newbusiness"}.get(object_, "Somewhere")
    field = "Description" if object_ == "deals" else "Phone"
    text = phone and f"{phone} {play.token()}"
    known = {"deals": "description"}.get(object_, "phone")
    play.lab.hs_edit(object_, id_, **{name: value if out else inside, known: text or ""})
    play.note(object_, id_, **{field: text})


def set_stage(play: Play, object_: str, which: int, stage: str) -> None:
    """A person moves a lifecycle stage in whichever direction: backwards by clearing it first."""
    if object_ == "deals" or (id_ := play.there(object_, which)) is None:
        return
    before = play.sight.there(object_)[id_].get("lifecyclestage")
    if before and ORDER.index(stage) < ORDER.index(before):
        play.lab.hs_edit(object_, id_, lifecyclestage="")
        play.memory.lowered.add(id_)
    play.lab.hs_edit(object_, id_, lifecyclestage=stage)
    play.memory.moved_people.add(id_)


def change_owners(play: Play, which: int) -> None:
    """Somebody who had no seat gets one, or the last one who got one leaves."""
    owners = play.lab.hubspot.portal.owners.all()
    present = {one["email"] for one in owners}
    if "cy@acme.example" not in present:
        play.lab.sandbox_post("hubspot", "owners", [{"email": "cy@acme.example", "firstName": "Cy"}])
    else:
        chosen = owners[1 + which % (len(owners) - 1)]
        changed = [{**one, "archived": not one["archived"]} if one["id"] == chosen["id"] else one for one in owners]
        play.lab.sandbox_post("hubspot", "owners", changed, "PUT")
    play.memory.loose.add("owners")


def switch_automation(play: Play, on: bool) -> None:
    """HubSpot's own lifecycle automation, where the style has it."""
    if play.style.hubspot.get("automation"):
        what = "new_portal" if on else "off"
        play.lab.sandbox_post("hubspot", "settings", {"automation": what}, "PUT")


_CHANGES = {"deals": DEAL_CHANGES, "contacts": PERSON_CHANGES, "companies": FIRM_CHANGES}
_NAMES = (*dict.fromkeys(LABELS.values()), PRIMARY_LABEL)
_LABELS = tuple(list(some) for number in range(3) for some in permutations(_NAMES, number))
EDITS: tuple[Row, ...] = tuple(
    (edit, (name,), WHICH, change) for name in OBJECTS for change in changes_of(_CHANGES[name])
)
ACTS: Mapping[str, tuple[Row, ...]] = {
    "make": (
        (new_company, TEXTS, BOTH, PERHAPS),
        (new_contact, TEXTS, MAILS, PERHAPS),
        (new_deal, TEXTS, (None, *AMOUNTS), DATES, STAGES, WHICH, PERHAPS, PERHAPS),
    ),
    "edit": (*EDITS, (save_again, OBJECTS, WHICH)),
    "relate": (
        (associate, WHICH, WHICH, _LABELS),
        (dissociate, WHICH, WHICH),
        (give_company, ("deals", "contacts"), WHICH, PERHAPS),
        (give_owner, OBJECTS, WHICH, PERHAPS),
        (move_deal, WHICH, WHICH, STAGES),
    ),
    "end": (
        (delete, OBJECTS, WHICH),
        (restore, OBJECTS, WHICH),
        (merge, OBJECTS, WHICH, WHICH),
    ),
    "arrange": (
        (cross_border, OBJECTS, WHICH, BOTH, (None, "one")),
        (set_stage, ("contacts", "companies"), WHICH, ORDER),
        (change_owners, WHICH),
        (switch_automation, BOTH),
    ),
}
