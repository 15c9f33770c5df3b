"""Passes of a card that was replaced: the old one ends and reads nothing more, the new one is another."""

import sqlalchemy as sa

from loyalty.database import db
from loyalty.models.cards import LoyaltyCard
from loyalty.models.outbox import OutboxMessage
from loyalty.services import apple_devices, passes, replacements
from tests.factories import make_key
from tests.phone import Phone
from tests.web.apple.conftest import Bakery


def replace(bakery: Bakery) -> str:
    """Replace the card; returns where its new pass is."""
    with bakery.app.app_context():
        replacements.replace(
            actor=bakery.shop.ada, card=bakery.card.ref, reason="Copied", key=make_key(bakery.shop.ada)
        )
        token = db.session.get_one(LoyaltyCard, bakery.card.card_id, populate_existing=True).public_token
        return passes.find_apple_link(public_token=token) or ""


def pushed(bakery: Bakery) -> list[str]:
    """Do what workers do with all that waits; returns whom they pushed to."""
    waiting = sa.select(OutboxMessage.subject_id).where(OutboxMessage.kind == "apple.push")
    tokens: list[str] = []
    with bakery.app.app_context():
        for card_id in db.session.scalars(waiting.order_by(OutboxMessage.id)).all():
            if push := apple_devices.prepare_push(card_id=card_id):
                apple_devices.record_pushed(push=push, tokens=push.tokens)
                tokens += push.tokens
    return tokens


def test_it_ends_the_old_pass_in_every_phone_without_a_balance(bakery: Bakery) -> None:
    phone: Phone = bakery.phone()
    old = phone.add(bakery.address)
    phone.register(old)
    bakery.stamp(3)
    address = replace(bakery)
    bakery.stamp(2)
    assert phone.fetch(old.serial).status_code == 200
    assert old.opened.says["voided"] is True
    assert old.stamps.startswith("0")
    new = phone.add(address)
    assert new.serial != old.serial
    assert new.stamps.startswith("8")
    assert phone.register(new) == 201
    assert phone.throw_away(old) == 200


def test_it_pushes_to_the_phones_with_the_old_pass_alone(bakery: Bakery) -> None:
    thief, cleo = bakery.phone(), bakery.phone()
    old = thief.add(bakery.address)
    thief.register(old)
    thief.list_changed(old.pass_type)
    new = cleo.add(replace(bakery))
    cleo.register(new)
    assert pushed(bakery) == [thief.push_token]
    assert thief.wake() == [old.serial]
    bakery.stamp()
    assert pushed(bakery) == [cleo.push_token]
    assert thief.wake() == []
