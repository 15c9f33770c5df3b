"""Replaying the ledger: every card's rows against its chain, its numbers and its balances."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import select

from loyalty.database import AnyRow, db
from loyalty.domain.ledger import ENTRY_COLUMNS, GENESIS, entry_hash
from loyalty.domain.values import TransactionType
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction

BATCH = 1_000
COLUMNS = tuple(LoyaltyTransaction.__table__.columns)
KIND = TransactionType


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing that is wrong with a card; `seq` is the row, None where the card itself disagrees."""

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
    last_stamp_at: datetime | None = None
    left: dict[UUID, int] = field(default_factory=dict)
    stamps_on: dict[date, int] = field(default_factory=dict)
    stamped: dict[UUID, tuple[datetime, date]] = field(default_factory=dict)


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
    """Read cards and their rows in batches, in one order on both sides."""
    last = UUID(int=0)
    while True:
        query = (
            select(*LoyaltyCard.__table__.columns).where(LoyaltyCard.id > last).order_by(LoyaltyCard.id).limit(BATCH)
        )
        if vendor_id:
            query = query.where(LoyaltyCard.vendor_id == vendor_id)
        cards = db.session.execute(query).all()
        if not cards:
            return
        last = cards[-1].id
        rows = db.session.execute(
            select(*COLUMNS)
            .where(LoyaltyTransaction.card_id.in_([card.id for card in cards]))
            .order_by(LoyaltyTransaction.card_id, LoyaltyTransaction.seq)
        )
        by_card = {card_id: list(entries) for card_id, entries in groupby(rows, key=lambda row: row.card_id)}
        for card in cards:
            yield card, by_card.get(card.id, [])


def _check(card: AnyRow, entries: list[AnyRow]) -> Finding | None:
    replay = Replay()
    for entry in entries:
        if problem := _step(replay, card, entry):
            return Finding(card.id, card.card_number, entry.seq, problem)
    if problem := _compare(replay, card):
        return Finding(card.id, card.card_number, None, problem)
    return None


def _step(replay: Replay, card: AnyRow, entry: AnyRow) -> str | None:
    """Check one row against the rows before it and move on; returns what is wrong."""
    if entry.seq != replay.seq + 1:
        return f"row {replay.seq + 1} is missing"
    if entry.entry_version not in ENTRY_COLUMNS:
        return f"entry version {entry.entry_version} is unknown"
    if entry.entry_hash != entry_hash(entry.entry_version, replay.head, entry._asdict()):
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
    kind, stamps, points = TransactionType(entry.transaction_type), entry.stamps_delta, entry.points_delta
    if kind in (KIND.STAMP_EARNED, KIND.WELCOME_BONUS):
        replay.stamps_earned += stamps
    if kind in (KIND.POINTS_EARNED, KIND.WELCOME_BONUS):
        replay.points_earned += points
    if kind == KIND.STAMP_EARNED:
        replay.stamped[entry.id] = (entry.transaction_at, entry.local_day)
        replay.stamps_on[entry.local_day] = replay.stamps_on.get(entry.local_day, 0) + stamps
    elif kind == KIND.STAMP_REDEEMED:
        replay.stamps_redeemed += 1
    elif kind == KIND.POINTS_REDEEMED:
        replay.points_redeemed -= points
    elif kind in (KIND.CARD_DEACTIVATED, KIND.CARD_REACTIVATED):
        replay.active = kind == KIND.CARD_REACTIVATED
    elif kind in (KIND.STAMP_VOIDED, KIND.POINTS_VOIDED, KIND.REDEMPTION_VOIDED):
        return _void(replay, entry, kind)
    replay.left[entry.id] = abs(stamps) + abs(points)
    return None


def _void(replay: Replay, entry: AnyRow, kind: TransactionType) -> str | None:
    original, amount = entry.related_transaction_id, abs(entry.stamps_delta) + abs(entry.points_delta)
    if original is None or original not in replay.left:
        return "the row takes back an entry that this card does not have"
    if amount > replay.left[original]:
        return "more was taken back than was given"
    replay.left[original] -= amount
    if kind == KIND.STAMP_VOIDED:
        replay.stamps_earned += entry.stamps_delta
        _, day = replay.stamped[original]
        replay.stamps_on[day] += entry.stamps_delta
    elif kind == KIND.POINTS_VOIDED:
        replay.points_voided -= entry.points_delta
    elif entry.stamps_delta:
        replay.stamps_redeemed -= 1
    else:
        replay.points_redeemed -= entry.points_delta
    return None


def _compare(replay: Replay, card: AnyRow) -> str | None:
    """Compare what the rows say with what the card says; returns the first difference."""
    open_stamps = [at for stamp, (at, _) in replay.stamped.items() if replay.left[stamp]]
    today = replay.stamps_on.get(card.stamps_day, 0) if card.stamps_day else 0
    said: dict[str, Any] = {  # columns of several types
        "ledger_seq": replay.seq,
        "ledger_head": replay.head,
        "ledger_at": replay.at,
        "stamp_count": replay.stamps,
        "points_balance": replay.points,
        "total_stamps_earned": replay.stamps_earned,
        "stamps_redeemed": replay.stamps_redeemed,
        "total_points_earned": replay.points_earned,
        "points_redeemed": replay.points_redeemed,
        "total_points_voided": replay.points_voided,
        "last_stamp_at": max(open_stamps, default=None),
        "stamps_on_day": today,
        "is_active": replay.active,
    }
    for column, value in said.items():
        if getattr(card, column) != value:
            return f"the card says {column} = {getattr(card, column)}, its rows say {value}"
    return None
