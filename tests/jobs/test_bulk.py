"""Masses of cards: off through the ordinary door, once, whatever kills a worker; and on again as one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty import jobs
from loyalty.database import db, transaction
from loyalty.domain.values import Admin
from loyalty.errors import IdempotencyInProgress, NotFound, ValidationError, VendorSuspended
from loyalty.models.audit import AuditEvent
from loyalty.models.bulk import BulkCard, BulkDeactivation
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.outbox import OutboxMessage
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.webhooks import WebhookDelivery
from loyalty.services import bulk_deactivations, bulk_steps, cards, verification, webhooks
from loyalty.services.bulk_choices import CardChoice
from tests import bulk, factories
from tests.factories import Card, Shop
from tests.tills import all_at_once


def pasted(*some: Card) -> CardChoice:
    return CardChoice(numbers="\n".join(card.card_number for card in some))


def switches(card: Card) -> list[tuple[str, UUID | None]]:
    """Return how a card was switched, and by whom."""
    row = LoyaltyTransaction
    rows = sa.select(row).where(row.card_id == card.card_id, row.transaction_type.like("card_%ctivated"))
    return [(each.transaction_type, each.user_id) for each in db.session.scalars(rows.order_by(row.seq))]


def state_of(bulk_id: UUID) -> str:
    db.session.rollback()
    return db.session.execute(sa.select(BulkDeactivation.state).where(BulkDeactivation.id == bulk_id)).scalar_one()


def test_it_switches_off_what_was_chosen_and_nothing_else(app: Flask, shop: Shop, root: Admin) -> None:
    with app.app_context():
        chosen, other = [factories.make_card(shop, stamps=3) for _ in range(3)], factories.make_card(shop)
        bulk_id = bulk.begin(root, shop.vendor_id, 3, pasted(*chosen))
        assert bulk.active(shop.vendor_id) >= {card.card_id for card in chosen}
        bulk.work(bulk_id)
        assert bulk.active(shop.vendor_id) == {other.card_id}
        assert all(switches(card) == [("card_deactivated", root.user_id)] for card in chosen)
        assert set(bulk.states(bulk_id).values()) == {"off"}
        seen = bulk_deactivations.get(admin=root, bulk_id=bulk_id)
        assert (seen.state, seen.off, seen.waiting, seen.by) == ("done", 3, 0, "root@platform.example")
        assert not verification.verify().findings


def test_it_takes_back_exactly_what_it_did(app: Flask, shop: Shop, root: Admin) -> None:
    with app.app_context():
        off, back, again, before = (factories.make_card(shop) for _ in range(4))
        cards.deactivate(actor=shop.ada, card=before.ref, reason="lost", key=factories.make_key(shop.ada))
        bulk_id = bulk.begin(root, shop.vendor_id, 3, pasted(off, back, again, before))
        bulk.work(bulk_id)
        for card in (back, again):
            cards.reactivate(actor=shop.ada, card=card.ref, reason="found", key=factories.make_key(shop.ada))
        cards.deactivate(actor=shop.ada, card=again.ref, reason="lost again", key=factories.make_key(shop.ada))
        bulk_deactivations.undo(admin=root, bulk_id=bulk_id, key=bulk.new_key(root))
        bulk.work(bulk_id)
        assert bulk.active(shop.vendor_id) == {off.card_id, back.card_id}
        assert bulk.states(bulk_id) == {off.card_id: "on", back.card_id: "kept", again.card_id: "kept"}
        assert switches(off) == [("card_deactivated", root.user_id), ("card_reactivated", root.user_id)]
        assert state_of(bulk_id) == "undone"
        assert not verification.verify().findings


def test_it_goes_on_where_a_worker_was_killed(
    app: Flask, shop: Shop, root: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after a card's commit and before its note, at every card in turn: each is switched once."""
    with app.app_context():
        chosen = [factories.make_card(shop) for _ in range(3)]
        bulk_id = bulk.begin(root, shop.vendor_id, 3, pasted(*chosen))
        batch = bulk_steps.find_batch(bulk_id=bulk_id)
        assert batch is not None
        for card_id in batch.card_ids:
            die_before_the_note(monkeypatch, batch, card_id)
            assert card_id not in bulk.active(shop.vendor_id)
            assert bulk.states(bulk_id)[card_id] == "waiting"
        bulk.work(bulk_id)
        assert set(bulk.states(bulk_id).values()) == {"off"}
        assert all(len(switches(card)) == 1 for card in chosen)


def test_it_takes_back_what_a_killed_worker_did_not_note(
    app: Flask, shop: Shop, root: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        chosen = [factories.make_card(shop) for _ in range(2)]
        bulk_id = bulk.begin(root, shop.vendor_id, 2, pasted(*chosen))
        batch = bulk_steps.find_batch(bulk_id=bulk_id)
        assert batch is not None
        done, waiting = batch.card_ids
        die_before_the_note(monkeypatch, batch, done)
        bulk_deactivations.undo(admin=root, bulk_id=bulk_id, key=bulk.new_key(root))
        bulk.work(bulk_id)
        assert bulk.states(bulk_id) == {done: "on", waiting: "left"}
        assert bulk.active(shop.vendor_id) == {card.card_id for card in chosen}
        assert [switches(card) for card in chosen if card.card_id == waiting] == [[]]


class Killed(Exception):
    """Stands for the end of a worker."""


def die(*_: object) -> None:
    raise Killed


def die_before_the_note(monkeypatch: pytest.MonkeyPatch, batch: bulk_steps.Batch, card_id: UUID) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(bulk_steps, "_note", die)
        with pytest.raises(Killed):
            bulk_steps.switch_off(batch=batch, card_id=card_id)


def test_it_goes_batch_by_batch(app: Flask, shop: Shop, root: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_steps, "BATCH", 2)
    with app.app_context():
        chosen = [factories.make_card(shop) for _ in range(13)]
        bulk_id = bulk.begin(root, shop.vendor_id, 13, pasted(*chosen))
        message_id = db.session.execute(sa.select(OutboxMessage.id).where(OutboxMessage.subject_id == bulk_id)).scalar()
        jobs.deliver(str(message_id))
        seen = bulk_deactivations.get(admin=root, bulk_id=bulk_id)
        # A worker gives way to others in between.
        assert (seen.state, seen.off, seen.gone_through) == ("running", 10, 10)
        bulk.work(bulk_id)
        assert bulk_deactivations.get(admin=root, bulk_id=bulk_id).off == 13


def test_it_stops_when_it_is_taken_back_on_its_way(
    app: Flask, shop: Shop, root: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_steps, "BATCH", 1)
    with app.app_context():
        chosen = [factories.make_card(shop) for _ in range(8)]
        bulk_id = bulk.begin(root, shop.vendor_id, 8, pasted(*chosen))
        message_id = db.session.execute(sa.select(OutboxMessage.id).where(OutboxMessage.subject_id == bulk_id)).scalar()
        jobs.deliver(str(message_id))
        bulk_deactivations.undo(admin=root, bulk_id=bulk_id, key=bulk.new_key(root))
        bulk.work(bulk_id)
        seen = bulk_deactivations.get(admin=root, bulk_id=bulk_id)
        assert (seen.state, seen.on, seen.left) == ("undone", 5, 3)
        assert bulk.active(shop.vendor_id) == {card.card_id for card in chosen}


def test_it_tells_phones_and_other_software(app: Flask, shop: Shop, root: Admin) -> None:
    with app.app_context():
        details = {"url": "https://hooks.example/in", "events": ["transaction.created"]}
        webhooks.create(actor=shop.ada, details=details, key=factories.make_key(shop.ada))
        card = factories.make_card(shop)
        before = db.session.scalar(sa.select(sa.func.count()).select_from(WebhookDelivery)) or 0
        with transaction():
            now = datetime.now(UTC)
            db.session.execute(
                sa.update(LoyaltyCard).values(google_saved_at=now, google_object_id="3388.card", google_told_at=now)
            )
        bulk_id = bulk.begin(root, shop.vendor_id, 1, pasted(card))
        bulk.work(bulk_id)
        after = db.session.scalar(sa.select(sa.func.count()).select_from(WebhookDelivery)) or 0
        told = sa.select(OutboxMessage.kind).where(OutboxMessage.subject_id == card.card_id)
        assert (after - before, db.session.scalars(told).all()) == (1, ["google.object"])


def test_it_passes_over_whose_customer_is_gone_or_has_another_card(app: Flask, shop: Shop, root: Admin) -> None:
    with app.app_context():
        erased, twice, plain = (factories.make_card(shop) for _ in range(3))
        bulk_id = bulk.begin(root, shop.vendor_id, 3, pasted(erased, twice, plain))
        bulk.work(bulk_id)
        with transaction():
            gone = sa.update(Customer).where(Customer.id == erased.customer_id)
            db.session.execute(gone.values(erased_at=datetime.now(UTC)))
            cards.create(actor=shop.ben, customer_id=twice.customer_id)
        bulk_deactivations.undo(admin=root, bulk_id=bulk_id, key=bulk.new_key(root))
        bulk.work(bulk_id)
        assert bulk.states(bulk_id) == {erased.card_id: "kept", twice.card_id: "kept", plain.card_id: "on"}


def test_it_waits_for_a_suspended_shop_and_for_a_card_that_is_in_use(
    app: Flask, shop: Shop, root: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        card = factories.make_card(shop)
        bulk_id = bulk.begin(root, shop.vendor_id, 1, pasted(card))
        bulk.set_status(shop, "suspended")
        row = the_row(bulk_id)
        jobs.deliver(str(row))
        assert (state_of(bulk_id), bulk.states(bulk_id)) == ("running", {card.card_id: "waiting"})
        with pytest.raises(VendorSuspended):
            bulk_deactivations.undo(admin=root, bulk_id=bulk_id, key=bulk.new_key(root))
        bulk.set_status(shop, "active")
        due_again(row)
        with monkeypatch.context() as patched:
            patched.setattr(cards, "switch", in_progress)
            jobs.deliver(str(row))
        assert bulk.states(bulk_id) == {card.card_id: "waiting"}
        due_again(row)
        jobs.deliver(str(row))
        assert bulk.states(bulk_id) == {card.card_id: "off"}


def in_progress(*_: object, **__: object) -> None:
    raise IdempotencyInProgress


def the_row(bulk_id: UUID) -> UUID:
    return db.session.execute(sa.select(OutboxMessage.id).where(OutboxMessage.subject_id == bulk_id)).scalar_one()


def due_again(row: UUID) -> None:
    with transaction():
        past = datetime.now(UTC) - timedelta(minutes=1)
        db.session.execute(sa.update(OutboxMessage).where(OutboxMessage.id == row).values(not_before=past))


def test_it_begins_and_takes_back_once_for_two_taps(app: Flask, shop: Shop, root: Admin) -> None:
    with app.app_context():
        card, key = factories.make_card(shop), bulk.new_key(root)
        for _ in range(2):
            begun = bulk_deactivations.start(
                admin=root, vendor_id=shop.vendor_id, choice=pasted(card), expected=1, reason="test", key=key
            )
        bulk.work(begun.bulk_id)
        for _ in range(2):
            bulk_deactivations.undo(admin=root, bulk_id=begun.bulk_id, key=bulk.new_key(root))
        bulk.work(begun.bulk_id)
        events = sa.select(AuditEvent).where(AuditEvent.subject_type == "bulk").order_by(AuditEvent.created_at)
        written = [(event.action, event.on_behalf, event.details["cards"]) for event in db.session.scalars(events)]
        assert written == [("bulk.started", True, 1), ("bulk.undone", True, 1)]
        assert len(switches(card)) == 2
        with pytest.raises(NotFound):
            bulk_deactivations.undo(admin=root, bulk_id=card.card_id, key=bulk.new_key(root))


def test_it_has_nothing_to_tell_of_what_is_gone(app: Flask) -> None:
    with app.app_context():
        assert bulk_steps.find_batch(bulk_id=UUID(int=7)) is None


def test_it_takes_down_as_many_as_it_has_counted(
    app: Flask, shop: Shop, root: Admin, request: pytest.FixtureRequest
) -> None:
    """Somebody joins at the last moment: nobody is switched off whom the admin has not counted."""
    with app.app_context():
        factories.make_card(shop)

    late = [lambda: factories.make_card(shop)]

    def join(*said: Any) -> None:
        if "INSERT INTO bulk_cards" in said[2] and late:
            all_at_once(app, [late.pop()])

    with app.app_context():
        engine = db.engine
        sa.event.listen(engine, "before_cursor_execute", join)
        request.addfinalizer(lambda: sa.event.remove(engine, "before_cursor_execute", join))
        with pytest.raises(ValidationError):
            bulk.begin(root, shop.vendor_id, 1, CardChoice(store_id=shop.store_id))
        assert db.session.scalars(sa.select(BulkCard)).all() == []
        assert bulk.begin(root, shop.vendor_id, 2, CardChoice(store_id=shop.store_id))
        assert len(db.session.scalars(sa.select(BulkCard)).all()) == 2
