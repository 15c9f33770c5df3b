"""Cards: the first rows of their ledger, closing and opening."""

from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.codes import is_card_number, is_scan_code
from loyalty.domain.ledger import GENESIS
from loyalty.domain.values import CardRef, TransactionType
from loyalty.errors import (
    AnotherCardActive,
    CardInactive,
    CardNotFound,
    StaffPinRequired,
    ValidationError,
    VendorSuspended,
)
from loyalty.models.audit import AuditEvent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.vendors import Vendor
from loyalty.services import cards, points, stamps, verification
from tests.factories import Card, Shop, change_program, make_card, make_key, make_shop
from tests.tills import come_late

pytestmark = pytest.mark.usefixtures("context")


def rows_of(card: Card) -> list[LoyaltyTransaction]:
    mine = sa.select(LoyaltyTransaction).where(LoyaltyTransaction.card_id == card.card_id)
    return list(db.session.execute(mine.order_by(LoyaltyTransaction.seq)).scalars())


def kinds_of(card: Card) -> list[str]:
    return [row.transaction_type for row in rows_of(card)]


def close(shop: Shop, card: CardRef) -> None:
    cards.deactivate(actor=shop.ada, card=card, reason="lost", key=make_key(shop.ada))


def test_it_makes_a_card_with_codes_of_its_own_and_one_row() -> None:
    shop = make_shop()
    card, other = make_card(shop), make_card(shop)
    found = db.session.get_one(LoyaltyCard, card.card_id)
    assert is_card_number(card.card_number)
    assert is_scan_code(card.scan_code)
    assert found.enrolled_at_store_id == shop.store_id
    assert {card.card_number, card.scan_code, card.public_token}.isdisjoint(
        {other.card_number, other.scan_code, other.public_token}
    )
    (row,) = rows_of(card)
    assert (row.seq, row.transaction_type, row.entry_hash) == (1, "card_created", found.ledger_head)
    assert found.ledger_head != GENESIS


@pytest.mark.parametrize(("loyalty_type", "expected"), [("stamps", (2, 0)), ("points", (0, 100)), ("hybrid", (2, 100))])
def test_it_greets_with_what_the_program_has(loyalty_type: str, expected: tuple[int, int]) -> None:
    shop = make_shop(loyalty_type=loyalty_type, welcome_stamps=2, welcome_bonus_points=100)
    card = make_card(shop)
    assert kinds_of(card) == ["card_created", "welcome_bonus"]
    found = db.session.get_one(LoyaltyCard, card.card_id)
    assert (found.stamp_count, found.points_balance) == expected
    assert (found.total_stamps_earned, found.total_points_earned) == expected
    # A gift is no stamp: it starts neither the pause nor the day.
    assert (found.last_stamp_at, found.stamps_day, found.stamps_on_day) == (None, None, 0)
    assert verification.verify().findings == []


def test_it_stamps_a_greeted_card_at_once_and_the_whole_day_long() -> None:
    shop = make_shop(welcome_stamps=2, max_daily_stamps=1)
    card = make_card(shop)
    answer = stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    assert (answer.stamp_count, answer.stamps_today) == (3, 1)


def test_it_closes_and_opens_a_card_with_a_row_each() -> None:
    shop = make_shop(loyalty_type="hybrid")
    card = make_card(shop, stamps=3, points=50)
    closed = cards.deactivate(actor=shop.mia, card=card.ref, reason="lost", key=make_key(shop.mia))
    assert (closed.is_active, kinds_of(card)[-1]) == (False, TransactionType.CARD_DEACTIVATED.value)
    again = cards.deactivate(actor=shop.mia, card=card.ref, reason="lost", key=make_key(shop.mia))
    assert (again.is_active, again.transaction_id) == (False, None)
    with pytest.raises(CardInactive):
        points.earn(actor=shop.ben, card=card.ref, purchase_amount_cents=500, key=make_key(shop.ben))
    opened = cards.reactivate(actor=shop.ada, card=card.ref, reason="found", key=make_key(shop.ada))
    assert (opened.is_active, kinds_of(card)[-1]) == (True, TransactionType.CARD_REACTIVATED.value)
    db.session.rollback()
    found = db.session.get_one(LoyaltyCard, card.card_id)
    assert (found.stamp_count, found.points_balance) == (3, 50)
    actions = db.session.execute(
        sa.select(AuditEvent.action).where(AuditEvent.subject_id == str(card.card_id))
    ).scalars()
    assert sorted(actions)[-2:] == ["card_deactivated", "card_reactivated"]
    assert verification.verify().findings == []


def test_it_opens_no_card_beside_another_of_the_same_customer() -> None:
    shop = make_shop()
    card = make_card(shop)
    cards.deactivate(actor=shop.mia, card=card.ref, reason="lost", key=make_key(shop.mia))
    with transaction():
        newer = cards.create(actor=shop.ben, customer_id=card.customer_id)
    with pytest.raises(AnotherCardActive):
        cards.reactivate(actor=shop.ada, card=card.ref, reason="found", key=make_key(shop.ada))
    assert kinds_of(card)[-1] == TransactionType.CARD_DEACTIVATED.value
    other = CardRef(card_id=newer.card_id)
    assert cards.reactivate(actor=shop.ada, card=other, reason="found", key=make_key(shop.ada)).transaction_id is None
    cards.deactivate(actor=shop.ada, card=other, reason="the old one is back", key=make_key(shop.ada))
    assert cards.reactivate(actor=shop.ada, card=card.ref, reason="found", key=make_key(shop.ada)).is_active
    assert verification.verify().findings == []


def test_it_opens_one_of_two_cards_that_are_opened_at_the_same_moment(app: Flask) -> None:
    shop = make_shop()
    card = make_card(shop)
    close(shop, card.ref)
    with transaction():
        other = CardRef(card_id=cards.create(actor=shop.ben, customer_id=card.customer_id).card_id)
    close(shop, other)
    reopen = partial(cards.reactivate, actor=shop.ada, reason="found")
    with transaction():
        reopen(card=card.ref, key=make_key(shop.ada))
        end = come_late(app, lambda: reopen(card=other, key=make_key(shop.ada)))
    assert isinstance(end(), AnotherCardActive)
    assert verification.verify().findings == []


def test_it_closes_a_card_of_a_paused_program() -> None:
    shop = make_shop()
    card = make_card(shop)
    change_program(shop, is_active=False)
    assert not cards.deactivate(actor=shop.mia, card=card.ref, reason="lost", key=make_key(shop.mia)).is_active


def test_it_is_a_managers_work_with_a_reason() -> None:
    shop = make_shop()
    card = make_card(shop)
    for change in (cards.deactivate, cards.reactivate):
        with pytest.raises(StaffPinRequired) as refusal:
            change(actor=shop.ben, card=card.ref, reason="lost", key=make_key(shop.ben))
        assert refusal.value.role == "manager"
        with pytest.raises(ValidationError):
            change(actor=shop.mia, card=card.ref, reason=" ", key=make_key(shop.mia))


def test_it_finds_no_card_of_next_door_and_none_without_a_name() -> None:
    shop, other = make_shop(), make_shop("butcher")
    card = make_card(other)
    for ref in (card.ref, CardRef(scan_code=card.scan_code), CardRef(card_number=card.card_number), CardRef()):
        with pytest.raises(CardNotFound):
            cards.deactivate(actor=shop.ada, card=ref, reason="lost", key=make_key(shop.ada))


def test_it_closes_nothing_in_a_suspended_shop() -> None:
    shop = make_shop()
    card = make_card(shop)
    db.session.get_one(Vendor, shop.vendor_id).status = "suspended"
    db.session.commit()
    with pytest.raises(VendorSuspended):
        cards.deactivate(actor=shop.ada, card=card.ref, reason="lost", key=make_key(shop.ada))
