"""Balances corrected by hand: with a reason, by managers, never below zero."""

from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa

from loyalty.database import db
from loyalty.domain.values import Actor, Role
from loyalty.errors import (
    Forbidden,
    InsufficientPoints,
    InsufficientStamps,
    PointsNotEnabled,
    StaffPinRequired,
    StampsNotEnabled,
    ValidationError,
)
from loyalty.models.audit import AuditEvent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction, TransactionDetail
from loyalty.services import adjustments, verification
from loyalty.services.adjustments import AdjustmentReceipt
from loyalty.services.till import Approval
from tests.factories import Card, change_policy, make_card, make_key, make_shop

pytestmark = pytest.mark.usefixtures("context")


def points(actor: Actor, card: Card, delta: int, reason: str = "counted anew") -> AdjustmentReceipt:
    return adjustments.adjust_points(actor=actor, card=card.ref, delta=delta, reason=reason, key=make_key(actor))


def stamps(actor: Actor, card: Card, delta: int, reason: str = "counted anew") -> AdjustmentReceipt:
    return adjustments.adjust_stamps(actor=actor, card=card.ref, delta=delta, reason=reason, key=make_key(actor))


def note_of(transaction_id: UUID) -> str | None:
    return db.session.get_one(TransactionDetail, transaction_id).notes


def test_it_writes_the_delta_that_was_really_applied() -> None:
    shop = make_shop(loyalty_type="hybrid")
    card = make_card(shop)
    for delta, balance in ((100_000, 100_000), (-30, 99_970), (-99_970, 0)):
        answer = points(shop.mia, card, delta)
        assert (answer.delta, answer.balance) == (delta, balance)
        assert db.session.get_one(LoyaltyTransaction, answer.transaction_id).points_delta == delta
        assert note_of(answer.transaction_id) == "counted anew"
    for delta, balance in ((7, 7), (-3, 4)):
        answer = stamps(shop.ada, card, delta)
        assert (answer.delta, answer.balance) == (delta, balance)
        assert db.session.get_one(LoyaltyTransaction, answer.transaction_id).stamps_delta == delta
    found = db.session.get_one(LoyaltyCard, card.card_id)
    # A correction is nobody's visit and earns nothing.
    assert (found.total_points_earned, found.total_stamps_earned, found.stamps_on_day) == (0, 0, 0)
    assert (found.last_activity_at, found.last_stamp_at) == (None, None)
    assert verification.verify().findings == []


def test_it_refuses_instead_of_clamping_at_zero() -> None:
    shop = make_shop(loyalty_type="hybrid")
    card = make_card(shop, stamps=3, points=50)
    with pytest.raises(InsufficientPoints) as too_many:
        points(shop.mia, card, -51)
    assert (too_many.value.points_balance, too_many.value.points_required) == (50, 51)
    with pytest.raises(InsufficientStamps) as too_few:
        stamps(shop.mia, card, -4)
    assert too_few.value.stamp_count == 3
    assert points(shop.mia, card, -50).balance == stamps(shop.mia, card, -3).balance == 0
    assert verification.verify().findings == []


@pytest.mark.parametrize("delta", [0, 100_001, -100_001])
def test_it_refuses_a_delta_out_of_bounds(delta: int) -> None:
    shop = make_shop(loyalty_type="hybrid")
    card = make_card(shop)
    for adjust in (points, stamps):
        with pytest.raises(ValidationError) as refusal:
            adjust(shop.mia, card, delta)
        assert list(refusal.value.errors) == ["delta"]


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_it_wants_a_reason(reason: str) -> None:
    shop = make_shop(loyalty_type="hybrid")
    card = make_card(shop)
    for adjust in (points, stamps):
        with pytest.raises(ValidationError) as refusal:
            adjust(shop.mia, card, 1, reason)
        assert list(refusal.value.errors) == ["reason"]


def test_it_refuses_the_other_kind_of_program() -> None:
    stamping, counting = make_shop(), make_shop("butcher", loyalty_type="points")
    card, other = make_card(stamping), make_card(counting)
    with pytest.raises(PointsNotEnabled):
        points(stamping.mia, card, 1)
    with pytest.raises(StampsNotEnabled):
        stamps(counting.mia, other, 1)


def test_it_is_a_managers_work() -> None:
    shop = make_shop()
    card = make_card(shop)
    with pytest.raises(StaffPinRequired) as refusal:
        stamps(shop.ben, card, 1)
    assert refusal.value.role == "manager"
    nobody = replace(shop.ben, staff_pin_id=None, staff_name="")
    with pytest.raises(StaffPinRequired) as refusal:
        stamps(nobody, card, 1)
    assert refusal.value.role == "manager"
    change_policy(shop, staff_pin_policy="disabled")
    with pytest.raises(Forbidden):
        stamps(nobody, card, 1)
    assert stamps(shop.ada, card, 1).balance == 1


def test_it_takes_no_pin_from_somebody_without_a_tablet() -> None:
    shop = make_shop()
    card = make_card(shop)
    stranger = Actor(vendor_id=shop.vendor_id, role=Role.STAFF)
    with pytest.raises(Forbidden):
        adjustments.adjust_stamps(
            actor=stranger, card=card.ref, delta=1, reason="x", key=make_key(stranger), approval=Approval("1357")
        )


def test_it_stands_in_the_audit_log_once() -> None:
    shop = make_shop()
    card, key = make_card(shop), make_key(shop.ada)
    for _ in range(2):
        adjustments.adjust_stamps(actor=shop.ada, card=card.ref, delta=5, reason="gift", key=key)
    events = db.session.execute(sa.select(AuditEvent).where(AuditEvent.action == "card.adjusted")).scalars().all()
    assert [(event.subject_id, event.details["delta"]) for event in events] == [(str(card.card_id), 5)]
