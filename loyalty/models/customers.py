"""Customers: a person as one vendor knows them, never shared between vendors."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, new_id


class Customer(Changed, Base):
    """Who holds a card; `domain/privacy.py` says what is personal here and elsewhere."""

    __tablename__ = "customers"
    __table_args__ = (
        UniqueConstraint("id", "vendor_id"),
        Index("uq_customers_email", "vendor_id", "email", unique=True, postgresql_where=text("email IS NOT NULL")),
        Index("uq_customers_phone", "vendor_id", "phone", unique=True, postgresql_where=text("phone IS NOT NULL")),
        Index("ix_customers_name", "vendor_id", text("lower(name) text_pattern_ops")),
        Index("ix_customers_erased_at", "erased_at", postgresql_where=text("erased_at IS NOT NULL")),
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
