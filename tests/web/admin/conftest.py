"""Somebody who runs the platform."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.services import accounts
from tests.browsing import hidden
from tests.office import PASSWORD, Office, make_bakery

EMAIL = "root@platform.example"


@dataclass(frozen=True)
class Platform:
    """The platform's admin, signed in."""

    client: FlaskClient
    user_id: UUID


@pytest.fixture
def platform(app: Flask, client: FlaskClient) -> Platform:
    with app.app_context():
        user_id = accounts.create_user(email=EMAIL, password=PASSWORD, is_admin=True)
    page = client.get("/office/sign-in")
    answer = client.post("/office/sign-in", data={**hidden(page), "email": EMAIL, "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/admin")
    return Platform(client, user_id)


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()
