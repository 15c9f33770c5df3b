"""The history: a card's, and what this terminal did today. Taking back is in `voids`, replaying in `verification`."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from loyalty.database import AnyRow, AnySelect, db
from loyalty.domain.limits import local_day
from loyalty.domain.values import Actor, Role, TransactionType
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.pins import StaffPin
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.vendors import Store, Vendor, VendorPolicy
from loyalty.services.originals import VOID_OF, VOIDS
from loyalty.services.voids import UNDO_WINDOW

MOST_OF_TODAY = 20
VOIDABLE = [kind.value for kind in VOID_OF]
QUIET = (TransactionType.CARD_CREATED.value, TransactionType.WELCOME_BONUS.value)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of today's list; `voided` once nothing of it is left, `voidable` while a void may be asked for."""

    transaction_id: UUID
    card_id: UUID
    card_number: str
    name: str | None
    transaction_type: TransactionType
    stamps_delta: int
    points_delta: int
    reward_description: str | None
    transaction_at: datetime
    staff_name: str | None
    voided: bool
    voidable: bool
    needs_manager: bool


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A row of a card's history as its customer sees it."""

    transaction_at: datetime
    transaction_type: TransactionType
    stamps_delta: int
    points_delta: int
    reward_description: str | None
    store_name: str | None
    voided: bool


def list_today(*, actor: Actor, at: datetime) -> list[Entry]:
    """List what this terminal did today, newest first."""
    zone = db.session.execute(select(Vendor.timezone).where(Vendor.id == actor.vendor_id)).scalar_one()
    midnight = datetime.combine(local_day(at, zone), time(0), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    query = _entries(actor).where(LoyaltyTransaction.transaction_at >= midnight).limit(MOST_OF_TODAY)
    return [_entry(actor, row, at) for row in db.session.execute(query)]


def last_action(*, actor: Actor, at: datetime) -> Entry | None:
    """Return what this terminal did last, where it is not longer ago than an undo may be."""
    query = (
        _entries(actor)
        .where(
            LoyaltyTransaction.transaction_at >= at - UNDO_WINDOW,
            LoyaltyTransaction.transaction_type.not_in(QUIET),
        )
        .limit(1)
    )
    row = db.session.execute(query).one_or_none()
    return _entry(actor, row, at) if row else None


def history(*, card_id: UUID, vendor_id: UUID, limit: int = 5) -> list[HistoryLine]:
    """Return the newest rows of a card."""
    row = LoyaltyTransaction
    query = (
        select(row, Store.name.label("store_name"), _is_voided(row).label("voided"))
        .outerjoin(Store, Store.id == row.store_id)
        .where(row.card_id == card_id, row.vendor_id == vendor_id)
        .order_by(row.seq.desc())
        .limit(limit)
    )
    return [
        HistoryLine(
            transaction_at=found[0].transaction_at,
            transaction_type=TransactionType(found[0].transaction_type),
            stamps_delta=found[0].stamps_delta,
            points_delta=found[0].points_delta,
            reward_description=found[0].reward_description,
            store_name=found.store_name,
            voided=found.voided,
        )
        for found in db.session.execute(query)
    ]


def _entries(actor: Actor) -> AnySelect:
    row = LoyaltyTransaction
    return (
        select(
            row,
            LoyaltyCard.card_number,
            Customer.name.label("name"),
            StaffPin.name.label("staff_name"),
            _is_voided(row).label("voided"),
            _is_followed().label("followed"),
            VendorPolicy.allow_void_transactions,
            VendorPolicy.staff_pin_policy,
        )
        .join(VendorPolicy, VendorPolicy.vendor_id == row.vendor_id)
        .join(LoyaltyCard, LoyaltyCard.id == row.card_id)
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .outerjoin(StaffPin, StaffPin.id == row.staff_pin_id)
        .where(row.vendor_id == actor.vendor_id, row.terminal_id == actor.terminal_id)
        .order_by(row.transaction_at.desc(), row.seq.desc())
    )


def _is_voided(row: Any) -> Any:  # the table or an alias of it; an expression of SQLAlchemy
    """Whether the rows that name this one took all of it back."""
    void = LoyaltyTransaction.__table__.alias()
    taken = (
        select(func.sum(func.abs(void.c.stamps_delta) + func.abs(void.c.points_delta)))
        .where(void.c.related_transaction_id == row.id, void.c.transaction_type.in_(VOIDS))
        .correlate(row)
        .scalar_subquery()
    )
    return func.coalesce(taken >= func.abs(row.stamps_delta) + func.abs(row.points_delta), False)


def _is_followed() -> Any:  # an expression of SQLAlchemy
    """Whether something that could be undone first stands after this on its card."""
    row, later = LoyaltyTransaction, aliased(LoyaltyTransaction)
    query = select(later.id).where(
        later.card_id == row.card_id, later.seq > row.seq, later.transaction_type.in_(VOIDABLE), ~_is_voided(later)
    )
    return query.correlate(row).exists()


def _entry(actor: Actor, found: AnyRow, at: datetime) -> Entry:
    row = found[0]
    kind = TransactionType(row.transaction_type)
    is_undo = row.staff_pin_id == actor.staff_pin_id and not found.followed and at - row.transaction_at <= UNDO_WINDOW
    needs_manager = actor.role < Role.MANAGER and not is_undo
    # Without PINs there is no manager to ask for at the counter.
    offered = found.allow_void_transactions and not (needs_manager and found.staff_pin_policy == "disabled")
    return Entry(
        transaction_id=row.id,
        card_id=row.card_id,
        card_number=found.card_number,
        name=found.name,
        transaction_type=kind,
        stamps_delta=row.stamps_delta,
        points_delta=row.points_delta,
        reward_description=row.reward_description,
        transaction_at=row.transaction_at,
        staff_name=found.staff_name,
        voided=found.voided,
        voidable=kind in VOID_OF and not found.voided and offered,
        needs_manager=needs_manager,
    )
