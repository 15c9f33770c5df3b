"""The ledger's clock, moved for a test and put back after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from loyalty import database

# For tests that move the clock by minutes: run at any hour, they must not cross midnight.
NOON = datetime(2027, 1, 14, 11, tzinfo=UTC)


@contextmanager
def clock_moved(by: timedelta) -> Iterator[None]:
    """Let the ledger's clock run ahead by so much."""
    before = database.clock_offset()
    database.configure(clock_offset=before + by)
    try:
        yield
    finally:
        database.configure(clock_offset=before)


@contextmanager
def clock_at(moment: datetime) -> Iterator[None]:
    """Let the ledger's clock run on from a moment."""
    with clock_moved(moment - datetime.now(UTC) - database.clock_offset()):
        yield
