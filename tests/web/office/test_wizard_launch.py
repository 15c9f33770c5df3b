"""The end of the wizard: the launch, a first tablet, the poster, and what the home page reminds of."""

import re

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db
from loyalty.services import pins, programs, stores
from tests.browsing import hidden, send
from tests.office import Office, key_of

WIZARD = "/office/wizard"
STEPS = ("kind", "rule", "look", "place")


def test_it_asks_for_no_pin_where_the_till_wants_none(app: Flask, client: FlaskClient, ada: Office) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.text("UPDATE vendor_policies SET staff_pin_policy = 'disabled'"))
    page = client.get(f"{WIZARD}/place")
    assert "staff_name" not in page.text
    assert send(client, f"{WIZARD}/place", page, {"name": "Mill Lane"}).location == f"{WIZARD}/launch"


def test_its_settings_are_no_draft_any_more_once_the_program_was_open(
    app: Flask, client: FlaskClient, ada: Office
) -> None:
    with app.app_context():
        programs.activate(actor=ada.actor, key=key_of(ada))
    for step in STEPS:
        assert client.get(f"{WIZARD}/{step}").location == f"{WIZARD}/launch"
    assert client.get(WIZARD).location == f"{WIZARD}/launch"
    assert "Your program was opened already." in client.get(f"{WIZARD}/launch").text


def test_it_saves_no_page_of_before_once_the_program_was_open(app: Flask, client: FlaskClient, ada: Office) -> None:
    pages = {step: client.get(f"{WIZARD}/{step}") for step in (*STEPS, "launch")}
    with app.app_context():
        programs.activate(actor=ada.actor, key=key_of(ada))
    typed = {"kind": {"loyalty_type": "points"}, "look": {"card_name": "Old"}, "rule": {"stamps_target": "3"}}
    for step in STEPS:
        said = {"name": "Elsewhere", "staff_name": "Zed", **typed.get(step, {})}
        answer = send(client, f"{WIZARD}/{step}", pages[step], said)
        assert (answer.status_code, "Change that one." in answer.text) == (409, True), step
    wrong = send(client, f"{WIZARD}/rule", client.get("/office"), {"stamps_target": ""})
    assert wrong.location == f"{WIZARD}/launch"
    with app.app_context():
        found = programs.get(actor=ada.actor)
        assert (found.loyalty_type, found.card_name, found.stamps_target) == ("stamps", "", 10)
        assert [row.name for row in stores.list_all(actor=ada.actor)] == ["Main Street"]
        assert pins.list_all(actor=ada.actor) == []
    # Two owners may press the button: it is open for both. One that was paused since is not opened by an old page.
    launch = hidden(pages["launch"], f"{WIZARD}/launch")
    assert client.post(f"{WIZARD}/launch", data=launch).status_code == 303
    with app.app_context():
        programs.deactivate(actor=ada.actor, key=key_of(ada))
    assert client.post(f"{WIZARD}/launch", data=launch | {"key": "another-page-of-before"}).status_code == 409
    with app.app_context():
        assert not programs.get(actor=ada.actor).is_active


def test_it_shows_a_pairing_code_once(client: FlaskClient, ada: Office) -> None:
    page = client.get(f"{WIZARD}/launch")
    said = {**hidden(page, f"{WIZARD}/tablet"), "label": "Counter left"}
    first = client.post(f"{WIZARD}/tablet", data=said)
    assert re.search(r'<p class="secret">[A-Z0-9]{4}-[A-Z0-9]{4}</p>', first.text)
    assert "QR code of the pairing address" in first.text
    again = client.post(f"{WIZARD}/tablet", data=said)
    assert 'class="secret"' not in again.text
    assert "This code was shown before." in again.text
    blank = client.post(f"{WIZARD}/tablet", data={**hidden(page, f"{WIZARD}/tablet"), "label": ""})
    assert (blank.status_code, "Enter a text." in blank.text) == (422, True)


def test_it_reminds_of_what_is_missing_until_it_is_done(app: Flask, client: FlaskClient, ada: Office) -> None:
    with app.app_context():
        programs.activate(actor=ada.actor, key=key_of(ada))
        pins.create(actor=ada.actor, name="Ben", role="staff", store_id=None, key=key_of(ada))
    home = client.get("/office")
    assert "Still to do" in home.text
    assert "Pair a tablet" in home.text
    placed = client.post(f"{WIZARD}/poster", data=hidden(home, f"{WIZARD}/poster"))
    assert placed.location == "/office"
    home = client.get("/office")
    assert "Put up the poster" not in home.text
    assert "Pair a tablet" in home.text
    page = client.get(f"{WIZARD}/launch")
    assert f'action="{WIZARD}/poster"' not in page.text
