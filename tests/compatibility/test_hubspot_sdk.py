"""HubSpot's own Python client (hubspot-api-client), unmodified, against the sandbox over a real port.

Its deserialiser forgives missing fields, so these tests prove that addresses, parameters and bodies are understood;
the shapes themselves are checked in tests/sandbox/hubspot.
"""

from __future__ import annotations

from datetime import datetime

import pytest
from hubspot import HubSpot
from hubspot.crm import companies, contacts, deals, pipelines, properties
from hubspot.crm.associations import v4 as associations
from hubspot.crm.associations.v4 import schema as association_schema

from connector.sandbox.hubspot import HubSpotSandbox
from connector.sandbox.server import serving

OPEN = {"dealname": "D", "dealstage": "appointmentscheduled"}


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


def new_deals(client, count, **more):
    inputs = [
        deals.SimplePublicObjectBatchInputForCreate(
            properties={**OPEN, "dealname": f"D{i}", **more}, associations=[]
        )
        for i in range(count)
    ]
    body = deals.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
    return client.crm.deals.batch_api.create(batch_input_simple_public_object_batch_input_for_create=body).results


def test_a_record_lives_its_life(client):
    """Create, read, update, archive, and the exception of a missing record."""
    api = client.crm.contacts.basic_api
    new = contacts.SimplePublicObjectInputForCreate(properties={"email": "Ada@example.com"}, associations=[])
    made = api.create(simple_public_object_input_for_create=new)
    assert isinstance(made.created_at, datetime)
    change = contacts.SimplePublicObjectInput(properties={"firstname": "Ada"})
    api.update("ada@example.com", id_property="email", simple_public_object_input=change)
    read = api.get_by_id(made.id, properties=["firstname", "email"], properties_with_history=["firstname"])
    assert read.properties["firstname"] == "Ada"
    assert read.properties_with_history["firstname"][0].source_type == "INTEGRATION"
    api.archive(made.id)
    with pytest.raises(contacts.ApiException) as missing:
        api.get_by_id(made.id)
    assert missing.value.status == 404
    assert api.get_by_id(made.id, archived=True).archived_at is not None


def test_get_all_reads_every_page(client):
    """250 records are three pages, with history six of fifty."""
    for _ in range(3):
        new_deals(client, 84)
    api = client.crm.deals
    assert len({deal.id for deal in api.get_all(properties=["dealname"])}) == 252
    assert len(api.get_all(properties_with_history=["dealname"])) == 252


def test_batches(client):
    """Create with a 207, read, update, upsert by a unique property, archive."""
    key = properties.PropertyCreate(
        name="sf_id", label="Salesforce id", type="string", field_type="text", group_name="dealinformation",
        has_unique_value=True,
    )  # fmt: skip
    client.crm.properties.core_api.create("deals", property_create=key)
    api = client.crm.deals.batch_api
    inputs = [
        deals.SimplePublicObjectBatchInputForCreate(
            properties={**OPEN, "amount": amount, "sf_id": amount}, associations=[], object_write_trace_id=amount
        )
        for amount in ("1", "2", "many")
    ]
    body = deals.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
    made = api.create(batch_input_simple_public_object_batch_input_for_create=body)
    assert type(made).__name__ == "BatchResponseSimplePublicObjectWithErrors"
    assert made.errors[0].context == {"objectWriteTraceId": ["many"]}
    ids = {row.properties["sf_id"]: row.id for row in made.results}

    wanted = [deals.SimplePublicObjectId(id="1"), deals.SimplePublicObjectId(id="9")]
    read = deals.BatchReadInputSimplePublicObjectId(
        inputs=wanted, id_property="sf_id", properties=["amount"], properties_with_history=[]
    )
    found = api.read(batch_read_input_simple_public_object_id=read)
    assert [row.id for row in found.results] == [ids["1"]]
    assert found.errors[0].context == {"ids": ["9"]}

    changes = [deals.SimplePublicObjectBatchInput(id=one, properties={"amount": "5"}) for one in ids.values()]
    body = deals.BatchInputSimplePublicObjectBatchInput(inputs=changes)
    updated = api.update(batch_input_simple_public_object_batch_input=body)
    assert {row.properties["amount"] for row in updated.results} == {"5"}

    upserts = [
        deals.SimplePublicObjectBatchInputUpsert(id=one, id_property="sf_id", properties={**OPEN, "amount": "6"})
        for one in ("2", "3")
    ]
    body = deals.BatchInputSimplePublicObjectBatchInputUpsert(inputs=upserts)
    upserted = api.upsert(batch_input_simple_public_object_batch_input_upsert=body)
    assert {row.id == ids["2"]: row.new for row in upserted.results} == {True: False, False: True}

    gone = deals.BatchInputSimplePublicObjectId(inputs=[deals.SimplePublicObjectId(id=ids["1"])])
    api.archive(batch_input_simple_public_object_id=gone)
    assert len(client.crm.deals.get_all()) == 2


def test_a_refused_batch_raises(client):
    """Without trace ids a bad input is an ApiException with HubSpot's body."""
    with pytest.raises(deals.ApiException) as refused:
        new_deals(client, 2, amount="many")
    assert refused.value.status == 400
    assert "INVALID_NUMBER" in refused.value.body


def test_search_pages(client):
    """Filters, a sort and offsets."""
    new_deals(client, 70, amount="5")
    new_deals(client, 5, amount="50")
    search = deals.PublicObjectSearchRequest(
        filter_groups=[
            deals.FilterGroup(filters=[deals.Filter(property_name="amount", operator="LT", value="10")])
        ],
        sorts=["hs_lastmodifieddate"], properties=["amount"], limit=50, after="0",
    )  # fmt: skip
    first = client.crm.deals.search_api.do_search(public_object_search_request=search)
    assert (first.total, len(first.results)) == (70, 50)
    search.after = first.paging.next.after
    second = client.crm.deals.search_api.do_search(public_object_search_request=search)
    assert len({row.id for row in (*first.results, *second.results)}) == 70
    assert second.paging is None


def test_merge(client):
    """Two companies become one."""
    new = [companies.SimplePublicObjectInputForCreate(properties={"name": n}, associations=[]) for n in "AB"]
    one, other = (
        client.crm.companies.basic_api.create(simple_public_object_input_for_create=body).id for body in new
    )
    body = companies.PublicMergeInput(primary_object_id=one, object_id_to_merge=other)
    assert client.crm.companies.basic_api.merge(public_merge_input=body).id == one
    assert client.crm.companies.basic_api.get_by_id(other).id == one


def test_associations(client):
    """Inline, by batch, singly, with labels; read by batch and page."""
    new = companies.SimplePublicObjectInputForCreate(properties={"name": "C"}, associations=[])
    company = client.crm.companies.basic_api.create(simple_public_object_input_for_create=new).id
    spec = deals.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=341)
    link = deals.PublicAssociationsForObject(to=deals.PublicObjectId(id=company), types=[spec])
    new = deals.SimplePublicObjectInputForCreate(properties=OPEN, associations=[link])
    deal = client.crm.deals.basic_api.create(simple_public_object_input_for_create=new).id
    shown = client.crm.deals.basic_api.get_by_id(deal, associations=["companies"])
    assert shown.associations["companies"].results[0].id == company

    new = contacts.SimplePublicObjectInputForCreate(properties={"lastname": "L"}, associations=[])
    contact = client.crm.contacts.basic_api.create(simple_public_object_input_for_create=new).id
    label = association_schema.PublicAssociationDefinitionCreateRequest(label="Decider", name="decider")
    made = client.crm.associations.v4.schema.definitions_api.create(
        "deals", "contacts", public_association_definition_create_request=label
    )
    batch = client.crm.associations.v4.batch_api
    labelled = associations.AssociationSpec(
        association_category="USER_DEFINED", association_type_id=made.results[0].type_id
    )
    pair = associations.PublicAssociationMultiPost(
        _from=associations.PublicObjectId(id=deal), to=associations.PublicObjectId(id=contact), types=[labelled]
    )
    body = associations.BatchInputPublicAssociationMultiPost(inputs=[pair])
    linked = batch.create("deals", "contacts", batch_input_public_association_multi_post=body)
    assert linked.results[0].labels == ["Decider"]

    wanted = associations.BatchInputPublicFetchAssociationsBatchRequest(
        inputs=[associations.PublicFetchAssociationsBatchRequest(id=deal)]
    )
    read = batch.get_page("deals", "contacts", batch_input_public_fetch_associations_batch_request=wanted)
    assert str(read.results[0].to[0].to_object_id) == contact
    basic = client.crm.associations.v4.basic_api
    assert basic.get_page("deals", deal, "companies").results[0].association_types[0].type_id == 5
    basic.archive("deals", deal, "companies", company)
    basic.create_default("deals", deal, "companies", company)
    ended = associations.BatchInputPublicAssociationMultiArchive(
        inputs=[
            associations.PublicAssociationMultiArchive(
                _from=associations.PublicObjectId(id=deal), to=[associations.PublicObjectId(id=contact)]
            )
        ]
    )
    batch.archive("deals", "contacts", batch_input_public_association_multi_archive=ended)
    assert basic.get_page("deals", deal, "contacts").results == []


def test_pipelines(client):
    """One call with chosen ids; stages one by one."""
    stage = pipelines.PipelineStageInput(label="Asked", display_order=0, metadata={"probability": "0.5"})
    body = pipelines.PipelineInput(label="Renewals", display_order=1, stages=[stage])
    made = client.crm.pipelines.pipelines_api.create("deals", pipeline_input=body)
    assert made.stages[0].metadata == {"isClosed": "false", "probability": "0.5"}
    assert len(client.crm.pipelines.pipelines_api.get_all("deals").results) == 2
    new = pipelines.PipelineStageInput(label="Done", display_order=1, metadata={"probability": "1.0"})
    client.crm.pipelines.pipeline_stages_api.create("deals", made.id, pipeline_stage_input=new)
    assert len(client.crm.pipelines.pipeline_stages_api.get_all("deals", made.id).results) == 2
    client.crm.pipelines.pipelines_api.archive("deals", made.id)


def test_properties_and_owners(client):
    """Definitions, groups, and the owners' address with a slash at its end."""
    names = [one.name for one in client.crm.properties.core_api.get_all("contacts").results]
    assert "lifecyclestage" in names
    group = properties.PropertyGroupCreate(name="sync", label="Sync")
    assert client.crm.properties.groups_api.create("contacts", property_group_create=group).name == "sync"
    inputs = [
        properties.PropertyCreate(name=name, label=name, type="number", field_type="number", group_name="sync")
        for name in ("one", "two")
    ]
    body = properties.BatchInputPropertyCreate(inputs=inputs)
    made = client.crm.properties.batch_api.create("contacts", batch_input_property_create=body)
    assert [one.group_name for one in made.results] == ["sync", "sync"]
    client.crm.properties.core_api.archive("contacts", "one")
    (owner,) = client.crm.owners.owners_api.get_page().results
    assert owner.email == "admin@example.com"
    assert client.crm.owners.owners_api.get_by_id(int(owner.id)).id == owner.id


def test_a_wrong_token_raises(served):
    """401 as an ApiException."""
    client = HubSpot(access_token="pat-na1-wrong", host=served[1])
    with pytest.raises(deals.ApiException) as refused:
        client.crm.deals.basic_api.get_page()
    assert refused.value.status == 401
