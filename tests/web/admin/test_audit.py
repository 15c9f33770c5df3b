"""The audit log: searched by person, action, shop and days, a page at a time."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db, transaction
from loyalty.domain.values import Actor, Admin, Role
from loyalty.models.audit import AuditEvent
from loyalty.services import audit
from tests.browsing import sign_in
from tests.office import Office, make_bakery, make_butcher
from tests.web.admin.conftest import Platform

PATH = "/admin/audit"


@pytest.fixture
def shops(app: Flask) -> tuple[Office, Office]:
    """Ada changed a store, Mallory a reward, and somebody changed Ada's policy from outside."""
    with app.app_context():
        ada, mallory = make_bakery(), make_butcher()
        with transaction():
            note(ada.actor, "store.changed")
        with transaction():
            note(mallory.actor, "reward.created")
        with transaction():
            note(Admin(), "policy.changed", ada.vendor_id)
        with transaction():
            # Made within one millisecond, ids would lie in any order.
            for place, action in enumerate(("store.changed", "reward.created", "policy.changed"), 1):
                mine = AuditEvent.action == action
                db.session.execute(sa.update(AuditEvent).where(mine).values(id=UUID(int=place)))
    return ada, mallory


def note(who: Actor | Admin, action: str, vendor_id: UUID | None = None) -> None:
    details = {"code": f"of {action}"}
    audit.record(actor=who, action=action, subject_type="thing", subject_id="7", vendor_id=vendor_id, details=details)


def found(platform: Platform, query: str = "") -> list[str]:
    """Return the actions that are listed."""
    page = platform.client.get(f"{PATH}{query}")
    assert page.status_code == 200
    return re.findall(r'<tr data-action="([^"]+)">', page.text)


def test_it_lists_who_did_what_newest_first(platform: Platform, shops: tuple[Office, Office]) -> None:
    assert found(platform) == ["policy.changed", "reward.created", "store.changed"]
    page = platform.client.get(PATH).text
    for words in (
        "ada@<wbr>bakery.example",
        "Mallory&#39;s Meat",
        "The platform itself",
        "Short name: of store.changed",
        "Changed a store",
    ):
        assert words in page
    assert f'href="/admin/vendors/{shops[0].vendor_id}"' in page


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("?person=ADA@", ["store.changed"]),
        ("?action=policy", ["policy.changed"]),
        ("?action=POLICY.changed", ["policy.changed"]),
        ("?vendor=mallory", ["reward.created"]),
        ("?vendor=Bakery&action=store", ["store.changed"]),
        ("?person=%25", []),
        ("?action=_olicy", []),
        ("?since=2000-01-01&until=9999-12-31", ["policy.changed", "reward.created", "store.changed"]),
        ("?until=2000-01-01", []),
        ("?before=nonsense", ["policy.changed", "reward.created", "store.changed"]),
    ],
)
def test_it_searches(platform: Platform, shops: tuple[Office, Office], query: str, actions: list[str]) -> None:
    assert found(platform, query) == actions


def test_it_counts_days_from_midnight_to_midnight(app: Flask, platform: Platform, shops: tuple[Office, Office]) -> None:
    night = datetime(2026, 11, 20, tzinfo=UTC)
    times = {
        "store.changed": night - timedelta(seconds=1),
        "reward.created": night,
        "policy.changed": night.replace(hour=23),
    }
    with app.app_context(), transaction():
        for action, at in times.items():
            db.session.execute(sa.update(AuditEvent).where(AuditEvent.action == action).values(created_at=at))
    assert found(platform, "?since=2026-11-20&until=2026-11-20") == ["policy.changed", "reward.created"]
    assert found(platform, "?until=2026-11-19") == ["store.changed"]


def test_it_pages_with_the_filters(app: Flask, platform: Platform) -> None:
    with app.app_context():
        ada = make_bakery()
        with transaction():
            for number in range(51):
                note(ada.actor, f"store.number{number}")
                note(ada.actor, "reward.created")
    first = found(platform, "?action=store")
    link = platform.client.get(f"{PATH}?action=store").text.split('rel="next" href="')[1].split('"')[0]
    rest = found(platform, link.removeprefix(PATH).replace("&amp;", "&"))
    assert (len(first), len(rest)) == (50, 1)
    assert set(first) | set(rest) == {f"store.number{number}" for number in range(51)}


@pytest.mark.parametrize("query", ["?since=tomorrow", "?since=2026-11-20&until=2026-11-19"])
def test_it_says_which_days_make_no_sense(platform: Platform, query: str) -> None:
    answer = platform.client.get(f"{PATH}{query}")
    assert (answer.status_code, 'class="summary"' in answer.text) == (422, True)


def test_it_says_that_there_is_nothing(platform: Platform) -> None:
    assert "Nothing was done by hand yet." in platform.client.get(PATH).text
    assert "Nothing in the log is like that." in platform.client.get(f"{PATH}?person=ada").text


def test_it_refuses_the_owner_of_a_shop(client: FlaskClient, shops: tuple[Office, Office]) -> None:
    sign_in(client, shops[0])
    assert shops[0].actor.role is Role.OWNER
    assert client.get(PATH).status_code == 403
