"""What Apple's push service answers, and what is to be done about it."""

from datetime import UTC, datetime
from enum import Enum, auto

import httpx2

_LONGEST_PAUSE = 3600.0
_LONGEST_WORDS = 100
_BAD_TOKEN = {"BadDeviceToken", "DeviceTokenNotForTopic"}
_OLD_PROOF = {"ExpiredProviderToken"}


class Verdict(Enum):
    """What an answer means for the phone, or for all of them."""

    ACCEPTED = auto()
    GONE = auto()
    BAD_TOKEN = auto()
    NEW_TOKEN = auto()
    MISCONFIGURED = auto()
    LATER = auto()


def verdict(answer: httpx2.Response) -> Verdict:
    """Tell what is to be done. What nobody has heard of is about the configuration: then no phone is forgotten."""
    status, said = answer.status_code, reason(answer)
    if status == 200:
        return Verdict.ACCEPTED
    if status == 410:
        return Verdict.GONE
    if status == 400 and said in _BAD_TOKEN:
        return Verdict.BAD_TOKEN
    if status == 403 and said in _OLD_PROOF:
        return Verdict.NEW_TOKEN
    if status == 429 or status >= 500:
        return Verdict.LATER
    return Verdict.MISCONFIGURED


def reason(answer: httpx2.Response) -> str:
    """Return Apple's word for it, empty where there is none."""
    said = _body(answer).get("reason")
    return said[:_LONGEST_WORDS] if isinstance(said, str) and said.isprintable() else ""


def gone_at(answer: httpx2.Response) -> datetime | None:
    """Return since when the token of a 410 is known to be dead."""
    stamp = _body(answer).get("timestamp")
    if not isinstance(stamp, int) or isinstance(stamp, bool):
        return None
    try:
        return datetime.fromtimestamp(stamp / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def retry_after(answer: httpx2.Response) -> float | None:
    """Return for how many seconds Apple wants to be left alone, where it says so."""
    said = answer.headers.get("retry-after", "").strip()
    return min(float(said), _LONGEST_PAUSE) if said.isascii() and said.isdigit() else None


def words(answer: httpx2.Response) -> str:
    """Put an answer into words for people who look after the platform."""
    return f"{answer.status_code} {reason(answer)}".strip()


def _body(answer: httpx2.Response) -> dict[str, object]:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
