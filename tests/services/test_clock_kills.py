"""The clock's work for customers, killed at every statement and done by several machines at once."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.domain.limits import local_day
from loyalty.models.audit import AuditEvent
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.programs import EndedExpiryRule, LoyaltyProgram
from loyalty.services import closing, retention, verification
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.kills import run_through_kills
from tests.tills import all_at_once

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def make_idle(shop: Shop, since: datetime) -> Card:
    card = make_card(shop)
    with transaction():
        old = {"created_at": since, "last_activity_at": since}
        db.session.execute(sa.update(LoyaltyCard).where(LoyaltyCard.id == card.card_id).values(**old))
        db.session.execute(sa.update(Customer).where(Customer.id == card.customer_id).values(created_at=since))
    return card


def audited(action: str) -> int:
    with transaction():
        query = sa.select(sa.func.count()).select_from(AuditEvent).where(AuditEvent.action == action)
        return int(db.session.execute(query).scalar_one())


def mailed(kind: str) -> list[str]:
    with transaction():
        query = sa.select(EmailLog.recipient).where(EmailLog.kind == kind).order_by(EmailLog.recipient)
        return [str(address) for address in db.session.scalars(query)]


def hand_over(at: datetime) -> None:
    with transaction():
        db.session.execute(sa.update(EmailLog).values(state="sent", sending_at=at, sent_at=at))


def left() -> int:
    with transaction():
        query = sa.select(sa.func.count()).select_from(Customer).where(Customer.erased_at.is_(None))
        return int(db.session.execute(query).scalar_one())


def announced(shop: Shop) -> date:
    at = datetime.now(UTC)
    day = local_day(at, "Europe/Luxembourg") + 60 * DAY
    closing.announce(actor=shop.ada, last_day=day, key=make_key(shop.ada), at=at)
    return day


def test_it_forgets_everybody_once_wherever_the_clock_was_killed() -> None:
    shop = make_shop()
    for _ in range(3):
        make_idle(shop, NOW - 800 * DAY)
    kills = run_through_kills(lambda: retention.run(at=NOW))
    assert (len(mailed("retention_notice")), audited("customer.erasure_scheduled"), kills > 10) == (3, 3, True)
    hand_over(NOW)
    kills = run_through_kills(lambda: retention.run(at=NOW + 31 * DAY))
    assert (left(), audited("customer.erased"), kills > 10) == (0, 3, True)
    assert verification.verify().findings == []


def test_it_forgets_everybody_once_with_four_clocks(app: Flask) -> None:
    shop = make_shop()
    for _ in range(6):
        make_idle(shop, NOW - 800 * DAY)
    done = all_at_once(app, [lambda: retention.run(at=NOW)] * 4)
    assert (sum(ran.announced for ran in done), len(mailed("retention_notice"))) == (6, 6)
    hand_over(NOW)
    all_at_once(app, [lambda: retention.run(at=NOW + 31 * DAY)] * 4)
    retention.run(at=NOW + 31 * DAY)
    assert (left(), audited("customer.erased")) == (0, 6)
    assert verification.verify().findings == []


def test_it_tells_every_customer_of_the_end_once_wherever_the_clock_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "_BATCH", 2)
    shop = make_shop(loyalty_type="points", points_expiration_days=60)
    people = sorted(f"cleo{number}@example.org" for number in range(5))
    for address in people:
        make_card(shop, email=address)
    make_card(shop, email=None)
    day = announced(shop)

    def tell_all() -> None:
        while closing.tell_customers():
            pass

    assert run_through_kills(tell_all) > 10
    assert mailed("program_closing") == people
    over = datetime.combine(day, datetime.min.time(), UTC) + 2 * DAY
    assert run_through_kills(lambda: closing.close_due(at=over)) > 3
    with transaction():
        program = db.session.get_one(LoyaltyProgram, shop.program_id, populate_existing=True)
        rules = db.session.scalar(sa.select(sa.func.count()).select_from(EndedExpiryRule))
        assert (program.is_active, rules, audited("program.closed")) == (False, 1, 1)


def test_it_tells_and_closes_once_with_four_clocks(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "_BATCH", 2)
    shop = make_shop()
    people = sorted(f"cleo{number}@example.org" for number in range(6))
    for address in people:
        make_card(shop, email=address)
    over = datetime.combine(announced(shop), datetime.min.time(), UTC) + 2 * DAY
    for _ in range(4):
        all_at_once(app, [closing.tell_customers] * 4)
    assert mailed("program_closing") == people
    assert sum(all_at_once(app, [lambda: closing.close_due(at=over)] * 4)) == 1
    assert audited("program.closed") == 1
