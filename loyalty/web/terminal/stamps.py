"""Stamping a card."""

from uuid import UUID

from werkzeug.wrappers import Response as WerkzeugResponse

from loyalty.domain.values import Role
from loyalty.services import stamps
from loyalty.services.stamps import StampReceipt
from loyalty.web.access import current_actor, requires
from loyalty.web.forms import request_key
from loyalty.web.limits import limit
from loyalty.web.locale import clock_time
from loyalty.web.sentences import gettext, ngettext
from loyalty.web.terminal import shown
from loyalty.web.terminal.approvals import find_approval
from loyalty.web.terminal.blueprint import blueprint
from loyalty.web.terminal.fields import number_field
from loyalty.web.terminal.outcomes import done
from loyalty.web.terminal.words import Outcome


@blueprint.post("/cards/<uuid:card_id>/stamps")
@requires(Role.STAFF)
@limit("60 per minute")
def add_stamps(card_id: UUID) -> WerkzeugResponse:
    """Add stamps, once for each form that was drawn."""
    quantity = number_field("quantity", 1)
    receipt = stamps.add(
        actor=current_actor(),
        card=shown.named(card_id),
        quantity=quantity,
        key=request_key({"quantity": quantity}),
        approval=find_approval(),
    )
    return done(_outcome(receipt), card_id=card_id, undo=receipt.transaction_id, new_stamps=receipt.quantity)


def _outcome(receipt: StampReceipt) -> Outcome:
    if receipt.reward_earned:
        title = gettext("Card full: %(reward)s", reward=receipt.reward_description)
        return Outcome("ok", "gift", title, _next(receipt), feedback="full")
    title = ngettext(
        "Stamp added: %(count)s of %(target)s",
        "%(num)s stamps added: %(count)s of %(target)s",
        receipt.quantity,
        count=receipt.stamp_count,
        target=receipt.stamps_target,
    )
    return Outcome("ok", "check", title, _until_reward(receipt), _next(receipt), feedback="ok")


def _until_reward(receipt: StampReceipt) -> str:
    if receipt.rewards_available:
        return gettext("Ready to redeem: %(reward)s", reward=receipt.reward_description)
    left = receipt.stamps_until_reward
    return ngettext(
        "%(num)s more for %(reward)s", "%(num)s more for %(reward)s", left, reward=receipt.reward_description
    )


def _next(receipt: StampReceipt) -> str:
    if receipt.next_stamp_available_at is None:
        return ""
    return gettext("Next stamp from %(time)s", time=clock_time(receipt.next_stamp_available_at))
