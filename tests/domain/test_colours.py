"""Colours: always readable, never half right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.colours import contrast, fg, normalise_colour

COLOURS = st.integers(min_value=0, max_value=0xFFFFFF).map(lambda number: f"#{number:06X}")


@given(COLOURS)
def test_it_is_readable_on_every_colour(colour: str) -> None:
    assert contrast(colour, fg(colour)) >= 4.58


def test_it_is_readable_on_the_worst_colour() -> None:
    assert round(contrast("#4B7D87", fg("#4B7D87")), 2) == 4.58


@pytest.mark.parametrize(("text", "colour"), [("4f46e5", "#4F46E5"), (" #FFFFFF ", "#FFFFFF")])
def test_it_understands_a_colour(text: str, colour: str) -> None:
    assert normalise_colour(text) == colour


@pytest.mark.parametrize(
    "text", ["", "red", "#FFF", "#12345", "#1234567", "#GGGGGG", "#12345\n6", "\u0661\u0662\u0663456"]
)
def test_it_refuses_what_is_no_colour(text: str) -> None:
    with pytest.raises(ValueError, match="six hexadecimal digits"):
        normalise_colour(text)
