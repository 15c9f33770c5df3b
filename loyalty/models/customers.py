"""Customers: a person as one vendor knows them, never shared between vendors."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, Created, new_id
from loyalty.models.constraints import one_of, same_vendor

# What two customers who may be the same person have in common, as indexes and questions write it.
LETTERS = "lower(regexp_replace(name, '[^[:alpha:]]', '', 'g'))"
MAILBOX = "replace(split_part(split_part(email, '@', 1), '+', 1), '.', '')"
LAST_DIGITS = "right(phone, 8)"
# A name from its second and its third word on, and names of four words and more, as indexes and searches write it.
FROM_SECOND = "substring(lower(name), '^(?:[^ ]* ){1}(.*)$')"
FROM_THIRD = "substring(lower(name), '^(?:[^ ]* ){2}(.*)$')"
LONG_NAME = "name LIKE '% % % %'"


class Customer(Changed, Base):
    """Who holds a card; `domain/privacy.py` says what is personal here and elsewhere.

    `erase_at` is when the customer will be erased, because they asked for it or were inactive for too long, as
    announced at `erase_asked_at`; `kept_at` is when they last said that they want to stay.
    """

    __tablename__ = "customers"
    __table_args__ = (
        UniqueConstraint("id", "vendor_id"),
        Index("uq_customers_email", "vendor_id", "email", unique=True, postgresql_where=text("email IS NOT NULL")),
        Index("uq_customers_phone", "vendor_id", "phone", unique=True, postgresql_where=text("phone IS NOT NULL")),
        Index("ix_customers_name", "vendor_id", text("lower(name) text_pattern_ops")),
        Index("ix_customers_second_name", "vendor_id", text(f"({FROM_SECOND}) text_pattern_ops")),
        Index("ix_customers_third_name", "vendor_id", text(f"({FROM_THIRD}) text_pattern_ops")),
        Index("ix_customers_long_name", "vendor_id", postgresql_where=text(LONG_NAME)),
        Index("ix_customers_letters", "vendor_id", text(f"({LETTERS})")),
        Index("ix_customers_mailbox", "vendor_id", text(f"({MAILBOX})")),
        Index("ix_customers_last_digits", "vendor_id", text(f"({LAST_DIGITS})")),
        Index("ix_customers_erased_at", "erased_at", postgresql_where=text("erased_at IS NOT NULL")),
        Index(
            "ix_customers_birthday",
            "vendor_id",
            postgresql_where=text("marketing_consent AND birth_date IS NOT NULL"),
        ),
        Index("ix_customers_erase_at", "erase_at", postgresql_where=text("erase_at IS NOT NULL")),
        one_of("erase_reason", ("asked", "inactive")),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("phone ~ '^[+][1-9][0-9]{6,14}$'", name="phone_e164"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    email: Mapped[str | None]
    phone: Mapped[str | None]
    name: Mapped[str | None]
    birth_date: Mapped[date | None]
    locale: Mapped[str] = mapped_column(default="en")
    terms_version: Mapped[str | None]
    terms_accepted_at: Mapped[datetime | None]
    marketing_consent: Mapped[bool] = mapped_column(default=False)
    marketing_consent_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    erase_at: Mapped[datetime | None]
    erase_reason: Mapped[str | None]
    erase_asked_at: Mapped[datetime | None]
    kept_at: Mapped[datetime | None]
    email_bounced_at: Mapped[datetime | None]


class CustomersApart(Created, Base):
    """Two customers who look alike and are not the same person, as somebody in the office said."""

    __tablename__ = "customers_apart"
    __table_args__ = (
        same_vendor("first_id", "customers"),
        same_vendor("second_id", "customers"),
        CheckConstraint("first_id < second_id", name="order"),
    )

    first_id: Mapped[UUID] = mapped_column(primary_key=True)
    second_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
