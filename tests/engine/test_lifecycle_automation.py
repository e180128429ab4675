"""HubSpot moves lifecycle stages by itself too, if its settings say so: the two never fight (L2-L7).

Each story is told four times: with HubSpot's own automation on and off, with the connector's on and off. After
every act there is a run, and the run after it writes nothing (`Lab.sync_once`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from engine.lab import Lab

from connector.core.model import Side

OURS = {
    "CONNECTOR__LIFECYCLE__COMPANY_TO_CONTACTS": "true",
    "CONNECTOR__LIFECYCLE__NEW_RECORD": "lead",
}
OURS_OFF = {f"CONNECTOR__LIFECYCLE__{name}": "" for name in ("DEAL_CREATED", "DEAL_WON", "ROLE_OPEN", "ROLE_WON")}
Stages = Mapping[str, str | None]


@dataclass
class Cast:
    """Who plays: an account with two contacts and the opportunities that a story makes."""

    lab: Lab
    people: dict[str, tuple[str, str]] = field(default_factory=dict)
    """(HubSpot object, Salesforce id) by the name that the story gives."""

    def enter(self) -> None:
        self.people["company"] = "companies", self.lab.sf_create("Account", Name="Acme", Website="acme.example")
        for name in ("ann", "bob"):
            id_ = self.lab.sf_create("Contact", LastName=name, Email=f"{name}@acme.example", AccountId=self.account)
            self.people[name] = "contacts", id_

    @property
    def account(self) -> str:
        return self.people["company"][1]

    def hubspot(self, name: str) -> tuple[str, str]:
        object_, id_ = self.people[name]
        return object_, self.lab.partner(object_, id_) or ""

    def deal(self, stage: str = "Prospecting", *who: str, **more: str) -> str:
        """An opportunity of the company, with roles of these contacts."""
        made = self.lab.opportunity(f"deal {stage}", StageName=stage, **{"AccountId": self.account, **more})
        for name in who:
            self.lab.role(made, self.people[name][1])
        return made

    def move(self, opportunity: str, stage: str) -> None:
        self.lab.sf_edit("Opportunity", opportunity, StageName=stage)
        self.rest()

    def rest(self) -> None:
        self.lab.sync_once()

    def stages(self) -> dict[str, str | None]:
        return {
            name: self.lab.hs_get(*self.hubspot(name), "lifecyclestage")["lifecyclestage"] for name in self.people
        }


def first_deal(cast: Cast) -> None:
    """L2: its company and its contact; the colleague through the company (L5)."""
    cast.enter()
    cast.deal("Prospecting", "ann")
    cast.rest()


def won(cast: Cast) -> None:
    """L3: an open deal is won."""
    cast.enter()
    deal = cast.deal("Prospecting", "ann")
    cast.rest()
    cast.move(deal, "Closed Won")


def won_at_once(cast: Cast) -> None:
    """L3: the deal is won when it is first seen."""
    cast.enter()
    cast.deal("Closed Won", "ann")
    cast.rest()


def lost_at_once(cast: Cast) -> None:
    """L4: the deal is lost when it is first seen."""
    cast.enter()
    cast.deal("Closed Lost", "ann")
    cast.rest()


def lost_later(cast: Cast) -> None:
    """L4: an open deal is lost."""
    cast.enter()
    deal = cast.deal("Prospecting", "ann")
    cast.rest()
    cast.move(deal, "Closed Lost")


def lost_after_won(cast: Cast) -> None:
    """L4: a customer by one deal, another one is lost."""
    won(cast)
    cast.deal("Closed Lost", "ann")
    cast.rest()


def reopened_after_lost(cast: Cast) -> None:
    """L4, then work goes on, and it is won after all."""
    lost_later(cast)
    cast.lab.sf_edit("Opportunity", cast.lab.sf_all("SELECT Id FROM Opportunity")[0]["Id"], StageName="Prospecting")
    cast.rest()


def reopened_after_won(cast: Cast) -> None:
    """The won deal is open again: nobody goes back."""
    won(cast)
    cast.lab.sf_edit("Opportunity", cast.lab.sf_all("SELECT Id FROM Opportunity")[0]["Id"], StageName="Prospecting")
    cast.rest()


def deleted(cast: Cast) -> None:
    """The only deal is deleted: nobody goes back."""
    cast.enter()
    deal = cast.deal("Prospecting", "ann")
    cast.rest()
    cast.lab.sf_delete("Opportunity", deal)
    cast.rest()


def role_removed(cast: Cast) -> None:
    """The only role is removed: nobody goes back."""
    cast.enter()
    deal = cast.deal("Closed Won", "ann")
    cast.rest()
    (role,) = cast.lab.sf_all(f"SELECT Id FROM OpportunityContactRole WHERE OpportunityId = '{deal}'")
    cast.lab.sf_delete("OpportunityContactRole", role["Id"])
    cast.rest()


def role_later(cast: Cast) -> None:
    """L7: a role on an open opportunity that nobody had a role on."""
    cast.enter()
    deal = cast.deal("Prospecting", AccountId=cast.lab.sf_create("Account", Name="Elsewhere"))
    cast.rest()
    cast.lab.role(deal, cast.people["ann"][1])
    cast.rest()


def company_by_hand(cast: Cast) -> None:
    """L5: somebody makes the company an evangelist."""
    cast.enter()
    cast.rest()
    cast.lab.hs_edit(*cast.hubspot("company"), lifecyclestage="evangelist")
    cast.rest()


def contact_by_hand(cast: Cast) -> None:
    """L5 never goes from a contact to its company."""
    cast.enter()
    cast.rest()
    cast.lab.hs_edit(*cast.hubspot("ann"), lifecyclestage="evangelist")
    cast.rest()


def newcomer(cast: Cast) -> None:
    """L5: a contact joins a customer."""
    won(cast)
    joins = cast.lab.sf_create("Contact", LastName="New", Email="new@else.example")
    cast.people["newcomer"] = "contacts", joins
    cast.rest()
    cast.lab.sf_edit("Contact", joins, AccountId=cast.account)
    cast.rest()


def just_made(cast: Cast) -> None:
    """L6: nothing happens but that they are there."""
    cast.enter()
    cast.rest()


def all_at(stage: str | None, *names: str) -> dict[str, str | None]:
    return dict.fromkeys(names or ("company", "ann", "bob"), stage)


STORIES: dict[Callable[[Cast], None], Stages] = {
    just_made: all_at("lead"),
    first_deal: all_at("opportunity"),
    won: all_at("customer"),
    won_at_once: all_at("customer"),
    lost_at_once: all_at("lead"),
    lost_later: all_at("opportunity"),
    lost_after_won: all_at("customer"),
    reopened_after_lost: all_at("opportunity"),
    reopened_after_won: all_at("customer"),
    deleted: all_at("opportunity"),
    role_removed: all_at("customer"),
    company_by_hand: all_at("evangelist"),
    contact_by_hand: {"company": "lead", "ann": "evangelist", "bob": "lead"},
    newcomer: all_at("customer", "company", "ann", "bob", "newcomer"),
}
told = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
automation = pytest.mark.parametrize("hubspot", ["off", "new_portal"])


def play(story: Callable[[Cast], None], ours: dict[str, str], hubspot: str) -> Cast:
    lab = Lab(ours)
    lab.sandbox_post("hubspot", "settings", {"automation": hubspot}, "PUT")
    lab.sync()
    cast = Cast(lab)
    story(cast)
    return cast


def moves(cast: Cast) -> list[tuple[str, str | None]]:
    """The lifecycle values that the connector wrote: (property, value)."""
    return [
        (change["field"], change["new"])
        for name in cast.people
        for entry in cast.lab.store.journal.of_record(Side.HUBSPOT, *cast.hubspot(name))
        for change in entry["changes"]
        if change["field"] in {"lifecyclestage", "closedate", "sf_days_to_close"}
    ]


@automation
@told
def test_L2_to_L7_with_equal_settings_the_stages_are_the_same_whoever_is_first(story, hubspot):
    """With HubSpot's own automation on and off all end in the same stage, and every second run is quiet."""
    cast = play(story, OURS, hubspot)
    assert cast.stages() == STORIES[story]
    assert cast.lab.problems() == []


@told
def test_L2_to_L7_switched_off_here_all_is_left_to_hubspot(story):
    """The connector writes no lifecycle value, and HubSpot brings everybody where it would."""
    cast = play(story, OURS_OFF, "new_portal")
    assert moves(cast) == []
    assert cast.stages() == STORIES[story]


@told
def test_L2_to_L7_switched_off_on_both_sides_only_people_move_stages(story):
    """Nothing is written, and nobody moves."""
    cast = play(story, OURS_OFF, "off")
    assert moves(cast) == []
    by_hand = {company_by_hand: {"company": "evangelist"}, contact_by_hand: {"ann": "evangelist"}}
    assert cast.stages() == dict.fromkeys(cast.people) | by_hand.get(story, {})


@automation
def test_L7_with_L5_a_role_moves_its_contact_and_the_colleagues_but_not_the_company(hubspot):
    """HubSpot's own automation knows of no colleagues; the connector brings them along."""
    cast = play(role_later, OURS, hubspot)
    assert cast.stages() == {"company": "lead", "ann": "opportunity", "bob": "opportunity"}


@automation
def test_L3_close_date_and_days_to_close_are_there_whoever_was_first(hubspot):
    """HubSpot sets the close date of whoever it makes a customer; the days are then counted to that date."""
    cast = play(won, OURS, hubspot)
    for name in ("company", "ann"):
        shown = cast.lab.hs_get(*cast.hubspot(name), "closedate", "sf_days_to_close")
        assert (shown["closedate"][:10], shown["sf_days_to_close"]) == ("2026-06-30", "120")
    assert not cast.lab.hs_get(*cast.hubspot("bob"), "closedate")["closedate"]


@automation
def test_L1_what_a_person_lowered_while_both_automations_are_on_stays_until_something_happens(hubspot):
    """Neither a run nor HubSpot takes it back; the next event does."""
    cast = play(first_deal, OURS, hubspot)
    for name in ("company", "ann"):
        cast.lab.hs_edit(*cast.hubspot(name), lifecyclestage="")
        cast.lab.hs_edit(*cast.hubspot(name), lifecyclestage="subscriber")
    cast.rest()
    assert cast.stages() == {"company": "subscriber", "ann": "subscriber", "bob": "opportunity"}
    cast.move(cast.lab.sf_all("SELECT Id FROM Opportunity")[0]["Id"], "Closed Won")
    assert cast.stages() == all_at("customer")
