"""Today's list, and taking back."""

import re
from dataclasses import replace
from uuid import UUID

from flask import Flask

from tests.counter import Counter, screen_of, title_of
from tests.factories import Card, Shop, change_policy, make_card, open_session


def stamp(till: Counter, card: Card) -> str:
    """Stamp a card; returns the address that takes it back."""
    answer = till.as_htmx().post(f"/terminal/cards/{card.card_id}/stamps", quantity=1)
    match = re.search(r'action="(/terminal/transactions/[^"]+/void)"', answer.text)
    assert match is not None
    return match[1]


def test_it_undoes_the_last_action_in_one_tap(till: Counter, cleo: Card) -> None:
    answer = till.as_htmx().post(stamp(till, cleo), reason="undo")
    assert answer.status_code == 200
    assert title_of(answer) == "Stamp removed: 3 of 10"
    assert '"kind": "undone"' in answer.headers["HX-Trigger-After-Swap"]


def test_it_undoes_without_htmx(till: Counter, cleo: Card) -> None:
    answer = till.post(stamp(till, cleo), reason="undo")
    assert answer.status_code == 303
    assert title_of(till.get(answer.location)) == "Stamp removed: 3 of 10"


def test_it_undoes_once_for_two_taps(till: Counter, cleo: Card) -> None:
    path = stamp(till, cleo)
    titles = [title_of(till.as_htmx().post(path, key="one-form-two-taps", reason="undo")) for _ in range(2)]
    assert titles == ["Stamp removed: 3 of 10"] * 2


def test_it_says_that_something_was_undone_before(till: Counter, cleo: Card) -> None:
    path = stamp(till, cleo)
    till.post(path, reason="undo")
    again = till.as_htmx().post(path, reason="undo")
    assert again.status_code == 409
    assert "This was undone before." in again.text


def test_it_gives_a_reward_back(app: Flask, till: Counter, bakery: Shop) -> None:
    with app.app_context():
        full = make_card(bakery, stamps=10)
    given = till.as_htmx().post(f"/terminal/cards/{full.card_id}/redemptions")
    match = re.search(r'action="(/terminal/transactions/[^"]+/void)"', given.text)
    assert match is not None
    assert title_of(till.as_htmx().post(match[1], reason="undo")) == "Reward taken back: 10 of 10"


def test_it_lists_what_was_done_today_with_a_way_back(till: Counter, cleo: Card) -> None:
    path = stamp(till, cleo)
    page = till.get("/terminal/transactions")
    assert screen_of(page) == "today"
    assert "+1 stamp" in page.text
    assert "Ben" in page.text
    assert path in page.text
    till.post(path, reason="void")
    after = till.get("/terminal/transactions")
    assert "Undone" in after.text
    assert "−1 stamp" in after.text


def test_it_says_that_nothing_was_done_yet(till: Counter) -> None:
    assert "Nothing yet today" in till.get("/terminal/transactions").text


def test_it_asks_for_a_manager_with_the_same_form_and_the_same_key(
    app: Flask, till: Counter, bakery: Shop, cleo: Card, pin_of_max: tuple[str, str], pin_of_ana: tuple[str, str]
) -> None:
    path = stamp(till, cleo)
    with app.app_context():
        open_session(bakery, replace(bakery.ben, staff_pin_id=UUID(pin_of_ana[0])))
    key = "a-void-of-somebody-elses"
    asked = till.as_htmx().post(path, key=key, reason="void")
    assert asked.status_code == 422
    assert screen_of(asked) == "manager_pin"
    assert f'name="key" value="{key}"' in asked.text
    assert f'hx-post="{path}"' in asked.text
    tiles = asked.text[: asked.text.index('id="last"')]
    assert "Max" in tiles
    assert "Ana" not in tiles
    low = till.as_htmx().post(path, key=key, reason="void", staff_pin_id=pin_of_ana[0], staff_pin=pin_of_ana[1])
    assert low.status_code == 403
    assert screen_of(low) == "manager_pin"
    wrong = till.as_htmx().post(path, key=key, reason="void", staff_pin_id=pin_of_max[0], staff_pin="0000")
    assert wrong.status_code == 403
    assert "This PIN is not right" in wrong.text
    done = till.as_htmx().post(path, key=key, reason="void", staff_pin_id=pin_of_max[0], staff_pin=pin_of_max[1])
    assert title_of(done) == "Stamp removed: 3 of 10"


def test_it_says_that_this_shop_takes_nothing_back(app: Flask, till: Counter, bakery: Shop, cleo: Card) -> None:
    path = stamp(till, cleo)
    with app.app_context():
        change_policy(bakery, allow_void_transactions=False)
    answer = till.as_htmx().post(path, reason="undo")
    assert answer.status_code == 409
    assert "This cannot be undone." in answer.text


def test_it_refuses_strangers_and_another_vendor(
    till: Counter, stranger: Counter, next_door: Counter, cleo: Card
) -> None:
    path = stamp(till, cleo)
    assert stranger.post(path, reason="undo").status_code == 401
    assert stranger.get("/terminal/transactions").status_code == 401
    assert next_door.post(path, reason="undo").status_code == 404
    assert "Cleo" not in next_door.get("/terminal/transactions").text
