"""What the org tells about itself."""

_KEYS_OF_A_FIELD = """
aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula cascadeDelete
caseSensitive compoundFieldName controllerName createable custom defaultValue defaultValueFormula
defaultedOnCreate dependentPicklist deprecatedAndHidden digits encrypted externalId extraTypeInfo
filterable formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup
inlineHelpText label length mask maskType name nameField namePointing nillable permissionable
picklistValues polymorphicForeignKey precision queryByDistance referenceTargetField referenceTo
relationshipName relationshipOrder restrictedDelete restrictedPicklist scale searchPrefilterable
soapType sortable type unique updateable writeRequiresMasterRead
"""
FIELD_KEYS = set(_KEYS_OF_A_FIELD.split())


def fields(client, sobject):
    status, body = client("GET", f"sobjects/{sobject}/describe/")
    assert status == 200
    return {field["name"]: field for field in body["fields"]}


def test_global(client):
    """Every object is listed with its prefix and what may be done with it."""
    _, body = client("GET", "sobjects/")
    found = {each["name"]: each for each in body["sobjects"]}
    assert (body["maxBatchSize"], len(found)) == (200, 17)
    deal, stage = found["Opportunity"], found["OpportunityStage"]
    assert (deal["keyPrefix"], deal["createable"], deal["mergeable"], deal["replicateable"]) == (
        "006", True, False, True,
    )  # fmt: skip
    assert (stage["createable"], stage["replicateable"]) == (False, False)
    assert deal["urls"]["rowTemplate"] == "/services/data/v62.0/sobjects/Opportunity/{ID}"


def test_fields_have_the_whole_shape(client):
    """Each field of each object has every property Salesforce gives."""
    for sobject in ("Account", "Contact", "Opportunity", "OpportunityContactRole", "User"):
        for field in fields(client, sobject).values():
            assert field.keys() >= FIELD_KEYS


def test_what_may_be_written(client):
    """Derived, system and create-only fields say so."""
    deal = fields(client, "Opportunity")
    told = {
        name: (deal[name]["createable"], deal[name]["updateable"], deal[name]["nillable"])
        for name in ("Name", "IsWon", "ContactId", "SystemModstamp", "Amount", "Probability")
    }
    assert told == {
        "Name": (True, True, False), "IsWon": (False, False, False), "ContactId": (True, False, True),
        "SystemModstamp": (False, False, False), "Amount": (True, True, True), "Probability": (True, True, False),
    }  # fmt: skip
    assert (deal["OwnerId"]["defaultedOnCreate"], deal["OwnerId"]["referenceTo"]) == (True, ["User"])
    key = deal["HubSpot_Id__c"]
    assert (key["unique"], key["externalId"], key["custom"], key["idLookup"], key["caseSensitive"]) == (
        True, True, True, True, False,
    )  # fmt: skip
    assert (deal["Amount"]["precision"], deal["Amount"]["scale"], deal["Amount"]["soapType"]) == (
        18,
        2,
        "xsd:double",
    )
    contact = fields(client, "Contact")
    assert (contact["Name"]["createable"], contact["Name"]["nameField"]) == (False, True)
    assert (contact["MailingAddress"]["type"], contact["MailingCity"]["compoundFieldName"]) == (
        "address", "MailingAddress",
    )  # fmt: skip


def test_stage_picklist(client, sandbox):
    """The values of StageName are the stages, in their order, inactive ones included and marked."""
    sandbox.admin.replace("stages", [{"MasterLabel": "B"}, {"MasterLabel": "A", "IsActive": False}])
    stage = fields(client, "Opportunity")["StageName"]
    assert [(each["value"], each["active"]) for each in stage["picklistValues"]] == [("B", True), ("A", False)]
    assert stage["restrictedPicklist"] is True


def test_relationships_and_record_types(client, sandbox):
    """The describe lists children, and the record types with the master last."""
    (retail,) = sandbox.admin.add("record_types", [{"Name": "Retail"}])
    _, body = client("GET", "sobjects/Opportunity/describe")
    assert [(each["recordTypeId"], each["developerName"], each["master"]) for each in body["recordTypeInfos"]] == [
        (retail, "Retail", False), ("012000000000000AAA", "Master", True),
    ]  # fmt: skip
    assert [
        (each["childSObject"], each["field"], each["cascadeDelete"]) for each in body["childRelationships"]
    ] == [("OpportunityContactRole", "OpportunityId", True), ("OpportunityFieldHistory", "OpportunityId", True)]


def test_basic(client):
    """The bare object address describes it briefly and names recent rows."""
    record = client.create("Account", Name="Acme")
    _, body = client("GET", "sobjects/Account")
    assert (body["objectDescribe"]["name"], [each["Id"] for each in body["recentItems"]]) == ("Account", [record])


def test_record_type_picklist(client, sandbox):
    """A record type offers its own stages, in order, with what they mean; writing another is refused."""
    labels = {"StageName": ["Closed Won", "Qualification"]}
    (retail,) = sandbox.admin.add("record_types", [{"Name": "Retail", "picklistValues": labels}])
    path = "ui-api/object-info/Opportunity/picklist-values/{}/StageName"
    _, body = client("GET", path.format(retail))
    assert [each["value"] for each in body["values"]] == ["Qualification", "Closed Won"]
    assert body["values"][1]["attributes"] | {"picklistAtrributesValueType": ""} == {
        "closed": True, "defaultProbability": 100.0, "forecastCategoryName": "Closed", "won": True,
        "picklistAtrributesValueType": "",
    }  # fmt: skip
    assert body.keys() == {"controllerValues", "defaultValue", "eTag", "url", "values"}
    _, body = client("GET", path.format("012000000000000AAA"))
    assert len(body["values"]) == 10
    assert client.refusal("GET", path.format("012000000000009AAA"))[0] == 404
    assert client.refusal("GET", path.format("nonsense"))[1] == "MALFORMED_ID"
    deal = client.opportunity(RecordTypeId=retail, StageName="Qualification")
    assert client.refusal("PATCH", f"sobjects/Opportunity/{deal}", {"StageName": "Prospecting"})[1] == (
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    )
    client("PATCH", f"sobjects/Opportunity/{deal}", {"RecordTypeId": "012000000000000AAA"})
    assert client.row("Opportunity", deal)["RecordTypeId"] is None


def test_versions(client):
    """The list of versions needs no session; the newest is Winter '27."""
    for path in ("/services/data", "/services/data/"):
        status, body = client("GET", path, headers={})
        assert (status, body[-1]) == (
            200,
            {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"},
        )
    assert body[-2]["label"] == "Summer '26"
    assert body[0]["version"] == "41.0"
    assert client("GET", body[0]["url"] + "/")[1]["query"] == "/services/data/v41.0/query"


def test_limits(client):
    """The limits tell what is left, the header what is used."""
    client("GET", "sobjects")
    _, body = client("GET", "limits/")
    assert body["DailyApiRequests"] == {"Max": 15000, "Remaining": 14998}
    assert client.last.headers["Sforce-Limit-Info"] == "api-usage=2/15000"
    client.create("Account", Name="Acme")
    _, body = client("GET", "limits/recordCount", sObjects="Account,Contact,Nope")
    assert body == {"sObjects": [{"count": 1, "name": "Account"}, {"count": 0, "name": "Contact"}]}
    _, body = client("GET", "limits/recordCount")
    assert len(body["sObjects"]) == 17


def test_date_header(client):
    """Answers are dated by the sandbox's clock, errors and administration alike."""
    for path in ("sobjects", "nope", "/_sandbox/usage", "/services/oauth2/token"):
        client("GET", path)
        assert client.last.headers["Date"] == "Tue, 10 Mar 2026 12:00:30 GMT"
