"""Webhooks on their way: whatever the receiver does, nothing is lost and nothing goes where it must not."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from config import Config
from docs.examples.verify_webhook import verify
from loyalty import jobs
from loyalty.adapters.webhook import WebhookSender
from loyalty.database import clock, db, transaction
from loyalty.jobs import sweep
from loyalty.jobs import webhooks as webhook_jobs
from loyalty.models.audit import AuditEvent
from loyalty.models.mail import EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.models.webhooks import WebhookDelivery, WebhookEndpoint
from loyalty.services import messages, outbox, sealing, stamps, webhook_deliveries, webhook_sending, webhooks
from tests.clocks import clock_moved
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.mails import let_time_pass
from tests.webhook_receiver import Receiver, listening

pytestmark = pytest.mark.usefixtures("context")

# Longer than any wait with its jitter.
AGES = timedelta(hours=10)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Software that listens at a private place which this platform may tell."""
    with listening() as running:
        allow(running.place)
        yield running
    webhooks.configure()
    webhook_jobs.configure(sender=WebhookSender())


def allow(*places: str, seconds: float = 5) -> None:
    webhooks.configure(allowed=places)
    webhook_jobs.configure(sender=WebhookSender(allowed=places, seconds=seconds))


@pytest.fixture
def shop() -> Shop:
    return make_shop(cooldown_minutes=0, max_daily_stamps=50)


@pytest.fixture
def card(shop: Shop) -> Card:
    return make_card(shop)


def listen(shop: Shop, receiver: Receiver, events: tuple[str, ...] = ("transaction.created",)) -> tuple[UUID, str]:
    """Add the endpoint; returns its id and its secret."""
    details = {"url": receiver.url, "events": list(events)}
    made = webhooks.create(actor=shop.ada, details=details, key=make_key(shop.ada))
    assert made.secret is not None
    return made.endpoint_id, made.secret


def stamp(shop: Shop, card: Card) -> UUID:
    made = stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    assert made.transaction_id is not None
    return made.transaction_id


def work() -> int:
    """Deliver all that is due, as a worker does; returns how many rows were due."""
    due = outbox.due(limit=100)
    for message_id in due:
        jobs.deliver(str(message_id))
    return len(due)


def deliveries() -> list[WebhookDelivery]:
    with transaction():
        db.session.expire_all()
        return list(db.session.scalars(sa.select(WebhookDelivery).order_by(WebhookDelivery.id)))


def endpoint() -> WebhookEndpoint:
    with transaction():
        db.session.expire_all()
        return db.session.execute(sa.select(WebhookEndpoint)).scalar_one()


def rest(stack: ExitStack, by: timedelta = AGES) -> None:
    """Let the clock go on, for the endpoint and for the outbox."""
    stack.enter_context(clock_moved(by))
    let_time_pass(by)


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


def test_it_is_believed_by_nobody_who_checks_when_anything_was_changed(
    shop: Shop, card: Card, receiver: Receiver
) -> None:
    _, secret = listen(shop, receiver)
    stamp(shop, card)
    work()
    (got,) = receiver.received
    at = int(got.headers["webhook-timestamp"])
    for place in range(len(got.body)):
        other = got.body[:place] + bytes([got.body[place] ^ 1]) + got.body[place + 1 :]
        assert not verify(secret=secret, headers=got.headers, body=other)
    for name in ("webhook-id", "webhook-timestamp"):
        changed = {**got.headers, name: got.headers[name][:-1] + "x"}
        assert not verify(secret=secret, headers=changed, body=got.body)
    assert verify(secret=secret, headers=got.headers, body=got.body, now=at + 300)
    assert not verify(secret=secret, headers=got.headers, body=got.body, now=at + 301)
    assert not verify(secret=secret, headers=got.headers, body=got.body, now=at - 301)


def test_it_signs_with_two_secrets_for_a_day(shop: Shop, card: Card, receiver: Receiver) -> None:
    endpoint_id, first = listen(shop, receiver)
    second = webhooks.rotate_secret(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada)).secret
    assert second is not None
    stamp(shop, card)
    work()
    got = receiver.received[0]
    assert [verify(secret=key, headers=got.headers, body=got.body) for key in (first, second)] == [True, True]
    with ExitStack() as stack:
        rest(stack, timedelta(hours=25))
        stamp(shop, card)
        work()
        got, now = receiver.received[1], clock().timestamp()
        fits = [verify(secret=key, headers=got.headers, body=got.body, now=now) for key in (first, second)]
        assert fits == [False, True]


def test_it_ends_the_old_secret_when_told(shop: Shop, card: Card, receiver: Receiver) -> None:
    endpoint_id, first = listen(shop, receiver)
    webhooks.rotate_secret(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
    webhooks.end_old_secret(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
    stamp(shop, card)
    work()
    assert not verify(secret=first, headers=receiver.received[0].headers, body=receiver.received[0].body)


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
        done = list(db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))
    assert done == ["webhook.created", "webhook.paused"]
    assert "/office/webhooks" in messages.render(email_log_id=mail.id).text
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
        allow(receiver.place, quick.place, seconds=0.2)
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


def test_it_sends_nothing_when_a_name_comes_to_lead_to_a_private_address(shop: Shop, card: Card) -> None:
    found = {"hooks.example": ["8.8.8.8"]}
    knocked: list[str] = []

    def connect(address: str, port: int, seconds: float) -> "object":
        knocked.append(address)
        raise ConnectionRefusedError

    sender = WebhookSender(resolve=lambda host, port: found[host], connect=connect)  # type: ignore[arg-type]
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


def test_it_says_that_a_secret_cannot_be_read_under_another_key(
    shop: Shop, card: Card, receiver: Receiver, config: Config
) -> None:
    listen(shop, receiver)
    stamp(shop, card)
    sealing.configure(secret_key="another key of more than thirty-two letters")
    work()
    with transaction():
        assert "SECRET_KEY is another one" in str(db.session.scalar(sa.select(OutboxMessage.last_error)))
    assert receiver.connections == 0
    sealing.configure(secret_key=config.secret_key)
    let_time_pass(timedelta(minutes=1))
    work()
    assert len(receiver.received) == 1


def test_it_sends_again_what_was_delivered(shop: Shop, card: Card, receiver: Receiver) -> None:
    listen(shop, receiver)
    stamp(shop, card)
    work()
    webhook_deliveries.replay(actor=shop.ada, delivery_id=deliveries()[0].id, key=make_key(shop.ada))
    work()
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    assert (len(receiver.received), deliveries()[0].attempts) == (2, 2)
