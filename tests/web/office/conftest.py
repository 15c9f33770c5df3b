"""Ada in the office of her bakery, and quick passwords: what bcrypt costs is tested where passwords are."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.domain import passwords
from tests.browsing import sign_in
from tests.office import Office, make_bakery


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ROUNDS", 4)


@pytest.fixture
def ada(app: Flask, client: FlaskClient) -> Office:
    """Ada, signed in with the client of the test."""
    with app.app_context():
        office = make_bakery()
    sign_in(client, office)
    return office
