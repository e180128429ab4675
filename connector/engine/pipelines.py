"""What follows when other pipelines sync than at the last run (O2, O5, P4).

A pipeline begins to sync when it is assigned, when its record type is activated again, or when room is found for
it. Pairs that were stopped in it are merged at once. Deals in it that never had an opportunity get one when
somebody touches them; until then they are only counted.
"""

from __future__ import annotations

from connector.core.model import LinkState, Side
from connector.engine.work import Work
from connector.engine.world import DEALS, PIPELINES, remembered_homes

PAGE = 1000


def resume_pipelines(work: Work) -> None:
    """Look again at the pairs in pipelines that have begun to sync, and remember which ones do now."""
    if DEALS not in work.c.pairs:
        return
    runs, homes = work.c.store.runs, work.world.stages.pipelines
    before = runs.read(PIPELINES)
    # A record type that is not active now keeps its pipeline in mind, unless another one has it.
    kept = {one: home for one, home in remembered_homes(work.c).items() if home not in homes.values()}
    now = {"homes": [[one, home] for one, home in {**kept, **homes}.items()], "syncing": sorted({*homes.values()})}
    if before == now:
        return
    with work.c.store.transaction():
        if before is not None and (begun := {*homes.values()} - {*before["syncing"]}):
            _resume(work, begun)
        runs.remember(PIPELINES, now)


def _resume(work: Work, begun: set[str]) -> None:
    pair, store = work.c.pairs[DEALS], work.c.store
    after, existing = "", 0
    while deals := store.records.page(Side.HUBSPOT, pair.hubspot, after, PAGE):
        after = deals[-1].id
        inside = [one.id for one in deals if one.fields.get("pipeline") in begun]
        links = store.links.by_ids(pair.name, Side.HUBSPOT, inside)
        live = [id_ for id_, one in links.items() if one.state in {LinkState.LINKED, LinkState.FROZEN}]
        store.records.mark(Side.HUBSPOT, pair.hubspot, live)
        store.links.derive_parents([links[id_].id for id_ in live])
        due = {*store.records.dirty(Side.HUBSPOT, pair.hubspot, "", 10**9)} if inside else set()
        existing += sum(id_ not in links and id_ not in due for id_ in inside)
    if existing:
        work.report.notes.append(
            f"{existing} existing deal(s) in pipelines that sync from now on become opportunities"
            " once somebody changes them (P4)"
        )
