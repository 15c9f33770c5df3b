"""Expiring points in the office: the outlook beside the rule, and points given back with a reason."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import clock, db, transaction
from loyalty.domain.expiry import Decision, Step
from loyalty.models.cards import LoyaltyCard
from loyalty.services import expiry_cards, expiry_restores, expiry_steps
from loyalty.services.expiry_cards import Night
from tests.factories import change_program, make_card
from tests.web.office.customer_pages import Bakery, audited, open_bakery, post

HTMX = {"HX-Request": "true"}


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    made = open_bakery(app, client)
    with app.app_context():
        change_program(made.shop, points_expiration_days=30)
    return made


def expire(bakery: Bakery, points: int = 120) -> str:
    """Let Cleo's points expire; returns where they are given back."""
    now = datetime.now(UTC)
    with bakery.app.app_context():
        with transaction():
            card = db.session.get_one(LoyaltyCard, bakery.cleo.card_id)
            card.points_balance, card.points_good_until = points, now.date()
        with transaction():
            rows = expiry_cards.lock(vendor_id=bakery.shop.vendor_id, card_ids=[bakery.cleo.card_id])
            night = Night(now, "UTC", now.date())
            expiry_steps.take(steps=[(rows[0], Decision(Step.TAKE))], night=night, now=clock())
    return f"{bakery.path}/expiries/{expiry_of(bakery)}/restore"


def expiry_of(bakery: Bakery) -> UUID:
    with bakery.app.app_context():
        found = expiry_restores.find(actor=bakery.shop.ada, card_id=bakery.cleo.card_id, at=datetime.now(UTC))
        assert found is not None
        return found.transaction_id


def test_it_gives_expired_points_back_with_a_reason(client: FlaskClient, bakery: Bakery) -> None:
    action = expire(bakery)
    page = client.get(bakery.path)
    assert "120 points have expired" in page.text
    answer = post(client, page, action, reason="was ill")
    assert (answer.status_code, answer.headers["Location"]) == (303, bakery.path)
    after = client.get(bakery.path).text
    assert "Points that are back on the card: 120." in after
    assert "points have expired" not in after
    assert bakery.card().points_balance == 120
    assert "card.points_restored" in audited(bakery)
    assert post(client, page, action, reason="was ill").status_code == 303
    assert bakery.card().points_balance == 120


def test_it_asks_why_and_keeps_the_page(client: FlaskClient, bakery: Bakery) -> None:
    action = expire(bakery)
    refused = post(client, client.get(bakery.path), action, reason=" ")
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert bakery.card().points_balance == 0
    assert post(client, refused, action, reason="was ill").status_code == 303


def test_it_says_that_points_were_given_back_before(client: FlaskClient, bakery: Bakery) -> None:
    action = expire(bakery)
    first, second = client.get(bakery.path), client.get(bakery.path)
    post(client, first, action, reason="was ill")
    refused = post(client, second, action, reason="once more")
    assert refused.status_code == 422
    assert "These points were given back before." in refused.text
    assert 'value="once more"' in refused.text


def test_it_gives_nothing_back_while_the_program_is_paused(client: FlaskClient, bakery: Bakery) -> None:
    action = expire(bakery)
    page = client.get(bakery.path)
    with bakery.app.app_context():
        change_program(bakery.shop, is_active=False)
    assert post(client, page, action, reason="was ill").status_code == 422
    assert "points have expired" not in client.get(bakery.path).text


def test_it_shows_the_outlook_for_htmx_and_without(client: FlaskClient, bakery: Bakery) -> None:
    with bakery.app.app_context():
        make_card(bakery.shop, points=500)
    page = client.get("/office/program/expiry?points_expiration_days=365")
    part = client.get("/office/program/expiry?points_expiration_days=365", headers=HTMX)
    assert "<h1>" in page.text
    assert "<h1>" not in part.text
    for answer in (page, part):
        assert "HX-Request" in answer.headers["Vary"]
        assert "the points of 1 customer would expire" in answer.text
        assert '<td class="n" data-label="Points">500</td>' in answer.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("", "Points never expire."), ("29", "Enter 30 to 3,650 days"), ("x", "Enter 30 to 3,650 days")],
)
def test_it_says_what_to_enter(client: FlaskClient, bakery: Bakery, typed: str, sentence: str) -> None:
    answer = client.get("/office/program/expiry", query_string={"points_expiration_days": typed}, headers=HTMX)
    assert answer.status_code == 200
    assert sentence in answer.text


def test_it_shows_a_warning_on_every_face_of_the_card(client: FlaskClient, bakery: Bakery) -> None:
    day = datetime.now(UTC) + timedelta(days=9)
    with bakery.app.app_context(), transaction():
        card = db.session.get_one(LoyaltyCard, bakery.cleo.card_id)
        card.points_balance, card.points_good_until = 50, day.date()
        card.last_expiration_warning_at = datetime.now(UTC)
    assert "Points expire" in client.get(bakery.path).text
    assert "Your points expire soon" in client.get(f"/card/{bakery.cleo.public_token}").text
