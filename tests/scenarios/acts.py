"""What do the verbs of a story do in the lab, and what do they look at? A function per verb; README.md lists them.

People act and look through the CRMs' own APIs. A verb that is not understood is `NotUnderstood`; something that is
not as the story says is an assertion that begins with file and line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from engine.lab import Lab
from ruamel.yaml import YAML
from scenarios.stories import Step, Story
from scenarios.words import NOUNS, OBJECTS, WORDS, Noun, equals

from connector.core.model import Side
from connector.engine.backfill import OBJECTS as OBJECT_PAIRS
from connector.engine.backfill import Backfill
from connector.engine.check import check
from connector.engine.report import Report
from connector.engine.run import Wish
from connector.engine.suspension import resume
from connector.errors import ConnectorError, Refused, Unreachable
from connector.settings import defaults_folder, load_mapping, load_settings

DEFAULT_PIPELINE = "Salesforce - Default pipeline"
CONTACT_OF_DEAL = 3
PRIMARY_COMPANY = {"deals": 5, "contacts": 1}
ENDS: dict[str, type[ConnectorError]] = {"refused": Refused, "stopped": Unreachable}
REPORTED: dict[str, Callable[[Report], Any]] = {
    "writes": lambda report: report.writes,
    "conflicts": lambda report: report.conflicts,
    "waiting": lambda report: report.waiting,
    "status": lambda report: report.status,
}


class Cast:
    """The lab in which one story is played, and the records that it calls by name."""

    def __init__(self, folder: Path, automation: str) -> None:
        self.lab = Lab()
        self.lab.sandbox_post("hubspot", "settings", {"automation": automation}, "PUT")
        self.folder = folder
        self.ids: dict[tuple[str, str, Side], str] = {}
        """By family, name in the story, and side."""
        self.report = Report()
        self.said = ""

    def play(self, story: Story) -> None:
        for step in story.steps:
            if step.verb not in VERBS:
                raise step.refuse(f"no such verb; there are {', '.join(sorted(VERBS))}")
            VERBS[step.verb](self, step)

    # --- who is who ---

    def learn_partners(self) -> None:
        """After a run: the partner of each record that has a name."""
        for noun in (one for one in NOUNS.values() if one.side is Side.HUBSPOT):
            rows = self.lab.hs_all(noun.object, "sf_record_id")
            there = {row["sf_record_id"]: id_ for id_, row in rows.items() if row.get("sf_record_id")}
            here = {hubspot: salesforce for salesforce, hubspot in there.items()}
            for (family, name, side), id_ in list(self.ids.items()):
                partner = (there if side is Side.SALESFORCE else here).get(id_)
                if family == noun.family and partner:
                    other = Side.HUBSPOT if side is Side.SALESFORCE else Side.SALESFORCE
                    self.ids[family, name, other] = partner

    def find(self, noun: Noun, name: str) -> str | None:
        return self.ids.get((noun.family, name, noun.side))

    def get(self, noun: Noun, name: str, step: Step) -> str:
        found = self.find(noun, name)
        if found is None:
            raise step.refuse(f"nobody has met {name!r} in {noun.side.value}")
        return found

    def is_alive(self, noun: Noun, name: str) -> bool:
        id_ = self.find(noun, name)
        if noun.side is Side.HUBSPOT:
            return id_ in self.lab.hs_all(noun.object)
        return id_ in {row["Id"] for row in self.lab.sf_all(f"SELECT Id FROM {noun.object}")}

    # --- the connector's files ---

    def reload(self) -> None:
        """Read settings and mapping anew, as the next run of the connector would."""
        settings = load_settings(self.lab.environment, self.folder)
        self.lab.pairs = load_mapping(settings, self.folder)

    def edit_mapping(self, pair: str, change: Callable[[dict[str, Any]], None]) -> None:
        own = self.folder / "mappings"
        if not own.exists():
            own.mkdir()
            for path in (defaults_folder() / "mappings").glob("*.yaml"):
                (own / path.name).write_bytes(path.read_bytes())
        path = own / f"{pair}.yaml"
        document = YAML(typ="safe").load(path)
        change(document)
        with path.open("w", encoding="utf-8") as file:
            YAML().dump(document, file)
        self.reload()


# --- what a step is told ------------------------------------------------------------------------------------


def read(step: Step) -> tuple[Noun, str, dict[str, Any]]:
    """The record that a step is about, and the words beside it."""
    if not isinstance(step.told, Mapping) or not step.told:
        raise step.refuse("needs a record, such as {deal: Big deal}")
    (kind, name), *words = step.told.items()
    if kind not in NOUNS:
        raise step.refuse(f"{kind!r} is no kind of record; there are {', '.join(NOUNS)}")
    return NOUNS[kind], name, dict(words)


def only(step: Step, *known: str) -> None:
    odd = set(step.told) - set(known)
    if odd:
        raise step.refuse(f"{sorted(odd)} means nothing here; known are {sorted(known)}")


def field_of(noun: Noun, word: str, step: Step) -> str:
    names = WORDS[noun.family].get(word)
    name = names[0 if noun.side is Side.SALESFORCE else 1] if names else None
    if name is None:
        raise step.refuse(f"a {noun.object} has no {word!r}; known are {sorted(WORDS[noun.family])}")
    return name


def value_of(cast: Cast, field: str, value: Any, pipeline: str, step: Step) -> Any:
    """What stands in a CRM for a value of the story: ids for people, stages and records."""
    if value is None:
        return None
    if field in LOOKUPS:
        return LOOKUPS[field](cast, value, step)
    if field == "dealstage":
        stages = cast.lab.stages(pipeline)
        if value not in stages:
            raise step.refuse(f"the pipeline has no stage {value!r}, only {sorted(stages)}")
        return stages[value]
    return str(value) if field in {"CloseDate", "closedate"} else value


def _user(cast: Cast, email: str, step: Step) -> str:
    rows = cast.lab.sf_all(f"SELECT Id FROM User WHERE Username = '{email}'")
    if not rows:
        raise step.refuse(f"{email} is no user")
    return rows[0]["Id"]


def _owner(cast: Cast, email: str, step: Step) -> str:
    owners = cast.lab.hs("GET", "/crm/v3/owners?limit=100")["results"]
    found = [one["id"] for one in owners if one["email"] == email]
    if not found:
        raise step.refuse(f"{email} is no owner")
    return found[0]


def _record_type(cast: Cast, name: str, _: Step) -> str:
    return cast.lab.sf_all(f"SELECT Id FROM RecordType WHERE Name = '{name}'")[0]["Id"]


LOOKUPS: dict[str, Callable[[Cast, str, Step], str]] = {
    "OwnerId": _user,
    "hubspot_owner_id": _owner,
    "Second_Owner__c": _user,
    "second_owner": _owner,
    "AccountId": lambda cast, name, step: cast.get(NOUNS["account"], name, step),
    "primary_company": lambda cast, name, step: cast.get(NOUNS["company"], name, step),
    "RecordTypeId": _record_type,
    "pipeline": lambda cast, label, _: cast.lab.pipeline(label),
}


def fields_of(cast: Cast, noun: Noun, words: Mapping[str, Any], step: Step) -> dict[str, Any]:
    """The fields to write, without what is an association."""
    pipeline = str(words.get("pipeline", DEFAULT_PIPELINE))
    written = {field_of(noun, word, step): value for word, value in words.items()}
    made = {name: value_of(cast, name, value, pipeline, step) for name, value in written.items()}
    if noun.side is Side.HUBSPOT:
        return {name: "" if value is None else value for name, value in made.items()}
    return made


# --- people act ---------------------------------------------------------------------------------------------


def create(cast: Cast, step: Step) -> None:
    noun, name, words = read(step)
    lab, people = cast.lab, words.pop("contacts", [])
    if noun.object == "deals":
        words = {"pipeline": DEFAULT_PIPELINE, "stage": "Prospecting", "close date": "2026-06-30", **words}
    if noun.object == "Opportunity":
        words = {"stage": "Prospecting", "close date": "2026-06-30", **words}
    fields = {noun.name_field: name, **fields_of(cast, noun, words, step)}
    company = fields.pop("primary_company", None)
    made = {key: value for key, value in fields.items() if value not in {None, ""}}
    id_ = lab.sf_create(noun.object, **made) if noun.side is Side.SALESFORCE else lab.hs_create(noun.object, **made)
    cast.ids[noun.family, name, noun.side] = id_
    if company:
        lab.hs_associate(noun.object, id_, "companies", company, PRIMARY_COMPANY[noun.object])
    for person in people:
        _add_person(cast, noun, id_, person, step)


def _add_person(cast: Cast, noun: Noun, id_: str, person: str, step: Step) -> None:
    who = cast.get(OBJECTS["person", noun.side], person, step)
    if noun.side is Side.SALESFORCE:
        cast.lab.role(id_, who)
    else:
        cast.lab.hs_associate("deals", id_, "contacts", who, CONTACT_OF_DEAL)


def edit(cast: Cast, step: Step) -> None:
    noun, name, words = read(step)
    id_ = cast.get(noun, name, step)
    fields = fields_of(cast, noun, words, step)
    company = fields.pop("primary_company", None)
    if company:
        cast.lab.hs_associate(noun.object, id_, "companies", company, PRIMARY_COMPANY[noun.object])
    if fields and noun.side is Side.SALESFORCE:
        cast.lab.sf_edit(noun.object, id_, **fields)
    elif fields:
        cast.lab.hs_edit(noun.object, id_, **fields)
    cast.lab.advance(seconds=1)


def add_contact(cast: Cast, step: Step) -> None:
    noun, name, words = read(step)
    only(step, *(kind for kind, one in NOUNS.items() if one == noun), "who")
    _add_person(cast, noun, cast.get(noun, name, step), words["who"], step)


def remove_contact(cast: Cast, step: Step) -> None:
    noun, name, words = read(step)
    id_, who = cast.get(noun, name, step), cast.get(OBJECTS["person", noun.side], words["who"], step)
    if noun.side is Side.HUBSPOT:
        cast.lab.hs("DELETE", f"/crm/v4/objects/deals/{id_}/associations/contacts/{who}")
        return
    soql = f"SELECT Id FROM OpportunityContactRole WHERE OpportunityId = '{id_}' AND ContactId = '{who}'"
    for row in cast.lab.sf_all(soql):
        cast.lab.sf_delete("OpportunityContactRole", row["Id"])
    cast.lab.advance(minutes=2)  # Salesforce tells of deletions by the minute


def delete(cast: Cast, step: Step) -> None:
    noun, name, _ = read(step)
    act = cast.lab.sf_delete if noun.side is Side.SALESFORCE else cast.lab.hs_delete
    act(noun.object, cast.get(noun, name, step))
    cast.lab.advance(minutes=2)  # see above


def restore(cast: Cast, step: Step) -> None:
    noun, name, _ = read(step)
    cast.lab.sandbox_post("salesforce", "undelete", {"ids": [cast.get(noun, name, step)]})


def merge(cast: Cast, step: Step) -> None:
    noun, name, words = read(step)
    master, loser = cast.get(noun, name, step), cast.get(noun, words["absorbs"], step)
    if noun.side is Side.SALESFORCE:
        body = {"sobject": noun.object, "master": master, "losers": [loser]}
        cast.lab.sandbox_post("salesforce", "merge", body)
    else:
        both = {"primaryObjectId": master, "objectIdToMerge": loser}
        made = cast.lab.hs("POST", f"/crm/v3/objects/{noun.object}/merge", both)
        cast.ids[noun.family, name, noun.side] = made["id"]


def wait(cast: Cast, step: Step) -> None:
    only(step, "days", "hours", "minutes")
    cast.lab.advance(**step.told)


# --- administrators act -------------------------------------------------------------------------------------


def hire(cast: Cast, step: Step) -> None:
    cast.lab.sandbox_post("salesforce", "users", [{"Username": step.told}])
    cast.lab.sandbox_post("hubspot", "owners", [{"email": step.told, "firstName": "New"}])


def administer(cast: Cast, step: Step) -> None:
    only(step, "salesforce", "hubspot", "with", "method")
    side = "salesforce" if "salesforce" in step.told else "hubspot"
    cast.lab.sandbox_post(side, step.told[side], step.told.get("with"), step.told.get("method", "POST"))


def add_property(cast: Cast, step: Step) -> None:
    body = {"groupName": f"{step.told['object'].removesuffix('s')}information", **step.told}
    cast.lab.hs("POST", f"/crm/v3/properties/{body.pop('object')}", body)


def settings(cast: Cast, step: Step) -> None:
    for name, value in step.told.items():
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        cast.lab.environment[f"CONNECTOR__{name.replace('.', '__').upper()}"] = text
    cast.reload()


def mapping(cast: Cast, step: Step) -> None:
    only(step, "pair", "field", "scope", "on_delete")

    def change(document: dict[str, Any]) -> None:
        document.update({key: step.told[key] for key in ("scope", "on_delete") if key in step.told})
        if "field" in step.told:
            entry = dict(step.told["field"])
            old = [one for one in document["fields"] if one["salesforce"] == entry["salesforce"]]
            kept = [one for one in document["fields"] if one not in old]
            document["fields"] = [*kept, {**(old[0] if old else {}), **entry}]

    cast.edit_mapping(step.told["pair"], change)


def forget(cast: Cast, _: Step) -> None:
    cast.lab.forget()


# --- the connector runs -------------------------------------------------------------------------------------


def sync(cast: Cast, step: Step) -> None:
    """A run, and one more that has nothing left to do (T7)."""
    if step.told in ENDS:
        with pytest.raises(ENDS[step.told]) as caught:
            cast.lab.sync()
        cast.said = f"{caught.value.message}; {caught.value.remedy}"
        return
    if step.told not in {None, "with its deletions"}:
        raise step.refuse(f"ends in {step.told!r}? Known are: with its deletions, {', '.join(ENDS)}")
    cast.report = cast.lab.sync_once(Wish(deletes=True) if step.told else None)
    cast.learn_partners()


def backfill(cast: Cast, step: Step) -> None:
    """Fill in what a mapping that grew maps, or with `deals: true` deals that were there before."""
    only(step, "object", "field", "deals")
    told = step.told
    pairs = (OBJECT_PAIRS[told["object"]],) if "object" in told else ()
    fields = (told["field"],) if "field" in told else ()
    cast.report = cast.lab.sync_once(Wish(backfill=Backfill(pairs, fields, bool(told.get("deals")))))
    cast.learn_partners()


def sync_record(cast: Cast, step: Step) -> None:
    noun, name, words = read(step)
    only(step, *(kind for kind, one in NOUNS.items() if one == noun), "by hand")
    cast.report = cast.lab.sync(Wish(records=(cast.get(noun, name, step),), create=bool(words.get("by hand"))))
    cast.learn_partners()


def go_on(cast: Cast, step: Step) -> None:
    assert resume(cast.lab.store), f"{step.place}: nothing was suspended"


# --- what is there to be seen -------------------------------------------------------------------------------


def looks(cast: Cast, step: Step) -> None:
    noun, name, words = read(step)
    id_ = cast.get(noun, name, step)
    for word, expected in words.items():
        if word == "contacts":
            found: Any = _people_of(cast, noun, id_)
            wanted: Any = {cast.get(OBJECTS["person", noun.side], one, step) for one in expected}
            same = found == wanted
        else:
            field, found = _look(cast, noun, id_, word, step)
            wanted = value_of(cast, field, expected, _pipeline_of(cast, noun, id_), step)
            same = equals(field, wanted, found)
        assert same, f"{step.place}: {word} of {name!r} is {found!r}, not {wanted!r}"


def _look(cast: Cast, noun: Noun, id_: str, word: str, step: Step) -> tuple[str, Any]:
    field = field_of(noun, word, step)
    if field == "primary_company":
        rows = cast.lab.hs_associated(noun.object, id_, "companies")
        primary = [one for one, types in rows.items() if PRIMARY_COMPANY[noun.object] in types]
        return field, next(iter(primary), None)
    if noun.side is Side.SALESFORCE:
        return field, cast.lab.sf_get(noun.object, id_).get(field)
    return field, cast.lab.hs_get(noun.object, id_, field).get(field)


def _pipeline_of(cast: Cast, noun: Noun, id_: str) -> str:
    deal = noun.object == "deals"
    return cast.lab.hs_get("deals", id_, "pipeline")["pipeline"] if deal else DEFAULT_PIPELINE


def _people_of(cast: Cast, noun: Noun, id_: str) -> set[str]:
    if noun.side is Side.HUBSPOT:
        return set(cast.lab.hs_associated("deals", id_, "contacts"))
    rows = cast.lab.sf_all(f"SELECT ContactId FROM OpportunityContactRole WHERE OpportunityId = '{id_}'")
    return {row["ContactId"] for row in rows}


def exists(cast: Cast, step: Step) -> None:
    noun, name, _ = read(step)
    assert cast.is_alive(noun, name), f"{step.place}: {name!r} is not in {noun.side.value}"


def gone(cast: Cast, step: Step) -> None:
    noun, name, _ = read(step)
    assert not cast.is_alive(noun, name), f"{step.place}: {name!r} is in {noun.side.value}"


def number_of(cast: Cast, step: Step) -> None:
    for kind, expected in step.told.items():
        if kind not in NOUNS:
            raise step.refuse(f"{kind!r} is no kind of record; there are {', '.join(NOUNS)}")
        noun = NOUNS[kind]
        if noun.side is Side.HUBSPOT:
            found = len(cast.lab.hs_all(noun.object))
        else:
            found = len(cast.lab.sf_all(f"SELECT Id FROM {noun.object}"))
        assert found == expected, f"{step.place}: there are {found} of {kind}, not {expected}"


def same(cast: Cast, step: Step) -> None:
    """Two names, one pair: the record of one side is the partner of the other's."""
    (kind, name), (other_kind, other) = step.told.items()
    noun, partner = NOUNS[kind], NOUNS[other_kind]
    assert cast.find(noun, other) == cast.get(noun, name, step), f"{step.place}: {name!r} is not {other!r}"
    assert cast.find(partner, name) == cast.get(partner, other, step)


def report(cast: Cast, step: Step) -> None:
    only(step, *REPORTED, "note")
    for word, expected in step.told.items():
        if word == "note":
            notes = cast.report.notes
            assert any(expected in note for note in notes), f"{step.place}: the notes are {notes}"
        else:
            found = REPORTED[word](cast.report)
            assert found == expected, f"{step.place}: {word} is {found!r}, not {expected!r}"


def journal(cast: Cast, step: Step) -> None:
    noun, name, words = read(step)
    only(step, *(kind for kind, one in NOUNS.items() if one == noun), "field", "old", "new", "rule", "conflict")
    field = field_of(noun, words.pop("field"), step)
    entries = cast.lab.store.journal.of_record(noun.side, noun.object, cast.get(noun, name, step))
    found = [change for entry in entries for change in entry["changes"] if change["field"] == field]
    hits = [one for one in found if all(equals(field, value, one[word]) for word, value in words.items())]
    assert hits, f"{step.place}: the journal has {found}"


def problem(cast: Cast, step: Step) -> None:
    noun, name, words = read(step)
    only(step, *(kind for kind, one in NOUNS.items() if one == noun), "class", "mentions")
    found, id_ = cast.lab.problems(), cast.get(noun, name, step)
    [about] = [one for one in found if one["record_id"] == id_] or [{}]
    assert about, f"{step.place}: the problems are {found}"
    assert about["cause"] == words["class"], f"{step.place}: its class is {about['cause']}"
    said = f"{about['detail']} {about['remedy']}"
    assert words.get("mentions", "") in said, f"{step.place}: it says {said}"


def no_problems(cast: Cast, step: Step) -> None:
    assert cast.lab.problems() == [], f"{step.place}: the problems are {cast.lab.problems()}"


def check_says(cast: Cast, step: Step) -> None:
    only(step, "state", "mentions")
    checks = [one for one in check(cast.lab.connection()) if one.state == step.told["state"]]
    told = [f"{one.name}: {one.detail} {one.remedy}" for one in checks]
    assert any(step.told.get("mentions", "") in one for one in told), f"{step.place}: the check says {told}"


def it_says(cast: Cast, step: Step) -> None:
    assert step.told in cast.said, f"{step.place}: it says {cast.said!r}"


VERBS: dict[str, Callable[[Cast, Step], None]] = {
    "create": create,
    "edit": edit,
    "delete": delete,
    "restore": restore,
    "merge": merge,
    "add contact": add_contact,
    "remove contact": remove_contact,
    "wait": wait,
    "hire": hire,
    "administer": administer,
    "add property": add_property,
    "settings": settings,
    "mapping": mapping,
    "forget everything": forget,
    "sync": sync,
    "sync record": sync_record,
    "backfill": backfill,
    "resume": go_on,
    "is": looks,
    "exists": exists,
    "gone": gone,
    "number of": number_of,
    "same": same,
    "report": report,
    "journal": journal,
    "problem": problem,
    "no problems": no_problems,
    "check says": check_says,
    "it says": it_says,
}
