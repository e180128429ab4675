"""HubSpot's own Python client (hubspot-api-client), unmodified, against the sandbox over a real port.

Every method of the client's CRM parts is called here; `test_no_method_of_the_client_is_left_out` holds this file to
it. The client's deserialiser forgives missing fields, so these tests prove that addresses, parameters and bodies
are understood; the shapes themselves are checked in tests/sandbox/hubspot.
"""

from __future__ import annotations

import inspect
import re
from datetime import datetime
from operator import attrgetter
from pathlib import Path

import pytest
from hubspot import HubSpot
from hubspot.crm import associations as v3_associations
from hubspot.crm import companies, contacts, deals, pipelines, properties
from hubspot.crm.associations import v4 as associations
from hubspot.crm.associations.v4 import schema as association_schema

from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.server import serving

MODULES = {"contacts": contacts, "companies": companies, "deals": deals}
OPEN = {"dealname": "D", "dealstage": "appointmentscheduled"}
NEW = {"contacts": {"lastname": "L"}, "companies": {"name": "L"}, "deals": {**OPEN, "dealname": "L"}}
NAME = {"contacts": "lastname", "companies": "name", "deals": "dealname"}
GROUP = {"contacts": "contactinformation", "companies": "companyinformation", "deals": "dealinformation"}
KINDS = pytest.mark.parametrize("kind", MODULES)

# Parts of the client, under the names that tests below give to them.
PARTS = {
    "objects": ("crm.contacts", "crm.companies", "crm.deals"),
    "links": ("crm.associations.v4",),
    "labels": ("crm.associations.v4.schema",),
    "old_links": ("crm.associations",),
    "old_labels": ("crm.associations.schema",),
    "lanes": ("crm.pipelines",),
    "shapes": ("crm.properties",),
    "people": ("crm.owners",),
}
LEFT_OUT = {
    "labels.definition_configurations_api": "limits to how many records a label may join; the sandbox knows none",
    "links.report_api": "asks HubSpot to send an e-mail",
    "lanes.pipeline_stage_audits_api": "sends the words {pipelineId} in its address, having no parameter for it",
}


@pytest.fixture(scope="module")
def served():
    """A sandbox on a port, and the client's settings for it."""
    sandbox = HubSpotSandbox(seed=11)
    with serving(sandbox) as (url,):
        yield sandbox, url


@pytest.fixture
def client(served):
    sandbox, url = served
    sandbox.reset()
    return HubSpot(access_token=sandbox.access_token, host=url)


def create(client, kind, links=(), **values):
    """One record; `links` are `(id, type id)`. Answers its id."""
    model = MODULES[kind]
    new = model.SimplePublicObjectInputForCreate(
        properties={**NEW[kind], **values},
        associations=[
            model.PublicAssociationsForObject(
                to=model.PublicObjectId(id=to),
                types=[model.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=type_id)],
            )
            for to, type_id in links
        ],
    )
    return getattr(client.crm, kind).basic_api.create(simple_public_object_input_for_create=new).id


def create_many(client, kind, count, **more):
    model = MODULES[kind]
    inputs = [
        model.SimplePublicObjectBatchInputForCreate(
            properties={**NEW[kind], NAME[kind]: f"N{i}", **more}, associations=[]
        )
        for i in range(count)
    ]
    body = model.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
    batch = getattr(client.crm, kind).batch_api
    return batch.create(batch_input_simple_public_object_batch_input_for_create=body).results


def test_no_method_of_the_client_is_left_out(client):
    """Each method of each of the PARTS is called in this file, but for those that are left out for a reason."""
    written = Path(__file__).read_text(encoding="utf-8")
    called = set(re.findall(r"\b(\w+\.\w+_api\.\w+)\(", written))
    methods = set()
    for part, paths in PARTS.items():
        for area in (attrgetter(path)(client) for path in paths):
            for api in (name for name in dir(type(area)) if name.endswith("_api")):
                names = (name for name, _ in inspect.getmembers(getattr(area, api), inspect.ismethod))
                if f"{part}.{api}" not in LEFT_OUT:
                    methods |= {f"{part}.{api}.{name}" for name in names if name[0] != "_"}
    methods = {name for name in methods if not name.endswith("_with_http_info")}
    assert len(methods) > 50
    assert methods - called == set()


@KINDS
def test_a_record_lives_its_life(client, kind):
    """Create, list, read, update, archive, and the exception of a missing record."""
    objects, model, name = getattr(client.crm, kind), MODULES[kind], NAME[kind]
    new = model.SimplePublicObjectInputForCreate(properties=NEW[kind], associations=[])
    made = objects.basic_api.create(simple_public_object_input_for_create=new)
    assert isinstance(made.created_at, datetime)
    change = model.SimplePublicObjectInput(properties={name: "Ada"})
    assert objects.basic_api.update(made.id, simple_public_object_input=change).properties[name] == "Ada"
    read = objects.basic_api.get_by_id(made.id, properties=[name], properties_with_history=[name])
    assert read.properties[name] == "Ada"
    past = read.properties_with_history[name]
    assert [(one.value, one.source_type) for one in past] == [("Ada", "INTEGRATION"), ("L", "INTEGRATION")]
    (listed,) = objects.basic_api.get_page(limit=5, properties=[name]).results
    assert (listed.id, listed.properties[name]) == (made.id, "Ada")
    objects.basic_api.archive(made.id)
    with pytest.raises(model.ApiException) as missing:
        objects.basic_api.get_by_id(made.id)
    assert missing.value.status == 404
    assert objects.basic_api.get_by_id(made.id, archived=True).archived_at is not None
    assert [one.id for one in objects.basic_api.get_page(archived=True).results] == [made.id]


def test_a_contact_is_found_by_its_address(client):
    """`id_property` on single calls; addresses are lower case."""
    ada = create(client, "contacts", email="Ada@example.com")
    change = contacts.SimplePublicObjectInput(properties={"firstname": "Ada"})
    basic = client.crm.contacts.basic_api
    basic.update("ada@example.com", id_property="email", simple_public_object_input=change)
    read = basic.get_by_id("ada@example.com", id_property="email", properties=["firstname", "email"])
    assert (read.id, read.properties["firstname"], read.properties["email"]) == (ada, "Ada", "ada@example.com")


@KINDS
def test_get_all_reads_every_page(client, kind):
    """252 records are three pages, with history six of fifty; values too are those which were written."""
    for _ in range(3):
        create_many(client, kind, 84)
    objects, name = getattr(client.crm, kind), NAME[kind]
    read = objects.get_all(properties=[name])
    assert len({one.id for one in read}) == 252
    assert sorted(one.properties[name] for one in read) == sorted(f"N{i}" for i in [*range(84)] * 3)
    dated = objects.get_all(properties_with_history=[name])
    assert {one.id for one in dated} == {one.id for one in read}
    assert all(len(one.properties_with_history[name]) == 1 for one in dated)


@KINDS
def test_batches(client, kind):
    """Create with a 207, read, update, upsert by a unique property, archive."""
    objects, model, name = getattr(client.crm, kind), MODULES[kind], NAME[kind]
    for key, unique, form in (("sf_id", True, "string"), ("size", False, "number")):
        new = properties.PropertyCreate(
            name=key, label=key, type=form, field_type="text" if unique else "number", group_name=GROUP[kind],
            has_unique_value=unique,
        )  # fmt: skip
        client.crm.properties.core_api.create(kind, property_create=new)
    inputs = [
        model.SimplePublicObjectBatchInputForCreate(
            properties={**NEW[kind], "size": size, "sf_id": size}, associations=[], object_write_trace_id=size
        )
        for size in ("1", "2", "many")
    ]
    body = model.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
    made = objects.batch_api.create(batch_input_simple_public_object_batch_input_for_create=body)
    assert type(made).__name__ == "BatchResponseSimplePublicObjectWithErrors"
    assert made.errors[0].context == {"objectWriteTraceId": ["many"]}
    ids = {row.properties["sf_id"]: row.id for row in made.results}

    wanted = [model.SimplePublicObjectId(id="1"), model.SimplePublicObjectId(id="9")]
    read = model.BatchReadInputSimplePublicObjectId(
        inputs=wanted, id_property="sf_id", properties=["size"], properties_with_history=["size"]
    )
    found = objects.batch_api.read(batch_read_input_simple_public_object_id=read)
    assert [row.id for row in found.results] == [ids["1"]]
    assert [one.value for one in found.results[0].properties_with_history["size"]] == ["1"]
    assert found.errors[0].context == {"ids": ["9"]}

    changes = [model.SimplePublicObjectBatchInput(id=one, properties={"size": "5"}) for one in ids.values()]
    body = model.BatchInputSimplePublicObjectBatchInput(inputs=changes)
    updated = objects.batch_api.update(batch_input_simple_public_object_batch_input=body)
    assert {row.properties["size"] for row in updated.results} == {"5"}

    upserts = [
        model.SimplePublicObjectBatchInputUpsert(id=one, id_property="sf_id", properties={**NEW[kind], name: "U"})
        for one in ("2", "3")
    ]
    body = model.BatchInputSimplePublicObjectBatchInputUpsert(inputs=upserts)
    upserted = objects.batch_api.upsert(batch_input_simple_public_object_batch_input_upsert=body)
    assert {row.id == ids["2"]: row.new for row in upserted.results} == {True: False, False: True}
    assert {row.properties[name] for row in upserted.results} == {"U"}

    gone = model.BatchInputSimplePublicObjectId(inputs=[model.SimplePublicObjectId(id=ids["1"])])
    objects.batch_api.archive(batch_input_simple_public_object_id=gone)
    assert {one.id for one in objects.get_all()} == {row.id for row in upserted.results}


def test_a_refused_batch_raises(client):
    """Without trace ids a bad input is an ApiException with HubSpot's body."""
    with pytest.raises(deals.ApiException) as refused:
        create_many(client, "deals", 2, amount="many")
    assert refused.value.status == 400
    assert "INVALID_NUMBER" in refused.value.body


@KINDS
def test_search_pages(client, kind):
    """Filters, a sort, free text and offsets."""
    objects, model, name = getattr(client.crm, kind), MODULES[kind], NAME[kind]
    few = {one.id for one in create_many(client, kind, 70)}
    create(client, kind)
    search = model.PublicObjectSearchRequest(
        filter_groups=[
            model.FilterGroup(filters=[model.Filter(property_name=name, operator="CONTAINS_TOKEN", value="N*")])
        ],
        sorts=["hs_object_id"], properties=[name], limit=50, after="0",
    )  # fmt: skip
    first = objects.search_api.do_search(public_object_search_request=search)
    assert (first.total, len(first.results)) == (70, 50)
    search.after = first.paging.next.after
    second = objects.search_api.do_search(public_object_search_request=search)
    assert {row.id for row in (*first.results, *second.results)} == few
    assert second.paging is None
    by_text = model.PublicObjectSearchRequest(
        query="L", limit=5, after="0", sorts=[], properties=[], filter_groups=[]
    )
    assert objects.search_api.do_search(public_object_search_request=by_text).total == 1


@KINDS
def test_merge(client, kind):
    """Two records become one, which both ids lead to."""
    objects = getattr(client.crm, kind)
    one, other = create(client, kind), create(client, kind)
    body = MODULES[kind].PublicMergeInput(primary_object_id=one, object_id_to_merge=other)
    survivor = objects.basic_api.merge(public_merge_input=body).id
    assert {objects.basic_api.get_by_id(each).id for each in (one, other)} == {survivor}
    assert [each.id for each in objects.get_all()] == [survivor]


def test_a_contact_is_deleted_for_good(client):
    """By id and by address; nothing is left among the archived."""
    objects = client.crm.contacts
    one, _ = create(client, "contacts"), create(client, "contacts", email="ada@example.com")
    for given, id_property in ((one, None), ("ada@example.com", "email")):
        body = contacts.PublicGdprDeleteInput(object_id=given, id_property=id_property)
        objects.basic_api.purge(public_gdpr_delete_input=body)
    assert objects.get_all() == objects.get_all(archived=True) == []


@pytest.fixture
def chain(client):
    """A company, a deal of it, and a contact that is associated with neither."""
    company = create(client, "companies")
    return company, create(client, "deals", [(company, 341)]), create(client, "contacts")


def define_label(client):
    """A label between deals and contacts; answers its specification."""
    label = association_schema.PublicAssociationDefinitionCreateRequest(label="Decider", name="decider")
    made = client.crm.associations.v4.schema.definitions_api.create(
        "deals", "contacts", public_association_definition_create_request=label
    )
    return associations.AssociationSpec(
        association_category="USER_DEFINED", association_type_id=made.results[0].type_id
    )


def test_associations_one_by_one(client, chain):
    """Inline, with a label, without one; read page by page; removed."""
    company, deal, contact = chain
    links = client.crm.associations.v4
    shown = client.crm.deals.basic_api.get_by_id(deal, associations=["companies"])
    assert shown.associations["companies"].results[0].id == company
    assert links.basic_api.get_page("deals", deal, "companies").results[0].association_types[0].type_id == 5
    links.basic_api.archive("deals", deal, "companies", company)
    assert links.basic_api.get_page("deals", deal, "companies").results == []
    links.basic_api.create_default("deals", deal, "companies", company)
    made = links.basic_api.create("deals", deal, "contacts", contact, association_spec=[define_label(client)])
    assert made.labels == ["Decider"]
    other = create(client, "contacts", [(deal, 4)])
    first = links.basic_api.get_page("deals", deal, "contacts", limit=1)
    rest = links.basic_api.get_page("deals", deal, "contacts", limit=1, after=first.paging.next.after)
    assert {str(page.results[0].to_object_id) for page in (first, rest)} == {contact, other}
    assert rest.paging is None


def test_associations_by_batch(client, chain):
    """With a label, without one, read, the label removed, all removed."""
    _, deal, contact = chain
    links = client.crm.associations.v4
    label, start, end = (
        define_label(client),
        associations.PublicObjectId(id=deal),
        associations.PublicObjectId(id=contact),
    )
    pair = associations.PublicAssociationMultiPost(_from=start, to=end, types=[label])
    body = associations.BatchInputPublicAssociationMultiPost(inputs=[pair])
    linked = links.batch_api.create("deals", "contacts", batch_input_public_association_multi_post=body)
    assert linked.results[0].labels == ["Decider"]

    def read():
        wanted = [associations.PublicFetchAssociationsBatchRequest(id=deal)]
        asked = associations.BatchInputPublicFetchAssociationsBatchRequest(inputs=wanted)
        found = links.batch_api.get_page(
            "deals", "contacts", batch_input_public_fetch_associations_batch_request=asked
        )
        return [
            (str(to.to_object_id), {one.label for one in to.association_types})
            for row in found.results
            for to in row.to
        ]

    assert read() == [(contact, {"Decider", None})]
    links.batch_api.archive_labels("deals", "contacts", batch_input_public_association_multi_post=body)
    assert read() == [(contact, {None})]
    ended = associations.PublicAssociationMultiArchive(_from=start, to=[end])
    body = associations.BatchInputPublicAssociationMultiArchive(inputs=[ended])
    links.batch_api.archive("deals", "contacts", batch_input_public_association_multi_archive=body)
    assert read() == []
    pair = associations.PublicDefaultAssociationMultiPost(_from=start, to=end)
    body = associations.BatchInputPublicDefaultAssociationMultiPost(inputs=[pair])
    made = links.batch_api.create_default(
        "deals", "contacts", batch_input_public_default_association_multi_post=body
    )
    assert {one.association_spec.association_type_id for one in made.results} >= {3}
    assert read() == [(contact, {None})]


def test_labels(client):
    """A label is defined, renamed, and removed; HubSpot's own types stay."""
    labels = client.crm.associations.v4.schema
    before = labels.definitions_api.get_all("contacts", "companies").results
    new = association_schema.PublicAssociationDefinitionCreateRequest(
        label="Advisor", inverse_label="Advised by", name="advisor"
    )
    made = labels.definitions_api.create(
        "contacts", "companies", public_association_definition_create_request=new
    ).results
    assert {one.label for one in made} == {"Advisor", "Advised by"}
    type_id = next(one.type_id for one in made if one.label == "Advisor")
    change = association_schema.PublicAssociationDefinitionUpdateRequest(
        association_type_id=type_id, label="Counsel", inverse_label="Advised by"
    )
    labels.definitions_api.update("contacts", "companies", public_association_definition_update_request=change)
    listed = {one.type_id: one.label for one in labels.definitions_api.get_all("contacts", "companies").results}
    assert listed == {**{one.type_id: one.label for one in before}, type_id: "Counsel"}
    labels.definitions_api.remove("contacts", "companies", type_id)
    assert labels.definitions_api.get_all("contacts", "companies").results == before


def test_associations_of_v3(client, chain):
    """The older batches, and the older list of types."""
    _, deal, contact = chain
    old_links, old_labels = client.crm.associations, client.crm.associations.schema
    types = old_labels.types_api.get_all("deals", "contacts").results
    assert {(one.id, one.name) for one in types} >= {("3", "deal_to_contact")}
    start, end = v3_associations.PublicObjectId(id=deal), v3_associations.PublicObjectId(id=contact)
    pair = v3_associations.PublicAssociation(_from=start, to=end, type="deal_to_contact")
    body = v3_associations.BatchInputPublicAssociation(inputs=[pair])
    made = old_links.batch_api.create("deals", "contacts", batch_input_public_association=body)
    assert [(one._from.id, one.to.id) for one in made.results] == [(deal, contact)]
    asked = v3_associations.BatchInputPublicObjectId(inputs=[start])
    (read,) = old_links.batch_api.read("deals", "contacts", batch_input_public_object_id=asked).results
    assert [(one.id, one.type) for one in read.to] == [(contact, "deal_to_contact")]
    old_links.batch_api.archive("deals", "contacts", batch_input_public_association=body)
    assert old_links.batch_api.read("deals", "contacts", batch_input_public_object_id=asked).results == []


def test_pipelines(client):
    """One call with stages; read, changed, replaced, archived; the audit tells of it."""
    lanes = client.crm.pipelines
    stage = pipelines.PipelineStageInput(label="Asked", display_order=0, metadata={"probability": "0.5"})
    body = pipelines.PipelineInput(label="Renewals", display_order=1, stages=[stage])
    made = lanes.pipelines_api.create("deals", pipeline_input=body)
    assert made.stages[0].metadata == {"isClosed": "false", "probability": "0.5"}
    assert [one.id for one in lanes.pipelines_api.get_all("deals").results] == ["default", made.id]
    change = pipelines.PipelinePatchInput(label="Renewed")
    lanes.pipelines_api.update("deals", made.id, pipeline_patch_input=change)
    assert lanes.pipelines_api.get_by_id("deals", made.id).label == "Renewed"
    body = pipelines.PipelineInput(label="Replaced", display_order=2, stages=[stage])
    replaced = lanes.pipelines_api.replace("deals", made.id, pipeline_input=body)
    assert (replaced.id, replaced.label, len(replaced.stages)) == (made.id, "Replaced", 1)
    acts = [one.action for one in lanes.pipeline_audits_api.get_audit("deals", made.id).results]
    assert sorted(acts) == ["CREATE", "UPDATE", "UPDATE"]
    lanes.pipelines_api.archive("deals", made.id, validate_references_before_delete=True)
    with pytest.raises(pipelines.ApiException) as missing:
        lanes.pipelines_api.get_by_id("deals", made.id)
    assert missing.value.status == 404


def test_stages(client):
    """Added, read, changed, replaced, removed, one by one."""
    lanes = client.crm.pipelines
    new = pipelines.PipelineStageInput(label="Done", display_order=9, metadata={"probability": "1.0"})
    made = lanes.pipeline_stages_api.create("deals", "default", pipeline_stage_input=new)
    assert made.metadata["isClosed"] == "true"
    assert made.id in {one.id for one in lanes.pipeline_stages_api.get_all("deals", "default").results}
    change = pipelines.PipelineStagePatchInput(label="Nearly", metadata={"probability": "0.9"})
    lanes.pipeline_stages_api.update("deals", "default", made.id, pipeline_stage_patch_input=change)
    read = lanes.pipeline_stages_api.get_by_id("deals", "default", made.id)
    assert (read.label, read.display_order, read.metadata["isClosed"]) == ("Nearly", 9, "false")
    replaced = lanes.pipeline_stages_api.replace("deals", "default", made.id, pipeline_stage_input=new)
    assert (replaced.label, replaced.metadata["isClosed"]) == ("Done", "true")
    lanes.pipeline_stages_api.archive("deals", "default", made.id)
    assert made.id not in {one.id for one in lanes.pipeline_stages_api.get_all("deals", "default").results}


@KINDS
def test_properties(client, kind):
    """A definition is made, read, changed and archived; options of a list are kept in order."""
    shapes = client.crm.properties
    options = [
        properties.OptionInput(label=one, value=one, display_order=i, hidden=False) for i, one in enumerate("ba")
    ]
    new = properties.PropertyCreate(
        name="tier", label="Tier", type="enumeration", field_type="select", group_name=GROUP[kind], options=options
    )
    made = shapes.core_api.create(kind, property_create=new)
    assert [one.value for one in made.options] == ["b", "a"]
    more = properties.OptionInput(label="c", value="c", display_order=2, hidden=False)
    change = properties.PropertyUpdate(label="Level", options=[*options, more])
    shapes.core_api.update(kind, "tier", property_update=change)
    read = shapes.core_api.get_by_name(kind, "tier")
    assert (read.label, [one.value for one in read.options]) == ("Level", ["b", "a", "c"])
    names = {one.name for one in shapes.core_api.get_all(kind).results}
    assert {"tier", "hubspot_owner_id", NAME[kind]} < names
    shapes.core_api.archive(kind, "tier")
    assert {one.name for one in shapes.core_api.get_all(kind).results} == names - {"tier"}
    assert "tier" in {one.name for one in shapes.core_api.get_all(kind, archived=True).results}


def test_properties_by_batch(client):
    """Made, read with one that is not there, archived."""
    shapes = client.crm.properties
    inputs = [
        properties.PropertyCreate(
            name=name, label=name, type="number", field_type="number", group_name=GROUP["deals"]
        )
        for name in ("one", "two")
    ]
    body = properties.BatchInputPropertyCreate(inputs=inputs)
    made = shapes.batch_api.create("deals", batch_input_property_create=body)
    assert [one.name for one in made.results] == ["one", "two"]
    wanted = [properties.PropertyName(name=name) for name in ("one", "three")]
    body = properties.BatchReadInputPropertyName(inputs=wanted, archived=False)
    read = shapes.batch_api.read("deals", batch_read_input_property_name=body)
    assert ([one.name for one in read.results], read.num_errors) == (["one"], 1)
    body = properties.BatchInputPropertyName(inputs=[properties.PropertyName(name=name) for name in ("one", "two")])
    shapes.batch_api.archive("deals", batch_input_property_name=body)
    assert {"one", "two"}.isdisjoint(one.name for one in shapes.core_api.get_all("deals").results)


def test_groups(client):
    """A group is made, read, renamed, archived."""
    shapes = client.crm.properties
    new = properties.PropertyGroupCreate(name="sync", label="Sync")
    assert shapes.groups_api.create("contacts", property_group_create=new).name == "sync"
    change = properties.PropertyGroupUpdate(label="Synced")
    shapes.groups_api.update("contacts", "sync", property_group_update=change)
    assert shapes.groups_api.get_by_name("contacts", "sync").label == "Synced"
    assert "sync" in {one.name for one in shapes.groups_api.get_all("contacts").results}
    shapes.groups_api.archive("contacts", "sync")
    assert "sync" not in {one.name for one in shapes.groups_api.get_all("contacts").results}


def test_owners(client, served):
    """By pages, by e-mail, by either id, and the archived ones; the address has a slash at its end."""
    added = served[0].add_owners(
        [{"email": f"{name}@example.com", "firstName": name, "lastName": "L"} for name in "abc"]
        + [{"email": "gone@example.com", "firstName": "G", "lastName": "L", "archived": True}]
    )
    people = client.crm.owners
    first = people.owners_api.get_page(limit=3)
    rest = people.owners_api.get_page(limit=3, after=first.paging.next.after)
    emails = [one.email for one in (*first.results, *rest.results)]
    assert emails == ["admin@example.com", "a@example.com", "b@example.com", "c@example.com"]
    assert [one.email for one in people.get_all()] == emails
    (found,) = people.owners_api.get_page(email="B@example.com").results
    assert (found.id, found.first_name) == (added[1]["id"], "b")
    assert people.owners_api.get_by_id(int(found.id)).email == "b@example.com"
    assert people.owners_api.get_by_id(found.user_id, id_property="userId").id == found.id
    assert [one.email for one in people.owners_api.get_page(archived=True).results] == ["gone@example.com"]


def test_what_the_client_has_no_method_for(client, served):
    """`api_request` with a path: account information; it does not look at `host`, so it is told the address."""
    answer = client.api_request({"path": "/account-info/v3/details", "base_url": served[1]})
    assert answer.json()["portalId"] == 48160219


def test_a_wrong_token_raises(served):
    """401 as an ApiException."""
    client = HubSpot(access_token="pat-na1-wrong", host=served[1])
    with pytest.raises(deals.ApiException) as refused:
        client.crm.deals.basic_api.get_page()
    assert refused.value.status == 401
