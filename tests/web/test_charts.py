"""The geometry of charts."""

import pytest

from loyalty.web import charts


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0, (4, 3, 2, 1, 0)),
        (4, (4, 3, 2, 1, 0)),
        (4.1, (8, 6, 4, 2, 0)),
        (20, (20, 15, 10, 5, 0)),
        (81, (200, 150, 100, 50, 0)),
        (9_000_000, (20_000_000, 15_000_000, 10_000_000, 5_000_000, 0)),
    ],
)
def test_it_puts_round_numbers_beside_the_lines(most: float, ticks: tuple[int, ...]) -> None:
    assert charts.ticks(most) == ticks


def test_it_draws_values_from_left_to_right_with_zero_at_the_bottom() -> None:
    assert charts.line([0, 1, 4], 4) == "M0 200L500 150L1000 0"
    assert charts.line([3], 4) == "M0 50H1000"


@pytest.mark.parametrize(
    ("value", "shade"), [(-1, 0), (0, 0), (1, 1), (25, 1), (26, 2), (50, 2), (75, 3), (76, 4), (100, 4), (120, 4)]
)
def test_it_shades_what_is_more_darker(value: int, shade: int) -> None:
    assert charts.shade(value, 100) == shade


def test_it_shades_nothing_where_there_is_nothing() -> None:
    assert charts.shade(0, 0) == 0
