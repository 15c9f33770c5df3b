"""The revenue of recorded purchases, month by month and store by store."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Date, cast, func, select

from loyalty.database import db
from loyalty.domain.values import Actor, Role
from loyalty.errors import N_, ValidationError
from loyalty.models.stats import DailyStats
from loyalty.models.vendors import Store
from loyalty.services import roles, stats_periods
from loyalty.services.stats_figures import at_store
from loyalty.services.stats_periods import Period

MONTHS: Final = (1, 24)


@dataclass(frozen=True, slots=True)
class StoreRevenue:
    """One store's part of a month; without a store: purchases recorded in the office."""

    store_id: UUID | None
    code: str | None
    name: str | None
    purchases: int
    revenue_cents: int


@dataclass(frozen=True, slots=True)
class MonthRevenue:
    """A month, named by its first day, less what was taken back; `stores` only names those with purchases."""

    month: date
    purchases: int
    revenue_cents: int
    stores: tuple[StoreRevenue, ...]


@dataclass(frozen=True, slots=True)
class Revenue:
    """The last months up to the present one, oldest first, in minor units of `currency`."""

    currency: str
    months: tuple[MonthRevenue, ...]


def by_month(*, actor: Actor, months: int = 12, store_id: UUID | None = None, at: datetime) -> Revenue:
    """Sum up the recorded purchases of the last months, of one store or of all."""
    roles.require(actor=actor, role=Role.MANAGER)
    check_months(months)
    period = stats_periods.choose(actor=actor, store_id=store_id, at=at)
    wanted = list(last_months(period.today, months))
    found = _read(actor, period, wanted[0])
    return Revenue(
        currency=period.currency,
        months=tuple(
            MonthRevenue(
                month=month,
                purchases=sum(store.purchases for store in found.get(month, ())),
                revenue_cents=sum(store.revenue_cents for store in found.get(month, ())),
                stores=tuple(found.get(month, ())),
            )
            for month in wanted
        ),
    )


def check_months(months: int) -> None:
    """Refuse a number of months that no page shows."""
    if not MONTHS[0] <= months <= MONTHS[1]:
        raise ValidationError({"months": N_("Choose 1 to 24 months.")})


def last_months(today: date, months: int) -> Iterator[date]:
    """Yield the first days of the last months, the present one last."""
    present = today.year * 12 + today.month - 1
    for number in range(present - months + 1, present + 1):
        yield date(number // 12, number % 12 + 1, 1)


def _read(actor: Actor, period: Period, since: date) -> dict[date, list[StoreRevenue]]:
    month = cast(func.date_trunc("month", DailyStats.local_day), Date).label("month")
    added = (DailyStats.purchases, DailyStats.revenue_cents)
    sums = [cast(func.sum(column), BigInteger).label(column.key) for column in added]
    rows = db.session.execute(
        select(month, DailyStats.store_id, Store.code, Store.name, *sums)
        .outerjoin(Store, (Store.id == DailyStats.store_id) & (Store.vendor_id == DailyStats.vendor_id))
        .where(
            DailyStats.vendor_id == actor.vendor_id,
            DailyStats.local_day.between(since, period.today),
            DailyStats.purchases > 0,
            at_store(DailyStats.store_id, period.store_id),
        )
        .group_by(month, DailyStats.store_id, Store.code, Store.name)
        .order_by(month, Store.name, DailyStats.store_id)
    )
    found: dict[date, list[StoreRevenue]] = {}
    for row in rows:
        part = StoreRevenue(row.store_id, row.code, row.name, row.purchases, row.revenue_cents)
        found.setdefault(row.month, []).append(part)
    return found
