"""The daily mail of warnings: to owners who want it, once a day, and none where nothing waits."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from loyalty.database import db, transaction
from loyalty.models.mail import EmailLog
from loyalty.models.pins import PinThrottle
from loyalty.models.webhooks import WebhookEndpoint
from loyalty.services import digests, mail_settings, passes, setup, webhooks
from tests.apple_passes import passes as made_passes
from tests.factories import Shop, make_key, make_shop
from tests.mails import make_mail, only_mail

pytestmark = pytest.mark.usefixtures("context")

# Eight in the morning in Luxembourg.
NOW = datetime(2026, 11, 20, 7, tzinfo=UTC)


@pytest.fixture
def bakery() -> Shop:
    return make_shop()


def lock_ben(shop: Shop) -> None:
    with transaction():
        until = NOW + timedelta(minutes=30)
        throttle = {"source": "terminal", "subject": str(shop.ben.staff_pin_id), "failed_attempts": 5}
        db.session.add(PinThrottle(**throttle, locked_until=until, window_started_at=NOW))


def test_it_says_nothing_where_nothing_waits(bakery: Shop) -> None:
    assert digests.run(at=NOW) == 0


def test_it_counts_what_waits_and_says_it_once_a_day(bakery: Shop) -> None:
    lock_ben(bakery)
    make_shop("cafe")
    assert [digests.run(at=NOW + timedelta(minutes=minutes)) for minutes in (0, 30, 90)] == [1, 0, 0]
    mail = only_mail()
    assert (mail.recipient, mail.vendor_id) == ("ada@bakery.example", bakery.vendor_id)
    counts = {"locked_pins": 1, "failed_mails": 0, "paused_webhooks": 0, "certificate_days": 0}
    assert mail.facts == {"warnings": counts}


def test_it_counts_mails_and_webhooks(bakery: Shop) -> None:
    make_mail(bakery)
    made = webhooks.create(
        actor=bakery.ada,
        details={"url": "https://hooks.example/in", "events": ["card.created"]},
        key=make_key(bakery.ada),
    )
    with transaction():
        db.session.execute(sa.update(EmailLog).values(state="failed", created_at=NOW - timedelta(hours=2)))
        paused = sa.update(WebhookEndpoint).where(WebhookEndpoint.id == made.endpoint_id)
        db.session.execute(paused.values(state="paused", paused_reason="failing", paused_at=NOW))
    assert digests.run(at=NOW) == 1
    with transaction():
        facts = db.session.scalar(sa.select(EmailLog.facts).where(EmailLog.kind == "daily_digest"))
    assert facts == {"warnings": {"locked_pins": 0, "failed_mails": 1, "paused_webhooks": 1, "certificate_days": 0}}


@pytest.mark.parametrize("hour", [3, 5, 9, 15])
def test_it_comes_in_the_morning(bakery: Shop, hour: int) -> None:
    lock_ben(bakery)
    with transaction():
        db.session.execute(sa.update(PinThrottle).values(locked_until=NOW + timedelta(days=1)))
    assert digests.run(at=NOW.replace(hour=hour)) == 0


def test_it_leaves_an_owner_alone_who_does_not_want_it(bakery: Shop) -> None:
    lock_ben(bakery)
    mail_settings.change(actor=bakery.ada, changes={"daily_digest": False}, key=make_key(bakery.ada))
    assert mail_settings.get(actor=bakery.ada).daily_digest is False
    assert digests.run(at=NOW) == 0


def test_it_keeps_settings_that_nobody_named(bakery: Shop) -> None:
    for changes in ({"sender_name": "Ada", "miss_you": True}, {"daily_digest": False}, {"birthday": True}):
        mail_settings.change(actor=bakery.ada, changes=changes, key=make_key(bakery.ada))
    kept = mail_settings.get(actor=bakery.ada)
    assert (kept.sender_name, kept.miss_you, kept.birthday, kept.daily_digest) == ("Ada", True, True, False)


@pytest.fixture
def certificate_ends() -> Iterator[datetime]:
    """Passes are made here; the value is a morning on the last day of their certificates."""
    passes.configure(apple=made_passes())
    ends = setup.first_certificate_end()
    assert ends is not None
    yield ends.replace(hour=7, minute=0)
    passes.configure(apple=None)


def test_it_says_on_few_days_that_a_certificate_ends(bakery: Shop, certificate_ends: datetime) -> None:
    for day in range(-40, 5):
        for half_hours in range(6):
            digests.run(at=certificate_ends + timedelta(days=day, minutes=30 * half_hours))
    with transaction():
        told = db.session.scalars(sa.select(EmailLog.facts).order_by(EmailLog.created_at)).all()
    assert [facts["warnings"]["certificate_days"] for facts in told] == [30, 14, 7, 3, 2, 1]


def test_it_leaves_the_certificate_out_of_other_mornings(bakery: Shop, certificate_ends: datetime) -> None:
    make_mail(bakery)
    at = certificate_ends - timedelta(days=20)
    with transaction():
        db.session.execute(sa.update(EmailLog).values(state="failed", created_at=at - timedelta(hours=2)))
    assert digests.run(at=at) == 1
    with transaction():
        facts = db.session.scalar(sa.select(EmailLog.facts).where(EmailLog.kind == "daily_digest"))
    assert facts is not None
    assert facts["warnings"]["certificate_days"] == 0
