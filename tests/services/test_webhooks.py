"""Webhooks: what is noted of what happens, and who may say where it goes."""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from loyalty.database import clock, db, new_id, transaction
from loyalty.domain import webhooks as rules
from loyalty.domain.values import Role
from loyalty.errors import Forbidden, NotFound, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.models.webhooks import WebhookEndpoint
from loyalty.services import webhook_deliveries, webhook_events, webhooks
from tests.factories import Shop, make_card, make_key, make_shop
from tests.services.listening import URL, forget, listen, queued, stamp, told

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def shop() -> Shop:
    return make_shop(cooldown_minutes=0, max_daily_stamps=50, max_stamps_per_action=10, loyalty_type="hybrid")


def state_of(endpoint_id: UUID) -> str:
    with transaction():
        mine = sa.select(WebhookEndpoint.state).where(WebhookEndpoint.id == endpoint_id)
        return db.session.execute(mine).scalar_one()


def test_it_shows_a_secret_once_and_keeps_it_encrypted(shop: Shop) -> None:
    key = make_key(shop.ada)
    details = {"url": URL, "events": ["reward.ready"]}
    made, again = (webhooks.create(actor=shop.ada, details=details, key=key) for _ in range(2))
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    assert (again.secret, again.replayed, again.endpoint_id) == (None, True, made.endpoint_id)
    with transaction():
        stored = db.session.execute(
            sa.select(sa.text("webhook_endpoints::text || idempotency_keys::text")).select_from(
                sa.text("webhook_endpoints, idempotency_keys")
            )
        ).scalar_one()
    assert made.secret not in stored
    assert made.secret.removeprefix("whsec_")[:20] not in stored


def test_it_signs_as_standard_webhooks_does() -> None:
    """The vector of the specification of Standard Webhooks."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    message_id, timestamp = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    wanted = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert rules.sign(secret=secret, message_id=message_id, timestamp=timestamp, body=body) == wanted
    both = rules.headers(keys=[secret, rules.make_secret()], message_id=message_id, timestamp=timestamp, body=body)
    assert both["webhook-signature"].split()[0] == wanted
    assert len(both["webhook-signature"].split()) == 2
    by_hand = hmac.new(base64.b64decode(secret[6:]), f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    assert wanted == "v1," + base64.b64encode(by_hand.digest()).decode()


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "https://127.0.0.1/",
        "https://localhost:8000/",
        "https://hooks.example:8443/",
        "https://ada@hooks.example/",
        "https://10.1.2.3/",
        "https://[fd00::1]/",
        "hooks.example",
        "https://hooks.example/" + "x" * 500,
        "",
        None,
    ],
)
def test_it_refuses_addresses_that_are_not_for_everybody(shop: Shop, url: str | None) -> None:
    with pytest.raises(ValidationError) as refusal:
        webhooks.create(actor=shop.ada, details={"url": url, "events": ["reward.ready"]}, key=make_key(shop.ada))
    assert list(refusal.value.errors) == ["url"]


@pytest.mark.parametrize("events", [[], ["card.lost"], None, "reward.ready", ["reward.ready", "test"]])
def test_it_refuses_events_that_there_are_not(shop: Shop, events: object) -> None:
    with pytest.raises(ValidationError) as refusal:
        webhooks.create(actor=shop.ada, details={"url": URL, "events": events}, key=make_key(shop.ada))
    assert list(refusal.value.errors) == ["events"]


def test_it_names_all_that_is_wrong_at_once(shop: Shop) -> None:
    with pytest.raises(ValidationError) as refusal:
        webhooks.create(actor=shop.ada, details={"colour": "red"}, key=make_key(shop.ada))
    assert set(refusal.value.errors) == {"url", "events", "colour"}


def test_it_changes_address_and_events(shop: Shop) -> None:
    endpoint_id = listen(shop, "reward.ready")
    changes = {"url": f"{URL}/new", "events": ["customer.erased", "card.created"]}
    webhooks.change(actor=shop.ada, endpoint_id=endpoint_id, details=changes, key=make_key(shop.ada))
    row = webhooks.get(actor=shop.ada, endpoint_id=endpoint_id)
    assert (row.url, row.events) == (f"{URL}/new", ["card.created", "customer.erased"])


def test_it_has_room_for_ten_endpoints(shop: Shop) -> None:
    made = [listen(shop, url=f"{URL}/{number}") for number in range(webhooks.MOST)]
    with pytest.raises(ValidationError):
        listen(shop)
    webhooks.remove(actor=shop.ada, endpoint_id=made[0], key=make_key(shop.ada))
    listen(shop)
    assert len(webhooks.list_all(actor=shop.ada)) == webhooks.MOST


COMMANDS = [webhooks.pause, webhooks.resume, webhooks.rotate_secret, webhooks.end_old_secret, webhooks.send_test]


@pytest.mark.parametrize("command", [*COMMANDS, webhooks.remove], ids=lambda command: str(command.__name__))
def test_it_lets_only_the_owner_of_the_shop(shop: Shop, command: Any) -> None:
    endpoint_id = listen(shop)
    mallory = make_shop("butcher").ada
    with pytest.raises(NotFound):
        command(actor=mallory, endpoint_id=endpoint_id, key=make_key(mallory))
    manager = replace(shop.ada, role=Role.MANAGER)
    with pytest.raises(Forbidden):
        command(actor=manager, endpoint_id=endpoint_id, key=make_key(manager))
    command(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
    with transaction():
        assert len(list(db.session.scalars(sa.select(AuditEvent.id)))) == 2
    if command is not webhooks.remove:
        webhooks.remove(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
    with pytest.raises(NotFound):
        command(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))


def test_it_shows_the_log_page_by_page_and_to_nobody_next_door(shop: Shop) -> None:
    endpoint_id, card = listen(shop, "transaction.created"), make_card(shop)
    forget()
    for _ in range(webhook_deliveries.PAGE + 2):
        with transaction():
            webhook_events.write_one(
                endpoint_id=endpoint_id,
                vendor_id=shop.vendor_id,
                event=webhook_events.Event("test", clock(), {}),
            )
    stamp(shop, card)
    first = webhook_deliveries.list_page(actor=shop.ada, endpoint_id=endpoint_id)
    assert (len(first.rows), first.rows[0].event_type) == (50, "transaction.created")
    rest = webhook_deliveries.list_page(actor=shop.ada, endpoint_id=endpoint_id, before=first.older)
    assert (len(rest.rows), rest.older) == (3, None)
    assert webhook_deliveries.list_page(actor=shop.ada, endpoint_id=endpoint_id, state="failed").rows == []
    mallory = make_shop("butcher").ada
    with pytest.raises(NotFound):
        webhook_deliveries.list_page(actor=mallory, endpoint_id=endpoint_id)
    for actor, delivery_id in ((mallory, first.rows[0].delivery_id), (shop.ada, new_id())):
        with pytest.raises(NotFound):
            webhook_deliveries.replay(actor=actor, delivery_id=delivery_id, key=make_key(actor))
    with pytest.raises(NotFound):
        webhook_deliveries.replay_failed(
            actor=mallory, endpoint_id=endpoint_id, since=clock() - timedelta(days=1), key=make_key(mallory)
        )


def test_it_pauses_and_resumes(shop: Shop) -> None:
    endpoint_id, card = listen(shop, "transaction.created"), make_card(shop)
    forget()
    webhooks.pause(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
    assert state_of(endpoint_id) == "paused"
    stamp(shop, card)
    assert (len(told()), queued(), webhooks.list_all(actor=shop.ada)[0].waiting) == (1, 0, 1)
    assert webhooks.list_stopped(actor=shop.ada) == []
    webhooks.resume(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
    assert (state_of(endpoint_id), queued()) == ("active", 1)
