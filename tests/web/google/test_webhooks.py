"""What other software hears of cards in Google Wallet."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.services import google_passes, webhooks
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.google_fake import GoogleFake
from tests.google_platform import save
from tests.google_platform import told as callback

ADDRESS = "/api/v1/loyalty/google/callback"
TOLD = "SELECT event_type || ' ' || (body->'data'->>'wallet') FROM webhook_deliveries ORDER BY id"


@pytest.fixture
def bakery(app: Flask, google: GoogleFake) -> Shop:
    with app.app_context():
        return make_shop()


@pytest.fixture
def cleo(app: Flask, bakery: Shop) -> Card:
    with app.app_context():
        card = make_card(bakery)
        save(card)
        details = {"url": "https://hooks.example/", "events": ["card.installed", "card.removed"]}
        webhooks.create(actor=bakery.ada, details=details, key=make_key(bakery.ada))
    return card


def told(owner_engine: sa.Engine) -> list[str]:
    with owner_engine.connect() as connection:
        return list(connection.execute(sa.text(TOLD)).scalars())


def test_it_tells_of_changes_and_not_of_what_was_known(
    client: FlaskClient, owner_engine: sa.Engine, bakery: Shop, cleo: Card
) -> None:
    for event in ("save", "del", "del", "save"):
        assert client.post(ADDRESS, data=callback(bakery, cleo, event=event)).status_code == 200
    assert told(owner_engine) == ["card.removed google", "card.installed google"]


def test_it_tells_of_what_only_the_daily_look_found(
    app: Flask, owner_engine: sa.Engine, bakery: Shop, cleo: Card
) -> None:
    at = datetime.now(UTC) + timedelta(minutes=1)
    with app.app_context():
        for minute, has_users in enumerate((True, False, False, True)):
            later = at + timedelta(minutes=minute)
            google_passes.record_users(card_id=cleo.card_id, has_users=has_users, at=later)
    assert told(owner_engine) == ["card.removed google", "card.installed google"]
