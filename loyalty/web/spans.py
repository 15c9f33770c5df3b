"""The days and months that a page of statistics is asked for in its address."""

from datetime import date, timedelta
from typing import Final

from flask import request

PRESETS: Final = (7, 30, 90, 365)
MOST_MONTHS: Final = 24


def first_of_last_days(today: date) -> date | None:
    """Return the first of the last days that a link asks for; None where it asks for none that are offered."""
    days = request.args.get("days", "")
    return today - timedelta(days=int(days) - 1) if days in map(str, PRESETS) else None


def asked_months(usual: int) -> int:
    """Read how many months are asked for."""
    asked = request.args.get("months", "")
    is_number = asked.isascii() and asked.isdigit() and len(asked) < 8
    return min(max(int(asked), 1), MOST_MONTHS) if is_number else usual
