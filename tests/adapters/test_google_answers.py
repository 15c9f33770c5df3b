"""What Google's refusals mean, whatever they look like."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests

from loyalty.adapters import Rejected, Unavailable
from loyalty.adapters.google_answers import refusal


def answer(status: int, body: bytes = b"", **headers: str) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made.reason = "As The Server Said"
    made._content = body
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return made


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>503</html>", b"[]", b'"no"', b"\xff", b'{"error": "invalid"}', b'{"error": {"message": 7}}'],
    ids=repr,
)
def test_it_has_words_for_every_body(body: bytes) -> None:
    assert str(refusal(answer(400, body))) == "400 As The Server Said"


def test_it_cuts_long_words_and_keeps_them_on_one_line() -> None:
    words = str(refusal(answer(400, b'{"error": {"message": "' + b"a\\n b" * 999 + b'"}}')))
    assert "\n" not in words
    assert len(words) <= 304


@pytest.mark.parametrize(("status", "again"), [(400, False), (403, False), (404, False), (401, True), (500, True)])
def test_it_tells_later_from_never(status: int, again: bool) -> None:
    assert isinstance(refusal(answer(status)), Unavailable if again else Rejected)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("0", 0),
        ("12", 12),
        ("99999999", 3600),
        ("9" * 500, 3600),
        ("soon", None),
        ("", None),
        ("-1", None),
        ("٣", None),
    ],
)
def test_it_reads_how_long_to_wait(told: str, seconds: float | None) -> None:
    refused = refusal(answer(503, Retry_After=told))
    assert isinstance(refused, Unavailable)
    assert refused.retry_after == seconds


def test_it_reads_until_when_to_wait() -> None:
    for minutes, seconds in ((2, 120.0), (-5, 0.0), (999, 3600.0)):
        until = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
        refused = refusal(answer(429, Retry_After=until))
        assert isinstance(refused, Unavailable)
        assert refused.retry_after == pytest.approx(seconds, abs=60)
