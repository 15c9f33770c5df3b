"""People's addresses have one form each, and a name at the counter says no more than it must."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.people import AddressError, masked_name, normalise_email, normalise_phone


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (" Cleo@Example.ORG ", "cleo@example.org"),
        ("cleo+card@example.org", "cleo+card@example.org"),
        ("cleo@b\u00e4ckerei.example.org", "cleo@xn--bckerei-5wa.example.org"),
    ],
)
def test_it_stores_an_email_address_in_one_form(text: str, stored: str) -> None:
    assert normalise_email(text) == stored


@pytest.mark.parametrize(
    "text",
    ["", "cleo", "cleo@", "@example.org", "a b@example.org", "x" * 300 + "@example.org", "x" * 65 + "@example.org"],
)
def test_it_says_what_an_email_address_looks_like(text: str) -> None:
    with pytest.raises(AddressError, match=r"^Enter an e-mail address, such as cleo@example\.org\.$"):
        normalise_email(text)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("621 123 456", "+352621123456"),
        ("00352621123456", "+352621123456"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("06 12 34 56 78", "+33612345678"),
        ("+49 1512 3456789", "+4915123456789"),
        ("+32 470 12 34 56", "+32470123456"),
    ],
)
def test_it_reads_the_phone_numbers_of_the_neighbours(text: str, stored: str) -> None:
    assert normalise_phone(text, "LU") == stored


def test_it_tries_the_country_of_the_store_first() -> None:
    assert normalise_phone("0470 12 34 56", "be") == "+32470123456"
    assert normalise_phone("0470 12 34 56", "FR") == "+33470123456"


@pytest.mark.parametrize("text", ["", "Cleo", "12", "+352 1", "9" * 1000])
def test_it_says_what_a_phone_number_looks_like(text: str) -> None:
    with pytest.raises(AddressError, match="Enter a phone number"):
        normalise_phone(text, "LU")


@given(st.text(max_size=60))
def test_it_refuses_or_reads_any_text(text: str) -> None:
    for read in (normalise_email, lambda typed: normalise_phone(typed, "LU")):
        with contextlib.suppress(AddressError):
            stored = read(text)
            assert read(stored) == stored


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Cleo Martin", "Cleo M."), ("Cleo", "Cleo"), ("", ""), ("  Ana  Maria de Souza ", "Ana S.")],
)
def test_it_shows_just_enough_of_a_name(name: str, shown: str) -> None:
    assert masked_name(name) == shown
