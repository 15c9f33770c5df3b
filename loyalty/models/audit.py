"""The audit log: who changed settings, people or balances by hand."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Created, new_id


class AuditEvent(Created, Base):
    """One change by a signed-in person, written in the same transaction as the change.

    `on_behalf` where the platform did it at a shop; `user_id` says who really.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_vendor_time", "vendor_id", "created_at"),
        Index("ix_audit_events_on_behalf", "vendor_id", "id", postgresql_where=text("on_behalf")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    staff_pin_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_pins.id"))
    terminal_id: Mapped[UUID | None] = mapped_column(ForeignKey("terminals.id"))
    api_key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"))
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    on_behalf: Mapped[bool] = mapped_column(default=False, server_default=false())
