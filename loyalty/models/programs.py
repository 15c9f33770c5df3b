"""The loyalty program of a vendor, and the rewards that points buy."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Changed, Created, new_id
from loyalty.domain import bounds
from loyalty.domain.values import LoyaltyType
from loyalty.models.constraints import between, one_of, same_vendor


class LoyaltyProgram(Changed, Base):
    """The rules of a vendor's card: one program per vendor; `setup_step` is the step of the wizard that comes next."""

    __tablename__ = "loyalty_programs"
    __table_args__ = (
        UniqueConstraint("id", "vendor_id"),
        one_of("loyalty_type", LoyaltyType),
        *(between(column, limits) for column, limits in bounds.PROGRAM.items()),
        CheckConstraint(f"card_color ~ '{bounds.COLOR}'", name="card_color"),
        CheckConstraint(f"card_secondary_color ~ '{bounds.COLOR}'", name="card_secondary_color"),
        CheckConstraint(f"length(card_name) <= {bounds.CARD_NAME_LENGTH}", name="card_name"),
        CheckConstraint(f"length(logo_url) <= {bounds.URL_LENGTH}", name="logo_url"),
        CheckConstraint(f"length(hero_image_url) <= {bounds.URL_LENGTH}", name="hero_image_url"),
        CheckConstraint("NOT is_active OR activated_at IS NOT NULL", name="activated"),
        CheckConstraint("(closes_on IS NULL) = (closing_announced_at IS NULL)", name="closing"),
        Index("ix_loyalty_programs_closes_on", "closes_on", postgresql_where=text("closes_on IS NOT NULL")),
        between("setup_step", bounds.SETUP_STEP),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), unique=True)
    loyalty_type: Mapped[str] = mapped_column(default=LoyaltyType.STAMPS.value)
    stamps_target: Mapped[int] = mapped_column(default=10)
    stamps_reward_description: Mapped[str] = mapped_column(default="Free item")
    stamps_reward_value_cents: Mapped[int | None]
    max_stamps_per_action: Mapped[int] = mapped_column(default=1)
    welcome_stamps: Mapped[int] = mapped_column(default=0)
    points_per_euro: Mapped[int] = mapped_column(default=10)
    minimum_purchase_cents: Mapped[int] = mapped_column(default=0)
    minimum_redemption_points: Mapped[int] = mapped_column(default=0)
    welcome_bonus_points: Mapped[int] = mapped_column(default=0)
    points_expiration_days: Mapped[int | None]
    expiry_ran_on: Mapped[date | None]
    cooldown_minutes: Mapped[int] = mapped_column(default=15)
    max_daily_stamps: Mapped[int] = mapped_column(default=5)
    require_staff_pin: Mapped[bool] = mapped_column(default=True)
    card_name: Mapped[str] = mapped_column(default="")
    card_color: Mapped[str] = mapped_column(default="#4F46E5")
    card_secondary_color: Mapped[str | None]
    logo_url: Mapped[str | None]
    hero_image_url: Mapped[str | None]
    terms_text: Mapped[str] = mapped_column(default="")
    privacy_url: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(default=False)
    activated_at: Mapped[datetime | None]
    setup_step: Mapped[int] = mapped_column(default=1, server_default="1")
    poster_placed_at: Mapped[datetime | None]
    google_issuer_id: Mapped[str | None]
    google_class_id: Mapped[str | None]
    google_class_hash: Mapped[str | None]
    apple_pass_type_id: Mapped[str | None]
    closes_on: Mapped[date | None]
    closing_announced_at: Mapped[datetime | None]
    closing_told_to: Mapped[UUID | None]


class EndedExpiryRule(Created, Base):
    """After how many days without earning or redeeming points expired, until a day; null: they never did."""

    __tablename__ = "ended_expiry_rules"
    __table_args__ = (same_vendor("program_id", "loyalty_programs"),)

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    days: Mapped[int | None]
    ended_on: Mapped[date]


class Reward(Changed, Base):
    """Something that points buy; `public_id` is stable text, never used again."""

    __tablename__ = "rewards"
    __table_args__ = (
        UniqueConstraint("program_id", "public_id"),
        Index("ix_rewards_offer", "program_id", "active", "points_required"),
        same_vendor("program_id", "loyalty_programs"),
        *(between(column, limits) for column, limits in bounds.REWARD.items()),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    program_id: Mapped[UUID]
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    public_id: Mapped[str]
    name: Mapped[str]
    points_required: Mapped[int]
    value_cents: Mapped[int | None]
    description: Mapped[str] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    sort_order: Mapped[int] = mapped_column(default=0)
    translations: Mapped[dict[str, Any]] = mapped_column(default=dict)
