"""Stores: short names that stay, closing without loss, and only one's own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty.domain.values import Role
from loyalty.errors import Forbidden, NotFound, ValidationError
from loyalty.services import stores, terminals
from tests.office import key_of, make_bakery, make_butcher


@pytest.mark.parametrize(
    ("name", "code"),
    [("Café Um Eck", "cafe-um-eck"), ("Große Straße 1", "grosse-strasse-1"), ("Кафе", "store"), ("x" * 120, "x" * 36)],
)
def test_it_makes_a_short_name_of_the_name(context: None, name: str, code: str) -> None:
    ada = make_bakery()
    made = stores.create(actor=ada.actor, details={"name": name}, key=key_of(ada))
    again = stores.create(actor=ada.actor, details={"name": name}, key=key_of(ada))
    assert (made.code, again.code) == (code, f"{code}-2")


def test_it_refuses_a_short_name_that_is_taken(context: None) -> None:
    ada = make_bakery()
    with pytest.raises(ValidationError) as refusal:
        stores.create(actor=ada.actor, details={"name": "Harbour", "code": "main"}, key=key_of(ada))
    assert list(refusal.value.errors) == ["code"]
    assert len(stores.list_all(actor=ada.actor)) == 1


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("name", ["x" * 120], ["", "x" * 121]),
        ("address", ["", "x" * 300], ["x" * 301]),
        ("latitude", [-90, 90, None], [-90.01, 90.01, float("nan"), "north"]),
        ("longitude", [-180, 180, None], [-180.01, 180.01]),
    ],
)
def test_it_holds_the_bounds_of_a_store(context: None, name: str, good: list[object], bad: list[object]) -> None:
    ada = make_bakery()
    for value in good:
        stores.change(actor=ada.actor, store_id=ada.store_id, details={name: value}, key=key_of(ada))
        assert getattr(stores.get(actor=ada.actor, store_id=ada.store_id), name) == value
    for value in bad:
        with pytest.raises(ValidationError) as refusal:
            stores.change(actor=ada.actor, store_id=ada.store_id, details={name: value}, key=key_of(ada))
        assert list(refusal.value.errors) == [name]


def test_it_keeps_the_short_name(context: None) -> None:
    ada = make_bakery()
    with pytest.raises(ValidationError):
        stores.change(actor=ada.actor, store_id=ada.store_id, details={"code": "other"}, key=key_of(ada))


def test_it_opens_one_store_per_key(context: None) -> None:
    ada = make_bakery()
    key = key_of(ada)
    first = stores.create(actor=ada.actor, details={"name": "Harbour"}, key=key)
    second = stores.create(actor=ada.actor, details={"name": "Harbour"}, key=key)
    assert (second.store_id, second.replayed) == (first.store_id, True)
    assert len(stores.list_all(actor=ada.actor)) == 2


def test_it_closes_a_store_and_opens_it_again(context: None) -> None:
    ada = make_bakery()
    stores.deactivate(actor=ada.actor, store_id=ada.store_id, key=key_of(ada))
    assert not stores.get(actor=ada.actor, store_id=ada.store_id).active
    stores.reactivate(actor=ada.actor, store_id=ada.store_id, key=key_of(ada))
    assert stores.get(actor=ada.actor, store_id=ada.store_id).active


def test_it_closes_no_store_that_has_a_tablet(context: None) -> None:
    ada = make_bakery()
    made = terminals.create_code(actor=ada.actor, store_id=ada.store_id, label="Till", key=key_of(ada))
    assert made.code is not None
    terminals.pair(code=made.code, source_ip="192.0.2.7", at=made.expires_at - timedelta(minutes=1))
    assert stores.get(actor=ada.actor, store_id=ada.store_id).terminals == 1
    with pytest.raises(ValidationError):
        stores.deactivate(actor=ada.actor, store_id=ada.store_id, key=key_of(ada))
    terminals.revoke(actor=ada.actor, terminal_id=made.terminal_id, key=key_of(ada))
    stores.deactivate(actor=ada.actor, store_id=ada.store_id, key=key_of(ada))


def test_it_does_not_find_the_stores_next_door(context: None) -> None:
    ada, mallory = make_bakery(), make_butcher()
    with pytest.raises(NotFound):
        stores.get(actor=mallory.actor, store_id=ada.store_id)
    with pytest.raises(NotFound):
        stores.change(actor=mallory.actor, store_id=ada.store_id, details={"name": "Mine"}, key=key_of(mallory))
    with pytest.raises(NotFound):
        stores.deactivate(actor=mallory.actor, store_id=ada.store_id, key=key_of(mallory))
    row = stores.get(actor=ada.actor, store_id=ada.store_id)
    assert (row.name, row.active) == ("Main Street", True)


def test_it_refuses_a_cashier(context: None) -> None:
    ada = make_bakery()
    ben = replace(ada.actor, role=Role.STAFF)
    with pytest.raises(Forbidden):
        stores.list_all(actor=ben)
    with pytest.raises(Forbidden):
        stores.deactivate(actor=ben, store_id=ada.store_id, key=key_of(ada))
