"""Sending messages to endpoints: one at a time to each, rests after failures, and an end after a day of them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, delete, exists, select, update

from loyalty.database import AnyRow, db, transaction
from loyalty.domain import webhooks as rules
from loyalty.domain.values import Actor, Role
from loyalty.domain.webhooks import Answer
from loyalty.models.outbox import OutboxMessage
from loyalty.models.users import User, VendorMember
from loyalty.models.webhooks import WebhookDelivery, WebhookEndpoint
from loyalty.services import audit, messages, outbox, sealing, webhook_events

KIND: Final = "webhook.delivery"
GIVE_UP_AFTER: Final = timedelta(hours=24)
KEPT: Final = timedelta(days=30)

# Longer than any attempt takes: a worker that died holds its endpoint up no longer than this.
_BUSY: Final = timedelta(seconds=15)
# For how long others look away from an endpoint that is being told something.
_BUSY_WAIT: Final = timedelta(seconds=1)
_SLOW_MS: Final = 1000
_BATCH: Final = 1000
_GONE: Final = 410
_ANSWER_LENGTH: Final = 2048
_ERROR_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that leaves now: where to, the bytes, and the headers that prove where they come from."""

    delivery_id: UUID
    endpoint_id: UUID
    url: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Wait:
    """The endpoint is busy with another message, or rests after trouble: nobody may be asked for so long."""

    by: timedelta
    busy: bool


def start(*, delivery_id: UUID, at: datetime) -> Outgoing | Wait | None:
    """Take the endpoint of a waiting message for one attempt; None where the message is not to be sent now."""
    theirs = select(WebhookDelivery.endpoint_id).where(*_to_send(delivery_id))
    free = [column.is_(None) | (column <= at) for column in (WebhookEndpoint.busy_until, WebhookEndpoint.quiet_until)]
    # One statement decides: of two workers with messages for one endpoint the second finds it busy.
    taken = (
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == theirs.scalar_subquery(), WebhookEndpoint.state == "active", *free)
        .values(busy_until=at + _BUSY)
        .returning(
            WebhookEndpoint.id,
            WebhookEndpoint.url,
            WebhookEndpoint.secret,
            WebhookEndpoint.old_secret,
            WebhookEndpoint.old_secret_until,
        )
    )
    with transaction():
        endpoint = db.session.execute(taken).one_or_none()
        return _outgoing(delivery_id, endpoint, at) if endpoint else _find_wait(delivery_id, at)


def record(*, outgoing: Outgoing, answer: Answer, at: datetime) -> timedelta | None:
    """Note how an attempt went; returns how long to wait before the next one, None where there is none."""
    with transaction():
        endpoint = _lock(outgoing.endpoint_id)
        endpoint.busy_until = None
        _note(outgoing.delivery_id, answer, at)
        if answer.is_success:
            endpoint.failures, endpoint.failing_since = 0, None
            # Whoever is slow rests as long as it took, so that the others have their turn.
            slow = answer.duration_ms > _SLOW_MS
            endpoint.quiet_until = at + timedelta(milliseconds=answer.duration_ms) if slow else None
            return None
        return _failed(endpoint, answer, at)


def record_gave_up(*, delivery_id: UUID, error: str) -> None:
    """Show a message as failed: the endpoint took others, and this one for a day not."""
    active = exists().where(WebhookEndpoint.id == WebhookDelivery.endpoint_id, WebhookEndpoint.state == "active")
    waiting = (WebhookDelivery.id == delivery_id, WebhookDelivery.state == "waiting")
    with transaction():
        failed = update(WebhookDelivery).where(*waiting, active)
        db.session.execute(failed.values(state="failed", error=error[:_ERROR_LENGTH]))


def hurry_waiting(*, endpoint_id: UUID, vendor_id: UUID) -> None:
    """Have an endpoint's waiting messages sent now, in the caller's transaction; the sweep brings the rest."""
    waiting = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == "waiting")
        .order_by(WebhookDelivery.id)
        .limit(_BATCH)
    )
    send_now(vendor_id=vendor_id, delivery_ids=list(db.session.execute(waiting).scalars()))


def send_now(*, vendor_id: UUID, delivery_ids: Sequence[UUID]) -> None:
    """Have messages sent in this order, in the caller's transaction, however long they were to wait."""
    many = delivery_ids[1:]
    for delivery_id in delivery_ids[:1]:
        webhook_events.queue_delivery(delivery_id=delivery_id, vendor_id=vendor_id)
    outbox.add_many(kind=KIND, subjects=[(delivery_id, vendor_id) for delivery_id in many])
    outbox.hurry(kind=KIND, subject_ids=delivery_ids)


def queue_forgotten() -> int:
    """Have the messages sent that wait for an active endpoint and that nobody is going to send."""
    queued = exists().where(
        OutboxMessage.kind == KIND,
        OutboxMessage.subject_id == WebhookDelivery.id,
        OutboxMessage.delivered_at.is_(None),
        OutboxMessage.gave_up_at.is_(None),
    )
    forgotten = (
        select(WebhookDelivery.id, WebhookDelivery.vendor_id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(WebhookDelivery.state == "waiting", WebhookEndpoint.state == "active", ~queued)
        .order_by(WebhookDelivery.id)
        .limit(_BATCH)
    )
    with transaction():
        rows = db.session.execute(forgotten).all()
        outbox.add_many(kind=KIND, subjects=[(row.id, row.vendor_id) for row in rows])
    return len(rows)


def delete_older(*, before: datetime) -> int:
    """Forget messages from before a time, whatever became of them."""
    old = select(WebhookDelivery.id).where(WebhookDelivery.created_at < before).limit(_BATCH)
    with transaction():
        done = db.session.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(old)))
    return done.rowcount if isinstance(done, CursorResult) else 0


def _to_send(delivery_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """Waiting, or failed: somebody who looks after the platform may try again what was given up."""
    return (WebhookDelivery.id == delivery_id, WebhookDelivery.state != "delivered")


def _outgoing(delivery_id: UUID, endpoint: AnyRow, at: datetime) -> Outgoing:
    query = select(WebhookDelivery.event_id, WebhookDelivery.body).where(WebhookDelivery.id == delivery_id)
    message = db.session.execute(query).one()
    two = endpoint.old_secret is not None and at < endpoint.old_secret_until
    sealed = [endpoint.secret, endpoint.old_secret] if two else [endpoint.secret]
    body = rules.write_body(message.body)
    headers = rules.headers(
        keys=[sealing.open_sealed(one, purpose=sealing.WEBHOOKS) for one in sealed],
        message_id=str(message.event_id),
        timestamp=int(at.timestamp()),
        body=body,
    )
    return Outgoing(delivery_id, endpoint.id, endpoint.url, body, headers)


def _find_wait(delivery_id: UUID, at: datetime) -> Wait | None:
    query = (
        select(WebhookEndpoint.busy_until, WebhookEndpoint.quiet_until)
        .join(WebhookDelivery, WebhookDelivery.endpoint_id == WebhookEndpoint.id)
        .where(WebhookEndpoint.state == "active", *_to_send(delivery_id))
    )
    row = db.session.execute(query).one_or_none()
    if row is None:
        return None
    if row.quiet_until and row.quiet_until > at:
        return Wait(row.quiet_until - at, busy=False)
    return Wait(_BUSY_WAIT, busy=True)


def _lock(endpoint_id: UUID) -> WebhookEndpoint:
    # Not the strongest lock: whoever notes a message at the till needs the row to stay, and waits for nobody here.
    query = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).with_for_update(key_share=True)
    return db.session.execute(query.execution_options(populate_existing=True)).scalar_one()


def _note(delivery_id: UUID, answer: Answer, at: datetime) -> None:
    values: dict[str, Any] = {
        "attempts": WebhookDelivery.attempts + 1,
        "attempted_at": at,
        "status": answer.status,
        "duration_ms": answer.duration_ms,
        "answer": answer.text[:_ANSWER_LENGTH] or None,
        "error": answer.error[:_ERROR_LENGTH] or None,
    }
    if answer.is_success:
        values |= {"state": "delivered", "delivered_at": at}
    db.session.execute(update(WebhookDelivery).where(WebhookDelivery.id == delivery_id).values(**values))


def _failed(endpoint: WebhookEndpoint, answer: Answer, at: datetime) -> timedelta | None:
    """Let an endpoint rest, longer each time; after a day of nothing else, or where it is gone, it is paused."""
    wait = _with_jitter(outbox.WEBHOOK_WAITS[min(endpoint.failures, len(outbox.WEBHOOK_WAITS) - 1)])
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or at
    endpoint.quiet_until = at + wait
    if endpoint.state != "active":
        return None
    reason = "gone" if answer.status == _GONE else "failing"
    if reason == "failing" and at - endpoint.failing_since < GIVE_UP_AFTER:
        return wait
    _pause(endpoint, reason, at)
    return None


def _with_jitter(wait: timedelta) -> timedelta:
    """Lengthen a wait by up to a tenth: those who failed together do not come back together."""
    return wait + wait * secrets.randbelow(100) // 1000


def _pause(endpoint: WebhookEndpoint, reason: str, at: datetime) -> None:
    """Pause an endpoint and tell the owners; its messages wait."""
    endpoint.state, endpoint.paused_reason, endpoint.paused_at = "paused", reason, at
    nobody = Actor(vendor_id=endpoint.vendor_id, role=Role.OWNER)
    details = {"reason": reason}
    audit.record(actor=nobody, action="webhook.paused", subject_type="webhook", subject_id=endpoint.id, details=details)
    for owner in _owners(endpoint.vendor_id):
        messages.queue_mail(
            kind="webhook_paused",
            event_key=f"{endpoint.id}:{int(at.timestamp())}:{owner.id}",
            vendor_id=endpoint.vendor_id,
            recipient=owner.email,
            locale=owner.locale,
            at=at,
        )


def _owners(vendor_id: UUID) -> Sequence[AnyRow]:
    return db.session.execute(
        select(User.id, User.email, User.locale)
        .join(VendorMember, VendorMember.user_id == User.id)
        .where(VendorMember.vendor_id == vendor_id, VendorMember.role == "owner")
        .order_by(User.id)
    ).all()
