"""The outbox: one row per receiver and thing to tell the world outside. The table is the truth, RQ is the bell."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Created, new_id

OPEN = "delivered_at IS NULL AND gave_up_at IS NULL"
FAILED = "delivered_at IS NULL AND last_error IS NOT NULL"


class OutboxMessage(Created, Base):
    """What has to be told; `version` grows when more happens before it was told."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("uq_outbox_open", "kind", "subject_id", unique=True, postgresql_where=text(OPEN)),
        Index("ix_outbox_due", "not_before", postgresql_where=text(OPEN)),
        Index("ix_outbox_subject", "subject_id", postgresql_where=text("delivered_at IS NULL")),
        Index("ix_outbox_failed", "id", postgresql_where=text(FAILED)),
        Index("ix_outbox_delivered", "kind", "delivered_at", postgresql_where=text("delivered_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendors.id"))
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    version: Mapped[int] = mapped_column(default=1)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    delivered_at: Mapped[datetime | None]
    gave_up_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
