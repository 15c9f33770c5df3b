"""Mails that were or will be handed over, once each, and addresses that wait for a confirmation."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, Created, new_id
from loyalty.domain.mails import (
    BODY_LENGTH,
    MOST_BIRTHDAY_POINTS,
    MOST_BIRTHDAY_STAMPS,
    SENDER_NAME_LENGTH,
    SUBJECT_LENGTH,
)
from loyalty.models.constraints import between, one_of, same_vendor


class EmailLog(Created, Base):
    """One mail: `event_key` makes it unique per kind and event; `sending_at` is committed before it leaves.

    Without a vendor it is the platform's own, to somebody who signs in.

    `facts` is what it says that nothing else remembers.

    `state` is waiting, sending, sent, failed or unknown (a worker died after `sending_at`).
    """

    __tablename__ = "email_logs"
    __table_args__ = (
        UniqueConstraint("vendor_id", "kind", "event_key"),
        one_of("state", ("waiting", "sending", "sent", "failed", "unknown")),
        same_vendor("card_id", "loyalty_cards"),
        Index("ix_email_logs_address", "vendor_id", "address_hash", "created_at"),
        Index("uq_email_logs_platform", "kind", "event_key", unique=True, postgresql_where=text("vendor_id IS NULL")),
        Index("ix_email_logs_newest", "vendor_id", "id"),
        Index("ix_email_logs_unanswered", "vendor_id", "id", postgresql_where=text("state IN ('failed', 'unknown')")),
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
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))


class EmailTemplate(Changed, Base):
    """A shop's own words for a kind of mail in one language; what stands in braces is filled in."""

    __tablename__ = "email_templates"
    __table_args__ = (
        one_of("locale", ("en", "fr", "de", "lb")),
        between("length(subject)", (1, SUBJECT_LENGTH), name="subject"),
        between("length(body)", (1, BODY_LENGTH), name="body"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    locale: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str]
    body: Mapped[str]


class MailSettings(Changed, Base):
    """Which mails of its own accord a shop sends to those who agreed, and under which name it writes."""

    __tablename__ = "mail_settings"
    __table_args__ = (
        between("birthday_points", (0, MOST_BIRTHDAY_POINTS)),
        between("birthday_stamps", (0, MOST_BIRTHDAY_STAMPS)),
        between("length(sender_name)", (1, SENDER_NAME_LENGTH), name="sender_name"),
    )

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    sender_name: Mapped[str | None]
    birthday: Mapped[bool] = mapped_column(default=False)
    birthday_points: Mapped[int] = mapped_column(default=0)
    birthday_stamps: Mapped[int] = mapped_column(default=0)
    miss_you: Mapped[bool] = mapped_column(default=False)


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
