"""Secrets are found in every form and at every place of a text, and taken out; nothing else is."""

from __future__ import annotations

import base64
import gc
import html
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.secrecy import HIDDEN, SHORTEST, Secrets, redact_everything

secrets = st.text(st.characters(codec="utf-8"), min_size=8, max_size=30).filter(lambda text: len(set(text)) > 4)
FORMS = {
    "plain": str,
    "in a path": lambda text: quote(text, safe=""),
    "in a form": lambda text: urlencode({"password": text}),
    "in a query": quote_plus,
    "in JSON": json.dumps,
    "in JSON of others": lambda text: json.dumps(text, ensure_ascii=False),
    "in XML": html.escape,
    "as Python has it": repr,
}


@pytest.mark.parametrize("form", FORMS)
@given(secret=secrets, before=st.text(max_size=5), after=st.text(max_size=5))
def test_a_secret_is_taken_out_in_every_form(form, secret, before, after):
    """Whatever stands around it."""
    shown = FORMS[form](secret)
    cleaned = Secrets(secret).redact(f"{before}{shown}{after}")
    assert shown not in cleaned
    assert HIDDEN in cleaned


@given(secret=secrets, before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_a_secret_is_taken_out_of_base64_wherever_it_begins(secret, before, after):
    """As in the header of a sign-in, where key and secret share one text."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(before + secret.encode() + after).decode()
        cleaned = Secrets(secret).redact(whole)
        assert HIDDEN in cleaned
        kept = sum(len(part) for part in cleaned.split(HIDDEN))
        assert kept <= 4 * ((len(before) + len(after)) // 3 + 4)


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_what_is_no_secret_stays(text):
    """A text without any of them is the same text."""
    assert Secrets("canary-0123456789").redact(text) == text


def test_what_is_too_short_to_be_one_is_not_looked_for():
    """A password of one letter would blot out every message."""
    assert Secrets("", "a", "a" * (SHORTEST - 1)).redact("aaa banana") == "aaa banana"


def test_secrets_that_contain_one_another_are_taken_out_whole():
    """The longer first."""
    assert Secrets("canary", "canary-two").redact("canary-two canary") == f"{HIDDEN} {HIDDEN}"


def test_texts_of_json_are_cleaned_and_nothing_else():
    """Keys and values, at any depth; numbers, truths and blanks stay what they are."""
    given = {"a": ["canary-1", 7, None, True, {"canary-1": "x canary-1"}]}
    assert Secrets("canary-1").redact_all(given) == {"a": [HIDDEN, 7, None, True, {HIDDEN: f"x {HIDDEN}"}]}


def test_secrets_do_not_show_themselves():
    """Their number is all that is told of them."""
    assert repr(Secrets("canary-1", "canary-2")) == "Secrets(2)"


def test_everything_is_all_that_is_still_held():
    """What nobody holds any more is forgotten."""
    one, other = Secrets("canary-one"), Secrets("canary-other")
    assert redact_everything("canary-one canary-other") == f"{HIDDEN} {HIDDEN}"
    del other
    gc.collect()
    assert redact_everything("canary-one canary-other") == f"{HIDDEN} canary-other"
    assert one.redact("canary-one") == HIDDEN
