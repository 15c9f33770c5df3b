"""A form of the platform that is sent after the session has ended: nothing that was typed is lost."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loyalty.database import db, transaction
from loyalty.models.users import User
from loyalty.models.vendors import Vendor, VendorPolicy
from loyalty.services import accounts
from tests.browsing import fields, hidden
from tests.office import PASSWORD, Office
from tests.web.admin.conftest import EMAIL, Platform

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def path(ada: Office) -> str:
    """The page on which the platform decides about the bakery."""
    return f"/admin/vendors/{ada.vendor_id}/policy"


def answer_sign_in(client: FlaskClient, page: TestResponse, email: str = EMAIL) -> TestResponse:
    data = {**hidden(page, "/office/sign-in"), "email": email, "password": PASSWORD}
    return client.post("/office/sign-in", data=data)


def typed(platform: Platform, path: str) -> dict[str, str]:
    return {**fields(platform.client.get(path)), "pin_lockout_attempts": "7"}


def end_session(app: Flask, client: FlaskClient) -> None:
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    with app.app_context():
        accounts.sign_out(token=token, at=datetime.now(UTC))


def attempts(app: Flask, vendor_id: UUID) -> int:
    with app.app_context():
        query = sa.select(VendorPolicy.pin_lockout_attempts).where(VendorPolicy.vendor_id == vendor_id)
        return db.session.execute(query).scalar_one()


def test_it_saves_what_was_typed_after_signing_in_again(app: Flask, platform: Platform, ada: Office, path: str) -> None:
    form = typed(platform, path)
    end_session(app, platform.client)
    page = platform.client.post(path, data=form)
    assert page.status_code == 401
    assert "it is still here" in page.text
    again = answer_sign_in(platform.client, page)
    assert again.status_code == 200
    assert "Send it now" in again.text
    assert attempts(app, ada.vendor_id) == 5
    for _ in range(2):
        assert platform.client.post(path, data=hidden(again, path)).status_code == 303
    assert attempts(app, ada.vendor_id) == 7


def test_it_keeps_a_new_shop_that_was_typed_in(app: Flask, platform: Platform) -> None:
    new = "/admin/vendors/new"
    shop = {"name": "Ben's <Bakery>", "store_name": "Quay", "owner_email": "ben@bakery.example"}
    form = {**fields(platform.client.get(new)), **shop, "access": "invitation"}
    end_session(app, platform.client)
    again = answer_sign_in(platform.client, platform.client.post(new, data=form))
    assert platform.client.post(new, data=hidden(again, new)).status_code == 303
    with app.app_context():
        assert db.session.execute(sa.select(Vendor.name)).scalar_one() == "Ben's <Bakery>"


@pytest.mark.parametrize("signed_in_again", [False, True])
def test_it_keeps_it_when_another_tab_signed_out(
    app: Flask, platform: Platform, ada: Office, path: str, signed_in_again: bool
) -> None:
    form, client = typed(platform, path), platform.client
    client.post("/office/sign-out", data=hidden(client.get("/admin"), "/office/sign-out"))
    if signed_in_again:
        assert answer_sign_in(client, client.get("/office/sign-in")).status_code == 303
    answer = client.post(path, data=form, headers=SAME_ORIGIN)
    assert answer.status_code == 400
    again = answer if signed_in_again else answer_sign_in(client, answer)
    assert client.post(path, data=hidden(again, path)).status_code == 303
    assert attempts(app, ada.vendor_id) == 7


def test_it_offers_it_to_nobody_who_does_not_run_the_platform(
    app: Flask, platform: Platform, ada: Office, path: str
) -> None:
    form = typed(platform, path)
    end_session(app, platform.client)
    answer = answer_sign_in(platform.client, platform.client.post(path, data=form), ada.email)
    assert (answer.status_code, answer.location) == (303, "/office/wizard")


def test_it_offers_it_to_nobody_who_runs_the_platform_no_more(app: Flask, platform: Platform, path: str) -> None:
    form = typed(platform, path)
    end_session(app, platform.client)
    page = platform.client.post(path, data=form)
    with app.app_context(), transaction():
        db.session.execute(sa.update(User).where(User.id == platform.user_id).values(is_admin=False))
    answer = answer_sign_in(platform.client, page)
    assert (answer.status_code, answer.location) == (303, "/office/shops")


def test_it_keeps_nothing_that_another_site_sent(platform: Platform, path: str) -> None:
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        answer = platform.client.post(path, data={"pin_lockout_attempts": "93", "key": "x" * 20}, headers=headers)
        assert answer.status_code in (400, 403)
        assert "93" not in answer.text
