"""The Tooling API's part for custom fields, and the permission sets that open them to users."""

import pytest

METADATA = {"type": "Text", "label": "Partner", "length": 40, "unique": True, "externalId": True}


def make(client, full_name="Opportunity.Partner_Id__c", **metadata):
    return client(
        "POST", "tooling/sobjects/CustomField", {"FullName": full_name, "Metadata": {**METADATA, **metadata}}
    )


def names(client, sobject="Opportunity"):
    return {field["name"]: field for field in client("GET", f"sobjects/{sobject}/describe")[1]["fields"]}


def forbid(client, *permissions):
    body = dict.fromkeys(permissions, False)
    assert client("PUT", "/_sandbox/permissions", body, headers={})[0] == 200


def permission_set(client, field="Opportunity.Partner_Id__c", *, edit=True, assign=True):
    """A permission set that opens a field to the user."""
    made = client.create("PermissionSet", Name="Sync", Label="Sync")
    client.create(
        "FieldPermissions", ParentId=made, SobjectType="Opportunity", Field=field, PermissionsRead=True,
        PermissionsEdit=edit,
    )  # fmt: skip
    if assign:
        client.create("PermissionSetAssignment", PermissionSetId=made, AssigneeId=client.sandbox.org.administrator)
    return made


def test_a_field_is_made_and_closed_to_everybody(client):
    """It is there for the Tooling API, and for no user, not even its maker."""
    status, made = make(client)
    assert (status, made["success"]) == (201, True)
    assert "Partner_Id__c" not in names(client)
    soql = "SELECT Id FROM CustomField WHERE TableEnumOrId = 'Opportunity' AND DeveloperName = 'Partner_Id'"
    assert client.query(soql, "tooling/query") == [{"Id": made["id"]}]
    told = client("GET", f"tooling/sobjects/CustomField/{made['id']}")[1]
    assert told["FullName"] == "Opportunity.Partner_Id__c"
    assert {**told["Metadata"], **METADATA} == told["Metadata"]


def test_a_required_field_cannot_be_hidden(client):
    """Field-level security does not hide what every record needs."""
    make(client, required=True)
    assert "Partner_Id__c" in names(client)


@pytest.mark.parametrize("edit", [True, False])
def test_a_permission_set_opens_it(client, edit):
    """With read alone it may be seen, with edit also written; by whom it is assigned to, no other."""
    make(client)
    permission_set(client, edit=edit)
    told = names(client)["Partner_Id__c"]
    assert (told["unique"], told["externalId"], told["length"], told["createable"]) == (True, True, 40, edit)
    record = client.opportunity()
    status, _ = client("PATCH", f"sobjects/Opportunity/{record}", {"Partner_Id__c": "7"})
    assert status == (204 if edit else 400)
    client.headers = {"Authorization": f"Bearer {client.sandbox.sign_in('ada@example.com')}"}
    assert "Partner_Id__c" not in names(client)


def test_a_permission_set_adds_to_what_a_user_may(client):
    """What the user's own rights hide, it opens as well."""
    hidden = {"fields": {"Opportunity": {"NextStep": {"read": False}}}}
    client("PUT", "/_sandbox/permissions", hidden, headers={})
    assert "NextStep" not in names(client)
    permission_set(client, "Opportunity.NextStep", edit=False)
    assert names(client)["NextStep"]["updateable"] is False


def test_it_closes_again_with_the_assignment(client):
    """Taking the permission set from the user takes the field from their sight."""
    make(client)
    permission_set(client)
    [assignment] = client.query("SELECT Id FROM PermissionSetAssignment")
    assert client("DELETE", f"sobjects/PermissionSetAssignment/{assignment['Id']}")[0] == 204
    assert "Partner_Id__c" not in names(client)


@pytest.mark.parametrize(
    ("full_name", "metadata", "code"),
    [
        ("Opportunity.HubSpot_Id__c", {}, "DUPLICATE_DEVELOPER_NAME"),
        ("Nothing.Partner_Id__c", {}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Opportunity.Partner_Id", {}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Partner_Id__c", {"length": None}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Partner_Id__c", {"type": "Riddle"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Opportunity.Partner_Id__c", {"colour": "red"}, "JSON_PARSER_ERROR"),
    ],
)
def test_a_field_that_cannot_be_made(client, full_name, metadata, code):
    """Each is refused with its code, and nothing is made."""
    status, body = make(client, full_name, **metadata)
    assert (status, body[0]["errorCode"]) == (400, code)
    assert [one["DeveloperName"] for one in client.query(
        "SELECT DeveloperName FROM CustomField WHERE TableEnumOrId = 'Opportunity'", "tooling/query"
    )] == ["HubSpot_Id"]  # fmt: skip


def test_who_may_make_a_field(client):
    """It asks for Customize Application; seeing custom fields for View Setup and Configuration."""
    forbid(client, "PermissionsCustomizeApplication")
    assert make(client)[0] == 403
    forbid(client, "PermissionsViewSetup")
    refused = client.refusal("GET", "tooling/query", q="SELECT Id FROM CustomField")
    assert refused[:2] == (400, "INVALID_TYPE")


@pytest.mark.parametrize(
    ("missing", "sobject", "body"),
    [
        ("PermissionsManageProfilesPermissionsets", "PermissionSet", {"Name": "Other", "Label": "Other"}),
        ("PermissionsAssignPermissionSets", "PermissionSetAssignment", {"PermissionSetId": "", "AssigneeId": ""}),
    ],
)
def test_who_may_grant(client, missing, sobject, body):
    """Permission sets and their assignments ask for a right each."""
    if "AssigneeId" in body:
        made = client.create("PermissionSet", Name="Sync", Label="Sync")
        body = {"PermissionSetId": made, "AssigneeId": client.sandbox.org.administrator}
    forbid(client, missing)
    assert client.refusal("POST", f"sobjects/{sobject}", body)[1] == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_what_cannot_be_granted(client):
    """A field that is not there, one that every record needs, a row without read, and the same again."""
    made = permission_set(client, "Opportunity.Amount")
    row = {"ParentId": made, "SobjectType": "Opportunity", "PermissionsRead": True}
    for field in ("Opportunity.Nothing__c", "Opportunity.StageName", "Amount"):
        refused = client.refusal("POST", "sobjects/FieldPermissions", {**row, "Field": field})
        assert refused[1] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    blind = {**row, "Field": "Opportunity.NextStep", "PermissionsRead": False, "PermissionsEdit": True}
    assert client.refusal("POST", "sobjects/FieldPermissions", blind)[1] == "FIELD_INTEGRITY_EXCEPTION"
    again = {**row, "Field": "Opportunity.Amount"}
    assert client.refusal("POST", "sobjects/FieldPermissions", again)[1] == "DUPLICATE_VALUE"
    user = {"PermissionSetId": made, "AssigneeId": client.sandbox.org.administrator}
    assert client.refusal("POST", "sobjects/PermissionSetAssignment", user)[1] == "DUPLICATE_VALUE"
    same = {"Name": "Sync", "Label": "Sync"}
    assert client.refusal("POST", "sobjects/PermissionSet", same)[1] == "DUPLICATE_DEVELOPER_NAME"
    odd = {"Name": "9 lives", "Label": "x"}
    assert client.refusal("POST", "sobjects/PermissionSet", odd)[1] == "FIELD_INTEGRITY_EXCEPTION"


def test_a_field_is_deleted(client):
    """Its values go with it, and the name is free again."""
    _, made = make(client)
    assert client("DELETE", f"tooling/sobjects/CustomField/{made['id']}")[0] == 204
    assert client.refusal("GET", f"tooling/sobjects/CustomField/{made['id']}")[:2] == (404, "NOT_FOUND")
    assert make(client)[0] == 201


def test_which_fields_there_are(client):
    """FieldDefinition shows hidden fields too to whoever sees the set-up; it wants to be asked by object."""
    make(client)
    soql = "SELECT QualifiedApiName FROM FieldDefinition"
    assert client.refusal("GET", "tooling/query", q=soql)[1] == "MALFORMED_QUERY"
    asked = f"{soql} WHERE EntityDefinitionId = 'Opportunity'"
    shown = {row["QualifiedApiName"] for row in client.query(asked, "tooling/query")}
    assert {"Name", "AccountId", "Partner_Id__c"} <= shown
    forbid(client, "PermissionsViewSetup")
    assert "Partner_Id__c" not in {row["QualifiedApiName"] for row in client.query(asked, "tooling/query")}


def test_metadata_is_told_of_one_field_at_a_time(client):
    """A query for Metadata or FullName may fit one row only."""
    assert client.refusal("GET", "tooling/query", q="SELECT FullName FROM CustomField")[1] == "MALFORMED_QUERY"
    one = "SELECT FullName FROM CustomField WHERE TableEnumOrId = 'Account' AND DeveloperName = 'HubSpot_Id'"
    assert client.query(one, "tooling/query") == [{"FullName": "Account.HubSpot_Id__c"}]
