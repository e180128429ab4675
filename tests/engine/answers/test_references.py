"""Which record does a person mean?"""

from __future__ import annotations

import pytest

from connector.core.model import Side
from connector.engine.answers.references import read_reference
from connector.errors import BadConfiguration

OPPORTUNITY = "006A0000006Vm9uIAC"
SF, HS = Side.SALESFORCE, Side.HUBSPOT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OPPORTUNITY, (SF, "Opportunity", OPPORTUNITY)),
        (OPPORTUNITY[:15], (SF, "Opportunity", OPPORTUNITY)),
        (OPPORTUNITY.upper(), (SF, "Opportunity", OPPORTUNITY)),
        (f"  {OPPORTUNITY}\n", (SF, "Opportunity", OPPORTUNITY)),
        ("001000000000001AAA", (SF, "Account", "001000000000001AAA")),
        ("001000000000001", (SF, "Account", "001000000000001AAA")),
        ("003000000000001AAA", (SF, "Contact", "003000000000001AAA")),
        ("deal:123", (HS, "deals", "123")),
        ("Contact:123", (HS, "contacts", "123")),
        ("company:123", (HS, "companies", "123")),
        ("123", (HS, None, "123")),
        ("123456789012345", (HS, None, "123456789012345")),
        (
            f"https://x.lightning.force.com/lightning/r/Opportunity/{OPPORTUNITY}/view",
            (SF, "Opportunity", OPPORTUNITY),
        ),
        (f"https://x.lightning.force.com/lightning/r/{OPPORTUNITY[:15]}/view", (SF, "Opportunity", OPPORTUNITY)),
        (f"https://x.my.salesforce.com/{OPPORTUNITY}", (SF, "Opportunity", OPPORTUNITY)),
        (f"https://x.my.salesforce.com/{OPPORTUNITY[:15]}/e?retURL=%2F", (SF, "Opportunity", OPPORTUNITY)),
        (f"https://x.my.salesforce.com/one/one.app#/sObject/{OPPORTUNITY}/view", (SF, "Opportunity", OPPORTUNITY)),
        (f"x.my.salesforce.com/apex/page?id={OPPORTUNITY}", (SF, "Opportunity", OPPORTUNITY)),
        ("https://app.hubspot.com/contacts/1234/record/0-3/77", (HS, "deals", "77")),
        ("https://app-eu1.hubspot.com/contacts/1234/record/0-1/77/view/1?eschref=x", (HS, "contacts", "77")),
        ("https://app.hubspot.com/contacts/1234/record/0-2/77/", (HS, "companies", "77")),
        ("https://app.hubspot.com/contacts/1234/deal/77", (HS, "deals", "77")),
        ("https://app.hubspot.com/contacts/1234/contact/77/", (HS, "contacts", "77")),
        ("app.hubspot.com/contacts/1234/company/77?x=y", (HS, "companies", "77")),
    ],
)
def test_X3_ids_and_addresses(text, expected):
    """Either side's id, of 15 or 18 characters, and every form of a page's address."""
    found = read_reference(text)
    assert (found.side, found.object, found.id) == expected


def test_X3_an_e_mail_means_a_contact():
    """In any case."""
    assert read_reference(" Ada@Example.com ").email == "ada@example.com"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "neither an id"),
        ("Big deal", "neither an id"),
        ("ticket:12", "neither an id"),
        ("00QA0000006Vm9u", "is a lead"),
        ("0NYA0000006Vm9u", "of an object that does not sync"),
        ("006A0000006Vm9u555", "do not fit"),
        ("https://app.hubspot.com/contacts/1234/record/0-5/77", "0-5"),
        ("https://app.hubspot.com/reports/1234", "no record's id"),
        ("https://x.lightning.force.com/lightning/o/Opportunity/list", "no record's id"),
    ],
)
def test_X3_what_names_no_record_says_what_does(text, says):
    """What happened, why, and the forms that are understood."""
    with pytest.raises(BadConfiguration) as raised:
        read_reference(text)
    [finding] = raised.value.findings
    assert says in finding.message
    assert "deal:ID" in finding.remedy
