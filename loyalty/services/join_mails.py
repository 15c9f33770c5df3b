"""The mails of the join page: what anybody can have sent to an address by typing it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.database import new_id
from loyalty.services import confirmations, messages
from loyalty.services.customers import KnownCustomer

PER_DAY = 3


def send_link(*, vendor_id: UUID, known: KnownCustomer, at: datetime) -> None:
    """Mail a known customer the link to their card: to the address on file, in the language on file."""
    if known.email is None or not _may_mail(vendor_id, known.email, at):
        return
    messages.queue_mail(
        kind="card_link",
        event_key=str(new_id()),
        vendor_id=vendor_id,
        recipient=known.email,
        locale=known.locale,
        at=at,
        card_id=known.card_id,
    )


def send_confirmation(*, vendor_id: UUID, address: str | None, form: dict[str, Any], locale: str, at: datetime) -> None:
    """Keep a join form until its address is proven, and mail the link that proves it."""
    if address is None or not _may_mail(vendor_id, address, at):
        return
    confirmation_id = confirmations.add(
        vendor_id=vendor_id, kind="join", address=address, form=form, locale=locale, at=at
    )
    messages.queue_mail(
        kind="confirm_join",
        event_key=str(confirmation_id),
        vendor_id=vendor_id,
        recipient=address,
        locale=locale,
        at=at,
        confirmation_id=confirmation_id,
    )


def send_card(*, vendor_id: UUID, address: str | None, card_id: UUID, locale: str, at: datetime) -> None:
    """Mail a new customer the link to their card, once per card."""
    if address is None:
        return
    messages.queue_mail(
        kind="enrollment",
        event_key=str(card_id),
        vendor_id=vendor_id,
        recipient=address,
        locale=locale,
        at=at,
        card_id=card_id,
    )


def _may_mail(vendor_id: UUID, address: str, at: datetime) -> bool:
    """Whether strangers may have another mail sent there today; the caller has locked the address."""
    kinds = messages.ASKED_FOR_BY_ANYBODY
    return messages.count_recent(vendor_id=vendor_id, recipient=address, kinds=kinds, at=at) < PER_DAY
