"""Google Wallet: who is told of what, what Google knows, and the link that saves a card.

An object is made when a customer asks for it, and told of changes while somebody has it saved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from loyalty.database import db, transaction
from loyalty.errors import CardInactive, CardNotFound, NotFound
from loyalty.models.cards import LoyaltyCard
from loyalty.models.programs import LoyaltyProgram
from loyalty.services import google_content, outbox, webhook_events
from loyalty.services.google_content import ToTell
from loyalty.wallets.google_account import ServiceAccount, origin_of, save_link
from loyalty.wallets.google_facts import class_id

# How many cards one transaction puts on the list after a change of their program.
_BATCH = 2000


@dataclass(frozen=True, slots=True)
class GooglePasses:
    """Who the platform is at Google, and where Google reaches it."""

    account: ServiceAccount
    issuer_id: str
    public_url: str


@dataclass(frozen=True, slots=True)
class SaveOffer:
    """The address that saves a card; empty while Google is only just being told of the card."""

    link: str
    vendor_name: str = ""


_google: GooglePasses | None = None
_reason = "Google Wallet is not configured."


def configure(*, google: GooglePasses | None, reason: str = "Google Wallet is not configured.") -> None:
    """Receive who speaks to Google; without it `reason` says why nobody does."""
    global _google, _reason
    _google, _reason = google, reason
    if google is not None and not google.public_url.startswith("https://"):
        _google, _reason = None, "Google Wallet needs a PUBLIC_URL with https."


def is_on() -> bool:
    """Whether cards can be saved to Google Wallet."""
    return _google is not None


def reason_off() -> str:
    """Say why cards cannot be saved; empty where they can."""
    return "" if _google else _reason


def find_setup() -> str | None:
    """Return what all classes and objects are made with, None where Google Wallet is off."""
    return f"{_google.issuer_id} {_google.public_url}" if _google else None


def issuer_id() -> str:
    """Return the number that the platform has at Google, or raise NotFound."""
    return _configured().issuer_id


def find_class(*, program_id: UUID) -> ToTell | None:
    """Describe the class of a program as it is now."""
    google = _configured()
    with transaction():
        return google_content.find_class(
            program_id=program_id, issuer_id=google.issuer_id, public_url=google.public_url
        )


def find_object(*, card_id: UUID) -> ToTell | None:
    """Describe the object of a card as it is now."""
    google = _configured()
    with transaction():
        return google_content.find_object(card_id=card_id, issuer_id=google.issuer_id)


def record_class(*, told: ToTell) -> None:
    """Remember that Google has the class so."""
    known = {"google_issuer_id": issuer_id(), "google_class_id": told.resource_id, "google_class_hash": told.digest}
    with transaction():
        program = update(LoyaltyProgram).where(LoyaltyProgram.id == told.program_id)
        db.session.execute(program.values(**known, updated_at=LoyaltyProgram.updated_at))


def record_object(*, card_id: UUID, told: ToTell, at: datetime) -> None:
    """Remember that Google has the object so; the first time opens the way to its save link."""
    known = {"google_object_id": told.resource_id, "google_content_hash": told.digest}
    shown = {"google_shown_seq": told.ledger_seq, "google_told_at": at}
    with transaction():
        mine = LoyaltyCard.id == card_id
        # From the first time on it is looked up once a day who has it saved.
        fresh = update(LoyaltyCard).where(mine, LoyaltyCard.google_checked_at.is_(None))
        db.session.execute(fresh.values(google_checked_at=at, **untouched()))
        db.session.execute(update(LoyaltyCard).where(mine).values(**known, **shown, **untouched()))


def changed(*, card_id: UUID, vendor_id: UUID) -> None:
    """Have Google told of a card, in the caller's transaction; the caller knows that somebody has it saved."""
    outbox.add(kind="google.object", subject_id=card_id, vendor_id=vendor_id)


def program_changed(*, vendor_id: UUID) -> None:
    """Have Google told of a vendor's program and its cards, in the caller's transaction, where Google knows it."""
    known = select(LoyaltyProgram.id).where(
        LoyaltyProgram.vendor_id == vendor_id, LoyaltyProgram.google_class_hash.is_not(None)
    )
    for program_id in db.session.execute(known).scalars():
        outbox.add(kind="google.class", subject_id=program_id, vendor_id=vendor_id)


def program_activated(program: LoyaltyProgram) -> None:
    """Name the program at Google and have its class made, so that the first customer need not wait for it."""
    if _google is None:
        return
    program.google_issuer_id = _google.issuer_id
    named = class_id(issuer_id=_google.issuer_id, program_id=program.id)
    if program.google_class_id != named:
        program.google_class_id, program.google_class_hash = named, None
    outbox.add(kind="google.class", subject_id=program.id, vendor_id=program.vendor_id)


def spread(*, program_id: UUID) -> int:
    """Put every saved card of a program on the list, a batch at a time; what is the same there costs no call."""
    count, last = 0, None
    while True:
        saved = select(LoyaltyCard.id, LoyaltyCard.vendor_id).where(
            LoyaltyCard.program_id == program_id, LoyaltyCard.google_saved_at.is_not(None)
        )
        if last is not None:
            saved = saved.where(LoyaltyCard.id > last)
        with transaction():
            rows = db.session.execute(saved.order_by(LoyaltyCard.id).limit(_BATCH)).all()
            outbox.add_many(kind="google.object", subjects=[(row.id, row.vendor_id) for row in rows])
        count += len(rows)
        if len(rows) < _BATCH:
            return count
        last = rows[-1].id


def offer_link(*, token: str, at: datetime) -> SaveOffer:
    """Sign the link that saves the card of this page; a card that Google does not know is told of first."""
    google = _configured()
    with transaction():
        card = _card(token)
        if not card.is_active:
            raise CardInactive
        # Also for one that Google knows: while nobody had it saved, changes were not told.
        outbox.add(kind="google.object", subject_id=card.id, vendor_id=card.vendor_id)
    own_class = class_id(issuer_id=google.issuer_id, program_id=card.program_id)
    ours = card.google_object_id is not None and card.google_object_id.startswith(f"{google.issuer_id}.")
    if not ours or card.google_class_id != own_class or card.google_class_hash is None:
        return SaveOffer("")
    return SaveOffer(
        save_link(
            account=google.account,
            object_id=card.google_object_id,
            class_id=own_class,
            origin=origin_of(google.public_url),
            at=at,
        )
    )


def to_look_up(*, at: datetime, limit: int) -> Mapping[UUID, str]:
    """List the cards at Google that nobody has looked up for a day, with their objects' ids."""
    asked = (
        select(LoyaltyCard.id, LoyaltyCard.google_object_id)
        .where(LoyaltyCard.google_object_id.is_not(None), LoyaltyCard.google_checked_at <= at - timedelta(days=1))
        .order_by(LoyaltyCard.google_checked_at)
        .limit(limit)
    )
    with transaction():
        return {row.id: row.google_object_id for row in db.session.execute(asked)}


def record_users(*, card_id: UUID, has_users: bool, at: datetime) -> None:
    """Believe Google about who has a card saved, as of `at`: callbacks are hints, and some are lost."""
    with transaction():
        mine = update(LoyaltyCard).where(LoyaltyCard.id == card_id)
        db.session.execute(mine.values(google_checked_at=at, **untouched()))
        if has_users:
            new = mine.where(LoyaltyCard.google_saved_at.is_(None)).returning(LoyaltyCard.id)
            saved = db.session.execute(new.values(google_saved_at=at, **untouched())).one_or_none()
            vendor_id = db.session.execute(select(LoyaltyCard.vendor_id).where(LoyaltyCard.id == card_id)).scalar_one()
            if saved:
                webhook_events.card_installed(card_id=card_id, vendor_id=vendor_id, wallet="google", at=at)
            # Whatever was given up on meanwhile is told now.
            outbox.add(kind="google.object", subject_id=card_id, vendor_id=vendor_id)
        else:
            # Not where somebody saved it while this was on its way.
            gone = mine.where(LoyaltyCard.google_saved_at < at).returning(LoyaltyCard.vendor_id)
            if card := db.session.execute(gone.values(google_saved_at=None, **untouched())).one_or_none():
                webhook_events.card_removed(card_id=card_id, vendor_id=card.vendor_id, wallet="google", at=at)


def untouched() -> dict[str, Any]:  # a value for Core
    """Leave the card's own time of change alone: nothing about the customer's card has changed."""
    return {"updated_at": LoyaltyCard.updated_at}


def _configured() -> GooglePasses:
    if _google is None:
        raise NotFound
    return _google


def _card(token: str) -> Any:  # a row of several columns
    row = db.session.execute(
        select(
            LoyaltyCard.id,
            LoyaltyCard.vendor_id,
            LoyaltyCard.program_id,
            LoyaltyCard.is_active,
            LoyaltyCard.google_object_id,
            LoyaltyProgram.google_class_id,
            LoyaltyProgram.google_class_hash,
        )
        .join(LoyaltyProgram, LoyaltyProgram.id == LoyaltyCard.program_id)
        .where(LoyaltyCard.public_token == token)
    ).one_or_none()
    if row is None:
        raise CardNotFound
    return row
