"""Stores in the office."""

from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.services import stores, terminals
from loyalty.services.stores import StoreRow
from tests.browsing import fields, hidden, send, sign_in
from tests.office import Office, key_of, make_butcher


def stored(app: Flask, office: Office) -> list[StoreRow]:
    with app.app_context():
        return stores.list_all(actor=office.actor)


def test_it_opens_a_store_once_per_key(client: FlaskClient, app: Flask, ada: Office) -> None:
    page = client.get("/office/stores")
    typed = {"name": "Harbour", "address": "1, Quai", "latitude": "49,6116", "longitude": "6.1319"}
    for _ in range(2):
        assert send(client, "/office/stores", page, typed).status_code == 303
    row = next(row for row in stored(app, ada) if row.name == "Harbour")
    assert (row.code, row.address, row.latitude, row.longitude) == ("harbour", "1, Quai", 49.6116, 6.1319)
    assert len(stored(app, ada)) == 2
    # Nobody has looked between the two taps; it is said once all the same.
    assert client.get("/office/stores").text.count("“Harbour” is open.") == 1


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("name", " "),
        ("name", "x" * 121),
        ("address", "x" * 301),
        ("latitude", "90.1"),
        ("latitude", "north"),
        ("longitude", "-180,5"),
        ("longitude", "nan"),
    ],
)
def test_it_says_beside_the_field_what_is_wrong(
    client: FlaskClient, app: Flask, ada: Office, name: str, bad: str
) -> None:
    before = stored(app, ada)
    path = f"/office/stores/{ada.store_id}"
    for target in ("/office/stores", path):
        answer = send(client, target, client.get(target), {"name": "Harbour", name: bad})
        assert answer.status_code == 422
        assert f'id="{name}-error"' in answer.text
        assert fields(answer)[name].strip() == bad.strip()
    assert stored(app, ada) == before


def test_it_changes_a_store(client: FlaskClient, app: Flask, ada: Office) -> None:
    path = f"/office/stores/{ada.store_id}"
    assert send(client, path, client.get(path), {"name": "Old Town"}).status_code == 303
    assert [(row.name, row.code) for row in stored(app, ada)] == [("Old Town", "main")]


def test_it_closes_a_store_after_asking_and_opens_it_again(client: FlaskClient, app: Flask, ada: Office) -> None:
    path = f"/office/stores/{ada.store_id}/deactivate"
    page = client.get(path)
    for _ in range(2):
        assert client.post(path, data=hidden(page, path)).status_code == 303
    assert not stored(app, ada)[0].active
    again = f"/office/stores/{ada.store_id}/activate"
    assert client.post(again, data=hidden(client.get("/office/stores"), again)).status_code == 303
    assert stored(app, ada)[0].active


def test_it_says_why_a_store_stays_open(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        made = terminals.create_code(actor=ada.actor, store_id=ada.store_id, label="Till", key=key_of(ada))
        assert made.code is not None
        terminals.pair(code=made.code, source_ip=None, at=made.expires_at.replace(year=made.expires_at.year - 1))
    path = f"/office/stores/{ada.store_id}/deactivate"
    answer = client.post(path, data=hidden(client.get(path), path))
    assert answer.status_code == 422
    assert "Revoke the tablets of this store first." in answer.text
    assert stored(app, ada)[0].active


def test_it_does_not_find_the_stores_next_door(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        mallory = make_butcher()
    thief = app.test_client()
    sign_in(thief, mallory)
    before = stored(app, ada)
    form = {**hidden(thief.get("/office/stores")), "name": "Mine"}
    for store_id in (ada.store_id, uuid4()):
        assert thief.get(f"/office/stores/{store_id}").status_code == 404
        assert thief.get(f"/office/stores/{store_id}/deactivate").status_code == 404
        for step in ("", "/deactivate", "/activate"):
            assert thief.post(f"/office/stores/{store_id}{step}", data=form).status_code == 404
    assert stored(app, ada) == before
