"""Settings of the program: every bound, nothing half saved, once per key, and only one's own."""

from dataclasses import replace

import pytest

from loyalty.database import db
from loyalty.domain import bounds
from loyalty.domain.values import LoyaltyType, Role
from loyalty.errors import Forbidden, IdempotencyKeyReused, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.services import programs
from tests.office import key_of, make_bakery, make_butcher

NUMBERS = sorted(bounds.PROGRAM.items())


@pytest.mark.parametrize(("name", "limits"), NUMBERS)
def test_it_takes_each_number_at_both_bounds(context: None, name: str, limits: tuple[int, int]) -> None:
    ada = make_bakery()
    for value in limits:
        programs.change(actor=ada.actor, changes={name: value}, key=key_of(ada))
        assert getattr(programs.get(actor=ada.actor), name) == value


@pytest.mark.parametrize(("name", "limits"), NUMBERS)
def test_it_refuses_each_number_beyond_its_bounds(context: None, name: str, limits: tuple[int, int]) -> None:
    ada = make_bakery()
    before = programs.get(actor=ada.actor)
    for value in (limits[0] - 1, limits[1] + 1, True, 1.5, "7"):
        with pytest.raises(ValidationError) as refusal:
            programs.change(actor=ada.actor, changes={"card_name": "Never", name: value}, key=key_of(ada))
        assert list(refusal.value.errors) == [name]
    assert programs.get(actor=ada.actor) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loyalty_type", "lottery"),
        ("stamps_reward_description", "  "),
        ("stamps_reward_description", "x" * 121),
        ("require_staff_pin", "yes"),
        ("card_name", "x" * 101),
        ("card_name", "two\nlines"),
        ("card_color", "red"),
        ("card_color", ""),
        ("card_secondary_color", "#12"),
        ("logo_url", "javascript:alert(1)"),
        ("logo_url", "https://example.org/logo.png"),
        ("logo_url", f"/images/{'0' * 31}.png"),
        ("hero_image_url", f"https://example.org/images/{'0' * 32}.png"),
        ("privacy_url", "https://me@example.org/"),
        ("privacy_url", "https://example.org/" + "x" * 500),
        ("privacy_url", 'https://example.org/"onload='),
        ("terms_text", "x" * 20_001),
        ("is_active", True),
    ],
)
def test_it_refuses_what_a_card_cannot_show(context: None, name: str, value: object) -> None:
    ada = make_bakery()
    before = programs.get(actor=ada.actor)
    with pytest.raises(ValidationError) as refusal:
        programs.change(actor=ada.actor, changes={name: value, "stamps_target": 8}, key=key_of(ada))
    assert list(refusal.value.errors) == [name]
    assert programs.get(actor=ada.actor) == before


@pytest.mark.parametrize(
    ("name", "typed", "kept"),
    [
        ("loyalty_type", "hybrid", "hybrid"),
        ("stamps_reward_description", " A free loaf ", "A free loaf"),
        ("require_staff_pin", False, False),
        ("card_name", "x" * 100, "x" * 100),
        ("card_color", "1f4fd1", "#1F4FD1"),
        ("card_secondary_color", "", None),
        ("logo_url", f"/images/{'0' * 32}.png", f"/images/{'0' * 32}.png"),
        ("hero_image_url", "", None),
        ("privacy_url", "", None),
        ("terms_text", "One.\r\nTwo.", "One.\nTwo."),
        ("points_expiration_days", None, None),
        ("stamps_reward_value_cents", None, None),
    ],
)
def test_it_keeps_what_was_typed_in_one_form(context: None, name: str, typed: object, kept: object) -> None:
    ada = make_bakery()
    programs.change(actor=ada.actor, changes={name: typed}, key=key_of(ada))
    assert getattr(programs.get(actor=ada.actor), name) == kept


def test_it_changes_once_per_key(context: None) -> None:
    ada = make_bakery()
    key = key_of(ada)
    first = programs.change(actor=ada.actor, changes={"stamps_target": 8}, key=key)
    programs.change(actor=ada.actor, changes={"stamps_target": 9}, key=key_of(ada))
    second = programs.change(actor=ada.actor, changes={"stamps_target": 8}, key=key)
    assert (first.replayed, second.replayed) == (False, True)
    assert programs.get(actor=ada.actor).stamps_target == 9
    assert db.session.query(AuditEvent).filter_by(action="program.changed").count() == 2


def test_it_refuses_a_key_that_asked_for_something_else(context: None) -> None:
    ada = make_bakery()
    key = key_of(ada)
    programs.change(actor=ada.actor, changes={"stamps_target": 8}, key=key)
    with pytest.raises(IdempotencyKeyReused):
        programs.change(actor=ada.actor, changes={"stamps_target": 9}, key=replace(key, request_hash="other"))


def test_it_keeps_the_first_activation(context: None) -> None:
    ada = make_bakery()
    assert programs.activate(actor=ada.actor, key=key_of(ada)).is_active
    first = programs.get(actor=ada.actor).activated_at
    assert first is not None
    assert not programs.deactivate(actor=ada.actor, key=key_of(ada)).is_active
    assert programs.get(actor=ada.actor).activated_at == first
    programs.activate(actor=ada.actor, key=key_of(ada))
    present = programs.get(actor=ada.actor)
    assert (present.is_active, present.activated_at) == (True, first)


def test_it_leaves_the_program_next_door_alone(context: None) -> None:
    ada, mallory = make_bakery(), make_butcher()
    programs.change(actor=mallory.actor, changes={"stamps_target": 3}, key=key_of(mallory))
    programs.activate(actor=mallory.actor, key=key_of(mallory))
    assert programs.get(actor=ada.actor).stamps_target == 10
    assert not programs.get(actor=ada.actor).is_active


def test_it_refuses_a_cashier(context: None) -> None:
    ada = make_bakery()
    ben = replace(ada.actor, role=Role.STAFF)
    with pytest.raises(Forbidden):
        programs.get(actor=ben)
    with pytest.raises(Forbidden):
        programs.change(actor=ben, changes={"stamps_target": 8}, key=key_of(ada))
    with pytest.raises(Forbidden):
        programs.activate(actor=ben, key=key_of(ada))


def test_it_previews_what_is_right_and_skips_the_rest(context: None) -> None:
    ada = make_bakery()
    drawn = programs.preview(
        actor=ada.actor, changes={"card_color": "#7DE", "stamps_target": 5, "loyalty_type": "hybrid"}
    )
    assert (drawn.color, drawn.stamps_target, drawn.stamp_count) == ("#4F46E5", 5, 2)
    assert drawn.loyalty_type == LoyaltyType.HYBRID
    assert programs.get(actor=ada.actor).stamps_target == 10
