"""Record types become pipelines, stages become deal stages, and stay so (O2, O3, O4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core.examples import HS, SF
from hypothesis import given
from hypothesis import strategies as st

from connector.core.model import Cannot
from connector.core.pipelines import (
    CreatePipeline,
    CreateStage,
    Pipeline,
    PipelineSettings,
    RecordType,
    Stage,
    StageDefinition,
    StageMap,
    UpdateStage,
    plan_pipelines,
    stage_probability,
)


def stage(name, probability=50.0, *, label=None, closed=False, won=False):
    return StageDefinition(name, label or name, probability, closed, won)


QUALIFY, TALK = stage("Qualification", 10), stage("Negotiation/Review", 90)
IS_WON, IS_LOST = stage("Closed Won", 100, closed=True, won=True), stage("Closed Lost", 0, closed=True)
STAGES = (QUALIFY, TALK, IS_WON, IS_LOST)
NEW = RecordType("012000000000001AAA", "New business", STAGES)
RENEWAL = RecordType("012000000000002AAA", "Renewal", (QUALIFY, IS_WON))
MASTER = RecordType(None, "Master", STAGES)
SALES = Pipeline("default", "Sales Pipeline", (Stage("closedwon", "Closed Won", 1.0, closed=True),))
DEFAULTS = PipelineSettings()


def carry_out(plan, existing):
    """The portal after a plan, done to a plain dictionary."""
    portal = {pipeline.id: pipeline for pipeline in existing}
    for action in plan.actions:
        match action:
            case CreatePipeline(pipeline):
                assert pipeline.id not in portal
                portal[pipeline.id] = pipeline
            case CreateStage(pipeline_id, made):
                before = portal[pipeline_id]
                assert made.id not in {one.id for one in before.stages}
                portal[pipeline_id] = replace(before, stages=(*before.stages, made))
            case UpdateStage(pipeline_id, changed, was):
                before = portal[pipeline_id]
                assert was in before.stages
                stages = tuple(changed if one == was else one for one in before.stages)
                portal[pipeline_id] = replace(before, stages=stages)
        ids = [one.id for pipeline in portal.values() for one in pipeline.stages]
        assert len(set(ids)) == len(ids), "HubSpot refuses two stages of one id"
        for one in portal.values():
            said = [stage.label.lower() for stage in one.stages]
            assert len(set(said)) == len(said), "HubSpot refuses two stages of one label in a pipeline"
        labels = [one.label for one in portal.values()]
        assert len(labels) == len(set(labels)), "HubSpot refuses two pipelines of one label"
    return list(portal.values())


def labels(plan):
    return [action.pipeline.label for action in plan.actions if isinstance(action, CreatePipeline)]


# --- naming -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("only", [NEW, MASTER], ids=["a single record type", "no record type"])
def test_O2_a_single_record_type_has_the_default_pipeline(only):
    """And so has an org without any."""
    assert labels(plan_pipelines([only], [SALES], DEFAULTS)) == ["Salesforce - Default pipeline"]


def test_O2_each_of_several_record_types_has_a_pipeline_named_by_its_id():
    """In the order in which they are given."""
    plan = plan_pipelines([NEW, RENEWAL], [SALES], DEFAULTS)
    assert labels(plan) == ["Salesforce - 012000000000001AAA", "Salesforce - 012000000000002AAA"]


def test_O2_readable_names_are_a_setting():
    """`{record_type.name}` stands for the record type's name."""
    readable = PipelineSettings(label="SF: {record_type.name} ({record_type.id})")
    assert labels(plan_pipelines([NEW, RENEWAL], [], readable))[1] == "SF: Renewal (012000000000002AAA)"


@pytest.mark.parametrize("template", ["{record_type.name}", "Salesforce"], ids=["same name", "no placeholder"])
def test_O2_labels_that_collide_get_their_ids_added(template):
    """HubSpot wants labels unique; two record types never share a pipeline by accident."""
    twin = replace(RENEWAL, name=NEW.name)
    settings = PipelineSettings(label=template)
    plan = plan_pipelines([NEW, twin], [], settings)
    assert len(set(labels(plan))) == 2
    assert all(one.id in label for one, label in zip((NEW, twin), labels(plan), strict=True))
    portal = carry_out(plan, [])
    assert plan_pipelines([NEW, twin], portal, settings).actions == ()
    assert plan.stages.pipelines[NEW.id] != plan.stages.pipelines[twin.id]


@pytest.mark.parametrize("only", [NEW, MASTER], ids=["one record type", "no record type"])
def test_O2_a_second_record_type_leaves_the_first_in_the_default_pipeline(only):
    """Nothing moves when it appears: it alone gets a pipeline; the opportunities of before keep theirs."""
    portal = carry_out(plan_pipelines([only], [SALES], DEFAULTS), [SALES])
    plan = plan_pipelines([NEW, RENEWAL], portal, DEFAULTS)
    assert labels(plan) == [f"Salesforce - {RENEWAL.id}"]
    assert len(plan.actions) == 1
    assert plan.stages.pipelines[NEW.id] == plan.stages.pipelines[None] == "sf_default"
    assert plan.stages.find(HS, None, "Closed Won") == plan.stages.find(HS, NEW.id, "Closed Won")
    assert isinstance(plan.stages.find(HS, None, "Nonsense"), Cannot)


def test_O2_the_default_pipeline_stays_with_the_record_type_that_had_it():
    """Even if the new one comes first by its id."""
    portal = carry_out(plan_pipelines([RENEWAL], [SALES], DEFAULTS), [SALES])
    plan = plan_pipelines([NEW, RENEWAL], portal, DEFAULTS, {RENEWAL.id: "sf_default"})
    assert plan.stages.pipelines[RENEWAL.id] == "sf_default"
    assert plan.stages.pipelines[NEW.id] == f"sf_{NEW.id.lower()}"


def test_O2_the_default_pipeline_of_a_record_type_that_is_not_active_is_nobody_elses():
    """Neither does the one that is left alone take it, nor one that comes."""
    portal = carry_out(plan_pipelines([NEW], [SALES], DEFAULTS), [SALES])
    before = {NEW.id: "sf_default", None: "sf_default"}
    third = replace(RENEWAL, id="012000000000003AAA")
    for active in ([RENEWAL], [RENEWAL, third]):
        plan = plan_pipelines(active, portal, DEFAULTS, before)
        assert labels(plan) == [f"Salesforce - {one.id}" for one in active]
        assert not plan.stages.syncs("sf_default")
    assert not plan_pipelines([RENEWAL], portal, DEFAULTS, {NEW.id: "sf_default"}).stages.syncs("sf_default")


def test_O2_the_default_pipeline_goes_to_the_next_one_when_its_record_type_is_assigned_elsewhere():
    """That one is active, and has another."""
    portal = carry_out(plan_pipelines([NEW], [SALES], DEFAULTS), [SALES])
    before = {NEW.id: "sf_default", None: "sf_default"}
    plan = plan_pipelines([NEW, RENEWAL], portal, PipelineSettings(assigned={NEW.id: "default"}), before)
    assert plan.stages.pipelines == {NEW.id: "default", RENEWAL.id: "sf_default", None: "sf_default"}


def test_O2_an_org_whose_last_record_type_went_has_the_default_pipeline_still():
    """Its opportunities have none any more; no second pipeline of that id is made."""
    portal = carry_out(plan_pipelines([NEW], [SALES], DEFAULTS), [SALES])
    for before in ({NEW.id: "sf_default"}, {NEW.id: "sf_default", None: "sf_default"}):
        plan = plan_pipelines([MASTER], portal, DEFAULTS, before)
        assert (plan.actions, plan.stages.pipelines) == ((), {None: "sf_default"})


def test_O2_a_record_type_that_is_assigned_to_another_pipeline_gets_new_stages_there():
    """Ids of stages are unique in a portal, and its own pipeline has them still."""
    portal = carry_out(plan_pipelines([NEW, RENEWAL], [SALES], DEFAULTS), [SALES])
    plan = plan_pipelines([NEW, RENEWAL], portal, PipelineSettings(assigned={NEW.id: "default"}))
    made = {action.stage.id for action in plan.actions}
    assert len(made) == 3
    assert made.isdisjoint(one.id for pipeline in portal for one in pipeline.stages)


def test_O2_a_record_type_that_is_left_alone_keeps_its_pipeline():
    """When the others are deactivated it does not move to the default pipeline."""
    portal = carry_out(plan_pipelines([NEW, RENEWAL], [SALES], DEFAULTS), [SALES])
    plan = plan_pipelines([RENEWAL], portal, DEFAULTS)
    assert plan.actions == ()
    assert plan.stages.pipelines == {RENEWAL.id: f"sf_{RENEWAL.id.lower()}", None: f"sf_{RENEWAL.id.lower()}"}
    renamed = replace(RENEWAL, stages=(replace(QUALIFY, label="Qualified"), IS_WON))
    (update,) = plan_pipelines([renamed], portal, DEFAULTS).actions
    assert (update.was.label, update.stage.label) == ("Qualification", "Qualified")
    assert not plan.stages.syncs(f"sf_{NEW.id.lower()}")


@pytest.mark.parametrize(
    "labels_now",
    [("B", "C", "New"), ("C", "A", "B"), ("B", "A", "C"), ("b", "a", "c"), ("A", "C", "B")],
    ids=["a chain", "a circle", "two", "in another case", "the last two"],
)
def test_O4_stages_take_the_labels_of_one_another(labels_now):
    """HubSpot takes no label twice, not even for a moment; afterwards there is nothing left to do."""
    named = [stage("One", label="A"), stage("Two", label="B"), stage("Three", label="C")]
    before = RecordType(None, "Master", tuple(named))
    after = replace(
        before, stages=tuple(replace(one, label=new) for one, new in zip(named, labels_now, strict=True))
    )
    portal = carry_out(plan_pipelines([before], [SALES], DEFAULTS), [SALES])
    portal = carry_out(plan_pipelines([after], portal, DEFAULTS), portal)
    (ours,) = (one for one in portal if one.id == "sf_default")
    assert tuple(one.label for one in ours.stages) == labels_now
    assert plan_pipelines([after], portal, DEFAULTS).actions == ()


def test_O4_a_label_that_a_stage_keeps_which_salesforce_has_no_more_is_told_apart():
    """A stage is deleted in Salesforce, and another one gets its name; deals may still be in the old one."""
    portal = carry_out(plan_pipelines([MASTER], [SALES], DEFAULTS), [SALES])
    renamed = replace(MASTER, stages=(replace(QUALIFY, label=TALK.label.upper()), IS_WON, IS_LOST))
    plan = plan_pipelines([renamed], portal, DEFAULTS)
    portal = carry_out(plan, portal)
    kept, told = (
        plan_pipelines([MASTER], [SALES], DEFAULTS).stages.to_hubspot[None, one.name] for one in (TALK, QUALIFY)
    )
    stages = {one.id: one.label for pipeline in portal for one in pipeline.stages}
    assert (stages[kept[1]], stages[told[1]]) == (TALK.label, f"{TALK.label.upper()} ({told[1]})")
    assert plan.stages.to_hubspot[None, QUALIFY.name] == told
    assert plan_pipelines([renamed], portal, DEFAULTS).actions == ()


def test_O2_a_pipeline_that_was_found_by_its_label_is_kept_when_it_is_renamed():
    """What the last run used counts more than a label, unless it is gone or assigned to another one."""
    mine = Pipeline("77", "Our own name", ())
    before = {NEW.id: "77"}
    assert plan_pipelines([NEW], [mine], DEFAULTS, before).stages.pipelines[NEW.id] == "77"
    assert labels(plan_pipelines([NEW], [], DEFAULTS, before)) == ["Salesforce - Default pipeline"]
    given_away = PipelineSettings(assigned={RENEWAL.id: "77"})
    assert plan_pipelines([NEW, RENEWAL], [mine], given_away, before).stages.pipelines == {
        NEW.id: f"sf_{NEW.id.lower()}",
        RENEWAL.id: "77",
    }


def test_O2_a_label_does_not_find_the_pipeline_of_another_record_type():
    """A record type that takes over another one's name gets a pipeline of its own."""
    readable = PipelineSettings(label="{record_type.name}")
    portal = carry_out(plan_pipelines([NEW, RENEWAL], [], readable), [])
    swapped = [replace(NEW, name="Old business"), replace(RENEWAL, name="New business")]
    plan = plan_pipelines(swapped, portal, readable)
    assert plan.stages.pipelines == {NEW.id: "sf_012000000000001aaa", RENEWAL.id: "sf_012000000000002aaa"}


@pytest.mark.parametrize("whose", ["sf_default", f"sf_{NEW.id.lower()}"])
def test_O2_a_label_does_not_find_a_pipeline_that_its_record_type_was_assigned_away_from(whose):
    """It stands for that record type by its id, whatever somebody called it."""
    theirs = Pipeline(whose, "Salesforce - 012000000000002AAA", ())
    before = {NEW.id: whose} if whose == "sf_default" else {}
    active = [RENEWAL] if before else [NEW, RENEWAL]
    settings = DEFAULTS if before else PipelineSettings(assigned={NEW.id: "default"})
    plan = plan_pipelines(active, [SALES, theirs], settings, before)
    assert plan.stages.pipelines[RENEWAL.id] == f"sf_{RENEWAL.id.lower()}"
    assert labels(plan) == ["Salesforce - 012000000000002AAA (012000000000002AAA)"]


def test_O2_a_label_that_is_still_held_by_a_renamed_record_types_pipeline_is_not_used_again():
    """HubSpot would refuse it; nobody renames the other pipeline."""
    readable = PipelineSettings(label="{record_type.name}")
    portal = carry_out(plan_pipelines([NEW, RENEWAL], [], readable), [])
    third = RecordType("012000000000003AAA", "Renewal", STAGES)
    plan = plan_pipelines([NEW, replace(RENEWAL, name="Extension"), third], portal, readable)
    assert labels(plan) == ["Renewal (012000000000003AAA)"]


def test_O2_O4_ids_of_pipelines_and_stages_are_a_promise():
    """A portal has them already: another spelling would make all of them anew."""
    odd = replace(NEW, stages=(*STAGES, stage("x" * 50), stage("Ü -> Q1!")))
    first, second = (action.pipeline for action in plan_pipelines([odd, RENEWAL], [], DEFAULTS).actions)
    assert (first.id, second.id) == ("sf_012000000000001aaa", "sf_012000000000002aaa")
    assert [one.id for one in first.stages] == [
        "sf_012000000000001aaa_qualification_046cbb3b",
        "sf_012000000000001aaa_negotiation_review_8bc6b734",
        "sf_012000000000001aaa_closed_won_4d3e3d9c",
        "sf_012000000000001aaa_closed_lost_04ea0778",
        "sf_012000000000001aaa_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_ac628a03",
        "sf_012000000000001aaa_q1_328a5f5b",
    ]
    assert second.stages[1].id == "sf_012000000000002aaa_closed_won_4d3e3d9c"
    (default,) = (action.pipeline for action in plan_pipelines([RENEWAL], [], DEFAULTS).actions)
    assert [one.id for one in default.stages] == [
        "sf_default_qualification_046cbb3b",
        "sf_default_closed_won_4d3e3d9c",
    ]
    assigned = plan_pipelines([RENEWAL], [SALES], PipelineSettings(assigned={RENEWAL.id: "default"}))
    assert [action.stage.id for action in assigned.actions] == [
        "sf_012000000000002aaa_in_default_qualification_046cbb3b"
    ]


def test_O2_a_pipeline_is_found_by_its_label():
    """One that somebody made with the very name is taken, not doubled; its stages are found by label."""
    made = Pipeline("77", "Salesforce - Default pipeline", (Stage("78", "Closed Won", 1.0, closed=True),))
    plan = plan_pipelines([NEW], [made], DEFAULTS)
    assert not labels(plan)
    assert plan.stages.pipelines[NEW.id] == "77"
    assert plan.stages.to_hubspot[NEW.id, "Closed Won"] == ("77", "78")
    assert [action.stage.label for action in plan.actions] == ["Qualification", "Negotiation/Review", "Closed Lost"]


@pytest.mark.parametrize("key", [NEW.id, NEW.name], ids=["by id", "by name"])
def test_O2_an_existing_pipeline_can_be_assigned(key):
    """Its stages are used where their labels agree, and keep their meaning; the missing ones are added."""
    odd = replace(SALES, stages=(Stage("closedwon", "Closed Won", 0.8, closed=False),))
    plan = plan_pipelines([NEW, RENEWAL], [odd], PipelineSettings(assigned={key: "default"}))
    assert plan.stages.pipelines[NEW.id] == "default"
    assert plan.stages.find(HS, NEW.id, "Closed Won") == ("default", "closedwon")
    assert not any(isinstance(action, UpdateStage) for action in plan.actions)
    assert labels(plan) == ["Salesforce - 012000000000002AAA"]


def test_O2_an_assigned_pipeline_that_does_not_exist_is_named_not_replaced():
    """A typing mistake in the settings makes no pipeline; the record type waits and says why."""
    plan = plan_pipelines([NEW, RENEWAL], [SALES], PipelineSettings(assigned={"Renewal": "defautl"}))
    assert labels(plan) == ["Salesforce - 012000000000001AAA"]
    reason = plan.stages.find(HS, RENEWAL.id, "Closed Won")
    assert isinstance(reason, Cannot)
    assert "'defautl'" in reason.reason
    assert reason.needs == ("record type", SF, RENEWAL.id)
    assert plan.astray == ((RENEWAL, "defautl"),)
    assert plan.beyond_limit == ()


def test_O2_an_assigned_record_type_that_does_not_exist_is_named():
    """A typing mistake on the other side of the colon; names are compared without regard to case."""
    settings = PipelineSettings(assigned={"Renewl": "default", "NEW BUSINESS ": "default", RENEWAL.id.lower(): "x"})
    plan = plan_pipelines([NEW, RENEWAL], [SALES], settings)
    assert plan.unknown == ("Renewl",)
    assert plan.stages.pipelines[NEW.id] == "default"
    assert plan_pipelines([], [SALES], settings).unknown == ()


def test_O2_two_record_types_can_be_assigned_to_one_pipeline():
    """They share the stages of one label; coming back, the first of them is taken."""
    settings = PipelineSettings(assigned={NEW.id: "default", RENEWAL.id: "default"})
    plan = plan_pipelines([NEW, RENEWAL], [SALES], settings)
    portal = carry_out(plan, [SALES])
    stage_labels = [one.label for one in portal[0].stages]
    assert len(stage_labels) == len(set(stage_labels))
    there = plan.stages.to_hubspot[RENEWAL.id, "Qualification"]
    assert there == plan.stages.to_hubspot[NEW.id, "Qualification"]
    assert plan.stages.find(SF, *there) == (NEW.id, "Qualification")
    assert plan_pipelines([NEW, RENEWAL], portal, settings).actions == ()


# --- the cap ----------------------------------------------------------------------------------------------


def test_O3_record_types_beyond_the_cap_do_not_sync_and_the_others_do():
    """Existing pipelines count; those beyond are returned, and their opportunities are told why."""
    plan = plan_pipelines([NEW, RENEWAL], [SALES], PipelineSettings(limit=2))
    assert plan.beyond_limit == (RENEWAL,)
    assert len(plan.actions) == 1
    assert plan.stages.find(HS, NEW.id, "Closed Won") == plan.stages.to_hubspot[NEW.id, "Closed Won"]
    reason = plan.stages.find(HS, RENEWAL.id, "Closed Won")
    assert isinstance(reason, Cannot)
    assert "beyond the limit of 2 pipelines" in reason.reason
    assert reason.needs == ("record type", SF, RENEWAL.id)


def test_O3_a_pipeline_that_is_there_needs_no_room():
    """Following and assigning go on at the cap."""
    portal = carry_out(plan_pipelines([NEW, RENEWAL], [SALES], DEFAULTS), [SALES])
    plan = plan_pipelines([NEW, RENEWAL], portal, PipelineSettings(limit=1))
    assert (plan.actions, plan.beyond_limit) == ((), ())


# --- stages -----------------------------------------------------------------------------------------------


def test_O4_stages_mirror_their_order_probability_and_outcome():
    """As OpportunityStage has them."""
    (action,) = plan_pipelines([NEW], [], DEFAULTS).actions
    made = action.pipeline.stages
    assert [(one.label, one.probability, one.closed, one.order) for one in made] == [
        ("Qualification", 0.1, False, 0),
        ("Negotiation/Review", 0.9, False, 1),
        ("Closed Won", 1.0, True, 2),
        ("Closed Lost", 0.0, True, 3),
    ]


@pytest.mark.parametrize(
    ("definition", "decimals", "probability"),
    [
        (stage("open at nothing", 0), 2, 0.01),
        (stage("open at all", 100), 2, 0.99),
        (stage("open at all", 100), 1, 0.9),
        (stage("open at nothing", 0), 8, 1e-08),
        (stage("odd", 33.33), 2, 0.33),
        (stage("odd", 33.33), 4, 0.3333),
        (stage("beyond", 250), 2, 0.99),
        (stage("won at 80", 80, closed=True, won=True), 2, 1.0),
        (stage("lost at 80", 80, closed=True), 2, 0.0),
    ],
)
def test_O4_only_closed_stages_have_the_odds_of_closed_stages(definition, decimals, probability):
    """HubSpot reads 0 and 1 as lost and won, so an open stage never has them."""
    assert stage_probability(definition, decimals) == probability


def test_O4_new_and_renamed_stages_are_followed():
    """A stage is known by its API name: a new label is a rename, new odds an update, a new name a new stage."""
    before = [SALES]
    portal = carry_out(plan_pipelines([NEW], before, DEFAULTS), before)
    changed = replace(
        NEW, stages=(stage("Qualification", 20, label="Qualified"), TALK, stage("Proposal", 75), IS_WON, IS_LOST)
    )
    plan = plan_pipelines([changed], portal, DEFAULTS)
    update, creation, *moves = plan.actions
    assert isinstance(update, UpdateStage)
    assert (update.was.label, update.stage.label, update.stage.probability) == ("Qualification", "Qualified", 0.2)
    assert isinstance(creation, CreateStage)
    assert (creation.stage.label, creation.stage.order) == ("Proposal", 2)
    assert [(move.was.label, move.was.order, move.stage.order) for move in moves] == [
        ("Closed Won", 2, 3),
        ("Closed Lost", 3, 4),
    ]
    after = carry_out(plan, portal)
    assert in_order(after[1]) == ["Qualified", "Negotiation/Review", "Proposal", "Closed Won", "Closed Lost"]
    assert plan_pipelines([changed], after, DEFAULTS).actions == ()


def test_O4_reordered_stages_are_put_in_their_new_order_and_nothing_else_is_touched():
    """One action for each stage that stands elsewhere now; labels and odds stay."""
    portal = carry_out(plan_pipelines([NEW], [], DEFAULTS), [])
    changed = replace(NEW, stages=(TALK, QUALIFY, IS_WON, IS_LOST))
    plan = plan_pipelines([changed], portal, DEFAULTS)
    assert [(one.was.label, one.stage.label, one.stage.order) for one in plan.actions] == [
        ("Negotiation/Review", "Negotiation/Review", 0),
        ("Qualification", "Qualification", 1),
    ]
    assert plan_pipelines([changed], carry_out(plan, portal), DEFAULTS).actions == ()


def test_O4_a_gap_between_stages_is_order_enough():
    """Stages that stand in Salesforce's order are not renumbered."""
    (home,) = carry_out(plan_pipelines([NEW], [], DEFAULTS), [])
    spread = replace(home, stages=tuple(replace(one, order=one.order * 10 + 5) for one in home.stages))
    assert plan_pipelines([NEW], [spread], DEFAULTS).actions == ()


def test_O4_a_stage_that_salesforce_has_no_more_stays_behind_its_neighbour():
    """When the others are put in a new order; one that somebody put in front stays in front."""
    (home,) = carry_out(plan_pipelines([NEW], [], DEFAULTS), [])
    own = replace(home, stages=(*home.stages, Stage("9", "By hand", 0.5, closed=False, order=-1)))
    fewer = replace(NEW, stages=(IS_WON, QUALIFY, IS_LOST))
    plan = plan_pipelines([fewer], [own], DEFAULTS)
    (after,) = carry_out(plan, [own])
    assert in_order(after) == ["By hand", "Closed Won", "Qualification", "Negotiation/Review", "Closed Lost"]


def test_O4_stages_that_somebody_else_ordered_are_left_in_their_order():
    """In a pipeline that is assigned, or was made by hand, what is new comes last."""
    theirs = replace(SALES, stages=(replace(SALES.stages[0], order=7), Stage("x", "Chat", 0.5, closed=False)))
    plan = plan_pipelines([NEW], [theirs], PipelineSettings(assigned={NEW.name: "default"}))
    assert all(isinstance(one, CreateStage) for one in plan.actions)
    (after,) = carry_out(plan, [theirs])
    assert in_order(after) == ["Chat", "Closed Won", "Qualification", "Negotiation/Review", "Closed Lost"]


@pytest.mark.parametrize(("stages", "orders"), [((), [0, 1, 2, 3]), (SALES.stages, [1, 2, 3])], ids=["none", "one"])
def test_O4_what_is_new_in_a_pipeline_of_somebody_else_comes_after_what_is_there(stages, orders):
    """One behind the other."""
    plan = plan_pipelines([NEW], [replace(SALES, stages=stages)], PipelineSettings(assigned={NEW.name: "default"}))
    assert [action.stage.order for action in plan.actions] == orders


def test_O4_a_renamed_stage_stays_where_it_stands():
    """Its number is HubSpot's business while the order is right."""
    (home,) = carry_out(plan_pipelines([NEW], [], DEFAULTS), [])
    spread = replace(home, stages=tuple(replace(one, order=one.order * 10 + 5) for one in home.stages))
    renamed = replace(NEW, stages=(QUALIFY, replace(TALK, label="Talk"), IS_WON, IS_LOST))
    (update,) = plan_pipelines([renamed], [spread], DEFAULTS).actions
    assert (update.stage.label, update.stage.order) == ("Talk", 15)


def test_O4_stages_of_one_number_are_in_no_order():
    """They are numbered; and what Salesforce has no more is sorted among them by its label."""
    (home,) = carry_out(plan_pipelines([NEW], [], DEFAULTS), [])
    tied = replace(home, stages=tuple(replace(one, order=0) for one in home.stages))
    plan = plan_pipelines([NEW], [tied], DEFAULTS)
    (after,) = carry_out(plan, [tied])
    assert in_order(after) == ["Qualification", "Negotiation/Review", "Closed Won", "Closed Lost"]
    assert [one.order for one in sorted(after.stages, key=lambda one: one.order)] == [0, 1, 2, 3]
    extra = [Stage(str(number), label, 0.5, closed=False, order=-1) for number, label in enumerate("ZAM")]
    changed = replace(NEW, stages=(TALK, QUALIFY, IS_WON, IS_LOST))
    own = replace(home, stages=(*extra, *home.stages))
    (after,) = carry_out(plan_pipelines([changed], [own], DEFAULTS), [own])
    assert in_order(after)[:4] == ["A", "M", "Z", "Negotiation/Review"]


def in_order(pipeline):
    return [one.label for one in sorted(pipeline.stages, key=lambda one: one.order)]


def test_O4_a_deactivated_stage_is_never_removed():
    """Deals may still use it: nothing is done, and it no longer maps to anything."""
    portal = carry_out(plan_pipelines([NEW], [], DEFAULTS), [])
    was = plan_pipelines([NEW], portal, DEFAULTS).stages.to_hubspot[NEW.id, "Negotiation/Review"]
    plan = plan_pipelines([replace(NEW, stages=(QUALIFY, IS_WON, IS_LOST))], portal, DEFAULTS)
    assert plan.actions == ()
    reason = plan.stages.find(SF, *was)
    assert isinstance(reason, Cannot)
    assert was[1] in reason.reason


@pytest.mark.parametrize(("old", "won"), [(IS_WON, True), (IS_LOST, False)])
def test_O4_U5_a_deactivated_closed_stage_goes_on_meaning_won_or_lost(old, won):
    """Deals that were won in it stay won: HubSpot's own stage says what it means."""
    portal = carry_out(plan_pipelines([NEW], [], DEFAULTS), [])
    stage_id = plan_pipelines([NEW], portal, DEFAULTS).stages.to_hubspot[NEW.id, old.name][1]
    renewed = stage("Signed", 100, closed=True, won=True)
    rest = tuple(one for one in NEW.stages if one != old)
    stages = plan_pipelines([replace(NEW, stages=(*rest, renewed))], portal, DEFAULTS).stages
    assert stage_id in stages.closed
    assert (stage_id in stages.won) is won


def test_O4_an_open_stage_that_salesforce_does_not_have_is_neither_won_nor_closed():
    """Whatever its odds; and what Salesforce says of a stage counts more than what HubSpot says."""
    odd = replace(
        SALES,
        stages=(Stage("a", "Chat", 1.0, closed=False), Stage("closedwon", "Closed Won", 0.8, closed=False)),
    )
    stages = plan_pipelines([NEW], [odd], PipelineSettings(assigned={NEW.name: "default"})).stages
    assert "a" not in stages.closed | stages.won
    assert "closedwon" in stages.won


def test_O4_what_salesforce_says_is_open_is_open():
    """Though HubSpot, in a pipeline that somebody else made, would call it won."""
    odd = replace(SALES, stages=(Stage("q", "Qualification", 1.0, closed=True), *SALES.stages))
    stages = plan_pipelines([NEW], [odd], PipelineSettings(assigned={NEW.name: "default"})).stages
    lost = stages.to_hubspot[NEW.id, "Closed Lost"][1]
    assert (stages.closed, stages.won) == ({"closedwon", lost}, {"closedwon"})


@pytest.mark.parametrize("new_first", [True, False])
def test_O4_a_new_stage_that_takes_a_renamed_ones_label_is_not_taken_for_it(new_first):
    """The rename is done first, so that the label is free when the new stage asks for it."""
    portal = carry_out(plan_pipelines([NEW], [], DEFAULTS), [])
    renamed, new = stage("Qualification", 10, label="Old qualification"), stage("Q2", 15, label="Qualification")
    changed = replace(NEW, stages=(new, renamed) if new_first else (renamed, new))
    plan = plan_pipelines([changed], portal, DEFAULTS)
    labelled = [action for action in plan.actions if action.stage.label in {"Qualification", "Old qualification"}]
    assert [type(action) for action in labelled][:2] == [UpdateStage, CreateStage]
    there = plan.stages.to_hubspot
    assert there[NEW.id, "Q2"] != there[NEW.id, "Qualification"]
    assert plan.stages.find(SF, *there[NEW.id, "Q2"]) == (NEW.id, "Q2")


def test_O4_a_stage_stays_the_one_it_is_whatever_somebody_else_calls_theirs():
    """A stage that people made in HubSpot has the label that ours is to get: ours is known by its id."""
    (home,) = carry_out(plan_pipelines([NEW], [], DEFAULTS), [])
    renamed = replace(NEW, stages=(replace(QUALIFY, label="Talk"), TALK, IS_WON, IS_LOST))
    beside = replace(home, stages=(*home.stages, Stage("theirs", "Talk", 0.5, closed=False)))
    before = plan_pipelines([NEW], [home], DEFAULTS).stages.to_hubspot
    assert plan_pipelines([renamed], [beside], DEFAULTS).stages.to_hubspot == before


def test_O4_names_that_look_alike_make_stages_of_their_own():
    """`Closed/Won` and `Closed - Won` differ in nothing that an internal name can show."""
    alike = (stage("Closed/Won"), stage("Closed - Won"), stage("closed won"), stage("成約"), stage("失注"))
    (action,) = plan_pipelines([replace(NEW, stages=alike)], [], DEFAULTS).actions
    assert len({one.id for one in action.pipeline.stages}) == len(alike)


def test_O4_stages_of_one_label_get_their_names_added():
    """HubSpot wants labels unique within a pipeline."""
    twins = replace(NEW, stages=(stage("Won_A", label="Won"), stage("Won_B", label="Won"), IS_LOST))
    (action,) = plan_pipelines([twins], [], DEFAULTS).actions
    assert [one.label for one in action.pipeline.stages] == ["Won (Won_A)", "Won (Won_B)", "Closed Lost"]


# --- the map ----------------------------------------------------------------------------------------------


def test_O4_the_same_stage_in_two_pipelines_maps_to_each_ones_own():
    """A stage means something only together with its record type."""
    stages = plan_pipelines([NEW, RENEWAL], [], DEFAULTS).stages
    one, other = (stages.find(HS, record_type.id, "Closed Won") for record_type in (NEW, RENEWAL))
    assert one != other
    assert stages.find(SF, *one) == (NEW.id, "Closed Won")
    assert stages.find(SF, *other) == (RENEWAL.id, "Closed Won")
    assert {one[1], other[1]} == stages.won
    assert stages.won < stages.closed


def test_opportunities_without_a_record_type_use_the_only_pipeline():
    """Those made before the first record type existed; with several record types they have none."""
    stages = plan_pipelines([NEW], [], DEFAULTS).stages
    assert stages.find(HS, None, "Closed Won") == stages.find(HS, NEW.id, "Closed Won")
    several = plan_pipelines([NEW, RENEWAL], [], DEFAULTS).stages
    assert isinstance(several.find(HS, None, "Closed Won"), Cannot)
    beyond = plan_pipelines([NEW, RENEWAL], [], PipelineSettings(limit=1)).stages
    assert isinstance(beyond.find(HS, None, "Closed Won"), Cannot)


def test_opportunities_without_a_record_type_use_the_stages_of_the_default_pipelines_first_one():
    """If it stands for several."""
    home = Pipeline("sf_default", "Salesforce - Default pipeline", ())
    shared = PipelineSettings(assigned={RENEWAL.id: "sf_default", NEW.id: "sf_default"})
    stages = plan_pipelines([RENEWAL, NEW], [home], shared).stages
    assert stages.find(HS, None, "Closed Won") == stages.find(HS, RENEWAL.id, "Closed Won")
    assert isinstance(stages.find(HS, None, "Closed Lost"), Cannot)


def test_what_cannot_be_found_says_why():
    """An unknown record type, a stage outside its record type, a deal stage without a counterpart."""
    stages = plan_pipelines([NEW, RENEWAL], [SALES], DEFAULTS).stages
    reasons = [
        stages.find(HS, "012X", "Closed Won"),
        stages.find(HS, RENEWAL.id, "Closed Lost"),
        stages.find(SF, "default", "closedwon"),
        stages.find(SF, None, "closedwon"),
    ]
    assert all(isinstance(one, Cannot) and one.remedy for one in reasons)
    assert "012X" in reasons[0].reason
    assert "'Closed Lost'" in reasons[1].reason


def test_O5_only_mapped_pipelines_sync():
    """A deal elsewhere stops its pair."""
    stages = plan_pipelines([NEW], [SALES], DEFAULTS).stages
    assert stages.syncs("sf_default")
    assert not stages.syncs("default")
    assert not stages.syncs(None)


def test_an_org_that_syncs_no_deals_needs_nothing():
    """Without record types there is nothing to plan."""
    plan = plan_pipelines([], [SALES], DEFAULTS)
    assert (plan.actions, plan.stages.pipelines) == ((), {})


names = st.sampled_from(["A", "a", "A/", "B b", "Ü", "x" * 50, "x" * 51])
definitions = st.builds(
    lambda name, label, odds, outcome: StageDefinition(name, label, odds, outcome != "open", outcome == "won"),
    names,
    names,
    st.floats(0, 100),
    st.sampled_from(["open", "won", "lost"]),
)
record_types = st.lists(
    st.builds(
        RecordType,
        st.integers(1, 5).map("0120{}".format),
        names,
        st.lists(definitions, min_size=1, max_size=5, unique_by=lambda one: one.name).map(tuple),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one.id,
)
options = st.builds(
    PipelineSettings,
    label=st.sampled_from(["{record_type.id}", "{record_type.name}", "constant", "Sales Pipeline"]),
    limit=st.integers(1, 6),
    assigned=st.sampled_from([{}, {"01201": "default"}, {"01201": "default", "01202": "default"}, {"A": "gone"}]),
)


@given(record_types, record_types, options, options, st.booleans())
def test_planning_again_on_the_result_gives_no_action(first, then, settings, others, remembers):
    """Law 1, after the org's record types and stages and the settings have changed in any way."""
    portal, before = [SALES], {}
    for types, chosen in ((first, settings), (then, others)):
        plan = plan_pipelines(types, portal, chosen, before)
        portal = carry_out(plan, portal)
        if remembers:
            before = {**before, **plan.stages.pipelines}
        again = plan_pipelines(types, portal, chosen, before)
        assert again.actions == ()
        assert again.stages == plan.stages


@given(record_types, options)
def test_every_stage_of_a_synced_record_type_has_a_counterpart_and_comes_back(types, settings):
    """Forth and back is the same stage wherever a pipeline stands for one record type only."""
    stages = plan_pipelines(types, [SALES], settings).stages
    for one in types:
        for definition in one.stages:
            there = stages.find(HS, one.id, definition.name)
            assert isinstance(there, Cannot) is (one.id in stages.unsynced)
            if not isinstance(there, Cannot) and len(settings.assigned) < 2:
                assert stages.find(SF, *there) == (one.id, definition.name)


def test_E1_O3_without_a_pipeline_that_could_not_be_made_its_record_types_do_not_sync():
    """All that share it, with the reason; the others go on, and former reasons stay."""
    homes = {"012A": "one", "012B": "two", "012C": "one"}
    stages = StageMap({}, {}, homes, frozenset({"won"}), unsynced={"012D": "beyond the limit"})
    assert stages.without("one", "no room") == StageMap(
        {},
        {},
        {"012B": "two"},
        frozenset({"won"}),
        unsynced={"012A": "no room", "012C": "no room", "012D": "beyond the limit"},
    )
