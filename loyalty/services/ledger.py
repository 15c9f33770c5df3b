"""The ledger of a card: rows are appended under the card's lock, numbered, chained, and never changed."""

from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from loyalty.database import AnyRow, Base, db, new_id
from loyalty.domain.ledger import ENTRY_VERSION, entry_hash
from loyalty.domain.limits import local_day
from loyalty.domain.values import Actor, TransactionType
from loyalty.models.cards import LoyaltyCard


@dataclass(slots=True)
class CardState:
    """The columns of a card that the till changes, as they will be saved at the end of the transaction."""

    stamp_count: int
    total_stamps_earned: int
    stamps_redeemed: int
    points_balance: int
    total_points_earned: int
    points_redeemed: int
    total_points_voided: int
    last_stamp_at: datetime | None
    last_points_at: datetime | None
    last_redemption_at: datetime | None
    last_activity_at: datetime | None
    ledger_seq: int
    ledger_head: str
    ledger_at: datetime | None
    stamps_day: date | None
    stamps_on_day: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """What a use case says about a new row; numbers, balances, hash and origin are added by `append`."""

    transaction_type: TransactionType
    stamps_delta: int = 0
    points_delta: int = 0
    purchase_amount_cents: int | None = None
    order_reference: str | None = None
    reward_id: str | None = None
    reward_description: str | None = None
    related_transaction_id: UUID | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows of one transaction come from: the card, who acts, when, in which zone, under which key."""

    card_id: UUID
    actor: Actor
    now: datetime
    timezone: str
    idempotency_key: str | None
    log_ip_addresses: bool = False
    # The rows that were appended so far, as they stand in the ledger.
    written: list[dict[str, Any]] = field(default_factory=list, compare=False)  # rows of all types

    @property
    def vendor_id(self) -> UUID:
        """Whose card it is: nobody acts on another vendor's."""
        return self.actor.vendor_id

    @property
    def today(self) -> date:
        """The vendor's calendar day."""
        return local_day(self.now, self.timezone)


STATE_COLUMNS = tuple(field.name for field in fields(CardState))
CARD_COLUMNS = [getattr(LoyaltyCard, name) for name in STATE_COLUMNS]

# Plain statements of the tables, put together once: values come with each execution.
_tables = Base.metadata.tables
_entries, _details = _tables["loyalty_transactions"], _tables["transaction_details"]
_INSERT = insert(_entries)
_DETAILS = ("notes", "ip_address", "user_agent")
_inserted = _INSERT.values({column.name: bindparam(column.name) for column in _entries.c})
_entry = _inserted.returning(_entries.c.id, _entries.c.vendor_id).cte("entry")
# The row and what is said about it, in one round trip.
_INSERT_WITH_DETAILS = insert(_details).from_select(
    ["transaction_id", "vendor_id", *_DETAILS],
    select(_entry.c.id, _entry.c.vendor_id, *(bindparam(name, type_=_details.c[name].type) for name in _DETAILS)),
    include_defaults=False,
)
_card = _tables["loyalty_cards"]
_UPDATE = update(_card).where(_card.c.id == bindparam("this_card"), _card.c.vendor_id == bindparam("this_vendor"))


def state_of(row: AnyRow) -> CardState:
    """Read the state of a card from a row that holds CARD_COLUMNS."""
    mapping = row._mapping
    return CardState(**{name: mapping[name] for name in STATE_COLUMNS})


def moment(clock: datetime, state: CardState) -> datetime:
    """Return the time of the next row: the database's clock, and never at or before the card's last row."""
    if state.ledger_at is None:
        return clock
    return max(clock, state.ledger_at + timedelta(microseconds=1))


def append(origin: Origin, state: CardState, entry: Entry) -> UUID:
    """Write one row and move the state along with it; the card must be locked. Returns the row's id.

    A balance below zero is refused by the table's CHECK: the rules of the use case come before.
    """
    state.stamp_count += entry.stamps_delta
    state.points_balance += entry.points_delta
    state.ledger_seq += 1
    state.ledger_at = moment(origin.now, state)
    row = _columns(origin, state, entry)
    row["entry_hash"] = state.ledger_head = entry_hash(ENTRY_VERSION, state.ledger_head, row)
    if details := _said(origin, entry.notes):
        db.session.execute(_INSERT_WITH_DETAILS, row | details)
    else:
        db.session.execute(_INSERT, row)
    origin.written.append(row)
    return UUID(str(row["id"]))


def save(card_id: UUID, vendor_id: UUID, state: CardState) -> None:
    """Write the state back to the locked card."""
    values = {name: getattr(state, name) for name in STATE_COLUMNS}
    db.session.execute(
        _UPDATE, {**values, "updated_at": state.ledger_at, "this_card": card_id, "this_vendor": vendor_id}
    )


def _columns(origin: Origin, state: CardState, entry: Entry) -> dict[str, Any]:  # a row for Core, of all types
    actor = origin.actor
    said = {name: getattr(entry, name) for name in Entry.__slots__ if name != "notes"}
    return {
        **said,
        "transaction_type": entry.transaction_type.value,
        "id": new_id(),
        "card_id": origin.card_id,
        "vendor_id": origin.vendor_id,
        "store_id": actor.store_id,
        "seq": state.ledger_seq,
        "stamps_balance_after": state.stamp_count,
        "points_balance_after": state.points_balance,
        "local_day": origin.today,
        "entry_version": ENTRY_VERSION,
        "staff_pin_id": actor.staff_pin_id,
        "terminal_id": actor.terminal_id,
        "user_id": actor.user_id,
        "api_key_id": actor.api_key_id,
        "idempotency_key": origin.idempotency_key,
        "transaction_at": state.ledger_at,
    }


def _said(origin: Origin, notes: str | None) -> dict[str, str | None]:
    """Return what stands beside the row and may be deleted; nothing where there is nothing to say."""
    actor, kept = origin.actor, origin.log_ip_addresses
    said = (notes, actor.ip_address if kept else None, actor.user_agent if kept else None)
    return dict(zip(_DETAILS, said, strict=True)) if any(said) else {}
