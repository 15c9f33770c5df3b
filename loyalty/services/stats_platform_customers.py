"""Customers of all shops: who joins, comes back and stays away, what wallets hold, and the shops side by side.

No name and no address leaves the shops. These read a row for each card, where the platform's days are sums.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, and_, cast, func, not_, select, true

from loyalty.database import db
from loyalty.domain.values import Admin
from loyalty.models.cards import LoyaltyCard
from loyalty.models.outbox import OutboxMessage
from loyalty.models.passes import AppleDeviceRegistration
from loyalty.models.stats import CardStats, DailyStats
from loyalty.models.vendors import Vendor
from loyalty.services import replaced_codes, wallet_states
from loyalty.services.stats_customers import AtRisk, Cohort, Funnel, count_quiet, count_way, follow
from loyalty.services.stats_periods import Days, span
from loyalty.services.stats_revenue import check_months

MOST_SHOPS: Final = 20
TOLD_SINCE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Wallets:
    """Where members have their card: a card in both wallets counts in both, `neither` have it on the web alone.

    `told` and `given_up` count what wallets were to be told in the last 24 hours.
    """

    members: int
    in_apple: int
    in_google: int
    neither: int
    told: int
    given_up: int


@dataclass(frozen=True, slots=True)
class ShopTotals:
    """What a shop did in some days."""

    vendor_id: UUID
    name: str
    visits: int
    cards_created: int
    redemptions: int


@dataclass(frozen=True, slots=True)
class PlatformCustomers:
    """Days of UTC's calendar; `shops` are those with the most visits in them, at most 20 of `shops_in_all`."""

    period: Days
    funnel: Funnel
    cohorts: list[Cohort]
    quiet: AtRisk
    wallets: Wallets
    shops: list[ShopTotals]
    shops_in_all: int


def look(
    *, admin: Admin, first: date | None = None, last: date | None = None, months: int = 6, at: datetime
) -> PlatformCustomers:
    """Put together who joined in a period, who came back by month and who stays away; `admin` is who asks for it."""
    check_months(months)
    today = at.astimezone(UTC).date()
    begin, end = span(first=first, last=last, today=today)
    days = Days(begin, end, today)
    shops, in_all = _compare(days)
    return PlatformCustomers(
        period=days,
        funnel=count_way(whose=true(), days=days),
        cohorts=follow(whose=true(), months=months, today=today),
        quiet=count_quiet(whose=CardStats.is_active.is_(True), today=today),
        wallets=_count_wallets(at),
        shops=shops,
        shops_in_all=in_all,
    )


def _count_wallets(at: datetime) -> Wallets:
    # Joined, where a condition would look the phones of each card up by themselves.
    phones = select(AppleDeviceRegistration.card_id).distinct().subquery("phones")
    apple, google = phones.c.card_id.is_not(None), LoyaltyCard.google_saved_at.is_not(None)
    cards = db.session.execute(
        select(
            func.count().label("members"),
            func.count().filter(apple).label("in_apple"),
            func.count().filter(google).label("in_google"),
            func.count().filter(and_(not_(apple), not_(google))).label("neither"),
        )
        .select_from(LoyaltyCard)
        .outerjoin(phones, phones.c.card_id == LoyaltyCard.id)
        .where(LoyaltyCard.is_active, replaced_codes.is_card())
    ).one()
    since = at - TOLD_SINCE
    told = _count_told(OutboxMessage.delivered_at >= since)
    given_up = _count_told(and_(OutboxMessage.delivered_at.is_(None), OutboxMessage.gave_up_at >= since))
    return Wallets(cards.members, cards.in_apple, cards.in_google, cards.neither, told, given_up)


def _count_told(condition: ColumnElement[bool]) -> int:
    query = select(func.count()).where(OutboxMessage.kind.in_(wallet_states.KINDS.values()), condition)
    return db.session.execute(query).scalar_one()


def _compare(days: Days) -> tuple[list[ShopTotals], int]:
    columns = (DailyStats.visits, DailyStats.cards_created, DailyStats.redemptions)
    sums = [cast(func.sum(column), BigInteger).label(column.key) for column in columns]
    added = (
        select(DailyStats.vendor_id, *sums)
        .where(DailyStats.local_day.between(days.first, days.last))
        .group_by(DailyStats.vendor_id)
        .cte("added")
    )
    # Counted beside the rows: how many shops something happened at.
    in_all = select(func.count()).select_from(added).scalar_subquery()
    rows = db.session.execute(
        select(added, Vendor.name, in_all.label("in_all"))
        .join(Vendor, Vendor.id == added.c.vendor_id)
        .order_by(added.c.visits.desc(), added.c.cards_created.desc(), Vendor.name, Vendor.id)
        .limit(MOST_SHOPS)
    ).all()
    shops = [ShopTotals(row.vendor_id, row.name, row.visits, row.cards_created, row.redemptions) for row in rows]
    return shops, rows[0].in_all if rows else 0
