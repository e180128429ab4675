"""Orgs with several currencies."""

import pytest

USD = {"IsoCode": "USD", "ConversionRate": 1.0, "IsCorporate": True, "IsActive": True, "DecimalPlaces": 2}
EUR = {"IsoCode": "EUR", "ConversionRate": 0.9, "IsCorporate": False, "IsActive": True, "DecimalPlaces": 2}
JPY = {"IsoCode": "JPY", "ConversionRate": 150.0, "IsCorporate": False, "IsActive": False, "DecimalPlaces": 0}


def put(client, *currencies):
    status, body = client("PUT", "/_sandbox/currencies", list(currencies), headers={})
    assert status == 200, body
    return body


def fields(client, sobject):
    return {field["name"]: field for field in client("GET", f"sobjects/{sobject}/describe")[1]["fields"]}


def test_an_org_with_a_single_currency_knows_no_codes(client):
    """Neither the fields nor the object are there."""
    client.opportunity()
    assert client.refusal("GET", "query", q="SELECT CurrencyIsoCode FROM Opportunity")[1] == "INVALID_FIELD"
    assert client.refusal("GET", "query", q="SELECT IsoCode FROM CurrencyType")[1] == "INVALID_TYPE"
    assert client.refusal("POST", "sobjects/Account", {"Name": "a", "CurrencyIsoCode": "USD"})[1] == "INVALID_FIELD"
    assert "CurrencyIsoCode" not in fields(client, "User")


def test_currencies_are_rows(client):
    """Of CurrencyType, with their rates."""
    made = put(client, USD, EUR, JPY)
    assert all(each["id"].startswith("01L") for each in made)
    soql = "SELECT IsoCode, ConversionRate, IsCorporate, IsActive, DecimalPlaces FROM CurrencyType ORDER BY IsoCode"
    assert client.query(soql) == [EUR, JPY, USD]
    assert client.query("SELECT IsoCode FROM CurrencyType WHERE IsActive = false") == [{"IsoCode": "JPY"}]


def test_records_have_a_currency(client, sandbox):
    """What is there gets the corporate one, new records that of the user, and active codes may be chosen."""
    before = client.opportunity()
    put(client, USD, EUR, JPY)
    assert client.row("Opportunity", before)["CurrencyIsoCode"] == "USD"
    (user,) = client.query("SELECT Username, CurrencyIsoCode, DefaultCurrencyIsoCode FROM User")
    assert (user["CurrencyIsoCode"], user["DefaultCurrencyIsoCode"]) == ("USD", "USD")
    sandbox.admin.add("users", [{"Username": user["Username"], "LastName": "A", "DefaultCurrencyIsoCode": "EUR"}])
    deal = client.opportunity()
    assert client.row("Opportunity", deal)["CurrencyIsoCode"] == "EUR"
    for sobject, named in (("Account", {"Name": "a"}), ("Contact", {"LastName": "a"}),
                           ("Lead", {"LastName": "a", "Company": "a"})):  # fmt: skip
        record = client.create(sobject, **named, CurrencyIsoCode="usd")
        assert client.row(sobject, record)["CurrencyIsoCode"] == "USD"
    path = f"sobjects/Opportunity/{deal}"
    for code in ("JPY", "XXX"):
        assert client.refusal("PATCH", path, {"CurrencyIsoCode": code})[1] == (
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        )
    client("PATCH", path, {"CurrencyIsoCode": "USD", "Amount": 5})
    assert client.query("SELECT Amount FROM Opportunity WHERE CurrencyIsoCode = 'USD' AND Amount > 0") == [
        {"Amount": 5.0}
    ]
    client("PATCH", path, {"CurrencyIsoCode": None})
    assert client.row("Opportunity", deal)["CurrencyIsoCode"] == "EUR"


def test_a_user_who_comes_later_has_a_currency(client, sandbox):
    """The corporate one, unless another is given."""
    put(client, USD, EUR)
    sandbox.admin.add("users", [
        {"Username": "a@x.example"}, {"Username": "b@x.example", "DefaultCurrencyIsoCode": "EUR"},
    ])  # fmt: skip
    soql = "SELECT CurrencyIsoCode, DefaultCurrencyIsoCode FROM User WHERE Username LIKE '%x.example' ORDER BY Id"
    assert [tuple(row.values()) for row in client.query(soql)] == [("USD", "USD"), ("USD", "EUR")]


def test_the_code_is_described(client):
    """As a restricted picklist, with inactive codes marked."""
    put(client, USD, JPY)
    told = fields(client, "Opportunity")["CurrencyIsoCode"]
    assert (told["type"], told["length"], told["restrictedPicklist"], told["nillable"]) == (
        "picklist",
        3,
        True,
        False,
    )
    assert [(each["value"], each["active"]) for each in told["picklistValues"]] == [("USD", True), ("JPY", False)]
    assert fields(client, "User")["DefaultCurrencyIsoCode"]["createable"] is False


def test_currencies_are_added_and_changed(client):
    """By their code, keeping their id."""
    (usd,) = put(client, USD)
    status, (eur,) = client("POST", "/_sandbox/currencies", [EUR], headers={})
    assert status == 201
    assert put(client, USD, {**EUR, "ConversionRate": 0.8}) == [usd, eur]
    told = client("GET", "/_sandbox/currencies", headers={})[1]
    assert told == [{"Id": usd["id"], **USD}, {"Id": eur["id"], **EUR, "ConversionRate": 0.8}]
    assert put(client, *told) == [usd, eur]
    assert put(client, USD) == [usd]
    client("POST", "/_sandbox/currencies", [{"IsoCode": "GBP"}], headers={})
    told = client("GET", "/_sandbox/currencies", headers={})[1][1]
    assert told == {"Id": told["Id"], **EUR, "IsoCode": "GBP", "ConversionRate": 1.0}


def test_an_org_can_have_a_single_currency_again(client):
    """Fields, values and object are gone."""
    put(client, USD)
    deal = client.opportunity()
    assert put(client) == []
    assert "CurrencyIsoCode" not in client.row("Opportunity", deal)
    assert client.refusal("GET", "query", q="SELECT IsoCode FROM CurrencyType")[1] == "INVALID_TYPE"
    assert put(client) == []
    put(client, {**USD, "IsoCode": "CHF"})
    assert client.row("Opportunity", deal)["CurrencyIsoCode"] == "CHF"


def test_an_org_whose_rules_need_the_code_keeps_its_currencies(client):
    """Going back is refused as long as a rule names the code; its history is tracked no more afterwards."""
    put(client, USD, EUR)
    rule = {
        "object": "Opportunity", "fullName": "Euro", "errorMessage": "No!",
        "errorConditionFormula": 'ISPICKVAL(CurrencyIsoCode, "EUR")',
    }  # fmt: skip
    client("PUT", "/_sandbox/field_history", {"Opportunity": ["CurrencyIsoCode"]}, headers={})
    client("PUT", "/_sandbox/validation_rules", [rule], headers={})
    deal = client.opportunity()
    path = f"sobjects/Opportunity/{deal}"
    assert client.refusal("PATCH", path, {"CurrencyIsoCode": "EUR"})[2] == "No!"
    assert client("PUT", "/_sandbox/currencies", [], headers={})[0] == 400
    assert client.row("Opportunity", deal)["CurrencyIsoCode"] == "USD"
    client("PUT", "/_sandbox/validation_rules", [], headers={})
    assert put(client) == []
    assert client("PATCH", path, {"Amount": 1})[0] == 204


@pytest.mark.parametrize(
    "wrong",
    [[EUR], [USD, {**EUR, "IsCorporate": True}], [USD, USD], [{**USD, "ConversionRate": 2}],
     [{**USD, "IsActive": False}], [USD, {**EUR, "ConversionRate": 0}], [USD, {**EUR, "IsoCode": "euro"}],
     [USD, {"ConversionRate": 1}],
     [USD, {**EUR, "x": 1}], [USD, {**EUR, "DecimalPlaces": None}], [{**USD, "IsoCode": "GBP"}]],
)  # fmt: skip
def test_wrong_currencies_are_refused(client, wrong):
    """One is the corporate one, each is given once, and none that records have goes."""
    put(client, USD)
    client.opportunity()
    assert client("PUT", "/_sandbox/currencies", wrong, headers={})[0] == 400
    assert client.query("SELECT IsoCode FROM CurrencyType") == [{"IsoCode": "USD"}]
