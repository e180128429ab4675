"""What does an organisation look like that has used two CRMs for years?

`load_demo` invents one from a seed and enters it through the sandboxes' own HTTP interfaces, as their clients
would: nothing gets in that the vendors would refuse. `invent` makes the records. Peculiarities go by
position, not by chance, so that none is missing: each n-th contact has no e-mail, each n-th name an oddity.
In invented rows a number under a name of `_REFERENCES` is the position of the record meant; the loader puts
the id there once it is known.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import requests
from mimesis import Generic, Locale

from connector.sandbox.transport import SandboxAdapter
from connector.sandbox.wire import Handler

Row = dict[str, Any]

_SALESFORCE_COLLECTION = 200  # REST API Developer Guide, "sObject Collections": up to 200 records
_HUBSPOT_BATCH = 100  # HubSpot docs, "Using object APIs": batch endpoints take at most 100 inputs
_VERSION = "v68.0"
_REFERENCES = ("AccountId", "ContactId", "OpportunityId", "OwnerId", "RecordTypeId")

# The stages of each record type are some of the ten that every Salesforce org begins with.
_RECORD_TYPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("New Business", ("Prospecting", "Qualification", "Needs Analysis", "Value Proposition",
                      "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost")),
    ("Renewal", ("Qualification", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost")),
    ("Partner", ("Prospecting", "Id. Decision Makers", "Perception Analysis", "Proposal/Price Quote",
                 "Closed Won", "Closed Lost")),
)  # fmt: skip
_OFFERS = (
    ("Platform licences", "Pilot", "Second site", "Onboarding and training"),
    ("Renewal, 12 months", "Renewal, 36 months", "Support renewal"),
    ("Joint offer", "Referral", "Reseller framework"),
)
_OUTCOMES = {"open": 40, "Closed Won": 35, "Closed Lost": 25}

# The endings of company names tell the trade; the locale of the founder's name tells the legal form.
_TRADES = (
    "Logistics",
    "Foods",
    "Robotics",
    "Health",
    "Energy",
    "Textiles",
    "Media",
    "Software",
    "Optics",
    "Mills",
)
_INDUSTRIES = ("Transportation", "Food & Beverage", "Machinery", "Healthcare", "Energy", "Apparel", "Media",
               "Technology", "Electronics", "Manufacturing")  # fmt: skip
_LEGAL_FORMS = {
    Locale.EN: "Inc.", Locale.DE: "GmbH", Locale.ES: "S.A.", Locale.FR: "S.à r.l.", Locale.PL: "sp. z o.o.",
    Locale.CS: "s.r.o.", Locale.SV: "AB", Locale.JA: "株式会社",
}  # fmt: skip
_LOCALES = tuple(_LEGAL_FORMS)
_MAIL_DOMAINS = ("example.com", "example.org", "example.net")

# What people type: quotes, commas, symbols, and blanks that Salesforce will trim.
_ODD_NAMES = ("  {} ", '{} "West"', "{}, Ltd.", "{} 🚀", "O'{} & Sons; Co.", "{} <test>", "{} — 100 % ✓")
_ROLES = ("Decision Maker", "Economic Buyer", "Technical Buyer", "Evaluator", "Executive Sponsor",
          "Influencer", "Business User", None)  # fmt: skip
_NOTES = (
    "Called, no answer.",
    "Wants a quote by Friday, with and without training.",
    "Asked for references in the same trade; sent two.",
    "Legal has the contract. Clause 7 (liability) is still open.",
    "« Rappeler après le 15, budget validé. »",
    "Angebot verschickt – Rückmeldung nächste Woche, spätestens am 30.",
    "Budget: 12.500,00 € now, the rest after the pilot.",
    "Met at the fair; very interested \N{GRINNING FACE}",
    "Champion has left the company. Find out who decides now!",
    'He said: "Let\'s talk after the summer", so pushed the date.',
)
_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other", None)
_LIFECYCLE_STAGES = ("lead", None, "subscriber", "marketingqualifiedlead", "customer", None)
_OWNERS = 6


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """How many records were entered: Salesforce's, then HubSpot's. The administrators are not counted."""

    users: int
    accounts: int
    contacts: int
    opportunities: int
    contact_roles: int
    owners: int
    hubspot_contacts: int


@dataclass(frozen=True, slots=True)
class Organisation:
    """Everything invented, in the vendors' own words. `owners` and `hubspot_contacts` are HubSpot's."""

    users: list[Row]
    record_types: list[Row]
    accounts: list[Row]
    contacts: list[Row]
    opportunities: list[Row]
    contact_roles: list[Row]
    owners: list[Row]
    hubspot_contacts: list[Row]


def load_demo(
    salesforce: Handler,
    hubspot: Handler,
    salesforce_token: str,
    hubspot_token: str,
    seed: int = 0,
    accounts: int = 40,
) -> DemoSummary:
    """Fill two empty sandboxes with a made-up organisation; the same seed makes the same records.

    There are three contacts and five opportunities for each of the `accounts`. Dates are relative to the
    Salesforce sandbox's clock. Raises `RuntimeError` with the answer when a sandbox refuses something,
    for example because the same people exist there already.
    """
    org_door = _Door(salesforce, "http://salesforce.sandbox", salesforce_token)
    portal_door = _Door(hubspot, "http://hubspot.sandbox", hubspot_token)
    today = datetime.fromisoformat(org_door.ask("GET", "/_sandbox/clock")["now"]).date()
    org = invent(seed, accounts, today)
    _load_salesforce(org_door, org)
    _load_hubspot(portal_door, org)
    return DemoSummary(
        users=len(org.users),
        accounts=len(org.accounts),
        contacts=len(org.contacts),
        opportunities=len(org.opportunities),
        contact_roles=len(org.contact_roles),
        owners=len(org.owners),
        hubspot_contacts=len(org.hubspot_contacts),
    )


def invent(seed: int, accounts: int, today: date) -> Organisation:
    """The records of a made-up organisation. Dates lie around `today`, nothing else depends on it."""
    return _Inventor(seed, today).invent(accounts)


class _Inventor:
    """Draws everything from one random generator and one source of words for each language."""

    def __init__(self, seed: int, today: date) -> None:
        self._random = Random(seed)
        self._words = {locale: Generic(locale, seed=f"{seed} {locale}") for locale in _LOCALES}
        self._today = today
        self._taken: set[str] = set()

    def invent(self, size: int) -> Organisation:
        users = [self._user(position) for position in range(_OWNERS + 2)]
        accounts = [self._account(position) for position in range(size)]
        contacts = [self._contact(position, accounts) for position in range(3 * size)]
        _share_one_email(contacts)
        opportunities = [self._opportunity(position, accounts) for position in range(5 * size)]
        return Organisation(
            users=users,
            record_types=[
                {
                    "Name": name,
                    "DeveloperName": name.replace(" ", "_"),
                    "SobjectType": "Opportunity",
                    "IsActive": True,
                    "picklistValues": {"StageName": list(stages)},
                }
                for name, stages in _RECORD_TYPES
            ],
            accounts=accounts,
            contacts=contacts,
            opportunities=opportunities,
            contact_roles=self._contact_roles(opportunities, contacts),
            owners=[
                {"email": user["Email"], "firstName": user["FirstName"], "lastName": user["LastName"]}
                for user in users[:_OWNERS]
            ],
            hubspot_contacts=self._hubspot_contacts(contacts),
        )

    def _user(self, position: int) -> Row:
        """First the sellers known on both sides, then one unknown to HubSpot, then one who has left."""
        person = self._words[Locale.EN].person
        first, last = person.first_name(), person.last_name()
        email = self._unique(f"{_ascii(first)}.{_ascii(last)}", "@example.com")
        active = position <= _OWNERS
        return {"Username": email, "Email": email, "FirstName": first, "LastName": last, "IsActive": active}

    def _account(self, position: int) -> Row:
        locale = _LOCALES[position % len(_LOCALES)]
        words = self._words[locale]
        trade = position % len(_TRADES)
        plain = f"{words.person.last_name()} {_TRADES[trade]}"
        domain = self._unique(_ascii(plain) or f"company{position}", ".example")
        row = {
            "Name": _odd(position, 4, f"{plain} {_LEGAL_FORMS[locale]}"),
            "Website": (f"https://www.{domain}", domain, f"http://{domain.upper()}/", None)[position % 4],
            "Industry": None if position % 7 == 6 else _INDUSTRIES[trade],
            "Phone": None if position % 5 == 4 else words.person.phone_number(),
            "NumberOfEmployees": None if position % 6 == 5 else self._random.randint(3, 20_000),
            "AnnualRevenue": None if position % 3 == 2 else self._random.randint(1, 900) * 100_000,
            "Description": self._notes(30) if position % 10 == 3 else None,
            "BillingStreet": words.address.address(),
            "BillingCity": words.address.city()[:40],
            "BillingPostalCode": words.address.zip_code(),
            "OwnerId": self._owner(),
        }
        return _filled(row)

    def _contact(self, position: int, accounts: Sequence[Row]) -> Row:
        locale = _LOCALES[position % len(_LOCALES)]
        person = self._words[locale].person
        first, last = person.first_name(), person.last_name()
        written = ".".join(filter(None, (_ascii(first), _ascii(last)))) or "info"
        account = None if not accounts or position % 17 == 16 else self._random.randrange(len(accounts))
        email: str | None = self._unique(written, f"@{_MAIL_DOMAINS[position % len(_MAIL_DOMAINS)]}")
        if position % 11 == 5:
            email = None
        elif position % 9 == 4 and email:
            email = email.upper()
        row = {
            "FirstName": None if position % 19 == 18 else first,
            "LastName": _odd(position, 13, last),
            "Email": email,
            "Phone": None if position % 3 == 1 else person.phone_number(),
            "MobilePhone": person.phone_number() if position % 4 == 0 else None,
            "Title": None if position % 8 == 7 else person.occupation()[:128],
            "LeadSource": self._random.choice(_SOURCES),
            "AccountId": account,
            "OwnerId": self._owner(),
        }
        return _filled(row)

    def _opportunity(self, position: int, accounts: Sequence[Row]) -> Row:
        kind = position % len(_RECORD_TYPES)
        _, stages = _RECORD_TYPES[kind]
        outcome = self._random.choices(list(_OUTCOMES), list(_OUTCOMES.values()))[0]
        stage = self._random.choice(stages[:-2]) if outcome == "open" else outcome
        account = None if not accounts or position % 21 == 20 else self._random.randrange(len(accounts))
        about = "Walk-in" if account is None else accounts[account]["Name"].strip()
        row = {
            "Name": _odd(position, 16, f"{about} – {self._random.choice(_OFFERS[kind])}")[:120],
            "RecordTypeId": kind,
            "StageName": stage,
            "CloseDate": self._close_date(outcome, position).isoformat(),
            "Amount": self._amount(position),
            "Description": self._notes(150) if position % 12 == 2 else None,
            "NextStep": "Call back; send the price list" if outcome == "open" and position % 5 == 0 else None,
            "LeadSource": self._random.choice(_SOURCES),
            "AccountId": account,
            "OwnerId": self._owner(),
        }
        return _filled(row)

    def _close_date(self, outcome: str, position: int) -> date:
        """In the past for what is decided, in the future for what is open, save for the odd overdue one."""
        if outcome != "open":
            return self._today - timedelta(days=self._random.randint(0, 540))
        overdue = position % 10 == 9
        return self._today + timedelta(
            days=-self._random.randint(1, 60) if overdue else self._random.randint(1, 150)
        )

    def _amount(self, position: int) -> float | int | None:
        if position % 10 == 7:
            return None
        if position % 23 == 22:
            return 0
        if position % 3 == 0:
            return round(self._random.uniform(50, 90_000), 2)
        return self._random.randint(1, 250) * 1_000

    def _contact_roles(self, opportunities: Sequence[Row], contacts: Sequence[Row]) -> list[Row]:
        """Up to four contacts of the opportunity's own account; the first of them is the primary one."""
        staff: dict[int | None, list[int]] = {}
        for position, contact in enumerate(contacts):
            staff.setdefault(contact.get("AccountId"), []).append(position)
        rows: list[Row] = []
        for position, opportunity in enumerate(opportunities):
            known = staff.get(opportunity.get("AccountId"), [])
            chosen = self._random.sample(known, min(len(known), self._random.randint(0, 4)))
            rows.extend(
                _filled(
                    {
                        "OpportunityId": position,
                        "ContactId": contact,
                        "Role": self._random.choice(_ROLES),
                        "IsPrimary": rank == 0,
                    }
                )
                for rank, contact in enumerate(chosen)
            )
        return rows

    def _hubspot_contacts(self, contacts: Sequence[Row]) -> list[Row]:
        """People whom marketing met first: the same e-mail as in Salesforce, some values differ."""
        known = [contact for contact in contacts[1:-1] if "Email" in contact][: 3 * len(_LIFECYCLE_STAGES) : 3]
        rows = []
        for position, contact in enumerate(known):
            stage = _LIFECYCLE_STAGES[position % len(_LIFECYCLE_STAGES)]
            row = {
                "email": contact["Email"].lower(),
                "firstname": contact.get("FirstName") if position % 2 == 0 else None,
                "lastname": contact["LastName"].strip() if position % 3 == 0 else None,
                "phone": self._words[Locale.EN].person.phone_number() if position % 2 == 1 else None,
                "jobtitle": "Subscriber to the newsletter" if position % 3 == 2 else None,
                "lifecyclestage": stage,
            }
            rows.append(_filled(row))
        return rows

    def _owner(self) -> int | None:
        """A seller, more rarely the one unknown to HubSpot, or nobody: Salesforce then puts whoever loads."""
        sellers: tuple[int | None, ...] = (*range(_OWNERS), *range(_OWNERS), _OWNERS, None)
        return self._random.choice(sellers)

    def _notes(self, lines: int) -> str:
        """What gathers in a description over the years: about 50 characters a line."""
        return "\n".join(self._random.choice(_NOTES) for _ in range(lines))

    def _unique(self, local: str, rest: str) -> str:
        number, text = 1, local + rest
        while text in self._taken:
            number += 1
            text = f"{local}{number}{rest}"
        self._taken.add(text)
        return text


def _share_one_email(contacts: Sequence[Row]) -> None:
    """Two contacts of one address, as a married couple or a shared mailbox has it. Salesforce allows that."""
    if len(contacts) > 1:
        contacts[-1]["Email"] = contacts[0]["Email"]


def _odd(position: int, every: int, text: str) -> str:
    """`text`, dressed up at each `every`-th position with one of `_ODD_NAMES` in turn."""
    turn, rest = divmod(position, every)
    return text if rest != every - 1 else _ODD_NAMES[turn % len(_ODD_NAMES)].format(text)


def _ascii(text: str) -> str:
    """What is left of a name in an address: lower-case letters without accents, perhaps nothing."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(char for char in plain.lower() if char.isalnum())


def _filled(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


class _Door:
    """One sandbox, asked as any client would ask it."""

    def __init__(self, handler: Handler, origin: str, token: str) -> None:
        self._origin = origin
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount(origin, SandboxAdapter(handler))
        self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of a successful answer. Raises `RuntimeError` with any other."""
        answer = self._session.request(method, self._origin + path, json=body, timeout=60)
        if not answer.ok or answer.status_code == requests.codes.multi_status:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()


def _load_salesforce(door: _Door, org: Organisation) -> None:
    def administer(kind: str, rows: Sequence[Row]) -> list[str]:
        return [row["id"] for row in door.ask("POST", f"/_sandbox/{kind}", list(rows))]

    def create(sobject: str, rows: Sequence[Row]) -> list[str]:
        ids: list[str] = []
        for chunk in _chunks([_resolve(row, known) for row in rows], _SALESFORCE_COLLECTION):
            records = [{"attributes": {"type": sobject}, **row} for row in chunk]
            path = f"/services/data/{_VERSION}/composite/sobjects"
            results = door.ask("POST", path, {"allOrNone": True, "records": records})
            if refused := [result for result in results if not result["success"]]:
                raise RuntimeError(f"{sobject}: {refused}")
            ids.extend(result["id"] for result in results)
        return ids

    known: dict[str, list[str]] = {}
    known["OwnerId"] = administer("users", org.users)
    known["RecordTypeId"] = administer("record_types", org.record_types)
    known["AccountId"] = create("Account", org.accounts)
    known["ContactId"] = create("Contact", org.contacts)
    known["OpportunityId"] = create("Opportunity", org.opportunities)
    create("OpportunityContactRole", org.contact_roles)


def _load_hubspot(door: _Door, org: Organisation) -> None:
    door.ask("POST", "/_sandbox/owners", org.owners)
    for chunk in _chunks(org.hubspot_contacts, _HUBSPOT_BATCH):
        inputs = [{"properties": row} for row in chunk]
        door.ask("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs})


def _resolve(row: Row, known: dict[str, list[str]]) -> Row:
    return {name: known[name][value] if name in _REFERENCES else value for name, value in row.items()}


def _chunks(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
