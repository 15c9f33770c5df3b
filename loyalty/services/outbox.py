"""The outbox: what the world outside has to be told. The table is the truth; RQ only rings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, partial
from random import SystemRandom
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, bindparam, case, cast, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import ReturningUpdate

from loyalty import queue
from loyalty.database import db, first_id, new_id, on_commit, run_alone, transaction, unflushed
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
# A day and a little, all of them together.
WEBHOOK_WAITS = (
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=8, minutes=30),
)

# So many of a vendor's rows are due at once when all of its cards change; the others follow one after the other. A
# stamp goes before them, and not all phones ask for their passes at the same time.
MASS_AT_ONCE = 50
MASS_APART = timedelta(milliseconds=50)

# What their receivers show is what they were told last.
_WALLETS = ("apple.", "google.")

# For how long one may look at what was told, and at what was given up.
DELIVERED_KEPT = timedelta(days=7)
GIVEN_UP_KEPT = timedelta(days=90)
_DELETED_AT_ONCE = 1000

_ERROR_LENGTH = 500
_random = SystemRandom()


class Recorded(StrEnum):
    """What became of a row after somebody was told."""

    DELIVERED = "delivered"
    # More happened meanwhile: the row is free to be told again.
    CHANGED = "changed"
    # The lease had run out: somebody else holds the row or has ended it, and nothing was written.
    LOST = "lost"


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
    open_for: timedelta


def add(*, kind: str, subject_id: UUID, vendor_id: UUID | None) -> UUID:
    """Note that a receiver has to be told, in the caller's transaction; the bell rings after its commit."""
    row = insert(OutboxMessage).values(
        id=new_id(), kind=kind, subject_id=subject_id, vendor_id=vendor_id, not_before=func.clock_timestamp()
    )
    message_id: UUID = db.session.execute(_told_once(row, now=True).returning(OutboxMessage.id)).scalar_one()
    on_commit(partial(queue.poke, message_id))
    return message_id


def add_many(*, kind: str, subjects: Sequence[tuple[UUID, UUID | None]]) -> None:
    """Note many subjects and their vendors at once, in the caller's transaction; they are told one after the other."""
    if not subjects:
        return
    first = _waiting(kind, {vendor_id for _, vendor_id in subjects}) - MASS_AT_ONCE
    # One moment for all of them, and a microsecond between any two: those that are due at once keep their order.
    now, apart = func.statement_timestamp(), timedelta(microseconds=1)
    rows = [
        {
            "id": new_id(),
            "kind": kind,
            "subject_id": subject_id,
            "vendor_id": vendor_id,
            "not_before": now + MASS_APART * max(0, place) + apart * (place - first),
        }
        for place, (subject_id, vendor_id) in enumerate(subjects, first)
    ]
    db.session.execute(_told_once(insert(OutboxMessage).values(rows), now=False))


def hurry(*, kind: str, subject_ids: Sequence[UUID]) -> None:
    """Let open rows wait no longer, in this order and in the caller's transaction: somebody says they can be told."""
    place = func.array_position(cast(list(subject_ids), ARRAY(Uuid)), OutboxMessage.subject_id)
    mine = (OutboxMessage.kind == kind, OutboxMessage.subject_id.in_(subject_ids), text(OPEN))
    soon = func.clock_timestamp() + place * timedelta(milliseconds=1)
    sooner = update(OutboxMessage).where(*mine).values(not_before=func.least(OutboxMessage.not_before, soon))
    db.session.execute(sooner, execution_options={"synchronize_session": False})


def claim(*, message_id: UUID) -> Claim | None:
    """Take a row that is due and free for the length of a lease; None when somebody else has it or it is done."""
    token = new_id()
    rows = run_alone(_taken(), {"message": message_id, "token": token})
    if not rows:
        return None
    row = rows[0]
    exhausted = row.attempts > len(_waits(row.kind)) + 1
    return Claim(message_id, row.kind, row.subject_id, row.version, row.attempts, token, exhausted, row.open_for)


def record_delivered(*, claim: Claim) -> Recorded:
    """Close the row, unless more happened meanwhile or somebody else holds it now."""
    told = {"message": claim.message_id, "token": claim.lease_token, "claimed": claim.version}
    if run_alone(_told(), told):
        return Recorded.DELIVERED
    free = _record(claim, not_before=func.clock_timestamp(), attempts=0)
    return Recorded.CHANGED if free else Recorded.LOST


def tell_again(*, claim: Claim) -> None:
    """Have the receiver told once more: who lost the lease may have written an old state over a newer one."""
    vendor = select(OutboxMessage.vendor_id).where(OutboxMessage.id == claim.message_id)
    with transaction():
        add(kind=claim.kind, subject_id=claim.subject_id, vendor_id=db.session.scalar(vendor))


def record_failed(*, claim: Claim, error: str, not_within: timedelta = timedelta()) -> bool:
    """Let the row wait for its next attempt; False when that was the last one and the row has given up.

    `not_within` is for how long the receiver wants to be left alone.
    """
    waits = _waits(claim.kind)
    if claim.attempts > len(waits):
        return not record_gave_up(claim=claim, error=error)
    wait = max(_blurred(claim.kind, waits[claim.attempts - 1]), not_within)
    _record(claim, not_before=func.clock_timestamp() + wait, last_error=error[:_ERROR_LENGTH])
    return True


def record_held(*, claim: Claim, error: str, wait: timedelta) -> None:
    """Let the row wait without an attempt less: its receiver was not asked."""
    again, attempts = func.clock_timestamp() + wait, claim.attempts - 1
    _record(claim, not_before=again, attempts=attempts, last_error=error[:_ERROR_LENGTH])


def record_gave_up(*, claim: Claim, error: str) -> bool:
    """End the row without success, the reason stays readable; False where somebody else holds the row now."""
    return _record(claim, gave_up_at=func.clock_timestamp(), last_error=error[:_ERROR_LENGTH])


def due(*, limit: int, overdue_by: timedelta = timedelta(), without: Sequence[str] = ()) -> list[UUID]:
    """List rows that somebody should handle now, the longest waiting first; none of the kinds in `without`.

    Mails go before all others: somebody waits for them, and a hundred thousand passes must not stand in their way.
    """
    found = (
        select(OutboxMessage.id)
        .where(OutboxMessage.not_before <= func.clock_timestamp() - overdue_by, *_due())
        .where(OutboxMessage.kind.not_in(without))
        .order_by(OutboxMessage.kind.not_like("mail.%"), OutboxMessage.not_before, OutboxMessage.id)
        .limit(limit)
    )
    with transaction():
        return list(db.session.execute(found).scalars())


def delete_ended(*, at: datetime) -> int:
    """Delete what was told a week or given up a quarter ago, a batch for each question; return how many rows went."""
    row_, total = OutboxMessage, 0
    for ended, before in ((row_.delivered_at, at - DELIVERED_KEPT), (row_.gave_up_at, at - GIVEN_UP_KEPT)):
        # The numbers of rows are ordered by time: nothing younger is looked at.
        old = select(row_.id).where(row_.id < first_id(before), ended < before).order_by(row_.id)
        gone = delete(row_).where(row_.id.in_(old.limit(_DELETED_AT_ONCE))).returning(row_.id)
        while count := len(run_alone(gone)):
            total += count
    return total


@cache
def _taken() -> ReturningUpdate[*tuple[Any, ...]]:
    """Put together once, like all that is asked for each row. One statement decides: of two workers the second finds
    the lease taken and updates nothing. The attempt counts from here on, so that a job which kills its worker runs out
    of attempts like any other.
    """
    row_, now = OutboxMessage, func.clock_timestamp()
    told = row_.kind, row_.subject_id, row_.version, row_.attempts, (now - row_.created_at).label("open_for")
    taken = update(row_).where(row_.id == bindparam("message"), *_due())
    taken = taken.values(leased_until=now + LEASE, lease_token=bindparam("token"), attempts=row_.attempts + 1)
    return taken.returning(*told, _told_again())


@cache
def _told() -> ReturningUpdate[*tuple[Any, ...]]:
    row_ = OutboxMessage
    mine = row_.id == bindparam("message"), row_.lease_token == bindparam("token")
    told = update(row_).where(*mine, row_.version == bindparam("claimed"))
    told = told.values(leased_until=None, lease_token=None, delivered_at=func.clock_timestamp(), last_error=None)
    return told.returning(row_.id, _told_again())


def _told_once(row: Insert, *, now: bool) -> Insert:
    """An open row is told once for all that happened meanwhile; its back-off holds, its place in a mass need not."""
    row_ = OutboxMessage
    changes: dict[str, Any] = {"version": row_.version + 1}
    if now:
        untried = (row_.attempts == 0) & row_.last_error.is_(None)
        sooner = func.least(row_.not_before, row.excluded.not_before)
        changes["not_before"] = case((untried, sooner), else_=row_.not_before)
    index = [row_.kind, row_.subject_id]
    return row.on_conflict_do_update(index_elements=index, index_where=text(OPEN), set_=changes)


def _waiting(kind: str, vendors: set[UUID | None]) -> int:
    """Count the rows of these vendors that stand before new ones of the same kind."""
    theirs = OutboxMessage.vendor_id.in_(vendors)
    count = select(func.count()).where(text(OPEN), OutboxMessage.kind == kind, theirs)
    return db.session.execute(count).scalar_one()


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


def _record(claim: Claim, **values: Any) -> bool:
    """Write the outcome and end the lease, unless it ran out and somebody else holds the row now."""
    written = update(OutboxMessage).where(*_mine(claim)).values(leased_until=None, lease_token=None, **values)
    return bool(run_alone(written.returning(OutboxMessage.id, _told_again())))


def _told_again() -> ColumnElement[str]:
    """Do not wait for the disk where a note that is lost means that a wallet is told its present state once more."""
    return unflushed(or_(*[OutboxMessage.kind.startswith(wallet) for wallet in _WALLETS]))


def _mine(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (OutboxMessage.id == claim.message_id, OutboxMessage.lease_token == claim.lease_token)


def _blurred(kind: str, wait: timedelta) -> timedelta:
    """Shorten a wait by up to a half, so that what failed together does not come back together.

    Mails keep theirs, and webhooks, whose endpoints are asked one at a time.
    """
    return wait if kind.startswith(("mail.", "webhook.")) else wait * (500 + _random.randrange(501)) // 1000


def _waits(kind: str) -> tuple[timedelta, ...]:
    if kind.startswith("webhook."):
        return WEBHOOK_WAITS
    return MAIL_WAITS if kind.startswith("mail.") else OTHER_WAITS
