"""A shop's own words for the mails to its customers: seen before they are used, tried out, and given up again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import db, new_id
from loyalty.domain import wording
from loyalty.domain.mails import OF_CUSTOMERS
from loyalty.domain.settings import LOCALES
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import N_, Forbidden, NotFound, ValidationError
from loyalty.models.mail import EmailTemplate
from loyalty.models.users import User
from loyalty.services import audit, idempotency, mail_facts, mail_text, messages, roles
from loyalty.services.mail_text import Words

# Tests that one shop may send to itself in a day.
TESTS_PER_DAY: Final = 30


@dataclass(frozen=True, slots=True)
class KindRow:
    """A kind of mail, and the languages in which the shop has words of its own."""

    kind: str
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a kind in one language, as they are used now; `names` can be filled in."""

    kind: str
    locale: str
    subject: str
    body: str
    is_own: bool
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WordingReceipt:
    """Which words were changed, or are on their way as a test."""

    kind: str
    locale: str
    replayed: bool = False


def list_kinds(*, actor: Actor) -> list[KindRow]:
    """List all mails to customers, and where the shop words them itself."""
    roles.require(actor=actor, role=Role.MANAGER)
    query = select(EmailTemplate.kind, EmailTemplate.locale).where(EmailTemplate.vendor_id == actor.vendor_id)
    own = {(row.kind, row.locale) for row in db.session.execute(query)}
    return [KindRow(kind, tuple(locale for locale in LOCALES if (kind, locale) in own)) for kind in OF_CUSTOMERS]


def get(*, actor: Actor, kind: str, locale: str) -> Wording:
    """Get the words that are used now: the shop's, or ours."""
    _require(actor, kind, locale)
    query = select(EmailTemplate.subject, EmailTemplate.body).where(*_mine(actor, kind, locale))
    row = db.session.execute(query).one_or_none()
    subject, body = (row.subject, row.body) if row else mail_text.default_wording(kind, locale)
    return Wording(kind, locale, subject, body, row is not None, wording.PLACEHOLDERS[kind])


def save(*, actor: Actor, kind: str, locale: str, subject: str, body: str, key: RequestKey) -> WordingReceipt:
    """Use the shop's own words from now on; raises ValidationError where a name cannot be filled in."""
    _require(actor, kind, locale)
    words = _checked(kind, subject, body)

    def work() -> WordingReceipt:
        row = {"vendor_id": actor.vendor_id, "kind": kind, "locale": locale, **words}
        kept = insert(EmailTemplate).values(row)
        changes = {**words, "updated_at": kept.excluded.updated_at}
        db.session.execute(kept.on_conflict_do_update(index_elements=["vendor_id", "kind", "locale"], set_=changes))
        return _done(actor, "mail_wording.changed", kind, locale)

    return idempotency.run(key, WordingReceipt, work, vendor_id=actor.vendor_id)


def reset(*, actor: Actor, kind: str, locale: str, key: RequestKey) -> WordingReceipt:
    """Use our words again."""
    _require(actor, kind, locale)

    def work() -> WordingReceipt:
        db.session.execute(delete(EmailTemplate).where(*_mine(actor, kind, locale)))
        return _done(actor, "mail_wording.reset", kind, locale)

    return idempotency.run(key, WordingReceipt, work, vendor_id=actor.vendor_id)


def preview(*, actor: Actor, kind: str, locale: str, subject: str, body: str) -> Words:
    """Write a mail with these words and the shop's own data, to nobody."""
    _require(actor, kind, locale)
    words = _checked(kind, subject, body)
    facts = mail_facts.of_sample(vendor_id=actor.vendor_id, kind=kind, locale=locale)
    return mail_text.write(kind, locale, mail_facts.with_own(facts, words["subject"], words["body"]))


def send_test(
    *, actor: Actor, kind: str, locale: str, subject: str, body: str, at: datetime, key: RequestKey
) -> WordingReceipt:
    """Mail these words to whoever is signed in, marked as a test; they need not be saved."""
    _require(actor, kind, locale)
    words, address = _checked(kind, subject, body), _address_of(actor.user_id)

    def work() -> WordingReceipt:
        kinds, mine = ("wording_test",), actor.vendor_id
        if messages.count_recent(vendor_id=mine, recipient=address, kinds=kinds, at=at) >= TESTS_PER_DAY:
            raise ValidationError({"test": N_("Many tests were sent today. Try again tomorrow.")})
        messages.queue_mail(
            kind="wording_test",
            event_key=str(new_id()),
            vendor_id=mine,
            recipient=address,
            locale=locale,
            at=at,
            facts={"kind": kind, **words},
        )
        return WordingReceipt(kind=kind, locale=locale)

    return idempotency.run(key, WordingReceipt, work, vendor_id=actor.vendor_id)


def _require(actor: Actor, kind: str, locale: str) -> None:
    roles.require(actor=actor, role=Role.MANAGER)
    if kind not in OF_CUSTOMERS or locale not in LOCALES:
        raise NotFound


def _checked(kind: str, subject: str, body: str) -> Mapping[str, str]:
    """Return the words as they are kept."""
    words = {"subject": wording.tidy(subject, lines=False), "body": wording.tidy(body, lines=True)}
    if problems := wording.find_problems(kind=kind, **words):
        raise ValidationError({name: str(problem) for name, problem in problems.items()})
    return words


def _address_of(user_id: UUID | None) -> str:
    address = db.session.execute(select(User.email).where(User.id == user_id)).scalar_one_or_none()
    if address is None:
        raise Forbidden
    return str(address)


def _mine(actor: Actor, kind: str, locale: str) -> tuple[ColumnElement[bool], ...]:
    own = EmailTemplate
    return (own.vendor_id == actor.vendor_id, own.kind == kind, own.locale == locale)


def _done(actor: Actor, action: str, kind: str, locale: str) -> WordingReceipt:
    audit.record(actor=actor, action=action, subject_type="mail", subject_id=f"{kind}.{locale}")
    return WordingReceipt(kind=kind, locale=locale)
