"""Google Wallet: the way from a card's page into it, and what Google tells about that afterwards."""

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from loyalty.errors import LoyaltyError
from loyalty.web.errors import register_renderer, sentence_of
from loyalty.web.forms import csrf
from loyalty.web.google import callback, logo, save
from loyalty.web.google.blueprint import blueprint

__all__ = ["blueprint", "callback", "logo", "save"]


def refuse(error: LoyaltyError, status: int) -> ResponseReturnValue:
    """Answer Google, which reads no sentences, with a status; a person with words."""
    if request.endpoint == "google.receive_callback":
        return "", status
    return render_template("public/refused.html", error=error, sentence=sentence_of(error), again=None), status


@blueprint.after_request
def keep_addresses_private(response: Response) -> Response:
    """Tell no other site, and no search engine, the address that opens a card."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


register_renderer("google", refuse)
# Google holds no session: its signature is the proof.
csrf.exempt(blueprint)
