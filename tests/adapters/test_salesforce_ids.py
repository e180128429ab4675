"""Ids of 15 and 18 characters name the same record, also after a spreadsheet has lost their capitals."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.salesforce_ids import is_id, lengthen

LETTERS = string.ascii_letters + string.digits


def test_the_suffix_says_which_letters_are_capitals():
    """`A` is the fourth letter of the first block, so `I`; `V` the second of the third, so `C`."""
    assert lengthen("001A0000006Vm9u") == "001A0000006Vm9uIAC"


def test_every_block_has_its_own_letter():
    """No capital is `A`, all five are `5`."""
    assert lengthen("000000000000000") == "000000000000000AAA"
    assert lengthen("ABCDEaaaaaAaaaa") == "ABCDEaaaaaAaaaa5AB"


@given(st.text(LETTERS, min_size=15, max_size=15))
def test_capitals_that_were_lost_are_put_back(short):
    """18 characters in any case are one id; lengthening twice is lengthening once."""
    whole = lengthen(short)
    assert whole[:15] == short
    assert lengthen(whole) == lengthen(whole.upper()) == lengthen(whole.lower()) == whole


@pytest.mark.parametrize("text", ["", "006", "006A0000006Vm9", "006A0000006Vm9uIA", "006A0000006Vm9-", "0" * 19])
def test_other_texts_are_no_ids(text):
    """They have neither length, or another character."""
    assert not is_id(text)
    with pytest.raises(ValueError, match="is not a Salesforce id"):
        lengthen(text)


def test_a_suffix_that_says_capital_of_a_digit_is_wrong():
    """An id with a typo is refused rather than taken for another one."""
    with pytest.raises(ValueError, match="do not fit"):
        lengthen("001A0000006Vm9u555")
