"""What this tablet did today, and taking it back."""

from uuid import UUID

from flask import Response, request
from werkzeug.wrappers import Response as WerkzeugResponse

from loyalty.domain.values import Role, TransactionType
from loyalty.services import transactions, voids
from loyalty.services.voids import VoidReceipt
from loyalty.web.access import current_actor, now, requires
from loyalty.web.forms import request_key
from loyalty.web.limits import limit
from loyalty.web.locale import number
from loyalty.web.sentences import gettext, ngettext
from loyalty.web.terminal.approvals import find_approval
from loyalty.web.terminal.blueprint import blueprint
from loyalty.web.terminal.outcomes import done
from loyalty.web.terminal.stage import show
from loyalty.web.terminal.words import Outcome, entry_words

_LONGEST_REASON = 200


@blueprint.get("/transactions")
@requires(Role.STAFF)
def today() -> Response:
    """List the last things done on this tablet today."""
    entries = transactions.list_today(actor=current_actor(), at=now())
    lines = [(entry, entry_words(entry)) for entry in entries]
    return show("today", title=gettext("Today on this tablet"), entries=lines)


@blueprint.post("/transactions/<uuid:transaction_id>/void")
@requires(Role.STAFF)
@limit("20 per minute")
def void(transaction_id: UUID) -> WerkzeugResponse:
    """Take one entry back, once for each form that was drawn."""
    reason = request.form.get("reason", "").strip()[:_LONGEST_REASON] or "undo"
    receipt = voids.void(
        actor=current_actor(),
        transaction_id=transaction_id,
        reason=reason,
        key=request_key({"reason": reason}),
        approval=find_approval(),
    )
    return done(_outcome(receipt), card_id=receipt.card_id)


def _outcome(receipt: VoidReceipt) -> Outcome:
    return Outcome("warn", "arrow-back", _title(receipt), _shortfall(receipt), feedback="undone")


def _title(receipt: VoidReceipt) -> str:
    counts = {"count": receipt.stamp_count, "target": receipt.stamps_target}
    if receipt.voided_type == TransactionType.STAMP_REDEEMED:
        return gettext("Reward taken back: %(count)s of %(target)s", **counts)
    if receipt.voided_type == TransactionType.POINTS_REDEEMED:
        return gettext("Reward taken back: %(points)s points", points=number(receipt.points_balance))
    if receipt.voided_type == TransactionType.POINTS_EARNED:
        return gettext("Points removed: %(points)s left", points=number(receipt.points_balance))
    return ngettext(
        "Stamp removed: %(count)s of %(target)s",
        "Stamps removed: %(count)s of %(target)s",
        receipt.stamps_voided,
        **counts,
    )


def _shortfall(receipt: VoidReceipt) -> str:
    if not receipt.shortfall:
        return ""
    return ngettext(
        "%(num)s could not be taken back: it was spent already.",
        "%(num)s could not be taken back: they were spent already.",
        receipt.shortfall,
    )
