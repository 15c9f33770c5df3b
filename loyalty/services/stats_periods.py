"""The days that statistics are asked for: of the vendor's own calendar, of one store or of all."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import false, select

from loyalty.database import db
from loyalty.domain.limits import local_day
from loyalty.domain.values import Actor, Role
from loyalty.errors import N_, NotFound, ValidationError
from loyalty.models.vendors import Store, Vendor
from loyalty.services import roles

USUAL_DAYS: Final = 30
LONGEST_DAYS: Final = 731
FIRST_YEAR: Final = 2000


@dataclass(frozen=True, slots=True)
class Days:
    """Some days, both ends included, of whatever calendar."""

    first: date
    last: date
    today: date

    @property
    def days(self) -> int:
        """How many days these are."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> tuple[date, date]:
        """The first and the last of as many days before."""
        return self.first - timedelta(days=self.days), self.first - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period(Days):
    """The days of a vendor that are asked for, of one store or of all; made by `choose`."""

    timezone: str
    currency: str
    store_id: UUID | None = None
    store_name: str | None = None


def choose(
    *,
    actor: Actor,
    first: date | None = None,
    last: date | None = None,
    store_id: UUID | None = None,
    at: datetime,
) -> Period:
    """Choose the days to look at: up to today where no last one is given, 30 of them where no first one is."""
    roles.require(actor=actor, role=Role.MANAGER)
    row = db.session.execute(
        select(Vendor.timezone, Vendor.currency, Store.id, Store.name)
        .outerjoin(Store, (Store.vendor_id == Vendor.id) & (Store.id == store_id if store_id else false()))
        .where(Vendor.id == actor.vendor_id)
    ).one_or_none()
    if row is None or (store_id and row.id is None):
        raise NotFound
    today = local_day(at, row.timezone)
    begin, end = span(first=first, last=last, today=today)
    return Period(begin, end, today, row.timezone, row.currency, row.id, row.name)


def span(*, first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """Complete the ends of a period and refuse those that cannot be shown; days to come are left out."""
    end = min(last or today, today)
    if end.year < FIRST_YEAR:
        raise ValidationError({"last": N_("Choose days from the year 2000 on.")})
    begin = first or end - timedelta(days=USUAL_DAYS - 1)
    if begin > end:
        raise ValidationError({"first": N_("The first day must not come after the last.")})
    if (end - begin).days >= LONGEST_DAYS:
        raise ValidationError({"first": N_("Choose at most two years.")})
    return begin, end
