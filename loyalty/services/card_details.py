"""One card as the office sees it: whose it is, and its history with who did what and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from loyalty.database import AnyRow, db
from loyalty.domain.values import Actor, Role, TransactionType
from loyalty.errors import CardNotFound, TransactionNotFound
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.pins import StaffPin
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.transactions import LoyaltyTransaction, TransactionDetail
from loyalty.models.users import User
from loyalty.models.vendors import Store, VendorPolicy
from loyalty.services import replaced_codes, roles
from loyalty.services.originals import VOID_OF
from loyalty.services.transactions import is_voided

PER_PAGE: Final = 10

_row: Final = LoyaltyTransaction.__table__
_void: Final = _row.alias("void")
_ENTRIES: Final = (
    select(
        *_row.c,
        Store.name.label("store_name"),
        StaffPin.name.label("staff_name"),
        User.email.label("user_email"),
        TransactionDetail.notes,
        VendorPolicy.allow_void_transactions,
        is_voided(_row, _void).label("voided"),
    )
    .join(VendorPolicy, VendorPolicy.vendor_id == _row.c.vendor_id)
    .outerjoin(Store, Store.id == _row.c.store_id)
    .outerjoin(StaffPin, StaffPin.id == _row.c.staff_pin_id)
    .outerjoin(User, User.id == _row.c.user_id)
    .outerjoin(TransactionDetail, TransactionDetail.transaction_id == _row.c.id)
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose card it is, and what the office may need beside the card itself."""

    customer_id: UUID
    name: str | None
    email: str | None
    email_bounced_at: datetime | None
    phone: str | None
    locale: str
    marketing_consent: bool
    total_stamps_earned: int
    stamps_redeemed: int
    total_points_earned: int
    points_redeemed: int
    color: str
    secondary_color: str | None
    store_name: str | None
    entries: int
    allows_voids: bool
    erased_at: datetime | None
    erase_at: datetime | None
    erase_reason: str | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A row of a card's history; `who` is a member of staff or an address of the office, `voidable` while it may be."""

    transaction_id: UUID
    transaction_at: datetime
    transaction_type: TransactionType
    stamps_delta: int
    points_delta: int
    stamps_balance_after: int
    points_balance_after: int
    reward_description: str | None
    store_name: str | None
    who: str | None
    notes: str | None
    voided: bool
    voidable: bool


def get_holder(*, actor: Actor, card_id: UUID) -> Holder:
    """Read whose card it is, or raise CardNotFound."""
    roles.require(actor=actor, role=Role.MANAGER)
    query = (
        select(
            LoyaltyCard.customer_id,
            Customer.name,
            Customer.email,
            Customer.email_bounced_at,
            Customer.phone,
            Customer.locale,
            Customer.marketing_consent,
            Customer.erased_at,
            Customer.erase_at,
            Customer.erase_reason,
            LoyaltyCard.total_stamps_earned,
            LoyaltyCard.stamps_redeemed,
            LoyaltyCard.total_points_earned,
            LoyaltyCard.points_redeemed,
            LoyaltyProgram.card_color.label("color"),
            LoyaltyProgram.card_secondary_color.label("secondary_color"),
            Store.name.label("store_name"),
            LoyaltyCard.ledger_seq.label("entries"),
            VendorPolicy.allow_void_transactions.label("allows_voids"),
        )
        .join(Customer, Customer.id == LoyaltyCard.customer_id)
        .join(LoyaltyProgram, LoyaltyProgram.id == LoyaltyCard.program_id)
        .join(VendorPolicy, VendorPolicy.vendor_id == LoyaltyCard.vendor_id)
        .outerjoin(Store, Store.id == LoyaltyCard.enrolled_at_store_id)
        .where(LoyaltyCard.id == card_id, LoyaltyCard.vendor_id == actor.vendor_id, replaced_codes.is_card())
    )
    found = db.session.execute(query).one_or_none()
    if found is None:
        raise CardNotFound
    return Holder(**found._mapping)


def list_entries(*, actor: Actor, card_id: UUID, skip: int = 0) -> list[HistoryEntry]:
    """List a page of a card's rows, newest first."""
    query = _ENTRIES.where(_row.c.card_id == card_id, _row.c.vendor_id == actor.vendor_id)
    query = query.order_by(_row.c.seq.desc()).offset(skip).limit(PER_PAGE)
    return [_entry(row) for row in db.session.execute(query)]


def get_entry(*, actor: Actor, card_id: UUID, transaction_id: UUID) -> HistoryEntry:
    """Read one row of a card, or raise TransactionNotFound."""
    mine = (_row.c.card_id == card_id, _row.c.vendor_id == actor.vendor_id)
    row = db.session.execute(_ENTRIES.where(_row.c.id == transaction_id, *mine)).one_or_none()
    if row is None:
        raise TransactionNotFound
    return _entry(row)


def _entry(row: AnyRow) -> HistoryEntry:
    kind = TransactionType(row.transaction_type)
    return HistoryEntry(
        transaction_id=row.id,
        transaction_at=row.transaction_at,
        transaction_type=kind,
        stamps_delta=row.stamps_delta,
        points_delta=row.points_delta,
        stamps_balance_after=row.stamps_balance_after,
        points_balance_after=row.points_balance_after,
        reward_description=row.reward_description,
        store_name=row.store_name,
        who=row.staff_name or row.user_email,
        notes=row.notes,
        voided=row.voided,
        voidable=kind in VOID_OF and not row.voided and row.allow_void_transactions,
    )
