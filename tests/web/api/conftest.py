"""The bakery, and the software of its tills."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Config
from loyalty.domain.values import Scope
from tests import factories, snapshots, world
from tests.crash_till import web_server
from tests.web.api.callers import Caller, make_api_key, make_platform_key
from tests.world import Business


@dataclass(frozen=True)
class Stocked:
    """A bakery with everything in it, its manager's key and the platform's, and the rows that are all of it."""

    business: Business
    manage: str
    platform: str
    rows: dict[str, bytes]


@pytest.fixture(scope="session")
def stocked_once(app: Flask, owner_engine: sa.Engine) -> Stocked:
    """The bakery, made in an empty database."""
    snapshots.empty(owner_engine)
    with app.app_context():
        business = world.make_business("bakery")
        keys = make_api_key(business.shop, Scope.MANAGE), make_platform_key()
    return Stocked(business, *keys, snapshots.take(owner_engine))


@pytest.fixture
def stocked(stocked_once: Stocked, empty: None, owner_engine: sa.Engine) -> Stocked:
    """The bakery as it was stocked."""
    snapshots.put_back(owner_engine, stocked_once.rows)
    return stocked_once


@pytest.fixture(scope="session")
def server(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The application in processes of its own, for all tests that need one; what a test finds there is its own."""
    with web_server(config, tmp_path_factory.mktemp("server"), served="wsgi:app") as address:
        yield address


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
