"""Taking back: stamps, points and redemptions, whole or in part, never more than was given.

A void writes one row per original it takes back from. What the balance no longer holds is reported as `shortfall`
and stays unvoided. Originals are never changed: how much of one is voided is the sum of the rows that name it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from loyalty.database import db
from loyalty.domain import bounds, reasons
from loyalty.domain.values import Actor, CardRef, LoyaltyType, RequestKey, Role, TransactionType
from loyalty.errors import N_, AlreadyVoided, TransactionNotFound, ValidationError, VoidNotAllowed
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import audit, originals
from loyalty.services.ledger import Entry
from loyalty.services.originals import VOID_OF, Original
from loyalty.services.till import Approval, Ground, Scene, perform

UNDO_WINDOW: Final = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class VoidReceipt:
    """What taking back answers: the changes made, the balances after them, and what could not be taken.

    `transaction_id` is the last row written, None where the balance held nothing to take.
    """

    card_id: UUID
    card_number: str
    store_id: UUID | None
    transaction_id: UUID | None
    transaction_ids: list[UUID]
    voided_type: TransactionType
    stamps_voided: int
    points_voided: int
    shortfall: int
    stamp_count: int
    stamps_target: int
    points_balance: int
    transaction_at: datetime
    replayed: bool = False


def void(
    *, actor: Actor, transaction_id: UUID, reason: str, key: RequestKey, approval: Approval | None = None
) -> VoidReceipt:
    """Take back one transaction whole, whatever its kind, once per key: the undo of the terminal."""
    card_id = _card_of(actor, transaction_id)
    return _perform(actor, CardRef(card_id=card_id), key, approval, None, reason, _by_id(transaction_id, None))


def void_stamps(
    *,
    actor: Actor,
    card: CardRef,
    transaction_id: UUID | None = None,
    stamps_to_void: int | None = None,
    reason: str,
    key: RequestKey,
    approval: Approval | None = None,
) -> VoidReceipt:
    """Take back stamps of one transaction, or the newest that were not taken back yet."""
    if transaction_id is None and stamps_to_void is None:
        raise ValidationError({"stamps_to_void": N_("Say which entry, or how many.")})
    _check_quantity(stamps_to_void, "stamps_to_void")
    earned = TransactionType.STAMP_EARNED
    choose = _by_id(transaction_id, stamps_to_void, earned) if transaction_id else _newest(stamps_to_void or 0)
    return _perform(actor, card, key, approval, LoyaltyType.STAMPS, reason, choose)


def void_points(
    *,
    actor: Actor,
    card: CardRef,
    transaction_id: UUID | None = None,
    order_reference: str | None = None,
    points_to_void: int | None = None,
    reason: str,
    key: RequestKey,
    approval: Approval | None = None,
) -> VoidReceipt:
    """Take back the points of one purchase, named by transaction or order reference, whole or in part."""
    reference = (order_reference or "").strip()
    if not transaction_id and not reference:
        raise ValidationError({"order_reference": N_("Say which purchase.")})
    _check_quantity(points_to_void, "points_to_void")
    earned = TransactionType.POINTS_EARNED
    choose = _by_id(transaction_id, points_to_void, earned) if transaction_id else _by_order(reference, points_to_void)
    return _perform(actor, card, key, approval, LoyaltyType.POINTS, reason, choose)


Choice = list[tuple[Original, int]]
Choose = Callable[[Scene], Choice]


def _perform(
    actor: Actor,
    card: CardRef,
    key: RequestKey,
    approval: Approval | None,
    loyalty: LoyaltyType | None,
    reason: str,
    choose: Choose,
) -> VoidReceipt:
    if fault := reasons.fault(reason):
        raise ValidationError({"reason": fault})

    def rule(scene: Scene) -> VoidReceipt:
        if not scene.facts.allow_void_transactions:
            raise VoidNotAllowed
        chosen = choose(scene)
        _check_permission(scene, chosen)
        receipt = _take_back(scene, chosen, reason.strip())
        if scene.actor.user_id:
            details = {"transactions": [str(transaction_id) for transaction_id in receipt.transaction_ids]}
            audit.record(
                actor=actor, action="card.voided", subject_type="card", subject_id=scene.card.id, details=details
            )
        return receipt

    ground = Ground(loyalty=loyalty, by_managers=True)
    return perform(actor=actor, card=card, key=key, receipt=VoidReceipt, rule=rule, ground=ground, approval=approval)


def _check_quantity(quantity: int | None, field: str) -> None:
    if quantity is not None and not 1 <= quantity <= bounds.POINTS:
        raise ValidationError({field: N_("Enter a number above zero.")})


def _card_of(actor: Actor, transaction_id: UUID) -> UUID:
    """Find the card of a transaction of this vendor; which card a row belongs to never changes."""
    row = LoyaltyTransaction
    query = select(row.card_id).where(row.id == transaction_id, row.vendor_id == actor.vendor_id)
    card_id = db.session.execute(query).scalar_one_or_none()
    if card_id is None:
        raise TransactionNotFound
    return UUID(str(card_id))


def _by_id(transaction_id: UUID, quantity: int | None, only: TransactionType | None = None) -> Choose:
    def choose(scene: Scene) -> Choice:
        found = originals.get(scene.card.id, transaction_id)
        if found is None or (only and found.transaction_type != only):
            raise TransactionNotFound
        return [_part(found, quantity)]

    return choose


def _by_order(reference: str, quantity: int | None) -> Choose:
    def choose(scene: Scene) -> Choice:
        found = originals.find_by_order(scene.card.id, reference)
        if not found:
            raise TransactionNotFound
        # The newest that still has something to take: an order may have been entered again after a void.
        return [_part(next((original for original in found if original.left), found[0]), quantity)]

    return choose


def _newest(quantity: int) -> Choose:
    def choose(scene: Scene) -> Choice:
        chosen: Choice = []
        wanted = quantity
        for original in originals.find_open(scene.card.id, [TransactionType.STAMP_EARNED], limit=quantity):
            part = min(wanted, original.left)
            if part:
                chosen.append((original, part))
                wanted -= part
        if not chosen:
            raise AlreadyVoided
        if wanted:
            raise ValidationError({"stamps_to_void": N_("This card was not given that many stamps.")})
        return chosen

    return choose


def _part(original: Original, quantity: int | None) -> tuple[Original, int]:
    """How much of one original is asked for; the voided parts never exceed it."""
    if original.transaction_type not in VOID_OF:
        raise VoidNotAllowed
    if original.left == 0 or (quantity is not None and quantity > original.left):
        raise AlreadyVoided(left=original.left)
    return original, original.left if quantity is None else quantity


def _check_permission(scene: Scene, chosen: Choice) -> None:
    """Staff undo their own last entry of the card within ten minutes; everything else asks for a manager."""
    if scene.actor.role >= Role.MANAGER:
        return
    newest = originals.find_open(scene.card.id, list(VOID_OF), limit=1)
    own = len(chosen) == 1 and newest and chosen[0][0].id == newest[0].id and _is_own(scene.actor, newest[0])
    if not own or scene.now - newest[0].transaction_at > UNDO_WINDOW:
        scene.requires_manager()


def _is_own(actor: Actor, original: Original) -> bool:
    """The same member of staff; where there are no PINs, the same terminal or key."""
    if actor.staff_pin_id or original.staff_pin_id:
        return actor.staff_pin_id == original.staff_pin_id
    return (actor.terminal_id, actor.api_key_id) == (original.terminal_id, original.api_key_id)


def _take_back(scene: Scene, chosen: Choice, reason: str) -> VoidReceipt:
    state = scene.state
    stamps, points = state.stamp_count, state.points_balance
    written = [_write(scene, original, part, reason) for original, part in chosen]
    ids = [transaction_id for transaction_id, _ in written if transaction_id]
    kind = chosen[0][0].transaction_type
    if ids and kind == TransactionType.STAMP_EARNED:
        newest = originals.find_open(scene.card.id, [kind], limit=1)
        state.last_stamp_at = newest[0].transaction_at if newest else None
    return VoidReceipt(
        card_id=scene.card.id,
        card_number=scene.card.card_number,
        store_id=scene.actor.store_id,
        transaction_id=ids[-1] if ids else None,
        transaction_ids=ids,
        voided_type=kind,
        stamps_voided=abs(stamps - state.stamp_count),
        points_voided=abs(points - state.points_balance),
        shortfall=sum(shortfall for _, shortfall in written),
        stamp_count=state.stamp_count,
        stamps_target=scene.facts.stamps_target,
        points_balance=state.points_balance,
        transaction_at=scene.now,
    )


def _write(scene: Scene, original: Original, part: int, reason: str) -> tuple[UUID | None, int]:
    """Take one part back; returns the new row and what the balance did not hold any more."""
    state = scene.state
    stamps = points = 0
    if original.transaction_type == TransactionType.STAMP_EARNED:
        stamps = -min(part, state.stamp_count)
        state.total_stamps_earned += stamps
        if original.local_day == state.stamps_day:
            state.stamps_on_day += stamps
    elif original.transaction_type == TransactionType.POINTS_EARNED:
        points = -min(part, state.points_balance)
        state.total_points_voided -= points
    elif original.transaction_type == TransactionType.STAMP_REDEEMED:
        stamps = -original.stamps_delta
        state.stamps_redeemed -= 1
    else:
        points = -original.points_delta
        state.points_redeemed -= points
    if not stamps and not points:
        return None, part
    entry = Entry(
        VOID_OF[original.transaction_type],
        stamps_delta=stamps,
        points_delta=points,
        reward_id=original.reward_id,
        reward_description=original.reward_description,
        related_transaction_id=original.id,
        notes=reason,
    )
    return scene.append(entry), part - abs(stamps) - abs(points)
