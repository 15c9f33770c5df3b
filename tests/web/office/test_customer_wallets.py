"""The wallets that a customer's card is in, as the office shows them."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from loyalty.database import db, transaction
from loyalty.models.cards import LoyaltyCard
from loyalty.models.outbox import OutboxMessage
from loyalty.services import stamps
from tests.factories import make_key
from tests.google_fake import GoogleFake, Trouble
from tests.google_platform import deliver_all, google, save
from tests.web.office.customer_pages import Bakery, audited, open_bakery, post

__all__ = ["google"]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def bakery(app: Flask, client: FlaskClient) -> Bakery:
    return open_bakery(app, client)


def test_it_sends_the_pass_again_once_per_key(client: FlaskClient, bakery: Bakery, google: GoogleFake) -> None:
    with bakery.app.app_context():
        save(bakery.cleo)
    page = client.get(bakery.path)
    assert "as the card has." in page.text
    for _ in range(2):
        assert post(client, page, f"{bakery.path}/passes").status_code == 303
    assert "The pass is being sent again." in client.get(bakery.path).text
    assert audited(bakery).count("card.resent") == 1
    with bakery.app.app_context():
        waiting = sa.select(OutboxMessage.version).where(OutboxMessage.delivered_at.is_(None))
        assert list(db.session.execute(waiting).scalars()) == [1]


def test_it_looks_again_while_a_wallet_waits(client: FlaskClient, bakery: Bakery, google: GoogleFake) -> None:
    asks = f'hx-get="{bakery.path}/wallets" hx-trigger='
    with bakery.app.app_context():
        save(bakery.cleo)
    page = client.get(bakery.path)
    assert f'{asks}"none"' in page.text
    post(client, page, f"{bakery.path}/passes")
    assert f'{asks}"every 3s"' in client.get(bakery.path).text
    panel = client.get(f"{bakery.path}/wallets", headers=HTMX).text
    assert f'{asks}"every 3s"' in panel
    assert "Waiting to be sent" in panel
    with bakery.app.app_context():
        deliver_all()
    panel = client.get(f"{bakery.path}/wallets", headers=HTMX).text
    assert f'{asks}"none"' in panel
    assert "Waiting to be sent" not in panel


def test_it_looks_now_and_then_while_sending_fails(client: FlaskClient, bakery: Bakery, google: GoogleFake) -> None:
    with bakery.app.app_context():
        save(bakery.cleo)
        google.trouble.append(Trouble(status=503))
        stamps.add(actor=bakery.shop.ben, card=bakery.cleo.ref, quantity=1, key=make_key(bakery.shop.ben))
        deliver_all()
    panel = client.get(f"{bakery.path}/wallets", headers=HTMX).text
    assert "Sending has failed so far." in panel
    assert 'hx-trigger="every 30s"' in panel


def test_it_shows_the_wallets_alone_to_their_page_only(client: FlaskClient, bakery: Bakery) -> None:
    assert client.get(f"{bakery.path}/wallets").location == bakery.path


def test_it_says_why_there_is_nothing_to_send(client: FlaskClient, bakery: Bakery, google: GoogleFake) -> None:
    with bakery.app.app_context():
        save(bakery.cleo)
    page = client.get(bakery.path)
    with bakery.app.app_context(), transaction():
        db.session.execute(sa.update(LoyaltyCard).values(google_saved_at=None, updated_at=datetime.now(UTC)))
    assert "Send the pass again" not in client.get(bakery.path).text
    answer = post(client, page, f"{bakery.path}/passes")
    assert answer.status_code == 422
    assert "No wallet holds this card, so there is nothing to send." in answer.text
