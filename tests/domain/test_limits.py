"""Pauses, days and waits, also over the two nights that are not 24 hours apart."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain import limits
from loyalty.errors import DailyStampLimit, StampCooldown

LUXEMBOURG = "Europe/Luxembourg"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ZONES = [
    LUXEMBOURG,
    "UTC",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Atlantic/Azores",
]


@pytest.mark.parametrize(
    ("day", "begins", "ends", "hours"),
    [
        (date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC), 23),
        (date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC), 25),
        (date(2026, 11, 20), datetime(2026, 11, 19, 23, tzinfo=UTC), datetime(2026, 11, 20, 23, tzinfo=UTC), 24),
    ],
)
def test_it_knows_where_a_day_begins_and_ends(day: date, begins: datetime, ends: datetime, hours: int) -> None:
    assert ends - begins == timedelta(hours=hours)
    assert limits.local_day(begins - TICK, LUXEMBOURG) == day - timedelta(days=1)
    assert limits.local_day(begins, LUXEMBOURG) == limits.local_day(ends - TICK, LUXEMBOURG) == day
    assert limits.local_day(ends, LUXEMBOURG) == day + timedelta(days=1)
    assert limits.next_midnight(begins - TICK, LUXEMBOURG) == begins
    assert limits.next_midnight(begins, LUXEMBOURG) == limits.next_midnight(ends - TICK, LUXEMBOURG) == ends


@given(st.integers(0, 15 * 365 * 24 * 60), st.sampled_from(ZONES))
def test_it_ends_the_day_at_the_moment_the_next_one_begins(minutes: int, zone: str) -> None:
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    midnight = limits.next_midnight(now, zone)
    today = limits.local_day(now, zone)
    assert midnight > now
    assert midnight.tzinfo is UTC
    assert limits.local_day(midnight, zone) == today + timedelta(days=1)
    assert limits.local_day(midnight - TICK, zone) == today


def test_it_counts_the_stamps_of_today_alone() -> None:
    assert limits.stamps_today(date(2026, 11, 20), 3, date(2026, 11, 20)) == 3
    assert limits.stamps_today(date(2026, 11, 19), 3, date(2026, 11, 20)) == 0
    assert limits.stamps_today(None, 0, date(2026, 11, 20)) == 0


def check(*, now: datetime = NOON, quantity: int = 1, last: datetime | None = None, today: int = 0) -> None:
    limits.check_stamp(
        now=now, quantity=quantity, last_stamp_at=last, cooldown_minutes=15, stamps_today=today, max_daily_stamps=5
    )


def test_it_refuses_a_stamp_until_the_pause_is_over() -> None:
    ends = NOON + timedelta(minutes=15)
    with pytest.raises(StampCooldown) as refusal:
        check(now=ends - TICK, last=NOON)
    assert refusal.value.cooldown_ends_at == ends
    assert refusal.value.last_stamp_at == NOON
    check(now=ends, last=NOON)
    check(now=NOON, last=None)


def test_it_has_no_pause_where_the_program_sets_none() -> None:
    assert limits.cooldown_ends(NOON, 0) is None
    assert limits.cooldown_ends(None, 15) is None


def test_it_refuses_more_stamps_than_the_day_has_room_for() -> None:
    check(quantity=2, today=3)
    with pytest.raises(DailyStampLimit) as refusal:
        check(quantity=2, today=4)
    assert refusal.value.stamps_today == 4
    assert refusal.value.max_daily_stamps == 5


def test_it_lets_the_wait_after_wrong_pins_grow() -> None:
    waits = [limits.pin_wait(failures, 5, 30) for failures in range(11)]
    free, grown = waits[:5], waits[5:]
    assert free == [None] * 5
    assert grown == [timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10)] + [timedelta(minutes=30)] * 3
