"""After how many days points expire, and what was promised before: the rules that a program has had."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select

from loyalty.database import clock, db
from loyalty.domain.expiry import EndedRule, Rules
from loyalty.domain.limits import local_day
from loyalty.domain.values import LoyaltyType
from loyalty.models.programs import EndedExpiryRule, LoyaltyProgram
from loyalty.models.vendors import Vendor


def days_now(program: LoyaltyProgram) -> int | None:
    """Return after how many days points expire now; None: never, also while nobody could collect any.

    Nobody can once the end of the program is announced: what was collected is promised until its last day.
    """
    collects = program.is_active and program.closes_on is None and program.loyalty_type != LoyaltyType.STAMPS
    return program.points_expiration_days if collects else None


def read(program: LoyaltyProgram) -> Rules:
    """Read the present rule and all before it."""
    query = (
        select(EndedExpiryRule.days, EndedExpiryRule.ended_on)
        .where(EndedExpiryRule.program_id == program.id)
        .order_by(EndedExpiryRule.number)
    )
    ended = tuple(EndedRule(row.days, row.ended_on) for row in db.session.execute(query))
    return Rules(days_now(program), ended)


def note_ended(*, program: LoyaltyProgram, days: int | None) -> None:
    """Keep in the caller's transaction, with the program locked, that a rule ended today; nothing where it goes on."""
    if days != days_now(program):
        _end(program.id, program.vendor_id, days, clock())


def start_anew(*, vendor_id: UUID, at: datetime) -> None:
    """Let the days begin anew today, in the caller's transaction: the shop was closed to its customers until now."""
    query = select(LoyaltyProgram).where(LoyaltyProgram.vendor_id == vendor_id).with_for_update()
    program = db.session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if program is not None:
        _end(program.id, vendor_id, None, at)


def _end(program_id: UUID, vendor_id: UUID, days: int | None, at: datetime) -> None:
    zone = db.session.execute(select(Vendor.timezone).where(Vendor.id == vendor_id)).scalar_one()
    mine = EndedExpiryRule.program_id == program_id
    last = db.session.scalar(select(func.coalesce(func.max(EndedExpiryRule.number), 0)).where(mine))
    row = {"program_id": program_id, "number": int(last or 0) + 1, "vendor_id": vendor_id, "created_at": at}
    db.session.execute(insert(EndedExpiryRule).values(days=days, ended_on=local_day(at, zone), **row))
