"""Stamps: add and redeem; taking them back is in `voids`, correcting them in `adjustments`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from loyalty.domain import limits
from loyalty.domain.earning import crossed_multiples
from loyalty.domain.values import Actor, CardRef, LoyaltyType, RequestKey, TransactionType
from loyalty.errors import N_, InsufficientStamps, ValidationError
from loyalty.services import card_mails, originals
from loyalty.services.ledger import Entry
from loyalty.services.till import Approval, Ground, Scene, perform

FIRST_ZONE: Final = "Etc/GMT-14"  # where each day begins first


@dataclass(frozen=True, kw_only=True)
class StampReceipt:
    """What adding stamps answers; times are aware UTC."""

    card_id: UUID
    card_number: str
    store_id: UUID | None
    transaction_id: UUID
    quantity: int
    stamp_count: int
    stamps_target: int
    stamps_until_reward: int
    reward_earned: bool
    rewards_available: int
    reward_description: str
    next_stamp_available_at: datetime | None
    stamps_today: int
    stamps_remaining_today: int
    transaction_at: datetime
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class StampRedemptionReceipt:
    """What redeeming a full card answers."""

    card_id: UUID
    card_number: str
    store_id: UUID | None
    transaction_id: UUID
    stamp_count: int
    stamps_target: int
    reward_description: str
    total_redemptions: int
    transaction_at: datetime
    replayed: bool = False


def add(
    *,
    actor: Actor,
    card: CardRef,
    quantity: int,
    notes: str | None = None,
    key: RequestKey,
    approval: Approval | None = None,
) -> StampReceipt:
    """Add stamps to a card, once per key.

    Raises StampCooldown, DailyStampLimit, ValidationError for a quantity that the program does not allow.
    """
    return perform(
        actor=actor,
        card=card,
        key=key,
        receipt=StampReceipt,
        rule=lambda scene: _add(scene, quantity, notes),
        ground=Ground(loyalty=LoyaltyType.STAMPS, collecting=True),
        approval=approval,
    )


def redeem(
    *,
    actor: Actor,
    card: CardRef,
    notes: str | None = None,
    seen_cost: int | None = None,
    key: RequestKey,
    approval: Approval | None = None,
) -> StampRedemptionReceipt:
    """Give the reward of a full card, once per key: takes exactly the target and keeps the surplus.

    Raises ValidationError where it costs no more what somebody saw, `seen_cost`.
    """
    return perform(
        actor=actor,
        card=card,
        key=key,
        receipt=StampRedemptionReceipt,
        rule=lambda scene: _redeem(scene, notes, seen_cost),
        ground=Ground(loyalty=LoyaltyType.STAMPS),
        approval=approval,
    )


def _add(scene: Scene, quantity: int, notes: str | None) -> StampReceipt:
    facts, state, today = scene.facts, scene.state, scene.origin.today
    if not 1 <= quantity <= facts.max_stamps_per_action:
        raise ValidationError({"quantity": N_("This is more than one tap may give.")})
    on_day = _stamps_today(scene)
    limits.check_stamp(
        now=scene.now,
        quantity=quantity,
        last_stamp_at=state.last_stamp_at,
        cooldown_minutes=facts.cooldown_minutes,
        stamps_today=on_day,
        max_daily_stamps=facts.max_daily_stamps,
    )
    before = state.stamp_count
    transaction_id = scene.append(Entry(TransactionType.STAMP_EARNED, stamps_delta=quantity, notes=notes))
    state.total_stamps_earned += quantity
    state.stamps_day, state.stamps_on_day = today, on_day + quantity
    state.last_stamp_at = state.last_activity_at = scene.now
    target = facts.stamps_target
    card_mails.tell_of_reward(origin=scene.origin, state=state, target=target, were_ready=before // target)
    return StampReceipt(
        card_id=scene.card.id,
        card_number=scene.card.card_number,
        store_id=scene.actor.store_id,
        transaction_id=transaction_id,
        quantity=quantity,
        stamp_count=state.stamp_count,
        stamps_target=target,
        stamps_until_reward=max(0, target - state.stamp_count),
        reward_earned=crossed_multiples(before, state.stamp_count, target) > 0,
        rewards_available=state.stamp_count // target,
        reward_description=facts.stamps_reward_description,
        next_stamp_available_at=_next_stamp(scene),
        stamps_today=state.stamps_on_day,
        stamps_remaining_today=facts.max_daily_stamps - state.stamps_on_day,
        transaction_at=scene.now,
    )


def _stamps_today(scene: Scene) -> int:
    """Return the stamps of the vendor's today: the card counts its last day, older days are counted anew.

    A day can come back only where the vendor's zone has changed; a day that had not begun anywhere on earth when the
    card got its last stamp has none.
    """
    state, today = scene.state, scene.origin.today
    if state.stamps_day == today:
        return state.stamps_on_day
    if state.last_stamp_at is None or limits.local_day(state.last_stamp_at, FIRST_ZONE) < today:
        return 0
    return originals.count_stamps(scene.card.id, today)


def _next_stamp(scene: Scene) -> datetime | None:
    """When the next stamp is possible: after the pause, and after midnight where the day is full."""
    ends = limits.cooldown_ends(scene.now, scene.facts.cooldown_minutes)
    if scene.state.stamps_on_day < scene.facts.max_daily_stamps:
        return ends
    midnight = limits.next_midnight(scene.now, scene.facts.timezone)
    return max(ends or midnight, midnight)


def _redeem(scene: Scene, notes: str | None, seen_cost: int | None) -> StampRedemptionReceipt:
    state, target = scene.state, scene.facts.stamps_target
    limits.check_cost(seen=seen_cost, cost=target)
    if state.stamp_count < target:
        raise InsufficientStamps(stamp_count=state.stamp_count, stamps_target=target)
    description = scene.facts.stamps_reward_description
    transaction_id = scene.append(
        Entry(TransactionType.STAMP_REDEEMED, stamps_delta=-target, reward_description=description, notes=notes)
    )
    state.stamps_redeemed += 1
    state.last_redemption_at = state.last_activity_at = scene.now
    return StampRedemptionReceipt(
        card_id=scene.card.id,
        card_number=scene.card.card_number,
        store_id=scene.actor.store_id,
        transaction_id=transaction_id,
        stamp_count=state.stamp_count,
        stamps_target=target,
        reward_description=description,
        total_redemptions=state.stamps_redeemed,
        transaction_at=scene.now,
    )
