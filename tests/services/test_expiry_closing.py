"""Points and the end of a program: once it is announced nothing can be collected, and nothing expires any more."""

from datetime import date, timedelta

import pytest

from loyalty.services import card_views, closing, programs, verification
from tests.clocks import clock_at
from tests.expiring import (
    DAYS,
    START,
    balance,
    good_until,
    hand_over,
    mails,
    make_holder,
    make_points_shop,
    night_of,
    run,
)
from tests.factories import Card, Shop, make_key

pytestmark = pytest.mark.usefixtures("context")

WARNING = DAYS - 14


def announce(shop: Shop, day: int, last: int) -> date:
    last_day = START.date() + timedelta(days=last)
    with clock_at(night_of(day)):
        closing.announce(actor=shop.ada, last_day=last_day, key=make_key(shop.ada), at=night_of(day))
    return last_day


def shown(card: Card) -> date | None:
    content = card_views.get_public(token=card.public_token).content
    day: date | None = content.points_good_until
    return day


def check_counted_from(first: int, card: Card) -> None:
    """The card is warned and loses its points as if its customer had come on that day."""
    for day in range(first, first + DAYS + 1):
        assert run(night_of(day)).expired == 0
        hand_over(night_of(day))
    assert run(night_of(first + DAYS + 1)).expired == 1
    assert balance(card) == 0


def test_it_takes_nothing_before_the_last_day_of_a_program() -> None:
    shop = make_points_shop()
    card = make_holder(shop, email="cleo@mail.example")
    run(night_of(WARNING))
    hand_over(night_of(WARNING))
    assert shown(card) == good_until(card) == date(2027, 2, 9)
    announce(shop, WARNING + 1, 60)
    # The card says until when its points can be redeemed; what it said before would be wrong beside it.
    assert shown(card) is None
    for day in range(WARNING + 1, 62):
        assert run(night_of(day)).expired == 0
    assert balance(card) == 100
    assert len(mails("points_expiring")) == 1
    assert verification.verify().findings == []


def test_it_warns_nobody_while_a_program_ends() -> None:
    shop = make_points_shop()
    make_holder(shop, email="cleo@mail.example")
    announce(shop, 1, 60)
    assert sum(run(night_of(day)).warned for day in range(1, 60)) == 0


def test_it_counts_anew_when_the_end_is_called_off() -> None:
    shop = make_points_shop()
    card = make_holder(shop, email="cleo@mail.example")
    announce(shop, 5, 60)
    with clock_at(night_of(50)):
        closing.call_off(actor=shop.ada, key=make_key(shop.ada))
    check_counted_from(50, card)


def test_it_counts_anew_when_a_program_opens_again_after_its_last_day() -> None:
    shop = make_points_shop()
    card = make_holder(shop)
    announce(shop, 5, 20)
    assert closing.close_due(at=night_of(20)) == 0
    with clock_at(night_of(21)):
        assert closing.close_due(at=night_of(21)) == 1
    with clock_at(night_of(40)):
        programs.activate(actor=shop.ada, key=make_key(shop.ada))
    check_counted_from(40, card)


def test_it_takes_nothing_in_the_night_in_which_the_end_is_announced() -> None:
    shop = make_points_shop()
    card = make_holder(shop)
    run(night_of(WARNING))
    hand_over(night_of(WARNING))
    announce(shop, DAYS + 1, 80)
    assert run(night_of(DAYS + 1)).expired == 0
    assert balance(card) == 100
