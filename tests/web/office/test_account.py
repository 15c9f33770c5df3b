"""One's own account in a browser without JavaScript: password, second factor, sessions."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.accounts import NEW_PASSWORD, code_at, mails
from tests.browsing import hidden, sign_in
from tests.office import PASSWORD, Office, make_bakery, make_butcher

ACCOUNT, FACTOR = "/office/account", "/office/account/second-factor"


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def send(client: FlaskClient, page: str, action: str, **typed: str) -> TestResponse:
    return client.post(action, data={**hidden(client.get(page), action), **typed})


def turn_on(client: FlaskClient) -> tuple[str, list[str]]:
    """Turn the second factor on; returns the secret and the recovery codes."""
    page = client.get(FACTOR)
    (secret,) = re.findall(r'class="secret long">([A-Z2-7]{32})<', page.text)
    answer = client.post(FACTOR, data={**hidden(page, FACTOR), "code": code_at(secret, datetime.now(UTC))})
    assert answer.status_code == 200, answer.text
    (shown,) = re.findall(r'class="secret long">(.*?)</p>', answer.text)
    return secret, shown.split("<br>")


@pytest.mark.parametrize("path", [ACCOUNT, FACTOR])
def test_it_leads_a_stranger_to_the_sign_in_and_back(client: FlaskClient, ada: Office, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (303, f"/office/sign-in?next={path}")
    page = client.get(answer.location)
    signed_in = {**hidden(page), "email": ada.email, "password": PASSWORD}
    assert client.post("/office/sign-in", data=signed_in).location == path
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("action", [f"{ACCOUNT}/password", f"{ACCOUNT}/sessions/end", FACTOR, f"{FACTOR}/off"])
def test_it_refuses_what_a_stranger_sends(client: FlaskClient, ada: Office, action: str) -> None:
    token = hidden(client.get("/office/sign-in"))
    assert client.post(action, data={**token, "key": "x" * 20}).status_code == 401


def test_it_asks_for_a_code_after_the_password(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    _, codes = turn_on(client)
    assert len(codes) == 10
    assert codes[0] not in client.get(ACCOUNT).text
    fresh = app.test_client()
    first = {**hidden(fresh.get("/office/sign-in?next=/office/rewards")), "email": ada.email, "password": PASSWORD}
    step = fresh.post("/office/sign-in", data=first)
    assert step.status_code == 200
    assert fresh.get("/office").status_code == 303
    wrong = fresh.post("/office/sign-in", data={**hidden(step), "code": "000000"})
    assert wrong.status_code == 422
    assert "This code does not fit." in wrong.text
    right = fresh.post("/office/sign-in", data={**hidden(wrong), "code": codes[0]})
    assert (right.status_code, right.location) == (303, "/office/rewards")
    assert fresh.get("/office/rewards").status_code == 200


def test_it_begins_again_with_a_forged_challenge(client: FlaskClient, ada: Office) -> None:
    token = hidden(client.get("/office/sign-in"))
    answer = client.post("/office/sign-in", data={**token, "challenge": "forged", "code": "000000"})
    assert answer.status_code == 401
    assert 'name="password"' in answer.text


def test_it_says_how_long_to_wait_after_wrong_codes(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    _, codes = turn_on(client)
    fresh = app.test_client()
    first = {**hidden(fresh.get("/office/sign-in")), "email": ada.email, "password": PASSWORD}
    step = fresh.post("/office/sign-in", data=first)
    for _ in range(5):
        fresh.post("/office/sign-in", data={**hidden(step), "code": "000000"})
    answer = fresh.post("/office/sign-in", data={**hidden(step), "code": codes[0]})
    assert answer.status_code == 429
    assert "Too many tries. Wait a minute." in answer.text


def test_it_keeps_the_same_secret_after_a_wrong_code_and_survives_a_second_tap(
    client: FlaskClient, ada: Office
) -> None:
    sign_in(client, ada)
    page = client.get(FACTOR)
    wrong = client.post(FACTOR, data={**hidden(page, FACTOR), "code": "000000"})
    assert wrong.status_code == 422
    secret = re.findall(r"[A-Z2-7]{32}", page.text)
    assert secret == re.findall(r"[A-Z2-7]{32}", wrong.text)
    form = {**hidden(wrong, FACTOR), "code": code_at(secret[0], datetime.now(UTC))}
    assert "Keep these recovery codes." in client.post(FACTOR, data=form).text
    again = client.post(FACTOR, data=form)
    assert again.status_code == 200
    assert "were shown before" in again.text


def test_it_turns_the_second_factor_off_after_both(client: FlaskClient, ada: Office) -> None:
    sign_in(client, ada)
    _, codes = turn_on(client)
    off = f"{FACTOR}/off"
    assert send(client, FACTOR, off, password="not this one", code=codes[0]).status_code == 422
    assert send(client, FACTOR, off, password=PASSWORD, code="000000").status_code == 422
    assert send(client, FACTOR, off, password=PASSWORD, code=codes[0]).location == ACCOUNT
    assert "The second factor is off." in client.get(ACCOUNT).text


def test_it_lists_and_ends_sessions(client: FlaskClient, app: Flask, ada: Office) -> None:
    browsers = [app.test_client() for _ in range(3)]
    for browser in browsers:
        sign_in(browser, ada)
    sign_in(client, ada)
    page = client.get(ACCOUNT)
    assert "4 sessions" in page.text
    assert page.text.count("This one") == 1
    actions = re.findall(r'action="(/office/account/sessions/[0-9a-f-]{36}/end)"', page.text)
    assert len(actions) == 3
    form = hidden(page, actions[0])
    for _ in range(2):
        assert client.post(actions[0], data=form).location == ACCOUNT
    assert sorted(browser.get("/office").status_code for browser in browsers) == [200, 200, 303]
    send(client, ACCOUNT, f"{ACCOUNT}/sessions/end")
    assert "2 sessions are ended." in client.get(ACCOUNT).text
    assert {browser.get("/office").status_code for browser in browsers} == {303}


def test_it_ends_no_session_of_somebody_else(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        mallory = make_butcher()
    hers = app.test_client()
    for _ in range(2):
        sign_in(app.test_client(), ada)
    sign_in(hers, mallory)
    sign_in(client, ada)
    action = re.findall(r'action="(/office/account/sessions/[0-9a-f-]{36}/end)"', client.get(ACCOUNT).text)[0]
    form = hidden(hers.get(ACCOUNT), f"{ACCOUNT}/password")
    assert hers.post(action, data=form).status_code == 404
    assert "3 sessions" in client.get(ACCOUNT).text


def test_it_changes_the_password_and_says_what_is_wrong(client: FlaskClient, app: Flask, ada: Office) -> None:
    other = app.test_client()
    sign_in(other, ada)
    sign_in(client, ada)
    action = f"{ACCOUNT}/password"
    assert "This is not your password." in send(client, ACCOUNT, action, password="guess", new=NEW_PASSWORD).text
    assert "Use at least 12 characters." in send(client, ACCOUNT, action, password=PASSWORD, new="short").text
    assert send(client, ACCOUNT, action, password=PASSWORD, new=NEW_PASSWORD).location == ACCOUNT
    assert client.get("/office").status_code == 200
    assert other.get("/office").status_code == 303


def test_it_knows_a_browser_again_and_tells_of_new_ones(client: FlaskClient, app: Flask, ada: Office) -> None:
    for _ in range(2):
        sign_in(client, ada)
        client.post("/office/sign-out", data=hidden(client.get("/office"), "/office/sign-out"))
    cookie = client.get_cookie("browser")
    assert cookie is not None
    assert cookie.http_only
    with app.app_context():
        assert mails("new_sign_in") == []
    sign_in(app.test_client(), ada)
    with app.app_context():
        assert len(mails("new_sign_in")) == 1


def test_it_speaks_the_language_that_somebody_chose_everywhere(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    action = f"{ACCOUNT}/language"
    chosen = {**hidden(client.get(ACCOUNT), action), "locale": "fr"}
    answers = [client.post(action, data=chosen) for _ in range(2)]
    assert [answer.location for answer in answers] == [f"{ACCOUNT}?lang=fr"] * 2
    assert '<html lang="fr"' in client.get(answers[0].location).text
    elsewhere = app.test_client()
    sign_in(elsewhere, ada)
    assert '<html lang="fr"' in elsewhere.get("/office").text
    with app.app_context():
        assert mails("new_sign_in")[-1].subject == "Connexion depuis un nouveau navigateur"


def test_it_refuses_a_language_that_nobody_translated(client: FlaskClient, ada: Office) -> None:
    sign_in(client, ada)
    answer = send(client, ACCOUNT, f"{ACCOUNT}/language", locale="xx")
    assert answer.status_code == 422
    assert 'href="#locale"' in answer.text
    assert '<html lang="en"' in client.get(ACCOUNT).text
    assert client.post(f"{ACCOUNT}/language", data={"locale": "fr"}).status_code == 400


def test_it_offers_other_languages_before_somebody_signs_in(client: FlaskClient) -> None:
    page = client.get("/office/sign-in?next=/office/customers")
    assert 'href="/office/sign-in?lang=lb&amp;next=/office/customers"' in page.text
    there = client.get("/office/sign-in?lang=lb&next=/office/customers")
    assert '<html lang="lb"' in there.text
    assert 'name="next" value="/office/customers"' in there.text
    assert 'href="/office/password?lang=de"' in client.get("/office/password").text
