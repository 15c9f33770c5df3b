"""PINs: counted before they are hashed, found by one slow hash, shown once."""

import secrets
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.pins import pin_digest
from loyalty.domain.values import Actor, Role
from loyalty.errors import Forbidden, NotFound, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.models.idempotency import IdempotencyKey
from loyalty.models.pins import StaffPin
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor
from loyalty.services import pins
from tests.office import key_of, make_bakery, make_butcher
from tests.services.guesses import AT, counted, outcome
from tests.tills import Tablet, hash_fast, make_staff, make_tablet, set_policy


def test_it_knows_whose_pin_it_is_with_and_without_a_name(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    ben, ben_pin = make_staff(bakery, "Ben")
    _ada, ada_pin = make_staff(bakery, "Ada", role="manager")
    found = pins.verify(actor=tablet.actor, pin=ben_pin, staff_pin_id=ben, at=AT)
    assert (found.staff_pin_id, found.staff_name, found.role) == (ben, "Ben", Role.STAFF)
    assert found.terminal_id == tablet.terminal_id
    assert pins.verify(actor=tablet.actor, pin=ada_pin, at=AT).role == Role.MANAGER
    assert outcome(tablet, ada_pin, ben) == "STAFF_PIN_INVALID"
    assert [tile.name for tile in pins.tiles(actor=tablet.actor)] == ["Ada", "Ben"]
    assert [row.last_used_at for row in pins.list_all(actor=bakery.actor)] == [AT, AT]


def test_it_does_not_find_people_next_door_or_of_another_store(context: None) -> None:
    bakery, butcher = make_bakery(), make_butcher()
    tablet = make_tablet(bakery)
    mallory, mallory_pin = make_staff(butcher, "Mallory")
    assert outcome(tablet, mallory_pin, mallory) == "NOT_FOUND"
    assert outcome(tablet, mallory_pin) == "STAFF_PIN_INVALID"
    elsewhere = Tablet(
        tablet.token, tablet.terminal_id, Actor(bakery.vendor_id, Role.STAFF, uuid4(), tablet.terminal_id)
    )
    ben, ben_pin = make_staff(bakery, "Ben", store_id=bakery.store_id)
    assert outcome(tablet, ben_pin, ben) == "Ben"
    assert outcome(elsewhere, ben_pin, ben) == "NOT_FOUND"
    assert outcome(elsewhere, ben_pin) == "STAFF_PIN_INVALID"
    assert [tile.name for tile in pins.tiles(actor=elsewhere.actor)] == []
    for command in (pins.regenerate, pins.deactivate, pins.unlock):
        with pytest.raises(NotFound):
            command(actor=bakery.actor, staff_pin_id=mallory, key=key_of(bakery))
    with pytest.raises(NotFound):
        make_staff(bakery, store_id=butcher.store_id)
    assert [row.name for row in pins.list_all(actor=butcher.actor)] == ["Mallory"]


def test_it_shows_a_pin_once_and_makes_it_once(context: None) -> None:
    bakery = make_bakery()
    key = key_of(bakery)
    first = pins.create(actor=bakery.actor, name=" Ben ", role="staff", store_id=None, key=key)
    again = pins.create(actor=bakery.actor, name=" Ben ", role="staff", store_id=None, key=key)
    assert (first.name, len(first.pin or ""), first.replayed) == ("Ben", 4, False)
    assert (again.staff_pin_id, again.pin, again.replayed) == (first.staff_pin_id, None, True)
    stored = db.session.execute(sa.select(IdempotencyKey.receipt)).scalars().all()
    assert all(first.pin not in str(receipt.get("pin")) for receipt in stored if first.pin)
    assert db.session.scalars(sa.select(AuditEvent.action)).all().count("pin.created") == 1


def test_it_makes_another_pin_where_the_first_is_taken(context: None) -> None:
    bakery = make_bakery()
    hash_fast(bakery)
    # With 150 people a repeat among the 4-digit PINs is as good as certain to be tried.
    made = {make_staff(bakery, f"Person {number}")[1] for number in range(150)}
    assert len(made) == 150


def test_it_replaces_and_ends_pins(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    ben, old = make_staff(bakery)
    new = pins.regenerate(actor=bakery.actor, staff_pin_id=ben, key=key_of(bakery)).pin
    assert new is not None
    assert outcome(tablet, new, ben) == "Ben"
    assert new == old or outcome(tablet, old, ben) == "STAFF_PIN_INVALID"
    key = key_of(bakery)
    assert not pins.deactivate(actor=bakery.actor, staff_pin_id=ben, key=key).replayed
    assert pins.deactivate(actor=bakery.actor, staff_pin_id=ben, key=key).replayed
    assert outcome(tablet, new, ben) == "NOT_FOUND"
    assert outcome(tablet, new) == "STAFF_PIN_INVALID"
    assert pins.tiles(actor=tablet.actor) == []
    assert [row.active for row in pins.list_all(actor=bakery.actor)] == [False]


def test_it_refuses_cashiers_who_change_pins(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    ben, _pin = make_staff(bakery)
    for command in (pins.regenerate, pins.deactivate, pins.unlock):
        with pytest.raises(Forbidden):
            command(actor=tablet.actor, staff_pin_id=ben, key=key_of(bakery))
    with pytest.raises(Forbidden):
        pins.create(actor=tablet.actor, name="Ben", role="manager", store_id=None, key=key_of(bakery))
    with pytest.raises(Forbidden):
        pins.list_all(actor=tablet.actor)


@pytest.mark.parametrize(("name", "role", "field"), [("  ", "staff", "name"), ("x" * 121, "staff", "name")])
def test_it_says_what_is_wrong_with_a_new_person(context: None, name: str, role: str, field: str) -> None:
    bakery = make_bakery()
    for tried in ({"name": name, "role": role}, {"name": "Ben", "role": "owner"}):
        with pytest.raises(ValidationError) as refusal:
            pins.create(actor=bakery.actor, store_id=None, key=key_of(bakery), **tried)
        assert set(refusal.value.errors) <= {field, "role"}


@pytest.mark.parametrize(
    ("policy", "program", "needed"),
    [("required", False, True), ("optional", True, True), ("optional", False, False), ("disabled", True, False)],
)
def test_it_asks_for_pins_as_policy_and_program_say(context: None, policy: str, program: bool, needed: bool) -> None:
    bakery = make_bakery()
    set_policy(bakery, staff_pin_policy=policy)
    with transaction():
        mine = LoyaltyProgram.vendor_id == bakery.vendor_id
        db.session.execute(sa.update(LoyaltyProgram).where(mine).values(require_staff_pin=program))
    assert pins.is_needed(actor=bakery.actor) is needed


def test_it_is_never_called_inside_a_transaction(context: None) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    with pytest.raises(RuntimeError), transaction():
        pins.verify(actor=tablet.actor, pin="481203", at=AT)
    assert ("terminal", "*") not in counted()


def test_it_stores_no_digest_that_works_without_the_pepper(context: None, app: Flask) -> None:
    bakery = make_bakery()
    tablet = make_tablet(bakery)
    ben, pin = make_staff(bakery)
    stored, salt = db.session.execute(
        sa.select(StaffPin.pin_hash, Vendor.pin_salt).join(Vendor, Vendor.id == StaffPin.vendor_id)
    ).one()
    assert pin not in stored
    assert stored.startswith(salt.decode())
    assert pin_digest(b"", bakery.vendor_id, salt, pin) != stored
    pins.configure(pepper=secrets.token_bytes(32))
    try:
        assert outcome(tablet, pin, ben) == "STAFF_PIN_INVALID"
    finally:
        pins.configure(pepper=app.config["CONFIG"].pin_pepper)
