"""SOQL over relationships: paths, aliases, children of children, semi-joins, scopes, what a user may see."""

import pytest


@pytest.fixture
def chain(client):
    """Six accounts, each the parent of the next, with one contact below the last."""
    account = None
    for level in range(6):
        account = client.create("Account", Name=f"Level {level}", ParentId=account)
    client.create("Contact", LastName="Ada", AccountId=account)
    return client


def refused(client, soql):
    return client.refusal("GET", "query", q=soql)[1:]


def test_paths_have_five_levels(chain):
    """A path may lead over five relationships, and over no more."""
    (row,) = chain.query("SELECT Account.Parent.Parent.Parent.Parent.Name FROM Contact")
    assert row["Account"]["Parent"]["Parent"]["Parent"]["Parent"]["Name"] == "Level 1"
    assert chain.query("SELECT Id FROM Contact WHERE Account.Parent.Parent.Parent.Parent.Name = 'Level 1'")
    code, text = refused(chain, "SELECT Account.Parent.Parent.Parent.Parent.Parent.Name FROM Contact")
    assert (code, "no more than 5 levels" in text) == ("MALFORMED_QUERY", True)


def test_aliases(chain):
    """The queried object, and relationships from it, may have names of their own."""
    found = [{"LastName": "Ada"}]
    assert chain.query("SELECT c.LastName FROM Contact c WHERE c.Account.Name LIKE 'level%' ORDER BY c.Id") == found
    assert chain.query("SELECT c.LastName FROM Contact AS c WHERE Contact.LastName = 'ADA'") == found
    soql = (
        "SELECT c.LastName FROM Contact c, c.Account a, a.Parent p WHERE a.Name = 'Level 5' AND p.Name = 'Level 4'"
    )
    assert chain.query(soql) == found
    assert chain.query("SELECT count() FROM Contact c, c.Account a WHERE a.Name = 'x'") == []


def test_null_parents(client):
    """A field of a parent that is not there is null: `= null` and `!=` fit it, and it sorts first."""
    acme = client.create("Account", Name="Acme", Industry="Energy")
    client.create("Contact", LastName="With", AccountId=acme)
    client.create("Contact", LastName="Without")
    assert client.query("SELECT LastName FROM Contact WHERE Account.Industry = null") == [{"LastName": "Without"}]
    assert client.query("SELECT LastName FROM Contact WHERE Account.Industry != 'x' ORDER BY Account.Name") == [
        {"LastName": "Without"}, {"LastName": "With"},
    ]  # fmt: skip


def test_grandchildren(chain):
    """Sub-queries nest five levels deep since version 58.0; before there is one level of them."""
    inner = "SELECT Name FROM ChildAccounts"
    for _ in range(3):
        inner = f"SELECT Name, ({inner}) FROM ChildAccounts"
    (row,) = chain.query(f"SELECT Name, ({inner}) FROM Account WHERE Name = 'Level 0'")
    for level in range(1, 5):
        (row,) = row["ChildAccounts"]["records"]
        assert row["Name"] == f"Level {level}"
    assert (
        "no more than 5 levels" in refused(chain, f"SELECT (SELECT ({inner}) FROM ChildAccounts) FROM Account")[1]
    )
    chain.version = "57.0"
    assert "no more than 2 levels" in refused(chain, f"SELECT ({inner}) FROM Account")[1]


def test_children_by_path(chain):
    """A sub-query may name the object its relationship belongs to, by name or alias."""
    for source in ("Contacts", "Account.Contacts", "a.Contacts"):
        (row,) = chain.query(f"SELECT (SELECT Id FROM {source}) FROM Account a WHERE Name = 'Level 5'")
        assert row["Contacts"]["totalSize"] == 1
    assert refused(chain, "SELECT (SELECT Id FROM Owner.Contacts) FROM Account")[0] == "INVALID_TYPE"


def test_children_have_bounds_of_their_own(chain):
    """A sub-query has FIELDS(), OFFSET and a limit of twenty of its kind."""
    (row,) = chain.query("SELECT (SELECT FIELDS(ALL) FROM Contacts LIMIT 200) FROM Account WHERE Name = 'Level 5'")
    assert row["Contacts"]["records"][0]["LastName"] == "Ada"
    assert "LIMIT of at most 200" in refused(chain, "SELECT (SELECT FIELDS(ALL) FROM Contacts) FROM Account")[1]
    (row,) = chain.query("SELECT (SELECT Id FROM Contacts OFFSET 1) FROM Account WHERE Name = 'Level 5'")
    assert row["Contacts"] is None
    twenty_one = ", ".join(["(SELECT Id FROM Contacts)"] * 21)
    assert "no more than 20" in refused(chain, f"SELECT {twenty_one} FROM Account")[1]
    assert "duplicate field selected: Contacts" in refused(
        chain, "SELECT (SELECT Id FROM Contacts), (SELECT Name FROM Contacts) FROM Account"
    )[1]  # fmt: skip


def test_children_are_checked_without_any(client):
    """A mistake in a sub-query is told even where no row has children."""
    for tail, code in (
        ("ORDER BY Nope", "INVALID_FIELD"), ("WHERE Nope = 1", "INVALID_FIELD"),
        ("WHERE COUNT(Id) > 1", "MALFORMED_QUERY"),
    ):  # fmt: skip
        assert refused(client, f"SELECT (SELECT Id FROM Contacts {tail}) FROM Account")[0] == code
    assert refused(client, "SELECT (SELECT COUNT() FROM Contacts) FROM Account")[0] == "MALFORMED_QUERY"


@pytest.fixture
def crm(client):
    """Two accounts, of which one has a contact and both an opportunity."""
    acme, beta = client.create("Account", Name="Acme"), client.create("Account", Name="Beta")
    client.create("Contact", LastName="Ada", AccountId=acme)
    client.opportunity(Name="A", AccountId=acme)
    client.opportunity(Name="B", AccountId=beta, StageName="Closed Won")
    client.opportunity(Name="C")
    return client


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("AccountId IN (SELECT AccountId FROM Contact)", "A"),
        ("AccountId NOT IN (SELECT AccountId FROM Contact)", "B C"),
        ("AccountId IN (SELECT Id FROM Account a WHERE a.Name > 'a') AND IsWon = true", "B"),
        ("AccountId IN (SELECT Id FROM Account) AND AccountId NOT IN (SELECT AccountId FROM Contact)", "B"),
        ("(AccountId IN (SELECT AccountId FROM Contact)) AND (Name = 'A' OR Name = 'B')", "A"),
        ("Account.Id IN (SELECT AccountId FROM Contact)", "A"),
    ],
)
def test_semi_joins(crm, where, found):
    """Up to two semi-joins and anti-joins stand beside other conditions."""
    rows = crm.query(f"SELECT Name FROM Opportunity WHERE {where} ORDER BY Name")
    assert [row["Name"] for row in rows] == found.split()


@pytest.mark.parametrize(
    ("where", "code", "message"),
    [
        ("Name = 'A' OR AccountId IN (SELECT Id FROM Account)", "MALFORMED_QUERY",
         "Semi join sub-selects are not allowed with the 'OR' operator"),
        ("(Name = 'A' AND AccountId IN (SELECT Id FROM Account)) AND Name = 'B'", "MALFORMED_QUERY",
         "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE"),
        ("NOT AccountId IN (SELECT Id FROM Account)", "MALFORMED_QUERY", "only allowed at the top level"),
        (" AND ".join(["AccountId IN (SELECT AccountId FROM Contact)"] * 3), "EXCEEDED_MAX_SEMIJOIN_SUBSELECTS",
         "Maximum 2 semi join sub-selects are allowed"),
        ("AccountId IN (SELECT AccountId FROM Contact WHERE AccountId IN (SELECT Id FROM Account))",
         "MALFORMED_QUERY", "Nesting of semi join sub-selects is not supported"),
        ("AccountId IN (SELECT AccountId FROM Opportunity)", "MALFORMED_QUERY",
         "The inner and outer selects should not be on the same object type"),
        ("AccountId IN (SELECT Id FROM Contact)", "MALFORMED_QUERY",
         "in the where expression in the outer query 'AccountId' should point to the same object type"),
        ("AccountId IN (SELECT Account.ParentId FROM Contact)", "MALFORMED_QUERY", "over no relationship"),
        ("AccountId IN (SELECT Id, Name FROM Account)", "MALFORMED_QUERY", "exactly one id or reference field"),
        ("AccountId IN (SELECT COUNT(Id) FROM Account)", "MALFORMED_QUERY", "exactly one id or reference field"),
        ("AccountId IN (SELECT Id FROM Account LIMIT 1)", "MALFORMED_QUERY", "LIMIT and OFFSET are not supported"),
        ("AccountId IN (SELECT Id FROM Account ORDER BY Name)", "MALFORMED_QUERY", "ORDER BY"),
        ("Name IN (SELECT Id FROM Account)", "MALFORMED_QUERY", "must be an id or reference field: Name"),
        ("AccountId IN (SELECT Id FROM Nope)", "INVALID_TYPE", "sObject type 'Nope' is not supported."),
    ],
)  # fmt: skip
def test_semi_joins_are_limited(crm, where, code, message):
    """Salesforce's limits of semi-joins, each with its own words."""
    found, text = refused(crm, f"SELECT Id FROM Opportunity WHERE {where}")
    assert found == code
    assert message in text


def test_ids_are_ordered(crm):
    """Clients page by Id: `>` and the like compare ids, LIKE does not."""
    ids = [row["Id"] for row in crm.query("SELECT Id FROM Opportunity ORDER BY Id")]
    assert [row["Id"] for row in crm.query(f"SELECT Id FROM Opportunity WHERE Id > '{ids[0][:15]}'")] == ids[1:]
    soql = f"SELECT Id FROM Opportunity WHERE Id >= '{ids[0]}' AND Id < '{ids[2]}'"
    assert [row["Id"] for row in crm.query(soql)] == ids[:2]
    assert len(crm.query("SELECT Id FROM Opportunity WHERE Id > '000000000000000AAA'")) == 3
    code, text = refused(crm, "SELECT Id FROM Opportunity WHERE AccountId LIKE '001%'")
    assert (code, "invalid operator on id field" in text) == ("INVALID_FIELD", True)


def test_long_lists(crm):
    """Thousands of values in an IN are found like two."""
    listed = ", ".join(f"'x{n}'" for n in range(9000))
    assert crm.query(f"SELECT Name FROM Opportunity WHERE Name IN ({listed}, 'b')") == [{"Name": "B"}]


def test_scopes(crm, sandbox):
    """USING SCOPE mine answers what the user owns, everything all; other scopes are refused."""
    sandbox.admin.add("users", [{"Username": "eve@example.com"}])
    (eve,) = crm.query("SELECT Id FROM User WHERE Username = 'eve@example.com'")
    (first,) = crm.query("SELECT Id FROM Account WHERE Name = 'Acme'")
    crm("PATCH", f"sobjects/Account/{first['Id']}", {"OwnerId": eve["Id"]})
    assert crm.query("SELECT Name FROM Account USING SCOPE mine") == [{"Name": "Beta"}]
    assert crm.query("SELECT Name FROM Account USING SCOPE Mine WHERE Name = 'Acme'") == []
    assert len(crm.query("SELECT Name FROM Account USING SCOPE Everything")) == 2
    assert refused(crm, "SELECT Id FROM Account USING SCOPE team")[0] == "MALFORMED_QUERY"
    assert refused(crm, "SELECT Id FROM User USING SCOPE mine")[0] == "MALFORMED_QUERY"


@pytest.mark.parametrize("clause", ["WITH SECURITY_ENFORCED", "WITH USER_MODE", "with user_mode"])
def test_user_mode(crm, clause):
    """WITH SECURITY_ENFORCED and USER_MODE are passed over: REST acts with the user's own rights anyway."""
    soql = f"SELECT StageName, COUNT(Id) n FROM Opportunity WHERE Name != 'C' {clause} GROUP BY StageName"
    assert [row["n"] for row in crm.query(soql)] == [1, 1]


def test_hidden_fields(crm, sandbox):
    """A field the user may not see is unknown wherever it is named, and left out of FIELDS()."""
    sandbox.admin.permissions({"fields": {"Account": {"Industry": {"read": False, "edit": False}}}})
    for soql in (
        "SELECT Industry FROM Account", "SELECT Id FROM Account WHERE Industry = 'x'",
        "SELECT Id FROM Account ORDER BY Industry", "SELECT COUNT(Industry) FROM Account",
        "SELECT Industry FROM Account GROUP BY Industry", "SELECT toLabel(Industry) FROM Account",
        "SELECT Account.Industry FROM Opportunity", "SELECT Id FROM Contact WHERE Account.Industry = 'x'",
        "SELECT Id FROM Opportunity WHERE AccountId IN (SELECT Id FROM Account WHERE Industry = 'x')",
    ):  # fmt: skip
        code, text = refused(crm, soql)
        assert (code, "No such column 'Industry' on entity 'Account'" in text) == ("INVALID_FIELD", True)
    for which in ("ALL", "STANDARD"):
        rows = crm.query(f"SELECT FIELDS({which}) FROM Account LIMIT 1")
        assert ("Industry" in rows[0], "Name" in rows[0]) == (False, True)


def test_hidden_objects(crm, sandbox):
    """An object the user may not see is unknown, as a source, a parent and a child."""
    sandbox.admin.permissions({"objects": {"Contact": {"read": False, "edit": False}}})
    assert refused(crm, "SELECT Id FROM Contact")[0] == "INVALID_TYPE"
    assert refused(crm, "SELECT (SELECT Id FROM Contacts) FROM Account")[0] == "INVALID_TYPE"
    assert refused(crm, "SELECT Contact.Name FROM OpportunityContactRole")[0] == "INVALID_FIELD"
    assert refused(crm, "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)")[0] == "INVALID_TYPE"


def test_open_pages_survive_a_snapshot(client, sandbox):
    """A query that is being paged through goes on after a snapshot was put back."""
    records = [{"attributes": {"type": "Account"}, "Name": f"{n:05}"} for n in range(200)]
    for _ in range(2):
        client("POST", "composite/sobjects", {"records": records})
    headers = {**client.headers, "Sforce-Query-Options": "batchSize=200"}
    _, page = client("GET", "query", headers=headers, q="SELECT Name, Owner.Name FROM Account ORDER BY Name")
    sandbox.snapshots.save("open")
    sandbox.snapshots.restore("open")
    status, rest = client("GET", page["nextRecordsUrl"])
    assert (status, rest["done"], len(rest["records"])) == (200, True, 200)
    assert rest["records"][-1]["Name"] == "00199"
    assert rest["records"][-1]["Owner"]["Name"]
