"""A card on the screen: as the customer sees it, with what can be done to it."""

import secrets
from uuid import UUID

from babel.numbers import get_currency_precision, get_decimal_symbol
from flask import Response, request

from loyalty.domain.values import Role
from loyalty.services import links
from loyalty.services.card_views import CounterCard
from loyalty.web.access import requires
from loyalty.web.locale import language
from loyalty.web.terminal import shown
from loyalty.web.terminal.blueprint import blueprint
from loyalty.web.terminal.outcomes import find_kept
from loyalty.web.terminal.stage import show
from loyalty.web.terminal.words import Outcome, heading

_SHOWN_QUANTITIES = (2, 3, 4, 5)


@blueprint.get("/cards/<uuid:card_id>")
@requires(Role.STAFF)
def show_card(card_id: UUID) -> Response:
    """Show a card, or what was just done to it."""
    return find_kept(card_id) or show_card_screen(card_id, points=bool(request.args.get("points")))


@blueprint.get("/cards/<uuid:card_id>/code")
@requires(Role.STAFF)
def card_code(card_id: UUID) -> Response:
    """Show the way back to the card, for a customer with a new phone."""
    card = shown.read(card_id)
    return show(
        "code", title=heading(card), heading=heading(card), card=card, card_address=links.card(card.public_token)
    )


def show_card_screen(
    card_id: UUID,
    *,
    card: CounterCard | None = None,
    points: bool = False,
    refusal: Outcome | None = None,
    status: int = 200,
    amount: str = "",
    amount_error: str | None = None,
    order_reference: str = "",
    reference_error: str | None = None,
    preview: str = "",
    key: str | None = None,
) -> Response:
    """Draw a card with its actions; a refusal stands above them, errors beside their fields.

    `card` is the card where it was read already.
    """
    card = card or shown.read(card_id)
    feedback = refusal.feedback if refusal else "bad" if amount_error or reference_error else "found"
    return show(
        "card",
        title=refusal.title if refusal else heading(card),
        status=status,
        feedback=feedback,
        announce=amount_error or reference_error,
        card=card,
        heading=heading(card),
        refusal=refusal,
        quantities=_quantities(card),
        points_mode=card.content.has_points and (points or not card.content.has_stamps),
        points_key=key or secrets.token_urlsafe(24),
        currency_digits=get_currency_precision(card.currency),
        decimal_mark=get_decimal_symbol(language()),
        amount=amount,
        amount_error=amount_error,
        order_reference=order_reference,
        reference_error=reference_error,
        preview=preview,
    )


def _quantities(card: CounterCard) -> list[int]:
    """Return how many stamps one tap may give beside the single one."""
    most = min(card.max_stamps_per_action, card.max_daily_stamps - card.stamps_today)
    shown = [quantity for quantity in _SHOWN_QUANTITIES if quantity <= most]
    return [*shown, most] if most > _SHOWN_QUANTITIES[-1] else shown
