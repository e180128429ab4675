"""Mapping files against both CRMs and the records seen: checked, compared, completed; and nothing is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from engine.lab import Lab

from connector.core.model import Side
from connector.engine.mappings.difference import compare, compare_live
from connector.engine.mappings.suggestion import suggest_live, suggest_offline
from connector.engine.mappings.validation import validate_live, validate_offline
from connector.engine.mappings.versions import find_versions
from connector.engine.schemas import recall_schemas
from connector.errors import BadConfiguration, Severity
from connector.settings import load_mapping, load_settings

SHIPPED = {
    path.name: path.read_text(encoding="utf-8") for path in sorted(Path("mappings").resolve().glob("*.yaml"))
}
DEALS, COMPANIES = "opportunity-deal.yaml", "account-company.yaml"
SF, HS = Side.SALESFORCE, Side.HUBSPOT


@pytest.fixture
def lab():
    return Lab()


@pytest.fixture
def folder(tmp_path):
    """A working folder with the shipped mappings."""
    write(tmp_path)
    return tmp_path


def write(folder, **changed):
    """Write the shipped mappings, some of them changed: `deals=(old, new)`."""
    (folder / "mappings").mkdir(exist_ok=True)
    for name, text in SHIPPED.items():
        key = {DEALS: "deals", COMPANIES: "companies"}.get(name, "")
        if key in changed:
            old, new = changed[key]
            assert old in text
            text = text.replace(old, new)  # noqa: PLW2901  # the same file
        (folder / "mappings" / name).write_text(text, encoding="utf-8")


def settings_of(lab):
    return load_settings(lab.environment, Path("nowhere"))


def use(lab, folder):
    """Let the lab's connector go by the mapping files of a folder."""
    lab.pairs = load_mapping(settings_of(lab), folder)


def errors(found):
    return [
        (Path(one.where).name, one.line, one.message) for one in found.findings if one.severity is Severity.ERROR
    ]


# --- checked ----------------------------------------------------------------------------------------------


def test_F3_a_run_refuses_types_that_do_not_fit_and_goes_on_once_they_do(lab, folder):
    """With file and line, before anything is written; an earlier look at the schemas does not stand in the way."""
    lab.opportunity()
    lab.sync()
    write(folder, deals=("hubspot: amount, transform: number", "hubspot: amount"))
    use(lab, folder)
    for act in (lab.plan, lab.sync):
        with pytest.raises(BadConfiguration) as caught:
            act()
        (finding,) = caught.value.findings
        assert (Path(finding.where).name, finding.remedy) == (DEALS, "use `transform: number`")
        assert SHIPPED[DEALS].split("\n")[finding.line - 1].strip().startswith("- {salesforce: Amount")
    write(folder)
    use(lab, folder)
    assert lab.sync_once().writes == 0


def test_F3_without_a_run_the_files_alone_are_checked_and_after_one_all_is(lab, folder):
    """A run reads both schemas, and they are remembered whole: unmapped fields are suggested from."""
    write(folder, deals=("hubspot: description", "hubspot: descripton"))
    before = validate_offline(settings_of(lab), folder, lab.store)
    assert (before.findings, before.read_at) == ((), None)
    assert "Opportunity" in before.unchecked
    lab.sync()
    after = validate_offline(settings_of(lab), folder, lab.store)
    assert [message for _, _, message in errors(after)] == [
        "HubSpot deals has no property descripton, or the connector may not see it"
    ]
    assert (after.read_at, after.unchecked) == (recall_schemas(lab.store).at, ())


def test_F3_live_reads_both_schemas_and_remembers_them(lab, folder):
    """For four calls; what an administrator has changed since is seen at once."""
    c = lab.connection()
    found = validate_live(c, folder)
    assert (errors(found), found.live) == ([], True)
    assert (c.salesforce.usage().calls, c.hubspot.usage().calls) == (1, 3)
    assert recall_schemas(lab.store).schemas[SF]["Account"]["Industry"].label == "Industry"
    formula = {"sobject": "Opportunity", "name": "Mine__c", "type": "double", "scale": 2}
    lab.sandbox_post("salesforce", "fields", [formula | {"calculated": True, "calculatedFormula": "Amount * 2"}])
    write(folder, deals=("salesforce: Amount, hubspot", "salesforce: Mine__c, hubspot"))
    assert "has no field Mine__c" in errors(validate_offline(settings_of(lab), folder, lab.store))[0][2]
    assert "Mine__c is a formula" in errors(validate_live(lab.connection(), folder))[0][2]


def test_F3_broken_files_and_wrong_fields_are_told_together(lab, folder):
    """The files that can be read are checked although another cannot be."""
    write(folder, deals=("hubspot: dealname", "hubspot: dealnam"), companies=("fields:", "fields"))
    found = validate_live(lab.connection(), folder)
    assert [(name, said.partition(",")[0]) for name, _, said in errors(found)] == [
        (COMPANIES, "has a line that is not `key: value`"),
        (DEALS, "new HubSpot deals need dealname"),
        (DEALS, "HubSpot deals has no property dealnam"),
    ]
    for name in SHIPPED:
        (folder / "mappings" / name).write_text("- no\n", encoding="utf-8")
    assert len(errors(validate_live(lab.connection(), folder))) == len(SHIPPED)


def test_A8_F3_a_scope_on_what_is_not_there_is_told_with_what_was_meant(lab, folder):
    """On its line, with the nearest name."""
    write(folder, deals=("fields:", "scope:\n  salesforce: [{field: Typ, is: New}]\nfields:"))
    found = validate_live(lab.connection(), folder)
    ((_, line, message),) = errors(found)
    assert (line, message) == (11, "scope: Opportunity of salesforce has no field Typ")
    assert next(one.remedy for one in found.findings if one.line == line).startswith("did you mean `Type`?")


def test_F3_values_seen_that_will_not_fit_are_told(lab, folder):
    """A name that HubSpot takes and Salesforce does not, with the record that has it."""
    lab.opportunity()
    lab.sync()
    deal = next(iter(lab.hs_all("deals")))
    lab.hs_edit("deals", deal, dealname="x" * 130)
    lab.sync()
    found = validate_offline(settings_of(lab), folder, lab.store)
    assert [one.message for one in found.of(Severity.WARNING)] == [
        f"dealname has 130 characters in the HubSpot record {deal}, but Name in Salesforce takes 120"
    ]


# --- compared ---------------------------------------------------------------------------------------------


def note(lab, folder):
    """A run that goes by the files of a folder."""
    files = {path.name: path.read_text(encoding="utf-8") for path in (folder / "mappings").glob("*.yaml")}
    lab.store.runs.finish(lab.store.runs.begin(files=files), "ok", {})


def difference(lab, folder, given=None):
    return compare(*find_versions(settings_of(lab), folder, lab.store, given), lab.store)


def effect_of(found, salesforce):
    (one,) = [entry for pair in found.pairs for entry in pair.fields if entry.salesforce == salesforce]
    return one.effect


def counts(effect, side):
    return effect.writes[side].filled, effect.writes[side].changed, effect.writes[side].cleared


@pytest.fixture
def apart(lab, folder):
    """Accounts whose phone nobody synced: filled here, there, on both sides, on neither."""
    write(
        folder,
        companies=("{salesforce: Phone, hubspot: phone}", "{salesforce: Phone, hubspot: phone, rule: dont_sync}"),
    )
    use(lab, folder)
    note(lab, folder)
    for number, phone in enumerate(["1", "2", "3", None, None, None]):
        lab.sf_create("Account", Name=f"A{number}", Phone=phone)
    lab.sync()
    companies = {row["name"]: id_ for id_, row in lab.hs_all("companies", "name").items()}
    for name, phone in {"A1": "9", "A2": "3", "A3": "8", "A4": "7"}.items():
        lab.hs_edit("companies", companies[name], phone=phone)
    assert lab.sync_once().writes == 0
    return lab


@pytest.mark.parametrize(
    ("rule", "salesforce", "hubspot"),
    [
        ("always_salesforce", (0, 0, 0), (1, 1, 2)),
        ("always_hubspot", (2, 1, 1), (0, 0, 0)),
        ("prefer_salesforce_unless_blank", (2, 0, 0), (1, 1, 0)),
        ("hold", (2, 0, 0), (1, 0, 0)),
    ],
)
def test_T4_what_a_changed_rule_would_write_is_counted_by_the_planner_of_the_runs(
    apart, folder, rule, salesforce, hubspot
):
    """Filled, changed and cleared on each side: as many as a first meeting by the new mapping then writes."""
    write(
        folder,
        companies=("{salesforce: Phone, hubspot: phone}", f"{{salesforce: Phone, hubspot: phone, rule: {rule}}}"),
    )
    kept = apart.durable_store()
    effect = effect_of(difference(apart, folder), "Phone")
    assert (effect.links, counts(effect, SF), counts(effect, HS)) == (6, salesforce, hubspot)
    assert apart.durable_store() == kept, "comparing writes nothing"
    use(apart, folder)
    assert apart.sync_once().writes == 0, "T4: using it writes nothing"
    apart.forget()
    report = apart.sync()
    assert (report.updated[SF].total(), report.updated[HS].total()) == (sum(salesforce), sum(hubspot))


def test_T4_a_removed_field_keeps_its_values_and_a_new_one_was_never_read(lab, folder):
    """The one has no effect; of the other nothing is known until it is read, which `--live` does for its price."""
    note(lab, folder)
    for name in ("A", "B"):
        lab.sf_create("Account", Name=name, Industry="Banking" if name == "A" else None, Phone="1")
    lab.sync()
    new = "{salesforce: Industry, hubspot: industry, transform: picklist, values: {Banking: BANKING}}"
    write(folder, companies=("{salesforce: Phone, hubspot: phone}", new))
    found = difference(lab, folder)
    assert [(one.salesforce, one.kind) for one in found.pairs[0].fields] == [
        ("Industry", "added"),
        ("Phone", "removed"),
    ]
    assert effect_of(found, "Phone") is None
    assert (effect_of(found, "Industry").unread, effect_of(found, "Industry").links) == (2, 2)
    c = lab.connection()
    live = compare_live(c, *find_versions(settings_of(lab), folder, lab.store, None))
    assert (effect_of(live, "Industry").unread, counts(effect_of(live, "Industry"), HS)) == (0, (1, 0, 0))
    assert live.calls == {SF: 2, HS: 1} == {side: c.crm(side).usage().calls for side in Side}
    assert lab.hs_all("companies", "industry").keys() == lab.hs_all("companies", "phone").keys()
    assert all(row["industry"] is None for row in lab.hs_all("companies", "industry").values())


def test_T4_owners_stages_and_partners_are_told_from_what_was_agreed(lab, folder):
    """No CRM is asked; an owner of which no linked record tells is said to be untold."""
    note(lab, folder)
    account, _, opportunity = lab.business()
    lab.sync()
    deal = lab.deal_of(opportunity)
    lab.hs_edit("deals", deal, hubspot_owner_id="")
    write(folder, deals=("transform: owner, rule: two_way", "transform: owner, rule: always_salesforce"))
    found = difference(lab, folder)
    assert effect_of(found, "OwnerId").links == 1
    write(folder, deals=("refers_to: account-company}", "refers_to: account-company, rule: two_way}"))
    effect = effect_of(difference(lab, folder), "AccountId")
    assert (effect.links, effect.waiting, counts(effect, HS)) == (1, 0, (0, 0, 0))
    write(
        folder, deals=("    transform: stage\n    rule: two_way", "    transform: stage\n    rule: always_hubspot")
    )
    assert effect_of(difference(lab, folder), "RecordTypeId+StageName").links == 1
    assert account


def test_A8_what_a_changed_scope_leaves_out_is_counted(lab, folder):
    """Of both sides, and of the fields what is out of scope writes nothing."""
    note(lab, folder)
    lab.opportunity("Small", Amount=1)
    lab.opportunity("Large", Amount=100)
    lab.sync()
    scope = "scope:\n  salesforce: {field: Amount, at_least: 50}\nfields:"
    write(folder, deals=("fields:", scope))
    (pair,) = difference(lab, folder).pairs
    assert [(one.key, one.old) for one in pair.changes] == [("scope of salesforce", None)]
    assert {side: (one.leaves, one.enters, one.unread) for side, one in pair.scope.items()} == {SF: (1, 0, 0)}
    note(lab, folder)
    write(folder, deals=("fields:", scope.replace("Amount, at_least: 50", "NextStep, filled: true")))
    (pair,) = difference(lab, folder).pairs
    assert (pair.scope[SF].enters, pair.scope[SF].unread) == (1, 2)


def test_versions_that_are_not_there_are_told(lab, folder):
    """No run yet, no such revision, no mapping file in a folder, and a version that is broken."""
    with pytest.raises(BadConfiguration, match="1 thing"):
        difference(lab, folder)
    (folder / "empty").mkdir()
    for given, said in (
        ("nonsense", "neither a file, nor a folder, nor a revision"),
        ("empty", "holds no mapping file"),
    ):
        with pytest.raises(BadConfiguration) as caught:
            difference(lab, folder, given)
        assert said in caught.value.findings[0].message
    (folder / "draft.yaml").write_text("pair: nothing\n", encoding="utf-8")
    with pytest.raises(BadConfiguration) as caught:
        difference(lab, folder, "draft.yaml")
    assert caught.value.findings[0].where.endswith("draft.yaml")


def test_a_draft_takes_the_place_of_the_file_of_its_pair(lab, folder):
    """A single file, or a folder of them; without a store there is nothing to count on."""
    text = SHIPPED[COMPANIES].replace("match_on: [id, domain, name]", "match_on: [id, name]")
    (folder / "draft.yaml").write_text(text, encoding="utf-8")
    (pair,) = difference(lab, folder, "draft.yaml").pairs
    assert [(one.key, one.old, one.new) for one in pair.changes] == [
        ("match_on", ["id", "domain", "name"], ["id", "name"])
    ]
    (folder / "draft" / "mappings").mkdir(parents=True)
    (folder / "draft" / "mappings" / "a.yaml").write_text(text, encoding="utf-8")
    versions = find_versions(settings_of(lab), folder, None, "draft")
    kinds = {one.pair: one.kind for one in compare(*versions, None).pairs}
    assert kinds.pop("account-company") == "changed"
    assert kinds == dict.fromkeys(("contact-contact", "opportunity-deal", "contact-role"), "removed")


# --- completed --------------------------------------------------------------------------------------------


def test_proposals_rest_on_a_sample_of_linked_records_within_a_few_calls(lab, folder):
    """What is filled, and whether both sides agree; nothing is applied, and of what is mapped in vain is told."""
    for number in range(6):
        lab.sf_create("Account", Name=f"A{number}", Fax=str(number), Rating="Hot")
        lab.opportunity(f"O{number}", NextStep=f"call {number}")
    lab.sync()
    for id_, row in lab.hs_all("deals", "dealname").items():
        lab.hs_edit("deals", id_, hs_next_step=f"call {row['dealname'][-1]}")
    lab.sync()
    c = lab.connection()
    found = suggest_live(c, list(lab.pairs.values()))
    best = {(one.salesforce.name, one.hubspot.name): one for one in found.proposals}
    step = best["NextStep", "hs_next_step"]
    assert (step.agree, step.compared, step.filled[SF].filled, step.filled[HS].filled) == (6, 6, 6, 6)
    assert step.score == 1.0
    assert found.calls == {side: c.crm(side).usage().calls for side in Side}
    assert found.calls[SF] <= 1 + len(lab.pairs)
    assert found.calls[HS] <= 2 * len(lab.pairs)
    unused = {(one.salesforce, one.hubspot) for one in found.unused}
    assert ("BillingCity", "city") in unused
    assert ("Name", "name") not in unused
    offline = suggest_offline(settings_of(lab), list(lab.pairs.values()), lab.store)
    assert ("NextStep", "hs_next_step") in {(one.salesforce.name, one.hubspot.name) for one in offline.proposals}
    assert offline.calls == {}


def test_proposals_before_the_first_run_rest_on_any_records(lab, folder):
    """The first page of either side; without either, on names and types alone."""
    lab.sf_create("Account", Name="A", Industry="Banking")
    (one,) = [
        one
        for one in suggest_live(lab.connection(), [lab.pairs["account-company"]]).proposals
        if one.salesforce.name == "Industry"
    ]
    assert (one.filled[SF].filled, one.filled[HS].records) == (1, 0)
    nothing = suggest_offline(settings_of(lab), [lab.pairs["contact-contact"]], None)
    assert (nothing.proposals, nothing.unknown) == ((), ("Contact", "contacts"))


def test_git_is_told_no_secret(tmp_path, monkeypatch):
    """A repository's own settings can make git start a program: it finds no credentials in its environment."""
    found = tmp_path / "environment"
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\nenv > {found}\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "canary-token")
    with pytest.raises(BadConfiguration, match="1 thing"):
        find_versions(load_settings({}, tmp_path), tmp_path, None, "HEAD")
    told = found.read_text()
    assert "PATH=" in told
    assert "canary" not in told
