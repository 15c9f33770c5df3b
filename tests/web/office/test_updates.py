"""The line on the program's page that counts passes which are still to be updated."""

from flask import Flask
from flask.testing import FlaskClient

from tests.browsing import sign_in
from tests.office import make_bakery, make_butcher
from tests.outbox_rows import make_row

HTMX = {"HX-Request": "true"}


def test_it_counts_the_passes_to_go_and_asks_again(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        ada, mallory = make_bakery(), make_butcher()
        for _ in range(3):
            make_row(vendor_id=ada.vendor_id, kind="apple.push")
        make_row(vendor_id=mallory.vendor_id, kind="apple.push")
    sign_in(client, ada)
    line = client.get("/office/program/updates", headers=HTMX).text
    assert "3 to go" in line
    assert 'hx-trigger="every 3s"' in line


def test_it_stops_asking_when_all_are_there(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        ada = make_bakery()
    sign_in(client, ada)
    line = client.get("/office/program/updates", headers=HTMX).text
    assert "to go" not in line
    assert 'hx-trigger="none"' in line


def test_it_begins_with_the_page_of_the_program(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        ada = make_bakery()
    sign_in(client, ada)
    page = client.get("/office/program").text
    assert 'hx-get="/office/program/updates" hx-trigger="load"' in page
    assert client.get("/office/program/updates").location == "/office/program"


def test_it_refuses_a_stranger(client: FlaskClient) -> None:
    assert client.get("/office/program/updates").status_code == 303
    assert client.get("/office/program/updates", headers=HTMX).status_code == 401
