"""Single records: what may be written, what follows from it, how it is read and deleted."""

import pytest

from connector.sandbox.salesforce import ids


def test_create_and_read(client):
    """A created record is answered with its id and read back with every field."""
    status, body = client("POST", "sobjects/Account", {"Name": "  Acme ", "Website": "", "NumberOfEmployees": "12"})
    assert (status, body["success"], body["errors"]) == (201, True, [])
    row = client.row("Account", body["id"])
    assert row["attributes"] == {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{body['id']}"}
    assert (row["Name"], row["Website"], row["NumberOfEmployees"], row["IsDeleted"]) == ("Acme", None, 12, False)
    assert row["CreatedDate"] == row["LastModifiedDate"] == row["SystemModstamp"] == "2026-03-10T12:00:30.000+0000"
    assert row["OwnerId"] == row["CreatedById"] == client.sandbox.org.store.user


def test_fields_parameter(client):
    """`fields` narrows the answer, names without case; an unknown one is refused."""
    record = client.create("Account", Name="Acme")
    _, body = client("GET", f"sobjects/Account/{record}", fields="name,phone")
    assert body.keys() == {"attributes", "Id", "Name", "Phone"}
    assert client.refusal("GET", f"sobjects/Account/{record}", fields="Nope")[:2] == (400, "INVALID_FIELD")


def test_fifteen_characters(client):
    """The short id is accepted wherever the long one is, and answered long."""
    account = client.create("Account", Name="Acme")
    contact = client.create("Contact", LastName="Doe", AccountId=account[:15])
    assert client.row("Contact", contact[:15])["AccountId"] == account
    assert client.query(f"SELECT Id FROM Contact WHERE AccountId = '{account[:15]}'") == [{"Id": contact}]


def test_update_moves_the_times(client, clock):
    """Writing what is there already is an update too."""
    from datetime import timedelta

    record = client.create("Account", Name="Acme")
    clock.advance(timedelta(seconds=90))
    assert client("PATCH", f"sobjects/Account/{record}", {"Name": "Acme"}) == (204, None)
    row = client.row("Account", record)
    assert row["SystemModstamp"] == row["LastModifiedDate"] == "2026-03-10T12:02:00.000+0000"
    assert row["CreatedDate"] == "2026-03-10T12:00:30.000+0000"


OPPORTUNITY = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-06-30"}


@pytest.mark.parametrize(
    ("sobject", "body", "code", "message"),
    [
        ("Account", {}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"),
        ("Account", {"Name": "   "}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"),
        ("Contact", {"FirstName": "A"}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"),
        (
            "Opportunity",
            {"Name": "x"},
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [StageName, CloseDate]",
        ),
        (
            "OpportunityContactRole",
            {},
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [OpportunityId, ContactId]",
        ),
        ("Account", {"Name": "x", "Foo": 1}, "INVALID_FIELD", "No such column 'Foo' on sobject of type Account"),
        ("Account", {"Name": "x", "CreatedDate": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", None),
        ("Contact", {"LastName": "x", "Name": "y"}, "INVALID_FIELD_FOR_INSERT_UPDATE", None),
        ("Opportunity", {**OPPORTUNITY, "IsWon": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", None),
        (
            "Account",
            {"Name": "x" * 256},
            "STRING_TOO_LONG",
            f"Account Name: data value too large: {'x' * 256} (max length=255)",
        ),
        (
            "Contact",
            {"LastName": "x", "Email": "no at"},
            "INVALID_EMAIL_ADDRESS",
            "Email: invalid email address: no at",
        ),
        (
            "Opportunity",
            {**OPPORTUNITY, "StageName": "Nope"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Stage: bad value for restricted picklist field: Nope",
        ),
        ("Opportunity", {**OPPORTUNITY, "CloseDate": "30.06.2026"}, "JSON_PARSER_ERROR", None),
        ("Opportunity", {**OPPORTUNITY, "Amount": "a lot"}, "JSON_PARSER_ERROR", None),
        ("Opportunity", {**OPPORTUNITY, "Amount": 1e17}, "NUMBER_OUTSIDE_VALID_RANGE", None),
        ("Opportunity", {**OPPORTUNITY, "Probability": 101}, "NUMBER_OUTSIDE_VALID_RANGE", None),
        ("Account", {"Name": 12}, "JSON_PARSER_ERROR", None),
        ("Account", {"Name": "x", "NumberOfEmployees": 1.5}, "JSON_PARSER_ERROR", None),
        ("Contact", {"LastName": "x", "HasOptedOutOfEmail": "maybe"}, "JSON_PARSER_ERROR", None),
        (
            "Contact",
            {"LastName": "x", "AccountId": "nonsense"},
            "MALFORMED_ID",
            "Account ID: id value of incorrect type: nonsense",
        ),
        ("Contact", {"LastName": "x", "AccountId": "006000000000001AAA"}, "MALFORMED_ID", None),
        (
            "Contact",
            {"LastName": "x", "AccountId": "001000000000001AAA"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
        ),
        (
            "Account",
            {"Name": "x", "OwnerId": None},
            "INVALID_CROSS_REFERENCE_KEY",
            "Owner ID: owner cannot be blank",
        ),
        ("Opportunity", {**OPPORTUNITY, "RecordTypeId": "012000000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY", None),
        ("User", {"LastName": "x"}, "INVALID_FIELD_FOR_INSERT_UPDATE", None),
        ("User", {}, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", None),
    ],
)
def test_refused(client, sobject, body, code, message):
    """Each rule refuses with its own code and text, and stores nothing."""
    before = client.query(f"SELECT COUNT(Id) n FROM {sobject}")
    found = client.refusal("POST", f"sobjects/{sobject}", body)
    assert found[:2] == (400, code)
    assert message is None or found[2] == message
    assert client.query(f"SELECT COUNT(Id) n FROM {sobject}") == before


def test_body_not_json(client):
    """A body that is not an object of JSON is a parser error."""
    assert client.refusal("POST", "sobjects/Account", b"{oops")[:2] == (400, "JSON_PARSER_ERROR")
    assert client.refusal("POST", "sobjects/Account", [1])[:2] == (400, "JSON_PARSER_ERROR")
    assert client.refusal("POST", "sobjects/Account")[:2] == (400, "JSON_PARSER_ERROR")


def test_numbers_round(client):
    """Currency keeps two places, rounding half up; a number may come as a string."""
    record = client.opportunity(Amount=10.005)
    assert client.row("Opportunity", record)["Amount"] == 10.01
    client("PATCH", f"sobjects/Opportunity/{record}", {"Amount": "99.5"})
    assert client.row("Opportunity", record)["Amount"] == 99.5


def test_clearing(client):
    """Null and the empty string clear a field, unless it is required."""
    record = client.create("Contact", LastName="Doe", Email="a@b.example", Title="CEO")
    client("PATCH", f"sobjects/Contact/{record}", {"Email": "", "Title": None})
    row = client.row("Contact", record)
    assert (row["Email"], row["Title"]) == (None, None)
    assert client.refusal("PATCH", f"sobjects/Contact/{record}", {"LastName": ""})[1] == "REQUIRED_FIELD_MISSING"


def test_stage_sets_what_follows(client):
    """The stage brings probability, forecast, closed and won; a given probability stays."""
    record = client.opportunity(Amount=200)
    row = client.row("Opportunity", record)
    assert (row["Probability"], row["ExpectedRevenue"], row["IsClosed"], row["ForecastCategory"]) == (
        10.0, 20.0, False, "Pipeline",
    )  # fmt: skip
    client("PATCH", f"sobjects/Opportunity/{record}", {"StageName": "closed won"})
    row = client.row("Opportunity", record)
    assert (row["StageName"], row["Probability"], row["IsClosed"], row["IsWon"], row["ForecastCategoryName"]) == (
        "Closed Won", 100.0, True, True, "Closed",
    )  # fmt: skip
    client("PATCH", f"sobjects/Opportunity/{record}", {"StageName": "Qualification", "Probability": 33})
    assert client.row("Opportunity", record)["Probability"] == 33.0
    client("PATCH", f"sobjects/Opportunity/{record}", {"Name": "Same stage"})
    assert client.row("Opportunity", record)["Probability"] == 33.0


def test_fiscal_period_and_name(client):
    """Derived fields follow the ones they are made of."""
    row = client.row("Opportunity", client.opportunity(CloseDate="2026-11-05"))
    assert (row["FiscalYear"], row["FiscalQuarter"]) == (2026, 4)
    row = client.row("Contact", client.create("Contact", FirstName="Ada", LastName="Byron", MailingCity="London"))
    assert (row["Name"], row["MailingAddress"]["city"], row["OtherAddress"]) == ("Ada Byron", "London", None)


def test_one_primary_role(client):
    """Setting a primary role unsets the other; an opportunity made with a contact begins with one."""
    ada, bob = (client.create("Contact", LastName=name) for name in ("Ada", "Bob"))
    deal = client.opportunity(ContactId=ada)
    assert client.row("Opportunity", deal)["ContactId"] == ada
    client.create("OpportunityContactRole", OpportunityId=deal, ContactId=bob, IsPrimary=True, Role="Evaluator")
    roles = client.query("SELECT ContactId, IsPrimary FROM OpportunityContactRole ORDER BY Id")
    assert roles == [{"ContactId": ada, "IsPrimary": False}, {"ContactId": bob, "IsPrimary": True}]
    assert client.row("Opportunity", deal)["ContactId"] == bob


def test_role_stays_with_its_opportunity(client):
    """The opportunity of a role is set once."""
    deal = client.opportunity(ContactId=client.create("Contact", LastName="Ada"))
    (role,) = client.query("SELECT Id FROM OpportunityContactRole")
    found = client.refusal("PATCH", f"sobjects/OpportunityContactRole/{role['Id']}", {"OpportunityId": deal})
    assert found[:2] == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_owner_must_be_active(client, sandbox):
    """An inactive user owns nothing new."""
    active, gone = sandbox.admin.add(
        "users", [{"Email": "a@x.example"}, {"Email": "b@x.example", "IsActive": False}]
    )
    assert client.row("Account", client.create("Account", Name="x", OwnerId=active))["OwnerId"] == active
    assert client.refusal("POST", "sobjects/Account", {"Name": "x", "OwnerId": gone})[1] == "INACTIVE_OWNER_OR_USER"


def test_unique_external_id(client):
    """A unique value is held once, whatever its case; its holder may write it again; deletion frees it."""
    first = client.create("Account", Name="A", HubSpot_Id__c="abc")
    status, code, message = client.refusal("POST", "sobjects/Account", {"Name": "B", "HubSpot_Id__c": "ABC"})
    assert (status, code) == (400, "DUPLICATE_VALUE")
    assert message == f"duplicate value found: HubSpot_Id__c duplicates value on record with id: {first[:15]}"
    assert client("PATCH", f"sobjects/Account/{first}", {"HubSpot_Id__c": "abc"})[0] == 204
    client("DELETE", f"sobjects/Account/{first}")
    client.create("Account", Name="B", HubSpot_Id__c="abc")


def test_upsert(client):
    """An external id address creates, then updates; `updateOnly` never creates."""
    path = "sobjects/Account/HubSpot_Id__c/4/2"
    status, body = client("PATCH", path, {"Name": "Acme"})
    assert (status, body["created"]) == (201, True)
    status, again = client("PATCH", path, {"Name": "Acme 2"})
    assert (status, again) == (200, {"id": body["id"], "success": True, "errors": [], "created": False})
    row = client("GET", path)[1]
    assert (row["Name"], row["HubSpot_Id__c"]) == ("Acme 2", "4/2")
    assert client.refusal("PATCH", "sobjects/Account/HubSpot_Id__c/9?updateOnly=true", {"Name": "x"})[:2] == (
        404, "NOT_FOUND",
    )  # fmt: skip
    assert client.refusal("PATCH", path, {"HubSpot_Id__c": "5"})[1] == "INVALID_FIELD"
    assert client.refusal("PATCH", "sobjects/Account/Name/x", {"Phone": "1"}) == (
        404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: Name",
    )  # fmt: skip
    assert client("DELETE", path) == (204, None)
    assert client.refusal("GET", path)[0] == 404


def test_upsert_of_old_versions(client):
    """Before version 46 an update by external id had no body."""
    client.version = "45.0"
    client("PATCH", "sobjects/Account/HubSpot_Id__c/1", {"Name": "Acme"})
    assert client("PATCH", "sobjects/Account/HubSpot_Id__c/1", {"Name": "Acme"}) == (204, None)


def test_several_records_of_an_external_id(client, sandbox):
    """A key that is not unique may fit several records: 300 with their addresses."""
    sandbox.admin.add("fields", [{"sobject": "Account", "name": "Key__c", "type": "string", "externalId": True}])
    records = [client.create("Account", Name=name, Key__c="k") for name in "ab"]
    for method, body in (("GET", None), ("PATCH", {"Name": "c"}), ("DELETE", None)):
        status, found = client(method, "sobjects/Account/Key__c/K", body)
        assert (status, found) == (300, [f"/services/data/v62.0/sobjects/Account/{each}" for each in records])


def test_parent_by_external_id(client):
    """A body may name a parent by its external id."""
    account = client.create("Account", Name="Acme", HubSpot_Id__c="7")
    contact = client.create("Contact", LastName="Doe", Account={"HubSpot_Id__c": "7"})
    assert client.row("Contact", contact)["AccountId"] == account
    body = {"LastName": "Doe", "Account": {"HubSpot_Id__c": "8"}}
    assert client.refusal("POST", "sobjects/Contact", body) == (
        400, "INVALID_FIELD", "Foreign key external ID: 8 not found for field HubSpot_Id__c in entity Account",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "sobjects/Account/001000000000001AAA", 404, "NOT_FOUND"),
        ("PATCH", "sobjects/Account/001000000000001AAA", 404, "NOT_FOUND"),
        ("DELETE", "sobjects/Account/001000000000001AAA", 404, "NOT_FOUND"),
        ("GET", "sobjects/Account/003000000000001AAA", 400, "MALFORMED_ID"),
        ("GET", "sobjects/Account/nonsense", 404, "NOT_FOUND"),
        ("GET", "sobjects/Nope/001000000000001AAA", 404, "NOT_FOUND"),
        ("PUT", "sobjects/Account/001000000000001AAA", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "nope", 404, "NOT_FOUND"),
        ("GET", "/services/data/v12.0/limits", 404, "NOT_FOUND"),
        ("GET", "/anything", 404, "NOT_FOUND"),
    ],
)
def test_addresses_of_nothing(client, method, path, status, code):
    """What is not there, or not done that way, says so in the array shape."""
    assert client.refusal(method, path, {"Name": "x"})[:2] == (status, code)


def test_id_in_the_body_of_an_update(client):
    """The id stands in the address only."""
    record = client.create("Account", Name="Acme")
    assert client.refusal("PATCH", f"sobjects/Account/{record}", {"Id": record})[1] == "INVALID_FIELD"


def test_deletion_cascades(client):
    """An account takes contacts and opportunities along, and those their roles."""
    account = client.create("Account", Name="Acme")
    child = client.create("Account", Name="Daughter", ParentId=account)
    contact = client.create("Contact", LastName="Doe", AccountId=account)
    deal = client.opportunity(AccountId=account, ContactId=contact)
    assert client("DELETE", f"sobjects/Account/{account}") == (204, None)
    for sobject, record in (("Account", account), ("Contact", contact), ("Opportunity", deal)):
        assert client.refusal("GET", f"sobjects/{sobject}/{record}")[:2] == (404, "ENTITY_IS_DELETED")
        assert client.query(f"SELECT COUNT(Id) n FROM {sobject} WHERE Id = '{record}'") == [{"n": 0}]
        assert client.query(f"SELECT IsDeleted FROM {sobject} WHERE Id = '{record}'", "queryAll") == [
            {"IsDeleted": True}
        ]
    assert client.query("SELECT IsDeleted FROM OpportunityContactRole", "queryAll") == [{"IsDeleted": True}]
    assert client.row("Account", child)["ParentId"] is None
    assert client.refusal("DELETE", f"sobjects/Account/{account}")[1] == "ENTITY_IS_DELETED"
    assert client.refusal("POST", "sobjects/Contact", {"LastName": "x", "AccountId": account})[1] == (
        "ENTITY_IS_DELETED"
    )


def test_role_deleted_for_itself(client):
    """A role that is deleted directly does not go through the recycle bin."""
    client.opportunity(ContactId=client.create("Contact", LastName="Ada"))
    (role,) = client.query("SELECT Id FROM OpportunityContactRole")
    client("DELETE", f"sobjects/OpportunityContactRole/{role['Id']}")
    assert client.query("SELECT Id FROM OpportunityContactRole", "queryAll") == []


def test_ids_grow_and_repeat(client, sandbox):
    """Ids are strictly increasing; a reset org issues the same again."""
    made = [client.create("Account", Name=str(n)) for n in range(70)]
    assert made == sorted(made)
    assert all(ids.normalise(each) == each for each in made)
    sandbox.reset()
    assert client.create("Account", Name="0") == made[0]
