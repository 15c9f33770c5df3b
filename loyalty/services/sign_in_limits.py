"""How often a password may be tried: per address and per source, with growing waits and never for good."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from sqlalchemy import ColumnElement, case, delete, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import db, transaction
from loyalty.errors import RateLimited
from loyalty.models.pins import PinThrottle

# Failures that cost nothing, then a wait after each; about 45 tries a day at one person's account.
FREE_PER_ADDRESS: Final = 5
FREE_PER_SOURCE: Final = 10
WAITS: Final = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=40))
MEMORY: Final = timedelta(hours=24)


def reserve(*, address: str, source_ip: str | None, at: datetime) -> None:
    """Count a try before it is made; raise RateLimited with the time while a wait runs, which extends nothing."""
    with transaction():
        for source, subject, free in _counters(address, source_ip):
            _reserve(source, subject, free, at)


def forgive(*, address: str, source_ip: str | None) -> None:
    """Forget the failures of an address after a right password, and take this one try back from the source."""
    with transaction():
        for source, subject, _free in _counters(address, source_ip):
            this = (PinThrottle.source == source) & (PinThrottle.subject == subject)
            if subject == "*":
                # The rest of the source's failures stay: a thief with an account of his own gains nothing by it.
                fewer = func.greatest(PinThrottle.failed_attempts - 1, 0)
                db.session.execute(update(PinThrottle).where(this).values(failed_attempts=fewer, locked_until=None))
            else:
                db.session.execute(delete(PinThrottle).where(this))


def _counters(address: str, source_ip: str | None) -> Iterator[tuple[str, str, int]]:
    """Yield source, subject and free failures, always in this order, so that two tries never wait for each other."""
    if source_ip:
        yield f"sign-in:{_network(source_ip)}", "*", FREE_PER_SOURCE
    yield "sign-in", hashlib.sha256(address.encode(errors="replace")).hexdigest(), FREE_PER_ADDRESS


def _network(source_ip: str) -> str:
    address = ip_address(source_ip)
    # One household or one thief has a whole /64 of IPv6.
    if isinstance(address, IPv6Address):
        return str(ip_network(f"{address}/64", strict=False))
    return str(address)


def _reserve(source: str, subject: str, free: int, at: datetime) -> None:
    row = PinThrottle.__table__.c
    tries = case((row.window_started_at <= at - MEMORY, 1), else_=row.failed_attempts + 1)
    begun = insert(PinThrottle).values(source=source, subject=subject, failed_attempts=1, window_started_at=at)
    counted = begun.on_conflict_do_update(
        index_elements=["source", "subject"],
        set_={
            "failed_attempts": tries,
            "locked_until": _locked_until(tries - free, at),
            "window_started_at": case((row.window_started_at <= at - MEMORY, at), else_=row.window_started_at),
            "updated_at": at,
        },
        where=or_(row.locked_until.is_(None), row.locked_until <= at),
    ).returning(row.failed_attempts)
    if db.session.execute(counted).one_or_none() is None:
        ends = select(PinThrottle.locked_until).where(PinThrottle.source == source, PinThrottle.subject == subject)
        raise RateLimited(retry_at=db.session.scalar(ends))


def _locked_until(waits: ColumnElement[int], at: datetime) -> ColumnElement[datetime]:
    """Say until when nobody may try again, as an expression over how many waits there were before."""
    steps = [(waits == number, at + wait) for number, wait in enumerate(WAITS[:-1])]
    return case(*steps, (waits < 0, null()), else_=at + WAITS[-1])
