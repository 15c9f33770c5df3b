"""Closing a program: how long it is announced ahead, and what still works meanwhile."""

from datetime import date, timedelta
from typing import Final

LEAST_NOTICE: Final = timedelta(days=14)
USUAL_NOTICE: Final = timedelta(days=60)
MOST_NOTICE: Final = timedelta(days=730)


def is_over(closes_on: date | None, today: date) -> bool:
    """Whether the last day for redeeming has passed, on the shop's calendar."""
    return closes_on is not None and today > closes_on
