"""Giving rewards at the till."""

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain import bounds
from loyalty.models.programs import Reward
from loyalty.services import points
from tests.counter import Counter, hidden, screen_of, title_of
from tests.factories import Card, Shop, change_program, make_card, make_key, make_reward


@pytest.fixture
def full(app: Flask, bakery: Shop) -> Card:
    """A full card."""
    with app.app_context():
        return make_card(bakery, stamps=12)


def test_it_names_the_reward_and_its_price_before_it_is_given(till: Counter, full: Card) -> None:
    card = till.get(f"/terminal/cards/{full.card_id}")
    assert f"/terminal/cards/{full.card_id}/redemptions/new" in card.text
    asked = till.as_htmx().get(f"/terminal/cards/{full.card_id}/redemptions/new")
    assert title_of(asked) == "Give 1 free coffee?"
    assert "10 stamps will be used." in asked.text


def test_it_offers_a_reward_only_when_it_is_earned(till: Counter, cleo: Card) -> None:
    assert "redemptions/new" not in till.get(f"/terminal/cards/{cleo.card_id}").text


def test_it_gives_the_reward_and_keeps_the_surplus(till: Counter, full: Card) -> None:
    answer = till.as_htmx().post(f"/terminal/cards/{full.card_id}/redemptions")
    assert answer.status_code == 200
    assert title_of(answer) == "Reward given. 2 of 10"
    assert '"kind": "given"' in answer.headers["HX-Trigger-After-Swap"]


def test_it_gives_the_reward_without_htmx(till: Counter, full: Card) -> None:
    answer = till.post(f"/terminal/cards/{full.card_id}/redemptions")
    assert answer.status_code == 303
    assert title_of(till.get(answer.location)) == "Reward given. 2 of 10"


def test_it_gives_one_reward_for_two_taps(till: Counter, full: Card) -> None:
    path = f"/terminal/cards/{full.card_id}/redemptions"
    titles = [title_of(till.as_htmx().post(path, key="one-form-two-taps")) for _ in range(2)]
    assert titles == ["Reward given. 2 of 10"] * 2


def test_it_refuses_a_card_that_is_not_full(till: Counter, cleo: Card) -> None:
    answer = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/redemptions")
    assert answer.status_code == 409
    assert screen_of(answer) == "card"
    assert "3 of the 10 stamps" in answer.text


def test_it_sells_a_reward_for_points(app: Flask, till: Counter, bakery: Shop) -> None:
    with app.app_context():
        change_program(bakery, loyalty_type="points")
        cake, feast = make_reward(bakery, "Cake", 100), make_reward(bakery, "Feast", 900)
        card = make_card(bakery, points=150)
    page = till.get(f"/terminal/cards/{card.card_id}")
    assert "Redeem: Cake (100 points)" in page.text
    assert "Redeem: Feast" not in page.text
    asked = till.get(f"/terminal/cards/{card.card_id}/redemptions/new?reward_id={cake}")
    assert "100 points will be used." in asked.text
    answer = till.as_htmx().post(f"/terminal/cards/{card.card_id}/redemptions", reward_id=cake)
    assert title_of(answer) == "Reward given: Cake"
    assert "50 points left" in answer.text
    refused = till.as_htmx().post(f"/terminal/cards/{card.card_id}/redemptions", reward_id=feast)
    assert refused.status_code == 409


def test_it_takes_no_other_price_than_the_screen_has_said(app: Flask, till: Counter, bakery: Shop, full: Card) -> None:
    with app.app_context():
        change_program(bakery, loyalty_type="hybrid")
        cake = make_reward(bakery, "Cake", 1_000_000)
        rich = make_card(bakery)
        points.earn(actor=bakery.ben, card=rich.ref, purchase_amount_cents=bounds.PURCHASE, key=make_key(bakery.ben))
    for card, query, target, price in ((full, "", 12, 1_000_000), (rich, f"?reward_id={cake}", 12, 999_999)):
        path = f"/terminal/cards/{card.card_id}/redemptions"
        asked = till.get(f"{path}/new{query}")
        sent = {"cost": hidden(asked, "cost"), "reward_id": cake if query else ""}
        with app.app_context(), transaction():
            change_program(bakery, stamps_target=target)
            db.session.execute(sa.update(Reward).values(points_required=price))
        refused = till.as_htmx().post(path, **sent)
        assert refused.status_code == 422
        assert "This reward costs something else now." in refused.text
        anew = till.get(f"{path}/new{query}")
        given = till.as_htmx().post(path, **{**sent, "cost": hidden(anew, "cost")})
        assert given.status_code == 200
        assert title_of(given).startswith("Reward given")


@pytest.mark.parametrize("reward_id", ["nothing", "x" * 300])
def test_it_gives_no_reward_that_is_not_on_offer(till: Counter, full: Card, reward_id: str) -> None:
    path = f"/terminal/cards/{full.card_id}/redemptions"
    assert till.get(f"{path}/new?reward_id={reward_id}").status_code == 422
    assert till.as_htmx().post(path, reward_id=reward_id).status_code in (409, 422)


def test_it_refuses_strangers_and_another_vendor(stranger: Counter, next_door: Counter, full: Card) -> None:
    address = f"/terminal/cards/{full.card_id}/redemptions"
    assert stranger.post(address).status_code == 401
    assert next_door.post(address).status_code == 404
