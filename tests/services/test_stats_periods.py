"""Periods of statistics: which days are shown, and what is no period."""

from datetime import UTC, date, datetime

import pytest

from loyalty.errors import ValidationError
from loyalty.services import (
    stats,
    stats_customers,
    stats_periods,
    stats_revenue,
)
from loyalty.services.stats_figures import Figure, Totals
from tests.services.stats_bakery import AT, Bakery, open_bakery

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def bakery() -> Bakery:
    return open_bakery()


def test_it_compares_a_period_with_the_one_before(bakery: Bakery) -> None:
    seen = stats.overview(actor=bakery.shop.ada, period=bakery.june())
    assert seen.totals == Totals(
        transactions=5,
        visits=3,
        cards_created=1,
        stamps_earned=3,
        points_earned=100,
        points_redeemed=50,
        redemptions=1,
        purchases=1,
        revenue_cents=1000,
    )
    assert seen.before == Totals(transactions=2, visits=1, cards_created=1, stamps_earned=1)
    assert seen.figure("visits") == Figure(3, 1)
    assert seen.figure("visits").percent == 200
    assert seen.figure("revenue_cents").percent is None
    assert (len(seen.trend), len(seen.trend_before)) == (30, 30)
    assert seen.trend[date(2026, 6, 3)].points_earned == 100
    assert seen.trend[date(2026, 6, 4)] == Totals()
    assert seen.trend_before[date(2026, 5, 10)].visits == 1


def test_it_shows_thirty_days_up_to_today_unless_asked_otherwise(bakery: Bakery) -> None:
    late_evening = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    period = stats_periods.choose(actor=bakery.shop.ada, at=late_evening)
    # In Luxembourg it is July already.
    assert (period.first, period.last, period.days) == (date(2026, 6, 2), date(2026, 7, 1), 30)
    assert period.before == (date(2026, 5, 3), date(2026, 6, 1))
    ahead = stats_periods.choose(actor=bakery.shop.ada, first=date(2026, 6, 30), last=date(2999, 1, 1), at=AT)
    assert ahead.last == date(2026, 6, 30)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2026, 6, 2), date(2026, 6, 1), "first"),
        (date(2026, 7, 1), None, "first"),
        (date(2023, 1, 1), date(2026, 1, 1), "first"),
        (date.min, None, "first"),
        (None, date.min, "last"),
    ],
)
def test_it_refuses_days_that_make_no_period(bakery: Bakery, first: date | None, last: date | None, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        stats_periods.choose(actor=bakery.shop.ada, first=first, last=last, at=AT)
    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize("months", [0, 25, -1])
def test_it_refuses_months_that_no_page_shows(bakery: Bakery, months: int) -> None:
    for ask in (stats_customers.cohorts, stats_revenue.by_month):
        with pytest.raises(ValidationError):
            ask(actor=bakery.shop.ada, months=months, at=AT)


@pytest.mark.parametrize(
    ("value", "before", "percent"), [(3, 2, 50), (1, 3, -67), (2, 3, -33), (0, 9, -100), (5, 0, None), (4, 4, 0)]
)
def test_it_rounds_a_change_to_whole_per_cent(value: int, before: int, percent: int | None) -> None:
    assert Figure(value, before).percent == percent
