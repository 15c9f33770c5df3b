"""A shop's own words: names in braces, and nothing else that means anything."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain import wording
from loyalty.domain.mails import OF_CUSTOMERS
from loyalty.domain.wording import PLACEHOLDERS, fill, find_problems, paragraphs, tidy

KINDS = sorted(PLACEHOLDERS)


def problem(body: str, kind: str = "points_expiring") -> str:
    found = find_problems(kind=kind, subject="Hello", body=body)
    return str(found["body"]) if found else ""


def test_it_knows_the_names_of_every_mail_to_customers() -> None:
    assert set(PLACEHOLDERS) == set(OF_CUSTOMERS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_takes_every_name_that_it_offers(kind: str) -> None:
    assert problem(" ".join(f"{{{name}}}" for name in PLACEHOLDERS[kind]), kind) == ""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Write something here."),
        ("x" * 4001, "Use at most 4000 characters."),
        ("Hello {name}", "“{name}” is not a name"),
        ("Hello {reward}", "“{reward}” is not a name"),
        ("Hello {}", "“{}” is not a name"),
        ("Hello { shop }", "“{ shop }” is not a name"),
        ("Hello {{shop}}", "A brace stands alone"),
        ("Hello {shop", "A brace stands alone"),
        ("Hello shop}", "A brace stands alone"),
        ("{% if 1 %}", "“{% if 1 %}” is not a name"),
        ("{shop.__class__}", "“{shop.__class__}” is not a name"),
        ("{shop!r:>9}", "is not a name"),
        ("{points\n}", "A brace stands alone"),
    ],
)
def test_it_says_what_is_wrong(body: str, said: str) -> None:
    assert said in problem(body)


def test_it_names_the_field_that_is_wrong() -> None:
    assert set(find_problems(kind="birthday", subject="{x}", body="Hello")) == {"subject"}
    assert set(find_problems(kind="birthday", subject="x" * 121, body="{")) == {"subject", "body"}


def test_it_fills_each_name_once() -> None:
    assert fill("{shop}: {points} {points}", {"shop": "{points}", "points": "12"}) == "{points}: 12 12"


@given(st.text(max_size=200))
def test_it_leaves_one_line_of_a_subject(text: str) -> None:
    kept = tidy(text, lines=False)
    assert len(kept.splitlines()) <= 1
    assert kept.isprintable()


@given(st.text(max_size=200))
def test_it_keeps_lines_of_a_body_and_nothing_that_cannot_be_printed(text: str) -> None:
    kept = tidy(text, lines=True)
    assert all(letter.isprintable() or unicodedata.category(letter) == "Zs" for letter in kept.replace("\n", ""))
    assert tidy(kept, lines=True) == kept
    assert "\n\n\n" not in kept


def test_it_keeps_the_spaces_of_french_in_a_body() -> None:
    body = "Est-ce vous\u202f?\n12\u00a0points"
    assert tidy(body, lines=True) == body
    assert tidy("a\u2028b\x00c\u200bd", lines=True) == "a b c d"


def test_it_finds_paragraphs_and_their_lines() -> None:
    assert paragraphs("a\nb\n\nc") == [["a", "b"], ["c"]]
    assert wording.paragraphs("") == []
