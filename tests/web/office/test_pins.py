"""Staff and their PINs in the office: shown once, and only to the owner."""

import re
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.database import db, transaction
from loyalty.models.pins import PinThrottle
from loyalty.services import pins
from loyalty.services.pins import StaffPinRow
from loyalty.web.access import now
from tests.browsing import fields, hidden, send, sign_in
from tests.office import Office, key_of, make_butcher


def stored(app: Flask, office: Office) -> list[StaffPinRow]:
    with app.app_context():
        return pins.list_all(actor=office.actor)


def make_ben(app: Flask, office: Office) -> UUID:
    with app.app_context():
        made = pins.create(actor=office.actor, name="Ben", role="staff", store_id=None, key=key_of(office))
        return made.staff_pin_id


def shown(page: TestResponse) -> list[str]:
    return re.findall(r'<p class="secret">(\d+)</p>', page.text)


def test_it_shows_a_new_pin_once(client: FlaskClient, app: Flask, ada: Office) -> None:
    page = client.get("/office/staff")
    typed = {"name": "Ben", "role": "manager", "store": str(ada.store_id)}
    answer = send(client, "/office/staff", page, typed)
    assert answer.status_code == 200
    assert len(shown(answer)) == 1
    assert answer.headers["Cache-Control"] == "no-store"
    again = send(client, "/office/staff", page, typed)
    assert shown(again) == []
    assert "The PIN of Ben was shown before" in again.text
    assert shown(client.get("/office/staff")) == []
    (row,) = stored(app, ada)
    assert (row.name, row.role.name, row.store_id) == ("Ben", "MANAGER", ada.store_id)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("role", "owner"),
        ("role", ""),
        ("store", "nonsense"),
        ("store", "00000000-0000-7000-8000-000000000001"),
    ],
)
def test_it_says_beside_the_field_what_is_wrong(
    client: FlaskClient, app: Flask, ada: Office, name: str, bad: str
) -> None:
    answer = send(client, "/office/staff", client.get("/office/staff"), {"name": "Ben", name: bad})
    assert answer.status_code == 422
    assert f'id="{name}-error"' in answer.text
    assert fields(answer)["name"] == (bad if name == "name" else "Ben")
    assert stored(app, ada) == []


def test_it_gives_no_pin_at_a_store_next_door(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        mallory = make_butcher()
    typed = {"name": "Ben", "store": str(mallory.store_id)}
    assert send(client, "/office/staff", client.get("/office/staff"), typed).status_code == 422
    assert stored(app, ada) == []


def test_it_makes_another_pin_once_per_key(client: FlaskClient, app: Flask, ada: Office) -> None:
    path = f"/office/staff/{make_ben(app, ada)}/regenerate"
    page = client.get("/office/staff")
    first = client.post(path, data=hidden(page, path))
    assert (first.status_code, len(shown(first))) == (200, 1)
    assert shown(client.post(path, data=hidden(page, path))) == []


def test_it_ends_a_pin_after_asking(client: FlaskClient, app: Flask, ada: Office) -> None:
    path = f"/office/staff/{make_ben(app, ada)}/deactivate"
    page = client.get(path)
    assert "End the PIN of Ben" in page.text
    for _ in range(2):
        assert client.post(path, data=hidden(page, path)).status_code == 303
    assert not stored(app, ada)[0].active
    assert "The PIN of Ben is ended." in client.get("/office/staff").text


def test_it_shows_who_is_locked_and_unlocks(client: FlaskClient, app: Flask, ada: Office) -> None:
    staff_pin_id = make_ben(app, ada)
    with app.app_context(), transaction():
        wait = {"failed_attempts": 9, "locked_until": now().replace(year=2099), "window_started_at": now()}
        db.session.add(PinThrottle(source="terminal:x", subject=str(staff_pin_id), **wait))
    path = f"/office/staff/{staff_pin_id}/unlock"
    page = client.get("/office/staff")
    assert "Locked until" in page.text
    assert client.post(path, data=hidden(page, path)).status_code == 303
    assert "Locked until" not in client.get("/office/staff").text


def test_it_does_not_find_the_staff_next_door(client: FlaskClient, app: Flask, ada: Office) -> None:
    staff_pin_id = make_ben(app, ada)
    with app.app_context():
        mallory = make_butcher()
    thief = app.test_client()
    sign_in(thief, mallory)
    before = stored(app, ada)
    form = hidden(thief.get("/office/staff"))
    assert thief.get(f"/office/staff/{staff_pin_id}/deactivate").status_code == 404
    for step in ("deactivate", "regenerate", "unlock"):
        assert thief.post(f"/office/staff/{staff_pin_id}/{step}", data=form).status_code == 404
    assert stored(app, ada) == before
    assert ">Ben<" not in thief.get("/office/staff").text
