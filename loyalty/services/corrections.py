"""Addresses that were mistyped or have changed: corrected by managers, with a notice to the old one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from loyalty.database import AnyRow, db, new_id
from loyalty.domain.people import AddressError, masked_email, normalise_email, normalise_phone
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import N_, CardNotFound, CustomerErased, ValidationError
from loyalty.models.cards import LoyaltyCard
from loyalty.models.customers import Customer
from loyalty.models.mail import Confirmation
from loyalty.models.vendors import Vendor
from loyalty.services import audit, customers, idempotency, messages, roles
from loyalty.services.join_mails import PER_DAY

_TAKEN = N_("Another customer of this shop has this address. See whether they are the same person.")
_NEEDED = N_("This is how the shop knows its customers: enter the right one, it cannot be left out.")
_OFTEN = N_("This address has got three mails within a day. Try again tomorrow.")


@dataclass(frozen=True, slots=True)
class CorrectionReceipt:
    """Which addresses were changed, and whether the old and the new mailbox are told."""

    card_id: UUID
    changed: tuple[str, ...]
    old_told: bool
    new_told: bool
    replayed: bool = False


def correct(
    *, actor: Actor, card_id: UUID, email: str | None, phone: str | None, key: RequestKey, at: datetime
) -> CorrectionReceipt:
    """Change the addresses of a card's customer, once per key; None leaves one as it is, and so do all agreements."""
    roles.require(actor=actor, role=Role.MANAGER)

    def work() -> CorrectionReceipt:
        typed = {"email": email, "phone": phone}
        wanted = _read(actor, {name: text.strip() for name, text in typed.items() if text is not None})
        before = _lock(actor, card_id, wanted)
        changed = tuple(name for name, value in wanted.items() if getattr(before, name) != value)
        if not changed:
            return CorrectionReceipt(card_id, (), old_told=False, new_told=False)
        _check(actor, before, wanted, changed)
        new = {name: wanted[name] for name in changed}
        bounced = {"email_bounced_at": None} if "email" in changed else {}
        db.session.execute(update(Customer).where(Customer.id == before.id).values(**new, **bounced))
        audit.record(
            actor=actor,
            action="customer.address_corrected",
            subject_type="customer",
            subject_id=before.id,
            details={"changed": list(changed)},
        )
        told = _tell(actor, card_id, before, wanted["email"], at) if "email" in changed else (False, False)
        return CorrectionReceipt(card_id, changed, *told)

    return idempotency.run(key, CorrectionReceipt, work, vendor_id=actor.vendor_id)


def _read(actor: Actor, typed: Mapping[str, str]) -> dict[str, str | None]:
    country = db.session.execute(select(Vendor.country).where(Vendor.id == actor.vendor_id)).scalar_one()
    errors: dict[str, str] = {}
    found: dict[str, str | None] = dict.fromkeys(typed)
    for name, text in typed.items():
        try:
            if text:
                found[name] = normalise_email(text) if name == "email" else normalise_phone(text, country)
        except AddressError as refusal:
            errors[name] = refusal.sentence
    if errors:
        raise ValidationError(errors)
    return found


def _lock(actor: Actor, card_id: UUID, wanted: Mapping[str, str | None]) -> AnyRow:
    """Lock old and new addresses as joining does, then the customer: whoever comes with one finds all or nothing."""
    query = (
        select(Customer.id, Customer.email, Customer.phone, Customer.locale, Customer.erased_at)
        .join(LoyaltyCard, LoyaltyCard.customer_id == Customer.id)
        .where(LoyaltyCard.id == card_id, LoyaltyCard.vendor_id == actor.vendor_id)
    )
    known = db.session.execute(query).one_or_none()
    if known is None:
        raise CardNotFound
    addresses = (known.email, known.phone, *wanted.values())
    customers.lock_addresses(vendor_id=actor.vendor_id, addresses=addresses)
    locked = db.session.execute(query.with_for_update(of=Customer)).one()
    if locked.erased_at is not None:
        raise CustomerErased
    return locked


def _check(actor: Actor, before: AnyRow, wanted: Mapping[str, str | None], changed: tuple[str, ...]) -> None:
    identifying = db.session.execute(select(Vendor.contact_field).where(Vendor.id == actor.vendor_id)).scalar_one()
    errors = {}
    for name in changed:
        value = wanted[name]
        column = Customer.email if name == "email" else Customer.phone
        others = (Customer.vendor_id == actor.vendor_id, column == value, Customer.id != before.id)
        if value is None and name == identifying:
            errors[name] = _NEEDED
        elif value is not None and db.session.scalar(select(Customer.id).where(*others)):
            errors[name] = _TAKEN
    if errors:
        raise ValidationError(errors)


def _tell(actor: Actor, card_id: UUID, before: AnyRow, email: str | None, at: datetime) -> tuple[bool, bool]:
    """Tell the old mailbox that it gets no more, and the new one where the card is."""
    vendor_id, event = actor.vendor_id, str(new_id())
    common = {"event_key": event, "vendor_id": vendor_id, "locale": before.locale, "at": at, "card_id": card_id}
    if before.email:
        _end_questions(vendor_id, before.email, at)
        # Whoever reads a mistyped mailbox is a stranger: the new address is only hinted at.
        facts = {"address": masked_email(email) if email else "–"}
        messages.queue_mail(kind="address_changed", recipient=before.email, facts=facts, **common)
    if email:
        kinds = messages.ASKED_FOR_BY_ANYBODY
        if messages.count_recent(vendor_id=vendor_id, recipient=email, kinds=kinds, at=at) >= PER_DAY:
            raise ValidationError({"email": _OFTEN})
        messages.queue_mail(kind="enrollment", recipient=email, **common)
    return before.email is not None, email is not None


def _end_questions(vendor_id: UUID, address: str, at: datetime) -> None:
    """Let links that were mailed to the old address ask for nothing about the customer any more."""
    asked = update(Confirmation).where(Confirmation.vendor_id == vendor_id, Confirmation.address == address)
    open_ones = asked.where(Confirmation.kind.in_(("join", "my_data")), Confirmation.used_at.is_(None))
    db.session.execute(open_ones.values(used_at=at))
