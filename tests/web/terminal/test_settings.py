"""The settings of a tablet."""

import pytest

from tests.counter import Counter, screen_of

FIELDS = {"lock_minutes": "2", "sound": "y", "theme": "dark"}


def test_it_shows_the_settings(till: Counter) -> None:
    page = till.get("/terminal/settings")
    assert screen_of(page) == "settings"
    assert 'value="2" checked' in page.text


def test_it_keeps_what_was_chosen(till: Counter) -> None:
    answer = till.post("/terminal/settings", **{**FIELDS, "left_handed": "y", "sound": ""})
    assert answer.status_code == 303
    page = till.get("/terminal/settings")
    assert 'class="left-handed"' in page.text
    assert 'data-sound="off"' in page.text
    assert 'data-theme="dark"' in page.text


def test_it_keeps_one_change_for_two_taps(till: Counter) -> None:
    for _ in range(2):
        assert till.post("/terminal/settings", key="one-form-two-taps", **FIELDS).status_code == 303


def test_it_asks_a_manager_how_soon_to_lock(till: Counter, pin_of_max: tuple[str, str]) -> None:
    key, fields = "how-soon-it-locks", {**FIELDS, "lock_minutes": "15"}
    asked = till.post("/terminal/settings", key=key, **fields)
    assert asked.status_code == 422
    assert screen_of(asked) == "manager_pin"
    staff, pin = pin_of_max
    answer = till.post("/terminal/settings", key=key, staff_pin_id=staff, staff_pin=pin, **fields)
    assert answer.status_code == 303
    assert 'value="15" checked' in till.get("/terminal/settings").text


@pytest.mark.parametrize("wrong", [{"lock_minutes": "3"}, {"lock_minutes": "never"}, {"theme": "pink"}])
def test_it_refuses_what_is_no_choice(till: Counter, wrong: dict[str, str]) -> None:
    answer = till.post("/terminal/settings", **{**FIELDS, **wrong})
    assert answer.status_code == 422
    assert screen_of(answer) == "settings"


def test_it_parts_with_the_shop_when_a_manager_says_so(till: Counter, pin_of_max: tuple[str, str]) -> None:
    asked = till.post("/terminal/unpair")
    assert asked.status_code == 422
    staff, pin = pin_of_max
    assert till.post("/terminal/unpair", staff_pin_id=staff, staff_pin=pin).status_code == 303
    assert screen_of(till.get("/terminal")) == "pair"


def test_it_refuses_a_stranger(stranger: Counter) -> None:
    assert stranger.get("/terminal/settings").status_code == 401
    assert stranger.post("/terminal/settings", **FIELDS).status_code == 401
    assert stranger.post("/terminal/unpair").status_code == 401


def test_it_refuses_the_manager_of_another_vendor(next_door: Counter, pin_of_max: tuple[str, str]) -> None:
    staff, pin = pin_of_max
    answer = next_door.post("/terminal/unpair", staff_pin_id=staff, staff_pin=pin)
    assert answer.status_code in (403, 404, 422)
    assert screen_of(next_door.get("/terminal")) == "ready"
