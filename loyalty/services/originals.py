"""Rows of a card that can be taken back, and how much of each still can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from loyalty.database import AnyRow, AnySelect, db
from loyalty.domain.values import TransactionType
from loyalty.models.transactions import LoyaltyTransaction

VOID_OF: Final = {
    TransactionType.STAMP_EARNED: TransactionType.STAMP_VOIDED,
    TransactionType.POINTS_EARNED: TransactionType.POINTS_VOIDED,
    TransactionType.STAMP_REDEEMED: TransactionType.REDEMPTION_VOIDED,
    TransactionType.POINTS_REDEEMED: TransactionType.REDEMPTION_VOIDED,
}
VOIDS: Final = tuple({kind.value for kind in VOID_OF.values()})
COLUMNS: Final = (
    "id",
    "transaction_type",
    "stamps_delta",
    "points_delta",
    "local_day",
    "transaction_at",
    "staff_pin_id",
    "terminal_id",
    "api_key_id",
    "reward_id",
    "reward_description",
)


# Put together once: an alias of a table costs more than the query it is used in.
_VOID: Final = LoyaltyTransaction.__table__.alias("void")
_GIVEN: Final = func.abs(LoyaltyTransaction.stamps_delta) + func.abs(LoyaltyTransaction.points_delta)
_TAKEN: Final = (
    select(func.coalesce(func.sum(func.abs(_VOID.c.stamps_delta) + func.abs(_VOID.c.points_delta)), 0))
    .where(_VOID.c.related_transaction_id == LoyaltyTransaction.id, _VOID.c.transaction_type.in_(VOIDS))
    .correlate(LoyaltyTransaction)
    .scalar_subquery()
)
_ROWS: Final = select(
    *(getattr(LoyaltyTransaction, name) for name in COLUMNS), (_GIVEN - _TAKEN).label("left")
).order_by(LoyaltyTransaction.seq.desc())


@dataclass(frozen=True, slots=True)
class Original:
    """A row of the ledger; `left` is what no void has taken back yet, in stamps or points."""

    id: UUID
    transaction_type: TransactionType
    stamps_delta: int
    points_delta: int
    local_day: date
    transaction_at: datetime
    staff_pin_id: UUID | None
    terminal_id: UUID | None
    api_key_id: UUID | None
    reward_id: str | None
    reward_description: str | None
    left: int


def get(card_id: UUID, transaction_id: UUID) -> Original | None:
    """Read one row of the card."""
    row = db.session.execute(_query(card_id).where(LoyaltyTransaction.id == transaction_id)).one_or_none()
    return _original(row) if row else None


def find_by_order(card_id: UUID, reference: str) -> list[Original]:
    """Read the purchases of an order reference, newest first."""
    query = _query(card_id).where(
        LoyaltyTransaction.order_reference == reference,
        LoyaltyTransaction.transaction_type == TransactionType.POINTS_EARNED.value,
    )
    return [_original(row) for row in db.session.execute(query)]


def find_open(card_id: UUID, kinds: Sequence[TransactionType], *, limit: int) -> list[Original]:
    """Read the newest rows of these kinds that are not wholly taken back."""
    query = (
        _query(card_id)
        .where(LoyaltyTransaction.transaction_type.in_([kind.value for kind in kinds]), _GIVEN > _TAKEN)
        .limit(limit)
    )
    return [_original(row) for row in db.session.execute(query)]


def count_stamps(card_id: UUID, day: date) -> int:
    """Count the stamps of one of the vendor's days, less what was taken back."""
    query = select(func.coalesce(func.sum(_GIVEN - _TAKEN), 0)).where(
        LoyaltyTransaction.card_id == card_id,
        LoyaltyTransaction.transaction_type == TransactionType.STAMP_EARNED.value,
        LoyaltyTransaction.local_day == day,
    )
    return int(db.session.execute(query).scalar_one())


def _query(card_id: UUID) -> AnySelect:
    return _ROWS.where(LoyaltyTransaction.card_id == card_id)


def _original(row: AnyRow) -> Original:
    values = {name: getattr(row, name) for name in COLUMNS}
    values["transaction_type"] = TransactionType(row.transaction_type)
    return Original(**values, left=int(row.left))
