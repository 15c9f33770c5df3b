"""Cards as JSON: made by staff, listed, found, closed and opened again."""

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db
from loyalty.domain.values import Scope
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.transactions import LoyaltyTransaction, TransactionDetail
from loyalty.services import pins
from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import Caller, make_api_key, walk
from tests.web.api.card_paths import CARDS, NOBODY
from tests.web.test_queries import counted

KEY = "5f0f6a6e-2f0e-4a87-9b5e-3f8f6d4d1c11"


def test_it_makes_a_card(app: Flask, bakery: Shop, till: Caller) -> None:
    with app.app_context():
        factories.change_program(bakery, welcome_stamps=2, welcome_bonus_points=50)
    person = {"email": " Cleo@Example.org", "phone": "621 123 456", "name": "Cleo Martin", "birth_date": "1990-03-24"}
    answer = till.post(CARDS, {**person, "locale": "fr", "marketing_consent": True})
    made = answer.json or {}
    assert (answer.status_code, made["created"], made["stamp_count"], made["points_balance"]) == (201, True, 2, 50)
    assert (made["apple_pass_url"], made["google_save_url"]) == (None, None)
    card = till.get(f"{CARDS}/{made['card_id']}").json or {}
    assert {name: card[name] for name in ("card_number", "scan_code", "card_url")} == {
        name: made[name] for name in ("card_number", "scan_code", "card_url")
    }
    assert card["customer"] == {
        "customer_id": card["customer"]["customer_id"],
        "name": "Cleo Martin",
        "email": "cleo@example.org",
        "phone": "+352621123456",
        "birth_date": "1990-03-24",
        "locale": "fr",
        "marketing_consent": True,
    }
    assert (card["enrolled_at_store_id"], card["is_active"]) == (str(bakery.store_id), True)


def test_it_makes_a_card_for_somebody_without_any_address(till: Caller) -> None:
    made = till.post(CARDS, {}).json or {}
    card = till.get(f"{CARDS}/{made['card_id']}").json or {}
    assert (card["customer"]["email"], card["customer"]["phone"], card["customer"]["name"]) == (None, None, None)


def test_it_finds_the_card_of_whom_it_knows(app: Flask, bakery: Shop, till: Caller) -> None:
    with app.app_context():
        card = factories.make_card(bakery, stamps=3, points=20, email="cleo@example.org", phone="+352621123456")
    for address in ({"email": "CLEO@example.org"}, {"phone": "+352 621 123 456"}):
        answer = till.post(CARDS, address)
        said = answer.json or {}
        assert (answer.status_code, said["created"], said["card_id"]) == (200, False, str(card.card_id))
        assert (said["stamp_count"], said["points_balance"]) == (3, 20)


def test_it_makes_one_for_each_key(app: Flask, till: Caller) -> None:
    body = {"email": "cleo@example.org"}
    first = till.post(CARDS, body, key=KEY)
    till.post("/vendor/loyalty/stamps", {"card_id": (first.json or {})["card_id"]})
    again = till.post(CARDS, body, key=KEY)
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert till.post(CARDS, {}, key=KEY).status_code == 422
    assert len(walk(till, CARDS)) == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"email": "cleo"}, "email"),
        ({"phone": "1"}, "phone"),
        ({"name": "a\u202eb"}, "name"),
        ({"birth_date": "1990-02-30"}, "birth_date"),
        ({"locale": "xx"}, "locale"),
        ({"accept_terms": False}, "accept_terms"),
        ({"store_code": "moon"}, "store_code"),
        ({"stamp_count": 9}, "stamp_count"),
    ],
)
def test_it_says_what_is_wrong_with_a_customer(till: Caller, sent: dict[str, object], field: str) -> None:
    answer = till.post(CARDS, sent)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, [field])
    assert walk(till, CARDS) == []


def test_it_says_who_made_a_card(app: Flask, bakery: Shop, till: Caller) -> None:
    with app.app_context():
        made = pins.create(
            actor=bakery.ada, name="Zoe", role="staff", store_id=None, key=factories.make_key(bakery.ada)
        )
    refused = till.post(CARDS, {"staff_pin": "0000"})
    assert (refused.status_code, (refused.json or {})["code"]) == (403, "STAFF_PIN_INVALID")
    assert till.post(CARDS, {"staff_pin": made.pin}).status_code == 201
    assert till.post(CARDS, {"name": "Nobody's"}).status_code == 201
    with app.app_context():
        query = sa.select(LoyaltyTransaction.staff_pin_id).order_by(LoyaltyTransaction.transaction_at)
        assert list(db.session.scalars(query)) == [made.staff_pin_id, None]


def test_it_makes_cards_only_while_the_program_runs(app: Flask, bakery: Shop, till: Caller, reader: Caller) -> None:
    with app.app_context():
        # What customers may not do alone, staff still do.
        factories.change_policy(bakery, allow_self_enrollment=False)
    assert till.post(CARDS, {}).status_code == 201
    assert reader.post(CARDS, {}).status_code == 403
    with app.app_context():
        factories.change_program(bakery, is_active=False)
    assert (till.post(CARDS, {}).json or {})["code"] == "PROGRAM_INACTIVE"


def test_it_shows_a_card(app: Flask, bakery: Shop, reader: Caller) -> None:
    with app.app_context():
        card = factories.make_card(bakery, stamps=7, points=640, name="Cleo Martin")
    said = reader.get(f"{CARDS}/{card.card_id}").json or {}
    assert (said["stamp_count"], said["points_balance"], said["stamps_redeemed"]) == (7, 640, 0)
    assert (said["card_number"], said["scan_code"]) == (card.card_number, card.scan_code)
    assert said["card_url"].endswith(f"/card/{card.public_token}")
    assert (said["customer"]["name"], said["customer"]["customer_id"]) == ("Cleo Martin", str(card.customer_id))
    assert (said["last_redemption_at"], said["created_at"][-1]) == (None, "Z")


def test_it_closes_a_card_and_opens_it(app: Flask, manager: Caller, till: Caller, card: Card, bakery: Shop) -> None:
    path = f"{CARDS}/{card.card_id}"
    closed = manager.post(f"{path}/deactivate", {"reason": "Lost"}, key=KEY)
    said = closed.json or {}
    assert (said["is_active"], said["card_number"], said["store_id"]) == (False, card.card_number, str(bakery.store_id))
    assert manager.post(f"{path}/deactivate", {"reason": "Lost"}, key=KEY).data == closed.data
    assert (manager.post(f"{path}/deactivate", {"reason": "Again"}).json or {})["transaction_id"] is None
    stamp = {"card_id": str(card.card_id)}
    assert (till.post("/vendor/loyalty/stamps", stamp).json or {})["code"] == "CARD_INACTIVE"
    assert (manager.post(f"{path}/reactivate", {"reason": "Found"}).json or {})["is_active"] is True
    assert till.post("/vendor/loyalty/stamps", stamp).status_code == 200
    with app.app_context():
        query = sa.select(LoyaltyTransaction.transaction_type, TransactionDetail.notes)
        query = query.join(TransactionDetail, TransactionDetail.transaction_id == LoyaltyTransaction.id)
        rows = [tuple(row) for row in db.session.execute(query.order_by(LoyaltyTransaction.seq))]
    assert ("card_deactivated", "Lost") in rows
    assert ("card_reactivated", "Found") in rows


@pytest.mark.parametrize("name", ["deactivate", "reactivate"])
def test_it_lets_only_managers_close_cards(
    app: Flask, bakery: Shop, till: Caller, reader: Caller, card: Card, name: str
) -> None:
    path = f"{CARDS}/{card.card_id}/{name}"
    assert reader.post(path, {"reason": "Lost"}).status_code == 403
    assert till.post(path, {"reason": "Lost"}).status_code == 403
    with app.app_context():
        factories.change_policy(bakery, staff_pin_policy="required")
    answer = till.post(path, {"reason": "Lost"})
    assert (answer.status_code, (answer.json or {})["role"]) == (422, "manager")
    assert (reader.get(f"{CARDS}/{card.card_id}").json or {})["is_active"] is True


@pytest.mark.parametrize("sent", [{}, {"reason": ""}, {"reason": "  "}, {"reason": None}])
def test_it_asks_why_a_card_is_closed(manager: Caller, card: Card, sent: dict[str, object]) -> None:
    answer = manager.post(f"{CARDS}/{card.card_id}/deactivate", sent)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["reason"])


def test_it_knows_no_card_next_door(app: Flask, bakery: Shop, manager: Caller) -> None:
    with app.app_context():
        foreign = factories.make_card(
            factories.make_shop("meat"), email="mallory@example.org", phone="+352621123456", name="Mallory"
        )
    path = f"{CARDS}/{foreign.card_id}"
    answers = [
        manager.get(path),
        manager.get(f"{path}/transactions"),
        manager.post(f"{path}/deactivate", {"reason": "Mine"}),
        manager.post(f"{path}/reactivate", {"reason": "Mine"}),
        manager.get(f"{CARDS}/{NOBODY}"),
        *(
            manager.post(f"{CARDS}/lookup", named)
            for named in (
                {"card_number": foreign.card_number},
                {"scan_code": foreign.scan_code},
                {"email": "mallory@example.org"},
                {"phone": "+352621123456"},
            )
        ),
    ]
    assert {(answer.status_code, (answer.json or {})["code"]) for answer in answers} == {(404, "CARD_NOT_FOUND")}
    # Who is a customer there is a stranger here.
    assert manager.post(CARDS, {"email": "mallory@example.org"}).status_code == 201
    with app.app_context():
        people = db.session.scalars(sa.select(Customer.vendor_id).where(Customer.email == "mallory@example.org"))
        assert len(set(people)) == 2


def test_it_asks_the_database_a_few_times_however_many_there_are(app: Flask, bakery: Shop, reader: Caller) -> None:
    with app.app_context():
        cards = [factories.make_card(bakery, stamps=2) for _ in range(12)]
    assert len(walk(reader, CARDS)) == 12
    with counted(app) as sent:
        reader.get(CARDS, limit=10, search="cleo")
    assert len(sent) <= 3, "\n".join(sent)
    with counted(app) as sent:
        reader.get(f"{CARDS}/{cards[0].card_id}")
    assert len(sent) <= 2, "\n".join(sent)
    with counted(app) as sent:
        reader.post(f"{CARDS}/lookup", {"phone": "+352621123456"})
    assert len(sent) <= 3, "\n".join(sent)


def test_it_writes_nothing_for_a_key_that_reads(app: Flask, bakery: Shop, card: Card) -> None:
    with app.app_context():
        caller = Caller(app, make_api_key(bakery, Scope.READ))
    caller.get(f"{CARDS}/{card.card_id}")
    with app.app_context():
        assert db.session.get_one(LoyaltyCard, card.card_id).apple_serial_number is None
