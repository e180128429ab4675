"""Saved plans that were edited or cut off: applied as far as they are true, or refused with what is wrong."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from fuzz.oracle import DONE, run, tried
from fuzz.place import working
from fuzz.wire import GONE, ODD, Lists, Put
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("plans")


@cache
def saved(folder: Any, form: str) -> bytes:
    """What `plan --out` writes of the work that waits."""
    with working(folder) as place:
        run("plan", "--out", f"plan.{form}", **place.environment)
        return bytes((folder / f"plan.{form}").read_bytes())


BENDS = st.lists(
    st.one_of(
        st.builds(Put, st.integers(0, 300), st.sampled_from((GONE, GONE, *ODD))),
        st.builds(Lists, st.integers(0, 30), st.sampled_from(("reversed", "doubled", "cut", "emptied"))),
    ),
    max_size=3,
)


@tried(8)
@given(
    bends=BENDS,
    form=st.sampled_from(("json", "json", "json", "html", "md")),
    cut=st.one_of(st.none(), st.none(), st.none(), st.integers(0, 999)),
    data=st.data(),
)
def test_X1_a_bent_plan_is_applied_as_far_as_it_is_true(
    folder: Any, bends: list[Any], form: str, cut: int | None, data: st.DataObject
) -> None:
    """It writes nothing that a sync would not write now; a plan that is none writes nothing at all."""
    content = saved(folder, form)
    for bend in bends if form == "json" else ():
        _, _, content = bend.bend(200, {}, content)
    content = content if cut is None else content[: len(content) * cut // 1000]
    with working(folder) as place:
        before = place.lab.hs_all("deals", "amount"), place.lab.sf_all("SELECT Id, Description FROM Opportunity")
        (folder / "bent").write_bytes(content)
        result = run("apply", "bent", *(["--json"] if data.draw(st.booleans()) else []), **place.environment)
        after = place.lab.hs_all("deals", "amount"), place.lab.sf_all("SELECT Id, Description FROM Opportunity")
        if result.exit_code not in DONE:
            assert before == after
        for row in after[0].values():
            assert row["amount"] in {"100", "100.0", "250", "250.0"}, row
        for row in after[1]:
            assert row["Description"] in {None, "from HubSpot"}, row
