"""A forgotten password: a link by mail, the same words for everybody."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.accounts import NEW_PASSWORD, mails, token_in
from tests.browsing import hidden, sign_in
from tests.office import PASSWORD, Office, make_bakery

ASK = "/office/password"


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def ask(client: FlaskClient, email: str) -> TestResponse:
    return client.post(ASK, data={**hidden(client.get(ASK)), "email": email})


def link(app: Flask) -> str:
    with app.app_context():
        return f"{ASK}/{token_in(mails('password_reset')[-1])}"


def test_it_leads_from_the_sign_in_to_a_new_password(client: FlaskClient, app: Flask, ada: Office) -> None:
    thief = app.test_client()
    sign_in(thief, ada)
    assert f'href="{ASK}"' in client.get("/office/sign-in").text
    assert ask(client, ada.email).location == f"{ASK}/sent"
    assert client.get(f"{ASK}/sent").status_code == 200
    address = link(app)
    # Mail scanners open links, too.
    assert [client.get(address).status_code for _ in range(2)] == [200, 200]
    form = {**hidden(client.get(address)), "password": NEW_PASSWORD}
    for _ in range(2):
        assert client.post(address, data=form).location == "/office/sign-in"
    assert "The new password is set." in client.get("/office/sign-in").text
    assert thief.get("/office").status_code == 303
    page = client.get("/office/sign-in")
    answer = client.post("/office/sign-in", data={**hidden(page), "email": ada.email, "password": NEW_PASSWORD})
    # Her program was never open.
    assert answer.location == "/office/wizard"


def test_it_answers_everybody_alike(client: FlaskClient, ada: Office) -> None:
    answers = [ask(client, email) for email in (ada.email, "nobody@bakery.example")]
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, f"{ASK}/sent")}
    wrong = ask(client, "nonsense")
    assert wrong.status_code == 422
    assert 'value="nonsense"' in wrong.text
    assert ask(client, "").status_code == 422


def test_it_says_when_too_many_were_asked_for(client: FlaskClient, ada: Office) -> None:
    for number in range(10):
        ask(client, f"n{number}@bakery.example")
    answer = ask(client, ada.email)
    assert answer.status_code == 429
    assert re.search(r"Too many tries\. Wait \d+ minutes\.", answer.text)


def test_it_says_what_is_wrong_with_a_password_and_leaves_the_link(
    client: FlaskClient, app: Flask, ada: Office
) -> None:
    ask(client, ada.email)
    address = link(app)
    for password in ("short", ""):
        answer = client.post(address, data={**hidden(client.get(address)), "password": password})
        assert answer.status_code == 422
    assert client.get(address).status_code == 200
    sign_in(client, ada)


def test_it_opens_no_used_or_forged_link(client: FlaskClient, app: Flask, ada: Office) -> None:
    ask(client, ada.email)
    address = link(app)
    form = hidden(client.get(address))
    client.post(address, data={**form, "password": NEW_PASSWORD})
    for path in (address, f"{ASK}/forged"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "Ask for a new one where you sign in." in answer.text
        again = {**form, "key": "another-key-of-some-length", "password": PASSWORD}
        assert client.post(path, data=again).status_code == 404
