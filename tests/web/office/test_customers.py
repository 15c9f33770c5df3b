"""Customers in the office: found, shown, corrected, deactivated; their passes and links sent again."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db, transaction
from loyalty.models.cards import LoyaltyCard
from loyalty.services import card_lists, stamps
from tests.browsing import hidden
from tests.factories import make_card, make_key, make_shop
from tests.google_fake import GoogleFake
from tests.google_platform import google, save
from tests.web.office.customer_pages import Bakery, enter, open_bakery

__all__ = ["google"]


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    return open_bakery(app, client)


def test_it_asks_for_the_poster_where_nobody_has_joined(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        shop = make_shop()
    enter(app, client, shop)
    page = client.get("/office/customers").text
    assert "No customers yet." in page
    assert "<table" not in page


@pytest.mark.parametrize(
    "text", ["Cleo", "martin", " CLEO martin ", "cleo@example.org", "621 123 456", "+352 621 123 456"]
)
def test_it_finds_a_customer_by_what_people_say(client: FlaskClient, bakery: Bakery, text: str) -> None:
    with bakery.app.app_context():
        make_card(bakery.shop, name="Dora Weber")
    page = client.get("/office/customers", query_string={"q": text}).text
    assert f'href="{bakery.path}"' in page
    assert "1 of 1 customer, newest first" in page
    assert "Dora" not in page


def test_it_finds_a_card_by_its_number_and_keeps_what_was_typed(client: FlaskClient, bakery: Bakery) -> None:
    number = bakery.cleo.card_number
    page = client.get("/office/customers", query_string={"q": f"{number[:4]} {number[4:7]} {number[7:]}"}).text
    assert f'href="{bakery.path}"' in page
    page = client.get("/office/customers", query_string={"q": '<b>"nobody"', "show": "active"}).text
    assert 'value="&lt;b&gt;&#34;nobody&#34;"' in page
    assert "Nothing fits" in page
    assert "Show all customers" in page


@pytest.mark.parametrize("typed", ["%", "_", "x" * 5000, "@", "12345678901234567890", "\u202e"])
def test_it_finds_nobody_by_nonsense(client: FlaskClient, bakery: Bakery, typed: str) -> None:
    answer = client.get("/office/customers", query_string={"q": typed, "show": "nonsense", "page": "-3"})
    assert answer.status_code == 200
    assert bakery.path not in answer.text


def test_it_lists_the_newest_first_in_pages_of_fifty(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        for number in range(52):
            make_card(bakery.shop, name=f"Customer {number:02}")
    first = client.get("/office/customers")
    assert "50 of 53 customers, newest first" in first.text
    assert first.text.index("Customer 51") < first.text.index("Customer 02")
    assert "Cleo Martin" not in first.text
    assert 'rel="next" href="/office/customers?page=2"' in first.text
    for page in ("2", "999999"):
        last = client.get(f"/office/customers?page={page}").text
        assert "Cleo Martin" in last
        assert "3 of 53 customers" in last
        assert 'rel="prev" href="/office/customers"' in last


def test_it_filters_by_state_and_by_what_wallets_show(client: FlaskClient, bakery: Bakery, google: GoogleFake) -> None:
    with bakery.app.app_context():
        save(bakery.cleo)
        lost = make_card(bakery.shop, name="Dora Weber")
        with transaction():
            db.session.execute(sa.update(LoyaltyCard).where(LoyaltyCard.id == lost.card_id).values(is_active=False))

    def shown(show: str) -> tuple[bool, bool]:
        page = client.get("/office/customers", query_string={"show": show}).text
        return "Cleo" in page, "Dora" in page

    assert [shown(show) for show in ("all", "active", "inactive", "behind")] == [
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    ]
    assert "Every pass shows what its card has." in client.get("/office/customers?show=behind").text
    with bakery.app.app_context():
        stamps.add(actor=bakery.shop.ben, card=bakery.cleo.ref, quantity=1, key=make_key(bakery.shop.ben))
    assert shown("behind") == (True, False)
    assert "Behind" in client.get("/office/customers?show=behind").text


def test_it_writes_nothing_that_was_searched_into_the_log(
    client: FlaskClient, bakery: Bakery, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/office/customers?q=cleo@example.org")
    assert "office.list_customers" in str([vars(record) for record in caplog.records])
    assert "cleo@" not in str([vars(record) for record in caplog.records])


def test_it_shows_a_customer_with_card_wallets_and_history(
    client: FlaskClient, bakery: Bakery, google: GoogleFake
) -> None:
    with bakery.app.app_context():
        save(bakery.cleo)
        stamps.add(actor=bakery.shop.ben, card=bakery.cleo.ref, quantity=1, key=make_key(bakery.shop.ben))
    page = client.get(bakery.path).text
    for words in ("Cleo Martin", "cleo@example.org", "+352621123456", "opening balance", "Ben", "Main Street"):
        assert words in page
    assert "The pass in Google Wallet shows 3 stamps and 0 points, the card has 4 stamps and 0 points." in page
    assert "Google was told just now." in page
    assert "Waiting to be sent, since today" in page
    assert "Apple Wallet is not set up on this platform." in page


def test_it_turns_the_pages_of_a_long_history(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        for _ in range(12):
            stamps.add(actor=bakery.shop.ben, card=bakery.cleo.ref, quantity=1, key=make_key(bakery.shop.ben))
    first, second = client.get(bakery.path).text, client.get(f"{bakery.path}?page=2").text
    assert "10 of 14 entries, newest first" in first
    assert "Card made" not in first
    assert "4 of 14 entries, newest first" in second
    assert "Card made" in second
    assert client.get(f"{bakery.path}?page=77").text.count("Card made") == second.count("Card made")


def test_it_knows_no_card_of_the_shop_next_door(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    with app.app_context():
        butcher = make_shop("meat")
    stranger = app.test_client()
    enter(app, stranger, butcher)
    page = client.get(bakery.path)
    for path in (bakery.path, f"{bakery.path}/deactivate", f"/office/customers/{uuid4()}"):
        assert stranger.get(path).status_code == 404
    foreign = {**hidden(stranger.get("/office/stores")), "reason": "mine", "delta": "5", "balance": "stamps"}
    for name in ("adjustments", "deactivate", "reactivate", "link", "passes"):
        assert stranger.post(f"{bakery.path}/{name}", data=foreign).status_code == 404
    assert "Nothing fits “Cleo”." in stranger.get("/office/customers?q=Cleo").text
    assert bakery.card().stamp_count == 3
    assert "Cleo" in page.text


def test_it_asks_strangers_to_sign_in(app: Flask, bakery: Bakery) -> None:
    for path in ("/office/customers", bakery.path):
        answer = app.test_client().get(path)
        assert (answer.status_code, "/sign-in" in answer.headers["Location"]) == (303, True)


def test_it_lists_no_card_twice_where_two_were_made_at_once(bakery: Bakery) -> None:
    with bakery.app.app_context():
        for _ in range(60):
            make_card(bakery.shop)
        with transaction():
            db.session.execute(sa.update(LoyaltyCard).values(created_at=datetime(2026, 11, 20, tzinfo=UTC)))
        pages = [card_lists.list_cards(actor=bakery.shop.ada, page=page).rows for page in (1, 2)]
    ids = [row.card_id for rows in pages for row in rows]
    assert len(ids) == len(set(ids)) == 61
