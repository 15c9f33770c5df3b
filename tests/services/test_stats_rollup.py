"""Sums that follow the ledger: equal to a plain recount, whatever happens while they are made."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from loyalty import database
from loyalty.database import Base, db, transaction
from loyalty.services import stats_rollup
from tests.services.stats_life import Life
from tests.services.stats_recount import check

STEPS = {
    "stamp": 8,
    "earn": 8,
    "redeem": 3,
    "buy": 3,
    "void": 6,
    "adjust": 2,
    "enrol": 1,
    "switch": 1,
    "wait": 5,
    "move": 1,
    "roll_up": 4,
    "interrupt": 3,
    "hold": 2,
    "release": 2,
}
KINDS = [name for name, weight in STEPS.items() for _ in range(weight)]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NIGHTS = [date(2026, 3, 29), date(2026, 10, 25)]


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    yield
    database.configure(clock_offset=timedelta())


def roll_up() -> stats_rollup.RolledUp:
    return stats_rollup.roll_up(at=NOW)


def contents() -> dict[str, list[tuple[object, ...]]]:
    """All that was counted, without the numbers of rows."""
    names = ("daily_stats", "daily_visit_times", "daily_staff_stats", "card_stats")
    tables = {name: Base.metadata.tables[name] for name in names}
    columns = {name: [column for column in table.c if column.name != "id"] for name, table in tables.items()}
    with transaction():
        return {
            name: sorted((tuple(row) for row in db.session.execute(sa.select(*found))), key=repr)
            for name, found in columns.items()
        }


def test_it_equals_a_recount_whatever_happens(app: Flask, context: None) -> None:
    lives = 0

    @seed(8)
    @settings(max_examples=25, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(dice=st.integers(0, 2**32), steps=st.lists(st.sampled_from(KINDS), min_size=40, max_size=40))
    def live(dice: int, steps: list[str]) -> None:
        nonlocal lives
        lives += 1
        life = Life(app, dice, f"shop{lives}")
        try:
            for step in steps:
                life.step(step)
        finally:
            life.finish()
        roll_up()
        plain = check(life.vendor_ids)
        assert plain.daily
        before = contents()
        stats_rollup.start_over()
        roll_up()
        assert contents() == before

    live()
    assert roll_up() == stats_rollup.RolledUp(cards=0, days=0, left=0)
