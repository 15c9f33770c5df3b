"""Switching many cards of a vendor off together: begun, looked at, and taken back as one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, func, insert, literal, select
from sqlalchemy.orm import aliased

from loyalty.database import AnyRow, AnySelect, db, new_id
from loyalty.domain.values import Admin, RequestKey
from loyalty.errors import N_, Forbidden, NotFound, ValidationError, VendorSuspended
from loyalty.models.bulk import BulkCard, BulkDeactivation
from loyalty.models.cards import LoyaltyCard
from loyalty.models.users import User
from loyalty.models.vendors import Store, Vendor
from loyalty.services import audit, bulk_choices, idempotency, outbox
from loyalty.services.bulk_choices import MOST, CardChoice

_REASON_LENGTH: Final = 300
_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class BulkReceipt:
    """The mass that a command began or took back."""

    bulk_id: UUID
    cards: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Bulk:
    """A mass and how far it is: how many of its cards wait, are off by it, were off before, and what its undo did.

    `is_moving` while a worker has something to do with it.
    """

    bulk_id: UUID
    vendor_id: UUID
    vendor_name: str
    state: str
    reason: str
    choice: dict[str, object]
    store_name: str | None
    cards: int
    by: str
    undone_by: str | None
    created_at: datetime
    ended_at: datetime | None
    waiting: int = 0
    off: int = 0
    skipped: int = 0
    on: int = 0
    kept: int = 0
    left: int = 0

    @property
    def is_moving(self) -> bool:
        """Whether a worker still goes through the cards."""
        return self.state in ("running", "undoing")

    @property
    def gone_through(self) -> int:
        """How many cards the present direction has behind it."""
        return self.on + self.kept + self.left + self.skipped if self.state == "undoing" else self.cards - self.waiting


def start(
    *, admin: Admin, vendor_id: UUID, choice: CardChoice, expected: int | None, reason: str, key: RequestKey
) -> BulkReceipt:
    """Take the cards of a choice down and begin to switch them off; `expected` is how many somebody says they are."""
    if admin.user_id is None:
        raise Forbidden
    user_id, why = admin.user_id, _checked(reason)

    def work() -> BulkReceipt:
        _require_open(vendor_id)
        which = bulk_choices.conditions(vendor_id=vendor_id, choice=choice)
        bulk = BulkDeactivation(
            id=new_id(),
            vendor_id=vendor_id,
            user_id=user_id,
            reason=why,
            choice=choice.said,
            cards=max(0, expected or 0),
        )
        db.session.add(bulk)
        db.session.flush()
        cards = _take_down(bulk, which)
        _require_expected(cards, expected)
        outbox.add(kind="cards.bulk", subject_id=bulk.id, vendor_id=vendor_id)
        _record(admin, "bulk.started", bulk)
        return BulkReceipt(bulk.id, cards)

    return idempotency.run(key, BulkReceipt, work)


def undo(*, admin: Admin, bulk_id: UUID, key: RequestKey) -> BulkReceipt:
    """Begin to switch on again what this mass has switched off and nobody has switched since.

    A mass that is still on its way stops; cards that it has not come to stay as they are.
    """

    def work() -> BulkReceipt:
        bulk = db.session.get(BulkDeactivation, bulk_id, with_for_update=True, populate_existing=True)
        if bulk is None:
            raise NotFound
        if bulk.state in ("running", "done"):
            _require_open(bulk.vendor_id)
            bulk.state, bulk.undo_user_id, bulk.ended_at = "undoing", admin.user_id, None
            outbox.add(kind="cards.bulk", subject_id=bulk.id, vendor_id=bulk.vendor_id)
            _record(admin, "bulk.undone", bulk)
        return BulkReceipt(bulk.id, bulk.cards)

    return idempotency.run(key, BulkReceipt, work)


def get(*, admin: Admin, bulk_id: UUID) -> Bulk:
    """Get a mass and how far it is; `admin` is who asks for the platform."""
    row = db.session.execute(_masses().where(BulkDeactivation.id == bulk_id)).one_or_none()
    if row is None:
        raise NotFound
    by_state = select(BulkCard.state, func.count().label("cards")).where(BulkCard.bulk_id == bulk_id)
    counts = {each.state: each.cards for each in db.session.execute(by_state.group_by(BulkCard.state))}
    return _bulk(row, counts)


def list_all(*, admin: Admin, vendor_id: UUID) -> list[Bulk]:
    """List the newest masses of a vendor, without counting how far they are."""
    newest = _masses().where(BulkDeactivation.vendor_id == vendor_id)
    newest = newest.order_by(BulkDeactivation.created_at.desc(), BulkDeactivation.id.desc()).limit(_SHOWN)
    return [_bulk(row, {}) for row in db.session.execute(newest)]


def _checked(reason: str) -> str:
    why = reason.strip()
    if not why:
        raise ValidationError({"reason": N_("Say why: the reason stands in the history.")})
    if len(why) > _REASON_LENGTH:
        raise ValidationError({"reason": N_("Say it in 300 letters or fewer.")})
    return why


def _require_open(vendor_id: UUID) -> None:
    """A suspended shop's cards are not touched: the till's frame would refuse every one of them."""
    status = db.session.scalar(select(Vendor.status).where(Vendor.id == vendor_id))
    if status is None:
        raise NotFound
    if status != "active":
        raise VendorSuspended


def _take_down(bulk: BulkDeactivation, which: list[ColumnElement[bool]]) -> int:
    """Count the cards and take them down where they are as many as expected: in one statement, which sees the same."""
    chosen = select(LoyaltyCard.id, LoyaltyCard.vendor_id).where(*which).cte("chosen")
    counted = select(func.count()).select_from(chosen)
    at = literal(datetime.now(UTC))
    names = ["bulk_id", "card_id", "vendor_id", "state", "created_at", "updated_at"]
    rows = select(literal(bulk.id), chosen.c.id, chosen.c.vendor_id, literal("waiting"), at.label("a"), at.label("b"))
    fit = and_(counted.scalar_subquery() == bulk.cards, literal(bulk.cards <= MOST))
    written = insert(BulkCard).from_select(names, rows.where(fit), include_defaults=False)
    return db.session.execute(counted.add_cte(written.cte("written"))).scalar_one()


def _require_expected(cards: int, expected: int | None) -> None:
    if not cards:
        raise ValidationError({"choice": N_("No active card is like that.")})
    if cards > MOST:
        raise ValidationError({"choice": N_("That is more than 50,000 cards. Choose fewer, by days for example.")})
    if expected != cards:
        # Also where cards were made or switched off since the preview: nobody switches off what they have not seen.
        raise ValidationError({"typed_count": N_("Type the number of cards that is shown now.")})


def _masses() -> AnySelect:
    undoer = aliased(User)
    store_id = BulkDeactivation.choice["store_id"].astext
    return (
        select(BulkDeactivation, Vendor.name, User.email, undoer.email, Store.name)
        .join(Vendor, Vendor.id == BulkDeactivation.vendor_id)
        .join(User, User.id == BulkDeactivation.user_id)
        .outerjoin(undoer, undoer.id == BulkDeactivation.undo_user_id)
        .outerjoin(Store, (cast(Store.id, Text) == store_id) & (Store.vendor_id == Vendor.id))
    )


def _bulk(row: AnyRow, counts: dict[str, int]) -> Bulk:
    bulk, vendor_name, by, undone_by, store_name = row
    return Bulk(
        bulk_id=bulk.id,
        vendor_id=bulk.vendor_id,
        vendor_name=vendor_name,
        state=bulk.state,
        reason=bulk.reason,
        choice=bulk.choice,
        store_name=store_name,
        cards=bulk.cards,
        by=by,
        undone_by=undone_by,
        created_at=bulk.created_at,
        ended_at=bulk.ended_at,
        **counts,
    )


def _record(admin: Admin, action: str, bulk: BulkDeactivation) -> None:
    audit.record(
        actor=admin,
        action=action,
        subject_type="bulk",
        subject_id=bulk.id,
        details={"cards": bulk.cards, "reason": bulk.reason, **bulk.choice},
        vendor_id=bulk.vendor_id,
    )
