"""The outbox: what the world outside has to be told. The table is the truth; RQ only rings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.dialects.postgresql import Insert, insert

from loyalty import queue
from loyalty.database import db, new_id, on_commit, transaction
from loyalty.models.outbox import OPEN, OutboxMessage

# The longest that one attempt may take; afterwards another worker may have the row.
LEASE = timedelta(seconds=60)

# How long to wait after each failed attempt. After the last one the row gives up, visibly.
MAIL_WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
OTHER_WAITS = (timedelta(seconds=10), timedelta(seconds=30), *MAIL_WAITS)

_ERROR_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that this worker holds: the token is its proof, the version what it was asked to tell."""

    message_id: UUID
    kind: str
    subject_id: UUID
    version: int
    attempts: int
    lease_token: UUID
    exhausted: bool


def add(*, kind: str, subject_id: UUID, vendor_id: UUID | None) -> UUID:
    """Note that a receiver has to be told, in the caller's transaction; the bell rings after its commit."""
    row = insert(OutboxMessage).values(
        id=new_id(), kind=kind, subject_id=subject_id, vendor_id=vendor_id, not_before=func.clock_timestamp()
    )
    message_id: UUID = db.session.execute(_told_once(row).returning(OutboxMessage.id)).scalar_one()
    on_commit(partial(queue.poke, message_id))
    return message_id


def add_many(*, kind: str, subjects: Sequence[tuple[UUID, UUID | None]]) -> None:
    """Note many subjects and their vendors at once, in the caller's transaction; the sweep rings for them."""
    if not subjects:
        return
    now = func.clock_timestamp()
    rows = [
        {"id": new_id(), "kind": kind, "subject_id": subject_id, "vendor_id": vendor_id, "not_before": now}
        for subject_id, vendor_id in subjects
    ]
    db.session.execute(_told_once(insert(OutboxMessage).values(rows)))


def claim(*, message_id: UUID) -> Claim | None:
    """Take a row that is due and free for the length of a lease; None when somebody else has it or it is done."""
    token = new_id()
    now = func.clock_timestamp()
    # One statement decides: of two workers the second finds the lease taken and updates nothing. The attempt counts
    # from here on, so that a job which kills its worker runs out of attempts like any other.
    taken = (
        update(OutboxMessage)
        .where(OutboxMessage.id == message_id, *_due())
        .values(leased_until=now + LEASE, lease_token=token, attempts=OutboxMessage.attempts + 1)
        .returning(OutboxMessage.kind, OutboxMessage.subject_id, OutboxMessage.version, OutboxMessage.attempts)
    )
    with transaction():
        row = db.session.execute(taken).one_or_none()
    if row is None:
        return None
    exhausted = row.attempts > len(_waits(row.kind)) + 1
    return Claim(message_id, row.kind, row.subject_id, row.version, row.attempts, token, exhausted)


def record_delivered(*, claim: Claim) -> bool:
    """Close the row; False when more happened meanwhile, and the row is free to be told again."""
    values: dict[str, Any] = {"delivered_at": func.clock_timestamp(), "last_error": None}
    with transaction():
        if _record(claim, OutboxMessage.version == claim.version, **values):
            return True
        return not _record(claim, not_before=func.clock_timestamp(), attempts=0)


def record_failed(*, claim: Claim, error: str, not_within: timedelta = timedelta()) -> bool:
    """Let the row wait for its next attempt; False when that was the last one and the row has given up.

    `not_within` is for how long the receiver wants to be left alone.
    """
    waits = _waits(claim.kind)
    if claim.attempts > len(waits):
        record_gave_up(claim=claim, error=error)
        return False
    wait = max(waits[claim.attempts - 1], not_within)
    with transaction():
        _record(claim, not_before=func.clock_timestamp() + wait, last_error=error[:_ERROR_LENGTH])
    return True


def record_held(*, claim: Claim, error: str, wait: timedelta) -> None:
    """Let the row wait without an attempt less: its receiver was not asked."""
    again, attempts = func.clock_timestamp() + wait, claim.attempts - 1
    with transaction():
        _record(claim, not_before=again, attempts=attempts, last_error=error[:_ERROR_LENGTH])


def record_gave_up(*, claim: Claim, error: str) -> None:
    """End the row without success; the reason stays readable."""
    with transaction():
        _record(claim, gave_up_at=func.clock_timestamp(), last_error=error[:_ERROR_LENGTH])


def due(*, limit: int, overdue_by: timedelta = timedelta()) -> list[UUID]:
    """List rows that somebody should handle now, the longest waiting first.

    Mails go before all others: somebody waits for them, and a hundred thousand passes must not stand in their way.
    """
    found = (
        select(OutboxMessage.id)
        .where(OutboxMessage.not_before <= func.clock_timestamp() - overdue_by, *_due())
        .order_by(OutboxMessage.kind.not_like("mail.%"), OutboxMessage.not_before)
        .limit(limit)
    )
    with transaction():
        return list(db.session.execute(found).scalars())


def _told_once(row: Insert) -> Insert:
    """An open row is told once for all that happened meanwhile; its back-off holds."""
    return row.on_conflict_do_update(
        index_elements=[OutboxMessage.kind, OutboxMessage.subject_id],
        index_where=text(OPEN),
        set_={"version": OutboxMessage.version + 1},
    )


def _due() -> tuple[ColumnElement[bool], ...]:
    """The conditions under which a row is anybody's: open, its time has come, and no lease runs on it."""
    now = func.clock_timestamp()
    free = OutboxMessage.leased_until.is_(None) | (OutboxMessage.leased_until <= now)
    return (
        OutboxMessage.delivered_at.is_(None),
        OutboxMessage.gave_up_at.is_(None),
        OutboxMessage.not_before <= now,
        free,
    )


def _record(claim: Claim, *conditions: ColumnElement[bool], **values: Any) -> bool:
    """Write the outcome and end the lease, unless it ran out and somebody else holds the row now."""
    mine = (OutboxMessage.id == claim.message_id, OutboxMessage.lease_token == claim.lease_token)
    written = update(OutboxMessage).where(*mine, *conditions).values(leased_until=None, lease_token=None, **values)
    return db.session.execute(written.returning(OutboxMessage.id)).one_or_none() is not None


def _waits(kind: str) -> tuple[timedelta, ...]:
    return MAIL_WAITS if kind.startswith("mail.") else OTHER_WAITS
