"""Ending a shop's news: by the page, or by one click of a mail program."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db, transaction
from loyalty.models.consents import Consent
from loyalty.models.customers import Customer
from loyalty.services import links
from tests.factories import make_card, make_shop


@pytest.fixture
def address(app: Flask) -> str:
    """The way that a mail leads."""
    with app.app_context():
        shop = make_shop()
        cleo = make_card(shop, marketing_consent=True, locale="en")
        return "/news/" + links.unsubscribe(cleo.customer_id).rpartition("/")[2]


def wants_news(app: Flask) -> bool:
    with app.app_context(), transaction():
        return bool(db.session.scalar(sa.select(Customer.marketing_consent)))


def decisions(app: Flask) -> list[tuple[bool, str]]:
    with app.app_context(), transaction():
        query = sa.select(Consent.given, Consent.source).order_by(Consent.created_at)
        return [(row[0], row[1]) for row in db.session.execute(query)]


def test_it_asks_and_leaves_everything_as_it_is(client: FlaskClient, app: Flask, address: str) -> None:
    for _ in range(3):
        answer = client.get(address)
        assert "No more news of Bakery?" in answer.text
    assert wants_news(app)


def test_it_ends_the_news_once(client: FlaskClient, app: Flask, address: str) -> None:
    for _ in range(2):
        answer = client.post(address, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "You get no more news of Bakery." in answer.text
    assert not wants_news(app)
    assert decisions(app) == [(False, "mail")]


@pytest.mark.parametrize("path", ["/news/forged", "/news/WyJhIiwibmV3cyJd.AAAA"])
def test_it_knows_no_forged_address(client: FlaskClient, app: Flask, address: str, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404
    assert wants_news(app)


def test_it_takes_no_link_that_was_signed_for_something_else(client: FlaskClient, app: Flask, address: str) -> None:
    with app.app_context(), transaction():
        customer_id = db.session.scalar(sa.select(Customer.id))
    other = links.confirmation(customer_id, "join").rpartition("/")[2]
    assert client.post(f"/news/{other}").status_code == 404
    assert wants_news(app)


def test_it_takes_no_click_on_another_sites_page(client: FlaskClient, app: Flask, address: str) -> None:
    assert client.post(address, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert wants_news(app)
