"""What Google tells about a card: somebody saved it, or removed it."""

import logging

from flask import request
from flask.typing import ResponseReturnValue

from loyalty.services import google_callbacks
from loyalty.wallets.google_callback import LONGEST_BODY, CallbackRefused
from loyalty.wallets.google_keys import KeysUnavailable
from loyalty.web.access import now, public
from loyalty.web.google.blueprint import blueprint

log = logging.getLogger(__name__)


@blueprint.post("/api/v1/loyalty/google/callback")
@public
def receive_callback() -> ResponseReturnValue:
    """Believe a signed message: 200; 400 and 401 ask Google not to repeat it, 503 asks it to."""
    try:
        google_callbacks.receive(body=_body(), at=now())
    except CallbackRefused as refusal:
        log.warning("A callback of Google was refused: %s", refusal.reason)
        return "", refusal.status
    except KeysUnavailable as error:
        log.warning("A callback of Google cannot be verified now: %s", error)
        return "", 503
    return "", 200


def _body() -> bytes:
    """Return what was sent; of what is too long just nothing, which is no callback either."""
    return b"" if (request.content_length or 0) > LONGEST_BODY else request.get_data(cache=False)
