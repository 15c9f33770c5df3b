"""The complaints of phones."""

import json
import logging

import pytest
from flask.testing import FlaskClient

from tests.phone import SERVICE


def test_it_notes_a_sample_on_one_line_each_and_no_secrets(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    entries = ["first\r\nforged line", "token abcdefghijklmnopqrstuvwxyz0123 failed", "third", "fourth"]
    answer = client.post(f"{SERVICE}/log", json={"logs": entries})
    assert (answer.status_code, answer.data) == (200, b"")
    said = [record.getMessage() for record in caplog.records if "a phone says" in record.getMessage()]
    assert said == [
        "a phone says: first  forged line",
        "a phone says: token … failed",
        "a phone says: third",
    ]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"logs": "x"}', b'{"logs": [1]}', b'{"logs": [null]}', b'{"logs": ' + b"[" * 5000]
)
def test_it_refuses_what_is_no_log(client: FlaskClient, body: bytes) -> None:
    answer = client.post(f"{SERVICE}/log", data=body)
    assert (answer.status_code, answer.data) == (400, b"")


@pytest.mark.parametrize("length", [16 * 1024 + 1, 200_000, 300_000], ids=str)
def test_it_refuses_more_than_a_phone_would_say(client: FlaskClient, length: int) -> None:
    body = b'{"logs": ["' + b"x" * (length - 13) + b'"]}'
    answer = client.post(f"{SERVICE}/log", data=body + b" " * (length - len(body)))
    assert (answer.status_code, answer.data) == (413, b"")


def test_it_takes_as_much_as_it_may(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    body = json.dumps({"logs": ["what a pity, " * 40] * 25}).encode()
    answer = client.post(f"{SERVICE}/log", data=body + b" " * (16 * 1024 - len(body)))
    assert answer.status_code == 200
    said = [record.getMessage() for record in caplog.records if "a phone says" in record.getMessage()]
    assert [len(line) for line in said] == [len("a phone says: ") + 300] * 3


@pytest.mark.parametrize("logs", [[], [""], ["x"] * 500], ids=["none", "empty", "many"])
def test_it_is_content_with_any_number_of_complaints(client: FlaskClient, logs: list[str]) -> None:
    assert client.post(f"{SERVICE}/log", json={"logs": logs}).status_code == 200
