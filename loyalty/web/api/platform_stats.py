"""Statistics of the whole platform."""

from datetime import UTC, date, datetime

from pydantic import Field

from loyalty.domain.values import Admin, Scope
from loyalty.services import stats_platform
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import Answer
from loyalty.web.api.stats import RENAMED, DaySums, PeriodQuery, Sums


class CurrencyMoney(Answer):
    """Money of all vendors of one currency."""

    currency: str = Field(examples=["EUR"])
    revenue_cents: int = Field(examples=[84200])
    revenue_cents_before: int = Field(examples=[79100])
    stamps_value_cents: int = Field(examples=[97200])
    points_value_cents: int = Field(examples=[62400])


class PlatformStats(Answer):
    """All vendors; `revenue_cents` of the sums is 0, since currencies do not add up: see `money`."""

    from_date: date
    to_date: date
    vendors: int = Field(examples=[40])
    vendors_active: int = Field(examples=[38])
    members: int = Field(examples=[9200])
    active_30_days: int = Field(examples=[4100])
    outstanding_stamps: int = Field(examples=[31000])
    outstanding_points: int = Field(examples=[820000])
    totals: Sums
    before: Sums
    days: list[DaySums]
    money: list[CurrencyMoney]


@operation(
    "GET",
    "/admin/loyalty/stats",
    scope=Scope.PLATFORM,
    query=PeriodQuery,
    answers=PlatformStats,
    tag="Platform",
    renamed=RENAMED,
)
def get_platform_stats(admin: Admin, query: PeriodQuery) -> PlatformStats:
    """Sum up all vendors in a period, beside the period before."""
    seen = stats_platform.overview(admin=admin, first=query.from_date, last=query.to_date, at=datetime.now(UTC))
    return PlatformStats.of(
        seen,
        from_date=seen.period.first,
        to_date=seen.period.last,
        totals=Sums.of(seen.totals),
        before=Sums.of(seen.before),
        days=[DaySums.of(totals, day=day) for day, totals in seen.trend.items()],
        money=[_money(each) for each in seen.money],
    )


def _money(each: stats_platform.Money) -> CurrencyMoney:
    taken = each.revenue_cents
    return CurrencyMoney.of(each, revenue_cents=taken.value, revenue_cents_before=taken.before)
