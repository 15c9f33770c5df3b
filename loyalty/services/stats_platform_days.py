"""Keeping the sums of all shops' days: what the platform's statistics read, where a thousand shops would be too many.

A shop's new sums and the mark that their day is due for the platform are written in one transaction; a day's marks
and its new sums here in another, in which the marks go first. So a mark set meanwhile stays, and nothing is missed.
"""

from collections.abc import Collection
from datetime import date
from typing import Final

from sqlalchemy import ARRAY, Date, delete, func, insert, literal, select, text

from loyalty.database import db, transaction
from loyalty.models.stats import DailyPlatformStats, DailyStats, StatsPlatformDue
from loyalty.models.vendors import Vendor
from loyalty.services.stats_figures import TOTALS, sums

# So many days are added up in one transaction: of a thousand shops, in a second.
_DAYS: Final = 60
_LOCK: Final = 7_203_451_002
_due: Final = StatsPlatformDue.local_day


def mark(*, days: Collection[date]) -> None:
    """Have some days of the platform added up again, in the caller's transaction."""
    marked = select(func.unnest(literal(list(days), ARRAY(Date))))
    db.session.execute(insert(StatsPlatformDue).from_select(["local_day"], marked, include_defaults=False))


def count_some() -> int:
    """Add up the latest days that are due; returns how many."""
    with transaction():
        # A second sweep leaves them to the first.
        if not db.session.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": _LOCK}).scalar_one():
            return 0
        db.session.execute(text("SET LOCAL statement_timeout = '60s'"))
        latest = select(_due).distinct().order_by(_due.desc()).limit(_DAYS)
        taken = delete(StatsPlatformDue).where(_due.in_(latest)).returning(_due)
        days = set(db.session.execute(taken).scalars())
        if days:
            _recount(days)
    return len(days)


def _recount(days: Collection[date]) -> None:
    db.session.execute(delete(DailyPlatformStats).where(DailyPlatformStats.local_day.in_(days)))
    query = (
        select(DailyStats.local_day, Vendor.currency, *sums())
        .join(Vendor, Vendor.id == DailyStats.vendor_id)
        .where(DailyStats.local_day.in_(days))
        .group_by(DailyStats.local_day, Vendor.currency)
    )
    columns = ["local_day", "currency", *TOTALS]
    db.session.execute(insert(DailyPlatformStats).from_select(columns, query, include_defaults=False))
