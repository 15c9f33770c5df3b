"""Points of two cards that are brought together: good for as long as they were promised on either."""

from datetime import date, timedelta

import pytest

from loyalty.domain.values import TransactionType
from loyalty.services import expiry_restores, merging, programs, verification
from tests.clocks import clock_at
from tests.expiring import (
    DAYS,
    balance,
    card_row,
    good_until,
    hand_over,
    make_holder,
    make_points_shop,
    night_of,
    rows_of,
    run,
)
from tests.factories import Card, Shop, make_key

pytestmark = pytest.mark.usefixtures("context")

EXPIRED = TransactionType.POINTS_EXPIRED


def merge(shop: Shop, into: Card, source: Card, day: int) -> None:
    with clock_at(night_of(day)):
        merging.merge(
            actor=shop.ada, into_id=into.card_id, from_id=source.card_id, reason="one person", key=make_key(shop.ada)
        )


def last_night(card: Card, first: int) -> int:
    """Let night after night pass, mails handed over at once; return the night in which the points go."""
    for day in range(first, first + 200):
        run(night_of(day))
        hand_over(night_of(day))
        if not balance(card):
            return day
    raise AssertionError("the points never go")


def test_it_keeps_what_was_given_back_as_long_as_was_promised() -> None:
    shop = make_points_shop()
    source = make_holder(shop, name="Cleo", email="cleo@mail.example")
    taken = last_night(source, 0)
    into = make_holder(shop, cents=50, at=night_of(taken - 20), name="Cleo")
    [expired] = rows_of(source, EXPIRED)
    with clock_at(night_of(taken, hours=8)):
        given_back = expiry_restores.restore(
            actor=shop.ada, card=source.ref, transaction_id=expired.id, reason="on holiday", key=make_key(shop.ada)
        )
    assert given_back.kept_until is not None
    merge(shop, into, source, taken + 1)
    assert (card_row(into).points_kept_until, balance(into)) == (given_back.kept_until, 105)
    assert last_night(into, taken + 1) == taken + DAYS + 1
    assert verification.verify().findings == []


def test_it_keeps_what_an_older_rule_promised() -> None:
    shop = make_points_shop(points_expiration_days=100)
    source = make_holder(shop)
    with clock_at(night_of(2)):
        programs.change(actor=shop.ada, changes={"points_expiration_days": DAYS}, key=make_key(shop.ada))
    into = make_holder(shop, at=night_of(5))
    merge(shop, into, source, 6)
    assert card_row(into).points_kept_until == date(2027, 1, 10) + timedelta(days=100)
    assert last_night(into, 6) == 101


def test_it_promises_nothing_new_where_the_other_card_has_promised_more() -> None:
    shop = make_points_shop()
    source, into = make_holder(shop), make_holder(shop, at=night_of(3))
    merge(shop, into, source, 4)
    assert card_row(into).points_kept_until is None
    assert last_night(into, 4) == 3 + DAYS + 1


def test_it_warns_of_points_that_came_after_the_warning() -> None:
    """Merged on the last day that the warning of the other card names: nothing goes that nobody was told of."""
    shop = make_points_shop()
    into = make_holder(shop, email="cleo@mail.example")
    source = make_holder(shop, cents=5000)
    run(night_of(DAYS - 14))
    hand_over(night_of(DAYS - 14))
    assert good_until(into) == date(2027, 2, 9)
    merge(shop, into, source, DAYS)
    assert run(night_of(DAYS + 1)).expired == 0
    hand_over(night_of(DAYS + 1))
    assert balance(into) == 600
    assert last_night(into, DAYS + 1) == DAYS + 1 + 15
