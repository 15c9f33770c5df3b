"""The words of mails: templates/mail/<kind>, or a shop's own, in the reader's language, without the web."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import css_inline
from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from loyalty.domain import wording
from loyalty.domain.mails import MARKETING, RenderedMail
from loyalty.models.mail import EmailLog
from loyalty.services import account_mails, card_views, mail_facts
from loyalty.services.mail_facts import MailFacts

_ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = _ROOT / "templates" / "mail"
TRANSLATIONS = _ROOT / "translations"
PARTS = ("subject.txt", "body.txt", "body.html")


@dataclass(frozen=True, slots=True)
class Words:
    """A mail as it is read."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Own:
    """A shop's own wording with its names filled in: the first line of the body is the heading."""

    subject: str
    heading: str
    paragraphs: list[list[str]]


def render(mail: EmailLog) -> RenderedMail:
    """Write subject, text and HTML of a mail from what the database says now."""
    if mail.kind in account_mails.KINDS:
        account = account_mails.facts(mail)
        return _sealed(mail, account.vendor_name, _write(mail.kind, mail.locale, account, None))
    facts = mail_facts.of_mail(mail)
    words = write_test(mail, facts) if mail.kind == "wording_test" else write(mail.kind, mail.locale, facts)
    return _sealed(mail, facts.sender_name, words, facts.unsubscribe_link if mail.kind in MARKETING else None)


def write(kind: str, locale: str, facts: MailFacts) -> Words:
    """Write a mail to a customer or to people of a shop."""
    return _write(kind, locale, facts, _own(locale, facts))


def write_test(mail: EmailLog, facts: MailFacts) -> Words:
    """Write a wording that is being tried out, marked as a test."""
    own = _own(mail.locale, facts)
    said = {"mail": facts, "locale": mail.locale, "own": own, "kind": mail.facts["kind"]}
    return _words(mail.locale, lambda part: f"wording_test/{part}", said)


def default_wording(kind: str, locale: str) -> tuple[str, str]:
    """Return our own subject and body as a shop would write them, with names in braces."""
    facts = _named()
    said = {"mail": facts, "locale": locale}
    subject = environment(locale).get_template(f"{kind}/subject.txt").render(said)
    template = environment(locale).get_template(f"{kind}/body.txt")
    context = template.new_context(said)
    heading, content = ("".join(template.blocks[name](context)) for name in ("heading", "content"))
    return wording.tidy(subject, lines=False), wording.tidy(f"{heading}\n\n{content}", lines=True)


def values(locale: str, facts: MailFacts) -> dict[str, str]:
    """Return what stands for each name that a shop may write."""
    return {
        "shop": facts.vendor_name,
        "card": facts.card_name or _translations(locale).gettext(card_views.DEFAULT_CARD_NAME),
        "card_number": facts.card_number or "",
        "points": facts.points_said,
        "stamps": facts.stamps_said,
        "date": facts.date,
        "reward": facts.reward,
        "address": facts.address,
    }


def _own(locale: str, facts: MailFacts) -> _Own | None:
    if facts.own is None:
        return None
    subject, body = (wording.fill(text, values(locale, facts)) for text in facts.own)
    heading, _, rest = body.partition("\n")
    return _Own(" ".join(subject.split()), heading, wording.paragraphs(rest))


def _write(kind: str, locale: str, facts: Any, own: _Own | None) -> Words:  # MailFacts or AccountFacts
    said = {"mail": facts, "locale": locale, "own": own, "kind": kind}
    if own is None:
        return _words(locale, lambda part: f"{kind}/{part}", said)
    return _words(locale, lambda part: f"_own.{part.removeprefix('body.')}", said)


def _words(locale: str, template: Callable[[str], str], said: dict[str, Any]) -> Words:  # what templates say
    subject, text, html = (environment(locale).get_template(template(part)).render(said) for part in PARTS)
    return Words(
        subject=" ".join(subject.split()),
        text=re.sub(r"\n{3,}", "\n\n", text).strip() + "\n",
        html=_inliner().inline(html),
    )


def _sealed(mail: EmailLog, sender_name: str, words: Words, unsubscribe: str | None = None) -> RenderedMail:
    return RenderedMail(
        message_id=mail.message_id,
        recipient=mail.recipient,
        sender_name=sender_name,
        subject=words.subject,
        text=words.text,
        html=words.html,
        locale=mail.locale,
        written_at=mail.created_at,
        unsubscribe=unsubscribe,
    )


def _named() -> MailFacts:
    """The facts of a mail whose values are their own names; of numbers the plural is said."""
    return MailFacts(
        vendor_name="{shop}",
        card_name="{card}",
        color="",
        card_number="{card_number}",
        points=2,
        points_said="{points}",
        stamps=2,
        stamps_said="{stamps}",
        date="{date}",
        reward="{reward}",
        address="{address}",
    )


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
    environment.install_gettext_translations(_translations(locale), newstyle=True)  # type: ignore[attr-defined] # see above
    return environment


def _translations(locale: str) -> NullTranslations:
    return Translations.load(str(TRANSLATIONS), [locale])


@cache
def _inliner() -> css_inline.CSSInliner:
    # Nothing is ever fetched: a mail is made from its own text alone.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
