"""Mails of every origin while the mail server misbehaves: in the log once, and never a second by itself.

What has noted a mail runs again after each trouble, as clocks do and people who tap twice.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest
import sqlalchemy as sa

from loyalty.adapters import mail as mail_adapter
from loyalty.database import db, transaction
from loyalty.errors import ValidationError
from loyalty.jobs import deliver
from loyalty.models.mail import EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.services import corrections, digests, invitations, lifecycle, mail_log, my_data_proofs
from loyalty.services.closing import tell_customers
from tests.expiring import DAYS, make_holder, make_points_shop, night_of, run
from tests.factories import Shop, make_card, make_key, make_shop
from tests.fakes import SmtpSink
from tests.mails import let_time_pass
from tests.services import test_closing, test_digests, test_lifecycle

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
CLEO = "cleo@example.org"

# Whose mail it is, and what notes it, as often as it is called.
Origin = tuple[Shop, Callable[[], object]]


def birthday() -> Origin:
    shop = test_lifecycle.make_bakery(birthday_points=50)
    test_lifecycle.make_cleo(shop)
    return shop, lambda: lifecycle.run(at=NOW)


def we_miss_you() -> Origin:
    shop = test_lifecycle.make_bakery()
    card = test_lifecycle.make_cleo(shop, birth_date=date(1990, 5, 1))
    test_lifecycle.stay_away(card, visits=4, first=90, last=40)
    return shop, lambda: lifecycle.run(at=NOW)


def points_expiring() -> Origin:
    shop = make_points_shop()
    make_holder(shop, email=CLEO)
    return shop, lambda: run(night_of(DAYS - 14))


def program_closing() -> Origin:
    shop = make_shop()
    make_card(shop, email=CLEO)
    test_closing.announce(shop)
    return shop, tell_customers


def invitation() -> Origin:
    shop = make_shop()
    key, email = make_key(shop.ada), "ida@example.org"
    return shop, lambda: invitations.create(actor=shop.ada, email=email, role="manager", locale="en", at=NOW, key=key)


def daily_digest() -> Origin:
    shop = make_shop()
    test_digests.lock_ben(shop)
    return shop, lambda: digests.run(at=test_digests.NOW)


def address_changed() -> Origin:
    shop = make_shop()
    card, key = make_card(shop, email=CLEO), make_key(shop.ada)
    email = "cleo@moved.example.org"
    return shop, lambda: corrections.correct(
        actor=shop.ada, card_id=card.card_id, email=email, phone="", key=key, at=NOW
    )


def confirm_my_data() -> Origin:
    shop = make_shop()
    card, key = make_card(shop, email=CLEO), make_key()
    return shop, lambda: my_data_proofs.ask(token=card.public_token, key=key, at=NOW)


ORIGINS: Final = (
    birthday,
    we_miss_you,
    points_expiring,
    program_closing,
    invitation,
    daily_digest,
    address_changed,
    confirm_my_data,
)


@pytest.fixture(params=ORIGINS, ids=lambda origin: origin.__name__)
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of mail; there is one of it."""
    return str(request.param.__name__)


@pytest.fixture
def origin(request: pytest.FixtureRequest, kind: str) -> Origin:
    """Whose mail it is; it is noted already."""
    shop, note = next(each for each in ORIGINS if each.__name__ == kind)()
    note()
    return shop, note


def mail_of(kind: str) -> EmailLog:
    """The one mail of this kind, as the database has it now."""
    with transaction():
        db.session.expire_all()
        return db.session.execute(sa.select(EmailLog).where(EmailLog.kind == kind)).scalar_one()


def work(kind: str) -> None:
    """Do what a worker does, also where nothing is open any more, and let a day go by."""
    with transaction():
        rows = sa.select(OutboxMessage.id).where(OutboxMessage.kind == f"mail.{kind}").order_by(OutboxMessage.id)
        found = list(db.session.scalars(rows))
    for message_id in found:
        deliver(str(message_id))
    let_time_pass(timedelta(days=1))


def test_it_sends_the_mail_once_after_all_that_holds_it_back(
    monkeypatch: pytest.MonkeyPatch, sink: SmtpSink, kind: str, origin: Origin
) -> None:
    for mood in ("later", "later_mail", "stall"):
        sink.mood = mood
        if mood == "stall":
            monkeypatch.setattr(mail_adapter, "_SECONDS", 0.05)
        work(kind)
        assert (mail_of(kind).state, mail_of(kind).sending_at) == ("waiting", None), mood
        origin[1]()
    monkeypatch.undo()
    sink.mood = "accept"
    sink.release()
    for _ in range(2):
        work(kind)
        origin[1]()
    assert [mail["Message-ID"] for mail in sink.mails] == [mail_of(kind).message_id]
    assert mail_of(kind).state == "sent"


@pytest.mark.parametrize("mood", ["drop", "stall_mail"])
def test_it_repeats_no_mail_that_may_have_arrived_until_a_person_asks(
    monkeypatch: pytest.MonkeyPatch, sink: SmtpSink, kind: str, origin: Origin, mood: str
) -> None:
    shop, note = origin
    if mood == "stall_mail":
        # Long enough for all that comes before on a busy machine.
        monkeypatch.setattr(mail_adapter, "_SECONDS", 1)
    sink.mood = mood
    work(kind)
    monkeypatch.undo()
    sink.mood = "accept"
    sink.release()
    note()
    work(kind)
    mail = mail_of(kind)
    assert (mail.state, len(sink.mails)) == ("unknown", 1)
    with pytest.raises(ValidationError):
        mail_log.resend(actor=shop.ada, mail_id=mail.id, sure=False, key=make_key(shop.ada))
    assert mail_log.resend(actor=shop.ada, mail_id=mail.id, sure=True, key=make_key(shop.ada)).leaves
    work(kind)
    assert [each["Message-ID"] for each in sink.mails] == [mail.message_id] * 2
    assert mail_of(kind).state == "sent"


@pytest.mark.parametrize("mood", ["refuse", "refuse_mail"])
def test_it_ends_at_a_refusal_and_says_no_word_of_it_in_the_log(
    sink: SmtpSink, kind: str, origin: Origin, mood: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sink.mood = mood
    work(kind)
    sink.mood = "accept"
    origin[1]()
    work(kind)
    mail = mail_of(kind)
    assert (mail.state, len(sink.mails)) == ("failed", 0)
    assert mail.error
    said = capsys.readouterr().err
    assert f"mail.{kind} of {mail.id} given up" in said
    assert mail.recipient not in said
