"""The complaints of phones."""

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


def test_it_refuses_more_than_a_phone_would_say(client: FlaskClient) -> None:
    answer = client.post(f"{SERVICE}/log", json={"logs": ["x" * 17_000]})
    assert (answer.status_code, answer.data) == (413, b"")
