"""Possible duplicates in the office."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.domain.values import Role
from tests.browsing import hidden
from tests.factories import Card, make_card, make_shop
from tests.web.office.customer_pages import Bakery, audited, enter

PAGE = "/office/customers/duplicates"


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    with app.app_context():
        shop = make_shop()
        cleo = make_card(shop, stamps=3, name="Cleo Martin")
    enter(app, client, shop, Role.MANAGER)
    return Bakery(app, shop, cleo)


@pytest.fixture
def twin(bakery: Bakery) -> Card:
    with bakery.app.app_context():
        return make_card(bakery.shop, stamps=2, name="Cleo Martin")


def test_it_says_that_nobody_looks_alike(bakery: Bakery, client: FlaskClient) -> None:
    assert "No two customers look like one person." in client.get(PAGE).text


def test_it_remembers_who_is_not_the_same(bakery: Bakery, twin: Card, client: FlaskClient) -> None:
    page = client.get(PAGE)
    assert "The same name, joined within a week" in page.text
    fields = {**hidden(page, PAGE), "one": str(twin.customer_id), "other": str(bakery.cleo.customer_id)}
    for _ in range(2):
        assert client.post(PAGE, data=fields).status_code == 303
    assert "No two customers" in client.get(PAGE).text
    assert audited(bakery).count("customer.told_apart") == 1


def test_it_brings_two_cards_together_once(bakery: Bakery, twin: Card, client: FlaskClient) -> None:
    action = f"{bakery.path}/merge"
    page = client.get(action, query_string={"from": twin.card_id})
    assert "Stamps that move" in page.text
    fields = {**hidden(page, action), "from": str(twin.card_id)}
    for _ in range(2):
        assert client.post(action, data=fields).status_code == 303
    assert bakery.card().stamp_count == 5
    assert audited(bakery).count("card.merged") == 1
    assert "Brought together" in client.get(bakery.path).text


def test_it_says_what_is_wrong_where_no_field_does(bakery: Bakery, twin: Card, client: FlaskClient) -> None:
    action = f"{bakery.path}/merge"
    fields = hidden(client.get(action, query_string={"from": twin.card_id}), action)
    itself = client.post(action, data={**fields, "from": str(bakery.cleo.card_id)})
    assert itself.status_code == 422
    assert "Choose two different cards." in itself.text
    keyless = client.post(action, data={**fields, "from": str(twin.card_id), "key": ""})
    assert "This page is too old. Load it again." in keyless.text
    assert "another look" not in keyless.text


@pytest.mark.parametrize(
    "other", ["", "nobody", "0199f1c2-7d1e-7cc3-98c4-dc0c0c07398f"], ids=["none", "word", "unknown"]
)
def test_it_finds_no_card_where_there_is_none(bakery: Bakery, client: FlaskClient, other: str) -> None:
    assert client.get(f"{bakery.path}/merge", query_string={"from": other}).status_code == 404
