"""Which events a portal tells, and what they look like."""

from __future__ import annotations

import pytest
from sandbox.hubspot.receiver import Receiver

COMPANY_OF_CONTACT, CONTACT_OF_DEAL = 279, 3
AT = 1793610000000  # when the portal's clock stands


@pytest.fixture
def app(hub):
    return Receiver(hub)


def deal(hub, **more):
    return hub.create("deals", {"dealname": "D", "dealstage": "appointmentscheduled", **more})


def told(events):
    """Events as (type, object id, name, value)."""
    return [
        (event["subscriptionType"], event["objectId"], event.get("propertyName"), event.get("propertyValue"))
        for event in events
    ]


def without_ids(event):
    assert event.pop("eventId") > 0
    return event


def test_a_creation_is_told(hub, app):
    """The whole of a creation's notification; the source is the app that made it."""
    (subscription,) = app.ask("deal.creation")
    made = deal(hub)
    (event,) = app.take()
    assert without_ids(event) == {
        "subscriptionId": int(subscription),
        "portalId": 48160219,
        "appId": hub.sandbox.webhooks.app_id,
        "occurredAt": AT,
        "subscriptionType": "deal.creation",
        "attemptNumber": 0,
        "objectId": int(made),
        "changeFlag": "NEW",
        "changeSource": "INTEGRATION",
        "sourceId": "2417309",
    }


def test_the_flag_of_a_creation_is_a_setting(hub, app):
    """`NEW` is documented, `CREATED` is seen on the wire."""
    app.ask("deal.creation")
    hub.set(webhook_created_flag="CREATED")
    deal(hub)
    assert [event["changeFlag"] for event in app.take()] == ["CREATED"]
    hub.call("PUT", "/_sandbox/settings", {"webhook_created_flag": "MADE"}, 400)


def test_a_persons_change_names_the_person(hub, app):
    """What is done in HubSpot's pages has `CRM_UI` and the user's id as its source."""
    app.ask("deal.propertyChange:amount")
    made = deal(hub)
    hub.token = hub.call("POST", "/_sandbox/people", {"email": "ann@example.com"}, 201)["token"]
    hub.update("deals", made, amount="5")
    (event,) = app.take()
    assert event["changeSource"] == "CRM_UI"
    assert event["sourceId"].removeprefix("userId:").isdigit()


def test_only_what_changes_is_told(hub, app):
    """Properties of a creation, changed and cleared ones; not those written as they were, nor unsubscribed ones."""
    app.ask("deal.propertyChange:amount", "deal.propertyChange:description")
    made = deal(hub, amount="1")
    hub.update("deals", made, amount="1", dealname="E")
    hub.update("deals", made, amount="2.50", description="x")
    hub.update("deals", made, amount="")
    kind = "deal.propertyChange"
    assert told(app.take()) == [
        (kind, int(made), "amount", "1"),
        (kind, int(made), "amount", "2.50"),
        (kind, int(made), "description", "x"),
        (kind, int(made), "amount", ""),
    ]


def test_a_batch_tells_of_each_record(hub, app):
    """Batches are told as single calls are; a refused input tells nothing."""
    app.ask("deal.creation", "deal.propertyChange:amount")
    made = [deal(hub), deal(hub)]
    app.take()
    inputs = [{"id": each, "properties": {"amount": "7"}, "objectWriteTraceId": each} for each in made]
    inputs.append({"id": deal(hub), "properties": {"amount": "seven"}, "objectWriteTraceId": "bad"})
    app.take()
    hub.call("POST", "/crm/v3/objects/deals/batch/update", {"inputs": inputs}, 207)
    assert told(app.take()) == [("deal.propertyChange", int(each), "amount", "7") for each in made]


def test_archiving_is_told_as_deletion(hub, app):
    """Once, with its flag; archiving what is archived already tells nothing."""
    app.ask("deal.deletion")
    made = deal(hub)
    hub.call("DELETE", f"/crm/v3/objects/deals/{made}", expect=204)
    hub.call("DELETE", f"/crm/v3/objects/deals/{made}", expect=204)
    (event,) = app.take()
    assert (event["subscriptionType"], event["objectId"], event["changeFlag"]) == (
        "deal.deletion",
        int(made),
        "DELETED",
    )


def test_a_restored_record_is_told(hub, app):
    """Once as `restore`, by the person who restores it, and with the associations that come back."""
    one = deal(hub)
    contact = hub.create("contacts", {"email": "a@example.com"}, (one, 4))
    hub.call("DELETE", f"/crm/v3/objects/deals/{one}", expect=204)
    app.ask("deal.restore", "contact.associationChange")
    hub.call("POST", "/_sandbox/restore_records", {"objectType": "deals", "ids": [one]}, 204)
    restored, link = app.take()
    assert (restored["subscriptionType"], restored["objectId"]) == ("deal.restore", int(one))
    assert link_keys(link) == ("CONTACT_TO_DEAL", int(contact), int(one), False, False)


def test_deleting_a_contact_for_good_is_told_twice(hub, app):
    """As a privacy deletion, and as a deletion."""
    app.ask("contact.privacyDeletion", "contact.deletion")
    made = hub.create("contacts", {"email": "a@example.com"})
    hub.call("POST", "/crm/v3/objects/contacts/gdpr-delete", {"objectId": made}, 204)
    events = app.take()
    assert told(events) == [
        ("contact.privacyDeletion", int(made), None, None),
        ("contact.deletion", int(made), None, None),
    ]
    assert [event.get("changeFlag") for event in events] == [None, "DELETED"]


@pytest.mark.parametrize("mints", [False, True])
def test_a_merge_tells_who_became_whom(hub, app, mints):
    """The winner, those merged into it, the id of the result, and how many values moved."""
    hub.set(merge_mints_new_id=mints)
    app.ask("company.merge", "company.propertyChange:phone")
    winner = hub.create("companies", {"name": "A"})
    loser = hub.create("companies", {"name": "B", "phone": "1"})
    app.take()
    body = {"primaryObjectId": winner, "objectIdToMerge": loser}
    survivor = hub.call("POST", "/crm/v3/objects/companies/merge", body)["id"]
    assert (survivor != winner) is mints
    change, merge = app.take()
    assert told([change]) == [("company.propertyChange", int(survivor), "phone", "1")]
    assert {name: merge[name] for name in ("objectId", "primaryObjectId", "mergedObjectIds", "newObjectId")} == {
        "objectId": int(survivor),
        "primaryObjectId": int(winner),
        "mergedObjectIds": [int(loser)],
        "newObjectId": int(survivor),
    }
    assert merge["numberOfPropertiesMoved"] == 1


def link_keys(event):
    names = ("associationType", "fromObjectId", "toObjectId", "associationRemoved", "isPrimaryAssociation")
    return tuple(event[name] for name in names)


def test_an_association_is_told_to_both_ends(hub, app):
    """From the deal to the contact and from the contact to the deal; so is its end."""
    app.ask("deal.associationChange", "contact.associationChange")
    one = deal(hub)
    contact = hub.create("contacts", {"email": "a@example.com"}, (one, 4))
    path = f"/crm/v4/objects/contacts/{contact}/associations/deals/{one}"
    hub.call("PUT", f"/crm/v4/objects/contacts/{contact}/associations/default/deals/{one}")
    hub.call("DELETE", path, expect=204)
    hub.call("DELETE", path, expect=204)
    ends = ("DEAL_TO_CONTACT", int(one), int(contact)), ("CONTACT_TO_DEAL", int(contact), int(one))
    events = app.take()
    assert [link_keys(event) for event in events] == [
        (*end, removed, False) for removed in (False, True) for end in ends
    ]
    assert [event["objectId"] for event in events] == [int(one), int(contact)] * 2
    assert "associationTypeId" not in events[0]


def test_a_primary_company_is_told_as_two_associations(hub, app):
    """The first company of a contact: one event for the association, one for its being the primary, at each end."""
    app.ask("contact.associationChange", "company.associationChange")
    company = hub.create("companies", {"name": "A"})
    contact = hub.create("contacts", {"email": "a@example.com"}, (company, COMPANY_OF_CONTACT))
    there, back = (
        ("CONTACT_TO_COMPANY", int(contact), int(company)),
        ("COMPANY_TO_CONTACT", int(company), int(contact)),
    )
    assert sorted(link_keys(event) for event in app.take()) == sorted(
        (*end, False, primary) for end in (there, back) for primary in (True, False)
    )


def test_another_primary_company_ends_the_first(hub, app):
    """The old company stays associated and is told to be the primary no more."""
    old, new = (hub.create("companies", {"name": name}) for name in "AB")
    contact = hub.create("contacts", {"email": "a@example.com"}, (old, COMPANY_OF_CONTACT))
    app.ask("contact.associationChange")
    hub.update("contacts", contact, associatedcompanyid=new)
    kind = "CONTACT_TO_COMPANY"
    assert sorted(link_keys(event) for event in app.take()) == sorted(
        [
            (kind, int(contact), int(old), True, True),
            (kind, int(contact), int(new), False, True),
            (kind, int(contact), int(new), False, False),
        ]
    )


def test_contacts_of_one_another_are_told_at_both_ends(hub, app):
    """Associations between records of one type have two events as well."""
    app.ask("contact.associationChange")
    one, other = (hub.create("contacts", {"email": f"{name}@example.com"}) for name in "ab")
    hub.call("PUT", f"/crm/v4/objects/contacts/{one}/associations/default/contacts/{other}")
    pairs = [(event["fromObjectId"], event["toObjectId"]) for event in app.take()]
    assert pairs == [(int(one), int(other)), (int(other), int(one))]


def test_a_label_is_told_to_generic_subscriptions_only(hub, app):
    """A label between associated records has a type of its own, which only `object.associationChange` names."""
    labels = "/crm/v4/associations/deals/contacts/labels"
    made = hub.call("POST", labels, {"label": "Boss", "name": "boss"})["results"][0]["typeId"]
    one, contact = deal(hub), hub.create("contacts", {"email": "a@example.com"})
    hub.call("PUT", f"/crm/v4/objects/deals/{one}/associations/default/contacts/{contact}")
    app.ask("deal.associationChange")
    app.ask("object.associationChange", objects="0-3")
    spec = [{"associationCategory": "USER_DEFINED", "associationTypeId": made}]
    hub.call("PUT", f"/crm/v4/objects/deals/{one}/associations/contacts/{contact}", spec, 201)
    (event,) = app.take()
    assert event["subscriptionType"] == "object.associationChange"
    assert (event["associationTypeId"], event["associationCategory"]) == (made, "USER_DEFINED")
    assert (event["fromObjectTypeId"], event["toObjectTypeId"]) == ("0-3", "0-1")
    assert "objectTypeId" not in event


def test_generic_events_name_their_object_type(hub, app):
    """`object.*` events have `objectTypeId`, and those of properties say whether these are sensitive."""
    app.ask("object.creation", "object.propertyChange:amount", objects="0-3")
    deal(hub, amount="1")
    hub.create("companies", {"name": "A"})
    creation, change = app.take()
    assert (creation["subscriptionType"], creation["objectTypeId"]) == ("object.creation", "0-3")
    assert (change["subscriptionType"], change["objectTypeId"], change["isSensitive"]) == (
        "object.propertyChange",
        "0-3",
        False,
    )


def test_a_paused_subscription_is_not_told(hub, app):
    """What happens while it is paused is not told later either."""
    (subscription,) = app.ask("deal.creation")
    app.call("PATCH", f"subscriptions/{subscription}", {"active": False})
    deal(hub)
    app.call("PATCH", f"subscriptions/{subscription}", {"active": True})
    made = deal(hub)
    assert [event["objectId"] for event in app.take()] == [int(made)]


def test_nobody_is_told_without_a_target(hub, app):
    """Subscriptions of an app without settings are silent."""
    app.ask("deal.creation")
    app.call("DELETE", "settings", expect=204)
    deal(hub)
    assert app.hub.sandbox.webhooks.pending() == 0
    assert hub.sandbox.portal.events.wanted == frozenset()


def test_records_that_the_sandbox_does_not_hold_stay_silent(hub, app):
    """Subscriptions for tickets and conversations are kept, and nothing listens for them."""
    app.ask("ticket.creation", "conversation.newMessage")
    assert hub.sandbox.portal.events.wanted == frozenset()


def test_event_ids_come_again(hub, app):
    """`eventId` is not unique: some of many events share one."""
    app.ask("deal.creation")
    inputs = [{"properties": {"dealname": "D", "dealstage": "appointmentscheduled"}} for _ in range(100)]
    hub.call("POST", "/crm/v3/objects/deals/batch/create", {"inputs": inputs}, 201)
    ids = [event["eventId"] for event in app.take()]
    assert 50 < len(set(ids)) < len(ids) == 100
