"""Undo: who may take back what, and until when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty.database import db
from loyalty.errors import (
    CardInactive,
    Forbidden,
    StaffPinRequired,
    VoidNotAllowed,
)
from loyalty.models.transactions import LoyaltyTransaction
from loyalty.services import cards, pins
from loyalty.services.till import Approval
from tests.clocks import clock_moved
from tests.factories import (
    make_card,
    make_key,
    make_shop,
    make_staff,
    make_terminal,
)
from tests.services.voiding import OPEN, stamp, undo, verified, void_stamps

__all__ = ["verified"]

pytestmark = pytest.mark.usefixtures("context")


def test_it_refuses_where_the_policy_forbids_it() -> None:
    shop = make_shop(policy={"allow_void_transactions": False}, **OPEN)
    card = make_card(shop)
    given = stamp(shop, card)
    for actor in (shop.ben, shop.mia, shop.ada):
        with pytest.raises(VoidNotAllowed):
            undo(actor, given)


def test_it_refuses_a_deactivated_card() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop)
    given = stamp(shop, card)
    cards.deactivate(actor=shop.ada, card=card.ref, reason="lost", key=make_key(shop.ada))
    with pytest.raises(CardInactive):
        undo(shop.mia, given)


def test_it_lets_staff_undo_their_own_last_entry_for_ten_minutes() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop)
    given = stamp(shop, card)
    with clock_moved(timedelta(minutes=10, seconds=1)):
        with pytest.raises(StaffPinRequired) as refusal:
            undo(shop.ben, given)
        assert refusal.value.role == "manager"
    with clock_moved(timedelta(minutes=9, seconds=50)):
        assert undo(shop.ben, given).stamp_count == 0


def test_it_asks_for_a_manager_for_somebody_elses_and_for_older_entries() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop)
    ana = replace(shop.ben, staff_pin_id=make_staff(shop.vendor_id, "Ana"), staff_name="Ana")
    first, second = stamp(shop, card), stamp(shop, card)
    for actor, transaction_id in ((ana, second), (shop.ben, first)):
        with pytest.raises(StaffPinRequired) as refusal:
            undo(actor, transaction_id)
        assert refusal.value.role == "manager"
    with pytest.raises(StaffPinRequired):
        void_stamps(shop.ben, card, 2)
    undo(shop.ben, second)
    assert undo(shop.ben, first).stamp_count == 0


def test_it_lets_a_managers_pin_decide() -> None:
    shop = make_shop(**OPEN)
    card = make_card(shop)
    ana, max_ = (
        pins.create(actor=shop.ada, name=name, role=role, store_id=None, key=make_key(shop.ada))
        for name, role in (("Ana", "staff"), ("Max", "manager"))
    )
    assert ana.pin
    assert max_.pin
    given = stamp(shop, card)
    with clock_moved(timedelta(minutes=11)):
        with pytest.raises(Forbidden):
            undo(shop.ben, given, Approval(ana.pin, ana.staff_pin_id))
        answer = undo(shop.ben, given, Approval(max_.pin, max_.staff_pin_id))
    row = db.session.get_one(LoyaltyTransaction, answer.transaction_id)
    assert (answer.stamp_count, row.staff_pin_id) == (0, max_.staff_pin_id)


def test_it_asks_nobody_at_the_counter_where_there_are_no_pins() -> None:
    shop = make_shop(policy={"staff_pin_policy": "disabled"}, **OPEN)
    card = make_card(shop)
    tablet = replace(shop.ben, staff_pin_id=None, staff_name="")
    terminal_id, _ = make_terminal(shop.vendor_id, shop.store_id, label="Back room")
    given = stamp(shop, card, actor=tablet)
    with pytest.raises(Forbidden):
        undo(replace(tablet, terminal_id=terminal_id), given)
    assert undo(tablet, given).stamp_count == 0
    given = stamp(shop, card, actor=tablet)
    with clock_moved(timedelta(minutes=11)):
        with pytest.raises(Forbidden):
            undo(tablet, given)
        assert undo(shop.ada, given).stamp_count == 0
