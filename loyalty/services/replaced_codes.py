"""Codes that a card had before it was replaced: whoever shows one is refused, and told why."""

from uuid import UUID

from sqlalchemy import ColumnElement, false, select

from loyalty.database import db
from loyalty.domain.values import CardRef
from loyalty.errors import CardReplaced
from loyalty.models.cards import LoyaltyCard


def refuse(*, vendor_id: UUID, card: CardRef) -> None:
    """Raise CardReplaced where a code or number is one that a card of this vendor had before."""
    if card.scan_code is None and card.card_number is None:
        return
    old = select(LoyaltyCard.replaced_at).where(LoyaltyCard.vendor_id == vendor_id, is_replaced(), _named(card))
    if replaced_at := db.session.scalar(old):
        raise CardReplaced(replaced_at=replaced_at)


def is_replaced() -> ColumnElement[bool]:
    """The condition that a row holds old codes and is no card of its own."""
    return LoyaltyCard.replaced_by_id.is_not(None)


def is_card() -> ColumnElement[bool]:
    """The condition that a row is a card, and not what is left of its old codes."""
    return LoyaltyCard.replaced_by_id.is_(None)


def had_code(*, vendor_id: UUID, card: CardRef) -> ColumnElement[bool]:
    """The condition on cards that they once had this code or number."""
    old = LoyaltyCard.__table__.alias("old")
    code = old.c.scan_code == card.scan_code if card.scan_code else old.c.card_number == card.card_number
    return LoyaltyCard.id.in_(select(old.c.replaced_by_id).where(old.c.vendor_id == vendor_id, code))


def _named(card: CardRef) -> ColumnElement[bool]:
    if card.scan_code is not None:
        return LoyaltyCard.scan_code == card.scan_code
    return LoyaltyCard.card_number == card.card_number if card.card_number else false()
