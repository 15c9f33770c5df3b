"""How a refusal looks: LoyaltyError to partial, page, problem document or bare status, chosen by caller."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as HTTPMethodNotAllowed
from werkzeug.wrappers import Response as WerkzeugResponse

from loyalty.errors import (
    N_,
    Forbidden,
    LoyaltyError,
    NotAuthenticated,
    NotFound,
    RateLimited,
    Unavailable,
    ValidationError,
)
from loyalty.services import outages
from loyalty.web import access, limits
from loyalty.web.htmx import is_htmx

log = logging.getLogger(__name__)
Renderer = Callable[[LoyaltyError, int], ResponseReturnValue]
_renderers: dict[str, Renderer] = {}


class MalformedRequest(LoyaltyError):
    code = "MALFORMED_REQUEST"
    status = 400
    sentence = N_("This request cannot be read.")


class PageTooOld(MalformedRequest):
    """The CSRF token of the form does not fit the browser's session."""

    sentence = N_("This page is too old. Load it again; nothing was changed.")


class MethodNotAllowed(LoyaltyError):
    code = "METHOD_NOT_ALLOWED"
    status = 405
    sentence = N_("This address cannot be used this way.")


class TooLarge(LoyaltyError):
    code = "TOO_LARGE"
    status = 413
    sentence = N_("This is too large to send.")


class UnsupportedMediaType(LoyaltyError):
    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    sentence = N_("This kind of content is not understood here.")


class InternalError(LoyaltyError):
    """Something is wrong with the program; the log has the reason under the request's id."""

    code = "INTERNAL_ERROR"
    status = 500
    sentence = N_("Something went wrong on our side. Try again in a moment.")


HTTP: dict[int, type[LoyaltyError]] = {
    400: MalformedRequest,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    413: TooLarge,
    415: UnsupportedMediaType,
    422: ValidationError,
    503: Unavailable,
}


def register_renderer(blueprint: str, renderer: Renderer) -> None:
    """Let a surface draw its own refusals: `renderer(error, status)`."""
    _renderers[blueprint] = renderer


def init(app: Flask) -> None:
    """Map every exception to an answer."""
    app.jinja_env.globals["request_id"] = lambda: g.get("request_id", "")
    app.register_error_handler(LoyaltyError, answer)
    app.register_error_handler(RateLimitExceeded, _rate_limited)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def sentence_of(error: LoyaltyError) -> str:
    """Say in the reader's language what is wrong: where no form stands to say it beside its fields, all of it."""
    beside = error.errors.values() if isinstance(error, ValidationError) else ()
    return " ".join(dict.fromkeys(gettext(sentence) for sentence in beside)) or _title(error)


def again_at(error: LoyaltyError) -> datetime | None:
    """Return when somebody who was too quick may try again: shown to the minute, so rounded up."""
    return error.retry_at + timedelta(seconds=59) if isinstance(error, RateLimited) else None


def answer(error: LoyaltyError) -> ResponseReturnValue:
    """Render a refusal for whoever asked; pages name who is signed in, which a database that is away cannot say."""
    try:
        return _answer(error)
    except Exception as problem:
        if not outages.is_outage(problem):
            raise
        access.ask_no_more_who()
        return _answer(Unavailable())


def _answer(error: LoyaltyError) -> ResponseReturnValue:
    if (renderer := _renderers.get(request.blueprint or "")) and error.status < 500:
        response: ResponseReturnValue = renderer(error, error.status)
    elif request.path.startswith("/api/"):
        response = _problem(error)
    else:
        template = "_error.html" if is_htmx() else "errors/error.html"
        response = make_response(render_template(template, error=error, sentence=sentence_of(error)), error.status)
    return _with_headers(response, error)


def _title(error: LoyaltyError) -> str:
    """Return the error's own sentence, its placeholders filled."""
    return str(gettext(error.sentence, **error.details))


def _with_headers(response: ResponseReturnValue, error: LoyaltyError) -> ResponseReturnValue:
    made = make_response(response)
    until = error.details.get("retry_at") or error.details.get("locked_until")
    if isinstance(until, datetime):
        made.headers["Retry-After"] = str(max(1, round((until - datetime.now(UTC)).total_seconds())))
    return made


def _problem(error: LoyaltyError) -> WerkzeugResponse:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": _title(error),
        "status": error.status,
        "code": error.code,
        **{name: _plain(value) for name, value in error.details.items()},
    }
    response = jsonify(body)
    response.status_code = error.status
    response.content_type = "application/problem+json"
    if isinstance(error, NotAuthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="loyalty"'
    return response


def _plain(value: Any) -> Any:  # a detail of any kind, as JSON writes it
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    # The sentences beside the fields.
    return {name: gettext(sentence) for name, sentence in value.items()} if isinstance(value, dict) else value


def _rate_limited(error: RateLimitExceeded) -> ResponseReturnValue:
    return answer(RateLimited(retry_at=limits.ends_at()))


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code is not None and error.code < 400):
        return error
    if isinstance(error, CSRFError):
        return answer(PageTooOld())
    kind = HTTP.get(error.code or 500, MalformedRequest if (error.code or 500) < 500 else InternalError)
    response = make_response(answer(kind()))
    if isinstance(error, HTTPMethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _unexpected(error: Exception) -> ResponseReturnValue:
    """A dead database is `Unavailable` (the same key asks again); everything else is a fault of ours."""
    if outages.is_outage(error):
        log.warning("database unavailable: %s", type(error).__name__)
        access.ask_no_more_who()
        return answer(Unavailable())
    log.exception("unexpected error", extra={"request_id": g.get("request_id", "")})
    return answer(InternalError())
