"""Expired points given back, and what another rule would mean before it is saved."""

from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.values import RequestKey, TransactionType
from loyalty.errors import StaffPinRequired, TransactionNotFound, ValidationError
from loyalty.models.audit import AuditEvent
from loyalty.models.transactions import TransactionDetail
from loyalty.services import expiry_preview, expiry_restores, programs, verification
from loyalty.services.expiry_preview import Month
from loyalty.services.expiry_restores import RestoreReceipt
from tests.clocks import clock_at
from tests.expiring import DAYS, START, balance, good_until, make_holder, make_points_shop, night_of, rows_of, run
from tests.factories import Card, Shop, make_key

pytestmark = pytest.mark.usefixtures("context")

TAKEN = DAYS + 1


def expired() -> tuple[Shop, Card, UUID]:
    """Make a card whose 100 points have expired."""
    shop = make_points_shop()
    card = make_holder(shop, email=None)
    run(night_of(DAYS - 14))
    run(night_of(TAKEN))
    [row] = rows_of(card, TransactionType.POINTS_EXPIRED)
    return shop, card, row.id


def restore(
    shop: Shop, card: Card, expiry_id: UUID, *, days: int = TAKEN, key: RequestKey | None = None
) -> RestoreReceipt:
    """Give them back so many days after the start."""
    with clock_at(night_of(days, hours=9)):
        return expiry_restores.restore(
            actor=shop.ada, card=card.ref, transaction_id=expiry_id, reason="was ill", key=key or make_key(shop.ada)
        )


def test_it_gives_points_back_for_as_long_as_a_visit_would_keep_them() -> None:
    shop, card, expiry_id = expired()
    done = restore(shop, card, expiry_id)
    assert (done.points_restored, done.points_balance, done.kept_until) == (100, 100, date(2027, 3, 12))
    row = rows_of(card, TransactionType.POINTS_ADJUSTMENT)[-1]
    assert (row.points_delta, row.related_transaction_id, row.user_id) == (100, expiry_id, shop.ada.user_id)
    with transaction():
        assert db.session.scalar(sa.select(TransactionDetail.notes).where(TransactionDetail.transaction_id == row.id))
        actions = db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.created_at)).all()
    assert actions[-1] == "card.points_restored"
    run(night_of(TAKEN + 1))
    assert good_until(card) is None
    run(night_of(TAKEN + DAYS - 14))
    assert good_until(card) == date(2027, 3, 12)
    run(night_of(TAKEN + DAYS + 1))
    assert balance(card) == 0
    assert verification.verify().findings == []


def test_it_gives_points_back_once() -> None:
    shop, card, expiry_id = expired()
    key = make_key(shop.ada)
    first = restore(shop, card, expiry_id, key=key)
    again = restore(shop, card, expiry_id, key=key)
    assert (again.transaction_id, again.replayed) == (first.transaction_id, True)
    with pytest.raises(ValidationError):
        restore(shop, card, expiry_id)
    assert balance(card) == 100
    assert expiry_restores.find(actor=shop.ada, card_id=card.card_id, at=night_of(TAKEN)) is None


def test_it_gives_points_back_for_two_weeks() -> None:
    shop, card, expiry_id = expired()
    for days, found in ((TAKEN + 14, True), (TAKEN + 15, False)):
        assert bool(expiry_restores.find(actor=shop.ada, card_id=card.card_id, at=night_of(days))) is found
    with pytest.raises(ValidationError):
        restore(shop, card, expiry_id, days=TAKEN + 15)
    assert restore(shop, card, expiry_id, days=TAKEN + 14).points_balance == 100


def test_it_asks_for_a_reason_and_a_manager() -> None:
    shop, card, expiry_id = expired()
    restore_expiry = partial(expiry_restores.restore, card=card.ref, transaction_id=expiry_id)
    with pytest.raises(ValidationError):
        restore_expiry(actor=shop.ada, reason=" ", key=make_key(shop.ada))
    with clock_at(night_of(TAKEN)), pytest.raises(StaffPinRequired):
        restore_expiry(actor=shop.ben, reason="why", key=make_key(shop.ben))
    assert balance(card) == 0


def test_it_gives_back_only_what_expired_on_this_card() -> None:
    shop, card, expiry_id = expired()
    other = make_holder(shop, at=night_of(TAKEN), email=None)
    earned = rows_of(other, TransactionType.POINTS_EARNED)[0].id
    mallory = make_points_shop("butcher")
    for to, wrong in ((other, expiry_id), (other, earned)):
        with pytest.raises(TransactionNotFound):
            restore(shop, to, wrong)
    assert expiry_restores.find(actor=mallory.ada, card_id=card.card_id, at=night_of(TAKEN)) is None


def test_it_shows_what_would_expire_in_which_month() -> None:
    shop = make_points_shop(points_expiration_days=365)
    for days, cents in ((0, 1000), (0, 500), (40, 200)):
        make_holder(shop, cents=cents, at=night_of(days))
    make_holder(make_points_shop("butcher"))
    now = night_of(60)
    same = expiry_preview.preview(actor=shop.ada, days=365, at=now)
    assert same.months == (Month(date(2028, 1, 1), 2, 150), Month(date(2028, 2, 1), 1, 20))
    # A shorter rule takes nothing away that was promised; a longer one gives more at once.
    assert expiry_preview.preview(actor=shop.ada, days=30, at=now).months == same.months
    longer = expiry_preview.preview(actor=shop.ada, days=730, at=now)
    assert (longer.months[0].first, longer.cards, longer.points) == (date(2029, 1, 1), 3, 170)


def test_it_shows_that_everybody_gets_the_whole_time_where_points_never_expired() -> None:
    shop = make_points_shop(points_expiration_days=None)
    make_holder(shop)
    outlook = expiry_preview.preview(actor=shop.ada, days=30, at=night_of(300))
    assert outlook.months == (Month((START + timedelta(days=330)).date().replace(day=1), 1, 100),)
    with clock_at(night_of(300)):
        programs.change(actor=shop.ada, changes={"points_expiration_days": 30}, key=make_key(shop.ada))
    assert expiry_preview.preview(actor=shop.ada, days=30, at=night_of(300)) == outlook


@pytest.mark.parametrize("days", [None, 0, 29, 3651])
def test_it_shows_nothing_for_days_that_no_rule_has(days: int | None) -> None:
    shop = make_points_shop()
    make_holder(shop)
    assert expiry_preview.preview(actor=shop.ada, days=days, at=night_of(1)).months == ()
