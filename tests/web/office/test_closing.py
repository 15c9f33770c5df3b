"""Ending the program in the office, and what customers and the till are shown."""

import io
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.domain.limits import local_day
from loyalty.domain.values import Role
from tests.browsing import hidden
from tests.counter import at_counter
from tests.factories import make_card, make_shop, open_session
from tests.web.office.customer_pages import Bakery, audited, enter

PAGE = "/office/program/closing"


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    with app.app_context():
        shop = make_shop(cooldown_minutes=0)
        cleo = make_card(shop, stamps=12, email="cleo@example.org")
    enter(app, client, shop, Role.OWNER)
    return Bakery(app, shop, cleo)


def in_days(days: int) -> date:
    return local_day(datetime.now(UTC), "Europe/Luxembourg") + timedelta(days=days)


def announce(client: FlaskClient, last_day: str) -> TestResponse:
    return client.post(PAGE, data={**hidden(client.get(PAGE), PAGE), "last_day": last_day})


def test_it_proposes_sixty_days_and_says_what_customers_hold(bakery: Bakery, client: FlaskClient) -> None:
    page = client.get(PAGE).text
    assert f'value="{in_days(60).isoformat()}"' in page
    assert f'min="{in_days(14).isoformat()}"' in page
    assert "1 customer gets one mail about it" in page


def test_it_is_said_on_the_card_at_the_till_and_where_people_join(bakery: Bakery, client: FlaskClient) -> None:
    assert announce(client, in_days(30).isoformat()).status_code == 303
    assert "The program ends" in client.get(f"/card/{bakery.cleo.public_token}").text
    joining = client.get("/join/bakery")
    assert joining.status_code == 409
    assert "ends soon" in joining.text
    with bakery.app.app_context():
        open_session(bakery.shop, bakery.shop.ben)
    screen = at_counter(bakery.app.test_client(), bakery.shop).get(f"/terminal/cards/{bakery.cleo.card_id}").text
    assert "The program ends on" in screen
    assert "Redeem:" in screen
    assert "/stamps" not in screen
    assert "program.closing_announced" in audited(bakery)


@pytest.mark.parametrize(
    ("typed", "words"),
    [("", "Choose a day on the calendar."), ("soon", "Write the day as"), ("2026-01-01", "Choose a day at least")],
)
def test_it_says_what_is_wrong_with_the_day(bakery: Bakery, client: FlaskClient, typed: str, words: str) -> None:
    answer = announce(client, typed)
    assert answer.status_code == 422
    assert words in answer.text


def test_it_goes_on_after_it_was_called_off(bakery: Bakery, client: FlaskClient) -> None:
    announce(client, in_days(30).isoformat())
    action = f"{PAGE}/call-off"
    page = client.post(action, data=hidden(client.get(action), action), follow_redirects=True).text
    assert "The program goes on." in page
    assert client.get("/join/bakery").status_code == 200


def test_it_says_that_a_paused_program_has_not_ended(bakery: Bakery, client: FlaskClient) -> None:
    announce(client, in_days(30).isoformat())
    pause = "/office/program/deactivate"
    client.post(pause, data=hidden(client.get(pause), pause))
    page = client.get(PAGE).text
    assert "The program is closed" not in page
    assert "The program is paused" in page
    action = f"{PAGE}/call-off"
    page = client.post(action, data=hidden(client.get(action), action), follow_redirects=True).text
    assert "The program goes on." not in page
    assert "It is paused still" in page


def test_it_hands_out_the_archive(bakery: Bakery, client: FlaskClient) -> None:
    answer = client.get("/office/archive.zip")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "README.txt" in zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert "archive.exported" in audited(bakery)


def test_it_is_for_owners(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        shop = make_shop()
    enter(app, client, shop, Role.MANAGER)
    assert client.get(PAGE).status_code == 403
    assert client.get("/office/archive.zip").status_code == 403
    assert "End the program" not in client.get("/office/program").text
