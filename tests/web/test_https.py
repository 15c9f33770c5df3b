"""Behind https: browsers are asked to stay with it, and cookies are of no use to scripts and other sites."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from config import Config
from loyalty.services import terminals
from tests import world
from tests.applications import another_app
from tests.factories import make_key
from tests.world import Business


@pytest.fixture
def bakery(app: Flask) -> Business:
    """Ada's bakery."""
    with app.app_context():
        return world.make_business("bakery")


@pytest.fixture
def https(config: Config) -> Iterator[Flask]:
    """The application as it runs behind https."""
    with another_app(replace(config, public_url="https://cards.example"), config) as app:
        yield app


def test_it_asks_browsers_for_https_where_it_is_reached_by_it(https: Flask) -> None:
    answer = https.test_client().get("/office/sign-in", base_url="https://cards.example")
    assert answer.headers["Strict-Transport-Security"] == "max-age=63072000"


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_it_sets_cookies_that_no_script_and_no_other_site_can_use(
    app: Flask, https: Flask, bakery: Business, secure: bool
) -> None:
    used = https if secure else app
    prefix, base = ("__Host-", "https://cards.example") if secure else ("", "http://localhost")
    asked = {
        "session": used.test_client().get("/office/sign-in", base_url=base),
        "terminal": pairing(used, bakery, base),
    }
    for name, answer in asked.items():
        found = [cookie for cookie in answer.headers.getlist("Set-Cookie") if cookie.startswith(f"{prefix}{name}=")]
        assert len(found) == 1
        flags = set(found[0].split("; ")[1:])
        assert {"HttpOnly", "Path=/", f"SameSite={'Lax' if name == 'session' else 'Strict'}"} <= flags
        assert ("Secure" in flags) is secure
        assert not any(flag.startswith("Domain") for flag in flags)


def pairing(app: Flask, bakery: Business, base: str) -> TestResponse:
    """Pair a tablet with a code from the office."""
    with app.app_context():
        ada = bakery.shop.ada
        code = terminals.create_code(actor=ada, store_id=bakery.shop.store_id, label="Door", key=make_key(ada)).code
        assert code is not None
    client = app.test_client()
    page = client.get("/terminal", base_url=base).get_data().decode(errors="replace")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    headers = {"Referer": f"{base}/terminal"}
    return client.post("/terminal/pair", data={"csrf_token": token[1], "code": code}, base_url=base, headers=headers)
