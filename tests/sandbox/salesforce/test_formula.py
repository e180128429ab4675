"""The formula language, apart from any org."""

import contextlib
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sandbox.salesforce.formula import FormulaError, compile_formula

KINDS = {
    "n": "number", "m": "number", "none": "number", "t": "text", "blank": "text", "on": "boolean", "d": "date",
    "never": "date", "at": "datetime", "stage": "picklist", "tags": "multipicklist", "account.industry": "picklist",
}  # fmt: skip
VALUES = {
    "n": Decimal(7), "m": Decimal("2.5"), "none": None, "t": "Acme Corp", "blank": "", "on": True,
    "d": date(2026, 1, 31), "never": None, "at": datetime(2026, 1, 31, 18, tzinfo=UTC), "stage": "Won",
    "tags": "red;blue", "account.industry": "Energy",
}  # fmt: skip
PRIOR = {**VALUES, "n": Decimal(5), "stage": "Open"}


class Record:
    now = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)

    def __init__(self, is_new=False):
        self.is_new = is_new

    def read(self, path):
        return VALUES[".".join(path).lower()]

    def prior(self, path):
        return (VALUES if self.is_new else PRIOR)[".".join(path).lower()]


def compiled(text, rule=True):
    return compile_formula(text, lambda path: KINDS.get(".".join(path).lower()), rule=rule)


def work_out(text, is_new=False):
    return compiled(text).evaluate(Record(is_new))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 + 2 * 3", Decimal(7)),
        ("(1 + 2) * 3", Decimal(9)),
        ("2 ^ 3 ^ 2", Decimal(64)),
        ("10 - 4 - 3", Decimal(3)),
        ("-2 * -3", Decimal(6)),
        ("0.1 + 0.2", Decimal("0.3")),
        ("7 / 2 /* half */", Decimal("3.5")),
        ("n > m && n <> 8", True),
        ("n >= 7 || 1 / 0 = 1", True),
        ("!on", False),
        ("NOT(on)", False),
        ("'a' & \"b\" & \"\\\"\"", 'ab"'),
        ('"a" + "b"', "ab"),
        ('t == "Acme Corp"', True),
        ('t = "acme corp"', False),
        ('t != "x"', True),
        ("AND(on, n = 7, m < 3)", True),
        ("OR(on = false, n < 7)", False),
        ('IF(n > 5, "big", "small")', "big"),
        ("IF(m = 0, 0, n / m)", Decimal("2.8")),
        ('CASE(stage, "Open", 1, "Won", 2, 0)', Decimal(2)),
        ('CASE(n, 1, "one", "many")', "many"),
        ('ISPICKVAL(stage, "Won")', True),
        ('ISPICKVAL(Account.Industry, "Energy")', True),
        ('INCLUDES(tags, "blue")', True),
        ('INCLUDES(tags, "blu")', False),
        ("TEXT(stage)", "Won"),
        ("TEXT(m)", "2.5"),
        ("TEXT(100)", "100"),
        ("TEXT(d)", "2026-01-31"),
        ("TEXT(at)", "2026-01-31 18:00:00Z"),
        ('VALUE(" 12.50 ")', Decimal("12.50")),
        ("LEN(t)", Decimal(9)),
        ("LEFT(t, 4)", "Acme"),
        ("RIGHT(t, 4)", "Corp"),
        ("RIGHT(t, 0)", None),
        ("MID(t, 6, 2)", "Co"),
        ('TRIM("  a ")', "a"),
        ("UPPER(t) & LOWER(t)", "ACME CORPacme corp"),
        ('CONTAINS(t, "me")', True),
        ('CONTAINS(t, "ME")', False),
        ('BEGINS(t, "Acme")', True),
        ('REGEX(t, "\\\\w+ \\\\w+")', True),
        ('REGEX(t, "Acme")', False),
        ("ROUND(2.5, 0)", Decimal(3)),
        ("ROUND(-2.345, 2)", Decimal("-2.35")),
        ("ROUND(1234, -2)", Decimal(1200)),
        ("ABS(-3)", Decimal(3)),
        ("MIN(n, m, 3) + MAX(n, 1)", Decimal("9.5")),
        ("FLOOR(2.9)", Decimal(2)),
        ("FLOOR(-2.9)", Decimal(-2)),
        ("CEILING(2.1)", Decimal(3)),
        ("CEILING(-2.1)", Decimal(-3)),
        ("MOD(7, 3)", Decimal(1)),
        ("MOD(-7, 3)", Decimal(-1)),
        ("MFLOOR(-2.1)", Decimal(-3)),
        ("MCEILING(-2.9)", Decimal(-2)),
        ("SQRT(6.25)", Decimal("2.5")),
        ('SUBSTITUTE(t, "c", "k")', "Akme Corp"),
        ('SUBSTITUTE(t, "", "k")', "Acme Corp"),
        ('FIND("o", t) + FIND("z", t)', Decimal(7)),
        ('FIND("C", t, 7)', Decimal(0)),
        ('LPAD(TEXT(n), 3, "0") & RPAD("ab", 1, "x") & RPAD("a", 3, "xy")', "007aaxy"),
        ('ISNUMBER("-1.5") && !ISNUMBER("1e5")', True),
        ("WEEKDAY(DATE(2026, 3, 8))", Decimal(1)),
        ("ADDMONTHS(d, 1)", date(2026, 2, 28)),
        ("ADDMONTHS(DATE(2026, 2, 28), -12)", date(2025, 2, 28)),
        ("ADDMONTHS(DATE(2026, 2, 28), 1)", date(2026, 3, 31)),
        ("ADDMONTHS(DATE(2026, 1, 15), -1)", date(2025, 12, 15)),
        ("TODAY()", date(2026, 3, 10)),
        ("NOW() - at", Decimal("38.22916666666666666666666667")),
        ("DATE(2026, 2, 28) + 1", date(2026, 3, 1)),
        ("2 + d", date(2026, 2, 2)),
        ("d - DATE(2026, 1, 1)", Decimal(30)),
        ("d + 1.9", date(2026, 2, 1)),
        ("at + 0.5", datetime(2026, 2, 1, 6, tzinfo=UTC)),
        ("YEAR(d) * 10000 + MONTH(d) * 100 + DAY(d)", Decimal(20260131)),
        ("DATEVALUE(at) = d", True),
        ('DATEVALUE("2026-01-31") = d', True),
        ("d < TODAY()", True),
    ],
)  # fmt: skip
def test_what_formulas_come_to(text, result):
    """Operators bind, and functions work, as Salesforce's help has it."""
    assert work_out(text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("none + 1", None),
        ("none > 1", None),
        ("none = NULL", True),
        ("none <> 0", True),
        ("ISBLANK(none)", True),
        ("ISBLANK(blank)", True),
        ("ISNULL(blank)", False),
        ("ISNULL(never)", True),
        ("ISBLANK(n)", False),
        ("never + 1", None),
        ("never < TODAY()", None),
        ('BLANKVALUE(blank, "x")', "x"),
        ('NULLVALUE(blank, "x")', None),
        ("BLANKVALUE(none, 3)", Decimal(3)),
        ("NULLVALUE(never, d)", date(2026, 1, 31)),
        ("LEN(blank)", Decimal(0)),
        ("blank & t", "Acme Corp"),
        ("blank = NULL", True),
        ("IF(NULL, 1, 2)", Decimal(2)),
        ("IF(none > 1, 1, 2)", Decimal(2)),
        ("VALUE(blank)", None),
        ("blank", None),
    ],
)  # fmt: skip
def test_blank_values(text, result):
    """Blank text is empty text; where a number or a date is missing there is no result."""
    assert work_out(text) == result


@pytest.mark.parametrize(
    "text",
    ["n / 0", 'VALUE("abc")', "DATE(2026, 2, 30)", "10 ^ 999999999", "(0 - 1) ^ 0.5", 'DATEVALUE("soon")',
     'REGEX("x", t & "(")', "MOD(1, 0)", "d + 999999999", "SQRT(0 - 1)", "ADDMONTHS(d, 999999)"],
)  # fmt: skip
def test_what_cannot_be_worked_out_has_no_result(text):
    """Where a page would show #Error!, there is null."""
    assert work_out(text) is None


def test_changes():
    """Rules may ask what changes; a new record has changed nothing and is its own past."""
    assert work_out("ISCHANGED(n)") is True
    assert work_out("ISCHANGED(t)") is False
    assert work_out("PRIORVALUE(n)") == 5
    assert work_out('ISPICKVAL(PRIORVALUE(stage), "Open")') is True
    assert work_out("ISNEW()") is False
    assert work_out("ISCHANGED(n)", is_new=True) is False
    assert work_out("PRIORVALUE(n)", is_new=True) == 7
    assert work_out("ISNEW()", is_new=True) is True


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("n + nope", "Field nope does not exist. Check spelling.", 5),
        ("FROBNICATE(n)", "Unknown function FROBNICATE. Check spelling.", 1),
        ("LEN(t, t)", "Incorrect number of parameters for function 'LEN()'. Expected 1, received 2", 1),
        ("CASE(n, 1)", "Incorrect number of parameters for function 'CASE()'", 1),
        ("LEN(n)", "Incorrect parameter type for function 'LEN()'. Expected Text, received Number", 5),
        ("t - 1", "Incorrect parameter type for operator '-'. Expected Number, Date, DateTime, received Text", 1),
        ("n = t", "Incorrect parameter type for operator '='. Expected Number, received Text", 5),
        ("n + t", "Incorrect parameter type for operator '+'. Expected Number, Date, DateTime, received Text", 5),
        ("-t", "Incorrect parameter type for operator '-'. Expected Number, received Text", 2),
        ("IF(n, 1, 2)", "Incorrect parameter type for function 'IF()'. Expected Boolean, received Number", 4),
        ("IF(on, 1, t)", "Incorrect parameter type for function 'IF()'. Expected Number, received Text", 11),
        ('stage = "Won"', "Field stage is a picklist field. Picklist fields are only supported in certain", 1),
        ("CASE(n, t, 1, 2)", "Incorrect parameter type for function 'CASE()'. Expected Number, received Text", 9),
        ("PRIORVALUE(Account.Industry)", "takes a field of the record itself", 1),
        ('REGEX(t, "(")', "Invalid regular expression", 10),
        ("(n", "Syntax error. Missing ')'", 3),
        ("n)", "Syntax error. Extra ')'", 2),
        ("n n", "Syntax error. Found 'n'", 3),
        ("n +", "Syntax error. Found end of formula", 4),
        ("n + * 2", "Syntax error. Found '*'", 5),
        ("n # 2", "Syntax error. Found '#'", 3),
        ('"open', "Syntax error. Found '\"'", 1),
        ("", "Syntax error. Found end of formula", 1),
        ("(" * 200 + "1", "Compiled formula is too big to execute", 101),
        ("1" + "+1" * 300, "Compiled formula is too big to execute", 200),
        ("1" * 4000, "Formula is too long (4,000 characters). Maximum length is 3,900 characters.", 3901),
    ],
)  # fmt: skip
def test_a_wrong_formula_is_refused_with_its_place(text, message, position):
    """In Salesforce's words, and with the character where it goes wrong."""
    with pytest.raises(FormulaError) as refused:
        compiled(text)
    assert message in str(refused.value)
    assert refused.value.position == position


@pytest.mark.parametrize("text", ["ISCHANGED(n)", "PRIORVALUE(n)", "ISNEW()"])
def test_a_formula_field_cannot_ask_what_changes(text):
    """Those functions are for rules."""
    with pytest.raises(FormulaError, match="may not be used in this type of formula"):
        compiled(text, rule=False)


_NUMBERS = st.integers(-999, 999).map(lambda number: (f"({number})", Decimal(number)))
_SIGNS = {"+": Decimal.__add__, "-": Decimal.__sub__, "*": Decimal.__mul__}
_TREES = st.recursive(
    _NUMBERS,
    lambda inner: st.tuples(inner, st.sampled_from(sorted(_SIGNS)), inner).map(
        lambda tree: (f"({tree[0][0]} {tree[1]} {tree[2][0]})", _SIGNS[tree[1]](tree[0][1], tree[2][1]))
    ),
    max_leaves=8,
)


@given(_TREES)
def test_arithmetic_is_that_of_decimals(tree):
    """Any nest of operators comes to what decimal arithmetic gives."""
    text, result = tree
    assert work_out(text) == result


@given(st.text(alphabet="nt()+-*/&|!=<>\"'., 1ILEN", max_size=40))
def test_no_text_breaks_the_parser(text):
    """Whatever is written is a formula with a result, or refused."""
    with contextlib.suppress(FormulaError):
        compiled(text).evaluate(Record())
