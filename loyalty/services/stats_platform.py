"""Statistics of the whole platform: all vendors' days added up, money by currency."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Numeric, cast, func, select

from loyalty.database import AnyRow, db
from loyalty.domain.values import Admin
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.stats import CardStats, DailyPlatformStats, StatsStanding
from loyalty.models.vendors import Vendor
from loyalty.services.stats import ACTIVE_DAYS, Parted, part
from loyalty.services.stats_figures import Figure, Totals, add_up, cheapest_rewards, totals_of
from loyalty.services.stats_periods import Days, span


@dataclass(frozen=True, slots=True)
class Money:
    """What vendors of one currency took and owe; the worth of what is outstanding as far as it is known."""

    currency: str
    revenue_cents: Figure
    stamps_value_cents: int
    points_value_cents: int


@dataclass(frozen=True, slots=True)
class PlatformStats(Parted):
    """A period of UTC's calendar beside the one before, over all vendors; the totals leave money to `money`."""

    period: Days
    vendors: int
    vendors_active: int
    members: int
    active_30_days: int
    outstanding_stamps: int
    outstanding_points: int
    money: tuple[Money, ...]


def overview(*, admin: Admin, first: date | None = None, last: date | None = None, at: datetime) -> PlatformStats:
    """Sum up all vendors in a period, and say how things stand today; `admin` is who asks for the platform."""
    today = at.astimezone(UTC).date()
    begin, end = span(first=first, last=last, today=today)
    by_currency = _days(begin, end)
    everything: dict[date, Totals] = {}
    for days in by_currency.values():
        for day, totals in days.items():
            # Cents of two currencies have no sum.
            everything[day] = add_up((everything.get(day, Totals()), replace(totals, revenue_cents=0)))
    parted = part(begin, end, everything)
    standing = _standing()
    vendors, active_vendors, active_cards = _counts(at)
    return PlatformStats(
        period=Days(begin, end, today),
        vendors=vendors,
        vendors_active=active_vendors,
        members=sum(int(row.members) for row in standing),
        active_30_days=active_cards,
        outstanding_stamps=sum(int(row.stamps) for row in standing),
        outstanding_points=sum(int(row.points) for row in standing),
        totals=parted.totals,
        before=parted.before,
        trend=parted.trend,
        trend_before=parted.trend_before,
        money=tuple(_money(row, part(begin, end, by_currency.get(row.currency, {}))) for row in standing),
    )


def _days(begin: date, end: date) -> dict[str, dict[date, Totals]]:
    """Return the totals of the days of both periods, by currency."""
    rows = db.session.scalars(
        select(DailyPlatformStats).where(
            DailyPlatformStats.local_day.between(begin - (end - begin) - timedelta(days=1), end)
        )
    )
    found: dict[str, dict[date, Totals]] = {}
    for row in rows:
        found.setdefault(row.currency, {})[row.local_day] = totals_of(row)
    return found


def _standing() -> list[AnyRow]:
    """Return what members hold and what it is worth, by currency; each vendor's worth is rounded down by itself."""
    columns = (StatsStanding.members, StatsStanding.stamps, StatsStanding.points)
    held = (
        select(StatsStanding.vendor_id, *(func.sum(column).label(column.key) for column in columns))
        .group_by(StatsStanding.vendor_id)
        .subquery("held")
    )
    cheapest = cheapest_rewards()
    sums = {
        "members": held.c.members,
        "stamps": held.c.stamps,
        "points": held.c.points,
        "stamps_value": func.div(
            held.c.stamps * LoyaltyProgram.stamps_reward_value_cents, LoyaltyProgram.stamps_target
        ),
        "points_value": func.div(held.c.points * cheapest.c.value_cents, cheapest.c.points_required),
    }
    query = (
        select(
            Vendor.currency,
            # What one shop's settings make of its points may be larger than 64 bits hold, and must not hide the others.
            *(cast(func.coalesce(func.sum(value), 0), Numeric).label(name) for name, value in sums.items()),
        )
        .select_from(Vendor)
        .join(LoyaltyProgram, LoyaltyProgram.vendor_id == Vendor.id)
        .outerjoin(held, held.c.vendor_id == Vendor.id)
        .outerjoin(cheapest, cheapest.c.program_id == LoyaltyProgram.id)
        .group_by(Vendor.currency)
        .order_by(Vendor.currency)
    )
    return list(db.session.execute(query).all())


def _counts(at: datetime) -> tuple[int, int, int]:
    since = at.astimezone(UTC).date() - timedelta(days=ACTIVE_DAYS - 1)
    cards = select(func.count()).where(CardStats.is_active, CardStats.last_visit_day >= since)
    row = db.session.execute(
        select(
            func.count().label("vendors"),
            func.count().filter(Vendor.status == "active").label("active"),
            cards.scalar_subquery().label("cards"),
        ).select_from(Vendor)
    ).one()
    return row.vendors, row.active, row.cards


def _money(row: AnyRow, parted: Parted) -> Money:
    revenue = Figure(parted.totals.revenue_cents, parted.before.revenue_cents)
    return Money(row.currency, revenue, int(row.stamps_value), int(row.points_value))
