"""Giving a reward: it hands over goods, so it is asked once before."""

from uuid import UUID

from flask import Response, request
from werkzeug.wrappers import Response as WerkzeugResponse

from loyalty.domain.values import Role
from loyalty.errors import InvalidReward
from loyalty.services import points, stamps
from loyalty.services.card_views import CounterCard
from loyalty.web.access import current_actor, requires
from loyalty.web.forms import new_key, request_key
from loyalty.web.limits import limit
from loyalty.web.locale import number
from loyalty.web.sentences import gettext, ngettext
from loyalty.web.terminal import shown
from loyalty.web.terminal.approvals import find_approval
from loyalty.web.terminal.blueprint import blueprint
from loyalty.web.terminal.fields import number_field
from loyalty.web.terminal.outcomes import done
from loyalty.web.terminal.stage import show
from loyalty.web.terminal.words import Outcome, heading


@blueprint.get("/cards/<uuid:card_id>/redemptions/new")
@requires(Role.STAFF)
def confirm_redemption(card_id: UUID) -> Response:
    """Name the reward and its price, and ask."""
    card = shown.read(card_id)
    reward_id = request.args.get("reward_id") or None
    name, cost, cost_words = _offer(card, reward_id)
    return show(
        "redeem",
        title=gettext("Give %(reward)s?", reward=name),
        card=card,
        heading=heading(card),
        offer_name=name,
        cost=cost,
        cost_words=cost_words,
        reward_id=reward_id,
        redeem_key=new_key(),
    )


@blueprint.post("/cards/<uuid:card_id>/redemptions")
@requires(Role.STAFF)
@limit("60 per minute")
def redeem(card_id: UUID) -> WerkzeugResponse:
    """Take the price and give the reward, once for each form that was drawn."""
    reward_id = request.form.get("reward_id") or None
    return _redeem_points(card_id, reward_id) if reward_id else _redeem_stamps(card_id)


def _offer(card: CounterCard, reward_id: str | None) -> tuple[str, int, str]:
    if reward_id is None:
        target = card.content.stamps_target
        words = ngettext("%(num)s stamp will be used.", "%(num)s stamps will be used.", target)
        return card.stamps_reward, target, words
    for offer in card.rewards:
        if offer.reward_id == reward_id:
            price = offer.points_required
            words = ngettext(
                "%(points)s point will be used.", "%(points)s points will be used.", price, points=number(price)
            )
            return offer.name, price, words
    raise InvalidReward


def _seen_cost() -> int | None:
    """Return what the screen said that the reward costs; what an older release drew says nothing."""
    return number_field("cost", 0) if "cost" in request.form else None


def _redeem_stamps(card_id: UUID) -> WerkzeugResponse:
    cost = _seen_cost()
    receipt = stamps.redeem(
        actor=current_actor(),
        card=shown.named(card_id),
        seen_cost=cost,
        key=request_key({"cost": cost} if cost else {}),
        approval=find_approval(),
    )
    title = gettext("Reward given. %(count)s of %(target)s", count=receipt.stamp_count, target=receipt.stamps_target)
    outcome = Outcome("ok", "gift", title, receipt.reward_description, feedback="given")
    return done(outcome, card_id=card_id, undo=receipt.transaction_id)


def _redeem_points(card_id: UUID, reward_id: str) -> WerkzeugResponse:
    cost = _seen_cost()
    receipt = points.redeem(
        actor=current_actor(),
        card=shown.named(card_id),
        reward_id=reward_id,
        seen_cost=cost,
        key=request_key({"reward_id": reward_id} | ({"cost": cost} if cost else {})),
        approval=find_approval(),
    )
    title = gettext("Reward given: %(reward)s", reward=receipt.reward_name)
    text = ngettext(
        "%(points)s point left on the card.",
        "%(points)s points left on the card.",
        receipt.points_balance,
        points=number(receipt.points_balance),
    )
    return done(Outcome("ok", "gift", title, text, feedback="given"), card_id=card_id, undo=receipt.transaction_id)
