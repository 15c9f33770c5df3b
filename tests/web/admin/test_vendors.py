"""Opening a shop, looking at one, and suspending it."""

import re
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.database import db
from loyalty.models.audit import AuditEvent
from loyalty.models.mail import EmailLog
from loyalty.models.vendors import Vendor
from loyalty.services import links
from tests import factories
from tests.browsing import fields, hidden, send, sign_in
from tests.office import make_bakery
from tests.web.admin.conftest import Platform

NEW = "/admin/vendors/new"
DETAILS = {
    "name": "Ada's Bakery",
    "store_name": "Main Street",
    "owner_email": "ada@bakery.example",
    "access": "password",
}


def open_bakery(platform: Platform, **changes: str | None) -> TestResponse:
    return send(platform.client, NEW, platform.client.get(NEW), {**DETAILS, **changes})


def the_vendor() -> Vendor:
    return db.session.execute(sa.select(Vendor)).scalar_one()


def test_it_opens_a_shop_whose_owner_signs_in(app: Flask, platform: Platform, client: FlaskClient) -> None:
    answer = open_bakery(platform, locale="fr", currency="CHF")
    assert answer.status_code == 200
    found = re.search(r'<p class="secret long">([^<]+)</p>', answer.text)
    assert found
    with app.app_context():
        vendor = the_vendor()
        assert (vendor.code, vendor.name, vendor.locale, vendor.currency) == (
            "ada-s-bakery",
            DETAILS["name"],
            "fr",
            "CHF",
        )
        assert f'href="/admin/vendors/{vendor.id}"' in answer.text
    other = app.test_client()
    sent = {**hidden(other.get("/office/sign-in")), "email": DETAILS["owner_email"], "password": found[1]}
    assert other.post("/office/sign-in", data=sent).status_code == 303
    assert other.get("/office").status_code == 200


def test_it_opens_one_shop_for_two_taps_and_shows_the_password_once(app: Flask, platform: Platform) -> None:
    page = platform.client.get(NEW)
    first = send(platform.client, NEW, page, DETAILS)
    again = send(platform.client, NEW, page, DETAILS)
    assert "secret long" in first.text
    assert "secret long" not in again.text
    assert "The password was shown before" in again.text
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Vendor)) == 1
        assert db.session.scalars(sa.select(AuditEvent.action)).all() == ["vendor.created"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Enter a text."),
        ({"store_name": ""}, "Enter a text."),
        ({"code": "Ada!"}, "Use 2 to 40 small letters"),
        ({"owner_email": "ada"}, 'id="owner_email-error"'),
        ({"owner_email": "root@platform.example"}, "Somebody with this e-mail address exists already."),
        ({"timezone": "Mars/Crater"}, "Choose one of the list."),
        ({"currency": "XYZ"}, "Choose one of the list."),
        ({"key": "short"}, "This page is too old."),
    ],
    ids=["name", "store", "code", "no address", "known address", "zone", "currency", "key"],
)
def test_it_keeps_what_was_typed_where_something_is_wrong(
    app: Flask, platform: Platform, changes: dict[str, str], sentence: str
) -> None:
    answer = open_bakery(platform, **changes)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert {**DETAILS, **changes}.items() <= {**fields(answer), **changes}.items()
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Vendor)) == 0


def test_it_names_all_that_is_missing_at_once(platform: Platform) -> None:
    answer = open_bakery(platform, name="", store_name="", owner_email="")
    assert answer.status_code == 422
    for name in ("name", "store_name", "owner_email"):
        assert f'id="{name}-error"' in answer.text


def test_it_says_that_a_short_name_is_taken(app: Flask, platform: Platform) -> None:
    with app.app_context():
        factories.make_shop("bakery")
    answer = open_bakery(platform, code="bakery")
    assert (answer.status_code, "Another shop has this short name already." in answer.text) == (422, True)


def test_it_shows_one_shop(app: Flask, platform: Platform) -> None:
    with app.app_context():
        office = make_bakery()
    assert f'href="/admin/vendors/{office.vendor_id}"' in platform.client.get("/admin/vendors").text
    page = platform.client.get(f"/admin/vendors/{office.vendor_id}").text
    for words in (
        "Ada&#39;s Bakery",
        office.code,
        "ada@bakery.example",
        "Owner",
        "Europe/Luxembourg",
        "<dd>Luxembourg</dd>",
        "Active",
    ):
        assert words in page
    assert platform.client.get(f"/admin/vendors/{uuid4()}").status_code == 404


def test_it_finds_a_shop_by_a_part_of_its_name(app: Flask, platform: Platform) -> None:
    with app.app_context():
        factories.make_shop("bakery", vendor={"name": "Ada's Bread"})
        factories.make_shop("meat", vendor={"name": "Mallory's Meat"})
    for search, found in {"BREAD": (True, False), "meat": (False, True), "%": (False, False), "": (True, True)}.items():
        page = platform.client.get("/admin/vendors", query_string={"q": search}).text
        assert ("Ada&#39;s Bread" in page, "Mallory&#39;s Meat" in page) == found
        assert ("No shop is called like that." in page) == (found == (False, False))


def suspend(platform: Platform, vendor_id: UUID, typed: str) -> TestResponse:
    path = f"/admin/vendors/{vendor_id}/suspend"
    return send(platform.client, path, platform.client.get(path), {"typed_name": typed})


def test_it_suspends_a_shop_whose_name_is_typed_and_lets_it_work_again(app: Flask, platform: Platform) -> None:
    with app.app_context():
        vendor_id = make_bakery().vendor_id
    path = f"/admin/vendors/{vendor_id}"
    for wrong in ("", "Mallory's Meat", "Ada"):
        answer = suspend(platform, vendor_id, wrong)
        assert (answer.status_code, "Type the name as it stands above" in answer.text) == (422, True)
    assert "This shop is suspended." not in platform.client.get(path).text
    assert suspend(platform, vendor_id, " ada’s  BAKERY ").location == path
    page = platform.client.get(path)
    assert "This shop is suspended." in page.text
    resumed = platform.client.post(f"{path}/resume", data=hidden(page, f"{path}/resume"))
    assert resumed.location == path
    assert "This shop is suspended." not in platform.client.get(path).text
    with app.app_context():
        assert the_vendor().status == "active"
        events = db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.created_at)).all()
        assert events == ["vendor.suspended", "vendor.resumed"]


def test_it_refuses_the_owner_of_a_shop(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        ada = make_bakery()
    sign_in(client, ada)
    path = f"/admin/vendors/{ada.vendor_id}"
    for address in (NEW, path, f"{path}/suspend", f"{path}/policy"):
        assert client.get(address).status_code == 403
        answer = client.post(address, data=hidden(client.get("/office/stores")))
        assert answer.status_code in (403, 405)
    with app.app_context():
        assert the_vendor().status == "active"


def test_it_invites_the_owner_of_a_new_shop(app: Flask, platform: Platform) -> None:
    page = platform.client.get(NEW)
    said = {**DETAILS, "access": "invitation", "locale": "de"}
    first = send(platform.client, NEW, page, said)
    again = send(platform.client, NEW, page, said)
    with app.app_context():
        vendor = the_vendor()
        assert first.location == again.location == f"/admin/vendors/{vendor.id}"
        mail = db.session.execute(sa.select(EmailLog)).scalar_one()
        assert (mail.kind, mail.recipient, mail.locale) == ("invitation", DETAILS["owner_email"], "de")
        actions = db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.action)).all()
        assert actions == ["member.invited", "vendor.created"]
        address = links.invitation(mail.confirmation_id)
    shop = platform.client.get(first.location)
    assert "“Ada&#39;s Bakery” is open, and its owner is invited." in shop.text
    assert "ada@bakery.example is invited, until " in shop.text
    ada = app.test_client()
    path = urlsplit(address).path
    answer = ada.post(path, data={**hidden(ada.get(path)), "password": "flour and water 1907"})
    assert answer.location == "/office/wizard"
    assert ada.get("/office/wizard/kind").status_code == 200


def test_it_invites_somebody_who_owns_a_shop_already(app: Flask, platform: Platform) -> None:
    with app.app_context():
        ada = make_bakery()
    answer = open_bakery(platform, name="Ada's Café", code="cafe", owner_email=ada.email, access="invitation")
    assert answer.status_code == 303
    assert f"{ada.email} is invited" in platform.client.get(answer.location).text


def test_it_keeps_no_shop_whose_owner_cannot_be_written_to(app: Flask, platform: Platform) -> None:
    answer = open_bakery(platform, owner_email="ada", access="invitation")
    assert answer.status_code == 422
    assert 'id="owner_email-error"' in answer.text
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Vendor)) == 0


def test_it_invites_another_owner(app: Flask, platform: Platform) -> None:
    with app.app_context():
        ada = make_bakery()
    path = f"/admin/vendors/{ada.vendor_id}"
    page = platform.client.get(path)
    form = {**hidden(page, f"{path}/owners"), "email": "eve@bakery.example"}
    assert platform.client.post(f"{path}/owners", data=form).location == path
    assert platform.client.post(f"{path}/owners", data=form).location == path
    assert "eve@bakery.example is invited" in platform.client.get(path).text
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(EmailLog)) == 1


@pytest.mark.parametrize(
    ("email", "sentence"),
    [("eve", 'id="email-error"'), ("ada@bakery.example", "This person can enter the office already.")],
    ids=["no address", "member"],
)
def test_it_says_who_cannot_be_invited(app: Flask, platform: Platform, email: str, sentence: str) -> None:
    with app.app_context():
        ada = make_bakery()
    path = f"/admin/vendors/{ada.vendor_id}"
    form = {**hidden(platform.client.get(path), f"{path}/owners"), "email": email}
    answer = platform.client.post(f"{path}/owners", data=form)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert fields(answer)["email"] == email
