"""The card page: what its holder sees, and how it stays fresh."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.codes import format_card_number
from loyalty.models.cards import LoyaltyCard
from loyalty.models.vendors import Vendor
from loyalty.services import cards, closing, stamps
from tests.factories import Card, Shop, make_card, make_key, make_reward, make_shop
from tests.web.public.conftest import Phone


@pytest.fixture
def cleo(app: Flask, bakery: Shop) -> Card:
    with app.app_context():
        return make_card(bakery, stamps=3, name="Cleo Martin")


def live_address(page: str) -> str:
    found = re.search(r'hx-get="([^"]+)"', page)
    assert found
    return found.group(1)


def test_it_shows_the_pass_the_code_and_what_happened(phone: Phone, cleo: Card) -> None:
    page = phone.get(f"/card/{cleo.public_token}")
    assert page.status_code == 200
    assert "4 of 10 stamps" in page.text
    assert "6 more stamps for: 1 free coffee." in page.text
    assert format_card_number(cleo.card_number) in page.text
    assert "Corrected by the shop" in page.text
    assert 'class="qr"' in page.text


def test_it_promises_no_more_than_the_program_still_gives(phone: Phone, app: Flask) -> None:
    with app.app_context():
        shop = make_shop("cafe", loyalty_type="hybrid", stamps_reward_description="1 free tea")
        make_reward(shop, "Cake", 50)
        few, full = make_card(shop, stamps=3, points=20), make_card(shop, stamps=10, points=60)
        off = make_card(shop, stamps=3)
        cards.deactivate(actor=shop.ada, card=off.ref, reason="Lost", key=make_key(shop.ada))
        now = datetime.now(UTC)
        last_day = now.date() + timedelta(days=60)
        closing.announce(actor=shop.ada, last_day=last_day, key=make_key(shop.ada), at=now)
    assert "more stamp" not in phone.get(f"/card/{off.public_token}").text
    page = phone.get(f"/card/{few.public_token}").text
    assert "You have 20 points." in page
    assert not re.search(r"more (stamp|point)s? for", page)
    page = phone.get(f"/card/{full.public_token}").text
    assert "You have 1 reward waiting: 1 free tea." in page
    assert "Your points are enough for: Cake." in page
    with app.app_context():
        closing.close_due(at=now + timedelta(days=62))
    page = phone.get(f"/card/{full.public_token}").text
    assert "The last day was" in page
    assert "waiting" not in page
    assert "enough" not in page


def test_it_keeps_its_address_from_other_sites_and_search_engines(phone: Phone, cleo: Card) -> None:
    page = phone.get(f"/card/{cleo.public_token}")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert page.headers["Cache-Control"] == "no-store"
    assert "Cleo" not in page.text


def test_it_refreshes_only_when_something_changed(phone: Phone, bakery: Shop, cleo: Card, app: Flask) -> None:
    address = live_address(phone.get(f"/card/{cleo.public_token}").text)
    still = phone.get(address, **{"HX-Request": "true"})
    assert (still.status_code, still.data) == (204, b"")
    with app.app_context():
        stamps.add(actor=bakery.ben, card=cleo.ref, quantity=1, key=make_key(bakery.ben))
    fresh = phone.get(address, **{"HX-Request": "true"})
    assert fresh.status_code == 200
    assert "5 of 10 stamps" in fresh.text
    assert fresh.text.lstrip().startswith('<section class="stack" id="live"')
    assert len(re.findall(r'class="on new"', fresh.text)) == 1
    assert live_address(fresh.text) != address
    assert len(fresh.data) < 16_000


@pytest.mark.parametrize("seen", ["", "x", "-1.0.1", "9" * 40, "3.0.1.1", "3.0.7"])
def test_it_stands_anything_that_was_never_seen(phone: Phone, cleo: Card, seen: str) -> None:
    assert phone.get(f"/card/{cleo.public_token}/live?seen={seen}").status_code == 200


def test_it_says_when_a_reward_is_ready(phone: Phone, bakery: Shop, app: Flask) -> None:
    with app.app_context():
        full = make_card(bakery, stamps=9)
    page = phone.get(f"/card/{full.public_token}").text
    assert "Your reward is ready" in page
    assert "You have 1 reward waiting: 1 free coffee." in page


def test_it_counts_points_in_words(phone: Phone, app: Flask) -> None:
    with app.app_context():
        shop = make_shop("cafe", loyalty_type="points")
        make_reward(shop, "Croissant", 150)
        card = make_card(shop, points=30)
    assert "120 more points for: Croissant." in phone.get(f"/card/{card.public_token}").text


def test_it_stays_readable_when_the_card_or_the_shop_is_closed(
    phone: Phone, bakery: Shop, cleo: Card, app: Flask
) -> None:
    with app.app_context(), transaction():
        db.session.execute(sa.update(LoyaltyCard).where(LoyaltyCard.id == cleo.card_id).values(is_active=False))
        db.session.execute(sa.update(Vendor).where(Vendor.id == bakery.vendor_id).values(status="suspended"))
    page = phone.get(f"/card/{cleo.public_token}")
    assert page.status_code == 200
    assert "This card is not active" in page.text


def test_it_shows_nothing_to_whoever_guesses(phone: Phone, cleo: Card) -> None:
    for wrong in ("nothing", cleo.public_token[:-1], cleo.card_number, str(cleo.card_id)):
        page = phone.get(f"/card/{wrong}")
        assert page.status_code == 404
        assert "There is no card at this address." in page.text
