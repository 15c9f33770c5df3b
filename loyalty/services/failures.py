"""Deliveries that fail or were given up: what people who look after the platform see of them, and trying again."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from loyalty import queue
from loyalty.database import AnyRow, AnySelect, db, on_commit
from loyalty.domain.values import Actor, Admin, RequestKey
from loyalty.errors import NotFound, Unavailable
from loyalty.models.outbox import OutboxMessage
from loyalty.models.vendors import Vendor
from loyalty.services import audit, idempotency, messages, outbox

PAGE: Final = 50
# What a change of a program puts on the list: its own row, and one for each pass.
UPDATES: Final = ("apple.program", "apple.push", "google.class", "google.object")
# Of one kind at one tap: a transaction that holds up no worker. The rest stays on the list.
_MOST_AT_ONCE: Final = 2000
# The others are found by the workers' own rounds, a moment later.
_RINGS: Final = 50
_TRIES: Final = 5
_ADDRESS: Final = re.compile(r"[^\s<>()\[\]:;,\"']+@[^\s<>()\[\];,\"']+")
# Phone numbers, and what is as long as a token; the names of classes and objects at Google are shorter, and help.
_SECRET: Final = re.compile(r"\+\d[\d ]{6,}\d|[0-9A-Za-z_-]{43,}")


@dataclass(frozen=True, slots=True)
class Failure:
    """A delivery that failed: `next_try` is None once nobody tries again; `words` are the receiver's or our own."""

    message_id: UUID
    kind: str
    vendor_name: str | None
    since: datetime
    attempts: int
    next_try: datetime | None
    gave_up_at: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many deliveries of a kind fail, and how many of those nobody tries any more."""

    kind: str
    failing: int
    gave_up: int


@dataclass(frozen=True, slots=True)
class Failures:
    """A page of failures, newest first; `older` continues it, None at the end."""

    rows: tuple[Failure, ...]
    older: UUID | None


@dataclass(frozen=True, slots=True)
class RetryReceipt:
    """How many deliveries are tried again."""

    retried: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many updates of passes a vendor's customers wait for."""

    vendor_name: str
    updates: int


def list_failures(*, admin: Admin, kind: str = "", before: UUID | None = None) -> Failures:
    """List what fails, newest first; of one kind where one is named."""
    query = (
        select(OutboxMessage, Vendor.name.label("vendor_name"))
        .outerjoin(Vendor, Vendor.id == OutboxMessage.vendor_id)
        .where(*failed())
        .order_by(OutboxMessage.id.desc())
        .limit(PAGE + 1)
    )
    if kind:
        query = query.where(OutboxMessage.kind == kind)
    if before:
        query = query.where(OutboxMessage.id < before)
    rows = db.session.execute(query).all()
    shown = tuple(_failure(row) for row in rows[:PAGE])
    return Failures(shown, shown[-1].message_id if len(rows) > PAGE else None)


def count_by_kind(*, admin: Admin) -> list[KindCount]:
    """Count what fails, by kind, the most first."""
    gave_up = func.count(OutboxMessage.gave_up_at)
    query = select(OutboxMessage.kind, func.count().label("failing"), gave_up.label("gave_up"))
    query = query.where(*failed()).group_by(OutboxMessage.kind)
    rows = db.session.execute(query.order_by(func.count().desc(), OutboxMessage.kind))
    return [KindCount(row.kind, row.failing, row.gave_up) for row in rows]


def retry(*, admin: Admin, message_id: UUID, key: RequestKey) -> RetryReceipt:
    """Try one delivery again, at once."""

    def work() -> RetryReceipt:
        row = db.session.execute(_locked(OutboxMessage.id == message_id)).one_or_none()
        if row is None:
            raise NotFound
        receipt = RetryReceipt(_try_again(row.kind, [row], unknown_too=True))
        audit.record(
            actor=admin,
            action="failure.retried",
            subject_type="outbox",
            subject_id=message_id,
            details={"kind": row.kind, "retried": receipt.retried},
            vendor_id=row.vendor_id,
        )
        return receipt

    return _once(key, work)


def retry_all(*, admin: Admin, kind: str, key: RequestKey) -> RetryReceipt:
    """Try what fails of a kind again, the oldest first; mails that may have arrived are left to a look at each."""

    def work() -> RetryReceipt:
        mine = OutboxMessage.kind == kind
        rows = db.session.execute(_locked(mine).order_by(OutboxMessage.id).limit(_MOST_AT_ONCE)).all()
        receipt = RetryReceipt(_try_again(kind, rows, unknown_too=False))
        if rows:
            details = {"retried": receipt.retried}
            audit.record(
                actor=admin, action="failures.retried", subject_type="outbox", subject_id=kind, details=details
            )
        return receipt

    return _once(key, work)


def send_again(*, actor: Actor, mail_id: UUID, kind: str) -> bool:
    """In the caller's transaction, let a mail leave again that failed or may have; False where it needs not."""
    rows = db.session.execute(_locked(OutboxMessage.subject_id == mail_id)).all()
    if rows:
        return _try_again(kind, rows, unknown_too=True) > 0
    # What was told of it is forgotten, or told: only the mail itself remembers.
    if mail_id not in messages.wait_again(email_log_ids=[mail_id], unknown_too=True):
        return False
    outbox.add(kind=kind, subject_id=mail_id, vendor_id=actor.vendor_id)
    return True


def waiting_updates(*, vendor_id: UUID) -> int:
    """Count the updates of passes that a vendor's customers wait for; while it counts a change itself, at least one."""
    mine = OutboxMessage.vendor_id == vendor_id
    return db.session.execute(select(func.count()).where(*waiting(*UPDATES), mine)).scalar_one()


def list_waiting(*, admin: Admin) -> list[Waiting]:
    """List the vendors whose passes are being updated, the most first."""
    query = (
        select(Vendor.name, func.count().label("updates"))
        .join(OutboxMessage, OutboxMessage.vendor_id == Vendor.id)
        .where(*waiting(*UPDATES))
        .group_by(Vendor.id)
        .order_by(func.count().desc(), Vendor.name)
        .limit(PAGE)
    )
    return [Waiting(row.name, row.updates) for row in db.session.execute(query)]


def without_people(words: str) -> str:
    """Take out of a receiver's answer what could name a customer or open their pass."""
    # Our own database's complaints quote the row that they are about.
    said = words.split("[SQL:")[0].split("DETAIL:")[0]
    return _SECRET.sub("…", _ADDRESS.sub("…@…", said)).strip()


def failed() -> tuple[ColumnElement[bool], ...]:
    """What failed at least once and was not told since; what only has to keep to a pace says nothing."""
    error = OutboxMessage.last_error
    return (OutboxMessage.delivered_at.is_(None), error.is_not(None), error != "")


def waiting(*kinds: str) -> tuple[ColumnElement[bool], ...]:
    """The rows of these kinds that are still to be told."""
    message = OutboxMessage
    return (message.delivered_at.is_(None), message.gave_up_at.is_(None), message.kind.in_(kinds))


def _failure(row: AnyRow) -> Failure:
    message = row.OutboxMessage
    return Failure(
        message_id=message.id,
        kind=message.kind,
        vendor_name=row.vendor_name,
        since=message.created_at,
        attempts=message.attempts,
        next_try=None if message.gave_up_at else message.not_before,
        gave_up_at=message.gave_up_at,
        words=without_people(message.last_error or ""),
    )


def _locked(*conditions: ColumnElement[bool]) -> AnySelect:
    """Choose rows that fail, but for those whose outcome a worker is just writing down."""
    columns = (OutboxMessage.id, OutboxMessage.kind, OutboxMessage.subject_id, OutboxMessage.vendor_id)
    return select(*columns, OutboxMessage.gave_up_at).where(*failed(), *conditions).with_for_update(skip_locked=True)


def _once(key: RequestKey, work: Callable[[], RetryReceipt]) -> RetryReceipt:
    """Do it once per key, and anew where a change put the same subject on the list in between."""
    for _ in range(_TRIES):
        try:
            return idempotency.run(key, RetryReceipt, work)
        except IntegrityError:
            # Rolled back as a whole; the next look finds the row that was faster, and rings for that one.
            continue
    raise Unavailable


def _try_again(kind: str, rows: Sequence[AnyRow], *, unknown_too: bool) -> int:
    """Bring rows back to life. Where another row tells the same subject already, that one is told at once instead."""
    if kind.startswith("mail."):
        ids = [row.subject_id for row in rows]
        will_leave = messages.wait_again(email_log_ids=ids, unknown_too=unknown_too)
        rows = [row for row in rows if row.subject_id in will_leave]
    same = OutboxMessage.subject_id.in_({row.subject_id for row in rows})
    returning = (OutboxMessage.id, OutboxMessage.subject_id)
    values = {"not_before": func.clock_timestamp(), "attempts": 0, "last_error": None}
    open_ones = update(OutboxMessage).where(*waiting(kind), same).values(**values)
    rung = {row.subject_id: row.id for row in db.session.execute(open_ones.returning(*returning))}
    ended = {row.subject_id: row.id for row in sorted(rows, key=lambda row: row.id) if row.gave_up_at}
    revived = {subject: message_id for subject, message_id in ended.items() if subject not in rung}
    values |= {"gave_up_at": None, "leased_until": None, "lease_token": None}
    db.session.execute(update(OutboxMessage).where(OutboxMessage.id.in_(revived.values())).values(**values))
    told_by_another = {row.id for row in rows if row.gave_up_at} - set(revived.values())
    db.session.execute(delete(OutboxMessage).where(OutboxMessage.id.in_(told_by_another)))
    for message_id in [*rung.values(), *revived.values()][:_RINGS]:
        on_commit(partial(queue.poke, message_id))
    return len(rung) + len(revived)
