"""A card replaced in the office, and what its old codes and links answer."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.domain.values import Role
from loyalty.services import cards
from tests.browsing import hidden
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.web.office.customer_pages import Bakery, audited, enter


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    with app.app_context():
        shop: Shop = make_shop(cooldown_minutes=0)
        cleo: Card = make_card(shop, stamps=3, name="Cleo Martin", email="cleo@example.org", phone="+352621123456")
    enter(app, client, shop, Role.MANAGER)
    return Bakery(app, shop, cleo)


def replace(client: FlaskClient, bakery: Bakery, reason: str = "Lost on the train") -> str:
    action = f"{bakery.path}/replace"
    fields = hidden(client.get(action), action)
    answer = client.post(action, data={**fields, "reason": reason}, follow_redirects=True)
    return answer.text


def test_it_replaces_a_card_and_says_its_new_number(bakery: Bakery, client: FlaskClient) -> None:
    asked = client.get(f"{bakery.path}/replace").text
    assert "keeps everything it has collected" in asked
    assert "mailed to the customer" in asked
    page = replace(client, bakery)
    number = bakery.card().card_number
    assert number != bakery.cleo.card_number
    assert f"{number[:4]} {number[4:7]} {number[7:]}" in page
    assert "Lost on the train" in page
    assert "card.replaced" in audited(bakery)


def test_it_asks_for_a_reason(bakery: Bakery, client: FlaskClient) -> None:
    assert "Say why" in replace(client, bakery, reason=" ")
    assert bakery.card().card_number == bakery.cleo.card_number


def test_it_keeps_the_reason_where_the_card_was_deactivated_meanwhile(bakery: Bakery, client: FlaskClient) -> None:
    with bakery.app.app_context():
        ada = bakery.shop.ada
        cards.deactivate(actor=ada, card=bakery.cleo.ref, reason="stolen", key=make_key(ada))
    text = replace(client, bakery)
    assert "This card has been deactivated." in text
    assert 'value="Lost on the train"' in text
    assert bakery.card().card_number == bakery.cleo.card_number


def test_it_replaces_once_for_two_taps(bakery: Bakery, client: FlaskClient) -> None:
    action = f"{bakery.path}/replace"
    fields = {**hidden(client.get(action), action), "reason": "Lost"}
    client.post(action, data=fields)
    first = bakery.card().card_number
    client.post(action, data=fields)
    assert bakery.card().card_number == first


def test_it_tells_whoever_opens_the_old_link_that_there_is_a_new_card(bakery: Bakery, client: FlaskClient) -> None:
    replace(client, bakery)
    answer = client.get(f"/card/{bakery.cleo.public_token}")
    assert answer.status_code == 409
    assert "replaced by a new one" in answer.text
    assert "Cleo" not in answer.text
    assert client.get(f"/card/{bakery.card().public_token}").status_code == 200


def test_it_leads_from_the_old_number_to_the_card(bakery: Bakery, client: FlaskClient) -> None:
    replace(client, bakery)
    assert bakery.path in client.get("/office/customers", query_string={"q": bakery.cleo.card_number}).text
