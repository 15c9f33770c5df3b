"""What a night does with cards: warn, wait longer, take a warning back, take the points. All of them are locked."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from loyalty.database import AnyRow, db
from loyalty.domain.expiry import Decision, Step
from loyalty.domain.values import Actor, Role, TransactionType
from loyalty.models.cards import LoyaltyCard
from loyalty.models.passes import AppleDeviceRegistration
from loyalty.services import expiry_cards, google_passes, ledger, messages, outbox, webhook_events
from loyalty.services.expiry_cards import Night
from loyalty.services.ledger import Entry, Origin

Steps = Sequence[tuple[AnyRow, Decision]]


def take(*, steps: Steps, night: Night, now: datetime) -> None:
    """Do what was decided, in the caller's transaction; `now` is the database's time after the locks."""
    for row, decision in steps:
        day = decision.last_day
        if decision.step is Step.TAKE:
            _expire(row, night, now)
        elif decision.step is Step.WITHDRAW:
            _note(row, now, points_good_until=None)
        elif day and decision.step is Step.POSTPONE:
            _note(row, now, points_good_until=day)
        elif day and decision.step is Step.ANNOUNCE:
            _announce(row, day, night, now)
        elif day and decision.step is Step.MAIL:
            _note(row, now, points_good_until=day)
            _mail(row, expiry_cards.WARNING, day, now, date=day.isoformat())
    _tell_wallets([row for row, decision in steps if decision.step is not Step.KEEP])


def _announce(row: AnyRow, day: date, night: Night, now: datetime) -> None:
    _note(row, now, points_good_until=day, last_expiration_warning_at=now)
    _mail(row, expiry_cards.WARNING, day, now, date=day.isoformat())
    webhook_events.points_expiring(
        card_id=row.id,
        vendor_id=row.vendor_id,
        points=row.points_balance,
        expires_at=expiry_cards.end_of(day, night.timezone),
        at=now,
    )


def _expire(row: AnyRow, night: Night, now: datetime) -> None:
    """Take all points of a card by a row of its ledger."""
    state, points = ledger.state_of(row), row.points_balance
    origin = Origin(
        card_id=row.id,
        actor=Actor(vendor_id=row.vendor_id, role=Role.STAFF),
        now=ledger.moment(now, state),
        timezone=night.timezone,
        # No second row can have the same cause: a day is named once to a card.
        idempotency_key=f"expiry:{row.points_good_until.isoformat()}",
    )
    ledger.append(origin, state, Entry(TransactionType.POINTS_EXPIRED, points_delta=-points))
    ledger.save(row.id, row.vendor_id, state)
    _note(row, now, points_good_until=None)
    webhook_events.ledger_written(origin=origin, card_number=row.card_number)
    _mail(row, "points_expired", row.points_good_until, now)


def _note(row: AnyRow, now: datetime, **columns: Any) -> None:  # columns of several types
    mine = (LoyaltyCard.id == row.id, LoyaltyCard.vendor_id == row.vendor_id)
    db.session.execute(
        update(LoyaltyCard).where(*mine).values(**columns, updated_at=now),
        execution_options={"synchronize_session": False},
    )


def _mail(row: AnyRow, kind: str, day: date, now: datetime, **facts: str) -> None:
    """Have a mail written, once for each day that was named to a card."""
    if expiry_cards.can_be_mailed(row):
        messages.queue_mail(
            kind=kind,
            event_key=f"{row.id}:{day.isoformat()}",
            vendor_id=row.vendor_id,
            recipient=row.email,
            locale=row.locale,
            at=now,
            card_id=row.id,
            facts={"points": row.points_balance, **facts},
        )


def _tell_wallets(rows: Sequence[AnyRow]) -> None:
    """Have the wallets told that hold one of the cards."""
    registered = select(AppleDeviceRegistration.card_id).where(
        AppleDeviceRegistration.card_id.in_([row.id for row in rows])
    )
    on_phones: set[UUID] = set(db.session.execute(registered).scalars()) if rows else set()
    pushed = [(row.id, row.vendor_id) for row in rows if row.id in on_phones]
    if pushed:
        outbox.add_many(kind="apple.push", subjects=pushed)
    for row in rows:
        if row.google_saved_at:
            google_passes.changed(card_id=row.id, vendor_id=row.vendor_id)
