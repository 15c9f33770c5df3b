"""The card page: the pass, its code, and what happened lately. It refreshes itself while somebody looks."""

import re

from flask import render_template, request
from flask.typing import ResponseReturnValue

from loyalty.services import card_views, erasures, transactions
from loyalty.services.card_views import PublicCard
from loyalty.web import locale
from loyalty.web.access import public
from loyalty.web.public.blueprint import blueprint
from loyalty.web.public.wallets import offer, phone_address

_SEEN = re.compile(r"([0-9]{1,7})\.[0-9]{1,12}\.[01]", re.ASCII)


@blueprint.get("/card/<token>")
@public
def show_card(token: str) -> str:
    """Show a card to whoever holds its address."""
    card = _card(token)
    erasure = erasures.find_of_card(vendor_id=card.vendor_id, card_id=card.card_id)
    own = {"is_new": "new" in request.args, "phone_address": phone_address(card), "erasure": erasure}
    return render_template("public/card.html", **_live(card, 0), **own)


@blueprint.get("/card/<token>/live")
@public
def show_live(token: str) -> ResponseReturnValue:
    """Answer the part that changes, or nothing while it is as the page has it: then no reader is disturbed."""
    card, seen = _card(token), request.args.get("seen", "")
    if seen == _version(card):
        return "", 204
    known = _SEEN.fullmatch(seen)
    new_stamps = max(0, card.content.stamp_count - int(known.group(1))) if known else 0
    return render_template("public/live_swap.html", **_live(card, new_stamps))


def _card(token: str) -> PublicCard:
    card = card_views.get_public(token=token)
    locale.prefer(locale=card.locale, timezone=card.timezone)
    return card


def _live(card: PublicCard, new_stamps: int) -> dict[str, object]:
    return {
        "card": card,
        "offer": offer(card),
        "lines": transactions.history(card_id=card.card_id, vendor_id=card.vendor_id),
        "version": _version(card),
        "new_stamps": new_stamps,
    }


def _version(card: PublicCard) -> str:
    return f"{card.content.stamp_count}.{card.content.points_balance}.{int(card.is_active)}"
