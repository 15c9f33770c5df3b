"""Mails: noted once, in the reader's language, without a stranger's words."""

import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Config
from loyalty.database import db, transaction
from loyalty.domain.mails import RenderedMail
from loyalty.models.mail import EmailLog
from loyalty.models.outbox import OutboxMessage
from loyalty.services import account_mails, mail_text, messages
from tests.clocks import NOON, clock_at
from tests.factories import Shop, make_card, make_shop
from tests.mails import make_mail, only_mail, render_mail

pytestmark = pytest.mark.usefixtures("context")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

# Mails to people of the office have tests of their own.
OF_SHOPS = [kind for kind in messages.KINDS if kind not in account_mails.KINDS]


def count(model: type[EmailLog] | type[OutboxMessage]) -> int:
    with transaction():
        return int(db.session.execute(sa.select(sa.func.count()).select_from(model)).scalar_one())


def rendered(kind: str, shop: Shop, locale: str = "en") -> RenderedMail:
    make_mail(shop, make_card(shop, name="<b>Cleo</b> http://evil.example"), kind=kind, locale=locale)
    return render_mail(only_mail().id)


def test_it_notes_a_mail_once_per_event() -> None:
    shop = make_shop()
    card = make_card(shop)
    make_mail(shop, card)
    with transaction():
        again = messages.queue_mail(
            kind="enrollment",
            event_key=str(card.card_id),
            vendor_id=shop.vendor_id,
            recipient="cleo@example.org",
            locale="en",
            at=NOW,
            card_id=card.card_id,
        )
    assert again is None
    assert (count(EmailLog), count(OutboxMessage)) == (1, 1)


@pytest.mark.parametrize("kind", OF_SHOPS)
def test_it_writes_every_kind_as_text_and_html(kind: str, config: Config) -> None:
    mail = rendered(kind, make_shop(vendor={"name": "Ada's & Co"}, card_color="#123456"))
    assert mail.sender_name == "Ada's & Co"
    assert "Ada's & Co" in mail.subject
    assert "\n" not in mail.subject
    pages = {"webhook_paused": "office/webhooks", "daily_digest": "office/", "wording_test": "join/"}
    page = pages.get(kind, "card/")
    assert (f"{config.public_url}/{page}" in mail.text) == (kind != "address_changed")
    assert "Ada&#39;s &amp; Co" in mail.html or "Ada's &amp; Co" in mail.html
    # What every program reads stands at its element; only the colours of the night need a sheet.
    assert re.findall(r"<style>\s*@media \(prefers-color-scheme: dark\)", mail.html)
    assert "#123456" in mail.html
    assert only_mail().message_id == mail.message_id == render_mail(only_mail().id).message_id


@pytest.mark.parametrize("kind", OF_SHOPS)
def test_it_carries_no_words_of_whoever_filled_the_form(kind: str) -> None:
    mail = rendered(kind, make_shop())
    assert "Cleo" not in mail.subject + mail.text + mail.html
    assert "evil" not in mail.subject + mail.text + mail.html


def test_it_has_templates_for_every_kind_and_no_others() -> None:
    folders = {path.name for path in mail_text.TEMPLATES.iterdir() if path.is_dir()}
    assert folders == set(messages.KINDS)
    for kind in messages.KINDS:
        assert {path.name for path in (mail_text.TEMPLATES / kind).iterdir()} == set(mail_text.PARTS)


def test_it_speaks_the_language_of_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo

    catalog = Catalog("fr")
    catalog.add("Your card of %(shop)s", "Votre carte de %(shop)s")
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with open(folder / "messages.mo", "wb") as file:
        write_mo(file, catalog)
    monkeypatch.setattr(mail_text, "TRANSLATIONS", tmp_path)
    mail_text.environment.cache_clear()
    try:
        assert rendered("enrollment", make_shop(), locale="fr").subject == "Votre carte de Bakery"
    finally:
        mail_text.environment.cache_clear()


def test_it_counts_the_mails_of_the_last_day_per_address_and_shop() -> None:
    shop, other = make_shop(), make_shop("cafe")
    card = make_card(shop)
    for hours in (1, 23, 25):
        with transaction():
            messages.queue_mail(
                kind="card_link",
                event_key=f"{hours}",
                vendor_id=shop.vendor_id,
                recipient="cleo@example.org",
                locale="en",
                at=NOW - timedelta(hours=hours),
                card_id=card.card_id,
            )
    kinds = ("card_link",)
    assert messages.count_recent(vendor_id=shop.vendor_id, recipient="CLEO@example.org", kinds=kinds, at=NOW) == 2
    assert messages.count_recent(vendor_id=other.vendor_id, recipient="cleo@example.org", kinds=kinds, at=NOW) == 0
    assert messages.count_recent(vendor_id=shop.vendor_id, recipient="cleo@example.org", kinds=(), at=NOW) == 0


def test_it_lets_one_of_many_workers_send(app: Flask) -> None:
    make_mail()
    mail_id, start = only_mail().id, threading.Barrier(8)
    allowed: list[bool] = []

    def work() -> None:
        with app.app_context():
            start.wait()
            allowed.append(messages.start_sending(email_log_id=mail_id))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 7 + [True]
    assert only_mail().sending_at is not None


def test_it_believes_a_late_answer() -> None:
    make_mail()
    mail_id = only_mail().id
    messages.start_sending(email_log_id=mail_id)
    assert messages.record_unknown(email_log_id=mail_id, error="no answer")
    messages.record_failed(email_log_id=mail_id, error="given up")
    assert only_mail().state == "unknown"
    messages.record_sent(email_log_id=mail_id)
    assert only_mail().state == "sent"


def test_it_notes_by_the_clock_of_the_product_when_a_mail_left() -> None:
    make_mail()
    mail_id = only_mail().id
    with clock_at(NOON):
        assert messages.start_sending(email_log_id=mail_id)
        messages.record_sent(email_log_id=mail_id)
    mail = only_mail()
    assert mail.sending_at is not None
    assert mail.sent_at is not None
    assert NOON <= mail.sending_at <= mail.sent_at < NOON + timedelta(minutes=10)
