"""Signatures of webhooks: what a receiver can check, and what it believes to nobody."""

from contextlib import ExitStack
from datetime import timedelta

import pytest
import sqlalchemy as sa

from config import Config
from docs.examples.verify_webhook import verify
from loyalty.database import clock, db, transaction
from loyalty.models.outbox import OutboxMessage
from loyalty.services import sealing, webhooks
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.jobs.webhook_world import listen, rest, stamp, work
from tests.mails import let_time_pass
from tests.webhook_receiver import Receiver

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def shop() -> Shop:
    return make_shop(cooldown_minutes=0, max_daily_stamps=50)


@pytest.fixture
def card(shop: Shop) -> Card:
    return make_card(shop)


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
