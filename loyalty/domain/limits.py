"""How often: the pause between stamps, the stamps of a day, the waits after wrong PINs."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from loyalty.errors import N_, DailyStampLimit, StampCooldown, ValidationError

PIN_WAITS = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
PIN_MEMORY = timedelta(hours=24)
PIN_FAILURES_PER_SOURCE = 30


def cooldown_ends(last_stamp_at: datetime | None, minutes: int) -> datetime | None:
    """Return when the next stamp is possible, or None where nothing has to be waited for."""
    if last_stamp_at is None or minutes <= 0:
        return None
    return last_stamp_at + timedelta(minutes=minutes)


def local_day(now: datetime, zone: str) -> date:
    """Return the calendar day in the zone."""
    return now.astimezone(ZoneInfo(zone)).date()


def next_midnight(now: datetime, zone: str) -> datetime:
    """Return the first moment, in UTC, of the calendar day after `now` in the zone."""
    # fold=0 is right both ways: a midnight that happens twice begins the day at its first time,
    # and one that the clock jumps over is, reckoned by the old offset, the moment of the jump.
    midnight = datetime.combine(local_day(now, zone) + timedelta(days=1), time(0), tzinfo=ZoneInfo(zone))
    return midnight.astimezone(UTC)


def stamps_today(stamps_day: date | None, stamps_on_day: int, today: date) -> int:
    """Return the stamps of today from the count that the card keeps for its last day."""
    return stamps_on_day if stamps_day == today else 0


def check_stamp(
    *,
    now: datetime,
    quantity: int,
    last_stamp_at: datetime | None,
    cooldown_minutes: int,
    stamps_today: int,
    max_daily_stamps: int,
) -> None:
    """Refuse stamps that come too soon after the last, or that the day has no room for."""
    ends = cooldown_ends(last_stamp_at, cooldown_minutes)
    if ends is not None and now < ends:
        raise StampCooldown(cooldown_ends_at=ends, last_stamp_at=last_stamp_at)
    if stamps_today + quantity > max_daily_stamps:
        raise DailyStampLimit(stamps_today=stamps_today, max_daily_stamps=max_daily_stamps)


def pin_wait(failed_attempts: int, free_attempts: int, lockout_minutes: int) -> timedelta | None:
    """Return the wait that the last of these failures in a row costs, or None while failures are free."""
    waits = failed_attempts - free_attempts
    if waits < 0:
        return None
    return PIN_WAITS[waits] if waits < len(PIN_WAITS) else timedelta(minutes=lockout_minutes)


def check_cost(*, seen: int | None, cost: int) -> None:
    """Refuse a reward whose cost is another one now than somebody saw; None where nobody was shown any."""
    if seen is not None and seen != cost:
        raise ValidationError(
            {"cost": N_("This reward costs something else now. Look at it again before you give it.")}
        )
