"""Masses of cards whose worker was overtaken: it wakes up, and the mass was taken back meanwhile."""

import threading

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db
from loyalty.domain.values import Admin
from loyalty.models.bulk import BulkDeactivation
from loyalty.services import bulk_deactivations, bulk_steps, cards, verification
from loyalty.services.bulk_choices import CardChoice
from tests import bulk, factories
from tests.factories import Shop
from tests.tills import wait_until_blocked


def make_cards(shop: Shop, count: int) -> tuple[list[factories.Card], CardChoice]:
    chosen = [factories.make_card(shop) for _ in range(count)]
    return chosen, CardChoice(numbers="\n".join(card.card_number for card in chosen))


def state() -> str:
    db.session.rollback()
    return db.session.execute(sa.select(BulkDeactivation.state)).scalar_one()


def test_it_switches_nothing_off_once_the_mass_was_taken_back(app: Flask, shop: Shop, root: Admin) -> None:
    """A worker sleeps longer than its lease, twice: another one ends the mass in the other direction."""
    with app.app_context():
        chosen, choice = make_cards(shop, 3)
        bulk_id = bulk.begin(root, shop.vendor_id, 3, choice)
        slow = bulk_steps.find_batch(bulk_id=bulk_id)
        assert slow is not None
        first, second, third = slow.card_ids
        bulk_steps.switch_off(batch=slow, card_id=first)
        bulk_deactivations.undo(admin=root, bulk_id=bulk_id, key=bulk.new_key(root))
        bulk_steps.switch_off(batch=slow, card_id=second)
        bulk.work(bulk_id)
        assert state() == "undone"
        for card_id in slow.card_ids:
            bulk_steps.switch_off(batch=slow, card_id=card_id)
        assert not bulk_steps.go_on(batch=slow)
        assert bulk.active(shop.vendor_id) == {card.card_id for card in chosen}
        assert bulk.states(bulk_id) == {first: "on", second: "left", third: "left"}
        assert state() == "undone"
        assert not verification.verify().findings


def test_it_takes_back_the_card_that_was_being_switched_off(
    app: Flask, shop: Shop, root: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        chosen, choice = make_cards(shop, 1)
        bulk_id = bulk.begin(root, shop.vendor_id, 1, choice)
        batch = bulk_steps.find_batch(bulk_id=bulk_id)
        assert batch is not None
        switch = cards.switch

        def undo() -> None:
            with app.app_context():
                bulk_deactivations.undo(admin=root, bulk_id=bulk_id, key=bulk.new_key(root))

        tapped = threading.Thread(target=undo)

        def switched(*asked: object, **more: object) -> object:
            answer = switch(*asked, **more)  # type: ignore[arg-type] # handed on as they came
            tapped.start()
            wait_until_blocked(tapped)
            assert tapped.is_alive()
            return answer

        monkeypatch.setattr(cards, "switch", switched)
        bulk_steps.switch_off(batch=batch, card_id=batch.card_ids[0])
        monkeypatch.undo()
        tapped.join()
        bulk.work(bulk_id)
        assert bulk.active(shop.vendor_id) == {chosen[0].card_id}
        assert (set(bulk.states(bulk_id).values()), state()) == ({"on"}, "undone")
