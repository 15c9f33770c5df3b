"""Tablets in the office: a code that is shown once, and an end that counts at once."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.services import stores, terminals
from loyalty.services.terminals import TerminalRow
from loyalty.web.access import now
from tests.browsing import fields, hidden, send, sign_in
from tests.office import Office, key_of, make_butcher


def stored(app: Flask, office: Office) -> list[TerminalRow]:
    with app.app_context():
        return terminals.list_all(actor=office.actor)


def shown(page: TestResponse) -> list[str]:
    return re.findall(r'<p class="secret">([0-9A-Z]{4}-[0-9A-Z]{4})</p>', page.text)


def test_it_shows_a_code_once_and_until_when(client: FlaskClient, app: Flask, ada: Office) -> None:
    page = client.get("/office/tablets")
    typed = {"label": "Counter", "store": str(ada.store_id)}
    answer = send(client, "/office/tablets", page, typed)
    (code,) = shown(answer)
    assert re.search(r"Pairing code, until \d\d:\d\d", answer.text)
    assert "<svg" in answer.text
    again = send(client, "/office/tablets", page, typed)
    assert (shown(again), "This code was shown before" in again.text) == ([], True)
    assert [row.state for row in stored(app, ada)] == ["waiting"]
    with app.app_context():
        terminals.pair(code=code, source_ip=None, at=now())
    assert [row.state for row in stored(app, ada)] == ["paired"]


@pytest.mark.parametrize(("name", "bad"), [("label", " "), ("label", "x" * 121), ("store", ""), ("store", "nonsense")])
def test_it_says_beside_the_field_what_is_wrong(
    client: FlaskClient, app: Flask, ada: Office, name: str, bad: str
) -> None:
    answer = send(client, "/office/tablets", client.get("/office/tablets"), {"label": "Counter", name: bad})
    assert answer.status_code == 422
    assert f'id="{name}-error"' in answer.text
    assert fields(answer)["label"] == (bad if name == "label" else "Counter")
    assert stored(app, ada) == []


def test_it_pairs_with_no_store_next_door_and_no_closed_one(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        mallory = make_butcher()
        stores.deactivate(actor=ada.actor, store_id=ada.store_id, key=key_of(ada))
    for store_id in (mallory.store_id, ada.store_id):
        typed = {"label": "Counter", "store": str(store_id)}
        answer = send(client, "/office/tablets", client.get("/office/tablets"), typed)
        assert (answer.status_code, 'id="store-error"' in answer.text) == (422, True)
    assert stored(app, ada) == []


def test_it_ends_a_tablet_after_asking(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        made = terminals.create_code(actor=ada.actor, store_id=ada.store_id, label="Counter", key=key_of(ada))
        assert made.code is not None
        token = terminals.pair(code=made.code, source_ip=None, at=now()).token
    path = f"/office/tablets/{made.terminal_id}/revoke"
    page = client.get(path)
    assert "Sign out “Counter”" in page.text
    for _ in range(2):
        assert client.post(path, data=hidden(page, path)).status_code == 303
    assert [row.state for row in stored(app, ada)] == ["revoked"]
    with app.app_context():
        assert terminals.authenticate(token=token, at=now()) is None


def test_it_does_not_find_the_tablets_next_door(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        made = terminals.create_code(actor=ada.actor, store_id=ada.store_id, label="Counter", key=key_of(ada))
        mallory = make_butcher()
    thief = app.test_client()
    sign_in(thief, mallory)
    before = stored(app, ada)
    path = f"/office/tablets/{made.terminal_id}/revoke"
    assert thief.get(path).status_code == 404
    assert thief.post(path, data=hidden(thief.get("/office/tablets"))).status_code == 404
    assert stored(app, ada) == before
    assert ">Counter<" not in thief.get("/office/tablets").text
