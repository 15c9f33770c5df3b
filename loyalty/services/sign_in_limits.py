"""How often a password may be tried: per address and per source, with growing waits and never for good."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from loyalty.database import transaction
from loyalty.errors import RateLimited
from loyalty.services import throttles

# Four failures cost nothing, each one after them a wait: about 45 tries a day at one person's account.
WAITS: Final = (
    *[None] * 4,
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=40),
)
MEMORY: Final = timedelta(hours=24)
PER_SOURCE: Final = 10
SOURCE_WINDOW: Final = timedelta(minutes=5)
RESETS_PER_SOURCE: Final = 10
RESET_WINDOW: Final = timedelta(hours=1)


def reserve(*, address: str, source_ip: str | None, at: datetime) -> None:
    """Count a try before it is made; raise RateLimited with the time while a wait runs, which extends nothing."""
    with transaction():
        # Always the source first, so that two tries never wait for each other.
        if source_ip:
            _refuse(
                throttles.reserve_within(
                    source=_source(source_ip), subject="*", limit=PER_SOURCE, window=SOURCE_WINDOW, at=at
                )
            )
        _refuse(
            throttles.reserve_waiting(source="sign-in", subject=_subject(address), waits=WAITS, memory=MEMORY, at=at)
        )


def forgive(*, address: str, source_ip: str | None) -> None:
    """Forget the failures of an address after a right password, and take this one try back from the source.

    The rest of the source's failures stay: a thief with an account of his own gains nothing by it.
    """
    with transaction():
        if source_ip:
            throttles.give_back(source=_source(source_ip), subject="*")
        throttles.reset(source="sign-in", subject=_subject(address))


def reserve_reset(*, source_ip: str | None, at: datetime) -> None:
    """Count that a source asks for another password, whoever's; raise RateLimited where it asks too often."""
    source = f"reset:{throttles.network_of(source_ip)}"
    with transaction():
        _refuse(
            throttles.reserve_within(source=source, subject="*", limit=RESETS_PER_SOURCE, window=RESET_WINDOW, at=at)
        )


def _refuse(outcome: throttles.Attempt | throttles.Refused) -> None:
    if isinstance(outcome, throttles.Refused):
        raise RateLimited(retry_at=outcome.until)


def _source(source_ip: str) -> str:
    return f"sign-in:{throttles.network_of(source_ip)}"


def _subject(address: str) -> str:
    """Return what is counted: a digest, since most of what is typed here are addresses of people."""
    return hashlib.sha256(address.encode(errors="replace")).hexdigest()
