"""The mailed link: looking at it uses nothing, its button works once."""

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db
from loyalty.models.mail import Confirmation
from loyalty.services import links
from tests.factories import make_shop
from tests.web.public.conftest import Phone


@pytest.fixture
def address(phone: Phone, app: Flask) -> str:
    """The path of the link in Cleo's mail."""
    with app.app_context():
        make_shop(vendor={"confirm_address": True})
    phone.send(phone.get("/join/bakery"), email="cleo@example.org")
    with app.app_context():
        confirmation_id = db.session.execute(sa.select(Confirmation.id)).scalar_one()
        return "/" + links.confirmation(confirmation_id, "join").split("/", 3)[3]


def test_it_shows_a_button_and_uses_nothing(phone: Phone, address: str) -> None:
    for _ in range(5):
        page = phone.get(address)
        assert page.status_code == 200
        assert "One step to your card" in page.text
    assert phone.send(page).location.startswith("/card/")


def test_it_works_once_and_twice_with_the_same_tap(phone: Phone, address: str) -> None:
    page = phone.get(address)
    first, second = phone.send(page), phone.send(page)
    assert first.location == second.location
    used = phone.get(address)
    assert used.status_code == 404
    assert "used before or is too old" in used.text


def test_it_refuses_a_forged_link(phone: Phone, address: str) -> None:
    assert phone.get(address[:-3] + "xxx").status_code == 404
    assert phone.get("/join/confirm/nothing").status_code == 404
