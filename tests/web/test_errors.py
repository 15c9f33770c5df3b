"""Refusals that no view knows of: what people see while the database is away."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from tests.applications import another_app
from tests.browsing import sign_in
from tests.office import make_bakery


@pytest.fixture
def cut_off(config: Config) -> Iterator[Flask]:
    """The application with the address of a database that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    away = sa.make_url(config.database_url).set(host="127.0.0.1", port=port, query={})
    with another_app(replace(config, database_url=away.render_as_string(hide_password=False)), config) as made:
        yield made


@pytest.mark.parametrize("path", ["/office", "/office/sign-in", "/admin", "/join/bakery", "/nowhere"])
def test_it_says_that_the_database_is_away(app: Flask, client: FlaskClient, cut_off: Flask, path: str) -> None:
    with app.app_context():
        ada = make_bakery()
    sign_in(client, ada)
    cookie = client.get_cookie("session")
    assert cookie is not None
    browser = cut_off.test_client()
    browser.set_cookie("session", cookie.value)
    answer = browser.get(path)
    assert answer.status_code == 503
    assert "<h1" in answer.text
    # Nobody is signed out by that.
    assert "session=;" not in str(answer.headers)
