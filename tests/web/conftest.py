"""Two furnished shops next door to each other, made once and put back for each test that asks for them."""

from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import snapshots, world
from tests.forms import Form, find_forms
from tests.world import Business


@dataclass(frozen=True)
class Street:
    """Ada's bakery with the forms on its pages, the butcher next door, and the rows that are all of it."""

    bakery: Business
    meat: Business
    forms: dict[str, Form]
    rows: dict[str, bytes]


@pytest.fixture(scope="session")
def furnished(app: Flask, owner_engine: sa.Engine) -> Street:
    """The street, made in an empty database: to open every page for its forms takes many seconds."""
    snapshots.empty(owner_engine)
    with app.app_context():
        bakery, meat = world.make_business("bakery"), world.make_business("meat")
    return Street(bakery, meat, find_forms(app, bakery), snapshots.take(owner_engine))


@pytest.fixture
def street(furnished: Street, empty: None, owner_engine: sa.Engine) -> Street:
    """The street as it was furnished."""
    snapshots.put_back(owner_engine, furnished.rows)
    return furnished
