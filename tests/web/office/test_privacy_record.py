"""The office's page about privacy: how long customers are kept, the text for them, and the record of processing."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from loyalty.database import transaction
from loyalty.domain.values import Role
from loyalty.services import consents, erasures, vendors
from tests.browsing import hidden
from tests.web.office.test_privacy import Bakery, bakery

__all__ = ["bakery"]

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAGE = "/office/privacy"
TYPED = {
    "retention_months": "36",
    "privacy_contact": "Ada Baker\nada@bakery.example",
    "privacy_note": "We film the till.",
}


def test_it_saves_what_the_shop_decides_and_shows_it_to_customers(bakery: Bakery, app: Flask) -> None:
    bakery.enter(Role.MANAGER)
    page = bakery.client.get(PAGE)
    assert page.status_code == 200
    assert 'value="24"' in page.text
    sent = {**hidden(page, PAGE), **TYPED}
    for _ in range(2):
        assert bakery.client.post(PAGE, data=sent).location == PAGE
    with app.app_context():
        present = vendors.get_settings(actor=bakery.shop.ada)
    assert (present.retention_months, present.privacy_note) == (36, "We film the till.")
    shown = bakery.client.get("/join/bakery/privacy").text
    for words in ("36 months", "ada@bakery.example", "We film the till."):
        assert words in shown


def test_it_keeps_what_was_typed_beside_what_is_wrong(bakery: Bakery, app: Flask) -> None:
    bakery.enter(Role.MANAGER)
    page = bakery.client.get(PAGE)
    refused = bakery.client.post(PAGE, data={**hidden(page, PAGE), **TYPED, "retention_months": "500"})
    assert refused.status_code == 422
    assert "from 6 to 120" in refused.text
    assert "We film the till." in refused.text
    with app.app_context():
        assert vendors.get_settings(actor=bakery.shop.ada).retention_months == 24


@pytest.mark.parametrize("name", ["text", "record"])
def test_it_hands_out_files_to_adapt(bakery: Bakery, name: str) -> None:
    bakery.enter(Role.MANAGER)
    file = bakery.client.get(f"{PAGE}/{name}.html")
    assert (file.status_code, file.mimetype) == (200, "text/html")
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    assert file.text.lstrip().startswith("<!doctype html>")
    assert "E-mail address and phone number." in file.text


def test_it_lists_every_column_that_holds_something_personal(bakery: Bakery) -> None:
    bakery.enter(Role.MANAGER)
    page = bakery.client.get(PAGE).text
    for column in ("customers.email", "consents.version", "apple_devices.push_token", "staff_pins.name"):
        assert column in page


def test_it_refuses_a_stranger(bakery: Bakery) -> None:
    for path in (PAGE, f"{PAGE}/text.html", f"{PAGE}/record.html"):
        assert "/sign-in" in bakery.client.get(path).headers["Location"]


def test_it_says_when_a_customer_is_forgotten_and_what_they_agreed_to(bakery: Bakery, app: Flask) -> None:
    bakery.enter(Role.OWNER)
    assert "it happens on" not in bakery.client.get(bakery.path).text
    who = {"vendor_id": bakery.shop.vendor_id, "customer_id": bakery.cleo.customer_id}
    with app.app_context(), transaction():
        erasures.schedule(reason="asked", at=NOW, **who)
        consents.accept_terms(terms_text="Old words.", source="counter", at=NOW, **who)
        consents.decide_news(given=True, source="my_data", at=NOW, **who)
    page = bakery.client.get(bakery.path).text
    assert "The customer has asked to be deleted: it happens on 28 Nov 2026" in page
    assert "(an earlier version)" in page
    assert "News: yes" in page
