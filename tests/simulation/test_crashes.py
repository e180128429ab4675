"""A run that dies at any request or commit ends as if it had not: a sample of what `make crashes` tries (law 4)."""

from __future__ import annotations

from collections import Counter

import pytest
from engine.lab import Lab
from engine.laws.broken import plain_create, settles_before_it_writes
from engine.laws.sight import HUBSPOT_OF, SALESFORCE_OF, Sight
from engine.laws.story import look
from engine.laws.styles import STYLES
from simulation.crash_loop import ROLE, Durable, digest_store, try_death, try_deaths, watch
from simulation.crash_situations import choose_spread, find_situations, tell_apart

SITUATIONS = find_situations()
SAMPLE = {
    "act, shipped: a role is added in Salesforce": 3,
    "act, portal: a deal of a contact and a company is made in HubSpot": 9,
    "act, typed: an opportunity gets another record type in Salesforce": 7,
    "pair, scoped: an opportunity leaves scope, its deal is edited": 7,
    "pair, backwards: contacts are merged and one is edited": 7,
    "late, shipped: an opportunity is restored": 8,
    "first, shipped: HubSpot knows some": 16,
    "import, shipped: opportunities in bulk": 14,
    "file, shipped: deals to salesforce, filling in": 4,
    "undo, shipped: a run that deleted a deal": 6,
}
"""Situations, each with how many of its moments go by for one that is tried."""


@pytest.mark.parametrize("name", SAMPLE)
def test_law4_a_run_that_dies_comes_to_the_rest_of_one_that_did_not(name):
    """The same records, links, problems and set-up, nothing twice, and every creation accounted for."""
    outcome = try_deaths(SITUATIONS[name], every=SAMPLE[name])
    assert outcome.tried
    assert [(one.at, one.wrong) for one in outcome.wrong] == []


def test_the_spread_has_whatever_happens_and_every_style():
    """Two styles of each thing where there are as many, and no style less often than others by much."""
    chosen = choose_spread(SITUATIONS)
    assert len(chosen) == len({*chosen}) < len(SITUATIONS) / 2
    happens, styles = (Counter(part) for part in zip(*map(tell_apart, chosen), strict=True))
    everything = Counter(tell_apart(name)[0] for name in SITUATIONS)
    assert happens == {what: min(number, 2) for what, number in everything.items()}
    assert styles.keys() == STYLES.keys()
    assert min(styles.values()) > len(chosen) / 7


def test_law4_a_run_that_recovers_may_die_too():
    """Dying over the recovery from a death is made good as well."""
    outcome = try_deaths(SITUATIONS["act, shipped: an opportunity is won in Salesforce"], every=100, nested=1)
    assert len(outcome.nested) > 3
    assert outcome.wrong == []


def test_what_is_kept_is_what_a_process_that_dies_leaves():
    """It dies before a boundary, or after a request was answered: what is durable then was kept at that moment."""
    situation = SITUATIONS["act, shipped: a deal of a contact and a company is made in HubSpot"]
    lab = situation.make()
    begun = lab.durable_crms(), lab.durable_store()
    lab.become(*begun)
    album = watch(lab, situation.run)
    calls = {one.boundary: one.calls for one in album.moments}
    requests = [one for one in range(1, album.boundaries) if calls[one] > calls[one - 1]]
    deaths = [(one, False) for one in range(5, album.boundaries, 12)] + [(one, True) for one in requests[1::5]]
    for boundary, after in deaths:
        lab.become(*begun)
        assert lab.sync_and_die(boundary, after_delivery=after)
        left = lab.durable_crms(), lab.durable_store()
        kept = album.durable[album.at(boundary if after else boundary - 1)]
        assert _look_at(lab, left) == _look_at(lab, kept), (boundary, after)


def _look_at(lab: Lab, durable: Durable) -> tuple[object, ...]:
    """All fields of all records and who belongs to whom, and all that the store has committed."""
    lab.become(*durable)
    sight = Sight(lab)
    here = {name: {id_: dict(row) for id_, row in sight.here(name).items()} for name in (*HUBSPOT_OF, ROLE)}
    there = {name: {id_: dict(row) for id_, row in sight.there(name).items()} for name in SALESFORCE_OF}
    return here, there, look(sight), digest_store(lab.durable_store())


@pytest.mark.parametrize(
    ("broken", "name", "says"),
    [
        (settles_before_it_writes, "act, shipped: an amount is changed in Salesforce", "Amount"),
        (plain_create, "act, shipped: an opportunity of nobody is made in Salesforce", "numbers"),
    ],
    ids=["settles_before_it_writes", "plain_create"],
)
def test_a_connector_that_does_not_survive_a_death_is_noticed(broken, name, says):
    """One that settles before it writes loses an edit; one that creates without an id makes a second record."""
    with broken():
        outcome = try_deaths(SITUATIONS[name], every=2)
    assert any(says in one.wrong for one in outcome.wrong)
    assert try_death(SITUATIONS[name], outcome.wrong[0].at).wrong == ""
