"""Figures per member of staff: off until the owner switches them on, from that day on, and for 90 days.

They watch people at work, so nothing is counted for a vendor that has not switched them on, and switching them off
deletes what was counted.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, cast, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import Base, db
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.models.pins import StaffPin
from loyalty.models.stats import DailyStaffStats, StaffReport
from loyalty.services import audit, idempotency, roles, stats_periods, stats_rollup
from loyalty.services.stats_figures import at_store
from loyalty.services.stats_periods import Period

COUNTS: Final = ("transactions", "cards_created", "stamps_earned", "points_earned", "redemptions", "voids")
_REPORTS: Final = Base.metadata.tables["staff_reports"]


@dataclass(frozen=True, slots=True)
class StaffReportReceipt:
    """Whether figures per member of staff are on."""

    is_on: bool
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class StaffTotals:
    """What a member of staff did; `redemptions` without those taken back, `voids` the entries they took back."""

    staff_pin_id: UUID
    name: str
    transactions: int
    cards_created: int
    stamps_earned: int
    points_earned: int
    redemptions: int
    voids: int


def find_since(*, actor: Actor) -> date | None:
    """Return the day since which figures per member of staff are counted, None where they are off."""
    roles.require(actor=actor, role=Role.MANAGER)
    return db.session.scalar(select(StaffReport.since_day).where(StaffReport.vendor_id == actor.vendor_id))


def by_staff(*, actor: Actor, period: Period) -> list[StaffTotals]:
    """Compare the members of staff by name; nobody is in the list while this is off."""
    roles.require(actor=actor, role=Role.MANAGER)
    sums = [cast(func.sum(getattr(DailyStaffStats, name)), BigInteger).label(name) for name in COUNTS]
    rows = db.session.execute(
        select(DailyStaffStats.staff_pin_id, StaffPin.name, *sums)
        .join(StaffPin, StaffPin.id == DailyStaffStats.staff_pin_id)
        .join(StaffReport, StaffReport.vendor_id == DailyStaffStats.vendor_id)
        .where(
            DailyStaffStats.vendor_id == actor.vendor_id,
            DailyStaffStats.local_day.between(period.first, period.last),
            at_store(DailyStaffStats.store_id, period.store_id),
        )
        .group_by(DailyStaffStats.staff_pin_id, StaffPin.name)
        .order_by(StaffPin.name, DailyStaffStats.staff_pin_id)
    )
    return [StaffTotals(**row._mapping) for row in rows]


def switch_on(*, actor: Actor, key: RequestKey, at: datetime) -> StaffReportReceipt:
    """Begin to count what each member of staff does, with today; once per key."""
    roles.require(actor=actor, role=Role.OWNER)
    today = stats_periods.choose(actor=actor, at=at).today

    def work() -> StaffReportReceipt:
        added = insert(_REPORTS).values(vendor_id=actor.vendor_id, since_day=today, created_at=at)
        # Switched on already: its first day stays.
        if db.session.scalar(added.on_conflict_do_nothing().returning(_REPORTS.c.vendor_id)):
            stats_rollup.mark_since(vendor_id=actor.vendor_id, first=today)
            audit.record(actor=actor, action="staff_report.on", subject_type="vendor", subject_id=actor.vendor_id)
        return StaffReportReceipt(is_on=True)

    return idempotency.run(key, StaffReportReceipt, work, vendor_id=actor.vendor_id)


def switch_off(*, actor: Actor, key: RequestKey) -> StaffReportReceipt:
    """Stop counting what each member of staff does, and delete what was counted; once per key."""
    roles.require(actor=actor, role=Role.OWNER)

    def work() -> StaffReportReceipt:
        # A count that is under way would write its rows after they were deleted.
        stats_rollup.wait_for_vendor(vendor_id=actor.vendor_id)
        mine = _REPORTS.c.vendor_id == actor.vendor_id
        if db.session.scalar(delete(_REPORTS).where(mine).returning(_REPORTS.c.vendor_id)):
            db.session.execute(delete(DailyStaffStats).where(DailyStaffStats.vendor_id == actor.vendor_id))
            audit.record(actor=actor, action="staff_report.off", subject_type="vendor", subject_id=actor.vendor_id)
        return StaffReportReceipt(is_on=False)

    return idempotency.run(key, StaffReportReceipt, work, vendor_id=actor.vendor_id)
