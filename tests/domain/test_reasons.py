"""What is said about why something was done by hand."""

import pytest

from loyalty.domain import reasons


@pytest.mark.parametrize("reason", ["x", "  Wrong card  ", "é" * 500, " " + "w" * 500 + "\n"])
def test_it_takes_what_says_why(reason: str) -> None:
    assert reasons.fault(reason) is None


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("", "Say why"), (" \n\t", "Say why"), ("w" * 501, "500 letters or fewer")],
    ids=["nothing", "spaces", "too much"],
)
def test_it_refuses_nothing_and_too_much(reason: str, sentence: str) -> None:
    assert sentence in (reasons.fault(reason) or "")
