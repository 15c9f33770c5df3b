"""The first page of the platform, and who gets there."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db, transaction
from loyalty.domain.values import Admin, Role
from loyalty.models.vendors import Vendor
from loyalty.services import accounts, replacements, stamps
from loyalty.services import platform as services_platform
from tests import clocks, factories
from tests.browsing import hidden, sign_in
from tests.office import PASSWORD, make_bakery
from tests.outbox_rows import make_row
from tests.web.admin.conftest import EMAIL, Platform

PAGES = ("", "/vendors", "/vendors/new", "/statistics", "/audit", "/health", "/failures")


def test_it_shows_the_platform_in_numbers(app: Flask, platform: Platform) -> None:
    with app.app_context(), clocks.clock_at(clocks.NOON):
        shop = factories.make_shop("bakery")
        factories.make_card(shop, stamps=3)
        factories.make_shop("butcher", vendor={"status": "suspended"})
        make_row(vendor_id=shop.vendor_id, gave_up=True, error="550 no")
        make_row(vendor_id=shop.vendor_id, due=datetime.now(UTC) - timedelta(minutes=7))
    page = platform.client.get("/admin").text
    assert figure(page, "Active shops") == "1 1 is suspended"
    assert figure(page, "Cards") == "1"
    assert figure(page, "Failures") == "1 Deliveries that did not arrive"
    assert figure(page, "Oldest waiting delivery").startswith("7 min due since ")


def test_it_counts_the_stamps_of_each_shop_since_its_own_midnight(app: Flask, platform: Platform) -> None:
    zones = {"here": "Europe/Luxembourg", "there": "Pacific/Auckland"}
    with app.app_context():
        # 23:30 in Luxembourg is half past eleven on the next morning in Auckland.
        late = datetime(2027, 1, 14, 22, 30, tzinfo=UTC)
        for code, zone in zones.items():
            with clocks.clock_at(late - timedelta(hours=13)):
                shop = factories.make_shop(code, vendor={"timezone": zone})
                card = factories.make_card(shop)
                stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=factories.make_key(shop.ben))
        found = services_platform.get_overview(admin=Admin(), at=late)
    # Given at 10:30 of the same day in Luxembourg, and at 22:30 of the day before in Auckland.
    assert found.stamps_today == 1


def test_it_counts_a_card_once_that_was_replaced(app: Flask, platform: Platform) -> None:
    with app.app_context():
        shop = factories.make_shop("bakery")
        card = factories.make_card(shop)
        replacements.replace(actor=shop.ada, card=card.ref, reason="Lost", key=factories.make_key(shop.ada))
        rows = services_platform.list_vendors(admin=Admin(), after="", at=datetime.now(UTC)).rows
    assert [row.cards for row in rows] == [1]
    assert figure(platform.client.get("/admin").text, "Cards") == "1"


def test_it_is_quiet_where_nothing_happens(platform: Platform) -> None:
    page = platform.client.get("/admin").text
    assert figure(page, "Failures") == "0 Every delivery arrives."
    assert figure(page, "Oldest waiting delivery") == "– Nothing is due now."
    assert "No shop here yet." in platform.client.get("/admin/vendors").text


def test_it_lists_the_shops_with_what_waits_and_fails(app: Flask, platform: Platform) -> None:
    with app.app_context():
        shop = factories.make_shop("bakery")
        factories.make_shop("butcher", vendor={"status": "suspended"})
        make_row(vendor_id=shop.vendor_id, gave_up=True, error="550 no")
        for _ in range(3):
            make_row(vendor_id=shop.vendor_id, kind="apple.push")
    page = platform.client.get("/admin/vendors").text
    bakery, butcher = (row for row in page.split("<tr>") if '<th scope="row">' in row)
    assert "1 failure</span>" in bakery
    assert "3 passes to update</span>" in bakery
    assert "Suspended" in butcher
    assert "Healthy" in butcher


def test_it_says_which_wallets_a_shop_is_in(app: Flask, platform: Platform) -> None:
    with app.app_context():
        factories.make_shop("bakery", google_class_id="3388.bakery", apple_pass_type_id="pass.example")
        factories.make_shop("butcher", active=False)
    page = platform.client.get("/admin/vendors").text
    bakery, butcher = (row for row in page.split("<tr>") if '<th scope="row">' in row)
    assert all(f'<span class="chip">{wallet}</span>' in bakery for wallet in ("Apple", "Google"))
    assert "Not open yet" in butcher
    assert 'data-label="Wallets">–<' in butcher


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("?show=active", ["bakery", "butcher"]),
        ("?show=suspended", ["florist"]),
        ("?show=failing", ["butcher"]),
        ("?show=active&q=bak", ["bakery"]),
        ("?show=failing&q=bak", []),
        ("?show=nonsense", ["bakery", "butcher", "florist"]),
    ],
)
def test_it_narrows_the_list_and_keeps_the_search(app: Flask, platform: Platform, query: str, codes: list[str]) -> None:
    with app.app_context():
        factories.make_shop("bakery")
        butcher = factories.make_shop("butcher")
        factories.make_shop("florist", vendor={"status": "suspended"})
        make_row(vendor_id=butcher.vendor_id, gave_up=True, error="550 no")
    page = platform.client.get(f"/admin/vendors{query}").text
    assert re.findall(r'<small class="muted">([a-z]+)</small></th>', page) == codes
    if "q=bak" in query:
        assert 'href="/admin/vendors?show=suspended&amp;q=bak"' in page


def test_it_pages_the_shops(app: Flask, platform: Platform) -> None:
    with app.app_context(), transaction():
        for number in range(51):
            db.session.add(Vendor(code=f"shop{number:03}", name=f"Shop {number}", pin_salt=b"x"))
    page = platform.client.get("/admin/vendors").text
    assert "shop049" in page
    assert "shop050" not in page
    assert "shop050" in platform.client.get("/admin/vendors?after=shop049").text


@pytest.mark.parametrize("path", PAGES)
def test_it_leads_a_stranger_to_the_sign_in_and_back(client: FlaskClient, app: Flask, path: str) -> None:
    answer = client.get(f"/admin{path}")
    assert (answer.status_code, answer.location) == (303, f"/office/sign-in?next=/admin{path}")
    with app.app_context():
        accounts.create_user(email=EMAIL, password=PASSWORD, is_admin=True)
    page = client.get(answer.location)
    sent = {**hidden(page), "email": EMAIL, "password": PASSWORD}
    assert client.post("/office/sign-in", data=sent).location == f"/admin{path}"
    assert client.get(f"/admin{path}").status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_it_refuses_the_owner_of_a_shop(client: FlaskClient, app: Flask, path: str) -> None:
    with app.app_context():
        ada = make_bakery()
    sign_in(client, ada)
    assert client.get(f"/admin{path}").status_code == 403
    assert client.get(f"/admin{path}", headers={"HX-Request": "true"}).status_code == 403
    assert "/admin" not in client.get("/office").text


@pytest.mark.parametrize("path", ["", "/program", "/settings"])
def test_it_opens_no_office_to_an_admin(app: Flask, platform: Platform, path: str) -> None:
    with app.app_context():
        make_bakery()
    answer = platform.client.get(f"/office{path}")
    assert (answer.status_code, answer.location) == (303, "/office/shops")
    page = platform.client.get("/office/shops").text
    assert "Run the platform" in page
    assert "Ada" not in page


def test_it_asks_an_admin_with_a_shop_where_to_go(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        ada = make_bakery()
        user_id = accounts.create_user(email=EMAIL, password=PASSWORD, is_admin=True)
        accounts.add_member(vendor_id=ada.vendor_id, user_id=user_id, role=Role.MANAGER)
    page = client.get("/office/sign-in")
    answer = client.post("/office/sign-in", data={**hidden(page), "email": EMAIL, "password": PASSWORD})
    assert answer.location == "/office/shops"
    choice = client.get("/office/shops")
    assert 'href="/admin"' in choice.text
    assert client.get("/admin").status_code == 200
    assert 'href="/office/shops"' in client.get("/admin").text
    entered = client.post("/office/shops", data={**hidden(choice), "vendor_id": str(ada.vendor_id)})
    assert entered.status_code == 303
    assert 'href="/admin"' in client.get("/office").text


def figure(page: str, name: str) -> str:
    """Return what a tile says."""
    tile = page.split("<main")[1].split(f">{name}</a>")[1].split("</div>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", tile).split())
