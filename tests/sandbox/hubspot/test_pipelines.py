"""Deal pipelines and stages: shapes, chosen ids, what may go and what may not."""

from __future__ import annotations

import pytest

BASE = "/crm/v3/pipelines/deals"


def stage(stage_id, chance="0.5", label=None, order=0):
    return {
        "stageId": stage_id,
        "label": label or stage_id.title(),
        "displayOrder": order,
        "metadata": {"probability": chance},
    }


def pipeline(pipeline_id="renewals", *stages, label=None):
    return {
        "pipelineId": pipeline_id,
        "label": label or pipeline_id.title(),
        "displayOrder": 1,
        "stages": list(stages) or [stage("asked"), stage("yes", "1.0", order=1), stage("no", 0, order=2)],
    }


def test_the_built_in_pipeline(hub):
    """`default` with its seven stages, the last two of them closed."""
    (built_in,) = hub.call("GET", BASE)["results"]
    assert built_in["id"] == "default"
    assert [one["id"] for one in built_in["stages"]] == [
        "appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin",
        "contractsent", "closedwon", "closedlost",
    ]  # fmt: skip
    assert built_in["stages"][-1] == {
        "id": "closedlost",
        "label": "Closed Lost",
        "displayOrder": 6,
        "metadata": {"isClosed": "true", "probability": "0.0"},
        "createdAt": "2026-11-02T09:00:00.000Z",
        "updatedAt": "2026-11-02T09:00:00.000Z",
        "archived": False,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }


def test_one_call_makes_a_pipeline_with_chosen_ids(hub):
    """201; probabilities come back as strings, closed ones are told."""
    made = hub.call("POST", "/crm/pipelines/2026-09/0-3", pipeline(), 201)
    assert made["id"] == "renewals"
    assert [(one["id"], *one["metadata"].values()) for one in made["stages"]] == [
        ("asked", "false", "0.5"), ("yes", "true", "1.0"), ("no", "true", "0.0"),
    ]  # fmt: skip
    assert hub.call("GET", f"{BASE}/renewals") == made
    stages = hub.call("GET", "/crm/v3/properties/deals/dealstage")["options"]
    assert [one["value"] for one in stages[-3:]] == ["asked", "yes", "no"]
    pipelines = hub.call("GET", "/crm/v3/properties/deals/pipeline")["options"]
    assert [one["value"] for one in pipelines] == ["default", "renewals"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (pipeline("other", label="sales pipeline"), 409),
        (pipeline("default", stage("x"), label="New"), 400),
        (pipeline("other", stage("closedwon")), 400),
        (pipeline("other", stage("x"), stage("x", label="Y")), 400),
        (pipeline("other", stage("x"), stage("y", label="X")), 400),
        (pipeline("other", stage("x", "1.1")), 400),
        (pipeline("other", stage("x", "-0.1")), 400),
        (pipeline("other", stage("x", "often")), 400),
        (pipeline("other", {"label": "X", "displayOrder": 0}), 400),
        (pipeline("other", {"label": "X", "metadata": {"probability": "0.5"}}), 400),
        (pipeline("other", *(stage(f"s{number}") for number in range(101))), 400),
        ({"label": "X", "displayOrder": 1}, 400),
        ({"displayOrder": 1, "stages": [stage("x")]}, 400),
    ],
)
def test_a_wrong_pipeline_is_refused(hub, body, status):
    """Labels, ids, probabilities and the number of stages are checked; nothing is made."""
    hub.call("POST", BASE, body, status)
    assert len(hub.call("GET", BASE)["results"]) == 1
    hub.call("POST", BASE, pipeline("fine", *(stage(f"s{number}") for number in range(100))), 201)


def test_the_number_of_pipelines_is_capped(hub):
    """By the subscription, which is a setting here."""
    hub.set(max_pipelines=2)
    hub.call("POST", BASE, pipeline("one", stage("a")), 201)
    assert "limit" in hub.call("POST", BASE, pipeline("two", stage("b")), 400)["message"]


def test_a_pipeline_is_replaced_whole(hub):
    """PUT keeps the stages it names by id, adds new ones and drops the rest."""
    made = hub.call("POST", BASE, pipeline(), 201)
    hub.advance(1)
    body = pipeline("renewals", stage("yes", "1.0", order=0), stage("new", order=1), label="Renewed")
    replaced = hub.call("PUT", f"{BASE}/renewals", body)
    assert [one["id"] for one in replaced["stages"]] == ["yes", "new"]
    assert replaced["label"] == "Renewed"
    assert replaced["stages"][0]["createdAt"] == made["createdAt"]
    assert replaced["stages"][1]["createdAt"] > made["createdAt"]


@pytest.mark.parametrize("flag", ["validateReferencesBeforeDelete", "validateDealStageUsagesBeforeDelete"])
def test_stages_in_use_can_be_kept(hub, flag):
    """With the flag, what deals stand in is not deleted: 400 STAGE_ID_IN_USE; without it, it is."""
    hub.call("POST", BASE, pipeline(), 201)
    hub.create("deals", {"dealname": "D", "pipeline": "renewals", "dealstage": "asked"})
    body = pipeline("renewals", stage("yes", "1.0"))
    for method, path, sent in (
        ("DELETE", f"{BASE}/renewals?{flag}=true", None),
        ("PUT", f"{BASE}/renewals?{flag}=true", body),
        ("DELETE", f"{BASE}/renewals/stages/asked?{flag}=true", None),
    ):
        error = hub.call(method, path, sent, 400)
        assert error["subCategory"] == "PipelineError.STAGE_ID_IN_USE"
    hub.call("DELETE", f"{BASE}/renewals/stages/no?{flag}=true", expect=204)
    hub.call("DELETE", f"{BASE}/renewals", expect=204)
    hub.call("GET", f"{BASE}/renewals", expect=404)


def test_an_archived_pipeline_can_come_back(hub):
    """PATCH with `archived: false`; meanwhile its ids stay taken."""
    hub.call("POST", BASE, pipeline(), 201)
    hub.call("DELETE", f"{BASE}/renewals", expect=204)
    assert [one["id"] for one in hub.call("GET", f"{BASE}?archived=true")["results"]] == ["renewals"]
    hub.call("POST", BASE, pipeline("renewals", stage("other")), 400)
    hub.call("POST", BASE, pipeline("other", stage("asked")), 400)
    assert hub.call("PATCH", f"{BASE}/renewals", {"archived": False, "label": "Again"})["label"] == "Again"
    hub.create("deals", {"dealname": "D", "pipeline": "renewals", "dealstage": "asked"})


def test_the_last_pipeline_stays(hub):
    """A portal always has a deal pipeline."""
    hub.call("DELETE", f"{BASE}/default", expect=400)


def test_labels_stay_distinct_when_they_change(hub):
    """A pipeline may be renamed to itself but not to another's label."""
    hub.call("POST", BASE, pipeline(), 201)
    hub.call("PATCH", f"{BASE}/renewals", {"label": "Sales Pipeline"}, 409)
    assert hub.call("PATCH", f"{BASE}/renewals", {"label": "RENEWALS", "displayOrder": 5})["displayOrder"] == 5


def test_single_stages(hub):
    """Stages are made, read, changed, replaced and deleted one by one."""
    base = f"{BASE}/default/stages"
    made = hub.call("POST", base, stage("negotiation", "0.7", order=9), 201)
    assert made["metadata"] == {"isClosed": "false", "probability": "0.7"}
    assert hub.call("GET", f"{base}/negotiation") == made
    hub.advance(1)
    changed = hub.call("PATCH", f"{base}/negotiation", {"metadata": {"probability": "1"}})
    assert changed["metadata"] == {"isClosed": "true", "probability": "1.0"}
    assert changed["updatedAt"] > made["updatedAt"]
    hub.call("PUT", f"{base}/negotiation", {"label": "Only a label"}, 400)
    assert hub.call("PUT", f"{base}/negotiation", stage("negotiation", "0.3", "Talks", 1))["label"] == "Talks"
    assert len(hub.call("GET", base)["results"]) == 8
    hub.call("DELETE", f"{base}/negotiation", expect=204)
    hub.call("GET", f"{base}/negotiation", expect=404)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/default/stages", stage("closedwon", label="New")),
        ("POST", "/default/stages", stage("new", label="closed won")),
        ("POST", "/default/stages", stage("asked")),
        ("PATCH", "/default/stages/closedwon", {"label": "Closed Lost"}),
        ("PATCH", "/default/stages/closedwon", {"metadata": {"probability": "2"}}),
    ],
)
def test_a_wrong_stage_is_refused(hub, method, path, body):
    """Ids are unique in the portal, labels in the pipeline, probabilities between 0 and 1."""
    hub.call("POST", BASE, pipeline(), 201)
    hub.call(method, BASE + path, body, 400)


def test_a_changed_probability_reaches_the_deals(hub):
    """Deals tell the stage's probability of the moment, without being written."""
    deal = hub.create("deals", {"dealname": "D", "dealstage": "contractsent"})
    hub.call("PATCH", f"{BASE}/default/stages/contractsent", {"metadata": {"probability": "0.95"}})
    assert hub.read("deals", deal, "hs_deal_stage_probability")["hs_deal_stage_probability"] == "0.95"


def test_only_deals_have_pipelines(hub):
    """Contacts and companies have none here."""
    hub.call("GET", "/crm/v3/pipelines/contacts", expect=400)


def test_what_was_done_to_a_pipeline_is_written_down(hub):
    """Newest first, for the pipeline and for each of its stages."""
    stage = {"label": "S", "displayOrder": 0, "metadata": {"probability": "0.5"}, "stageId": "s"}
    body = {"label": "P", "displayOrder": 1, "pipelineId": "p", "stages": [stage]}
    hub.call("POST", "/crm/v3/pipelines/deals", body, 201)
    hub.advance(60)
    hub.call("PATCH", "/crm/v3/pipelines/deals/p", {"label": "Q"})
    hub.call("PUT", "/crm/v3/pipelines/deals/p/stages/s", {**stage, "label": "T"})
    done = hub.call("GET", "/crm/v3/pipelines/deals/p/audit")["results"]
    assert [(entry["action"], entry["rawObject"]["label"]) for entry in done] == [("UPDATE", "Q"), ("CREATE", "P")]
    assert done[0]["timestamp"] > done[1]["timestamp"]
    done = hub.call("GET", "/crm/v3/pipelines/deals/p/stages/s/audit")["results"]
    assert [(entry["action"], entry["rawObject"]["label"]) for entry in done] == [("UPDATE", "T"), ("CREATE", "S")]
    hub.call("GET", "/crm/v3/pipelines/deals/x/audit", expect=404)
    hub.call("GET", "/crm/v3/pipelines/deals/p/stages/x/audit", expect=404)


def test_a_refused_return_leaves_a_pipeline_archived(hub):
    """An archived pipeline does not come back under a label that is taken meanwhile."""
    stages = [{"label": "S", "displayOrder": 0, "metadata": {"probability": "0.5"}}]
    for name in ("p", "q"):
        body = {"label": "P", "displayOrder": 1, "pipelineId": name, "stages": stages}
        hub.call("POST", "/crm/v3/pipelines/deals", body, 201)
        if name == "p":
            hub.call("DELETE", "/crm/v3/pipelines/deals/p", expect=204)
    hub.call("PATCH", "/crm/v3/pipelines/deals/p", {"archived": False}, 409)
    hub.call("GET", "/crm/v3/pipelines/deals/p", expect=404)


def test_a_full_pipeline_takes_no_stage(hub):
    """The hundred and first is refused."""
    stages = [{"label": f"S{at}", "displayOrder": at, "metadata": {"probability": "0.5"}} for at in range(100)]
    body = {"label": "P", "displayOrder": 1, "pipelineId": "p", "stages": stages}
    hub.call("POST", "/crm/v3/pipelines/deals", body, 201)
    hub.call("POST", "/crm/v3/pipelines/deals/p/stages", {**stages[0], "label": "One more"}, 400)
