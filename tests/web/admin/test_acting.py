"""Acting for a shop: with a reason, for an hour, visible to everybody, and only for the platform's people."""

import re
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db, transaction
from loyalty.models.audit import AuditEvent
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.models.users import VendorMember
from loyalty.models.vendors import Vendor
from loyalty.services import audit_log
from tests import factories
from tests.browsing import hidden, send, sign_in
from tests.office import Office, make_butcher
from tests.web.admin.acting import LEAVE, act, events, leave
from tests.web.admin.conftest import Platform


def test_it_enters_the_office_and_leaves_it(app: Flask, platform: Platform, ada: Office) -> None:
    assert platform.client.get("/office").status_code == 303
    entered = act(platform.client, ada)
    assert (entered.status_code, entered.location) == (303, "/office")
    for path in ("/office", "/office/members", "/office/keys", "/office/settings", "/office/account", "/admin"):
        page = platform.client.get(path)
        assert page.status_code == 200
        assert "You act for “Ada&#39;s Bakery”" in page.text
        assert "for 60 more minutes." in page.text
    left = leave(platform.client, page)
    assert (left.status_code, left.location) == (303, f"/admin/vendors/{ada.vendor_id}")
    assert platform.client.get("/office").location == "/office/shops"
    assert 'id="acting"' not in platform.client.get("/admin").text
    me = platform.user_id
    assert events(app) == [("acting.started", me, True), ("acting.ended", me, True)]


@pytest.mark.parametrize("way", ["/office/shops", "/office/sign-out"])
def test_it_writes_down_that_it_ended_where_somebody_goes_elsewhere(
    app: Flask, platform: Platform, ada: Office, way: str
) -> None:
    with app.app_context(), transaction():
        own = make_butcher().vendor_id
        db.session.add(VendorMember(user_id=platform.user_id, vendor_id=own, role="owner"))
    act(platform.client, ada)
    page = platform.client.get("/office/shops")
    answer = platform.client.post(way, data={**hidden(page, way), "vendor_id": str(own)})
    assert answer.status_code == 303
    me = platform.user_id
    acted = [event for event in events(app) if event[0].startswith("acting.")]
    assert acted == [("acting.started", me, True), ("acting.ended", me, True)]


def test_it_writes_down_why_and_who_really(app: Flask, platform: Platform, ada: Office) -> None:
    act(platform.client, ada)
    path = "/office/stores"
    page = platform.client.get(path)
    made = send(platform.client, path, page, {"name": "Station", **hidden(page, path)})
    assert made.status_code == 303
    with app.app_context():
        rows = db.session.execute(sa.select(AuditEvent).order_by(AuditEvent.created_at)).scalars().all()
        assert [row.action for row in rows] == ["acting.started", "store.created"]
        assert all(row.user_id == platform.user_id and row.on_behalf and row.vendor_id == ada.vendor_id for row in rows)
        assert rows[0].details["reason"] == "She asked on the phone"


def test_it_marks_the_ledger_with_the_admin(app: Flask, platform: Platform) -> None:
    with app.app_context():
        shop = factories.make_shop("bakery")
        card = factories.make_card(shop, stamps=3)
        office = Office(shop.vendor_id, shop.store_id, shop.code, "", shop.ada)
    act(platform.client, office)
    path = f"/office/customers/{card.card_id}/deactivate"
    page = platform.client.get(path)
    answer = send(platform.client, path, page, {**hidden(page, path), "reason": "lost"})
    assert answer.status_code == 303, answer.text
    with app.app_context():
        newest = sa.select(LoyaltyTransaction).where(LoyaltyTransaction.card_id == card.card_id)
        row = db.session.execute(newest.order_by(LoyaltyTransaction.seq.desc()).limit(1)).scalar_one()
        assert (row.transaction_type, row.user_id) == ("card_deactivated", platform.user_id)


def test_it_shows_the_owner_what_the_platform_did(
    app: Flask, platform: Platform, client: FlaskClient, ada: Office
) -> None:
    assert "What the platform did here" not in office_of(app, ada).get("/office/members").text
    act(platform.client, ada)
    page = office_of(app, ada).get("/office/members").text
    assert "What the platform did here" in page
    assert "She asked on the phone" in page
    assert "root@platform.example" in page
    with app.app_context():
        mallory = make_butcher()
    assert "She asked on the phone" not in office_of(app, mallory).get("/office/members").text


def test_it_leads_the_owner_to_what_the_platform_did_before(
    app: Flask, platform: Platform, ada: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "PAGE", 1)
    act(platform.client, ada)
    leave(platform.client, platform.client.get("/office/members"))
    browser = office_of(app, ada)
    page = browser.get("/office/members").text
    assert "She asked on the phone" not in page
    [older] = re.findall(r'rel="next" href="([^"]+)"', page)
    assert "She asked on the phone" in browser.get(older).text


def office_of(app: Flask, shop: Office) -> FlaskClient:
    browser = app.test_client()
    sign_in(browser, shop)
    return browser


def test_it_leaves_in_one_tab_for_all_of_them(app: Flask, platform: Platform, ada: Office) -> None:
    act(platform.client, ada)
    first, second = platform.client.get("/office/stores"), platform.client.get("/office")
    assert leave(platform.client, second).status_code == 303
    again = leave(platform.client, first)
    assert again.status_code == 400
    assert "You act for no shop any more." in again.text
    refused = send(platform.client, "/office/stores", first, {"name": "Station"})
    assert refused.status_code in (400, 403)
    assert [action for action, _, _ in events(app)] == ["acting.started", "acting.ended"]


def test_it_refuses_forms_of_the_shop_before(app: Flask, platform: Platform, ada: Office) -> None:
    with app.app_context():
        mallory = make_butcher()
    act(platform.client, ada)
    old = platform.client.get("/office/settings")
    act(platform.client, mallory)
    assert send(platform.client, "/office/settings", old, {"name": "Bread"}).status_code == 400
    with app.app_context():
        assert "Bread" not in db.session.scalars(sa.select(Vendor.name)).all()
    assert [action for action, _, _ in events(app)] == ["acting.started", "acting.ended", "acting.started"]


def test_it_begins_once_for_two_taps(app: Flask, platform: Platform, ada: Office) -> None:
    path = f"/admin/vendors/{ada.vendor_id}/act"
    page = platform.client.get(path)
    data = {**hidden(page, path), "reason": "She asked"}
    with platform.client.session_transaction() as cookie:
        before = dict(cookie)
    assert platform.client.post(path, data=data).status_code == 303
    # The second tap leaves before the answer to the first has brought its cookie.
    with platform.client.session_transaction() as cookie:
        cookie.clear()
        cookie.update(before)
    assert platform.client.post(path, data=data).status_code == 303
    assert [action for action, _, _ in events(app)] == ["acting.started"]


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("  ", "Say why: the shop&#39;s owner can read it."), ("x" * 301, "Say it in 300 letters or fewer.")],
    ids=["none", "too long"],
)
def test_it_wants_a_reason(platform: Platform, ada: Office, reason: str, sentence: str) -> None:
    answer = act(platform.client, ada, reason)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert platform.client.get("/office").status_code == 303


def test_it_finds_no_shop_that_is_not_there(platform: Platform) -> None:
    assert platform.client.get(f"/admin/vendors/{uuid4()}/act").status_code == 404


def test_it_is_for_the_platform_alone(client: FlaskClient, ada: Office) -> None:
    sign_in(client, ada)
    path = f"/admin/vendors/{ada.vendor_id}/act"
    assert client.get(path).status_code == 403
    data = {**hidden(client.get("/office/account")), "reason": "curious"}
    assert client.post(path, data=data).status_code == 403
    assert client.post(LEAVE, data=data).status_code == 403


def test_it_keeps_ones_own_account_ones_own(platform: Platform, ada: Office) -> None:
    act(platform.client, ada)
    page = platform.client.get("/office/account").text
    assert "You sign in as root@platform.example." in page
    assert "ada@bakery.example" not in page
