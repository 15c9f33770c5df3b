"""Points: the rules of earning and redeeming."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from loyalty.database import db
from loyalty.errors import (
    InsufficientPoints,
    InvalidReward,
    LoyaltyError,
    OrderReferenceRequired,
    PointsNotEnabled,
    StoreNotAllowed,
    ValidationError,
)
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import points, verification, voids
from loyalty.services.points import PointsReceipt
from tests.factories import (
    Card,
    Shop,
    change_policy,
    change_program,
    make_card,
    make_key,
    make_reward,
    make_shop,
    make_store,
)

pytestmark = pytest.mark.usefixtures("context")


def earn(shop: Shop, card: Card, cents: int, reference: str | None = None) -> PointsReceipt:
    return points.earn(
        actor=shop.ben,
        card=card.ref,
        purchase_amount_cents=cents,
        order_reference=reference,
        key=make_key(shop.ben),
    )


def rows() -> int:
    return db.session.execute(sa.select(sa.func.count()).select_from(LoyaltyTransaction)).scalar_one()


@pytest.mark.parametrize(
    ("cents", "rate", "currency", "expected"),
    [
        (58, 50, "EUR", 29),  # 28 where money is a float
        (29, 100, "EUR", 29),
        (1999, 10, "EUR", 199),
        (9, 10, "EUR", 0),
        (10, 10, "EUR", 1),
        (1_000_000_000, 10_000, "EUR", 100_000_000_000),
        (150, 3, "JPY", 450),
        (1_500, 10, "KWD", 15),
    ],
)
def test_it_counts_points_in_integers_of_the_currency(cents: int, rate: int, currency: str, expected: int) -> None:
    shop = make_shop(loyalty_type="points", points_per_euro=rate, vendor={"currency": currency})
    card = make_card(shop)
    answer = earn(shop, card, cents)
    assert (answer.points_earned, answer.points_balance, answer.total_points_earned) == (expected, expected, expected)
    assert (answer.points_per_euro, answer.purchase_amount_cents, answer.currency) == (rate, cents, currency)
    assert verification.verify().findings == []


def test_it_takes_an_amount_that_gives_no_points_without_a_row() -> None:
    shop = make_shop(loyalty_type="points")
    card = make_card(shop)
    before = rows()
    answer = earn(shop, card, 9)
    assert (answer.points_earned, answer.transaction_id, rows()) == (0, None, before)


@pytest.mark.parametrize("cents", [0, -1, 1_000_000_001])
def test_it_refuses_an_amount_out_of_bounds(cents: int) -> None:
    shop = make_shop(loyalty_type="points")
    card = make_card(shop)
    with pytest.raises(ValidationError):
        earn(shop, card, cents)


def test_it_refuses_more_points_than_a_row_of_the_ledger_holds() -> None:
    shop = make_shop(loyalty_type="points", points_per_euro=10_000, vendor={"currency": "JPY"})
    card = make_card(shop)
    with pytest.raises(ValidationError) as refusal:
        earn(shop, card, 1_000_000_000)
    assert "amount" in refusal.value.errors


def test_it_refuses_a_purchase_below_the_minimum_and_says_which() -> None:
    shop = make_shop(loyalty_type="points", minimum_purchase_cents=500)
    card = make_card(shop)
    with pytest.raises(ValidationError) as refusal:
        earn(shop, card, 499)
    assert refusal.value.minimum_purchase_cents == 500
    assert earn(shop, card, 500).points_earned == 50


def test_it_refuses_points_on_a_stamps_program() -> None:
    shop = make_shop(loyalty_type="stamps")
    card, cake = make_card(shop), make_reward(shop)
    with pytest.raises(PointsNotEnabled):
        earn(shop, card, 500)
    with pytest.raises(PointsNotEnabled):
        points.redeem(actor=shop.ben, card=card.ref, reward_id=cake, key=make_key(shop.ben))
    with pytest.raises(PointsNotEnabled):
        voids.void_points(actor=shop.mia, card=card.ref, order_reference="A1", reason="x", key=make_key(shop.mia))


@pytest.mark.parametrize("reference", [None, "", "   "])
def test_it_asks_for_the_receipts_number_where_the_policy_does(reference: str | None) -> None:
    shop = make_shop(loyalty_type="points", policy={"require_order_reference": True})
    card = make_card(shop)
    with pytest.raises(OrderReferenceRequired):
        earn(shop, card, 500, reference)
    assert earn(shop, card, 500, "A1").points_earned == 50


def test_it_gives_one_receipt_its_points_once() -> None:
    shop = make_shop(loyalty_type="points")
    card = make_card(shop)
    first = earn(shop, card, 500, "A1")
    earn(shop, card, 700, "A2")
    again = earn(shop, card, 500, " A1 ")
    assert again == first
    with pytest.raises(ValidationError):
        earn(shop, card, 501, "A1")
    # The minimum that came later does not change the answer that was given.
    change_program(shop, minimum_purchase_cents=600)
    assert earn(shop, card, 500, "A1").transaction_id == first.transaction_id
    assert verification.verify().findings == []


def test_it_takes_a_receipt_again_at_another_store_on_another_card_and_after_a_void() -> None:
    shop = make_shop(loyalty_type="points")
    card, other = make_card(shop), make_card(shop)
    station = replace(shop.ben, store_id=make_store(shop))
    first = earn(shop, card, 500, "A1")
    assert earn(shop, other, 500, "A1").transaction_id != first.transaction_id
    elsewhere = points.earn(
        actor=station, card=card.ref, purchase_amount_cents=500, order_reference="A1", key=make_key(station)
    )
    assert elsewhere.points_balance == 100
    part: dict[str, Any] = {"transaction_id": first.transaction_id, "reason": "wrong"}
    voids.void_points(actor=shop.mia, card=card.ref, points_to_void=20, key=make_key(shop.mia), **part)
    assert earn(shop, card, 500, "A1").transaction_id == first.transaction_id
    voids.void_points(actor=shop.mia, card=card.ref, key=make_key(shop.mia), **part)
    second = earn(shop, card, 500, "A1")
    assert second.transaction_id != first.transaction_id
    assert second.points_balance == 100
    assert verification.verify().findings == []


def test_it_buys_a_reward_and_remembers_its_name_and_price() -> None:
    shop = make_shop(loyalty_type="points")
    card, cake = make_card(shop, points=250), make_reward(shop, "Cake", 100)
    answer = points.redeem(actor=shop.ben, card=card.ref, reward_id=cake, key=make_key(shop.ben))
    assert (answer.reward_id, answer.reward_name, answer.points_spent) == (cake, "Cake", 100)
    assert (answer.points_balance, answer.total_points_redeemed) == (150, 100)
    row = db.session.get_one(LoyaltyTransaction, answer.transaction_id)
    assert (row.reward_id, row.reward_description, row.points_delta) == (cake, "Cake", -100)
    assert verification.verify().findings == []


def test_it_refuses_a_reward_that_is_not_on_offer() -> None:
    shop, other = make_shop(loyalty_type="points"), make_shop("butcher", loyalty_type="points")
    card = make_card(shop, points=500)
    for reward in (make_reward(shop, active=False), make_reward(other), "nothing"):
        with pytest.raises(InvalidReward):
            points.redeem(actor=shop.ben, card=card.ref, reward_id=reward, key=make_key(shop.ben))


def test_it_refuses_a_reward_that_the_card_cannot_pay_and_says_both_figures() -> None:
    shop = make_shop(loyalty_type="points")
    card, cake = make_card(shop, points=99), make_reward(shop, "Cake", 100)
    with pytest.raises(InsufficientPoints) as refusal:
        points.redeem(actor=shop.ben, card=card.ref, reward_id=cake, key=make_key(shop.ben))
    assert (refusal.value.points_balance, refusal.value.points_required) == (99, 100)
    change_program(shop, minimum_redemption_points=150)
    card = make_card(shop, points=149)
    with pytest.raises(InsufficientPoints) as refusal:
        points.redeem(actor=shop.ben, card=card.ref, reward_id=cake, key=make_key(shop.ben))
    assert (refusal.value.points_balance, refusal.value.points_required) == (149, 150)


def test_it_gives_rewards_elsewhere_only_where_the_policy_allows_it() -> None:
    shop = make_shop(loyalty_type="points")
    card, cake = make_card(shop, points=500), make_reward(shop)
    station = replace(shop.ben, store_id=make_store(shop))
    points.redeem(actor=station, card=card.ref, reward_id=cake, key=make_key(station))
    change_policy(shop, allow_cross_store_redemption=False)
    with pytest.raises(StoreNotAllowed):
        points.redeem(actor=station, card=card.ref, reward_id=cake, key=make_key(station))
    points.redeem(actor=shop.ben, card=card.ref, reward_id=cake, key=make_key(shop.ben))
    db.session.execute(sa.update(LoyaltyCard).values(enrolled_at_store_id=None))
    db.session.commit()
    answer = points.redeem(actor=station, card=card.ref, reward_id=cake, key=make_key(station))
    assert answer.points_balance == 200


def test_it_writes_nothing_when_it_refuses() -> None:
    shop = make_shop(loyalty_type="points", policy={"require_order_reference": True})
    card, before = make_card(shop), rows()
    key = make_key(shop.ben)
    with pytest.raises(LoyaltyError):
        points.earn(actor=shop.ben, card=card.ref, purchase_amount_cents=500, key=key)
    assert rows() == before
    change_policy(shop, require_order_reference=False)
    answer = points.earn(actor=shop.ben, card=card.ref, purchase_amount_cents=500, key=key)
    assert (answer.points_balance, answer.replayed) == (50, False)
