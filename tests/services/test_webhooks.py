"""Webhooks: what is noted of what happens, and who may say where it goes."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from loyalty.database import clock, db, new_id, transaction
from loyalty.domain import webhooks as rules
from loyalty.domain.values import Role
from loyalty.errors import Forbidden, InsufficientStamps, NotFound, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.models.outbox import OutboxMessage
from loyalty.models.webhooks import WebhookDelivery, WebhookEndpoint
from loyalty.services import points, rewards, stamps, voids, webhook_deliveries, webhook_events, webhooks
from tests.factories import Card, Shop, change_program, make_card, make_key, make_reward, make_shop

pytestmark = pytest.mark.usefixtures("context")

URL = "https://hooks.bakery.example/loyalty"


@pytest.fixture
def shop() -> Shop:
    return make_shop(cooldown_minutes=0, max_daily_stamps=50, max_stamps_per_action=10, loyalty_type="hybrid")


def listen(shop: Shop, *events: str, url: str = URL) -> UUID:
    details = {"url": url, "events": list(events or rules.EVENTS)}
    return webhooks.create(actor=shop.ada, details=details, key=make_key(shop.ada)).endpoint_id


def stamp(shop: Shop, card: Card, quantity: int = 1) -> UUID:
    made = stamps.add(actor=shop.ben, card=card.ref, quantity=quantity, key=make_key(shop.ben))
    assert made.transaction_id is not None
    return made.transaction_id


def told(event_type: str = "") -> list[dict[str, Any]]:
    """The bodies that were noted, in their order."""
    with transaction():
        query = sa.select(WebhookDelivery.body).order_by(WebhookDelivery.id)
        if event_type:
            query = query.where(WebhookDelivery.event_type == event_type)
        return list(db.session.scalars(query))


def data(event_type: str) -> list[dict[str, Any]]:
    return [body["data"] for body in told(event_type)]


def forget() -> None:
    with transaction():
        db.session.execute(sa.delete(WebhookDelivery))
        db.session.execute(sa.delete(OutboxMessage))


def queued() -> int:
    with transaction():
        mine = OutboxMessage.kind == "webhook.delivery"
        return db.session.execute(sa.select(sa.func.count()).where(mine)).scalar_one()


def state_of(endpoint_id: UUID) -> str:
    with transaction():
        mine = sa.select(WebhookEndpoint.state).where(WebhookEndpoint.id == endpoint_id)
        return db.session.execute(mine).scalar_one()


def test_it_tells_of_a_new_card_and_of_its_first_rows(shop: Shop) -> None:
    change_program(shop, welcome_stamps=2, welcome_bonus_points=50)
    listen(shop)
    card = make_card(shop)
    made, first, second = told()
    assert [body["type"] for body in told()] == ["card.created", "transaction.created", "transaction.created"]
    assert made["vendor_code"] == "bakery"
    assert made["data"] == {
        "card_id": str(card.card_id),
        "card_number": card.card_number,
        "card_seq": 1,
        "stamps_balance_after": 0,
        "points_balance_after": 0,
    }
    assert first["data"]["transaction_type"] == "card_created"
    bonus = second["data"]
    assert (bonus["transaction_type"], bonus["card_seq"]) == ("welcome_bonus", 2)
    assert (bonus["stamps_delta"], bonus["points_delta"]) == (2, 50)
    assert (bonus["stamps_balance_after"], bonus["points_balance_after"]) == (2, 50)


def test_it_tells_all_of_a_transaction_and_nothing_personal(shop: Shop) -> None:
    card = make_card(shop, name="Cleo Martin", email="cleo@example.org")
    listen(shop, "transaction.created")
    made = points.earn(
        actor=shop.ben, card=card.ref, purchase_amount_cents=1250, key=make_key(shop.ben), order_reference="R-7"
    )
    (body,) = told()
    assert body["data"] == {
        "card_id": str(card.card_id),
        "card_number": card.card_number,
        "card_seq": 2,
        "stamps_balance_after": 0,
        "points_balance_after": 125,
        "transaction_id": str(made.transaction_id),
        "transaction_type": "points_earned",
        "transaction_at": body["occurred_at"],
        "stamps_delta": 0,
        "points_delta": 125,
        "purchase_amount_cents": 1250,
        "order_reference": "R-7",
        "reward_id": None,
        "reward_description": None,
        "related_transaction_id": None,
        "store_id": str(shop.store_id),
        "staff_pin_id": str(shop.ben.staff_pin_id),
        "terminal_id": str(shop.terminal_id),
        "idempotency_key": body["data"]["idempotency_key"],
    }
    assert body["occurred_at"].endswith("Z")
    assert not {"Cleo", "cleo@example.org"} & set(json.dumps(told()).split('"'))


def test_it_tells_of_a_tap_once_and_in_the_order_of_the_ledger(shop: Shop) -> None:
    card = make_card(shop)
    listen(shop, "transaction.created")
    key = make_key(shop.ben)
    for _ in range(2):
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=key)
    transaction_id = stamp(shop, card)
    voids.void(actor=shop.mia, transaction_id=transaction_id, reason="twice", key=make_key(shop.mia))
    seqs = [event["card_seq"] for event in data("transaction.created")]
    assert seqs == [2, 3, 4]
    assert data("transaction.created")[-1]["related_transaction_id"] == str(transaction_id)


def test_it_tells_of_nothing_that_was_refused(shop: Shop) -> None:
    card = make_card(shop)
    listen(shop)
    with pytest.raises(InsufficientStamps):
        stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben))
    assert told() == []


def test_it_says_when_a_reward_of_stamps_is_ready(shop: Shop) -> None:
    card = make_card(shop)
    listen(shop, "reward.ready")
    stamp(shop, card, 9)
    assert told() == []
    stamp(shop, card)
    stamp(shop, card)
    (ready,) = data("reward.ready")
    assert (ready["stamps_rewards_available"], ready["stamps_reward"], ready["rewards"]) == (1, "Free item", [])
    assert (ready["card_seq"], ready["stamps_balance_after"]) == (3, 10)


def test_it_says_when_rewards_of_points_are_ready(shop: Shop) -> None:
    card = make_card(shop)
    cake, roll = make_reward(shop, "Cake", 120), make_reward(shop, "Roll", 50)
    gone = make_reward(shop, "Gone", 60)
    rewards.deactivate(actor=shop.ada, reward_id=gone, key=make_key(shop.ada))
    listen(shop, "reward.ready")
    for amount in (400, 900, 100):
        points.earn(
            actor=shop.ben,
            card=card.ref,
            purchase_amount_cents=amount,
            key=make_key(shop.ben),
            order_reference=None,
        )
    (ready,) = data("reward.ready")
    assert [reward["reward_id"] for reward in ready["rewards"]] == [roll, cake]
    assert ready["rewards"][0] == {"reward_id": roll, "reward_name": "Roll", "points_required": 50}
    assert ready["stamps_reward"] is None


def test_it_tells_of_wallets_expiry_and_erasure_whoever_asked_for_it(shop: Shop) -> None:
    card, at = make_card(shop, points=80), datetime(2027, 1, 1, tzinfo=UTC)
    listen(shop, "card.installed", "card.removed")
    listen(shop, "points.expiring", "customer.erased", url=f"{URL}/2")
    named: dict[str, Any] = {"card_id": card.card_id, "vendor_id": shop.vendor_id, "at": at}
    with transaction():
        webhook_events.card_installed(**named, wallet="apple")
        webhook_events.card_removed(**named, wallet="google")
        webhook_events.points_expiring(**named, points=30, expires_at=at + timedelta(days=30))
        webhook_events.customer_erased(customer_id=card.customer_id, vendor_id=shop.vendor_id, at=at)
    assert [(body["type"], body["occurred_at"]) for body in told()] == [
        ("card.installed", "2027-01-01T00:00:00Z"),
        ("card.removed", "2027-01-01T00:00:00Z"),
        ("points.expiring", "2027-01-01T00:00:00Z"),
        ("customer.erased", "2027-01-01T00:00:00Z"),
    ]
    assert [event["wallet"] for event in data("card.installed") + data("card.removed")] == ["apple", "google"]
    (expiring,) = data("points.expiring")
    assert (expiring["points"], expiring["expires_at"]) == (30, "2027-01-31T00:00:00Z")
    assert expiring["points_balance_after"] == 80
    (erased,) = data("customer.erased")
    assert erased["customer_id"] == str(card.customer_id)
    assert [entry["card_number"] for entry in erased["cards"]] == [card.card_number]


def test_it_gives_each_endpoint_the_same_event_with_the_same_id(shop: Shop) -> None:
    card = make_card(shop)
    first, second = listen(shop, "transaction.created"), listen(shop, "transaction.created", url=f"{URL}/2")
    stamp(shop, card)
    one, two = told()
    assert one == two
    with transaction():
        assert set(db.session.scalars(sa.select(WebhookDelivery.endpoint_id))) == {first, second}
    assert queued() == 2


def test_it_notes_nothing_where_nobody_asked(shop: Shop) -> None:
    card, next_door = make_card(shop), make_shop("butcher")
    listen(next_door)
    forget()
    endpoint_id = listen(shop, "customer.erased")
    stamp(shop, card)
    webhooks.remove(actor=shop.ada, endpoint_id=endpoint_id, key=make_key(shop.ada))
    listen(shop, "reward.ready")
    stamp(shop, card)
    assert (told(), queued()) == ([], 0)


def test_it_asks_the_database_nothing_more_at_the_till_while_nobody_listens(shop: Shop) -> None:
    card = make_card(shop)

    def statements() -> int:
        sent: list[str] = []
        note = lambda *given: sent.append(given[2])  # noqa: E731 - the listener has to be named to be taken off
        sa.event.listen(db.engine, "before_cursor_execute", note)
        stamp(shop, card)
        sa.event.remove(db.engine, "before_cursor_execute", note)
        assert sum("webhook" in statement for statement in sent) == 1
        return len(sent)

    before = statements()
    listen(shop, "customer.erased")
    assert statements() == before


def test_it_takes_events_back_with_what_caused_them(shop: Shop) -> None:
    listen(shop, "points.expiring")
    card, at = make_card(shop), clock()

    def fail() -> None:
        with transaction():
            webhook_events.points_expiring(
                card_id=card.card_id, vendor_id=shop.vendor_id, points=1, expires_at=at, at=at
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (told(), queued()) == ([], 0)


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
