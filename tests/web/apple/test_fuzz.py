"""Ten thousand requests that no phone would send: no fault, and nobody let in."""

import json
import logging
import random
from urllib.parse import quote_from_bytes

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.memory import resident
from tests.phone import SERVICE, HeldPass
from tests.web import hostile
from tests.web.apple.conftest import Bakery

SEED = 20261120
REQUESTS = 10_000
# After the first requests everything is loaded; from then on nothing may pile up.
WARM = 2_000
MOST_GROWTH = 20 * 1024 * 1024
# What a stranger may get: 200 for a log, 204 for a phone that nobody knows.
OPEN = {"log": {200}, "list": {204}}
JSON = (
    b"null",
    b"[]",
    b"1e999",
    b'{"pushToken": {}}',
    b'{"logs": [[]]}',
    b"[" * 9000,
    b'{"logs": ["ok"]}',
    b"\xff\xfe{",
)


def test_it_survives_what_no_phone_would_send(
    bakery: Bakery, owner_engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    logging.disable(logging.WARNING)
    try:
        phone = bakery.phone()
        held = phone.add(bakery.address)
        assert phone.register(held) == 201
        client, wrong, warm = bakery.app.test_client(use_cookies=False), [], 0
        for number in range(REQUESTS):
            if number == WARM:
                warm = resident()
            said, door, status = knock(client, held, random.Random(f"{SEED}-{number}"))
            if status >= 500 or (status < 300 and status not in OPEN.get(door, set())):
                wrong.append(f"{number} {said} -> {status}")
    finally:
        logging.disable(logging.NOTSET)
    assert not wrong, "\n".join(wrong[:20])
    assert resident() - warm < MOST_GROWTH
    with owner_engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM apple_devices")).scalar_one() == 1
        assert connection.execute(sa.text("SELECT count(*) FROM apple_device_registrations")).scalar_one() == 1


def knock(client: FlaskClient, held: HeldPass, chance: random.Random) -> tuple[str, str, int]:
    """Send one request with something wrong about its proof; return what it was, the door and the answer."""
    door = chance.choice(("register", "unregister", "list", "pass", "head", "log"))
    serial = held.serial if chance.random() < 0.6 else raw(chance)
    pass_type = held.pass_type if chance.random() < 0.8 else raw(chance)
    device = f"stranger{chance.getrandbits(32)}" if chance.random() < 0.7 else raw(chance)
    paths = {
        "register": ("POST", f"/devices/{device}/registrations/{pass_type}/{serial}"),
        "unregister": ("DELETE", f"/devices/{device}/registrations/{pass_type}/{serial}"),
        "list": ("GET", f"/devices/{device}/registrations/{pass_type}"),
        "pass": ("GET", f"/passes/{pass_type}/{serial}"),
        "head": ("HEAD", f"/passes/{pass_type}/{serial}"),
        "log": ("POST", "/log"),
    }
    method, path = paths[door]
    environ = {
        "PATH_INFO": SERVICE + path,
        "QUERY_STRING": f"passesUpdatedSince={quote_from_bytes(raw(chance).encode('latin1'))}",
        "HTTP_AUTHORIZATION": proof(held, chance),
        "HTTP_IF_MODIFIED_SINCE": line(chance),
        "CONTENT_TYPE": chance.choice(("application/json", *hostile.CONTENT_TYPES)),
    }
    content = chance.choice(JSON) if chance.random() < 0.5 else json.dumps({"pushToken": raw(chance)}).encode()
    answer = client.open("/", method=method, data=content if method == "POST" else b"", environ_overrides=environ)
    return f"{method} {environ} {content[:80]!r}", door, answer.status_code


def proof(held: HeldPass, chance: random.Random) -> str:
    """Return a header that proves nothing."""
    token = str(held.opened.says["authenticationToken"])
    at = chance.randrange(len(token))
    changed = token[:at] + chance.choice("-_aA0é\xff") + token[at + 1 :]
    changed = changed if changed != token else token[:-1]
    return chance.choice(
        (
            f"ApplePass {changed}",
            f"ApplePass {token}{changed}",
            f"Bearer {token}",
            f"ApplePass{token}",
            "ApplePass",
            "",
            f"ApplePass {line(chance)}",
            line(chance),
        )
    )


def raw(chance: random.Random) -> str:
    """Return something hostile, as a server hands it to the application."""
    return chance.choice(hostile.TEXTS).encode("utf-8", "surrogatepass")[:3000].decode("latin1")


def line(chance: random.Random) -> str:
    return raw(chance).replace("\r", "").replace("\n", "")
