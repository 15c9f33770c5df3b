"""Terminals: tablets paired with one store, and the staff session that is open on each."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, new_id
from loyalty.models.constraints import same_vendor


class Terminal(Changed, Base):
    """A tablet from its pairing code on; the cookie holds its token, the row the SHA-256."""

    __tablename__ = "terminals"
    __table_args__ = (
        UniqueConstraint("id", "vendor_id"),
        same_vendor("store_id", "stores"),
        same_vendor("staff_pin_id", "staff_pins"),
        CheckConstraint("lock_minutes IN (1, 2, 5, 15)", name="lock_minutes"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), index=True)
    store_id: Mapped[UUID]
    label: Mapped[str]
    code_hash: Mapped[str | None] = mapped_column(unique=True)
    code_expires_at: Mapped[datetime | None]
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    paired_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    staff_pin_id: Mapped[UUID | None]
    staff_seen_at: Mapped[datetime | None]
    lock_minutes: Mapped[int] = mapped_column(default=2)
    left_handed: Mapped[bool] = mapped_column(default=False)
    sound: Mapped[bool] = mapped_column(default=True)
