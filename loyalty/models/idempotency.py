"""Answers that were given, stored under the key they were asked with, in the transaction of their effect."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Created


class IdempotencyKey(Created, Base):
    """A caller's key, what was asked with it (as an HMAC), and the receipt; kept for 30 days."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"))
    request_hash: Mapped[str]
    status: Mapped[int]
    receipt: Mapped[dict[str, Any]]
