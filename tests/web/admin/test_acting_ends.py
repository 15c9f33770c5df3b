"""The end of acting for a shop: after an hour, with the session, with the right; what was typed is kept."""

import re
from datetime import UTC, datetime

import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.models.users import User, UserSession, VendorMember
from loyalty.models.vendors import Store, Vendor
from loyalty.services import user_sessions
from tests.browsing import fields, hidden, send
from tests.office import Office, make_butcher
from tests.web.admin.acting import LEAVE, act, end_the_hour, events, leave
from tests.web.admin.conftest import Platform


def test_it_ends_by_itself_and_says_so(app: Flask, platform: Platform, ada: Office) -> None:
    act(platform.client, ada)
    page = platform.client.get("/office/stores")
    end_the_hour(app)
    late = send(platform.client, "/office/stores", page, {"name": "Station"})
    assert late.status_code == 403
    assert "Your time at the shop is over." in late.text
    refused = platform.client.get("/office")
    assert refused.status_code == 403
    assert 'href="/admin">Go to the start page of the platform' in refused.text
    assert "Your time at the shop is over." in platform.client.get("/admin").text
    assert leave(platform.client, platform.client.get("/admin")).location == "/admin"
    assert platform.client.get("/office").location == "/office/shops"
    assert [action for action, _, _ in events(app)] == ["acting.started"]


def test_it_keeps_what_was_typed_when_the_hour_ends(app: Flask, platform: Platform, ada: Office) -> None:
    act(platform.client, ada)
    path, again = "/office/stores", f"/admin/vendors/{ada.vendor_id}/act"
    form = {**fields(platform.client.get(path)), "name": "Quay <2>"}
    end_the_hour(app)
    late = platform.client.post(path, data=form)
    assert late.status_code == 403
    assert "all that you typed is still here" in late.text
    # Without a reason nobody enters, and nothing is lost.
    refused = platform.client.post(again, data={**hidden(late, again), "reason": ""})
    assert refused.status_code == 422
    offered = platform.client.post(again, data={**hidden(refused, again), "reason": "Not done yet"})
    assert offered.status_code == 200
    assert "Send it to Ada&#39;s Bakery now" in offered.text
    assert "You act for “Ada&#39;s Bakery”" in offered.text
    with app.app_context():
        assert "Quay <2>" not in db.session.scalars(sa.select(Store.name)).all()
    for _ in range(2):
        assert platform.client.post(path, data=hidden(offered, path)).status_code == 303
    with app.app_context():
        assert db.session.scalars(sa.select(Store.name)).all().count("Quay <2>") == 1
    assert [action for action, _, _ in events(app)] == ["acting.started", "acting.started", "store.created"]


def test_it_asks_nobody_again_who_runs_the_platform_no_more(app: Flask, platform: Platform, ada: Office) -> None:
    act(platform.client, ada)
    form = {**fields(platform.client.get("/office/stores")), "name": "Quay"}
    end_the_hour(app)
    with app.app_context(), transaction():
        db.session.execute(sa.update(User).where(User.id == platform.user_id).values(is_admin=False))
    late = platform.client.post("/office/stores", data=form)
    assert late.status_code == 403
    assert "/act" not in late.text


def test_it_is_over_for_whoever_has_a_shop_of_their_own_too(app: Flask, platform: Platform, ada: Office) -> None:
    """What was written for the other shop is not saved in one's own."""
    with app.app_context():
        own = make_butcher()
        with transaction():
            db.session.add(VendorMember(user_id=platform.user_id, vendor_id=own.vendor_id, role="owner"))
            mine = UserSession.user_id == platform.user_id
            db.session.execute(sa.update(UserSession).where(mine).values(vendor_id=own.vendor_id))
    act(platform.client, ada)
    page = platform.client.get("/office/settings")
    assert "Ada&#39;s Bakery" in page.text
    end_the_hour(app)
    assert send(platform.client, "/office/settings", page, {"name": "Bread"}).status_code == 403
    platform.client.post(LEAVE, data=hidden(platform.client.get("/admin"), LEAVE))
    assert "Mallory&#39;s Meat" in platform.client.get("/office").text
    with app.app_context():
        names = db.session.scalars(sa.select(Vendor.name).order_by(Vendor.name)).all()
        assert names == ["Ada's Bakery", "Mallory's Meat"]


def test_it_ends_with_the_session_and_with_the_right(app: Flask, platform: Platform, ada: Office) -> None:
    act(platform.client, ada)
    assert platform.client.get("/office").status_code == 200
    with app.app_context(), transaction():
        db.session.execute(sa.update(User).where(User.id == platform.user_id).values(is_admin=False))
    assert platform.client.get("/office").status_code == 303
    assert platform.client.get("/admin").status_code == 403
    with app.app_context(), transaction():
        db.session.execute(sa.update(User).where(User.id == platform.user_id).values(is_admin=True))
        user_sessions.end_all(user_id=platform.user_id, at=datetime.now(UTC))
    assert re.match(r"/office/sign-in", platform.client.get("/office").location)
