"""Erasing a customer whose card is in wallets: phones show that it has ended, and are forgotten then."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from loyalty.jobs import sweep
from loyalty.services import passes, privacy, privacy_phones
from tests.factories import make_card, make_key
from tests.google_fake import GoogleFake
from tests.google_platform import deliver_all, google, object_id, row_of, save
from tests.jobs.apple_world import World, world
from tests.phone import HeldPass, Phone
from tests.privacy_life import dump, found

__all__ = ["google", "world"]


def erase(world: World) -> None:
    ada = world.shop.ada
    with world.app.app_context():
        privacy.erase(actor=ada, customer_id=world.card.customer_id, key=make_key(ada))


def forget(world: World, *, after: timedelta = timedelta()) -> int:
    with world.app.app_context():
        return privacy_phones.forget_phones(at=datetime.now(UTC) + after)


def words(phone: Phone, held: HeldPass, world: World) -> dict[str, str]:
    return {
        "device": phone.device,
        "push token": phone.push_token,
        "serial": held.serial,
        "secret": str(held.opened.says["authenticationToken"]),
        "scan code": world.card.scan_code,
        "public token": world.card.public_token,
        "name": "Cleo Martin",
    }


def test_it_ends_the_pass_in_the_phone_and_forgets_the_phone(world: World) -> None:
    phone, held = world.phone()
    known = words(phone, held, world)
    assert found(known, dump(world.engine)) == sorted(known)
    erase(world)
    # Not yet: the phone could not be told any more.
    assert forget(world) == 0
    world.deliver()
    assert phone.push_token in str(world.apns.seen)
    assert phone.wake() == [held.serial]
    assert held.opened.says["voided"] is True
    files = b"".join(held.opened.files.values()).decode(errors="replace")
    assert found({name: known[name] for name in ("scan code", "public token", "name")}, files) == []
    assert forget(world) == 1
    assert forget(world) == 0
    assert found(known, dump(world.engine)) == []
    assert phone.register(held) == 401


def test_it_waits_a_day_for_a_phone_that_is_switched_off(world: World) -> None:
    phone, held = world.phone()
    erase(world)
    world.deliver()
    assert forget(world, after=timedelta(hours=23)) == 0
    assert phone.register(held) == 200
    assert forget(world, after=timedelta(hours=25)) == 1
    assert found(words(phone, held, world), dump(world.engine)) == []


def test_it_forgets_phones_also_where_apple_was_away_all_day(world: World) -> None:
    world.phone()
    erase(world)
    assert forget(world, after=timedelta(hours=25)) == 1
    world.deliver()
    assert world.read("SELECT delivered_at IS NULL FROM outbox WHERE kind = 'apple.push'") == [(False,)]
    assert world.apns.seen == []


def test_it_waits_a_day_for_the_other_of_two_phones(world: World) -> None:
    first, _ = world.phone()
    second, held = world.phone()
    erase(world)
    world.deliver()
    first.wake()
    assert forget(world) == 0
    second.wake()
    assert held.opened.says["voided"] is True
    assert forget(world, after=timedelta(hours=24)) == 1
    assert world.read("SELECT * FROM apple_devices") == []


def test_it_keeps_a_phone_that_holds_another_card(world: World) -> None:
    phone, _ = world.phone()
    with world.app.app_context():
        other = make_card(world.shop)
        address = passes.find_apple_link(public_token=other.public_token)
    kept = phone.add(address or "")
    assert phone.register(kept) == 201
    erase(world)
    world.deliver()
    phone.wake()
    assert forget(world) == 1
    assert world.read("SELECT device_library_identifier FROM apple_devices") == [(phone.device,)]
    assert world.read("SELECT card_id FROM apple_device_registrations") == [(other.card_id,)]


def test_it_forgets_phones_by_the_minute_clock(world: World) -> None:
    phone, _ = world.phone()
    erase(world)
    world.deliver()
    phone.wake()
    with world.app.app_context():
        sweep.run(at=datetime.now(UTC))
    assert world.read("SELECT * FROM apple_device_registrations") == []


def test_it_closes_a_pass_that_was_downloaded_and_never_registered(world: World) -> None:
    with world.app.app_context():
        address = passes.find_apple_link(public_token=world.card.public_token)
    phone = Phone(world.app.test_client())
    held = phone.add(address or "")
    erase(world)
    assert phone.client.get(address).status_code == 404
    assert forget(world) == 0
    assert forget(world, after=timedelta(hours=24)) == 1
    assert phone.register(held) == 401


@pytest.mark.usefixtures("context")
def test_it_tells_google_that_the_card_has_ended(world: World, google: GoogleFake) -> None:
    save(world.card)
    deliver_all()
    assert google.objects[object_id(world.card)]["state"] == "ACTIVE"
    erase(world)
    deliver_all()
    told = google.objects[object_id(world.card)]
    assert told["state"] == "INACTIVE"
    assert found({"code": world.card.scan_code, "token": world.card.public_token, "name": "Cleo"}, str(told)) == []


@pytest.mark.usefixtures("context")
def test_it_tells_google_also_where_nobody_has_the_card_saved(world: World, google: GoogleFake) -> None:
    save(world.card)
    deliver_all()
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE loyalty_cards SET google_saved_at = NULL"))
    erase(world)
    deliver_all()
    assert google.objects[object_id(world.card)]["state"] == "INACTIVE"
    assert row_of(world.card.card_id).is_active is False
