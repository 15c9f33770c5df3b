"""Closing a program: announced by its owner, told to everybody, called off or carried out after the last day.

From the announcement on nobody joins, nothing is collected and no points expire; rewards are redeemed until the end of
the last day on the shop's clock.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import and_, func, select, update

from loyalty.database import AnyRow, clock, db, transaction
from loyalty.domain import closing
from loyalty.domain.limits import local_day
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import N_, ProgramInactive, ProgramNotFound, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor
from loyalty.services import audit, expiry_rules, google_passes, idempotency, messages, passes, roles

_BATCH: Final = 500
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ClosingReceipt:
    """The last day that was announced; None where the end was called off."""

    closes_on: date | None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """What closing would mean, or means: whose cards, what they hold, how many customers can be mailed."""

    closes_on: date | None
    today: date
    is_active: bool
    cards: int
    stamps: int
    points: int
    with_email: int

    @property
    def is_over(self) -> bool:
        """Whether the last day has passed."""
        return closing.is_over(self.closes_on, self.today)

    @property
    def earliest(self) -> date:
        """The first day that may be the last one."""
        return self.today + closing.LEAST_NOTICE

    @property
    def usual(self) -> date:
        """The last day that is proposed."""
        return self.today + closing.USUAL_NOTICE


def look(*, actor: Actor, at: datetime) -> Outlook:
    """Say how things stand: what cards hold, and until when it can be redeemed once the end was announced."""
    roles.require(actor=actor, role=Role.OWNER)
    program = _find(actor, locked=False)
    counted = (
        select(
            func.count().label("cards"),
            func.coalesce(func.sum(LoyaltyCard.stamp_count), 0).label("stamps"),
            func.coalesce(func.sum(LoyaltyCard.points_balance), 0).label("points"),
            func.count(Customer.email).label("with_email"),
        )
        # The customer's shop is said too: otherwise the customers of all shops are read.
        .join(Customer, and_(Customer.id == LoyaltyCard.customer_id, Customer.vendor_id == actor.vendor_id))
        .where(LoyaltyCard.vendor_id == actor.vendor_id, LoyaltyCard.is_active)
    )
    held = db.session.execute(counted).one()
    return Outlook(
        closes_on=program.closes_on,
        today=local_day(at, program.timezone),
        is_active=program.is_active,
        cards=held.cards,
        stamps=int(held.stamps),
        points=int(held.points),
        with_email=held.with_email,
    )


def announce(*, actor: Actor, last_day: date, key: RequestKey, at: datetime) -> ClosingReceipt:
    """Announce the last day for redeeming, once per key: from now on nothing is collected and nobody joins."""
    roles.require(actor=actor, role=Role.OWNER)

    def work() -> ClosingReceipt:
        program = _find(actor, locked=True)
        if not program.is_active:
            raise ProgramInactive
        notice = last_day - local_day(at, program.timezone)
        if not closing.LEAST_NOTICE <= notice <= closing.MOST_NOTICE:
            raise ValidationError({"last_day": N_("Choose a day at least 14 days from now, and within two years.")})
        if program.closes_on is not None:
            raise ValidationError({"last_day": N_("The end is announced already. Call it off first.")})
        announced = {"closes_on": last_day, "closing_announced_at": clock(), "closing_told_to": _NOBODY}
        _write(actor, program.id, "program.closing_announced", announced, {"closes_on": last_day.isoformat()})
        return ClosingReceipt(last_day)

    return idempotency.run(key, ClosingReceipt, work, vendor_id=actor.vendor_id)


def call_off(*, actor: Actor, key: RequestKey) -> ClosingReceipt:
    """Take the announcement back before the last day is over, also of a program that was paused; once per key."""
    roles.require(actor=actor, role=Role.OWNER)

    def work() -> ClosingReceipt:
        program = _find(actor, locked=True)
        if closing.is_over(program.closes_on, local_day(clock(), program.timezone)):
            raise ProgramInactive
        if program.closes_on is not None:
            details = {"closes_on": program.closes_on.isoformat()}
            _write(actor, program.id, "program.closing_called_off", dict.fromkeys(_COLUMNS), details)
        return ClosingReceipt(None)

    return idempotency.run(key, ClosingReceipt, work, vendor_id=actor.vendor_id)


def tell_customers() -> int:
    """Mail the next customers of programs that close, each once per announcement; returns how many mails that made."""
    asked = (
        select(LoyaltyProgram.id)
        .where(LoyaltyProgram.closes_on.is_not(None), LoyaltyProgram.closing_told_to.is_not(None))
        .where(LoyaltyProgram.is_active)
        .order_by(LoyaltyProgram.id)
    )
    with transaction():
        program_ids = list(db.session.scalars(asked))
    return sum(_tell_next(program_id) for program_id in program_ids)


def close_due(*, at: datetime) -> int:
    """Pause the programs whose last day is over; returns how many that were."""
    due = (
        select(LoyaltyProgram.id, LoyaltyProgram.vendor_id, LoyaltyProgram.closes_on, Vendor.timezone)
        .join(Vendor, Vendor.id == LoyaltyProgram.vendor_id)
        .where(LoyaltyProgram.is_active, LoyaltyProgram.closes_on.is_not(None))
        .order_by(LoyaltyProgram.id)
    )
    with transaction():
        rows = db.session.execute(due.with_for_update(of=LoyaltyProgram, skip_locked=True)).all()
        ended = [row for row in rows if closing.is_over(row.closes_on, local_day(at, row.timezone))]
        for row in ended:
            # Nobody is signed in: the clock does what the owner announced.
            actor = Actor(vendor_id=row.vendor_id, role=Role.OWNER)
            details = {"closes_on": row.closes_on.isoformat()}
            program = db.session.get_one(LoyaltyProgram, row.id, populate_existing=True)
            expired_after = expiry_rules.days_now(program)
            program.is_active, program.closing_told_to = False, None
            db.session.flush()
            expiry_rules.note_ended(program=program, days=expired_after)
            _note(actor, row.id, "program.closed", details)
    return len(ended)


_COLUMNS: Final = ("closes_on", "closing_announced_at", "closing_told_to")


def _find(actor: Actor, *, locked: bool) -> AnyRow:
    query = (
        select(
            LoyaltyProgram.id,
            LoyaltyProgram.is_active,
            LoyaltyProgram.closes_on,
            LoyaltyProgram.closing_announced_at,
            Vendor.timezone,
        )
        .join(Vendor, Vendor.id == LoyaltyProgram.vendor_id)
        .where(LoyaltyProgram.vendor_id == actor.vendor_id)
    )
    found = db.session.execute(query.with_for_update(of=LoyaltyProgram) if locked else query).one_or_none()
    if found is None:
        raise ProgramNotFound
    return found


def _write(actor: Actor, program_id: UUID, action: str, columns: dict[str, object], details: dict[str, object]) -> None:
    """Change the program, and say so everywhere."""
    program = db.session.get_one(LoyaltyProgram, program_id, populate_existing=True)
    expired_after = expiry_rules.days_now(program)
    for name, value in columns.items():
        setattr(program, name, value)
    db.session.flush()
    expiry_rules.note_ended(program=program, days=expired_after)
    _note(actor, program_id, action, details)


def _note(actor: Actor, program_id: UUID, action: str, details: dict[str, object]) -> None:
    """Have every pass show it, and write down who did it."""
    google_passes.program_changed(vendor_id=actor.vendor_id)
    passes.program_changed(vendor_id=actor.vendor_id)
    audit.record(actor=actor, action=action, subject_type="program", subject_id=program_id, details=details)


def _tell_next(program_id: UUID) -> int:
    """Note the mails of one batch of cards, and how far it got, in one transaction."""
    mine = LoyaltyProgram.id == program_id
    with transaction():
        program = db.session.execute(
            select(*(getattr(LoyaltyProgram, name) for name in _COLUMNS)).where(mine).with_for_update(skip_locked=True)
        ).one_or_none()
        if program is None or program.closes_on is None or program.closing_told_to is None:
            return 0
        rows = _next_cards(program_id, program.closing_told_to)
        for row in rows:
            if row.email is not None:
                _mail(row, program)
        last = rows[-1].id if len(rows) == _BATCH else None
        db.session.execute(update(LoyaltyProgram).where(mine).values(closing_told_to=last))
    return sum(row.email is not None for row in rows)


def _next_cards(program_id: UUID, after: UUID) -> list[AnyRow]:
    cards = (
        select(LoyaltyCard.id, LoyaltyCard.vendor_id, Customer.email, Customer.locale)
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .where(LoyaltyCard.program_id == program_id, LoyaltyCard.is_active, LoyaltyCard.id > after)
        .order_by(LoyaltyCard.id)
        .limit(_BATCH)
    )
    return list(db.session.execute(cards).all())


def _mail(card: AnyRow, program: AnyRow) -> None:
    messages.queue_mail(
        kind="program_closing",
        event_key=f"{card.id}:{program.closing_announced_at.isoformat()}",
        vendor_id=card.vendor_id,
        recipient=card.email,
        locale=card.locale,
        at=clock(),
        card_id=card.id,
        facts={"date": program.closes_on.isoformat()},
    )
