"""What the views for Apple's phones share: a bare answer, and the token and the body of a request."""

from collections.abc import Mapping

from flask import Response, request

from loyalty.web.errors import TooLarge

_SCHEME = "applepass"


def bare(status: int) -> Response:
    """Answer a status without a body, and without the kind of a body that is not there."""
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response


def pass_token() -> bytes:
    """Read the token from the raw header: a parsed one loses tokens with an equals sign. Empty where it is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip().encode("utf-8", "replace") if scheme.lower() == _SCHEME else b""


def json_body(*, longest: int) -> Mapping[str, object]:
    """Read a body of so many bytes at most as a JSON object, whatever kind it says it is; empty where it is none."""
    # What says that it is too long is not even read; what does not say how long it is ends at the application's bound.
    if (request.content_length or 0) > longest or len(request.get_data()) > longest:
        raise TooLarge
    try:
        body = request.get_json(force=True, silent=True)
    except RecursionError:  # brackets within brackets within brackets
        return {}
    return body if isinstance(body, dict) else {}
