"""Rows of the ledger as JSON: listed, and taken back one by one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from loyalty.database import db, transaction
from loyalty.models.vendors import Store, Vendor
from loyalty.services import stamps
from tests import factories
from tests.factories import Card, Shop
from tests.web.api.callers import Caller, walk
from tests.web.test_queries import counted

LOYALTY = "/vendor/loyalty"


def void(caller: Caller, transaction_id: object, **more: object) -> dict[str, Any]:
    answer = caller.post(f"{LOYALTY}/transactions/{transaction_id}/void", {"reason": "Wrong card", **more})
    return dict(answer.json or {})


def test_it_takes_back_whatever_it_was(app: Flask, bakery: Shop, till: Caller) -> None:
    with app.app_context():
        card = factories.make_card(bakery, stamps=10, points=100)
        reward_id = factories.make_reward(bakery, "Cake", 100)
    body = {"card_id": str(card.card_id)}
    for path, more, balances in (
        ("stamps", {"quantity": 2}, (10, 100)),
        ("points/earn", {"purchase_amount_cents": 100}, (10, 100)),
        ("stamps/redeem", {}, (10, 100)),
        ("points/redeem", {"reward_id": reward_id}, (10, 100)),
    ):
        done = till.post(f"{LOYALTY}/{path}", body | more).json or {}
        said = void(till, done["transaction_id"])
        assert (said["stamp_count"], said["points_balance"]) == balances, path
        assert (said["success"], said["shortfall"]) == (True, 0)
        assert void(till, done["transaction_id"])["code"] == "ALREADY_VOIDED"


def test_it_knows_no_row_next_door(app: Flask, till: Caller) -> None:
    with app.app_context():
        meat = factories.make_shop("meat", cooldown_minutes=0, policy={"staff_pin_policy": "disabled"})
        card: Card = factories.make_card(meat)
        row = stamp_of(meat, card)
    assert void(till, row)["code"] == "TRANSACTION_NOT_FOUND"
    assert void(till, "0199f1c2-7d1e-7cc3-98c4-dc0c0c07398f")["code"] == "TRANSACTION_NOT_FOUND"


def test_it_takes_back_no_beginning(app: Flask, manager: Caller, card: Card) -> None:
    adjusted = manager.post(
        f"{LOYALTY}/stamps/adjust", {"card_id": str(card.card_id), "stamps_delta": 2, "reason": "Paper card"}
    )
    assert void(manager, (adjusted.json or {})["transaction_id"])["code"] == "VOID_NOT_ALLOWED"


def stamp_of(shop: Shop, card: Card) -> object:
    return stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=factories.make_key(shop.ben)).transaction_id


ALL = f"{LOYALTY}/transactions"


def of(card: Card) -> str:
    return f"{LOYALTY}/cards/{card.card_id}/transactions"


def stamp(caller: Caller, card: Card, **more: object) -> str:
    answer = caller.post(f"{LOYALTY}/stamps", {"card_id": str(card.card_id), **more})
    return str((answer.json or {})["transaction_id"])


def kinds(rows: list[dict[str, Any]]) -> list[str]:
    return [row["transaction_type"] for row in rows]


def test_it_lists_what_happened(till: Caller, reader: Caller, card: Card, bakery: Shop) -> None:
    body = {"card_id": str(card.card_id), "purchase_amount_cents": 1250, "order_reference": "R-1", "notes": "Cake"}
    earned = till.post(f"{LOYALTY}/points/earn", body).json or {}
    void(till, earned["transaction_id"])
    voided, row, created = walk(reader, ALL)
    assert kinds([voided, row, created]) == ["points_voided", "points_earned", "card_created"]
    assert voided["related_transaction_id"] == row["transaction_id"] == earned["transaction_id"]
    assert (row["points_delta"], row["points_balance_after"], row["stamps_delta"]) == (125, 125, 0)
    assert (row["purchase_amount_cents"], row["order_reference"], row["notes"]) == (1250, "R-1", "Cake")
    assert (row["card_id"], row["card_number"], row["seq"]) == (str(card.card_id), card.card_number, 2)
    assert (row["store_id"], row["store_code"]) == (str(bakery.store_id), "main")
    assert (row["voided"], voided["voided"], created["voided"]) == (True, False, False)
    assert (row["terminal_id"], row["user_id"], row["staff_name"]) == (None, None, None)
    assert UUID(row["api_key_id"])
    assert (created["staff_name"], created["terminal_id"]) == ("Ben", str(bakery.terminal_id))
    assert row["transaction_at"].endswith("Z")
    assert walk(reader, of(card)) == [voided, row, created]


def test_it_shows_every_row_once_while_others_come(
    app: Flask, bakery: Shop, till: Caller, reader: Caller, card: Card
) -> None:
    with app.app_context():
        other = factories.make_card(bakery)
    for number in range(4):
        stamp(till, (card, other)[number % 2])
    for path, count in ((ALL, 6), (of(card), 9)):
        before = [row["transaction_id"] for row in walk(reader, path)]
        assert len(before) == count
        assert list(turned(till, reader, path, card)) == before


def turned(till: Caller, reader: Caller, path: str, card: Card) -> Iterator[str]:
    """Turn page after page, and stamp a card at each."""
    cursor = None
    while True:
        page = reader.get(path, limit=1, **({"cursor": cursor} if cursor else {})).json or {}
        yield from (row["transaction_id"] for row in page["items"])
        cursor = page["next_cursor"]
        stamp(till, card)
        if cursor is None:
            return


def test_it_takes_no_cursor_of_another_card(app: Flask, bakery: Shop, till: Caller, reader: Caller, card: Card) -> None:
    with app.app_context():
        other = factories.make_card(bakery)
    stamp(till, card)
    cursor = (reader.get(of(card), limit=1).json or {})["next_cursor"]
    answer = reader.get(of(other), cursor=cursor)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["cursor"])


def test_it_filters(app: Flask, bakery: Shop, till: Caller, reader: Caller, card: Card) -> None:
    with app.app_context():
        station = factories.make_store(bakery, "station")
        other = factories.make_card(bakery)
    here = stamp(till, card, store_code="main")
    away = stamp(till, other, store_code="station")
    with app.app_context(), transaction():
        # What happened at a store that is closed by now is still there.
        db.session.get_one(Store, station).active = False
    assert [row["transaction_id"] for row in walk(reader, ALL, type="stamp_earned")] == [away, here]
    assert [row["transaction_id"] for row in walk(reader, ALL, store_code="station")] == [away]
    assert kinds(walk(reader, ALL, card_id=card.card_id)) == ["stamp_earned", "card_created"]
    assert [row["transaction_id"] for row in walk(reader, ALL, type="stamp_earned", store_code="main")] == [here]
    assert walk(reader, ALL, type="stamp_earned", card_id=str(card.card_id), store_code="station") == []


def test_it_filters_by_time_and_by_the_days_of_the_shop(
    app: Flask, bakery: Shop, till: Caller, reader: Caller, card: Card
) -> None:
    with app.app_context(), transaction():
        db.session.get_one(Vendor, bakery.vendor_id).timezone = "Pacific/Kiritimati"
    rows = walk(reader, ALL)
    stamp(till, card)
    row, created = walk(reader, ALL)
    assert [created] == rows
    at, day = row["transaction_at"], row["local_day"]
    assert walk(reader, ALL, **{"from": at}) == [row]
    assert walk(reader, ALL, to=at) == [created]
    assert walk(reader, ALL, **{"from": at, "to": at}) == []
    assert row in walk(reader, ALL, **{"from": day, "to": day})
    moment = datetime.fromisoformat(at)
    elsewhere = (moment + timedelta(microseconds=1)).astimezone().isoformat()
    assert walk(reader, ALL, **{"from": elsewhere}) == []
    following = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    assert walk(reader, ALL, **{"from": following}) == []
    assert row not in walk(reader, ALL, to=(datetime.fromisoformat(day) - timedelta(days=1)).date().isoformat())
    assert moment.tzinfo == UTC


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"type": "stamps"}, "type"),
        ({"store_code": "moon"}, "store_code"),
        ({"card_id": "5"}, "card_id"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-11-20T10:00:00"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"to": "9999-12-31T23:59:59-14:00"}, "to"),
        ({"to": "2026-02-30"}, "to"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"page": "2"}, "page"),
    ],
)
def test_it_refuses_what_it_cannot_filter_by(reader: Caller, query: dict[str, str], field: str) -> None:
    answer = reader.get(ALL, **query)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, [field])


def test_it_lists_nothing_of_the_shop_next_door(app: Flask, reader: Caller, card: Card) -> None:
    with app.app_context():
        meat = factories.make_shop("meat")
        foreign = factories.make_card(meat, stamps=5)
        factories.make_store(meat, "grill")
    assert len(walk(reader, ALL)) == 1
    assert walk(reader, ALL, card_id=foreign.card_id) == []
    assert reader.get(ALL, store_code="grill").status_code == 422
    answer = reader.get(of(foreign))
    assert (answer.status_code, (answer.json or {})["code"]) == (404, "CARD_NOT_FOUND")


def test_it_asks_the_database_a_few_times_however_many_there_are(
    app: Flask, bakery: Shop, till: Caller, reader: Caller, card: Card
) -> None:
    for _ in range(12):
        stamp(till, card)
    assert len(walk(reader, ALL)) == 13
    with counted(app) as sent:
        reader.get(ALL, limit=10, store_code="main", **{"from": "2026-01-01", "to": "2999-01-01"})
    assert len(sent) <= 5, "\n".join(sent)
    with counted(app) as sent:
        reader.get(of(card), limit=10)
    assert len(sent) <= 3, "\n".join(sent)
