"""The cards whose points a night may be about: found without locks, then locked and read anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, or_, select, true

from loyalty.database import AnyRow, AnySelect, db
from loyalty.domain.expiry import AGAIN_AFTER, WARNING_DAYS, Holding, Mail
from loyalty.domain.limits import local_day
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.services import ledger, messages

WARNING: Final = "points_expiring"

# Zones lie up to a day apart from UTC: found a little too early, and then looked at in the shop's days.
_SLACK: Final = timedelta(days=2)
_ACTIVE_AT: Final = func.coalesce(LoyaltyCard.last_activity_at, LoyaltyCard.created_at)
# The mail of the warning that stands: a card without a warning is not looked up among the mails.
_mail = (
    select(
        EmailLog.state,
        EmailLog.sent_at,
        EmailLog.created_at,
        EmailLog.address_hash,
        EmailLog.facts["points"].as_integer().label("points"),
    )
    .where(
        EmailLog.card_id == LoyaltyCard.id,
        EmailLog.kind == WARNING,
        EmailLog.created_at >= LoyaltyCard.last_expiration_warning_at,
        LoyaltyCard.points_good_until.is_not(None),
    )
    .order_by(EmailLog.created_at.desc(), EmailLog.id.desc())
    .limit(1)
    .correlate(LoyaltyCard)
    .lateral("mail")
)
_CARD: Final = (
    select(
        LoyaltyCard.id,
        LoyaltyCard.vendor_id,
        LoyaltyCard.card_number,
        LoyaltyCard.created_at,
        LoyaltyCard.google_saved_at,
        LoyaltyCard.last_expiration_warning_at,
        LoyaltyCard.points_good_until,
        LoyaltyCard.points_kept_until,
        *ledger.CARD_COLUMNS,
        Customer.email,
        Customer.email_bounced_at,
        Customer.locale,
        _mail.c.state.label("mail_state"),
        _mail.c.sent_at.label("mail_sent_at"),
        _mail.c.created_at.label("mail_created_at"),
        _mail.c.address_hash.label("mail_address_hash"),
        _mail.c.points.label("mail_points"),
    )
    .join(Customer, Customer.id == LoyaltyCard.customer_id)
    .outerjoin(_mail, true())
    .order_by(LoyaltyCard.id)
)


@dataclass(frozen=True, slots=True)
class Night:
    """The moment of a run, and the shop's zone and calendar day."""

    at: datetime
    timezone: str
    today: date


def night(*, at: datetime, timezone: str) -> Night:
    """Say which day it is for a shop."""
    return Night(at, timezone, local_day(at, timezone))


def end_of(day: date, timezone: str) -> datetime:
    """Return the moment at which a day of the shop is over."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def find(*, vendor_id: UUID, days: int, night: Night) -> Sequence[AnyRow]:
    """Read all cards of a vendor that may have to be warned, or whose warning may have come to its end."""
    silent_since = night.at - timedelta(days=days - WARNING_DAYS) + _SLACK
    silent = and_(LoyaltyCard.points_balance > 0, silent_since >= _ACTIVE_AT)
    return _read(LoyaltyCard.vendor_id == vendor_id, or_(silent, LoyaltyCard.points_good_until.is_not(None)))


def lock(*, vendor_id: UUID, card_ids: Sequence[UUID]) -> Sequence[AnyRow]:
    """Lock those of the cards that nobody else holds, and read them anew: in the statement after the locks."""
    mine = (LoyaltyCard.vendor_id == vendor_id, LoyaltyCard.id.in_(card_ids))
    locking = select(LoyaltyCard.id).where(*mine).order_by(LoyaltyCard.id).with_for_update(skip_locked=True)
    locked = list(db.session.execute(locking).scalars())
    return _read(LoyaltyCard.vendor_id == vendor_id, LoyaltyCard.id.in_(locked)) if locked else []


def holding(row: AnyRow, night: Night) -> Holding:
    """Say what of a card decides, in days of the shop."""
    zone, warned_at = night.timezone, row.last_expiration_warning_at
    used_since = bool(warned_at and row.last_activity_at and row.last_activity_at > warned_at)
    mail = _mail_of(row)
    return Holding(
        points=row.points_balance,
        active_on=local_day(row.last_activity_at or row.created_at, zone),
        joined_on=local_day(row.created_at, zone),
        announced=row.points_good_until,
        announced_on=local_day(warned_at, zone) if warned_at else None,
        used_since=used_since,
        kept_until=row.points_kept_until,
        mail=mail,
        mailed_on=local_day(row.mail_sent_at, zone) if mail is Mail.SENT else None,
        fit_again=mail is Mail.FAILED and not row.email_bounced_at and row.mail_created_at <= night.at - AGAIN_AFTER,
    )


def can_be_mailed(row: AnyRow) -> bool:
    """Whether there is an address, and mails to it do not come back."""
    return bool(row.email) and row.email_bounced_at is None


def _mail_of(row: AnyRow) -> Mail:
    """Say what became of the warning; what left with an unknown outcome may never have arrived."""
    if not row.email:
        return Mail.NOBODY
    if row.email_bounced_at:
        return Mail.FAILED
    # Sent to an address that was corrected since, nobody knows whether it was read; of points that came to the card
    # without a visit it said nothing.
    if row.mail_state is None or row.mail_address_hash != messages.address_hash(row.email):
        return Mail.NONE
    if row.points_balance > (row.mail_points or 0):
        return Mail.NONE
    if row.mail_state in ("waiting", "sending"):
        return Mail.WAITING
    return Mail.SENT if row.mail_state == "sent" else Mail.FAILED


def _read(*conditions: ColumnElement[bool]) -> Sequence[AnyRow]:
    query: AnySelect = _CARD.where(LoyaltyCard.is_active, *conditions)
    return db.session.execute(query).all()
