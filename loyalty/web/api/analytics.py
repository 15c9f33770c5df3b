"""Statistics of a shop's customers and sales: who comes back, who stays away, and what was sold."""

from datetime import UTC, date, datetime
from uuid import UUID

from pydantic import Field

from loyalty.domain.values import Actor, Scope
from loyalty.services import stats_customers, stats_revenue
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import Answer, Code, Query
from loyalty.web.api.stats import AT_STORE, find_store_id


class MonthsQuery(Query):
    """How many months up to the present one, and of which store."""

    months: int = Field(default=6, ge=1, le=24)
    store_code: Code | None = AT_STORE


class RevenueQuery(MonthsQuery):
    """How many months up to the present one, and of which store."""

    months: int = Field(default=12, ge=1, le=24)


class ChurnQuery(Query):
    """How many cards to list, and of which store."""

    limit: int = Field(default=50, ge=1, le=200)
    store_code: Code | None = AT_STORE


class CohortRow(Answer):
    """Who joined in a month, and how many of them came in each month from that one on."""

    month: date = Field(examples=["2026-10-01"])
    joined: int = Field(examples=[31])
    visited: list[int] = Field(examples=[[29, 14]])


class Cohorts(Answer):
    """One row for each month, oldest first."""

    cohorts: list[CohortRow]


class QuietCard(Answer):
    """A card whose customer stays away; `every_days` is null for one with fewer than two visits."""

    card_id: UUID
    card_number: str = Field(examples=["4812037756"])
    visits: int = Field(examples=[14])
    last_visit_day: date | None
    silent_days: int = Field(examples=[33])
    every_days: int | None = Field(examples=[9])


class Churn(Answer):
    """Members at risk: silent for over twice their own interval, newcomers for over 60 days; most visits first."""

    members: int = Field(examples=[480])
    at_risk: int = Field(examples=[41])
    regulars: int = Field(examples=[25])
    newcomers: int = Field(examples=[16])
    cards: list[QuietCard]


class StoreRevenue(Answer):
    """One store's part of a month; null names stand for the office."""

    store_id: UUID | None
    code: str | None = Field(examples=["main"])
    name: str | None = Field(examples=["Main Street"])
    purchases: int = Field(examples=[190])
    revenue_cents: int = Field(examples=[84200])


class MonthRevenue(Answer):
    """Recorded purchases of a month, less what was taken back."""

    month: date = Field(examples=["2026-10-01"])
    purchases: int = Field(examples=[190])
    revenue_cents: int = Field(examples=[84200])
    stores: list[StoreRevenue]


class Revenue(Answer):
    """Revenue of recorded purchases, oldest month first."""

    currency: str = Field(examples=["EUR"])
    months: list[MonthRevenue]


@operation(
    "GET",
    "/vendor/loyalty/analytics/cohorts",
    scope=Scope.MANAGE,
    query=MonthsQuery,
    answers=Cohorts,
    tag="Statistics",
)
def get_cohorts(actor: Actor, query: MonthsQuery) -> Cohorts:
    """Follow those who joined in each month: how many came again in the months after it."""
    store_id = find_store_id(actor, query.store_code)
    rows = stats_customers.cohorts(actor=actor, months=query.months, store_id=store_id, at=datetime.now(UTC))
    return Cohorts(cohorts=[CohortRow.of(row, visited=list(row.visited)) for row in rows])


@operation(
    "GET",
    "/vendor/loyalty/analytics/churn",
    scope=Scope.MANAGE,
    query=ChurnQuery,
    answers=Churn,
    tag="Statistics",
)
def get_churn(actor: Actor, query: ChurnQuery) -> Churn:
    """Find the members who stay away for longer than they used to."""
    store_id = find_store_id(actor, query.store_code)
    seen = stats_customers.at_risk(actor=actor, store_id=store_id, most=query.limit, at=datetime.now(UTC))
    return Churn.of(seen, at_risk=seen.number, cards=[QuietCard.of(card) for card in seen.cards])


@operation(
    "GET",
    "/vendor/loyalty/analytics/revenue",
    scope=Scope.MANAGE,
    query=RevenueQuery,
    answers=Revenue,
    tag="Statistics",
)
def get_revenue(actor: Actor, query: RevenueQuery) -> Revenue:
    """Sum up the recorded purchases of each month and store."""
    store_id = find_store_id(actor, query.store_code)
    seen = stats_revenue.by_month(actor=actor, months=query.months, store_id=store_id, at=datetime.now(UTC))
    months = [
        MonthRevenue.of(month, stores=[StoreRevenue.of(store) for store in month.stores]) for month in seen.months
    ]
    return Revenue(currency=seen.currency, months=months)
