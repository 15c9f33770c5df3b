"""What statistics show: totals of days, a figure beside its value before, and how things stand."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, cast, func, select, true
from sqlalchemy.dialects.postgresql import distinct_on

from loyalty.database import AnyRow
from loyalty.models.programs import Reward
from loyalty.models.stats import DailyPlatformStats, DailyStats


@dataclass(frozen=True, slots=True)
class Totals:
    """What days add up to."""

    transactions: int = 0
    visits: int = 0
    cards_created: int = 0
    stamps_earned: int = 0
    stamps_redeemed: int = 0
    stamps_voided: int = 0
    stamps_adjusted: int = 0
    points_earned: int = 0
    points_redeemed: int = 0
    points_voided: int = 0
    points_adjusted: int = 0
    points_expired: int = 0
    redemptions: int = 0
    purchases: int = 0
    revenue_cents: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the period, and the same of the period before."""

    value: int
    before: int

    @property
    def percent(self) -> int | None:
        """The change in whole per cent, rounded; None where there was nothing before."""
        if self.before <= 0:
            return None
        return (200 * (self.value - self.before) + self.before) // (2 * self.before)


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand today, whatever the period.

    The value of stamps is what the reward is worth for each stamp of its target, that of points by the price of the
    cheapest reward on offer whose worth is known; both rounded down once, for all together, and None where no worth
    is known.
    """

    members: int
    active_30_days: int
    new_this_month: int
    outstanding_stamps: int
    outstanding_points: int
    stamps_value_cents: int | None
    points_value_cents: int | None


TOTALS: Final = tuple(each.name for each in fields(Totals))
_values: Final = attrgetter(*TOTALS)


def add_up(days: Iterable[Totals]) -> Totals:
    """Return what some days add up to."""
    # Column by column: a year's page adds 730 days, and would make as many rows of sums on the way.
    return Totals(*map(sum, zip(*map(_values, days), strict=True)))


def sums() -> list[ColumnElement[int]]:
    """Return the columns that add days up, each under its name."""
    return [cast(func.coalesce(func.sum(getattr(DailyStats, name)), 0), BigInteger).label(name) for name in TOTALS]


def totals_of(row: AnyRow | DailyPlatformStats) -> Totals:
    """Read the totals of a row that holds `sums`, or that keeps them."""
    return Totals(**{name: getattr(row, name) for name in TOTALS})


def value_of(amount: int, worth_cents: int | None, price: int | None) -> int | None:
    """Return what stamps or points are worth at the price of a reward, rounded down."""
    return amount * worth_cents // price if worth_cents is not None and price else None


def cheapest_rewards(vendor_id: UUID | None = None) -> Any:
    """Return the query for price and worth of the cheapest reward on offer whose worth is known, of each program."""
    return (
        select(Reward.program_id, Reward.points_required, Reward.value_cents)
        .where(
            Reward.active,
            Reward.value_cents.is_not(None),
            Reward.vendor_id == vendor_id if vendor_id else true(),
        )
        .ext(distinct_on(Reward.program_id))
        .order_by(Reward.program_id, Reward.points_required, Reward.sort_order, Reward.id)
        .subquery("cheapest")
    )


def at_store(column: Any, store_id: UUID | None) -> ColumnElement[bool]:
    """The condition that a row belongs to a store, or none where all stores are asked for."""
    return column == store_id if store_id else true()
