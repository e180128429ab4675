"""The shape of ids."""

import pytest

from connector.sandbox.salesforce import ids


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001000000000000", "001000000000000AAA"),
        ("012000000000000", "012000000000000AAA"),
        ("00D3h000007R1Lp", "00D3h000007R1LpEAK"),
        ("ABCDEabcde12345", "ABCDEabcde123455AA"),
    ],
)
def test_checksum(short, long):
    """The three added characters tell which letters are upper case."""
    assert ids.lengthen(short) == long
    assert ids.normalise(short) == long
    assert ids.normalise(long) == long


@pytest.mark.parametrize("text", ["", "001", "001000000000000AAB", "001-00000000000", "0010000000000000AAA"])
def test_not_an_id(text):
    """Wrong lengths, characters and checksums are no ids."""
    assert ids.normalise(text) is None


def test_growing():
    """A later number makes a greater id, across carries too."""
    made = [ids.make("006", "abc", number) for number in (1, 9, 10, 35, 36, 61, 62, 3843, 3844, 10**9)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(len(each) == 18 and each.startswith("006abc") for each in made)
