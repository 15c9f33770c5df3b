"""The words of mails: templates/mail/<kind> in the reader's language, without the web."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import css_inline
from babel.dates import format_date
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import select

from loyalty.database import db
from loyalty.domain.codes import format_card_number
from loyalty.domain.mails import OF_SHOPS, RenderedMail
from loyalty.models.cards import LoyaltyCard
from loyalty.models.mail import EmailLog
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor
from loyalty.services import account_mails, google_passes, links, passes

_ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = _ROOT / "templates" / "mail"
TRANSLATIONS = _ROOT / "translations"
_OFFICE_PAGES = {"webhook_paused": "webhooks", "daily_digest": ""}
PARTS = ("subject.txt", "body.txt", "body.html")


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What templates may say. Nothing that a stranger typed: the first mail to an address carries no foreign words."""

    vendor_name: str
    card_name: str
    color: str
    link: str | None
    card_number: str | None = None
    apple_link: str | None = None
    google_link: str | None = None
    unsubscribe_link: str | None = None
    points: int = 0
    points_said: str = ""
    stamps: int = 0
    stamps_said: str = ""
    date: str = ""
    reward: str = ""
    address: str = ""
    warnings: Mapping[str, int] = field(default_factory=dict)


def render(mail: EmailLog) -> RenderedMail:
    """Write subject, text and HTML of a mail from what the database says now."""
    facts = account_mails.facts(mail) if mail.kind in account_mails.KINDS else _facts(mail)
    words = {part: _template(mail, part).render(mail=facts, locale=mail.locale) for part in PARTS}
    return RenderedMail(
        message_id=mail.message_id,
        recipient=mail.recipient,
        sender_name=facts.vendor_name,
        subject=" ".join(words["subject.txt"].split()),
        text=re.sub(r"\n{3,}", "\n\n", words["body.txt"]).strip() + "\n",
        html=_inliner().inline(words["body.html"]),
        locale=mail.locale,
        written_at=mail.created_at,
    )


def _facts(mail: EmailLog) -> MailFacts:
    found = db.session.execute(
        select(
            Vendor.name,
            LoyaltyProgram.card_name,
            LoyaltyProgram.card_color,
            LoyaltyProgram.stamps_reward_description.label("reward"),
        )
        .join(LoyaltyProgram, LoyaltyProgram.vendor_id == Vendor.id)
        .where(Vendor.id == mail.vendor_id)
    ).one()
    card = db.session.execute(
        select(LoyaltyCard.public_token, LoyaltyCard.card_number, LoyaltyCard.is_active).where(
            LoyaltyCard.id == mail.card_id, LoyaltyCard.vendor_id == mail.vendor_id
        )
    ).one_or_none()
    token = card.public_token if card and card.is_active else None
    return MailFacts(
        vendor_name=found.name,
        card_name=found.card_name,
        color=found.card_color,
        link=_link(mail, card.public_token if card else None),
        reward=found.reward,
        **_said(mail),
        card_number=format_card_number(card.card_number) if card else None,
        apple_link=passes.find_apple_link(public_token=token) if token else None,
        google_link=links.google_save(token) if token and google_passes.is_on() else None,
    )


def _said(mail: EmailLog) -> dict[str, Any]:  # columns of all types
    """Say what the mail itself remembers, numbers and days in the reader's language."""
    said: dict[str, Any] = {name: value for name, value in mail.facts.items() if name != "date"}
    for name in ("points", "stamps"):
        if name in said:
            said[f"{name}_said"] = format_decimal(said[name], locale=mail.locale)
    if day := mail.facts.get("date"):
        said["date"] = format_date(date.fromisoformat(day), "long", locale=mail.locale)
    return said


def _link(mail: EmailLog, public_token: str | None) -> str | None:
    if mail.kind in OF_SHOPS:
        return links.office(_OFFICE_PAGES[mail.kind])
    if mail.kind == "address_changed":
        # It goes to an address that may be somebody else's.
        return None
    if mail.kind == "confirm_my_data" and public_token:
        return links.my_data(public_token, mail.confirmation_id)
    return links.card(public_token) if public_token else links.confirmation(mail.confirmation_id, "join")


def _template(mail: EmailLog, part: str) -> Any:  # jinja2's Template is generic over nothing we use
    return environment(mail.locale).get_template(f"{mail.kind}/{part}")


@cache
def environment(locale: str) -> Environment:
    """The templates in one language, read once."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The i18n extension adds this method, which jinja2's types do not know.
    environment.install_gettext_translations(_translations(locale), newstyle=True)  # type: ignore[attr-defined]
    return environment


def _translations(locale: str) -> NullTranslations:
    return Translations.load(str(TRANSLATIONS), [locale])


@cache
def _inliner() -> css_inline.CSSInliner:
    # Nothing is ever fetched: a mail is made from its own text alone.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
