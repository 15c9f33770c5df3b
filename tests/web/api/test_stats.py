"""Statistics as JSON: of one's own shop only, for keys that manage, and of the platform for its own."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.values import Scope
from loyalty.services import points, stats_rollup
from tests import factories
from tests.factories import Shop
from tests.web.api.callers import Caller, make_api_key, make_platform_key

PATHS = ["/stats", "/analytics/cohorts", "/analytics/churn", "/analytics/revenue"]
LOYALTY = "/vendor/loyalty"


def sell(app: Flask, shop: Shop, cents: int) -> None:
    """Sell something to a new customer, and count it."""
    with app.app_context():
        card = factories.make_card(shop)
        points.earn(actor=shop.ben, card=card.ref, purchase_amount_cents=cents, key=factories.make_key(shop.ben))
        stats_rollup.roll_up(at=datetime.now(UTC))


def ask(caller: Caller, path: str, **query: Any) -> dict[str, Any]:
    answer = caller.get(f"{LOYALTY}{path}", **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def test_it_sums_up_the_last_days(app: Flask, bakery: Shop, manager: Caller) -> None:
    sell(app, bakery, 1250)
    seen = ask(manager, "/stats")
    assert (seen["members"], seen["active_30_days"], seen["new_this_month"], seen["currency"]) == (1, 1, 1, "EUR")
    assert (seen["totals"]["revenue_cents"], seen["totals"]["points_earned"], seen["totals"]["visits"]) == (
        1250,
        125,
        1,
    )
    assert seen["before"]["visits"] == 0
    assert len(seen["days"]) == 30
    assert sum(day["visits"] for day in seen["days"]) == 1
    assert [(store["code"], store["members"], store["visits"]) for store in seen["stores"]] == [("main", 1, 1)]
    assert [len(hours) for hours in seen["hours"]] == [24] * 7
    assert seen["funnel"] == {"joined": 1, "in_wallet": 0, "second_visit": 0, "first_reward": 0}
    assert (seen["outstanding_points"], seen["points_value_cents"]) == (125, None)


def test_it_shows_the_days_that_are_asked_for(manager: Caller) -> None:
    seen = ask(manager, "/stats", from_date="2026-03-01", to_date="2026-03-09")
    assert [day["day"] for day in seen["days"]] == [f"2026-03-0{number}" for number in range(1, 10)]
    assert (seen["from_date"], seen["to_date"]) == ("2026-03-01", "2026-03-09")


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/stats", {"from_date": "2026-03-02", "to_date": "2026-03-01"}, "from_date"),
        ("/stats", {"from_date": "2020-01-01"}, "from_date"),
        ("/stats", {"to_date": "1999-12-31"}, "to_date"),
        ("/stats", {"to_date": "yesterday"}, "to_date"),
        ("/stats", {"store_code": "mars"}, "store_code"),
        ("/stats", {"day": "2026-03-01"}, "day"),
        ("/analytics/cohorts", {"months": 25}, "months"),
        ("/analytics/revenue", {"months": "x"}, "months"),
        ("/analytics/churn", {"limit": 0}, "limit"),
    ],
)
def test_it_names_what_is_wrong_with_a_question(manager: Caller, path: str, query: dict[str, Any], field: str) -> None:
    answer = manager.get(f"{LOYALTY}{path}", **query)
    assert answer.status_code == 422
    assert list((answer.json or {})["errors"]) == [field]


def test_it_follows_cohorts_churn_and_revenue(app: Flask, bakery: Shop, manager: Caller) -> None:
    sell(app, bakery, 1250)
    cohorts = ask(manager, "/analytics/cohorts", months=2)["cohorts"]
    assert [(row["joined"], row["visited"]) for row in cohorts] == [(0, [0, 0]), (1, [1])]
    assert len(ask(manager, "/analytics/cohorts")["cohorts"]) == 6
    churn = ask(manager, "/analytics/churn")
    assert (churn["members"], churn["at_risk"], churn["cards"]) == (1, 0, [])
    revenue = ask(manager, "/analytics/revenue", months=1, store_code="main")
    assert revenue["months"][0]["revenue_cents"] == 1250
    assert [store["code"] for store in revenue["months"][0]["stores"]] == ["main"]


def test_it_lists_who_stays_away(app: Flask, bakery: Shop, manager: Caller) -> None:
    # Joined long ago, and never seen.
    with app.app_context():
        card = factories.make_card(bakery)
        stats_rollup.roll_up(at=datetime.now(UTC))
        with transaction():
            db.session.execute(sa.text("UPDATE card_stats SET joined_day = '2026-01-05'"))
    (quiet,) = ask(manager, "/analytics/churn")["cards"]
    assert (quiet["card_number"], quiet["visits"], quiet["every_days"]) == (card.card_number, 0, None)


@pytest.mark.parametrize("path", PATHS)
def test_it_answers_keys_that_manage_only(app: Flask, bakery: Shop, path: str) -> None:
    with app.app_context():
        keys = [make_api_key(bakery, scope) for scope in (Scope.READ, Scope.TILL)] + [make_platform_key()]
    for key in keys:
        assert Caller(app, key).get(f"{LOYALTY}{path}").status_code == 403
    assert Caller(app, None).get(f"{LOYALTY}{path}").status_code == 401


def test_it_shows_nothing_of_the_shop_next_door(app: Flask, manager: Caller) -> None:
    with app.app_context():
        next_door = factories.make_shop("mallory", loyalty_type="hybrid")
        factories.make_store(next_door, "market")
    sell(app, next_door, 500)
    seen = ask(manager, "/stats")
    assert (seen["members"], seen["totals"]["visits"], seen["stores"][0]["visits"]) == (0, 0, 0)
    assert ask(manager, "/analytics/churn")["members"] == 0
    assert manager.get(f"{LOYALTY}/stats", store_code="market").status_code == 422


def test_it_adds_up_the_platform_for_its_own_keys(app: Flask, bakery: Shop, manager: Caller) -> None:
    sell(app, bakery, 1250)
    with app.app_context():
        platform = Caller(app, make_platform_key())
    answer = platform.get("/admin/loyalty/stats")
    assert answer.status_code == 200, answer.text
    seen = answer.json or {}
    assert (seen["vendors"], seen["members"], seen["totals"]["visits"]) == (1, 1, 1)
    assert [(each["currency"], each["revenue_cents"]) for each in seen["money"]] == [("EUR", 1250)]
    refused = platform.get("/admin/loyalty/stats", from_date="2020-01-01")
    assert list((refused.json or {})["errors"]) == ["from_date"]
    assert manager.get("/admin/loyalty/stats").status_code == 403
