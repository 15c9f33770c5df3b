"""Retention: who was inactive for too long gets a notice and is erased a month later; so is who asked for it.

Each customer is a transaction of their own, so a run can be killed and repeated at any point.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, and_, cast, exists, func, or_, select, tuple_

from loyalty.database import AnyRow, AnySelect, db, transaction
from loyalty.domain.values import RequestKey
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.vendors import Vendor
from loyalty.services import customers, erasures, messages, privacy, replaced_codes
from loyalty.services.erasures import NOTICE

KIND: Final = "retention_notice"
_BATCH: Final = 100
_FIRST: Final = UUID(int=0)
_BEFORE_ALL: Final = datetime(1, 1, 1, tzinfo=UTC)
_last_use: Final = func.coalesce(LoyaltyCard.last_activity_at, LoyaltyCard.created_at)

_Conditions: TypeAlias = tuple[ColumnElement[bool], ...]


@dataclass(frozen=True, slots=True)
class Retained:
    """What a run did."""

    kept: int
    announced: int
    erased: int


def run(*, at: datetime) -> Retained:
    """Keep those who came back, give notice to the inactive, and erase those whose day has come."""
    planned = (Customer.erase_at.is_not(None), Customer.erase_reason == "inactive", Vendor.status == "active")
    back = (*planned, ~_inactive(at))
    kept = _each(_find(back), back, lambda row: _keep(row, at))
    unplanned = (Customer.erase_at.is_(None), Vendor.status == "active", _inactive(at))
    announced = _each(_find_silent(unplanned, at), unplanned, lambda row: _announce(row, at))
    due = (Customer.erase_at <= at, or_(Customer.erase_reason == "asked", and_(*planned, _inactive(at))))
    erased = _each(_find(due), due, lambda row: _erase(row, at))
    return Retained(kept, announced, erased)


def _inactive(at: datetime) -> ColumnElement[bool]:
    """Whether nothing has happened on a customer's cards for as long as the shop keeps them, nor have they asked to."""
    since = _since(at)
    used = exists().where(LoyaltyCard.customer_id == Customer.id, _last_use > since).correlate(Customer, Vendor)
    return and_(func.greatest(Customer.created_at, Customer.kept_at) <= since, ~used)


def _since(at: datetime) -> ColumnElement[datetime]:
    return at - func.make_interval(0, cast(Vendor.retention_months, Integer))


def _each(found: Iterable[AnyRow], wanted: _Conditions, act: Callable[[AnyRow], bool]) -> int:
    """Act on each customer that is found, locked and looked at again; returns with how many it was done."""
    done = 0
    for row in found:
        with transaction():
            # Addresses first, as whoever joins, mails and erases locks them.
            customers.lock_addresses(vendor_id=row.vendor_id, addresses=[row.email, row.phone])
            again = _query(wanted).where(Customer.id == row.id).with_for_update(of=Customer, skip_locked=True)
            present = db.session.execute(again).one_or_none()
            done += present is not None and act(present)
    return done


def _find_silent(wanted: _Conditions, at: datetime) -> Iterator[AnyRow]:
    """Find the customers who are wanted by their cards, which an index has in the order of their age."""
    with transaction():
        working = select(Vendor.id, _since(at).label("since")).where(Vendor.status == "active").order_by(Vendor.id)
        shops = db.session.execute(working).all()
    for shop in shops:
        after = (_BEFORE_ALL, _FIRST)
        while True:
            with transaction():
                rows = db.session.execute(silent(wanted, shop.id, shop.since, after)).all()
            yield from rows
            if len(rows) < _BATCH:
                break
            after = (rows[-1].card_made_at, rows[-1].card_id)


def silent(wanted: _Conditions, vendor_id: UUID, since: datetime, after: tuple[datetime, UUID]) -> AnySelect:
    """Ask for customers of a shop by their old cards: whoever joined later, and most who come, are not read at all."""
    card = LoyaltyCard
    old = (card.vendor_id == vendor_id, card.created_at <= since, _last_use <= since, replaced_codes.is_card())
    return (
        _query(wanted)
        .join(card, card.customer_id == Customer.id)
        .where(*old, tuple_(card.created_at, card.id) > after)
        .order_by(card.created_at, card.id)
        .limit(_BATCH)
        .add_columns(card.created_at.label("card_made_at"), card.id.label("card_id"))
    )


def _find(wanted: _Conditions) -> Iterator[AnyRow]:
    last = _FIRST
    while True:
        with transaction():
            rows = db.session.execute(
                _query(wanted).where(Customer.id > last).order_by(Customer.id).limit(_BATCH)
            ).all()
        yield from rows
        if len(rows) < _BATCH:
            return
        last = rows[-1].id


def _query(wanted: _Conditions) -> AnySelect:
    columns = (
        Customer.id,
        Customer.vendor_id,
        Customer.email,
        Customer.phone,
        Customer.locale,
        Customer.email_bounced_at,
        Customer.erase_reason,
        Customer.erase_asked_at,
        Vendor.timezone,
    )
    query = select(*columns).join(Vendor, Vendor.id == Customer.vendor_id)
    return query.where(Customer.erased_at.is_(None), *wanted)


def _keep(row: AnyRow, at: datetime) -> bool:
    return erasures.call_off(vendor_id=row.vendor_id, customer_id=row.id, at=at)


def _announce(row: AnyRow, at: datetime) -> bool:
    erasures.schedule(vendor_id=row.vendor_id, customer_id=row.id, reason="inactive", at=at)
    if row.email and row.email_bounced_at is None:
        day = (at + NOTICE).astimezone(ZoneInfo(row.timezone)).date()
        messages.queue_mail(
            kind=KIND,
            event_key=_event_key(row.id, at),
            vendor_id=row.vendor_id,
            recipient=row.email,
            locale=row.locale,
            at=at,
            card_id=_newest_card(row),
            facts={"date": day.isoformat()},
        )
    return True


def _newest_card(row: AnyRow) -> UUID | None:
    theirs = (LoyaltyCard.customer_id == row.id, LoyaltyCard.vendor_id == row.vendor_id, replaced_codes.is_card())
    cards = select(LoyaltyCard.id).where(*theirs)
    newest = cards.order_by(LoyaltyCard.is_active.desc(), LoyaltyCard.created_at.desc(), LoyaltyCard.id).limit(1)
    found: UUID | None = db.session.execute(newest).scalar_one_or_none()
    return found


def _erase(row: AnyRow, at: datetime) -> bool:
    if row.erase_reason != "asked" and not (_had_notice(row, at) and _stays_silent(row, at)):
        return False
    erase = privacy.erase_own if row.erase_reason == "asked" else privacy.erase_silent
    erase(vendor_id=row.vendor_id, customer_id=row.id, key=RequestKey("retention", str(row.id), str(row.vendor_id)))
    return True


def _had_notice(row: AnyRow, at: datetime) -> bool:
    """Whether the notice reached the mail server a month ago; one that could not be delivered counts after two.

    While it waits nobody is erased. Who has no address that works sees the day on the card page alone.
    """
    query = select(EmailLog.state, EmailLog.created_at, EmailLog.sent_at).where(
        EmailLog.vendor_id == row.vendor_id,
        EmailLog.kind == KIND,
        EmailLog.event_key == _event_key(row.id, row.erase_asked_at),
    )
    mail = db.session.execute(query).one_or_none()
    if mail is None or row.email_bounced_at is not None:
        return True
    if mail.state == "sent":
        return bool(mail.sent_at + NOTICE <= at)
    return mail.state in ("failed", "unknown") and mail.created_at + 2 * NOTICE <= at


def _stays_silent(row: AnyRow, at: datetime) -> bool:
    """Whether a customer is inactive also when no till holds their cards, and none gets hold of them any more."""
    cards = select(LoyaltyCard.id).where(LoyaltyCard.customer_id == row.id, LoyaltyCard.vendor_id == row.vendor_id)
    db.session.execute(cards.order_by(LoyaltyCard.id).with_for_update())
    # In the statement after the locks: what a till has just done is seen by it.
    return db.session.execute(_query((Customer.id == row.id, _inactive(at)))).one_or_none() is not None


def _event_key(customer_id: UUID, announced_at: datetime) -> str:
    return f"{customer_id}:{announced_at.date().isoformat()}"
