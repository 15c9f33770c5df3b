"""The platform as its admin sees it: a few numbers, and the vendors with what is going on at each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, ScalarSelect, func, literal, or_, select, text

from loyalty.database import AnySelect, db
from loyalty.domain.values import Admin, TransactionType
from loyalty.errors import NotFound
from loyalty.models.cards import LoyaltyCard
from loyalty.models.outbox import OutboxMessage
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.vendors import Vendor
from loyalty.services import failures, health
from loyalty.services.replaced_codes import is_card

PAGE: Final = 50
# Above this many the number of cards is the database's own estimate: counting would cost more than it tells.
_COUNTED: Final = 100_000
# Of one vendor in a list.
MOST_CARDS: Final = 10_000
# By what a list can be narrowed.
SHOWN: Final = ("active", "suspended", "failing")


@dataclass(frozen=True, slots=True)
class Overview:
    """The platform in numbers; `waiting_since` is when the oldest message should have left, None while none waits."""

    vendors: int
    suspended: int
    cards: int
    cards_exact: bool
    stamps_today: int
    failing: int
    waiting_since: datetime | None
    minutes_waiting: int


@dataclass(frozen=True, slots=True)
class VendorRow:
    """A vendor in the list; `cards` counts to one more than MOST_CARDS. Wallets are on once the program knows them."""

    vendor_id: UUID
    code: str
    name: str
    status: str
    cards: int
    stamps_today: int
    last_activity_at: datetime | None
    updates_waiting: int
    failing: int
    has_program: bool = False
    in_apple: bool = False
    in_google: bool = False


@dataclass(frozen=True, slots=True)
class VendorPage:
    """A page of vendors; `after` continues it, None at the end."""

    rows: tuple[VendorRow, ...]
    after: str | None


def get_overview(*, admin: Admin, at: datetime) -> Overview:
    """Count what the first page shows; the days are those of each vendor's own clock."""
    by_state = select(Vendor.status, func.count().label("vendors")).group_by(Vendor.status)
    states = {row.status: row.vendors for row in db.session.execute(by_state)}
    stamps = db.session.scalar(select(func.sum(_stamps_today(at))).select_from(Vendor))
    cards = _estimated_cards()
    exact = cards < _COUNTED
    if exact:
        cards = db.session.execute(select(func.count()).select_from(LoyaltyCard).where(is_card())).scalar_one()
    age = health.readiness(versions=()).queue_age_seconds
    return Overview(
        vendors=states.get("active", 0),
        suspended=states.get("suspended", 0),
        cards=cards,
        cards_exact=exact,
        stamps_today=int(stamps or 0),
        failing=sum(count.failing for count in failures.count_by_kind(admin=admin)),
        waiting_since=at - timedelta(seconds=age) if age else None,
        minutes_waiting=age // 60,
    )


def list_vendors(*, admin: Admin, after: str, at: datetime, search: str = "", show: str = "") -> VendorPage:
    """List vendors by their code, those behind `after`; of a search those with a part of it in code or name.

    `show` is one of SHOWN; any other word shows all.
    """
    is_like = or_(*(column.icontains(search, autoescape=True) for column in (Vendor.code, Vendor.name)))
    those = [Vendor.code > after, is_like, *_shown(show)]
    rows = _rows(_vendors(at).where(*those).order_by(Vendor.code).limit(PAGE + 1))
    return VendorPage(tuple(rows[:PAGE]), rows[PAGE - 1].code if len(rows) > PAGE else None)


def get_vendor(*, admin: Admin, vendor_id: UUID, at: datetime) -> VendorRow:
    """Get what is going on at one vendor."""
    rows = _rows(_vendors(at).where(Vendor.id == vendor_id))
    if not rows:
        raise NotFound
    return rows[0]


def _shown(show: str) -> list[ColumnElement[bool]]:
    if show == "failing":
        return [Vendor.id.in_(select(OutboxMessage.vendor_id).where(*failures.failed()))]
    return [Vendor.status == show] if show in SHOWN else []


def _vendors(at: datetime) -> AnySelect:
    counted = (_cards().label("cards"), _stamps_today(at).label("stamps"), _last_activity().label("active_at"))
    program = LoyaltyProgram
    wallets = (
        func.coalesce(program.is_active, False).label("has_program"),
        program.apple_pass_type_id.is_not(None).label("in_apple"),
        program.google_class_id.is_not(None).label("in_google"),
    )
    return select(Vendor, *counted, *wallets).outerjoin(program, program.vendor_id == Vendor.id)


def _rows(query: AnySelect) -> list[VendorRow]:
    updates = _by_vendor(*failures.waiting(*failures.UPDATES))
    failing = _by_vendor(*failures.failed())
    return [
        VendorRow(
            vendor_id=vendor.id,
            code=vendor.code,
            name=vendor.name,
            status=vendor.status,
            cards=cards,
            stamps_today=stamps,
            last_activity_at=active_at,
            updates_waiting=updates.get(vendor.id, 0),
            failing=failing.get(vendor.id, 0),
            has_program=has_program,
            in_apple=in_apple,
            in_google=in_google,
        )
        for vendor, cards, stamps, active_at, has_program, in_apple, in_google in db.session.execute(query)
    ]


def _estimated_cards() -> int:
    found = db.session.execute(text("SELECT reltuples::bigint FROM pg_class WHERE oid = 'loyalty_cards'::regclass"))
    return int(found.scalar_one())


def _stamps_today(at: datetime) -> ScalarSelect[int]:
    """What a vendor's tills have given since its own midnight."""
    zone, row = Vendor.timezone, LoyaltyTransaction
    midnight = func.timezone(zone, func.date_trunc("day", func.timezone(zone, literal(at, DateTime(timezone=True)))))
    given = select(func.coalesce(func.sum(row.stamps_delta), 0)).where(
        row.vendor_id == Vendor.id,
        row.transaction_at >= midnight,
        row.transaction_type == TransactionType.STAMP_EARNED,
    )
    return given.correlate(Vendor).scalar_subquery()


def _cards() -> ScalarSelect[int]:
    mine = (LoyaltyCard.vendor_id == Vendor.id, is_card())
    some = select(LoyaltyCard.id).where(*mine).limit(MOST_CARDS + 1)
    return select(func.count()).select_from(some.correlate(Vendor).subquery().lateral()).scalar_subquery()


def _last_activity() -> ScalarSelect[datetime]:
    newest = select(func.max(LoyaltyTransaction.transaction_at)).where(LoyaltyTransaction.vendor_id == Vendor.id)
    return newest.correlate(Vendor).scalar_subquery()


def _by_vendor(*conditions: ColumnElement[bool]) -> dict[UUID | None, int]:
    """Count rows of the outbox by vendor: once for all vendors, since many rows may wait."""
    vendor_id = OutboxMessage.vendor_id
    counted = select(vendor_id, func.count().label("rows")).where(*conditions).group_by(vendor_id)
    return {row.vendor_id: row.rows for row in db.session.execute(counted)}
