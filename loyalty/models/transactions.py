"""The ledger: append-only rows, numbered and chained by hash per card, and their deletable details."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, new_id
from loyalty.domain.values import TransactionType
from loyalty.models.constraints import not_negative, one_of, same_vendor


class LoyaltyTransaction(Base):
    """One row of the ledger; triggers refuse UPDATE, DELETE and TRUNCATE."""

    __tablename__ = "loyalty_transactions"
    __table_args__ = (
        UniqueConstraint("card_id", "seq"),
        UniqueConstraint("id", "vendor_id"),
        same_vendor("card_id", "loyalty_cards"),
        same_vendor("store_id", "stores"),
        same_vendor("staff_pin_id", "staff_pins"),
        same_vendor("terminal_id", "terminals"),
        same_vendor("api_key_id", "api_keys"),
        one_of("transaction_type", TransactionType),
        CheckConstraint("seq > 0", name="seq"),
        CheckConstraint("abs(stamps_delta) <= 1000000 AND abs(points_delta) <= 100000000000", name="deltas"),
        CheckConstraint("purchase_amount_cents > 0", name="purchase"),
        *not_negative("stamps_balance_after", "points_balance_after"),
        Index("ix_loyalty_transactions_vendor_time", "vendor_id", "transaction_at"),
        # What a list is asked for by: without these, few rows of a large shop are found by reading all of them.
        Index("ix_loyalty_transactions_kind", "vendor_id", "transaction_type", "transaction_at"),
        Index(
            "ix_loyalty_transactions_store",
            "vendor_id",
            "store_id",
            "transaction_at",
            postgresql_where=text("store_id IS NOT NULL"),
        ),
        Index(
            "ix_loyalty_transactions_staff",
            "vendor_id",
            "staff_pin_id",
            "transaction_at",
            postgresql_where=text("staff_pin_id IS NOT NULL"),
        ),
        Index(
            "ix_loyalty_transactions_terminal_time",
            "terminal_id",
            "transaction_at",
            postgresql_where=text("terminal_id IS NOT NULL"),
        ),
        Index(
            "ix_loyalty_transactions_order",
            "card_id",
            "store_id",
            "order_reference",
            postgresql_where=text("order_reference IS NOT NULL"),
        ),
        Index(
            "ix_loyalty_transactions_related",
            "related_transaction_id",
            postgresql_where=text("related_transaction_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    card_id: Mapped[UUID]
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    store_id: Mapped[UUID | None]
    seq: Mapped[int]
    transaction_type: Mapped[str]
    stamps_delta: Mapped[int]
    points_delta: Mapped[int]
    stamps_balance_after: Mapped[int]
    points_balance_after: Mapped[int]
    purchase_amount_cents: Mapped[int | None]
    order_reference: Mapped[str | None]
    reward_id: Mapped[str | None]
    reward_description: Mapped[str | None]
    related_transaction_id: Mapped[UUID | None] = mapped_column(ForeignKey("loyalty_transactions.id"))
    local_day: Mapped[date]
    entry_version: Mapped[int]
    entry_hash: Mapped[str]
    staff_pin_id: Mapped[UUID | None]
    terminal_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    api_key_id: Mapped[UUID | None]
    idempotency_key: Mapped[str | None]
    transaction_at: Mapped[datetime]


class TransactionDetail(Base):
    """Free text and origin of a transaction; erasing a person may empty it."""

    __tablename__ = "transaction_details"

    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("loyalty_transactions.id"), primary_key=True, default=new_id
    )
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    notes: Mapped[str | None]
    ip_address: Mapped[str | None]
    user_agent: Mapped[str | None]
