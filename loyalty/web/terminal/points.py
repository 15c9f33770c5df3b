"""Points from the amount of a purchase."""

import secrets
from uuid import UUID

from babel.numbers import get_currency_precision
from flask import Response, request
from werkzeug.wrappers import Response as WerkzeugResponse

from loyalty.domain.earning import AmountError, parse_amount, points_for
from loyalty.domain.values import Role
from loyalty.errors import OrderReferenceRequired, ValidationError
from loyalty.services import points
from loyalty.services.points import PointsReceipt
from loyalty.web.access import current_actor, requires, terminal_session
from loyalty.web.forms import request_key
from loyalty.web.limits import limit
from loyalty.web.locale import money, number
from loyalty.web.sentences import gettext, ngettext
from loyalty.web.terminal import shown
from loyalty.web.terminal.approvals import find_approval
from loyalty.web.terminal.blueprint import blueprint
from loyalty.web.terminal.cards import show_card_screen
from loyalty.web.terminal.outcomes import done
from loyalty.web.terminal.words import Outcome

_LONGEST_REFERENCE = 100


@blueprint.post("/cards/<uuid:card_id>/points")
@requires(Role.STAFF)
@limit("60 per minute")
def earn_points(card_id: UUID) -> WerkzeugResponse:
    """Add the points of a purchase, once for each form that was drawn."""
    reference = request.form.get("order_reference", "").strip()[:_LONGEST_REFERENCE] or None
    try:
        amount = parse_amount(request.form.get("amount", ""), _digits())
        receipt = points.earn(
            actor=current_actor(),
            card=shown.named(card_id),
            purchase_amount_cents=amount,
            order_reference=reference,
            key=request_key({"amount": amount, "order_reference": reference}),
            approval=find_approval(),
        )
    except AmountError as refusal:
        return _ask_again(card_id, amount_error=gettext(refusal.sentence) % refusal.details)
    except OrderReferenceRequired as refusal:
        return _ask_again(card_id, reference_error=gettext(refusal.sentence))
    except ValidationError as refusal:
        return _ask_again(card_id, amount_error=_below(refusal))
    return done(_outcome(receipt), card_id=card_id, undo=receipt.transaction_id)


@blueprint.post("/cards/<uuid:card_id>/points/preview")
@requires(Role.STAFF)
def preview_points(card_id: UUID) -> Response:
    """Show the points of an amount before anything is written, for browsers that run no scripts."""
    try:
        amount = parse_amount(request.form.get("amount", ""), _digits())
    except AmountError as refusal:
        return _ask_again(card_id, amount_error=gettext(refusal.sentence) % refusal.details)
    card = shown.read(card_id)
    gives = points_for(amount, card.points_per_euro, _digits())
    words = ngettext("= %(points)s point", "= %(points)s points", gives, points=number(gives))
    return _ask_again(card_id, preview=words, status=200)


def _ask_again(
    card_id: UUID,
    *,
    status: int = 422,
    preview: str = "",
    amount_error: str | None = None,
    reference_error: str | None = None,
) -> Response:
    return show_card_screen(
        card_id,
        points=True,
        status=status,
        amount=request.form.get("amount", ""),
        order_reference=request.form.get("order_reference", ""),
        preview=preview,
        # Nothing was written: the same key may be tried again.
        key=request.form.get("key") or secrets.token_urlsafe(24),
        amount_error=amount_error,
        reference_error=reference_error,
    )


def _below(refusal: ValidationError) -> str:
    minimum = refusal.details.get("minimum_purchase_cents")
    session = terminal_session()
    if minimum is None or session is None:
        return gettext(next(iter(refusal.errors.values())))
    return gettext("Points are given from %(amount)s on.", amount=money(minimum, session.currency))


def _outcome(receipt: PointsReceipt) -> Outcome:
    if receipt.points_earned == 0:
        text = gettext("The amount is too small for a point.")
        return Outcome("warn", "info", gettext("No points added"), text, feedback="warn")
    title = ngettext(
        "%(points)s point added", "%(points)s points added", receipt.points_earned, points=number(receipt.points_earned)
    )
    text = gettext(
        "%(amount)s. The card now has %(points)s points.",
        amount=money(receipt.purchase_amount_cents, receipt.currency),
        points=number(receipt.points_balance),
    )
    return Outcome("ok", "check", title, text, feedback="ok")


def _digits() -> int:
    session = terminal_session()
    return get_currency_precision(session.currency if session else "EUR")
