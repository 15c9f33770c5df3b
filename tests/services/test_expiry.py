"""The night's run on a real database: warned first, taken once, and kept wherever a mail did not arrive."""

from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.values import TransactionType
from loyalty.models.customers import Customer
from loyalty.services import adjustments, cards, merging, programs, verification
from tests.clocks import clock_at
from tests.expiring import (
    DAYS,
    START,
    balance,
    card_row,
    good_until,
    hand_over,
    mails,
    make_holder,
    make_points_shop,
    night_of,
    rows_of,
    run,
    visit,
)
from tests.factories import change_program, make_key
from tests.services.listening import data, listen

pytestmark = pytest.mark.usefixtures("context")

EXPIRED = TransactionType.POINTS_EXPIRED
LAST_DAY = date(2027, 2, 9)
WARNING = DAYS - 14


def test_it_warns_and_then_takes_all_points() -> None:
    card = make_holder(make_points_shop())
    assert run(night_of(WARNING - 1)).warned == 0
    assert run(night_of(WARNING)).warned == 1
    assert good_until(card) == LAST_DAY
    [mail] = mails("points_expiring")
    assert mail.facts == {"points": 100, "date": "2027-02-09"}
    hand_over(night_of(WARNING))
    assert run(night_of(DAYS)).expired == 0
    assert run(night_of(DAYS + 1)).expired == 1
    assert (balance(card), good_until(card)) == (0, None)
    [row] = rows_of(card, EXPIRED)
    assert (row.points_delta, row.points_balance_after, row.idempotency_key) == (-100, 0, "expiry:2027-02-09")
    [gone] = mails("points_expired")
    assert gone.facts == {"points": 100}
    assert verification.verify().findings == []


def test_it_runs_once_a_day() -> None:
    make_holder(make_points_shop())
    assert run(night_of(WARNING)).shops == 1
    assert run(night_of(WARNING, hours=20)).shops == 0
    assert run(night_of(WARNING + 1, hours=-1)).shops == 0
    assert run(night_of(WARNING + 1)).shops == 1


def test_it_takes_without_a_mail_where_there_is_no_address() -> None:
    card = make_holder(make_points_shop(), email=None, phone="+352621123456")
    run(night_of(WARNING))
    assert good_until(card) == LAST_DAY
    run(night_of(DAYS + 1))
    assert (balance(card), mails("points_expiring"), mails("points_expired")) == (0, [], [])


def test_it_keeps_points_until_two_weeks_after_the_mail_was_handed_over() -> None:
    card = make_holder(make_points_shop())
    run(night_of(WARNING))
    run(night_of(DAYS + 1))
    assert balance(card) == 100
    hand_over(night_of(DAYS + 3))
    run(night_of(DAYS + 4))
    assert good_until(card) == LAST_DAY + timedelta(days=3 + 14)
    run(night_of(DAYS + 3 + 14))
    assert balance(card) == 100
    run(night_of(DAYS + 3 + 15))
    assert balance(card) == 0
    assert len(mails("points_expiring")) == 1


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_it_keeps_points_where_the_mail_did_not_arrive(state: str) -> None:
    card = make_holder(make_points_shop())
    run(night_of(WARNING))
    hand_over(night_of(WARNING), state)
    run(night_of(DAYS + 1))
    assert balance(card) == 100
    # After a month it is written once more, and that one arrives.
    run(night_of(WARNING + 31))
    assert [mail.state for mail in mails("points_expiring")] == [state, "waiting"]
    hand_over(night_of(WARNING + 31))
    run(night_of(WARNING + 31 + 14))
    assert balance(card) == 100
    run(night_of(WARNING + 31 + 15))
    assert balance(card) == 0


def test_it_keeps_points_where_mails_come_back_until_the_address_is_corrected() -> None:
    card = make_holder(make_points_shop())
    run(night_of(WARNING))
    hand_over(night_of(WARNING))
    set_customer(card.customer_id, email_bounced_at=night_of(WARNING + 1))
    run(night_of(200))
    assert (balance(card), len(mails("points_expiring"))) == (100, 1)
    set_customer(card.customer_id, email="right@example.org", email_bounced_at=None)
    run(night_of(201))
    assert [mail.recipient for mail in mails("points_expiring")][1:] == ["right@example.org"]
    hand_over(night_of(201))
    run(night_of(201 + 15))
    assert balance(card) == 0


def test_it_warns_somebody_who_gets_an_address_later() -> None:
    card = make_holder(make_points_shop(), email=None)
    run(night_of(WARNING))
    set_customer(card.customer_id, email="late@example.org")
    run(night_of(DAYS + 1))
    assert balance(card) == 100
    assert [mail.recipient for mail in mails("points_expiring")] == ["late@example.org"]
    assert good_until(card) == LAST_DAY + timedelta(days=15)


def test_it_takes_a_warning_back_when_the_customer_comes() -> None:
    shop = make_points_shop()
    card = make_holder(shop)
    run(night_of(WARNING))
    visit(shop, card, at=night_of(DAYS))
    run(night_of(DAYS + 1))
    assert (balance(card), good_until(card)) == (200, None)


def test_it_does_not_begin_anew_with_a_correction_or_a_void() -> None:
    shop = make_points_shop()
    card = make_holder(shop, email=None)
    with clock_at(night_of(DAYS - 1)):
        adjustments.adjust_points(actor=shop.ada, card=card.ref, delta=-40, reason="wrong", key=make_key(shop.ada))
    run(night_of(WARNING))
    run(night_of(DAYS + 1))
    assert [row.points_delta for row in rows_of(card, EXPIRED)] == [-60]


def test_it_warns_again_of_points_that_came_after_the_warning() -> None:
    shop = make_points_shop()
    card = make_holder(shop)
    run(night_of(WARNING))
    hand_over(night_of(WARNING))
    with clock_at(night_of(DAYS)):
        adjustments.adjust_points(actor=shop.ada, card=card.ref, delta=500, reason="A gift", key=make_key(shop.ada))
    run(night_of(DAYS + 1))
    assert (balance(card), good_until(card)) == (600, LAST_DAY + timedelta(days=1 + 14))
    assert [mail.facts["points"] for mail in mails("points_expiring")] == [100, 600]
    hand_over(night_of(DAYS + 1))
    run(night_of(DAYS + 1 + 14))
    assert balance(card) == 600
    run(night_of(DAYS + 1 + 15))
    assert [row.points_delta for row in rows_of(card, EXPIRED)] == [-600]


def test_it_keeps_merged_points_from_the_last_visit_with_either_card() -> None:
    shop = make_points_shop()
    card, other = make_holder(shop), make_holder(shop, at=night_of(20))
    run(night_of(WARNING))
    key = make_key(shop.ada)
    with clock_at(night_of(DAYS)):
        merging.merge(actor=shop.ada, into_id=card.card_id, from_id=other.card_id, reason="One person", key=key)
    run(night_of(DAYS + 1))
    assert (balance(card), good_until(card)) == (200, None)
    run(night_of(20 + WARNING))
    assert good_until(card) == LAST_DAY + timedelta(days=20)
    assert verification.verify().findings == []


def test_it_counts_the_welcome_bonus_as_a_visit() -> None:
    shop = make_points_shop(welcome_bonus_points=50)
    card = make_holder(shop, email=None)
    assert card_row(card).last_activity_at is not None
    run(night_of(WARNING))
    assert good_until(card) == LAST_DAY


def test_it_leaves_closed_cards_alone() -> None:
    shop = make_points_shop()
    card = make_holder(shop, email=None)
    run(night_of(WARNING))
    with clock_at(night_of(WARNING)):
        cards.deactivate(actor=shop.ada, card=card.ref, reason="lost", key=make_key(shop.ada))
    run(night_of(DAYS + 40))
    assert balance(card) == 100


@pytest.mark.parametrize(
    "changes", [{"is_active": False}, {"loyalty_type": "stamps"}, {"points_expiration_days": None}], ids=str
)
def test_it_takes_nothing_while_points_cannot_be_collected(changes: dict[str, object]) -> None:
    shop = make_points_shop()
    card = make_holder(shop, email=None)
    run(night_of(WARNING))
    change_program(shop, **changes)
    run(night_of(DAYS + 40))
    assert balance(card) == 100


def test_it_begins_anew_after_a_pause() -> None:
    shop = make_points_shop()
    card = make_holder(shop, email=None)
    with clock_at(night_of(2)):
        programs.deactivate(actor=shop.ada, key=make_key(shop.ada))
    with clock_at(night_of(100)):
        programs.activate(actor=shop.ada, key=make_key(shop.ada))
    run(night_of(100 + WARNING - 1))
    assert good_until(card) is None
    run(night_of(100 + WARNING))
    assert good_until(card) == START.date() + timedelta(days=100 + DAYS)


def test_it_never_shortens_what_was_promised() -> None:
    shop = make_points_shop(points_expiration_days=365)
    old = make_holder(shop, email=None)
    with clock_at(night_of(10)):
        programs.change(actor=shop.ada, changes={"points_expiration_days": 30}, key=make_key(shop.ada))
    new = make_holder(shop, at=night_of(11), email=None)
    for day in (11 + WARNING, 11 + DAYS + 1, 365 - 14):
        run(night_of(day))
    assert (balance(old), balance(new)) == (100, 0)
    assert good_until(old) == START.date() + timedelta(days=365)


def test_it_tells_other_software() -> None:
    shop = make_points_shop()
    card = make_holder(shop, email=None)
    listen(shop, "points.expiring", "transaction.created")
    run(night_of(WARNING))
    [expiring] = data("points.expiring")
    assert (expiring["points"], expiring["expires_at"]) == (100, "2027-02-09T23:00:00Z")
    run(night_of(DAYS + 1))
    [row] = data("transaction.created")
    assert (row["card_id"], row["points_delta"]) == (str(card.card_id), -100)


def test_it_keeps_to_the_shops_own_calendar() -> None:
    """Half past two in Luxembourg is the evening before in New York: there the night comes later."""
    make_holder(make_points_shop(vendor={"timezone": "America/New_York"}), email=None)
    assert run(night_of(WARNING, hours=6)).shops == 1
    assert run(night_of(WARNING + 1)).shops == 0
    assert run(night_of(WARNING + 1, hours=6)).shops == 1


def set_customer(customer_id: UUID, **columns: object) -> None:
    """Change a customer behind the back of the services."""
    with transaction():
        db.session.execute(sa.update(Customer).where(Customer.id == customer_id).values(**columns))
