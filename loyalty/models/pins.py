"""Staff PINs, and the counters of wrong ones."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, new_id
from loyalty.models.constraints import one_of, same_vendor


class StaffPin(Changed, Base):
    """A member of staff and the hash of their PIN; without a store it works at all of them."""

    __tablename__ = "staff_pins"
    __table_args__ = (
        UniqueConstraint("id", "vendor_id"),
        Index("uq_staff_pins_pin_hash", "vendor_id", "pin_hash", unique=True, postgresql_where=text("active")),
        same_vendor("store_id", "stores"),
        one_of("role", ("staff", "manager")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), index=True)
    store_id: Mapped[UUID | None]
    name: Mapped[str]
    role: Mapped[str] = mapped_column(default="staff")
    pin_hash: Mapped[str]
    pepper_id: Mapped[str]
    last_used_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)


class PinThrottle(Changed, Base):
    """Failures of one source (a terminal, a key, an address) with one subject (a member of staff, `*`, an e-mail).

    Attempts are counted here before anything is hashed, so parallel guesses get exactly the limit.
    """

    __tablename__ = "pin_throttles"

    source: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    failed_attempts: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    window_started_at: Mapped[datetime]
