"""The bakery's till with Ben at it, and the butcher's next door."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.services import pins
from tests.counter import Counter, at_counter
from tests.factories import Card, Shop, make_card, make_key, make_shop, open_session


@pytest.fixture
def bakery(app: Flask) -> Shop:
    """Ada's bakery; Ben is signed in at its tablet."""
    with app.app_context():
        shop = make_shop("bakery", stamps_reward_description="1 free coffee")
        open_session(shop, shop.ben)
    return shop


@pytest.fixture
def butcher(app: Flask) -> Shop:
    """Mallory's shop next door, with its own tablet and somebody at it."""
    with app.app_context():
        shop = make_shop("butcher")
        open_session(shop, shop.ben)
    return shop


@pytest.fixture
def cleo(app: Flask, bakery: Shop) -> Card:
    """Cleo's card at the bakery, with three stamps."""
    with app.app_context():
        return make_card(bakery, stamps=3, name="Cleo Martin", phone="+352621123456", email="cleo@example.org")


@pytest.fixture
def till(client: FlaskClient, bakery: Shop) -> Counter:
    """The browser of the bakery's tablet."""
    return at_counter(client, bakery)


@pytest.fixture
def next_door(app: Flask, butcher: Shop) -> Counter:
    """The browser of the butcher's tablet."""
    return at_counter(app.test_client(), butcher)


@pytest.fixture
def stranger(app: Flask) -> Counter:
    """A browser that was never paired."""
    return Counter(app.test_client())


@pytest.fixture
def pin_of_ana(app: Flask, bakery: Shop) -> tuple[str, str]:
    """A cashier with a PIN that can be typed: her id and the PIN."""
    with app.app_context():
        made = pins.create(actor=bakery.ada, name="Ana", role="staff", store_id=None, key=make_key(bakery.ada))
    assert made.pin is not None
    return str(made.staff_pin_id), made.pin


@pytest.fixture
def pin_of_max(app: Flask, bakery: Shop) -> tuple[str, str]:
    """A manager with a PIN that can be typed: the id and the PIN."""
    with app.app_context():
        made = pins.create(actor=bakery.ada, name="Max", role="manager", store_id=None, key=make_key(bakery.ada))
    assert made.pin is not None
    return str(made.staff_pin_id), made.pin
