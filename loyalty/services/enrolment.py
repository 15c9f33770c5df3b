"""Joining: on the join page, by the mailed link, and at the counter."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from loyalty.database import clock, clock_offset, db
from loyalty.domain import joining
from loyalty.domain.joining import Applicant, JoinForm, Questions
from loyalty.domain.limits import local_day
from loyalty.domain.values import Actor, RequestKey, Role
from loyalty.errors import ProgramClosing, ProgramInactive, SelfEnrollmentDisabled, VendorSuspended
from loyalty.models.cards import LoyaltyCard
from loyalty.models.vendors import Store, Vendor
from loyalty.services import (
    card_mails,
    cards,
    confirmations,
    consents,
    customers,
    idempotency,
    join_mails,
    pins,
    vendors,
)
from loyalty.services.customers import KnownCustomer
from loyalty.services.till import Approval
from loyalty.services.vendors import PublicVendor


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What joining answers. Only a new card is shown; "neutral" and "confirm" say no more than "look at your mail"."""

    state: Literal["created", "neutral", "confirm"]
    vendor_code: str
    card_id: UUID | None = None
    # Not stored with the answer: read again when the same form comes twice.
    public_token: str | None = field(default=None, metadata={"secret": True})
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """What enrolling at the counter answers: a new card, or the one that the customer already had."""

    card_id: UUID
    created: bool
    stamp_count: int = 0
    points_balance: int = 0
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Visit:
    """Who joins where: one for each of the three ways."""

    vendor: PublicVendor
    applicant: Applicant
    locale: str
    actor: Actor
    key: RequestKey
    at: datetime

    def find_known(self, *, by_any: bool = False) -> KnownCustomer | None:
        """Lock the addresses and look for the customer whose identifying address it is; `by_any` also by the other."""
        vendor_id, addresses = self.vendor.vendor_id, {"email": self.applicant.email, "phone": self.applicant.phone}
        customers.lock_addresses(vendor_id=vendor_id, addresses=addresses.values())
        own = self.vendor.contact_field
        fields = sorted(addresses, key=lambda field: field != own) if by_any else [own]
        found = (customers.find_by_address(vendor_id=vendor_id, **{field: addresses[field]}) for field in fields)
        return next((known for known in found if known), None)


def get_open(*, code: str) -> PublicVendor:
    """Get a shop whose program runs, or raise why it does not."""
    vendor = vendors.get_public(code=code)
    if vendor.status != "active":
        raise VendorSuspended
    if not vendor.program_active:
        raise ProgramInactive
    return vendor


def get_joinable(*, code: str) -> PublicVendor:
    """Get a shop that takes new customers on its page, its card as they will get it, or raise why it takes none."""
    vendor = get_open(code=code)
    if vendor.closes_on is not None:
        raise ProgramClosing(closes_on=vendor.closes_on.isoformat())
    if not vendor.allow_self_enrollment:
        raise SelfEnrollmentDisabled
    greeting = replace(
        vendor.content,
        stamp_count=vendor.welcome_stamps if vendor.content.has_stamps else 0,
        points_balance=vendor.welcome_bonus_points if vendor.content.has_points else 0,
    )
    return replace(vendor, content=greeting)


def join(
    *,
    vendor_code: str,
    store_code: str | None,
    form: JoinForm,
    locale: str | None,
    key: RequestKey,
    at: datetime,
    unasked: bool = False,
) -> Joined:
    """Join a shop, once per key: a new address gets its card, a known one a mail, and the answer tells no more.

    Without a locale it is the shop's. `unasked` also keeps what the shop's own page does not ask for.
    """
    vendor = get_joinable(code=vendor_code)
    questions = _all_of(_questions(vendor)) if unasked else _questions(vendor)
    applicant = joining.check(form, questions, local_day(at, vendor.timezone))
    # Whoever knows a key but sends another form has simply made another request.
    key = replace(key, caller=f"join:{vendor.vendor_id}:{key.request_hash}")
    store_id = _find_store(vendor.vendor_id, store_code)
    visit = _Visit(vendor, applicant, locale or vendor.locale, _self_service(vendor, store_id), key, at)
    return _with_token(idempotency.run(key, Joined, lambda: _join(visit), vendor_id=vendor.vendor_id))


def get_pending(*, token: str, at: datetime) -> PublicVendor:
    """Get the shop that a mailed link joins; the link stays unused."""
    pending = confirmations.get(token=token, kind="join", at=at)
    return get_joinable(code=_code_of(pending.vendor_id))


def confirm_join(*, token: str, key: RequestKey, at: datetime) -> Joined:
    """Use a mailed link, once: whoever presses its button has proven the address and gets the card, new or old."""
    confirmation_id = confirmations.get_id(token=token, kind="join")
    key = replace(key, caller=f"confirm:{confirmation_id}")

    def work() -> Joined:
        pending = confirmations.use(confirmation_id=confirmation_id, at=at)
        vendor = get_joinable(code=_code_of(pending.vendor_id))
        applicant, store_id = _read_kept(pending.form)
        visit = _Visit(vendor, applicant, pending.locale, _self_service(vendor, store_id), key, at)
        known = visit.find_known()
        if known and known.card_id and known.email == pending.address:
            return _shown(visit, known.card_id, known.public_token)
        # Known by a phone number that somebody else took meanwhile: the link has proven an e-mail address only.
        return _join(visit) if known and known.card_id else _create(visit, known)

    return _with_token(idempotency.run(key, Joined, work))


def enrol_at_counter(
    *, actor: Actor, form: JoinForm, key: RequestKey, locale: str | None = None, approval: Approval | None = None
) -> Enrolled:
    """Enrol a customer at the till, once per key, with any address or none; a known customer's card is found.

    Without a locale it is the shop's.
    """
    if approval is not None:
        if answered := idempotency.find(key, Enrolled):
            return answered
        at = datetime.now(UTC) + clock_offset()
        actor = pins.verify(actor=actor, pin=approval.pin, staff_pin_id=approval.staff_pin_id, at=at)
    vendor = get_open(code=_code_of(actor.vendor_id))
    at = clock()
    # What staff type is what the customer told them: all of it is kept.
    questions = replace(_all_of(_questions(vendor)), contact_required=False, email_required=False)
    applicant = joining.check(form, questions, local_day(at, vendor.timezone))
    visit = _Visit(vendor, applicant, locale or vendor.locale, actor, key, at)

    def work() -> Enrolled:
        known = visit.find_known(by_any=True)
        if known and known.card_id:
            return _found(known.card_id)
        card = _make_card(visit, known)
        return Enrolled(
            card_id=card.card_id, created=True, stamp_count=card.welcome_stamps, points_balance=card.welcome_points
        )

    return idempotency.run(key, Enrolled, work, vendor_id=vendor.vendor_id)


def _questions(vendor: PublicVendor) -> Questions:
    return Questions(
        contact_field=vendor.contact_field,
        country=vendor.country,
        ask_name=vendor.ask_name,
        ask_birthday=vendor.ask_birthday,
        ask_marketing=vendor.ask_marketing,
        # Only mail can confirm: a shop that asks for phones needs the address, too.
        email_required=vendor.confirm_address,
    )


def _all_of(questions: Questions) -> Questions:
    return replace(questions, ask_name=True, ask_birthday=True, ask_marketing=True)


def _found(card_id: UUID) -> Enrolled:
    query = select(LoyaltyCard.stamp_count, LoyaltyCard.points_balance).where(LoyaltyCard.id == card_id)
    stamps, points = db.session.execute(query).one()
    return Enrolled(card_id=card_id, created=False, stamp_count=stamps, points_balance=points)


def _join(visit: _Visit) -> Joined:
    known, vendor_id = visit.find_known(), visit.vendor.vendor_id
    if known and known.card_id:
        join_mails.send_link(vendor_id=vendor_id, known=known, at=visit.at)
    elif visit.vendor.confirm_address:
        join_mails.send_confirmation(
            vendor_id=vendor_id, address=visit.applicant.email, form=_kept(visit), locale=visit.locale, at=visit.at
        )
    else:
        return _create(visit, known)
    # The same words for known and unknown where every address is confirmed first: the mails alone differ.
    return Joined(state="confirm" if visit.vendor.confirm_address else "neutral", vendor_code=visit.vendor.code)


def _create(visit: _Visit, known: KnownCustomer | None) -> Joined:
    card = _make_card(visit, known)
    return _shown(visit, card.card_id, card.public_token)


def _shown(visit: _Visit, card_id: UUID, public_token: str | None) -> Joined:
    return Joined(state="created", vendor_code=visit.vendor.code, card_id=card_id, public_token=public_token)


def _make_card(visit: _Visit, known: KnownCustomer | None) -> cards.NewCard:
    vendor_id, person, at = visit.vendor.vendor_id, visit.applicant, visit.at
    if known:
        customer_id, address = known.customer_id, known.email
    else:
        terms = consents.version_of(visit.vendor.terms_text)
        added = customers.add(vendor_id=vendor_id, applicant=person, locale=visit.locale, terms_version=terms, at=at)
        customer_id, address = added.customer_id, added.email
        news = person.marketing_consent
        consents.note_joining(actor=visit.actor, vendor=visit.vendor, customer_id=customer_id, news=news, at=at)
    card = cards.create(actor=visit.actor, customer_id=customer_id, idempotency_key=visit.key.key)
    join_mails.send_card(vendor_id=vendor_id, address=address, card_id=card.card_id, locale=visit.locale, at=at)
    gifts = {"stamps": card.welcome_stamps, "points": card.welcome_points}
    card_mails.greet(card_id=card.card_id, vendor_id=vendor_id, at=at, **gifts)
    return card


def _self_service(vendor: PublicVendor, store_id: UUID | None) -> Actor:
    """Customers act for themselves: the ledger names the store of the poster and nobody of its staff."""
    return Actor(vendor_id=vendor.vendor_id, role=Role.STAFF, store_id=store_id)


def _find_store(vendor_id: UUID, code: str | None) -> UUID | None:
    """Find the store that a poster names; a wrong name is no reason to refuse anybody."""
    query = select(Store.id).where(Store.vendor_id == vendor_id, Store.code == (code or ""), Store.active)
    found: UUID | None = db.session.execute(query).scalar_one_or_none()
    return found


def _kept(visit: _Visit) -> dict[str, Any]:  # JSON values
    person = visit.applicant
    return {
        "email": person.email,
        "phone": person.phone,
        "name": person.name,
        "birth_date": person.birth_date.isoformat() if person.birth_date else None,
        "marketing_consent": person.marketing_consent,
        "store_id": str(visit.actor.store_id) if visit.actor.store_id else None,
    }


def _read_kept(form: Mapping[str, Any]) -> tuple[Applicant, UUID | None]:  # what _kept wrote
    applicant = Applicant(
        email=form["email"],
        phone=form["phone"],
        name=form["name"],
        birth_date=date.fromisoformat(form["birth_date"]) if form["birth_date"] else None,
        marketing_consent=form["marketing_consent"],
    )
    return applicant, UUID(form["store_id"]) if form["store_id"] else None


def _with_token(answer: Joined) -> Joined:
    """Read the card's address again where the answer came from store."""
    if answer.card_id is None or answer.public_token is not None:
        return answer
    query = select(LoyaltyCard.public_token).where(LoyaltyCard.id == answer.card_id)
    return replace(answer, public_token=db.session.execute(query).scalar_one())


def _code_of(vendor_id: UUID | None) -> str:
    return str(db.session.execute(select(Vendor.code).where(Vendor.id == vendor_id)).scalar_one())


__all__ = ["JoinForm", "Joined", "confirm_join", "enrol_at_counter", "get_joinable", "get_open", "get_pending", "join"]
