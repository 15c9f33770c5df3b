"""Statistics of a vendor and its stores, read from the sums of days: a page costs the same whatever the ledger's size.

Days are the vendor's own. What each figure counts is said in `models/stats.py`. Money is in minor units of the
vendor's currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, cast, func, select

from loyalty.database import db
from loyalty.domain.values import Actor, Role
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.stats import CardStats, DailyStats, DailyVisitTimes, StatsStanding
from loyalty.models.vendors import Store
from loyalty.services import roles
from loyalty.services.stats_figures import (
    Figure,
    Standing,
    Totals,
    add_up,
    at_store,
    cheapest_rewards,
    sums,
    totals_of,
    value_of,
)
from loyalty.services.stats_periods import Period

ACTIVE_DAYS: Final = 30
HOURS_FROM_DAYS: Final = 91


@dataclass(frozen=True, slots=True)
class Parted:
    """A period and the one before: their totals, and each of their days."""

    totals: Totals
    before: Totals
    trend: Mapping[date, Totals] = field(repr=False)
    trend_before: Mapping[date, Totals] = field(repr=False)

    def figure(self, name: str) -> Figure:
        """Return one of the totals beside its value of the period before."""
        return Figure(getattr(self.totals, name), getattr(self.before, name))


@dataclass(frozen=True, slots=True)
class Overview(Parted):
    """What happened in a period and before, and how things stand today."""

    period: Period
    standing: Standing


@dataclass(frozen=True, slots=True)
class StoreTotals:
    """One store's part; without a store: what happened in the office or on phones."""

    store_id: UUID | None
    code: str | None
    name: str | None
    active: bool
    members: int
    totals: Totals


def overview(*, actor: Actor, period: Period) -> Overview:
    """Sum up a period beside the one before, with each of its days, and say how things stand today."""
    roles.require(actor=actor, role=Role.MANAGER)
    rows = db.session.execute(
        select(DailyStats.local_day, *sums())
        .where(
            DailyStats.vendor_id == actor.vendor_id,
            DailyStats.local_day.between(period.before[0], period.last),
            at_store(DailyStats.store_id, period.store_id),
        )
        .group_by(DailyStats.local_day)
    )
    parted = part(period.first, period.last, {row.local_day: totals_of(row) for row in rows})
    return Overview(parted.totals, parted.before, parted.trend, parted.trend_before, period, _standing(actor, period))


def by_store(*, actor: Actor, period: Period) -> list[StoreTotals]:
    """Compare the stores of the vendor, open ones first by name, and last what no store was part of."""
    roles.require(actor=actor, role=Role.MANAGER)
    added = (
        select(DailyStats.store_id, *sums())
        .where(DailyStats.vendor_id == actor.vendor_id, DailyStats.local_day.between(period.first, period.last))
        .group_by(DailyStats.store_id)
        .subquery("added")
    )
    # Wherever days were counted, it also stands how things stand.
    counted = (
        select(StatsStanding.members, *added.c, StatsStanding.store_id.label("place"))
        .outerjoin(added, added.c.store_id.is_not_distinct_from(StatsStanding.store_id))
        .where(StatsStanding.vendor_id == actor.vendor_id, at_store(StatsStanding.store_id, period.store_id))
        .subquery("counted")
    )
    stores = (
        select(Store.id, Store.code, Store.name, Store.active)
        .where(Store.vendor_id == actor.vendor_id, at_store(Store.id, period.store_id))
        .subquery("mine")
    )
    both = stores.outerjoin(counted, counted.c.place == stores.c.id, full=True)
    rows = db.session.execute(
        select(stores, counted)
        .select_from(both)
        .order_by(stores.c.active.desc().nulls_last(), stores.c.name, stores.c.id)
    )
    return [
        StoreTotals(
            store_id=row.id,
            code=row.code,
            name=row.name,
            active=row.id is None or row.active,
            members=row.members or 0,
            totals=Totals() if row.transactions is None else totals_of(row),
        )
        for row in rows
    ]


def by_hour(*, actor: Actor, period: Period) -> list[list[int]]:
    """Count the visits of each hour of the week: seven lists from Monday on, of 24 hours in the vendor's zone.

    Of a long period the last 91 days are counted.
    """
    roles.require(actor=actor, role=Role.MANAGER)
    first = max(period.first, period.last - timedelta(days=HOURS_FROM_DAYS - 1))
    rows = db.session.execute(
        select(DailyVisitTimes.quarter_at, cast(func.sum(DailyVisitTimes.visits), BigInteger).label("visits"))
        .where(
            DailyVisitTimes.vendor_id == actor.vendor_id,
            DailyVisitTimes.local_day.between(first, period.last),
            at_store(DailyVisitTimes.store_id, period.store_id),
        )
        .group_by(DailyVisitTimes.quarter_at)
    )
    week, zone = [[0] * 24 for _ in range(7)], ZoneInfo(period.timezone)
    for row in rows:
        local = row.quarter_at.astimezone(zone)
        week[local.weekday()][local.hour] += row.visits
    return week


def part(first: date, last: date, days: Mapping[date, Totals]) -> Parted:
    """Part days into a period and the one before; days on which nothing happened are there with zeros."""
    length = last - first + timedelta(days=1)
    trend, trend_before = (
        {day: days.get(day, Totals()) for day in _each_day(*ends)}
        for ends in ((first, last), (first - length, last - length))
    )
    return Parted(
        totals=add_up(trend.values()),
        before=add_up(trend_before.values()),
        trend=trend,
        trend_before=trend_before,
    )


def _standing(actor: Actor, period: Period) -> Standing:
    cards, days, stand = CardStats, DailyStats, StatsStanding
    since = period.today - timedelta(days=ACTIVE_DAYS - 1)
    active = select(func.count()).where(
        cards.vendor_id == actor.vendor_id,
        cards.is_active,
        cards.last_visit_day >= since,
        at_store(cards.store_id, period.store_id),
    )
    new = select(func.coalesce(func.sum(days.cards_created), 0)).where(
        days.vendor_id == actor.vendor_id,
        days.local_day >= period.today.replace(day=1),
        at_store(days.store_id, period.store_id),
    )
    held = [func.coalesce(func.sum(column), 0) for column in (stand.members, stand.stamps, stand.points)]
    mine = (stand.vendor_id == actor.vendor_id) & at_store(stand.store_id, period.store_id)
    cheapest = cheapest_rewards(actor.vendor_id)
    program = (
        select(
            LoyaltyProgram.stamps_target,
            LoyaltyProgram.stamps_reward_value_cents,
            cheapest.c.points_required,
            cheapest.c.value_cents,
            active.scalar_subquery().label("active"),
            new.scalar_subquery().label("new"),
            *(select(column).where(mine).scalar_subquery() for column in held),
        )
        .outerjoin(cheapest, cheapest.c.program_id == LoyaltyProgram.id)
        .where(LoyaltyProgram.vendor_id == actor.vendor_id)
    )
    target, worth, price, value, active_now, joined, members, stamps, points = db.session.execute(program).one()
    return Standing(
        members=int(members),
        active_30_days=active_now,
        new_this_month=int(joined),
        outstanding_stamps=int(stamps),
        outstanding_points=int(points),
        stamps_value_cents=value_of(int(stamps), worth, target),
        points_value_cents=value_of(int(points), value, price),
    )


def _each_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
