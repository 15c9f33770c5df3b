"""Cards that the platform switches off together, and what became of each."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, Created, new_id
from loyalty.models.constraints import not_negative, one_of, same_vendor


class BulkDeactivation(Created, Base):
    """A mass of cards; `choice` says by what they were chosen, `ended_at` when all of them were seen to."""

    __tablename__ = "bulk_deactivations"
    __table_args__ = (
        UniqueConstraint("id", "vendor_id"),
        Index("ix_bulk_deactivations_vendor_time", "vendor_id", "created_at"),
        one_of("state", ("running", "done", "undoing", "undone")),
        *not_negative("cards"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    undo_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    choice: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cards: Mapped[int]
    state: Mapped[str] = mapped_column(default="running")
    ended_at: Mapped[datetime | None]


class BulkCard(Changed, Base):
    """A card of a mass: waiting, off, skipped (it was off already), back on, kept off, or left alone by an undo.

    `transaction_id` is the row of the ledger by which this mass switched the card off.
    """

    __tablename__ = "bulk_cards"
    __table_args__ = (
        ForeignKeyConstraint(["bulk_id", "vendor_id"], ["bulk_deactivations.id", "bulk_deactivations.vendor_id"]),
        same_vendor("card_id", "loyalty_cards"),
        Index("ix_bulk_cards_state", "bulk_id", "state", "card_id"),
        one_of("state", ("waiting", "off", "skipped", "on", "kept", "left")),
    )

    bulk_id: Mapped[UUID] = mapped_column(primary_key=True)
    card_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(default="waiting")
    transaction_id: Mapped[UUID | None]
