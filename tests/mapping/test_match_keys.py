"""What of a website, a name or an e-mail tells records apart (A2, A3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping.match_keys import LONGEST, read_domain, read_emails, read_name, registered_domain


@pytest.mark.parametrize(
    ("website", "domain"),
    [
        ("acme.com", "acme.com"),
        ("https://www.ACME.com/about?x=1#y", "acme.com"),
        ("http://user@shop.acme.co.uk:8080", "acme.co.uk"),
        ("a.b.c.acme.de.", "acme.de"),
        ("acme.github.io", "acme.github.io"),
        ("www.city.kawasaki.jp", "city.kawasaki.jp"),
        ("shop.acme.other.kawasaki.jp", "acme.other.kawasaki.jp"),
        ("müller.de", "xn--mller-kva.de"),
        ("XN--MLLER-KVA.de", "xn--mller-kva.de"),
        ("acme.nosuchending", "acme.nosuchending"),
    ],
)
def test_A2_the_registered_domain_of_a_website(website, domain):
    """Scheme, `www.`, path, port, capitals and subdomains do not count; suffixes of several labels do."""
    assert read_domain(website) == (domain,)


@pytest.mark.parametrize(
    "website",
    [
        None, "", "   ", "localhost", "co.uk", "https://github.io/acme", "192.168.0.1", "[::1]", "..", "a..b",
        "gmail.com", "mail.gmail.com", "www.facebook.com/acme", "de-de.linkedin.com/company/acme", "yahoo.co.uk",
        "c" * LONGEST + ".com", "a\0b.example",
    ],
)  # fmt: skip
def test_A2_what_is_no_companys_own_is_no_domain(website):
    """Blanks, hosts without a dot, suffixes, addresses, free mail and social networks."""
    assert read_domain(website) == ()


@pytest.mark.parametrize(
    ("value", "name"),
    [("  Acme \t Inc. ", "acme inc."), ("STRASSE & Söhne", "strasse & söhne"), ("Straße", "strasse")],
)
def test_A2_a_name_is_compared_without_spaces_and_capitals(value, name):
    """And with everything else."""
    assert read_name(value) == (name,)


@pytest.mark.parametrize("value", [None, "", "  ", "x" * (LONGEST + 1), "ß" * LONGEST, "a\0b"])
def test_A2_no_name_is_no_key(value):
    """Nor is one that no CRM has."""
    assert read_name(value) == ()


def test_A3_every_address_counts_case_folded():
    """HubSpot lists further ones with semicolons."""
    assert read_emails(" Ada@X.com; ada@HOME.example ;;") == ("ada@x.com", "ada@home.example")
    assert read_emails(None) == read_emails(" ; ") == read_emails("a" * (LONGEST + 1)) == ()
    assert read_emails("ß" * LONGEST + ";a\0@b.example") == ()


@given(st.text(max_size=30) | st.from_regex(r"[a-z.-]{1,20}\.(com|co\.uk|de|ck)", fullmatch=True))
def test_A2_any_text_is_read(text):
    """Twice is as good as once, and what is read ends the host it was read from."""
    for domain in read_domain(text):
        assert read_domain(domain) == (domain,)
        assert registered_domain(domain) == domain
    for name in read_name(text):
        assert read_name(name) == (name,)
