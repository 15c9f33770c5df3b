"""Webhooks: where a vendor's own software listens, and every message that was or will be sent there."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, Created, new_id
from loyalty.models.constraints import not_negative, one_of, same_vendor

STATES = ("active", "paused", "removed")
REASONS = ("owner", "gone", "failing")


class WebhookEndpoint(Changed, Base):
    """An address that is told of events; secrets are encrypted, because signing needs them.

    `busy_until` gives it one message at a time, `quiet_until` lets it rest after a failure, `failing_since` is the
    first failure after its last success.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        UniqueConstraint("id", "vendor_id"),
        one_of("state", STATES),
        one_of("paused_reason", REASONS),
        CheckConstraint("(state = 'paused') = (paused_reason IS NOT NULL)", name="paused"),
        *not_negative("failures"),
        Index("ix_webhook_endpoints_vendor", "vendor_id", postgresql_where=text("state <> 'removed'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    url: Mapped[str]
    events: Mapped[list[str]]
    secret: Mapped[str]
    old_secret: Mapped[str | None]
    old_secret_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="active")
    paused_reason: Mapped[str | None]
    paused_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    busy_until: Mapped[datetime | None]
    quiet_until: Mapped[datetime | None]


class WebhookDelivery(Created, Base):
    """One event for one endpoint: the body as of the event, and how the last attempt went.

    `state` is waiting, delivered, or failed: nobody tries again by themselves. `attempts` counts all of them.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        same_vendor("endpoint_id", "webhook_endpoints"),
        one_of("state", ("waiting", "delivered", "failed")),
        *not_negative("attempts"),
        Index("ix_webhook_deliveries_log", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_waiting", "endpoint_id", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix_webhook_deliveries_age", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    endpoint_id: Mapped[UUID]
    event_id: Mapped[UUID]
    event_type: Mapped[str]
    body: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    attempted_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    status: Mapped[int | None]
    duration_ms: Mapped[int | None]
    answer: Mapped[str | None]
    error: Mapped[str | None]
