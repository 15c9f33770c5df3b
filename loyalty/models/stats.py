"""Sums of the ledger that the statistics read, and how far they are counted.

All of it can be counted again from the ledger at any time. The tables name vendors, stores and cards without foreign
keys on purpose: checking one takes a lock on the row it names, and no till may ever wait for statistics.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Created


class _Figures:
    """What is counted of a day, of a shop and of the platform alike."""

    transactions: Mapped[int]
    visits: Mapped[int]
    cards_created: Mapped[int]
    stamps_earned: Mapped[int]
    stamps_redeemed: Mapped[int]
    stamps_voided: Mapped[int]
    stamps_adjusted: Mapped[int]
    points_earned: Mapped[int]
    points_redeemed: Mapped[int]
    points_voided: Mapped[int]
    points_adjusted: Mapped[int]
    points_expired: Mapped[int]
    redemptions: Mapped[int]
    purchases: Mapped[int]
    revenue_cents: Mapped[int]


class DailyStats(_Figures, Base):
    """What happened in one store on one of the vendor's days; without a store: in the office, or on a phone.

    Rows of the ledger count on the day and in the store they name. Three sums look at what came of them instead and
    stand where the original stands, however late it was taken back: `visits` (a card that was stamped, earned or
    redeemed, once per day and store), `redemptions`, and `purchases` with `revenue_cents`; what was taken back whole
    is in none of them. The three `…_change` columns belong to the store that made the card: summed up over all days
    they are its members and what those members hold.
    """

    __tablename__ = "daily_stats"
    __table_args__ = (
        UniqueConstraint("vendor_id", "local_day", "store_id", postgresql_nulls_not_distinct=True),
        Index("ix_daily_stats_local_day", "local_day"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    vendor_id: Mapped[UUID]
    store_id: Mapped[UUID | None]
    local_day: Mapped[date]
    members_change: Mapped[int]
    stamps_change: Mapped[int]
    points_change: Mapped[int]


class DailyPlatformStats(_Figures, Base):
    """What happened in all shops of a currency on one day: the sums of their days, kept since they are many."""

    __tablename__ = "daily_platform_stats"
    __table_args__ = (UniqueConstraint("local_day", "currency"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    local_day: Mapped[date]
    currency: Mapped[str]


class DailyVisitTimes(Base):
    """How many visits of a day began in which quarter of an hour.

    In UTC, so that a page can show hours of any zone: all zones of today differ from UTC by whole quarters.
    """

    __tablename__ = "daily_visit_times"
    __table_args__ = (
        UniqueConstraint("vendor_id", "local_day", "store_id", "quarter_at", postgresql_nulls_not_distinct=True),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    vendor_id: Mapped[UUID]
    store_id: Mapped[UUID | None]
    local_day: Mapped[date]
    quarter_at: Mapped[datetime]
    visits: Mapped[int]


class DailyStaffStats(Base):
    """What a member of staff did on one day in one store, for vendors that switched this on; deleted after 90 days."""

    __tablename__ = "daily_staff_stats"
    __table_args__ = (
        UniqueConstraint("vendor_id", "local_day", "store_id", "staff_pin_id", postgresql_nulls_not_distinct=True),
        Index("ix_daily_staff_stats_local_day", "local_day"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    vendor_id: Mapped[UUID]
    store_id: Mapped[UUID | None]
    local_day: Mapped[date]
    staff_pin_id: Mapped[UUID]
    transactions: Mapped[int]
    cards_created: Mapped[int]
    stamps_earned: Mapped[int]
    points_earned: Mapped[int]
    redemptions: Mapped[int]
    voids: Mapped[int]


class StatsStanding(Base):
    """How things stand: a store's members and what their cards hold, the sum of the changes of all days."""

    __tablename__ = "stats_standing"
    __table_args__ = (UniqueConstraint("vendor_id", "store_id", postgresql_nulls_not_distinct=True),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    vendor_id: Mapped[UUID]
    store_id: Mapped[UUID | None]
    members: Mapped[int]
    stamps: Mapped[int]
    points: Mapped[int]


class CardStats(Base):
    """What statistics know of one card, counted from its ledger up to row `ledger_seq`.

    Visits are days on which it was stamped, earned or redeemed and not all of that was taken back. `visited_months`
    holds the first days of the months with a visit, `store_id` the store that made the card.
    """

    __tablename__ = "card_stats"
    __table_args__ = (
        Index("ix_card_stats_joined", "vendor_id", "joined_day"),
        Index("ix_card_stats_visited", "vendor_id", "last_visit_day"),
        Index("ix_card_stats_last_visit_day", "last_visit_day", postgresql_where=text("is_active")),
    )

    card_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    store_id: Mapped[UUID | None]
    ledger_seq: Mapped[int]
    is_active: Mapped[bool]
    joined_day: Mapped[date]
    visits: Mapped[int]
    first_visit_day: Mapped[date | None]
    second_visit_day: Mapped[date | None]
    last_visit_day: Mapped[date | None]
    first_reward_day: Mapped[date | None]
    visited_months: Mapped[list[date]] = mapped_column(ARRAY(Date))


class StatsDue(Base):
    """A vendor's day that has to be counted again; the same day may stand here many times."""

    __tablename__ = "stats_due"
    __table_args__ = (Index("ix_stats_due_vendor_day", "vendor_id", "local_day"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    vendor_id: Mapped[UUID]
    local_day: Mapped[date]


class StatsPlatformDue(Base):
    """A day of which some shop's sums have changed since those of the platform were made; it may stand here often."""

    __tablename__ = "stats_platform_due"
    __table_args__ = (Index("ix_stats_platform_due_day", "local_day"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    local_day: Mapped[date]


class StatsProgress(Base):
    """The one row that says up to which id the ledger was searched for what is new."""

    __tablename__ = "stats_progress"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    searched_to: Mapped[UUID]


class StaffReport(Created, Base):
    """A vendor that wants to see figures per member of staff, counted from `since_day` on."""

    __tablename__ = "staff_reports"

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    since_day: Mapped[date]
