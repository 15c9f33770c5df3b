"""The pass: downloaded from the card's page, fetched by phones, unchanged where it is."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.models.programs import LoyaltyProgram, Reward
from loyalty.services import cards, passes, programs
from tests.factories import change_program, make_card, make_key, make_reward, make_shop
from tests.phone import SERVICE
from tests.web.apple.conftest import Bakery


def test_it_hands_out_the_pass_of_a_card_page(bakery: Bakery) -> None:
    held = bakery.phone().add(bakery.address)
    assert held.stamps == "3/10"
    assert len(held.opened.says["authenticationToken"]) >= 43
    assert held.opened.says["serialNumber"] in bakery.address
    assert held.opened.says["authenticationToken"] not in bakery.address


def test_it_names_a_pass_once(bakery: Bakery) -> None:
    with bakery.app.app_context():
        assert passes.find_apple_link(public_token=bakery.card.public_token) == bakery.address
        assert passes.find_apple_link(public_token="unknown") is None


@pytest.mark.parametrize("change", [("token=", "token=x"), (".pkpass", "x.pkpass"), ("?token=", "?other=")])
def test_it_hides_a_pass_from_whoever_lacks_its_secret(bakery: Bakery, change: tuple[str, str]) -> None:
    answer = bakery.app.test_client().get(bakery.address.replace(*change).partition("/api")[2].join(["/api", ""]))
    assert (answer.status_code, answer.data) == (404, b"")


def test_it_shows_the_new_balance_to_a_phone_that_asks(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    bakery.stamp()
    assert phone.fetch(held.serial).status_code == 200
    assert held.stamps == "4/10"


def test_it_gives_every_change_within_one_second(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    for balance in range(4, 9):
        bakery.stamp()
        phone.fetch(held.serial)
        assert held.stamps == f"{balance}/10"


@contextmanager
def asked(app: Flask) -> Iterator[list[str]]:
    """Collect the first words of the statements of the block."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement.split()[0])

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def test_it_asks_once_for_a_pass_and_notes_a_fetch_only_where_it_is_news(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    # The first pass was noted after it was read.
    phone.fetch(held.serial)
    for since, status in ((None, 200), ("Fri, 31 Dec 2100 23:59:59 GMT", 304)):
        held.last_modified = since
        with asked(bakery.app) as said:
            assert phone.fetch(held.serial).status_code == status
        assert said == ["SELECT"]
    bakery.stamp()
    held.last_modified = None
    phone.fetch(held.serial)
    with asked(bakery.app) as said:
        phone.fetch(held.serial)
    assert said == ["SELECT", "UPDATE"]


def test_it_answers_304_to_a_phone_that_has_the_pass(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    phone.fetch(held.serial)
    held.last_modified = "Fri, 31 Dec 2100 23:59:59 GMT"
    answer = phone.fetch(held.serial)
    assert answer.status_code == 304
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("since", ["", "yesterday", "1700000000", "Fri, 99 Nov 2026 00:00:00 GMT", "\xff", "0"])
def test_it_hands_out_the_pass_where_the_date_is_none(bakery: Bakery, since: str) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    held.last_modified = since or None
    assert phone.fetch(held.serial).status_code == 200


def test_it_answers_head_like_get_without_a_body(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    answer = phone.client.head(f"{SERVICE}/passes/{held.pass_type}/{held.serial}", headers=phone.proof(held))
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Type"] == "application/vnd.apple.pkpass"
    assert parsedate_to_datetime(answer.headers["Last-Modified"]) < datetime.now(UTC)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in answer.headers["Vary"]


def test_it_voids_the_pass_of_a_closed_card_and_keeps_serving_it(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    with bakery.app.app_context():
        cards.deactivate(actor=bakery.shop.ada, card=bakery.card.ref, reason="lost", key=make_key(bakery.shop.ada))
    assert phone.fetch(held.serial).status_code == 200
    assert held.opened.says["voided"] is True


def test_it_shows_a_changed_program_to_a_phone_that_asks(bakery: Bakery) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    with bakery.app.app_context():
        change_program(bakery.shop, stamps_target=12)
    phone.fetch(held.serial)
    assert held.stamps == "3/12"


def test_it_says_the_reward_in_the_customer_s_language_and_in_all_others(bakery: Bakery) -> None:
    with bakery.app.app_context():
        change_program(bakery.shop, loyalty_type="points")
        words = {"fr": {"name": 'Un "grand" gâteau', "description": ""}, "de": {"name": "Ein Kuchen"}, "lb": {}}
        make_reward(bakery.shop, "A cake", translations=words)
        cards = [make_card(bakery.shop, locale=locale) for locale in ("fr", "lb")]
        addresses = [passes.find_apple_link(public_token=card.public_token) or "" for card in cards]
    french, other = (bakery.phone().add(address).opened for address in addresses)
    assert french.fields["points_reward"]["value"] == 'Un "grand" gâteau'
    said = [french.strings(locale).get('Un "grand" gâteau') for locale in ("en", "fr", "de", "lb")]
    assert said == ["A cake", None, "Ein Kuchen", "A cake"]
    assert other.fields["points_reward"]["value"] == "A cake"
    assert [other.strings(locale).get("A cake") for locale in ("en", "fr", "de", "lb")] == [
        None,
        'Un "grand" gâteau',
        "Ein Kuchen",
        None,
    ]


def test_it_says_a_new_translation_to_a_phone_that_asks(bakery: Bakery) -> None:
    with bakery.app.app_context():
        change_program(bakery.shop, loyalty_type="points")
        make_reward(bakery.shop, "A cake")
    phone = bakery.phone()
    held = phone.add(bakery.address)
    with bakery.app.app_context(), transaction():
        db.session.execute(sa.update(Reward).values(translations={"fr": {"name": "Un gâteau"}}))
    phone.fetch(held.serial)
    assert held.opened.strings("fr")["A cake"] == "Un gâteau"


@pytest.mark.parametrize(
    "form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"], ids=["1123", "850", "c"]
)
def test_it_reads_the_three_ways_to_write_a_date(bakery: Bakery, form: str) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    for moved, status in ((timedelta(minutes=1), 304), (timedelta(minutes=-1), 200)):
        held.last_modified = (datetime.now(UTC) + moved).strftime(form)
        assert phone.fetch(held.serial).status_code == status


def test_it_dates_the_pass_by_its_change_and_answers_304_from_that_second_on(
    bakery: Bakery, owner_engine: sa.Engine
) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    with owner_engine.begin() as connection:
        connection.execute(sa.text("UPDATE loyalty_cards SET apple_changed_at = '2026-11-20T12:00:00.75Z'"))
    address, said = f"{SERVICE}/passes/{held.pass_type}/{held.serial}", "Fri, 20 Nov 2026 12:00:00 GMT"
    for method in ("GET", "HEAD"):
        for since, status in ((None, 200), ("Fri, 20 Nov 2026 11:59:59 GMT", 200), (said, 304)):
            headers = phone.proof(held) | ({"If-Modified-Since": since} if since else {})
            answer = phone.client.open(address, method=method, headers=headers)
            assert answer.status_code == status
            assert answer.headers.get("Last-Modified", said) == said
            assert "Last-Modified" in answer.headers or status == 304
            assert answer.headers["Cache-Control"] == "private, no-cache"
            assert "Authorization" in answer.headers["Vary"]
            assert bool(answer.data) == (method == "GET" and status == 200)
            assert "Set-Cookie" not in answer.headers


def test_it_keeps_serving_the_passes_of_a_vendor_that_is_suspended(bakery: Bakery, owner_engine: sa.Engine) -> None:
    phone = bakery.phone()
    held = phone.add(bakery.address)
    with owner_engine.begin() as connection:
        connection.execute(sa.text("UPDATE vendors SET status = 'suspended'"))
    assert phone.register(held) == 201
    assert phone.list_changed(held.pass_type) == [held.serial]
    assert phone.fetch(held.serial).status_code == 200
    assert bakery.phone().add(bakery.address).stamps == "3/10"
    assert phone.throw_away(held) == 200


def test_it_writes_neither_token_nor_serial_into_its_log(bakery: Bakery, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    phone = bakery.phone()
    held = phone.add(bakery.address)
    phone.register(held)
    phone.fetch(held.serial)
    phone.client.get(f"{SERVICE}/passes/{held.pass_type}/{held.serial}", headers={"Authorization": "ApplePass wrong1"})
    secret = (
        held.serial,
        str(held.opened.says["authenticationToken"]),
        bakery.card.public_token,
        "wrong1",
        phone.device,
    )
    ours = [record for record in caplog.records if not record.name.startswith(("sqlalchemy", "werkzeug"))]
    assert ours
    for record in ours:
        assert not [word for word in secret if word in f"{record.getMessage()} {record.__dict__}"]


def test_it_names_its_pass_type_on_the_program_that_is_activated(bakery: Bakery) -> None:
    with bakery.app.app_context():
        shop = make_shop("cafe", active=False)
        programs.activate(actor=shop.ada, key=make_key(shop.ada))
        asked = sa.select(LoyaltyProgram.apple_pass_type_id).where(LoyaltyProgram.id == shop.program_id)
        assert db.session.scalar(asked) == passes.find_pass_type() == "pass.example.loyalty"
        # Paused while there are no passes, and started again: what was noted stays.
        passes.configure(apple=None)
        programs.activate(actor=shop.ada, key=make_key(shop.ada))
        assert db.session.scalar(asked) == "pass.example.loyalty"


def test_it_offers_no_pass_where_none_are_made(app: Flask) -> None:
    with app.app_context():
        assert passes.find_apple_link(public_token="any") is None
    assert app.test_client().get("/api/v1/loyalty/passes/apple/any.pkpass?token=x").status_code == 404
