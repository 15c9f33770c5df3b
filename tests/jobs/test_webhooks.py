"""Webhooks on their way: whatever the receiver does, nothing is lost and nothing goes where it must not."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from docs.examples.verify_webhook import verify
from loyalty.database import db, transaction
from loyalty.jobs import sweep
from loyalty.models.outbox import OutboxMessage
from loyalty.services import webhook_deliveries, webhook_sending, webhooks
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.jobs.webhook_world import deliveries, listen, stamp, work
from tests.mails import let_time_pass
from tests.webhook_receiver import Receiver

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def shop() -> Shop:
    return make_shop(cooldown_minutes=0, max_daily_stamps=50)


@pytest.fixture
def card(shop: Shop) -> Card:
    return make_card(shop)


def test_it_tells_of_a_stamp_signed_and_once(shop: Shop, card: Card, receiver: Receiver) -> None:
    _, secret = listen(shop, receiver)
    transaction_id = stamp(shop, card)
    work()
    work()
    (got,) = receiver.received
    (told,) = deliveries()
    assert (told.state, told.attempts, told.status, told.answer) == ("delivered", 1, 200, "thank you")
    assert told.body["data"]["transaction_id"] == str(transaction_id)
    assert got.headers["webhook-id"] == str(told.event_id) == told.body["event_id"]
    assert verify(secret=secret, headers=got.headers, body=got.body)


def test_it_holds_a_second_worker_off_while_one_is_telling(shop: Shop, card: Card, receiver: Receiver) -> None:
    listen(shop, receiver)
    stamp(shop, card)
    stamp(shop, card)
    now = datetime.now(UTC)
    first, second = (delivery.id for delivery in deliveries())
    assert isinstance(webhook_sending.start(delivery_id=first, at=now), webhook_sending.Outgoing)
    assert isinstance(webhook_sending.start(delivery_id=second, at=now), webhook_sending.Wait)
    # Its worker died: nobody waits for ever.
    later = now + timedelta(seconds=16)
    assert isinstance(webhook_sending.start(delivery_id=second, at=later), webhook_sending.Outgoing)


def test_it_keeps_what_happens_while_it_is_paused_and_sends_the_oldest_first(
    shop: Shop, card: Card, receiver: Receiver
) -> None:
    endpoint_id, _ = listen(shop, receiver)
    webhooks.pause(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
    for _ in range(4):
        stamp(shop, card)
    assert work() == 0
    webhooks.resume(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
    let_time_pass(timedelta(seconds=1))
    work()
    ids = [str(delivery.event_id) for delivery in deliveries()]
    assert [got.headers["webhook-id"] for got in receiver.received] == ids


def test_it_sends_what_was_noted_while_the_owner_resumed(shop: Shop, card: Card, receiver: Receiver) -> None:
    listen(shop, receiver)
    stamp(shop, card)
    with transaction():
        db.session.execute(sa.delete(OutboxMessage))
    assert work() == 0
    sweep.run(at=datetime.now(UTC))
    work()
    assert [delivery.state for delivery in deliveries()] == ["delivered"]


def test_it_forgets_messages_after_thirty_days(shop: Shop, card: Card, receiver: Receiver) -> None:
    listen(shop, receiver)
    stamp(shop, card)
    work()
    sweep.run(at=datetime.now(UTC) + timedelta(days=29))
    assert len(deliveries()) == 1
    sweep.run(at=datetime.now(UTC) + timedelta(days=31))
    assert deliveries() == []


def test_it_sends_nothing_to_an_endpoint_that_was_removed(shop: Shop, card: Card, receiver: Receiver) -> None:
    endpoint_id, _ = listen(shop, receiver)
    stamp(shop, card)
    webhooks.remove(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
    stamp(shop, card)
    work()
    assert (len(deliveries()), receiver.connections) == (1, 0)


def test_it_sends_again_what_was_delivered(shop: Shop, card: Card, receiver: Receiver) -> None:
    listen(shop, receiver)
    stamp(shop, card)
    work()
    webhook_deliveries.replay(actor=shop.ada, delivery_id=deliveries()[0].id, key=make_key(shop.ada))
    work()
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    assert (len(receiver.received), deliveries()[0].attempts) == (2, 2)
