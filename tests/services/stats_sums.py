"""Counting what has happened at a shop, and reading what was counted."""

from datetime import UTC, date, datetime

import sqlalchemy as sa

from loyalty.database import db
from loyalty.models.stats import DailyStats
from loyalty.services import stats_rollup
from tests.factories import Shop

NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)


def roll_up() -> stats_rollup.RolledUp:
    return stats_rollup.roll_up(at=NOW)


def days_of(shop: Shop) -> dict[date, DailyStats]:
    """What was counted for the shop's only store, by day."""
    db.session.rollback()
    mine = sa.select(DailyStats).where(DailyStats.vendor_id == shop.vendor_id, DailyStats.store_id == shop.store_id)
    return {row.local_day: row for row in db.session.scalars(mine)}
