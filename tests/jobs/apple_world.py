"""A shop whose cards are in phones, and the push service that wakes them, as jobs find them."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Config
from loyalty import jobs
from loyalty.adapters.apns import ApnsPusher
from loyalty.jobs import apple
from loyalty.services import adjustments, outbox, passes
from tests import apple_passes
from tests.apns_fake import ApnsFake, apns_server, server_certificate
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.phone import HeldPass, Phone


@dataclass(frozen=True)
class World:
    """A shop whose cards are in phones, and a push service that wakes them."""

    app: Flask
    shop: Shop
    card: Card
    apns: ApnsFake
    engine: sa.Engine

    def settings(self, config: Config) -> dict[str, str]:
        """What a worker has to know to push to this service."""
        made = apple_passes.certificates()
        return {
            "PUBLIC_URL": config.public_url,
            "APPLE_TEAM_ID": made.team_id,
            "APPLE_PASS_TYPE_ID": made.pass_type_id,
            "APPLE_PASS_CERT_FILE": str(made.certificate),
            "APPLE_PASS_KEY_FILE": str(made.key),
            "APPLE_WWDR_FILE": str(made.wwdr),
            "APNS_URL": self.apns.url,
            "SSL_CERT_FILE": str(server_certificate()),
        }

    def phone(self, card: Card | None = None) -> tuple[Phone, HeldPass]:
        """A phone that holds the pass of a card."""
        with self.app.app_context():
            address = passes.find_apple_link(public_token=(card or self.card).public_token)
        phone = Phone(self.app.test_client())
        held = phone.add(address or "")
        assert phone.register(held) == 201
        return phone, held

    def stamp(self, delta: int = 1) -> None:
        """Change the balance at the till."""
        key = make_key(self.shop.ada)
        with self.app.app_context():
            adjustments.adjust_stamps(actor=self.shop.ada, card=self.card.ref, delta=delta, reason="a test", key=key)

    def deliver(self) -> None:
        """Do what a worker does with all that is due."""
        with self.app.app_context():
            for message_id in outbox.due(limit=100):
                jobs.deliver(str(message_id))

    def wait(self) -> None:
        """Let the time come at which a failed row is tried again."""
        with self.engine.begin() as connection:
            connection.execute(sa.text("UPDATE outbox SET not_before = now() - interval '1 second'"))

    def read(self, query: str) -> list[tuple[object, ...]]:
        """Look into the database."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]


@pytest.fixture
def world(app: Flask, owner_engine: sa.Engine) -> Iterator[World]:
    made = apple_passes.certificates()
    passes.configure(apple=apple_passes.passes())
    with app.app_context():
        shop = make_shop()
        card = make_card(shop, stamps=3)
    with apns_server() as fake:
        pusher = ApnsPusher(
            url=fake.url,
            topic=made.pass_type_id,
            certificate_file=made.certificate,
            key_file=made.key,
            trusted_file=server_certificate(),
            wait=lambda seconds: None,
        )
        apple.configure(apns=pusher)
        yield World(app, shop, card, fake, owner_engine)
    apple.configure(apns=None)
    passes.configure(apple=None)
