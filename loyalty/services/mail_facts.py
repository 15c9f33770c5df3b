"""What mails of shops say: read from the database as things are now, in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from babel.dates import format_date
from babel.numbers import format_decimal
from sqlalchemy import select

from loyalty.database import AnyRow, db
from loyalty.domain.codes import format_card_number
from loyalty.domain.formats import formats_of
from loyalty.domain.mails import MARKETING, OF_SHOPS
from loyalty.models.cards import LoyaltyCard
from loyalty.models.mail import EmailLog, EmailTemplate, MailSettings
from loyalty.models.programs import LoyaltyProgram
from loyalty.models.vendors import Vendor
from loyalty.services import google_passes, links, passes

_OFFICE_PAGES: Final = {"webhook_paused": "webhooks", "daily_digest": "", "wording_test": "mails"}
_SAMPLES: Final[Mapping[str, Any]] = {  # of all types
    "points": 120,
    "stamps": 2,
    "date": "2027-01-15",
    "address": "c…@example.net",
}
# The first use of an Apple link names the pass: it is made where it is shown.
_WITH_WALLETS: Final = ("enrollment", "card_link", "card_replaced")
_SAMPLE_NUMBER: Final = "1234567897"


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What templates may say. Nothing that a stranger typed: the first mail to an address carries no foreign words.

    `own` is the shop's own wording as subject and body, None where it uses ours.
    """

    vendor_name: str
    card_name: str
    color: str
    link: str | None = None
    sender_name: str = ""
    own: tuple[str, str] | None = None
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


def of_mail(mail: EmailLog) -> MailFacts:
    """Collect what a mail says from what the database says now."""
    if mail.kind == "wording_test" and mail.vendor_id:
        sample = of_sample(vendor_id=mail.vendor_id, kind=mail.facts["kind"], locale=mail.locale)
        return with_own(sample, mail.facts["subject"], mail.facts["body"])
    found = _shop(mail.vendor_id, mail.kind, mail.locale)
    card = _card(mail)
    token = card.public_token if card and card.is_active and mail.kind in _WITH_WALLETS else None
    return MailFacts(
        **_look(found),
        **_said(mail.facts, mail.locale),
        link=_link(mail, card.public_token if card else None),
        card_number=format_card_number(card.card_number) if card else None,
        apple_link=passes.find_apple_link(public_token=token) if token else None,
        google_link=links.google_save(token) if token and google_passes.is_on() else None,
        unsubscribe_link=links.unsubscribe(card.customer_id) if card and mail.kind in MARKETING else None,
    )


def of_sample(*, vendor_id: UUID, kind: str, locale: str) -> MailFacts:
    """Collect what a mail of this kind would say to a customer of the shop whose card does not exist."""
    found = _shop(vendor_id, kind, locale)
    page = links.join(found.code)
    return MailFacts(
        **_look(found),
        **_said(_SAMPLES, locale),
        link=None if kind == "address_changed" else page,
        card_number=format_card_number(_SAMPLE_NUMBER),
        apple_link=page if passes.find_pass_type() else None,
        google_link=page if google_passes.is_on() else None,
        unsubscribe_link=page if kind in MARKETING else None,
    )


def with_own(facts: MailFacts, subject: str, body: str) -> MailFacts:
    """Return the facts of a mail that is worded like this."""
    return replace(facts, own=(subject, body))


def _shop(vendor_id: UUID | None, kind: str, locale: str) -> AnyRow:
    own, said = EmailTemplate, MailSettings
    query = (
        select(
            Vendor.name,
            Vendor.code,
            LoyaltyProgram.card_name,
            LoyaltyProgram.card_color,
            LoyaltyProgram.stamps_reward_description.label("reward"),
            said.sender_name,
            own.subject,
            own.body,
        )
        .join(LoyaltyProgram, LoyaltyProgram.vendor_id == Vendor.id)
        .outerjoin(said, said.vendor_id == Vendor.id)
        .outerjoin(own, (own.vendor_id == Vendor.id) & (own.kind == kind) & (own.locale == locale))
        .where(Vendor.id == vendor_id)
    )
    return db.session.execute(query).one()


def _look(found: AnyRow) -> dict[str, Any]:  # columns of all types
    return {
        "vendor_name": found.name,
        "card_name": found.card_name,
        "color": found.card_color,
        "sender_name": found.sender_name or found.name,
        "reward": found.reward,
        "own": (found.subject, found.body) if found.subject else None,
    }


def _card(mail: EmailLog) -> AnyRow | None:
    columns = (LoyaltyCard.public_token, LoyaltyCard.card_number, LoyaltyCard.is_active, LoyaltyCard.customer_id)
    mine = LoyaltyCard.id == mail.card_id, LoyaltyCard.vendor_id == mail.vendor_id
    return db.session.execute(select(*columns).where(*mine)).one_or_none()


def _said(facts: Mapping[str, Any], locale: str) -> dict[str, Any]:  # columns of all types
    """Say what the mail itself remembers, numbers and days in the reader's language."""
    said: dict[str, Any] = {name: value for name, value in facts.items() if name != "date"}
    for name in ("points", "stamps"):
        if name in said:
            said[f"{name}_said"] = format_decimal(said[name], locale=formats_of(locale))
    if day := facts.get("date"):
        said["date"] = format_date(date.fromisoformat(day), "long", locale=formats_of(locale))
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
