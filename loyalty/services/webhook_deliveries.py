"""The log of an endpoint: what was sent, what came back, and sending it again."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from loyalty.database import db
from loyalty.domain.values import Actor, RequestKey
from loyalty.errors import NotFound
from loyalty.models.webhooks import WebhookDelivery, WebhookEndpoint
from loyalty.services import audit, idempotency, webhook_sending, webhooks

PAGE = 50


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A message as the log shows it; `state` is waiting, delivered or failed."""

    delivery_id: UUID
    event_id: UUID
    event_type: str
    state: str
    attempts: int
    created_at: datetime
    attempted_at: datetime | None
    status: int | None
    duration_ms: int | None
    body: dict[str, Any]  # JSON values
    answer: str | None
    error: str | None

    @property
    def sent(self) -> str:
        """The body for people to read."""
        return json.dumps(self.body, ensure_ascii=False, indent=2, sort_keys=True)


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """A page of the log, newest first; `older` continues it, None at the end."""

    rows: list[DeliveryRow]
    older: UUID | None


@dataclass(frozen=True, slots=True)
class ReplayReceipt:
    """How many messages of an endpoint are sent again."""

    endpoint_id: UUID
    count: int
    replayed: bool = False


def list_page(
    *, actor: Actor, endpoint_id: UUID, state: str = "", before: UUID | None = None, limit: int = PAGE
) -> DeliveryPage:
    """List an endpoint's messages, of one state where one is named."""
    webhooks.get(actor=actor, endpoint_id=endpoint_id)
    theirs = (WebhookDelivery.vendor_id == actor.vendor_id, WebhookDelivery.endpoint_id == endpoint_id)
    query = select(WebhookDelivery).where(*theirs).order_by(WebhookDelivery.id.desc()).limit(limit + 1)
    if state:
        query = query.where(WebhookDelivery.state == state)
    if before:
        query = query.where(WebhookDelivery.id < before)
    found = db.session.scalars(query.execution_options(populate_existing=True)).all()
    shown = [_row(delivery) for delivery in found[:limit]]
    return DeliveryPage(shown, shown[-1].delivery_id if len(found) > limit else None)


def replay(*, actor: Actor, delivery_id: UUID, key: RequestKey) -> ReplayReceipt:
    """Send one message again, at once; receivers know it by its id."""
    webhooks.require(actor=actor)

    def work() -> ReplayReceipt:
        endpoint_id = db.session.scalar(
            select(WebhookDelivery.endpoint_id)
            .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
            .where(WebhookDelivery.vendor_id == actor.vendor_id, WebhookDelivery.id == delivery_id)
            .where(WebhookEndpoint.state != "removed")
            .with_for_update(of=WebhookEndpoint, key_share=True)
        )
        if endpoint_id is None:
            raise NotFound
        again = update(WebhookDelivery).where(WebhookDelivery.id == delivery_id)
        db.session.execute(again.values(state="waiting"))
        return _again(actor, endpoint_id, [delivery_id])

    return idempotency.run(key, ReplayReceipt, work, vendor_id=actor.vendor_id)


def replay_failed(*, actor: Actor, endpoint_id: UUID, since: datetime, key: RequestKey) -> ReplayReceipt:
    """Send all messages again that failed since a time, the oldest first."""
    webhooks.require(actor=actor)

    def work() -> ReplayReceipt:
        # The endpoint before its messages, as workers lock them.
        webhooks.lock(actor=actor, endpoint_id=endpoint_id)
        failed = (
            update(WebhookDelivery)
            .where(WebhookDelivery.vendor_id == actor.vendor_id, WebhookDelivery.endpoint_id == endpoint_id)
            .where(WebhookDelivery.state == "failed", WebhookDelivery.created_at >= since)
            .values(state="waiting")
            .returning(WebhookDelivery.id)
        )
        return _again(actor, endpoint_id, sorted(db.session.execute(failed).scalars()))

    return idempotency.run(key, ReplayReceipt, work, vendor_id=actor.vendor_id)


def _again(actor: Actor, endpoint_id: UUID, delivery_ids: list[UUID]) -> ReplayReceipt:
    """Have messages sent, also while the endpoint rests; a paused one gets them when it goes on."""
    mine = update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id)
    awake = mine.values(quiet_until=None).returning(WebhookEndpoint.state)
    if db.session.execute(awake).scalar_one() == "active":
        webhook_sending.send_now(vendor_id=actor.vendor_id, delivery_ids=delivery_ids)
    details = {"count": len(delivery_ids)}
    audit.record(
        actor=actor, action="webhook.replayed", subject_type="webhook", subject_id=endpoint_id, details=details
    )
    return ReplayReceipt(endpoint_id, len(delivery_ids))


def _row(delivery: WebhookDelivery) -> DeliveryRow:
    return DeliveryRow(
        delivery_id=delivery.id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        state=delivery.state,
        attempts=delivery.attempts,
        created_at=delivery.created_at,
        attempted_at=delivery.attempted_at,
        status=delivery.status,
        duration_ms=delivery.duration_ms,
        body=delivery.body,
        answer=delivery.answer,
        error=delivery.error,
    )
