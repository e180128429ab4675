"""Values that look like a part of the language in which a CRM is asked: they are values, and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from adapters.conformance import flat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.adapters.base import Draft, Wanted
from connector.adapters.hubspot import HubSpot, HubSpotCredentials
from connector.adapters.salesforce_setup import find_custom_field, find_field_names
from connector.core.model import Presence
from connector.core.pipelines import CreateStage, Stage, UpdateStage
from connector.errors import Unreachable

HOSTILE = (
    "' OR Name != '", "x') OR (Id != ''", "\\", "\\'", "'", '"', "a\\", "%", "_", "a%", "a_c", "abc", "a'b\\c\"d",
    "); DELETE", "x' LIMIT 1", "ü'ß", "\u2019", "{ids}", "%27", "--", "/*", "𝒳'", "O\\u0027Neil",
)  # fmt: skip
ON_ONE_LINE = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])
texts = st.lists(
    st.sampled_from(["'", "\\", '"', "%", "_", "OR", " ", "(", ")", ";", "\\'", "{", "}", "a", "ü"]) | ON_ONE_LINE,
    min_size=1,
    max_size=12,
).map(lambda parts: "".join(parts).strip()[:40])
anything = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(HOSTILE)
KEPT = [HealthCheck.function_scoped_fixture]


class Org:
    """The bench, and which record stands for which value."""

    def __init__(self, bench, ids):
        self.bench, self.ids = bench, ids

    def __repr__(self):
        return "Org"


@pytest.fixture
def org(salesforce):
    """An org in which an opportunity stands for each hostile value."""
    drafts = [draft(salesforce, value) for value in HOSTILE]
    made = flat(salesforce.crm.create("Opportunity", drafts, salesforce.wanted))
    assert [one.refusal for one in made] == [None] * len(HOSTILE)
    return Org(salesforce, {one.key: one.id for one in made})


def draft(salesforce, value):
    return Draft(value, salesforce.draft("x").values | {salesforce.partner: value})


def test_each_value_finds_its_own_record(org):
    """Quotes, backslashes, wildcards: one after the other, and all in one query."""
    salesforce, ids = org.bench, org.ids
    for value, id_ in ids.items():
        assert {one.id for one in salesforce.crm.find("Opportunity", [value], salesforce.wanted).values()} == {id_}
    found = salesforce.crm.find("Opportunity", list(ids), salesforce.wanted)
    assert {value: one.id for value, one in found.items()} == ids


@settings(max_examples=40, suppress_health_check=KEPT)
@given(texts)
def test_whatever_the_value_its_record_is_found_and_no_other(org, value):
    """Any text that Salesforce keeps is found again by what it is."""
    salesforce, ids = org.bench, org.ids
    if value and value.casefold() not in {one.casefold() for one in ids}:
        (made,) = flat(salesforce.crm.create("Opportunity", [draft(salesforce, value)], salesforce.wanted))
        ids[value] = made.id
        found = salesforce.crm.find("Opportunity", [value], salesforce.wanted)
        assert [(key, one.id) for key, one in found.items()] == [(value, made.id)]


@settings(max_examples=25, suppress_health_check=KEPT)
@given(anything)
def test_no_value_breaks_out_of_a_query(org, value):
    """Line ends and control characters too, wherever a query takes a value: nothing found, or no id."""
    salesforce, ids = org.bench, org.ids
    crm = salesforce.crm
    known = {one.casefold() for one in ids}
    assert crm.find("Opportunity", [f"{value}?"], salesforce.wanted) == {} or f"{value}?".casefold() in known
    for ask in (
        lambda: any(crm.find_ties("Account", [value])[value]),
        lambda: any(crm.find_ties("Opportunity", [value])[value]),
        lambda: crm.last_touches("Contact", {value: [value]}),
        lambda: crm.find_strangers("Account", [value], Wanted(())),
        lambda: crm.last_edits("Opportunity", {value: [value]}),
        lambda: crm.roles_of([value]),
        lambda: find_custom_field(crm, value, value),
        lambda: find_field_names(crm, value) - find_field_names(crm, value.strip()),
    ):
        try:
            assert not ask()
        except Unreachable as error:
            assert "INVALID_QUERY_FILTER_OPERATOR" in error.message  # noqa: PT017  # either is right


@pytest.mark.parametrize("id_", ["junk", "", "006A0000006Vm9-", "006A0000006Vm9uAAA", *HOSTILE])
def test_what_is_no_id_is_not_there_and_spoils_no_question_about_others(org, id_):
    """Ids come from fields that people can edit."""
    there = org.ids["abc"]
    found = org.bench.crm.read("Opportunity", [id_, there], org.bench.wanted)
    assert {name: one.presence for name, one in found.items()} == {id_: Presence.INVISIBLE, there: Presence.PRESENT}


# --- HubSpot ----------------------------------------------------------------------------------------------

PATHS = ("../../oauth/v1/x", "1/associations/deals", "1?archived=true", "..", ".", "1#x", "%2e%2e", "1;x", "", "٣")


@pytest.mark.parametrize("id_", PATHS)
def test_an_id_leads_to_no_other_path(hubspot, id_):
    """Ids come from fields that people can edit, and from the command line: no part of a path is made of them."""
    hubspot.line.requests.clear()
    found = hubspot.crm.read("deals", [id_], hubspot.wanted)
    assert not found[id_].present
    assert {one.path for one in hubspot.line.requests} == {"/crm/v3/objects/deals/batch/read"}


class Recorder:
    """A door that keeps where it was asked to go."""

    def __init__(self):
        self.paths = []

    def request(self, method, url, **_):
        self.paths.append(urlsplit(url).path)
        raise ZeroDivisionError


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_names_of_pipelines_and_stages_are_one_part_of_a_path(pipeline, stage):
    """An administrator may call them what he likes."""
    door = Recorder()
    crm = HubSpot(door, HubSpotCredentials("https://api.hubapi.com"), searches_per_second=0)
    wanted = Stage(id=stage, label="x", probability=0.1, closed=False, order=0)
    for action in (CreateStage(pipeline, wanted), UpdateStage(pipeline, wanted, wanted)):
        with pytest.raises(ZeroDivisionError):
            crm.make_pipeline(action)
    assert [path.count("/") for path in door.paths] == [6, 7]


@pytest.mark.parametrize("value", HOSTILE)
def test_hubspot_is_asked_in_json(hubspot, value):
    """A value in a body is a value: its record is found, and no other."""
    drafts = [Draft(one, hubspot.draft("x").values | {hubspot.partner: one}) for one in HOSTILE]
    made = {one.key: one.id for one in flat(hubspot.crm.create("deals", drafts, hubspot.wanted))}
    found = hubspot.crm.find("deals", [value], hubspot.wanted)
    assert {key: one.id for key, one in found.items()} == {value: made[value]}
