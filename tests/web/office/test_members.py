"""Members and invitations in a browser without JavaScript."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.domain.values import Role
from loyalty.services import accounts, invitations
from tests.accounts import NEW_PASSWORD, mails, token_in
from tests.browsing import hidden, sign_in
from tests.office import PASSWORD, Office, key_of, make_bakery, make_butcher, make_office

MEMBERS, BEN = "/office/members", "ben@bakery.example"


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def invite(client: FlaskClient, email: str = BEN, role: str = "manager") -> TestResponse:
    return client.post(MEMBERS, data={**hidden(client.get(MEMBERS), MEMBERS), "email": email, "role": role})


def link(app: Flask) -> str:
    with app.app_context():
        return f"/office/invitations/{token_in(mails('invitation')[-1])}"


def action(client: FlaskClient, name: str) -> str:
    return str(re.findall(rf'(?:action|href)="({MEMBERS}/[^"]*{name})"', client.get(MEMBERS).text)[-1])


def test_it_invites_somebody_new(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    assert invite(client).location == MEMBERS
    assert BEN in client.get(MEMBERS).text
    ben, address = app.test_client(), link(app)
    page = ben.get(address)
    assert "Ada&#39;s Bakery" in page.text
    assert ben.post(address, data={**hidden(page), "password": "short"}).status_code == 422
    form = {**hidden(ben.get(address)), "password": NEW_PASSWORD}
    twice = app.test_client()
    form_of_twin = {**hidden(twice.get(address)), "password": NEW_PASSWORD, "key": form["key"]}
    # Whoever has just chosen a password need not type it once more; a second tap says no more than where to sign in.
    assert ben.post(address, data=form).location == "/office"
    assert twice.post(address, data=form_of_twin).location == "/office/sign-in"
    assert "Sign in to enter the office" in twice.get("/office/sign-in").text
    assert "Your password is set." in ben.get("/office").text
    assert ben.get("/office/rewards").status_code == 200
    assert ben.get(MEMBERS).status_code == 403
    assert ben.get(address).status_code == 404


def test_it_goes_on_in_the_language_of_the_invitation(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        invitations.create(
            actor=ada.actor, email=BEN, role="manager", locale="lb", at=datetime.now(UTC), key=key_of(ada)
        )
    address = link(app)
    client.post(address, data={**hidden(client.get(address)), "password": NEW_PASSWORD})
    page = client.get("/office").text
    assert '<html lang="lb"' in page
    assert "Äert Passwuert ass gesat." in page


def test_it_lets_somebody_join_who_signs_in_already(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        mallory = make_butcher()
    sign_in(client, ada)
    invite(client, mallory.email, "owner")
    address, hers = link(app), app.test_client()
    assert "Sign out first." in client.get(address).text
    assert client.post(address, data=hidden(client.get(MEMBERS), MEMBERS)).status_code == 403
    to_sign_in = re.findall(r'href="(/office/sign-in\?next=[^"]+)"', hers.get(address).text)[0]
    form = {**hidden(hers.get(to_sign_in)), "email": mallory.email, "password": PASSWORD}
    assert hers.post("/office/sign-in", data=form).location == address
    assert hers.post(address, data=hidden(hers.get(address), address)).location == "/office/shops"
    assert "Ada&#39;s Bakery" in hers.get("/office/shops").text


def test_it_keeps_what_was_typed_and_says_what_is_wrong(client: FlaskClient, ada: Office) -> None:
    sign_in(client, ada)
    for email in ("nonsense", ada.email, ""):
        answer = invite(client, email)
        assert answer.status_code == 422
        assert f'value="{email}"' in answer.text


def test_it_withdraws_an_invitation(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    invite(client)
    address, withdraw = link(app), action(client, "withdraw")
    form = hidden(client.get(MEMBERS), withdraw)
    for _ in range(2):
        assert client.post(withdraw, data=form).location == MEMBERS
    assert client.get(address).status_code == 404


def test_it_changes_roles_and_removes(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    for refused in (action(client, "role"), action(client, "remove")):
        page = client.get(refused if refused.endswith("remove") else MEMBERS)
        answer = client.post(refused, data=hidden(page, refused))
        assert answer.status_code == 422
        assert "A shop needs an owner." in answer.text
    with app.app_context():
        accounts.create_owner(vendor_id=ada.vendor_id, email=BEN, password=PASSWORD, role=Role.MANAGER)
    role = action(client, "role")
    assert client.post(role, data=hidden(client.get(MEMBERS), role)).location == MEMBERS
    assert "The role of ben@bakery.example is changed." in client.get(MEMBERS).text
    ben = app.test_client()
    sign_in(ben, Office(ada.vendor_id, ada.store_id, ada.code, BEN, ada.actor))
    assert ben.get(MEMBERS).status_code == 200
    remove = action(client, "remove")
    form = hidden(client.get(remove), remove)
    for _ in range(2):
        assert client.post(remove, data=form).location == MEMBERS
    assert ben.get("/office/rewards").location == "/office/shops"


def test_it_is_for_owners_alone(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        mia = make_office("Corner Café", "mia@cafe.example", role=Role.MANAGER)
    assert client.get(MEMBERS).location == f"/office/sign-in?next={MEMBERS}"
    sign_in(client, mia)
    page = client.get("/office")
    assert f'href="{MEMBERS}"' not in page.text
    token = hidden(page, "/office/sign-out")
    assert client.get(MEMBERS).status_code == 403
    assert client.post(MEMBERS, data={**token, "key": "x" * 20, "email": BEN, "role": "owner"}).status_code == 403
