"""Signing in to the office, and what is refused to whom."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.domain.values import Role
from loyalty.services import accounts
from tests.browsing import hidden, sign_in
from tests.office import PASSWORD, Office, make_bakery, make_butcher, make_office

PAGES = ("", "/program", "/program/activate", "/rewards", "/stores", "/staff", "/tablets", "/settings")


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def attempt(client: FlaskClient, email: str, password: str, **more: str) -> str:
    page = client.get("/office/sign-in")
    answer = client.post("/office/sign-in", data={**hidden(page), "email": email, "password": password, **more})
    return f"{answer.status_code} {answer.location or answer.text}"


@pytest.mark.parametrize("path", PAGES)
def test_it_leads_a_stranger_to_the_sign_in_and_back(client: FlaskClient, ada: Office, path: str) -> None:
    answer = client.get(f"/office{path}")
    assert (answer.status_code, answer.location) == (303, f"/office/sign-in?next=/office{path}")
    page = client.get(answer.location)
    back = f"/office{path}" if path else "/office"
    assert attempt(client, ada.email, PASSWORD, next=hidden(page)["next"]) == f"303 {back}"
    assert client.get(f"/office{path}").status_code == 200


@pytest.mark.parametrize(
    "wish", ["//evil.example/office/", "https://evil.example", "/office//x", "/office/\\x", "/admin"]
)
def test_it_follows_no_address_outside_the_office(client: FlaskClient, ada: Office, wish: str) -> None:
    assert attempt(client, ada.email, PASSWORD, next=wish) == "303 /office/wizard"


def test_it_refuses_what_a_stranger_sends(client: FlaskClient, ada: Office) -> None:
    token = hidden(client.get("/office/sign-in"))
    answer = client.post("/office/program/activate", data={**token, "key": "x" * 20})
    assert answer.status_code == 401
    assert 'action="/office/sign-in"' in answer.text


def test_it_keeps_the_address_and_says_the_same_of_everybody(client: FlaskClient, ada: Office) -> None:
    known = attempt(client, ada.email, "not this one")
    unknown = attempt(client, "nobody@bakery.example", "not this one")
    assert known.startswith("422 ")
    assert "<title>Error: Sign in" in known
    assert f'value="{ada.email}"' in known

    def plain(text: str) -> str:
        return re.sub(r'value="[^"]*"|/static/\w+/', "", text)

    assert plain(known) == plain(unknown)
    assert "not this one" not in known


@pytest.mark.parametrize(("email", "password"), [("", PASSWORD), ("ada@bakery.example", ""), ("", "")])
def test_it_says_what_is_missing(client: FlaskClient, ada: Office, email: str, password: str) -> None:
    answer = attempt(client, email, password)
    assert answer.startswith("422 ")
    assert ("Enter your e-mail address." in answer) == (not email)
    assert ("Enter your password." in answer) == (not password)


def test_it_says_how_long_to_wait(client: FlaskClient, ada: Office) -> None:
    for _ in range(5):
        attempt(client, ada.email, "not this one")
    answer = attempt(client, ada.email, PASSWORD)
    assert answer.startswith("429 ")
    assert "Too many tries. Wait a minute." in answer


def test_it_gives_every_sign_in_a_session_of_its_own(client: FlaskClient, ada: Office) -> None:
    client.get("/office/sign-in")
    before = client.get_cookie("session")
    sign_in(client, ada)
    after = client.get_cookie("session")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert after.http_only


def test_it_signs_out_for_good(client: FlaskClient, ada: Office) -> None:
    sign_in(client, ada)
    stolen = client.get_cookie("session")
    assert stolen is not None
    page = client.get("/office")
    answer = client.post("/office/sign-out", data=hidden(page, "/office/sign-out"))
    assert (answer.status_code, answer.location) == (303, "/office/sign-in")
    assert "You are signed out." in client.get("/office/sign-in").text
    client.set_cookie("session", stolen.value)
    assert client.get("/office").status_code == 303


def test_it_asks_whose_office_and_enters_no_other(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        butcher, florist = make_butcher(), make_office("Flora", "flora@flowers.example")
        assert ada.actor.user_id is not None
        accounts.add_member(vendor_id=butcher.vendor_id, user_id=ada.actor.user_id, role=Role.MANAGER)
    assert attempt(client, ada.email, PASSWORD) == "303 /office/shops"
    assert client.get("/office/program").location == "/office/shops"
    page = client.get("/office/shops")
    assert "Mallory&#39;s Meat" in page.text
    assert "Flora" not in page.text
    for stranger in (str(florist.vendor_id), "nonsense"):
        assert client.post("/office/shops", data={**hidden(page), "vendor_id": stranger}).status_code == 404
    answer = client.post("/office/shops", data={**hidden(page), "vendor_id": str(butcher.vendor_id)})
    assert (answer.status_code, answer.location) == (303, "/office")
    assert "Mallory&#39;s Meat" in client.get("/office").text


def test_it_tells_somebody_without_a_shop_whom_to_ask(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        accounts.create_user(email="ben@bakery.example", password=PASSWORD)
    assert attempt(client, "ben@bakery.example", PASSWORD) == "303 /office/shops"
    assert "No shop has let you in yet." in client.get("/office/shops").text


def test_it_lets_a_manager_in(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        mia = make_office("Corner Café", "mia@cafe.example", role=Role.MANAGER)
    sign_in(client, mia)
    for path in PAGES:
        assert client.get(f"/office{path}").status_code == 200
