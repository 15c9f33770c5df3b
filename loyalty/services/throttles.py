"""Counters of attempts in SQL: an attempt is reserved before it is made, so parallel ones get exactly the limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import ColumnElement, Update, case, delete, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from loyalty.database import db, transaction
from loyalty.models.pins import PinThrottle

_row = PinThrottle.__table__.c


@dataclass(frozen=True, slots=True)
class Attempt:
    """A reserved attempt: the how-manieth it is, and until when no other may follow it."""

    number: int
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class Refused:
    """An attempt that may not be made before a time; it was not counted."""

    until: datetime


def network_of(source_ip: str | None) -> str:
    """Return what counts as one source: an address, or the /64 that one household or one thief has of IPv6."""
    try:
        address = ip_address(source_ip or "")
    except ValueError:
        # A proxy that was set up badly hands anything down: all of that is one source.
        return "unknown"
    return str(ip_network(f"{address}/64", strict=False) if isinstance(address, IPv6Address) else address)


def reserve_waiting(
    *, source: str, subject: str, waits: Sequence[timedelta | None], memory: timedelta, at: datetime
) -> Attempt | Refused:
    """Count an attempt of which the n-th costs the n-th wait (the last one for all that follow), unless one runs.

    Being refused extends no wait; the count begins anew when its first attempt is older than `memory`.
    """
    number = _next_number(memory, at)
    begun = _begin(source, subject, at).values(locked_until=_after(waits[0], at))
    counted = begun.on_conflict_do_update(
        index_elements=["source", "subject"],
        set_=_one_more(memory, at) | {"locked_until": _nth_wait(number, waits, at)},
        where=or_(_row.locked_until.is_(None), _row.locked_until <= at),
    ).returning(_row.failed_attempts, _row.locked_until)
    reserved = db.session.execute(counted).one_or_none()
    if reserved is not None:
        return Attempt(reserved.failed_attempts, reserved.locked_until)
    ends = select(_row.locked_until).where(_row.source == source, _row.subject == subject)
    return Refused(db.session.execute(ends).scalar_one_or_none() or at)


def reserve_within(*, source: str, subject: str, limit: int, window: timedelta, at: datetime) -> Attempt | Refused:
    """Count an attempt of which `limit` may be made in a window that begins with the first of them."""
    counted = (
        _begin(source, subject, at)
        .on_conflict_do_update(
            index_elements=["source", "subject"],
            set_=_one_more(window, at),
            where=or_(_row.window_started_at <= at - window, _row.failed_attempts < limit),
        )
        .returning(_row.failed_attempts)
    )
    number = db.session.execute(counted).scalar_one_or_none()
    if number is not None:
        return Attempt(number, None)
    began = select(_row.window_started_at).where(_row.source == source, _row.subject == subject)
    return Refused((db.session.execute(began).scalar_one_or_none() or at) + window)


def give_back(*, source: str, subject: str) -> None:
    """Take one attempt back, because it was right; the wrong ones of before stay counted."""
    fewer = func.greatest(_row.failed_attempts - 1, 0)
    db.session.execute(_update(source, subject).values(failed_attempts=fewer))


def reset(*, source: str, subject: str) -> None:
    """Forget all attempts of a source with a subject."""
    db.session.execute(delete(PinThrottle).where(_row.source == source, _row.subject == subject))


def forget_old(*, at: datetime, memory: timedelta) -> None:
    """Delete counters that count nothing any more: they name addresses of people."""
    idle = or_(_row.locked_until.is_(None), _row.locked_until <= at)
    with transaction():
        db.session.execute(delete(PinThrottle).where(_row.window_started_at <= at - memory, idle))


def _begin(source: str, subject: str, at: datetime) -> Insert:
    return insert(PinThrottle).values(source=source, subject=subject, failed_attempts=1, window_started_at=at)


def _update(source: str, subject: str) -> Update:
    return update(PinThrottle).where(_row.source == source, _row.subject == subject)


def _one_more(memory: timedelta, at: datetime) -> dict[str, object]:
    return {
        "failed_attempts": _next_number(memory, at),
        "window_started_at": case((_row.window_started_at <= at - memory, at), else_=_row.window_started_at),
        "updated_at": at,
    }


def _next_number(memory: timedelta, at: datetime) -> ColumnElement[int]:
    return case((_row.window_started_at <= at - memory, 1), else_=_row.failed_attempts + 1)


def _nth_wait(number: ColumnElement[int], waits: Sequence[timedelta | None], at: datetime) -> ColumnElement[datetime]:
    """Say until when the next attempt waits, as an expression over the number of this one."""
    steps = [(number == place, _after(wait, at)) for place, wait in enumerate(waits[:-1], start=1)]
    return case(*steps, else_=_after(waits[-1], at))


def _after(wait: timedelta | None, at: datetime) -> object:
    return null() if wait is None else at + wait
