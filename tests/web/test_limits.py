"""How often one source may ask: counted in Valkey, in the process while Valkey is away, and PINs always in SQL."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from flask_limiter import RequestLimit
from limits import parse
from werkzeug.test import TestResponse

from config import Config
from loyalty.app import LIMITS_STORAGE
from loyalty.database import new_id
from loyalty.web import limits
from loyalty.web.limits import limiter
from tests import world
from tests.applications import another_app
from tests.world import Business

Ask = Callable[[Flask, FlaskClient], TestResponse]


@contextmanager
def limited(config: Config, redis_url: str | None = None) -> Iterator[Flask]:
    """The application with its limits on.

    A Valkey that is there has all the time it needs: on a busy machine a slow answer would let the process count anew.
    """
    other = replace(config, rate_limits=True, redis_url=redis_url or config.redis_url)
    with pytest.MonkeyPatch.context() as patch:
        if redis_url is None:
            patch.setitem(LIMITS_STORAGE, "socket_connect_timeout", 30)
            patch.setitem(LIMITS_STORAGE, "socket_timeout", 30)
        with another_app(other, config) as made:
            yield made


@pytest.fixture
def bakery(app: Flask) -> Business:
    """Ada's bakery, with tablets and people signed in."""
    with app.app_context():
        return world.make_business("bakery")


def post(path: str, **fields: str) -> Ask:
    def ask(app: Flask, client: FlaskClient) -> TestResponse:
        return client.post(path, data={"csrf_token": world.csrf(app, client), "key": "k" * 24, **fields})

    return ask


def is_allowed(app: Flask, client: FlaskClient, ask: Ask, most: int) -> bool:
    """Ask until it is too much, and say whether that was after so often a minute."""
    began = time.monotonic()
    number = next(number for number in range(1000) if ask(app, client).status_code == 429)
    # The window slides: what was asked a while ago weighs a little less already.
    return most <= number <= most + 3 + most * (time.monotonic() - began) / 60


LIMITS = {
    "stamps": ("staff session", f"/terminal/cards/{new_id()}/stamps", 60),
    "points": ("staff session", f"/terminal/cards/{new_id()}/points", 60),
    "redemptions": ("staff session", f"/terminal/cards/{new_id()}/redemptions", 60),
    "voids": ("staff session", f"/terminal/transactions/{new_id()}/void", 20),
    "unlocks": ("owner", f"/office/staff/{new_id()}/unlock", 10),
    "sign-ins": ("anonymous", "/office/sign-in", 5),
    "joins": ("anonymous", "/join/bakery", 10),
}


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("with_valkey", [True, False], ids=["Valkey up", "Valkey down"])
def test_it_serves_a_source_so_often_a_minute(config: Config, bakery: Business, name: str, with_valkey: bool) -> None:
    role, path, most = LIMITS[name]
    with limited(config, None if with_valkey else nobody()) as app:
        door = {**world.doors(app, bakery), **world.strangers(app)}[role]
        assert is_allowed(app, door.client, post(path, amount="1", email=""), most)
        refused = post(path)(app, door.client)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 61


def test_it_counts_each_tablet_by_itself(config: Config, bakery: Business) -> None:
    stamp = post(f"/terminal/cards/{new_id()}/stamps")
    with limited(config) as app:
        doors = world.doors(app, bakery)
        assert is_allowed(app, doors["staff session"].client, stamp, 60)
        # At the same address: a shop has one connection for all of its tablets.
        assert stamp(app, doors["manager session"].client).status_code == 404


def test_it_believes_no_address_that_a_stranger_claims(config: Config, bakery: Business) -> None:
    with limited(config) as app:
        client = app.test_client()
        for number in range(5):
            client.environ_base["HTTP_X_FORWARDED_FOR"] = f"192.0.2.{number}"
            assert post("/office/sign-in")(app, client).status_code == 422
        client.environ_base["HTTP_X_FORWARDED_FOR"] = "192.0.2.99"
        refused = post("/office/sign-in")(app, client)
        assert refused.status_code == 429
        # A person reads when it makes sense to come back, and the way to the form.
        assert re.search(r"You can try again at \d\d:\d\d", refused.text)
        assert 'href="/office/sign-in"' in refused.text


def test_it_waits_for_no_valkey_that_hangs(config: Config, bakery: Business) -> None:
    with silence() as port, limited(config, f"redis://127.0.0.1:{port}/0") as app:
        client = world.doors(app, bakery)["staff session"].client
        stamp = post(f"/terminal/cards/{new_id()}/stamps")
        began = time.monotonic()
        assert [stamp(app, client).status_code for _ in range(10)] == [404] * 10
        assert time.monotonic() - began < 60  # without limits of its own it would wait for ever


def test_it_answers_where_valkey_dies_after_it_has_counted(config: Config) -> None:
    with limited(config, nobody()) as app, app.test_request_context():
        counted = RequestLimit(limiter, parse("5 per minute"), ["somebody"], breached=False, shared=False)
        limiter.context.view_rate_limit = counted
        assert "RateLimit-Limit" not in limits.add_headers(Response()).headers
        assert limits.ends_at() > datetime.now(UTC)


@pytest.mark.parametrize("limits", ["on", "off"])
def test_it_counts_pins_whatever_happens_to_valkey_and_the_process(
    config: Config, bakery: Business, limits: str
) -> None:
    statuses: list[int] = []
    for _ in range(3):
        with limited(config, nobody()) as app:
            limiter.enabled = limits == "on"
            client = world.doors(app, bakery)["locked terminal"].client
            typed = {"staff_pin_id": bakery.ids["staff_pin_id"], "staff_pin": "000000"}
            statuses += [post("/terminal/pin", **typed)(app, client).status_code for _ in range(2)]
    assert statuses == [403, 403, 403, 403, 403, 423]


def test_it_counts_passwords_whatever_happens_to_valkey_and_the_process(config: Config, bakery: Business) -> None:
    statuses: list[int] = []
    for _ in range(3):
        with limited(config, nobody()) as app:
            limiter.enabled = False
            wrong = post("/office/sign-in", email="nobody@bakery.example", password="guessed")
            statuses += [wrong(app, app.test_client()).status_code for _ in range(2)]
    assert statuses == [422, 422, 422, 422, 422, 429]


def nobody() -> str:
    """The address of a Valkey that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"redis://127.0.0.1:{probe.getsockname()[1]}/0"


@contextmanager
def silence() -> Iterator[int]:
    """A server that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()
