"""Events as they are sent fit the description that programs read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from jsonschema_rs import Draft202012Validator

from loyalty.database import db, transaction
from loyalty.domain.webhooks import EVENTS, TEST_EVENT
from loyalty.models.webhooks import WebhookDelivery
from loyalty.services import points, stamps, webhook_events, webhooks
from tests.factories import Shop, make_card, make_key, make_reward, make_shop

AT = datetime(2027, 1, 1, tzinfo=UTC)


def listening_shop() -> Shop:
    shop = make_shop(
        cooldown_minutes=0, max_daily_stamps=50, max_stamps_per_action=10, loyalty_type="hybrid", stamps_target=2
    )
    make_reward(shop, "Cake", 50)
    details = {"url": "https://hooks.bakery.example/in", "events": list(EVENTS)}
    endpoint = webhooks.create(actor=shop.ada, details=details, key=make_key(shop.ada))
    webhooks.send_test(actor=shop.ada, endpoint_id=endpoint.endpoint_id, key=make_key(shop.ada))
    return shop


def live_through_everything(shop: Shop) -> None:
    """Let each kind of event happen."""
    card = make_card(shop, email="cleo@example.org")
    stamps.add(actor=shop.ben, card=card.ref, quantity=2, key=make_key(shop.ben))
    stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben))
    points.earn(actor=shop.ben, card=card.ref, purchase_amount_cents=900, order_reference="R-1", key=make_key(shop.ben))
    mine: dict[str, Any] = {"card_id": card.card_id, "vendor_id": shop.vendor_id, "at": AT}
    with transaction():
        webhook_events.card_installed(**mine, wallet="apple")
        webhook_events.card_removed(**mine, wallet="google")
        webhook_events.points_expiring(**mine, points=30, expires_at=AT + timedelta(days=14))
        webhook_events.customer_erased(customer_id=card.customer_id, vendor_id=shop.vendor_id, at=AT)


@pytest.mark.parametrize("forge", [False, True], ids=["as sent", "with one word more"])
def test_it_sends_events_as_described(app: Flask, client: FlaskClient, forge: bool) -> None:
    with app.app_context():
        live_through_everything(listening_shop())
        bodies = list(db.session.scalars(sa.select(WebhookDelivery.body).order_by(WebhookDelivery.id)))
    spec = client.get("/api/v1/openapi.json").json
    assert spec is not None
    assert {body["type"] for body in bodies} == {*EVENTS, TEST_EVENT} == spec["webhooks"].keys()
    for body in bodies:
        place = f"#/webhooks/{body['type']}/post/requestBody/content/application~1json/schema"
        checker = Draft202012Validator({**spec, "$ref": place}, validate_formats=True)
        sent = body | ({"data": body["data"] | {"surprise": 1}} if forge else {})
        assert [error.message for error in checker.iter_errors(sent)] == (
            ["Additional properties are not allowed ('surprise' was unexpected)"] if forge else []
        )
