"""From the card page into Google Wallet."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.services import google_passes
from loyalty.wallets.google_account import SAVE_ADDRESS
from tests.factories import Card, make_card, make_shop
from tests.google_fake import GoogleFake
from tests.google_platform import deliver_all, object_id

ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"


@pytest.fixture
def cleo(app: Flask, google: GoogleFake) -> Card:
    with app.app_context():
        return make_card(make_shop(vendor={"name": "Ada's Bakery"}), stamps=3)


def test_it_leads_to_google_once_google_knows_the_card(
    app: Flask, client: FlaskClient, cleo: Card, google: GoogleFake
) -> None:
    address = f"/card/{cleo.public_token}/google"
    waiting = client.get(address)
    assert waiting.status_code == 200
    assert "being prepared" in waiting.text
    assert waiting.headers["Refresh"] == f"1; url={address}?tries=1"
    with app.app_context():
        deliver_all()
    found = client.get(address)
    assert found.status_code == 303
    assert found.headers["Location"].startswith(SAVE_ADDRESS)
    assert object_id(cleo) in google.objects


def test_it_keeps_link_and_address_to_itself(app: Flask, client: FlaskClient, cleo: Card) -> None:
    with app.app_context():
        google_passes.offer_link(token=cleo.public_token, at=datetime.now(UTC))
        deliver_all()
    found = client.get(f"/card/{cleo.public_token}/google")
    assert found.headers["Cache-Control"] == "no-store"
    assert found.headers["Referrer-Policy"] == "no-referrer"
    assert found.headers["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize("tries", ["15", "999999999999", "x", "-5"])
def test_it_does_not_wait_for_ever(client: FlaskClient, cleo: Card, tries: str) -> None:
    page = client.get(f"/card/{cleo.public_token}/google?tries={tries}")
    assert page.status_code == 200
    assert ("Refresh" in page.headers) == (tries in ("x", "-5"))
    assert ("does not answer now" in page.text) == (tries not in ("x", "-5"))


def test_it_finds_no_card_for_whoever_guesses(client: FlaskClient, cleo: Card) -> None:
    page = client.get("/card/nothing/google")
    assert page.status_code == 404
    assert "There is no card at this address." in page.text


def test_it_offers_nothing_where_google_is_not_configured(client: FlaskClient, cleo: Card) -> None:
    assert "Add to Google Wallet" in client.get(f"/card/{cleo.public_token}").text
    google_passes.configure(google=None)
    assert "Add to Google Wallet" not in client.get(f"/card/{cleo.public_token}").text
    assert client.get(f"/card/{cleo.public_token}/google").status_code == 404


def test_it_shows_the_way_on_the_card_page(client: FlaskClient, cleo: Card) -> None:
    page = client.get(f"/card/{cleo.public_token}", headers={"User-Agent": ANDROID}).text
    assert f'<a class="wallet" href="/card/{cleo.public_token}/google"' in page


def test_it_serves_a_logo_for_shops_without_one(client: FlaskClient) -> None:
    logo = client.get("/google/logo.png")
    assert logo.status_code == 200
    assert logo.headers["Content-Type"] == "image/png"
    assert "public" in logo.headers["Cache-Control"]
    assert logo.data.startswith(b"\x89PNG")
    # Google asks for 660 x 660 at least.
    assert logo.data[16:24] == (660).to_bytes(4) * 2
