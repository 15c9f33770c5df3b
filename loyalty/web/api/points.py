"""Points: earn, redeem, take back, correct, and give back what expired."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from loyalty.domain import bounds
from loyalty.domain.values import Actor, RequestKey, Scope
from loyalty.errors import (
    AlreadyVoided,
    InsufficientPoints,
    InvalidReward,
    OrderReferenceRequired,
    PointsNotEnabled,
    TransactionNotFound,
    VoidNotAllowed,
)
from loyalty.services import adjustments, expiry_restores, points, voids
from loyalty.web.api.naming import NamesCard
from loyalty.web.api.operations import operation
from loyalty.web.api.schemas import Code, Note
from loyalty.web.api.till import Delta, Done, Reason, Voided
from loyalty.web.locale import number
from loyalty.web.sentences import gettext, ngettext

Reference = Annotated[Code, Field(examples=["R-2026-118"], description="The number of the receipt or order.")]


class EarnPointsBody(NamesCard):
    """A purchase that gives points."""

    purchase_amount_cents: int = Field(
        ge=1, le=bounds.PURCHASE, examples=[1250], description="In minor units of the shop's currency."
    )
    order_reference: Reference | None = None
    notes: Note | None = Field(default=None, examples=["Wedding cake"])


class RedeemPointsBody(NamesCard):
    """A reward that points buy."""

    reward_id: Code = Field(examples=["rw-7kq2m4x9ad"])
    notes: Note | None = Field(default=None, examples=["For the birthday"])


class VoidPointsBody(NamesCard):
    """Points of one purchase to take back: all that is left of it, unless a number is said."""

    transaction_id: UUID | None = None
    order_reference: Reference | None = None
    points_to_void: int | None = Field(default=None, ge=1, le=bounds.POINTS, examples=[125])
    reason: Reason


class AdjustPointsBody(NamesCard):
    """A correction of the points."""

    points_delta: Delta
    reason: Reason


class RestorePointsBody(NamesCard):
    """Points that expired and are given back."""

    transaction_id: UUID = Field(description="The row of the ledger, a `points_expired`, that took them.")
    reason: Reason


class PointsEarned(Done):
    """The card after a purchase; one too small for a point writes nothing, and is no mistake."""

    points_earned: int = Field(examples=[125])
    points_per_euro: int = Field(examples=[10], description="Per unit of the shop's currency.")
    purchase_amount_cents: int = Field(examples=[1250])
    points_balance: int = Field(examples=[640])
    total_points_earned: int = Field(examples=[1890])


class PointsRedeemed(Done):
    """The card after a reward was bought."""

    transaction_id: UUID
    reward_id: str = Field(examples=["rw-7kq2m4x9ad"])
    reward_name: str = Field(examples=["Croissant"])
    points_spent: int = Field(examples=[150])
    points_balance: int = Field(examples=[490])
    total_points_redeemed: int = Field(examples=[300])


class PointsVoided(Voided):
    """What was taken back of a purchase."""

    points_voided: int = Field(examples=[125])
    points_balance: int = Field(examples=[365])


class PointsAdjusted(Done):
    """The correction, and the points after it."""

    transaction_id: UUID
    points_delta: int = Field(examples=[2])
    points_balance: int = Field(examples=[367])


class PointsRestored(Done):
    """The card with the points that had expired."""

    transaction_id: UUID = Field(description="A `points_adjustment` that names the expiry.")
    points_restored: int = Field(examples=[120])
    points_balance: int = Field(examples=[487])
    kept_until: date | None = Field(
        description="How long the customer keeps them without coming back; null where points do not expire any more."
    )


@operation(
    "POST",
    "/vendor/loyalty/points/earn",
    scope=Scope.TILL,
    body=EarnPointsBody,
    answers=PointsEarned,
    errors=(PointsNotEnabled, OrderReferenceRequired),
    limit_to=60,
    tag="Points",
    renamed={"amount": "purchase_amount_cents"},
)
def earn_points(actor: Actor, body: EarnPointsBody, key: RequestKey) -> PointsEarned:
    """Give the points of a purchase.

    The same order reference on the same card and store gives the first answer again, while it is not voided.
    """
    receipt = points.earn(
        actor=actor,
        card=body.card,
        purchase_amount_cents=body.purchase_amount_cents,
        order_reference=body.order_reference,
        notes=body.notes,
        key=key,
        approval=body.approval,
    )
    earned = ngettext("%(num)s point added.", "%(num)s points added.", receipt.points_earned)
    too_small = gettext("This purchase is too small for a point.")
    return PointsEarned.of(receipt, message=earned if receipt.points_earned else too_small)


@operation(
    "POST",
    "/vendor/loyalty/points/redeem",
    scope=Scope.TILL,
    body=RedeemPointsBody,
    answers=PointsRedeemed,
    errors=(PointsNotEnabled, InvalidReward, InsufficientPoints),
    limit_to=60,
    tag="Points",
)
def redeem_points(actor: Actor, body: RedeemPointsBody, key: RequestKey) -> PointsRedeemed:
    """Buy a reward with points."""
    receipt = points.redeem(
        actor=actor, card=body.card, reward_id=body.reward_id, notes=body.notes, key=key, approval=body.approval
    )
    return PointsRedeemed.of(receipt, message=gettext("Redeemed: %(reward)s", reward=receipt.reward_name))


@operation(
    "POST",
    "/vendor/loyalty/points/void",
    scope=Scope.TILL,
    body=VoidPointsBody,
    answers=PointsVoided,
    errors=(PointsNotEnabled, VoidNotAllowed, AlreadyVoided, TransactionNotFound),
    limit_to=20,
    tag="Points",
)
def void_points(actor: Actor, body: VoidPointsBody, key: RequestKey) -> PointsVoided:
    """Take back the points of a purchase: after ten minutes, or of somebody else, only a manager may."""
    receipt = voids.void_points(
        actor=actor,
        card=body.card,
        transaction_id=body.transaction_id,
        order_reference=body.order_reference,
        points_to_void=body.points_to_void,
        reason=body.reason,
        key=key,
        approval=body.approval,
    )
    said = ngettext("%(num)s point taken back.", "%(num)s points taken back.", receipt.points_voided)
    return PointsVoided.of(receipt, message=said)


@operation(
    "POST",
    "/vendor/loyalty/points/adjust",
    scope=Scope.TILL,
    body=AdjustPointsBody,
    answers=PointsAdjusted,
    errors=(PointsNotEnabled, InsufficientPoints),
    limit_to=20,
    tag="Points",
    renamed={"delta": "points_delta"},
)
def adjust_points(actor: Actor, body: AdjustPointsBody, key: RequestKey) -> PointsAdjusted:
    """Correct the points by hand: with scope manage, or with a manager's PIN."""
    receipt = adjustments.adjust_points(
        actor=actor, card=body.card, delta=body.points_delta, reason=body.reason, key=key, approval=body.approval
    )
    said = gettext("The points were corrected.")
    return PointsAdjusted.of(receipt, message=said, points_delta=receipt.delta, points_balance=receipt.balance)


@operation(
    "POST",
    "/vendor/loyalty/points/restore",
    scope=Scope.TILL,
    body=RestorePointsBody,
    answers=PointsRestored,
    errors=(PointsNotEnabled, TransactionNotFound),
    limit_to=20,
    tag="Points",
)
def restore_points(actor: Actor, body: RestorePointsBody, key: RequestKey) -> PointsRestored:
    """Give back what one expiry took, once and within two weeks: with scope manage, or with a manager's PIN."""
    receipt = expiry_restores.restore(
        actor=actor,
        card=body.card,
        transaction_id=body.transaction_id,
        reason=body.reason,
        key=key,
        approval=body.approval,
    )
    said = gettext("Points that are back on the card: %(points)s.", points=number(receipt.points_restored))
    return PointsRestored.of(receipt, message=said)
