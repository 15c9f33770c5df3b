"""What was drawn before a card was replaced: whoever stands at the counter holds the old one, and gets nothing."""

import pytest
from flask import Flask

from loyalty.database import db
from loyalty.models.cards import LoyaltyCard
from loyalty.services import replacements
from tests.counter import Counter, hidden, screen_of
from tests.factories import Card, Shop, change_program, make_card, make_key, make_reward

WORDS = "This card was replaced by a new one. Only the new card is valid."


@pytest.fixture
def cleo(app: Flask, bakery: Shop) -> Card:
    """A card that is full, at a shop that collects both."""
    with app.app_context():
        change_program(bakery, loyalty_type="hybrid", cooldown_minutes=0)
        return make_card(bakery, stamps=10, points=500, name="Cleo Martin")


def replace(app: Flask, bakery: Shop, card: Card) -> None:
    with app.app_context():
        replacements.replace(actor=bakery.ada, card=card.ref, reason="Stolen", key=make_key(bakery.ada))


def ledger_of(app: Flask, card: Card) -> int:
    with app.app_context():
        return db.session.get_one(LoyaltyCard, card.card_id).ledger_seq


@pytest.mark.parametrize("scripts", [True, False], ids=["htmx", "plain"])
@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("stamps", {"quantity": "1"}),
        ("points", {"amount": "5"}),
        ("points/preview", {"amount": "5"}),
        ("redemptions", {}),
    ],
    ids=["stamps", "points", "preview", "redemption"],
)
def test_it_refuses_a_form_that_was_drawn_before_in_words(
    app: Flask, till: Counter, bakery: Shop, cleo: Card, action: str, fields: dict[str, str], scripts: bool
) -> None:
    path = f"/terminal/cards/{cleo.card_id}"
    assert f'name="number" value="{cleo.card_number}"' in till.get(path).text
    replace(app, bakery, cleo)
    before = ledger_of(app, cleo)
    sender = till.as_htmx() if scripts else till
    answer = sender.post(f"{path}/{action}", number=cleo.card_number, **fields)
    assert (answer.status_code, screen_of(answer)) == (409, "refused")
    assert WORDS in answer.text
    assert "Cleo" not in answer.text
    assert ledger_of(app, cleo) == before


@pytest.mark.parametrize("way", ["", "/code", "/redemptions/new"], ids=["card", "code", "redemption"])
def test_it_leads_from_an_old_screen_to_nothing_of_the_new_card(
    app: Flask, till: Counter, bakery: Shop, cleo: Card, way: str
) -> None:
    replace(app, bakery, cleo)
    answer = till.get(f"/terminal/cards/{cleo.card_id}{way}?number={cleo.card_number}")
    assert (answer.status_code, screen_of(answer)) == (409, "refused")
    assert WORDS in answer.text


def test_it_carries_the_number_along_wherever_the_card_is_shown(
    app: Flask, till: Counter, bakery: Shop, cleo: Card
) -> None:
    with app.app_context():
        make_reward(bakery, "Cake", 100)
    path = f"/terminal/cards/{cleo.card_id}"
    for page in (till.get(path), till.get(f"{path}?points=1"), till.get(f"{path}/redemptions/new")):
        links = [part for part in page.text.split('"') if part.startswith(path) and "?" in part]
        assert links
        assert all(f"number={cleo.card_number}" in link for link in links)
        forms = page.text.count(f'action="{path}')
        assert page.text.count(f'name="number" value="{cleo.card_number}"') == forms - page.text.count("formaction")


def test_it_refuses_what_a_lock_interrupted(
    app: Flask, till: Counter, bakery: Shop, cleo: Card, pin_of_ana: tuple[str, str]
) -> None:
    path = f"/terminal/cards/{cleo.card_id}/stamps"
    till.post("/terminal/lock")
    locked = till.as_htmx().post(path, quantity=1, number=cleo.card_number)
    assert screen_of(locked) == "pin"
    replace(app, bakery, cleo)
    names = [f"pending_{name}" for name in ("path", "key", "quantity", "number")]
    kept = {name: hidden(locked, name) for name in names}
    offered = till.as_htmx().post("/terminal/pin", staff_pin_id=pin_of_ana[0], staff_pin=pin_of_ana[1], **kept)
    assert screen_of(offered) == "pending"
    assert f'name="number" value="{cleo.card_number}"' in offered.text
    assert "Cleo" not in offered.text
    again = till.as_htmx().post(path, key=kept["pending_key"], quantity=1, number=cleo.card_number)
    assert (again.status_code, screen_of(again)) == (409, "refused")


def test_it_brings_no_replaced_card_back_after_the_lock(
    app: Flask, till: Counter, bakery: Shop, cleo: Card, pin_of_ana: tuple[str, str]
) -> None:
    locked = till.as_htmx().post("/terminal/lock", card=cleo.card_id, number=cleo.card_number)
    replace(app, bakery, cleo)
    kept = {name: hidden(locked, name) for name in ("card", "number")}
    answer = till.as_htmx().post("/terminal/pin", staff_pin_id=pin_of_ana[0], staff_pin=pin_of_ana[1], **kept)
    assert (answer.status_code, screen_of(answer)) == (409, "refused")
    assert WORDS in answer.text


def test_it_gives_the_answer_again_that_was_given_before_the_card_was_replaced(
    app: Flask, till: Counter, bakery: Shop, cleo: Card
) -> None:
    path, key = f"/terminal/cards/{cleo.card_id}/stamps", "the-answer-that-got-lost"
    till.as_htmx().post(path, key=key, quantity=1, number=cleo.card_number)
    replace(app, bakery, cleo)
    before = ledger_of(app, cleo)
    again = till.as_htmx().post(path, key=key, quantity=1, number=cleo.card_number)
    assert (again.status_code, ledger_of(app, cleo)) == (409, before)


def test_it_knows_no_card_by_a_number_of_another(till: Counter, cleo: Card) -> None:
    answer = till.as_htmx().post(f"/terminal/cards/{cleo.card_id}/stamps", quantity=1, number="1234567890")
    assert answer.status_code == 404
    assert "This card is not a card of this shop." in answer.text
