"""Expired points given back by the shop: once, within two weeks, with a reason, and kept like after a visit."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from loyalty.database import AnySelect, db
from loyalty.domain import reasons
from loyalty.domain.expiry import RESTORE_DAYS
from loyalty.domain.limits import local_day
from loyalty.domain.values import Actor, CardRef, LoyaltyType, RequestKey, TransactionType
from loyalty.errors import N_, TransactionNotFound, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.vendors import Vendor
from loyalty.services import audit
from loyalty.services.ledger import Entry
from loyalty.services.till import Approval, Ground, Scene, perform

_RESTORED = LoyaltyTransaction.__table__.alias("restored")


@dataclass(frozen=True, kw_only=True)
class RestoreReceipt:
    """What giving expired points back answers; `kept_until` is None where points do not expire any more."""

    card_id: UUID
    card_number: str
    store_id: UUID | None
    transaction_id: UUID
    points_restored: int
    points_balance: int
    kept_until: date | None
    transaction_at: datetime
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Restorable:
    """Points that expired lately and were not given back; they can be until the end of a day."""

    transaction_id: UUID
    points: int
    expired_at: datetime
    until: date


def find(*, actor: Actor, card_id: UUID, at: datetime) -> Restorable | None:
    """Return the newest expiry of a card that can still be undone."""
    zone = db.session.execute(select(Vendor.timezone).where(Vendor.id == actor.vendor_id)).scalar_one()
    since = local_day(at, zone) - timedelta(days=RESTORE_DAYS)
    row = db.session.execute(
        _expired(card_id, actor.vendor_id)
        .where(LoyaltyTransaction.local_day >= since, ~_is_restored())
        .order_by(LoyaltyTransaction.seq.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    until = row.local_day + timedelta(days=RESTORE_DAYS)
    return Restorable(row.id, -row.points_delta, row.transaction_at, until)


def restore(
    *,
    actor: Actor,
    card: CardRef,
    transaction_id: UUID,
    reason: str,
    key: RequestKey,
    approval: Approval | None = None,
) -> RestoreReceipt:
    """Give back what one expiry took, once; raises ValidationError where it is too late or was done already."""
    if fault := reasons.fault(reason):
        raise ValidationError({"reason": fault})
    return perform(
        actor=actor,
        card=card,
        key=key,
        receipt=RestoreReceipt,
        rule=lambda scene: _restore(scene, transaction_id, reason.strip()),
        ground=Ground(loyalty=LoyaltyType.POINTS, manager=True),
        approval=approval,
    )


def _restore(scene: Scene, transaction_id: UUID, reason: str) -> RestoreReceipt:
    points = _taken(scene, transaction_id)
    entry = Entry(
        TransactionType.POINTS_ADJUSTMENT, points_delta=points, related_transaction_id=transaction_id, notes=reason
    )
    restored_id = scene.append(entry)
    kept_until = _keep(scene)
    details = {"points": points, "transaction": str(restored_id), "expiry": str(transaction_id)}
    audit.record(
        actor=scene.actor, action="card.points_restored", subject_type="card", subject_id=scene.card.id, details=details
    )
    return RestoreReceipt(
        card_id=scene.card.id,
        card_number=scene.card.card_number,
        store_id=scene.actor.store_id,
        transaction_id=restored_id,
        points_restored=points,
        points_balance=scene.state.points_balance,
        kept_until=kept_until,
        transaction_at=scene.now,
    )


def _taken(scene: Scene, transaction_id: UUID) -> int:
    """Return how many points an expiry took; the card is locked, so no other restore comes between."""
    query = _expired(scene.card.id, scene.actor.vendor_id).add_columns(_is_restored().label("restored"))
    row = db.session.execute(query.where(LoyaltyTransaction.id == transaction_id)).one_or_none()
    if row is None:
        raise TransactionNotFound
    if row.restored:
        raise ValidationError({"reason": N_("These points were given back before.")})
    if row.local_day + timedelta(days=RESTORE_DAYS) < scene.origin.today:
        raise ValidationError({"reason": N_("Points can be given back for two weeks after they expired.")})
    return -int(row.points_delta)


def _keep(scene: Scene) -> date | None:
    """Keep the points as long as a visit today would: giving back what the next night takes would be no gift."""
    days = scene.facts.points_expiration_days
    until = scene.origin.today + timedelta(days=days) if days else None
    mine = (LoyaltyCard.id == scene.card.id, LoyaltyCard.vendor_id == scene.actor.vendor_id)
    db.session.execute(update(LoyaltyCard).where(*mine).values(points_kept_until=until, points_good_until=None))
    return until


def _expired(card_id: UUID, vendor_id: UUID) -> AnySelect:
    return select(
        LoyaltyTransaction.id,
        LoyaltyTransaction.points_delta,
        LoyaltyTransaction.local_day,
        LoyaltyTransaction.transaction_at,
    ).where(
        LoyaltyTransaction.card_id == card_id,
        LoyaltyTransaction.vendor_id == vendor_id,
        LoyaltyTransaction.transaction_type == TransactionType.POINTS_EXPIRED.value,
    )


def _is_restored() -> ColumnElement[bool]:
    return select(1).where(_RESTORED.c.related_transaction_id == LoyaltyTransaction.id).exists()
