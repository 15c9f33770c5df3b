"""Mails that a shop sends of its own accord, to those who agreed: on birthdays, and to who stays away.

Everything is off until a shop switches it on, and nobody gets more than one such mail in a week. A mail is noted once
for its event, so a run may be killed, repeated and run twice at once.
"""

from calendar import isleap
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, and_, exists, extract, func, literal, or_, select
from sqlalchemy.orm import aliased

from loyalty.database import AnyRow, AnySelect, clock, db, transaction
from loyalty.domain.mails import MARKETING
from loyalty.domain.values import LoyaltyType
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog, MailSettings
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.stats import CardStats
from loyalty.models.vendors import Vendor
from loyalty.services import gifts, messages

# When people read mails, by the shop's clock.
_FROM_HOUR: Final = 8
_UNTIL_HOUR: Final = 20
_APART: Final = timedelta(days=7)
# Who comes every day is not missed after three; who has been away for half a year has been away.
_SILENT_DAYS: Final = (14, 180)
_AT_ONCE: Final = 500


def run(*, at: datetime) -> int:
    """Send what is due in every shop; returns how many mails were noted."""
    count = 0
    for shop in _shops():
        local = at.astimezone(ZoneInfo(shop.timezone))
        if not _FROM_HOUR <= local.hour < _UNTIL_HOUR:
            continue
        if shop.birthday:
            count += _birthdays(shop, local.date(), at)
        if shop.miss_you:
            count += _misses(shop, local.date(), at)
    return count


def _shops() -> Sequence[AnyRow]:
    """Read the shops that write: not those whose end is announced, where nothing is collected any more."""
    with transaction():
        return db.session.execute(
            select(
                Vendor.id,
                Vendor.timezone,
                LoyaltyProgram.loyalty_type,
                MailSettings.birthday,
                MailSettings.birthday_points,
                MailSettings.birthday_stamps,
                MailSettings.miss_you,
            )
            .join(MailSettings, MailSettings.vendor_id == Vendor.id)
            .join(LoyaltyProgram, LoyaltyProgram.vendor_id == Vendor.id)
            .where(Vendor.status == "active", LoyaltyProgram.is_active, LoyaltyProgram.closes_on.is_(None))
            .where(MailSettings.birthday | MailSettings.miss_you)
            .order_by(Vendor.id)
        ).all()


def _birthdays(shop: AnyRow, today: date, at: datetime) -> int:
    """Congratulate who was born on this day, with what the shop gives, once in a year."""
    with transaction():
        born = _born_on(today)
        done = _told("birthday", func.concat(LoyaltyCard.id, f":{today.year}"))
        found = db.session.scalars(_willing(shop, at).where(born, ~done).limit(_AT_ONCE)).all()
    return sum(_congratulate(shop, card_id, today, at) for card_id in found)


def _congratulate(shop: AnyRow, card_id: UUID, today: date, at: datetime) -> bool:
    points = shop.birthday_points if shop.loyalty_type != LoyaltyType.STAMPS else 0
    stamps = shop.birthday_stamps if shop.loyalty_type != LoyaltyType.POINTS else 0
    key = f"{card_id}:{today.year}"
    with transaction():
        # The lock first: of two runs the second finds the mail noted.
        card = gifts.lock(card_id=card_id, vendor_id=shop.id)
        if card is None or not _send(shop, card_id, "birthday", key, at, points=points, stamps=stamps):
            return False
        if points or stamps:
            gifts.give(card=card, points=points, stamps=stamps, why="birthday", year=today.year, now=clock())
        return True


def _misses(shop: AnyRow, today: date, at: datetime) -> int:
    """Write once to each regular who has been silent for longer than twice their own interval."""
    least, most = _SILENT_DAYS
    last, first = CardStats.last_visit_day, CardStats.first_visit_day
    silent = literal(today, Date) - last
    quiet = and_(
        CardStats.visits >= 2,
        last.between(today - timedelta(days=most), today - timedelta(days=least)),
        silent * (CardStats.visits - 1) > 2 * (last - first),
    )
    done = _told("we_miss_you", func.concat(LoyaltyCard.id, ":", last))
    with transaction():
        query = _willing(shop, at).join(CardStats, CardStats.card_id == LoyaltyCard.id).add_columns(last)
        if shop.birthday:
            # A birthday within the week is the better day to write.
            query = query.where(~or_(*(_born_on(today + timedelta(days=days)) for days in range(_APART.days))))
        found = db.session.execute(query.where(quiet, ~done).limit(_AT_ONCE)).all()
    return sum(_miss(shop, row.id, row.last_visit_day, at) for row in found)


def _miss(shop: AnyRow, card_id: UUID, last_visit_day: date, at: datetime) -> bool:
    with transaction():
        key = f"{card_id}:{last_visit_day.isoformat()}"
        return gifts.lock(card_id=card_id, vendor_id=shop.id) is not None and _send(
            shop, card_id, "we_miss_you", key, at
        )


def _send(shop: AnyRow, card_id: UUID, kind: str, key: str, at: datetime, **facts: int) -> bool:
    """Note the mail, unless the customer has changed their mind or got another one meanwhile; the card is locked."""
    query = _willing(shop, at).where(LoyaltyCard.id == card_id).add_columns(Customer.email, Customer.locale)
    person = db.session.execute(query).one_or_none()
    if person is None:
        return False
    noted = messages.queue_mail(
        kind=kind,
        event_key=key,
        vendor_id=shop.id,
        recipient=person.email,
        locale=person.locale,
        at=at,
        card_id=card_id,
        facts=facts,
    )
    return noted is not None


def _willing(shop: AnyRow, at: datetime) -> AnySelect:
    """Choose the active cards of who agreed, can be written to, and got no such mail within the week."""
    other = aliased(LoyaltyCard)
    lately = exists().where(
        EmailLog.card_id == other.id,
        other.customer_id == Customer.id,
        EmailLog.kind.in_(MARKETING),
        EmailLog.created_at > at - _APART,
    )
    return (
        select(LoyaltyCard.id)
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .where(
            LoyaltyCard.vendor_id == shop.id,
            LoyaltyCard.is_active,
            Customer.marketing_consent,
            Customer.email.is_not(None),
            Customer.email_bounced_at.is_(None),
            Customer.erased_at.is_(None),
            ~lately,
        )
        .order_by(LoyaltyCard.id)
    )


def _born_on(day: date) -> ColumnElement[bool]:
    """Whether it is the birthday; who was born on 29 February has it on the 28th where there is no 29th."""
    born = Customer.birth_date
    days = [(day.month, day.day)]
    if days == [(2, 28)] and not isleap(day.year):
        days.append((2, 29))
    is_day = or_(*(and_(extract("month", born) == month, extract("day", born) == number) for month, number in days))
    return and_(born.is_not(None), is_day)


def _told(kind: str, key: ColumnElement[str]) -> ColumnElement[bool]:
    mine = EmailLog.vendor_id == LoyaltyCard.vendor_id
    return exists().where(mine, EmailLog.kind == kind, EmailLog.event_key == key)
