"""From the till to the phone: numbered, pushed, remembered; nothing twice, nothing lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty import jobs
from loyalty.adapters.apns import ApnsPusher
from loyalty.jobs import apple
from loyalty.services import adjustments, outbox, passes, programs
from tests import apple_passes
from tests.apns_fake import Answer, ApnsFake, apns_server, server_certificate
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


def test_it_wakes_every_phone_that_holds_the_pass_and_no_other(world: World) -> None:
    phones = [world.phone() for _ in range(3)]
    with world.app.app_context():
        other = make_card(world.shop)
    stranger, _ = world.phone(other)
    world.stamp()
    world.deliver()
    assert sorted(world.apns.tokens) == sorted(phone.push_token for phone, _ in phones)
    for phone, held in phones:
        assert phone.wake() == [held.serial]
        assert held.stamps == "4/10"
    # All of its passes once, since it never asked before, and then nothing.
    stranger.wake()
    assert stranger.wake() == []
    assert world.read("SELECT count(*) FROM outbox WHERE delivered_at IS NULL") == [(0,)]


def test_it_pushes_once_for_changes_that_came_together(world: World) -> None:
    phone, held = world.phone()
    for _ in range(5):
        world.stamp()
    world.deliver()
    world.deliver()
    assert world.apns.tokens == [phone.push_token]
    phone.wake()
    assert held.stamps == "8/10"


def test_it_pushes_nothing_where_the_pass_looks_as_before(world: World) -> None:
    world.phone()
    world.stamp(2)
    world.stamp(-2)
    world.deliver()
    assert world.apns.tokens == []


def test_it_tells_only_whom_it_could_not_tell_before(world: World) -> None:
    (one, _), (two, _) = world.phone(), world.phone()
    world.apns.by_token[two.push_token] = [Answer(503, "ServiceUnavailable"), Answer()]
    world.stamp()
    world.deliver()
    world.wait()
    world.deliver()
    assert sorted(world.apns.tokens) == sorted([one.push_token, two.push_token, two.push_token])


def test_it_forgets_a_phone_that_is_gone(world: World) -> None:
    phone, _ = world.phone()
    later = int((datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1000)
    world.apns.by_token[phone.push_token] = [Answer(410, "Unregistered", timestamp=later)]
    world.stamp()
    world.deliver()
    assert world.read("SELECT count(*) FROM apple_devices") == [(0,)]
    assert world.read("SELECT count(*) FROM apple_device_registrations") == [(0,)]


def test_it_keeps_a_phone_that_came_back_after_it_was_gone(world: World) -> None:
    phone, held = world.phone()
    before = int((datetime.now(UTC) - timedelta(hours=1)).timestamp() * 1000)
    world.apns.by_token[phone.push_token] = [Answer(410, "Unregistered", timestamp=before), Answer()]
    world.stamp()
    world.deliver()
    assert world.read("SELECT count(*) FROM apple_devices") == [(1,)]
    world.wait()
    world.deliver()
    phone.wake()
    assert held.stamps == "4/10"


def test_it_pushes_to_the_new_address_of_a_phone(world: World) -> None:
    phone, held = world.phone()
    world.stamp()
    world.deliver()
    old, phone.push_token = phone.push_token, "ef" * 32
    assert phone.register(held) == 200
    world.deliver()
    assert world.apns.tokens == [old, "ef" * 32]


def test_it_pauses_without_losing_phones_or_changes_where_the_certificate_is_wrong(world: World) -> None:
    world.phone()
    world.apns.everybody = Answer(403, "BadCertificate")
    world.stamp()
    world.deliver()
    assert world.read("SELECT attempts, gave_up_at FROM outbox WHERE kind = 'apple.push'") == [(0, None)]
    assert world.read("SELECT count(*) FROM apple_devices") == [(1,)]


def test_it_waits_while_passes_are_off(world: World) -> None:
    phone, held = world.phone()
    passes.configure(apple=None)
    world.stamp()
    world.deliver()
    assert world.apns.tokens == []
    passes.configure(apple=apple_passes.passes())
    world.wait()
    world.deliver()
    assert phone.wake() == [held.serial]
    assert held.stamps == "4/10"


def test_it_tells_every_phone_of_a_vendor_that_the_program_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apple, "_BATCH", 2)
    with world.app.app_context():
        others = [make_card(world.shop) for _ in range(4)]
        neighbour = make_card(make_shop("meat"))
    phones = [world.phone(card) for card in (world.card, *others)]
    world.phone(neighbour)
    with world.app.app_context():
        programs.change(actor=world.shop.ada, changes={"stamps_target": 12}, key=make_key(world.shop.ada))
    world.deliver()
    world.deliver()
    assert sorted(world.apns.tokens) == sorted(phone.push_token for phone, _ in phones)
    for phone, held in phones:
        phone.wake()
        assert held.stamps.endswith("/12")


def test_it_numbers_changes_where_nothing_is_pushed(world: World) -> None:
    apple.configure(apns=None)
    phone, held = world.phone()
    phone.wake()
    world.stamp()
    world.deliver()
    assert phone.wake() == [held.serial]
    assert held.stamps == "4/10"
