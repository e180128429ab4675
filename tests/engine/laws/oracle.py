"""Do the two CRMs hold what the laws say they must? The judge of every story; it shares no code with the connector.

It compares what the sandboxes hold (`sight.py`) with what people did (`play.py`), and reads the connector's journal
and its lists of problems and of what waits as a person would. The laws are those of `test_laws.py`.
"""

from __future__ import annotations

from typing import Any

from engine.laws.derived import hold_lifecycle, hold_rollups
from engine.laws.play import NOT_EDITED, UNKNOWN, Play
from engine.laws.rest import Rest
from engine.laws.sight import FIELDS, HUBSPOT_OF, SALESFORCE_OF, Row, meaning
from engine.laws.styles import LABELS, MAPPED, PRIMARY_LABEL


def hold_at_rest(play: Play) -> None:
    """Laws 2, 3, 5, 7 and 9 to 11, once nobody acts any more and a run has found nothing to do (law 1)."""
    rest = Rest(play)
    play.read_journal()
    for hold in (
        hold_problems,
        hold_agreement,
        hold_owners,
        hold_references,
        hold_roles,
        hold_pipelines,
        hold_one_in_one_out,
        hold_deletions,
        hold_nothing_left_out,
        hold_nothing_vanished,
        hold_one_sided_edits,
        hold_stillness,
        hold_minimality,
        hold_rollups,
        hold_lifecycle,
    ):
        hold(rest)


def hold_problems(rest: Rest) -> None:
    """Nothing is refused that a connector should have known to be refused."""
    odd = [one for one in rest.problems if one["code"] not in rest.play.expected and not _is_owners(one)]
    assert not odd, ("a problem of the connector's own making", odd)


def _is_owners(problem: dict[str, Any]) -> bool:
    return problem["object"] in {"User", "owners"}


# --- law 2 ------------------------------------------------------------------------------------------------------


def hold_agreement(rest: Rest) -> None:
    """Law 2: fields are equal in meaning."""
    for object_, fields in FIELDS.items():
        for id_, row, partner, record in rest.linked(object_):
            for here, there in fields.items():
                mine, theirs = row.get(here), record.get(there)
                if here == "StageName":
                    mine, theirs = _stage(rest, row), rest.sight.label_of(record)
                    if mine is None or theirs not in _labels(rest):
                        continue  # a stage that is switched off, or that Salesforce never had
                if rest.is_told(object_, id_, partner, here, there):
                    continue
                assert meaning(here, mine) == meaning(here, theirs), ("law 2", here, id_, row, record)


def _stage(rest: Rest, row: Row) -> str | None:
    known = rest.sight.stages().get(row["StageName"])
    return known["MasterLabel"] if known else None


def _labels(rest: Rest) -> set[str]:
    return {row["MasterLabel"] for row in rest.sight.stages().values()}


def hold_owners(rest: Rest) -> None:
    """Law 2 for owners: the same person, if each side has the other's (A5)."""
    users, owners = rest.sight.users(), rest.sight.owners()
    active = {id_ for id_, row in rest.sight.here("User").items() if row.get("IsActive")}
    by_mail = {mail: id_ for id_, mail in owners.items()}
    forth = {
        user: by_mail[MAPPED.get(mail, mail)] for user, mail in users.items() if MAPPED.get(mail, mail) in by_mail
    }
    back = {owner: user for user, owner in forth.items() if user in active}
    for object_ in HUBSPOT_OF:
        for id_, row, partner, record in rest.linked(object_):
            owner = record.get("hubspot_owner_id")
            if owner in back and row["OwnerId"] in forth and row["OwnerId"] in active:
                assert forth[row["OwnerId"]] == owner, ("law 2, owner", id_, row, partner, record)


def hold_references(rest: Rest) -> None:
    """Law 2 for accounts: the account is the primary company, where both are linked (A4, R6)."""
    for object_ in ("Contact", "Opportunity"):
        for id_, row, partner, _ in rest.linked(object_):
            account, company = row.get("AccountId"), rest.sight.company(HUBSPOT_OF[object_], partner)
            loose = [one for one in (account,) if one and _is_unlinked(rest, one)]
            loose += [one for one in (company,) if one and _is_unlinked(rest, rest.partners["Account"].get(one))]
            if not loose:
                expected = rest.pairs["Account"].get(account) if account else None
                assert expected == company, ("law 2, account", object_, id_, account, partner, company)


def _is_unlinked(rest: Rest, account: str | None) -> bool:
    if account not in rest.pairs["Account"] or rest.is_still("Account", account):
        return True
    return rest.is_anothers("Account", account) or _has_met_an_outsider(rest, "Account", account)


def hold_roles(rest: Rest) -> None:
    """Law 2 for contact roles: of linked contacts, both sides show the same, under the same names (R1-R4)."""
    roles: dict[tuple[str, str], list[Row]] = {}
    for one in rest.sight.roles().values():
        roles.setdefault((one["OpportunityId"], one["ContactId"]), []).append(one)
    known = {one.type_id: one.label for one in _label_types(rest)}
    for id_, _, deal, _ in rest.linked("Opportunity"):
        around = rest.sight.associated("deals", deal, "contacts")
        theirs = {
            rest.partners["Contact"][one]: {known[type_] for type_ in types if known.get(type_)}
            for one, types in around.items()
            if one in rest.partners["Contact"]
        }
        mine = {who: some for (where, who), some in roles.items() if where == id_ and who in rest.pairs["Contact"]}
        for who in mine.keys() | theirs.keys():
            if rest.is_still("Contact", who) or rest.is_anothers("Contact", who):
                continue
            there = {who} <= mine.keys() & theirs.keys()
            assert there, ("law 2, roles", id_, deal, who, sorted(mine), sorted(theirs))
            if rest.play.style.labels:
                _hold_names(mine[who], theirs[who], id_, who)


def _label_types(rest: Rest) -> list[Any]:
    return rest.play.lab.hubspot.portal.associations.types(("deals", "contacts"))


def _hold_names(roles: list[Row], labels: set[str], opportunity: str, contact: str) -> None:
    names = {LABELS[one["Role"]] for one in roles if one.get("Role") in LABELS}
    theirs = labels & set(LABELS.values())
    # A label names a role without a name, or one whose own label went; roles that share a label leave no room.
    has_room = any(not one.get("Role") for one in roles)
    wanted = names == theirs if has_room else names <= theirs
    assert wanted, ("law 2, names of roles", opportunity, contact, roles, labels)
    primary = any(one.get("IsPrimary") for one in roles)
    assert primary == (PRIMARY_LABEL in labels), ("law 2, primary role", opportunity, contact, roles, labels)


def hold_pipelines(rest: Rest) -> None:
    """Law 2 for stages: every pipeline that stands for a record type has Salesforce's active stages, in order."""
    wanted = [row["MasterLabel"] for row in rest.sight.stages().values()]
    for pipeline in rest.sight.pipelines().values():
        if not pipeline.label.startswith("Salesforce - "):
            continue
        labels = list(rest.sight.stages_of(pipeline.id).values())
        assert [one for one in labels if one in wanted] == wanted, ("law 2, stages", pipeline.label, labels, wanted)
        orders = [one.order for one in pipeline.stages.values() if not one.archived]
        assert len(set(orders)) == len(orders), ("two stages in one place", pipeline.label)


# --- laws 7 and 10, and what an absence means -------------------------------------------------------------------


def hold_one_in_one_out(rest: Rest) -> None:
    """Law 7: what people made once is there once on each side."""
    for object_, there in HUBSPOT_OF.items():
        for rows in (rest.here[object_], rest.there[there]):
            tokens = [_token(row) for row in rows.values()]
            twice = {one for one in tokens if one and tokens.count(one) > 1} - rest.play.memory.mixed
            # Its name may have gone to another one meanwhile, that of an account merged into its own.
            twice -= {_token(rows[one]) for one in rest.play.memory.restored if one in rows}
            assert not twice, ("law 7: one record became two", object_, twice, rows)
    parents = [row["HubSpot_Id__c"] for row in rest.here["Opportunity"].values() if row.get("HubSpot_Id__c")]
    assert len(parents) == len(set(parents)), "law 7: a deal became two opportunities"


def _token(row: Row) -> str | None:
    name = row.get("Name") or row.get("LastName") or row.get("dealname") or row.get("lastname") or row.get("name")
    return name.rpartition("#")[2] if name and "#" in name else None


def hold_deletions(rest: Rest) -> None:
    """D1 and D9: the deal of a deleted opportunity is deleted, unless the pair was stopped or frozen then.

    Or unless it is another one's by now, which names a deal that was merged into it (A7): such a one that is out of
    scope is not written to it.
    """
    known = rest.here["Opportunity"]
    of_outsiders = {
        one["HubSpot_Id__c"]
        for one in known.values()
        if one.get("HubSpot_Id__c") and rest.play.is_out("Opportunity", one)
    }
    for deal, row in rest.there["deals"].items():
        named = row.get("sf_record_id")
        if named and named not in known and deal not in rest.play.memory.excused | rest.play.memory.restored:
            if of_outsiders & rest.sight.ids_of("deals", deal):
                continue
            told = deal in rest.play.memory.unknown and (("deals", deal) in rest.told or _is_severed(rest, deal))
            assert told or not rest.play.syncs(row) or rest.play.is_out("deals", row), ("D1", deal, row)


def _is_severed(rest: Rest, deal: str) -> bool:
    with rest.play.lab.engine.connect() as connection:
        asked = "SELECT 1 FROM link WHERE state = 'severed' AND hubspot_id = ?"
        return connection.exec_driver_sql(asked, (deal,)).first() is not None


def _has_lost_its_match(rest: Rest, object_: str, id_: str) -> bool:
    """Whether a person deleted its partner before that got to know whose it is, as the connector knew."""
    with rest.play.lab.engine.connect() as connection:
        asked = "SELECT hubspot_id FROM link WHERE state = 'severed' AND salesforce_id = ?"
        lost = {row[0] for row in connection.exec_driver_sql(asked, (id_,))}
    archived = rest.sight.archived(HUBSPOT_OF[object_])
    return any(one in archived and archived[one].get("sf_record_id") != id_ for one in lost)


def hold_nothing_left_out(rest: Rest) -> None:
    """Every record has its partner, or lost it to a person, or is out of scope, or is said to wait or be amiss."""
    for object_, rows in rest.here.items():
        for id_, row in rows.items():
            if id_ in rest.pairs[object_] or rest.is_still(object_, id_):
                continue
            names = {id_, row.get("HubSpot_Id__c")}
            parent = rest.there["deals"].get(row.get("HubSpot_Id__c", ""))
            if parent is not None and (not rest.play.syncs(parent) or rest.play.is_out("deals", parent)):
                continue  # stopped or frozen before the deal got to know the id
            if _has_met_an_outsider(rest, object_, id_) or _has_lost_its_match(rest, object_, id_):
                continue
            explained = names & rest.play.memory.bereft or {(object_, id_)} & (rest.told.keys() | rest.waiting)
            assert explained, ("nobody says why it has no partner", object_, id_, row)
    merged = _find_merged(rest)
    for object_, rows in rest.there.items():
        for id_, row in rows.items():
            told = (object_, id_) in rest.told.keys() | rest.waiting or rest.play.is_out(object_, row)
            told = told or _is_an_outsiders(rest, object_, id_)
            assert row.get("sf_record_id") not in merged or told, ("A7: nobody says whose it is", object_, id_, row)
    taken_along = {entry["record_id"] for entry in rest.play.journal if entry["verb"] == "delete"}
    for deal, row in rest.there["deals"].items():
        if "sf_record_id" in row or not rest.play.syncs(row) or rest.play.is_out("deals", row):
            continue
        if deal in rest.play.memory.restored and taken_along & rest.sight.ids_of("deals", deal):
            continue  # by a person, after it was deleted along with its opportunity: `explain` says so (D4)
        assert ("deals", deal) in rest.told.keys() | rest.waiting, (
            "O6: nobody says why it is no opportunity",
            deal,
            row,
        )


def _has_met_an_outsider(rest: Rest, object_: str, id_: str) -> bool:
    """Whether its partner was out of scope when the two were found to be the same: it is not written to (A8)."""
    with rest.play.lab.engine.connect() as connection:
        asked = "SELECT hubspot_id FROM link WHERE state = 'frozen' AND salesforce_id = ?"
        met = [row[0] for row in connection.exec_driver_sql(asked, (id_,))]
    rows = rest.there[HUBSPOT_OF[object_]]
    return any(one in rows and rest.play.is_out(HUBSPOT_OF[object_], rows[one]) for one in met)


def _is_an_outsiders(rest: Rest, object_: str, id_: str) -> bool:
    """Whether the partner of a HubSpot record is out of scope: it does not learn whose it is by now (A8)."""
    here = SALESFORCE_OF[object_]
    with rest.play.lab.engine.connect() as connection:
        asked = "SELECT salesforce_id FROM link WHERE state = 'frozen' AND hubspot_id = ?"
        partners = [row[0] for row in connection.exec_driver_sql(asked, (id_,))]
    rows = rest.here[here]
    return any(one in rows and rest.play.is_out(here, rows[one]) for one in partners)


def _find_merged(rest: Rest) -> set[str]:
    """Salesforce records that live on in another one; that one may have been merged too, or been deleted."""
    found = set()
    for object_, live in rest.here.items():
        masters = {
            id_: row.get("MasterRecordId")
            for id_, row in rest.play.lab.salesforce.org.store.table(object_).bin.items()
        }
        for id_, master in masters.items():
            end = master
            while masters.get(end):
                end = masters[end]
            if end in live and not rest.play.is_out(object_, live[end]):
                found.add(id_)
    return found


# --- laws 3 and 5 -----------------------------------------------------------------------------------------------


def hold_nothing_vanished(rest: Rest) -> None:
    """Law 5: what somebody typed is in a CRM, or in the journal as the old value of a write."""
    olds: dict[tuple[str, str, str], set[Any]] = {}
    for entry in rest.play.journal:
        for change in entry["changes"]:
            value = _readable(rest, change["field"], change["old"])
            olds.setdefault((entry["object"], entry["record_id"], change["field"]), set()).add(value)
    for (object_, id_, field), value in rest.play.memory.typed.items():
        name = field if object_ in FIELDS else FIELDS[SALESFORCE_OF[object_]][field]
        row = (rest.here.get(object_) or rest.there.get(object_) or {}).get(id_)
        if row is None or meaning(field, value) is None:
            continue
        if meaning(field, _readable(rest, name, row.get(name))) == meaning(field, _readable(rest, name, value)):
            continue
        kept = {meaning(field, one) for one in olds.get((object_, id_, name), ())}
        assert meaning(field, _readable(rest, name, value)) in kept, (
            "law 5",
            object_,
            id_,
            field,
            value,
            row,
            kept,
        )


def _readable(rest: Rest, field: str, value: Any) -> Any:
    """A stage of HubSpot's by its first label, which people typed; any other value as it is."""
    return rest.play.stage_names.get(value, value) if field in {"dealstage", "StageName"} else value


def hold_one_sided_edits(rest: Rest) -> None:
    """F1: what was edited on one side only, of a field that goes both ways, is on both sides now.

    Or what a run wrote that died over it, of which nobody told: who puts back then what there was before cannot be
    told from somebody who did nothing.
    """
    memory = rest.play.memory
    unheard: dict[tuple[str, str], list[Any]] = {}
    for entry in rest.play.fresh:
        for change in entry["changes"] if entry["state"] == "intended" else ():
            unheard.setdefault((entry["record_id"], change["field"]), []).append(change["new"])
    for id_, _, deal, record in rest.linked("Opportunity"):
        if {id_, deal} & memory.loose or "stages" in memory.loose:
            continue
        if ("Opportunity", id_, deal) not in rest.play.paired_before:
            continue
        for field, name in FIELDS["Opportunity"].items():
            here, there = (memory.edited.get((one, field), NOT_EDITED) for one in (id_, deal))
            typed = there if here is NOT_EDITED else here
            if (here is NOT_EDITED) == (there is NOT_EDITED) or typed is UNKNOWN:
                continue
            if rest.is_told("Opportunity", id_, deal, field, name):
                continue
            now = _readable(rest, name, record.get(name))
            ours = [*unheard.get((deal, name), ()), *unheard.get((id_, field), ())]
            if meaning(field, now) in [meaning(field, _readable(rest, name, one)) for one in ours]:
                continue
            assert meaning(field, now) == meaning(field, _readable(rest, name, typed)), (
                "F1",
                deal,
                field,
                now,
                typed,
            )


def hold_stillness(rest: Rest) -> None:
    """O5, A8: while a pair is stopped or frozen, neither side changes the other."""
    still = {id_ for id_ in rest.here["Opportunity"] if rest.is_still("Opportunity", id_)}
    ids = {one for id_ in still for one in (id_, rest.pairs["Opportunity"].get(id_)) if one}
    calm = (ids & rest.play.still_before) - rest.play.memory.loose
    for entry in rest.play.fresh:
        assert entry["verb"] != "update" or entry["record_id"] not in calm, ("a still pair was written to", entry)
    rest.play.still_before = ids


def hold_minimality(rest: Rest) -> None:
    """Law 3: what was written had moved on one of the two sides, and was not there already."""
    memory = rest.play.memory
    # Who met since the last rest was equal in nothing; then the rules say what is written.
    known = {one for _, *both in rest.play.paired_before for one in both}
    rest.play.paired_before = rest.play.paired()
    for entry in rest.play.fresh:
        if entry["verb"] != "update" or entry["record_id"] not in known:
            continue
        object_ = entry["object"] if entry["object"] in FIELDS else SALESFORCE_OF[entry["object"]]
        names = {there: here for here, there in FIELDS[object_].items()} | {here: here for here in FIELDS[object_]}
        id_ = entry["record_id"]
        ids = {id_, rest.pairs[object_].get(id_), rest.partners[object_].get(id_)}
        written = {change["field"] for change in entry["changes"]}
        for change in entry["changes"]:
            name = names.get(change["field"])
            if change["field"] == "closedate" and "dealstage" in written:
                continue
            if name is None and change["field"] not in {"pipeline", "RecordTypeId"}:
                assert change["old"] != change["new"], ("law 3: it was there already", entry)
            if name is None or entry["state"] != "done":
                continue
            if name != "StageName":
                assert meaning(name, change["old"]) != meaning(name, change["new"]), (
                    "law 3: was there already",
                    entry,
                )
            if ids & (memory.loose | memory.owed) or (name == "StageName" and "stages" in memory.loose):
                continue
            assert any((one, name) in memory.touched for one in ids), ("law 3: nobody moved it", entry)
