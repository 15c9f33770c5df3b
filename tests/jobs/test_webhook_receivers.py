"""Receivers of webhooks that refuse, are slow, are away for a day, or lead where nothing may go."""

import socket
from contextlib import ExitStack
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from config import Config
from loyalty import jobs
from loyalty.adapters.webhook import WebhookSender
from loyalty.database import clock, db, transaction
from loyalty.jobs import webhooks as webhook_jobs
from loyalty.models.audit import AuditEvent
from loyalty.models.mail import EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.models.webhooks import WebhookDelivery, WebhookEndpoint
from loyalty.services import outbox, webhook_deliveries, webhooks
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.jobs.webhook_world import allow, deliveries, listen, rest, stamp, work
from tests.mails import let_time_pass, render_mail
from tests.webhook_receiver import Receiver, listening

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def shop() -> Shop:
    return make_shop(cooldown_minutes=0, max_daily_stamps=50)


@pytest.fixture
def card(shop: Shop) -> Card:
    return make_card(shop)


def endpoint() -> WebhookEndpoint:
    with transaction():
        db.session.expire_all()
        return db.session.execute(sa.select(WebhookEndpoint)).scalar_one()


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
def test_it_tries_again_later_what_was_not_taken(shop: Shop, card: Card, receiver: Receiver, status: int) -> None:
    listen(shop, receiver)
    receiver.status, receiver.answer = status, b"no"
    stamp(shop, card)
    work()
    (told,) = deliveries()
    assert (told.state, told.attempts, told.status, told.answer) == ("waiting", 1, status, "no")
    work()
    assert len(receiver.received) == 1
    receiver.status = 204
    with ExitStack() as stack:
        rest(stack, timedelta(seconds=12))
        work()
    assert [told.state for told in deliveries()] == ["delivered"]
    assert receiver.received[0].body == receiver.received[1].body
    assert receiver.received[0].headers["webhook-id"] == receiver.received[1].headers["webhook-id"]


def test_it_loses_nothing_when_a_receiver_is_away_for_a_day(shop: Shop, card: Card, receiver: Receiver) -> None:
    endpoint_id, _ = listen(shop, receiver)
    receiver.status = 500
    first = stamp(shop, card)
    with ExitStack() as stack:
        for _ in range(3):
            work()
            assert endpoint().state == "active"
            rest(stack)
        stamp(shop, card)
        work()
        paused = endpoint()
        assert (paused.state, paused.paused_reason) == ("paused", "failing")
        stamp(shop, card)
        rest(stack)
        tried = len(receiver.received)
        work()
        assert len(receiver.received) == tried
        receiver.status = 200
        webhooks.resume(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
        for _ in range(4):
            work()
            rest(stack, timedelta(seconds=3))
    told = deliveries()
    assert [delivery.state for delivery in told] == ["delivered"] * 3
    arrived = [got.headers["webhook-id"] for got in receiver.received[tried:]]
    assert arrived == [str(delivery.event_id) for delivery in told]
    assert told[0].body["data"]["transaction_id"] == str(first)
    assert [delivery.body["data"]["card_seq"] for delivery in told] == [2, 3, 4]


def test_it_tells_the_owner_once_that_an_endpoint_is_paused(shop: Shop, card: Card, receiver: Receiver) -> None:
    listen(shop, receiver)
    receiver.status = 410
    stamp(shop, card)
    stamp(shop, card)
    work()
    assert (endpoint().state, endpoint().paused_reason, len(receiver.received)) == ("paused", "gone", 1)
    with transaction():
        mail = db.session.execute(sa.select(EmailLog)).scalar_one()
        assert (mail.kind, mail.recipient) == ("webhook_paused", "ada@bakery.example")
        done = list(db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.created_at)))
    assert done == ["webhook.created", "webhook.paused"]
    assert "/office/webhooks" in render_mail(mail.id).text
    assert [told.state for told in deliveries()] == ["waiting", "waiting"]
    assert webhooks.list_stopped(actor=shop.ada)[0].waiting == 2
    assert webhooks.list_stopped(actor=shop.mia) == []


def test_it_gives_up_one_message_that_is_never_taken_and_goes_on_with_the_others(
    shop: Shop, card: Card, receiver: Receiver
) -> None:
    endpoint_id, _ = listen(shop, receiver)
    receiver.status = 500
    stamp(shop, card)
    with ExitStack() as stack:
        for _ in range(len(outbox.WEBHOOK_WAITS) + 1):
            receiver.status = 500
            work()
            rest(stack)
            receiver.status = 200
            webhooks.send_test(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
            jobs.deliver(str(newest()))
        states = {delivery.event_type: delivery.state for delivery in deliveries()}
        assert states == {"transaction.created": "failed", "test": "delivered"}
        assert endpoint().state == "active"
        again = webhook_deliveries.replay_failed(
            actor=shop.ada, endpoint_id=endpoint_id, since=clock() - timedelta(days=7), key=make_key(shop.ada)
        )
        assert again.count == 1
        work()
    assert {delivery.state for delivery in deliveries()} == {"delivered"}


def newest() -> UUID:
    with transaction():
        return db.session.execute(sa.select(OutboxMessage.id).order_by(OutboxMessage.id.desc()).limit(1)).scalar_one()


def test_it_asks_an_endpoint_that_is_slow_once_at_a_time_and_others_meanwhile(
    shop: Shop, card: Card, receiver: Receiver, config: Config
) -> None:
    with listening() as quick:
        allow(receiver.place, quick.place, seconds=2)
        listen(shop, receiver)
        listen(shop, quick)
        receiver.stall = True
        for _ in range(3):
            stamp(shop, card)
        work()
        let_time_pass(timedelta(seconds=2))
        work()
    assert len(receiver.received) == 1
    assert len(quick.received) == 3
    assert endpoint_states() == [("waiting", 3), ("delivered", 3)]


def endpoint_states() -> list[tuple[str, int]]:
    with transaction():
        count = sa.func.count()
        grouped = sa.select(WebhookDelivery.state, count).group_by(WebhookDelivery.state)
        return [(state, number) for state, number in db.session.execute(grouped.order_by(WebhookDelivery.state.desc()))]


def test_it_sends_nothing_when_a_name_comes_to_lead_to_a_private_address(shop: Shop, card: Card) -> None:
    found = {"hooks.example": ["8.8.8.8"]}
    knocked: list[str] = []

    def connect(address: str, port: int, seconds: float) -> socket.socket:
        knocked.append(address)
        raise ConnectionRefusedError

    sender = WebhookSender(resolve=lambda host, port: found[host], connect=connect)
    webhook_jobs.configure(sender=sender)
    webhooks.create(
        actor=shop.ada,
        details={"url": "https://hooks.example/in", "events": ["transaction.created"]},
        key=make_key(shop.ada),
    )
    stamp(shop, card)
    work()
    found["hooks.example"] = ["8.8.8.8", "169.254.169.254"]
    with ExitStack() as stack:
        for _ in range(3):
            rest(stack, timedelta(hours=1))
            work()
    webhook_jobs.configure(sender=WebhookSender())
    assert knocked == ["8.8.8.8"]
    (told,) = deliveries()
    assert (told.state, told.attempts) == ("waiting", 4)
    assert "169.254.169.254, which is not on the public internet" in str(told.error)
