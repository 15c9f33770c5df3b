"""What anybody may ask: the program of a shop, and a card of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Config
from loyalty.database import db, transaction
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.vendors import Vendor
from loyalty.services import google_passes, passes
from loyalty.services.google_passes import GooglePasses
from loyalty.wallets.google_account import load_account
from tests import apple_passes, factories
from tests.applications import another_app
from tests.factories import Shop
from tests.google_fake import google_server
from tests.web.api.callers import Caller
from tests.web.test_queries import counted

PROGRAM = "/loyalty/programs/bakery"
ENROLL = f"{PROGRAM}/enroll"
KEY = "5f0f6a6e-2f0e-4a87-9b5e-3f8f6d4d1c11"
CLEO = {"email": " Cleo@Example.org", "accept_terms": True}
# The customer by its own address, and lock, key, store: what joining writes on top is the same as on the page.
MOST = 20


@pytest.fixture
def anybody(app: Flask, bakery: Shop) -> Caller:
    """Somebody without a key."""
    return Caller(app, None)


@pytest.fixture
def wallets(app: Flask, tmp_path: Path) -> Iterator[None]:
    """Passes are made, and cards can be saved at Google."""
    with google_server() as fake:
        account = load_account(fake.account_file(tmp_path))
    passes.configure(apple=apple_passes.passes())
    google = GooglePasses(account=account, issuer_id=fake.issuer_id, public_url="https://cards.example")
    google_passes.configure(google=google)
    yield
    passes.configure(apple=None)
    google_passes.configure(google=None)


def change_vendor(app: Flask, shop: Shop, **columns: object) -> None:
    with app.app_context(), transaction():
        vendor = db.session.get_one(Vendor, shop.vendor_id)
        for name, value in columns.items():
            setattr(vendor, name, value)


def stored(app: Flask) -> tuple[list[Customer], int, list[str]]:
    """Return all customers, how many cards there are, and the kinds of mails."""
    with app.app_context():
        people = list(db.session.scalars(sa.select(Customer)))
        kinds = list(db.session.scalars(sa.select(EmailLog.kind).order_by(EmailLog.created_at)))
        return people, db.session.execute(sa.select(sa.func.count(LoyaltyCard.id))).scalar_one(), kinds


def test_it_tells_everybody_of_a_program(app: Flask, bakery: Shop, anybody: Caller) -> None:
    picture = f"/images/{'0' * 32}.png"
    with app.app_context():
        factories.change_program(bakery, logo_url=picture, terms_text="One each.", privacy_url="https://example.org/p")
    said = anybody.get(PROGRAM).json or {}
    assert said["program"].pop("logo_url").endswith(picture)
    assert said == {
        "vendor_name": "Bakery",
        "vendor_code": "bakery",
        "program": {
            "id": str(bakery.program_id),
            "type": "hybrid",
            "name": "Loyalty Card",
            "card_color": "#4F46E5",
            "stamps_target": 10,
            "stamps_reward": "Free item",
            "points_per_euro": 10,
            "terms_text": "One each.",
            "privacy_url": "https://example.org/p",
        },
    }


@pytest.mark.parametrize(
    ("kind", "nothing"),
    [("stamps", {"points_per_euro"}), ("points", {"stamps_target", "stamps_reward"}), ("hybrid", set())],
    ids=["stamps", "points", "hybrid"],
)
def test_it_tells_nothing_of_the_other_kind(
    app: Flask, bakery: Shop, anybody: Caller, kind: str, nothing: set[str]
) -> None:
    with app.app_context():
        factories.change_program(bakery, loyalty_type=kind)
    program = (anybody.get(PROGRAM).json or {})["program"]
    ours = {"points_per_euro", "stamps_target", "stamps_reward"}
    assert {name for name in ours if program[name] is None} == nothing


def test_it_makes_a_card(app: Flask, bakery: Shop, anybody: Caller) -> None:
    more = {"name": "Cleo Martin", "birth_date": "1990-03-24", "locale": "de", "marketing_consent": True}
    answer = anybody.post(ENROLL, {**CLEO, **more, "phone": "621 123 456"})
    said = answer.json or {}
    assert answer.status_code == 201
    assert (said["apple_pass_url"], said["google_save_url"]) == (None, None)
    people, cards, kinds = stored(app)
    assert (cards, kinds, len(people)) == (1, ["enrollment"], 1)
    (cleo,) = people
    assert (cleo.email, cleo.phone, cleo.locale) == ("cleo@example.org", "+352621123456", "de")
    assert (cleo.name, cleo.birth_date, cleo.marketing_consent) == ("Cleo Martin", date(1990, 3, 24), True)
    with app.app_context():
        card = db.session.scalars(sa.select(LoyaltyCard)).one()
        assert (said["card_number"], said["scan_code"]) == (card.card_number, card.scan_code)
        assert said["card_url"].endswith(f"/card/{card.public_token}")
        assert (card.customer_id, card.enrolled_at_store_id) == (cleo.id, None)
    path = said["card_url"].partition("://")[2].partition("/")[2]
    assert app.test_client().get(f"/{path}").status_code == 200


@pytest.mark.usefixtures("wallets")
def test_it_leads_to_wallets_where_there_are_some(app: Flask, anybody: Caller) -> None:
    said = anybody.post(ENROLL, CLEO, key=KEY).json or {}
    token = said["card_url"].rpartition("/")[2]
    assert said["google_save_url"] == f"{said['card_url']}/google"
    assert said["apple_pass_url"].endswith(f".pkpass?token={token}")
    path = said["apple_pass_url"].partition("/api/")[2]
    assert app.test_client().get(f"/api/{path}").mimetype == "application/vnd.apple.pkpass"
    assert (anybody.post(ENROLL, CLEO, key=KEY).json or {}) == said


def test_it_tells_nothing_of_whom_it_knows(app: Flask, bakery: Shop, anybody: Caller) -> None:
    first = anybody.post(ENROLL, CLEO)
    again = anybody.post(ENROLL, {**CLEO, "name": "Mallory"})
    assert (first.status_code, again.status_code) == (201, 202)
    assert (again.json or {}).keys() == {"message"}
    people, cards, kinds = stored(app)
    assert (cards, [person.name for person in people], kinds) == (1, [None], ["enrollment", "card_link"])
    with app.app_context():
        card_id = db.session.scalars(sa.select(LoyaltyCard.id)).one()
    assert str(card_id) not in again.text


def test_it_confirms_addresses_where_the_shop_wants_it(app: Flask, bakery: Shop, anybody: Caller) -> None:
    with app.app_context():
        factories.make_card(bakery, email="known@example.org")
    change_vendor(app, bakery, confirm_address=True)
    new = anybody.post(ENROLL, CLEO)
    known = anybody.post(ENROLL, {**CLEO, "email": "known@example.org"})
    assert (new.status_code, new.data) == (known.status_code, known.data) == (202, new.data)
    _, cards, kinds = stored(app)
    assert (cards, sorted(kinds)) == (1, ["card_link", "confirm_join"])


@pytest.mark.parametrize(
    ("contact", "sent", "field"),
    [
        ("email", {"accept_terms": True}, "email"),
        ("email", {"phone": "621 123 456", "accept_terms": True}, "email"),
        ("phone", {"email": "cleo@example.org", "accept_terms": True}, "phone"),
        ("email", {"email": "cleo", "accept_terms": True}, "email"),
        ("email", {**CLEO, "accept_terms": False}, "accept_terms"),
        ("email", {"email": "cleo@example.org"}, "accept_terms"),
        ("email", {**CLEO, "birth_date": "2999-01-01"}, "birth_date"),
        ("email", {**CLEO, "birth_date": "24.3.1990"}, "birth_date"),
        ("email", {**CLEO, "locale": "xx"}, "locale"),
        ("email", {**CLEO, "name": "a\u202eb"}, "name"),
        ("email", {**CLEO, "store_code": "main"}, "store_code"),
    ],
)
def test_it_says_what_is_missing(
    app: Flask, bakery: Shop, anybody: Caller, contact: str, sent: dict[str, object], field: str
) -> None:
    change_vendor(app, bakery, contact_field=contact)
    answer = anybody.post(ENROLL, sent)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, [field])
    assert stored(app) == ([], 0, [])


def test_it_knows_customers_by_phone_where_the_shop_does(app: Flask, bakery: Shop, anybody: Caller) -> None:
    change_vendor(app, bakery, contact_field="phone")
    cleo = {"phone": "+352 621 123 456", "accept_terms": True}
    assert [anybody.post(ENROLL, cleo).status_code for _ in range(2)] == [201, 202]
    _, cards, kinds = stored(app)
    assert (cards, kinds) == (1, [])


def test_it_joins_once_for_each_key_and_body(app: Flask, anybody: Caller) -> None:
    first = anybody.post(ENROLL, CLEO, key=KEY)
    again = anybody.post(ENROLL, CLEO, key=KEY)
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    # Whoever has a key of somebody else gets nothing of theirs: another body is another request.
    other = anybody.post(ENROLL, {**CLEO, "email": "mallory@example.org"}, key=KEY)
    assert other.status_code == 201
    assert (other.json or {})["card_number"] != (first.json or {})["card_number"]
    assert stored(app)[1] == 2


def test_it_keeps_keys_of_two_shops_apart(app: Flask, anybody: Caller) -> None:
    with app.app_context():
        factories.make_shop("meat")
    first = anybody.post(ENROLL, CLEO, key=KEY)
    second = anybody.post("/loyalty/programs/meat/enroll", CLEO, key=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.json or {})["card_url"] != (second.json or {})["card_url"]


def test_it_asks_for_a_key_of_the_request(app: Flask, anybody: Caller) -> None:
    answer = anybody.post(ENROLL, CLEO, key="short")
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["Idempotency-Key"])
    assert stored(app) == ([], 0, [])


def test_it_makes_no_card_where_the_platform_forbids_it(app: Flask, bakery: Shop, anybody: Caller) -> None:
    with app.app_context():
        factories.change_policy(bakery, allow_self_enrollment=False)
    answer = anybody.post(ENROLL, CLEO)
    assert (answer.status_code, (answer.json or {})["code"]) == (403, "SELF_ENROLLMENT_DISABLED")
    assert anybody.get(PROGRAM).status_code == 200


def said(caller: Caller, **changes: Any) -> list[tuple[int, str]]:
    answers = (caller.get(PROGRAM), caller.post(ENROLL, CLEO))
    return [(answer.status_code, (answer.json or {})["code"]) for answer in answers]


def test_it_opens_no_closed_shop(app: Flask, bakery: Shop, anybody: Caller) -> None:
    with app.app_context():
        factories.change_program(bakery, is_active=False)
    assert said(anybody) == [(409, "PROGRAM_INACTIVE")] * 2
    change_vendor(app, bakery, status="suspended")
    assert said(anybody) == [(403, "VENDOR_SUSPENDED")] * 2


@pytest.mark.parametrize("code", ["nowhere", "BAKERY", "%00", "bak%2fery", "🥐"])
def test_it_knows_no_other_shops(anybody: Caller, code: str) -> None:
    for answer in (anybody.get(f"/loyalty/programs/{code}"), anybody.post(f"/loyalty/programs/{code}/enroll", CLEO)):
        assert answer.status_code in (400, 404)
        assert "Bakery" not in answer.text


def test_it_lets_strangers_ask_a_few_times_a_minute(config: Config, app: Flask, bakery: Shop) -> None:
    with another_app(replace(config, rate_limits=True), config) as made:
        caller = Caller(made, None)
        joined = [caller.post(ENROLL, {"accept_terms": True}).status_code for _ in range(14)]
        asked = [caller.get(PROGRAM).status_code for _ in range(36)]
    # The window slides: what was asked a while ago weighs a little less already.
    assert 10 <= joined.count(422) <= 12
    assert 30 <= asked.count(200) <= 32
    assert (joined[-1], asked[-1]) == (429, 429)


def test_it_asks_the_database_a_few_times(app: Flask, anybody: Caller) -> None:
    for answer in (anybody.get(PROGRAM), anybody.post(ENROLL, CLEO)):
        assert answer.status_code < 300
    with counted(app) as sent:
        anybody.get(PROGRAM)
    assert len(sent) <= 3, "\n".join(sent)
    with counted(app) as sent:
        anybody.post(ENROLL, {**CLEO, "email": "ben@example.org"})
    assert len(sent) <= MOST, "\n".join(sent)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_it_lets_people_join_from_the_shops_own_pages(anybody: Caller, site: str) -> None:
    answer = anybody.send("POST", ENROLL, CLEO, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 201
