"""The laws, under people who do what they like, deaths at any step, and meddling in the middle of a run.

A Hypothesis state machine drives both CRMs and the connector. The oracle below shares no code with the
connector: it compares what the two CRMs show through their own APIs, and knows what people typed. Three
deliberately broken engines show that the machine would notice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from engine.lab import Lab
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from connector.core import merge
from connector.core.model import Base, Side
from connector.engine import apply
from connector.engine.run import Wish

NOT_EDITED, UNKNOWN = object(), object()
_ALL = Wish(deletes=True)
_side = Side
TEXTS = st.sampled_from(["Alpha", "  Beta  ", "Gamma ö", 'D\'Angelo "D"', "E, F & G", "Delta 🚀"])
AMOUNTS = st.sampled_from([0, 1, 1054, 1054.5, 99999.99])
DATES = st.sampled_from(["2026-01-31", "2026-02-28", "2026-06-30", "2027-12-31"])
STAGES = st.sampled_from(["Prospecting", "Qualification", "Proposal/Price Quote", "Closed Won", "Closed Lost"])
DESCRIPTIONS = st.sampled_from([None, "first line\nsecond line", "short", "trailing   "])
EDITS = {
    "Name": TEXTS.map(lambda one: f"{one} renamed"),
    "Amount": st.none() | AMOUNTS,
    "CloseDate": DATES,
    "StageName": STAGES,
    "Description": DESCRIPTIONS,
}
NEXT = st.integers(min_value=1, max_value=36)
STRIKE = NEXT | st.integers(min_value=-3, max_value=-1)  # at a step, or at the first, second or third write
TWO_WAY = {
    "Name": "dealname",
    "Amount": "amount",
    "CloseDate": "closedate",
    "StageName": "dealstage",
    "Description": "description",
}
ORDER = [
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer",
    "evangelist", "other",
]  # fmt: skip


def meaning(field: str, value: Any) -> Any:
    """What a value of either side means, written down independently of the connector."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if field == "Amount":
        return float(value)
    if field == "CloseDate":
        return str(value)[:10]
    return str(value).replace("\r\n", "\n").strip()


@cache
def _prepared() -> tuple[Lab, str]:
    """Two CRMs with one opportunity and its deal, at rest. Deletions in HubSpot are looked for every hour."""
    lab = Lab({"CONNECTOR__HUBSPOT__SWEEP_HOURS": "1"})
    opportunity = lab.opportunity("First", Amount=10)
    lab.sync_until_rest()
    return lab, opportunity


class World(RuleBasedStateMachine):
    """People, a connector, and the laws."""

    opportunities = Bundle("opportunities")
    deals = Bundle("deals")
    contacts = Bundle("contacts")
    accounts = Bundle("accounts")

    engine: Any = None
    """A context manager that breaks the connector, for the tests of this test."""

    @initialize(target=opportunities)
    def begin(self) -> str:
        self.broken = self.engine() if self.engine else None
        if self.broken:
            self.broken.__enter__()
        prepared, first = _prepared()
        self.lab = prepared.copy()
        self.live: set[str] = {first}
        self.born_in_hubspot: set[str] = set()
        self.ever_born: set[str] = set()
        self.ever_seen: set[str] = set()
        self.typed: dict[tuple[str, str, str], Any] = {}
        self.touched: set[tuple[str, str]] = set()
        self.edited: dict[tuple[str, str, str], Any] = {}
        self.journals: list[Any] = []
        self.read_until = 0
        self.mine: set[str] = set()
        self.heights: dict[tuple[str, str], int] = {}
        self.number = 0
        return first

    def teardown(self) -> None:
        if getattr(self, "broken", None):
            self.broken.__exit__(None, None, None)

    # --- people ---

    def note(self, side: str, record: str, **values: Any) -> None:
        """Remember what was typed; what a person types over is no loss."""
        for field, value in values.items():
            self.typed[side, record, field] = value
            self.touched.add((record, field))
            self.edited[side, record, field] = value

    @rule(target=accounts, name=TEXTS)
    def new_account(self, name: str) -> str:
        self.number += 1
        return self.lab.sf_create("Account", Name=f"{name.strip()} {self.number}")

    @rule(target=contacts, name=TEXTS, account=st.none() | accounts, email=st.booleans())
    def new_contact(self, name: str, account: str | None, email: bool) -> str:  # Hypothesis draws it
        self.number += 1
        fields = {"LastName": name, "AccountId": account}
        if email:
            fields["Email"] = f"Person{self.number}@Example.com"
        return self.lab.sf_create("Contact", **fields)

    @rule(
        target=opportunities,
        name=TEXTS,
        amount=st.none() | AMOUNTS,
        date=DATES,
        stage=STAGES,
        account=st.none() | accounts,
        who=st.none() | contacts,
    )
    def new_opportunity(self, name: str, amount: Any, date: str, stage: str, account: Any, who: Any) -> str:
        return self.make_opportunity(name, amount, date, stage, account, who)

    def make_opportunity(self, name: str, amount: Any, date: str, stage: str, account: Any, who: Any) -> str:
        self.number += 1
        fields = {"Name": f"{name.strip()} {self.number}", "Amount": amount, "CloseDate": date, "StageName": stage}
        id_ = self.lab.sf_create("Opportunity", AccountId=account, **fields)
        if who:
            self.lab.role(id_, who)
        self.live.add(id_)
        self.note("salesforce", id_, **fields)
        return id_

    @rule(who=contacts, where=opportunities)
    def new_role(self, who: str, where: str) -> None:
        if self.exists(where):
            taken = self.lab.sf_all(
                f"SELECT Id FROM OpportunityContactRole WHERE OpportunityId = '{where}' AND ContactId = '{who}'"
            )
            if not taken:
                self.lab.role(where, who)

    def edit_opportunity_now(self, id_: str, change: dict[str, Any]) -> None:
        if self.exists(id_):
            self.lab.sf_edit("Opportunity", id_, **change)
            self.note("salesforce", id_, **change)

    def edit_deal_now(self, id_: str, change: dict[str, Any]) -> None:
        known = self.lab.hs_all("deals", "dealname")
        if id_ not in known:
            return
        properties = {TWO_WAY[field]: value for field, value in change.items()}
        if "StageName" in change:
            properties["dealstage"] = self.lab.stages(self.lab.pipeline())[change["StageName"]]
        if "CloseDate" in change:
            properties["closedate"] = f"{change['CloseDate']}T00:00:00Z"
        self.lab.hs_edit("deals", id_, **{k: "" if v is None else str(v) for k, v in properties.items()})
        self.note("hubspot", id_, **change)
        if change.get("StageName", "").startswith("Closed"):
            # HubSpot sets the close date by itself when a deal is closed.
            self.typed.pop(("hubspot", id_, "CloseDate"), None)
            self.touched.add((id_, "CloseDate"))
            self.edited["hubspot", id_, "CloseDate"] = UNKNOWN

    changes = st.one_of(*(values.map(lambda one, field=field: {field: one}) for field, values in EDITS.items()))

    @rule(id_=opportunities, change=changes)
    def edit_opportunity(self, id_: str, change: dict[str, Any]) -> None:
        self.edit_opportunity_now(id_, change)

    @rule(id_=opportunities, change=changes)
    def edit_its_deal(self, id_: str, change: dict[str, Any]) -> None:
        self.edit_its_deal_now(id_, change)

    def edit_its_deal_now(self, id_: str, change: dict[str, Any]) -> None:
        deal = self.lab.partner("deals", id_)
        if deal:
            self.edit_deal_now(deal, change)

    @rule(id_=deals, change=changes)
    def edit_deal(self, id_: str, change: dict[str, Any]) -> None:
        self.edit_deal_now(id_, change)

    @rule(id_=opportunities, here=changes, there=changes, hubspot_first=st.booleans())
    def edit_both(self, id_: str, here: dict[str, Any], there: dict[str, Any], hubspot_first: bool) -> None:
        """Both sides are edited, in either order."""
        if hubspot_first:
            self.edit_its_deal_now(id_, there)
            self.lab.advance(seconds=1)
        self.edit_opportunity_now(id_, here)
        if not hubspot_first:
            self.lab.advance(seconds=1)
            self.edit_its_deal_now(id_, there)

    @rule(target=deals, name=TEXTS, amount=st.none() | AMOUNTS, date=DATES, stage=STAGES, who=st.none() | contacts)
    def new_deal(self, name: str, amount: Any, date: str, stage: str, who: Any) -> str:
        return self.make_deal(name, amount, date, stage, who)

    def make_deal(self, name: str, amount: Any, date: str, stage: str, who: Any) -> str:
        self.number += 1
        pipeline = self.lab.pipeline()
        contact = self.lab.partner("contacts", who) if who else None
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]
        fields = {"Name": f"{name.strip()} {self.number}", "Amount": amount, "CloseDate": date, "StageName": stage}
        id_ = self.lab.hs_create(
            "deals",
            [{"to": {"id": contact}, "types": types}] if contact else [],
            dealname=fields["Name"],
            amount="" if amount is None else str(amount),
            closedate=f"{date}T00:00:00Z",
            pipeline=pipeline,
            dealstage=self.lab.stages(pipeline)[stage],
        )
        self.born_in_hubspot.add(id_)
        self.ever_born.add(id_)
        self.note("hubspot", id_, **fields)
        return id_

    @rule(who=contacts, where=opportunities)
    def associate(self, who: str, where: str) -> None:
        contact, deal = self.lab.partner("contacts", who), self.lab.partner("deals", where)
        if contact and deal:
            self.lab.hs_associate("deals", deal, "contacts", contact, 3)

    @rule(target=opportunities)
    def find_opportunity_born_in_hubspot(self) -> Any:
        """From now on, people in Salesforce work on it too."""
        rows = self.lab.sf_all("SELECT Id FROM Opportunity WHERE HubSpot_Id__c != null ORDER BY Id")
        new = [row["Id"] for row in rows if row["Id"] not in self.mine][:1]
        self.mine.update(new)
        return multiple(*new)

    @rule(id_=opportunities)
    def delete_opportunity(self, id_: str) -> None:
        self.delete_opportunity_now(id_)

    def delete_opportunity_now(self, id_: str) -> None:
        if self.exists(id_):
            self.lab.sf_delete("Opportunity", id_)
            self.live.discard(id_)
            self.ever_seen.discard(id_)
            self.forget_typed(id_)

    def exists(self, id_: str) -> bool:
        return bool(self.lab.sf_all(f"SELECT Id FROM Opportunity WHERE Id = '{id_}'"))

    @rule(id_=opportunities)
    def delete_its_deal(self, id_: str) -> None:
        deal = self.lab.partner("deals", id_)
        if deal:
            self.lab.hs_delete("deals", deal)
            self.forget_typed(deal)

    @rule(id_=consumes(deals))
    def delete_deal(self, id_: str) -> None:
        if id_ in self.lab.hs_all("deals", "dealname"):
            self.lab.hs_delete("deals", id_)
            self.forget_typed(id_)
            self.born_in_hubspot.discard(id_)

    def forget_typed(self, record: str) -> None:
        """What a person deletes, a person deletes."""
        self.typed = {key: value for key, value in self.typed.items() if key[1] != record}

    @rule(seconds=st.sampled_from([1, 59, 61, 3700, 90000]))
    def wait(self, seconds: int) -> None:
        self.lab.clock.advance(timedelta(seconds=seconds))

    # --- the connector ---

    @rule()
    def sync(self) -> None:
        self.lab.sync(_ALL)

    @rule(
        name=TEXTS, stage=STAGES, who=st.none() | contacts, in_hubspot=st.booleans(), at=STRIKE, after=st.booleans()
    )
    def die_creating(self, name: str, stage: str, who: Any, in_hubspot: bool, at: int, after: bool) -> None:
        """The process dies while a new record's partner is made."""
        if in_hubspot:
            self.make_deal(name, 1054, "2026-06-30", stage, who)
        else:
            self.make_opportunity(name, 1054, "2026-06-30", stage, None, who)
        self.lab.sync_and_die(at, after_delivery=after)

    clashes = st.sampled_from(["Name", "Amount", "CloseDate", "StageName", "Description"]).flatmap(
        lambda field: st.tuples(EDITS[field], EDITS[field]).map(lambda two: [{field: one} for one in two])
    )

    @rule(id_=opportunities, edits=clashes, at=NEXT, in_hubspot=st.booleans())
    def race(self, id_: str, edits: list[dict[str, Any]], at: int, in_hubspot: bool) -> None:
        """An edit on one side is on its way while somebody edits the other."""
        first, second = self.edit_opportunity_now, self.edit_its_deal_now
        if in_hubspot:
            first, second = second, first
        first(id_, edits[0])
        self.lab.advance(seconds=1)
        self.lab.sync_while(at, lambda: second(id_, edits[1]))

    @rule(at=STRIKE, after=st.booleans())
    def die(self, at: int, after: bool) -> None:
        self.lab.sync_and_die(at, after_delivery=after)

    @rule(at=NEXT, id_=opportunities, change=changes, in_hubspot=st.booleans())
    def meddle(self, at: int, id_: str, change: dict[str, Any], in_hubspot: bool) -> None:
        act = self.edit_its_deal_now if in_hubspot else self.edit_opportunity_now
        self.lab.sync_while(at, lambda: act(id_, change))

    @rule(at=NEXT, id_=opportunities)
    def delete_meanwhile(self, at: int, id_: str) -> None:
        self.lab.sync_while(at, lambda: self.delete_opportunity_now(id_))

    @rule()
    def forget_everything(self) -> None:
        """Law 6: at rest, an empty store deletes nothing, doubles nothing and changes nothing."""
        self.come_to_rest()
        before = self.shape()
        self.journals.append(self.lab.store)
        self.read_until = 0
        self.lab.forget()
        report = self.lab.sync(_ALL)
        assert sum(sum(one.values()) for one in (*report.created.values(), *report.deleted.values())) == 0
        assert self.shape() == before

    def shape(self) -> Any:
        deals = self.lab.hs_all("deals", *TWO_WAY.values(), "sf_record_id")
        keep = (*TWO_WAY.values(), "sf_record_id")
        fields = ", ".join(("Id", *TWO_WAY))
        rows = self.lab.sf_all(f"SELECT {fields} FROM Opportunity ORDER BY Id")
        return (
            {id_: {name: row.get(name) for name in keep} for id_, row in deals.items()},
            [{name: row[name] for name in ("Id", *TWO_WAY)} for row in rows],
            sorted(self.lab.hs_all("contacts", "email")),
            sorted(self.lab.hs_all("companies", "name")),
        )

    @rule()
    def rest(self) -> None:
        self.come_to_rest()

    def come_to_rest(self) -> None:
        """Laws 1, 2, 5, 7 once nobody acts any more."""
        # Past the next sweep, so that deletions in HubSpot that nothing else revealed are known.
        self.lab.clock.advance(timedelta(hours=2))
        self.lab.sync_until_rest()
        assert self.lab.plan(_ALL).writes == 0, "law 1: the next plan is empty"
        self.check_agreement()
        self.check_one_in_one_out()
        self.check_nothing_vanished()
        self.check_one_sided_edits()
        self.check_minimality()
        self.touched.clear()
        self.edited.clear()

    def check_agreement(self) -> None:
        """Law 2."""
        labels = {id_: label for label, id_ in self.lab.stages(self.lab.pipeline()).items()}
        deals = self.lab.hs_all("deals", *TWO_WAY.values(), "sf_record_id", "pipeline")
        fields = ", ".join(("Id", *TWO_WAY))
        rows = {row["Id"]: row for row in self.lab.sf_all(f"SELECT {fields} FROM Opportunity")}
        for deal_id, deal in deals.items():
            row = rows.get(deal.get("sf_record_id") or "")
            if row is None:
                continue
            for here, there in TWO_WAY.items():
                value = labels.get(deal[there], deal[there]) if here == "StageName" else deal.get(there)
                assert meaning(here, row[here]) == meaning(here, value), (here, deal_id, row, deal)

    def check_one_in_one_out(self) -> None:
        """Law 7, law 10, D1 and D2."""
        rows = self.lab.sf_all("SELECT Id, HubSpot_Id__c FROM Opportunity")
        ids = {row["Id"] for row in rows}
        parents = [row["HubSpot_Id__c"] for row in rows if row["HubSpot_Id__c"]]
        assert len(parents) == len(set(parents)), "law 7: a deal became two opportunities"
        assert set(parents) <= self.ever_born, "law 7: a deal that nobody made became an opportunity"
        archived = self.lab.hs_all("deals", "sf_record_id", archived=True)
        deals = self.lab.hs_all("deals", "sf_record_id", "pipeline")
        partners = [row["sf_record_id"] for row in deals.values() if row.get("sf_record_id")]
        assert len(partners) == len(set(partners)), "law 7: an opportunity became two deals"
        assert set(partners) <= ids, "D1: the deal of a deleted opportunity is deleted"
        for id_ in self.live:
            gone = [row for row in archived.values() if row.get("sf_record_id") == id_]
            assert (id_ in partners) != bool(gone), f"{id_} has a deal unless somebody deleted it (D2, D3)"
        assert self.born_in_hubspot & deals.keys() <= set(parents), "O6: every new deal became an opportunity"

    def check_nothing_vanished(self) -> None:
        """Law 5: what somebody typed is in a CRM, or in the journal as the old value of a write."""
        labels = {id_: label for label, id_ in self.lab.stages(self.lab.pipeline()).items()}
        deals = self.lab.hs_all("deals", *TWO_WAY.values())
        fields = ", ".join(("Id", *TWO_WAY))
        rows = {row["Id"]: row for row in self.lab.sf_all(f"SELECT {fields} FROM Opportunity")}
        for (side, record, field), value in self.typed.items():
            if side == "salesforce":
                now = rows.get(record, {}).get(field)
                name, object_ = field, "Opportunity"
            else:
                name, object_ = TWO_WAY[field], "deals"
                now = deals.get(record, {}).get(name)
                now = labels.get(now, now) if field == "StageName" else now
            if meaning(field, now) == meaning(field, value) or meaning(field, value) is None:
                continue
            olds = [
                labels.get(change["old"], change["old"])
                for store in (*self.journals, self.lab.store)
                for entry in store.journal.of_record(_side(side), object_, record)
                for change in entry["changes"]
                if change["field"] == name
            ]
            journalled = {meaning(field, old) for old in olds}
            assert meaning(field, value) in journalled, (side, record, field, value, now, olds)

    def check_one_sided_edits(self) -> None:
        """F1: what was edited on one side only is on both sides now, whichever record is the newer one."""
        labels = {id_: label for label, id_ in self.lab.stages(self.lab.pipeline()).items()}
        for deal_id, deal in self.lab.hs_all("deals", *TWO_WAY.values(), "sf_record_id").items():
            for field, name in TWO_WAY.items():
                here = self.edited.get(("salesforce", deal["sf_record_id"], field), NOT_EDITED)
                there = self.edited.get(("hubspot", deal_id, field), NOT_EDITED)
                typed = there if here is NOT_EDITED else here
                if (here is NOT_EDITED) == (there is NOT_EDITED) or typed is UNKNOWN:
                    continue
                now = labels.get(deal[name], deal[name]) if field == "StageName" else deal[name]
                assert meaning(field, now) == meaning(field, typed), ("F1", deal_id, field, now, typed)

    def check_minimality(self) -> None:
        """Law 3: what was written had moved on one of the two sides, and was not there already."""
        links = self.lab.store.links
        labels = {id_: label for label, id_ in self.lab.stages(self.lab.pipeline()).items()}
        names = {there: here for here, there in TWO_WAY.items()} | {here: here for here in TWO_WAY}
        fresh = self.read_until
        for run in range(fresh + 1, self.lab.store.runs.last()["run"] + 1):
            for entry in self.lab.store.journal.of_run(run):
                self.read_until = run
                if entry["verb"] != "update" or entry["object"] not in {"deals", "Opportunity"}:
                    continue
                side = _side(entry["side"])
                link = links.by_ids("opportunity-deal", side, [entry["record_id"]]).get(entry["record_id"])
                ids = {entry["record_id"], link and link.salesforce_id, link and link.hubspot_id}
                written = {change["field"] for change in entry["changes"]}
                for change in entry["changes"]:
                    name = names.get(change["field"])
                    if name is None or (name == "CloseDate" and "dealstage" in written):
                        continue
                    old, new = labels.get(change["old"], change["old"]), labels.get(change["new"], change["new"])
                    assert meaning(name, old) != meaning(name, new), ("law 3: it was there already", entry)
                    assert any((id_, name) in self.touched for id_ in ids), ("law 3: nobody moved it", entry)

    # --- always ---

    @invariant()
    def monotone(self) -> None:
        """Law 11: nobody lowers a lifecycle stage here, so none may fall."""
        if not hasattr(self, "heights"):
            return
        for object_ in ("contacts", "companies"):
            for id_, row in self.lab.hs_all(object_, "lifecyclestage").items():
                height = ORDER.index(row["lifecyclestage"]) if row.get("lifecyclestage") else -1
                assert height >= self.heights.get((object_, id_), -1), "law 11"
                self.heights[object_, id_] = height

    @invariant()
    def asymmetry(self) -> None:
        """Law 10, at every moment."""
        if hasattr(self, "ever_seen"):
            ids = {row["Id"] for row in self.lab.sf_all("SELECT Id FROM Opportunity")}
            assert self.ever_seen <= ids, "law 10: only people in Salesforce delete opportunities"
            self.ever_seen |= ids


THOROUGH = int(os.environ.get("MACHINE_EXAMPLES", "40"))
STEPS = int(os.environ.get("MACHINE_STEPS", "25"))
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


class RestingWorld(World):
    """Ends every story at rest, where most laws speak."""

    def teardown(self) -> None:
        try:
            if hasattr(self, "touched"):
                self.come_to_rest()
        finally:
            super().teardown()


def test_laws_1_2_3_5_6_7_10_11_hold_whatever_happens():
    """People act on both sides, the process dies anywhere, the store is lost: the laws hold."""
    run_state_machine_as_test(
        RestingWorld,
        settings=settings(
            max_examples=THOROUGH, stateful_step_count=STEPS, deadline=None, suppress_health_check=CHECKS
        ),
    )


# --- would the machine notice? ----------------------------------------------------------------------------


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def plain_create():
    """Deals are created without the id that would make a second try collide."""
    from connector.adapters.hubspot import HubSpot

    honest = HubSpot._creation

    def forgetful(self, object_, draft):
        body = honest(self, object_, draft)
        body["properties"].pop("sf_record_id", None)
        return body

    return _replaced(HubSpot, "_creation", forgetful)


def one_shared_base():
    """Both sides are compared with what HubSpot looked like."""
    honest = merge.merge_field

    def confused(rule, salesforce, hubspot, base, newer, known):
        shared = {
            here: base.hubspot[there]
            for here, there in zip(rule.salesforce, rule.hubspot, strict=True)
            if there in base.hubspot
        }
        return honest(rule, salesforce, hubspot, Base(shared, base.hubspot), newer, known)

    from connector.core import plan

    return _replaced(plan, "merge_field", confused)


def no_reread():
    """What was seen is taken for what is there."""
    return _replaced(apply, "_still_true", lambda work, pair, side, updates: list(updates))


def _narrowed(sabotage: Any, rules: set[str]) -> type[World]:
    """The machine with a broken engine and only some of its rules, so that it is quick to find out."""
    every = {name for name, member in vars(World).items() if hasattr(member, "hypothesis_stateful_rule")}
    assert rules < every, rules - every
    silenced = dict.fromkeys(every - rules)
    return type("Narrowed", (RestingWorld,), {"engine": staticmethod(sabotage) if sabotage else None, **silenced})


@pytest.mark.parametrize(
    ("sabotage", "rules"),
    [
        (plain_create, {"die_creating"}),
        (one_shared_base, {"edit_both"}),
        (no_reread, {"race"}),
    ],
)
def test_the_machine_catches_a_broken_engine(sabotage, rules):
    """A machine that passes everything would prove nothing."""
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            _narrowed(sabotage, rules),
            settings=settings(
                max_examples=300,
                stateful_step_count=3,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=CHECKS,
                database=None,
                report_multiple_bugs=False,
            ),
        )


@pytest.mark.parametrize("rules", [{"die_creating"}, {"edit_both"}, {"race"}])
def test_the_narrowed_machine_finds_nothing_wrong_with_the_real_engine(rules):
    """What catches a broken engine above is the breaking, not the narrowing."""
    run_state_machine_as_test(
        _narrowed(None, rules),
        settings=settings(max_examples=30, stateful_step_count=3, deadline=None, suppress_health_check=CHECKS),
    )
