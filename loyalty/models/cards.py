"""Cards: a customer's membership, with balances, codes and the head of the card's ledger."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, new_id
from loyalty.domain.ledger import GENESIS
from loyalty.models.constraints import not_negative, same_vendor

ONE_ACTIVE: Final = "uq_loyalty_cards_active"


class LoyaltyCard(Changed, Base):
    """The row that every use case of the till locks first.

    `ledger_seq`, `ledger_head` and `ledger_at` are number, hash and time of its last transaction;
    `stamps_on_day` counts the stamps of the vendor's day `stamps_day`, less what was voided. The columns of the Apple
    pass are empty until somebody asks for one; no ledger knows of them. `apple_shown_seq` and
    `google_shown_seq` number the last transaction that a phone has fetched, that Google was told of.
    `points_good_until` is the last day that a warning named, `points_kept_until` a day before which points stay.

    A card that was replaced keeps its row and ledger and gets new codes; its old ones, with the passes that show them,
    live on in a row without a ledger whose `replaced_by_id` names the card. `google_key` names the object at Google
    where it is not named by the row's own id.
    """

    __tablename__ = "loyalty_cards"
    __table_args__ = (
        UniqueConstraint("id", "vendor_id"),
        UniqueConstraint("vendor_id", "card_number"),
        UniqueConstraint("vendor_id", "scan_code"),
        Index(
            ONE_ACTIVE,
            "program_id",
            "customer_id",
            unique=True,
            postgresql_where=text("is_active"),
        ),
        Index("ix_loyalty_cards_customer", "customer_id"),
        Index(
            "ix_loyalty_cards_newest",
            "vendor_id",
            "created_at",
            "id",
            postgresql_include=["is_active", "customer_id", "google_saved_at"],
            postgresql_where=text("replaced_by_id IS NULL"),
        ),
        Index(
            "ix_loyalty_cards_google_checked",
            "google_checked_at",
            postgresql_where=text("google_object_id IS NOT NULL"),
        ),
        Index(
            "ix_loyalty_cards_google_saved",
            "program_id",
            "id",
            postgresql_where=text("google_saved_at IS NOT NULL"),
        ),
        Index(
            "ix_loyalty_cards_replaced_by",
            "replaced_by_id",
            postgresql_where=text("replaced_by_id IS NOT NULL"),
        ),
        same_vendor("program_id", "loyalty_programs"),
        same_vendor("customer_id", "customers"),
        same_vendor("enrolled_at_store_id", "stores"),
        same_vendor("replaced_by_id", "loyalty_cards"),
        CheckConstraint(
            "replaced_by_id IS NULL OR (NOT is_active AND ledger_seq = 0 AND replaced_at IS NOT NULL)", name="replaced"
        ),
        CheckConstraint("card_number ~ '^[0-9]{10}$'", name="card_number"),
        CheckConstraint("scan_code ~ '^[BCDEFGHJKNPRSTVX]{16}$'", name="scan_code"),
        *not_negative(
            "stamp_count",
            "total_stamps_earned",
            "stamps_redeemed",
            "points_balance",
            "total_points_earned",
            "points_redeemed",
            "total_points_voided",
            "stamps_on_day",
            "ledger_seq",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    program_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    enrolled_at_store_id: Mapped[UUID | None]
    card_number: Mapped[str]
    scan_code: Mapped[str]
    public_token: Mapped[str] = mapped_column(unique=True)
    stamp_count: Mapped[int] = mapped_column(default=0)
    total_stamps_earned: Mapped[int] = mapped_column(default=0)
    stamps_redeemed: Mapped[int] = mapped_column(default=0)
    points_balance: Mapped[int] = mapped_column(default=0)
    total_points_earned: Mapped[int] = mapped_column(default=0)
    points_redeemed: Mapped[int] = mapped_column(default=0)
    total_points_voided: Mapped[int] = mapped_column(default=0)
    last_stamp_at: Mapped[datetime | None]
    last_points_at: Mapped[datetime | None]
    last_redemption_at: Mapped[datetime | None]
    last_activity_at: Mapped[datetime | None]
    last_expiration_warning_at: Mapped[datetime | None]
    points_good_until: Mapped[date | None]
    points_kept_until: Mapped[date | None]
    ledger_seq: Mapped[int] = mapped_column(default=0)
    ledger_head: Mapped[str] = mapped_column(default=GENESIS)
    ledger_at: Mapped[datetime | None]
    stamps_day: Mapped[date | None]
    stamps_on_day: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    apple_serial_number: Mapped[str | None] = mapped_column(unique=True)
    apple_auth_token: Mapped[str | None]
    apple_change_seq: Mapped[int | None]
    apple_content_hash: Mapped[str | None]
    apple_changed_at: Mapped[datetime | None]
    apple_fetched_at: Mapped[datetime | None]
    apple_shown_seq: Mapped[int | None]
    google_object_id: Mapped[str | None] = mapped_column(unique=True)
    google_content_hash: Mapped[str | None]
    google_told_at: Mapped[datetime | None]
    google_shown_seq: Mapped[int | None]
    google_saved_at: Mapped[datetime | None]
    google_checked_at: Mapped[datetime | None]
    google_key: Mapped[UUID | None]
    replaced_by_id: Mapped[UUID | None]
    replaced_at: Mapped[datetime | None]
    replaced_reason: Mapped[str | None]
