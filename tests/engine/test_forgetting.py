"""A run forgets what is too old, and says so to whoever asks for it."""

from __future__ import annotations

import pytest
from engine.lab import Lab
from engine.undoing import undo_run

from connector.engine.answers.explain import explain
from connector.engine.answers.runs import show_run
from connector.errors import BadConfiguration


@pytest.fixture
def lab():
    lab = Lab()
    lab.business(Amount=100)
    lab.sync_until_rest()
    return lab


def edit(lab, amount):
    lab.sf_edit("Opportunity", lab.sf_all("SELECT Id FROM Opportunity")[0]["Id"], Amount=amount)
    return lab.sync().run


def refused(act):
    with pytest.raises(BadConfiguration) as caught:
        act()
    (finding,) = caught.value.findings
    return finding


def test_X2_a_run_that_is_forgotten_cannot_be_undone_and_that_is_said(lab):
    """A run that linked records is still listed, one that did not is gone; of neither it is known what it wrote."""
    first = 1
    second = edit(lab, 200)
    lab.advance(days=401)
    third = edit(lab, 300)
    for run in (first, second):
        finding = refused(lambda run=run: undo_run(lab, run))
        assert f"what run {run} wrote is forgotten" in finding.message
        assert "journal.keep_days" in finding.remedy
    assert "2027-04" in refused(lambda: undo_run(lab, first)).message
    shown, kinds = show_run(lab.store, first)
    assert (shown.forgotten[:7], kinds) == ("2027-04", ())
    assert "is forgotten" in refused(lambda: show_run(lab.store, second)).remedy
    assert "there is no run 999" in refused(lambda: undo_run(lab, 999)).message
    undo_run(lab, third)
    (deal,) = lab.hs_all("deals", "amount").values()
    assert float(deal["amount"]) == 200
    assert lab.sync().writes == 0


def test_X3_a_record_is_explained_by_what_is_still_known(lab):
    """Since when its pair is linked, and the writes that are not forgotten."""
    (opportunity,) = lab.sf_all("SELECT Id FROM Opportunity")
    before = explain(lab.connection(), opportunity["Id"])
    edit(lab, 200)
    lab.advance(days=401)
    last = edit(lab, 300)
    told = explain(lab.connection(), opportunity["Id"])
    assert (told.link.run, told.link.since) == (before.link.run, before.link.since)
    assert {one.run for one in told.history} == {last}
    assert told.verdict == "in step"


def test_nothing_is_forgotten_if_nobody_wants_that(lab):
    """An empty `journal.keep_days` keeps everything."""
    lab.configure(JOURNAL__KEEP_DAYS="")
    second = edit(lab, 200)
    lab.advance(days=4000)
    edit(lab, 300)
    assert lab.store.journal.of_run(second)
    lab.configure(JOURNAL__KEEP_DAYS="30")
    edit(lab, 400)
    assert lab.store.journal.of_run(second) == []
