"""The platform's vendors and programs as JSON: opened, changed, suspended, listed in pages."""

import threading
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from loyalty.database import db
from loyalty.models.audit import AuditEvent
from loyalty.models.idempotency import IdempotencyKey
from loyalty.models.mail import EmailLog
from loyalty.models.users import User
from loyalty.services import links
from tests import factories
from tests.browsing import hidden
from tests.factories import Card, Shop
from tests.web.api.callers import Caller, make_platform_key
from tests.web.test_queries import counted

VENDORS = "/admin/loyalty/vendors"
PROGRAMS = "/admin/loyalty/programs"
BODY = {"name": "Ida's Flowers", "store_name": "Market Square", "owner_email": "ida@flowers.example"}
KEY = "one-key-for-both-requests"


@pytest.fixture
def platform(app: Flask) -> Caller:
    """Software of the platform."""
    with app.app_context():
        return Caller(app, make_platform_key())


def test_it_opens_a_vendor_whose_owner_can_sign_in(app: Flask, platform: Caller, client: FlaskClient) -> None:
    first, again = (platform.post(VENDORS, BODY | {"locale": "de"}, key=KEY) for _ in range(2))
    made, shown = first.json or {}, again.json or {}
    assert (first.status_code, made["code"], made["store_code"]) == (201, "ida-s-flowers", "main")
    assert shown == made | {"owner_password": None, "secret_shown": True}
    page = client.get("/office/sign-in")
    typed = {"email": BODY["owner_email"], "password": made["owner_password"]}
    assert client.post("/office/sign-in", data={**hidden(page), **typed}).location == "/office/wizard"
    found = platform.get(f"{VENDORS}/{made['vendor_id']}").json or {}
    assert (found["name"], found["status"], found["locale"]) == (BODY["name"], "active", "de")
    assert (found["timezone"], found["country"], found["currency"]) == ("Europe/Luxembourg", "LU", "EUR")
    program = platform.get(f"{PROGRAMS}/{made['program_id']}").json or {}
    assert (program["is_active"], program["vendor_id"], program["stamps_target"]) == (False, made["vendor_id"], 10)
    with app.app_context():
        (event,) = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "vendor.created"))
        assert (str(event.vendor_id), event.api_key_id is None) == (made["vendor_id"], False)
        stored = str(db.session.scalars(select(IdempotencyKey.receipt)).all())
        assert made["owner_password"] not in stored
        assert BODY["owner_email"] not in stored


def test_it_opens_a_vendor_whose_owner_is_invited(app: Flask, platform: Caller, client: FlaskClient) -> None:
    asked = BODY | {"owner_access": "invitation", "locale": "de"}
    first, again = (platform.post(VENDORS, asked, key=KEY) for _ in range(2))
    made = first.json or {}
    assert (first.status_code, made["owner_password"], made["secret_shown"]) == (201, None, False)
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    with app.app_context():
        mail = db.session.execute(select(EmailLog)).scalar_one()
        assert (mail.kind, mail.recipient, mail.locale) == ("invitation", BODY["owner_email"], "de")
        assert str(mail.vendor_id) == made["vendor_id"]
        actions = db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.action)).all()
        assert actions == ["api_key.created", "member.invited", "vendor.created"]
        assert db.session.scalar(select(User.id)) is None
        path = urlsplit(links.invitation(mail.confirmation_id)).path
    answer = client.post(path, data={**hidden(client.get(path)), "password": "petals and stems 1907"})
    assert answer.location == "/office/wizard"


def test_it_invites_an_owner_who_signs_in_elsewhere(bakery: Shop, platform: Caller) -> None:
    body = BODY | {"owner_email": "ada@bakery.example"}
    assert platform.post(VENDORS, body | {"owner_access": "password"}).status_code == 422
    assert platform.post(VENDORS, body | {"owner_access": "invitation"}).status_code == 201


@pytest.mark.parametrize(
    "change", [{"owner_email": "nobody"}, {"owner_access": "sms"}, {"code": "bakery"}], ids=["address", "way", "code"]
)
def test_it_invites_nobody_to_a_shop_that_cannot_be(bakery: Shop, platform: Caller, change: dict[str, str]) -> None:
    answer = platform.post(VENDORS, BODY | {"owner_access": "invitation"} | change)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, list(change))
    assert len((platform.get(VENDORS).json or {})["items"]) == 1
    with platform.app.app_context():
        assert db.session.scalar(select(EmailLog.id)) is None


def test_it_invites_another_owner(bakery: Shop, platform: Caller, manager: Caller) -> None:
    path, body = f"{VENDORS}/{bakery.vendor_id}/owners", {"email": " Ida@Flowers.example "}
    first, again = (platform.post(path, body, key=KEY) for _ in range(2))
    assert (first.status_code, (first.json or {})["email"]) == (201, "ida@flowers.example")
    assert again.data == first.data
    renewed = platform.post(path, body)
    assert (renewed.status_code, renewed.json != first.json) == (201, True)
    for email in ("nobody", "ada@bakery.example"):
        answer = platform.post(path, {"email": email})
        assert (answer.status_code, list((answer.json or {})["errors"])) == (422, ["email"])
    assert platform.post(f"{VENDORS}/{uuid4()}/owners", body).status_code == 404
    assert manager.post(path, body).status_code == 403
    with platform.app.app_context():
        recipients = db.session.scalars(select(EmailLog.recipient).order_by(EmailLog.id)).all()
        assert recipients == ["ida@flowers.example"] * 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"store_name": " "}, "store_name"),
        ({"code": "bakery"}, "code"),
        ({"code": "Not a code"}, "code"),
        ({"owner_email": "nobody"}, "owner_email"),
        ({"owner_email": "ada@bakery.example"}, "owner_email"),
        ({"locale": "it"}, "locale"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"country": "XX"}, "country"),
        ({"currency": "XXY"}, "currency"),
        ({"status": "suspended"}, "status"),
    ],
    ids=[
        "blank",
        "store",
        "taken",
        "letters",
        "no address",
        "known",
        "locale",
        "zone",
        "country",
        "currency",
        "unknown",
    ],
)
def test_it_says_which_field_is_wrong(bakery: Shop, platform: Caller, change: dict[str, str], field: str) -> None:
    answer = platform.post(VENDORS, BODY | change)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, [field])
    assert len((platform.get(VENDORS).json or {})["items"]) == 1


def test_it_gives_a_code_to_one_of_two_at_once(platform: Caller) -> None:
    statuses: list[int] = []

    def ask(number: int) -> None:
        body = BODY | {"code": "flowers", "owner_email": f"ida-{number}@flowers.example"}
        statuses.append(platform.post(VENDORS, body).status_code)

    twins = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert sorted(statuses) == [201, 422, 422, 422]


def test_it_changes_a_vendors_settings(bakery: Shop, platform: Caller) -> None:
    path = f"{VENDORS}/{bakery.vendor_id}"
    changed = platform.send("PATCH", path, {"name": "Ada", "locale": "fr", "pin_length": 6, "ask_name": False})
    assert changed.json == {"vendor_id": str(bakery.vendor_id), "changed": ["locale", "name", "pin_length"]}
    found = platform.get(path).json or {}
    assert (found["name"], found["locale"], found["pin_length"], found["code"]) == ("Ada", "fr", 6, "bakery")
    wrong: dict[str, Any]
    for wrong in ({"code": "ada"}, {"name": None}, {"pin_length": 5}, {"currency": "USD"}, {"ask_name": None}):
        answer = platform.send("PATCH", path, wrong)
        assert (answer.status_code, list((answer.json or {})["errors"])) == (422, list(wrong))


def test_it_suspends_and_resumes(
    app: Flask, bakery: Shop, platform: Caller, till: Caller, card: Card, client: FlaskClient
) -> None:
    path, stamp = f"{VENDORS}/{bakery.vendor_id}", {"card_id": str(card.card_id)}
    client.set_cookie(app.config["TERMINAL_COOKIE_NAME"], bakery.terminal_token)
    first, again = (platform.post(f"{path}/suspend", key=KEY) for _ in range(2))
    assert ((first.json or {})["status"], again.data) == ("suspended", first.data)
    refused = till.post("/vendor/loyalty/stamps", stamp)
    assert (refused.status_code, (refused.json or {})["code"]) == (403, "VENDOR_SUSPENDED")
    assert client.get("/terminal").status_code == 403
    assert client.get(f"/card/{card.public_token}").status_code == 200
    assert platform.post(f"{path}/suspend").status_code == 200
    items = (platform.get(VENDORS, status="suspended").json or {})["items"]
    assert [row["code"] for row in items] == ["bakery"]
    assert (platform.post(f"{path}/resume").json or {})["status"] == "active"
    assert till.post("/vendor/loyalty/stamps", stamp).status_code == 200
    assert (platform.get(VENDORS, status="suspended").json or {})["items"] == []
    with app.app_context():
        actions = db.session.scalars(select(AuditEvent.action).where(AuditEvent.vendor_id == bakery.vendor_id)).all()
        assert sorted(action for action in actions if action.startswith("vendor.")) == [
            "vendor.resumed",
            "vendor.suspended",
        ]


@pytest.mark.parametrize(("path", "word"), [(VENDORS, "code"), (PROGRAMS, "vendor_code")], ids=["vendors", "programs"])
def test_it_lists_every_row_once_while_others_arrive(app: Flask, platform: Caller, path: str, word: str) -> None:
    with app.app_context():
        for number in range(5):
            factories.make_shop(f"shop-{number}")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = platform.get(path, limit=2, **cursor).json or {}
        seen += [row[word] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        with app.app_context():
            factories.make_shop(f"late-{len(seen)}")
    assert seen == [f"shop-{number}" for number in (4, 3, 2, 1, 0)]
    (found,) = (platform.get(path, **{word: "shop-3"}).json or {})["items"]
    assert found[word] == "shop-3"
    assert (platform.get(path, **{word: "nobody"}).json or {})["items"] == []
    assert platform.get(path, cursor="made-up").status_code == 422


@pytest.mark.parametrize("path", [VENDORS, PROGRAMS], ids=["vendors", "programs"])
def test_it_asks_as_few_questions_for_many_as_for_one(app: Flask, platform: Caller, path: str) -> None:
    sent = []
    for number in range(2):
        with app.app_context():
            factories.make_shop(f"shop-{number}")
        platform.get(path)
        with counted(app) as questions:
            platform.get(path)
        sent.append(len(questions))
    assert sent == [2, 2]


def test_it_shows_a_program_with_all_its_settings(bakery: Shop, platform: Caller) -> None:
    found = platform.get(f"{PROGRAMS}/{bakery.program_id}").json or {}
    assert (found["vendor_code"], found["loyalty_type"], found["currency"]) == ("bakery", "hybrid", "EUR")
    assert (found["cooldown_minutes"], found["max_daily_stamps"], found["is_active"]) == (0, 50, True)
    assert (platform.get(f"{PROGRAMS}/{uuid4()}").json or {})["code"] == "PROGRAM_NOT_FOUND"


def test_it_knows_no_vendor_by_a_made_up_id(platform: Caller) -> None:
    path = f"{VENDORS}/{uuid4()}"
    assert platform.get(path).status_code == 404
    assert platform.send("PATCH", path, {"name": "Nobody"}).status_code == 404
    assert platform.post(f"{path}/suspend").status_code == 404
    assert platform.post(f"{path}/resume").status_code == 404


def test_it_is_closed_to_keys_of_shops(bakery: Shop, manager: Caller, till: Caller, reader: Caller) -> None:
    path = f"{VENDORS}/{bakery.vendor_id}"
    for caller in (manager, till, reader):
        assert {caller.get(each).status_code for each in (VENDORS, path, PROGRAMS)} == {403}
        assert caller.post(VENDORS, BODY).status_code == 403
        assert caller.send("PATCH", path, {"name": "Mine"}).status_code == 403
        assert caller.post(f"{path}/suspend").status_code == 403


def test_it_opens_no_shop_with_a_key_of_the_platform(platform: Caller) -> None:
    for path in ("/pins", "/stores", "/terminals", "/policy"):
        assert platform.get(f"/vendor/loyalty{path}").status_code == 403
