"""One line per request: which view, how it ended, how long it took; addresses can hold secrets and stay out."""

import logging
import secrets
import time

from flask import Flask, Response, g, request

from loyalty import logs

log = logging.getLogger(__name__)

# These are asked all the time and say nothing when they are well.
_SILENT = {"static", "health.alive", "health.ready"}


def init(app: Flask) -> None:
    """Give every request an id, and write a line when it is answered."""

    @app.before_request
    def begin() -> None:
        g.request_id = secrets.token_hex(8)
        g.began = time.perf_counter()
        logs.begin(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        if request.endpoint not in _SILENT or response.status_code >= 500:
            took = round((time.perf_counter() - g.began) * 1000, 1) if "began" in g else None
            said = {"method": request.method, "endpoint": request.endpoint, "status": response.status_code}
            log.info("request", extra=said | {"milliseconds": took})
        return response
