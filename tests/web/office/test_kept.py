"""A form that is sent after the session has ended: nothing that was typed is lost, and nothing is sent unasked."""

import io
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.domain.values import Role
from loyalty.services import accounts, programs, stores
from tests.browsing import fields, hidden, sign_in
from tests.office import PASSWORD, Office, make_bakery, make_butcher
from tests.pictures import make_picture

TERMS = 'One <cup> a "day".\nNo more.'


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def end_sessions(app: Flask, client: FlaskClient) -> None:
    """End the session as time does: the browser keeps its cookie."""
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    with app.app_context():
        accounts.sign_out(token=token, at=datetime.now(UTC))


def answer_sign_in(client: FlaskClient, page: TestResponse, office: Office, password: str = PASSWORD) -> TestResponse:
    data = {**hidden(page, "/office/sign-in"), "email": office.email, "password": password}
    return client.post("/office/sign-in", data=data)


def test_it_saves_what_was_typed_after_signing_in_again(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    form = {**fields(client.get("/office/program")), "card_name": "Kept", "terms_text": TERMS}
    end_sessions(app, client)
    page = client.post("/office/program", data=form)
    assert page.status_code == 401
    assert "it is still here" in page.text
    again = answer_sign_in(client, page, ada)
    assert again.status_code == 200
    assert "Send it to Ada&#39;s Bakery now" in again.text
    assert "choose it again" not in again.text
    assert programs_name(app, ada) == ""
    assert client.post("/office/program", data=hidden(again, "/office/program")).status_code == 303
    assert programs_name(app, ada) == "Kept"
    with app.app_context():
        assert programs.get(actor=ada.actor).terms_text == TERMS


def test_it_keeps_it_through_wrong_passwords(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    form = {**fields(client.get("/office/stores")), "name": "Harbour"}
    end_sessions(app, client)
    page = client.post("/office/stores", data=form)
    page = answer_sign_in(client, page, ada, "not this one")
    assert page.status_code == 422
    again = answer_sign_in(client, page, ada)
    assert client.post("/office/stores", data=hidden(again, "/office/stores")).status_code == 303
    with app.app_context():
        assert "Harbour" in [row.name for row in stores.list_all(actor=ada.actor)]


def test_it_keeps_it_through_the_choice_of_a_shop(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    form = {**fields(client.get("/office/stores")), "name": "Harbour"}
    with app.app_context():
        butcher = make_butcher()
        assert ada.actor.user_id is not None
        accounts.add_member(vendor_id=butcher.vendor_id, user_id=ada.actor.user_id, role=Role.MANAGER)
    end_sessions(app, client)
    shops = answer_sign_in(client, client.post("/office/stores", data=form), ada)
    assert "Choose a shop" in shops.text
    again = client.post("/office/shops", data={**hidden(shops, "/office/shops"), "vendor_id": str(ada.vendor_id)})
    assert "Send it to Ada&#39;s Bakery now" in again.text
    assert client.post("/office/stores", data=hidden(again, "/office/stores")).status_code == 303


def test_it_says_that_a_picture_has_to_be_chosen_again(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    form = {**fields(client.get("/office/program")), "logo_file": (io.BytesIO(make_picture()), "logo.png")}
    end_sessions(app, client)
    again = answer_sign_in(client, client.post("/office/program", data=form), ada)
    assert "Only the picture is not: choose it again afterwards." in again.text


@pytest.mark.parametrize("signed_in_again", [False, True])
def test_it_keeps_it_when_another_tab_signed_out(
    client: FlaskClient, app: Flask, ada: Office, signed_in_again: bool
) -> None:
    sign_in(client, ada)
    page = client.get("/office/stores")
    form = {**fields(page), "name": "Harbour"}
    client.post("/office/sign-out", data=hidden(page, "/office/sign-out"))
    if signed_in_again:
        sign_in(client, ada)
    answer = client.post("/office/stores", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 400
    again = answer if signed_in_again else answer_sign_in(client, answer, ada)
    assert client.post("/office/stores", data=hidden(again, "/office/stores")).status_code == 303
    with app.app_context():
        assert "Harbour" in [row.name for row in stores.list_all(actor=ada.actor)]


def test_it_keeps_what_somebody_typed_who_went_back(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    form = {**fields(client.get("/office/stores")), "name": "Harbour"}
    assert client.post("/office/stores", data=form).status_code == 303
    answer = client.post("/office/stores", data={**form, "name": "Quay"})
    assert answer.status_code == 422
    assert "All that you typed is still here." in answer.text
    assert "signed out" not in answer.text
    again = hidden(answer, "/office/stores")
    for _ in range(2):
        assert client.post("/office/stores", data=again).status_code == 303
    with app.app_context():
        names = [row.name for row in stores.list_all(actor=ada.actor)]
    assert (names.count("Harbour"), names.count("Quay")) == (1, 1)


def test_it_sends_to_one_shop_what_was_sent_to_another_before(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        butcher = make_butcher()
        assert ada.actor.user_id is not None
        accounts.add_member(vendor_id=butcher.vendor_id, user_id=ada.actor.user_id, role=Role.MANAGER)
    sign_in(client, ada)
    enter(client, ada)
    form = {**fields(client.get("/office/stores")), "name": "Harbour"}
    assert client.post("/office/stores", data=form).status_code == 303
    enter(client, butcher)
    # The tab of before is still open, with the key under which the first shop has answered.
    answer = client.post("/office/stores", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert "Send it to Mallory&#39;s Meat now" in answer.text
    for _ in range(2):
        assert client.post("/office/stores", data=hidden(answer, "/office/stores")).status_code == 303
    with app.app_context():
        names = [[row.name for row in stores.list_all(actor=shop.actor)] for shop in (ada, butcher)]
    assert [each.count("Harbour") for each in names] == [1, 1]


def enter(client: FlaskClient, office: Office) -> None:
    page = client.get("/office/shops")
    data = {**hidden(page, "/office/shops"), "vendor_id": str(office.vendor_id)}
    assert client.post("/office/shops", data=data).status_code == 303


def test_it_keeps_nothing_that_another_site_sent(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        answer = client.post("/office/stores", data={"name": "Evil", "key": "x" * 20}, headers=headers)
        assert answer.status_code in (400, 403)
        assert "Evil" not in answer.text


@pytest.mark.parametrize("forged", ["", "nonsense", "WyIvb2ZmaWNlIiwgW10sIGZhbHNlXQ.aaaaaa.bbbbbb"])
def test_it_offers_nothing_that_it_did_not_seal(client: FlaskClient, ada: Office, forged: str) -> None:
    page = client.get("/office/sign-in")
    data = {**hidden(page), "email": ada.email, "password": PASSWORD, "kept": forged}
    answer = client.post("/office/sign-in", data=data)
    assert (answer.status_code, answer.location) == (303, "/office/wizard")


def test_it_never_keeps_a_password(client: FlaskClient, ada: Office) -> None:
    data = {"email": ada.email, "password": PASSWORD}
    answer = client.post("/office/sign-in", data=data, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 400
    assert 'name="kept"' not in answer.text


def programs_name(app: Flask, office: Office) -> str:
    with app.app_context():
        return programs.get(actor=office.actor).card_name
