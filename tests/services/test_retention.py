"""Retention: a notice first, a month of time, and only then the ordinary erasure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from loyalty.database import db, transaction
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.vendors import Vendor
from loyalty.services import erasures, retention, stamps, verification
from loyalty.services.retention import Retained
from tests.factories import Card, Shop, make_card, make_key, make_shop
from tests.privacy_life import audited
from tests.tills import come_late

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LONG_AGO = NOW - 800 * DAY
NOTHING = Retained(0, 0, 0)


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def make_idle(shop: Shop, *, since: datetime = LONG_AGO, **person: Any) -> Card:
    """Make a card that was not used for long."""
    card = make_card(shop, **person)
    with transaction():
        theirs = sa.update(LoyaltyCard).where(LoyaltyCard.id == card.card_id)
        db.session.execute(theirs.values(created_at=since, last_activity_at=since))
        db.session.execute(sa.update(Customer).where(Customer.id == card.customer_id).values(created_at=since))
    return card


def read(card: Card) -> Customer:
    with transaction():
        db.session.expire_all()
        return db.session.get_one(Customer, card.customer_id)


def mails() -> list[tuple[str, dict[str, str]]]:
    with transaction():
        rows = db.session.execute(sa.select(EmailLog.kind, EmailLog.facts).order_by(EmailLog.created_at, EmailLog.id))
        return [(row.kind, row.facts) for row in rows]


def set_mail(**values: object) -> None:
    with transaction():
        db.session.execute(sa.update(EmailLog).values(**values))


def change(card: Card, **values: object) -> None:
    with transaction():
        db.session.execute(sa.update(Customer).where(Customer.id == card.customer_id).values(**values))


def test_it_gives_notice_once_and_names_the_day(shop: Shop) -> None:
    cleo = make_idle(shop)
    assert retention.run(at=NOW) == Retained(0, 1, 0)
    assert retention.run(at=NOW + DAY) == NOTHING
    customer = read(cleo)
    assert (customer.erase_at, customer.erase_reason) == (NOW + 30 * DAY, "inactive")
    assert mails() == [("retention_notice", {"date": "2026-12-21"})]


def test_it_leaves_those_alone_who_come(shop: Shop) -> None:
    make_idle(shop, since=NOW - 700 * DAY)
    used = make_idle(shop)
    with transaction():
        recent = sa.update(LoyaltyCard).where(LoyaltyCard.id == used.card_id)
        db.session.execute(recent.values(last_activity_at=NOW - DAY))
    change(make_idle(shop), kept_at=NOW - DAY)
    assert retention.run(at=NOW) == NOTHING


def test_it_erases_a_month_after_the_notice_was_handed_over(shop: Shop) -> None:
    cleo = make_idle(shop, email="cleo@example.org")
    retention.run(at=NOW)
    set_mail(state="sent", sent_at=NOW + 3 * DAY)
    assert retention.run(at=NOW + 32 * DAY) == NOTHING
    assert retention.run(at=NOW + 33 * DAY) == Retained(0, 0, 1)
    customer = read(cleo)
    assert customer.erased_at
    assert (customer.email, customer.erase_at) == (None, None)
    assert len(audited("customer.erased")) == 1
    assert verification.verify().findings == []
    assert retention.run(at=NOW + 34 * DAY) == NOTHING


@pytest.mark.parametrize("state", ["waiting", "sending"])
def test_it_erases_nobody_whose_notice_still_waits(shop: Shop, state: str) -> None:
    make_idle(shop)
    retention.run(at=NOW)
    set_mail(state=state)
    assert retention.run(at=NOW + 365 * DAY) == NOTHING


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_it_waits_twice_as_long_where_the_notice_failed(shop: Shop, state: str) -> None:
    make_idle(shop)
    retention.run(at=NOW)
    set_mail(state=state)
    assert retention.run(at=NOW + 59 * DAY) == NOTHING
    assert retention.run(at=NOW + 60 * DAY) == Retained(0, 0, 1)


def test_it_needs_no_notice_where_no_address_works(shop: Shop) -> None:
    make_idle(shop, email=None, phone="+352621123456")
    change(make_idle(shop, email="gone@example.org"), email_bounced_at=LONG_AGO)
    assert retention.run(at=NOW) == Retained(0, 2, 0)
    assert mails() == []
    assert retention.run(at=NOW + 29 * DAY) == NOTHING
    assert retention.run(at=NOW + 30 * DAY) == Retained(0, 0, 2)


def test_it_keeps_whoever_comes_back_after_the_notice(shop: Shop) -> None:
    cleo = make_idle(shop)
    retention.run(at=NOW)
    set_mail(state="sent", sent_at=NOW)
    with transaction():
        db.session.execute(sa.update(LoyaltyCard).values(last_activity_at=NOW + 29 * DAY))
    assert retention.run(at=NOW + 31 * DAY) == Retained(1, 0, 0)
    assert read(cleo).erase_at is None


def test_it_keeps_whoever_stands_at_the_till_when_the_day_has_come(app: Flask, shop: Shop) -> None:
    cleo = make_idle(shop)
    retention.run(at=NOW)
    set_mail(state="sent", sent_at=NOW)
    with transaction():
        stamps.add(actor=shop.ben, card=cleo.ref, quantity=1, key=make_key(shop.ben))
        end = come_late(app, lambda: retention.run(at=NOW + 31 * DAY))
    assert end() is None
    assert read(cleo).erased_at is None
    assert retention.run(at=NOW + 31 * DAY) == Retained(1, 0, 0)


def test_it_keeps_everybody_where_the_shop_keeps_longer(shop: Shop) -> None:
    make_idle(shop)
    retention.run(at=NOW)
    set_mail(state="sent", sent_at=NOW)
    with transaction():
        db.session.execute(sa.update(Vendor).values(retention_months=60))
    assert retention.run(at=NOW + 31 * DAY) == Retained(1, 0, 0)


def test_it_takes_each_shop_at_its_word(shop: Shop) -> None:
    meat = make_shop("meat", vendor={"retention_months": 12})
    closed = make_shop("closed", vendor={"status": "suspended"})
    make_idle(closed)
    make_idle(shop, since=NOW - 400 * DAY)
    theirs = make_idle(meat, since=NOW - 400 * DAY)
    assert retention.run(at=NOW) == Retained(0, 1, 0)
    assert read(theirs).erase_reason == "inactive"


def test_it_erases_whoever_asked_for_it_after_a_week_and_not_who_changed_their_mind(shop: Shop) -> None:
    cleo, dora = make_card(shop), make_card(shop)
    for card in (cleo, dora):
        with transaction():
            own = {"vendor_id": shop.vendor_id, "customer_id": card.customer_id}
            assert erasures.schedule(reason="asked", at=NOW, **own)
            assert not erasures.schedule(reason="asked", at=NOW + DAY, **own)
    assert retention.run(at=NOW + 6 * DAY) == NOTHING
    with transaction():
        assert erasures.call_off(vendor_id=shop.vendor_id, customer_id=dora.customer_id, at=NOW + 6 * DAY)
        assert not erasures.call_off(vendor_id=shop.vendor_id, customer_id=dora.customer_id, at=NOW + 6 * DAY)
    assert retention.run(at=NOW + 7 * DAY) == Retained(0, 0, 1)
    assert read(cleo).erased_at
    assert read(dora).erased_at is None
    assert read(dora).name == "Cleo Martin"


def test_it_passes_over_whom_somebody_holds_and_comes_back_for_them(
    shop: Shop, owner_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = [make_idle(shop, email=None) for _ in range(5)]
    monkeypatch.setattr(retention, "_BATCH", 2)
    with owner_engine.begin() as connection:
        held = sa.text("SELECT id FROM customers WHERE id = :id FOR UPDATE")
        connection.execute(held, {"id": cards[2].customer_id})
        assert retention.run(at=NOW) == Retained(0, 4, 0)
    assert retention.run(at=NOW) == Retained(0, 1, 0)
    assert retention.run(at=NOW + 30 * DAY) == Retained(0, 0, 5)


def test_it_reads_only_cards_that_are_old(shop: Shop) -> None:
    made = [make_idle(shop, email=None, since=since) for since in (LONG_AGO, LONG_AGO - DAY, NOW - 700 * DAY)]
    with transaction():
        asked = retention.silent((), shop.vendor_id, NOW - 730 * DAY, (LONG_AGO - 365 * DAY, made[0].card_id))
        found = [row.id for row in db.session.execute(asked)]
        db.session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        db.session.execute(sa.text("SET LOCAL enable_sort = off"))
        written = asked.compile(dialect=db.engine.dialect, compile_kwargs={"literal_binds": True})
        plan = "\n".join(db.session.scalars(sa.text(f"EXPLAIN {written}")))
    assert found == [made[1].customer_id, made[0].customer_id]
    assert "Index Scan using ix_loyalty_cards_newest" in plan
    assert "created_at <=" in plan
