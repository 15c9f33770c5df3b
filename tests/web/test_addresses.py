"""Queries of raw bytes, as scanners and broken programs send them."""

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

PATHS = ("/office/sign-in", "/healthz", "/join/nobody", "/api/v1/openapi.json", "/api/v1/vendor/loyalty/cards", "/x")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("raw", [b"\xff", b"\xc3", b"\xed\xa0\x80", "é".encode()], ids=["ff", "c3", "half", "letter"])
def test_it_answers_whatever_bytes_a_query_holds(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, path: str, raw: bytes
) -> None:
    caplog.set_level(logging.ERROR)
    statuses = [
        client.get(path, environ_overrides={"QUERY_STRING": query}).status_code
        for query in ("lang=", f"lang={raw.decode('latin1')}&{raw.decode('latin1')}=1")
    ]
    assert statuses[0] == statuses[1] < 500
    assert not caplog.records


def test_it_reads_raw_letters_as_letters_and_leaves_the_rest(app: Flask) -> None:
    for asked in (
        "q=" + "Zoé+M%C3%BCller&a=1%2B1&b=[]".encode().decode("latin1"),
        "q=Zo%C3%A9+M%C3%BCller&a=1%2B1&b=[]",
    ):
        with app.test_request_context("/", environ_overrides={"QUERY_STRING": asked}) as context:
            assert context.request.args.to_dict() == {"q": "Zoé Müller", "a": "1+1", "b": "[]"}
