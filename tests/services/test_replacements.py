"""Replacing a card: new codes, the same balance and ledger, and the old codes refused."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.values import CardRef
from loyalty.errors import CardInactive, CardNotFound, CardReplaced, Forbidden, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.mail import EmailLog
from loyalty.services import (
    card_lists,
    card_records,
    card_search,
    card_views,
    cards,
    customers,
    privacy,
    replacements,
    stamps,
    verification,
)
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.tills import come_late

pytestmark = pytest.mark.usefixtures("context")


def swap(shop: Shop, card: Card, reason: str = "Lost") -> LoyaltyCard:
    """Replace a card, and return it as it is now."""
    replacements.replace(actor=shop.ada, card=card.ref, reason=reason, key=make_key(shop.ada))
    db.session.expire_all()
    return db.session.get_one(LoyaltyCard, card.card_id)


def test_it_keeps_balance_and_ledger_under_new_codes() -> None:
    shop = make_shop()
    card = make_card(shop, stamps=3)
    now = swap(shop, card)
    assert now.stamp_count == 3
    assert {now.card_number, now.scan_code, now.public_token}.isdisjoint(
        {card.card_number, card.scan_code, card.public_token}
    )
    stamps.add(actor=shop.ben, card=CardRef(scan_code=now.scan_code), quantity=1, key=make_key(shop.ben))
    assert verification.verify().findings == []
    (event,) = db.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "card.replaced"))
    assert event.details == {"from": card.card_number, "to": now.card_number}


def test_it_refuses_the_old_codes_and_says_why() -> None:
    shop = make_shop()
    card = make_card(shop, stamps=3)
    swap(shop, card)
    for old in (CardRef(scan_code=card.scan_code), CardRef(card_number=card.card_number)):
        with pytest.raises(CardReplaced) as refusal:
            stamps.add(actor=shop.ben, card=old, quantity=1, key=make_key(shop.ben))
        assert refusal.value.code == "CARD_INACTIVE"
        assert refusal.value.details["replaced_at"] < datetime.now(UTC)
        with pytest.raises(CardReplaced):
            card_records.find(actor=shop.ada, card=old)
        with pytest.raises(CardReplaced):
            card_search.look_up(actor=shop.ben, text=old.scan_code or old.card_number or "")
    with pytest.raises(CardReplaced):
        card_views.get_public(token=card.public_token)


def test_it_says_nothing_of_old_codes_next_door() -> None:
    shop, other = make_shop(), make_shop("butcher")
    card = make_card(shop)
    swap(shop, card)
    with pytest.raises(CardNotFound):
        stamps.add(actor=other.ben, card=CardRef(card_number=card.card_number), quantity=1, key=make_key(other.ben))
    assert card_search.look_up(actor=other.ben, text=card.scan_code) == []


def test_it_is_one_card_in_every_list() -> None:
    shop = make_shop()
    card = make_card(shop, name="Cleo Martin")
    now = swap(shop, card)
    assert [row.card_id for row in card_lists.list_cards(actor=shop.ada).rows] == [card.card_id]
    assert [row.card_id for row in card_records.list_page(actor=shop.ada, limit=9)] == [card.card_id]
    assert [match.card_number for match in card_search.look_up(actor=shop.ben, text="Cleo")] == [now.card_number]
    # The office looks for what is printed on the old card, and finds the new one.
    found = card_lists.list_cards(actor=shop.ada, text=card.card_number)
    assert [row.card_number for row in found.rows] == [now.card_number]


def test_it_finds_the_customer_s_card_after_it_was_closed() -> None:
    shop = make_shop()
    card = make_card(shop, email="cleo@example.org")
    now = swap(shop, card)
    cards.deactivate(actor=shop.ada, card=card.ref, reason="Moved away", key=make_key(shop.ada))
    known = customers.find_by_address(vendor_id=shop.vendor_id, email="cleo@example.org")
    assert known
    assert known.public_token == now.public_token


def test_it_mails_the_new_address_once_per_replacement() -> None:
    shop = make_shop()
    card = make_card(shop, email="cleo@example.org")
    key = make_key(shop.ada)
    first = replacements.replace(actor=shop.ada, card=card.ref, reason="Lost", key=key)
    again = replacements.replace(actor=shop.ada, card=card.ref, reason="Lost", key=key)
    assert (again.card_number, again.replayed) == (first.card_number, True)
    mails = db.session.scalars(sa.select(EmailLog).where(EmailLog.kind == "card_replaced")).all()
    assert [(mail.recipient, mail.card_id) for mail in mails] == [("cleo@example.org", card.card_id)]


def test_it_can_be_replaced_again_and_remembers_every_number() -> None:
    shop = make_shop()
    card = make_card(shop)
    second = swap(shop, card).card_number
    swap(shop, card, reason="Copied")
    old = replacements.list_old(actor=shop.ada, card_id=card.card_id)
    assert [(code.card_number, code.reason) for code in old] == [(second, "Copied"), (card.card_number, "Lost")]


def test_it_asks_for_a_reason_a_manager_and_a_card_that_works() -> None:
    shop = make_shop(policy={"staff_pin_policy": "disabled"})
    card = make_card(shop)
    with pytest.raises(ValidationError):
        replacements.replace(actor=shop.ada, card=card.ref, reason=" ", key=make_key(shop.ada))
    with pytest.raises(Forbidden):
        replacements.replace(actor=shop.ben, card=card.ref, reason="Lost", key=make_key(shop.ben))
    cards.deactivate(actor=shop.ada, card=card.ref, reason="Moved away", key=make_key(shop.ada))
    with pytest.raises(CardInactive):
        replacements.replace(actor=shop.ada, card=card.ref, reason="Lost", key=make_key(shop.ada))


def test_it_is_erased_with_its_customer() -> None:
    shop = make_shop()
    card = make_card(shop)
    swap(shop, card, reason="Cleo lost it")
    privacy.erase(actor=shop.ada, customer_id=card.customer_id, key=make_key(shop.ada))
    old = db.session.execute(
        sa.select(LoyaltyCard.public_token, LoyaltyCard.scan_code, LoyaltyCard.replaced_reason).where(
            LoyaltyCard.replaced_by_id == card.card_id
        )
    ).one()
    assert old.replaced_reason is None
    assert {card.public_token, card.scan_code}.isdisjoint(old)
    assert verification.verify().findings == []


def test_it_refuses_the_old_code_that_waited_for_the_lock(app: Flask) -> None:
    shop = make_shop()
    card = make_card(shop)
    old = CardRef(scan_code=card.scan_code)
    with transaction():
        replacements.replace(actor=shop.ada, card=card.ref, reason="Copied", key=make_key(shop.ada))
        end = come_late(app, lambda: stamps.add(actor=shop.ben, card=old, quantity=1, key=make_key(shop.ben)))
    assert isinstance(end(), CardReplaced)


def test_it_gives_the_answer_to_an_old_code_again_that_it_gave_before() -> None:
    shop = make_shop()
    card, key = make_card(shop), make_key()
    ref = CardRef(scan_code=card.scan_code)
    first = stamps.add(actor=shop.ben, card=ref, quantity=1, key=key)
    swap(shop, card)
    again = stamps.add(actor=shop.ben, card=ref, quantity=1, key=key)
    assert (again.replayed, again.transaction_id) == (True, first.transaction_id)
    with pytest.raises(CardReplaced):
        stamps.add(actor=shop.ben, card=ref, quantity=1, key=make_key())


def test_it_refuses_a_card_that_was_seen_under_its_old_number() -> None:
    shop = make_shop()
    card = make_card(shop)
    seen = CardRef(card_id=card.card_id, card_number=card.card_number)
    assert stamps.add(actor=shop.ben, card=seen, quantity=1, key=make_key()).stamp_count == 1
    swap(shop, card)
    with pytest.raises(CardReplaced):
        stamps.redeem(actor=shop.ben, card=seen, key=make_key())
    other = make_card(shop)
    with pytest.raises(CardNotFound):
        stamps.redeem(actor=shop.ben, card=CardRef(card_id=card.card_id, card_number=other.card_number), key=make_key())
