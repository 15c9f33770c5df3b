"""The policy of a shop: each switch says what it does, and counts at once."""

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db
from loyalty.models.audit import AuditEvent
from loyalty.models.vendors import VendorPolicy
from tests.browsing import hidden, send
from tests.office import make_bakery, make_butcher
from tests.web.admin.conftest import Platform


@pytest.fixture
def vendor_id(app: Flask) -> UUID:
    with app.app_context():
        return make_bakery().vendor_id


def policy_of(vendor_id: UUID) -> VendorPolicy:
    return db.session.execute(sa.select(VendorPolicy).where(VendorPolicy.vendor_id == vendor_id)).scalar_one()


def test_it_explains_every_switch(platform: Platform, vendor_id: UUID) -> None:
    page = platform.client.get(f"/admin/vendors/{vendor_id}/policy").text
    for name in ("allow_self_enrollment", "allow_void_transactions", "allow_cross_store_redemption"):
        assert f'aria-describedby="{name}-hint"' in page
    for name in ("require_order_reference", "log_ip_addresses", "pin_lockout_attempts", "pin_lockout_minutes"):
        assert f'id="{name}-hint"' in page


def test_it_saves_the_policy_of_this_shop_alone(app: Flask, platform: Platform, vendor_id: UUID) -> None:
    with app.app_context():
        other = make_butcher().vendor_id
    path = f"/admin/vendors/{vendor_id}/policy"
    changes = {"staff_pin_policy": "optional", "pin_lockout_attempts": "7", "allow_void_transactions": None}
    answer = send(platform.client, path, platform.client.get(path), changes)
    assert answer.location == f"/admin/vendors/{vendor_id}"
    assert "The policy is saved." in platform.client.get(answer.location).text
    with app.app_context():
        saved, kept = policy_of(vendor_id), policy_of(other)
        assert (saved.staff_pin_policy, saved.pin_lockout_attempts, saved.allow_void_transactions) == (
            "optional",
            7,
            False,
        )
        assert (saved.allow_self_enrollment, saved.log_ip_addresses) == (True, True)
        assert (kept.staff_pin_policy, kept.allow_void_transactions) == ("required", True)
        event = db.session.execute(sa.select(AuditEvent)).scalar_one()
        assert (event.action, event.vendor_id, event.user_id) == ("policy.changed", vendor_id, platform.user_id)
        assert event.details["after"] == {
            "staff_pin_policy": "optional",
            "pin_lockout_attempts": 7,
            "allow_void_transactions": False,
        }


def test_it_saves_once_for_two_taps(app: Flask, platform: Platform, vendor_id: UUID) -> None:
    path = f"/admin/vendors/{vendor_id}/policy"
    page = platform.client.get(path)
    for _ in range(2):
        assert send(platform.client, path, page, {"pin_lockout_minutes": "45"}).status_code == 303
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"pin_lockout_attempts": "2"}, "Enter a whole number from 3 to 20."),
        ({"pin_lockout_minutes": "soon"}, "Write a whole number in digits."),
        ({"staff_pin_policy": "maybe"}, "Choose one of the list."),
    ],
    ids=["too few", "no number", "no choice"],
)
def test_it_saves_nothing_where_something_is_wrong(
    app: Flask, platform: Platform, vendor_id: UUID, changes: dict[str, str], sentence: str
) -> None:
    path = f"/admin/vendors/{vendor_id}/policy"
    answer = send(platform.client, path, platform.client.get(path), {"log_ip_addresses": None, **changes})
    assert (answer.status_code, sentence in answer.text) == (422, True)
    with app.app_context():
        assert policy_of(vendor_id).log_ip_addresses


def test_it_knows_no_other_shop(platform: Platform) -> None:
    assert platform.client.get(f"/admin/vendors/{uuid4()}/policy").status_code == 404


def test_it_keeps_what_somebody_typed_who_went_back(app: Flask, platform: Platform, vendor_id: UUID) -> None:
    path = f"/admin/vendors/{vendor_id}/policy"
    page = platform.client.get(path)
    assert send(platform.client, path, page, {"pin_lockout_attempts": "7"}).status_code == 303
    answer = send(platform.client, path, page, {"pin_lockout_attempts": "9"})
    assert answer.status_code == 422
    assert "All that you typed is still here." in answer.text
    assert platform.client.post(path, data=hidden(answer, path)).location == f"/admin/vendors/{vendor_id}"
    with app.app_context():
        assert policy_of(vendor_id).pin_lockout_attempts == 9
