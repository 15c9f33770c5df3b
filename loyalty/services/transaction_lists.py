"""The ledger as other software reads it: in pages, newest first, of a shop or of one card."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, tuple_

from loyalty.database import AnySelect, db
from loyalty.domain.values import Actor, Position, Role, TransactionType
from loyalty.errors import N_, CardNotFound, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.pins import StaffPin
from loyalty.models.transactions import LoyaltyTransaction, TransactionDetail
from loyalty.models.vendors import Store, Vendor
from loyalty.services import replaced_codes, roles
from loyalty.services.transactions import is_voided


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A row of the ledger; `voided` once nothing of it is left."""

    transaction_id: UUID
    card_id: UUID
    card_number: str
    seq: int
    transaction_type: TransactionType
    transaction_at: datetime
    local_day: date
    store_id: UUID | None
    store_code: str | None
    stamps_delta: int
    points_delta: int
    stamps_balance_after: int
    points_balance_after: int
    purchase_amount_cents: int | None
    order_reference: str | None
    reward_id: str | None
    reward_description: str | None
    related_transaction_id: UUID | None
    staff_pin_id: UUID | None
    staff_name: str | None
    terminal_id: UUID | None
    user_id: UUID | None
    api_key_id: UUID | None
    notes: str | None
    voided: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """Which rows: a time is taken as it is, `until` not included; a day is the shop's own, from its first second on
    or until its last."""

    kind: TransactionType | None = None
    store_code: str | None = None
    card_id: UUID | None = None
    card_number: str | None = None
    staff_pin_id: UUID | None = None
    since: datetime | date | None = None
    until: datetime | date | None = None


_row: Final = LoyaltyTransaction.__table__
_OWN: Final = {field for field in LedgerRow.__dataclass_fields__ if field in _row.c}
# Put together once: an alias of a table costs more than the query it is used in.
_ROWS: Final[AnySelect] = (
    select(
        _row.c.id.label("transaction_id"),
        *(_row.c[name] for name in sorted(_OWN)),
        LoyaltyCard.card_number,
        Store.code.label("store_code"),
        StaffPin.name.label("staff_name"),
        TransactionDetail.notes,
        is_voided(_row, _row.alias("void")).label("voided"),
    )
    .join(LoyaltyCard, LoyaltyCard.id == _row.c.card_id)
    .outerjoin(Store, Store.id == _row.c.store_id)
    .outerjoin(StaffPin, StaffPin.id == _row.c.staff_pin_id)
    .outerjoin(TransactionDetail, TransactionDetail.transaction_id == _row.c.id)
    .order_by(_row.c.transaction_at.desc(), _row.c.id.desc())
)


def list_page(*, actor: Actor, filters: Filters, after: Position | None = None, limit: int) -> list[LedgerRow]:
    """List rows of the vendor's ledger, newest first, from behind a position on."""
    roles.require(actor=actor, role=Role.MANAGER)
    query = _ROWS.where(_row.c.vendor_id == actor.vendor_id, *conditions(actor=actor, filters=filters)).limit(limit)
    if after is not None:
        query = query.where(tuple_(_row.c.transaction_at, _row.c.id) < (after.at, after.id))
    found = (dict(row._mapping) for row in db.session.execute(query))
    return [LedgerRow(**{**row, "transaction_type": TransactionType(row["transaction_type"])}) for row in found]


def list_of_card(*, actor: Actor, card_id: UUID, after: Position | None = None, limit: int) -> list[LedgerRow]:
    """List the rows of a card of the vendor, newest first, or raise CardNotFound."""
    mine = (LoyaltyCard.id == card_id, LoyaltyCard.vendor_id == actor.vendor_id, replaced_codes.is_card())
    if db.session.execute(select(LoyaltyCard.id).where(*mine)).one_or_none() is None:
        raise CardNotFound
    return list_page(actor=actor, filters=Filters(card_id=card_id), after=after, limit=limit)


def conditions(*, actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    """Return what rows of the actor's vendor must fulfil to pass the filters."""
    fits: list[ColumnElement[bool]] = []
    if filters.kind is not None:
        fits.append(_row.c.transaction_type == filters.kind.value)
    if filters.store_code is not None:
        fits.append(_row.c.store_id == _store_id(actor, filters.store_code))
    if filters.card_id is not None:
        fits.append(_row.c.card_id == filters.card_id)
    if filters.card_number is not None:
        mine = (LoyaltyCard.vendor_id == actor.vendor_id, LoyaltyCard.card_number == filters.card_number)
        fits.append(_row.c.card_id == select(LoyaltyCard.id).where(*mine).scalar_subquery())
    if filters.staff_pin_id is not None:
        fits.append(_row.c.staff_pin_id == filters.staff_pin_id)
    if filters.since is not None:
        fits.append(_row.c.transaction_at >= _moment(actor, filters.since, days=0))
    if filters.until is not None:
        fits.append(_row.c.transaction_at < _moment(actor, filters.until, days=1))
    return fits


def _store_id(actor: Actor, code: str) -> UUID:
    """Find a store of the vendor, a closed one too: its history is still there."""
    query = select(Store.id).where(Store.vendor_id == actor.vendor_id, Store.code == code)
    found: UUID | None = db.session.execute(query).scalar_one_or_none()
    if found is None:
        raise ValidationError({"store_code": N_("No store of this shop has this code.")})
    return found


def _moment(actor: Actor, given: datetime | date, *, days: int) -> datetime:
    """Return a time as it is; of a day the shop's midnight, `days` later."""
    if isinstance(given, datetime):
        return given
    zone = db.session.execute(select(Vendor.timezone).where(Vendor.id == actor.vendor_id)).scalar_one()
    return datetime.combine(given + timedelta(days=days), time(0), tzinfo=ZoneInfo(zone)).astimezone(UTC)
