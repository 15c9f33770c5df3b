"""Points: earn and redeem; taking them back is in `voids`, correcting them in `adjustments`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from babel.numbers import get_currency_precision
from sqlalchemy import func, select

from loyalty.database import AnyRow, db
from loyalty.domain import bounds, limits
from loyalty.domain.earning import points_for
from loyalty.domain.values import Actor, CardRef, LoyaltyType, RequestKey, TransactionType
from loyalty.errors import (
    N_,
    InsufficientPoints,
    InvalidReward,
    OrderReferenceRequired,
    StoreNotAllowed,
    ValidationError,
)
from loyalty.models.programs import Reward
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services.ledger import Entry
from loyalty.services.till import Approval, Ground, Scene, perform

ORDER_REFERENCE_LENGTH = 64
_ORIGINAL: Final = LoyaltyTransaction.__table__.alias("original")
_VOIDED: Final = (
    select(func.coalesce(-func.sum(LoyaltyTransaction.points_delta), 0))
    .where(LoyaltyTransaction.related_transaction_id == _ORIGINAL.c.id)
    .scalar_subquery()
)


@dataclass(frozen=True, kw_only=True)
class PointsReceipt:
    """What earning points answers; `transaction_id` is None where the amount gave no points."""

    card_id: UUID
    card_number: str
    store_id: UUID | None
    transaction_id: UUID | None
    points_earned: int
    points_per_euro: int
    purchase_amount_cents: int
    currency: str
    points_balance: int
    total_points_earned: int
    transaction_at: datetime
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class PointsRedemptionReceipt:
    """What buying a reward with points answers."""

    card_id: UUID
    card_number: str
    store_id: UUID | None
    transaction_id: UUID
    reward_id: str
    reward_name: str
    points_spent: int
    points_balance: int
    total_points_redeemed: int
    transaction_at: datetime
    replayed: bool = False


def earn(
    *,
    actor: Actor,
    card: CardRef,
    purchase_amount_cents: int,
    order_reference: str | None = None,
    notes: str | None = None,
    key: RequestKey,
    approval: Approval | None = None,
) -> PointsReceipt:
    """Give the points of a purchase, once per key, and once per order reference of a card and store.

    Raises ValidationError for an amount out of bounds, OrderReferenceRequired where the policy wants one.
    """
    if not 0 < purchase_amount_cents <= bounds.PURCHASE:
        raise ValidationError({"amount": N_("Enter an amount above zero.")})
    reference = (order_reference or "").strip() or None
    if reference and len(reference) > ORDER_REFERENCE_LENGTH:
        raise ValidationError({"order_reference": N_("Enter at most 64 characters.")})
    return perform(
        actor=actor,
        card=card,
        key=key,
        receipt=PointsReceipt,
        rule=lambda scene: _earn(scene, purchase_amount_cents, reference, notes),
        ground=Ground(loyalty=LoyaltyType.POINTS, collecting=True),
        approval=approval,
    )


def redeem(
    *,
    actor: Actor,
    card: CardRef,
    reward_id: str,
    notes: str | None = None,
    seen_cost: int | None = None,
    key: RequestKey,
    approval: Approval | None = None,
) -> PointsRedemptionReceipt:
    """Buy a reward with points, once per key; `reward_id` is the reward's public id.

    Raises ValidationError where it costs no more what somebody saw, `seen_cost`.
    """
    return perform(
        actor=actor,
        card=card,
        key=key,
        receipt=PointsRedemptionReceipt,
        rule=lambda scene: _redeem(scene, reward_id, notes, seen_cost),
        ground=Ground(loyalty=LoyaltyType.POINTS),
        approval=approval,
    )


def _earn(scene: Scene, amount: int, reference: str | None, notes: str | None) -> PointsReceipt:
    facts, state = scene.facts, scene.state
    if reference is None and facts.require_order_reference:
        raise OrderReferenceRequired(errors={"order_reference": OrderReferenceRequired.sentence})
    if reference and (first := _same_order(scene, reference)):
        return _first_answer(scene, first, amount)
    if amount < facts.minimum_purchase_cents:
        raise ValidationError(
            {"amount": N_("Purchases below the shop's minimum give no points.")},
            minimum_purchase_cents=facts.minimum_purchase_cents,
        )
    points = points_for(amount, facts.points_per_euro, get_currency_precision(facts.currency))
    if points > bounds.POINTS:
        raise ValidationError({"amount": N_("This amount is too large.")})
    if points == 0:
        return _receipt(scene, None, 0, amount)
    entry = Entry(
        TransactionType.POINTS_EARNED,
        points_delta=points,
        purchase_amount_cents=amount,
        order_reference=reference,
        notes=notes,
    )
    transaction_id = scene.append(entry)
    state.total_points_earned += points
    state.last_points_at = state.last_activity_at = scene.now
    return _receipt(scene, transaction_id, points, amount)


def _receipt(scene: Scene, transaction_id: UUID | None, points: int, amount: int) -> PointsReceipt:
    return PointsReceipt(
        card_id=scene.card.id,
        card_number=scene.card.card_number,
        store_id=scene.actor.store_id,
        transaction_id=transaction_id,
        points_earned=points,
        points_per_euro=scene.facts.points_per_euro,
        purchase_amount_cents=amount,
        currency=scene.facts.currency,
        points_balance=scene.state.points_balance,
        total_points_earned=scene.state.total_points_earned,
        transaction_at=scene.now,
    )


def _same_order(scene: Scene, reference: str) -> AnyRow | None:
    """Find the purchase that this receipt already gave points for, unless it was voided in full."""
    query = (
        select(_ORIGINAL)
        .where(
            _ORIGINAL.c.card_id == scene.card.id,
            _ORIGINAL.c.store_id.is_not_distinct_from(scene.actor.store_id),
            _ORIGINAL.c.order_reference == reference,
            _ORIGINAL.c.transaction_type == TransactionType.POINTS_EARNED.value,
            _ORIGINAL.c.points_delta > _VOIDED,
        )
        .order_by(_ORIGINAL.c.seq)
        .limit(1)
    )
    return db.session.execute(query).one_or_none()


def _first_answer(scene: Scene, first: AnyRow, amount: int) -> PointsReceipt:
    """Give the answer of the first time again; the same receipt with another amount is refused."""
    if first.purchase_amount_cents != amount:
        raise ValidationError({"order_reference": N_("This receipt was entered before, with another amount.")})
    row = LoyaltyTransaction
    earned_then = db.session.execute(
        select(func.coalesce(func.sum(row.points_delta), 0)).where(
            row.card_id == scene.card.id,
            row.seq <= first.seq,
            row.transaction_type.in_((TransactionType.POINTS_EARNED.value, TransactionType.WELCOME_BONUS.value)),
        )
    ).scalar_one()
    return PointsReceipt(
        card_id=scene.card.id,
        card_number=scene.card.card_number,
        store_id=first.store_id,
        transaction_id=first.id,
        points_earned=first.points_delta,
        points_per_euro=scene.facts.points_per_euro,
        purchase_amount_cents=amount,
        currency=scene.facts.currency,
        points_balance=first.points_balance_after,
        total_points_earned=int(earned_then),
        transaction_at=first.transaction_at,
    )


def _redeem(scene: Scene, reward_id: str, notes: str | None, seen_cost: int | None) -> PointsRedemptionReceipt:
    state = scene.state
    reward = _offer(scene, reward_id)
    limits.check_cost(seen=seen_cost, cost=reward.points_required)
    home = scene.card.enrolled_at_store_id
    if not scene.facts.allow_cross_store_redemption and home not in (None, scene.actor.store_id):
        raise StoreNotAllowed
    required = max(reward.points_required, scene.facts.minimum_redemption_points)
    if state.points_balance < required:
        raise InsufficientPoints(points_balance=state.points_balance, points_required=required)
    entry = Entry(
        TransactionType.POINTS_REDEEMED,
        points_delta=-reward.points_required,
        reward_id=reward.public_id,
        reward_description=reward.name,
        notes=notes,
    )
    transaction_id = scene.append(entry)
    state.points_redeemed += reward.points_required
    state.last_redemption_at = state.last_activity_at = scene.now
    return PointsRedemptionReceipt(
        card_id=scene.card.id,
        card_number=scene.card.card_number,
        store_id=scene.actor.store_id,
        transaction_id=transaction_id,
        reward_id=reward.public_id,
        reward_name=reward.name,
        points_spent=reward.points_required,
        points_balance=state.points_balance,
        total_points_redeemed=state.points_redeemed,
        transaction_at=scene.now,
    )


def _offer(scene: Scene, reward_id: str) -> AnyRow:
    query = select(Reward.public_id, Reward.name, Reward.points_required).where(
        Reward.program_id == scene.card.program_id, Reward.public_id == reward_id, Reward.active
    )
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise InvalidReward
    return row
