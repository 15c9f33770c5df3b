"""Figures per member of staff: off until the owner wants them, and gone when she does not any more."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.errors import Forbidden
from loyalty.models.audit import AuditEvent
from loyalty.models.stats import DailyStaffStats
from loyalty.services import stats_periods, stats_rollup, stats_staff
from loyalty.services.stats_staff import StaffReportReceipt, StaffTotals
from tests.clocks import clock_at
from tests.factories import Shop, make_card, make_key, make_shop
from tests.services.voiding import OPEN, stamp, undo

pytestmark = pytest.mark.usefixtures("context")

AT = datetime(2026, 6, 30, 10, tzinfo=UTC)


@pytest.fixture
def bakery() -> Shop:
    """Ada's bakery, where Ben stamped a card yesterday."""
    shop = make_shop(**OPEN)
    with clock_at(AT - timedelta(days=1)):
        stamp(shop, make_card(shop))
    stats_rollup.roll_up(at=AT)
    return shop


def switch_on(shop: Shop) -> None:
    stats_staff.switch_on(actor=shop.ada, key=make_key(shop.ada), at=AT)


def shown(shop: Shop) -> list[StaffTotals]:
    stats_rollup.roll_up(at=AT)
    period = stats_periods.choose(actor=shop.ada, at=AT)
    return stats_staff.by_staff(actor=shop.ada, period=period)


def kept(shop: Shop) -> int:
    mine = sa.select(sa.func.count()).select_from(DailyStaffStats).where(DailyStaffStats.vendor_id == shop.vendor_id)
    return db.session.execute(mine).scalar_one()


def test_it_counts_nobody_until_it_is_switched_on(bakery: Shop) -> None:
    assert stats_staff.find_since(actor=bakery.ada) is None
    assert (shown(bakery), kept(bakery)) == ([], 0)


def test_it_counts_from_the_day_it_is_switched_on(bakery: Shop) -> None:
    with clock_at(AT):
        card = make_card(bakery)
        stamp(bakery, card, 2)
        undo(bakery.mia, stamp(bakery, card))
    stats_rollup.roll_up(at=AT)
    switch_on(bakery)
    assert stats_staff.find_since(actor=bakery.ada) == date(2026, 6, 30)
    ben, mia = shown(bakery)
    assert (ben.name, ben.transactions, ben.cards_created, ben.stamps_earned, ben.voids) == ("Ben", 3, 1, 3, 0)
    assert (mia.name, mia.transactions, mia.stamps_earned, mia.voids) == ("Mia", 1, 0, 1)


def test_it_deletes_what_was_counted_when_it_is_switched_off(bakery: Shop) -> None:
    switch_on(bakery)
    with clock_at(AT):
        stamp(bakery, make_card(bakery))
    assert len(shown(bakery)) == 1
    key = make_key(bakery.ada)
    assert stats_staff.switch_off(actor=bakery.ada, key=key) == StaffReportReceipt(is_on=False)
    assert stats_staff.switch_off(actor=bakery.ada, key=key).replayed
    assert (stats_staff.find_since(actor=bakery.ada), kept(bakery)) == (None, 0)
    # Nor does counting the same days again bring it back.
    stats_rollup.start_over()
    assert (shown(bakery), kept(bakery)) == ([], 0)


def test_it_keeps_ninety_days(bakery: Shop) -> None:
    switch_on(bakery)
    with clock_at(AT):
        stamp(bakery, make_card(bakery))
    stats_rollup.roll_up(at=AT + timedelta(days=90))
    assert kept(bakery) == 1
    stats_rollup.roll_up(at=AT + timedelta(days=91))
    assert kept(bakery) == 0
    stats_rollup.start_over()
    stats_rollup.roll_up(at=AT + timedelta(days=91))
    assert kept(bakery) == 0


def test_it_is_switched_by_the_owner_alone(bakery: Shop) -> None:
    with pytest.raises(Forbidden):
        stats_staff.switch_on(actor=bakery.mia, key=make_key(bakery.mia), at=AT)
    with pytest.raises(Forbidden):
        stats_staff.switch_off(actor=bakery.mia, key=make_key(bakery.mia))
    switch_on(bakery)
    switch_on(bakery)
    stats_staff.switch_off(actor=bakery.ada, key=make_key(bakery.ada))
    with transaction():
        told = sa.select(AuditEvent.action).where(AuditEvent.vendor_id == bakery.vendor_id)
        actions = [action for action in db.session.scalars(told) if action.startswith("staff_report")]
    assert sorted(actions) == ["staff_report.off", "staff_report.on"]


def test_it_counts_nothing_of_the_shop_next_door(bakery: Shop) -> None:
    next_door = make_shop("mallory", **OPEN)
    switch_on(bakery)
    with clock_at(AT):
        stamp(next_door, make_card(next_door))
        stamp(bakery, make_card(bakery))
    assert [who.name for who in shown(bakery)] == ["Ben"]
    assert (shown(next_door), kept(next_door)) == ([], 0)
