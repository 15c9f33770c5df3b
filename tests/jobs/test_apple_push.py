"""From the till to the phone: numbered, pushed, remembered; nothing twice, nothing lost."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.jobs import apple
from loyalty.services import passes, programs
from tests import apple_passes
from tests.apns_fake import Answer
from tests.factories import make_card, make_key, make_shop
from tests.jobs.apple_world import World, world

__all__ = ["world"]


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
