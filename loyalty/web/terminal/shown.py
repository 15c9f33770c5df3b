"""The card on the screen, under the number that it was drawn with: a card that was replaced since is refused."""

from uuid import UUID

from flask import request, url_for

from loyalty.domain.values import CardRef
from loyalty.services import card_views
from loyalty.services.card_views import CounterCard
from loyalty.web.access import now
from loyalty.web.terminal.stage import here


def number() -> str | None:
    """Return the number that the form or link was drawn with; what an older release drew has none."""
    return request.values.get("number") or None


def named(card_id: UUID) -> CardRef:
    """Name the card that somebody saw."""
    return CardRef(card_id=card_id, card_number=number())


def read(card_id: UUID) -> CounterCard:
    """Read the card that somebody saw."""
    return card_views.get_at_counter(actor=here(), card_id=card_id, number=number(), at=now())


def address(card_id: UUID) -> str:
    """Return the address of the screen of the card that somebody saw."""
    return url_for("terminal.show_card", card_id=card_id, number=number())
