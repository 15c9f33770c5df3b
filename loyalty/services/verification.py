"""Replaying the ledger: every card's rows against its chain, its numbers and its balances."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Date, DateTime, Integer, Text, Uuid, case, cast, func, select, text

from loyalty.database import AnyRow, db, end_reading, transaction
from loyalty.domain.ledger import ENTRY_COLUMNS, GENESIS, text_hash
from loyalty.domain.values import TransactionType
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services.originals import VOID_OF

BATCH = 200
# The table and not the class: rows come as they are, past everything that the ORM does for objects.
ROW = LoyaltyTransaction.__table__.c
KIND = TransactionType
_MOMENT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing that is wrong with a card; `seq` is the row, None where only the card itself disagrees."""

    card_id: UUID
    card_number: str
    seq: int | None
    problem: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """How many cards and rows were replayed, and what was found, one finding per card."""

    cards: int
    rows: int
    findings: list[Finding]


@dataclass(slots=True)
class Replay:
    """What a card must look like after the rows read so far."""

    seq: int = 0
    head: str = GENESIS
    at: datetime | None = None
    stamps: int = 0
    points: int = 0
    stamps_earned: int = 0
    stamps_redeemed: int = 0
    points_earned: int = 0
    points_redeemed: int = 0
    points_voided: int = 0
    active: bool = True
    stamps_day: date | None = None
    stamps_on: dict[date, int] = field(default_factory=dict)
    given: dict[str, AnyRow] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


def verify(*, vendor_id: UUID | None = None) -> VerifyReport:
    """Replay every card (of one vendor, or of all) and report the first problem of each."""
    cards = rows = 0
    findings: list[Finding] = []
    for card, entries in _cards(vendor_id):
        cards += 1
        rows += len(entries)
        if found := _check(card, entries):
            findings.append(found)
    return VerifyReport(cards, rows, findings)


def _cards(vendor_id: UUID | None) -> Iterator[tuple[AnyRow, list[AnyRow]]]:
    last = UUID(int=0)
    while batch := _read(vendor_id, last):
        yield from batch
        last = batch[-1][0].id


def _read(vendor_id: UUID | None, after: UUID) -> list[tuple[AnyRow, list[AnyRow]]]:
    """Read the next cards and their rows as of one moment: a till at work meanwhile must not look like a fault."""
    end_reading()
    with transaction():
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        # Busy cards on a busy disk may take longer than a page may.
        db.session.execute(text("SET LOCAL statement_timeout = '60s'"))
        query = (
            select(*LoyaltyCard.__table__.columns).where(LoyaltyCard.id > after).order_by(LoyaltyCard.id).limit(BATCH)
        )
        if vendor_id:
            query = query.where(LoyaltyCard.vendor_id == vendor_id)
        cards = db.session.execute(query).all()
        mine = ROW.card_id.in_([card.id for card in cards])
        rows = db.session.execute(_ENTRIES.where(mine).order_by(ROW.card_id, ROW.seq))
        by_card = {card_id: list(entries) for card_id, entries in groupby(rows, key=attrgetter("card_id"))}
    return [(card, by_card.get(str(card.id), [])) for card in cards]


def _as_hashed(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Write a column as the chain hashes it: as JSON, times in UTC with six digits and Z."""
    value: ColumnElement[str] = cast(func.to_json(column), Text)
    if isinstance(column.type, Integer | BigInteger):
        value = cast(column, Text)
    elif isinstance(column.type, DateTime):
        value = '"' + func.to_char(func.timezone("UTC", column), _MOMENT) + '"'
    elif isinstance(column.type, Date | Uuid):
        value = '"' + cast(column, Text) + '"'
    return func.coalesce(value, "null")


def _values(version: int) -> ColumnElement[str]:
    return func.concat_ws(",", *(_as_hashed(ROW[name]) for name in ENTRY_COLUMNS[version]))


# What is hashed is put together by the database: here it would take as long as all the rest.
_ENTRIES: Final = select(
    *(cast(ROW[name], Text).label(name) for name in ("id", "card_id", "related_transaction_id")),
    *(ROW[name] for name in ("vendor_id", "seq", "transaction_type", "stamps_delta", "points_delta")),
    *(ROW[name] for name in ("stamps_balance_after", "points_balance_after", "local_day", "transaction_at")),
    *(ROW[name] for name in ("entry_version", "entry_hash")),
    case({version: _values(version) for version in ENTRY_COLUMNS}, value=ROW.entry_version).label("hashed"),
)


def _check(card: AnyRow, entries: list[AnyRow]) -> Finding | None:
    replay = Replay()
    for entry in entries:
        if problem := _step(replay, card, entry):
            # A missing row is named itself, not the one that follows the gap.
            return Finding(card.id, card.card_number, min(entry.seq, replay.seq + 1), problem)
    if replay.seq < card.ledger_seq:
        return Finding(card.id, card.card_number, replay.seq + 1, f"row {replay.seq + 1} is missing")
    if replay.seq > card.ledger_seq:
        return Finding(card.id, card.card_number, card.ledger_seq + 1, "the card does not know of this row")
    if replay.head != card.ledger_head:
        return Finding(card.id, card.card_number, replay.seq, "the card remembers another last row")
    if problem := _compare(replay, card):
        return Finding(card.id, card.card_number, None, problem)
    return None


def _step(replay: Replay, card: AnyRow, entry: AnyRow) -> str | None:
    """Check one row against the rows before it and move on; returns what is wrong."""
    if entry.seq != replay.seq + 1:
        return f"row {replay.seq + 1} is missing"
    if entry.entry_version not in ENTRY_COLUMNS:
        return f"entry version {entry.entry_version} is unknown"
    if entry.entry_hash != text_hash(entry.entry_version, replay.head, entry.hashed):
        return "the row or the one before it was changed: its hash does not fit"
    if entry.vendor_id != card.vendor_id:
        return "the row belongs to another vendor"
    if replay.at and entry.transaction_at <= replay.at:
        return "the row is not later than the one before it"
    replay.seq, replay.head, replay.at = entry.seq, entry.entry_hash, entry.transaction_at
    replay.stamps += entry.stamps_delta
    replay.points += entry.points_delta
    if (replay.stamps, replay.points) != (entry.stamps_balance_after, entry.points_balance_after):
        return "the balance after the row is not the sum of the rows"
    return _count(replay, entry)


def _count(replay: Replay, entry: AnyRow) -> str | None:
    """Move the totals along; returns what is wrong with a void."""
    kind, stamps, points = entry.transaction_type, entry.stamps_delta, entry.points_delta
    if kind in (KIND.STAMP_EARNED, KIND.WELCOME_BONUS):
        replay.stamps_earned += stamps
    if kind in (KIND.POINTS_EARNED, KIND.WELCOME_BONUS):
        replay.points_earned += points
    if kind == KIND.STAMP_EARNED:
        replay.stamps_day = entry.local_day
        replay.stamps_on[entry.local_day] = replay.stamps_on.get(entry.local_day, 0) + stamps
    elif kind == KIND.STAMP_REDEEMED:
        replay.stamps_redeemed += 1
    elif kind == KIND.POINTS_REDEEMED:
        replay.points_redeemed -= points
    elif kind in (KIND.CARD_DEACTIVATED, KIND.CARD_REACTIVATED):
        replay.active = kind == KIND.CARD_REACTIVATED
    elif kind in (KIND.STAMP_VOIDED, KIND.POINTS_VOIDED, KIND.REDEMPTION_VOIDED):
        return _void(replay, entry, kind)
    replay.given[entry.id] = entry
    replay.left[entry.id] = abs(stamps) + abs(points)
    return None


def _void(replay: Replay, entry: AnyRow, kind: str) -> str | None:
    original = replay.given.get(entry.related_transaction_id)
    if original is None:
        return "the row takes back an entry that this card does not have"
    if VOID_OF.get(TransactionType(original.transaction_type)) != kind:
        return "the row takes back an entry of another kind"
    # Both have the sign that takes back what the original did.
    stamps, points = entry.stamps_delta, entry.points_delta
    if stamps * original.stamps_delta > 0 or points * original.points_delta > 0:
        return "the row gives again what it says it takes back"
    replay.left[original.id] -= abs(stamps) + abs(points)
    if replay.left[original.id] < 0:
        return "more was taken back than was given"
    if kind == KIND.STAMP_VOIDED:
        replay.stamps_earned += stamps
        replay.stamps_on[original.local_day] += stamps
    elif kind == KIND.POINTS_VOIDED:
        replay.points_voided -= points
    elif stamps:
        replay.stamps_redeemed -= 1
    else:
        replay.points_redeemed -= points
    return None


def _compare(replay: Replay, card: AnyRow) -> str | None:
    """Compare what the rows say with what the card says; returns the first difference."""
    stamped = [row for row in replay.given.values() if row.transaction_type == KIND.STAMP_EARNED]
    last_stamp_at = max((row.transaction_at for row in stamped if replay.left[row.id]), default=None)
    said: dict[str, Any] = {  # columns of several types
        "ledger_at": replay.at,
        "stamp_count": replay.stamps,
        "points_balance": replay.points,
        "total_stamps_earned": replay.stamps_earned,
        "stamps_redeemed": replay.stamps_redeemed,
        "total_points_earned": replay.points_earned,
        "points_redeemed": replay.points_redeemed,
        "total_points_voided": replay.points_voided,
        "last_stamp_at": last_stamp_at,
        "stamps_day": replay.stamps_day,
        "stamps_on_day": replay.stamps_on[replay.stamps_day] if replay.stamps_day else 0,
        # What is left of a card's old codes never was active, and has no rows.
        "is_active": replay.active and card.replaced_by_id is None,
    }
    for column, value in said.items():
        if getattr(card, column) != value:
            return f"the card says {column} = {getattr(card, column)}, its rows say {value}"
    return None
