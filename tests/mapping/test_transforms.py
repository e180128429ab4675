"""How values look on the other side: the lens laws for every transform, and its examples (F4, F5, F7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from core.examples import HS, NOTHING, SF, Known, rule
from hypothesis import assume, given
from hypothesis import strategies as st

from connector.core.merge import have_one_meaning
from connector.core.model import Cannot
from connector.mapping.contact_details import Phone, Url
from connector.mapping.regions import Region, countries_with_states, find_region
from connector.mapping.transforms import (
    NAMES,
    Boolean,
    Date,
    DateTime,
    Domain,
    Email,
    MultiPicklist,
    Number,
    Owner,
    Picklist,
    Reference,
    StagePair,
    Text,
    make_transform,
    name_of,
)

UTC_ZONE = ZoneInfo("UTC")
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", "Pacific/Kiritimati", "America/Sao_Paulo")
KNOWN = Known(
    partners={("account-company", HS, "001A"): "50", ("account-company", SF, "50"): "001A"},
    owners={(HS, "005A"): "7", (SF, "7"): "005A"},
    stages={(HS, "012A", "Open"): ("p", "s"), (SF, "p", "s"): ("012A", "Open")},
)
VALUE_MAP = {"New": "newbusiness", "Fresh": "newbusiness", "Existing": "existingbusiness"}


def carry(transform, to, *values, known=KNOWN):
    carried = transform.carry(to, values, known)
    if isinstance(carried, Cannot):
        return carried
    return carried[0] if len(carried) == 1 else carried


def alike(transform, side, one, other):
    return transform.meaning(side, (one,)) == transform.meaning(side, (other,))


# --- the lens laws ----------------------------------------------------------------------------------------

blanks = st.sampled_from([None, "", " "])
texts = st.text(max_size=12)
numbers = st.one_of(
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.decimals(-(10**12), 10**12, places=2).map(str),  # a double keeps 15 digits
)
days = st.dates(date(1700, 1, 1), date(4000, 12, 31)).map(str)  # Salesforce's calendar
moments = st.datetimes(datetime(1700, 1, 2), datetime(4000, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001  # the zone follows
printed = st.one_of(
    moments.map(datetime.isoformat),
    moments.map(lambda one: one.isoformat(timespec="milliseconds").replace("+00:00", "Z")),
    moments.map(lambda one: one.strftime("%Y-%m-%dT%H:%M:%S.000+0000")),
    moments.map(lambda one: str((one - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))),
)
addresses = st.one_of(
    texts, st.from_regex(r"(https?://)?(www\.){0,2}[a-zA-Z]{1,6}\.com(:80)?(/\w*)?", fullmatch=True)
)
words = st.sampled_from(["New", "Fresh", "Existing", "newbusiness", "existingbusiness", "odd", " New "])
pairs_of_words = st.sampled_from([("012A", "Open"), ("p", "s"), ("x", "y"), (None, "s"), ("p", None), (None, None)])


selections = st.one_of(
    st.lists(st.sampled_from(some), max_size=3).map(";".join)
    for some in (["New", " Fresh", "Existing", "", "odd"], ["newbusiness", "existingbusiness"])
)
phones = st.one_of(
    texts,
    st.from_regex(r"\+?[0-9 ()./-]{0,12}(x[0-9]{2})?", fullmatch=True),
    st.sampled_from(["+49 (0)30 1", "0049 30-1", "030/1", "(0)30 1", "555-0100 x1", "555 0100 ext. 1", "ACME"]),
)
places = st.one_of(
    texts,
    st.sampled_from(
        [
            "Germany",
            "DE",
            "deu",
            "U.S.A.",
            "Deutschland",
            "Freedonia",
            "CA",
            "ca",
            "California",
            "WA",
            "NSW",
            "US-CA",
        ]
    ),
)
OWN = (("Germany (West)", "Deutschland"), ("Freedonia", "Free"), ("Fredonia", "Free"), ("Calif.", "California"))


def single(values):
    return st.one_of(blanks, values).map(lambda one: (one,))


CASES = {
    "text": (Text(), single(texts)),
    "number": (Number(), single(st.one_of(numbers, texts))),
    **{f"date in {zone}": (Date(ZoneInfo(zone)), single(st.one_of(days, printed, texts))) for zone in ZONES},
    "datetime": (DateTime(), single(st.one_of(printed, days, texts))),
    "boolean": (
        Boolean(),
        single(st.one_of(st.booleans(), texts, st.sampled_from(["true", "TRUE", "1"]))),
    ),
    "picklist": (Picklist.from_map(VALUE_MAP), single(words)),
    "picklist without a map": (Picklist(), single(texts)),
    "domain": (Domain(), single(addresses)),
    "day": (Date(UTC_ZONE, midnight=False), single(st.one_of(days, printed, texts))),
    "multi_picklist": (MultiPicklist(Picklist.from_map(VALUE_MAP)), single(selections)),
    "multi_picklist without a map": (MultiPicklist(), single(st.one_of(texts, st.lists(texts).map(";".join)))),
    "phone": (Phone(), single(phones)),
    "url": (Url(), single(addresses)),
    "country as code": (Region("country", None, frozenset({SF}), OWN), single(places)),
    "state as code": (Region("state", "US", frozenset({SF, HS}), OWN), single(places)),
    "state as code of any country": (Region("state", None, frozenset({SF})), single(places)),
    "owner": (Owner(), single(st.sampled_from(["005A", "7", "005Z"]))),
    "reference": (Reference("account-company"), single(st.sampled_from(["001A", "50", "001Z"]))),
    "stage": (StagePair(), pairs_of_words),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("to", [SF, HS])
@given(data=st.data())
def test_law_9_forth_back_and_forth_is_forth(name, to, data):
    """A value that was carried once survives any number of crossings unchanged."""
    transform, values = CASES[name]
    forth = transform.carry(to, data.draw(values), KNOWN)
    assume(not isinstance(forth, Cannot))
    back = transform.carry(to.other, forth, KNOWN)
    assert not isinstance(back, Cannot), "what has a counterpart has one on the way back"
    assert transform.carry(to, back, KNOWN) == forth


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("to", [SF, HS])
@given(data=st.data())
def test_law_9_a_value_and_what_was_made_of_it_mean_the_same(name, to, data):
    """So the next merge of an unchanged value writes nothing."""
    transform, values = CASES[name]
    source = data.draw(values)
    forth = transform.carry(to, source, KNOWN)
    assume(not isinstance(forth, Cannot))
    here, there = (forth, source) if to is SF else (source, forth)
    width = "a+b" if name == "stage" else "a"
    assert have_one_meaning(rule(width, width, transform=transform), here, there, KNOWN)


@given(st.decimals(-(10**12), 10**12, places=2), st.sampled_from(["{}", "{}0", " {}", "{:.5f}", "{:E}"]))
def test_F7_spellings_of_one_number_become_one_number(number, spelling):
    """Spelling is lost on the way, so that it can never come back as an edit."""
    other = spelling.format(number)
    assert alike(Number(), HS, str(number), other)
    for side in (SF, HS):
        assert carry(Number(), side, str(number)) == carry(Number(), side, other)


@pytest.mark.parametrize("name", [*CASES, "email"])
@given(data=st.data())
def test_no_value_makes_a_transform_fail(name, data):
    """Whatever a CRM holds is carried or refused, and compared, but never raises."""
    transform, _ = CASES.get(name, (Email(), None))
    anything = st.one_of(
        blanks, texts, st.booleans(), st.integers(), st.floats(), days, printed, st.integers().map(str)
    )
    values = (data.draw(anything), data.draw(anything))[: 2 if name == "stage" else 1]
    for side in (SF, HS):
        hash(transform.meaning(side, values))
        carried = transform.carry(side, values, KNOWN)
        assert isinstance(carried, Cannot) or len(carried) == len(values)


@given(single(st.one_of(texts, st.emails())))
def test_A3_e_mail_addresses_keep_the_lens_laws(values):
    """HubSpot's are in lower case always; Salesforce's keep how they were typed."""
    email = Email()
    forth = email.carry(HS, values, KNOWN)
    assert email.carry(HS, email.carry(SF, forth, KNOWN), KNOWN) == forth
    assert email.meaning(SF, values) == email.meaning(HS, forth)
    assert email.carry(SF, email.carry(HS, email.carry(SF, forth, KNOWN), KNOWN), KNOWN) == forth


# --- text, e-mail, domain ---------------------------------------------------------------------------------


def test_F7_white_space_around_text_and_line_ends_carry_no_meaning():
    """HubSpot trims, and Salesforce prints other line ends than were sent."""
    assert carry(Text(), HS, "  a\r\nb\rc ") == "a\nb\nc"
    assert alike(Text(), SF, "a\r\nb ", "a\nb")
    assert carry(Text(), HS, "   ") is None
    assert not alike(Text(), SF, "a", "A")


def test_A3_e_mail_goes_to_hubspot_in_lower_case():
    """And comes back as it is; case is no edit."""
    assert carry(Email(), HS, " Ann@Acme.COM ") == "ann@acme.com"
    assert carry(Email(), SF, "Ann@acme.com") == "Ann@acme.com"
    assert alike(Email(), SF, "ANN@acme.com", "ann@ACME.com")
    assert carry(Email(), HS, None) is None


@pytest.mark.parametrize(
    ("website", "domain"),
    [
        ("https://www.Acme.com/about?x=1#top", "acme.com"),
        ("acme.com", "acme.com"),
        ("HTTP://ACME.COM:8080", "acme.com"),
        ("www.acme.co.uk/", "acme.co.uk"),
        ("https://user:pass@shop.acme.com", "shop.acme.com"),
        ("acme.com.", "acme.com"),
        ("www.www.acme.com", "acme.com"),
        ("acme.com?x", "acme.com"),
        ("", None),
        ("https://", None),
        (None, None),
    ],
)
def test_A2_a_web_address_is_known_by_its_domain(website, domain):
    """Scheme, www, port, path and case do not matter."""
    assert carry(Domain(), HS, website) == domain
    assert alike(Domain(), SF, website, domain)


# --- numbers and booleans ---------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", [1054, 1054.0, "1054", "1054.0", "1054.00", " 1054 ", "1.054E3"])
def test_F7_1054_is_1054_0(spelling):
    """One number, however it is spelled; HubSpot gets plain text, Salesforce a JSON number."""
    assert alike(Number(), HS, spelling, "1054")
    assert carry(Number(), HS, spelling) == "1054"
    back = carry(Number(), SF, spelling)
    assert (back, type(back)) == (1054, int)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (1e21, "1" + "0" * 21), (-2.50, "-2.5"), (0, "0"), (-0.0, "0"), (1e-7, "0.0000001")],
)
def test_numbers_are_written_without_exponents(value, text):
    """HubSpot's number properties take plain decimals."""
    assert carry(Number(), HS, value) == text


@pytest.mark.parametrize("text", ["9" * 30, "-9223372036854775809", "1e30", "1.5e300"])
def test_a_number_with_too_many_digits_for_an_integer_is_a_double(text):
    """JSON's writers and readers take no longer ones; whether Salesforce takes it, it says itself."""
    back = carry(Number(), SF, text)
    assert (back, type(back)) == (float(text), float)
    assert carry(Number(), SF, carry(Number(), HS, back)) == back


@pytest.mark.parametrize("text", ["12345678901234567.5", "12345678901234567890.5", "0.1000000000000000055"])
def test_law_9_digits_beyond_a_double_are_lost_once_not_every_time(text):
    """Salesforce's JSON numbers are doubles: what arrives there comes back as itself."""
    arrived = carry(Number(), SF, text)
    assert carry(Number(), SF, carry(Number(), HS, arrived)) == arrived


BEYOND = ("1e400", "-1e400", "1e-400", "9" * 400, "1e9999", "0e9999")
"""What no double can hold; written out, it may fill a memory."""


@pytest.mark.parametrize("text", ["abc", "1,054", "nan", "inf", "-Infinity", "true", "1.2.3", *BEYOND])
def test_F4_what_is_not_a_number_is_refused(text):
    """Not guessed at; and it still equals itself."""
    for side in (SF, HS):
        assert isinstance(carry(Number(), side, text), Cannot)
    assert alike(Number(), HS, text, text)
    assert not alike(Number(), HS, text, "1")


@pytest.mark.parametrize(
    ("value", "ticked"),
    [(True, True), ("true", True), ("TRUE", True), ("yes", True), ("1", True), (1, True),
     (False, False), ("false", False), ("", False), (None, False), (0, False), ("no", False)],
)  # fmt: skip
def test_F5_a_blank_checkbox_is_not_ticked(value, ticked):
    """Salesforce has no blank ones, so blank and false are one."""
    assert carry(Boolean(), SF, value) is ticked
    assert carry(Boolean(), HS, value) == ("true" if ticked else "false")
    assert alike(Boolean(), HS, value, ticked)


# --- dates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "midnight"),
    [
        ("UTC", "2026-06-30", "2026-06-30T00:00:00.000Z"),
        ("Europe/Berlin", "2026-06-30", "2026-06-29T22:00:00.000Z"),
        ("Europe/Berlin", "2026-01-30", "2026-01-29T23:00:00.000Z"),
        ("America/Los_Angeles", "2026-06-30", "2026-06-30T07:00:00.000Z"),
        ("Pacific/Kiritimati", "2026-06-30", "2026-06-29T10:00:00.000Z"),
        # The days on which clocks change: in March the day has 23 hours, in October 25.
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00.000Z"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00.000Z"),
        # In São Paulo the clock used to change at midnight: that day began at one o'clock.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"),
    ],
)
def test_F7_a_salesforce_date_is_its_midnight_in_the_time_zone(zone, day, midnight):
    """Also on the days on which clocks change; back, it is the same day."""
    transform = Date(ZoneInfo(zone))
    assert carry(transform, HS, day) == midnight
    assert carry(transform, SF, midnight) == day
    assert transform.meaning(SF, (day,)) == transform.meaning(HS, (midnight,))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-10-24T22:00:00Z", "2026-10-25"),
        ("2026-10-25T22:59:59Z", "2026-10-25"),
        ("2026-10-25T23:00:00Z", "2026-10-26"),
        ("2026-10-25T11:00:00+14:00", "2026-10-24"),
        ("2026-10-25T12:00:00", "2026-10-25"),
        ("2026-10-25T12:00:00.000+0000", "2026-10-25"),
        ("1792929600000", "2026-10-25"),
        (1792929600000, "2026-10-25"),
        ("-86400000", "1969-12-31"),
        ("1234567890", "1970-01-15"),
        ("0", "1970-01-01"),
    ],
)
def test_F7_a_moment_is_the_day_it_falls_on_in_the_time_zone(moment, day):
    """Text with any offset, text without one (UTC), and milliseconds since 1970."""
    assert carry(Date(ZoneInfo("Europe/Berlin")), SF, moment) == day


def test_F7_a_change_of_time_on_the_same_day_is_no_edit():
    """Half past three or midnight: the calendar day is what counts."""
    berlin = Date(ZoneInfo("Europe/Berlin"))
    assert alike(berlin, HS, "2026-06-29T22:00:00Z", "2026-06-30T21:59:59.999Z")
    assert not alike(berlin, HS, "2026-06-29T22:00:00Z", "2026-06-30T22:00:00Z")


@pytest.mark.parametrize(
    "text", ["soon", "2026-02-30", "2026-13-01", "9" * 30, "-" + "9" * 30, "2026-01-01T25:00:00Z"]
)
def test_F4_what_is_not_a_date_is_refused(text):
    """By both transforms, in both directions, and it still equals itself."""
    for transform in (Date(UTC_ZONE), DateTime()):
        for side in (SF, HS):
            assert isinstance(carry(transform, side, text), Cannot)
            assert transform.meaning(side, (text,)) == text


@pytest.mark.parametrize(("zone", "day"), [("Asia/Tokyo", "0001-01-01"), ("Etc/GMT+12", "9999-12-31")])
def test_days_whose_midnight_lies_outside_the_calendar(zone, day):
    """East of Greenwich the first one does in UTC; the last one never does."""
    carried = carry(Date(ZoneInfo(zone)), HS, day)
    assert isinstance(carried, Cannot) if zone == "Asia/Tokyo" else carried == "9999-12-31T12:00:00.000Z"


@pytest.mark.parametrize(
    "spelling",
    [
        "2026-06-30T12:34:56Z",
        "2026-06-30T12:34:56.789Z",
        "2026-06-30T12:34:56.000+0000",
        "2026-06-30T14:34:56+02:00",
        "2026-06-30T12:34:56",
        "1782822896789",
    ],
)
def test_F5_moments_are_kept_to_the_second(spelling):
    """Salesforce keeps no fractions, so a fraction is no edit."""
    for side in (SF, HS):
        assert carry(DateTime(), side, spelling) == "2026-06-30T12:34:56.000Z"
    assert alike(DateTime(), HS, spelling, "2026-06-30T12:34:56.000Z")


def test_blank_dates_stay_blank():
    """Clearing travels."""
    for transform in (Date(UTC_ZONE), DateTime()):
        assert carry(transform, HS, " ") is None
        assert transform.meaning(SF, (None,)) is None


@given(st.dates(date(1970, 1, 1), date(2100, 1, 1)), st.sampled_from(ZONES), st.integers(0, 86_399))
def test_F7_every_day_comes_back_whatever_the_time_of_day(day, zone, seconds):
    """The calendar of the zone itself is the judge."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds)
    local = moment.astimezone(ZoneInfo(zone)).date()
    transform = Date(ZoneInfo(zone))
    assert carry(transform, SF, moment.isoformat()) == str(local)
    assert carry(transform, SF, carry(transform, HS, str(day))) == str(day)


# --- value maps and ids -----------------------------------------------------------------------------------


def test_F4_a_value_map_translates_and_comes_back_to_the_first():
    """Several Salesforce values may share one of HubSpot."""
    transform = Picklist.from_map(VALUE_MAP)
    assert carry(transform, HS, "Fresh") == "newbusiness"
    assert carry(transform, SF, "newbusiness") == "New"
    assert carry(transform, HS, None) is None


@pytest.mark.parametrize(("to", "value"), [(HS, "Odd"), (SF, "odd"), (HS, "new")])
def test_F4_a_value_outside_the_map_is_refused(to, value):
    """With the value and what to do; case counts, as it does in both CRMs."""
    refusal = carry(Picklist.from_map(VALUE_MAP), to, value)
    assert isinstance(refusal, Cannot)
    assert repr(value) in refusal.reason
    assert "F4" in refusal.remedy


def test_F4_white_space_in_a_value_map_is_trimmed():
    """As it is in the values it is compared with."""
    transform = Picklist.from_map({" New ": "newbusiness "})
    assert carry(transform, HS, "New") == "newbusiness"
    assert carry(transform, SF, "newbusiness") == "New"


def test_A5_an_owner_without_counterpart_is_the_owners_problem():
    """The refusal of whoever knows owners is passed on as it is."""
    assert carry(Owner(), HS, "005A") == "7"
    assert carry(Owner(), SF, "") is None
    refusal = carry(Owner(), HS, "005Z")
    assert refusal.about == (SF, "owners", "005Z")


def test_R5_a_reference_without_a_link_waits_for_it():
    """It says what it needs: the pair, the side and the id that lack a partner."""
    transform = Reference("account-company")
    assert carry(transform, HS, "001A") == "50"
    assert carry(transform, SF, None) is None
    assert carry(transform, HS, "001Z").needs == ("account-company", SF, "001Z")
    assert carry(transform, SF, "51", known=NOTHING).needs == ("account-company", HS, "51")


def test_O11_stage_and_record_type_are_one_value():
    """Carried together, blank together, refused together."""
    assert carry(StagePair(), HS, "012A", "Open") == ("p", "s")
    assert carry(StagePair(), SF, "p", None) == (None, None)
    assert isinstance(carry(StagePair(), SF, "q", "s"), Cannot)
    assert StagePair().meaning(HS, ("p", " s ")) == StagePair().meaning(HS, ("p", "s"))


@pytest.mark.parametrize(
    ("onto", "fitted"),
    [
        (("012B", "Other"), ("012B", "Open")),
        ((" 012B ", "Other"), ("012B", "Open")),
        ((None, "Other"), (None, "Open")),
        (("012A", "Other"), ("012A", "Open")),
        (("012C", "Other"), ("012A", "Open")),
        (("012X", "Other"), ("012A", "Open")),
    ],
)
def test_O2_an_opportunity_keeps_its_record_type_where_it_shares_the_pipeline(onto, fitted):
    """One in another pipeline, or that has no such stage, takes the one that was found."""
    there = {("012A", "Open"): "p", ("012B", "Open"): "p", (None, "Open"): "p", ("012C", "Open"): "q"}
    known = Known(stages={(HS, *one): (pipeline, "s") for one, pipeline in there.items()})
    assert StagePair().fit(SF, ("012A", "Open"), onto, known) == fitted


def test_O2_nothing_is_fitted_to_hubspot_nor_where_nothing_is_known():
    """A pipeline is not chosen by where the deal is; a blank stage, or an unknown one, stays what it is."""
    assert StagePair().fit(HS, ("p", "s"), ("q", "s"), NOTHING) == ("p", "s")
    assert StagePair().fit(SF, (None, None), ("012B", "Open"), NOTHING) == (None, None)
    assert StagePair().fit(SF, ("012A", "Open"), ("012B", "Open"), NOTHING) == ("012A", "Open")


# --- several values, phone numbers, links -----------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_F5_a_transform_knows_what_a_mapping_file_calls_it(name):
    """As it stands in the file, so that an answer can name it."""
    assert name_of(make_transform(name, zone=ZoneInfo("UTC"), values={}, pair="account-company")) == name


def test_F5_several_values_are_a_set():
    """Their order carries no meaning; each is translated, and what two become one stands there once."""
    transform = MultiPicklist(Picklist.from_map(VALUE_MAP))
    assert carry(transform, HS, "New; Fresh ;Existing") == "newbusiness;existingbusiness"
    assert carry(transform, SF, "existingbusiness;newbusiness") == "Existing;New"
    assert carry(transform, HS, ";;") is None
    assert alike(transform, HS, "a;b", "b; a;")
    assert not alike(transform, HS, "a;b", "a")


def test_F4_one_value_outside_the_map_refuses_the_selection():
    """Half of a selection would be another selection."""
    refusal = carry(MultiPicklist(Picklist.from_map(VALUE_MAP)), HS, "New;Odd")
    assert isinstance(refusal, Cannot)
    assert "'Odd'" in refusal.reason


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("(415) 555-0100", "415.555.0100", True),
        ("+49 (0)30 123 456", "0049 30 123456", True),
        ("+1 415 555 0100 ext. 7", "tel:+14155550100x7", True),
        ("555-0100 #12", "555 0100 x12", True),
        ("030/123456", "030 123456", True),
        ("030 123456", "+49 30 123456", False),  # which country a number is in is never guessed
        ("(0)30 123456", "30 123456", False),
        ("555-0100", "555-0100 x1", False),
        ("1-800-ACME", "1-800-acme", True),
        ("call  me", "call me", True),
        ("", None, True),
    ],
)
def test_F5_a_phone_number_is_its_digits(one, other, same):
    """However either CRM lays it out; it is carried as it was typed."""
    assert alike(Phone(), HS, one, other) is same or (one, other) == ("", None)
    assert carry(Phone(), SF, one) == (one.strip() or None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://Acme.com/", "acme.com", True),
        ("HTTP://acme.com/About", "https://ACME.com/About", True),
        ("acme.com/About", "acme.com/about", False),
        ("www.acme.com", "acme.com", False),
        ("acme.com/?a", "acme.com", False),
        ("ftp://acme.com", "acme.com", False),
    ],
)
def test_F5_a_link_is_where_it_leads(one, other, same):
    """The scheme that people leave out, the case of the host and a last slash do not count."""
    assert alike(Url(), SF, one, other) is same
    assert carry(Url(), HS, f" {one} ") == one


@pytest.mark.parametrize(("to", "value", "carried"), [
    (HS, "New;Existing", "newbusiness;existingbusiness"),
    (HS, " New ; Fresh;", "newbusiness"),
    (SF, "newbusiness;existingbusiness", "New;Existing"),
    (HS, None, None),
    (HS, ";;", None),
])  # fmt: skip
def test_F5_several_values_go_each_by_the_map(to, value, carried):
    """Empty ones and repetitions fall away; HubSpot would take a leading semicolon for an addition."""
    assert carry(MultiPicklist(Picklist.from_map(VALUE_MAP)), to, value) == carried


@pytest.mark.parametrize(("transform", "one", "other", "same"), [
    (MultiPicklist(), "A;B", "B; A", True),
    (MultiPicklist(), "A;B", "A", False),
    (MultiPicklist(), None, ";", True),
    (Phone(), "+1 (555) 010-0", "+15550100", True),
    (Phone(), "555 0100 x12", "5550100", False),
    (Phone(), "-", None, False),
    (Phone(), " ", None, True),
    (Url(), "https://Acme.example/", "acme.example", True),
    (Url(), "acme.example/About", "acme.example/about", False),
    (Url(), "http://", None, False),
    (Url(), "", None, True),
])  # fmt: skip
def test_F5_F7_what_is_the_same_value(transform, one, other, same):
    """How it is written is no edit; what it says is."""
    for side in (SF, HS):
        assert alike(transform, side, one, other) is same


# --- countries and states ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Germany", "DE"), ("de", "DE"), ("DEU", "DE"), ("Deutschland", "DE"), ("U.S.A.", "US"), ("USA", "US"),
        ("Cote d’Ivoire", "CI"), ("CÔTE D'IVOIRE", "CI"), ("Korea, Republic of", "KR"), ("the netherlands", "NL"),
        ("Bosnia & Herzegovina", "BA"), ("Freedonia", None), ("", None), (None, None), ("-", None),
    ],
)  # fmt: skip
def test_F5_a_country_is_known_by_any_of_its_names(text, code):
    """ISO codes, English names, Salesforce's, and some of its own; case, accents and signs do not count."""
    assert find_region("country", text) == code


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("California", None, "US-CA"), ("CA", None, "US-CA"), ("us-ca", None, "US-CA"), ("Québec", None, "CA-QC"),
        ("WA", None, None), ("WA", "US", "US-WA"), ("WA", "AU", "AU-WA"), ("Western Australia", None, "AU-WA"),
        ("NT", None, None), ("Bayern", None, "DE-BY"), ("Bavaria", "DE", "DE-BY"), ("BY", None, None),
        ("BY", "DE", "DE-BY"), ("California", "AU", None), ("SP", "BR", "BR-SP"), ("MA", None, "US-MA"),
        ("Ruritania", None, None),
    ],
)  # fmt: skip
def test_F5_a_state_is_never_guessed(text, country, code):
    """A code that states of several countries have stands for none, unless the mapping names the country."""
    assert find_region("state", text, country) == code


def test_F5_each_side_has_the_country_as_it_wants_it():
    """Codes for Salesforce's picklists, names for HubSpot's text; what nobody knows is carried as it is."""
    codes = Region("country", None, frozenset({SF}))
    assert carry(codes, SF, "germany") == "DE"
    assert carry(codes, HS, "DEU") == "Germany"
    assert carry(codes, HS, "Freedonia") == "Freedonia"
    assert carry(codes, HS, None) is None
    assert alike(codes, SF, "DE", "Federal Republic of Germany")
    assert carry(Region("state", "US", frozenset({SF})), SF, "california") == "CA"


def test_F5_an_administrator_s_own_spelling_wins():
    """Such as an option of HubSpot's that no list of countries has."""
    own = Region("country", None, frozenset(), OWN)
    assert carry(own, HS, "DE") == "Deutschland"
    assert carry(own, SF, "Deutschland") == "Germany (West)"
    assert carry(own, HS, "Fredonia") == "Free"
    assert carry(own, SF, "Free") == "Freedonia"


def test_F5_the_tables_of_regions_are_without_doubt():
    """No name or code of a country stands for two; every state is of a country that is listed."""
    from connector.mapping.regions import _codes, _entries, _names

    assert [
        text for text, ids in {**_names("country")}.items() if len(ids | _codes("country").get(text, ids)) > 1
    ] == []
    assert len(_entries("country")) == 250
    assert set(countries_with_states()) <= set(_entries("country"))
    for country in countries_with_states():
        for id_, one in _entries("state").items():
            if one.of == country:
                assert {find_region("state", text, country) for text in (one.name, one.code, id_)} == {id_}


def test_F7_a_day_of_hubspot_is_a_day():
    """A property of type date takes days, or their midnight in UTC, whatever the time zone of the settings is."""
    day = Date(UTC_ZONE, midnight=False)
    assert carry(day, HS, "2026-06-30") == "2026-06-30"
    assert carry(day, SF, "1782777600000") == "2026-06-30"
    assert isinstance(carry(day, SF, "soon"), Cannot)


# --- by name ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_F5_every_name_makes_a_transform(name):
    """The names that a mapping may use are those that exist."""
    transform = make_transform(name, zone=UTC_ZONE, values=VALUE_MAP, pair=None)
    assert make_transform(name, zone=UTC_ZONE, values=VALUE_MAP, pair=None) == transform
    assert name_of(transform) == name


def test_a_name_that_does_not_exist_is_an_error():
    """`KeyError`, as promised."""
    with pytest.raises(KeyError):
        make_transform("rot13", zone=UTC_ZONE, values={}, pair=None)


def test_a_transform_is_made_with_what_the_mapping_says():
    """Time zone, value map and pair reach their transforms."""
    berlin = ZoneInfo("Europe/Berlin")
    assert make_transform("date", zone=berlin, values={}, pair=None) == Date(berlin)
    assert make_transform("picklist", zone=berlin, values=VALUE_MAP, pair=None) == Picklist.from_map(VALUE_MAP)
    assert make_transform("reference", zone=berlin, values={}, pair="contact-contact") == Reference(
        "contact-contact"
    )
    assert make_transform("reference", zone=berlin, values={}, pair=None) == Reference("account-company")
