"""Every form and address, filled with what no shop would type: refused or taken, but never a fault, never an echo."""

import logging
import random
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

import bcrypt
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from loyalty.database import db, transaction
from loyalty.models.vendors import Vendor
from loyalty.web.access import Access
from tests import snapshots, world
from tests.forms import Form, body
from tests.web import hostile
from tests.web.conftest import Street
from tests.world import Business

SEED = 20261120
REQUESTS = 5_000
# A shop that was asked this often has closed its stores and lost its tablets: then it is furnished again.
PER_SHOP = 1_000
METHODS = ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "FUZZ")


@dataclass(frozen=True)
class Visitor:
    """A browser, taken apart: what its cookie header says, and the token that fits it."""

    cookie: str
    csrf_token: str
    door: world.Door


@dataclass(frozen=True)
class Ground:
    """A shop to be fuzzed, who knocks, and its forms."""

    business: Business
    visitors: list[Visitor]
    forms: dict[str, Form]
    routes: list[tuple[Rule, str, Access]]


def test_it_survives_what_nobody_should_send(
    app: Flask, street: Street, owner_engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    client = app.test_client(use_cookies=False)
    failures: list[str] = []
    reached: set[str] = set()
    for number in range(REQUESTS):
        if number % PER_SHOP == 0:
            snapshots.empty(owner_engine)
            snapshots.put_back(owner_engine, street.rows)
            ground = make_ground(app, street)
        if number % 10 == 0:
            with app.app_context():
                world.reopen(ground.business)
        said, endpoint, answer = knock(app, client, ground, random.Random(f"{SEED}-{number}"))
        failures += [f"{number} {said}: {problem}" for problem in problems(answer)]
        reached |= {endpoint} if answer.status_code < 400 else set()
        if number % PER_SHOP == PER_SHOP - 1:
            failures += [f"{number} {problem}" for problem in look_around(app, client, ground)]
    assert not failures, "\n".join(failures[:40])
    # Else all was refused at the door, and nothing was tried.
    missed = {rule.endpoint for rule, _, _ in world.routes(app)} - reached
    assert len(missed) <= len(reached) // 4, missed


def make_ground(app: Flask, street: Street) -> Ground:
    """Give the shop the cheapest PINs: this is about what is sent, not about how slowly it is hashed."""
    business = street.bakery
    with app.app_context(), transaction():
        db.session.get_one(Vendor, business.shop.vendor_id).pin_salt = bcrypt.gensalt(4)
    found = {**world.doors(app, business), **world.strangers(app)}
    return Ground(business, [visitor(app, door) for door in found.values()], street.forms, list(world.routes(app)))


def visitor(app: Flask, door: world.Door) -> Visitor:
    token = world.csrf(app, door.client)
    cookies = (door.client.get_cookie(app.config[name]) for name in ("SESSION_COOKIE_NAME", "TERMINAL_COOKIE_NAME"))
    return Visitor("; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies if cookie), token, door)


def knock(app: Flask, client: FlaskClient, ground: Ground, chance: random.Random) -> tuple[str, str, TestResponse]:
    """Send one request, with a few things wrong about it; return what it was, the endpoint and the answer."""
    rule, method, access = chance.choice(ground.routes)
    fitting = [who for who in ground.visitors if world.may_enter(who.door, rule, access)]
    who = chance.choice(ground.visitors if chance.random() < 0.1 else fitting)
    method = chance.choice(METHODS) if chance.random() < 0.03 else method
    path = world.address(app, rule, ground.business.ids)
    if world.arguments(rule) and chance.random() < 0.25:
        path = f"{path.rsplit('/', 1)[0]}/".encode().decode("latin1") + raw(chance).decode("latin1")
    environ: dict[str, str] = {"PATH_INFO": path, "QUERY_STRING": query(chance), "HTTP_COOKIE": cookies(who, chance)}
    environ |= headers(chance)
    content, content_type = b"", ""
    if method not in ("GET", "HEAD", "OPTIONS"):
        fields = filled(ground, rule.endpoint, who, chance)
        content, content_type = encoded(fields), "application/x-www-form-urlencoded"
        if chance.random() < 0.1:
            content_type = chance.choice(hostile.CONTENT_TYPES)
    environ |= {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(content))}
    answer = client.open("/", method=method, data=content, environ_overrides=environ)
    return f"{method} {rule.endpoint} {environ} {content[:300]!r}", rule.endpoint, answer


def filled(ground: Ground, endpoint: str, who: Visitor, chance: random.Random) -> list[tuple[str, bytes]]:
    """Fill a form as its page does, then spoil some of its fields, leave some out, and send some twice."""
    key = f"{chance.getrandbits(96):024x}"
    sent = body(ground.business, ground.forms.get(endpoint), csrf_token=who.csrf_token, key=key)
    names = [name for name, _ in ground.forms[endpoint].fields] if endpoint in ground.forms else list(sent)
    spoilt = set(chance.sample(names, min(len(names), chance.randint(1, 3)))) - {"csrf_token"}
    if chance.random() < 0.05:
        spoilt.add("csrf_token")
    fields = [(name, raw(chance) if name in spoilt else value.encode()) for name, value in sent.items()]
    if chance.random() < 0.15:
        fields.remove(chance.choice(fields))
    if chance.random() < 0.15:
        fields.append((chance.choice(names), raw(chance)))
    return fields


def raw(chance: random.Random) -> bytes:
    """Return something hostile as bytes; lone surrogates as what broken programs make of them."""
    if chance.random() < 0.08:
        return chance.choice(hostile.BYTES)
    return chance.choice(hostile.TEXTS).encode("utf-8", "surrogatepass")


def encoded(fields: list[tuple[str, bytes]]) -> bytes:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in fields).encode()


def query(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return ""
    names = chance.sample(hostile.QUERY, chance.randint(1, 3))
    return "&".join(f"{name}={quote_from_bytes(raw(chance)[:2000])}" for name in names)


def headers(chance: random.Random) -> dict[str, str]:
    sent = {"HTTP_HX_REQUEST": "true"} if chance.random() < 0.5 else {}
    if chance.random() < 0.2:
        for name in chance.sample(hostile.HEADERS, 2):
            # A server splits lines before they reach the application.
            sent[name] = raw(chance)[:4000].decode("latin1").replace("\r", "").replace("\n", "")
    return sent


def cookies(who: Visitor, chance: random.Random) -> str:
    if chance.random() > 0.1:
        return who.cookie
    spoilt = raw(chance)[:2000].decode("latin1").replace("\r", "").replace("\n", "")
    return f"{chance.choice(hostile.COOKIES)}={spoilt}; {who.cookie}"


def look_around(app: Flask, client: FlaskClient, ground: Ground) -> list[str]:
    """Open every page once more: what was stored is shown as text, too."""
    with app.app_context():
        world.reopen(ground.business)
    found = []
    for rule, method, access in world.routes(app):
        # A page that everybody may see looks the same to all: two of them are enough.
        fitting = [who for who in ground.visitors if world.may_enter(who.door, rule, access)]
        for who in fitting[:1] + fitting[1:][-1:] if method == "GET" else []:
            path = world.address(app, rule, ground.business.ids)
            answer = client.get(path, environ_overrides={"HTTP_COOKIE": who.cookie})
            found += [f"GET {path}: {problem}" for problem in problems(answer)]
    return found


def problems(answer: TestResponse) -> list[str]:
    """Say what is wrong with an answer, whatever was asked."""
    text = answer.get_data().decode("utf-8", "replace")
    found = [f"answered {answer.status_code}"] if answer.status_code >= 500 else []
    found += [f"echoes {mark}" for mark in hostile.RAW if mark in text]
    found += ["works out what was typed"] if hostile.PRODUCT in text else []
    found += ["lets headers in"] if "Injected" in answer.headers else []
    location = answer.headers.get("Location", "/")
    inside = location.startswith(("/", "http://localhost/")) and not location.startswith(("//", "/\\"))
    return found if inside else [*found, f"leads to {location}"]
