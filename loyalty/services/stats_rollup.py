"""Keeping the sums of the statistics in step with the ledger, without asking anything of the till.

Each sweep looks for cards whose ledger has gone on, and has every day counted again, whole, that one of their new
rows stands on or takes something back from. Why nothing is lost and nothing counted twice:

- A card's rows are numbered under its lock, so they become visible in order. `card_stats.ledger_seq` says up to
  which of them the card is counted: what is new is known exactly, whatever order transactions commit in.
- Where to look is a guess that is wide enough. Ids of rows begin with the real time they were drawn at, which is not
  the ledger's time (that one can be moved, and history be written later). Every search begins half an hour before
  the last one did, while no transaction lives so long: each of its statements ends after 5 seconds, each pause after
  60. A row missed all the same is found with the next row of its card, or by a rebuild.
- Cards and the days they make due are written in one transaction; a day's mark and its new sums in another. Killed
  anywhere, the next sweep goes on. Days are counted after their marks are taken away, so a mark set meanwhile stays.
- An advisory lock for the search, and one for each vendor, keep two sweeps from writing the same rows.
"""

import logging
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, cast
from uuid import UUID

from sqlalchemy import TextClause, delete, func, insert, select, text, tuple_, update
from sqlalchemy.exc import DBAPIError

from loyalty.database import AnyRow, Base, db, transaction
from loyalty.services import stats_cards, stats_days, stats_platform_days

STAFF_DAYS_KEPT: Final = 90
LOOK_BACK: Final = timedelta(minutes=30)
# So many rows or cards are searched, and so many days of a vendor counted, in one transaction: of days at first a week,
# then four times as many as before until the vendor's turn is over, since a small shop's year costs less than a large
# one's week.
_ROWS: Final = 5_000
_CARDS: Final = 500
_DAYS: Final = 7
_MOST_DAYS: Final = 366
_TURN: Final = 500_000_000
_SETTINGS: Final = {"statement_timeout": "60s", "synchronous_commit": "off", "work_mem": "32MB", "jit": "off"}
_SEARCH: Final = 7_203_451_001
_VENDOR: Final = 1_720_345  # the first half of the lock's number, a hash of the vendor the second

_tables = Base.metadata.tables
_row, _card = _tables["loyalty_transactions"], _tables["loyalty_cards"]
_stats, _due = _tables["card_stats"], _tables["stats_due"]
_daily, _staff, _progress = _tables["daily_stats"], _tables["daily_staff_stats"], _tables["stats_progress"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RolledUp:
    """How many cards and days were counted, and how many days are still due."""

    cards: int
    days: int
    left: int


def roll_up(*, at: datetime, seconds: int = 20) -> RolledUp:
    """Count what is new in the ledger, the latest days first; what takes longer is left to the next run."""
    ends = time.monotonic_ns() + seconds * 1_000_000_000
    cards = _search(ends)
    staff_from = at.date() - timedelta(days=STAFF_DAYS_KEPT)
    days = _count_all(staff_from, ends)
    while stats_platform_days.count_some() and time.monotonic_ns() < ends:
        pass
    with transaction():
        db.session.execute(delete(_staff).where(_staff.c.local_day < staff_from))
    return RolledUp(cards, days, _days_left())


def start_over() -> None:
    """Have everything counted again by the next runs; until then the sums stay as they are."""
    with transaction():
        db.session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _SEARCH})
        _allow_long_statements()
        db.session.execute(delete(_progress))
        db.session.execute(update(_stats).values(ledger_seq=0))
        # Also the days that no row of the ledger stands on any more.
        everything = select(_daily.c.vendor_id, _daily.c.local_day).distinct()
        db.session.execute(insert(_due).from_select(["vendor_id", "local_day"], everything, include_defaults=False))


def mark_since(*, vendor_id: UUID, first: date) -> None:
    """Have a vendor's days counted again from one on, in the caller's transaction."""
    days = select(_daily.c.vendor_id, _daily.c.local_day).where(
        _daily.c.vendor_id == vendor_id, _daily.c.local_day >= first
    )
    db.session.execute(insert(_due).from_select(["vendor_id", "local_day"], days.distinct(), include_defaults=False))


def wait_for_vendor(*, vendor_id: UUID) -> None:
    """Keep a vendor's days from being counted until the caller's transaction ends."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(:one, hashtext(:vendor))"), _lock_of(vendor_id))


def _search(ends: int) -> int:
    """Count the cards with new rows; returns how many."""
    begin = _first_id(_real_time() - LOOK_BACK)
    position = db.session.scalar(select(_progress.c.searched_to))
    return _search_cards(ends, begin) if position is None else _search_rows(ends, begin, position)


def _search_rows(ends: int, begin: UUID, position: UUID) -> int:
    counted, found = 0, []
    while True:
        with transaction():
            if not _is_free(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": _SEARCH}):
                return counted
            found = _rows_after(position)
            counted += _count_cards(list({row.card_id for row in found}))
            position = UUID(str(found[-1].id)) if found else position
            _remember(min(position, begin))
        if len(found) < _ROWS or time.monotonic_ns() >= ends:
            return counted


def _search_cards(ends: int, begin: UUID) -> int:
    """Count all cards that are behind, where no search has come to its end yet.

    Shop by shop: in the order of rows, cards of all shops come together, and each few of them mark all days again.
    Every run begins with the first card, so that the one that comes to the end has seen all that was there at its
    beginning.
    """
    counted, after = 0, None
    while True:
        with transaction():
            if not _is_free(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": _SEARCH}):
                return counted
            found = _cards_behind(after)
            counted += _count_cards([row.id for row in found])
            if not found:
                _remember(begin)
                return counted
            after = (found[-1].vendor_id, found[-1].card_number)
        if time.monotonic_ns() >= ends:
            return counted


def _count_cards(card_ids: list[UUID]) -> int:
    """Count those of these cards that are behind, so few at once that no statement takes long."""
    _allow_long_statements()
    counted = 0
    for first in range(0, len(card_ids), _CARDS):
        if behind := stats_cards.find_behind(card_ids=card_ids[first : first + _CARDS]):
            stats_cards.recount(card_ids=list(behind))
            # In a later statement, which sees every row that was just counted.
            stats_cards.mark_days(behind=behind)
            counted += len(behind)
    return counted


def _count_all(staff_from: date, ends: int) -> int:
    """Count the days that are due, some of each vendor in turn; returns how many."""
    counted = 0
    while vendors := _vendors_due():
        before = counted
        for vendor_id in vendors:
            if time.monotonic_ns() >= ends:
                return counted
            try:
                counted += _take_turn(vendor_id, staff_from, ends)
            except DBAPIError:
                # Its marks stay, and the others need not wait for it.
                _log.exception("the days of vendor %s could not be counted", vendor_id)
        if counted == before:
            return counted
    return counted


def _take_turn(vendor_id: UUID, staff_from: date, ends: int) -> int:
    ends, counted, most = min(ends, time.monotonic_ns() + _TURN), 0, _DAYS
    while (found := _count(vendor_id, most, staff_from)) == most and time.monotonic_ns() < ends:
        counted, most = counted + found, min(4 * most, _MOST_DAYS)
    return counted + found


def _count(vendor_id: UUID, most: int, staff_from: date) -> int:
    """Count so many of a vendor's latest days that are due; returns how many."""
    with transaction():
        free = text("SELECT pg_try_advisory_xact_lock(:one, hashtext(:vendor))")
        if not _is_free(free, _lock_of(vendor_id)):
            return 0
        _allow_long_statements()
        mine = _due.c.vendor_id == vendor_id
        latest = select(_due.c.local_day).where(mine).distinct().order_by(_due.c.local_day.desc()).limit(most)
        taken = delete(_due).where(mine, _due.c.local_day.in_(latest)).returning(_due.c.local_day)
        days = sorted(set(db.session.execute(taken).scalars()))
        if days:
            stats_days.recount(vendor_id=vendor_id, days=days, staff_from=staff_from)
            stats_platform_days.mark(days=days)
    return len(days)


def _vendors_due() -> list[UUID]:
    latest = func.max(_due.c.local_day).desc()
    query = select(_due.c.vendor_id).group_by(_due.c.vendor_id).order_by(latest, _due.c.vendor_id)
    with transaction():
        _allow_long_statements()
        return list(db.session.execute(query).scalars())


def _days_left() -> int:
    days = select(_due.c.vendor_id, _due.c.local_day).distinct().subquery()
    with transaction():
        _allow_long_statements()
        return int(db.session.execute(select(func.count()).select_from(days)).scalar_one())


def _rows_after(position: UUID) -> list[AnyRow]:
    query = select(_row.c.id, _row.c.card_id).where(_row.c.id > position).order_by(_row.c.id).limit(_ROWS)
    return list(db.session.execute(query).all())


def _cards_behind(after: tuple[UUID, str] | None) -> list[AnyRow]:
    _allow_long_statements()
    query = (
        select(_card.c.id, _card.c.vendor_id, _card.c.card_number)
        .outerjoin(_stats, _stats.c.card_id == _card.c.id)
        .where(_card.c.ledger_seq > func.coalesce(_stats.c.ledger_seq, 0))
        .order_by(_card.c.vendor_id, _card.c.card_number)
        .limit(_CARDS)
    )
    if after is not None:
        query = query.where(tuple_(_card.c.vendor_id, _card.c.card_number) > after)
    return list(db.session.execute(query).all())


def _remember(position: UUID) -> None:
    changed = update(_progress).values(searched_to=position).returning(_progress.c.id)
    if db.session.scalar(changed) is None:
        db.session.execute(insert(_progress).values(id=1, searched_to=position))


def _real_time() -> datetime:
    # Not the ledger's clock: ids are drawn by the real one, even where history is written.
    return cast(datetime, db.session.execute(select(func.clock_timestamp())).scalar_one())


def _first_id(moment: datetime) -> UUID:
    """Return what lies before every id that is drawn after a moment."""
    return UUID(bytes=int(moment.timestamp() * 1000).to_bytes(6) + bytes(10))


def _lock_of(vendor_id: UUID) -> dict[str, object]:
    return {"one": _VENDOR, "vendor": str(vendor_id)}


def _is_free(lock: TextClause, number: dict[str, object]) -> bool:
    return bool(db.session.execute(lock, number).scalar_one())


def _allow_long_statements() -> None:
    # A busy shop's week is more than a page would ever be allowed to read at once, and is put in order in memory. And
    # nothing here waits for the disk: what a power cut takes away of the sums it takes of their marks too, and they
    # are counted again.
    db.session.execute(select(*(func.set_config(name, value, True) for name, value in _SETTINGS.items())))
