"""Closing a program: announced, told, called off, carried out."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.domain.limits import local_day
from loyalty.errors import Forbidden, ProgramClosing, ProgramInactive, ValidationError
from loyalty.jobs import sweep
from loyalty.models.audit import AuditEvent
from loyalty.models.mail import EmailLog
from loyalty.models.programs import LoyaltyProgram
from loyalty.services import adjustments, cards, closing, enrolment, points, programs, stamps
from tests.factories import Shop, make_card, make_key, make_reward, make_shop

pytestmark = pytest.mark.usefixtures("context")
ZONE = "Europe/Luxembourg"


def now() -> datetime:
    return datetime.now(UTC)


def in_days(days: int) -> date:
    return local_day(now(), ZONE) + timedelta(days=days)


def announce(shop: Shop, days: int = 60) -> date:
    last_day = in_days(days)
    closing.announce(actor=shop.ada, last_day=last_day, key=make_key(shop.ada), at=now())
    return last_day


def move_last_day(shop: Shop, days: int) -> None:
    """Let the announced day be another, as time goes by."""
    with transaction():
        mine = sa.update(LoyaltyProgram).where(LoyaltyProgram.id == shop.program_id)
        db.session.execute(mine.values(closes_on=in_days(days)))


def test_it_collects_nothing_any_more_and_still_redeems() -> None:
    shop = make_shop(loyalty_type="hybrid")
    card, reward_id = make_card(shop, stamps=10, points=100), make_reward(shop, "Cake", 50)
    last_day = announce(shop)
    with pytest.raises(ProgramClosing) as refusal:
        stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    assert (refusal.value.code, refusal.value.details) == ("PROGRAM_INACTIVE", {"closes_on": last_day.isoformat()})
    with pytest.raises(ProgramClosing):
        points.earn(
            actor=shop.ben, card=card.ref, purchase_amount_cents=500, key=make_key(shop.ben), order_reference=None
        )
    assert stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben)).stamp_count == 0
    bought = points.redeem(actor=shop.ben, card=card.ref, reward_id=reward_id, key=make_key(shop.ben))
    assert bought.points_balance == 50
    adjustments.adjust_stamps(actor=shop.ada, card=card.ref, delta=1, reason="Forgotten", key=make_key(shop.ada))


def test_it_takes_nobody_in_any_more() -> None:
    shop = make_shop()
    announce(shop)
    with pytest.raises(ProgramClosing):
        enrolment.get_joinable(code=shop.code)
    with pytest.raises(ProgramClosing):
        make_card(shop)


def test_it_redeems_until_the_last_day_has_ended_on_the_shop_s_clock() -> None:
    shop = make_shop()
    card = make_card(shop, stamps=20)
    announce(shop)
    move_last_day(shop, 0)
    assert closing.close_due(at=now()) == 0
    stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben))
    move_last_day(shop, -1)
    with pytest.raises(ProgramInactive):
        stamps.redeem(actor=shop.ben, card=card.ref, key=make_key(shop.ben))
    assert closing.close_due(at=now()) == 1
    assert closing.close_due(at=now()) == 0
    assert db.session.get_one(LoyaltyProgram, shop.program_id, populate_existing=True).is_active is False
    # Opening it again is a new beginning.
    programs.activate(actor=shop.ada, key=make_key(shop.ada))
    program = db.session.get_one(LoyaltyProgram, shop.program_id, populate_existing=True)
    assert (program.is_active, program.closes_on) == (True, None)


def test_it_can_be_called_off() -> None:
    shop = make_shop()
    card = make_card(shop)
    announce(shop)
    closing.call_off(actor=shop.ada, key=make_key(shop.ada))
    stamps.add(actor=shop.ben, card=card.ref, quantity=1, key=make_key(shop.ben))
    events = db.session.scalars(
        sa.select(AuditEvent.action).where(AuditEvent.action.startswith("program.closing")).order_by(AuditEvent.action)
    )
    assert list(events) == ["program.closing_announced", "program.closing_called_off"]
    assert closing.tell_customers() == 0


def test_it_can_be_called_off_while_the_program_is_paused() -> None:
    shop = make_shop()
    announce(shop)
    programs.deactivate(actor=shop.ada, key=make_key(shop.ada))
    assert not closing.look(actor=shop.ada, at=now()).is_over
    closing.call_off(actor=shop.ada, key=make_key(shop.ada))
    assert closing.look(actor=shop.ada, at=now()).closes_on is None
    programs.activate(actor=shop.ada, key=make_key(shop.ada))
    stamps.add(actor=shop.ben, card=make_card(shop).ref, quantity=1, key=make_key(shop.ben))


def test_it_cannot_be_called_off_once_it_is_over() -> None:
    shop = make_shop()
    announce(shop)
    move_last_day(shop, -1)
    for _ in range(2):
        with pytest.raises(ProgramInactive):
            closing.call_off(actor=shop.ada, key=make_key(shop.ada))
        assert closing.look(actor=shop.ada, at=now()).is_over
        closing.close_due(at=now())


def test_it_mails_every_customer_once_per_announcement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "_BATCH", 2)
    shop = make_shop()
    for name in ("a", "b", "c"):
        make_card(shop, email=f"{name}@example.org")
    make_card(shop, email=None, phone="+352621123456")
    gone = make_card(shop, email="gone@example.org")
    cards.deactivate(actor=shop.ada, card=gone.ref, reason="Moved away", key=make_key(shop.ada))
    last_day = announce(shop)
    assert [closing.tell_customers() for _ in range(4)] == [2, 1, 0, 0]
    mails = db.session.scalars(
        sa.select(EmailLog).where(EmailLog.kind == "program_closing").order_by(EmailLog.recipient)
    ).all()
    assert [mail.recipient for mail in mails] == ["a@example.org", "b@example.org", "c@example.org"]
    assert {mail.facts["date"] for mail in mails} == {last_day.isoformat()}
    closing.call_off(actor=shop.ada, key=make_key(shop.ada))
    announce(shop, 30)
    assert closing.tell_customers() == 2


@pytest.mark.parametrize("days", [-1, 0, 13, 731])
def test_it_refuses_a_day_that_is_too_near_or_too_far(days: int) -> None:
    shop = make_shop()
    with pytest.raises(ValidationError):
        announce(shop, days)


def test_it_is_announced_once_by_the_owner_of_a_program_that_runs() -> None:
    shop, paused = make_shop(), make_shop("butcher", active=False)
    with pytest.raises(Forbidden):
        closing.announce(actor=shop.mia, last_day=in_days(60), key=make_key(shop.mia), at=now())
    with pytest.raises(ProgramInactive):
        announce(paused)
    announce(shop)
    with pytest.raises(ValidationError):
        announce(shop, 30)


def test_it_says_what_cards_hold() -> None:
    shop = make_shop(loyalty_type="hybrid")
    make_card(shop, stamps=3, points=100)
    make_card(shop, stamps=2, email=None)
    outlook = closing.look(actor=shop.ada, at=now())
    assert (outlook.cards, outlook.stamps, outlook.points, outlook.with_email) == (2, 5, 100, 1)
    assert (outlook.earliest, outlook.usual) == (in_days(14), in_days(60))


def test_it_is_done_by_the_clock() -> None:
    assert "closing" in [task.name for task in sweep.TASKS]
