"""Formula fields, numbers that count up, and default values."""

import pickle
from datetime import timedelta

import pytest

from connector.sandbox.salesforce.errors import ApiError


def add(client, *fields):
    status, body = client("POST", "/_sandbox/fields", list(fields), headers={})
    assert status == 201, body
    return body


def refusal(client, method, *fields):
    status, body = client(method, "/_sandbox/fields", list(fields), headers={})
    assert status == 400, body
    return body["error"]


def calculated(name, formula, kind="double", sobject="Opportunity", **more):
    return {
        "sobject": sobject, "name": name, "type": kind, "scale": 2, "calculated": True,
        "calculatedFormula": formula, **more,
    }  # fmt: skip


def field_of(client, sobject, name):
    _, body = client("GET", f"sobjects/{sobject}/describe")
    return next(field for field in body["fields"] if field["name"] == name)


def test_a_formula_is_worked_out_whenever_it_is_read(client):
    """In rows, collections and queries, selected, filtered, sorted and grouped."""
    add(client, calculated("Weighted__c", "Amount * Probability"))
    small, large = client.opportunity(Amount=100), client.opportunity(Amount=1000, StageName="Closed Won")
    assert client.row("Opportunity", small)["Weighted__c"] == 10.0
    client("PATCH", f"sobjects/Opportunity/{small}", {"Amount": 200})
    assert client.row("Opportunity", small)["Weighted__c"] == 20.0
    _, rows = client("GET", "composite/sobjects/Opportunity", ids=large, fields="Weighted__c")
    assert rows[0]["Weighted__c"] == 1000.0
    assert client.query("SELECT Id FROM Opportunity WHERE Weighted__c > 20") == [{"Id": large}]
    ordered = client.query("SELECT Id FROM Opportunity ORDER BY Weighted__c DESC")
    assert [row["Id"] for row in ordered] == [large, small]
    assert client.query("SELECT SUM(Weighted__c) s FROM Opportunity") == [{"s": 1020.0}]


def test_a_formula_follows_its_parents(client, clock):
    """A change of the parent is seen at once in the child, whose own times do not move."""
    add(client, calculated("Industry__c", 'TEXT(Account.Industry) & "/" & Account.Owner.LastName', "string"))
    account = client.create("Account", Name="Acme", Industry="Energy")
    deal = client.opportunity(AccountId=account)
    stamp = client.row("Opportunity", deal)["SystemModstamp"]
    clock.advance(timedelta(hours=1))
    assert client.row("Opportunity", deal)["Industry__c"] == "Energy/Administrator"
    client("PATCH", f"sobjects/Account/{account}", {"Industry": "Media"})
    row = client.row("Opportunity", deal)
    assert (row["Industry__c"], row["SystemModstamp"]) == ("Media/Administrator", stamp)
    assert client.query(f"SELECT Id FROM Opportunity WHERE SystemModstamp > {stamp.replace('+0000', 'Z')}") == []
    (role,) = client.query("SELECT Industry__c FROM Opportunity WHERE Industry__c LIKE 'Media%'")
    assert role == {"Industry__c": "Media/Administrator"}
    assert client.row("Opportunity", client.opportunity())["Industry__c"] == "/"


def test_blank_numbers_in_a_formula_field(client):
    """They are zeroes unless the field asks for blanks."""
    add(
        client,
        calculated("Zeroes__c", "Amount + 1"),
        calculated("Blanks__c", "Amount + 1", formulaTreatNullNumberAsZero=False),
    )
    row = client.row("Opportunity", client.opportunity())
    assert (row["Zeroes__c"], row["Blanks__c"]) == (1.0, None)
    assert field_of(client, "Opportunity", "Zeroes__c")["formulaTreatNullNumberAsZero"] is True


@pytest.mark.parametrize(
    ("kind", "formula", "value"),
    [
        ("string", 'Name & "!"', "Deal!"),
        ("boolean", "IsClosed", False),
        ("boolean", "Amount / 0 > 1", False),
        ("date", "CloseDate + 1", "2026-07-01"),
        ("datetime", "NOW()", "2026-03-10T12:00:30.000+0000"),
        ("int", "LEN(Name) * 1.4", 6),
        ("currency", "10 / 3", 3.33),
        ("percent", "Probability / 2", 5.0),
        ("double", "Amount / 0", None),
        ("double", "10 ^ 20", None),
        ("string", "$User.Username", "admin@example.com"),
    ],
)
def test_kinds_of_formula_fields(client, kind, formula, value):
    """Results are rounded to the field's scale; what cannot be worked out is null."""
    add(client, calculated("F__c", formula, kind))
    assert client.row("Opportunity", client.opportunity())["F__c"] == value


def test_a_formula_of_formulas(client):
    """A formula may name another, given before, after or with it, but none that leads back to it."""
    add(client, calculated("B__c", "A__c * 2"), calculated("A__c", "Amount + 1"))
    deal = client.opportunity(Amount=4)
    assert client.row("Opportunity", deal)["B__c"] == 10.0
    assert "refers to itself" in refusal(client, "POST", calculated("A__c", "B__c + 1"))
    assert "refers to itself" in refusal(client, "POST", calculated("C__c", "C__c"))
    assert client.row("Opportunity", deal)["A__c"] == 5.0


def test_a_formula_is_described_and_read_only(client):
    """The describe gives the formula; a write of it is refused, as is making it a key."""
    add(client, calculated("Sum__c", "Amount + 1"))
    told = field_of(client, "Opportunity", "Sum__c")
    assert (told["calculated"], told["calculatedFormula"], told["createable"], told["updateable"]) == (
        True, "Amount + 1", False, False,
    )  # fmt: skip
    deal = client.opportunity()
    code = client.refusal("PATCH", f"sobjects/Opportunity/{deal}", {"Sum__c": 1})[1]
    assert code == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert "no key" in refusal(client, "POST", calculated("K__c", "Name", "string", unique=True))
    assert "a formula is one of" in refusal(client, "POST", calculated("K__c", "Name", "picklist"))


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("Nope__c + 1", "Field Nope__c does not exist. Check spelling. (position 1)"),
        ("1 + Account.Nope", "Field Account.Nope does not exist. Check spelling. (position 5)"),
        ("Nowhere.Name", "Field Nowhere.Name does not exist. Check spelling. (position 1)"),
        ("Name", "Formula result is data type (text), incompatible with expected data type (double)."),
        ("ISNEW()", "Function ISNEW may not be used in this type of formula (position 1)"),
    ],
)  # fmt: skip
def test_a_wrong_formula_field_is_refused(client, formula, why):
    """The answer says where; nothing is added."""
    assert refusal(client, "POST", calculated("F__c", formula), calculated("G__c", "1")).startswith(f"F__c: {why}")
    assert client.refusal("GET", "query", q="SELECT G__c FROM Opportunity")[1] == "INVALID_FIELD"


def test_a_field_that_a_formula_names_stays(client):
    """Taking it away is refused as long as the formula is there."""
    source = {"sobject": "Opportunity", "name": "Source__c", "type": "double"}
    add(client, source)
    add(client, calculated("Twice__c", "Source__c * 2"))
    assert "Source__c does not exist" in refusal(client, "PUT", calculated("Twice__c", "Source__c * 2"))
    assert client.row("Opportunity", client.opportunity(Source__c=2))["Twice__c"] == 4.0
    assert client("PUT", "/_sandbox/fields", [source], headers={})[0] == 200


def test_a_field_that_a_formula_names_keeps_its_type(client):
    """Another type is refused as long as the formula could not do with it."""
    source = {"sobject": "Opportunity", "name": "Source__c", "type": "double"}
    add(client, source)
    add(client, calculated("Twice__c", "Source__c * 2"))
    why = refusal(client, "POST", {**source, "type": "string"})
    assert why.startswith("Twice__c: Incorrect parameter type for operator '*'")
    assert "calculatedFormula is a text" in refusal(
        client, "POST", {**calculated("X__c", "1"), "calculatedFormula": 1}
    )
    add(client, {**source, "type": "currency"})


def test_a_field_with_values_becomes_a_key(client):
    """Records that are there are found by it, and it can be changed again."""
    field = {"sobject": "Account", "name": "Code__c", "type": "string"}
    add(client, field)
    account = client.create("Account", Name="a", Code__c="X")
    add(client, {**field, "unique": True, "externalId": True})
    assert client.row("Account", "Code__c/x")["Id"] == account
    assert client.refusal("POST", "sobjects/Account", {"Name": "b", "Code__c": "x"})[1] == "DUPLICATE_VALUE"
    add(client, {**field, "unique": True, "caseSensitive": True})
    client("PATCH", f"sobjects/Account/{account}", {"Code__c": "Y"})
    client.create("Account", Name="c", Code__c="y")
    assert client.refusal("POST", "sobjects/Account", {"Name": "b", "Code__c": "Y"})[1] == "DUPLICATE_VALUE"


def test_a_lookup_hangs_below_its_parent(client):
    """It is listed there, handed over by a merge and cleared by a deletion, also when it is described anew."""
    lookup = {
        "sobject": "Opportunity", "name": "Partner__c", "type": "reference", "referenceTo": ["Account"],
        "childRelationshipName": "Partnered__r",
    }  # fmt: skip
    add(client, lookup)
    lost, kept = (client.create("Account", Name=name) for name in "ab")
    deal = client.opportunity(Partner__c=lost)
    add(client, {**lookup, "label": "Our partner"})
    client("POST", "/_sandbox/merge", {"sobject": "Account", "master": kept, "losers": [lost]}, headers={})
    rows = client.query("SELECT (SELECT Id FROM Partnered__r) FROM Account")
    assert [each["Id"] for each in rows[0]["Partnered__r"]["records"]] == [deal]
    children = client("GET", "sobjects/Account/describe")[1]["childRelationships"]
    assert ("Partner__c", "Partnered__r") in [(each["field"], each["relationshipName"]) for each in children]
    client("DELETE", f"sobjects/Account/{kept}")
    assert client.row("Opportunity", deal)["Partner__c"] is None
    assert "already" in refusal(client, "POST", {**lookup, "name": "Other__c"})


def test_numbers_that_count_up(client):
    """An auto-number goes on with every record that is created, and is never written by a client."""
    add(client, {
        "sobject": "Account", "name": "No__c", "type": "string", "autoNumber": True, "displayFormat": "A-{0000}",
        "startingNumber": 7,
    })  # fmt: skip
    first = client.create("Account", Name="a")
    assert client("POST", "sobjects/Account", {"Name": "x" * 300})[0] == 400
    second = client.create("Account", Name="b")
    assert [client.row("Account", each)["No__c"] for each in (first, second)] == ["A-0007", "A-0008"]
    assert field_of(client, "Account", "No__c")["autoNumber"] is True
    assert client.refusal("POST", "sobjects/Account", {"Name": "c", "No__c": "A-0001"})[1] == (
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    )
    wrong = {"sobject": "Account", "name": "W__c", "type": "string", "autoNumber": True, "displayFormat": "A"}
    assert "displayFormat" in refusal(client, "POST", wrong)


def test_default_values(client):
    """A field that a new record does not name gets its default: a formula's, a checkbox's, a picklist's."""
    add(
        client,
        {"sobject": "Account", "name": "Due__c", "type": "date", "defaultValueFormula": "TODAY() + 7"},
        {"sobject": "Account", "name": "Ok__c", "type": "boolean", "defaultValue": True},
        {"sobject": "Account", "name": "Size__c", "type": "picklist", "picklistValues": [
            "S", {"value": "M", "defaultValue": True},
        ]},
    )  # fmt: skip
    row = client.row("Account", client.create("Account", Name="a"))
    assert (row["Due__c"], row["Ok__c"], row["Size__c"]) == ("2026-03-17", True, "M")
    row = client.row("Account", client.create("Account", Name="a", Due__c=None, Ok__c=False, Size__c="S"))
    assert (row["Due__c"], row["Ok__c"], row["Size__c"]) == (None, False, "S")
    assert field_of(client, "Account", "Due__c")["defaultValueFormula"] == "TODAY() + 7"
    assert field_of(client, "Account", "Ok__c")["defaultValue"] is True
    wrong = {"sobject": "Account", "name": "W__c", "type": "date", "defaultValue": "2026-01-01"}
    assert "defaultValueFormula" in refusal(client, "POST", wrong)


def test_what_is_told_can_be_given_again(client):
    """The list of fields, put back as it is, changes nothing."""
    add(
        client,
        calculated("Sum__c", "Amount + 1"),
        {"sobject": "Account", "name": "Due__c", "type": "date", "defaultValueFormula": "TODAY()"},
        {"sobject": "Account", "name": "No__c", "type": "string", "autoNumber": True, "displayFormat": "{0}"},
    )
    before = client("GET", "/_sandbox/fields", headers={})[1]
    assert client("PUT", "/_sandbox/fields", before, headers={})[0] == 200
    assert client("GET", "/_sandbox/fields", headers={})[1] == before


def test_an_org_with_rules_can_be_kept(client, sandbox):
    """Formulas and rules survive being pickled with their org, and go on as before."""
    add(client, calculated("Sum__c", 'IF(ISBLANK(Name), 0, CASE(Name, "Deal", 5, 1))'))
    rule = {"object": "Account", "fullName": "No", "errorConditionFormula": "Name = '!'", "errorMessage": "No!"}
    client("POST", "/_sandbox/validation_rules", [rule], headers={})
    client("PUT", "/_sandbox/field_history", {"Account": ["Name"]}, headers={})
    writer, schema = pickle.loads(pickle.dumps((sandbox.org.writer, sandbox.org.schema)))
    assert schema["Opportunity"].fields["sum__c"] == sandbox.org.schema["Opportunity"].fields["sum__c"]
    account = writer.create(schema["Account"], {"Name": "a"})
    with pytest.raises(ApiError, match="No!"):
        writer.update(schema["Account"], account, {"Name": "!"})
    assert writer.history.tell() == {"Account": ["Name"]}
    assert client.query("SELECT Id FROM Account") == []
