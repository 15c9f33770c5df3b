"""Keys in the office: only the owner makes them, and each is shown once."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.domain.values import Role, Scope
from loyalty.services import api_keys
from loyalty.services.api_keys import KeyRow
from tests.browsing import fields, hidden, send, sign_in
from tests.office import Office, key_of, make_butcher, make_office


def stored(app: Flask, office: Office) -> list[KeyRow]:
    with app.app_context():
        return api_keys.list_all(actor=office.actor)


def shown(page: TestResponse) -> list[str]:
    return re.findall(r"lp_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", page.text)


def opens(app: Flask, text: str) -> int:
    return (
        app.test_client().post("/api/v1/vendor/loyalty/stamps", headers={"Authorization": f"Bearer {text}"}).status_code
    )


def test_it_shows_a_key_once(client: FlaskClient, app: Flask, ada: Office) -> None:
    page = client.get("/office/keys")
    typed = {"name": "Cash register", "scope": "till", "store": str(ada.store_id), "requests_per_minute": "600"}
    answer = send(client, "/office/keys", page, typed)
    (text,) = shown(answer)
    again = send(client, "/office/keys", page, typed)
    assert (shown(again), "was shown before" in again.text) == ([], True)
    (row,) = stored(app, ada)
    assert (row.name, row.scope, row.stores, row.requests_per_minute) == (
        "Cash register",
        Scope.TILL,
        ("Main Street",),
        600,
    )
    assert shown(client.get("/office/keys")) == []
    assert opens(app, text) != 401


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("name", " "),
        ("name", "x" * 121),
        ("scope", "platform"),
        ("scope", "all"),
        ("store", "nonsense"),
        ("requests_per_minute", "0"),
        ("requests_per_minute", "many"),
        ("days", "7"),
    ],
)
def test_it_says_beside_the_field_what_is_wrong(
    client: FlaskClient, app: Flask, ada: Office, name: str, bad: str
) -> None:
    answer = send(client, "/office/keys", client.get("/office/keys"), {"name": "Cash register", name: bad})
    assert answer.status_code == 422
    assert f'id="{name}-error"' in answer.text
    assert fields(answer)["name"] == (bad if name == "name" else "Cash register")
    assert stored(app, ada) == []


def test_it_limits_no_key_to_a_store_next_door(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        butcher = make_butcher()
    typed = {"name": "Cash register", "store": str(butcher.store_id)}
    assert send(client, "/office/keys", client.get("/office/keys"), typed).status_code == 422
    assert stored(app, ada) == []


def test_it_lets_a_key_of_one_store_manage_nothing(client: FlaskClient, app: Flask, ada: Office) -> None:
    typed = {"name": "Cash register", "scope": "manage", "store": str(ada.store_id)}
    answer = send(client, "/office/keys", client.get("/office/keys"), typed)
    assert (answer.status_code, 'id="scope-error"' in answer.text) == (422, True)
    assert (fields(answer)["name"], stored(app, ada)) == ("Cash register", [])


def test_it_replaces_a_key_and_keeps_the_old_one_for_a_while(client: FlaskClient, app: Flask, ada: Office) -> None:
    (old,) = shown(send(client, "/office/keys", client.get("/office/keys"), {"name": "Cash register"}))
    path = f"/office/keys/{stored(app, ada)[0].api_key_id}/rotate"
    assert send(client, path, client.get(path), {"overlap": "for ever"}).status_code == 422
    answer = send(client, path, client.get(path), {"overlap": "hour"})
    (new,) = shown(answer)
    assert "The old key works until" in answer.text
    assert (opens(app, old) != 401, opens(app, new) != 401) == (True, True)
    (last,) = shown(send(client, path, client.get(path), {"overlap": "now"}))
    assert [opens(app, text) != 401 for text in (old, new, last)] == [False, False, True]


def test_it_revokes_a_key_at_once(client: FlaskClient, app: Flask, ada: Office) -> None:
    (text,) = shown(send(client, "/office/keys", client.get("/office/keys"), {"name": "Cash register"}))
    path = f"/office/keys/{stored(app, ada)[0].api_key_id}/revoke"
    page = client.get(path)
    answer = client.post(path, data=hidden(page), follow_redirects=True)
    assert "The key is revoked." in answer.text
    assert opens(app, text) == 401
    assert client.post(path, data=hidden(page), follow_redirects=True).status_code == 200
    assert client.get(path.replace("revoke", "rotate")).status_code == 200
    assert [row.state for row in stored(app, ada)] == ["revoked"]


def test_it_is_the_owners_page(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        mia = make_office("Ada's Bakery", "mia@bakery.example", Role.MANAGER)
    sign_in(client, mia)
    assert client.get("/office/keys").status_code == 403
    assert "/office/keys" not in client.get("/office/").text


def test_it_finds_no_key_of_the_shop_next_door(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        butcher = make_butcher()
        made = api_keys.create(actor=butcher.actor, name="Scales", scope=Scope.TILL, key=key_of(butcher))
    assert client.get(f"/office/keys/{made.api_key_id}/rotate").status_code == 404
    assert client.get(f"/office/keys/{made.api_key_id}/revoke").status_code == 404
    typed = hidden(client.get("/office/keys"))
    assert client.post(f"/office/keys/{made.api_key_id}/revoke", data=typed).status_code == 404
    assert [row.state for row in stored(app, butcher)] == ["live"]
