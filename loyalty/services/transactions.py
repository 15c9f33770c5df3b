"""The history: a card's, and what this terminal did today. Taking back is in `voids`, replaying in `verification`."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, bindparam, func, select

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


# Rows on a card's page.
_NEWEST: Final = 5
# Put together once: an alias of a table costs more than the query it is used in.
_ROW: Final = LoyaltyTransaction.__table__
_VOID, _LATER, _LATER_VOID = _ROW.alias("void"), _ROW.alias("later"), _ROW.alias("later_void")


def is_voided(row: FromClause, void: FromClause) -> ColumnElement[bool]:
    """Whether the rows that name this one took all of it back."""
    taken = (
        select(func.sum(func.abs(void.c.stamps_delta) + func.abs(void.c.points_delta)))
        .where(void.c.related_transaction_id == row.c.id, void.c.transaction_type.in_(VOIDS))
        .correlate(row)
        .scalar_subquery()
    )
    return func.coalesce(taken >= func.abs(row.c.stamps_delta) + func.abs(row.c.points_delta), False)


def _is_followed() -> ColumnElement[bool]:
    """Whether something that could be undone first stands after this on its card."""
    query = select(_LATER.c.id).where(
        _LATER.c.card_id == _ROW.c.card_id,
        _LATER.c.seq > _ROW.c.seq,
        _LATER.c.transaction_type.in_(VOIDABLE),
        ~is_voided(_LATER, _LATER_VOID),
    )
    return query.correlate(_ROW).exists()


def _entries(*conditions: ColumnElement[bool]) -> AnySelect:
    """Put together the query for the newest rows of a terminal: `vendor_id`, `terminal_id`, `since` and `most`."""
    # Found first and by the terminal alone, so that its index ends the search after `most` rows.
    newest = (
        select(_ROW.c.id)
        .where(_ROW.c.terminal_id == bindparam("terminal_id"), _ROW.c.transaction_at >= bindparam("since"), *conditions)
        .order_by(_ROW.c.transaction_at.desc())
        .limit(bindparam("most"))
    ).subquery("newest")
    return (
        select(
            *_ROW.c,
            LoyaltyCard.card_number,
            Customer.name.label("name"),
            StaffPin.name.label("staff_name"),
            is_voided(_ROW, _VOID).label("voided"),
            _is_followed().label("followed"),
            VendorPolicy.allow_void_transactions,
            VendorPolicy.staff_pin_policy,
        )
        .join(newest, newest.c.id == _ROW.c.id)
        .join(VendorPolicy, VendorPolicy.vendor_id == _ROW.c.vendor_id)
        .join(LoyaltyCard, LoyaltyCard.id == _ROW.c.card_id)
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .outerjoin(StaffPin, StaffPin.id == _ROW.c.staff_pin_id)
        .where(_ROW.c.vendor_id == bindparam("vendor_id"))
        .order_by(_ROW.c.transaction_at.desc(), _ROW.c.seq.desc())
    )


_TODAY: Final = _entries()
_LAST: Final = _entries(_ROW.c.transaction_type.not_in(QUIET))
_HISTORY: Final = (
    select(*_ROW.c, Store.name.label("store_name"), is_voided(_ROW, _VOID).label("voided"))
    .outerjoin(Store, Store.id == _ROW.c.store_id)
    .where(_ROW.c.card_id == bindparam("card_id"), _ROW.c.vendor_id == bindparam("vendor_id"))
    .order_by(_ROW.c.seq.desc())
    .limit(bindparam("most"))
)


def list_today(*, actor: Actor, at: datetime) -> list[Entry]:
    """List what this terminal did today, newest first."""
    zone = db.session.execute(select(Vendor.timezone).where(Vendor.id == actor.vendor_id)).scalar_one()
    midnight = datetime.combine(local_day(at, zone), time(0), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return _read(_TODAY, actor, at, since=midnight, most=MOST_OF_TODAY)


def last_action(*, actor: Actor, at: datetime) -> Entry | None:
    """Return what this terminal did last, where it is not longer ago than an undo may be."""
    return next(iter(_read(_LAST, actor, at, since=at - UNDO_WINDOW, most=1)), None)


def history(*, card_id: UUID, vendor_id: UUID) -> list[HistoryLine]:
    """Return the newest rows of a card."""
    rows = db.session.execute(_HISTORY, {"card_id": card_id, "vendor_id": vendor_id, "most": _NEWEST})
    return [
        HistoryLine(
            transaction_at=row.transaction_at,
            transaction_type=TransactionType(row.transaction_type),
            stamps_delta=row.stamps_delta,
            points_delta=row.points_delta,
            reward_description=row.reward_description,
            store_name=row.store_name,
            voided=row.voided,
        )
        for row in rows
    ]


def _read(query: AnySelect, actor: Actor, at: datetime, *, since: datetime, most: int) -> list[Entry]:
    where = {"vendor_id": actor.vendor_id, "terminal_id": actor.terminal_id, "since": since, "most": most}
    return [_entry(actor, row, at) for row in db.session.execute(query, where)]


def _entry(actor: Actor, row: AnyRow, at: datetime) -> Entry:
    kind = TransactionType(row.transaction_type)
    is_undo = row.staff_pin_id == actor.staff_pin_id and not row.followed and at - row.transaction_at <= UNDO_WINDOW
    needs_manager = actor.role < Role.MANAGER and not is_undo
    # Without PINs there is no manager to ask for at the counter.
    offered = row.allow_void_transactions and not (needs_manager and row.staff_pin_policy == "disabled")
    return Entry(
        transaction_id=row.id,
        card_id=row.card_id,
        card_number=row.card_number,
        name=row.name,
        transaction_type=kind,
        stamps_delta=row.stamps_delta,
        points_delta=row.points_delta,
        reward_description=row.reward_description,
        transaction_at=row.transaction_at,
        staff_name=row.staff_name,
        voided=row.voided,
        voidable=kind in VOID_OF and not row.voided and offered,
        needs_manager=needs_manager,
    )
