"""Stamps: add, redeem, take back, correct."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from loyalty.domain import bounds
from loyalty.domain.values import Actor, RequestKey, Scope
from loyalty.errors import (
    AlreadyVoided,
    DailyStampLimit,
    InsufficientStamps,
    StampCooldown,
    StampsNotEnabled,
    TransactionNotFound,
    VoidNotAllowed,
)
from loyalty.services import adjustments, stamps, voids
from loyalty.web.api.naming import NamesCard
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import Note
from loyalty.web.api.till import Delta, Done, Reason, Voided
from loyalty.web.sentences import gettext, ngettext


class StampsBody(NamesCard):
    """Stamps for a card."""

    quantity: int = Field(default=1, ge=1, le=bounds.PROGRAM["max_stamps_per_action"][1], examples=[1])
    notes: Note | None = Field(default=None, examples=["Two coffees"])


class RedeemStampsBody(NamesCard):
    """The reward of a full card."""

    notes: Note | None = Field(default=None, examples=["With oat milk"])


class VoidStampsBody(NamesCard):
    """Stamps to take back: those of one transaction (all that is left, unless a number is said), or the newest."""

    transaction_id: UUID | None = None
    stamps_to_void: int | None = Field(default=None, ge=1, le=bounds.ADJUSTMENT, examples=[1])
    reason: Reason


class AdjustStampsBody(NamesCard):
    """A correction of the number of stamps."""

    stamps_delta: Delta
    reason: Reason


class Stamped(Done):
    """The card after its stamps."""

    transaction_id: UUID
    stamp_count: int = Field(examples=[7])
    stamps_target: int = Field(examples=[10])
    stamps_until_reward: int = Field(examples=[3])
    reward_earned: bool = Field(examples=[False])
    rewards_available: int = Field(examples=[0])
    reward_description: str = Field(examples=["Free coffee"])
    next_stamp_available_at: datetime | None
    stamps_today: int = Field(examples=[1])
    stamps_remaining_today: int = Field(examples=[4])


class StampsRedeemed(Done):
    """The card after its reward was given."""

    transaction_id: UUID
    stamp_count: int = Field(examples=[0])
    stamps_target: int = Field(examples=[10])
    reward_description: str = Field(examples=["Free coffee"])
    total_redemptions: int = Field(examples=[1])


class StampsVoided(Voided):
    """What was taken back."""

    stamps_voided: int = Field(examples=[1])
    stamp_count: int = Field(examples=[6])


class StampsAdjusted(Done):
    """The correction, and the number of stamps after it."""

    transaction_id: UUID
    stamps_delta: int = Field(examples=[2])
    stamp_count: int = Field(examples=[8])


@operation(
    "POST",
    "/vendor/loyalty/stamps",
    scope=Scope.TILL,
    body=StampsBody,
    answers=Stamped,
    errors=(StampsNotEnabled, StampCooldown, DailyStampLimit),
    limit_to=60,
    tag="Stamps",
)
def add_stamps(actor: Actor, body: StampsBody, key: RequestKey) -> Stamped:
    """Add stamps to a card."""
    receipt = stamps.add(
        actor=actor, card=body.card, quantity=body.quantity, notes=body.notes, key=key, approval=body.approval
    )
    said = ngettext("%(num)s stamp added.", "%(num)s stamps added.", receipt.quantity)
    return Stamped.of(receipt, message=said)


@operation(
    "POST",
    "/vendor/loyalty/stamps/redeem",
    scope=Scope.TILL,
    body=RedeemStampsBody,
    answers=StampsRedeemed,
    errors=(StampsNotEnabled, InsufficientStamps),
    limit_to=60,
    tag="Stamps",
)
def redeem_stamps(actor: Actor, body: RedeemStampsBody, key: RequestKey) -> StampsRedeemed:
    """Give the reward of a full card: the target is taken off, what is above it stays."""
    receipt = stamps.redeem(actor=actor, card=body.card, notes=body.notes, key=key, approval=body.approval)
    return StampsRedeemed.of(receipt, message=gettext("Redeemed: %(reward)s", reward=receipt.reward_description))


@operation(
    "POST",
    "/vendor/loyalty/stamps/void",
    scope=Scope.TILL,
    body=VoidStampsBody,
    answers=StampsVoided,
    errors=(StampsNotEnabled, VoidNotAllowed, AlreadyVoided, TransactionNotFound),
    limit_to=20,
    tag="Stamps",
)
def void_stamps(actor: Actor, body: VoidStampsBody, key: RequestKey) -> StampsVoided:
    """Take stamps back: after ten minutes, or of somebody else, only a manager may."""
    receipt = voids.void_stamps(
        actor=actor,
        card=body.card,
        transaction_id=body.transaction_id,
        stamps_to_void=body.stamps_to_void,
        reason=body.reason,
        key=key,
        approval=body.approval,
    )
    said = ngettext("%(num)s stamp taken back.", "%(num)s stamps taken back.", receipt.stamps_voided)
    return StampsVoided.of(receipt, message=said)


@operation(
    "POST",
    "/vendor/loyalty/stamps/adjust",
    scope=Scope.TILL,
    body=AdjustStampsBody,
    answers=StampsAdjusted,
    errors=(StampsNotEnabled, InsufficientStamps),
    limit_to=20,
    tag="Stamps",
    renamed={"delta": "stamps_delta"},
)
def adjust_stamps(actor: Actor, body: AdjustStampsBody, key: RequestKey) -> StampsAdjusted:
    """Correct the number of stamps by hand: with scope manage, or with a manager's PIN."""
    receipt = adjustments.adjust_stamps(
        actor=actor, card=body.card, delta=body.stamps_delta, reason=body.reason, key=key, approval=body.approval
    )
    said = gettext("The stamps were corrected.")
    return StampsAdjusted.of(receipt, message=said, stamps_delta=receipt.delta, stamp_count=receipt.balance)
