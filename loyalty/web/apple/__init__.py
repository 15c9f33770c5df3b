"""Apple's PassKit web service: what phones with passes ask by themselves. A refusal is a status and nothing else."""

from flask import Response
from flask.typing import ResponseReturnValue

from loyalty.errors import LoyaltyError
from loyalty.web.apple import devices, log, passes
from loyalty.web.apple.answers import bare
from loyalty.web.apple.blueprint import blueprint
from loyalty.web.errors import register_renderer
from loyalty.web.forms import csrf

__all__ = ["blueprint", "devices", "log", "passes"]


def refuse(error: LoyaltyError, status: int) -> ResponseReturnValue:
    """Answer a program, which reads no sentences."""
    return bare(status)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """Keep answers out of caches between here and the phone."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


register_renderer("apple", refuse)
# Phones hold no session: the pass's own token is their proof.
csrf.exempt(blueprint)
