"""Amounts are read as people write them, and points are counted in integers alone."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.bounds import PURCHASE
from loyalty.domain.earning import AmountError, crossed_multiples, parse_amount, points_for


def test_it_gives_29_points_for_58_cents_at_50_a_euro() -> None:
    assert points_for(58, 50, 2) == 29


@given(st.integers(0, PURCHASE), st.integers(0, 10_000), st.integers(0, 3))
def test_it_rounds_points_down_exactly(amount: int, rate: int, digits: int) -> None:
    points = points_for(amount, rate, digits)
    assert type(points) is int
    assert points * 10**digits <= amount * rate < (points + 1) * 10**digits


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("12,5", 1250),
        ("12.50", 1250),
        ("12", 1200),
        ("12,", 1200),
        (",5", 50),
        ("0,58", 58),
        ("0012", 1200),
        ("1 234,50", 123450),
        ("1\u202f234,50", 123450),
        ("1.234,50", 123450),
        ("1,234.50", 123450),
        ("1'234.50", 123450),
        ("1\u2019234,5", 123450),
        ("1.234.567", 123456700),
        ("1 234", 123400),
        (" 12,50 \u20ac ", 1250),
        ("10000000", PURCHASE),
    ],
)
def test_it_reads_an_amount_as_people_write_it(text: str, minor: int) -> None:
    assert parse_amount(text, 2) == minor


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Enter the amount of the purchase."),
        ("0", "Enter an amount above zero."),
        ("0,00", "Enter an amount above zero."),
        ("-1", "Enter an amount above zero, without a minus."),
        ("\u22121", "Enter an amount above zero, without a minus."),
        ("12,345", "Write at most 2 digits after the comma."),
        ("1.234", "Write at most 2 digits after the comma."),
        ("1,234,50", "Write at most 2 digits after the comma."),
        ("1.234,567", "Write at most 2 digits after the comma."),
        ("abc", "Write the amount in digits, such as 12,50."),
        ("1e5", "Write the amount in digits, such as 12,50."),
        (".", "Write the amount in digits, such as 12,50."),
        ("1 23", "Write the amount in digits, such as 12,50."),
        ("\u0663", "Write the amount in digits, such as 12,50."),
        ("10000000,01", "This amount is too large."),
        ("9" * 100_000, "This amount is too large."),
    ],
)
def test_it_says_what_is_wrong_with_an_amount(text: str, sentence: str) -> None:
    with pytest.raises(AmountError, match="^" + sentence.replace(".", r"\.") + "$"):
        parse_amount(text, 2)


def test_it_follows_the_digits_of_the_currency() -> None:
    assert parse_amount("1.234", 0) == 1234
    assert parse_amount("1.234", 3) == 1234
    assert parse_amount("1,5", 3) == 1500
    with pytest.raises(AmountError, match="without a comma"):
        parse_amount("12,5", 0)


@given(st.integers(1, PURCHASE), st.sampled_from([",", "."]), st.sampled_from(["", " ", "'"]))
def test_it_reads_back_every_amount_it_could_be_shown(minor: int, mark: str, group: str) -> None:
    shown = f"{minor // 100:,}".replace(",", group) + f"{mark}{minor % 100:02d}"
    assert parse_amount(shown, 2) == minor


@given(st.text(max_size=30), st.integers(0, 3))
def test_it_reads_any_text_or_refuses_it(text: str, digits: int) -> None:
    with contextlib.suppress(AmountError):
        assert 0 < parse_amount(text, digits) <= PURCHASE


def test_it_counts_a_crossing_once_and_not_at_every_stamp_above() -> None:
    counts = [crossed_multiples(before, before + 1, 10) for before in range(25)]
    assert [before for before, crossed in enumerate(counts) if crossed] == [9, 19]
    assert crossed_multiples(8, 31, 10) == 3
    assert crossed_multiples(12, 2, 10) == 0
