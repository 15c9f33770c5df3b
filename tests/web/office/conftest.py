"""Ada in the office of her bakery."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.browsing import sign_in
from tests.office import Office, make_bakery


@pytest.fixture
def ada(app: Flask, client: FlaskClient) -> Office:
    """Ada, signed in with the client of the test."""
    with app.app_context():
        office = make_bakery()
    sign_in(client, office)
    return office
