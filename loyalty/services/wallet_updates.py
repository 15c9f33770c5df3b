"""Telling the wallets that hold a card of a change, where the till's frame does not do it."""

from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select

from loyalty.database import db
from loyalty.services import google_passes, passes

_ON_PHONES: Final = select(passes.on_phones(bindparam("card")))


def tell(*, card_id: UUID, vendor_id: UUID, at_google: bool) -> None:
    """In the caller's transaction, have phones told that hold the card's pass, and Google where it is there."""
    if db.session.scalar(_ON_PHONES, {"card": card_id}):
        passes.changed(card_id=card_id, vendor_id=vendor_id)
    if at_google:
        google_passes.changed(card_id=card_id, vendor_id=vendor_id)
