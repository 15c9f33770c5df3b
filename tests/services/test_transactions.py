"""The history: today's list of a tablet with what may be undone, and a card's own."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from loyalty.database import clock
from loyalty.domain.values import Actor, TransactionType
from loyalty.services import stamps, transactions, voids
from loyalty.services.transactions import Entry
from tests.clocks import NOON, clock_at, clock_moved
from tests.factories import Card, Shop, change_policy, make_card, make_key, make_shop, make_staff, make_terminal

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(autouse=True)
def noon(context: None) -> Iterator[None]:
    with clock_at(NOON):
        yield


def open_shop(code: str = "bakery") -> Shop:
    return make_shop(code, cooldown_minutes=0, max_daily_stamps=100)


def stamp(actor: Actor, card: Card) -> UUID:
    return stamps.add(actor=actor, card=card.ref, quantity=1, key=make_key(actor)).transaction_id


def undo(actor: Actor, transaction_id: UUID) -> None:
    voids.void(actor=actor, transaction_id=transaction_id, reason="slip", key=make_key(actor))


def listed(actor: Actor) -> dict[UUID, Entry]:
    return {entry.transaction_id: entry for entry in transactions.list_today(actor=actor, at=clock())}


def test_it_lists_what_this_tablet_did_today_newest_first() -> None:
    shop = open_shop()
    card = make_card(shop)
    terminal_id, _ = make_terminal(shop.vendor_id, shop.store_id, label="Back room")
    done = [stamp(shop.ben, card) for _ in range(22)]
    stamp(replace(shop.ben, terminal_id=terminal_id), card)
    entries = transactions.list_today(actor=shop.ben, at=clock())
    assert [entry.transaction_id for entry in entries] == done[:1:-1]
    first = entries[0]
    assert (first.card_number, first.name, first.staff_name) == (card.card_number, "Cleo Martin", "Ben")
    assert (first.transaction_type, first.stamps_delta) == (TransactionType.STAMP_EARNED, 1)


def test_it_begins_the_day_at_the_shops_midnight() -> None:
    shop = open_shop()
    card = make_card(shop)
    # In Luxembourg midnight was at 22:00 UTC.
    with clock_at(datetime(2027, 7, 1, 21, 59, 0, tzinfo=UTC)):
        yesterday = stamp(shop.ben, card)
        assert yesterday in listed(shop.ben)
    with clock_at(datetime(2027, 7, 1, 22, 0, 0, tzinfo=UTC)):
        today = stamp(shop.ben, card)
        assert list(listed(shop.ben)) == [today]


def test_it_says_what_may_be_undone_and_by_whom() -> None:
    shop = open_shop()
    card = make_card(shop)
    ana = replace(shop.ben, staff_pin_id=make_staff(shop.vendor_id, "Ana"), staff_name="Ana")
    older, newest = stamp(shop.ben, card), stamp(shop.ben, card)
    assert [(listed(shop.ben)[row].voidable, listed(shop.ben)[row].needs_manager) for row in (older, newest)] == [
        (True, True),
        (True, False),
    ]
    assert listed(ana)[newest].needs_manager
    assert not listed(shop.mia)[older].needs_manager
    undo(shop.ben, newest)
    entries = listed(shop.ben)
    assert (entries[newest].voided, entries[newest].voidable) == (True, False)
    assert not entries[older].needs_manager
    with clock_moved(timedelta(minutes=11)):
        assert listed(shop.ben)[older].needs_manager


def test_it_offers_no_undo_that_would_be_refused() -> None:
    shop = open_shop()
    card = make_card(shop)
    older, newest = stamp(shop.ben, card), stamp(shop.ben, card)
    change_policy(shop, staff_pin_policy="disabled")
    entries = listed(shop.ben)
    assert (entries[older].voidable, entries[newest].voidable) == (False, True)
    change_policy(shop, staff_pin_policy="required", allow_void_transactions=False)
    entries = listed(shop.mia)
    assert (entries[older].voidable, entries[newest].voidable) == (False, False)


def test_it_keeps_the_last_action_for_as_long_as_it_may_be_undone() -> None:
    shop = open_shop()
    assert transactions.last_action(actor=shop.ben, at=clock()) is None
    card = make_card(shop)
    assert transactions.last_action(actor=shop.ben, at=clock()) is None
    given = stamp(shop.ben, card)
    found = transactions.last_action(actor=shop.ben, at=clock())
    assert found is not None
    assert found.transaction_id == given
    with clock_moved(timedelta(minutes=10, seconds=1)):
        assert transactions.last_action(actor=shop.ben, at=clock()) is None


def test_it_shows_a_card_its_own_history() -> None:
    shop, other = open_shop(), open_shop("butcher")
    card = make_card(shop)
    given = [stamp(shop.ben, card) for _ in range(6)]
    undo(shop.ben, given[-1])
    lines = transactions.history(card_id=card.card_id, vendor_id=shop.vendor_id)
    assert [line.transaction_type.value for line in lines] == ["stamp_voided", *["stamp_earned"] * 4]
    assert [line.voided for line in lines] == [False, True, False, False, False]
    assert lines[0].store_name == "Main Street"
    assert transactions.history(card_id=card.card_id, vendor_id=other.vendor_id) == []
