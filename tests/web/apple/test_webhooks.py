"""What other software hears of phones with Apple passes."""

import json
from typing import Any

import sqlalchemy as sa

from loyalty.services import apple_devices, passes, webhooks
from loyalty.web.access import now
from tests.factories import make_key
from tests.web.apple.conftest import Bakery

TOLD = "SELECT event_type, body->'data' FROM webhook_deliveries WHERE event_type LIKE 'card.%' ORDER BY id"


def listen(bakery: Bakery) -> None:
    details = {"url": "https://hooks.example/", "events": ["card.installed", "card.removed"]}
    with bakery.app.app_context():
        webhooks.create(actor=bakery.shop.ada, details=details, key=make_key(bakery.shop.ada))


def told(owner_engine: sa.Engine) -> list[tuple[str, dict[str, Any]]]:
    with owner_engine.connect() as connection:
        rows = connection.execute(sa.text(TOLD)).all()
    return [(name, data if isinstance(data, dict) else json.loads(data)) for name, data in rows]


def test_it_tells_once_that_a_phone_took_a_card_and_threw_it_away(bakery: Bakery, owner_engine: sa.Engine) -> None:
    listen(bakery)
    phone = bakery.phone()
    held = phone.add(bakery.address)
    assert [phone.register(held), phone.register(held)] == [201, 200]
    assert phone.throw_away(held) == 200
    installed, removed = told(owner_engine)
    assert (installed[0], removed[0]) == ("card.installed", "card.removed")
    assert (
        installed[1]
        == removed[1]
        == {
            "card_id": str(bakery.card.card_id),
            "card_number": bakery.card.card_number,
            "card_seq": 2,
            "stamps_balance_after": 3,
            "points_balance_after": 0,
            "wallet": "apple",
        }
    )


def test_it_tells_of_every_card_of_a_phone_that_is_gone(bakery: Bakery, owner_engine: sa.Engine) -> None:
    phone = bakery.phone()
    other, address = bakery.another_card()
    for place in (bakery.address, address):
        phone.register(phone.add(place))
    listen(bakery)
    with bakery.app.app_context():
        pass_type = passes.find_pass_type() or ""
        assert apple_devices.forget(pass_type=pass_type, push_token=phone.push_token, gone_at=now())
    gone = {data["card_id"] for name, data in told(owner_engine) if name == "card.removed"}
    assert gone == {str(bakery.card.card_id), str(other.card_id)}
