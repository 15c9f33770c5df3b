"""The stamp grid: even rows, the reward last, a bar when there are too many."""

import pytest

from loyalty.domain.stamp_grid import stamp_grid

LAYOUTS = {1: (1, 1), 3: (3, 1), 5: (5, 1), 6: (3, 2), 7: (4, 2), 8: (4, 2), 9: (5, 2), 10: (5, 2), 11: (6, 2)}
LAYOUTS |= {12: (6, 2), 13: (5, 3), 15: (5, 3), 16: (6, 3), 18: (6, 3), 19: (5, 4), 20: (5, 4)}


@pytest.mark.parametrize(("target", "layout"), LAYOUTS.items())
def test_it_lays_out_every_goal(target: int, layout: tuple[int, int]) -> None:
    grid = stamp_grid(target, 0)
    assert (grid.columns, grid.rows) == layout
    assert len(grid.slots) == target


@pytest.mark.parametrize("target", range(1, 21))
def test_it_takes_at_most_two_rows_in_a_strip(target: int) -> None:
    assert stamp_grid(target, 0, strip=True).rows <= 2


def test_it_draws_a_bar_above_twenty() -> None:
    assert stamp_grid(21, 3).is_bar


def test_it_fills_the_stamps_that_are_there_and_marks_the_new_ones() -> None:
    grid = stamp_grid(5, 3, new_stamps=2)
    assert [slot.filled for slot in grid.slots] == [True, True, True, False, False]
    assert [slot.is_new for slot in grid.slots] == [False, True, True, False, False]
    assert [slot.is_reward for slot in grid.slots] == [False, False, False, False, True]


def test_it_is_full_when_the_card_has_more_than_the_goal() -> None:
    assert all(slot.filled for slot in stamp_grid(5, 7).slots)
