"""Balances corrected by hand: by managers, with a reason, in the audit log, never below zero."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.domain import bounds, reasons
from loyalty.domain.values import Actor, CardRef, LoyaltyType, RequestKey, TransactionType
from loyalty.errors import N_, InsufficientPoints, InsufficientStamps, ValidationError
from loyalty.services import audit, card_mails
from loyalty.services.ledger import Entry
from loyalty.services.till import Approval, Ground, Scene, perform


@dataclass(frozen=True, kw_only=True)
class AdjustmentReceipt:
    """What correcting a balance answers: the change and the balance after it."""

    card_id: UUID
    card_number: str
    store_id: UUID | None
    transaction_id: UUID
    delta: int
    balance: int
    transaction_at: datetime
    replayed: bool = False


def adjust_stamps(
    *, actor: Actor, card: CardRef, delta: int, reason: str, key: RequestKey, approval: Approval | None = None
) -> AdjustmentReceipt:
    """Correct a stamp count, once per key; raises InsufficientStamps below zero."""
    ground = Ground(loyalty=LoyaltyType.STAMPS, manager=True)
    return _adjust(actor, card, delta, reason, key, approval, ground, _stamps)


def adjust_points(
    *, actor: Actor, card: CardRef, delta: int, reason: str, key: RequestKey, approval: Approval | None = None
) -> AdjustmentReceipt:
    """Correct a points balance, once per key; raises InsufficientPoints below zero."""
    ground = Ground(loyalty=LoyaltyType.POINTS, manager=True)
    return _adjust(actor, card, delta, reason, key, approval, ground, _points)


def _adjust(
    actor: Actor,
    card: CardRef,
    delta: int,
    reason: str,
    key: RequestKey,
    approval: Approval | None,
    ground: Ground,
    apply: Callable[[Scene, int, str], tuple[UUID, int]],
) -> AdjustmentReceipt:
    _check(delta, reason)

    def rule(scene: Scene) -> AdjustmentReceipt:
        transaction_id, balance = apply(scene, delta, reason.strip())
        details = {"delta": delta, "transaction": str(transaction_id)}
        audit.record(
            actor=scene.actor, action="card.adjusted", subject_type="card", subject_id=scene.card.id, details=details
        )
        return AdjustmentReceipt(
            card_id=scene.card.id,
            card_number=scene.card.card_number,
            store_id=scene.actor.store_id,
            transaction_id=transaction_id,
            delta=delta,
            balance=balance,
            transaction_at=scene.now,
        )

    return perform(
        actor=actor, card=card, key=key, receipt=AdjustmentReceipt, rule=rule, ground=ground, approval=approval
    )


def _check(delta: int, reason: str) -> None:
    errors = {}
    if delta == 0 or abs(delta) > bounds.ADJUSTMENT:
        errors["delta"] = N_("Enter a number from -100000 to 100000, but not 0.")
    if fault := reasons.fault(reason):
        errors["reason"] = fault
    if errors:
        raise ValidationError(errors)


def _stamps(scene: Scene, delta: int, reason: str) -> tuple[UUID, int]:
    state = scene.state
    if state.stamp_count + delta < 0:
        raise InsufficientStamps(stamp_count=state.stamp_count, stamps_target=-delta)
    target = scene.facts.stamps_target
    were_ready = state.stamp_count // target
    transaction_id = scene.append(Entry(TransactionType.STAMP_ADJUSTMENT, stamps_delta=delta, notes=reason))
    card_mails.tell_of_reward(origin=scene.origin, state=state, target=target, were_ready=were_ready)
    return transaction_id, state.stamp_count


def _points(scene: Scene, delta: int, reason: str) -> tuple[UUID, int]:
    state = scene.state
    if state.points_balance + delta < 0:
        raise InsufficientPoints(points_balance=state.points_balance, points_required=-delta)
    entry = Entry(TransactionType.POINTS_ADJUSTMENT, points_delta=delta, notes=reason)
    return scene.append(entry), state.points_balance
