"""Stamps: the rules of adding and redeeming."""

from datetime import timedelta

import pytest

from loyalty import database
from loyalty.domain.values import CardRef
from loyalty.errors import (
    CardInactive,
    CardNotFound,
    DailyStampLimit,
    IdempotencyKeyReused,
    InsufficientStamps,
    ProgramInactive,
    StampCooldown,
    StampsNotEnabled,
    ValidationError,
    VendorSuspended,
)
from loyalty.services import cards, stamps, verification
from tests.factories import change_program, make_card, make_key, make_shop

pytestmark = pytest.mark.usefixtures("context")


def test_it_adds_a_stamp_and_answers_what_the_card_holds() -> None:
    shop = make_shop()
    card = make_card(shop, stamps=4)
    answer = stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    assert (answer.stamp_count, answer.stamps_until_reward, answer.stamps_today) == (5, 5, 1)
    assert not answer.reward_earned
    assert answer.next_stamp_available_at == answer.transaction_at + timedelta(minutes=15)
    assert verification.verify().findings == []


def test_it_gives_the_same_answer_to_the_same_key() -> None:
    shop = make_shop()
    card = make_card(shop)
    key = make_key(shop.ben)
    first = stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=key)
    again = stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=key)
    assert again.replayed
    assert (again.transaction_id, again.stamp_count) == (first.transaction_id, 1)


def test_it_refuses_a_key_that_asked_for_something_else() -> None:
    shop = make_shop(max_stamps_per_action=3)
    card = make_card(shop)
    key = make_key(shop.ben, asked=1)
    stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=key)
    with pytest.raises(IdempotencyKeyReused):
        stamps.add(actor=shop.ben, card=card.ref, quantity=2, key=make_key(shop.ben, asked=2, key=key.key))


def test_it_refuses_a_second_stamp_within_the_pause_and_says_when_it_ends() -> None:
    shop = make_shop()
    card = make_card(shop)
    first = stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    with pytest.raises(StampCooldown) as refusal:
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    assert refusal.value.cooldown_ends_at == first.transaction_at + timedelta(minutes=15)


def test_it_lets_a_refused_key_try_again() -> None:
    shop = make_shop()
    card = make_card(shop)
    stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    key = make_key(shop.ben)
    with pytest.raises(StampCooldown):
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=key)
    change_program(shop, cooldown_minutes=0)
    assert stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=key).stamp_count == 2


def test_it_refuses_more_stamps_than_a_day_has_and_says_both_counts() -> None:
    shop = make_shop(cooldown_minutes=0, max_daily_stamps=2)
    card = make_card(shop)
    for _ in range(2):
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    with pytest.raises(DailyStampLimit) as refusal:
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    assert (refusal.value.stamps_today, refusal.value.max_daily_stamps) == (2, 2)


def test_it_gives_stamps_again_on_the_next_day() -> None:
    shop = make_shop(cooldown_minutes=0, max_daily_stamps=1)
    card = make_card(shop)
    stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    database.configure(clock_offset=timedelta(days=1))
    try:
        answer = stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    finally:
        database.configure(clock_offset=timedelta())
    assert (answer.stamp_count, answer.stamps_today) == (2, 1)
    assert verification.verify().findings == []


@pytest.mark.parametrize("quantity", [0, -1, 4])
def test_it_refuses_a_quantity_that_the_program_does_not_allow(quantity: int) -> None:
    shop = make_shop(max_stamps_per_action=3)
    card = make_card(shop)
    with pytest.raises(ValidationError):
        stamps.add(actor=shop.ben, card=card.ref, quantity=quantity, key=make_key(shop.ben))


def test_it_reports_a_reward_only_on_crossing_the_target() -> None:
    shop = make_shop(cooldown_minutes=0, max_daily_stamps=50, stamps_target=10)
    card = make_card(shop, stamps=8)
    earned = [
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben)).reward_earned for _ in range(4)
    ]
    assert earned == [False, True, False, False]


def test_it_redeems_exactly_the_target_and_keeps_the_surplus() -> None:
    shop = make_shop()
    card = make_card(shop, stamps=13)
    answer = stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben))
    assert (answer.stamp_count, answer.total_redemptions, answer.reward_description) == (3, 1, "Free item")
    assert verification.verify().findings == []


def test_it_refuses_to_redeem_a_card_that_is_not_full() -> None:
    shop = make_shop()
    card = make_card(shop, stamps=9)
    with pytest.raises(InsufficientStamps) as refusal:
        stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben))
    assert (refusal.value.stamp_count, refusal.value.stamps_target) == (9, 10)


def test_it_refuses_stamps_on_a_points_program() -> None:
    shop = make_shop(loyalty_type="points")
    card = make_card(shop)
    with pytest.raises(StampsNotEnabled):
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    with pytest.raises(StampsNotEnabled):
        stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben))


def test_it_does_not_find_another_vendors_card() -> None:
    shop, other = make_shop(), make_shop("butcher")
    card = make_card(other)
    for ref in (card.ref, CardRef(scan_code=card.scan_code), CardRef(card_number=card.card_number)):
        with pytest.raises(CardNotFound):
            stamps.add(actor=shop.ben, card=ref, quantity=1, key=make_key(shop.ben))


def test_it_refuses_a_deactivated_card_and_takes_it_again_after_reactivation() -> None:
    shop = make_shop()
    card = make_card(shop)
    cards.deactivate(actor=shop.ada, card=card.ref, reason="lost", key=make_key(shop.ada))
    with pytest.raises(CardInactive):
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    cards.reactivate(actor=shop.ada, card=card.ref, reason="found", key=make_key(shop.ada))
    assert stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben)).stamp_count == 1
    assert verification.verify().findings == []


def test_it_refuses_a_paused_program() -> None:
    shop = make_shop()
    card = make_card(shop)
    change_program(shop, is_active=False)
    with pytest.raises(ProgramInactive):
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))


def test_it_refuses_a_suspended_vendor() -> None:
    shop = make_shop(vendor={"status": "suspended"})
    card = make_card(shop)
    with pytest.raises(VendorSuspended):
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
