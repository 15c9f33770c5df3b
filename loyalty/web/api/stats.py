"""Statistics of a shop: what happened in a period, by day, store and hour, and how things stand."""

from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from pydantic import Field

from loyalty.domain.values import Actor, Scope
from loyalty.services import key_holders, stats, stats_customers, stats_periods
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import Answer, Code, Query

AT_STORE: Final = Field(default=None, description="One store; all of them where it is left out.", examples=["main"])
RENAMED: Final = {"first": "from_date", "last": "to_date"}


class PeriodQuery(Query):
    """Which days, both included; the last 30 where nothing is said."""

    from_date: date | None = Field(default=None, examples=["2026-11-01"])
    to_date: date | None = Field(default=None, description="Today where it is left out.", examples=["2026-11-30"])


class StatsQuery(PeriodQuery):
    """Which days, and of which store."""

    store_code: Code | None = AT_STORE


class Sums(Answer):
    """What days add up to. Visits, redemptions, purchases and revenue are without what was taken back."""

    transactions: int = Field(examples=[412])
    visits: int = Field(description="A card that came to a store on a day counts once.", examples=[280])
    cards_created: int = Field(examples=[31])
    stamps_earned: int = Field(examples=[305])
    stamps_redeemed: int = Field(examples=[120])
    stamps_voided: int = Field(examples=[4])
    stamps_adjusted: int = Field(examples=[2])
    points_earned: int = Field(examples=[8420])
    points_redeemed: int = Field(examples=[3000])
    points_voided: int = Field(examples=[125])
    points_adjusted: int = Field(examples=[-10])
    points_expired: int = Field(examples=[0])
    redemptions: int = Field(examples=[17])
    purchases: int = Field(examples=[190])
    revenue_cents: int = Field(examples=[84200])


class DaySums(Sums):
    """One of the shop's days."""

    day: date = Field(examples=["2026-11-20"])


class StoreSums(Sums):
    """One store's part; null names stand for what happened in the office or on phones."""

    store_id: UUID | None
    code: str | None = Field(examples=["main"])
    name: str | None = Field(examples=["Main Street"])
    members: int = Field(description="Of the cards made there.", examples=[210])


class FunnelSteps(Answer):
    """Of those who joined in the period: who has gone how far by now."""

    joined: int = Field(examples=[31])
    in_wallet: int = Field(examples=[22])
    second_visit: int = Field(examples=[15])
    first_reward: int = Field(examples=[6])


class Stats(Answer):
    """A period beside as many days before, and how things stand today. Money is in minor units of `currency`."""

    from_date: date
    to_date: date
    timezone: str = Field(examples=["Europe/Luxembourg"])
    currency: str = Field(examples=["EUR"])
    members: int = Field(examples=[480])
    active_30_days: int = Field(examples=[190])
    new_this_month: int = Field(examples=[12])
    outstanding_stamps: int = Field(examples=[1800])
    outstanding_points: int = Field(examples=[52000])
    stamps_value_cents: int | None = Field(
        description="Stamps x worth of the reward / target, rounded down; null where no worth is set.", examples=[97200]
    )
    points_value_cents: int | None = Field(
        description="By price and worth of the cheapest reward with a worth, rounded down.", examples=[62400]
    )
    totals: Sums
    before: Sums
    days: list[DaySums]
    stores: list[StoreSums]
    hours: list[list[int]] = Field(
        description="Visits of the week: seven lists from Monday on, of 24 hours; of the last 91 days at most.",
        examples=[[[0] * 24] * 7],
    )
    funnel: FunnelSteps


@operation(
    "GET",
    "/vendor/loyalty/stats",
    scope=Scope.MANAGE,
    query=StatsQuery,
    answers=Stats,
    tag="Statistics",
    renamed=RENAMED,
)
def get_stats(actor: Actor, query: StatsQuery) -> Stats:
    """Sum up a period, by day, store and hour, beside the period before."""
    period = stats_periods.choose(
        actor=actor,
        first=query.from_date,
        last=query.to_date,
        store_id=find_store_id(actor, query.store_code),
        at=datetime.now(UTC),
    )
    seen = stats.overview(actor=actor, period=period)
    return Stats.of(
        seen.standing,
        from_date=period.first,
        to_date=period.last,
        timezone=period.timezone,
        currency=period.currency,
        totals=Sums.of(seen.totals),
        before=Sums.of(seen.before),
        days=[DaySums.of(totals, day=day) for day, totals in seen.trend.items()],
        stores=[
            StoreSums.of(store.totals, store_id=store.store_id, code=store.code, name=store.name, members=store.members)
            for store in stats.by_store(actor=actor, period=period)
        ],
        hours=stats.by_hour(actor=actor, period=period),
        funnel=FunnelSteps.of(stats_customers.funnel(actor=actor, period=period)),
    )


def find_store_id(actor: Actor, code: str | None) -> UUID | None:
    """Return the store that a question names, None where it means all."""
    return key_holders.get_store_id(actor=actor, code=code) if code else None
