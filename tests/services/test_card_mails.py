"""Mails to the customer of a card: of what the shop gave, and once of each reward."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.joining import JoinForm
from loyalty.domain.mails import UNASKED
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.services import adjustments, card_mails, enrolment, merging, messages, stamps, voids
from tests.factories import Card, Shop, change_program, make_card, make_key, make_shop
from tests.mails import said

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def bakery() -> Shop:
    return make_shop(cooldown_minutes=0, max_daily_stamps=50, max_stamps_per_action=20)


def told(kind: str) -> list[EmailLog]:
    with transaction():
        query = sa.select(EmailLog).where(EmailLog.kind == kind)
        return list(db.session.scalars(query.order_by(EmailLog.created_at)))


def stamp(shop: Shop, card: Card, quantity: int = 1) -> stamps.StampReceipt:
    return stamps.add(actor=shop.ben, card=card.ref, quantity=quantity, key=make_key(shop.ben))


def redeem(shop: Shop, card: Card) -> None:
    stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben))


def test_it_tells_of_a_reward_on_the_stamp_that_fills_the_card_and_on_no_other(bakery: Shop) -> None:
    cleo = make_card(bakery, stamps=8, locale="fr", email="cleo@example.org")
    for _ in range(5):
        stamp(bakery, cleo)
    (mail,) = told("reward_ready")
    assert (mail.recipient, mail.locale, mail.card_id) == ("cleo@example.org", "fr", cleo.card_id)


def test_it_tells_of_each_reward(bakery: Shop) -> None:
    cleo = make_card(bakery, stamps=9)
    stamp(bakery, cleo)
    redeem(bakery, cleo)
    stamp(bakery, cleo, 10)
    stamp(bakery, cleo, 10)
    assert [mail.event_key for mail in told("reward_ready")] == [f"{cleo.card_id}:{number}" for number in (1, 2, 3)]


def test_it_tells_once_where_one_tap_crosses_two_lines(bakery: Shop) -> None:
    stamp(bakery, make_card(bakery, stamps=9), 11)
    assert len(told("reward_ready")) == 1


def test_it_does_not_tell_again_when_a_stamp_was_taken_back_and_given_again(bakery: Shop) -> None:
    cleo = make_card(bakery, stamps=9)
    first = stamp(bakery, cleo)
    voids.void(actor=bakery.ben, transaction_id=first.transaction_id, reason="wrong card", key=make_key(bakery.ben))
    stamp(bakery, cleo)
    assert len(told("reward_ready")) == 1


def test_it_tells_once_for_a_tap_that_came_twice(bakery: Shop) -> None:
    cleo, key = make_card(bakery, stamps=9), make_key(bakery.ben)
    for _ in range(2):
        stamps.add(actor=bakery.ben, card=cleo.ref, quantity=1, key=key)
    assert len(told("reward_ready")) == 1


def correct(shop: Shop, card: Card, delta: int) -> None:
    adjustments.adjust_stamps(actor=shop.ada, card=card.ref, delta=delta, reason="counted", key=make_key(shop.ada))


def merge(shop: Shop, into: Card, source: Card) -> None:
    ids = {"into_id": into.card_id, "from_id": source.card_id}
    merging.merge(actor=shop.ada, **ids, reason="one person", key=make_key(shop.ada))


def test_it_tells_of_a_reward_that_a_correction_makes_ready_once(bakery: Shop) -> None:
    cleo = make_card(bakery, stamps=9)
    for delta in (1, -1, 1, 5, 4):
        correct(bakery, cleo, delta)
    stamp(bakery, cleo)
    assert [mail.event_key for mail in told("reward_ready")] == [f"{cleo.card_id}:{number}" for number in (1, 2)]


@pytest.mark.parametrize(
    ("kept", "emptied", "mails"),
    [(6, 4, 1), (6, 3, 0), (3, 10, 0), (17, 15, 1), (10, 5, 0)],
    ids=["together", "not yet", "was ready there", "one more", "was ready here"],
)
def test_it_tells_of_a_reward_that_two_cards_reach_together(bakery: Shop, kept: int, emptied: int, mails: int) -> None:
    into, source = make_card(bakery, stamps=kept), make_card(bakery, stamps=emptied)
    before = len(told("reward_ready"))
    merge(bakery, into, source)
    assert len(told("reward_ready")) - before == mails


@pytest.mark.parametrize("columns", [{"is_active": False}, {"loyalty_type": "points"}], ids=["paused", "points"])
def test_it_tells_of_no_reward_that_cannot_be_redeemed(bakery: Shop, columns: dict[str, object]) -> None:
    into, source = make_card(bakery, stamps=6), make_card(bakery, stamps=6)
    change_program(bakery, **columns)
    merge(bakery, into, source)
    assert told("reward_ready") == []


def test_it_tells_of_a_reward_that_the_welcome_makes_ready(bakery: Shop) -> None:
    change_program(bakery, welcome_stamps=10)
    cleo = make_card(bakery)
    assert [mail.event_key for mail in told("reward_ready")] == [f"{cleo.card_id}:1"]


def test_it_tells_nobody_without_an_address(bakery: Shop) -> None:
    stamp(bakery, make_card(bakery, stamps=9, email=None, phone="+352621123456"))
    assert told("reward_ready") == []


def test_it_tells_of_a_welcome_present_once_per_card() -> None:
    shop = make_shop(loyalty_type="hybrid", welcome_bonus_points=50, welcome_stamps=2)
    form = JoinForm(email="cleo@example.org", accept_terms=True)
    key = make_key()
    for _ in range(2):
        enrolment.join(vendor_code=shop.code, store_code=None, form=form, locale="de", key=key, at=NOW)
    (mail,) = told("welcome_bonus")
    assert (mail.facts, mail.locale) == ({"points": 50, "stamps": 2}, "de")


def test_it_tells_of_no_present_where_there_is_none(bakery: Shop) -> None:
    form = JoinForm(email="cleo@example.org", accept_terms=True)
    enrolment.join(vendor_code=bakery.code, store_code=None, form=form, locale="de", key=make_key(), at=NOW)
    assert told("welcome_bonus") == []
    assert len(told("enrollment")) == 1


@pytest.mark.parametrize("kind", UNASKED)
def test_it_sends_nothing_unasked_to_an_address_from_which_mails_come_back(bakery: Shop, kind: str) -> None:
    cleo = make_card(bakery)
    with transaction():
        db.session.execute(sa.update(Customer).values(email_bounced_at=NOW))
        facts = said(kind)
        sent = card_mails.send(
            kind=kind, event_key="1", card_id=cleo.card_id, vendor_id=bakery.vendor_id, at=NOW, **facts
        )
        assert sent is None
    assert told(kind) == []
    with transaction():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage)) == 0


def test_it_sends_what_somebody_asked_for_wherever_it_goes(bakery: Shop) -> None:
    cleo = make_card(bakery)
    with transaction():
        db.session.execute(sa.update(Customer).values(email_bounced_at=NOW))
        assert card_mails.send(
            kind="card_link", event_key="1", card_id=cleo.card_id, vendor_id=bakery.vendor_id, at=NOW
        )


def test_it_wants_to_know_what_a_mail_says(bakery: Shop) -> None:
    with transaction(), pytest.raises(ValueError, match="points_expiring"):
        messages.queue_mail(
            kind="points_expiring", event_key="1", vendor_id=None, recipient="a@example.org", locale="en", at=NOW
        )
