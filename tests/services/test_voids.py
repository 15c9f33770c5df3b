"""Taking back: never more than was given, never below zero, and who may."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loyalty.database import db, new_id
from loyalty.domain.values import TransactionType
from loyalty.errors import (
    AlreadyVoided,
    LoyaltyError,
    TransactionNotFound,
    ValidationError,
    VoidNotAllowed,
)
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import points, stamps, voids
from loyalty.services.voids import VoidReceipt
from tests.clocks import clock_moved
from tests.factories import (
    change_policy,
    make_card,
    make_key,
    make_reward,
    make_shop,
)
from tests.services.voiding import OPEN, stamp, state, undo, verified, void_stamps

__all__ = ["verified"]

pytestmark = pytest.mark.usefixtures("context")


def test_it_takes_a_stamp_back_whole_and_lowers_the_totals() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop, stamps=4)
    given = stamp(shop, card, 3)
    answer = undo(shop.ben, given)
    assert (answer.stamps_voided, answer.shortfall, answer.stamp_count) == (3, 0, 4)
    assert answer.transaction_ids == [answer.transaction_id]
    assert (state(card).total_stamps_earned, state(card).stamps_on_day, state(card).last_stamp_at) == (0, 0, None)
    row = db.session.get_one(LoyaltyTransaction, answer.transaction_id)
    assert (row.related_transaction_id, row.stamps_delta) == (given, -3)


def test_it_frees_the_day_and_the_pause() -> None:
    shop = make_shop(cooldown_minutes=15, max_daily_stamps=2, max_stamps_per_action=2)
    card = make_card(shop)
    first = stamp(shop, card)
    with clock_moved(timedelta(minutes=15)):
        second = stamp(shop, card)
        undo(shop.ben, second)
        found = state(card)
        assert found.last_stamp_at == db.session.get_one(LoyaltyTransaction, first).transaction_at
        assert found.stamps_on_day == 1
        assert stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben)).stamps_today == 2


def test_it_leaves_another_days_count_alone() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop)
    old = stamp(shop, card, 2)
    with clock_moved(timedelta(days=1)):
        stamp(shop, card, 3)
        void_stamps(shop.mia, card, None, old)
        assert (state(card).stamp_count, state(card).stamps_on_day) == (3, 3)


def test_it_keeps_the_pause_of_a_stamp_that_is_partly_taken_back() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop)
    given = stamp(shop, card, 3)
    void_stamps(shop.ben, card, 2, given)
    assert state(card).last_stamp_at == db.session.get_one(LoyaltyTransaction, given).transaction_at


def test_it_never_takes_the_same_stamp_back_again() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop, stamps=9)
    given = stamp(shop, card, 3)
    void_stamps(shop.mia, card, 2, given)
    with pytest.raises(AlreadyVoided) as refusal:
        void_stamps(shop.mia, card, 2, given)
    assert refusal.value.left == 1
    void_stamps(shop.mia, card, 1, given)
    for again in (None, 1):
        with pytest.raises(AlreadyVoided):
            void_stamps(shop.mia, card, again, given)
    with pytest.raises(AlreadyVoided):
        undo(shop.mia, given)
    assert state(card).stamp_count == 9


def test_it_takes_the_newest_stamps_one_row_per_original() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop)
    first, second, third = (stamp(shop, card, 2) for _ in range(3))
    void_stamps(shop.mia, card, 1, third)
    answer = void_stamps(shop.mia, card, 4)
    assert (answer.stamps_voided, answer.stamp_count) == (4, 1)
    rows = [db.session.get_one(LoyaltyTransaction, transaction_id) for transaction_id in answer.transaction_ids]
    assert [(row.related_transaction_id, row.stamps_delta) for row in rows] == [(third, -1), (second, -2), (first, -1)]
    assert answer.transaction_id == answer.transaction_ids[-1]
    with pytest.raises(ValidationError):
        void_stamps(shop.mia, card, 2)
    void_stamps(shop.mia, card, 1)
    with pytest.raises(AlreadyVoided):
        void_stamps(shop.mia, card, 1)


def test_it_reports_what_was_spent_and_takes_it_later() -> None:
    shop = make_shop(stamps_target=5, **OPEN)
    card = make_card(shop)
    given = stamp(shop, card, 6)
    stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben))
    answer = void_stamps(shop.mia, card, None, given)
    assert (answer.stamps_voided, answer.shortfall, answer.stamp_count) == (1, 5, 0)
    nothing = void_stamps(shop.mia, card, None, given)
    assert (nothing.transaction_id, nothing.transaction_ids) == (None, [])
    assert (nothing.stamps_voided, nothing.shortfall) == (0, 5)
    stamp(shop, card, 2)
    later = void_stamps(shop.mia, card, 5, given)
    assert (later.stamps_voided, later.shortfall, later.stamp_count) == (2, 3, 0)
    assert state(card).total_stamps_earned == 5


def test_it_takes_points_back_whole_in_part_and_by_receipt() -> None:
    shop = make_shop(**OPEN)
    card, cake = make_card(shop), make_reward(shop, "Cake", 60)
    asked: dict[str, Any] = {
        "actor": shop.ben,
        "card": card.ref,
        "purchase_amount_cents": 1000,
        "order_reference": "A1",
    }
    given = points.earn(key=make_key(shop.ben), **asked)
    by: dict[str, Any] = {"actor": shop.mia, "card": card.ref, "reason": "slip"}
    part = voids.void_points(order_reference=" A1 ", points_to_void=30, key=make_key(shop.mia), **by)
    assert (part.points_voided, part.shortfall, part.points_balance) == (30, 0, 70)
    with pytest.raises(AlreadyVoided) as refusal:
        voids.void_points(order_reference="A1", points_to_void=71, key=make_key(shop.mia), **by)
    assert refusal.value.left == 70
    points.redeem(actor=shop.ben, card=card.ref, reward_id=cake, key=make_key(shop.ben))
    rest = voids.void_points(transaction_id=given.transaction_id, key=make_key(shop.mia), **by)
    assert (rest.points_voided, rest.shortfall, rest.points_balance) == (10, 60, 0)
    assert (state(card).total_points_earned, state(card).total_points_voided) == (100, 40)


def test_it_does_not_take_back_what_it_does_not_know() -> None:
    shop, other = make_shop(**OPEN), make_shop("butcher", **OPEN)
    card, neighbour, foreign = make_card(shop, stamps=3), make_card(shop), make_card(other)
    theirs, next_door = stamp(shop, neighbour), stamp(other, foreign)
    earned = points.earn(actor=shop.ben, card=card.ref, purchase_amount_cents=500, key=make_key(shop.ben))
    for unknown in (new_id(), theirs, next_door, earned.transaction_id):
        with pytest.raises(TransactionNotFound):
            void_stamps(shop.mia, card, None, unknown)
    for unknown in (new_id(), next_door):
        with pytest.raises(TransactionNotFound):
            undo(shop.mia, unknown)
    names: list[dict[str, Any]] = [{"transaction_id": theirs}, {"order_reference": "unknown"}]
    for name in names:
        with pytest.raises(TransactionNotFound):
            voids.void_points(actor=shop.mia, card=card.ref, reason="x", key=make_key(shop.mia), **name)
    assert (state(card).stamp_count, state(card).points_balance) == (3, 50)


def test_it_wants_to_know_what_and_why() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop)
    given = stamp(shop, card)
    calls: list[Callable[[], VoidReceipt]] = [
        lambda: void_stamps(shop.mia, card, None),
        lambda: void_stamps(shop.mia, card, 0),
        lambda: void_stamps(shop.mia, card, 10**20),
        lambda: voids.void_points(actor=shop.mia, card=card.ref, points_to_void=5, reason="x", key=make_key(shop.mia)),
        lambda: voids.void(actor=shop.ben, transaction_id=given, reason="  ", key=make_key(shop.ben)),
    ]
    for call in calls:
        with pytest.raises(ValidationError):
            call()


def test_it_gives_a_redemption_back_once() -> None:
    shop = make_shop(**OPEN)
    card, cake = make_card(shop, stamps=12, points=150), make_reward(shop)
    full = stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben))
    bought = points.redeem(actor=shop.ben, card=card.ref, reward_id=cake, key=make_key(shop.ben))
    answer = undo(shop.ben, bought.transaction_id)
    assert (answer.voided_type, answer.points_balance) == (TransactionType.POINTS_REDEEMED, 150)
    answer = undo(shop.ben, full.transaction_id)
    assert (answer.voided_type, answer.stamp_count) == (TransactionType.STAMP_REDEEMED, 12)
    assert (state(card).stamps_redeemed, state(card).points_redeemed) == (0, 0)
    for transaction_id in (full.transaction_id, bought.transaction_id):
        with pytest.raises(AlreadyVoided):
            undo(shop.mia, transaction_id)


def test_it_takes_back_neither_a_void_nor_an_adjustment() -> None:
    shop = make_shop(welcome_stamps=2, **OPEN)
    card = make_card(shop, stamps=1)
    voided = undo(shop.ben, stamp(shop, card))
    rows = db.session.query(LoyaltyTransaction).filter_by(card_id=card.card_id)
    kinds = {row.transaction_type: row.id for row in rows}
    assert voided.transaction_id == kinds["stamp_voided"]
    for kind in ("stamp_voided", "stamp_adjustment", "welcome_bonus", "card_created"):
        with pytest.raises(VoidNotAllowed):
            undo(shop.mia, kinds[kind])


def test_it_gives_the_same_answer_to_the_same_key() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop)
    given, key = stamp(shop, card), make_key(shop.ben)
    first = voids.void(actor=shop.ben, transaction_id=given, reason="slip", key=key)
    again = voids.void(actor=shop.ben, transaction_id=given, reason="slip", key=key)
    assert again == replace(first, replayed=True)


def test_it_checks_before_it_takes_anything() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop)
    stamp(shop, card)
    change_policy(shop, allow_void_transactions=False)
    with pytest.raises(LoyaltyError):
        void_stamps(shop.mia, card, 1)
    assert state(card).ledger_seq == 2
