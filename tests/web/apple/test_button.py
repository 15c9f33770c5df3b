"""The way from the card's page into Apple Wallet."""

import re

from flask.testing import FlaskClient

from loyalty.services import cards, passes
from tests.factories import make_key
from tests.web.apple.conftest import Bakery


def links(client: FlaskClient, token: str) -> list[str]:
    html = client.get(f"/card/{token}").get_data(as_text=True)
    return re.findall(r'href="([^"]+\.pkpass[^"]*)"[^>]*>Add to Apple Wallet<', html)


def test_it_offers_the_pass_on_the_page_of_its_card(bakery: Bakery) -> None:
    assert links(bakery.app.test_client(), bakery.card.public_token) == [bakery.address]


def test_it_offers_no_pass_of_a_closed_card(bakery: Bakery) -> None:
    ada = bakery.shop.ada
    with bakery.app.app_context():
        cards.deactivate(actor=ada, card=bakery.card.ref, reason="lost", key=make_key(ada))
    assert links(bakery.app.test_client(), bakery.card.public_token) == []


def test_it_offers_nothing_where_no_passes_are_made(bakery: Bakery) -> None:
    passes.configure(apple=None)
    page = bakery.app.test_client().get(f"/card/{bakery.card.public_token}").get_data(as_text=True)
    assert "Apple Wallet" not in page
