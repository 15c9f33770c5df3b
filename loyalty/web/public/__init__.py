"""The pages for customers: join, the card, the terms. Nobody signs in here; a card's address is its key."""

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from loyalty.errors import LoyaltyError
from loyalty.web.errors import again_at, register_renderer, sentence_of
from loyalty.web.htmx import is_htmx
from loyalty.web.public import card, join, my_data, news, privacy, terms
from loyalty.web.public.blueprint import blueprint

__all__ = ["blueprint", "card", "join", "my_data", "news", "privacy", "terms"]


def refuse(error: LoyaltyError, status: int) -> ResponseReturnValue:
    """Explain why there is no form and no card here; what refreshes itself just keeps what it shows."""
    if is_htmx():
        return "", 204
    sentence, again = sentence_of(error), again_at(error)
    return render_template("public/refused.html", error=error, sentence=sentence, again=again), status


@blueprint.after_request
def keep_addresses_private(response: Response) -> Response:
    """Tell no other site, and no search engine, the address that opens a card."""
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.endpoint != "public.show_join":
        response.headers["X-Robots-Tag"] = "noindex"
    return response


register_renderer("public", refuse)
