"""Addresses of cards: mailed by the office to a customer who lost one, and known again by the phone that has it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from loyalty.database import db, new_id
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import N_, CardNotFound, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.services import audit, customers, idempotency, messages, replaced_codes, roles
from loyalty.services.join_mails import PER_DAY


@dataclass(frozen=True, slots=True)
class LinkReceipt:
    """Whose link was mailed."""

    card_id: UUID
    replayed: bool = False


def mail_link(*, actor: Actor, card_id: UUID, key: RequestKey, at: datetime) -> LinkReceipt:
    """Mail the card's address to its customer, once per key and at most as often as the join page does."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> LinkReceipt:
        _queue(actor, card_id, at)
        audit.record(actor=actor, action="card.link_mailed", subject_type="card", subject_id=card_id)
        return LinkReceipt(card_id)

    return idempotency.run(key, LinkReceipt, work, vendor_id=actor.vendor_id)


def find_own(*, vendor_id: UUID, token: str) -> str | None:
    """Find the card that this phone was given before; None when it is not a card of this shop."""
    query = select(LoyaltyCard.public_token).where(
        LoyaltyCard.vendor_id == vendor_id, LoyaltyCard.public_token == token, replaced_codes.is_card()
    )
    return db.session.execute(query).scalar_one_or_none()


def _queue(actor: Actor, card_id: UUID, at: datetime) -> None:
    row = db.session.execute(
        select(Customer.email, Customer.locale)
        .join(LoyaltyCard, LoyaltyCard.customer_id == Customer.id)
        .where(LoyaltyCard.id == card_id, LoyaltyCard.vendor_id == actor.vendor_id)
    ).one_or_none()
    if row is None:
        raise CardNotFound
    if row.email is None:
        raise ValidationError({"link": N_("This customer has given no e-mail address.")})
    # Two taps with two keys count one after the other.
    customers.lock_addresses(vendor_id=actor.vendor_id, addresses=[row.email])
    kinds = messages.ASKED_FOR_BY_ANYBODY
    sent = messages.count_recent(vendor_id=actor.vendor_id, recipient=row.email, kinds=kinds, at=at)
    if sent >= PER_DAY:
        raise ValidationError({"link": N_("This address has got three mails within a day. Try again tomorrow.")})
    messages.queue_mail(
        kind="card_link",
        event_key=str(new_id()),
        vendor_id=actor.vendor_id,
        recipient=row.email,
        locale=row.locale,
        at=at,
        card_id=card_id,
    )
