"""Events of webhooks: what is told of, in which order, and never anything personal."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from loyalty.database import clock, db, transaction
from loyalty.errors import InsufficientStamps
from loyalty.models.webhooks import WebhookDelivery
from loyalty.services import cards, merging, points, replacements, rewards, stamps, voids, webhook_events, webhooks
from tests.factories import Shop, change_program, make_card, make_key, make_reward, make_shop
from tests.services.listening import URL, data, forget, listen, queued, stamp, told

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def shop() -> Shop:
    return make_shop(cooldown_minutes=0, max_daily_stamps=50, max_stamps_per_action=10, loyalty_type="hybrid")


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


def test_it_tells_of_a_card_that_is_closed_opened_and_brought_together_with_another(shop: Shop) -> None:
    card, other = make_card(shop, stamps=4), make_card(shop, stamps=6)
    listen(shop)
    for change in (cards.deactivate, cards.reactivate):
        change(actor=shop.ada, card=card.ref, reason="asked", key=make_key(shop.ada))
    ids = {"into_id": card.card_id, "from_id": other.card_id}
    merging.merge(actor=shop.ada, **ids, reason="one person", key=make_key(shop.ada))
    told_of = [(row["card_id"], row["transaction_type"]) for row in data("transaction.created")]
    mine = [kind for card_id, kind in told_of if card_id == str(card.card_id)]
    theirs = [kind for card_id, kind in told_of if card_id == str(other.card_id)]
    assert mine == ["card_deactivated", "card_reactivated", "stamp_adjustment"]
    assert theirs == ["stamp_adjustment", "card_deactivated"]
    (ready,) = data("reward.ready")
    assert (ready["card_id"], ready["stamps_rewards_available"]) == (str(card.card_id), 1)


def test_it_names_a_replaced_card_by_its_id_and_its_new_number(shop: Shop) -> None:
    card = make_card(shop)
    listen(shop)
    replacements.replace(actor=shop.ada, card=card.ref, reason="Lost", key=make_key(shop.ada))
    assert told() == []
    stamp(shop, card)
    (row,) = data("transaction.created")
    assert row["card_id"] == str(card.card_id)
    assert row["card_number"] != card.card_number


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
    # Noted one by one, at once: their ids may be of the same millisecond.
    assert sorted((body["type"], body["occurred_at"]) for body in told()) == [
        ("card.installed", "2027-01-01T00:00:00Z"),
        ("card.removed", "2027-01-01T00:00:00Z"),
        ("customer.erased", "2027-01-01T00:00:00Z"),
        ("points.expiring", "2027-01-01T00:00:00Z"),
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

        def note(*given: Any) -> None:  # as SQLAlchemy calls it
            sent.append(given[2])

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
