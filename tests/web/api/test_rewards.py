"""Rewards as JSON: their ids stay, and none is ever deleted."""

from typing import Any

import pytest
from flask import Flask

from loyalty.domain.values import Scope
from tests import factories
from tests.factories import Shop
from tests.web.api.callers import Caller, make_api_key
from tests.web.test_queries import counted

REWARDS = "/vendor/loyalty/rewards"
CAKE = {"name": "Cake", "points_required": 100}
KEY = "5f0f6a6e-2f0e-4a87-9b5e-3f8f6d4d1c11"
MOST = 9


def make(caller: Caller, **more: object) -> dict[str, Any]:
    answer = caller.post(REWARDS, CAKE | more)
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})


def listed(caller: Caller) -> list[dict[str, Any]]:
    return list((caller.get(REWARDS).json or {})["items"])


def test_it_makes_a_reward(manager: Caller, reader: Caller) -> None:
    names = {"fr": "Gâteau", "lb": "Kuch"}
    made = make(manager, value_cents=250, description="Fresh", names=names)
    reward_id = made["reward_id"]
    assert made == {
        "reward_id": reward_id,
        "name": "Cake",
        "points_required": 100,
        "value_cents": 250,
        "description": "Fresh",
        "active": True,
        "names": names,
    }
    assert reader.get(f"{REWARDS}/{reward_id}").json == made
    assert listed(reader) == [made]


def test_it_changes_what_was_sent_and_nothing_else(manager: Caller) -> None:
    made = make(manager, value_cents=250, names={"fr": "Gâteau", "de": "Kuchen"})
    changed = {"points_required": 120, "value_cents": None, "names": {"fr": "", "lb": "Kuch"}}
    said = manager.send("PATCH", f"{REWARDS}/{made['reward_id']}", changed).json or {}
    assert said == made | {"points_required": 120, "value_cents": None, "names": {"de": "Kuchen", "lb": "Kuch"}}
    assert listed(manager) == [said]


def test_it_takes_a_reward_off_the_offer_and_back(app: Flask, bakery: Shop, manager: Caller, till: Caller) -> None:
    with app.app_context():
        card = factories.make_card(bakery, points=500)
    path = f"{REWARDS}/{make(manager)['reward_id']}"
    buy = {"card_id": str(card.card_id), "reward_id": path.rpartition("/")[2]}
    assert till.post("/vendor/loyalty/points/redeem", buy).status_code == 200
    removed = manager.send("DELETE", path)
    assert (removed.status_code, (removed.json or {})["active"]) == (200, False)
    assert (till.post("/vendor/loyalty/points/redeem", buy).json or {})["code"] == "INVALID_REWARD"
    assert listed(manager) == [removed.json] == [manager.get(path).json]
    assert manager.send("DELETE", path).status_code == 200
    assert (manager.post(f"{path}/reactivate").json or {})["active"] is True
    assert till.post("/vendor/loyalty/points/redeem", buy).status_code == 200


def test_it_keeps_the_history_as_it_was(app: Flask, bakery: Shop, manager: Caller, till: Caller) -> None:
    with app.app_context():
        card = factories.make_card(bakery, points=500)
    reward_id = make(manager)["reward_id"]
    till.post("/vendor/loyalty/points/redeem", {"card_id": str(card.card_id), "reward_id": reward_id})
    manager.send("PATCH", f"{REWARDS}/{reward_id}", {"name": "Tart", "points_required": 300})
    rows = manager.get("/vendor/loyalty/transactions", type="points_redeemed").json or {}
    (row,) = rows["items"]
    assert (row["reward_id"], row["reward_description"], row["points_delta"]) == (reward_id, "Cake", -100)


def test_it_lists_those_on_offer_first(manager: Caller) -> None:
    first, second, third = (make(manager, name=name)["reward_id"] for name in ("One", "Two", "Three"))
    manager.send("DELETE", f"{REWARDS}/{first}")
    assert [reward["reward_id"] for reward in listed(manager)] == [second, third, first]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": None}, "name"),
        ({"points_required": 0}, "points_required"),
        ({"points_required": "100"}, "points_required"),
        ({"points_required": 1_000_001}, "points_required"),
        ({"value_cents": -1}, "value_cents"),
        ({"description": "a\x00"}, "description"),
        ({"names": {"xx": "Cake"}}, "names.xx"),
        ({"names": {"fr": None}}, "names.fr"),
        ({"names": {"fr": "a\nb"}}, "names.fr"),
        ({"active": False}, "active"),
        ({"reward_id": "rw-1"}, "reward_id"),
    ],
)
def test_it_refuses_what_no_reward_can_be(manager: Caller, sent: dict[str, object], field: str) -> None:
    path = f"{REWARDS}/{make(manager)['reward_id']}"
    before = listed(manager)
    for answer in (manager.post(REWARDS, CAKE | sent), manager.send("PATCH", path, sent)):
        assert (answer.status_code, list((answer.json or {})["errors"])) == (422, [field])
    assert listed(manager) == before


def test_it_asks_for_name_and_price(manager: Caller) -> None:
    answer = manager.post(REWARDS, {})
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["name", "points_required"])


def test_it_makes_one_for_each_key(manager: Caller) -> None:
    first = manager.post(REWARDS, CAKE, key=KEY)
    manager.send("PATCH", f"{REWARDS}/{(first.json or {})['reward_id']}", {"name": "Tart"})
    again = manager.post(REWARDS, CAKE, key=KEY)
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(listed(manager)) == 1


def test_it_knows_no_reward_next_door(app: Flask, bakery: Shop, manager: Caller) -> None:
    with app.app_context():
        meat_shop = factories.make_shop("meat")
        foreign = factories.make_reward(meat_shop, "Ham", 50)
        meat = Caller(app, make_api_key(meat_shop, Scope.MANAGE))
    before = listed(meat)
    for reward_id in (foreign, "rw-nothing", "%20"):
        path = f"{REWARDS}/{reward_id}"
        for answer in (
            manager.get(path),
            manager.send("PATCH", path, {"name": "Mine"}),
            manager.send("DELETE", path),
            manager.post(f"{path}/reactivate"),
        ):
            assert (answer.status_code, (answer.json or {})["code"]) == (404, "NOT_FOUND")
    assert (listed(meat), listed(manager)) == (before, [])


def test_it_lets_a_till_change_nothing(till: Caller, reader: Caller, manager: Caller) -> None:
    path = f"{REWARDS}/{make(manager)['reward_id']}"
    before = listed(manager)
    for caller in (till, reader):
        assert caller.get(path).status_code == 200
        for method, address in (("POST", REWARDS), ("PATCH", path), ("DELETE", path), ("POST", f"{path}/reactivate")):
            body = CAKE if address == REWARDS else {}
            assert caller.send(method, address, body).status_code == 403
    assert listed(manager) == before


def test_it_asks_the_database_a_few_times_however_many_there_are(app: Flask, manager: Caller, bakery: Shop) -> None:
    with app.app_context():
        for number in range(12):
            factories.make_reward(bakery, f"Reward {number}", 10 + number)
    assert len(listed(manager)) == 12
    with counted(app) as sent:
        listed(manager)
    assert len(sent) <= 2, "\n".join(sent)
    with counted(app) as sent:
        make(manager)
    assert len(sent) <= MOST + 2, "\n".join(sent)
