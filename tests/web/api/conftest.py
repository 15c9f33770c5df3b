"""The bakery, and the software of its tills."""

import pytest
from flask import Flask

from loyalty.domain.values import Scope
from tests import factories
from tests.web.api.callers import Caller, make_api_key


@pytest.fixture
def bakery(app: Flask) -> factories.Shop:
    """Ada's bakery: stamps and points, no pause between two stamps, and no PINs."""
    with app.app_context():
        return factories.make_shop(
            loyalty_type="hybrid",
            cooldown_minutes=0,
            max_daily_stamps=50,
            max_stamps_per_action=3,
            policy={"staff_pin_policy": "disabled"},
        )


@pytest.fixture
def card(app: Flask, bakery: factories.Shop) -> factories.Card:
    """Cleo's card, with nothing on it."""
    with app.app_context():
        return factories.make_card(bakery)


@pytest.fixture
def till(app: Flask, bakery: factories.Shop) -> Caller:
    """Software with a key that may do what a cashier may."""
    with app.app_context():
        return Caller(app, make_api_key(bakery))


@pytest.fixture
def manager(app: Flask, bakery: factories.Shop) -> Caller:
    """Software with a key that may do what a manager may."""
    with app.app_context():
        return Caller(app, make_api_key(bakery, Scope.MANAGE))


@pytest.fixture
def reader(app: Flask, bakery: factories.Shop) -> Caller:
    """Software with a key that only reads."""
    with app.app_context():
        return Caller(app, make_api_key(bakery, Scope.READ))
