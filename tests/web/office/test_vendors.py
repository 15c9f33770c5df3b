"""The shop's own settings in the office."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db, transaction
from loyalty.models.vendors import Vendor
from loyalty.services import vendors
from loyalty.services.vendors import VendorSettings
from tests.browsing import fields, send, sign_in
from tests.office import Office, make_butcher


def stored(app: Flask, office: Office) -> VendorSettings:
    with app.app_context():
        return vendors.get_settings(actor=office.actor)


def test_it_saves_all_settings_once_per_key(client: FlaskClient, app: Flask, ada: Office) -> None:
    typed = {
        "name": "Bäckerei Ada",
        "locale": "de",
        "country": "DE",
        "timezone": "Europe/Berlin",
        "contact_field": "phone",
        "confirm_address": "y",
        "ask_name": "y",
        "ask_birthday": "y",
        "ask_marketing": "y",
        "pin_length": "6",
    }
    page = client.get("/office/settings")
    for _ in range(2):
        assert send(client, "/office/settings", page, typed).status_code == 303
    present = stored(app, ada)
    assert (present.name, present.locale, present.country, present.timezone) == (
        "Bäckerei Ada",
        "de",
        "DE",
        "Europe/Berlin",
    )
    assert (present.contact_field, present.pin_length) == ("phone", 6)
    assert (present.confirm_address, present.ask_name, present.ask_birthday, present.ask_marketing) == (True,) * 4
    assert send(client, "/office/settings", client.get("/office/settings"), {"ask_name": None}).status_code == 303
    assert stored(app, ada).ask_name is False


@pytest.mark.parametrize("timezone", ["Europe/Luxembourg", "UTC"])
def test_it_sends_back_what_it_shows(client: FlaskClient, app: Flask, ada: Office, timezone: str) -> None:
    with app.app_context(), transaction():
        db.session.get_one(Vendor, ada.vendor_id).timezone = timezone
    before = stored(app, ada)
    assert send(client, "/office/settings", client.get("/office/settings"), {}).status_code == 303
    assert stored(app, ada) == before


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("locale", "it"),
        ("country", "ZZ"),
        ("timezone", "Mars/Olympus"),
        ("contact_field", "fax"),
        ("pin_length", "5"),
        ("pin_length", "many"),
    ],
)
def test_it_says_beside_the_field_what_is_wrong(
    client: FlaskClient, app: Flask, ada: Office, name: str, bad: str
) -> None:
    before = stored(app, ada)
    answer = send(client, "/office/settings", client.get("/office/settings"), {"ask_name": "y", name: bad})
    assert answer.status_code == 422
    assert f'id="{name}-error"' in answer.text
    assert "<title>Error: Settings" in answer.text
    assert "ask_name" in fields(answer)
    assert stored(app, ada) == before


def test_it_leaves_the_shop_next_door_alone(client: FlaskClient, app: Flask, ada: Office) -> None:
    with app.app_context():
        mallory = make_butcher()
    before = stored(app, ada)
    thief = app.test_client()
    sign_in(thief, mallory)
    assert send(thief, "/office/settings", thief.get("/office/settings"), {"pin_length": "6"}).status_code == 303
    assert stored(app, ada) == before
