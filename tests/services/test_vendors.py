"""Vendors: made whole or not at all, their own settings, and what the public may know."""

from dataclasses import fields

import pytest
from sqlalchemy import delete, select

from loyalty.database import db, transaction
from loyalty.errors import NotFound, ProgramNotFound, ValidationError
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Store, Vendor, VendorPolicy
from loyalty.services import programs, rewards, vendors
from tests.office import key_of, make_bakery, make_butcher


def test_it_makes_a_vendor_with_policy_program_and_store(context: None) -> None:
    made = vendors.create(name="Ada's Bakery", store_name="Main Street")
    vendor = db.session.get_one(Vendor, made.vendor_id)
    assert (vendor.code, vendor.timezone, vendor.currency, len(vendor.pin_salt)) == (
        "ada-s-bakery",
        "Europe/Luxembourg",
        "EUR",
        29,
    )
    assert db.session.get_one(VendorPolicy, made.vendor_id).staff_pin_policy == "required"
    assert db.session.get_one(Store, made.store_id).code == "main"
    program = db.session.get_one(LoyaltyProgram, made.program_id)
    assert (program.stamps_target, program.is_active) == (10, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code", "Ada!"),
        ("name", ""),
        ("locale", "it"),
        ("timezone", "Mars/Olympus"),
        ("country", "XX"),
        ("currency", "EURO"),
        ("pin_length", 5),
        ("store_code", "-"),
    ],
)
def test_it_makes_nothing_from_a_bad_value(context: None, name: str, value: object) -> None:
    wishes: dict[str, object] = {"name": "Ada's Bakery", "store_name": "Main Street", name: value}
    with pytest.raises(ValidationError):
        vendors.create(**wishes)  # type: ignore[arg-type] # wrong on purpose
    assert db.session.scalars(select(Vendor)).all() == []


def test_it_refuses_a_code_that_is_taken(context: None) -> None:
    vendors.create(name="Ada", code="bakery", store_name="Main Street")
    with pytest.raises(ValidationError) as refusal:
        vendors.create(name="Mallory", code="bakery", store_name="Next Door")
    assert list(refusal.value.errors) == ["code"]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("name", "Bäckerei Ada", "x" * 121),
        ("locale", "lb", "it"),
        ("timezone", "America/New_York", "../etc/localtime"),
        ("country", "FR", "ZZ"),
        ("contact_field", "phone", "fax"),
        ("confirm_address", True, "on"),
        ("ask_name", True, 1),
        ("ask_birthday", True, None),
        ("ask_marketing", True, "no"),
        ("pin_length", 6, 5),
        ("currency", None, "USD"),
        ("status", None, "suspended"),
    ],
)
def test_it_changes_its_settings_within_what_is_possible(context: None, name: str, good: object, bad: object) -> None:
    ada = make_bakery()
    if good is not None:
        vendors.change_settings(actor=ada.actor, changes={name: good}, key=key_of(ada))
        assert getattr(vendors.get_settings(actor=ada.actor), name) == good
    before = vendors.get_settings(actor=ada.actor)
    with pytest.raises(ValidationError) as refusal:
        vendors.change_settings(actor=ada.actor, changes={"confirm_address": False, name: bad}, key=key_of(ada))
    assert list(refusal.value.errors) == [name]
    assert vendors.get_settings(actor=ada.actor) == before


def test_it_leaves_the_shop_next_door_alone(context: None) -> None:
    ada, mallory = make_bakery(), make_butcher()
    vendors.change_settings(actor=mallory.actor, changes={"name": "Ada's Bakery"}, key=key_of(mallory))
    assert vendors.get_public(code=ada.code).vendor_id == ada.vendor_id


def test_it_tells_the_public_what_a_card_gives(context: None) -> None:
    ada = make_bakery()
    programs.change(actor=ada.actor, changes={"loyalty_type": "hybrid", "stamps_target": 8}, key=key_of(ada))
    for name, price in (("Cake", 300), ("Roll", 50)):
        rewards.create(actor=ada.actor, details={"name": name, "points_required": price}, key=key_of(ada))
    gone = rewards.list_all(actor=ada.actor)[0].reward_id
    shop = vendors.get_public(code=ada.code)
    assert [reward.name for reward in shop.rewards] == ["Roll", "Cake"]
    assert (shop.content.points_goal, shop.content.stamps_target, shop.program_active) == (50, 8, False)
    rewards.deactivate(actor=ada.actor, reward_id=gone, key=key_of(ada))
    assert [reward.name for reward in vendors.get_public(code=ada.code).rewards] == ["Roll"]
    assert not {"pin_salt", "google_issuer_id"} & {field.name for field in fields(shop)}


def test_it_knows_no_shop_of_another_name(context: None) -> None:
    with pytest.raises(NotFound):
        vendors.get_public(code="nowhere")


def test_it_says_that_a_shop_has_no_program_yet(context: None) -> None:
    ada = make_bakery()
    with transaction():
        db.session.execute(delete(LoyaltyProgram))
    with pytest.raises(ProgramNotFound):
        vendors.get_public(code=ada.code)
