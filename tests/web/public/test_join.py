"""The join page, as a phone without JavaScript sees it."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from config import ROOT, Config
from loyalty.database import db
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from tests.applications import another_app
from tests.factories import Shop, change_policy, change_program, make_card, make_shop, make_store
from tests.web.public.conftest import Phone

CLEO = "cleo@example.org"


def count(app: Flask, model: type[LoyaltyCard] | type[Customer] = LoyaltyCard) -> int:
    with app.app_context():
        return int(db.session.execute(sa.select(sa.func.count()).select_from(model)).scalar_one())


def test_it_shows_the_deal_and_one_field(phone: Phone, bakery: Shop) -> None:
    page = phone.get("/join/bakery?store=main")
    assert page.status_code == 200
    assert "Collect 10 stamps, get: 1 free coffee" in page.text
    # What a link to it says of itself in a chat.
    assert '<meta name="description" content="Collect 10 stamps, get: 1 free coffee">' in page.text
    assert "Your first stamp is on us." in page.text
    assert len(re.findall(r"<input(?! type=\"hidden\")", page.text)) == 1
    assert 'autocomplete="email"' in page.text
    assert "<script" not in page.text


def test_it_leads_to_the_new_card(phone: Phone, bakery: Shop, app: Flask) -> None:
    answer = phone.send(phone.get("/join/bakery"), email=CLEO)
    assert answer.status_code == 303
    card = phone.get(answer.location)
    assert "Your card is ready" in card.text
    assert "1 of 10 stamps" in card.text
    assert count(app) == 1


def test_it_remembers_the_store_of_the_poster(phone: Phone, bakery: Shop, app: Flask) -> None:
    with app.app_context():
        station = make_store(bakery, "station")
    phone.send(phone.get("/join/bakery?store=station"), email=CLEO)
    with app.app_context():
        assert db.session.execute(sa.select(LoyaltyCard.enrolled_at_store_id)).scalar_one() == station


def test_it_takes_a_phone_that_joined_straight_to_its_card(phone: Phone, bakery: Shop, app: Flask) -> None:
    with app.app_context():
        make_shop("cafe")
    card = phone.send(phone.get("/join/bakery"), email=CLEO).location
    again = phone.get("/join/bakery")
    assert again.status_code == 303
    assert again.location == card.partition("?")[0]
    assert phone.get("/join/cafe").status_code == 200


def test_it_answers_a_second_tap_like_the_first(phone: Phone, bakery: Shop, app: Flask) -> None:
    page = phone.get("/join/bakery")
    first, second = phone.send(page, email=CLEO), phone.send(page, email=CLEO)
    assert first.location == second.location
    assert count(app) == 1


def test_it_tells_nothing_about_a_known_address(phone: Phone, bakery: Shop, app: Flask) -> None:
    with app.app_context():
        make_card(bakery, email=CLEO)
    answer = phone.send(phone.get("/join/bakery"), email=CLEO)
    assert answer.location == "/join/bakery/sent"
    assert "card" not in [cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")]
    page = phone.get(answer.location)
    assert "We sent you the link to it. Look at your mail, or ask at the counter." in page.text
    assert count(app) == 1


@pytest.mark.parametrize("typed", ["", "cleo", "cleo@", "cleo@example", "cleo@exa mple.org", "x" * 300 + "@a.org"])
def test_it_says_what_is_wrong_beside_the_field_and_keeps_what_was_typed(
    phone: Phone, bakery: Shop, app: Flask, typed: str
) -> None:
    page = phone.send(phone.get("/join/bakery?store=main"), email=typed)
    assert page.status_code == 422
    assert "<title>Error: Get your card" in page.text
    assert 'href="#email"' in page.text
    assert 'id="email-error"' in page.text
    assert f'value="{typed}"' in page.text
    assert '<input type="hidden" name="store" value="main">' in page.text
    assert count(app, Customer) == 0


def test_it_asks_for_name_and_birthday_where_the_shop_wants_them(phone: Phone, app: Flask) -> None:
    with app.app_context():
        make_shop(vendor={"ask_name": True, "ask_birthday": True, "ask_marketing": True})
    page = phone.get("/join/bakery")
    assert "checked" not in page.text
    wrong = phone.send(page, email=CLEO, name="Cleo", birth_date="yesterday")
    assert wrong.status_code == 422
    assert "Enter your day of birth, like 24/03/1990." in wrong.text
    assert 'value="Cleo"' in wrong.text
    empty = phone.send(page, email=CLEO, name="x" * 200, birth_date="")
    assert "Enter a shorter name" in empty.text
    assert "Enter your day of birth" not in empty.text
    assert phone.send(page, email=CLEO, name="Cleo", birth_date="", marketing_consent="y").status_code == 303
    with app.app_context():
        cleo = db.session.execute(sa.select(Customer)).scalar_one()
        assert (cleo.name, cleo.birth_date, cleo.marketing_consent) == ("Cleo", None, True)


def test_it_joins_by_phone_where_the_shop_wants_it(phone: Phone, app: Flask) -> None:
    with app.app_context():
        make_shop(vendor={"contact_field": "phone"})
    page = phone.get("/join/bakery")
    assert 'inputmode="tel"' in page.text
    wrong = phone.send(page, phone="12")
    assert "Enter a phone number, such as +352 621 123 456." in wrong.text
    assert phone.send(page, phone="621 123 456").location.startswith("/card/")


def test_it_mails_everybody_first_where_the_shop_wants_it(phone: Phone, app: Flask) -> None:
    with app.app_context():
        shop = make_shop(vendor={"confirm_address": True})
        make_card(shop, email=CLEO)
    for address in (CLEO, "new@example.org"):
        answer = phone.send(phone.get("/join/bakery"), email=address)
        assert answer.location == "/join/bakery/sent"
    assert "open it within 24 hours" in phone.get("/join/bakery/sent").text


@pytest.mark.parametrize("typed", ["fr", "de", "lb", "xx"])
def test_it_stands_any_wish_for_a_language(phone: Phone, bakery: Shop, typed: str) -> None:
    assert phone.get(f"/join/bakery?lang={typed}").status_code == 200
    assert phone.get("/join/bakery", **{"Accept-Language": typed}).status_code == 200


def test_it_explains_when_nobody_can_join_and_shows_no_form(phone: Phone, bakery: Shop, app: Flask) -> None:
    with app.app_context():
        change_policy(bakery, allow_self_enrollment=False)
    closed = phone.get("/join/bakery")
    assert closed.status_code == 403
    assert "given out at the counter" in closed.text
    with app.app_context():
        change_program(bakery, is_active=False)
    paused = phone.get("/join/bakery")
    assert paused.status_code == 409
    assert "<form" not in closed.text + paused.text
    assert phone.get("/join/nobody").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"key": ""},
        {"key": "x" * 500},
        {"store": "../../etc", "email": "a@b"},
        {"email": "\u202ecleo@example.org"},
        {"email": "cleo@example.org\r\nBcc: mallory@example.org"},
        {"name": "\x7f" * 10},
        {"birth_date": "0000-00-00"},
        {"birth_date": "1850-12-31"},
        {"birth_date": "9999-12-31"},
        {"phone": "+" * 300},
    ],
    ids=str,
)
def test_it_answers_strange_forms_with_a_sentence(phone: Phone, app: Flask, fields: dict[str, str]) -> None:
    with app.app_context():
        make_shop(vendor={"ask_name": True, "ask_birthday": True, "contact_field": "phone"})
    answer = phone.send(phone.get("/join/bakery"), **{"phone": "621 123 456", **fields})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert count(app, Customer) == 0


def test_it_refuses_a_form_of_another_site(phone: Phone, bakery: Shop, app: Flask) -> None:
    answer = phone.browser.post("/join/bakery", data={"email": CLEO, "key": "a-key-made-by-mallory"})
    assert answer.status_code == 400
    assert count(app) == 0


def test_it_writes_names_of_shops_as_text(phone: Phone, app: Flask) -> None:
    with app.app_context():
        make_shop(
            vendor={"name": "<script>alert(1)</script>"},
            stamps_reward_description='"><img src=x onerror=alert(1)>',
            terms_text="<b>bold</b>\n\nsecond",
        )
    for address in ("/join/bakery", "/terms/bakery"):
        page = phone.get(address).text
        assert "<script>alert" not in page
        assert "<img" not in page
    assert "&lt;b&gt;bold" in phone.get("/terms/bakery").text


@pytest.fixture
def counted(bakery: Shop, config: Config) -> Iterator[Phone]:
    """Cleo's phone at an application that counts."""
    with another_app(replace(config, rate_limits=True), config) as app:
        yield Phone(app.test_client())


def test_it_says_when_to_try_again_after_ten_forms_in_a_minute(counted: Phone) -> None:
    page = counted.get("/join/bakery")
    answers = [counted.send(page, email="") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert "You can try again at" in answers[-1].text
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert counted.get("/join/bakery").status_code == 200


def test_it_is_small_and_asks_nobody_else(phone: Phone, bakery: Shop) -> None:
    page = phone.get("/join/bakery").text
    addresses = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert all(address.startswith("/") for address in addresses)
    loaded = [address for address in addresses if address.startswith(("/static/", "/theme.css"))]
    assert len(loaded) + 1 <= 5
    files = [ROOT / "static" / Path(*Path(address).parts[3:]) for address in loaded if address.startswith("/static/")]
    sizes = [len(gzip.compress(file.read_bytes())) for file in files]
    assert sum(sizes) + len(gzip.compress(page.encode())) < 30_000
