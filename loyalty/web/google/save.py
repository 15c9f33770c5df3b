"""The way into Google Wallet: a link that is signed when somebody asks for it."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from loyalty.services import card_views, google_passes
from loyalty.web import locale
from loyalty.web.access import now, public
from loyalty.web.google.blueprint import blueprint
from loyalty.web.limits import address_source, limit

# Google is told of a card within a second or two; whoever waited so often should rather come back.
_MOST_TRIES = 15


@blueprint.get("/card/<token>/google")
@public
@limit("60 per minute", key_func=address_source)
def save_card(token: str) -> ResponseReturnValue:
    """Lead on to Google; while Google is only just being told of the card, wait a second and ask again."""
    offer = google_passes.offer_link(token=token, at=now())
    if offer.link:
        return redirect(offer.link, 303)
    card = card_views.get_public(token=token)
    locale.prefer(locale=card.locale, timezone=card.timezone)
    tries = min(request.args.get("tries", 0, int), _MOST_TRIES)
    waiting = tries < _MOST_TRIES
    response = make_response(render_template("google/wait.html", card=card, waiting=waiting))
    if waiting:
        response.headers["Refresh"] = f"1; url={url_for('google.save_card', token=token, tries=max(tries, 0) + 1)}"
    return response
