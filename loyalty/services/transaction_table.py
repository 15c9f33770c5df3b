"""The ledger as the office reads it: with the names of people and stores, a page at a time or all that fits."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import aliased

from loyalty.database import AnySelect, db, end_reading
from loyalty.domain.values import Actor, Position, Role, TransactionType
from loyalty.models.api import ApiKey
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.pins import StaffPin
from loyalty.models.transactions import LoyaltyTransaction, TransactionDetail
from loyalty.models.users import User
from loyalty.models.vendors import Store
from loyalty.services import roles, transaction_lists
from loyalty.services.originals import VOIDS
from loyalty.services.transaction_lists import Filters
from loyalty.services.transactions import is_voided

PER_PAGE: Final = 50
# How many rows are read at once where all of them are wanted.
CHUNK: Final = 1000
# Where counting ends: a page has to be quick, and nobody reads further.
COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the ledger in words; `who` is staff, an address of the office or a key, `voided` nothing left of it."""

    transaction_id: UUID
    card_id: UUID
    card_number: str
    customer_name: str | None
    transaction_type: TransactionType
    transaction_at: datetime
    stamps_delta: int
    points_delta: int
    stamps_balance_after: int
    points_balance_after: int
    purchase_amount_cents: int | None
    order_reference: str | None
    reward_description: str | None
    store_name: str | None
    who: str | None
    notes: str | None
    voided: bool
    voided_by: str | None

    @property
    def position(self) -> Position:
        """Where this row stands in the list."""
        return Position(self.transaction_at, self.transaction_id)


@dataclass(frozen=True, slots=True)
class LinePage:
    """A page of the list; `newer` and `older` are the rows next to which its neighbours begin, None at the ends.

    `total` is never more than COUNTED; `is_longer` says that there are more.
    """

    lines: list[Line]
    total: int
    is_longer: bool
    newer: UUID | None
    older: UUID | None


_row: Final = LoyaltyTransaction.__table__
_void: Final = _row.alias("void")
_VOID_PIN, _VOID_USER, _VOID_KEY = aliased(StaffPin), aliased(User), aliased(ApiKey)
_VOIDED_BY: Final = (
    select(func.coalesce(_VOID_PIN.name, _VOID_USER.email, _VOID_KEY.name))
    .select_from(_void)
    .outerjoin(_VOID_PIN, _VOID_PIN.id == _void.c.staff_pin_id)
    .outerjoin(_VOID_USER, _VOID_USER.id == _void.c.user_id)
    .outerjoin(_VOID_KEY, _VOID_KEY.id == _void.c.api_key_id)
    .where(_void.c.related_transaction_id == _row.c.id, _void.c.transaction_type.in_(VOIDS))
    .order_by(_void.c.seq.desc())
    .limit(1)
    .correlate(_row)
    .scalar_subquery()
)
_OWN: Final = [field for field in Line.__dataclass_fields__ if field in _row.c]
# Put together once: an alias of a table costs more than the query it is used in.
_LINES: Final[AnySelect] = (
    select(
        _row.c.id.label("transaction_id"),
        *(_row.c[name] for name in _OWN),
        LoyaltyCard.card_number,
        Customer.name.label("customer_name"),
        Store.name.label("store_name"),
        func.coalesce(StaffPin.name, User.email, ApiKey.name).label("who"),
        TransactionDetail.notes,
        is_voided(_row, _row.alias("taken")).label("voided"),
        _VOIDED_BY.label("voided_by"),
    )
    .join(LoyaltyCard, LoyaltyCard.id == _row.c.card_id)
    .join(Customer, Customer.id == LoyaltyCard.customer_id)
    .outerjoin(Store, Store.id == _row.c.store_id)
    .outerjoin(StaffPin, StaffPin.id == _row.c.staff_pin_id)
    .outerjoin(User, User.id == _row.c.user_id)
    .outerjoin(ApiKey, ApiKey.id == _row.c.api_key_id)
    .outerjoin(TransactionDetail, TransactionDetail.transaction_id == _row.c.id)
)
_place: Final = tuple_(_row.c.transaction_at, _row.c.id)


def find_page(
    *, actor: Actor, filters: Filters, older_than: UUID | None = None, newer_than: UUID | None = None
) -> LinePage:
    """List what passes the filters, newest first, from beside a row on; beside none, the newest."""
    fits = _fits(actor, filters)
    lines, has_newer, has_older = _read_page(fits, _find_position(actor, older_than or newer_than), older_than is None)
    counted = select(_row.c.id).where(*fits).limit(COUNTED + 1).subquery()
    total = db.session.execute(select(func.count()).select_from(counted)).scalar_one()
    return LinePage(
        lines=lines,
        total=min(total, COUNTED),
        is_longer=total > COUNTED,
        newer=lines[0].transaction_id if has_newer and lines else None,
        older=lines[-1].transaction_id if has_older else None,
    )


def list_latest(*, actor: Actor, most: int) -> list[Line]:
    """List the newest rows of the shop."""
    return _read(_fits(actor, Filters()), None, most)


def stream(*, actor: Actor, filters: Filters) -> Iterator[Line]:
    """Read all that passes the filters, newest first; a wrong filter is refused at once.

    A part at a time, each found by where the last one ended: rows are never changed, so nothing is missed or read
    twice, and however slowly somebody downloads them, no transaction stays open and no connection is held.
    """
    return _parts(_fits(actor, filters))


def _fits(actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    roles.require(actor=actor, role=Role.MANAGER)
    return [_row.c.vendor_id == actor.vendor_id, *transaction_lists.conditions(actor=actor, filters=filters)]


def _find_position(actor: Actor, transaction_id: UUID | None) -> Position | None:
    if transaction_id is None:
        return None
    mine = (_row.c.id == transaction_id, _row.c.vendor_id == actor.vendor_id)
    row = db.session.execute(select(_row.c.transaction_at).where(*mine)).one_or_none()
    return Position(row.transaction_at, transaction_id) if row else None


def _read_page(fits: list[ColumnElement[bool]], start: Position | None, upwards: bool) -> tuple[list[Line], bool, bool]:
    """Read the rows of a page, whether there are newer ones and whether there are older ones."""
    if start is not None and not upwards:
        lines = _read(fits, start, PER_PAGE + 1)
        return lines[:PER_PAGE], True, len(lines) > PER_PAGE
    if start is not None:
        lines = _read(fits, start, PER_PAGE + 1, upwards=True)
        # With fewer above, it is the first page, which is full again.
        if len(lines) > PER_PAGE:
            return lines[PER_PAGE - 1 :: -1], True, True
    lines = _read(fits, None, PER_PAGE + 1)
    return lines[:PER_PAGE], False, len(lines) > PER_PAGE


def _parts(fits: list[ColumnElement[bool]]) -> Iterator[Line]:
    after: Position | None = None
    while lines := _read(fits, after, CHUNK):
        end_reading()
        yield from lines
        if len(lines) < CHUNK:
            return
        after = lines[-1].position


def _read(fits: list[ColumnElement[bool]], start: Position | None, most: int, *, upwards: bool = False) -> list[Line]:
    query = _LINES.where(*fits).limit(most)
    if start is not None:
        here = (start.at, start.id)
        query = query.where(_place > here if upwards else _place < here)
    order = (_row.c.transaction_at, _row.c.id)
    query = query.order_by(*order) if upwards else query.order_by(*(column.desc() for column in order))
    rows = (dict(row._mapping) for row in db.session.execute(query))
    return [Line(**{**row, "transaction_type": TransactionType(row["transaction_type"])}) for row in rows]
