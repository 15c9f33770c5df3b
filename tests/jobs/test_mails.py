"""Mails as they arrive: every kind in every language, what comes back, and never a second one by itself."""

from email.message import EmailMessage
from itertools import cycle

import pytest
import sqlalchemy as sa

from config import Config
from loyalty.database import db, new_id, transaction
from loyalty.domain.mails import FACTS, MARKETING, OF_CUSTOMERS
from loyalty.domain.settings import LOCALES
from loyalty.errors import NotFound, ValidationError
from loyalty.jobs import deliver
from loyalty.models.customers import Customer
from loyalty.models.mail import EmailLog, EmailTemplate, MailSettings
from loyalty.services import bounces, mail_log, outbox
from loyalty.services.mail_text import default_wording
from tests.crash_worker import crash_worker
from tests.factories import Shop, make_card, make_key, make_shop
from tests.fakes import SmtpSink
from tests.mails import let_time_pass, make_mail, only_mail, only_row

pytestmark = pytest.mark.usefixtures("context")

# More than a delivery has; the test ends where nothing dies any more.
MOST_POINTS = 60
# To customers, to owners and to accounts: each is written from facts of its own.
KILLED = (
    *("enrollment", "birthday", "we_miss_you", "points_expiring", "program_closing"),
    *("invitation", "daily_digest", "address_changed", "confirm_my_data"),
)


def arrived(sink: SmtpSink) -> EmailMessage:
    (mail,) = sink.mails
    return mail


def part(mail: EmailMessage, subtype: str) -> str:
    found = mail.get_body((subtype,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def bounced() -> bool:
    with transaction():
        return db.session.execute(sa.select(Customer.email_bounced_at)).scalar_one() is not None


@pytest.mark.parametrize("kind", FACTS)
def test_it_hands_over_every_kind_in_every_language(sink: SmtpSink, kind: str) -> None:
    shop = make_shop(vendor={"name": "Bäckerei „Ada“ & Co"})
    card = make_card(shop)
    for locale in LOCALES:
        deliver(str(make_mail(shop, card, kind=kind, locale=locale, event_key=str(new_id()))))
        check_whole(sink.mails.pop(), kind, locale)
    assert not sink.mails


def check_whole(mail: EmailMessage, kind: str, locale: str) -> None:
    assert mail.get_content_type() == "multipart/alternative"
    assert [inner.get_content_type() for inner in mail.iter_parts()] == ["text/plain", "text/html"]
    assert (mail["Content-Language"], mail["To"]) == (locale, "cleo@example.org")
    with transaction():
        noted = sa.select(EmailLog.message_id).where(EmailLog.kind == kind, EmailLog.locale == locale)
        assert mail["Message-ID"] == db.session.execute(noted).scalar_one()
    assert mail["Subject"].strip()
    text, html = part(mail, "plain"), part(mail, "html")
    for words in (mail["Subject"], text, html):
        assert "{" not in words.split("</style>")[-1]
        assert "%(" not in words
    assert f'<html lang="{locale}">' in html
    assert "\n\n\n" not in text
    assert ("List-Unsubscribe" in mail) == (kind in MARKETING)


@pytest.mark.parametrize("kind", MARKETING)
def test_it_lets_programs_end_news_with_one_click(sink: SmtpSink, config: Config, kind: str) -> None:
    deliver(str(make_mail(kind=kind)))
    mail = arrived(sink)
    assert mail["List-Unsubscribe"].startswith(f"<{config.public_url}/news/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].strip("<>") in part(mail, "plain")


@pytest.mark.parametrize("kind", OF_CUSTOMERS)
def test_it_says_the_same_with_our_words_saved_as_the_shops_own(sink: SmtpSink, kind: str) -> None:
    shop, cafe = make_shop(), make_shop("cafe", vendor={"name": "Bakery"})
    cards = {each: make_card(each) for each in (shop, cafe)}
    for locale in LOCALES:
        subject, body = default_wording(kind, locale)
        words = {"kind": kind, "locale": locale, "subject": subject, "body": body}
        with transaction():
            db.session.add(EmailTemplate(vendor_id=shop.vendor_id, **words))
        for each, card in cards.items():
            deliver(str(make_mail(each, card, kind=kind, locale=locale, event_key=locale)))
        check_alike(*sink.mails)
        sink.mails.clear()


def check_alike(own: EmailMessage, ours: EmailMessage) -> None:
    assert own["Subject"] == ours["Subject"]
    assert part(own, "plain").splitlines()[0] == part(ours, "plain").splitlines()[0]
    assert part(own, "plain").count("http") == part(ours, "plain").count("http")


def test_it_puts_no_words_of_a_shop_into_headers_or_markup(sink: SmtpSink) -> None:
    shop = make_shop(vendor={"name": "A\r\nBcc: mallory@example.org"}, stamps_reward_description="<b>{shop}</b>")
    with transaction():
        db.session.add(
            EmailTemplate(
                vendor_id=shop.vendor_id,
                kind="reward_ready",
                locale="en",
                subject="{reward} at {shop}",
                body="<script>{reward}</script>\n\n{{ mail }} {% if %} {shop}",
            )
        )
        db.session.add(MailSettings(vendor_id=shop.vendor_id, sender_name="Ada <ada@evil.example>"))
    deliver(str(make_mail(shop, kind="reward_ready")))
    mail = arrived(sink)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "<b>{shop}</b> at A Bcc: mallory@example.org"
    assert str(mail["From"]).count("@") == 1
    assert "<script>" not in part(mail, "html")
    assert "&lt;b&gt;{shop}&lt;/b&gt;" in part(mail, "html")


def test_it_writes_under_the_name_that_the_shop_has_chosen(sink: SmtpSink) -> None:
    shop = make_shop()
    with transaction():
        db.session.add(MailSettings(vendor_id=shop.vendor_id, sender_name="Ada from the corner"))
    deliver(str(make_mail(shop)))
    assert str(arrived(sink)["From"]).startswith("Ada from the corner <")


def test_it_marks_an_address_that_a_server_does_not_know(sink: SmtpSink) -> None:
    shop = make_shop()
    card = make_card(shop, email="cleo@example.org")
    first = make_mail(shop, card)
    waiting = make_mail(shop, card, kind="reward_ready")
    sink.mood = "refuse"
    deliver(str(first))
    assert bounced()
    sink.mood = "accept"
    deliver(str(waiting))
    assert not sink.mails
    states = {row.kind: row.state for row in mail_log.list_page(actor=shop.ada).rows}
    assert states == {"enrollment": "failed", "reward_ready": "failed"}


@pytest.mark.parametrize("mood", ["refuse_mail", "later", "later_mail", "drop"])
def test_it_blames_no_address_for_what_is_about_the_mail_or_the_server(sink: SmtpSink, mood: str) -> None:
    shop = make_shop()
    message_id = make_mail(shop, make_card(shop, email="cleo@example.org"))
    sink.mood = mood
    deliver(str(message_id))
    assert not bounced()


def test_it_marks_an_address_whose_mails_came_back_later(sink: SmtpSink) -> None:
    shop, cafe = make_shop(), make_shop("cafe")
    for each in (shop, cafe):
        make_card(each, email="cleo@example.org")
    assert bounces.mark_address(address=" Cleo@Example.org ") == 2
    assert bounces.mark_address(address="cleo@example.org") == 0
    assert bounces.mark_address(address="nobody@example.org") == 0


def resend(shop: Shop, *, sure: bool = False) -> bool:
    return mail_log.resend(actor=shop.ada, mail_id=only_mail().id, sure=sure, key=make_key(shop.ada)).leaves


def test_it_sends_a_failed_mail_again_when_a_person_asks(sink: SmtpSink) -> None:
    shop = make_shop()
    message_id, sink.mood = make_mail(shop, kind="reward_ready"), "refuse"
    deliver(str(message_id))
    sink.mood = "accept"
    key = make_key(shop.ada)
    for _ in range(2):
        assert mail_log.resend(actor=shop.ada, mail_id=only_mail().id, sure=False, key=key).leaves
    deliver(str(message_id))
    assert len(sink.mails) == 1
    assert only_mail().state == "sent"
    assert not resend(shop)
    assert len(sink.mails) == 1


def test_it_asks_before_it_sends_again_what_may_have_arrived(sink: SmtpSink) -> None:
    shop = make_shop()
    message_id, sink.mood = make_mail(shop), "drop"
    deliver(str(message_id))
    with pytest.raises(ValidationError) as refusal:
        resend(shop)
    assert "sure" in refusal.value.errors
    assert only_mail().state == "unknown"
    sink.mood = "accept"
    assert resend(shop, sure=True)
    deliver(str(message_id))
    assert [mail["Message-ID"] for mail in sink.mails] == [only_mail().message_id] * 2


def test_it_sends_nothing_of_a_shop_next_door_again(sink: SmtpSink) -> None:
    shop, cafe = make_shop(), make_shop("cafe")
    message_id, sink.mood = make_mail(shop), "refuse"
    deliver(str(message_id))
    with pytest.raises(NotFound):
        resend(cafe)


def test_it_sends_again_what_the_outbox_has_forgotten(sink: SmtpSink) -> None:
    shop = make_shop()
    message_id, sink.mood = make_mail(shop), "refuse"
    deliver(str(message_id))
    with transaction():
        db.session.execute(sa.text("DELETE FROM outbox"))
    sink.mood = "accept"
    assert resend(shop)
    deliver(str(only_row().id))
    assert len(sink.mails) == 1


def test_it_never_sends_a_second_mail_wherever_a_worker_was_killed(config: Config, sink: SmtpSink) -> None:
    """At every statement and commit of a delivery: the mail is there once, or is said to be unknown and stays away.

    All kinds travel by the same road, so each is killed at other points of it.
    """
    shop = make_shop()
    card, ended_in_peace = make_card(shop), 0
    with crash_worker(config, MAIL_URL=sink.url) as worker:
        for point, kind in zip(range(1, MOST_POINTS), cycle(KILLED), strict=False):
            sink.mails.clear()
            message_id = make_mail(shop, card, kind=kind, event_key=str(point))
            ended = worker.deliver(message_id, die_at=point)
            let_time_pass(outbox.LEASE)
            deliver(str(message_id))
            deliver(str(message_id))
            state = mail_log.list_page(actor=shop.ada).rows[0].state
            assert len(sink.mails) == 1 or (state == "unknown" and not sink.mails), point
            assert state in ("sent", "unknown"), point
            ended_in_peace = ended_in_peace + 1 if ended == "done" else 0
            if ended_in_peace == len(KILLED):
                return
    raise AssertionError("there are more points")
