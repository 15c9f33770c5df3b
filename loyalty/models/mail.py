"""Mails that were or will be handed over, once each, and addresses that wait for a confirmation."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Created, new_id
from loyalty.models.constraints import one_of, same_vendor


class EmailLog(Created, Base):
    """One mail: `event_key` makes it unique per kind and event; `sending_at` is committed before it leaves.

    Without a vendor it is the platform's own, to somebody who signs in.

    `state` is waiting, sending, sent, failed or unknown (a worker died after `sending_at`).
    """

    __tablename__ = "email_logs"
    __table_args__ = (
        UniqueConstraint("vendor_id", "kind", "event_key"),
        one_of("state", ("waiting", "sending", "sent", "failed", "unknown")),
        same_vendor("card_id", "loyalty_cards"),
        Index("ix_email_logs_address", "vendor_id", "address_hash", "created_at"),
        Index("uq_email_logs_platform", "kind", "event_key", unique=True, postgresql_where=text("vendor_id IS NULL")),
        Index("ix_email_logs_card", "card_id", postgresql_where=text("card_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"))
    kind: Mapped[str]
    event_key: Mapped[str]
    locale: Mapped[str]
    recipient: Mapped[str]
    address_hash: Mapped[str]
    card_id: Mapped[UUID | None]
    confirmation_id: Mapped[UUID | None] = mapped_column(ForeignKey("confirmations.id"))
    message_id: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    sending_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]


class Confirmation(Created, Base):
    """What a person asked for, kept until they press the button behind the mailed link; used once."""

    __tablename__ = "confirmations"
    __table_args__ = (
        one_of("kind", ("join", "my_data", "password", "invitation")),
        Index("ix_confirmations_password", "address", postgresql_where=text("kind = 'password'")),
        Index("ix_confirmations_invitation", "vendor_id", "address", postgresql_where=text("kind = 'invitation'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"))
    kind: Mapped[str]
    address: Mapped[str]
    form: Mapped[dict[str, Any]]
    locale: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
