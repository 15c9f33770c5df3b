"""What another rule of expiry would mean: how many customers and points, by the month in which they would expire."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Date, cast, func, select

from loyalty.database import AnyRow, db
from loyalty.domain import bounds
from loyalty.domain.expiry import WARNING_DAYS, EndedRule, Rules, by_month, last_day
from loyalty.domain.limits import local_day
from loyalty.domain.values import Actor, Role
from loyalty.errors import ProgramNotFound
from loyalty.models.cards import LoyaltyCard
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor
from loyalty.services import expiry_rules, roles


@dataclass(frozen=True, slots=True)
class Month:
    """A month, named by its first day, with the cards and points whose last day lies in it."""

    first: date
    cards: int
    points: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What expires when, if nobody came any more; no months where points do not expire."""

    days: int | None
    months: tuple[Month, ...]

    @property
    def cards(self) -> int:
        """All cards with points."""
        return sum(month.cards for month in self.months)

    @property
    def points(self) -> int:
        """All points."""
        return sum(month.points for month in self.months)


def preview(*, actor: Actor, days: int | None, at: datetime) -> Outlook:
    """Say what would expire when under this rule, with all that was promised before; nothing is saved."""
    roles.require(actor=actor, role=Role.MANAGER)
    row = db.session.execute(
        select(LoyaltyProgram, Vendor.timezone)
        .join(Vendor, Vendor.id == LoyaltyProgram.vendor_id)
        .where(LoyaltyProgram.vendor_id == actor.vendor_id)
    ).one_or_none()
    if row is None:
        raise ProgramNotFound
    if days is None or not bounds.PROGRAM["points_expiration_days"][0] <= days <= _MOST:
        return Outlook(None, ())
    today = local_day(at, row.timezone)
    rules = _changed(expiry_rules.read(row.LoyaltyProgram), days, today)
    groups = [_ending(rules, group, today) for group in _groups(actor, row.timezone)]
    return Outlook(days, tuple(Month(*month) for month in by_month(groups)))


_MOST = bounds.PROGRAM["points_expiration_days"][1]


def _changed(rules: Rules, days: int, today: date) -> Rules:
    """Return the rules as they would be after a change today."""
    if days == rules.days:
        return rules
    return replace(rules, days=days, ended=(*rules.ended, EndedRule(rules.days, today)))


def _groups(actor: Actor, timezone: str) -> list[AnyRow]:
    """Add up the cards with points that have the same days."""
    active_at = func.coalesce(LoyaltyCard.last_activity_at, LoyaltyCard.created_at)
    active_on, joined_on = (cast(func.timezone(timezone, at), Date) for at in (active_at, LoyaltyCard.created_at))
    query = (
        select(
            active_on.label("active_on"),
            joined_on.label("joined_on"),
            LoyaltyCard.points_kept_until,
            func.count().label("cards"),
            func.sum(LoyaltyCard.points_balance).label("points"),
        )
        .where(LoyaltyCard.vendor_id == actor.vendor_id, LoyaltyCard.is_active, LoyaltyCard.points_balance > 0)
        .group_by("active_on", "joined_on", LoyaltyCard.points_kept_until)
    )
    return list(db.session.execute(query))


def _ending(rules: Rules, group: AnyRow, today: date) -> tuple[date, int, int]:
    """Say when a group's points end: nobody's before everybody could be warned."""
    day = last_day(
        rules=rules, active_on=group.active_on, joined_on=group.joined_on, kept_until=group.points_kept_until
    )
    return max(day or today, today + timedelta(days=WARNING_DAYS)), group.cards, int(group.points)
