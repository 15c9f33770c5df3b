"""Logs: one JSON object per line, with the request's id, and nothing about a person."""

import json
import logging
import sys

import psycopg
import pytest
from flask.testing import FlaskClient

from loyalty import logs


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    sys.stderr.flush()
    return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]


def test_it_writes_one_line_per_request_without_its_address(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = client.get("/card/a-secret-token?email=cleo@example.com", headers={"User-Agent": "Cleo's phone"})
    [line] = [line for line in lines(capsys) if line["event"] == "request"]
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["status"] == answer.status_code
    said = json.dumps(line)
    assert not [word for word in ("a-secret-token", "cleo@", "Cleo", "127.0.0.1") if word in said]


def test_it_hides_the_row_that_a_database_error_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    try:
        raise psycopg.errors.UniqueViolation("Key (email)=(cleo@example.com) already exists.")
    except psycopg.Error:
        logging.getLogger("loyalty.test").exception("it failed")
    [line] = lines(capsys)
    assert line["exception"] == "UniqueViolation (state 23505, constraint None)"
    assert "cleo" not in json.dumps(line)


def test_it_names_where_an_error_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    try:
        raise ValueError("three is not four")
    except ValueError:
        logging.getLogger("loyalty.test").exception("it failed")
    [line] = lines(capsys)
    assert line["exception"] == "ValueError: three is not four"
    assert "test_it_names_where_an_error_came_from" in str(line["stack"])


def test_it_names_no_phone_that_was_pushed_to(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logging.getLogger("httpx2").info("HTTP Request: POST https://push.example/3/device/a-secret-token")
    assert lines(capsys) == []
