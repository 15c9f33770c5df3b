"""What Google's refusals mean: to be tried again, and when, or never; with Google's own words."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import requests

from loyalty.adapters import Rejected, Unavailable

_LONGEST_WORDS = 300
_LONGEST_PAUSE = 3600.0
# 401 comes back only after a new token was refused too: the account's trouble, not the card's.
_LATER = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.TOO_MANY_REQUESTS,
}
# Reasons under which a 403 is about speed and not about rights.
_TOO_FAST = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"}


def refusal(answer: requests.Response) -> Unavailable | Rejected:
    """Turn an answer that is no success into the error to raise."""
    error = _error(answer)
    words = f"{answer.status_code} {_words(error) or answer.reason}"
    if answer.status_code in _LATER or not 400 <= answer.status_code < 500 or _too_fast(error):
        return Unavailable(words, retry_after=_retry_after(answer))
    return Rejected(words)


def _error(answer: requests.Response) -> dict[str, object]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _words(error: dict[str, object]) -> str:
    message = error.get("message")
    return " ".join(message.split())[:_LONGEST_WORDS] if isinstance(message, str) else ""


def _too_fast(error: dict[str, object]) -> bool:
    details = error.get("errors")
    if not isinstance(details, list):
        return False
    return any(isinstance(one, dict) and one.get("reason") in _TOO_FAST for one in details)


def _retry_after(answer: requests.Response) -> float | None:
    """Read Retry-After, seconds or a date; what makes no sense is as if it were not there."""
    told = answer.headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit():
        return min(float(told), _LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return None
    seconds = (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_PAUSE)
